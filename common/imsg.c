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
 * Typed messages over a stream socket.  This file owns the message header and
 * the rule which message a descriptor belongs to; buffers, queues and system
 * calls are imsg-buffer.c's.  Every program calls it for each of its channels.
 * It may never close the channel, trust a length before it has been compared
 * with the channel's limit, or close a descriptor that it did not accept.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define IMSG_FD_MARK		0x80000000U
#define IMSG_FD_LOST		-2	/* as the reader says it */
#define IMSG_ALLOW_FDPASS	0x01

static struct ibuf	*imsg_open(struct imsgbuf *, uint32_t, uint32_t,
			    uint32_t, size_t);
static struct ibuf	*imsg_read_hdr(struct ibuf *, void *, int *);
static int		 imsg_from_ibuf(struct imsg *, struct ibuf *);
static void		 imsg_set_len(struct ibuf *, size_t);

int
imsgbuf_init(struct imsgbuf *imsgbuf, int fd)
{
	imsgbuf->w = msgbuf_new_reader(IMSG_HEADER_SIZE, imsg_read_hdr,
	    imsgbuf);
	if (imsgbuf->w == NULL)
		return (-1);
	imsgbuf->pid = getpid();
	imsgbuf->maxsize = MAX_IMSGSIZE;
	imsgbuf->fd = fd;
	imsgbuf->flags = 0;
	return (0);
}

void
imsgbuf_allow_fdpass(struct imsgbuf *imsgbuf)
{
	imsgbuf->flags |= IMSG_ALLOW_FDPASS;
}

/* The limit is on the payload; it counts in both directions. */
int
imsgbuf_set_maxsize(struct imsgbuf *imsgbuf, uint32_t max)
{
	if (max > UINT32_MAX - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (-1);
	}
	max += IMSG_HEADER_SIZE;
	if ((max & IMSG_FD_MARK) != 0) {
		errno = EINVAL;
		return (-1);
	}
	imsgbuf->maxsize = max;
	return (0);
}

/*
 * One read.  1: something was read, or there was nothing to read; 0: the peer
 * is gone; -1: the channel is unusable.  Drain with imsgbuf_get afterwards.
 */
int
imsgbuf_read(struct imsgbuf *imsgbuf)
{
	if ((imsgbuf->flags & IMSG_ALLOW_FDPASS) != 0)
		return (msgbuf_read(imsgbuf->fd, imsgbuf->w));
	return (ibuf_read(imsgbuf->fd, imsgbuf->w));
}

/* One write; 0 too when the socket is full. */
int
imsgbuf_write(struct imsgbuf *imsgbuf)
{
	if ((imsgbuf->flags & IMSG_ALLOW_FDPASS) != 0)
		return (msgbuf_write(imsgbuf->fd, imsgbuf->w));
	return (ibuf_write(imsgbuf->fd, imsgbuf->w));
}

/*
 * Waits while the socket is full: for set-up and last words only.  A socket
 * that takes more may not be writable to poll(2), so only one that took no
 * message is polled.
 */
int
imsgbuf_flush(struct imsgbuf *imsgbuf)
{
	struct pollfd	 pfd = { .fd = imsgbuf->fd, .events = POLLOUT };
	uint32_t	 before;

	while ((before = imsgbuf_queuelen(imsgbuf)) > 0) {
		if (imsgbuf_write(imsgbuf) == -1)
			return (-1);
		if (imsgbuf_queuelen(imsgbuf) == before &&
		    poll(&pfd, 1, -1) == -1 && errno != EINTR)
			return (-1);
	}
	return (0);
}

void
imsgbuf_clear(struct imsgbuf *imsgbuf)
{
	msgbuf_free(imsgbuf->w);
	imsgbuf->w = NULL;
}

uint32_t
imsgbuf_queuelen(struct imsgbuf *imsgbuf)
{
	return (msgbuf_queuelen(imsgbuf->w));
}

/* 1: a message, to be freed with imsg_free; 0: none. */
int
imsgbuf_get(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	struct ibuf	*buf;

	if ((buf = msgbuf_get(imsgbuf->w)) == NULL)
		return (0);
	return (imsg_from_ibuf(imsg, buf));
}

/* The older form: the whole length of the message instead of 1. */
ssize_t
imsg_get(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	int	 n;

	if ((n = imsgbuf_get(imsgbuf, imsg)) != 1)
		return (n);
	return (imsg->hdr.len);
}

