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
 * The threads that have made calls lately, each by a pidfd and its directory in
 * /proc.  Both mean the one thread for ever, whoever gets its number later, so
 * that they can be kept; of those that call no more the oldest are closed.
 *
 * Nothing that a thread may change behind our back is kept.  The name of its
 * working directory it cannot change without a call that comes here, where
 * there is a view; what others outside do to that name is noticed after a
 * second, as with other names (see known.c).
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"
#include "tree.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD	O_EXCL
#endif

#define TASK_MAX	32
#define TASK_BEYOND	4096	/* looked at, of those beyond a limit */

struct task {
	pid_t		 tid;		/* 0: free */
	int		 pidfd;		/* or -1 */
	int		 proc;		/* O_PATH, or -1 */
	uint64_t	 used;		/* when, in calls */
	int		 unsettled;	/* see task_moves() */
	char		*cwd;		/* its name, or NULL */
};

static struct task	 tasks[TASK_MAX];
static uint64_t		 task_clock;
static size_t		 task_nunsettled;
static int		 task_lost;	/* or one of those was forgotten */

static void
task_settle(struct task *t)
{
	if (t->unsettled)
		task_nunsettled--;
	t->unsettled = 0;
}

static void
task_close(struct task *t)
{
	if (t->pidfd != -1)
		close(t->pidfd);
	if (t->proc != -1)
		close(t->proc);
	task_settle(t);
	free(t->cwd);
	t->cwd = NULL;
	t->tid = 0;
	t->pidfd = t->proc = -1;
}

/* What is kept of a thread; NULL if nothing is. */
static struct task *
task_kept(pid_t tid)
{
	size_t	 i;

	for (i = 0; i < TASK_MAX; i++)
		if (tasks[i].tid == tid)
			return (&tasks[i]);
	return (NULL);
}

/* The one that called last longest ago, and is settled, makes room. */
static struct task *
task_oldest(void)
{
	struct task	*t, *oldest = NULL;

	for (t = tasks; t < tasks + TASK_MAX; t++)
		if (!t->unsettled && (oldest == NULL || t->used < oldest->used))
			oldest = t;
	if (oldest == NULL) {
		oldest = &tasks[0];
		task_lost = 1;
	}
	if (oldest->tid != 0)
		task_close(oldest);
	return (oldest);
}

static struct task *
task_find(pid_t tid)
{
	struct task	*t;

	if ((t = task_kept(tid)) == NULL) {
		t = task_oldest();
		t->tid = tid;
		t->pidfd = t->proc = -1;
	}
	t->used = ++task_clock;
	return (t);
}

/*
 * Threads may have tables of descriptors of their own, so the thread itself is
 * asked where the kernel has pidfds of threads.
 */
static int
task_pidfd(struct task *t)
{
	pid_t	 tgid;

	if (t->pidfd != -1)
		return (0);
	t->pidfd = syscall(SYS_pidfd_open, t->tid, PIDFD_THREAD);
	if (t->pidfd == -1 && errno == EINVAL) {
		if ((tgid = tree_tgid(t->tid)) == -1) {
			errno = ESRCH;
			return (-1);
		}
		t->pidfd = syscall(SYS_pidfd_open, tgid, 0);
	}
	return (t->pidfd == -1 ? -1 : 0);
}

static int
task_proc(struct task *t)
{
	char	 name[32];

	if (t->proc != -1)
		return (0);
	snprintf(name, sizeof(name), "/proc/%d", (int)t->tid);
	t->proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return (t->proc == -1 ? -1 : 0);
}

/* Whether it was another thread of that number, which has ended. */
static int
task_ended(struct task *t, int kept)
{
	if (!kept || (errno != ESRCH && errno != ENOENT))
		return (0);
	task_close(t);
	return (1);
}

/* Directories have, or may have, other names from now on. */
void
task_forget_cwd(void)
{
	size_t	 i;

	for (i = 0; i < TASK_MAX; i++) {
		free(tasks[i].cwd);
		tasks[i].cwd = NULL;
	}
}

/* Whether the thread of a pidfd has ended. */
static int
task_dead(int pidfd)
{
	struct pollfd	 pfd = { .fd = pidfd, .events = POLLIN };

	return (poll(&pfd, 1, 0) == 1);
}

/*
 * The kernel makes a call of this thread now by which others may stand
 * somewhere else, too, and nobody tells when that is done: until the thread
 * calls again or has ended nothing is settled.
 */
void
task_moves(pid_t tid)
{
	struct task	*t = task_find(tid);

	/* One that had the number before has ended: that settles nothing. */
	if (t->pidfd != -1 && task_dead(t->pidfd)) {
		task_close(t);
		t = task_find(tid);
	}
	if (!t->unsettled)
		task_nunsettled++;
	t->unsettled = 1;
	if (task_pidfd(t) == -1) {
		/* One that has ended makes no call. */
		if (errno == ESRCH)
			task_settle(t);
		else
			task_lost = 1;
	}
	task_forget_cwd();
}

/* The same of a call that may change what names mean. */
void
task_unsettle(pid_t tid)
{
	task_moves(tid);
	known_forget();
}

