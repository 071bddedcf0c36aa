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
 * The addresses of this host, which no name server may give to a name.  Noted
 * at the start; with a resolver, which is asked as long as the workload runs,
 * the kernel tells of those that come and go, on a socket that is opened before
 * lockdown and answers nobody else.  Called by hosts.c and resolve.c.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <event.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "netd.h"
#include "worker.h"

#define OWN_TURN	16	/* datagrams, and then others */
#define OWN_MESSAGE	32768	/* the longest of the kernel's */

static struct addresses	 own = STAILQ_HEAD_INITIALIZER(own);
static int		 own_fd = -1;
static struct event	 own_ev;

void
own_add(const struct netaddr *na)
{
	addresses_add(&own, na);
}

int
own_have(const struct netaddr *na)
{
	return (addresses_have(&own, na));
}

/* They are not needed any more. */
void
own_forget(void)
{
	addresses_free(&own);
}

/* Ask to be told; before the addresses are read, so that none is missed. */
void
own_open(void)
{
	struct sockaddr_nl	 nl;

	memset(&nl, 0, sizeof(nl));
	nl.nl_family = AF_NETLINK;
	nl.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	if ((own_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, NETLINK_ROUTE)) == -1 ||
	    bind(own_fd, (struct sockaddr *)&nl, sizeof(nl)) == -1)
		worker_fail("addresses of this host: %s", strerror(errno));
}

/* Have all of them told: some were lost, or an interface has lost one. */
static void
own_ask(void)
{
	struct {
		struct nlmsghdr	 h;
		struct ifaddrmsg ifa;
	} request;

	memset(&request, 0, sizeof(request));
	request.h.nlmsg_len = sizeof(request);
	request.h.nlmsg_type = RTM_GETADDR;
	request.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	/* While the kernel tells already, that will do. */
	if (send(own_fd, &request, sizeof(request), 0) == -1 &&
	    errno != EBUSY)
		log_warn("addresses of this host");
}

/* The address that a message is about; 0, or -1 if it has none. */
static int
own_address(struct nlmsghdr *h, struct netaddr *na)
{
	struct ifaddrmsg	*ifa = NLMSG_DATA(h);
	struct rtattr		*rta;
	size_t			 size;
	int			 left, which = -1;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*ifa)) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return (-1);
	memset(na, 0, sizeof(*na));
	na->family = ifa->ifa_family;
	size = na->family == AF_INET ? 4 : 16;
	left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*ifa));
	/* Where both are, the other one is that of the peer. */
	for (rta = IFA_RTA(ifa); RTA_OK(rta, left); rta = RTA_NEXT(rta, left))
		if ((rta->rta_type == IFA_LOCAL ||
		    (rta->rta_type == IFA_ADDRESS && which == -1)) &&
		    RTA_PAYLOAD(rta) == size) {
			which = rta->rta_type;
			memcpy(&na->addr, RTA_DATA(rta), size);
		}
	return (which == -1 ? -1 : 0);
}

static void
own_message(struct nlmsghdr *h)
{
	struct netaddr	 na;

	if ((h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR) ||
	    own_address(h, &na) == -1)
		return;
	/* Those that are refused anyway may come and go in any number. */
	if (netaddr_special(&na) != NULL)
		return;
	if (h->nlmsg_type == RTM_NEWADDR) {
		addresses_add(&own, &na);
		return;
	}
	addresses_remove(&own, &na);
	/* Another interface may have it, too. */
	own_ask();
}

static void
own_event(int fd, short event, void *arg)
{
	static union {
		struct nlmsghdr	 h;
		char		 buf[OWN_MESSAGE];
	} u;
	struct sockaddr_nl	 from;
	struct nlmsghdr		*h;
	socklen_t		 fromlen;
	ssize_t			 n;
	int			 i, left;

	(void)event;
	(void)arg;
	for (i = 0; i < OWN_TURN; i++) {
		fromlen = sizeof(from);
		n = recvfrom(fd, &u, sizeof(u), 0, (struct sockaddr *)&from,
		    &fromlen);
		if (n == -1 && errno == ENOBUFS) {
			own_ask();
			continue;
		}
		if (n == -1)
			return;
		/* Others than the kernel can send here, too. */
		if (fromlen != sizeof(from) || from.nl_pid != 0)
			continue;
		left = n;
		for (h = &u.h; NLMSG_OK(h, (unsigned int)left);
		    h = NLMSG_NEXT(h, left))
			own_message(h);
	}
}

/* From now on addresses come and go. */
void
own_run(void)
{
	event_set(&own_ev, own_fd, EV_READ | EV_PERSIST, own_event, NULL);
	if (event_add(&own_ev, NULL) == -1)
		fatalx("event_add");
	own_event(own_fd, EV_READ, NULL);
}
