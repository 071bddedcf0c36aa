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
 * Sockets of every kind, in every state, and one call on each, wrong ones
 * above all: a line for each with what came of it and what the socket is
 * then, so that two runs can be compared.
 *
 *	net_twin serve DIR	what is called: its ports are then in DIR/ports
 *	net_twin calls DIR	the calls
 *	net_twin waits DIR	calls that wait, and what ends that
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define BAD		((void *)(uintptr_t)1)
#define NKEPT		300	/* connections that the server keeps */

enum where { SERVER, CLOSED, HOLE, ZERO };

static int			 ports[4];
static volatile sig_atomic_t	 alarms;

static void
on_signal(int sig)
{
	if (sig == SIGALRM)
		alarms++;
}

static void
handle(int sig, int flags)
{
	struct sigaction	 sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sa.sa_flags = flags;
	if (sigaction(sig, &sa, NULL) == -1)
		err(1, "sigaction");
}

/*
 * The server.  Its connections are kept for a while after their end, lest
 * what a client sees depend on when this is noticed.
 */

/* Port 0: one that the kernel gives to nobody else. */
static int
bound6(int type, int port)
{
	static int		 next = 20000;
	struct sockaddr_in6	 sin6;
	int			 fd, off = 0, ret;

	memset(&sin6, 0, sizeof(sin6));
	sin6.sin6_family = AF_INET6;
	sin6.sin6_port = htons(port);
	if ((fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0)) == -1 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ==
	    -1)
		err(1, "server");
	do {
		if (port == 0)
			sin6.sin6_port = htons(next++);
		ret = bind(fd, (struct sockaddr *)&sin6, sizeof(sin6));
	} while (ret == -1 && port == 0 && next < 30000);
	if (ret == -1)
		err(1, "server");
	return (fd);
}

static int
port_of(int fd)
{
	struct sockaddr_in6	 sin6;
	socklen_t		 len = sizeof(sin6);

	if (getsockname(fd, (struct sockaddr *)&sin6, &len) == -1)
		err(1, "getsockname");
	return (ntohs(sin6.sin6_port));
}

static socklen_t
path_of(const char *name, struct sockaddr_storage *ss)
{
	struct sockaddr_un	*sun = (struct sockaddr_un *)ss;

	memset(ss, 0, sizeof(*ss));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "%s", name);
	return (offsetof(struct sockaddr_un, sun_path) +
	    strlen(sun->sun_path) + 1);
}

static int
bound_unix(int type, const char *name)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = path_of(name, &ss);
	int			 fd;

	if ((fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&ss, len) == -1)
		err(1, "%s", name);
	return (fd);
}

/* A listener whose queue is full: no answer comes from there. */
static int
hole(void)
{
	struct sockaddr_in6	 sin6;
	socklen_t		 len = sizeof(sin6);
	int			 c, fd = bound6(SOCK_STREAM, 0), i;

	if (listen(fd, 0) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin6, &len) == -1)
		err(1, "hole");
	sin6.sin6_addr = in6addr_loopback;
	for (i = 0; i < 4; i++)
		if ((c = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0)) ==
		    -1 || (connect(c, (struct sockaddr *)&sin6, len) == -1 &&
		    errno != EINPROGRESS))
			err(1, "hole");
	return (ntohs(sin6.sin6_port));
}

static void
serve_one(int fd, int stream)
{
	static int	 kept[NKEPT], at;
	static char	 buf[65536];
	int		 c;

	if (!stream) {
		while (recv(fd, buf, sizeof(buf), 0) != -1)
			continue;
		return;
	}
	while ((c = accept(fd, NULL, NULL)) != -1) {
		if (kept[at] != 0)
			close(kept[at]);
		kept[at] = c;
		at = (at + 1) % NKEPT;
	}
}

static void
serve(void)
{
	struct pollfd	 pfd[5];
	FILE		*f;
	int		 closed, i, stream[] = { 1, 0, 1, 0, 1 };

	pfd[0].fd = bound6(SOCK_STREAM, 0);
	pfd[1].fd = bound6(SOCK_DGRAM, port_of(pfd[0].fd));
	pfd[2].fd = bound_unix(SOCK_STREAM, "stream");
	pfd[3].fd = bound_unix(SOCK_DGRAM, "dgram");
	pfd[4].fd = bound_unix(SOCK_SEQPACKET, "seqpacket");
	/* Nobody listens there, and nobody else can. */
	closed = bound6(SOCK_STREAM, 0);
	close(bound_unix(SOCK_STREAM, "dead"));
	bound_unix(SOCK_STREAM, "deaf");
	for (i = 0; i < 5; i++) {
		pfd[i].events = POLLIN;
		if (stream[i] && listen(pfd[i].fd, 4096) == -1)
			err(1, "listen");
	}
	if ((f = fopen("ports.new", "w")) == NULL || fprintf(f, "%d %d %d\n",
	    port_of(pfd[0].fd), port_of(closed), hole()) < 0 ||
	    fclose(f) != 0 || rename("ports.new", "ports") == -1)
		err(1, "ports");
	for (;;) {
		if (poll(pfd, NITEMS(pfd), -1) == -1)
			err(1, "poll");
		for (i = 0; i < 5; i++)
			if (pfd[i].revents != 0)
				serve_one(pfd[i].fd, stream[i]);
	}
}

