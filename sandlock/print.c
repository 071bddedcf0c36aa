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
 * Policies as sandlock.conf(5) text: one form for each policy, however it was
 * written, that reads back as the same policy.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"

static void	 print_quoted(FILE *, const char *);
static void	 print_word(FILE *, const char *, const char *);
static void	 print_size(FILE *, const char *, uint64_t);
static void	 print_list(FILE *, const char *, const char *);
static void	 print_paths(FILE *, const struct policy *);
static void	 print_branch(FILE *, const struct policy *);
static void	 print_environment(FILE *, const struct policy *);
static void	 print_protos(FILE *, unsigned int);
static void	 print_net(FILE *, const struct policy *);
static void	 print_syscalls(FILE *, const struct policy *);
static void	 print_protections(FILE *, const struct policy *);
static void	 print_limits(FILE *, const struct policy *);
static void	 print_seconds(FILE *, const char *, uint64_t);
static void	 print_descriptors(FILE *, const struct policy *);
static void	 print_switches(FILE *, const struct policy *);

static void
print_quoted(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			fputs("\\n", f);
		else {
			if (*s == '"' || *s == '\\')
				putc('\\', f);
			putc(*s, f);
		}
	}
	putc('"', f);
}

static void
print_word(FILE *f, const char *keyword, const char *s)
{
	fprintf(f, "\t%s ", keyword);
	print_quoted(f, s);
	putc('\n', f);
}

/* A list that the policy holds as one string with commas. */
static void
print_list(FILE *f, const char *keyword, const char *s)
{
	fprintf(f, "\t%s { ", keyword);
	for (; *s != '\0'; s++)
		putc(*s == ',' ? ' ' : *s, f);
	fputs(" }\n", f);
}

static void
print_paths(FILE *f, const struct policy *p)
{
	const struct policy_path	*path;
	char				 perms[5];

	TAILQ_FOREACH(path, &p->paths, entry) {
		policy_perms_string(path->perms, perms);
		fputs("\tunveil ", f);
		print_quoted(f, path->path);
		fprintf(f, " %s%s\n", perms, path->optional ? "?" : "");
	}
	if (p->private_home)
		fputs("\tprivate home\n", f);
	if (p->private_tmp)
		fputs("\tprivate tmp\n", f);
	if (p->directory != NULL)
		print_word(f, "directory", p->directory);
}

/* In the largest unit that holds it without a fraction. */
static void
print_size(FILE *f, const char *keyword, uint64_t size)
{
	static const char	 units[] = "KMGT";
	int			 i;

	for (i = 0; size % 1024 == 0 && i < (int)strlen(units); i++)
		size /= 1024;
	fprintf(f, "\t%s %" PRIu64, keyword, size);
	if (i > 0)
		fputc(units[i - 1], f);
	fputc('\n', f);
}

static void
print_branch(FILE *f, const struct policy *p)
{
	if (p->workdir != NULL)
		print_word(f, "workdir", p->workdir);
	if (p->isolation != ISOLATION_UNSET)
		fprintf(f, "\tisolation %s\n",
		    policy_isolation_name(p->isolation));
	if (p->storage != NULL)
		print_word(f, "storage", p->storage);
	if (p->max_disk != 0)
		print_size(f, "max-disk", p->max_disk);
	if (p->on_exit != BRANCH_UNSET)
		fprintf(f, "\ton exit %s\n", policy_action_name(p->on_exit));
	if (p->on_error != BRANCH_UNSET)
		fprintf(f, "\ton error %s\n",
		    policy_action_name(p->on_error));
	if (p->dry_run)
		fprintf(f, "\tdry-run %s\n", policy_form_name(
		    p->dry_run_form == DRY_RUN_UNSET ? DRY_RUN_LIST :
		    p->dry_run_form));
}

static void
print_environment(FILE *f, const struct policy *p)
{
	const struct policy_env	*env;

	if (p->env_mode_set)
		fprintf(f, "\tenvironment %s\n",
		    p->env_mode == ENV_CLEAN ? "clean" :
		    p->env_mode == ENV_SCRUB ? "scrub" : "inherit");
	TAILQ_FOREACH(env, &p->envs, entry) {
		fputs(env->value == NULL ? "\tunsetenv " : "\tsetenv ", f);
		print_quoted(f, env->name);
		if (env->value != NULL) {
			putc('=', f);
			print_quoted(f, env->value);
		}
		putc('\n', f);
	}
}

static void
print_protos(FILE *f, unsigned int protos)
{
	enum net_proto	 proto;
	int		 several = (protos & (protos - 1)) != 0;

	fputs(several ? " proto {" : " proto", f);
	for (proto = 0; proto < NET_PROTO_MAX; proto++)
		if ((protos & NET_PROTO(proto)) != 0)
			fprintf(f, " %s", policy_proto_name(proto));
	if (several)
		fputs(" }", f);
}

