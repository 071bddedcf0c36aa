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
 * Writers and readers of every message, in pairs.  A reader accepts exactly
 * what its writer makes: fixed fields in host order, strings by the rest of
 * the payload with no NUL inside.  No struct goes over a channel as a whole,
 * so no padding and no pointer does.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto.h"

/* More than the largest fixed message. */
#define PROTO_HINT	64

static const char	*proto_names[IMSG_MAX] = {
	[IMSG_NONE] = "none",
	[IMSG_CONF_WORKLOAD] = "conf_workload",
	[IMSG_CONF_PATH] = "conf_path",
	[IMSG_CONF_PORT] = "conf_port",
	[IMSG_CONF_SYSCALL] = "conf_syscall",
	[IMSG_CONF_ARG] = "conf_arg",
	[IMSG_CONF_ENV] = "conf_env",
	[IMSG_CONF_DIRECTORY] = "conf_directory",
	[IMSG_CONF_PASSFD] = "conf_passfd",
	[IMSG_CONF_RULE] = "conf_rule",
	[IMSG_CONF_BIND] = "conf_bind",
	[IMSG_CONF_RESOLVER] = "conf_resolver",
	[IMSG_CONF_REFRESH] = "conf_refresh",
	[IMSG_CONF_PRIVATE] = "conf_private",
	[IMSG_CONF_STORAGE] = "conf_storage",
	[IMSG_CONF_BRANCH] = "conf_branch",
	[IMSG_CONF_LOCK] = "conf_lock",
	[IMSG_CONF_RIGHTS] = "conf_rights",
	[IMSG_CONF_TOP] = "conf_top",
	[IMSG_CONF_VIEW] = "conf_view",
	[IMSG_CONF_LOWER] = "conf_lower",
	[IMSG_CONF_UPPER] = "conf_upper",
	[IMSG_CONF_SERVER] = "conf_server",
	[IMSG_CONF_TMP] = "conf_tmp",
	[IMSG_CONF_END] = "conf_end",
	[IMSG_SOCKET_SUPERVISOR] = "socket_supervisor",
	[IMSG_SOCKET_COWD] = "socket_cowd",
	[IMSG_SOCKET_NETD] = "socket_netd",
	[IMSG_LOCKED] = "locked",
	[IMSG_VIRTUAL] = "virtual",
	[IMSG_READY] = "ready",
	[IMSG_GO] = "go",
	[IMSG_STARTED] = "started",
	[IMSG_EXEC_FAILED] = "exec_failed",
	[IMSG_SIGNAL] = "signal",
	[IMSG_KILL] = "kill",
	[IMSG_SIGNALLED] = "signalled",
	[IMSG_STOPPED] = "stopped",
	[IMSG_COUNT] = "count",
	[IMSG_EXITED] = "exited",
	[IMSG_ERROR] = "error",
	[IMSG_NEAR_COWD] = "near_cowd",
	[IMSG_NEAR_NETD] = "near_netd",
	[IMSG_DENIAL] = "denial",
	[IMSG_PORT] = "port",
	[IMSG_BRANCH] = "branch",
	[IMSG_BRANCH_PATH] = "branch_path",
	[IMSG_BRANCH_CHANGE] = "branch_change",
	[IMSG_BRANCH_TEXT] = "branch_text",
	[IMSG_BRANCH_DONE] = "branch_done",
	[IMSG_META] = "meta",
	[IMSG_META_REPLY] = "meta_reply",
	[IMSG_UNIX_SOCKET] = "unix_socket",
	[IMSG_UNIX_CONNECT] = "unix_connect",
	[IMSG_UNIX_SEND] = "unix_send",
	[IMSG_UNIX_REPLY] = "unix_reply",
	[IMSG_LISTENER] = "listener",
	[IMSG_VIEW] = "view",
	[IMSG_VIEW_FORGET] = "view_forget",
	[IMSG_VIEW_REPLY] = "view_reply",
	[IMSG_VIEW_GIVEN] = "view_given",
	[IMSG_VIEW_GIVEN_FILE] = "view_given_file",
	[IMSG_VIEW_DONE] = "view_done",
	[IMSG_TAKEN] = "taken",
	[IMSG_EMPTY] = "empty",
	[IMSG_EMPTY_REPLY] = "empty_reply",
	[IMSG_USAGE] = "usage",
	[IMSG_USAGE_REPLY] = "usage_reply",
	[IMSG_NET_CONNECT] = "net_connect",
	[IMSG_NET_LISTEN] = "net_listen",
	[IMSG_NET_BIND] = "net_bind",
	[IMSG_NET_REUSEADDR] = "net_reuseaddr",
	[IMSG_NET_REUSEPORT] = "net_reuseport",
	[IMSG_NET_ROUTE] = "net_route",
	[IMSG_NET_ROUTE_PORT] = "net_route_port",
	[IMSG_NET_ROUTE_SOCKET] = "net_route_socket",
	[IMSG_NET_ROUTE_GONE] = "net_route_gone",
	[IMSG_NET_SEND] = "net_send",
	[IMSG_NET_CANCEL] = "net_cancel",
	[IMSG_NET_RULE] = "net_rule",
	[IMSG_NET_PORT] = "net_port",
	[IMSG_NET_REPLY] = "net_reply"
};

const char *
proto_name(uint32_t type)
{
	if (type >= IMSG_MAX || proto_names[type] == NULL)
		return ("unknown");
	return (proto_names[type]);
}

/* Queue a message made of one buffer; the fd is taken on success only. */
static int
proto_compose(struct imsgbuf *ib, uint32_t type, uint32_t id, int fd,
    const void *data, size_t len)
{
	return (imsg_compose(ib, type, id, 0, fd, data, len) == -1 ? -1 : 0);
}

