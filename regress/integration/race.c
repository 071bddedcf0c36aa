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
 * Attacks on calls that a worker makes for its caller: arguments that change
 * while they are looked at, callers that die.  The first argument says which,
 * the others are its own.  What must not have happened is checked from
 * outside; what must have happened is in the line that is printed.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>

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
#include <unistd.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

static atomic_int	 stop;
static _Alignas(8) char	 buffer[64];	/* the name that is raced */
static char		 names[2][64];
static char		*page;
static int		 dirs[2];

static const struct timespec	 some_times[2] = { { 1, 0 }, { 2, 0 } };

static void
begin(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	if ((errno = pthread_create(thread, NULL, fn, arg)) != 0)
		err(1, "pthread_create");
}

/* Eight bytes at a time: a name is never half of one and half of the other. */
static void *
flip_name(void *arg)
{
	_Atomic uint64_t	*p = (void *)buffer;
	uint64_t		 text[2];
	int			 i;

	(void)arg;
	memcpy(&text[0], names[0], 8);
	memcpy(&text[1], names[1], 8);
	for (i = 0; !stop; i++)
		atomic_store(p, text[i & 1]);
	return (NULL);
}

/* Modes, times and so on of the name in the buffer. */
static int
change(int i)
{
	switch (i % 6) {
	case 0:
		return (chmod(buffer, 0600));
	case 1:
		return (fchmodat(AT_FDCWD, buffer, 0600, 0));
	case 2:
		return (utimensat(AT_FDCWD, buffer, some_times, 0));
	case 3:
		return (setxattr(buffer, "user.race", "x", 1, 0));
	case 4:
		return (lchown(buffer, geteuid(), -1));
	default:
		return (syscall(SYS_utime, buffer, NULL));
	}
}

/* Names of at most 7 bytes, one granted, one not. */
static void
race_flip(int tries)
{
	pthread_t	 thread;
	int		 denied = 0, i, made = 0, other = 0;

	strlcpy(buffer, names[0], sizeof(buffer));
	begin(&thread, flip_name, NULL);
	for (i = 0; i < tries; i++)
		if (change(i) == 0)
			made++;
		else if (errno == EPERM)
			denied++;
		else
			other++;
	stop = 1;
	pthread_join(thread, NULL);
	printf("made %s, denied %s, other %d\n", made > 0 ? "some" : "none",
	    denied > 0 ? "some" : "none", other);
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
	int		 denied = 0, i, made = 0, other = 0;

	for (i = 0; i < 2; i++)
		if ((dirs[i] = open(names[i], O_PATH | O_DIRECTORY)) == -1)
			err(1, "%s", names[i]);
	strlcpy(buffer, "file", sizeof(buffer));
	if (fchdir(dirs[0]) == -1)
		err(1, "fchdir");
	begin(&thread, flip_directory, NULL);
	for (i = 0; i < tries; i++)
		if (change(i) == 0)
			made++;
		else if (errno == EPERM)
			denied++;
		else
			other++;
	stop = 1;
	pthread_join(thread, NULL);
	printf("made %s, denied %s, other %d\n", made > 0 ? "some" : "none",
	    denied > 0 ? "some" : "none", other);
}

/* The page with the name comes and goes. */
static void *
flip_page(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i++)
		if (i & 1)
			mprotect(page, 4096, PROT_NONE);
		else
			mprotect(page, 4096, PROT_READ | PROT_WRITE);
	return (NULL);
}

static void *
flip_mapping(void *arg)
{
	uint64_t	 text;

	(void)arg;
	memcpy(&text, names[0], sizeof(text));
	while (!stop) {
		munmap(page, 4096);
		if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			err(1, "mmap");
		atomic_store((_Atomic uint64_t *)(void *)page, text);
	}
	return (NULL);
}

