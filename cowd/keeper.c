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
 * The keeper of a branchfs branch: cowd, started once more for nothing else
 * ("cowd -k").  It alone speaks with the server, so it alone hangs when that
 * does not answer, in a wait that no signal ends.  It makes a branch, or finds
 * one, tells its id, and waits for the order to commit or to abort it; the end
 * of the parent is the order to abort, unless the branch is to be kept.  What
 * is over for the server has its record removed, also when the answer came too
 * late for the parent.
 *
 * What the server says is not trusted: an id is a plain name, the branch and
 * the control files lie beneath the working directory on its own file system.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <linux/magic.h>
#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "branchfs.h"
#include "cowd.h"
#include "log.h"
#include "rmtree.h"
#include "worker.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC	0x65735546
#endif

static char	 keeper_id[BRANCHFS_ID_SIZE];	/* of the branch */
static char	*keeper_name;			/* of its record */
static int	 keeper_storage = -1;		/* where that lies */
static int	 keeper_dir = -1;		/* the record */
static int	 keeper_lock = -1;		/* held by being open */
static int	 keeper_lower = -1;		/* the working directory */
static int	 keeper_ctl = -1;		/* of the branch */
static int	 keeper_keep;			/* if the parent is lost */
static int	 keeper_ordered;		/* the parent has decided */

static void	 keeper_dispatch(int, short, void *);

void
keeper_main(void)
{
	/* Told from the cowd of the run by who looks at the processes. */
	if (prctl(PR_SET_NAME, "keeper") == -1)
		fatal("prctl");
	worker_init("cowd", 0, 0, keeper_dispatch);
	lock_keeper_setup();
	event_dispatch();
	fatalx("event loop ended");
}

static void
keeper_answer(enum branch_outcome outcome, int error, const char *what)
{
	struct proto_outcome	 po;
	static char		 nowhere[] = "";

	memset(&po, 0, sizeof(po));
	po.outcome = outcome;
	po.error = error;
	po.path = nowhere;
	strlcpy(po.what, what, sizeof(po.what));
	if (proto_send_outcome(&worker_parent.ibuf, &po) == -1)
		fatal("outcome");
	/* Whoever has given up waiting does not read it. */
	if (imsgbuf_flush(&worker_parent.ibuf) == -1 && errno != EPIPE &&
	    errno != ECONNRESET)
		fatal("channel to the parent");
}

/* Beneath a directory, on its file system, by a name that is no link. */
static int
beneath(int dir, const char *name, uint64_t flags)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV |
	    RESOLVE_NO_MAGICLINKS;
	return ((int)syscall(SYS_openat2, dir, name, &how, sizeof(how)));
}

/*
 * A control file, looked at before it is opened: in any other directory it
 * could be a device that opening does something to.
 */
static int
ctl_open(int dir)
{
	struct statfs	 sf;
	struct stat	 st;
	char		 name[FD_NAME_SIZE];
	int		 fd, path, saved_errno;

	if ((path = beneath(dir, BRANCHFS_CTL, O_PATH)) == -1)
		return (-1);
	fd = -1;
	if (fstat(path, &st) == 0 && fstatfs(path, &sf) == 0) {
		if (!S_ISREG(st.st_mode) || sf.f_type != FUSE_SUPER_MAGIC)
			errno = ENOTTY;
		else
			fd = openat(AT_FDCWD, fd_name(path, name), O_RDWR |
			    O_NONBLOCK | O_CLOEXEC);
	}
	saved_errno = errno;
	close(path);
	errno = saved_errno;
	return (fd);
}

/* 0, or -1 and the errno of a server that may answer anything. */
static int
ctl_order(int fd, unsigned int request, void *arg)
{
	int	 ret;

	if ((ret = ioctl(fd, request, arg)) == 0)
		return (0);
	/* No call of ours has another good answer. */
	if (ret != -1)
		errno = EPROTO;
	return (-1);
}

/* NULL, or what failed and errno. */
static const char *
branch_create(void)
{
	int	 ctl, ret, saved_errno;

	if ((ctl = ctl_open(keeper_lower)) == -1)
		return ("no branchfs: " BRANCHFS_CTL);
	ret = ctl_order(ctl, BRANCHFS_CREATE, keeper_id);
	saved_errno = errno;
	close(ctl);
	errno = saved_errno;
	if (ret == -1)
		return ("branchfs: create a branch");
	if (!branchfs_id(keeper_id)) {
		errno = EPROTO;
		return ("branchfs: bad id of a branch");
	}
	return (NULL);
}

static const char *
branch_find(void)
{
	char	 name[1 + BRANCHFS_ID_SIZE];
	int	 fd, saved_errno;

	snprintf(name, sizeof(name), "@%s", keeper_id);
	if ((fd = beneath(keeper_lower, name, O_PATH | O_DIRECTORY)) == -1)
		return ("branchfs: enter the branch");
	keeper_ctl = ctl_open(fd);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (keeper_ctl == -1 ? "branchfs: " BRANCHFS_CTL " of the branch" :
	    NULL);
}

