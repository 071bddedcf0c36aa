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
 * Tests of common/imsg.c and of the way descriptors take through
 * common/imsg-buffer.c.  What the peer sends is written by hand wherever a
 * peer that keeps the rules would not send it.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define HDR		16
#define MARK		0x80000000U
#define PAYLOAD_MAX	(16384 - HDR)

/* A channel whose peer is peer, and a second imsgbuf at that end. */
static struct imsgbuf	 rx, tx;
static int		 peer;

static void
channel(int fdpass)
{
	int	 p[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p));
	ATF_REQUIRE_EQ(0, imsgbuf_init(&rx, p[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_init(&tx, p[1]));
	if (fdpass) {
		imsgbuf_allow_fdpass(&rx);
		imsgbuf_allow_fdpass(&tx);
	}
	peer = p[1];
}

static void
channel_end(void)
{
	imsgbuf_clear(&rx);
	imsgbuf_clear(&tx);
	close(rx.fd);
	close(peer);
}

static size_t
put_hdr(unsigned char *p, uint32_t type, uint32_t len)
{
	struct imsg_hdr	 hdr = { type, len, type + 100, 7 };

	memcpy(p, &hdr, sizeof(hdr));
	return (sizeof(hdr));
}

/* One sendmsg with nfds descriptors on its first byte. */
static void
send_fds(const void *data, size_t len, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 space[CMSG_SPACE(8 * sizeof(int))];
	}			 control;
	struct iovec		 iov;
	struct msghdr		 msg;
	unsigned char		 copy[65536];

	ATF_REQUIRE(len <= sizeof(copy));
	memcpy(copy, data, len);
	iov.iov_base = copy;
	iov.iov_len = len;
	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (nfds > 0) {
		control.hdr.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.hdr), fds, nfds * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	ATF_REQUIRE_EQ((ssize_t)len, sendmsg(peer, &msg, MSG_NOSIGNAL));
}

static void
send_fd(const void *data, size_t len, int fd)
{
	send_fds(data, len, &fd, fd == -1 ? 0 : 1);
}

/* A bare message as the peer, with or without mark and fd. */
static void
send_hdr(uint32_t type, uint32_t len, int fd)
{
	unsigned char	 raw[HDR];

	put_hdr(raw, type, len);
	send_fd(raw, sizeof(raw), fd);
}

static int
devnull(void)
{
	int	 fd;

	ATF_REQUIRE((fd = open("/dev/null", O_RDWR)) != -1);
	return (fd);
}

static int
devzero(void)
{
	int	 fd;

	ATF_REQUIRE((fd = open("/dev/zero", O_RDWR)) != -1);
	return (fd);
}

static int
is_open(int fd)
{
	return (fcntl(fd, F_GETFD) != -1);
}

static int
same_file(int a, int b)
{
	struct stat	 sa, sb;

	ATF_REQUIRE_EQ(0, fstat(a, &sa));
	ATF_REQUIRE_EQ(0, fstat(b, &sb));
	return (sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino);
}

/*
 * A descriptor whose copies can be counted: the read end says EOF only when
 * every copy of the write end is gone.
 */
static int	 canary_rd;

static int
canary(void)
{
	int	 p[2];

	ATF_REQUIRE_EQ(0, pipe2(p, O_NONBLOCK | O_CLOEXEC));
	canary_rd = p[0];
	return (p[1]);
}

static int
canary_alive(void)
{
	char	 c;

	return (read(canary_rd, &c, 1) == -1 && errno == EAGAIN);
}

/* The next message must be this; returns its fd. */
static int
expect(uint32_t type, size_t len)
{
	struct imsg	 imsg;
	int		 fd;

	ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
	ATF_REQUIRE_EQ(type, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(len, imsg_get_len(&imsg));
	ATF_REQUIRE_EQ(len + HDR, imsg.hdr.len);
	fd = imsg_get_fd(&imsg);
	imsg_free(&imsg);
	return (fd);
}

static void
expect_none(void)
{
	struct imsg	 imsg;

	ATF_REQUIRE_EQ(0, imsgbuf_get(&rx, &imsg));
}

static void
expect_file(uint32_t type, int want)
{
	int	 fd;

	fd = expect(type, 0);
	ATF_REQUIRE_MSG(fd != -1, "message %u came without its fd", type);
	ATF_REQUIRE_MSG(same_file(fd, want), "message %u has a wrong fd", type);
	close(fd);
}

ATF_TC_WITHOUT_HEAD(init);
ATF_TC_BODY(init, tc)
{
	ATF_REQUIRE_EQ(16, IMSG_HEADER_SIZE);
	ATF_REQUIRE_EQ(16384, MAX_IMSGSIZE);
	ATF_REQUIRE_EQ(65535, IBUF_READ_SIZE);
	channel(0);
	ATF_REQUIRE_EQ(getpid(), rx.pid);
	ATF_REQUIRE_EQ(MAX_IMSGSIZE, rx.maxsize);
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&rx));
	expect_none();
	imsgbuf_clear(&rx);
	ATF_REQUIRE(rx.w == NULL);
	/* The socket is the caller's. */
	ATF_REQUIRE(is_open(rx.fd));
	imsgbuf_clear(&tx);
	close(rx.fd);
	close(peer);
}

