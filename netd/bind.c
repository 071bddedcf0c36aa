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
 * bind(2) on behalf of the workload, where Landlock cannot judge it: UDP, and
 * with that TCP, for a filter cannot tell one from the other.  Called by
 * netd.c for each request.  What is judged, and what the kernel gets, is the
 * address that the supervisor copied; nothing here blocks.
 *
 * SO_REUSEPORT, and for UDP SO_REUSEADDR, let a socket share the port of
 * another one, the first of the same user, and take what was sent to that.
 * They belong to the workload, so netd first tries the port with a socket of
 * its own that has neither.  If the port is free, it is the workload's, and
 * whoever shares it later wants to; if it is not, the list in bound.c must have
 * it.  They are set by reuse.c, and so do not change in between.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "netd.h"

#define SIN6_LEN_MIN	24	/* without the scope, as the kernel takes it */
#define BIND_TRIES	64	/* ports that others got or a rule refuses */

/* A bind in the making. */
struct binding {
	int			 fd;
	int			 domain;
	enum net_proto		 proto;
	int			 v6only;	/* IPV6_V6ONLY, when it began */
	int			 client;	/* no rule inwards admits it */
	int			 later;		/* the port, when it connects */
	struct sockaddr_storage	 addr;
	socklen_t		 addrlen;
	struct port_binding	 at;		/* what addr says */
};

static enum { BIND_NONE, BIND_PORTS, BIND_REMAP }	 bind_mode;
static unsigned int	 bind_outwards;	/* NET_PROTO()s that clients speak */

void
bind_init(int remap)
{
	bind_mode = remap ? BIND_REMAP : BIND_PORTS;
	bound_init();
	if (remap)
		remap_init();
}

/* There is something to connect or to send to. */
void
bind_clients(unsigned int protos)
{
	bind_outwards |= protos;
}

int
bind_any_port(void)
{
	return (bind_active() && (bind_outwards & NET_PROTO(NET_TCP)) != 0);
}

int
bind_active(void)
{
	return (bind_mode != BIND_NONE);
}

int
bind_remaps(void)
{
	return (bind_mode == BIND_REMAP);
}

static int
bind_option(int fd, int level, int name, int *value)
{
	socklen_t	 len = sizeof(*value);

	return (getsockopt(fd, level, name, value, &len));
}

/* What the socket is; 0 or the answer for the workload. */
static int
bind_socket(struct binding *b)
{
	int	 protocol, type;

	if (bind_option(b->fd, SOL_SOCKET, SO_DOMAIN, &b->domain) == -1 ||
	    bind_option(b->fd, SOL_SOCKET, SO_TYPE, &type) == -1 ||
	    bind_option(b->fd, SOL_SOCKET, SO_PROTOCOL, &protocol) == -1)
		return (errno);
	if (b->domain != AF_INET && b->domain != AF_INET6)
		return (EACCES | PROTO_DENIED);
	if (type == SOCK_STREAM && protocol == IPPROTO_TCP)
		b->proto = NET_TCP;
	else if (type == SOCK_DGRAM && protocol == IPPROTO_UDP)
		b->proto = NET_UDP;
	else if (type == SOCK_DGRAM && protocol == (b->domain == AF_INET ?
	    IPPROTO_ICMP : IPPROTO_ICMPV6))
		b->proto = NET_ICMP;
	else
		return (EACCES | PROTO_DENIED);
	b->v6only = 1;
	if (b->domain == AF_INET6 && bind_option(b->fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &b->v6only) == -1)
		return (errno);
	return (0);
}

