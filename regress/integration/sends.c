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
 * Sends in every form, wrong ones above all, with what each came to: one line
 * a call, so that two runs can be compared.
 *
 *	sends net PORT TCPPORT	to 127.0.0.1 and ::1, where something answers
 *	sends unix DIRECTORY	to "log" (datagrams) and "stream" in there
 *	sends pairs		between sockets of its own
 *	sends waits		what has to wait, and what ends that
 *	sends large		8 megabytes through a stream
 *	sends plain PORT TCPPORT COUNT	on connected sockets, as most do
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_CMSG_COMPAT
#define MSG_CMSG_COMPAT	0x80000000U
#endif

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define BAD		((void *)(uintptr_t)1)
#define LARGE		(8 * 1024 * 1024)

static volatile sig_atomic_t	 pipes, alarms;
static char			 big[1024 * 1024];

static void
on_signal(int sig)
{
	if (sig == SIGPIPE)
		pipes++;
	else
		alarms++;
}

static void
handle(int sig, int flags)
{
	struct sigaction	 sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sa.sa_flags = flags;
	if (sigaction(sig, &sa, NULL) == -1)
		err(1, "sigaction");
}

static void
say(const char *what, int n, long ret)
{
	int	 error = errno;

	printf("%s %d: %ld %s", what, n, ret,
	    ret == -1 ? strerrorname_np(error) : "");
	if (pipes != 0)
		printf(" SIGPIPE %d", (int)pipes);
	pipes = 0;
	printf("\n");
	fflush(stdout);
	errno = error;
}

static int
sock(int domain, int type)
{
	int	 fd;

	if ((fd = socket(domain, type, 0)) == -1)
		err(1, "socket");
	return (fd);
}

static void
pair(int type, int fds[2])
{
	if (socketpair(AF_UNIX, type, 0, fds) == -1)
		err(1, "socketpair");
}

static socklen_t
address(int domain, int port, struct sockaddr_storage *ss)
{
	struct sockaddr_in	*in = (struct sockaddr_in *)ss;
	struct sockaddr_in6	*in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = domain;
	if (domain == AF_INET) {
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return (sizeof(*in));
	}
	in6->sin6_port = htons(port);
	in6->sin6_addr = in6addr_loopback;
	return (sizeof(*in6));
}

