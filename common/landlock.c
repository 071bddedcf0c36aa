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
 * Landlock by its three system calls.  The constants are our own: headers of
 * stable distributions end at the ABI of their day, the running kernel's ABI
 * decides at run time.  A domain that cannot be entered as asked is an error
 * here; whether a missing protection may be waived is decided by the parent,
 * which clears its bit in workload_conf.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "landlock.h"

#define LL_CREATE_RULESET_VERSION	(1U << 0)
#define LL_RULE_PATH_BENEATH		1
#define LL_RULE_NET_PORT		2

#define LL_FS_EXECUTE		(1ULL << 0)
#define LL_FS_WRITE_FILE	(1ULL << 1)
#define LL_FS_READ_FILE		(1ULL << 2)
#define LL_FS_READ_DIR		(1ULL << 3)
#define LL_FS_REMOVE_DIR	(1ULL << 4)
#define LL_FS_REMOVE_FILE	(1ULL << 5)
#define LL_FS_MAKE_CHAR		(1ULL << 6)
#define LL_FS_MAKE_DIR		(1ULL << 7)
#define LL_FS_MAKE_REG		(1ULL << 8)
#define LL_FS_MAKE_SOCK		(1ULL << 9)
#define LL_FS_MAKE_FIFO		(1ULL << 10)
#define LL_FS_MAKE_BLOCK	(1ULL << 11)
#define LL_FS_MAKE_SYM		(1ULL << 12)
#define LL_FS_REFER		(1ULL << 13)	/* ABI 2 */
#define LL_FS_TRUNCATE		(1ULL << 14)	/* ABI 3 */
#define LL_FS_IOCTL_DEV		(1ULL << 15)	/* ABI 5 */
#define LL_FS_ABI1		((1ULL << 13) - 1)
/* Rights that a rule on something other than a directory may carry. */
#define LL_FS_FILE		(LL_FS_EXECUTE | LL_FS_WRITE_FILE | \
				LL_FS_READ_FILE | LL_FS_TRUNCATE | \
				LL_FS_IOCTL_DEV)
/* Device nodes are never made, whatever the policy grants. */
#define LL_FS_CREATE		(LL_FS_REMOVE_DIR | LL_FS_REMOVE_FILE | \
				LL_FS_MAKE_DIR | LL_FS_MAKE_REG | \
				LL_FS_MAKE_SOCK | LL_FS_MAKE_FIFO | \
				LL_FS_MAKE_SYM | LL_FS_REFER)

#define LL_NET_BIND_TCP		(1ULL << 0)	/* ABI 4 */
#define LL_NET_CONNECT_TCP	(1ULL << 1)

#define LL_SCOPE_ABSTRACT	(1ULL << 0)	/* ABI 6 */
#define LL_SCOPE_SIGNAL		(1ULL << 1)

struct ll_ruleset_attr {
	uint64_t	 handled_fs;
	uint64_t	 handled_net;
	uint64_t	 scoped;
};

struct ll_path_attr {
	uint64_t	 access;
	int32_t		 fd;
} __attribute__((packed));

struct ll_port_attr {
	uint64_t	 access;
	uint64_t	 port;
};

/* The ABI that brought each protection. */
static const int	 protection_abi[PROT_MAX] = {
	[PROT_FS_REFER] = 2,
	[PROT_FS_TRUNCATE] = 3,
	[PROT_NET_TCP] = 4,
	[PROT_FS_IOCTL_DEV] = 5,
	[PROT_SIGNAL_SCOPE] = 6,
	[PROT_ABSTRACT_UNIX_SOCKET_SCOPE] = 6
};

int
landlock_abi(void)
{
	long	 abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LL_CREATE_RULESET_VERSION);
	return (abi < 0 ? 0 : (int)abi);
}

int
landlock_has(int abi, enum protection prot)
{
	return (abi >= protection_abi[prot]);
}

/* Older kernels know a shorter attribute; what they lack is not asked for. */
static size_t
ruleset_size(int abi)
{
	if (abi < 4)
		return (8);
	return (abi < 6 ? 16 : 24);
}

static int
ruleset_create(const struct ll_ruleset_attr *attr, int abi)
{
	return (syscall(SYS_landlock_create_ruleset, attr, ruleset_size(abi),
	    0));
}

