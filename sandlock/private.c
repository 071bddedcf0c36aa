/*
 * Copyright (c) 2026 The sandlock authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */
/*
 * The private directory: HOME and TMPDIR of a policy that asks for fresh ones.
 * The parent makes it before anything starts and removes it when everything is
 * gone; if the parent is killed, cowd removes it.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "rmtree.h"
#include "run.h"

static int	 private_parent = -1;	/* the directory above it */
static int	 private_fd = -1;

static int
private_subdir(const char *dir, const char *name)
{
	char	*path;
	int	 ret;

	if (asprintf(&path, "%s/%s", dir, name) == -1)
		return (-1);
	ret = mkdir(path, 0700);
	if (ret == -1)
		log_warn("%s", path);
	free(path);
	return (ret);
}

/* From here on it is found without its path. */
static int
private_open(const char *dir)
{
	char	*parent;

	if ((parent = strndup(dir, strrchr(dir, '/') - dir + 1)) == NULL)
		return (-1);
	private_parent = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	private_fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (private_parent == -1 || private_fd == -1) {
		log_warn("%s", dir);
		return (-1);
	}
	return (0);
}

/* For the rules of our own lockdown. */
void
private_fds(int *fd, int *parent)
{
	*fd = private_fd;
	*parent = private_parent;
}

/* *dir stays NULL when the policy wants none; -1 after a message. */
int
private_create(const struct policy *p, char **dir)
{
	const char	*base;
	char		*path;

	*dir = NULL;
	if (!p->private_home && !p->private_tmp)
		return (0);
	if ((base = getenv("TMPDIR")) == NULL || base[0] != '/')
		base = "/tmp";
	if (asprintf(&path, "%s/sandlock.XXXXXX", base) == -1) {
		log_warn("private directory");
		return (-1);
	}
	if (mkdtemp(path) == NULL) {
		log_warn("private directory in %s", base);
		free(path);
		return (-1);
	}
	*dir = path;
	if (private_open(path) == -1 || (p->private_home && private_subdir(path, "home") == -1) ||
	    (p->private_tmp && private_subdir(path, "tmp") == -1)) {
		private_remove(path);
		free(path);
		*dir = NULL;
		return (-1);
	}
	return (0);
}

/* cowd may have been here first; then nothing is left. */
void
private_remove(const char *dir)
{
	if (rmtree(private_parent, strrchr(dir, '/') + 1) == -1)
		log_warn("%s: cannot be removed", dir);
}
