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
 * connect(2) and listen(2) on behalf of the workload, and options that netd
 * has to know of.
 *
 * The supervisor takes a duplicate of the socket, copies the address once and
 * passes both on: sockets of the network to netd, pathname unix sockets (as an
 * inode) to cowd.  Abstract unix sockets it connects itself, because only a
 * process inside the workload's domain is scoped like it.  No call is ever let
 * through: the descriptor could be another socket by then.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounded.h"
#include "log.h"
#include "portmap.h"
#include "supervisor.h"

#define ABSTRACT_DELAY_MIN_MS	1
#define ABSTRACT_DELAY_MAX_MS	50

/* The domain of a socket, or -1 and errno (ENOTSOCK). */
int
socket_domain(int fd)
{
	socklen_t	 len = sizeof(int);
	int		 domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1)
		return (-1);
	return (domain);
}

/* What the address says, for the log of denials. */
char *
socket_object(const struct proto_connect *pc)
{
	const struct sockaddr_in	*sin;
	const struct sockaddr_in6	*sin6;
	char				 host[INET6_ADDRSTRLEN], *s = NULL;

	if (!sup.conf.filter.log_denials)
		return (NULL);
	switch (pc->addr.ss_family) {
	case AF_INET:
		sin = (const struct sockaddr_in *)&pc->addr;
		if (inet_ntop(AF_INET, &sin->sin_addr, host,
		    sizeof(host)) == NULL ||
		    asprintf(&s, "%s:%u", host, ntohs(sin->sin_port)) == -1)
			return (NULL);
		break;
	case AF_INET6:
		sin6 = (const struct sockaddr_in6 *)&pc->addr;
		if (inet_ntop(AF_INET6, &sin6->sin6_addr, host,
		    sizeof(host)) == NULL ||
		    asprintf(&s, "[%s]:%u", host, ntohs(sin6->sin6_port)) == -1)
			return (NULL);
		break;
	}
	return (s);
}

/* Copy the address once; 0 or the errno of a bare call. */
int
socket_address(const struct request *rq, struct proto_connect *pc)
{
	uint64_t	 addr = rq->notif.data.args[rq->call->addr];
	int		 len = (int)rq->notif.data.args[rq->call->addrlen];

	memset(pc, 0, sizeof(*pc));
	if (len < 0 || len > (int)sizeof(pc->addr))
		return (EINVAL);
	pc->addrlen = len;
	if (memory_read(rq->notif.pid, addr, &pc->addr, len) == -1)
		return (errno);
	return (0);
}

/* Until when a call may wait that begins now, if there is a limit. */
static void
socket_limit(struct request *rq, int fd)
{
	struct timespec	 ts;
	struct timeval	 tv;
	socklen_t	 len = sizeof(tv);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len) == -1 ||
	    !timerisset(&tv) ||
	    clock_gettime(CLOCK_MONOTONIC, &rq->deadline) == -1)
		return;
	TIMEVAL_TO_TIMESPEC(&tv, &ts);
	timespecadd(&rq->deadline, &ts, &rq->deadline);
	rq->limited = 1;
}

/* Park a request that is netd's; without one the socket is gone. */
static struct request *
netd_park(struct request *rq, int fd)
{
	struct request	*waiting = NULL;

	if (!sup.have_netd) {
		supervisor_denied(rq, EACCES, "network");
		notify_errno(rq, EACCES);
	} else
		waiting = request_park(rq, OWNER_NETD);
	if (waiting == NULL)
		close(fd);
	return (waiting);
}

static void
netd_failed(struct request *waiting, int fd)
{
	log_warn("netd");
	close(fd);
	request_done(waiting, ENOMEM);
}

/* Hand a request with its socket to netd; the socket is gone after it. */
static void
netd_connect(struct request *rq, int fd, const struct proto_connect *pc)
{
	struct request	*waiting;

	if ((waiting = netd_park(rq, fd)) == NULL)
		return;
	socket_limit(waiting, fd);
	interrupt_watch(waiting);
	if (proto_send_connect(&sup.netd.ibuf, waiting->seq, fd, pc) == -1)
		netd_failed(waiting, fd);
	else if (port_here(&pc->addr))
		near_ask_netd();
	else
		imsg_event_add(&sup.netd);
}

