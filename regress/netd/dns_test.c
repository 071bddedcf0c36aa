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
 * Names: /etc/hosts, and name servers that tell the truth, lie, or say
 * nothing.  Every case runs in namespaces of its own with its own /etc and
 * its own server on 127.0.0.1:53, so netd needs no switch for tests.  An
 * address that is admitted here has no route: the kernel's ENETUNREACH tells
 * it from a refusal.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "peer.h"

#define FAILED		(EXIT_SANDLOCK << 8)
#define DENIED		(ECONNREFUSED | PROTO_DENIED)

#define TYPE_A		1
#define TYPE_CNAME	5
#define TYPE_AAAA	28

#define RCODE_SERVFAIL	2
#define RCODE_NXDOMAIN	3
#define RCODE_REFUSED	5
#define FLAG_TC		0x0200

/* What the server does when it is asked for a name. */
enum trick {
	HONEST,
	SILENT,
	TRUNCATED,
	FLOOD,		/* CNAMEs before the address */
	LOOP,		/* CNAMEs only */
	GARBAGE,
	WRONG_ID,	/* an answer to another question first */
	WRONG_NAME,
	OVERRUN,	/* lengths beyond the packet */
	CHANGING,	/* another address each time */
	LATE,		/* IPv4 after IPv6 */
	CUT_ALIAS,	/* truncated behind a CNAME */
	SLOW,		/* after 2.5 seconds */
	PLAIN,		/* silent to EDNS */
	LONG,		/* more addresses than are used */
	MOVING		/* as the test says in state */
};

/* What a name that moves has at the moment. */
enum move {
	FIRST,		/* 203.0.113.20 and 2001:db8::20 */
	SECOND,		/* 203.0.113.21 */
	NOBODY,		/* no answer */
	GONE,		/* no such name */
	LOOPBACK,	/* 127.0.0.1 */
	LOOPBACK_TOO,	/* and 203.0.113.22 */
	HALF		/* 203.0.113.23, and nothing about IPv6 */
};

static const struct zone {
	const char	*name;
	const char	*a;		/* separated by spaces */
	const char	*aaaa;
	int		 rcode;
	enum trick	 trick;
} zone[] = {
	{ "good.test", "203.0.113.5", "2001:db8::5", 0, HONEST },
	{ "four.test", "203.0.113.4", "", 0, HONEST },
	{ "six.test", "", "2001:db8::6", 0, HONEST },
	{ "mixed.test", "10.0.0.1 203.0.113.6 127.0.0.1", "::1", 0, HONEST },
	{ "empty.test", "", "", 0, HONEST },
	{ "missing.test", "", "", RCODE_NXDOMAIN, HONEST },
	{ "failing.test", "", "", RCODE_SERVFAIL, HONEST },
	{ "refusing.test", "", "", RCODE_REFUSED, HONEST },
	{ "loopback.test", "127.0.0.1", "::1", 0, HONEST },
	{ "metadata.test", "169.254.169.254", "", 0, HONEST },
	{ "private.test", "10.1.2.3 192.168.1.1", "fd00::1", 0, HONEST },
	{ "zero.test", "0.0.0.0", "::", 0, HONEST },
	{ "mapped.test", "", "::ffff:127.0.0.1", 0, HONEST },
	{ "nat64.test", "", "64:ff9b::10.0.0.1", 0, HONEST },
	{ "sixtofour.test", "", "2002:7f00:1::1", 0, HONEST },
	{ "compatible.test", "", "::127.0.0.1", 0, HONEST },
	{ "own.test", "198.51.100.9", "", 0, HONEST },
	{ "silent.test", "", "", 0, SILENT },
	{ "truncated.test", "203.0.113.7", "", 0, TRUNCATED },
	{ "flood.test", "203.0.113.8", "", 0, FLOOD },
	{ "loop.test", "", "", 0, LOOP },
	{ "garbage.test", "", "", 0, GARBAGE },
	{ "wrongid.test", "203.0.113.9", "", 0, WRONG_ID },
	{ "wrongname.test", "203.0.113.10", "", 0, WRONG_NAME },
	{ "overrun.test", "203.0.113.11", "", 0, OVERRUN },
	{ "changing.test", "203.0.113.12", "", 0, CHANGING },
	{ "cut.test", "", "", 0, TRUNCATED },
	{ "cutalias.test", "", "", 0, CUT_ALIAS },
	{ "cutboth.test", "203.0.113.7", "2001:db8::7", 0, TRUNCATED },
	{ "long.test", "203.0.113.7", "", 0, LONG },
	{ "slow.test", "203.0.113.15", "", 0, SLOW },
	{ "plain.test", "203.0.113.16", "", 0, PLAIN },
	{ "late.test", "203.0.113.14", "2001:db8::14", 0, LATE },
	{ "moving.test", "", "", 0, MOVING }
};

static const struct {
	const char	*a;
	const char	*aaaa;
} moves[] = {
	[FIRST] = { "203.0.113.20", "2001:db8::20" },
	[SECOND] = { "203.0.113.21", "" },
	[NOBODY] = { "", "" },
	[GONE] = { "", "" },
	[LOOPBACK] = { "127.0.0.1", "" },
	[LOOPBACK_TOO] = { "127.0.0.1 203.0.113.22", "" },
	[HALF] = { "203.0.113.23", "" }
};

/* Shared with the server. */
static volatile struct state {
	int		 queries;
	enum move	 move;
} *state;
static unsigned int	 ttl;

