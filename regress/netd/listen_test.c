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
 * listen(2) on behalf.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

#define REFUSED	(EACCES | PROTO_DENIED)

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE	51
#endif

/* With a rule for a range of ports, or without one: -1. */
static void
start(const atf_tc_t *tc, struct peer *p, int lo, int hi)
{
	peer_start(tc, p, 0);
	/* Rules outwards say nothing about listening. */
	peer_rule(p, NET_OUT, "", 0, 65535);
	if (lo != -1) {
		peer_rule(p, NET_IN, "", lo, hi);
		peer_port(p, NET_IN, lo, hi);
	}
	peer_run(p);
}

static int
call(struct peer *p, int fd, int backlog)
{
	static uint32_t	 id;

	peer_listen(p, ++id, fd, backlog);
	return (peer_reply(p, id));
}

static int
new_socket(int domain, const char *addr, uint16_t port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 fd, on = 1, ret, tries = 0;

	ATF_REQUIRE((fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) != -1);
	ATF_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == 0);
	if (addr != NULL) {
		sock_address(addr, port, &ss, &len);
		/* netd closes its descriptor of the last one later. */
		while ((ret = bind(fd, (struct sockaddr *)&ss, len)) == -1 &&
		    errno == EADDRINUSE && port != 0 && tries++ < 200)
			usleep(5000);
		ATF_REQUIRE(ret == 0);
	}
	return (fd);
}

static int
listens(int fd)
{
	socklen_t	 len;
	int		 on;

	len = sizeof(on);
	ATF_REQUIRE(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on,
	    &len) == 0);
	return (on);
}

/* Refused, left as it was, and possible without netd. */
static void
refused(struct peer *p, int fd)
{
	uint16_t	 port = sock_local_port(fd);

	ATF_CHECK_EQ(REFUSED, call(p, fd, 5));
	ATF_CHECK_EQ(0, listens(fd));
	ATF_CHECK_EQ(port, sock_local_port(fd));
	ATF_CHECK_EQ(0, listen(fd, 5));
	close(fd);
}

