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
 * Changes of the view.  The supervisor finds out which paths a call means,
 * notes them as changed, and has cowd do the work.  Landlock grants the
 * workload no write right in either tree, so no change is ever let through.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"

#define FIFO_DELAY_MIN_MS	1
#define FIFO_DELAY_MAX_MS	50
#define FIFO_CROWD		16	/* from so many on each waits longer */

static int	 mutate_note(struct request *, struct place *, int, int,
		    char **);

static uint64_t
argument(const struct request *rq, int slot)
{
	return (slot == SLOT_NONE ? 0 : rq->notif.data.args[slot]);
}

/* The caller's umask; all bits when that cannot be found out. */
mode_t
mutate_umask(const struct request *rq)
{
	char		 buf[512], name[64], *p;
	ssize_t		 n;
	int		 fd;

	snprintf(name, sizeof(name), "/proc/%d/status",
	    (int)rq->notif.pid);
	if ((fd = open(name, O_RDONLY | O_CLOEXEC)) == -1)
		return (0777);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return (0777);
	buf[n] = '\0';
	/* A program's name is before it, with its line feeds encoded. */
	if ((p = strstr(buf, "\nUmask:")) == NULL)
		return (0777);
	return (strtoul(p + 7, NULL, 8) & 0777);
}

/*
 * Note what a call is about to change.  0 when the place turns out to be
 * outside.  What cannot be looked up is left to cowd, who says why; should it
 * be there after all by then, nothing is certain any more.
 */
int
mutate_mark(struct request *rq, struct place *pl, int follow)
{
	return (mutate_note(rq, pl, follow, 0, NULL));
}

/*
 * The same to open it.  It is remembered whether the path of the request has
 * no link.
 */
int
mutate_mark_open(struct request *rq, struct place *pl, int follow)
{
	char	*path = NULL;

	if (!mutate_note(rq, pl, follow, 0, &path))
		return (0);
	rq->plain = path != NULL && strcmp(path, pl->path) == 0;
	free(path);
	return (1);
}

/*
 * Keep the names of directories that a call moves or removes, should it
 * succeed.  One that upper alone has is called by the name that it has then.
 */
static void
mutate_expect(struct request *rq, const struct merge_entry *e, int which)
{
	int	 isdir = e->fd != -1 && S_ISDIR(e->sx.stx_mode);

	if (rq->call->class != CLASS_RENAME && (!isdir ||
	    (rq->call->class != CLASS_RMDIR &&
	    rq->call->class != CLASS_UNLINK)))
		return;
	if ((rq->paths[which] = view_canonical(e)) == NULL)
		fatal("view");
	if (isdir)
		rq->moved |= MOVED_ANY;
	if (isdir && (!e->upper || e->merged))
		rq->moved |= which == 0 ? MOVED_FROM : MOVED_TO;
	if (isdir && which == 1)
		rq->moved |= MOVED_REMOVED;
}

/* Who may search the top may do so for all that is below it. */
static int
mutate_bars(const struct request *rq, const struct merge_entry *e)
{
	return (e->name[0] == '\0' && (rq->call->class == CLASS_CHMOD ||
	    rq->call->class == CLASS_CHOWN ||
	    rq->call->class == CLASS_SETXATTR ||
	    rq->call->class == CLASS_REMOVEXATTR));
}

/*
 * which: 0 for the first name of the call, 1 for the second.  With path also
 * what that is without links, NULL when there is none.
 */
static int
mutate_note(struct request *rq, struct place *pl, int follow, int which,
    char **path)
{
	struct merge_entry	 e;
	int			 flags = MERGE_MISSING;

	if (!follow)
		flags |= AT_SYMLINK_NOFOLLOW;
	if (place_lookup(rq, pl, flags, &e) != 0) {
		rq->unmarked = 1;
		return (1);
	}
	if (!pl->inside)
		return (0);
	changed_mark(&e, 1);
	if (mutate_bars(rq, &e))
		changed_everything();
	if (e.fd != -1 && !e.upper && !S_ISDIR(e.sx.stx_mode))
		view_copying();
	gone_expect(rq, &e, rq->call->class == CLASS_RENAME && which == 0);
	mutate_expect(rq, &e, which);
	if (path != NULL)
		*path = view_canonical(&e);
	merge_entry_free(&e);
	return (1);
}

