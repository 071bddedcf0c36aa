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
 * bind(2) on behalf: which ports, whose ports, and ports of a sandbox's own.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/ip.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

#define REFUSED	(EACCES | PROTO_DENIED)

static struct port_binding	 told;	/* of the last bind */

static void
start(const atf_tc_t *tc, struct peer *p, int remap, unsigned int protos,
    uint16_t lo, uint16_t hi)
{
	peer_start(tc, p, 0);
	peer_rule_for(p, NET_OUT, NET_PROTO_ALL, "", 0, 65535);
	peer_rule_for(p, NET_IN, protos, "", lo, hi);
	if (protos & NET_PROTO(NET_TCP))
		peer_port(p, NET_IN, lo, hi);
	peer_port(p, NET_OUT, 0, 65535);
	peer_binds(p, remap);
	peer_run(p);
}

static void
set(int fd, int level, int name, int on)
{
	ATF_REQUIRE(setsockopt(fd, level, name, &on, sizeof(on)) == 0);
}

static int
domain_of(const char *addr)
{
	return (strchr(addr, ':') != NULL ? AF_INET6 : AF_INET);
}

static int
call(struct peer *p, int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;

	sock_address(addr, port, &ss, &len);
	return (peer_bind(p, fd, &ss, len, &told));
}

static int
bare(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;

	sock_address(addr, port, &ss, &len);
	return (bind(fd, (struct sockaddr *)&ss, len) == -1 ? errno : 0);
}

/* The same calls to netd and to the kernel. */
ATF_TC_WITHOUT_HEAD(errnos);
ATF_TC_BODY(errnos, tc)
{
	static const socklen_t	 lens[] = { 0, 1, 2, 3, 8, 15, 16, 20, 23, 24,
				    27, 28, 29, 128 };
	static const int	 families[] = { AF_UNSPEC, AF_UNIX, AF_INET,
				    AF_INET6, 255 };
	static const char *const addrs[] = { "0.0.0.0", "127.0.0.1",
				    "192.0.2.1", "::", "::1", "2001:db8::1",
				    "fe80::1", "::ffff:127.0.0.1",
				    "::ffff:192.0.2.1", "224.0.0.1",
				    "255.255.255.255" };
	static const int	 domains[] = { AF_INET, AF_INET6 };
	static const int	 types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	size_t			 a, d, f, l, t;
	int			 fd, got, want;

	start(tc, &p, 0, NET_PROTO_PORTS, 0, 65535);
	for (d = 0; d < 2; d++)
	for (t = 0; t < 2; t++)
	for (a = 0; a < sizeof(addrs) / sizeof(addrs[0]); a++)
	for (f = 0; f < sizeof(families) / sizeof(families[0]); f++)
	for (l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
		sock_address(addrs[a], 0, &ss, &len);
		ss.ss_family = families[f];
		fd = sock_new(domains[d], types[t]);
		want = bind(fd, (struct sockaddr *)&ss, lens[l]) == -1 ?
		    errno : 0;
		close(fd);
		fd = sock_new(domains[d], types[t]);
		got = peer_bind(&p, fd, &ss, lens[l], &told);
		ATF_CHECK_EQ_MSG(want, got, "%s, family %d, length %u, domain "
		    "%d, type %d: %d, not %d", addrs[a], families[f], lens[l],
		    domains[d], types[t], got, want);
		ATF_CHECK_EQ(want == 0, sock_local_port(fd) != 0);
		close(fd);
	}
	/* Bound already; no such socket. */
	for (t = 0; t < 2; t++)
	for (d = 0; d < 2; d++)
	for (a = 0; a < sizeof(addrs) / sizeof(addrs[0]); a++) {
		fd = sock_new(domains[d], types[t]);
		ATF_CHECK_EQ(0, call(&p, fd, d == 0 ? "127.0.0.1" : "::1",
		    0));
		want = bare(fd, addrs[a], 0);
		got = call(&p, fd, addrs[a], 0);
		ATF_CHECK(want != 0);
		ATF_CHECK_EQ_MSG(want, got, "%s again, domain %d, type %d: "
		    "%d, not %d", addrs[a], domains[d], types[t], got, want);
		close(fd);
	}
	ATF_REQUIRE((fd = open("/dev/null", O_RDWR)) != -1);
	ATF_CHECK_EQ(ENOTSOCK, call(&p, fd, "127.0.0.1", 0));
	close(fd);
	ATF_REQUIRE((fd = open("/", O_PATH)) != -1);
	ATF_CHECK_EQ(EBADF, call(&p, fd, "127.0.0.1", 0));
	close(fd);
	fd = sock_new(AF_UNIX, SOCK_STREAM);
	ATF_CHECK_EQ(REFUSED, call(&p, fd, "127.0.0.1", 0));
	close(fd);
	if ((fd = socket(AF_INET, SOCK_STREAM, 262)) != -1) {
		ATF_CHECK_EQ(REFUSED, call(&p, fd, "127.0.0.1", 0));
		ATF_CHECK_EQ(0, sock_local_port(fd));
		close(fd);
	}
	/* Privileged ports: whatever the kernel says. */
	for (t = 0; t < 2; t++) {
		fd = sock_new(AF_INET, types[t]);
		want = bare(fd, "127.0.0.3", 1);
		close(fd);
		fd = sock_new(AF_INET, types[t]);
		got = call(&p, fd, "127.0.0.3", 1);
		/* netd has no capability. */
		ATF_CHECK(got == want || (geteuid() == 0 && got == EACCES));
		close(fd);
	}
	/* An address now, and a port when it is needed. */
	fd = sock_new(AF_INET, SOCK_STREAM);
	set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	ATF_CHECK_EQ(0, call(&p, fd, "127.0.0.1", 0));
	ATF_CHECK_EQ(0, sock_local_port(fd));
	close(fd);
	peer_stop(&p);
}

