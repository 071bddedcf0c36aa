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
 * Buffers, queues of buffers and the system calls that move them over a
 * socket.  This file owns the bytes and the descriptors in flight; imsg.c calls
 * it, and so does every function that picks a message apart.  It may never
 * read or write outside [0, wpos) of a buffer, give a descriptor to a message
 * that it was not sent with, leak one, or let a dead peer raise SIGPIPE.
 *
 * Descriptors on Linux.  The kernel hands an fd over together with the first
 * byte it was sent with and ends the read behind that segment, but glues data
 * without an fd before it.  So an fd belongs to a header whose first byte came
 * with the same read, although the rest of that header may come later.  The
 * reader keeps the descriptors in a short queue for that case, with a place
 * held for those that the kernel dropped, and refuses the channel when one is
 * left that no header can own.  A peer that marks headers and sends no fd with
 * them can confuse the order of its own descriptors only.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

/* Values of ibuf.fd */
#define IBUF_FD_NONE		-1
#define IBUF_FD_VIEW		-2

/* The place of an fd that the kernel could not deliver */
#define FD_LOST			-2

/* One kept for a split header, two that fit the control data, one lost */
#define READER_FDS		4
#define RECV_FDS		2

/* Enough for a busy channel; more would only cost stack. */
#define WRITE_IOV		128

struct ibufqueue {
	TAILQ_HEAD(, ibuf)	 bufs;
	uint32_t		 queued;
};

struct msgbuf {
	struct ibufqueue	 out;
	struct ibufqueue	 in;

	/* The rest is a reader's. */
	struct ibuf		*(*readhdr)(struct ibuf *, void *, int *);
	void			*arg;
	unsigned char		*rbuf;
	size_t			 hdrsize;
	size_t			 rlen;	/* of a header that is not whole */
	size_t			 rhigh;	/* bytes of rbuf ever used */
	struct ibuf		*part;	/* message whose body is not whole */
	int			 fds[READER_FDS];
	size_t			 nfds;
	size_t			 heldfds; /* those that came with rlen */
	int			 error;	/* why the stream is unusable */
};

static int	 ibuf_is_view(const struct ibuf *);
static int	 ibuf_grow(struct ibuf *, size_t);
static int	 be_encode(unsigned char *, uint64_t, size_t);
static int	 ibuf_add_be(struct ibuf *, uint64_t, size_t);
static int	 ibuf_set_be(struct ibuf *, size_t, uint64_t, size_t);
static int	 fits(uint64_t, uint64_t);

static void	 ibufq_init(struct ibufqueue *);

static int	 queue_write(int, struct msgbuf *, int);
static int	 queue_gather(struct msgbuf *, struct iovec *, int);
static void	 queue_sent(struct msgbuf *, size_t, int);

static int	 reader_read(int, struct msgbuf *, int);
static ssize_t	 reader_recv(int, struct msgbuf *, int);
static void	 reader_take_fds(struct msgbuf *, struct msghdr *);
static void	 reader_push_fd(struct msgbuf *, int);
static void	 reader_pop_fd(struct msgbuf *);
static void	 reader_close_fds(struct msgbuf *);
static int	 reader_parse(struct msgbuf *, size_t);
static int	 reader_header(struct msgbuf *, struct ibuf *, size_t);
static int	 reader_body(struct msgbuf *, struct ibuf *);

/* A buffer of exactly len bytes. */
struct ibuf *
ibuf_open(size_t len)
{
	struct ibuf	*buf;

	if ((buf = calloc(1, sizeof(*buf))) == NULL)
		return (NULL);
	if ((buf->buf = calloc(len, 1)) == NULL) {
		free(buf);
		return (NULL);
	}
	buf->size = buf->max = len;
	buf->fd = IBUF_FD_NONE;
	return (buf);
}

/* A buffer that starts with room for len bytes and grows up to max. */
struct ibuf *
ibuf_dynamic(size_t len, size_t max)
{
	struct ibuf	*buf;

	if (max == 0 || max < len) {
		errno = EINVAL;
		return (NULL);
	}
	if ((buf = ibuf_open(len)) == NULL)
		return (NULL);
	buf->max = max;
	return (buf);
}