/* The payload as a view; empty payloads have none. */
static int
proto_open(struct imsg *imsg, struct ibuf *view)
{
	if (imsg_get_len(imsg) == 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (imsg_get_ibuf(imsg, view));
}

static int
proto_done(const struct ibuf *view)
{
	if (ibuf_size(view) != 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (0);
}

static int
proto_bad(void)
{
	errno = EBADMSG;
	return (-1);
}

/* A flag travels as one byte, 0 or 1. */
static int
proto_add_flag(struct ibuf *b, int flag)
{
	return (ibuf_add_n8(b, flag != 0));
}

static int
proto_get_flag(struct ibuf *b, int *flag)
{
	uint8_t	 v;

	if (ibuf_get_n8(b, &v) == -1)
		return (-1);
	if (v > 1)
		return (proto_bad());
	*flag = v;
	return (0);
}

static int
proto_add_int(struct ibuf *b, int value)
{
	return (ibuf_add_h32(b, (uint32_t)value));
}

static int
proto_get_int(struct ibuf *b, int *value)
{
	uint32_t	 v;

	if (ibuf_get_h32(b, &v) == -1)
		return (-1);
	*value = (int)v;
	return (0);
}

/* A verdict of the filter. */
static int
proto_get_verdict(struct ibuf *b, enum filter_verdict *verdict)
{
	uint8_t	 v;

	if (ibuf_get_n8(b, &v) == -1)
		return (-1);
	if (v > FILTER_NOTIFY)
		return (proto_bad());
	*verdict = v;
	return (0);
}

static int
proto_get_holes(struct ibuf *b, enum hole_level *level)
{
	uint8_t	 v;

	if (ibuf_get_n8(b, &v) == -1)
		return (-1);
	if (v > HOLES_READ)
		return (proto_bad());
	*level = v;
	return (0);
}

/* The rest of the payload as a string, at most max bytes long. */
static int
proto_get_rest(struct ibuf *b, size_t max, char **out)
{
	size_t	 len = ibuf_size(b);

	if (len > max || memchr(ibuf_data(b), '\0', len) != NULL)
		return (proto_bad());
	if (len == 0)
		*out = strdup("");
	else
		*out = ibuf_get_string(b, len);
	return (*out == NULL ? -1 : 0);
}

int
proto_send_workload(struct imsgbuf *ib, const struct workload_conf *wc)
{
	const struct filter_conf	*fc = &wc->filter;
	struct ibuf			*b;

	if ((b = imsg_create(ib, IMSG_CONF_WORKLOAD, 0, 0,
	    PROTO_HINT + sizeof(wc->cpus))) == NULL)
		return (-1);
	if (proto_add_flag(b, fc->allow_list) == -1 ||
	    proto_add_flag(b, fc->log_denials) == -1 ||
	    ibuf_add_n8(b, fc->fork) == -1 ||
	    ibuf_add_n8(b, fc->meta) == -1 ||
	    ibuf_add_n8(b, fc->connect) == -1 ||
	    ibuf_add_n8(b, fc->listen) == -1 ||
	    proto_add_flag(b, fc->view) == -1 ||
	    ibuf_add_n8(b, fc->holes) == -1 ||
	    proto_add_flag(b, fc->quota) == -1 ||
	    proto_add_flag(b, fc->unix_sockets) == -1 ||
	    proto_add_flag(b, fc->inet_sockets) == -1 ||
	    proto_add_flag(b, fc->udp) == -1 ||
	    proto_add_flag(b, fc->icmp) == -1 ||
	    proto_add_flag(b, fc->groups) == -1 ||
	    proto_add_flag(b, fc->send) == -1 ||
	    proto_add_flag(b, fc->bind) == -1 ||
	    proto_add_flag(b, fc->remap) == -1 ||
	    proto_add_flag(b, fc->netlink) == -1 ||
	    proto_add_flag(b, fc->hosts) == -1 ||
	    proto_add_flag(b, fc->cpus_fixed) == -1 ||
	    ibuf_add_h32(b, wc->protections) == -1 ||
	    proto_add_int(b, wc->abi) == -1 ||
	    proto_add_flag(b, wc->any_connect) == -1 ||
	    proto_add_flag(b, wc->any_bind) == -1 ||
	    proto_add_flag(b, wc->way_out) == -1 ||
	    proto_add_flag(b, wc->terminal) == -1 ||
	    proto_add_flag(b, wc->no_coredump) == -1 ||
	    proto_add_flag(b, wc->no_huge_pages) == -1 ||
	    proto_add_flag(b, wc->no_randomize_memory) == -1 ||
	    proto_add_flag(b, wc->cpu_set) == -1 ||
	    ibuf_add(b, &wc->cpus, sizeof(wc->cpus)) == -1 ||
	    ibuf_add_h32(b, wc->max_processes) == -1 ||
	    ibuf_add_h32(b, wc->cpu_percent) == -1 ||
	    ibuf_add_h64(b, wc->max_disk) == -1 ||
	    proto_add_flag(b, wc->verbose) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_workload(struct imsg *imsg, struct workload_conf *wc)
{
	struct filter_conf	*fc = &wc->filter;
	struct ibuf		 b;

	if (proto_open(imsg, &b) == -1 ||
	    proto_get_flag(&b, &fc->allow_list) == -1 ||
	    proto_get_flag(&b, &fc->log_denials) == -1 ||
	    proto_get_verdict(&b, &fc->fork) == -1 ||
	    proto_get_verdict(&b, &fc->meta) == -1 ||
	    proto_get_verdict(&b, &fc->connect) == -1 ||
	    proto_get_verdict(&b, &fc->listen) == -1 ||
	    proto_get_flag(&b, &fc->view) == -1 ||
	    proto_get_holes(&b, &fc->holes) == -1 ||
	    proto_get_flag(&b, &fc->quota) == -1 ||
	    proto_get_flag(&b, &fc->unix_sockets) == -1 ||
	    proto_get_flag(&b, &fc->inet_sockets) == -1 ||
	    proto_get_flag(&b, &fc->udp) == -1 ||
	    proto_get_flag(&b, &fc->icmp) == -1 ||
	    proto_get_flag(&b, &fc->groups) == -1 ||
	    proto_get_flag(&b, &fc->send) == -1 ||
	    proto_get_flag(&b, &fc->bind) == -1 ||
	    proto_get_flag(&b, &fc->remap) == -1 ||
	    proto_get_flag(&b, &fc->netlink) == -1 ||
	    proto_get_flag(&b, &fc->hosts) == -1 ||
	    proto_get_flag(&b, &fc->cpus_fixed) == -1 ||
	    ibuf_get_h32(&b, &wc->protections) == -1 ||
	    proto_get_int(&b, &wc->abi) == -1 ||
	    proto_get_flag(&b, &wc->any_connect) == -1 ||
	    proto_get_flag(&b, &wc->any_bind) == -1 ||
	    proto_get_flag(&b, &wc->way_out) == -1 ||
	    proto_get_flag(&b, &wc->terminal) == -1 ||
	    proto_get_flag(&b, &wc->no_coredump) == -1 ||
	    proto_get_flag(&b, &wc->no_huge_pages) == -1 ||
	    proto_get_flag(&b, &wc->no_randomize_memory) == -1 ||
	    proto_get_flag(&b, &wc->cpu_set) == -1 ||
	    ibuf_get(&b, &wc->cpus, sizeof(wc->cpus)) == -1 ||
	    ibuf_get_h32(&b, &wc->max_processes) == -1 ||
	    ibuf_get_h32(&b, &wc->cpu_percent) == -1 ||
	    ibuf_get_h64(&b, &wc->max_disk) == -1 ||
	    proto_get_flag(&b, &wc->verbose) == -1)
		return (proto_bad());
	return (proto_done(&b));
}

int
proto_send_path(struct imsgbuf *ib, const struct workload_path *wp)
{
	return (proto_send_rights(ib, IMSG_CONF_PATH, wp));
}

int
proto_send_rights(struct imsgbuf *ib, uint32_t type,
    const struct workload_path *wp)
{
	size_t		 len = strlen(wp->path);
	struct ibuf	*b;

	if ((b = imsg_create(ib, type, 0, 0, 2 + len)) == NULL)
		return (-1);
	if (ibuf_add_n8(b, wp->perms) == -1 ||
	    proto_add_flag(b, wp->optional) == -1 ||
	    ibuf_add(b, wp->path, len) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_path(struct imsg *imsg, struct workload_path *wp)
{
	struct ibuf	 b;
	uint8_t		 perms;

	if (proto_open(imsg, &b) == -1 || ibuf_get_n8(&b, &perms) == -1 ||
	    proto_get_flag(&b, &wp->optional) == -1 ||
	    (perms & ~PERM_MASK) != 0)
		return (proto_bad());
	wp->perms = perms;
	if (proto_get_rest(&b, PATH_MAX - 1, &wp->path) == -1)
		return (-1);
	if (wp->path[0] != '/') {
		free(wp->path);
		return (proto_bad());
	}
	return (0);
}

int
proto_send_port(struct imsgbuf *ib, const struct workload_port *wp)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_CONF_PORT, 0, 0, 5)) == NULL)
		return (-1);
	if (ibuf_add_n8(b, wp->direction) == -1 ||
	    ibuf_add_h16(b, wp->lo) == -1 || ibuf_add_h16(b, wp->hi) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_port(struct imsg *imsg, struct workload_port *wp)
{
	struct ibuf	 b;
	uint8_t		 direction;

	if (proto_open(imsg, &b) == -1 || ibuf_get_n8(&b, &direction) == -1 ||
	    ibuf_get_h16(&b, &wp->lo) == -1 ||
	    ibuf_get_h16(&b, &wp->hi) == -1 || direction > NET_IN ||
	    wp->lo > wp->hi)
		return (proto_bad());
	wp->direction = direction;
	return (proto_done(&b));
}

int
proto_send_syscall(struct imsgbuf *ib, const struct filter_change *fc)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_CONF_SYSCALL, 0, 0, 5)) == NULL)
		return (-1);
	if (proto_add_int(b, fc->nr) == -1 ||
	    proto_add_flag(b, fc->permit) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_syscall(struct imsg *imsg, struct filter_change *fc)
{
	struct ibuf	 b;

	if (proto_open(imsg, &b) == -1 ||
	    proto_get_int(&b, &fc->nr) == -1 ||
	    proto_get_flag(&b, &fc->permit) == -1 ||
	    fc->nr < 0 || fc->nr > SYSCALL_LAST)
		return (proto_bad());
	return (proto_done(&b));
}

int
proto_send_rule(struct imsgbuf *ib, const struct net_rule *nr)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_CONF_RULE, 0, 0,
	    PROTO_HINT + sizeof(nr->name))) == NULL)
		return (-1);
	if (ibuf_add_n8(b, nr->direction) == -1 ||
	    ibuf_add_n8(b, nr->target) == -1 ||
	    ibuf_add_n8(b, nr->protos) == -1 ||
	    proto_add_flag(b, nr->block) == -1 ||
	    proto_add_flag(b, nr->quick) == -1 ||
	    ibuf_add_h16(b, nr->family) == -1 ||
	    ibuf_add(b, &nr->addr, sizeof(nr->addr)) == -1 ||
	    ibuf_add_n8(b, nr->bits) == -1 ||
	    ibuf_add_strbuf(b, nr->name, sizeof(nr->name)) == -1 ||
	    ibuf_add_h16(b, nr->port_lo) == -1 ||
	    ibuf_add_h16(b, nr->port_hi) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_rule(struct imsg *imsg, struct net_rule *nr)
{
	struct ibuf	 b;
	uint8_t		 direction, protos, target;

	if (proto_open(imsg, &b) == -1 || ibuf_get_n8(&b, &direction) == -1 ||
	    ibuf_get_n8(&b, &target) == -1 ||
	    ibuf_get_n8(&b, &protos) == -1 ||
	    proto_get_flag(&b, &nr->block) == -1 ||
	    proto_get_flag(&b, &nr->quick) == -1 ||
	    ibuf_get_h16(&b, &nr->family) == -1 ||
	    ibuf_get(&b, &nr->addr, sizeof(nr->addr)) == -1 ||
	    ibuf_get_n8(&b, &nr->bits) == -1 ||
	    ibuf_get_strbuf(&b, nr->name, sizeof(nr->name)) == -1 ||
	    ibuf_get_h16(&b, &nr->port_lo) == -1 ||
	    ibuf_get_h16(&b, &nr->port_hi) == -1)
		return (proto_bad());
	if (direction > NET_IN || target > NET_NAME || protos == 0 ||
	    (protos & ~NET_PROTO_ALL) != 0 || nr->port_lo > nr->port_hi)
		return (proto_bad());
	if (target == NET_ADDRESS && !((nr->family == AF_INET &&
	    nr->bits <= 32) || (nr->family == AF_INET6 && nr->bits <= 128)))
		return (proto_bad());
	nr->direction = direction;
	nr->target = target;
	nr->protos = protos;
	nr->order = 0;
	return (proto_done(&b));
}

int
proto_send_string(struct imsgbuf *ib, uint32_t type, const char *s)
{
	return (proto_compose(ib, type, 0, -1, s, strlen(s)));
}

int
proto_recv_string(struct imsg *imsg, char **s)
{
	struct ibuf	 b;

	if (imsg_get_len(imsg) == 0)
		return ((*s = strdup("")) == NULL ? -1 : 0);
	if (imsg_get_ibuf(imsg, &b) == -1)
		return (-1);
	return (proto_get_rest(&b, PROTO_MAXSIZE, s));
}

int
proto_send_int(struct imsgbuf *ib, uint32_t type, int value, int fd)
{
	return (proto_send_value(ib, type, 0, fd, value));
}

int
proto_recv_int(struct imsg *imsg, int *value)
{
	return (proto_recv_value(imsg, value));
}

int
proto_send_empty(struct imsgbuf *ib, uint32_t type, int fd)
{
	return (proto_compose(ib, type, 0, fd, NULL, 0));
}

int
proto_recv_empty(struct imsg *imsg)
{
	return (imsg_get_len(imsg) == 0 ? 0 : proto_bad());
}

int
proto_send_failure(struct imsgbuf *ib, const struct proto_failure *pf)
{
	int	 v[2] = { pf->error, pf->stage };

	return (proto_compose(ib, IMSG_EXEC_FAILED, 0, -1, v, sizeof(v)));
}

int
proto_recv_failure(struct imsg *imsg, struct proto_failure *pf)
{
	int	 v[2];

	if (imsg_get_data(imsg, v, sizeof(v)) == -1)
		return (proto_bad());
	pf->error = v[0];
	pf->stage = v[1];
	if (pf->stage <= STAGE_NONE || pf->stage > STAGE_KILLED)
		return (proto_bad());
	return (0);
}

int
proto_send_exit(struct imsgbuf *ib, const struct proto_exit *pe)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_EXITED, 0, 0, 28)) == NULL)
		return (-1);
	if (proto_add_int(b, pe->status) == -1 ||
	    ibuf_add_h64(b, pe->cpu_us) == -1 ||
	    ibuf_add_h64(b, pe->maxrss_kb) == -1 ||
	    ibuf_add_h64(b, pe->processes) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_exit(struct imsg *imsg, struct proto_exit *pe)
{
	struct ibuf	 b;

	if (proto_open(imsg, &b) == -1 ||
	    proto_get_int(&b, &pe->status) == -1 ||
	    ibuf_get_h64(&b, &pe->cpu_us) == -1 ||
	    ibuf_get_h64(&b, &pe->maxrss_kb) == -1 ||
	    ibuf_get_h64(&b, &pe->processes) == -1)
		return (proto_bad());
	return (proto_done(&b));
}

int
proto_send_count(struct imsgbuf *ib, const struct proto_count *pc)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_COUNT, 0, 0, 12)) == NULL)
		return (-1);
	if (proto_add_int(b, pc->nr) == -1 ||
	    ibuf_add_h64(b, pc->count) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_count(struct imsg *imsg, struct proto_count *pc)
{
	struct ibuf	 b;

	if (proto_open(imsg, &b) == -1 ||
	    proto_get_int(&b, &pc->nr) == -1 ||
	    ibuf_get_h64(&b, &pc->count) == -1 ||
	    pc->nr < 0 || pc->nr > SYSCALL_LAST)
		return (proto_bad());
	return (proto_done(&b));
}

int
proto_send_denial(struct imsgbuf *ib, const struct proto_denial *pd)
{
	size_t		 len = strlen(pd->object);
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_DENIAL, 0, 0, PROTO_HINT + len)) == NULL)
		return (-1);
	if (proto_add_int(b, pd->pid) == -1 ||
	    proto_add_int(b, pd->nr) == -1 ||
	    proto_add_int(b, pd->error) == -1 ||
	    ibuf_add_strbuf(b, pd->comm, sizeof(pd->comm)) == -1 ||
	    ibuf_add_strbuf(b, pd->rule, sizeof(pd->rule)) == -1 ||
	    proto_add_int(b, pd->net_rule) == -1 ||
	    ibuf_add(b, pd->object, len) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_denial(struct imsg *imsg, struct proto_denial *pd)
{
	struct ibuf	 b;
	char		*object;

	if (proto_open(imsg, &b) == -1 ||
	    proto_get_int(&b, &pd->pid) == -1 ||
	    proto_get_int(&b, &pd->nr) == -1 ||
	    proto_get_int(&b, &pd->error) == -1 ||
	    ibuf_get_strbuf(&b, pd->comm, sizeof(pd->comm)) == -1 ||
	    ibuf_get_strbuf(&b, pd->rule, sizeof(pd->rule)) == -1 ||
	    proto_get_int(&b, &pd->net_rule) == -1)
		return (proto_bad());
	if (proto_get_rest(&b, sizeof(pd->object) - 1, &object) == -1)
		return (-1);
	memcpy(pd->object, object, strlen(object) + 1);
	free(object);
	return (0);
}

int
proto_send_place(struct imsgbuf *ib, uint32_t type, const char *name, int fd)
{
	return (proto_compose(ib, type, 0, fd, name, strlen(name)));
}

int
proto_send_branch(struct imsgbuf *ib, const struct proto_branch *pb, int fd)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_CONF_BRANCH, 0, 0, PROTO_HINT)) == NULL)
		return (-1);
	if (ibuf_add_h64(b, pb->start.tv_sec) == -1 ||
	    ibuf_add_h64(b, pb->start.tv_nsec) == -1 ||
	    proto_add_flag(b, pb->keep) == -1) {
		ibuf_free(b);
		return (-1);
	}
	if (fd != -1)
		ibuf_fd_set(b, fd);
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_branch(struct imsg *imsg, struct proto_branch *pb)
{
	struct ibuf	 b;
	uint64_t	 sec, nsec;

	if (proto_open(imsg, &b) == -1 || ibuf_get_h64(&b, &sec) == -1 ||
	    ibuf_get_h64(&b, &nsec) == -1 || nsec > 999999999 ||
	    proto_get_flag(&b, &pb->keep) == -1)
		return (proto_bad());
	pb->start.tv_sec = (time_t)sec;
	pb->start.tv_nsec = (long)nsec;
	return (proto_done(&b));
}