/*
 * A socket that has a port by other ways than bind, and one that has none any
 * more, with a port that is taken.
 */
ATF_TC_WITHOUT_HEAD(connected);
ATF_TC_BODY(connected, tc)
{
	static const int	 types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct sockaddr_storage	 ss;
	struct sockaddr		 none = { .sa_family = AF_UNSPEC };
	struct peer		 p;
	socklen_t		 len;
	size_t			 t;
	int			 fd, listener;

	start(tc, &p, 0, NET_PROTO_PORTS, 0, 65535);
	listener = sock_listener("127.0.0.1", 5, &ss, &len);
	for (t = 0; t < 2; t++) {
		fd = sock_new(AF_INET, types[t]);
		ATF_REQUIRE(connect(fd, (struct sockaddr *)&ss, len) == 0);
		ATF_CHECK_EQ(EINVAL, bare(fd, "127.0.0.1", sock_port(&ss)));
		ATF_CHECK_EQ(EINVAL, call(&p, fd, "127.0.0.1",
		    sock_port(&ss)));
		ATF_REQUIRE(connect(fd, &none, sizeof(none)) == 0);
		if (types[t] == SOCK_STREAM)
			ATF_CHECK_EQ(EADDRINUSE, call(&p, fd, "127.0.0.1",
			    sock_port(&ss)));
		ATF_CHECK_EQ(0, call(&p, fd, "127.0.0.1", 0));
		close(fd);
	}
	close(listener);
	/* A connect that failed leaves no port. */
	fd = sock_new(AF_INET, SOCK_STREAM);
	ATF_REQUIRE(connect(fd, (struct sockaddr *)&ss, len) == -1);
	ATF_CHECK_EQ(0, call(&p, fd, "127.0.0.1", 0));
	ATF_CHECK(sock_local_port(fd) != 0);
	close(fd);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(rules);
ATF_TC_BODY(rules, tc)
{
	static const int	 types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct peer		 p;
	uint16_t		 port;
	size_t			 t;
	int			 fd;

	/*
	 * By port, in both protocols; port 0 needs to be among them, but for
	 * what may connect somewhere.
	 */
	port = sock_free_port();
	peer_start(tc, &p, 0);
	peer_binds(&p, 0);
	peer_rule_for(&p, NET_OUT, NET_PROTO(NET_TCP), "", 0, 65535);
	peer_rule_for(&p, NET_IN, NET_PROTO_PORTS, "", port, port);
	peer_port(&p, NET_IN, port, port);
	peer_run(&p);
	for (t = 0; t < 2; t++) {
		fd = sock_new(AF_INET, types[t]);
		ATF_CHECK_EQ(REFUSED, call(&p, fd, "127.0.0.1", port + 1));
		ATF_CHECK_EQ(0, sock_local_port(fd));
		if (types[t] == SOCK_DGRAM)
			ATF_CHECK_EQ(REFUSED, call(&p, fd, "127.0.0.1", 0));
		ATF_CHECK_EQ(0, call(&p, fd, "127.0.0.1", port));
		ATF_CHECK_EQ(port, sock_local_port(fd));
		ATF_CHECK_EQ(0, told.real);
		close(fd);
		fd = sock_new(AF_INET6, types[t]);
		ATF_CHECK_EQ(types[t] == SOCK_STREAM ? 0 : REFUSED, call(&p,
		    fd, "::ffff:127.0.0.1", 0));
		/* That has none until it connects. */
		ATF_CHECK_EQ(0, sock_local_port(fd));
		close(fd);
		fd = sock_new(AF_INET6, types[t]);
		ATF_CHECK_EQ(0, call(&p, fd, "::ffff:127.0.0.1", port));
		close(fd);
	}
	peer_stop(&p);

	/* What may send has a port of the kernel's choice, and may ask. */
	peer_start(tc, &p, 0);
	peer_binds(&p, 0);
	peer_rule_for(&p, NET_OUT, NET_PROTO(NET_UDP), "192.0.2.1/32", 1, 1);
	peer_run(&p);
	fd = sock_new(AF_INET, SOCK_DGRAM);
	ATF_CHECK_EQ(REFUSED, call(&p, fd, "127.0.0.1", port));
	ATF_CHECK_EQ(0, call(&p, fd, "0.0.0.0", 0));
	ATF_CHECK(sock_local_port(fd) != 0);
	close(fd);
	fd = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(REFUSED, call(&p, fd, "0.0.0.0", 0));
	close(fd);
	peer_stop(&p);

	/* What blocks lets nobody out. */
	peer_start(tc, &p, 0);
	peer_binds(&p, 0);
	p.block = 1;
	peer_rule_for(&p, NET_OUT, NET_PROTO_PORTS, "192.0.2.1/32", 1, 1);
	peer_run(&p);
	for (t = 0; t < 2; t++) {
		fd = sock_new(AF_INET, types[t]);
		ATF_CHECK_EQ(REFUSED, call(&p, fd, "127.0.0.1", 0));
		close(fd);
	}
	peer_stop(&p);

	/* By protocol. */
	for (t = 0; t < 2; t++) {
		start(tc, &p, 0, t == 0 ? NET_PROTO(NET_TCP) :
		    NET_PROTO(NET_UDP), 0, 65535);
		fd = sock_new(AF_INET, types[!t]);
		ATF_CHECK_EQ(REFUSED, call(&p, fd, "127.0.0.1", port));
		ATF_CHECK_EQ(0, sock_local_port(fd));
		ATF_CHECK_EQ(0, bare(fd, "127.0.0.1", port));
		close(fd);
		fd = sock_new(AF_INET, types[t]);
		ATF_CHECK_EQ(0, call(&p, fd, "127.0.0.1", port));
		close(fd);
		peer_stop(&p);
	}
}

/* A port of the kernel's choice is not given back when a connect fails. */
ATF_TC_WITHOUT_HEAD(kept);
ATF_TC_BODY(kept, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	uint16_t		 port;
	int			 a, host;

	start(tc, &p, 0, NET_PROTO_PORTS, 0, 65535);
	a = sock_new(AF_INET, SOCK_STREAM);
	set(a, SOL_SOCKET, SO_REUSEPORT, 1);
	ATF_CHECK_EQ(0, call(&p, a, "127.0.0.1", 0));
	ATF_REQUIRE((port = sock_local_port(a)) != 0);
	sock_address("127.0.0.1", sock_free_port(), &ss, &len);
	ATF_REQUIRE_ERRNO(ECONNREFUSED, connect(a, (struct sockaddr *)&ss,
	    len) == -1);
	ATF_CHECK_EQ(port, sock_local_port(a));
	host = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(EADDRINUSE, bare(host, "127.0.0.1", port));
	close(host);
	close(a);
	peer_stop(&p);
}

/* What the kernel would do by itself when a datagram is sent. */
ATF_TC_WITHOUT_HEAD(first);
ATF_TC_BODY(first, tc)
{
	static const struct sockaddr	 none;
	struct sockaddr_storage		 ss;
	struct peer			 p;
	socklen_t			 len;
	uint16_t			 port;
	int				 fd, on;

	start(tc, &p, 0, NET_PROTO(NET_TCP), 1, 1);
	sock_address("127.0.0.1", sock_free_port(), &ss, &len);
	for (on = 0; on < 2; on++) {
		fd = sock_new(AF_INET, SOCK_DGRAM);
		set(fd, SOL_SOCKET, SO_REUSEADDR, on);
		ATF_CHECK_EQ(0, peer_call(&p, fd, &ss, len));
		ATF_CHECK((port = sock_local_port(fd)) != 0);
		ATF_REQUIRE(connect(fd, &none, sizeof(none)) == 0);
		/* One that shares has it for good, as it is nobody's else. */
		ATF_CHECK_EQ(on ? port : 0, sock_local_port(fd));
		close(fd);
	}
	peer_stop(&p);
}

/* A port that comes later is for an address of this host all the same. */
ATF_TC_WITHOUT_HEAD(later);
ATF_TC_BODY(later, tc)
{
	static const int	 types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct peer		 p;
	socklen_t		 len = sizeof(int);
	int			 fd, kept, on;
	size_t			 t;

	start(tc, &p, 0, NET_PROTO(NET_TCP), 1, 1);
	for (t = 0; t < 2; t++)
		for (on = 0; on < 2; on++) {
			fd = sock_new(AF_INET, types[t]);
			set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, on);
			set(fd, IPPROTO_IP, IP_FREEBIND, 1);
			ATF_CHECK_EQ(EADDRNOTAVAIL, call(&p, fd,
			    "203.0.113.77", 0));
			ATF_CHECK_EQ(0, call(&p, fd, "127.0.0.1", 0));
			ATF_CHECK_EQ(types[t] == SOCK_STREAM,
			    sock_local_port(fd) == 0);
			ATF_REQUIRE(getsockopt(fd, IPPROTO_IP,
			    IP_BIND_ADDRESS_NO_PORT, &kept, &len) == 0);
			ATF_CHECK_EQ(on, kept);
			close(fd);
		}
	peer_stop(&p);
}

