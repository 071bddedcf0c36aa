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

#include "log.h"
#include "netd.h"

/* Whether a rule admits this port; 0 is whatever port the kernel chooses. */
static int
listen_admitted(const struct sockaddr_storage *local, uint16_t port)
{
	struct netaddr	 na;
	uint16_t	 real;

	netaddr_from_sockaddr(local, &na, &real);
	return (netrule_decide(netd_rules, NET_TCP, NET_IN, &na, port));
}

/*
 * The name of a socket, AF_UNSPEC for a local one; 0 or the answer for the
 * workload.
 */
static int
listen_socket(int fd, struct sockaddr_storage *local, socklen_t *len)
{
	enum net_proto	 proto;
	int		 domain = -1, error;

	error = target_socket(fd, &domain, &proto);
	/* What a local socket's name may be was decided at bind. */
	if (error != 0)
		return (domain == AF_UNIX ? 0 : error);
	/* As the kernel says; a datagram socket serves nobody. */
	if (proto != NET_TCP)
		return (EOPNOTSUPP);
	if (getsockname(fd, (struct sockaddr *)local, len) == -1)
		return (errno);
	if (local->ss_family != AF_INET && local->ss_family != AF_INET6)
		return (EACCES | PROTO_DENIED);
	return (0);
}

/* Take the socket back: Landlock wants a whole address. */
static void
listen_end(int fd)
{
	struct sockaddr_storage	 none;

	memset(&none, 0, sizeof(none));
	if (connect(fd, (struct sockaddr *)&none,
	    sizeof(struct sockaddr_in)) == -1)
		fatal("listen on a port that no rule admits");
}

/*
 * Whether the socket would share a port with somebody else, where that is
 * netd's to see to: it does not have that which its name says.
 */
static int
listen_shares(int fd, const struct sockaddr_storage *local)
{
	struct port_binding	 at;
	socklen_t		 len = sizeof(int);
	int			 on = 1;

	if (!bind_active())
		return (0);
	memset(&at, 0, sizeof(at));
	at.proto = NET_TCP;
	port_address(&at, local);
	return (bound_real(&at, at.asked) == NULL &&
	    (getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &len) == -1 || on));
}

/*
 * A connect that failed leaves its port in the socket's name, but not with the
 * socket: to listen would take another one, which the workload may choose.  So
 * it is bound to what was judged; one that has a port cannot be, and has that.
 * 0 or the answer for the workload.
 */
static int
listen_bind(int fd, const struct sockaddr_storage *local, socklen_t len)
{
	if (!listen_admitted(local, remap_port(NET_TCP, local)))
		return (EACCES | PROTO_DENIED);
	if (listen_shares(fd, local))
		return (EADDRINUSE);
	if (bind(fd, (const struct sockaddr *)local, len) == -1 &&
	    errno != EINVAL)
		return (errno);
	return (0);
}

/*
 * The port may be the kernel's choice, which no rule may refuse, or another
 * thread's in between.
 */
static int
listen_port(int fd, int backlog, struct sockaddr_storage *local, socklen_t len)
{
	int	 any, error;

	any = listen_admitted(local, 0);
	if (!any && (error = listen_bind(fd, local, len)) != 0)
		return (error);
	if (listen(fd, backlog) == -1)
		return (errno);
	memset(local, 0, sizeof(*local));
	len = sizeof(*local);
	if (getsockname(fd, (struct sockaddr *)local, &len) == -1 ||
	    (!listen_admitted(local, remap_port(NET_TCP, local)) &&
	    (!any || netrule_reason() != -1))) {
		listen_end(fd);
		return (EACCES | PROTO_DENIED);
	}
	return (0);
}

void
listen_request(uint32_t id, int fd, int backlog)
{
	struct sockaddr_storage	 local;
	socklen_t		 len = sizeof(local);
	int			 error;

	memset(&local, 0, sizeof(local));
	if ((error = listen_socket(fd, &local, &len)) == 0) {
		if (local.ss_family != AF_UNSPEC)
			error = listen_port(fd, backlog, &local, len);
		else if (listen(fd, backlog) == -1)
			error = errno;
	}
	close(fd);
	netd_reply(id, error);
}
