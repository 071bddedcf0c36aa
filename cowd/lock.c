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
 * obeys somebody else reads, writes, makes and runs no file, and with a branch
 * none outside of it and its working directory.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <linux/fs.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "branchfs.h"
#include "cowd.h"
#include "landlock.h"
#include "lockdown.h"
#include "log.h"
#include "worker.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

/* Two descriptors for each parked connect, and the grants. */
#define LOCK_NOFILE	4096

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

/*
 * A branch on its way into the working directory, and files around holes.
 * Landlock admits these trees and nothing else; names are looked up below
 * descriptors of theirs.
 */
static const struct lockdown_rule	 lock_branch[] = {
	/* content, directories, the journal; files of a staged commit */
	LOCKDOWN_ALLOW(SYS_openat),
	LOCKDOWN_ALLOW(SYS_pread64),
	LOCKDOWN_ALLOW(SYS_pwrite64),
	/* a copy, by the file system where it can */
	LOCKDOWN_ALLOW_IF(SYS_ioctl, BPF_COND_EQ(1, FICLONE)),
	LOCKDOWN_ALLOW(SYS_copy_file_range),
	LOCKDOWN_ALLOW(SYS_ftruncate),
	LOCKDOWN_ALLOW(SYS_fallocate),
	LOCK_BY_FD(SYS_newfstatat, 3),
	/* steps, and the journal */
	LOCKDOWN_ALLOW(SYS_renameat),
	LOCKDOWN_ALLOW(SYS_renameat2),
	LOCKDOWN_ALLOW(SYS_linkat),
	LOCKDOWN_ALLOW(SYS_symlinkat),
	LOCKDOWN_ALLOW(SYS_mkdirat),
	LOCKDOWN_ALLOW_IF(SYS_mknodat, BPF_COND_BITS(2, S_IFMT, S_IFIFO)),
	LOCKDOWN_ALLOW_IF(SYS_mknodat, BPF_COND_BITS(2, S_IFMT, S_IFSOCK)),
	/* the merged view: a whiteout, which is device 0:0 */
	{ .nr = SYS_mknodat, .nconds = 2, .conds = {
	    BPF_COND_BITS(2, S_IFMT, S_IFCHR), BPF_COND_EQ(3, 0) } },
	/* the merged view: what the caller may, by the kernel's judgement */
	LOCKDOWN_ALLOW(SYS_faccessat2),
	LOCKDOWN_ALLOW(SYS_getegid),
	LOCKDOWN_ALLOW(SYS_getgroups),
	LOCKDOWN_ALLOW(SYS_capget),
	/* the merged view: modes of new things are the caller's */
	LOCKDOWN_ALLOW(SYS_umask),
	/* the merged view: give the workload's socket its name */
	LOCKDOWN_ALLOW(SYS_bind),
	/* the merged view: size of a file, by /proc/self/fd */
	LOCKDOWN_ALLOW(SYS_truncate),
	/* with a quota: has nobody a file open that lost its last name */
	LOCKDOWN_ALLOW_IF(SYS_fcntl, BPF_COND_EQ(1, F_SETLEASE)),
	/* attributes, of links too */
	LOCKDOWN_ALLOW(SYS_getxattr),
	LOCKDOWN_ALLOW(SYS_fgetxattr),
	LOCKDOWN_ALLOW(SYS_lgetxattr),
	LOCKDOWN_ALLOW(SYS_listxattr),
	LOCKDOWN_ALLOW(SYS_llistxattr),
	LOCKDOWN_ALLOW(SYS_lsetxattr),
	LOCKDOWN_ALLOW(SYS_lremovexattr),
	/* whose files these are */
	LOCKDOWN_ALLOW(SYS_geteuid),
	/* qsort(3): how much memory there is */
	LOCKDOWN_ALLOW(SYS_sysinfo),
	/* durable, and by one commit at a time, which waits for another */
	LOCKDOWN_ALLOW(SYS_fsync),
	LOCKDOWN_ALLOW(SYS_syncfs),
	LOCKDOWN_ALLOW(SYS_flock),
	LOCKDOWN_ALLOW(SYS_clock_nanosleep)
};

/* The merged view: what was opened becomes the caller's, as its result. */
static const struct lockdown_rule	 lock_view = {
	SYS_ioctl, 1, { BPF_COND_EQ(1, SECCOMP_IOCTL_NOTIF_ADDFD) }
};