/* Nobody's port is shared but the workload's own. */
static void
check_sharing(struct peer *p, int type, const char *addr, int option)
{
	uint16_t	 port = sock_free_port();
	int		 a, b, out;

	out = sock_new(domain_of(addr), type);
	set(out, SOL_SOCKET, option, 1);
	ATF_REQUIRE_EQ(0, bare(out, addr, port));
	if (type == SOCK_STREAM)
		ATF_REQUIRE(listen(out, 5) == 0);

	a = sock_new(domain_of(addr), type);
	set(a, SOL_SOCKET, option, 1);
	ATF_CHECK_EQ_MSG(EADDRINUSE, call(p, a, addr, port), "%s, type %d, "
	    "option %d", addr, type, option);
	ATF_CHECK_EQ(0, sock_local_port(a));
	/* Without netd it could be. */
	ATF_CHECK_EQ(type == SOCK_STREAM && option == SO_REUSEADDR ?
	    EADDRINUSE : 0, bare(a, addr, port));
	close(a);
	close(out);

	/* Its own it may share, under the kernel's conditions. */
	a = sock_new(domain_of(addr), type);
	b = sock_new(domain_of(addr), type);
	set(a, SOL_SOCKET, option, 1);
	ATF_CHECK_EQ(0, call(p, a, addr, port));
	ATF_CHECK_EQ(EADDRINUSE, call(p, b, addr, port));
	set(b, SOL_SOCKET, option, 1);
	ATF_CHECK_EQ(0, call(p, b, addr, port));
	ATF_CHECK_EQ(port, sock_local_port(b));
	close(a);
	close(b);
}

