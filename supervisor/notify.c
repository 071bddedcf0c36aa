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
 * The notification engine.  The listener is read when the loop says that a
 * request waits (a RECV after that does not block: the kernel counts every
 * request, also one whose task has died since, and then answers ENOENT).  A
 * handler answers at once or parks the request until a worker or a timer does.
 * Nothing here blocks, and every path ends in exactly one answer: an errno when
 * anything is in doubt.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <sys/tree.h>

#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "inject.h"
#include "log.h"
#include "supervisor.h"
#include "worker.h"

#define NOTIFY_TAKEN		32	/* received in advance */
#define NOTIFY_SWEEP_SECONDS	1	/* look for parked calls of the dead */

RB_HEAD(requests, request);

static int		 request_cmp(struct request *, struct request *);
RB_PROTOTYPE_STATIC(requests, request, entry, request_cmp)

static void		 notify_handle(struct request *);

static struct requests	 parked = RB_INITIALIZER(&parked);
static struct event	 notify_event;
static struct event	 notify_sweep_timer;
static int		 notify_fd = -1;
static uint32_t		 notify_seq;
static size_t		 notify_parked;
static struct request	 taken[NOTIFY_TAKEN];
static size_t		 notify_taken;	/* 0: none is being handled */
static uint64_t		 notify_count[SYSCALL_LAST + 1];

/* Who handles a class; CLASS_NONE never comes here. */
static void	(*const handlers[CLASS_MAX])(struct request *) = {
	[CLASS_FORK] = fork_request,
	[CLASS_CHMOD] = meta_request,
	[CLASS_CHOWN] = meta_request,
	[CLASS_UTIMES] = meta_request,
	[CLASS_SETXATTR] = meta_request,
	[CLASS_REMOVEXATTR] = meta_request,
	[CLASS_CONNECT] = socket_connect,
	[CLASS_LISTEN] = socket_listen,
	[CLASS_SOCKNAME] = remap_sockname,
	[CLASS_ACCEPT] = remap_accept,
	[CLASS_RECV] = remap_recv,
	[CLASS_SOCKET] = netlink_socket,
	[CLASS_SOCKOPT] = socket_option,
	[CLASS_IFREQ] = ifreq_request,
	[CLASS_SEND] = send_request,
	[CLASS_OPEN] = open_request,
	[CLASS_STAT] = look_stat,
	[CLASS_ACCESS] = look_access,
	[CLASS_READLINK] = look_readlink,
	[CLASS_GETXATTR] = look_getxattr,
	[CLASS_LISTXATTR] = look_listxattr,
	[CLASS_GETDENTS] = dents_request,
	[CLASS_STATFS] = look_statfs,
	[CLASS_WATCH] = stand_request,
	[CLASS_UNLINK] = mutate_request,
	[CLASS_RMDIR] = mutate_request,
	[CLASS_MKDIR] = mutate_request,
	[CLASS_MKNOD] = mutate_request,
	[CLASS_SYMLINK] = mutate_request,
	[CLASS_RENAME] = mutate_rename,
	[CLASS_LINK] = mutate_link,
	[CLASS_TRUNCATE] = mutate_request,
	[CLASS_CHDIR] = stand_request,
	[CLASS_GETCWD] = stand_getcwd,
	[CLASS_EXEC] = stand_request,
	[CLASS_BIND] = stand_bind,
	[CLASS_WRITE] = write_request,
	[CLASS_COPY] = copy_request,
	[CLASS_RESIZE] = resize_request
};

static int
request_cmp(struct request *a, struct request *b)
{
	return (a->seq < b->seq ? -1 : a->seq > b->seq);
}

RB_GENERATE_STATIC(requests, request, entry, request_cmp)

static void
notify_send(const struct request *rq, int error, int64_t value, uint32_t flags)
{
	struct seccomp_notif_resp	 resp;
	int				 ret;

	memset(&resp, 0, sizeof(resp));
	resp.id = rq->notif.id;
	resp.error = -error;
	resp.val = value;
	resp.flags = flags;
	while ((ret = ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_SEND,
	    &resp)) == -1 && errno == EINTR)
		continue;
	/* ENOENT: the task died while it waited, and needs no answer. */
	if (ret == -1 && errno != ENOENT)
		fatal("notification answer");
}

