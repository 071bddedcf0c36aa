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
 * Connects on behalf: what is admitted, and that an admitted connect cannot
 * be told from one that the test makes itself.
 */

#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

#define DENIED(e)	((e) | PROTO_DENIED)

static int
new_socket(int domain)
{
	int	 fd;

	ATF_REQUIRE((fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) != -1);
	return (fd);
}

static int
bare(int fd, const void *addr, socklen_t len)
{
	return (connect(fd, addr, len) == -1 ? errno : 0);
}

static void
set_timeout(int fd, int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
	    sizeof(tv)) == 0);
}

static int
blocks(int fd)
{
	int	 flags;

	ATF_REQUIRE((flags = fcntl(fd, F_GETFL)) != -1);
	return ((flags & O_NONBLOCK) == 0);
}

static long
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* A rule, and every port open for Landlock. */
static void
admit(struct peer *p, const char *rule)
{
	peer_rule(p, NET_OUT, rule, 0, 65535);
	peer_port(p, NET_OUT, 0, 65535);
	peer_run(p);
}

static void
start(const atf_tc_t *tc, struct peer *p, const char *rule)
{
	peer_start(tc, p, 0);
	admit(p, rule);
}

/*
 * A connect that must be refused and not be seen by the listener, on a socket
 * that must be as fresh as before: the same connect without netd succeeds.
 */
static void
refused(struct peer *p, int listener, int fd, const void *addr,
    socklen_t len)
{
	int	 c;

	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(p, fd, addr, len));
	ATF_CHECK(blocks(fd));
	sock_nobody(listener);
	ATF_CHECK_EQ(0, bare(fd, addr, len));
	ATF_REQUIRE((c = accept(listener, NULL, NULL)) != -1);
	close(c);
	close(fd);
}

static void
admitted(struct peer *p, int listener, int fd, const void *addr,
    socklen_t len)
{
	char	 byte = 'x';
	int	 c;

	ATF_CHECK_EQ(0, peer_call(p, fd, addr, len));
	ATF_CHECK(blocks(fd));
	ATF_REQUIRE((c = accept(listener, NULL, NULL)) != -1);
	ATF_CHECK_EQ(1, write(fd, &byte, 1));
	ATF_CHECK_EQ(1, read(c, &byte, 1));
	ATF_CHECK_EQ(EISCONN, bare(fd, addr, len));
	close(c);
	close(fd);
}

ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	struct sockaddr_storage	 one, two, six, ss;
	struct peer		 p;
	socklen_t		 len, len6;
	int			 l1, l2, l6;

	l1 = sock_listener("127.0.0.1", 5, &one, &len);
	l2 = sock_listener("127.0.0.2", 5, &two, &len);
	l6 = sock_listener("::1", 5, &six, &len6);

	start(tc, &p, "127.0.0.1/32");
	admitted(&p, l1, new_socket(AF_INET), &one, len);
	refused(&p, l2, new_socket(AF_INET), &two, len);
	refused(&p, l6, new_socket(AF_INET6), &six, len6);
	/* v4-mapped is IPv4. */
	sock_address("::ffff:127.0.0.1", sock_port(&one), &ss, &len6);
	admitted(&p, l1, new_socket(AF_INET6), &ss, len6);
	sock_address("::ffff:127.0.0.2", sock_port(&two), &ss, &len6);
	refused(&p, l2, new_socket(AF_INET6), &ss, len6);
	peer_stop(&p);

	start(tc, &p, "::1/128");
	admitted(&p, l6, new_socket(AF_INET6), &six, len6);
	refused(&p, l1, new_socket(AF_INET), &one, len);
	sock_address("::ffff:127.0.0.1", sock_port(&one), &ss, &len6);
	refused(&p, l1, new_socket(AF_INET6), &ss, len6);
	peer_stop(&p);

	/* No rule, or none outwards. */
	peer_start(tc, &p, 0);
	peer_port(&p, NET_OUT, 0, 65535);
	peer_rule(&p, NET_IN, "", 0, 65535);
	peer_run(&p);
	refused(&p, l1, new_socket(AF_INET), &one, len);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(ports);
ATF_TC_BODY(ports, tc)
{
	struct sockaddr_storage	 one, two;
	struct peer		 p;
	socklen_t		 len;
	int			 l1, l2, s;

	l1 = sock_listener("127.0.0.1", 5, &one, &len);
	l2 = sock_listener("127.0.0.1", 5, &two, &len);
	peer_start(tc, &p, 0);
	peer_rule(&p, NET_OUT, "127.0.0.1/32", sock_port(&one),
	    sock_port(&one));
	peer_port(&p, NET_OUT, sock_port(&one), sock_port(&one));
	peer_run(&p);
	admitted(&p, l1, new_socket(AF_INET), &one, len);
	refused(&p, l2, new_socket(AF_INET), &two, len);
	peer_stop(&p);

	/* Landlock stands behind the rules. */
	peer_start(tc, &p, 0);
	peer_rule(&p, NET_OUT, "127.0.0.1/32", 0, 65535);
	peer_port(&p, NET_OUT, sock_port(&one), sock_port(&one));
	peer_run(&p);
	admitted(&p, l1, new_socket(AF_INET), &one, len);
	s = new_socket(AF_INET);
	ATF_CHECK_EQ(EACCES, peer_call(&p, s, &two, len));
	ATF_CHECK(blocks(s));
	sock_nobody(l2);
	peer_stop(&p);
}

