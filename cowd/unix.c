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
 * Connecting the workload's sockets to sockets in the file system, which
 * Landlock does not mediate.  The address is the descriptor of an inode that
 * was found below a path granted for writing; no name of the workload's is
 * looked at.
 *
 * A blocking socket may have to wait until the server's queue has room.  Such
 * a connect is parked and tried again; nothing here blocks the loop.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounded.h"
#include "cowd.h"
#include "log.h"

#define UNIX_PARKED_MAX		256
#define UNIX_DELAY_MIN		1	/* milliseconds */
#define UNIX_DELAY_MAX		50

struct unix_request {
	LIST_ENTRY(unix_request)	 entry;
	struct event			 timer;
	struct timespec			 deadline;
	int				 has_deadline;
	unsigned int			 delay;
	uint32_t			 id;
	int				 sock;
	int				 inode;
};
static LIST_HEAD(, unix_request)	 unix_parked =
    LIST_HEAD_INITIALIZER(unix_parked);
static unsigned int	 unix_nparked;

/* Between IMSG_UNIX_SOCKET and IMSG_UNIX_CONNECT. */
static int		 unix_next;		/* the latter is due */
static int		 unix_next_sock = -1;	/* -1: it was lost */
static uint32_t		 unix_next_id;

static struct unix_request *
unix_find(uint32_t id)
{
	struct unix_request	*r;

	LIST_FOREACH(r, &unix_parked, entry)
		if (r->id == id)
			return (r);
	return (NULL);
}

static void
unix_free(struct unix_request *r)
{
	LIST_REMOVE(r, entry);
	unix_nparked--;
	evtimer_del(&r->timer);
	close(r->sock);
	close(r->inode);
	free(r);
}

/*
 * One try.  The workload shares the socket's flags and may see O_NONBLOCK for
 * the length of one system call; there is no other way not to wait.  0 or an
 * errno; *blocking tells what the socket is.
 */
static int
unix_try(int sock, int inode, int *blocking)
{
	struct sockaddr_un	 sun;
	int			 error, flags;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	fd_name(inode, sun.sun_path);
	if ((flags = fcntl(sock, F_GETFL)) == -1)
		return (errno);
	*blocking = (flags & O_NONBLOCK) == 0;
	if (*blocking && fcntl(sock, F_SETFL, flags | O_NONBLOCK) == -1)
		return (errno);
	error = bounded_connect(sock, (const struct sockaddr *)&sun,
	    sizeof(sun));
	if (error == EINTR)
		error = EAGAIN;
	if (*blocking && fcntl(sock, F_SETFL, flags) == -1)
		fatal("fcntl");
	return (error);
}

/* When a blocking connect gives up; a time-out of 0 means never. */
static int
unix_deadline(struct unix_request *r)
{
	struct timespec	 ts;
	struct timeval	 tv;
	socklen_t	 len = sizeof(tv);

	if (getsockopt(r->sock, SOL_SOCKET, SO_SNDTIMEO, &tv, &len) == -1)
		return (-1);
	if (!timerisset(&tv))
		return (0);
	clock_gettime(CLOCK_MONOTONIC, &r->deadline);
	TIMEVAL_TO_TIMESPEC(&tv, &ts);
	timespecadd(&r->deadline, &ts, &r->deadline);
	r->has_deadline = 1;
	return (0);
}

/* Milliseconds until the next try; 0 when the time-out is over. */
static unsigned int
unix_delay(const struct unix_request *r)
{
	struct timespec	 left, now;
	int64_t		 ms;

	if (!r->has_deadline)
		return (r->delay);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!timespeccmp(&now, &r->deadline, <))
		return (0);
	timespecsub(&r->deadline, &now, &left);
	/* Rounded up, so that the last try is not before the end. */
	ms = (int64_t)left.tv_sec * 1000 + left.tv_nsec / 1000000 + 1;
	return (ms < r->delay ? (unsigned int)ms : r->delay);
}

static void
unix_wait(struct unix_request *r, unsigned int ms)
{
	struct timeval	 tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	evtimer_add(&r->timer, &tv);
}

static void
unix_timer(int fd, short event, void *arg)
{
	struct unix_request	*r = arg;
	unsigned int		 ms;
	int			 blocking, error;

	(void)fd;
	(void)event;
	error = unix_try(r->sock, r->inode, &blocking);
	if (error == EAGAIN && (ms = unix_delay(r)) != 0) {
		unix_wait(r, ms);
		if ((r->delay *= 2) > UNIX_DELAY_MAX)
			r->delay = UNIX_DELAY_MAX;
		return;
	}
	cowd_reply(IMSG_UNIX_REPLY, r->id, error);
	unix_free(r);
	imsg_event_add(&cowd_supervisor);
}

