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
 * How long the close of a socket waits for what was not sent yet.  That is the
 * wait of whoever closes it last, and this process, cowd or netd may be who
 * does: for each holds a duplicate while it serves a call.  So no socket of
 * the workload is ever made to wait.  Not to send the rest at all is well: that
 * takes no time.
 *
 * The value is copied and set on a duplicate here, so that the workload cannot
 * change it in between.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

/* As the kernel does it: 0, or an errno. */
static int
linger_set(const struct request *rq, int fd)
{
	struct linger	 l;
	socklen_t	 len = sizeof(l);
	int		 size;

	/* What is none comes first. */
	if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len) == -1)
		return (errno);
	size = (int)rq->notif.data.args[rq->call->arg + 1];
	if (size < (int)sizeof(l))
		return (EINVAL);
	if (memory_read(rq->notif.pid, rq->notif.data.args[rq->call->arg], &l,
	    sizeof(l)) == -1)
		return (errno);
	if (!notify_valid(rq))
		return (EINTR);
	/* The close returns at once, and the kernel sends the rest later. */
	if (l.l_linger != 0)
		l.l_onoff = 0;
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == -1)
		return (errno);
	return (0);
}

void
linger_request(struct request *rq)
{
	int	 error, fd;

	if ((fd = notify_descriptor(rq)) == -1)
		return;
	error = linger_set(rq, fd);
	close(fd);
	notify_errno(rq, error);
}
