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
 * Names to addresses, once, at the start.  Called by netd.c before it serves
 * anyone.  /etc/hosts is the administrator's word and taken as it is; what a
 * name server says must not lead to loopback, into a private network or to
 * this host, unless a rule admits that address by itself.  NSS has no place
 * here: its modules load code and open files as they please.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <event.h>
#include <event2/dns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "netd.h"
#include "worker.h"

#define RESOLVE_SECONDS	10	/* for all names together */
#define SERVERS_MAX	3	/* as resolv.conf(5) */

/* One name, however many rules it has. */
struct lookup {
	TAILQ_ENTRY(lookup)	 entry;
	char			 name[NET_NAME_MAX];
	struct addresses	 found;
	struct addresses	 answers;	/* of name servers, unjudged */
	int			 unanswered;	/* questions */
	int			 error;		/* the first DNS_ERR_* */
};

static TAILQ_HEAD(lookups, lookup)	 lookups =
    TAILQ_HEAD_INITIALIZER(lookups);
static const struct net_rules	*name_rules;
static void			(*resolve_done)(void);
static struct evdns_base	*dns;
static struct event		 timer;
static int			 pending;	/* questions unanswered */
static int			 finished;

/* Texts for users, of what evdns may say. */
static const struct {
	int		 error;
	const char	*text;
} dns_errors[] = {
	{ DNS_ERR_NONE, "no address" },
	{ DNS_ERR_NODATA, "no address" },
	{ DNS_ERR_NOTEXIST, "no such name" },
	{ DNS_ERR_TIMEOUT, "no answer from the name servers" },
	{ DNS_ERR_TRUNCATED, "the answer is too long for a datagram" },
	{ DNS_ERR_SERVERFAILED, "the name servers failed" },
	{ DNS_ERR_REFUSED, "the name servers refused" },
	{ DNS_ERR_NOTIMPL, "the name servers refused" }
};

static const char *
dns_error(int error)
{
	size_t	 i;

	for (i = 0; i < sizeof(dns_errors) / sizeof(dns_errors[0]); i++)
		if (dns_errors[i].error == error)
			return (dns_errors[i].text);
	return ("bad answer from a name server");
}

/* Compare names without case and without the dot of the root. */
static int
name_equal(const char *a, const char *b)
{
	size_t	 la = strlen(a), lb = strlen(b);

	if (la > 0 && a[la - 1] == '.')
		la--;
	if (lb > 0 && b[lb - 1] == '.')
		lb--;
	return (la == lb && strncasecmp(a, b, la) == 0);
}

/* localhost and what is below it never leave the host. */
static int
name_local(const char *name)
{
	static const char	 local[] = ".localhost";
	size_t			 len = strlen(name);

	return (name_equal(name, local + 1) || (len > sizeof(local) - 1 &&
	    strcasecmp(name + len - (sizeof(local) - 1), local) == 0));
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

/* The name goes into a question as it is, so it is checked before. */
static int
name_valid(const char *name)
{
	const char	*p;
	size_t		 label = 0;

	for (p = name; *p != '\0'; p++) {
		if (*p == '.') {
			if (label == 0)
				return (0);
			label = 0;
			continue;
		}
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		    *p == '-' || *p == '_') || ++label > 63)
			return (0);
	}
	return (p != name && label > 0);
}

static void
lookup_new(const char *name)
{
	struct lookup	*l;
	size_t		 i, len;

	if (lookup_find(name) != NULL)
		return;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("calloc");
	STAILQ_INIT(&l->found);
	STAILQ_INIT(&l->answers);
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
}

static void
lookup_hosts(const char *name, const struct netaddr *na)
{
	struct lookup	*l;

	if ((l = lookup_find(name)) != NULL)
		addresses_add(&l->found, na);
}

static void
lookup_localhost(struct lookup *l)
{
	struct netaddr	 na;

	memset(&na, 0, sizeof(na));
	na.family = AF_INET6;
	na.addr = in6addr_loopback;
	addresses_add(&l->found, &na);
	memset(&na, 0, sizeof(na));
	na.family = AF_INET;
	inet_pton(AF_INET, "127.0.0.1", &na.addr);
	addresses_add(&l->found, &na);
}

/* Add the addresses of a name under each of its rules. */
static void
rules_pin(const struct lookup *l)
{
	const struct address	*a;
	const struct net_rule	*nr;
	struct net_rule		 pinned;

	TAILQ_FOREACH(nr, name_rules, entry) {
		if (!name_equal(nr->name, l->name))
			continue;
		STAILQ_FOREACH(a, &l->found, entry) {
			pinned = *nr;
			pinned.target = NET_ADDRESS;
			pinned.family = a->na.family;
			pinned.addr = a->na.addr;
			pinned.bits = a->na.family == AF_INET ? 32 : 128;
			if (netrules_add(netd_rules, &pinned) == -1)
				fatal("netrules_add");
		}
	}
}

/* Whether rules that name the address itself admit it for these ports. */
static int
rules_literal(const struct lookup *l, const struct netaddr *na)
{
	const struct net_rule	*nr;
	uint32_t		 port;

	TAILQ_FOREACH(nr, name_rules, entry) {
		if (!name_equal(nr->name, l->name))
			continue;
		for (port = nr->port_lo; port <= nr->port_hi; port++)
			if (!netrule_decide(netd_rules, nr->direction, na,
			    port))
				return (0);
	}
	return (1);
}

