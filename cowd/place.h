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
 * The directory of a record, on one side, wherever it is by now.
 */

#ifndef PLACE_H
#define PLACE_H

#include <stddef.h>

#include "cursor.h"
#include "plan.h"

struct place {
	struct cursor		 at;
	const struct plan	*plan;
	enum side		 side;
	const int		*trash;		/* or NULL; -1: there is none */
	size_t			 jumped;	/* where the way begins; or 0 */
	size_t			*records;	/* of the cursor's levels */
	size_t			 size;
	size_t			*way;
	size_t			 waysize;
};

void	 place_init(struct place *, const struct plan *, enum side, int,
	    const int *);
/*
 * Go to the directory that a record stands for; its descriptor (O_PATH or
 * top's, borrowed until the next call).  -1 and ESTALE when another object
 * has its name by now.
 */
int	 place_goto(struct place *, size_t);
/* Whether that directory is still there by name: 0, or -1 and ESTALE. */
int	 place_check(const struct place *);
/* A directory was moved: the way to the next one begins at the top. */
void	 place_restart(struct place *);
void	 place_free(struct place *);

#endif