ATF_TC_WITHOUT_HEAD(roundtrip);
ATF_TC_BODY(roundtrip, tc)
{
	struct imsg	 imsg;
	char		 got[8] = "";

	channel(0);
	ATF_REQUIRE_EQ(1,
	    imsg_compose(&tx, 70000, 0xdeadbeef, 0, -1, "abc", 3));
	ATF_REQUIRE_EQ(1, imsg_compose(&tx, 2, 3, 4, -1, NULL, 0));
	ATF_REQUIRE_EQ(2, imsgbuf_queuelen(&tx));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&tx));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
	ATF_REQUIRE_EQ(70000, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(0xdeadbeef, imsg_get_id(&imsg));
	ATF_REQUIRE_EQ(getpid(), imsg_get_pid(&imsg));
	ATF_REQUIRE_EQ(3, imsg_get_len(&imsg));
	ATF_REQUIRE_EQ(0, memcmp("abc", imsg.data, 3));
	ATF_REQUIRE_EQ(-1, imsg_get_fd(&imsg));
	ATF_REQUIRE_EQ(0, imsg_get_data(&imsg, got, 3));
	ATF_REQUIRE_STREQ("abc", got);
	ATF_REQUIRE_EQ(0, imsg_get_len(&imsg));
	imsg_free(&imsg);
	/* The older call gives the whole length. */
	ATF_REQUIRE_EQ(HDR, imsg_get(&rx, &imsg));
	ATF_REQUIRE_EQ(2, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(3, imsg_get_id(&imsg));
	ATF_REQUIRE_EQ(4, imsg_get_pid(&imsg));
	ATF_REQUIRE(imsg.data == NULL);
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(0, imsg_get(&rx, &imsg));
	channel_end();
}

ATF_TC_WITHOUT_HEAD(composev);
ATF_TC_BODY(composev, tc)
{
	static char	 big[PAYLOAD_MAX];
	struct iovec	 iov[3];
	struct imsg	 imsg;
	char		 got[5];
	int		 fd;

	channel(1);
	fd = canary();
	iov[0].iov_base = big;
	iov[0].iov_len = sizeof(big);
	iov[1].iov_base = big;
	iov[1].iov_len = 1;
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_composev(&tx, 1, 0, 0, fd, iov, 2) == -1);
	iov[0].iov_len = SIZE_MAX;
	iov[1].iov_len = 2;
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_composev(&tx, 1, 0, 0, fd, iov, 2) == -1);
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&tx));
	ATF_REQUIRE(is_open(fd));

	iov[0].iov_base = big;
	memcpy(big, "abcde", 5);
	iov[0].iov_len = 2;
	iov[1].iov_base = NULL;
	iov[1].iov_len = 0;
	iov[2].iov_base = big + 2;
	iov[2].iov_len = 3;
	ATF_REQUIRE_EQ(1, imsg_composev(&tx, 1, 2, 3, fd, iov, 3));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE(!is_open(fd));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
	ATF_REQUIRE_EQ(2, imsg_get_id(&imsg));
	ATF_REQUIRE_EQ(3, imsg_get_pid(&imsg));
	ATF_REQUIRE_EQ(0, imsg_get_data(&imsg, got, 5));
	ATF_REQUIRE_EQ(0, memcmp("abcde", got, 5));
	ATF_REQUIRE(canary_alive());
	/* Nobody takes the fd: it goes with the message. */
	imsg_free(&imsg);
	ATF_REQUIRE(!canary_alive());
	channel_end();
}

ATF_TC_WITHOUT_HEAD(compose_failure);
ATF_TC_BODY(compose_failure, tc)
{
	static char	 big[PAYLOAD_MAX + 1];
	int		 fd;

	channel(1);
	fd = devnull();
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_compose(&tx, 1, 0, 0, fd, big, sizeof(big)) == -1);
	ATF_REQUIRE(is_open(fd));
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_compose(&tx, 1, 0, 0, fd, big, SIZE_MAX) == -1);
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_compose(&tx, 1, 0, 0, fd, big, SIZE_MAX - 8) == -1);
	ATF_REQUIRE(is_open(fd));
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&tx));
	ATF_REQUIRE_EQ(1,
	    imsg_compose(&tx, 1, 0, 0, fd, big, sizeof(big) - 1));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE(!is_open(fd));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE((fd = expect(1, PAYLOAD_MAX)) != -1);
	close(fd);
	channel_end();
}

ATF_TC_WITHOUT_HEAD(compose_ibuf);
ATF_TC_BODY(compose_ibuf, tc)
{
	struct ibuf	*buf;
	struct imsg	 imsg;
	int		 fd;

	channel(1);
	ATF_REQUIRE((buf = ibuf_dynamic(0, 20000)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "xhello", 6));
	ATF_REQUIRE_EQ(0, ibuf_skip(buf, 1));
	ATF_REQUIRE_EQ(1, imsg_compose_ibuf(&tx, 9, 8, 7, buf));
	ATF_REQUIRE_EQ(2, imsgbuf_queuelen(&tx));

	ATF_REQUIRE((buf = ibuf_open(PAYLOAD_MAX + 1)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_zero(buf, PAYLOAD_MAX + 1));
	ATF_REQUIRE_ERRNO(ERANGE, imsg_compose_ibuf(&tx, 9, 8, 7, buf) == -1);
	/* No fd, and no leak of the one that was tried. */
	ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
	fd = devnull();
	ibuf_fd_set(buf, fd);
	ATF_REQUIRE_ERRNO(EINVAL, imsg_compose_ibuf(&tx, 9, 8, 7, buf) == -1);
	ATF_REQUIRE(!is_open(fd));
	ATF_REQUIRE_EQ(2, imsgbuf_queuelen(&tx));

	ATF_REQUIRE((buf = ibuf_open(0)) != NULL);
	ATF_REQUIRE_EQ(1, imsg_compose_ibuf(&tx, 10, 8, 0, buf));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
	ATF_REQUIRE_EQ(9, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(7, imsg_get_pid(&imsg));
	ATF_REQUIRE_EQ(5, imsg_get_len(&imsg));
	ATF_REQUIRE_EQ(0, memcmp("hello", imsg.data, 5));
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(-1, expect(10, 0));
	channel_end();
}

ATF_TC_WITHOUT_HEAD(create);
ATF_TC_BODY(create, tc)
{
	static char	 big[PAYLOAD_MAX];
	struct ibuf	*msg;
	int		 fd;

	channel(1);
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_create(&tx, 1, 0, 0, PAYLOAD_MAX + 1) == NULL);
	ATF_REQUIRE_ERRNO(ERANGE, imsg_create(&tx, 1, 0, 0, SIZE_MAX) == NULL);
	/* The hint is no limit. */
	ATF_REQUIRE((msg = imsg_create(&tx, 1, 0, 0, 4)) != NULL);
	ATF_REQUIRE_EQ(0, imsg_add(msg, NULL, 0));
	ATF_REQUIRE_EQ(7, imsg_add(msg, big, 7));
	ATF_REQUIRE_EQ(PAYLOAD_MAX - 7, imsg_add(msg, big, PAYLOAD_MAX - 7));
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&tx));
	ibuf_fd_set(msg, devnull());
	imsg_close(&tx, msg);
	ATF_REQUIRE_EQ(1, imsgbuf_queuelen(&tx));
	/* One byte too many, and the message is gone with its fd. */
	ATF_REQUIRE((msg = imsg_create(&tx, 1, 0, 0, 0)) != NULL);
	fd = devnull();
	ibuf_fd_set(msg, fd);
	ATF_REQUIRE_EQ(PAYLOAD_MAX, imsg_add(msg, big, PAYLOAD_MAX));
	ATF_REQUIRE_ERRNO(ERANGE, imsg_add(msg, big, 1) == -1);
	ATF_REQUIRE(!is_open(fd));

	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE((fd = expect(1, PAYLOAD_MAX)) != -1);
	close(fd);
	expect_none();
	channel_end();
}

