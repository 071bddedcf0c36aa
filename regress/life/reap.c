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
 * Run a command and see to it that nothing of it is left when it ends.
 *
 *	reap [-g seconds] [-p file] [-t seconds] [-k who:n] [-s who:n]
 *	    [-o file] [-i who:number[:arg ...] -w file] [-x] command ...
 *
 * This process is a subreaper: whatever session or group a descendant of the
 * command made, it becomes a child of this process when its parent dies, so
 * that wait(2) tells exactly whether there is one.  With -g they have so long
 * to end after the command has, otherwise no time at all.  -p writes the pid
 * of the command.  After -t seconds (60) the command counts as hung.
 *
 * The programs of sandlock can be traced from their first instruction, whoever
 * runs this, because children of a traced process are traced: a later attach
 * would not be allowed.  -k kills one of them at the entry of its n-th system
 * call and writes what happened to the file of -o; -s stops it there.  -i
 * makes one of them enter another system call once the file of -w exists, then
 * lets it go on with its own.  -x prints the executable, arguments, environment
 * and descriptors that each of them starts with.  who is "sandlock",
 * "supervisor", "cowd", "netd"
 * or "workload".
 *
 * The exit status is that of the command, 128 + N for signal N, 99 when a
 * process was left, 98 when the command hung, 97 for errors of our own.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_LEFT	99
#define EXIT_HUNG	98
#define EXIT_OWN	97

#define TRACE_OPTIONS	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
			PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | \
			PTRACE_O_TRACESYSGOOD)

static pid_t		 command;
static int		 command_status;
static int		 command_done;

static int		 tracing;
static int		 show_exec;
static const char	*target_name;	/* who of -k or -i */
static pid_t		 target;
static long		 kill_at;
static int		 kill_signal = SIGKILL;
static long		 calls;		/* of the target so far */
static const char	*outcome_path;	/* -o */
static const char	*inject_when;	/* -w */
static long		 inject_nr = -1;
static unsigned long long inject_args[6];
static int		 inject_nargs;
static enum {
	INJECT_WAIT,		/* for the file */
	INJECT_ASKED,		/* the target is about to stop */
	INJECT_MADE,		/* in the injected call */
	INJECT_KILLED,
	INJECT_DONE
} inject_state;
static struct user_regs_struct inject_regs;

static void
outcome(const char *text, long value)
{
	FILE	*f;

	if (outcome_path == NULL)
		return;
	if ((f = fopen(outcome_path, "w")) == NULL)
		err(EXIT_OWN, "%s", outcome_path);
	fprintf(f, "%s %ld\n", text, value);
	fclose(f);
}

static uint64_t
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000);
}

static void
comm_of(pid_t pid, char *buf, size_t size)
{
	char	 path[64];
	FILE	*f;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	if (fgets(buf, size, f) == NULL)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
}

static pid_t
parent_of(pid_t pid)
{
	char	 path[64], line[512], *p;
	pid_t	 ppid = 0;
	FILE	*f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return (0);
	if (fgets(line, sizeof(line), f) != NULL &&
	    (p = strrchr(line, ')')) != NULL)
		sscanf(p + 1, " %*c %d", &ppid);
	fclose(f);
	return (ppid);
}

/* A file of NUL-terminated strings, as one line. */
static void
show_strings(const char *what, pid_t pid, const char *name)
{
	char	 path[64], buf[4096];
	ssize_t	 i, n;
	int	 fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	if ((fd = open(path, O_RDONLY)) == -1 ||
	    (n = read(fd, buf, sizeof(buf))) == -1)
		err(EXIT_OWN, "%s", path);
	close(fd);
	for (i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = i == n - 1 ? '\n' : ' ';
	printf("%s%.*s%s", what, (int)n, buf, n == 0 ? "\n" : "");
}

static void
show_descriptors(pid_t pid)
{
	char		 path[320], link[PATH_MAX];
	struct dirent	*de;
	ssize_t		 n;
	DIR		*dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	if ((dir = opendir(path)) == NULL)
		err(EXIT_OWN, "%s", path);
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid,
		    de->d_name);
		if ((n = readlink(path, link, sizeof(link) - 1)) == -1)
			err(EXIT_OWN, "%s", path);
		link[n] = '\0';
		printf("fd %s %s\n", de->d_name, link);
	}
	closedir(dir);
}

static void
show_start(pid_t pid)
{
	char	 path[64], link[PATH_MAX], comm[32];
	ssize_t	 n;

	comm_of(pid, comm, sizeof(comm));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if ((n = readlink(path, link, sizeof(link) - 1)) == -1)
		err(EXIT_OWN, "%s", path);
	link[n] = '\0';
	printf("start %s\nexe %s\n", comm, link);
	show_strings("args ", pid, "cmdline");
	show_strings("env ", pid, "environ");
	show_descriptors(pid);
	fflush(stdout);
}

