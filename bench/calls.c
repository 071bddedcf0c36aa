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
 * One system call in a loop: prints the microseconds of one call.  Start-up
 * is not in it.  Used by run.sh, bare, in a sandbox and under minimal.c.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Notified under a limit of processes; refused by the kernel as nonsense. */
static void
call_clone(void)
{
	if (syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0) != -1 ||
	    errno != EINVAL)
		errx(1, "clone was not refused with EINVAL");
}

/* No rule of anybody touches it. */
static void
call_getppid(void)
{
	syscall(SYS_getppid);
}

/* A file of this directory, and what was done to it before. */
static void
call_open_read(void)
{
	int	 fd;

	if ((fd = open("file", O_RDONLY)) == -1)
		err(1, "open");
	close(fd);
}

static void
call_open_write(void)
{
	int	 fd;

	if ((fd = open("file", O_WRONLY)) == -1)
		err(1, "open");
	close(fd);
}

/* A change that opens nothing. */
static void
call_chmod(void)
{
	if (chmod("file", 0644) == -1)
		err(1, "chmod");
}

static struct sockaddr_in	 server = {
	.sin_family = AF_INET,
	.sin_addr = { .s_addr = 0x0100007f }	/* 127.0.0.1 */
};

static void
call_connect(void)
{
	int	 fd;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1)
		err(1, "connect");
	close(fd);
}

static void
call_sendto(void)
{
	static int	 fd = -1;

	if (fd == -1 && (fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
		err(1, "socket");
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&server,
	    sizeof(server)) != 1)
		err(1, "sendto");
}

static void
call_send(void)
{
	static int	 fd = -1;

	if (fd == -1 && ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1))
		err(1, "socket");
	if (send(fd, "x", 1, 0) != 1)
		err(1, "send");
}

/*
 * Take what comes to a port of TCP and UDP, until somebody kills us.  What the
 * other end has closed is reset, so that no port is kept from the next connect.
 */
static void __attribute__((__noreturn__))
serve(void)
{
	const struct linger	 linger = { 1, 0 };
	struct sockaddr		*sa = (struct sockaddr *)&server;
	int			 fd, one = 1, s, udp;
	char			 c;

	if ((s = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    (udp = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
		err(1, "socket");
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	if (bind(s, sa, sizeof(server)) == -1 ||
	    bind(udp, sa, sizeof(server)) == -1 || listen(s, 4096) == -1)
		err(1, "bind");
	puts("ready");
	fflush(stdout);
	/* Datagrams are dropped when nobody takes them. */
	for (;;)
		if ((fd = accept(s, NULL, NULL)) != -1) {
			(void)read(fd, &c, 1);
			close(fd);
		}
}

int
main(int argc, char **argv)
{
	struct timespec	 start, end;
	void		(*call)(void);
	long		 i, n;

	if (argc == 4)
		server.sin_port = htons(strtol(argv[3], NULL, 10));
	if ((argc != 3 && argc != 4) || (n = atol(argv[2])) < 1) {
		fprintf(stderr, "usage: calls clone | getppid | open-read |"
		    " open-write | chmod count\n"
		    "       calls connect | send | sendto | serve count port"
		    "\n");
		return (1);
	}
	if (strcmp(argv[1], "clone") == 0)
		call = call_clone;
	else if (strcmp(argv[1], "getppid") == 0)
		call = call_getppid;
	else if (strcmp(argv[1], "open-read") == 0)
		call = call_open_read;
	else if (strcmp(argv[1], "open-write") == 0)
		call = call_open_write;
	else if (strcmp(argv[1], "chmod") == 0)
		call = call_chmod;
	else if (strcmp(argv[1], "connect") == 0)
		call = call_connect;
	else if (strcmp(argv[1], "send") == 0)
		call = call_send;
	else if (strcmp(argv[1], "sendto") == 0)
		call = call_sendto;
	else if (strcmp(argv[1], "serve") == 0)
		serve();
	else
		errx(1, "%s: unknown call", argv[1]);

	call();
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < n; i++)
		call();
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.4f\n", ((end.tv_sec - start.tv_sec) * 1e6 +
	    (end.tv_nsec - start.tv_nsec) / 1e3) / n);
	return (0);
}
