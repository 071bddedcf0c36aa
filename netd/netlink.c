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
 * Route netlink sockets for the workload: requests of the supervisor to
 * route.c, and what becomes of them.
 */

#include <sys/types.h>

#include <errno.h>

#include "log.h"
#include "netd.h"
#include "route.h"

static void
netlink_gone(uint32_t id)
{
	netd_send(IMSG_NET_ROUTE_GONE, id, -1, 0);
}

/* A new one; its id is that of the request. */
void
netlink_open(uint32_t id, const struct proto_route *pr)
{
	int	 client;

	if (route_exists(id))
		fatalx("second %s", proto_name(IMSG_NET_ROUTE));
	if (route_open(id, pr->port, pr->nonblock, pr->out, &client,
	    netlink_gone) == -1)
		netd_send(IMSG_NET_ROUTE_SOCKET, id, -1, errno);
	else
		netd_send(IMSG_NET_ROUTE_SOCKET, id, client, 0);
}

/*
 * Answers to requests that are sent from now on have this port id; those that
 * were sent have theirs when the supervisor hears of it.
 */
void
netlink_port(uint32_t id, const struct proto_route *pr)
{
	route_serve(pr->socket);
	route_set_port(pr->socket, pr->port);
	netd_reply(id, 0);
}
