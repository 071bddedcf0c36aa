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
 * What this host says about names and addresses: /etc/hosts,
 * /etc/resolv.conf and its interfaces (see own.c).  resolve.c has hosts_open()
 * called before lockdown; the files are read after it, so that their content
 * meets a program that can do little.  Nothing here talks to the network.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "netd.h"
#include "worker.h"

#define PATH_HOSTS	"/etc/hosts"
#define PATH_RESOLV	"/etc/resolv.conf"

#define LINE_LEN	4096
#define DNS_PORT	53

/* A file that is read by lines, by nothing but read(2). */
struct reader {
	int	 fd;
	size_t	 pos;
	size_t	 len;
	char	 buf[LINE_LEN];
};

/* The number of an interface, for the scope of a link-local name server. */
struct zone {
	STAILQ_ENTRY(zone)	 entry;
	char			 name[IF_NAMESIZE];
	uint32_t		 scope;
};

static STAILQ_HEAD(zones, zone)	 zones =
    STAILQ_HEAD_INITIALIZER(zones);
static int			 hosts_fd = -1, resolv_fd = -1;

/* Fill the buffer after what is left in it; 0 at the end of the file. */
static int
reader_fill(struct reader *r)
{
	ssize_t	 n;

	memmove(r->buf, r->buf + r->pos, r->len - r->pos);
	r->len -= r->pos;
	r->pos = 0;
	do {
		n = read(r->fd, r->buf + r->len, sizeof(r->buf) - r->len);
	} while (n == -1 && errno == EINTR);
	if (n <= 0)
		return (0);
	r->len += n;
	return (1);
}

/*
 * The next line without its end and comment, NULL after the last one.  What
 * does not fit the buffer is no line of these files and is skipped.
 */
static char *
reader_line(struct reader *r)
{
	char	*line, *nl;
	int	 skip = 0;

	for (;;) {
		line = r->buf + r->pos;
		nl = memchr(line, '\n', r->len - r->pos);
		if (nl == NULL && r->len - r->pos == sizeof(r->buf)) {
			r->pos = r->len;
			skip = 1;
		}
		if (nl == NULL) {
			if (reader_fill(r))
				continue;
			if (r->pos == r->len || r->len == sizeof(r->buf))
				return (NULL);
			/* The last line may lack its end. */
			r->buf[r->len++] = '\n';
			continue;
		}
		*nl = '\0';
		r->pos = nl - r->buf + 1;
		if (skip) {
			skip = 0;
			continue;
		}
		line[strcspn(line, "#")] = '\0';
		return (line);
	}
}

static char *
next_word(char **line)
{
	char	*word;

	while ((word = strsep(line, " \t\r")) != NULL)
		if (*word != '\0')
			return (word);
	return (NULL);
}

static uint32_t
zone_scope(const char *name)
{
	const struct zone	*z;
	const char		*errstr;
	uint32_t		 scope;

	STAILQ_FOREACH(z, &zones, entry)
		if (strcmp(z->name, name) == 0)
			return (z->scope);
	scope = strtonum(name, 1, INT32_MAX, &errstr);
	return (errstr == NULL ? scope : 0);
}

static int
parse_address(char *text, struct netaddr *na, uint32_t *scope)
{
	char	*zone;

	memset(na, 0, sizeof(*na));
	if ((zone = strchr(text, '%')) != NULL)
		*zone++ = '\0';
	*scope = zone != NULL ? zone_scope(zone) : 0;
	if (inet_pton(AF_INET, text, &na->addr) == 1) {
		na->family = AF_INET;
		return (0);
	}
	if (inet_pton(AF_INET6, text, &na->addr) == 1) {
		na->family = AF_INET6;
		return (0);
	}
	return (-1);
}

/* A missing file is normal; a FIFO in its place must not block. */
static int
open_file(const char *path)
{
	int	 fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT)
		log_warn("%s", path);
	return (fd);
}

static void
add_zone(const char *name, uint32_t scope)
{
	struct zone	*z;

	if (scope == 0)
		return;
	if ((z = calloc(1, sizeof(*z))) == NULL)
		fatal("calloc");
	if (strlcpy(z->name, name, sizeof(z->name)) >= sizeof(z->name)) {
		free(z);
		return;
	}
	z->scope = scope;
	STAILQ_INSERT_TAIL(&zones, z, entry);
}

