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
 * Races on a merged working directory, in which this runs: arguments, names
 * and directories that change while a call is looked at.  The arguments are
 * the race, how often it is tried, and two names of at most 7 bytes: the first
 * may be used, of the second nothing may be read, written or executed.  It is
 * an error to have read the word "secret".  What came of the calls is printed;
 * what must not have changed is checked from outside.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

static atomic_int	 stop;
static _Alignas(8) char	 buffer[16];	/* the name that is raced */
static char		 names[2][16];
static char		*page;
static int		 dirs[2];
static long		 made, refused, faults, others;

static void
begin(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	if ((errno = pthread_create(thread, NULL, fn, arg)) != 0)
		err(1, "pthread_create");
}

/*
 * Whether to go on: where nothing runs for a while but one of the two, as on
 * a busy machine, for longer.  Now and then the other has its turn: calls that
 * nobody is asked about do not wait, and all of them would meet one name.
 */
static int
go_on(int i, int tries)
{
	if (i % 10 == 0)
		sched_yield();
	return (i < tries || (i / 50 < tries && (made == 0 || refused == 0)));
}

/* Take in how a call ended. */
static void
count(long ret)
{
	if (ret != -1)
		made++;
	else if (errno == EACCES || errno == EPERM || errno == EXDEV)
		refused++;
	else if (errno == EFAULT)
		faults++;
	else
		others++;
}

static void
report(void)
{
	printf("made %ld, refused %ld, faults %ld, others %ld\n", made,
	    refused, faults, others);
}

/* Nobody may be able to read this. */
static void
check_content(int fd, const char *how)
{
	char	 text[16];
	ssize_t	 n;

	if ((n = pread(fd, text, sizeof(text) - 1, 0)) == -1)
		return;
	text[n] = '\0';
	if (strncmp(text, "secret", 6) == 0)
		errx(1, "%s: the secret was read", how);
}

static void
flip_to(int i)
{
	uint64_t	 text;

	memcpy(&text, names[i & 1], 8);
	atomic_store((_Atomic uint64_t *)(void *)buffer, text);
}

/* Eight bytes at a time: a name is never half of one and half of the other. */
static void *
flip_name(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i++)
		flip_to(i);
	return (NULL);
}

/* Open the name in every way and spelling that reads. */
static int
open_reading(int i)
{
	switch (i % 3) {
	case 0:
		return (syscall(SYS_open, buffer, O_RDONLY));
	case 1:
		return (openat(AT_FDCWD, buffer, O_RDONLY | O_CLOEXEC));
	default:
		return (openat(AT_FDCWD, buffer, O_RDONLY | O_NONBLOCK));
	}
}

