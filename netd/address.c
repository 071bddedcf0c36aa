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
 * Lists of addresses without repetition, for own.c, resolve.c and refresh.c.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <stdlib.h>

#include "dns.h"
#include "log.h"
#include "netd.h"

void
addresses_add(struct addresses *list, const struct netaddr *na)
{
	struct address	*a;

	if (addresses_have(list, na))
		return;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		fatal("calloc");
	a->na = *na;
	STAILQ_INSERT_TAIL(list, a, entry);
}

void
addresses_answer(struct addresses *list, const struct dns_answer *answer,
    uint32_t *ttl)
{
	const struct dns_record	*rec;
	size_t			 i;

	for (i = 0; i < answer->n; i++) {
		rec = &answer->records[i];
		if (rec->ttl < *ttl)
			*ttl = rec->ttl;
		if (rec->type != RR_CNAME)
			addresses_add(list, &rec->addr);
	}
}

int
addresses_have(const struct addresses *list, const struct netaddr *na)
{
	const struct address	*a;

	STAILQ_FOREACH(a, list, entry)
		if (netaddr_equal(&a->na, na))
			return (1);
	return (0);
}

void
addresses_remove(struct addresses *list, const struct netaddr *na)
{
	struct address	*a;

	STAILQ_FOREACH(a, list, entry)
		if (netaddr_equal(&a->na, na))
			break;
	if (a == NULL)
		return;
	STAILQ_REMOVE(list, a, address, entry);
	free(a);
}

void
addresses_order(struct addresses *list)
{
	struct addresses	 four, six;
	struct address		*a;

	STAILQ_INIT(&four);
	STAILQ_INIT(&six);
	while ((a = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		if (a->na.family == AF_INET)
			STAILQ_INSERT_TAIL(&four, a, entry);
		else
			STAILQ_INSERT_TAIL(&six, a, entry);
	}
	STAILQ_CONCAT(list, &four);
	STAILQ_CONCAT(list, &six);
}

void
addresses_free(struct addresses *list)
{
	struct address	*a;

	while ((a = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		free(a);
	}
}
