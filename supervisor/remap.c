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
 * What the workload is told of ports, in a sandbox that has its own.
 *
 * netd says to which port each socket was bound in truth, its own ones for the
 * workload's resolver among them.  A call that tells
 * an address is let through unless there is such a port in the answer: then it
 * is made here, on a duplicate of the descriptor, and the workload's port put
 * in.  Data is looked at for nothing but its sender.
 *
 * Every CONTINUE of this file is harmless: the calls tell addresses of sockets
 * that the workload has, take connections and data from them, and can do
 * nothing else.  Should the descriptor be another one by then, the workload
 * reads a port that it was not meant to see.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounded.h"
#include "log.h"
#include "supervisor.h"
#include "worker.h"

#define REMAP_MAX	4096	/* bindings; older ones are forgotten */
#define REMAP_QUEUE	(1 << 20)	/* bytes the parent has not read */
#define WAIT_MS		50	/* between looks for signals */
#define DATAGRAM_MAX	65536
#define CONTROL_MAX	4096

static struct port_bindings	 map = TAILQ_HEAD_INITIALIZER(map);
static size_t			 nmap;
static size_t			 nprotos[NET_PROTO_MAX];
static struct port_bindings	 own = TAILQ_HEAD_INITIALIZER(own);

static void
map_remove(struct port_binding *pb)
{
	TAILQ_REMOVE(&map, pb, entry);
	nmap--;
	nprotos[pb->proto]--;
	free(pb);
}

/* Those of the resolver are there until the end. */
static void
map_remove_oldest(void)
{
	struct port_binding	*pb;

	TAILQ_FOREACH_REVERSE(pb, &map, port_bindings, entry)
		if (!pb->resolver) {
			map_remove(pb);
			return;
		}
}

/* Note the addresses of this host, before the domain is entered. */
void
remap_init(void)
{
	struct sockaddr_storage	 ss;
	struct port_binding	*pb;
	struct ifaddrs		*all, *ifa;
	int			 family;

	if (!sup.conf.filter.remap)
		return;
	if (getifaddrs(&all) == -1)
		worker_fail("addresses of this host: %s", strerror(errno));
	for (ifa = all; ifa != NULL; ifa = ifa->ifa_next) {
		if (ifa->ifa_addr == NULL)
			continue;
		family = ifa->ifa_addr->sa_family;
		if (family != AF_INET && family != AF_INET6)
			continue;
		if ((pb = calloc(1, sizeof(*pb))) == NULL)
			fatal("calloc");
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, ifa->ifa_addr, family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		port_address(pb, &ss);
		TAILQ_INSERT_TAIL(&own, pb, entry);
	}
	freeifaddrs(all);
}

/*
 * A socket was bound.  What is known of an older one with that port is past;
 * of one without, connections may still be there.
 */
void
remap_binding(struct imsg *imsg)
{
	struct port_binding	 new, *pb, *next;

	if (!sup.conf.filter.remap || proto_recv_binding(imsg, &new) == -1)
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	for (pb = TAILQ_FIRST(&map); pb != NULL; pb = next) {
		next = TAILQ_NEXT(pb, entry);
		if (pb->real == new.real && port_overlaps(pb, &new))
			map_remove(pb);
	}
	if (new.real != new.asked) {
		if (nmap >= REMAP_MAX)
			map_remove_oldest();
		if ((pb = malloc(sizeof(*pb))) == NULL)
			fatal("malloc");
		*pb = new;
		TAILQ_INSERT_HEAD(&map, pb, entry);
		nmap++;
		nprotos[pb->proto]++;
	}
	if (new.resolver ||
	    imsgbuf_queuelen(&worker_parent.ibuf) > REMAP_QUEUE)
		return;
	if (proto_send_binding(&worker_parent.ibuf, IMSG_PORT, &new) == -1)
		fatal("%s", proto_name(IMSG_PORT));
	imsg_event_add(&worker_parent);
}

