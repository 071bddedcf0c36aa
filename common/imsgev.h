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
 * A channel in the event loop.
 */

#ifndef IMSGEV_H
#define IMSGEV_H

#include <event.h>

#include "imsg.h"

/* The imsgbuf comes first; events is what the loop waits for now. */
struct imsgev {
	struct imsgbuf	 ibuf;
	void		(*handler)(int, short, void *);
	struct event	 ev;
	short		 events;
};

/* The event loop itself; fatal when it cannot be made. */
void	 imsg_event_base(void);

/* Set up a channel on a non-blocking descriptor, with fd passing; 0 or -1. */
int	 imsg_event_init(struct imsgev *, int, void (*)(int, short, void *));

/*
 * Send what the socket takes at once and wait for room only when something is
 * left.  Errors of the write are left to the next read, which sees the end.
 */
void	 imsg_event_add(struct imsgev *);

/* imsg_compose and imsg_forward, then imsg_event_add. */
int	 imsg_compose_event(struct imsgev *, uint32_t, uint32_t, pid_t, int,
	    const void *, size_t);
int	 imsg_forward_event(struct imsgev *, struct imsg *);

/* Take the channel out of the loop, drop what is queued, close it. */
void	 imsg_event_close(struct imsgev *);

#endif
