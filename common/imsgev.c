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
 * The glue between imsg channels and libevent; nothing else touches libevent
 * for channels.
 */

#include <sys/types.h>

#include <stdlib.h>
#include <unistd.h>

#include "imsgev.h"
#include "log.h"

static void
event_log(int severity, const char *msg)
{
	if (severity >= EVENT_LOG_WARN)
		log_warnx("libevent: %s", msg);
}

/* libevent would call exit(3). */
static void
event_fatal(int error)
{
	fatalx("libevent: failed (%d)", error);
}

/*
 * An event loop for a program that has just been exec'd.  It waits with
 * poll(2): whoever is woken out of that runs at once where its waker did, as
 * the kernel was asked to (SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP), while epoll(7)
 * drops the hint and has another, idle processor started first.  Of descriptors
 * there are few.
 */
void
imsg_event_base(void)
{
	const char	*name = "EVENT_NOEPOLL";
	int		 set = getenv(name) != NULL;

	event_set_log_callback(event_log);
	event_set_fatal_callback(event_fatal);
	if (!set && setenv(name, "1", 1) == -1)
		fatal("setenv");
	if (event_init() == NULL)
		fatalx("event_init failed");
	/* The workload's environment is the user's own. */
	if (!set)
		unsetenv(name);
}

int
imsg_event_init(struct imsgev *iev, int fd, void (*handler)(int, short, void *))
{
	if (imsgbuf_init(&iev->ibuf, fd) == -1)
		return (-1);
	imsgbuf_allow_fdpass(&iev->ibuf);
	iev->handler = handler;
	iev->events = EV_READ | EV_PERSIST;
	event_set(&iev->ev, fd, iev->events, iev->handler, iev);
	if (event_add(&iev->ev, NULL) == -1)
		return (-1);
	return (0);
}

/*
 * Persistent events: a channel on the hot path is touched only when its queue
 * starts or ends.
 */
void
imsg_event_add(struct imsgev *iev)
{
	short	 events = EV_READ | EV_PERSIST;

	if (imsgbuf_queuelen(&iev->ibuf) > 0 &&
	    imsgbuf_write(&iev->ibuf) == -1)
		log_debug("channel write failed; its end will be read");
	if (imsgbuf_queuelen(&iev->ibuf) > 0)
		events |= EV_WRITE;
	if (events == iev->events)
		return;
	event_del(&iev->ev);
	iev->events = events;
	event_set(&iev->ev, iev->ibuf.fd, iev->events, iev->handler, iev);
	if (event_add(&iev->ev, NULL) == -1)
		fatalx("event_add on a channel failed");
}

int
imsg_compose_event(struct imsgev *iev, uint32_t type, uint32_t id, pid_t pid,
    int fd, const void *data, size_t len)
{
	int	 ret;

	if ((ret = imsg_compose(&iev->ibuf, type, id, pid, fd, data,
	    len)) != -1)
		imsg_event_add(iev);
	return (ret);
}

int
imsg_forward_event(struct imsgev *iev, struct imsg *imsg)
{
	int	 ret;

	if ((ret = imsg_forward(&iev->ibuf, imsg)) != -1)
		imsg_event_add(iev);
	return (ret);
}

void
imsg_event_close(struct imsgev *iev)
{
	if (iev->ibuf.fd == -1)
		return;
	event_del(&iev->ev);
	imsgbuf_clear(&iev->ibuf);
	close(iev->ibuf.fd);
	iev->ibuf.fd = -1;
}
