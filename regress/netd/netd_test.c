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
 * netd as a program: start, confinement as seen from outside, end, and what
 * it makes of messages that it should not get.
 */

#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "peer.h"

#define NELEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define FAILED	(EXIT_SANDLOCK << 8)

static void
start(const atf_tc_t *tc, struct peer *p)
{
	peer_start(tc, p, 0);
	peer_rule(p, NET_OUT, "127.0.0.0/8", 0, 65535);
	peer_port(p, NET_OUT, 0, 65535);
}

ATF_TC_WITHOUT_HEAD(start_stop);
ATF_TC_BODY(start_stop, tc)
{
	struct peer	 p;

	start(tc, &p);
	peer_run(&p);
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 20));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(no_rules);
ATF_TC_BODY(no_rules, tc)
{
	struct peer	 p;

	peer_start(tc, &p, 0);
	peer_run(&p);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(end_of_parent);
ATF_TC_BODY(end_of_parent, tc)
{
	struct peer	 p;

	start(tc, &p);
	peer_run(&p);
	shutdown(p.parent.fd, SHUT_WR);
	ATF_CHECK_STREQ("", peer_ended(&p, 0));

	/* Before any configuration, and in the middle of it. */
	peer_start(tc, &p, 0);
	shutdown(p.parent.fd, SHUT_WR);
	ATF_CHECK_STREQ("", peer_ended(&p, 0));
	start(tc, &p);
	ATF_REQUIRE(imsgbuf_flush(&p.parent) == 0);
	shutdown(p.parent.fd, SHUT_WR);
	ATF_CHECK_STREQ("", peer_ended(&p, 0));
}

ATF_TC_WITHOUT_HEAD(end_of_supervisor);
ATF_TC_BODY(end_of_supervisor, tc)
{
	struct peer	 p;

	start(tc, &p);
	peer_run(&p);
	shutdown(p.supervisor.fd, SHUT_WR);
	ATF_CHECK_STREQ("", peer_ended(&p, 0));
}

ATF_TC_WITHOUT_HEAD(usage);
ATF_TC_BODY(usage, tc)
{
	char	 path[1024], cmd[3072];
	int	 status;

	snprintf(path, sizeof(path), "%s/../../netd/netd",
	    atf_tc_get_config_var(tc, "srcdir"));
	snprintf(cmd, sizeof(cmd), "%s 3<&- 2>err; echo $? >status; "
	    "%s 3</dev/null 2>>err; echo $? >>status", path, path);
	status = system(cmd);
	ATF_REQUIRE_EQ(0, status);
	ATF_REQUIRE(atf_utils_compare_file("status", "125\n125\n"));
	ATF_REQUIRE(atf_utils_compare_file("err",
	    "sandlock: netd: started by sandlock only\n"
	    "sandlock: netd: started by sandlock only\n"));
}

/* Requests that come early wait; none is served before READY. */
ATF_TC_WITHOUT_HEAD(barrier);
ATF_TC_BODY(barrier, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 l, s;

	l = sock_listener("127.0.0.1", 5, &ss, &len);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	start(tc, &p);
	ATF_REQUIRE(imsgbuf_flush(&p.parent) == 0);
	peer_connect(&p, 7, s, &ss, len);
	ATF_REQUIRE_EQ(0, peer_pending(&p.supervisor, 100));
	sock_nobody(l);
	peer_run(&p);
	ATF_REQUIRE_EQ(0, peer_reply(&p, 7));
	ATF_REQUIRE(accept(l, NULL, NULL) != -1);
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(confined);
ATF_TC_BODY(confined, tc)
{
	static const char *const zero[] = {
		"CapInh", "CapPrm", "CapEff", "CapAmb"
	};
	struct peer	 p;
	char		 path[64], value[128];
	size_t		 i;

	start(tc, &p);
	peer_run(&p);
	peer_status(p.pid, "NoNewPrivs", value, sizeof(value));
	ATF_CHECK_STREQ("1", value);
	peer_status(p.pid, "Seccomp", value, sizeof(value));
	ATF_CHECK_STREQ("2", value);
	for (i = 0; i < sizeof(zero) / sizeof(zero[0]); i++) {
		peer_status(p.pid, zero[i], value, sizeof(value));
		ATF_CHECK_EQ_MSG(0, strtoull(value, NULL, 16), "%s %s",
		    zero[i], value);
	}
	if (geteuid() == 0) {
		peer_status(p.pid, "CapBnd", value, sizeof(value));
		ATF_CHECK_EQ_MSG(0, strtoull(value, NULL, 16), "%s", value);
	}
	/* Not dumpable: nobody of the same user looks into it. */
	if (geteuid() != 0) {
		snprintf(path, sizeof(path), "/proc/%d/mem", (int)p.pid);
		ATF_CHECK_ERRNO(EACCES, open(path, O_RDONLY) == -1);
	}
	peer_status(p.pid, "Name", value, sizeof(value));
	ATF_CHECK_STREQ("netd", value);
	peer_stop(&p);
}

/* Terminal signals are for the parent to act on. */
ATF_TC_WITHOUT_HEAD(signals);
ATF_TC_BODY(signals, tc)
{
	static const int	 ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP
	};
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	size_t			 i;
	int			 s;

	(void)sock_listener("127.0.0.1", 5, &ss, &len);
	start(tc, &p);
	peer_run(&p);
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		ATF_REQUIRE(kill(p.pid, ignored[i]) == 0);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(0, peer_call(&p, s, &ss, len));
	peer_stop(&p);
}

/* Have a stopped netd make a call by its own syscall instruction. */
static int
inject(pid_t pid, long nr, long a, long b, long c)
{
	struct user_regs_struct	 regs, saved;
	int			 status;

	ATF_REQUIRE(ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, __WALL));
	ATF_REQUIRE(WIFSTOPPED(status));
	ATF_REQUIRE(ptrace(PTRACE_GETREGS, pid, NULL, &saved) == 0);
	regs = saved;
	regs.rip -= 2;
	regs.rax = nr;
	regs.orig_rax = -1;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	ATF_REQUIRE(ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0);
	ATF_REQUIRE(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, __WALL));
	if (!WIFSTOPPED(status))
		return (status);
	/* The trap of the step may come before the end by a filter. */
	saved.rip -= 2;
	saved.rax = saved.orig_rax;
	saved.orig_rax = -1;
	ATF_REQUIRE(ptrace(PTRACE_SETREGS, pid, NULL, &saved) == 0);
	ATF_REQUIRE(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0);
	return (-1);
}

