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
 * Control messages as the kernel reads them, and which of them a sandbox may
 * send over the network.  No system calls and no state.
 */

#ifndef ANCILLARY_H
#define ANCILLARY_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>

/* Where a walk stands; data and len are its, the rest is the last message. */
struct ancillary {
	const char	*control;
	size_t		 controllen;
	size_t		 at;
	int		 level;
	int		 type;
	const char	*data;
	size_t		 len;
};

void	 ancillary_begin(struct ancillary *, const void *, size_t);

/* 1: there is another one; 0: no more; -1: what the kernel calls invalid. */
int	 ancillary_next(struct ancillary *);

/*
 * 0 if everything in there may go with data over an internet socket, otherwise
 * the errno: EINVAL, as from a kernel that does not know the message.
 */
int	 ancillary_inet(const void *, size_t);

#endif
