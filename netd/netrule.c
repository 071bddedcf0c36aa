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
 * The judgement of addresses.  Called by whoever of netd acts for the
 * workload, for each request, and by resolve.c for each answer of a name
 * server.  It never makes a system call, and keeps nothing between calls but
 * who decided last and a count.
 *
 * Rules are kept as 128-bit prefixes, IPv4 in its v4-mapped form, so that one
 * comparison serves both families and 1.2.3.4 and ::ffff:1.2.3.4 are one
 * address.  A prefix shorter than the mapped one is a prefix of IPv6 and never
 * reaches into IPv4.
 *
 * That the last match decides, unless an earlier one is quick, is a rank: of
 * all rules that match, the one with the highest decides.  For each protocol
 * and direction there is a tree of prefixes, looked at once for each length in
 * use; a prefix has its rules as disjoint ranges of ports, each with the rule
 * of the highest rank.  So a decision takes a number of steps that grows with
 * the logarithm of the number of rules.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netrule.h"

#define MAPPED_BITS	96
#define WIDE_BITS	128

struct netrule {
	TAILQ_ENTRY(netrule)	 entry;
	uint64_t		 rank;
	uint32_t		 order;
	uint16_t		 port_lo;
	uint16_t		 port_hi;
	int			 block;
};
TAILQ_HEAD(netrule_head, netrule);

/* From this port to the next span's. */
struct span {
	uint32_t		 lo;
	const struct netrule	*rule;		/* or NULL */
};

/* All rules of a protocol and a direction for one prefix. */
struct prefix {
	RB_ENTRY(prefix)	 entry;
	uint8_t			 addr[16];
	unsigned int		 bits;
	struct netrule_head	 rules;
	size_t			 nrules;
	struct span		*spans;		/* NULL: to be made afresh */
	size_t			 nspans;
};
RB_HEAD(prefixes, prefix);

struct set {
	struct prefixes		 prefixes;
	size_t			 lengths[WIDE_BITS + 1];
	struct prefix		 any;		/* every address */
};

struct netrules {
	struct set		 sets[NET_PROTO_MAX][NET_IN + 1];
	uint32_t		 added;
};

static uint64_t	 comparisons;
static int64_t	 reason = -1;
static uint16_t	 last_port;

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

static int
prefix_cmp(struct prefix *a, struct prefix *b)
{
	int	 ret;

	comparisons++;
	if ((ret = memcmp(a->addr, b->addr, sizeof(a->addr))) != 0)
		return (ret);
	return (a->bits < b->bits ? -1 : a->bits > b->bits);
}

/* Not every tree needs every function; libbsd's static forms do not build. */
#define MAYBE_UNUSED	static __attribute__((__unused__))
RB_PROTOTYPE_INTERNAL(prefixes, prefix, entry, prefix_cmp, MAYBE_UNUSED)
RB_GENERATE_INTERNAL(prefixes, prefix, entry, prefix_cmp, MAYBE_UNUSED)

static void
prefix_key(struct prefix *key, const uint8_t *wide, unsigned int bits)
{
	unsigned int	 bytes = bits / 8, rest = bits % 8;

	memset(key->addr, 0, sizeof(key->addr));
	memcpy(key->addr, wide, bytes);
	if (rest != 0)
		key->addr[bytes] = wide[bytes] & (0xff00 >> rest) & 0xff;
	key->bits = bits;
}

static void
prefix_init(struct prefix *p)
{
	TAILQ_INIT(&p->rules);
	p->nrules = 0;
	p->spans = NULL;
	p->nspans = 0;
}

static void
prefix_stale(struct prefix *p)
{
	free(p->spans);
	p->spans = NULL;
	p->nspans = 0;
}

static void
prefix_clear(struct prefix *p)
{
	struct netrule	*r;

	while ((r = TAILQ_FIRST(&p->rules)) != NULL) {
		TAILQ_REMOVE(&p->rules, r, entry);
		free(r);
	}
	prefix_stale(p);
}

static int
rule_cmp(const void *a, const void *b)
{
	const struct netrule	*ra = *(const struct netrule *const *)a;
	const struct netrule	*rb = *(const struct netrule *const *)b;

	/* The highest rank first. */
	return (ra->rank > rb->rank ? -1 : ra->rank < rb->rank);
}

static int
span_cmp(const void *a, const void *b)
{
	const struct span	*sa = a, *sb = b;

	return (sa->lo < sb->lo ? -1 : sa->lo > sb->lo);
}

