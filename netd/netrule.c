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
 * The judgement of addresses.  Called by connect.c and listen.c for each
 * request and by resolve.c for each answer of a name server.  It never makes
 * a system call and keeps nothing between calls.
 *
 * Rules are kept as 128-bit prefixes, IPv4 in its v4-mapped form, so that one
 * comparison serves both families and 1.2.3.4 and ::ffff:1.2.3.4 are one
 * address.  A prefix shorter than the mapped one is a prefix of IPv6 and never
 * reaches into IPv4.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netrule.h"

#define MAPPED_BITS	96

struct netrule {
	STAILQ_ENTRY(netrule)	 entry;
	enum net_direction	 direction;
	int			 any;		/* every address */
	uint8_t			 prefix[16];
	uint8_t			 bits;
	uint16_t		 port_lo;
	uint16_t		 port_hi;
};

struct netrules {
	STAILQ_HEAD(netrule_head, netrule)	 head;
};

/* A prefix of IPv6 whose addresses carry an IPv4 address. */
struct embedding {
	uint8_t		 prefix[16];
	uint8_t		 bits;
	uint8_t		 offset;	/* of the IPv4 address, in bytes */
};

/*
 * Where a router or a tunnel may turn an IPv6 address into an IPv4 one.  The
 * v4-mapped form is not here: the kernel itself treats it as IPv4.
 */
static const struct embedding	 embeddings[] = {
	/* ::a.b.c.d, v4-compatible */
	{ { 0 }, 96, 12 },
	/* ::ffff:0:a.b.c.d, stateless translation */
	{ { [8] = 0xff, [9] = 0xff }, 96, 12 },
	/* 64:ff9b::a.b.c.d, NAT64 */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12 },
	/* 2002:a.b.c.d::, 6to4 */
	{ { 0x20, 0x02 }, 16, 2 }
};

static const uint8_t	 mapped_prefix[16] = { [10] = 0xff, [11] = 0xff };

/* Addresses that a name server has no business to give, by prefix. */
static const struct {
	uint8_t		 prefix[4];
	uint8_t		 bits;
	const char	*what;
} special4[] = {
	{ { 0 }, 8, "unspecified" },
	{ { 127 }, 8, "loopback" },
	{ { 169, 254 }, 16, "link-local" },
	{ { 10 }, 8, "private" },
	{ { 172, 16 }, 12, "private" },
	{ { 192, 168 }, 16, "private" },
	{ { 100, 64 }, 10, "private" },
	{ { 224 }, 4, "multicast" },
	{ { 240 }, 4, "reserved" }	/* and broadcast */
}, special6[] = {
	{ { 0xfe, 0x80 }, 10, "link-local" },
	{ { 0xfe, 0xc0 }, 10, "private" },	/* site-local */
	{ { 0xfc }, 7, "private" },
	{ { 0xff }, 8, "multicast" },
	/* 64:ff9b:1::/48: IPv4 at a place that only the network knows */
	{ { 0x00, 0x64, 0xff, 0x9b }, 32, "translated" },
	/* 2001::/32, Teredo: IPv4 in a scrambled form */
	{ { 0x20, 0x01, 0x00, 0x00 }, 32, "tunnelled" }
};

static int
prefix_match(const uint8_t *addr, const uint8_t *prefix, unsigned int bits)
{
	unsigned int	 bytes = bits / 8, rest = bits % 8;

	if (memcmp(addr, prefix, bytes) != 0)
		return (0);
	return (rest == 0 ||
	    ((addr[bytes] ^ prefix[bytes]) & (0xff00 >> rest) & 0xff) == 0);
}

static void
netaddr_from_v4(struct netaddr *na, const uint8_t *v4)
{
	memset(na, 0, sizeof(*na));
	na->family = AF_INET;
	memcpy(&na->addr, v4, 4);
}

/* All sixteen bytes of the common form. */
static void
netaddr_wide(const struct netaddr *na, uint8_t wide[16])
{
	if (na->family == AF_INET) {
		memcpy(wide, mapped_prefix, 12);
		memcpy(wide + 12, &na->addr, 4);
	} else
		memcpy(wide, &na->addr, 16);
}

static int
netaddr_unspecified(const struct netaddr *na)
{
	static const uint8_t	 zero[16];

	return (memcmp(&na->addr, zero, na->family == AF_INET ? 4 : 16) == 0);
}

/*
 * The embedding that an address in wide form belongs to.  :: and ::1 are not
 * v4-compatible addresses.
 */
static const struct embedding *
embedding_find(const uint8_t wide[16])
{
	static const uint8_t	 zero[15];
	size_t			 i;

	if (memcmp(wide, zero, sizeof(zero)) == 0 && wide[15] <= 1)
		return (NULL);
	for (i = 0; i < sizeof(embeddings) / sizeof(embeddings[0]); i++)
		if (prefix_match(wide, embeddings[i].prefix,
		    embeddings[i].bits))
			return (&embeddings[i]);
	return (NULL);
}

struct netrules *
netrules_new(void)
{
	struct netrules	*rules;

	if ((rules = calloc(1, sizeof(*rules))) == NULL)
		return (NULL);
	STAILQ_INIT(&rules->head);
	return (rules);
}

void
netrules_free(struct netrules *rules)
{
	struct netrule	*r;

	if (rules == NULL)
		return;
	while ((r = STAILQ_FIRST(&rules->head)) != NULL) {
		STAILQ_REMOVE_HEAD(&rules->head, entry);
		free(r);
	}
	free(rules);
}

