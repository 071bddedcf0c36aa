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
 * The journal of a commit, branch/journal, and what is left of it.
 */

#ifndef JOURNAL_H
#define JOURNAL_H

#include <stddef.h>

#include "branch.h"
#include "plan.h"

enum journal_state {
	JOURNAL_NONE,
	JOURNAL_UNDO,		/* whatever was done is undone */
	JOURNAL_FORWARD,	/* the steps are being taken */
	JOURNAL_DONE		/* all are; the staging directory is left */
};

/*
 * Write a plan in a state, durably, in place of any other journal; sets the
 * state of the plan.  0, or -1 and errno with the old journal in place.
 */
int	 journal_write(const struct branch *, struct plan *,
	    enum journal_state);
/* Change the state that is on disk and the plan's. */
int	 journal_state(const struct branch *, struct plan *,
	    enum journal_state);
/*
 * Read it: 1; 0 when there is none that was ever begun; -1 and errno when
 * there is one that cannot be followed.
 */
int	 journal_read(const struct branch *, struct plan *);
/* Close it: the branch is committed, or the journal is gone. */
int	 journal_commit(const struct branch *);
int	 journal_drop(const struct branch *);
/* Whether a commit of this branch was closed: 1, 0, -1 and errno. */
int	 journal_committed(const struct branch *);
/* Whether a journal lies there, complete or not: 1, 0, -1 and errno. */
int	 journal_present(const struct branch *);

/*
 * The objects that commits have touched and put back: their times of change
 * say nothing about outsiders.
 */
int	 touched_load(const struct branch *, struct plan *);
/* Have room for n more of them while there is some. */
int	 touched_reserve(const struct branch *, size_t);
int	 touched_append(const struct branch *, const struct touched *, size_t);

#endif
