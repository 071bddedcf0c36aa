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
 * See peer.h.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

/* Wait for the other end of the gate to be closed first. */
static void
peer_exec(const char *path, int fd, int err, int nofile, int gate)
{
	struct rlimit	 rl;
	char		 c;

	if (read(gate, &c, 1) != 0)
		_exit(99);
	if (nofile != 0) {
		rl.rlim_cur = rl.rlim_max = nofile;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	dup2(err, STDERR_FILENO);
	if (fd == PROTO_PARENT_FD)
		fcntl(fd, F_SETFD, 0);
	else
		dup2(fd, PROTO_PARENT_FD);
	closefrom(PROTO_PARENT_FD + 1);
	execl(path, "netd", (char *)NULL);
	_exit(99);
}

static void
peer_fork(const atf_tc_t *tc, struct peer *p, int nofile, int traced)
{
	char	 path[1024];
	int	 err[2], gate[2], parent[2], supervisor[2];

	p->block = 0;
	p->rule = -1;
	signal(SIGPIPE, SIG_IGN);
	memset(p->virtual, 0, sizeof(p->virtual));
	snprintf(path, sizeof(path), "%s/../../netd/netd",
	    atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    parent) == 0);
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    supervisor) == 0);
	ATF_REQUIRE(pipe2(err, O_CLOEXEC) == 0);
	ATF_REQUIRE(pipe2(gate, O_CLOEXEC) == 0);
	ATF_REQUIRE((p->pid = fork()) != -1);
	if (p->pid == 0) {
		close(gate[1]);
		peer_exec(path, parent[1], err[1], nofile, gate[0]);
	}
	/* What has locked itself down cannot be seized any more. */
	if (traced)
		ATF_REQUIRE(ptrace(PTRACE_SEIZE, p->pid, NULL,
		    PTRACE_O_TRACESYSGOOD) == 0);
	close(gate[0]);
	close(gate[1]);
	close(parent[1]);
	close(err[1]);
	p->err = err[0];
	p->supervisor_fd = supervisor[1];
	ATF_REQUIRE(imsgbuf_init(&p->parent, parent[0]) == 0);
	ATF_REQUIRE(imsgbuf_init(&p->supervisor, supervisor[0]) == 0);
	imsgbuf_allow_fdpass(&p->parent);
	imsgbuf_allow_fdpass(&p->supervisor);
	ATF_REQUIRE(imsgbuf_set_maxsize(&p->parent, PROTO_MAXSIZE) == 0);
	ATF_REQUIRE(imsgbuf_set_maxsize(&p->supervisor, PROTO_MAXSIZE) == 0);
}

void
peer_start(const atf_tc_t *tc, struct peer *p, int nofile)
{
	peer_fork(tc, p, nofile, 0);
}

void
peer_start_traced(const atf_tc_t *tc, struct peer *p)
{
	peer_fork(tc, p, 0, 1);
}

void
peer_rule(struct peer *p, enum net_direction direction, const char *target,
    uint16_t lo, uint16_t hi)
{
	peer_rule_for(p, direction, NET_PROTO(NET_TCP), target, lo, hi);
}

void
peer_rule_for(struct peer *p, enum net_direction direction,
    unsigned int protos, const char *target, uint16_t lo, uint16_t hi)
{
	struct net_rule	 nr;
	char		 text[64], *slash;

	memset(&nr, 0, sizeof(nr));
	nr.direction = direction;
	nr.protos = protos;
	nr.block = p->block;
	nr.port_lo = lo;
	nr.port_hi = hi;
	if (*target != '\0') {
		nr.target = NET_ADDRESS;
		strlcpy(text, target, sizeof(text));
		ATF_REQUIRE((slash = strchr(text, '/')) != NULL);
		*slash++ = '\0';
		nr.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
		nr.bits = strtonum(slash, 0, 128, NULL);
		ATF_REQUIRE(inet_pton(nr.family, text, &nr.addr) == 1);
	}
	ATF_REQUIRE(proto_send_rule(&p->parent, &nr) == 0);
}

void
peer_name(struct peer *p, const char *name, uint16_t lo, uint16_t hi)
{
	struct net_rule	 nr;

	memset(&nr, 0, sizeof(nr));
	nr.direction = NET_OUT;
	nr.protos = NET_PROTO(NET_TCP);
	nr.block = p->block;
	nr.target = NET_NAME;
	nr.port_lo = lo;
	nr.port_hi = hi;
	strlcpy(nr.name, name, sizeof(nr.name));
	ATF_REQUIRE(proto_send_rule(&p->parent, &nr) == 0);
}

