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
 * Which sockets the workload has bound, and whether they still exist.  Called
 * by bind.c and remap.c.
 *
 * A port comes free with the last descriptor of its socket, in whatever
 * process or message that is, and netd must not be the one who keeps it.  So
 * each socket is registered with an epoll instance that nobody ever waits on:
 * that holds no reference, the kernel drops it with the open file, and
 * /proc/self/fdinfo lists those that are left.  The list is only read when
 * the answer matters.
 */

#include <sys/types.h>
#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "netd.h"
#include "worker.h"

/* Sockets at most; a program that has more is told that there is no room. */
#define BOUND_MAX	4096

static struct port_bindings	 bounds = TAILQ_HEAD_INITIALIZER(bounds);
static size_t			 nbounds;
static uint64_t			 serial;
static int			 watch_fd = -1;
static int			 info_fd = -1;

/* Open what is needed, before the files are locked away. */
void
bound_init(void)
{
	char	 name[64];

	if ((watch_fd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		worker_fail("epoll: %s", strerror(errno));
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", watch_fd);
	if ((info_fd = open(name, O_RDONLY | O_CLOEXEC)) == -1)
		worker_fail("%s: %s", name, strerror(errno));
}

static int
bound_cmp(const void *a, const void *b)
{
	uint64_t	 x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y ? -1 : x > y);
}

/* The whole list, as a text; NULL when out of memory. */
static char *
bound_read(void)
{
	char	*buf, *more;
	size_t	 len = 0, size = 4096;
	ssize_t	 n;

	if ((buf = malloc(size)) == NULL)
		return (NULL);
	/* From its beginning, which has it made afresh. */
	while ((n = pread(info_fd, buf + len, size - len - 1, len)) != 0) {
		if (n == -1)
			fatal("descriptors of the workload");
		len += n;
		if (size - len > 1024)
			continue;
		if ((more = realloc(buf, size *= 2)) == NULL) {
			free(buf);
			return (NULL);
		}
		buf = more;
	}
	buf[len] = '\0';
	return (buf);
}

/* The serials in it, sorted; how many, or -1. */
static ssize_t
bound_alive(uint64_t **serials)
{
	char	*buf, *p;
	size_t	 n = 0, size;

	if ((buf = bound_read()) == NULL)
		return (-1);
	size = 1;
	for (p = buf; (p = strstr(p, "data:")) != NULL; p++)
		size++;
	if ((*serials = calloc(size, sizeof(**serials))) == NULL) {
		free(buf);
		return (-1);
	}
	for (p = buf; (p = strstr(p, "data:")) != NULL; ) {
		p += strlen("data:");
		(*serials)[n++] = strtoull(p, NULL, 16);
	}
	free(buf);
	qsort(*serials, n, sizeof(**serials), bound_cmp);
	return (n);
}

/* Forget the sockets that are gone; 0, or -1 when out of memory. */
static int
bound_sweep(void)
{
	struct port_binding	*pb, *next;
	uint64_t		*serials;
	ssize_t			 n;

	if ((n = bound_alive(&serials)) == -1)
		return (-1);
	for (pb = TAILQ_FIRST(&bounds); pb != NULL; pb = next) {
		next = TAILQ_NEXT(pb, entry);
		if (bsearch(&pb->serial, serials, n, sizeof(*serials),
		    bound_cmp) != NULL)
			continue;
		TAILQ_REMOVE(&bounds, pb, entry);
		nbounds--;
		free(pb);
	}
	free(serials);
	return (0);
}

/*
 * Watch a socket that is about to be bound: room for its binding, which
 * bound_keep() or bound_drop() then takes.  NULL and errno; EEXIST: it is
 * watched already, so that it is bound.
 */
struct port_binding *
bound_watch(int fd)
{
	struct epoll_event	 ev;
	struct port_binding	*pb;
	int			 error;

	if (nbounds >= BOUND_MAX && (bound_sweep() == -1 ||
	    nbounds >= BOUND_MAX)) {
		errno = ENOBUFS;
		return (NULL);
	}
	if ((pb = calloc(1, sizeof(*pb))) == NULL)
		return (NULL);
	pb->serial = ++serial;
	memset(&ev, 0, sizeof(ev));
	ev.data.u64 = pb->serial;
	if (epoll_ctl(watch_fd, EPOLL_CTL_ADD, fd, &ev) == -1) {
		error = errno;
		free(pb);
		errno = error;
		return (NULL);
	}
	return (pb);
}

/* The kernel's name for a socket, which no other one ever has; or 0. */
static uint64_t
bound_cookie(int fd)
{
	socklen_t	 len = sizeof(uint64_t);
	uint64_t	 cookie;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == -1)
		return (0);
	return (cookie);
}

void
bound_keep(int fd, struct port_binding *pb)
{
	pb->cookie = bound_cookie(fd);
	TAILQ_INSERT_HEAD(&bounds, pb, entry);
	nbounds++;
}

/* The binding of a socket, or NULL. */
struct port_binding *
bound_find(int fd)
{
	struct port_binding	*pb;
	uint64_t		 cookie;

	if (TAILQ_EMPTY(&bounds) || (cookie = bound_cookie(fd)) == 0)
		return (NULL);
	TAILQ_FOREACH(pb, &bounds, entry)
		if (pb->cookie == cookie)
			break;
	return (pb);
}

void
bound_drop(int fd, struct port_binding *pb)
{
	if (epoll_ctl(watch_fd, EPOLL_CTL_DEL, fd, NULL) == -1)
		log_warn("epoll");
	free(pb);
}

/*
 * The workload's own socket that holds a port of the address: by what it
 * asked for, or by what it has.  Sockets that are gone do not count.
 */
const struct port_binding *
bound_asked(const struct port_binding *at, uint16_t port)
{
	if (port_find_asked(&bounds, at, port) == NULL)
		return (NULL);
	/* Without the list nothing is known to be there. */
	if (bound_sweep() == -1)
		return (NULL);
	return (port_find_asked(&bounds, at, port));
}

const struct port_binding *
bound_real(const struct port_binding *at, uint16_t port)
{
	if (port_find_real(&bounds, at, port) == NULL || bound_sweep() == -1)
		return (NULL);
	return (port_find_real(&bounds, at, port));
}

/* One that has some of the address and was bound to this port. */
const struct port_binding *
bound_overlaps(const struct port_binding *at, uint16_t port)
{
	struct port_binding	*pb;
	int			 swept = 0;

 again:
	TAILQ_FOREACH(pb, &bounds, entry)
		if (pb->asked == port && port_overlaps(pb, at))
			break;
	if (pb == NULL || swept)
		return (pb);
	swept = 1;
	if (bound_sweep() == -1)
		return (NULL);
	goto again;
}