/* Kinds of sockets, and what is none. */

static const struct kind {
	const char	*name;
	int		 domain;
	int		 type;
	int		 protocol;
	int		 v6only;
	const char	*server;
} kinds[] = {
	{ "tcp", AF_INET, SOCK_STREAM, 0, 0, NULL },
	{ "tcp6", AF_INET6, SOCK_STREAM, 0, 0, NULL },
	{ "tcp6only", AF_INET6, SOCK_STREAM, 0, 1, NULL },
	{ "udp", AF_INET, SOCK_DGRAM, 0, 0, NULL },
	{ "udp6", AF_INET6, SOCK_DGRAM, 0, 0, NULL },
	{ "udp6only", AF_INET6, SOCK_DGRAM, 0, 1, NULL },
	{ "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, 0, NULL },
	{ "ping6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, 0, NULL },
	{ "stream", AF_UNIX, SOCK_STREAM, 0, 0, "stream" },
	{ "dgram", AF_UNIX, SOCK_DGRAM, 0, 0, "dgram" },
	{ "seqpacket", AF_UNIX, SOCK_SEQPACKET, 0, 0, "seqpacket" },
	{ "none", -1, 0, 0, 0, NULL },
	{ "pipe", -2, 0, 0, 0, NULL },
	{ "path", -3, 0, 0, 0, NULL }
};

static const struct kind	*kind;	/* of the sockets now; NULL: various */

/*
 * What is said of a socket.  Ports of the kernel's choice are "some".
 */

static int	 numbers;	/* are no ports, and could be any */

static const char *
port_name(int port)
{
	return (port == 0 ? "0" : numbers ? "some" :
	    port == ports[SERVER] ? "server" :
	    port == ports[CLOSED] ? "closed" : port == ports[HOLE] ? "hole" :
	    "some");
}

/* A port that depends on what netd does another way, which harms nobody. */
static int	 unsure;

static void
say_address(const struct sockaddr_storage *ss, socklen_t len)
{
	const struct sockaddr_in	*sin = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6	*sin6;
	const struct sockaddr_un	*sun;
	char				 host[INET6_ADDRSTRLEN];

	sin6 = (const struct sockaddr_in6 *)ss;
	sun = (const struct sockaddr_un *)ss;
	switch (ss->ss_family) {
	case AF_INET:
		printf(" %s:%s", inet_ntop(AF_INET, &sin->sin_addr, host,
		    sizeof(host)), unsure ? "?" :
		    port_name(ntohs(sin->sin_port)));
		break;
	case AF_INET6:
		printf(" %s%%%u:%s", inet_ntop(AF_INET6, &sin6->sin6_addr,
		    host, sizeof(host)), sin6->sin6_scope_id,
		    unsure ? "?" : port_name(ntohs(sin6->sin6_port)));
		break;
	case AF_UNIX:
		if (len <= offsetof(struct sockaddr_un, sun_path))
			printf(" unix");
		else if (sun->sun_path[0] == '\0')
			printf(" unix abstract");
		else
			printf(" unix %s", sun->sun_path);
		break;
	default:
		printf(" family %d", ss->ss_family);
	}
	printf("/%d", (int)len);
}

static void
say_error(long ret)
{
	int	 error = errno;

	if (ret == -1)
		printf(" %s", strerrorname_np(error) == NULL ? "?" :
		    strerrorname_np(error));
	else
		printf(" %ld", ret);
	errno = error;
}

static void
say_option(int fd, int name)
{
	socklen_t	 len = sizeof(int);
	int		 ret, value = 0;

	ret = getsockopt(fd, SOL_SOCKET, name, &value, &len);
	if (ret == -1)
		say_error(-1);
	else if (name == SO_ERROR && value != 0)
		printf(" %s", strerrorname_np(value));
	else
		printf(" %d", value);
}

/* What the socket is: names, an error, whether it listens, flags, readiness. */
static void
say_socket(int fd)
{
	struct sockaddr_storage	 ss;
	struct pollfd		 pfd = { fd, POLLIN | POLLOUT, 0 };
	socklen_t		 len = sizeof(ss);
	int			 flags, ret;

	printf(";");
	memset(&ss, 0, sizeof(ss));
	numbers = kind != NULL && kind->protocol != 0;
	if ((ret = getsockname(fd, (struct sockaddr *)&ss, &len)) == -1)
		say_error(ret);
	else
		say_address(&ss, len);
	numbers = 0;
	len = sizeof(ss);
	memset(&ss, 0, sizeof(ss));
	if ((ret = getpeername(fd, (struct sockaddr *)&ss, &len)) == -1)
		say_error(ret);
	else
		say_address(&ss, len);
	printf(";");
	if (poll(&pfd, 1, 0) == -1)
		err(1, "poll");
	say_option(fd, SO_ERROR);
	say_option(fd, SO_ACCEPTCONN);
	flags = fcntl(fd, F_GETFL);
	printf(" %s %x\n", flags == -1 ? "-" : flags & O_NONBLOCK ?
	    "nonblock" : "block", pfd.revents);
}

static void
say(const char *of, const char *in, const char *what, long ret, int fd)
{
	printf("%s %s %s:", of, in, what);
	say_error(ret);
	if (fd != INT_MIN)
		say_socket(fd);
	else
		printf("\n");
	fflush(stdout);
}

static int
kind_make(const struct kind *k)
{
	int	 fd, fds[2], on = 1;

	switch (k->domain) {
	case -1:
		return (9999);
	case -2:
		if (pipe(fds) == -1)
			err(1, "pipe");
		close(fds[1]);
		return (fds[0]);
	case -3:
		if ((fd = open("/", O_PATH)) == -1)
			err(1, "/");
		return (fd);
	}
	if ((fd = socket(k->domain, k->type, k->protocol)) == -1)
		return (-1);
	if (k->v6only && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
	    sizeof(on)) == -1)
		err(1, "IPV6_V6ONLY");
	return (fd);
}

/* Addresses. */

static const struct name {
	int		 family;
	const char	*host;
	enum where	 where;
} names[] = {
	{ AF_INET, "127.0.0.1", SERVER }, { AF_INET, "127.0.0.1", CLOSED },
	{ AF_INET, "127.0.0.1", ZERO }, { AF_INET, "0.0.0.0", SERVER },
	{ AF_INET, "0.0.0.0", ZERO }, { AF_INET, "0.0.0.0", CLOSED },
	{ AF_INET, "127.0.0.2", SERVER }, { AF_INET, "192.0.2.1", SERVER },
	{ AF_INET, "255.255.255.255", SERVER },
	{ AF_INET, "127.255.255.255", SERVER },
	{ AF_INET, "224.0.0.1", SERVER }, { AF_INET, "240.0.0.1", SERVER },
	{ AF_INET, "0.0.0.1", SERVER },
	{ AF_INET6, "::1", SERVER }, { AF_INET6, "::1", CLOSED },
	{ AF_INET6, "::1", ZERO }, { AF_INET6, "::", SERVER },
	{ AF_INET6, "::", ZERO }, { AF_INET6, "::", CLOSED },
	{ AF_INET6, "::ffff:127.0.0.1", SERVER },
	{ AF_INET6, "::ffff:127.0.0.1", CLOSED },
	{ AF_INET6, "::ffff:127.0.0.1", ZERO },
	{ AF_INET6, "::ffff:0.0.0.0", SERVER },
	{ AF_INET6, "::ffff:0.0.0.0", ZERO },
	{ AF_INET6, "::ffff:192.0.2.1", SERVER },
	{ AF_INET6, "::127.0.0.1", SERVER },
	{ AF_INET6, "64:ff9b::7f00:1", SERVER },
	{ AF_INET6, "2002:7f00:1::", SERVER },
	{ AF_INET6, "2001:db8::1", SERVER }, { AF_INET6, "fe80::1", SERVER },
	{ AF_INET6, "fe80::1%", SERVER }, { AF_INET6, "ff02::1", SERVER },
	{ AF_INET6, "ff02::1%", SERVER }, { AF_INET6, "ff01::1%", SERVER },
	{ AF_UNIX, "stream", ZERO }, { AF_UNIX, "dgram", ZERO },
	{ AF_UNIX, "seqpacket", ZERO }, { AF_UNIX, "dead", ZERO },
	{ AF_UNIX, "deaf", ZERO }, { AF_UNIX, "ports", ZERO },
	{ AF_UNIX, "missing", ZERO }, { AF_UNIX, "ports/x", ZERO },
	{ AF_UNIX, "missing/x", ZERO }, { AF_UNIX, "", ZERO },
	{ AF_UNIX, "@net-twin-nobody", ZERO }
};

static socklen_t
name_make(const struct name *n, struct sockaddr_storage *ss)
{
	struct sockaddr_in	*sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6	*sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_un	*sun = (struct sockaddr_un *)ss;
	char			 host[64];
	size_t			 len;

	memset(ss, 0, sizeof(*ss));
	switch (n->family) {
	case AF_INET:
		sin->sin_family = AF_INET;
		sin->sin_port = htons(ports[n->where]);
		if (inet_pton(AF_INET, n->host, &sin->sin_addr) != 1)
			errx(1, "%s", n->host);
		return (sizeof(*sin));
	case AF_INET6:
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(ports[n->where]);
		snprintf(host, sizeof(host), "%s", n->host);
		len = strlen(host);
		if (host[len - 1] == '%') {
			host[len - 1] = '\0';
			sin6->sin6_scope_id = 1;
		}
		if (inet_pton(AF_INET6, host, &sin6->sin6_addr) != 1)
			errx(1, "%s", n->host);
		return (sizeof(*sin6));
	}
	if (n->host[0] != '@')
		return (path_of(n->host, ss));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1, "%s",
	    n->host + 1);
	return (offsetof(struct sockaddr_un, sun_path) + strlen(n->host));
}

