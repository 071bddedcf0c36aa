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
 * Names of the start, asked for again while the workload runs.  resolve.c
 * hands in those that a name server has answered, never those of /etc/hosts,
 * and judges and pins addresses here as there.  What is new is admitted before
 * the workload is shown it; what is gone stays admitted for some seconds after
 * it was last shown.  A name never loses its last address: who can keep the
 * name servers from answering cannot empty the rules, and who forges their
 * answers gains no address that the start would not have taken.
 */

#include <sys/types.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <event.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "log.h"
#include "netd.h"

#define REFRESH_MIN	5	/* seconds from an answer to the question */
#define REFRESH_MAX	86400
#define RETRY_MAX	320	/* the pause doubles up to this */
#define GRACE_SECONDS	5	/* not above REFRESH_MIN */
#define ASKING_MAX	32	/* names at a time */
#define BLOCKED_MAX	256	/* addresses of a name, under a block */

struct refresh;

/* One for each family. */
struct family {
	struct refresh	*refresh;
	uint16_t	 type;
	sa_family_t	 family;
	int		 failed;	/* nobody has answered */
};

struct refresh {
	struct event		 timer;		/* when to ask */
	struct event		 grace;		/* when gone ends */
	const char		*name;
	struct addresses	*found;		/* shown and admitted */
	struct addresses	*blocked;	/* the oldest first */
	struct addresses	 gone;		/* admitted, not shown */
	struct addresses	 answers;	/* unjudged */
	struct family		 families[2];
	uint32_t		 ttl;		/* the shortest of answers */
	int			 retry;		/* the last pause, or 0 */
	int			 unanswered;	/* questions */
	int			 warned;
};

static struct event	 files_timer;
static int		 nasking;

static void	 refresh_answer(void *, int, const struct dns_answer *);

static void
refresh_wait(struct event *ev, uint32_t seconds)
{
	struct timeval	 tv = { seconds, 0 };

	if (evtimer_add(ev, &tv) == -1)
		fatalx("evtimer_add");
}

/* The workload's files; without memory or descriptors again later. */
static void
refresh_files(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	if (resolve_show() == -1) {
		log_warn("/etc/hosts");
		refresh_wait(&files_timer, REFRESH_MIN);
	}
}

static void
refresh_forget(struct refresh *r)
{
	const struct address	*a;

	evtimer_del(&r->grace);
	STAILQ_FOREACH(a, &r->gone, entry)
		resolve_unpin(r->name, &a->na);
	addresses_free(&r->gone);
}

static void
refresh_grace(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	refresh_forget(arg);
}

/* Ask for both families. */
static void
refresh_ask(int fd, short event, void *arg)
{
	struct refresh	*r = arg;
	size_t		 i;

	(void)fd;
	(void)event;
	if (nasking >= ASKING_MAX) {
		refresh_wait(&r->timer, 1);
		return;
	}
	nasking++;
	r->unanswered = 2;
	r->ttl = REFRESH_MAX;
	for (i = 0; i < 2; i++)
		r->families[i].failed = 0;
	/* The last to fail here may finish the round at once. */
	for (i = 0; i < 2; i++)
		if (ask_start(r->name, r->families[i].type, refresh_answer,
		    &r->families[i]) == -1)
			refresh_answer(&r->families[i], -1, NULL);
}

/*
 * What a name that is blocked had once stays blocked, as servers take turns;
 * the oldest makes room.
 */
static void
refresh_block(struct refresh *r)
{
	const struct address	*a;
	struct netaddr		 first;
	size_t			 n = 0;

	if (!resolve_blocks(r->name))
		return;
	STAILQ_FOREACH(a, &r->answers, entry)
		if (!addresses_have(r->blocked, &a->na)) {
			addresses_add(r->blocked, &a->na);
			resolve_pin(r->name, &a->na, 1);
		}
	STAILQ_FOREACH(a, r->blocked, entry)
		n++;
	for (; n > BLOCKED_MAX; n--) {
		first = STAILQ_FIRST(r->blocked)->na;
		resolve_unblock(r->name, &first);
		addresses_remove(r->blocked, &first);
	}
}

