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
 * The ids that a branchfs server gives its branches.  They become part of a
 * path, of messages and of a file of ours, so nothing else than a plain name is
 * let through; whoever reads one checks it here.  It opens nothing.
 */

#include <stddef.h>
#include <string.h>

#include "branchfs.h"

static int
id_letter(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'));
}

int
branchfs_id(const char buf[BRANCHFS_ID_SIZE])
{
	size_t	 i, len;

	len = strnlen(buf, BRANCHFS_ID_SIZE);
	if (len == 0 || len == BRANCHFS_ID_SIZE || !id_letter(buf[0]))
		return (0);
	for (i = 0; i < len; i++)
		if (!id_letter(buf[i]) && strchr("._-", buf[i]) == NULL)
			return (0);
	for (; i < BRANCHFS_ID_SIZE; i++)
		if (buf[i] != '\0')
			return (0);
	return (1);
}
