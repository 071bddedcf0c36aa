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
 * The answers of rtnetlink(7): one interface, its addresses and its routes.
 * A request is copied before it is looked at and used within its bounds only;
 * an answer that does not fit its buffer is none.  There is no state.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <netinet/in.h>

#include <errno.h>
#include <string.h>

#include "rtnl.h"

#define LO_INDEX	1
#define LO_NAME		"lo"
#define LO_MTU		65536
#define LO_QUEUE	1000
#define LO_FLAGS	(IFF_UP | IFF_LOOPBACK | IFF_RUNNING | LOWER_UP)
#define LOWER_UP	0x10000		/* IFF_LOWER_UP */
/* What this libc's headers may not know. */
#define ALT_IFNAME	53		/* IFLA_ALT_IFNAME */
#ifndef NLM_F_CAPPED
#define NLM_F_CAPPED	0x100
#endif
#define KIND(type)	(((type) - RTM_BASE) & 3)
#define KIND_GET	2

/* An answer that grows; full once something did not fit. */
struct answer {
	uint8_t		*buf;
	size_t		 len;
	size_t		 size;
	size_t		 start;		/* of the message in the making */
	int		 full;
	uint32_t	 seq;
	uint32_t	 port;
};

struct lo_address {
	uint8_t	 family;
	uint8_t	 bits;
	uint8_t	 scope;
	uint8_t	 flags;
	int	 out;			/* only where there is a way out */
	uint8_t	 addr[16];
};

/* The second of each family is what tells a resolver to ask for it. */
static const struct lo_address	 addresses[] = {
	{ AF_INET, 8, RT_SCOPE_HOST, IFA_F_PERMANENT, 0, { 127, 0, 0, 1 } },
	{ AF_INET, 8, RT_SCOPE_HOST, IFA_F_PERMANENT | IFA_F_SECONDARY, 1,
	    { 127, 0, 0, 2 } },
	{ AF_INET6, 128, RT_SCOPE_HOST, IFA_F_PERMANENT, 0, { [15] = 1 } },
	{ AF_INET6, 64, RT_SCOPE_LINK, IFA_F_PERMANENT, 1,
	    { 0xfe, 0x80, [15] = 1 } }
};

struct lo_route {
	uint8_t	 family;
	uint8_t	 bits;
	uint8_t	 table;
	uint8_t	 scope;
	uint8_t	 type;
	int	 priority;
	uint8_t	 dst[16];
};

/* As the kernel makes them for lo. */
static const struct lo_route	 routes[] = {
	{ AF_INET, 8, RT_TABLE_LOCAL, RT_SCOPE_HOST, RTN_LOCAL, 0,
	    { 127, 0, 0, 0 } },
	{ AF_INET, 32, RT_TABLE_LOCAL, RT_SCOPE_HOST, RTN_LOCAL, 0,
	    { 127, 0, 0, 1 } },
	{ AF_INET, 32, RT_TABLE_LOCAL, RT_SCOPE_LINK, RTN_BROADCAST, 0,
	    { 127, 255, 255, 255 } },
	{ AF_INET6, 128, RT_TABLE_MAIN, RT_SCOPE_UNIVERSE, RTN_UNICAST, 256,
	    { [15] = 1 } },
	{ AF_INET6, 128, RT_TABLE_LOCAL, RT_SCOPE_UNIVERSE, RTN_LOCAL, 0,
	    { [15] = 1 } }
};

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

static size_t
address_len(uint8_t family)
{
	return (family == AF_INET ? 4 : 16);
}

/* Room of that many bytes, zeroed and padded; NULL when there is none. */
static uint8_t *
answer_room(struct answer *a, size_t len)
{
	uint8_t	*p;

	if (len > a->size - a->len ||
	    NLMSG_ALIGN(len) > a->size - a->len) {
		a->full = 1;
		return (NULL);
	}
	p = a->buf + a->len;
	memset(p, 0, NLMSG_ALIGN(len));
	a->len += NLMSG_ALIGN(len);
	return (p);
}

