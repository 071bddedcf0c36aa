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
 * Connects to sockets in the file system: which are let through, that nothing
 * blocks, and that the answers are those of connect(2).
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "box.h"

#define GRANTED	PERM_WRITE

static int
new_socket(int type)
{
	int	 s;

	ATF_REQUIRE((s = socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) != -1);
	return (s);
}

static void
address(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	strcpy(sun->sun_path, path);
}

static int
server(const char *path, int type, int backlog)
{
	struct sockaddr_un	 sun;
	int			 s = new_socket(type | SOCK_NONBLOCK);

	address(&sun, path);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	if (type != SOCK_DGRAM && backlog >= 0)
		ATF_REQUIRE(listen(s, backlog) == 0);
	return (s);
}

static int
nobody_came(int s)
{
	return (accept(s, NULL, NULL) == -1 && errno == EAGAIN);
}

static int
try_connect(struct box *b, int sock, const char *path)
{
	int	 inode, value;

	inode = open_path(path);
	value = box_connect(b, sock, inode);
	close(inode);
	return (value);
}

/* A socket of its own for one try. */
static int
try_type(struct box *b, int type, const char *path)
{
	int	 s = new_socket(type), value;

	value = try_connect(b, s, path);
	close(s);
	return (value);
}

static int
bare(int type, const char *path)
{
	struct sockaddr_un	 sun;
	int			 error = 0, s = new_socket(type);

	address(&sun, path);
	if (connect(s, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		error = errno;
	close(s);
	return (error);
}

static void
exchange(int client, int listener)
{
	char	 c = 0;
	int	 s;

	ATF_REQUIRE((s = accept(listener, NULL, NULL)) != -1);
	ATF_CHECK_EQ(write(client, "x", 1), 1);
	ATF_CHECK_EQ(read(s, &c, 1), 1);
	ATF_CHECK_EQ(c, 'x');
	close(s);
}

ATF_TC_WITHOUT_HEAD(connects);
ATF_TC_BODY(connects, tc)
{
	static const int	 types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	struct box		 b;
	size_t			 i;
	int			 c, s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (i = 0; i < 2; i++) {
		s = server("t/s", types[i], 5);
		c = new_socket(types[i]);
		ATF_CHECK_EQ(try_connect(&b, c, "t/s"), 0);
		exchange(c, s);
		close(c);
		close(s);
		ATF_REQUIRE(unlink("t/s") == 0);
	}
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(denied);
ATF_TC_BODY(denied, tc)
{
	static const struct {
		unsigned int	 perms;
		int		 value;
	} cases[] = {
		{ PERM_READ, DENIED(EACCES) },
		{ PERM_EXEC, DENIED(EACCES) },
		{ PERM_CREATE, DENIED(EACCES) },
		{ PERM_READ | PERM_CREATE | PERM_EXEC, DENIED(EACCES) },
		{ PERM_WRITE, 0 }
	};
	struct box	 b;
	size_t		 i;
	int		 in, out;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	in = server("t/s", SOCK_STREAM, 5);
	out = server("s", SOCK_STREAM, 5);
	ATF_REQUIRE(symlink("../s", "t/link") == 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		box_simple(&b, tc, absolute("t"), cases[i].perms);
		ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/s"),
		    cases[i].value);
		ATF_CHECK_EQ(nobody_came(in), cases[i].value != 0);
		ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "s"),
		    DENIED(EACCES));
		ATF_CHECK(nobody_came(out));
		box_stop(&b);
	}
	/* The control for the one outside. */
	ATF_CHECK_EQ(bare(SOCK_STREAM, "s"), 0);
	ATF_CHECK(!nobody_came(out));

	/* A link below the grant, as an inode of its own. */
	box_simple(&b, tc, absolute("t"), PERM_WRITE);
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/link"), ECONNREFUSED);
	ATF_CHECK(nobody_came(out));
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	struct box	 b;
	int		 c, fd, s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);

	/* Nobody listens; not a socket; the wrong type; no permission. */
	s = server("t/bound", SOCK_STREAM, -1);
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/bound"), ECONNREFUSED);
	ATF_CHECK_EQ(bare(SOCK_STREAM, "t/bound"), ECONNREFUSED);
	close(s);
	make_file("t/f", "x");
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/f"), ECONNREFUSED);
	ATF_CHECK_EQ(bare(SOCK_STREAM, "t/f"), ECONNREFUSED);
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t"), ECONNREFUSED);
	ATF_CHECK_EQ(bare(SOCK_STREAM, "t"), ECONNREFUSED);
	s = server("t/s", SOCK_STREAM, 5);
	ATF_CHECK_EQ(try_type(&b, SOCK_SEQPACKET, "t/s"), EPROTOTYPE);
	ATF_CHECK_EQ(bare(SOCK_SEQPACKET, "t/s"), EPROTOTYPE);
	ATF_REQUIRE(chmod("t/s", 0) == 0);
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/s"), EACCES);
	ATF_REQUIRE(chmod("t/s", 0700) == 0);
	ATF_CHECK(nobody_came(s));

	/* Connected already. */
	c = new_socket(SOCK_STREAM);
	ATF_CHECK_EQ(try_connect(&b, c, "t/s"), 0);
	ATF_CHECK_EQ(try_connect(&b, c, "t/s"), EISCONN);
	close(c);

	close(server("t/d", SOCK_DGRAM, 0));
	ATF_CHECK_EQ(try_type(&b, SOCK_DGRAM, "t/d"), ECONNREFUSED);
	ATF_CHECK_EQ(bare(SOCK_DGRAM, "t/d"), ECONNREFUSED);

	/* Not what the filter lets the workload make. */
	ATF_REQUIRE((c = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(try_connect(&b, c, "t/s"), DENIED(EACCES));
	close(c);
	ATF_REQUIRE((fd = open("t/f", O_RDONLY | O_CLOEXEC)) != -1);
	ATF_CHECK_EQ(try_connect(&b, fd, "t/s"), ENOTSOCK);
	close(fd);
	fd = open_path("t/s");
	ATF_CHECK_EQ(try_connect(&b, fd, "t/s"), EBADF);
	close(fd);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(flags_kept);
ATF_TC_BODY(flags_kept, tc)
{
	struct box	 b;
	int		 c, s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	s = server("t/s", SOCK_STREAM, 5);
	box_simple(&b, tc, absolute("t"), GRANTED);
	c = new_socket(SOCK_STREAM);
	ATF_CHECK_EQ(try_connect(&b, c, "t/s"), 0);
	ATF_CHECK_EQ(fcntl(c, F_GETFL) & O_NONBLOCK, 0);
	close(c);
	c = new_socket(SOCK_STREAM | SOCK_NONBLOCK);
	ATF_CHECK_EQ(try_connect(&b, c, "t/s"), 0);
	ATF_CHECK_EQ(fcntl(c, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	close(c);
	close(s);
	box_stop(&b);
}

/* Connect until the server's queue is full; how many did. */
static int
fill(const char *path, int *clients, int max)
{
	struct sockaddr_un	 sun;
	int			 i;

	address(&sun, path);
	for (i = 0; i < max; i++) {
		clients[i] = new_socket(SOCK_STREAM | SOCK_NONBLOCK);
		if (connect(clients[i], (struct sockaddr *)&sun,
		    sizeof(sun)) == -1) {
			ATF_REQUIRE_EQ(errno, EAGAIN);
			close(clients[i]);
			return (i);
		}
	}
	atf_tc_fail("the queue is never full");
}

/* Whether a reply has come that must not. */
static int
silent(struct box *b)
{
	struct imsg	 imsg;

	return (box_wait(&b->supervisor, &imsg, 0) == -1);
}

ATF_TC_WITHOUT_HEAD(full_queue);
ATF_TC_BODY(full_queue, tc)
{
	struct box	 b;
	uint32_t	 first, got;
	int		 c, clients[16], i, inode, n, s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	s = server("t/s", SOCK_STREAM, 1);
	close(server("t/other", SOCK_STREAM, -1));
	box_simple(&b, tc, absolute("t"), GRANTED);
	n = fill("t/s", clients, 16);

	/* Non-blocking: the error at once. */
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM | SOCK_NONBLOCK, "t/s"), EAGAIN);

	/* Blocking: no answer, and the others are served meanwhile. */
	c = new_socket(SOCK_STREAM);
	inode = open_path("t/s");
	first = box_connect_send(&b, c, inode);
	for (i = 0; i < 20; i++)
		ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/other"),
		    ECONNREFUSED);
	ATF_CHECK(silent(&b));
	ATF_CHECK_EQ(fcntl(c, F_GETFL) & O_NONBLOCK, 0);

	/* Room. */
	for (i = 0; i < n; i++) {
		int	 a = accept(s, NULL, NULL);

		ATF_REQUIRE(a != -1);
		close(a);
		close(clients[i]);
	}
	ATF_CHECK_EQ(box_reply(&b, IMSG_UNIX_REPLY, &got), 0);
	ATF_CHECK_EQ(got, first);
	exchange(c, s);

	/* The server goes away while one waits. */
	n = fill("t/s", clients, 16);
	close(c);
	c = new_socket(SOCK_STREAM);
	first = box_connect_send(&b, c, inode);
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/other"), ECONNREFUSED);
	close(s);
	ATF_CHECK_EQ(box_reply(&b, IMSG_UNIX_REPLY, &got), ECONNREFUSED);
	ATF_CHECK_EQ(got, first);
	box_stop(&b);
}

/*
 * Another thread of the workload keeps changing O_NONBLOCK, to make cowd wait
 * in a connect that it takes for a non-blocking one.
 */
ATF_TC_WITHOUT_HEAD(flag_race);
ATF_TC_BODY(flag_race, tc)
{
	struct box	 b;
	pid_t		 pid;
	int		 c, clients[16], i, status, value;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	server("t/s", SOCK_STREAM, 1);
	close(server("t/other", SOCK_STREAM, -1));
	box_simple(&b, tc, absolute("t"), GRANTED);
	fill("t/s", clients, 16);
	c = new_socket(SOCK_STREAM);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		for (;;) {
			fcntl(c, F_SETFL, O_RDWR | O_NONBLOCK);
			fcntl(c, F_SETFL, O_RDWR);
		}
	}
	for (i = 0; i < 3000; i++) {
		uint32_t	 id, got;
		int		 inode = open_path("t/s"), s;

		id = box_connect_send(&b, c, inode);
		close(inode);
		/* Somebody else is served meanwhile. */
		s = new_socket(SOCK_STREAM);
		inode = open_path("t/other");
		box_connect_send(&b, s, inode);
		close(inode);
		close(s);
		value = box_reply(&b, IMSG_UNIX_REPLY, &got);
		if (got == id) {
			ATF_REQUIRE_EQ(value, EAGAIN);
			value = box_reply(&b, IMSG_UNIX_REPLY, &got);
		} else
			box_cancel(&b, id);
		ATF_REQUIRE_EQ(value, ECONNREFUSED);
	}
	kill(pid, SIGKILL);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	box_stop(&b);
}

