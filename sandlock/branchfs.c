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
 * The branchfs back end: a branch, which its server shows as DIR/@ID, is bound
 * to DIR in the mount namespace of the run.  The control file of the branch is
 * covered: whoever can open it could commit.  The ioctls are the keeper's.
 */

#include <sys/types.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "branchfs.h"
#include "keeper.h"
#include "run.h"

/*
 * What a mount may not lose in a user namespace; no set-user-ID and no devices,
 * which a server could make.
 */
static unsigned long
bind_flags(unsigned long have)
{
	unsigned long	 flags = MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV;

	if (have & ST_RDONLY)
		flags |= MS_RDONLY;
	if (have & ST_NOEXEC)
		flags |= MS_NOEXEC;
	if (have & ST_NOATIME)
		flags |= MS_NOATIME;
	if (have & ST_NODIRATIME)
		flags |= MS_NODIRATIME;
	if (have & ST_RELATIME)
		flags |= MS_RELATIME;
	return (flags);
}

static int
bind_fds(int from, int to)
{
	char	 source[64], target[64];

	snprintf(source, sizeof(source), "/proc/self/fd/%d", from);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", to);
	return (mount(source, target, NULL, MS_BIND, NULL));
}

/* The mount as a whole, and its control file, by descriptors of the new one. */
static int
bind_settle(int top)
{
	struct statvfs	 fs;
	char		 name[128];
	int		 fd, ret;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", top);
	if (fstatvfs(top, &fs) == -1 ||
	    mount(NULL, name, NULL, bind_flags(fs.f_flag), NULL) == -1 ||
	    (fd = openat(top, BRANCHFS_CTL, O_PATH | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return (-1);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ret = mount("/dev/null", name, NULL, MS_BIND, NULL);
	close(fd);
	return (ret);
}

/* 0, or -1 and errno. */
int
branchfs_mount(const struct branch_dir *b)
{
	int	 branch, lower, ret = -1, top;

	if ((lower = overlay_reopen(b->workdir, b->lower)) == -1)
		return (-1);
	if ((branch = keeper_branch(lower, b->server, O_PATH)) != -1) {
		ret = bind_fds(branch, lower);
		close(branch);
	}
	close(lower);
	if (ret == -1 || (top = open(b->workdir, O_PATH | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (-1);
	ret = bind_settle(top);
	close(top);
	return (ret);
}