static void
answer_put(struct answer *a, const void *data, size_t len)
{
	uint8_t	*p;

	if ((p = answer_room(a, len)) != NULL)
		memcpy(p, data, len);
}

static void
message_begin(struct answer *a, uint16_t type, uint16_t flags)
{
	struct nlmsghdr	 h;

	a->start = a->len;
	memset(&h, 0, sizeof(h));
	h.nlmsg_type = type;
	h.nlmsg_flags = flags;
	h.nlmsg_seq = a->seq;
	h.nlmsg_pid = a->port;
	answer_put(a, &h, sizeof(h));
}

static void
message_end(struct answer *a)
{
	uint32_t	 len = a->len - a->start;

	if (!a->full)
		memcpy(a->buf + a->start, &len, sizeof(len));
}

static void
put_attr(struct answer *a, uint16_t type, const void *data, size_t len)
{
	struct rtattr	 rta;
	uint8_t		*p;

	rta.rta_type = type;
	rta.rta_len = sizeof(rta) + len;
	if ((p = answer_room(a, rta.rta_len)) == NULL)
		return;
	memcpy(p, &rta, sizeof(rta));
	memcpy(p + sizeof(rta), data, len);
}

static void
put_u8(struct answer *a, uint16_t type, uint8_t value)
{
	put_attr(a, type, &value, sizeof(value));
}

static void
put_u32(struct answer *a, uint16_t type, uint32_t value)
{
	put_attr(a, type, &value, sizeof(value));
}

static void
put_link(struct answer *a, uint16_t flags)
{
	static const uint8_t			 mac[6];
	static const struct rtnl_link_stats	 stats;
	static const struct rtnl_link_stats64	 stats64;
	struct ifinfomsg			 ifi;

	message_begin(a, RTM_NEWLINK, flags);
	memset(&ifi, 0, sizeof(ifi));
	ifi.ifi_family = AF_UNSPEC;
	ifi.ifi_type = ARPHRD_LOOPBACK;
	ifi.ifi_index = LO_INDEX;
	ifi.ifi_flags = LO_FLAGS;
	answer_put(a, &ifi, sizeof(ifi));
	put_attr(a, IFLA_IFNAME, LO_NAME, sizeof(LO_NAME));
	put_u32(a, IFLA_TXQLEN, LO_QUEUE);
	put_u8(a, IFLA_OPERSTATE, 0);		/* unknown, as lo's is */
	put_u8(a, IFLA_LINKMODE, 0);
	put_u32(a, IFLA_MTU, LO_MTU);
	put_u32(a, IFLA_MIN_MTU, 0);
	put_u32(a, IFLA_MAX_MTU, 0);
	put_u32(a, IFLA_GROUP, 0);
	put_u32(a, IFLA_PROMISCUITY, 0);
	put_u32(a, IFLA_NUM_TX_QUEUES, 1);
	put_u32(a, IFLA_NUM_RX_QUEUES, 1);
	put_u8(a, IFLA_CARRIER, 1);
	put_attr(a, IFLA_QDISC, "noqueue", sizeof("noqueue"));
	put_attr(a, IFLA_ADDRESS, mac, sizeof(mac));
	put_attr(a, IFLA_BROADCAST, mac, sizeof(mac));
	put_attr(a, IFLA_STATS64, &stats64, sizeof(stats64));
	put_attr(a, IFLA_STATS, &stats, sizeof(stats));
	message_end(a);
}