void
peer_port(struct peer *p, enum net_direction direction, uint16_t lo,
    uint16_t hi)
{
	struct workload_port	 wp;

	memset(&wp, 0, sizeof(wp));
	wp.direction = direction;
	wp.lo = lo;
	wp.hi = hi;
	ATF_REQUIRE(proto_send_port(&p->parent, &wp) == 0);
}

void
peer_end(struct peer *p)
{
	ATF_REQUIRE(proto_send_empty(&p->parent, IMSG_SOCKET_SUPERVISOR,
	    p->supervisor_fd) == 0);
	p->supervisor_fd = -1;
	ATF_REQUIRE(proto_send_empty(&p->parent, IMSG_CONF_END, -1) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p->parent) == 0);
}

void
peer_virtual(struct peer *p, struct imsg *imsg)
{
	struct stat	 st;
	char		*text;
	int		 fd, name;

	ATF_REQUIRE(proto_recv_int(imsg, &name) == 0);
	ATF_REQUIRE(name >= 0 && name < VIRTUAL_MAX);
	ATF_REQUIRE((fd = imsg_get_fd(imsg)) != -1);
	ATF_REQUIRE_EQ(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
	    F_SEAL_SEAL, fcntl(fd, F_GET_SEALS) & 0xf);
	ATF_REQUIRE(fstat(fd, &st) == 0);
	ATF_REQUIRE((text = calloc(1, st.st_size + 1)) != NULL);
	ATF_REQUIRE_EQ(st.st_size, pread(fd, text, st.st_size, 0));
	free(p->virtual[name]);
	p->virtual[name] = text;
	close(fd);
	imsg_free(imsg);
}

