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
 * Fuzz target of the sandlock.conf(5) parser.  Whatever parses must print as
 * text that parses again, to a policy that prints the same.  Messages go to
 * standard error: run it with -close_fd_mask=2.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "sandlock.h"

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char	*print_all(const struct profiles *);

static char *
print_all(const struct profiles *list)
{
	const struct profile	*profile;
	FILE			*f;
	char			*text;
	size_t			 size;

	if ((f = open_memstream(&text, &size)) == NULL)
		abort();
	TAILQ_FOREACH(profile, list, entry)
		policy_print(f, profile->policy);
	if (fclose(f) != 0)
		abort();
	return (text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profiles	 first = TAILQ_HEAD_INITIALIZER(first);
	struct profiles	 second = TAILQ_HEAD_INITIALIZER(second);
	char		*one, *two;

	if (parse_text("fuzz", (const char *)data, size, &first) == -1)
		return (0);
	one = print_all(&first);
	if (parse_text("again", one, strlen(one), &second) == -1)
		abort();
	two = print_all(&second);
	if (strcmp(one, two) != 0)
		abort();
	free(one);
	free(two);
	profiles_free(&first);
	profiles_free(&second);
	return (0);
}
