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
 * Which binding an address and a port belong to.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <atf-c.h>
#include <string.h>

#include "portmap.h"

static struct port_binding
at(enum net_proto proto, const char *text, int dual)
{
	struct sockaddr_storage	 ss;
	struct port_binding	 pb;

	memset(&ss, 0, sizeof(ss));
	memset(&pb, 0, sizeof(pb));
	ss.ss_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	ATF_REQUIRE(inet_pton(ss.ss_family, text, ss.ss_family == AF_INET ?
	    (void *)&((struct sockaddr_in *)&ss)->sin_addr :
	    (void *)&((struct sockaddr_in6 *)&ss)->sin6_addr) == 1);
	port_set(&ss, 4711);
	port_address(&pb, &ss);
	ATF_CHECK_EQ(4711, pb.asked);
	pb.proto = proto;
	pb.dual = dual;
	return (pb);
}

ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	static const struct {
		const char	*a;
		int		 adual;
		const char	*b;
		int		 bdual;
		int		 covers;	/* a what is sent to b */
		int		 overlaps;
	} t[] = {
		{ "127.0.0.1", 0, "127.0.0.1", 0, 1, 1 },
		{ "127.0.0.1", 0, "127.0.0.2", 0, 0, 0 },
		{ "127.0.0.1", 0, "::ffff:127.0.0.1", 0, 1, 1 },
		{ "0.0.0.0", 0, "127.0.0.1", 0, 1, 1 },
		{ "127.0.0.1", 0, "0.0.0.0", 0, 0, 1 },
		{ "0.0.0.0", 0, "::1", 0, 0, 0 },
		{ "0.0.0.0", 0, "::", 0, 0, 0 },
		{ "0.0.0.0", 0, "::", 1, 0, 1 },
		{ "::", 0, "::1", 0, 1, 1 },
		{ "::", 0, "127.0.0.1", 0, 0, 0 },
		{ "::", 1, "127.0.0.1", 0, 1, 1 },
		{ "::", 1, "::ffff:127.0.0.1", 0, 1, 1 },
		{ "::", 1, "0.0.0.0", 0, 1, 1 },
		{ "::", 0, "::", 1, 0, 1 },
		{ "::", 1, "::", 0, 1, 1 },
		{ "::1", 0, "::", 1, 0, 1 },
		{ "::1", 0, "2001:db8::1", 0, 0, 0 }
	};
	struct port_binding	 a, b;
	size_t			 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		a = at(NET_TCP, t[i].a, t[i].adual);
		b = at(NET_TCP, t[i].b, t[i].bdual);
		ATF_CHECK_EQ_MSG(t[i].covers, port_covers(&a, &b), "%zu", i);
		ATF_CHECK_EQ_MSG(t[i].overlaps, port_overlaps(&a, &b), "%zu",
		    i);
		ATF_CHECK_EQ_MSG(t[i].overlaps, port_overlaps(&b, &a), "%zu",
		    i);
		b.proto = NET_UDP;
		ATF_CHECK_EQ(0, port_covers(&a, &b));
		ATF_CHECK_EQ(0, port_overlaps(&a, &b));
	}
}

/* A link-local address is one on each interface; others have no scope. */
ATF_TC_WITHOUT_HEAD(scopes);
ATF_TC_BODY(scopes, tc)
{
	static const struct {
		const char	*text;
		int		 same;
	} t[] = {
		{ "fe80::1", 0 }, { "ff02::fb", 0 }, { "ff01::1", 0 },
		{ "ff05::1", 1 }, { "2001:db8::1", 1 }, { "::", 1 }
	};
	struct sockaddr_storage	 ss;
	struct sockaddr_in6	*sin6 = (struct sockaddr_in6 *)&ss;
	struct port_binding	 pb[2];
	size_t			 i;
	int			 j;

	memset(&ss, 0, sizeof(ss));
	ss.ss_family = AF_INET6;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ATF_REQUIRE(inet_pton(AF_INET6, t[i].text,
		    &sin6->sin6_addr) == 1);
		memset(pb, 0, sizeof(pb));
		for (j = 0; j < 2; j++) {
			sin6->sin6_scope_id = j + 1;
			port_address(&pb[j], &ss);
			ATF_CHECK(port_covers(&pb[j], &pb[j]));
		}
		ATF_CHECK_EQ(t[i].same, port_covers(&pb[0], &pb[1]));
		ATF_CHECK_EQ(t[i].same, port_overlaps(&pb[0], &pb[1]));
	}
}

ATF_TC_WITHOUT_HEAD(find);
ATF_TC_BODY(find, tc)
{
	struct port_bindings	 map = TAILQ_HEAD_INITIALIZER(map);
	struct port_binding	 any, one, six, key;

	any = at(NET_TCP, "0.0.0.0", 0);
	any.asked = 80;
	any.real = 1080;
	one = at(NET_TCP, "127.0.0.2", 0);
	one.asked = 80;
	one.real = 1081;
	six = at(NET_TCP, "::", 1);
	six.asked = 80;
	six.real = 1082;
	TAILQ_INSERT_TAIL(&map, &six, entry);
	TAILQ_INSERT_TAIL(&map, &any, entry);
	TAILQ_INSERT_TAIL(&map, &one, entry);

	/* The very address, then every address of its family, then both. */
	key = at(NET_TCP, "127.0.0.2", 0);
	ATF_CHECK(port_find_asked(&map, &key, 80) == &one);
	key = at(NET_TCP, "127.0.0.1", 0);
	ATF_CHECK(port_find_asked(&map, &key, 80) == &any);
	key = at(NET_TCP, "::1", 0);
	ATF_CHECK(port_find_asked(&map, &key, 80) == &six);
	ATF_CHECK(port_find_asked(&map, &key, 81) == NULL);
	ATF_CHECK(port_find_asked(&map, &key, 1082) == NULL);
	key = at(NET_UDP, "127.0.0.1", 0);
	ATF_CHECK(port_find_asked(&map, &key, 80) == NULL);

	key = at(NET_TCP, "127.0.0.1", 0);
	ATF_CHECK(port_find_real(&map, &key, 1080) == &any);
	ATF_CHECK(port_find_real(&map, &key, 1081) == NULL);
	ATF_CHECK(port_find_real(&map, &key, 1082) == &six);
	ATF_CHECK(port_find_real(&map, &key, 80) == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, scopes);
	ATF_TP_ADD_TC(tp, find);
	return (atf_no_error());
}
