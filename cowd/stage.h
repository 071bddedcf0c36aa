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
 * The staging directory: ".sandlock.ID" in the working directory, for
 * branches whose storage no rename reaches from there.
 */

#ifndef STAGE_H
#define STAGE_H

#include <stddef.h>

#include "branch.h"
#include "plan.h"

/* A number in decimal with a letter. */
#define STAGING_NAME_SIZE	24

/* Its name; 0, or -1 and EINVAL when the id cannot be part of one. */
int	 staging_name(const struct branch *, char *, size_t);
/* Make it and fill it with a copy of all that the plan moves to lower. */
int	 staging_fill(const struct branch *, struct plan *,
	    struct branch_error *);
/* O_PATH; -1 and ENOENT when there is none. */
int	 staging_open(const struct branch *);
int	 staging_remove(const struct branch *);

/* What the copy of a record and its trash are called in there. */
void	 staging_object(size_t, char [STAGING_NAME_SIZE]);
/* And an upper directory that waits there until all is done. */
void	 staging_shell(size_t, char [STAGING_NAME_SIZE]);

#endif
