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
 * Datagrams on behalf: which go out, that those that do cannot be told from
 * the test's own, and that what is refused nobody sees.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

#define DENIED(e)	((e) | PROTO_DENIED)
#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define UDP_SEGMENT_OPTION	103

static struct sockaddr_storage	 from;		/* of what came last */

static int
udp(int domain)
{
	int	 fd;

	ATF_REQUIRE((fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC,
	    0)) != -1);
	return (fd);
}

/* A receiver on an address, with any port. */
static int
receiver(const char *text, struct sockaddr_storage *ss, socklen_t *len)
{
	int	 fd;

	sock_address(text, 0, ss, len);
	fd = udp(ss->ss_family);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)ss, *len) == 0);
	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)ss, len) == 0);
	return (fd);
}

/* Over loopback what was sent is there at once, or was not sent. */
static ssize_t
received(int fd, char *buf, size_t size)
{
	socklen_t	 len = sizeof(from);

	return (recvfrom(fd, buf, size, MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len));
}

static void
nothing(int fd)
{
	char	 byte;

	ATF_CHECK_EQ(-1, received(fd, &byte, 1));
	ATF_CHECK_EQ(EAGAIN, errno);
}

static int
send_full(struct peer *p, int fd, const void *addr, socklen_t len,
    void *data, size_t size, void *control, size_t controllen)
{
	static uint32_t		 id = 5000;
	struct proto_datagram	 pd;

	memset(&pd, 0, sizeof(pd));
	pd.to.addrlen = len;
	memcpy(&pd.to.addr, addr, len);
	pd.data = data;
	pd.len = size;
	pd.control = control;
	pd.controllen = controllen;
	peer_send(p, ++id, fd, &pd);
	return (peer_reply(p, id));
}

static int
send_text(struct peer *p, int fd, const void *addr, socklen_t len,
    const char *text)
{
	char	 buf[64];

	strlcpy(buf, text, sizeof(buf));
	return (send_full(p, fd, addr, len, buf, strlen(buf), NULL, 0));
}

static void
arrives(struct peer *p, int r, int s, const void *addr, socklen_t len)
{
	char	 buf[64];

	ATF_CHECK_EQ(0, send_text(p, s, addr, len, "admitted"));
	ATF_CHECK_EQ(8, received(r, buf, sizeof(buf)));
	ATF_CHECK(memcmp(buf, "admitted", 8) == 0);
	close(s);
}

/* And with the same socket bare it arrives. */
static void
refused(struct peer *p, int r, int s, const void *addr, socklen_t len)
{
	char	 buf[64];

	ATF_CHECK_EQ(DENIED(ECONNREFUSED), send_text(p, s, addr, len,
	    "refused"));
	nothing(r);
	ATF_CHECK_EQ(4, sendto(s, "bare", 4, 0, addr, len));
	ATF_CHECK_EQ(4, received(r, buf, sizeof(buf)));
	close(s);
}

static void
start(const atf_tc_t *tc, struct peer *p, unsigned int protos,
    const char *rule)
{
	peer_start(tc, p, 0);
	peer_rule_for(p, NET_OUT, protos, rule, 0, 65535);
	peer_port(p, NET_OUT, 0, 65535);
	peer_run(p);
}

ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	struct sockaddr_storage	 one, two, six, ss, un1, un2;
	struct peer		 p;
	socklen_t		 len, len6;
	int			 r1, r2, r6;

	r1 = receiver("127.0.0.1", &one, &len);
	r2 = receiver("127.0.0.2", &two, &len);
	r6 = receiver("::1", &six, &len6);
	un1 = one;
	un2 = two;
	un1.ss_family = un2.ss_family = AF_UNSPEC;

	start(tc, &p, NET_PROTO(NET_UDP), "127.0.0.1/32");
	arrives(&p, r1, udp(AF_INET), &one, len);
	refused(&p, r2, udp(AF_INET), &two, len);
	refused(&p, r6, udp(AF_INET6), &six, len6);
	/* The family of none is that of the socket. */
	arrives(&p, r1, udp(AF_INET), &un1, len);
	refused(&p, r2, udp(AF_INET), &un2, len);
	/* IPv4 by a socket of IPv6, in both forms. */
	arrives(&p, r1, udp(AF_INET6), &one, len);
	refused(&p, r2, udp(AF_INET6), &two, len);
	sock_address("::ffff:127.0.0.1", sock_port(&one), &ss, &len6);
	arrives(&p, r1, udp(AF_INET6), &ss, len6);
	sock_address("::ffff:127.0.0.2", sock_port(&two), &ss, &len6);
	refused(&p, r2, udp(AF_INET6), &ss, len6);
	peer_stop(&p);

	start(tc, &p, NET_PROTO(NET_UDP), "::1/128");
	arrives(&p, r6, udp(AF_INET6), &six, len6);
	refused(&p, r1, udp(AF_INET6), &one, len);
	refused(&p, r1, udp(AF_INET), &one, len);
	peer_stop(&p);

	/* Rules of other protocols. */
	start(tc, &p, NET_PROTO(NET_TCP) | NET_PROTO(NET_ICMP), "");
	refused(&p, r1, udp(AF_INET), &one, len);
	refused(&p, r6, udp(AF_INET6), &six, len6);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(ports);