/* The kernel has destinations of its own for an unspecified one. */
ATF_TC_WITHOUT_HEAD(unspecified);
ATF_TC_BODY(unspecified, tc)
{
	struct sockaddr_storage	 one, five, six, any, any6, mapped, local;
	struct peer		 p;
	socklen_t		 len, len6;
	int			 l1, l5, l6, s;

	l1 = sock_listener("127.0.0.1", 5, &one, &len);
	l5 = sock_listener("127.0.0.5", 5, &five, &len);
	l6 = sock_listener("::1", 5, &six, &len6);

	start(tc, &p, "127.0.0.1/32");
	sock_address("0.0.0.0", sock_port(&one), &any, &len);
	admitted(&p, l1, new_socket(AF_INET), &any, len);
	sock_address("::ffff:0.0.0.0", sock_port(&one), &mapped, &len6);
	admitted(&p, l1, new_socket(AF_INET6), &mapped, len6);
	sock_address("::", sock_port(&six), &any6, &len6);
	refused(&p, l6, new_socket(AF_INET6), &any6, len6);

	/* A bound socket goes to its own address. */
	s = new_socket(AF_INET);
	sock_address("127.0.0.5", 0, &local, &len);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&local, len) == 0);
	sock_address("0.0.0.0", sock_port(&five), &any, &len);
	refused(&p, l5, s, &any, len);
	s = new_socket(AF_INET6);
	sock_address("::ffff:127.0.0.5", 0, &local, &len6);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&local, len6) == 0);
	sock_address("::ffff:0.0.0.0", sock_port(&five), &any, &len6);
	refused(&p, l5, s, &any, len6);
	/* :: is loopback of IPv4 for a socket bound to IPv4. */
	s = new_socket(AF_INET6);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&local, len6) == 0);
	sock_address("::", sock_port(&one), &any6, &len6);
	admitted(&p, l1, s, &any6, len6);
	peer_stop(&p);

	start(tc, &p, "::1/128");
	sock_address("::", sock_port(&six), &any6, &len6);
	admitted(&p, l6, new_socket(AF_INET6), &any6, len6);
	s = new_socket(AF_INET6);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&local, len6) == 0);
	sock_address("::", sock_port(&one), &any6, &len6);
	refused(&p, l1, s, &any6, len6);
	peer_stop(&p);
}

/* UDP to a host that may only be pinged: a name, and not a byte. */
ATF_TC_WITHOUT_HEAD(mute);
ATF_TC_BODY(mute, tc)
{
	static const char	*hosts[] = { "127.0.0.1", "::ffff:127.0.0.1",
				    "127.0.0.2" };
	static const struct sockaddr none;
	struct sockaddr_storage	 ss, to;
	struct peer		 p;
	socklen_t		 len;
	size_t			 i;
	char			 c;
	int			 r, s;

	ATF_REQUIRE((r = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	sock_address("0.0.0.0", 0, &ss, &len);
	ATF_REQUIRE(bind(r, (struct sockaddr *)&ss, len) == 0);
	ATF_REQUIRE(getsockname(r, (struct sockaddr *)&ss, &len) == 0);
	peer_start(tc, &p, 0);
	peer_rule_for(&p, NET_OUT, NET_PROTO(NET_ICMP), "127.0.0.1/32", 0,
	    65535);
	peer_rule_for(&p, NET_OUT, NET_PROTO(NET_UDP), "127.0.0.2/32", 0,
	    65535);
	peer_run(&p);
	for (i = 0; i < 3; i++) {
		sock_address(hosts[i], sock_port(&ss), &to, &len);
		ATF_REQUIRE((s = socket(to.ss_family, SOCK_DGRAM, 0)) != -1);
		ATF_CHECK_EQ(0, peer_call(&p, s, &to, len));
		ATF_CHECK_EQ(i == 2 ? 1 : -1, send(s, "x", 1, MSG_NOSIGNAL));
		if (i == 2)
			break;
		ATF_CHECK_EQ(EPIPE, errno);
		/* No way back, and no other one. */
		ATF_CHECK_EQ(-1, send(s, "x", 1, MSG_NOSIGNAL | MSG_MORE));
		ATF_REQUIRE(connect(s, &none, sizeof(none)) == 0);
		ATF_CHECK_EQ(-1, sendto(s, "x", 1, MSG_NOSIGNAL,
		    (struct sockaddr *)&to, len));
		ATF_CHECK_EQ(EPIPE, errno);
		close(s);
	}
	/* Only the one that was admitted was there. */
	ATF_CHECK_EQ(1, recv(r, &c, 1, 0));
	ATF_CHECK_EQ(-1, recv(r, &c, 1, MSG_DONTWAIT));
	sock_address("127.0.0.3", sock_port(&ss), &to, &len);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p, s, &to, len));
	ATF_CHECK_EQ(1, sendto(s, "x", 1, 0, (struct sockaddr *)&to, len));
	/* Whether there is loopback may be asked, by nobody else's port. */
	for (i = 0; i < 4; i++) {
		sock_address(i % 2 == 0 ? "127.0.0.3" : "::1", i < 2 ? 65535 :
		    65534, &to, &len);
		ATF_REQUIRE((s = socket(to.ss_family, SOCK_DGRAM, 0)) != -1);
		ATF_CHECK_EQ(i < 2 ? 0 : DENIED(ECONNREFUSED),
		    peer_call(&p, s, &to, len));
		if (i < 2)
			ATF_CHECK_ERRNO(EPIPE, send(s, "x", 1,
			    MSG_NOSIGNAL) == -1);
		close(s);
	}
	sock_address("192.0.2.1", 65535, &to, &len);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p, s, &to, len));
	close(s);
	/* TCP is no concern of ICMP's. */
	sock_address("127.0.0.1", sock_port(&ss), &to, &len);
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p,
	    new_socket(AF_INET), &to, len));
	peer_stop(&p);
}

