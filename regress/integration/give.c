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
 * What comes with a descriptor that somebody else has opened: that it is the
 * caller's alone, that nothing happens to a file when there is no room for one,
 * and that a call does not say otherwise than it did.  Each try prints what
 * came of it.
 */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#define TURNS	1000
#define LIMIT	20	/* descriptors */

static void
put(const char *name, mode_t mode)
{
	int	 fd;

	if ((fd = open(name, O_RDWR | O_CREAT, mode)) == -1 ||
	    write(fd, "content", 7) != 7 || close(fd) == -1)
		err(1, "%s", name);
}

static void
limit(rlim_t n)
{
	struct rlimit	 rl = { n, LIMIT };

	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
}

static void
full_try(const char *name, int flags)
{
	struct stat	 st;
	int		 error, fd;

	fd = open(name, flags, 0644);
	error = errno;
	if (fd != -1)
		close(fd);
	printf("%s %#x %s", name, (unsigned int)flags,
	    fd == -1 ? strerrorname_np(error) : "opened");
	if (stat(name, &st) == -1)
		printf(" %s\n", strerrorname_np(errno));
	else
		printf(" %lld\n", S_ISREG(st.st_mode) ? (long long)st.st_size :
		    0LL);
}

static const struct {
	const char	*name;
	int		 flags;
} fulls[] = {
	{ "known", O_WRONLY | O_TRUNC },
	{ "known", O_WRONLY | O_CREAT | O_TRUNC },
	{ "known", O_RDONLY },
	{ "program", O_WRONLY | O_TRUNC },
	{ "old", O_WRONLY | O_TRUNC },
	{ "old", O_RDWR },
	{ "new", O_WRONLY | O_CREAT },
	{ "new", O_WRONLY | O_CREAT | O_EXCL },
	{ "missing/new", O_WRONLY | O_CREAT },
	{ ".", O_WRONLY | O_TMPFILE }
};

/* full: no room, room for one more, and room below a limit that has passed. */
static int
full(void)
{
	size_t	 i;
	int	 fd, last = -1;

	put("known", 0644);
	put("known", 0644);
	put("program", 0755);
	limit(LIMIT);
	while ((fd = open("/dev/null", O_RDONLY)) != -1)
		last = fd;
	if (errno != EMFILE || last != LIMIT - 1)
		err(1, "last %d", last);
	for (i = 0; i < nitems(fulls); i++)
		full_try(fulls[i].name, fulls[i].flags);
	limit(LIMIT / 2);
	full_try("known", O_WRONLY | O_TRUNC);
	/* There are more than may be, and yet there is room. */
	close(LIMIT / 2 - 1);
	full_try("new", O_WRONLY | O_CREAT);
	for (i = 0; i < nitems(fulls); i++)
		full_try(fulls[i].name, fulls[i].flags);
	return (0);
}

/* A lock ends when its only descriptor is closed, or its owner is gone. */
static int
locked_by(int fork_it)
{
	pid_t	 pid = 0;
	int	 fd, status;

	if (fork_it && (pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0) {
		if (waitpid(pid, &status, 0) == -1)
			err(1, "waitpid");
		return (status == 0 ? 0 : -1);
	}
	if ((fd = open("lock", O_WRONLY)) == -1 ||
	    flock(fd, LOCK_EX | LOCK_NB) == -1)
		err(1, "lock");
	if (fork_it)
		_exit(0);
	return (close(fd));
}

static int
locks(void)
{
	int	 fd, i, late = 0;

	put("lock", 0644);
	put("lock", 0644);
	if ((fd = open("lock", O_RDONLY)) == -1)
		err(1, "lock");
	for (i = 0; i < TURNS; i++) {
		if (locked_by(i % 4 == 0) == -1)
			errx(1, "not locked");
		if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
			if (errno != EWOULDBLOCK)
				err(1, "flock");
			late++;
			if (flock(fd, LOCK_EX) == -1)
				err(1, "flock");
		}
		if (flock(fd, LOCK_UN) == -1)
			err(1, "flock");
	}
	printf("%d late\n", late);
	return (0);
}

/* Who reads a FIFO sees the end when the only writer has closed it. */
static int
fifos(void)
{
	int	 fd, i, late = 0, writer;
	char	 c;

	if (mkfifo("fifo", 0600) == -1 || (fd = open("fifo",
	    O_RDONLY | O_NONBLOCK)) == -1)
		err(1, "fifo");
	for (i = 0; i < TURNS; i++) {
		if ((writer = open("fifo", O_WRONLY | O_NONBLOCK)) == -1 ||
		    write(writer, "x", 1) != 1 || close(writer) == -1 ||
		    read(fd, &c, 1) != 1)
			err(1, "fifo");
		if (read(fd, &c, 1) == 0)
			continue;
		late++;
		while (read(fd, &c, 1) != 0)
			poll(NULL, 0, 1);
	}
	printf("%d late\n", late);
	return (0);
}

/* opens: until there is something to read; what is opened is a descriptor. */
static int
opens(void)
{
	struct pollfd	 pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	int		 fd, n;

	put("known", 0644);
	put("known", 0644);
	printf("ready\n");
	fflush(stdout);
	for (n = 0; poll(&pfd, 1, 0) == 0; n++) {
		fd = open("known", n % 2 ? O_RDWR : O_RDONLY);
		if (fd <= STDERR_FILENO)
			errx(1, "%d: %d", n, fd);
		close(fd);
	}
	printf("done\n");
	return (n < TURNS);
}

/* stops PID ...: stop a worker and let it go on, again and again. */
static int
stops(int argc, char *argv[])
{
	pid_t	 pid;
	int	 i, n;

	for (i = 0; i < argc; i++) {
		pid = atoi(argv[i]);
		for (n = 0; n < TURNS; n++) {
			if (kill(pid, SIGSTOP) == -1)
				err(1, "%d", (int)pid);
			usleep(20);
			if (kill(pid, SIGCONT) == -1)
				err(1, "%d", (int)pid);
			usleep(n % 200);
		}
	}
	return (0);
}

static const struct {
	const char	*name;
	int		 (*run)(void);
} tries[] = {
	{ "full", full },
	{ "locks", locks },
	{ "fifos", fifos },
	{ "opens", opens }
};

int
main(int argc, char *argv[])
{
	size_t	 i;

	if (argc > 2 && strcmp(argv[1], "stops") == 0)
		return (stops(argc - 2, argv + 2));
	for (i = 0; i < nitems(tries); i++)
		if (argc == 2 && strcmp(argv[1], tries[i].name) == 0)
			return (tries[i].run());
	errx(1, "usage: give try | stops pid ...");
}
