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
 * What becomes of the branch at the end of a run: committed by cowd, or by a
 * server that its keeper tells so, printed and dropped, dropped, or kept.  A
 * branch is removed only when its work is in the working directory, or nobody
 * asked for it.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "branch_print.h"
#include "keeper.h"
#include "log.h"
#include "output.h"
#include "run.h"

/* Deeper trees than anybody has; a broken cowd shall not fill our memory. */
#define FINISH_PATH_MAX	(64 * 1024 * 1024)

static FILE	*finish_out;	/* for a list: the caller's standard output */
static enum dry_run_form finish_form;
static enum branch_order finish_order;
static char	*finish_begun;	/* of a path that comes in pieces */
static int	 finish_keep;	/* do not remove it */
static int	 finish_quiet;	/* nobody doubts that it is kept */
static int	 finish_commits;	/* a server's, when all is over */
static int	 finish_unasked;	/* aborted, as nobody said otherwise */

/* The workload's end closes our streams; a dry run prints after it. */
int
finish_init(void)
{
	int	 fd;

	if (!run.policy->dry_run)
		return (0);
	finish_form = run.policy->dry_run_form;
	if ((fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10)) == -1 ||
	    (finish_out = output_open(fd)) == NULL) {
		log_warn("standard output");
		return (-1);
	}
	return (0);
}

static enum branch_action
finish_action(void)
{
	const struct policy	*p = run.policy;

	if (run.reason == REASON_EXIT && run.exit_status == 0)
		return (p->on_exit == BRANCH_UNSET ? BRANCH_COMMIT :
		    p->on_exit);
	return (p->on_error == BRANCH_UNSET ? BRANCH_ABORT : p->on_error);
}

/* Whether a lost run leaves its branch. */
int
finish_keeps(void)
{
	const struct policy	*p = run.policy;

	return (!p->dry_run && (p->on_error == BRANCH_KEEP ||
	    p->on_error == BRANCH_COMMIT));
}

static int
finish_listing(void)
{
	return (finish_order == ORDER_LIST || finish_order == ORDER_DIFF);
}

static int
finish_begin(void)
{
	output_begin();
	if (finish_listing())
		branch_print_begin(finish_out, finish_form);
	return (workers_order(finish_order));
}

/*
 * The branch command: give the order without a run.  0, or -1 when there is
 * no cowd.
 */
int
finish_command(enum branch_order order, enum dry_run_form form)
{
	finish_order = order;
	finish_form = form;
	finish_keep = finish_quiet = 1;
	if ((finish_out = output_open(STDOUT_FILENO)) == NULL) {
		log_warn("standard output");
		return (-1);
	}
	return (finish_begin());
}

/* The workload is gone.  Whether cowd has been given something to do. */
int
finish_branch(void)
{
	if (run.branch.fd == -1)
		return (0);
	if (!run.policy->dry_run) {
		finish_keep = finish_action() != BRANCH_ABORT;
		finish_unasked = !finish_keep &&
		    run.policy->on_error == BRANCH_UNSET;
		if (run.branch.server != NULL) {
			finish_commits = finish_action() == BRANCH_COMMIT;
			return (0);
		}
		if (finish_action() != BRANCH_COMMIT) {
			workers_order(ORDER_LEAVE);
			return (0);
		}
		finish_order = ORDER_COMMIT;
	} else
		finish_order = finish_form == DRY_RUN_DIFF ? ORDER_DIFF :
		    ORDER_LIST;
	if (finish_begin() == 0)
		return (1);
	log_warnx("cowd is gone");
	run.reason = REASON_WORKER;
	run.exit_status = EXIT_SANDLOCK;
	return (0);
}

/*
 * One of our own is lost, or the run never began.  Nothing is committed then;
 * who wanted to have the branch after an error has it.
 */
void
finish_failed(void)
{
	if (run.branch.fd == -1 || run.policy->dry_run)
		return;
	if (run.state == RUN_FINISHING)
		/* It may be half done, which recovery mends. */
		finish_keep = 1;
	else if (run.state == RUN_RUNNING) {
		finish_keep = finish_keeps();
		finish_unasked = run.policy->on_error == BRANCH_UNSET;
	}
}

/* Whether there is only something to say: that may be broken off. */
int
finish_interruptible(void)
{
	return (finish_listing());
}

/* The beginning of a path; -1 when it is none, or longer than can be. */
int
finish_path(struct imsg *imsg)
{
	char	*longer, *piece;

	if (proto_recv_string(imsg, &piece) == -1)
		return (-1);
	if (finish_begun == NULL) {
		finish_begun = piece;
		return (0);
	}
	if (strlen(finish_begun) > FINISH_PATH_MAX) {
		free(piece);
		return (-1);
	}
	if (asprintf(&longer, "%s%s", finish_begun, piece) == -1)
		fatal("path");
	free(finish_begun);
	free(piece);
	finish_begun = longer;
	return (0);
}

