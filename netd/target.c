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
 * Where a socket would send to, and whether the rules admit that.  Called by
 * connect.c and send.c with the address that the supervisor copied.  What
 * kind a socket is is asked of the socket.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/ip.h>

#include <errno.h>
#include <string.h>

#include "netd.h"

/* The shortest sockaddr_in6 that the kernel takes: without the scope. */
#define SIN6_LEN_MIN	24

/* The sockets that there may be; any other one is the policy's to refuse. */
static const struct {
	int		 domain;
	int		 type;
	int		 protocol;
	enum net_proto	 proto;
} kinds[] = {
	{ AF_INET, SOCK_STREAM, IPPROTO_TCP, NET_TCP },
	{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, NET_TCP },
	{ AF_INET, SOCK_DGRAM, IPPROTO_UDP, NET_UDP },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NET_UDP },
	{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, NET_ICMP },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, NET_ICMP }
};

int
target_socket(int fd, int *domain, enum net_proto *proto)
{
	socklen_t	 len;
	size_t		 i;
	int		 protocol, type;

	len = sizeof(*domain);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, domain, &len) == -1)
		return (errno);
	len = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		return (errno);
	len = sizeof(protocol);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == -1)
		return (errno);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].domain == *domain && kinds[i].type == type &&
		    kinds[i].protocol == protocol) {
			*proto = kinds[i].proto;
			return (0);
		}
	return (EACCES | PROTO_DENIED);
}

int
target_family(int domain, enum net_proto proto, sa_family_t family,
    socklen_t len)
{
	/* UDP over IPv6 takes addresses of IPv4 as they are. */
	if (domain == AF_INET6 && family == AF_INET && proto == NET_UDP)
		return (len < sizeof(struct sockaddr_in) ? EINVAL : 0);
	if (len < (domain == AF_INET ? sizeof(struct sockaddr_in) :
	    SIN6_LEN_MIN))
		return (EINVAL);
	return (family == domain ? 0 : EAFNOSUPPORT);
}

/*
 * Source routes send packets to an admitted address by way of any other host.
 * The filter forbids to set them; this catches a socket that came with one.
 */
static int
target_routed(int fd, int domain)
{
	uint8_t		 buf[2048];
	socklen_t	 i, len = sizeof(buf);

	if (getsockopt(fd, IPPROTO_IP, IP_OPTIONS, buf, &len) == -1)
		len = 0;
	for (i = 0; i < len && buf[i] != IPOPT_EOL; ) {
		if (buf[i] == IPOPT_LSRR || buf[i] == IPOPT_SSRR)
			return (1);
		if (buf[i] == IPOPT_NOP)
			i++;
		else if (i + 1 < len && buf[i + 1] >= 2)
			i += buf[i + 1];
		else
			return (1);
	}
	if (domain == AF_INET)
		return (0);
	len = sizeof(buf);
	return (getsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, buf, &len) == 0 &&
	    len > 0);
}

static int
v4_unspecified(const void *v4)
{
	static const uint8_t	 zero[4];

	return (memcmp(v4, zero, sizeof(zero)) == 0);
}

/* Where 0.0.0.0 is for a socket with this local address. */
static const void *
v4_default(const void *local)
{
	static const uint8_t	 loopback[4] = { 127, 0, 0, 1 };

	return (v4_unspecified(local) ? loopback : local);
}

/* The address of IPv4 to which a socket of either family is bound. */
static const void *
v4_local(const struct sockaddr_storage *local)
{
	static const uint8_t		 zero[4];
	const struct sockaddr_in6	*in6;

	if (local->ss_family == AF_INET)
		return (&((const struct sockaddr_in *)local)->sin_addr);
	in6 = (const struct sockaddr_in6 *)local;
	if (local->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return (&in6->sin6_addr.s6_addr[12]);
	return (zero);
}

/*
 * The kernel puts a destination of its own for an unspecified one: loopback,
 * or the address to which the socket is bound.  Name it, so that it is judged
 * and that a bind in between changes nothing.
 */
static void
target_specify(int fd, struct sockaddr_storage *addr)
{
	struct sockaddr_storage	 local;
	struct sockaddr_in	*in4 = (struct sockaddr_in *)addr;
	struct sockaddr_in6	*in6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in6	*bound = (struct sockaddr_in6 *)&local;
	socklen_t		 len = sizeof(local);
	int			 any, any4;
	uint8_t			*v4 = &in6->sin6_addr.s6_addr[12];

	any = addr->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
	any4 = addr->ss_family == AF_INET ?
	    v4_unspecified(&in4->sin_addr) :
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && v4_unspecified(v4);
	if (!any && !any4)
		return;
	memset(&local, 0, sizeof(local));
	if (getsockname(fd, (struct sockaddr *)&local, &len) == -1)
		memset(&local, 0, sizeof(local));
	if (addr->ss_family == AF_INET)
		memcpy(&in4->sin_addr, v4_default(v4_local(&local)), 4);
	else if (any4)
		memcpy(v4, v4_default(v4_local(&local)), 4);
	else if (local.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&bound->sin6_addr)) {
		/* For a socket of IPv4 :: is the loopback of IPv4. */
		in6->sin6_addr = bound->sin6_addr;
		memcpy(v4, v4_default("\0\0\0\0"), 4);
	} else
		in6->sin6_addr = in6addr_loopback;
}

int
target_judge(int fd, int domain, enum net_proto proto,
    struct sockaddr_storage *addr)
{
	struct netaddr	 na;
	uint16_t	 port;

	target_specify(fd, addr);
	if (target_routed(fd, domain))
		return (EACCES | PROTO_DENIED);
	if (stub_destination(proto, addr))
		return (0);
	netaddr_from_sockaddr(addr, &na, &port);
	if (!netrule_decide(netd_rules, proto, NET_OUT, &na, port))
		return (ECONNREFUSED | PROTO_DENIED);
	remap_destination(proto, addr);
	return (0);
}
