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
 * Tests of common/imsg-buffer.c: buffers, queues and the plain reader.  What
 * concerns messages and their descriptors is in imsg_test.c.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

struct state {
	int		 fail;		/* errno of the callback */
	size_t		 room;		/* if not what the header says */
	int		 calls;
};

static size_t	 wiped;

/* Stands in for libbsd's, to see what is cleared before it is freed. */
void
freezero(void *p, size_t size)
{
	if (p == NULL)
		return;
	wiped += size;
	explicit_bzero(p, size);
	free(p);
}

/* Whether fn dies by abort(). */
static int
aborts(void (*fn)(void))
{
	struct rlimit	 rl = { 0, 0 };
	pid_t		 pid;
	int		 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &rl);
		signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int
is_open(int fd)
{
	return (fcntl(fd, F_GETFD) != -1);
}

/* Header: two bytes, the length of the whole message. */
static struct ibuf *
read_n16(struct ibuf *hdr, void *arg, int *fd)
{
	struct state	*st = arg;
	uint16_t	 len;

	st->calls++;
	ATF_REQUIRE_EQ(2, ibuf_size(hdr));
	if (fd != NULL && *fd != -1)
		atf_tc_fail("an fd that nobody sent");
	if (ibuf_get_n16(hdr, &len) == -1)
		return (NULL);
	if (st->fail != 0) {
		errno = st->fail;
		return (NULL);
	}
	return (ibuf_open(st->room != 0 ? st->room : len));
}

ATF_TC_WITHOUT_HEAD(open_fixed);
ATF_TC_BODY(open_fixed, tc)
{
	struct ibuf	*buf;
	size_t		 i;

	ATF_REQUIRE((buf = ibuf_open(8)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_size(buf));
	ATF_REQUIRE_EQ(8, ibuf_left(buf));
	for (i = 0; i < 8; i++)
		ATF_REQUIRE_EQ(0, buf->buf[i]);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "12345678", 8));
	ATF_REQUIRE_EQ(0, ibuf_left(buf));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add(buf, "9", 1) == -1);
	ATF_REQUIRE_EQ(8, ibuf_size(buf));
	ATF_REQUIRE_EQ(0, memcmp(ibuf_data(buf), "12345678", 8));
	ATF_REQUIRE_EQ(0, ibuf_add(buf, NULL, 0));
	ibuf_free(buf);

	ATF_REQUIRE((buf = ibuf_open(0)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_left(buf));
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "", 0));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add(buf, "", 1) == -1);
	ibuf_free(buf);
	ibuf_free(NULL);
}

ATF_TC_WITHOUT_HEAD(dynamic);
ATF_TC_BODY(dynamic, tc)
{
	struct ibuf	*buf;
	unsigned char	*p;
	size_t		 i;

	ATF_REQUIRE_ERRNO(EINVAL, ibuf_dynamic(0, 0) == NULL);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_dynamic(9, 8) == NULL);
	ATF_REQUIRE((buf = ibuf_dynamic(0, 1000)) != NULL);
	ATF_REQUIRE_EQ(1000, ibuf_left(buf));
	for (i = 0; i < 1000; i++) {
		ATF_REQUIRE_EQ(0, ibuf_add_n8(buf, i & 0xff));
		ATF_REQUIRE(buf->size <= 1000);
		ATF_REQUIRE(buf->size >= i + 1);
	}
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add_n8(buf, 1) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add(buf, "x", SIZE_MAX) == -1);
	ATF_REQUIRE_EQ(1000, ibuf_size(buf));
	p = ibuf_data(buf);
	for (i = 0; i < 1000; i++)
		ATF_REQUIRE_EQ((i & 0xff), p[i]);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(free_wipes);
