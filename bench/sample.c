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
 * Samples of several commands, interleaved: A B C A B C ..., so that whatever
 * drifts on the machine hits all alike.  Used by run.sh:
 *
 *	sample [-o] [-n count] command [arg ...] [--- command [arg ...]] ...
 *
 * prints one line for each command, its median: of the wall time from before
 * posix_spawn(3) until after waitpid(2), in microseconds, or with -o of the
 * number that the command prints.  A command that fails ends it all.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX	16
#define SAMPLES_DEFAULT	200
#define WARMUP		3	/* rounds that do not count: cold caches */

extern char	**environ;

struct command {
	char	**argv;
	double	 *samples;
};

static pid_t	 child = -1;

/* Interrupted in the middle: nothing that we started may go on. */
static void
interrupted(int sig)
{
	if (child > 0)
		kill(child, SIGKILL);
	_exit(128 + sig);
}

static double
now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1e6 + ts.tv_nsec / 1e3);
}

static int
compare(const void *a, const void *b)
{
	const double	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

static double
median(double *samples, size_t n)
{
	qsort(samples, n, sizeof(*samples), compare);
	if (n % 2 == 1)
		return (samples[n / 2]);
	return ((samples[n / 2 - 1] + samples[n / 2]) / 2);
}

static void
reap(const char *name)
{
	int	 status;

	if (waitpid(child, &status, 0) == -1)
		err(1, "waitpid");
	child = -1;
	if (WIFSIGNALED(status))
		errx(1, "%s: signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		errx(1, "%s: exit status %d", name, WEXITSTATUS(status));
}

static double
sample_time(char **argv)
{
	double	 start;
	int	 error;

	start = now();
	if ((error = posix_spawnp(&child, argv[0], NULL, NULL, argv,
	    environ)) != 0)
		errx(1, "%s: %s", argv[0], strerror(error));
	reap(argv[0]);
	return (now() - start);
}

static double
sample_output(char **argv)
{
	posix_spawn_file_actions_t	 actions;
	char				 buf[64], *end;
	double				 value;
	size_t				 len = 0;
	ssize_t				 n;
	int				 error, fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		err(1, "pipe");
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, fds[1],
	    STDOUT_FILENO) != 0)
		errx(1, "posix_spawn_file_actions");
	if ((error = posix_spawnp(&child, argv[0], &actions, NULL, argv,
	    environ)) != 0)
		errx(1, "%s: %s", argv[0], strerror(error));
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	while (len < sizeof(buf) - 1 &&
	    (n = read(fds[0], buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	close(fds[0]);
	buf[len] = '\0';
	reap(argv[0]);
	value = strtod(buf, &end);
	if (end == buf)
		errx(1, "%s: no number in \"%s\"", argv[0], buf);
	return (value);
}

static void
usage(void)
{
	fprintf(stderr, "usage: sample [-o] [-n count] command [arg ...] "
	    "[--- command [arg ...]] ...\n");
	exit(1);
}

/* Cut the arguments at "---"; the number of commands. */
static size_t
commands_split(struct command *commands, int argc, char **argv)
{
	size_t	 n = 0;
	int	 i, first = 1;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "---") == 0) {
			argv[i] = NULL;
			first = 1;
			continue;
		}
		if (!first)
			continue;
		if (n == COMMANDS_MAX)
			errx(1, "too many commands");
		commands[n++].argv = &argv[i];
		first = 0;
	}
	return (n);
}

int
main(int argc, char **argv)
{
	struct command	 commands[COMMANDS_MAX];
	double		 value;
	size_t		 c, ncommands;
	long		 count = SAMPLES_DEFAULT, i;
	int		 ch, output = 0;

	while ((ch = getopt(argc, argv, "+n:o")) != -1)
		switch (ch) {
		case 'n':
			if ((count = atol(optarg)) < 1 || count > INT_MAX)
				usage();
			break;
		case 'o':
			output = 1;
			break;
		default:
			usage();
		}
	ncommands = commands_split(commands, argc - optind, argv + optind);
	if (ncommands == 0)
		usage();
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	for (c = 0; c < ncommands; c++)
		if ((commands[c].samples = calloc(count,
		    sizeof(*commands[c].samples))) == NULL)
			err(1, NULL);

	for (i = -WARMUP; i < count; i++)
		for (c = 0; c < ncommands; c++) {
			value = output ? sample_output(commands[c].argv) :
			    sample_time(commands[c].argv);
			if (i >= 0)
				commands[c].samples[i] = value;
		}
	for (c = 0; c < ncommands; c++)
		printf("%.3f\n", median(commands[c].samples, count));
	return (0);
}
