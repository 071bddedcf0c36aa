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
 * What the supervisor may still do once the workload is forked.  Every entry
 * has its reason; anything else kills the process and so ends the run.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lockdown.h"
#include "log.h"
#include "supervisor.h"

#define ONLY(a, m, v)	BPF_COND_BITS(a, m, v)
#define ALL		0xffffffffU

/*
 * Anything that could change a file: refused by value of the flags.  O_APPEND
 * by itself cannot, and callers may ask for it.
 */
#define OPEN_WRITES	(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | \
			(O_TMPFILE & ~O_DIRECTORY))

static const struct lockdown_rule	 lock_rules[] = {
	/* the listener: receive, answer, check, set up; the hot ones first */
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_RECV) } },
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_SEND) } },
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_ID_VALID) } },
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_SET_FLAGS) } },
	/* arguments of calls; the domain admits the workload only */
	LOCKDOWN_ALLOW(SYS_process_vm_readv),
	/* descriptors of calls; likewise */
	LOCKDOWN_ALLOW(SYS_pidfd_open),
	LOCKDOWN_ALLOW(SYS_pidfd_getfd),
	/* names, and /proc: for reading only */
	{ SYS_openat, 1, { ONLY(2, OPEN_WRITES, 0) } },
	/* what was opened: a link, a directory, a file system */
	LOCKDOWN_ALLOW(SYS_readlink),
	LOCKDOWN_ALLOW(SYS_readlinkat),
	LOCKDOWN_ALLOW(SYS_newfstatat),
	LOCKDOWN_ALLOW(SYS_fstat),
	LOCKDOWN_ALLOW(SYS_fstatfs),
	LOCKDOWN_ALLOW(SYS_getdents64),
	/* a socket's kind, before it goes to who may use it */
	LOCKDOWN_ALLOW(SYS_getsockopt),
	/* how long its last close waits, which is none of who has it then */
	{ SYS_setsockopt, 2, { ONLY(1, ALL, SOL_SOCKET),
	    ONLY(2, ALL, SO_LINGER) } },
	/* the tree: reap it, signal it; the domain scopes signals */
	LOCKDOWN_ALLOW(SYS_wait4),
	LOCKDOWN_ALLOW(SYS_kill)
};

/* abstract unix sockets of the workload's own domain, and ends of pairs */
static const struct lockdown_rule	 lock_unix[] = {
	LOCKDOWN_ALLOW(SYS_connect),
	/* the alarm that bounds it */
	LOCKDOWN_ALLOW_IF(SYS_setitimer, BPF_COND_EQ(0, ITIMER_REAL))
};

/* binds: unix sockets are bound here, TCP ports by nobody in the domain */
static const struct lockdown_rule	 lock_bind[] = {
	LOCKDOWN_ALLOW(SYS_bind),
	/* from where the workload stands, with its mask */
	LOCKDOWN_ALLOW(SYS_fchdir),
	LOCKDOWN_ALLOW(SYS_umask)
};

/* --port-remap: what tells ports */
static const struct lockdown_rule	 lock_remap[] = {
	LOCKDOWN_ALLOW(SYS_getsockname),
	LOCKDOWN_ALLOW(SYS_getpeername),
	/* connections and datagrams that come from the workload itself */
	LOCKDOWN_ALLOW(SYS_accept4),
	/* the alarm that bounds it */
	LOCKDOWN_ALLOW_IF(SYS_setitimer, BPF_COND_EQ(0, ITIMER_REAL)),
	/* results of calls; the domain admits the workload only */
	LOCKDOWN_ALLOW(SYS_process_vm_writev),
	/* what was accepted for the caller, or is shown to it */
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_ADDFD) } }
};

/* sends, on duplicates of the workload's sockets */
static const struct lockdown_rule	 lock_send[] = {
	/* the socket, for netd; the inode of a name, for cowd */
	LOCKDOWN_ALLOW_IF(SYS_fcntl, BPF_COND_EQ(1, F_DUPFD_CLOEXEC)),
	/* how much of each message; the domain admits the workload only */
	LOCKDOWN_ALLOW(SYS_process_vm_writev),
	/* a stream that nobody reads any more; the domain scopes signals */
	{ SYS_tgkill, 1, { ONLY(2, ALL, SIGPIPE) } }
};

/* -c: stop threads and let them go; no memory, no registers */
static const struct lockdown_rule	 lock_throttle[] = {
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_SEIZE) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_INTERRUPT) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_DETACH) } },
	/* the alarm that keeps an exec from holding that up */
	LOCKDOWN_ALLOW_IF(SYS_setitimer, BPF_COND_EQ(0, ITIMER_REAL))
};