/* A view: bytes of somebody else in a structure of the caller's. */
void
ibuf_from_buffer(struct ibuf *buf, void *data, size_t len)
{
	memset(buf, 0, sizeof(*buf));
	buf->buf = data;
	buf->size = buf->wpos = len;
	buf->fd = IBUF_FD_VIEW;
}

void
ibuf_from_ibuf(struct ibuf *buf, const struct ibuf *from)
{
	ibuf_from_buffer(buf, ibuf_data(from), ibuf_size(from));
}

/* Keeps errno, so that it can stand between a failure and its report. */
void
ibuf_free(struct ibuf *buf)
{
	int	 save_errno = errno;

	if (buf == NULL)
		return;
	if (ibuf_is_view(buf))
		abort();
	if (buf->fd >= 0)
		close(buf->fd);
	freezero(buf->buf, buf->size);
	free(buf);
	errno = save_errno;
}

int
ibuf_add(struct ibuf *buf, const void *data, size_t len)
{
	void	*p;

	if (len == 0)
		return (0);
	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	memcpy(p, data, len);
	return (0);
}

int
ibuf_add_ibuf(struct ibuf *buf, const struct ibuf *from)
{
	return (ibuf_add(buf, ibuf_data(from), ibuf_size(from)));
}

int
ibuf_add_zero(struct ibuf *buf, size_t len)
{
	void	*p;

	if (len == 0)
		return (0);
	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	memset(p, 0, len);
	return (0);
}

int
ibuf_add_n8(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint8_t)));
}

int
ibuf_add_n16(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint16_t)));
}

int
ibuf_add_n32(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint32_t)));
}

int
ibuf_add_n64(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint64_t)));
}

int
ibuf_add_h16(struct ibuf *buf, uint64_t value)
{
	uint16_t	 v = (uint16_t)value;

	if (!fits(value, UINT16_MAX))
		return (-1);
	return (ibuf_add(buf, &v, sizeof(v)));
}

int
ibuf_add_h32(struct ibuf *buf, uint64_t value)
{
	uint32_t	 v = (uint32_t)value;

	if (!fits(value, UINT32_MAX))
		return (-1);
	return (ibuf_add(buf, &v, sizeof(v)));
}

int
ibuf_add_h64(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add(buf, &value, sizeof(value)));
}

/* A field of len bytes that ends in at least one NUL. */
int
ibuf_add_strbuf(struct ibuf *buf, const char *str, size_t len)
{
	char	*p;
	size_t	 n;

	if ((n = strnlen(str, len)) == len) {
		errno = EOVERFLOW;
		return (-1);
	}
	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	memcpy(p, str, n);
	memset(p + n, 0, len - n);
	return (0);
}

/* The pointer is good until the buffer grows again. */
void *
ibuf_reserve(struct ibuf *buf, size_t len)
{
	void	*p;

	if (ibuf_is_view(buf)) {
		errno = EINVAL;
		return (NULL);
	}
	if (len > buf->max - buf->wpos) {
		errno = ERANGE;
		return (NULL);
	}
	if (len > buf->size - buf->wpos &&
	    ibuf_grow(buf, buf->wpos + len) == -1)
		return (NULL);
	p = buf->buf + buf->wpos;
	buf->wpos += len;
	return (p);
}

/* A pointer to len unread bytes from pos on, counted from the read position. */
void *
ibuf_seek(struct ibuf *buf, size_t pos, size_t len)
{
	size_t	 avail = ibuf_size(buf);

	if (buf->buf == NULL || pos > avail || len > avail - pos) {
		errno = ERANGE;
		return (NULL);
	}
	return (buf->buf + buf->rpos + pos);
}

int
ibuf_set(struct ibuf *buf, size_t pos, const void *data, size_t len)
{
	void	*p;

	if (len == 0 && pos <= ibuf_size(buf))
		return (0);
	if ((p = ibuf_seek(buf, pos, len)) == NULL)
		return (-1);
	memcpy(p, data, len);
	return (0);
}

int
ibuf_set_n8(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_be(buf, pos, value, sizeof(uint8_t)));
}

int
ibuf_set_n16(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_be(buf, pos, value, sizeof(uint16_t)));
}

int
ibuf_set_n32(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_be(buf, pos, value, sizeof(uint32_t)));
}