/* Sockets of which netd has no rule, or of a kind for which there is none. */
ATF_TC_WITHOUT_HEAD(other_sockets);
ATF_TC_BODY(other_sockets, tc)
{
	static const struct {
		int	 domain;
		int	 type;
		int	 protocol;
		int	 error;
	} others[] = {
		{ AF_INET, SOCK_DGRAM, 0, ECONNREFUSED },
		{ AF_INET6, SOCK_DGRAM, 0, ECONNREFUSED },
		{ AF_INET, SOCK_DGRAM, 136 /* UDP-Lite */, EACCES },
		{ AF_INET, SOCK_STREAM, 262 /* MPTCP */, EACCES },
		{ AF_INET, SOCK_STREAM, 132 /* SCTP */, EACCES },
		{ AF_INET, SOCK_RAW, 255, EACCES },
		{ AF_UNIX, SOCK_STREAM, 0, EACCES },
		{ AF_UNIX, SOCK_DGRAM, 0, EACCES },
		{ AF_NETLINK, SOCK_RAW, 0, EACCES }
	};
	struct sockaddr_storage	 ss;
	struct sockaddr_un	 sun;
	struct peer		 p;
	socklen_t		 len;
	size_t			 i, tried = 0;
	int			 l, s;

	l = sock_listener("127.0.0.1", 5, &ss, &len);
	start(tc, &p, "");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		s = socket(others[i].domain, others[i].type,
		    others[i].protocol);
		/* Not every kernel or user can make all of them. */
		if (s == -1)
			continue;
		ATF_CHECK_EQ_MSG(DENIED(others[i].error), peer_call(&p, s,
		    &ss, len), "%zu", i);
		ATF_CHECK(blocks(s));
		tried++;
		close(s);
	}
	ATF_CHECK_MSG(tried >= 5, "only %zu kinds", tried);
	sock_nobody(l);

	/* A local one with a listener. */
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, "socket", sizeof(sun.sun_path));
	ATF_REQUIRE((l = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(bind(l, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	ATF_REQUIRE(listen(l, 1) == 0);
	ATF_REQUIRE((s = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(DENIED(EACCES), peer_call(&p, s, &sun, sizeof(sun)));
	sock_nobody(l);
	ATF_CHECK_EQ(0, bare(s, &sun, sizeof(sun)));

	/* No sockets at all. */
	ATF_REQUIRE((s = open("/dev/null", O_RDWR)) != -1);
	ATF_CHECK_EQ(bare(s, &ss, len), peer_call(&p, s, &ss, len));
	ATF_REQUIRE((s = open("/", O_PATH)) != -1);
	ATF_CHECK_EQ(bare(s, &ss, len), peer_call(&p, s, &ss, len));
	peer_stop(&p);
}

/* States of a socket before the call under test. */
enum state {
	FRESH,
	BOUND,
	CONNECTED,
	CONNECTING,
	DONE_UNSEEN,	/* connected, but no call has said so yet */
	FAILED_UNSEEN,
	LISTENING,
	SHUT,
	NSTATES
};

static struct sockaddr_storage	 good, good6, closed, closed6, hole;
static socklen_t		 len4, len6, hole_len;
static int			 good_fd, good6_fd;

/* A port that nobody listens on. */
static void
closed_port(const char *text, struct sockaddr_storage *ss)
{
	socklen_t	 len;
	int		 fd;

	fd = sock_listener(text, 1, ss, &len);
	close(fd);
}

static void
targets(void)
{
	/* Connections pile up there only until drain(). */
	good_fd = sock_listener("127.0.0.1", 100, &good, &len4);
	good6_fd = sock_listener("::1", 100, &good6, &len6);
	closed_port("127.0.0.1", &closed);
	closed_port("::1", &closed6);
	(void)sock_blackhole("127.0.0.1", &hole, &hole_len);
}

static int
state_socket(int domain, enum state state, int nonblock)
{
	struct sockaddr_storage	*ok, *bad, mapped, any;
	socklen_t		 len, mlen;
	int			 fd, flags;

	fd = new_socket(domain);
	ok = domain == AF_INET ? &good : &good6;
	bad = domain == AF_INET ? &closed : &closed6;
	len = domain == AF_INET ? len4 : len6;
	flags = fcntl(fd, F_GETFL);
	ATF_REQUIRE(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
	sock_address(domain == AF_INET ? "127.0.0.1" : "::1", 0, &any, &mlen);
	switch (state) {
	case FRESH:
	case NSTATES:
		break;
	case BOUND:
		ATF_REQUIRE(bind(fd, (struct sockaddr *)&any, mlen) == 0);
		break;
	case CONNECTED:
	case SHUT:
		bare(fd, ok, len);
		ATF_REQUIRE_EQ(0, bare(fd, ok, len));
		if (state == SHUT)
			ATF_REQUIRE(shutdown(fd, SHUT_RDWR) == 0);
		break;
	case CONNECTING:
		if (domain == AF_INET)
			ATF_REQUIRE_EQ(EINPROGRESS, bare(fd, &hole, len4));
		else {
			sock_address("::ffff:127.0.0.1", sock_port(&hole),
			    &mapped, &mlen);
			ATF_REQUIRE_EQ(EINPROGRESS, bare(fd, &mapped, mlen));
		}
		break;
	case DONE_UNSEEN:
		ATF_REQUIRE_EQ(EINPROGRESS, bare(fd, ok, len));
		break;
	case FAILED_UNSEEN:
		ATF_REQUIRE_EQ(EINPROGRESS, bare(fd, bad, len));
		break;
	case LISTENING:
		ATF_REQUIRE(listen(fd, 1) == 0);
		break;
	}
	set_timeout(fd, 20);
	if (!nonblock)
		ATF_REQUIRE(fcntl(fd, F_SETFL, flags) == 0);
	return (fd);
}

/* Make room in the queue of a listener. */
static void
drain(int fd)
{
	int	 c;

	ATF_REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	while ((c = accept(fd, NULL, NULL)) != -1)
		close(c);
}

/* Others wait for room in the queue as well, and may come first. */
static void
drain_until_reply(struct peer *p, int fd)
{
	do {
		drain(fd);
	} while (peer_pending(&p->supervisor, 20) == 0);
}

/* One call on two equal sockets, with and without netd. */
static void
compare(struct peer *p, int domain, enum state state, int nonblock,
    const void *addr, socklen_t len, const char *what)
{
	struct sockaddr_storage	*ok;
	socklen_t		 oklen;
	int			 a, b, ea, eb;

	ok = domain == AF_INET ? &good : &good6;
	oklen = domain == AF_INET ? len4 : len6;
	a = state_socket(domain, state, nonblock);
	b = state_socket(domain, state, nonblock);
	ea = bare(a, addr, len);
	eb = peer_call(p, b, addr, len);
	ATF_CHECK_EQ_MSG(ea, eb, "domain %d state %d nonblock %d %s len %u: "
	    "bare %d, netd %d", domain, state, nonblock, what, len, ea, eb);
	ATF_CHECK_EQ(nonblock, !blocks(b));
	/* And the sockets are in the same state afterwards. */
	ea = bare(a, ok, oklen);
	eb = bare(b, ok, oklen);
	ATF_CHECK_EQ_MSG(ea, eb, "domain %d state %d nonblock %d %s len %u: "
	    "afterwards bare %d, netd %d", domain, state, nonblock, what, len,
	    ea, eb);
	close(a);
	close(b);
	drain(good_fd);
	drain(good6_fd);
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	static const socklen_t	 lengths[] = {
		0, 1, 2, 15, 16, 17, 23, 24, 27, 28, 127, 128
	};
	static const sa_family_t families[] = {
		AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_PACKET, 255, 0xffff
	};
	struct sockaddr_storage	 ss, *ok, *bad;
	struct peer		 p;
	socklen_t		 len;
	size_t			 f, i;
	int			 domain, nonblock, state, v6;

	targets();
	start(tc, &p, "");
	for (v6 = 0; v6 < 2; v6++)
	for (state = FRESH; state < NSTATES; state++)
	for (nonblock = 0; nonblock < 2; nonblock++) {
		domain = v6 ? AF_INET6 : AF_INET;
		ok = v6 ? &good6 : &good;
		bad = v6 ? &closed6 : &closed;
		len = v6 ? len6 : len4;
		compare(&p, domain, state, nonblock, ok, len, "good");
		compare(&p, domain, state, nonblock, bad, len, "closed");
		if (!v6)
			compare(&p, domain, state, nonblock, &hole, hole_len,
			    "hole");
		for (f = 0; f < sizeof(families) / sizeof(families[0]); f++)
			for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]);
			    i++) {
				ss = *ok;
				ss.ss_family = families[f];
				compare(&p, domain, state, nonblock, &ss,
				    lengths[i], "family");
			}
	}
	peer_stop(&p);
}

/* Destinations to which the kernel itself says no. */
ATF_TC_WITHOUT_HEAD(unreachable);
ATF_TC_BODY(unreachable, tc)
{
	static const char *const texts[] = {
		"255.255.255.255", "224.0.0.1", "240.0.0.1", "ff02::1",
		"ff0e::1", "fe80::1"
	};
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	size_t			 i;
	int			 a, b;

	start(tc, &p, "");
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		sock_address(texts[i], 9, &ss, &len);
		a = new_socket(ss.ss_family);
		b = new_socket(ss.ss_family);
		set_timeout(a, 20);
		set_timeout(b, 20);
		ATF_CHECK_EQ_MSG(bare(a, &ss, len), peer_call(&p, b, &ss,
		    len), "%s", texts[i]);
	}
	peer_stop(&p);
}

/* A connect that waits does as the kernel does, and delays nobody. */
ATF_TC_WITHOUT_HEAD(blackhole);
ATF_TC_BODY(blackhole, tc)
{
	struct peer	 p;
	long		 t;
	int		 i, s;

	targets();
	start(tc, &p, "");
	for (i = 1; i <= 50; i++)
		peer_connect(&p, i, new_socket(AF_INET), &hole, hole_len);
	for (i = 0; i < 10; i++) {
		t = now_ms();
		s = new_socket(AF_INET);
		ATF_CHECK_EQ(0, peer_call(&p, s, &good, len4));
		ATF_CHECK_MSG(now_ms() - t < 500, "%ld ms", now_ms() - t);
	}
	ATF_CHECK_EQ(0, peer_pending(&p.supervisor, 20));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(timeout);
ATF_TC_BODY(timeout, tc)
{
	struct peer	 p;
	long		 t;
	int		 s;

	targets();
	start(tc, &p, "");
	s = new_socket(AF_INET);
	set_timeout(s, 200);
	t = now_ms();
	ATF_CHECK_EQ(EINPROGRESS, peer_call(&p, s, &hole, hole_len));
	t = now_ms() - t;
	ATF_CHECK_MSG(t >= 190 && t < 2000, "%ld ms", t);
	ATF_CHECK(blocks(s));
	/* As the kernel has it for the second one. */
	ATF_CHECK_EQ(EALREADY, peer_call(&p, s, &hole, hole_len));
	ATF_CHECK(blocks(s));
	peer_stop(&p);
}

/* Wait for the next stop of a traced netd; the signal, or SIGTRAP | 0x80. */
static int
stopped(const struct peer *p)
{
	int	 status;

	ATF_REQUIRE_EQ(p->pid, waitpid(p->pid, &status, 0));
	ATF_REQUIRE_MSG(WIFSTOPPED(status), "%#x", status);
	return (WSTOPSIG(status));
}

#define KERNEL_ERESTARTSYS	512	/* of a call that a signal ended */

/*
 * The number of the system call that a stop is at the end of, or if it has
 * no end yet the negative number; and whether a signal ended its wait.
 */
static long
stopped_at(const struct peer *p, int *interrupted)
{
	static long			 nr;
	struct __ptrace_syscall_info	 info;

	ATF_REQUIRE(ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info),
	    &info) > 0);
	*interrupted = 0;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		*interrupted = info.exit.rval == -KERNEL_ERESTARTSYS;
		return (nr);
	}
	ATF_REQUIRE_EQ(PTRACE_SYSCALL_INFO_ENTRY, info.op);
	nr = info.entry.nr;
	return (-nr);
}

