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
 * common/policy.c: values from text and back, merging, and what a policy
 * asks of the workers.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <arpa/inet.h>

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netports.h"
#include "policy.h"

static void	 net_is(const char *, const char *, int, int);
static void	 net_bad(const char *);
static void	 needs(const struct policy *, struct policy_needs *);

/* A rule of --net-allow that is one target and one range of ports. */
static void
net_is(const char *spec, const char *target, int lo, int hi)
{
	struct net_rules	 rules = TAILQ_HEAD_INITIALIZER(rules);
	struct net_rule		 model = { .direction = NET_OUT };
	struct net_rule		*rule;
	const char		*error;
	char			 text[NET_NAME_MAX + 8];

	error = policy_parse_net(spec, &model, &rules);
	ATF_REQUIRE_MSG(error == NULL, "%s: %s", spec, error);
	rule = TAILQ_FIRST(&rules);
	ATF_REQUIRE(rule != NULL && TAILQ_NEXT(rule, entry) == NULL);
	policy_target_string(rule, text, sizeof(text));
	ATF_CHECK_STREQ_MSG(target, text, "%s is %s", spec, text);
	ATF_CHECK_MSG(rule->port_lo == lo && rule->port_hi == hi,
	    "%s: ports %d to %d", spec, rule->port_lo, rule->port_hi);
	ATF_CHECK_EQ(NET_OUT, rule->direction);
	net_rules_free(&rules);
}

static void
net_bad(const char *spec)
{
	struct net_rules	 rules = TAILQ_HEAD_INITIALIZER(rules);
	struct net_rule		 model = { .direction = NET_OUT };

	ATF_CHECK_MSG(policy_parse_net(spec, &model, &rules) != NULL,
	    "%s is taken", spec);
	ATF_CHECK(TAILQ_EMPTY(&rules));
}

ATF_TC_WITHOUT_HEAD(net);
ATF_TC_BODY(net, tc)
{
	char	 name[300];

	net_is("example.com", "example.com", 0, 65535);
	net_is("tcp://EXAMPLE.com.:80", "example.com", 80, 80);
	net_is("a_b-c.x1:1-65535", "a_b-c.x1", 1, 65535);
	net_is("192.0.2.1:22", "192.0.2.1", 22, 22);
	net_is("192.0.2.1/32", "192.0.2.1", 0, 65535);
	net_is("192.0.2.255/25:22", "192.0.2.128/25", 22, 22);
	net_is("0.0.0.0/0", "0.0.0.0/0", 0, 65535);
	net_is("[::1]:22", "::1", 22, 22);
	net_is("[::1]", "::1", 0, 65535);
	net_is("[2001:db8:ffff::/33]", "2001:db8:8000::/33", 0, 65535);
	net_is("[2001:db8:ffff::]/33:1-2", "2001:db8:8000::/33", 1, 2);
	net_is("[::ffff:192.0.2.1]:22", "192.0.2.1", 22, 22);
	net_is("[::ffff:192.0.2.1/120]", "192.0.2.0/24", 0, 65535);
	net_is("*", "any", 0, 65535);
	net_is("*:*", "any", 0, 65535);
	net_is(":443", "any", 443, 443);
	net_is("any:443", "any", 443, 443);
	net_is("udp://:443", "any", 443, 443);
	net_is("icmp://", "any", 0, 65535);
	net_is("icmp://[::1]:*", "::1", 0, 65535);
	net_is("*.Example.COM.:443", "*.example.com", 443, 443);

	net_bad("");
	net_bad("icmp://a:80");
	net_bad("icmp://a:80,*");
	net_bad("TCP://a");
	net_bad("x://a");
	net_bad("a:0");
	net_bad("a:65536");
	net_bad("a:80,");
	net_bad("a:,80");
	net_bad("a:80,x");
	net_bad("a:5-4");
	net_bad("a: 80");
	net_bad("a:");
	net_bad("1.2.3");
	net_bad("1.2.3.4.5");
	net_bad("01.2.3.4");
	net_bad("256.1.1.1");
	net_bad("a/8");
	net_bad("1.2.3.4/33");
	net_bad("1.2.3.4/");
	net_bad("1.2.3.4/-1");
	net_bad("::1");
	net_bad("::1:22");		/* an address or a port? */
	net_bad("a:80:81");
	net_bad("[::1/129]");
	net_bad("[::ffff:1.2.3.4/95]");
	net_bad("[::1");
	net_bad("[::1]x");
	net_bad("[::1]22");
	net_bad("[1.2.3.4]:80");
	net_bad("[]:80");
	net_bad("[fe80::1%eth0]");
	net_bad("*example.com");
	net_bad("*.");
	net_bad("**.a");
	net_bad("*.*.a");
	net_bad("a.*");
	net_bad("*.1");
	net_bad("*/8");
	net_bad("a b");
	net_bad("a..b");
	net_bad(".a");
	net_bad("-a");
	net_bad("a\nb");
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	net_bad(name);
	name[64] = '.';
	name[100] = '\0';
	net_bad(name);			/* a label of 64 */
	name[63] = '.';
	name[64] = 'a';
	ATF_CHECK_EQ(100, strlen(name));
	net_is(name, name, 0, 65535);	/* and one of 63 */
}

