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
 * The terminal.  The workload has a process group of its own; it gets the
 * foreground when all three streams are one terminal and sandlock has it.
 * When the workload stops, the parent takes the foreground back and stops too,
 * so that a shell sees its job stopped, and continues it together with itself.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "log.h"
#include "run.h"

static int		 terminal_fd = -1;	/* the controlling one */
static int		 terminal_managed;	/* handed over when ours */
static int		 terminal_given;	/* the workload's side has it */
static int		 terminal_saved;
static struct termios	 terminal_modes;

/* All three streams are the same terminal. */
static int
terminal_is_ours(void)
{
	struct stat	 in, out, err;

	return (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	    isatty(STDERR_FILENO) &&
	    fstat(STDIN_FILENO, &in) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
	    fstat(STDERR_FILENO, &err) == 0 && in.st_rdev == out.st_rdev &&
	    out.st_rdev == err.st_rdev && in.st_dev == out.st_dev &&
	    out.st_dev == err.st_dev);
}

void
terminal_init(struct workload_conf *wc)
{
	/*
	 * Also in a pipeline the workload may open the terminal and be stopped
	 * for reading it, so that the streams alone do not tell.
	 */
	terminal_fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* Without the foreground there is nothing to hand on. */
	if (!terminal_is_ours() || tcgetpgrp(terminal_fd) != getpgrp())
		return;
	if (tcgetattr(terminal_fd, &terminal_modes) == 0)
		terminal_saved = 1;
	wc->terminal = 1;
	terminal_managed = 1;
	terminal_given = 1;	/* the child takes it before its exec */
}

/*
 * The streams are the workload's now: a pipe must end when it closes its end.
 * 0, or -1 and errno.
 */
int
terminal_leave(void)
{
	int	 fd, ret = 0;

	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 &&
	    (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	if (dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1)
		ret = -1;
	close(fd);
	return (ret);
}

static void
terminal_set(pid_t pgrp)
{
	if (tcsetpgrp(terminal_fd, pgrp) == -1)
		log_debug("tcsetpgrp: %s", strerror(errno));
	terminal_given = pgrp != getpgrp();
}

/* If a shell has given the foreground to us, it is the workload's. */
void
terminal_pass(void)
{
	if (run.pid != 0 && terminal_managed &&
	    tcgetpgrp(terminal_fd) == getpgrp())
		terminal_set(run.pid);
}

/*
 * The workload has stopped.  One that only wanted to read its terminal, which
 * the shell had given to us, gets it; otherwise the job stops as a whole.  A
 * run without job control is not stopped: nobody would continue it, and its
 * time limit must go on.
 */
void
terminal_stopped(int sig)
{
	pid_t	 foreground = tcgetpgrp(terminal_fd);

	if (foreground == -1)
		return;
	/* It got it meanwhile. */
	if ((sig == SIGTTIN || sig == SIGTTOU) && terminal_managed &&
	    run.pid != 0 && foreground == getpgid(run.pid)) {
		run_signal_tree(SIGCONT);
		return;
	}
	if ((sig == SIGTTIN || sig == SIGTTOU) && !terminal_managed &&
	    foreground == getpgrp()) {
		if (tcgetattr(terminal_fd, &terminal_modes) == 0)
			terminal_saved = 1;
		terminal_managed = 1;
		terminal_set(run.pid);
		run_signal_tree(SIGCONT);
		return;
	}
	/*
	 * Only a shell with job control would continue us; it gave us a group
	 * of our own.
	 */
	if (getpgid(getppid()) == getpgrp())
		return;
	if (terminal_given)
		terminal_set(getpgrp());
	/* While the clock of a time limit stands still, nobody runs on. */
	if (run.policy->timeout_ms != 0)
		run_kill_tree(SIGSTOP);
	raise(SIGSTOP);
	run_continued();
	/*
	 * Continued, by fg or by bg.  The workload is by the signal that did
	 * it, which run.c passes on: a second one would take back a stop that
	 * came in between.
	 */
	terminal_pass();
}

/*
 * At the end: foreground and modes as they were, unless a shell has put us in
 * the background and has the terminal itself.
 */
void
terminal_restore(void)
{
	if (!terminal_given)
		return;
	terminal_set(getpgrp());
	if (terminal_saved &&
	    tcsetattr(terminal_fd, TCSADRAIN, &terminal_modes) == -1)
		log_debug("tcsetattr: %s", strerror(errno));
}
