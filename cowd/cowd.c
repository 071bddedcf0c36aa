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
 * The worker's life: configuration from the parent, lockdown, then requests
 * from the supervisor until both channels are closed.  This file owns the two
 * channels and decides which message may come when; it touches no file.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounded.h"
#include "cowd.h"
#include "log.h"
#include "worker.h"

struct imsgev	 cowd_supervisor;

static int	 cowd_locked;
static int	 cowd_view;			/* the policy has one */
static int	 cowd_supervisor_fd = -1;	/* until locked */

static void	 cowd_dispatch_parent(int, short, void *);
static void	 cowd_dispatch_supervisor(int, short, void *);

/*
 * "-b" in the arguments: there will be a branch; "-f": there will be none, but
 * files to change; "-k": keep one of branchfs.
 */
int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "-k") == 0)
		keeper_main();
	worker_init("cowd", 0, 0, cowd_dispatch_parent);
	/* No channel yet: the end of the parent alone ends this worker. */
	cowd_supervisor.ibuf.fd = -1;
	bounded_init();
	lock_setup(argc == 2 && (strcmp(argv[1], "-b") == 0 ||
	    strcmp(argv[1], "-f") == 0));
	event_dispatch();
	fatalx("event loop ended");
}

/*
 * The parent alone may be gone, when it was killed, and then the workload runs
 * until the supervisor has seen to it.  The supervisor alone may be gone, and
 * the parent then kills what is left.  Only when both are has nobody files
 * open in the private directory any more.
 */
static void
cowd_finish(void)
{
	if (worker_parent.ibuf.fd != -1 || cowd_supervisor.ibuf.fd != -1)
		return;
	private_remove();
	order_orphaned();
	_exit(0);
}

void
cowd_reply(uint32_t type, uint32_t id, int error)
{
	if (proto_send_value(&cowd_supervisor.ibuf, type, id, -1, error) == -1)
		fatal("reply");
}

/* Take the descriptor of a message that has to carry one, or none. */
static int
cowd_fd(struct imsg *imsg, int wanted)
{
	int	 fd = imsg_get_fd(imsg);

	if ((fd != -1) != (wanted != 0))
		fatalx("%s with%s a descriptor",
		    proto_name(imsg_get_type(imsg)), wanted ? "out" : "");
	return (fd);
}

static void
cowd_bad(struct imsg *imsg)
{
	fatal("bad %s", proto_name(imsg_get_type(imsg)));
}

static void
cowd_start(void)
{
	int	 flags;

	order_settle();
	/* The branch command has no run. */
	if (cowd_supervisor_fd == -1) {
		if (!order_configured())
			fatalx("no channel to the supervisor");
		lock_run(0);
		cowd_locked = 1;
		return;
	}
	if ((flags = fcntl(cowd_supervisor_fd, F_GETFL)) == -1 ||
	    fcntl(cowd_supervisor_fd, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("fcntl");
	private_open();
	rights_start();
	lock_run(cowd_view);
	cowd_locked = 1;
	if (cowd_view)
		view_start();
	/* Requests have waited in the socket: none is read before this. */
	if (imsg_event_init(&cowd_supervisor, cowd_supervisor_fd,
	    cowd_dispatch_supervisor) == -1 ||
	    imsgbuf_set_maxsize(&cowd_supervisor.ibuf, PROTO_MAXSIZE) == -1)
		fatal("channel to the supervisor");
	if (proto_send_empty(&worker_parent.ibuf, IMSG_LOCKED, -1) == -1)
		fatal("locked");
}

static void
cowd_configure(struct imsg *imsg)
{
	struct proto_branch	 pb;
	struct workload_path	 wp;
	char			*path;
	int			 fd, order;

	if (imsg_get_type(imsg) == IMSG_BRANCH && cowd_locked) {
		cowd_fd(imsg, 0);
		if (proto_recv_int(imsg, &order) == -1)
			cowd_bad(imsg);
		order_branch(order);
		return;
	}
	if (cowd_locked)
		fatalx("%s after the configuration",
		    proto_name(imsg_get_type(imsg)));
	switch (imsg_get_type(imsg)) {
	case IMSG_CONF_PATH:
		cowd_fd(imsg, 0);
		if (proto_recv_path(imsg, &wp) == -1)
			cowd_bad(imsg);
		grant_add(&wp);
		free(wp.path);
		break;
	case IMSG_CONF_RIGHTS:
		cowd_fd(imsg, 0);
		if (proto_recv_path(imsg, &wp) == -1)
			cowd_bad(imsg);
		rights_add(&wp);
		free(wp.path);
		break;
	case IMSG_CONF_TOP:
		cowd_fd(imsg, 0);
		if (proto_recv_string(imsg, &path) == -1)
			cowd_bad(imsg);
		rights_set_top(path);
		free(path);
		break;
	case IMSG_CONF_PRIVATE:
		cowd_fd(imsg, 0);
		if (proto_recv_string(imsg, &path) == -1)
			cowd_bad(imsg);
		private_set(path);
		free(path);
		break;
	case IMSG_CONF_STORAGE:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_string(imsg, &path) == -1)
			cowd_bad(imsg);
		order_set_storage(path, fd);
		free(path);
		break;
	case IMSG_CONF_BRANCH:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_branch(imsg, &pb) == -1)
			cowd_bad(imsg);
		order_set_lower(&pb, fd);
		break;
	case IMSG_CONF_LOCK:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_empty(imsg) == -1)
			cowd_bad(imsg);
		order_set_lock(fd);
		break;
	case IMSG_CONF_UPPER:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_string(imsg, &path) == -1)
			cowd_bad(imsg);
		free(path);
		order_set_upper(fd);
		break;
	case IMSG_CONF_VIEW:
		cowd_fd(imsg, 0);
		if (proto_recv_empty(imsg) == -1)
			cowd_bad(imsg);
		cowd_view = 1;
		break;
	case IMSG_SOCKET_SUPERVISOR:
		if (cowd_supervisor_fd != -1)
			fatalx("two channels to the supervisor");
		if (proto_recv_empty(imsg) == -1)
			cowd_bad(imsg);
		cowd_supervisor_fd = cowd_fd(imsg, 1);
		break;
	case IMSG_CONF_END:
		cowd_fd(imsg, 0);
		if (proto_recv_empty(imsg) == -1)
			cowd_bad(imsg);
		cowd_start();
		break;
	default:
		fatalx("%s from the parent", proto_name(imsg_get_type(imsg)));
	}
}