ATF_TC_BODY(ports, tc)
{
	struct sockaddr_storage	 one, two;
	struct peer		 p;
	socklen_t		 len;
	int			 r1, r2;

	r1 = receiver("127.0.0.1", &one, &len);
	r2 = receiver("127.0.0.1", &two, &len);
	peer_start(tc, &p, 0);
	peer_rule_for(&p, NET_OUT, NET_PROTO(NET_UDP), "", sock_port(&one),
	    sock_port(&one));
	peer_run(&p);
	arrives(&p, r1, udp(AF_INET), &one, len);
	refused(&p, r2, udp(AF_INET), &two, len);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(unspecified);
ATF_TC_BODY(unspecified, tc)
{
	struct sockaddr_storage	 one, five, six, any, local;
	struct peer		 p;
	socklen_t		 len, len6;
	int			 r1, r5, r6, s;

	r1 = receiver("127.0.0.1", &one, &len);
	r5 = receiver("127.0.0.5", &five, &len);
	r6 = receiver("::1", &six, &len6);

	start(tc, &p, NET_PROTO(NET_UDP), "127.0.0.1/32");
	sock_address("0.0.0.0", sock_port(&one), &any, &len);
	arrives(&p, r1, udp(AF_INET), &any, len);
	arrives(&p, r1, udp(AF_INET6), &any, len);
	sock_address("::", sock_port(&six), &any, &len6);
	refused(&p, r6, udp(AF_INET6), &any, len6);
	/* A socket that is bound sends to its own address. */
	s = udp(AF_INET);
	sock_address("127.0.0.5", 0, &local, &len);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&local, len) == 0);
	sock_address("0.0.0.0", sock_port(&five), &any, &len);
	refused(&p, r5, s, &any, len);
	s = udp(AF_INET6);
	sock_address("::ffff:127.0.0.5", 0, &local, &len6);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&local, len6) == 0);
	refused(&p, r5, s, &any, len);
	peer_stop(&p);
}

/* Every length, in families that are one and that are none. */
ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	static const struct {
		int		 domain;
		int		 protocol;
	} kinds[] = {
		{ AF_INET, 0 }, { AF_INET6, 0 },
		{ AF_INET, IPPROTO_ICMP }, { AF_INET6, IPPROTO_ICMPV6 }
	};
	static const sa_family_t families[] = {
		AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC, AF_NETLINK, 99
	};
	struct sockaddr_storage	 one, six, ss;
	struct peer		 p;
	socklen_t		 l, len, len6;
	size_t			 f, k;
	char			 data[8] = { ICMP_ECHO };
	int			 bare, got, s, tried = 0;

	receiver("127.0.0.1", &one, &len);
	receiver("::1", &six, &len6);
	start(tc, &p, NET_PROTO_ALL, "");
	for (k = 0; k < NITEMS(kinds); k++) {
		s = socket(kinds[k].domain, SOCK_DGRAM, kinds[k].protocol);
		if (s == -1)
			continue;	/* not everybody may ping */
		for (f = 0; f < NITEMS(families); f++)
			for (l = 0; l <= sizeof(ss); l++) {
				/* The supervisor takes that for no address. */
				if (families[f] == AF_UNSPEC &&
				    kinds[k].domain == AF_INET6 && l >= 2)
					continue;
				ss = families[f] == AF_INET ||
				    kinds[k].domain == AF_INET ? one : six;
				ss.ss_family = families[f];
				got = send_full(&p, s, &ss, l, data,
				    sizeof(data), NULL, 0);
				bare = sendto(s, data, sizeof(data), 0,
				    (struct sockaddr *)&ss, l) == -1 ?
				    errno : 0;
				ATF_CHECK_EQ_MSG(bare, got,
				    "kind %zu family %d length %u", k,
				    families[f], l);
				tried++;
			}
		close(s);
	}
	ATF_CHECK(tried > 1000);
	peer_stop(&p);
}