static int
ruleset_add_fd(int ruleset, uint64_t access, int fd)
{
	struct ll_path_attr	 attr;

	attr.access = access;
	attr.fd = fd;
	return (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH_BENEATH,
	    &attr, 0));
}

static int
ruleset_add_port(int ruleset, uint64_t access, uint16_t port)
{
	struct ll_port_attr	 attr;

	attr.access = access;
	attr.port = port;
	return (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_NET_PORT,
	    &attr, 0));
}

static int
ruleset_enter(int ruleset)
{
	return (syscall(SYS_landlock_restrict_self, ruleset, 0));
}

/* What the letters of a policy mean, before the file type is known. */
static uint64_t
perms_access(unsigned int perms)
{
	uint64_t	 access = 0;

	if (perms & PERM_READ)
		access |= LL_FS_READ_FILE | LL_FS_READ_DIR;
	if (perms & PERM_WRITE)
		access |= LL_FS_WRITE_FILE | LL_FS_TRUNCATE | LL_FS_IOCTL_DEV;
	if (perms & PERM_EXEC)
		access |= LL_FS_EXECUTE;
	if (perms & PERM_CREATE)
		access |= LL_FS_CREATE;
	return (access);
}

/*
 * An entry beside the way to a hole.  Somebody may have put another inode in
 * its place, which has no such right then.
 */
