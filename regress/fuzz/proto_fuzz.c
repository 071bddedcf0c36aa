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
 * Any bytes as the payload of any message: the readers either refuse them or
 * fill in values that are in range.  The first byte picks the message.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
read_conf(struct imsg *imsg)
{
	struct workload_conf	 wc;
	struct workload_path	 wp;
	struct workload_port	 port;
	struct filter_change	 fc;
	struct net_rule		 nr;
	struct proto_branch	 pb;

	switch (imsg_get_type(imsg)) {
	case IMSG_CONF_WORKLOAD:
		if (proto_recv_workload(imsg, &wc) == 0)
			check(wc.filter.fork <= FILTER_NOTIFY &&
			    wc.terminal <= 1);
		break;
	case IMSG_CONF_PATH:
		if (proto_recv_path(imsg, &wp) == 0) {
			check(wp.path[0] == '/' && wp.perms <= PERM_MASK);
			free(wp.path);
		}
		break;
	case IMSG_CONF_PORT:
		if (proto_recv_port(imsg, &port) == 0)
			check(port.lo <= port.hi);
		break;
	case IMSG_CONF_SYSCALL:
		if (proto_recv_syscall(imsg, &fc) == 0)
			check(fc.nr >= 0 && fc.nr <= SYSCALL_LAST);
		break;
	case IMSG_CONF_RULE:
		if (proto_recv_rule(imsg, &nr) == 0)
			check(memchr(nr.name, 0, sizeof(nr.name)) != NULL);
		break;
	case IMSG_CONF_BRANCH:
		if (proto_recv_branch(imsg, &pb) == 0)
			check(pb.start.tv_nsec < 1000000000 && pb.keep <= 1);
		break;
	}
}

static void
read_verb(struct imsg *imsg)
{
	struct proto_meta	 pm;
	struct proto_connect	 pc;
	struct port_binding	 pb;
	struct proto_datagram	 datagram;
	struct proto_denial	 pd;
	struct proto_count	 count;
	struct proto_exit	 pe;
	struct proto_failure	 pf;
	struct proto_change	 change;
	struct proto_outcome	 outcome;
	struct proto_taken	 taken;
	struct proto_usage	 usage;
	char			*s;
	int			 value;

	switch (imsg_get_type(imsg)) {
	case IMSG_META:
		if (proto_recv_meta(imsg, &pm) == 0)
			check(pm.op <= META_REMOVEXATTR &&
			    pm.value_len <= PROTO_XATTR_MAX);
		free(pm.value);
		break;
	case IMSG_NET_CONNECT:
		if (proto_recv_connect(imsg, &pc) == 0)
			check(pc.addrlen <= sizeof(pc.addr));
		break;
	case IMSG_NET_BIND:
		if (proto_recv_bind(imsg, &pc) == 0)
			check(pc.addrlen <= sizeof(pc.addr));
		break;
	case IMSG_NET_PORT:
	case IMSG_PORT:
		if (proto_recv_binding(imsg, &pb) == 0)
			check(pb.asked != 0 && pb.real != 0);
		break;
	case IMSG_NET_SEND:
		if (proto_recv_datagram(imsg, &datagram) == 0)
			check(datagram.to.addrlen <=
			    sizeof(datagram.to.addr) &&
			    datagram.controllen <= PROTO_CONTROL_MAX &&
			    datagram.len <= PROTO_DATAGRAM_MAX);
		proto_free_datagram(&datagram);
		break;
	case IMSG_DENIAL:
		if (proto_recv_denial(imsg, &pd) == 0)
			check(memchr(pd.object, 0, sizeof(pd.object)) != NULL);
		break;
	case IMSG_COUNT:
		if (proto_recv_count(imsg, &count) == 0)
			check(count.nr >= 0 && count.nr <= SYSCALL_LAST);
		break;
	case IMSG_EXITED:
		proto_recv_exit(imsg, &pe);
		break;
	case IMSG_BRANCH_CHANGE:
		if (proto_recv_change(imsg, &change) == 0) {
			check(strchr("AMDTCNR", change.kind) != NULL);
			free(change.path);
		}
		break;
	case IMSG_BRANCH_DONE:
		if (proto_recv_outcome(imsg, &outcome) == 0) {
			check(outcome.outcome <= OUTCOME_STUCK &&
			    memchr(outcome.what, 0, sizeof(outcome.what)) !=
			    NULL);
			free(outcome.path);
		}
		break;
	case IMSG_TAKEN:
		proto_recv_taken(imsg, &taken);
		break;
	case IMSG_USAGE_REPLY:
		proto_recv_usage(imsg, &usage);
		break;
	case IMSG_EXEC_FAILED:
		proto_recv_failure(imsg, &pf);
		break;
	case IMSG_ERROR:
		if (proto_recv_string(imsg, &s) == 0)
			free(s);
		break;
	case IMSG_SIGNAL:
		proto_recv_int(imsg, &value);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imsgbuf	 in, out;
	struct imsg	 imsg;
	int		 pair[2];

	if (size == 0 || size > 16000)
		return (0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
		abort();
	if (imsgbuf_init(&in, pair[0]) == -1 ||
	    imsgbuf_init(&out, pair[1]) == -1 ||
	    imsg_compose(&out, data[0] % IMSG_MAX, 0, 0, -1, data + 1,
	    size - 1) == -1 ||
	    imsgbuf_flush(&out) == -1 || imsgbuf_read(&in) != 1 ||
	    imsgbuf_get(&in, &imsg) != 1)
		abort();
	read_conf(&imsg);
	read_verb(&imsg);
	imsg_free(&imsg);
	imsgbuf_clear(&in);
	imsgbuf_clear(&out);
	close(pair[0]);
	close(pair[1]);
	return (0);
}