/* What there is no rule for, and what has no address. */
ATF_TC_WITHOUT_HEAD(other_sockets);
ATF_TC_BODY(other_sockets, tc)
{
	static const struct {
		int	 domain;
		int	 type;
		int	 protocol;
	} others[] = {
		{ AF_INET, SOCK_STREAM, 0 },
		{ AF_INET6, SOCK_STREAM, 0 },
		{ AF_INET, SOCK_DGRAM, 136 /* UDP-Lite */ },
		{ AF_INET6, SOCK_DGRAM, 136 },
		{ AF_INET, SOCK_RAW, IPPROTO_UDP },
		{ AF_INET, SOCK_STREAM, 262 /* MPTCP */ },
		{ AF_UNIX, SOCK_DGRAM, 0 },
		{ AF_NETLINK, SOCK_RAW, 0 }
	};
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	size_t			 i, tried = 0;
	int			 r, s;

	r = receiver("127.0.0.1", &ss, &len);
	start(tc, &p, NET_PROTO_ALL, "");
	for (i = 0; i < NITEMS(others); i++) {
		s = socket(others[i].domain, others[i].type,
		    others[i].protocol);
		if (s == -1)
			continue;
		ATF_CHECK_EQ_MSG(DENIED(EACCES), send_text(&p, s, &ss, len,
		    "other"), "%zu", i);
		tried++;
		close(s);
	}
	ATF_CHECK_MSG(tried >= 5, "only %zu kinds", tried);
	ATF_REQUIRE((s = open("/dev/null", O_RDWR)) != -1);
	ATF_CHECK_EQ(ENOTSOCK, send_text(&p, s, &ss, len, "none"));
	close(s);
	nothing(r);
	arrives(&p, r, udp(AF_INET), &ss, len);
	peer_stop(&p);
}

static size_t
control_add(char *buf, size_t at, int level, int type, const void *data,
    size_t len)
{
	struct cmsghdr	*c = (struct cmsghdr *)(buf + at);

	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	return (at + CMSG_SPACE(len));
}