/* a working directory that is merged; names are looked up in both trees */
static const struct lockdown_rule	 lock_view[] = {
	/*
	 * beneath a directory, without links; how it is opened is in memory,
	 * where no filter sees it: the domain grants what the workload has
	 */
	LOCKDOWN_ALLOW(SYS_openat2),
	/* descriptors of the trees; what a directory's name is */
	LOCKDOWN_ALLOW_IF(SYS_fcntl, BPF_COND_EQ(1, F_DUPFD_CLOEXEC)),
	/* what a name is, and what the caller may do with it */
	LOCKDOWN_ALLOW(SYS_statx),
	LOCKDOWN_ALLOW(SYS_faccessat2),
	LOCKDOWN_ALLOW(SYS_getxattr),
	LOCKDOWN_ALLOW(SYS_fgetxattr),
	LOCKDOWN_ALLOW(SYS_listxattr),
	LOCKDOWN_ALLOW(SYS_geteuid),
	LOCKDOWN_ALLOW(SYS_getegid),
	LOCKDOWN_ALLOW(SYS_getgroups),
	LOCKDOWN_ALLOW(SYS_capget),
	/* how much memory there is: qsort(3) of a long listing asks */
	LOCKDOWN_ALLOW(SYS_sysinfo),
	/* where a listing stands */
	LOCKDOWN_ALLOW(SYS_lseek),
	/* results of calls; the domain admits the workload only */
	LOCKDOWN_ALLOW(SYS_process_vm_writev),
	/* what was opened for the caller, and whether it has room for that */
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_ADDFD) } },
	{ SYS_prlimit64, 2, { ONLY(1, ALL, RLIMIT_NOFILE),
	    BPF_COND_NULL(2) } },
	/* another name in place of the caller's: stop, set, let go */
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_SEIZE) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_INTERRUPT) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_GETREGS) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_SETREGS) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_GETSIGMASK) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_SETSIGMASK) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_CONT) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_LISTEN) } },
	{ SYS_ptrace, 1, { ONLY(0, ALL, PTRACE_DETACH) } },
	/* the alarm that bounds that */
	LOCKDOWN_ALLOW_IF(SYS_setitimer, BPF_COND_EQ(0, ITIMER_REAL))
};

/* names around holes, besides */
static const struct lockdown_rule	 lock_holes[] = {
	/* a watch, in the caller's own queue */
	LOCKDOWN_ALLOW(SYS_inotify_add_watch)
};

/* virtual files: opens of all names come here */
static const struct lockdown_rule	 lock_virtual[] = {
	/* what a name leads to, as O_PATH: that takes no right */
	LOCKDOWN_ALLOW(SYS_openat2),
	/* new content from netd does not change */
	LOCKDOWN_ALLOW_IF(SYS_fcntl, BPF_COND_EQ(1, F_GET_SEALS)),
	/* what was opened for the caller */
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_ADDFD) } }
};

/* route netlink sockets, and ioctls that ask for interfaces */
static const struct lockdown_rule	 lock_netlink[] = {
	/* one, for the caller */
	{ SYS_ioctl, 1, { ONLY(1, ALL, SECCOMP_IOCTL_NOTIF_ADDFD) } },
	/* answers; the domain admits the workload only */
	LOCKDOWN_ALLOW(SYS_process_vm_writev)
};

/* and where opens come here, what is in /proc/net */
static const struct lockdown_rule	 lock_procnet[] = {
	/* content, and that it does not change */
	LOCKDOWN_ALLOW(SYS_memfd_create),
	LOCKDOWN_ALLOW_IF(SYS_fcntl, BPF_COND_EQ(1, F_ADD_SEALS))
};

/* which are served here without netd */
static const struct lockdown_rule	 lock_route[] = {
	/* a pair of unix sockets, */
	LOCKDOWN_ALLOW_IF(SYS_socketpair, BPF_COND_EQ(0, AF_UNIX)),
	/* the name of one, as long as a sockaddr_nl; no file */
	LOCKDOWN_ALLOW_IF(SYS_bind, BPF_COND_EQ(2, 12))
};

/* --max-disk: files are written here, by descriptors of the workload's */
static const struct lockdown_rule	 lock_quota[] = {
	/* where to write, and how that was opened */
	LOCKDOWN_ALLOW(SYS_lseek),
	LOCKDOWN_ALLOW(SYS_statx),
	{ SYS_fcntl, 1, { ONLY(1, ALL, F_GETFL) } },
	/* data, by its place; the calls that have none are not among them */
	LOCKDOWN_ALLOW(SYS_pwritev2),
	LOCKDOWN_ALLOW(SYS_pread64),
	LOCKDOWN_ALLOW(SYS_ftruncate),
	LOCKDOWN_ALLOW(SYS_fallocate),
	/* by name: what the domain grants, and a file that nobody has open */
	LOCKDOWN_ALLOW(SYS_truncate),
	/* for cowd, to be emptied */
	LOCKDOWN_ALLOW_IF(SYS_fcntl, BPF_COND_EQ(1, F_DUPFD_CLOEXEC)),
	/* that nobody has */
	{ SYS_fcntl, 1, { ONLY(1, ALL, F_SETLEASE) } },
	/* where a copy has got to; the domain admits the workload only */
	LOCKDOWN_ALLOW(SYS_process_vm_writev)
};

