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
 * Questions to the name servers of this host.  Each is asked from a socket of
 * its own, and so from a port of the kernel's choice, with an id that is drawn:
 * who forges an answer has to know both, and what does not fit the question
 * ends no wait for what does.  Called by resolve.c at the start, by refresh.c
 * and by stub.c, which have judged the name.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netinet/in.h>

#include <errno.h>
#include <event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "log.h"
#include "netd.h"

#define ASK_ROUNDS	3	/* of all servers */
#define ASK_SECONDS	2	/* for each try; one more in each round */

struct ask {
	TAILQ_ENTRY(ask) entry;
	struct event	 ev;
	struct event	 timer;		/* what comes does not put it off */
	int		 fd;		/* -1 between tries */
	size_t		 first;		/* server */
	size_t		 tries;
	int		 plain;		/* without EDNS */
	int		 rcode;		/* of the last server that failed */
	uint16_t	 id;
	uint16_t	 type;
	char		 name[DNS_NAME];
	ask_done	 done;
	void		*arg;
};

static TAILQ_HEAD(, ask)	 asks = TAILQ_HEAD_INITIALIZER(asks);
static struct sockaddr_storage	 servers[SERVERS_MAX];
static size_t			 nservers;
static size_t			 first;		/* the last that answered */
static int			 serving;	/* the workload runs */

static void	 ask_try(struct ask *);

void
ask_init(const struct sockaddr_storage *ss, size_t n)
{
	memcpy(servers, ss, n * sizeof(*ss));
	nservers = n;
}

static void
ask_close(struct ask *a)
{
	event_del(&a->ev);
	evtimer_del(&a->timer);
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
}

static void
ask_finish(struct ask *a, const struct dns_answer *answer)
{
	ask_close(a);
	/* It may be called on to stop all others. */
	TAILQ_REMOVE(&asks, a, entry);
	a->done(a->arg, a->rcode, answer);
	free(a);
}

/*
 * Whether all servers have been asked equally often: then one that is not there
 * is waited for, as it may be the only one.  That is at the start; a program
 * can try again.
 */
static int
ask_round_over(const struct ask *a)
{
	return (!serving && a->tries % nservers == 0);
}

static int
ask_has_address(const struct dns_answer *answer)
{
	return (answer->n > 0 &&
	    answer->records[answer->n - 1].type != RR_CNAME);
}

/* One datagram; 0 when it is not what was waited for. */
static int
ask_receive(struct ask *a)
{
	static uint8_t			 buf[DNS_MESSAGE];
	static struct dns_answer	 answer;
	ssize_t				 n;

	if ((n = recv(a->fd, buf, sizeof(buf), 0)) == -1) {
		if (errno == EAGAIN || errno == EINTR)
			return (0);
		/* What was sent met nobody; who is alone may be there soon. */
		if (ask_round_over(a))
			return (0);
		ask_try(a);
		return (1);
	}
	if (dns_read_answer(buf, n, a->name, a->type, a->id, &answer) == -1)
		return (0);
	/* Part of a long list will do, nothing of it will not. */
	if (answer.truncated && !ask_has_address(&answer))
		answer.rcode = RCODE_SERVFAIL;
	a->rcode = answer.rcode;
	switch (answer.rcode) {
	case RCODE_NOERROR:
	case RCODE_NXDOMAIN:
		/* The start has no time for those that are dead. */
		if (!serving)
			first = (a->first + a->tries - 1) % nservers;
		ask_finish(a, &answer);
		break;
	case RCODE_FORMERR:
	case RCODE_NOTIMP:
		if (!a->plain) {
			a->plain = 1;
			a->tries--;
		}
		/* FALLTHROUGH */
	default:
		ask_try(a);
		break;
	}
	return (1);
}

static void
ask_event(int fd, short event, void *arg)
{
	struct ask	*a = arg;
	int		 i;

	(void)fd;
	(void)event;
	/* Others have a turn, too, whatever comes in. */
	for (i = 0; i < 16; i++)
		if (ask_receive(a))
			return;
}

static void
ask_late(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	ask_try(arg);
}

/* Ask the next server; 0, or -1 if that cannot be done. */
static int
ask_send(struct ask *a)
{
	const struct sockaddr_storage	*ss;
	uint8_t				 buf[DNS_UDP];
	size_t				 len;
	int				 edns;

	/* Some drop what they do not know. */
	edns = !a->plain && a->tries < nservers;
	ss = &servers[(a->first + a->tries++) % nservers];
	a->id = (uint16_t)arc4random();
	if ((len = dns_write_question(buf, a->name, a->type, a->id,
	    edns)) == 0)
		return (-1);
	a->fd = socket(ss->ss_family, SOCK_DGRAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (a->fd == -1)
		return (-1);
	if (connect(a->fd, (const struct sockaddr *)ss,
	    ss->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6)) == -1 ||
	    send(a->fd, buf, len, MSG_NOSIGNAL) == -1)
		return (-1);
	event_set(&a->ev, a->fd, EV_READ | EV_PERSIST, ask_event, a);
	return (event_add(&a->ev, NULL));
}

/* The next server, or, where a round met none at all, the rest of its time. */
static void
ask_try(struct ask *a)
{
	struct timeval	 tv = { 0, 0 };

	for (;;) {
		ask_close(a);
		if (a->tries >= ASK_ROUNDS * nservers)
			break;
		tv.tv_sec = ASK_SECONDS + a->tries / nservers;
		if ((ask_send(a) == 0 || ask_round_over(a)) &&
		    evtimer_add(&a->timer, &tv) == 0)
			return;
	}
	ask_finish(a, NULL);
}

/* From the loop, so that no answer comes before this returns. */
int
ask_start(const char *name, uint16_t type, ask_done done, void *arg)
{
	struct timeval	 now = { 0, 0 };
	struct ask	*a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return (-1);
	a->fd = -1;
	a->first = first;
	a->rcode = -1;
	a->type = type;
	a->done = done;
	a->arg = arg;
	if (strlcpy(a->name, name, sizeof(a->name)) >= sizeof(a->name)) {
		free(a);
		return (-1);
	}
	event_set(&a->ev, -1, 0, ask_event, a);
	evtimer_set(&a->timer, ask_late, a);
	if (evtimer_add(&a->timer, &now) == -1) {
		free(a);
		return (-1);
	}
	TAILQ_INSERT_TAIL(&asks, a, entry);
	return (0);
}

void
ask_stop(void)
{
	struct ask	*a;

	serving = 1;
	first = 0;
	while ((a = TAILQ_FIRST(&asks)) != NULL) {
		TAILQ_REMOVE(&asks, a, entry);
		ask_close(a);
		free(a);
	}
}