ATF_TC(killed);
ATF_TC_HEAD(killed, tc)
{
	atf_tc_set_md_var(tc, "descr", "A call outside the list kills netd");
	/* It is not dumpable. */
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(killed, tc)
{
	static const long	 forbidden[] = {
		SYS_socket, SYS_openat, SYS_execve, SYS_fork, SYS_bind,
		SYS_setsockopt, SYS_kill, SYS_prctl
	};
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	size_t			 i;
	int			 s, status;

	(void)sock_listener("127.0.0.1", 100, &ss, &len);
	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
		start(tc, &p);
		peer_run(&p);
		ATF_REQUIRE_EQ(-1, inject(p.pid, SYS_getpid, 0, 0, 0));
		ATF_REQUIRE_EQ(0, peer_call(&p, s, &ss, len));
		if ((status = inject(p.pid, forbidden[i], 2, 1, 0)) == -1)
			ATF_REQUIRE_EQ(p.pid, waitpid(p.pid, &status, 0));
		ATF_CHECK_EQ_MSG(SIGSYS, WTERMSIG(status), "call %ld: %#x",
		    forbidden[i], status);
		close(p.parent.fd);
		close(p.supervisor.fd);
		close(p.err);
	}
}

/* Bad messages of the parent. */

static void
parent_fails(struct peer *p, const char *want)
{
	char	*text;

	(void)imsgbuf_flush(&p->parent);
	text = peer_ended(p, FAILED);
	ATF_CHECK_MSG(strstr(text, want) != NULL, "%s: %s", want, text);
}