/* Answer with an errno; 0 makes the call return 0 without being made. */
void
notify_errno(const struct request *rq, int error)
{
	notify_send(rq, error, 0, 0);
}

/*
 * A duplicate of the descriptor that the call is about, for the caller to
 * close; -1 when the errno has been answered.
 */
int
notify_descriptor(const struct request *rq)
{
	int	 fd;

	fd = task_fd(rq->notif.pid, (int)rq->notif.data.args[rq->call->fd]);
	if (fd == -1)
		notify_errno(rq, errno);
	return (fd);
}

/* Answer with a result, the call's work having been done. */
void
notify_value(const struct request *rq, int64_t value)
{
	notify_send(rq, 0, value, 0);
}

/* Write the result into the caller's memory and answer with a value. */
void
notify_result(const struct request *rq, uint64_t addr, const void *buf,
    size_t len, int64_t value)
{
	if (!notify_valid(rq))
		return;
	if (memory_write(rq->notif.pid, addr, buf, len) == -1)
		notify_errno(rq, EFAULT);
	else
		notify_value(rq, value);
}

/* Answer with a descriptor that stays ours. */
void
notify_share(const struct request *rq, int fd, int cloexec)
{
	int	 number;

	if ((number = inject_fd(notify_fd, rq->notif.id, fd, cloexec)) == -1)
		notify_errno(rq, errno);
	else
		notify_value(rq, number);
}

/*
 * Answer with a descriptor, in two steps: ours is closed before the call
 * returns, for a program that was written is busy, and a lock held, as long as
 * it is not.  Only the end of the task comes in between: it waits killably.
 */
void
notify_give(const struct request *rq, int fd, int cloexec)
{
	int	 error, number;

	number = inject_fd(notify_fd, rq->notif.id, fd, cloexec);
	error = errno;
	close(fd);
	if (number == -1)
		notify_errno(rq, error);
	else
		notify_value(rq, number);
}

/*
 * Let the kernel make the call.  The kernel reads the arguments again, so each
 * caller says why a change of them in the meantime gains nothing.
 */