/* Send it off; a descriptor is gone in any case. */
void
mutate_send(struct request *rq, int fd, struct proto_view *pv)
{
	struct request	*waiting;
	static char	 none[1];

	if (pv->path2 == NULL)
		pv->path2 = none;
	view_reading();
	if (!notify_valid(rq) || window_wait(rq) ||
	    (waiting = request_park(rq, OWNER_COWD)) == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	pv->room = quota_lend(waiting);
	/* With a quota what has no name is looked at here first. */
	if (waiting->asked && quota_active())
		waiting->asked = 0;
	if (waiting->asked) {
		pv->call = waiting->notif.id;
		pv->cloexec = waiting->cloexec;
	}
	if (proto_send_view(&sup.cowd.ibuf, waiting->seq, fd, pv) == -1) {
		log_warn("view");
		quota_unlend(waiting->seq);
		if (fd != -1)
			close(fd);
		request_done(waiting, errno == E2BIG ? ENAMETOOLONG : ENOMEM);
		return;
	}
	window_sent(waiting);
	near_ask_cowd();
}

/* The place of a name of the call; 0 or an errno. */
static int
mutate_place(const struct request *rq, int dirslot, int slot, int follow,
    struct place *pl)
{
	char	 path[PATH_MAX];
	int	 dirfd = AT_FDCWD, error;

	memset(pl, 0, sizeof(*pl));
	if (dirslot != SLOT_NONE)
		dirfd = (int)argument(rq, dirslot);
	if ((error = look_path(rq, slot, path, sizeof(path))) != 0)
		return (error);
	if (path[0] == '\0')
		return (ENOENT);
	return (place_find(rq, dirfd, path, follow, pl));
}

static int
mutate_symlink(const struct request *rq, struct proto_view *pv)
{
	char	 text[PATH_MAX];
	int	 error;

	if ((error = look_path(rq, rq->call->arg, text, sizeof(text))) != 0)
		return (error);
	if (text[0] == '\0')
		return (ENOENT);
	return ((pv->path2 = strdup(text)) == NULL ? ENOMEM : 0);
}

/* What the call wants done with its path; 0 or an errno. */
int
mutate_arguments(const struct request *rq, struct proto_view *pv)
{
	uint64_t	 arg = argument(rq, rq->call->arg);

	switch (rq->call->class) {
	case CLASS_UNLINK:
		pv->op = VIEW_UNLINK;
		if ((argument(rq, rq->call->flags) & ~AT_REMOVEDIR &
		    0xffffffff) != 0)
			return (EINVAL);
		if (argument(rq, rq->call->flags) & AT_REMOVEDIR)
			pv->op = VIEW_RMDIR;
		return (0);
	case CLASS_RMDIR:
		pv->op = VIEW_RMDIR;
		return (0);
	case CLASS_MKDIR:
		pv->op = VIEW_MKDIR;
		pv->mode = arg & 07777;
		pv->mask = mutate_umask(rq);
		return (0);
	case CLASS_MKNOD:
		pv->op = VIEW_MKNOD;
		pv->mode = arg & (S_IFMT | 07777);
		pv->mask = mutate_umask(rq);
		return (0);
	case CLASS_SYMLINK:
		pv->op = VIEW_SYMLINK;
		return (mutate_symlink(rq, pv));
	case CLASS_TRUNCATE:
		pv->op = VIEW_TRUNCATE;
		pv->size = (off_t)arg;
		return (0);
	default:
		return (ENOSYS);
	}
}

/* The calls on one name. */
void
mutate_request(struct request *rq)
{
	struct proto_view	 pv;
	struct place		 pl;
	char			*text;
	int			 error, follow = !rq->call->nofollow;

	memset(&pv, 0, sizeof(pv));
	if (rq->call->class == CLASS_TRUNCATE &&
	    (int64_t)argument(rq, rq->call->arg) < 0) {
		/* No name is looked at. */
		notify_errno(rq, EINVAL);
		return;
	}
	if ((error = mutate_place(rq, rq->call->dirfd, rq->call->path, follow,
	    &pl)) != 0) {
		notify_errno(rq, error);
		place_free(&pl);
		return;
	}
	if (!pl.inside && quota_active() && rq->call->class == CLASS_TRUNCATE)
		resize_path(rq);
	else if (!pl.inside)
		/* Landlock decides about whatever the name leads to then. */
		notify_continue(rq);
	else if ((error = mutate_arguments(rq, &pv)) != 0)
		notify_errno(rq, error);
	else if (!cross_dots(rq, &pl) && !mutate_mark(rq, &pl, follow))
		look_left(rq, rq->call->path, &pl);
	else {
		pv.path = pl.path;
		text = pv.path2;
		mutate_send(rq, -1, &pv);
		pv.path2 = text;
	}
	free(pv.path2);
	place_free(&pl);
}

/*
 * The calls on two names, with both places known.  1 when both are inside and
 * noted; otherwise the call has been answered.
 */
static int
mutate_both(struct request *rq, struct place *from, struct place *to,
    int follow)
{
	int	 in1, in2;

	in1 = from->inside && mutate_note(rq, from, follow, 0, NULL);
	in2 = to->inside && mutate_note(rq, to, 0, 1, NULL);
	if (in1 && in2)
		return (1);
	if (in1 || in2 || ((from->left || to->left) && cross_busy(rq)))
		notify_errno(rq, cross_errno(rq, from, to, follow));
	else if (from->left)
		look_left(rq, rq->call->path, from);
	else
		look_left(rq, rq->call->path2, to);
	return (0);
}

/*
 * The place of the second name; what is wrong with the first, unless that is
 * NULL, comes before what is wrong with this one.
 */
static int
mutate_second(const struct request *rq, const struct place *from, int follow,
    struct place *to)
{
	int	 error, first;

	if ((error = mutate_place(rq, rq->call->dirfd2, rq->call->path2, 0,
	    to)) != 0 && from != NULL &&
	    (first = cross_first(rq, from, follow)) != 0)
		return (first);
	return (error);
}

void
mutate_rename(struct request *rq)
{
	struct place		 from, to;
	struct proto_view	 pv;
	unsigned int		 flags;
	int			 error = 0;

	memset(&from, 0, sizeof(from));
	memset(&to, 0, sizeof(to));
	flags = (unsigned int)argument(rq, rq->call->arg);
	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		error = EINVAL;
	if (error != 0 || (error = mutate_place(rq, rq->call->dirfd,
	    rq->call->path, 0, &from)) != 0 ||
	    (error = mutate_second(rq, &from, 0, &to)) != 0)
		notify_errno(rq, error);
	else if (mutate_both(rq, &from, &to, 0)) {
		memset(&pv, 0, sizeof(pv));
		pv.op = VIEW_RENAME;
		pv.flags = (int)argument(rq, rq->call->arg);
		rq->flags = pv.flags;
		pv.path = from.path;
		pv.path2 = to.path;
		mutate_send(rq, -1, &pv);
	}
	place_free(&from);
	place_free(&to);
}

/*
 * The number of a descriptor whose file has no name, when the call names one to
 * be linked: by itself, or by its link in /proc.  -1 otherwise.
 */
static int
link_nameless(const struct request *rq, int flags)
{
	static const char	*const prefixes[] = {
		"/proc/self/fd/", "/dev/fd/", "/proc/thread-self/fd/"
	};
	char			 path[PATH_MAX];
	const char		*why;
	size_t			 i;
	int			 fd = -1;

	if (look_path(rq, rq->call->path, path, sizeof(path)) != 0)
		return (-1);
	if (path[0] == '\0' && (flags & AT_EMPTY_PATH) != 0)
		fd = (int)argument(rq, rq->call->dirfd);
	for (i = 0; fd == -1 && (flags & AT_SYMLINK_FOLLOW) != 0 &&
	    i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0) {
			fd = (int)strtonum(path + strlen(prefixes[i]), 0,
			    INT_MAX, &why);
			if (why != NULL)
				return (-1);
		}
	/* Of other file systems the kernel knows better. */
	if (fd == -1 || task_name(rq->notif.pid, fd, path,
	    sizeof(path)) != 0 || !view_in_branch(path) ||
	    !view_unlinked(rq->notif.pid, fd))
		return (-1);
	return (fd);
}

/* Give a file without a name one. */
static void
mutate_link_fd(struct request *rq, int number, struct place *to)
{
	struct proto_view	 pv;
	int			 fd;

	if ((fd = task_fd(rq->notif.pid, number)) == -1) {
		notify_errno(rq, errno);
		return;
	}
	memset(&pv, 0, sizeof(pv));
	pv.op = VIEW_LINK_FD;
	pv.path = to->path;
	mutate_send(rq, fd, &pv);
}

/* What is to be linked: a name, or with none the file of a descriptor. */
static int
mutate_linked(const struct request *rq, int flags, struct place *from)
{
	char	 path[PATH_MAX];
	int	 dirfd, error;

	if ((flags & AT_EMPTY_PATH) != 0 && look_path(rq, rq->call->path, path,
	    sizeof(path)) == 0 && path[0] == '\0') {
		dirfd = (int)argument(rq, rq->call->dirfd);
		if ((error = place_descriptor(rq, dirfd, from)) == 0 &&
		    from->given)
			/* By which of its names is not known. */
			return (EXDEV);
		return (error);
	}
	return (mutate_place(rq, rq->call->dirfd, rq->call->path,
	    (flags & AT_SYMLINK_FOLLOW) != 0, from));
}

void
mutate_link(struct request *rq)
{
	struct place		 from, to;
	struct proto_view	 pv;
	int			 error = 0, fd = -1, flags, follow;

	memset(&from, 0, sizeof(from));
	memset(&to, 0, sizeof(to));
	flags = rq->call->flags == SLOT_NONE ? 0 :
	    (int)argument(rq, rq->call->flags);
	follow = (flags & AT_SYMLINK_FOLLOW) != 0;
	if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0)
		error = EINVAL;
	else if ((fd = link_nameless(rq, flags)) == -1)
		error = mutate_linked(rq, flags, &from);
	if (error != 0 || (error = mutate_second(rq, fd == -1 ? &from : NULL,
	    follow, &to)) != 0)
		notify_errno(rq, error);
	else if (fd != -1 && to.inside && mutate_mark(rq, &to, 0))
		mutate_link_fd(rq, fd, &to);
	else if (fd != -1)
		notify_errno(rq, cross_new(rq, &to));
	else if (mutate_both(rq, &from, &to, follow)) {
		memset(&pv, 0, sizeof(pv));
		pv.op = VIEW_LINK;
		pv.flags = flags & AT_SYMLINK_FOLLOW;
		pv.path = from.path;
		pv.path2 = to.path;
		mutate_send(rq, -1, &pv);
	}
	place_free(&from);
	place_free(&to);
}

