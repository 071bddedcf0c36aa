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

#include <linux/netlink.h>

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
#define UDP_ENCAP		100
#define IPV6_ADDRFORM		1
#define IPV6_2292PKTOPTIONS	6
#define IPV6_FLOWLABEL_MGR	32
#define IPV6_RTHDR		57
#define IP_OPTIONS		4
#define IP_LOCAL_PORT_RANGE	51
#define IOPRIO_WHO_PROCESS	1

/* CLONE_NEWTIME is a signal number to clone(2), a name space to unshare(2). */
#define CLONE_NEW	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |	\
			CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |	\
			CLONE_NEWNET)

/*
 * Reading and writing neither: a fourth access mode, of Linux alone.  POSIX
 * knows three, and EINVAL for others.
 */
#define ACCESS_NEITHER	3

/* The type of a socket; two flags may come with it. */
#define SOCK_KIND	((uint32_t)~(SOCK_NONBLOCK | SOCK_CLOEXEC))

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

/* Sockets of a family and a type, and of a protocol; commands of ioctl(2). */
#define PAIR(family, type, action)					\
	RULE2(socketpair, action, EQ(0, family), BITS(1, SOCK_KIND, type))
#define SOCK2(family, type, action)					\
	RULE2(socket, action, EQ(0, family), BITS(1, SOCK_KIND, type))
#define SOCK3(family, type, protocol, action)				\
	RULE3(socket, action, EQ(0, family), BITS(1, SOCK_KIND, type),	\
	    EQ(2, protocol))
#define IOCTL(command, action)						\
	RULE1(ioctl, action, EQ(1, command))
#define IOCTLS(mask, value, action)					\
	RULE1(ioctl, action, BITS(1, mask, value))

#define EQ		BPF_COND_EQ
#define NE		BPF_COND_NE
#define BITS		BPF_COND_BITS
#define ANY		BPF_COND_ANY
#define NULLPTR		BPF_COND_NULL

static const struct rule rules[] = {
	/* Landlock asks for no right when neither reading nor writing. */
	RULE1(open, ERRNO(EINVAL), BITS(1, O_ACCMODE, ACCESS_NEITHER)),
	RULE1(openat, ERRNO(EINVAL), BITS(2, O_ACCMODE, ACCESS_NEITHER)),

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
	PAIR(AF_UNIX, SOCK_STREAM, ALLOW),
	PAIR(AF_UNIX, SOCK_SEQPACKET, ALLOW),
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
	/* And what arrives by UDP into a packet of its own. */
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_UDP), EQ(2, UDP_ENCAP)),

	/*
	 * A route of the workload's choosing: the first packet of a connect
	 * to an admitted address would go to any other host.
	 */
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IP), EQ(2, IP_OPTIONS)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6), EQ(2, IPV6_RTHDR)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, IPV6_2292PKTOPTIONS)),
	/* A port of the kernel's choice is not to be somebody's. */
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IP),
	    EQ(2, IP_LOCAL_PORT_RANGE)),
	/* A flow label may come with one. */
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, IPV6_FLOWLABEL_MGR))
};

/*
 * The kernel tells the network around it which groups are joined: words of the
 * workload's choosing, to whom no rule admits.  Sockets of TCP can join, too.
 */
static const struct rule group_rules[] = {
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IP),
	    EQ(2, IP_ADD_MEMBERSHIP)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IP),
	    EQ(2, IP_ADD_SOURCE_MEMBERSHIP)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IP),
	    EQ(2, MCAST_JOIN_GROUP)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IP),
	    EQ(2, MCAST_JOIN_SOURCE_GROUP)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, IPV6_JOIN_GROUP)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, IPV6_JOIN_ANYCAST)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, MCAST_JOIN_GROUP)),
	RULE2(setsockopt, ERRNO(EPERM), EQ(1, IPPROTO_IPV6),
	    EQ(2, MCAST_JOIN_SOURCE_GROUP))
};

