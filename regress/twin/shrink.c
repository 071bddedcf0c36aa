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
 * Make a sequence that fails as short as it can be: ranges are taken away,
 * half of it at first and single elements in the end, as long as it still
 * fails.
 */

#include <sys/types.h>

#include <stdlib.h>
#include <string.h>

#include "shrink.h"
#include "start.h"

int
shrink(void *all, size_t size, int n, int (*fails)(void *, int, void *),
    void *arg)
{
	char	*rest, *from = all;
	int	 again, chunk, i;

	if ((rest = reallocarray(NULL, n > 0 ? n : 1, size)) == NULL)
		die("reallocarray");
	for (chunk = n / 2; chunk > 0; chunk = again ? chunk : chunk / 2) {
		again = 0;
		for (i = 0; i + chunk <= n;) {
			memcpy(rest, from, i * size);
			memcpy(rest + i * size, from + (i + chunk) * size,
			    (n - i - chunk) * size);
			if (!fails(rest, n - chunk, arg)) {
				i += chunk;
				continue;
			}
			n -= chunk;
			memcpy(from, rest, n * size);
			again = 1;
		}
	}
	free(rest);
	return (n);
}