ATF_TC_BODY(free_wipes, tc)
{
	struct ibuf	*buf;
	int		 fd;

	ATF_REQUIRE((buf = ibuf_dynamic(100, 200)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "secret", 6));
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ibuf_fd_set(buf, fd);
	wiped = 0;
	errno = EPROTO;
	ibuf_free(buf);
	ATF_REQUIRE_EQ(EPROTO, errno);
	ATF_REQUIRE_EQ(100, wiped);
	ATF_REQUIRE(!is_open(fd));

	/* A failed close does not show either. */
	ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
	ibuf_fd_set(buf, fd);
	errno = EPROTO;
	ibuf_free(buf);
	ATF_REQUIRE_EQ(EPROTO, errno);
}

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	static const unsigned char	 be[] = {
		0xfe, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
		0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18
	};
	struct ibuf	*buf;
	uint64_t	 v64;
	uint32_t	 v32;
	uint16_t	 v16;
	uint8_t		 v8;

	ATF_REQUIRE((buf = ibuf_dynamic(1, 100)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_n8(buf, 0xfe));
	ATF_REQUIRE_EQ(0, ibuf_add_n16(buf, 0x0102));
	ATF_REQUIRE_EQ(0, ibuf_add_n32(buf, 0x03040506));
	ATF_REQUIRE_EQ(0, ibuf_add_n64(buf, 0x1112131415161718));
	ATF_REQUIRE_EQ(sizeof(be), ibuf_size(buf));
	ATF_REQUIRE_EQ(0, memcmp(be, ibuf_data(buf), sizeof(be)));
	ATF_REQUIRE_EQ(0, ibuf_add_h16(buf, 0x2122));
	ATF_REQUIRE_EQ(0, ibuf_add_h32(buf, 0x31323334));
	ATF_REQUIRE_EQ(0, ibuf_add_h64(buf, 0x4142434445464748));
	v16 = 0x2122;
	ATF_REQUIRE_EQ(0, memcmp(&v16, ibuf_seek(buf, 15, 2), 2));
	v32 = 0x31323334;
	ATF_REQUIRE_EQ(0, memcmp(&v32, ibuf_seek(buf, 17, 4), 4));
	v64 = 0x4142434445464748;
	ATF_REQUIRE_EQ(0, memcmp(&v64, ibuf_seek(buf, 21, 8), 8));

	ATF_REQUIRE_EQ(0, ibuf_get_n8(buf, &v8));
	ATF_REQUIRE_EQ(0xfe, v8);
	ATF_REQUIRE_EQ(0, ibuf_get_n16(buf, &v16));
	ATF_REQUIRE_EQ(0x0102, v16);
	ATF_REQUIRE_EQ(0, ibuf_get_n32(buf, &v32));
	ATF_REQUIRE_EQ(0x03040506, v32);
	ATF_REQUIRE_EQ(0, ibuf_get_n64(buf, &v64));
	ATF_REQUIRE_EQ(0x1112131415161718, v64);
	ATF_REQUIRE_EQ(0, ibuf_get_h16(buf, &v16));
	ATF_REQUIRE_EQ(0x2122, v16);
	ATF_REQUIRE_EQ(0, ibuf_get_h32(buf, &v32));
	ATF_REQUIRE_EQ(0x31323334, v32);
	ATF_REQUIRE_EQ(0, ibuf_get_h64(buf, &v64));
	ATF_REQUIRE_EQ(0x4142434445464748, v64);
	ATF_REQUIRE_EQ(0, ibuf_size(buf));
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(numbers_too_big);
ATF_TC_BODY(numbers_too_big, tc)
{
	struct ibuf	*buf;

	ATF_REQUIRE((buf = ibuf_dynamic(0, 100)) != NULL);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_n8(buf, UINT8_MAX + 1) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_n8(buf, (uint64_t)-1) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_n16(buf, UINT16_MAX + 1) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_n32(buf, 1ULL << 32) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_h16(buf, UINT16_MAX + 1) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_h32(buf, 1ULL << 32) == -1);
	ATF_REQUIRE_EQ(0, ibuf_size(buf));
	ATF_REQUIRE_EQ(0, ibuf_add_n8(buf, UINT8_MAX));
	ATF_REQUIRE_EQ(0, ibuf_add_n16(buf, UINT16_MAX));
	ATF_REQUIRE_EQ(0, ibuf_add_n32(buf, UINT32_MAX));
	ATF_REQUIRE_EQ(0, ibuf_add_n64(buf, UINT64_MAX));
	ATF_REQUIRE_EQ(0, ibuf_add_h16(buf, UINT16_MAX));
	ATF_REQUIRE_EQ(0, ibuf_add_h32(buf, UINT32_MAX));
	ATF_REQUIRE_EQ(0, ibuf_add_h64(buf, UINT64_MAX));
	ATF_REQUIRE_EQ(29, ibuf_size(buf));
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_set_n8(buf, 0, 256) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_set_n16(buf, 0, 65536) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_set_n32(buf, 0, 1ULL << 32) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_set_h16(buf, 0, 65536) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_set_h32(buf, 0, 1ULL << 32) == -1);
	ATF_REQUIRE_EQ(0xff, buf->buf[0]);
	ibuf_free(buf);
}

