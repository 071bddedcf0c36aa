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
 * Settings of a policy from text.  The options of "sandlock run" and the
 * statements of sandlock.conf(5) end here, so that a flag and its keyword
 * accept the same values and mean the same.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "policy.h"
#include "sandlock.h"
#include "syscalls.h"

#define FD_LIMIT	1048576		/* the kernel's default fs.nr_open */

static const char	*setting_string(char **, const char *);
static const char	*setting_number(const char *, long long, long long,
			    long long *);
static const char	*setting_fd(const char *, int *);
static const char	*setting_flag_form(const char *, char *, size_t);
static const char	*setting_flag_path(struct policy *, const char *,
			    unsigned int, int);
static const char	*setting_syscall(struct policy *, const char *, int);

static const char *
setting_string(char **to, const char *from)
{
	char	*new;

	if (*from == '\0')
		return ("empty");
	if ((new = strdup(from)) == NULL)
		return (strerror(errno));
	free(*to);
	*to = new;
	return (NULL);
}

static const char *
setting_number(const char *s, long long min, long long max, long long *value)
{
	static char	 error[80];
	const char	*why;

	/* strtonum() takes blanks and signs, which here are mistakes. */
	if (!isdigit((unsigned char)*s))
		return ("not a number");
	*value = strtonum(s, min, max, &why);
	if (why == NULL)
		return (NULL);
	if (strcmp(why, "invalid") == 0)
		return ("not a number");
	snprintf(error, sizeof(error), "not between %lld and %lld", min, max);
	return (error);
}

static const char *
setting_fd(const char *s, int *fd)
{
	const char	*error;
	long long	 value;

	if ((error = setting_number(s, 0, FD_LIMIT, &value)) != NULL)
		return (error);
	*fd = (int)value;
	return (NULL);
}

/*
 * Paths are absolute, or begin with a component that shows to what they are
 * relative: "~" the caller's HOME, "." and ".." the directory of the run.
 */
const char *
setting_path_form(const char *path)
{
	size_t	 n;

	if (*path == '\0')
		return ("empty path");
	if (strlen(path) >= PATH_MAX)
		return ("path too long");
	n = strcspn(path, "/");
	if (n == 0 || (n == 1 && (path[0] == '.' || path[0] == '~')) ||
	    (n == 2 && path[0] == '.' && path[1] == '.'))
		return (NULL);
	return ("path does not begin with '/', '~/' or './'");
}

const char *
setting_path(struct policy *p, const char *path, unsigned int perms,
    int optional)
{
	const char	*error;

	if ((error = setting_path_form(path)) != NULL)
		return (error);
	if (policy_add_path(p, path, perms, optional) == -1)
		return (strerror(errno));
	return (NULL);
}

/* On the command line "src" is "./src", as everywhere in a shell. */
static const char *
setting_flag_form(const char *path, char *buf, size_t size)
{
	int	 n;

	n = snprintf(buf, size, "%s%s", *path != '\0' &&
	    setting_path_form(path) != NULL ? "./" : "", path);
	if (n < 0 || (size_t)n >= size)
		return ("path too long");
	return (NULL);
}

static const char *
setting_flag_path(struct policy *p, const char *path, unsigned int perms,
    int optional)
{
	char		 buf[PATH_MAX];
	const char	*error;

	if ((error = setting_flag_form(path, buf, sizeof(buf))) != NULL)
		return (error);
	return (setting_path(p, buf, perms, optional));
}

const char *
setting_read(struct policy *p, const char *path)
{
	return (setting_flag_path(p, path, PERM_READ | PERM_EXEC, 0));
}

const char *
setting_write(struct policy *p, const char *path)
{
	return (setting_flag_path(p, path, PERM_MASK, 0));
}

/* PATH:PERMS[?]; the path may hold colons, the permissions cannot. */
const char *
setting_unveil(struct policy *p, const char *s)
{
	char		 path[PATH_MAX];
	const char	*colon, *error;
	unsigned int	 perms;
	int		 optional;

	if ((colon = strrchr(s, ':')) == NULL)
		return ("not of the form PATH:PERMS");
	if ((size_t)(colon - s) >= sizeof(path))
		return ("path too long");
	memcpy(path, s, (size_t)(colon - s));
	path[colon - s] = '\0';
	if ((error = policy_parse_perms(colon + 1, &perms, &optional)) != NULL)
		return (error);
	return (setting_flag_path(p, path, perms, optional));
}