int
proto_send_change(struct imsgbuf *ib, const struct proto_change *pc)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_BRANCH_CHANGE, 0, 0,
	    1 + strlen(pc->path))) == NULL)
		return (-1);
	if (ibuf_add_n8(b, pc->kind) == -1 ||
	    ibuf_add(b, pc->path, strlen(pc->path)) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_change(struct imsg *imsg, struct proto_change *pc)
{
	struct ibuf	 b;
	uint8_t		 kind;

	if (proto_open(imsg, &b) == -1 || ibuf_get_n8(&b, &kind) == -1 ||
	    kind == 0 || strchr("AMDTCNR", kind) == NULL)
		return (proto_bad());
	pc->kind = (char)kind;
	return (proto_get_rest(&b, PROTO_MAXSIZE, &pc->path));
}

/* Bytes, which their receiver passes on as they are. */
int
proto_send_text(struct imsgbuf *ib, const void *text, size_t len)
{
	return (proto_compose(ib, IMSG_BRANCH_TEXT, 0, -1, text, len));
}

int
proto_send_outcome(struct imsgbuf *ib, const struct proto_outcome *po)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_BRANCH_DONE, 0, 0,
	    PROTO_HINT + PROTO_WHAT_MAX + strlen(po->path))) == NULL)
		return (-1);
	if (ibuf_add_n8(b, po->outcome) == -1 ||
	    proto_add_int(b, po->error) == -1 ||
	    ibuf_add_h64(b, po->added) == -1 ||
	    ibuf_add_h64(b, po->changed) == -1 ||
	    ibuf_add_h64(b, po->deleted) == -1 ||
	    ibuf_add_strbuf(b, po->what, sizeof(po->what)) == -1 ||
	    ibuf_add(b, po->path, strlen(po->path)) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_outcome(struct imsg *imsg, struct proto_outcome *po)
{
	struct ibuf	 b;
	uint8_t		 outcome;

	if (proto_open(imsg, &b) == -1 || ibuf_get_n8(&b, &outcome) == -1 ||
	    outcome > OUTCOME_STUCK || proto_get_int(&b, &po->error) == -1 ||
	    po->error < 0 || ibuf_get_h64(&b, &po->added) == -1 ||
	    ibuf_get_h64(&b, &po->changed) == -1 ||
	    ibuf_get_h64(&b, &po->deleted) == -1 ||
	    ibuf_get_strbuf(&b, po->what, sizeof(po->what)) == -1)
		return (proto_bad());
	po->outcome = outcome;
	return (proto_get_rest(&b, PROTO_MAXSIZE, &po->path));
}

int
proto_send_meta(struct imsgbuf *ib, uint32_t id, int fd,
    const struct proto_meta *pm)
{
	struct ibuf	*b;
	int		 i;

	if (pm->value_len > PROTO_XATTR_MAX) {
		errno = E2BIG;
		return (-1);
	}
	if ((b = imsg_create(ib, IMSG_META, id, 0,
	    PROTO_HINT + sizeof(pm->xattr_name) + pm->value_len)) == NULL)
		return (-1);
	if (ibuf_add_n8(b, pm->op) == -1 || ibuf_add_h32(b, pm->mode) == -1 ||
	    ibuf_add_h32(b, pm->uid) == -1 || ibuf_add_h32(b, pm->gid) == -1 ||
	    proto_add_flag(b, pm->times_now) == -1 ||
	    proto_add_int(b, pm->xattr_flags) == -1 ||
	    ibuf_add_strbuf(b, pm->xattr_name, sizeof(pm->xattr_name)) == -1)
		goto fail;
	for (i = 0; i < 2; i++)
		if (ibuf_add_h64(b, pm->times[i].tv_sec) == -1 ||
		    ibuf_add_h64(b, pm->times[i].tv_nsec) == -1)
			goto fail;
	if (ibuf_add(b, pm->value, pm->value_len) == -1)
		goto fail;
	if (fd != -1)
		ibuf_fd_set(b, fd);
	imsg_close(ib, b);
	return (0);

 fail:
	ibuf_free(b);
	return (-1);
}

int
proto_recv_meta(struct imsg *imsg, struct proto_meta *pm)
{
	struct ibuf	 b;
	uint64_t	 sec, nsec;
	uint8_t		 op;
	int		 i;

	memset(pm, 0, sizeof(*pm));
	if (proto_open(imsg, &b) == -1 || ibuf_get_n8(&b, &op) == -1 ||
	    ibuf_get_h32(&b, &pm->mode) == -1 ||
	    ibuf_get_h32(&b, &pm->uid) == -1 ||
	    ibuf_get_h32(&b, &pm->gid) == -1 ||
	    proto_get_flag(&b, &pm->times_now) == -1 ||
	    proto_get_int(&b, &pm->xattr_flags) == -1 ||
	    ibuf_get_strbuf(&b, pm->xattr_name, sizeof(pm->xattr_name)) == -1)
		return (proto_bad());
	for (i = 0; i < 2; i++) {
		if (ibuf_get_h64(&b, &sec) == -1 ||
		    ibuf_get_h64(&b, &nsec) == -1)
			return (proto_bad());
		pm->times[i].tv_sec = (time_t)sec;
		pm->times[i].tv_nsec = (long)nsec;
	}
	pm->value_len = ibuf_size(&b);
	if (op > META_REMOVEXATTR || pm->value_len > PROTO_XATTR_MAX)
		return (proto_bad());
	pm->op = op;
	if (pm->value_len == 0)
		return (0);
	if ((pm->value = malloc(pm->value_len)) == NULL)
		return (-1);
	return (ibuf_get(&b, pm->value, pm->value_len));
}

/* A string that is not the last thing in a message: its length goes first. */
static int
proto_add_string(struct ibuf *b, const char *s)
{
	size_t	 len = strlen(s);

	if (ibuf_add_h32(b, len) == -1)
		return (-1);
	return (ibuf_add(b, s, len));
}

static int
proto_get_string(struct ibuf *b, char **s)
{
	uint32_t	 len;

	if (ibuf_get_h32(b, &len) == -1 || len > ibuf_size(b) ||
	    memchr(ibuf_data(b), '\0', len) != NULL)
		return (proto_bad());
	if (len == 0)
		*s = strdup("");
	else
		*s = ibuf_get_string(b, len);
	return (*s == NULL ? -1 : 0);
}

void
proto_free_view(struct proto_view *pv)
{
	free(pv->path);
	free(pv->path2);
	free(pv->value);
	memset(pv, 0, sizeof(*pv));
}

int
proto_send_view(struct imsgbuf *ib, uint32_t id, int fd,
    const struct proto_view *pv)
{
	struct ibuf	*b;
	int		 i;

	if (pv->value_len > PROTO_XATTR_MAX ||
	    strlen(pv->path) + strlen(pv->path2) + pv->value_len >
	    PROTO_VIEW_PATHS) {
		errno = E2BIG;
		return (-1);
	}
	if ((b = imsg_create(ib, IMSG_VIEW, id, 0, 2 * PROTO_HINT +
	    sizeof(pv->xattr_name) + strlen(pv->path) + strlen(pv->path2) +
	    pv->value_len)) == NULL)
		return (-1);
	if (ibuf_add_n8(b, pv->op) == -1 || proto_add_int(b, pv->flags) == -1 ||
	    ibuf_add_h32(b, pv->mode) == -1 ||
	    ibuf_add_h32(b, pv->mask) == -1 ||
	    ibuf_add_h32(b, pv->uid) == -1 || ibuf_add_h32(b, pv->gid) == -1 ||
	    ibuf_add_h64(b, pv->size) == -1 ||
	    ibuf_add_h64(b, pv->room) == -1 ||
	    proto_add_flag(b, pv->known) == -1 ||
	    proto_add_flag(b, pv->cloexec) == -1 ||
	    ibuf_add_h64(b, pv->call) == -1 ||
	    proto_add_flag(b, pv->times_now) == -1 ||
	    proto_add_int(b, pv->xattr_flags) == -1 ||
	    ibuf_add_strbuf(b, pv->xattr_name, sizeof(pv->xattr_name)) == -1)
		goto fail;
	for (i = 0; i < 2; i++)
		if (ibuf_add_h64(b, pv->times[i].tv_sec) == -1 ||
		    ibuf_add_h64(b, pv->times[i].tv_nsec) == -1)
			goto fail;
	if (proto_add_string(b, pv->path) == -1 ||
	    proto_add_string(b, pv->path2) == -1 ||
	    ibuf_add(b, pv->value, pv->value_len) == -1)
		goto fail;
	if (fd != -1)
		ibuf_fd_set(b, fd);
	imsg_close(ib, b);
	return (0);

 fail:
	ibuf_free(b);
	return (-1);
}

static int
proto_get_view_scalars(struct ibuf *b, struct proto_view *pv)
{
	uint64_t	 nsec, sec, size;
	uint8_t		 op;
	int		 i;

	if (ibuf_get_n8(b, &op) == -1 || op >= VIEW_MAX ||
	    proto_get_int(b, &pv->flags) == -1 ||
	    ibuf_get_h32(b, &pv->mode) == -1 ||
	    ibuf_get_h32(b, &pv->mask) == -1 ||
	    ibuf_get_h32(b, &pv->uid) == -1 ||
	    ibuf_get_h32(b, &pv->gid) == -1 ||
	    ibuf_get_h64(b, &size) == -1 ||
	    ibuf_get_h64(b, &pv->room) == -1 ||
	    proto_get_flag(b, &pv->known) == -1 ||
	    proto_get_flag(b, &pv->cloexec) == -1 ||
	    ibuf_get_h64(b, &pv->call) == -1 ||
	    proto_get_flag(b, &pv->times_now) == -1 ||
	    proto_get_int(b, &pv->xattr_flags) == -1 ||
	    ibuf_get_strbuf(b, pv->xattr_name, sizeof(pv->xattr_name)) == -1)
		return (-1);
	pv->op = op;
	pv->size = (off_t)size;
	for (i = 0; i < 2; i++) {
		if (ibuf_get_h64(b, &sec) == -1 ||
		    ibuf_get_h64(b, &nsec) == -1)
			return (-1);
		pv->times[i].tv_sec = (time_t)sec;
		pv->times[i].tv_nsec = (long)nsec;
	}
	return (0);
}

int
proto_recv_view(struct imsg *imsg, struct proto_view *pv)
{
	struct ibuf	 b;

	memset(pv, 0, sizeof(*pv));
	if (proto_open(imsg, &b) == -1 ||
	    proto_get_view_scalars(&b, pv) == -1)
		return (proto_bad());
	if (proto_get_string(&b, &pv->path) == -1 ||
	    proto_get_string(&b, &pv->path2) == -1)
		goto fail;
	if ((pv->value_len = ibuf_size(&b)) > PROTO_XATTR_MAX) {
		errno = EBADMSG;
		goto fail;
	}
	if (pv->value_len == 0)
		return (0);
	if ((pv->value = malloc(pv->value_len)) == NULL ||
	    ibuf_get(&b, pv->value, pv->value_len) == -1)
		goto fail;
	return (0);
 fail:
	proto_free_view(pv);
	return (-1);
}

/* The descriptor is of a file that has lost its last name, or there is none. */
int
proto_send_taken(struct imsgbuf *ib, uint32_t id, int fd,
    const struct proto_taken *pt)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_TAKEN, id, 0, 24)) == NULL)
		return (-1);
	if (ibuf_add_h64(b, pt->taken) == -1 ||
	    ibuf_add_h64(b, pt->wanted) == -1 ||
	    ibuf_add_h64(b, pt->given) == -1) {
		ibuf_free(b);
		return (-1);
	}
	if (fd != -1)
		ibuf_fd_set(b, fd);
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_taken(struct imsg *imsg, struct proto_taken *pt)
{
	struct ibuf	 b;

	if (proto_open(imsg, &b) == -1 ||
	    ibuf_get_h64(&b, &pt->taken) == -1 ||
	    ibuf_get_h64(&b, &pt->wanted) == -1 ||
	    ibuf_get_h64(&b, &pt->given) == -1)
		return (proto_bad());
	return (proto_done(&b));
}

