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
 * The judgement of addresses: as a table, against a slow reading of the rules
 * in small worlds, and in number of steps where there are many.
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
	nr.protos = NET_PROTO(NET_TCP);
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
	return (netrule_decide(rules, NET_TCP, direction, &na, port));
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

/*
 * A slow reading of the rules: one after the other, bit by bit.  Both numbers
 * of an address are judged where one is inside of the other.
 */
#define MODEL_RULES	8

static struct net_rule	 model[MODEL_RULES];
static size_t		 nmodel;

static int
same_bits(const uint8_t *a, const uint8_t *b, unsigned int n)
{
	unsigned int	 i;

	for (i = 0; i < n; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return (0);
	return (1);
}

/* Does a rule name this address, v4 or not, by at least so many bits? */
static int
model_names(const struct net_rule *nr, const uint8_t *addr, int v4,
    unsigned int minbits)
{
	if (nr->target == NET_ANY)
		return (1);
	return ((nr->family == AF_INET) == v4 && nr->bits >= minbits &&
	    same_bits(nr->addr.s6_addr, addr, nr->bits));
}

struct asked {
	enum net_proto		 proto;
	enum net_direction	 direction;
	uint16_t		 port;
	const uint8_t		*v4;		/* or NULL */
	const uint8_t		*v6;
	unsigned int		 minbits;	/* of v6 */
};

static int
model_run(const struct asked *q)
{
	const struct net_rule	*nr;
	size_t			 i;
	int			 admitted = 0;

	for (i = 0; i < nmodel; i++) {
		nr = &model[i];
		if (nr->direction != q->direction ||
		    (nr->protos & NET_PROTO(q->proto)) == 0)
			continue;
		if (q->proto != NET_ICMP &&
		    (q->port < nr->port_lo || q->port > nr->port_hi))
			continue;
		if (!(q->v4 != NULL && model_names(nr, q->v4, 1, 0)) &&
		    !(q->v6 != NULL && model_names(nr, q->v6, 0, q->minbits)))
			continue;
		admitted = !nr->block;
		if (nr->quick)
			break;
	}
	return (admitted);
}

static const struct {
	const char	*prefix;
	unsigned int	 bits;
	unsigned int	 offset;
} model_forms[] = {
	{ "64:ff9b::", 96, 12 },
	{ "2002::", 16, 2 },
	{ "::ffff:0:0:0", 96, 12 }
};

static int
model_decide(enum net_proto proto, enum net_direction direction,
    const struct netaddr *na, uint16_t port)
{
	struct asked	 q = { proto, direction, port, NULL, NULL, 0 };
	struct in6_addr	 prefix;
	size_t		 i;
	int		 both;

	if (na->family == AF_INET) {
		q.v4 = na->addr.s6_addr;
		return (model_run(&q));
	}
	q.v6 = na->addr.s6_addr;
	both = model_run(&q);
	for (i = 0; i < sizeof(model_forms) / sizeof(model_forms[0]); i++) {
		ATF_REQUIRE(inet_pton(AF_INET6, model_forms[i].prefix,
		    &prefix) == 1);
		if (!same_bits(prefix.s6_addr, q.v6, model_forms[i].bits))
			continue;
		q.v4 = q.v6 + model_forms[i].offset;
		q.minbits = model_forms[i].bits;
		return (both && model_run(&q));
	}
	return (both);
}

/* A world of a few addresses, in every form, and of a few ports. */
static const char *const	 world[] = {
	"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.0",
	"11.0.0.1", "2001:db8::", "2001:db8::1", "2001:db8::2", "2001:db8::3",
	"2001:db9::", "::1", "64:ff9b::10.0.0.1", "64:ff9b::10.0.0.2",
	"64:ff9b::11.0.0.1", "2002:a00:1::1", "2002:a00:2::", "2003::",
	"::ffff:0:10.0.0.1"
};
#define NWORLD		(sizeof(world) / sizeof(world[0]))
#define WORLD_PORTS	4

/* Each port of an address, and from each port all that are above. */
static void
address_agrees(struct netrules *rules, const char *text, int proto,
    int direction)
{
	struct netaddr	 na;
	int		 all = 1, lo, port[WORLD_PORTS];

	parse(text, &na);
	for (lo = 0; lo < WORLD_PORTS; lo++) {
		port[lo] = netrule_decide(rules, proto, direction, &na, lo);
		ATF_REQUIRE_EQ_MSG(model_decide(proto, direction, &na, lo),
		    port[lo], "%s proto %d direction %d port %d", text, proto,
		    direction, lo);
	}
	while (lo-- > 0) {
		all = all && port[lo];
		ATF_REQUIRE_EQ_MSG(all, netrule_decide_ports(rules, proto,
		    direction, &na, lo, WORLD_PORTS - 1),
		    "%s proto %d direction %d from port %d", text, proto,
		    direction, lo);
	}
}

static void
world_agrees(struct netrules *rules, unsigned int protos)
{
	size_t	 i;
	int	 direction, proto;

	for (i = 0; i < NWORLD; i++)
		for (proto = 0; proto < NET_PROTO_MAX; proto++)
			for (direction = 0; direction <= NET_IN; direction++)
				if ((protos & NET_PROTO(proto)) != 0)
					address_agrees(rules, world[i], proto,
					    direction);
}

static void
model_target(struct net_rule *nr, const char *addr, uint8_t bits)
{
	struct netaddr	 na;

	parse(addr, &na);
	nr->target = NET_ADDRESS;
	nr->family = na.family;
	nr->addr = na.addr;
	nr->bits = bits;
}

/* Every list of three rules out of a small alphabet. */
ATF_TC_WITHOUT_HEAD(exhaustive);
ATF_TC_BODY(exhaustive, tc)
{
	static const struct {
		const char	*addr;
		uint8_t		 bits;
	} targets[] = {
		{ NULL, 0 }, { "10.0.0.0", 30 }, { "10.0.0.1", 32 },
		{ "::", 0 }, { "64:ff9b::", 96 }
	};
	const int		 letters = 5 * 2 * 2 * 2;
	struct net_rule		*nr;
	struct netrules		*rules;
	int			 i, k, n, word;

	for (word = 0; word < letters * letters * letters; word++) {
		ATF_REQUIRE((rules = netrules_new()) != NULL);
		nmodel = 3;
		for (i = 0, n = word; i < 3; i++, n /= letters) {
			nr = &model[i];
			memset(nr, 0, sizeof(*nr));
			k = n % letters;
			nr->protos = NET_PROTO(NET_TCP);
			nr->block = k & 1;
			nr->quick = (k >> 1) & 1;
			nr->port_lo = (k >> 2) & 1 ? 2 : 0;
			nr->port_hi = 2;
			if (targets[k >> 3].addr != NULL)
				model_target(nr, targets[k >> 3].addr,
				    targets[k >> 3].bits);
			ATF_REQUIRE(netrules_add(rules, nr) == 0);
		}
		world_agrees(rules, NET_PROTO(NET_TCP));
		netrules_free(rules);
	}
}

static unsigned int
draw(unsigned int n)
{
	static uint64_t	 state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return ((unsigned int)((state >> 16) % n));
}

static void
draw_rule(struct net_rule *nr)
{
	const char	*addr;

	memset(nr, 0, sizeof(*nr));
	nr->protos = 1 + draw(NET_PROTO_ALL);
	nr->direction = draw(4) == 0 ? NET_IN : NET_OUT;
	nr->block = draw(2);
	nr->quick = draw(3) == 0;
	nr->port_lo = draw(WORLD_PORTS);
	nr->port_hi = nr->port_lo + draw(WORLD_PORTS - nr->port_lo);
	if (draw(4) == 0 || (nr->direction == NET_IN && nr->block))
		return;
	addr = world[draw(NWORLD)];
	if (strchr(addr, ':') == NULL)
		model_target(nr, addr, draw(2) ? 28 + draw(5) : draw(33));
	else
		model_target(nr, addr, draw(2) ? 120 + draw(9) : draw(129));
}

/*
 * Lists of random rules, added in any order that their places allow, with
 * others that are taken out again.
 */
ATF_TC_WITHOUT_HEAD(drawn);
ATF_TC_BODY(drawn, tc)
{
	struct net_rule	 extra[4], swap;
	struct netrules	*rules;
	size_t		 i, k, order[MODEL_RULES];
	int		 round;

	for (round = 0; round < 4000; round++) {
		ATF_REQUIRE((rules = netrules_new()) != NULL);
		nmodel = 1 + draw(MODEL_RULES);
		for (i = 0; i < nmodel; i++) {
			draw_rule(&model[i]);
			model[i].order = (uint32_t)(10 * i);
			order[i] = i;
		}
		for (i = nmodel - 1; i > 0; i--) {
			k = draw((unsigned int)i + 1);
			swap.order = (uint32_t)order[i];
			order[i] = order[k];
			order[k] = swap.order;
		}
		for (i = 0; i < 4; i++) {
			draw_rule(&extra[i]);
			extra[i].order = 1 + draw(80);
			extra[i].order += extra[i].order % 10 == 0;
			ATF_REQUIRE(netrules_add(rules, &extra[i]) == 0);
		}
		for (i = 0; i < nmodel; i++)
			ATF_REQUIRE(netrules_add(rules, &model[order[i]]) ==
			    0);
		if (draw(2))
			decide(rules, NET_OUT, "10.0.0.1", 1);
		for (i = 0; i < 4; i++)
			ATF_REQUIRE(netrules_remove(rules, &extra[i]) == 0);
		world_agrees(rules, NET_PROTO_ALL);
		netrules_free(rules);
	}
}

ATF_TC_WITHOUT_HEAD(removed);
ATF_TC_BODY(removed, tc)
{
	struct netrules	*rules;
	struct net_rule	 nr;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	memset(&nr, 0, sizeof(nr));
	nr.protos = NET_PROTO(NET_TCP);
	nr.port_lo = nr.port_hi = 80;
	model_target(&nr, "10.0.0.0", 8);
	ATF_CHECK_ERRNO(ENOENT, netrules_remove(rules, &nr) == -1);
	ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "10.1.2.3", 80));
	/* Only what was added as this one is, and only once. */
	nr.port_hi = 81;
	ATF_CHECK_ERRNO(ENOENT, netrules_remove(rules, &nr) == -1);
	nr.port_hi = 80;
	nr.order = 1;
	ATF_CHECK_ERRNO(ENOENT, netrules_remove(rules, &nr) == -1);
	nr.order = 0;
	nr.quick = 1;
	ATF_CHECK_ERRNO(ENOENT, netrules_remove(rules, &nr) == -1);
	nr.quick = 0;
	ATF_CHECK(netrules_remove(rules, &nr) == 0);
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "10.1.2.3", 80));
	ATF_CHECK(netrules_remove(rules, &nr) == 0);
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "10.1.2.3", 80));
	ATF_CHECK_ERRNO(ENOENT, netrules_remove(rules, &nr) == -1);
	netrules_free(rules);
}