/*
 * Ask a traced netd for a connect and follow it until it waits for more.  Who
 * comes to the listener after a connect(2), if it is not -1, is reset at once.
 * Returns how many connects waited until they were interrupted; an alarm that
 * comes while netd is stopped here is none of that.
 */
static int
traced_connect(struct peer *p, uint32_t id, int fd, const void *addr,
    socklen_t len, int listener)
{
	const struct linger	 reset = { 1, 0 };
	long			 nr = 0;
	int			 c, connects = 0, interrupted, sig, waits = 0;

	ATF_REQUIRE(ptrace(PTRACE_INTERRUPT, p->pid, NULL, NULL) == 0);
	ATF_REQUIRE_EQ(SIGTRAP, stopped(p));
	peer_connect(p, id, fd, addr, len);
	for (sig = 0; connects == 0 || nr != -SYS_poll; ) {
		ATF_REQUIRE(ptrace(PTRACE_SYSCALL, p->pid, NULL, sig) == 0);
		if ((sig = stopped(p)) == SIGALRM)
			continue;
		ATF_REQUIRE_EQ(SIGTRAP | 0x80, sig);
		sig = 0;
		if ((nr = stopped_at(p, &interrupted)) != SYS_connect)
			continue;
		connects++;
		waits += interrupted;
		if (listener != -1 &&
		    (c = accept(listener, NULL, NULL)) != -1) {
			ATF_REQUIRE(setsockopt(c, SOL_SOCKET, SO_LINGER,
			    &reset, sizeof(reset)) == 0);
			close(c);
		}
	}
	ATF_REQUIRE(ptrace(PTRACE_CONT, p->pid, NULL, NULL) == 0);
	return (waits);
}

