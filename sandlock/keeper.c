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
 * The keeper of a branchfs branch, seen from the parent, which asks it to make
 * the branch before anything is started, and at the end, when everything else
 * is gone, to commit or to abort it.  What the parent waits for is the channel
 * and not the server, so that it can give up: a server that does not answer
 * holds the keeper, which no signal ends then, and nobody else.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "branchfs.h"
#include "keeper.h"
#include "log.h"
#include "run.h"
#include "tree.h"

#define KEEPER_SECONDS	10	/* a branch is made, or aborted */
#define COMMIT_SECONDS	600	/* much may have to be copied */
#define KEEPER_EXIT_MS	1000	/* from the end of its channel to its own */

static struct imsgbuf	 keeper;
static pid_t		 keeper_pid;
static int		 keeper_open;

static const int	 keeper_signums[] = {
	SIGINT, SIGTERM, SIGQUIT, SIGHUP
};
#define KEEPER_NSIGNALS	(sizeof(keeper_signums) / sizeof(keeper_signums[0]))

static struct sigaction		 keeper_old[KEEPER_NSIGNALS];
static sigset_t			 keeper_mask;
static volatile sig_atomic_t	 keeper_signal;

static void
keeper_interrupt(int sig)
{
	keeper_signal = sig;
}

/* Who waits for us may say that it is enough. */
static void
keeper_signals(void)
{
	struct sigaction	 sa;
	sigset_t		 set;
	size_t			 i;

	keeper_signal = 0;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = keeper_interrupt;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&set);
	for (i = 0; i < KEEPER_NSIGNALS; i++) {
		/* As under nohup(1). */
		if (sigaction(keeper_signums[i], NULL, &keeper_old[i]) == 0 &&
		    (keeper_signums[i] != SIGHUP ||
		    keeper_old[i].sa_handler != SIG_IGN))
			sigaction(keeper_signums[i], &sa, NULL);
		sigaddset(&set, keeper_signums[i]);
	}
	/* They come while we wait, and not right before. */
	sigprocmask(SIG_BLOCK, &set, &keeper_mask);
}

static void
keeper_signals_end(void)
{
	size_t	 i;

	for (i = 0; i < KEEPER_NSIGNALS; i++)
		sigaction(keeper_signums[i], &keeper_old[i], NULL);
	sigprocmask(SIG_SETMASK, &keeper_mask, NULL);
}

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000LL + ts.tv_nsec / 1000000);
}

static void
keeper_close(void)
{
	if (!keeper_open)
		return;
	close(keeper.fd);
	imsgbuf_clear(&keeper);
	keeper_open = 0;
}

/*
 * It ends when its channel does.  One that the server holds is left behind: it
 * finishes, with nobody to tell, when there is an answer.
 */
static void
keeper_reap(void)
{
	int64_t	 end = now_ms() + KEEPER_EXIT_MS;
	pid_t	 pid = 0;

	keeper_close();
	while (keeper_pid != 0 && (pid = waitpid(keeper_pid, NULL,
	    WNOHANG)) == 0 && now_ms() < end)
		poll(NULL, 0, 1);
	if (keeper_pid != 0 && pid != 0)
		tree_foreign_gone(keeper_pid);
	keeper_pid = 0;
}

/* One message within that time; 0, or -1 and errno. */
static int
keeper_wait(struct imsg *imsg, int seconds)
{
	struct pollfd	 pfd = { .fd = keeper.fd, .events = POLLIN };
	struct timespec	 ts;
	sigset_t	 none;
	int64_t		 end = now_ms() + seconds * 1000LL, left;
	int		 n;

	sigemptyset(&none);
	while ((n = imsgbuf_get(&keeper, imsg)) == 0) {
		if ((left = end - now_ms()) <= 0) {
			errno = ETIMEDOUT;
			return (-1);
		}
		if (keeper_signal != 0) {
			errno = EINTR;
			return (-1);
		}
		ts.tv_sec = left / 1000;
		ts.tv_nsec = left % 1000 * 1000000;
		if (ppoll(&pfd, 1, &ts, &none) != 1)
			continue;
		if ((n = imsgbuf_read(&keeper)) == 0)
			errno = EPIPE;
		if (n != 1)
			return (-1);
	}
	return (n == 1 ? 0 : -1);
}

static int
keeper_spawn(void)
{
	int	 error, pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1)
		return (-1);
	error = workers_exec("cowd", "-k", pair[1], &keeper_pid);
	close(pair[1]);
	if (error != 0) {
		keeper_pid = 0;
		close(pair[0]);
		errno = error;
		return (-1);
	}
	if (imsgbuf_init(&keeper, pair[0]) == -1) {
		close(pair[0]);
		return (-1);
	}
	keeper_open = 1;
	imsgbuf_allow_fdpass(&keeper);
	if (imsgbuf_set_maxsize(&keeper, PROTO_MAXSIZE) == -1)
		return (-1);
	/* It is not of the tree that is waited for and killed at the end. */
	return (tree_foreign_add(keeper_pid));
}

