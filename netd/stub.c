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
 * The resolver of a sandbox.  What the workload sends to port 53 of 127.0.0.53
 * comes to sockets here, which have another port in truth (see remap.c).  A
 * name that no rule admits does not exist; one that some rule admits is asked
 * for, and the addresses that it has are admitted by its rules for as long as
 * the answer says, and some seconds more.  Addresses are judged as those of
 * the start are.  Nothing of a question goes on but its name and type.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/tree.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dns.h"
#include "log.h"
#include "netd.h"
#include "worker.h"

#ifndef __unused
#define __unused	__attribute__((__unused__))	/* for sys/tree.h */
#endif

#define STUB_PORT	53
#define STUB_BACKLOG	16
#define STUB_TURN	32	/* datagrams, and then others */
#define QUERIES_MAX	256	/* that wait for an answer */
#define CONNS_MAX	16
#define CONN_SECONDS	10	/* without a whole question */
#define ADMITTED_MAX	8192
#define BLOCKED_MAX	1024	/* besides, by rules that block */
#define GRACE_SECONDS	10	/* from the end of an answer's time */
#define TTL_MAX		86400
#define TIME_NEVER	INT64_MAX

/* A connection, on which questions come one after the other. */
struct conn {
	int		 fd;
	struct event	 ev;
	struct event	 timer;
	size_t		 len;
	uint8_t		 buf[2 + DNS_MESSAGE];
};

struct query {
	struct dns_question	 q;
	struct sockaddr_in	 peer;
	struct conn		*conn;		/* NULL: a datagram */
};

/* An address that a rule is about because of a name. */
struct admitted {
	RB_ENTRY(admitted)	 entry;
	RB_ENTRY(admitted)	 ending;
	TAILQ_ENTRY(admitted)	 told;		/* not of one that blocks */
	const struct net_rule	*rule;
	struct netaddr		 na;
	time_t			 until;
};
RB_HEAD(admissions, admitted);
RB_HEAD(endings, admitted);

static int	 admitted_cmp(struct admitted *, struct admitted *);
static int	 ending_cmp(struct admitted *, struct admitted *);
RB_PROTOTYPE_STATIC(admissions, admitted, entry, admitted_cmp)
RB_PROTOTYPE_STATIC(endings, admitted, ending, ending_cmp)

/* The same by what they are, by when they end, and by who was told last. */
static struct admissions	 admissions = RB_INITIALIZER(&admissions);
static struct endings		 endings = RB_INITIALIZER(&endings);
static TAILQ_HEAD(, admitted)	 told = TAILQ_HEAD_INITIALIZER(told);
static size_t			 nadmitted, nblocked, nqueries, nconns;
static const struct net_rules	*rules;
static int			 udp = -1, tcp = -1;
static struct port_binding	 at_udp, at_tcp;
static struct event		 udp_event, tcp_event, sweep_timer;
static struct event		 listen_timer;

static void	 conn_event(int, short, void *);

static int
admitted_cmp(struct admitted *a, struct admitted *b)
{
	if (a->rule->order != b->rule->order)
		return (a->rule->order < b->rule->order ? -1 : 1);
	if (a->na.family != b->na.family)
		return (a->na.family < b->na.family ? -1 : 1);
	return (memcmp(&a->na.addr, &b->na.addr, sizeof(a->na.addr)));
}

static int
ending_cmp(struct admitted *a, struct admitted *b)
{
	if (a->until != b->until)
		return (a->until < b->until ? -1 : 1);
	return (admitted_cmp(a, b));
}

RB_GENERATE_STATIC(admissions, admitted, entry, admitted_cmp)
RB_GENERATE_STATIC(endings, admitted, ending, ending_cmp)

/* Also while the host sleeps. */
static time_t
stub_now(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		fatal("clock_gettime");
	return (ts.tv_sec);
}