/*
 * Park a connect.  Both descriptors are then the request's.  0, or an errno
 * for the workload with the descriptors left to the caller.
 */
static int
unix_park(uint32_t id, int sock, int inode)
{
	struct unix_request	*r;
	int			 error;

	/* As a BSD kernel answers when the server's queue is full. */
	if (unix_nparked >= UNIX_PARKED_MAX)
		return (ECONNREFUSED);
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (errno);
	r->id = id;
	r->sock = sock;
	r->inode = inode;
	r->delay = UNIX_DELAY_MIN;
	if (unix_deadline(r) == -1) {
		error = errno;
		free(r);
		return (error);
	}
	evtimer_set(&r->timer, unix_timer, r);
	LIST_INSERT_HEAD(&unix_parked, r, entry);
	unix_nparked++;
	unix_wait(r, r->delay);
	return (0);
}

void
unix_socket(uint32_t id, int fd)
{
	if (unix_find(id) != NULL)
		fatalx("two connects with one id");
	unix_next = 1;
	unix_next_sock = fd;
	unix_next_id = id;
}

int
unix_expected(void)
{
	return (unix_next);
}

/* Only sockets that the filter lets the workload make. */
static int
unix_check(int sock)
{
	socklen_t	 len;
	int		 domain, type;

	len = sizeof(domain);
	if (getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1)
		return (errno);
	len = sizeof(type);
	if (getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		return (errno);
	if (domain != AF_UNIX || (type != SOCK_STREAM &&
	    type != SOCK_SEQPACKET && type != SOCK_DGRAM))
		return (EACCES | PROTO_DENIED);
	return (0);
}

/* The inode, reopened below a grant; an errno in *error when that is denied. */
static int
unix_inode(int fd, int *error)
{
	struct statx	 sx;
	int		 inode;

	if (inode_stat(fd, &sx) == -1) {
		*error = errno;
		return (-1);
	}
	if ((inode = grant_open(fd, &sx, PERM_WRITE | GRANT_CONNECT)) == -1) {
		*error = errno == EACCES ? EACCES | PROTO_DENIED : errno;
		return (-1);
	}
	if (!S_ISSOCK(sx.stx_mode)) {
		close(inode);
		*error = ECONNREFUSED;
		return (-1);
	}
	return (inode);
}

void
unix_connect(uint32_t id, int fd)
{
	int	 blocking, error, inode = -1, sock = unix_next_sock;

	unix_next_sock = -1;
	unix_next = 0;
	if (id != unix_next_id)
		fatalx("connect of another socket");
	/* There was no slot for one of the two. */
	if (sock == -1 || fd == -1) {
		error = EMFILE;
		goto done;
	}
	if ((error = unix_check(sock)) != 0 ||
	    (inode = unix_inode(fd, &error)) == -1)
		goto done;
	error = unix_try(sock, inode, &blocking);
	if (error == EAGAIN && blocking &&
	    (error = unix_park(id, sock, inode)) == 0)
		return;
 done:
	cowd_reply(IMSG_UNIX_REPLY, id, error);
	if (sock != -1)
		close(sock);
	if (inode != -1)
		close(inode);
}

/*
 * The supervisor sends the datagram itself, to the inode that it has: it could
 * be as large as memory, and carry descriptors.
 */
void
unix_send(uint32_t id, int fd)
{
	int	 error, inode;

	if ((inode = unix_inode(fd, &error)) != -1) {
		error = 0;
		close(inode);
	}
	cowd_reply(IMSG_UNIX_REPLY, id, error);
}

/* A reply may have crossed the cancellation: an unknown id is no error. */
void
unix_cancel(uint32_t id, int interrupted)
{
	struct unix_request	*r;

	if ((r = unix_find(id)) == NULL)
		return;
	if (interrupted)
		cowd_reply(IMSG_UNIX_REPLY, id, EINTR);
	unix_free(r);
}

void
unix_cancel_all(void)
{
	struct unix_request	*r;

	if (unix_next_sock != -1)
		close(unix_next_sock);
	unix_next_sock = -1;
	unix_next = 0;
	while ((r = LIST_FIRST(&unix_parked)) != NULL)
		unix_free(r);
}
