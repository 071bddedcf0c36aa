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
 * One run, seen from the parent: start, signals, time limit, end.  The parent
 * touches no file once the workload runs, and nothing of the workload: it
 * waits, passes signals on, and decides when and with which status it is over.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "landlock.h"
#include "lockdown.h"
#include "log.h"
#include "output.h"
#include "run.h"
#include "tree.h"

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#define RUN_GRACE_SECONDS	5	/* for workers to do as they are told */
#define RUN_RETRY_US		5000	/* between two kills of what is left */
#define RUN_START_SECONDS	30	/* until the workload has exec'd */

struct run	 run;

/* Passed on to the workload; SIGCHLD is ours. */
static const int	 run_signals[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT,
	SIGTSTP
};

static struct event	 run_signal_events[nitems(run_signals) + 1];
static struct event	 run_timer;	/* start, -t, --kill-after, grace */
static struct event	 run_killer;	/* repeats kills at the end */
static struct event	 run_deaf;	/* for the answer to a signal */
static struct event	 run_late;	/* for workers that do not come up */
static struct event	 run_sync;	/* kernel only: outcome of exec */
static sigset_t		 run_held;	/* until the workload has exec'd */

static void	 run_arm(struct event *, uint64_t);
static int	 run_ends(int);

/* A signal for the workload, by way of whoever is its parent. */
void
run_signal_tree(int sig)
{
	struct run_worker	*w = &run.workers[WORKER_SUPERVISOR];

	if (run.kernel_only) {
		if (run.workload.pid > 0 && !run.have_result)
			kill(sig == SIGTERM || sig == SIGUSR1 ||
			    sig == SIGUSR2 ? run.workload.pid :
			    -run.workload.pid, sig);
		return;
	}
	if (w->iev.ibuf.fd == -1)
		return;
	if (proto_send_int(&w->iev.ibuf, IMSG_SIGNAL, sig, -1) == -1)
		fatal("signal");
	imsg_event_add(&w->iev);
	if (run_ends(sig) && !evtimer_pending(&run_deaf, NULL))
		run_arm(&run_deaf, RUN_GRACE_SECONDS * 1000);
}

/*
 * A signal while the workload starts.  Before its exec it is a copy of who
 * forked it, which the signal would end without a trace; so the signal waits,
 * unless there is nothing yet that could run.
 */
static void
run_hold(int sig)
{
	if (run_ends(sig) && !run.kernel_only && (!run.go ||
	    !run.workers[WORKER_SUPERVISOR].locked)) {
		run_failed(REASON_SETUP, 128 + sig);
		return;
	}
	if (sig == SIGCONT) {
		/* The terminal may have stopped what has not begun. */
		sigdelset(&run_held, SIGTSTP);
		run_signal_tree(sig);
		return;
	}
	sigaddset(&run_held, sig);
	if (run_ends(sig) && !evtimer_pending(&run_deaf, NULL))
		run_arm(&run_deaf, RUN_GRACE_SECONDS * 1000);
}

static void
run_deliver_held(void)
{
	size_t	 i;

	for (i = 0; i < nitems(run_signals); i++)
		if (sigismember(&run_held, run_signals[i]) == 1)
			run_signal_tree(run_signals[i]);
	sigemptyset(&run_held);
}

/* Something hangs, and whoever sent the signal shall not hang with it. */
static void
run_unheard(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	log_warnx("%s", run.state == RUN_STARTING ?
	    "the workload does not start" : "supervisor: no answer");
	run_failed(REASON_WORKER, EXIT_SANDLOCK);
}

void
run_signalled(void)
{
	/* During the start it is for what is held. */
	if (run.state != RUN_STARTING)
		evtimer_del(&run_deaf);
}

/* Nothing came up while all of it was stopped. */
void
run_continued(void)
{
	if (run.state == RUN_STARTING)
		run_arm(&run_timer, RUN_START_SECONDS * 1000);
	if (evtimer_pending(&run_late, NULL))
		run_arm(&run_late, RUN_START_SECONDS * 1000);
}

/* A signal for every process of the tree. */
void
run_kill_tree(int sig)
{
	struct run_worker	*w = &run.workers[WORKER_SUPERVISOR];

	if (run.kernel_only) {
		if (tree_signal_domain(sig) == -1 && errno == EPERM)
			tree_signal(getpid(), sig);
		return;
	}
	if (w->iev.ibuf.fd == -1)
		return;
	if (proto_send_int(&w->iev.ibuf, IMSG_KILL, sig, -1) == -1)
		fatal("kill");
	imsg_event_add(&w->iev);
}

