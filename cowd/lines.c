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
 * The lines in which two texts differ, by the algorithm of Myers (An O(ND)
 * difference algorithm and its variations, 1986) in linear space: find the
 * middle of a shortest script from both ends at once, then do the same with
 * the two halves.  Where texts have little in common the search is given up
 * and the whole part counts as changed, which is correct and only longer.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"

#define LINES_COST_MAX	4096	/* differences looked for in one part */

/* A part of both texts: lines from lo up to, not including, hi. */
struct part {
	size_t	 alo, ahi;
	size_t	 blo, bhi;
};

struct search {
	struct lines	*a, *b;
	ssize_t		*forward;	/* furthest line of a, by diagonal */
	ssize_t		*backward;
	struct part	*stack;
	size_t		 nstack, max;
};

int
lines_cut(struct lines *ls, char *buf, size_t len)
{
	char	*p, *end = buf + len, *nl;
	size_t	 n = 0;

	memset(ls, 0, sizeof(*ls));
	for (p = buf; p < end; p = nl + 1, n++)
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end - 1;
	if ((ls->line = calloc(n + 1, sizeof(*ls->line))) == NULL)
		return (-1);
	ls->buf = buf;
	for (p = buf; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end - 1;
		ls->line[ls->n].text = p;
		ls->line[ls->n++].len = (size_t)(nl + 1 - p);
	}
	return (0);
}

void
lines_free(struct lines *ls)
{
	free(ls->buf);
	free(ls->line);
	memset(ls, 0, sizeof(*ls));
}

static uint32_t
line_hash(const struct line *l)
{
	uint32_t	 hash = 2166136261U;
	size_t		 i;

	for (i = 0; i < l->len; i++)
		hash = (hash ^ (unsigned char)l->text[i]) * 16777619U;
	return (hash);
}

static int
line_equal(const struct line *a, const struct line *b)
{
	return (a->len == b->len && memcmp(a->text, b->text, a->len) == 0);
}

/* Number the lines of both texts so that numbers compare like lines. */
static int
lines_classify(struct lines *a, struct lines *b)
{
	struct line	**table, *l;
	size_t		  i, size = 16, slot;
	uint32_t	  classes = 0;

	while (size < 2 * (a->n + b->n))
		size *= 2;
	if ((table = calloc(size, sizeof(*table))) == NULL)
		return (-1);
	for (i = 0; i < a->n + b->n; i++) {
		l = i < a->n ? &a->line[i] : &b->line[i - a->n];
		for (slot = line_hash(l) & (size - 1); table[slot] != NULL &&
		    !line_equal(table[slot], l);)
			slot = (slot + 1) & (size - 1);
		if (table[slot] == NULL) {
			table[slot] = l;
			l->class = ++classes;
		} else
			l->class = table[slot]->class;
	}
	free(table);
	return (0);
}

static int
same(const struct search *s, ssize_t x, ssize_t y)
{
	return (s->a->line[x].class == s->b->line[y].class);
}

/*
 * A point on a shortest script of a part; 0 when it was given up.  Diagonal k
 * is x - y, counted from the part's beginning; both arrays are used around the
 * middle, where the caller points.
 */
static int
part_middle(const struct search *s, const struct part *p, size_t *mx,
    size_t *my)
{
	ssize_t	 n = (ssize_t)(p->ahi - p->alo);
	ssize_t	 m = (ssize_t)(p->bhi - p->blo);
	ssize_t	 a = (ssize_t)p->alo, b = (ssize_t)p->blo;
	ssize_t	 delta = n - m, d, k, x, y, odd = delta & 1;
	ssize_t	*f = s->forward, *r = s->backward;

	f[1] = 0;
	r[1] = 0;
	for (d = 0; d <= LINES_COST_MAX && d <= (n + m + 1) / 2; d++) {
		for (k = -d; k <= d; k += 2) {
			x = k == -d || (k != d && f[k - 1] < f[k + 1]) ?
			    f[k + 1] : f[k - 1] + 1;
			y = x - k;
			while (x < n && y < m && y >= 0 && same(s, a + x,
			    b + y)) {
				x++;
				y++;
			}
			f[k] = x;
			if (odd && delta - k >= -(d - 1) &&
			    delta - k <= d - 1 && x + r[delta - k] >= n)
				goto found;
		}
		for (k = -d; k <= d; k += 2) {
			x = k == -d || (k != d && r[k - 1] < r[k + 1]) ?
			    r[k + 1] : r[k - 1] + 1;
			y = x - k;
			while (x < n && y < m && y >= 0 && same(s,
			    a + n - x - 1, b + m - y - 1)) {
				x++;
				y++;
			}
			r[k] = x;
			if (!odd && delta - k >= -d && delta - k <= d &&
			    x + f[delta - k] >= n) {
				x = f[delta - k];
				y = x - (delta - k);
				goto found;
			}
		}
	}
	return (0);

 found:
	if (x < 0 || x > n || y < 0 || y > m)
		return (0);
	*mx = p->alo + (size_t)x;
	*my = p->blo + (size_t)y;
	return (1);
}

static void
part_changed(struct search *s, const struct part *p)
{
	size_t	 i;

	for (i = p->alo; i < p->ahi; i++)
		s->a->line[i].changed = 1;
	for (i = p->blo; i < p->bhi; i++)
		s->b->line[i].changed = 1;
}

/* What both ends have in common is no change. */
static void
part_trim(const struct search *s, struct part *p)
{
	while (p->alo < p->ahi && p->blo < p->bhi &&
	    same(s, (ssize_t)p->alo, (ssize_t)p->blo)) {
		p->alo++;
		p->blo++;
	}
	while (p->alo < p->ahi && p->blo < p->bhi &&
	    same(s, (ssize_t)p->ahi - 1, (ssize_t)p->bhi - 1)) {
		p->ahi--;
		p->bhi--;
	}
}

static int
part_push(struct search *s, size_t alo, size_t ahi, size_t blo, size_t bhi)
{
	struct part	*grown;

	if (s->nstack == s->max) {
		if ((grown = reallocarray(s->stack, s->max + 64,
		    sizeof(*grown))) == NULL)
			return (-1);
		s->stack = grown;
		s->max += 64;
	}
	s->stack[s->nstack++] = (struct part){ alo, ahi, blo, bhi };
	return (0);
}

static int
search_run(struct search *s)
{
	struct part	 p;
	size_t		 x, y;

	if (part_push(s, 0, s->a->n, 0, s->b->n) == -1)
		return (-1);
	while (s->nstack > 0) {
		p = s->stack[--s->nstack];
		part_trim(s, &p);
		if (p.alo == p.ahi || p.blo == p.bhi ||
		    !part_middle(s, &p, &x, &y) ||
		    (x == p.alo && y == p.blo) || (x == p.ahi && y == p.bhi))
			part_changed(s, &p);
		else if (part_push(s, p.alo, x, p.blo, y) == -1 ||
		    part_push(s, x, p.ahi, y, p.bhi) == -1)
			return (-1);
	}
	return (0);
}

int
lines_compare(struct lines *a, struct lines *b)
{
	struct search	 s;
	ssize_t		*memory;
	size_t		 half = LINES_COST_MAX + 2;
	int		 ret;

	if (lines_classify(a, b) == -1)
		return (-1);
	memset(&s, 0, sizeof(s));
	s.a = a;
	s.b = b;
	if ((memory = calloc(2 * (2 * half + 1), sizeof(*memory))) == NULL)
		return (-1);
	s.forward = memory + half;
	s.backward = memory + 2 * half + 1 + half;
	ret = search_run(&s);
	free(memory);
	free(s.stack);
	return (ret);
}