ATF_TC_WITHOUT_HEAD(sharing);
ATF_TC_BODY(sharing, tc)
{
	static const char *const addrs[] = { "127.0.0.1", "0.0.0.0", "::1",
				    "::" };
	struct peer		 p;
	size_t			 i;

	start(tc, &p, 0, NET_PROTO_PORTS, 0, 65535);
	for (i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		check_sharing(&p, SOCK_DGRAM, addrs[i], SO_REUSEPORT);
		check_sharing(&p, SOCK_DGRAM, addrs[i], SO_REUSEADDR);
		check_sharing(&p, SOCK_STREAM, addrs[i], SO_REUSEPORT);
	}
	check_sharing(&p, SOCK_STREAM, "127.0.0.1", SO_REUSEADDR);
	peer_stop(&p);
}

/* Another thread sets the option all the time. */
static atomic_int	 flipping;

static void *
flip(void *arg)
{
	int	 fd = *(int *)arg, off = 0, on = 1;

	while (flipping) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &off, sizeof(off));
	}
	return (NULL);
}

ATF_TC_WITHOUT_HEAD(sharing_race);
ATF_TC_BODY(sharing_race, tc)
{
	struct peer	 p;
	pthread_t	 thread;
	uint16_t	 port = sock_free_port();
	int		 fd, i, out, shared = 0;

	out = sock_new(AF_INET, SOCK_DGRAM);
	set(out, SOL_SOCKET, SO_REUSEPORT, 1);
	ATF_REQUIRE_EQ(0, bare(out, "127.0.0.1", port));
	start(tc, &p, 0, NET_PROTO_PORTS, 0, 65535);
	fd = sock_new(AF_INET, SOCK_DGRAM);
	flipping = 1;
	ATF_REQUIRE(pthread_create(&thread, NULL, flip, &fd) == 0);
	for (i = 0; i < 3000; i++)
		ATF_REQUIRE_EQ(EADDRINUSE, call(&p, fd, "127.0.0.1", port));
	/* The control: the option takes effect in between. */
	for (i = 0; i < 100000 && !shared; i++)
		shared = bare(fd, "127.0.0.1", port) == 0;
	ATF_CHECK(shared);
	flipping = 0;
	pthread_join(thread, NULL);
	peer_stop(&p);
}

