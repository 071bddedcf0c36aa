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
 * Changes of mode, owner, times and extended attributes, which Landlock does
 * not mediate.  The change is made on an inode that was found below a grant,
 * by this process, which has the workload's ids: the kernel's own rules and
 * errors stay as they are.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <linux/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

/*
 * fchmodat2(2) came with Linux 6.6.  Before, the mode of a symbolic link could
 * be changed through /proc on some file systems and not by any other call, so
 * that one is refused as the newer kernel refuses it.
 */
static int
meta_chmod(int fd, const struct proto_meta *pm)
{
	static int	 missing;
	struct statx	 sx;
	char		 name[FD_NAME_SIZE];

	if (!missing) {
		if (syscall(SYS_fchmodat2, fd, "", pm->mode,
		    AT_EMPTY_PATH) == 0)
			return (0);
		if (errno != ENOSYS)
			return (-1);
		missing = 1;
	}
	if (inode_stat(fd, &sx) == -1)
		return (-1);
	if (S_ISLNK(sx.stx_mode)) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	return (fchmodat(AT_FDCWD, fd_name(fd, name), pm->mode, 0));
}

static int
meta_chown(int fd, const struct proto_meta *pm)
{
	if (fchownat(fd, "", pm->uid, pm->gid, AT_EMPTY_PATH) == 0)
		return (0);
	/*
	 * In a user namespace, as an overlay needs, the ids of others do not
	 * exist; elsewhere they may not be given.  It is the same refusal.
	 */
	if (errno == EINVAL)
		errno = EPERM;
	return (-1);
}

static int
meta_utimes(int fd, const struct proto_meta *pm)
{
	return (utimensat(fd, "", pm->times_now ? NULL : pm->times,
	    AT_EMPTY_PATH));
}

/*
 * setxattrat(2) would take an O_PATH descriptor for none at all; the link in
 * /proc leads to the inode, a symbolic link's own one too.
 */
static int
meta_setxattr(int fd, const struct proto_meta *pm)
{
	char	 name[FD_NAME_SIZE];

	return (setxattr(fd_name(fd, name), pm->xattr_name, pm->value,
	    pm->value_len, pm->xattr_flags));
}

static int
meta_removexattr(int fd, const struct proto_meta *pm)
{
	char	 name[FD_NAME_SIZE];

	return (removexattr(fd_name(fd, name), pm->xattr_name));
}

static int	 (*const meta_ops[])(int, const struct proto_meta *) = {
	[META_CHMOD] = meta_chmod,
	[META_CHOWN] = meta_chown,
	[META_UTIMES] = meta_utimes,
	[META_SETXATTR] = meta_setxattr,
	[META_REMOVEXATTR] = meta_removexattr
};

/* By these a branch describes itself. */
#define META_XATTR_OVERLAY	"user.overlay."

/*
 * The names of security modules and of the administrator.  Without a
 * capability the kernel refuses most of them; which ones depends on the
 * modules it runs, so that none is left to it.  Where there is a view, also
 * those by which its branch says what it is: a file that has no name yet would
 * bring them in when it is linked.
 */
static int
meta_xattr_denied(const struct proto_meta *pm)
{
	if (pm->op != META_SETXATTR && pm->op != META_REMOVEXATTR)
		return (0);
	if (view_active() && strncmp(pm->xattr_name, META_XATTR_OVERLAY,
	    strlen(META_XATTR_OVERLAY)) == 0)
		return (1);
	return (strncmp(pm->xattr_name, XATTR_SECURITY_PREFIX,
	    XATTR_SECURITY_PREFIX_LEN) == 0 ||
	    strncmp(pm->xattr_name, XATTR_TRUSTED_PREFIX,
	    XATTR_TRUSTED_PREFIX_LEN) == 0);
}

/*
 * Whether a descriptor was opened for writing: Landlock has then granted w on
 * the path it was opened by.  Access mode 3 passes Landlock without any right.
 */
static int
meta_writable(int fd)
{
	int	 flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1 || (flags & O_PATH) != 0)
		return (0);
	flags &= O_ACCMODE;
	return (flags == O_WRONLY || flags == O_RDWR);
}

/*
 * A device is the host's, also where its data may be written: root would take
 * /dev/null away from everybody.  To touch it is no more than to write it.
 */
static int
meta_device_denied(const struct statx *sx, const struct proto_meta *pm)
{
	if (!S_ISCHR(sx->stx_mode) && !S_ISBLK(sx->stx_mode))
		return (0);
	return (pm->op != META_UTIMES || !pm->times_now);
}

int
meta_change(int fd, const struct proto_meta *pm)
{
	struct statx	 sx;
	int		 error = 0, own;

	if (meta_xattr_denied(pm))
		return (EPERM | PROTO_DENIED);
	if (inode_stat(fd, &sx) == -1)
		return (errno);
	if (meta_device_denied(&sx, pm))
		return (EPERM | PROTO_DENIED);
	if ((own = grant_open(fd, &sx, PERM_META)) == -1) {
		if (errno != EACCES)
			return (errno);
		/* No path to find it by: the descriptor is the proof. */
		if (!inode_nameless(fd, &sx) || !meta_writable(fd))
			return (EPERM | PROTO_DENIED);
		return (meta_ops[pm->op](fd, pm) == -1 ? errno : 0);
	}
	if (meta_ops[pm->op](own, pm) == -1)
		error = errno;
	close(own);
	return (error);
}