int
ibuf_set_n64(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set_be(buf, pos, value, sizeof(uint64_t)));
}

int
ibuf_set_h16(struct ibuf *buf, size_t pos, uint64_t value)
{
	uint16_t	 v = (uint16_t)value;

	if (!fits(value, UINT16_MAX))
		return (-1);
	return (ibuf_set(buf, pos, &v, sizeof(v)));
}

int
ibuf_set_h32(struct ibuf *buf, size_t pos, uint64_t value)
{
	uint32_t	 v = (uint32_t)value;

	if (!fits(value, UINT32_MAX))
		return (-1);
	return (ibuf_set(buf, pos, &v, sizeof(v)));
}

int
ibuf_set_h64(struct ibuf *buf, size_t pos, uint64_t value)
{
	return (ibuf_set(buf, pos, &value, sizeof(value)));
}

int
ibuf_get(struct ibuf *buf, void *data, size_t len)
{
	if (ibuf_size(buf) < len) {
		errno = EBADMSG;
		return (-1);
	}
	if (len == 0)
		return (0);
	memcpy(data, ibuf_data(buf), len);
	buf->rpos += len;
	return (0);
}

int
ibuf_get_n8(struct ibuf *buf, uint8_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_n16(struct ibuf *buf, uint16_t *value)
{
	uint16_t	 v;

	if (ibuf_get(buf, &v, sizeof(v)) == -1)
		return (-1);
	*value = be16toh(v);
	return (0);
}

int
ibuf_get_n32(struct ibuf *buf, uint32_t *value)
{
	uint32_t	 v;

	if (ibuf_get(buf, &v, sizeof(v)) == -1)
		return (-1);
	*value = be32toh(v);
	return (0);
}

int
ibuf_get_n64(struct ibuf *buf, uint64_t *value)
{
	uint64_t	 v;

	if (ibuf_get(buf, &v, sizeof(v)) == -1)
		return (-1);
	*value = be64toh(v);
	return (0);
}

int
ibuf_get_h16(struct ibuf *buf, uint16_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_h32(struct ibuf *buf, uint32_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_h64(struct ibuf *buf, uint64_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

/* The view is valid as long as buf is neither freed nor added to. */
int
ibuf_get_ibuf(struct ibuf *buf, size_t len, struct ibuf *view)
{
	if (ibuf_size(buf) < len) {
		errno = EBADMSG;
		return (-1);
	}
	ibuf_from_buffer(view, ibuf_data(buf), len);
	buf->rpos += len;
	return (0);
}

/* Consumes len bytes; the string ends earlier if there is a NUL in them. */
char *
ibuf_get_string(struct ibuf *buf, size_t len)
{
	char	*str;

	if (ibuf_size(buf) < len) {
		errno = EBADMSG;
		return (NULL);
	}
	if (len == 0)
		str = strdup("");
	else
		str = strndup(ibuf_data(buf), len);
	if (str == NULL)
		return (NULL);
	buf->rpos += len;
	return (str);
}

/* What stands behind the NUL never leaves the buffer. */
int
ibuf_get_strbuf(struct ibuf *buf, char *str, size_t len)
{
	size_t	 n;

	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (ibuf_size(buf) < len) {
		errno = EBADMSG;
		return (-1);
	}
	if ((n = strnlen(ibuf_data(buf), len)) == len) {
		errno = EOVERFLOW;
		return (-1);
	}
	memcpy(str, ibuf_data(buf), n);
	memset(str + n, 0, len - n);
	buf->rpos += len;
	return (0);
}

int
ibuf_skip(struct ibuf *buf, size_t len)
{
	if (ibuf_size(buf) < len) {
		errno = EBADMSG;
		return (-1);
	}
	buf->rpos += len;
	return (0);
}

void
ibuf_rewind(struct ibuf *buf)
{
	buf->rpos = 0;
}

void *
ibuf_data(const struct ibuf *buf)
{
	if (buf->buf == NULL)
		return (NULL);
	return (buf->buf + buf->rpos);
}

size_t
ibuf_size(const struct ibuf *buf)
{
	return (buf->wpos - buf->rpos);
}

size_t
ibuf_left(const struct ibuf *buf)
{
	if (ibuf_is_view(buf))
		return (0);
	return (buf->max - buf->wpos);
}

/* Make len bytes of unread data, by dropping the tail or adding zeros. */
int
ibuf_truncate(struct ibuf *buf, size_t len)
{
	if (len <= ibuf_size(buf)) {
		buf->wpos = buf->rpos + len;
		return (0);
	}
	if (ibuf_is_view(buf)) {
		errno = ERANGE;
		return (-1);
	}
	return (ibuf_add_zero(buf, len - ibuf_size(buf)));
}

int
ibuf_set_maxsize(struct ibuf *buf, size_t max)
{
	if (ibuf_is_view(buf)) {
		errno = EINVAL;
		return (-1);
	}
	if (max > buf->max || max < buf->wpos) {
		errno = ERANGE;
		return (-1);
	}
	buf->max = max;
	return (0);
}

int
ibuf_fd_avail(struct ibuf *buf)
{
	return (buf->fd >= 0);
}

int
ibuf_fd_get(struct ibuf *buf)
{
	int	 fd;

	if (!ibuf_fd_avail(buf))
		return (-1);
	fd = buf->fd;
	buf->fd = IBUF_FD_NONE;
	return (fd);
}

void
ibuf_fd_set(struct ibuf *buf, int fd)
{
	if (ibuf_is_view(buf))
		abort();
	if (buf->fd >= 0)
		close(buf->fd);
	buf->fd = fd >= 0 ? fd : IBUF_FD_NONE;
}

/* Queue for writing. */
void
ibuf_close(struct msgbuf *msgbuf, struct ibuf *buf)
{
	ibufq_push(&msgbuf->out, buf);
}

struct ibufqueue *
ibufq_new(void)
{
	struct ibufqueue	*queue;

	if ((queue = calloc(1, sizeof(*queue))) == NULL)
		return (NULL);
	ibufq_init(queue);
	return (queue);
}

void
ibufq_free(struct ibufqueue *queue)
{
	if (queue == NULL)
		return;
	ibufq_flush(queue);
	free(queue);
}

struct ibuf *
ibufq_pop(struct ibufqueue *queue)
{
	struct ibuf	*buf;

	if ((buf = TAILQ_FIRST(&queue->bufs)) == NULL)
		return (NULL);
	TAILQ_REMOVE(&queue->bufs, buf, entry);
	queue->queued--;
	return (buf);
}

/* A view cannot be owned by a queue. */
void
ibufq_push(struct ibufqueue *queue, struct ibuf *buf)
{
	if (ibuf_is_view(buf))
		abort();
	TAILQ_INSERT_TAIL(&queue->bufs, buf, entry);
	queue->queued++;
}

uint32_t
ibufq_queuelen(struct ibufqueue *queue)
{
	return (queue->queued);
}

void
ibufq_concat(struct ibufqueue *to, struct ibufqueue *from)
{
	TAILQ_CONCAT(&to->bufs, &from->bufs, entry);
	to->queued += from->queued;
	from->queued = 0;
}

void
ibufq_flush(struct ibufqueue *queue)
{
	struct ibuf	*buf;

	while ((buf = ibufq_pop(queue)) != NULL)
		ibuf_free(buf);
}

struct msgbuf *
msgbuf_new(void)
{
	struct msgbuf	*msgbuf;

	if ((msgbuf = calloc(1, sizeof(*msgbuf))) == NULL)
		return (NULL);
	ibufq_init(&msgbuf->out);
	ibufq_init(&msgbuf->in);
	return (msgbuf);
}

/*
 * The read buffer comes from malloc: clearing it would touch sixteen pages of
 * which a worker that is starting needs one.
 */
struct msgbuf *
msgbuf_new_reader(size_t hdrsize,
    struct ibuf *(*readhdr)(struct ibuf *, void *, int *), void *arg)
{
	struct msgbuf	*msgbuf;

	if (hdrsize == 0 || hdrsize > IBUF_READ_SIZE / 2) {
		errno = EINVAL;
		return (NULL);
	}
	if ((msgbuf = msgbuf_new()) == NULL)
		return (NULL);
	if ((msgbuf->rbuf = malloc(IBUF_READ_SIZE)) == NULL) {
		free(msgbuf);
		return (NULL);
	}
	msgbuf->hdrsize = hdrsize;
	msgbuf->readhdr = readhdr;
	msgbuf->arg = arg;
	return (msgbuf);
}

void
msgbuf_free(struct msgbuf *msgbuf)
{
	if (msgbuf == NULL)
		return;
	msgbuf_clear(msgbuf);
	free(msgbuf->rbuf);
	free(msgbuf);
}

/* Forget everything in flight, and what was wrong with it. */
void
msgbuf_clear(struct msgbuf *msgbuf)
{
	ibufq_flush(&msgbuf->out);
	ibufq_flush(&msgbuf->in);
	ibuf_free(msgbuf->part);
	msgbuf->part = NULL;
	reader_close_fds(msgbuf);
	if (msgbuf->rbuf != NULL)
		explicit_bzero(msgbuf->rbuf, msgbuf->rhigh);
	msgbuf->rlen = 0;
	msgbuf->rhigh = 0;
	msgbuf->error = 0;
}

void
msgbuf_concat(struct msgbuf *msgbuf, struct ibufqueue *from)
{
	ibufq_concat(&msgbuf->out, from);
}

uint32_t
msgbuf_queuelen(struct msgbuf *msgbuf)
{
	return (ibufq_queuelen(&msgbuf->out));
}

/* The next message that was received; the caller frees it. */
struct ibuf *
msgbuf_get(struct msgbuf *msgbuf)
{
	return (ibufq_pop(&msgbuf->in));
}

/* The four below return what imsgbuf_read and imsgbuf_write do. */
int
ibuf_read(int fd, struct msgbuf *msgbuf)
{
	return (reader_read(fd, msgbuf, 0));
}

int
ibuf_write(int fd, struct msgbuf *msgbuf)
{
	return (queue_write(fd, msgbuf, 0));
}

int
msgbuf_read(int fd, struct msgbuf *msgbuf)
{
	return (reader_read(fd, msgbuf, 1));
}

int
msgbuf_write(int fd, struct msgbuf *msgbuf)
{
	return (queue_write(fd, msgbuf, 1));
}

static int
ibuf_is_view(const struct ibuf *buf)
{
	return (buf->fd == IBUF_FD_VIEW);
}

/* Doubles, since recallocarray copies and clears the old bytes every time. */
static int
ibuf_grow(struct ibuf *buf, size_t need)
{
	unsigned char	*p;
	size_t		 size;

	size = buf->size > buf->max / 2 ? buf->max : buf->size * 2;
	if (size < need)
		size = need;
	if ((p = recallocarray(buf->buf, buf->size, size, 1)) == NULL)
		return (-1);
	buf->buf = p;
	buf->size = size;
	return (0);
}

static int
be_encode(unsigned char *p, uint64_t value, size_t len)
{
	if (!fits(value, UINT64_MAX >> (64 - 8 * len)))
		return (-1);
	while (len > 0) {
		p[--len] = value & 0xff;
		value >>= 8;
	}
	return (0);
}

static int
ibuf_add_be(struct ibuf *buf, uint64_t value, size_t len)
{
	unsigned char	 be[sizeof(value)];

	if (be_encode(be, value, len) == -1)
		return (-1);
	return (ibuf_add(buf, be, len));
}

static int
ibuf_set_be(struct ibuf *buf, size_t pos, uint64_t value, size_t len)
{
	unsigned char	 be[sizeof(value)];

	if (be_encode(be, value, len) == -1)
		return (-1);
	return (ibuf_set(buf, pos, be, len));
}

static int
fits(uint64_t value, uint64_t max)
{
	if (value <= max)
		return (1);
	errno = EINVAL;
	return (0);
}

static void
ibufq_init(struct ibufqueue *queue)
{
	TAILQ_INIT(&queue->bufs);
	queue->queued = 0;
}

/*
 * One write of what the front of the queue holds.  An fd rides on the first
 * byte of its buffer, therefore the batch ends before the next one.
 */
static int
queue_write(int fd, struct msgbuf *msgbuf, int passfd)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 space[CMSG_SPACE(sizeof(int))];
	}			 control;
	struct iovec		 iov[WRITE_IOV];
	struct msghdr		 msg;
	struct ibuf		*first;
	ssize_t			 n;
	int			 iovcnt;

	if ((first = TAILQ_FIRST(&msgbuf->out.bufs)) == NULL)
		return (0);
	iovcnt = queue_gather(msgbuf, iov, passfd);
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = iov;
	msg.msg_iovlen = (size_t)iovcnt;
	if (passfd && ibuf_fd_avail(first)) {
		memset(&control, 0, sizeof(control));
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.hdr), &first->fd, sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
	}
	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
		/* A pipe carries plain buffers too. */
		if (n == -1 && errno == ENOTSOCK && !passfd)
			n = writev(fd, iov, iovcnt);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return (errno == EAGAIN || errno == ENOBUFS ? 0 : -1);
	queue_sent(msgbuf, (size_t)n, iovcnt);
	return (0);
}

static int
queue_gather(struct msgbuf *msgbuf, struct iovec *iov, int passfd)
{
	struct ibuf	*buf;
	int		 n = 0;

	TAILQ_FOREACH(buf, &msgbuf->out.bufs, entry) {
		if (n == WRITE_IOV)
			break;
		if (n > 0 && passfd && ibuf_fd_avail(buf))
			break;
		iov[n].iov_base = ibuf_data(buf);
		iov[n].iov_len = ibuf_size(buf);
		n++;
	}
	return (n);
}

/* Drop what n bytes of the first iovcnt buffers cover. */
static void
queue_sent(struct msgbuf *msgbuf, size_t n, int iovcnt)
{
	struct ibuf	*buf;

	/* The fd went with the first byte, however few there were. */
	ibuf_fd_set(TAILQ_FIRST(&msgbuf->out.bufs), IBUF_FD_NONE);
	while (iovcnt-- > 0) {
		buf = TAILQ_FIRST(&msgbuf->out.bufs);
		if (n < ibuf_size(buf)) {
			buf->rpos += n;
			return;
		}
		n -= ibuf_size(buf);
		ibuf_free(ibufq_pop(&msgbuf->out));
	}
}

/*
 * One read.  A stream that broke the rules stays broken: nothing tells where
 * its next message would begin.
 */
static int
reader_read(int fd, struct msgbuf *msgbuf, int passfd)
{
	ssize_t	 n;

	if (msgbuf->rbuf == NULL) {
		errno = EINVAL;
		return (-1);
	}
	if (msgbuf->error != 0) {
		errno = msgbuf->error;
		return (-1);
	}
	n = reader_recv(fd, msgbuf, passfd);
	if (n == -1) {
		if (errno == EAGAIN)
			return (1);
		/* The peer left before it had read all of ours. */
		return (errno == ECONNRESET ? 0 : -1);
	}
	if (n == 0)
		return (0);
	if (msgbuf->error == 0 &&
	    reader_parse(msgbuf, msgbuf->rlen + (size_t)n) == -1)
		msgbuf->error = errno;
	if (msgbuf->error != 0) {
		reader_close_fds(msgbuf);
		errno = msgbuf->error;
		return (-1);
	}
	return (1);
}

static ssize_t
reader_recv(int fd, struct msgbuf *msgbuf, int passfd)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 space[CMSG_SPACE(RECV_FDS * sizeof(int))];
	}			 control;
	struct iovec		 iov;
	struct msghdr		 msg;
	ssize_t			 n;

	iov.iov_base = msgbuf->rbuf + msgbuf->rlen;
	iov.iov_len = IBUF_READ_SIZE - msgbuf->rlen;
	do {
		if (!passfd) {
			n = read(fd, iov.iov_base, iov.iov_len);
			continue;
		}
		memset(&msg, 0, sizeof(msg));
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n > 0) {
		if (msgbuf->rhigh < msgbuf->rlen + (size_t)n)
			msgbuf->rhigh = msgbuf->rlen + (size_t)n;
		if (passfd)
			reader_take_fds(msgbuf, &msg);
	}
	return (n);
}

