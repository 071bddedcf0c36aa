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
 * The private directory of the run, HOME and TMPDIR of the workload.  The
 * parent tells its name, then makes it, and ends the configuration; so whenever
 * the parent is killed, cowd knows what there may be to remove.  It outlives
 * the workload.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"
#include "log.h"
#include "rmtree.h"
#include "worker.h"

static char		*private_name;	/* last component */
static int		 private_fd = -1;
static int		 private_parent = -1;
static struct statx	 private_inode;

void
private_set(const char *path)
{
	const char	*name;
	char		*dir;

	if (private_name != NULL || path[0] != '/' ||
	    (name = strrchr(path, '/'))[1] == '\0')
		fatalx("bad private directory");
	name++;
	/* With its slash: that is the root's only name. */
	if ((dir = strndup(path, (size_t)(name - path))) == NULL ||
	    (private_name = strdup(name)) == NULL)
		fatal("private directory");
	if ((private_parent = open(dir, O_PATH | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		worker_fail("%s: %s", path, strerror(errno));
	free(dir);
}

void
private_open(void)
{
	if (private_name == NULL)
		return;
	if ((private_fd = openat(private_parent, private_name, O_PATH |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1 ||
	    inode_stat(private_fd, &private_inode) == -1)
		worker_fail("%s: %s", private_name, strerror(errno));
}

void
private_get(int *fd, int *parent)
{
	if (private_name == NULL)
		return;
	*fd = private_fd;
	*parent = private_parent;
}

void
private_remove(void)
{
	struct statx	 sx;
	int		 fd;

	if (private_name == NULL)
		return;
	/* Gone already, where the parent was here first. */
	if ((fd = openat(private_parent, private_name, O_PATH | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		return;
	if (private_fd != -1 && (inode_stat(fd, &sx) == -1 ||
	    !inode_same(&sx, &private_inode)))
		return;
	if (rmtree(private_parent, private_name) == -1)
		log_warn("private directory %s", private_name);
}
