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
 * The policy as data: making, merging and freeing it, what it asks of the
 * workers, and the values that flags and sandlock.conf(5) spell alike.  It
 * knows neither the grammar nor the options, and looks at no file.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define SECONDS_MAX	1000000000ULL	/* 31 years; ms still fit 64 bits */

static int		 string_replace(char **, const char *);
static int		 merge_lists(struct policy *, const struct policy *);
static int		 merge_workdir(struct policy *, const struct policy *);
static void		 merge_scalars(struct policy *, const struct policy *);
static void		 needs_feature(struct policy_needs *, const char *);
static void		 needs_net(const struct policy *,
			    struct policy_needs *);
static const char	*parse_number(const char **, uint64_t, uint64_t *);

static const char *protection_names[PROT_MAX] = {
	[PROT_FS_REFER] = "fs-refer",
	[PROT_FS_TRUNCATE] = "fs-truncate",
	[PROT_NET_TCP] = "net-tcp",
	[PROT_FS_IOCTL_DEV] = "fs-ioctl-dev",
	[PROT_SIGNAL_SCOPE] = "signal-scope",
	[PROT_ABSTRACT_UNIX_SOCKET_SCOPE] = "abstract-unix-socket-scope"
};

static const char *const	 action_names[] = {
	[BRANCH_UNSET] = "",
	[BRANCH_COMMIT] = "commit",
	[BRANCH_ABORT] = "abort",
	[BRANCH_KEEP] = "keep"
};

static const char *const	 form_names[] = {
	[DRY_RUN_UNSET] = "",
	[DRY_RUN_LIST] = "list",
	[DRY_RUN_JSON] = "json",
	[DRY_RUN_DIFF] = "diff"
};

struct policy *
policy_new(void)
{
	struct policy	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	TAILQ_INIT(&p->paths);
	TAILQ_INIT(&p->envs);
	TAILQ_INIT(&p->net);
	TAILQ_INIT(&p->syscalls);
	TAILQ_INIT(&p->pass_fds);
	p->kill_after_ms = POLICY_KILL_AFTER_MS;
	p->status_fd = -1;
	return (p);
}

void
policy_free(struct policy *p)
{
	struct policy_path	*path;
	struct policy_env	*env;
	struct policy_syscall	*sc;
	struct policy_fd	*pfd;

	if (p == NULL)
		return;
	while ((path = TAILQ_FIRST(&p->paths)) != NULL) {
		TAILQ_REMOVE(&p->paths, path, entry);
		free(path->path);
		free(path);
	}
	while ((env = TAILQ_FIRST(&p->envs)) != NULL) {
		TAILQ_REMOVE(&p->envs, env, entry);
		free(env->name);
		/* Values may be secrets of the caller. */
		if (env->value != NULL)
			freezero(env->value, strlen(env->value));
		free(env);
	}
	while ((sc = TAILQ_FIRST(&p->syscalls)) != NULL) {
		TAILQ_REMOVE(&p->syscalls, sc, entry);
		free(sc->name);
		free(sc);
	}
	while ((pfd = TAILQ_FIRST(&p->pass_fds)) != NULL) {
		TAILQ_REMOVE(&p->pass_fds, pfd, entry);
		free(pfd);
	}
	net_rules_free(&p->net);
	free(p->name);
	free(p->directory);
	free(p->workdir);
	free(p->storage);
	free(p->log_denials);
	free(p->cpu_cores);
	free(p->gpu);
	free(p->run_as);
	free(p->run_as_home);
	free(p);
}

void
net_rules_free(struct net_rules *rules)
{
	struct net_rule	*rule;

	while ((rule = TAILQ_FIRST(rules)) != NULL) {
		TAILQ_REMOVE(rules, rule, entry);
		free(rule);
	}
}

int
policy_add_path(struct policy *p, const char *path, unsigned int perms,
    int optional)
{
	struct policy_path	*new;

	if ((new = calloc(1, sizeof(*new))) == NULL)
		return (-1);
	if ((new->path = strdup(path)) == NULL) {
		free(new);
		return (-1);
	}
	new->perms = perms & PERM_MASK;
	new->optional = optional;
	TAILQ_INSERT_TAIL(&p->paths, new, entry);
	return (0);
}