/* With sends notified, such a pair can be had. */
static const struct rule datagram_pairs[] = {
	PAIR(AF_UNIX, SOCK_DGRAM, ALLOW)
};

/* Sockets that a policy may grant; everything else is EACCES. */
static const struct rule unix_sockets[] = {
	SOCK2(AF_UNIX, SOCK_STREAM, ALLOW),
	SOCK2(AF_UNIX, SOCK_SEQPACKET, ALLOW)
};

/* And this one, which can be sent from to any path, with sends notified. */
static const struct rule unix_datagrams[] = {
	SOCK2(AF_UNIX, SOCK_DGRAM, ALLOW)
};

/* TCP and nothing that passes for it: MPTCP, SCTP, SMC have a protocol. */
static const struct rule inet_sockets[] = {
	SOCK3(AF_INET, SOCK_STREAM, 0, ALLOW),
	SOCK3(AF_INET, SOCK_STREAM, IPPROTO_TCP, ALLOW),
	SOCK3(AF_INET6, SOCK_STREAM, 0, ALLOW),
	SOCK3(AF_INET6, SOCK_STREAM, IPPROTO_TCP, ALLOW)
};

/* UDP without its relatives: UDP-Lite has a protocol. */
static const struct rule udp_sockets[] = {
	SOCK3(AF_INET, SOCK_DGRAM, 0, ALLOW),
	SOCK3(AF_INET, SOCK_DGRAM, IPPROTO_UDP, ALLOW),
	SOCK3(AF_INET6, SOCK_DGRAM, 0, ALLOW),
	SOCK3(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, ALLOW)
};

/* Echo requests, which the kernel makes; raw sockets are another type. */
static const struct rule icmp_sockets[] = {
	SOCK3(AF_INET, SOCK_DGRAM, IPPROTO_ICMP, ALLOW),
	SOCK3(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, ALLOW)
};

/*
 * Where the supervisor shows interfaces: route netlink sockets are its own, and
 * so is what asks about a socket's kind, and about interfaces.
 */
static const struct rule netlink_rules[] = {
	SOCK3(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, NOTIFY),
	SOCK3(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE, NOTIFY),
	/* if_nametoindex(3) wants one for its ioctl, and so gets one. */
	SOCK3(AF_UNIX, SOCK_DGRAM, 0, NOTIFY),
	RULE1(setsockopt, NOTIFY, EQ(1, SOL_NETLINK)),
	RULE1(getsockopt, NOTIFY, EQ(1, SOL_NETLINK)),
	RULE2(getsockopt, NOTIFY, EQ(1, SOL_SOCKET), EQ(2, SO_DOMAIN)),
	RULE2(getsockopt, NOTIFY, EQ(1, SOL_SOCKET), EQ(2, SO_TYPE)),
	RULE2(getsockopt, NOTIFY, EQ(1, SOL_SOCKET), EQ(2, SO_PROTOCOL)),
	/*
	 * The kernel has answered when a request is sent, and one libc, musl,
	 * counts on it: it receives just so.
	 */
	RULE3(recvfrom, NOTIFY, EQ(2, 8192), EQ(3, MSG_DONTWAIT), NULLPTR(4)),

	IOCTL(0x8910, NOTIFY),		/* SIOCGIFNAME */
	IOCTL(0x8912, NOTIFY),		/* SIOCGIFCONF */
	IOCTL(0x8913, NOTIFY),		/* SIOCGIFFLAGS */
	IOCTL(0x8915, NOTIFY),		/* SIOCGIFADDR */
	IOCTL(0x8917, NOTIFY),		/* SIOCGIFDSTADDR */
	IOCTL(0x8919, NOTIFY),		/* SIOCGIFBRDADDR */
	IOCTL(0x891b, NOTIFY),		/* SIOCGIFNETMASK */
	IOCTL(0x891d, NOTIFY),		/* SIOCGIFMETRIC */
	IOCTL(0x8921, NOTIFY),		/* SIOCGIFMTU */
	IOCTL(0x8927, NOTIFY),		/* SIOCGIFHWADDR */
	IOCTL(0x8933, NOTIFY),		/* SIOCGIFINDEX */
	IOCTL(0x8942, NOTIFY),		/* SIOCGIFTXQLEN */
	IOCTL(0x8946, NOTIFY),		/* SIOCETHTOOL */
	IOCTL(0x8970, NOTIFY)		/* SIOCGIFMAP */
};