/* Put what came before in front of a path; 0, or -1 without memory. */
int
finish_whole(char **path)
{
	char	*whole;

	if (finish_begun == NULL)
		return (0);
	if (asprintf(&whole, "%s%s", finish_begun, *path) == -1)
		return (-1);
	free(finish_begun);
	finish_begun = NULL;
	free(*path);
	*path = whole;
	return (0);
}

void
finish_change(const struct proto_change *pc)
{
	if (output_interrupted())
		return;
	if (finish_listing())
		branch_print_change(finish_out, finish_form, pc);
	else
		branch_warn_conflict(pc);
}

void
finish_text(struct imsg *imsg)
{
	if (finish_listing() && !output_interrupted())
		branch_print_text(finish_out, imsg, output_tty());
}

static void
finish_list_end(void)
{
	branch_print_end(finish_out, finish_form);
	if ((fflush(finish_out) == EOF || ferror(finish_out)) &&
	    !output_interrupted()) {
		log_warn("standard output");
		run.exit_status = EXIT_SANDLOCK;
	}
}

void
finish_outcome(const struct proto_outcome *po)
{
	if (finish_listing())
		finish_list_end();
	/* The signal that did it is about to end the run. */
	if (output_interrupted())
		return;
	switch (po->outcome) {
	case OUTCOME_DONE:
		if (finish_order != ORDER_COMMIT)
			break;
		finish_keep = 0;
		if (isatty(STDERR_FILENO))
			branch_summary(po, run.branch.workdir);
		break;
	case OUTCOME_COMPLETED:
		log_warnx("branch %s: the commit is complete now",
		    run.branch.name);
		finish_keep = 0;
		break;
	case OUTCOME_UNDONE:
		log_warnx("branch %s: the commit is undone", run.branch.name);
		break;
	case OUTCOME_CONFLICT:
	case OUTCOME_FAILED:
	case OUTCOME_STUCK:
		branch_warn_outcome(po);
		run.exit_status = EXIT_SANDLOCK;
		break;
	}
	run_finished();
}

/* The server has not done as it was told, or nobody knows whether it has. */
static void
finish_refused(enum branch_order order, const struct proto_outcome *po)
{
	const char	*what = order == ORDER_COMMIT ? "commit" : "abort";

	run.exit_status = EXIT_SANDLOCK;
	finish_keep = 1;
	if (po == NULL)
		log_warnx("branchfs: %s of %s: %s: it may be done or not", what,
		    run.branch.workdir, errno == ETIMEDOUT ? "no answer" :
		    errno == EINTR ? "interrupted" : strerror(errno));
	else if (po->outcome == OUTCOME_CONFLICT)
		log_warnx("branchfs: %s changed since the branch was made: "
		    "conflict: nothing is committed", run.branch.workdir);
	else
		log_warnx("branchfs: %s of %s: %s", what, run.branch.workdir,
		    strerror(po->error));
}

/* Nobody uses the branch any more; whether it is gone, its record too. */
static int
finish_server(void)
{
	struct proto_outcome	 po;
	enum branch_order	 order;
	int			 answered;

	if (finish_keep && !finish_commits) {
		keeper_leave();
		return (0);
	}
	order = finish_commits ? ORDER_COMMIT : ORDER_ABORT;
	answered = keeper_order(order, &po) == 0;
	if (answered && po.outcome == OUTCOME_DONE)
		return (1);
	finish_refused(order, answered ? &po : NULL);
	return (0);
}

/*
 * The branch command, where a server has the branch: an order without a run.
 * An exit status.
 */
int
finish_server_command(enum branch_order order)
{
	run.exit_status = 0;
	finish_commits = order == ORDER_COMMIT;
	finish_server();
	storage_close(&run.branch);
	return (run.exit_status);
}

/*
 * Whoever did not expect that a failure discards what was done shall learn it,
 * and how to have it otherwise.
 */
static void
finish_discarded(void)
{
	if (finish_unasked && !finish_keep && isatty(STDERR_FILENO) &&
	    storage_written(&run.branch))
		log_warnx("%s: the command failed: its changes are discarded; "
		    "--on-error keep keeps them", run.branch.workdir);
}

/* Everything is gone but the branch. */
void
finish_remove(void)
{
	if (run.branch.fd == -1)
		return;
	if (keeper_there() && finish_server()) {
		storage_close(&run.branch);
		return;
	}
	if (finish_keep && storage_settle(&run.branch) == -1)
		log_warn("branch %s", run.branch.name);
	if (finish_keep && !finish_quiet)
		log_warnx("branch %s of %s is kept", run.branch.name,
		    run.branch.workdir);
	if (finish_keep && !finish_quiet && isatty(STDERR_FILENO))
		log_warnx("see sandlock branch diff | commit | abort %s",
		    run.branch.name);
	finish_discarded();
	if (!finish_keep && storage_remove(&run.branch) == -1)
		log_warn("branch %s in %s cannot be removed", run.branch.name,
		    run.branch.storage);
	storage_close(&run.branch);
}
