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
 * The judgement of addresses, as a table.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netrule.h"

static void
add(struct netrules *rules, enum net_direction direction, const char *text,
    uint16_t lo, uint16_t hi)
{
	struct net_rule	 nr;
	char		 addr[64], *slash;

	memset(&nr, 0, sizeof(nr));
	nr.direction = direction;
	nr.port_lo = lo;
	nr.port_hi = hi;
	if (strcmp(text, "any") != 0) {
		nr.target = NET_ADDRESS;
		strlcpy(addr, text, sizeof(addr));
		ATF_REQUIRE((slash = strchr(addr, '/')) != NULL);
		*slash++ = '\0';
		nr.bits = strtonum(slash, 0, 128, NULL);
		nr.family = strchr(addr, ':') != NULL ? AF_INET6 : AF_INET;
		ATF_REQUIRE(inet_pton(nr.family, addr, &nr.addr) == 1);
	}
	ATF_REQUIRE(netrules_add(rules, &nr) == 0);
}

static void
parse(const char *text, struct netaddr *na)
{
	memset(na, 0, sizeof(*na));
	na->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	ATF_REQUIRE_MSG(inet_pton(na->family, text, &na->addr) == 1, "%s",
	    text);
}

static int
decide(struct netrules *rules, enum net_direction direction,
    const char *text, uint16_t port)
{
	struct netaddr	 na;

	parse(text, &na);
	return (netrule_decide(rules, direction, &na, port));
}

static const struct {
	const char	*rule;
	const char	*addr;
	int		 admitted;
} table[] = {
	/* one host */
	{ "192.0.2.1/32", "192.0.2.1", 1 },
	{ "192.0.2.1/32", "192.0.2.0", 0 },
	{ "192.0.2.1/32", "192.0.2.2", 0 },
	{ "192.0.2.1/32", "2001:db8::1", 0 },
	{ "2001:db8::1/128", "2001:db8::1", 1 },
	{ "2001:db8::1/128", "2001:db8::2", 0 },
	{ "2001:db8::1/128", "2001:db8::", 0 },
	{ "2001:db8::1/128", "192.0.2.1", 0 },
	/* prefixes at their bounds, on and off a byte */
	{ "192.0.2.0/24", "192.0.2.0", 1 },
	{ "192.0.2.0/24", "192.0.2.255", 1 },
	{ "192.0.2.0/24", "192.0.1.255", 0 },
	{ "192.0.2.0/24", "192.0.3.0", 0 },
	{ "192.0.2.64/26", "192.0.2.63", 0 },
	{ "192.0.2.64/26", "192.0.2.64", 1 },
	{ "192.0.2.64/26", "192.0.2.127", 1 },
	{ "192.0.2.64/26", "192.0.2.128", 0 },
	{ "192.0.2.0/31", "192.0.2.1", 1 },
	{ "192.0.2.0/31", "192.0.2.2", 0 },
	{ "128.0.0.0/1", "127.255.255.255", 0 },
	{ "128.0.0.0/1", "128.0.0.0", 1 },
	{ "0.0.0.0/0", "255.255.255.255", 1 },
	{ "0.0.0.0/0", "2001:db8::1", 0 },
	{ "2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 1 },
	{ "2001:db8::/32", "2001:db9::", 0 },
	{ "2001:db8:0:8000::/49", "2001:db8:0:7fff::", 0 },
	{ "2001:db8:0:8000::/49", "2001:db8:0:ffff::1", 1 },
	{ "2001:db8::/127", "2001:db8::1", 1 },
	{ "2001:db8::/127", "2001:db8::2", 0 },
	/* bits of the host part in a rule mean nothing */
	{ "192.0.2.77/24", "192.0.2.1", 1 },
	{ "2001:db8::7/64", "2001:db8::1", 1 },
	/* v4-mapped is IPv4, in addresses and in rules */
	{ "192.0.2.1/32", "::ffff:192.0.2.1", 1 },
	{ "192.0.2.1/32", "::ffff:192.0.2.2", 0 },
	{ "::ffff:192.0.2.0/120", "192.0.2.9", 1 },
	{ "::ffff:192.0.2.0/120", "192.0.3.9", 0 },
	{ "::/0", "::ffff:192.0.2.1", 0 },
	{ "::/0", "192.0.2.1", 0 },
	{ "::/80", "192.0.2.1", 0 },
	{ "::/0", "2001:db8::1", 1 },
	/* other forms are not IPv4, and ::/0 does not mean them */
	{ "192.0.2.1/32", "::192.0.2.1", 0 },
	{ "192.0.2.1/32", "::ffff:0:192.0.2.1", 0 },
	{ "192.0.2.1/32", "64:ff9b::192.0.2.1", 0 },
	{ "192.0.2.1/32", "2002:c000:201::1", 0 },
	{ "::/0", "::192.0.2.1", 0 },
	{ "::/0", "::ffff:0:192.0.2.1", 0 },
	{ "::/0", "64:ff9b::192.0.2.1", 0 },
	{ "::/0", "2002:c000:201::1", 0 },
	{ "2000::/3", "2002:c000:201::1", 0 },
	/* but a rule that names them does */
	{ "64:ff9b::192.0.2.1/128", "64:ff9b::192.0.2.1", 1 },
	{ "64:ff9b::192.0.2.1/128", "64:ff9b::192.0.2.2", 0 },
	{ "64:ff9b::/96", "64:ff9b::10.0.0.1", 1 },
	{ "2002:c000:201::/48", "2002:c000:201::1", 1 },
	{ "2002::/16", "2002:a00:1::1", 1 },
	/* the unspecified address connects to loopback */
	{ "127.0.0.1/32", "0.0.0.0", 1 },
	{ "127.0.0.1/32", "::ffff:0.0.0.0", 1 },
	{ "127.0.0.1/32", "::", 0 },
	{ "127.0.0.1/32", "::1", 0 },
	{ "127.0.0.1/32", "127.0.0.2", 0 },
	{ "::1/128", "::", 1 },
	{ "::1/128", "0.0.0.0", 0 },
	{ "::1/128", "127.0.0.1", 0 },
	{ "0.0.0.0/32", "127.0.0.1", 0 },
	{ "0.0.0.0/32", "0.0.0.0", 0 },
	{ "::/0", "::1", 1 },
	{ "::/0", "::", 1 },
	/* nothing special about these */
	{ "fe80::1/128", "fe80::1", 1 },
	{ "fe80::1/128", "fe80::2", 0 },
	{ "224.0.0.0/4", "239.1.2.3", 1 },
	{ "192.0.2.0/24", "255.255.255.255", 0 },
	/* every address */
	{ "any", "192.0.2.1", 1 },
	{ "any", "2001:db8::1", 1 },
	{ "any", "64:ff9b::192.0.2.1", 1 },
	{ "any", "0.0.0.0", 1 },
	{ "any", "::", 1 }
};

ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	struct netrules	*rules;
	size_t		 i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ATF_REQUIRE((rules = netrules_new()) != NULL);
		ATF_CHECK_EQ_MSG(0, decide(rules, NET_OUT, table[i].addr, 80),
		    "%s without a rule", table[i].addr);
		add(rules, NET_OUT, table[i].rule, 80, 80);
		ATF_CHECK_EQ_MSG(table[i].admitted, decide(rules, NET_OUT,
		    table[i].addr, 80), "%s under %s", table[i].addr,
		    table[i].rule);
		ATF_CHECK_EQ_MSG(0, decide(rules, NET_OUT, table[i].addr, 81),
		    "%s port 81", table[i].addr);
		ATF_CHECK_EQ_MSG(0, decide(rules, NET_IN, table[i].addr, 80),
		    "%s inwards", table[i].addr);
		netrules_free(rules);
	}
}