static int
meta_view(const struct proto_meta *pm, struct proto_view *pv)
{
	static const enum view_op	 ops[] = {
		[META_CHMOD] = VIEW_CHMOD,
		[META_CHOWN] = VIEW_CHOWN,
		[META_UTIMES] = VIEW_UTIMES,
		[META_SETXATTR] = VIEW_SETXATTR,
		[META_REMOVEXATTR] = VIEW_REMOVEXATTR
	};

	memset(pv, 0, sizeof(*pv));
	pv->op = ops[pm->op];
	pv->mode = pm->mode;
	pv->uid = pm->uid;
	pv->gid = pm->gid;
	pv->times_now = pm->times_now;
	memcpy(pv->times, pm->times, sizeof(pv->times));
	pv->xattr_flags = pm->xattr_flags;
	strlcpy(pv->xattr_name, pm->xattr_name, sizeof(pv->xattr_name));
	pv->value = pm->value;
	pv->value_len = pm->value_len;
	return (0);
}

/* The same of a descriptor whose file the view has by other names. */
static void
mutate_given(struct request *rq, int number, const struct proto_meta *pm)
{
	struct proto_view	 pv;
	static char		 none[1];
	int			 fd;

	if ((fd = task_fd(rq->notif.pid, number)) == -1) {
		notify_errno(rq, errno);
		return;
	}
	meta_view(pm, &pv);
	pv.path = none;
	mutate_send(rq, fd, &pv);
}

