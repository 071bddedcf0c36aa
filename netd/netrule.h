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
 * Whether a policy admits an address and a port: no system calls, no state
 * but the rules, so that it can be tested and fuzzed alone.
 */

#ifndef NETRULE_H
#define NETRULE_H

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdint.h>

#include "policy.h"

/* An IPv4 address has family AF_INET and fills the first four bytes. */
struct netaddr {
	sa_family_t	 family;
	struct in6_addr	 addr;
};

struct netrules;

/* An empty set, which admits nothing; NULL and errno when out of memory. */
struct netrules	*netrules_new(void);
void		 netrules_free(struct netrules *);

/*
 * Add a copy of a rule; 0, or -1 and errno.  Its place among the others is
 * its field order, and behind those of the same order.  A name has to be
 * replaced by its addresses before, each with the order of the name's rule:
 * EINVAL.  So is a block of some addresses inwards, which a socket on every
 * address would evade.
 */
int		 netrules_add(struct netrules *, const struct net_rule *);

/* Take one rule out that was added as this one is; -1 and ENOENT if none. */
int		 netrules_remove(struct netrules *, const struct net_rule *);

/*
 * 1 if the rules admit the protocol, address and port (host order; of no
 * account for ICMP) in the direction, 0 otherwise.  NET_OUT judges where a
 * connect or a datagram goes, NET_IN the local address of a socket that is to
 * be bound or to listen.
 */
int		 netrule_decide(const struct netrules *, enum net_proto,
		    enum net_direction, const struct netaddr *, uint16_t);

/* The same of every port of a range, in few steps; 0 if one is not admitted. */
int		 netrule_decide_ports(const struct netrules *, enum net_proto,
		    enum net_direction, const struct netaddr *, uint16_t,
		    uint16_t);

/*
 * The order of the rule that made the last netrule_decide() refuse, or -1 if
 * that was for want of a rule.
 */
int64_t		 netrule_reason(void);

/* Comparisons that all calls of netrule_decide() have made; for tests. */
uint64_t	 netrule_comparisons(void);

/*
 * The address and port of an AF_INET or AF_INET6 address that is long enough
 * for its family.  Writes the v4-mapped form as IPv4.
 */
void		 netaddr_from_sockaddr(const struct sockaddr_storage *,
		    struct netaddr *, uint16_t *);

/*
 * Why an address may not be learnt from the name service, as a text; NULL for
 * an ordinary address of the internet.
 */
const char	*netaddr_special(const struct netaddr *);

/* Both of a family and the same bytes. */
int		 netaddr_equal(const struct netaddr *, const struct netaddr *);

#endif