static const struct rule no_socket[] = {
	RULE0(socket, ERRNO(EACCES))
};

/*
 * With a quota: what makes a file grow, or take blocks beyond its end, and is
 * no write.  Programs do without, as on a file system that lacks it.
 */
static const struct rule quota_rules[] = {
	IOCTL(0x40049409, ERRNO(EOPNOTSUPP)),	/* FICLONE */
	IOCTL(0x4020940d, ERRNO(EOPNOTSUPP)),	/* .._RANGE */
	IOCTL(0x40305828, ERRNO(EOPNOTSUPP)),	/* RESVSP */
	IOCTL(0x4030582a, ERRNO(EOPNOTSUPP)),	/* RESVSP64 */
	IOCTL(0x40305839, ERRNO(EOPNOTSUPP)),	/* ZERO_RANGE */
	IOCTL(0x4030580a, ERRNO(EOPNOTSUPP)),	/* ALLOCSP */
	IOCTL(0x40305824, ERRNO(EOPNOTSUPP)),	/* ALLOCSP64 */
	IOCTL(0xc028660f, ERRNO(EOPNOTSUPP)),	/* MOVE_EXT */
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
	RULE1(sendfile, ERRNO(EINVAL), NULLPTR(2)),
	/* Not to wait in a close either. */
	RULE2(setsockopt, NOTIFY, EQ(1, SOL_SOCKET), EQ(2, SO_LINGER))
};

/*
 * Where netd makes binds: what lets a socket share a port.  So neither changes
 * in the middle of a bind.
 */
static const struct rule bind_rules[] = {
	RULE2(setsockopt, NOTIFY, EQ(1, SOL_SOCKET), EQ(2, SO_REUSEADDR)),
	RULE2(setsockopt, NOTIFY, EQ(1, SOL_SOCKET), EQ(2, SO_REUSEPORT))
};

static const struct rule no_affinity[] = {
	RULE0(sched_setaffinity, ERRNO(EPERM))
};

/* Where names are hidden: it looks at them, and answers in a structure. */
static const struct rule hidden_rules[] = {
	RULE0(file_getattr, ERRNO(ENOSYS))
};

/*
 * ioctl commands.  Numbers, as the headers of terminals, sockets and file
 * systems cannot all be included at once.  Those of inode flags and the like
 * change a file through a descriptor that is open for reading only, which
 * Landlock does not see.
 */