/* The address of the server for a kind of socket. */
static socklen_t
name_server(const struct kind *k, enum where where,
    struct sockaddr_storage *ss)
{
	struct name	 n = { k->domain, "127.0.0.1", where };

	if (k->domain == AF_INET6)
		n.host = "::1";
	else if (k->domain == AF_UNIX)
		n.host = where == SERVER ? k->server : "dead";
	else if (k->domain != AF_INET)
		n.family = AF_INET;
	return (name_make(&n, ss));
}

/* A name that no socket has. */
static socklen_t
name_own(const struct kind *k, struct sockaddr_storage *ss)
{
	if (k->domain != AF_UNIX)
		return (name_server(k, ZERO, ss));
	(void)path_of("own", ss);
	(void)unlink(((struct sockaddr_un *)ss)->sun_path);
	return (path_of("own", ss));
}

/* States into which a socket is brought before the call. */

static void
state_connect(const struct kind *k, int fd, enum where where)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = name_server(k, where, &ss);

	(void)connect(fd, (struct sockaddr *)&ss, len);
}

static void
state_fresh(const struct kind *k, int fd)
{
	(void)k;
	(void)fd;
}

static void
state_nonblock(const struct kind *k, int fd)
{
	(void)k;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void
state_bound(const struct kind *k, int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = name_own(k, &ss);

	(void)bind(fd, (struct sockaddr *)&ss, len);
}

static void
state_any(const struct kind *k, int fd)
{
	struct sockaddr_storage	 ss;

	memset(&ss, 0, sizeof(ss));
	ss.ss_family = k->domain;
	(void)bind(fd, (struct sockaddr *)&ss, k->domain == AF_INET ?
	    sizeof(struct sockaddr_in) : k->domain == AF_INET6 ?
	    sizeof(struct sockaddr_in6) : sizeof(ss.ss_family));
}

static void
state_listening(const struct kind *k, int fd)
{
	state_bound(k, fd);
	(void)listen(fd, 5);
	state_nonblock(k, fd);
}

static void
state_connected(const struct kind *k, int fd)
{
	state_connect(k, fd, SERVER);
}

static void
state_refused(const struct kind *k, int fd)
{
	state_connect(k, fd, CLOSED);
}

static void
state_connecting(const struct kind *k, int fd)
{
	state_nonblock(k, fd);
	state_connect(k, fd, HOLE);
}

static void
state_shut(const struct kind *k, int fd)
{
	state_connected(k, fd);
	(void)shutdown(fd, SHUT_WR);
}

static void
state_gone(const struct kind *k, int fd)
{
	struct sockaddr	 sa = { .sa_family = AF_UNSPEC };

	state_connected(k, fd);
	(void)connect(fd, &sa, sizeof(sa));
}

static const struct state {
	const char	*name;
	void		(*enter)(const struct kind *, int);
} states[] = {
	{ "fresh", state_fresh },
	{ "nonblock", state_nonblock },
	{ "bound", state_bound },
	{ "any", state_any },
	{ "listening", state_listening },
	{ "connected", state_connected },
	{ "refused", state_refused },
	{ "connecting", state_connecting },
	{ "shut", state_shut },
	{ "gone", state_gone }
};

/* Sockets in one state, each for one call. */
static const struct state	*state;

static int
begin(void)
{
	int	 fd;

	if ((fd = kind_make(kind)) == -1)
		err(1, "%s", kind->name);
	state->enter(kind, fd);
	return (fd);
}

static void
end(const char *what, long ret, int fd)
{
	struct sockaddr_un	 sun;
	socklen_t		 len = sizeof(sun);

	say(kind->name, state->name, what, ret, fd);
	memset(&sun, 0, sizeof(sun));
	if (kind->domain == AF_UNIX && getsockname(fd,
	    (struct sockaddr *)&sun, &len) == 0 && sun.sun_path[0] != '\0')
		(void)unlink(sun.sun_path);
	close(fd);
}

/* connect, bind and sendto with each address, connect and bind twice. */
static void
calls_name(const struct name *n)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	char			 what[200];
	long			 ret;
	int			 fd;

	len = name_make(n, &ss);
	snprintf(what, sizeof(what), "connect %s %d", n->host, n->where);
	fd = begin();
	ret = connect(fd, (struct sockaddr *)&ss, len);
	say(kind->name, state->name, what, ret, fd);
	ret = connect(fd, (struct sockaddr *)&ss, len);
	end("again", ret, fd);
	snprintf(what, sizeof(what), "bind %s %d", n->host, n->where);
	fd = begin();
	if (n->family == AF_UNIX && n->host[0] != '@')
		(void)path_of("bind", &ss);
	ret = bind(fd, (struct sockaddr *)&ss, n->family == AF_UNIX &&
	    n->host[0] != '@' ? path_of("bind", &ss) : len);
	end(what, ret, fd);
	if (n->family == AF_UNIX && n->host[0] != '@')
		(void)unlink(((struct sockaddr_un *)&ss)->sun_path);
	/* Where a name leads to is known before the end of the sending. */
	if (kind->domain == AF_UNIX && state->enter == state_shut)
		return;
	len = name_make(n, &ss);
	snprintf(what, sizeof(what), "sendto %s %d", n->host, n->where);
	fd = begin();
	ret = sendto(fd, "\10\0\0\0\0\0\0\0", 8, MSG_NOSIGNAL,
	    (struct sockaddr *)&ss, len);
	/* A socket without a port may have got one, or not. */
	unsure = ret == -1;
	end(what, ret, fd);
	unsure = 0;
}

