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
 * What a workload can try with processes and processor time, as a program of
 * few calls, so that a test counts exactly.
 *
 *	procs make HOW N	make up to N processes that live at once; print
 *				how many, and the errno that ended it
 *	procs cheat HOW		make and lose 200 processes in a way that could
 *				confuse a counter
 *	procs clone3		print the errno of clone3
 *	procs bomb		fork as fast as it goes, for ever
 *	procs comet FILE	write FILE, then fork and leave, for ever: never
 *				more than two processes, never the same
 *	procs listen FILE	listen on loopback, write the port to FILE, take
 *				a connection and write FILE.got
 *	procs connect PORT	connect to it
 *	procs silent FILE	be a name server on loopback that never answers;
 *				write FILE when asked
 *	procs burn HOW MS	use the processor; print the share of one in
 *				percent that the whole tree got
 *	procs daemon FILE	double fork with setsid, ignore signals, write
 *				the pid to FILE and stay
 *	procs state		mask, ignored signals, umask, descriptors
 *	procs pause		wait for ever
 *	procs sti CHAR		put a character into the terminal's input queue
 *	procs raw FILE		take the terminal out of cooked mode, write FILE
 *				and stay
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3	435
#endif

static void	 write_number(const char *, int);

static const char	*self;

static __attribute__((__noreturn__)) void
stay(void)
{
	for (;;)
		pause();
}

static void *
stay_thread(void *arg)
{
	(void)arg;
	stay();
}

static long
make_fork(void)
{
	pid_t	 pid;

	if ((pid = fork()) == 0)
		stay();
	return (pid);
}

static long
make_vfork(void)
{
	pid_t	 pid;

	/* The system call itself: a libc may offer fork under that name. */
	if ((pid = vfork()) == 0) {
		execl(self, self, "pause", (char *)NULL);
		_exit(1);
	}
	return (pid);
}

static long
make_clone(unsigned long flags)
{
	long	 pid;

	if ((pid = syscall(SYS_clone, flags, 0, 0, 0, 0)) == 0)
		stay();
	return (pid);
}

static long
make_spawn(void)
{
	char	*argv[3], *envp[1] = { NULL };
	pid_t	 pid;
	int	 error;

	argv[0] = strdup(self);
	argv[1] = strdup("pause");
	argv[2] = NULL;
	if ((error = posix_spawn(&pid, self, NULL, NULL, argv, envp)) != 0) {
		errno = error;
		return (-1);
	}
	return (pid);
}

static long
make_thread(void)
{
	pthread_t	 thread;
	int		 error;

	if ((error = pthread_create(&thread, NULL, stay_thread, NULL)) != 0) {
		errno = error;
		return (-1);
	}
	return (1);
}

static long
make_one(const char *how)
{
	if (strcmp(how, "fork") == 0)
		return (make_fork());
	if (strcmp(how, "vfork") == 0)
		return (make_vfork());
	if (strcmp(how, "clone") == 0)
		return (make_clone(SIGCHLD));
	if (strcmp(how, "clone-silent") == 0)
		return (make_clone(0));
	if (strcmp(how, "clone-parent") == 0)
		return (make_clone(CLONE_PARENT | SIGCHLD));
	if (strcmp(how, "spawn") == 0)
		return (make_spawn());
	if (strcmp(how, "thread") == 0)
		return (make_thread());
	errx(1, "%s", how);
}

static void
make(const char *how, int n)
{
	int	 i;

	for (i = 0; i < n; i++)
		if (make_one(how) == -1) {
			printf("%d %s\n", i, strerrorname_np(errno));
			fflush(stdout);
			_exit(0);
		}
	printf("%d OK\n", i);
	fflush(stdout);
	_exit(0);
}

static void
reap_all(void)
{
	while (waitpid(-1, NULL, __WALL) > 0)
		continue;
}