/*
 * Whether a call without a name, or with an empty one, means the descriptor.
 * Each of the calls has a rule of its own; and a descriptor that only names a
 * file will not do where there is no name at all, nor for attributes.
 */
static int
meta_by_fd(const struct request *rq, int dirfd, int flags)
{
	const struct syscall_entry	*call = rq->call;
	int				 fd, opened, xattr;

	if (call->path == SLOT_NONE)
		return (1);
	xattr = call->class == CLASS_SETXATTR ||
	    call->class == CLASS_REMOVEXATTR;
	if (argument(rq, call->path) == 0 && !xattr) {
		if (!call->null_fd || dirfd == AT_FDCWD || flags != 0)
			return (0);
	} else if ((flags & AT_EMPTY_PATH) == 0)
		return (0);
	else if (!xattr || dirfd == AT_FDCWD)
		return (1);
	if ((fd = task_fd(rq->notif.pid, dirfd)) == -1)
		return (0);
	opened = fcntl(fd, F_GETFL);
	close(fd);
	return (opened != -1 && (opened & O_PATH) == 0);
}

/*
 * Change metadata of what a name or, when there is none, a descriptor leads
 * to.  1 when that was answered or sent off, 0 when it is outside.
 */
int
mutate_meta(struct request *rq, int dirfd, int flags,
    const struct proto_meta *pm)
{
	struct proto_view	 pv;
	struct place		 pl;
	char			 path[PATH_MAX];
	int			 error = 0, follow, inside;

	path[0] = '\0';
	if (rq->call->path != SLOT_NONE && argument(rq, rq->call->path) != 0)
		error = look_path(rq, rq->call->path, path, sizeof(path));
	/* What names nothing that can be changed is refused like everywhere. */
	if (error == 0 && path[0] == '\0' && !meta_by_fd(rq, dirfd, flags))
		return (0);
	follow = path[0] != '\0' && (flags & AT_SYMLINK_NOFOLLOW) == 0;
	if (error == 0 && path[0] != '\0')
		error = place_find(rq, dirfd, path, follow, &pl);
	else if (error == 0)
		error = place_descriptor(rq, dirfd, &pl);
	if (error != 0) {
		notify_errno(rq, error);
		return (1);
	}
	if (pl.given) {
		mutate_given(rq, dirfd, pm);
		inside = 1;
	} else if ((inside = pl.inside && mutate_mark(rq, &pl, follow))) {
		meta_view(pm, &pv);
		pv.flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
		pv.path = pl.path;
		mutate_send(rq, -1, &pv);
	} else if (pl.left) {
		/* By its own name, which comes back as one outside. */
		rewrite_path(rq, rq->call->path, pl.path);
		inside = 1;
	}
	place_free(&pl);
	return (inside);
}

