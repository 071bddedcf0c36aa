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
 * Changes and outcomes of a branch for a reader: after a run, and by the branch
 * command.
 */

#ifndef BRANCH_PRINT_H
#define BRANCH_PRINT_H

#include <stdio.h>

#include "imsg.h"
#include "policy.h"
#include "proto.h"

/* Changes, one by one.  Errors of the stream are left to ferror(3). */
void	 branch_print_begin(FILE *, enum dry_run_form);
void	 branch_print_change(FILE *, enum dry_run_form,
	    const struct proto_change *);
void	 branch_print_text(FILE *, struct imsg *, int);	/* a terminal? */
void	 branch_print_end(FILE *, enum dry_run_form);

/* Messages. */
void	 branch_warn_conflict(const struct proto_change *);
void	 branch_warn_outcome(const struct proto_outcome *);
void	 branch_summary(const struct proto_outcome *, const char *);

#endif