/* Judge what name servers said; the first refused address, or NULL. */
static const struct address *
lookup_judge(struct lookup *l, const char **why)
{
	const struct address	*a, *bad = NULL;
	const char		*what;
	char			 buf[INET6_ADDRSTRLEN];

	STAILQ_FOREACH(a, &l->answers, entry) {
		what = netaddr_special(&a->na);
		if (what == NULL && hosts_own(&a->na))
			what = "of this host";
		if (what != NULL && !rules_literal(l, &a->na)) {
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
		if (!STAILQ_EMPTY(&l->found))
			continue;
		if (bad != NULL)
			worker_fail("%s: its address %s is %s", l->name,
			    netaddr_text(&bad->na, buf), why);
		worker_fail("%s: %s", l->name, dns_error(l->unanswered > 0 ?
		    DNS_ERR_TIMEOUT : l->error));
	}
	/* After all are judged: an address of one name admits no other. */
	TAILQ_FOREACH(l, &lookups, entry) {
		rules_pin(l);
		/* The lookup stays: evdns may have an answer on its way. */
		addresses_free(&l->found);
		addresses_free(&l->answers);
	}
	finished = 1;
	event_del(&timer);
	if (dns != NULL)
		evdns_base_free(dns, 0);
	dns = NULL;
	hosts_close();
	resolve_done();
}

static void
resolve_answer(int error, char type, int count, int ttl, void *addresses,
    void *arg)
{
	struct lookup	*l = arg;
	struct netaddr	 na;
	struct timeval	 now = { 0, 0 };
	size_t		 size = type == DNS_IPv4_A ? 4 : 16;
	int		 i;

	(void)ttl;
	if (finished)
		return;
	l->unanswered--;
	/* Of two errors the one that says more than "no address". */
	if (error != DNS_ERR_NONE && l->error == DNS_ERR_NODATA)
		l->error = error;
	for (i = 0; error == DNS_ERR_NONE && i < count; i++) {
		memset(&na, 0, sizeof(na));
		na.family = type == DNS_IPv4_A ? AF_INET : AF_INET6;
		memcpy(&na.addr, (const char *)addresses + i * size, size);
		addresses_add(&l->answers, &na);
	}
	/* From the loop: evdns is not done with itself in this callback. */
	if (--pending == 0)
		event_add(&timer, &now);
}

static void
resolve_ask(struct lookup *l)
{
	if (evdns_base_resolve_ipv4(dns, l->name, DNS_QUERY_NO_SEARCH,
	    resolve_answer, l) == NULL || evdns_base_resolve_ipv6(dns,
	    l->name, DNS_QUERY_NO_SEARCH, resolve_answer, l) == NULL)
		worker_fail("%s: cannot ask the name servers", l->name);
	l->unanswered = 2;
	l->error = DNS_ERR_NODATA;
	pending += 2;
}

static void
resolve_log(int warning, const char *text)
{
	(void)warning;
	log_debug("%s", text);
}

static void
resolve_servers(void)
{
	struct sockaddr_storage	 servers[SERVERS_MAX];
	size_t			 i, n, usable = 0;

	evdns_set_log_fn(resolve_log);
	dns = evdns_base_new(event_get_base(&worker_parent.ev), 0);
	if (dns == NULL)
		worker_fail("cannot set up the resolver");
	/*
	 * Three tries of two seconds end before the deadline does.  Changing
	 * the case at random protects nothing, since evdns then takes answers
	 * in any case; with it off it compares exactly.
	 */
	if (evdns_base_set_option(dns, "timeout:", "2") == -1 ||
	    evdns_base_set_option(dns, "attempts:", "3") == -1 ||
	    evdns_base_set_option(dns, "randomize-case:", "0") == -1)
		worker_fail("cannot set up the resolver");
	n = hosts_servers(servers, SERVERS_MAX);
	for (i = 0; i < n; i++)
		if (evdns_base_nameserver_sockaddr_add(dns,
		    (struct sockaddr *)&servers[i],
		    servers[i].ss_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
		    0) == 0)
			usable++;
	if (usable == 0)
		worker_fail("no usable name server");
}

void
resolve_open(void)
{
	hosts_open();
}

void
resolve_start(const struct net_rules *rules, void (*done)(void))
{
	const struct net_rule	*nr;
	struct timeval		 limit = { RESOLVE_SECONDS, 0 };
	struct lookup		*l;

	name_rules = rules;
	resolve_done = done;
	TAILQ_FOREACH(nr, rules, entry)
		lookup_new(nr->name);
	hosts_read(lookup_hosts);
	evtimer_set(&timer, resolve_finish, NULL);
	TAILQ_FOREACH(l, &lookups, entry) {
		if (STAILQ_EMPTY(&l->found) && name_local(l->name))
			lookup_localhost(l);
		if (!STAILQ_EMPTY(&l->found))
			continue;
		if (dns == NULL)
			resolve_servers();
		resolve_ask(l);
	}
	if (pending == 0)
		resolve_finish(-1, 0, NULL);
	else
		event_add(&timer, &limit);
}