ATF_TC_WITHOUT_HEAD(message_maxsize);
ATF_TC_BODY(message_maxsize, tc)
{
	struct ibuf	*msg;

	channel(0);
	ATF_REQUIRE((msg = imsg_create(&tx, 1, 0, 0, 0)) != NULL);
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_set_maxsize(msg, PAYLOAD_MAX + 1) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, imsg_set_maxsize(msg, UINT32_MAX) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, imsg_set_maxsize(msg, SIZE_MAX) == -1);
	ATF_REQUIRE_EQ(0, imsg_set_maxsize(msg, 4));
	ATF_REQUIRE_EQ(3, imsg_add(msg, "abc", 3));
	ATF_REQUIRE_ERRNO(ERANGE, imsg_set_maxsize(msg, 2) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add(msg, "de", 2) == -1);
	ATF_REQUIRE_EQ(1, imsg_add(msg, "d", 1));
	imsg_close(&tx, msg);
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	expect(1, 4);
	channel_end();
}

ATF_TC_WITHOUT_HEAD(channel_maxsize);
ATF_TC_BODY(channel_maxsize, tc)
{
	struct ibuf	*msg;

	channel(0);
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsgbuf_set_maxsize(&tx, UINT32_MAX) == -1);
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsgbuf_set_maxsize(&tx, UINT32_MAX - HDR + 1) == -1);
	ATF_REQUIRE_ERRNO(EINVAL,
	    imsgbuf_set_maxsize(&tx, UINT32_MAX - HDR) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, imsgbuf_set_maxsize(&tx, MARK - HDR) == -1);
	ATF_REQUIRE_EQ(MAX_IMSGSIZE, tx.maxsize);
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&tx, MARK - HDR - 1));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&tx, 5));
	ATF_REQUIRE_ERRNO(ERANGE, imsg_create(&tx, 1, 0, 0, 6) == NULL);
	ATF_REQUIRE_EQ(1, imsg_compose(&tx, 1, 0, 0, -1, "abcde", 5));
	/* A limit of nothing still lets a header through. */
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&tx, 0));
	ATF_REQUIRE((msg = imsg_create(&tx, 2, 0, 0, 0)) != NULL);
	imsg_close(&tx, msg);
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	/* It counts for the reader as well. */
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&rx, 5));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	expect(1, 5);
	expect(2, 0);
	send_hdr(1, HDR + 6, -1);
	ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_read(&rx) == -1);
	channel_end();
}

ATF_TC_WITHOUT_HEAD(lengths);
ATF_TC_BODY(lengths, tc)
{
	static const struct {
		uint32_t	 len;
		int		 ok;
	}			 t[] = {
		{ 0, 0 }, { 1, 0 }, { 15, 0 }, { 16, 1 }, { 17, 1 },
		{ 16384, 1 }, { 16385, 0 }, { 0x7fffffff, 0 },
		{ MARK, 0 }, { MARK | 15, 0 }, { MARK | 16, 1 },
		{ MARK | 16385, 0 }, { UINT32_MAX, 0 }
	};
	static unsigned char	 raw[16385];
	size_t			 i, len;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		channel(1);
		len = t[i].len & ~MARK;
		if (len < HDR || len > sizeof(raw))
			len = HDR;
		put_hdr(raw, 5, t[i].len);
		send_fd(raw, len, -1);
		if (t[i].ok) {
			ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
			ATF_REQUIRE_EQ(-1, expect(5, len - HDR));
		} else {
			ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_read(&rx) == -1);
			expect_none();
			/* Nothing that follows can be believed. */
			send_hdr(6, HDR, -1);
			ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_read(&rx) == -1);
			expect_none();
		}
		channel_end();
	}
}

/* A good message before a bad one is not lost. */
ATF_TC_WITHOUT_HEAD(good_before_bad);
ATF_TC_BODY(good_before_bad, tc)
{
	unsigned char	 raw[2 * HDR];

	channel(1);
	put_hdr(raw, 1, HDR);
	put_hdr(raw + HDR, 2, 3);
	send_fd(raw, sizeof(raw), -1);
	ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_read(&rx) == -1);
	expect(1, 0);
	expect_none();
	channel_end();
}

/*
 * Cut two messages that both carry an fd at every byte of the first.  The rest
 * and the second may arrive in one read or in two.
 */
ATF_TC_WITHOUT_HEAD(split);
ATF_TC_BODY(split, tc)
{
	unsigned char	 raw[HDR + 5];
	struct imsg	 imsg;
	int		 cut, fd, null, zero;

	null = devnull();
	zero = devzero();
	for (cut = 1; cut < (int)sizeof(raw); cut++) {
		channel(1);
		put_hdr(raw, 1, sizeof(raw) | MARK);
		memcpy(raw + HDR, "hello", 5);
		send_fd(raw, cut, null);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		expect_none();
		send_fd(raw + cut, sizeof(raw) - cut, -1);
		send_hdr(3, HDR, -1);
		send_hdr(2, HDR | MARK, zero);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
		ATF_REQUIRE_EQ(1, imsg_get_type(&imsg));
		ATF_REQUIRE_EQ(101, imsg_get_id(&imsg));
		ATF_REQUIRE_EQ(5, imsg_get_len(&imsg));
		ATF_REQUIRE_EQ(0, memcmp("hello", imsg.data, 5));
		ATF_REQUIRE((fd = imsg_get_fd(&imsg)) != -1);
		ATF_REQUIRE(same_file(fd, null));
		ATF_REQUIRE_EQ(-1, imsg_get_fd(&imsg));
		close(fd);
		imsg_free(&imsg);
		ATF_REQUIRE_EQ(-1, expect(3, 0));
		expect_file(2, zero);
		expect_none();
		channel_end();
	}
}

