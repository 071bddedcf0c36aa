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
 * sendto(2), sendmsg(2) and sendmmsg(2) on behalf of the workload, where they
 * may name where the data goes.
 *
 * A datagram with an internet address goes to netd, which judges it and sends
 * it.  For one to a socket in the file system cowd says whether its inode may
 * be sent to; the datagram then goes to the inode and to no name.  All else
 * has its destination already, or one that Landlock knows, and is sent here
 * on a duplicate of the socket: the descriptor that the caller named may be
 * another one by then, so that no call is let through.
 *
 * Nothing here blocks.  A call that would is tried again when the socket is
 * ready, until its time is over, a signal comes or the caller is gone.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ancillary.h"
#include "log.h"
#include "supervisor.h"
#include "tree.h"

#ifndef MSG_CMSG_COMPAT
#define MSG_CMSG_COMPAT		0x80000000U
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY		0x4000000
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY		60
#endif

#define SEND_BUFSIZE		(256 * 1024)
#define SEND_TURN		(4 * 1024 * 1024)	/* then others */
#define SEND_DATAGRAM_MAX	(8 * 1024 * 1024)	/* of a local socket */
#define SEND_MANY_MAX		1024			/* as the kernel */
#define SEND_TICK_MS		50	/* look for signals, and again */
#define SEND_DELAY_MIN_MS	1

/* What we pass on; without MSG_FASTOPEN, which connects. */
#define SEND_FLAGS	(MSG_CONFIRM | MSG_DONTROUTE | MSG_EOR | MSG_MORE | \
			MSG_OOB | MSG_PROXY)

/* In place of an errno: somebody will go on with it. */
#define SEND_PARKED	(-1)

struct sending {
	struct message	 m;		/* the one that is being sent */
	int		 loaded;
	int		 fd;		/* a duplicate of the workload's */
	int		 domain;
	int		 type;
	int		 protocol;
	int		 flags;		/* as given */
	int		 many;		/* sendmmsg */
	uint64_t	 vector;	/* of it, in the caller */
	unsigned int	 max;
	unsigned int	 count;		/* sent */
	int		 inode;		/* where it goes; -1: no such place */
	int		 judged;	/* by cowd */
	int		 waited;
	struct timespec	 deadline;
	int		 has_deadline;
	int		 ready;		/* said the socket, last time */
	int		 delay_ms;
};

static void	 send_run(struct request *, struct sending *);

/* Aligned as a page; what is in it is sent before anything else is done. */
static char	 buf[SEND_BUFSIZE] __attribute__((__aligned__(4096)));

void
send_free(struct sending *s)
{
	if (s == NULL)
		return;
	message_free(&s->m);
	close(s->fd);
	if (s->inode != -1)
		close(s->inode);
	free(s);
}

/* Park the request, or let a parked one wait for another; NULL: answered. */
static struct request *
send_park(struct request *rq, struct sending *s, enum request_owner owner)
{
	struct request	*parked;

	if (rq->sending != NULL) {
		rq->owner = owner;
		return (rq);
	}
	if ((parked = request_park(rq, owner)) == NULL) {
		send_free(s);
		return (NULL);
	}
	parked->sending = s;
	return (parked);
}

/*
 * A stream whose other end is gone ends programs that have not asked for
 * another way to learn it.  The signal is there before the call returns.
 */
static void
send_pipe(const struct request *rq, const struct sending *s)
{
	pid_t	 tgid;

	if (s->type != SOCK_STREAM || (s->flags & MSG_NOSIGNAL) != 0 ||
	    (tgid = tree_tgid(rq->notif.pid)) == -1 || !notify_valid(rq))
		return;
	if (syscall(SYS_tgkill, tgid, rq->notif.pid, SIGPIPE) == -1 &&
	    errno != ESRCH)
		log_warn("SIGPIPE");
}

static void
send_finish(struct request *rq, struct sending *s, int error)
{
	uint64_t	 value = s->many ? s->count : s->m.done;

	if (error != 0 && value == 0)
		notify_errno(rq, error);
	else
		notify_value(rq, value);
	if (rq->sending != NULL)
		request_forget(rq);
	else
		send_free(s);
}

