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
 * The workload's filter as data: what is denied whole, what is denied for
 * some arguments, what a policy may lift, what is notified.  filter_build()
 * turns the tables and the policy's wishes into clauses for the compiler in
 * bpf.c.  It judges numbers and registers only; whatever a pointer leads to
 * is the business of Landlock and of the supervisor.
 *
 * Ordinary calls have no clause at all, so that the kernel never runs the
 * program for them.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "bpf.h"
#include "branchfs.h"
#include "filter.h"
#include "syscalls.h"

#define NELEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* What this libc's headers may not know, or only headers that clash with it. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME		0x00000080
#endif
#ifndef F_SETDELEG
#define F_SETDELEG		1040
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN		0x20000000
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV	(1UL << 5)
#endif
#define TCP_ULP			31
#define IPV6_ADDRFORM		1
#define IPV6_2292PKTOPTIONS	6
#define IPV6_RTHDR		57
#define IP_OPTIONS		4
#define IOPRIO_WHO_PROCESS	1

/* CLONE_NEWTIME is a signal number to clone(2), a name space to unshare(2). */
#define CLONE_NEW	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |	\
			CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |	\
			CLONE_NEWNET)

/* Reading and writing neither: a fourth access mode that open(2) accepts. */
#define ACCESS_NEITHER	3

#define SOCK_MODIFIERS	(SOCK_NONBLOCK | SOCK_CLOEXEC)

#define ALLOW		SECCOMP_RET_ALLOW
#define NOTIFY		SECCOMP_RET_USER_NOTIF
#define ERRNO(e)	(SECCOMP_RET_ERRNO | (e))

/*
 * Calls denied as a whole, by group, and whether a policy may lift the group.
 * Liftable is what gives no power over anything outside: either it is asked
 * for by name because the workload is to share it with the host, or Landlock
 * keeps it inside, or it concerns the caller alone.
 */
static const struct {
	const char	*name;
	int		 liftable;
} denied_groups[] = {
	{ "@sysv_ipc", 1 },		/* shared with the host, by wish */
	{ "@posix_mq", 1 },		/* likewise */
	{ "@cpu_emulation", 1 },	/* the caller's own segments, stack */
	{ "@pages", 1 },		/* of others: stopped by Landlock */
	{ "@mount", 0 },
	{ "@namespace", 0 },
	{ "@debug", 0 },
	{ "@keyring", 0 },
	{ "@module", 0 },
	{ "@reboot", 0 },
	{ "@swap", 0 },
	{ "@clock", 0 },
	{ "@raw_io", 0 },
	{ "@admin", 0 },
	{ "@handle", 0 },
	{ "@notify", 0 },
	{ "@file_attr", 0 },
	{ "@io_uring", 0 },
	{ "@obsolete", 0 }
};

/* Of the other groups, what may be lifted call by call. */
static const int liftable[] = {
	SYS_kcmp,		/* these three: stopped by Landlock's check */
	SYS_process_vm_readv,	/* of tracing for any process outside */
	SYS_process_vm_writev,
	SYS_name_to_handle_at	/* a handle cannot be opened again */
};

/*
 * What the allow list contains.  @setuid, because posix_spawn(3) as make(1)
 * uses it becomes what it is already; without capabilities that is all it
 * can do.
 */
static const char *const allowed_groups[] = {
	"@basic_io", "@event", "@file_system", "@metadata", "@disk_sync",
	"@memory", "@process", "@credentials", "@setuid", "@signal", "@sync",
	"@timer", "@sched", "@resources", "@system", "@network_io"
};

/*
 * Calls whose arguments are in memory, where no filter can look, and which
 * libc and programs replace by older ones when the kernel has them not.
 * clone3 could make name spaces; openat2 could open with ACCESS_NEITHER.
 */
static const int missing[] = {
	SYS_clone3,
	SYS_openat2
};

/*
 * Rules about arguments, first match first.  A rule that answers 0 or allows
 * is no denial.
 */