static void
race_read(int tries)
{
	pthread_t	 thread;
	int		 fd, i;

	begin(&thread, flip_name, NULL);
	for (i = 0; go_on(i, tries); i++) {
		count(fd = open_reading(i));
		if (fd == -1)
			continue;
		check_content(fd, "open");
		close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
}

static int
open_writing(int i)
{
	switch (i % 3) {
	case 0:
		return (syscall(SYS_creat, buffer, 0600));
	case 1:
		return (openat(AT_FDCWD, buffer, O_WRONLY | O_APPEND));
	default:
		return (syscall(SYS_open, buffer, O_RDWR | O_CREAT, 0600));
	}
}

static void
race_write(int tries)
{
	pthread_t	 thread;
	int		 fd, i;

	begin(&thread, flip_name, NULL);
	for (i = 0; go_on(i, tries); i++) {
		count(fd = open_writing(i));
		if (fd == -1)
			continue;
		check_content(fd, "open");
		if (write(fd, "x", 1) == -1)
			err(1, "write");
		close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
}

/* A descriptor that only names a file gives no right, whatever it names. */
static void
race_path(int tries)
{
	pthread_t	 thread;
	char		 path[64];
	int		 again, fd, i;

	begin(&thread, flip_name, NULL);
	for (i = 0; go_on(i, tries); i++) {
		if ((fd = open(buffer, O_PATH)) == -1) {
			count(-1);
			continue;
		}
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		count(again = open(path, i % 2 == 0 ? O_RDONLY : O_RDWR));
		if (again != -1) {
			check_content(again, "O_PATH");
			close(again);
		}
		close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
}

/* Whatever changes a name or what it names. */
static long
change(int i)
{
	static const struct timespec	 times[2] = { { 1, 0 }, { 2, 0 } };

	switch (i % 12) {
	case 0:
		return (rename(buffer, "moved"));
	case 1:
		return (rename("moved", buffer));
	case 2:
		return (link(buffer, "linked"));
	case 3:
		return (linkat(AT_FDCWD, buffer, AT_FDCWD, "linked2",
		    AT_SYMLINK_FOLLOW));
	case 4:
		return (unlink("linked") == -1 ? unlink("linked2") : 0);
	case 5:
		return (truncate(buffer, 5));
	case 6:
		return (chmod(buffer, 0644));
	case 7:
		return (utimensat(AT_FDCWD, buffer, times, 0));
	case 8:
		return (setxattr(buffer, "user.race", "x", 1, 0));
	case 9:
		return (unlink(buffer));
	case 10:
		return (symlink(names[1], buffer));
	default:
		unlink(names[0]);
		return (mknod(buffer, S_IFREG | 0644, 0));
	}
}

static void
race_change(int tries)
{
	pthread_t	 thread;
	int		 i;

	begin(&thread, flip_name, NULL);
	for (i = 0; go_on(i, tries); i++)
		count(change(i));
	stop = 1;
	pthread_join(thread, NULL);
}

/* The directory that is raced into grants nothing. */
static void
race_chdir(int tries)
{
	pthread_t	 thread;
	int		 fd, i, top;

	if ((top = open(".", O_PATH | O_DIRECTORY)) == -1)
		err(1, ".");
	begin(&thread, flip_name, NULL);
	for (i = 0; go_on(i, tries); i++) {
		if (chdir(buffer) == -1) {
			count(-1);
			continue;
		}
		count(fd = open("file", i % 2 == 0 ? O_RDONLY :
		    O_RDWR | O_CREAT, 0600));
		if (fd != -1) {
			check_content(fd, "chdir");
			close(fd);
		}
		if (fchdir(top) == -1)
			err(1, "fchdir");
	}
	stop = 1;
	pthread_join(thread, NULL);
}

/* A sibling that shares the working directory changes it. */
static void *
flip_directory(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i++)
		if (fchdir(dirs[i & 1]) == -1)
			err(1, "fchdir");
	return (NULL);
}

static void
race_directory(int tries)
{
	pthread_t	 thread;
	int		 fd, i;

	for (i = 0; i < 2; i++)
		if ((dirs[i] = open(names[i], O_PATH | O_DIRECTORY)) == -1)
			err(1, "%s", names[i]);
	begin(&thread, flip_directory, NULL);
	for (i = 0; go_on(i, tries); i++) {
		if (i % 4 == 3) {
			count(chmod("file", 0640));
			continue;
		}
		count(fd = open("file", i % 2 == 0 ? O_RDONLY :
		    O_WRONLY | O_APPEND | O_CREAT, 0600));
		if (fd == -1)
			continue;
		check_content(fd, "fchdir");
		close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
}

/* A directory on the way changes places with a link to the other one. */
static void *
flip_middle(void *arg)
{
	(void)arg;
	while (!stop)
		if (syscall(SYS_renameat2, AT_FDCWD, "mid", AT_FDCWD, "way",
		    2) == -1)
			err(1, "exchange");
	return (NULL);
}

static void
race_middle(int tries)
{
	pthread_t	 thread;
	int		 fd, i;

	if (mkdir("mid", 0755) == -1 || symlink(names[1], "way") == -1 ||
	    (fd = open("mid/file", O_WRONLY | O_CREAT, 0644)) == -1)
		err(1, "mid");
	close(fd);
	begin(&thread, flip_middle, NULL);
	for (i = 0; go_on(i, tries); i++) {
		switch (i % 5) {
		case 0:
			count(chmod("mid/file", 0600));
			continue;
		case 1:
			count(unlink("mid/none"));
			continue;
		case 2:
			count(fd = open("mid/file", O_RDONLY));
			break;
		case 3:
			count(fd = open("mid/file", O_RDWR | O_CREAT, 0600));
			break;
		default:
			count(fd = open("mid/./../mid/file", O_WRONLY |
			    O_APPEND));
			break;
		}
		if (fd == -1)
			continue;
		check_content(fd, "middle");
		close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
}

/* The page with a name, or for an answer, comes and goes. */
static void *
flip_page(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i++) {
		if (i & 1) {
			munmap(page, 4096);
			continue;
		}
		if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			err(1, "mmap");
	}
	return (NULL);
}

static long
page_call(int i, int dir)
{
	long	 fd;

	switch (i % 8) {
	case 0:
		return (syscall(SYS_stat, names[0], page));
	case 1:
		return (syscall(SYS_statx, AT_FDCWD, names[0], 0, STATX_ALL,
		    page));
	case 2:
		return (syscall(SYS_readlink, "link", page, 4096));
	case 3:
		return (syscall(SYS_getcwd, page, 4096));
	case 4:
		if (lseek(dir, 0, SEEK_SET) == -1)
			err(1, "lseek");
		return (syscall(SYS_getdents64, dir, page, 4096));
	case 5:
		return (getxattr(names[0], "user.race", page, 4096));
	case 6:
		if ((fd = syscall(SYS_open, page, O_WRONLY)) != -1)
			close((int)fd);
		else if (errno == ENOENT)	/* an empty name */
			fd = 0;
		return (fd);
	default:
		fd = syscall(SYS_chdir, page);
		return (fd == -1 && errno == ENOENT ? 0 : fd);
	}
}

static void
race_page(int tries)
{
	pthread_t	 thread;
	int		 dir, fd, i;

	/* All of it comes from the branch. */
	if (mkdir("new", 0755) == -1 || chdir("new") == -1 ||
	    (fd = open(names[0], O_WRONLY | O_CREAT, 0644)) == -1 ||
	    setxattr(names[0], "user.race", "x", 1, 0) == -1 ||
	    symlink("text", "link") == -1 ||
	    (dir = open(".", O_RDONLY | O_DIRECTORY)) == -1)
		err(1, "new");
	close(fd);
	if ((page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		err(1, "mmap");
	begin(&thread, flip_page, NULL);
	for (i = 0; i < tries; i++)
		count(page_call(i, dir));
	stop = 1;
	pthread_join(thread, NULL);
}

/* Both names are scripts; the second has nothing to run in here. */
static void
race_exec(int tries)
{
	pthread_t	 thread;
	pid_t		 pid;
	char		*argv[] = { buffer, NULL }, *envp[] = { NULL };
	int		 i, status;

	begin(&thread, flip_name, NULL);
	for (i = 0; go_on(i, tries); i++) {
		if ((pid = vfork()) == -1)
			err(1, "vfork");
		if (pid == 0) {
			execve(buffer, argv, envp);
			_exit(errno == EACCES ? 101 : 102);
		}
		if (waitpid(pid, &status, 0) == -1)
			err(1, "waitpid");
		if (!WIFEXITED(status))
			errx(1, "status %x", status);
		errno = WEXITSTATUS(status) == 101 ? EACCES : ENOENT;
		count(WEXITSTATUS(status) > 100 ? -1 : 0);
		if (WEXITSTATUS(status) == 66)
			errx(1, "the other program ran");
	}
	stop = 1;
	pthread_join(thread, NULL);
}

static int
stopped_process(void *arg)
{
	int	 fd;

	(void)arg;
	for (;;) {
		count(fd = open(buffer, O_RDONLY));
		if (fd == -1)
			continue;
		check_content(fd, "stopped");
		if (close(fd) == -1)
			err(1, "close");
	}
}

/* A process is stopped in its call and its memory changed by another one. */
static void
race_stop(int tries)
{
	static char	 stack[65536] __attribute__((__aligned__(16)));
	pid_t		 pid;
	int		 i, status;

	flip_to(0);
	if ((pid = clone(stopped_process, stack + sizeof(stack), CLONE_VM |
	    SIGCHLD, NULL)) == -1)
		err(1, "clone");
	for (i = 0; i < tries; i++) {
		if (kill(pid, SIGSTOP) == -1 ||
		    waitpid(pid, &status, WUNTRACED) == -1)
			err(1, "stop");
		if (!WIFSTOPPED(status))
			errx(1, "status %x", status);
		flip_to(i);
		if (kill(pid, SIGCONT) == -1)
			err(1, "continue");
		if (i % 4 == 0)
			usleep(i % 7 * 50);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static pthread_barrier_t	 barrier;

static void *
call_forever(void *arg)
{
	struct stat	 st;
	char		 name[32];
	int		 fd, i;

	snprintf(name, sizeof(name), "t%ld", (long)(intptr_t)arg);
	pthread_barrier_wait(&barrier);
	for (i = 0; !stop; i++)
		switch ((i + (intptr_t)arg) % 5) {
		case 0:
			if ((fd = open(name, O_RDWR | O_CREAT, 0600)) != -1)
				close(fd);
			break;
		case 1:
			stat(name, &st);
			break;
		case 2:
			chmod(name, 0644);
			break;
		case 3:
			rename(name, "t");
			break;
		default:
			open("pipe", O_WRONLY);
			break;
		}
	return (NULL);
}

/* Many threads in such calls at the end of their process. */
static void
race_exit(int rounds)
{
	struct timespec	 a, b;
	pthread_attr_t	 attr;
	pthread_t	 thread;
	pid_t		 pid;
	long		 ms, worst = 0;
	int		 i, n = 1000, round, status;

	if (mkfifo("pipe", 0600) == -1)
		err(1, "pipe");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (round = 0; round < rounds; round++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0) {
			pthread_barrier_init(&barrier, NULL, n + 1);
			for (i = 0; i < n; i++)
				if ((errno = pthread_create(&thread, &attr,
				    call_forever, (void *)(intptr_t)i)) != 0)
					err(1, "pthread_create");
			pthread_barrier_wait(&barrier);
			usleep(50000);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) == -1 || status != 0)
			errx(1, "status %d", status);
		clock_gettime(CLOCK_MONOTONIC, &a);
		if (chmod(names[0], 0640) == -1)
			err(1, "chmod");
		clock_gettime(CLOCK_MONOTONIC, &b);
		ms = (b.tv_sec - a.tv_sec) * 1000 +
		    (b.tv_nsec - a.tv_nsec) / 1000000;
		if (ms > worst)
			worst = ms;
		made++;
	}
	printf("next call after at most %ld ms\n", worst);
}

/* Callers that are killed while they are served, and replaced at once. */
static void
race_kill(int tries)
{
	pid_t	 pid;
	int	 fd, i, status;

	for (i = 0; i < tries; i++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0)
			for (;;) {
				if ((fd = open(names[0], O_RDWR)) == -1)
					_exit(1);
				close(fd);
				if (chdir("new") == 0 && chdir("..") == -1)
					_exit(2);
			}
		if (i % 4 != 0)
			usleep(i % 7 * 100);
		if (kill(pid, SIGKILL) == -1 ||
		    waitpid(pid, &status, 0) == -1)
			err(1, "kill");
		if (!WIFSIGNALED(status))
			errx(1, "the child failed: %x", status);
		made++;
	}
}

static const struct {
	const char	*name;
	void		(*fn)(int);
} races[] = {
	{ "read", race_read },
	{ "write", race_write },
	{ "path", race_path },
	{ "change", race_change },
	{ "chdir", race_chdir },
	{ "directory", race_directory },
	{ "middle", race_middle },
	{ "page", race_page },
	{ "exec", race_exec },
	{ "stop", race_stop },
	{ "exit", race_exit },
	{ "kill", race_kill }
};

int
main(int argc, char **argv)
{
	const char	*error;
	size_t		 i;
	int		 n;

	if (argc != 5)
		errx(1, "usage: view_races race tries name other");
	if ((n = strtonum(argv[2], 1, INT_MAX, &error)) == 0)
		errx(1, "%s: %s", argv[2], error);
	for (i = 0; i < 2; i++)
		if (strlcpy(names[i], argv[3 + i], 8) >= 8)
			errx(1, "%s: too long", argv[3 + i]);
	memcpy(buffer, names[0], 8);
	for (i = 0; i < nitems(races); i++)
		if (strcmp(argv[1], races[i].name) == 0)
			break;
	if (i == nitems(races))
		errx(1, "%s: unknown", argv[1]);
	races[i].fn(n);
	report();
	return (0);
}
