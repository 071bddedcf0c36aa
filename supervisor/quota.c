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
 * The quota on what a branch may hold: the account.
 *
 * used is an upper bound of what the branch holds.  Whatever is about to take
 * more of it takes that from the account first: data here (write.c), names and
 * copies in cowd, which is lent some room with each change and tells what it
 * took.  What is given back counts only where that is certain; the rest comes
 * back when the account is full, by having cowd count the branch afresh before
 * anything is refused.  A request that has to wait for that, or for room that
 * is lent, is parked and then handled once more from its beginning.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"

/* What a change gets first; most take less than that. */
#define QUOTA_LEND	(64 * 1024)
/* A request that comes back so often has had its chance. */
#define QUOTA_TRIES	16
/* Where some room is always lent, who waits gets a chance so often. */
#define QUOTA_TURNS	8

struct lend {
	RB_ENTRY(lend)	 entry;
	uint32_t	 seq;		/* the request's */
	uint64_t	 room;
};
RB_HEAD(lends, lend);

static int	 lend_cmp(struct lend *, struct lend *);
RB_PROTOTYPE_STATIC(lends, lend, entry, lend_cmp)

static struct lends	 lends = RB_INITIALIZER(&lends);

static struct {
	uint64_t	 used;
	uint64_t	 lent;
	uint64_t	 grown;		/* since a count was asked for */
	int		 counting;
	int		 freed;		/* used may be too high */
} quota;

static int
lend_cmp(struct lend *a, struct lend *b)
{
	return (a->seq < b->seq ? -1 : a->seq > b->seq);
}

RB_GENERATE_STATIC(lends, lend, entry, lend_cmp)

int
quota_active(void)
{
	return (sup.conf.max_disk != 0);
}

/* What nobody has taken or borrowed. */
uint64_t
quota_free(void)
{
	uint64_t	 out = quota.used + quota.lent;

	return (out >= sup.conf.max_disk ? 0 : sup.conf.max_disk - out);
}

/* Take it; whether there was so much. */
int
quota_take(uint64_t n)
{
	if (n > quota_free())
		return (0);
	quota.used += n;
	if (quota.counting)
		quota.grown += n;
	return (1);
}

/*
 * What was taken, and what it came to.  More than was taken is a race that
 * the workload has run; it counts.
 */
void
quota_settle(uint64_t taken, int64_t came_to)
{
	int64_t	 more = came_to - (int64_t)taken;

	if (more > 0) {
		quota.used += more;
		if (quota.counting)
			quota.grown += more;
	} else if (quota.counting)
		/* cowd may have seen it before or after. */
		quota.freed = 1;
	else
		quota_give(-more);
}

/* Give back what has certainly been taken before, and is gone. */
void
quota_give(uint64_t n)
{
	if (quota.counting)
		quota.freed = 1;
	else
		quota.used -= n < quota.used ? n : quota.used;
}

/* Something was removed; how much that is, a count will tell. */
void
quota_freed(void)
{
	quota.freed = 1;
}

static int
quota_count(void)
{
	if (proto_send_empty(&sup.cowd.ibuf, IMSG_USAGE, -1) == -1) {
		log_warn("usage");
		return (-1);
	}
	imsg_event_add(&sup.cowd);
	quota.counting = 1;
	quota.freed = 0;
	quota.grown = 0;
	return (0);
}

static void
quota_tick(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	request_wake();
}

/* Some room has come back: try again from the event loop. */
static void
quota_wake(void)
{
	static struct event	 timer;
	struct timeval		 tv = { 0, 0 };

	if (!event_initialized(&timer))
		evtimer_set(&timer, quota_tick, NULL);
	evtimer_add(&timer, &tv);
}

/* Whether there may be more room later than there is now. */
static int
quota_coming(void)
{
	if (quota.lent != 0 || quota.counting || held_leaving())
		return (1);
	return (quota.freed && quota_count() == 0);
}

