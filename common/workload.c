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
 * From fork to exec: the child gives itself up step by step and tells its
 * parent over a socket how far it came.  The order matters: what Landlock or
 * the filter would refuse comes before them, and nothing of the caller's
 * choosing runs after them but exec.
 */

#include <sys/types.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "landlock.h"
#include "lockdown.h"
#include "workload.h"

/*
 * What the child says: where it failed, or that it is ready, with the number
 * of its listener.  Without a listener it says nothing but by the end of the
 * socket, which exec closes.  The filter is on by then, and may notify every
 * call by which a descriptor could be sent: the supervisor takes it from the
 * child's table.
 */
struct workload_word {
	int	 stage;		/* STAGE_NONE: ready */
	int	 value;		/* errno, or the listener */
};

#define WORKLOAD_LIST_MAX	100000	/* elements of argv, envp */

static const char	*stage_names[] = {
	[STAGE_NONE] = "start",
	[STAGE_FORK] = "fork",
	[STAGE_TERMINAL] = "terminal",
	[STAGE_DIRECTORY] = "working directory",
	[STAGE_LIMITS] = "limits",
	[STAGE_LANDLOCK] = "landlock",
	[STAGE_FILTER] = "system call filter",
	[STAGE_EXEC] = "exec",
	[STAGE_KILLED] = "start"
};

const char *
workload_stage_name(enum workload_stage stage)
{
	if (stage > STAGE_KILLED)
		return ("unknown");
	return (stage_names[stage]);
}

void
workload_conf_init(struct workload_conf *wc)
{
	memset(wc, 0, sizeof(*wc));
	STAILQ_INIT(&wc->paths);
	STAILQ_INIT(&wc->ports);
}

int
workload_add_path(struct workload_conf *wc, const char *path,
    unsigned int perms, int optional)
{
	struct workload_path	*wp;

	if ((wp = calloc(1, sizeof(*wp))) == NULL)
		return (-1);
	if ((wp->path = strdup(path)) == NULL) {
		free(wp);
		return (-1);
	}
	wp->perms = wp->rule = perms;
	wp->optional = optional;
	STAILQ_INSERT_TAIL(&wc->paths, wp, entry);
	return (0);
}

int
workload_add_port(struct workload_conf *wc, enum net_direction direction,
    uint16_t lo, uint16_t hi)
{
	struct workload_port	*wp;

	if ((wp = calloc(1, sizeof(*wp))) == NULL)
		return (-1);
	wp->direction = direction;
	wp->lo = lo;
	wp->hi = hi;
	STAILQ_INSERT_TAIL(&wc->ports, wp, entry);
	return (0);
}

int
workload_add_change(struct workload_conf *wc, int nr, int permit)
{
	struct filter_change	*changes;

	if ((changes = recallocarray(wc->changes, wc->nchanges,
	    wc->nchanges + 1, sizeof(*changes))) == NULL)
		return (-1);
	changes[wc->nchanges].nr = nr;
	changes[wc->nchanges].permit = permit;
	wc->changes = changes;
	wc->nchanges++;
	return (0);
}

/* Append to a NULL-terminated list that grows by doubling. */
static int
list_add(char ***list, size_t *n, const char *s)
{
	char	**grown, *copy;

	if (*n >= WORKLOAD_LIST_MAX) {
		errno = E2BIG;
		return (-1);
	}
	if ((copy = strdup(s)) == NULL)
		return (-1);
	if (*n == 0 || (*n & (*n + 1)) == 0) {
		/* n + 1 slots are full: 1, 2, 4, 8 ... */
		if ((grown = reallocarray(*list, 2 * (*n + 1),
		    sizeof(*grown))) == NULL) {
			free(copy);
			return (-1);
		}
		*list = grown;
	}
	(*list)[(*n)++] = copy;
	(*list)[*n] = NULL;
	return (0);
}

int
workload_add_arg(struct workload_conf *wc, const char *arg)
{
	return (list_add(&wc->argv, &wc->argc, arg));
}

int
workload_add_env(struct workload_conf *wc, const char *env)
{
	return (list_add(&wc->envp, &wc->envc, env));
}

