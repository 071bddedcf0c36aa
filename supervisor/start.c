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
 * From the configuration to the exec of the workload.
 *
 * States: collecting (CONF_*), locked (CONF_END done: domain entered, child
 * forked, own filter on, LOCKED sent), running (GO passed on, exec succeeded).
 * GO may come early; it counts only once locked.  The child confines itself
 * meanwhile and needs both: its own confinement and the go.  Any failure ends
 * the worker with an IMSG_ERROR or IMSG_EXEC_FAILED to the parent.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holes.h"
#include "landlock.h"
#include "lockdown.h"
#include "log.h"
#include "supervisor.h"
#include "tree.h"
#include "worker.h"

static struct event	 start_sync;
static int		 start_locked;
static int		 start_have_go;
static int		 start_sent_go;

static void	 start_event(int, short, void *);
static void	 start_release(void);

/* An element of a list of the configuration. */
static int
configure_item(struct imsg *imsg)
{
	struct workload_conf	*wc = &sup.conf;
	struct workload_path	 wp;
	struct workload_port	 port;
	struct filter_change	 fc;
	int			 fd, number, ret;

	switch (imsg_get_type(imsg)) {
	case IMSG_CONF_PATH:
		if (proto_recv_path(imsg, &wp) == -1)
			return (-1);
		ret = workload_add_path(wc, wp.path, wp.perms, wp.optional);
		free(wp.path);
		return (ret);
	case IMSG_CONF_PORT:
		if (proto_recv_port(imsg, &port) == -1)
			return (-1);
		return (workload_add_port(wc, port.direction, port.lo,
		    port.hi));
	case IMSG_CONF_SYSCALL:
		if (proto_recv_syscall(imsg, &fc) == -1)
			return (-1);
		return (workload_add_change(wc, fc.nr, fc.permit));
	case IMSG_CONF_PASSFD:
		if (proto_recv_int(imsg, &number) == -1 || number < 3 ||
		    (fd = imsg_get_fd(imsg)) == -1)
			return (-1);
		return (workload_add_passfd(wc, number, fd));
	}
	return (-1);
}

void
start_configure(struct imsg *imsg)
{
	struct workload_conf	*wc = &sup.conf;
	char			*s;
	int			 ret;

	if (sup.configured)
		fatalx("%s out of place", proto_name(imsg_get_type(imsg)));
	switch (imsg_get_type(imsg)) {
	case IMSG_CONF_WORKLOAD:
		ret = proto_recv_workload(imsg, wc);
		log_init("supervisor", wc->verbose);
		break;
	case IMSG_CONF_ARG:
	case IMSG_CONF_ENV:
		if ((ret = proto_recv_string(imsg, &s)) == -1)
			break;
		ret = imsg_get_type(imsg) == IMSG_CONF_ARG ?
		    workload_add_arg(wc, s) : workload_add_env(wc, s);
		free(s);
		break;
	case IMSG_CONF_LOWER:
	case IMSG_CONF_UPPER:
		view_configure(imsg);
		return;
	case IMSG_CONF_TMP:
		tmp_configure(imsg);
		return;
	case IMSG_CONF_DIRECTORY:
		free(wc->directory);
		ret = proto_recv_string(imsg, &wc->directory);
		break;
	default:
		ret = configure_item(imsg);
		break;
	}
	if (ret == -1)
		fatal("%s", proto_name(imsg_get_type(imsg)));
}

/*
 * Compile the filter; with --log-denials also the quiet one: what the first
 * sends to the supervisor only to be logged, the second tells the errno of.
 */
static void
start_filter(struct sock_fprog *prog, int *listen)
{
	struct workload_conf	*wc = &sup.conf;
	struct filter_conf	 quiet;
	int			 unused;

	if (filter_build(&wc->filter, wc->changes, wc->nchanges, prog,
	    listen) == -1)
		worker_fail("system call filter: %s", strerror(errno));
	if (!wc->filter.log_denials)
		return;
	quiet = wc->filter;
	quiet.log_denials = 0;
	if (filter_build(&quiet, wc->changes, wc->nchanges, &sup.quiet,
	    &unused) == -1)
		worker_fail("system call filter: %s", strerror(errno));
}

/* Before the domain: afterwards the directories cannot be listed. */
static void
start_holes(void)
{
	const char	*what;

	if (holes_expand(&sup.conf, &what) == 0) {
		hole_init();
		return;
	}
	if (errno == E2BIG)
		worker_fail("%s: more than %d entries beside the ways to "
		    "paths with fewer rights", what, HOLES_SIBLINGS_MAX);
	worker_fail("%s: %s", what != NULL ? what : "paths", strerror(errno));
}