/* Who refused: for the log of denials. */
ATF_TC_WITHOUT_HEAD(reasons);
ATF_TC_BODY(reasons, tc)
{
	struct netrules	*rules;
	struct net_rule	 nr;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	memset(&nr, 0, sizeof(nr));
	nr.protos = NET_PROTO(NET_TCP);
	nr.port_hi = 65535;
	nr.order = 3;
	ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	nr.block = 1;
	nr.order = 7;
	model_target(&nr, "10.0.0.0", 8);
	ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "10.0.0.1", 1));
	ATF_CHECK_EQ(7, netrule_reason());
	ATF_CHECK_EQ(0, decide(rules, NET_OUT, "64:ff9b::10.0.0.1", 1));
	ATF_CHECK_EQ(7, netrule_reason());
	ATF_CHECK_EQ(1, decide(rules, NET_OUT, "11.0.0.1", 1));
	ATF_CHECK_EQ(0, decide(rules, NET_IN, "10.0.0.1", 1));
	ATF_CHECK_EQ(-1, netrule_reason());
	netrules_free(rules);
}

static void
draw_prefix(struct net_rule *nr, int v4)
{
	size_t	 i;

	memset(nr, 0, sizeof(*nr));
	nr->protos = NET_PROTO(NET_TCP);
	nr->target = NET_ADDRESS;
	nr->family = v4 ? AF_INET : AF_INET6;
	nr->port_hi = 65535;
	nr->block = draw(2);
	nr->bits = v4 ? 8 + draw(25) : 16 + draw(113);
	for (i = 0; i < (v4 ? 4 : 16); i++)
		nr->addr.s6_addr[i] = draw(256);
	/* Not one of the forms, which take twice as many. */
	nr->addr.s6_addr[0] |= 0x80;
}