/* A call of this thread has come: the one before is over. */
void
task_called(pid_t tid)
{
	struct task	*t;

	if (task_nunsettled > 0 && (t = task_kept(tid)) != NULL)
		task_settle(t);
}

int
task_unsettled(void)
{
	size_t	 i;

	for (i = 0; i < TASK_MAX && task_nunsettled > 0; i++)
		if (tasks[i].unsettled && task_dead(tasks[i].pidfd))
			task_close(&tasks[i]);
	return (task_nunsettled > 0 || task_lost);
}

/*
 * A duplicate of a thread's descriptor, close-on-exec, which the caller closes;
 * -1 and errno (EBADF).
 */
int
task_fd(pid_t tid, int number)
{
	struct task	*t;
	int		 fd, kept;

	do {
		t = task_find(tid);
		kept = t->pidfd != -1;
		if (task_pidfd(t) == -1)
			return (-1);
		fd = syscall(SYS_pidfd_getfd, t->pidfd, number, 0);
	} while (fd == -1 && task_ended(t, kept));
	return (fd);
}

/* In /proc, below the thread: "cwd" for AT_FDCWD, or a descriptor. */
static void
task_link(int fd, char *name, size_t size)
{
	if (fd == AT_FDCWD)
		strlcpy(name, "cwd", size);
	else
		snprintf(name, size, "fd/%d", fd);
}

/* The name of the working directory of a thread that lives, if it is kept. */
static const char *
task_cwd(pid_t tid)
{
	struct task	*t;

	known_expire();
	if ((t = task_kept(tid)) == NULL || t->cwd == NULL ||
	    task_dead(t->pidfd))
		return (NULL);
	return (t->cwd);
}

/* Keep that name, of a thread that calls more than once. */
static void
task_keep_cwd(struct task *t, int kept, const char *name)
{
	if (!kept || !view_active() || task_unsettled() || task_pidfd(t) == -1)
		return;
	free(t->cwd);
	t->cwd = strdup(name);
}

/*
 * What the kernel calls a descriptor of a thread, or with AT_FDCWD its working
 * directory; 0 or an errno.
 */
int
task_name(pid_t tid, int number, char *buf, size_t size)
{
	struct task	*t;
	const char	*cwd;
	char		 name[32];
	ssize_t		 n;
	int		 kept;

	if (number == AT_FDCWD && (cwd = task_cwd(tid)) != NULL)
		return (strlcpy(buf, cwd, size) < size ? 0 : ENAMETOOLONG);
	task_link(number, name, sizeof(name));
	do {
		t = task_find(tid);
		kept = t->proc != -1;
		if (task_proc(t) == -1)
			return (errno);
		n = readlinkat(t->proc, name, buf, size - 1);
	} while (n == -1 && task_ended(t, kept));
	if (n == -1)
		return (errno);
	if ((size_t)n == size - 1)
		return (ENAMETOOLONG);
	buf[n] = '\0';
	if (number == AT_FDCWD)
		task_keep_cwd(t, kept, buf);
	return (0);
}

/* What it is; 0, or -1 and errno. */
int
task_stat(pid_t tid, int number, struct stat *st)
{
	struct task	*t;
	char		 name[32];
	int		 fd, kept, ret;

	if (number != AT_FDCWD) {
		if ((fd = task_fd(tid, number)) == -1)
			return (-1);
		ret = fstat(fd, st);
		close(fd);
		return (ret);
	}
	task_link(number, name, sizeof(name));
	do {
		t = task_find(tid);
		kept = t->proc != -1;
		if (task_proc(t) == -1)
			return (-1);
		ret = fstatat(t->proc, name, st, 0);
	} while (ret == -1 && task_ended(t, kept));
	return (ret);
}

/*
 * Whether no more than n descriptors of a thread have numbers from a limit on,
 * which may have been higher.  The listing is read from there: the place in it
 * is the number, behind "." and "..".
 */
static int
task_beyond(const struct task *t, rlim_t limit, rlim_t n)
{
	DIR	*dir;
	rlim_t	 found = 0;
	int	 fd;

	if (n > TASK_BEYOND || (fd = openat(t->proc, "fd", O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC)) == -1)
		return (0);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (0);
	}
	seekdir(dir, (long)limit + 2);
	while (found <= n && readdir(dir) != NULL)
		found++;
	closedir(dir);
	return (found <= n);
}

/*
 * Whether a thread certainly has no room for one more descriptor: what would be
 * made or emptied when it is opened is not touched then.  The size of the
 * listing is their number, since Linux 6.2.
 */
int
task_full(pid_t tid)
{
	struct rlimit	 rl;
	struct stat	 st;
	struct task	*t;
	int		 kept, ret;

	do {
		t = task_find(tid);
		kept = t->proc != -1;
		if (task_proc(t) == -1)
			return (0);
		ret = fstatat(t->proc, "fd", &st, 0);
	} while (ret == -1 && task_ended(t, kept));
	if (ret == -1 || st.st_size == 0 ||
	    prlimit(tid, RLIMIT_NOFILE, NULL, &rl) == -1)
		return (0);
	return ((rlim_t)st.st_size >= rl.rlim_cur && task_beyond(t,
	    rl.rlim_cur, (rlim_t)st.st_size - rl.rlim_cur));
}