int
policy_add_env(struct policy *p, const char *name, const char *value)
{
	struct policy_env	*new;

	if ((new = calloc(1, sizeof(*new))) == NULL)
		return (-1);
	if ((new->name = strdup(name)) == NULL ||
	    (value != NULL && (new->value = strdup(value)) == NULL)) {
		free(new->name);
		free(new);
		return (-1);
	}
	TAILQ_INSERT_TAIL(&p->envs, new, entry);
	return (0);
}

/* Behind the rules that pass, in their order: then they beat all of those. */
void
net_rules_blocks_last(struct net_rules *rules)
{
	struct net_rules	 blocks = TAILQ_HEAD_INITIALIZER(blocks);
	struct net_rule		*next, *rule;

	for (rule = TAILQ_FIRST(rules); rule != NULL; rule = next) {
		next = TAILQ_NEXT(rule, entry);
		if (rule->block) {
			TAILQ_REMOVE(rules, rule, entry);
			TAILQ_INSERT_TAIL(&blocks, rule, entry);
		}
	}
	TAILQ_CONCAT(rules, &blocks, entry);
}

int
policy_add_net(struct policy *p, const struct net_rule *rule)
{
	struct net_rule	*new;

	if ((new = malloc(sizeof(*new))) == NULL)
		return (-1);
	*new = *rule;
	TAILQ_INSERT_TAIL(&p->net, new, entry);
	return (0);
}

int
policy_add_syscall(struct policy *p, const char *name, int permit)
{
	struct policy_syscall	*new;

	if ((new = calloc(1, sizeof(*new))) == NULL)
		return (-1);
	if ((new->name = strdup(name)) == NULL) {
		free(new);
		return (-1);
	}
	new->permit = permit;
	TAILQ_INSERT_TAIL(&p->syscalls, new, entry);
	return (0);
}

int
policy_add_fd(struct policy *p, int fd)
{
	struct policy_fd	*new;

	TAILQ_FOREACH(new, &p->pass_fds, entry)
		if (new->fd == fd)
			return (0);
	if ((new = calloc(1, sizeof(*new))) == NULL)
		return (-1);
	new->fd = fd;
	TAILQ_INSERT_TAIL(&p->pass_fds, new, entry);
	return (0);
}

/* Replace *to by a copy of from, unless from is NULL. */
static int
string_replace(char **to, const char *from)
{
	char	*new;

	if (from == NULL)
		return (0);
	if ((new = strdup(from)) == NULL)
		return (-1);
	free(*to);
	*to = new;
	return (0);
}

static int
merge_lists(struct policy *to, const struct policy *from)
{
	const struct policy_path	*path;
	const struct policy_env		*env;
	const struct net_rule		*rule;
	const struct policy_syscall	*sc;
	const struct policy_fd		*pfd;

	TAILQ_FOREACH(path, &from->paths, entry)
		if (policy_add_path(to, path->path, path->perms,
		    path->optional) == -1)
			return (-1);
	TAILQ_FOREACH(env, &from->envs, entry)
		if (policy_add_env(to, env->name, env->value) == -1)
			return (-1);
	TAILQ_FOREACH(rule, &from->net, entry)
		if (policy_add_net(to, rule) == -1)
			return (-1);
	TAILQ_FOREACH(sc, &from->syscalls, entry)
		if (policy_add_syscall(to, sc->name, sc->permit) == -1)
			return (-1);
	TAILQ_FOREACH(pfd, &from->pass_fds, entry)
		if (policy_add_fd(to, pfd->fd) == -1)
			return (-1);
	return (0);
}

/*
 * "no workdir" grants directly what would have had a branch, and drops what was
 * said about that.  A dry run stays: without a branch it is an error, and not a
 * run that writes.
 */
