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
 * Fuzz target for common/imsg.c and common/imsg-buffer.c: what a worker that
 * has been taken over may send to its peer.
 *
 * The first byte of an input chooses the channel: bit 0 allows descriptors,
 * bit 1 raises the limit, bit 2 reads after every segment, bit 3 relays.
 * The rest are segments: a byte with the number of descriptors in its low two
 * bits, a length of two bytes, that many bytes.  After every input each
 * descriptor that was passed must have been closed.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define F_FDPASS	0x01
#define F_LARGE		0x02
#define F_STEP		0x04
#define F_RELAY		0x08

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void	 drain(struct imsgbuf *, struct imsgbuf *, int);
static void	 inspect(struct imsg *);
static void	 must(int);
static void	 receive(struct imsgbuf *, struct imsgbuf *, int);
static void	 send_segment(int, const uint8_t *, size_t, int, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imsgbuf	 in, out;
	size_t		 len;
	char		 c;
	int		 canary[2], flags, nfds, p[2];

	if (size < 1)
		return (0);
	flags = *data++;
	size--;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) == 0);
	must(pipe2(canary, O_NONBLOCK) == 0);
	must(imsgbuf_init(&in, p[0]) == 0);
	must(imsgbuf_init(&out, p[0]) == 0);
	if ((flags & F_FDPASS) != 0)
		imsgbuf_allow_fdpass(&in);
	if ((flags & F_LARGE) != 0)
		must(imsgbuf_set_maxsize(&in, 200000) == 0);
	while (size >= 3) {
		nfds = data[0] & 3;
		len = (size_t)data[1] << 8 | data[2];
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		send_segment(p[1], data, len, canary[1], nfds);
		data += len;
		size -= len;
		if ((flags & F_STEP) != 0)
			receive(&in, &out, flags);
	}
	close(p[1]);
	close(canary[1]);
	receive(&in, &out, flags);
	imsgbuf_clear(&in);
	imsgbuf_clear(&out);
	close(p[0]);
	must(read(canary[0], &c, 1) == 0);
	close(canary[0]);
	return (0);
}

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
send_segment(int s, const uint8_t *data, size_t len, int fd, size_t nfds)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 space[CMSG_SPACE(3 * sizeof(int))];
	}			 control;
	struct iovec		 iov;
	struct msghdr		 msg;
	static uint8_t		 copy[65536];
	size_t			 i;

	memcpy(copy, data, len);
	iov.iov_base = copy;
	iov.iov_len = len;
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		control.hdr.cmsg_len = CMSG_LEN(nfds * sizeof(fd));
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		for (i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&control.hdr) + i * sizeof(fd), &fd,
			    sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(fd));
	}
	/* A full socket drops the segment, which is as good as any input. */
	(void)sendmsg(s, &msg, MSG_NOSIGNAL);
}

/* Read until there is nothing more, with an upper bound that never holds. */
static void
receive(struct imsgbuf *in, struct imsgbuf *out, int flags)
{
	ssize_t	 left;
	int	 i, n;
	char	 c;

	for (i = 0; i < 10000; i++) {
		n = imsgbuf_read(in);
		drain(in, out, flags);
		if (n != 1)
			return;
		left = recv(in->fd, &c, 1, MSG_PEEK);
		if (left == -1 && errno == EAGAIN)
			return;
	}
	abort();
}

static void
drain(struct imsgbuf *in, struct imsgbuf *out, int flags)
{
	struct ibufqueue	*queue;
	struct imsg		 imsg;

	must((queue = ibufq_new()) != NULL);
	while (imsgbuf_get(in, &imsg) == 1) {
		inspect(&imsg);
		if ((flags & F_RELAY) != 0) {
			(void)imsg_forward(out, &imsg);
			imsg_ibufq_push(queue, &imsg);
			must(imsg_ibufq_pop(queue, &imsg) == 1);
			must(imsg_get_len(&imsg) + IMSG_HEADER_SIZE ==
			    imsg.hdr.len);
		}
		if ((imsg_get_type(&imsg) & 1) != 0)
			close(imsg_get_fd(&imsg));
		imsg_free(&imsg);
	}
	ibufq_free(queue);
}

/* The type of the message says how it is read. */
static void
inspect(struct imsg *imsg)
{
	struct ibuf	 view, part;
	uint64_t	 v64;
	uint32_t	 v32;
	uint16_t	 v16;
	uint8_t		 v8;
	char		*s, str[32];

	must(imsg->hdr.len >= IMSG_HEADER_SIZE);
	must(imsg_get_len(imsg) == imsg->hdr.len - IMSG_HEADER_SIZE);
	switch (imsg_get_type(imsg) >> 1 & 7) {
	case 0:
		while (imsg_get_strbuf(imsg, str, sizeof(str)) == 0)
			must(strlen(str) < sizeof(str));
		break;
	case 1:
		(void)imsg_get_data(imsg, str, sizeof(str));
		break;
	case 2:
		while (imsg_get_buf(imsg, str, 7) == 0)
			continue;
		break;
	case 3:
		if (imsg_get_ibuf(imsg, &view) == -1)
			break;
		must(imsg_get_len(imsg) == 0);
		while (ibuf_get_n8(&view, &v8) == 0 &&
		    ibuf_get_n16(&view, &v16) == 0 &&
		    ibuf_get_n32(&view, &v32) == 0 &&
		    ibuf_get_n64(&view, &v64) == 0 &&
		    ibuf_get_ibuf(&view, v16, &part) == 0)
			(void)ibuf_truncate(&part, v32);
		break;
	case 4:
		if (imsg_get_ibuf(imsg, &view) == -1)
			break;
		while (ibuf_get_n8(&view, &v8) == 0 &&
		    (s = ibuf_get_string(&view, v8)) != NULL) {
			must(strlen(s) <= v8);
			free(s);
		}
		break;
	case 5:
		if (imsg_get_ibuf(imsg, &view) == -1 ||
		    ibuf_get_h64(&view, &v64) == -1 ||
		    ibuf_get_h32(&view, &v32) == -1)
			break;
		(void)ibuf_skip(&view, v64);
		if (ibuf_seek(&view, v32, v64) != NULL)
			must(v64 <= ibuf_size(&view));
		(void)ibuf_set_n32(&view, v32, v32);
		(void)ibuf_set_h64(&view, v64, v64);
		break;
	default:
		break;
	}
	ibuf_rewind(imsg->buf);
	must(ibuf_skip(imsg->buf, IMSG_HEADER_SIZE) == 0);
}