/* The most comparisons of a decision among n prefixes. */
static uint64_t
most_comparisons(size_t n, int v4)
{
	struct netrules	*rules;
	struct netaddr	 na;
	struct net_rule	 nr;
	uint64_t	 before, most = 0, used;
	size_t		 i;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	for (i = 0; i < n; i++) {
		draw_prefix(&nr, v4);
		ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	}
	for (i = 0; i < 2000; i++) {
		draw_prefix(&nr, v4);
		na.family = nr.family;
		na.addr = nr.addr;
		before = netrule_comparisons();
		netrule_decide(rules, NET_TCP, NET_OUT, &na, 80);
		used = netrule_comparisons() - before;
		most = used > most ? used : most;
	}
	netrules_free(rules);
	return (most);
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	uint64_t	 hundred, most;
	int		 v4;

	for (v4 = 0; v4 <= 1; v4++) {
		hundred = most_comparisons(100, v4);
		most = most_comparisons(10000, v4);
		/* A tree of 10,000 is at most 2 * log2(10,001) deep. */
		ATF_CHECK_MSG(most <= (v4 ? 25 : 113) * 27, "%ju",
		    (uintmax_t)most);
		/* 100 times as many rules, not even 4 times as many steps. */
		ATF_CHECK_MSG(most <= 4 * hundred, "%ju, %ju",
		    (uintmax_t)hundred, (uintmax_t)most);
		ATF_CHECK(hundred > 0);
	}
}