static int
ruleset_add_sibling(int ruleset, uint64_t handled,
    const struct workload_sibling *ws)
{
	struct stat	 st;
	uint64_t	 access;
	int		 fd, ret = 0, saved_errno;

	if ((fd = open(ws->path, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (errno == EMFILE || errno == ENFILE ||
		    errno == ENOMEM ? -1 : 0);
	access = perms_access(ws->perms) & handled;
	if (fstat(fd, &st) == -1)
		ret = -1;
	else if (st.st_ino == ws->ino && st.st_dev == ws->dev) {
		if (!S_ISDIR(st.st_mode))
			access &= LL_FS_FILE;
		if (access != 0)
			ret = ruleset_add_fd(ruleset, access, fd);
	}
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (ret);
}

/* O_PATH: opening a FIFO or a device here must do nothing to it. */
static int
ruleset_add_path(int ruleset, uint64_t handled, const char *path,
    unsigned int perms, int optional)
{
	struct stat	 st;
	uint64_t	 access;
	int		 fd, ret, saved_errno;

	if (perms == 0)
		return (0);
	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1) {
		if (optional && (errno == ENOENT || errno == ENOTDIR ||
		    errno == EACCES))
			return (0);
		return (-1);
	}
	access = perms_access(perms) & handled;
	ret = fstat(fd, &st);
	if (ret == 0 && !S_ISDIR(st.st_mode))
		access &= LL_FS_FILE;
	if (ret == 0 && access != 0)
		ret = ruleset_add_fd(ruleset, access, fd);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (ret);
}

static int
ruleset_add_ports(int ruleset, uint64_t handled,
    const struct workload_ports *ports)
{
	const struct workload_port	*wp;
	uint64_t			 access;
	uint32_t			 port;

	STAILQ_FOREACH(wp, ports, entry) {
		access = handled & (wp->direction == NET_OUT ?
		    LL_NET_CONNECT_TCP : LL_NET_BIND_TCP);
		if (access == 0)
			continue;
		for (port = wp->lo; port <= wp->hi; port++)
			if (ruleset_add_port(ruleset, access, port) == -1)
				return (-1);
	}
	return (0);
}

static int
protected(const struct workload_conf *wc, enum protection prot)
{
	return ((wc->protections & (1U << prot)) != 0);
}

static void
workload_handled(const struct workload_conf *wc, struct ll_ruleset_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->handled_fs = LL_FS_ABI1;
	/*
	 * Every domain refuses to move files between directories, handled or
	 * not; only a rule that grants it lifts that (see below).
	 */
	if (landlock_has(wc->abi, PROT_FS_REFER))
		attr->handled_fs |= LL_FS_REFER;
	if (protected(wc, PROT_FS_TRUNCATE))
		attr->handled_fs |= LL_FS_TRUNCATE;
	if (protected(wc, PROT_FS_IOCTL_DEV))
		attr->handled_fs |= LL_FS_IOCTL_DEV;
	if (protected(wc, PROT_NET_TCP)) {
		if (!wc->any_connect)
			attr->handled_net |= LL_NET_CONNECT_TCP;
		if (!wc->any_bind)
			attr->handled_net |= LL_NET_BIND_TCP;
	}
	if (protected(wc, PROT_SIGNAL_SCOPE))
		attr->scoped |= LL_SCOPE_SIGNAL;
	if (protected(wc, PROT_ABSTRACT_UNIX_SOCKET_SCOPE))
		attr->scoped |= LL_SCOPE_ABSTRACT;
}

static int
workload_refer_off(const struct workload_conf *wc, int ruleset)
{
	int	 fd, ret;

	if (protected(wc, PROT_FS_REFER) ||
	    !landlock_has(wc->abi, PROT_FS_REFER))
		return (0);
	if ((fd = open("/", O_PATH | O_CLOEXEC)) == -1)
		return (-1);
	ret = ruleset_add_fd(ruleset, LL_FS_REFER, fd);
	close(fd);
	return (ret);
}

/* A domain for its scopes only: every access to files and ports passes it. */
static int
scope_enter(const struct ll_ruleset_attr *scopes, int abi)
{
	struct ll_ruleset_attr	 attr = *scopes;
	int			 fd, ret = -1, ruleset;

	/*
	 * Also a domain that handles no file right refuses to move and link
	 * files between directories.
	 */
	attr.handled_fs = LL_FS_REFER;
	attr.handled_net = 0;
	if ((ruleset = ruleset_create(&attr, abi)) == -1)
		return (-1);
	if ((fd = open("/", O_PATH | O_CLOEXEC)) != -1) {
		if (ruleset_add_fd(ruleset, LL_FS_REFER, fd) == 0)
			ret = ruleset_enter(ruleset);
		close(fd);
	}
	close(ruleset);
	return (ret);
}

/* The outer domain grants nothing that the policy does not. */
static int
outer_is_exact(const struct workload_conf *wc)
{
	const struct workload_path	*wp;

	/* It lists what the workload may not. */
	STAILQ_FOREACH(wp, &wc->paths, entry)
		if (wp->perms & ~wp->rule & PERM_READ)
			return (0);
	STAILQ_FOREACH(wp, &wc->paths, entry)
		if ((wp->perms & PERM_READ) && (strcmp(wp->path, "/") == 0 ||
		    strcmp(wp->path, "/proc") == 0))
			return (1);
	return (0);
}

/*
 * The directories on the way to holes, for the supervisor, which opens them
 * for the workload: it may list below them, and read nothing more.
 */
static int
workload_listed(int ruleset, const struct workload_path *wp)
{
	int	 fd, ret, saved_errno;

	if ((wp->perms & ~wp->rule & PERM_READ) == 0)
		return (0);
	if ((fd = open(wp->path, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	ret = ruleset_add_fd(ruleset, LL_FS_READ_DIR, fd);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (ret);
}

/* What the policy grants, by a domain. */
static int
workload_paths(const struct workload_conf *wc, enum workload_domain domain,
    int ruleset, uint64_t handled, const char **what)
{
	const struct workload_path	*wp;
	size_t				 i;

	STAILQ_FOREACH(wp, &wc->paths, entry) {
		*what = wp->path;
		if (ruleset_add_path(ruleset, handled, wp->path, wp->rule,
		    wp->optional) == -1 || (domain == WORKLOAD_DOMAIN_OUTER &&
		    workload_listed(ruleset, wp) == -1))
			return (-1);
	}
	for (i = 0; i < wc->nsiblings; i++) {
		*what = wc->siblings[i].path;
		if (ruleset_add_sibling(ruleset, handled,
		    &wc->siblings[i]) == -1)
			return (-1);
	}
	return (0);
}

int
landlock_workload(const struct workload_conf *wc, enum workload_domain domain,
    const char **what)
{
	struct ll_ruleset_attr	 attr;
	int			 ret = -1, ruleset;

	workload_handled(wc, &attr);
	if (domain == WORKLOAD_DOMAIN_INNER && outer_is_exact(wc) &&
	    landlock_has(wc->abi, PROT_FS_REFER)) {
		/* One layer less that each open passes. */
		*what = "landlock";
		return (scope_enter(&attr, wc->abi));
	}
	*what = "landlock_create_ruleset";
	if ((ruleset = ruleset_create(&attr, wc->abi)) == -1)
		return (-1);
	if (workload_paths(wc, domain, ruleset, attr.handled_fs, what) == -1)
		goto done;
	*what = "/proc";
	if (domain == WORKLOAD_DOMAIN_OUTER && ruleset_add_path(ruleset,
	    attr.handled_fs, "/proc", PERM_READ, 0) == -1)
		goto done;
	*what = "landlock_add_rule";
	if (workload_refer_off(wc, ruleset) == -1 ||
	    ruleset_add_ports(ruleset, attr.handled_net, &wc->ports) == -1)
		goto done;
	*what = "landlock_restrict_self";
	if (ruleset_enter(ruleset) == -1)
		goto done;
	ret = 0;
 done:
	close(ruleset);
	return (ret);
}

int
landlock_scope_signals(int abi)
{
	struct ll_ruleset_attr	 attr;

	if (!landlock_has(abi, PROT_SIGNAL_SCOPE)) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	memset(&attr, 0, sizeof(attr));
	attr.scoped = LL_SCOPE_SIGNAL;
	return (scope_enter(&attr, abi));
}

void
landlock_grant(struct landlock_self *ls, int fd, enum landlock_right right)
{
	if (fd == -1 || ls->ngrants == LANDLOCK_GRANTS_MAX)
		return;
	ls->grants[ls->ngrants].fd = fd;
	ls->grants[ls->ngrants].right = right;
	ls->ngrants++;
}

static int
ruleset_add_grant(int ruleset, uint64_t handled,
    const struct landlock_grant *grant)
{
	static const uint64_t	 rights[] = {
		[LANDLOCK_READ] = LL_FS_READ_FILE | LL_FS_READ_DIR,
		[LANDLOCK_RMDIR] = LL_FS_REMOVE_DIR,
		[LANDLOCK_REMOVE] = LL_FS_READ_DIR | LL_FS_REMOVE_DIR |
		    LL_FS_REMOVE_FILE,
		[LANDLOCK_TREE] = LL_FS_READ_FILE | LL_FS_READ_DIR |
		    LL_FS_WRITE_FILE | LL_FS_TRUNCATE | LL_FS_CREATE,
		[LANDLOCK_BRANCH] = LL_FS_READ_FILE | LL_FS_READ_DIR |
		    LL_FS_WRITE_FILE | LL_FS_TRUNCATE | LL_FS_CREATE |
		    LL_FS_MAKE_CHAR
	};

	return (ruleset_add_fd(ruleset, rights[grant->right] & handled,
	    grant->fd));
}

int
landlock_self(const struct landlock_self *ls)
{
	struct ll_ruleset_attr	 attr;
	size_t			 i;
	int			 ret = -1, ruleset;

	memset(&attr, 0, sizeof(attr));
	attr.handled_fs = LL_FS_ABI1;
	if (landlock_has(ls->abi, PROT_FS_REFER))
		attr.handled_fs |= LL_FS_REFER;
	if (landlock_has(ls->abi, PROT_FS_TRUNCATE))
		attr.handled_fs |= LL_FS_TRUNCATE;
	if (landlock_has(ls->abi, PROT_FS_IOCTL_DEV))
		attr.handled_fs |= LL_FS_IOCTL_DEV;
	if (landlock_has(ls->abi, PROT_NET_TCP)) {
		if (!ls->any_bind)
			attr.handled_net |= LL_NET_BIND_TCP;
		if (!ls->any_connect)
			attr.handled_net |= LL_NET_CONNECT_TCP;
	}
	if (ls->scope && landlock_has(ls->abi, PROT_SIGNAL_SCOPE))
		attr.scoped = LL_SCOPE_SIGNAL | LL_SCOPE_ABSTRACT;

	if ((ruleset = ruleset_create(&attr, ls->abi)) == -1)
		return (-1);
	for (i = 0; i < ls->ngrants; i++)
		if (ruleset_add_grant(ruleset, attr.handled_fs,
		    &ls->grants[i]) == -1)
			goto done;
	if ((ls->proc && ruleset_add_path(ruleset, attr.handled_fs, "/proc",
	    PERM_READ, 0) == -1) ||
	    (ls->ports != NULL && ruleset_add_ports(ruleset, attr.handled_net,
	    ls->ports) == -1))
		goto done;
	ret = ruleset_enter(ruleset);
 done:
	close(ruleset);
	return (ret);
}
