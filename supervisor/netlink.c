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
 * Route netlink sockets of the workload.  They are ends of pairs of unix
 * sockets (see common/route.c), which behave as netlink sockets do in most
 * calls; the others are answered here: bind(2), getsockname(2), and options.
 * The sockets are known by their cookies, which the kernel gives only once.
 *
 * What a call on one of them gets is never let through.  A call on any other
 * descriptor is, or goes on to who handles it; should it be one of them by
 * then, the kernel tells at most what the socket really is.
 *
 * netd serves the sockets where it runs, otherwise this process.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "route.h"
#include "supervisor.h"
#include "tree.h"
#include "worker.h"

/* Port ids that the kernel chooses where that of the process is taken. */
#define PORT_CHOSEN	0x80000000U
#define PORT_LAST	0xffffefffU

struct netlink {
	TAILQ_ENTRY(netlink)	 entry;
	uint32_t		 id;		/* of the request for it */
	uint64_t		 cookie;	/* 0: not there yet */
	uint32_t		 port;
	uint32_t		 groups;	/* joined; nothing ever comes */
	int			 bound;
	int			 type;
	int			 cloexec;
};

static TAILQ_HEAD(, netlink)	 sockets = TAILQ_HEAD_INITIALIZER(sockets);
static size_t			 nsockets;
static uint32_t			 netlink_last;	/* id, of our own */
static int			 netlink_none = -1;

/* A socket that leads nowhere, to ask about interfaces with. */
void
netlink_init(void)
{
	int	 pair[2];

	if (!sup.conf.filter.netlink)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		worker_fail("socketpair: %s", strerror(errno));
	close(pair[1]);
	netlink_none = pair[0];
}

static struct netlink *
netlink_by_id(uint32_t id)
{
	struct netlink	*nl;

	TAILQ_FOREACH(nl, &sockets, entry)
		if (nl->id == id)
			return (nl);
	return (NULL);
}

static struct netlink *
netlink_by_port(uint32_t port)
{
	struct netlink	*nl;

	TAILQ_FOREACH(nl, &sockets, entry)
		if (nl->port == port)
			return (nl);
	return (NULL);
}

static uint64_t
netlink_cookie(int fd)
{
	socklen_t	 len = sizeof(uint64_t);
	uint64_t	 cookie;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == -1)
		return (0);
	return (cookie);
}

/* The one that a descriptor of the caller is, or NULL. */
static struct netlink *
netlink_find(const struct request *rq)
{
	struct netlink	*nl;
	uint64_t	 cookie;
	int		 fd;

	if (TAILQ_EMPTY(&sockets))
		return (NULL);
	fd = task_fd(rq->notif.pid, (int)rq->notif.data.args[rq->call->fd]);
	if (fd == -1)
		return (NULL);
	cookie = netlink_cookie(fd);
	close(fd);
	if (cookie == 0)
		return (NULL);
	TAILQ_FOREACH(nl, &sockets, entry)
		if (nl->cookie == cookie)
			return (nl);
	return (NULL);
}

static void
netlink_free(struct netlink *nl)
{
	TAILQ_REMOVE(&sockets, nl, entry);
	nsockets--;
	free(nl);
}

/* Of a socket that is served here. */
static void
netlink_closed(uint32_t id)
{
	struct netlink	*nl;

	if ((nl = netlink_by_id(id)) != NULL)
		netlink_free(nl);
}

/* The process's id if that is free. */
static uint32_t
netlink_choose(const struct request *rq)
{
	uint32_t	 port;
	pid_t		 pid;

	if ((pid = tree_tgid(rq->notif.pid)) > 0 &&
	    netlink_by_port(pid) == NULL)
		return (pid);
	do {
		port = PORT_CHOSEN +
		    arc4random_uniform(PORT_LAST - PORT_CHOSEN);
	} while (netlink_by_port(port) != NULL);
	return (port);
}

