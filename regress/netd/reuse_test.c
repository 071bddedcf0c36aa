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
/* SO_REUSEADDR and SO_REUSEPORT through netd: who may share, and when. */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

static const int	 names[2] = { SO_REUSEADDR, SO_REUSEPORT };
static const int	 domains[2] = { AF_INET, AF_INET6 };

static void
start(const atf_tc_t *tc, struct peer *p)
{
	peer_start(tc, p, 0);
	peer_rule_for(p, NET_OUT, NET_PROTO_ALL, "", 0, 65535);
	peer_port(p, NET_OUT, 0, 65535);
	peer_binds(p, 0);
	peer_run(p);
}

static int
option(int fd, int name)
{
	socklen_t	 len = sizeof(int);
	int		 on;

	ATF_REQUIRE(getsockopt(fd, SOL_SOCKET, name, &on, &len) == 0);
	return (on);
}

static const char *
loopback(int domain)
{
	return (domain == AF_INET ? "127.0.0.1" : "::1");
}

/* What a send without an address does: the errno, and whether it has a port. */
static void
check_write(int fd, int error, int port)
{
	ATF_CHECK_ERRNO(error, write(fd, "x", 1) == -1);
	ATF_CHECK_EQ(port, sock_local_port(fd) != 0);
}

/* The kernel chooses no port for a socket that may share one. */
ATF_TC_WITHOUT_HEAD(unseen);
ATF_TC_BODY(unseen, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 c, d, fd, n, on = 1;

	start(tc, &p);
	fd = sock_new(AF_INET, SOCK_DGRAM);
	if (peer_reuse(&p, fd, SO_REUSEADDR, 1) == (EPERM | PROTO_DENIED)) {
		ATF_CHECK_EQ(0, option(fd, SO_REUSEADDR));
		atf_tc_skip("the kernel has no IP_LOCAL_PORT_RANGE");
	}
	close(fd);
	for (n = 0; n < 2; n++)
		for (d = 0; d < 2; d++) {
			fd = sock_new(domains[d], SOCK_DGRAM);
			ATF_CHECK_EQ(0, peer_reuse(&p, fd, names[n], 1));
			ATF_CHECK_EQ(1, option(fd, names[n]));
			check_write(fd, EAGAIN, 0);
			sock_address(loopback(domains[d]), 9, &ss, &len);
			ATF_CHECK_EQ(0, peer_call(&p, fd, &ss, len));
			ATF_CHECK(sock_local_port(fd) != 0);
			close(fd);

			/* Until then, and from then on, it does. */
			fd = sock_new(domains[d], SOCK_DGRAM);
			ATF_CHECK_EQ(0, peer_reuse(&p, fd, names[n], 1));
			ATF_CHECK_EQ(0, peer_reuse(&p, fd, names[!n], 1));
			ATF_CHECK_EQ(0, peer_reuse(&p, fd, names[n], 0));
			check_write(fd, EAGAIN, 0);
			ATF_CHECK_EQ(0, peer_reuse(&p, fd, names[!n], 0));
			ATF_CHECK_EQ(0, option(fd, names[n]));
			ATF_CHECK_EQ(0, option(fd, names[!n]));
			check_write(fd, EDESTADDRREQ, 1);
			close(fd);

			/* The control. */
			fd = sock_new(domains[d], SOCK_DGRAM);
			ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, names[n], &on,
			    sizeof(on)) == 0);
			check_write(fd, EDESTADDRREQ, 1);
			close(fd);
		}
	/* With a port already it keeps that, but gets no other one. */
	fd = sock_new(AF_INET, SOCK_DGRAM);
	check_write(fd, EDESTADDRREQ, 1);
	ATF_CHECK_EQ(0, peer_reuse(&p, fd, SO_REUSEADDR, 1));
	check_write(fd, EDESTADDRREQ, 1);
	memset(&ss, 0, sizeof(ss));
	ATF_CHECK_EQ(0, peer_call(&p, fd, &ss, sizeof(struct sockaddr_in)));
	check_write(fd, EAGAIN, 0);
	close(fd);
	/* Nobody sees the port that is always taken. */
	c = sock_new(AF_INET, SOCK_DGRAM);
	check_write(c, EDESTADDRREQ, 1);
	close(c);
	peer_stop(&p);
}

