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
 * The branch command: what became of runs whose branch was kept, or whose
 * commit was broken off.
 */

#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vis.h>

#include "json.h"
#include "keeper.h"
#include "lockdown.h"
#include "log.h"
#include "run.h"
#include "sandlock.h"
#include "tree.h"

struct branch_options {
	const char		*storage;
	enum dry_run_form	 form;
	int			 json;
	int			 force;
};

static int	 branch_list(const struct branch_options *, const char *);
static int	 branch_diff(const struct branch_options *, const char *);
static int	 branch_commit(const struct branch_options *, const char *);
static int	 branch_abort(const struct branch_options *, const char *);
static int	 branch_recover(const struct branch_options *, const char *);
static int	 branch_drop(const char *);

static const struct branch_verb {
	const char	*name;
	int		 wants;		/* a branch: 0 no, 1 yes, -1 perhaps */
	int		 (*act)(const struct branch_options *, const char *);
} verbs[] = {
	{ "list",	0,	branch_list },
	{ "diff",	1,	branch_diff },
	{ "commit",	1,	branch_commit },
	{ "abort",	1,	branch_abort },
	{ "recover",	-1,	branch_recover }
};

#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))

static const char *const	 state_names[] = {
	[BRANCH_KEPT] = "kept",
	[BRANCH_BROKEN_OFF] = "to be recovered",
	[BRANCH_COMMITTED] = "committed",
	[BRANCH_IN_USE] = "in use",
	[BRANCH_ABANDONED] = "abandoned",
	[BRANCH_ORPHAN] = "without its directory",
	[BRANCH_BAD] = "unreadable"
};

static void
branch_usage(FILE *f)
{
	fputs("usage: sandlock branch list [--json] [--fs-storage DIR]\n"
	    "       sandlock branch diff [--json] [--fs-storage DIR] name\n"
	    "       sandlock branch commit [--fs-storage DIR] name\n"
	    "       sandlock branch abort [--force] [--fs-storage DIR] name\n"
	    "       sandlock branch recover [--fs-storage DIR] [name]\n", f);
}

/* 0, or -1: no branch was ever made here. */
static int
storage_enter(const struct branch_options *bo, struct branch_dir *b)
{
	struct policy	*p;
	int		 ret = -1;

	if ((p = policy_new()) == NULL || (bo->storage != NULL &&
	    setting_storage_flag(p, bo->storage) != NULL))
		log_warnx("--fs-storage %s: bad path", bo->storage);
	else if (policy_check_storage(p) == 0)
		ret = storage_open(b, p->storage);
	policy_free(p);
	return (ret);
}

/*
 * The branch that a command names, ready to be acted on; one without its
 * directory only if that does not matter.  Its state, or -1 after a message.
 */
static int
branch_get(const struct branch_options *bo, const char *name, int orphan)
{
	enum branch_state	 state;

	errno = ENOENT;
	if (storage_enter(bo, &run.branch) == -1) {
		log_warn("branch %s", name);
		return (-1);
	}
	state = storage_branch(&run.branch, name);
	if (state == BRANCH_KEPT || state == BRANCH_BROKEN_OFF ||
	    state == BRANCH_COMMITTED)
		return ((int)state);
	if ((state == BRANCH_ORPHAN || state == BRANCH_ABANDONED) && orphan)
		return ((int)state);
	if (state == BRANCH_BAD)
		log_warn("branch %s", name);
	else
		log_warnx("branch %s: %s%s%s", name, state_names[state],
		    state == BRANCH_ORPHAN ? " " : "",
		    state == BRANCH_ORPHAN ? run.branch.workdir : "");
	return (-1);
}

/* What a run left that was killed before it could do anything. */
static int
tidy_one(struct branch_dir *b, const char *name)
{
	if (storage_remove(b) == 0)
		return (0);
	log_warn("branch %s", name);
	return (-1);
}