static void
put_address(struct answer *a, const struct lo_address *la, uint16_t flags)
{
	struct ifa_cacheinfo	 ci;
	struct ifaddrmsg	 ifa;

	message_begin(a, RTM_NEWADDR, flags);
	memset(&ifa, 0, sizeof(ifa));
	ifa.ifa_family = la->family;
	ifa.ifa_prefixlen = la->bits;
	ifa.ifa_flags = la->flags;
	ifa.ifa_scope = la->scope;
	ifa.ifa_index = LO_INDEX;
	answer_put(a, &ifa, sizeof(ifa));
	put_attr(a, IFA_ADDRESS, la->addr, address_len(la->family));
	if (la->family == AF_INET) {
		put_attr(a, IFA_LOCAL, la->addr, address_len(la->family));
		put_attr(a, IFA_LABEL, LO_NAME, sizeof(LO_NAME));
	}
	put_u32(a, IFA_FLAGS, la->flags);
	memset(&ci, 0, sizeof(ci));
	ci.ifa_prefered = ci.ifa_valid = UINT32_MAX;	/* for ever */
	put_attr(a, IFA_CACHEINFO, &ci, sizeof(ci));
	message_end(a);
}

/* dst may be another one of the route, which was asked for. */
static void
put_route(struct answer *a, const struct lo_route *lr, const uint8_t *dst,
    uint16_t flags)
{
	static const struct rta_cacheinfo	 ci;
	static const uint8_t			 source[4] = { 127, 0, 0, 1 };
	size_t					 len = address_len(lr->family);
	struct rtmsg				 rtm;

	message_begin(a, RTM_NEWROUTE, flags);
	memset(&rtm, 0, sizeof(rtm));
	rtm.rtm_family = lr->family;
	rtm.rtm_dst_len = dst != NULL ? len * 8 : lr->bits;
	rtm.rtm_table = lr->table;
	rtm.rtm_protocol = dst != NULL ? RTPROT_UNSPEC : RTPROT_KERNEL;
	rtm.rtm_scope = dst != NULL ? RT_SCOPE_UNIVERSE : lr->scope;
	rtm.rtm_type = lr->type;
	rtm.rtm_flags = dst != NULL ? RTM_F_CLONED : 0;
	answer_put(a, &rtm, sizeof(rtm));
	put_u32(a, RTA_TABLE, lr->table);
	put_attr(a, RTA_DST, dst != NULL ? dst : lr->dst, len);
	if (lr->family == AF_INET6)
		put_u32(a, RTA_PRIORITY, lr->priority);
	else
		put_attr(a, RTA_PREFSRC, dst != NULL ? dst : source, len);
	put_u32(a, RTA_OIF, LO_INDEX);
	if (lr->family == AF_INET6) {
		put_attr(a, RTA_CACHEINFO, &ci, sizeof(ci));
		put_u8(a, RTA_PREF, 0);
	}
	message_end(a);
}

static void
put_done(struct answer *a)
{
	const int	 zero = 0;

	message_begin(a, NLMSG_DONE, NLM_F_MULTI);
	answer_put(a, &zero, sizeof(zero));
	message_end(a);
}

/* An errno, or 0 for what was asked to be acknowledged. */
static void
put_error(struct answer *a, const struct nlmsghdr *h, int error)
{
	struct nlmsgerr	 e;

	message_begin(a, NLMSG_ERROR, NLM_F_CAPPED);
	e.error = -error;
	e.msg = *h;
	answer_put(a, &e, sizeof(e));
	message_end(a);
}

/* What a request says after its header: a struct and attributes, or less. */
struct body {
	const uint8_t	*data;
	size_t		 len;
};

/* The value of an attribute behind a struct of that size; NULL without. */
static const uint8_t *
body_attr(const struct body *b, size_t head, uint16_t type, size_t *len)
{
	struct rtattr	 rta;
	size_t		 at = NLMSG_ALIGN(head);

	while (at <= b->len && b->len - at >= sizeof(rta)) {
		memcpy(&rta, b->data + at, sizeof(rta));
		if (rta.rta_len < sizeof(rta) || rta.rta_len > b->len - at)
			break;
		if ((rta.rta_type & NLA_TYPE_MASK) == type) {
			*len = rta.rta_len - sizeof(rta);
			return (b->data + at + sizeof(rta));
		}
		at += NLMSG_ALIGN(rta.rta_len);
	}
	return (NULL);
}

