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
 * It sees no path and no memory of the workload, and mostly acts on sockets
 * that it is given: it can make some itself only where it makes binds or asks
 * name servers while it runs.
 */

#include <sys/types.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "landlock.h"
#include "bounded.h"
#include "log.h"
#include "netd.h"
#include "worker.h"

struct netrules			*netd_rules;
struct netrules			*netd_literals;

static enum {
	STATE_CONFIG,		/* the parent is talking */
	STATE_RESOLVE,		/* locked down, looking names up */
	STATE_RUN		/* serving the supervisor */
} state;

static struct net_rules		 names = TAILQ_HEAD_INITIALIZER(names);
static struct workload_ports	 ports = STAILQ_HEAD_INITIALIZER(ports);
static int			 any_connect, any_bind, resolver, refresh;
static int			 supervisor_fd = -1;
static struct imsgev		 supervisor;

static void	 netd_dispatch_parent(int, short, void *);
static void	 netd_dispatch_supervisor(int, short, void *);
static void	 netd_reuse(struct imsg *);
static void	 netd_route(struct imsg *);
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
	static uint32_t	 order;
	struct net_rule	*nr;

	if ((nr = calloc(1, sizeof(*nr))) == NULL)
		fatal("calloc");
	if (proto_recv_rule(imsg, nr) == -1)
		fatalx("bad %s", proto_name(IMSG_CONF_RULE));
	if (!nr->block && nr->direction == NET_OUT)
		bind_clients(nr->protos);
	/* The addresses of a name take its place among the rules. */
	nr->order = order++;
	if (nr->target == NET_NAME) {
		TAILQ_INSERT_TAIL(&names, nr, entry);
		return;
	}
	if (netrules_add(netd_rules, nr) == -1 || (netd_literals != NULL &&
	    netrules_add(netd_literals, nr) == -1))
		fatal("netrules_add");
	free(nr);
}

static int
netd_has_ports(const struct workload_port *wp)
{
	const struct workload_port	*old;

	STAILQ_FOREACH(old, &ports, entry)
		if (old->direction == wp->direction && old->lo <= wp->lo &&
		    old->hi >= wp->hi)
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
	if (wp->direction == NET_IN && wp->lo == 0 && wp->hi == UINT16_MAX) {
		any_bind = 1;
		free(wp);
		return;
	}
	if (netd_has_ports(wp)) {
		free(wp);
		return;
	}
	STAILQ_INSERT_TAIL(&ports, wp, entry);
}

/* Addresses that come later are judged by the rules that have no name. */
static void
netd_keep_literals(void)
{
	if (netd_literals == NULL && (netd_literals = netrules_new()) == NULL)
		fatal("netrules_new");
}

/* The workload has a resolver; this comes before the rules. */
static void
netd_resolver(struct imsg *imsg)
{
	if (proto_recv_empty(imsg) == -1 || resolver)
		fatalx("bad %s", proto_name(IMSG_CONF_RESOLVER));
	resolver = 1;
	bind_clients(NET_PROTO_PORTS);
	netd_keep_literals();
}

/* Names are asked for again; this comes before the rules, too. */
static void
netd_refresh(struct imsg *imsg)
{
	if (proto_recv_empty(imsg) == -1 || refresh)
		fatalx("bad %s", proto_name(IMSG_CONF_REFRESH));
	refresh = 1;
	netd_keep_literals();
}

/* A port that Landlock has to let us use, beside those of the rules. */
static void
netd_use_port(enum net_direction direction, uint16_t port)
{
	struct workload_port	*wp;

	if (direction == NET_OUT ? any_connect : any_bind)
		return;
	if ((wp = calloc(1, sizeof(*wp))) == NULL)
		fatal("calloc");
	wp->direction = direction;
	wp->lo = wp->hi = port;
	STAILQ_INSERT_TAIL(&ports, wp, entry);
}

/* With ports of its own a socket may have any, and so may who connects. */
static void
netd_bind(struct imsg *imsg)
{
	int	 remap;

	if (proto_recv_int(imsg, &remap) == -1 || bind_active())
		fatalx("bad %s", proto_name(IMSG_CONF_BIND));
	bind_init(remap);
	if (remap)
		any_bind = any_connect = 1;
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
				    .any_connect = any_connect,
				    .any_bind = any_bind };
	int			 asks;

	if (supervisor_fd == -1)
		fatalx("no channel to the supervisor");
	/* Its port of TCP is one to connect to. */
	if (resolver)
		netd_use_port(NET_OUT, stub_open());
	if (bind_any_port())
		netd_use_port(NET_IN, 0);
	asks = resolver || !TAILQ_EMPTY(&names);
	if (asks)
		resolve_open(resolver || refresh);
	if ((ls.abi = landlock_abi()) == 0)
		worker_fail("the kernel has no Landlock");
	if (landlock_self(&ls) == -1)
		worker_fail("landlock: %s", strerror(errno));
	if ((asks ? lock_setup(bind_active(), resolver) :
	    lock_run(bind_active(), 0, 0)) == -1)
		worker_fail("seccomp: %s", strerror(errno));
	state = STATE_RESOLVE;
	if (proto_send_empty(&worker_parent.ibuf, IMSG_LOCKED, -1) == -1)
		fatal("%s", proto_name(IMSG_LOCKED));
	imsg_event_add(&worker_parent);
	if (asks)
		resolve_start(&names, resolver, refresh, netd_resolved);
	else
		netd_run();
}