void
notify_continue(const struct request *rq)
{
	/* It comes again then, by a name that stays. */
	if (tmp_redirect(rq))
		return;
	switch (view_active() ? rq->call->class : CLASS_NONE) {
	case CLASS_CHDIR:
		task_moves(rq->notif.pid);
		break;
	case CLASS_SYMLINK:
	case CLASS_RENAME:
	case CLASS_LINK:
		/* Outside of the view: links come to names, or go. */
		task_unsettle(rq->notif.pid);
		break;
	default:
		break;
	}
	notify_send(rq, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/* Whether the task still waits: after reading from it, before acting for it. */
int
notify_valid(const struct request *rq)
{
	int	 ret;

	while ((ret = ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID,
	    &rq->notif.id)) == -1 && errno == EINTR)
		continue;
	return (ret == 0);
}

/* Move a request to the heap; NULL when out of memory (it was answered). */
struct request *
request_park(struct request *rq, enum request_owner owner)
{
	struct timeval	 tv = { NOTIFY_SWEEP_SECONDS, 0 };
	struct request	*copy;

	if ((copy = malloc(sizeof(*copy))) == NULL) {
		notify_errno(rq, ENOMEM);
		return (NULL);
	}
	*copy = *rq;
	copy->owner = owner;
	do {
		copy->seq = ++notify_seq;
	} while (RB_INSERT(requests, &parked, copy) != NULL);
	notify_parked++;
	rq->object = NULL;
	rq->paths[0] = rq->paths[1] = NULL;
	rq->fd = -1;
	if (!event_pending(&notify_sweep_timer, EV_TIMEOUT, NULL))
		evtimer_add(&notify_sweep_timer, &tv);
	return (copy);
}

/* How many calls wait for somebody. */
size_t
request_count(void)
{
	return (notify_parked);
}

/* A worker names what it was asked; anything else is a broken worker. */
struct request *
request_find(uint32_t seq)
{
	struct request	 key, *rq;

	key.seq = seq;
	if ((rq = RB_FIND(requests, &parked, &key)) == NULL)
		log_debug("answer to a request that is gone");
	return (rq);
}

/* Drop a parked request that has its answer. */
void
request_forget(struct request *rq)
{
	RB_REMOVE(requests, &parked, rq);
	notify_parked--;
	if (rq->owner == OWNER_TIMER || rq->watched)
		evtimer_del(&rq->timer);
	else if (rq->owner == OWNER_SOCKET)
		remap_forget(rq);
	else if (rq->owner == OWNER_WINDOW)
		window_leave(rq);
	if (rq->fd != -1)
		close(rq->fd);
	send_free(rq->sending);
	free(rq->object);
	free(rq->paths[0]);
	free(rq->paths[1]);
	free(rq);
}

/* Answer a parked request and forget it. */
void
request_done(struct request *rq, int error)
{
	notify_errno(rq, error);
	request_forget(rq);
}

/* Handle a parked request once more from its beginning. */
void
request_again(struct request *rq)
{
	struct request	 again = *rq;

	/* Its descriptor moves with it. */
	rq->fd = -1;
	request_forget(rq);
	again.owner = OWNER_NONE;
	again.object = NULL;
	again.sending = NULL;
	again.paths[0] = again.paths[1] = NULL;
	again.unmarked = again.asked = again.sent = again.watched = 0;
	again.moved = 0;
	again.gone_ino = 0;
	if (sup.ending)
		notify_errno(&again, EPERM);
	else if (notify_valid(&again))
		notify_handle(&again);
	if (again.fd != -1)
		close(again.fd);
}

/* There may be room now; who has to wait again comes behind the others. */
void
request_wake(void)
{
	struct request	*rq, *next;
	uint32_t	 last = notify_seq;

	for (rq = RB_MIN(requests, &parked); rq != NULL; rq = next) {
		next = RB_NEXT(requests, &parked, rq);
		if (rq->seq > last)
			break;
		if (rq->owner == OWNER_QUOTA)
			request_again(rq);
	}
}

/* A worker must not go on with a call whose caller has been killed. */
static void
notify_sweep(int fd, short event, void *arg)
{
	struct timeval	 tv = { NOTIFY_SWEEP_SECONDS, 0 };
	struct request	*rq, *next;

	(void)fd;
	(void)event;
	(void)arg;
	RB_FOREACH_SAFE(rq, requests, &parked, next) {
		/* A change that cowd was asked for is made and noted. */
		if (rq->sent || notify_valid(rq))
			continue;
		socket_cancel(rq, 0);
		request_forget(rq);
	}
	if (!RB_EMPTY(&parked))
		evtimer_add(&notify_sweep_timer, &tv);
}

/*
 * With --log-denials the filter sends its denials here as well; the program
 * without that says which errno the call would have had.
 */
static int
notify_denied(struct request *rq)
{
	uint32_t	 verdict;
	int		 error;

	if (sup.quiet.filter == NULL)
		return (0);
	verdict = bpf_eval(&sup.quiet, &rq->notif.data);
	if ((verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
		return (0);
	error = verdict & SECCOMP_RET_DATA;
	if ((verdict & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		error = EPERM;
	supervisor_denied(rq, error, "filter");
	notify_errno(rq, error);
	return (1);
}

/* Call the handler, and free what it leaves: parking takes it away. */
static void
notify_handle(struct request *rq)
{
	if (sup.conf.filter.netlink && netlink_request(rq))
		;	/* a socket of ours */
	else if (rq->call->class == CLASS_BIND && sup.conf.filter.bind)
		bind_request(rq);
	else if ((procnet_active() && procnet_request(rq)) ||
	    (virtual_active() && virtual_request(rq)) ||
	    (sup.conf.filter.holes != HOLES_NONE && hole_request(rq)))
		;	/* sent off, or answered */
	else if (mounted_active() && rq->call->class >= CLASS_OPEN &&
	    rq->call->class <= CLASS_BIND)
		mounted_request(rq);
	else
		handlers[rq->call->class](rq);
	free(rq->object);
	free(rq->paths[0]);
	free(rq->paths[1]);
	rq->object = rq->paths[0] = rq->paths[1] = NULL;
}

static void
notify_dispatch(struct request *rq)
{
	int	 nr = rq->notif.data.nr;

	if (nr >= 0 && nr <= SYSCALL_LAST)
		notify_count[nr]++;
	rewrite_made(rq);
	task_called(rq->notif.pid);
	if (sup.ending) {
		notify_errno(rq, EPERM);
		return;
	}
	if (notify_denied(rq))
		return;
	if ((rq->call = syscall_lookup(nr)) == NULL ||
	    handlers[rq->call->class] == NULL) {
		/* The filter and this table come from one source. */
		log_warnx("system call %d has no handler", nr);
		notify_errno(rq, ENOSYS);
		return;
	}
	notify_handle(rq);
}

/* The last filtered task is gone: the listener would poll HUP for ever. */
static int
notify_hung_up(void)
{
	struct pollfd	 pfd = { .fd = notify_fd, .events = POLLIN };

	return (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN) == 0);
}

/* Receive one; 0 when there was none after all. */
static int
notify_take(struct request *rq)
{
	memset(rq, 0, sizeof(*rq));
	rq->fd = -1;
	if (ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &rq->notif) == 0) {
		near_notified();
		return (1);
	}
	if (errno != ENOENT && errno != EINTR)
		fatal("notification");
	if (notify_hung_up())
		event_del(&notify_event);
	return (0);
}

/*
 * Something follows that takes its time: receive what waits.  Until that is
 * done a signal ends the call of a program that has not asked for its restart.
 * Who handles a call again, out of a timer or for an answer of cowd, receives
 * nothing: nobody would come to handle it.
 */
void
notify_collect(void)
{
	struct pollfd	 pfd = { .fd = notify_fd, .events = POLLIN };

	if (notify_taken == 0)
		return;
	while (notify_taken < NOTIFY_TAKEN && poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & POLLIN) != 0 && notify_take(&taken[notify_taken]))
		notify_taken++;
}

/*
 * One, and what is collected meanwhile; the loop asks for the next, in the same
 * call as for all else.
 */
static void
notify_recv(int fd, short event, void *arg)
{
	size_t	 i;

	(void)fd;
	(void)event;
	(void)arg;
	if (!notify_take(&taken[0]))
		return;
	notify_taken = 1;
	for (i = 0; i < notify_taken; i++)
		notify_dispatch(&taken[i]);
	notify_taken = 0;
}

void
notify_init(int fd)
{
	int	 dup;

	notify_fd = fd;
	/* Unknown before Linux 6.6, and then only slower. */
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == -1)
		log_debug("no synchronous wake-up");
	/* cowd gives the caller what it opens. */
	if (sup.conf.filter.view && sup.have_cowd) {
		if ((dup = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1 ||
		    proto_send_empty(&sup.cowd.ibuf, IMSG_LISTENER, dup) == -1)
			fatal("listener");
		imsg_event_add(&sup.cowd);
	}
	event_set(&notify_event, fd, EV_READ | EV_PERSIST, notify_recv, NULL);
	if (event_add(&notify_event, NULL) == -1)
		fatalx("event_add on the listener failed");
	evtimer_set(&notify_sweep_timer, notify_sweep, NULL);
}

/* How often each call came, for --status-fd. */
void
notify_counts(void)
{
	struct proto_count	 pc;
	int			 nr;

	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		if (notify_count[nr] == 0)
			continue;
		pc.nr = nr;
		pc.count = notify_count[nr];
		if (proto_send_count(&worker_parent.ibuf, &pc) == -1)
			fatal("count");
	}
}
