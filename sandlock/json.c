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
 * Strings in JSON, for everything that we print for programs.  The bytes come
 * from file names and commands of the workload, so that they may be anything;
 * a reader of our lines must neither fail nor be led astray by them.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

void
json_string(FILE *fp, const char *s)
{
	const unsigned char	*p = (const unsigned char *)s;
	size_t			 len;

	putc('"', fp);
	for (; *p != '\0'; p += len) {
		if ((len = utf8_length(p)) == 0) {
			fputs("\\ufffd", fp);
			len = 1;
		} else if (*p == '"' || *p == '\\')
			fprintf(fp, "\\%c", *p);
		else if (*p < ' ' || *p == 0x7f)
			fprintf(fp, "\\u%04x", *p);
		else if (p[0] == 0xc2 && p[1] < 0xa0)
			/* C1: some terminals obey these as well. */
			fprintf(fp, "\\u%04x", p[1]);
		else
			fwrite(p, 1, len, fp);
	}
	putc('"', fp);
}

int
json_exact(const char *s)
{
	const unsigned char	*p = (const unsigned char *)s;
	size_t			 len;

	for (; *p != '\0'; p += len)
		if ((len = utf8_length(p)) == 0)
			return (0);
	return (1);
}

void
json_base64(FILE *fp, const char *s)
{
	static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char	*p = (const unsigned char *)s;
	size_t			 i, len = strlen(s);
	uint32_t		 bits;

	putc('"', fp);
	for (; len > 0; p += 3) {
		bits = (uint32_t)p[0] << 16;
		if (len > 1)
			bits |= (uint32_t)p[1] << 8;
		if (len > 2)
			bits |= p[2];
		/* Three bytes are four digits, and less are one less each. */
		for (i = 0; i < 4; i++)
			putc(i > len ? '=' : digits[bits >> (18 - 6 * i) &
			    0x3f], fp);
		len -= len < 3 ? len : 3;
	}
	putc('"', fp);
}