static void
admitted(struct peer *p, int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);
	int			 c;

	ATF_CHECK_EQ(0, call(p, fd, 5));
	ATF_CHECK_EQ(1, listens(fd));
	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	ATF_REQUIRE((c = socket(ss.ss_family, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(0, connect(c, (struct sockaddr *)&ss, len));
	ATF_CHECK(accept(fd, NULL, NULL) != -1);
	close(c);
	close(fd);
}

ATF_TC_WITHOUT_HEAD(unbound);
ATF_TC_BODY(unbound, tc)
{
	struct peer	 p;

	/* No rule inwards, and one for other ports. */
	start(tc, &p, -1, -1);
	refused(&p, new_socket(AF_INET, NULL, 0));
	refused(&p, new_socket(AF_INET6, NULL, 0));
	peer_stop(&p);
	start(tc, &p, 1024, 65535);
	refused(&p, new_socket(AF_INET, NULL, 0));
	refused(&p, new_socket(AF_INET6, NULL, 0));
	peer_stop(&p);

	/* All ports, and port 0 alone. */
	start(tc, &p, 0, 65535);
	admitted(&p, new_socket(AF_INET, NULL, 0));
	admitted(&p, new_socket(AF_INET6, NULL, 0));
	peer_stop(&p);
	start(tc, &p, 0, 0);
	admitted(&p, new_socket(AF_INET, NULL, 0));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(bound);
ATF_TC_BODY(bound, tc)
{
	struct peer	 p;
	uint16_t	 port = sock_free_port();
	int		 a, b;

	a = new_socket(AF_INET, "127.0.0.1", port);
	b = new_socket(AF_INET, "127.0.0.1", 0);
	start(tc, &p, port, port);
	admitted(&p, a);
	refused(&p, b);
	refused(&p, new_socket(AF_INET, NULL, 0));
	admitted(&p, new_socket(AF_INET, "127.0.0.1", port));
	admitted(&p, new_socket(AF_INET6, "::1", port));
	admitted(&p, new_socket(AF_INET6, "::ffff:127.0.0.1", port));
	peer_stop(&p);

	/* Bound by a rule for port 0, to whatever the kernel gave. */
	start(tc, &p, 0, 0);
	admitted(&p, new_socket(AF_INET, "127.0.0.1", 0));
	peer_stop(&p);
}

/* Of what the kernel chooses, let it choose one port. */
static void
choose(int fd, uint16_t port)
{
	uint32_t	 range = (uint32_t)port << 16 | port;

	if (setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range,
	    sizeof(range)) == -1)
		atf_tc_skip("no IP_LOCAL_PORT_RANGE");
}

/* A socket whose name still has the port of a connect that failed. */
static int
new_failed(int domain, const char *addr, uint16_t port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 closed, fd;

	closed = new_socket(domain, addr, 0);
	sock_address(addr, sock_local_port(closed), &ss, &len);
	fd = new_socket(domain, NULL, 0);
	choose(fd, port);
	ATF_REQUIRE(connect(fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno == ECONNREFUSED);
	ATF_REQUIRE_EQ(port, sock_local_port(fd));
	close(closed);
	return (fd);
}

ATF_TC_WITHOUT_HEAD(failed);
ATF_TC_BODY(failed, tc)
{
	struct peer	 p;
	uint16_t	 port, other;
	int		 a, b;

	a = new_socket(AF_INET, "127.0.0.1", 0);
	b = new_socket(AF_INET, "127.0.0.1", 0);
	port = sock_local_port(a);
	other = sock_local_port(b);
	close(a);
	close(b);
	/* The control: the kernel takes another one. */
	a = new_failed(AF_INET, "127.0.0.1", port);
	choose(a, other);
	ATF_REQUIRE(listen(a, 5) == 0);
	ATF_CHECK_EQ(other, sock_local_port(a));
	close(a);

	start(tc, &p, port, port);
	a = new_failed(AF_INET, "127.0.0.1", port);
	choose(a, other);
	ATF_CHECK_EQ(0, call(&p, a, 5));
	ATF_CHECK_EQ(1, listens(a));
	ATF_CHECK_EQ(port, sock_local_port(a));
	close(a);
	a = new_failed(AF_INET6, "::1", port);
	choose(a, other);
	ATF_CHECK_EQ(0, call(&p, a, 5));
	ATF_CHECK_EQ(port, sock_local_port(a));
	close(a);
	/* Somebody has it by now. */
	a = new_failed(AF_INET, "127.0.0.1", port);
	choose(a, other);
	b = new_socket(AF_INET, "0.0.0.0", port);
	ATF_REQUIRE(listen(b, 5) == 0);
	ATF_CHECK_EQ(EADDRINUSE, call(&p, a, 5));
	ATF_CHECK_EQ(0, listens(a));
	close(a);
	close(b);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(unix_sockets);
ATF_TC_BODY(unix_sockets, tc)
{
	struct sockaddr_un	 sun;
	struct peer		 p;
	int			 c, s;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, "socket", sizeof(sun.sun_path));
	ATF_REQUIRE((s = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	start(tc, &p, -1, -1);
	ATF_CHECK_EQ(0, call(&p, s, 5));
	ATF_REQUIRE((c = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(0, connect(c, (struct sockaddr *)&sun, sizeof(sun)));
	/* The kernel's own errors. */
	ATF_REQUIRE((s = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(EINVAL, call(&p, s, 5));
	ATF_REQUIRE((s = socket(AF_UNIX, SOCK_DGRAM, 0)) != -1);
	ATF_CHECK_EQ(EOPNOTSUPP, call(&p, s, 5));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(others);
ATF_TC_BODY(others, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 l, s;

	l = sock_listener("127.0.0.1", 5, &ss, &len);
	start(tc, &p, 0, 65535);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_CHECK_EQ(EOPNOTSUPP, call(&p, s, 5));
	if ((s = socket(AF_INET, SOCK_STREAM, 262)) != -1) {
		ATF_CHECK_EQ(REFUSED, call(&p, s, 5));
		ATF_CHECK_EQ(0, listens(s));
	}
	ATF_REQUIRE((s = open("/dev/null", O_RDWR)) != -1);
	ATF_CHECK_EQ(ENOTSOCK, call(&p, s, 5));
	ATF_REQUIRE((s = open("/", O_PATH)) != -1);
	ATF_CHECK_EQ(EBADF, call(&p, s, 5));
	/* Connected already: the kernel's errno. */
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(connect(s, (struct sockaddr *)&ss, len) == 0);
	ATF_CHECK_EQ(EINVAL, call(&p, s, 5));
	/* A second time changes the backlog. */
	ATF_CHECK_EQ(0, call(&p, l, 1));
	ATF_CHECK_EQ(0, call(&p, l, -1));
	peer_stop(&p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, unbound);
	ATF_TP_ADD_TC(tp, bound);
	ATF_TP_ADD_TC(tp, failed);
	ATF_TP_ADD_TC(tp, unix_sockets);
	ATF_TP_ADD_TC(tp, others);
	return (atf_no_error());
}