/* The address, with the kernel's own errors; 0 or an errno. */
static int
bind_address(struct binding *b, const struct proto_connect *pc)
{
	static const uint8_t	 zero[4];
	struct sockaddr_in	*sin = (struct sockaddr_in *)&b->addr;

	if (pc->addrlen < (b->domain == AF_INET ? sizeof(*sin) :
	    SIN6_LEN_MIN))
		return (EINVAL);
	b->addr = pc->addr;
	b->addrlen = b->domain == AF_INET ? sizeof(*sin) :
	    pc->addrlen < sizeof(struct sockaddr_in6) ? SIN6_LEN_MIN :
	    sizeof(struct sockaddr_in6);
	/* An old habit that the kernel bears with. */
	if (b->domain == AF_INET && b->addr.ss_family == AF_UNSPEC &&
	    memcmp(&sin->sin_addr, zero, sizeof(zero)) == 0)
		b->addr.ss_family = AF_INET;
	if (b->addr.ss_family != b->domain)
		return (EAFNOSUPPORT);
	b->at.proto = b->proto;
	port_address(&b->at, &b->addr);
	b->at.dual = !b->v6only && b->at.family == AF_INET6 &&
	    port_unspecified(&b->at);
	return (0);
}

/* Whether a rule admits serving at this address and port. */
static int
bind_admitted(const struct binding *b, const struct sockaddr_storage *ss)
{
	struct netaddr	 na;
	uint16_t	 port;

	netaddr_from_sockaddr(ss, &na, &port);
	return (netrule_decide(netd_rules, b->proto, NET_IN, &na, port));
}

/* By a rule, or as a client's: 0, or the answer for the workload. */
static int
bind_judge(struct binding *b)
{
	/* Nobody is served there: what it sends to is judged. */
	if (b->proto == NET_ICMP || bind_admitted(b, &b->addr))
		return (0);
	/*
	 * The kernel would choose a port as well when the socket connects or
	 * sends for the first time; many programs do this before.
	 */
	if (b->at.asked != 0 || (bind_outwards & NET_PROTO(b->proto)) == 0)
		return (EACCES | PROTO_DENIED);
	b->client = 1;
	return (0);
}

/*
 * Try a port with a socket of our own, which lets it go at once: 0 or an
 * errno.  Port 0 is replaced by one that was free.  Of TCP, what is left of
 * old connections may be there, and for the kernel that is the same, sockets
 * with SO_REUSEADDR that do not listen yet.
 */
static int
bind_probe(const struct binding *b, struct sockaddr_storage *ss)
{
	struct port_binding	 at;
	socklen_t		 len = sizeof(*ss);
	int			 error = 0, fd, old;

	port_address(&at, ss);
	/* For port 0 that would be a choice among half of the ports only. */
	old = b->proto == NET_TCP && at.asked != 0;
	fd = socket(b->domain, (b->proto == NET_TCP ? SOCK_STREAM :
	    SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (errno);
	if ((b->domain == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
	    &b->v6only, sizeof(b->v6only)) == -1) ||
	    (old && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &old,
	    sizeof(old)) == -1) ||
	    bind(fd, (struct sockaddr *)ss, b->addrlen) == -1 ||
	    getsockname(fd, (struct sockaddr *)ss, &len) == -1)
		error = errno;
	close(fd);
	return (error);
}

/*
 * Whether the socket got a port by other ways than bind.  One of TCP whose
 * connect failed has none, whatever it says its name is.
 */
static int
bind_has_port(const struct binding *b)
{
	struct sockaddr_storage	 ss;
	struct port_binding	 at;
	struct tcp_info		 info;
	socklen_t		 len = sizeof(info);

	if (b->proto == NET_TCP)
		return (getsockopt(b->fd, IPPROTO_TCP, TCP_INFO, &info,
		    &len) == 0 && info.tcpi_state != TCP_CLOSE);
	memset(&ss, 0, sizeof(ss));
	len = sizeof(ss);
	if (getsockname(b->fd, (struct sockaddr *)&ss, &len) == -1)
		return (0);
	port_address(&at, &ss);
	return (at.asked != 0);
}

/*
 * The errno of a second bind, which never succeeds: what the kernel says of the
 * address comes before what it says of that.
 */
static int
bind_twice(const struct binding *b)
{
	struct sockaddr_storage	 ss = b->addr;
	int			 error;

	error = bind_probe(b, &ss);
	if (error == EACCES || (error == EADDRNOTAVAIL &&
	    b->domain == AF_INET))
		return (error);
	return (EINVAL);
}

