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
 * A run on a terminal, through a pty: job control, keys, window size, modes,
 * and the input queue that the workload must not fill.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TERMINAL_SECONDS	20	/* until something never happens */
#define TERMINAL_BUFSIZE	65536

struct terminal {
	int	 fd;		/* the master */
	pid_t	 pid;
	char	 text[TERMINAL_BUFSIZE];	/* not looked at yet */
	size_t	 len;
};

static char	 sandlock[1024];
static char	 procs[1024];

static time_t
now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec);
}

/* The work directory as util.sh has it, too. */
static void
setup(const atf_tc_t *tc)
{
	char	 dir[512];

	snprintf(procs, sizeof(procs), "%s/procs",
	    atf_tc_get_config_var(tc, "srcdir"));
	strlcpy(sandlock, atf_tc_get_config_var_wd(tc, "sandlock", ""),
	    sizeof(sandlock));
	if (sandlock[0] == '\0')
		snprintf(sandlock, sizeof(sandlock),
		    "%s/../../sandlock/sandlock",
		    atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE(getcwd(dir, sizeof(dir)) != NULL);
	ATF_REQUIRE(mkdir("home", 0700) == 0 && mkdir("tmp", 0700) == 0 &&
	    mkdir("work", 0700) == 0);
	ATF_REQUIRE(chdir("home") == 0 && getcwd(dir, sizeof(dir)) != NULL);
	setenv("HOME", dir, 1);
	ATF_REQUIRE(chdir("../tmp") == 0 && getcwd(dir, sizeof(dir)) != NULL);
	setenv("TMPDIR", dir, 1);
	ATF_REQUIRE(chdir("../work") == 0);
	setenv("SANDLOCK", sandlock, 1);
	setenv("PS1", "OUTER> ", 1);
	setenv("TERM", "dumb", 1);
	ATF_REQUIRE(snprintf(dir, sizeof(dir), "cp '%s' procs", procs) > 0);
	ATF_REQUIRE(system(dir) == 0);
}

/* Run a program on a terminal of its own. */
static void
terminal_start(struct terminal *t, const char *path, ...)
{
	char		*argv[32];
	int		 n = 0;
	struct winsize	 ws = { .ws_row = 24, .ws_col = 80 };
	va_list		 ap;

	va_start(ap, path);
	do {
		ATF_REQUIRE(n < 32);
		argv[n] = va_arg(ap, char *);
	} while (argv[n++] != NULL);
	va_end(ap);
	t->len = 0;
	t->pid = forkpty(&t->fd, NULL, NULL, &ws);
	ATF_REQUIRE(t->pid != -1);
	if (t->pid == 0) {
		execvp(path, argv);
		_exit(127);
	}
	ATF_REQUIRE(fcntl(t->fd, F_SETFL, O_NONBLOCK) == 0);
}

static void
terminal_type(struct terminal *t, const char *text)
{
	ATF_REQUIRE(write(t->fd, text, strlen(text)) ==
	    (ssize_t)strlen(text));
}

/* Read for a moment; 0 at the end. */
static int
terminal_read(struct terminal *t)
{
	struct pollfd	 pfd = { .fd = t->fd, .events = POLLIN };
	ssize_t		 n;

	if (poll(&pfd, 1, 100) != 1)
		return (1);
	ATF_REQUIRE(t->len < sizeof(t->text) - 1);
	n = read(t->fd, t->text + t->len, sizeof(t->text) - 1 - t->len);
	if (n == -1 && errno == EAGAIN)
		return (1);
	if (n <= 0)
		return (0);
	t->len += n;
	t->text[t->len] = '\0';
	return (1);
}

/* Wait until a text has come, and drop everything up to its end. */
static void
terminal_expect(struct terminal *t, const char *text)
{
	char	*found;
	time_t	 end = now() + TERMINAL_SECONDS;
	size_t	 rest;

	for (;;) {
		t->text[t->len] = '\0';
		if ((found = strstr(t->text, text)) != NULL)
			break;
		if (!terminal_read(t) || now() > end)
			atf_tc_fail("'%s' never came: '%s'", text, t->text);
	}
	rest = t->len - (found + strlen(text) - t->text);
	memmove(t->text, found + strlen(text), rest);
	t->len = rest;
}

/* The exit status of the program; what is left of the output stays. */
static int
terminal_end(struct terminal *t)
{
	time_t	 end = now() + TERMINAL_SECONDS;
	int	 open = 1, status;

	while (waitpid(t->pid, &status, WNOHANG) == 0) {
		if (open)
			open = terminal_read(t);
		if (now() > end) {
			kill(t->pid, SIGKILL);
			atf_tc_fail("never ended: '%s'", t->text);
		}
	}
	while (open && terminal_read(t) && t->len > 0 && now() <= end) {
		struct pollfd	 pfd = { .fd = t->fd, .events = POLLIN };

		if (poll(&pfd, 1, 0) == 0)
			break;
	}
	close(t->fd);
	return (WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status));
}

