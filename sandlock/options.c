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
 * The command line of "sandlock run": one table of options, and how the
 * sources of a policy (flags, profiles, files) become one.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "policy.h"
#include "sandlock.h"

#ifndef nitems
#define nitems(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define OPTION_LONG	256	/* above every letter: index of a row */
#define USAGE_COLUMNS	80
#define HELP_COLUMN	38	/* wider than each option */

enum option_action {
	OPTION_SET,		/* set: a setting of the policy */
	OPTION_GRANT,		/* the same, and it replaces the default */
	OPTION_DEFINE,
	OPTION_CONNECT,		/* of the former names for networks */
	OPTION_EXEC,
	OPTION_FILE,
	OPTION_HELP,
	OPTION_HOST,
	OPTION_NOTHING,		/* accepted for users of other programs */
	OPTION_PARSE_ONLY,
	OPTION_PROFILE,
	OPTION_REFUSED,
	OPTION_VERBOSE
};

struct option_row {
	const char		*name;		/* long, or NULL */
	int			 letter;	/* or 0 */
	const char		*arg;		/* name of its argument */
	const char		*keyword;	/* in sandlock.conf(5) */
	enum option_action	 action;
	const char		*(*set)(struct policy *, const char *);
	const char		*value;		/* for set, without argument */
	const char		*help;
};