struct rule {
	uint16_t		 nr;
	uint8_t			 nconds;
	uint32_t		 action;
	struct bpf_cond		 conds[BPF_MAXCONDS];
};

#define RULE0(call, action)						\
	{ SYS_ ## call, 0, (action), { BPF_COND_NULL(0) } }
#define RULE1(call, action, c1)						\
	{ SYS_ ## call, 1, (action), { c1 } }
#define RULE2(call, action, c1, c2)					\
	{ SYS_ ## call, 2, (action), { c1, c2 } }
#define RULE3(call, action, c1, c2, c3)					\
	{ SYS_ ## call, 3, (action), { c1, c2, c3 } }

#define EQ		BPF_COND_EQ
#define NE		BPF_COND_NE
#define BITS		BPF_COND_BITS
#define ANY		BPF_COND_ANY
#define NULLPTR		BPF_COND_NULL

static const struct rule rules[] = {
	/* Landlock asks for no right when neither reading nor writing. */
	RULE1(open, ERRNO(EACCES), BITS(1, O_ACCMODE, ACCESS_NEITHER)),
	RULE1(openat, ERRNO(EACCES), BITS(2, O_ACCMODE, ACCESS_NEITHER)),

	/* A lease on a file that may be read stalls whoever opens it. */
	RULE1(fcntl, ERRNO(EPERM), EQ(1, F_SETLEASE)),
	RULE1(fcntl, ERRNO(EPERM), EQ(1, F_SETDELEG)),

	/* The whiteout is made without the right to make devices. */
	RULE1(renameat2, ERRNO(EPERM), BITS(4, RENAME_WHITEOUT,
	    RENAME_WHITEOUT)),

	/* Devices, which root could make. */
	RULE1(mknod, ERRNO(EPERM), BITS(1, S_IFMT, S_IFCHR)),
	RULE1(mknod, ERRNO(EPERM), BITS(1, S_IFMT, S_IFBLK)),
	RULE1(mknodat, ERRNO(EPERM), BITS(2, S_IFMT, S_IFCHR)),
	RULE1(mknodat, ERRNO(EPERM), BITS(2, S_IFMT, S_IFBLK)),

	/* Name spaces come with capabilities. */
	RULE1(clone, ERRNO(EPERM), ANY(0, CLONE_NEW)),
	RULE1(unshare, ERRNO(EPERM), ANY(0, CLONE_NEW | CLONE_NEWTIME)),

	/* Querying the personality and the plain one. */
	RULE1(personality, ALLOW, EQ(0, 0xffffffff)),
	RULE1(personality, ALLOW, EQ(0, PER_LINUX)),
	RULE0(personality, ERRNO(EPERM)),

	/*
	 * A process that cannot be read would blind the supervisor; programs
	 * such as ssh-agent give up when the call fails, so it only seems to
	 * work.  What PR_SET_DUMPABLE 0 is for, Landlock does here.
	 */
	RULE2(prctl, ERRNO(0), EQ(0, PR_SET_DUMPABLE), EQ(1, 0)),
	/* A false /proc/PID/exe; a tracer from elsewhere. */
	RULE1(prctl, ERRNO(EPERM), EQ(0, PR_SET_MM)),
	RULE1(prctl, ERRNO(EPERM), EQ(0, PR_SET_PTRACER)),

	/* A listener of its own would be asked before ours. */
	RULE1(seccomp, ERRNO(EPERM), BITS(1,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER)),

	/*
	 * Landlock does not protect other processes of the user here, and no
	 * register tells whose thread a number is: only 0, the caller.
	 */
	RULE2(setpriority, ALLOW, EQ(0, PRIO_PROCESS), EQ(1, 0)),
	RULE0(setpriority, ERRNO(EPERM)),
	RULE2(ioprio_set, ALLOW, EQ(0, IOPRIO_WHO_PROCESS), EQ(1, 0)),
	RULE0(ioprio_set, ERRNO(EPERM)),
	RULE1(sched_setparam, ERRNO(EPERM), NE(0, 0)),
	RULE1(sched_setscheduler, ERRNO(EPERM), NE(0, 0)),
	RULE1(sched_setattr, ERRNO(EPERM), NE(0, 0)),
	RULE1(sched_setaffinity, ERRNO(EPERM), NE(0, 0)),
	/* Limits of others may be read: no new one given. */
	RULE1(prlimit64, ALLOW, EQ(0, 0)),
	RULE1(prlimit64, ALLOW, NULLPTR(2)),
	RULE0(prlimit64, ERRNO(EPERM)),

	/*
	 * A datagram socket can be sent from to any other socket that has a
	 * path, pair or not; of the other two kinds none can.
	 */
	RULE2(socketpair, ALLOW, EQ(0, AF_UNIX), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_STREAM)),
	RULE2(socketpair, ALLOW, EQ(0, AF_UNIX), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_SEQPACKET)),
	RULE0(socketpair, ERRNO(EACCES)),

	/* Connects without connect(2), past Landlock. */
	RULE1(sendto, ERRNO(EPERM), BITS(3, MSG_FASTOPEN, MSG_FASTOPEN)),
	RULE1(sendmsg, ERRNO(EPERM), BITS(2, MSG_FASTOPEN, MSG_FASTOPEN)),
	RULE1(sendmmsg, ERRNO(EPERM), BITS(3, MSG_FASTOPEN, MSG_FASTOPEN)),

	/*
	 * Turn a checked socket into one of another protocol: SMC for TCP,
	 * IPv4 for IPv6.  kTLS goes with the first; libraries do without.
	 */
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_TCP), EQ(2, TCP_ULP)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, IPV6_ADDRFORM)),

	/*
	 * A route of the workload's choosing: the first packet of a connect
	 * to an admitted address would go to any other host.
	 */
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IP), EQ(2, IP_OPTIONS)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6), EQ(2, IPV6_RTHDR)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, IPV6_2292PKTOPTIONS))
};