static int
merge_workdir(struct policy *to, const struct policy *from)
{
	if (from->workdir != NULL) {
		to->no_workdir = 0;
		return (string_replace(&to->workdir, from->workdir));
	}
	if (!from->no_workdir)
		return (0);
	to->no_workdir = 1;
	if (to->workdir != NULL &&
	    policy_add_path(to, to->workdir, PERM_MASK, 0) == -1)
		return (-1);
	free(to->workdir);
	free(to->storage);
	to->workdir = to->storage = NULL;
	to->isolation = ISOLATION_UNSET;
	to->on_exit = to->on_error = BRANCH_UNSET;
	return (0);
}

static void
merge_scalars(struct policy *to, const struct policy *from)
{
	int	i;

	if (from->env_mode_set) {
		to->env_mode_set = 1;
		to->env_mode = from->env_mode;
	}
	if (from->allow_list_set) {
		to->allow_list_set = 1;
		to->allow_list = from->allow_list;
	}
	for (i = 0; i < PROT_MAX; i++)
		if (from->protections[i] != PROT_STRICT)
			to->protections[i] = from->protections[i];
	if (from->max_processes != 0)
		to->max_processes = from->max_processes;
	if (from->cpu_percent != 0)
		to->cpu_percent = from->cpu_percent;
	if (from->timeout_ms != 0)
		to->timeout_ms = from->timeout_ms;
	if (from->kill_after_set) {
		to->kill_after_set = 1;
		to->kill_after_ms = from->kill_after_ms;
	}
	if (from->status_fd != -1)
		to->status_fd = from->status_fd;
	if (from->user_set) {
		to->user_set = 1;
		to->user_uid = from->user_uid;
		to->user_gid = from->user_gid;
	}
	if (from->isolation != ISOLATION_UNSET)
		to->isolation = from->isolation;
	if (from->on_exit != BRANCH_UNSET)
		to->on_exit = from->on_exit;
	if (from->on_error != BRANCH_UNSET)
		to->on_error = from->on_error;
	if (from->max_disk != 0)
		to->max_disk = from->max_disk;
	if (from->dry_run_form != DRY_RUN_UNSET)
		to->dry_run_form = from->dry_run_form;
	to->dry_run |= from->dry_run;
	to->resolver |= from->resolver;
	to->refresh |= from->refresh;
	to->guard_home |= from->guard_home;
	to->private_home |= from->private_home;
	to->private_tmp |= from->private_tmp;
	to->no_coredump |= from->no_coredump;
	to->no_huge_pages |= from->no_huge_pages;
	to->no_randomize_memory |= from->no_randomize_memory;
	to->no_supervisor |= from->no_supervisor;
	to->port_remap |= from->port_remap;
}

int
policy_merge(struct policy *to, const struct policy *from)
{
	if (merge_workdir(to, from) == -1 || merge_lists(to, from) == -1)
		return (-1);
	merge_scalars(to, from);
	if (to->name == NULL && string_replace(&to->name, from->name) == -1)
		return (-1);
	if (string_replace(&to->directory, from->directory) == -1 ||
	    string_replace(&to->storage, from->storage) == -1 ||
	    string_replace(&to->log_denials, from->log_denials) == -1 ||
	    string_replace(&to->cpu_cores, from->cpu_cores) == -1 ||
	    string_replace(&to->gpu, from->gpu) == -1 ||
	    string_replace(&to->run_as, from->run_as) == -1)
		return (-1);
	return (0);
}

unsigned int
policy_perms(const struct policy *p)
{
	const struct policy_path	*path;
	unsigned int			 perms = 0;

	TAILQ_FOREACH(path, &p->paths, entry)
		perms |= path->perms;
	if (p->private_home || p->private_tmp)
		perms |= PERM_MASK;
	return (perms);
}

static void
needs_feature(struct policy_needs *needs, const char *name)
{
	if (needs->features[0] != '\0')
		strlcat(needs->features, ", ", sizeof(needs->features));
	strlcat(needs->features, name, sizeof(needs->features));
}

