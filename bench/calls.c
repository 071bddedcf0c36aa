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
#include <sys/syscall.h>

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

int
main(int argc, char **argv)
{
	struct timespec	 start, end;
	void		(*call)(void);
	long		 i, n;

	if (argc != 3 || (n = atol(argv[2])) < 1) {
		fprintf(stderr, "usage: calls clone | getppid | open-read |"
		    " open-write count\n");
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
