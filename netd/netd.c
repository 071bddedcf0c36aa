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
 * netd: the only program of a sandbox that uses the network for the workload.
 * It takes its rules from the parent and its requests from the supervisor.
 * It sees no path and no memory of the workload; once it runs it can make no
 * socket, only act on those that it is given.
 */

#include <sys/types.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "landlock.h"
#include "bounded.h"
#include "log.h"
#include "netd.h"
#include "worker.h"

struct netrules			*netd_rules;

static enum {
	STATE_CONFIG,		/* the parent is talking */
	STATE_RESOLVE,		/* locked down, looking names up */
	STATE_RUN		/* serving the supervisor */
} state;

static struct net_rules		 names = TAILQ_HEAD_INITIALIZER(names);
static struct workload_ports	 ports = STAILQ_HEAD_INITIALIZER(ports);
static int			 any_connect;
static int			 supervisor_fd = -1;
static struct imsgev		 supervisor;

static void	 netd_dispatch_parent(int, short, void *);
static void	 netd_dispatch_supervisor(int, short, void *);
static void	 netd_resolved(void);
static void	 netd_run(void);

/* The end of a channel is the order to finish. */
static __dead void
netd_shutdown(void)
{
	connect_shutdown();
	_exit(0);
}

/* Every request in flight holds a descriptor. */
static rlim_t
netd_limits(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("setrlimit");
	return (rl.rlim_cur);
}

static void
netd_add_rule(struct imsg *imsg)
{
	struct net_rule	*nr;

	if ((nr = calloc(1, sizeof(*nr))) == NULL)
		fatal("calloc");
	if (proto_recv_rule(imsg, nr) == -1)
		fatalx("bad %s", proto_name(IMSG_CONF_RULE));
	if (nr->target == NET_NAME) {
		TAILQ_INSERT_TAIL(&names, nr, entry);
		return;
	}
	if (netrules_add(netd_rules, nr) == -1)
		fatal("netrules_add");
	free(nr);
}

static int
netd_has_ports(const struct workload_port *wp)
{
	const struct workload_port	*old;

	STAILQ_FOREACH(old, &ports, entry)
		if (old->lo <= wp->lo && old->hi >= wp->hi)
			return (1);
	return (0);
}

static void
netd_add_port(struct imsg *imsg)
{
	struct workload_port	*wp;

	if ((wp = calloc(1, sizeof(*wp))) == NULL)
		fatal("calloc");
	if (proto_recv_port(imsg, wp) == -1)
		fatalx("bad %s", proto_name(IMSG_CONF_PORT));
	/* One rule of Landlock per port: better none than all of them. */
	if (wp->direction == NET_OUT && wp->lo <= 1 && wp->hi == UINT16_MAX) {
		any_connect = 1;
		free(wp);
		return;
	}
	/* netd itself never binds; a range may come once for each name. */
	if (wp->direction == NET_IN || netd_has_ports(wp)) {
		free(wp);
		return;
	}
	STAILQ_INSERT_TAIL(&ports, wp, entry);
}

static void
netd_set_supervisor(int fd)
{
	int	 flags;

	if (fd == -1)
		fatalx("%s without a descriptor",
		    proto_name(IMSG_SOCKET_SUPERVISOR));
	if (supervisor_fd != -1)
		fatalx("second channel to the supervisor");
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("fcntl");
	supervisor_fd = fd;
}

/* Configuration is complete: lock down, then learn the addresses. */
static void
netd_start(void)
{
	struct landlock_self	 ls = { .scope = 1, .ports = &ports,
				    .any_connect = any_connect };

	if (supervisor_fd == -1)
		fatalx("no channel to the supervisor");
	if (!TAILQ_EMPTY(&names))
		resolve_open();
	if ((ls.abi = landlock_abi()) == 0)
		worker_fail("the kernel has no Landlock");
	if (landlock_self(&ls) == -1)
		worker_fail("landlock: %s", strerror(errno));
	if ((TAILQ_EMPTY(&names) ? lock_run() : lock_setup()) == -1)
		worker_fail("seccomp: %s", strerror(errno));
	state = STATE_RESOLVE;
	if (proto_send_empty(&worker_parent.ibuf, IMSG_LOCKED, -1) == -1)
		fatal("%s", proto_name(IMSG_LOCKED));
	imsg_event_add(&worker_parent);
	if (TAILQ_EMPTY(&names))
		netd_run();
	else
		resolve_start(&names, netd_resolved);
}

/* The name servers are done with, and so is all that only they needed. */
static void
netd_resolved(void)
{
	struct net_rule	*nr;

	while ((nr = TAILQ_FIRST(&names)) != NULL) {
		TAILQ_REMOVE(&names, nr, entry);
		free(nr);
	}
	if (lock_run() == -1)
		worker_fail("seccomp: %s", strerror(errno));
	netd_run();
}

/* Requests of the supervisor have waited in the socket until now. */
static void
netd_run(void)
{
	state = STATE_RUN;
	if (imsg_event_init(&supervisor, supervisor_fd,
	    netd_dispatch_supervisor) == -1 ||
	    imsgbuf_set_maxsize(&supervisor.ibuf, PROTO_MAXSIZE) == -1)
		fatal("channel to the supervisor");
	if (proto_send_empty(&worker_parent.ibuf, IMSG_READY, -1) == -1)
		fatal("%s", proto_name(IMSG_READY));
	imsg_event_add(&worker_parent);
}

