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
 * From the policy to what the starter of the workload must know: no text of
 * the user is interpreted after this.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holes.h"
#include "landlock.h"
#include "log.h"
#include "netports.h"
#include "run.h"
#include "syscalls.h"

/*
 * Which protections the policy gets from this kernel.  -1 after a message when
 * one is missing and may not be.
 */
int
conf_protections(void)
{
	const struct policy	*p = run.policy;
	enum protection		 prot;
	int			 missing = 0;

	if ((run.abi = landlock_abi()) == 0) {
		log_warnx("landlock: this kernel does not offer it; nothing "
		    "can be confined");
		return (-1);
	}
	for (prot = 0; prot < PROT_MAX; prot++) {
		if (p->protections[prot] == PROT_DISABLED)
			continue;
		if (landlock_has(run.abi, prot)) {
			run.conf.protections |= 1U << prot;
			continue;
		}
		if (p->protections[prot] == PROT_DEGRADED) {
			log_warnx("%s: not protected: this kernel's Landlock "
			    "ABI is %d", policy_protection_name(prot),
			    run.abi);
			continue;
		}
		log_warnx("%s: this kernel's Landlock ABI %d lacks it; "
		    "--allow-degraded %s runs without",
		    policy_protection_name(prot), run.abi,
		    policy_protection_name(prot));
		missing = 1;
	}
	run.conf.abi = run.abi;
	return (missing ? -1 : 0);
}

/* Whether a rule lets the workload reach anybody at all. */
static int
conf_way_out(void)
{
	const struct net_rule	*nr;

	TAILQ_FOREACH(nr, &run.policy->net, entry)
		if (nr->direction == NET_OUT && !nr->block)
			return (1);
	return (0);
}

/*
 * Whether groups may be joined: where datagrams from anywhere may come in, or
 * some may go to groups.
 */
static int
conf_groups(void)
{
	const struct net_rule	*nr;

	TAILQ_FOREACH(nr, &run.policy->net, entry) {
		if (nr->block || (nr->protos & NET_PROTO(NET_UDP)) == 0)
			continue;
		if (nr->direction == NET_IN || nr->target == NET_ANY)
			return (1);
		if (nr->target == NET_ADDRESS && (nr->bits == 0 ||
		    (nr->family == AF_INET ? nr->addr.s6_addr[0] >= 224 :
		    nr->addr.s6_addr[0] == 0xff)))
			return (1);
	}
	return (0);
}

static void
conf_filter(void)
{
	const struct policy		*p = run.policy;
	const struct policy_needs	*pn = &run.needs;
	struct filter_conf		*fc = &run.conf.filter;

	fc->allow_list = p->allow_list;
	fc->log_denials = p->log_denials != NULL;
	fc->fork = p->max_processes != 0 ? FILTER_NOTIFY : FILTER_ALLOW;
	fc->meta = pn->meta ? FILTER_NOTIFY : FILTER_DENY;
	fc->view = pn->view;
	fc->quota = pn->quota;
	fc->unix_sockets = pn->unix_sockets;
	fc->inet_sockets = pn->tcp;
	fc->udp = pn->udp;
	fc->icmp = pn->icmp;
	fc->groups = pn->udp && conf_groups();
	fc->send = pn->send;
	fc->bind = pn->bind;
	fc->remap = pn->remap;
	fc->netlink = pn->netlink;
	fc->hosts = pn->hosts;
	fc->cpus_fixed = p->cpu_cores != NULL;
	if (pn->unix_sockets || pn->connect)
		fc->connect = FILTER_NOTIFY;
	else
		fc->connect = conf_way_out() ? FILTER_ALLOW : FILTER_DENY;
	/* One of TCP that was never bound takes a port, a local one not. */
	if (pn->listen || (pn->tcp && pn->unix_sockets))
		fc->listen = FILTER_NOTIFY;
	else
		fc->listen = fc->inet_sockets ? FILTER_DENY : FILTER_ALLOW;
}

/* The ports of TCP in a direction; every one of them is better said so. */
static int
conf_ports_add(enum net_direction direction, int *any)
{
	bitstr_t	 admitted[NETPORTS_SIZE];
	uint32_t	 hi, lo = 0;

	if (TAILQ_EMPTY(&run.policy->net))
		return (0);
	if (netports_admitted(&run.policy->net, NET_TCP, direction,
	    admitted) == -1)
		return (-1);
	/* Nothing can be connected at port 0: it goes with the next. */
	if (direction == NET_OUT && bit_test(admitted, 1))
		bit_set(admitted, 0);
	else if (direction == NET_OUT)
		bit_clear(admitted, 0);
	for (; netports_range(admitted, &lo, &hi); lo = hi + 1) {
		if (lo == 0 && hi == NETPORTS - 1)
			*any = 1;
		else if (workload_add_port(&run.conf, direction,
		    (uint16_t)lo, (uint16_t)hi) == -1)
			return (-1);
	}
	return (0);
}

