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
 * Paths inside others with fewer rights.  Landlock only ever adds up what the
 * paths around grant, so a path that has a hole is not granted as it is: the
 * right that the hole lacks goes to the entries beside the way to the hole, one
 * by one, and to none of the directories on that way.  Nothing that a name can
 * be changed to, and nobody who is wrong, reaches the hole then.
 *
 * What is lost by that: listing the directories on the way, and whatever comes
 * to lie in them later.  The supervisor and cowd make it good.
 */

#ifndef HOLES_H
#define HOLES_H

#include "workload.h"

/* As many entries may be granted one by one. */
#define HOLES_SIBLINGS_MAX	10000

/*
 * Find the entries beside the ways to holes and give each path the rights that
 * hold in all of it.  0, or -1 and errno; the directory at which it failed is
 * then *what (E2BIG: too many).  To be called once.
 */
int	 holes_expand(struct workload_conf *, const char **);

/* Whether an absolute name is another one or something below it. */
int	 holes_inside(const char *, const char *);
/* The path of the policy that an absolute name without links is judged by. */
const struct workload_path *holes_path(const struct workload_paths *,
	    const char *);
/* Whether a hole lies below a name, which then is on the way to it. */
int	 holes_above(const struct workload_paths *, const char *);
/* Whether such a name was granted by itself, and is still the same inode. */
int	 holes_sibling(const struct workload_conf *, const char *);
/* What has to be mediated. */
enum hole_level holes_level(const struct workload_paths *);

#endif