/* Ask cowd again whether somebody reads the FIFO by now. */
static void
fifo_again(int fd, short event, void *arg)
{
	struct request		*rq = arg;
	struct proto_view	 pv;
	static char		 none[1];

	(void)fd;
	(void)event;
	memset(&pv, 0, sizeof(pv));
	pv.op = VIEW_OPEN;
	/* What is there now has been there, or is made like a new file. */
	pv.flags = (rq->flags | O_NONBLOCK) & ~(O_CREAT | O_EXCL | O_TRUNC);
	pv.path = rq->paths[0];
	pv.path2 = none;
	rq->owner = OWNER_COWD;
	/* It comes here, for its flags. */
	rq->asked = 0;
	pv.room = quota_lend(rq);
	if (proto_send_view(&sup.cowd.ibuf, rq->seq, -1, &pv) == -1) {
		log_warn("view");
		quota_unlend(rq->seq);
		request_done(rq, ENOMEM);
		return;
	}
	window_sent(rq);
	near_ask_cowd();
}

/*
 * A FIFO that is opened for writing waits for a reader.  Landlock would not let
 * the workload open it, and cowd must not wait: so it is asked again.  It has
 * others to serve, however many wait.
 */
static void
fifo_wait(struct request *rq)
{
	struct timeval	 tv;
	uint64_t	 ms;

	if (rq->delay_ms == 0)
		rq->delay_ms = FIFO_DELAY_MIN_MS;
	else if (rq->delay_ms < FIFO_DELAY_MAX_MS)
		rq->delay_ms *= 2;
	ms = (uint64_t)rq->delay_ms * (1 + request_count() / FIFO_CROWD);
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	rq->owner = OWNER_TIMER;
	evtimer_set(&rq->timer, fifo_again, rq);
	evtimer_add(&rq->timer, &tv);
}