/* The last span that begins at the port or below; there is always one. */
static size_t
span_find(const struct span *spans, size_t n, uint32_t port)
{
	size_t	 lo = 0, mid;

	while (n > 1) {
		comparisons++;
		mid = n / 2;
		if (spans[lo + mid].lo <= port) {
			lo += mid;
			n -= mid;
		} else
			n = mid;
	}
	return (lo);
}

/* Every port at which a rule begins or has just ended, once, sorted. */
static size_t
spans_cut(const struct prefix *p, struct span *spans)
{
	const struct netrule	*r;
	size_t			 i, n = 1, m = 1;

	spans[0].lo = 0;
	TAILQ_FOREACH(r, &p->rules, entry) {
		spans[n++].lo = r->port_lo;
		spans[n++].lo = (uint32_t)r->port_hi + 1;
	}
	qsort(spans, n, sizeof(spans[0]), span_cmp);
	for (i = 1; i < n; i++)
		if (spans[i].lo != spans[m - 1].lo)
			spans[m++].lo = spans[i].lo;
	for (i = 0; i < m; i++)
		spans[i].rule = NULL;
	return (m);
}

/* The first span from here on that has no rule yet. */
static size_t
span_free(size_t *next, size_t i)
{
	size_t	 end, up;

	for (end = i; next[end] != end; end = next[end])
		continue;
	for (; i != end; i = up) {
		up = next[i];
		next[i] = end;
	}
	return (end);
}

/* By rank downwards, each rule takes what is left of its ports. */
static void
spans_assign(struct span *spans, size_t n, size_t *next,
    const struct netrule **byrank, size_t nrules)
{
	size_t	 i, k;

	for (i = 0; i <= n; i++)
		next[i] = i;
	for (k = 0; k < nrules; k++) {
		i = span_find(spans, n, byrank[k]->port_lo);
		for (i = span_free(next, i); i < n &&
		    spans[i].lo <= byrank[k]->port_hi; i = span_free(next, i)) {
			spans[i].rule = byrank[k];
			next[i] = i + 1;
		}
	}
}

static int
prefix_build(struct prefix *p)
{
	const struct netrule	**byrank, *r;
	struct span		 *spans;
	size_t			 *next, i = 0, max = 2 * p->nrules + 1;

	spans = reallocarray(NULL, max, sizeof(*spans));
	next = reallocarray(NULL, max + 1, sizeof(*next));
	byrank = reallocarray(NULL, p->nrules, sizeof(*byrank));
	if (spans == NULL || next == NULL || byrank == NULL) {
		free(spans);
		free(next);
		free(byrank);
		return (-1);
	}
	TAILQ_FOREACH(r, &p->rules, entry)
		byrank[i++] = r;
	qsort(byrank, p->nrules, sizeof(*byrank), rule_cmp);
	p->nspans = spans_cut(p, spans);
	spans_assign(spans, p->nspans, next, byrank, p->nrules);
	p->spans = spans;
	free(next);
	free(byrank);
	return (0);
}

/*
 * The rule of a prefix that decides about a port, or NULL.  Out of memory it
 * fails, and the decision is a refusal.
 */
static int
prefix_rule(struct prefix *p, uint16_t port, const struct netrule **rule)
{
	size_t	 i;

	*rule = NULL;
	if (p->nrules == 0)
		return (0);
	if (p->spans == NULL && prefix_build(p) == -1)
		return (-1);
	i = span_find(p->spans, p->nspans, port);
	*rule = p->spans[i].rule;
	if (i + 1 < p->nspans && p->spans[i + 1].lo <= last_port)
		last_port = (uint16_t)(p->spans[i + 1].lo - 1);
	return (0);
}

struct netrules *
netrules_new(void)
{
	struct netrules	*rules;
	int		 proto, direction;

	if ((rules = calloc(1, sizeof(*rules))) == NULL)
		return (NULL);
	for (proto = 0; proto < NET_PROTO_MAX; proto++)
		for (direction = 0; direction <= NET_IN; direction++) {
			RB_INIT(&rules->sets[proto][direction].prefixes);
			prefix_init(&rules->sets[proto][direction].any);
		}
	return (rules);
}

static void
set_clear(struct set *set)
{
	struct prefix	*p;

	prefix_clear(&set->any);
	while ((p = RB_MIN(prefixes, &set->prefixes)) != NULL) {
		RB_REMOVE(prefixes, &set->prefixes, p);
		prefix_clear(p);
		free(p);
	}
}

void
netrules_free(struct netrules *rules)
{
	int	 proto, direction;

	if (rules == NULL)
		return;
	for (proto = 0; proto < NET_PROTO_MAX; proto++)
		for (direction = 0; direction <= NET_IN; direction++)
			set_clear(&rules->sets[proto][direction]);
	free(rules);
}

