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
 * What cowd may still do.  Every file right that Landlock knows is denied but
 * the removal of the private directory; what works nevertheless is what
 * Landlock does not mediate, and that is what cowd is for: O_PATH descriptors,
 * changes of metadata, connects to sockets in the file system.  So a cowd that
 * obeys somebody else reads, writes, makes and runs no file.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"
#include "lockdown.h"
#include "worker.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

/* Two descriptors for each parked connect, and the grants. */
#define LOCK_NOFILE	4096

#define LOCK_READ_DIR		(1ULL << 3)
#define LOCK_REMOVE_DIR		(1ULL << 4)
#define LOCK_REMOVE_FILE	(1ULL << 5)
#define LOCK_VERSION		1
#define LOCK_PATH_BENEATH	1

/* Everything that each ABI of Landlock can deny. */
static const struct {
	int		 abi;
	uint64_t	 fs;
	uint64_t	 net;
	uint64_t	 scoped;
} lock_abis[] = {
	{ 1, 0x1fff, 0, 0 },
	{ 2, 0x3fff, 0, 0 },		/* moves between directories */
	{ 3, 0x7fff, 0, 0 },		/* truncate */
	{ 4, 0x7fff, 0x3, 0 },		/* TCP bind and connect */
	{ 5, 0xffff, 0x3, 0 },		/* ioctl on devices */
	{ 6, 0xffff, 0x3, 0x3 }		/* abstract sockets, signals */
};

struct lock_ruleset {
	uint64_t	 fs;
	uint64_t	 net;
	uint64_t	 scoped;
};

struct lock_path {
	uint64_t	 access;
	int32_t		 fd;
} __attribute__((__packed__));

#define LOCK_GETSOCKOPT(opt)						\
	{ .nr = SYS_getsockopt, .nconds = 2, .conds = {			\
	    BPF_COND_EQ(1, SOL_SOCKET), BPF_COND_EQ(2, (opt)) } }
/* In the last argument: the inode is that of a descriptor. */
#define LOCK_BY_FD(call, arg)						\
	LOCKDOWN_ALLOW_IF(call, BPF_COND_EQ(arg, AT_EMPTY_PATH))

/* The first LOCK_NSETUP entries are for set-up only. */
#define LOCK_NSETUP	4

static const struct lockdown_rule	 lock_rules[] = {
	/* enter the Landlock domain */
	LOCKDOWN_ALLOW(SYS_landlock_create_ruleset),
	LOCKDOWN_ALLOW(SYS_landlock_add_rule),
	LOCKDOWN_ALLOW(SYS_landlock_restrict_self),
	/* install the list of the next stage */
	LOCKDOWN_ALLOW(SYS_seccomp),

	/*
	 * look an inode up beneath a grant; how it is opened is in memory,
	 * where no filter sees it: Landlock refuses all but O_PATH
	 */
	LOCKDOWN_ALLOW(SYS_openat2),
	/* where a descriptor's inode is, in /proc/self/fd */
	LOCKDOWN_ALLOW(SYS_readlinkat),
	/* which inode it is */
	LOCKDOWN_ALLOW(SYS_statx),
	/* a grant that is the inode itself */
	LOCKDOWN_ALLOW_IF(SYS_fcntl, BPF_COND_EQ(1, F_DUPFD_CLOEXEC)),

	/* mode */
	LOCK_BY_FD(SYS_fchmodat2, 3),
	/* mode before Linux 6.6, and of a directory that rmtree cannot open */
	LOCKDOWN_ALLOW(SYS_fchmodat),
	/* owner */
	LOCK_BY_FD(SYS_fchownat, 4),
	/* times */
	LOCK_BY_FD(SYS_utimensat, 3),
	/* extended attributes, by /proc/self/fd */
	LOCKDOWN_ALLOW(SYS_setxattr),
	LOCKDOWN_ALLOW(SYS_removexattr),

	/* connect the workload's socket; no socket can be made here */
	LOCKDOWN_ALLOW(SYS_connect),
	/* not to wait in connect, should the workload clear O_NONBLOCK */
	LOCKDOWN_ALLOW_IF(SYS_setitimer, BPF_COND_EQ(0, ITIMER_REAL)),
	/* what kind of socket it is */
	LOCK_GETSOCKOPT(SO_DOMAIN),
	LOCK_GETSOCKOPT(SO_TYPE),
	/* how long a blocking connect waits */
	LOCK_GETSOCKOPT(SO_SNDTIMEO),

	/* rmtree: directories only, and not for writing */
	LOCKDOWN_ALLOW_IF(SYS_openat, BPF_COND_BITS(2, O_DIRECTORY |
	    O_ACCMODE | O_CREAT | O_TRUNC, O_DIRECTORY)),
	/* rmtree: its entries */
	LOCKDOWN_ALLOW(SYS_getdents64),
	/* rmtree: go on after a subdirectory */
	LOCKDOWN_ALLOW(SYS_lseek),
	/* rmtree: mode of a directory */
	LOCKDOWN_ALLOW(SYS_fchmod),
	/* rmtree: remove; Landlock grants it in the private directory only */
	LOCKDOWN_ALLOW(SYS_unlinkat)
};