/* The server. */

struct packet {
	uint8_t	 buf[2048];
	size_t	 len;
};

static void
put16(struct packet *p, unsigned int v)
{
	p->buf[p->len++] = v >> 8;
	p->buf[p->len++] = v;
}

static void
put_record(struct packet *p, int type, const void *data, size_t len,
    size_t claimed)
{
	put16(p, 0xc00c);	/* the name of the question */
	put16(p, type);
	put16(p, 1);
	put16(p, 0);
	put16(p, ttl);
	put16(p, claimed);
	memcpy(p->buf + p->len, data, len);
	p->len += len;
}

static int
put_addresses(struct packet *p, int type, const char *list, size_t extra,
    int add)
{
	uint8_t	 addr[16];
	char	 text[256], *next = text, *word;
	size_t	 size = type == TYPE_A ? 4 : 16;
	int	 n = 0;

	strlcpy(text, list, sizeof(text));
	while ((word = strsep(&next, " ")) != NULL) {
		if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, word,
		    addr) != 1)
			continue;
		addr[size - 1] += add;
		put_record(p, type, addr, size, size + extra);
		n++;
	}
	return (n);
}

static size_t
question_name(const struct packet *q, char *name, size_t size)
{
	size_t	 i = 12, n = 0, label;

	while (i < q->len && (label = q->buf[i++]) != 0) {
		if (n != 0)
			name[n++] = '.';
		if (i + label > q->len || n + label + 2 > size)
			return (0);
		memcpy(name + n, q->buf + i, label);
		n += label;
		i += label;
	}
	name[n] = '\0';
	return (i + 4);
}

static void
answer(int fd, const struct packet *q, const struct sockaddr_in *to)
{
	static const uint8_t	 cname[] = { 1, 'x', 0xc0, 0x0c };
	const struct zone	*z = NULL;
	const char		*a, *aaaa;
	struct packet		 r;
	enum move		 move;
	char			 name[256];
	size_t			 end, i;
	int			 n = 0, type;

	if (q->len < 17 || (end = question_name(q, name, sizeof(name))) == 0)
		return;
	type = q->buf[end - 4] << 8 | q->buf[end - 3];
	for (i = 0; i < sizeof(zone) / sizeof(zone[0]); i++)
		if (strcasecmp(zone[i].name, name) == 0)
			z = &zone[i];
	/* Any number of names without an answer. */
	if ((z == NULL && strstr(name, ".silent.test") != NULL) ||
	    (z != NULL && z->trick == SILENT))
		return;
	if (z == NULL && strstr(name, ".many.test") != NULL)
		z = &zone[0];	/* good */
	if (z == NULL)
		z = &zone[5];	/* missing */
	move = state->move;
	if (z->trick == MOVING) {
		state->queries++;
		if (move == NOBODY || (move == HALF && type == TYPE_AAAA))
			return;
		if (move == GONE)
			z = &zone[5];
	}
	ttl = z->trick == MOVING ? 1 : 60;
	memcpy(r.buf, q->buf, end);
	r.len = end;
	r.buf[2] = 0x81;
	r.buf[3] = 0x80 | z->rcode;
	memset(r.buf + 6, 0, 6);
	if (z->trick == PLAIN && q->buf[11] != 0)
		return;
	if (z->trick == TRUNCATED || z->trick == CUT_ALIAS)
		r.buf[2] |= FLAG_TC >> 8;
	if (z->trick == WRONG_NAME)
		r.buf[13] ^= 1;
	if (z->trick == FLOOD || z->trick == LOOP)
		for (; n < 60; n++)
			put_record(&r, TYPE_CNAME, cname, sizeof(cname),
			    sizeof(cname));
	if (z->trick == CUT_ALIAS) {
		put_record(&r, TYPE_CNAME, cname, sizeof(cname),
		    sizeof(cname));
		n++;
	}
	a = z->trick == MOVING ? moves[move].a : z->a;
	aaaa = z->trick == MOVING ? moves[move].aaaa : z->aaaa;
	n += put_addresses(&r, type, type == TYPE_A ? a :
	    type == TYPE_AAAA ? aaaa : "", z->trick == OVERRUN ? 400 : 0,
	    z->trick == CHANGING ? state->queries++ / 2 : 0);
	for (i = 1; z->trick == LONG && type == TYPE_A && i < 70; i++)
		n += put_addresses(&r, type, a, 0, i);
	r.buf[7] = n;
	if (z->trick == GARBAGE)
		r.len = 14;
	if ((z->trick == LATE && type == TYPE_A) || z->trick == SLOW) {
		if (fork() != 0)
			return;
		usleep(z->trick == SLOW ? 2500000 : 200000);
		sendto(fd, r.buf, r.len, 0, (const void *)to, sizeof(*to));
		_exit(0);
	}
	if (z->trick == WRONG_ID) {
		r.buf[0] ^= 0x55;
		sendto(fd, r.buf, r.len, 0, (const void *)to, sizeof(*to));
		r.buf[0] ^= 0x55;
	}
	sendto(fd, r.buf, r.len, 0, (const void *)to, sizeof(*to));
}

static int
server_socket(in_addr_t addr)
{
	struct sockaddr_in	 sin;
	int			 fd;

	ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
	    0)) != -1);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(53);
	sin.sin_addr.s_addr = htonl(addr);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	return (fd);
}

