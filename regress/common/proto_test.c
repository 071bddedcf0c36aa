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
 * Each message arrives as it was sent, and a reader refuses every payload that
 * is shorter, longer, or holds a value out of range.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "proto.h"

static struct imsgbuf	 left, right;

static void
channel(void)
{
	int	 pair[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    pair) == 0);
	ATF_REQUIRE(imsgbuf_init(&left, pair[0]) == 0);
	ATF_REQUIRE(imsgbuf_init(&right, pair[1]) == 0);
	imsgbuf_allow_fdpass(&left);
	imsgbuf_allow_fdpass(&right);
	ATF_REQUIRE(imsgbuf_set_maxsize(&left, PROTO_MAXSIZE) == 0);
	ATF_REQUIRE(imsgbuf_set_maxsize(&right, PROTO_MAXSIZE) == 0);
}

/* The next message; sends and receives in turn, as it may be large. */
static void
next(struct imsg *imsg, uint32_t type)
{
	int	 n;

	while ((n = imsgbuf_get(&right, imsg)) == 0) {
		ATF_REQUIRE(imsgbuf_write(&left) == 0);
		ATF_REQUIRE(imsgbuf_read(&right) == 1);
	}
	ATF_REQUIRE(n == 1);
	ATF_REQUIRE(imsg_get_type(imsg) == type);
}

/*
 * Send every shorter payload, and one byte too many unless a tail of any
 * length belongs to the message; the reader must refuse them all.
 */
static void
cut(const void *good, size_t len, int tail, uint32_t type,
    int (*recv)(struct imsg *))
{
	struct imsg	 imsg;
	char		*buf;
	size_t		 n;

	ATF_REQUIRE((buf = calloc(1, len + 1)) != NULL);
	memcpy(buf, good, len);
	for (n = 0; n <= len + 1; n++) {
		if (n == len || (n > len && tail))
			continue;
		ATF_REQUIRE(imsg_compose(&left, type, 0, 0, -1, buf, n) == 1);
		next(&imsg, type);
		ATF_REQUIRE_MSG(recv(&imsg) == -1, "length %zu taken", n);
		imsg_free(&imsg);
	}
	free(buf);
}

/* Take what was queued last as raw bytes. */
static size_t
raw(void *buf, size_t size, uint32_t type)
{
	struct imsg	 imsg;
	size_t		 len;

	next(&imsg, type);
	len = imsg_get_len(&imsg);
	ATF_REQUIRE(len <= size);
	ATF_REQUIRE(imsg_get_data(&imsg, buf, len) == 0);
	imsg_free(&imsg);
	return (len);
}

static int
recv_workload(struct imsg *imsg)
{
	struct workload_conf	 wc;

	return (proto_recv_workload(imsg, &wc));
}