/* Sockets that a policy may grant; everything else is EACCES. */
static const struct rule unix_sockets[] = {
	RULE2(socket, ALLOW, EQ(0, AF_UNIX), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_STREAM)),
	RULE2(socket, ALLOW, EQ(0, AF_UNIX), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_SEQPACKET))
};

/* TCP and nothing that passes for it: MPTCP, SCTP, SMC have a protocol. */
static const struct rule inet_sockets[] = {
	RULE3(socket, ALLOW, EQ(0, AF_INET), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_STREAM), EQ(2, 0)),
	RULE3(socket, ALLOW, EQ(0, AF_INET), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_STREAM), EQ(2, IPPROTO_TCP)),
	RULE3(socket, ALLOW, EQ(0, AF_INET6), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_STREAM), EQ(2, 0)),
	RULE3(socket, ALLOW, EQ(0, AF_INET6), BITS(1,
	    (uint32_t)~SOCK_MODIFIERS, SOCK_STREAM), EQ(2, IPPROTO_TCP))
};

static const struct rule no_socket = RULE0(socket, ERRNO(EACCES));

/*
 * With a quota: what makes a file grow, or take blocks beyond its end, and is
 * no write.  Programs do without, as on a file system that lacks it.
 */
static const struct rule quota_rules[] = {
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0x40049409)),	/* FICLONE */
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0x4020940d)),	/* .._RANGE */
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0x40305828)),	/* RESVSP */
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0x4030582a)),	/* RESVSP64 */
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0x40305839)),	/* ZERO_RANGE */
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0x4030580a)),	/* ALLOCSP */
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0x40305824)),	/* ALLOCSP64 */
	RULE1(ioctl, ERRNO(EOPNOTSUPP), EQ(1, 0xc028660f)),	/* MOVE_EXT */
	/* Writes whose descriptors are in memory. */
	RULE0(io_setup, ERRNO(ENOSYS)),
	RULE0(io_submit, ERRNO(ENOSYS))
};