static void
server_run(int fd)
{
	struct sockaddr_in	 sin;
	struct packet		 q;
	socklen_t		 len;
	ssize_t			 n;

	for (;;) {
		len = sizeof(sin);
		n = recvfrom(fd, q.buf, sizeof(q.buf), 0,
		    (struct sockaddr *)&sin, &len);
		if (n == -1)
			_exit(1);
		q.len = n;
		answer(fd, &q, &sin);
	}
}

/* At once, or after some milliseconds. */
static void
server_after(int ms)
{
	pid_t	 pid;
	int	 fd = -1;

	if (ms == 0)
		fd = server_socket(INADDR_LOOPBACK);
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ATF_REQUIRE(state != MAP_FAILED);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		usleep(ms * 1000);
		server_run(ms == 0 ? fd : server_socket(INADDR_LOOPBACK));
	}
	if (fd != -1)
		close(fd);
}

static void
server(void)
{
	server_after(0);
}

/* The namespaces. */

static void
write_file(const char *path, const char *text)
{
	int	 fd;

	ATF_REQUIRE_MSG((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC,
	    0644)) != -1, "%s", path);
	ATF_REQUIRE_MSG(write(fd, text, strlen(text)) ==
	    (ssize_t)strlen(text), "%s", path);
	close(fd);
}

/* Either file may be missing: NULL. */
static void
enter(const char *hosts, const char *resolv)
{
	char	 map[64];
	gid_t	 gid = getegid();
	uid_t	 uid = geteuid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == -1)
		atf_tc_skip("no user namespaces: %s", strerror(errno));
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
	ATF_REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	ATF_REQUIRE(mount("tmpfs", "/etc", "tmpfs", 0, NULL) == 0);
	if (hosts != NULL)
		write_file("/etc/hosts", hosts);
	if (resolv != NULL)
		write_file("/etc/resolv.conf", resolv);
	sock_interface("lo", NULL);
}

#define RESOLV	"# a comment\nsearch test\noptions ndots:5\n" \
		"nameserver 127.0.0.1\n"

static void
begin(const atf_tc_t *tc, struct peer *p)
{
	peer_start(tc, p, 0);
	peer_port(p, NET_OUT, 0, 65535);
}

/* What netd answers for an address: ENETUNREACH if it is admitted. */
static int
try(struct peer *p, const char *text, uint16_t port)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 fd, ret;

	sock_address(text, port, &ss, &len);
	ATF_REQUIRE((fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) != -1);
	ret = peer_call(p, fd, &ss, len);
	close(fd);
	return (ret);
}

/* What is configured fails, with this message to the parent. */
static void
fails_as_is(struct peer *p, const char *want)
{
	struct imsg	 imsg;
	char		*text;

	peer_end(p);
	ATF_REQUIRE_EQ(IMSG_LOCKED, peer_next(&p->parent, &imsg));
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(IMSG_ERROR, peer_next(&p->parent, &imsg));
	ATF_REQUIRE(proto_recv_string(&imsg, &text) == 0);
	ATF_CHECK_STREQ(want, text);
	imsg_free(&imsg);
	free(text);
	ATF_CHECK_EQ(IMSG_NONE, peer_next(&p->parent, &imsg));
	peer_ended(p, FAILED);
}

static void
fails(const atf_tc_t *tc, const char *name, const char *want)
{
	struct peer	 p;

	begin(tc, &p);
	peer_name(&p, name, 80, 80);
	fails_as_is(&p, want);
}

static const char	 hosts_text[] =
    "# local names\n"
    "127.0.0.1\tlocalhost\n"
    "127.0.0.7 seven  Seven.Example # and more\n"
    "::1 seven\n"
    "10.9.9.9 ten\n"
    "not-an-address bad\n"
    "127.0.0.1 good.test\n"
    "fe80::1%lo scoped\n"
    "203.0.113.77 last";

ATF_TC_WITHOUT_HEAD(hosts);
ATF_TC_BODY(hosts, tc)
{
	struct sockaddr_storage	 ss;
	struct peer		 p;
	socklen_t		 len;
	int			 l, l2, s;

	enter(hosts_text, RESOLV);
	/* No server runs: nothing may need one. */
	l = sock_listener("127.0.0.7", 5, &ss, &len);
	begin(tc, &p);
	peer_name(&p, "SEVEN.example.", sock_port(&ss), sock_port(&ss));
	peer_name(&p, "ten", 80, 81);
	peer_name(&p, "last", 80, 80);
	peer_name(&p, "scoped", 80, 80);
	/* What hosts says comes before the server and may be private. */
	peer_name(&p, "good.test", 90, 90);
	peer_run(&p);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(0, peer_call(&p, s, &ss, len));
	ATF_CHECK(accept(l, NULL, NULL) != -1);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "10.9.9.9", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "10.9.9.9", 81));
	ATF_CHECK_EQ(DENIED, try(&p, "10.9.9.9", 82));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.77", 80));
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 90));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.5", 90));
	/* Only the names of the rules. */
	ATF_CHECK_EQ(DENIED, try(&p, "::1", sock_port(&ss)));
	l2 = sock_listener("127.0.0.1", 5, &ss, &len);
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", sock_port(&ss)));
	sock_nobody(l2);
	peer_stop(&p);
}