/* As many ports of one prefix, and ranges that overlap. */
ATF_TC_WITHOUT_HEAD(many_ports);
ATF_TC_BODY(many_ports, tc)
{
	struct netrules	*rules;
	struct net_rule	 nr;
	uint64_t	 before;
	uint32_t	 i;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	memset(&nr, 0, sizeof(nr));
	nr.protos = NET_PROTO(NET_TCP);
	for (i = 0; i < 10000; i++) {
		nr.port_lo = (uint16_t)(2 * i);
		nr.port_hi = (uint16_t)(60000 - 2 * i);
		if (nr.port_hi < nr.port_lo)
			nr.port_hi = nr.port_lo;
		nr.block = i & 1;
		ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	}
	decide(rules, NET_OUT, "10.0.0.1", 1);
	for (i = 0; i <= UINT16_MAX; i += 13) {
		before = netrule_comparisons();
		/* The innermost range that has it was the last. */
		ATF_CHECK_EQ_MSG(i > 60000 ? 0 : i < 20000 ? i % 4 < 2 :
		    i <= 40002 ? 0 : (60000 - i) % 4 < 2,
		    decide(rules, NET_OUT, "10.0.0.1", (uint16_t)i), "%u", i);
		ATF_CHECK(netrule_comparisons() - before <= 16);
	}
	netrules_free(rules);
}

/* All ports at once take as many steps as there are ranges, not ports. */
ATF_TC_WITHOUT_HEAD(all_ports);
ATF_TC_BODY(all_ports, tc)
{
	struct netrules	*rules;
	struct netaddr	 na;
	struct net_rule	 nr;
	uint64_t	 before;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	memset(&nr, 0, sizeof(nr));
	nr.protos = NET_PROTO_ALL;
	nr.port_hi = UINT16_MAX;
	model_target(&nr, "10.0.0.0", 8);
	ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	parse("10.0.0.1", &na);
	before = netrule_comparisons();
	ATF_CHECK_EQ(1, netrule_decide_ports(rules, NET_TCP, NET_OUT, &na, 0,
	    UINT16_MAX));
	ATF_CHECK_EQ(1, netrule_decide_ports(rules, NET_ICMP, NET_OUT, &na, 0,
	    UINT16_MAX));
	ATF_CHECK(netrule_comparisons() - before <= 16);
	/* The last of them is looked at. */
	nr.block = 1;
	nr.order = 1;
	nr.port_lo = UINT16_MAX;
	ATF_REQUIRE(netrules_add(rules, &nr) == 0);
	ATF_CHECK_EQ(0, netrule_decide_ports(rules, NET_TCP, NET_OUT, &na, 0,
	    UINT16_MAX));
	ATF_CHECK_EQ(1, netrule_decide_ports(rules, NET_TCP, NET_OUT, &na, 0,
	    UINT16_MAX - 1));
	netrules_free(rules);
}

ATF_TC_WITHOUT_HEAD(bad_rules);
ATF_TC_BODY(bad_rules, tc)
{
	struct netrules	*rules;
	struct net_rule	 nr;

	ATF_REQUIRE((rules = netrules_new()) != NULL);
	memset(&nr, 0, sizeof(nr));
	nr.protos = NET_PROTO(NET_TCP);
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
	/* What a socket on every address would evade. */
	nr.bits = 128;
	nr.direction = NET_IN;
	nr.block = 1;
	ATF_CHECK_ERRNO(EINVAL, netrules_add(rules, &nr) == -1);
	nr.block = 0;
	ATF_CHECK(netrules_add(rules, &nr) == 0);
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
	ATF_TP_ADD_TC(tp, exhaustive);
	ATF_TP_ADD_TC(tp, drawn);
	ATF_TP_ADD_TC(tp, removed);
	ATF_TP_ADD_TC(tp, reasons);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, many_ports);
	ATF_TP_ADD_TC(tp, all_ports);
	ATF_TP_ADD_TC(tp, bad_rules);
	ATF_TP_ADD_TC(tp, special);
	return (atf_no_error());
}
