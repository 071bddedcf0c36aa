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

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>

#include "lockdown.h"
#include "netd.h"

#define EQ		BPF_COND_EQ
#define GETSOCKOPT(level, name) \
	{ SYS_getsockopt, 2, { EQ(1, level), EQ(2, name) } }

#define DNS_SOCKET	(SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/* Needed until the end. */
#define LOCK_RUN_RULES \
	/* on behalf of the workload; Landlock limits the ports */	\
	LOCKDOWN_ALLOW(SYS_connect),					\
	/* the alarm that bounds it */					\
	LOCKDOWN_ALLOW_IF(SYS_setitimer, EQ(0, ITIMER_REAL)),		\
	/* on behalf of the workload */					\
	LOCKDOWN_ALLOW(SYS_listen),					\
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
	/* source routes are refused, in both families: */		\
	GETSOCKOPT(IPPROTO_IP, IP_OPTIONS),				\
	GETSOCKOPT(IPPROTO_IPV6, IPV6_RTHDR),				\
	/* whether a lost descriptor was lost for want of a slot */	\
	LOCKDOWN_ALLOW_IF(SYS_fcntl, EQ(1, F_DUPFD_CLOEXEC))

static const struct lockdown_rule	 lock_run_rules[] = {
	LOCK_RUN_RULES
};

static const struct lockdown_rule	 lock_setup_rules[] = {
	LOCK_RUN_RULES,
	/* evdns asks each name server from a UDP socket of its own: */
	{ SYS_socket, 3, { EQ(0, AF_INET), EQ(1, DNS_SOCKET), EQ(2, 0) } },
	{ SYS_socket, 3, { EQ(0, AF_INET6), EQ(1, DNS_SOCKET), EQ(2, 0) } },
	/* the question */
	LOCKDOWN_ALLOW(SYS_sendto),
	/* the answer */
	LOCKDOWN_ALLOW(SYS_recvfrom),
	/* the list of stage RUN, once every name is resolved */
	LOCKDOWN_ALLOW_IF(SYS_seccomp, EQ(0, SECCOMP_SET_MODE_FILTER))
};

int
lock_setup(void)
{
	return (lockdown_seccomp(lock_setup_rules,
	    sizeof(lock_setup_rules) / sizeof(lock_setup_rules[0])));
}

int
lock_run(void)
{
	return (lockdown_seccomp(lock_run_rules,
	    sizeof(lock_run_rules) / sizeof(lock_run_rules[0])));
}