/* Other sockets only get the option. */
ATF_TC_WITHOUT_HEAD(others);
ATF_TC_BODY(others, tc)
{
	struct sockaddr_storage	 good;
	struct peer		 p;
	socklen_t		 len;
	int			 fd, file, n, pair[2];

	start(tc, &p);
	for (n = 0; n < 2; n++) {
		(void)sock_listener("127.0.0.1", 1, &good, &len);
		fd = sock_new(AF_INET, SOCK_STREAM);
		ATF_CHECK_EQ(0, peer_reuse(&p, fd, names[n], 1));
		ATF_CHECK_EQ(1, option(fd, names[n]));
		ATF_CHECK_EQ(0, connect(fd, (struct sockaddr *)&good, len));
		ATF_CHECK_EQ(0, peer_reuse(&p, fd, names[n], 0));
		ATF_CHECK_EQ(0, option(fd, names[n]));
		close(fd);
	}
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ATF_CHECK_EQ(0, peer_reuse(&p, pair[0], SO_REUSEADDR, 1));
	ATF_CHECK_EQ(1, option(pair[0], SO_REUSEADDR));
	ATF_REQUIRE((file = open("file", O_RDWR | O_CREAT, 0600)) != -1);
	ATF_CHECK_EQ(ENOTSOCK, peer_reuse(&p, file, SO_REUSEADDR, 1));
	peer_stop(&p);
}

static int
wants(struct peer *p, int fd, const char *addr, uint16_t port)
{
	struct port_binding	 told;
	struct sockaddr_storage	 ss;
	socklen_t		 len;

	sock_address(addr, port, &ss, &len);
	return (peer_bind(p, fd, &ss, len, &told));
}

/* A port that a connected socket had before is somebody else's. */
ATF_TC_WITHOUT_HEAD(moved);
ATF_TC_BODY(moved, tc)
{
	struct sockaddr_storage	 none, peer, ss;
	struct peer		 p;
	socklen_t		 len;
	uint16_t		 port;
	int			 a, b, c, on = 1, out;

	peer_start(tc, &p, 0);
	peer_rule_for(&p, NET_OUT, NET_PROTO_ALL, "", 0, 65535);
	peer_rule_for(&p, NET_IN, NET_PROTO_PORTS, "", 0, 65535);
	peer_binds(&p, 0);
	peer_run(&p);
	a = sock_new(AF_INET, SOCK_DGRAM);
	ATF_CHECK_EQ(0, peer_reuse(&p, a, SO_REUSEADDR, 1));
	ATF_CHECK_EQ(0, wants(&p, a, "0.0.0.0", 0));
	port = sock_local_port(a);
	sock_address("127.0.0.1", 9, &peer, &len);
	ATF_CHECK_EQ(0, peer_call(&p, a, &peer, len));

	out = sock_new(AF_INET, SOCK_DGRAM);
	ATF_REQUIRE(setsockopt(out, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == 0);
	sock_address("127.0.0.2", port, &ss, &len);
	ATF_REQUIRE(bind(out, (struct sockaddr *)&ss, len) == 0);
	b = sock_new(AF_INET, SOCK_DGRAM);
	ATF_CHECK_EQ(0, peer_reuse(&p, b, SO_REUSEADDR, 1));
	ATF_CHECK_EQ(EADDRINUSE, wants(&p, b, "127.0.0.2", port));
	/* For the next client it is had as before; that takes nothing. */
	ATF_CHECK_EQ(0, wants(&p, b, "0.0.0.0", port));
	sock_address("127.0.0.2", port, &ss, &len);
	c = sock_new(AF_INET, SOCK_DGRAM);
	ATF_CHECK_EQ(1, sendto(c, "x", 1, 0, (struct sockaddr *)&ss, len));
	ATF_CHECK_EQ(1, recv(out, &c, sizeof(c), MSG_DONTWAIT));
	ATF_CHECK_EQ(-1, recv(b, &c, sizeof(c), MSG_DONTWAIT));
	close(b);
	/* Nor does it get that by taking its socket back. */
	memset(&none, 0, sizeof(none));
	ATF_CHECK_EQ(0, peer_call(&p, a, &none, sizeof(struct sockaddr_in)));
	b = sock_new(AF_INET, SOCK_DGRAM);
	ATF_CHECK_EQ(0, peer_reuse(&p, b, SO_REUSEADDR, 1));
	ATF_CHECK_EQ(EADDRINUSE, wants(&p, b, "127.0.0.2", port));
	/* The control. */
	ATF_CHECK(bind(b, (struct sockaddr *)&ss, len) == 0);
	peer_stop(&p);
}

/* Of a number of a ping socket that both would share there is one owner. */
ATF_TC_WITHOUT_HEAD(ping);
ATF_TC_BODY(ping, tc)
{
	struct port_binding	 told;
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 a, b, on = 1, out;

	sock_network();
	ATF_REQUIRE((out = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)) != -1);
	ATF_REQUIRE(setsockopt(out, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == 0);
	sock_address("0.0.0.0", 0, &ss, &len);
	ATF_REQUIRE(bind(out, (struct sockaddr *)&ss, len) == 0);
	sock_address("0.0.0.0", sock_local_port(out), &ss, &len);
	start(tc, &p);
	ATF_REQUIRE((a = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)) != -1);
	ATF_CHECK_EQ(0, peer_reuse(&p, a, SO_REUSEADDR, 1));
	ATF_CHECK_EQ(EADDRINUSE, peer_bind(&p, a, &ss, len, &told));
	ATF_CHECK_EQ(0, sock_local_port(a));
	ATF_CHECK_EQ(1, option(a, SO_REUSEADDR));
	/* The control. */
	ATF_REQUIRE((b = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)) != -1);
	ATF_REQUIRE(setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == 0);
	ATF_CHECK(bind(b, (struct sockaddr *)&ss, len) == 0);
	close(b);
	close(out);
	ATF_CHECK_EQ(0, peer_bind(&p, a, &ss, len, &told));
	peer_stop(&p);
}

