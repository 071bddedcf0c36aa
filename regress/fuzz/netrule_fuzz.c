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
 * bytes (direction, target, block, quick and protocols in one, family, 16
 * bytes of address, bits, three that make a range of ports), a byte that
 * chooses the form of the address, its 16 bytes, and two bytes of port.
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

/* What is asked, but for the address. */
struct asked {
	enum net_proto		 proto;
	enum net_direction	 direction;
	uint16_t		 port;
};

static int
covers_port(const struct net_rule *nr, const struct asked *q)
{
	return (nr->direction == q->direction &&
	    (nr->protos & NET_PROTO(q->proto)) != 0 &&
	    (q->proto == NET_ICMP || (nr->port_lo <= q->port &&
	    q->port <= nr->port_hi)));
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

/* One rule after the other, for either or both of the addresses. */
static int
admitted(const struct asked *q, const uint8_t *v4, const uint8_t *v6,
    unsigned int minbits)
{
	size_t	 i;
	int	 verdict = 0;

	for (i = 0; i < nlist; i++) {
		if (!covers_port(&list[i], q) ||
		    (!(v4 != NULL && covers_v4(&list[i], v4)) &&
		    !(v6 != NULL && covers_v6(&list[i], v6, minbits))))
			continue;
		verdict = !list[i].block;
		if (list[i].quick)
			break;
	}
	return (verdict);
}

static int
decided(const struct netrules *rules, const struct asked *q,
    const struct netaddr *na)
{
	int	 got;

	got = netrule_decide(rules, q->proto, q->direction, na, q->port);
	/* A rule that refused is one that blocks. */
	must(netrule_reason() == -1 || (!got &&
	    (size_t)netrule_reason() < nlist &&
	    list[netrule_reason()].block));
	return (got);
}

/* Judge one address of each family by itself, and against netrule_decide. */
static int
judge_v4(const struct netrules *rules, const struct asked *q,
    const uint8_t *addr)
{
	static const uint8_t	 loopback[] = { 127, 0, 0, 1 };
	struct netaddr		 na, mapped;
	uint8_t			 v4[4];
	int			 got;

	memset(&na, 0, sizeof(na));
	na.family = AF_INET;
	memcpy(&na.addr, addr, 4);
	memcpy(v4, addr, 4);
	if (q->direction == NET_OUT && memcmp(v4, "\0\0\0\0", 4) == 0)
		memcpy(v4, loopback, 4);
	got = decided(rules, q, &na);
	must(got == admitted(q, v4, NULL, 0));
	/* The mapped form is the same address. */
	mapped.family = AF_INET6;
	memcpy(mapped.addr.s6_addr, MAPPED->prefix, 12);
	memcpy(mapped.addr.s6_addr + 12, addr, 4);
	must(got == decided(rules, q, &mapped));
	must(netaddr_equal(&na, &mapped));
	must(netaddr_special(&na) == netaddr_special(&mapped));
	return (got);
}

static void
judge_v6(const struct netrules *rules, const struct asked *q,
    const uint8_t *addr)
{
	static const uint8_t	 zero[4];
	const struct form	*f;
	struct netaddr		 na;
	uint8_t			 v6[16];
	int			 got, simple, wild;
	size_t			 i;

	na.family = AF_INET6;
	memcpy(&na.addr, addr, 16);
	memcpy(v6, addr, 16);
	wild = IN6_IS_ADDR_UNSPECIFIED(&na.addr);
	if (q->direction == NET_OUT && wild)
		v6[15] = 1;
	got = decided(rules, q, &na);
	simple = wild || IN6_IS_ADDR_LOOPBACK(&na.addr);
	for (i = 0; i < NFORMS && !simple; i++) {
		f = &forms[i];
		if (!same_bits(v6, f->prefix, f->bits))
			continue;
		if (f == MAPPED) {
			must(got == judge_v4(rules, q, v6 + 12));
			return;
		}
		/* As IPv6, and as what is inside unless the form is named. */
		must(got == (admitted(q, NULL, v6, 0) &&
		    admitted(q, v6 + f->offset, v6, f->bits)));
		return;
	}
	if (q->direction == NET_IN && wild)
		/* It serves IPv4 as well. */
		must(got == (admitted(q, zero, NULL, 0) &&
		    admitted(q, NULL, v6, 0)));
	else
		must(got == admitted(q, NULL, v6, 0));
}

static void
judge(const struct netrules *rules, const uint8_t *addr, uint16_t port)
{
	struct asked	 q = { 0, 0, port };
	uint8_t		 v6[16];
	size_t		 i;
	int		 k;

	for (k = 0; k < 2 * NET_PROTO_MAX; k++) {
		q.proto = (enum net_proto)(k / 2);
		q.direction = k % 2 ? NET_IN : NET_OUT;
		judge_v4(rules, &q, addr);
		judge_v6(rules, &q, addr);
		for (i = 0; i < NFORMS; i++) {
			memcpy(v6, addr, 16);
			memcpy(v6, forms[i].prefix, forms[i].bits / 8);
			memcpy(v6 + forms[i].offset, addr, 4);
			judge_v6(rules, &q, v6);
		}
	}
}

static void
read_rule(const uint8_t *p, struct net_rule *nr)
{
	memset(nr, 0, sizeof(*nr));
	nr->direction = p[0] & 1 ? NET_IN : NET_OUT;
	nr->block = (p[0] & 8) != 0;
	nr->quick = (p[0] & 16) != 0;
	nr->protos = p[0] >> 5;
	if (nr->protos == 0)
		nr->protos = NET_PROTO(NET_TCP);
	nr->target = (p[0] & 6) == 6 ? NET_ANY : NET_ADDRESS;
	nr->family = p[1] & 1 ? AF_INET : AF_INET6;
	memcpy(&nr->addr, p + 2, 16);
	nr->bits = nr->family == AF_INET ? p[18] % 33 : p[18] % 129;
	nr->port_lo = p[19];
	nr->port_hi = nr->port_lo + p[20] * (p[21] + 1);
	if (nr->port_hi < nr->port_lo)
		nr->port_hi = UINT16_MAX;
	/* Inwards only ports are blocked. */
	if (nr->direction == NET_IN && nr->block)
		nr->target = NET_ANY;
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
		list[i].order = (uint32_t)i;
		must(netrules_add(rules, &list[i]) == 0);
	}
	form = data[0];
	memcpy(addr, data + 1, 16);
	port = data[17] | data[18] << 8;

	/* Near misses of a rule are worth more than random addresses. */
	if ((form & 0x80) && nlist > 0)
		for (i = 0; i < 16; i++)
			addr[i] ^= list[form % nlist].addr.s6_addr[i];
	judge(rules, addr, port);
	/* What is taken out decides no more. */
	if (nlist > 0) {
		nlist--;
		must(netrules_remove(rules, &list[nlist]) == 0);
		judge(rules, addr, port);
	}
	netrules_free(rules);
	return (0);
}
