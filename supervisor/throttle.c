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
 * The limit of processor time, as a share of one core, for the whole tree.
 *
 * Every period the time that the tree has used is compared with what it may
 * have used since the start; when it is ahead, every thread is stopped until
 * the budget has caught up.  Stops are ptrace stops: their parents do not see
 * them and SIGCONT does not end them.  Nothing is traced while it runs, so
 * signals cost nothing then.
 */

#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/tree.h>
#include <sys/wait.h>

#include <errno.h>
#include <event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "tree.h"

#define THROTTLE_PERIOD_US	20000
#define THROTTLE_ALARM_US	2000	/* of a freeze that waits */
#define THROTTLE_BURST_US	20000	/* unused time that may be saved up */

/* A thread that is seized. */
struct tracee {
	RB_ENTRY(tracee)	 entry;
	pid_t			 tid;
	int			 stopped;	/* 0: only asked to stop */
	int			 sig;		/* to deliver at release */
};

/*
 * What is counted of a process so far.  When a process is gone, its time will
 * show up again in that of its parent's children: credit is what must not be
 * counted there a second time.
 */
struct usage {
	RB_ENTRY(usage)	 entry;
	pid_t		 pid;
	struct tree_cpu	 counted;
	struct tree_cpu	 now;
	uint64_t	 credit;
	uint64_t	 round;
};

RB_HEAD(tracees, tracee);
RB_HEAD(usages, usage);

static int	 tracee_cmp(struct tracee *, struct tracee *);
static int	 usage_cmp(struct usage *, struct usage *);

RB_PROTOTYPE_STATIC(tracees, tracee, entry, tracee_cmp)
RB_PROTOTYPE_STATIC(usages, usage, entry, usage_cmp)

static struct tracees	 tracees = RB_INITIALIZER(&tracees);
static struct usages	 usages = RB_INITIALIZER(&usages);
static struct event	 throttle_timer;
static uint64_t		 throttle_last;		/* us, monotonic */
static int64_t		 throttle_budget;	/* us, negative: ahead */
static int64_t		 throttle_reaped;	/* us, of orphans */
static uint64_t		 throttle_round;
static int		 throttle_frozen;

static int
tracee_cmp(struct tracee *a, struct tracee *b)
{
	return (a->tid < b->tid ? -1 : a->tid > b->tid);
}

static int
usage_cmp(struct usage *a, struct usage *b)
{
	return (a->pid < b->pid ? -1 : a->pid > b->pid);
}

RB_GENERATE_STATIC(tracees, tracee, entry, tracee_cmp)
RB_GENERATE_STATIC(usages, usage, entry, usage_cmp)

static uint64_t
now_us(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000);
}

static struct usage *
usage_find(pid_t pid)
{
	struct usage	 key;

	key.pid = pid;
	return (RB_FIND(usages, &usages, &key));
}

static int
usage_look(pid_t pid, void *arg)
{
	struct tree_cpu	 now;
	struct usage	*u;

	(void)arg;
	if (tree_cpu(pid, &now) == -1)
		return (0);
	if ((u = usage_find(pid)) == NULL) {
		if ((u = calloc(1, sizeof(*u))) == NULL)
			return (0);
		u->pid = pid;
		RB_INSERT(usages, &usages, u);
	}
	u->now = now;
	u->round = throttle_round;
	return (0);
}

static void
usage_forget(struct usage *u)
{
	struct usage	*parent;

	if ((parent = usage_find(u->counted.ppid)) != NULL)
		parent->credit += u->counted.own + u->counted.children;
	RB_REMOVE(usages, &usages, u);
	free(u);
}

/* What a process has used that is not counted yet. */
static int64_t
usage_count(struct usage *u)
{
	int64_t		 used = 0;
	uint64_t	 fresh;

	if (u->now.own > u->counted.own)
		used += u->now.own - u->counted.own;
	if (u->now.children > u->counted.children) {
		fresh = u->now.children - u->counted.children;
		if (fresh > u->credit) {
			used += fresh - u->credit;
			u->credit = 0;
		} else
			u->credit -= fresh;
	}
	u->counted = u->now;
	return (used);
}

/* Processor time of the tree since the last call, in microseconds. */
static int64_t
usage_collect(void)
{
	struct usage	*u, *next;
	int64_t		 used = throttle_reaped;

	throttle_reaped = 0;
	throttle_round++;
	if (tree_walk(getpid(), 1, usage_look, NULL) == -1)
		log_warn("/proc");
	RB_FOREACH_SAFE(u, usages, &usages, next)
		if (u->round != throttle_round)
			usage_forget(u);
	RB_FOREACH(u, usages, &usages)
		used += usage_count(u);
	return (used);
}

/* A program that may be executed but not read cannot be traced. */
static int
thread_unreadable(pid_t tid)
{
	char	 c, name[64];

	snprintf(name, sizeof(name), "/proc/%d/exe", (int)tid);
	return (readlink(name, &c, 1) == -1 && errno == EACCES);
}

/*
 * PTRACE_SEIZE waits for an exec in the same process, and that for the end of
 * its other threads, of which seized ones end when we wait for them.  So the
 * alarm that runs during a freeze does that; the loop hears of them later.
 */
static void
throttle_alarm(int sig)
{
	int	 saved_errno = errno;

	(void)sig;
	life_wait();
	errno = saved_errno;
}

