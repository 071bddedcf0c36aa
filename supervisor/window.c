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
 * How many changes cowd is asked for at a time.  It makes them one after the
 * other; what it has not begun may as well wait here, as a request that is
 * handled from its beginning when its turn comes.  By then the callers of most
 * may be gone: of a process with a thousand threads that was killed nothing is
 * left to be done before the next call, whoever makes it.
 *
 * What was sent stays parked until cowd has answered, also when its caller is
 * gone: the change is made all the same, and there are things to be noted.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <stdlib.h>

#include "log.h"
#include "supervisor.h"

/* Enough that cowd always finds one when it is done with another. */
#define WINDOW_SIZE	8

static TAILQ_HEAD(, request)	 window_waits =
				    TAILQ_HEAD_INITIALIZER(window_waits);
static unsigned int	 window_count;	/* cowd has been asked for */
static int		 window_turn;	/* the first is being handled */

/* Whether a request has to wait; then it is parked, or answered. */
int
window_wait(struct request *rq)
{
	struct request	*waiting;

	if (window_turn || (window_count < WINDOW_SIZE &&
	    TAILQ_EMPTY(&window_waits)))
		return (0);
	if ((waiting = request_park(rq, OWNER_WINDOW)) != NULL)
		TAILQ_INSERT_TAIL(&window_waits, waiting, wait);
	return (1);
}

/* A request that waits is dropped, or handled again. */
void
window_leave(struct request *rq)
{
	TAILQ_REMOVE(&window_waits, rq, wait);
}

/* cowd has been asked, for a parked request. */
void
window_sent(struct request *rq)
{
	rq->sent = 1;
	window_count++;
}

/* cowd has answered; the request is NULL if it is there no more. */
void
window_answered(struct request *rq)
{
	if (window_count == 0)
		fatalx("answer to nothing from cowd");
	window_count--;
	if (rq != NULL)
		rq->sent = 0;
}

/* The next, when the answer has been seen to. */
void
window_next(void)
{
	struct request	*rq;

	while (window_count < WINDOW_SIZE &&
	    (rq = TAILQ_FIRST(&window_waits)) != NULL) {
		window_turn = 1;
		request_again(rq);
		window_turn = 0;
	}
}
