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
 * sendfile(2), copy_file_range(2) and splice(2) into a file, with a quota: from
 * a file by way of a buffer.  A call may do less than it was asked for, so each
 * does one buffer's worth.
 *
 * From a pipe nothing is taken here.  Whoever splices into it holds it for as
 * long as the other end has nothing to give, and no signal ends the wait for
 * that.  Programs read from it and write then.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

#define COPY_BUFSIZE	(1024 * 1024)

static char	 buf[COPY_BUFSIZE] __attribute__((__aligned__(4096)));

struct copying {
	struct target	 to;
	int		 from;
	struct stat	 from_st;
	uint64_t	 from_off;	/* address of the offset, or 0 */
	uint64_t	 to_off;
	off_t		 in;
	off_t		 out;
	size_t		 len;
	int		 flags;
};

/* Where to begin: at the offset in memory, or where the descriptor is. */
static int
copy_offset(const struct request *rq, int fd, uint64_t addr, off_t *at)
{
	if (addr != 0) {
		if (memory_read(rq->notif.pid, addr, at, sizeof(*at)) == -1)
			return (errno);
		return (*at < 0 ? EINVAL : 0);
	}
	return ((*at = lseek(fd, 0, SEEK_CUR)) == -1 ? errno : 0);
}

/* And where the next one is to. */
static int
copy_advance(const struct request *rq, int fd, uint64_t addr, off_t at)
{
	if (addr == 0)
		return (lseek(fd, at, SEEK_SET) == -1 ? errno : 0);
	if (!notify_valid(rq))
		return (EINTR);		/* nobody waits any more */
	return (memory_write(rq->notif.pid, addr, &at, sizeof(at)) == -1 ?
	    errno : 0);
}

static int
copy_arguments(const struct request *rq, struct copying *c)
{
	const __u64	*args = rq->notif.data.args;
	int		 from;

	if (rq->call->nr == SYS_sendfile) {
		from = (int)args[1];
		c->from_off = args[2];
		c->len = args[3];
	} else {
		from = (int)args[0];
		c->from_off = args[1];
		c->to_off = args[3];
		c->len = args[4];
		c->flags = (int)args[5];
	}
	if (c->len > COPY_BUFSIZE)
		c->len = COPY_BUFSIZE;
	if ((c->from = task_fd(rq->notif.pid, from)) == -1 ||
	    fstat(c->from, &c->from_st) == -1)
		return (errno);
	return (copy_offset(rq, c->to.fd, c->to_off, &c->out));
}

/* What the kernel would refuse. */
static int
copy_check(const struct request *rq, const struct copying *c)
{
	if (S_ISDIR(c->from_st.st_mode))
		return (EISDIR);
	/* It might block, or tell us what it would not tell the caller. */
	if (!S_ISREG(c->from_st.st_mode) || !target_holds(c->from))
		return (EINVAL);	/* programs read it */
	if (rq->call->nr == SYS_sendfile)
		return (c->to.append ? EINVAL : 0);
	if (c->flags != 0)
		return (EINVAL);
	return (c->to.append ? EBADF : 0);
}

/* Within one file, when it is known where to begin; up to its end. */
static int
copy_overlaps(const struct request *rq, const struct copying *c)
{
	off_t	 len = c->len;

	if (rq->call->nr == SYS_sendfile ||
	    c->from_st.st_dev != c->to.st.st_dev ||
	    c->from_st.st_ino != c->to.st.st_ino)
		return (0);
	if (c->in >= c->from_st.st_size)
		return (0);
	if (len > c->from_st.st_size - c->in)
		len = c->from_st.st_size - c->in;
	/* What does not fit into a number the kernel refuses, too. */
	if (c->out > INT64_MAX - len)
		return (EOVERFLOW);
	return (c->in < c->out + len && c->out < c->in + len ? EINVAL : 0);
}

static void
copy_file(struct request *rq, struct copying *c)
{
	ssize_t	 n;
	int	 error;

	if ((error = copy_check(rq, c)) != 0 || (error = copy_offset(rq,
	    c->from, c->from_off, &c->in)) != 0 ||
	    (error = copy_overlaps(rq, c)) != 0) {
		notify_errno(rq, error);
		return;
	}
	if ((n = pread(c->from, buf, c->len, c->in)) > 0) {
		n = target_write(&c->to, buf, n, &c->out, 0);
		if (n == 0) {
			quota_full(rq);
			return;
		}
	}
	if (n == -1)
		error = errno;
	else if (n > 0 && ((error = copy_advance(rq, c->from, c->from_off,
	    c->in + n)) != 0 || (error = copy_advance(rq, c->to.fd, c->to_off,
	    c->out)) != 0))
		n = -1;
	if (n == -1)
		notify_errno(rq, error);
	else
		notify_value(rq, n);
}

void
copy_request(struct request *rq)
{
	struct copying	 c;
	int		 error;

	memset(&c, 0, sizeof(c));
	c.from = -1;
	if ((error = target_get(rq, (int)rq->notif.data.args[rq->call->fd],
	    &c.to)) != 0)
		notify_errno(rq, error);
	else if (!c.to.regular)
		/*
		 * A pipe, a socket or the like.  Should it be a file by the
		 * time, the kernel writes nothing: its size is limited to 0.
		 */
		notify_continue(rq);
	else if (rq->call->nr == SYS_splice)
		notify_errno(rq, EINVAL);
	else if ((error = copy_arguments(rq, &c)) != 0)
		notify_errno(rq, error);
	else if (!notify_valid(rq))
		;	/* nobody waits */
	else
		copy_file(rq, &c);
	if (c.from != -1)
		close(c.from);
	if (c.to.fd != -1)
		close(c.to.fd);
}
