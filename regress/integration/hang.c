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
 * Tries to hang whoever serves the workload: by a pipe that a splice holds, by
 * a socket whose last close waits.  Each try prints what came of it.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#define WAIT_MS		300	/* who has not returned by then waits */
#define LATE		5.0	/* seconds that no served call takes */
#define DELAYS		200	/* how long before the close, by turns */

static int	 pair[2], fds[2];
static char	 block[65536];

static double
now(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return (ts.tv_sec + ts.tv_nsec / 1e9);
}

/* Of calls that may wait for ever: which one, and what it said. */
struct attempt {
	ssize_t		 (*call)(void);
	int		 error;
	volatile int	 done;
};

static void *
attempt_run(void *arg)
{
	struct attempt	*a = arg;

	a->error = a->call() == -1 ? errno : 0;
	a->done = 1;
	return (NULL);
}

static void
attempt_start(struct attempt *a, ssize_t (*call)(void))
{
	pthread_t	 thread;

	memset(a, 0, sizeof(*a));
	a->call = call;
	if ((errno = pthread_create(&thread, NULL, attempt_run, a)) != 0 ||
	    (errno = pthread_detach(thread)) != 0)
		err(1, "thread");
}

static const char *
attempt_outcome(const struct attempt *a)
{
	int	 i;

	for (i = 0; i < WAIT_MS && !a->done; i++)
		poll(NULL, 0, 1);
	if (!a->done)
		return ("waits");
	return (a->error == 0 ? "done" : strerrorname_np(a->error));
}