const char *
setting_deny(struct policy *p, const char *path)
{
	return (setting_flag_path(p, path, PERM_NONE, 0));
}

const char *
setting_setenv(struct policy *p, const char *name, const char *value)
{
	if (*name == '\0' || strchr(name, '=') != NULL)
		return ("bad name of a variable");
	if (policy_add_env(p, name, value) == -1)
		return (strerror(errno));
	return (NULL);
}

const char *
setting_unsetenv(struct policy *p, const char *name)
{
	return (setting_setenv(p, name, NULL));
}

const char *
setting_env(struct policy *p, const char *s)
{
	const char	*equals, *error;
	char		*name;

	if ((equals = strchr(s, '=')) == NULL)
		return ("not of the form NAME=VALUE");
	if ((name = strndup(s, (size_t)(equals - s))) == NULL)
		return (strerror(errno));
	error = setting_setenv(p, name, equals + 1);
	free(name);
	return (error);
}

const char *
setting_environment(struct policy *p, const char *s)
{
	if (strcmp(s, "inherit") == 0)
		p->env_mode = ENV_INHERIT;
	else if (strcmp(s, "scrub") == 0)
		p->env_mode = ENV_SCRUB;
	else if (strcmp(s, "clean") == 0)
		p->env_mode = ENV_CLEAN;
	else
		return ("not one of inherit, scrub, clean");
	p->env_mode_set = 1;
	return (NULL);
}

const char *
setting_directory(struct policy *p, const char *path)
{
	const char	*error;

	if ((error = setting_path_form(path)) != NULL)
		return (error);
	return (setting_string(&p->directory, path));
}

const char *
setting_cwd(struct policy *p, const char *path)
{
	char		 buf[PATH_MAX];
	const char	*error;

	if ((error = setting_flag_form(path, buf, sizeof(buf))) != NULL)
		return (error);
	return (setting_directory(p, buf));
}

const char *
setting_workdir(struct policy *p, const char *path)
{
	const char	*error;

	if ((error = setting_path_form(path)) != NULL)
		return (error);
	if (p->no_workdir)
		return ("impossible with no workdir");
	return (setting_string(&p->workdir, path));
}

const char *
setting_workdir_flag(struct policy *p, const char *path)
{
	char		 buf[PATH_MAX];
	const char	*error;

	if ((error = setting_flag_form(path, buf, sizeof(buf))) != NULL)
		return (error);
	return (setting_workdir(p, buf));
}

const char *
setting_storage(struct policy *p, const char *path)
{
	const char	*error;

	if ((error = setting_path_form(path)) != NULL)
		return (error);
	return (setting_string(&p->storage, path));
}

const char *
setting_storage_flag(struct policy *p, const char *path)
{
	char		 buf[PATH_MAX];
	const char	*error;

	if ((error = setting_flag_form(path, buf, sizeof(buf))) != NULL)
		return (error);
	return (setting_storage(p, buf));
}

const char *
setting_max_disk(struct policy *p, const char *s)
{
	return (policy_parse_size(s, &p->max_disk));
}

const char *
setting_isolation(struct policy *p, const char *s)
{
	return (policy_parse_isolation(s, &p->isolation));
}

const char *
setting_on_exit(struct policy *p, const char *s)
{
	return (policy_parse_action(s, &p->on_exit));
}

const char *
setting_on_error(struct policy *p, const char *s)
{
	return (policy_parse_action(s, &p->on_error));
}

/* The form of a dry run's output; the run itself is asked for elsewhere. */
const char *
setting_dry_run_form(struct policy *p, const char *s)
{
	enum dry_run_form	 form;
	const char		*error;

	if ((error = policy_parse_form(s, &form)) != NULL)
		return (error);
	if (p->dry_run_form != DRY_RUN_UNSET && p->dry_run_form != form)
		return ("only one of list, json, diff");
	p->dry_run_form = form;
	return (NULL);
}

const char *
setting_dry_run(struct policy *p, const char *s)
{
	p->dry_run = 1;
	return (s == NULL ? NULL : setting_dry_run_form(p, s));
}

const char *
setting_processes(struct policy *p, const char *s)
{
	const char	*error;
	long long	 value;

	if ((error = setting_number(s, 1, POLICY_PROCESSES_MAX,
	    &value)) != NULL)
		return (error);
	p->max_processes = (uint32_t)value;
	return (NULL);
}