static const struct rule ioctls[] = {
	/* The terminal: input for the shell that started us, its modes. */
	IOCTL(0x5412, ERRNO(EPERM)),	/* TIOCSTI */
	IOCTL(0x541c, ERRNO(EPERM)),	/* TIOCLINUX: paste */
	IOCTL(0x541d, ERRNO(EPERM)),	/* TIOCCONS */
	IOCTL(0x5423, ERRNO(EPERM)),	/* TIOCSETD */
	IOCTL(0x540c, ERRNO(EPERM)),	/* TIOCEXCL: outlives us */
	IOCTL(0x5437, ERRNO(EPERM)),	/* TIOCVHANGUP */
	IOCTL(0x5457, ERRNO(EPERM)),	/* TIOCSLCKTRMIOS */
	/* Signals a group of processes without asking anyone. */
	IOCTL(0x40045436, ERRNO(EPERM)),	/* TIOCSIG */

	/* Branches of branchfs, through a control file that can be read. */
	IOCTL(BRANCHFS_CREATE, ERRNO(EPERM)),
	IOCTL(BRANCHFS_COMMIT, ERRNO(EPERM)),
	IOCTL(BRANCHFS_ABORT, ERRNO(EPERM)),

	/* Inode flags and generation, in both word sizes. */
	IOCTL(0x40086602, ERRNO(EPERM)),	/* FS_IOC_SETFLAGS */
	IOCTL(0x40046602, ERRNO(EPERM)),
	IOCTL(0x401c5820, ERRNO(EPERM)),	/* FSSETXATTR */
	IOCTL(0x40087602, ERRNO(EPERM)),	/* SETVERSION */
	IOCTL(0x40047602, ERRNO(EPERM)),
	IOCTL(0x40086604, ERRNO(EPERM)),	/* EXT4 SETVERSION */
	IOCTL(0x40046604, ERRNO(EPERM)),
	IOCTL(0x00006609, ERRNO(EPERM)),	/* EXT4 MIGRATE */
	IOCTL(0x40047211, ERRNO(EPERM)),	/* FAT SET_ATTRIBUTES */
	/* Makes a file read-only for ever. */
	IOCTL(0x40806685, ERRNO(EPERM)),	/* ENABLE_VERITY */
	/* Encrypts a directory; takes the key from other processes. */
	IOCTL(0x800c6613, ERRNO(EPERM)),	/* SET_ENCRYPTION_ */
	IOCTL(0xc0506617, ERRNO(EPERM)),	/* ADD_ENCRYPTION_ */
	IOCTL(0xc0406618, ERRNO(EPERM)),	/* REMOVE_ENCRYPTION_ */
	IOCTL(0xc0406619, ERRNO(EPERM)),	/* .._ALL_USERS */

	/*
	 * Btrfs makes, snapshots and removes subvolumes through a directory
	 * that can be read.  Shared with it are FICLONE, FICLONERANGE and
	 * FIDEDUPERANGE: the first two want a descriptor open for writing,
	 * the third changes no content.
	 */
	IOCTL(0x40049409, ALLOW),
	IOCTL(0x4020940d, ALLOW),
	IOCTL(0xc0189436, ALLOW),
	IOCTL(0x894b, ALLOW),		/* SIOCOUTQNSD */
	/* FIOSETOWN to SIOCGSTAMPNS: owner (see Landlock), mark, time. */
	IOCTLS(0xfffffff8, 0x8900, ALLOW),

	/* The rest of Btrfs, likewise bcachefs; F2FS: pins, releases. */
	IOCTLS(0x0000ff00, 0x9400, ERRNO(EPERM)),
	IOCTLS(0x0000ff00, 0xbc00, ERRNO(EPERM)),
	IOCTLS(0x0000ff00, 0xf500, ERRNO(EPERM)),
	/* Network interfaces, wireless ones. */
	IOCTLS(0xffffff00, 0x8900, ERRNO(EPERM)),
	IOCTLS(0xffffff00, 0x8b00, ERRNO(EPERM)),
	/* The console: keys, fonts; virtual terminals. */
	IOCTLS(0xffffff00, 0x4b00, ERRNO(EPERM)),
	IOCTLS(0xffffff00, 0x5600, ERRNO(EPERM))
};

/* The commands that are harmless but for one argument. */
static const struct rule ioctl_arguments[] = {
	/* Steal the terminal from another session. */
	RULE2(ioctl, ERRNO(EPERM), EQ(1, TIOCSCTTY), EQ(2, 1)),
	/* Stop all output, which lasts after our end. */
	RULE2(ioctl, ERRNO(EPERM), EQ(1, TCXONC), EQ(2, TCOOFF))
};