static void
race_memory(int tries, void *(*fn)(void *))
{
	pthread_t	 thread;
	int		 fault = 0, i, made = 0, other = 0;

	if ((page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		err(1, "mmap");
	strlcpy(page, names[0], 64);
	begin(&thread, fn, NULL);
	for (i = 0; i < tries; i++)
		if (chmod(page, 0600) == 0)
			made++;
		else if (errno == EFAULT)
			fault++;
		else if (errno != ENOENT)
			other++;
	stop = 1;
	pthread_join(thread, NULL);
	/* An empty page, before the name was written, is ENOENT. */
	printf("made %s, fault %s, other %d\n", made > 0 ? "some" : "none",
	    fault > 0 ? "some" : "none", other);
}

/* Callers that are killed while they are served, and replaced at once. */
static void
race_kill(int tries)
{
	pid_t	 pid;
	int	 i, status;

	for (i = 0; i < tries; i++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0)
			for (;;)
				if (chmod(names[0], 0600) == -1)
					_exit(1);
		if (i % 4 != 0)
			usleep(i % 7 * 100);
		if (kill(pid, SIGKILL) == -1 ||
		    waitpid(pid, &status, 0) == -1)
			err(1, "kill");
		if (!WIFSIGNALED(status))
			errx(1, "the child failed");
	}
	printf("killed\n");
}

static pthread_barrier_t	 barrier;

static void *
call_forever(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	for (;;)
		if (chmod(names[0], 0600) == -1 && errno != EINTR)
			err(1, "chmod");
	return (NULL);
}

/* Many threads in such calls at the end of their process. */
static void
race_exit(int rounds, int nthreads)
{
	pthread_attr_t	 attr;
	pthread_t	 thread;
	pid_t		 pid;
	int		 i, round, status;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (round = 0; round < rounds; round++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0) {
			pthread_barrier_init(&barrier, NULL, nthreads + 1);
			for (i = 0; i < nthreads; i++)
				if ((errno = pthread_create(&thread, &attr,
				    call_forever, NULL)) != 0)
					err(1, "pthread_create");
			pthread_barrier_wait(&barrier);
			usleep(10000);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) == -1 || status != 0)
			errx(1, "status %d", status);
	}
	if (chmod(names[0], 0640) == -1)
		err(1, "chmod");
	printf("exited\n");
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/*
 * Signals with a handler that does not ask for restarting.  Neither chmod nor
 * fork knows EINTR.
 */
static void
race_signal(int tries)
{
	struct itimerval	 it = { { 0, 50 }, { 0, 50 } };
	struct sigaction	 sa;
	pid_t			 pid;
	int			 chmods = 0, forks = 0, i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_alarm;
	if (sigaction(SIGALRM, &sa, NULL) == -1 ||
	    setitimer(ITIMER_REAL, &it, NULL) == -1)
		err(1, "setitimer");
	for (i = 0; i < tries; i++) {
		if (chmod(names[0], 0600) == -1)
			chmods++;
		if (i % 10 != 0)
			continue;
		if ((pid = fork()) == -1)
			forks++;
		else if (pid == 0)
			_exit(0);
		else
			while (waitpid(pid, NULL, 0) == -1)
				continue;
	}
	printf("chmod failed %d, fork failed %d\n", chmods, forks);
}

int
main(int argc, char **argv)
{
	const char	*error;
	int		 n;

	if (argc < 4)
		errx(1, "usage: race kind n name [name]");
	if ((n = strtonum(argv[2], 1, INT_MAX, &error)) == 0)
		errx(1, "%s: %s", argv[2], error);
	strlcpy(names[0], argv[3], sizeof(names[0]));
	if (argc > 4)
		strlcpy(names[1], argv[4], sizeof(names[1]));
	if (strcmp(argv[1], "flip") == 0)
		race_flip(n);
	else if (strcmp(argv[1], "directory") == 0)
		race_directory(n);
	else if (strcmp(argv[1], "protect") == 0)
		race_memory(n, flip_page);
	else if (strcmp(argv[1], "unmap") == 0)
		race_memory(n, flip_mapping);
	else if (strcmp(argv[1], "kill") == 0)
		race_kill(n);
	else if (strcmp(argv[1], "signal") == 0)
		race_signal(n);
	else if (strcmp(argv[1], "exit") == 0)
		race_exit(n, 200);
	else
		errx(1, "%s: unknown", argv[1]);
	return (0);
}