/* The same a byte at a time. */
ATF_TC_WITHOUT_HEAD(bytewise);
ATF_TC_BODY(bytewise, tc)
{
	unsigned char	 raw[HDR];
	int		 i, null;

	channel(1);
	null = devnull();
	put_hdr(raw, 1, HDR | MARK);
	for (i = 0; i < HDR; i++) {
		expect_none();
		send_fd(raw + i, 1, i == 0 ? null : -1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	}
	expect_file(1, null);
	channel_end();
}

/*
 * The kernel glues data in front of the segment that carries an fd; the
 * 65535 byte limit then cuts the header which owns it.
 */
ATF_TC_WITHOUT_HEAD(fd_fifo);
ATF_TC_BODY(fd_fifo, tc)
{
	static unsigned char	 pad[65536];
	size_t			 off, n, want;
	int			 i, null, size = 1 << 20, zero;

	null = devnull();
	zero = devzero();
	for (want = 65519; want <= 65535; want++) {
		channel(1);
		ATF_REQUIRE_EQ(0, setsockopt(peer, SOL_SOCKET, SO_SNDBUF,
		    &size, sizeof(size)));
		for (off = 0; off < want; off += n) {
			n = want - off > 16384 ? 16384 : want - off;
			put_hdr(pad + off, 50, n);
		}
		send_fd(pad, want, -1);
		send_hdr(1, HDR | MARK, null);
		send_hdr(2, HDR | MARK, zero);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		for (i = 0; i < 3; i++)
			expect(50, PAYLOAD_MAX);
		expect(50, want - 3 * 16384 - HDR);
		if (want == 65519)
			expect_file(1, null);
		else
			expect_none();	/* else nothing was cut */
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		if (want != 65519)
			expect_file(1, null);
		expect_file(2, zero);
		expect_none();
		channel_end();
	}
}

ATF_TC_WITHOUT_HEAD(mark_without_fd);
ATF_TC_BODY(mark_without_fd, tc)
{
	unsigned char	 raw[HDR];
	int		 cut, zero;

	zero = devzero();
	channel(1);
	send_hdr(1, HDR | MARK, -1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(-1, expect(1, 0));
	send_hdr(2, HDR | MARK, zero);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	expect_file(2, zero);
	channel_end();

	/* A header that began without an fd cannot take a later one. */
	put_hdr(raw, 1, HDR | MARK);
	for (cut = 1; cut < HDR; cut++) {
		channel(1);
		send_fd(raw, cut, -1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		send_fd(raw + cut, HDR - cut, -1);
		send_hdr(2, HDR | MARK, zero);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE_EQ(-1, expect(1, 0));
		expect_file(2, zero);
		channel_end();
	}
}

/* Whatever is wrong: EBADMSG for good, and no descriptor stays behind. */
static void
expect_broken(int fd)
{
	close(fd);
	ATF_REQUIRE_ERRNO(EBADMSG, imsgbuf_read(&rx) == -1);
	ATF_REQUIRE(!canary_alive());
	send_hdr(77, HDR, -1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsgbuf_read(&rx) == -1);
	expect_none();
	close(canary_rd);
	channel_end();
}

ATF_TC_WITHOUT_HEAD(fd_without_mark);
ATF_TC_BODY(fd_without_mark, tc)
{
	unsigned char	 raw[HDR + 4] = { 0 };
	int		 cut, fd;

	/* The control: with the mark it is delivered. */
	channel(1);
	fd = canary();
	send_hdr(1, HDR | MARK, fd);
	close(fd);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE(canary_alive());
	close(expect(1, 0));
	ATF_REQUIRE(!canary_alive());
	channel_end();

	channel(1);
	fd = canary();
	send_hdr(1, HDR, fd);
	close(fd);
	ATF_REQUIRE_ERRNO(EBADMSG, imsgbuf_read(&rx) == -1);
	ATF_REQUIRE(!canary_alive());
	/* The message itself is whole, and has nothing. */
	ATF_REQUIRE_EQ(-1, expect(1, 0));
	channel_end();

	/* Split, so that the fd is kept until the rest of the header is in. */
	for (cut = 1; cut < HDR; cut++) {
		channel(1);
		fd = canary();
		put_hdr(raw, 1, HDR);
		send_fd(raw, cut, fd);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE(canary_alive());
		send_fd(raw + cut, HDR - cut, -1);
		expect_broken(fd);
	}

	/* In the later part of a header, and in a body. */
	for (cut = 1; cut < (int)sizeof(raw); cut++) {
		channel(1);
		fd = canary();
		put_hdr(raw, 1, (sizeof(raw) + 1) | MARK);
		send_fd(raw, cut, -1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		send_fd(raw + cut, 1, fd);
		expect_broken(fd);
	}
}

ATF_TC_WITHOUT_HEAD(unmarked_then_marked);
ATF_TC_BODY(unmarked_then_marked, tc)
{
	unsigned char	 raw[2 * HDR];
	int		 fd;

	/* An fd kept for a split header that turns out not to want it. */
	channel(1);
	fd = canary();
	put_hdr(raw, 1, HDR);
	put_hdr(raw + HDR, 2, HDR | MARK);
	send_fd(raw, 8, fd);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	send_fd(raw + 8, sizeof(raw) - 8, -1);
	expect_broken(fd);
}

ATF_TC_WITHOUT_HEAD(two_fds);
ATF_TC_BODY(two_fds, tc)
{
	unsigned char	 raw[2 * HDR];
	int		 fds[5];
	size_t		 i, n;

	for (n = 2; n <= 5; n++) {
		channel(1);
		fds[0] = canary();
		for (i = 1; i < n; i++)
			ATF_REQUIRE((fds[i] = dup(fds[0])) != -1);
		put_hdr(raw, 1, HDR | MARK);
		send_fds(raw, HDR, fds, n);
		for (i = 0; i < n; i++)
			close(fds[i]);
		ATF_REQUIRE_ERRNO(EBADMSG, imsgbuf_read(&rx) == -1);
		/* The first found its message, the others are closed. */
		ATF_REQUIRE(canary_alive());
		close(expect(1, 0));
		ATF_REQUIRE(!canary_alive());
		ATF_REQUIRE_ERRNO(EBADMSG, imsgbuf_read(&rx) == -1);
		channel_end();
	}

	/* More than one for a header that is not whole. */
	for (n = 2; n <= 5; n++) {
		channel(1);
		fds[0] = canary();
		for (i = 1; i < n; i++)
			ATF_REQUIRE((fds[i] = dup(fds[0])) != -1);
		send_fds(raw, 4, fds, n);
		for (i = 1; i < n; i++)
			close(fds[i]);
		expect_broken(fds[0]);
	}

	/* One kept, and more with the rest. */
	channel(1);
	fds[0] = canary();
	for (i = 1; i < 4; i++)
		ATF_REQUIRE((fds[i] = dup(fds[0])) != -1);
	put_hdr(raw, 1, HDR);
	send_fd(raw, 4, fds[0]);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	send_fds(raw + 4, HDR - 4, fds, 4);
	for (i = 1; i < 4; i++)
		close(fds[i]);
	expect_broken(fds[0]);
}

/* clear and close must not leak what waits for a header or a reader. */
ATF_TC_WITHOUT_HEAD(clear);
ATF_TC_BODY(clear, tc)
{
	unsigned char	 raw[HDR];
	int		 fd, len, step;

	for (step = 0; step < 3; step++) {
		channel(1);
		fd = canary();
		put_hdr(raw, 1, (step == 1 ? HDR + 1 : HDR) | MARK);
		len = step == 0 ? 4 : HDR;
		send_fd(raw, len, fd);
		close(fd);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE(canary_alive());
		imsgbuf_clear(&rx);
		ATF_REQUIRE(!canary_alive());
		ATF_REQUIRE(is_open(rx.fd));
		imsgbuf_clear(&tx);
	}

	/* The write side. */
	channel(1);
	fd = canary();
	ATF_REQUIRE_EQ(1, imsg_compose(&tx, 1, 0, 0, fd, NULL, 0));
	ATF_REQUIRE(canary_alive());
	imsgbuf_clear(&tx);
	ATF_REQUIRE(!canary_alive());
	ATF_REQUIRE(is_open(peer));
	imsgbuf_clear(&rx);
}

ATF_TC_WITHOUT_HEAD(eof);
ATF_TC_BODY(eof, tc)
{
	unsigned char	 raw[HDR];
	int		 len;

	for (len = 0; len <= HDR; len++) {
		channel(1);
		put_hdr(raw, 1, HDR + 1);
		if (len > 0) {
			send_fd(raw, len, -1);
			ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		}
		close(peer);
		ATF_REQUIRE_EQ(0, imsgbuf_read(&rx));
		expect_none();
		ATF_REQUIRE_EQ(0, imsgbuf_read(&rx));
		imsgbuf_clear(&rx);
		imsgbuf_clear(&tx);
	}
}

ATF_TC_WITHOUT_HEAD(eagain);
ATF_TC_BODY(eagain, tc)
{
	static char	 big[PAYLOAD_MAX];
	int		 fdpass, i, n;

	for (fdpass = 0; fdpass < 2; fdpass++) {
		channel(fdpass);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		expect_none();
		for (i = 0; i < 100; i++)
			ATF_REQUIRE_EQ(1, imsg_compose(&tx, i, 0, 0, -1, big,
			    sizeof(big)));
		/* Fills up without an error and keeps the rest. */
		for (i = 0; i < 100; i++)
			ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
		ATF_REQUIRE(imsgbuf_queuelen(&tx) > 0);
		ATF_REQUIRE(imsgbuf_queuelen(&tx) < 100);
		for (n = 0; n < 100;) {
			struct imsg	 imsg;

			ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
			ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
			while (imsgbuf_get(&rx, &imsg) == 1) {
				ATF_REQUIRE_EQ((uint32_t)n,
				    imsg_get_type(&imsg));
				imsg_free(&imsg);
				n++;
			}
		}
		ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&tx));
		channel_end();
	}
}

/* The third signal lets the call that the others interrupted get on. */
static volatile sig_atomic_t	 interrupts;
static int			 writing;

static void
interrupt(int sig)
{
	static char	 sink[65536];
	struct imsg_hdr	 hdr = { 1, HDR, 0, 0 };

	(void)sig;
	if (++interrupts < 3)
		return;
	if (!writing)
		send(peer, &hdr, sizeof(hdr), MSG_DONTWAIT);
	else
		while (recv(rx.fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			continue;
}

ATF_TC_WITHOUT_HEAD(eintr);
ATF_TC_BODY(eintr, tc)
{
	static char		 big[PAYLOAD_MAX];
	struct itimerval	 tick = { { 0, 2000 }, { 0, 2000 } };
	struct itimerval	 off = { { 0, 0 }, { 0, 0 } };
	struct sigaction	 sa;
	int			 fdpass;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = interrupt;	/* and no SA_RESTART */
	ATF_REQUIRE_EQ(0, sigaction(SIGALRM, &sa, NULL));
	for (fdpass = 0; fdpass < 2; fdpass++) {
		channel(fdpass);
		ATF_REQUIRE_EQ(0, fcntl(rx.fd, F_SETFL, 0));
		writing = 0;
		interrupts = 0;
		ATF_REQUIRE_EQ(0, setitimer(ITIMER_REAL, &tick, NULL));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE_EQ(0, setitimer(ITIMER_REAL, &off, NULL));
		ATF_REQUIRE(interrupts >= 3);
		expect(1, 0);

		while (send(peer, big, sizeof(big), MSG_DONTWAIT) > 0)
			continue;
		ATF_REQUIRE_EQ(0, fcntl(peer, F_SETFL, 0));
		ATF_REQUIRE_EQ(1, imsg_compose(&tx, 1, 0, 0, -1, big,
		    sizeof(big)));
		writing = 1;
		interrupts = 0;
		ATF_REQUIRE_EQ(0, setitimer(ITIMER_REAL, &tick, NULL));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
		ATF_REQUIRE_EQ(0, setitimer(ITIMER_REAL, &off, NULL));
		ATF_REQUIRE(interrupts >= 3);
		ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&tx));
		channel_end();
	}
}

ATF_TC_WITHOUT_HEAD(reset);
ATF_TC_BODY(reset, tc)
{
	char	 c;
	int	 fdpass;

	for (fdpass = 0; fdpass < 2; fdpass++) {
		/* The control: this is what the kernel says. */
		channel(fdpass);
		ATF_REQUIRE_EQ(1, write(rx.fd, "x", 1));
		close(peer);
		ATF_REQUIRE_ERRNO(ECONNRESET, read(rx.fd, &c, 1) == -1);
		imsgbuf_clear(&rx);
		imsgbuf_clear(&tx);

		channel(fdpass);
		ATF_REQUIRE_EQ(1, write(rx.fd, "x", 1));
		send_hdr(1, HDR, -1);
		close(peer);
		/* What it said before it left still counts. */
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		expect(1, 0);
		ATF_REQUIRE_EQ(0, imsgbuf_read(&rx));
		imsgbuf_clear(&rx);
		imsgbuf_clear(&tx);
	}
}

ATF_TC_WITHOUT_HEAD(bad_socket);
ATF_TC_BODY(bad_socket, tc)
{
	int	 fdpass;

	for (fdpass = 0; fdpass < 2; fdpass++) {
		channel(fdpass);
		close(rx.fd);
		ATF_REQUIRE_ERRNO(EBADF, imsgbuf_read(&rx) == -1);
		ATF_REQUIRE_EQ(1, imsg_compose(&rx, 1, 0, 0, -1, NULL, 0));
		ATF_REQUIRE_ERRNO(EBADF, imsgbuf_write(&rx) == -1);
		ATF_REQUIRE_ERRNO(EBADF, imsgbuf_flush(&rx) == -1);
		ATF_REQUIRE_EQ(1, imsgbuf_queuelen(&rx));
		imsgbuf_clear(&rx);
		imsgbuf_clear(&tx);
		close(peer);
	}
}

/* The default action of SIGPIPE would end the test. */
ATF_TC_WITHOUT_HEAD(no_sigpipe);
ATF_TC_BODY(no_sigpipe, tc)
{
	int	 fd, fdpass;

	for (fdpass = 0; fdpass < 2; fdpass++) {
		channel(fdpass);
		close(peer);
		fd = devnull();
		ATF_REQUIRE_EQ(1, imsg_compose(&rx, 1, 0, 0, fd, "x", 1));
		ATF_REQUIRE_ERRNO(EPIPE, imsgbuf_write(&rx) == -1);
		ATF_REQUIRE_ERRNO(EPIPE, imsgbuf_flush(&rx) == -1);
		ATF_REQUIRE(is_open(fd));
		imsgbuf_clear(&rx);
		ATF_REQUIRE(!is_open(fd));
		imsgbuf_clear(&tx);
	}
}

/* No free slot: the next fd that is opened would be over the limit. */
static void
slots(int none)
{
	static struct rlimit	 old;
	struct rlimit		 rl;
	int			 fd;

	if (!none) {
		ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
		return;
	}
	ATF_REQUIRE_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	fd = devnull();
	close(fd);
	rl = old;
	rl.rlim_cur = fd;
	ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_NOFILE, &rl));
	ATF_REQUIRE_ERRNO(EMFILE, open("/dev/null", O_RDONLY) == -1);
}

