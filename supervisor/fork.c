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
 * The limit of live processes.
 *
 * A new process is counted when it is allowed.  Exits are not followed: when
 * the count reaches the limit the tree is counted afresh before anything is
 * refused.  A process that was allowed a moment ago may not be in /proc yet, so
 * calls of the last instants are added to what the walk finds; a call that only
 * these would refuse waits for a moment and is judged again.
 */

#include <sys/types.h>
#include <sys/time.h>

#include <errno.h>
#include <event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "tree.h"

#define FORK_SETTLE_MS	20	/* shortest time that a call is under way */
#define FORK_RETRY_MS	2
#define FORK_RECENT	1024	/* allowed calls that are remembered */

struct fork_call {
	pid_t		 tid;	/* 0: settled */
	uint64_t	 ms;	/* when it was allowed */
	long		 ticks;	/* in user mode, when first seen to run; -1 */
};

static uint64_t	 fork_allowed = 1;	/* ever; the workload itself is one */
static uint32_t	 fork_live = 1;		/* upper bound of the live ones */
static struct fork_call	 fork_calls[FORK_RECENT];	/* a ring */

static uint64_t
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000);
}

uint64_t
fork_total(void)
{
	return (fork_allowed);
}

/*
 * Whether an allowed call may not have been made yet.  One that waits inside of
 * the kernel can take any time; so can a thread that runs, until it is seen to
 * have run in user mode again.
 */
static int
fork_under_way(struct fork_call *fc, uint64_t now)
{
	long	 ticks;

	if (fc->tid == 0)
		return (0);
	if (fc->ms + FORK_SETTLE_MS >= now)
		return (1);
	switch (tree_forking(fc->tid)) {
	case 1:
		return (1);
	case -1:
		ticks = tree_user_ticks(fc->tid);
		if (fc->ticks == -1)
			fc->ticks = ticks;
		return (ticks != -1 && ticks == fc->ticks);
	}
	return (0);
}

/* Calls that were allowed, but that /proc may not show yet. */
static uint32_t
fork_unsettled(void)
{
	uint64_t	 now = now_ms();
	uint32_t	 i, n = 0;

	for (i = 0; i < FORK_RECENT; i++) {
		if (fork_under_way(&fork_calls[i], now))
			n++;
		else
			fork_calls[i].tid = 0;
	}
	return (n);
}

/* A thread that asks again has done with what it was allowed before. */
static void
fork_settle(pid_t tid)
{
	uint32_t	 i;

	for (i = 0; i < FORK_RECENT; i++)
		if (fork_calls[i].tid == tid)
			fork_calls[i].tid = 0;
}

static void
fork_allow(struct request *rq)
{
	fork_allowed++;
	fork_live++;
	fork_calls[fork_allowed % FORK_RECENT].tid = rq->notif.pid;
	fork_calls[fork_allowed % FORK_RECENT].ms = now_ms();
	fork_calls[fork_allowed % FORK_RECENT].ticks = -1;
	/*
	 * The flags of clone are in a register, which nobody else can change,
	 * and the filter has refused those that matter; clone3, whose flags are
	 * in memory, never comes here.
	 */
	notify_continue(rq);
}

/* 1: allowed; 0: refused for good; -1: not known yet. */
static int
fork_judge(void)
{
	uint32_t	 unsettled;
	int		 live;

	if (sup.conf.max_processes == 0 ||
	    fork_live < sup.conf.max_processes)
		return (1);
	/* In this order: one that ends in between counts twice, not never. */
	unsettled = fork_unsettled();
	if ((live = tree_count(getpid())) == -1) {
		log_warn("/proc");
		return (0);
	}
	fork_live = live + unsettled;
	if (fork_live < sup.conf.max_processes)
		return (1);
	return ((uint32_t)live < sup.conf.max_processes ? -1 : 0);
}

static void
fork_retry(int fd, short event, void *arg)
{
	struct timeval	 tv = { 0, FORK_RETRY_MS * 1000 };
	struct request	*rq = arg;

	(void)fd;
	(void)event;
	switch (fork_judge()) {
	case -1:
		evtimer_add(&rq->timer, &tv);
		return;
	case 0:
		supervisor_denied(rq, EAGAIN, "processes");
		request_done(rq, EAGAIN);
		return;
	}
	fork_allow(rq);
	request_forget(rq);
}

void
fork_request(struct request *rq)
{
	struct timeval	 tv = { 0, FORK_RETRY_MS * 1000 };
	struct request	*waiting;

	if (sup.conf.max_processes != 0 &&
	    fork_live >= sup.conf.max_processes)
		fork_settle(rq->notif.pid);
	switch (fork_judge()) {
	case 1:
		fork_allow(rq);
		return;
	case 0:
		supervisor_denied(rq, EAGAIN, "processes");
		notify_errno(rq, EAGAIN);
		return;
	}
	if ((waiting = request_park(rq, OWNER_TIMER)) == NULL)
		return;
	evtimer_set(&waiting->timer, fork_retry, waiting);
	evtimer_add(&waiting->timer, &tv);
}