static void
start_domain(void)
{
	struct workload_conf	*wc = &sup.conf;
	const char		*what;

	if (landlock_workload(wc, WORKLOAD_DOMAIN_OUTER, &what) == -1)
		worker_fail("%s: landlock: %s", what, strerror(errno));
	if (wc->protections & (1U << PROT_SIGNAL_SCOPE))
		tree_scoped();
}

static __attribute__((__noreturn__)) void
start_failed(enum workload_stage stage, int error)
{
	struct proto_failure	 pf = { error, stage };

	/* A child that we killed ourselves has not failed. */
	if (sup.ending)
		_exit(EXIT_SANDLOCK);
	if (proto_send_failure(&worker_parent.ibuf, &pf) == -1 ||
	    imsgbuf_flush(&worker_parent.ibuf) == -1)
		fatal("channel to the parent");
	_exit(EXIT_SANDLOCK);
}

/* The streams belong to the workload; ours must not keep a pipe open. */
static void
start_drop_stdio(int null)
{
	if (dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		worker_fail("dup2: %s", strerror(errno));
	close(null);
}

/* Parked calls hold descriptors; the workload keeps its own limit. */
static void
start_nofile(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		log_warn("RLIMIT_NOFILE");
}

/* Our own filter goes on while the child puts on its own. */
void
start_workload(void)
{
	struct workload_conf	*wc = &sup.conf;
	struct sock_fprog	 prog;
	size_t			 i;
	int			 listen, null;

	if (sup.configured || wc->argc == 0 || wc->envp == NULL)
		fatalx("conf_end out of place");
	sup.configured = 1;
	/* The domain need not grant what these are opened for. */
	if (tree_init() == -1)
		worker_fail("/proc: %s", strerror(errno));
	if ((null = worker_open_null()) == -1)
		worker_fail("/dev/null: %s", strerror(errno));
	view_init();
	tmp_init();
	bind_init();
	remap_init();
	virtual_init();
	netlink_init();
	near_init();
	start_holes();
	start_filter(&prog, &listen);
	start_domain();
	if (workload_fork(&sup.workload, wc, WORKLOAD_DOMAIN_INNER, &prog,
	    listen) == -1)
		start_failed(STAGE_FORK, errno);
	free(prog.filter);
	event_set(&start_sync, sup.workload.sync, EV_READ | EV_PERSIST,
	    start_event, NULL);
	if (event_add(&start_sync, NULL) == -1)
		fatalx("event_add");
	for (i = 0; i < wc->npassfds; i++)
		close(wc->passfds[i].fd);
	start_drop_stdio(null);
	start_nofile();
	if (wc->cpu_percent != 0)
		throttle_init();
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		worker_fail("dumpable: %s", strerror(errno));
	lock_run();
	start_locked = 1;
	/* Before anything can run: see run_hold() of the parent. */
	if (proto_send_empty(&worker_parent.ibuf, IMSG_LOCKED, -1) == -1)
		fatal("locked");
	imsg_event_add(&worker_parent);
	if (start_have_go)
		start_release();
}

static void
start_running(void)
{
	event_del(&start_sync);
	close(sup.workload.sync);
	sup.workload.sync = -1;
	sup.running = 1;
	if (proto_send_int(&worker_parent.ibuf, IMSG_STARTED,
	    sup.workload.pid, -1) == -1)
		fatal("started");
	imsg_event_add(&worker_parent);
}

/* It is dead, or shall be: how it died comes with SIGCHLD, see start_died(). */
static void
start_ending(void)
{
	event_del(&start_sync);
	if (!life_main_gone())
		kill(sup.workload.pid, SIGKILL);
}

/*
 * Hear what the child has said; 1 when it has exec'd.  Its failure ends this
 * process.
 */
int
start_outcome(void)
{
	enum workload_stage	 stage;
	int			 listener;

	while (!sup.running) {
		switch (workload_hear(&sup.workload, &listener, &stage)) {
		case WORKLOAD_NOTHING:
			return (0);
		case WORKLOAD_READY:
			notify_init(listener);
			break;
		case WORKLOAD_RUNNING:
			if (!start_sent_go) {
				start_ending();
				return (0);
			}
			start_running();
			break;
		case WORKLOAD_FAILED:
			if (errno == ECHILD) {
				start_ending();
				return (0);
			}
			start_failed(stage, errno);
		}
	}
	return (1);
}

void
start_died(int status)
{
	if (!WIFSIGNALED(status))
		worker_fail("the workload ended before it started");
	start_failed(STAGE_KILLED, WTERMSIG(status));
}

static void
start_event(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	start_outcome();
}

static void
start_release(void)
{
	start_sent_go = 1;
	workload_go(&sup.workload);
}

void
start_go(void)
{
	if (start_have_go)
		fatalx("go out of place");
	start_have_go = 1;
	if (start_locked)
		start_release();
}