int
workload_add_passfd(struct workload_conf *wc, int number, int fd)
{
	struct workload_passfd	*passfds;

	if ((passfds = recallocarray(wc->passfds, wc->npassfds,
	    wc->npassfds + 1, sizeof(*passfds))) == NULL)
		return (-1);
	passfds[wc->npassfds].number = number;
	passfds[wc->npassfds].fd = fd;
	wc->passfds = passfds;
	wc->npassfds++;
	return (0);
}

/* Tell the parent; send(2) without an address is never notified. */
static int
word_send(int sync, int stage, int value)
{
	struct workload_word	 word = { stage, value };

	return (send(sync, &word, sizeof(word), MSG_NOSIGNAL) ==
	    sizeof(word) ? 0 : -1);
}

/* One word from the child: 1, 0 at its end, -1 and errno. */
static int
word_recv(int sync, struct workload_word *word)
{
	struct iovec	 iov = { word, sizeof(*word) };
	struct msghdr	 msg;
	ssize_t		 n;

	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	while ((n = recvmsg(sync, &msg, MSG_DONTWAIT)) == -1 &&
	    errno == EINTR)
		continue;
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		return (0);
	if (n == -1)
		return (-1);
	if (n != sizeof(*word)) {
		errno = EBADMSG;
		return (-1);
	}
	return (1);
}

/* A descriptor of the child, close-on-exec; -1 and errno. */
static int
word_listener(const struct workload *w, int number)
{
	int	 error, fd, pidfd;

	if ((pidfd = syscall(SYS_pidfd_open, w->pid, 0)) == -1)
		return (-1);
	fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);
	error = errno;
	close(pidfd);
	errno = error;
	return (fd);
}

static void
child_signals(void)
{
	sigset_t	 none;
	int		 sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A group of its own; in the foreground when the terminal is all ours. */
static int
child_terminal(const struct workload_conf *wc)
{
	sigset_t	 ttou;
	int		 ret;

	if (setpgid(0, 0) == -1)
		return (-1);
	if (!wc->terminal)
		return (0);
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, NULL);
	ret = tcsetpgrp(STDIN_FILENO, getpid());
	sigprocmask(SIG_UNBLOCK, &ttou, NULL);
	return (ret);
}

static int
child_limits(const struct workload_conf *wc)
{
	struct rlimit	 none = { 0, 0 };

	if (wc->no_coredump && setrlimit(RLIMIT_CORE, &none) == -1)
		return (-1);
	/*
	 * With a quota the supervisor writes to files in the workload's place:
	 * where the call is let through after all, as its descriptor was none
	 * of a file then, the kernel writes nothing and copies nothing up.
	 */
	if (wc->filter.quota && setrlimit(RLIMIT_FSIZE, &none) == -1)
		return (-1);
	if (wc->no_huge_pages &&
	    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == -1)
		return (-1);
	if (wc->no_randomize_memory &&
	    personality(ADDR_NO_RANDOMIZE) == -1)
		return (-1);
	if (wc->cpu_set &&
	    sched_setaffinity(0, sizeof(wc->cpus), &wc->cpus) == -1)
		return (-1);
	return (0);
}

/*
 * Everything above 2 is closed by exec but the descriptors to be passed.  They
 * and the socket to the parent are first moved out of the way of the numbers
 * that they are to have.  Returns the socket's new number or -1.
 */
static int
child_descriptors(const struct workload_conf *wc, int sync)
{
	size_t	 i;
	int	 fd, *moved, top = 3;

	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == -1)
		return (-1);
	if (wc->npassfds == 0)
		return (sync);
	for (i = 0; i < wc->npassfds; i++)
		if (wc->passfds[i].number >= top)
			top = wc->passfds[i].number + 1;
	if ((sync = fcntl(sync, F_DUPFD_CLOEXEC, top)) == -1)
		return (-1);
	if ((moved = calloc(wc->npassfds, sizeof(*moved))) == NULL)
		return (-1);
	for (i = 0; i < wc->npassfds; i++) {
		fd = wc->passfds[i].fd;
		if ((moved[i] = fcntl(fd, F_DUPFD_CLOEXEC, top)) == -1)
			return (-1);
	}
	for (i = 0; i < wc->npassfds; i++)
		if (dup2(moved[i], wc->passfds[i].number) == -1)
			return (-1);
	free(moved);
	return (sync);
}