/* What is sent to the port comes to this socket. */
static void
reached(struct peer *p, int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 c, s;

	c = sock_new(domain_of(addr), SOCK_STREAM);
	sock_address(addr, port, &ss, &len);
	ATF_CHECK_EQ(0, peer_call(p, c, &ss, len));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	ATF_CHECK_MSG((s = accept(fd, NULL, NULL)) != -1, "[%s]:%u", addr,
	    port);
	close(c);
	close(s);
}

ATF_TC_WITHOUT_HEAD(remap);
ATF_TC_BODY(remap, tc)
{
	struct peer	 p, q;
	uint16_t	 port = sock_free_port(), real;
	int		 a, b, out;

	out = sock_new(AF_INET, SOCK_STREAM);
	set(out, SOL_SOCKET, SO_REUSEPORT, 1);
	ATF_REQUIRE_EQ(0, bare(out, "127.0.0.1", port));
	ATF_REQUIRE(listen(out, 5) == 0);
	start(tc, &p, 1, NET_PROTO_PORTS, port, port);
	start(tc, &q, 1, NET_PROTO_PORTS, port, port);

	/* Without a socket of its own the host's is reached. */
	reached(&p, out, "127.0.0.1", port);

	a = sock_new(AF_INET, SOCK_STREAM);
	set(a, SOL_SOCKET, SO_REUSEPORT, 1);
	ATF_CHECK_EQ(REFUSED, call(&p, a, "127.0.0.1", port + 1));
	ATF_CHECK_EQ(0, call(&p, a, "127.0.0.1", port));
	real = sock_local_port(a);
	ATF_CHECK(real != port && real != 0);
	ATF_CHECK(told.proto == NET_TCP && told.family == AF_INET &&
	    told.asked == port && told.real == real);
	peer_listen(&p, 1, a, 5);
	ATF_CHECK_EQ(0, peer_reply(&p, 1));
	reached(&p, a, "127.0.0.1", port);
	sock_nobody(out);
	/* A port of the kernel's choice is one to connect from only. */
	b = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(0, call(&p, b, "127.0.0.1", 0));
	ATF_CHECK_EQ(0, sock_local_port(b));
	peer_listen(&p, 2, b, 5);
	ATF_CHECK_EQ(REFUSED, peer_reply(&p, 2));
	close(b);
	/* Another sandbox, another port, and no way to this one. */
	reached(&q, out, "127.0.0.1", port);
	b = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(0, call(&q, b, "127.0.0.1", port));
	ATF_CHECK(sock_local_port(b) != port && sock_local_port(b) != real);
	peer_listen(&q, 1, b, 5);
	ATF_CHECK_EQ(0, peer_reply(&q, 1));
	reached(&q, b, "127.0.0.1", port);
	reached(&p, a, "127.0.0.1", port);
	close(b);
	reached(&q, out, "127.0.0.1", port);

	/* Taken inside; shared inside. */
	b = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "127.0.0.1", port));
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "0.0.0.0", port));
	set(b, SOL_SOCKET, SO_REUSEPORT, 1);
	ATF_CHECK_EQ(0, call(&p, b, "127.0.0.1", port));
	ATF_CHECK_EQ(real, sock_local_port(b));
	close(b);

	/* What the host has no more is had as it is. */
	close(out);
	b = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "127.0.0.1", port));
	close(a);
	ATF_CHECK_EQ(0, call(&p, b, "127.0.0.1", port));
	ATF_CHECK_EQ(port, sock_local_port(b));
	ATF_CHECK(told.asked == port && told.real == port);
	close(b);
	peer_stop(&p);
	peer_stop(&q);
}

