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
 * The steps of a plan, taken and taken back.
 */

#ifndef STEPS_H
#define STEPS_H

#include "branch.h"
#include "plan.h"

/*
 * Take all steps.  fresh says that none was taken before, so that every
 * object has to be as the plan found it.  0, or -1 with the error filled in
 * and any number of steps taken.
 */
int	 steps_forward(const struct branch *, struct plan *, int,
	    struct branch_error *);
/* The metadata of the working directory itself, after all else. */
int	 steps_root(const struct branch *, struct plan *,
	    struct branch_error *);
/*
 * Take back whatever was taken, and remember what was touched.  0, or -1 with
 * the error of the first that could not be; the others are taken back.
 */
int	 steps_undo(const struct branch *, struct plan *,
	    struct branch_error *);

#endif