/*
 * Wait until the program on the terminal has this name, and runs: to be
 * continued would take a stop back that came before.
 */
static void
terminal_job(struct terminal *t, const char *name)
{
	char	 path[64], line[64], running[32], waiting[32];
	time_t	 end = now() + TERMINAL_SECONDS;
	pid_t	 pgrp;
	FILE	*f;

	snprintf(running, sizeof(running), "(%s) R", name);
	snprintf(waiting, sizeof(waiting), "(%s) S", name);
	for (;;) {
		ATF_REQUIRE_MSG(now() <= end, "no job: '%s'", t->text);
		if ((pgrp = tcgetpgrp(t->fd)) > 0) {
			snprintf(path, sizeof(path), "/proc/%d/stat", pgrp);
			line[0] = '\0';
			if ((f = fopen(path, "r")) != NULL) {
				if (fgets(line, sizeof(line), f) == NULL)
					line[0] = '\0';
				fclose(f);
			}
			if (strstr(line, running) != NULL ||
			    strstr(line, waiting) != NULL)
				return;
		}
		terminal_read(t);
	}
}

/* bash, which waits for what we type, in or around the sandbox. */
static void
outer_start(struct terminal *t)
{
	terminal_start(t, "bash", "bash", "--norc", "--noprofile",
	    "--noediting", "-i", NULL);
	terminal_expect(t, "OUTER> ");
}

ATF_TC_WITHOUT_HEAD(inner_shell);
ATF_TC_BODY(inner_shell, tc)
{
	struct terminal	 t;

	setup(tc);
	setenv("PS1", "INNER> ", 1);
	terminal_start(&t, sandlock, "sandlock", "run", "--", "bash", "--norc",
	    "--noprofile", "--noediting", "-i", NULL);
	terminal_expect(&t, "INNER> ");
	ATF_CHECK(strstr(t.text, "no job control") == NULL);
	/* Ctrl-C ends the job and not the shell. */
	terminal_type(&t, "sh -c 'echo i''n; exec ./procs pause'\n");
	terminal_expect(&t, "\nin");
	terminal_job(&t, "procs");
	terminal_type(&t, "\003");
	terminal_expect(&t, "INNER> ");
	terminal_type(&t, "echo status=$?\n");
	terminal_expect(&t, "status=130");
	terminal_expect(&t, "INNER> ");
	/* Ctrl-Z stops it; bg, fg and kill are as ever. */
	terminal_type(&t, "sh -c 'echo i''n; exec ./procs pause'\n");
	terminal_expect(&t, "\nin");
	terminal_job(&t, "procs");
	terminal_type(&t, "\032");
	terminal_expect(&t, "Stopped");
	terminal_expect(&t, "INNER> ");
	terminal_type(&t, "bg\n");
	terminal_expect(&t, "INNER> ");
	terminal_type(&t, "jobs\n");
	terminal_expect(&t, "Running");
	terminal_expect(&t, "INNER> ");
	terminal_type(&t, "fg\n");
	terminal_expect(&t, "./procs pause");
	terminal_job(&t, "procs");
	terminal_type(&t, "\003");
	terminal_expect(&t, "INNER> ");
	terminal_type(&t, "jobs; echo none\n");
	terminal_expect(&t, "\nnone");
	/* The end of input is the end of all. */
	terminal_expect(&t, "INNER> ");
	terminal_type(&t, "\004");
	ATF_CHECK(terminal_end(&t) == 0);
}