/* A short buffer changes neither the result nor the read position. */
ATF_TC_WITHOUT_HEAD(numbers_short);
ATF_TC_BODY(numbers_short, tc)
{
	unsigned char	 raw[7] = { 1, 2, 3, 4, 5, 6, 7 };
	struct ibuf	 buf;
	uint64_t	 v64 = 64;
	uint32_t	 v32 = 32;
	uint16_t	 v16 = 16;
	uint8_t		 v8 = 8;

	ibuf_from_buffer(&buf, raw, 7);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n64(&buf, &v64) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_h64(&buf, &v64) == -1);
	ATF_REQUIRE_EQ(64, v64);
	ATF_REQUIRE_EQ(7, ibuf_size(&buf));
	ibuf_from_buffer(&buf, raw, 3);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n32(&buf, &v32) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_h32(&buf, &v32) == -1);
	ATF_REQUIRE_EQ(32, v32);
	ibuf_from_buffer(&buf, raw, 1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n16(&buf, &v16) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_h16(&buf, &v16) == -1);
	ATF_REQUIRE_EQ(16, v16);
	ATF_REQUIRE_EQ(0, ibuf_get_n8(&buf, &v8));
	ATF_REQUIRE_EQ(1, v8);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n8(&buf, &v8) == -1);
	ATF_REQUIRE_EQ(1, v8);
}

ATF_TC_WITHOUT_HEAD(set);
ATF_TC_BODY(set, tc)
{
	static const unsigned char	 want[] = {
		0xaa, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0xbb
	};
	struct ibuf	*buf;
	uint64_t	 v64;
	uint32_t	 v32;
	uint16_t	 v16;
	uint8_t		 skipped;

	ATF_REQUIRE((buf = ibuf_dynamic(0, 11)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_zero(buf, 11));
	ATF_REQUIRE_EQ(0, ibuf_get_n8(buf, &skipped));
	/* All positions are relative to what was read. */
	ATF_REQUIRE_EQ(0, ibuf_set_n8(buf, 0, 0xaa));
	ATF_REQUIRE_EQ(0, ibuf_set_n64(buf, 1, 0x0102030405060708));
	ATF_REQUIRE_EQ(0, ibuf_set(buf, 9, "\xbb", 1));
	ATF_REQUIRE_EQ(0, memcmp(want, ibuf_data(buf), sizeof(want)));
	ATF_REQUIRE_EQ(0, buf->buf[0]);
	ATF_REQUIRE_EQ(0, ibuf_set_n16(buf, 1, 0xf1f2));
	ATF_REQUIRE_EQ(0, ibuf_set_n32(buf, 3, 0xe1e2e3e4));
	ATF_REQUIRE_EQ(0, memcmp("\xaa\xf1\xf2\xe1\xe2\xe3\xe4\x07\x08\xbb",
	    ibuf_data(buf), 10));
	ATF_REQUIRE_EQ(0, ibuf_set_h16(buf, 8, 0x1234));
	ATF_REQUIRE_EQ(0, ibuf_set_h32(buf, 4, 0x12345678));
	v16 = 0x1234;
	ATF_REQUIRE_EQ(0, memcmp(&v16, ibuf_seek(buf, 8, 2), 2));
	v32 = 0x12345678;
	ATF_REQUIRE_EQ(0, memcmp(&v32, ibuf_seek(buf, 4, 4), 4));
	ATF_REQUIRE_EQ(0, ibuf_set_h64(buf, 2, 0x123456789abcdef0));
	v64 = 0x123456789abcdef0;
	ATF_REQUIRE_EQ(0, memcmp(&v64, ibuf_seek(buf, 2, 8), 8));

	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_n8(buf, 10, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_n16(buf, 9, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_n32(buf, 7, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_n64(buf, 3, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_h16(buf, 9, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_h32(buf, 7, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_h64(buf, 3, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set(buf, SIZE_MAX, "x", 1) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set(buf, 1, "x", SIZE_MAX) == -1);
	ATF_REQUIRE_EQ(0, ibuf_set(buf, 10, NULL, 0));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set(buf, 11, NULL, 0) == -1);
	ATF_REQUIRE_EQ(10, ibuf_size(buf));
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(seek);
ATF_TC_BODY(seek, tc)
{
	char		 raw[] = "0123456789";
	struct ibuf	 buf;

	ibuf_from_buffer(&buf, raw, 10);
	ATF_REQUIRE_EQ(raw, (char *)ibuf_seek(&buf, 0, 10));
	ATF_REQUIRE_EQ(0, ibuf_skip(&buf, 4));
	ATF_REQUIRE_EQ(raw + 4, (char *)ibuf_seek(&buf, 0, 6));
	ATF_REQUIRE_EQ(raw + 9, (char *)ibuf_seek(&buf, 5, 1));
	ATF_REQUIRE_EQ(raw + 10, (char *)ibuf_seek(&buf, 6, 0));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_seek(&buf, 0, 7) == NULL);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_seek(&buf, 7, 0) == NULL);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_seek(&buf, 5, SIZE_MAX) == NULL);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_seek(&buf, SIZE_MAX, 5) == NULL);
}

ATF_TC_WITHOUT_HEAD(reserve);
ATF_TC_BODY(reserve, tc)
{
	struct ibuf	*buf, view;
	char		*p;

	ATF_REQUIRE((buf = ibuf_dynamic(2, 10)) != NULL);
	ATF_REQUIRE((p = ibuf_reserve(buf, 6)) != NULL);
	memcpy(p, "abcdef", 6);
	ATF_REQUIRE_EQ(6, ibuf_size(buf));
	ATF_REQUIRE_EQ(4, ibuf_left(buf));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_reserve(buf, 5) == NULL);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_reserve(buf, SIZE_MAX) == NULL);
	ATF_REQUIRE((p = ibuf_reserve(buf, 4)) != NULL);
	memcpy(p, "ghij", 4);
	ATF_REQUIRE_EQ(0, memcmp(ibuf_data(buf), "abcdefghij", 10));
	ibuf_from_ibuf(&view, buf);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_reserve(&view, 1) == NULL);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(get);
ATF_TC_BODY(get, tc)
{
	char		 out[8] = "zzzzzzz", raw[] = "abcdef";
	struct ibuf	 buf;

	ibuf_from_buffer(&buf, raw, 6);
	ATF_REQUIRE_EQ(0, ibuf_get(&buf, out, 2));
	ATF_REQUIRE_EQ(0, memcmp(out, "abz", 3));
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get(&buf, out, 5) == -1);
	ATF_REQUIRE_EQ(0, memcmp(out, "abz", 3));
	ATF_REQUIRE_EQ(0, ibuf_get(&buf, out, 4));
	ATF_REQUIRE_EQ(0, memcmp(out, "cdef", 4));
	ATF_REQUIRE_EQ(0, ibuf_get(&buf, NULL, 0));
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get(&buf, out, 1) == -1);
	ibuf_rewind(&buf);
	ATF_REQUIRE_EQ(6, ibuf_size(&buf));
	ATF_REQUIRE_EQ(0, ibuf_skip(&buf, 6));
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_skip(&buf, 1) == -1);
	ibuf_rewind(&buf);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_skip(&buf, 7) == -1);
	ATF_REQUIRE_EQ(raw, (char *)ibuf_data(&buf));
}