static int
keeper_configure(const struct branch_dir *b, int keep)
{
	struct proto_branch	 pb;
	int			 lock, lower, storage;

	memset(&pb, 0, sizeof(pb));
	pb.keep = keep;
	if ((storage = fcntl(b->storage_fd, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    proto_send_place(&keeper, IMSG_CONF_STORAGE, b->name, storage) ==
	    -1)
		return (-1);
	if ((lower = fcntl(b->lower, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    proto_send_branch(&keeper, &pb, lower) == -1)
		return (-1);
	if ((lock = fcntl(b->lock, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    proto_send_empty(&keeper, IMSG_CONF_LOCK, lock) == -1)
		return (-1);
	if (b->server != NULL && proto_send_string(&keeper, IMSG_CONF_SERVER,
	    b->server) == -1)
		return (-1);
	if (proto_send_empty(&keeper, IMSG_CONF_END, -1) == -1)
		return (-1);
	return (imsgbuf_flush(&keeper));
}

/* The branch is there: its id, which is checked here once more. */
static int
keeper_ready(struct branch_dir *b, struct imsg *imsg)
{
	char	 id[BRANCHFS_ID_SIZE], *text;

	memset(id, 0, sizeof(id));
	if (proto_recv_string(imsg, &text) == -1)
		return (-1);
	if (strlcpy(id, text, sizeof(id)) >= sizeof(id) || !branchfs_id(id) ||
	    (b->server != NULL && strcmp(b->server, id) != 0)) {
		free(text);
		errno = EBADMSG;
		return (-1);
	}
	free(b->server);
	b->server = text;
	return (0);
}

static int
keeper_first(struct branch_dir *b, struct imsg *imsg)
{
	struct proto_outcome	 po;

	switch (imsg_get_type(imsg)) {
	case IMSG_READY:
		if (keeper_ready(b, imsg) == 0)
			return (0);
		break;
	case IMSG_BRANCH_DONE:
		if (proto_recv_outcome(imsg, &po) == -1)
			break;
		free(po.path);
		log_warnx("--workdir %s: %s: %s", b->workdir, po.what,
		    strerror(po.error));
		errno = po.error;
		return (-1);
	}
	log_warnx("cowd: bad message");
	errno = EBADMSG;
	return (-1);
}

static void
keeper_silent(const struct branch_dir *b)
{
	if (errno == ETIMEDOUT)
		log_warnx("--workdir %s: branchfs does not answer", b->workdir);
	else if (errno == EINTR)
		/* As a signal that comes before the workload runs. */
		run.exit_status = 128 + keeper_signal;
	else
		log_warn("--workdir %s: branchfs: the keeper of the branch",
		    b->workdir);
}

int
keeper_begin(struct branch_dir *b, int keep)
{
	struct imsg	 imsg;
	int		 ret = -1, saved_errno;

	keeper_signals();
	if (keeper_spawn() == -1 || keeper_configure(b, keep) == -1) {
		log_warn("cowd");
		keeper_reap();
	} else if (keeper_wait(&imsg, KEEPER_SECONDS) == 0) {
		if ((ret = keeper_first(b, &imsg)) == -1) {
			saved_errno = errno;
			keeper_reap();
			errno = saved_errno;
		}
		imsg_free(&imsg);
	} else {
		saved_errno = errno;
		keeper_silent(b);
		keeper_close();
		errno = saved_errno;
	}
	saved_errno = errno;
	keeper_signals_end();
	errno = saved_errno;
	return (ret);
}

int
keeper_there(void)
{
	return (keeper_open);
}

int
keeper_gone(pid_t pid)
{
	if (pid != keeper_pid || keeper_pid == 0)
		return (0);
	keeper_pid = 0;
	return (1);
}

int
keeper_order(enum branch_order order, struct proto_outcome *po)
{
	struct imsg	 imsg;
	int		 ret = -1, saved_errno;

	keeper_signals();
	if (proto_send_int(&keeper, IMSG_BRANCH, order, -1) == 0 &&
	    imsgbuf_flush(&keeper) == 0 && keeper_wait(&imsg,
	    order == ORDER_COMMIT ? COMMIT_SECONDS : KEEPER_SECONDS) == 0) {
		if (imsg_get_type(&imsg) == IMSG_BRANCH_DONE)
			ret = proto_recv_outcome(&imsg, po);
		else
			errno = EBADMSG;
		imsg_free(&imsg);
	}
	if (ret == 0) {
		free(po->path);
		po->path = NULL;
	}
	saved_errno = errno;
	if (ret == 0)
		keeper_reap();
	else
		keeper_close();
	keeper_signals_end();
	errno = saved_errno;
	return (ret);
}

void
keeper_leave(void)
{
	if (!keeper_open)
		return;
	/* One that is gone leaves it as well. */
	if (proto_send_int(&keeper, IMSG_BRANCH, ORDER_LEAVE, -1) == -1 ||
	    imsgbuf_flush(&keeper) == -1)
		log_debug("keeper: %s", strerror(errno));
	keeper_reap();
}

int
keeper_branch(int workdir, const char *id, int flags)
{
	struct open_how	 how;
	char		 name[1 + BRANCHFS_ID_SIZE];

	snprintf(name, sizeof(name), "@%s", id);
	memset(&how, 0, sizeof(how));
	how.flags = flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV |
	    RESOLVE_NO_MAGICLINKS;
	return ((int)syscall(SYS_openat2, workdir, name, &how, sizeof(how)));
}
