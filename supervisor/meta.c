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
 * Changes of metadata.  Landlock does not look at them, so each goes to cowd:
 * the supervisor copies the arguments, resolves the inode and sends both; cowd
 * finds out for itself whether the inode lies where the policy grants w or c,
 * and makes the change.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#include "log.h"
#include "supervisor.h"

/* The second argument of setxattrat(2). */
struct xattr_arguments {
	uint64_t	 value;
	uint32_t	 size;
	uint32_t	 flags;
};

static uint64_t
argument(const struct request *rq, int slot)
{
	return (rq->notif.data.args[slot]);
}

/* The calls below return 0 or an errno, which is what the caller gets. */

static int
meta_flags(const struct request *rq, int *flags)
{
	*flags = rq->call->nofollow ? AT_SYMLINK_NOFOLLOW : 0;
	if (rq->call->flags == SLOT_NONE)
		return (0);
	*flags = (int)argument(rq, rq->call->flags);
	if (*flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return (EINVAL);
	return (0);
}

/* A call by descriptor; one that only names a file will not do. */
static int
meta_descriptor(const struct request *rq, int number, int *fd)
{
	int	 flags;

	if ((*fd = task_fd(rq->notif.pid, number)) == -1)
		return (errno);
	if ((flags = fcntl(*fd, F_GETFL)) == -1 || (flags & O_PATH)) {
		close(*fd);
		return (EBADF);
	}
	return (0);
}

/* The inode that the call names. */
static int
meta_inode(const struct request *rq, int *fd)
{
	const struct syscall_entry	*call = rq->call;
	char				 path[PATH_MAX];
	int				 dirfd = AT_FDCWD, error, flags, xattr;

	if (call->path == SLOT_NONE)
		return (meta_descriptor(rq, (int)argument(rq, call->fd), fd));
	if ((error = meta_flags(rq, &flags)) != 0)
		return (error);
	if (call->dirfd != SLOT_NONE)
		dirfd = (int)argument(rq, call->dirfd);
	xattr = call->class == CLASS_SETXATTR ||
	    call->class == CLASS_REMOVEXATTR;
	if (argument(rq, call->path) == 0) {
		/* No name at all: the times of the descriptor itself. */
		if (call->class == CLASS_UTIMES && call->dirfd != SLOT_NONE &&
		    dirfd != AT_FDCWD)
			return (flags != 0 ? EINVAL :
			    meta_descriptor(rq, dirfd, fd));
		/* Only these calls take it for an empty one. */
		if (!xattr || (flags & AT_EMPTY_PATH) == 0)
			return (EFAULT);
		path[0] = '\0';
	} else if (memory_string(rq->notif.pid, argument(rq, call->path), path,
	    sizeof(path)) == -1)
		return (errno);
	/* And do not take a descriptor that only names a file. */
	if (xattr && path[0] == '\0' && (flags & AT_EMPTY_PATH) != 0 &&
	    dirfd != AT_FDCWD)
		return (meta_descriptor(rq, dirfd, fd));
	if ((*fd = resolve_at(rq, dirfd, path, flags)) == -1)
		return (errno);
	return (0);
}

static int
meta_timeval(const struct timeval *tv, struct timespec *ts)
{
	if (tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return (EINVAL);
	ts->tv_sec = tv->tv_sec;
	ts->tv_nsec = tv->tv_usec * 1000;
	return (0);
}

static int
meta_timespec(const struct timespec *ts)
{
	if (ts->tv_nsec == UTIME_NOW || ts->tv_nsec == UTIME_OMIT)
		return (0);
	return (ts->tv_nsec < 0 || ts->tv_nsec > 999999999 ? EINVAL : 0);
}

static int
meta_times(const struct request *rq, struct proto_meta *pm)
{
	uint64_t	 addr = argument(rq, rq->call->arg);
	pid_t		 pid = rq->notif.pid;
	struct utimbuf	 ut;
	struct timeval	 tv[2];

	pm->op = META_UTIMES;
	if (addr == 0) {
		pm->times_now = 1;
		return (0);
	}
	switch (rq->call->times) {
	case TIMES_UTIMBUF:
		if (memory_read(pid, addr, &ut, sizeof(ut)) == -1)
			return (errno);
		pm->times[0].tv_sec = ut.actime;
		pm->times[1].tv_sec = ut.modtime;
		return (0);
	case TIMES_TIMEVAL:
		if (memory_read(pid, addr, tv, sizeof(tv)) == -1)
			return (errno);
		if (meta_timeval(&tv[0], &pm->times[0]) != 0 ||
		    meta_timeval(&tv[1], &pm->times[1]) != 0)
			return (EINVAL);
		return (0);
	case TIMES_TIMESPEC:
		if (memory_read(pid, addr, pm->times, sizeof(pm->times)) == -1)
			return (errno);
		if (meta_timespec(&pm->times[0]) != 0 ||
		    meta_timespec(&pm->times[1]) != 0)
			return (EINVAL);
		return (0);
	case TIMES_NONE:
		break;
	}
	return (EINVAL);
}

static int
meta_xattr_name(const struct request *rq, struct proto_meta *pm)
{
	ssize_t	 n;

	n = memory_string(rq->notif.pid, argument(rq, rq->call->arg),
	    pm->xattr_name, sizeof(pm->xattr_name));
	if (n == -1)
		return (errno == ENAMETOOLONG ? ERANGE : errno);
	return (n == 0 ? ERANGE : 0);
}

/* As copy_struct_from_user() in the kernel: more is well if it is zero. */
static int
meta_xattr_arguments(const struct request *rq, int slot,
    struct xattr_arguments *xa)
{
	uint64_t	 addr = argument(rq, slot), i;
	uint64_t	 size = argument(rq, slot + 1);
	uint8_t		 more[4096];

	if (size < sizeof(*xa))
		return (EINVAL);
	if (size > sizeof(more))
		return (E2BIG);
	if (memory_read(rq->notif.pid, addr, more, size) == -1)
		return (errno);
	for (i = sizeof(*xa); i < size; i++)
		if (more[i] != 0)
			return (E2BIG);
	memcpy(xa, more, sizeof(*xa));
	return (0);
}

static int
meta_setxattr(const struct request *rq, struct proto_meta *pm)
{
	struct xattr_arguments	 xa;
	int			 error, slot = rq->call->arg;

	pm->op = META_SETXATTR;
	if ((error = meta_xattr_name(rq, pm)) != 0)
		return (error);
	if (rq->notif.data.nr == SYS_setxattrat) {
		if ((error = meta_xattr_arguments(rq, slot + 1, &xa)) != 0)
			return (error);
	} else {
		xa.value = argument(rq, slot + 1);
		if (argument(rq, slot + 2) > PROTO_XATTR_MAX)
			return (E2BIG);
		xa.size = argument(rq, slot + 2);
		xa.flags = argument(rq, slot + 3);
	}
	if (xa.flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return (EINVAL);
	if (xa.size > PROTO_XATTR_MAX)
		return (E2BIG);
	pm->xattr_flags = xa.flags;
	if ((pm->value_len = xa.size) == 0)
		return (0);
	if ((pm->value = malloc(pm->value_len)) == NULL)
		return (ENOMEM);
	if (memory_read(rq->notif.pid, xa.value, pm->value,
	    pm->value_len) == -1)
		return (errno);
	return (0);
}

static int
meta_arguments(const struct request *rq, struct proto_meta *pm)
{
	switch (rq->call->class) {
	case CLASS_CHMOD:
		pm->op = META_CHMOD;
		pm->mode = argument(rq, rq->call->arg) & 07777;
		return (0);
	case CLASS_CHOWN:
		pm->op = META_CHOWN;
		pm->uid = argument(rq, rq->call->arg);
		pm->gid = argument(rq, rq->call->arg + 1);
		return (0);
	case CLASS_UTIMES:
		return (meta_times(rq, pm));
	case CLASS_SETXATTR:
		return (meta_setxattr(rq, pm));
	case CLASS_REMOVEXATTR:
		pm->op = META_REMOVEXATTR;
		return (meta_xattr_name(rq, pm));
	default:
		return (ENOSYS);
	}
}

/* For the log of denials: what the descriptor is called now. */
static char *
meta_object(int fd)
{
	char	 link[64], text[PATH_MAX];
	ssize_t	 n;

	if (!sup.conf.filter.log_denials)
		return (NULL);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, text, sizeof(text) - 1)) == -1)
		return (NULL);
	text[n] = '\0';
	return (strdup(text));
}