/* In the order of the manual: by letter, or else by name. */
static const struct option_row rows[] = {
	{ "allow-degraded", 0, "NAME", "allow degraded", OPTION_SET,
	    setting_degraded, NULL,
	    "warn where the kernel lacks protection" },
	{ "clean-env", 0, NULL, "environment clean", OPTION_SET,
	    setting_environment, "clean", "keep PATH, HOME and the like only" },
	{ "cpu-cores", 0, "LIST", "cpus", OPTION_SET,
	    setting_cpus, NULL, "run on these processors, such as 0,2-3" },
	{ "max-cpu", 'c', "PCT", "limit cpu", OPTION_SET,
	    setting_cpu, NULL, "CPU time in percent of one core" },
	{ "cwd", 0, "DIR", "directory", OPTION_SET,
	    setting_cwd, NULL, "start in DIR" },
	{ NULL, 'D', "MACRO=VALUE", "MACRO =", OPTION_DEFINE,
	    NULL, NULL, "define a macro for files and profiles" },
	{ "diff", 0, NULL, "dry-run diff", OPTION_SET,
	    setting_dry_run_form, "diff", "a dry run prints text diffs" },
	{ "disable", 0, "NAME", "disable", OPTION_SET,
	    setting_disable, NULL, "switch protection NAME off" },
	{ "dry-run", 0, NULL, "dry-run", OPTION_SET,
	    setting_dry_run, NULL, "print the changes and discard them" },
	{ "env", 0, "NAME=VALUE", "setenv", OPTION_SET,
	    setting_env, NULL, "set a variable" },
	{ "exec", 'e', "COMMAND", "-", OPTION_EXEC,
	    NULL, NULL, "run /bin/sh -c COMMAND" },
	{ "extra-allow-syscall", 0, "@GROUP", "permit syscall", OPTION_SET,
	    setting_permit_syscall, NULL, "permit a group of system calls" },
	{ "extra-deny-syscall", 0, "NAME|@GROUP", "deny syscall", OPTION_SET,
	    setting_deny_syscall, NULL, "deny a system call or a group" },
	{ NULL, 'f', "FILE", "-", OPTION_FILE,
	    NULL, NULL, "policy from a file" },
	{ "fs-deny", 0, "PATH", "unveil PATH none", OPTION_SET,
	    setting_deny, NULL, "refuse PATH inside what is granted" },
	{ "fs-isolation", 0, "NAME", "isolation", OPTION_SET,
	    setting_isolation, NULL, "seccomp, overlayfs or branchfs" },
	{ "fs-storage", 0, "DIR", "storage", OPTION_SET,
	    setting_storage_flag, NULL, "where branches are kept" },
	{ "gpu", 0, "all|LIST", "gpu", OPTION_SET,
	    setting_gpu, NULL, "grant GPUs" },
	{ "help", 'h', NULL, "-", OPTION_HELP,
	    NULL, NULL, "print this" },
	{ "interactive", 'i', NULL, "-", OPTION_NOTHING,
	    NULL, NULL, "accepted, has no effect" },
	{ "json", 0, NULL, "dry-run json", OPTION_SET,
	    setting_dry_run_form, "json", "a dry run prints JSON" },
	{ "kill-after", 0, "SECONDS", "limit kill-after", OPTION_SET,
	    setting_kill_after, NULL, "KILL so long after TERM; default 2" },
	{ "log-denials", 0, "FD|FILE", "log denials", OPTION_SET,
	    setting_log, NULL, "one JSON line for each denial" },
	{ "max-disk", 0, "SIZE", "max-disk", OPTION_SET,
	    setting_max_disk, NULL, "what a branch may hold, such as 2G" },
	{ NULL, 'n', NULL, "-", OPTION_PARSE_ONLY,
	    NULL, NULL, "check only; with -v print the policy" },
	{ "net-allow", 0, "SPEC", "pass out", OPTION_SET,
	    setting_net_out, NULL,
	    "admit [tcp|udp|icmp://]target[:ports]" },
	{ "net-allow-bind", 0, "PORTS", "pass in", OPTION_SET,
	    setting_net_in, NULL, "admit servers on these ports" },
	{ "net-allow-host", 0, "TARGET", "pass out to", OPTION_HOST,
	    NULL, NULL, "the same as --net-allow TARGET" },
	{ "net-bind", 0, "PORTS", "pass in proto tcp", OPTION_SET,
	    setting_net_bind, NULL, "as --net-allow-bind tcp://PORTS" },
	{ "net-connect", 0, "PORTS", "pass out proto tcp", OPTION_CONNECT,
	    NULL, NULL, "as --net-allow tcp://:PORTS" },
	{ "net-deny", 0, "SPEC", "block out", OPTION_SET,
	    setting_net_deny, NULL, "refuse, whatever is admitted" },
	{ "net-deny-bind", 0, "PORTS", "block in", OPTION_SET,
	    setting_net_deny_in, NULL, "refuse, whatever is admitted" },
	{ "net-refresh", 0, NULL, "refresh", OPTION_SET,
	    setting_refresh, NULL, "resolve names again in their time" },
	{ "net-resolver", 0, NULL, "resolver", OPTION_SET,
	    setting_resolver, NULL, "answer name queries by the rules" },
	{ "no-coredump", 0, NULL, "no coredump", OPTION_SET,
	    setting_no, "coredump", "no core dumps" },
	{ "no-huge-pages", 0, NULL, "no huge-pages", OPTION_SET,
	    setting_no, "huge-pages", "no transparent huge pages" },
	{ "no-randomize-memory", 0, NULL, "no randomize-memory", OPTION_SET,
	    setting_no, "randomize-memory", "fixed addresses in memory" },
	{ "no-supervisor", 0, NULL, "no supervisor", OPTION_SET,
	    setting_no, "supervisor", "kernel protections alone" },
	{ "no-workdir", 0, NULL, "no workdir", OPTION_SET,
	    setting_no, "workdir", "write to the directory of a profile" },
	{ "on-error", 0, "commit|abort|keep", "on error", OPTION_SET,
	    setting_on_error, NULL,
	    "the branch after a failure; default abort" },
	{ "on-exit", 0, "commit|abort|keep", "on exit", OPTION_SET,
	    setting_on_exit, NULL,
	    "the branch after success; default commit" },
	{ "max-processes", 'P', "N", "limit processes", OPTION_SET,
	    setting_processes, NULL, "processes alive at a time" },
	{ "profile", 'p', "NAME", "inherit", OPTION_PROFILE,
	    NULL, NULL, "policy from a profile" },
	{ "pass-fd", 0, "N", "pass fd", OPTION_SET,
	    setting_pass_fd, NULL, "keep descriptor N open" },
	{ "port-remap", 0, NULL, "port-remap", OPTION_SET,
	    setting_port_remap, "on", "a port that is taken is another one" },
	{ "privileged", 0, NULL, "user 0:0", OPTION_SET,
	    setting_user, "0:0", "the same as --user 0:0" },
	{ "fs-read", 'r', "PATH", "unveil PATH rx", OPTION_GRANT,
	    setting_read, NULL, "grant reading and executing" },
	{ "run-as", 0, "NAME", "run as", OPTION_SET,
	    setting_run_as, NULL, "run as another user (root only)" },
	{ "scrub-env", 0, NULL, "environment scrub", OPTION_SET,
	    setting_environment, "scrub", "drop variables that look secret" },
	{ "status-fd", 0, "FD", "status fd", OPTION_SET,
	    setting_status_fd, NULL, "one JSON line at the end" },
	{ "syscalls", 0, "allow-list|deny-list", "syscalls", OPTION_SET,
	    setting_syscalls, NULL, "deny, or allow, what is not listed" },
	{ "timeout", 't', "SECONDS", "limit time", OPTION_SET,
	    setting_time, NULL, "end the run after this time" },
	{ "unset-env", 0, "NAME", "unsetenv", OPTION_SET,
	    setting_unsetenv, NULL, "drop a variable" },
	{ "unveil", 0, "PATH:PERMS[?]", "unveil", OPTION_GRANT,
	    setting_unveil, NULL, "grant r, w, x, c; ?: may be missing" },
	{ "user", 0, "UID:GID", "user", OPTION_SET,
	    setting_user, NULL, "identity in a user namespace" },
	{ NULL, 'v', NULL, "-", OPTION_VERBOSE,
	    NULL, NULL, "print more" },
	{ "workdir", 0, "DIR", "workdir", OPTION_SET,
	    setting_workdir_flag, NULL, "grant DIR, copy-on-write" },
	{ "fs-write", 'w', "PATH", "unveil PATH rwxc", OPTION_GRANT,
	    setting_write, NULL, "grant everything" }
};