static void
run_arm(struct event *ev, uint64_t ms)
{
	struct timeval	 tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	evtimer_add(ev, &tv);
}

static void
run_kill_again(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	workers_kill();
	workers_reap();
	run_arm(&run_killer, RUN_RETRY_US / 1000);
}

/*
 * The end, however it came: workers are told by the end of their channels;
 * with force everything is killed at once and until nobody is left.
 */
static void
run_end(int force)
{
	run.state = RUN_ENDING;
	evtimer_del(&run_timer);
	evtimer_del(&run_deaf);
	/* Before one sees another go, and says so. */
	if (force)
		workers_kill();
	workers_close();
	if (force) {
		workers_reap();
		run_arm(&run_killer, RUN_RETRY_US / 1000);
	} else if (run.kernel_only)
		/* What it left behind goes now, not after a grace. */
		run_arm(&run_killer, 0);
	else
		run_arm(&run_killer, RUN_GRACE_SECONDS * 1000);
}

/* A failure of our own; the first one names the reason. */
void
run_failed(enum run_reason reason, int status)
{
	if (run.state == RUN_ENDING)
		return;
	run.reason = reason;
	run.exit_status = status;
	finish_failed();
	run_end(1);
}

static void
run_timeout(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	if (run.state == RUN_STARTING) {
		log_warnx("the workload did not start within %d seconds",
		    RUN_START_SECONDS);
		run_failed(REASON_WORKER, EXIT_SANDLOCK);
	} else if (run.timed_out == 0) {
		run.timed_out = 1;
		run_kill_tree(SIGTERM);
		run_arm(&run_timer, run.policy->kill_after_ms);
	} else if (run.timed_out == 1) {
		run.timed_out = 2;
		run_kill_tree(SIGKILL);
		run_arm(&run_timer, RUN_GRACE_SECONDS * 1000);
	} else {
		/* The supervisor does not do as it is told. */
		run_failed(REASON_TIMEOUT, EXIT_TIMEOUT);
	}
}

void
run_started(pid_t pid)
{
	if (run.state != RUN_STARTING) {
		log_warnx("started twice");
		run_failed(REASON_WORKER, EXIT_SANDLOCK);
		return;
	}
	run.state = RUN_RUNNING;
	run.pid = pid;
	evtimer_del(&run_timer);
	evtimer_del(&run_deaf);
	if (run.policy->timeout_ms != 0)
		run_arm(&run_timer, run.policy->timeout_ms);
	/* The job may have been stopped and continued meanwhile. */
	terminal_pass();
	run_deliver_held();
}

/* The workload may run by now, and its calls would wait for ever. */
static void
run_missing(int fd, short event, void *arg)
{
	const char	*name = workers_missing();

	(void)fd;
	(void)event;
	(void)arg;
	if (name == NULL || run.state == RUN_ENDING)
		return;
	log_warnx("%s did not start within %d seconds", name,
	    RUN_START_SECONDS);
	run_failed(REASON_WORKER, EXIT_SANDLOCK);
}

/* The workload could not be started: 127 not found, 126 found, 125 ours. */
void
run_exec_failed(int error, enum workload_stage stage)
{
	int	 status = EXIT_SANDLOCK;

	if (stage == STAGE_KILLED && run_ends(error))
		/* By a key of the terminal, whose foreground it had. */
		status = 128 + error;
	else if (stage == STAGE_KILLED)
		log_warnx("the workload was killed before it started");
	else if (stage == STAGE_EXEC) {
		status = error == ENOENT || error == ENOTDIR ?
		    EXIT_NOTFOUND : EXIT_NOEXEC;
		log_warnx("%s: %s", run.conf.argv[0], strerror(error));
	} else if (stage == STAGE_DIRECTORY)
		log_warnx("%s: %s", run.conf.directory, strerror(error));
	else
		log_warnx("%s: %s", workload_stage_name(stage),
		    strerror(error));
	run_failed(REASON_SETUP, status);
}

/* The tree is gone. */
void
run_ended(const struct proto_exit *pe)
{
	if (run.have_result || run.state >= RUN_FINISHING)
		return;
	if (run.state == RUN_STARTING) {
		log_warnx("the end of what has not begun");
		run_failed(REASON_WORKER, EXIT_SANDLOCK);
		return;
	}
	run.result = *pe;
	run.have_result = 1;
	evtimer_del(&run_timer);
	if (run.timed_out) {
		run.reason = REASON_TIMEOUT;
		run.exit_status = EXIT_TIMEOUT;
	} else if (WIFSIGNALED(pe->status)) {
		run.reason = REASON_SIGNAL;
		run.exit_status = 128 + WTERMSIG(pe->status);
	} else {
		run.reason = REASON_EXIT;
		run.exit_status = WEXITSTATUS(pe->status);
	}
	/* cowd decides when it is over, if there is something for it to do. */
	if (finish_branch())
		run.state = RUN_FINISHING;
	else
		run_end(0);
}

