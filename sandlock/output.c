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
 * The standard output of a list of changes, which is as long as it is and may
 * go to a reader that does not read.  A signal that ends programs ends the
 * writing, too: it is noticed by the event loop after that, which a write that
 * waits would keep it from.
 */

#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "output.h"

static const int	 output_signals[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT
};
#define OUTPUT_SIGNALS	(sizeof(output_signals) / sizeof(*output_signals))

static void	(*output_next[OUTPUT_SIGNALS])(int);
static volatile sig_atomic_t	 output_caught;
static int	 output_fd = -1;
static int	 output_stopped;

/* One that comes while nothing is written is the event loop's, and ours. */
static void
output_signal(int sig)
{
	size_t	 i;

	output_caught = 1;
	for (i = 0; i < OUTPUT_SIGNALS; i++)
		if (output_signals[i] == sig && output_next[i] != NULL)
			output_next[i](sig);
}

void
output_watch(void)
{
	struct sigaction	 sa;
	size_t			 i;

	for (i = 0; i < OUTPUT_SIGNALS; i++) {
		if (sigaction(output_signals[i], NULL, &sa) == -1 ||
		    sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)
			continue;
		output_next[i] = sa.sa_handler;
		sa.sa_handler = output_signal;
		sigaction(output_signals[i], &sa, NULL);
	}
}

void
output_begin(void)
{
	output_caught = 0;
}

/*
 * Wait until something can be written.  Signals come in here and not before, so
 * that none slips in between the look and the wait.
 */
static int
output_wait(void)
{
	struct pollfd	 pfd = { .fd = output_fd, .events = POLLOUT };
	sigset_t	 mask;
	size_t		 i;

	sigfillset(&mask);
	for (i = 0; i < OUTPUT_SIGNALS; i++)
		sigdelset(&mask, output_signals[i]);
	if (!output_caught && ppoll(&pfd, 1, NULL, &mask) != -1)
		return (0);
	if (output_caught || errno == EINTR)
		output_stopped = 1;
	return (-1);
}

/* For stdio(3): 0 is an error.  A pipe takes so much at a time, or waits. */
static ssize_t
output_write(void *cookie, const char *buf, size_t len)
{
	sigset_t	 all, old;
	size_t		 done = 0;
	ssize_t		 n = 0;
	int		 saved_errno;

	(void)cookie;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	while (done < len && !output_stopped && output_wait() == 0) {
		n = write(output_fd, buf + done, len - done < PIPE_BUF ?
		    len - done : PIPE_BUF);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			break;
		if (n > 0)
			done += n;
	}
	saved_errno = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved_errno;
	return (done < len ? 0 : (ssize_t)len);
}

FILE *
output_open(int fd)
{
	const cookie_io_functions_t	 functions = { .write = output_write };

	output_fd = fd;
	return (fopencookie(NULL, "w", functions));
}

int
output_interrupted(void)
{
	return (output_stopped);
}

int
output_tty(void)
{
	return (isatty(output_fd));
}