ATF_TC_WITHOUT_HEAD(workload);
ATF_TC_BODY(workload, tc)
{
	struct workload_conf	 in, out;
	struct imsg		 imsg;
	char			 buf[1024];
	size_t			 len;

	channel();
	workload_conf_init(&in);
	workload_conf_init(&out);
	in.filter.allow_list = 1;
	in.filter.fork = FILTER_NOTIFY;
	in.filter.meta = FILTER_DENY;
	in.filter.connect = FILTER_ALLOW;
	in.filter.listen = FILTER_NOTIFY;
	in.filter.inet_sockets = 1;
	in.filter.cpus_fixed = 1;
	in.protections = 0x2a;
	in.abi = 7;
	in.any_bind = 1;
	in.no_coredump = 1;
	in.cpu_set = 1;
	CPU_ZERO(&in.cpus);
	CPU_SET(3, &in.cpus);
	in.max_processes = 56;
	in.cpu_percent = 78;
	in.max_disk = UINT64_C(1) << 40;
	in.verbose = 1;
	ATF_REQUIRE(proto_send_workload(&left, &in) == 0);
	next(&imsg, IMSG_CONF_WORKLOAD);
	ATF_REQUIRE(proto_recv_workload(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(memcmp(&in.filter, &out.filter, sizeof(in.filter)) == 0);
	ATF_CHECK(in.protections == out.protections && out.abi == 7);
	ATF_CHECK(out.any_connect == 0 && out.any_bind == 1);
	ATF_CHECK(out.terminal == 0 && out.no_coredump == 1);
	ATF_CHECK(out.no_huge_pages == 0 && out.no_randomize_memory == 0);
	ATF_CHECK(out.cpu_set == 1 && CPU_EQUAL(&in.cpus, &out.cpus));
	ATF_CHECK(out.max_processes == 56);
	ATF_CHECK(out.max_disk == UINT64_C(1) << 40);
	ATF_CHECK(out.cpu_percent == 78 && out.verbose == 1);

	ATF_REQUIRE(proto_send_workload(&left, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_CONF_WORKLOAD);
	cut(buf, len, 0, IMSG_CONF_WORKLOAD, recv_workload);
	/* A flag is 0 or 1, a verdict one of three. */
	buf[0] = 2;
	ATF_REQUIRE(imsg_compose(&left, IMSG_CONF_WORKLOAD, 0, 0, -1, buf,
	    len) == 1);
	next(&imsg, IMSG_CONF_WORKLOAD);
	ATF_CHECK(proto_recv_workload(&imsg, &out) == -1);
	imsg_free(&imsg);
	buf[0] = 1;
	buf[2] = FILTER_NOTIFY + 1;
	ATF_REQUIRE(imsg_compose(&left, IMSG_CONF_WORKLOAD, 0, 0, -1, buf,
	    len) == 1);
	next(&imsg, IMSG_CONF_WORKLOAD);
	ATF_CHECK(proto_recv_workload(&imsg, &out) == -1);
	imsg_free(&imsg);
}

static int
recv_path(struct imsg *imsg)
{
	struct workload_path	 wp;

	if (proto_recv_path(imsg, &wp) == -1)
		return (-1);
	free(wp.path);
	return (0);
}

ATF_TC_WITHOUT_HEAD(path);
ATF_TC_BODY(path, tc)
{
	struct workload_path	 in, out;
	struct imsg		 imsg;
	char			 name[PATH_MAX + 1], bad[] = "\1\0/a\0b";

	channel();
	memset(&in, 0, sizeof(in));
	in.path = name;
	in.perms = PERM_READ | PERM_CREATE;
	in.optional = 1;
	strlcpy(name, "/a b", sizeof(name));
	ATF_REQUIRE(proto_send_path(&left, &in) == 0);
	next(&imsg, IMSG_CONF_PATH);
	ATF_REQUIRE(proto_recv_path(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK_STREQ("/a b", out.path);
	ATF_CHECK(out.perms == in.perms && out.optional == 1);
	free(out.path);

	/* No path, a relative one, a NUL inside, unknown rights. */
	cut("\1\0/", 3, 1, IMSG_CONF_PATH, recv_path);
	name[0] = 'a';
	ATF_REQUIRE(proto_send_path(&left, &in) == 0);
	next(&imsg, IMSG_CONF_PATH);
	ATF_CHECK(recv_path(&imsg) == -1);
	imsg_free(&imsg);
	ATF_REQUIRE(imsg_compose(&left, IMSG_CONF_PATH, 0, 0, -1, bad,
	    sizeof(bad) - 1) == 1);
	next(&imsg, IMSG_CONF_PATH);
	ATF_CHECK(recv_path(&imsg) == -1);
	imsg_free(&imsg);
	name[0] = '/';
	in.perms = PERM_MASK + 1;
	ATF_REQUIRE(proto_send_path(&left, &in) == 0);
	next(&imsg, IMSG_CONF_PATH);
	ATF_CHECK(recv_path(&imsg) == -1);
	imsg_free(&imsg);
	/* One byte longer than the kernel takes. */
	in.perms = PERM_READ;
	memset(name, '/', PATH_MAX);
	name[PATH_MAX] = '\0';
	ATF_REQUIRE(proto_send_path(&left, &in) == 0);
	next(&imsg, IMSG_CONF_PATH);
	ATF_CHECK(recv_path(&imsg) == -1);
	imsg_free(&imsg);
	name[PATH_MAX - 1] = '\0';
	ATF_REQUIRE(proto_send_path(&left, &in) == 0);
	next(&imsg, IMSG_CONF_PATH);
	ATF_CHECK(recv_path(&imsg) == 0);
	imsg_free(&imsg);
}

static int
recv_port(struct imsg *imsg)
{
	struct workload_port	 wp;

	return (proto_recv_port(imsg, &wp));
}

ATF_TC_WITHOUT_HEAD(port);
ATF_TC_BODY(port, tc)
{
	struct workload_port	 in = { .direction = NET_IN, .lo = 80,
				    .hi = 90 }, out;
	struct imsg		 imsg;
	char			 buf[16];
	size_t			 len;

	channel();
	ATF_REQUIRE(proto_send_port(&left, &in) == 0);
	next(&imsg, IMSG_CONF_PORT);
	ATF_REQUIRE(proto_recv_port(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.direction == NET_IN && out.lo == 80 && out.hi == 90);
	ATF_REQUIRE(proto_send_port(&left, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_CONF_PORT);
	cut(buf, len, 0, IMSG_CONF_PORT, recv_port);
	in.lo = 91;		/* an empty range */
	ATF_REQUIRE(proto_send_port(&left, &in) == 0);
	next(&imsg, IMSG_CONF_PORT);
	ATF_CHECK(proto_recv_port(&imsg, &out) == -1);
	imsg_free(&imsg);
}

static int
recv_syscall(struct imsg *imsg)
{
	struct filter_change	 fc;

	return (proto_recv_syscall(imsg, &fc));
}

ATF_TC_WITHOUT_HEAD(system_call);
ATF_TC_BODY(system_call, tc)
{
	struct filter_change	 in = { SYS_chmod, 1 }, out;
	struct imsg		 imsg;
	char			 buf[16];
	size_t			 len;

	channel();
	ATF_REQUIRE(proto_send_syscall(&left, &in) == 0);
	next(&imsg, IMSG_CONF_SYSCALL);
	ATF_REQUIRE(proto_recv_syscall(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.nr == SYS_chmod && out.permit == 1);
	ATF_REQUIRE(proto_send_syscall(&left, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_CONF_SYSCALL);
	cut(buf, len, 0, IMSG_CONF_SYSCALL, recv_syscall);
	in.nr = SYSCALL_LAST + 1;
	ATF_REQUIRE(proto_send_syscall(&left, &in) == 0);
	next(&imsg, IMSG_CONF_SYSCALL);
	ATF_CHECK(proto_recv_syscall(&imsg, &out) == -1);
	imsg_free(&imsg);
	in.nr = -1;
	ATF_REQUIRE(proto_send_syscall(&left, &in) == 0);
	next(&imsg, IMSG_CONF_SYSCALL);
	ATF_CHECK(proto_recv_syscall(&imsg, &out) == -1);
	imsg_free(&imsg);
}

static int
recv_rule(struct imsg *imsg)
{
	struct net_rule	 nr;

	return (proto_recv_rule(imsg, &nr));
}

ATF_TC_WITHOUT_HEAD(rule);
ATF_TC_BODY(rule, tc)
{
	struct net_rule	 in, out;
	struct imsg	 imsg;
	char		 buf[512];
	size_t		 len;

	channel();
	memset(&in, 0, sizeof(in));
	in.direction = NET_OUT;
	in.protos = NET_PROTO(NET_UDP) | NET_PROTO(NET_ICMP);
	in.block = in.quick = 1;
	in.target = NET_ADDRESS;
	in.family = AF_INET;
	in.bits = 32;
	in.addr.s6_addr[0] = 10;
	strlcpy(in.name, "example.org", sizeof(in.name));
	in.port_hi = 65535;
	ATF_REQUIRE(proto_send_rule(&left, &in) == 0);
	next(&imsg, IMSG_CONF_RULE);
	ATF_REQUIRE(proto_recv_rule(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.direction == NET_OUT && out.target == NET_ADDRESS);
	ATF_CHECK(out.protos == in.protos && out.block == 1 && out.quick == 1);
	ATF_CHECK(out.family == AF_INET && out.bits == 32);
	ATF_CHECK(memcmp(&in.addr, &out.addr, sizeof(in.addr)) == 0);
	ATF_CHECK_STREQ("example.org", out.name);
	ATF_CHECK(out.port_lo == 0 && out.port_hi == 65535);
	ATF_REQUIRE(proto_send_rule(&left, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_CONF_RULE);
	cut(buf, len, 0, IMSG_CONF_RULE, recv_rule);
	in.bits = 33;		/* more than an address of v4 has */
	ATF_REQUIRE(proto_send_rule(&left, &in) == 0);
	next(&imsg, IMSG_CONF_RULE);
	ATF_CHECK(proto_recv_rule(&imsg, &out) == -1);
	imsg_free(&imsg);
}

ATF_TC_WITHOUT_HEAD(string);
ATF_TC_BODY(string, tc)
{
	struct imsg	 imsg;
	char		*big, *s;

	channel();
	ATF_REQUIRE(proto_send_string(&left, IMSG_CONF_ARG, "") == 0);
	next(&imsg, IMSG_CONF_ARG);
	ATF_REQUIRE(proto_recv_string(&imsg, &s) == 0);
	imsg_free(&imsg);
	ATF_CHECK_STREQ("", s);
	free(s);

	/* The longest argument that exec takes. */
	ATF_REQUIRE((big = malloc(131072)) != NULL);
	memset(big, 'x', 131071);
	big[131071] = '\0';
	ATF_REQUIRE(proto_send_string(&left, IMSG_CONF_ARG, big) == 0);
	next(&imsg, IMSG_CONF_ARG);
	ATF_REQUIRE(proto_recv_string(&imsg, &s) == 0);
	imsg_free(&imsg);
	ATF_CHECK(strcmp(big, s) == 0);
	free(big);
	free(s);

	ATF_REQUIRE(imsg_compose(&left, IMSG_CONF_ARG, 0, 0, -1, "a\0b",
	    3) == 1);
	next(&imsg, IMSG_CONF_ARG);
	ATF_CHECK(proto_recv_string(&imsg, &s) == -1);
	imsg_free(&imsg);
}

static int
recv_int(struct imsg *imsg)
{
	int	 value;

	return (proto_recv_int(imsg, &value));
}

static int
recv_failure(struct imsg *imsg)
{
	struct proto_failure	 pf;

	return (proto_recv_failure(imsg, &pf));
}

static int
recv_exit(struct imsg *imsg)
{
	struct proto_exit	 pe;

	return (proto_recv_exit(imsg, &pe));
}

static int
recv_count(struct imsg *imsg)
{
	struct proto_count	 pc;

	return (proto_recv_count(imsg, &pc));
}

ATF_TC_WITHOUT_HEAD(life);
ATF_TC_BODY(life, tc)
{
	struct proto_failure	 pf = { ENOENT, STAGE_EXEC };
	struct proto_exit	 pe = { 0x100, 1ULL << 40, 7, 9 };
	struct proto_count	 pc = { SYS_clone, 1ULL << 33 };
	struct imsg		 imsg;
	char			 buf[64];
	size_t			 len;
	int			 fd, value;

	channel();
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE(proto_send_int(&left, IMSG_CONF_PASSFD, -5, fd) == 0);
	next(&imsg, IMSG_CONF_PASSFD);
	ATF_REQUIRE(proto_recv_int(&imsg, &value) == 0);
	ATF_CHECK(value == -5);
	ATF_CHECK((fd = imsg_get_fd(&imsg)) != -1);
	close(fd);
	imsg_free(&imsg);
	cut("\1\0\0\0", 4, 0, IMSG_SIGNAL, recv_int);

	ATF_REQUIRE(proto_send_failure(&left, &pf) == 0);
	len = raw(buf, sizeof(buf), IMSG_EXEC_FAILED);
	cut(buf, len, 0, IMSG_EXEC_FAILED, recv_failure);
	pf.stage = STAGE_KILLED + 1;
	ATF_REQUIRE(proto_send_failure(&left, &pf) == 0);
	next(&imsg, IMSG_EXEC_FAILED);
	ATF_CHECK(recv_failure(&imsg) == -1);
	imsg_free(&imsg);

	ATF_REQUIRE(proto_send_exit(&left, &pe) == 0);
	next(&imsg, IMSG_EXITED);
	memset(&pe, 0, sizeof(pe));
	ATF_REQUIRE(proto_recv_exit(&imsg, &pe) == 0);
	imsg_free(&imsg);
	ATF_CHECK(pe.status == 0x100 && pe.cpu_us == 1ULL << 40);
	ATF_CHECK(pe.maxrss_kb == 7 && pe.processes == 9);
	ATF_REQUIRE(proto_send_exit(&left, &pe) == 0);
	len = raw(buf, sizeof(buf), IMSG_EXITED);
	cut(buf, len, 0, IMSG_EXITED, recv_exit);

	ATF_REQUIRE(proto_send_count(&left, &pc) == 0);
	len = raw(buf, sizeof(buf), IMSG_COUNT);
	cut(buf, len, 0, IMSG_COUNT, recv_count);
	pc.nr = -1;		/* would be an index out of the array */
	ATF_REQUIRE(proto_send_count(&left, &pc) == 0);
	next(&imsg, IMSG_COUNT);
	ATF_CHECK(recv_count(&imsg) == -1);
	imsg_free(&imsg);
}

ATF_TC_WITHOUT_HEAD(denial);
ATF_TC_BODY(denial, tc)
{
	struct proto_denial	 in, out;
	struct imsg		 imsg;
	char			 big[PROTO_OBJECT_MAX + 64];

	channel();
	memset(&in, 0, sizeof(in));
	in.pid = 99;
	in.nr = SYS_mount;
	in.error = EPERM;
	strlcpy(in.comm, "evil\n", sizeof(in.comm));
	strlcpy(in.rule, "filter", sizeof(in.rule));
	in.net_rule = 70000;
	strlcpy(in.object, "/a/b", sizeof(in.object));
	ATF_REQUIRE(proto_send_denial(&left, &in) == 0);
	next(&imsg, IMSG_DENIAL);
	ATF_REQUIRE(proto_recv_denial(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.pid == 99 && out.nr == SYS_mount && out.error == EPERM);
	ATF_CHECK_STREQ(in.comm, out.comm);
	ATF_CHECK_STREQ(in.rule, out.rule);
	ATF_CHECK_EQ(in.net_rule, out.net_rule);
	ATF_CHECK_STREQ(in.object, out.object);
	/* An object that does not fit must not be copied. */
	memset(big, 'x', sizeof(big));
	memset(big, 0, 64);
	ATF_REQUIRE(imsg_compose(&left, IMSG_DENIAL, 0, 0, -1, big,
	    64 + PROTO_OBJECT_MAX) == 1);
	next(&imsg, IMSG_DENIAL);
	ATF_CHECK(proto_recv_denial(&imsg, &out) == -1);
	imsg_free(&imsg);
}

static int
recv_meta(struct imsg *imsg)
{
	struct proto_meta	 pm;
	int			 ret;

	ret = proto_recv_meta(imsg, &pm);
	free(pm.value);
	return (ret);
}

ATF_TC_WITHOUT_HEAD(meta);
ATF_TC_BODY(meta, tc)
{
	struct proto_meta	 in, out;
	struct imsg		 imsg;
	char			 buf[512];
	size_t			 len;
	int			 fd;

	channel();
	memset(&in, 0, sizeof(in));
	in.op = META_SETXATTR;
	in.mode = 0644;
	in.uid = (uid_t)-1;
	in.times[0].tv_nsec = 999999999;
	in.times[1].tv_sec = -1;
	in.xattr_flags = 2;
	strlcpy(in.xattr_name, "user.a", sizeof(in.xattr_name));
	in.value_len = PROTO_XATTR_MAX;
	ATF_REQUIRE((in.value = malloc(in.value_len)) != NULL);
	memset(in.value, 0xa5, in.value_len);
	ATF_REQUIRE((fd = open("/", O_PATH)) != -1);
	ATF_REQUIRE(proto_send_meta(&left, 17, fd, &in) == 0);
	next(&imsg, IMSG_META);
	ATF_CHECK(imsg_get_id(&imsg) == 17);
	ATF_CHECK((fd = imsg_get_fd(&imsg)) != -1);
	close(fd);
	ATF_REQUIRE(proto_recv_meta(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.op == META_SETXATTR && out.mode == 0644);
	ATF_CHECK(out.uid == (uid_t)-1 && out.gid == 0);
	ATF_CHECK(out.times[0].tv_nsec == 999999999);
	ATF_CHECK(out.times[1].tv_sec == -1 && out.xattr_flags == 2);
	ATF_CHECK_STREQ("user.a", out.xattr_name);
	ATF_REQUIRE(out.value_len == in.value_len);
	ATF_CHECK(memcmp(in.value, out.value, in.value_len) == 0);
	free(out.value);

	in.value_len = PROTO_XATTR_MAX + 1;
	ATF_CHECK_ERRNO(E2BIG, proto_send_meta(&left, 1, -1, &in) == -1);
	free(in.value);
	in.value = NULL;
	in.value_len = 0;
	ATF_REQUIRE(proto_send_meta(&left, 1, -1, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_META);
	cut(buf, len, 1, IMSG_META, recv_meta);
	buf[0] = META_REMOVEXATTR + 1;
	ATF_REQUIRE(imsg_compose(&left, IMSG_META, 0, 0, -1, buf, len) == 1);
	next(&imsg, IMSG_META);
	ATF_CHECK(recv_meta(&imsg) == -1);
	imsg_free(&imsg);
}

static int
recv_connect(struct imsg *imsg)
{
	struct proto_connect	 pc;

	return (proto_recv_connect(imsg, &pc));
}

ATF_TC_WITHOUT_HEAD(connection);
ATF_TC_BODY(connection, tc)
{
	struct proto_connect	 in, out;
	struct imsg		 imsg;
	char			 buf[256];
	size_t			 len;

	channel();
	memset(&in, 0, sizeof(in));
	in.addrlen = 16;
	in.addr.ss_family = AF_INET;
	ATF_REQUIRE(proto_send_connect(&left, 3, -1, &in) == 0);
	next(&imsg, IMSG_NET_CONNECT);
	ATF_REQUIRE(proto_recv_connect(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.addrlen == 16 && out.addr.ss_family == AF_INET);
	ATF_REQUIRE(proto_send_connect(&left, 3, -1, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_NET_CONNECT);
	cut(buf, len, 0, IMSG_NET_CONNECT, recv_connect);
	in.addrlen = sizeof(in.addr) + 1;
	ATF_REQUIRE(proto_send_connect(&left, 3, -1, &in) == 0);
	next(&imsg, IMSG_NET_CONNECT);
	ATF_CHECK(proto_recv_connect(&imsg, &out) == -1);
	imsg_free(&imsg);
}

static int
recv_binding(struct imsg *imsg)
{
	struct port_binding	 pb;

	return (proto_recv_binding(imsg, &pb));
}

ATF_TC_WITHOUT_HEAD(binding);
ATF_TC_BODY(binding, tc)
{
	struct proto_connect	 pc, copy;
	struct port_binding	 in, out;
	struct imsg		 imsg;
	char			 buf[128];
	size_t			 len;

	channel();
	memset(&pc, 0, sizeof(pc));
	pc.addrlen = 28;
	pc.addr.ss_family = AF_INET6;
	ATF_REQUIRE(proto_send_bind(&left, 9, -1, &pc) == 0);
	next(&imsg, IMSG_NET_BIND);
	ATF_REQUIRE(proto_recv_bind(&imsg, &copy) == 0);
	ATF_CHECK(copy.addrlen == 28 && copy.addr.ss_family == AF_INET6);
	imsg_free(&imsg);

	memset(&in, 0, sizeof(in));
	in.proto = NET_UDP;
	in.family = AF_INET6;
	memset(&in.addr, 7, sizeof(in.addr));
	in.scope = 0x01020304;
	in.dual = 1;
	in.resolver = 1;
	in.asked = 8080;
	in.real = 65535;
	ATF_REQUIRE(proto_send_binding(&left, IMSG_PORT, &in) == 0);
	next(&imsg, IMSG_PORT);
	ATF_REQUIRE(proto_recv_binding(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.proto == NET_UDP && out.family == AF_INET6 &&
	    memcmp(&out.addr, &in.addr, sizeof(in.addr)) == 0 &&
	    out.scope == in.scope && out.dual == 1 && out.resolver == 1 &&
	    out.asked == 8080 && out.real == 65535);
	ATF_REQUIRE(proto_send_binding(&left, IMSG_NET_PORT, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_NET_PORT);
	cut(buf, len, 1, IMSG_NET_PORT, recv_binding);

	in.proto = NET_ICMP;
	ATF_REQUIRE(proto_send_binding(&left, IMSG_NET_PORT, &in) == 0);
	next(&imsg, IMSG_NET_PORT);
	ATF_CHECK(recv_binding(&imsg) == -1);
	imsg_free(&imsg);
	in.proto = NET_TCP;
	in.real = 0;
	ATF_REQUIRE(proto_send_binding(&left, IMSG_NET_PORT, &in) == 0);
	next(&imsg, IMSG_NET_PORT);
	ATF_CHECK(recv_binding(&imsg) == -1);
	imsg_free(&imsg);
}

static int
recv_datagram(struct imsg *imsg)
{
	struct proto_datagram	 pd;
	int			 ret;

	ret = proto_recv_datagram(imsg, &pd);
	proto_free_datagram(&pd);
	return (ret);
}

ATF_TC_WITHOUT_HEAD(datagram);
ATF_TC_BODY(datagram, tc)
{
	static char		 control[PROTO_CONTROL_MAX + 1];
	static char		 data[PROTO_DATAGRAM_MAX + 1];
	struct proto_datagram	 in, out;
	struct imsg		 imsg;
	char			 buf[512];
	size_t			 i, len;

	channel();
	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	memset(control, 'c', sizeof(control));
	memset(&in, 0, sizeof(in));
	in.to.addrlen = 28;
	in.to.addr.ss_family = AF_INET6;
	in.flags = MSG_MORE | MSG_DONTWAIT;
	in.control = control;
	in.controllen = PROTO_CONTROL_MAX;
	in.data = data;
	in.len = PROTO_DATAGRAM_MAX;
	ATF_REQUIRE(proto_send_datagram(&left, 9, -1, &in) == 0);
	next(&imsg, IMSG_NET_SEND);
	ATF_REQUIRE(proto_recv_datagram(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.to.addrlen == 28 && out.to.addr.ss_family == AF_INET6 &&
	    out.flags == (MSG_MORE | MSG_DONTWAIT));
	ATF_REQUIRE(out.controllen == PROTO_CONTROL_MAX &&
	    out.len == PROTO_DATAGRAM_MAX);
	ATF_CHECK(memcmp(out.control, control, out.controllen) == 0);
	ATF_CHECK(memcmp(out.data, data, out.len) == 0);
	proto_free_datagram(&out);

	/* Nothing at all in it. */
	in.controllen = in.len = 0;
	ATF_REQUIRE(proto_send_datagram(&left, 9, -1, &in) == 0);
	next(&imsg, IMSG_NET_SEND);
	ATF_REQUIRE(proto_recv_datagram(&imsg, &out) == 0);
	imsg_free(&imsg);
	ATF_CHECK(out.controllen == 0 && out.len == 0);
	proto_free_datagram(&out);

	/* Too much of either. */
	in.len = PROTO_DATAGRAM_MAX + 1;
	ATF_CHECK(proto_send_datagram(&left, 9, -1, &in) == -1);
	in.len = 0;
	in.controllen = PROTO_CONTROL_MAX + 1;
	ATF_CHECK(proto_send_datagram(&left, 9, -1, &in) == -1);

	/* Cut anywhere before the data; a length that is not there. */
	in.controllen = 8;
	ATF_REQUIRE(proto_send_datagram(&left, 9, -1, &in) == 0);
	len = raw(buf, sizeof(buf), IMSG_NET_SEND);
	ATF_REQUIRE(len == 4 + sizeof(in.to.addr) + 4 + 4 + 8);
	cut(buf, len, 1, IMSG_NET_SEND, recv_datagram);
	in.controllen = 0;
	in.to.addrlen = sizeof(in.to.addr) + 1;
	ATF_REQUIRE(proto_send_datagram(&left, 9, -1, &in) == 0);
	next(&imsg, IMSG_NET_SEND);
	ATF_CHECK(recv_datagram(&imsg) == -1);
	imsg_free(&imsg);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	uint32_t	 type, other;

	for (type = 0; type < IMSG_MAX; type++) {
		ATF_CHECK(strcmp("unknown", proto_name(type)) != 0);
		for (other = 0; other < type; other++)
			ATF_CHECK(strcmp(proto_name(type),
			    proto_name(other)) != 0);
	}
	ATF_CHECK_STREQ("unknown", proto_name(IMSG_MAX));
	ATF_CHECK_STREQ("unknown", proto_name(UINT32_MAX));
}

static int
recv_branch(struct imsg *imsg)
{
	struct proto_branch	 pb;

	return (proto_recv_branch(imsg, &pb));
}

static int
recv_change(struct imsg *imsg)
{
	struct proto_change	 pc;

	if (proto_recv_change(imsg, &pc) == -1)
		return (-1);
	free(pc.path);
	return (0);
}

static int
recv_outcome(struct imsg *imsg)
{
	struct proto_outcome	 po;

	if (proto_recv_outcome(imsg, &po) == -1)
		return (-1);
	free(po.path);
	return (0);
}

static int
recv_taken(struct imsg *imsg)
{
	struct proto_taken	 pt;

	return (proto_recv_taken(imsg, &pt));
}

static int
recv_usage(struct imsg *imsg)
{
	struct proto_usage	 pu;

	return (proto_recv_usage(imsg, &pu));
}

ATF_TC_WITHOUT_HEAD(quota);
ATF_TC_BODY(quota, tc)
{
	struct proto_taken	 taken = { UINT64_C(1) << 40, 2, 3 }, t;
	struct proto_usage	 usage = { UINT64_C(1) << 50, EXDEV }, u;
	struct proto_view	 view, v;
	struct imsg		 imsg;
	char			 buf[1024];
	static char		 path[] = "a/b", none[] = "";
	size_t			 len;

	channel();
	ATF_REQUIRE(proto_send_taken(&left, 7, -1, &taken) == 0);
	next(&imsg, IMSG_TAKEN);
	ATF_CHECK_EQ(7, imsg_get_id(&imsg));
	ATF_REQUIRE(proto_recv_taken(&imsg, &t) == 0);
	ATF_CHECK_EQ(-1, imsg_get_fd(&imsg));
	ATF_CHECK_EQ(taken.taken, t.taken);
	ATF_CHECK_EQ(taken.wanted, t.wanted);
	ATF_CHECK_EQ(taken.given, t.given);
	imsg_free(&imsg);
	ATF_REQUIRE(proto_send_taken(&left, 7, -1, &taken) == 0);
	len = raw(buf, sizeof(buf), IMSG_TAKEN);
	cut(buf, len, 0, IMSG_TAKEN, recv_taken);

	ATF_REQUIRE(proto_send_usage(&left, &usage) == 0);
	next(&imsg, IMSG_USAGE_REPLY);
	ATF_REQUIRE(proto_recv_usage(&imsg, &u) == 0);
	ATF_CHECK_EQ(usage.bytes, u.bytes);
	ATF_CHECK_EQ(usage.error, u.error);
	imsg_free(&imsg);
	ATF_REQUIRE(proto_send_usage(&left, &usage) == 0);
	len = raw(buf, sizeof(buf), IMSG_USAGE_REPLY);
	cut(buf, len, 0, IMSG_USAGE_REPLY, recv_usage);

	memset(&view, 0, sizeof(view));
	view.op = VIEW_MKDIR;
	view.room = UINT64_C(5) << 33;
	view.known = view.cloexec = 1;
	view.call = UINT64_C(7) << 34;
	view.path = path;
	view.path2 = none;
	ATF_REQUIRE(proto_send_view(&left, 1, -1, &view) == 0);
	next(&imsg, IMSG_VIEW);
	ATF_REQUIRE(proto_recv_view(&imsg, &v) == 0);
	ATF_CHECK_EQ(view.room, v.room);
	ATF_CHECK_EQ(1, v.known);
	ATF_CHECK_EQ(1, v.cloexec);
	ATF_CHECK_EQ(view.call, v.call);
	ATF_CHECK_STREQ("a/b", v.path);
	proto_free_view(&v);
	imsg_free(&imsg);
}

ATF_TC_WITHOUT_HEAD(branch);
ATF_TC_BODY(branch, tc)
{
	struct proto_branch	 pb = { { -5, 999999999 }, 1 };
	struct imsg		 imsg;
	char			 buf[64], *name;
	size_t			 len;
	int			 fd;

	channel();
	ATF_REQUIRE((fd = open("/", O_RDONLY)) != -1);
	ATF_REQUIRE(proto_send_place(&left, IMSG_CONF_STORAGE, "name",
	    fd) == 0);
	next(&imsg, IMSG_CONF_STORAGE);
	ATF_REQUIRE(proto_recv_string(&imsg, &name) == 0);
	ATF_CHECK_STREQ("name", name);
	ATF_REQUIRE((fd = imsg_get_fd(&imsg)) != -1);
	imsg_free(&imsg);
	ATF_REQUIRE(proto_send_branch(&left, &pb, fd) == 0);
	memset(&pb, 0, sizeof(pb));
	next(&imsg, IMSG_CONF_BRANCH);
	ATF_REQUIRE(proto_recv_branch(&imsg, &pb) == 0);
	ATF_CHECK(pb.start.tv_sec == -5 && pb.start.tv_nsec == 999999999 &&
	    pb.keep == 1);
	ATF_CHECK((fd = imsg_get_fd(&imsg)) != -1);
	close(fd);
	imsg_free(&imsg);
	ATF_REQUIRE(proto_send_branch(&left, &pb, -1) == 0);
	len = raw(buf, sizeof(buf), IMSG_CONF_BRANCH);
	cut(buf, len, 0, IMSG_CONF_BRANCH, recv_branch);
	pb.start.tv_nsec = 1000000000;
	ATF_REQUIRE(proto_send_branch(&left, &pb, -1) == 0);
	next(&imsg, IMSG_CONF_BRANCH);
	ATF_CHECK(recv_branch(&imsg) == -1);
	imsg_free(&imsg);
}

ATF_TC_WITHOUT_HEAD(changes);
ATF_TC_BODY(changes, tc)
{
	static char		 odd[] = "a\nb/\377", none[] = "";
	struct proto_change	 pc;
	struct proto_outcome	 po;
	struct imsg		 imsg;
	const char		*kind;
	char			 buf[256];
	size_t			 len;

	channel();
	for (kind = "AMDTCNRx"; *kind != '\0'; kind++) {
		pc.kind = *kind;
		pc.path = odd;
		ATF_REQUIRE(proto_send_change(&left, &pc) == 0);
		next(&imsg, IMSG_BRANCH_CHANGE);
		if (*kind == 'x') {
			ATF_CHECK(recv_change(&imsg) == -1);
		} else {
			ATF_REQUIRE(proto_recv_change(&imsg, &pc) == 0);
			ATF_CHECK(pc.kind == *kind);
			ATF_CHECK_STREQ(odd, pc.path);
			free(pc.path);
		}
		imsg_free(&imsg);
	}
	/* A NUL in the path, and no kind. */
	ATF_REQUIRE(imsg_compose(&left, IMSG_BRANCH_CHANGE, 0, 0, -1, "Aa\0b",
	    4) == 1);
	next(&imsg, IMSG_BRANCH_CHANGE);
	ATF_CHECK(recv_change(&imsg) == -1);
	imsg_free(&imsg);
	ATF_REQUIRE(imsg_compose(&left, IMSG_BRANCH_CHANGE, 0, 0, -1, NULL,
	    0) == 1);
	next(&imsg, IMSG_BRANCH_CHANGE);
	ATF_CHECK(recv_change(&imsg) == -1);
	imsg_free(&imsg);

	memset(&po, 0, sizeof(po));
	po.outcome = OUTCOME_STUCK;
	po.error = ENOSPC;
	po.added = 1ULL << 40;
	po.changed = 2;
	po.deleted = 3;
	strlcpy(po.what, "rename", sizeof(po.what));
	po.path = odd;
	ATF_REQUIRE(proto_send_outcome(&left, &po) == 0);
	memset(&po, 0, sizeof(po));
	next(&imsg, IMSG_BRANCH_DONE);
	ATF_REQUIRE(proto_recv_outcome(&imsg, &po) == 0);
	imsg_free(&imsg);
	ATF_CHECK(po.outcome == OUTCOME_STUCK && po.error == ENOSPC &&
	    po.added == 1ULL << 40 && po.changed == 2 && po.deleted == 3);
	ATF_CHECK_STREQ("rename", po.what);
	ATF_CHECK_STREQ(odd, po.path);
	free(po.path);
	po.path = none;
	ATF_REQUIRE(proto_send_outcome(&left, &po) == 0);
	len = raw(buf, sizeof(buf), IMSG_BRANCH_DONE);
	cut(buf, len, 1, IMSG_BRANCH_DONE, recv_outcome);
	po.error = -1;
	ATF_REQUIRE(proto_send_outcome(&left, &po) == 0);
	next(&imsg, IMSG_BRANCH_DONE);
	ATF_CHECK(recv_outcome(&imsg) == -1);
	imsg_free(&imsg);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, workload);
	ATF_TP_ADD_TC(tp, path);
	ATF_TP_ADD_TC(tp, port);
	ATF_TP_ADD_TC(tp, system_call);
	ATF_TP_ADD_TC(tp, rule);
	ATF_TP_ADD_TC(tp, string);
	ATF_TP_ADD_TC(tp, life);
	ATF_TP_ADD_TC(tp, denial);
	ATF_TP_ADD_TC(tp, meta);
	ATF_TP_ADD_TC(tp, connection);
	ATF_TP_ADD_TC(tp, binding);
	ATF_TP_ADD_TC(tp, datagram);
	ATF_TP_ADD_TC(tp, quota);
	ATF_TP_ADD_TC(tp, branch);
	ATF_TP_ADD_TC(tp, changes);
	ATF_TP_ADD_TC(tp, names);
	return (atf_no_error());
}