void
peer_run(struct peer *p)
{
	struct imsg	 imsg;

	peer_end(p);
	ATF_REQUIRE_EQ(IMSG_LOCKED, peer_next(&p->parent, &imsg));
	ATF_REQUIRE_EQ(0, imsg_get_len(&imsg));
	imsg_free(&imsg);
	while (peer_next(&p->parent, &imsg) == IMSG_VIRTUAL)
		peer_virtual(p, &imsg);
	ATF_REQUIRE_EQ(IMSG_READY, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(0, imsg_get_len(&imsg));
	imsg_free(&imsg);
}

void
peer_connect(struct peer *p, uint32_t id, int fd, const void *addr,
    socklen_t addrlen)
{
	struct proto_connect	 pc;
	int			 dupfd;

	memset(&pc, 0, sizeof(pc));
	pc.addrlen = addrlen;
	memcpy(&pc.addr, addr, addrlen);
	ATF_REQUIRE((dupfd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_connect(&p->supervisor, id, dupfd, &pc) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p->supervisor) == 0);
}

void
peer_send(struct peer *p, uint32_t id, int fd, const struct proto_datagram *pd)
{
	int	 dupfd;

	ATF_REQUIRE((dupfd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_datagram(&p->supervisor, id, dupfd, pd) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p->supervisor) == 0);
}

void
peer_listen(struct peer *p, uint32_t id, int fd, int backlog)
{
	int	 dupfd;

	ATF_REQUIRE((dupfd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_value(&p->supervisor, IMSG_NET_LISTEN, id,
	    dupfd, backlog) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p->supervisor) == 0);
}

int
peer_reuse(struct peer *p, int fd, int name, int on)
{
	static uint32_t	 id = 0x40000000;
	int		 dupfd;

	ATF_REQUIRE((dupfd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_value(&p->supervisor, name == SO_REUSEADDR ?
	    IMSG_NET_REUSEADDR : IMSG_NET_REUSEPORT, ++id, dupfd, on) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p->supervisor) == 0);
	return (peer_reply(p, id));
}

void
peer_binds(struct peer *p, int remap)
{
	ATF_REQUIRE(proto_send_int(&p->parent, IMSG_CONF_BIND, remap,
	    -1) == 0);
}

int
peer_bind(struct peer *p, int fd, const void *addr, socklen_t addrlen,
    struct port_binding *pb)
{
	static uint32_t		 id = 5000;
	struct proto_connect	 pc;
	struct imsg		 imsg;
	uint32_t		 type;
	int			 dupfd, value;

	memset(&pc, 0, sizeof(pc));
	pc.addrlen = addrlen;
	memcpy(&pc.addr, addr, addrlen);
	ATF_REQUIRE((dupfd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_bind(&p->supervisor, ++id, dupfd, &pc) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p->supervisor) == 0);
	memset(pb, 0, sizeof(*pb));
	while ((type = peer_next(&p->supervisor, &imsg)) == IMSG_NET_PORT ||
	    type == IMSG_NET_RULE) {
		if (type == IMSG_NET_PORT)
			ATF_REQUIRE(proto_recv_binding(&imsg, pb) == 0);
		imsg_free(&imsg);
	}
	ATF_REQUIRE_EQ(IMSG_NET_REPLY, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(id, imsg_get_id(&imsg));
	ATF_REQUIRE(proto_recv_value(&imsg, &value) == 0);
	imsg_free(&imsg);
	return (value);
}

void
peer_cancel(struct peer *p, uint32_t id)
{
	ATF_REQUIRE(proto_send_value(&p->supervisor, IMSG_NET_CANCEL, id, -1,
	    0) == 0);
	ATF_REQUIRE(imsgbuf_flush(&p->supervisor) == 0);
}

uint32_t
peer_next(struct imsgbuf *ib, struct imsg *imsg)
{
	int	 n;

	for (;;) {
		ATF_REQUIRE((n = imsgbuf_get(ib, imsg)) != -1);
		if (n == 1)
			return (imsg_get_type(imsg));
		ATF_REQUIRE((n = imsgbuf_read(ib)) != -1);
		if (n == 0)
			return (IMSG_NONE);
	}
}

int
peer_reply(struct peer *p, uint32_t id)
{
	struct imsg	 imsg;
	uint32_t	 type;
	int		 value;

	p->rule = -1;
	if ((type = peer_next(&p->supervisor, &imsg)) == IMSG_NET_RULE) {
		ATF_REQUIRE_EQ(id, imsg_get_id(&imsg));
		ATF_REQUIRE(proto_recv_value(&imsg, &p->rule) == 0);
		imsg_free(&imsg);
		type = peer_next(&p->supervisor, &imsg);
	}
	ATF_REQUIRE_EQ(IMSG_NET_REPLY, type);
	ATF_REQUIRE_EQ(id, imsg_get_id(&imsg));
	ATF_REQUIRE_EQ(-1, imsg_get_fd(&imsg));
	ATF_REQUIRE(proto_recv_value(&imsg, &value) == 0);
	imsg_free(&imsg);
	return (value);
}

int
peer_pending(struct imsgbuf *ib, int ms)
{
	struct pollfd	 pfd = { .fd = ib->fd, .events = POLLIN };
	int		 n;

	ATF_REQUIRE((n = poll(&pfd, 1, ms)) != -1);
	return (n);
}

int
peer_call(struct peer *p, int fd, const void *addr, socklen_t addrlen)
{
	static uint32_t	 id = 1000;

	peer_connect(p, ++id, fd, addr, addrlen);
	return (peer_reply(p, id));
}

static void
peer_close(struct peer *p)
{
	close(p->parent.fd);
	imsgbuf_clear(&p->parent);
	close(p->supervisor.fd);
	imsgbuf_clear(&p->supervisor);
	if (p->supervisor_fd != -1)
		close(p->supervisor_fd);
}

void
peer_stop(struct peer *p)
{
	int	 status;

	peer_close(p);
	ATF_REQUIRE_EQ(p->pid, waitpid(p->pid, &status, 0));
	ATF_REQUIRE_EQ_MSG(0, status, "status %#x", status);
	close(p->err);
}

char *
peer_ended(struct peer *p, int want)
{
	static char	 text[8192];
	size_t		 len = 0;
	ssize_t		 n;
	int		 status;

	ATF_REQUIRE_EQ(p->pid, waitpid(p->pid, &status, 0));
	while (len < sizeof(text) - 1 && (n = read(p->err, text + len,
	    sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	ATF_REQUIRE_EQ_MSG(want, status, "status %#x, want %#x: %s", status,
	    want, text);
	peer_close(p);
	close(p->err);
	return (text);
}

void
peer_status(pid_t pid, const char *field, char *value, size_t size)
{
	char	 line[256], path[64];
	FILE	*f;
	size_t	 len = strlen(field);

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	ATF_REQUIRE((f = fopen(path, "r")) != NULL);
	*value = '\0';
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, len) == 0 && line[len] == ':') {
			strlcpy(value, line + len + 1 +
			    strspn(line + len + 1, " \t"), size);
			value[strcspn(value, "\n")] = '\0';
		}
	fclose(f);
	ATF_REQUIRE_MSG(*value != '\0', "no %s", field);
}

void
sock_address(const char *text, uint16_t port, struct sockaddr_storage *ss,
    socklen_t *len)
{
	struct sockaddr_in	*in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6	*in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (strchr(text, ':') == NULL) {
		ss->ss_family = AF_INET;
		in4->sin_port = htons(port);
		ATF_REQUIRE(inet_pton(AF_INET, text, &in4->sin_addr) == 1);
		*len = sizeof(*in4);
	} else {
		ss->ss_family = AF_INET6;
		in6->sin6_port = htons(port);
		ATF_REQUIRE(inet_pton(AF_INET6, text, &in6->sin6_addr) == 1);
		*len = sizeof(*in6);
	}
}

uint16_t
sock_port(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET)
		return (ntohs(((const struct sockaddr_in *)ss)->sin_port));
	return (ntohs(((const struct sockaddr_in6 *)ss)->sin6_port));
}

int
sock_listener(const char *text, int backlog, struct sockaddr_storage *ss,
    socklen_t *len)
{
	int	 fd;

	sock_address(text, 0, ss, len);
	ATF_REQUIRE((fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) != -1);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)ss, *len) == 0);
	ATF_REQUIRE(listen(fd, backlog) == 0);
	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)ss, len) == 0);
	return (fd);
}