/* Whether an answer only means that nobody reads the FIFO yet. */
static int
fifo_waits(const struct request *rq, int error)
{
	if (rq->call->class != CLASS_OPEN || rq->paths[0] == NULL)
		return (0);
	/* The second time it is a device, which nobody may write here. */
	if (error == PROTO_WAITS)
		return (rq->delay_ms == 0);
	return (error == ENXIO && rq->delay_ms != 0);
}

/* What cowd has opened becomes the caller's, as it asked for it. */
static void
mutate_opened(struct request *rq)
{
	int	 flags, fd = rq->fd;

	if (rq->delay_ms != 0 && (rq->flags & O_NONBLOCK) == 0 &&
	    ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1)) {
		request_done(rq, errno);
		return;
	}
	notify_give(rq, fd, rq->cloexec);
	rq->fd = -1;
	request_forget(rq);
}

static void
opened_note(const struct request *rq, int fd)
{
	struct stat	 st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 0)
		changed_opened(rq->paths[0], rq->noted);
}

/* The caller has what cowd opened, and waits for the number. */
void
mutate_number(struct imsg *imsg)
{
	struct request	*rq;
	int		 number;

	if (proto_recv_value(imsg, &number) == -1 || number < 0)
		fatalx("bad view_given");
	rq = request_find(imsg_get_id(imsg));
	window_answered(rq);
	if (rq == NULL)
		return;
	if (rq->owner != OWNER_COWD || !rq->asked)
		fatalx("view_given out of place");
	if (rq->unmarked)
		changed_everything();
	if (imsg_get_type(imsg) == IMSG_VIEW_GIVEN_FILE && rq->plain)
		changed_opened(rq->paths[0], rq->noted);
	notify_value(rq, number);
	request_forget(rq);
}