/* What the name is to have now; empty if there is nothing fit. */
static void
refresh_judge(struct refresh *r, struct addresses *new)
{
	const struct address	*a;
	const char		*why;
	size_t			 i;

	STAILQ_INIT(new);
	STAILQ_FOREACH(a, &r->answers, entry) {
		why = resolve_refused(r->name, &a->na);
		if (why == NULL) {
			addresses_add(new, &a->na);
			continue;
		}
		/* A server may say so as often as it likes. */
		if (!r->warned)
			log_warnx("%s: a new address is %s: refused", r->name,
			    why);
		r->warned = 1;
	}
	/* A family that nobody has told of is as it was. */
	for (i = 0; i < 2; i++)
		STAILQ_FOREACH(a, r->found, entry)
			if (r->families[i].failed &&
			    a->na.family == r->families[i].family)
				addresses_add(new, &a->na);
}

/* The new list takes the place of the old one. */
static void
refresh_change(struct refresh *r, struct addresses *new)
{
	const struct address	*a;
	int			 changed = 0;

	refresh_forget(r);
	STAILQ_FOREACH(a, new, entry)
		if (!addresses_have(r->found, &a->na)) {
			resolve_pin(r->name, &a->na, 0);
			changed = 1;
		}
	STAILQ_FOREACH(a, r->found, entry)
		if (!addresses_have(new, &a->na)) {
			addresses_add(&r->gone, &a->na);
			changed = 1;
		}
	/* The order alone is no change. */
	if (!changed) {
		addresses_free(new);
		return;
	}
	addresses_free(r->found);
	STAILQ_CONCAT(r->found, new);
	if (!STAILQ_EMPTY(&r->gone))
		refresh_wait(&r->grace, GRACE_SECONDS);
	refresh_wait(&files_timer, 0);
}

/* Both families are answered, or will not be. */
static void
refresh_finish(struct refresh *r)
{
	struct addresses	 new;
	int			 failed;

	nasking--;
	addresses_order(&r->answers);
	refresh_block(r);
	refresh_judge(r, &new);
	failed = STAILQ_EMPTY(&new) || r->families[0].failed ||
	    r->families[1].failed;
	addresses_free(&r->answers);
	if (!STAILQ_EMPTY(&new))
		refresh_change(r, &new);
	if (!failed) {
		r->retry = 0;
		refresh_wait(&r->timer, MAX(r->ttl, REFRESH_MIN));
		return;
	}
	log_debug("%s: no new addresses", r->name);
	r->retry = r->retry == 0 ? REFRESH_MIN : MIN(2 * r->retry, RETRY_MAX);
	refresh_wait(&r->timer, r->retry);
}

static void
refresh_answer(void *arg, int rcode, const struct dns_answer *answer)
{
	struct family	*f = arg;
	struct refresh	*r = f->refresh;

	(void)rcode;
	f->failed = answer == NULL;
	if (answer != NULL)
		addresses_answer(&r->answers, answer, &r->ttl);
	if (--r->unanswered == 0)
		refresh_finish(r);
}

/* Ask for a name when the time of its answer ends; the lists have to stay. */
void
refresh_add(const char *name, uint32_t ttl, struct addresses *found,
    struct addresses *blocked)
{
	struct refresh	*r;
	size_t		 i;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->name = name;
	r->found = found;
	r->blocked = blocked;
	STAILQ_INIT(&r->gone);
	STAILQ_INIT(&r->answers);
	for (i = 0; i < 2; i++) {
		r->families[i].refresh = r;
		r->families[i].type = i == 0 ? RR_A : RR_AAAA;
		r->families[i].family = i == 0 ? AF_INET : AF_INET6;
	}
	evtimer_set(&files_timer, refresh_files, NULL);
	evtimer_set(&r->timer, refresh_ask, r);
	evtimer_set(&r->grace, refresh_grace, r);
	refresh_wait(&r->timer, MIN(MAX(ttl, REFRESH_MIN), REFRESH_MAX));
}