ATF_TC_WITHOUT_HEAD(views);
ATF_TC_BODY(views, tc)
{
	struct ibuf	*buf, *copy, peek, part;
	char		 c;

	ATF_REQUIRE((buf = ibuf_dynamic(0, 20)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "abcdef", 6));
	ATF_REQUIRE_EQ(0, ibuf_skip(buf, 1));
	/* Peeking consumes nothing. */
	ibuf_from_ibuf(&peek, buf);
	ATF_REQUIRE_EQ(5, ibuf_size(&peek));
	ATF_REQUIRE_EQ(0, ibuf_get(&peek, &c, 1));
	ATF_REQUIRE_EQ('b', c);
	ATF_REQUIRE_EQ(5, ibuf_size(buf));
	ATF_REQUIRE_EQ(0, ibuf_left(&peek));
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add(&peek, "x", 1) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_zero(&peek, 1) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_set_maxsize(&peek, 1) == -1);
	ATF_REQUIRE(!ibuf_fd_avail(&peek));
	ATF_REQUIRE_EQ(-1, ibuf_fd_get(&peek));

	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_ibuf(buf, 6, &part) == -1);
	ATF_REQUIRE_EQ(5, ibuf_size(buf));
	ATF_REQUIRE_EQ(0, ibuf_get_ibuf(buf, 3, &part));
	ATF_REQUIRE_EQ(2, ibuf_size(buf));
	ATF_REQUIRE_EQ(3, ibuf_size(&part));
	ATF_REQUIRE_EQ(0, memcmp("bcd", ibuf_data(&part), 3));

	/* Only the unread part is appended. */
	ATF_REQUIRE((copy = ibuf_dynamic(0, 20)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_skip(&part, 1));
	ATF_REQUIRE_EQ(0, ibuf_add_ibuf(copy, &part));
	ATF_REQUIRE_EQ(0, ibuf_add_ibuf(copy, buf));
	ATF_REQUIRE_EQ(4, ibuf_size(copy));
	ATF_REQUIRE_EQ(0, memcmp("cdef", ibuf_data(copy), 4));
	ATF_REQUIRE_EQ(0, ibuf_get_ibuf(buf, 0, &part));
	ATF_REQUIRE_EQ(0, ibuf_add_ibuf(copy, &part));
	ATF_REQUIRE_EQ(4, ibuf_size(copy));
	ibuf_free(copy);
	ibuf_free(buf);

	ibuf_from_buffer(&part, NULL, 0);
	ATF_REQUIRE(ibuf_data(&part) == NULL);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get(&part, &c, 1) == -1);
}