/* An address that a socket without options cannot have is nobody's to share. */
ATF_TC_WITHOUT_HEAD(sharing_options);
ATF_TC_BODY(sharing_options, tc)
{
	struct peer	 p;
	uint16_t	 port = sock_free_port();
	int		 a, out;

	out = sock_new(AF_INET, SOCK_DGRAM);
	set(out, SOL_SOCKET, SO_REUSEADDR, 1);
	set(out, IPPROTO_IP, IP_FREEBIND, 1);
	ATF_REQUIRE_EQ(0, bare(out, "203.0.113.9", port));
	a = sock_new(AF_INET, SOCK_DGRAM);
	set(a, SOL_SOCKET, SO_REUSEADDR, 1);
	set(a, IPPROTO_IP, IP_FREEBIND, 1);
	start(tc, &p, 0, NET_PROTO_PORTS, 0, 65535);
	ATF_CHECK_EQ(EADDRNOTAVAIL, call(&p, a, "203.0.113.9", port));
	ATF_CHECK_EQ(EADDRNOTAVAIL, call(&p, a, "203.0.113.9", 0));
	/* The control. */
	ATF_CHECK_EQ(0, bare(a, "203.0.113.9", port));
	close(a);
	close(out);
	peer_stop(&p);
}

/* What stands for a port stays the socket's, also when a connect fails. */
ATF_TC_WITHOUT_HEAD(remap_failed);
ATF_TC_BODY(remap_failed, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	uint16_t		 port = sock_free_port(), real;
	int			 a, b, out, on = 1;

	out = sock_new(AF_INET, SOCK_STREAM);
	ATF_REQUIRE_EQ(0, bare(out, "127.0.0.1", port));
	ATF_REQUIRE(listen(out, 5) == 0);
	start(tc, &p, 1, NET_PROTO_PORTS, port, port);
	a = sock_new(AF_INET, SOCK_STREAM);
	ATF_REQUIRE(setsockopt(a, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on)) == 0);
	ATF_CHECK_EQ(0, call(&p, a, "127.0.0.1", port));
	real = sock_local_port(a);
	ATF_CHECK(real != port && real != 0);
	sock_address("127.0.0.1", sock_free_port(), &ss, &len);
	ATF_CHECK(connect(a, (struct sockaddr *)&ss, len) == -1 &&
	    errno == ECONNREFUSED);
	b = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(EADDRINUSE, bare(b, "127.0.0.1", real));
	close(b);
	ATF_CHECK_EQ(real, sock_local_port(a));
	close(a);
	close(out);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(remap_families);