/* cowd has closed what it opened. */
void
mutate_done(struct imsg *imsg)
{
	struct request	*rq;
	int		 value;

	if (proto_recv_value(imsg, &value) == -1 || value != 0)
		fatalx("bad view_done");
	if ((rq = request_find(imsg_get_id(imsg))) == NULL)
		return;
	if (rq->owner != OWNER_COWD || rq->fd == -1)
		fatalx("view_done out of place");
	mutate_opened(rq);
}

/* With a quota: what gives room back, and what has no name. */
static void
mutate_room(const struct request *rq, int error, int fd)
{
	struct stat	 st;

	if (!quota_active() || error != 0)
		return;
	switch (rq->call->class) {
	case CLASS_OPEN:
		if ((rq->flags & O_TRUNC) != 0)
			quota_freed();
		break;
	case CLASS_UNLINK:
	case CLASS_RMDIR:
	case CLASS_RENAME:
	case CLASS_TRUNCATE:
	case CLASS_REMOVEXATTR:
		quota_freed();
		break;
	default:
		break;
	}
	if (fd != -1 && fstat(fd, &st) == 0 && st.st_nlink == 0)
		held_note(fd, &st);
}

/* A call has succeeded: something may have gone from its place. */
static void
mutate_moved(const struct request *rq)
{
	int	 swap = (rq->flags & RENAME_EXCHANGE) != 0;

	if (rq->call->class != CLASS_RENAME) {
		if ((rq->moved & MOVED_ANY) != 0) {
			deep_moved(rq->paths[0], NULL, 0);
			changed_removed(rq->paths[0],
			    (rq->moved & MOVED_FROM) != 0);
		}
		return;
	}
	if (rq->paths[0] == NULL || rq->paths[1] == NULL ||
	    strcmp(rq->paths[0], rq->paths[1]) == 0)
		return;
	former_note(rq->paths[0], rq->paths[1], swap,
	    (rq->moved & MOVED_ANY) != 0);
	if ((rq->moved & MOVED_ANY) == 0)
		return;
	deep_moved(rq->paths[0], rq->paths[1], swap);
	if ((rq->moved & MOVED_REMOVED) && !swap)
		changed_removed(rq->paths[1], (rq->moved & MOVED_TO) != 0);
	changed_moved(rq->paths[0], rq->paths[1], swap, rq->moved);
}

void
mutate_reply(struct imsg *imsg)
{
	struct request	*rq;
	int		 error, fd;

	if (proto_recv_value(imsg, &error) == -1)
		fatalx("bad view_reply");
	fd = imsg_get_fd(imsg);
	if (error != PROTO_WAITS && (error < 0 || error > 4095))
		fatalx("view_reply with errno %d", error);
	rq = request_find(imsg_get_id(imsg));
	window_answered(rq);
	if (rq == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (rq->owner != OWNER_COWD)
		fatalx("view_reply to another's request");
	if (rq->unmarked && error == 0)
		changed_everything();
	if (error == 0) {
		mutate_moved(rq);
		if ((rq->moved & MOVED_ANY) != 0)
			task_forget_cwd();
	}
	if (error == 0 && (rq->flags & RENAME_EXCHANGE) == 0)
		gone_note(rq);
	if (fd != -1 && rq->plain)
		opened_note(rq, fd);
	mutate_room(rq, error, fd);
	if (error != 0 && quota_retry(rq, error))
		return;
	rq->fd = fd;
	if (fd != -1)
		/* For the caller when nobody else has it: mutate_done(). */
		return;
	if (error == PROTO_WAITS && open_read_only(rq))
		/* A FIFO, by now the branch's: only the caller may wait. */
		open_again(rq);
	else if (fifo_waits(rq, error))
		fifo_wait(rq);
	else if (error == ENOENT && rq->known && (rq->flags & O_CREAT) != 0) {
		/* It was there, and is to be made now. */
		changed_lost(rq->paths[0]);
		request_again(rq);
	} else
		request_done(rq, error == PROTO_WAITS ? EACCES : error);
}