/* The call itself, with whoever else the kernel lets have the port. */
static int
bind_call(const struct binding *b, const struct sockaddr_storage *ss)
{
	return (bind(b->fd, (const struct sockaddr *)ss, b->addrlen) == -1 ?
	    errno : 0);
}

/* To a port that was free; for TCP SO_REUSEADDR is about old connections. */
static int
bind_alone(const struct binding *b, const struct sockaddr_storage *ss)
{
	if (b->proto == NET_TCP)
		return (bind_call(b, ss));
	return (reuse_bind(b->fd, (const struct sockaddr *)ss, b->addrlen));
}

/* One bind to a port that is not 0, if that may be the workload's. */
static int
bind_port(const struct binding *b, const struct sockaddr_storage *addr)
{
	struct sockaddr_storage	 ss = *addr;
	struct port_binding	 at = b->at;
	int			 error;

	/*
	 * Options let the workload's socket have an address that ours cannot
	 * (IP_FREEBIND, SO_BINDTODEVICE); but then nobody knows who else has
	 * the port there.
	 */
	if ((error = bind_probe(b, &ss)) == 0)
		return (bind_alone(b, addr));
	if (error != EADDRINUSE)
		return (error);
	port_address(&at, addr);
	/* Ours, and whether it may be shared is the kernel's to say. */
	if (bound_real(&at, at.asked) != NULL)
		return (bind_call(b, addr));
	return (EADDRINUSE);
}

/*
 * A port of the kernel's choice, for a socket that shares none, as the
 * workload's may.  And a port of TCP that the kernel chose in bind(2) it takes
 * back when a connect fails; but the workload must keep what is noted as its
 * own, or it would share that with whoever has it next.  Whoever serves gets
 * none that a rule refuses.
 */
static int
bind_any(const struct binding *b)
{
	struct sockaddr_storage	 ss;
	int			 error = EADDRINUSE, i;

	for (i = 0; i < BIND_TRIES && error == EADDRINUSE; i++) {
		ss = b->addr;
		port_set(&ss, 0);
		if ((error = bind_probe(b, &ss)) != 0)
			return (error);
		if (b->at.asked == 0 && !b->client && !bind_admitted(b, &ss) &&
		    netrule_reason() != -1)
			error = EADDRINUSE;
		else
			error = bind_alone(b, &ss);
	}
	return (error);
}

/*
 * Whether the socket is to have its port when it connects.  One of UDP could
 * share that, should the option go while it is bound.
 */
static int
bind_wants_later(const struct binding *b)
{
	int	 later;

	return (b->proto == NET_TCP && (b->client || (bind_option(b->fd,
	    IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later) == 0 && later)));
}

/*
 * The address now, and a port when it connects or sends.  So a client of TCP
 * keeps nobody from a port, and has none to listen on.
 */
static int
bind_later(const struct binding *b)
{
	struct sockaddr_storage	 ss = b->addr;
	int			 error, later = 0, on = 1;

	if ((error = bind_probe(b, &ss)) != 0)
		return (error);
	(void)bind_option(b->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later);
	if (setsockopt(b->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on)) == -1)
		return (errno);
	error = bind_call(b, &b->addr);
	if (setsockopt(b->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later,
	    sizeof(later)) == -1)
		return (errno);
	return (error);
}

/* In a port space of its own the workload has every port that it has not. */
static int
bind_remap(struct binding *b)
{
	const struct port_binding	*pb;
	struct sockaddr_storage		 ss = b->addr;
	int				 error;

	if ((pb = bound_asked(&b->at, b->at.asked)) != NULL) {
		/* With the others that have it, if the kernel lets it. */
		port_set(&ss, pb->real);
		return (bind_call(b, &ss));
	}
	if (bound_overlaps(&b->at, b->at.asked) != NULL)
		return (EADDRINUSE);
	error = bind_port(b, &ss);
	return (error == EADDRINUSE ? bind_any(b) : error);
}

static int
bind_make(struct binding *b)
{
	if (b->at.asked == 0) {
		b->later = bind_wants_later(b);
		return (b->later ? bind_later(b) : bind_any(b));
	}
	if (bind_mode == BIND_REMAP)
		return (bind_remap(b));
	return (bind_port(b, &b->addr));
}