/*
 * There was no room for a request.  1 when it is parked, because there may be
 * later; 0 when it is to be refused.
 */
int
quota_wait(struct request *rq)
{
	if (rq->tries >= QUOTA_TRIES)
		return (0);
	if (held_reap())
		quota_wake();
	else if (!quota_coming())
		return (0);
	rq->tries++;
	/* When that fails it is answered, too. */
	(void)request_park(rq, OWNER_QUOTA);
	return (1);
}

/* No room: wait, or refuse.  For a request that is not parked. */
void
quota_full(struct request *rq)
{
	if (!quota_wait(rq))
		notify_errno(rq, ENOSPC);
}

/* The room that cowd gets for a parked request. */
uint64_t
quota_lend(const struct request *rq)
{
	struct lend	*l;

	if (!quota_active())
		return (UINT64_MAX);
	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("quota");
	l->seq = rq->seq;
	/* Directories on the way may want some more. */
	l->room = rq->need > QUOTA_LEND ? rq->need : QUOTA_LEND;
	if (rq->need != 0)
		l->room = rq->need > UINT64_MAX / 2 ? UINT64_MAX : 2 * rq->need;
	if (l->room > quota_free())
		l->room = quota_free();
	/* A FIFO that waits is asked for again under its name. */
	if (RB_INSERT(lends, &lends, l) != NULL)
		fatalx("room lent twice");
	quota.lent += l->room;
	return (l->room);
}

/* Take it back; the lend of a request, which there must be. */
void
quota_unlend(uint32_t seq)
{
	struct lend	 key, *l;

	if (!quota_active())
		return;
	key.seq = seq;
	if ((l = RB_FIND(lends, &lends, &key)) == NULL)
		fatalx("room that was not lent");
	quota.lent -= l->room;
	RB_REMOVE(lends, &lends, l);
	free(l);
}

/* IMSG_TAKEN: what became of it. */
void
quota_taken(struct imsg *imsg)
{
	struct proto_taken	 pt;
	static unsigned int	 turns;
	struct request		*rq;
	uint32_t		 seq = imsg_get_id(imsg);
	int			 fd = imsg_get_fd(imsg);

	if (!quota_active() || proto_recv_taken(imsg, &pt) == -1)
		fatalx("bad taken");
	quota_unlend(seq);
	quota.used += pt.taken;
	if (pt.given != 0)
		quota_give(pt.given);
	if (fd != -1)
		held_add(fd);
	if ((rq = request_find(seq)) != NULL) {
		rq->need = pt.wanted;
		rq->took = pt.taken != 0;
	}
	if (!quota.counting && (quota.lent == 0 ||
	    ++turns % QUOTA_TURNS == 0))
		request_wake();
}

/*
 * A change failed in cowd.  1 when that was for want of room, and it is tried
 * again with as much as it wants.
 */
int
quota_retry(struct request *rq, int error)
{
	if (!quota_active())
		return (0);
	if (error != ENOSPC || rq->need == 0 || rq->tries >= QUOTA_TRIES) {
		/* What it took may not be there. */
		if (rq->took)
			quota_freed();
		return (0);
	}
	if (rq->need > quota_free())
		(void)held_reap();
	if (rq->need > quota_free() && !quota_coming())
		return (0);
	rq->tries++;
	rq->owner = OWNER_QUOTA;
	if (rq->need <= quota_free())
		request_again(rq);
	return (1);
}

/* IMSG_USAGE_REPLY. */
void
quota_usage(struct imsg *imsg)
{
	struct proto_usage	 pu;

	if (!quota.counting || proto_recv_usage(imsg, &pu) == -1)
		fatalx("bad usage_reply");
	quota.counting = 0;
	if (pu.error != 0)
		log_debug("usage: %s", strerror(pu.error));
	else
		quota.used = pu.bytes + held_bytes() + quota.grown;
	log_debug("quota: %llu of %llu", (unsigned long long)quota.used,
	    (unsigned long long)sup.conf.max_disk);
	request_wake();
}
