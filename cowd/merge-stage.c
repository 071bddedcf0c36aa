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
 * The work directory: things are made there and moved to their names when they
 * are finished.  What remains after a crash is recognised by its name.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <linux/limits.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"
#include "rmtree.h"

void
scratch_name(struct merge *m, char name[STAGE_NAME_SIZE])
{
	snprintf(name, STAGE_NAME_SIZE, "#%x-%x", (unsigned int)getpid(),
	    m->serial++);
}

/* A directory does not replace the whiteout, but changes places with it. */
int
stage_place(int from, const char *tmp, int to, const char *name, int isdir)
{
	if (!isdir)
		return (renameat2(from, tmp, to, name, 0));
	if (renameat2(from, tmp, to, name, RENAME_NOREPLACE) == 0)
		return (0);
	if (errno != EEXIST ||
	    renameat2(from, tmp, to, name, RENAME_EXCHANGE) == -1)
		return (-1);
	/* It is done; a whiteout that stays in work is rubbish. */
	(void)unlinkat(from, tmp, 0);
	return (0);
}

/*
 * A whiteout in the place of whatever is there, which is gone in one step.  0
 * once that is so: what cannot be removed then is rubbish in work.
 */
int
stage_whiteout(struct merge *m, int dir, const char *name)
{
	char	 tmp[STAGE_NAME_SIZE];

	scratch_name(m, tmp);
	if (mknodat(m->work, tmp, S_IFCHR, 0) == -1)
		return (-1);
	if (renameat2(m->work, tmp, dir, name, 0) == 0)
		return (0);
	if (errno == EISDIR &&
	    renameat2(m->work, tmp, dir, name, RENAME_EXCHANGE) == 0) {
		(void)scratch_remove(m, tmp);
		return (0);
	}
	(void)scratch_remove(m, tmp);
	return (-1);
}

int
scratch_remove(struct merge *m, const char *tmp)
{
	int	 saved_errno = errno, ret;

	if ((ret = rmtree(m->work, tmp)) == 0)
		errno = saved_errno;
	return (ret);
}

/*
 * A default ACL or a set-group-id bit of the directory makes what is created
 * in it different; then a directory with the same ones stands in for it.
 */
int
scratch_open(struct merge *m, const struct node *dir, struct stage *st)
{
	char	 from[PROC_FD_SIZE], to[PROC_FD_SIZE], acl[XATTR_SIZE_MAX];
	mode_t	 mode = 0700 | (dir->sx.stx_mode & S_ISGID);
	ssize_t	 n;

	st->name[0] = '\0';
	n = getxattr(fd_proc(dir->ufd, from), XATTR_ACL_NEW, acl, sizeof(acl));
	if (n == -1 && errno != ENODATA && errno != EOPNOTSUPP)
		return (-1);
	if (n <= 0 && (mode & S_ISGID) == 0) {
		st->fd = fcntl(m->work, F_DUPFD_CLOEXEC, 0);
		return (st->fd == -1 ? -1 : 0);
	}
	scratch_name(m, st->name);
	if (mkdirat(m->work, st->name, 0700) == -1)
		return (-1);
	if ((st->fd = path_open(m->work, st->name)) == -1)
		goto fail;
	fd_proc(st->fd, to);
	if (fchownat(st->fd, "", -1, dir->sx.stx_gid, AT_EMPTY_PATH) == -1 &&
	    errno != EPERM && errno != EINVAL)
		goto fail;
	if (fchmodat(AT_FDCWD, to, mode, 0) == -1)
		goto fail;
	if (n > 0 && setxattr(to, XATTR_ACL_NEW, acl, n, 0) == -1)
		goto fail;
	return (0);
 fail:
	stage_close(m, st);
	return (-1);
}

void
stage_close(struct merge *m, struct stage *st)
{
	fd_close(&st->fd);
	if (st->name[0] != '\0')
		(void)scratch_remove(m, st->name);
}