/* The same keys on a plain workload: sandlock is the outer shell's job. */
ATF_TC_WITHOUT_HEAD(plain_job);
ATF_TC_BODY(plain_job, tc)
{
	struct terminal	 t;
	int		 i;

	setup(tc);
	outer_start(&t);
	terminal_type(&t, "$SANDLOCK run -- /bin/sh -c "
	    "'echo up''1; exec ./procs pause'\n");
	terminal_expect(&t, "up1");
	terminal_job(&t, "procs");
	for (i = 0; i < 3; i++) {
		terminal_type(&t, "\032");
		terminal_expect(&t, "Stopped");
		terminal_expect(&t, "OUTER> ");
		/* The terminal is the shell's own again. */
		terminal_type(&t, "echo alive$((i+1))\n");
		terminal_expect(&t, "alive1");
		terminal_expect(&t, "OUTER> ");
		terminal_type(&t, "fg\n");
		terminal_expect(&t, "procs pause");
		terminal_job(&t, "procs");
	}
	terminal_type(&t, "\003");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "echo status=$?\n");
	terminal_expect(&t, "status=130");
	terminal_expect(&t, "OUTER> ");
	/* Input goes to the workload, and after a stop still does. */
	terminal_type(&t, "$SANDLOCK run -- /bin/sh -c "
	    "'echo up''2; read x; echo got:$x'\n");
	terminal_expect(&t, "up2");
	terminal_type(&t, "\032");
	terminal_expect(&t, "Stopped");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "fg\n");
	terminal_expect(&t, "got:$x");
	terminal_type(&t, "word\n");
	terminal_expect(&t, "got:word");
	terminal_expect(&t, "OUTER> ");
	/* In the background it stops for its input, fg gives it. */
	terminal_type(&t, "$SANDLOCK run -- /bin/sh -c "
	    "'echo up''3; read x; echo got:$x' &\n");
	terminal_expect(&t, "up3");
	terminal_type(&t, "until jobs | grep -q Stopped; do :; done; "
	    "echo stop''ped\n");
	terminal_expect(&t, "stopped");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "fg\n");
	terminal_expect(&t, "got:$x");
	terminal_type(&t, "again\n");
	terminal_expect(&t, "got:again");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "exit 0\n");
	ATF_CHECK(terminal_end(&t) == 0);
}

/* A copy of the programs whose netd begins when there is a file "go". */
static void
late_programs(void)
{
	static const char	 make[] =
	    "top=${SANDLOCK%/sandlock/sandlock}; mkdir late late/netd &&"
	    "for p in sandlock supervisor cowd; do mkdir late/$p &&"
	    "cp $top/$p/$p late/$p/ || exit; done;"
	    "cp $top/netd/netd late/netd/real && cat >late/netd/netd <<END\n"
	    "#!/bin/sh\n"
	    "until [ -e $PWD/go ]; do /bin/sleep 0.01; done\n"
	    "exec $PWD/late/netd/real\n"
	    "END\n"
	    "chmod 755 late/netd/netd";

	ATF_REQUIRE_EQ(0, system(make));
}

/* A run that waits for a name, at the terminal. */
static void
late_start(struct terminal *t)
{
	unlink("go");
	terminal_type(t, "late/sandlock/sandlock run --no-workdir "
	    "--net-allow localhost -- /bin/sh -c "
	    "'echo up''1; read x; echo got:$x'\n");
	terminal_job(t, "supervisor");
}

ATF_TC_WITHOUT_HEAD(starting);
ATF_TC_BODY(starting, tc)
{
	struct terminal	 t;

	setup(tc);
	late_programs();
	outer_start(&t);
	/* The keys reach a child that has not begun. */
	late_start(&t);
	terminal_type(&t, "\003");
	terminal_expect(&t, "OUTER> ");
	ATF_CHECK(strstr(t.text, "sandlock: ") == NULL);
	terminal_type(&t, "echo status=$?\n");
	terminal_expect(&t, "status=130");
	terminal_expect(&t, "OUTER> ");
	/* Stopped and continued there, it has the terminal all the same. */
	late_start(&t);
	terminal_type(&t, "\032");
	terminal_expect(&t, "Stopped");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "fg\n");
	terminal_expect(&t, "got:$x");
	ATF_REQUIRE(close(open("go", O_WRONLY | O_CREAT, 0600)) == 0);
	terminal_expect(&t, "up1");
	terminal_type(&t, "word\n");
	terminal_expect(&t, "got:word");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "exit\n");
	terminal_end(&t);
}