/* Every step up to the filter; returns the stage that failed. */
static enum workload_stage
child_confine(const struct workload_conf *wc, enum workload_domain domain,
    const struct sock_fprog *prog, int *listener)
{
	const char	*what;

	if (child_terminal(wc) == -1)
		return (STAGE_TERMINAL);
	if (wc->directory != NULL && chdir(wc->directory) == -1)
		return (STAGE_DIRECTORY);
	if (child_limits(wc) == -1)
		return (STAGE_LIMITS);
	if (landlock_workload(wc, domain, &what) == -1)
		return (STAGE_LANDLOCK);
	if (filter_install(prog, listener) == -1)
		return (STAGE_FILTER);
	return (STAGE_NONE);
}

static __attribute__((__noreturn__)) void
child_main(const struct workload_conf *wc, enum workload_domain domain,
    const struct sock_fprog *prog, int listen, int sync, pid_t parent)
{
	enum workload_stage	 stage;
	int			 listener = -1;
	char			 go;

	child_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		_exit(1);
	if ((sync = child_descriptors(wc, sync)) == -1)
		_exit(1);
	stage = child_confine(wc, domain, prog, listen ? &listener : NULL);
	if (stage != STAGE_NONE) {
		word_send(sync, stage, errno);
		_exit(1);
	}
	if (listener != -1 && word_send(sync, STAGE_NONE, listener) == -1)
		_exit(1);
	if (read(sync, &go, 1) != 1)
		_exit(1);	/* the run ends before it began */
	/* It was taken before that was said. */
	if (listener != -1)
		close(listener);
	environ = wc->envp;
	execvp(wc->argv[0], wc->argv);
	word_send(sync, STAGE_EXEC, errno);
	_exit(1);
}

int
workload_needs_call(int nr)
{
	return (nr == SYS_sendto || nr == SYS_close || nr == SYS_read ||
	    nr == SYS_execve || nr == SYS_exit_group);
}

int
workload_fork(struct workload *w, const struct workload_conf *wc,
    enum workload_domain domain, const struct sock_fprog *prog, int listen)
{
	pid_t	 parent = getpid();
	int	 pair[2], saved_errno;

	w->ready = !listen;
	w->go = 0;
	w->sync = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return (-1);
	if ((w->pid = fork()) == 0) {
		close(pair[0]);
		child_main(wc, domain, prog, listen, pair[1], parent);
	}
	saved_errno = errno;
	close(pair[1]);
	if (w->pid == -1) {
		close(pair[0]);
		errno = saved_errno;
		return (-1);
	}
	w->sync = pair[0];
	return (0);
}

void
workload_go(struct workload *w)
{
	w->go = 1;
	if (!w->ready)
		return;		/* the child has what is still to be taken */
	/* A failure shows as the end of the socket: nothing was exec'd. */
	if (write(w->sync, "g", 1) == -1)
		return;
}

enum workload_news
workload_hear(struct workload *w, int *listener, enum workload_stage *stage)
{
	struct workload_word	 word;
	int			 n;

	*stage = STAGE_EXEC;
	*listener = -1;
	if ((n = word_recv(w->sync, &word)) == -1)
		return (errno == EAGAIN ? WORKLOAD_NOTHING : WORKLOAD_FAILED);
	if (n == 0 && w->ready)
		return (WORKLOAD_RUNNING);
	if (n == 1 && word.stage != STAGE_NONE) {
		*stage = word.stage;
		errno = word.value;
		return (WORKLOAD_FAILED);
	}
	*stage = STAGE_FILTER;
	if (n == 1 && !w->ready) {
		if ((*listener = word_listener(w, word.value)) == -1) {
			/* Or its descriptors: it dies. */
			if (errno == ESRCH || errno == EBADF)
				errno = ECHILD;
			return (WORKLOAD_FAILED);
		}
		w->ready = 1;
		if (w->go)
			workload_go(w);
		return (WORKLOAD_READY);
	}
	/* It died, or said what it never says. */
	errno = ECHILD;
	return (WORKLOAD_FAILED);
}