/* Send it off; the descriptor is gone in any case. */
static void
meta_send(struct request *rq, int fd, const struct proto_meta *pm)
{
	struct request	*waiting;

	rq->object = meta_object(fd);
	if (!notify_valid(rq)) {
		/* Somebody else may have the caller's number by now. */
		close(fd);
		return;
	}
	if ((waiting = request_park(rq, OWNER_COWD)) == NULL) {
		close(fd);
		return;
	}
	if (proto_send_meta(&sup.cowd.ibuf, waiting->seq, fd, pm) == -1) {
		log_warn("meta");
		close(fd);
		request_done(waiting, ENOMEM);
		return;
	}
	near_ask_cowd();
}

/* Times that are both to stay as they are. */
static int
meta_omits(const struct proto_meta *pm)
{
	return (pm->op == META_UTIMES && !pm->times_now &&
	    pm->times[0].tv_nsec == UTIME_OMIT &&
	    pm->times[1].tv_nsec == UTIME_OMIT);
}

/*
 * Whether it concerns the view, where a change is made in the branch.  What is
 * wrong with the call itself is left to the way of all others.
 */
static int
meta_viewed(struct request *rq, const struct proto_meta *pm)
{
	const struct syscall_entry	*call = rq->call;
	int				 dirfd = AT_FDCWD, fd, flags;

	if (call->path == SLOT_NONE) {
		dirfd = (int)argument(rq, call->fd);
		if (meta_descriptor(rq, dirfd, &fd) != 0)
			return (0);
		close(fd);
		return (mutate_meta(rq, dirfd, 0, pm));
	}
	if (call->dirfd != SLOT_NONE)
		dirfd = (int)argument(rq, call->dirfd);
	if (meta_flags(rq, &flags) != 0)
		return (0);
	return (mutate_meta(rq, dirfd, flags, pm));
}