static void
free_view(void)
{
	struct ibuf	 view;

	ibuf_from_buffer(&view, NULL, 0);
	ibuf_free(&view);
}

static void
fd_on_view(void)
{
	struct ibuf	 view;

	ibuf_from_buffer(&view, NULL, 0);
	ibuf_fd_set(&view, 0);
}

static void
push_view(void)
{
	struct ibuf	 view;

	ibuf_from_buffer(&view, NULL, 0);
	ibufq_push(ibufq_new(), &view);
}

static void
close_view(void)
{
	struct ibuf	 view;

	ibuf_from_buffer(&view, NULL, 0);
	ibuf_close(msgbuf_new(), &view);
}

static void
no_abort(void)
{
	ibuf_free(ibuf_open(1));
}

ATF_TC_WITHOUT_HEAD(views_abort);
ATF_TC_BODY(views_abort, tc)
{
	ATF_REQUIRE(!aborts(no_abort));
	ATF_REQUIRE(aborts(free_view));
	ATF_REQUIRE(aborts(fd_on_view));
	ATF_REQUIRE(aborts(push_view));
	ATF_REQUIRE(aborts(close_view));
}

ATF_TC_WITHOUT_HEAD(strings);
ATF_TC_BODY(strings, tc)
{
	char		 raw[] = "ab\0cd", *s;
	struct ibuf	 buf;

	ibuf_from_buffer(&buf, raw, 5);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_string(&buf, 6) == NULL);
	ATF_REQUIRE_EQ(5, ibuf_size(&buf));
	ATF_REQUIRE((s = ibuf_get_string(&buf, 4)) != NULL);
	ATF_REQUIRE_STREQ("ab", s);
	free(s);
	ATF_REQUIRE_EQ(1, ibuf_size(&buf));
	/* No NUL in the bytes, one in the string. */
	ATF_REQUIRE((s = ibuf_get_string(&buf, 1)) != NULL);
	ATF_REQUIRE_STREQ("d", s);
	free(s);
	ATF_REQUIRE((s = ibuf_get_string(&buf, 0)) != NULL);
	ATF_REQUIRE_STREQ("", s);
	free(s);
}

ATF_TC_WITHOUT_HEAD(strbuf);
ATF_TC_BODY(strbuf, tc)
{
	char		 out[8];
	struct ibuf	*buf;

	ATF_REQUIRE((buf = ibuf_dynamic(0, 20)) != NULL);
	ATF_REQUIRE_ERRNO(EOVERFLOW, ibuf_add_strbuf(buf, "", 0) == -1);
	ATF_REQUIRE_ERRNO(EOVERFLOW, ibuf_add_strbuf(buf, "abcd", 4) == -1);
	ATF_REQUIRE_EQ(0, ibuf_size(buf));
	ATF_REQUIRE_EQ(0, ibuf_add_strbuf(buf, "abc", 4));
	ATF_REQUIRE_EQ(0, ibuf_add_strbuf(buf, "x", 6));
	ATF_REQUIRE_EQ(10, ibuf_size(buf));
	ATF_REQUIRE_EQ(0, memcmp("abc\0x\0\0\0\0\0", ibuf_data(buf), 10));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add_strbuf(buf, "x", 11) == -1);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "a\0zzefgh", 8));

	memset(out, '?', sizeof(out));
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_get_strbuf(buf, out, 0) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_strbuf(buf, out, 19) == -1);
	ATF_REQUIRE_ERRNO(EOVERFLOW, ibuf_get_strbuf(buf, out, 3) == -1);
	ATF_REQUIRE_EQ('?', out[0]);
	ATF_REQUIRE_EQ(0, ibuf_get_strbuf(buf, out, 4));
	ATF_REQUIRE_EQ(0, memcmp("abc\0?", out, 5));
	ATF_REQUIRE_EQ(0, ibuf_get_strbuf(buf, out, 6));
	ATF_REQUIRE_EQ(0, memcmp("x\0\0\0\0\0?", out, 7));
	/* Bytes behind the NUL do not come through. */
	memset(out, '?', sizeof(out));
	ATF_REQUIRE_EQ(0, ibuf_get_strbuf(buf, out, 4));
	ATF_REQUIRE_EQ(0, memcmp("a\0\0\0?", out, 5));
	ATF_REQUIRE_ERRNO(EOVERFLOW, ibuf_get_strbuf(buf, out, 4) == -1);
	ATF_REQUIRE_EQ(4, ibuf_size(buf));
	/* The padding covers what the buffer held before. */
	ATF_REQUIRE_EQ(0, ibuf_truncate(buf, 0));
	ATF_REQUIRE_EQ(0, ibuf_add_strbuf(buf, "x", 4));
	ATF_REQUIRE_EQ(0, memcmp("x\0\0\0", ibuf_data(buf), 4));
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(truncate);
ATF_TC_BODY(truncate, tc)
{
	struct ibuf	*buf, view;

	ATF_REQUIRE((buf = ibuf_dynamic(0, 10)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "abcdef", 6));
	ATF_REQUIRE_EQ(0, ibuf_skip(buf, 1));
	ATF_REQUIRE_EQ(0, ibuf_truncate(buf, 3));
	ATF_REQUIRE_EQ(3, ibuf_size(buf));
	ATF_REQUIRE_EQ(6, ibuf_left(buf));
	/* The old tail must not come back. */
	ATF_REQUIRE_EQ(0, ibuf_truncate(buf, 5));
	ATF_REQUIRE_EQ(0, memcmp("bcd\0\0", ibuf_data(buf), 5));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_truncate(buf, 10) == -1);
	ATF_REQUIRE_EQ(5, ibuf_size(buf));
	ATF_REQUIRE_EQ(0, ibuf_truncate(buf, 9));
	ibuf_from_ibuf(&view, buf);
	ATF_REQUIRE_EQ(0, ibuf_truncate(&view, 2));
	ATF_REQUIRE_EQ(2, ibuf_size(&view));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_truncate(&view, 3) == -1);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(set_maxsize);
