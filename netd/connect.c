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
 * Connects on behalf of the workload.  Called by netd.c for each request; it
 * judges the address that the supervisor copied, and what it hands to the
 * kernel is the address that it judged.  The descriptor is a duplicate: its
 * file description, with O_NONBLOCK, belongs to the workload and must be left
 * as it was.  Nothing here may block.
 *
 * A connect is finished by a second connect(2), not by SO_ERROR: only that
 * moves the socket on to the state in which a blocking connect leaves it, so
 * that a third call by the workload answers EISCONN, or tries afresh after a
 * failure.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/tree.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounded.h"
#include "log.h"
#include "netd.h"
#include "portmap.h"

/* In flight at most, and descriptors that are kept for ourselves. */
#define CONNECT_MAX	4096
#define CONNECT_RESERVE	16

struct connection {
	RB_ENTRY(connection)	 by_id;
	RB_ENTRY(connection)	 by_socket;
	uint32_t		 id;
	uint64_t		 cookie;	/* of the socket */
	enum net_proto		 proto;
	int			 fd;
	int			 flags;		/* of the socket, at first */
	int			 blocking;	/* for the workload */
	int			 mute;		/* only asks about addresses */
	int			 waiting;	/* in the trees and the loop */
	int			 pending;	/* errno when time is up */
	struct sockaddr_storage	 addr;
	socklen_t		 addrlen;
	struct event		 ev;
};

static int	 connection_cmp_id(struct connection *, struct connection *);
static int	 connection_cmp_socket(struct connection *,
		    struct connection *);
static void	 connect_ready(int, short, void *);

RB_HEAD(connection_ids, connection);
RB_HEAD(connection_sockets, connection);
/* Not every tree needs every function; libbsd's static forms do not build. */
#define MAYBE_UNUSED	static __attribute__((__unused__))
RB_PROTOTYPE_INTERNAL(connection_ids, connection, by_id, connection_cmp_id,
    MAYBE_UNUSED)
RB_PROTOTYPE_INTERNAL(connection_sockets, connection, by_socket,
    connection_cmp_socket, MAYBE_UNUSED)

static struct connection_ids	 ids = RB_INITIALIZER(&ids);
static struct connection_sockets sockets = RB_INITIALIZER(&sockets);
static rlim_t			 inflight, inflight_max;

static int
connection_cmp_id(struct connection *a, struct connection *b)
{
	return (a->id < b->id ? -1 : a->id > b->id);
}

static int
connection_cmp_socket(struct connection *a, struct connection *b)
{
	if (a->cookie != b->cookie)
		return (a->cookie < b->cookie ? -1 : 1);
	return (connection_cmp_id(a, b));
}

RB_GENERATE_INTERNAL(connection_ids, connection, by_id, connection_cmp_id,
    MAYBE_UNUSED)
RB_GENERATE_INTERNAL(connection_sockets, connection, by_socket,
    connection_cmp_socket, MAYBE_UNUSED)

void
connect_init(rlim_t descriptors)
{
	inflight_max = descriptors > CONNECT_RESERVE ?
	    descriptors - CONNECT_RESERVE : 1;
	if (inflight_max > CONNECT_MAX)
		inflight_max = CONNECT_MAX;
}

/* Another request in flight on the same socket. */
static struct connection *
connection_sibling(const struct connection *c)
{
	struct connection	 key, *other;

	key.cookie = c->cookie;
	key.id = 0;
	other = RB_NFIND(connection_sockets, &sockets, &key);
	if (other == c)
		other = RB_NEXT(connection_sockets, &sockets, other);
	if (other == NULL || other->cookie != c->cookie)
		return (NULL);
	return (other);
}

/* Give the socket back as it was and forget the request. */
static void
connection_free(struct connection *c)
{
	int	 flags = c->flags;

	if (c->waiting) {
		event_del(&c->ev);
		RB_REMOVE(connection_ids, &ids, c);
		RB_REMOVE(connection_sockets, &sockets, c);
		inflight--;
		/* Other flags may have changed in the meantime. */
		if ((flags = fcntl(c->fd, F_GETFL)) == -1)
			log_warn("fcntl");
	}
	if (c->blocking && flags != -1 &&
	    (inflight == 0 || connection_sibling(c) == NULL) &&
	    fcntl(c->fd, F_SETFL, flags & ~O_NONBLOCK) == -1)
		log_warn("fcntl");
	close(c->fd);
	free(c);
}

static void
connection_finish(struct connection *c, int value)
{
	uint32_t	 id = c->id;

	/* Restore before the reply: the workload runs as soon as it is out. */
	connection_free(c);
	netd_reply(id, value);
}

static int
connection_call(const struct connection *c)
{
	int	 error;

	error = bounded_connect(c->fd, (const struct sockaddr *)&c->addr,
	    c->addrlen);
	/* An interrupted connect goes on, as one that does not wait. */
	return (error == EINTR ? EINPROGRESS : error);
}