int
imsg_compose(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    int fd, const void *data, size_t datalen)
{
	struct ibuf	*msg;

	if ((msg = imsg_create(imsgbuf, type, id, pid, datalen)) == NULL)
		return (-1);
	if (imsg_add(msg, data, datalen) == -1)
		return (-1);
	/* Last, so that a failure leaves the descriptor alone. */
	ibuf_fd_set(msg, fd);
	imsg_close(imsgbuf, msg);
	return (1);
}

int
imsg_composev(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    int fd, const struct iovec *iov, int iovcnt)
{
	struct ibuf	*msg;
	size_t		 len = 0;
	int		 i;

	for (i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > imsgbuf->maxsize - len) {
			errno = ERANGE;
			return (-1);
		}
		len += iov[i].iov_len;
	}
	if ((msg = imsg_create(imsgbuf, type, id, pid, len)) == NULL)
		return (-1);
	for (i = 0; i < iovcnt; i++) {
		if (imsg_add(msg, iov[i].iov_base, iov[i].iov_len) == -1)
			return (-1);
	}
	ibuf_fd_set(msg, fd);
	imsg_close(imsgbuf, msg);
	return (1);
}

/*
 * Send a header and the unread part of buf without copying it.  buf is gone in
 * any case.  The mark would go with the header and the fd with the body, so
 * a buf that holds one is refused.
 */
int
imsg_compose_ibuf(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id,
    pid_t pid, struct ibuf *buf)
{
	struct ibuf	*hdr;

	if (ibuf_fd_avail(buf)) {
		errno = EINVAL;
		goto fail;
	}
	if (ibuf_size(buf) > imsgbuf->maxsize - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		goto fail;
	}
	if ((hdr = imsg_create(imsgbuf, type, id, pid, 0)) == NULL)
		goto fail;
	imsg_set_len(hdr, IMSG_HEADER_SIZE + ibuf_size(buf));
	ibuf_close(imsgbuf->w, hdr);
	ibuf_close(imsgbuf->w, buf);
	return (1);
 fail:
	ibuf_free(buf);
	return (-1);
}

/* Start a message with room for datalen bytes, to grow up to the limit. */
struct ibuf *
imsg_create(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    size_t datalen)
{
	if (pid == 0)
		pid = imsgbuf->pid;
	return (imsg_open(imsgbuf, type, id, (uint32_t)pid, datalen));
}

/* Unlike ibuf_add it frees the message when it fails. */
int
imsg_add(struct ibuf *msg, const void *data, size_t datalen)
{
	if (ibuf_add(msg, data, datalen) == -1) {
		ibuf_free(msg);
		return (-1);
	}
	return ((int)datalen);
}

void
imsg_close(struct imsgbuf *imsgbuf, struct ibuf *msg)
{
	imsg_set_len(msg, ibuf_size(msg));
	ibuf_close(imsgbuf->w, msg);
}

/*
 * Queue a copy of the whole payload, however much of it has been read, under
 * the same header.  The fd stays with imsg, whose read position goes back to
 * the start of the payload.
 */
int
imsg_forward(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	struct ibuf	*msg;

	ibuf_rewind(imsg->buf);
	if (ibuf_skip(imsg->buf, IMSG_HEADER_SIZE) == -1)
		return (-1);
	msg = imsg_open(imsgbuf, imsg->hdr.type, imsg->hdr.peerid,
	    imsg->hdr.pid, ibuf_size(imsg->buf));
	if (msg == NULL)
		return (-1);
	if (ibuf_add_ibuf(msg, imsg->buf) == -1) {
		ibuf_free(msg);
		return (-1);
	}
	imsg_close(imsgbuf, msg);
	return (1);
}

/* Lower the limit of one message that is being written; max is payload. */
int
imsg_set_maxsize(struct ibuf *msg, size_t max)
{
	if (max > UINT32_MAX - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (-1);
	}
	return (ibuf_set_maxsize(msg, max + IMSG_HEADER_SIZE));
}

/* Closes the fd if nobody took it. */
void
imsg_free(struct imsg *imsg)
{
	ibuf_free(imsg->buf);
	imsg->buf = NULL;
	imsg->data = NULL;
}

uint32_t
imsg_get_type(struct imsg *imsg)
{
	return (imsg->hdr.type);
}

uint32_t
imsg_get_id(struct imsg *imsg)
{
	return (imsg->hdr.peerid);
}

pid_t
imsg_get_pid(struct imsg *imsg)
{
	return ((pid_t)imsg->hdr.pid);
}

/* Payload bytes that have not been read yet. */
size_t
imsg_get_len(struct imsg *imsg)
{
	return (ibuf_size(imsg->buf));
}