/* What a traced process that has started is to us; 0: let it go. */
static int
trace_started(pid_t pid)
{
	char	 comm[32];

	comm_of(pid, comm, sizeof(comm));
	if (show_exec && (strcmp(comm, "supervisor") == 0 ||
	    strcmp(comm, "cowd") == 0 || strcmp(comm, "netd") == 0))
		show_start(pid);
	if (target_name != NULL && target == 0 &&
	    strcmp(comm, target_name) == 0)
		target = pid;
	return (1);
}

/* The first stop of a child: one of the supervisor's is the workload. */
static int
trace_born(pid_t pid)
{
	char	 comm[32];

	comm_of(parent_of(pid), comm, sizeof(comm));
	if (strcmp(comm, "sandlock") == 0)
		return (1);
	if (target_name != NULL && target == 0 &&
	    strcmp(target_name, "workload") == 0 &&
	    strcmp(comm, "supervisor") == 0) {
		target = pid;
		return (1);
	}
	return (0);
}

static void
inject_enter(pid_t pid)
{
	struct user_regs_struct	 regs;
	unsigned long long	*slots[6];
	int			 i;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) == -1)
		err(EXIT_OWN, "PTRACE_GETREGS");
	inject_regs = regs;
	slots[0] = &regs.rdi;
	slots[1] = &regs.rsi;
	slots[2] = &regs.rdx;
	slots[3] = &regs.r10;
	slots[4] = &regs.r8;
	slots[5] = &regs.r9;
	for (i = 0; i < inject_nargs; i++)
		*slots[i] = inject_args[i];
	regs.orig_rax = inject_nr;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) == -1)
		err(EXIT_OWN, "PTRACE_SETREGS");
	inject_state = INJECT_MADE;
}

/* Back from the injected call: make the own one. */
static void
inject_leave(pid_t pid)
{
	struct user_regs_struct	 regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) == -1)
		err(EXIT_OWN, "PTRACE_GETREGS");
	/* A filter that kills puts the number back; the signal follows. */
	if ((long)regs.rax == inject_nr) {
		inject_state = INJECT_KILLED;
		return;
	}
	outcome("returned", (long)regs.rax);
	inject_regs.rax = inject_regs.orig_rax;
	inject_regs.rip -= 2;
	/* No restart of its own on top. */
	inject_regs.orig_rax = -1;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &inject_regs) == -1)
		err(EXIT_OWN, "PTRACE_SETREGS");
	inject_state = INJECT_DONE;
}

static void
trace_syscall(pid_t pid)
{
	struct __ptrace_syscall_info	 info;

	if (pid != target || ptrace(PTRACE_GET_SYSCALL_INFO, pid,
	    sizeof(info), &info) == -1)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		if (inject_state == INJECT_MADE)
			inject_leave(pid);
		return;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	if (inject_state == INJECT_ASKED)
		inject_enter(pid);
	if (kill_at != 0 && ++calls == kill_at) {
		outcome("killed", (long)info.entry.nr);
		kill(pid, kill_signal);
	}
}

static void
trace_resume(pid_t pid, int sig)
{
	int	 step;

	step = pid == target && (kill_at != 0 ||
	    inject_state == INJECT_ASKED || inject_state == INJECT_MADE);
	/* ESRCH: killed meanwhile. */
	ptrace(step ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL,
	    (void *)(long)sig);
}

static void
trace_stop(pid_t pid, int status)
{
	int	 event = status >> 16, sig = WSTOPSIG(status);

	switch (event) {
	case PTRACE_EVENT_EXEC:
		trace_started(pid);
		trace_resume(pid, 0);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		trace_resume(pid, 0);
		return;
	case PTRACE_EVENT_STOP:
		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN ||
		    sig == SIGTTOU)
			ptrace(PTRACE_LISTEN, pid, NULL, NULL);
		else if (pid != target && pid != command && !trace_born(pid))
			ptrace(PTRACE_DETACH, pid, NULL, NULL);
		else
			trace_resume(pid, 0);
		return;
	}
	if (sig == (SIGTRAP | 0x80)) {
		trace_syscall(pid);
		sig = 0;
	}
	trace_resume(pid, sig);
}

static void
inject_check(void)
{
	if (inject_nr == -1 || inject_state != INJECT_WAIT || target == 0 ||
	    access(inject_when, F_OK) == -1)
		return;
	inject_state = INJECT_ASKED;
	if (ptrace(PTRACE_INTERRUPT, target, NULL, NULL) == -1)
		err(EXIT_OWN, "PTRACE_INTERRUPT");
}

static void
show_left(void)
{
	char	 path[64], buf[4096], comm[32], *p, *word;
	ssize_t	 n;
	int	 fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	if ((fd = open(path, O_RDONLY)) == -1 ||
	    (n = read(fd, buf, sizeof(buf) - 1)) == -1)
		err(EXIT_OWN, "%s", path);
	close(fd);
	buf[n] = '\0';
	for (p = buf; (word = strsep(&p, " ")) != NULL; ) {
		if (*word == '\0')
			continue;
		comm_of(strtol(word, NULL, 10), comm, sizeof(comm));
		warnx("left: %s (%s)", word, comm);
	}
}

