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
 * Fuzz target for netd/netrule.c: no form of an address is admitted that the
 * rules do not admit.  A slow reading of the rules, bit by bit, is the judge.
 *
 * An input is a byte with the number of rules (0 to 7), that many rules of 22
 * bytes (direction and target, family, 16 bytes of address, bits, three that
 * make a range of ports), a byte that chooses the form of the address, its 16
 * bytes, and two bytes of port.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netrule.h"

#define RULES_MAX	7
#define RULE_LEN	22

/* Forms of IPv6 addresses with an IPv4 address inside. */
static const struct form {
	uint8_t	 prefix[12];
	uint8_t	 bits;
	uint8_t	 offset;
} forms[] = {
	{ { [10] = 0xff, [11] = 0xff }, 96, 12 },
	{ { 0 }, 96, 12 },
	{ { [8] = 0xff, [9] = 0xff }, 96, 12 },
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12 },
	{ { 0x20, 0x02 }, 16, 2 }
};
#define NFORMS		(sizeof(forms) / sizeof(forms[0]))
#define MAPPED		(&forms[0])

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct net_rule	 list[RULES_MAX];
static size_t		 nlist;

static void
must(int ok)
{
	if (!ok)
		abort();
}

static int
bit(const uint8_t *p, unsigned int i)
{
	return (p[i / 8] >> (7 - i % 8) & 1);
}

static int
same_bits(const uint8_t *a, const uint8_t *b, unsigned int n)
{
	unsigned int	 i;

	for (i = 0; i < n; i++)
		if (bit(a, i) != bit(b, i))
			return (0);
	return (1);
}

static int
covers_port(const struct net_rule *nr, enum net_direction direction,
    uint16_t port)
{
	return (nr->direction == direction && nr->port_lo <= port &&
	    port <= nr->port_hi);
}

/* A rule that names IPv4 addresses, in either spelling, and this one. */
static int
covers_v4(const struct net_rule *nr, const uint8_t *v4)
{
	const uint8_t	*addr = nr->addr.s6_addr;

	if (nr->target == NET_ANY)
		return (1);
	if (nr->family == AF_INET)
		return (same_bits(addr, v4, nr->bits));
	return (nr->bits >= 96 && same_bits(addr, MAPPED->prefix, 96) &&
	    same_bits(addr + 12, v4, nr->bits - 96));
}

static int
covers_v6(const struct net_rule *nr, const uint8_t *v6, unsigned int minbits)
{
	if (nr->target == NET_ANY)
		return (1);
	return (nr->family == AF_INET6 && nr->bits >= minbits &&
	    same_bits(nr->addr.s6_addr, v6, nr->bits));
}

static int
any_v4(enum net_direction direction, const uint8_t *v4, uint16_t port)
{
	size_t	 i;

	for (i = 0; i < nlist; i++)
		if (covers_port(&list[i], direction, port) &&
		    covers_v4(&list[i], v4))
			return (1);
	return (0);
}

static int
any_v6(enum net_direction direction, const uint8_t *v6, unsigned int minbits,
    uint16_t port)
{
	size_t	 i;

	for (i = 0; i < nlist; i++)
		if (covers_port(&list[i], direction, port) &&
		    covers_v6(&list[i], v6, minbits))
			return (1);
	return (0);
}

/* Judge one address of each family by itself, and against netrule_decide. */
static int
judge_v4(const struct netrules *rules, enum net_direction direction,
    const uint8_t *addr, uint16_t port)
{
	static const uint8_t	 loopback[] = { 127, 0, 0, 1 };
	struct netaddr		 na, mapped;
	uint8_t			 v4[4];
	int			 got;

	memset(&na, 0, sizeof(na));
	na.family = AF_INET;
	memcpy(&na.addr, addr, 4);
	memcpy(v4, addr, 4);
	if (direction == NET_OUT && memcmp(v4, "\0\0\0\0", 4) == 0)
		memcpy(v4, loopback, 4);
	got = netrule_decide(rules, direction, &na, port);
	must(got == any_v4(direction, v4, port));
	/* The mapped form is the same address. */
	mapped.family = AF_INET6;
	memcpy(mapped.addr.s6_addr, MAPPED->prefix, 12);
	memcpy(mapped.addr.s6_addr + 12, addr, 4);
	must(got == netrule_decide(rules, direction, &mapped, port));
	must(netaddr_equal(&na, &mapped));
	must(netaddr_special(&na) == netaddr_special(&mapped));
	return (got);
}

