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
 * Host names as texts: what is one, which are the same, which a rule means.
 * For resolve.c and stub.c; no system calls and no state.
 */

#include <string.h>
#include <strings.h>

#include "netd.h"

/* Without the dot of the root. */
static size_t
name_length(const char *name)
{
	size_t	 len = strlen(name);

	return (len > 0 && name[len - 1] == '.' ? len - 1 : len);
}

int
name_equal(const char *a, const char *b)
{
	size_t	 la = name_length(a), lb = name_length(b);

	return (la == lb && strncasecmp(a, b, la) == 0);
}

/* Whether name is below the domain, which begins with a dot. */
static int
name_below(const char *name, const char *domain)
{
	size_t	 len = name_length(name), ld = name_length(domain);

	return (len > ld && strncasecmp(name + len - ld, domain, ld) == 0);
}

int
name_matches(const char *rule, const char *name)
{
	if (rule[0] == '*')
		return (rule[1] == '.' && name_below(name, rule + 1));
	return (name_equal(rule, name));
}

int
name_local(const char *name)
{
	static const char	 local[] = ".localhost";

	return (name_equal(name, local + 1) || name_below(name, local));
}

int
name_valid(const char *name)
{
	const char	*p;
	size_t		 label = 0;

	for (p = name; *p != '\0'; p++) {
		if (*p == '.') {
			if (label == 0)
				return (0);
			label = 0;
			continue;
		}
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		    *p == '-' || *p == '_') || ++label > 63)
			return (0);
	}
	return (p != name && label > 0);
}