/* What has been there is no failed connect, however soon it has ended. */
ATF_TC_WITHOUT_HEAD(reset);
ATF_TC_BODY(reset, tc)
{
	struct peer	 p;
	char		 c;
	int		 i, s, waited = 1;

	targets();
	ATF_REQUIRE(fcntl(good_fd, F_SETFL, O_NONBLOCK) == 0);
	/* On a busy machine one may wait for its handshake. */
	for (i = 0; waited && i < 10; i++) {
		peer_start_traced(tc, &p);
		admit(&p, "");
		s = new_socket(AF_INET);
		waited = traced_connect(&p, 1, s, &good, len4, good_fd);
		if (!waited) {
			ATF_CHECK_EQ(0, peer_reply(&p, 1));
			ATF_CHECK(blocks(s));
			ATF_CHECK_ERRNO(ECONNRESET, read(s, &c, 1) == -1);
		}
		close(s);
		peer_stop(&p);
	}
	ATF_CHECK(!waited);
}

/*
 * A connect to this machine that does wait is interrupted, but not one after
 * the other.
 */
ATF_TC_WITHOUT_HEAD(interrupted);
ATF_TC_BODY(interrupted, tc)
{
	struct peer	 p;
	long		 t;
	int		 i, s, waits = 0;

	targets();
	peer_start_traced(tc, &p);
	admit(&p, "");
	t = now_ms();
	for (i = 1; i <= 20; i++) {
		s = new_socket(AF_INET);
		waits += traced_connect(&p, i, s, &hole, hole_len, -1);
		ATF_CHECK(!blocks(s));
	}
	t = (now_ms() - t) / 1000;
	ATF_CHECK_MSG(waits >= 1, "none");
	ATF_CHECK_MSG(waits <= t + 1, "%d in %ld s", waits, t);
	peer_stop(&p);
}