/* Whether the address is one of this host. */
static int
map_own(const struct port_binding *at)
{
	const struct port_binding	*pb;

	if (port_loopback(at))
		return (1);
	TAILQ_FOREACH(pb, &own, entry)
		if (pb->family == at->family && memcmp(&pb->addr, &at->addr,
		    sizeof(at->addr)) == 0)
			return (1);
	return (0);
}

/*
 * The workload's port for a local address and port of the kernel's, in host
 * order: 1 if it is another one, which is stored, else 0.  For what lists
 * sockets, such as /proc/net/tcp.
 */
int
remap_virtual(enum net_proto proto, const struct sockaddr_storage *local,
    uint16_t *port)
{
	const struct port_binding	*pb;
	struct port_binding		 at;

	memset(&at, 0, sizeof(at));
	at.proto = proto;
	port_address(&at, local);
	if ((pb = port_find_real(&map, &at, at.asked)) == NULL)
		return (0);
	*port = pb->asked;
	return (1);
}

/* The same for a peer, which may be another host's. */
int
remap_peer(enum net_proto proto, const struct sockaddr_storage *peer,
    uint16_t *port)
{
	struct port_binding	 at;

	memset(&at, 0, sizeof(at));
	if (peer->ss_family != AF_INET && peer->ss_family != AF_INET6)
		return (0);
	port_address(&at, peer);
	return (map_own(&at) && remap_virtual(proto, peer, port));
}

/* The protocol of a socket that may have another port; -1 for the others. */
static int
remap_proto(int fd)
{
	socklen_t	 len = sizeof(int);
	int		 domain, protocol;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1 ||
	    (domain != AF_INET && domain != AF_INET6))
		return (-1);
	len = sizeof(protocol);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == -1)
		return (-1);
	if (protocol == IPPROTO_TCP)
		return (nprotos[NET_TCP] > 0 ? NET_TCP : -1);
	if (protocol == IPPROTO_UDP)
		return (nprotos[NET_UDP] > 0 ? NET_UDP : -1);
	return (-1);
}

/*
 * The descriptor of a call that waited is the one that it began with.  -1: the
 * call has its answer.
 */
static int
remap_fd(struct request *rq, int *proto)
{
	int	 fd;

	if (nmap == 0) {
		/* There is no other port. */
		notify_continue(rq);
		return (-1);
	}
	if ((fd = rq->fd) != -1)
		rq->fd = -1;
	else if ((fd = notify_descriptor(rq)) == -1)
		return (-1);
	if ((*proto = remap_proto(fd)) != -1)
		return (fd);
	close(fd);
	/* Neither has this one. */
	notify_continue(rq);
	return (-1);
}

/* Write an address as the kernel does; 0 or an errno. */
static int
remap_write(const struct request *rq, uint64_t to, uint64_t tolen,
    const struct sockaddr_storage *ss, socklen_t sslen)
{
	int	 have, len = (int)sslen;

	if (memory_read(rq->notif.pid, tolen, &have, sizeof(have)) == -1)
		return (EFAULT);
	if (have < 0)
		return (EINVAL);
	if (memory_write(rq->notif.pid, to, ss, have < len ? have :
	    len) == -1 || memory_write(rq->notif.pid, tolen, &len,
	    sizeof(len)) == -1)
		return (EFAULT);
	return (0);
}

/* getsockname, getpeername */
void
remap_sockname(struct request *rq)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);
	uint16_t		 port;
	int			 fd, found = 0, proto;

	if ((fd = remap_fd(rq, &proto)) == -1)
		return;
	memset(&ss, 0, sizeof(ss));
	if (rq->call->nr == SYS_getsockname)
		found = getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
		    remap_virtual(proto, &ss, &port);
	else
		found = getpeername(fd, (struct sockaddr *)&ss, &len) == 0 &&
		    remap_peer(proto, &ss, &port);
	close(fd);
	if (!found) {
		/* It only tells an address. */
		notify_continue(rq);
		return;
	}
	port_set(&ss, port);
	if (notify_valid(rq))
		notify_errno(rq, remap_write(rq,
		    rq->notif.data.args[rq->call->addr],
		    rq->notif.data.args[rq->call->addrlen], &ss, len));
}