static void
stub_bind(int type, int *fd, struct port_binding *pb, enum net_proto proto)
{
	struct sockaddr_storage	 ss;
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(ss);

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	inet_pton(AF_INET, STUB_ADDRESS, &sin.sin_addr);
	memset(&ss, 0, sizeof(ss));
	if ((*fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0)) == -1 || bind(*fd, (struct sockaddr *)&sin,
	    sizeof(sin)) == -1 ||
	    getsockname(*fd, (struct sockaddr *)&ss, &len) == -1)
		worker_fail("resolver: %s: %s", STUB_ADDRESS,
		    strerror(errno));
	memset(pb, 0, sizeof(*pb));
	pb->proto = proto;
	port_address(pb, &ss);
	pb->real = pb->asked;
	pb->asked = STUB_PORT;
	pb->resolver = 1;
}

/* Open the sockets, before lockdown; the port of TCP, for Landlock. */
uint16_t
stub_open(void)
{
	stub_bind(SOCK_DGRAM, &udp, &at_udp, NET_UDP);
	stub_bind(SOCK_STREAM, &tcp, &at_tcp, NET_TCP);
	if (listen(tcp, STUB_BACKLOG) == -1)
		worker_fail("resolver: %s", strerror(errno));
	return (at_tcp.real);
}

/*
 * Whether a connect or a datagram is for the resolver: then where that is
 * takes the place of the address.
 */
int
stub_destination(enum net_proto proto, struct sockaddr_storage *ss)
{
	const struct port_binding	*pb;
	struct port_binding		 at;

	if (udp == -1 || (proto != NET_UDP && proto != NET_TCP))
		return (0);
	pb = proto == NET_UDP ? &at_udp : &at_tcp;
	memset(&at, 0, sizeof(at));
	port_address(&at, ss);
	if (at.asked != pb->asked || at.family != pb->family ||
	    memcmp(&at.addr, &pb->addr, sizeof(at.addr)) != 0)
		return (0);
	port_set(ss, pb->real);
	return (1);
}

/* Whether a block takes back all that a rule which passes admits. */
static int
rule_undone(const struct net_rule *pass, const struct net_rule *block)
{
	return (block->block && block->direction == NET_OUT &&
	    (pass->protos & ~block->protos) == 0 &&
	    block->port_lo <= pass->port_lo &&
	    block->port_hi >= pass->port_hi &&
	    (block->order < pass->order ? block->quick : !pass->quick));
}

/* Whether the rules of names admit anything at all for a name. */
static int
stub_admits(const char *name)
{
	const struct net_rule	*block, *nr;

	TAILQ_FOREACH(nr, rules, entry) {
		if (nr->block || nr->direction != NET_OUT ||
		    !name_matches(nr->name, name))
			continue;
		TAILQ_FOREACH(block, rules, entry)
			if (rule_undone(nr, block) &&
			    name_matches(block->name, name))
				break;
		if (block == NULL)
			return (1);
	}
	return (0);
}

/* The rule of an address alone. */
static void
admitted_rule(const struct admitted *ad, struct net_rule *nr)
{
	*nr = *ad->rule;
	nr->target = NET_ADDRESS;
	nr->family = ad->na.family;
	nr->addr = ad->na.addr;
	nr->bits = ad->na.family == AF_INET ? 32 : 128;
}

static void
admitted_remove(struct admitted *ad)
{
	struct net_rule	 nr;

	admitted_rule(ad, &nr);
	if (netrules_remove(netd_rules, &nr) == -1)
		fatal("netrules_remove");
	RB_REMOVE(admissions, &admissions, ad);
	RB_REMOVE(endings, &endings, ad);
	if (ad->rule->block)
		nblocked--;
	else
		TAILQ_REMOVE(&told, ad, told);
	nadmitted--;
	free(ad);
}

/* What is connected stays so; what comes later is refused. */
static void
stub_sweep(int fd, short event, void *arg)
{
	struct timeval	 tv = { 1, 0 };
	struct admitted	*ad;
	time_t		 now = stub_now();

	(void)fd;
	(void)event;
	(void)arg;
	while ((ad = RB_MIN(endings, &endings)) != NULL && ad->until <= now)
		admitted_remove(ad);
	if (ad != NULL && ad->until != TIME_NEVER)
		evtimer_add(&sweep_timer, &tv);
}

