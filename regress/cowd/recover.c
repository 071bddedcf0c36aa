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
 * Commits that are killed, or that fail, at every single call: what is left
 * is the old tree or the new one, and the branch is as good as before.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "recover.h"
#include "strike.h"

static void
subject_make(struct subject *s, const struct subject_kind *kind)
{
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	/* This makes the text of lower, too, before the workload starts. */
	kind->make(&s->f);
	s->old = s->f.old;
	s->new = kind->view(&s->f.b);
}

static void
subject_remove(struct subject *s)
{
	free(s->new);
	fixture_remove(&s->f);
}

static int
is_old(const struct subject *s)
{
	char	*have = tree_text(s->f.b.lower);
	int	 ret = strcmp(have, s->old) == 0;

	free(have);
	return (ret);
}

static int
is_new(const struct subject *s)
{
	char	*have = s->kind->text(s->f.b.lower);
	int	 ret = strcmp(have, s->new) == 0;

	free(have);
	return (ret);
}

static const char *
describe(const struct outcome *o, int n)
{
	static char	 buf[2048];

	snprintf(buf, sizeof(buf), "call %d (%s): result %d: %s %s: %s\n%s", n,
	    strike_get()->name, (int)o->result, o->what, o->path,
	    strerror(o->error), o->conflicts);
	return (buf);
}

/* The tree is one of the two; an old one can still be committed. */
static void
subject_check(struct subject *s, enum branch_result result, const char *text)
{
	struct outcome	*o;
	char		*before;

	switch (result) {
	case BRANCH_COMMITTED:
	case BRANCH_NOTHING:
		if (result == BRANCH_NOTHING && is_old(s))
			break;
		if (!is_new(s)) {
			printf("%s\n", text);
			TREE_SAME(s->kind->text(s->f.b.lower),
			    strdup(s->new));
		}
		return;
	default:
		if (!is_old(s)) {
			printf("%s\n", text);
			TREE_SAME(tree_text(s->f.b.lower), strdup(s->old));
		}
		break;
	}
	/* The branch is what it was. */
	before = s->kind->view(&s->f.b);
	if (strcmp(before, s->new) != 0) {
		printf("%s\n", text);
		TREE_SAME(before, strdup(s->new));
	}
	free(before);
	o = run_commit(&s->f.b);
	ATF_REQUIRE_MSG(o->result == BRANCH_COMMITTED, "%s: then %s", text,
	    describe(o, 0));
	ATF_REQUIRE_MSG(is_new(s), "%s", text);
}

/* Whatever was left: recover, and once more for nothing. */
static void
subject_recover(struct subject *s, const char *text)
{
	struct outcome		*o;
	enum branch_result	 result;

	strike_set(STRIKE_NONE, 0, 0);
	o = run_recover(&s->f.b);
	result = o->result;
	ATF_REQUIRE_MSG(result == BRANCH_COMMITTED ||
	    result == BRANCH_UNDONE || result == BRANCH_NOTHING,
	    "%s: then %s", text, describe(o, 0));
	o = run_recover(&s->f.b);
	ATF_REQUIRE_MSG(o->result == BRANCH_NOTHING, "%s: again: %s", text,
	    describe(o, 0));
	subject_check(s, result, text);
}

/* Die before the n-th change; whether there were that many. */
static int
die(struct subject *s, int n, char text[4096])
{
	struct outcome	*o;

	strike_set(STRIKE_DIE, n, 0);
	o = run_commit(&s->f.b);
	snprintf(text, 4096, "%s", describe(o, n));
	return (o->result == (enum branch_result)-1);
}

void
die_everywhere(const struct subject_kind *kind, int staged)
{
	struct subject	 s;
	char		 text[4096];
	int		 died = 1, n;

	tmpfs_enter();
	strike_get()->staged = staged;
	for (n = 1; died; n++) {
		subject_make(&s, kind);
		died = die(&s, n, text);
		subject_recover(&s, text);
		subject_remove(&s);
	}
	printf("%d calls\n", n - 2);
	ATF_CHECK(n > 100);
}

/* The same of recover, for commits that died here and there. */
void
recover_dies(const struct subject_kind *kind, int staged, int step)
{
	struct subject	 s;
	struct outcome	*o;
	char		 text[4096];
	int		 died, first, n, runs = 0;

	tmpfs_enter();
	strike_get()->staged = staged;
	for (first = step;; first += step) {
		for (n = 1, died = 1; died; n++, runs++) {
			subject_make(&s, kind);
			if (!die(&s, first, text)) {
				subject_remove(&s);
				printf("%d runs\n", runs);
				return;
			}
			strike_set(STRIKE_DIE, n, 0);
			o = run_recover(&s.f.b);
			died = o->result == (enum branch_result)-1;
			snprintf(text, sizeof(text), "commit %d: %s", first,
			    describe(o, n));
			subject_recover(&s, text);
			subject_remove(&s);
		}
	}
}

void
fail_everywhere(const struct subject_kind *subject, int staged,
    enum strike_kind kind, int error, int step)
{
	struct subject		 s;
	struct outcome		*o;
	enum branch_result	 result;
	char			 text[4096];
	int			 hit = 1, n;

	tmpfs_enter();
	strike_get()->staged = staged;
	for (n = 1; hit; n += step) {
		subject_make(&s, subject);
		strike_set(kind, n, error);
		o = run_commit(&s.f.b);
		hit = strike_get()->count >= n;
		snprintf(text, sizeof(text), "%s", describe(o, n));
		result = o->result;
		strike_set(STRIKE_NONE, 0, 0);
		ATF_REQUIRE_MSG(result == BRANCH_COMMITTED ||
		    result == BRANCH_FAILED || result == BRANCH_UNFINISHED,
		    "%s", text);
		if (result == BRANCH_FAILED)
			ATF_CHECK_MSG(o->error != 0, "%s", text);
		if (result == BRANCH_UNFINISHED)
			subject_recover(&s, text);
		else
			subject_check(&s, result, text);
		subject_remove(&s);
	}
	printf("%d calls\n", n);
}