/*
 * Where workers take duplicates of the workload's descriptors.  Whoever waits
 * in a splice for a socket or a terminal holds the pipe all the while; to open
 * a FIFO and to close the last descriptor of a pipe then waits uninterruptibly,
 * and the last one may be a worker's.  Neither a socket nor a terminal has a
 * place to begin at, so that the calls which name one are harmless.  Programs
 * read and write instead, as where the kernel cannot splice.
 */
static const struct rule holder_rules[] = {
	RULE2(splice, ERRNO(EINVAL), NULLPTR(1), NULLPTR(3)),
	RULE1(sendfile, ERRNO(EINVAL), NULLPTR(2))
};

static const struct rule no_affinity =
    RULE0(sched_setaffinity, ERRNO(EPERM));

/*
 * ioctl commands.  Numbers, as the headers of terminals, sockets and file
 * systems cannot all be included at once.  Those of inode flags and the like
 * change a file through a descriptor that is open for reading only, which
 * Landlock does not see.
 */
static const struct {
	uint32_t	 mask;
	uint32_t	 value;
	uint32_t	 action;
} ioctls[] = {
	/* The terminal: input for the shell that started us, its modes. */
	{ 0xffffffff, 0x5412, ERRNO(EPERM) },	/* TIOCSTI */
	{ 0xffffffff, 0x541c, ERRNO(EPERM) },	/* TIOCLINUX: paste */
	{ 0xffffffff, 0x541d, ERRNO(EPERM) },	/* TIOCCONS */
	{ 0xffffffff, 0x5423, ERRNO(EPERM) },	/* TIOCSETD */
	{ 0xffffffff, 0x540c, ERRNO(EPERM) },	/* TIOCEXCL: outlives us */
	{ 0xffffffff, 0x5437, ERRNO(EPERM) },	/* TIOCVHANGUP */
	{ 0xffffffff, 0x5457, ERRNO(EPERM) },	/* TIOCSLCKTRMIOS */
	/* Signals a group of processes without asking anyone. */
	{ 0xffffffff, 0x40045436, ERRNO(EPERM) },	/* TIOCSIG */

	/* Branches of branchfs, through a control file that can be read. */
	{ 0xffffffff, BRANCHFS_CREATE, ERRNO(EPERM) },
	{ 0xffffffff, BRANCHFS_COMMIT, ERRNO(EPERM) },
	{ 0xffffffff, BRANCHFS_ABORT, ERRNO(EPERM) },

	/* Inode flags and generation, in both word sizes. */
	{ 0xffffffff, 0x40086602, ERRNO(EPERM) },	/* FS_IOC_SETFLAGS */
	{ 0xffffffff, 0x40046602, ERRNO(EPERM) },
	{ 0xffffffff, 0x401c5820, ERRNO(EPERM) },	/* FSSETXATTR */
	{ 0xffffffff, 0x40087602, ERRNO(EPERM) },	/* SETVERSION */
	{ 0xffffffff, 0x40047602, ERRNO(EPERM) },
	{ 0xffffffff, 0x40086604, ERRNO(EPERM) },	/* EXT4 SETVERSION */
	{ 0xffffffff, 0x40046604, ERRNO(EPERM) },
	{ 0xffffffff, 0x00006609, ERRNO(EPERM) },	/* EXT4 MIGRATE */
	{ 0xffffffff, 0x40047211, ERRNO(EPERM) },	/* FAT SET_ATTRIBUTES */
	/* Makes a file read-only for ever. */
	{ 0xffffffff, 0x40806685, ERRNO(EPERM) },	/* ENABLE_VERITY */
	/* Encrypts a directory; takes the key from other processes. */
	{ 0xffffffff, 0x800c6613, ERRNO(EPERM) },	/* SET_ENCRYPTION_ */
	{ 0xffffffff, 0xc0506617, ERRNO(EPERM) },	/* ADD_ENCRYPTION_ */
	{ 0xffffffff, 0xc0406618, ERRNO(EPERM) },	/* REMOVE_ENCRYPTION_ */
	{ 0xffffffff, 0xc0406619, ERRNO(EPERM) },	/* .._ALL_USERS */

	/*
	 * Btrfs makes, snapshots and removes subvolumes through a directory
	 * that can be read.  Shared with it are FICLONE, FICLONERANGE and
	 * FIDEDUPERANGE: the first two want a descriptor open for writing,
	 * the third changes no content.
	 */
	{ 0xffffffff, 0x40049409, ALLOW },
	{ 0xffffffff, 0x4020940d, ALLOW },
	{ 0xffffffff, 0xc0189436, ALLOW },
	{ 0xffffffff, 0x894b, ALLOW },		/* SIOCOUTQNSD */
	/* FIOSETOWN to SIOCGSTAMPNS: owner (see Landlock), mark, time. */
	{ 0xfffffff8, 0x8900, ALLOW },

	{ 0x0000ff00, 0x9400, ERRNO(EPERM) },	/* the rest of Btrfs */
	{ 0x0000ff00, 0xbc00, ERRNO(EPERM) },	/* bcachefs, likewise */
	{ 0x0000ff00, 0xf500, ERRNO(EPERM) },	/* F2FS: pins, releases */
	{ 0xffffff00, 0x8900, ERRNO(EPERM) },	/* network interfaces */
	{ 0xffffff00, 0x8b00, ERRNO(EPERM) },	/* wireless ones */
	{ 0xffffff00, 0x4b00, ERRNO(EPERM) },	/* console: keys, fonts */
	{ 0xffffff00, 0x5600, ERRNO(EPERM) }	/* virtual terminals */
};