ATF_TC_WITHOUT_HEAD(net_lists);
ATF_TC_BODY(net_lists, tc)
{
	struct net_rules	 rules = TAILQ_HEAD_INITIALIZER(rules);
	struct net_rule		 model = { .direction = NET_OUT };
	struct net_rule		*rule;

	ATF_REQUIRE(policy_parse_net("a:1,3-5,*", &model, &rules) == NULL);
	/* What is wrong adds nothing, not even its good part. */
	ATF_REQUIRE(policy_parse_net("b:7,x", &model, &rules) != NULL);
	rule = TAILQ_FIRST(&rules);
	ATF_CHECK(rule->port_lo == 1 && rule->port_hi == 1);
	rule = TAILQ_NEXT(rule, entry);
	ATF_CHECK(rule->port_lo == 3 && rule->port_hi == 5);
	rule = TAILQ_NEXT(rule, entry);
	ATF_CHECK(rule->port_lo == 0 && rule->port_hi == 65535);
	ATF_CHECK(TAILQ_NEXT(rule, entry) == NULL);
	net_rules_free(&rules);
}

/* The protocols of rules, which a block of a whole target has all of. */
ATF_TC_WITHOUT_HEAD(net_protos);
ATF_TC_BODY(net_protos, tc)
{
	static const struct {
		const char	*spec;
		unsigned int	 pass;
		unsigned int	 block;
	} table[] = {
		{ "a", NET_PROTO_PORTS, NET_PROTO_ALL },
		{ "a:*", NET_PROTO_PORTS, NET_PROTO_ALL },
		{ "a:1-65535", NET_PROTO_PORTS, NET_PROTO_PORTS },
		{ "*", NET_PROTO_PORTS, NET_PROTO_ALL },
		{ "a:1", NET_PROTO_PORTS, NET_PROTO_PORTS },
		{ "tcp://a", NET_PROTO(NET_TCP), NET_PROTO(NET_TCP) },
		{ "udp://a:1", NET_PROTO(NET_UDP), NET_PROTO(NET_UDP) },
		{ "icmp://a", NET_PROTO(NET_ICMP), NET_PROTO(NET_ICMP) }
	};
	struct net_rules	 rules = TAILQ_HEAD_INITIALIZER(rules);
	struct net_rule		 model = { .direction = NET_OUT };
	size_t			 i;

	for (i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		model.block = i & 1;
		ATF_REQUIRE(policy_parse_net(table[i / 2].spec, &model,
		    &rules) == NULL);
		ATF_CHECK_EQ_MSG(model.block ? table[i / 2].block :
		    table[i / 2].pass, TAILQ_FIRST(&rules)->protos, "%s %s",
		    model.block ? "block" : "pass", table[i / 2].spec);
		ATF_CHECK_EQ(model.block, TAILQ_FIRST(&rules)->block);
		net_rules_free(&rules);
		TAILQ_INIT(&rules);
	}
	/* Inwards there is nothing but ports. */
	ATF_REQUIRE(policy_parse_bind("*", &model, &rules) == NULL);
	ATF_CHECK_EQ(NET_PROTO_PORTS, TAILQ_FIRST(&rules)->protos);
	ATF_CHECK_EQ(NET_IN, TAILQ_FIRST(&rules)->direction);
	ATF_CHECK(policy_parse_bind("icmp://*", &model, &rules) != NULL);
	ATF_CHECK(policy_parse_bind("a:1", &model, &rules) != NULL);
	ATF_CHECK(policy_parse_bind("", &model, &rules) != NULL);
	net_rules_free(&rules);
}

