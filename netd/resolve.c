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
 * Names to addresses, at the start.  Called by netd.c before it serves anyone,
 * and by refresh.c for what comes later.  With a resolver for the workload (see
 * stub.c) names that are not in /etc/hosts wait until they are asked for; but
 * those that a rule blocks do not.  /etc/hosts is the administrator's word and
 * taken as it is; what a name server says must not lead to loopback, into a
 * private network or to this host, unless a rule admits that address by itself.
 * NSS has no place here: its modules load code and open files as they please.
 */

#include <sys/types.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <event.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns.h"
#include "log.h"
#include "netd.h"
#include "worker.h"

#define RESOLVE_SECONDS	10	/* for all names together */
#define RESOLVE_NAMES	32	/* asked for at a time, by two sockets each */
#define RESOLVE_RESERVE	16	/* descriptors that are kept for others */

/* One name, however many rules it has. */
struct lookup {
	TAILQ_ENTRY(lookup)	 entry;
	char			 name[NET_NAME_MAX];
	struct addresses	 found;
	struct addresses	 answers;	/* of name servers, unjudged */
	int			 unanswered;	/* questions */
	int			 partial;	/* answers, or failures */
	int			 error;		/* an RCODE_*, or -1 */
	int			 later;		/* for the resolver */
	int			 asked;		/* of name servers */
	uint32_t		 ttl;		/* the shortest of answers */
	struct addresses	 blocked;	/* by rules that block */
};

static TAILQ_HEAD(lookups, lookup)	 lookups =
    TAILQ_HEAD_INITIALIZER(lookups);
static const struct net_rules	*name_rules;
static void			(*resolve_done)(void);
static struct event		 timer;
static struct lookup		*next;		/* to be asked for */
static size_t			 asking;	/* names */
static size_t			 asking_max = 1;
static int			 resolver;	/* the workload has one */
static int			 refresh;	/* names are asked for again */

static void	 resolve_more(void);

/* Texts for users, of what name servers may say. */
static const struct {
	int		 rcode;
	const char	*text;
} dns_errors[] = {
	{ -1, "no answer from the name servers" },
	{ RCODE_NOERROR, "no address" },
	{ RCODE_NXDOMAIN, "no such name" },
	{ RCODE_SERVFAIL, "the name servers failed" },
	{ RCODE_NOTIMP, "the name servers refused" },
	{ RCODE_REFUSED, "the name servers refused" }
};

static const char *
dns_error(int rcode)
{
	size_t	 i;

	for (i = 0; i < sizeof(dns_errors) / sizeof(dns_errors[0]); i++)
		if (dns_errors[i].rcode == rcode)
			return (dns_errors[i].text);
	return ("bad answer from a name server");
}

static const char *
netaddr_text(const struct netaddr *na, char buf[INET6_ADDRSTRLEN])
{
	if (inet_ntop(na->family, &na->addr, buf, INET6_ADDRSTRLEN) == NULL)
		return ("?");
	return (buf);
}

static struct lookup *
lookup_find(const char *name)
{
	struct lookup	*l;

	TAILQ_FOREACH(l, &lookups, entry)
		if (name_equal(l->name, name))
			return (l);
	return (NULL);
}

/* Whether a rule is about a name: one that blocks, or one that passes. */
static int
rules_match(const char *name, int block)
{
	const struct net_rule	*nr;

	TAILQ_FOREACH(nr, name_rules, entry)
		if (nr->block == block && name_matches(nr->name, name))
			return (1);
	return (0);
}

static struct lookup *
lookup_new(const char *name)
{
	struct lookup	*l;
	size_t		 i, len;

	if ((l = lookup_find(name)) != NULL)
		return (l);
	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("calloc");
	STAILQ_INIT(&l->found);
	STAILQ_INIT(&l->answers);
	STAILQ_INIT(&l->blocked);
	l->ttl = UINT32_MAX;
	if (strlcpy(l->name, name, sizeof(l->name)) >= sizeof(l->name))
		worker_fail("%s: name too long", name);
	len = strlen(l->name);
	if (len > 0 && l->name[len - 1] == '.')
		l->name[len - 1] = '\0';
	for (i = 0; l->name[i] != '\0'; i++)
		if (l->name[i] >= 'A' && l->name[i] <= 'Z')
			l->name[i] += 'a' - 'A';
	if (!name_valid(l->name))
		worker_fail("%s: not a host name", name);
	TAILQ_INSERT_TAIL(&lookups, l, entry);
	return (l);
}

static void
lookup_hosts(const char *name, const struct netaddr *na)
{
	struct lookup	*l;

	if ((l = lookup_find(name)) == NULL && resolver &&
	    name_valid(name) && strlen(name) < sizeof(l->name) &&
	    rules_match(name, 0))
		l = lookup_new(name);
	if (l != NULL)
		addresses_add(&l->found, na);
}