int
proto_send_usage(struct imsgbuf *ib, const struct proto_usage *pu)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, IMSG_USAGE_REPLY, 0, 0, 12)) == NULL)
		return (-1);
	if (ibuf_add_h64(b, pu->bytes) == -1 ||
	    proto_add_int(b, pu->error) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_usage(struct imsg *imsg, struct proto_usage *pu)
{
	struct ibuf	 b;

	if (proto_open(imsg, &b) == -1 ||
	    ibuf_get_h64(&b, &pu->bytes) == -1 ||
	    proto_get_int(&b, &pu->error) == -1)
		return (proto_bad());
	return (proto_done(&b));
}

static int
proto_send_address(struct imsgbuf *ib, uint32_t type, uint32_t id, int fd,
    const struct proto_connect *pc)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, type, id, 0,
	    4 + sizeof(pc->addr))) == NULL)
		return (-1);
	if (ibuf_add_h32(b, pc->addrlen) == -1 ||
	    ibuf_add(b, &pc->addr, sizeof(pc->addr)) == -1) {
		ibuf_free(b);
		return (-1);
	}
	if (fd != -1)
		ibuf_fd_set(b, fd);
	imsg_close(ib, b);
	return (0);
}

static int
proto_recv_address(struct imsg *imsg, struct proto_connect *pc)
{
	struct ibuf	 b;

	if (proto_open(imsg, &b) == -1 ||
	    ibuf_get_h32(&b, &pc->addrlen) == -1 ||
	    ibuf_get(&b, &pc->addr, sizeof(pc->addr)) == -1 ||
	    pc->addrlen > sizeof(pc->addr))
		return (proto_bad());
	return (proto_done(&b));
}

