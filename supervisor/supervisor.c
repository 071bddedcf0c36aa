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
 * The supervisor: parent of the workload, inside the policy's Landlock domain.
 * It answers the system calls that the filter sends it, keeps the limits, and
 * sees to it that nothing outlives the run.  It may read the workload's memory
 * and descriptors; it opens files for reading only and makes no socket.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounded.h"
#include "log.h"
#include "supervisor.h"
#include "tree.h"
#include "worker.h"

#define DENIED_QUEUE	4096	/* denials that wait for the parent */

struct supervisor	 sup;

static void	 supervisor_dispatch_parent(int, short, void *);
static void	 supervisor_dispatch_cowd(int, short, void *);
static void	 supervisor_dispatch_netd(int, short, void *);

int
main(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	/*
	 * Dumpable until the workload is forked: a forked child inherits the
	 * bit, and its memory must be readable before its exec.
	 */
	worker_init("supervisor", 1, 1, supervisor_dispatch_parent);
	workload_conf_init(&sup.conf);
	sup.workload.sync = -1;
	sup.cowd.ibuf.fd = sup.netd.ibuf.fd = -1;
	life_init();
	bounded_init();
	event_dispatch();
	return (0);
}

/* A channel to another worker, which came as a descriptor. */
static void
supervisor_socket(struct imsg *imsg, struct imsgev *iev, int *have,
    void (*handler)(int, short, void *))
{
	int	 fd;

	if (*have || sup.configured || proto_recv_empty(imsg) == -1)
		fatalx("%s out of place", proto_name(imsg_get_type(imsg)));
	if ((fd = imsg_get_fd(imsg)) == -1)
		fatalx("%s without a descriptor",
		    proto_name(imsg_get_type(imsg)));
	if (imsg_event_init(iev, fd, handler) == -1 ||
	    imsgbuf_set_maxsize(&iev->ibuf, PROTO_MAXSIZE) == -1)
		fatal("channel between workers");
	*have = 1;
}

/* The parent waits for this: a signal is not lost with a worker that hangs. */
static void
supervisor_signalled(void)
{
	if (proto_send_empty(&worker_parent.ibuf, IMSG_SIGNALLED, -1) == -1)
		fatal("signalled");
}

static void
supervisor_parent_imsg(struct imsg *imsg)
{
	int	 value;

	switch (imsg_get_type(imsg)) {
	case IMSG_CONF_WORKLOAD:
	case IMSG_CONF_PATH:
	case IMSG_CONF_PORT:
	case IMSG_CONF_SYSCALL:
	case IMSG_CONF_ARG:
	case IMSG_CONF_ENV:
	case IMSG_CONF_DIRECTORY:
	case IMSG_CONF_PASSFD:
	case IMSG_CONF_LOWER:
	case IMSG_CONF_UPPER:
	case IMSG_CONF_TMP:
		start_configure(imsg);
		break;
	case IMSG_SOCKET_COWD:
		supervisor_socket(imsg, &sup.cowd, &sup.have_cowd,
		    supervisor_dispatch_cowd);
		break;
	case IMSG_SOCKET_NETD:
		supervisor_socket(imsg, &sup.netd, &sup.have_netd,
		    supervisor_dispatch_netd);
		break;
	case IMSG_CONF_END:
		if (proto_recv_empty(imsg) == -1)
			fatalx("bad conf_end");
		if (!sup.ending)
			start_workload();
		break;
	case IMSG_VIRTUAL:
		virtual_content(imsg);
		break;
	case IMSG_GO:
		if (proto_recv_empty(imsg) == -1)
			fatalx("bad go");
		start_go();
		break;
	case IMSG_SIGNAL:
		if (proto_recv_int(imsg, &value) == -1)
			fatalx("bad signal");
		life_signal(value);
		supervisor_signalled();
		break;
	case IMSG_KILL:
		if (proto_recv_int(imsg, &value) == -1)
			fatalx("bad kill");
		life_kill(value);
		supervisor_signalled();
		break;
	default:
		fatalx("%s (%u) from the parent",
		    proto_name(imsg_get_type(imsg)), imsg_get_type(imsg));
	}
}