/* To another host no connect is made so. */
ATF_TC_WITHOUT_HEAD(elsewhere);
ATF_TC_BODY(elsewhere, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 s;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		atf_tc_skip("no user namespaces: %s", strerror(errno));
	sock_interface("lo", NULL);
	sock_interface("lo:1", "198.51.100.9");
	(void)sock_blackhole("198.51.100.9", &ss, &len);
	peer_start_traced(tc, &p);
	admit(&p, "");
	s = new_socket(AF_INET);
	ATF_CHECK_EQ(0, traced_connect(&p, 1, s, &ss, len, -1));
	ATF_CHECK(!blocks(s));
	peer_stop(&p);
}

/* One that was under way before is answered as that. */
ATF_TC_WITHOUT_HEAD(under_way);
ATF_TC_BODY(under_way, tc)
{
	struct peer	 p;
	int		 s;

	targets();
	start(tc, &p, "");
	s = new_socket(AF_INET);
	ATF_REQUIRE(fcntl(s, F_SETFL, O_NONBLOCK) == 0);
	ATF_REQUIRE_EQ(EINPROGRESS, bare(s, &hole, hole_len));
	ATF_REQUIRE(fcntl(s, F_SETFL, 0) == 0);
	set_timeout(s, 50);
	ATF_CHECK_EQ(EALREADY, peer_call(&p, s, &hole, hole_len));
	ATF_CHECK(blocks(s));
	close(s);
	s = new_socket(AF_INET);
	set_timeout(s, 50);
	ATF_CHECK_EQ(EINPROGRESS, peer_call(&p, s, &hole, hole_len));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(completes_later);
ATF_TC_BODY(completes_later, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 l, s;

	/* The queue gets room, and the SYN is sent again after a second. */
	l = sock_blackhole("127.0.0.1", &ss, &len);
	start(tc, &p, "");
	s = new_socket(AF_INET);
	peer_connect(&p, 5, s, &ss, len);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 50));
	ATF_CHECK(!blocks(s));
	drain_until_reply(&p, l);
	ATF_CHECK_EQ(0, peer_reply(&p, 5));
	ATF_CHECK(blocks(s));
	ATF_CHECK_EQ(EISCONN, bare(s, &ss, len));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(fails_later);
ATF_TC_BODY(fails_later, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 l, s;

	targets();
	l = sock_blackhole("127.0.0.1", &ss, &len);
	start(tc, &p, "");
	s = new_socket(AF_INET);
	peer_connect(&p, 5, s, &ss, len);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 50));
	close(l);
	ATF_CHECK_EQ(ECONNREFUSED, peer_reply(&p, 5));
	ATF_CHECK(blocks(s));
	/* Linux lets the same socket try again. */
	ATF_CHECK_EQ(0, peer_call(&p, s, &good, len4));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(cancel);
ATF_TC_BODY(cancel, tc)
{
	struct peer	 p;
	int		 a, b;

	targets();
	start(tc, &p, "");
	a = new_socket(AF_INET);
	b = new_socket(AF_INET);
	peer_connect(&p, 1, a, &hole, hole_len);
	peer_connect(&p, 2, b, &hole, hole_len);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 50));
	ATF_CHECK(!blocks(a));
	peer_cancel(&p, 1);
	/* Unknown ones: the reply was on its way. */
	peer_cancel(&p, 1);
	peer_cancel(&p, 77);
	ATF_CHECK_EQ(0, peer_call(&p, new_socket(AF_INET), &good, len4));
	ATF_CHECK(blocks(a));
	ATF_CHECK(!blocks(b));
	ATF_CHECK_EQ(0, peer_pending(&p.supervisor, 20));
	/* The connect goes on, as after a signal. */
	set_timeout(a, 20);
	ATF_CHECK_EQ(EALREADY, bare(a, &hole, hole_len));
	/* The id is free again. */
	ATF_CHECK_EQ(0, peer_pending(&p.supervisor, 0));
	peer_connect(&p, 1, a, &good, len4);
	ATF_CHECK_EQ(EALREADY, peer_reply(&p, 1));
	peer_stop(&p);
}

/* netd's end gives the sockets back as they were. */
ATF_TC_WITHOUT_HEAD(end_restores);
ATF_TC_BODY(end_restores, tc)
{
	struct peer	 p;
	int		 s;

	targets();
	start(tc, &p, "");
	s = new_socket(AF_INET);
	peer_connect(&p, 1, s, &hole, hole_len);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 50));
	ATF_CHECK(!blocks(s));
	peer_stop(&p);
	ATF_CHECK(blocks(s));
}