/* The keeper of a branchfs branch, until it has that. */
static const struct lockdown_rule	 lock_keeper[] = {
	/* enter the Landlock domain and the next stage */
	LOCKDOWN_ALLOW(SYS_landlock_create_ruleset),
	LOCKDOWN_ALLOW(SYS_landlock_add_rule),
	LOCKDOWN_ALLOW(SYS_landlock_restrict_self),
	LOCKDOWN_ALLOW(SYS_seccomp),
	/* control files and the branch, beneath the working directory */
	LOCKDOWN_ALLOW(SYS_openat2),
	/* a control file again, for its ioctls; the record */
	LOCKDOWN_ALLOW_IF(SYS_openat, BPF_COND_NONE(2, O_CREAT | O_TRUNC)),
	/* what is a file of a file system in user space */
	LOCKDOWN_ALLOW(SYS_fstatfs),
	/* the branch is made */
	LOCKDOWN_ALLOW_IF(SYS_ioctl, BPF_COND_EQ(1, BRANCHFS_CREATE)),
#define LOCK_NKEEPER	8

	/* the branch is ended, and its record removed */
	LOCKDOWN_ALLOW_IF(SYS_ioctl, BPF_COND_EQ(1, BRANCHFS_COMMIT)),
	LOCKDOWN_ALLOW_IF(SYS_ioctl, BPF_COND_EQ(1, BRANCHFS_ABORT)),
	/* rmtree, as above */
	LOCKDOWN_ALLOW_IF(SYS_openat, BPF_COND_BITS(2, O_DIRECTORY |
	    O_ACCMODE | O_CREAT | O_TRUNC, O_DIRECTORY)),
	LOCKDOWN_ALLOW(SYS_getdents64),
	LOCKDOWN_ALLOW(SYS_lseek),
	LOCKDOWN_ALLOW(SYS_statx),
	LOCKDOWN_ALLOW(SYS_newfstatat),
	LOCKDOWN_ALLOW(SYS_fchmod),
	LOCKDOWN_ALLOW(SYS_fchmodat),
	LOCKDOWN_ALLOW(SYS_unlinkat)
};

static int	 lock_files;	/* lock_branch applies */

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

/* Install the list from an entry on, with these or without. */
static void
lock_install(size_t from, int with_branch, int with_view)
{
	struct lockdown_rule	 rules[nitems(lock_rules) +
				    nitems(lock_branch) + 1];
	size_t			 n = nitems(lock_rules) - from;

	memcpy(rules, lock_rules + from, n * sizeof(rules[0]));
	if (with_branch) {
		memcpy(rules + n, lock_branch, sizeof(lock_branch));
		n += nitems(lock_branch);
	}
	if (with_view)
		rules[n++] = lock_view;
	if (lockdown_seccomp(rules, n) == -1)
		worker_fail("seccomp: %s", strerror(errno));
}

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
lock_setup(int with_files)
{
	lock_files = with_files;
	lock_nofile();
	lock_install(0, lock_files, lock_files);
}

/*
 * Removing the private directory itself takes a right on the directory above
 * it, which then holds below that too: empty directories there are all that
 * it can cost.
 */
static int
lock_landlock(void)
{
	struct landlock_self	 self;
	int			 dir = -1, parent = -1;

	memset(&self, 0, sizeof(self));
	self.abi = landlock_abi();
	self.scope = 1;
	private_get(&dir, &parent);
	landlock_grant(&self, dir, LANDLOCK_REMOVE);
	landlock_grant(&self, parent, LANDLOCK_RMDIR);
	order_grant(&self);
	rights_grant(&self);
	return (landlock_self(&self));
}

void
lock_run(int with_view)
{
	if (lock_landlock() == -1)
		worker_fail("landlock: %s", strerror(errno));
	if (order_configured() && !lock_files)
		fatalx("a branch out of place");
	lock_install(LOCK_NSETUP, lock_files, with_view);
}

void
lock_keeper_setup(void)
{
	if (lockdown_seccomp(lock_keeper, nitems(lock_keeper)) == -1)
		worker_fail("seccomp: %s", strerror(errno));
}

/* Nothing is opened any more but what is to be removed. */
void
lock_keeper_run(int storage, int dir)
{
	struct landlock_self	 self;

	memset(&self, 0, sizeof(self));
	self.abi = landlock_abi();
	self.scope = 1;
	landlock_grant(&self, dir, LANDLOCK_REMOVE);
	landlock_grant(&self, storage, LANDLOCK_RMDIR);
	if (landlock_self(&self) == -1)
		worker_fail("landlock: %s", strerror(errno));
	if (lockdown_seccomp(lock_keeper + LOCK_NKEEPER,
	    nitems(lock_keeper) - LOCK_NKEEPER) == -1)
		worker_fail("seccomp: %s", strerror(errno));
}