/* cowd has done what it was to do. */
void
run_finished(void)
{
	run_end(0);
}

/* Let the workload exec when whatever its policy waits for has come. */
void
run_check_go(void)
{
	struct run_worker	*w = &run.workers[WORKER_SUPERVISOR];

	if (run.go || w->iev.ibuf.fd == -1 ||
	    (run.needs.answers && !run.workers[WORKER_NETD].ready))
		return;
	run.go = 1;
	if (proto_send_empty(&w->iev.ibuf, IMSG_GO, -1) == -1)
		fatal("go");
	imsg_event_add(&w->iev);
}

/* Whether the workload has started by now may wait to be read. */
static void
run_hear(void)
{
	if (run.state != RUN_STARTING)
		return;
	if (!run.kernel_only)
		workers_hear();
	else if (run.workload.sync != -1)
		run_kernel_outcome(-1, 0, NULL);
}

/* Kernel only: the workload is our own child. */
void
run_child(int status)
{
	struct proto_exit	 pe;
	struct rusage		 ru;

	if (WIFCONTINUED(status))
		return;
	if (WIFSTOPPED(status)) {
		terminal_stopped(WSTOPSIG(status));
		return;
	}
	run_hear();
	memset(&pe, 0, sizeof(pe));
	pe.status = status;
	if (getrusage(RUSAGE_CHILDREN, &ru) == 0) {
		pe.cpu_us = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) *
		    1000000ULL + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
		pe.maxrss_kb = ru.ru_maxrss;
	}
	run_ended(&pe);
}

void
run_kernel_outcome(int fd, short event, void *arg)
{
	enum workload_stage	 stage;
	enum workload_news	 news;
	int			 error, listener;

	(void)fd;
	(void)event;
	(void)arg;
	news = workload_hear(&run.workload, &listener, &stage);
	if (news == WORKLOAD_NOTHING)
		return;
	error = errno;
	event_del(&run_sync);
	close(run.workload.sync);
	run.workload.sync = -1;
	/* One that is killed at the end has not begun. */
	if (run.state != RUN_STARTING)
		return;
	if (news == WORKLOAD_RUNNING)
		run_started(run.workload.pid);
	else
		run_exec_failed(error, stage);
}

/* --no-supervisor: Landlock and the filter alone. */
static int
run_kernel_only(void)
{
	struct sock_fprog	 prog;
	int			 listen;

	if (filter_build(&run.conf.filter, run.conf.changes,
	    run.conf.nchanges, &prog, &listen) == -1) {
		log_warn("system call filter");
		return (-1);
	}
	if (listen) {
		log_warnx("this policy needs the supervisor for: %s",
		    run.needs.features);
		return (-1);
	}
	if (workload_fork(&run.workload, &run.conf, WORKLOAD_DOMAIN_WHOLE,
	    &prog, 0) == -1) {
		log_warn("fork");
		return (-1);
	}
	free(prog.filter);
	event_set(&run_sync, run.workload.sync, EV_READ | EV_PERSIST,
	    run_kernel_outcome, NULL);
	if (event_add(&run_sync, NULL) == -1)
		fatalx("event_add");
	workload_go(&run.workload);
	return (0);
}

/* Those that end a program that has no use for them. */
static int
run_ends(int sig)
{
	return (sig == SIGINT || sig == SIGTERM || sig == SIGHUP ||
	    sig == SIGQUIT);
}

static void
run_signal(int sig, short event, void *arg)
{
	(void)event;
	(void)arg;
	if (sig == SIGCHLD) {
		workers_reap();
		return;
	}
	run_hear();
	/* Nothing is left to signal, and a commit is not broken off. */
	if (run.state >= RUN_FINISHING) {
		if (run.state == RUN_FINISHING && finish_interruptible() &&
		    run_ends(sig))
			run_failed(REASON_SIGNAL, 128 + sig);
		return;
	}
	if (run.state == RUN_STARTING) {
		run_hold(sig);
		return;
	}
	/* With a time limit all of it was stopped. */
	if (sig == SIGCONT && run.policy->timeout_ms != 0)
		run_kill_tree(SIGCONT);
	else
		run_signal_tree(sig);
}