void
proto_free_datagram(struct proto_datagram *pd)
{
	free(pd->control);
	memset(pd, 0, sizeof(*pd));
}

int
proto_send_datagram(struct imsgbuf *ib, uint32_t id, int fd,
    const struct proto_datagram *pd)
{
	struct ibuf	*b;

	if (pd->len > PROTO_DATAGRAM_MAX ||
	    pd->controllen > PROTO_CONTROL_MAX) {
		errno = E2BIG;
		return (-1);
	}
	if ((b = imsg_create(ib, IMSG_NET_SEND, id, 0, PROTO_HINT +
	    sizeof(pd->to.addr) + pd->controllen + pd->len)) == NULL)
		return (-1);
	if (ibuf_add_h32(b, pd->to.addrlen) == -1 ||
	    ibuf_add(b, &pd->to.addr, sizeof(pd->to.addr)) == -1 ||
	    proto_add_int(b, pd->flags) == -1 ||
	    ibuf_add_h32(b, pd->controllen) == -1 ||
	    ibuf_add(b, pd->control, pd->controllen) == -1 ||
	    ibuf_add(b, pd->data, pd->len) == -1) {
		ibuf_free(b);
		return (-1);
	}
	if (fd != -1)
		ibuf_fd_set(b, fd);
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_datagram(struct imsg *imsg, struct proto_datagram *pd)
{
	struct ibuf	 b;
	uint32_t	 controllen;
	size_t		 len;

	memset(pd, 0, sizeof(*pd));
	if (proto_open(imsg, &b) == -1 ||
	    ibuf_get_h32(&b, &pd->to.addrlen) == -1 ||
	    ibuf_get(&b, &pd->to.addr, sizeof(pd->to.addr)) == -1 ||
	    proto_get_int(&b, &pd->flags) == -1 ||
	    ibuf_get_h32(&b, &controllen) == -1)
		return (proto_bad());
	len = ibuf_size(&b);
	if (pd->to.addrlen > sizeof(pd->to.addr) ||
	    controllen > PROTO_CONTROL_MAX || controllen > len ||
	    len - controllen > PROTO_DATAGRAM_MAX)
		return (proto_bad());
	/* Aligned, which control messages have to be. */
	if ((pd->control = malloc(len + 1)) == NULL)
		return (-1);
	pd->controllen = controllen;
	pd->data = (char *)pd->control + controllen;
	pd->len = len - controllen;
	return (len == 0 ? 0 : ibuf_get(&b, pd->control, len));
}

int
proto_send_connect(struct imsgbuf *ib, uint32_t id, int fd,
    const struct proto_connect *pc)
{
	return (proto_send_address(ib, IMSG_NET_CONNECT, id, fd, pc));
}

int
proto_recv_connect(struct imsg *imsg, struct proto_connect *pc)
{
	return (proto_recv_address(imsg, pc));
}

int
proto_send_bind(struct imsgbuf *ib, uint32_t id, int fd,
    const struct proto_connect *pc)
{
	return (proto_send_address(ib, IMSG_NET_BIND, id, fd, pc));
}

int
proto_recv_bind(struct imsg *imsg, struct proto_connect *pc)
{
	return (proto_recv_address(imsg, pc));
}

int
proto_send_binding(struct imsgbuf *ib, uint32_t type,
    const struct port_binding *pb)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, type, 0, 0, PROTO_HINT)) == NULL)
		return (-1);
	if (ibuf_add_n8(b, pb->proto) == -1 ||
	    ibuf_add_h16(b, pb->family) == -1 ||
	    ibuf_add(b, &pb->addr, sizeof(pb->addr)) == -1 ||
	    ibuf_add_h32(b, pb->scope) == -1 ||
	    proto_add_flag(b, pb->dual) == -1 ||
	    proto_add_flag(b, pb->resolver) == -1 ||
	    ibuf_add_h16(b, pb->asked) == -1 ||
	    ibuf_add_h16(b, pb->real) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_binding(struct imsg *imsg, struct port_binding *pb)
{
	struct ibuf	 b;
	uint8_t		 proto;

	memset(pb, 0, sizeof(*pb));
	if (proto_open(imsg, &b) == -1 || ibuf_get_n8(&b, &proto) == -1 ||
	    ibuf_get_h16(&b, &pb->family) == -1 ||
	    ibuf_get(&b, &pb->addr, sizeof(pb->addr)) == -1 ||
	    ibuf_get_h32(&b, &pb->scope) == -1 ||
	    proto_get_flag(&b, &pb->dual) == -1 ||
	    proto_get_flag(&b, &pb->resolver) == -1 ||
	    ibuf_get_h16(&b, &pb->asked) == -1 ||
	    ibuf_get_h16(&b, &pb->real) == -1 ||
	    (proto != NET_TCP && proto != NET_UDP) ||
	    (pb->family != AF_INET && pb->family != AF_INET6) ||
	    pb->asked == 0 || pb->real == 0)
		return (proto_bad());
	pb->proto = proto;
	return (proto_done(&b));
}

int
proto_send_route(struct imsgbuf *ib, uint32_t type, uint32_t id,
    const struct proto_route *pr)
{
	struct ibuf	*b;

	if ((b = imsg_create(ib, type, id, 0, PROTO_HINT)) == NULL)
		return (-1);
	if (ibuf_add_h32(b, pr->socket) == -1 ||
	    ibuf_add_h32(b, pr->port) == -1 ||
	    proto_add_flag(b, pr->nonblock) == -1 ||
	    proto_add_flag(b, pr->out) == -1) {
		ibuf_free(b);
		return (-1);
	}
	imsg_close(ib, b);
	return (0);
}

int
proto_recv_route(struct imsg *imsg, struct proto_route *pr)
{
	struct ibuf	 b;

	memset(pr, 0, sizeof(*pr));
	if (proto_open(imsg, &b) == -1 ||
	    ibuf_get_h32(&b, &pr->socket) == -1 ||
	    ibuf_get_h32(&b, &pr->port) == -1 ||
	    proto_get_flag(&b, &pr->nonblock) == -1 ||
	    proto_get_flag(&b, &pr->out) == -1)
		return (proto_bad());
	return (proto_done(&b));
}

int
proto_send_value(struct imsgbuf *ib, uint32_t type, uint32_t id, int fd,
    int value)
{
	return (proto_compose(ib, type, id, fd, &value, sizeof(value)));
}

int
proto_recv_value(struct imsg *imsg, int *value)
{
	if (imsg_get_data(imsg, value, sizeof(*value)) == -1)
		return (proto_bad());
	return (0);
}