/* Calls that are wrong in themselves, with a good address or none. */
static void
wrong(const char *what, int fd, void *name, socklen_t namelen)
{
	static struct iovec	 many[1025];
	static char		 control[70000];
	struct cmsghdr		*c = (struct cmsghdr *)control;
	struct iovec		 iov[3] = {
		{ big, 3 }, { big, 0 }, { big, 4 }
	};
	struct mmsghdr		 mm[3];
	struct msghdr		 good, mh;
	struct sockaddr_storage	 far;
	size_t			 i;

	memset(&good, 0, sizeof(good));
	good.msg_name = name;
	good.msg_namelen = namelen;
	good.msg_iov = iov;
	good.msg_iovlen = 3;
	say(what, 1, sendmsg(fd, &good, 0));
	say(what, 2, syscall(SYS_sendmsg, fd, BAD, 0));
	say(what, 3, syscall(SYS_sendmsg, fd, NULL, 0));
	say(what, 4, syscall(SYS_sendmsg, fd, &good, MSG_CMSG_COMPAT));
	say(what, 5, syscall(SYS_sendmsg, -1, &good, 0));
	say(what, 6, syscall(SYS_sendmsg, 99999, BAD, 0));
	say(what, 7, syscall(SYS_sendmsg, fd, &good, 0x02000000));
	mh = good;
	mh.msg_iovlen = 1025;
	mh.msg_iov = many;
	say(what, 8, sendmsg(fd, &mh, 0));
	mh.msg_iovlen = 1024;
	say(what, 9, sendmsg(fd, &mh, 0));
	mh.msg_iov = BAD;
	say(what, 10, sendmsg(fd, &mh, 0));
	mh.msg_iov = iov;
	mh.msg_iovlen = 3;
	iov[1].iov_base = BAD;
	say(what, 11, sendmsg(fd, &mh, 0));
	iov[1].iov_len = 1;
	say(what, 12, sendmsg(fd, &mh, MSG_NOSIGNAL));
	iov[1].iov_len = (size_t)-1;
	say(what, 13, sendmsg(fd, &mh, 0));
	iov[1].iov_base = big;
	iov[1].iov_len = 0;
	/* Names. */
	mh = good;
	mh.msg_namelen = (socklen_t)-1;
	say(what, 14, syscall(SYS_sendmsg, fd, &mh, 0));
	mh.msg_namelen = 0;
	say(what, 15, sendmsg(fd, &mh, 0));
	if (name != NULL) {
		mh.msg_name = BAD;
		mh.msg_namelen = namelen;
		say(what, 16, sendmsg(fd, &mh, 0));
		memset(&far, 0, sizeof(far));
		memcpy(&far, name, namelen);
		mh.msg_name = &far;
		mh.msg_namelen = sizeof(far);
		say(what, 17, sendmsg(fd, &mh, 0));
	}
	mh.msg_name = NULL;
	mh.msg_namelen = 16;
	say(what, 18, sendmsg(fd, &mh, MSG_NOSIGNAL));
	/* Control messages. */
	mh = good;
	mh.msg_control = BAD;
	mh.msg_controllen = 16;
	say(what, 19, sendmsg(fd, &mh, 0));
	mh.msg_control = control;
	mh.msg_controllen = (size_t)1 << 40;
	say(what, 20, sendmsg(fd, &mh, 0));
	mh.msg_controllen = 1;
	say(what, 21, sendmsg(fd, &mh, 0));
	mh.msg_controllen = 64;
	say(what, 22, sendmsg(fd, &mh, 0));
	c->cmsg_len = 65;
	say(what, 23, sendmsg(fd, &mh, 0));
	c->cmsg_len = CMSG_LEN(4);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = 4711;
	mh.msg_controllen = CMSG_SPACE(4);
	say(what, 24, sendmsg(fd, &mh, 0));
	/* Several. */
	for (i = 0; i < 3; i++) {
		mm[i].msg_hdr = good;
		mm[i].msg_len = 77;
	}
	say(what, 30, sendmmsg(fd, mm, 3, 0));
	say(what, 31, mm[0].msg_len + 100 * mm[1].msg_len + 10000 *
	    mm[2].msg_len);
	say(what, 32, sendmmsg(fd, mm, 0, 0));
	mm[2].msg_hdr.msg_iov = BAD;
	mm[2].msg_len = 77;
	say(what, 33, sendmmsg(fd, mm, 3, 0));
	say(what, 34, mm[2].msg_len);
	mm[0].msg_hdr.msg_iov = BAD;
	say(what, 35, sendmmsg(fd, mm, 3, 0));
	say(what, 36, syscall(SYS_sendmmsg, fd, BAD, 2, 0));
	say(what, 37, syscall(SYS_sendmmsg, -1, mm, 2, 0));
	/* The descriptor. */
	say(what, 40, sendmsg(open("/dev/null", O_RDWR), &good, 0));
	say(what, 41, sendmsg(open("/", O_PATH), &good, 0));
}

/* sendto with a good address in every length, and what else is wrong. */
static void
wrong_address(const char *what, int fd, struct sockaddr_storage *ss,
    socklen_t len, int none)
{
	static const int	 lengths[] = {
		INT_MIN, -1, 0, 1, 2, 3, 15, 16, 23, 24, 27, 28, 109, 110,
		111, 127, 128, 129, INT_MAX
	};
	static const int	 families[] = {
		AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 99
	};
	struct sockaddr_storage	 other;
	size_t			 i;

	for (i = 0; i < NITEMS(lengths); i++)
		say(what, 100 + i, syscall(SYS_sendto, fd, big, 3,
		    MSG_NOSIGNAL, ss, lengths[i]));
	for (i = 0; i < NITEMS(families); i++) {
		/* Of no family, by a socket of IPv6: none at all. */
		if (families[i] == AF_UNSPEC && none)
			continue;
		other = *ss;
		other.ss_family = families[i];
		say(what, 130 + i, sendto(fd, big, 3, MSG_NOSIGNAL,
		    (struct sockaddr *)&other, len));
	}
	say(what, 140, sendto(fd, BAD, 3, 0, (struct sockaddr *)ss, len));
	say(what, 141, syscall(SYS_sendto, fd, big, 3, 0, BAD, len));
	say(what, 142, sendto(fd, big, 0, 0, (struct sockaddr *)ss, len));
	say(what, 143, sendto(fd, BAD, 0, 0, (struct sockaddr *)ss, len));
	say(what, 144, sendto(-1, big, 3, 0, (struct sockaddr *)ss, len));
	say(what, 145, syscall(SYS_sendto, fd, big, 3, 0, NULL, 16));
}

