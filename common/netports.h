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
 * Ports that rules admit, for Landlock, which knows nothing else of them.
 */

#ifndef NETPORTS_H
#define NETPORTS_H

#include <bitstring.h>
#include <stdint.h>

#include "policy.h"

#define NETPORTS	65536

/* A bit for each port, in bytes. */
#define NETPORTS_SIZE	bitstr_size(NETPORTS)

/*
 * Mark each port at which the rules admit the protocol in the direction for
 * some address; where no rule has a target that is for all of them.  0, or -1
 * and errno.
 */
int	 netports_admitted(const struct net_rules *, enum net_proto,
	    enum net_direction, bitstr_t [NETPORTS_SIZE]);

/*
 * The next range of marked ports from *lo on: 1 with its bounds, or 0 if there
 * is none.
 */
int	 netports_range(const bitstr_t [NETPORTS_SIZE], uint32_t *, uint32_t *);

#endif