/* It was told again. */
static void
admitted_prolong(struct admitted *ad, time_t until)
{
	if (!ad->rule->block) {
		TAILQ_REMOVE(&told, ad, told);
		TAILQ_INSERT_TAIL(&told, ad, told);
	}
	if (until <= ad->until)
		return;
	RB_REMOVE(endings, &endings, ad);
	ad->until = until;
	RB_INSERT(endings, &endings, ad);
}

/* An address under one rule; 0, or -1 when out of memory. */
static int
stub_add(const struct net_rule *rule, const struct netaddr *na, time_t until)
{
	struct timeval	 tv = { 1, 0 };
	struct admitted	 key, *ad;
	struct net_rule	 nr;

	memset(&key, 0, sizeof(key));
	key.rule = rule;
	key.na = *na;
	if ((ad = RB_FIND(admissions, &admissions, &key)) != NULL) {
		admitted_prolong(ad, until);
		return (0);
	}
	if (rule->block && nblocked >= BLOCKED_MAX)
		return (-1);
	/* Room is made by the one that was told longest ago. */
	if (nadmitted - nblocked >= ADMITTED_MAX && !rule->block)
		admitted_remove(TAILQ_FIRST(&told));
	if ((ad = malloc(sizeof(*ad))) == NULL)
		return (-1);
	*ad = key;
	ad->until = until;
	admitted_rule(ad, &nr);
	if (netrules_add(netd_rules, &nr) == -1) {
		free(ad);
		return (-1);
	}
	RB_INSERT(admissions, &admissions, ad);
	RB_INSERT(endings, &endings, ad);
	nadmitted++;
	if (rule->block)
		nblocked++;
	else
		TAILQ_INSERT_TAIL(&told, ad, told);
	if (!evtimer_pending(&sweep_timer, NULL))
		evtimer_add(&sweep_timer, &tv);
	return (0);
}

/* Admit an address under every rule of the name that passes. */
static int
stub_admit(const char *name, const struct netaddr *na, uint32_t ttl)
{
	const struct net_rule	*nr;
	time_t			 until = stub_now() + GRACE_SECONDS + ttl;

	TAILQ_FOREACH(nr, rules, entry)
		if (!nr->block && nr->direction == NET_OUT &&
		    name_matches(nr->name, name) &&
		    stub_add(nr, na, until) == -1)
			return (-1);
	return (0);
}

/* Block addresses under every rule that blocks a name. */
static int
stub_block(const char *name, const struct dns_answer *a)
{
	const struct net_rule	*nr;
	size_t			 i;

	TAILQ_FOREACH(nr, rules, entry) {
		if (!nr->block || !name_matches(nr->name, name))
			continue;
		for (i = 0; i < a->n; i++)
			if (a->records[i].type != RR_CNAME &&
			    stub_add(nr, &a->records[i].addr, TIME_NEVER) ==
			    -1)
				return (-1);
	}
	return (0);
}

/*
 * A name may lead to one that is blocked, which has other addresses by now
 * than at the start.  Those are blocked as well, and as theirs are for good.
 * 0, or -1 if there is no room for one more.
 */
static int
stub_block_chain(const struct dns_answer *a)
{
	size_t	 i;

	for (i = 0; i < a->n; i++)
		if (a->records[i].type == RR_CNAME &&
		    stub_block(a->records[i].name, a) == -1)
			return (-1);
	return (0);
}

static void
stub_fail(struct dns_answer *a)
{
	a->rcode = RCODE_SERVFAIL;
	a->n = 0;
}

/* Leave out what may not be admitted, and admit the rest, before it is told. */
static void
stub_filter(const char *name, struct dns_answer *a)
{
	struct dns_record	*rec;
	size_t			 i, n = 0;
	const char		*why;

	/* The workload can have that as often as it likes. */
	if (stub_block_chain(a) == -1) {
		log_debug("%s: too many addresses to block", name);
		stub_fail(a);
		return;
	}
	for (i = 0; i < a->n; i++) {
		rec = &a->records[i];
		/* Who is told more relies on it for longer than it is so. */
		if (rec->ttl > TTL_MAX)
			rec->ttl = TTL_MAX;
		if (rec->type != RR_CNAME) {
			why = resolve_refused(name, &rec->addr);
			if (why != NULL) {
				log_debug("%s: an address is %s", name, why);
				continue;
			}
			if (stub_admit(name, &rec->addr, rec->ttl) == -1) {
				stub_fail(a);
				return;
			}
		}
		if (n != i)
			a->records[n] = *rec;
		n++;
	}
	a->n = n;
}