/* What kinds of sockets rules admit anything for. */
static void
needs_sockets(const struct policy *p, struct policy_needs *needs, int *hosts)
{
	const struct net_rule	*rule;
	unsigned int		 in = 0, out = 0;

	*hosts = 0;
	TAILQ_FOREACH(rule, &p->net, entry) {
		if (!rule->block && rule->direction == NET_IN)
			in |= rule->protos;
		else if (!rule->block)
			out |= rule->protos;
		if (rule->target != NET_ANY && rule->direction == NET_OUT &&
		    (rule->protos & NET_PROTO(NET_TCP)) != 0)
			*hosts = 1;
	}
	needs->tcp = ((in | out) & NET_PROTO(NET_TCP)) != 0;
	needs->icmp = (out & NET_PROTO(NET_ICMP)) != 0;
	/* ping(8) asks one for its own address. */
	needs->udp = needs->icmp || ((in | out) & NET_PROTO(NET_UDP)) != 0;
	needs->listen = (in & NET_PROTO(NET_TCP)) != 0;
	*hosts = *hosts && (out & NET_PROTO(NET_TCP)) != 0;
}

/* Whether the workload is to find addresses by name: netd tells it which. */
static int
needs_names(const struct policy *p)
{
	const struct net_rule	*rule;

	TAILQ_FOREACH(rule, &p->net, entry)
		if (!rule->block && rule->direction == NET_OUT &&
		    rule->target == NET_NAME)
			return (1);
	return (0);
}

/*
 * Landlock knows the ports of TCP, not addresses nor other protocols, and does
 * not mediate listen(2) nor AF_UNIX.  Sockets of all kinds come from one
 * socket(2), and a filter cannot tell of which an fd is: so where one kind of
 * connect or bind has to be seen all are notified, and those of TCP have to be
 * made by netd.
 */
static void
needs_net(const struct policy *p, struct policy_needs *needs)
{
	int	 datagrams, hosts;

	needs_sockets(p, needs, &hosts);
	datagrams = needs->udp || needs->icmp;
	needs->pure_ports = !hosts;
	if (hosts)
		needs_feature(needs, "rules for hosts (--net-allow)");
	if (datagrams)
		needs_feature(needs, "UDP and ICMP (--net-allow without "
		    "tcp://)");
	if (needs->listen)
		needs_feature(needs, "listening (--net-allow-bind)");
	if (p->no_supervisor) {
		needs->udp = needs->icmp = needs->listen = 0;
		return;
	}
	needs->connect = hosts || datagrams ||
	    (needs->tcp && needs->unix_sockets);
	needs->bind = datagrams;
	needs->send = datagrams || (needs->unix_sockets && p->datagrams);
	needs->hosts = needs_names(p);
	needs->netd = needs->connect || needs->listen || needs->hosts;
}

/*
 * Ports of its own.  Every call that takes or tells a port is seen then, and a
 * connect may have to go to another one.
 */
static void
needs_remap(const struct policy *p, struct policy_needs *needs)
{
	if (!p->port_remap)
		return;
	needs_feature(needs, "ports of its own (--port-remap)");
	if (p->no_supervisor)
		return;
	needs->remap = needs->bind = needs->netd = 1;
	if (needs->tcp)
		needs->connect = needs->listen = 1;
}

/*
 * A resolver of its own, to which UDP leads, and TCP where there is any.  What
 * comes from there says so only if the calls that tell addresses are seen.
 */
static void
needs_resolver(const struct policy *p, struct policy_needs *needs)
{
	if (!p->resolver)
		return;
	needs_feature(needs, "the resolver (--net-resolver)");
	if (p->no_supervisor)
		return;
	needs->udp = needs->connect = needs->send = needs->bind = 1;
	needs->remap = needs->hosts = needs->netd = 1;
}

/* Whether netd has to know addresses first: rules of either kind have names. */
static int
needs_answers(const struct policy *p)
{
	const struct net_rule	*rule;

	TAILQ_FOREACH(rule, &p->net, entry)
		if (rule->target == NET_NAME)
			return (1);
	return (p->resolver);
}

