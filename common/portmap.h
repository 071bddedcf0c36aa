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
 * The port space of a sandbox: sockets that are bound to one port for the
 * workload and to another one for the kernel.  netd chooses the ports and the
 * supervisor translates what the workload is told, both by these functions.
 * No system calls, no state but the lists.
 */

#ifndef PORTMAP_H
#define PORTMAP_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdint.h>

#include "policy.h"

/* A bound socket.  Ports are in host order. */
struct port_binding {
	TAILQ_ENTRY(port_binding) entry;
	enum net_proto		 proto;
	sa_family_t		 family;	/* v4-mapped is AF_INET */
	struct in6_addr		 addr;		/* v4: first four bytes */
	uint32_t		 scope;		/* where it is one of a link */
	int			 dual;		/* :: for IPv4 as well */
	int			 moved;		/* had less than :: meanwhile */
	int			 resolver;	/* netd's own, all the run */
	uint16_t		 asked;		/* the workload's */
	uint16_t		 real;		/* the kernel's */
	uint64_t		 serial;	/* netd's name for it */
	uint64_t		 cookie;	/* the kernel's, for netd */
};
TAILQ_HEAD(port_bindings, port_binding);

/*
 * Fill in family, addr and asked from an address of AF_INET or AF_INET6 that
 * is long enough; the other fields stay.
 */
void	 port_address(struct port_binding *, const struct sockaddr_storage *);

/* Put another port into such an address. */
void	 port_set(struct sockaddr_storage *, uint16_t);

/* Whether an address is the unspecified one, and whether it is loopback. */
int	 port_unspecified(const struct port_binding *);
int	 port_loopback(const struct port_binding *);

/* The second for an address that may be of any family. */
int	 port_here(const struct sockaddr_storage *);

/* Whether what is sent to the second's address comes to the first. */
int	 port_covers(const struct port_binding *, const struct port_binding *);

/* Whether there is an address that both have, ports aside. */
int	 port_overlaps(const struct port_binding *,
	    const struct port_binding *);

/*
 * The binding to which a protocol, address and port lead; of several the one
 * with that very address.  NULL if there is none.  The first of the functions
 * takes the port to be the workload's, the second the kernel's.
 */
struct port_binding	*port_find_asked(const struct port_bindings *,
			    const struct port_binding *, uint16_t);
struct port_binding	*port_find_real(const struct port_bindings *,
			    const struct port_binding *, uint16_t);

#endif