/*
 * Without a resolver or refreshing the name servers are done with, and so is
 * all that only they needed.
 */
static void
netd_resolved(void)
{
	struct net_rule	*nr;

	while (!resolver && !refresh && (nr = TAILQ_FIRST(&names)) != NULL) {
		TAILQ_REMOVE(&names, nr, entry);
		free(nr);
	}
	if (lock_run(bind_active(), resolver, refresh) == -1)
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
	if (resolver)
		stub_run(&names);
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
		case IMSG_CONF_RESOLVER:
			netd_no_fd(&imsg);
			netd_resolver(&imsg);
			break;
		case IMSG_CONF_REFRESH:
			netd_no_fd(&imsg);
			netd_refresh(&imsg);
			break;
		case IMSG_CONF_BIND:
			netd_no_fd(&imsg);
			netd_bind(&imsg);
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
	if (!imsg_lost_fd(imsg))
		fatalx("%s without a descriptor",
		    proto_name(imsg_get_type(imsg)));
	netd_reply(imsg_get_id(imsg), EMFILE);
	return (-1);
}

static void
netd_dispatch_supervisor(int sock, short event, void *arg)
{
	struct imsgev		*iev = arg;
	struct imsg		 imsg;
	struct proto_connect	 pc;
	struct proto_datagram	 pd;
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
		case IMSG_NET_BIND:
			if (!bind_active() ||
			    proto_recv_bind(&imsg, &pc) == -1)
				fatalx("bad %s", proto_name(IMSG_NET_BIND));
			if ((fd = netd_get_socket(&imsg)) != -1)
				bind_request(imsg_get_id(&imsg), fd, &pc);
			break;
		case IMSG_NET_REUSEADDR:
		case IMSG_NET_REUSEPORT:
			netd_reuse(&imsg);
			break;
		case IMSG_NET_ROUTE:
		case IMSG_NET_ROUTE_PORT:
			netd_route(&imsg);
			break;
		case IMSG_NET_SEND:
			if (proto_recv_datagram(&imsg, &pd) == -1)
				fatalx("bad %s", proto_name(IMSG_NET_SEND));
			if ((fd = netd_get_socket(&imsg)) != -1)
				send_request(imsg_get_id(&imsg), fd, &pd);
			proto_free_datagram(&pd);
			break;
		case IMSG_NET_CANCEL:
			netd_no_fd(&imsg);
			if (proto_recv_value(&imsg, &value) == -1)
				fatalx("bad %s", proto_name(IMSG_NET_CANCEL));
			connect_cancel(imsg_get_id(&imsg), value);
			break;
		default:
			fatalx("unexpected %s from the supervisor",
			    proto_name(imsg_get_type(&imsg)));
		}
		imsg_free(&imsg);
	}
	imsg_event_add(iev);
}

/* Options that may share a port are set here where binds are made here. */
static void
netd_reuse(struct imsg *imsg)
{
	int	 fd, on;

	if (!bind_active() || proto_recv_value(imsg, &on) == -1 ||
	    (on != 0 && on != 1))
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	if ((fd = netd_get_socket(imsg)) != -1)
		reuse_request(imsg_get_id(imsg), fd, imsg_get_type(imsg) ==
		    IMSG_NET_REUSEADDR ? SO_REUSEADDR : SO_REUSEPORT, on);
}

/* For the log of denials: by which rule, if it was for one. */
static void
netd_send_rule(uint32_t id)
{
	int64_t	 order;

	if ((order = netrule_reason()) == -1 || order > INT_MAX)
		return;
	if (proto_send_value(&supervisor.ibuf, IMSG_NET_RULE, id, -1,
	    (int)order) == -1)
		fatal("%s", proto_name(IMSG_NET_RULE));
}

void
netd_port(const struct port_binding *pb)
{
	if (proto_send_binding(&supervisor.ibuf, IMSG_NET_PORT, pb) == -1)
		fatal("%s", proto_name(IMSG_NET_PORT));
	imsg_event_add(&supervisor);
}

void
netd_send(uint32_t type, uint32_t id, int fd, int value)
{
	if (proto_send_value(&supervisor.ibuf, type, id, fd, value) == -1)
		fatal("%s", proto_name(type));
	imsg_event_add(&supervisor);
}

void
netd_reply(uint32_t id, int value)
{
	if ((value & PROTO_DENIED) != 0)
		netd_send_rule(id);
	netd_send(IMSG_NET_REPLY, id, -1, value);
}

static void
netd_route(struct imsg *imsg)
{
	struct proto_route	 pr;

	netd_no_fd(imsg);
	if (proto_recv_route(imsg, &pr) == -1)
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	if (imsg_get_type(imsg) == IMSG_NET_ROUTE)
		netlink_open(imsg_get_id(imsg), &pr);
	else
		netlink_port(imsg_get_id(imsg), &pr);
}

int
main(int argc, char *argv[])
{
	rlim_t	 descriptors;

	(void)argv;
	worker_init("netd", 0, 0, netd_dispatch_parent);
	if (argc != 1)
		fatalx("takes no arguments");
	bounded_init();
	descriptors = netd_limits();
	connect_init(descriptors);
	resolve_init(descriptors);
	if ((netd_rules = netrules_new()) == NULL)
		fatal("netrules_new");
	if (event_dispatch() == -1)
		fatal("event_dispatch");
	fatalx("event loop ended");
}