ATF_TC_WITHOUT_HEAD(blocks_last);
ATF_TC_BODY(blocks_last, tc)
{
	static const int	 ports[] = { 2, 4, 1, 3 };
	struct net_rules	 rules = TAILQ_HEAD_INITIALIZER(rules);
	struct net_rule		 model = { .direction = NET_OUT };
	struct net_rule		*rule;
	char			 spec[16];
	int			 i = 0;

	for (i = 1; i <= 4; i++) {
		model.block = i & 1;
		snprintf(spec, sizeof(spec), "a:%d", i);
		ATF_REQUIRE(policy_parse_net(spec, &model, &rules) == NULL);
	}
	net_rules_blocks_last(&rules);
	i = 0;
	TAILQ_FOREACH(rule, &rules, entry)
		ATF_CHECK_EQ(ports[i++], rule->port_lo);
	ATF_CHECK_EQ(4, i);
	net_rules_free(&rules);
}

/* The ports of a list of rules, as text: the ranges of TCP outwards. */
static void
ports_are(const char *specs, const char *expect)
{
	bitstr_t		 admitted[NETPORTS_SIZE];
	struct net_rules	 rules = TAILQ_HEAD_INITIALIZER(rules);
	struct net_rule		 model;
	char			 got[256] = "", *copy, *next, *spec, *word;
	uint32_t		 hi, lo = 0;

	ATF_REQUIRE((copy = next = strdup(specs)) != NULL);
	while ((word = strsep(&next, " ")) != NULL) {
		memset(&model, 0, sizeof(model));
		for (spec = word; strchr("-!<", *spec) != NULL; spec++) {
			model.block |= *spec == '-';
			model.quick |= *spec == '!';
			if (*spec == '<')
				model.direction = NET_IN;
		}
		ATF_REQUIRE_EQ_MSG(NULL, model.direction == NET_IN ?
		    policy_parse_bind(spec, &model, &rules) :
		    policy_parse_net(spec, &model, &rules), "%s", spec);
	}
	ATF_REQUIRE_EQ(0, netports_admitted(&rules, NET_TCP, NET_OUT,
	    admitted));
	for (; netports_range(admitted, &lo, &hi); lo = hi + 1)
		snprintf(got + strlen(got), sizeof(got) - strlen(got),
		    "%s%u-%u", got[0] != '\0' ? " " : "", lo, hi);
	ATF_CHECK_STREQ_MSG(expect, got, "%s: %s", specs, got);
	net_rules_free(&rules);
	free(copy);
}

ATF_TC_WITHOUT_HEAD(ports);
ATF_TC_BODY(ports, tc)
{
	ports_are("udp://* icmp://* <*", "");
	ports_are("*", "0-65535");
	ports_are(":80", "80-80");
	ports_are(":80,81 :79 :5-7", "5-7 79-81");
	ports_are(":65535 :1", "1-1 65535-65535");
	/* The last one counts, ... */
	ports_are("* -:25", "0-24 26-65535");
	ports_are("-:25 *", "0-65535");
	ports_are("* -* :22", "22-22");
	ports_are(":10-20 -:15-30 :17", "10-14 17-17");
	/* ... unless one before is quick. */
	ports_are("!-:25 *", "0-24 26-65535");
	ports_are("!:25 -*", "25-25");
	ports_are("!-:25 !:20-30 -*", "20-24 26-30");
	/* Another protocol's block is none. */
	ports_are(":80 -udp://:80", "80-80");
	/* What some address gets, netd must be able to give it. */
	ports_are("-:22 10.0.0.0/8:22 a.example:80", "22-22 80-80");
	ports_are("10.0.0.0/8:22-25 -:23", "22-22 24-25");
	ports_are("* -10.0.0.0/8:22", "0-65535");
	ports_are("-10.0.0.0/8", "");
	ports_are("10.0.0.0/8:22 -*", "");
	ports_are("!10.0.0.0/8:22 -*", "22-22");
}