/* The commands that are harmless but for one argument. */
static const struct rule ioctl_arguments[] = {
	/* Steal the terminal from another session. */
	RULE2(ioctl, ERRNO(EPERM), EQ(1, TIOCSCTTY), EQ(2, 1)),
	/* Stop all output, which lasts after our end. */
	RULE2(ioctl, ERRNO(EPERM), EQ(1, TCXONC), EQ(2, TCOOFF))
};

/* What a class of the table is refused with, if it is not EPERM. */
static const struct {
	enum syscall_class	 class;
	int			 error;
} class_errors[] = {
	{ CLASS_FORK, EAGAIN },
	{ CLASS_CONNECT, EACCES },
	{ CLASS_LISTEN, EACCES }
};

/* A call as a whole, before arguments are looked at. */
enum call {
	CALL_ALLOWED,
	CALL_DENIED,
	CALL_MISSING
};

/* What the functions below share while a filter is built. */
struct build {
	const struct filter_conf	*conf;
	struct bpf_filter		*bpf;
	uint8_t				 calls[SYSCALL_LAST + 1];
	int				 notifies;
};

static int	 call_denied(int, int *);
static void	 group_set(struct build *, const char *, enum call);
static void	 build_calls(struct build *);
static int	 build_changes(struct build *, const struct filter_change *,
		    size_t);
static uint32_t	 build_action(struct build *, uint32_t);
static int	 build_add(struct build *, int, uint32_t, size_t,
		    const struct bpf_cond *);
static int	 build_rules(struct build *, const struct rule *, size_t);
static int	 build_ioctls(struct build *);
static int	 holders(const struct filter_conf *);
static int	 hole_concerns(enum hole_level, enum syscall_class);
static int	 build_open(struct build *, const struct syscall_entry *);
static enum filter_verdict
		 class_verdict(const struct filter_conf *,
		    enum syscall_class);
static int	 build_entry(struct build *, const struct syscall_entry *);
static int	 build_clauses(struct build *);

/* Is the call denied as a whole?  Then tell whether that may be lifted. */
static int
call_denied(int nr, int *lift)
{
	const int	*group;
	size_t		 i, j, n;

	for (i = 0; i < NELEMS(denied_groups); i++) {
		group = syscall_group(denied_groups[i].name, &n);
		for (j = 0; j < n; j++)
			if (group[j] == nr)
				break;
		if (j < n)
			break;
	}
	if (i == NELEMS(denied_groups))
		return (0);
	*lift = denied_groups[i].liftable;
	for (i = 0; i < NELEMS(liftable); i++)
		if (liftable[i] == nr)
			*lift = 1;
	return (1);
}

