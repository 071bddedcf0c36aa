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
 * Callers that are killed while their calls wait for cowd.  Whoever runs this
 * stops cowd and lets it go on: it is asked for with a line on standard output,
 * and answers with one on standard input.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK		65536
#define SETTLE_MS	200	/* the calls have come by then */
#define SWEPT_MS	2500	/* and those of the dead been looked for */

static atomic_int	 begun;
static int		 round_number;

static void
ask(const char *what)
{
	char	 line[16];

	printf("%s\n", what);
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		errx(1, "no answer to %s", what);
}

static int
entries(const char *name)
{
	DIR		*dir;
	struct dirent	*d;
	int		 n = 0;

	if ((dir = opendir(name)) == NULL)
		err(1, "%s", name);
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			n++;
	closedir(dir);
	return (n);
}

static void *
storm_call(void *arg)
{
	char	 name[64];

	snprintf(name, sizeof(name), "storm%d/%d", round_number,
	    *(int *)arg);
	begun++;
	if (mkdir(name, 0700) == -1)
		err(1, "%s", name);
	return (NULL);
}

static void
storm_child(int n)
{
	pthread_attr_t	 attr;
	pthread_t	 thread;
	int		*numbers, i;

	if ((numbers = calloc(n, sizeof(*numbers))) == NULL)
		err(1, NULL);
	if ((errno = pthread_attr_init(&attr)) != 0 ||
	    (errno = pthread_attr_setstacksize(&attr, STACK)) != 0)
		err(1, "attr");
	for (i = 0; i < n; i++) {
		numbers[i] = i;
		if ((errno = pthread_create(&thread, &attr, storm_call,
		    &numbers[i])) != 0)
			err(1, "thread");
	}
	while (begun < n)
		poll(NULL, 0, 1);
	poll(NULL, 0, SETTLE_MS);
	_exit(0);
}

/* All threads of a process wait in a call, and it ends; how many were made? */
static int
storm_once(int n)
{
	pid_t	 pid;
	char	 name[32];
	int	 made, status;

	snprintf(name, sizeof(name), "storm%d", ++round_number);
	if (mkdir(name, 0700) == -1)
		err(1, "%s", name);
	ask("stop");
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		storm_child(n);
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(1, "child: %#x", (unsigned int)status);
	ask("go");
	/* It comes after all of theirs that are made at all. */
	if (mkdir("next", 0700) == -1 || rmdir("next") == -1)
		err(1, "next");
	made = entries(name);
	ask("count");
	return (made);
}

static int
storm(int argc, char *argv[])
{
	int	 i, n = atoi(argv[0]), turns = atoi(argv[1]);

	(void)argc;
	for (i = 0; i < turns; i++)
		printf("%s\n", storm_once(n) < n / 4 ? "few" : "many");
	return (0);
}

/* A directory is moved, and who asked for that is no more. */
static int
moved(int argc, char *argv[])
{
	struct stat	 st;
	pid_t		 pid;
	int		 status;

	(void)argc;
	(void)argv;
	ask("stop");
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		(void)rename("dir", "moved");
		_exit(0);
	}
	poll(NULL, 0, SETTLE_MS);
	if (kill(pid, SIGKILL) == -1 || waitpid(pid, &status, 0) == -1)
		err(1, "kill");
	poll(NULL, 0, SWEPT_MS);
	ask("go");
	if (mkdir("next", 0700) == -1)
		err(1, "next");
	if (stat("dir", &st) != -1 || errno != ENOENT)
		errx(1, "dir was not moved: void");
	printf("%d in moved, %d in moved/sub\n", entries("moved"),
	    entries("moved/sub"));
	return (0);
}

int
main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "storm") == 0)
		return (storm(argc - 2, argv + 2));
	if (argc == 2 && strcmp(argv[1], "moved") == 0)
		return (moved(argc - 2, argv + 2));
	errx(1, "usage: storm storm threads turns | storm moved");
}
