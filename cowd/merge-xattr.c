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
 * Extended attributes of the view.  Those by which upper is described are not
 * among them; those of security modules and of the administrator may be read.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

static int
xattr_in(const char *name, const char *prefix)
{
	return (strncmp(name, prefix, strlen(prefix)) == 0);
}

/* What the kernel asks before it changes one; 0 or an errno. */
static int
xattr_denied(struct merge *m, const struct node *n, const char *name)
{
	mode_t	 mode = n->sx.stx_mode;

	if (xattr_in(name, XATTR_OVERLAY) || xattr_in(name, "security.") ||
	    xattr_in(name, "trusted."))
		return (EPERM);
	if (xattr_in(name, "user.")) {
		if (!S_ISREG(mode) && !S_ISDIR(mode))
			return (EPERM);
		if (S_ISDIR(mode) && (mode & S_ISVTX) != 0 &&
		    !node_owned(m, n))
			return (EPERM);
		return (node_access(m, n, W_OK) == -1 ? errno : 0);
	}
	if (!xattr_in(name, "system."))
		return (node_access(m, n, W_OK) == -1 ? errno : EOPNOTSUPP);
	if (S_ISLNK(mode))
		return (EOPNOTSUPP);
	if (!node_owned(m, n))
		return (EPERM);
	/* An ACL would set the real mode, which is not the one that is seen. */
	return (n->mark.set ? EOPNOTSUPP : 0);
}

/* An ACL may take rights from the owner, which this process needs. */
static int
xattr_settle(struct merge *m, struct node *n, const char *name)
{
	char	 path[PROC_FD_SIZE];

	if (strcmp(name, XATTR_ACL) != 0 || !node_isdir(n) || m->capable)
		return (0);
	if (fd_statx(n->ufd, &n->sx) == -1)
		return (-1);
	if ((n->sx.stx_mode & 0700) == 0700)
		return (0);
	if (fchmodat(AT_FDCWD, fd_proc(n->ufd, path),
	    (n->sx.stx_mode & 03777) | 0700, 0) == -1)
		return (-1);
	return (meta_mode(m, n, n->sx.stx_mode & 07777));
}

struct xattr {
	const char	*name;
	const void	*value;		/* NULL: remove */
	size_t		 size;
	int		 flags;
};

static int
xattr_change(struct merge *m, const char *path, int flags,
    const struct xattr *x)
{
	struct walk	 w;
	char		 proc[PROC_FD_SIZE];
	int		 error, ret = -1;

	if (walk_start(m, path, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 :
	    WALK_FOLLOW, &w) == -1)
		return (-1);
	if ((error = xattr_denied(m, &w.node, x->name)) != 0) {
		errno = error;
		goto done;
	}
	if (w.node.ufd == -1 && copyup(m, &w, 0) == -1)
		goto done;
	fd_proc(w.node.ufd, proc);
	if (x->value != NULL &&
	    room_take(m, room_round(strlen(x->name) + x->size)) == -1)
		goto done;
	if (x->value == NULL)
		ret = removexattr(proc, x->name);
	else
		ret = setxattr(proc, x->name, x->value, x->size, x->flags);
	if (ret == 0)
		ret = xattr_settle(m, &w.node, x->name);
	/* An ACL is a mode, too. */
	if (node_isdir(&w.node))
		merge_forget(m);
 done:
	walk_end(&w);
	return (ret);
}

int
merge_setxattr(struct merge *m, const char *path, int flags, const char *name,
    const void *value, size_t size, int how)
{
	struct xattr	 x = { name, value, size, how };

	if (value == NULL)
		x.value = "";
	return (xattr_change(m, path, flags, &x));
}

int
merge_removexattr(struct merge *m, const char *path, int flags,
    const char *name)
{
	struct xattr	 x = { name, NULL, 0, 0 };

	return (xattr_change(m, path, flags, &x));
}

/* What the ACL of an inode says of its owner is what the mark says. */
static void
xattr_acl_owner(void *value, size_t size, mode_t mode)
{
	struct posix_acl_xattr_entry	 e;
	uint8_t				*p = value;
	size_t				 at;

	for (at = sizeof(struct posix_acl_xattr_header);
	    at + sizeof(e) <= size; at += sizeof(e)) {
		memcpy(&e, p + at, sizeof(e));
		if (le16toh(e.e_tag) != ACL_USER_OBJ)
			continue;
		e.e_perm = htole16(mode >> 6 & 7);
		memcpy(p + at, &e, sizeof(e));
	}
}

ssize_t
merge_getxattr(struct merge *m, const char *path, int flags, const char *name,
    void *value, size_t size)
{
	struct walk	 w;
	char		 proc[PROC_FD_SIZE];
	ssize_t		 n = -1;

	if (walk_start(m, path, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 :
	    WALK_FOLLOW, &w) == -1)
		return (-1);
	fd_proc(node_fd(&w.node), proc);
	if (xattr_in(name, XATTR_OVERLAY))
		errno = ENODATA;
	else if (!xattr_in(name, "user.") || !w.node.mark.set ||
	    node_access(m, &w.node, R_OK) == 0)
		n = getxattr(proc, name, value, size);
	if (n > 0 && size > 0 && w.node.mark.set && strcmp(name,
	    XATTR_ACL) == 0)
		xattr_acl_owner(value, n, w.node.mark.mode);
	walk_end(&w);
	return (n);
}

/* All names but those of the branch, moved together. */
static ssize_t
xattr_filter(char *list, ssize_t len)
{
	ssize_t	 from, to = 0, n;

	for (from = 0; from < len; from += n) {
		n = strlen(list + from) + 1;
		if (xattr_in(list + from, XATTR_OVERLAY))
			continue;
		memmove(list + to, list + from, n);
		to += n;
	}
	return (to);
}

/* By a name in /proc of whatever it is. */
static ssize_t
xattr_list(const char *proc, char *list, size_t size)
{
	char	*all;
	ssize_t	 n;

	if ((n = listxattr(proc, NULL, 0)) <= 0)
		return (n);
	if ((all = malloc(n)) == NULL)
		return (-1);
	if ((n = listxattr(proc, all, n)) != -1) {
		n = xattr_filter(all, n);
		if (size != 0 && (size_t)n > size) {
			errno = ERANGE;
			n = -1;
		} else if (size != 0)
			memcpy(list, all, n);
	}
	free(all);
	return (n);
}

ssize_t
merge_listxattr(struct merge *m, const char *path, int flags, char *list,
    size_t size)
{
	struct walk	 w;
	char		 proc[PROC_FD_SIZE];
	ssize_t		 n;

	if (walk_start(m, path, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 :
	    WALK_FOLLOW, &w) == -1)
		return (-1);
	n = xattr_list(fd_proc(node_fd(&w.node), proc), list, size);
	walk_end(&w);
	return (n);
}

ssize_t
merge_fd_getxattr(int fd, const char *name, void *value, size_t size)
{
	char	 proc[PROC_FD_SIZE];

	if (xattr_in(name, XATTR_OVERLAY)) {
		errno = ENODATA;
		return (-1);
	}
	return (getxattr(fd_proc(fd, proc), name, value, size));
}

ssize_t
merge_fd_listxattr(int fd, char *list, size_t size)
{
	char	 proc[PROC_FD_SIZE];

	return (xattr_list(fd_proc(fd, proc), list, size));
}