static void
supervisor_cowd_imsg(struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_META_REPLY:
		meta_reply(imsg);
		break;
	case IMSG_UNIX_REPLY:
		socket_reply(imsg);
		break;
	case IMSG_VIEW_FORGET:
		view_forget(imsg);
		break;
	case IMSG_VIEW_REPLY:
		mutate_reply(imsg);
		window_next();
		break;
	case IMSG_VIEW_GIVEN:
	case IMSG_VIEW_GIVEN_FILE:
		mutate_number(imsg);
		window_next();
		break;
	case IMSG_VIEW_DONE:
		mutate_done(imsg);
		break;
	case IMSG_TAKEN:
		quota_taken(imsg);
		break;
	case IMSG_EMPTY_REPLY:
		held_reply(imsg);
		break;
	case IMSG_USAGE_REPLY:
		quota_usage(imsg);
		break;
	default:
		fatalx("%s (%u) from cowd", proto_name(imsg_get_type(imsg)),
		    imsg_get_type(imsg));
	}
}

static void
supervisor_netd_imsg(struct imsg *imsg)
{
	switch (imsg_get_type(imsg)) {
	case IMSG_NET_PORT:
		remap_binding(imsg);
		break;
	case IMSG_NET_ROUTE_SOCKET:
		netlink_made(imsg);
		break;
	case IMSG_NET_ROUTE_GONE:
		netlink_gone(imsg);
		break;
	case IMSG_NET_REPLY:
		socket_reply(imsg);
		break;
	case IMSG_NET_RULE:
		socket_rule(imsg);
		break;
	default:
		fatalx("%s (%u) from netd", proto_name(imsg_get_type(imsg)),
		    imsg_get_type(imsg));
	}
}

/* Take every message that has arrived; 0 when the peer is gone. */
static int
supervisor_messages(struct imsgev *iev, short event, const char *peer,
    void (*fn)(struct imsg *))
{
	struct imsg	 imsg;
	int		 n, open;

	open = worker_read(iev, event, peer);
	for (;;) {
		if ((n = imsgbuf_get(&iev->ibuf, &imsg)) == -1)
			fatal("message from %s", peer);
		if (n == 0)
			break;
		log_debug("%s from %s", proto_name(imsg_get_type(&imsg)), peer);
		fn(&imsg);
		imsg_free(&imsg);
	}
	return (open);
}

static void
supervisor_dispatch_parent(int fd, short event, void *arg)
{
	struct imsgev	*iev = arg;

	(void)fd;
	if (supervisor_messages(iev, event, "the parent",
	    supervisor_parent_imsg))
		imsg_event_add(iev);
	else
		life_orphaned();
}

/*
 * Without the worker that owes answers no call may go on.  At the end of the
 * run the parent lets the workers go first, so their end is then expected.
 */
static void
supervisor_dispatch_worker(struct imsgev *iev, short event, const char *peer,
    void (*fn)(struct imsg *))
{
	near_answered();
	if (supervisor_messages(iev, event, peer, fn)) {
		imsg_event_add(iev);
		return;
	}
	imsg_event_close(iev);
	if (!sup.ending) {
		sup.lost = 1;
		life_end();
	}
}

static void
supervisor_dispatch_cowd(int fd, short event, void *arg)
{
	(void)fd;
	supervisor_dispatch_worker(arg, event, "cowd", supervisor_cowd_imsg);
}

static void
supervisor_dispatch_netd(int fd, short event, void *arg)
{
	(void)fd;
	supervisor_dispatch_worker(arg, event, "netd", supervisor_netd_imsg);
}

/* Report a denial to the parent, who writes it where --log-denials says. */
void
supervisor_denied(const struct request *rq, int error, const char *rule)
{
	struct proto_denial	 pd;

	/* The parent may be stopped; what it does not read must not pile up. */
	if (!sup.conf.filter.log_denials ||
	    imsgbuf_queuelen(&worker_parent.ibuf) > DENIED_QUEUE)
		return;
	memset(&pd, 0, sizeof(pd));
	pd.pid = rq->notif.pid;
	pd.nr = rq->notif.data.nr;
	pd.error = error;
	tree_comm(rq->notif.pid, pd.comm, sizeof(pd.comm));
	/* Of one that was killed the number may be another's. */
	if (!notify_valid(rq))
		strlcpy(pd.comm, "?", sizeof(pd.comm));
	strlcpy(pd.rule, rule, sizeof(pd.rule));
	pd.net_rule = rq->net_rule;
	if (rq->object != NULL)
		strlcpy(pd.object, rq->object, sizeof(pd.object));
	if (proto_send_denial(&worker_parent.ibuf, &pd) == -1)
		log_warn("denial lost");
	else
		imsg_event_add(&worker_parent);
}
