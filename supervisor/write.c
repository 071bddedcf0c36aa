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
 * write(2) and its relatives, with a quota: what is written is copied from the
 * caller's memory and written here.  A long write is done in parts, between
 * which others are served.  As on a file system that is full, a write that
 * fits in part is done in part, and one that does not is ENOSPC.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

#define WRITE_BUFSIZE	(256 * 1024)
#define WRITE_TURN	(4 * 1024 * 1024)	/* then others */
#define WRITE_MAX	0x7ffff000		/* the kernel's own */

/* Aligned, for descriptors that bypass the page cache. */
static char	 buf[WRITE_BUFSIZE] __attribute__((__aligned__(4096)));

struct writing {
	struct target	 to;
	struct iovec	*iov;		/* the caller's */
	size_t		 niov;
	struct iovec	 one;
	uint64_t	 total;
	off_t		 at;
	int		 flags;		/* RWF_* */
	int		 positioned;	/* the offset stays */
};

static int
write_vector(const struct request *rq, struct writing *w)
{
	uint64_t	 n = rq->notif.data.args[2];
	size_t		 i;

	if (n > IOV_MAX)
		return (EINVAL);
	w->niov = n;
	if ((w->iov = reallocarray(NULL, n + 1, sizeof(*w->iov))) == NULL)
		return (ENOMEM);
	if (memory_read(rq->notif.pid, rq->notif.data.args[1], w->iov,
	    n * sizeof(*w->iov)) == -1)
		return (errno);
	for (i = 0; i < n; i++) {
		if (w->iov[i].iov_len > SSIZE_MAX)
			return (EINVAL);
		w->total += w->iov[i].iov_len;
	}
	return (0);
}

/* Take the arguments apart; 0 or an errno. */
static int
write_arguments(const struct request *rq, struct writing *w)
{
	const __u64	*args = rq->notif.data.args;
	int		 error;

	switch (rq->call->nr) {
	case SYS_pwrite64:
		w->positioned = 1;
		/* FALLTHROUGH */
	case SYS_write:
		w->one.iov_base = (void *)(uintptr_t)args[1];
		w->one.iov_len = args[2];
		w->iov = &w->one;
		w->niov = 1;
		w->total = args[2];
		break;
	case SYS_pwritev2:
		w->flags = (int)args[5];
		/* FALLTHROUGH */
	case SYS_pwritev:
		w->positioned = rq->call->nr == SYS_pwritev ||
		    (off_t)args[3] != -1;
		/* FALLTHROUGH */
	default:
		if ((error = write_vector(rq, w)) != 0)
			return (error);
		break;
	}
	if (w->positioned) {
		w->at = (off_t)args[3];
		if (w->at < 0)
			return (EINVAL);
		w->at += rq->done;
	} else if ((w->at = lseek(w->to.fd, 0, SEEK_CUR)) == -1)
		return (errno);
	if (w->total > WRITE_MAX)
		w->total = WRITE_MAX;
	return (0);
}

/*
 * Copy what comes after the first bytes of the vector; how many, or -1 and
 * errno.  Memory that cannot be read ends it.
 */
static ssize_t
write_copy(const struct request *rq, const struct writing *w, uint64_t skip)
{
	uint64_t	 addr, len;
	size_t		 i, n = 0, part;

	for (i = 0; i < w->niov && n < sizeof(buf); i++) {
		len = w->iov[i].iov_len;
		if (skip >= len) {
			skip -= len;
			continue;
		}
		addr = (uint64_t)(uintptr_t)w->iov[i].iov_base + skip;
		len -= skip;
		skip = 0;
		part = len < sizeof(buf) - n ? len : sizeof(buf) - n;
		if (part > w->total - rq->done - n)
			part = w->total - rq->done - n;
		if (memory_read(rq->notif.pid, addr, buf + n, part) == -1) {
			if (n == 0)
				return (-1);
			break;
		}
		n += part;
	}
	return (n);
}

/*
 * As much as is done in one turn.  1 when there is more to do, 0 at the end, or
 * -1 and errno; rq->done counts.
 */
static int
write_turn(struct request *rq, struct writing *w)
{
	uint64_t	 end = rq->done + WRITE_TURN;
	ssize_t		 n, done;

	do {
		if ((n = write_copy(rq, w, rq->done)) == -1)
			return (-1);
		if (!notify_valid(rq)) {
			errno = EINTR;
			return (-1);
		}
		done = target_write(&w->to, buf, n, &w->at, w->flags);
		if (done == -1)
			return (-1);
		if (done == 0 && n > 0) {
			errno = ENOSPC;
			return (-1);
		}
		rq->done += done;
		if (done < n || n == 0)
			return (0);
	} while (rq->done < w->total && rq->done < end);
	return (rq->done < w->total);
}

static void
write_again(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	request_again(arg);
}

/* Go on after the others had their turn. */
static void
write_yield(struct request *rq, int fd)
{
	struct timeval	 tv = { 0, 0 };
	struct request	*parked;

	rq->fd = fd;
	if ((parked = request_park(rq, OWNER_TIMER)) == NULL)
		return;
	evtimer_set(&parked->timer, write_again, parked);
	evtimer_add(&parked->timer, &tv);
}

/* When the call returns, the caller's descriptor may be the last there is. */
static void
write_close(struct writing *w)
{
	if (w->to.fd != -1)
		close(w->to.fd);
	w->to.fd = -1;
}

static void
write_file(struct request *rq, struct writing *w)
{
	int	 error, ret;

	if ((error = write_arguments(rq, w)) != 0) {
		notify_errno(rq, error);
		return;
	}
	ret = write_turn(rq, w);
	error = errno;
	if (!w->positioned && rq->done > 0 &&
	    lseek(w->to.fd, w->at, SEEK_SET) == -1)
		error = errno;
	if (ret == 1) {
		write_yield(rq, w->to.fd);
		w->to.fd = -1;
		return;
	}
	write_close(w);
	if (ret == 0 || rq->done > 0)
		notify_value(rq, rq->done);
	else if (error == ENOSPC && w->to.counted)
		quota_full(rq);
	else
		notify_errno(rq, error);
}

void
write_request(struct request *rq)
{
	struct writing	 w;
	int		 error;

	memset(&w, 0, sizeof(w));
	if (rq->fd != -1) {
		w.to.fd = rq->fd;
		rq->fd = -1;
		error = target_read(&w.to);
	} else
		error = target_get(rq, (int)rq->notif.data.args[0], &w.to);
	if (error != 0)
		notify_errno(rq, error);
	else if (!w.to.regular) {
		write_close(&w);
		/*
		 * A pipe, a socket or the like.  Should it be a file by the
		 * time, the kernel writes nothing: its size is limited to 0.
		 */
		notify_continue(rq);
	} else
		write_file(rq, &w);
	write_close(&w);
	if (w.iov != &w.one)
		free(w.iov);
}