/* To block localhost blocks both families, whatever the file has of it. */
ATF_TC_WITHOUT_HEAD(hosts_blocked);
ATF_TC_BODY(hosts_blocked, tc)
{
	struct peer	 p;
	int		 block;

	enter(hosts_text, RESOLV);
	for (block = 0; block <= 1; block++) {
		begin(tc, &p);
		peer_rule(&p, NET_OUT, "", 0, 65535);
		p.block = block;
		peer_name(&p, "localhost", 80, 80);
		peer_run(&p);
		ATF_CHECK_EQ(block ? DENIED : ECONNREFUSED,
		    try(&p, "127.0.0.1", 80));
		ATF_CHECK_EQ(block ? DENIED : ECONNREFUSED,
		    try(&p, "::1", 80));
		ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.7", 80));
		peer_stop(&p);
	}
}

ATF_TC_WITHOUT_HEAD(hosts_both_families);
ATF_TC_BODY(hosts_both_families, tc)
{
	struct peer	 p;

	enter(hosts_text, RESOLV);
	begin(tc, &p);
	peer_name(&p, "seven", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.7", 80));
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "::1", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
	peer_stop(&p);
}

/* What the workload finds in its own files: names of rules that pass. */
ATF_TC_WITHOUT_HEAD(files);
ATF_TC_BODY(files, tc)
{
	struct net_rule	 nr;
	struct peer	 p;

	enter(hosts_text, RESOLV);
	server();
	begin(tc, &p);
	peer_name(&p, "Seven", 80, 80);
	peer_name(&p, "seven.", 81, 90);
	peer_name(&p, "mixed.test", 80, 80);
	peer_name(&p, "late.test", 80, 80);
	peer_name(&p, "localhost", 80, 80);
	memset(&nr, 0, sizeof(nr));
	nr.target = NET_NAME;
	nr.protos = NET_PROTO_ALL;
	nr.port_hi = UINT16_MAX;
	nr.block = 1;
	strlcpy(nr.name, "ten", sizeof(nr.name));
	ATF_REQUIRE(proto_send_rule(&p.parent, &nr) == 0);
	peer_run(&p);
	ATF_CHECK_STREQ("127.0.0.1\tlocalhost\n"
	    "::1\tlocalhost ip6-localhost ip6-loopback\n"
	    "127.0.0.7\tseven\n::1\tseven\n"
	    "203.0.113.6\tmixed.test\n"
	    "203.0.113.14\tlate.test\n2001:db8::14\tlate.test\n",
	    p.virtual[VIRTUAL_HOSTS]);
	ATF_CHECK_MATCH("^# ", p.virtual[VIRTUAL_RESOLV]);
	ATF_CHECK(strstr(p.virtual[VIRTUAL_RESOLV], "nameserver") == NULL);
	peer_stop(&p);
	/* Without names there are none. */
	begin(tc, &p);
	peer_run(&p);
	ATF_CHECK(p.virtual[VIRTUAL_HOSTS] == NULL);
	ATF_CHECK(p.virtual[VIRTUAL_RESOLV] == NULL);
	peer_stop(&p);
}

/* Long lines, many lines, and a last one without its end. */
ATF_TC_WITHOUT_HEAD(hosts_large);
ATF_TC_BODY(hosts_large, tc)
{
	struct peer	 p;
	char		 line[64];
	FILE		*f;
	int		 i;

	enter(NULL, RESOLV);
	ATF_REQUIRE((f = fopen("/etc/hosts", "w")) != NULL);
	for (i = 0; i < 20000; i++)
		fprintf(f, "0.0.0.0 advertisement-%d.example\n", i);
	/* The end of an over-long line is no line. */
	fprintf(f, "203.0.113.1 ");
	for (i = 0; i < 4096 - 12; i++)
		fputc('x', f);
	fprintf(f, "203.0.113.2 needle\n203.0.113.3 needle\n");
	for (i = 0; i < 5000; i++)
		fputc('y', f);
	fprintf(f, "\n203.0.113.4 needle");
	ATF_REQUIRE(fclose(f) == 0);
	snprintf(line, sizeof(line), "advertisement-%d.example", 19999);
	begin(tc, &p);
	peer_name(&p, "needle", 80, 80);
	peer_name(&p, line, 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.1", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.2", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.3", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.4", 80));
	/* 0.0.0.0 in hosts switches a name off; it is not loopback. */
	ATF_CHECK_EQ(DENIED, try(&p, "0.0.0.0", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(localhost);
ATF_TC_BODY(localhost, tc)
{
	struct peer	 p;

	/* Known without hosts, and never asked for. */
	enter(NULL, NULL);
	begin(tc, &p);
	peer_name(&p, "LOCALHOST", 80, 80);
	peer_name(&p, "foo.localhost.", 81, 81);
	peer_run(&p);
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "::1", 80));
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 81));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.2", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 82));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(answers);
ATF_TC_BODY(answers, tc)
{
	struct peer	 p;

	enter("", RESOLV);
	server();
	begin(tc, &p);
	peer_name(&p, "Good.TEST.", 80, 80);
	peer_name(&p, "good.test", 443, 443);
	peer_name(&p, "four.test", 80, 80);
	peer_name(&p, "six.test", 80, 80);
	peer_name(&p, "mixed.test", 80, 80);
	peer_name(&p, "wrongid.test", 80, 80);
	peer_name(&p, "truncated.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.5", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.5", 443));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.5", 81));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "2001:db8::5", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.4", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "2001:db8::6", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.9", 80));
	/* What there is of an answer that was cut. */
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.7", 80));
	/* Of mixed answers what is fit. */
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.6", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "10.0.0.1", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "::1", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.1", 80));
	peer_stop(&p);
}

