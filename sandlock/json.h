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
 * Strings in JSON.
 */

#ifndef JSON_H
#define JSON_H

#include <stdio.h>

/*
 * Write a string with its quotes.  The result is valid JSON in UTF-8 whatever
 * the bytes are, and holds no control character: each byte that is not part
 * of a well-formed sequence becomes U+FFFD.  Errors are left to ferror(3).
 */
void	 json_string(FILE *, const char *);

/*
 * For names of files, which are bytes: whether json_string() writes all of it
 * as it is, and the bytes themselves in base64 as a string.
 */
int	 json_exact(const char *);
void	 json_base64(FILE *, const char *);

#endif