/* What a rule names, as a key: 0, or -1 and EINVAL. */
static int
rule_key(const struct net_rule *nr, struct prefix *key)
{
	struct netaddr	 na;
	uint8_t		 wide[16];

	if (nr->target == NET_ANY)
		return (0);
	if (nr->target == NET_NAME || (nr->direction == NET_IN && nr->block) ||
	    !((nr->family == AF_INET && nr->bits <= 32) ||
	    (nr->family == AF_INET6 && nr->bits <= WIDE_BITS))) {
		errno = EINVAL;
		return (-1);
	}
	na.family = nr->family;
	na.addr = nr->addr;
	netaddr_wide(&na, wide);
	prefix_key(key, wide, nr->bits +
	    (nr->family == AF_INET ? MAPPED_BITS : 0U));
	return (0);
}

static struct prefix *
set_prefix(struct set *set, struct prefix *key)
{
	struct prefix	*p;

	if ((p = RB_FIND(prefixes, &set->prefixes, key)) != NULL)
		return (p);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	prefix_init(p);
	memcpy(p->addr, key->addr, sizeof(p->addr));
	p->bits = key->bits;
	RB_INSERT(prefixes, &set->prefixes, p);
	set->lengths[p->bits]++;
	return (p);
}

/* A prefix without rules is not kept. */
static void
set_forget(struct set *set, struct prefix *p)
{
	if (p == &set->any || p->nrules > 0)
		return;
	RB_REMOVE(prefixes, &set->prefixes, p);
	set->lengths[p->bits]--;
	prefix_clear(p);
	free(p);
}

static uint64_t
rule_rank(const struct net_rule *nr, uint32_t added)
{
	uint64_t	 place = (uint64_t)nr->order << 31 |
			    (added & INT32_MAX);

	/* Of quick rules the first counts, and before all others. */
	return (nr->quick ? UINT64_MAX - place : place);
}

static int
set_add(struct set *set, const struct net_rule *nr, struct prefix *key,
    uint32_t added, int ports)
{
	struct netrule	*r;
	struct prefix	*p;

	p = nr->target == NET_ANY ? &set->any : set_prefix(set, key);
	if (p == NULL)
		return (-1);
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		set_forget(set, p);
		return (-1);
	}
	r->rank = rule_rank(nr, added);
	r->order = nr->order;
	r->port_lo = ports ? nr->port_lo : 0;
	r->port_hi = ports ? nr->port_hi : UINT16_MAX;
	r->block = nr->block;
	TAILQ_INSERT_TAIL(&p->rules, r, entry);
	p->nrules++;
	prefix_stale(p);
	return (0);
}

static int
set_remove(struct set *set, const struct net_rule *nr, struct prefix *key,
    int ports)
{
	struct netrule	*r;
	struct prefix	*p;

	p = nr->target == NET_ANY ? &set->any :
	    RB_FIND(prefixes, &set->prefixes, key);
	if (p == NULL)
		return (-1);
	TAILQ_FOREACH(r, &p->rules, entry)
		if (r->order == nr->order && r->block == nr->block &&
		    (r->rank > INT64_MAX) == (nr->quick != 0) && (!ports ||
		    (r->port_lo == nr->port_lo && r->port_hi == nr->port_hi)))
			break;
	if (r == NULL)
		return (-1);
	TAILQ_REMOVE(&p->rules, r, entry);
	free(r);
	p->nrules--;
	prefix_stale(p);
	set_forget(set, p);
	return (0);
}

int
netrules_remove(struct netrules *rules, const struct net_rule *nr)
{
	struct prefix	 key;
	int		 proto, ret = -1;

	if (rule_key(nr, &key) == -1)
		return (-1);
	for (proto = 0; proto < NET_PROTO_MAX; proto++)
		if ((nr->protos & NET_PROTO(proto)) != 0 &&
		    set_remove(&rules->sets[proto][nr->direction], nr, &key,
		    proto != NET_ICMP) == 0)
			ret = 0;
	if (ret == -1)
		errno = ENOENT;
	return (ret);
}

int
netrules_add(struct netrules *rules, const struct net_rule *nr)
{
	struct prefix	 key;
	struct net_rule	 done = *nr;
	int		 error, proto;

	if (rule_key(nr, &key) == -1)
		return (-1);
	rules->added++;
	done.protos = 0;
	for (proto = 0; proto < NET_PROTO_MAX; proto++) {
		if ((nr->protos & NET_PROTO(proto)) == 0)
			continue;
		if (set_add(&rules->sets[proto][nr->direction], nr, &key,
		    rules->added, proto != NET_ICMP) == -1) {
			error = errno;
			if (done.protos != 0)
				netrules_remove(rules, &done);
			errno = error;
			return (-1);
		}
		done.protos |= NET_PROTO(proto);
	}
	return (0);
}