ATF_TC_WITHOUT_HEAD(perms);
ATF_TC_BODY(perms, tc)
{
	unsigned int	 p;
	char		 text[5];
	int		 optional;

	ATF_REQUIRE(policy_parse_perms("cxwr?", &p, &optional) == NULL);
	ATF_CHECK_EQ(PERM_MASK, p);
	ATF_CHECK_EQ(1, optional);
	policy_perms_string(p, text);
	ATF_CHECK_STREQ("rwxc", text);
	ATF_REQUIRE(policy_parse_perms("x", &p, &optional) == NULL);
	ATF_CHECK_EQ(PERM_EXEC, p);
	ATF_CHECK_EQ(0, optional);
	ATF_CHECK(policy_parse_perms("", &p, &optional) != NULL);
	ATF_CHECK(policy_parse_perms("?", &p, &optional) != NULL);
	ATF_CHECK(policy_parse_perms("r?w", &p, &optional) != NULL);
	ATF_CHECK(policy_parse_perms("r??", &p, &optional) != NULL);
	ATF_CHECK(policy_parse_perms("rr", &p, &optional) != NULL);
	ATF_CHECK(policy_parse_perms("R", &p, &optional) != NULL);
	ATF_CHECK(policy_parse_perms("r w", &p, &optional) != NULL);
}