/* Good addresses in wrong lengths and families, and in wrong places. */
static void
calls_form(int nr, const char *call)
{
	static const int	 lengths[] = {
		INT_MIN, -1, 0, 1, 2, 3, 7, 8, 15, 16, 17, 23, 24, 27, 28, 29,
		109, 110, 111, 127, 128, 129, INT_MAX
	};
	static const int	 families[] = {
		AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 99, 65535
	};
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	size_t			 i;
	char			 what[200];
	long			 ret;
	int			 fd;

	for (i = 0; i < NITEMS(lengths); i++) {
		(void)(nr == SYS_bind ? name_own(kind, &ss) :
		    name_server(kind, SERVER, &ss));
		fd = begin();
		ret = syscall(nr, fd, &ss, lengths[i]);
		snprintf(what, sizeof(what), "%s length %d", call, lengths[i]);
		end(what, ret, fd);
	}
	for (i = 0; i < NITEMS(families); i++) {
		len = nr == SYS_bind ? name_own(kind, &ss) :
		    name_server(kind, SERVER, &ss);
		ss.ss_family = families[i];
		fd = begin();
		ret = syscall(nr, fd, &ss, len);
		snprintf(what, sizeof(what), "%s family %d", call,
		    families[i]);
		/* A port of the kernel's choice may stay, or not. */
		unsure = families[i] == AF_UNSPEC && kind->type == SOCK_DGRAM;
		end(what, ret, fd);
		fd = begin();
		ret = syscall(nr, fd, &ss, 2);
		snprintf(what, sizeof(what), "%s family %d short", call,
		    families[i]);
		end(what, ret, fd);
		unsure = 0;
	}
	fd = begin();
	ret = syscall(nr, fd, NULL, 16);
	snprintf(what, sizeof(what), "%s null", call);
	end(what, ret, fd);
	fd = begin();
	ret = syscall(nr, fd, BAD, 16);
	snprintf(what, sizeof(what), "%s bad", call);
	end(what, ret, fd);
	fd = begin();
	ret = syscall(nr, fd, BAD, 0);
	snprintf(what, sizeof(what), "%s bad 0", call);
	end(what, ret, fd);
}

