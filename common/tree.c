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
 * Walks over /proc.  The workload can change the tree while it is read, so
 * nothing here assumes that what was seen still is; callers that must not miss
 * anyone repeat the walk.  Only files that every process may read are used.
 */

#include <sys/types.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

struct pid_list {
	pid_t	*pids;
	size_t	 n;
	size_t	 size;
};

static int		 proc_fd = -1;
static int		 scoped;
static struct pid_list	 foreign;	/* children from before */
static int		 foreign_fd = -1;	/* our list of children */

int
tree_init(void)
{
	if (proc_fd == -1)
		proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (proc_fd == -1 ? -1 : 0);
}

static int
list_add(struct pid_list *list, pid_t pid)
{
	pid_t	*grown;
	size_t	 size;

	if (list->n == list->size) {
		size = list->size == 0 ? 64 : 2 * list->size;
		if ((grown = reallocarray(list->pids, size,
		    sizeof(*grown))) == NULL)
			return (-1);
		list->pids = grown;
		list->size = size;
	}
	list->pids[list->n++] = pid;
	return (0);
}

/*
 * Read a small file of /proc as a string; the length, or -1.  Longer files
 * are cut.
 */
static ssize_t
proc_read(const char *name, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd, saved_errno;

	if ((fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, buf, size - 1);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	if (n == -1)
		return (-1);
	buf[n] = '\0';
	return (n);
}

/* Add the pids of one children file, which has no bound. */
static int
children_read(struct pid_list *list, int fd)
{
	char	 buf[4096];
	ssize_t	 i, n;
	long	 pid = 0;
	int	 ret = 0;

	while (ret == 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n && ret == 0; i++) {
			if (buf[i] >= '0' && buf[i] <= '9')
				pid = pid * 10 + (buf[i] - '0');
			else if (pid != 0) {
				ret = list_add(list, pid);
				pid = 0;
			}
		}
	}
	return (ret);
}

static int
children_add(struct pid_list *list, const char *name)
{
	int	 fd, ret;

	if ((fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC)) == -1)
		return (errno == ENOENT || errno == ESRCH ? 0 : -1);
	ret = children_read(list, fd);
	close(fd);
	return (ret);
}

static int
is_foreign(pid_t pid)
{
	size_t	 i;

	for (i = 0; i < foreign.n; i++)
		if (foreign.pids[i] == pid)
			return (1);
	return (0);
}

/* What to look at again, once there is somebody to know. */
static int
foreign_watch(void)
{
	char	 name[64];

	if (foreign.n == 0 || foreign_fd != -1)
		return (0);
	snprintf(name, sizeof(name), "%d/task/%d/children", getpid(),
	    getpid());
	foreign_fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	return (foreign_fd == -1 ? -1 : 0);
}

int
tree_foreign(void)
{
	char	 name[64];

	snprintf(name, sizeof(name), "%d/task/%d/children", getpid(),
	    getpid());
	if (children_add(&foreign, name) == -1)
		return (-1);
	return (foreign_watch());
}

int
tree_foreign_add(pid_t pid)
{
	if (list_add(&foreign, pid) == -1)
		return (-1);
	return (foreign_watch());
}

void
tree_foreign_gone(pid_t pid)
{
	size_t	 i;

	for (i = 0; i < foreign.n; i++)
		if (foreign.pids[i] == pid)
			foreign.pids[i] = -1;
}

int
tree_foreign_only(void)
{
	struct pid_list	 list = { NULL, 0, 0 };
	size_t		 i;
	int		 only = 1;

	if (foreign_fd == -1 || lseek(foreign_fd, 0, SEEK_SET) == -1 ||
	    children_read(&list, foreign_fd) == -1)
		only = 0;
	for (i = 0; i < list.n && only; i++)
		only = is_foreign(list.pids[i]) || (scoped &&
		    kill(list.pids[i], 0) == -1 && errno == EPERM);
	free(list.pids);
	return (only);
}