static void
sends_datagram(const char *what, int domain, int port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = address(domain, port, &ss);
	int			 fd = sock(domain, SOCK_DGRAM);
	int			 six = domain == AF_INET6;

	wrong_address(what, fd, &ss, len, 0);
	wrong(what, fd, &ss, len);
	wrong(what, fd, NULL, 0);
	say(what, 200, sendto(fd, big, 65507, 0, (struct sockaddr *)&ss, len));
	say(what, 201, sendto(fd, big, 65528, 0, (struct sockaddr *)&ss, len));
	say(what, 202, sendto(fd, big, 65536, 0, (struct sockaddr *)&ss, len));
	say(what, 203, sendto(fd, big, 100000, 0, (struct sockaddr *)&ss,
	    len));
	say(what, 204, sendto(fd, big, 3, MSG_OOB, (struct sockaddr *)&ss,
	    len));
	say(what, 205, sendto(fd, big, 3, MSG_DONTWAIT | MSG_CONFIRM | MSG_EOR,
	    (struct sockaddr *)&ss, len));
	say(what, 206, sendto(fd, big, 3, MSG_MORE, (struct sockaddr *)&ss,
	    len));
	say(what, 207, sendto(fd, big, 3, 0, (struct sockaddr *)&ss, len));
	say(what, 208, connect(fd, (struct sockaddr *)&ss, len));
	wrong_address(what, fd, &ss, len, six);
	wrong(what, fd, &ss, len);
	wrong(what, fd, NULL, 0);
	say(what, 209, shutdown(fd, SHUT_WR));
	say(what, 210, sendmsg(fd, &(struct msghdr){ .msg_iovlen = 0 }, 0));
	say(what, 211, sendto(fd, big, 3, 0, (struct sockaddr *)&ss, len));
	ss.ss_family = AF_UNSPEC;
	say(what, 212, connect(fd, (struct sockaddr *)&ss, len));
	say(what, 213, connect(fd, (struct sockaddr *)&ss, 1));
	say(what, 214, send(fd, big, 3, 0));
	close(fd);
}

static void
sends_tcp(int port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = address(AF_INET, port, &ss);
	struct iovec		 iov = { big, 3 };
	struct msghdr		 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int			 fd = sock(AF_INET, SOCK_STREAM);

	/* It is not connected: that is a broken pipe. */
	say("tcp", 1, sendmsg(fd, &mh, 0));
	say("tcp", 2, sendmsg(fd, &mh, MSG_NOSIGNAL));
	say("tcp", 3, sendto(fd, big, 3, 0, (struct sockaddr *)&ss, len));
	say("tcp", 4, connect(fd, (struct sockaddr *)&ss, len));
	/* An address is of no account. */
	wrong_address("tcp", fd, &ss, len, 0);
	wrong("tcp", fd, &ss, len);
	wrong("tcp", fd, NULL, 0);
	say("tcp", 5, shutdown(fd, SHUT_WR));
	say("tcp", 6, sendmsg(fd, &mh, 0));
	say("tcp", 7, sendmmsg(fd, (struct mmsghdr[1]){ { .msg_hdr = mh } },
	    1, 0));
	close(fd);
}

static socklen_t
path(const char *name, struct sockaddr_storage *ss)
{
	struct sockaddr_un	*sun = (struct sockaddr_un *)ss;

	memset(ss, 0, sizeof(*ss));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "%s", name);
	if (name[0] == '@')
		sun->sun_path[0] = '\0';
	return (offsetof(struct sockaddr_un, sun_path) + strlen(name) +
	    (name[0] != '@'));
}