ATF_TC_WITHOUT_HEAD(out_of_descriptors);
ATF_TC_BODY(out_of_descriptors, tc)
{
	unsigned char	 raw[HDR];
	int		 cut, null, zero;

	null = devnull();
	zero = devzero();
	channel(1);
	send_hdr(1, HDR | MARK, null);
	slots(1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	slots(0);
	ATF_REQUIRE_EQ(-1, expect(1, 0));
	send_hdr(2, HDR | MARK, zero);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	expect_file(2, zero);
	channel_end();

	/* Lost while its header is cut: the next fd is not taken for it. */
	put_hdr(raw, 1, HDR | MARK);
	for (cut = 1; cut < HDR; cut++) {
		channel(1);
		send_fd(raw, cut, null);
		slots(1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		slots(0);
		send_fd(raw + cut, HDR - cut, -1);
		send_hdr(2, HDR | MARK, zero);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE_EQ(-1, expect(1, 0));
		expect_file(2, zero);
		channel_end();
	}

	/* An fd that no message claims is as wrong when it was lost. */
	channel(1);
	send_hdr(1, HDR, null);
	slots(1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsgbuf_read(&rx) == -1);
	slots(0);
	channel_end();
}

/* Plain messages glued in front must leave the lost place to its owner. */
ATF_TC_WITHOUT_HEAD(lost_behind_plain);
ATF_TC_BODY(lost_behind_plain, tc)
{
	int	 null, zero;

	null = devnull();
	zero = devzero();
	channel(1);
	send_hdr(1, HDR, -1);
	send_hdr(2, HDR | MARK, null);
	send_hdr(3, HDR | MARK, zero);
	slots(1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	slots(0);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(-1, expect(1, 0));
	ATF_REQUIRE_EQ(-1, expect(2, 0));
	expect_file(3, zero);
	channel_end();
}

ATF_TC_WITHOUT_HEAD(cloexec);
ATF_TC_BODY(cloexec, tc)
{
	int	 fd;

	channel(1);
	fd = devnull();
	ATF_REQUIRE_EQ(0, fcntl(fd, F_GETFD));
	ATF_REQUIRE_EQ(1, imsg_compose(&tx, 1, 0, 0, fd, NULL, 0));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE((fd = expect(1, 0)) != -1);
	ATF_REQUIRE_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
	channel_end();
}

/* Passing is opt-in at both ends; without it there is the mark and no fd. */
ATF_TC_WITHOUT_HEAD(no_fdpass);
ATF_TC_BODY(no_fdpass, tc)
{
	struct imsg	 imsg;
	int		 fd, side;

	for (side = 0; side < 2; side++) {
		channel(0);
		imsgbuf_allow_fdpass(side == 0 ? &rx : &tx);
		fd = canary();
		ATF_REQUIRE_EQ(1, imsg_compose(&tx, 1, 0, 0, fd, "x", 1));
		ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
		ATF_REQUIRE(!is_open(fd));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE(!canary_alive());
		ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
		ATF_REQUIRE_EQ(HDR + 1, imsg.hdr.len);
		ATF_REQUIRE_EQ(-1, imsg_get_fd(&imsg));
		imsg_free(&imsg);
		channel_end();
	}
}

/* A batch ends before the next message with an fd. */
ATF_TC_WITHOUT_HEAD(batches);
ATF_TC_BODY(batches, tc)
{
	static const uint32_t	 left[] = { 4, 2, 1, 0 };
	int			 fd, i, want[7] = { 0 };

	channel(1);
	for (i = 1; i <= 6; i++) {
		want[i] = -1;
		if (i == 3 || i == 5 || i == 6)
			want[i] = i == 5 ? devzero() : devnull();
		fd = want[i] == -1 ? -1 : dup(want[i]);
		ATF_REQUIRE_EQ(1, imsg_compose(&tx, i, 0, 0, fd, NULL, 0));
	}
	for (i = 0; i < 4; i++) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
		ATF_REQUIRE_EQ(left[i], imsgbuf_queuelen(&tx));
	}
	for (i = 0; i < 3; i++)
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	for (i = 1; i <= 6; i++) {
		if (want[i] == -1)
			ATF_REQUIRE_EQ(-1, expect(i, 0));
		else
			expect_file(i, want[i]);
	}
	channel_end();
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	uint32_t	 i;

	channel(1);
	for (i = 0; i < 2000; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&tx, i, 0, 0, -1, "ab", i % 3));
	ATF_REQUIRE_EQ(2000, imsgbuf_queuelen(&tx));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	for (i = 0; i < 2000; i++)
		ATF_REQUIRE_EQ(-1, expect(i, i % 3));
	expect_none();
	channel_end();
}

/* Longer than the read buffer and the socket, and with an fd. */
ATF_TC_WITHOUT_HEAD(large);
ATF_TC_BODY(large, tc)
{
	const size_t	 len = 700001;
	struct imsg	 imsg;
	unsigned char	*data;
	size_t		 i;
	int		 fd, n = 0, null, zero;

	channel(1);
	null = devnull();
	zero = devzero();
	ATF_REQUIRE((data = malloc(len)) != NULL);
	for (i = 0; i < len; i++)
		data[i] = (i * 7 + i / 251) & 0xff;
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_compose(&tx, 1, 0, 0, null, data, len) == -1);
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&tx, len));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&rx, len));
	ATF_REQUIRE_EQ(1, imsg_compose(&tx, 1, 0, 0, dup(null), data, len));
	ATF_REQUIRE_EQ(1, imsg_compose(&tx, 2, 0, 0, dup(zero), NULL, 0));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
	ATF_REQUIRE_EQ(2, imsgbuf_queuelen(&tx));
	while (imsgbuf_get(&rx, &imsg) == 0) {
		n++;
		ATF_REQUIRE_EQ(0, imsgbuf_write(&tx));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	}
	ATF_REQUIRE(n > 10);
	ATF_REQUIRE_EQ(len, imsg_get_len(&imsg));
	ATF_REQUIRE_EQ(0, memcmp(data, imsg.data, len));
	ATF_REQUIRE((fd = imsg_get_fd(&imsg)) != -1);
	ATF_REQUIRE(same_file(fd, null));
	close(fd);
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	expect_file(2, zero);
	free(data);
	channel_end();
}