static int
tid_list(struct pid_list *list, pid_t pid)
{
	char		 name[64];
	DIR		*dir;
	struct dirent	*de;
	int		 fd, ret = 0;

	snprintf(name, sizeof(name), "%d/task", pid);
	if ((fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (errno == ENOENT || errno == ESRCH ? 0 : -1);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	while (ret == 0 && (de = readdir(dir)) != NULL)
		if (de->d_name[0] >= '0' && de->d_name[0] <= '9')
			ret = list_add(list, strtol(de->d_name, NULL, 10));
	closedir(dir);
	return (ret);
}

/* The children of every thread of a process. */
static int
children_of(struct pid_list *list, pid_t pid)
{
	struct pid_list	 tids = { NULL, 0, 0 };
	char		 name[64];
	size_t		 i;
	int		 ret;

	ret = tid_list(&tids, pid);
	for (i = 0; i < tids.n && ret == 0; i++) {
		snprintf(name, sizeof(name), "%d/task/%d/children", pid,
		    tids.pids[i]);
		ret = children_add(list, name);
	}
	free(tids.pids);
	return (ret);
}

/*
 * The fields of a stat file after the command name, which may hold anything:
 * it ends at the last parenthesis.
 */
static char *
stat_read(const char *name, char *buf, size_t size)
{
	char	*p;

	if (proc_read(name, buf, size) == -1 ||
	    (p = strrchr(buf, ')')) == NULL || p[1] != ' ')
		return (NULL);
	return (p + 2);
}

static char *
stat_fields(pid_t pid, char *buf, size_t size)
{
	char	 name[64];

	snprintf(name, sizeof(name), "%d/stat", pid);
	return (stat_read(name, buf, size));
}

/*
 * A leader that has ended is a zombie as long as other threads of its process
 * live; field 20 counts it with them.
 */
static int
pid_alive(pid_t pid)
{
	char	 buf[1024], *p;
	int	 field;

	if ((p = stat_fields(pid, buf, sizeof(buf))) == NULL)
		return (0);
	if (*p != 'Z' && *p != 'X')
		return (1);
	for (field = 3; field < 20; field++) {
		if ((p = strchr(p, ' ')) == NULL)
			return (1);
		p++;
	}
	return (strtol(p, NULL, 10) > 1);
}

int
tree_walk(pid_t root, int zombies, int (*fn)(pid_t, void *), void *arg)
{
	struct pid_list	 list = { NULL, 0, 0 };
	size_t		 i;
	int		 ret;

	ret = children_of(&list, root);
	for (i = 0; i < list.n && ret == 0; i++) {
		if (is_foreign(list.pids[i]))
			continue;
		/* A zombie may still have threads with children: look first. */
		if ((ret = children_of(&list, list.pids[i])) == -1)
			break;
		if (zombies || pid_alive(list.pids[i]))
			ret = fn(list.pids[i], arg);
	}
	free(list.pids);
	return (ret);
}

static int
count_one(pid_t pid, void *arg)
{
	int	*n = arg;

	(void)pid;
	(*n)++;
	return (0);
}

int
tree_count(pid_t root)
{
	int	 n = 0;

	return (tree_walk(root, 0, count_one, &n) == -1 ? -1 : n);
}

struct signal_arg {
	int	 sig;
	int	 n;
};

static int
signal_one(pid_t pid, void *arg)
{
	struct signal_arg	*sa = arg;

	kill(pid, sa->sig);
	sa->n++;
	return (0);
}

int
tree_signal(pid_t root, int sig)
{
	struct signal_arg	 sa = { sig, 0 };

	return (tree_walk(root, 0, signal_one, &sa) == -1 ? -1 : sa.n);
}

void
tree_scoped(void)
{
	scoped = 1;
}

int
tree_signal_domain(int sig)
{
	if (!scoped) {
		errno = EPERM;
		return (-1);
	}
	return (kill(-1, sig));
}

int
tree_cpu(pid_t pid, struct tree_cpu *tc)
{
	char		 buf[1024], *p;
	uint64_t	 field[18], us_per_tick;
	int		 i;

	if ((p = stat_fields(pid, buf, sizeof(buf))) == NULL)
		return (-1);
	/* Field 3 is first; 4 is the parent, 14 to 17 the times in ticks. */
	for (i = 3; i <= 17; i++) {
		field[i] = strtoul(p, NULL, 10);
		if ((p = strchr(p, ' ')) == NULL)
			return (-1);
		p++;
	}
	us_per_tick = 1000000 / sysconf(_SC_CLK_TCK);
	tc->ppid = field[4];
	tc->own = (field[14] + field[15]) * us_per_tick;
	tc->children = (field[16] + field[17]) * us_per_tick;
	return (0);
}

int
tree_threads(pid_t pid, int (*fn)(pid_t, void *), void *arg)
{
	struct pid_list	 tids = { NULL, 0, 0 };
	size_t		 i;
	int		 ret;

	ret = tid_list(&tids, pid);
	for (i = 0; i < tids.n && ret == 0; i++)
		ret = fn(tids.pids[i], arg);
	free(tids.pids);
	return (ret);
}

void
tree_comm(pid_t pid, char *buf, size_t size)
{
	char	 name[64];

	snprintf(name, sizeof(name), "%d/comm", pid);
	if (proc_read(name, buf, size) == -1)
		strlcpy(buf, "?", size);
	buf[strcspn(buf, "\n")] = '\0';
}

long
tree_user_ticks(pid_t tid)
{
	char	 name[64], buf[1024], *p;
	int	 field;

	snprintf(name, sizeof(name), "%d/task/%d/stat", tid, tid);
	if ((p = stat_read(name, buf, sizeof(buf))) == NULL)
		return (-1);
	for (field = 3; field < 14; field++) {
		if ((p = strchr(p, ' ')) == NULL)
			return (-1);
		p++;
	}
	return (strtol(p, NULL, 10));
}

int
tree_forking(pid_t tid)
{
	char	 name[64], buf[64];
	long	 nr;

	snprintf(name, sizeof(name), "%d/syscall", tid);
	if (proc_read(name, buf, sizeof(buf)) == -1)
		return (0);
	if (strncmp(buf, "running", 7) == 0)
		return (-1);
	nr = strtol(buf, NULL, 10);
	return (nr == SYS_clone || nr == SYS_fork || nr == SYS_vfork);
}

pid_t
tree_tgid(pid_t tid)
{
	char	 name[64], buf[512], *p;

	snprintf(name, sizeof(name), "%d/status", tid);
	if (proc_read(name, buf, sizeof(buf)) == -1 ||
	    (p = strstr(buf, "\nTgid:")) == NULL)
		return (-1);
	return (strtol(p + 6, NULL, 10));
}

/* The number behind a word of status. */
static int
status_get(const char *buf, const char *word, int base, uint64_t *value)
{
	const char	*p;

	if ((p = strstr(buf, word)) == NULL)
		return (-1);
	*value = strtoull(p + strlen(word), NULL, base);
	return (0);
}

int
tree_signals(pid_t tid, struct tree_signals *ts)
{
	static char	 buf[16384];
	char		 name[64];
	uint64_t	 threads;

	snprintf(name, sizeof(name), "%d/status", tid);
	if (proc_read(name, buf, sizeof(buf)) == -1 ||
	    status_get(buf, "\nThreads:", 10, &threads) == -1 ||
	    status_get(buf, "\nSigPnd:", 16, &ts->thread) == -1 ||
	    status_get(buf, "\nShdPnd:", 16, &ts->shared) == -1 ||
	    status_get(buf, "\nSigBlk:", 16, &ts->blocked) == -1)
		return (-1);
	ts->threads = threads;
	return (0);
}