/* The caller owns the fd afterwards; -1 if there is none or it is taken. */
int
imsg_get_fd(struct imsg *imsg)
{
	return (ibuf_fd_get(imsg->buf));
}

/* Whether the kernel had no slot for the fd of the message. */
int
imsg_lost_fd(const struct imsg *imsg)
{
	return (imsg->buf->lost);
}

/* The rest of the payload, which must be len bytes exactly. */
int
imsg_get_data(struct imsg *imsg, void *data, size_t len)
{
	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (ibuf_size(imsg->buf) != len) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get(imsg->buf, data, len));
}

int
imsg_get_buf(struct imsg *imsg, void *data, size_t len)
{
	return (ibuf_get(imsg->buf, data, len));
}

int
imsg_get_strbuf(struct imsg *imsg, char *str, size_t len)
{
	return (ibuf_get_strbuf(imsg->buf, str, len));
}

/* A view of the rest of the payload that is valid until imsg_free. */
int
imsg_get_ibuf(struct imsg *imsg, struct ibuf *view)
{
	if (ibuf_size(imsg->buf) == 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get_ibuf(imsg->buf, ibuf_size(imsg->buf), view));
}

int
imsg_ibufq_pop(struct ibufqueue *queue, struct imsg *imsg)
{
	struct ibuf	*buf;

	if ((buf = ibufq_pop(queue)) == NULL)
		return (0);
	return (imsg_from_ibuf(imsg, buf));
}

/*
 * Park a whole message.  The queue may be written out as it is, so the mark
 * has to say whether the fd is still there.
 */
void
imsg_ibufq_push(struct ibufqueue *queue, struct imsg *imsg)
{
	ibuf_rewind(imsg->buf);
	imsg_set_len(imsg->buf, ibuf_size(imsg->buf));
	ibufq_push(queue, imsg->buf);
	memset(imsg, 0, sizeof(*imsg));
}

static struct ibuf *
imsg_open(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, uint32_t pid,
    size_t datalen)
{
	struct imsg_hdr	 hdr;
	struct ibuf	*msg;

	if (datalen > imsgbuf->maxsize - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (NULL);
	}
	msg = ibuf_dynamic(IMSG_HEADER_SIZE + datalen, imsgbuf->maxsize);
	if (msg == NULL)
		return (NULL);
	hdr.type = type;
	hdr.len = 0;
	hdr.peerid = id;
	hdr.pid = pid;
	if (ibuf_add(msg, &hdr, sizeof(hdr)) == -1) {
		ibuf_free(msg);
		return (NULL);
	}
	return (msg);
}

/*
 * The reader's callback.  A marked message whose fd is missing is passed on
 * without it; the receiver sees -1 and decides.
 */
static struct ibuf *
imsg_read_hdr(struct ibuf *buf, void *arg, int *fd)
{
	struct imsgbuf	*imsgbuf = arg;
	struct imsg_hdr	 hdr;
	struct ibuf	*msg;
	uint32_t	 len;

	if (ibuf_get(buf, &hdr, sizeof(hdr)) == -1)
		return (NULL);
	len = hdr.len & ~IMSG_FD_MARK;
	if (len < IMSG_HEADER_SIZE || len > imsgbuf->maxsize) {
		errno = ERANGE;
		return (NULL);
	}
	if ((msg = ibuf_open(len)) == NULL)
		return (NULL);
	if ((hdr.len & IMSG_FD_MARK) != 0) {
		msg->lost = *fd == IMSG_FD_LOST;
		ibuf_fd_set(msg, *fd);
		*fd = -1;
	}
	return (msg);
}

/* Takes buf over; frees it when it is no message. */
static int
imsg_from_ibuf(struct imsg *imsg, struct ibuf *buf)
{
	struct imsg	 m;
	size_t		 len;

	len = ibuf_size(buf);
	if (ibuf_get(buf, &m.hdr, sizeof(m.hdr)) == -1) {
		ibuf_free(buf);
		return (-1);
	}
	m.hdr.len = (uint32_t)len;
	m.data = ibuf_size(buf) != 0 ? ibuf_data(buf) : NULL;
	m.buf = buf;
	*imsg = m;
	return (1);
}

/* Cannot fail: every message begins with room for a header. */
static void
imsg_set_len(struct ibuf *msg, size_t len)
{
	uint32_t	 wire;

	wire = (uint32_t)len;
	if (ibuf_fd_avail(msg))
		wire |= IMSG_FD_MARK;
	(void)ibuf_set_h32(msg, offsetof(struct imsg_hdr, len), wire);
}