static void
wait_ready(int fd, short event, void *arg)
{
	struct timeval	 left = { 0, 0 }, tv = { 0, WAIT_MS * 1000 };
	struct request	*rq = arg;
	socklen_t	 len = sizeof(left);
	int		 error;

	(void)fd;
	if (event & EV_READ) {
		request_again(rq);
		return;
	}
	rq->delay_ms += WAIT_MS;
	if (getsockopt(rq->fd, SOL_SOCKET, SO_RCVTIMEO, &left, &len) == 0 &&
	    (left.tv_sec != 0 || left.tv_usec != 0) && (uint64_t)left.tv_sec *
	    1000 + left.tv_usec / 1000 <= (uint64_t)rq->delay_ms) {
		request_done(rq, EAGAIN);
		return;
	}
	if ((error = interrupt_errno(rq->notif.pid, left.tv_sec != 0 ||
	    left.tv_usec != 0)) != 0) {
		request_done(rq, error);
		return;
	}
	if (event_add(&rq->timer, &tv) == -1)
		request_done(rq, ENOMEM);
}

void
remap_forget(struct request *rq)
{
	event_del(&rq->timer);
}

/* Try again when there is something on the socket, which is taken. */
static void
remap_wait(struct request *rq, int fd)
{
	struct timeval	 tv = { 0, WAIT_MS * 1000 };
	struct request	*waiting;

	if ((waiting = request_park(rq, OWNER_SOCKET)) == NULL) {
		close(fd);
		return;
	}
	waiting->fd = fd;
	event_set(&waiting->timer, fd, EV_READ, wait_ready, waiting);
	if (event_add(&waiting->timer, &tv) == -1)
		request_done(waiting, ENOMEM);
}

static int
remap_waits(int fd)
{
	int	 flags;

	return ((flags = fcntl(fd, F_GETFL)) != -1 &&
	    (flags & O_NONBLOCK) == 0);
}

/*
 * Take a connection that is there, with its address; EAGAIN if there is none.
 * The flag is the workload's, too, and put back.
 */
static int
accept_try(int fd, struct sockaddr_storage *ss, socklen_t *len, int flags)
{
	int	 error, old, ret;

	if ((old = fcntl(fd, F_GETFL)) == -1)
		return (-1);
	if ((old & O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFL, old | O_NONBLOCK) == -1)
		return (-1);
	ret = bounded_accept(fd, (struct sockaddr *)ss, len,
	    (flags & SOCK_NONBLOCK) | SOCK_CLOEXEC);
	error = errno;
	if ((old & O_NONBLOCK) == 0 && fcntl(fd, F_SETFL, old) == -1)
		log_warn("restore O_NONBLOCK");
	errno = error == EINTR ? EAGAIN : error;
	return (ret);
}

/* Whether anything of the workload but this listener has another port. */
static int
accept_concerns(int fd)
{
	const struct port_binding	*pb;
	struct sockaddr_storage		 ss;
	socklen_t			 len = sizeof(ss);
	struct port_binding		 at;

	memset(&ss, 0, sizeof(ss));
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return (0);
	port_address(&at, &ss);
	TAILQ_FOREACH(pb, &map, entry)
		if (pb->proto == NET_TCP && !pb->resolver &&
		    pb->real != at.asked)
			return (1);
	return (0);
}

/*
 * The peer has another port only if it is the workload's and was bound to it
 * by name.  Most sandboxes have none but the listener's.
 */
void
remap_accept(struct request *rq)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);
	uint16_t		 port;
	int			 error, fd, flags = 0, new, proto;

	if ((fd = remap_fd(rq, &proto)) == -1)
		return;
	if (rq->call->arg != SLOT_NONE)
		flags = (int)rq->notif.data.args[rq->call->arg];
	if (proto != NET_TCP || !accept_concerns(fd) ||
	    (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) {
		close(fd);
		/* No port of the answer is another; or it is refused. */
		notify_continue(rq);
		return;
	}
	if (!notify_valid(rq)) {
		close(fd);
		return;
	}
	memset(&ss, 0, sizeof(ss));
	if ((new = accept_try(fd, &ss, &len, flags)) == -1) {
		if (errno == EAGAIN && remap_waits(fd))
			remap_wait(rq, fd);
		else {
			notify_errno(rq, errno);
			close(fd);
		}
		return;
	}
	close(fd);
	if (remap_peer(NET_TCP, &ss, &port))
		port_set(&ss, port);
	error = remap_write(rq, rq->notif.data.args[rq->call->addr],
	    rq->notif.data.args[rq->call->addrlen], &ss, len);
	if (error == 0) {
		notify_give(rq, new, (flags & SOCK_CLOEXEC) != 0);
		return;
	}
	notify_errno(rq, error);
	close(new);
}

