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
 * The ports of a list of rules.  Called by the parent, for the domains of the
 * workload and of netd: what Landlock decides alone, it has to decide as the
 * rules do.
 *
 * Rules are taken by rank, the one that would decide first (see netd/netrule.c
 * for what that is).  One for every address settles its ports, whatever it
 * says; one for some addresses can only add ports that are not settled.  Each
 * port is settled once and added once, so that it takes no longer with more
 * rules but for looking at each.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netports.h"

/* Ports that are still in a set, as a chain that shortens itself. */
struct chain {
	uint32_t	 next[NETPORTS + 1];
};

struct settle {
	struct chain	 open;		/* not settled */
	struct chain	 refused;	/* nor admitted by any rule yet */
	bitstr_t	*admitted;
};

static void
chain_init(struct chain *c)
{
	uint32_t	 i;

	for (i = 0; i <= NETPORTS; i++)
		c->next[i] = i;
}

/* The first from here on; NETPORTS if there is none. */
static uint32_t
chain_first(struct chain *c, uint32_t i)
{
	uint32_t	 end, up;

	for (end = i; c->next[end] != end; end = c->next[end])
		continue;
	for (; i != end; i = up) {
		up = c->next[i];
		c->next[i] = end;
	}
	return (end);
}

static void
settle_rule(struct settle *s, const struct net_rule *nr)
{
	uint32_t	 p;

	if (!nr->block)
		for (p = chain_first(&s->refused, nr->port_lo);
		    p <= nr->port_hi; p = chain_first(&s->refused, p)) {
			bit_set(s->admitted, p);
			s->refused.next[p] = p + 1;
		}
	if (nr->target != NET_ANY)
		return;
	for (p = chain_first(&s->open, nr->port_lo); p <= nr->port_hi;
	    p = chain_first(&s->open, p)) {
		s->open.next[p] = p + 1;
		s->refused.next[p] = p + 1;
	}
}

/* Rules that all pass, in whatever order: without half a megabyte of chains. */
static int
passes_only(const struct net_rules *rules, enum net_proto proto,
    enum net_direction direction, bitstr_t admitted[NETPORTS_SIZE])
{
	const struct net_rule	*nr;

	TAILQ_FOREACH(nr, rules, entry)
		if (nr->block)
			return (0);
	TAILQ_FOREACH(nr, rules, entry)
		if (nr->direction == direction &&
		    (nr->protos & NET_PROTO(proto)) != 0)
			bit_nset(admitted, nr->port_lo, nr->port_hi);
	return (1);
}

int
netports_admitted(const struct net_rules *rules, enum net_proto proto,
    enum net_direction direction, bitstr_t admitted[NETPORTS_SIZE])
{
	const struct net_rule	*nr;
	struct settle		*s;

	memset(admitted, 0, NETPORTS_SIZE);
	if (passes_only(rules, proto, direction, admitted))
		return (0);
	if ((s = malloc(sizeof(*s))) == NULL)
		return (-1);
	chain_init(&s->open);
	chain_init(&s->refused);
	s->admitted = admitted;
	TAILQ_FOREACH(nr, rules, entry)
		if (nr->quick && nr->direction == direction &&
		    (nr->protos & NET_PROTO(proto)) != 0)
			settle_rule(s, nr);
	TAILQ_FOREACH_REVERSE(nr, rules, net_rules, entry)
		if (!nr->quick && nr->direction == direction &&
		    (nr->protos & NET_PROTO(proto)) != 0)
			settle_rule(s, nr);
	free(s);
	return (0);
}

/* The first port from here on with this mark, or NETPORTS. */
static uint32_t
range_next(const bitstr_t admitted[NETPORTS_SIZE], uint32_t p, int mark)
{
	bitstr_t	 none = mark ? 0 : 0xff;

	while (p < NETPORTS && (bit_test(admitted, p) != 0) != mark)
		/* Most bytes are alike. */
		p += p % 8 == 0 && admitted[p / 8] == none ? 8 : 1;
	return (p);
}

int
netports_range(const bitstr_t admitted[NETPORTS_SIZE], uint32_t *lo,
    uint32_t *hi)
{
	if ((*lo = range_next(admitted, *lo, 1)) == NETPORTS)
		return (0);
	*hi = range_next(admitted, *lo, 0) - 1;
	return (1);
}