void
policy_needs(const struct policy *p, struct policy_needs *needs)
{
	memset(needs, 0, sizeof(*needs));
	if (p->workdir != NULL) {
		needs_feature(needs, "a working directory (--workdir)");
		needs->cowd = 1;
		needs->view = p->isolation != ISOLATION_OVERLAYFS &&
		    p->isolation != ISOLATION_BRANCHFS;
		needs->quota = p->max_disk != 0;
	}
	if (p->max_processes != 0)
		needs_feature(needs, "the limit of processes (-P)");
	if (p->cpu_percent != 0)
		needs_feature(needs, "the limit of CPU time (-c)");
	if (p->log_denials != NULL)
		needs_feature(needs, "the log of denials (--log-denials)");
	if (p->holes != HOLES_NONE) {
		needs_feature(needs, "a path with fewer rights than around it");
		needs->holes = needs->cowd = 1;
	}
	if (!p->no_supervisor && (policy_perms(p) & PERM_META) != 0) {
		needs_feature(needs, "changes of metadata below w or c paths");
		needs->meta = needs->unix_sockets = needs->cowd = 1;
	}
	needs_net(p, needs);
	needs_remap(p, needs);
	needs_resolver(p, needs);
	needs->answers = needs->netd && needs_answers(p);
	needs->supervisor = !p->no_supervisor && needs->features[0] != '\0';
	/*
	 * Without a rule there is no network that could be shown; and it is not
	 * worth a supervisor of its own: libc does without.
	 */
	needs->netlink = needs->supervisor &&
	    (needs->tcp || needs->udp || needs->icmp);
}

const char *
policy_parse_perms(const char *s, unsigned int *perms, int *optional)
{
	static const char	 letters[] = "rwxc";
	static char		 error[64];
	const char		*l;

	*perms = 0;
	*optional = 0;
	if (strcmp(s, "none") == 0)
		return (NULL);
	for (; *s != '\0'; s++) {
		if (*s == '?' && s[1] == '\0') {
			*optional = 1;
			break;
		}
		if ((l = strchr(letters, *s)) == NULL) {
			snprintf(error, sizeof(error), "unknown permission "
			    "'%c', not one of r, w, x, c",
			    isprint((unsigned char)*s) ? *s : '?');
			return (error);
		}
		if (*perms & (1U << (l - letters))) {
			snprintf(error, sizeof(error),
			    "permission '%c' given twice", *s);
			return (error);
		}
		*perms |= 1U << (l - letters);
	}
	return (*perms == 0 ? "permissions missing" : NULL);
}

void
policy_perms_string(unsigned int perms, char s[5])
{
	size_t	i, n = 0;

	if (perms == PERM_NONE) {
		strlcpy(s, "none", 5);
		return;
	}
	for (i = 0; i < 4; i++)
		if (perms & (1U << i))
			s[n++] = "rwxc"[i];
	s[n] = '\0';
}

const char *
policy_parse_protection(const char *s, enum protection *prot)
{
	int	i;

	for (i = 0; i < PROT_MAX; i++)
		if (strcmp(s, protection_names[i]) == 0) {
			*prot = (enum protection)i;
			return (NULL);
		}
	return ("unknown protection, not one of fs-refer, fs-truncate, "
	    "net-tcp, fs-ioctl-dev, signal-scope, abstract-unix-socket-scope");
}

const char *
policy_protection_name(enum protection prot)
{
	return (protection_names[prot]);
}

const char *
policy_parse_isolation(const char *s, enum isolation *isolation)
{
	if (strcmp(s, "overlayfs") == 0)
		*isolation = ISOLATION_OVERLAYFS;
	else if (strcmp(s, "seccomp") == 0)
		*isolation = ISOLATION_SECCOMP;
	else if (strcmp(s, "branchfs") == 0)
		*isolation = ISOLATION_BRANCHFS;
	else
		return ("not one of seccomp, overlayfs, branchfs");
	return (NULL);
}

const char *
policy_isolation_name(enum isolation isolation)
{
	switch (isolation) {
	case ISOLATION_OVERLAYFS:
		return ("overlayfs");
	case ISOLATION_BRANCHFS:
		return ("branchfs");
	default:
		return ("seccomp");
	}
}