static void
sends_unix(const char *directory)
{
	static const char	*names[] = {
		"log", "./log", "stream", "file", "nothing", "no/thing",
		"file/x", "link", "dangling", ".", "/", "", "@nobody-there"
	};
	struct sockaddr_storage	 ss;
	struct iovec		 iov = { big, 3 };
	struct msghdr		 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	socklen_t		 len;
	size_t			 i;
	char			 full[PATH_MAX];
	int			 fd;

	if (chdir(directory) == -1)
		err(1, "%s", directory);
	fd = sock(AF_UNIX, SOCK_DGRAM);
	for (i = 0; i < NITEMS(names); i++) {
		len = path(names[i], &ss);
		say(names[i], 1, sendto(fd, big, 3, 0, (struct sockaddr *)&ss,
		    len));
		say(names[i], 2, sendto(fd, big, 3, 0, (struct sockaddr *)&ss,
		    len - 1));
		say(names[i], 3, sendto(fd, big, 400000, 0,
		    (struct sockaddr *)&ss, len));
	}
	snprintf(full, sizeof(full), "%s/log", directory);
	len = path(full, &ss);
	wrong_address("unix", fd, &ss, len, 0);
	wrong("unix", fd, &ss, len);
	wrong("unix", fd, NULL, 0);
	say("unix", 200, sendto(fd, big, 3, MSG_OOB, (struct sockaddr *)&ss,
	    len));
	say("unix", 201, connect(fd, (struct sockaddr *)&ss, len));
	wrong("connected", fd, &ss, len);
	wrong("connected", fd, NULL, 0);
	len = path("stream", &ss);
	say("connected", 300, sendto(fd, big, 3, 0, (struct sockaddr *)&ss,
	    len));
	say("connected", 301, connect(fd, (struct sockaddr *)&ss, len));
	ss.ss_family = AF_UNSPEC;
	say("connected", 302, connect(fd, (struct sockaddr *)&ss, 2));
	say("connected", 303, sendmsg(fd, &mh, 0));
	close(fd);
	/* Streams know no addresses. */
	fd = sock(AF_UNIX, SOCK_STREAM);
	len = path("log", &ss);
	mh.msg_name = &ss;
	mh.msg_namelen = len;
	say("stream", 1, sendmsg(fd, &mh, 0));
	mh.msg_name = NULL;
	say("stream", 2, sendmsg(fd, &mh, 0));
	say("stream", 3, connect(fd, (struct sockaddr *)&ss, len));
	close(fd);
}

