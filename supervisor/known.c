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
 * Names that have been looked at.  What was found holds as long as nobody puts
 * links in their way.  The workload cannot without a call that comes here, and
 * that may be under way still when the next one comes: so nothing new is kept
 * before its thread calls again (see task.c).  What others do to links outside
 * of the sandbox is noticed after a second.
 *
 * At worst the kernel follows a name that has become another one within that
 * second: it finds what Landlock grants, not what the view shows there.
 */

#include <sys/types.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor.h"

#define KNOWN_MAX	8192	/* then all are forgotten */
#define KNOWN_SECONDS	1

struct known {
	RB_ENTRY(known)	 entry;
	uint64_t	 hash;
	int		 what;
	const char	*text;
};

RB_HEAD(knowns, known);

static int	 known_cmp(struct known *, struct known *);
RB_PROTOTYPE_STATIC(knowns, known, entry, known_cmp)

static struct knowns	 knowns = RB_INITIALIZER(&knowns);
static size_t		 known_count;
static time_t		 known_since;

static int
known_cmp(struct known *a, struct known *b)
{
	if (a->hash != b->hash)
		return (a->hash < b->hash ? -1 : 1);
	return (strcmp(a->text, b->text));
}

RB_GENERATE_STATIC(knowns, known, entry, known_cmp)

void
known_forget(void)
{
	struct known	*k, *next;

	task_forget_cwd();
	RB_FOREACH_SAFE(k, knowns, &knowns, next) {
		RB_REMOVE(knowns, &knowns, k);
		free(k);
	}
	known_count = 0;
}

/* Drop what is too old; to be called before something kept is used. */
void
known_expire(void)
{
	struct timespec	 ts;

	/* A few milliseconds do not matter, and it costs no call. */
	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &ts) == -1 ||
	    ts.tv_sec - known_since >= KNOWN_SECONDS) {
		known_forget();
		known_since = ts.tv_sec;
	}
}

/* FNV-1a, of one piece after the other. */
uint64_t
path_hash(uint64_t hash, const char *text, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ULL;
	return (hash);
}

/* What known_add() was told of a name; 0: nothing. */
int
known_find(const char *text)
{
	struct known	 key, *k;

	known_expire();
	key.text = text;
	key.hash = path_hash(PATH_HASH, text, strlen(text));
	k = RB_FIND(knowns, &knowns, &key);
	return (k == NULL ? 0 : k->what);
}

/* Remember flags of a name, besides those that it has. */
void
known_add(const char *text, int what)
{
	struct known	*k, *old;
	size_t		 size = strlen(text) + 1;
	char		*copy;

	if (task_unsettled())
		return;
	if (known_count >= KNOWN_MAX)
		known_forget();
	if ((k = malloc(sizeof(*k) + size)) == NULL)
		return;
	copy = (char *)(k + 1);
	memcpy(copy, text, size);
	k->text = copy;
	k->what = what;
	k->hash = path_hash(PATH_HASH, text, size - 1);
	if ((old = RB_INSERT(knowns, &knowns, k)) != NULL) {
		old->what |= what;
		free(k);
	} else
		known_count++;
}