static void
reader_take_fds(struct msgbuf *msgbuf, struct msghdr *msg)
{
	struct cmsghdr	*cmsg;
	size_t		 i, n;
	int		 fd;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd),
			    sizeof(fd));
			reader_push_fd(msgbuf, fd);
		}
	}
	/* The lost one keeps its place, or a later fd would fill it. */
	if ((msg->msg_flags & MSG_CTRUNC) != 0)
		reader_push_fd(msgbuf, FD_LOST);
}

static void
reader_push_fd(struct msgbuf *msgbuf, int fd)
{
	if (msgbuf->nfds == READER_FDS) {
		if (fd >= 0)
			close(fd);
		msgbuf->error = EBADMSG;
		return;
	}
	msgbuf->fds[msgbuf->nfds++] = fd;
}

static void
reader_pop_fd(struct msgbuf *msgbuf)
{
	size_t	 i;

	for (i = 1; i < msgbuf->nfds; i++)
		msgbuf->fds[i - 1] = msgbuf->fds[i];
	msgbuf->nfds--;
}

static void
reader_close_fds(struct msgbuf *msgbuf)
{
	for (; msgbuf->nfds > 0; reader_pop_fd(msgbuf)) {
		if (msgbuf->fds[0] >= 0)
			close(msgbuf->fds[0]);
	}
	msgbuf->heldfds = 0;
}