/* More names than are asked for at a time, and with few descriptors. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	struct peer	 p;
	char		 name[64];
	time_t		 t = time(NULL);
	int		 i;

	enter("", RESOLV);
	server();
	peer_start(tc, &p, 40);
	peer_port(&p, NET_OUT, 0, 65535);
	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "n%d.many.test", i);
		peer_name(&p, name, i, i);
	}
	peer_run(&p);
	for (i = 1; i < 500; i++)
		ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.5", i));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.5", 500));
	/* Nobody has waited for a second try. */
	ATF_CHECK(time(NULL) - t < 2);
	peer_stop(&p);
}

/* Servers that are slow, that drop EDNS, and that are not there yet. */
ATF_TC_WITHOUT_HEAD(patience);
ATF_TC_BODY(patience, tc)
{
	struct peer	 p;

	enter("", RESOLV);
	server_after(300);
	begin(tc, &p);
	peer_name(&p, "slow.test", 80, 80);
	peer_name(&p, "plain.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.15", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.16", 80));
	peer_stop(&p);
}

/* One server of two is dead: that is learnt once. */
ATF_TC_WITHOUT_HEAD(dead);
ATF_TC_BODY(dead, tc)
{
	struct peer	 p;
	char		 name[64];
	time_t		 t = time(NULL);
	int		 i;

	enter("", "nameserver 127.0.0.2\nnameserver 127.0.0.1\n");
	server();
	(void)server_socket(INADDR_LOOPBACK + 1);
	begin(tc, &p);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%d.many.test", i);
		peer_name(&p, name, i, i);
	}
	peer_run(&p);
	ATF_CHECK(time(NULL) - t < 4);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.5", 299));
	peer_stop(&p);
}

/* A name to block has to be known as a whole. */
ATF_TC_WITHOUT_HEAD(blocked_partly);
ATF_TC_BODY(blocked_partly, tc)
{
	static const char *const	 names[] = {
		"truncated.test", "cutboth.test", "long.test", "moving.test"
	};
	struct peer			 p;
	char				 want[128];
	size_t				 i;

	enter("", RESOLV);
	server();
	state->move = HALF;
	for (i = 0; i < 4; i++) {
		/* The control: to pass, what is known will do. */
		begin(tc, &p);
		peer_name(&p, names[i], 80, 80);
		peer_run(&p);
		peer_stop(&p);
		begin(tc, &p);
		peer_rule(&p, NET_OUT, "", 0, 65535);
		p.block = 1;
		peer_name(&p, names[i], 80, 80);
		snprintf(want, sizeof(want), "%s: not all of the addresses to "
		    "block are known", names[i]);
		fails_as_is(&p, want);
	}
}

/* When time is up what is known will do, and no question is left. */
ATF_TC_WITHOUT_HEAD(half);
ATF_TC_BODY(half, tc)
{
	struct peer	 p;

	enter("", "nameserver 127.0.0.1\nnameserver 127.0.0.1\n"
	    "nameserver 127.0.0.1\n");
	server();
	state->move = HALF;
	begin(tc, &p);
	peer_name(&p, "moving.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.23", 80));
	/* The next try would have come by then. */
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 3000));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.23", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.20", 80));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(lies);
ATF_TC_BODY(lies, tc)
{
	static const struct {
		const char	*name;
		const char	*want;
	} cases[] = {
		{ "loopback.test",
		    "loopback.test: its address 127.0.0.1 is loopback" },
		{ "metadata.test", "metadata.test: its address "
		    "169.254.169.254 is link-local" },
		{ "private.test",
		    "private.test: its address 10.1.2.3 is private" },
		{ "zero.test",
		    "zero.test: its address 0.0.0.0 is unspecified" },
		{ "mapped.test",
		    "mapped.test: its address ::ffff:127.0.0.1 is loopback" },
		{ "nat64.test",
		    "nat64.test: its address 64:ff9b::a00:1 is private" },
		{ "sixtofour.test",
		    "sixtofour.test: its address 2002:7f00:1::1 is loopback" },
		{ "compatible.test",
		    "compatible.test: its address ::127.0.0.1 is loopback" },
		{ "own.test",
		    "own.test: its address 198.51.100.9 is of this host" },
		{ "missing.test", "missing.test: no such name" },
		{ "empty.test", "empty.test: no address" },
		{ "failing.test", "failing.test: the name servers failed" },
		{ "refusing.test", "refusing.test: the name servers refused" },
		{ "cut.test", "cut.test: the name servers failed" },
		{ "cutalias.test", "cutalias.test: the name servers failed" },
		{ "loop.test", "loop.test: no address" },
		/* It has another name, and no address as that. */
		{ "flood.test", "flood.test: no address" },
		/* No answer to the question: one may come yet. */
		{ "garbage.test",
		    "garbage.test: no answer from the name servers" },
		{ "wrongname.test",
		    "wrongname.test: no answer from the name servers" },
		{ "overrun.test", "overrun.test: the name servers failed" },
		/* Not names. */
		{ "a b", "a b: not a host name" },
		{ "good.test@evil", "good.test@evil: not a host name" },
		{ ".", ".: not a host name" },
		{ "", ": not a host name" },
		{ "a..b", "a..b: not a host name" },
		{ "b\303\274cher.test", "b\303\274cher.test: not a host name" }
	};
	size_t	 i;

	enter("", RESOLV);
	sock_interface("lo:1", "198.51.100.9");
	server();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fails(tc, cases[i].name, cases[i].want);
}