/* What clauses depend on: what is granted, what the supervisor is to see. */
#define GRANT_UNIX	0x0001
#define GRANT_INET	0x0002
#define GRANT_UDP	0x0004
#define GRANT_ICMP	0x0008
#define FIXED_CPUS	0x0010
#define SEE_VIEW	0x0020
#define SEE_QUOTA	0x0040
#define SEE_HOLES	0x0080	/* what names around holes are changed */
#define SEE_HIDDEN	0x0100	/* and what is only looked at */
#define SEE_HOSTS	0x0200
#define SEE_SEND	0x0400
#define SEE_BIND	0x0800
#define SEE_REMAP	0x1000
#define SEE_ROUTE	0x2000
#define HOLDS		0x4000	/* a worker may hold what is open there */
#define NO_GROUPS	0x8000	/* none of multicast is joined */

#define SEE_ANY		(SEE_VIEW | SEE_QUOTA | SEE_HOLES | SEE_HIDDEN |\
			SEE_HOSTS | SEE_SEND | SEE_BIND | SEE_REMAP |	\
			SEE_ROUTE)

/*
 * The rules in order, each table with all that it depends on.  Of one call the
 * first rule that matches decides, and what is seen comes before what is
 * denied.
 */
#define TABLE(needs, rules)	{ (needs), (rules), NELEMS(rules) }
static const struct {
	unsigned int		 needs;
	const struct rule	*rules;
	size_t			 n;
} tables[] = {
	TABLE(FIXED_CPUS, no_affinity),
	TABLE(SEE_QUOTA, quota_rules),
	TABLE(SEE_SEND, datagram_pairs),
	TABLE(NO_GROUPS, group_rules),
	TABLE(HOLDS, holder_rules),
	TABLE(SEE_BIND, bind_rules),
	TABLE(0, rules),
	TABLE(GRANT_UNIX, unix_sockets),
	TABLE(GRANT_UNIX | SEE_SEND, unix_datagrams),
	TABLE(GRANT_INET, inet_sockets),
	TABLE(GRANT_UDP, udp_sockets),
	TABLE(GRANT_ICMP, icmp_sockets),
	TABLE(SEE_ROUTE, netlink_rules),
	TABLE(0, no_socket),
	TABLE(0, ioctls),
	TABLE(0, ioctl_arguments),
	TABLE(SEE_HIDDEN, hidden_rules)
};
#undef TABLE

/*
 * On account of what calls of a class are seen, any of it.  Landlock alone
 * decides what is executed around holes, and what a descriptor may be used
 * for.  Those whose verdict is in the configuration are not here, nor those
 * that are judged by rules about their arguments alone.
 */
#define CHANGES		(SEE_VIEW | SEE_QUOTA | SEE_HOLES)
#define LOOKS		(SEE_VIEW | SEE_HIDDEN)
static const uint16_t class_seen[CLASS_MAX] = {
	[CLASS_SOCKNAME] = SEE_REMAP | SEE_ROUTE,
	[CLASS_ACCEPT] = SEE_REMAP,
	[CLASS_RECV] = SEE_REMAP,
	[CLASS_SEND] = SEE_SEND,
	[CLASS_OPEN] = CHANGES | SEE_HOSTS | SEE_REMAP,
	[CLASS_STAT] = LOOKS,
	[CLASS_ACCESS] = LOOKS,
	[CLASS_READLINK] = LOOKS,
	[CLASS_GETXATTR] = LOOKS,
	[CLASS_LISTXATTR] = LOOKS,
	[CLASS_GETDENTS] = SEE_VIEW,
	[CLASS_STATFS] = LOOKS,
	[CLASS_WATCH] = LOOKS,
	[CLASS_UNLINK] = CHANGES,
	[CLASS_RMDIR] = CHANGES,
	[CLASS_MKDIR] = CHANGES,
	[CLASS_MKNOD] = CHANGES,
	[CLASS_SYMLINK] = CHANGES,
	[CLASS_RENAME] = CHANGES,
	[CLASS_LINK] = CHANGES,
	[CLASS_TRUNCATE] = CHANGES,
	[CLASS_CHDIR] = LOOKS,
	[CLASS_GETCWD] = SEE_VIEW,
	[CLASS_EXEC] = SEE_VIEW,
	[CLASS_BIND] = SEE_VIEW | SEE_QUOTA | SEE_BIND | SEE_ROUTE,
	[CLASS_WRITE] = SEE_QUOTA,
	[CLASS_COPY] = SEE_QUOTA,
	[CLASS_RESIZE] = SEE_QUOTA
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
	unsigned int			 features;
	uint8_t				 calls[SYSCALL_LAST + 1];
	int				 notifies;
};