static void
cowd_dispatch_parent(int fd, short event, void *arg)
{
	struct imsgev	*iev = arg;
	struct imsg	 imsg;
	int		 n;

	(void)fd;
	if (!worker_read(iev, event, "parent")) {
		imsg_event_close(iev);
		/* A channel that is not served yet does not keep us. */
		cowd_finish();
		return;
	}
	while ((n = imsgbuf_get(&iev->ibuf, &imsg)) == 1) {
		cowd_configure(&imsg);
		imsg_free(&imsg);
	}
	if (n == -1)
		fatal("message from the parent");
	imsg_event_add(iev);
}

/*
 * The kernel had no slot for the descriptor of a request, which then fails; 1
 * if that was it.
 */
static int
cowd_lost(struct imsg *imsg)
{
	uint32_t	 reply = IMSG_NONE;

	if (!imsg_lost_fd(imsg))
		return (0);
	switch (imsg_get_type(imsg)) {
	case IMSG_META:
		reply = IMSG_META_REPLY;
		break;
	case IMSG_EMPTY:
		reply = IMSG_EMPTY_REPLY;
		break;
	case IMSG_UNIX_SEND:
		reply = IMSG_UNIX_REPLY;
		break;
	default:
		return (0);
	}
	cowd_reply(reply, imsg_get_id(imsg), EMFILE);
	return (1);
}

static void
cowd_request(struct imsg *imsg)
{
	struct proto_meta	 pm;
	uint32_t		 id = imsg_get_id(imsg);
	uint32_t		 type = imsg_get_type(imsg);
	int			 fd, value;

	if (unix_expected() != (type == IMSG_UNIX_CONNECT))
		fatalx("%s from the supervisor out of order",
		    proto_name(type));
	if (cowd_lost(imsg))
		return;
	switch (type) {
	case IMSG_META:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_meta(imsg, &pm) == -1)
			cowd_bad(imsg);
		cowd_reply(IMSG_META_REPLY, id, meta_change(fd, &pm));
		close(fd);
		free(pm.value);
		break;
	case IMSG_LISTENER:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_empty(imsg) == -1)
			cowd_bad(imsg);
		view_listener(fd);
		break;
	case IMSG_VIEW:
		view_request(imsg);
		break;
	case IMSG_EMPTY:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_value(imsg, &value) == -1)
			cowd_bad(imsg);
		cowd_reply(IMSG_EMPTY_REPLY, id, usage_empty(fd));
		close(fd);
		break;
	case IMSG_USAGE:
		cowd_fd(imsg, 0);
		if (proto_recv_empty(imsg) == -1)
			cowd_bad(imsg);
		usage_request();
		break;
	case IMSG_UNIX_SOCKET:
		fd = cowd_fd(imsg, !imsg_lost_fd(imsg));
		if (proto_recv_value(imsg, &value) == -1)
			cowd_bad(imsg);
		unix_socket(id, fd);
		break;
	case IMSG_UNIX_CONNECT:
		fd = cowd_fd(imsg, !imsg_lost_fd(imsg));
		if (proto_recv_value(imsg, &value) == -1)
			cowd_bad(imsg);
		unix_connect(id, fd);
		if (fd != -1)
			close(fd);
		break;
	case IMSG_UNIX_SEND:
		fd = cowd_fd(imsg, 1);
		if (proto_recv_value(imsg, &value) == -1)
			cowd_bad(imsg);
		unix_send(id, fd);
		close(fd);
		break;
	case IMSG_NET_CANCEL:
		cowd_fd(imsg, 0);
		if (proto_recv_value(imsg, &value) == -1)
			cowd_bad(imsg);
		unix_cancel(id, value);
		break;
	default:
		fatalx("%s from the supervisor", proto_name(type));
	}
}

static void
cowd_dispatch_supervisor(int fd, short event, void *arg)
{
	struct imsgev	*iev = arg;
	struct imsg	 imsg;
	int		 n;

	(void)fd;
	if (!worker_read(iev, event, "supervisor")) {
		unix_cancel_all();
		imsg_event_close(iev);
		cowd_finish();
		return;
	}
	while ((n = imsgbuf_get(&iev->ibuf, &imsg)) == 1) {
		cowd_request(&imsg);
		imsg_free(&imsg);
	}
	if (n == -1)
		fatal("message from the supervisor");
	imsg_event_add(iev);
}