/* A -p or -f of the command line. */
struct source {
	TAILQ_ENTRY(source)	 entry;
	int			 is_file;
	const char		*name;
	struct profiles		 profiles;	/* of the file */
	int			 chosen;	/* a -p takes from this file */
	const struct profile	*profile;	/* what it contributes */
};
TAILQ_HEAD(sources, source);

/* A command line being read. */
struct parse_state {
	struct run_options	*ro;
	struct policy		*flags;
	struct sources		 sources;
	struct macros		 macros;
	const char		*shell_command;	/* -e */
	struct net_rules	 hosts;		/* --net-allow-host */
	struct net_rules	 connects;	/* --net-connect */
	int			 replaces;	/* no default profile */
};

static int	 macro_define(struct macros *, const char *);
static void	 macros_unused(const struct macros *);
static void	 macros_free(struct macros *);
static int	 source_add(struct parse_state *, int, const char *);
static int	 source_profile(struct parse_state *, struct source *);
static int	 source_file(struct source *);
static int	 sources_load(struct parse_state *);
static int	 sources_merge(struct parse_state *);
static int	 sources_text(struct parse_state *);
static void	 state_free(struct parse_state *);
static void	 getopt_tables(struct option *, char *);
static const struct option_row	*row_find(int);
static const char	*row_name(const struct option_row *);
static int	 option_bad(int, const char *);
static int	 option_apply(struct parse_state *, const struct option_row *,
		    const char *);
static int	 option_result(const struct option_row *, const char *,
		    const char *);
static int	 option_setting(struct parse_state *,
		    const struct option_row *, const char *);
static int	 former_network(struct parse_state *);
static int	 options_parse(struct parse_state *, int, char **);
static int	 options_command(struct parse_state *, int, char **);
static size_t	 usage_word(FILE *, size_t, const char *);
static int	 check_file(const char *, struct macros *, int);

/* Macros of -D. */

static int
macro_define(struct macros *macros, const char *text)
{
	struct macro	*macro;
	const char	*equals;

	if ((macro = calloc(1, sizeof(*macro))) == NULL)
		fatal("calloc");
	TAILQ_INSERT_TAIL(macros, macro, entry);
	if ((equals = strchr(text, '=')) != NULL) {
		macro->name = strndup(text, (size_t)(equals - text));
		macro->value = strdup(equals + 1);
		if (macro->name == NULL || macro->value == NULL)
			fatal("strdup");
	}
	if (equals == NULL || !parse_macro_name(macro->name)) {
		log_warnx("-D %s: not of the form MACRO=VALUE", text);
		return (-1);
	}
	return (0);
}

static void
macros_unused(const struct macros *macros)
{
	const struct macro	*macro;

	TAILQ_FOREACH(macro, macros, entry)
		if (!macro->used)
			log_warnx("warning: macro '%s' is not used",
			    macro->name);
}

