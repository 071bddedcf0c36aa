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
 * Tables of sockets in /proc/net, as the workload reads them: the kernel's,
 * with those sockets left that some process of the workload has open, and with
 * the ports that they have for the workload.  What has no file any more, such
 * as a connection in TIME_WAIT, is nobody's and not among them.
 *
 * It is looked for in /proc when a table is opened.  Of a workload that has
 * more processes or descriptors than are looked at, and of a host with more
 * sockets, some are left out: nothing here takes longer than that.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"
#include "tree.h"

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#define PROCESSES_MAX	512
#define FILES_MAX	8192		/* descriptors, of all of them */
#define TEXT_MAX	(4 << 20)	/* of the kernel's table */
#define READ_SIZE	65536
#define FIELDS		10		/* up to the inode */

static const struct {
	const char	*name;
	int		 proto;		/* whose ports; or -1 */
	int		 numbered;	/* from 0, otherwise by its bucket */
} tables[] = {
	{ "icmp", -1, 0 },
	{ "icmp6", -1, 0 },
	{ "tcp", NET_TCP, 1 },
	{ "tcp6", NET_TCP, 1 },
	{ "udp", NET_UDP, 0 },
	{ "udp6", NET_UDP, 0 },
	{ "udplite", -1, 0 },
	{ "udplite6", -1, 0 }
};

/* Inodes of the workload's sockets. */
static uint64_t	 inodes[FILES_MAX];
static size_t	 ninodes;
static size_t	 nfiles;	/* looked at, directories among them */
static size_t	 nprocesses;

/* Whether it is such a table, and which; or -1. */
int
procsock_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < nitems(tables); i++)
		if (strcmp(tables[i].name, name) == 0)
			return (i);
	return (-1);
}