const char *
setting_cpu(struct policy *p, const char *s)
{
	const char	*error;
	long long	 value;

	if ((error = setting_number(s, 1, POLICY_CPU_MAX, &value)) != NULL)
		return (error);
	p->cpu_percent = (uint32_t)value;
	return (NULL);
}

const char *
setting_time(struct policy *p, const char *s)
{
	const char	*error;
	uint64_t	 ms;

	if ((error = policy_parse_seconds(s, &ms)) != NULL)
		return (error);
	if (ms == 0)
		return ("must be more than 0");
	p->timeout_ms = ms;
	return (NULL);
}

const char *
setting_kill_after(struct policy *p, const char *s)
{
	const char	*error;
	uint64_t	 ms;

	if ((error = policy_parse_seconds(s, &ms)) != NULL)
		return (error);
	p->kill_after_ms = ms;
	p->kill_after_set = 1;
	return (NULL);
}

const char *
setting_limit(struct policy *p, const char *name, const char *value)
{
	if (strcmp(name, "processes") == 0)
		return (setting_processes(p, value));
	if (strcmp(name, "cpu") == 0)
		return (setting_cpu(p, value));
	if (strcmp(name, "time") == 0)
		return (setting_time(p, value));
	if (strcmp(name, "kill-after") == 0)
		return (setting_kill_after(p, value));
	return ("not one of processes, cpu, time, kill-after");
}

const char *
setting_net_out(struct policy *p, const char *s)
{
	struct net_rule	 model = { .direction = NET_OUT };

	return (policy_parse_net(s, &model, &p->net));
}

const char *
setting_net_deny(struct policy *p, const char *s)
{
	struct net_rule	 model = { .direction = NET_OUT, .block = 1 };

	return (policy_parse_net(s, &model, &p->net));
}

const char *
setting_net_in(struct policy *p, const char *s)
{
	struct net_rule	 model = { .direction = NET_IN };

	return (policy_parse_bind(s, &model, &p->net));
}

const char *
setting_net_deny_in(struct policy *p, const char *s)
{
	struct net_rule	 model = { .direction = NET_IN, .block = 1 };

	return (policy_parse_bind(s, &model, &p->net));
}

/* Servers of TCP alone, as --net-bind meant them. */
const char *
setting_net_bind(struct policy *p, const char *s)
{
	struct net_rule	 model = { .direction = NET_IN,
			    .protos = NET_PROTO(NET_TCP) };

	return (policy_parse_port_list(s, &model, &p->net));
}

/* Hosts, and ports of TCP, that are combined when both are given. */
const char *
setting_net_host(struct net_rules *hosts, const char *s)
{
	struct net_rule	 rule = { .direction = NET_OUT };
	const char	*error;

	if ((error = policy_parse_target(s, &rule)) != NULL)
		return (error);
	return (policy_parse_port_list("*", &rule, hosts));
}

const char *
setting_net_connect(struct net_rules *ports, const char *s)
{
	struct net_rule	 model = { .direction = NET_OUT,
			    .protos = NET_PROTO(NET_TCP) };

	return (policy_parse_port_list(s, &model, ports));
}

const char *
setting_refresh(struct policy *p, const char *s)
{
	(void)s;
	p->refresh = 1;
	return (NULL);
}

const char *
setting_resolver(struct policy *p, const char *s)
{
	(void)s;
	p->resolver = 1;
	return (NULL);
}

static const char *
setting_syscall(struct policy *p, const char *name, int permit)
{
	const int	*numbers;
	size_t		 i, n;

	if (name[0] == '@') {
		if ((numbers = syscall_group(name, &n)) == NULL)
			return ("unknown group of system calls");
		/* Without these denials there would be no sandbox. */
		for (i = 0; permit && i < n; i++)
			if (!syscall_liftable(numbers[i]))
				return ("some of these calls must stay denied");
	} else if (permit)
		return ("only a @group can be permitted");
	else if (syscall_number(name) == -1)
		return ("unknown system call");
	if (policy_add_syscall(p, name, permit) == -1)
		return (strerror(errno));
	return (NULL);
}

const char *
setting_deny_syscall(struct policy *p, const char *name)
{
	return (setting_syscall(p, name, 0));
}

const char *
setting_permit_syscall(struct policy *p, const char *name)
{
	return (setting_syscall(p, name, 1));
}

