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
 * Control messages of sendmsg(2).  Called by the supervisor and by netd with
 * copies of what the workload gave.  A message that chooses a source address,
 * a lifetime or a class of service changes nothing about where data goes, and
 * is admitted; routes and whatever a later kernel may invent are not.  The
 * interface that may be named with a source address is of no account: a socket
 * can be bound to one with setsockopt(2), too.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/udp.h>

#include <errno.h>
#include <string.h>

#include "ancillary.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef SCM_TXTIME
#define SCM_TXTIME	61
#endif

static const struct {
	int	 level;
	int	 type;
} admitted[] = {
	{ IPPROTO_IP, IP_TOS },
	{ IPPROTO_IP, IP_TTL },
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IPV6, IPV6_TCLASS },
	{ IPPROTO_IPV6, IPV6_HOPLIMIT },
	{ IPPROTO_IPV6, IPV6_DONTFRAG },
	{ IPPROTO_IPV6, IPV6_PKTINFO },
	/* One call, many datagrams, to the same address. */
	{ IPPROTO_UDP, UDP_SEGMENT },
	/* When it was sent, when it is to be sent. */
	{ SOL_SOCKET, SO_TIMESTAMPING },
	{ SOL_SOCKET, SCM_TXTIME }
};

void
ancillary_begin(struct ancillary *a, const void *control, size_t len)
{
	memset(a, 0, sizeof(*a));
	a->control = control;
	a->controllen = len;
}

int
ancillary_next(struct ancillary *a)
{
	struct cmsghdr	 hdr;
	size_t		 left;

	if (a->at >= a->controllen ||
	    a->controllen - a->at < sizeof(hdr))
		return (0);
	left = a->controllen - a->at;
	memcpy(&hdr, a->control + a->at, sizeof(hdr));
	if (hdr.cmsg_len < sizeof(hdr) || hdr.cmsg_len > left)
		return (-1);
	a->level = hdr.cmsg_level;
	a->type = hdr.cmsg_type;
	a->data = a->control + a->at + sizeof(hdr);
	a->len = hdr.cmsg_len - sizeof(hdr);
	a->at += CMSG_ALIGN(hdr.cmsg_len);
	return (1);
}

int
ancillary_inet(const void *control, size_t len)
{
	struct ancillary	 a;
	size_t			 i, n = sizeof(admitted) / sizeof(admitted[0]);
	int			 ret;

	ancillary_begin(&a, control, len);
	while ((ret = ancillary_next(&a)) == 1) {
		for (i = 0; i < n; i++)
			if (admitted[i].level == a.level &&
			    admitted[i].type == a.type)
				break;
		if (i == n)
			return (EINVAL);
	}
	return (ret == 0 ? 0 : EINVAL);
}
