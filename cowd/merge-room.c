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
 * Room: how much the next change may take of a branch that has a quota.  What
 * is about to be made takes its part before it is made, so that a change that
 * does not fit fails with the view as it was; the directories that were copied
 * up on the way stay, and count.  What removes something is never refused.
 *
 * Each inode, and each further name of one, counts ROOM_UNIT, and its size
 * comes on top in whole units.  These are upper bounds where file systems make
 * do with less; usage.c finds out what a branch holds.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "merge-node.h"

/* A size in whole units; one that no file system has is no room to have. */
uint64_t
room_round(uint64_t size)
{
	if (size > UINT64_MAX / 2)
		return (UINT64_MAX / 2);
	return ((size + ROOM_UNIT - 1) / ROOM_UNIT * ROOM_UNIT);
}

/* What an inode counts that has this type and size. */
uint64_t
room_inode(mode_t type, uint64_t size)
{
	switch (type & S_IFMT) {
	case S_IFDIR:
		return (2 * ROOM_UNIT);
	case S_IFREG:
	case S_IFLNK:
		return (ROOM_UNIT + room_round(size));
	default:
		return (ROOM_UNIT);
	}
}

/* Give the next change its room, and forget the last one's. */
void
merge_room(struct merge *m, uint64_t room)
{
	m->room = room;
	m->taken = m->wanted = 0;
	fd_close(&m->gone);
}

int
room_take(struct merge *m, uint64_t n)
{
	if (n > m->room || m->taken > m->room - n) {
		m->wanted = m->taken + n;
		errno = ENOSPC;
		return (-1);
	}
	m->taken += n;
	return (0);
}

/* For what comes with a removal; there are only so many names in lower. */
void
room_add(struct merge *m, uint64_t n)
{
	m->taken += n;
}

/*
 * An inode of upper is about to lose a name.  If it was the last one, whoever
 * counts must know: the space stays taken while somebody has it open.
 */
void
room_gone(struct merge *m, const struct node *n)
{
	fd_close(&m->gone);
	if (m->room != UINT64_MAX && n->ufd != -1 &&
	    S_ISREG(n->sx.stx_mode))
		m->gone = fcntl(n->ufd, F_DUPFD_CLOEXEC, 0);
}

/*
 * To ask the kernel whether somebody has it open takes a descriptor that can
 * read, and so for a moment the right to do so; without, it counts to the end.
 */
static int
gone_open(int fd, const struct statx *sx)
{
	char	 path[PROC_FD_SIZE];
	mode_t	 mode = sx->stx_mode & 07777;
	int	 new;

	if ((new = fd_reopen(fd, O_RDONLY | O_NONBLOCK)) != -1 ||
	    errno != EACCES ||
	    fchmodat(AT_FDCWD, fd_proc(fd, path), mode | S_IRUSR, 0) == -1)
		return (new);
	new = fd_reopen(fd, O_RDONLY | O_NONBLOCK);
	/* Nothing more can be done about a mode that does not go back. */
	if (fchmodat(AT_FDCWD, path, mode, 0) == -1)
		return (new);
	return (new);
}

/* Empty a file without a name, whatever its mode says.  0, or -1 and errno. */
int
merge_empty(int fd)
{
	struct statx	 sx;
	char		 path[PROC_FD_SIZE];

	if (fd_statx(fd, &sx) == -1)
		return (-1);
	if (sx.stx_nlink != 0 || !S_ISREG(sx.stx_mode)) {
		errno = EINVAL;
		return (-1);
	}
	if (truncate(fd_proc(fd, path), 0) == 0)
		return (0);
	if (errno != EACCES || fchmodat(AT_FDCWD, path,
	    (sx.stx_mode & 07777) | S_IWUSR, 0) == -1)
		return (-1);
	return (truncate(path, 0));
}

/*
 * Whether nobody has it open but we: the kernel would grant a lease then.  It
 * is emptied, since descriptors of O_PATH do not show by that.
 */
static int
gone_last(int fd, const struct statx *sx)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == -1 ||
	    fcntl(fd, F_SETLEASE, F_UNLCK) == -1)
		return (0);
	return (sx->stx_size == 0 || merge_empty(fd) == 0);
}

/* The file that the last change took the last name from, or -1. */
int
merge_gone(struct merge *m, uint64_t *given)
{
	struct statx	 sx;
	int		 fd, new;

	*given = 0;
	if (m->gone == -1)
		return (-1);
	if (fd_statx(m->gone, &sx) == -1 || sx.stx_nlink != 0) {
		fd_close(&m->gone);
		return (-1);
	}
	if ((new = gone_open(m->gone, &sx)) == -1) {
		fd = m->gone;
		m->gone = -1;
		return (fd);
	}
	fd_close(&m->gone);
	if (!gone_last(new, &sx))
		return (new);
	*given = room_inode(S_IFREG, sx.stx_size);
	fd_close(&new);
	return (-1);
}