ATF_TC_BODY(remap_families, tc)
{
	struct peer	 p;
	uint16_t	 port = sock_free_port();
	int		 a, b, out;

	start(tc, &p, 1, NET_PROTO_PORTS, 0, 65535);
	/* The host has it in both families. */
	out = sock_new(AF_INET6, SOCK_STREAM);
	ATF_REQUIRE_EQ(0, bare(out, "::", port));
	ATF_REQUIRE(listen(out, 5) == 0);
	a = sock_new(AF_INET6, SOCK_STREAM);
	ATF_CHECK_EQ(0, call(&p, a, "::", port));
	ATF_CHECK(told.dual && told.asked == port && told.real != port);
	ATF_REQUIRE(listen(a, 5) == 0);
	reached(&p, a, "::1", port);
	reached(&p, a, "127.0.0.1", port);
	reached(&p, a, "127.0.0.2", port);
	reached(&p, a, "::ffff:127.0.0.1", port);
	reached(&p, a, "0.0.0.0", port);
	reached(&p, a, "::", port);
	sock_nobody(out);
	b = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "0.0.0.0", port));
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "127.0.0.1", port));
	close(b);
	close(a);

	/* One of each family, as many servers do. */
	a = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(0, call(&p, a, "0.0.0.0", port));
	ATF_REQUIRE(listen(a, 5) == 0);
	b = sock_new(AF_INET6, SOCK_STREAM);
	set(b, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	ATF_CHECK_EQ(0, call(&p, b, "::", port));
	ATF_CHECK(!told.dual);
	ATF_REQUIRE(listen(b, 5) == 0);
	reached(&p, a, "127.0.0.1", port);
	reached(&p, b, "::1", port);
	close(a);
	reached(&p, b, "::1", port);
	reached(&p, out, "127.0.0.1", port);
	close(b);
	close(out);

	/* UDP has ports of its own. */
	out = sock_new(AF_INET, SOCK_DGRAM);
	set(out, SOL_SOCKET, SO_REUSEADDR, 1);
	ATF_REQUIRE_EQ(0, bare(out, "0.0.0.0", port));
	a = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(0, call(&p, a, "0.0.0.0", port));
	ATF_CHECK_EQ(port, told.real);
	b = sock_new(AF_INET, SOCK_DGRAM);
	set(b, SOL_SOCKET, SO_REUSEADDR, 1);
	ATF_CHECK_EQ(0, call(&p, b, "0.0.0.0", port));
	ATF_CHECK(told.proto == NET_UDP && told.asked == port &&
	    told.real != port && told.real == sock_local_port(b));
	close(a);
	close(b);
	close(out);
	peer_stop(&p);
}

/* Send a descriptor into a queue from which nobody takes it. */
static void
send_fd(int to, int fd)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} u;
	struct iovec	 iov = { &u, 1 };
	struct msghdr	 msg;

	memset(&msg, 0, sizeof(msg));
	memset(&u, 0, sizeof(u));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = u.buf;
	msg.msg_controllen = sizeof(u.buf);
	u.hdr.cmsg_level = SOL_SOCKET;
	u.hdr.cmsg_type = SCM_RIGHTS;
	u.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&u.hdr), &fd, sizeof(fd));
	ATF_REQUIRE(sendmsg(to, &msg, 0) == 1);
}