void
resolve_loopback(struct addresses *list)
{
	struct netaddr	 na;

	memset(&na, 0, sizeof(na));
	na.family = AF_INET6;
	na.addr = in6addr_loopback;
	addresses_add(list, &na);
	memset(&na, 0, sizeof(na));
	na.family = AF_INET;
	inet_pton(AF_INET, "127.0.0.1", &na.addr);
	addresses_add(list, &na);
}

/* What the rules of a name say of one address, if they block or pass. */
static void
rules_pin(const char *name, const struct netaddr *na, int block,
    int (*change)(struct netrules *, const struct net_rule *))
{
	const struct net_rule	*nr;
	struct net_rule		 pinned;

	TAILQ_FOREACH(nr, name_rules, entry) {
		if (nr->block != block || !name_matches(nr->name, name))
			continue;
		pinned = *nr;
		pinned.target = NET_ADDRESS;
		pinned.family = na->family;
		pinned.addr = na->addr;
		pinned.bits = na->family == AF_INET ? 32 : 128;
		if (change(netd_rules, &pinned) == -1)
			fatal("rule of %s", name);
	}
}

void
resolve_pin(const char *name, const struct netaddr *na, int block)
{
	rules_pin(name, na, block, netrules_add);
}

void
resolve_unpin(const char *name, const struct netaddr *na)
{
	rules_pin(name, na, 0, netrules_remove);
}

void
resolve_unblock(const char *name, const struct netaddr *na)
{
	rules_pin(name, na, 1, netrules_remove);
}

int
resolve_blocks(const char *name)
{
	return (rules_match(name, 1));
}

/*
 * Add the addresses of a name under each of its rules; under one that blocks
 * those too that may not be admitted.
 */
static void
lookup_pin(struct lookup *l)
{
	const struct address	*a;

	STAILQ_FOREACH(a, &l->found, entry) {
		resolve_pin(l->name, &a->na, 0);
		addresses_add(&l->blocked, &a->na);
	}
	STAILQ_FOREACH(a, &l->answers, entry)
		addresses_add(&l->blocked, &a->na);
	STAILQ_FOREACH(a, &l->blocked, entry)
		resolve_pin(l->name, &a->na, 1);
}

/* Let the workload know a name, if it is admitted and not known to all. */
static void
lookup_show(const struct lookup *l)
{
	const struct address	*a;
	const struct net_rule	*nr;

	if (name_equal(l->name, "localhost"))
		return;
	TAILQ_FOREACH(nr, name_rules, entry)
		if (!nr->block && nr->direction == NET_OUT &&
		    name_matches(nr->name, l->name))
			break;
	if (nr == NULL)
		return;
	STAILQ_FOREACH(a, &l->found, entry)
		content_add(l->name, &a->na);
}

/* The workload's /etc/hosts as it is to be now. */
int
resolve_show(void)
{
	const struct lookup	*l;

	content_begin();
	TAILQ_FOREACH(l, &lookups, entry)
		lookup_show(l);
	return (content_end());
}

/* Whether the rules without names admit an address for all that a rule does. */
static int
rule_literal(const struct net_rule *nr, const struct netaddr *na)
{
	const struct netrules	*literals;
	enum net_proto		 proto;

	/* Once it serves, netd_rules has addresses of names. */
	literals = netd_literals != NULL ? netd_literals : netd_rules;
	for (proto = 0; proto < NET_PROTO_MAX; proto++)
		if ((nr->protos & NET_PROTO(proto)) != 0 &&
		    !netrule_decide_ports(literals, proto, nr->direction, na,
		    nr->port_lo, nr->port_hi))
			return (0);
	return (1);
}

/* A rule that blocks needs no leave, and takes whatever address there is. */
static int
rules_literal(const char *name, const struct netaddr *na)
{
	const struct net_rule	*nr;

	TAILQ_FOREACH(nr, name_rules, entry)
		if (!nr->block && name_matches(nr->name, name) &&
		    !rule_literal(nr, na))
			return (0);
	return (1);
}

/* Why a name server may not say that a name has an address, or NULL. */
const char *
resolve_refused(const char *name, const struct netaddr *na)
{
	const char	*what;

	what = netaddr_special(na);
	if (what == NULL && own_have(na))
		what = "of this host";
	return (what != NULL && !rules_literal(name, na) ? what : NULL);
}

/* Judge what name servers said; the first refused address, or NULL. */
static const struct address *
lookup_judge(struct lookup *l, const char **why)
{
	const struct address	*a, *bad = NULL;
	const char		*what;
	char			 buf[INET6_ADDRSTRLEN];

	addresses_order(&l->answers);
	STAILQ_FOREACH(a, &l->answers, entry) {
		if ((what = resolve_refused(l->name, &a->na)) != NULL) {
			log_warnx("%s: address %s is %s: refused", l->name,
			    netaddr_text(&a->na, buf), what);
			if (bad == NULL) {
				bad = a;
				*why = what;
			}
			continue;
		}
		addresses_add(&l->found, &a->na);
	}
	return (bad);
}