int
sock_blackhole(const char *addr, struct sockaddr_storage *ss,
    socklen_t *len)
{
	struct pollfd	 pfd;
	int		 fd, i;

	fd = sock_listener(addr, 0, ss, len);
	/* Until a connect does not complete at once. */
	for (i = 0; i < 10; i++) {
		ATF_REQUIRE((pfd.fd = socket(AF_INET, SOCK_STREAM |
		    SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) != -1);
		ATF_REQUIRE_ERRNO(EINPROGRESS, connect(pfd.fd,
		    (struct sockaddr *)ss, *len) == -1);
		pfd.events = POLLOUT;
		if (poll(&pfd, 1, 20) == 0)
			return (fd);
	}
	atf_tc_fail("the queue of a listener cannot be filled");
}

void
sock_nobody(int fd)
{
	ATF_REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	ATF_REQUIRE_ERRNO(EAGAIN, accept(fd, NULL, NULL) == -1);
}

void
sock_interface(const char *name, const char *addr)
{
	struct sockaddr_in	 sin;
	struct ifreq		 ifr;
	int			 fd;

	ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	if (addr != NULL) {
		memset(&sin, 0, sizeof(sin));
		sin.sin_family = AF_INET;
		ATF_REQUIRE(inet_pton(AF_INET, addr, &sin.sin_addr) == 1);
		memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
		ATF_REQUIRE(ioctl(fd, SIOCSIFADDR, &ifr) == 0);
	}
	ATF_REQUIRE(ioctl(fd, SIOCGIFFLAGS, &ifr) == 0);
	ifr.ifr_flags |= IFF_UP;
	ATF_REQUIRE(ioctl(fd, SIOCSIFFLAGS, &ifr) == 0);
	close(fd);
}

static void
put(const char *path, const char *text)
{
	int	 fd;

	ATF_REQUIRE_MSG((fd = open(path, O_WRONLY)) != -1, "%s", path);
	ATF_REQUIRE_EQ_MSG((ssize_t)strlen(text), write(fd, text,
	    strlen(text)), "%s", path);
	close(fd);
}

void
sock_network(void)
{
	char	 map[64];
	uid_t	 uid = geteuid();
	gid_t	 gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		atf_tc_skip("no network of one's own: %s", strerror(errno));
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	put("/proc/self/gid_map", map);
	sock_interface("lo", NULL);
	snprintf(map, sizeof(map), "%u %u", gid, gid);
	put("/proc/sys/net/ipv4/ping_group_range", map);
}

/* Whether nobody has a port of a type of socket, in either family. */
static int
port_free(int type, uint16_t port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 fd, ret;

	sock_address("::", port, &ss, &len);
	fd = sock_new(AF_INET6, type);
	ret = bind(fd, (struct sockaddr *)&ss, len);
	close(fd);
	return (ret == 0);
}

uint16_t
sock_free_port(void)
{
	uint16_t	 port;

	do
		port = 16384 + arc4random_uniform(16384);
	while (!port_free(SOCK_STREAM, port) || !port_free(SOCK_DGRAM, port));
	return (port);
}

int
sock_new(int domain, int type)
{
	int	 fd;

	ATF_REQUIRE((fd = socket(domain, type | SOCK_CLOEXEC, 0)) != -1);
	return (fd);
}

uint16_t
sock_local_port(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	ATF_REQUIRE(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	return (sock_port(&ss));
}