/* The kernel's range of ports; its lower half. */
static void
lower_half(int *lo, int *hi)
{
	FILE	*f;

	ATF_REQUIRE((f = fopen("/proc/sys/net/ipv4/ip_local_port_range",
	    "r")) != NULL);
	ATF_REQUIRE(fscanf(f, "%d %d", lo, hi) == 2);
	fclose(f);
	*hi = (*lo + *hi) / 2;
}

/* A server that leaves its port to the kernel gets none that is denied. */
ATF_TC_WITHOUT_HEAD(denied);
ATF_TC_BODY(denied, tc)
{
	struct port_binding	 told;
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 bare = 0, fd, hi, i, lo, type;

	lower_half(&lo, &hi);
	peer_start(tc, &p, 0);
	peer_rule_for(&p, NET_IN, NET_PROTO_PORTS, "", 0, 65535);
	p.block = 1;
	peer_rule_for(&p, NET_IN, NET_PROTO_PORTS, "", lo, hi);
	peer_port(&p, NET_IN, 0, lo - 1);
	peer_port(&p, NET_IN, hi + 1, 65535);
	peer_binds(&p, 0);
	peer_run(&p);
	sock_address("127.0.0.1", 0, &ss, &len);
	for (i = 0; i < 60; i++) {
		type = i % 2 ? SOCK_STREAM : SOCK_DGRAM;
		fd = sock_new(AF_INET, type);
		ATF_CHECK_EQ(0, peer_bind(&p, fd, &ss, len, &told));
		ATF_CHECK(sock_local_port(fd) > hi);
		close(fd);
		/* The control. */
		fd = sock_new(AF_INET, type);
		ATF_REQUIRE(bind(fd, (struct sockaddr *)&ss, len) == 0);
		bare += sock_local_port(fd) <= hi;
		close(fd);
		/* One that was never bound. */
		fd = sock_new(AF_INET, SOCK_STREAM);
		peer_listen(&p, i + 1, fd, 1);
		if (peer_reply(&p, i + 1) == 0)
			ATF_CHECK(sock_local_port(fd) > hi);
		close(fd);
	}
	ATF_CHECK(bare > 0);
	peer_stop(&p);
}

/* A client may have any: it serves nobody. */
ATF_TC_WITHOUT_HEAD(client);
ATF_TC_BODY(client, tc)
{
	struct port_binding	 told;
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 fd, hi, i, lo, low = 0;

	lower_half(&lo, &hi);
	peer_start(tc, &p, 0);
	peer_rule_for(&p, NET_OUT, NET_PROTO_PORTS, "", 0, 65535);
	p.block = 1;
	peer_rule_for(&p, NET_IN, NET_PROTO_PORTS, "", lo, 65535);
	peer_binds(&p, 0);
	peer_run(&p);
	for (i = 0; i < 40; i++) {
		fd = sock_new(AF_INET, SOCK_DGRAM);
		sock_address("127.0.0.1", i % 2 ? 0 : 9, &ss, &len);
		if (i % 2) {
			ATF_CHECK_EQ(0, peer_bind(&p, fd, &ss, len, &told));
		} else {
			ATF_CHECK_EQ(0, peer_reuse(&p, fd, SO_REUSEADDR, 1));
			ATF_CHECK_EQ(0, peer_call(&p, fd, &ss, len));
		}
		low += sock_local_port(fd) <= hi;
		close(fd);
	}
	ATF_CHECK(low > 0);
	peer_stop(&p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, unseen);
	ATF_TP_ADD_TC(tp, others);
	ATF_TP_ADD_TC(tp, moved);
	ATF_TP_ADD_TC(tp, ping);
	ATF_TP_ADD_TC(tp, denied);
	ATF_TP_ADD_TC(tp, client);
	return (atf_no_error());
}