/* An address that a rule names by itself may come from a name as well. */
ATF_TC_WITHOUT_HEAD(literal);
ATF_TC_BODY(literal, tc)
{
	struct peer	 p;

	enter("", RESOLV);
	server();
	begin(tc, &p);
	peer_rule(&p, NET_OUT, "127.0.0.0/8", 80, 90);
	peer_name(&p, "loopback.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 91));
	ATF_CHECK_EQ(DENIED, try(&p, "::1", 80));
	peer_stop(&p);

	/* But not for more ports. */
	begin(tc, &p);
	peer_rule(&p, NET_OUT, "127.0.0.0/8", 80, 90);
	peer_name(&p, "loopback.test", 80, 91);
	peer_end(&p);
	peer_ended(&p, FAILED);
	/* And a name from hosts is no such rule. */
	write_file("/etc/hosts", "127.0.0.1 local.test\n");
	begin(tc, &p);
	peer_name(&p, "local.test", 80, 80);
	peer_name(&p, "loopback.test", 80, 80);
	peer_end(&p);
	peer_ended(&p, FAILED);
}

/* A name that is blocked has every address, at the place of its rule. */
ATF_TC_WITHOUT_HEAD(blocked);
ATF_TC_BODY(blocked, tc)
{
	struct peer	 p;

	enter("", RESOLV);
	server();
	/* Control. */
	begin(tc, &p);
	peer_rule(&p, NET_OUT, "", 0, 65535);
	peer_run(&p);
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 80));
	peer_stop(&p);

	begin(tc, &p);
	peer_rule(&p, NET_OUT, "", 0, 65535);
	p.block = 1;
	peer_name(&p, "loopback.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(1, p.rule);
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 81));
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.2", 80));
	peer_stop(&p);

	/* A rule behind it decides. */
	begin(tc, &p);
	p.block = 1;
	peer_name(&p, "loopback.test", 80, 80);
	p.block = 0;
	peer_rule(&p, NET_OUT, "127.0.0.1/32", 0, 65535);
	peer_run(&p);
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.2", 80));
	ATF_CHECK_EQ(-1, p.rule);
	peer_stop(&p);

	/* And what may not be admitted under the name is blocked under it. */
	begin(tc, &p);
	peer_rule(&p, NET_OUT, "127.0.0.0/8", 80, 80);
	peer_name(&p, "loopback.test", 80, 80);
	p.block = 1;
	peer_name(&p, "loopback.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(2, p.rule);
	peer_stop(&p);
}

/* Names with an asterisk are nobody's until they are asked for. */
ATF_TC_WITHOUT_HEAD(wildcard);
ATF_TC_BODY(wildcard, tc)
{
	struct peer	 p;

	enter("", RESOLV);
	server();
	begin(tc, &p);
	peer_name(&p, "*.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(0, state->queries);
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.12", 80));
	peer_stop(&p);
}

ATF_TC_WITHOUT_HEAD(pinned);
ATF_TC_BODY(pinned, tc)
{
	struct peer	 p;

	enter("", RESOLV);
	server();
	begin(tc, &p);
	peer_name(&p, "changing.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(2, state->queries);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.12", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.13", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.12", 80));
	ATF_CHECK_EQ(2, state->queries);
	peer_stop(&p);
	/* Another run learns the next one. */
	begin(tc, &p);
	peer_name(&p, "changing.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.12", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.13", 80));
	peer_stop(&p);
}

/* A sandbox whose names are asked for again. */
static void
begin_refresh(const atf_tc_t *tc, struct peer *p)
{
	begin(tc, p);
	ATF_REQUIRE(proto_send_empty(&p->parent, IMSG_CONF_REFRESH, -1) == 0);
}

/* Let the name have something else, and wait for so many questions more. */
static void
turn(enum move move, int questions)
{
	int	 i, until = state->queries + questions;

	state->move = move;
	for (i = 0; i < 1200 && state->queries < until; i++)
		usleep(50000);
	ATF_REQUIRE_MSG(state->queries >= until, "nobody asks");
}

/* Wait until netd answers this for an address. */
static void
await(struct peer *p, int want, const char *text)
{
	int	 got = -1, i;

	for (i = 0; i < 200; i++) {
		if ((got = try(p, text, 80)) == want)
			return;
		usleep(50000);
	}
	atf_tc_fail("%s: %d, not %d", text, got, want);
}

/* The next content of /etc/hosts has this below the loopback names. */
static void
shown(struct peer *p, const char *want)
{
	struct imsg	 imsg;
	const char	*text;

	ATF_REQUIRE_EQ(1, peer_pending(&p->parent, 40000));
	ATF_REQUIRE_EQ(IMSG_VIRTUAL, peer_next(&p->parent, &imsg));
	peer_virtual(p, &imsg);
	ATF_REQUIRE((text = strstr(p->virtual[VIRTUAL_HOSTS],
	    "loopback\n")) != NULL);
	ATF_CHECK_STREQ(want, text + strlen("loopback\n"));
}

/* New addresses come, old ones go, and what is in hosts never changes. */
ATF_TC_WITHOUT_HEAD(refresh);
ATF_TC_BODY(refresh, tc)
{
	struct peer	 p;
	time_t		 t;
	int		 n;

	enter("203.0.113.77 last\n", RESOLV);
	server();
	begin_refresh(tc, &p);
	peer_name(&p, "last", 80, 80);
	peer_name(&p, "Moving.test.", 80, 80);
	peer_name(&p, "moving.test", 81, 81);
	t = time(NULL);
	peer_run(&p);
	ATF_CHECK_EQ(2, state->queries);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "2001:db8::20", 80));
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.21", 80));
	/* A time of one second is five here. */
	turn(FIRST, 2);
	ATF_CHECK(time(NULL) - t >= 4);
	/* What stays is not sent again. */
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 500));
	turn(SECOND, 2);
	shown(&p, "203.0.113.77\tlast\n203.0.113.21\tmoving.test\n");
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.21", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.21", 81));
	/* For those who have read the old file just now. */
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "2001:db8::20", 81));
	await(&p, DENIED, "203.0.113.20");
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.20", 81));
	ATF_CHECK_EQ(DENIED, try(&p, "2001:db8::20", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.21", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.77", 80));
	/* And back. */
	turn(FIRST, 2);
	shown(&p, "203.0.113.77\tlast\n203.0.113.20\tmoving.test\n"
	    "2001:db8::20\tmoving.test\n");
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 80));
	await(&p, DENIED, "203.0.113.21");
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 81));
	peer_stop(&p);
	/* The control: without it nobody asks. */
	begin(tc, &p);
	peer_name(&p, "moving.test", 80, 80);
	peer_run(&p);
	n = state->queries;
	state->move = SECOND;
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 7000));
	ATF_CHECK_EQ(n, state->queries);
	ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.21", 80));
	peer_stop(&p);
}

