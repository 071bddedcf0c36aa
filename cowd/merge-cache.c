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
 * Directories of the view that lookups have come through lately, with their
 * descriptors: the next one begins there.  Only those are kept that upper has,
 * by their path without links.  What a directory is changes by calls on
 * directories alone; who makes one forgets them all.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#ifndef __unused
#define __unused	__attribute__((__unused__))	/* for sys/tree.h */
#endif

#include <stdlib.h>
#include <string.h>

#include "merge-node.h"

#define CACHE_MAX	64	/* directories, of two descriptors each */

struct cached {
	RB_ENTRY(cached)	 entry;
	TAILQ_ENTRY(cached)	 age;
	int			 users;
	int			 forgotten;
	struct node		 node;
	char			*lower;		/* its path there; NULL */
	const char		*path;
	size_t			 len;
};

RB_HEAD(cached_tree, cached);
TAILQ_HEAD(cached_list, cached);

struct merge_cache {
	struct cached_tree	 tree;
	struct cached_list	 ages;		/* the oldest first */
	size_t			 count;
};

static int	 cached_cmp(struct cached *, struct cached *);
RB_PROTOTYPE_STATIC(cached_tree, cached, entry, cached_cmp)

static int
cached_cmp(struct cached *a, struct cached *b)
{
	if (a->len != b->len)
		return (a->len < b->len ? -1 : 1);
	return (memcmp(a->path, b->path, a->len));
}

RB_GENERATE_STATIC(cached_tree, cached, entry, cached_cmp)

static void
cached_free(struct cached *c)
{
	node_free(&c->node);
	free(c->lower);
	free(c);
}

static void
cached_drop(struct merge_cache *mc, struct cached *c)
{
	RB_REMOVE(cached_tree, &mc->tree, c);
	TAILQ_REMOVE(&mc->ages, c, age);
	mc->count--;
	if (c->users == 0)
		cached_free(c);
	else
		c->forgotten = 1;
}

/*
 * The directory of a path, "" for the top, for reading until cache_release();
 * NULL when it is not here.
 */
struct cached *
cache_find(struct merge *m, const char *path, size_t len)
{
	struct cached	*c, key;

	if (m->cache == NULL)
		return (NULL);
	key.path = path;
	key.len = len;
	if ((c = RB_FIND(cached_tree, &m->cache->tree, &key)) == NULL)
		return (NULL);
	TAILQ_REMOVE(&m->cache->ages, c, age);
	TAILQ_INSERT_TAIL(&m->cache->ages, c, age);
	c->users++;
	return (c);
}

const struct node *
cache_node(const struct cached *c)
{
	return (&c->node);
}

/* Its path in lower, from the top: "/a/b"; NULL when it has none. */
const char *
cache_lower(const struct cached *c)
{
	return (c->lower);
}

/*
 * Keep a directory that a lookup has opened, and its path in lower or NULL;
 * then it is the cache's and in use as by cache_find().  NULL: it is still the
 * caller's.
 */
struct cached *
cache_keep(struct merge *m, const char *path, const char *lower,
    const struct node *n)
{
	struct cached	*c;
	size_t		 len = strlen(path);
	char		*copy;

	if (m->cache == NULL) {
		if ((m->cache = calloc(1, sizeof(*m->cache))) == NULL)
			return (NULL);
		RB_INIT(&m->cache->tree);
		TAILQ_INIT(&m->cache->ages);
	}
	if ((c = calloc(1, sizeof(*c) + len)) == NULL)
		return (NULL);
	copy = (char *)(c + 1);
	memcpy(copy, path, len);
	c->path = copy;
	c->len = len;
	c->node = *n;
	c->users = 1;
	if ((lower != NULL && (c->lower = strdup(lower)) == NULL) ||
	    RB_INSERT(cached_tree, &m->cache->tree, c) != NULL) {
		free(c->lower);
		free(c);
		return (NULL);
	}
	TAILQ_INSERT_TAIL(&m->cache->ages, c, age);
	if (++m->cache->count > CACHE_MAX)
		cached_drop(m->cache, TAILQ_FIRST(&m->cache->ages));
	return (c);
}

/* The lookup is over; n is what it knows of the directory by now. */
void
cache_release(struct cached *c, const struct node *n)
{
	if (n->impure)
		c->node.impure = 1;
	if (--c->users == 0 && c->forgotten)
		cached_free(c);
}

void
merge_forget(struct merge *m)
{
	m->forgot = 1;
	if (m->cache == NULL)
		return;
	while (!TAILQ_EMPTY(&m->cache->ages))
		cached_drop(m->cache, TAILQ_FIRST(&m->cache->ages));
}

void
cache_close(struct merge *m)
{
	merge_forget(m);
	free(m->cache);
	m->cache = NULL;
}