static void
macros_free(struct macros *macros)
{
	struct macro	*macro;

	while ((macro = TAILQ_FIRST(macros)) != NULL) {
		TAILQ_REMOVE(macros, macro, entry);
		free(macro->name);
		free(macro->value);
		free(macro);
	}
}

/* Sources of the policy. */

static int
source_add(struct parse_state *ps, int is_file, const char *name)
{
	struct source	*source;

	if ((source = calloc(1, sizeof(*source))) == NULL) {
		log_warn("calloc");
		return (-1);
	}
	source->is_file = is_file;
	source->name = name;
	TAILQ_INIT(&source->profiles);
	TAILQ_INSERT_TAIL(&ps->sources, source, entry);
	ps->replaces = 1;
	return (0);
}

/* A file given with -f knows a name better than all other places. */
static int
source_profile(struct parse_state *ps, struct source *source)
{
	struct source	*other;

	TAILQ_FOREACH(other, &ps->sources, entry) {
		if (!other->is_file)
			continue;
		source->profile = profiles_find(&other->profiles,
		    source->name);
		if (source->profile != NULL) {
			other->chosen = 1;
			return (0);
		}
	}
	source->profile = profile_lookup(source->name, &ps->macros);
	return (source->profile == NULL ? -1 : 0);
}

/* Without a -p that chooses from it, a file stands for its only profile. */
static int
source_file(struct source *source)
{
	struct profile	*profile;
	int		 n = 0;

	if (source->chosen)
		return (0);
	TAILQ_FOREACH(profile, &source->profiles, entry)
		if (!profile->included) {
			source->profile = profile;
			n++;
		}
	if (n == 1)
		return (0);
	if (n == 0)
		log_warnx("%s: defines no profile", source->name);
	else
		log_warnx("%s: defines %d profiles: choose one with -p",
		    source->name, n);
	return (-1);
}

static int
sources_load(struct parse_state *ps)
{
	struct source	*source;

	if (!ps->replaces && source_add(ps, 0, "default") == -1)
		return (-1);
	TAILQ_FOREACH(source, &ps->sources, entry)
		if (source->is_file && parse_file(source->name, &ps->macros,
		    &source->profiles) == -1)
			return (-1);
	TAILQ_FOREACH(source, &ps->sources, entry)
		if (!source->is_file && source_profile(ps, source) == -1)
			return (-1);
	TAILQ_FOREACH(source, &ps->sources, entry)
		if (source->is_file && source_file(source) == -1)
			return (-1);
	macros_unused(&ps->macros);
	return (0);
}

/* Profiles in the order of the command line, flags on top of them. */
static int
sources_merge(struct parse_state *ps)
{
	struct policy	*policy;
	struct source	*source;

	if ((policy = ps->ro->policy = policy_new()) == NULL)
		goto fail;
	TAILQ_FOREACH(source, &ps->sources, entry)
		if (source->profile != NULL &&
		    policy_merge(policy, source->profile->policy) == -1)
			goto fail;
	net_rules_blocks_last(&ps->flags->net);
	if (policy_merge(policy, ps->flags) == -1)
		goto fail;
	return (sources_text(ps));
 fail:
	log_warn("policy");
	return (-1);
}

/* Say in a few words where the policy came from. */
static int
sources_text(struct parse_state *ps)
{
	struct source	*source;
	FILE		*f;
	size_t		 size;
	int		 n = 0;

	if ((f = open_memstream(&ps->ro->source, &size)) == NULL) {
		log_warn("open_memstream");
		return (-1);
	}
	TAILQ_FOREACH(source, &ps->sources, entry)
		fprintf(f, "%s%s %s", n++ > 0 ? ", " : "",
		    source->is_file ? "file" : "profile", source->name);
	if (n == 0)
		fputs("flags", f);
	if (fclose(f) == EOF) {
		log_warn("fclose");
		return (-1);
	}
	return (0);
}

static void
state_free(struct parse_state *ps)
{
	struct source	*source;

	while ((source = TAILQ_FIRST(&ps->sources)) != NULL) {
		TAILQ_REMOVE(&ps->sources, source, entry);
		profiles_free(&source->profiles);
		free(source);
	}
	macros_free(&ps->macros);
	net_rules_free(&ps->hosts);
	net_rules_free(&ps->connects);
	policy_free(ps->flags);
}

/* Options. */

