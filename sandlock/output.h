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
 * The standard output of a list of changes.
 */

#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/* A stream on a descriptor, one for the program; NULL and errno. */
FILE	*output_open(int);

/*
 * Look out for signals that end programs, besides whoever handles them by now;
 * and forget those that came before anything was written.
 */
void	 output_watch(void);
void	 output_begin(void);

/* Whether a signal has ended the writing; then nothing more is written. */
int	 output_interrupted(void);

/* Whether it is a terminal. */
int	 output_tty(void);

#endif