ATF_TC_WITHOUT_HEAD(parent_types);
ATF_TC_BODY(parent_types, tc)
{
	static const uint32_t	 allowed[] = {
		IMSG_CONF_RULE, IMSG_CONF_PORT, IMSG_CONF_END,
		IMSG_SOCKET_SUPERVISOR, IMSG_CONF_BIND, IMSG_CONF_RESOLVER,
		IMSG_CONF_REFRESH
	};
	struct peer	 p;
	uint32_t	 type;
	size_t		 i;

	for (type = 0; type <= IMSG_MAX; type++) {
		for (i = 0; i < NELEMS(allowed) && allowed[i] != type; i++)
			;
		if (i < NELEMS(allowed))
			continue;
		start(tc, &p);
		ATF_REQUIRE(imsg_compose(&p.parent, type, 0, 0, -1, NULL,
		    0) != -1);
		parent_fails(&p, "unexpected");
	}
	start(tc, &p);
	ATF_REQUIRE(imsg_compose(&p.parent, 0xffffffff, 0, 0, -1, NULL,
	    0) != -1);
	parent_fails(&p, "unexpected unknown");
}

ATF_TC_WITHOUT_HEAD(parent_content);
ATF_TC_BODY(parent_content, tc)
{
	struct net_rule	 nr;
	struct peer	 p;
	char		 buf[512] = { 0 };
	size_t		 len;

	for (len = 0; len < 290; len += len == 0 ? 1 : 17) {
		start(tc, &p);
		ATF_REQUIRE(imsg_compose(&p.parent, IMSG_CONF_RULE, 0, 0, -1,
		    buf, len) != -1);
		parent_fails(&p, "bad conf_rule");
	}
	start(tc, &p);
	ATF_REQUIRE(imsg_compose(&p.parent, IMSG_CONF_REFRESH, 0, 0, -1, buf,
	    1) != -1);
	parent_fails(&p, "bad conf_refresh");
	start(tc, &p);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_CONF_REFRESH, -1) == 0);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_CONF_REFRESH, -1) == 0);
	parent_fails(&p, "bad conf_refresh");
	start(tc, &p);
	memset(&nr, 0, sizeof(nr));
	nr.protos = NET_PROTO(NET_TCP);
	nr.port_lo = 2;
	nr.port_hi = 1;
	ATF_REQUIRE(proto_send_rule(&p.parent, &nr) == 0);
	parent_fails(&p, "bad conf_rule");

	for (len = 0; len < 9; len += len == 4 ? 2 : 1) {
		start(tc, &p);
		ATF_REQUIRE(imsg_compose(&p.parent, IMSG_CONF_PORT, 0, 0, -1,
		    buf, len) != -1);
		parent_fails(&p, "bad conf_port");
	}

	start(tc, &p);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_SOCKET_SUPERVISOR,
	    p.supervisor_fd) == 0);
	p.supervisor_fd = -1;
	ATF_REQUIRE(imsg_compose(&p.parent, IMSG_CONF_END, 0, 0, -1, buf,
	    1) != -1);
	parent_fails(&p, "bad conf_end");

	start(tc, &p);
	ATF_REQUIRE(imsg_compose(&p.parent, IMSG_SOCKET_SUPERVISOR, 0, 0,
	    dup(p.supervisor_fd), buf, 1) != -1);
	parent_fails(&p, "bad socket_supervisor");
}

ATF_TC_WITHOUT_HEAD(parent_descriptors);
ATF_TC_BODY(parent_descriptors, tc)
{
	struct peer	 p;
	char		 buf[290] = { 0 };

	start(tc, &p);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_SOCKET_SUPERVISOR,
	    -1) == 0);
	parent_fails(&p, "socket_supervisor without a descriptor");

	start(tc, &p);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_SOCKET_SUPERVISOR,
	    dup(p.supervisor_fd)) == 0);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_SOCKET_SUPERVISOR,
	    dup(p.supervisor_fd)) == 0);
	parent_fails(&p, "second channel");

	start(tc, &p);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_CONF_END, -1) == 0);
	parent_fails(&p, "no channel to the supervisor");

	start(tc, &p);
	ATF_REQUIRE(imsg_compose(&p.parent, IMSG_CONF_RULE, 0, 0,
	    dup(STDERR_FILENO), buf, sizeof(buf)) != -1);
	parent_fails(&p, "conf_rule with a descriptor");
}