static void
conn_free(struct conn *c)
{
	event_del(&c->ev);
	evtimer_del(&c->timer);
	close(c->fd);
	nconns--;
	free(c);
}

static void
conn_wait(struct conn *c)
{
	struct timeval	 tv = { CONN_SECONDS, 0 };

	if (event_add(&c->ev, NULL) == -1 ||
	    evtimer_add(&c->timer, &tv) == -1)
		conn_free(c);
}

/* All at once or not at all: who does not read has none. */
static void
conn_answer(struct conn *c, const uint8_t *buf, size_t len)
{
	uint8_t	 out[2 + DNS_MESSAGE];
	ssize_t	 n;

	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	memcpy(out + 2, buf, len);
	n = send(c->fd, out, len + 2, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n != (ssize_t)len + 2)
		conn_free(c);
	else
		conn_wait(c);
}

/* Answer, and forget the question. */
static void
query_answer(struct query *qu, const struct dns_answer *a)
{
	static uint8_t	 buf[DNS_MESSAGE];
	size_t		 len;

	len = dns_write_answer(buf, qu->conn != NULL ? DNS_MESSAGE :
	    qu->q.size, &qu->q, a);
	if (qu->conn != NULL)
		conn_answer(qu->conn, buf, len);
	else if (sendto(udp, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT,
	    (struct sockaddr *)&qu->peer, sizeof(qu->peer)) == -1)
		log_debug("resolver: answer lost");
	nqueries--;
	free(qu);
}

static void
query_refuse(struct query *qu, int rcode)
{
	static struct dns_answer	 a;

	a.n = 0;
	a.rcode = rcode;
	query_answer(qu, &a);
}

/* The servers have answered, or none did. */
static void
query_asked(void *arg, int rcode, const struct dns_answer *answer)
{
	static struct dns_answer	 a;
	struct query			*qu = arg;

	(void)rcode;
	if (answer == NULL) {
		query_refuse(qu, RCODE_SERVFAIL);
		return;
	}
	a = *answer;
	stub_filter(qu->q.name, &a);
	query_answer(qu, &a);
}

/* A name of this host; its addresses were admitted at the start. */
static void
query_pinned(struct query *qu, const struct addresses *list)
{
	static struct dns_answer	 a;
	const struct address		*ad;

	memset(&a, 0, sizeof(a));
	STAILQ_FOREACH(ad, list, entry) {
		if (a.n == DNS_RECORDS || ad->na.family !=
		    (qu->q.type == RR_A ? AF_INET : AF_INET6))
			continue;
		a.records[a.n].type = qu->q.type;
		a.records[a.n++].addr = ad->na;
	}
	query_answer(qu, &a);
}

static void
query_local(struct query *qu)
{
	struct addresses	 list = STAILQ_HEAD_INITIALIZER(list);

	resolve_loopback(&list);
	query_pinned(qu, &list);
	addresses_free(&list);
}

static void
query_begin(struct query *qu)
{
	const struct addresses	*list;
	const char		*name = qu->q.name;

	/* Loopback is no secret, and no way out. */
	if (!name_valid(name) || (!name_local(name) && !stub_admits(name)))
		query_refuse(qu, RCODE_NXDOMAIN);
	else if (qu->q.type != RR_A && qu->q.type != RR_AAAA)
		/* Others are asked for beside addresses, and can be missing. */
		query_refuse(qu, RCODE_NOERROR);
	else if ((list = resolve_pinned(name)) != NULL)
		query_pinned(qu, list);
	else if (name_local(name))
		query_local(qu);
	else if (nqueries > QUERIES_MAX ||
	    ask_start(name, qu->q.type, query_asked, qu) == -1)
		query_refuse(qu, RCODE_SERVFAIL);
}