/* A received message for the accessors; fd may be -1. */
static void
receive(struct imsg *imsg, const void *data, size_t len, int fd)
{
	ATF_REQUIRE_EQ(1, imsg_compose(&tx, 1, 2, 3, fd, data, len));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, imsg));
}

ATF_TC_WITHOUT_HEAD(accessors);
ATF_TC_BODY(accessors, tc)
{
	struct ibuf	 view;
	struct imsg	 imsg;
	char		 got[8];

	channel(1);
	receive(&imsg, "ab\0zefgh", 8, -1);
	memset(got, '?', sizeof(got));
	ATF_REQUIRE_ERRNO(EINVAL, imsg_get_data(&imsg, got, 0) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 7) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 9) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_buf(&imsg, got, 9) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_strbuf(&imsg, got, 9) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, imsg_get_strbuf(&imsg, got, 0) == -1);
	ATF_REQUIRE_ERRNO(EOVERFLOW, imsg_get_strbuf(&imsg, got, 2) == -1);
	ATF_REQUIRE_EQ('?', got[0]);
	ATF_REQUIRE_EQ(8, imsg_get_len(&imsg));
	ATF_REQUIRE_EQ(0, imsg_get_strbuf(&imsg, got, 4));
	ATF_REQUIRE_EQ(0, memcmp("ab\0\0?", got, 5));
	ATF_REQUIRE_EQ(4, imsg_get_len(&imsg));
	ATF_REQUIRE_EQ(0, imsg_get_buf(&imsg, got, 1));
	ATF_REQUIRE_EQ('e', got[0]);
	/* What is left has to match exactly. */
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 8) == -1);
	ATF_REQUIRE_EQ(0, imsg_get_ibuf(&imsg, &view));
	ATF_REQUIRE_EQ(3, ibuf_size(&view));
	ATF_REQUIRE_EQ(0, memcmp("fgh", ibuf_data(&view), 3));
	ATF_REQUIRE_EQ(0, imsg_get_len(&imsg));
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_ibuf(&imsg, &view) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_data(&imsg, got, 1) == -1);
	imsg_free(&imsg);

	receive(&imsg, "abcd", 4, -1);
	ATF_REQUIRE_EQ(0, imsg_get_data(&imsg, got, 4));
	ATF_REQUIRE_EQ(0, memcmp("abcd", got, 4));
	imsg_free(&imsg);
	channel_end();
}

