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
 * The parent's side of the keeper of a branchfs branch.
 */

#ifndef KEEPER_H
#define KEEPER_H

#include <sys/types.h>

#include "proto.h"
#include "storage.h"

/*
 * Start the keeper for a record, which makes a branch of its working directory
 * (and sets server) or finds the one that server names.  Should we be lost it
 * aborts it, or keeps it.  0, or -1 after a message, the errno of which is
 * returned too.
 */
int	 keeper_begin(struct branch_dir *, int);

/* Whether one was begun and has not been let go. */
int	 keeper_there(void);

/* Whether a child that ended was it. */
int	 keeper_gone(pid_t);

/*
 * Commit or abort the branch; with success the record is removed as well.  The
 * outcome, whose path is not set; -1 and errno when there is no answer: it
 * takes too long (ETIMEDOUT), a signal says not to wait (EINTR), or the keeper
 * is gone (EPIPE).
 */
int	 keeper_order(enum branch_order, struct proto_outcome *);

/* Let it go without an order: the branch stays. */
void	 keeper_leave(void);

/* The branch itself, by its id, in the working directory; -1 and errno. */
int	 keeper_branch(int, const char *, int);

#endif
