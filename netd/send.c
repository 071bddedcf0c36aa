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
 * Datagrams on behalf of the workload.  Called by netd.c for each request; it
 * judges the address that the supervisor copied, and what it hands to the
 * kernel is the address that it judged.  The descriptor is a duplicate, and
 * nothing here waits: where there is no room the answer is EAGAIN, and the
 * supervisor comes again if the call may wait.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <netinet/in.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ancillary.h"
#include "netd.h"

/* None that connects, waits, signals or sends pages of ours. */
#define SEND_FLAGS	(MSG_CONFIRM | MSG_DONTROUTE | MSG_EOR | MSG_MORE | \
			MSG_OOB | MSG_PROXY)

/* Fill the address in and judge it; 0, or the answer for the workload. */
static int
send_target(int fd, struct proto_connect *to)
{
	enum net_proto	 proto;
	int		 domain, error;

	if ((error = target_socket(fd, &domain, &proto)) != 0)
		return (error);
	/* Data on a connection is none of our business. */
	if (proto == NET_TCP)
		return (EACCES | PROTO_DENIED);
	/* The kernel takes it for the family that it should have been. */
	if (domain == AF_INET && proto == NET_UDP &&
	    to->addrlen >= sizeof(struct sockaddr_in) &&
	    to->addr.ss_family == AF_UNSPEC)
		to->addr.ss_family = AF_INET;
	error = target_family(domain, proto, to->addr.ss_family, to->addrlen);
	/* This is how UDP over IPv6 says that it does not know a family. */
	if (error == EAFNOSUPPORT && domain == AF_INET6 && proto == NET_UDP)
		error = EINVAL;
	if (error != 0)
		return (error);
	if ((error = target_judge(fd, domain, proto, &to->addr)) != 0)
		return (error);
	return (proto == NET_UDP ? bind_before(fd) : 0);
}

void
send_request(uint32_t id, int fd, struct proto_datagram *pd)
{
	struct iovec	 iov = { pd->data, pd->len };
	struct msghdr	 mh;
	int		 error;

	if ((error = send_target(fd, &pd->to)) == 0 &&
	    (error = ancillary_inet(pd->control, pd->controllen)) == 0) {
		memset(&mh, 0, sizeof(mh));
		mh.msg_name = &pd->to.addr;
		mh.msg_namelen = pd->to.addrlen;
		mh.msg_iov = &iov;
		mh.msg_iovlen = 1;
		if (pd->controllen != 0) {
			mh.msg_control = pd->control;
			mh.msg_controllen = pd->controllen;
		}
		if (sendmsg(fd, &mh, (pd->flags & SEND_FLAGS) | MSG_DONTWAIT |
		    MSG_NOSIGNAL) == -1)
			error = errno;
	}
	close(fd);
	netd_reply(id, error);
}