ATF_TC_WITHOUT_HEAD(forward);
ATF_TC_BODY(forward, tc)
{
	struct imsg	 first, second;
	char		 got[6];
	int		 i;

	channel(1);
	receive(&first, "hello", 5, devnull());
	ATF_REQUIRE_EQ(0, imsg_get_buf(&first, got, 3));
	/* Twice, and whole, however much was read. */
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE_EQ(1, imsg_forward(&tx, &first));
		ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
		ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &second));
		ATF_REQUIRE_EQ(1, imsg_get_type(&second));
		ATF_REQUIRE_EQ(2, imsg_get_id(&second));
		ATF_REQUIRE_EQ(3, imsg_get_pid(&second));
		ATF_REQUIRE_EQ(-1, imsg_get_fd(&second));
		ATF_REQUIRE_EQ(0, imsg_get_data(&second, got, 5));
		ATF_REQUIRE_EQ(0, memcmp("hello", got, 5));
		imsg_free(&second);
	}
	/* The fd has not moved, the read position is back at the start. */
	ATF_REQUIRE_EQ(5, imsg_get_len(&first));
	ATF_REQUIRE((i = imsg_get_fd(&first)) != -1);
	close(i);
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&tx, 4));
	ATF_REQUIRE_ERRNO(ERANGE, imsg_forward(&tx, &first) == -1);
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&tx));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&tx, 5));
	ATF_REQUIRE_EQ(1, imsg_forward(&tx, &first));
	imsg_free(&first);
	channel_end();
}