/* A receiving call, whose message came from memory or from registers. */
struct receipt {
	struct msghdr	 msg;		/* pointers are the workload's */
	uint64_t	 header;	/* where that is; 0: recvfrom */
	uint64_t	 length;	/* of mmsghdr's msg_len; 0: none */
	int		 flags;
	struct iovec	 iov[IOV_MAX];
};

/* Copy once; 0 when the kernel is to say what is wrong, or has no address. */
static int
receipt_read(const struct request *rq, struct receipt *r)
{
	const __u64	*args = rq->notif.data.args;

	memset(&r->msg, 0, sizeof(r->msg));
	r->header = r->length = 0;
	if (rq->call->nr == SYS_recvfrom) {
		r->flags = (int)args[3];
		r->iov[0].iov_base = (void *)(uintptr_t)args[1];
		r->iov[0].iov_len = args[2];
		r->msg.msg_iovlen = 1;
		r->msg.msg_name = (void *)(uintptr_t)args[4];
		return (1);
	}
	r->header = args[1];
	r->flags = (int)args[2];
	if (rq->call->nr == SYS_recvmmsg) {
		if (args[2] == 0)
			return (0);
		r->flags = (int)args[3];
		r->length = args[1] + sizeof(struct msghdr);
	}
	if (memory_read(rq->notif.pid, r->header, &r->msg,
	    sizeof(r->msg)) == -1 || r->msg.msg_name == NULL ||
	    (int)r->msg.msg_namelen < 0 || r->msg.msg_iovlen > IOV_MAX)
		return (0);
	return (memory_read(rq->notif.pid, (uintptr_t)r->msg.msg_iov, r->iov,
	    r->msg.msg_iovlen * sizeof(r->iov[0])) == 0);
}

static size_t
receipt_room(const struct receipt *r)
{
	size_t	 i, n, room = 0;

	for (i = 0; i < r->msg.msg_iovlen; i++) {
		n = r->iov[i].iov_len;
		room += n < DATAGRAM_MAX - room ? n : DATAGRAM_MAX - room;
	}
	return (room);
}

/* The data to where the workload wants it; 0 or an errno. */
static int
receipt_data(const struct request *rq, const struct receipt *r,
    const char *data, size_t len)
{
	size_t	 i, n;

	for (i = 0; i < r->msg.msg_iovlen && len > 0; i++) {
		n = r->iov[i].iov_len < len ? r->iov[i].iov_len : len;
		if (memory_write(rq->notif.pid,
		    (uintptr_t)r->iov[i].iov_base, data, n) == -1)
			return (EFAULT);
		data += n;
		len -= n;
	}
	return (0);
}

/* And the message's own fields, where there is one. */
static int
receipt_header(const struct request *rq, const struct receipt *r,
    const struct msghdr *got, const struct sockaddr_storage *ss, ssize_t n)
{
	struct msghdr	 out = r->msg;
	uint32_t	 len = (uint32_t)n;

	out.msg_namelen = got->msg_namelen;
	out.msg_controllen = got->msg_controllen;
	out.msg_flags = got->msg_flags & ~MSG_CMSG_CLOEXEC;
	if (memory_write(rq->notif.pid, (uintptr_t)r->msg.msg_name, ss,
	    r->msg.msg_namelen < got->msg_namelen ? r->msg.msg_namelen :
	    got->msg_namelen) == -1 || memory_write(rq->notif.pid,
	    (uintptr_t)r->msg.msg_control, got->msg_control,
	    got->msg_controllen) == -1 || memory_write(rq->notif.pid,
	    r->header, &out, sizeof(out)) == -1 || (r->length != 0 &&
	    memory_write(rq->notif.pid, r->length, &len, sizeof(len)) == -1))
		return (EFAULT);
	return (0);
}

