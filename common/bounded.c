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
 * Calls on the workload's sockets that must not hold up a worker.  O_NONBLOCK
 * belongs to the open file, which the workload shares: a thread of it can take
 * the flag off between our setting it and our call.  An alarm that repeats,
 * lest it come before the call waits, ends the call then.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "bounded.h"
#include "log.h"

/* Interrupts a call by being there. */
static void
bounded_alarm(int sig)
{
	(void)sig;
}

void
bounded_init(void)
{
	struct sigaction	 sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = bounded_alarm;
	sigemptyset(&sa.sa_mask);
	/* Without SA_RESTART. */
	if (sigaction(SIGALRM, &sa, NULL) == -1)
		fatal("sigaction");
}

static void
bounded_interval(int ms)
{
	struct itimerval	 it;

	memset(&it, 0, sizeof(it));
	it.it_interval.tv_usec = it.it_value.tv_usec = ms * 1000;
	if (setitimer(ITIMER_REAL, &it, NULL) == -1)
		fatal("setitimer");
}

int
bounded_accept(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	int	 error, ret;

	bounded_interval(BOUNDED_MS);
	ret = accept4(fd, sa, len, flags);
	error = errno;
	bounded_interval(0);
	errno = error;
	return (ret);
}

int
bounded_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	int	 error = 0;

	bounded_interval(BOUNDED_MS);
	if (connect(fd, sa, len) == -1)
		error = errno;
	bounded_interval(0);
	return (error);
}