/* So many descriptors in one message; what was received. */
static void
descriptors(const char *what, int n, int type, int bad)
{
	static char	 buf[CMSG_SPACE(300 * sizeof(int))];
	struct cmsghdr	*c = (struct cmsghdr *)buf;
	struct iovec	 iov = { big, 2 };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	char		 byte, got[4];
	int		 fds[2], i, number, p[2], r;

	pair(type, fds);
	if (pipe(p) == -1)
		err(1, "pipe");
	memset(buf, 0, sizeof(buf));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (i = 0; i < n; i++) {
		number = i == bad ? 9999 : p[i & 1];
		memcpy(CMSG_DATA(c) + i * sizeof(int), &number, sizeof(int));
	}
	mh.msg_control = buf;
	mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
	r = sendmsg(fds[0], &mh, 0);
	say(what, n, r);
	if (r == -1) {
		say(what, n, recv(fds[1], got, 4, MSG_DONTWAIT));
		return;
	}
	mh.msg_controllen = sizeof(buf);
	say(what, n, recvmsg(fds[1], &mh, 0));
	say(what, n, mh.msg_controllen);
	for (i = 0; i < n && mh.msg_controllen != 0; i++)
		memcpy(&number, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	/* The last one is the same pipe. */
	if (n > 1 && (n & 1) == 0) {
		say(what, n, write(number, "p", 1));
		say(what, n, read(p[0], &byte, 1));
	}
	for (i = 0; i < n && mh.msg_controllen != 0; i++) {
		memcpy(&number, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		close(number);
	}
	close(fds[0]);
	close(fds[1]);
	close(p[0]);
	close(p[1]);
}

static void
sends_pair(const char *what, int type)
{
	struct sockaddr_storage	 ss;
	struct iovec		 iov = { big, 3 };
	struct msghdr		 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int			 fds[2], size = 0;
	socklen_t		 len = sizeof(size);

	pair(type, fds);
	wrong(what, fds[0], NULL, 0);
	wrong(what, fds[0], &ss, path("nothing", &ss));
	say(what, 50, sendmsg(fds[0], &mh, MSG_EOR | MSG_DONTWAIT));
	if (type != SOCK_STREAM) {
		getsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, &len);
		iov.iov_len = size - 32;
		say(what, 51, sendmsg(fds[0], &mh, 0));
		iov.iov_len = size - 31;
		say(what, 52, sendmsg(fds[0], &mh, 0));
		iov.iov_len = sizeof(big);
		say(what, 53, sendmsg(fds[0], &mh, 0));
		iov.iov_len = 3;
	}
	descriptors(what, 1, type, -1);
	descriptors(what, 4, type, -1);
	descriptors(what, 253, type, -1);
	descriptors(what, 254, type, -1);
	descriptors(what, 4, type, 3);
	close(fds[1]);
	say(what, 60, sendmsg(fds[0], &mh, MSG_NOSIGNAL));
	say(what, 61, sendmsg(fds[0], &mh, 0));
	say(what, 62, sendmmsg(fds[0], (struct mmsghdr[1]){ { .msg_hdr = mh } },
	    1, 0));
	say(what, 63, sendmmsg(fds[0], (struct mmsghdr[1]){ { .msg_hdr = mh } },
	    1, MSG_NOSIGNAL));
	close(fds[0]);
	pair(type, fds);
	shutdown(fds[0], SHUT_WR);
	say(what, 64, sendmsg(fds[0], &mh, 0));
	close(fds[0]);
	pair(type, fds);
	shutdown(fds[1], SHUT_RD);
	say(what, 65, sendmsg(fds[0], &mh, 0));
	close(fds[0]);
	close(fds[1]);
}

static long
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* A socket in which there is no room. */
static void
fill(int type, int fds[2])
{
	struct iovec	 iov = { big, 4096 };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	pair(type, fds);
	while (sendmsg(fds[0], &mh, MSG_DONTWAIT) != -1)
		continue;
	say("full", type, -1);
}

static void
ring(int ms)
{
	struct itimerval	 it = { { 0, 0 }, { ms / 1000,
				    ms % 1000 * 1000 } };

	if (setitimer(ITIMER_REAL, &it, NULL) == -1)
		err(1, "setitimer");
}

/* Read everything after a while, in a child. */
static pid_t
drain(int fds[2], int ms)
{
	static char	 buf[65536];
	pid_t		 pid;

	if ((pid = fork()) != 0)
		return (pid);
	close(fds[0]);
	usleep(ms * 1000);
	while (recv(fds[1], buf, sizeof(buf), 0) > 0)
		continue;
	_exit(0);
}

static void
sends_waits(const char *what, int type)
{
	struct iovec	 iov = { big, 4096 };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct timeval	 tv = { 0, 300000 }, none = { 0, 0 };
	long		 begin;
	pid_t		 pid;
	int		 fds[2];

	fill(type, fds);
	/* A time limit. */
	setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	begin = now_ms();
	say(what, 1, sendmsg(fds[0], &mh, 0));
	say(what, 2, now_ms() - begin >= 300);
	/* A signal ends that for good. */
	tv.tv_sec = 20;
	setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	handle(SIGALRM, SA_RESTART);
	ring(200);
	say(what, 3, sendmsg(fds[0], &mh, 0));
	say(what, 4, alarms);
	/* Without a limit it is as the handler says. */
	setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	handle(SIGALRM, 0);
	ring(200);
	say(what, 5, sendmsg(fds[0], &mh, 0));
	say(what, 6, alarms);
	handle(SIGALRM, SA_RESTART);
	ring(200);
	pid = drain(fds, 600);
	begin = now_ms();
	say(what, 7, sendmsg(fds[0], &mh, 0));
	say(what, 8, now_ms() - begin >= 500);
	say(what, 9, alarms);
	/* One of datagrams sees no end. */
	kill(pid, SIGKILL);
	close(fds[0]);
	close(fds[1]);
	waitpid(pid, NULL, 0);
	/* The other end goes while it waits. */
	fill(type, fds);
	if ((pid = fork()) == 0) {
		close(fds[0]);
		usleep(300000);
		_exit(0);
	}
	close(fds[1]);
	say(what, 10, sendmsg(fds[0], &mh, 0));
	close(fds[0]);
	waitpid(pid, NULL, 0);
	/* Killed while it waits. */
	fill(type, fds);
	if ((pid = fork()) == 0) {
		sendmsg(fds[0], &mh, 0);
		_exit(0);
	}
	usleep(200000);
	kill(pid, SIGKILL);
	waitpid(pid, &type, 0);
	say(what, 11, WTERMSIG(type));
}

static unsigned char
pattern(size_t i)
{
	return ((unsigned char)(i * 31 + (i >> 12)));
}

static void *
read_all(void *arg)
{
	static unsigned char	 buf[100000];
	size_t			 at = 0;
	ssize_t			 i, n;

	while ((n = read(*(int *)arg, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++, at++)
			if (buf[i] != pattern(at))
				errx(1, "byte %zu", at);
	if (at != LARGE)
		errx(1, "%zu bytes", at);
	return (NULL);
}

static void
sends_large(void)
{
	unsigned char	*data;
	struct iovec	 iov[3];
	struct msghdr	 mh = { .msg_iov = iov, .msg_iovlen = 3 };
	pthread_t	 thread;
	size_t		 i;
	int		 fds[2];

	if ((data = malloc(LARGE)) == NULL)
		err(1, "malloc");
	for (i = 0; i < LARGE; i++)
		data[i] = pattern(i);
	iov[0] = (struct iovec){ data, 1 };
	iov[1] = (struct iovec){ data + 1, 1000000 };
	iov[2] = (struct iovec){ data + 1000001, LARGE - 1000001 };
	pair(SOCK_STREAM, fds);
	if (pthread_create(&thread, NULL, read_all, &fds[1]) != 0)
		errx(1, "pthread_create");
	say("large", 1, sendmsg(fds[0], &mh, 0));
	close(fds[0]);
	pthread_join(thread, NULL);
}

static void
sends_plain(int port, int tcp_port, int count)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = address(AF_INET, port, &ss);
	int			 i, tcp, udp;

	udp = sock(AF_INET, SOCK_DGRAM);
	if (connect(udp, (struct sockaddr *)&ss, len) == -1)
		err(1, "udp");
	tcp = sock(AF_INET, SOCK_STREAM);
	len = address(AF_INET, tcp_port, &ss);
	if (connect(tcp, (struct sockaddr *)&ss, len) == -1)
		err(1, "tcp");
	for (i = 0; i < count; i++)
		if (send(udp, big, 1, 0) != 1 || write(udp, big, 1) != 1 ||
		    send(tcp, big, 1, 0) != 1 || write(tcp, big, 1) != 1)
			err(1, "send");
	say("plain", 0, i);
}

int
main(int argc, char *argv[])
{
	const char	*mode = argc > 1 ? argv[1] : "";

	handle(SIGPIPE, 0);
	if (strcmp(mode, "net") == 0 && argc == 4) {
		sends_datagram("udp", AF_INET, atoi(argv[2]));
		sends_datagram("udp6", AF_INET6, atoi(argv[2]));
		sends_tcp(atoi(argv[3]));
	} else if (strcmp(mode, "unix") == 0 && argc == 3) {
		sends_unix(argv[2]);
	} else if (strcmp(mode, "pairs") == 0) {
		sends_pair("stream", SOCK_STREAM);
		sends_pair("seqpacket", SOCK_SEQPACKET);
		sends_pair("dgram", SOCK_DGRAM);
	} else if (strcmp(mode, "waits") == 0) {
		sends_waits("stream", SOCK_STREAM);
		sends_waits("seqpacket", SOCK_SEQPACKET);
		sends_waits("dgram", SOCK_DGRAM);
	} else if (strcmp(mode, "large") == 0) {
		sends_large();
	} else if (strcmp(mode, "plain") == 0 && argc == 5) {
		sends_plain(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	} else
		errx(1, "usage");
	return (0);
}