/* A socket that was taken back to its first state fails all who wait. */
static void
connection_finish_siblings(const struct connection *c, int value)
{
	struct connection	*other;

	while ((other = connection_sibling(c)) != NULL)
		connection_finish(other, value);
}

/*
 * An address that the socket does not take, in the way in which the kernel says
 * so: with EINVAL when it is short, else with EAFNOSUPPORT, but only after
 * what it says about the state of the socket.  Some datagram sockets look at
 * the family of a short one first; Landlock would look at the length of one
 * for TCP.
 */
static void
connect_unusable(struct connection *c, sa_family_t family, int error)
{
	memset(&c->addr, 0, sizeof(c->addr));
	c->addr.ss_family = c->proto == NET_TCP || error != EINVAL ? AF_UNIX :
	    family;
	c->addrlen = error == EINVAL ? sizeof(c->addr.ss_family) :
	    sizeof(c->addr);
}

/*
 * Connects of a UDP socket that only ask about addresses.  ping(8) finds its
 * own by one to the host that it is going to ping; getaddrinfo(3) of musl,
 * whether there is any of a family, by one to the last port of loopback.
 * Nothing is sent there by that socket: there is no way back from the end of
 * sending.
 */
static int
connect_mute(const struct connection *c)
{
	struct netaddr	 na;
	uint16_t	 port;

	netaddr_from_sockaddr(&c->addr, &na, &port);
	if (c->proto != NET_UDP ||
	    (!netrule_decide(netd_rules, NET_ICMP, NET_OUT, &na, port) &&
	    !(port == UINT16_MAX && port_here(&c->addr))))
		return (0);
	return (shutdown(c->fd, SHUT_WR) == 0 || errno == ENOTCONN);
}

/*
 * Fill in the address to connect to; 0, or the answer for the workload.  The
 * kernel never gets to see an address in a family that was not judged.
 */
static int
connect_target(struct connection *c, const struct proto_connect *pc)
{
	int	 domain, error;

	if ((error = target_socket(c->fd, &domain, &c->proto)) != 0)
		return (error);
	if (pc->addrlen < sizeof(pc->addr.ss_family))
		return (EINVAL);
	if (pc->addr.ss_family == AF_UNSPEC) {
		/* Takes the socket back; Landlock wants a whole address. */
		memset(&c->addr, 0, sizeof(c->addr));
		c->addrlen = sizeof(struct sockaddr_in);
		return (0);
	}
	if ((error = target_family(domain, c->proto, pc->addr.ss_family,
	    pc->addrlen)) != 0) {
		connect_unusable(c, pc->addr.ss_family, error);
		return (0);
	}
	memcpy(&c->addr, &pc->addr, pc->addrlen);
	c->addrlen = pc->addrlen;
	error = target_judge(c->fd, domain, c->proto, &c->addr);
	if (error == (ECONNREFUSED | PROTO_DENIED) && connect_mute(c)) {
		c->mute = 1;
		return (0);
	}
	return (error);
}

/*
 * Whether the call would block for the workload.  O_NONBLOCK may be there
 * because another request in flight on the socket put it there.
 */
static int
connect_set_nonblock(struct connection *c)
{
	struct connection	*other;
	socklen_t		 len = sizeof(c->cookie);

	if ((c->flags = fcntl(c->fd, F_GETFL)) == -1)
		return (-1);
	if (!(c->flags & O_NONBLOCK)) {
		if (fcntl(c->fd, F_SETFL, c->flags | O_NONBLOCK) == -1)
			return (-1);
		c->blocking = 1;
	}
	if (inflight == 0)
		return (0);
	if (getsockopt(c->fd, SOL_SOCKET, SO_COOKIE, &c->cookie, &len) == -1)
		return (-1);
	if ((other = connection_sibling(c)) != NULL && other->blocking)
		c->blocking = 1;
	return (0);
}

/*
 * On loopback a handshake is over before a call would wait for it, so what the
 * workload would wait for is called as it is, once: that leaves the socket as
 * it should be even if the other end resets the connection as soon as it is
 * there.  Returns an errno, EINPROGRESS when there is more to do.  After a call
 * that did wait, for as long as it may, none is made here for a second or two.
 */
static int
connect_here(struct connection *c)
{
	static time_t	 wait_until;
	struct timespec	 now;
	struct tcp_info	 info;
	socklen_t	 len = sizeof(info);
	int		 error;

	if (!port_here(&c->addr) ||
	    clock_gettime(CLOCK_MONOTONIC, &now) == -1 ||
	    now.tv_sec < wait_until ||
	    (c->flags = fcntl(c->fd, F_GETFL)) == -1 || c->flags & O_NONBLOCK)
		return (EINPROGRESS);
	/* Of one that is under way, the kernel would not tell that it is. */
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1 ||
	    info.tcpi_state != TCP_CLOSE)
		return (EINPROGRESS);
	if ((error = connection_call(c)) == EINPROGRESS) {
		wait_until = now.tv_sec + 2;
		c->pending = error;
	}
	return (error);
}