static void
add_interface(const struct ifaddrs *ifa)
{
	struct sockaddr_storage	 ss;
	struct sockaddr_in6	 sin6;
	struct netaddr		 na;
	uint16_t		 port;

	memset(&ss, 0, sizeof(ss));
	if (ifa->ifa_addr == NULL)
		return;
	if (ifa->ifa_addr->sa_family == AF_INET)
		memcpy(&ss, ifa->ifa_addr, sizeof(struct sockaddr_in));
	else if (ifa->ifa_addr->sa_family == AF_INET6) {
		memcpy(&ss, ifa->ifa_addr, sizeof(sin6));
		memcpy(&sin6, ifa->ifa_addr, sizeof(sin6));
		add_zone(ifa->ifa_name, sin6.sin6_scope_id);
	} else
		return;
	netaddr_from_sockaddr(&ss, &na, &port);
	own_add(&na);
}

void
hosts_open(void)
{
	struct ifaddrs	*all, *ifa;

	hosts_fd = open_file(PATH_HOSTS);
	resolv_fd = open_file(PATH_RESOLV);
	if (getifaddrs(&all) == -1)
		worker_fail("addresses of this host: %s", strerror(errno));
	for (ifa = all; ifa != NULL; ifa = ifa->ifa_next)
		add_interface(ifa);
	freeifaddrs(all);
}

void
hosts_read(void (*found)(const char *, const struct netaddr *))
{
	struct reader	 r = { .fd = hosts_fd };
	struct netaddr	 na;
	uint32_t	 scope;
	char		*line, *word;

	if (hosts_fd == -1)
		return;
	while ((line = reader_line(&r)) != NULL) {
		if ((word = next_word(&line)) == NULL ||
		    parse_address(word, &na, &scope) == -1)
			continue;
		while ((word = next_word(&line)) != NULL)
			found(word, &na);
	}
	close(hosts_fd);
	hosts_fd = -1;
}

static void
server_address(struct sockaddr_storage *ss, const struct netaddr *na,
    uint32_t scope)
{
	struct sockaddr_in	 sin;
	struct sockaddr_in6	 sin6;

	memset(ss, 0, sizeof(*ss));
	if (na->family == AF_INET) {
		memset(&sin, 0, sizeof(sin));
		sin.sin_family = AF_INET;
		sin.sin_port = htons(DNS_PORT);
		memcpy(&sin.sin_addr, &na->addr, sizeof(sin.sin_addr));
		memcpy(ss, &sin, sizeof(sin));
		return;
	}
	memset(&sin6, 0, sizeof(sin6));
	sin6.sin6_family = AF_INET6;
	sin6.sin6_port = htons(DNS_PORT);
	sin6.sin6_addr = na->addr;
	sin6.sin6_scope_id = scope;
	memcpy(ss, &sin6, sizeof(sin6));
}

size_t
hosts_servers(struct sockaddr_storage *servers, size_t max)
{
	struct reader	 r = { .fd = resolv_fd };
	struct netaddr	 na;
	uint32_t	 scope;
	size_t		 n = 0;
	char		*line, *word;

	while (resolv_fd != -1 && n < max && (line = reader_line(&r)) != NULL) {
		if ((word = next_word(&line)) == NULL ||
		    strcmp(word, "nameserver") != 0 ||
		    (word = next_word(&line)) == NULL ||
		    parse_address(word, &na, &scope) == -1)
			continue;
		server_address(&servers[n++], &na, scope);
	}
	if (n == 0) {
		/* As resolv.conf(5) has it. */
		memset(&na, 0, sizeof(na));
		na.family = AF_INET;
		inet_pton(AF_INET, "127.0.0.1", &na.addr);
		server_address(&servers[n++], &na, 0);
	}
	if (resolv_fd != -1)
		close(resolv_fd);
	resolv_fd = -1;
	return (n);
}

void
hosts_close(void)
{
	struct zone	*z;

	while ((z = STAILQ_FIRST(&zones)) != NULL) {
		STAILQ_REMOVE_HEAD(&zones, entry);
		free(z);
	}
	if (hosts_fd != -1)
		close(hosts_fd);
	if (resolv_fd != -1)
		close(resolv_fd);
	hosts_fd = resolv_fd = -1;
}
