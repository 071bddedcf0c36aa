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
 * The workers: found, started, configured, listened to, waited for.  There is
 * one dispatch function for each, which accepts only what that worker may say;
 * anything else, and its end before the run's, ends the run.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "log.h"
#include "netports.h"
#include "run.h"
#include "tree.h"

#ifndef BINDIR
#define BINDIR		"/usr/local/bin"
#endif
#ifndef LIBEXECDIR
#define LIBEXECDIR	"/usr/local/libexec/sandlock"
#endif

#define WORKER_STOPPED_SECONDS	5	/* a stopped worker is a lost one */
#define WORKER_GONE_SECONDS	1	/* from the channel's end to exit */
#define WORKER_REASON_US	200000	/* from an exit to that of its cause */

static int	 worker_may_go(const struct run_worker *);
static void	 supervisor_first(const struct run_worker *);
static int	 configure_branch(struct imsgbuf *);
static void	 parent_dispatch_worker(struct run_worker *, short);
static void	 parent_dispatch_supervisor(int, short, void *);
static void	 parent_dispatch_cowd(int, short, void *);
static void	 parent_dispatch_netd(int, short, void *);

static const char	*const worker_names[WORKER_MAX] = {
	[WORKER_SUPERVISOR] = "supervisor",
	[WORKER_COWD] = "cowd",
	[WORKER_NETD] = "netd"
};

static void	(*const worker_handlers[WORKER_MAX])(int, short, void *) = {
	[WORKER_SUPERVISOR] = parent_dispatch_supervisor,
	[WORKER_COWD] = parent_dispatch_cowd,
	[WORKER_NETD] = parent_dispatch_netd
};

/*
 * Where a worker is.  An installed program knows; one in the build tree finds
 * the folders beside its own.  The environment has no say.
 */