/* getsockname, getpeername and accept, with room and without. */
static void
calls_tell(int nr, const char *call)
{
	static const int	 lengths[] = { -1, 0, 1, 2, 16, 28, 128, 999 };
	struct sockaddr_storage	 ss[9];
	socklen_t		 len;
	size_t			 i;
	char			 what[200];
	long			 ret;
	int			 fd;

	for (i = 0; i < NITEMS(lengths); i++) {
		fd = begin();
		len = lengths[i];
		memset(ss, 0x55, sizeof(ss));
		ret = syscall(nr, fd, ss, &len);
		snprintf(what, sizeof(what), "%s %d gets %d", call, lengths[i],
		    ret == -1 ? 0 : (int)len);
		end(what, ret, fd);
	}
	fd = begin();
	len = sizeof(ss);
	ret = syscall(nr, fd, BAD, &len);
	snprintf(what, sizeof(what), "%s bad", call);
	end(what, ret, fd);
	fd = begin();
	ret = syscall(nr, fd, ss, BAD);
	snprintf(what, sizeof(what), "%s bad length", call);
	end(what, ret, fd);
	fd = begin();
	ret = syscall(nr, fd, ss, NULL);
	snprintf(what, sizeof(what), "%s no length", call);
	end(what, ret, fd);
	fd = begin();
	len = sizeof(ss);
	ret = syscall(nr, fd, NULL, &len);
	snprintf(what, sizeof(what), "%s no address", call);
	end(what, ret, fd);
}

