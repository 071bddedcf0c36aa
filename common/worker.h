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
 * What every worker does first, and how it ends.
 */

#ifndef WORKER_H
#define WORKER_H

#include "imsgev.h"

/* The channel to the parent. */
extern struct imsgev	 worker_parent;

/*
 * Called first in main: name for messages, terminal signals ignored, standard
 * input and output on /dev/null unless keep_stdio, lockdown_begin(dumpable),
 * event base, channel to the parent on PROTO_PARENT_FD with the handler.
 * Exits with a message when started by hand.
 */
void	 worker_init(const char *, int, int, void (*)(int, short, void *));

/* /dev/null, close-on-exec; -1 and errno. */
int	 worker_open_null(void);

/* Report that set-up failed ("what: why") to the parent and exit. */
__attribute__((__noreturn__)) __attribute__((__format__ (printf, 1, 2)))
void	 worker_fail(const char *, ...);

/*
 * The reading half of every dispatch function: returns 0 when the peer is
 * gone (the caller closes), 1 otherwise; errors of the channel are fatal.
 */
int	 worker_read(struct imsgev *, short, const char *);

#endif