static long
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

ATF_TC_WITHOUT_HEAD(send_timeout);
ATF_TC_BODY(send_timeout, tc)
{
	struct timeval	 tv = { 0, 300000 };
	struct box	 b;
	long		 start;
	int		 c, clients[16], s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	s = server("t/s", SOCK_STREAM, 1);
	box_simple(&b, tc, absolute("t"), GRANTED);
	fill("t/s", clients, 16);
	c = new_socket(SOCK_STREAM);
	ATF_REQUIRE(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv,
	    sizeof(tv)) == 0);
	start = now_ms();
	ATF_CHECK_EQ(try_connect(&b, c, "t/s"), EAGAIN);
	ATF_CHECK(now_ms() - start >= 300);
	ATF_CHECK_EQ(fcntl(c, F_GETFL) & O_NONBLOCK, 0);
	close(s);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(cancel);
ATF_TC_BODY(cancel, tc)
{
	struct box	 b;
	uint32_t	 got, ids[2];
	int		 c[2], clients[16], i, inode, n, s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	s = server("t/s", SOCK_STREAM, 1);
	close(server("t/other", SOCK_STREAM, -1));
	box_simple(&b, tc, absolute("t"), GRANTED);
	n = fill("t/s", clients, 16);
	inode = open_path("t/s");
	for (i = 0; i < 2; i++) {
		c[i] = new_socket(SOCK_STREAM);
		ids[i] = box_connect_send(&b, c[i], inode);
	}
	box_cancel(&b, ids[0]);
	box_cancel(&b, 123456);		/* unknown: no harm */
	/* This one is answered after the cancellation was read. */
	ATF_CHECK_EQ(try_type(&b, SOCK_STREAM, "t/other"), ECONNREFUSED);
	for (i = 0; i < n; i++) {
		int	 a = accept(s, NULL, NULL);

		ATF_REQUIRE(a != -1);
		close(a);
	}
	ATF_CHECK_EQ(box_reply(&b, IMSG_UNIX_REPLY, &got), 0);
	ATF_CHECK_EQ(got, ids[1]);
	exchange(c[1], s);
	ATF_CHECK(nobody_came(s));
	ATF_CHECK(silent(&b));
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(limit);
ATF_TC_BODY(limit, tc)
{
	struct box	 b;
	uint32_t	 first = 0, got;
	int		 c, clients[16], i, inode, n, s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	s = server("t/s", SOCK_STREAM, 1);
	box_simple(&b, tc, absolute("t"), GRANTED);
	n = fill("t/s", clients, 16);
	inode = open_path("t/s");
	for (i = 0; i < 256; i++) {
		c = new_socket(SOCK_STREAM);
		first = box_connect_send(&b, c, inode);
		close(c);
	}
	c = new_socket(SOCK_STREAM);
	ATF_CHECK_EQ(try_connect(&b, c, "t/s"), ECONNREFUSED);
	/* One place is free again. */
	box_cancel(&b, first);
	first = box_connect_send(&b, c, inode);
	for (i = 0; i < n + 256; i++) {
		struct pollfd	 pfd = { s, POLLIN, 0 };
		int		 a;

		ATF_REQUIRE_EQ(poll(&pfd, 1, BOX_TIMEOUT), 1);
		ATF_REQUIRE((a = accept(s, NULL, NULL)) != -1);
		close(a);
	}
	for (i = 0; i < 256; i++)
		ATF_CHECK_EQ(box_reply(&b, IMSG_UNIX_REPLY, &got), 0);
	ATF_CHECK(silent(&b));
	box_stop(&b);
}

/* The end of the supervisor while connects wait. */
ATF_TC_WITHOUT_HEAD(supervisor_ends);
ATF_TC_BODY(supervisor_ends, tc)
{
	struct box	 b;
	int		 c, clients[16], i, inode, n, s;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	s = server("t/s", SOCK_STREAM, 1);
	box_simple(&b, tc, absolute("t"), GRANTED);
	n = fill("t/s", clients, 16);
	inode = open_path("t/s");
	for (i = 0; i < 3; i++) {
		c = new_socket(SOCK_STREAM);
		box_connect_send(&b, c, inode);
		close(c);
	}
	/* Half a pair, too. */
	c = new_socket(SOCK_STREAM);
	ATF_REQUIRE(proto_send_value(&b.supervisor, IMSG_UNIX_SOCKET, 99, c,
	    0) == 0);
	box_flush(&b.supervisor);
	box_stop(&b);
	for (i = 0; i < n; i++)
		ATF_CHECK(!nobody_came(s));
	ATF_CHECK(nobody_came(s));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, connects);
	ATF_TP_ADD_TC(tp, denied);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, flags_kept);
	ATF_TP_ADD_TC(tp, full_queue);
	ATF_TP_ADD_TC(tp, flag_race);
	ATF_TP_ADD_TC(tp, send_timeout);
	ATF_TP_ADD_TC(tp, cancel);
	ATF_TP_ADD_TC(tp, limit);
	ATF_TP_ADD_TC(tp, supervisor_ends);
	return (atf_no_error());
}