ATF_TC_WITHOUT_HEAD(pipeline);
ATF_TC_BODY(pipeline, tc)
{
	struct terminal	 t;

	setup(tc);
	outer_start(&t);
	/* Not all streams are the terminal: the foreground is not taken. */
	terminal_type(&t, "$SANDLOCK run -- /bin/sh -c "
	    "'echo up''1 >&2; exec ./procs pause' | cat\n");
	terminal_expect(&t, "up1");
	terminal_type(&t, "\003");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "echo status=${PIPESTATUS[0]}\n");
	terminal_expect(&t, "status=130");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "echo one | $SANDLOCK run -- cat | tr o 0\n");
	terminal_expect(&t, "0ne");
	terminal_expect(&t, "OUTER> ");
	terminal_type(&t, "exit 0\n");
	ATF_CHECK(terminal_end(&t) == 0);
}

ATF_TC_WITHOUT_HEAD(resize);
ATF_TC_BODY(resize, tc)
{
	struct terminal	 t;
	struct winsize	 ws = { .ws_row = 33, .ws_col = 111 };

	setup(tc);
	terminal_start(&t, sandlock, "sandlock", "run", "--", "/bin/sh", "-c",
	    "trap 'stty size; exit 3' WINCH; stty size; while :; do :; done",
	    NULL);
	terminal_expect(&t, "24 80");
	ATF_REQUIRE(ioctl(t.fd, TIOCSWINSZ, &ws) == 0);
	terminal_expect(&t, "33 111");
	ATF_CHECK(terminal_end(&t) == 3);
}

/* Modes and foreground come back, whoever was killed. */
static void
raw_one(const char *options, const char *victim)
{
	char		 line[1024];
	struct termios	 before, after;
	struct terminal	 t;
	time_t		 end = now() + TERMINAL_SECONDS;

	unlink("raw");
	outer_start(&t);
	ATF_REQUIRE(tcgetattr(t.fd, &before) == 0);
	ATF_REQUIRE((before.c_lflag & ICANON) != 0);
	snprintf(line, sizeof(line), "$SANDLOCK run --no-workdir %s -- "
	    "./procs raw raw\n", options);
	terminal_type(&t, line);
	while (access("raw", F_OK) == -1 && now() < end)
		terminal_read(&t);
	ATF_REQUIRE_MSG(access("raw", F_OK) == 0, "%s", t.text);
	ATF_REQUIRE(tcgetattr(t.fd, &after) == 0);
	ATF_REQUIRE((after.c_lflag & ICANON) == 0);
	snprintf(line, sizeof(line), "for p in $(pgrep -s $(cut -d' ' -f6 "
	    "/proc/%d/stat)); do case $(cat /proc/$p/comm) in %s) kill -KILL "
	    "$p;; esac; done", t.pid, victim);
	ATF_REQUIRE(system(line) == 0);
	terminal_expect(&t, "OUTER> ");
	ATF_REQUIRE(tcgetattr(t.fd, &after) == 0);
	ATF_CHECK_MSG(after.c_lflag == before.c_lflag &&
	    after.c_iflag == before.c_iflag &&
	    after.c_oflag == before.c_oflag, "%s %s", options, victim);
	ATF_CHECK_MSG(tcgetpgrp(t.fd) == t.pid, "%s %s", options, victim);
	terminal_type(&t, "exit 0\n");
	ATF_CHECK(terminal_end(&t) == 0);
}

ATF_TC_WITHOUT_HEAD(modes);
ATF_TC_BODY(modes, tc)
{
	setup(tc);
	raw_one("", "procs");
	raw_one("", "supervisor");
	raw_one("", "cowd");
	raw_one("--no-supervisor", "procs");
	raw_one("-t 0.5 --kill-after 0.1", "nobody");
}