/* What is asked: all of it but the address. */
struct question {
	struct set	*set;
	uint16_t	 port;
};

static int
rule_better(struct prefix *p, const struct question *q,
    const struct netrule **best)
{
	const struct netrule	*r;

	if (prefix_rule(p, q->port, &r) == -1)
		return (-1);
	if (r != NULL && (*best == NULL || r->rank > (*best)->rank))
		*best = r;
	return (0);
}

/* Add what prefixes of at least so many bits say about an address. */
static int
rules_look(const struct question *q, const uint8_t wide[16],
    unsigned int minbits, const struct netrule **best)
{
	struct prefix	 key, *p;
	unsigned int	 bits;

	for (bits = minbits; bits <= WIDE_BITS; bits++) {
		if (q->set->lengths[bits] == 0)
			continue;
		prefix_key(&key, wide, bits);
		p = RB_FIND(prefixes, &q->set->prefixes, &key);
		if (p != NULL && rule_better(p, q, best) == -1)
			return (-1);
	}
	return (0);
}

/*
 * Whether an address is admitted; inner, if there is one, is the IPv4 address
 * inside of it, and then only prefixes of innerbits on name that form.
 */
static int
rules_admit(const struct question *q, const uint8_t wide[16],
    unsigned int minbits, const uint8_t *inner)
{
	const struct netrule	*best = NULL;

	if (rule_better(&q->set->any, q, &best) == -1 ||
	    rules_look(q, wide, minbits, &best) == -1 || (inner != NULL &&
	    rules_look(q, inner, MAPPED_BITS, &best) == -1))
		return (0);
	if (best != NULL && !best->block)
		return (1);
	reason = best == NULL ? -1 : (int64_t)best->order;
	return (0);
}

/* IPv4, in its wide form. */
static int
decide_v4(const struct question *q, enum net_direction direction,
    uint8_t wide[16])
{
	static const uint8_t	 zero[4];

	/* What goes to the unspecified address reaches loopback. */
	if (direction == NET_OUT && memcmp(wide + 12, zero, 4) == 0) {
		wide[12] = 127;
		wide[15] = 1;
	}
	return (rules_admit(q, wide, MAPPED_BITS, NULL));
}

/*
 * A prefix shorter than the embedding that the address lies in did not mean
 * it: ::/0 is every IPv6 host, and not whatever a translator makes of
 * 64:ff9b::10.0.0.1.  So the address has to be admitted twice: as IPv6, and as
 * the IPv4 address inside, or as what rules say that name the form itself.
 */
static int
decide_embedded(const struct question *q, const struct embedding *e,
    const uint8_t wide[16])
{
	uint8_t	 inner[16];

	memcpy(inner, mapped_prefix, 12);
	memcpy(inner + 12, wide + e->offset, 4);
	return (rules_admit(q, wide, 0, NULL) &&
	    rules_admit(q, wide, e->bits, inner));
}

int
netrule_decide(const struct netrules *rules, enum net_proto proto,
    enum net_direction direction, const struct netaddr *addr, uint16_t port)
{
	const struct embedding	*e;
	struct question		 q;
	uint8_t			 wide[16];

	reason = -1;
	last_port = UINT16_MAX;
	/* What a set holds besides the rules is made when it is needed. */
	q.set = (struct set *)(uintptr_t)&rules->sets[proto][direction];
	q.port = proto == NET_ICMP ? 0 : port;
	netaddr_wide(addr, wide);
	if (prefix_match(wide, mapped_prefix, MAPPED_BITS))
		return (decide_v4(&q, direction, wide));
	if (netaddr_unspecified(addr)) {
		if (direction == NET_OUT)
			wide[15] = 1;
		/* A socket on :: takes what comes over IPv4 too. */
		else if (!rules_admit(&q, mapped_prefix, MAPPED_BITS, NULL))
			return (0);
	}
	if ((e = embedding_find(wide)) == NULL)
		return (rules_admit(&q, wide, 0, NULL));
	return (decide_embedded(&q, e, wide));
}

int
netrule_decide_ports(const struct netrules *rules, enum net_proto proto,
    enum net_direction direction, const struct netaddr *addr, uint16_t lo,
    uint16_t hi)
{
	uint32_t	 port;

	for (port = lo; port <= hi; port = (uint32_t)last_port + 1)
		if (!netrule_decide(rules, proto, direction, addr,
		    (uint16_t)port))
			return (0);
	return (1);
}

int64_t
netrule_reason(void)
{
	return (reason);
}

uint64_t
netrule_comparisons(void)
{
	return (comparisons);
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
