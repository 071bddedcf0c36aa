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
 * On which processor cowd and netd answer.  The caller of a notified call and
 * the supervisor take turns on one, as the kernel has been asked for
 * (SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP).  For the other end of a socket it wakes
 * an idle one, which takes longer than most answers, and another for the way
 * back.  So the worker that the supervisor asks from one processor again and
 * again is moved there, by the parent, and the supervisor keeps to that, too.
 *
 * Not for long: then all may run anywhere, or nobody would leave a processor
 * that has become busy.  And only for callers who come one at a time: of many,
 * one process handles a notification while another works for the one before.
 * Nor is it for a connect to another host, which waits for that.
 *
 * All of this is a hint: where it is refused nothing is lost but time.
 */

#include <sys/types.h>
#include <sys/time.h>

#include <sched.h>

#include "log.h"
#include "processor.h"
#include "supervisor.h"
#include "worker.h"

#define NEAR_STREAK	8	/* questions from one processor, to be moved;
				   and notifications without, to leave it */
#define NEAR_MS		50	/* for so long */
#define NEAR_PARKED	2	/* calls that wait for anybody; more are many */
#define NEAR_PAUSE	64	/* questions after many, until the next trial */

/* A worker, as the parent was told; processors are -1 for any. */
struct near {
	uint32_t	 type;		/* the message that moves it */
	int		 at;
	int		 last;		/* from where it was asked */
	unsigned int	 streak;	/* how often in a row */
};

static struct near	 near_cowd = { IMSG_NEAR_COWD, -1, -1, 0 };
static struct near	 near_netd = { IMSG_NEAR_NETD, -1, -1, 0 };
static struct event	 near_timer;
static int		 near_choice;	/* there are several */
static struct processor	 near_self = { .cpu = -1 };
static unsigned int	 near_quiet;	/* notifications since a question */
static int		 near_waits;	/* for an answer from there */
static unsigned int	 near_pause;

static void	 near_over(int, short, void *);

/* Before the lockdown. */
void
near_init(void)
{
	cpu_set_t	 any;

	near_choice = (sup.have_cowd || sup.have_netd) &&
	    sched_getaffinity(0, sizeof(any), &any) == 0 &&
	    CPU_COUNT(&any) > 1;
	evtimer_set(&near_timer, near_over, NULL);
}

/* Whether this process is to choose where it runs. */
int
near_active(void)
{
	return (near_choice);
}

static void
near_leave(void)
{
	if (processor_free(&near_self, 0) == -1)
		log_debug("no choice of the processor");
}

/* A parent that has not heard the last of us yet is told later. */
static void
near_move(struct near *worker, int cpu)
{
	static const struct timeval	 tv = { 0, NEAR_MS * 1000 };

	worker->streak = 0;
	if (worker->at == cpu)
		return;
	if (imsgbuf_queuelen(&worker_parent.ibuf) == 0) {
		if (proto_send_int(&worker_parent.ibuf, worker->type, cpu,
		    -1) == -1)
			fatal("near");
		imsg_event_add(&worker_parent);
		worker->at = cpu;
	}
	if (worker->at != -1 && !evtimer_pending(&near_timer, NULL))
		evtimer_add(&near_timer, &tv);
}

/* Let all run anywhere. */
static void
near_release(void)
{
	near_waits = 0;
	near_leave();
	near_move(&near_cowd, -1);
	near_move(&near_netd, -1);
}

static void
near_over(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	near_release();
}

/* Before a worker is asked: where it answers, and we wait. */
static void
near_choose(struct near *worker)
{
	int	 cpu;

	if (request_count() > NEAR_PARKED) {
		near_pause = NEAR_PAUSE;
		near_release();
	}
	if (near_pause > 0) {
		near_pause--;
		return;
	}
	if (near_waits || (cpu = sched_getcpu()) == -1)
		return;
	if (worker->last != cpu)
		worker->streak = 0;
	worker->last = cpu;
	if (worker->at != -1 && worker->at != cpu)
		near_move(worker, -1);
	else if (worker->at == -1 && ++worker->streak >= NEAR_STREAK)
		near_move(worker, cpu);
	if (worker->at != cpu)
		return;
	if (processor_keep(&near_self, 0, cpu) == -1)
		near_release();
	else
		near_waits = 1;
}

static void
near_ask(struct imsgev *iev, struct near *worker)
{
	near_quiet = 0;
	if (near_choice)
		near_choose(worker);
	imsg_event_add(iev);
}

/* Send what is queued for a worker: a question, whose caller waits. */
void
near_ask_cowd(void)
{
	near_ask(&sup.cowd, &near_cowd);
}

void
near_ask_netd(void)
{
	near_ask(&sup.netd, &near_netd);
}

/*
 * A notification has come in.  When several have asked nobody there may be
 * other callers, elsewhere: this process goes where it is called from.
 */
void
near_notified(void)
{
	if (++near_quiet > NEAR_STREAK && !near_waits)
		near_leave();
}

/* A worker's channel is read: what it was asked may be answered. */
void
near_answered(void)
{
	near_waits = 0;
}
