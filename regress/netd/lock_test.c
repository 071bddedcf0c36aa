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
 * The allow lists of both stages: what they permit works, and whatever else a
 * taken-over netd would want kills it.  Every call is tried without a list
 * first.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netd.h"

enum stage {
	NO_LIST,
	SETUP,
	RUN,
	BOTH
};

#define IN_SETUP	0x1
#define IN_RUN		0x2
#define IN_BIND		0x4	/* in both, where binds are made */
#define IN_RESOLVER	0x8	/* in both, where there is a resolver */
#define IN_REFRESH	0x10	/* in both, where names are asked for again */
#define IN_ASK		(IN_SETUP | IN_RESOLVER | IN_REFRESH)

/* Of the lists that are entered. */
static int	 binds, resolver, refresh;

static int
stage_enter(enum stage stage)
{
	if (stage != NO_LIST && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	if ((stage == SETUP || stage == BOTH) &&
	    lock_setup(binds, resolver) == -1)
		return (-1);
	if ((stage == RUN || stage == BOTH) &&
	    lock_run(binds, resolver, refresh) == -1)
		return (-1);
	return (0);
}

/*
 * The signal that ends a child which makes one call in a stage, -1 for an exit
 * with an error.
 */
static int
attempt(enum stage stage, const long call[7])
{
	pid_t	 pid;
	int	 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (stage_enter(stage) == -1)
			_exit(1);
		syscall(call[0], call[1], call[2], call[3], call[4], call[5],
		    call[6]);
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		return (WTERMSIG(status));
	return (status == 0 ? 0 : -1);
}

static char	 path[] = "/etc/passwd";
static char	 buf[256];
static socklen_t buflen = sizeof(buf);
static char	*argv[] = { path, NULL };

#define DNS	(SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
#define P(x)	((long)(x))

static const struct {
	const char	*name;
	int		 stages;	/* that permit it */
	long		 call[7];
} calls[] = {
	/* what it is for */
	{ "bind IPv4", IN_SETUP | IN_RUN, { SYS_bind, -1, P(buf), 16 } },
	{ "bind IPv6", IN_SETUP | IN_RUN, { SYS_bind, -1, P(buf), 28 } },
	{ "connect", IN_SETUP | IN_RUN, { SYS_connect, -1, P(buf), 16 } },
	{ "listen", IN_SETUP | IN_RUN, { SYS_listen, -1, 1 } },
	{ "shutdown", IN_SETUP | IN_RUN, { SYS_shutdown, -1, SHUT_WR } },
	{ "SHUT_RDWR", 0, { SYS_shutdown, -1, SHUT_RDWR } },
	{ "getsockname", IN_SETUP | IN_RUN,
	    { SYS_getsockname, -1, P(buf), P(&buflen) } },
	{ "SO_DOMAIN", IN_SETUP | IN_RUN, { SYS_getsockopt, -1, SOL_SOCKET,
	    SO_DOMAIN, P(buf), P(&buflen) } },
	{ "TCP_INFO", IN_SETUP | IN_RUN, { SYS_getsockopt, -1, IPPROTO_TCP,
	    TCP_INFO, P(buf), P(&buflen) } },
	{ "F_SETFL", IN_SETUP | IN_RUN, { SYS_fcntl, -1, F_SETFL, 0 } },
	{ "sysinfo", IN_SETUP | IN_RUN, { SYS_sysinfo, P(buf) } },
	{ "close", IN_SETUP | IN_RUN, { SYS_close, -1 } },
	/* name servers */
	{ "socket AF_INET", IN_ASK,
	    { SYS_socket, AF_INET, DNS, 0 } },
	{ "socket AF_INET6", IN_ASK,
	    { SYS_socket, AF_INET6, DNS, 0 } },
	{ "sendto", IN_ASK,
	    { SYS_sendto, -1, P(buf), 1 } },
	{ "sendto MSG_FASTOPEN", 0,
	    { SYS_sendto, -1, P(buf), 1, MSG_FASTOPEN } },
	{ "sendmsg", IN_SETUP | IN_RUN, { SYS_sendmsg, -1, P(buf), 0 } },
	{ "sendmsg MSG_FASTOPEN", 0,
	    { SYS_sendmsg, -1, P(buf), MSG_FASTOPEN } },
	{ "recvfrom", IN_ASK,
	    { SYS_recvfrom, -1, P(buf), 1 } },
	/* the workload's files */
	{ "memfd_create", IN_SETUP | IN_REFRESH,
	    { SYS_memfd_create, P(path), 0 } },
	{ "F_ADD_SEALS", IN_SETUP | IN_REFRESH,
	    { SYS_fcntl, -1, F_ADD_SEALS, 0 } },
	/* other sockets */
	{ "socket TCP", 0, { SYS_socket, AF_INET, SOCK_STREAM, 0 } },
	{ "socket UDP-Lite", 0, { SYS_socket, AF_INET, DNS, 136 } },
	{ "socket raw", 0, { SYS_socket, AF_INET, SOCK_RAW, 255 } },
	{ "socket AF_UNIX", 0, { SYS_socket, AF_UNIX, DNS, 0 } },
	{ "socket AF_NETLINK", 0, { SYS_socket, AF_NETLINK, SOCK_RAW, 0 } },
	{ "socketpair", 0, { SYS_socketpair, AF_UNIX, SOCK_STREAM, 0,
	    P(buf) } },
	{ "bind", IN_BIND, { SYS_bind, -1, P(buf), 110 } },
	{ "accept", 0, { SYS_accept, -1, 0, 0 } },
	{ "accept4", IN_RESOLVER, { SYS_accept4, -1, 0, 0, 0 } },
	{ "SO_REUSEADDR", IN_BIND, { SYS_setsockopt, -1, SOL_SOCKET,
	    SO_REUSEADDR, P(buf), 4 } },
	{ "SO_REUSEPORT", IN_BIND, { SYS_setsockopt, -1, SOL_SOCKET,
	    SO_REUSEPORT, P(buf), 4 } },
	{ "SO_RCVBUF", IN_BIND, { SYS_setsockopt, -1, SOL_SOCKET, SO_RCVBUF,
	    P(buf), 4 } },
	{ "SO_SNDBUF", 0, { SYS_setsockopt, -1, SOL_SOCKET, SO_SNDBUF,
	    P(buf), 4 } },
	{ "IP_LOCAL_PORT_RANGE", IN_BIND, { SYS_setsockopt, -1, IPPROTO_IP,
	    51, P(buf), 4 } },
	{ "IPV6_V6ONLY", IN_BIND, { SYS_setsockopt, -1, IPPROTO_IPV6,
	    IPV6_V6ONLY, P(buf), 4 } },
	{ "SO_REUSEPORT of whom", IN_BIND, { SYS_getsockopt, -1, SOL_SOCKET,
	    SO_REUSEPORT, P(buf), P(&buflen) } },
	{ "IP_BIND_ADDRESS_NO_PORT", IN_BIND, { SYS_setsockopt, -1, IPPROTO_IP,
	    IP_BIND_ADDRESS_NO_PORT, P(buf), 4 } },
	{ "IP_TRANSPARENT", 0, { SYS_setsockopt, -1, IPPROTO_IP,
	    IP_TRANSPARENT, P(buf), 4 } },
	{ "pread64", IN_BIND, { SYS_pread64, -1, P(buf), 1, 0 } },
	{ "probe TCP", IN_BIND, { SYS_socket, AF_INET6, SOCK_STREAM |
	    SOCK_CLOEXEC, 0 } },
	{ "probe UDP", IN_BIND, { SYS_socket, AF_INET, SOCK_DGRAM |
	    SOCK_CLOEXEC, 0 } },
	{ "probe MPTCP", 0, { SYS_socket, AF_INET, SOCK_STREAM |
	    SOCK_CLOEXEC, 262 } },
	{ "SO_PEERCRED", 0, { SYS_getsockopt, -1, SOL_SOCKET, SO_PEERCRED,
	    P(buf), P(&buflen) } },
	{ "getpeername", 0, { SYS_getpeername, -1, P(buf), P(&buflen) } },
	{ "shutdown", 0, { SYS_shutdown, -1, SHUT_RDWR } },
	{ "sendmmsg", 0, { SYS_sendmmsg, -1, P(buf), 0, 0 } },
	{ "F_SETOWN", 0, { SYS_fcntl, -1, F_SETOWN, 1 } },
	/* files */
	{ "open", 0, { SYS_open, P(path), O_RDONLY } },
	{ "openat", 0, { SYS_openat, AT_FDCWD, P(path), O_RDONLY } },
	{ "openat2", 0, { SYS_openat2, AT_FDCWD, P(path), P(buf), 24 } },
	{ "stat", 0, { SYS_stat, P(path), P(buf) } },
	{ "readlink", 0, { SYS_readlink, P(path), P(buf), 10 } },
	{ "unlink", 0, { SYS_unlink, P("/nonexistent") } },
	{ "getdents64", 0, { SYS_getdents64, -1, P(buf), sizeof(buf) } },
	/* processes */
	{ "execve", 0, { SYS_execve, P("/nonexistent"), P(argv), 0 } },
	{ "fork", 0, { SYS_fork } },
	{ "kill", 0, { SYS_kill, 0, 0 } },
	{ "ptrace", 0, { SYS_ptrace, 0, 0, 0, 0 } },
	{ "process_vm_readv", 0, { SYS_process_vm_readv, 1, 0, 0, 0, 0, 0 } },
	{ "pidfd_open", 0, { SYS_pidfd_open, 1, 0 } },
	{ "pidfd_getfd", 0, { SYS_pidfd_getfd, -1, 0, 0 } },
	{ "prctl", 0, { SYS_prctl, PR_SET_DUMPABLE, 1 } },
	{ "mmap of code", 0, { SYS_mmap, 0, 4096, 7, 0x22, -1, 0 } },
	{ "io_uring_setup", 0, { SYS_io_uring_setup, 1, P(buf) } },
	{ "ioctl", 0, { SYS_ioctl, -1, 0, 0 } }
};

static int
wanted(size_t i, int stage)
{
	if (binds)
		stage |= IN_BIND;
	if (resolver)
		stage |= IN_RESOLVER;
	if (refresh)
		stage |= IN_REFRESH;
	return ((calls[i].stages & stage) != 0 ? 0 : SIGSYS);
}

static void
check_lists(void)
{
	size_t	 i;
	int	 status, want;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		status = attempt(NO_LIST, calls[i].call);
		ATF_CHECK_EQ_MSG(0, status, "%s without a list: %d",
		    calls[i].name, status);

		status = attempt(SETUP, calls[i].call);
		want = wanted(i, IN_SETUP);
		ATF_CHECK_EQ_MSG(want, status, "%s in SETUP: %d",
		    calls[i].name, status);

		status = attempt(RUN, calls[i].call);
		want = wanted(i, IN_RUN);
		ATF_CHECK_EQ_MSG(want, status, "%s in RUN: %d",
		    calls[i].name, status);

		/* The way of a netd that has resolved names. */
		status = attempt(BOTH, calls[i].call);
		ATF_CHECK_EQ_MSG(want, status, "%s in SETUP, then RUN: %d",
		    calls[i].name, status);
	}
}