static int
worker_path(const char *name, char *path, size_t size)
{
	char	 exe[PATH_MAX], *slash;
	ssize_t	 n;

	if ((n = readlink("/proc/self/exe", exe, sizeof(exe) - 1)) == -1)
		return (-1);
	exe[n] = '\0';
	if (strcmp(exe, BINDIR "/sandlock") == 0)
		n = snprintf(path, size, "%s/%s", LIBEXECDIR, name);
	else {
		if ((slash = strrchr(exe, '/')) == NULL) {
			errno = ENOENT;
			return (-1);
		}
		*slash = '\0';
		n = snprintf(path, size, "%s/../%s/%s", exe, name, name);
	}
	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

/*
 * posix_spawn shares our memory until exec: no page tables are copied.  The
 * worker has a process group of its own: a SIGKILL to ours, as a shell sends to
 * a job, must leave those who clean up after it.
 */
static int
worker_spawn(const char *path, char *argv[], int fd, pid_t *pid)
{
	posix_spawn_file_actions_t	 actions;
	posix_spawnattr_t		 attr;
	char				*envp[1] = { NULL };
	sigset_t			 all, none;
	int				 error;

	sigemptyset(&none);
	sigfillset(&all);
	if ((error = posix_spawn_file_actions_init(&actions)) != 0)
		return (error);
	if ((error = posix_spawnattr_init(&attr)) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return (error);
	}
	if ((error = posix_spawn_file_actions_adddup2(&actions, fd,
	    PROTO_PARENT_FD)) == 0 &&
	    (error = posix_spawn_file_actions_addclosefrom_np(&actions,
	    PROTO_PARENT_FD + 1)) == 0 &&
	    (error = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
	    (error = posix_spawnattr_setsigdefault(&attr, &all)) == 0 &&
	    (error = posix_spawnattr_setpgroup(&attr, 0)) == 0 &&
	    (error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0)
		error = posix_spawn(pid, path, &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return (error);
}

/* A program of ours with one argument or none; 0 or an errno. */
int
workers_exec(const char *name, const char *arg, int fd, pid_t *pid)
{
	char	 path[PATH_MAX], *argv[3];
	int	 error = ENOMEM;

	argv[0] = strdup(name);
	argv[1] = arg == NULL ? NULL : strdup(arg);
	argv[2] = NULL;
	if (worker_path(name, path, sizeof(path)) == -1)
		error = errno;
	else if (argv[0] != NULL && (arg == NULL || argv[1] != NULL))
		error = worker_spawn(path, argv, fd, pid);
	free(argv[0]);
	free(argv[1]);
	return (error);
}

/* Of a branch that a server has, cowd needs to know only what it lists. */
static int
cowd_has_branch(void)
{
	return (run.branch.fd != -1 && (run.branch.server == NULL ||
	    run.state == RUN_FINISHING || run.policy->dry_run));
}

/* What cowd is told by its argument, for its first system-call filter. */
static const char *
cowd_argument(void)
{
	if (cowd_has_branch())
		return ("-b");
	return (run.needs.holes ? "-f" : NULL);
}

static void
worker_stopped(int fd, short event, void *arg)
{
	struct run_worker	*w = arg;

	(void)fd;
	(void)event;
	log_warnx("%s is stopped", w->name);
	run_failed(REASON_WORKER, EXIT_SANDLOCK);
}

/* Its channel has ended, and it does not; or it has, and no other did. */
static void
worker_gone(int fd, short event, void *arg)
{
	struct run_worker	*w = arg;

	(void)fd;
	(void)event;
	if (worker_may_go(w))
		return;
	log_warnx("%s: %s", w->name, w->pid == 0 ? "is gone" :
	    "has closed its channel");
	run_failed(REASON_WORKER, EXIT_SANDLOCK);
}

/* Its channel, which takes messages before there is anybody to read them. */
static int
worker_channel(enum run_worker_name which)
{
	struct run_worker	*w = &run.workers[which];
	int			 pair[2];

	w->name = worker_names[which];
	w->place.cpu = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1) {
		log_warn("%s", w->name);
		return (-1);
	}
	w->peer = pair[1];
	evtimer_set(&w->stopped, worker_stopped, w);
	evtimer_set(&w->gone, worker_gone, w);
	if (imsg_event_init(&w->iev, pair[0], worker_handlers[which]) == -1 ||
	    imsgbuf_set_maxsize(&w->iev.ibuf, PROTO_MAXSIZE) == -1) {
		log_warn("channel to %s", w->name);
		return (-1);
	}
	return (0);
}

/* A program that cannot be there later is better missed before all starts. */
static int
worker_there(enum run_worker_name which)
{
	char	 path[PATH_MAX];

	if (worker_path(worker_names[which], path, sizeof(path)) == 0 &&
	    access(path, X_OK) == 0)
		return (1);
	log_warn("%s", worker_names[which]);
	return (0);
}

static int
worker_exec(enum run_worker_name which)
{
	struct run_worker	*w = &run.workers[which];
	int			 error;

	error = workers_exec(w->name, which == WORKER_COWD ?
	    cowd_argument() : NULL, w->peer, &w->pid);
	close(w->peer);
	if (error != 0) {
		w->pid = 0;
		imsg_event_close(&w->iev);
		errno = error;
		log_warn("%s", w->name);
		return (-1);
	}
	return (0);
}

/*
 * Whether cowd has something to remove should this process be killed: a private
 * directory, or a branch that the workload writes to without it.  To one with a
 * view nobody else writes.
 */
static int
cowd_cleans(void)
{
	return (run.needs.cowd && (run.private_dir != NULL ||
	    (cowd_has_branch() && !run.needs.view)));
}

/*
 * The channels of all that the policy needs, and the supervisor itself, which
 * has most to do before the workload can start.  0, or -1 after a message.
 */
int
workers_spawn(void)
{
	if ((run.needs.cowd && !worker_there(WORKER_COWD)) ||
	    (run.needs.netd && !worker_there(WORKER_NETD)) ||
	    worker_channel(WORKER_SUPERVISOR) == -1 ||
	    (run.needs.cowd && worker_channel(WORKER_COWD) == -1) ||
	    (run.needs.netd && worker_channel(WORKER_NETD) == -1) ||
	    worker_exec(WORKER_SUPERVISOR) == -1)
		return (-1);
	return (cowd_cleans() ? worker_exec(WORKER_COWD) : 0);
}

/* cowd alone, for a branch without a run; 0, or -1 after a message. */
int
workers_cowd(void)
{
	struct run_worker	*w = &run.workers[WORKER_COWD];

	if (worker_channel(WORKER_COWD) == -1 || worker_exec(WORKER_COWD) == -1)
		return (-1);
	if (configure_branch(&w->iev.ibuf) == -1 ||
	    proto_send_empty(&w->iev.ibuf, IMSG_CONF_END, -1) == -1) {
		log_warn("cowd");
		return (-1);
	}
	imsg_event_add(&w->iev);
	return (0);
}

/* A channel between the supervisor and another worker. */
static int
configure_socket(enum run_worker_name which, uint32_t type)
{
	struct imsgbuf	*sup = &run.workers[WORKER_SUPERVISOR].iev.ibuf;
	struct imsgbuf	*peer = &run.workers[which].iev.ibuf;
	int		 pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1)
		return (-1);
	if (proto_send_empty(sup, type, pair[0]) == -1 ||
	    proto_send_empty(peer, IMSG_SOCKET_SUPERVISOR, pair[1]) == -1)
		return (-1);
	return (0);
}

static int
configure_supervisor_lists(struct imsgbuf *ib)
{
	const struct workload_conf	*wc = &run.conf;
	struct workload_path		*wp;
	struct workload_port		*port;
	size_t				 i;
	int				 fd;

	STAILQ_FOREACH(wp, &wc->paths, entry)
		if (proto_send_path(ib, wp) == -1)
			return (-1);
	STAILQ_FOREACH(port, &wc->ports, entry)
		if (proto_send_port(ib, port) == -1)
			return (-1);
	for (i = 0; i < wc->nchanges; i++)
		if (proto_send_syscall(ib, &wc->changes[i]) == -1)
			return (-1);
	for (i = 0; i < wc->argc; i++)
		if (proto_send_string(ib, IMSG_CONF_ARG, wc->argv[i]) == -1)
			return (-1);
	for (i = 0; i < wc->envc; i++)
		if (proto_send_string(ib, IMSG_CONF_ENV, wc->envp[i]) == -1)
			return (-1);
	for (i = 0; i < wc->npassfds; i++) {
		if ((fd = fcntl(wc->passfds[i].fd, F_DUPFD_CLOEXEC,
		    3)) == -1)
			return (-1);
		if (proto_send_int(ib, IMSG_CONF_PASSFD,
		    wc->passfds[i].number, fd) == -1)
			return (-1);
	}
	return (0);
}

/* The two trees that the supervisor looks names up in. */
static int
configure_view(struct imsgbuf *ib)
{
	char	*name;
	int	 branch, lower, ret;

	if ((lower = fcntl(run.branch.lower, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    proto_send_place(ib, IMSG_CONF_LOWER, run.branch.workdir,
	    lower) == -1)
		return (-1);
	if (asprintf(&name, "%s/%s", run.branch.storage, run.branch.name) ==
	    -1)
		return (-1);
	if ((branch = fcntl(run.branch.fd, F_DUPFD_CLOEXEC, 3)) == -1)
		ret = -1;
	else
		ret = proto_send_place(ib, IMSG_CONF_UPPER, name, branch);
	free(name);
	return (ret);
}

/*
 * Where names are looked at anyway, the fresh directory is /tmp as well, unless
 * the policy grants that one.
 */
static int
configure_tmp(struct imsgbuf *ib)
{
	const struct policy_path	*pp;
	char				*name;
	int				 ret;

	if (!run.policy->private_tmp || run.private_dir == NULL)
		return (0);
	TAILQ_FOREACH(pp, &run.policy->paths, entry)
		if (strcmp(pp->path, "/tmp") == 0)
			return (0);
	if (asprintf(&name, "%s/tmp", run.private_dir) == -1)
		return (-1);
	ret = proto_send_string(ib, IMSG_CONF_TMP, name);
	free(name);
	return (ret);
}

static int
configure_supervisor(void)
{
	const struct workload_conf	*wc = &run.conf;
	struct imsgbuf			*ib;

	ib = &run.workers[WORKER_SUPERVISOR].iev.ibuf;
	if (proto_send_workload(ib, wc) == -1 ||
	    configure_supervisor_lists(ib) == -1)
		return (-1);
	if (wc->directory != NULL &&
	    proto_send_string(ib, IMSG_CONF_DIRECTORY, wc->directory) == -1)
		return (-1);
	if ((run.needs.view || run.needs.quota) && configure_view(ib) == -1)
		return (-1);
	if (run.needs.view && configure_tmp(ib) == -1)
		return (-1);
	return (proto_send_empty(ib, IMSG_CONF_END, -1));
}

/* A branch that a server has is compared as a whole. */
static int
configure_server(struct imsgbuf *ib)
{
	int	 fd;

	if ((fd = keeper_branch(run.branch.lower, run.branch.server,
	    O_RDONLY)) == -1)
		return (-1);
	return (proto_send_place(ib, IMSG_CONF_UPPER, run.branch.server, fd));
}

/* Where the branch is, and of what; cowd outlives us if we are killed. */
static int
configure_branch(struct imsgbuf *ib)
{
	struct proto_branch	 pb;
	int			 lock, lower, storage;

	pb.start = run.branch.start;
	/* The keeper of a server's branch sees to that. */
	pb.keep = run.branch.server != NULL || finish_keeps();
	if ((storage = fcntl(run.branch.storage_fd, F_DUPFD_CLOEXEC,
	    3)) == -1 || proto_send_place(ib, IMSG_CONF_STORAGE,
	    run.branch.name, storage) == -1)
		return (-1);
	if ((lower = fcntl(run.branch.lower, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    proto_send_branch(ib, &pb, lower) == -1)
		return (-1);
	if ((lock = fcntl(run.branch.lock, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    proto_send_empty(ib, IMSG_CONF_LOCK, lock) == -1)
		return (-1);
	return (run.branch.server == NULL ? 0 : configure_server(ib));
}

/*
 * Where a path has fewer rights than around it, cowd judges by all of them: it
 * is told what the policy says, not what a view leaves to Landlock.
 */
static int
configure_rights(struct imsgbuf *ib)
{
	const struct policy_path	*pp;
	struct workload_path		 wp;
	int				 ret;

	if (run.policy->holes == HOLES_NONE)
		return (0);
	memset(&wp, 0, sizeof(wp));
	TAILQ_FOREACH(pp, &run.policy->paths, entry) {
		wp.path = pp->path;
		wp.perms = pp->perms;
		wp.optional = pp->optional;
		if (proto_send_rights(ib, IMSG_CONF_RIGHTS, &wp) == -1)
			return (-1);
	}
	/* What is the run's own is granted besides. */
	wp.perms = PERM_MASK;
	wp.path = run.private_dir;
	if (wp.path != NULL &&
	    proto_send_rights(ib, IMSG_CONF_RIGHTS, &wp) == -1)
		return (-1);
	if (run.branch.fd != -1 && proto_send_string(ib, IMSG_CONF_TOP,
	    run.branch.workdir) == -1)
		return (-1);
	if (!run.needs.view)
		return (0);
	if (asprintf(&wp.path, "%s/%s", run.branch.storage,
	    run.branch.name) == -1)
		return (-1);
	ret = proto_send_rights(ib, IMSG_CONF_RIGHTS, &wp);
	free(wp.path);
	return (ret);
}

/* cowd learns the trees in which it may change something, and no more. */
static int
configure_cowd(void)
{
	struct imsgbuf		*ib = &run.workers[WORKER_COWD].iev.ibuf;
	struct workload_path	*wp;

	STAILQ_FOREACH(wp, &run.conf.paths, entry)
		if ((wp->perms & PERM_META) && proto_send_path(ib, wp) == -1)
			return (-1);
	if (configure_rights(ib) == -1)
		return (-1);
	if (cowd_has_branch() && configure_branch(ib) == -1)
		return (-1);
	if (run.needs.view && proto_send_empty(ib, IMSG_CONF_VIEW, -1) == -1)
		return (-1);
	return (proto_send_empty(ib, IMSG_CONF_END, -1));
}

/*
 * Tell cowd of the private directory before there is one: if this process is
 * killed from here on, cowd removes it.
 */
int
workers_private(void)
{
	struct imsgbuf	*ib = &run.workers[WORKER_COWD].iev.ibuf;

	if (run.private_dir == NULL || run.kernel_only)
		return (0);
	if (proto_send_string(ib, IMSG_CONF_PRIVATE, run.private_dir) == -1 ||
	    (imsgbuf_flush(ib) == -1 && errno != EPIPE)) {
		log_warn("cowd");
		return (-1);
	}
	return (0);
}

/* What cowd is to do with the branch; 0, or -1 when there is no cowd. */
int
workers_order(enum branch_order order)
{
	struct run_worker	*w = &run.workers[WORKER_COWD];

	if (w->iev.ibuf.fd == -1)
		return (-1);
	/* Nobody waits for it any more where it was moved. */
	if (w->pid != 0)
		(void)processor_free(&w->place, w->pid);
	if (proto_send_int(&w->iev.ibuf, IMSG_BRANCH, order, -1) == -1)
		fatal("branch");
	imsg_event_add(&w->iev);
	return (0);
}

/* The ports at which netd itself may connect, or bind. */
static int
configure_netd_ports(struct imsgbuf *ib, enum net_direction direction)
{
	bitstr_t		 admitted[NETPORTS_SIZE];
	struct workload_port	 port = { .direction = direction };
	uint32_t		 hi, lo = 0;

	if (netports_admitted(&run.policy->net, NET_TCP, direction,
	    admitted) == -1)
		return (-1);
	for (; netports_range(admitted, &lo, &hi); lo = hi + 1) {
		port.lo = (uint16_t)lo;
		port.hi = (uint16_t)hi;
		if (proto_send_port(ib, &port) == -1)
			return (-1);
	}
	return (0);
}

/* netd learns names, addresses and ports, and no path. */
static int
configure_netd(void)
{
	struct imsgbuf	*ib = &run.workers[WORKER_NETD].iev.ibuf;
	struct net_rule	*nr;

	/* Before the rules, which it needs twice. */
	if ((run.policy->resolver &&
	    proto_send_empty(ib, IMSG_CONF_RESOLVER, -1) == -1) ||
	    (run.policy->refresh &&
	    proto_send_empty(ib, IMSG_CONF_REFRESH, -1) == -1))
		return (-1);
	TAILQ_FOREACH(nr, &run.policy->net, entry)
		if (proto_send_rule(ib, nr) == -1)
			return (-1);
	if ((run.needs.connect && configure_netd_ports(ib, NET_OUT) == -1) ||
	    ((run.needs.bind || run.conf.filter.listen == FILTER_NOTIFY) &&
	    configure_netd_ports(ib, NET_IN) == -1))
		return (-1);
	if (run.needs.bind && proto_send_int(ib, IMSG_CONF_BIND,
	    run.policy->port_remap, -1) == -1)
		return (-1);
	return (proto_send_empty(ib, IMSG_CONF_END, -1));
}

/* Start a worker, if it is not there, and send it its configuration. */
static int
worker_configure(enum run_worker_name which, int (*configure)(void))
{
	struct run_worker	*w = &run.workers[which];

	if (w->pid == 0 && worker_exec(which) == -1)
		return (-1);
	if (configure() == -1) {
		log_warn("configuration of %s", w->name);
		return (-1);
	}
	imsg_event_add(&w->iev);
	return (0);
}

/*
 * Send each its configuration, the event loop what does not fit yet.  Only what
 * has to be known before the workload runs comes before the word that it may:
 * the other workers come up while it does.  0, or -1 after a message.
 */
int
workers_configure(void)
{
	if ((run.needs.cowd &&
	    configure_socket(WORKER_COWD, IMSG_SOCKET_COWD) == -1) ||
	    (run.needs.netd &&
	    configure_socket(WORKER_NETD, IMSG_SOCKET_NETD) == -1)) {
		log_warn("channel between workers");
		return (-1);
	}
	if (worker_configure(WORKER_SUPERVISOR, configure_supervisor) == -1 ||
	    (cowd_cleans() &&
	    worker_configure(WORKER_COWD, configure_cowd) == -1))
		return (-1);
	run_check_go();
	if (run.needs.cowd && !cowd_cleans() &&
	    worker_configure(WORKER_COWD, configure_cowd) == -1)
		return (-1);
	return (run.needs.netd ?
	    worker_configure(WORKER_NETD, configure_netd) : 0);
}

static __attribute__((__format__ (printf, 2, 3))) void
worker_broken(struct run_worker *w, const char *fmt, ...)
{
	va_list	 ap;
	char	 text[256];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (run.state != RUN_ENDING)
		log_warnx("%s: %s", w->name, text);
	imsg_event_close(&w->iev);
	run_failed(REASON_WORKER, EXIT_SANDLOCK);
}

/* A worker could not set itself up; what it says is the user's error. */
static void
worker_error(struct run_worker *w, struct imsg *imsg)
{
	char	*text;

	if (proto_recv_string(imsg, &text) == -1) {
		worker_broken(w, "bad error message");
		return;
	}
	/* Whether the command runs may wait to be read. */
	supervisor_first(w);
	if (run.state != RUN_ENDING)
		log_warnx("%s", text);
	free(text);
	run_failed(run.state == RUN_STARTING ? REASON_SETUP : REASON_WORKER,
	    EXIT_SANDLOCK);
}

/* Where a worker answers soonest: see near.c of the supervisor. */
static int
supervisor_near(enum run_worker_name which, struct imsg *imsg)
{
	struct run_worker	*w = &run.workers[which];
	int			 cpu;

	if (proto_recv_int(imsg, &cpu) == -1 || cpu < -1 || cpu >= CPU_SETSIZE)
		return (-1);
	if (w->pid == 0 ||
	    (run.state != RUN_STARTING && run.state != RUN_RUNNING))
		return (0);
	if ((cpu == -1 ? processor_free(&w->place, w->pid) :
	    processor_keep(&w->place, w->pid, cpu)) == -1)
		log_debug("%s: no choice of the processor", w->name);
	return (0);
}

static int
supervisor_life(struct imsg *imsg)
{
	struct proto_failure	 pf;
	struct proto_exit	 pe;
	struct proto_count	 pc;
	struct proto_denial	 pd;
	struct port_binding	 binding;
	int			 value;

	switch (imsg_get_type(imsg)) {
	case IMSG_STARTED:
		if (!run.workers[WORKER_SUPERVISOR].locked ||
		    proto_recv_int(imsg, &value) == -1 || value <= 1)
			return (-1);
		run_started(value);
		return (0);
	case IMSG_EXEC_FAILED:
		if (proto_recv_failure(imsg, &pf) == -1)
			return (-1);
		run_exec_failed(pf.error, pf.stage);
		return (0);
	case IMSG_SIGNALLED:
		if (imsg_get_len(imsg) != 0)
			return (-1);
		run_signalled();
		return (0);
	case IMSG_STOPPED:
		if (proto_recv_int(imsg, &value) == -1)
			return (-1);
		terminal_stopped(value);
		return (0);
	case IMSG_COUNT:
		if (proto_recv_count(imsg, &pc) == -1)
			return (-1);
		report_count(&pc);
		return (0);
	case IMSG_PORT:
		if (proto_recv_binding(imsg, &binding) == -1)
			return (-1);
		report_port(&binding);
		return (0);
	case IMSG_NEAR_COWD:
		return (supervisor_near(WORKER_COWD, imsg));
	case IMSG_NEAR_NETD:
		return (supervisor_near(WORKER_NETD, imsg));
	case IMSG_DENIAL:
		if (proto_recv_denial(imsg, &pd) == -1)
			return (-1);
		report_denial(&pd);
		return (0);
	case IMSG_EXITED:
		if (proto_recv_exit(imsg, &pe) == -1)
			return (-1);
		run_ended(&pe);
		return (0);
	}
	return (-1);
}

/* What cowd says while it acts on the branch. */
static int
cowd_branch(struct imsg *imsg)
{
	struct proto_change	 pc;
	struct proto_outcome	 po;

	if (run.state != RUN_FINISHING)
		return (-1);
	switch (imsg_get_type(imsg)) {
	case IMSG_BRANCH_PATH:
		return (finish_path(imsg));
	case IMSG_BRANCH_CHANGE:
		if (proto_recv_change(imsg, &pc) == -1 ||
		    finish_whole(&pc.path) == -1)
			return (-1);
		finish_change(&pc);
		free(pc.path);
		return (0);
	case IMSG_BRANCH_TEXT:
		finish_text(imsg);
		return (0);
	case IMSG_BRANCH_DONE:
		if (proto_recv_outcome(imsg, &po) == -1 ||
		    finish_whole(&po.path) == -1)
			return (-1);
		finish_outcome(&po);
		free(po.path);
		return (0);
	}
	return (-1);
}

/* Content of a file that the workload is to see; the supervisor shows it. */
static int
netd_virtual(struct run_worker *w, struct imsg *imsg, int fd)
{
	struct imsgev	*sup = &run.workers[WORKER_SUPERVISOR].iev;
	int		 which;

	if (w != &run.workers[WORKER_NETD] || !w->locked ||
	    proto_recv_int(imsg, &which) == -1 || which < 0 ||
	    which >= VIRTUAL_MAX)
		return (-1);
	if (!run.needs.hosts || sup->ibuf.fd == -1) {
		close(fd);
		return (0);
	}
	if (proto_send_int(&sup->ibuf, IMSG_VIRTUAL, which, fd) == -1)
		fatal("%s", proto_name(IMSG_VIRTUAL));
	imsg_event_add(sup);
	return (0);
}

/* One message; -1 when this worker may not say that now. */
static int
worker_imsg(struct run_worker *w, struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_LOCKED:
		if (w->locked || proto_recv_empty(imsg) == -1)
			return (-1);
		w->locked = 1;
		return (0);
	case IMSG_READY:
		if (w != &run.workers[WORKER_NETD] || !w->locked ||
		    w->ready || proto_recv_empty(imsg) == -1)
			return (-1);
		w->ready = 1;
		run_check_go();
		return (0);
	case IMSG_ERROR:
		worker_error(w, imsg);
		return (0);
	}
	if (w == &run.workers[WORKER_COWD])
		return (cowd_branch(imsg));
	if (w != &run.workers[WORKER_SUPERVISOR])
		return (-1);
	return (supervisor_life(imsg));
}

/* Only one kind of message to the parent carries a descriptor. */
static int
worker_imsg_checked(struct run_worker *w, struct imsg *imsg)
{
	int	 fd, ret = -1;

	fd = imsg_get_fd(imsg);
	if (imsg_get_type(imsg) != IMSG_VIRTUAL && fd == -1)
		return (worker_imsg(w, imsg));
	if (imsg_get_type(imsg) == IMSG_VIRTUAL && fd != -1)
		ret = netd_virtual(w, imsg, fd);
	if (ret == -1 && fd != -1)
		close(fd);
	return (ret);
}

/* Every message that has arrived; -1 when the worker is broken or closed. */
static int
worker_messages(struct run_worker *w)
{
	struct imsg	 imsg;
	int		 n, ret;

	while ((n = imsgbuf_get(&w->iev.ibuf, &imsg)) == 1) {
		log_debug("%s from %s", proto_name(imsg_get_type(&imsg)),
		    w->name);
		if ((ret = worker_imsg_checked(w, &imsg)) == -1)
			worker_broken(w, "%s (%u) out of place",
			    proto_name(imsg_get_type(&imsg)),
			    imsg_get_type(&imsg));
		imsg_free(&imsg);
		if (ret == -1 || w->iev.ibuf.fd == -1)
			return (-1);
	}
	if (n == -1)
		worker_broken(w, "bad message");
	return (n);
}

/* Whether the channel has words, or its end, to read. */
static int
worker_readable(const struct run_worker *w)
{
	struct pollfd	 pfd = { .fd = w->iev.ibuf.fd, .events = POLLIN };

	return (w->iev.ibuf.fd != -1 && poll(&pfd, 1, 0) == 1);
}

/*
 * What the supervisor has said about the end comes before what other workers
 * do about it: they leave when it does.
 */
static void
supervisor_first(const struct run_worker *w)
{
	struct run_worker	*sup = &run.workers[WORKER_SUPERVISOR];

	while (w != sup && run.state != RUN_ENDING && worker_readable(sup))
		parent_dispatch_worker(sup, EV_READ);
}

/* One that has not come up, and has something to do; or NULL. */
const char *
workers_missing(void)
{
	int	 i;

	for (i = 0; i < WORKER_MAX; i++)
		if (run.workers[i].pid != 0 && !run.workers[i].locked &&
		    !worker_may_go(&run.workers[i]))
			return (run.workers[i].name);
	return (NULL);
}

/* What the supervisor has said by now. */
void
workers_hear(void)
{
	supervisor_first(NULL);
}

/* Without a workload only cowd has something left to do. */
static int
worker_may_go(const struct run_worker *w)
{
	return (run.state == RUN_ENDING || (run.state == RUN_FINISHING &&
	    w != &run.workers[WORKER_COWD]));
}

static void
parent_dispatch_worker(struct run_worker *w, short event)
{
	struct timeval	 tv = { WORKER_GONE_SECONDS, 0 };
	int		 open = 1;

	if ((event & EV_WRITE) && imsgbuf_write(&w->iev.ibuf) == -1 &&
	    errno != EPIPE && errno != ETOOMANYREFS) {
		worker_broken(w, "channel: %s", strerror(errno));
		return;
	}
	if ((event & EV_READ) &&
	    (open = imsgbuf_read(&w->iev.ibuf)) == -1) {
		worker_broken(w, "channel: %s", strerror(errno));
		return;
	}
	if (worker_messages(w) == -1)
		return;
	if (open) {
		imsg_event_add(&w->iev);
		return;
	}
	imsg_event_close(&w->iev);
	supervisor_first(w);
	/* Its exit, which follows, tells why. */
	if (!worker_may_go(w))
		evtimer_add(&w->gone, &tv);
}

static void
parent_dispatch_supervisor(int fd, short event, void *arg)
{
	(void)fd;
	(void)arg;
	parent_dispatch_worker(&run.workers[WORKER_SUPERVISOR], event);
}

static void
parent_dispatch_cowd(int fd, short event, void *arg)
{
	(void)fd;
	(void)arg;
	parent_dispatch_worker(&run.workers[WORKER_COWD], event);
}

static void
parent_dispatch_netd(int fd, short event, void *arg)
{
	(void)fd;
	(void)arg;
	parent_dispatch_worker(&run.workers[WORKER_NETD], event);
}

static struct run_worker *
worker_by_pid(pid_t pid)
{
	int	 i;

	for (i = 0; i < WORKER_MAX; i++)
		if (run.workers[i].pid == pid)
			return (&run.workers[i]);
	return (NULL);
}

static void
worker_killed(struct run_worker *w, int sig)
{
	log_warnx("%s: killed by signal %d%s", w->name, sig,
	    sig == SIGSYS ? " (a system call it may not make)" : "");
	run_failed(REASON_WORKER, EXIT_SANDLOCK);
}

static void
worker_changed(struct run_worker *w, int status)
{
	struct timeval	 tv = { WORKER_STOPPED_SECONDS, 0 };
	struct timeval	 reason = { 0, WORKER_REASON_US };

	if (WIFSTOPPED(status)) {
		evtimer_add(&w->stopped, &tv);
		return;
	}
	if (WIFCONTINUED(status)) {
		evtimer_del(&w->stopped);
		return;
	}
	w->pid = 0;
	evtimer_del(&w->stopped);
	evtimer_del(&w->gone);
	/* Its last words may still be in the channel; they come first. */
	while (worker_readable(w))
		parent_dispatch_worker(w, EV_READ);
	evtimer_del(&w->gone);
	supervisor_first(w);
	if (worker_may_go(w))
		return;
	/* Who exits does so because another one is gone, which tells why. */
	if (WIFSIGNALED(status))
		worker_killed(w, WTERMSIG(status));
	else
		evtimer_add(&w->gone, &reason);
}

/* Without its keeper nobody can end the branch. */
static void
keeper_lost(pid_t pid)
{
	tree_foreign_gone(pid);
	if (run.state == RUN_ENDING)
		return;
	log_warnx("the keeper of the branch is gone");
	run_failed(REASON_WORKER, EXIT_SANDLOCK);
}

/* Every child that has changed; orphans of a lost supervisor among them. */
void
workers_reap(void)
{
	struct run_worker	*w;
	pid_t			 pid;
	int			 status;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED |
	    WCONTINUED)) > 0) {
		if ((w = worker_by_pid(pid)) != NULL)
			worker_changed(w, status);
		else if (run.kernel_only && pid == run.workload.pid)
			run_child(status);
		else if (!WIFSTOPPED(status) && !WIFCONTINUED(status) &&
		    keeper_gone(pid))
			keeper_lost(pid);
		else if (!WIFSTOPPED(status) && !WIFCONTINUED(status))
			tree_foreign_gone(pid);
	}
	if (run.state == RUN_ENDING && ((pid == -1 && errno == ECHILD) ||
	    (pid == 0 && tree_foreign_only())))
		event_loopexit(NULL);
}

/* Their order to finish. */
void
workers_close(void)
{
	int	 i;

	for (i = 0; i < WORKER_MAX; i++)
		if (run.workers[i].name != NULL)
			imsg_event_close(&run.workers[i].iev);
}

/*
 * Everything below us, workers included.  Without a signal scope of our own a
 * tree that forks faster than it is walked needs several tries: the caller
 * repeats this until nobody is left.
 */
void
workers_kill(void)
{
	if (tree_signal_domain(SIGKILL) == -1 && errno == EPERM &&
	    tree_signal(getpid(), SIGKILL) == -1)
		log_warn("/proc");
}