static struct netlink *
netlink_new(const struct request *rq)
{
	struct netlink	*nl;
	int		 type = (int)rq->notif.data.args[1];

	if (nsockets >= ROUTE_MAX) {
		errno = ENFILE;
		return (NULL);
	}
	if ((nl = calloc(1, sizeof(*nl))) == NULL)
		return (NULL);
	nl->port = netlink_choose(rq);
	nl->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	nl->cloexec = (type & SOCK_CLOEXEC) != 0;
	TAILQ_INSERT_TAIL(&sockets, nl, entry);
	nsockets++;
	return (nl);
}

/* Here is the workload's end. */
static void
netlink_give(const struct request *rq, struct netlink *nl, int fd)
{
	if ((nl->cookie = netlink_cookie(fd)) != 0) {
		/* If nobody gets it, that is the end of it. */
		notify_give(rq, fd, nl->cloexec);
		return;
	}
	notify_errno(rq, ENFILE);
	close(fd);
}

static void
netlink_here(struct request *rq, struct netlink *nl, int nonblock)
{
	int	 fd;

	do {
		nl->id = ++netlink_last;
	} while (route_exists(nl->id));
	if (route_open(nl->id, nl->port, nonblock, sup.conf.way_out, &fd,
	    netlink_closed) == -1) {
		notify_errno(rq, errno);
		netlink_free(nl);
		return;
	}
	netlink_give(rq, nl, fd);
}

static void
netlink_ask(struct request *rq, struct netlink *nl, int nonblock)
{
	struct proto_route	 pr;
	struct request		*waiting;

	if ((waiting = request_park(rq, OWNER_NETD)) == NULL) {
		netlink_free(nl);
		return;
	}
	memset(&pr, 0, sizeof(pr));
	pr.port = nl->port;
	pr.nonblock = nonblock;
	pr.out = sup.conf.way_out;
	nl->id = waiting->seq;
	if (proto_send_route(&sup.netd.ibuf, IMSG_NET_ROUTE, waiting->seq,
	    &pr) == -1) {
		log_warn("netd");
		netlink_free(nl);
		request_done(waiting, ENOMEM);
		return;
	}
	imsg_event_add(&sup.netd);
}

/* What the filter sends of socket(2). */
void
netlink_socket(struct request *rq)
{
	struct netlink	*nl;
	int		 type = (int)rq->notif.data.args[1];

	if ((int)rq->notif.data.args[0] != AF_NETLINK) {
		notify_share(rq, netlink_none, (type & SOCK_CLOEXEC) != 0);
		return;
	}
	if ((nl = netlink_new(rq)) == NULL)
		notify_errno(rq, errno);
	else if (sup.have_netd)
		netlink_ask(rq, nl, (type & SOCK_NONBLOCK) != 0);
	else
		netlink_here(rq, nl, (type & SOCK_NONBLOCK) != 0);
}

/* netd has made one, or could not. */
void
netlink_made(struct imsg *imsg)
{
	struct netlink	*nl;
	struct request	*rq;
	int		 error, fd;

	if (proto_recv_value(imsg, &error) == -1 || error < 0 || error > 4095)
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	fd = imsg_get_fd(imsg);
	nl = netlink_by_id(imsg_get_id(imsg));
	rq = request_find(imsg_get_id(imsg));
	if (nl == NULL || nl->cookie != 0 ||
	    (rq != NULL && (rq->owner != OWNER_NETD ||
	    rq->call->class != CLASS_SOCKET)))
		fatalx("%s out of place", proto_name(imsg_get_type(imsg)));
	/* There may have been no room for the descriptor here. */
	if (fd == -1 && error == 0)
		error = EMFILE;
	if (rq != NULL && error == 0)
		netlink_give(rq, nl, fd);
	else if (fd != -1)
		close(fd);
	if (rq != NULL && error != 0)
		notify_errno(rq, error);
	if (error != 0)
		netlink_free(nl);
	if (rq != NULL)
		request_forget(rq);
}

/* netd has seen the last descriptor of one go. */
void
netlink_gone(struct imsg *imsg)
{
	int	 unused;

	if (proto_recv_value(imsg, &unused) == -1 ||
	    imsg_get_fd(imsg) != -1)
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	/* It has none if its descriptor did not get here. */
	netlink_closed(imsg_get_id(imsg));
}

/*
 * See to it that what was asked so far is answered, and set the port id for
 * what comes; only then the call goes on.
 */