int
syscall_liftable(int nr)
{
	size_t	 i;
	int	 lift;

	if (syscall_name(nr) == NULL)
		return (0);
	for (i = 0; i < NELEMS(missing); i++)
		if (missing[i] == nr)
			return (0);
	return (!call_denied(nr, &lift) || lift);
}

static void
group_set(struct build *b, const char *name, enum call call)
{
	const int	*group;
	size_t		 i, n;

	group = syscall_group(name, &n);
	for (i = 0; i < n; i++)
		b->calls[group[i]] = call;
}

static void
build_calls(struct build *b)
{
	size_t	 i;

	memset(b->calls, b->conf->allow_list ? CALL_DENIED : CALL_ALLOWED,
	    sizeof(b->calls));
	if (b->conf->allow_list)
		for (i = 0; i < NELEMS(allowed_groups); i++)
			group_set(b, allowed_groups[i], CALL_ALLOWED);
	for (i = 0; i < NELEMS(denied_groups); i++)
		group_set(b, denied_groups[i].name, CALL_DENIED);
	for (i = 0; i < NELEMS(missing); i++)
		b->calls[missing[i]] = CALL_MISSING;
}

/* A missing call stays missing: no other errno makes programs fall back. */
static int
build_changes(struct build *b, const struct filter_change *changes, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++) {
		if (syscall_name(changes[i].nr) == NULL ||
		    (changes[i].permit && !syscall_liftable(changes[i].nr))) {
			errno = EINVAL;
			return (-1);
		}
		if (b->calls[changes[i].nr] != CALL_MISSING)
			b->calls[changes[i].nr] = changes[i].permit ?
			    CALL_ALLOWED : CALL_DENIED;
	}
	return (0);
}