/* A datagram of the workload's own, from a socket with another port. */
static void
recv_deliver(struct request *rq, int fd, const struct receipt *r)
{
	static char		 data[DATAGRAM_MAX];
	static char		 control[CONTROL_MAX]
				    __attribute__((__aligned__ (16)));
	struct sockaddr_storage	 ss;
	struct msghdr		 got;
	struct iovec		 iov = { data, receipt_room(r) };
	ssize_t			 n;
	uint16_t		 port;
	int			 error;

	memset(&got, 0, sizeof(got));
	memset(&ss, 0, sizeof(ss));
	got.msg_name = &ss;
	got.msg_namelen = sizeof(ss);
	got.msg_iov = &iov;
	got.msg_iovlen = 1;
	got.msg_control = control;
	got.msg_controllen = r->msg.msg_controllen < sizeof(control) ?
	    r->msg.msg_controllen : sizeof(control);
	if ((n = recvmsg(fd, &got, (r->flags & ~MSG_WAITFORONE) |
	    MSG_DONTWAIT)) == -1) {
		/* Somebody else has it. */
		notify_errno(rq, errno == EAGAIN && remap_waits(fd) ? EINTR :
		    errno);
		return;
	}
	if (remap_peer(NET_UDP, &ss, &port))
		port_set(&ss, port);
	error = receipt_data(rq, r, data, (size_t)n < iov.iov_len ?
	    (size_t)n : iov.iov_len);
	if (error == 0)
		error = r->header == 0 ? remap_write(rq,
		    rq->notif.data.args[rq->call->addr],
		    rq->notif.data.args[rq->call->addrlen], &ss,
		    got.msg_namelen) : receipt_header(rq, r, &got, &ss, n);
	if (error != 0)
		notify_errno(rq, error);
	else
		/* Of several messages the first: fewer is no error. */
		notify_value(rq, r->length != 0 ? 1 : n);
}

/* Who sent what is there; 1: a port to translate, 0: none, -1 and errno. */
static int
recv_peek(int fd)
{
	struct sockaddr_storage	 ss;
	struct msghdr		 msg;
	uint16_t		 port;

	memset(&msg, 0, sizeof(msg));
	memset(&ss, 0, sizeof(ss));
	msg.msg_name = &ss;
	msg.msg_namelen = sizeof(ss);
	if (recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT) == -1)
		return (-1);
	return (remap_peer(NET_UDP, &ss, &port));
}

/* A peek here would count as one of the workload's. */
static int
recv_peeks(int fd)
{
	socklen_t	 len = sizeof(int);
	int		 offset;

	return (getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &len) == 0 &&
	    offset >= 0);
}

/* recvfrom, recvmsg, recvmmsg */
void
remap_recv(struct request *rq)
{
	static struct receipt	 r;
	int			 error, fd, mine, proto;

	if ((fd = remap_fd(rq, &proto)) == -1)
		return;
	if (proto != NET_UDP || !receipt_read(rq, &r) ||
	    (r.flags & MSG_ERRQUEUE) != 0 || recv_peeks(fd)) {
		close(fd);
		/* The answer has no port of ours, or is an error. */
		notify_continue(rq);
		return;
	}
	if (!notify_valid(rq)) {
		close(fd);
		return;
	}
	mine = recv_peek(fd);
	error = errno;
	if (mine == -1 && error == EAGAIN && (r.flags & MSG_DONTWAIT) == 0 &&
	    remap_waits(fd)) {
		remap_wait(rq, fd);
		return;
	}
	if (mine == 1)
		recv_deliver(rq, fd, &r);
	else if (mine == 0)
		/* What is there now comes from elsewhere. */
		notify_continue(rq);
	else
		notify_errno(rq, error);
	close(fd);
}