/* Descriptors come only where the protocol has one. */
static void
netd_no_fd(struct imsg *imsg)
{
	if (imsg_get_fd(imsg) != -1)
		fatalx("%s with a descriptor",
		    proto_name(imsg_get_type(imsg)));
}

static void
netd_dispatch_parent(int fd, short event, void *arg)
{
	struct imsgev	*iev = arg;
	struct imsg	 imsg;
	int		 n;

	(void)fd;
	if (!worker_read(iev, event, "the parent"))
		netd_shutdown();
	for (;;) {
		if ((n = imsgbuf_get(&iev->ibuf, &imsg)) == -1)
			fatal("channel to the parent");
		if (n == 0)
			break;
		if (state != STATE_CONFIG)
			fatalx("unexpected %s from the parent",
			    proto_name(imsg_get_type(&imsg)));
		switch (imsg_get_type(&imsg)) {
		case IMSG_CONF_RULE:
			netd_no_fd(&imsg);
			netd_add_rule(&imsg);
			break;
		case IMSG_CONF_PORT:
			netd_no_fd(&imsg);
			netd_add_port(&imsg);
			break;
		case IMSG_SOCKET_SUPERVISOR:
			if (proto_recv_empty(&imsg) == -1)
				fatalx("bad %s",
				    proto_name(IMSG_SOCKET_SUPERVISOR));
			netd_set_supervisor(imsg_get_fd(&imsg));
			break;
		case IMSG_CONF_END:
			netd_no_fd(&imsg);
			if (proto_recv_empty(&imsg) == -1)
				fatalx("bad %s", proto_name(IMSG_CONF_END));
			netd_start();
			break;
		default:
			fatalx("unexpected %s from the parent",
			    proto_name(imsg_get_type(&imsg)));
		}
		imsg_free(&imsg);
	}
	imsg_event_add(iev);
}

/*
 * The descriptor of a request.  The kernel drops it when there is no slot for
 * it: then the request fails; otherwise the supervisor is at fault.
 */
static int
netd_get_socket(struct imsg *imsg)
{
	int	 fd;

	if ((fd = imsg_get_fd(imsg)) != -1)
		return (fd);
	if ((fd = fcntl(PROTO_PARENT_FD, F_DUPFD_CLOEXEC, 0)) != -1)
		fatalx("%s without a descriptor",
		    proto_name(imsg_get_type(imsg)));
	netd_reply(imsg_get_id(imsg), errno);
	return (-1);
}

static void
netd_dispatch_supervisor(int sock, short event, void *arg)
{
	struct imsgev		*iev = arg;
	struct imsg		 imsg;
	struct proto_connect	 pc;
	int			 fd, n, value;

	(void)sock;
	if (!worker_read(iev, event, "the supervisor"))
		netd_shutdown();
	for (;;) {
		if ((n = imsgbuf_get(&iev->ibuf, &imsg)) == -1)
			fatal("channel to the supervisor");
		if (n == 0)
			break;
		switch (imsg_get_type(&imsg)) {
		case IMSG_NET_CONNECT:
			if (proto_recv_connect(&imsg, &pc) == -1)
				fatalx("bad %s", proto_name(IMSG_NET_CONNECT));
			if ((fd = netd_get_socket(&imsg)) != -1)
				connect_request(imsg_get_id(&imsg), fd, &pc);
			break;
		case IMSG_NET_LISTEN:
			if (proto_recv_value(&imsg, &value) == -1)
				fatalx("bad %s", proto_name(IMSG_NET_LISTEN));
			if ((fd = netd_get_socket(&imsg)) != -1)
				listen_request(imsg_get_id(&imsg), fd, value);
			break;
		case IMSG_NET_CANCEL:
			netd_no_fd(&imsg);
			if (proto_recv_value(&imsg, &value) == -1)
				fatalx("bad %s", proto_name(IMSG_NET_CANCEL));
			connect_cancel(imsg_get_id(&imsg));
			break;
		default:
			fatalx("unexpected %s from the supervisor",
			    proto_name(imsg_get_type(&imsg)));
		}
		imsg_free(&imsg);
	}
	imsg_event_add(iev);
}

void
netd_reply(uint32_t id, int value)
{
	if (proto_send_value(&supervisor.ibuf, IMSG_NET_REPLY, id, -1,
	    value) == -1)
		fatal("%s", proto_name(IMSG_NET_REPLY));
	imsg_event_add(&supervisor);
}

int
main(int argc, char *argv[])
{
	(void)argv;
	worker_init("netd", 0, 0, netd_dispatch_parent);
	if (argc != 1)
		fatalx("takes no arguments");
	bounded_init();
	connect_init(netd_limits());
	if ((netd_rules = netrules_new()) == NULL)
		fatal("netrules_new");
	if (event_dispatch() == -1)
		fatal("event_dispatch");
	fatalx("event loop ended");
}