static void
calls_other(void)
{
	static const int	 backlogs[] = { -1, 0, 1, 5000, INT_MAX };
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	size_t			 i;
	char			 what[200];
	long			 ret;
	int			 fd;

	for (i = 0; i < NITEMS(backlogs); i++) {
		fd = begin();
		snprintf(what, sizeof(what), "listen %d", backlogs[i]);
		ret = listen(fd, backlogs[i]);
		end(what, ret, fd);
	}
	for (i = 0; i < 5; i++) {
		fd = begin();
		snprintf(what, sizeof(what), "shutdown %d", (int)i - 1);
		ret = shutdown(fd, (int)i - 1);
		end(what, ret, fd);
	}
	fd = begin();
	ret = accept4(fd, NULL, NULL, 0x10000);
	end("accept4 flags", ret, fd);
	fd = begin();
	ret = send(fd, "\10\0\0\0\0\0\0\0", 8, MSG_NOSIGNAL | MSG_DONTWAIT);
	end("send", ret, fd);
	fd = begin();
	ret = recv(fd, what, sizeof(what), MSG_DONTWAIT);
	end("recv", ret, fd);
	fd = begin();
	len = name_own(kind, &ss);
	(void)bind(fd, (struct sockaddr *)&ss, len);
	len = name_own(kind, &ss);
	ret = bind(fd, (struct sockaddr *)&ss, len);
	end("bind twice", ret, fd);
	/* Without an answer, and then another way. */
	fd = begin();
	state_nonblock(kind, fd);
	len = name_server(kind, HOLE, &ss);
	ret = connect(fd, (struct sockaddr *)&ss, len);
	say(kind->name, state->name, "connect hole", ret, fd);
	ret = connect(fd, (struct sockaddr *)&ss, len);
	say(kind->name, state->name, "again", ret, fd);
	ret = listen(fd, 1);
	say(kind->name, state->name, "listen", ret, fd);
	memset(&ss, 0, sizeof(ss));
	ret = connect(fd, (struct sockaddr *)&ss, len);
	unsure = kind->type == SOCK_DGRAM;
	say(kind->name, state->name, "unspecified", ret, fd);
	unsure = 0;
	len = name_server(kind, SERVER, &ss);
	ret = connect(fd, (struct sockaddr *)&ss, len);
	end("connect server", ret, fd);
}

static void
calls(void)
{
	size_t	 i, j, n;
	int	 fd;

	for (i = 0; i < NITEMS(kinds); i++) {
		kind = &kinds[i];
		if ((fd = kind_make(kind)) == -1) {
			say(kind->name, "-", "socket", -1, INT_MIN);
			continue;
		}
		close(fd);
		for (j = 0; j < NITEMS(states); j++) {
			/* What is no socket has one state. */
			if (kind->domain < 0 && j != 0)
				break;
			state = &states[j];
			for (n = 0; n < NITEMS(names); n++)
				calls_name(&names[n]);
			calls_form(SYS_connect, "connect");
			calls_form(SYS_bind, "bind");
			calls_tell(SYS_getsockname, "getsockname");
			calls_tell(SYS_getpeername, "getpeername");
			calls_tell(SYS_accept, "accept");
			calls_other();
		}
	}
}

/* Calls that wait. */

static long
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Signals at these times in milliseconds; 0: only once, or none. */
static void
ring(int first, int next)
{
	struct itimerval	 it;

	memset(&it, 0, sizeof(it));
	it.it_value.tv_sec = first / 1000;
	it.it_value.tv_usec = first % 1000 * 1000;
	it.it_interval.tv_sec = next / 1000;
	it.it_interval.tv_usec = next % 1000 * 1000;
	alarms = 0;
	if (setitimer(ITIMER_REAL, &it, NULL) == -1)
		err(1, "setitimer");
}

static void
timeout(int fd, int name, int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv)) == -1)
		err(1, "timeout");
}

/*
 * What can happen while a call waits.  All but a time of the socket's and a
 * handler that interrupts leave it waiting, so that an alarm that interrupts
 * comes a second later.
 */
enum event { NOTHING, SIGNAL, RESTART, THREAD, TIME, TIME_SIGNAL,
	    TIME_RESTART, CLOSE, SHUTDOWN, UNSPEC, NEVENTS };

static const char	*event_names[] = { "nothing", "signal", "restart",
			    "thread", "time", "time-signal", "time-restart",
			    "close", "shutdown", "unspec" };

struct waiting {
	pthread_t	 caller;
	enum event	 event;
	int		 fd;
};