static int
inode_cmp(const void *a, const void *b)
{
	const uint64_t	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

/* What a thread has open; 1 when that is enough. */
static int
files_look(pid_t tid, void *arg)
{
	char		 name[64];
	struct dirent	*de;
	ssize_t		 n;
	DIR		*dir;

	(void)arg;
	if (nfiles++ >= FILES_MAX)
		return (1);
	snprintf(name, sizeof(name), "/proc/%d/fd", (int)tid);
	/* It is gone, or keeps others out; then it is not listed. */
	if ((dir = opendir(name)) == NULL)
		return (0);
	while (nfiles < FILES_MAX && (de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		nfiles++;
		if ((n = readlinkat(dirfd(dir), de->d_name, name,
		    sizeof(name) - 1)) <= 0)
			continue;
		name[n] = '\0';
		if (strncmp(name, "socket:[", 8) == 0)
			inodes[ninodes++] = strtoull(name + 8, NULL, 10);
	}
	closedir(dir);
	return (nfiles >= FILES_MAX);
}

/* Of a process whose first thread has ended the others have its files. */
static int
process_look(pid_t pid, void *arg)
{
	size_t	 before = nfiles;
	int	 ret;

	if (nprocesses++ >= PROCESSES_MAX)
		return (1);
	ret = files_look(pid, arg);
	if (ret == 0 && nfiles == before + 1)
		ret = tree_threads(pid, files_look, arg);
	return (ret);
}

/* 0 or an errno. */
static int
inodes_collect(void)
{
	ninodes = nfiles = nprocesses = 0;
	if (tree_walk(getpid(), 0, process_look, NULL) == -1)
		return (errno);
	/* In place: unlike qsort(3) it asks for no memory, nor how much. */
	if (ninodes > 1 && heapsort(inodes, ninodes, sizeof(inodes[0]),
	    inode_cmp) == -1)
		return (errno);
	return (0);
}

/* An address and port as they are written there; where the port is, or NULL. */
static char *
address_read(char *field, struct sockaddr_storage *ss)
{
	struct sockaddr_in	*in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6	*in6 = (struct sockaddr_in6 *)ss;
	char			 word[9];
	uint32_t		 addr[4];
	size_t			 i, len = strcspn(field, ":");

	if ((len != 8 && len != 32) || strcspn(field + len + 1, " ") != 4)
		return (NULL);
	/* Words of the machine's, of an address that is in network order. */
	for (i = 0; i < len / 8; i++) {
		strlcpy(word, field + 8 * i, sizeof(word));
		addr[i] = strtoul(word, NULL, 16);
	}
	memset(ss, 0, sizeof(*ss));
	if (len == 8) {
		ss->ss_family = AF_INET;
		memcpy(&in4->sin_addr, addr, sizeof(in4->sin_addr));
	} else {
		ss->ss_family = AF_INET6;
		memcpy(&in6->sin6_addr, addr, sizeof(in6->sin6_addr));
	}
	port_set(ss, strtoul(field + len + 1, NULL, 16));
	return (field + len + 1);
}

/* The workload's port in the place of the kernel's. */
static void
port_show(char *field, int proto, int (*find)(enum net_proto,
    const struct sockaddr_storage *, uint16_t *))
{
	struct sockaddr_storage	 ss;
	char			 hex[5], *p;
	uint16_t		 port;

	if ((p = address_read(field, &ss)) == NULL || !find(proto, &ss, &port))
		return;
	snprintf(hex, sizeof(hex), "%04X", port);
	memcpy(p, hex, 4);
}

/* A line that had its end taken off; 0 or an errno. */
static int
line_write(int fd, char *line)
{
	size_t	 len = strlen(line);
	ssize_t	 n;

	line[len++] = '\n';
	if ((n = write(fd, line, len)) == -1)
		return (errno);
	return ((size_t)n == len ? 0 : EIO);
}

/* Its number among those that are left, which is no longer than the old one. */
static char *
line_number(char *line, size_t number)
{
	char	 text[32];
	size_t	 len, width = strcspn(line, ":");

	len = snprintf(text, sizeof(text), "%4zu", number);
	if (len > width)
		return (line);
	line += width - len;
	memcpy(line, text, len);
	return (line);
}

/* 0 when it was written or is none of the workload's, or an errno. */
static int
line_show(int fd, char *line, int table, size_t *number)
{
	char		*field[FIELDS], *p = line;
	uint64_t	 inode;
	size_t		 i;

	for (i = 0; i < FIELDS; i++) {
		p += strspn(p, " ");
		field[i] = p;
		p += strcspn(p, " ");
	}
	if ((inode = strtoull(field[FIELDS - 1], NULL, 10)) == 0 ||
	    bsearch(&inode, inodes, ninodes, sizeof(inodes[0]),
	    inode_cmp) == NULL)
		return (0);
	if (tables[table].proto != -1) {
		port_show(field[1], tables[table].proto, remap_virtual);
		port_show(field[2], tables[table].proto, remap_peer);
	}
	if (tables[table].numbered)
		line = line_number(line, (*number)++);
	return (line_write(fd, line));
}

/* Lines that are whole; what is left of the last one goes to the front. */
static int
lines_show(int fd, char *buf, size_t *len, int table, size_t *number,
    int *header)
{
	char	*line = buf, *end;
	int	 error = 0;

	while (error == 0 &&
	    (end = memchr(line, '\n', *len - (line - buf))) != NULL) {
		*end = '\0';
		error = *header ? line_write(fd, line) :
		    line_show(fd, line, table, number);
		*header = 0;
		line = end + 1;
	}
	*len -= line - buf;
	memmove(buf, line, *len);
	return (error);
}

/* Write what the workload is to read of a table of the kernel's; an errno. */
int
procsock_write(int fd, const char *path, int table)
{
	static char	 buf[READ_SIZE];
	size_t		 len = 0, number = 0, total = 0;
	ssize_t		 n;
	int		 error, from, header = 1;

	if ((error = inodes_collect()) != 0)
		return (error);
	if ((from = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (errno);
	do {
		/* No line is as long as the buffer. */
		if ((n = read(from, buf + len, sizeof(buf) - len)) == -1) {
			error = errno;
			break;
		}
		len += n;
		total += n;
		error = lines_show(fd, buf, &len, table, &number, &header);
		/* The header is all that there is to be had. */
		if (ninodes == 0 && !header)
			break;
	} while (error == 0 && n > 0 && total < TEXT_MAX);
	close(from);
	return (error);
}