ATF_TC_WITHOUT_HEAD(parent_after_end);
ATF_TC_BODY(parent_after_end, tc)
{
	struct peer	 p;

	/* In the same read as the end, and later. */
	start(tc, &p);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_SOCKET_SUPERVISOR,
	    p.supervisor_fd) == 0);
	p.supervisor_fd = -1;
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_CONF_END, -1) == 0);
	peer_rule(&p, NET_OUT, "", 0, 65535);
	parent_fails(&p, "unexpected conf_rule");

	start(tc, &p);
	peer_run(&p);
	peer_rule(&p, NET_OUT, "", 0, 65535);
	parent_fails(&p, "unexpected conf_rule");

	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE(proto_send_empty(&p.parent, IMSG_CONF_END, -1) == 0);
	parent_fails(&p, "unexpected conf_end");
}

static void
raw(int fd, uint32_t type, uint32_t len)
{
	struct imsg_hdr	 hdr = { .type = type, .len = len };

	ATF_REQUIRE_EQ(sizeof(hdr), write(fd, &hdr, sizeof(hdr)));
}

ATF_TC_WITHOUT_HEAD(bad_headers);
ATF_TC_BODY(bad_headers, tc)
{
	static const uint32_t	 lengths[] = {
		0, 15, PROTO_MAXSIZE + IMSG_HEADER_SIZE + 1, 0x7fffffff,
		0x80000000, 0xffffffff
	};
	struct peer	 p;
	size_t		 i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		start(tc, &p);
		ATF_REQUIRE(imsgbuf_flush(&p.parent) == 0);
		raw(p.parent.fd, IMSG_CONF_RULE, lengths[i]);
		parent_fails(&p, "channel to the parent");

		start(tc, &p);
		peer_run(&p);
		raw(p.supervisor.fd, IMSG_NET_CONNECT, lengths[i]);
		parent_fails(&p, "channel to the supervisor");
	}
}

/* Bad messages of the supervisor. */

static void
supervisor_fails(struct peer *p, const char *want)
{
	(void)imsgbuf_flush(&p->supervisor);
	parent_fails(p, want);
}

ATF_TC_WITHOUT_HEAD(supervisor_types);
ATF_TC_BODY(supervisor_types, tc)
{
	struct peer	 p;
	uint32_t	 type;

	for (type = 0; type <= IMSG_MAX; type++) {
		if (type == IMSG_NET_CONNECT || type == IMSG_NET_LISTEN ||
		    type == IMSG_NET_BIND || type == IMSG_NET_SEND ||
		    type == IMSG_NET_REUSEADDR || type == IMSG_NET_REUSEPORT ||
		    type == IMSG_NET_ROUTE || type == IMSG_NET_ROUTE_PORT ||
		    type == IMSG_NET_CANCEL)
			continue;
		start(tc, &p);
		peer_run(&p);
		ATF_REQUIRE(imsg_compose(&p.supervisor, type, 0, 0, -1, NULL,
		    0) != -1);
		supervisor_fails(&p, "unexpected");
	}
}