/* A pid of 0 that came in goes out as 0, and an empty payload is one. */
ATF_TC_WITHOUT_HEAD(forward_header);
ATF_TC_BODY(forward_header, tc)
{
	struct imsg_hdr	 hdr = { 9, HDR, 8, 0 };
	struct imsg	 imsg;

	channel(0);
	send_fd(&hdr, sizeof(hdr), -1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
	ATF_REQUIRE_EQ(1, imsg_forward(&tx, &imsg));
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&rx, &imsg));
	ATF_REQUIRE_EQ(0, memcmp(&hdr, &imsg.hdr, sizeof(hdr)));
	imsg_free(&imsg);
	channel_end();
}

ATF_TC_WITHOUT_HEAD(park);
ATF_TC_BODY(park, tc)
{
	struct ibufqueue	*queue;
	struct imsg		 imsg;
	char			 got[5];
	int			 fd, null;

	channel(1);
	null = devnull();
	ATF_REQUIRE((queue = ibufq_new()) != NULL);
	ATF_REQUIRE_EQ(0, imsg_ibufq_pop(queue, &imsg));
	receive(&imsg, "hello", 5, dup(null));
	ATF_REQUIRE_EQ(0, imsg_get_buf(&imsg, got, 2));
	imsg_ibufq_push(queue, &imsg);
	ATF_REQUIRE(imsg.buf == NULL);
	ATF_REQUIRE_EQ(1, ibufq_queuelen(queue));
	ATF_REQUIRE_EQ(1, imsg_ibufq_pop(queue, &imsg));
	ATF_REQUIRE_EQ(HDR + 5, imsg.hdr.len);
	ATF_REQUIRE_EQ(1, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(2, imsg_get_id(&imsg));
	ATF_REQUIRE_EQ(0, imsg_get_data(&imsg, got, 5));
	ATF_REQUIRE_EQ(0, memcmp("hello", got, 5));
	ATF_REQUIRE((fd = imsg_get_fd(&imsg)) != -1);
	ATF_REQUIRE(same_file(fd, null));
	close(fd);
	imsg_free(&imsg);
	/* What is no message is dropped. */
	ibufq_push(queue, ibuf_open(3));
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_ibufq_pop(queue, &imsg) == -1);
	ATF_REQUIRE_EQ(0, ibufq_queuelen(queue));
	ibufq_free(queue);
	channel_end();
}

/*
 * A queue of parked messages can be sent as it stands.  One whose fd has been
 * taken must have lost its mark, or it would be given the next one's.
 */
ATF_TC_WITHOUT_HEAD(park_and_send);
ATF_TC_BODY(park_and_send, tc)
{
	struct ibufqueue	*queue;
	struct imsg		 imsg;
	int			 null, zero;

	channel(1);
	null = devnull();
	zero = devzero();
	ATF_REQUIRE((queue = ibufq_new()) != NULL);
	receive(&imsg, NULL, 0, dup(null));
	close(imsg_get_fd(&imsg));
	imsg_ibufq_push(queue, &imsg);
	receive(&imsg, NULL, 0, dup(zero));
	imsg_ibufq_push(queue, &imsg);
	msgbuf_concat(tx.w, queue);
	ATF_REQUIRE_EQ(2, imsgbuf_queuelen(&tx));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&tx));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&rx));
	ATF_REQUIRE_EQ(-1, expect(1, 0));
	expect_file(1, zero);
	expect_none();
	ibufq_free(queue);
	channel_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, init);
	ATF_TP_ADD_TC(tp, roundtrip);
	ATF_TP_ADD_TC(tp, composev);
	ATF_TP_ADD_TC(tp, compose_failure);
	ATF_TP_ADD_TC(tp, compose_ibuf);
	ATF_TP_ADD_TC(tp, create);
	ATF_TP_ADD_TC(tp, message_maxsize);
	ATF_TP_ADD_TC(tp, channel_maxsize);
	ATF_TP_ADD_TC(tp, lengths);
	ATF_TP_ADD_TC(tp, good_before_bad);
	ATF_TP_ADD_TC(tp, split);
	ATF_TP_ADD_TC(tp, bytewise);
	ATF_TP_ADD_TC(tp, fd_fifo);
	ATF_TP_ADD_TC(tp, mark_without_fd);
	ATF_TP_ADD_TC(tp, fd_without_mark);
	ATF_TP_ADD_TC(tp, unmarked_then_marked);
	ATF_TP_ADD_TC(tp, two_fds);
	ATF_TP_ADD_TC(tp, clear);
	ATF_TP_ADD_TC(tp, eof);
	ATF_TP_ADD_TC(tp, eagain);
	ATF_TP_ADD_TC(tp, eintr);
	ATF_TP_ADD_TC(tp, reset);
	ATF_TP_ADD_TC(tp, bad_socket);
	ATF_TP_ADD_TC(tp, no_sigpipe);
	ATF_TP_ADD_TC(tp, out_of_descriptors);
	ATF_TP_ADD_TC(tp, lost_behind_plain);
	ATF_TP_ADD_TC(tp, cloexec);
	ATF_TP_ADD_TC(tp, no_fdpass);
	ATF_TP_ADD_TC(tp, batches);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, large);
	ATF_TP_ADD_TC(tp, accessors);
	ATF_TP_ADD_TC(tp, forward);
	ATF_TP_ADD_TC(tp, forward_header);
	ATF_TP_ADD_TC(tp, park);
	ATF_TP_ADD_TC(tp, park_and_send);
	return (atf_no_error());
}
