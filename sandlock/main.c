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
 * The sandlock command: which of its commands is meant.
 */

#include <sys/types.h>
#include <sys/auxv.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "policy.h"
#include "sandlock.h"

struct command {
	const char	*name;
	int		(*main)(int, char **);	/* NULL: not yet */
	const char	*help;
};

static void	 open_stdio(void);
static int	 flush_stdout(int);
static int	 command_run(int, char **);
static int	 command_help(int, char **);
static int	 command_version(int, char **);
static int	 command_options(int, char **);
static void	 usage(FILE *);

static const struct command commands[] = {
	{ "run",	command_run,	"run a command in a sandbox" },
	{ "check",	check_main,	"what this kernel offers" },
	{ "profile",	profile_main,	"list, show or check profiles" },
	{ "ps",		NULL,		NULL },
	{ "inspect",	NULL,		NULL },
	{ "kill",	NULL,		NULL },
	{ "top",	NULL,		NULL },
	{ "branch",	branch_main,	"what became of kept branches" },
	{ "help",	command_help,	"print this" },
	{ "-h",		command_help,	NULL },
	{ "--help",	command_help,	NULL },
	{ "--version",	command_version, NULL },
	/* For the test that compares options with the manual. */
	{ "--dump-options", command_options, NULL }
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

/* A descriptor that we open must never take the place of a standard stream. */
static void
open_stdio(void)
{
	int	 fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			continue;
		/* The lowest number that is free is this one. */
		if (open("/dev/null", O_RDWR) == -1)
			fatal("/dev/null");
	}
}

/* Output that was lost is a failure. */
static int
flush_stdout(int status)
{
	if (fflush(stdout) == EOF || ferror(stdout)) {
		log_warn("standard output");
		return (EXIT_SANDLOCK);
	}
	return (status);
}

static int
command_run(int argc, char **argv)
{
	struct run_options	 ro;
	int			 status;

	if ((status = options_run(argc, argv, &ro)) == 0) {
		log_init(NULL, ro.verbose > 0);
		if (ro.parse_only) {
			if (ro.verbose > 0)
				policy_print(stdout, ro.policy);
		} else if (policy_check(ro.policy) == -1)
			status = EXIT_SANDLOCK;
		else
			status = run_main(&ro);
	}
	options_free(&ro);
	return (status == -1 ? 0 : status);
}

static int
command_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	usage(stdout);
	return (0);
}

static int
command_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("sandlock %s\n", SANDLOCK_VERSION);
	return (0);
}

static int
command_options(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	options_dump(stdout);
	return (0);
}

static void
usage(FILE *f)
{
	size_t	 i;

	fputs("usage: sandlock run [options] [--] command [arg ...]\n"
	    "       sandlock run [options] -e command\n"
	    "       sandlock branch list | diff [--json] [--fs-storage DIR] "
	    "[name]\n"
	    "       sandlock branch commit | recover [--fs-storage DIR] "
	    "[name]\n"
	    "       sandlock branch abort [--force] [--fs-storage DIR] name\n"
	    "       sandlock check [--json]\n"
	    "       sandlock profile list | show name | check file\n"
	    "       sandlock -n [-v] [-D MACRO=VALUE] -f FILE\n"
	    "       sandlock --help | --version\n", f);
	if (f == stderr)
		return;
	putc('\n', f);
	for (i = 0; i < NCOMMANDS; i++)
		if (commands[i].help != NULL)
			fprintf(f, "  %-8s %s\n", commands[i].name,
			    commands[i].help);
	fputs("\nEach command has --help.\n", f);
}

int
main(int argc, char **argv)
{
	const struct command	*cmd;
	size_t			 i;

	open_stdio();
	log_init(NULL, 0);
	/* Its promise is to need no privilege; with some it is not safe. */
	if (getauxval(AT_SECURE) != 0) {
		log_warnx("must not be installed set-user-ID");
		return (EXIT_SANDLOCK);
	}
	if (argc < 2) {
		usage(stderr);
		return (EXIT_SANDLOCK);
	}
	for (i = 0; i < NCOMMANDS; i++) {
		cmd = &commands[i];
		if (strcmp(argv[1], cmd->name) != 0)
			continue;
		if (cmd->main == NULL) {
			log_warnx("%s: not supported by this version",
			    cmd->name);
			return (EXIT_SANDLOCK);
		}
		return (flush_stdout(cmd->main(argc - 1, argv + 1)));
	}
	if (argv[1][0] == '-' && strcspn(argv[1] + 1, "Dfnv") == 0 &&
	    argv[1][1] != '\0')
		return (flush_stdout(options_check(argc, argv)));
	log_warnx("%s: unknown %s", argv[1],
	    argv[1][0] == '-' ? "option" : "command");
	usage(stderr);
	return (EXIT_SANDLOCK);
}
