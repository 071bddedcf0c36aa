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
 * Questions about network interfaces, by ioctl(2) on any socket: lo is the only
 * one.  What is asked and answered is in memory of the caller, so that nothing
 * is ever let through.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

#define LO_INDEX	1
#define LO_NAME		"lo"
#define LO_MTU		65536
#define LO_QUEUE	1000

#ifndef SIOCETHTOOL
#define SIOCETHTOOL	0x8946
#endif

/* Addresses as common/rtnl.c has them. */
static const in_addr_t	 addresses[] = { INADDR_LOOPBACK, 0x7f000002 };

static void
put_address(struct sockaddr *sa, in_addr_t addr)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(addr);
	memcpy(sa, &sin, sizeof(sin));
}

/* SIOCGIFCONF: the interfaces, once for each address. */
static int
ifreq_list(const struct request *rq)
{
	struct ifreq	 list[2];
	struct ifconf	 ifc;
	uint64_t	 addr = rq->notif.data.args[2];
	size_t		 i, n = sup.conf.way_out ? 2 : 1;
	int		 len;

	if (memory_read(rq->notif.pid, addr, &ifc, sizeof(ifc)) == -1)
		return (errno);
	memset(list, 0, sizeof(list));
	for (i = 0; i < n; i++) {
		strlcpy(list[i].ifr_name, LO_NAME, sizeof(list[i].ifr_name));
		put_address(&list[i].ifr_addr, addresses[i]);
	}
	len = n * sizeof(list[0]);
	if (ifc.ifc_buf != NULL && ifc.ifc_len < len)
		len = ifc.ifc_len < 0 ? 0 :
		    ifc.ifc_len - ifc.ifc_len % (int)sizeof(list[0]);
	if (!notify_valid(rq))
		return (EINTR);
	if (ifc.ifc_buf != NULL && memory_write(rq->notif.pid,
	    (uint64_t)(uintptr_t)ifc.ifc_buf, list, len) == -1)
		return (errno);
	ifc.ifc_len = len;
	if (memory_write(rq->notif.pid, addr, &ifc, sizeof(ifc)) == -1)
		return (errno);
	return (0);
}

/* Only IPv4 sockets know addresses. */
static int
ifreq_address(uint32_t command, in_addr_t *addr)
{
	switch (command) {
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
		*addr = INADDR_LOOPBACK;
		return (1);
	case SIOCGIFBRDADDR:
		*addr = INADDR_ANY;
		return (1);
	case SIOCGIFNETMASK:
		*addr = IN_CLASSA_NET;
		return (1);
	}
	return (0);
}

/* Fill it in; 0 or an errno. */
static int
ifreq_answer(struct ifreq *ifr, uint32_t command, int domain)
{
	in_addr_t	 addr;
	int		 addressed;

	addressed = ifreq_address(command, &addr);
	if (addressed && domain != AF_INET)
		return (ENOTTY);
	if (command == SIOCGIFNAME) {
		if (ifr->ifr_ifindex != LO_INDEX)
			return (ENODEV);
		memset(ifr->ifr_name, 0, sizeof(ifr->ifr_name));
		strlcpy(ifr->ifr_name, LO_NAME, sizeof(ifr->ifr_name));
		return (0);
	}
	if (strncmp(ifr->ifr_name, LO_NAME, sizeof(ifr->ifr_name)) != 0)
		return (ENODEV);
	if (addressed) {
		put_address(&ifr->ifr_addr, addr);
		return (0);
	}
	switch (command) {
	case SIOCGIFINDEX:
		ifr->ifr_ifindex = LO_INDEX;
		return (0);
	case SIOCGIFFLAGS:
		ifr->ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
		return (0);
	case SIOCGIFMTU:
		ifr->ifr_mtu = LO_MTU;
		return (0);
	case SIOCGIFMETRIC:
		ifr->ifr_metric = 0;
		return (0);
	case SIOCGIFTXQLEN:
		ifr->ifr_qlen = LO_QUEUE;
		return (0);
	case SIOCGIFMAP:
		memset(&ifr->ifr_map, 0, sizeof(ifr->ifr_map));
		return (0);
	case SIOCGIFHWADDR:
		memset(&ifr->ifr_hwaddr, 0, sizeof(ifr->ifr_hwaddr));
		ifr->ifr_hwaddr.sa_family = ARPHRD_LOOPBACK;
		return (0);
	}
	/* SIOCETHTOOL and whatever else asks for hardware. */
	return (EOPNOTSUPP);
}

static int
ifreq_ask(const struct request *rq, int domain)
{
	struct ifreq	 ifr;
	uint64_t	 addr = rq->notif.data.args[2];
	uint32_t	 command = (uint32_t)rq->notif.data.args[1];
	int		 error;

	if (command == SIOCGIFCONF)
		return (ifreq_list(rq));
	if (memory_read(rq->notif.pid, addr, &ifr, sizeof(ifr)) == -1)
		return (errno);
	ifr.ifr_name[sizeof(ifr.ifr_name) - 1] = '\0';
	if ((error = ifreq_answer(&ifr, command, domain)) != 0)
		return (error);
	if (!notify_valid(rq))
		return (EINTR);
	if (memory_write(rq->notif.pid, addr, &ifr, sizeof(ifr)) == -1)
		return (errno);
	return (0);
}

void
ifreq_request(struct request *rq)
{
	socklen_t	 len = sizeof(int);
	int		 domain, error, fd;

	fd = task_fd(rq->notif.pid, (int)rq->notif.data.args[rq->call->fd]);
	if (fd == -1) {
		notify_errno(rq, errno);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1)
		error = ENOTTY;
	else
		error = ifreq_ask(rq, domain);
	close(fd);
	notify_errno(rq, error);
}
