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
 * The serving end of route netlink sockets.  Datagrams of the workload are read
 * when there is room for the answer, so that one who asks and does not listen
 * costs nothing but a full socket of his own; nothing is kept between requests.
 * Descriptors that come along are not taken.
 *
 * netd has them where it runs, otherwise the supervisor; neither has more
 * rights by it than to make the pair.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <event.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "route.h"
#include "rtnl.h"

#define ROUTE_TURN	8	/* datagrams before others have their turn */
#define ROUTE_NAMES	16	/* tries to find a free one */

struct route {
	TAILQ_ENTRY(route)	 entry;
	uint32_t		 id;
	uint32_t		 port;
	int			 out;
	int			 fd;
	struct event		 read;
	struct event		 write;
	void			(*gone)(uint32_t);
};

static TAILQ_HEAD(, route)	 route_all = TAILQ_HEAD_INITIALIZER(route_all);
static size_t			 route_count;

/*
 * The name that a reader finds as the sender's: as a sockaddr_nl it is that of
 * the kernel, port id 0, but for its family and padding.  Nobody can connect to
 * it, and names that are taken differ in what nobody looks at.
 */
static int
route_name(int fd)
{
	struct {
		sa_family_t	 family;
		uint8_t		 pad[2];
		uint32_t	 port;
		uint32_t	 groups;
	} nl;
	struct sockaddr_un	 sun;
	int			 i;

	memset(&nl, 0, sizeof(nl));
	nl.family = AF_UNIX;
	for (i = 0; i < ROUTE_NAMES; i++) {
		/* A path begins otherwise than with a NUL. */
		nl.pad[1] = arc4random_uniform(256);
		/* Somebody may have taken them all. */
		if (i > ROUTE_NAMES / 2)
			nl.groups = arc4random();
		memset(&sun, 0, sizeof(sun));
		memcpy(&sun, &nl, sizeof(nl));
		if (bind(fd, (struct sockaddr *)&sun, sizeof(nl)) == 0)
			return (0);
		if (errno != EADDRINUSE)
			return (-1);
	}
	return (-1);
}

static void
route_close(struct route *r)
{
	r->gone(r->id);
	event_del(&r->read);
	event_del(&r->write);
	close(r->fd);
	TAILQ_REMOVE(&route_all, r, entry);
	route_count--;
	free(r);
}

/* Answers that find no room are lost, as those of the kernel would be. */
static void
route_answer(struct route *r, const uint8_t *buf, size_t len)
{
	static uint8_t		 answer[RTNL_ANSWER_MAX];
	struct rtnl_cursor	 c = { .next = buf, .left = len };
	struct iovec		 iov;
	struct msghdr		 msg;
	ssize_t			 n;

	while ((n = rtnl_answer(&c, r->port, r->out, answer,
	    sizeof(answer))) != -1) {
		if (n == 0)
			continue;
		iov.iov_base = answer;
		iov.iov_len = n;
		memset(&msg, 0, sizeof(msg));
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		if (sendmsg(r->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
			break;
	}
}

/* One datagram; 0 when there is none now, -1 when there will be none. */
static int
route_take(struct route *r, struct pollfd *pfd)
{
	static uint8_t	 buf[RTNL_REQUEST_MAX];
	struct iovec	 iov = { buf, sizeof(buf) };
	struct msghdr	 msg;
	ssize_t		 n;

	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	n = recvmsg(r->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return (errno == EAGAIN || errno == EINTR ? 0 : -1);
	/* An empty datagram is no end. */
	if (n == 0)
		return ((pfd->revents & (POLLHUP | POLLRDHUP)) == 0 ? 1 : -1);
	route_answer(r, buf, n);
	return (1);
}

/* A turn of some datagrams, and then what there is to wait for. */
static void
route_turn(struct route *r)
{
	struct pollfd	 pfd = { .fd = r->fd,
			    .events = POLLIN | POLLOUT | POLLRDHUP };
	int		 i, n;

	for (i = 0; i < ROUTE_TURN; i++) {
		if (poll(&pfd, 1, 0) == -1)
			break;
		if ((pfd.revents & (POLLIN | POLLHUP | POLLRDHUP |
		    POLLERR)) == 0)
			break;
		if ((pfd.revents & (POLLOUT | POLLHUP | POLLERR)) == 0) {
			event_del(&r->read);
			event_add(&r->write, NULL);
			return;
		}
		if ((n = route_take(r, &pfd)) == -1) {
			route_close(r);
			return;
		}
		if (n == 0)
			break;
	}
	event_add(&r->read, NULL);
}

static void
route_event(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	route_turn(arg);
}

int
route_open(uint32_t id, uint32_t port, int nonblock, int out, int *client,
    void (*gone)(uint32_t))
{
	struct route	*r;
	int		 error, pair[2];

	if (route_count >= ROUTE_MAX) {
		errno = ENFILE;
		return (-1);
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (-1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
	    (nonblock ? SOCK_NONBLOCK : 0), 0, pair) == -1) {
		error = errno;
		free(r);
		errno = error;
		return (-1);
	}
	r->id = id;
	r->port = port;
	r->out = out;
	r->fd = pair[0];
	r->gone = gone;
	event_set(&r->read, r->fd, EV_READ, route_event, r);
	event_set(&r->write, r->fd, EV_WRITE, route_event, r);
	if (route_name(r->fd) == -1 || event_add(&r->read, NULL) == -1) {
		error = errno == 0 ? ENOMEM : errno;
		close(pair[0]);
		close(pair[1]);
		free(r);
		errno = error;
		return (-1);
	}
	TAILQ_INSERT_TAIL(&route_all, r, entry);
	route_count++;
	*client = pair[1];
	return (0);
}

static struct route *
route_find(uint32_t id)
{
	struct route	*r;

	TAILQ_FOREACH(r, &route_all, entry)
		if (r->id == id)
			return (r);
	return (NULL);
}

int
route_exists(uint32_t id)
{
	return (route_find(id) != NULL);
}

void
route_serve(uint32_t id)
{
	struct route	*r;

	if ((r = route_find(id)) != NULL)
		route_turn(r);
}

void
route_set_port(uint32_t id, uint32_t port)
{
	struct route	*r;

	if ((r = route_find(id)) != NULL)
		r->port = port;
}