/* An error is a denial, and those may have to be shown to the supervisor. */
static uint32_t
build_action(struct build *b, uint32_t action)
{
	if (b->conf->log_denials && action != ERRNO(0) &&
	    (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		action = NOTIFY;
	if (action == NOTIFY)
		b->notifies = 1;
	return (action);
}

static int
build_add(struct build *b, int nr, uint32_t action, size_t nconds,
    const struct bpf_cond *conds)
{
	return (bpf_add(b->bpf, nr, build_action(b, action), nconds, conds));
}

/* Rules of calls that are denied anyway are left out. */
static int
build_rules(struct build *b, const struct rule *r, size_t n)
{
	for (; n > 0; r++, n--)
		if (b->calls[r->nr] == CALL_ALLOWED &&
		    build_add(b, r->nr, r->action, r->nconds, r->conds) == -1)
			return (-1);
	return (0);
}

static int
build_ioctls(struct build *b)
{
	struct bpf_cond	 cond = { 1, BPF_ARG_EQ, 0, 0 };
	size_t		 i;

	if (b->calls[SYS_ioctl] != CALL_ALLOWED)
		return (0);
	for (i = 0; i < NELEMS(ioctls); i++) {
		cond.mask = ioctls[i].mask;
		cond.value = ioctls[i].value;
		if (build_add(b, SYS_ioctl, ioctls[i].action, 1, &cond) == -1)
			return (-1);
	}
	return (build_rules(b, ioctl_arguments, NELEMS(ioctl_arguments)));
}

/* Whether a worker may hold what the workload has open. */
static int
holders(const struct filter_conf *conf)
{
	return (conf->meta == FILTER_NOTIFY || conf->connect == FILTER_NOTIFY ||
	    conf->listen == FILTER_NOTIFY || conf->view || conf->quota ||
	    conf->holes != HOLES_NONE);
}

/*
 * Whether names of a class matter around holes.  Landlock alone decides what
 * is executed and what a descriptor may be used for.
 */
static int
hole_concerns(enum hole_level level, enum syscall_class class)
{
	switch (class) {
	case CLASS_OPEN:
	case CLASS_UNLINK:
	case CLASS_RMDIR:
	case CLASS_MKDIR:
	case CLASS_MKNOD:
	case CLASS_SYMLINK:
	case CLASS_RENAME:
	case CLASS_LINK:
	case CLASS_TRUNCATE:
		return (level != HOLES_NONE);
	case CLASS_STAT:
	case CLASS_ACCESS:
	case CLASS_READLINK:
	case CLASS_GETXATTR:
	case CLASS_LISTXATTR:
	case CLASS_STATFS:
	case CLASS_WATCH:
	case CLASS_CHDIR:
		return (level == HOLES_READ);
	default:
		return (0);
	}
}

/*
 * Opening for reading changes nothing, and takes no room; O_TMPFILE has to be
 * open for writing, too.
 */
static int
build_open(struct build *b, const struct syscall_entry *entry)
{
	const struct bpf_cond	 reads = BPF_COND_BITS(entry->arg,
				    O_ACCMODE | O_CREAT | O_TRUNC |
				    (O_TMPFILE & ~O_DIRECTORY), O_RDONLY);

	if (b->conf->view || b->conf->holes == HOLES_READ ||
	    entry->class != CLASS_OPEN || entry->nr == SYS_creat)
		return (0);
	return (bpf_add(b->bpf, entry->nr, ALLOW, 1, &reads));
}

static enum filter_verdict
class_verdict(const struct filter_conf *conf, enum syscall_class class)
{
	switch (class) {
	case CLASS_FORK:
		return (conf->fork);
	case CLASS_CHMOD:
	case CLASS_CHOWN:
	case CLASS_UTIMES:
	case CLASS_SETXATTR:
	case CLASS_REMOVEXATTR:
		return (conf->meta);
	case CLASS_CONNECT:
		return (conf->connect);
	case CLASS_LISTEN:
		return (conf->listen);
	case CLASS_LINGER:
		return (holders(conf) ? FILTER_NOTIFY : FILTER_ALLOW);
	case CLASS_NONE:
	case CLASS_MAX:
		return (FILTER_DENY);
	case CLASS_WRITE:
	case CLASS_COPY:
	case CLASS_RESIZE:
		return (conf->quota ? FILTER_NOTIFY : FILTER_ALLOW);
	case CLASS_OPEN:
	case CLASS_UNLINK:
	case CLASS_RMDIR:
	case CLASS_MKDIR:
	case CLASS_MKNOD:
	case CLASS_SYMLINK:
	case CLASS_RENAME:
	case CLASS_LINK:
	case CLASS_TRUNCATE:
	case CLASS_BIND:
		return (conf->view || conf->quota ||
		    hole_concerns(conf->holes, class) ? FILTER_NOTIFY :
		    FILTER_ALLOW);
	default:
		/* Names, directories and what is done with them. */
		return (conf->view || hole_concerns(conf->holes, class) ?
		    FILTER_NOTIFY : FILTER_ALLOW);
	}
}

/*
 * The verdict on a mediated call; a clone that makes a thread is no fork, and
 * of the options of sockets one is looked at.
 */
static int
build_entry(struct build *b, const struct syscall_entry *entry)
{
	static const struct bpf_cond	 process = BPF_COND_NONE(0,
					    CLONE_THREAD);
	static const struct bpf_cond	 linger[] = {
		BPF_COND_EQ(1, SOL_SOCKET), BPF_COND_EQ(2, SO_LINGER)
	};
	enum filter_verdict		 verdict;
	uint32_t			 action = ERRNO(EPERM);
	size_t				 i;

	if (b->calls[entry->nr] != CALL_ALLOWED)
		return (0);
	verdict = class_verdict(b->conf, entry->class);
	if (verdict == FILTER_ALLOW)
		return (0);
	/* Around holes it is names that matter, in a view descriptors too. */
	if (!b->conf->view && !b->conf->quota && entry->path == SLOT_NONE &&
	    hole_concerns(b->conf->holes, entry->class))
		return (0);
	if (build_open(b, entry) == -1)
		return (-1);
	if (verdict == FILTER_NOTIFY)
		action = NOTIFY;
	else
		for (i = 0; i < NELEMS(class_errors); i++)
			if (class_errors[i].class == entry->class)
				action = ERRNO(class_errors[i].error);
	if (entry->nr == SYS_clone)
		return (build_add(b, entry->nr, action, 1, &process));
	if (entry->nr == SYS_setsockopt)
		return (build_add(b, entry->nr, action, NELEMS(linger),
		    linger));
	return (build_add(b, entry->nr, action, 0, NULL));
}

/* Everything in order; the first clause of a call that matches decides. */
static int
build_clauses(struct build *b)
{
	size_t	 i;
	int	 nr;

	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		/* Not by build_add(): that a call is missing is no denial. */
		if (b->calls[nr] == CALL_MISSING &&
		    bpf_add(b->bpf, nr, ERRNO(ENOSYS), 0, NULL) == -1)
			return (-1);
		if (b->calls[nr] == CALL_DENIED && !b->conf->allow_list &&
		    build_add(b, nr, ERRNO(EPERM), 0, NULL) == -1)
			return (-1);
	}
	if (b->conf->cpus_fixed && build_rules(b, &no_affinity, 1) == -1)
		return (-1);
	if (b->conf->quota &&
	    build_rules(b, quota_rules, NELEMS(quota_rules)) == -1)
		return (-1);
	if (holders(b->conf) &&
	    build_rules(b, holder_rules, NELEMS(holder_rules)) == -1)
		return (-1);
	if (build_rules(b, rules, NELEMS(rules)) == -1 ||
	    build_ioctls(b) == -1)
		return (-1);
	if (b->conf->unix_sockets &&
	    build_rules(b, unix_sockets, NELEMS(unix_sockets)) == -1)
		return (-1);
	if (b->conf->inet_sockets &&
	    build_rules(b, inet_sockets, NELEMS(inet_sockets)) == -1)
		return (-1);
	if (build_rules(b, &no_socket, 1) == -1)
		return (-1);
	/* It looks at names, and its answer is in a structure. */
	if (b->conf->holes == HOLES_READ &&
	    b->calls[SYS_file_getattr] == CALL_ALLOWED &&
	    bpf_add(b->bpf, SYS_file_getattr, ERRNO(ENOSYS), 0, NULL) == -1)
		return (-1);
	for (i = 0; i < syscall_table_len; i++)
		if (build_entry(b, &syscall_table[i]) == -1)
			return (-1);
	if (!b->conf->allow_list)
		return (0);
	for (nr = 0; nr <= SYSCALL_LAST; nr++)
		if (b->calls[nr] == CALL_ALLOWED &&
		    bpf_add(b->bpf, nr, ALLOW, 0, NULL) == -1)
			return (-1);
	return (0);
}

int
filter_build(const struct filter_conf *conf,
    const struct filter_change *changes, size_t nchanges,
    struct sock_fprog *prog, int *needs_listener)
{
	struct build	 b;
	uint32_t	 fallback;
	int		 error, ret = -1;

	b.conf = conf;
	b.notifies = 0;
	build_calls(&b);
	if (build_changes(&b, changes, nchanges) == -1)
		return (-1);
	fallback = conf->allow_list ? build_action(&b, ERRNO(EPERM)) : ALLOW;
	if ((b.bpf = bpf_new(fallback, ERRNO(ENOSYS))) == NULL)
		return (-1);
	if (build_clauses(&b) == 0 && bpf_compile(b.bpf, prog) == 0) {
		*needs_listener = b.notifies;
		ret = 0;
	}
	error = errno;
	bpf_free(b.bpf);
	errno = error;
	return (ret);
}

int
filter_install(const struct sock_fprog *prog, int *listener)
{
	unsigned long	 flags = 0;
	long		 fd;

	if (listener != NULL)
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
		    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);
	if (fd == -1 && errno == EINVAL && listener != NULL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_NEW_LISTENER, prog);
	if (fd == -1)
		return (-1);
	if (listener != NULL)
		*listener = fd;
	return (0);
}