/* Ports for Landlock.  What netd does for the workload, that itself may not. */
static int
conf_ports(void)
{
	if (!run.needs.connect &&
	    conf_ports_add(NET_OUT, &run.conf.any_connect) == -1)
		return (-1);
	if (run.needs.bind)
		return (0);
	return (conf_ports_add(NET_IN, &run.conf.any_bind));
}

static int
conf_change_call(const char *name, int nr, int permit)
{
	if (!permit && workload_needs_call(nr)) {
		log_warnx("%s: %s cannot be denied: the command is started "
		    "with it", name, syscall_name(nr));
		return (-1);
	}
	if (permit && !syscall_liftable(nr)) {
		log_warnx("%s: %s breaks the sandbox and cannot be permitted",
		    name, syscall_name(nr));
		return (-1);
	}
	if (workload_add_change(&run.conf, nr, permit) == -1) {
		log_warn("system calls");
		return (-1);
	}
	return (0);
}

static int
conf_change(const char *name, int permit)
{
	const int	*numbers;
	size_t		 i, n;
	int		 nr;

	if (name[0] != '@') {
		if ((nr = syscall_number(name)) == -1) {
			log_warnx("%s: unknown system call", name);
			return (-1);
		}
		return (conf_change_call(name, nr, permit));
	}
	if ((numbers = syscall_group(name, &n)) == NULL) {
		log_warnx("%s: unknown group of system calls", name);
		return (-1);
	}
	for (i = 0; i < n; i++)
		if (conf_change_call(name, numbers[i], permit) == -1)
			return (-1);
	return (0);
}

/*
 * Where the view is the supervisor's and cowd's, Landlock lets the workload
 * read the working directory and the branch, and write neither: a name that
 * changes after it was looked at leads to old content at worst.
 */
static int
conf_view(void)
{
	char	*path;
	int	 ret;

	if (!run.needs.view)
		return (0);
	if (asprintf(&path, "%s/%s", run.branch.storage, run.branch.name) ==
	    -1)
		return (-1);
	ret = workload_add_path(&run.conf, path, PERM_READ | PERM_EXEC, 0);
	free(path);
	return (ret);
}

/* Whether a path is the working directory of a view, or below it. */
static int
conf_viewed(const char *path)
{
	size_t	 len;

	if (!run.needs.view)
		return (0);
	len = strlen(run.branch.workdir);
	return (strncmp(path, run.branch.workdir, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/'));
}

static int
conf_paths(void)
{
	const struct policy	*p = run.policy;
	struct policy_path	*pp;
	unsigned int		 perms;

	TAILQ_FOREACH(pp, &p->paths, entry) {
		perms = pp->perms;
		if (conf_viewed(pp->path))
			perms &= PERM_READ | PERM_EXEC;
		if ((perms != 0 || p->holes != HOLES_NONE) &&
		    workload_add_path(&run.conf, pp->path, perms,
		    pp->optional) == -1)
			return (-1);
	}
	run.conf.filter.holes = holes_level(&run.conf.paths);
	if (conf_view() == -1)
		return (-1);
	if (run.private_dir != NULL && workload_add_path(&run.conf,
	    run.private_dir, PERM_MASK, 0) == -1)
		return (-1);
	return (0);
}

static int
conf_lists(char **argv, int argc)
{
	const struct policy	*p = run.policy;
	struct policy_fd	*pf;
	int			 i;

	for (i = 0; i < argc; i++)
		if (workload_add_arg(&run.conf, argv[i]) == -1)
			return (-1);
	TAILQ_FOREACH(pf, &p->pass_fds, entry)
		if (workload_add_passfd(&run.conf, pf->fd, pf->fd) == -1)
			return (-1);
	if (p->directory != NULL &&
	    (run.conf.directory = strdup(p->directory)) == NULL)
		return (-1);
	return (environ_derive(p, run.private_dir, &run.conf));
}

static void
conf_scalars(void)
{
	const struct policy	*p = run.policy;
	struct workload_conf	*wc = &run.conf;

	wc->no_coredump = p->no_coredump;
	wc->no_huge_pages = p->no_huge_pages;
	wc->no_randomize_memory = p->no_randomize_memory;
	wc->max_processes = p->max_processes;
	wc->cpu_percent = p->cpu_percent;
	wc->max_disk = p->max_disk;
	wc->way_out = conf_way_out();
	if (p->cpu_cores != NULL) {
		wc->cpu_set = 1;
		policy_parse_cpus(p->cpu_cores, &wc->cpus);
	}
}

/* Fill run.conf; 0, or -1 after a message. */
int
conf_derive(char **argv, int argc)
{
	struct policy_syscall	*ps;

	conf_scalars();
	conf_filter();
	TAILQ_FOREACH(ps, &run.policy->syscalls, entry)
		if (conf_change(ps->name, ps->permit) == -1)
			return (-1);
	if (conf_ports() == -1 || conf_paths() == -1 ||
	    conf_lists(argv, argc) == -1) {
		log_warn("policy");
		return (-1);
	}
	return (0);
}