ATF_TC_WITHOUT_HEAD(lists);
ATF_TC_BODY(lists, tc)
{
	check_lists();
}

ATF_TC_WITHOUT_HEAD(lists_with_binds);
ATF_TC_BODY(lists_with_binds, tc)
{
	binds = 1;
	check_lists();
}

ATF_TC_WITHOUT_HEAD(lists_with_resolver);
ATF_TC_BODY(lists_with_resolver, tc)
{
	resolver = 1;
	check_lists();
}

ATF_TC_WITHOUT_HEAD(lists_with_refresh);
ATF_TC_BODY(lists_with_refresh, tc)
{
	refresh = 1;
	check_lists();
}

ATF_TC_WITHOUT_HEAD(lists_with_all);
ATF_TC_BODY(lists_with_all, tc)
{
	binds = resolver = refresh = 1;
	check_lists();
}

/* No list that is installed after RUN can give anything back. */
ATF_TC_WITHOUT_HEAD(run_is_final);
ATF_TC_BODY(run_is_final, tc)
{
	pid_t	 pid;
	int	 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (stage_enter(RUN) == -1)
			_exit(1);
		lock_setup(1, 1);
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_REQUIRE(WIFSIGNALED(status));
	ATF_REQUIRE_EQ(SIGSYS, WTERMSIG(status));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, lists);
	ATF_TP_ADD_TC(tp, lists_with_binds);
	ATF_TP_ADD_TC(tp, lists_with_resolver);
	ATF_TP_ADD_TC(tp, lists_with_refresh);
	ATF_TP_ADD_TC(tp, lists_with_all);
	ATF_TP_ADD_TC(tp, run_is_final);
	return (atf_no_error());
}