static void
setup(void)
{
	if (pipe(fds) == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		err(1, "setup");
}

/* As much as there is room for. */
static void
stuff(int fd)
{
	int	 flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		err(1, "fcntl");
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	if (errno != EAGAIN || fcntl(fd, F_SETFL, flags) == -1)
		err(1, "fill");
}

/* These hold the pipe while they wait. */

static ssize_t
from_socket(void)
{
	return (splice(pair[0], NULL, fds[1], NULL, 1, 0));
}

static ssize_t
send_socket(void)
{
	return (sendfile(fds[1], pair[0], NULL, 1));
}

static ssize_t
to_socket(void)
{
	if (write(fds[1], "x", 1) != 1)
		err(1, "write");
	stuff(pair[0]);
	return (splice(fds[0], NULL, pair[0], NULL, 1, 0));
}

/* A socket has no place to begin at. */
static ssize_t
send_placed(void)
{
	off_t	 at = 0;

	return (sendfile(fds[1], pair[0], &at, 1));
}

static ssize_t
from_placed(void)
{
	off64_t	 at = 0;

	return (splice(pair[0], &at, fds[1], NULL, 1, 0));
}

/* What is left, of files: by way of the pipe, and straight to the socket. */
static ssize_t
file_placed(void)
{
	off64_t	 at = 0, to = 4;
	off_t	 from = 1;
	char	 c[2];
	int	 fd;

	if ((fd = open("placed", O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1 ||
	    write(fd, "abcd", 4) != 4)
		err(1, "placed");
	if (splice(fd, &at, fds[1], NULL, 2, 0) != 2 || at != 2)
		return (-1);
	if (splice(fds[0], NULL, fd, &to, 2, 0) != 2 || to != 6)
		return (-1);
	if (pread(fd, c, 2, 4) != 2 || memcmp(c, "ab", 2) != 0)
		errx(1, "not what was spliced");
	if (sendfile(pair[0], fd, &from, 2) != 2 || from != 3)
		return (-1);
	if (read(pair[1], c, 2) != 2 || memcmp(c, "bc", 2) != 0)
		errx(1, "not what was sent");
	return (0);
}

static const struct {
	const char	*name;
	ssize_t		 (*call)(void);
} splices[] = {
	{ "from_socket", from_socket },
	{ "send_socket", send_socket },
	{ "to_socket", to_socket },
	{ "from_placed", from_placed },
	{ "send_placed", send_placed },
	{ "file_placed", file_placed }
};

/* splices NAME ... */
static int
all_splices(int argc, char *argv[])
{
	struct attempt	 a;
	size_t		 i;
	int		 n;

	for (n = 0; n < argc; n++)
		for (i = 0; i < nitems(splices); i++) {
			if (strcmp(argv[n], splices[i].name) != 0)
				continue;
			setup();
			attempt_start(&a, splices[i].call);
			printf("%s %s\n", argv[n], attempt_outcome(&a));
		}
	return (0);
}

static ssize_t
open_fifo(void)
{
	return (open("fifo", O_WRONLY | O_NONBLOCK));
}

/* A FIFO that one thread tries to hold, another opens; then what is served. */
static int
fifo(int argc, char *argv[])
{
	struct attempt	 hold, opens;
	int		 fd;

	(void)argc;
	(void)argv;
	setup();
	if (mkfifo("fifo", 0600) == -1 || (fds[1] = open("fifo",
	    O_RDWR)) == -1)
		err(1, "fifo");
	attempt_start(&hold, from_socket);
	printf("hold %s\n", attempt_outcome(&hold));
	attempt_start(&opens, open_fifo);
	printf("open %s\n", attempt_outcome(&opens));
	fflush(stdout);
	if ((fd = open("new", O_RDWR | O_CREAT, 0600)) == -1)
		err(1, "new");
	printf("served\n");
	/* Who is left is not waited for. */
	fflush(stdout);
	_exit(0);
}

/* A descriptor that one thread closes while another makes a call on it. */
struct closing {
	int		 fd;
	int		 delay;
	volatile int	 go;
	volatile int	 busy;
};

static void *
closing_run(void *arg)
{
	struct closing	*c = arg;
	volatile int	 i;
	int		 fd = c->fd;

	while (!c->go)
		continue;
	for (i = 0; i < c->delay; i++)
		continue;
	c->busy = 0;
	/* Nobody waits for this one, which may take long. */
	close(fd);
	return (NULL);
}

/* One of those whose descriptor a worker holds; what it says is no matter. */
static void
call_on(int fd, const char *call, const struct sockaddr_in *sin)
{
	char	 value[8];

	if (strcmp(call, "look") == 0)
		(void)fgetxattr(fd, "user.x", value, sizeof(value));
	else if (strcmp(call, "change") == 0)
		(void)fchmod(fd, 0600);
	else if (connect(fd, (const struct sockaddr *)sin, sizeof(*sin)) == 0)
		errx(1, "connected twice");
}

/* The call and the close at about the same time; then the next is served. */
static void
race_once(int fd, const char *call, const struct sockaddr_in *sin, int n)
{
	static struct closing	 c[DELAYS];
	struct closing		*this = &c[n % DELAYS];
	pthread_t		 thread;
	double			 start = now();
	int			 created;

	/* Who had it before may not have come to run. */
	while (this->busy)
		poll(NULL, 0, 1);
	this->busy = 1;
	this->fd = fd;
	this->delay = n % DELAYS * 40;
	this->go = 0;
	if ((errno = pthread_create(&thread, NULL, closing_run, this)) != 0 ||
	    (errno = pthread_detach(thread)) != 0)
		err(1, "thread");
	this->go = 1;
	call_on(fd, call, sin);
	if ((created = open("new", O_RDWR | O_CREAT, 0600)) == -1)
		err(1, "new");
	close(created);
	if (now() - start > LATE)
		errx(1, "late after %d", n);
}

/* pipes CALL SECONDS: of a pipe that somebody tries to hold. */
static int
pipes(int argc, char *argv[])
{
	struct attempt	 hold;
	double		 end = now() + strtod(argv[1], NULL);
	int		 n;

	(void)argc;
	for (n = 0; now() < end; n++) {
		setup();
		attempt_start(&hold, from_socket);
		/* It has begun, or been refused, by then. */
		poll(NULL, 0, 1);
		race_once(fds[0], argv[0], NULL, n);
		if (write(pair[1], "x", 1) != 1)
			err(1, "write");
		while (!hold.done)
			poll(NULL, 0, 1);
		close(fds[1]);
		close(pair[0]);
		close(pair[1]);
	}
	printf("served\n");
	fflush(stdout);
	_exit(0);
}

static void
loopback(struct sockaddr_in *sin, const char *port)
{
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin->sin_port = htons(atoi(port));
}

static int
connected(const struct sockaddr_in *sin)
{
	struct linger	 l = { 1, 1000 };
	int		 fd;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (const struct sockaddr *)sin, sizeof(*sin)) == -1)
		err(1, "connect");
	stuff(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == -1)
		err(1, "linger");
	return (fd);
}

/* sockets CALL SECONDS PORT: of one with data for who reads nothing. */
static int
sockets(int argc, char *argv[])
{
	struct sockaddr_in	 sin;
	double			 end = now() + strtod(argv[1], NULL);
	int			 n;

	(void)argc;
	loopback(&sin, argv[2]);
	for (n = 0; now() < end; n++)
		race_once(connected(&sin), argv[0], &sin, n);
	printf("served\n");
	fflush(stdout);
	_exit(0);
}

static ssize_t
close_waiting(void)
{
	return (close(fds[0]));
}

/* closes PORT: what the option is for. */
static int
closes(int argc, char *argv[])
{
	struct sockaddr_in	 sin;
	struct attempt		 a;

	(void)argc;
	loopback(&sin, argv[0]);
	fds[0] = connected(&sin);
	attempt_start(&a, close_waiting);
	printf("close %s\n", attempt_outcome(&a));
	fflush(stdout);
	_exit(0);
}

/* serve FILE: take connections and read nothing. */
static int
serve(int argc, char *argv[])
{
	struct sockaddr_in	 sin;
	struct rlimit		 rl;
	socklen_t		 len = sizeof(sin);
	FILE			*fp;
	int			 fd;

	(void)argc;
	loopback(&sin, "0");
	/* Whoever has connected stays; the queue must not fill up behind. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 || bind(fd,
	    (struct sockaddr *)&sin, len) == -1 || listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "serve");
	if ((fp = fopen(argv[0], "w")) == NULL ||
	    fprintf(fp, "%u\n", ntohs(sin.sin_port)) < 0 || fclose(fp) != 0)
		err(1, "%s", argv[0]);
	for (;;)
		if (accept(fd, NULL, NULL) == -1)
			poll(NULL, 0, 100);
}

static void
linger_try(const char *what, int fd, const void *value, socklen_t size)
{
	struct linger	 l;
	socklen_t	 len = sizeof(l);

	printf("%s", what);
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, value, size) == -1)
		printf(" %s", strerrorname_np(errno));
	memset(&l, 0, sizeof(l));
	if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len) == 0)
		printf(" %d,%d", l.l_onoff, l.l_linger);
	putchar('\n');
}

/* linger: what the option says, what it refuses. */
static int
linger(int argc, char *argv[])
{
	static const struct linger	 values[] = {
		{ 1, 5 }, { 1, 0 }, { 0, 5 }, { 2, 0 }, { 0, 0 }, { 1, -1 }
	};
	char				 what[32];
	size_t				 i;

	(void)argc;
	(void)argv;
	setup();
	for (i = 0; i < nitems(values); i++) {
		snprintf(what, sizeof(what), "%d,%d", values[i].l_onoff,
		    values[i].l_linger);
		linger_try(what, pair[0], &values[i], sizeof(values[i]));
	}
	linger_try("long", pair[0], &values[1], 100);
	linger_try("short", pair[0], &values[1], sizeof(values[1]) - 1);
	linger_try("none", pair[0], &values[1], 0);
	linger_try("negative", pair[0], &values[1], (socklen_t)-1);
	linger_try("null", pair[0], NULL, sizeof(values[1]));
	linger_try("pipe", fds[0], &values[1], sizeof(values[1]));
	linger_try("closed", 999, &values[1], sizeof(values[1]));
	return (0);
}

static const struct {
	const char	*name;
	int		 args;
	int		 (*run)(int, char *[]);
} tries[] = {
	{ "splices", 1, all_splices },
	{ "fifo", 0, fifo },
	{ "pipes", 2, pipes },
	{ "sockets", 3, sockets },
	{ "closes", 1, closes },
	{ "linger", 0, linger },
	{ "serve", 1, serve }
};

int
main(int argc, char *argv[])
{
	size_t	 i;

	/* A splice into a pipe that nobody reads. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		err(1, "signal");
	for (i = 0; i < nitems(tries); i++)
		if (argc > 1 && strcmp(argv[1], tries[i].name) == 0 &&
		    argc - 2 >= tries[i].args)
			return (tries[i].run(argc - 2, argv + 2));
	errx(1, "usage: hang try ...");
}