static void
netd_value(struct request *rq, int fd, enum imsg_type type, int value)
{
	struct request	*waiting;

	if ((waiting = netd_park(rq, fd)) == NULL)
		return;
	if (proto_send_value(&sup.netd.ibuf, type, waiting->seq, fd,
	    value) == -1)
		netd_failed(waiting, fd);
	else
		imsg_event_add(&sup.netd);
}

/* The inode goes with the second message, the socket with the first. */
static void
unix_send(struct request *rq, int fd, int inode)
{
	struct request	*waiting;

	if (!sup.have_cowd) {
		close(fd);
		close(inode);
		supervisor_denied(rq, EACCES, "unveil");
		notify_errno(rq, EACCES);
		return;
	}
	if ((waiting = request_park(rq, OWNER_COWD)) == NULL) {
		close(fd);
		close(inode);
		return;
	}
	socket_limit(waiting, fd);
	interrupt_watch(waiting);
	if (proto_send_value(&sup.cowd.ibuf, IMSG_UNIX_SOCKET, waiting->seq,
	    fd, 0) == -1)
		fatal("cowd");
	if (proto_send_value(&sup.cowd.ibuf, IMSG_UNIX_CONNECT, waiting->seq,
	    inode, 0) == -1)
		fatal("cowd");
	near_ask_cowd();
}

/*
 * One try that never blocks.  The description is the workload's, too: its
 * O_NONBLOCK is put back.  Returns 0 or an errno; *again tells that the call
 * would have waited.
 */