/* The struct at its beginning, zeroed where the request is shorter. */
static void
body_head(const struct body *b, void *head, size_t size)
{
	memset(head, 0, size);
	memcpy(head, b->data, b->len < size ? b->len : size);
}

static int
body_names_lo(const struct body *b, uint16_t type, int *lo)
{
	const uint8_t	*name;
	size_t		 len;

	name = body_attr(b, sizeof(struct ifinfomsg), type, &len);
	if (name == NULL)
		return (0);
	*lo = strnlen((const char *)name, len) == strlen(LO_NAME) &&
	    memcmp(name, LO_NAME, strlen(LO_NAME)) == 0;
	return (1);
}

static int
get_link(struct answer *a, const struct body *b)
{
	struct ifinfomsg	 ifi;
	int			 lo;

	if (b->len < sizeof(ifi))
		return (EINVAL);
	body_head(b, &ifi, sizeof(ifi));
	if (ifi.ifi_index > 0)
		lo = ifi.ifi_index == LO_INDEX;
	else if (!body_names_lo(b, IFLA_IFNAME, &lo) &&
	    !body_names_lo(b, ALT_IFNAME, &lo))
		return (EINVAL);
	if (!lo)
		return (ENODEV);
	put_link(a, 0);
	return (0);
}

static int
get_address(struct answer *a, const struct body *b, int out)
{
	struct ifaddrmsg	 ifa;
	const uint8_t		*addr;
	size_t			 i, len;

	body_head(b, &ifa, sizeof(ifa));
	if (ifa.ifa_family != AF_INET6)
		return (EOPNOTSUPP);
	addr = body_attr(b, sizeof(ifa), IFA_ADDRESS, &len);
	if (addr == NULL)
		addr = body_attr(b, sizeof(ifa), IFA_LOCAL, &len);
	if (addr == NULL || len != 16)
		return (EINVAL);
	for (i = 0; i < nitems(addresses); i++)
		if (addresses[i].family == AF_INET6 &&
		    (out || !addresses[i].out) &&
		    memcmp(addresses[i].addr, addr, len) == 0) {
			put_address(a, &addresses[i], 0);
			return (0);
		}
	return (EADDRNOTAVAIL);
}

static int
get_route(struct answer *a, const struct body *b)
{
	const struct lo_route	*lr;
	struct rtmsg		 rtm;
	const uint8_t		*dst;
	size_t			 i, len;

	if (b->len < sizeof(rtm))
		return (EINVAL);
	body_head(b, &rtm, sizeof(rtm));
	if (rtm.rtm_family != AF_INET && rtm.rtm_family != AF_INET6)
		return (EOPNOTSUPP);
	dst = body_attr(b, sizeof(rtm), RTA_DST, &len);
	if (dst == NULL)
		return (ENETUNREACH);
	if (len != address_len(rtm.rtm_family))
		return (EINVAL);
	for (i = 0; i < nitems(routes); i++) {
		lr = &routes[i];
		if (lr->family == rtm.rtm_family && lr->type == RTN_LOCAL &&
		    memcmp(lr->dst, dst, lr->bits / 8) == 0) {
			put_route(a, lr, dst, 0);
			return (0);
		}
	}
	return (ENETUNREACH);
}

static void
dump_links(struct answer *a, const struct body *b)
{
	struct ifinfomsg	 ifi;
	size_t			 len;

	body_head(b, &ifi, sizeof(ifi));
	/* lo has no kind and no master, and is no bridge. */
	if (ifi.ifi_family != PF_BRIDGE &&
	    body_attr(b, sizeof(ifi), IFLA_LINKINFO, &len) == NULL &&
	    body_attr(b, sizeof(ifi), IFLA_MASTER, &len) == NULL)
		put_link(a, NLM_F_MULTI);
}