const char *
setting_syscalls(struct policy *p, const char *s)
{
	if (strcmp(s, "allow-list") == 0)
		p->allow_list = 1;
	else if (strcmp(s, "deny-list") == 0)
		p->allow_list = 0;
	else
		return ("not one of allow-list, deny-list");
	p->allow_list_set = 1;
	return (NULL);
}

const char *
setting_degraded(struct policy *p, const char *name)
{
	enum protection	 prot;
	const char	*error;

	if ((error = policy_parse_protection(name, &prot)) == NULL)
		p->protections[prot] = PROT_DEGRADED;
	return (error);
}

const char *
setting_disable(struct policy *p, const char *name)
{
	enum protection	 prot;
	const char	*error;

	if ((error = policy_parse_protection(name, &prot)) == NULL)
		p->protections[prot] = PROT_DISABLED;
	return (error);
}

/* Digits alone are a descriptor: a file of that name is "./3". */
const char *
setting_log_denials(struct policy *p, const char *s)
{
	const char	*error;
	int		 fd;

	error = isdigit((unsigned char)*s) ? setting_fd(s, &fd) :
	    setting_path_form(s);
	if (error != NULL)
		return (error);
	return (setting_string(&p->log_denials, s));
}

const char *
setting_log(struct policy *p, const char *s)
{
	char		 buf[PATH_MAX];
	const char	*error;

	if (*s != '\0' && s[strspn(s, "0123456789")] == '\0')
		return (setting_log_denials(p, s));
	if ((error = setting_flag_form(s, buf, sizeof(buf))) != NULL)
		return (error);
	return (setting_log_denials(p, buf));
}

const char *
setting_pass_fd(struct policy *p, const char *s)
{
	const char	*error;
	int		 fd;

	if ((error = setting_fd(s, &fd)) != NULL)
		return (error);
	if (fd <= 2)
		return ("the standard streams are passed anyway");
	if (policy_add_fd(p, fd) == -1)
		return (strerror(errno));
	return (NULL);
}

const char *
setting_status_fd(struct policy *p, const char *s)
{
	return (setting_fd(s, &p->status_fd));
}

const char *
setting_cpus(struct policy *p, const char *s)
{
	cpu_set_t	 cpus;
	const char	*error;

	if ((error = policy_parse_cpus(s, &cpus)) != NULL)
		return (error);
	return (setting_string(&p->cpu_cores, s));
}

const char *
setting_gpu(struct policy *p, const char *s)
{
	cpu_set_t	 gpus;

	/* Numbers of devices are lists like those of processors. */
	if (strcmp(s, "all") != 0 && policy_parse_cpus(s, &gpus) != NULL)
		return ("neither all nor a list of numbers such as 0,2-3");
	return (setting_string(&p->gpu, s));
}

const char *
setting_user(struct policy *p, const char *s)
{
	const char	*error;
	uid_t		 uid;
	gid_t		 gid;

	if ((error = policy_parse_user(s, &uid, &gid)) != NULL)
		return (error);
	p->user_uid = uid;
	p->user_gid = gid;
	p->user_set = 1;
	return (NULL);
}

const char *
setting_run_as(struct policy *p, const char *name)
{
	if (strchr(name, ':') != NULL)
		return ("not a user name");
	return (setting_string(&p->run_as, name));
}

const char *
setting_private(struct policy *p, const char *s)
{
	if (strcmp(s, "home") == 0)
		p->private_home = 1;
	else if (strcmp(s, "tmp") == 0)
		p->private_tmp = 1;
	else
		return ("not one of home, tmp");
	return (NULL);
}

const char *
setting_port_remap(struct policy *p, const char *s)
{
	(void)s;
	p->port_remap = 1;
	return (NULL);
}

const char *
setting_no(struct policy *p, const char *s)
{
	if (strcmp(s, "coredump") == 0)
		p->no_coredump = 1;
	else if (strcmp(s, "huge-pages") == 0)
		p->no_huge_pages = 1;
	else if (strcmp(s, "randomize-memory") == 0)
		p->no_randomize_memory = 1;
	else if (strcmp(s, "supervisor") == 0)
		p->no_supervisor = 1;
	else if (strcmp(s, "workdir") == 0) {
		if (p->workdir != NULL)
			return ("impossible with workdir");
		p->no_workdir = 1;
	} else
		return ("not one of coredump, huge-pages, randomize-memory, "
		    "supervisor, workdir");
	return (NULL);
}