static int	 call_denied(int, int *);
static unsigned int
		 conf_features(const struct filter_conf *);
static void	 group_set(struct build *, const char *, enum call);
static void	 build_calls(struct build *);
static int	 build_changes(struct build *, const struct filter_change *,
		    size_t);
static uint32_t	 build_action(struct build *, uint32_t);
static int	 build_add(struct build *, int, uint32_t, size_t,
		    const struct bpf_cond *);
static int	 build_rules(struct build *, const struct rule *, size_t);
static int	 build_exempt(struct build *, const struct syscall_entry *);
static uint32_t	 verdict_action(enum filter_verdict, int);
static uint32_t	 entry_action(const struct build *,
		    const struct syscall_entry *);
static int	 build_entry(struct build *, const struct syscall_entry *);
static int	 build_whole(struct build *, enum call, uint32_t);
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

static unsigned int
conf_features(const struct filter_conf *conf)
{
	const struct {
		int		 wanted;
		unsigned int	 feature;
	} wishes[] = {
		{ conf->unix_sockets, GRANT_UNIX },
		{ conf->inet_sockets, GRANT_INET },
		{ conf->udp, GRANT_UDP },
		{ conf->icmp, GRANT_ICMP },
		{ !conf->groups, NO_GROUPS },
		{ conf->cpus_fixed, FIXED_CPUS },
		{ conf->view, SEE_VIEW },
		{ conf->quota, SEE_QUOTA },
		{ conf->holes != HOLES_NONE, SEE_HOLES },
		{ conf->holes == HOLES_READ, SEE_HIDDEN },
		{ conf->hosts, SEE_HOSTS },
		{ conf->send, SEE_SEND },
		{ conf->bind, SEE_BIND },
		{ conf->remap, SEE_REMAP },
		{ conf->netlink, SEE_ROUTE },
		{ conf->meta == FILTER_NOTIFY, HOLDS },
		{ conf->connect == FILTER_NOTIFY, HOLDS },
		{ conf->listen == FILTER_NOTIFY, HOLDS }
	};
	unsigned int	 features = 0;
	size_t		 i;

	for (i = 0; i < NELEMS(wishes); i++)
		if (wishes[i].wanted)
			features |= wishes[i].feature;
	/* Whatever is seen of a call may take a duplicate of a descriptor. */
	if ((features & SEE_ANY) != 0)
		features |= HOLDS;
	return (features);
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

/*
 * An error is a denial, and those may have to be shown to the supervisor; but
 * that a call is missing, or only seems to work, is none.
 */
static uint32_t
build_action(struct build *b, uint32_t action)
{
	if (b->conf->log_denials && action != ERRNO(0) &&
	    action != ERRNO(ENOSYS) &&
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

/*
 * What is not seen of a mediated call.  A clone that makes a thread is no fork.
 * Opening for reading changes nothing, and takes no room; O_TMPFILE has to be
 * open for writing, too.  Where opens are seen for the sake of virtual files
 * O_PATH shows none.  Who gives no address sends where it was connected to, or
 * is told no port.
 */
static int
build_exempt(struct build *b, const struct syscall_entry *entry)
{
	const struct bpf_cond	 thread = BPF_COND_BITS(0, CLONE_THREAD,
				    CLONE_THREAD);
	const struct bpf_cond	 names = BPF_COND_BITS(entry->arg, O_PATH,
				    O_PATH);
	const struct bpf_cond	 reads = BPF_COND_BITS(entry->arg,
				    O_ACCMODE | O_CREAT | O_TRUNC |
				    (O_TMPFILE & ~O_DIRECTORY), O_RDONLY);
	const struct bpf_cond	 nobody = BPF_COND_NULL(entry->addr);
	const struct bpf_cond	*cond = NULL;

	if (entry->nr == SYS_clone)
		cond = &thread;
	else if (entry->class == CLASS_OPEN && entry->nr != SYS_creat &&
	    (b->features & LOOKS) == 0)
		cond = (b->features & (SEE_HOSTS | SEE_REMAP)) != 0 ?
		    &names : &reads;
	else if ((entry->class == CLASS_SEND || entry->class == CLASS_ACCEPT ||
	    entry->class == CLASS_RECV) && entry->addr != SLOT_NONE)
		cond = &nobody;
	if (cond == NULL)
		return (0);
	return (build_add(b, entry->nr, ALLOW, 1, cond));
}

static uint32_t
verdict_action(enum filter_verdict verdict, int error)
{
	switch (verdict) {
	case FILTER_ALLOW:
		return (ALLOW);
	case FILTER_NOTIFY:
		return (NOTIFY);
	default:
		return (ERRNO(error));
	}
}

/* What becomes of a mediated call that no rule has decided about. */
static uint32_t
entry_action(const struct build *b, const struct syscall_entry *entry)
{
	unsigned int	 seen;

	switch (entry->class) {
	case CLASS_FORK:
		return (verdict_action(b->conf->fork, EAGAIN));
	case CLASS_CHMOD:
	case CLASS_CHOWN:
	case CLASS_UTIMES:
	case CLASS_SETXATTR:
	case CLASS_REMOVEXATTR:
		return (verdict_action(b->conf->meta, EPERM));
	case CLASS_CONNECT:
		return (verdict_action(b->conf->connect, EACCES));
	case CLASS_LISTEN:
		return (verdict_action(b->conf->listen, EACCES));
	default:
		seen = class_seen[entry->class];
	}
	/* Around holes it is names that matter, in a view descriptors too. */
	if (entry->path == SLOT_NONE)
		seen &= ~(SEE_HOLES | SEE_HIDDEN);
	/* The other end of a netlink socket is of no interest. */
	if (entry->nr == SYS_getpeername)
		seen &= ~SEE_ROUTE;
	return ((seen & b->features) != 0 ? NOTIFY : ALLOW);
}

static int
build_entry(struct build *b, const struct syscall_entry *entry)
{
	uint32_t	 action = entry_action(b, entry);

	if (b->calls[entry->nr] != CALL_ALLOWED || action == ALLOW)
		return (0);
	if (build_exempt(b, entry) == -1)
		return (-1);
	return (build_add(b, entry->nr, action, 0, NULL));
}

/* The same for all calls that are to be had so. */
static int
build_whole(struct build *b, enum call call, uint32_t action)
{
	int	 nr;

	for (nr = 0; nr <= SYSCALL_LAST; nr++)
		if (b->calls[nr] == call &&
		    build_add(b, nr, action, 0, NULL) == -1)
			return (-1);
	return (0);
}

/*
 * Everything in order; the first clause of a call that matches decides.  With
 * an allow list what has no clause is denied, without one it is allowed.
 */
static int
build_clauses(struct build *b)
{
	size_t	 i;

	if (build_whole(b, CALL_MISSING, ERRNO(ENOSYS)) == -1 ||
	    (!b->conf->allow_list &&
	    build_whole(b, CALL_DENIED, ERRNO(EPERM)) == -1))
		return (-1);
	for (i = 0; i < NELEMS(tables); i++)
		if ((b->features & tables[i].needs) == tables[i].needs &&
		    build_rules(b, tables[i].rules, tables[i].n) == -1)
			return (-1);
	for (i = 0; i < syscall_table_len; i++)
		if (build_entry(b, &syscall_table[i]) == -1)
			return (-1);
	return (b->conf->allow_list ?
	    build_whole(b, CALL_ALLOWED, ALLOW) : 0);
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
	b.features = conf_features(conf);
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