ATF_TC_WITHOUT_HEAD(control);
ATF_TC_BODY(control, tc)
{
	static const uint8_t	 route[] = {
		IPOPT_NOP, IPOPT_LSRR, 7, 4, 127, 0, 0, 9
	};
	struct sockaddr_storage	 one, six;
	struct in_pktinfo	 source;
	struct in6_pktinfo	 source6;
	struct peer		 p;
	struct sockaddr_in	*in = (struct sockaddr_in *)&from;
	socklen_t		 len, len6;
	uint16_t		 segment = 100;
	size_t			 n;
	char			 buf[1024], data[250];
	int			 r, r6, s, tos = 0x10, ttl = 3;

	r = receiver("127.0.0.1", &one, &len);
	r6 = receiver("::1", &six, &len6);
	start(tc, &p, NET_PROTO(NET_UDP), "");
	s = udp(AF_INET);
	memset(data, 'd', sizeof(data));

	/* A source address, with two others. */
	memset(&source, 0, sizeof(source));
	inet_pton(AF_INET, "127.0.0.5", &source.ipi_spec_dst);
	n = control_add(buf, 0, IPPROTO_IP, IP_PKTINFO, &source,
	    sizeof(source));
	n = control_add(buf, n, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	n = control_add(buf, n, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	ATF_CHECK_EQ(0, send_full(&p, s, &one, len, data, 10, buf, n));
	ATF_CHECK_EQ(10, received(r, data, sizeof(data)));
	ATF_CHECK_EQ(htonl(0x7f000005), in->sin_addr.s_addr);

	memset(&source6, 0, sizeof(source6));
	source6.ipi6_addr = in6addr_loopback;
	n = control_add(buf, 0, IPPROTO_IPV6, IPV6_PKTINFO, &source6,
	    sizeof(source6));
	ATF_CHECK_EQ(0, send_full(&p, udp(AF_INET6), &six, len6, data, 10,
	    buf, n));
	ATF_CHECK_EQ(10, received(r6, data, sizeof(data)));

	/* One buffer, three datagrams. */
	n = control_add(buf, 0, IPPROTO_UDP, UDP_SEGMENT_OPTION, &segment,
	    sizeof(segment));
	ATF_CHECK_EQ(0, send_full(&p, s, &one, len, data, 250, buf, n));
	ATF_CHECK_EQ(100, received(r, data, sizeof(data)));
	ATF_CHECK_EQ(100, received(r, data, sizeof(data)));
	ATF_CHECK_EQ(50, received(r, data, sizeof(data)));

	/* A route; something of which nobody has heard. */
	n = control_add(buf, 0, IPPROTO_IP, IP_RETOPTS, route, sizeof(route));
	ATF_CHECK_EQ(EINVAL, send_full(&p, s, &one, len, data, 10, buf, n));
	n = control_add(buf, 0, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	n = control_add(buf, n, 4711, 1, &tos, sizeof(tos));
	ATF_CHECK_EQ(EINVAL, send_full(&p, s, &one, len, data, 10, buf, n));
	nothing(r);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(sizes);
ATF_TC_BODY(sizes, tc)
{
	static const size_t	 sizes[] = {
		0, 1, 1472, 16384, 65506, 65507, 65508, 65535
	};
	static char		 data[65536], got[65536];
	struct sockaddr_storage	 one;
	struct peer		 p;
	socklen_t		 len;
	size_t			 i;
	int			 error, r, s;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 13 + i / 256);
	r = receiver("127.0.0.1", &one, &len);
	start(tc, &p, NET_PROTO(NET_UDP), "127.0.0.1/32");
	s = udp(AF_INET);
	for (i = 0; i < NITEMS(sizes); i++) {
		error = send_full(&p, s, &one, len, data, sizes[i], NULL, 0);
		if (sizes[i] > 65507) {
			ATF_CHECK_EQ(EMSGSIZE, error);
			nothing(r);
			continue;
		}
		ATF_CHECK_EQ(0, error);
		ATF_CHECK_EQ((ssize_t)sizes[i], received(r, got,
		    sizeof(got)));
		ATF_CHECK(memcmp(data, got, sizes[i]) == 0);
	}
	peer_stop(&p);
}

/* connect(2) on datagram sockets: judged, at once, and taken back. */
ATF_TC_WITHOUT_HEAD(connects);
ATF_TC_BODY(connects, tc)
{
	struct sockaddr_storage	 none, one, two, peer;
	struct peer		 p;
	socklen_t		 len, plen;
	char			 buf[16];
	int			 r1, r2, s;

	r1 = receiver("127.0.0.1", &one, &len);
	r2 = receiver("127.0.0.2", &two, &len);
	memset(&none, 0, sizeof(none));
	start(tc, &p, NET_PROTO(NET_UDP), "127.0.0.1/32");
	s = udp(AF_INET);
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p, s, &two, len));
	plen = sizeof(peer);
	ATF_CHECK(getpeername(s, (struct sockaddr *)&peer, &plen) == -1);
	ATF_CHECK_EQ(0, peer_call(&p, s, &one, len));
	ATF_CHECK_EQ(3, write(s, "one", 3));
	ATF_CHECK_EQ(3, received(r1, buf, sizeof(buf)));
	/* To another one, which leaves the first. */
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p, s, &two, len));
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), send_text(&p, s, &two, len, "x"));
	ATF_CHECK_EQ(3, write(s, "two", 3));
	ATF_CHECK_EQ(3, received(r1, buf, sizeof(buf)));
	nothing(r2);
	ATF_CHECK((fcntl(s, F_GETFL) & O_NONBLOCK) == 0);
	/* AF_UNSPEC dissolves it. */
	ATF_CHECK_EQ(0, peer_call(&p, s, &none, sizeof(sa_family_t)));
	ATF_CHECK_EQ(-1, write(s, "x", 1));
	ATF_CHECK_EQ(EDESTADDRREQ, errno);
	/* IPv4 by a socket of IPv6. */
	s = udp(AF_INET6);
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p, s, &two, len));
	ATF_CHECK_EQ(0, peer_call(&p, s, &one, len));
	ATF_CHECK_EQ(3, write(s, "six", 3));
	ATF_CHECK_EQ(3, received(r1, buf, sizeof(buf)));
	nothing(r2);
	peer_stop(&p);
}