/* Wait for the outcome in the event loop. */
static int
connect_wait(struct connection *c)
{
	struct timeval	 tv;
	socklen_t	 len;

	len = sizeof(tv);
	if (getsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len) == -1)
		return (-1);
	len = sizeof(c->cookie);
	if (getsockopt(c->fd, SOL_SOCKET, SO_COOKIE, &c->cookie, &len) == -1)
		return (-1);
	event_set(&c->ev, c->fd, EV_WRITE, connect_ready, c);
	if (event_add(&c->ev, tv.tv_sec == 0 && tv.tv_usec == 0 ? NULL :
	    &tv) == -1) {
		errno = ENOMEM;
		return (-1);
	}
	if (RB_INSERT(connection_ids, &ids, c) != NULL)
		fatalx("request %u is in flight already", c->id);
	RB_INSERT(connection_sockets, &sockets, c);
	c->waiting = 1;
	inflight++;
	return (0);
}

void
connect_request(uint32_t id, int fd, const struct proto_connect *pc)
{
	struct connection	*c;
	int			 error;

	if (inflight >= inflight_max ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		netd_reply(id, ENOBUFS);
		return;
	}
	c->id = id;
	c->fd = fd;
	if ((error = connect_target(c, pc)) != 0) {
		connection_finish(c, error);
		return;
	}
	/* A datagram socket only notes the address. */
	if (c->proto != NET_TCP) {
		if (c->proto != NET_UDP || c->mute ||
		    c->addr.ss_family == AF_UNSPEC ||
		    (error = bind_before(c->fd)) == 0)
			error = connection_call(c);
		if (c->proto == NET_UDP)
			bind_moved(c->fd);
		connection_finish(c, error);
		return;
	}
	if ((error = connect_here(c)) != EINPROGRESS) {
		connection_finish(c, error);
		return;
	}
	if (connect_set_nonblock(c) == -1) {
		connection_finish(c, errno);
		return;
	}
	error = connection_call(c);
	if (c->addr.ss_family == AF_UNSPEC) {
		if (error == 0 && inflight > 0)
			connection_finish_siblings(c, EPIPE);
		connection_finish(c, error);
		return;
	}
	if (!c->blocking || (error != EINPROGRESS && error != EALREADY)) {
		connection_finish(c, error);
		return;
	}
	/* A handshake over loopback is over by now. */
	if (c->pending == 0)
		c->pending = error;
	error = connection_call(c);
	if (error != EINPROGRESS && error != EALREADY) {
		connection_finish(c, error);
		return;
	}
	if (connect_wait(c) == -1)
		connection_finish(c, errno);
}

/* The outcome of a socket that is ready; EALREADY if there is none yet. */
static int
connect_outcome(const struct connection *c)
{
	struct tcp_info	 info;
	socklen_t	 len;
	int		 error;

	len = sizeof(info);
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return (errno);
	if (info.tcpi_state == TCP_CLOSE) {
		len = sizeof(error);
		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error,
		    &len) == -1)
			return (errno);
		/*
		 * shutdown(2) in another thread takes the socket back and
		 * leaves this error; a connect would try afresh.
		 */
		if (error == ECONNRESET || error == 0)
			return (ECONNRESET);
		(void)connection_call(c);
		return (error);
	}
	error = connection_call(c);
	if (error == EISCONN)
		return (0);
	return (error == EINPROGRESS ? EALREADY : error);
}

static void
connect_ready(int fd, short event, void *arg)
{
	struct connection	*c = arg;
	struct timeval		 tv;
	socklen_t		 len;
	int			 error;

	(void)fd;
	if (event & EV_TIMEOUT) {
		connection_finish(c, c->pending);
		return;
	}
	if ((error = connect_outcome(c)) == EALREADY) {
		len = sizeof(tv);
		if (getsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
		    &len) == -1 || event_add(&c->ev, tv.tv_sec == 0 &&
		    tv.tv_usec == 0 ? NULL : &tv) == -1)
			connection_finish(c, ENOMEM);
		return;
	}
	connection_finish_siblings(c, error == 0 ? 0 : EPIPE);
	connection_finish(c, error);
}

void
connect_cancel(uint32_t id, int interrupted)
{
	struct connection	 key, *c;

	key.id = id;
	if ((c = RB_FIND(connection_ids, &ids, &key)) == NULL)
		return;
	if (interrupted)
		connection_finish(c, EINTR);
	else
		connection_free(c);
}

void
connect_shutdown(void)
{
	struct connection	*c;

	while ((c = RB_MIN(connection_ids, &ids)) != NULL)
		connection_free(c);
}