static void
judge_v6(const struct netrules *rules, enum net_direction direction,
    const uint8_t *addr, uint16_t port)
{
	const struct form	*f;
	struct netaddr		 na;
	uint8_t			 v6[16];
	int			 got, simple;
	size_t			 i;

	na.family = AF_INET6;
	memcpy(&na.addr, addr, 16);
	memcpy(v6, addr, 16);
	if (direction == NET_OUT && IN6_IS_ADDR_UNSPECIFIED(&na.addr))
		v6[15] = 1;
	got = netrule_decide(rules, direction, &na, port);
	simple = IN6_IS_ADDR_UNSPECIFIED(&na.addr) ||
	    IN6_IS_ADDR_LOOPBACK(&na.addr);
	for (i = 0; i < NFORMS && !simple; i++) {
		f = &forms[i];
		if (!same_bits(v6, f->prefix, f->bits))
			continue;
		if (f == MAPPED) {
			must(got == judge_v4(rules, direction, v6 + 12, port));
			return;
		}
		/* The form is named, or both addresses are admitted. */
		must(!got || any_v6(direction, v6, f->bits, port) ||
		    (any_v6(direction, v6, 0, port) &&
		    any_v4(direction, v6 + f->offset, port)));
		return;
	}
	/* Never more than the rules say. */
	must(!got || any_v6(direction, v6, 0, port));
	if (direction == NET_OUT)
		must(got == any_v6(direction, v6, 0, port));
}

static void
read_rule(const uint8_t *p, struct net_rule *nr)
{
	memset(nr, 0, sizeof(*nr));
	nr->direction = p[0] & 1 ? NET_IN : NET_OUT;
	nr->target = (p[0] & 6) == 6 ? NET_ANY : NET_ADDRESS;
	nr->family = p[1] & 1 ? AF_INET : AF_INET6;
	memcpy(&nr->addr, p + 2, 16);
	nr->bits = nr->family == AF_INET ? p[18] % 33 : p[18] % 129;
	nr->port_lo = p[19];
	nr->port_hi = nr->port_lo + p[20] * (p[21] + 1);
	if (nr->port_hi < nr->port_lo)
		nr->port_hi = UINT16_MAX;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netrules		*rules;
	uint8_t			 addr[16], form;
	uint16_t		 port;
	size_t			 i;

	if (size < 1)
		return (0);
	nlist = data[0] % (RULES_MAX + 1);
	if (size < 1 + nlist * RULE_LEN + 19)
		return (0);
	data++;
	must((rules = netrules_new()) != NULL);
	for (i = 0; i < nlist; i++, data += RULE_LEN) {
		read_rule(data, &list[i]);
		must(netrules_add(rules, &list[i]) == 0);
	}
	form = data[0];
	memcpy(addr, data + 1, 16);
	port = data[17] | data[18] << 8;

	/* Near misses of a rule are worth more than random addresses. */
	if ((form & 0x80) && nlist > 0)
		for (i = 0; i < 16; i++)
			addr[i] ^= list[form % nlist].addr.s6_addr[i];
	judge_v4(rules, NET_OUT, addr, port);
	judge_v4(rules, NET_IN, addr, port);
	judge_v6(rules, NET_OUT, addr, port);
	judge_v6(rules, NET_IN, addr, port);
	for (i = 0; i < NFORMS; i++) {
		uint8_t	 v6[16];

		memcpy(v6, addr, 16);
		memcpy(v6, forms[i].prefix, forms[i].bits / 8);
		memcpy(v6 + forms[i].offset, addr, 4);
		judge_v6(rules, NET_OUT, v6, port);
		judge_v6(rules, NET_IN, v6, port);
	}
	netrules_free(rules);
	return (0);
}