/* and the kernel merges: what would happen unseen happens here */
static const struct lockdown_rule	 lock_mounted[] = {
	/* names in the branch, as O_PATH: the domain grants nothing there */
	LOCKDOWN_ALLOW(SYS_openat2),
	/* a file for writing, which copies it up; none is made or emptied */
	{ SYS_openat, 1, { ONLY(2, OPEN_WRITES, O_WRONLY) } },
	/* names go one after the other */
	LOCKDOWN_ALLOW(SYS_unlinkat),
	LOCKDOWN_ALLOW(SYS_renameat),
	LOCKDOWN_ALLOW(SYS_renameat2),
	LOCKDOWN_ALLOW(SYS_linkat)
};

/* the processor that it waits on: its own affinity only */
static const struct lockdown_rule	 lock_near[] = {
	LOCKDOWN_ALLOW(SYS_getcpu),
	LOCKDOWN_ALLOW_IF(SYS_sched_getaffinity, BPF_COND_EQ(0, 0)),
	LOCKDOWN_ALLOW_IF(SYS_sched_setaffinity, BPF_COND_EQ(0, 0))
};

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

/* One filter for what this policy needs: each more costs start-up time. */
void
lock_run(void)
{
	struct lockdown_rule	 rules[nitems(lock_rules) +
				    nitems(lock_unix) + nitems(lock_bind) +
				    nitems(lock_remap) + nitems(lock_send) +
				    nitems(lock_throttle) +
				    nitems(lock_view) + nitems(lock_holes) +
				    nitems(lock_virtual) +
				    nitems(lock_netlink) +
				    nitems(lock_route) +
				    nitems(lock_procnet) +
				    nitems(lock_quota) +
				    nitems(lock_mounted) +
				    nitems(lock_near)];
	size_t			 n = nitems(lock_rules);

	memcpy(rules, lock_rules, sizeof(lock_rules));
	if (sup.conf.filter.connect == FILTER_NOTIFY) {
		memcpy(rules + n, lock_unix, sizeof(lock_unix));
		n += nitems(lock_unix);
	}
	if (sup.conf.filter.bind) {
		memcpy(rules + n, lock_bind, sizeof(lock_bind));
		n += nitems(lock_bind);
	}
	if (sup.conf.filter.remap) {
		memcpy(rules + n, lock_remap, sizeof(lock_remap));
		n += nitems(lock_remap);
	}
	if (sup.conf.filter.send) {
		memcpy(rules + n, lock_send, sizeof(lock_send));
		n += nitems(lock_send);
	}
	if (sup.conf.cpu_percent != 0) {
		memcpy(rules + n, lock_throttle, sizeof(lock_throttle));
		n += nitems(lock_throttle);
	}
	if (sup.conf.filter.view || sup.conf.filter.holes != HOLES_NONE) {
		memcpy(rules + n, lock_view, sizeof(lock_view));
		n += nitems(lock_view);
	}
	if (sup.conf.filter.holes == HOLES_READ) {
		memcpy(rules + n, lock_holes, sizeof(lock_holes));
		n += nitems(lock_holes);
	}
	if (virtual_active()) {
		memcpy(rules + n, lock_virtual, sizeof(lock_virtual));
		n += nitems(lock_virtual);
	}
	if (sup.conf.filter.netlink) {
		memcpy(rules + n, lock_netlink, sizeof(lock_netlink));
		n += nitems(lock_netlink);
	}
	if (procnet_active()) {
		memcpy(rules + n, lock_procnet, sizeof(lock_procnet));
		n += nitems(lock_procnet);
	}
	if (sup.conf.filter.netlink && !sup.have_netd) {
		memcpy(rules + n, lock_route, sizeof(lock_route));
		n += nitems(lock_route);
	}
	if (sup.conf.filter.quota) {
		memcpy(rules + n, lock_quota, sizeof(lock_quota));
		n += nitems(lock_quota);
	}
	if (mounted_active()) {
		memcpy(rules + n, lock_mounted, sizeof(lock_mounted));
		n += nitems(lock_mounted);
	}
	if (near_active()) {
		memcpy(rules + n, lock_near, sizeof(lock_near));
		n += nitems(lock_near);
	}
	if (lockdown_seccomp(rules, n) == -1)
		fatal("lockdown");
}