static void *
disturb(void *arg)
{
	struct sockaddr	 sa = { .sa_family = AF_UNSPEC };
	struct waiting	*w = arg;
	sigset_t	 set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	usleep(200000);
	if (w->event == THREAD)
		pthread_kill(w->caller, SIGUSR1);
	else if (w->event == CLOSE)
		close(w->fd);
	else if (w->event == SHUTDOWN)
		(void)shutdown(w->fd, SHUT_RDWR);
	else if (w->event == UNSPEC)
		(void)connect(w->fd, &sa, sizeof(sa));
	return (NULL);
}

/* Make one call on a socket, which may wait, and see that the event happens. */
static void
wait_for(const char *what, int fd, enum event event, int option,
    long (*call)(int))
{
	struct waiting	 w = { pthread_self(), event, fd };
	pthread_t	 thread;
	char		 name[100];
	long		 start, took, ret;
	int		 error, threaded = event == THREAD || event >= CLOSE;

	snprintf(name, sizeof(name), "%s %s", what, event_names[event]);
	handle(SIGUSR1, 0);
	handle(SIGALRM, event == RESTART || event == TIME_RESTART ?
	    SA_RESTART : 0);
	if (event >= TIME && event <= TIME_RESTART)
		timeout(fd, option, event == TIME ? 300 : 20000);
	if (threaded && pthread_create(&thread, NULL, disturb, &w) != 0)
		errx(1, "pthread_create");
	ring(event == SIGNAL || event == TIME_SIGNAL ||
	    event == TIME_RESTART ? 200 : event == RESTART ? 100 : 1000,
	    event == RESTART ? 300 : 0);
	start = now_ms();
	if (event == RESTART) {
		/* The third one is for a handler that interrupts. */
		ret = fork();
		if (ret == 0) {
			usleep(850000);
			kill(getppid(), SIGUSR1);
			_exit(0);
		}
	}
	ret = call(fd);
	error = errno;
	took = now_ms() - start;
	ring(0, 0);
	if (event == RESTART)
		(void)waitpid(-1, NULL, 0);
	if (threaded)
		pthread_join(thread, NULL);
	printf("after %s ", took < 100 ? "nothing" : took < 600 ?
	    "the event" : "the end");
	errno = error;
	say("wait", "-", name, ret, event == CLOSE ? INT_MIN : fd);
	close(fd);
}

static long
call_connect_hole(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	struct kind		 k = { .domain = AF_INET };

	len = name_server(&k, HOLE, &ss);
	return (connect(fd, (struct sockaddr *)&ss, len));
}

static long
call_connect_again(int fd)
{
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)call_connect_hole(fd);
	(void)fcntl(fd, F_SETFL, 0);
	return (call_connect_hole(fd));
}

static long
call_connect_full(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = path_of("full", &ss);

	return (connect(fd, (struct sockaddr *)&ss, len));
}

static socklen_t
abstract(struct sockaddr_storage *ss)
{
	struct name	 n = { AF_UNIX, "@net-twin-full-0000000000", ZERO };
	char		 host[40];

	/* In a network namespace, or for one user's: once. */
	snprintf(host, sizeof(host), "@net-twin-full-%010d", ports[HOLE]);
	n.host = host;
	return (name_make(&n, ss));
}

static long
call_connect_abstract(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = abstract(&ss);

	return (connect(fd, (struct sockaddr *)&ss, len));
}

static long
call_sendto_full(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = path_of("fulldgram", &ss);

	return (sendto(fd, "x", 1, 0, (struct sockaddr *)&ss, len));
}

static long
call_accept(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	return (accept(fd, (struct sockaddr *)&ss, &len));
}

static long
call_recvfrom(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);
	char			 c;

	return (recvfrom(fd, &c, 1, 0, (struct sockaddr *)&ss, &len));
}

static int
listener(void)
{
	struct kind	 k = { .domain = AF_INET };
	int		 fd;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	state_bound(&k, fd);
	if (listen(fd, 5) == -1)
		err(1, "listen");
	return (fd);
}

static void
fill_stream(int s, const struct sockaddr_storage *ss, socklen_t len)
{
	int	 fd;

	if (listen(s, 0) == -1)
		err(1, "full");
	do {
		if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK,
		    0)) == -1)
			err(1, "socket");
	} while (connect(fd, (const struct sockaddr *)ss, len) == 0);
	say("full", "-", "stream", -1, fd);
}

/* Sockets of our own in which there is no room, by name. */
static void
fill(void)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 fd, s;

	s = bound_unix(SOCK_STREAM, "full");
	len = path_of("full", &ss);
	fill_stream(s, &ss, len);
	if ((s = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 || bind(s,
	    (struct sockaddr *)&ss, len = abstract(&ss)) == -1)
		err(1, "abstract");
	fill_stream(s, &ss, len);
	(void)bound_unix(SOCK_DGRAM, "fulldgram");
	len = path_of("fulldgram", &ss);
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) == -1)
		err(1, "socket");
	while (sendto(fd, "x", 1, 0, (struct sockaddr *)&ss, len) == 1)
		continue;
	say("full", "-", "dgram", -1, fd);
}