static void
throttle_alarms(int us)
{
	struct itimerval	 it;

	memset(&it, 0, sizeof(it));
	it.it_interval.tv_usec = it.it_value.tv_usec = us;
	if (setitimer(ITIMER_REAL, &it, NULL) == -1)
		fatal("setitimer");
}

static struct tracee *
tracee_find(pid_t tid)
{
	struct tracee	 key;

	key.tid = tid;
	return (RB_FIND(tracees, &tracees, &key));
}

static void
tracee_forget(struct tracee *t)
{
	RB_REMOVE(tracees, &tracees, t);
	free(t);
}

static int
freeze_thread(pid_t tid, void *arg)
{
	struct tracee	*t;
	int		*fresh = arg;

	/*
	 * A thread that makes an exec takes over the number of its process,
	 * seized or not: what is noted under a number may be another's.
	 */
	t = tracee_find(tid);
	if (t != NULL && ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0)
		return (0);
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == -1 &&
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == -1) {
		/* Gone, or just being born: the next round.  Or never. */
		if (thread_unreadable(tid))
			kill(tid, SIGKILL);
		return (0);
	}
	if (t == NULL) {
		if ((t = calloc(1, sizeof(*t))) == NULL) {
			ptrace(PTRACE_DETACH, tid, NULL, NULL);
			return (0);
		}
		t->tid = tid;
		RB_INSERT(tracees, &tracees, t);
	}
	t->stopped = 0;
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	(*fresh)++;
	return (0);
}

static int
freeze_one(pid_t pid, void *arg)
{
	return (tree_threads(pid, freeze_thread, arg));
}

/* Stop what runs; again until a walk finds nobody new. */
static void
throttle_freeze(void)
{
	int	 fresh, tries;

	throttle_alarms(THROTTLE_ALARM_US);
	for (tries = 0; tries < 10; tries++) {
		fresh = 0;
		if (tree_walk(getpid(), 0, freeze_one, &fresh) == -1)
			log_warn("/proc");
		if (fresh == 0)
			break;
	}
	throttle_alarms(0);
	throttle_frozen = 1;
}

/*
 * Let everybody go.  A thread that has not stopped yet cannot be detached: it
 * is released when its stop arrives.
 */
static void
throttle_thaw(void)
{
	struct tracee	*t, *next;

	throttle_frozen = 0;
	RB_FOREACH_SAFE(t, tracees, &tracees, next) {
		if (!t->stopped)
			continue;
		/* One that has ended stays noted until it is reaped. */
		t->stopped = 0;
		if (ptrace(PTRACE_DETACH, t->tid, NULL,
		    (void *)(long)t->sig) == 0)
			tracee_forget(t);
	}
}

/*
 * A stop that waitpid reported; 1 when it is one of ours.  A group stop of a
 * seized thread is left to SIGCONT, as without a tracer.  One that is not
 * noted may be a tracee that has changed its number by an exec.
 */
int
throttle_stop(pid_t tid, int status)
{
	struct tracee	*t;
	int		 sig = 0;

	if (sup.conf.cpu_percent == 0)
		return (0);
	if (status >> 16 == 0)
		sig = WSTOPSIG(status);		/* about to be delivered */
	if ((t = tracee_find(tid)) == NULL)
		return (ptrace(PTRACE_DETACH, tid, NULL,
		    (void *)(long)sig) == 0);
	if (!throttle_frozen || sup.ending) {
		ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)sig);
		tracee_forget(t);
		return (1);
	}
	t->stopped = 1;
	t->sig = sig;
	return (1);
}

/*
 * wait4 reported an end, with us microseconds of use.  1 when that is to be
 * accounted for here: the process had no other parent.  Of a seized one we
 * hear first and its parent after us; of a seized thread the use is that of
 * its whole process, which lives on or is heard of too.
 */
int
throttle_gone(pid_t pid, uint64_t us)
{
	struct tracee	*t;
	struct usage	*u;

	u = usage_find(pid);
	if ((t = tracee_find(pid)) != NULL) {
		tracee_forget(t);
		if (pid != sup.workload.pid &&
		    (u == NULL || u->counted.ppid != getpid()))
			return (0);
	}
	if (u != NULL) {
		us -= u->counted.own + u->counted.children;
		RB_REMOVE(usages, &usages, u);
		free(u);
	}
	if ((int64_t)us > 0)
		throttle_reaped += us;
	return (1);
}

static void
throttle_tick(int fd, short event, void *arg)
{
	struct timeval	 tv = { 0, THROTTLE_PERIOD_US };
	uint64_t	 now = now_us();

	(void)fd;
	(void)event;
	(void)arg;
	if (sup.ending)
		return;
	throttle_budget += (int64_t)((now - throttle_last) *
	    sup.conf.cpu_percent / 100);
	throttle_last = now;
	throttle_budget -= usage_collect();
	if (throttle_budget > THROTTLE_BURST_US)
		throttle_budget = THROTTLE_BURST_US;
	if (throttle_budget < 0)
		throttle_freeze();
	else if (throttle_frozen)
		throttle_thaw();
	evtimer_add(&throttle_timer, &tv);
}

void
throttle_init(void)
{
	struct timeval		 tv = { 0, THROTTLE_PERIOD_US };
	struct sigaction	 sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = throttle_alarm;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGALRM, &sa, NULL) == -1)
		fatal("sigaction");
	throttle_last = now_us();
	evtimer_set(&throttle_timer, throttle_tick, NULL);
	evtimer_add(&throttle_timer, &tv);
}

/* At the end of the run: nobody may be held by us. */
void
throttle_release(void)
{
	throttle_thaw();
}
