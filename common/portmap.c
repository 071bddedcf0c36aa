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


#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <string.h>

#include "portmap.h"

void
port_address(struct port_binding *pb, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in	*in4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6	*in6 = (const struct sockaddr_in6 *)ss;

	memset(&pb->addr, 0, sizeof(pb->addr));
	pb->scope = 0;
	pb->family = ss->ss_family;
	if (ss->ss_family == AF_INET) {
		memcpy(&pb->addr, &in4->sin_addr, sizeof(in4->sin_addr));
		pb->asked = ntohs(in4->sin_port);
		return;
	}
	pb->asked = ntohs(in6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		pb->family = AF_INET;
		memcpy(&pb->addr, &in6->sin6_addr.s6_addr[12], 4);
		return;
	}
	pb->addr = in6->sin6_addr;
	/* The same one is another address on each interface. */
	if (IN6_IS_ADDR_LINKLOCAL(&pb->addr) ||
	    IN6_IS_ADDR_MC_LINKLOCAL(&pb->addr) ||
	    IN6_IS_ADDR_MC_NODELOCAL(&pb->addr))
		pb->scope = in6->sin6_scope_id;
}

void
port_set(struct sockaddr_storage *ss, uint16_t port)
{
	if (ss->ss_family == AF_INET)
		((struct sockaddr_in *)ss)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)ss)->sin6_port = htons(port);
}

/* An IPv4 address leaves the rest of addr zero. */
int
port_unspecified(const struct port_binding *pb)
{
	return (IN6_IS_ADDR_UNSPECIFIED(&pb->addr));
}

int
port_loopback(const struct port_binding *pb)
{
	if (pb->family == AF_INET)
		return (pb->addr.s6_addr[0] == 127);
	return (IN6_IS_ADDR_LOOPBACK(&pb->addr));
}

int
port_here(const struct sockaddr_storage *ss)
{
	struct port_binding	 pb;

	if (ss->ss_family != AF_INET && ss->ss_family != AF_INET6)
		return (0);
	port_address(&pb, ss);
	return (port_loopback(&pb));
}

static int
port_same(const struct port_binding *a, const struct port_binding *b)
{
	return (a->family == b->family && a->scope == b->scope &&
	    memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0);
}

int
port_covers(const struct port_binding *pb, const struct port_binding *at)
{
	if (pb->proto != at->proto)
		return (0);
	if (!port_unspecified(pb))
		return (port_same(pb, at));
	if (pb->family == at->family)
		return (!port_unspecified(at) || pb->dual || !at->dual);
	return (pb->dual && at->family == AF_INET);
}

int
port_overlaps(const struct port_binding *a, const struct port_binding *b)
{
	return (port_covers(a, b) || port_covers(b, a) ||
	    (a->proto == b->proto && port_unspecified(a) &&
	    port_unspecified(b) && (a->family == b->family || a->dual ||
	    b->dual)));
}

static struct port_binding *
port_find(const struct port_bindings *map, const struct port_binding *at,
    uint16_t port, int real)
{
	struct port_binding	*pb, *found = NULL;

	TAILQ_FOREACH(pb, map, entry) {
		if ((real ? pb->real : pb->asked) != port ||
		    !port_covers(pb, at))
			continue;
		if (real && pb->moved && !port_unspecified(at))
			continue;
		if (port_same(pb, at))
			return (pb);
		if (found == NULL || found->family != at->family)
			found = pb;
	}
	return (found);
}

struct port_binding *
port_find_asked(const struct port_bindings *map, const struct port_binding *at,
    uint16_t port)
{
	return (port_find(map, at, port, 0));
}

struct port_binding *
port_find_real(const struct port_bindings *map, const struct port_binding *at,
    uint16_t port)
{
	return (port_find(map, at, port, 1));
}