/* Two threads of the workload on one socket. */
ATF_TC_WITHOUT_HEAD(same_socket);
ATF_TC_BODY(same_socket, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	struct imsg		 imsg;
	socklen_t		 len;
	int			 i, l, s, value;

	targets();
	l = sock_blackhole("127.0.0.1", &ss, &len);
	start(tc, &p, "");
	s = new_socket(AF_INET);
	peer_connect(&p, 1, s, &ss, len);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 50));
	/* It still blocks for the second one. */
	peer_connect(&p, 2, s, &ss, len);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 50));
	/* The first one going leaves the second one waiting. */
	peer_connect(&p, 3, s, &ss, len);
	peer_cancel(&p, 3);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 50));
	ATF_CHECK(!blocks(s));
	drain_until_reply(&p, l);
	for (i = 0; i < 2; i++) {
		ATF_CHECK_EQ(IMSG_NET_REPLY, peer_next(&p.supervisor,
		    &imsg));
		ATF_REQUIRE(proto_recv_value(&imsg, &value) == 0);
		ATF_CHECK_EQ(0, value);
		imsg_free(&imsg);
	}
	ATF_CHECK(blocks(s));
	ATF_CHECK_EQ(EISCONN, bare(s, &ss, len));
	peer_stop(&p);
}

struct thread {
	pthread_t	 thread;
	int		 fd;
	int		 error;
};

static void *
thread_connect(void *arg)
{
	struct thread	*t = arg;

	t->error = bare(t->fd, &hole, hole_len);
	return (NULL);
}

/* Wait until a connect of another thread has sent its SYN. */
static void
wait_connecting(int fd)
{
	struct tcp_info	 info;
	socklen_t	 len;

	do {
		len = sizeof(info);
		ATF_REQUIRE(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info,
		    &len) == 0);
		usleep(1000);
	} while (info.tcpi_state != TCP_SYN_SENT);
	usleep(20000);
}

/* shutdown(2) and AF_UNSPEC from another thread end a connect. */
ATF_TC_WITHOUT_HEAD(ended_by_thread);
ATF_TC_BODY(ended_by_thread, tc)
{
	struct sockaddr	 unspec;
	struct thread	 t;
	struct peer	 p;
	int		 fd;

	memset(&unspec, 0, sizeof(unspec));
	targets();
	start(tc, &p, "");

	t.fd = new_socket(AF_INET);
	pthread_create(&t.thread, NULL, thread_connect, &t);
	wait_connecting(t.fd);
	ATF_REQUIRE(shutdown(t.fd, SHUT_RDWR) == 0);
	pthread_join(t.thread, NULL);
	fd = new_socket(AF_INET);
	peer_connect(&p, 1, fd, &hole, hole_len);
	wait_connecting(fd);
	ATF_REQUIRE(shutdown(fd, SHUT_RDWR) == 0);
	ATF_CHECK_EQ(t.error, peer_reply(&p, 1));
	ATF_CHECK(blocks(fd));
	ATF_CHECK_EQ(bare(t.fd, &good, len4), bare(fd, &good, len4));

	t.fd = new_socket(AF_INET);
	pthread_create(&t.thread, NULL, thread_connect, &t);
	wait_connecting(t.fd);
	ATF_REQUIRE_EQ(0, bare(t.fd, &unspec, sizeof(unspec)));
	pthread_join(t.thread, NULL);
	fd = new_socket(AF_INET);
	peer_connect(&p, 1, fd, &hole, hole_len);
	wait_connecting(fd);
	peer_connect(&p, 2, fd, &unspec, sizeof(unspec));
	ATF_CHECK_EQ(t.error, peer_reply(&p, 1));
	ATF_CHECK_EQ(0, peer_reply(&p, 2));
	ATF_CHECK(blocks(fd));
	ATF_CHECK_EQ(bare(t.fd, &good, len4), bare(fd, &good, len4));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(fast_open);
ATF_TC_BODY(fast_open, tc)
{
	struct sockaddr_storage	 one, two;
	struct peer		 p;
	socklen_t		 len;
	char			 byte = 'x';
	int			 c, l1, l2, on = 1, s;

	l1 = sock_listener("127.0.0.1", 5, &one, &len);
	l2 = sock_listener("127.0.0.2", 5, &two, &len);
	start(tc, &p, "127.0.0.1/32");
	s = new_socket(AF_INET);
	ATF_REQUIRE(setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on,
	    sizeof(on)) == 0);
	ATF_CHECK_EQ(0, peer_call(&p, s, &one, len));
	ATF_CHECK_EQ(1, write(s, &byte, 1));
	ATF_REQUIRE((c = accept(l1, NULL, NULL)) != -1);
	ATF_CHECK_EQ(1, read(c, &byte, 1));

	s = new_socket(AF_INET);
	ATF_REQUIRE(setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on,
	    sizeof(on)) == 0);
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p, s, &two, len));
	ATF_CHECK_ERRNO(EPIPE, write(s, &byte, 1) == -1);
	sock_nobody(l2);
	peer_stop(&p);
}