int
netrules_add(struct netrules *rules, const struct net_rule *nr)
{
	struct netrule	*r;
	struct netaddr	 na;

	if (nr->target == NET_NAME || (nr->target == NET_ADDRESS &&
	    !(nr->family == AF_INET && nr->bits <= 32) &&
	    !(nr->family == AF_INET6 && nr->bits <= 128))) {
		errno = EINVAL;
		return (-1);
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (-1);
	r->direction = nr->direction;
	r->port_lo = nr->port_lo;
	r->port_hi = nr->port_hi;
	if (nr->target == NET_ANY)
		r->any = 1;
	else {
		na.family = nr->family;
		na.addr = nr->addr;
		netaddr_wide(&na, r->prefix);
		r->bits = nr->bits;
		if (nr->family == AF_INET)
			r->bits += MAPPED_BITS;
	}
	STAILQ_INSERT_TAIL(&rules->head, r, entry);
	return (0);
}

/*
 * One rule against one address.  A prefix shorter than the embedding that the
 * address lies in did not mean it: ::/0 is every IPv6 host, and not whatever a
 * translator makes of 64:ff9b::10.0.0.1.
 */
static int
netrule_match(const struct netrule *r, const uint8_t wide[16],
    unsigned int minbits)
{
	return (r->any ||
	    (r->bits >= minbits && prefix_match(wide, r->prefix, r->bits)));
}

static int
rules_admit(const struct netrules *rules, enum net_direction direction,
    const uint8_t wide[16], unsigned int minbits, uint16_t port)
{
	const struct netrule	*r;

	STAILQ_FOREACH(r, &rules->head, entry)
		if (r->direction == direction && port >= r->port_lo &&
		    port <= r->port_hi && netrule_match(r, wide, minbits))
			return (1);
	return (0);
}

int
netrule_decide(const struct netrules *rules, enum net_direction direction,
    const struct netaddr *addr, uint16_t port)
{
	const struct embedding	*e;
	struct netaddr		 na = *addr;
	uint8_t			 wide[16], inner[16];

	netaddr_wide(&na, wide);
	if (prefix_match(wide, mapped_prefix, MAPPED_BITS)) {
		netaddr_from_v4(&na, wide + 12);
		/* A connect to the unspecified address reaches loopback. */
		if (direction == NET_OUT && netaddr_unspecified(&na)) {
			wide[12] = 127;
			wide[15] = 1;
		}
		return (rules_admit(rules, direction, wide, MAPPED_BITS,
		    port));
	}
	if (netaddr_unspecified(&na)) {
		if (direction == NET_OUT)
			wide[15] = 1;
		else {
			/* A socket on :: takes connections of IPv4 too. */
			memcpy(inner, mapped_prefix, sizeof(inner));
			if (!rules_admit(rules, direction, inner, MAPPED_BITS,
			    port))
				return (0);
		}
	}
	if ((e = embedding_find(wide)) == NULL)
		return (rules_admit(rules, direction, wide, 0, port));
	if (rules_admit(rules, direction, wide, e->bits, port))
		return (1);
	/* Else both the IPv6 address and the one inside must be admitted. */
	memcpy(inner, mapped_prefix, 12);
	memcpy(inner + 12, wide + e->offset, 4);
	return (rules_admit(rules, direction, wide, 0, port) &&
	    rules_admit(rules, direction, inner, MAPPED_BITS, port));
}

void
netaddr_from_sockaddr(const struct sockaddr_storage *ss, struct netaddr *na,
    uint16_t *port)
{
	struct sockaddr_in	 sin;
	struct sockaddr_in6	 sin6;

	if (ss->ss_family == AF_INET) {
		memcpy(&sin, ss, sizeof(sin));
		netaddr_from_v4(na, (const uint8_t *)&sin.sin_addr);
		*port = ntohs(sin.sin_port);
		return;
	}
	memcpy(&sin6, ss, sizeof(sin6));
	*port = ntohs(sin6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr))
		netaddr_from_v4(na, &sin6.sin6_addr.s6_addr[12]);
	else {
		na->family = AF_INET6;
		na->addr = sin6.sin6_addr;
	}
}

static const char *
special4_find(const uint8_t *v4)
{
	size_t	 i;

	for (i = 0; i < sizeof(special4) / sizeof(special4[0]); i++)
		if (prefix_match(v4, special4[i].prefix, special4[i].bits))
			return (special4[i].what);
	return (NULL);
}

const char *
netaddr_special(const struct netaddr *na)
{
	const struct embedding	*e;
	uint8_t			 wide[16];
	size_t			 i;

	netaddr_wide(na, wide);
	if (prefix_match(wide, mapped_prefix, MAPPED_BITS))
		return (special4_find(wide + 12));
	if (netaddr_unspecified(na))
		return ("unspecified");
	if (IN6_IS_ADDR_LOOPBACK(&na->addr))
		return ("loopback");
	if ((e = embedding_find(wide)) != NULL)
		return (special4_find(wide + e->offset));
	for (i = 0; i < sizeof(special6) / sizeof(special6[0]); i++)
		if (prefix_match(wide, special6[i].prefix, special6[i].bits))
			return (special6[i].what);
	return (NULL);
}

int
netaddr_equal(const struct netaddr *a, const struct netaddr *b)
{
	uint8_t	 wa[16], wb[16];

	netaddr_wide(a, wa);
	netaddr_wide(b, wb);
	return (memcmp(wa, wb, sizeof(wa)) == 0);
}
