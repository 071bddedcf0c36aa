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
 * Nor is it for a connect, which waits for somebody else.
 *
 * All of this is a hint: where it is refused nothing is lost but time.
 */

#include <sys/types.h>
#include <sys/time.h>

#include <sched.h>

#include "log.h"
#include "supervisor.h"
#include "worker.h"

#define NEAR_STREAK	8	/* questions from one processor, to be moved */
#define NEAR_MS		50	/* for so long */
#define NEAR_PARKED	2	/* calls that wait for anybody; more are many */
#define NEAR_OTHERS	2	/* that come in before an answer; likewise */
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
static int		 near_self = -1;
static cpu_set_t	 near_any;	/* what this process had before */
static int		 near_asked;	/* since the last notification */
static int		 near_waits;	/* for an answer from there */
static unsigned int	 near_others;	/* notifications meanwhile */
static unsigned int	 near_pause;

static void	 near_over(int, short, void *);

/* Before the lockdown. */
void
near_init(void)
{
	near_choice = (sup.have_cowd || sup.have_netd) &&
	    sched_getaffinity(0, sizeof(near_any), &near_any) == 0 &&
	    CPU_COUNT(&near_any) > 1;
	evtimer_set(&near_timer, near_over, NULL);
}

/* Whether this process is to choose where it runs. */
int
near_active(void)
{
	return (near_choice);
}

/* Run on one processor only; 0 or -1. */
static int
near_stay(int cpu)
{
	cpu_set_t	 one;

	if (near_self == cpu)
		return (0);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if ((near_self == -1 &&
	    sched_getaffinity(0, sizeof(near_any), &near_any) == -1) ||
	    sched_setaffinity(0, sizeof(one), &one) == -1)
		return (-1);
	near_self = cpu;
	return (0);
}

/* Run anywhere, unless somebody else has chosen meanwhile. */
static void
near_leave(void)
{
	cpu_set_t	 one, now;

	if (near_self == -1)
		return;
	CPU_ZERO(&one);
	CPU_SET(near_self, &one);
	near_self = -1;
	if (sched_getaffinity(0, sizeof(now), &now) == 0 &&
	    CPU_EQUAL(&one, &now) &&
	    sched_setaffinity(0, sizeof(near_any), &near_any) == -1)
		log_debug("no choice of the processor");
}

/* A parent that does not listen is told later. */
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

static void
near_many(void)
{
	near_pause = NEAR_PAUSE;
	near_release();
}

/* Before a worker is asked: where it answers, and we wait. */
static void
near_choose(struct near *worker)
{
	int	 cpu;

	if (request_count() > NEAR_PARKED)
		near_many();
	if (near_pause > 0) {
		near_pause--;
		return;
	}
	if (near_waits || (cpu = sched_getcpu()) == -1 || cpu >= CPU_SETSIZE)
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
	if (near_stay(cpu) == -1) {
		near_release();
		near_choice = 0;
		return;
	}
	near_waits = 1;
	near_others = 0;
}

static void
near_ask(struct imsgev *iev, struct near *worker)
{
	near_asked = 1;
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
 * A notification has come in.  When the one before asked nobody there may be
 * another caller, elsewhere: this process goes where it is called from.
 */
void
near_notified(void)
{
	if (near_waits && ++near_others > NEAR_OTHERS)
		near_many();
	else if (!near_waits && !near_asked)
		near_leave();
	near_asked = 0;
}

/* A worker has said something. */
void
near_answered(void)
{
	near_waits = 0;
}