static void
netlink_settle(struct request *rq, const struct netlink *nl)
{
	struct proto_route	 pr;
	struct request		*waiting;
	uint32_t		 id = nl->id, port = nl->port;

	if (!sup.have_netd) {
		/* That may be its end. */
		route_serve(id);
		route_set_port(id, port);
		netlink_settled(rq, 0);
		return;
	}
	if ((waiting = request_park(rq, OWNER_NETD)) == NULL)
		return;
	memset(&pr, 0, sizeof(pr));
	pr.socket = id;
	pr.port = port;
	if (proto_send_route(&sup.netd.ibuf, IMSG_NET_ROUTE_PORT,
	    waiting->seq, &pr) == -1) {
		log_warn("netd");
		request_done(waiting, ENOMEM);
		return;
	}
	imsg_event_add(&sup.netd);
}

/* netd has done it, or this process; a bind is over, a receive goes on. */
void
netlink_settled(const struct request *rq, int error)
{
	if (rq->call->class == CLASS_RECV && error == 0)
		/* See above: whatever the descriptor is, it may be read. */
		notify_continue(rq);
	else
		notify_errno(rq, error);
}

/* As the kernel does for any user. */
static void
netlink_bind(struct request *rq, struct netlink *nl)
{
	const __u64		*args = rq->notif.data.args;
	struct sockaddr_nl	 snl;
	int			 len = (int)args[rq->call->addrlen];

	if (len < (int)sizeof(snl)) {
		notify_errno(rq, EINVAL);
		return;
	}
	if (memory_read(rq->notif.pid, args[rq->call->addr], &snl,
	    sizeof(snl)) == -1) {
		notify_errno(rq, errno);
		return;
	}
	if (!notify_valid(rq)) {
		notify_errno(rq, EINTR);
		return;
	}
	if (snl.nl_family != AF_NETLINK ||
	    (nl->bound && snl.nl_pid != nl->port)) {
		notify_errno(rq, EINVAL);
		return;
	}
	nl->groups = snl.nl_groups;
	if (snl.nl_pid != 0 && snl.nl_pid != nl->port) {
		if (netlink_by_port(snl.nl_pid) != NULL) {
			notify_errno(rq, EADDRINUSE);
			return;
		}
		nl->bound = 1;
		nl->port = snl.nl_pid;
		netlink_settle(rq, nl);
		return;
	}
	nl->bound = 1;
	notify_errno(rq, 0);
}

/* What is sent without an address goes to the kernel, now as before. */
static void
netlink_connect(struct request *rq, struct netlink *nl)
{
	const struct sockaddr_nl	*snl;
	struct proto_connect		 pc;
	int				 error;

	snl = (const struct sockaddr_nl *)&pc.addr;
	if ((error = socket_address(rq, &pc)) != 0)
		;
	else if (!notify_valid(rq))
		error = EINTR;
	else if (pc.addrlen < sizeof(snl->nl_family))
		error = EINVAL;
	else if (snl->nl_family == AF_UNSPEC)
		;
	else if (snl->nl_family != AF_NETLINK || pc.addrlen < sizeof(*snl))
		error = EINVAL;
	else if (snl->nl_pid != 0 || snl->nl_groups != 0)
		error = EPERM;
	else
		nl->bound = 1;
	notify_errno(rq, error);
}

/* A value of ours into a buffer whose size is in memory, too; an errno. */
static int
netlink_store(const struct request *rq, uint64_t addr, uint64_t lenaddr,
    const void *data, int size, int full)
{
	int	 len;

	if (memory_read(rq->notif.pid, lenaddr, &len, sizeof(len)) == -1)
		return (errno);
	if (len < 0)
		return (EINVAL);
	if (len > size)
		len = size;
	if (!notify_valid(rq))
		return (EINTR);
	if (memory_write(rq->notif.pid, addr, data, len) == -1)
		return (errno);
	/* An address tells how long it is, an option how much there was. */
	if (full)
		len = size;
	if (memory_write(rq->notif.pid, lenaddr, &len, sizeof(len)) == -1)
		return (errno);
	return (0);
}