/*
 * Split len bytes into messages and keep the header at the end that is not
 * whole.  A header from an earlier read may own an fd that came with it but
 * none that came now, and an fd that no header can own any more is an error.
 */
static int
reader_parse(struct msgbuf *msgbuf, size_t len)
{
	struct ibuf	 in;
	size_t		 mayhold;
	int		 split;

	ibuf_from_buffer(&in, msgbuf->rbuf, len);
	split = msgbuf->rlen > 0;
	while (msgbuf->part != NULL || ibuf_size(&in) >= msgbuf->hdrsize) {
		if (msgbuf->part == NULL) {
			if (reader_header(msgbuf, &in,
			    split ? msgbuf->heldfds : msgbuf->nfds) == -1)
				return (-1);
			split = 0;
		}
		if (reader_body(msgbuf, &in) == -1)
			return (-1);
		if (ibuf_size(&in) == 0)
			break;
	}

	if (ibuf_size(&in) == 0)
		mayhold = 0;
	else if (split)
		mayhold = msgbuf->heldfds;
	else
		mayhold = 1;
	if (msgbuf->nfds > mayhold) {
		errno = EBADMSG;
		return (-1);
	}
	memmove(msgbuf->rbuf, ibuf_data(&in), ibuf_size(&in));
	msgbuf->rlen = ibuf_size(&in);
	msgbuf->heldfds = msgbuf->nfds;
	return (0);
}