static void *
exec_thread(void *arg)
{
	(void)arg;
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

/* One process, made and lost; -1 when none could be made. */
static int
cheat_one(const char *how)
{
	pthread_t	 thread;
	siginfo_t	 info;
	pid_t		 pid;

	if (strcmp(how, "parent") == 0)
		pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	else if (strcmp(how, "silent") == 0)
		pid = syscall(SYS_clone, 0, 0, 0, 0, 0);
	else
		pid = fork();
	if (pid == -1)
		return (-1);
	if (pid == 0) {
		if (strcmp(how, "double") == 0) {
			if (fork() == 0)
				_exit(0);
		} else if (strcmp(how, "thread-exec") == 0) {
			if (pthread_create(&thread, NULL, exec_thread,
			    NULL) == 0)
				stay();
		} else if (strcmp(how, "kill") == 0)
			stay();
		_exit(0);
	}
	if (strcmp(how, "kill") == 0)
		kill(pid, SIGKILL);
	if (strcmp(how, "nowait") == 0)
		waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	if (strcmp(how, "nohang") == 0)
		while (waitpid(pid, NULL, WNOHANG) == 0)
			continue;
	else if (strcmp(how, "ignored") != 0 && strcmp(how, "parent") != 0)
		waitpid(pid, NULL, __WALL);
	return (0);
}

static void
cheat(const char *how)
{
	int	 failed = 0, i;

	if (strcmp(how, "ignored") == 0)
		signal(SIGCHLD, SIG_IGN);
	/* A refusal is legitimate where the process may still be dying. */
	for (i = 0; i < 200; i++)
		if (cheat_one(how) == -1) {
			if (errno != EAGAIN)
				err(1, "%s", how);
			failed++;
			i--;
			if (failed > 100000)
				errx(1, "%s: never succeeds again", how);
			sched_yield();
		}
	reap_all();
	signal(SIGCHLD, SIG_DFL);
}

static double
seconds(const struct timeval *tv)
{
	return (tv->tv_sec + tv->tv_usec / 1e6);
}

static double
now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec + ts.tv_nsec / 1e9);
}

static void
spin(double until)
{
	volatile unsigned long	 x = 0;

	while (now() < until)
		x++;
}

/* A child that keeps waking the whole group. */
static pid_t
burn_waker(double until)
{
	pid_t	 pid, group = getpgrp();

	if ((pid = fork()) != 0)
		return (pid);
	setsid();
	while (now() < until) {
		kill(-group, SIGCONT);
		usleep(200);
	}
	_exit(0);
}

static void
burn_children(const char *how, double until)
{
	pid_t	 pid;

	while (now() < until) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0) {
			if (strcmp(how, "sessions") == 0)
				setsid();
			spin(now() + 0.005);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

/* The stops that a parent sees of a child that burns. */
static void
burn_watched(double until)
{
	int	 status, stops = 0;
	pid_t	 pid;

	if ((pid = fork()) == 0) {
		spin(until);
		_exit(0);
	}
	while (waitpid(pid, &status, WUNTRACED | WCONTINUED) == pid) {
		if (WIFEXITED(status) || WIFSIGNALED(status))
			break;
		stops++;
	}
	printf("stops %d\n", stops);
}

static void
burn(const char *how, int ms)
{
	struct rusage	 own, children;
	double		 began = now(), until = began + ms / 1e3, used;
	pid_t		 waker = 0;

	if (strcmp(how, "children") == 0 || strcmp(how, "sessions") == 0)
		burn_children(how, until);
	else if (strcmp(how, "watched") == 0)
		burn_watched(until);
	else {
		if (strcmp(how, "waker") == 0)
			waker = burn_waker(until);
		spin(until);
	}
	if (waker != 0)
		waitpid(waker, NULL, 0);
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	used = seconds(&own.ru_utime) + seconds(&own.ru_stime) +
	    seconds(&children.ru_utime) + seconds(&children.ru_stime);
	printf("percent %d\n", (int)(used / (now() - began) * 100));
}

static void
become_daemon(const char *path)
{
	int	 sig;

	if (fork() != 0)
		_exit(0);
	setsid();
	if (fork() != 0)
		_exit(0);
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	write_number(path, getpid());
	stay();
}

static void
write_number(const char *path, int number)
{
	char	*tmp;
	FILE	*f;

	if (asprintf(&tmp, "%s.new", path) == -1 ||
	    (f = fopen(tmp, "w")) == NULL)
		err(1, "%s", path);
	fprintf(f, "%d\n", number);
	fclose(f);
	if (rename(tmp, path) == -1)
		err(1, "%s", path);
	free(tmp);
}

static void
comet(const char *path)
{
	if (fork() != 0)
		return;
	setsid();
	write_number(path, getpid());
	for (;;)
		if (fork() > 0)
			_exit(0);
}

static int
loopback(int type, int port)
{
	struct sockaddr_in	 sin;
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, type, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "port %d", port);
	return (fd);
}