/* getopt_long(3)'s two tables from ours. */
static void
getopt_tables(struct option *longs, char *letters)
{
	size_t	 i;

	/* Stop at the command; tell a missing argument from a bad option. */
	*letters++ = '+';
	*letters++ = ':';
	for (i = 0; i < nitems(rows); i++) {
		if (rows[i].letter != 0) {
			*letters++ = (char)rows[i].letter;
			if (rows[i].arg != NULL)
				*letters++ = ':';
		}
		if (rows[i].name != NULL) {
			longs->name = rows[i].name;
			longs->has_arg = rows[i].arg != NULL ?
			    required_argument : no_argument;
			longs->flag = NULL;
			longs->val = OPTION_LONG + (int)i;
			longs++;
		}
	}
	*letters = '\0';
	memset(longs, 0, sizeof(*longs));
}

/* The row of a value that getopt_long(3) returned, or NULL. */
static const struct option_row *
row_find(int value)
{
	size_t	 i;

	if (value >= OPTION_LONG && (size_t)value < OPTION_LONG + nitems(rows))
		return (&rows[value - OPTION_LONG]);
	for (i = 0; i < nitems(rows); i++)
		if (value != 0 && rows[i].letter == value)
			return (&rows[i]);
	return (NULL);
}

static const char *
row_name(const struct option_row *row)
{
	static char	 name[64];

	if (row->name != NULL)
		snprintf(name, sizeof(name), "--%s", row->name);
	else
		snprintf(name, sizeof(name), "-%c", row->letter);
	return (name);
}

/* Explain what getopt_long(3) did not like. */
static int
option_bad(int c, const char *word)
{
	const struct option_row	*row;

	row = row_find(optopt);
	if (c == ':' && row != NULL)
		log_warnx("%s: argument missing", row_name(row));
	else if (row != NULL && row->arg == NULL)
		log_warnx("%s: takes no argument", row_name(row));
	else if (strncmp(word, "--", 2) != 0)
		log_warnx("-%c: unknown option", optopt);
	else
		log_warnx("%.*s: unknown option", (int)strcspn(word, "="),
		    word);
	options_usage(stderr);
	return (EXIT_SANDLOCK);
}

static int
option_result(const struct option_row *row, const char *arg,
    const char *error)
{
	if (error == NULL)
		return (0);
	log_warnx("%s%s%s: %s", row_name(row), arg != NULL ? " " : "",
	    arg != NULL ? arg : "", error);
	return (EXIT_SANDLOCK);
}

static int
option_setting(struct parse_state *ps, const struct option_row *row,
    const char *arg)
{
	const char	*error;

	error = row->set(ps->flags, arg != NULL ? arg : row->value);
	if (error == NULL && row->action == OPTION_GRANT)
		ps->replaces = 1;
	return (option_result(row, arg, error));
}

/*
 * By the former names hosts and ports are limits of their own: with both, a
 * connect has to keep both.
 */
static int
former_network(struct parse_state *ps)
{
	struct net_rule		*host, *port, rule;

	if (TAILQ_EMPTY(&ps->hosts)) {
		TAILQ_CONCAT(&ps->flags->net, &ps->connects, entry);
		return (0);
	}
	if (TAILQ_EMPTY(&ps->connects)) {
		TAILQ_CONCAT(&ps->flags->net, &ps->hosts, entry);
		return (0);
	}
	TAILQ_FOREACH(host, &ps->hosts, entry)
		TAILQ_FOREACH(port, &ps->connects, entry) {
			rule = *host;
			rule.protos = port->protos;
			rule.port_lo = port->port_lo;
			rule.port_hi = port->port_hi;
			if (policy_add_net(ps->flags, &rule) == -1) {
				log_warn("policy");
				return (EXIT_SANDLOCK);
			}
		}
	return (0);
}