/* A server that does not know any more, and comes back. */
ATF_TC_WITHOUT_HEAD(refresh_silence);
ATF_TC_BODY(refresh_silence, tc)
{
	struct peer	 p;

	enter("", RESOLV);
	server();
	begin_refresh(tc, &p);
	peer_name(&p, "moving.test", 80, 80);
	peer_run(&p);
	/* Two families, two rounds, and what follows the pause. */
	turn(NOBODY, 5);
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 0));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "2001:db8::20", 80));
	turn(GONE, 2);
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 500));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 80));
	/* One family is told of: the other one stays. */
	turn(HALF, 2);
	shown(&p, "203.0.113.23\tmoving.test\n2001:db8::20\tmoving.test\n");
	await(&p, DENIED, "203.0.113.20");
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.23", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "2001:db8::20", 80));
	peer_stop(&p);
}

/* A server that lies later on. */
ATF_TC_WITHOUT_HEAD(refresh_lies);
ATF_TC_BODY(refresh_lies, tc)
{
	struct peer	 p;
	char		*text;

	enter("", RESOLV);
	server();
	begin_refresh(tc, &p);
	peer_name(&p, "moving.test", 80, 80);
	peer_run(&p);
	turn(LOOPBACK, 2);
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 500));
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 80));
	turn(LOOPBACK_TOO, 2);
	shown(&p, "203.0.113.22\tmoving.test\n");
	ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.22", 80));
	ATF_REQUIRE(shutdown(p.parent.fd, SHUT_RDWR) == 0);
	text = peer_ended(&p, 0);
	ATF_CHECK(strstr(text,
	    "moving.test: a new address is loopback: refused") != NULL);

	/* A rule for that address makes it true; one for the name does not. */
	state->move = FIRST;
	begin_refresh(tc, &p);
	peer_rule(&p, NET_OUT, "127.0.0.1/32", 80, 80);
	peer_name(&p, "moving.test", 80, 80);
	peer_run(&p);
	turn(LOOPBACK, 2);
	shown(&p, "127.0.0.1\tmoving.test\n");
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 80));
	/* The rule is there when the name has another address. */
	turn(FIRST, 2);
	await(&p, ENETUNREACH, "203.0.113.20");
	sleep(6);
	ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 80));
	peer_stop(&p);
}

/* What a blocked name had stays blocked, and what it has now is. */
ATF_TC_WITHOUT_HEAD(refresh_blocked);
ATF_TC_BODY(refresh_blocked, tc)
{
	struct imsg	 imsg;
	struct peer	 p;
	int		 i, resolver;

	enter("", RESOLV);
	server();
	/* With a resolver blocked names are resolved at the start as well. */
	for (resolver = 0; resolver < 2; resolver++) {
		state->move = FIRST;
		begin_refresh(tc, &p);
		if (resolver)
			ATF_REQUIRE(proto_send_empty(&p.parent,
			    IMSG_CONF_RESOLVER, -1) == 0);
		peer_rule(&p, NET_OUT, "", 0, 65535);
		p.block = 1;
		peer_name(&p, "moving.test", 80, 80);
		peer_run(&p);
		/* Where it is, for both protocols. */
		for (i = 0; resolver && i < 2; i++) {
			ATF_REQUIRE_EQ(IMSG_NET_PORT,
			    peer_next(&p.supervisor, &imsg));
			imsg_free(&imsg);
		}
		ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.20", 80));
		ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.21", 80));
		ATF_CHECK_EQ(ECONNREFUSED, try(&p, "127.0.0.1", 80));
		turn(LOOPBACK, 2);
		await(&p, DENIED, "127.0.0.1");
		ATF_CHECK_EQ(1, p.rule);
		turn(SECOND, 2);
		await(&p, DENIED, "203.0.113.21");
		sleep(6);
		ATF_CHECK_EQ(DENIED, try(&p, "203.0.113.20", 80));
		ATF_CHECK_EQ(DENIED, try(&p, "127.0.0.1", 80));
		ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.20", 81));
		peer_stop(&p);
	}
}

