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
 * The branch as a whole: opening it, and what a dead process left in it.  And
 * the few things that every part of the merged view does to a descriptor.
 * Nothing here looks a path up.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <linux/capability.h>
#include <linux/openat2.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

/* Close, and keep errno. */
int
fd_close(int *fd)
{
	int	 saved_errno = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved_errno;
	return (-1);
}

const char *
fd_proc(int fd, char path[PROC_FD_SIZE])
{
	snprintf(path, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
	return (path);
}

int
fd_statx(int fd, struct statx *sx)
{
	const unsigned int	 want = STATX_BASIC_STATS;

	if (statx(fd, "", AT_EMPTY_PATH, want | STATX_BTIME, sx) == -1)
		return (-1);
	if ((sx->stx_mask & want) != want) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	return (0);
}

/* Open the inode of an O_PATH descriptor for more than that. */
int
fd_reopen(int fd, int flags)
{
	char	 path[PROC_FD_SIZE];

	return (openat(AT_FDCWD, fd_proc(fd, path), flags | O_CLOEXEC |
	    O_NOCTTY));
}

/* A name directly in a directory, or a path beneath it; no link is followed. */
int
path_open(int at, const char *path)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
	return (syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

/* Open what should be a regular file; never waits, should it be a FIFO. */
int
path_open_nonblock(int at, const char *path, int flags)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = (unsigned int)flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
	return (syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

/*
 * A name that is a regular file of this status, for more than O_PATH.  -1 also
 * when it is another one by now.
 */
int
path_open_file(int at, const char *name, int flags, const struct statx *sx)
{
	struct stat	 st;
	int		 fd;

	if ((fd = path_open_nonblock(at, name, flags)) == -1)
		return (-1);
	if (fstat(fd, &st) == 0 && st.st_ino == sx->stx_ino &&
	    st.st_dev == makedev(sx->stx_dev_major, sx->stx_dev_minor) &&
	    ((flags & O_NONBLOCK) != 0 || fcntl(fd, F_SETFL, flags) == 0))
		return (fd);
	return (fd_close(&fd));
}

int
statx_same(const struct statx *a, const struct statx *b)
{
	return (a->stx_ino == b->stx_ino &&
	    a->stx_dev_major == b->stx_dev_major &&
	    a->stx_dev_minor == b->stx_dev_minor);
}

/* Whether this process is in a group; one that cannot tell is not. */
int
group_mine(const struct merge *m, gid_t gid)
{
	gid_t	*groups;
	int	 i, n, found = 0;

	if (m->capable || gid == getegid())
		return (1);
	if ((n = getgroups(0, NULL)) <= 0 ||
	    (groups = reallocarray(NULL, n, sizeof(*groups))) == NULL)
		return (0);
	n = getgroups(n, groups);
	for (i = 0; i < n; i++)
		if (groups[i] == gid)
			found = 1;
	free(groups);
	return (found);
}

static int
merge_capable(void)
{
	struct __user_cap_header_struct	 header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct	 data[2];
	const uint32_t			 want = 1U << CAP_DAC_OVERRIDE |
					    1U << CAP_FOWNER | 1U << CAP_CHOWN;

	memset(data, 0, sizeof(data));
	if (syscall(SYS_capget, &header, data) == -1)
		return (0);
	return ((data[0].effective & want) == want);
}

int
merge_init_read(struct merge *m, int lowerfd, int branchfd)
{
	memset(m, 0, sizeof(*m));
	m->lower = m->upper = m->work = m->links = m->given = -1;
	m->gone = -1;
	m->room = UINT64_MAX;
	m->uid = geteuid();
	/* What a dead process with this number left has other names. */
	m->serial = arc4random();
	m->capable = merge_capable();
	if ((m->lower = fcntl(lowerfd, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    (m->upper = path_open(branchfd, "upper")) == -1 ||
	    (m->work = path_open(branchfd, "work")) == -1)
		goto fail;
	if ((m->links = path_open(branchfd, "links")) == -1 && errno != ENOENT)
		goto fail;
	m->mixed = m->links != -1;
	return (0);
 fail:
	merge_close(m);
	return (-1);
}

/*
 * The top of upper gets the metadata of the working directory; links, made
 * last, shows that this was done.
 */
static int
merge_begin(struct merge *m, int branchfd)
{
	struct node	 top;
	int		 ret;

	node_init(&top);
	if ((top.lfd = fcntl(m->lower, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    fd_statx(top.lfd, &top.sx) == -1)
		goto fail;
	if (!S_ISDIR(top.sx.stx_mode)) {
		errno = ENOTDIR;
		goto fail;
	}
	ret = copy_meta(m, &top, m->upper, 0);
	node_free(&top);
	if (ret == -1)
		return (-1);
	if (mkdirat(branchfd, "links", 0700) == -1 && errno != EEXIST)
		return (-1);
	return ((m->links = path_open(branchfd, "links")) == -1 ? -1 : 0);
 fail:
	node_free(&top);
	return (-1);
}

int
merge_init(struct merge *m, int lowerfd, int branchfd)
{
	if (merge_init_read(m, lowerfd, branchfd) == -1)
		return (-1);
	if (m->links == -1 && merge_begin(m, branchfd) == -1) {
		merge_close(m);
		return (-1);
	}
	m->alone = 1;
	return (0);
}

/* Only what scratch_name() made: the rest of work is overlayfs's. */
int
merge_recover(struct merge *m)
{
	struct dirent	*de;
	DIR		*dir;
	int		 fd, ret = 0;

	if ((fd = fd_reopen(m->work, O_RDONLY | O_DIRECTORY)) == -1)
		return (-1);
	if ((dir = fdopendir(fd)) == NULL)
		return (fd_close(&fd));
	for (;;) {
		errno = 0;
		if ((de = readdir(dir)) == NULL)
			break;
		if (de->d_name[0] == '#' && scratch_remove(m, de->d_name) == -1)
			ret = errno;
	}
	if (errno != 0)
		ret = errno;
	closedir(dir);
	errno = ret;
	return (ret == 0 ? 0 : -1);
}

void
merge_give(struct merge *m, int fd)
{
	fd_close(&m->given);
	m->given = fd;
}

void
merge_close(struct merge *m)
{
	cache_close(m);
	fd_close(&m->given);
	fd_close(&m->gone);
	fd_close(&m->lower);
	fd_close(&m->upper);
	fd_close(&m->work);
	fd_close(&m->links);
	free(m->outside);
	m->outside = NULL;
}