ATF_TC_WITHOUT_HEAD(sizes);
ATF_TC_BODY(sizes, tc)
{
	static const struct {
		const char	*text;
		uint64_t	 size;
	} good[] = {
		{ "65536", 65536 },
		{ "64K", 65536 },
		{ "100000", 100000 },
		{ "1M", UINT64_C(1) << 20 },
		{ "3G", UINT64_C(3) << 30 },
		{ "2T", UINT64_C(2) << 40 },
		{ "1048576T", UINT64_C(1) << 60 },
		{ "1152921504606846976", UINT64_C(1) << 60 }
	};
	static const char	*const bad[] = {
		"", "0", "65535", "63K", "K", "1", "-1M", "+1M", " 1M", "1M ",
		"1MB", "1m", "1P", "1.5G", "0x10000", "1152921504606846977",
		"1048577T", "18446744073709551616", "99999999999999999999G"
	};
	uint64_t		 size;
	size_t			 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ATF_CHECK_MSG(policy_parse_size(good[i].text, &size) == NULL,
		    "%s", good[i].text);
		ATF_CHECK_EQ_MSG(good[i].size, size, "%s", good[i].text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_MSG(policy_parse_size(bad[i], &size) != NULL,
		    "%s", bad[i]);
}

ATF_TC_WITHOUT_HEAD(seconds);
ATF_TC_BODY(seconds, tc)
{
	static const struct {
		const char	*text;
		uint64_t	 ms;
	} good[] = {
		{ "0", 0 }, { "1", 1000 }, { "1.5", 1500 }, { "0.001", 1 },
		{ "0.0001", 1 }, { "0.0010001", 2 }, { "2.000000", 2000 },
		{ "1000000000", 1000000000000 }
	};
	static const char *bad[] = { "", ".", ".5", "1.", "1.x", "-1", "+1",
	    " 1", "1 ", "1e3", "0x1", "1000000001",
	    "99999999999999999999999999", "1,5" };
	uint64_t	 ms;
	size_t		 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ATF_CHECK_MSG(policy_parse_seconds(good[i].text, &ms) == NULL,
		    "%s", good[i].text);
		ATF_CHECK_MSG(ms == good[i].ms, "%s is %llu ms", good[i].text,
		    (unsigned long long)ms);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_MSG(policy_parse_seconds(bad[i], &ms) != NULL,
		    "\"%s\" is taken", bad[i]);
}

ATF_TC_WITHOUT_HEAD(user);
ATF_TC_BODY(user, tc)
{
	uid_t	 uid;
	gid_t	 gid;

	ATF_REQUIRE(policy_parse_user("1000:4294967294", &uid, &gid) == NULL);
	ATF_CHECK(uid == 1000 && gid == 4294967294U);
	ATF_CHECK(policy_parse_user("1000", &uid, &gid) != NULL);
	ATF_CHECK(policy_parse_user("1000:", &uid, &gid) != NULL);
	ATF_CHECK(policy_parse_user(":1", &uid, &gid) != NULL);
	ATF_CHECK(policy_parse_user("1:2:3", &uid, &gid) != NULL);
	ATF_CHECK(policy_parse_user("-1:0", &uid, &gid) != NULL);
	/* -1 is "no change" to setresuid(2): it would keep the caller's. */
	ATF_CHECK(policy_parse_user("4294967295:0", &uid, &gid) != NULL);
	ATF_CHECK(policy_parse_user("0:4294967296", &uid, &gid) != NULL);
	ATF_CHECK(policy_parse_user("root:root", &uid, &gid) != NULL);
}

ATF_TC_WITHOUT_HEAD(cpus);
ATF_TC_BODY(cpus, tc)
{
	cpu_set_t	 set;

	ATF_REQUIRE(policy_parse_cpus("0,2-4,1023", &set) == NULL);
	ATF_CHECK_EQ(5, CPU_COUNT(&set));
	ATF_CHECK(CPU_ISSET(0, &set) && CPU_ISSET(2, &set) &&
	    CPU_ISSET(3, &set) && CPU_ISSET(4, &set) && CPU_ISSET(1023, &set));
	ATF_CHECK(policy_parse_cpus("", &set) != NULL);
	ATF_CHECK(policy_parse_cpus("1024", &set) != NULL);
	ATF_CHECK(policy_parse_cpus("3-2", &set) != NULL);
	ATF_CHECK(policy_parse_cpus("1,", &set) != NULL);
	ATF_CHECK(policy_parse_cpus(",1", &set) != NULL);
	ATF_CHECK(policy_parse_cpus("1-", &set) != NULL);
	ATF_CHECK(policy_parse_cpus("1-2-3", &set) != NULL);
	ATF_CHECK(policy_parse_cpus("all", &set) != NULL);
}

ATF_TC_WITHOUT_HEAD(protections);
ATF_TC_BODY(protections, tc)
{
	enum protection	 prot;
	int		 i;

	for (i = 0; i < PROT_MAX; i++) {
		ATF_REQUIRE(policy_parse_protection(
		    policy_protection_name((enum protection)i), &prot) == NULL);
		ATF_CHECK_EQ(i, (int)prot);
	}
	ATF_CHECK(policy_parse_protection("", &prot) != NULL);
	ATF_CHECK(policy_parse_protection("fs", &prot) != NULL);
}

ATF_TC(merge);
ATF_TC_HEAD(merge, tc)
{
	atf_tc_set_md_var(tc, "descr", "lists grow, scalars are overridden "
	    "only by what was set");
}
ATF_TC_BODY(merge, tc)
{
	struct policy	*to, *from, *nothing;
	struct net_rule	 rule;

	memset(&rule, 0, sizeof(rule));
	ATF_REQUIRE((to = policy_new()) != NULL);
	ATF_REQUIRE((from = policy_new()) != NULL);
	ATF_REQUIRE((nothing = policy_new()) != NULL);
	policy_add_path(to, "/a", PERM_READ, 0);
	policy_add_path(from, "/b", PERM_WRITE, 1);
	policy_add_env(to, "A", "1");
	policy_add_env(from, "A", NULL);
	policy_add_net(from, &rule);
	policy_add_syscall(from, "ptrace", 0);
	policy_add_fd(to, 7);
	policy_add_fd(from, 7);
	policy_add_fd(from, 8);
	to->env_mode = ENV_SCRUB;
	to->env_mode_set = 1;
	from->env_mode = ENV_INHERIT;
	from->env_mode_set = 1;
	to->kill_after_ms = 5;
	to->kill_after_set = 1;
	from->kill_after_ms = 0;
	from->kill_after_set = 1;
	to->timeout_ms = 9;
	to->status_fd = 4;
	from->status_fd = 0;
	to->protections[PROT_NET_TCP] = PROT_DISABLED;
	to->directory = strdup("/x");
	from->directory = strdup("/y");
	to->log_denials = strdup("/l");

	ATF_REQUIRE_EQ(0, policy_merge(to, from));
	policy_free(from);
	ATF_REQUIRE_EQ(0, policy_merge(to, nothing));
	policy_free(nothing);

	ATF_CHECK_STREQ("/a", TAILQ_FIRST(&to->paths)->path);
	ATF_CHECK_STREQ("/b",
	    TAILQ_NEXT(TAILQ_FIRST(&to->paths), entry)->path);
	ATF_CHECK_EQ(1, TAILQ_NEXT(TAILQ_FIRST(&to->paths), entry)->optional);
	ATF_CHECK(TAILQ_NEXT(TAILQ_FIRST(&to->envs), entry)->value == NULL);
	ATF_CHECK(!TAILQ_EMPTY(&to->net));
	ATF_CHECK(!TAILQ_EMPTY(&to->syscalls));
	ATF_CHECK_EQ(8, TAILQ_NEXT(TAILQ_FIRST(&to->pass_fds), entry)->fd);
	ATF_CHECK(TAILQ_NEXT(TAILQ_NEXT(TAILQ_FIRST(&to->pass_fds), entry),
	    entry) == NULL);
	ATF_CHECK_EQ(ENV_INHERIT, to->env_mode);
	ATF_CHECK_EQ(0, to->kill_after_ms);
	ATF_CHECK_EQ(9, to->timeout_ms);
	ATF_CHECK_EQ(0, to->status_fd);
	ATF_CHECK_EQ(PROT_DISABLED, to->protections[PROT_NET_TCP]);
	ATF_CHECK_STREQ("/y", to->directory);
	ATF_CHECK_STREQ("/l", to->log_denials);
	policy_free(to);
}

static void
needs(const struct policy *p, struct policy_needs *n)
{
	memset(n, 0xff, sizeof(*n));
	policy_needs(p, n);
}

ATF_TC(needs);
ATF_TC_HEAD(needs, tc)
{
	atf_tc_set_md_var(tc, "descr", "which workers a policy starts");
}
ATF_TC_BODY(needs, tc)
{
	struct policy		*p;
	struct policy_needs	 n;
	struct net_rule		 rule;

	memset(&rule, 0, sizeof(rule));
	rule.direction = NET_OUT;
	rule.target = NET_ANY;
	rule.protos = NET_PROTO(NET_TCP);
	rule.port_hi = 65535;

	/* Reading, and ports, are the kernel's business alone. */
	ATF_REQUIRE((p = policy_new()) != NULL);
	policy_add_path(p, "/", PERM_READ | PERM_EXEC, 0);
	p->timeout_ms = 1;
	needs(p, &n);
	ATF_CHECK(!n.supervisor && !n.cowd && !n.netd && !n.meta &&
	    !n.unix_sockets && n.pure_ports);
	ATF_CHECK_STREQ("", n.features);
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(!n.supervisor && !n.netd && !n.connect && n.pure_ports);
	ATF_CHECK(!n.netlink);

	/* With unix sockets every connect is seen, those of TCP included. */
	policy_add_path(p, "/tmp", PERM_CREATE, 0);
	needs(p, &n);
	ATF_CHECK(n.supervisor && n.cowd && n.meta && n.unix_sockets);
	ATF_CHECK(n.netd && n.connect && !n.listen && n.pure_ports);
	ATF_CHECK(n.netlink && !n.send);
	p->datagrams = 1;
	needs(p, &n);
	ATF_CHECK(n.netlink && n.send && !n.udp && !n.bind);
	p->no_supervisor = 1;
	needs(p, &n);
	ATF_CHECK(!n.supervisor && !n.cowd && !n.netd && !n.meta &&
	    !n.unix_sockets && !n.connect && n.pure_ports);
	ATF_CHECK(!n.netlink && !n.send);
	ATF_CHECK_STREQ("", n.features);
	policy_free(p);

	ATF_REQUIRE((p = policy_new()) != NULL);
	p->private_tmp = 1;
	needs(p, &n);
	ATF_CHECK(n.supervisor && n.cowd && n.meta && !n.netd);
	/* Interfaces are shown to who may use one. */
	ATF_CHECK(n.unix_sockets && !n.netlink && !n.send);
	p->datagrams = 1;
	needs(p, &n);
	ATF_CHECK(!n.netlink && n.send && !n.netd);
	ATF_CHECK_EQ(PERM_MASK, policy_perms(p));
	policy_free(p);

	/* Servers: Landlock does not mediate listen(2). */
	ATF_REQUIRE((p = policy_new()) != NULL);
	rule.direction = NET_IN;
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(n.supervisor && n.netd && n.listen && !n.connect &&
	    !n.cowd && n.pure_ports && n.netlink);
	policy_free(p);

	/* Hosts. */
	ATF_REQUIRE((p = policy_new()) != NULL);
	rule.direction = NET_OUT;
	rule.target = NET_NAME;
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(n.supervisor && n.netd && n.connect && !n.cowd &&
	    !n.pure_ports && n.netlink);
	p->no_supervisor = 1;
	needs(p, &n);
	ATF_CHECK(n.features[0] != '\0' && !n.supervisor && !n.netd &&
	    !n.netlink);
	policy_free(p);

	/* A host that is blocked, where something is admitted at all. */
	ATF_REQUIRE((p = policy_new()) != NULL);
	rule.block = 1;
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(!n.netd && !n.tcp && !n.connect && n.pure_ports);
	rule.block = 0;
	rule.target = NET_ANY;
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(n.netd && n.tcp && n.connect && !n.pure_ports);
	ATF_CHECK(!n.udp && !n.icmp && !n.send && !n.bind);
	policy_free(p);

	/* Of other protocols than TCP Landlock knows nothing. */
	ATF_REQUIRE((p = policy_new()) != NULL);
	rule.protos = NET_PROTO(NET_UDP);
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(n.netd && n.connect && n.send && n.bind && n.udp &&
	    !n.tcp && !n.icmp && !n.listen && n.netlink);
	p->no_supervisor = 1;
	needs(p, &n);
	ATF_CHECK(n.features[0] != '\0' && !n.netd && !n.udp && !n.send);
	policy_free(p);
	ATF_REQUIRE((p = policy_new()) != NULL);
	rule.protos = NET_PROTO(NET_ICMP);
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(n.netd && n.connect && n.send && n.bind && n.icmp &&
	    !n.tcp && n.udp && !n.listen && n.netlink);
	policy_free(p);
	ATF_REQUIRE((p = policy_new()) != NULL);
	rule.protos = NET_PROTO(NET_UDP);
	rule.direction = NET_IN;
	policy_add_net(p, &rule);
	needs(p, &n);
	ATF_CHECK(n.netd && n.connect && n.send && n.bind && n.udp &&
	    !n.tcp && !n.listen);
	policy_free(p);
	rule.protos = NET_PROTO(NET_TCP);
	rule.direction = NET_OUT;

	/* Limits need the supervisor alone. */
	ATF_REQUIRE((p = policy_new()) != NULL);
	p->max_processes = 1;
	needs(p, &n);
	ATF_CHECK(n.supervisor && !n.cowd && !n.netd && !n.netlink);
	p->max_processes = 0;
	p->cpu_percent = 1;
	needs(p, &n);
	ATF_CHECK(n.supervisor && !n.cowd && !n.netd);
	p->max_processes = 1;
	p->log_denials = strdup("2");
	p->no_supervisor = 1;
	needs(p, &n);
	ATF_CHECK_STREQ("the limit of processes (-P), the limit of CPU time "
	    "(-c), the log of denials (--log-denials)", n.features);
	policy_free(p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, net);
	ATF_TP_ADD_TC(tp, net_lists);
	ATF_TP_ADD_TC(tp, net_protos);
	ATF_TP_ADD_TC(tp, blocks_last);
	ATF_TP_ADD_TC(tp, ports);
	ATF_TP_ADD_TC(tp, perms);
	ATF_TP_ADD_TC(tp, sizes);
	ATF_TP_ADD_TC(tp, seconds);
	ATF_TP_ADD_TC(tp, user);
	ATF_TP_ADD_TC(tp, cpus);
	ATF_TP_ADD_TC(tp, protections);
	ATF_TP_ADD_TC(tp, merge);
	ATF_TP_ADD_TC(tp, needs);
	return (atf_no_error());
}