void
meta_request(struct request *rq)
{
	struct proto_meta	 pm;
	int			 error, fd;

	memset(&pm, 0, sizeof(pm));
	if (!sup.have_cowd) {
		notify_errno(rq, EPERM);
		return;
	}
	if ((error = meta_arguments(rq, &pm)) == 0 && meta_omits(&pm)) {
		/* The kernel does not even look the name up. */
		notify_errno(rq, 0);
		return;
	}
	if (error != 0)
		notify_errno(rq, error);
	else if (view_active() && meta_viewed(rq, &pm))
		;	/* sent off, or answered */
	else if (tmp_redirect(rq))
		;	/* comes again by another name */
	else if ((error = meta_inode(rq, &fd)) != 0)
		notify_errno(rq, error);
	else if (hole_refused(rq, fd))
		close(fd);
	else if (mounted_active() && !mounted_change(fd,
	    pm.op != META_SETXATTR ? 0 :
	    room_round(strlen(pm.xattr_name) + pm.value_len))) {
		close(fd);
		quota_full(rq);
	} else
		meta_send(rq, fd, &pm);
	free(pm.value);
}

void
meta_reply(struct imsg *imsg)
{
	struct request	*rq;
	int		 error;

	if (proto_recv_value(imsg, &error) == -1)
		fatalx("bad meta_reply");
	if ((rq = request_find(imsg_get_id(imsg))) == NULL)
		return;
	if (rq->owner != OWNER_COWD)
		fatalx("meta_reply to another's request");
	if (error & PROTO_DENIED) {
		error &= ~PROTO_DENIED;
		supervisor_denied(rq, error, "unveil");
	}
	if (error < 0 || error > 4095)
		fatalx("meta_reply with errno %d", error);
	/* What was taken may not be, or less than was there before. */
	if (mounted_active())
		quota_freed();
	request_done(rq, error);
}