void
policy_print_rule(FILE *f, const struct net_rule *rule)
{
	char	 target[NET_NAME_MAX + 8];

	fprintf(f, "%s %s%s", rule->block ? "block" : "pass",
	    rule->direction == NET_IN ? "in" : "out",
	    rule->quick ? " quick" : "");
	print_protos(f, rule->protos);
	if (rule->direction == NET_OUT) {
		policy_target_string(rule, target, sizeof(target));
		/* A name may be a reserved word. */
		fputs(" to ", f);
		if (rule->target == NET_NAME)
			print_quoted(f, target);
		else
			fputs(target, f);
	}
	if (rule->port_lo == 0 && rule->port_hi == 65535)
		return;
	fprintf(f, " port %u", rule->port_lo);
	if (rule->port_hi != rule->port_lo)
		fprintf(f, ":%u", rule->port_hi);
}

static void
print_net(FILE *f, const struct policy *p)
{
	const struct net_rule	*rule;

	if (p->refresh)
		fputs("\trefresh\n", f);
	if (p->resolver)
		fputs("\tresolver\n", f);
	TAILQ_FOREACH(rule, &p->net, entry) {
		putc('\t', f);
		policy_print_rule(f, rule);
		putc('\n', f);
	}
}

static void
print_syscalls(FILE *f, const struct policy *p)
{
	const struct policy_syscall	*sc;

	if (p->allow_list_set)
		fprintf(f, "\tsyscalls %s\n",
		    p->allow_list ? "allow-list" : "deny-list");
	TAILQ_FOREACH(sc, &p->syscalls, entry)
		fprintf(f, "\t%s syscall %s\n", sc->permit ? "permit" : "deny",
		    sc->name);
}

static void
print_protections(FILE *f, const struct policy *p)
{
	int	 i;

	for (i = 0; i < PROT_MAX; i++) {
		if (p->protections[i] == PROT_STRICT)
			continue;
		fprintf(f, "\t%s %s\n", p->protections[i] == PROT_DEGRADED ?
		    "allow degraded" : "disable",
		    policy_protection_name((enum protection)i));
	}
}

static void
print_seconds(FILE *f, const char *name, uint64_t ms)
{
	unsigned int	 fraction, width = 3;

	fprintf(f, "\tlimit %s %llu", name, (unsigned long long)(ms / 1000));
	if ((fraction = (unsigned int)(ms % 1000)) != 0) {
		for (; fraction % 10 == 0; fraction /= 10)
			width--;
		fprintf(f, ".%0*u", (int)width, fraction);
	}
	putc('\n', f);
}

static void
print_limits(FILE *f, const struct policy *p)
{
	if (p->max_processes != 0)
		fprintf(f, "\tlimit processes %u\n", p->max_processes);
	if (p->cpu_percent != 0)
		fprintf(f, "\tlimit cpu %u\n", p->cpu_percent);
	if (p->timeout_ms != 0)
		print_seconds(f, "time", p->timeout_ms);
	if (p->kill_after_set)
		print_seconds(f, "kill-after", p->kill_after_ms);
}

static void
print_descriptors(FILE *f, const struct policy *p)
{
	const struct policy_fd	*pfd;

	if (p->log_denials != NULL)
		print_word(f, "log denials", p->log_denials);
	if (p->status_fd != -1)
		fprintf(f, "\tstatus fd %d\n", p->status_fd);
	TAILQ_FOREACH(pfd, &p->pass_fds, entry)
		fprintf(f, "\tpass fd %d\n", pfd->fd);
}

static void
print_switches(FILE *f, const struct policy *p)
{
	if (p->no_coredump)
		fputs("\tno coredump\n", f);
	if (p->no_huge_pages)
		fputs("\tno huge-pages\n", f);
	if (p->no_randomize_memory)
		fputs("\tno randomize-memory\n", f);
	if (p->no_supervisor)
		fputs("\tno supervisor\n", f);
	if (p->port_remap)
		fputs("\tport-remap\n", f);
	if (p->no_workdir)
		fputs("\tno workdir\n", f);
	if (p->cpu_cores != NULL)
		print_list(f, "cpus", p->cpu_cores);
	if (p->gpu != NULL)
		print_list(f, "gpu", p->gpu);
	if (p->user_set)
		fprintf(f, "\tuser %u:%u\n", p->user_uid, p->user_gid);
	if (p->run_as != NULL)
		print_word(f, "run as", p->run_as);
}

void
policy_print(FILE *f, const struct policy *p)
{
	fputs("profile ", f);
	print_quoted(f, p->name != NULL ? p->name : "run");
	fputs(" {\n", f);
	print_paths(f, p);
	print_branch(f, p);
	print_environment(f, p);
	print_net(f, p);
	print_syscalls(f, p);
	print_protections(f, p);
	print_limits(f, p);
	print_descriptors(f, p);
	print_switches(f, p);
	fputs("}\n", f);
}