/* The socket of a path: what its name is, or NULL for all other addresses. */
static const char *
send_path(const struct sending *s)
{
	static char			 path[sizeof(struct sockaddr_un) + 1];
	const struct sockaddr_un	*sun;
	size_t				 len = s->m.name.addrlen;

	sun = (const struct sockaddr_un *)&s->m.name.addr;
	if (s->domain != AF_UNIX || s->type != SOCK_DGRAM || !s->m.named ||
	    len <= offsetof(struct sockaddr_un, sun_path) ||
	    len > sizeof(*sun) || sun->sun_family != AF_UNIX ||
	    sun->sun_path[0] == '\0')
		return (NULL);
	len -= offsetof(struct sockaddr_un, sun_path);
	memcpy(path, sun->sun_path, len);
	path[len] = '\0';
	return (path);
}

/* An address that the kernel would not look at is no address. */
static void
send_name(struct sending *s)
{
	struct message	*m = &s->m;

	if (!m->named)
		return;
	if (s->domain == AF_UNIX)
		m->named = m->name.addrlen != 0 && s->type != SOCK_SEQPACKET;
	else if (s->type == SOCK_STREAM)
		m->named = 0;
	else if (s->domain == AF_INET6 && s->protocol == IPPROTO_UDP &&
	    m->name.addrlen >= sizeof(m->name.addr.ss_family) &&
	    m->name.addr.ss_family == AF_UNSPEC)
		m->named = 0;
}

/* Copy the next message; 0 or an errno. */
static int
send_load(struct request *rq, struct sending *s)
{
	int	 error;

	if (rq->call->nr == SYS_sendto)
		error = message_sendto(rq, &s->m);
	else
		error = message_read(rq, &s->m, s->vector +
		    s->count * sizeof(struct mmsghdr));
	s->loaded = 1;
	if (error != 0)
		return (error);
	send_name(s);
	if (s->domain != AF_UNIX)
		error = ancillary_inet(s->m.control, s->m.controllen);
	else if (s->m.controllen != 0)
		error = message_rights(rq, &s->m);
	/* It has been read as a whole: was that who we think? */
	if (error == 0 && !notify_valid(rq))
		error = EINTR;
	return (error);
}

/*
 * All of a datagram, in the common buffer or in one of its own, which is then
 * the caller's to free; NULL and errno.
 */
static void *
send_datagram_data(const struct request *rq, const struct sending *s,
    size_t max)
{
	void	*data = buf;

	if (s->m.total > max) {
		errno = EMSGSIZE;
		return (NULL);
	}
	if (s->m.total > sizeof(buf) && (data = malloc(s->m.total)) == NULL) {
		errno = ENOBUFS;
		return (NULL);
	}
	if (message_copy(rq, &s->m, data, s->m.total) ==
	    (ssize_t)s->m.total)
		return (data);
	if (data != buf)
		free(data);
	errno = EFAULT;
	return (NULL);
}