/* 0 to go on, -1 after help, or an exit status. */
static int
option_apply(struct parse_state *ps, const struct option_row *row,
    const char *arg)
{
	switch (row->action) {
	case OPTION_SET:
	case OPTION_GRANT:
		return (option_setting(ps, row, arg));
	case OPTION_DEFINE:
		return (macro_define(&ps->macros, arg) == -1 ?
		    EXIT_SANDLOCK : 0);
	case OPTION_CONNECT:
		return (option_result(row, arg,
		    setting_net_connect(&ps->connects, arg)));
	case OPTION_EXEC:
		ps->shell_command = arg;
		break;
	case OPTION_FILE:
	case OPTION_PROFILE:
		return (source_add(ps, row->action == OPTION_FILE, arg) == -1 ?
		    EXIT_SANDLOCK : 0);
	case OPTION_HELP:
		options_help(stdout);
		return (-1);
	case OPTION_HOST:
		return (option_result(row, arg,
		    setting_net_host(&ps->hosts, arg)));
	case OPTION_NOTHING:
		break;
	case OPTION_PARSE_ONLY:
		ps->ro->parse_only = 1;
		break;
	case OPTION_REFUSED:
		log_warnx("%s: not supported by this version", row_name(row));
		return (EXIT_SANDLOCK);
	case OPTION_VERBOSE:
		ps->ro->verbose++;
		break;
	}
	return (0);
}

static int
options_parse(struct parse_state *ps, int argc, char **argv)
{
	struct option			 longs[nitems(rows) + 1];
	char				 letters[2 * nitems(rows) + 3];
	const struct option_row		*row;
	const char			*word;
	int				 c, result;

	getopt_tables(longs, letters);
	opterr = 0;
	optind = 1;
	for (;;) {
		word = optind < argc ? argv[optind] : "";
		c = getopt_long(argc, argv, letters, longs, NULL);
		if (c == -1)
			return (former_network(ps));
		if (c == '?' || c == ':' || (row = row_find(c)) == NULL)
			return (option_bad(c, word));
		/* No abbreviations: a later version may give them a meaning. */
		if (c >= OPTION_LONG && strcspn(word + 2, "=") !=
		    strlen(row->name)) {
			optopt = 0;
			return (option_bad('?', word));
		}
		if ((result = option_apply(ps, row, optarg)) != 0)
			return (result);
	}
}

/* What is to be run. */
static int
options_command(struct parse_state *ps, int argc, char **argv)
{
	static char		 sh[] = "/bin/sh", c[] = "-c";
	struct run_options	*ro = ps->ro;

	if (ps->shell_command != NULL) {
		if (argc > 0) {
			log_warnx("%s: a command besides -e", argv[0]);
			options_usage(stderr);
			return (EXIT_SANDLOCK);
		}
		ro->shell[0] = sh;
		ro->shell[1] = c;
		if ((ro->shell[2] = strdup(ps->shell_command)) == NULL) {
			log_warn("strdup");
			return (EXIT_SANDLOCK);
		}
		ro->argv = ro->shell;
		ro->argc = 3;
		return (0);
	}
	if (argc == 0 && !ro->parse_only) {
		log_warnx("no command given");
		options_usage(stderr);
		return (EXIT_SANDLOCK);
	}
	ro->argv = argv;
	ro->argc = argc;
	return (0);
}

int
options_run(int argc, char **argv, struct run_options *ro)
{
	struct parse_state	 ps;
	int			 result;

	memset(ro, 0, sizeof(*ro));
	memset(&ps, 0, sizeof(ps));
	ps.ro = ro;
	TAILQ_INIT(&ps.sources);
	TAILQ_INIT(&ps.macros);
	TAILQ_INIT(&ps.hosts);
	TAILQ_INIT(&ps.connects);
	if ((ps.flags = policy_new()) == NULL) {
		log_warn("policy");
		return (EXIT_SANDLOCK);
	}
	if ((result = options_parse(&ps, argc, argv)) != 0 ||
	    (result = options_command(&ps, argc - optind,
	    argv + optind)) != 0)
		goto done;
	if (sources_load(&ps) == -1 || sources_merge(&ps) == -1 ||
	    policy_check_conflicts(ro->policy) == -1)
		result = EXIT_SANDLOCK;
 done:
	state_free(&ps);
	return (result);
}

void
options_free(struct run_options *ro)
{
	policy_free(ro->policy);
	free(ro->source);
	free(ro->shell[2]);
	memset(ro, 0, sizeof(*ro));
}

/* Usage, help and the tests' view of the table. */

/* Print a word of the usage, on a new line where it does not fit. */
static size_t
usage_word(FILE *f, size_t column, const char *word)
{
	if (column + 1 + strlen(word) >= USAGE_COLUMNS) {
		fputs("\n           ", f);
		column = 11;
	}
	fprintf(f, " %s", word);
	return (column + 1 + strlen(word));
}