/* A source route leads by way of a host that no rule admits. */
ATF_TC_WITHOUT_HEAD(source_route);
ATF_TC_BODY(source_route, tc)
{
	static const uint8_t	 route[] = {
		IPOPT_NOP, IPOPT_LSRR, 7, 4, 127, 0, 0, 9
	}, record[] = {
		IPOPT_NOP, IPOPT_RR, 7, 4, 0, 0, 0, 0
	};
	struct {
		uint8_t		 next, len, type, left, first, flags;
		uint16_t	 tag;
		struct in6_addr	 segments[2];
	} srh;
	struct peer	 p;
	int		 s, tried = 0;

	targets();
	start(tc, &p, "");
	s = new_socket(AF_INET);
	if (setsockopt(s, IPPROTO_IP, IP_OPTIONS, route,
	    sizeof(route)) == 0) {
		ATF_CHECK_EQ(DENIED(EACCES), peer_call(&p, s, &good, len4));
		tried++;
	}
	/* Other options are no reason to refuse. */
	s = new_socket(AF_INET);
	ATF_REQUIRE(setsockopt(s, IPPROTO_IP, IP_OPTIONS, record,
	    sizeof(record)) == 0);
	ATF_CHECK_EQ(0, peer_call(&p, s, &good, len4));

	memset(&srh, 0, sizeof(srh));
	srh.len = 4;
	srh.type = 4;
	srh.left = srh.first = 1;
	s = new_socket(AF_INET6);
	if (setsockopt(s, IPPROTO_IPV6, IPV6_RTHDR, &srh,
	    sizeof(srh)) == 0) {
		ATF_CHECK_EQ(DENIED(EACCES), peer_call(&p, s, &good6, len6));
		tried++;
	}
	if (tried == 0)
		atf_tc_skip("this kernel lets nobody set a source route");
	peer_stop(&p);
}

/* Running out of descriptors is an error of a request, not the end. */
ATF_TC_WITHOUT_HEAD(shortage);
ATF_TC_BODY(shortage, tc)
{
	struct peer	 p;
	struct imsg	 imsg;
	int		 i, value;

	targets();
	peer_start(tc, &p, 32);
	peer_rule(&p, NET_OUT, "", 0, 65535);
	peer_port(&p, NET_OUT, 0, 65535);
	peer_run(&p);
	for (i = 1; i <= 40; i++)
		peer_connect(&p, i, new_socket(AF_INET), &hole, hole_len);
	/* 16 wait, the others fail. */
	for (i = 0; i < 24; i++) {
		ATF_REQUIRE_EQ(IMSG_NET_REPLY, peer_next(&p.supervisor,
		    &imsg));
		ATF_REQUIRE(proto_recv_value(&imsg, &value) == 0);
		ATF_CHECK_EQ(ENOBUFS, value);
		ATF_CHECK(imsg_get_id(&imsg) > 16);
		imsg_free(&imsg);
	}
	ATF_CHECK_EQ(0, peer_pending(&p.supervisor, 20));
	peer_cancel(&p, 1);
	ATF_CHECK_EQ(0, peer_call(&p, new_socket(AF_INET), &good, len4));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(thousand);
ATF_TC_BODY(thousand, tc)
{
	struct peer	 p;
	char		 rss[64];
	int		 fds[1000], i;

	targets();
	start(tc, &p, "");
	for (i = 0; i < 1000; i++) {
		fds[i] = new_socket(AF_INET);
		peer_connect(&p, i, fds[i], &hole, hole_len);
		close(fds[i]);
	}
	ATF_CHECK_EQ(0, peer_call(&p, new_socket(AF_INET), &good, len4));
	peer_status(p.pid, "VmRSS", rss, sizeof(rss));
	ATF_CHECK_MSG(strtol(rss, NULL, 10) < 10240, "%s", rss);
	for (i = 0; i < 1000; i++)
		peer_cancel(&p, i);
	ATF_CHECK_EQ(0, peer_call(&p, new_socket(AF_INET), &good, len4));
	ATF_CHECK_EQ(0, peer_pending(&p.supervisor, 0));
	peer_stop(&p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, ports);
	ATF_TP_ADD_TC(tp, unspecified);
	ATF_TP_ADD_TC(tp, mute);
	ATF_TP_ADD_TC(tp, other_sockets);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, unreachable);
	ATF_TP_ADD_TC(tp, blackhole);
	ATF_TP_ADD_TC(tp, timeout);
	ATF_TP_ADD_TC(tp, reset);
	ATF_TP_ADD_TC(tp, interrupted);
	ATF_TP_ADD_TC(tp, elsewhere);
	ATF_TP_ADD_TC(tp, under_way);
	ATF_TP_ADD_TC(tp, completes_later);
	ATF_TP_ADD_TC(tp, fails_later);
	ATF_TP_ADD_TC(tp, cancel);
	ATF_TP_ADD_TC(tp, end_restores);
	ATF_TP_ADD_TC(tp, same_socket);
	ATF_TP_ADD_TC(tp, ended_by_thread);
	ATF_TP_ADD_TC(tp, fast_open);
	ATF_TP_ADD_TC(tp, source_route);
	ATF_TP_ADD_TC(tp, shortage);
	ATF_TP_ADD_TC(tp, thousand);
	return (atf_no_error());
}