static void
list_one(const struct branch_options *bo, struct branch_dir *b,
    const char *name, enum branch_state state, int first)
{
	struct tm		 tm;
	char			 when[32] = "-", *shown, *text;

	if (state != BRANCH_BAD && localtime_r(&b->created, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	if (bo->json) {
		printf("%s\n  {\"name\": ", first ? "" : ",");
		json_string(stdout, name);
		printf(", \"state\": \"%s\", \"created\": \"%s\", "
		    "\"workdir\": ", state_names[state], when);
		json_string(stdout, b->workdir == NULL ? "" : b->workdir);
		if (b->workdir != NULL && !json_exact(b->workdir)) {
			fputs(", \"workdir_bytes\": ", stdout);
			json_base64(stdout, b->workdir);
		}
		putchar('}');
		return;
	}
	if ((text = malloc(b->workdir == NULL ? 2 :
	    4 * strlen(b->workdir) + 1)) == NULL)
		fatal("malloc");
	strvis(text, b->workdir == NULL ? "-" : b->workdir,
	    VIS_CSTYLE | VIS_NL | VIS_TAB);
	if ((shown = malloc(4 * strlen(name) + 1)) == NULL)
		fatal("malloc");
	strvis(shown, name, VIS_CSTYLE | VIS_NL | VIS_TAB);
	printf("%s  %s  %s  %s\n", shown, when, text, state_names[state]);
	free(shown);
	free(text);
}

/* Call for each name in the storage; the names first, then the work. */
static int
storage_names(const struct branch_options *bo, char ***names, size_t *n)
{
	struct branch_dir	 b;
	struct dirent		*d;
	DIR			*dir;
	int			 fd;

	*names = NULL;
	*n = 0;
	if (storage_enter(bo, &b) == -1) {
		storage_close(&b);
		return (errno == ENOENT ? 0 : -1);
	}
	if ((fd = fcntl(b.storage_fd, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    (dir = fdopendir(fd)) == NULL) {
		log_warn("%s", b.storage);
		storage_close(&b);
		return (-1);
	}
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		if ((*names = reallocarray(*names, *n + 1,
		    sizeof(**names))) == NULL ||
		    ((*names)[*n] = strdup(d->d_name)) == NULL)
			fatal("storage");
		(*n)++;
	}
	closedir(dir);
	storage_close(&b);
	return (0);
}

static int
branch_list(const struct branch_options *bo, const char *unused)
{
	struct branch_dir	 b;
	enum branch_state	 state;
	char			**names;
	size_t			 i, n, shown = 0;

	(void)unused;
	if (storage_names(bo, &names, &n) == -1)
		return (EXIT_SANDLOCK);
	if (bo->json)
		putchar('[');
	for (i = 0; i < n; i++) {
		if (storage_enter(bo, &b) == 0) {
			state = storage_branch(&b, names[i]);
			if (state != BRANCH_ABANDONED ||
			    tidy_one(&b, names[i]) == -1)
				list_one(bo, &b, names[i], state,
				    shown++ == 0);
		}
		storage_close(&b);
		free(names[i]);
	}
	if (bo->json)
		puts(shown == 0 ? "]" : "\n]");
	free(names);
	return (0);
}

static int
branch_diff(const struct branch_options *bo, const char *name)
{
	int	 state;

	if ((state = branch_get(bo, name, 0)) == -1)
		return (EXIT_SANDLOCK);
	return (run_branch(bo->json ? ORDER_LIST : ORDER_DIFF,
	    bo->json ? DRY_RUN_JSON : DRY_RUN_DIFF));
}

/*
 * Tell the server.  One that has forgotten the branch has done with it all
 * that an abort would.
 */
static int
branch_served(enum branch_order order, const char *name)
{
	if (tree_init() == -1 || lockdown_begin(0) == -1) {
		log_warn("lockdown");
		return (EXIT_SANDLOCK);
	}
	if (keeper_begin(&run.branch, 1) == 0)
		return (finish_server_command(order));
	if (order == ORDER_ABORT && errno == ENOENT) {
		log_warnx("branch %s: only its record is left: removed", name);
		return (branch_drop(name));
	}
	storage_close(&run.branch);
	return (EXIT_SANDLOCK);
}

/* Nothing in it is of use any more. */
static int
branch_drop(const char *name)
{
	int	 ret = 0;

	if (storage_remove(&run.branch) == -1) {
		log_warn("branch %s", name);
		ret = EXIT_SANDLOCK;
	}
	storage_close(&run.branch);
	return (ret);
}

static int
branch_commit(const struct branch_options *bo, const char *name)
{
	int	 state;

	if ((state = branch_get(bo, name, 0)) == -1)
		return (EXIT_SANDLOCK);
	if (state == BRANCH_COMMITTED)
		return (branch_drop(name));
	if (run.branch.server != NULL)
		return (branch_served(ORDER_COMMIT, name));
	return (run_branch(state == BRANCH_BROKEN_OFF ? ORDER_RECOVER :
	    ORDER_COMMIT, DRY_RUN_UNSET));
}

/*
 * A branch whose commit was broken off, and cannot be mended: half of it may be
 * in the working directory, and the other half, with what was taken out of
 * that, is nowhere but here.  So it goes out of the way, and is not removed.
 */
static int
branch_give_up(const char *name)
{
	struct branch_dir	*b = &run.branch;
	char			 staging[BRANCH_NAME_SIZE + 16];
	int			 ret = 0;

	snprintf(staging, sizeof(staging), ".sandlock.%s", name);
	if (storage_put_aside(b) == -1) {
		log_warn("branch %s", name);
		ret = EXIT_SANDLOCK;
	} else {
		log_warnx("branch %s is given up: what its commit has done to "
		    "%s stays, and the rest is not done", name,
		    b->workdir == NULL ? "its directory" : b->workdir);
		log_warnx("its journal, the rest, and what was replaced or "
		    "deleted are in %s/.%s: remove that when it is of no use "
		    "any more", b->storage, name);
		if (b->lower != -1 && faccessat(b->lower, staging, F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0)
			log_warnx("so is %s/%s", b->workdir, staging);
	}
	storage_close(b);
	return (ret);
}

static int
branch_abort(const struct branch_options *bo, const char *name)
{
	enum branch_state	 state;

	errno = ENOENT;
	if (storage_enter(bo, &run.branch) == -1) {
		log_warn("branch %s", name);
		return (EXIT_SANDLOCK);
	}
	state = storage_branch(&run.branch, name);
	if (state == BRANCH_KEPT && run.branch.server != NULL)
		return (branch_served(ORDER_ABORT, name));
	switch (state) {
	case BRANCH_KEPT:
	case BRANCH_COMMITTED:
	case BRANCH_ORPHAN:
	case BRANCH_ABANDONED:
		/* The directory of an orphan may come back. */
		if (!storage_broken_off(&run.branch))
			return (branch_drop(name));
		break;
	case BRANCH_BROKEN_OFF:
		break;
	case BRANCH_IN_USE:
		log_warnx("branch %s: %s", name, state_names[state]);
		storage_close(&run.branch);
		return (EXIT_SANDLOCK);
	case BRANCH_BAD:
		if (bo->force && run.branch.fd != -1)
			break;
		log_warn("branch %s", name);
		storage_close(&run.branch);
		return (EXIT_SANDLOCK);
	}
	if (bo->force)
		return (branch_give_up(name));
	log_warnx("branch %s: half of it may be in %s: recover it first; if "
	    "that is impossible, --force gives it up", name,
	    run.branch.workdir);
	storage_close(&run.branch);
	return (EXIT_SANDLOCK);
}

static int
recover_one(const struct branch_options *bo, const char *name)
{
	int	 state;

	if ((state = branch_get(bo, name, 1)) == -1)
		return (EXIT_SANDLOCK);
	if (state == BRANCH_COMMITTED || state == BRANCH_ABANDONED)
		return (branch_drop(name));
	if (run.branch.server != NULL) {
		/* Whatever was broken off is the server's to mend. */
		storage_close(&run.branch);
		return (0);
	}
	if (state == BRANCH_ORPHAN) {
		log_warnx("branch %s: %s %s", name, state_names[state],
		    run.branch.workdir);
		storage_close(&run.branch);
		return (EXIT_SANDLOCK);
	}
	return (run_branch(ORDER_RECOVER, DRY_RUN_UNSET));
}

/* Without a name: the first one that is to be recovered, again and again. */
static int
branch_recover(const struct branch_options *bo, const char *name)
{
	struct branch_dir	 b;
	enum branch_state	 state;
	char			**names;
	size_t			 i, n;
	int			 status = 0;

	if (name != NULL)
		return (recover_one(bo, name));
	if (storage_names(bo, &names, &n) == -1)
		return (EXIT_SANDLOCK);
	for (i = 0; i < n; i++) {
		state = BRANCH_BAD;
		if (storage_enter(bo, &b) == 0)
			state = storage_branch(&b, names[i]);
		storage_close(&b);
		if ((state == BRANCH_BROKEN_OFF || state == BRANCH_COMMITTED ||
		    state == BRANCH_ABANDONED) &&
		    recover_one(bo, names[i]) != 0)
			status = EXIT_SANDLOCK;
		free(names[i]);
	}
	free(names);
	return (status);
}

static int
branch_options(struct branch_options *bo, int *argc, char ***argv)
{
	static const struct option	 longs[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "fs-storage", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	int	 c;

	while ((c = getopt_long(*argc, *argv, "+h", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			bo->force = 1;
			break;
		case 'h':
			branch_usage(stdout);
			return (-1);
		case 'j':
			bo->json = 1;
			break;
		case 's':
			bo->storage = optarg;
			break;
		default:
			branch_usage(stderr);
			return (EXIT_SANDLOCK);
		}
	}
	*argc -= optind;
	*argv += optind;
	return (0);
}

int
branch_main(int argc, char **argv)
{
	const struct branch_verb	*verb = NULL;
	struct branch_options		 bo;
	size_t				 i;
	int				 status;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)) {
		branch_usage(stdout);
		return (0);
	}
	for (i = 0; argc > 1 && i < NVERBS; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			verb = &verbs[i];
	if (verb == NULL) {
		branch_usage(stderr);
		return (EXIT_SANDLOCK);
	}
	argc--;
	argv++;
	memset(&bo, 0, sizeof(bo));
	storage_init(&run.branch);
	if ((status = branch_options(&bo, &argc, &argv)) != 0)
		return (status == -1 ? 0 : status);
	if ((verb->wants == 1 && argc != 1) || (verb->wants == 0 &&
	    argc != 0) || argc > 1 || (bo.json && verb->act != branch_list &&
	    verb->act != branch_diff) || (bo.force &&
	    verb->act != branch_abort)) {
		branch_usage(stderr);
		return (EXIT_SANDLOCK);
	}
	return (verb->act(&bo, argv[0]));
}