/* A signal ends a process that waits, also one that would leave a core. */
static void
killed(int sig, int domain, long (*call)(int))
{
	char	 what[100];
	pid_t	 pid;
	long	 start;
	int	 fd, status;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		if ((fd = socket(domain, SOCK_STREAM, 0)) == -1)
			err(1, "socket");
		alarm(5);
		signal(SIGALRM, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		(void)call(fd);
		_exit(1);
	}
	usleep(200000);
	start = now_ms();
	kill(pid, sig);
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	snprintf(what, sizeof(what), "killed %d: %s %d", domain, now_ms() -
	    start < 1000 ? "at once" : "late", WTERMSIG(status));
	say("wait", "-", what, 0, INT_MIN);
}

/* A stopped process goes on where it was. */
static void
stopped(void)
{
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		alarm(5);
		signal(SIGALRM, SIG_DFL);
		wait_for("stopped", socket(AF_INET, SOCK_STREAM, 0), NOTHING,
		    0, call_connect_hole);
		_exit(0);
	}
	usleep(200000);
	kill(pid, SIGSTOP);
	if (waitpid(pid, &status, WUNTRACED) == -1)
		err(1, "waitpid");
	say("wait", "-", WIFSTOPPED(status) ? "stopped" : "ended", 0, INT_MIN);
	kill(pid, SIGCONT);
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	say("wait", "-", "status", status, INT_MIN);
}

/* All calls with one event. */
static void
waits_event(enum event e)
{
	wait_for("connect", socket(AF_INET, SOCK_STREAM, 0), e, SO_SNDTIMEO,
	    call_connect_hole);
	wait_for("again", socket(AF_INET, SOCK_STREAM, 0), e, SO_SNDTIMEO,
	    call_connect_again);
	wait_for("unix", socket(AF_UNIX, SOCK_STREAM, 0), e, SO_SNDTIMEO,
	    call_connect_full);
	wait_for("abstract", socket(AF_UNIX, SOCK_STREAM, 0), e, SO_SNDTIMEO,
	    call_connect_abstract);
	/* The end of sending wakes nobody who waits for another's room. */
	if (e != SHUTDOWN)
		wait_for("sendto", socket(AF_UNIX, SOCK_DGRAM, 0), e,
		    SO_SNDTIMEO, call_sendto_full);
	wait_for("accept", listener(), e, SO_RCVTIMEO, call_accept);
	wait_for("recvfrom", socket(AF_INET, SOCK_DGRAM, 0), e, SO_RCVTIMEO,
	    call_recvfrom);
}

/* One child for each event, at the same time; what they say, in order. */
static void
waits(void)
{
	static char	 buf[65536];
	enum event	 e;
	pid_t		 pids[NEVENTS];
	ssize_t		 n;
	int		 fds[NEVENTS], status;

	fill();
	fflush(stdout);
	for (e = NOTHING; e < NEVENTS; e++) {
		if ((fds[e] = memfd_create("waits", 0)) == -1 ||
		    (pids[e] = fork()) == -1)
			err(1, "child");
		if (pids[e] != 0)
			continue;
		if (dup2(fds[e], STDOUT_FILENO) == -1)
			err(1, "dup2");
		waits_event(e);
		exit(0);
	}
	for (e = NOTHING; e < NEVENTS; e++) {
		if (waitpid(pids[e], &status, 0) == -1)
			err(1, "waitpid");
		printf("%s: %x\n", event_names[e], status);
		if ((n = pread(fds[e], buf, sizeof(buf), 0)) == -1)
			err(1, "pread");
		fwrite(buf, 1, n, stdout);
	}
	killed(SIGTERM, AF_INET, call_connect_hole);
	killed(SIGQUIT, AF_INET, call_connect_hole);
	killed(SIGQUIT, AF_UNIX, call_connect_full);
	killed(SIGQUIT, AF_UNIX, call_connect_abstract);
	stopped();
}

static void
read_ports(void)
{
	FILE	*f;

	if ((f = fopen("ports", "r")) == NULL || fscanf(f, "%d %d %d",
	    &ports[SERVER], &ports[CLOSED], &ports[HOLE]) != 3)
		err(1, "ports");
	fclose(f);
}

int
main(int argc, char *argv[])
{
	if (argc != 3)
		errx(1, "usage");
	if (chdir(argv[2]) == -1)
		err(1, "%s", argv[2]);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(argv[1], "serve") == 0)
		serve();
	read_ports();
	if (strcmp(argv[1], "calls") == 0)
		calls();
	else if (strcmp(argv[1], "waits") == 0)
		waits();
	else
		errx(1, "usage");
	return (0);
}