/*
 * The port is free when the last descriptor is closed, in whatever process or
 * message, and not before.
 */
ATF_TC_WITHOUT_HEAD(last_descriptor);
ATF_TC_BODY(last_descriptor, tc)
{
	struct peer	 p;
	uint16_t	 port = sock_free_port();
	pid_t		 pid;
	int		 a, b, d, out, pair[2], sync[2], status;
	char		 c;

	start(tc, &p, 1, NET_PROTO_PORTS, 0, 65535);
	out = sock_new(AF_INET, SOCK_STREAM);
	ATF_REQUIRE_EQ(0, bare(out, "127.0.0.1", port));
	ATF_REQUIRE(listen(out, 5) == 0);
	b = sock_new(AF_INET, SOCK_STREAM);

	a = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(0, call(&p, a, "127.0.0.1", port));
	ATF_REQUIRE((d = dup(a)) != -1);
	close(a);
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "127.0.0.1", port));

	ATF_REQUIRE(pipe(sync) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(sync[1]);
		if (read(sync[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	close(d);
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "127.0.0.1", port));
	/* A connect still goes to it, who does not listen. */
	close(sync[1]);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK_EQ(0, status);
	reached(&p, out, "127.0.0.1", port);

	ATF_CHECK_EQ(0, call(&p, b, "127.0.0.1", port));
	ATF_CHECK(told.real != port);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	send_fd(pair[0], b);
	close(b);
	b = sock_new(AF_INET, SOCK_STREAM);
	ATF_CHECK_EQ(EADDRINUSE, call(&p, b, "127.0.0.1", port));
	close(pair[0]);
	close(pair[1]);
	ATF_CHECK_EQ(0, call(&p, b, "127.0.0.1", port));
	close(b);
	close(out);
	close(sync[0]);
	peer_stop(&p);
}

/* Many sockets come and go. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	struct peer	 p;
	int		 fds[500], i, j;

	start(tc, &p, 1, NET_PROTO_PORTS, 0, 65535);
	for (j = 0; j < 12; j++) {
		for (i = 0; i < 500; i++) {
			fds[i] = sock_new(AF_INET, SOCK_DGRAM);
			ATF_REQUIRE_EQ(0, call(&p, fds[i], "127.0.0.1", 0));
			ATF_REQUIRE(told.real == told.asked);
		}
		for (i = 0; i < 500; i++)
			close(fds[i]);
	}
	peer_stop(&p);
}

/* Where no binds are made a request for one is no request. */
ATF_TC_WITHOUT_HEAD(not_asked);
ATF_TC_BODY(not_asked, tc)
{
	struct sockaddr_storage	 ss;
	struct proto_connect	 pc;
	struct peer		 p;
	socklen_t		 len;
	int			 fd;

	peer_start(tc, &p, 0);
	peer_rule(&p, NET_IN, "", 0, 65535);
	peer_run(&p);
	sock_address("127.0.0.1", 0, &ss, &len);
	memset(&pc, 0, sizeof(pc));
	pc.addr = ss;
	pc.addrlen = len;
	fd = sock_new(AF_INET, SOCK_STREAM);
	ATF_REQUIRE(proto_send_bind(&p.supervisor, 1, fd, &pc) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p.supervisor) == 0);
	(void)peer_ended(&p, W_EXITCODE(125, 0));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, errnos);
	ATF_TP_ADD_TC(tp, connected);
	ATF_TP_ADD_TC(tp, rules);
	ATF_TP_ADD_TC(tp, kept);
	ATF_TP_ADD_TC(tp, first);
	ATF_TP_ADD_TC(tp, later);
	ATF_TP_ADD_TC(tp, sharing);
	ATF_TP_ADD_TC(tp, sharing_race);
	ATF_TP_ADD_TC(tp, remap);
	ATF_TP_ADD_TC(tp, sharing_options);
	ATF_TP_ADD_TC(tp, remap_failed);
	ATF_TP_ADD_TC(tp, remap_families);
	ATF_TP_ADD_TC(tp, last_descriptor);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, not_asked);
	return (atf_no_error());
}
