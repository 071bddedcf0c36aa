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
 * Types and functions of netd, grouped by the file that defines them.
 */

#ifndef NETD_H
#define NETD_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <stdint.h>

#include "netrule.h"
#include "policy.h"
#include "proto.h"

struct address {
	STAILQ_ENTRY(address)	 entry;
	struct netaddr		 na;
};
STAILQ_HEAD(addresses, address);

/* netd.c */

/* The rules with every name replaced by its addresses. */
extern struct netrules	*netd_rules;

/* Answer a request: errno or 0, with PROTO_DENIED if the policy refused. */
void	 netd_reply(uint32_t, int);

/* address.c */
void	 addresses_add(struct addresses *, const struct netaddr *);
int	 addresses_have(const struct addresses *, const struct netaddr *);
void	 addresses_free(struct addresses *);

/* connect.c */

/* How many connects may be in flight with this limit on descriptors. */
void	 connect_init(rlim_t);

/*
 * Connect the socket as the workload asked; the descriptor is taken.  The
 * reply follows at once or when the outcome is known.
 */
void	 connect_request(uint32_t, int, const struct proto_connect *);

/* Forget a request without a reply; unknown ids were answered already. */
void	 connect_cancel(uint32_t);

/* Give every socket in flight back as it was. */
void	 connect_shutdown(void);

/*
 * 0 if the descriptor is a TCP socket over IPv4 or IPv6, whose family is
 * stored; otherwise the answer for the workload.
 */
int	 connect_socket(int, int *);

/* hosts.c */

/* Open the files and note the addresses of this host; before lockdown. */
void	 hosts_open(void);
void	 hosts_close(void);

/* Call back for each pair of name and address in /etc/hosts. */
void	 hosts_read(void (*)(const char *, const struct netaddr *));

/* Store up to a number of name servers; how many, at least one. */
size_t	 hosts_servers(struct sockaddr_storage *, size_t);

/* Whether an interface of this host has the address. */
int	 hosts_own(const struct netaddr *);

/* listen.c */

/* Listen on the socket with the backlog; the descriptor is taken. */
void	 listen_request(uint32_t, int, int);

/* lock.c */

/* Enter each stage's allow list; 0, or -1 and errno. */
int	 lock_setup(void);
int	 lock_run(void);

/* resolve.c */

/* Open what resolving needs; to be called before the files are locked away. */
void	 resolve_open(void);

/*
 * Look every name of the list up and add its addresses to netd_rules, then
 * call back from the event loop.  Ends the program when a name has none.
 */
void	 resolve_start(const struct net_rules *, void (*)(void));

#endif