/* Begin the message at the front of in, which may own one of nfds. */
static int
reader_header(struct msgbuf *msgbuf, struct ibuf *in, size_t nfds)
{
	struct ibuf	 hdr, *part;
	int		 claimed, fd;

	ibuf_from_buffer(&hdr, ibuf_data(in), msgbuf->hdrsize);
	fd = nfds > 0 ? msgbuf->fds[0] : -1;
	part = msgbuf->readhdr(&hdr, msgbuf->arg, &fd);
	claimed = nfds > 0 && fd == -1;
	if (claimed)
		reader_pop_fd(msgbuf);
	if (part == NULL)
		return (-1);
	if (ibuf_size(part) != 0 || ibuf_left(part) < msgbuf->hdrsize) {
		ibuf_free(part);
		errno = EINVAL;
		return (-1);
	}
	/* Came with an earlier read, for this header or for none. */
	if (msgbuf->heldfds > 0 && !claimed) {
		ibuf_free(part);
		errno = EBADMSG;
		return (-1);
	}
	msgbuf->heldfds = 0;
	msgbuf->part = part;
	return (0);
}

/* Move what there is of the message that was begun. */
static int
reader_body(struct msgbuf *msgbuf, struct ibuf *in)
{
	struct ibuf	*part = msgbuf->part;
	size_t		 n;

	n = ibuf_left(part);
	if (n > ibuf_size(in))
		n = ibuf_size(in);
	if (ibuf_add(part, ibuf_data(in), n) == -1)
		return (-1);
	(void)ibuf_skip(in, n);
	if (ibuf_left(part) == 0) {
		ibufq_push(&msgbuf->in, part);
		msgbuf->part = NULL;
	}
	return (0);
}