ATF_TC_WITHOUT_HEAD(embedded_both);
ATF_TC_BODY(embedded_both, tc)
{
	struct netrules	*rules;

	/* Admitted as IPv6 and as the IPv4 address inside: then it may. */
	ATF_REQUIRE((rules = netrules_new()) != NULL);
	add(rules, NET_OUT, "::/0", 80, 80);
	add(rules, NET_OUT, "192.0.2.0/24", 80, 80);
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "64:ff9b::192.0.2.1", 80));
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "2002:c000:201::1", 80));
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "::192.0.2.1", 80));
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "64:ff9b::10.0.0.1", 80));
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "2002:a00:1::1", 80));
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "::127.0.0.1", 80));
	netrules_free(rules);
}

ATF_TC_WITHOUT_HEAD(ports);
ATF_TC_BODY(ports, tc)
{
	struct netrules	*rules;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	add(rules, NET_OUT, "192.0.2.1/32", 100, 200);
	add(rules, NET_OUT, "192.0.2.1/32", 65535, 65535);
	add(rules, NET_OUT, "192.0.2.2/32", 0, 65535);
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "192.0.2.1", 99));
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "192.0.2.1", 100));
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "192.0.2.1", 200));
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "192.0.2.1", 201));
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "192.0.2.1", 65535));
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "192.0.2.1", 65534));
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "192.0.2.1", 0));
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "192.0.2.2", 0));
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "192.0.2.2", 65535));
	netrules_free(rules);
}

ATF_TC_WITHOUT_HEAD(inwards);
ATF_TC_BODY(inwards, tc)
{
	struct netrules	*rules;

	/* A socket on every address is not one on loopback. */
	ATF_REQUIRE((rules = netrules_new()) != NULL);
	add(rules, NET_IN, "127.0.0.1/32", 80, 80);
	add(rules, NET_IN, "::1/128", 80, 80);
	ATF_CHECK_EQ(1, decide(rules, NET_IN, "127.0.0.1", 80));
	ATF_CHECK_EQ(1, decide(rules, NET_IN, "::1", 80));
	ATF_CHECK_EQ(0, decide(rules, NET_IN, "0.0.0.0", 80));
	ATF_CHECK_EQ(0, decide(rules, NET_IN, "::", 80));
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "127.0.0.1", 80));
	/* One on :: takes IPv4 as well. */
	add(rules, NET_IN, "::/0", 80, 80);
	ATF_CHECK_EQ(0, decide(rules, NET_IN, "::", 80));
	add(rules, NET_IN, "0.0.0.0/0", 80, 80);
	ATF_CHECK_EQ(1, decide(rules, NET_IN, "::", 80));
	ATF_CHECK_EQ(1, decide(rules, NET_IN, "0.0.0.0", 80));
	netrules_free(rules);

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	add(rules, NET_IN, "any", 80, 80);
	ATF_CHECK_EQ(1, decide(rules, NET_IN, "::", 80));
	ATF_CHECK_EQ(1, decide(rules, NET_IN, "0.0.0.0", 80));
	ATF_CHECK_EQ(0, decide(rules, NET_IN, "0.0.0.0", 0));
	netrules_free(rules);
}