static void
lookup_settle(struct lookup *l)
{
	addresses_free(&l->answers);
	if (refresh && l->asked) {
		refresh_add(l->name, l->ttl, &l->found, &l->blocked);
		return;
	}
	addresses_free(&l->blocked);
	if (!resolver && !refresh)
		addresses_free(&l->found);
}

/* Every question is answered, or time is up. */
static void
resolve_finish(int fd, short event, void *arg)
{
	const struct address	*bad;
	struct lookup		*l;
	const char		*why = NULL;
	char			 buf[INET6_ADDRSTRLEN];

	(void)fd;
	(void)event;
	(void)arg;
	TAILQ_FOREACH(l, &lookups, entry) {
		bad = lookup_judge(l, &why);
		if (!STAILQ_EMPTY(&l->found) || l->later)
			continue;
		if (bad != NULL)
			worker_fail("%s: its address %s is %s", l->name,
			    netaddr_text(&bad->na, buf), why);
		worker_fail("%s: %s", l->name,
		    dns_error(l->unanswered > 0 ? -1 : l->error));
	}
	TAILQ_FOREACH(l, &lookups, entry)
		if (l->asked && (l->partial || l->unanswered > 0) &&
		    rules_match(l->name, 1))
			worker_fail("%s: not all of the addresses to block "
			    "are known", l->name);
	/* After all are judged: an address of one name admits no other. */
	TAILQ_FOREACH(l, &lookups, entry)
		lookup_pin(l);
	if (resolve_show() == -1 ||
	    content_resolv(resolver ? STUB_ADDRESS : NULL) == -1)
		fatal("files of the workload");
	TAILQ_FOREACH(l, &lookups, entry)
		lookup_settle(l);
	event_del(&timer);
	ask_stop();
	hosts_close();
	if (resolver || refresh)
		own_run();
	else
		own_forget();
	resolve_done();
}

static void
resolve_answer(void *arg, int rcode, const struct dns_answer *answer)
{
	struct lookup	*l = arg;

	/* Of two errors the one that says more than "no address". */
	if (l->error == RCODE_NOERROR)
		l->error = rcode;
	if (answer == NULL || answer->truncated)
		l->partial = 1;
	if (answer != NULL)
		addresses_answer(&l->answers, answer, &l->ttl);
	if (--l->unanswered > 0)
		return;
	asking--;
	resolve_more();
}

/* Ask for the next names, or finish when all are answered. */
static void
resolve_more(void)
{
	struct lookup	*l;

	while (asking < asking_max && (l = next) != NULL) {
		next = TAILQ_NEXT(l, entry);
		if (!l->asked)
			continue;
		if (ask_start(l->name, RR_A, resolve_answer, l) == -1 ||
		    ask_start(l->name, RR_AAAA, resolve_answer, l) == -1)
			fatal("ask_start");
		asking++;
	}
	if (asking == 0)
		resolve_finish(-1, 0, NULL);
}

void
resolve_init(rlim_t descriptors)
{
	if (descriptors > RESOLVE_RESERVE + 2)
		asking_max = MIN((descriptors - RESOLVE_RESERVE) / 2,
		    RESOLVE_NAMES);
}

void
resolve_open(int later)
{
	if (later)
		own_open();
	hosts_open();
}

/* The addresses that /etc/hosts gives a name, or NULL. */
const struct addresses *
resolve_pinned(const char *name)
{
	struct lookup	*l;

	if ((l = lookup_find(name)) == NULL || STAILQ_EMPTY(&l->found))
		return (NULL);
	return (&l->found);
}

void
resolve_start(const struct net_rules *rules, int later, int again,
    void (*done)(void))
{
	struct sockaddr_storage	 servers[SERVERS_MAX];
	const struct net_rule	*nr;
	struct timeval		 limit = { RESOLVE_SECONDS, 0 };
	struct lookup		*l;

	name_rules = rules;
	resolve_done = done;
	resolver = later;
	refresh = again;
	/* Names with an asterisk are looked up when they are asked for. */
	TAILQ_FOREACH(nr, rules, entry)
		if (nr->name[0] != '*')
			lookup_new(nr->name);
	hosts_read(lookup_hosts);
	ask_init(servers, hosts_servers(servers, SERVERS_MAX));
	evtimer_set(&timer, resolve_finish, NULL);
	TAILQ_FOREACH(l, &lookups, entry) {
		/* To block it is to block both of its addresses. */
		if (name_local(l->name) && (STAILQ_EMPTY(&l->found) ||
		    rules_match(l->name, 1)))
			resolve_loopback(&l->found);
		if (!STAILQ_EMPTY(&l->found))
			continue;
		if (resolver && !rules_match(l->name, 1)) {
			l->later = 1;
			continue;
		}
		l->asked = 1;
		l->unanswered = 2;
	}
	event_add(&timer, &limit);
	next = TAILQ_FIRST(&lookups);
	resolve_more();
}