static void
run_events(void)
{
	struct sigaction	 sa;
	sigset_t		 none;
	size_t			 i;

	for (i = 0; i <= nitems(run_signals); i++) {
		/* As under nohup(1). */
		if (i < nitems(run_signals) && run_signals[i] == SIGHUP &&
		    sigaction(SIGHUP, NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN)
			continue;
		signal_set(&run_signal_events[i], i < nitems(run_signals) ?
		    run_signals[i] : SIGCHLD, run_signal, NULL);
		if (signal_add(&run_signal_events[i], NULL) == -1)
			fatalx("signal_add failed");
	}
	output_watch();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	evtimer_set(&run_timer, run_timeout, NULL);
	evtimer_set(&run_killer, run_kill_again, NULL);
	evtimer_set(&run_deaf, run_unheard, NULL);
	evtimer_set(&run_late, run_missing, NULL);
	/* One that the caller blocked would never come. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A stream that is a directory or a bare name would lead out of the sandbox. */
static int
run_check_stdio(void)
{
	struct stat	 st;
	int		 fd, flags;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) == -1 ||
		    (flags = fcntl(fd, F_GETFL)) == -1) {
			log_warn("descriptor %d", fd);
			return (-1);
		}
		if (S_ISDIR(st.st_mode)) {
			log_warnx("descriptor %d: is a directory", fd);
			return (-1);
		}
		if ((flags & O_PATH) != 0) {
			log_warnx("descriptor %d: only names a file (O_PATH)",
			    fd);
			return (-1);
		}
	}
	return (0);
}

/*
 * Yama may keep even the supervisor from reading its own child's memory; then
 * a policy that needs that cannot be kept.
 */
static int
run_check_yama(void)
{
	char	 scope;
	ssize_t	 n;
	int	 fd;

	if (!run.needs.supervisor ||
	    (fd = open("/proc/sys/kernel/yama/ptrace_scope",
	    O_RDONLY | O_CLOEXEC)) == -1)
		return (0);
	n = read(fd, &scope, 1);
	close(fd);
	if (n != 1 || scope < '2')
		return (0);
	log_warnx("kernel.yama.ptrace_scope is %c: the supervisor cannot read "
	    "the memory of the workload, which this policy needs for: %s",
	    scope, run.needs.features);
	return (-1);
}

/* Try for a listener where it does no harm; 0 or the errno. */
static int
run_try_listener(void)
{
	struct sock_filter	 allow = BPF_STMT(BPF_RET | BPF_K,
				    SECCOMP_RET_ALLOW);
	struct sock_fprog	 prog = { 1, &allow };
	pid_t			 pid;
	int			 listener, status;

	if ((pid = fork()) == -1)
		return (errno);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    filter_install(&prog, &listener) == -1)
			_exit(errno);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return (errno);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : EPERM);
}

/*
 * A chain of filters has room for one listener.  When the caller has filters,
 * find out before anything is started; one that only denies (a container's,
 * systemd's) changes nothing.
 */
static int
run_check_nested(void)
{
	int	 error;

	if (!run.needs.supervisor || prctl(PR_GET_SECCOMP) !=
	    SECCOMP_MODE_FILTER || (error = run_try_listener()) == 0)
		return (0);
	if (error == EBUSY || error == EPERM || error == EACCES)
		log_warnx("nested: the sandbox around leaves no room for a "
		    "supervisor, which this policy needs for: %s; "
		    "--no-supervisor%s without", run.needs.features,
		    run.policy->workdir == NULL ? " runs" :
		    " --no-workdir run");
	else
		log_warnx("system call filter: %s", strerror(error));
	return (-1);
}

/* Give up what the parent does not need before anything untrusted starts. */
static int
run_lockdown(void)
{
	const struct policy	*p = run.policy;

	if (identity_run_as(p) == -1)
		return (-1);
	if (p->user_set && identity_namespace(p->user_uid, p->user_gid) == -1) {
		log_warn("user namespace");
		return (-1);
	}
	if (p->workdir != NULL && (storage_create(&run.branch, p->storage,
	    p->workdir, run.needs.view ? STORAGE_COWD :
	    p->isolation == ISOLATION_BRANCHFS ? STORAGE_SERVER :
	    STORAGE_OVERLAY, finish_keeps()) == -1 || (!run.needs.view &&
	    overlay_enter(p, &run.branch) == -1)))
		return (-1);
	if (lockdown_begin(0) == -1) {
		log_warn("lockdown");
		return (-1);
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1) {
		log_warn("subreaper");
		return (-1);
	}
	/* The workload inherits it. */
	if ((run.conf.protections & (1U << PROT_SIGNAL_SCOPE)) &&
	    landlock_scope_signals(run.abi) == 0) {
		run.scoped = 1;
		tree_scoped();
	}
	return (0);
}