static void
lock_nofile(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_cur >= LOCK_NOFILE)
		return;
	rl.rlim_cur = rl.rlim_max < LOCK_NOFILE ? rl.rlim_max : LOCK_NOFILE;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		worker_fail("setrlimit: %s", strerror(errno));
}

void
lock_setup(void)
{
	lock_nofile();
	if (lockdown_seccomp(lock_rules,
	    sizeof(lock_rules) / sizeof(lock_rules[0])) == -1)
		worker_fail("seccomp: %s", strerror(errno));
}

static int
lock_path_add(int ruleset, uint64_t access, int fd)
{
	struct lock_path	 path;

	path.access = access;
	path.fd = fd;
	return (syscall(SYS_landlock_add_rule, ruleset, LOCK_PATH_BENEATH,
	    &path, 0));
}

/*
 * Removing the private directory itself takes a right on the directory above
 * it, which then holds below that too: empty directories there are all that
 * it can cost.
 */
static int
lock_landlock(void)
{
	struct lock_ruleset	 attr;
	long			 abi;
	size_t			 i;
	int			 fd, parent, ret = -1, ruleset;

	if ((abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LOCK_VERSION)) == -1)
		return (-1);
	memset(&attr, 0, sizeof(attr));
	for (i = 0; i < sizeof(lock_abis) / sizeof(lock_abis[0]); i++)
		if (lock_abis[i].abi <= abi) {
			attr.fs = lock_abis[i].fs;
			attr.net = lock_abis[i].net;
			attr.scoped = lock_abis[i].scoped;
		}
	/* A kernel that knows less takes what it does not know as 0. */
	if ((ruleset = syscall(SYS_landlock_create_ruleset, &attr,
	    sizeof(attr), 0)) == -1)
		return (-1);
	if (private_get(&fd, &parent) &&
	    (lock_path_add(ruleset, LOCK_READ_DIR | LOCK_REMOVE_DIR |
	    LOCK_REMOVE_FILE, fd) == -1 ||
	    lock_path_add(ruleset, LOCK_REMOVE_DIR, parent) == -1))
		goto done;
	ret = syscall(SYS_landlock_restrict_self, ruleset, 0);
 done:
	close(ruleset);
	return (ret);
}

void
lock_run(void)
{
	if (lock_landlock() == -1)
		worker_fail("landlock: %s", strerror(errno));
	if (lockdown_seccomp(lock_rules + LOCK_NSETUP,
	    sizeof(lock_rules) / sizeof(lock_rules[0]) - LOCK_NSETUP) == -1)
		worker_fail("seccomp: %s", strerror(errno));
}
