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
 * What the workload reads as /etc/hosts and /etc/resolv.conf, where the policy
 * has names: the names of the rules with the addresses that they were given,
 * and those of the loopback.  netd alone knows both.  The text goes to the
 * parent, who passes it on, in a sealed file in memory.  Nothing here says
 * anything about the host's own files.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/queue.h>

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "netd.h"
#include "worker.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

#define SEALS	(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static FILE	*hosts;
static char	*hosts_text;
static size_t	 hosts_len;

static int
memory_file(const char *name)
{
	int	 fd;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING |
	    MFD_NOEXEC_SEAL);
	/* Unknown before Linux 6.3. */
	if (fd == -1 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return (fd);
}

static int
content_send(enum virtual_name which, const char *name, const char *text,
    size_t len)
{
	ssize_t	 n;
	size_t	 done;
	int	 fd;

	if ((fd = memory_file(name)) == -1)
		return (-1);
	for (done = 0; done < len; done += n) {
		n = write(fd, text + done, len - done);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1) {
			close(fd);
			return (-1);
		}
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		fatal("F_ADD_SEALS");
	if (proto_send_int(&worker_parent.ibuf, IMSG_VIRTUAL, which, fd) == -1)
		fatal("%s", proto_name(IMSG_VIRTUAL));
	imsg_event_add(&worker_parent);
	return (0);
}

/* Begin an /etc/hosts. */
void
content_begin(void)
{
	if ((hosts = open_memstream(&hosts_text, &hosts_len)) == NULL)
		fatal("open_memstream");
	fputs("127.0.0.1\tlocalhost\n"
	    "::1\tlocalhost ip6-localhost ip6-loopback\n", hosts);
}

void
content_add(const char *name, const struct netaddr *na)
{
	char	 buf[INET6_ADDRSTRLEN];

	if (inet_ntop(na->family, &na->addr, buf, sizeof(buf)) == NULL)
		fatal("inet_ntop");
	fprintf(hosts, "%s\t%s\n", buf, name);
}

/* Send it; 0, or -1 and errno. */
int
content_end(void)
{
	int	 ret;

	if (fclose(hosts) != 0)
		fatal("/etc/hosts");
	ret = content_send(VIRTUAL_HOSTS, "hosts", hosts_text, hosts_len);
	free(hosts_text);
	hosts = NULL;
	hosts_text = NULL;
	return (ret);
}

/*
 * Send the /etc/resolv.conf: with no name server, the local host would be asked
 * in its place, which no rule admits by itself; so it is not to take long.
 */
int
content_resolv(const char *server)
{
	char	 text[256];
	int	 n;

	if (server != NULL)
		n = snprintf(text, sizeof(text), "nameserver %s\n"
		    "search .\noptions edns0\n", server);
	else
		n = snprintf(text, sizeof(text), "# /etc/hosts has every name "
		    "of the policy\nsearch .\noptions timeout:1 attempts:1\n");
	return (content_send(VIRTUAL_RESOLV, "resolv.conf", text, n));
}