/* Until none is left; children of a killed one become ours. */
static void
kill_all(void)
{
	char	 path[64], buf[4096], *p, *word;
	ssize_t	 n;
	int	 fd, status;
	pid_t	 pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	for (;;) {
		if ((fd = open(path, O_RDONLY)) == -1)
			err(EXIT_OWN, "%s", path);
		n = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		buf[n > 0 ? n : 0] = '\0';
		for (p = buf; (word = strsep(&p, " ")) != NULL; )
			if (*word != '\0')
				kill(strtol(word, NULL, 10), SIGKILL);
		while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
			continue;
		if (pid == -1)
			return;
		usleep(1000);
	}
}

static pid_t
start(char **argv)
{
	int	 pair[2];
	char	 c;
	pid_t	 pid;

	if (pipe2(pair, O_CLOEXEC) == -1)
		err(EXIT_OWN, "pipe");
	if ((pid = fork()) == -1)
		err(EXIT_OWN, "fork");
	if (pid == 0) {
		close(pair[1]);
		while (read(pair[0], &c, 1) == -1 && errno == EINTR)
			continue;
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	close(pair[0]);
	if (tracing && ptrace(PTRACE_SEIZE, pid, NULL, TRACE_OPTIONS) == -1)
		err(EXIT_OWN, "PTRACE_SEIZE");
	close(pair[1]);
	return (pid);
}

static int
status_of(int status)
{
	if (WIFSIGNALED(status))
		return (128 + WTERMSIG(status));
	return (WEXITSTATUS(status));
}

static int
supervise(uint64_t grace, uint64_t limit)
{
	uint64_t	 began = now_ms(), ended = 0;
	pid_t		 pid;
	int		 status;

	for (;;) {
		pid = waitpid(-1, &status, __WALL | WNOHANG);
		if (pid == -1)
			return (status_of(command_status));
		if (pid > 0) {
			if (WIFSTOPPED(status)) {
				trace_stop(pid, status);
				continue;
			}
			if (pid == target && kill_at == 0 &&
			    inject_state != INJECT_DONE)
				outcome(WIFSIGNALED(status) ? "signal" :
				    "exit", WIFSIGNALED(status) ?
				    WTERMSIG(status) : WEXITSTATUS(status));
			if (pid == command) {
				command_status = status;
				command_done = 1;
				ended = now_ms();
			}
			continue;
		}
		inject_check();
		if (command_done && now_ms() - ended >= grace) {
			show_left();
			kill_all();
			return (EXIT_LEFT);
		}
		if (!command_done && now_ms() - began >= limit) {
			warnx("hung");
			show_left();
			kill_all();
			return (EXIT_HUNG);
		}
		usleep(200);
	}
}

static void
write_pid(const char *path)
{
	char	*tmp;
	FILE	*f;

	if (asprintf(&tmp, "%s.new", path) == -1 ||
	    (f = fopen(tmp, "w")) == NULL)
		err(EXIT_OWN, "%s", path);
	fprintf(f, "%d\n", command);
	fclose(f);
	if (rename(tmp, path) == -1)
		err(EXIT_OWN, "%s", path);
	free(tmp);
}

static void
drop_streams(void)
{
	int	 fd;

	if ((fd = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1)
		err(EXIT_OWN, "/dev/null");
	if (fd > STDERR_FILENO)
		close(fd);
}

/* who:number[:arg ...] */
static void
parse_call(char *text, long *number)
{
	char	*word;

	target_name = strsep(&text, ":");
	if (text == NULL)
		errx(EXIT_OWN, "who:number");
	*number = strtol(strsep(&text, ":"), NULL, 0);
	while ((word = strsep(&text, ":")) != NULL && inject_nargs < 6)
		inject_args[inject_nargs++] = strtoull(word, NULL, 0);
	tracing = 1;
}

int
main(int argc, char *argv[])
{
	const char	*pid_path = NULL;
	uint64_t	 grace = 0, limit = 60000;
	int		 c;

	while ((c = getopt(argc, argv, "+g:i:k:o:p:s:t:w:x")) != -1)
		switch (c) {
		case 'g':
			grace = strtod(optarg, NULL) * 1000;
			break;
		case 'i':
			parse_call(optarg, &inject_nr);
			break;
		case 'k':
			parse_call(optarg, &kill_at);
			break;
		case 'o':
			outcome_path = optarg;
			break;
		case 'p':
			pid_path = optarg;
			break;
		case 's':
			parse_call(optarg, &kill_at);
			kill_signal = SIGSTOP;
			break;
		case 't':
			limit = strtod(optarg, NULL) * 1000;
			break;
		case 'w':
			inject_when = optarg;
			break;
		case 'x':
			show_exec = tracing = 1;
			break;
		default:
			return (EXIT_OWN);
		}
	argc -= optind;
	argv += optind;
	if (argc == 0 || (inject_nr != -1 && inject_when == NULL))
		errx(EXIT_OWN, "no command");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		err(EXIT_OWN, "subreaper");
	if (kill_at != 0)
		outcome("past", 0);
	command = start(argv);
	if (pid_path != NULL)
		write_pid(pid_path);
	/* The streams are the command's; a pipe must not stay open here. */
	if (!show_exec)
		drop_streams();
	return (supervise(grace, limit));
}