ATF_TC_WITHOUT_HEAD(bad_rules);
ATF_TC_BODY(bad_rules, tc)
{
	struct netrules	*rules;
	struct net_rule	 nr;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	memset(&nr, 0, sizeof(nr));
	nr.port_hi = 65535;
	nr.target = NET_NAME;
	ATF_CHECK_ERRNO(EINVAL, netrules_add(rules, &nr) == -1);
	nr.target = NET_ADDRESS;
	ATF_CHECK_ERRNO(EINVAL, netrules_add(rules, &nr) == -1);
	nr.family = AF_UNIX;
	ATF_CHECK_ERRNO(EINVAL, netrules_add(rules, &nr) == -1);
	nr.family = AF_INET;
	nr.bits = 33;
	ATF_CHECK_ERRNO(EINVAL, netrules_add(rules, &nr) == -1);
	nr.family = AF_INET6;
	nr.bits = 129;
	ATF_CHECK_ERRNO(EINVAL, netrules_add(rules, &nr) == -1);
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "0.0.0.1", 80));
	netrules_free(rules);
}

static const struct {
	const char	*addr;
	const char	*what;
} specials[] = {
	{ "127.0.0.1", "loopback" },
	{ "127.255.255.255", "loopback" },
	{ "128.0.0.0", NULL },
	{ "0.0.0.0", "unspecified" },
	{ "0.1.2.3", "unspecified" },
	{ "169.254.169.254", "link-local" },
	{ "169.253.255.255", NULL },
	{ "169.255.0.0", NULL },
	{ "10.0.0.0", "private" },
	{ "10.255.255.255", "private" },
	{ "9.255.255.255", NULL },
	{ "11.0.0.0", NULL },
	{ "172.15.255.255", NULL },
	{ "172.16.0.0", "private" },
	{ "172.31.255.255", "private" },
	{ "172.32.0.0", NULL },
	{ "192.168.0.0", "private" },
	{ "192.169.0.0", NULL },
	{ "100.63.255.255", NULL },
	{ "100.64.0.0", "private" },
	{ "100.127.255.255", "private" },
	{ "100.128.0.0", NULL },
	{ "223.255.255.255", NULL },
	{ "224.0.0.1", "multicast" },
	{ "255.255.255.255", "reserved" },
	{ "192.0.2.1", NULL },
	{ "::", "unspecified" },
	{ "::1", "loopback" },
	{ "fe80::1", "link-local" },
	{ "febf::1", "link-local" },
	{ "fec0::1", "private" },
	{ "fc00::1", "private" },
	{ "fdff::1", "private" },
	{ "ff02::1", "multicast" },
	{ "2001:db8::1", NULL },
	{ "2600::1", NULL },
	{ "::ffff:127.0.0.1", "loopback" },
	{ "::ffff:192.0.2.1", NULL },
	{ "::ffff:0:10.0.0.1", "private" },
	{ "::127.0.0.1", "loopback" },
	{ "::10.0.0.1", "private" },
	{ "64:ff9b::169.254.169.254", "link-local" },
	{ "64:ff9b::192.0.2.1", NULL },
	{ "64:ff9b:1::1", "translated" },
	{ "2002:7f00:1::1", "loopback" },
	{ "2002:c0a8:1::1", "private" },
	{ "2002:c000:201::1", NULL },
	{ "2001:0:1:2::3", "tunnelled" },
	{ "2001:1::1", NULL }
};

ATF_TC_WITHOUT_HEAD(special);
ATF_TC_BODY(special, tc)
{
	struct netaddr	 na;
	const char	*got;
	size_t		 i;

	for (i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		parse(specials[i].addr, &na);
		got = netaddr_special(&na);
		if (specials[i].what == NULL)
			ATF_CHECK_MSG(got == NULL, "%s is %s",
			    specials[i].addr, got);
		else
			ATF_CHECK_MSG(got != NULL && strcmp(got,
			    specials[i].what) == 0, "%s is %s",
			    specials[i].addr, got != NULL ? got : "ordinary");
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, embedded_both);
	ATF_TP_ADD_TC(tp, ports);
	ATF_TP_ADD_TC(tp, inwards);
	ATF_TP_ADD_TC(tp, bad_rules);
	ATF_TP_ADD_TC(tp, special);
	return (atf_no_error());
}
