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
 * listen(2) on behalf of the workload.  Landlock judges bind(2) but not a
 * listen on a socket that was never bound, which takes a port of the kernel's
 * choice.  Called by netd.c for each request; it never blocks.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "netd.h"

/*
 * A rule for port 0 lets the workload bind to a port of the kernel's choice,
 * so it admits whatever port the socket then has.
 */
static int
listen_admitted(const struct sockaddr_storage *local)
{
	struct netaddr	 na;
	uint16_t	 port;

	netaddr_from_sockaddr(local, &na, &port);
	port = remap_port(NET_TCP, local);
	return (netrule_decide(netd_rules, NET_TCP, NET_IN, &na, port) ||
	    netrule_decide(netd_rules, NET_TCP, NET_IN, &na, 0));
}

static int
listen_judge(int fd)
{
	struct sockaddr_storage	 local;
	enum net_proto		 proto;
	socklen_t		 len = sizeof(local);
	int			 domain = -1, error;

	error = target_socket(fd, &domain, &proto);
	/* What a local socket's name may be was decided at bind. */
	if (error != 0)
		return (domain == AF_UNIX ? 0 : error);
	/* As the kernel says; a datagram socket serves nobody. */
	if (proto != NET_TCP)
		return (EOPNOTSUPP);
	memset(&local, 0, sizeof(local));
	if (getsockname(fd, (struct sockaddr *)&local, &len) == -1)
		return (errno);
	if (local.ss_family != AF_INET && local.ss_family != AF_INET6)
		return (EACCES | PROTO_DENIED);
	return (listen_admitted(&local) ? 0 : EACCES | PROTO_DENIED);
}

void
listen_request(uint32_t id, int fd, int backlog)
{
	int	 error;

	if ((error = listen_judge(fd)) == 0 && listen(fd, backlog) == -1)
		error = errno;
	close(fd);
	netd_reply(id, error);
}
