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
 * Ids of branches, as a server may write them.
 */

#include <stdio.h>
#include <string.h>

#include <atf-c.h>

#include "branchfs.h"

static int
id(const char *text, size_t len)
{
	char	 buf[BRANCHFS_ID_SIZE];

	memset(buf, 0, sizeof(buf));
	memcpy(buf, text, len);
	return (branchfs_id(buf));
}

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	static const char *const ids[] = {
		"a", "Z", "0", "feature-a", "b_1.2", "a..b", "a-",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	};
	char	 buf[BRANCHFS_ID_SIZE];
	size_t	 i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		ATF_CHECK_MSG(id(ids[i], strlen(ids[i])), "%s", ids[i]);
	/* The longest. */
	memset(buf, 'x', sizeof(buf));
	buf[sizeof(buf) - 1] = '\0';
	ATF_CHECK(branchfs_id(buf));
}

ATF_TC_WITHOUT_HEAD(bad);
ATF_TC_BODY(bad, tc)
{
	static const char *const ids[] = {
		"", ".", "..", "../x", "/", "a/b", "a/", "@a", "-a", "_a",
		".a", "a b", " a", "a\n", "a\t", "\033[2J", "a\177", "\303\244",
		"a\377", "a:b", "a,b", "a%s", "a\\"
	};
	char	 buf[BRANCHFS_ID_SIZE], text[2] = { 'a', 0 };
	size_t	 i;
	int	 c;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		ATF_CHECK_MSG(!id(ids[i], strlen(ids[i])), "%zu", i);
	/* What follows the first NUL is nothing. */
	ATF_CHECK(!id("a\0b", 3));
	ATF_CHECK(!id("\0a", 2));
	memset(buf, 0, sizeof(buf));
	buf[0] = 'a';
	ATF_CHECK(branchfs_id(buf));
	buf[sizeof(buf) - 1] = 'a';
	ATF_CHECK(!branchfs_id(buf));
	/* No NUL at all. */
	memset(buf, 'x', sizeof(buf));
	ATF_CHECK(!branchfs_id(buf));
	/* Every byte: letters, digits and three more. */
	for (i = 0, c = 1; c < 256; c++) {
		text[1] = (char)c;
		i += id(text, 2) != 0;
	}
	ATF_CHECK_EQ(i, 26 + 26 + 10 + 3);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, bad);
	return (atf_no_error());
}