ATF_TC_BODY(set_maxsize, tc)
{
	struct ibuf	*buf;

	ATF_REQUIRE((buf = ibuf_dynamic(16, 32)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "abcd", 4));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_maxsize(buf, 33) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_maxsize(buf, 3) == -1);
	ATF_REQUIRE_EQ(28, ibuf_left(buf));
	/* Below what is allocated already. */
	ATF_REQUIRE_EQ(0, ibuf_set_maxsize(buf, 8));
	ATF_REQUIRE_EQ(4, ibuf_left(buf));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add(buf, "12345", 5) == -1);
	ATF_REQUIRE_EQ(0, ibuf_add(buf, "1234", 4));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_maxsize(buf, 9) == -1);
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(fd);
ATF_TC_BODY(fd, tc)
{
	struct ibuf	*buf;
	int		 a, b;

	ATF_REQUIRE((a = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE((b = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE((buf = ibuf_open(1)) != NULL);
	ATF_REQUIRE(!ibuf_fd_avail(buf));
	ATF_REQUIRE_EQ(-1, ibuf_fd_get(buf));
	ibuf_fd_set(buf, a);
	ATF_REQUIRE(ibuf_fd_avail(buf));
	ibuf_fd_set(buf, b);
	ATF_REQUIRE(!is_open(a));
	ATF_REQUIRE_EQ(b, ibuf_fd_get(buf));
	ATF_REQUIRE(!ibuf_fd_avail(buf));
	ATF_REQUIRE_EQ(-1, ibuf_fd_get(buf));
	/* Negative numbers mean none; -2 does not make a view. */
	ibuf_fd_set(buf, b);
	ibuf_fd_set(buf, -2);
	ATF_REQUIRE(!is_open(b));
	ATF_REQUIRE_EQ(1, ibuf_left(buf));
	ibuf_free(buf);
}

ATF_TC_WITHOUT_HEAD(ibufq);
ATF_TC_BODY(ibufq, tc)
{
	struct ibufqueue	*from, *to;
	struct msgbuf		*msgbuf;
	struct ibuf		*b[3];
	int			 i;

	ATF_REQUIRE((from = ibufq_new()) != NULL);
	ATF_REQUIRE((to = ibufq_new()) != NULL);
	ATF_REQUIRE(ibufq_pop(from) == NULL);
	ATF_REQUIRE_EQ(0, ibufq_queuelen(from));
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE((b[i] = ibuf_open(1)) != NULL);
		ibufq_push(i == 0 ? to : from, b[i]);
	}
	ATF_REQUIRE_EQ(1, ibufq_queuelen(to));
	ATF_REQUIRE_EQ(2, ibufq_queuelen(from));
	ibufq_concat(to, from);
	ATF_REQUIRE_EQ(3, ibufq_queuelen(to));
	ATF_REQUIRE_EQ(0, ibufq_queuelen(from));
	ATF_REQUIRE(ibufq_pop(from) == NULL);
	ATF_REQUIRE_EQ(b[0], ibufq_pop(to));
	ATF_REQUIRE_EQ(2, ibufq_queuelen(to));
	ibufq_push(from, b[0]);

	ATF_REQUIRE((msgbuf = msgbuf_new()) != NULL);
	ATF_REQUIRE_EQ(0, msgbuf_queuelen(msgbuf));
	msgbuf_concat(msgbuf, to);
	ATF_REQUIRE_EQ(2, msgbuf_queuelen(msgbuf));
	ATF_REQUIRE_EQ(0, ibufq_queuelen(to));
	msgbuf_clear(msgbuf);
	ATF_REQUIRE_EQ(0, msgbuf_queuelen(msgbuf));
	msgbuf_free(msgbuf);
	msgbuf_free(NULL);

	ibufq_flush(from);
	ATF_REQUIRE_EQ(0, ibufq_queuelen(from));
	ATF_REQUIRE(ibufq_pop(from) == NULL);
	ibufq_free(from);
	ibufq_free(to);
	ibufq_free(NULL);
}

ATF_TC_WITHOUT_HEAD(reader_new);
ATF_TC_BODY(reader_new, tc)
{
	struct state	 st = { 0 };
	struct msgbuf	*msgbuf;

	ATF_REQUIRE_ERRNO(EINVAL, msgbuf_new_reader(0, read_n16, &st) == NULL);
	ATF_REQUIRE_ERRNO(EINVAL,
	    msgbuf_new_reader(32768, read_n16, &st) == NULL);
	ATF_REQUIRE((msgbuf = msgbuf_new_reader(32767, read_n16, &st)) != NULL);
	msgbuf_free(msgbuf);

	/* One that only writes refuses to read. */
	ATF_REQUIRE((msgbuf = msgbuf_new()) != NULL);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_read(0, msgbuf) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, msgbuf_read(0, msgbuf) == -1);
	ATF_REQUIRE(msgbuf_get(msgbuf) == NULL);
	msgbuf_free(msgbuf);
}

/* A header of another kind, over a pipe: no socket call may be needed. */
ATF_TC_WITHOUT_HEAD(reader_pipe);
ATF_TC_BODY(reader_pipe, tc)
{
	struct state	 st = { 0 };
	struct msgbuf	*in, *out;
	struct ibuf	*buf;
	uint16_t	 len;
	int		 i, p[2];

	ATF_REQUIRE_EQ(0, pipe2(p, O_NONBLOCK));
	ATF_REQUIRE((out = msgbuf_new()) != NULL);
	ATF_REQUIRE((in = msgbuf_new_reader(2, read_n16, &st)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_write(p[1], out));
	ATF_REQUIRE_EQ(1, ibuf_read(p[0], in));
	for (i = 0; i < 300; i++) {
		ATF_REQUIRE((buf = ibuf_dynamic(2, 100)) != NULL);
		ATF_REQUIRE_EQ(0, ibuf_add_n16(buf, 2 + i % 50));
		ATF_REQUIRE_EQ(0, ibuf_add_zero(buf, i % 50));
		ibuf_close(out, buf);
	}
	ATF_REQUIRE_EQ(300, msgbuf_queuelen(out));
	while (msgbuf_queuelen(out) > 0)
		ATF_REQUIRE_EQ(0, ibuf_write(p[1], out));
	ATF_REQUIRE_EQ(1, ibuf_read(p[0], in));
	ATF_REQUIRE_EQ(300, st.calls);
	for (i = 0; i < 300; i++) {
		ATF_REQUIRE((buf = msgbuf_get(in)) != NULL);
		ATF_REQUIRE_EQ((size_t)(2 + i % 50), ibuf_size(buf));
		ATF_REQUIRE_EQ(0, ibuf_get_n16(buf, &len));
		ATF_REQUIRE_EQ(2 + i % 50, len);
		ibuf_free(buf);
	}
	ATF_REQUIRE(msgbuf_get(in) == NULL);
	close(p[1]);
	ATF_REQUIRE_EQ(0, ibuf_read(p[0], in));
	msgbuf_free(in);
	msgbuf_free(out);
}

ATF_TC_WITHOUT_HEAD(reader_callback);
ATF_TC_BODY(reader_callback, tc)
{
	struct state	 st = { 0 };
	struct msgbuf	*in;
	struct ibuf	*buf;
	int		 p[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	ATF_REQUIRE((in = msgbuf_new_reader(2, read_n16, &st)) != NULL);
	/* Its error is the reader's, and stays. */
	st.fail = EPROTO;
	ATF_REQUIRE_EQ(3, write(p[1], "\0\003x", 3));
	ATF_REQUIRE_ERRNO(EPROTO, ibuf_read(p[0], in) == -1);
	st.fail = 0;
	ATF_REQUIRE_EQ(3, write(p[1], "\0\003x", 3));
	ATF_REQUIRE_ERRNO(EPROTO, ibuf_read(p[0], in) == -1);
	ATF_REQUIRE_EQ(1, st.calls);
	ATF_REQUIRE(msgbuf_get(in) == NULL);
	/* A fresh start after a clear. */
	msgbuf_clear(in);
	ATF_REQUIRE_EQ(1, ibuf_read(p[0], in));
	ATF_REQUIRE((buf = msgbuf_get(in)) != NULL);
	ATF_REQUIRE_EQ(3, ibuf_size(buf));
	ibuf_free(buf);
	/* A message that has no room for its own header would never end. */
	ATF_REQUIRE_EQ(3, write(p[1], "\0\001x", 3));
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_read(p[0], in) == -1);
	msgbuf_clear(in);
	/* The callback's size counts, not the header's. */
	st.room = 4;
	ATF_REQUIRE_EQ(4, write(p[1], "\0\0ab", 4));
	ATF_REQUIRE_EQ(1, ibuf_read(p[0], in));
	ATF_REQUIRE((buf = msgbuf_get(in)) != NULL);
	ATF_REQUIRE_EQ(0, memcmp("\0\0ab", ibuf_data(buf), 4));
	ibuf_free(buf);
	msgbuf_free(in);
}

/* A clear drops half a message too. */
ATF_TC_WITHOUT_HEAD(reader_clear);
ATF_TC_BODY(reader_clear, tc)
{
	static const char	*half[] = { "\0", "\0\005ab" };
	static const size_t	 halflen[] = { 1, 4 };
	struct state		 st = { 0 };
	struct msgbuf		*in;
	struct ibuf		*buf;
	size_t			 i;
	int			 p[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	ATF_REQUIRE((in = msgbuf_new_reader(2, read_n16, &st)) != NULL);
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE_EQ((ssize_t)halflen[i],
		    write(p[1], half[i], halflen[i]));
		ATF_REQUIRE_EQ(1, ibuf_read(p[0], in));
		ATF_REQUIRE(msgbuf_get(in) == NULL);
		msgbuf_clear(in);
		ATF_REQUIRE_EQ(3, write(p[1], "\0\003x", 3));
		ATF_REQUIRE_EQ(1, ibuf_read(p[0], in));
		ATF_REQUIRE((buf = msgbuf_get(in)) != NULL);
		ATF_REQUIRE_EQ(3, ibuf_size(buf));
		ibuf_free(buf);
	}
	msgbuf_free(in);
}

/* Buffers without bytes go through the queue and end it. */
ATF_TC_WITHOUT_HEAD(write_empty);
ATF_TC_BODY(write_empty, tc)
{
	struct msgbuf	*out;
	struct ibuf	*buf;
	char		 got[8];
	int		 i, p[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	ATF_REQUIRE((out = msgbuf_new()) != NULL);
	ibuf_close(out, ibuf_open(0));
	ATF_REQUIRE_EQ(0, msgbuf_write(p[1], out));
	ATF_REQUIRE_EQ(0, msgbuf_queuelen(out));
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE((buf = ibuf_open(2)) != NULL);
		ATF_REQUIRE_EQ(0, ibuf_add(buf, "ab", i == 1 ? 0 : 2));
		ibuf_close(out, buf);
	}
	ATF_REQUIRE_EQ(0, msgbuf_write(p[1], out));
	ATF_REQUIRE_EQ(0, msgbuf_queuelen(out));
	ATF_REQUIRE_EQ(4, read(p[0], got, sizeof(got)));
	ATF_REQUIRE_EQ(0, memcmp("abab", got, 4));
	msgbuf_free(out);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, open_fixed);
	ATF_TP_ADD_TC(tp, dynamic);
	ATF_TP_ADD_TC(tp, free_wipes);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, numbers_too_big);
	ATF_TP_ADD_TC(tp, numbers_short);
	ATF_TP_ADD_TC(tp, set);
	ATF_TP_ADD_TC(tp, seek);
	ATF_TP_ADD_TC(tp, reserve);
	ATF_TP_ADD_TC(tp, get);
	ATF_TP_ADD_TC(tp, views);
	ATF_TP_ADD_TC(tp, views_abort);
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, strbuf);
	ATF_TP_ADD_TC(tp, truncate);
	ATF_TP_ADD_TC(tp, set_maxsize);
	ATF_TP_ADD_TC(tp, fd);
	ATF_TP_ADD_TC(tp, ibufq);
	ATF_TP_ADD_TC(tp, reader_new);
	ATF_TP_ADD_TC(tp, reader_pipe);
	ATF_TP_ADD_TC(tp, reader_callback);
	ATF_TP_ADD_TC(tp, reader_clear);
	ATF_TP_ADD_TC(tp, write_empty);
	return (atf_no_error());
}