static void
keeper_start(void)
{
	const char	*what = NULL;

	if (keeper_dir == -1 || keeper_lower == -1 || keeper_lock == -1)
		fatalx("half a branch");
	if (keeper_id[0] == '\0')
		what = branch_create();
	if (what == NULL)
		what = branch_find();
	if (what != NULL) {
		keeper_answer(OUTCOME_FAILED, errno, what);
		_exit(0);
	}
	close(keeper_lower);
	lock_keeper_run(keeper_storage, keeper_dir);
	if (proto_send_string(&worker_parent.ibuf, IMSG_READY, keeper_id) ==
	    -1)
		fatal("ready");
}

/* The record of a branch that is no more. */
static void
record_remove(void)
{
	/* A parent that did not wait for its branch has removed it. */
	if (rmtree(keeper_storage, keeper_name) == -1 && errno != ENOENT)
		log_warn("branch %s", keeper_name);
}

static void
keeper_end(enum branch_order order)
{
	int	 commit = order == ORDER_COMMIT;

	if (ctl_order(keeper_ctl, commit ? BRANCHFS_COMMIT : BRANCHFS_ABORT,
	    NULL) == 0) {
		record_remove();
		keeper_answer(OUTCOME_DONE, 0, "");
	} else
		keeper_answer(commit && errno == ESTALE ? OUTCOME_CONFLICT :
		    OUTCOME_FAILED, errno, commit ? "branchfs: commit" :
		    "branchfs: abort");
}

static void
keeper_order(struct imsg *imsg)
{
	int	 order;

	if (keeper_ctl == -1 || keeper_ordered ||
	    proto_recv_int(imsg, &order) == -1)
		fatalx("order out of place");
	keeper_ordered = 1;
	switch (order) {
	case ORDER_COMMIT:
	case ORDER_ABORT:
		keeper_end(order);
		break;
	case ORDER_LEAVE:
		break;
	default:
		fatalx("unknown order %d", order);
	}
}

/* The parent is gone before it has decided. */
static void
keeper_orphaned(void)
{
	if (keeper_ctl != -1 && !keeper_ordered && !keeper_keep) {
		if (ctl_order(keeper_ctl, BRANCHFS_ABORT, NULL) == 0)
			record_remove();
		else
			log_warn("branch %s: branchfs: abort", keeper_name);
	}
	_exit(0);
}

static int
keeper_fd(struct imsg *imsg, int *to)
{
	if (*to != -1 || (*to = imsg_get_fd(imsg)) == -1)
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	return (*to);
}

static void
keeper_record(struct imsg *imsg)
{
	keeper_fd(imsg, &keeper_storage);
	if (proto_recv_string(imsg, &keeper_name) == -1 ||
	    keeper_name[0] == '\0' || keeper_name[0] == '.' ||
	    strchr(keeper_name, '/') != NULL)
		fatalx("bad record");
	if ((keeper_dir = openat(keeper_storage, keeper_name, O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1)
		fatal("branch %s", keeper_name);
}

static void
keeper_server(struct imsg *imsg)
{
	char	*id;

	if (proto_recv_string(imsg, &id) == -1 ||
	    strlcpy(keeper_id, id, sizeof(keeper_id)) >= sizeof(keeper_id) ||
	    !branchfs_id(keeper_id))
		fatalx("bad id");
	free(id);
}

static void
keeper_imsg(struct imsg *imsg)
{
	struct proto_branch	 pb;

	switch (imsg_get_type(imsg)) {
	case IMSG_CONF_STORAGE:
		keeper_record(imsg);
		return;
	case IMSG_CONF_BRANCH:
		keeper_fd(imsg, &keeper_lower);
		if (proto_recv_branch(imsg, &pb) == -1)
			break;
		keeper_keep = pb.keep;
		return;
	case IMSG_CONF_LOCK:
		keeper_fd(imsg, &keeper_lock);
		if (proto_recv_empty(imsg) == -1)
			break;
		return;
	case IMSG_CONF_SERVER:
		keeper_server(imsg);
		return;
	case IMSG_CONF_END:
		if (keeper_ctl != -1 || proto_recv_empty(imsg) == -1)
			break;
		keeper_start();
		return;
	case IMSG_BRANCH:
		keeper_order(imsg);
		return;
	}
	fatalx("bad %s", proto_name(imsg_get_type(imsg)));
}

static void
keeper_dispatch(int fd, short event, void *arg)
{
	struct imsgev	*iev = arg;
	struct imsg	 imsg;
	int		 n;

	(void)fd;
	if (!worker_read(iev, event, "parent"))
		keeper_orphaned();
	while ((n = imsgbuf_get(&iev->ibuf, &imsg)) == 1) {
		keeper_imsg(&imsg);
		imsg_free(&imsg);
	}
	if (n == -1)
		fatal("message from the parent");
	imsg_event_add(iev);
}