static void
dump_addresses(struct answer *a, uint8_t family, int out)
{
	size_t	 i;

	for (i = 0; i < nitems(addresses); i++)
		if ((family == AF_UNSPEC || family == addresses[i].family) &&
		    (out || !addresses[i].out))
			put_address(a, &addresses[i], NLM_F_MULTI);
}

static void
dump_routes(struct answer *a, const struct body *b)
{
	struct rtmsg	 rtm;
	size_t		 i;

	body_head(b, &rtm, sizeof(rtm));
	/* There is no cache. */
	if ((rtm.rtm_flags & RTM_F_CLONED) != 0)
		return;
	for (i = 0; i < nitems(routes); i++)
		if (rtm.rtm_family == AF_UNSPEC ||
		    rtm.rtm_family == routes[i].family)
			put_route(a, &routes[i], NULL, NLM_F_MULTI);
}

/* All there is of a kind, which of most kinds is nothing. */
static void
dump(struct answer *a, uint16_t type, const struct body *b, int out)
{
	switch (type) {
	case RTM_GETLINK:
		dump_links(a, b);
		break;
	case RTM_GETADDR:
		dump_addresses(a, b->data[0], out);
		break;
	case RTM_GETROUTE:
		dump_routes(a, b);
		break;
	}
	put_done(a);
}

/* 0 or the errno of the kernel for who may change nothing. */
static int
request(struct answer *a, const struct nlmsghdr *h, const struct body *b,
    int out)
{
	if (h->nlmsg_type > RTM_MAX)
		return (EOPNOTSUPP);
	/* Shorter than the family that each begins with: not looked at. */
	if (b->len < sizeof(struct rtgenmsg))
		return (0);
	if (KIND(h->nlmsg_type) != KIND_GET)
		return (EPERM);
	if ((h->nlmsg_flags & NLM_F_DUMP) != 0) {
		dump(a, h->nlmsg_type, b, out);
		return (0);
	}
	switch (h->nlmsg_type) {
	case RTM_GETLINK:
		return (get_link(a, b));
	case RTM_GETADDR:
		return (get_address(a, b, out));
	case RTM_GETROUTE:
		return (get_route(a, b));
	}
	return (EOPNOTSUPP);
}

ssize_t
rtnl_answer(struct rtnl_cursor *c, uint32_t port, int out, void *buf,
    size_t size)
{
	struct answer	 a = { .buf = buf, .size = size, .port = port };
	struct nlmsghdr	 h;
	struct body	 b;
	size_t		 len;
	int		 ack, error = 0;

	/* What follows a message that is none is no message either. */
	if (c->left < sizeof(h))
		return (-1);
	memcpy(&h, c->next, sizeof(h));
	if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > c->left)
		return (-1);
	b.data = c->next + sizeof(h);
	b.len = h.nlmsg_len - sizeof(h);
	a.seq = h.nlmsg_seq;
	ack = (h.nlmsg_flags & NLM_F_ACK) != 0;
	if (!c->answered && (h.nlmsg_flags & NLM_F_REQUEST) != 0 &&
	    h.nlmsg_type >= RTM_BASE)
		error = request(&a, &h, &b, out);
	if (a.len > 0 && ack && (h.nlmsg_flags & NLM_F_DUMP) == 0) {
		/* That is another datagram. */
		c->answered = 1;
		return (a.full ? 0 : (ssize_t)a.len);
	}
	c->answered = 0;
	/* Its end acknowledges a dump. */
	if (error != 0 || (ack && a.len == 0))
		put_error(&a, &h, error);
	len = NLMSG_ALIGN((size_t)h.nlmsg_len);
	if (len > c->left)
		len = c->left;
	c->next += len;
	c->left -= len;
	return (a.full ? 0 : (ssize_t)a.len);
}
