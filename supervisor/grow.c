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
 * Files that grow, with a quota.  Landlock lets the workload open them, but its
 * limit of file sizes is 0: the kernel writes to no file for it.  This process
 * does, on a duplicate of the descriptor, which stays the same file whatever
 * the workload does to its table.  Files outside of the branch are written in
 * the same way and not counted.
 *
 * A file counts by its size, or by its blocks where these are more, so that
 * what is stored in a mapping of it has been counted when it became so large.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#include <linux/magic.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "supervisor.h"

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND	0x00000020	/* Linux 6.9 */
#endif
#ifndef HUGETLBFS_MAGIC
#define HUGETLBFS_MAGIC	0x958458f6
#endif

/*
 * Whether a regular file holds data.  The files of /proc and the like do not:
 * they want to know who writes, and no limit of sizes applies to them.
 */
int
target_holds(int fd)
{
	struct statfs	 sf;

	if (fstatfs(fd, &sf) == -1)
		return (0);
	return (sf.f_blocks != 0 || sf.f_type == TMPFS_MAGIC ||
	    sf.f_type == HUGETLBFS_MAGIC);
}

/*
 * What a descriptor of the caller leads to: 0, or an errno.  The duplicate is
 * the caller's.
 */
int
target_get(const struct request *rq, int number, struct target *t)
{
	if ((t->fd = task_fd(rq->notif.pid, number)) == -1)
		return (errno);
	return (target_read(t));
}

/* The same for a duplicate that is there already. */
int
target_read(struct target *t)
{
	int	 flags;

	t->regular = t->counted = t->append = 0;
	if (fstat(t->fd, &t->st) == -1 ||
	    (flags = fcntl(t->fd, F_GETFL)) == -1)
		return (errno);
	t->append = (flags & O_APPEND) != 0;
	if (!S_ISREG(t->st.st_mode))
		return (0);
	t->counted = view_counts(t->fd, &t->st);
	t->regular = t->counted || target_holds(t->fd);
	return (0);
}

/*
 * How many of so many bytes at a place there is room for, which is taken.  The
 * last block of a file has room for what fits in there.
 */
size_t
target_room(const struct target *t, off_t at, size_t n, uint64_t *taken)
{
	uint64_t	 end, has, most;

	*taken = 0;
	if (!t->counted || at < 0 || (uint64_t)at + n > INT64_MAX)
		return (n);	/* nobody counts it, or the kernel refuses */
	end = (uint64_t)at + n;
	has = room_round(t->st.st_size);
	if (end <= has)
		return (n);
	*taken = room_round(end) - has;
	if (quota_take(*taken))
		return (n);
	most = has + quota_free() / ROOM_UNIT * ROOM_UNIT;
	if (most <= (uint64_t)at) {
		*taken = 0;
		return (0);
	}
	*taken = most - has;
	if (!quota_take(*taken)) {
		*taken = 0;
		return (0);
	}
	return (most - (uint64_t)at);
}

/* After it may have grown: settle what was taken for that.  0 or an errno. */
int
target_grew(struct target *t, uint64_t taken)
{
	off_t	 old = t->st.st_size;

	if (fstat(t->fd, &t->st) == -1)
		return (errno);
	if (!t->counted)
		return (0);
	quota_settle(taken, (int64_t)(room_round(t->st.st_size) -
	    room_round(old)));
	if (t->st.st_nlink == 0)
		held_note(t->fd, &t->st);
	return (0);
}

/*
 * Write at a place, which moves, or at the end.  Flags that say which of the
 * two leave no choice to who else has the file open; before Linux 6.9 it may
 * become the end.  The number of bytes, 0 without room, or -1 and errno.
 */
ssize_t
target_write(struct target *t, const void *buf, size_t n, off_t *at, int flags)
{
	static int	 no_append = RWF_NOAPPEND;
	struct iovec	 iov;
	uint64_t	 taken;
	ssize_t		 ret;
	int		 append, error, saved_errno;

	append = (t->append && (flags & RWF_NOAPPEND) == 0) ||
	    (flags & RWF_APPEND) != 0;
	if (append)
		*at = t->st.st_size;
	if (n > 0 && (n = target_room(t, *at, n, &taken)) == 0)
		return (0);
	notify_collect();
	iov.iov_base = (void *)(uintptr_t)buf;
	iov.iov_len = n;
	flags &= ~(RWF_APPEND | RWF_NOAPPEND);
	ret = pwritev2(t->fd, &iov, 1, *at, flags | (append ? RWF_APPEND :
	    no_append));
	if (ret == -1 && errno == EOPNOTSUPP && !append && no_append != 0) {
		no_append = 0;
		ret = pwritev2(t->fd, &iov, 1, *at, flags);
	}
	saved_errno = errno;
	if (n > 0 && (error = target_grew(t, taken)) != 0) {
		errno = error;
		return (-1);
	}
	errno = saved_errno;
	if (ret > 0)
		*at = append ? t->st.st_size : *at + ret;
	return (ret);
}