static void
slow_failure(const atf_tc_t *tc, const char *name, const char *want)
{
	time_t	 t = time(NULL);

	fails(tc, name, want);
	ATF_CHECK(time(NULL) - t <= 11);
}

ATF_TC_WITHOUT_HEAD(silence);
ATF_TC_BODY(silence, tc)
{
	enter("", RESOLV);
	server();
	slow_failure(tc, "silent.test",
	    "silent.test: no answer from the name servers");
}

/* More questions than go out at once: the limit is for all together. */
ATF_TC_WITHOUT_HEAD(deadline);
ATF_TC_BODY(deadline, tc)
{
	struct imsg	 imsg;
	struct peer	 p;
	char		 name[64], *text;
	time_t		 t = time(NULL);
	int		 i;

	enter("", RESOLV);
	server();
	begin(tc, &p);
	for (i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "n%d.silent.test", i);
		peer_name(&p, name, 80, 80);
	}
	peer_name(&p, "good.test", 80, 80);
	peer_end(&p);
	ATF_REQUIRE_EQ(IMSG_LOCKED, peer_next(&p.parent, &imsg));
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(IMSG_ERROR, peer_next(&p.parent, &imsg));
	ATF_REQUIRE(proto_recv_string(&imsg, &text) == 0);
	ATF_CHECK_STREQ("n0.silent.test: no answer from the name servers",
	    text);
	imsg_free(&imsg);
	free(text);
	peer_ended(&p, FAILED);
	ATF_CHECK(time(NULL) - t <= 12);
}

/* Nothing listens at all, by default or by configuration. */
ATF_TC_WITHOUT_HEAD(no_server);
ATF_TC_BODY(no_server, tc)
{
	enter(NULL, NULL);
	slow_failure(tc, "good.test",
	    "good.test: no answer from the name servers");
}

ATF_TC_WITHOUT_HEAD(second_server);
ATF_TC_BODY(second_server, tc)
{
	struct peer	 p;

	enter(NULL, "nameserver 127.0.0.9\nnameserver nonsense\n"
	    "nameserver 127.0.0.1\n");
	server();
	begin(tc, &p);
	peer_name(&p, "good.test", 80, 80);
	peer_run(&p);
	ATF_CHECK_EQ(ENETUNREACH, try(&p, "203.0.113.5", 80));
	peer_stop(&p);
}

/* While it resolves, netd serves nobody and obeys the parent's end. */
ATF_TC_WITHOUT_HEAD(barrier);
ATF_TC_BODY(barrier, tc)
{
	struct sockaddr_storage	 ss;
	struct imsg		 imsg;
	struct peer		 p;
	socklen_t		 len;
	char			 value[64];
	int			 s;

	enter("", RESOLV);
	server();
	(void)sock_listener("127.0.0.1", 5, &ss, &len);
	begin(tc, &p);
	peer_rule(&p, NET_OUT, "", 0, 65535);
	peer_name(&p, "silent.test", 80, 80);
	peer_end(&p);
	ATF_REQUIRE_EQ(IMSG_LOCKED, peer_next(&p.parent, &imsg));
	imsg_free(&imsg);
	peer_status(p.pid, "Seccomp", value, sizeof(value));
	ATF_CHECK_STREQ("2", value);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	peer_connect(&p, 1, s, &ss, len);
	ATF_CHECK_EQ(0, peer_pending(&p.supervisor, 200));
	ATF_CHECK_EQ(0, peer_pending(&p.parent, 0));
	peer_stop(&p);
}

/* The second list of calls is on top of the first when names are done. */
ATF_TC_WITHOUT_HEAD(stages);
ATF_TC_BODY(stages, tc)
{
	struct peer	 p;
	char		 value[64];

	enter("127.0.0.1 one\n", NULL);
	begin(tc, &p);
	peer_name(&p, "one", 80, 80);
	peer_run(&p);
	peer_status(p.pid, "Seccomp_filters", value, sizeof(value));
	ATF_CHECK_STREQ("2", value);
	peer_stop(&p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, hosts);
	ATF_TP_ADD_TC(tp, hosts_blocked);
	ATF_TP_ADD_TC(tp, hosts_both_families);
	ATF_TP_ADD_TC(tp, files);
	ATF_TP_ADD_TC(tp, hosts_large);
	ATF_TP_ADD_TC(tp, localhost);
	ATF_TP_ADD_TC(tp, answers);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, patience);
	ATF_TP_ADD_TC(tp, dead);
	ATF_TP_ADD_TC(tp, blocked_partly);
	ATF_TP_ADD_TC(tp, half);
	ATF_TP_ADD_TC(tp, lies);
	ATF_TP_ADD_TC(tp, literal);
	ATF_TP_ADD_TC(tp, blocked);
	ATF_TP_ADD_TC(tp, wildcard);
	ATF_TP_ADD_TC(tp, pinned);
	ATF_TP_ADD_TC(tp, refresh);
	ATF_TP_ADD_TC(tp, refresh_silence);
	ATF_TP_ADD_TC(tp, refresh_lies);
	ATF_TP_ADD_TC(tp, refresh_blocked);
	ATF_TP_ADD_TC(tp, silence);
	ATF_TP_ADD_TC(tp, deadline);
	ATF_TP_ADD_TC(tp, no_server);
	ATF_TP_ADD_TC(tp, second_server);
	ATF_TP_ADD_TC(tp, barrier);
	ATF_TP_ADD_TC(tp, stages);
	return (atf_no_error());
}