static void
listen_once(const char *path)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);
	char			*got;
	int			 fd;

	fd = loopback(SOCK_STREAM, 0);
	if (listen(fd, 5) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "listen");
	write_number(path, ntohs(sin.sin_port));
	if (accept(fd, NULL, NULL) == -1)
		err(1, "accept");
	if (asprintf(&got, "%s.got", path) == -1)
		err(1, "asprintf");
	write_number(got, 1);
}

static void
connect_once(int port)
{
	struct sockaddr_in	 sin;
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "connect");
}

static void
silent(const char *path)
{
	char	 buf[512];
	int	 fd;

	fd = loopback(SOCK_DGRAM, 53);
	if (recv(fd, buf, sizeof(buf), 0) == -1)
		err(1, "recv");
	write_number(path, 1);
	stay();
}

static void
state(void)
{
	struct sigaction	 sa;
	struct dirent		*de;
	sigset_t		 mask;
	mode_t			 mode;
	DIR			*dir;
	int			 fd, sig;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (sig = 1; sig < NSIG; sig++) {
		if (sigismember(&mask, sig) == 1)
			printf("blocked %d\n", sig);
		if (sigaction(sig, NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN)
			printf("ignored %d\n", sig);
	}
	mode = umask(0);
	printf("umask %03o\n", (unsigned int)mode);
	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			printf("fd %d\n", fd);
	/* One that fcntl cannot see has no number below either. */
	if ((dir = opendir("/proc/self/fd")) == NULL)
		err(1, "/proc/self/fd");
	while ((de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.' && atoi(de->d_name) >= 1024)
			printf("fd %s\n", de->d_name);
}

/* By standard input, by a duplicate, by the name, with upper bits. */
static void
sti(char c)
{
	static const char	*names[] = { "0", "dup", "tty", "bits" };
	unsigned long		 request = TIOCSTI;
	int			 fds[4], i;

	fds[0] = STDIN_FILENO;
	fds[1] = dup(STDIN_FILENO);
	fds[2] = open("/dev/tty", O_RDWR);
	fds[3] = STDIN_FILENO;
	for (i = 0; i < 4; i++) {
		if (i == 3)
			request |= 1UL << 32;
		if (syscall(SYS_ioctl, fds[i], request, &c) == 0)
			printf("sti %s OK\n", names[i]);
		else
			printf("sti %s %s\n", names[i],
			    strerrorname_np(errno));
	}
}

static void
raw(const char *path)
{
	struct termios	 t;
	int		 fd;

	if (tcgetattr(STDIN_FILENO, &t) == -1)
		err(1, "tcgetattr");
	cfmakeraw(&t);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t) == -1)
		err(1, "tcsetattr");
	if ((fd = open(path, O_WRONLY | O_CREAT, 0600)) == -1)
		err(1, "%s", path);
	close(fd);
	stay();
}

int
main(int argc, char *argv[])
{
	const char	*what = argc > 1 ? argv[1] : "";

	self = "/proc/self/exe";
	if (strcmp(what, "make") == 0 && argc == 4)
		make(argv[2], atoi(argv[3]));
	else if (strcmp(what, "cheat") == 0 && argc == 3)
		cheat(argv[2]);
	else if (strcmp(what, "clone3") == 0) {
		if (syscall(SYS_clone3, NULL, 0) == -1)
			puts(strerrorname_np(errno));
	} else if (strcmp(what, "bomb") == 0)
		for (;;)
			fork();
	else if (strcmp(what, "comet") == 0 && argc == 3)
		comet(argv[2]);
	else if (strcmp(what, "listen") == 0 && argc == 3)
		listen_once(argv[2]);
	else if (strcmp(what, "connect") == 0 && argc == 3)
		connect_once(atoi(argv[2]));
	else if (strcmp(what, "silent") == 0 && argc == 3)
		silent(argv[2]);
	else if (strcmp(what, "burn") == 0 && argc == 4)
		burn(argv[2], atoi(argv[3]));
	else if (strcmp(what, "daemon") == 0 && argc == 3)
		become_daemon(argv[2]);
	else if (strcmp(what, "state") == 0)
		state();
	else if (strcmp(what, "pause") == 0)
		stay();
	else if (strcmp(what, "sti") == 0 && argc == 3)
		sti(argv[2][0]);
	else if (strcmp(what, "raw") == 0 && argc == 3)
		raw(argv[2]);
	else
		errx(2, "bad arguments");
	return (0);
}