static int
echo(int s)
{
	struct pollfd	 pfd = { .fd = s, .events = POLLIN };
	char		 buf[64];

	if (poll(&pfd, 1, 200) != 1)
		return (-1);
	return (recv(s, buf, sizeof(buf), 0) >= 8 ? buf[0] : -1);
}

ATF_TC_WITHOUT_HEAD(ping);
ATF_TC_BODY(ping, tc)
{
	struct sockaddr_storage	 one, two, six;
	struct peer		 p;
	socklen_t		 len, len6;
	char			 request[8] = { ICMP_ECHO };
	char			 request6[8] = { (char)128 };
	char			 reply[8] = { ICMP_ECHOREPLY };
	int			 s, s6;

	sock_network();
	sock_address("127.0.0.1", 0, &one, &len);
	sock_address("127.0.0.2", 0, &two, &len);
	sock_address("::1", 0, &six, &len6);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)) != -1);
	ATF_REQUIRE((s6 = socket(AF_INET6, SOCK_DGRAM,
	    IPPROTO_ICMPV6)) != -1);
	start(tc, &p, NET_PROTO(NET_ICMP), "127.0.0.1/32");
	ATF_CHECK_EQ(0, send_full(&p, s, &one, len, request, 8, NULL, 0));
	ATF_CHECK_EQ(ICMP_ECHOREPLY, echo(s));
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), send_full(&p, s, &two, len,
	    request, 8, NULL, 0));
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), send_full(&p, s6, &six, len6,
	    request6, 8, NULL, 0));
	ATF_CHECK_EQ(-1, echo(s));
	ATF_CHECK_EQ(-1, echo(s6));
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), peer_call(&p, s, &two, len));
	ATF_CHECK_EQ(0, peer_call(&p, s, &one, len));
	ATF_CHECK_EQ(8, write(s, request, 8));
	ATF_CHECK_EQ(ICMP_ECHOREPLY, echo(s));
	/* As a bare one: only requests go out. */
	ATF_CHECK_EQ(EINVAL, send_full(&p, s, &one, len, reply, 8, NULL, 0));
	/* A rule for it is none for UDP. */
	ATF_CHECK_EQ(DENIED(ECONNREFUSED), send_text(&p, udp(AF_INET), &one,
	    len, "udp"));
	peer_stop(&p);

	/* The controls. */
	start(tc, &p, NET_PROTO(NET_ICMP), "");
	ATF_CHECK_EQ(0, send_full(&p, s, &two, len, request, 8, NULL, 0));
	ATF_CHECK_EQ(0, send_full(&p, s6, &six, len6, request6, 8, NULL, 0));
	ATF_CHECK_EQ(129, echo(s6) & 0xff);
	peer_stop(&p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, ports);
	ATF_TP_ADD_TC(tp, unspecified);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, other_sockets);
	ATF_TP_ADD_TC(tp, control);
	ATF_TP_ADD_TC(tp, sizes);
	ATF_TP_ADD_TC(tp, connects);
	ATF_TP_ADD_TC(tp, ping);
	return (atf_no_error());
}
