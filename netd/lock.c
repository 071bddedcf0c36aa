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
 * What netd may still ask of the kernel in each of its two stages.  The lists
 * stack, so the second takes away what only the first needed.  Common calls
 * (input and output on descriptors that are open, the event loop, memory,
 * clock, exit) are in lockdown_stdio[].  Anything else kills netd and so ends
 * the run.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <linux/netlink.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <string.h>

#include "lockdown.h"
#include "netd.h"

#define EQ		BPF_COND_EQ
#define GETSOCKOPT(level, name) \
	{ SYS_getsockopt, 2, { EQ(1, level), EQ(2, name) } }

#define SETSOCKOPT(level, name) \
	{ SYS_setsockopt, 2, { EQ(1, level), EQ(2, name) } }

#define TCP_SOCKET	(SOCK_STREAM | SOCK_CLOEXEC)
#define UDP_SOCKET	(SOCK_DGRAM | SOCK_CLOEXEC)
#define ROUTE_SOCKET	(SOCK_SEQPACKET | SOCK_CLOEXEC)
#define DNS_SOCKET	(SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/* Needed until the end. */
#define LOCK_RUN_RULES \
	/* on behalf of the workload; Landlock limits the ports */	\
	LOCKDOWN_ALLOW(SYS_connect),					\
	/* the alarm that bounds it */					\
	LOCKDOWN_ALLOW_IF(SYS_setitimer, EQ(0, ITIMER_REAL)),		\
	/* on behalf of the workload */					\
	LOCKDOWN_ALLOW(SYS_listen),					\
	/* so that it has the port that was judged; Landlock limits it */ \
	LOCKDOWN_ALLOW_IF(SYS_bind, EQ(2, sizeof(struct sockaddr_in))),	\
	LOCKDOWN_ALLOW_IF(SYS_bind, EQ(2, sizeof(struct sockaddr_in6))), \
	/* UDP that only asks about addresses */			\
	LOCKDOWN_ALLOW_IF(SYS_shutdown, EQ(1, SHUT_WR)),		\
	/* to which address and port the workload's socket is bound */	\
	LOCKDOWN_ALLOW(SYS_getsockname),				\
	/* the protocol is asked of the socket: */			\
	GETSOCKOPT(SOL_SOCKET, SO_DOMAIN),				\
	GETSOCKOPT(SOL_SOCKET, SO_TYPE),				\
	GETSOCKOPT(SOL_SOCKET, SO_PROTOCOL),				\
	/* how long the workload is ready to wait */			\
	GETSOCKOPT(SOL_SOCKET, SO_SNDTIMEO),				\
	/* whether two requests are about one socket */			\
	GETSOCKOPT(SOL_SOCKET, SO_COOKIE),				\
	/* why a connect failed */					\
	GETSOCKOPT(SOL_SOCKET, SO_ERROR),				\
	/* whether a connect failed */					\
	GETSOCKOPT(IPPROTO_TCP, TCP_INFO),				\
	/* qsort(3): how much memory there is */			\
	LOCKDOWN_ALLOW(SYS_sysinfo),					\
	/* source routes are refused, in both families: */		\
	GETSOCKOPT(IPPROTO_IP, IP_OPTIONS),				\
	GETSOCKOPT(IPPROTO_IPV6, IPV6_RTHDR),				\
	/* route netlink sockets, which are pairs, */			\
	{ SYS_socketpair, 2, { EQ(0, AF_UNIX), EQ(1, ROUTE_SOCKET) } },	\
	{ SYS_socketpair, 2, { EQ(0, AF_UNIX),				\
	    EQ(1, ROUTE_SOCKET | SOCK_NONBLOCK) } },			\
	/* and have the length of a sockaddr_nl for a name */		\
	LOCKDOWN_ALLOW_IF(SYS_bind, EQ(2, sizeof(struct sockaddr_nl)))

static const struct lockdown_rule	 lock_run_rules[] = {
	LOCK_RUN_RULES
};

