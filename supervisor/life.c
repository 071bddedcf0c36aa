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
 * Life and death of the workload's tree.
 *
 * The supervisor is a subreaper: whatever session or group a process made, it
 * ends up here.  The run ends when the main process ends, when the parent asks
 * for it or is gone, or when a worker that owes answers is gone.  From then on
 * nothing new may start; everything is killed and reaped, and only then the
 * parent hears of the end.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "tree.h"
#include "worker.h"

#define LIFE_RETRY_US	5000	/* between two walks of a tree that forks */

/* Who has changed, as wait4 told. */
struct life_event {
	pid_t		 pid;
	int		 status;
	struct rusage	 ru;
};
#define LIFE_EVENTS	32	/* taken in at a time */

static struct life_event life_events[LIFE_EVENTS];
static volatile size_t	 life_nevents;
static struct event	 life_child;
static struct event	 life_retry;
static int		 life_orphan;	/* nobody to report to */
static int		 life_main_done;
static int		 life_killing;	/* everything was sent SIGKILL */
static struct proto_exit life_exit;

static int	 life_reap(void);
static void	 life_changed(const struct life_event *);
static void	 life_kill_all(void);
static void	 life_timer(int, short, void *);

static void
life_sigchld(int sig, short event, void *arg)
{
	(void)sig;
	(void)event;
	(void)arg;
	/* The main process has ended and left others behind. */
	if (life_reap() && sup.ending)
		life_kill_all();
}

void
life_init(void)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		fatal("subreaper");
	signal_set(&life_child, SIGCHLD, life_sigchld, NULL);
	if (signal_add(&life_child, NULL) == -1)
		fatalx("signal_add");
	evtimer_set(&life_retry, life_timer, NULL);
}

/* Where the domain scopes signals one call is enough; walks may need many. */
static void
life_kill_tree(int sig)
{
	if (tree_signal_domain(sig) == -1 && errno == EPERM &&
	    tree_signal(getpid(), sig) == -1)
		log_warn("/proc");
}

/* Kill and reap until nobody is left, which ends this process. */
static void
life_kill_all(void)
{
	struct timeval	 tv = { 0, LIFE_RETRY_US };

	if (!life_killing && sup.configured) {
		life_killing = 1;
		throttle_release();
		life_kill_tree(SIGKILL);
	}
	if (life_reap() && !event_pending(&life_retry, EV_TIMEOUT, NULL))
		evtimer_add(&life_retry, &tv);
}

static void
life_timer(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	life_kill_tree(SIGKILL);
	life_kill_all();
}

/*
 * Nobody is left.  Only a run that ended by itself or by order has a result; of
 * one that lost a worker the parent shall hear no more than that.
 */
static __attribute__((__noreturn__)) void
life_report(void)
{
	if (life_orphan || sup.lost || !life_main_done)
		_exit(EXIT_SANDLOCK);
	notify_counts();
	life_exit.processes = fork_total();
	if (proto_send_exit(&worker_parent.ibuf, &life_exit) == -1 ||
	    imsgbuf_flush(&worker_parent.ibuf) == -1)
		_exit(EXIT_SANDLOCK);
	_exit(0);
}

static void
life_account(pid_t pid, const struct rusage *ru)
{
	uint64_t	 us;

	us = ru->ru_utime.tv_sec * 1000000ULL + ru->ru_utime.tv_usec +
	    ru->ru_stime.tv_sec * 1000000ULL + ru->ru_stime.tv_usec;
	if (throttle_gone(pid, us))
		life_exit.cpu_us += us;
	if ((uint64_t)ru->ru_maxrss > life_exit.maxrss_kb)
		life_exit.maxrss_kb = ru->ru_maxrss;
}

static void
life_main_ended(int status)
{
	life_main_done = 1;
	life_exit.status = status;
	if (!sup.ending && !start_outcome())
		start_died(status);
	sup.ending = 1;
}

/* Its process id may be another's by now. */
int
life_main_gone(void)
{
	return (life_main_done);
}

static void
life_main_stopped(int sig)
{
	if (proto_send_int(&worker_parent.ibuf, IMSG_STOPPED, sig, -1) == -1)
		fatal("stopped");
	imsg_event_add(&worker_parent);
}

/* Note who has changed; a signal handler may call it. */
void
life_wait(void)
{
	struct life_event	*e;

	for (; life_nevents < LIFE_EVENTS; life_nevents++) {
		e = &life_events[life_nevents];
		e->pid = wait4(-1, &e->status, WNOHANG | WUNTRACED | __WALL,
		    &e->ru);
		if (e->pid <= 0)
			break;
	}
}

/* Somebody else has waited for it and heard of its end. */
void
life_note(pid_t pid, int status, const struct rusage *ru)
{
	struct life_event	 e;

	e.pid = pid;
	e.status = status;
	e.ru = *ru;
	life_changed(&e);
}

static void
life_changed(const struct life_event *e)
{
	if (WIFSTOPPED(e->status)) {
		if (!rewrite_stop(e->pid, e->status) &&
		    !throttle_stop(e->pid, e->status) &&
		    e->pid == sup.workload.pid)
			life_main_stopped(WSTOPSIG(e->status));
		return;
	}
	rewrite_gone(e->pid);
	life_account(e->pid, &e->ru);
	if (e->pid == sup.workload.pid)
		life_main_ended(e->status);
}

/*
 * Take in whoever has changed; 1 while a child is left.  A descendant without a
 * live parent below us is our child, so no child means no descendant.
 */
static int
life_reap(void)
{
	size_t	 i, n;

	do {
		life_wait();
		n = life_nevents;
		for (i = 0; i < n; i++)
			life_changed(&life_events[i]);
		life_nevents = 0;
	} while (n > 0);
	if (life_events[0].pid == 0)
		return (1);
	if (sup.ending)
		life_report();
	return (0);
}

/* End the run: nothing new starts, everything is killed. */
void
life_end(void)
{
	sup.ending = 1;
	life_kill_all();
}

void
life_orphaned(void)
{
	life_orphan = 1;
	imsg_event_close(&worker_parent);
	life_end();
}

/* A signal to sandlock itself, passed on as the terminal or kill(1) would. */
void
life_signal(int sig)
{
	pid_t	 pid = sup.workload.pid;

	if (!sup.configured || life_main_done)
		return;
	switch (sig) {
	case SIGHUP:
	case SIGINT:
	case SIGQUIT:
	case SIGWINCH:
	case SIGCONT:
	case SIGTSTP:
		kill(-pid, sig);
		break;
	case SIGTERM:
	case SIGUSR1:
	case SIGUSR2:
		kill(pid, sig);
		break;
	default:
		fatalx("signal %d from the parent", sig);
	}
}

/* A signal to the whole tree: TERM is a request, KILL the end. */
void
life_kill(int sig)
{
	switch (sig) {
	case SIGTERM:
		if (sup.configured) {
			life_kill_tree(SIGTERM);
			/* A stopped process cannot act on the request. */
			life_kill_tree(SIGCONT);
		}
		break;
	case SIGSTOP:
	case SIGCONT:
		/* A job with a time limit stops and goes on as a whole. */
		life_kill_tree(sig);
		break;
	case SIGKILL:
		life_end();
		break;
	default:
		fatalx("kill %d from the parent", sig);
	}
}
