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
 * The parent makes it before the workload starts, when cowd knows of it, and
 * removes it when everything is gone; if the parent is killed, cowd does.
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
private_subdir(const char *name)
{
	if (mkdirat(private_fd, name, 0700) == -1) {
		log_warn("private directory %s", name);
		return (-1);
	}
	return (0);
}

/*
 * Choose the name, which nobody can guess, and find the directory above.  *dir
 * stays NULL when the policy wants none; -1 after a message.
 */
int
private_name(const struct policy *p, char **dir)
{
	static const char	 letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	const char		*base;
	char			 word[11];
	size_t			 i;

	*dir = NULL;
	if (!p->private_home && !p->private_tmp)
		return (0);
	if ((base = getenv("TMPDIR")) == NULL || base[0] != '/')
		base = "/tmp";
	for (i = 0; i < sizeof(word) - 1; i++)
		word[i] = letters[arc4random_uniform(sizeof(letters) - 1)];
	word[i] = '\0';
	if ((private_parent = open(base, O_PATH | O_DIRECTORY |
	    O_CLOEXEC)) == -1 ||
	    asprintf(dir, "%s/sandlock.%s", base, word) == -1) {
		log_warn("private directory in %s", base);
		return (-1);
	}
	return (0);
}

static int
private_make(const struct policy *p, const char *name)
{
	if (mkdirat(private_parent, name, 0700) == -1 ||
	    (private_fd = openat(private_parent, name, O_PATH | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1) {
		log_warn("private directory %s", name);
		return (-1);
	}
	if ((p->private_home && private_subdir("home") == -1) ||
	    (p->private_tmp && private_subdir("tmp") == -1))
		return (-1);
	return (0);
}

/* Make what private_name() chose; -1 after a message. */
int
private_create(const struct policy *p, const char *dir)
{
	mode_t	 mask;
	int	 ret;

	if (dir == NULL)
		return (0);
	/* The workload keeps the caller's, which may be anything. */
	mask = umask(0);
	ret = private_make(p, strrchr(dir, '/') + 1);
	umask(mask);
	return (ret);
}

/* For the rules of our own lockdown. */
void
private_fds(int *fd, int *parent)
{
	*fd = private_fd;
	*parent = private_parent;
}

/* cowd may have been here first; then nothing is left. */
void
private_remove(const char *dir)
{
	if (rmtree(private_parent, strrchr(dir, '/') + 1) == -1)
		log_warn("%s: cannot be removed", dir);
}
