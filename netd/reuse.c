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
 * SO_REUSEADDR and SO_REUSEPORT on behalf of the workload, where binds are made
 * here: so neither changes while netd looks at it.  Called by netd.c for each
 * request, and by bind.c.
 *
 * To a UDP socket with one of them the kernel may give, when it sends for the
 * first time, a port that others have, too; and write(2) is a send that nobody
 * sees.  So before a socket gets the option its choice is narrowed to one port
 * that a socket of netd's always has and never shares.  Where the kernel was to
 * choose the call then fails; what netd sees is bound before, by number.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "netd.h"

static uint16_t	 reuse_guard;	/* the port that is always taken */

/* Take a port of the kernel's choice, for both families; 0 or an errno. */
static int
reuse_guard_take(int domain)
{
	struct sockaddr_storage	 ss;
	struct port_binding	 at;
	socklen_t		 len = domain == AF_INET ?
				    sizeof(struct sockaddr_in) :
				    sizeof(struct sockaddr_in6);
	int			 error, fd, off = 0;

	if ((fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (errno);
	memset(&ss, 0, sizeof(ss));
	ss.ss_family = domain;
	/* Nobody reads what is sent there. */
	if ((domain == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
	    &off, sizeof(off)) == -1) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &off, sizeof(off)) == -1 ||
	    bind(fd, (struct sockaddr *)&ss, len) == -1 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) == -1) {
		error = errno;
		close(fd);
		return (error);
	}
	port_address(&at, &ss);
	reuse_guard = at.asked;
	return (0);
}

/* Let the kernel choose among these ports only, or with 0 among all. */
static int
reuse_range(int fd, uint16_t lo, uint16_t hi)
{
	uint32_t	 range = (uint32_t)hi << 16 | lo;

	return (setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range,
	    sizeof(range)));
}

/* No port of the kernel's choice for this socket; 0 or an errno. */
static int
reuse_narrow(int fd)
{
	int	 error = 0;

	if (reuse_guard == 0)
		error = reuse_guard_take(AF_INET6);
	if (error == EAFNOSUPPORT)
		error = reuse_guard_take(AF_INET);
	if (error != 0)
		return (error);
	if (reuse_range(fd, reuse_guard, reuse_guard) == 0)
		return (0);
	/* A kernel before 6.3 cannot be kept from choosing. */
	return (errno == ENOPROTOOPT ? EPERM | PROTO_DENIED : errno);
}

int
reuse_any(int fd)
{
	socklen_t	 len = sizeof(int);
	int		 addr = 0, port = 0;

	/* One that cannot be asked is no socket that shares. */
	(void)getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &addr, &len);
	(void)getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &port, &len);
	return (addr || port);
}

int
reuse_bind(int fd, const struct sockaddr *sa, socklen_t salen)
{
	socklen_t	 len = sizeof(int);
	int		 error = 0, off = 0, on = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &len) == -1 ||
	    (on && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off,
	    sizeof(off)) == -1))
		return (errno);
	if (bind(fd, sa, salen) == -1)
		error = errno;
	if (on && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1)
		return (errno);
	return (error);
}

void
reuse_request(uint32_t id, int fd, int name, int on)
{
	enum net_proto	 proto;
	int		 domain, error = 0, udp;

	udp = target_socket(fd, &domain, &proto) == 0 && proto == NET_UDP;
	if (udp && on)
		error = reuse_narrow(fd);
	if (error == 0 && setsockopt(fd, SOL_SOCKET, name, &on,
	    sizeof(on)) == -1)
		error = errno;
	if (udp && error == 0 && !reuse_any(fd) && reuse_range(fd, 0, 0) ==
	    -1 && errno != ENOPROTOOPT)
		error = errno;
	close(fd);
	netd_reply(id, error);
}