/*
 * What the socket has now, which no option changes any more.  One that was for
 * IPv6 only when the port was tried, and is not, may share a port of IPv4 with
 * somebody outside; no program does that by mistake.
 */
static void
bind_note(struct binding *b, struct port_binding *pb)
{
	struct port_binding	 old = *pb;
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);
	int			 v6only = 1;

	memset(&ss, 0, sizeof(ss));
	if (getsockname(b->fd, (struct sockaddr *)&ss, &len) == -1)
		fatal("getsockname");
	if (b->domain == AF_INET6 && bind_option(b->fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &v6only) == -1)
		fatal("getsockopt");
	port_address(pb, &ss);
	pb->proto = b->proto;
	pb->serial = old.serial;
	pb->real = pb->asked;
	if (b->at.asked != 0)
		pb->asked = b->at.asked;
	if (pb->family == AF_INET6 && port_unspecified(pb)) {
		if (v6only != b->v6only)
			fatalx("a socket was changed while it was bound");
		pb->dual = !v6only;
	}
	/* One that it has by then it may lose again. */
	if (b->later) {
		bound_drop(b->fd, pb);
		return;
	}
	bound_keep(b->fd, pb);
	if (bind_mode == BIND_REMAP)
		netd_port(pb);
}

/* Bind a socket that is watched; 0 or an errno. */
static int
bind_watched(struct binding *b, struct port_binding *pb)
{
	int	 error;

	if ((error = bind_make(b)) != 0)
		bound_drop(b->fd, pb);
	else
		bind_note(b, pb);
	return (error);
}

/*
 * A UDP socket without a port gets one when it connects or sends.  For one that
 * shares this could be somebody else's, so it is bound here before.
 */
int
bind_before(int fd)
{
	struct proto_connect	 pc;
	struct port_binding	*pb;
	struct binding		 b;
	int			 error;

	if (!bind_active() || !reuse_any(fd))
		return (0);
	memset(&b, 0, sizeof(b));
	b.fd = fd;
	b.client = 1;
	memset(&pc, 0, sizeof(pc));
	pc.addrlen = sizeof(pc.addr);
	if ((error = bind_socket(&b)) != 0 || b.proto != NET_UDP)
		return (error);
	if (getsockname(fd, (struct sockaddr *)&pc.addr, &pc.addrlen) == -1)
		return (errno);
	if ((error = bind_address(&b, &pc)) != 0 || b.at.asked != 0)
		return (error);
	if ((pb = bound_watch(fd)) == NULL)
		return (errno == EEXIST ? 0 : errno);
	return (bind_watched(&b, pb));
}

/*
 * A UDP socket that is bound to no address has one while it is connected, and
 * the port on no other; there somebody else may have it from then on.  Nobody
 * loses anything to another one without an address, as servers bind it for the
 * next client: what is sent to an address comes to whoever has that.
 */
void
bind_moved(int fd)
{
	struct port_binding	*pb;

	if (bind_active() && (pb = bound_find(fd)) != NULL &&
	    port_unspecified(pb))
		pb->moved = 1;
}

void
bind_request(uint32_t id, int fd, const struct proto_connect *pc)
{
	struct port_binding	*pb;
	struct binding		 b;
	int			 error;

	memset(&b, 0, sizeof(b));
	b.fd = fd;
	if ((error = bind_socket(&b)) != 0 ||
	    (error = bind_address(&b, pc)) != 0 ||
	    (error = bind_judge(&b)) != 0)
		goto done;
	/* A ping socket has no port, but a number. */
	if (b.proto == NET_ICMP) {
		error = bind_alone(&b, &b.addr);
		goto done;
	}
	if (bind_has_port(&b) || ((pb = bound_watch(fd)) == NULL &&
	    errno == EEXIST)) {
		error = bind_twice(&b);
		goto done;
	}
	if (pb == NULL) {
		error = errno;
		goto done;
	}
	error = bind_watched(&b, pb);
 done:
	close(fd);
	netd_reply(id, error);
}