ATF_TC_WITHOUT_HEAD(supervisor_content);
ATF_TC_BODY(supervisor_content, tc)
{
	struct proto_connect	 pc;
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	size_t			 n;
	char			 buf[256] = { 0 };
	int			 s;

	for (n = 0; n <= 4 + sizeof(pc.addr) + 1; n += 19) {
		ATF_REQUIRE(n != 4 + sizeof(pc.addr));
		start(tc, &p);
		peer_run(&p);
		ATF_REQUIRE(imsg_compose(&p.supervisor, IMSG_NET_CONNECT, 1,
		    0, dup(STDERR_FILENO), buf, n) != -1);
		supervisor_fails(&p, "bad net_connect");
	}
	memset(&pc, 0, sizeof(pc));
	pc.addrlen = sizeof(pc.addr) + 1;
	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE(proto_send_connect(&p.supervisor, 1, dup(STDERR_FILENO),
	    &pc) == 0);
	supervisor_fails(&p, "bad net_connect");

	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE(imsg_compose(&p.supervisor, IMSG_NET_LISTEN, 1, 0,
	    dup(STDERR_FILENO), buf, 3) != -1);
	supervisor_fails(&p, "bad net_listen");

	start(tc, &p);
	peer_binds(&p, 1);
	peer_run(&p);
	ATF_REQUIRE(imsg_compose(&p.supervisor, IMSG_NET_BIND, 1, 0,
	    dup(STDERR_FILENO), buf, 3) != -1);
	supervisor_fails(&p, "bad net_bind");

	/* Without binds they have no place; and a value is 0 or 1. */
	for (n = 0; n < 3; n++) {
		start(tc, &p);
		if (n > 0)
			peer_binds(&p, 1);
		peer_run(&p);
		ATF_REQUIRE(proto_send_value(&p.supervisor, n < 2 ?
		    IMSG_NET_REUSEADDR : IMSG_NET_REUSEPORT, 1,
		    dup(STDERR_FILENO), n == 0 ? 1 : n == 1 ? 2 : -1) == 0);
		supervisor_fails(&p, n < 2 ? "bad net_reuseaddr" :
		    "bad net_reuseport");
	}

	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE(imsg_compose(&p.supervisor, IMSG_NET_CANCEL, 1, 0, -1,
	    NULL, 0) != -1);
	supervisor_fails(&p, "bad net_cancel");

	/* One id, two requests in flight. */
	(void)sock_blackhole("127.0.0.1", &ss, &len);
	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	peer_connect(&p, 9, s, &ss, len);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	peer_connect(&p, 9, s, &ss, len);
	supervisor_fails(&p, "in flight already");
}

ATF_TC_WITHOUT_HEAD(supervisor_descriptors);
ATF_TC_BODY(supervisor_descriptors, tc)
{
	struct proto_connect	 pc;
	struct peer		 p;

	memset(&pc, 0, sizeof(pc));
	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE(proto_send_connect(&p.supervisor, 1, -1, &pc) == 0);
	supervisor_fails(&p, "net_connect without a descriptor");

	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE(proto_send_value(&p.supervisor, IMSG_NET_LISTEN, 1, -1,
	    1) == 0);
	supervisor_fails(&p, "net_listen without a descriptor");

	start(tc, &p);
	peer_run(&p);
	ATF_REQUIRE(proto_send_value(&p.supervisor, IMSG_NET_CANCEL, 1,
	    dup(STDERR_FILENO), 0) == 0);
	supervisor_fails(&p, "net_cancel with a descriptor");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, start_stop);
	ATF_TP_ADD_TC(tp, no_rules);
	ATF_TP_ADD_TC(tp, end_of_parent);
	ATF_TP_ADD_TC(tp, end_of_supervisor);
	ATF_TP_ADD_TC(tp, usage);
	ATF_TP_ADD_TC(tp, barrier);
	ATF_TP_ADD_TC(tp, confined);
	ATF_TP_ADD_TC(tp, signals);
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, parent_types);
	ATF_TP_ADD_TC(tp, parent_content);
	ATF_TP_ADD_TC(tp, parent_descriptors);
	ATF_TP_ADD_TC(tp, parent_after_end);
	ATF_TP_ADD_TC(tp, bad_headers);
	ATF_TP_ADD_TC(tp, supervisor_types);
	ATF_TP_ADD_TC(tp, supervisor_content);
	ATF_TP_ADD_TC(tp, supervisor_descriptors);
	return (atf_no_error());
}
