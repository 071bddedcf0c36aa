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
 * The sandlock command and the parent process.
 */

#ifndef SANDLOCK_H
#define SANDLOCK_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stdio.h>

#include "policy.h"

/* A profile block of sandlock.conf(5), inheritance already applied. */
struct profile {
	TAILQ_ENTRY(profile)	 entry;
	struct policy		*policy;	/* policy->name is its name */
	char			*file;		/* where it was defined */
	int			 included;	/* by an include statement */
};
TAILQ_HEAD(profiles, profile);

/* A macro given with -D; it overrides one of the same name in a file. */
struct macro {
	TAILQ_ENTRY(macro)	 entry;
	char			*name;
	char			*value;
	int			 used;
};
TAILQ_HEAD(macros, macro);

/* What a command line of "sandlock run" asks for; see options_run(). */
struct run_options {
	struct policy		*policy;	/* every source merged */
	char			**argv;		/* command, NULL-terminated */
	int			 argc;
	int			 parse_only;	/* -n */
	int			 verbose;	/* -v, how often */
	char			*source;	/* "profile default", for ps */
	char			*shell[4];	/* argv of -e */
};

/* main.c */

/* The program's version, as --version prints it. */
#define SANDLOCK_VERSION	"0.1"

/* run.c: start the sandbox; an exit status. */
int		 run_main(struct run_options *);
/* branch.c: the "branch" command; an exit status. */
int		 branch_main(int, char **);
/* check.c: the "check" command; an exit status. */
int		 check_main(int, char **);

/* options.c */

/*
 * Parse the arguments of "sandlock run" (argv[0] is "run") and merge flags,
 * profiles and files to one policy.  0, or an exit status after an error was
 * printed.  -1: help was printed, exit 0.  options_free() in every case.
 */
int		 options_run(int, char **, struct run_options *);
void		 options_free(struct run_options *);

/* "sandlock [-n] [-v] [-D macro=value] -f file": an exit status. */
int		 options_check(int, char **);
/* One line for each option: long, short, argument, keyword. */
void		 options_dump(FILE *);
void		 options_usage(FILE *);
void		 options_help(FILE *);

/* setting.c */

/*
 * One setting from its text, the same for a flag and a keyword.  NULL, or
 * what is wrong with the text (valid until the next call).
 */
const char	*setting_path(struct policy *, const char *, unsigned int, int);
const char	*setting_path_form(const char *);
const char	*setting_read(struct policy *, const char *);
const char	*setting_write(struct policy *, const char *);
const char	*setting_unveil(struct policy *, const char *);
/* policy_holes.c */

/*
 * Give the other names of what lies in holes (hard links, bind mounts) the
 * rights of the hole; 0, or -1 after a message.
 */
int		 holes_alias(struct policy *);

const char	*setting_deny(struct policy *, const char *);
const char	*setting_env(struct policy *, const char *);
const char	*setting_setenv(struct policy *, const char *, const char *);
const char	*setting_unsetenv(struct policy *, const char *);
const char	*setting_environment(struct policy *, const char *);
const char	*setting_directory(struct policy *, const char *);
const char	*setting_workdir(struct policy *, const char *);
const char	*setting_workdir_flag(struct policy *, const char *);
const char	*setting_storage(struct policy *, const char *);
const char	*setting_storage_flag(struct policy *, const char *);
const char	*setting_isolation(struct policy *, const char *);
const char	*setting_on_exit(struct policy *, const char *);
const char	*setting_max_disk(struct policy *, const char *);
const char	*setting_on_error(struct policy *, const char *);
const char	*setting_dry_run(struct policy *, const char *);
const char	*setting_dry_run_form(struct policy *, const char *);
const char	*setting_cwd(struct policy *, const char *);
const char	*setting_processes(struct policy *, const char *);
const char	*setting_cpu(struct policy *, const char *);
const char	*setting_time(struct policy *, const char *);
const char	*setting_kill_after(struct policy *, const char *);
const char	*setting_limit(struct policy *, const char *, const char *);
const char	*setting_net_out(struct policy *, const char *);
const char	*setting_net_deny(struct policy *, const char *);
const char	*setting_net_in(struct policy *, const char *);
const char	*setting_net_deny_in(struct policy *, const char *);
const char	*setting_net_bind(struct policy *, const char *);
const char	*setting_net_host(struct net_rules *, const char *);
const char	*setting_net_connect(struct net_rules *, const char *);
const char	*setting_refresh(struct policy *, const char *);
const char	*setting_resolver(struct policy *, const char *);
const char	*setting_port_remap(struct policy *, const char *);
const char	*setting_deny_syscall(struct policy *, const char *);
const char	*setting_permit_syscall(struct policy *, const char *);
const char	*setting_syscalls(struct policy *, const char *);
const char	*setting_degraded(struct policy *, const char *);
const char	*setting_disable(struct policy *, const char *);
const char	*setting_log_denials(struct policy *, const char *);
const char	*setting_log(struct policy *, const char *);
const char	*setting_pass_fd(struct policy *, const char *);
const char	*setting_status_fd(struct policy *, const char *);
const char	*setting_cpus(struct policy *, const char *);
const char	*setting_gpu(struct policy *, const char *);
const char	*setting_user(struct policy *, const char *);
const char	*setting_run_as(struct policy *, const char *);
const char	*setting_private(struct policy *, const char *);
const char	*setting_no(struct policy *, const char *);

/* policy_check.c */

/*
 * Contradictions inside the policy; nothing outside it is looked at.  0, or
 * -1 after an error was printed.
 */
int		 policy_check_conflicts(const struct policy *);
/*
 * Everything that has to hold before a process is started.  On success every
 * path in the policy is absolute, without links, and exists (optional ones
 * that do not are removed; no path is given twice or inside another one that
 * grants as much), directory and log_denials are expanded, and run_as_* are
 * filled in.  0, or -1 after an error was printed.
 */
int		 policy_check(struct policy *);
/* Where branches lie, by a name without links; 0, or -1 after a message. */
int		 policy_check_storage(struct policy *);

/* policy_unix.c: whether a path granted for writing is a datagram socket. */
int		 policy_datagrams(const struct policy *);

/* profile.c */

/* The "profile" command: an exit status. */
int		 profile_main(int, char **);
/*
 * A profile by name: built in, of the user, of the system.  The result stays
 * valid until the program ends.  NULL after an error was printed.
 */
const struct profile	*profile_lookup(const char *, struct macros *);
/* The built-in profiles, parsed once; NULL after an error was printed. */
const struct profiles	*profile_builtins(void);
/* The built-in profile with this name, or NULL. */
const struct profile	*profile_builtin(const char *);

/* parse.y */

/*
 * Append the profiles of a file.  0, or -1 after the errors were printed.
 * The file must be a regular file of the caller or root that nobody else can
 * write.
 */
int		 parse_file(const char *, struct macros *, struct profiles *);
/* The same for text (name is for messages); it cannot include. */
int		 parse_text(const char *, const char *, size_t,
		    struct profiles *);
/* The i-th file that was read, without links; NULL after the last. */
const char	*parse_read_file(size_t);
/* Whether a macro may have this name. */
int		 parse_macro_name(const char *);
const struct profile	*profiles_find(const struct profiles *, const char *);
void		 profiles_free(struct profiles *);

#endif