const char *
policy_parse_action(const char *s, enum branch_action *action)
{
	enum branch_action	 i;

	for (i = BRANCH_COMMIT; i <= BRANCH_KEEP; i++)
		if (strcmp(s, action_names[i]) == 0) {
			*action = i;
			return (NULL);
		}
	return ("not one of commit, abort, keep");
}

const char *
policy_action_name(enum branch_action action)
{
	return (action_names[action]);
}

const char *
policy_parse_form(const char *s, enum dry_run_form *form)
{
	enum dry_run_form	 i;

	for (i = DRY_RUN_LIST; i <= DRY_RUN_DIFF; i++)
		if (strcmp(s, form_names[i]) == 0) {
			*form = i;
			return (NULL);
		}
	return ("not one of list, json, diff");
}

const char *
policy_form_name(enum dry_run_form form)
{
	return (form_names[form]);
}

/* A run of digits up to max; the pointer moves behind it. */
static const char *
parse_number(const char **s, uint64_t max, uint64_t *value)
{
	if (!isdigit((unsigned char)**s))
		return ("not a number");
	*value = 0;
	for (; isdigit((unsigned char)**s); (*s)++) {
		*value = *value * 10 + (uint64_t)(**s - '0');
		if (*value > max)
			return ("too large");
	}
	return (NULL);
}

const char *
policy_parse_size(const char *s, uint64_t *size)
{
	static const char	 units[] = "KMGT";
	const char		*error, *u;
	int			 shift = 0;

	if ((error = parse_number(&s, POLICY_DISK_MAX, size)) != NULL)
		return (error);
	if (*s != '\0' && (u = strchr(units, *s)) != NULL) {
		shift = 10 * (int)(u - units + 1);
		s++;
	}
	if (*s != '\0')
		return ("not a number of bytes, with K, M, G or T behind it");
	if (*size > POLICY_DISK_MAX >> shift)
		return ("too large");
	*size <<= shift;
	if (*size < POLICY_DISK_MIN)
		return ("less than 64K");
	return (NULL);
}

const char *
policy_parse_seconds(const char *s, uint64_t *ms)
{
	const char	*error;
	uint64_t	 unit = 100;
	int		 rest = 0;

	if ((error = parse_number(&s, SECONDS_MAX, ms)) != NULL)
		return (error);
	*ms *= 1000;
	if (*s == '.') {
		if (!isdigit((unsigned char)*++s))
			return ("not a number of seconds");
		for (; isdigit((unsigned char)*s); s++) {
			*ms += (uint64_t)(*s - '0') * unit;
			if (unit == 0 && *s != '0')
				rest = 1;
			unit /= 10;
		}
		/* Less than a millisecond must not become none at all. */
		*ms += (uint64_t)rest;
	}
	return (*s == '\0' ? NULL : "not a number of seconds");
}

const char *
policy_parse_user(const char *s, uid_t *uid, gid_t *gid)
{
	uint64_t	 u, g;

	/* The largest number means "no change" to the kernel. */
	if (parse_number(&s, UINT32_MAX - 1, &u) != NULL || *s++ != ':' ||
	    parse_number(&s, UINT32_MAX - 1, &g) != NULL || *s != '\0')
		return ("not of the form UID:GID");
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return (NULL);
}

const char *
policy_parse_cpus(const char *s, cpu_set_t *cpus)
{
	const char	*error;
	uint64_t	 lo, hi;

	CPU_ZERO(cpus);
	do {
		if ((error = parse_number(&s, CPU_SETSIZE - 1, &lo)) != NULL)
			return (error);
		hi = lo;
		if (*s == '-') {
			s++;
			error = parse_number(&s, CPU_SETSIZE - 1, &hi);
			if (error != NULL)
				return (error);
		}
		if (hi < lo)
			return ("the range runs backwards");
		for (; lo <= hi; lo++)
			CPU_SET(lo, cpus);
	} while (*s++ == ',');
	return (s[-1] == '\0' ? NULL :
	    "not a list of numbers and ranges such as 0,2-3");
}
