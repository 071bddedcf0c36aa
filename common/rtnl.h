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
 * What rtnetlink(7) says in a sandbox: there is a loopback interface, and
 * nothing else.  Pure functions from a request to its answer, which is why a
 * worker can serve strangers with them.
 */

#ifndef RTNL_H
#define RTNL_H

#include <sys/types.h>

#include <stdint.h>

#define RTNL_REQUEST_MAX	16384	/* of a datagram that is looked at */
#define RTNL_ANSWER_MAX		4096	/* longer than any answer */

/* The requests of a datagram. */
struct rtnl_cursor {
	const uint8_t	*next;
	size_t		 left;
	int		 answered;	/* the next one, but for the ack */
};

/*
 * Write the answer to the next request, or what acknowledges it, and move on.
 * Its length, 0 for a request without an answer, or -1 when there is no request
 * any more.  Each is a datagram of its own.  port is that of the asker.  out
 * tells that the policy lets the sandbox reach other hosts: lo has an address
 * more per family then, because resolvers ask for a family only when there is
 * another address than the loopback one.
 */
ssize_t	 rtnl_answer(struct rtnl_cursor *, uint32_t, int, void *, size_t);

#endif