static int
abstract_try(int fd, const struct proto_connect *pc, int *again)
{
	int	 error, flags;

	*again = 0;
	if ((flags = fcntl(fd, F_GETFL)) == -1)
		return (errno);
	if ((flags & O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return (errno);
	error = bounded_connect(fd, (const struct sockaddr *)&pc->addr,
	    pc->addrlen);
	if (error == EINTR)
		error = EAGAIN;
	if ((flags & O_NONBLOCK) == 0) {
		if (fcntl(fd, F_SETFL, flags) == -1)
			log_warn("restore O_NONBLOCK");
		*again = error == EAGAIN;
	}
	return (error);
}

/* The next try, or at the end of the time the last one. */
static void
abstract_wait(struct request *rq)
{
	struct timespec	 left, now;
	struct timeval	 tv = { 0, rq->delay_ms * 1000 };

	if (rq->limited && clock_gettime(CLOCK_MONOTONIC, &now) == 0 &&
	    timespeccmp(&now, &rq->deadline, <)) {
		timespecsub(&rq->deadline, &now, &left);
		if (left.tv_sec == 0 && left.tv_nsec < tv.tv_usec * 1000)
			tv.tv_usec = left.tv_nsec / 1000 + 1;
	}
	if ((rq->delay_ms *= 2) > ABSTRACT_DELAY_MAX_MS)
		rq->delay_ms = ABSTRACT_DELAY_MAX_MS;
	evtimer_add(&rq->timer, &tv);
}

/* Whether it is enough: 0 or an errno. */
static int
abstract_over(const struct request *rq)
{
	struct timespec	 now;

	if (rq->limited && (clock_gettime(CLOCK_MONOTONIC, &now) == -1 ||
	    !timespeccmp(&now, &rq->deadline, <)))
		return (EAGAIN);
	return (interrupt_errno(rq->notif.pid, rq->limited));
}

static void
abstract_retry(int fd, short event, void *arg)
{
	struct request	*rq = arg;
	int		 again, error;

	(void)fd;
	(void)event;
	if (!notify_valid(rq)) {
		request_forget(rq);
		return;
	}
	error = abstract_try(rq->fd, &rq->connect, &again);
	if (again && (error = abstract_over(rq)) == 0)
		abstract_wait(rq);
	else
		request_done(rq, error);
}

static void
abstract_connect(struct request *rq, int fd, const struct proto_connect *pc)
{
	struct request	*waiting;
	int		 again, error;

	error = abstract_try(fd, pc, &again);
	if (!again) {
		close(fd);
		notify_errno(rq, error);
		return;
	}
	if ((waiting = request_park(rq, OWNER_TIMER)) == NULL) {
		close(fd);
		return;
	}
	socket_limit(waiting, fd);
	waiting->fd = fd;
	waiting->connect = *pc;
	waiting->delay_ms = ABSTRACT_DELAY_MIN_MS;
	evtimer_set(&waiting->timer, abstract_retry, waiting);
	abstract_wait(waiting);
}

static int
unix_outside(const struct request *rq, const char *path)
{
	char	 name[2 * PATH_MAX];
	int	 error;

	if ((error = tmp_place(path, 1, name, sizeof(name))) != 0) {
		errno = error;
		return (-1);
	}
	return (resolve_at(rq, AT_FDCWD, name, 0));
}

/* What the kernel says of an entry that is no socket: 0 or an errno. */
static int
unix_refused(const struct merge_entry *e)
{
	char	*path;
	int	 error = ECONNREFUSED;

	if (S_ISSOCK(e->sx.stx_mode))
		return (0);
	if ((path = view_canonical(e)) == NULL || merge_access(view_merge(),
	    path, W_OK, AT_SYMLINK_NOFOLLOW) == -1)
		error = errno;
	free(path);
	return (error);
}

/* The inode of a name, in the view or outside; -1 and errno. */
int
socket_inode(const struct request *rq, const char *path)
{
	struct merge_entry	 e;
	struct place		 pl;
	int			 error, fd = -1;

	if (!view_active())
		return (resolve_at(rq, AT_FDCWD, path, 0));
	if ((error = place_find(rq, AT_FDCWD, path, 1, &pl)) == 0) {
		if (!pl.inside)
			fd = unix_outside(rq, path);
		else if ((error = place_lookup(rq, &pl, 0, &e)) == 0 &&
		    pl.inside) {
			if ((error = unix_refused(&e)) == 0)
				fd = fcntl(e.fd, F_DUPFD_CLOEXEC, 0);
			merge_entry_free(&e);
		} else if (error == 0)
			fd = unix_outside(rq, pl.path);
		if (error == 0 && fd == -1)
			error = errno;
	}
	place_free(&pl);
	if (error != 0) {
		errno = error;
		return (-1);
	}
	return (fd);
}

/* Pathname sockets by their inode; all other addresses name no file. */
static void
unix_connect(struct request *rq, int fd, const struct proto_connect *pc)
{
	const struct sockaddr_un	*sun;
	char				 path[sizeof(sun->sun_path) + 1];
	size_t				 len;
	int				 inode;

	sun = (const struct sockaddr_un *)&pc->addr;
	len = pc->addrlen;
	if (len > sizeof(*sun)) {
		close(fd);
		notify_errno(rq, EINVAL);
		return;
	}
	if (len <= offsetof(struct sockaddr_un, sun_path) ||
	    sun->sun_family != AF_UNIX || sun->sun_path[0] == '\0') {
		abstract_connect(rq, fd, pc);
		return;
	}
	len -= offsetof(struct sockaddr_un, sun_path);
	memcpy(path, sun->sun_path, len);
	path[len] = '\0';
	if ((inode = socket_inode(rq, path)) == -1) {
		notify_errno(rq, errno);
		close(fd);
		return;
	}
	if (!notify_valid(rq)) {
		/* The walk began in the directory of whom the pid is now. */
		close(fd);
		close(inode);
		return;
	}
	if (sup.conf.filter.log_denials)
		rq->object = strdup(path);
	unix_send(rq, fd, inode);
}

void
socket_connect(struct request *rq)
{
	struct proto_connect	 pc;
	int			 error, fd;

	if ((fd = notify_descriptor(rq)) == -1)
		return;
	if ((error = socket_address(rq, &pc)) != 0 || !notify_valid(rq)) {
		/* What has no file behind it comes before the address. */
		if (socket_domain(fd) == -1 && errno == EBADF)
			error = EBADF;
		close(fd);
		notify_errno(rq, error != 0 ? error : EINTR);
		return;
	}
	switch (socket_domain(fd)) {
	case AF_UNIX:
		unix_connect(rq, fd, &pc);
		break;
	case AF_INET:
	case AF_INET6:
		rq->object = socket_object(&pc);
		netd_connect(rq, fd, &pc);
		break;
	case -1:
		notify_errno(rq, errno);
		close(fd);
		break;
	default:
		close(fd);
		supervisor_denied(rq, EACCES, "network");
		notify_errno(rq, EACCES);
		break;
	}
}

void
socket_listen(struct request *rq)
{
	int	 fd;

	if ((fd = notify_descriptor(rq)) == -1)
		return;
	if (!notify_valid(rq)) {
		close(fd);
		return;
	}
	if (socket_domain(fd) == -1) {
		notify_errno(rq, errno);
		close(fd);
		return;
	}
	netd_value(rq, fd, IMSG_NET_LISTEN,
	    (int)rq->notif.data.args[rq->call->arg]);
}

/* SO_REUSEADDR and SO_REUSEPORT, of which netd has to know. */
static void
socket_reuse(struct request *rq)
{
	const __u64	*args = rq->notif.data.args;
	int		 error = 0, fd, value;

	if ((fd = notify_descriptor(rq)) == -1)
		return;
	if (socket_domain(fd) == -1)
		error = errno;
	else if ((int)args[rq->call->arg + 1] < (int)sizeof(value))
		error = EINVAL;
	else if (memory_read(rq->notif.pid, args[rq->call->arg], &value,
	    sizeof(value)) == -1)
		error = errno;
	else if (!notify_valid(rq))
		error = EINTR;
	if (error != 0) {
		close(fd);
		notify_errno(rq, error);
		return;
	}
	netd_value(rq, fd, (int)args[2] == SO_REUSEADDR ?
	    IMSG_NET_REUSEADDR : IMSG_NET_REUSEPORT, value != 0);
}

/* By which rule netd is about to refuse. */
void
socket_rule(struct imsg *imsg)
{
	struct request	*rq;
	int		 order;

	if (proto_recv_value(imsg, &order) == -1 || order < 0 ||
	    order == INT_MAX)
		fatalx("bad %s", proto_name(IMSG_NET_RULE));
	if ((rq = request_find(imsg_get_id(imsg))) == NULL)
		return;
	if (rq->owner != OWNER_NETD)
		fatalx("%s to another's request", proto_name(IMSG_NET_RULE));
	rq->net_rule = order + 1;
}

/* An answer of cowd or netd to a request above. */
void
socket_reply(struct imsg *imsg)
{
	enum request_owner	 owner;
	struct request		*rq;
	int			 error;

	if (proto_recv_value(imsg, &error) == -1)
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	if ((rq = request_find(imsg_get_id(imsg))) == NULL)
		return;
	owner = imsg_get_type(imsg) == IMSG_NET_REPLY ? OWNER_NETD :
	    OWNER_COWD;
	if (rq->owner != owner)
		fatalx("%s to another's request",
		    proto_name(imsg_get_type(imsg)));
	if (error & PROTO_DENIED) {
		error &= ~PROTO_DENIED;
		supervisor_denied(rq, error,
		    owner == OWNER_NETD ? "network" : "unveil");
	}
	if (error < 0 || error > 4095)
		fatalx("%s with errno %d", proto_name(imsg_get_type(imsg)),
		    error);
	if (rq->call->class == CLASS_RECV) {
		netlink_settled(rq, error);
		request_forget(rq);
	} else if (rq->sending != NULL)
		send_reply(rq, error);
	else if (error == EINTR && rq->interrupted != 0)
		request_done(rq, rq->interrupted);
	else
		request_done(rq, error);
}

/* The options that the filter sends here. */
void
socket_option(struct request *rq)
{
	const __u64	*args = rq->notif.data.args;

	if (rq->call->nr != SYS_setsockopt || (int)args[1] != SOL_SOCKET)
		netlink_option(rq);
	else if ((int)args[2] == SO_LINGER)
		linger_request(rq);
	else
		socket_reuse(rq);
}

/*
 * Whoever works on a parked request may stop, for its caller is dead.  With 1
 * it is one of connect(2) that a signal interrupts, which has its answer yet
 * to come.
 */
void
socket_cancel(struct request *rq, int interrupted)
{
	struct imsgev	*iev;

	switch (rq->owner) {
	case OWNER_COWD:
		iev = &sup.cowd;
		break;
	case OWNER_NETD:
		iev = &sup.netd;
		break;
	default:
		return;
	}
	if (iev->ibuf.fd == -1)
		return;
	if (proto_send_value(&iev->ibuf, IMSG_NET_CANCEL, rq->seq, -1,
	    interrupted) == -1)
		fatal("cancel");
	imsg_event_add(iev);
}