/* One message; 0 if it was no question. */
static int
stub_question(const uint8_t *buf, size_t len, const struct sockaddr_in *peer,
    struct conn *c)
{
	struct query	*qu;
	int		 rcode;

	if ((qu = calloc(1, sizeof(*qu))) == NULL) {
		log_warn("resolver");
		return (0);
	}
	if ((rcode = dns_read_question(buf, len, &qu->q)) == -1) {
		free(qu);
		return (0);
	}
	nqueries++;
	if (peer != NULL)
		qu->peer = *peer;
	qu->conn = c;
	if (rcode != RCODE_NOERROR)
		query_refuse(qu, rcode);
	else
		query_begin(qu);
	return (1);
}

static void
stub_datagrams(int fd, short event, void *arg)
{
	static uint8_t		 buf[DNS_MESSAGE];
	struct sockaddr_in	 peer;
	socklen_t		 len;
	ssize_t			 n;
	int			 i;

	(void)event;
	(void)arg;
	for (i = 0; i < STUB_TURN; i++) {
		len = sizeof(peer);
		if ((n = recvfrom(fd, buf, sizeof(buf), 0,
		    (struct sockaddr *)&peer, &len)) == -1)
			return;
		if (len == sizeof(peer) && peer.sin_family == AF_INET)
			stub_question(buf, n, &peer, NULL);
	}
}

static void
conn_late(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	conn_free(arg);
}

/* One question at a time; the next is read when this has its answer. */
static void
conn_event(int fd, short event, void *arg)
{
	struct conn	*c = arg;
	size_t		 want;
	ssize_t		 n;

	(void)event;
	want = c->len < 2 ? 2 : 2 + ((size_t)c->buf[0] << 8 | c->buf[1]);
	if (want > sizeof(c->buf)) {
		conn_free(c);
		return;
	}
	n = recv(fd, c->buf + c->len, want - c->len, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_free(c);
		return;
	}
	c->len += n;
	if (c->len < 2 || c->len < 2 + ((size_t)c->buf[0] << 8 | c->buf[1]))
		return;
	n = c->len - 2;
	c->len = 0;
	event_del(&c->ev);
	evtimer_del(&c->timer);
	if (!stub_question(c->buf + 2, n, NULL, c))
		conn_free(c);
}

static void
stub_listen(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	if (event_add(&tcp_event, NULL) == -1)
		fatalx("event_add");
}

static void
stub_accept(int fd, short event, void *arg)
{
	struct timeval	 tv = { 1, 0 };
	struct conn	*c;
	int		 new;

	(void)event;
	(void)arg;
	if ((new = accept4(fd, NULL, NULL, SOCK_NONBLOCK |
	    SOCK_CLOEXEC)) == -1) {
		if (errno == EMFILE || errno == ENFILE) {
			/* It would come at once again. */
			event_del(&tcp_event);
			evtimer_add(&listen_timer, &tv);
		}
		return;
	}
	if (nconns >= CONNS_MAX || (c = calloc(1, sizeof(*c))) == NULL) {
		close(new);
		return;
	}
	nconns++;
	c->fd = new;
	event_set(&c->ev, new, EV_READ | EV_PERSIST, conn_event, c);
	evtimer_set(&c->timer, conn_late, c);
	conn_wait(c);
}

/* Serve, and say where; the rules have to stay. */
void
stub_run(const struct net_rules *names)
{
	rules = names;
	evtimer_set(&sweep_timer, stub_sweep, NULL);
	evtimer_set(&listen_timer, stub_listen, NULL);
	event_set(&udp_event, udp, EV_READ | EV_PERSIST, stub_datagrams, NULL);
	event_set(&tcp_event, tcp, EV_READ | EV_PERSIST, stub_accept, NULL);
	if (event_add(&udp_event, NULL) == -1 ||
	    event_add(&tcp_event, NULL) == -1)
		fatalx("event_add");
	netd_port(&at_udp);
	netd_port(&at_tcp);
}
