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
 * back.  So a worker that is asked from one processor again and again is moved
 * there, by the parent, and the supervisor stays there itself until it is
 * answered.
 *
 * That is for callers who come one at a time.  Of many, one process handles a
 * notification while another works for the one before: then all may run
 * anywhere, for a while.  Nor is it for a connect, which waits for somebody
 * else: that is made wherever netd or cowd happens to be.
 *
 * All of this is a hint: where it is refused nothing is lost but time.
 */

#include <sys/types.h>

#include <sched.h>

#include "log.h"
#include "supervisor.h"
#include "worker.h"

#define NEAR_CALLERS	2	/* that wait at a time; more are many */
#define NEAR_OTHERS	2	/* that call while one waits; likewise */
#define NEAR_PAUSE	64	/* questions after many, until the next trial */
#define NEAR_STREAK	4	/* questions from one processor */

/* A worker, as the parent was told; processors are -1 for any. */
struct near {
	uint32_t	 type;		/* the message that moves it */
	int		 at;
	int		 last;		/* from where it was asked */
	unsigned int	 streak;	/* how often in a row */
};

static struct near	 near_cowd = { IMSG_NEAR_COWD, -1, -1, 0 };
static struct near	 near_netd = { IMSG_NEAR_NETD, -1, -1, 0 };
static cpu_set_t	 near_any;	/* that this process started with */
static int		 near_choice;	/* of more than one */
static int		 near_self = -1;
static int		 near_waits;	/* for an answer, there */
static unsigned int	 near_others;	/* notifications meanwhile */
static unsigned int	 near_pause;

/* Before the lockdown. */
void
near_init(void)
{
	near_choice = (sup.have_cowd || sup.have_netd) &&
	    sched_getaffinity(0, sizeof(near_any), &near_any) == 0 &&
	    CPU_COUNT(&near_any) > 1;
}

/* Whether this process is to choose where it runs. */
int
near_active(void)
{
	return (near_choice);
}

static void
near_stay(int cpu)
{
	cpu_set_t	 one;

	if (near_self == cpu)
		return;
	CPU_ZERO(&one);
	if (cpu != -1)
		CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), cpu == -1 ? &near_any :
	    &one) == -1) {
		log_debug("no choice of the processor");
		near_choice = 0;
	}
	near_self = cpu;
}

/* A parent that does not listen is told later. */
static void
near_move(struct near *worker, int cpu)
{
	if (worker->at == cpu || imsgbuf_queuelen(&worker_parent.ibuf) > 0)
		return;
	if (proto_send_int(&worker_parent.ibuf, worker->type, cpu, -1) == -1)
		fatal("near");
	imsg_event_add(&worker_parent);
	worker->at = cpu;
}

/* Note from where a worker is asked; whether it is there. */
static int
near_find(struct near *worker, int cpu)
{
	if (worker->last != cpu)
		worker->streak = 0;
	worker->last = cpu;
	if (worker->at == cpu)
		return (1);
	if (++worker->streak >= NEAR_STREAK)
		near_move(worker, cpu);
	else
		near_move(worker, -1);
	return (worker->at == cpu);
}

static void
near_ask(struct imsgev *iev, struct near *worker)
{
	int	 cpu;

	if (request_count() > NEAR_CALLERS)
		near_pause = NEAR_PAUSE;
	if (near_choice && near_pause > 0) {
		near_pause--;
		near_move(worker, -1);
	} else if (near_choice && !near_waits &&
	    (cpu = sched_getcpu()) != -1 && cpu < CPU_SETSIZE &&
	    near_find(worker, cpu)) {
		near_stay(cpu);
		near_waits = 1;
		near_others = 0;
	}
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

/* A notification has come in. */
void
near_notified(void)
{
	if (!near_waits || ++near_others <= NEAR_OTHERS)
		return;
	near_pause = NEAR_PAUSE;
	near_waits = 0;
	near_stay(-1);
}

/* A worker has said something: first this, and when that has been heard ... */
void
near_answered(void)
{
	near_waits = 0;
}

/* ... this; unless it was asked again. */
void
near_heard(void)
{
	if (!near_waits)
		near_stay(-1);
}