static int
run_prepare(struct run_options *ro)
{
	sigset_t	 all;
	int		 started;

	if (run_check_stdio() == -1 || conf_protections() == -1 ||
	    run_check_yama() == -1 || run_check_nested() == -1 ||
	    report_init(run.policy) == -1 || finish_init() == -1 ||
	    private_name(run.policy, &run.private_dir) == -1 ||
	    run_lockdown() == -1)
		return (-1);
	imsg_event_base();
	/* Nobody waits for our handlers; signals do. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	started = run.kernel_only ? 0 : workers_spawn();
	run_events();
	if (started == -1 || workers_private() == -1 ||
	    private_create(run.policy, run.private_dir) == -1 ||
	    conf_derive(ro->argv, ro->argc) == -1)
		return (-1);
	terminal_init(&run.conf);
	return (0);
}

/* What is left to do needs little: give up the rest while others are busy. */
static int
run_start(void)
{
	run_arm(&run_timer, RUN_START_SECONDS * 1000);
	if (run.kernel_only) {
		if (run_kernel_only() == -1)
			return (-1);
	} else {
		if (workers_configure() == -1)
			return (-1);
		run_arm(&run_late, RUN_START_SECONDS * 1000);
	}
	if (terminal_leave() == -1 || lock_parent() == -1) {
		log_warn("lockdown");
		return (-1);
	}
	return (0);
}

/* A broken invariant of our own: nothing may be left all the same. */
static void
run_fatal(void)
{
	pid_t	 pid;

	workers_kill();
	/* Who was not started for the run, or ends its branch, goes on. */
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0 ||
	    (pid == 0 && !tree_foreign_only()))
		if (pid == 0)
			poll(NULL, 0, 1);
	terminal_restore();
	if (run.private_dir != NULL)
		private_remove(run.private_dir);
	finish_remove();
}

static void
run_init(struct policy *p)
{
	int	 i;

	/* An inherited SIG_IGN would reap our children unseen. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&run_held);
	clock_gettime(CLOCK_MONOTONIC, &run.began);
	for (i = 0; i < WORKER_MAX; i++)
		run.workers[i].iev.ibuf.fd = -1;
	run.workload.sync = -1;
	run.policy = p;
	run.kernel_only = run.policy->no_supervisor;
	policy_needs(run.policy, &run.needs);
	workload_conf_init(&run.conf);
	run.reason = REASON_SETUP;
	run.exit_status = EXIT_SANDLOCK;
	log_atfatal(run_fatal);
}

/*
 * The branch command: the end of a run whose branch was kept, in run.branch.
 * An exit status.
 */
int
run_branch(enum branch_order order, enum dry_run_form form)
{
	struct policy	*p;

	if ((p = policy_new()) == NULL)
		fatal("policy_new");
	/* Whatever becomes of this process, the branch is not cowd's. */
	p->on_error = BRANCH_KEEP;
	run_init(p);
	run.state = RUN_FINISHING;
	run.exit_status = 0;
	if (tree_init() == -1 || tree_foreign() == -1 ||
	    lockdown_begin(0) == -1) {
		log_warn("lockdown");
		run.exit_status = EXIT_SANDLOCK;
	} else {
		imsg_event_base();
		run_events();
		if (workers_cowd() == -1 ||
		    finish_command(order, form) == -1)
			run_failed(REASON_WORKER, EXIT_SANDLOCK);
		event_dispatch();
	}
	finish_remove();
	policy_free(p);
	return (run.exit_status);
}

int
run_main(struct run_options *ro)
{
	storage_init(&run.branch);
	run_init(ro->policy);
	run.conf.verbose = ro->verbose > 0;
	/* Whoever exec'd us may have children, which the run is not about. */
	if (tree_init() == -1 || tree_foreign() == -1)
		log_warn("/proc");
	else if (run_prepare(ro) == 0 && run_start() == 0)
		event_dispatch();
	else if (run.workers[WORKER_SUPERVISOR].pid != 0 ||
	    run.workload.pid != 0) {
		/* Once it may run, it may have. */
		run_failed(run.go ? REASON_WORKER : REASON_SETUP,
		    EXIT_SANDLOCK);
		event_dispatch();
	}
	terminal_restore();
	if (run.private_dir != NULL)
		private_remove(run.private_dir);
	finish_remove();
	report_end();
	return (run.exit_status);
}
