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
 * Where connects and datagrams go in a sandbox that has ports of its own:
 * what is meant for a socket of the workload goes to the port that this has in
 * truth.  Rules judge the port that the workload names.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>

#include "netd.h"
#include "worker.h"

static struct addresses	 own = STAILQ_HEAD_INITIALIZER(own);

/* Note the addresses of this host; before lockdown. */
void
remap_init(void)
{
	struct sockaddr_storage	 ss;
	struct netaddr		 na;
	struct ifaddrs		*all, *ifa;
	uint16_t		 port;

	if (getifaddrs(&all) == -1)
		worker_fail("addresses of this host: %s", strerror(errno));
	for (ifa = all; ifa != NULL; ifa = ifa->ifa_next) {
		if (ifa->ifa_addr == NULL ||
		    (ifa->ifa_addr->sa_family != AF_INET &&
		    ifa->ifa_addr->sa_family != AF_INET6))
			continue;
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, ifa->ifa_addr,
		    ifa->ifa_addr->sa_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		netaddr_from_sockaddr(&ss, &na, &port);
		addresses_add(&own, &na);
	}
	freeifaddrs(all);
}

/*
 * Put the kernel's port into an address that was judged and is not
 * unspecified.  The socket may be closed between this and the call; then a
 * port is reached that nobody of the workload could choose.
 */
void
remap_destination(enum net_proto proto, struct sockaddr_storage *ss)
{
	const struct port_binding	*pb;
	struct port_binding		 at;
	struct netaddr			 na;
	uint16_t			 port;

	if (!bind_remaps() || proto == NET_ICMP)
		return;
	memset(&at, 0, sizeof(at));
	at.proto = proto;
	port_address(&at, ss);
	if ((pb = bound_asked(&at, at.asked)) == NULL || pb->real == at.asked)
		return;
	netaddr_from_sockaddr(ss, &na, &port);
	/* On every address: of this host, and not of any other. */
	if (port_unspecified(pb) && !port_loopback(&at) &&
	    !addresses_have(&own, &na))
		return;
	port_set(ss, pb->real);
}

/* The port that a bound socket has for the workload. */
uint16_t
remap_port(enum net_proto proto, const struct sockaddr_storage *local)
{
	const struct port_binding	*pb;
	struct port_binding		 at;

	memset(&at, 0, sizeof(at));
	at.proto = proto;
	port_address(&at, local);
	if (!bind_remaps() || (pb = bound_real(&at, at.asked)) == NULL)
		return (at.asked);
	return (pb->asked);
}