/* Where binds are made here. */
static const struct lockdown_rule	 lock_bind_rules[] = {
	/* on behalf of the workload; Landlock limits the ports of TCP */
	LOCKDOWN_ALLOW(SYS_bind),
	/* a socket to try or to hold a port with, and that it shares none: */
	{ SYS_socket, 3, { EQ(0, AF_INET), EQ(1, TCP_SOCKET), EQ(2, 0) } },
	{ SYS_socket, 3, { EQ(0, AF_INET), EQ(1, UDP_SOCKET), EQ(2, 0) } },
	{ SYS_socket, 3, { EQ(0, AF_INET6), EQ(1, TCP_SOCKET), EQ(2, 0) } },
	{ SYS_socket, 3, { EQ(0, AF_INET6), EQ(1, UDP_SOCKET), EQ(2, 0) } },
	SETSOCKOPT(IPPROTO_IPV6, IPV6_V6ONLY),
	SETSOCKOPT(SOL_SOCKET, SO_RCVBUF),
	/* the workload's and its own: */
	SETSOCKOPT(SOL_SOCKET, SO_REUSEADDR),
	SETSOCKOPT(SOL_SOCKET, SO_REUSEPORT),
	/* the workload's, if it may share: */
	SETSOCKOPT(IPPROTO_IP, IP_LOCAL_PORT_RANGE),
	/* the workload's, if it is a client's: */
	SETSOCKOPT(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
	/* whether the workload's shares its port, */
	GETSOCKOPT(SOL_SOCKET, SO_REUSEADDR),
	GETSOCKOPT(SOL_SOCKET, SO_REUSEPORT),
	/* and what it is to get: */
	GETSOCKOPT(IPPROTO_IPV6, IPV6_V6ONLY),
	GETSOCKOPT(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
	/* which of its sockets are left: see bound.c */
	LOCKDOWN_ALLOW(SYS_epoll_ctl),
	LOCKDOWN_ALLOW(SYS_pread64)
};

/* What asking name servers takes: at the start, or for as long as names are. */
#define LOCK_ASK_RULES \
	/* each server is asked from a UDP socket of its own: */	\
	{ SYS_socket, 3, { EQ(0, AF_INET), EQ(1, DNS_SOCKET), EQ(2, 0) } }, \
	{ SYS_socket, 3, { EQ(0, AF_INET6), EQ(1, DNS_SOCKET), EQ(2, 0) } }, \
	/* the question; the resolver's answers */			\
	LOCKDOWN_ALLOW_IF(SYS_sendto, BPF_COND_NONE(3, MSG_FASTOPEN)),	\
	/* the answer; the resolver's questions */			\
	LOCKDOWN_ALLOW(SYS_recvfrom)

static const struct lockdown_rule	 lock_resolver_rules[] = {
	LOCK_ASK_RULES,
	/* questions over TCP, to the socket that listens since the start */
	LOCKDOWN_ALLOW(SYS_accept4)
};

/* What the workload's /etc/hosts takes, which is a sealed file. */
#define LOCK_FILE_RULES \
	LOCKDOWN_ALLOW(SYS_memfd_create),				\
	LOCKDOWN_ALLOW_IF(SYS_fcntl, EQ(1, F_ADD_SEALS))

/* Where names are asked for again. */
static const struct lockdown_rule	 lock_refresh_rules[] = {
	LOCK_ASK_RULES,
	LOCK_FILE_RULES
};

static const struct lockdown_rule	 lock_setup_rules[] = {
	LOCK_RUN_RULES,
	LOCK_ASK_RULES,
	LOCK_FILE_RULES,
	/* the list of stage RUN, once every name is resolved */
	LOCKDOWN_ALLOW_IF(SYS_seccomp, EQ(0, SECCOMP_SET_MODE_FILTER))
};

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

static int
lock_enter(const struct lockdown_rule *list, size_t n, int binds, int resolver,
    int refresh)
{
	struct lockdown_rule	 rules[nitems(lock_setup_rules) +
				    nitems(lock_bind_rules) +
				    nitems(lock_resolver_rules) +
				    nitems(lock_refresh_rules)];

	memcpy(rules, list, n * sizeof(*list));
	if (binds) {
		memcpy(rules + n, lock_bind_rules, sizeof(lock_bind_rules));
		n += nitems(lock_bind_rules);
	}
	if (resolver) {
		memcpy(rules + n, lock_resolver_rules,
		    sizeof(lock_resolver_rules));
		n += nitems(lock_resolver_rules);
	}
	if (refresh) {
		memcpy(rules + n, lock_refresh_rules,
		    sizeof(lock_refresh_rules));
		n += nitems(lock_refresh_rules);
	}
	return (lockdown_seccomp(rules, n));
}

int
lock_setup(int binds, int resolver)
{
	/* It has what refreshing takes. */
	return (lock_enter(lock_setup_rules, nitems(lock_setup_rules), binds,
	    resolver, 0));
}

int
lock_run(int binds, int resolver, int refresh)
{
	return (lock_enter(lock_run_rules, nitems(lock_run_rules), binds,
	    resolver, refresh));
}
