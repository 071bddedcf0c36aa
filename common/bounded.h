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
#ifndef BOUNDED_H
#define BOUNDED_H

#include <sys/types.h>
#include <sys/socket.h>

/* Longest time that bounded_connect() may take, in milliseconds. */
#define BOUNDED_MS	4

/* To be called once, before the first bounded_connect(). */
void	 bounded_init(void);

/*
 * connect(2) on a socket of the workload's that was made non-blocking for it:
 * it returns soon whatever the workload does to that flag meanwhile.  0 or an
 * errno, EINTR when the time was over.  Needs setitimer(ITIMER_REAL) and
 * SIGALRM.
 */
int	 bounded_connect(int, const struct sockaddr *, socklen_t);

/* accept4(2) on such a socket; -1 and errno likewise. */
int	 bounded_accept(int, struct sockaddr *, socklen_t *, int);

#endif