/* Letters only: the long options would drown the message before. */
void
options_usage(FILE *f)
{
	char	 flags[nitems(rows) + 4], word[64];
	size_t	 column, i, n = 0;

	flags[n++] = '[';
	flags[n++] = '-';
	for (i = 0; i < nitems(rows); i++)
		if (rows[i].letter != 0 && rows[i].arg == NULL)
			flags[n++] = (char)rows[i].letter;
	flags[n++] = ']';
	flags[n] = '\0';
	fputs("usage: sandlock run", f);
	column = usage_word(f, strlen("usage: sandlock run"), flags);
	for (i = 0; i < nitems(rows); i++) {
		if (rows[i].letter == 0 || rows[i].arg == NULL ||
		    rows[i].action == OPTION_EXEC)
			continue;
		snprintf(word, sizeof(word), "[-%c %s]", rows[i].letter,
		    rows[i].arg);
		column = usage_word(f, column, word);
	}
	column = usage_word(f, column, "[--option[=value] ...]");
	column = usage_word(f, column, "[--] command [arg ...]");
	fputs("\n       sandlock run [options] -e command\n"
	    "       sandlock run --help\n", f);
}

void
options_help(FILE *f)
{
	char	 left[64], letter[8];
	size_t	 i;

	options_usage(f);
	putc('\n', f);
	for (i = 0; i < nitems(rows); i++) {
		if (rows[i].action == OPTION_REFUSED)
			continue;
		letter[0] = '\0';
		if (rows[i].letter != 0)
			snprintf(letter, sizeof(letter), "-%c%s",
			    rows[i].letter, rows[i].name != NULL ? "," : "");
		snprintf(left, sizeof(left), "%-3s %s%s%s%s", letter,
		    rows[i].name != NULL ? "--" : "",
		    rows[i].name != NULL ? rows[i].name : "",
		    rows[i].name != NULL && rows[i].arg != NULL ? " " : "",
		    rows[i].arg != NULL ? rows[i].arg : "");
		fprintf(f, "  %-*s %s\n", HELP_COLUMN, left, rows[i].help);
	}
}

void
options_dump(FILE *f)
{
	size_t	 i;

	for (i = 0; i < nitems(rows); i++)
		fprintf(f, "%s\t%c\t%s\t%s\t%s\n",
		    rows[i].name != NULL ? rows[i].name : "-",
		    rows[i].letter != 0 ? rows[i].letter : '-',
		    rows[i].arg != NULL ? rows[i].arg : "-",
		    rows[i].keyword,
		    rows[i].action == OPTION_REFUSED ? "refused" : "-");
}

/* "sandlock -n -f file". */

static int
check_file(const char *path, struct macros *macros, int verbose)
{
	struct profiles	 profiles = TAILQ_HEAD_INITIALIZER(profiles);
	struct profile	*profile;
	int		 n = 0, result = 0;

	if (parse_file(path, macros, &profiles) == -1)
		return (EXIT_SANDLOCK);
	macros_unused(macros);
	TAILQ_FOREACH(profile, &profiles, entry) {
		if (profile->included)
			continue;
		if (policy_check_conflicts(profile->policy) == -1)
			result = EXIT_SANDLOCK;
		if (verbose && n++ > 0)
			putchar('\n');
		if (verbose)
			policy_print(stdout, profile->policy);
	}
	profiles_free(&profiles);
	return (result);
}

int
options_check(int argc, char **argv)
{
	struct macros	 macros = TAILQ_HEAD_INITIALIZER(macros);
	const char	*path = NULL;
	int		 c, verbose = 0, only = 0, result = EXIT_SANDLOCK;

	opterr = 0;
	optind = 1;
	while ((c = getopt(argc, argv, "+D:f:nv")) != -1) {
		switch (c) {
		case 'D':
			if (macro_define(&macros, optarg) == -1)
				goto done;
			break;
		case 'f':
			path = optarg;
			break;
		case 'n':
			only = 1;
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			log_warnx("-%c: unknown option or argument missing",
			    optopt);
			goto usage;
		}
	}
	if (only && path != NULL && optind == argc) {
		result = check_file(path, &macros, verbose);
		goto done;
	}
 usage:
	fprintf(stderr,
	    "usage: sandlock -n [-v] [-D MACRO=VALUE] -f FILE\n");
 done:
	macros_free(&macros);
	return (result);
}
