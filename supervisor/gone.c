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
 * Files of the working directory that have lost their last name in the view.
 * They stay where they are, and the kernel goes on counting their names; but
 * who holds one open has to hear that there is none left.  As memory has an
 * end, those that went first are forgotten.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/tree.h>

#include <stdlib.h>

#include "supervisor.h"

#define GONE_MAX	50000

struct gone {
	RB_ENTRY(gone)		 entry;
	TAILQ_ENTRY(gone)	 age;
	dev_t			 dev;
	ino_t			 ino;
};

RB_HEAD(gones, gone);

static int	 gone_cmp(struct gone *, struct gone *);
RB_PROTOTYPE_STATIC(gones, gone, entry, gone_cmp)

static struct gones		 gones = RB_INITIALIZER(&gones);
static TAILQ_HEAD(, gone)	 ages = TAILQ_HEAD_INITIALIZER(ages);
static size_t			 gone_count;

static int
gone_cmp(struct gone *a, struct gone *b)
{
	if (a->ino != b->ino)
		return (a->ino < b->ino ? -1 : 1);
	return (a->dev < b->dev ? -1 : a->dev > b->dev);
}

RB_GENERATE_STATIC(gones, gone, entry, gone_cmp)

/*
 * Note in a request the file from which it takes the last name, should it
 * succeed.  A rename has its old name looked up first: to itself it does
 * nothing.  What upper alone has, the kernel counts.
 */
void
gone_expect(struct request *rq, const struct merge_entry *e, int old)
{
	struct stat	 st;
	dev_t		 dev;
	int		 same;

	dev = makedev(e->sx.stx_dev_major, e->sx.stx_dev_minor);
	same = rq->gone_ino == e->sx.stx_ino && rq->gone_dev == dev;
	rq->gone_ino = 0;
	if ((rq->call->class != CLASS_UNLINK &&
	    rq->call->class != CLASS_RENAME) || same || e->fd == -1 ||
	    S_ISDIR(e->sx.stx_mode) || e->sx.stx_nlink != 1)
		return;
	if (!old && e->upper && (fstat(e->fd, &st) == -1 ||
	    (st.st_ino == e->sx.stx_ino && st.st_dev == dev)))
		return;
	rq->gone_dev = dev;
	rq->gone_ino = e->sx.stx_ino;
}

/* The request has succeeded. */
void
gone_note(const struct request *rq)
{
	struct gone	*g, *first;

	if (rq->gone_ino == 0 || (g = calloc(1, sizeof(*g))) == NULL)
		return;
	g->dev = rq->gone_dev;
	g->ino = rq->gone_ino;
	if (RB_INSERT(gones, &gones, g) != NULL) {
		free(g);
		return;
	}
	TAILQ_INSERT_TAIL(&ages, g, age);
	if (++gone_count > GONE_MAX) {
		first = TAILQ_FIRST(&ages);
		TAILQ_REMOVE(&ages, first, age);
		RB_REMOVE(gones, &gones, first);
		free(first);
		gone_count--;
	}
}

/* Whether there is any: most runs remove nothing that is open. */
int
gone_any(void)
{
	return (gone_count > 0);
}

int
gone_find(const struct stat *st)
{
	struct gone	 key;

	key.dev = st->st_dev;
	key.ino = st->st_ino;
	return (RB_FIND(gones, &gones, &key) != NULL);
}