/* Into the queue of the shell that follows on this terminal. */
static void
sti_read(struct terminal *t, const char *command)
{
	char	 line[2048];

	snprintf(line, sizeof(line), "%s; stty -icanon min 0 time 2; "
	    "dd bs=64 count=1 2>/dev/null | od -An -c; echo o''ver", command);
	terminal_start(t, "/bin/sh", "sh", "-c", line, NULL);
	terminal_expect(t, "over");
	ATF_CHECK(terminal_end(t) == 0);
}

ATF_TC_WITHOUT_HEAD(injection);
ATF_TC_BODY(injection, tc)
{
	static const char	*options[] = { "", "-P 10",
				    "--no-supervisor --no-workdir",
				    "-r / --unveil /dev/tty:rw",
				    "--syscalls allow-list" };
	char			 line[1024], *p;
	struct terminal		 t;
	size_t			 i;

	setup(tc);
	/* Control: it works on this kernel. */
	terminal_start(&t, "/bin/sh", "sh", "-c", "./procs sti Q; stty -icanon "
	    "min 0 time 2; dd bs=64 count=1 2>/dev/null | od -An -c; "
	    "echo o''ver", NULL);
	terminal_expect(&t, "sti bits ");
	terminal_expect(&t, "\n");
	if (strncmp(t.text, "EIO", 3) == 0)
		atf_tc_skip("this kernel does not inject");
	terminal_expect(&t, "Q");
	terminal_expect(&t, "over");
	ATF_CHECK(terminal_end(&t) == 0);

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		snprintf(line, sizeof(line), "$SANDLOCK run %s -- "
		    "./procs sti Q >out", options[i]);
		sti_read(&t, line);
		ATF_CHECK(atf_utils_grep_file("^sti 0 EPERM", "out"));
		ATF_CHECK(atf_utils_grep_file("^sti dup EPERM", "out"));
		ATF_CHECK(atf_utils_grep_file("^sti tty E", "out"));
		ATF_CHECK(atf_utils_grep_file("^sti bits EPERM", "out"));
		snprintf(line, sizeof(line), "$SANDLOCK run %s -- "
		    "./procs sti Q", options[i]);
		terminal_start(&t, "/bin/sh", "sh", "-c", line, NULL);
		terminal_expect(&t, "sti 0 EPERM");
		terminal_expect(&t, "sti dup EPERM");
		terminal_expect(&t, "sti bits EPERM");
		terminal_end(&t);
		/* Nothing was there to be read. */
		snprintf(line, sizeof(line), "$SANDLOCK run %s -- ./procs sti Q"
		    " >/dev/null", options[i]);
		terminal_start(&t, "/bin/sh", "sh", "-c", "eval \"$0\"; "
		    "stty -icanon min 0 time 2; echo be''gin; dd bs=64 count=1 "
		    "2>/dev/null; echo o''ver", line, NULL);
		terminal_expect(&t, "begin");
		terminal_expect(&t, "\n");
		while (strstr(t.text, "over") == NULL && terminal_read(&t))
			continue;
		p = memchr(t.text, 'Q', t.len);
		ATF_CHECK_MSG(p == NULL, "%s: '%s'", options[i], t.text);
		terminal_end(&t);
	}
}

/* A hang-up ends the run. */
ATF_TC_WITHOUT_HEAD(hangup);
ATF_TC_BODY(hangup, tc)
{
	struct terminal	 t;
	time_t		 end = now() + TERMINAL_SECONDS;
	int		 status;

	setup(tc);
	terminal_start(&t, sandlock, "sandlock", "run", "--", "/bin/sh", "-c",
	    "echo u''p; exec ./procs pause", NULL);
	terminal_expect(&t, "up");
	close(t.fd);
	while (waitpid(t.pid, &status, WNOHANG) == 0) {
		ATF_REQUIRE(now() < end);
		usleep(10000);
	}
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 129);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, inner_shell);
	ATF_TP_ADD_TC(tp, plain_job);
	ATF_TP_ADD_TC(tp, starting);
	ATF_TP_ADD_TC(tp, pipeline);
	ATF_TP_ADD_TC(tp, resize);
	ATF_TP_ADD_TC(tp, modes);
	ATF_TP_ADD_TC(tp, injection);
	ATF_TP_ADD_TC(tp, hangup);
	return (atf_no_error());
}
