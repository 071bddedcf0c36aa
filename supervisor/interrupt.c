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
 * Signals that wait for a thread whose call waits here.  The kernel lets only
 * those that kill end such a wait, so a call that may last has to look by
 * itself whether a bare one would have been interrupted.
 */

#include <sys/types.h>
#include <sys/time.h>

#include <errno.h>
#include <event.h>
#include <stdint.h>

#include "supervisor.h"
#include "tree.h"

#define ERESTARTSYS	512	/* the kernel's: EINTR, or the call again */

#define WATCH_MS	50	/* between looks */
#define WATCH_CROWD	100	/* so many more calls wait as long once more */

static void	 interrupt_wait(struct request *);

int
interrupt_errno(pid_t tid, int timed)
{
	struct tree_signals	 ts;

	if (tree_signals(tid, &ts) == -1)
		return (0);
	ts.thread &= ~ts.blocked;
	ts.shared &= ~ts.blocked;
	if (ts.thread == 0 && ts.shared == 0)
		return (0);
	/*
	 * One for the process may be for another thread of it; the kernel acts
	 * on ERESTARTSYS only where a signal is being delivered.  With a time
	 * limit no call is made again.
	 */
	if (timed || (ts.thread == 0 && ts.threads != 1))
		return (EINTR);
	return (ERESTARTSYS);
}

static void
interrupt_look(int fd, short event, void *arg)
{
	struct request	*rq = arg;

	(void)fd;
	(void)event;
	rq->interrupted = interrupt_errno(rq->notif.pid, rq->limited);
	/* Whoever has it says what became of it: it may be done by now. */
	if (rq->interrupted != 0)
		socket_cancel(rq, 1);
	else
		interrupt_wait(rq);
}

static void
interrupt_wait(struct request *rq)
{
	uint64_t	 ms = WATCH_MS * (1 + request_count() / WATCH_CROWD);
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(&rq->timer, &tv);
}

/* A connect that a worker has may last: call it off when a signal comes. */
void
interrupt_watch(struct request *rq)
{
	rq->watched = 1;
	evtimer_set(&rq->timer, interrupt_look, rq);
	interrupt_wait(rq);
}