/* getsockname(2); the other end is the kernel. */
static void
netlink_name(struct request *rq, const struct netlink *nl)
{
	const __u64		*args = rq->notif.data.args;
	struct sockaddr_nl	 snl;

	memset(&snl, 0, sizeof(snl));
	snl.nl_family = AF_NETLINK;
	if (rq->call->nr == SYS_getsockname) {
		snl.nl_pid = nl->port;
		snl.nl_groups = nl->groups;
	}
	notify_errno(rq, netlink_store(rq, args[rq->call->addr],
	    args[rq->call->addrlen], &snl, sizeof(snl), 1));
}

/* Joining a group that is silent, and switches of what is never sent. */
static int
netlink_set_option(const struct request *rq)
{
	const __u64	*args = rq->notif.data.args;
	int		 value;

	if ((int)args[4] < (int)sizeof(value))
		return (EINVAL);
	if (memory_read(rq->notif.pid, args[3], &value, sizeof(value)) == -1)
		return (errno);
	switch ((int)args[2]) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return (value <= 0 || value > 1024 ? EINVAL : 0);
	case NETLINK_LISTEN_ALL_NSID:
		return (EPERM);
	case NETLINK_PKTINFO:
	case NETLINK_BROADCAST_ERROR:
	case NETLINK_NO_ENOBUFS:
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		return (0);
	}
	return (ENOPROTOOPT);
}

static int
netlink_get_option(const struct request *rq, const struct netlink *nl)
{
	const __u64	*args = rq->notif.data.args;
	int		 value = 0;

	if ((int)args[1] == SOL_SOCKET) {
		if ((int)args[2] == SO_DOMAIN)
			value = AF_NETLINK;
		else if ((int)args[2] == SO_TYPE)
			value = nl->type;
		else
			value = NETLINK_ROUTE;
	} else if ((int)args[2] == NETLINK_LIST_MEMBERSHIPS ||
	    (int)args[2] < NETLINK_PKTINFO ||
	    (int)args[2] > NETLINK_GET_STRICT_CHK)
		return (ENOPROTOOPT);
	return (netlink_store(rq, args[3], args[4], &value, sizeof(value), 0));
}

/* Options that the filter sends here. */
void
netlink_option(struct request *rq)
{
	struct netlink	*nl;

	if ((nl = netlink_find(rq)) == NULL)
		/* See above: no option makes it another socket. */
		notify_continue(rq);
	else if (rq->call->nr == SYS_setsockopt)
		notify_errno(rq, netlink_set_option(rq));
	else
		notify_errno(rq, netlink_get_option(rq, nl));
}

/* Whether the filter sent it here for our sake only. */
static int
netlink_only(const struct request *rq)
{
	const struct filter_conf	*fc = &sup.conf.filter;

	switch (rq->call->class) {
	case CLASS_BIND:
		return (!fc->bind && !fc->view && !mounted_active());
	case CLASS_SOCKNAME:
		return (!fc->remap);
	default:
		return (rq->call->nr == SYS_recvfrom &&
		    rq->notif.data.args[rq->call->addr] == 0);
	}
}

/*
 * Whether a call is on a socket of ours, and so answered; others may want to
 * know of it otherwise.
 */
int
netlink_request(struct request *rq)
{
	struct netlink	*nl;

	switch (rq->call->class) {
	case CLASS_BIND:
	case CLASS_CONNECT:
	case CLASS_SOCKNAME:
		break;
	case CLASS_RECV:
		if (netlink_only(rq))
			break;
		return (0);
	default:
		return (0);
	}
	if ((nl = netlink_find(rq)) == NULL) {
		if (!netlink_only(rq))
			return (0);
		/*
		 * Landlock judges ports and names, and the filter which sockets
		 * there are; of the others see above.
		 */
		notify_continue(rq);
	} else if (rq->call->class == CLASS_BIND)
		netlink_bind(rq, nl);
	else if (rq->call->class == CLASS_CONNECT)
		netlink_connect(rq, nl);
	else if (rq->call->class == CLASS_SOCKNAME)
		netlink_name(rq, nl);
	else
		netlink_settle(rq, nl);
	return (1);
}
