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
 * Serving route netlink sockets that are none: the workload has one end of a
 * pair of unix sockets, and here is the other.
 */

#ifndef ROUTE_H
#define ROUTE_H

#include <sys/types.h>

#include <stdint.h>

#define ROUTE_MAX	256	/* at a time, in a sandbox */

/*
 * Make one with an id and a port id, non-blocking or not; out is for
 * rtnl_answer().  The workload's end, which the caller owns, is stored.  When
 * nobody has that end any more the function is called with the id, and the
 * socket is freed after it.  0, or -1 and errno.
 */
int		 route_open(uint32_t, uint32_t, int, int, int *,
		    void (*)(uint32_t));

/* Whether there is one of that id. */
int		 route_exists(uint32_t);

/* Answer what was asked so far; it may be gone after that. */
void		 route_serve(uint32_t);

/* Answers to what is asked from now on are for another port id. */
void		 route_set_port(uint32_t, uint32_t);

#endif