/* Hand a datagram with an internet address to netd. */
static int
send_netd(struct request *rq, struct sending *s)
{
	struct proto_datagram	 pd;
	struct request		*parked;
	int			 fd;

	free(rq->object);
	rq->object = socket_object(&s->m.name);
	if (!sup.have_netd) {
		supervisor_denied(rq, EACCES, "network");
		return (EACCES);
	}
	if (s->m.controllen > PROTO_CONTROL_MAX)
		return (ENOBUFS);
	memset(&pd, 0, sizeof(pd));
	pd.data = send_datagram_data(rq, s, PROTO_DATAGRAM_MAX);
	if (pd.data == NULL)
		return (errno);
	pd.len = s->m.total;
	pd.to = s->m.name;
	pd.flags = s->flags & SEND_FLAGS;
	pd.control = s->m.control;
	pd.controllen = s->m.controllen;
	if ((fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return (ENOBUFS);
	if ((parked = send_park(rq, s, OWNER_NETD)) == NULL) {
		close(fd);
		return (SEND_PARKED);
	}
	if (proto_send_datagram(&sup.netd.ibuf, parked->seq, fd, &pd) == -1) {
		log_warn("netd");
		close(fd);
		send_finish(parked, s, ENOBUFS);
		return (SEND_PARKED);
	}
	near_ask_netd();
	return (SEND_PARKED);
}

/* Find the inode of a path, and ask cowd about it. */
static int
send_ask(struct request *rq, struct sending *s, const char *path)
{
	struct request	*parked;
	int		 fd;

	if (s->inode == -1 && (s->inode = socket_inode(rq, path)) == -1)
		return (errno);
	/* The walk began in the directory of whom the pid is now. */
	if (!notify_valid(rq))
		return (EINTR);
	free(rq->object);
	rq->object = sup.conf.filter.log_denials ? strdup(path) : NULL;
	if (!sup.have_cowd) {
		supervisor_denied(rq, EACCES, "unveil");
		return (EACCES);
	}
	if ((fd = fcntl(s->inode, F_DUPFD_CLOEXEC, 0)) == -1)
		return (ENOBUFS);
	if ((parked = send_park(rq, s, OWNER_COWD)) == NULL) {
		close(fd);
		return (SEND_PARKED);
	}
	if (proto_send_value(&sup.cowd.ibuf, IMSG_UNIX_SEND, parked->seq, fd,
	    0) == -1)
		fatal("cowd");
	near_ask_cowd();
	return (SEND_PARKED);
}

/* Send what is in a buffer, without waiting; how much, or -1 and errno. */
static ssize_t
send_data(struct sending *s, void *data, size_t len, int flags)
{
	struct sockaddr_un	 sun;
	struct iovec		 iov = { data, len };
	struct msghdr		 mh;

	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (s->inode != -1) {
		memset(&sun, 0, sizeof(sun));
		sun.sun_family = AF_UNIX;
		snprintf(sun.sun_path, sizeof(sun.sun_path),
		    "/proc/self/fd/%d", s->inode);
		mh.msg_name = &sun;
		mh.msg_namelen = sizeof(sun);
	} else if (s->m.named) {
		mh.msg_name = &s->m.name.addr;
		mh.msg_namelen = s->m.name.addrlen;
	}
	/* With the first of the data only. */
	if (s->m.done == 0) {
		mh.msg_control = s->m.control;
		mh.msg_controllen = s->m.controllen;
	}
	return (sendmsg(s->fd, &mh, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* The largest message that a local socket takes, of our memory. */
static size_t
send_datagram_max(const struct sending *s)
{
	socklen_t	 len = sizeof(int);
	int		 size;

	if (s->domain != AF_UNIX)
		return (PROTO_DATAGRAM_MAX);
	if (getsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == -1 ||
	    size < 0)
		return (0);
	return (size < SEND_DATAGRAM_MAX ? size : SEND_DATAGRAM_MAX);
}

static int
send_datagram(struct request *rq, struct sending *s)
{
	void	*data;
	ssize_t	 n;
	int	 error;

	data = send_datagram_data(rq, s, send_datagram_max(s));
	if (data == NULL)
		return (errno);
	if (!notify_valid(rq))
		return (EINTR);
	n = send_data(s, data, s->m.total, s->flags & SEND_FLAGS);
	error = errno;
	if (data != buf)
		free(data);
	if (n == -1)
		return (error);
	s->m.done = n;
	return (0);
}

/* As much as is sent in one turn; EINPROGRESS: there is more to do. */
static int
send_stream(struct request *rq, struct sending *s)
{
	uint64_t	 end = s->m.done + SEND_TURN;
	ssize_t		 done, n;
	int		 flags;

	do {
		if ((n = message_copy(rq, &s->m, buf, sizeof(buf))) == -1)
			return (errno);
		if (!notify_valid(rq))
			return (EINTR);
		/* Nothing of the first piece is sent if some is not there. */
		if (s->m.done == 0 && (size_t)n < sizeof(buf) &&
		    (uint64_t)n < s->m.total)
			return (EFAULT);
		flags = s->flags & SEND_FLAGS;
		/* What is about the end, at the end. */
		if (s->m.done + n < s->m.total)
			flags &= ~(MSG_EOR | MSG_OOB);
		if ((done = send_data(s, buf, n, flags)) == -1)
			return (errno);
		s->m.done += done;
		/* There was room, and who is asked says when there is again. */
		s->ready = 0;
		s->delay_ms = SEND_DELAY_MIN_MS;
		if (done < n)
			return (EAGAIN);
	} while (s->m.done < s->m.total && s->m.done < end);
	return (s->m.done < s->m.total ? EINPROGRESS : 0);
}

/* Whether the call may wait at all, and until when. */
static int
send_may_wait(struct sending *s)
{
	struct timespec	 now, ts;
	struct timeval	 tv;
	socklen_t	 len = sizeof(tv);
	int		 flags;

	if ((s->flags & MSG_DONTWAIT) != 0 ||
	    (flags = fcntl(s->fd, F_GETFL)) == -1 || (flags & O_NONBLOCK) != 0)
		return (0);
	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		return (0);
	if (s->waited)
		return (!s->has_deadline ||
		    timespeccmp(&now, &s->deadline, <));
	s->waited = 1;
	if (getsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len) == -1)
		return (0);
	if (timerisset(&tv)) {
		TIMEVAL_TO_TIMESPEC(&tv, &ts);
		timespecadd(&now, &ts, &s->deadline);
		s->has_deadline = 1;
	}
	return (1);
}

static int
send_option(int fd, int name)
{
	socklen_t	 len = sizeof(int);
	int		 value;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &len) == -1)
		return (-1);
	return (value);
}

/*
 * Why the other end of a local stream has gone while a call waited; the next
 * try would only say that it has.
 */
static int
send_reset(const struct sending *s)
{
	int	 error;

	if (s->domain != AF_UNIX || s->type != SOCK_STREAM)
		return (0);
	error = send_option(s->fd, SO_ERROR);
	return (error == -1 ? errno : error);
}

/* The socket is ready, or it is time to look. */
static void
send_ready(int fd, short event, void *arg)
{
	struct request	*rq = arg;
	struct sending	*s = rq->sending;
	int		 error;

	(void)fd;
	if (!notify_valid(rq)) {
		request_forget(rq);
		return;
	}
	s->ready = (event & EV_WRITE) != 0;
	/* Who takes slowly, but always something, holds no signal up. */
	if ((error = interrupt_errno(rq->notif.pid, s->has_deadline)) != 0 ||
	    (error = send_reset(s)) != 0)
		send_finish(rq, s, error);
	else
		send_run(rq, s);
}

/* What is left of the time, in milliseconds; rounded up. */
static int
send_left(const struct sending *s, int ms)
{
	struct timespec	 left, now;
	int64_t		 n;

	if (!s->has_deadline || clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		return (ms);
	if (!timespeccmp(&now, &s->deadline, <))
		return (0);
	timespecsub(&s->deadline, &now, &left);
	n = (int64_t)left.tv_sec * 1000 + left.tv_nsec / 1000000 + 1;
	return (n < ms ? (int)n : ms);
}

static void
send_arm(struct request *rq, int ms, int fd)
{
	struct timeval	 tv = { 0, ms * 1000 };

	event_set(&rq->timer, fd, fd == -1 ? 0 : EV_WRITE, send_ready, rq);
	if (event_add(&rq->timer, &tv) == -1)
		send_finish(rq, rq->sending, ENOBUFS);
}

/*
 * Wait for room.  A socket cannot tell whether there is some behind an address
 * that it is not connected to; nor is it asked again if it was ready and there
 * was none.
 */
static int
send_wait(struct request *rq, struct sending *s)
{
	struct request	*parked;
	int		 ms = SEND_TICK_MS, fd = s->fd;

	if (!send_may_wait(s))
		return (EAGAIN);
	if ((parked = send_park(rq, s, OWNER_TIMER)) == NULL)
		return (SEND_PARKED);
	if (s->ready || s->inode != -1 || (s->domain == AF_UNIX &&
	    s->m.named)) {
		ms = s->delay_ms;
		if ((s->delay_ms *= 2) > SEND_TICK_MS)
			s->delay_ms = SEND_TICK_MS;
		fd = -1;
	}
	send_arm(parked, send_left(s, ms), fd);
	return (SEND_PARKED);
}

/* Let others have their turn. */
static int
send_yield(struct request *rq, struct sending *s)
{
	struct request	*parked;

	if ((parked = send_park(rq, s, OWNER_TIMER)) != NULL)
		send_arm(parked, 0, -1);
	return (SEND_PARKED);
}

/* Send one message, or go on with it: 0, an errno or SEND_PARKED. */
static int
send_message(struct request *rq, struct sending *s)
{
	const char	*path;
	int		 error;

	if (!s->loaded && (error = send_load(rq, s)) != 0)
		return (error);
	if (s->domain != AF_UNIX && s->m.named)
		return (send_netd(rq, s));
	if (!s->judged && (path = send_path(s)) != NULL)
		return (send_ask(rq, s, path));
	error = s->type == SOCK_STREAM ? send_stream(rq, s) :
	    send_datagram(rq, s);
	if (error == EAGAIN)
		return (send_wait(rq, s));
	if (error == EINPROGRESS && s->type == SOCK_STREAM &&
	    s->m.done < s->m.total && s->m.done > 0)
		return (send_yield(rq, s));
	return (error);
}

/* Note that a message of several was sent; 1 if the next one may follow. */
static int
send_count(struct request *rq, struct sending *s, int *error)
{
	unsigned int	 len = s->m.done;
	int		 whole = s->m.done == s->m.total;

	/* netd took its time: is that still who we think? */
	if (!notify_valid(rq)) {
		*error = EINTR;
		return (0);
	}
	if (memory_write(rq->notif.pid, s->vector + s->count *
	    sizeof(struct mmsghdr) + offsetof(struct mmsghdr, msg_len), &len,
	    sizeof(len)) == -1) {
		*error = errno;
		return (0);
	}
	if (++s->count == s->max || !whole)
		return (0);
	message_free(&s->m);
	if (s->inode != -1)
		close(s->inode);
	s->inode = -1;
	s->loaded = s->judged = s->waited = s->has_deadline = s->ready = 0;
	s->delay_ms = SEND_DELAY_MIN_MS;
	return (1);
}

/* What became of a message; 1 if another one follows, else it is over. */
static int
send_next(struct request *rq, struct sending *s, int error)
{
	if (error == EPIPE && s->m.done == 0)
		send_pipe(rq, s);
	/* A part of it is a success, and the rest the caller's business. */
	if (s->m.done > 0)
		error = 0;
	if (error == 0 && s->many && send_count(rq, s, &error))
		return (1);
	send_finish(rq, s, error);
	return (0);
}

static void
send_run(struct request *rq, struct sending *s)
{
	int	 error;

	do {
		if ((error = send_message(rq, s)) == SEND_PARKED)
			return;
	} while (send_next(rq, s, error));
}

/* What netd or cowd said. */
void
send_reply(struct request *rq, int error)
{
	struct sending	*s = rq->sending;

	if (rq->owner == OWNER_COWD && error == 0)
		s->judged = 1;
	else if (error == EAGAIN && rq->owner == OWNER_NETD) {
		if ((error = send_wait(rq, s)) == SEND_PARKED ||
		    !send_next(rq, s, error))
			return;
	} else {
		if (error == 0)
			s->m.done = s->m.total;
		if (!send_next(rq, s, error))
			return;
	}
	send_run(rq, s);
}

/* Ask the socket what it is; 0, or an errno. */
static int
send_socket(struct request *rq, struct sending *s)
{
	if ((s->domain = send_option(s->fd, SO_DOMAIN)) == -1 ||
	    (s->type = send_option(s->fd, SO_TYPE)) == -1 ||
	    (s->protocol = send_option(s->fd, SO_PROTOCOL)) == -1)
		return (errno);
	if (s->domain == AF_UNIX)
		return (0);
	if ((s->domain == AF_INET || s->domain == AF_INET6) &&
	    ((s->type == SOCK_STREAM && s->protocol == IPPROTO_TCP) ||
	    (s->type == SOCK_DGRAM && (s->protocol == IPPROTO_UDP ||
	    s->protocol == (s->domain == AF_INET ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6)))))
		return (0);
	supervisor_denied(rq, EACCES, "network");
	return (EACCES);
}

/* Arguments in registers; 0, or an errno. */
static int
send_arguments(const struct request *rq, struct sending *s)
{
	const __u64	*args = rq->notif.data.args;
	int		 slot = rq->call->nr == SYS_sendmsg ? 2 : 3;

	s->flags = (int)args[slot];
	s->vector = args[1];
	if (rq->call->nr != SYS_sendto &&
	    ((unsigned int)s->flags & MSG_CMSG_COMPAT) != 0)
		return (EINVAL);
	/* By the filter, too. */
	if ((s->flags & MSG_FASTOPEN) != 0)
		return (EPERM);
	/* Pages of ours are not the caller's.  Programs then copy. */
	if ((s->flags & MSG_ZEROCOPY) != 0 &&
	    send_option(s->fd, SO_ZEROCOPY) != 0)
		return (ENOBUFS);
	if (rq->call->nr == SYS_sendmmsg) {
		s->many = 1;
		s->max = (unsigned int)args[2];
		if (s->max > SEND_MANY_MAX)
			s->max = SEND_MANY_MAX;
	}
	return (0);
}

void
send_request(struct request *rq)
{
	struct sending	*s;
	int		 error, fd;

	if ((fd = notify_descriptor(rq)) == -1)
		return;
	if (!notify_valid(rq) || (s = calloc(1, sizeof(*s))) == NULL) {
		close(fd);
		notify_errno(rq, ENOBUFS);
		return;
	}
	s->fd = fd;
	s->inode = -1;
	s->delay_ms = SEND_DELAY_MIN_MS;
	if ((error = send_socket(rq, s)) != 0 ||
	    (error = send_arguments(rq, s)) != 0 ||
	    (s->many && s->max == 0))
		send_finish(rq, s, error);
	else
		send_run(rq, s);
}
