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
 * Attacks on a path that the policy denies, and on one with fewer rights than
 * those around it: every call that takes a name, every spelling, and names that
 * change while they are looked at.  The first argument says which, the others
 * are its own.  One line is printed for each call, with what became of it; what
 * must not have happened to the files is checked from outside, too.
 */

#include <sys/types.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

#define RACE_LONGER	200

static const char	*target, *other;	/* the name; one beside it */

/* Each returns -1 and errno, or something else. */

static int
done(int fd)
{
	if (fd != -1)
		close(fd);
	return (fd);
}

static int
c_open_r(void)
{
	return (done(syscall(SYS_open, target, O_RDONLY)));
}

static int
c_open_w(void)
{
	return (done(syscall(SYS_open, target, O_WRONLY)));
}

static int
c_open_rw(void)
{
	return (done(openat(AT_FDCWD, target, O_RDWR)));
}

static int
c_open_trunc(void)
{
	return (done(openat(AT_FDCWD, target, O_WRONLY | O_TRUNC)));
}

static int
c_open_rtrunc(void)
{
	return (done(openat(AT_FDCWD, target, O_RDONLY | O_TRUNC)));
}

static int
c_open_creat(void)
{
	return (done(openat(AT_FDCWD, target, O_RDWR | O_CREAT, 0600)));
}

static int
c_open_path(void)
{
	return (done(openat(AT_FDCWD, target, O_PATH)));
}

static int
c_open_nofollow(void)
{
	return (done(openat(AT_FDCWD, target, O_RDONLY | O_NOFOLLOW)));
}

static int
c_creat(void)
{
	return (done(syscall(SYS_creat, target, 0600)));
}

static int
c_truncate(void)
{
	return (truncate(target, 1));
}

static int
c_stat(void)
{
	struct stat	 st;

	return (syscall(SYS_stat, target, &st));
}

static int
c_lstat(void)
{
	struct stat	 st;

	return (syscall(SYS_lstat, target, &st));
}

static int
c_newfstatat(void)
{
	struct stat	 st;

	return (syscall(SYS_newfstatat, AT_FDCWD, target, &st, 0));
}

static int
c_statx(void)
{
	struct statx	 sx;

	return (statx(AT_FDCWD, target, 0, STATX_BASIC_STATS, &sx));
}

static int
c_access(void)
{
	return (syscall(SYS_access, target, F_OK));
}

static int
c_faccessat(void)
{
	return (syscall(SYS_faccessat, AT_FDCWD, target, R_OK));
}

static int
c_faccessat2(void)
{
	return (syscall(SYS_faccessat2, AT_FDCWD, target, F_OK,
	    AT_SYMLINK_NOFOLLOW));
}

static int
c_readlink(void)
{
	char	 text[16];

	return (readlink(target, text, sizeof(text)));
}

static int
c_readlinkat(void)
{
	char	 text[16];

	return (readlinkat(AT_FDCWD, target, text, sizeof(text)));
}

static int
c_getxattr(void)
{
	char	 text[16];

	return (getxattr(target, "user.none", text, sizeof(text)));
}

static int
c_lgetxattr(void)
{
	return (lgetxattr(target, "user.none", NULL, 0));
}

static int
c_listxattr(void)
{
	return (listxattr(target, NULL, 0));
}

static int
c_llistxattr(void)
{
	char	 text[256];

	return (llistxattr(target, text, sizeof(text)));
}

static int
c_statfs(void)
{
	struct statfs	 sf;

	return (statfs(target, &sf));
}

/* Inode flags, where the kernel has the call. */
static int
c_getattr(void)
{
	char	 attr[24];
	int	 ret;

	ret = syscall(468, AT_FDCWD, target, attr, sizeof(attr), 0);
	/* Whatever it is called: it told nothing. */
	if (ret == -1)
		errno = EACCES;
	return (ret);
}

static int
c_watch(void)
{
	int	 fd, saved_errno, wd;

	if ((fd = inotify_init1(IN_NONBLOCK)) == -1)
		err(1, "inotify_init1");
	wd = inotify_add_watch(fd, target, IN_ALL_EVENTS);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (wd);
}

static int
c_chmod(void)
{
	return (chmod(target, 0644));
}

static int
c_fchmodat2(void)
{
	return (syscall(SYS_fchmodat2, AT_FDCWD, target, 0644, 0));
}

static int
c_chown(void)
{
	return (chown(target, geteuid(), -1));
}

static int
c_utimensat(void)
{
	return (utimensat(AT_FDCWD, target, NULL, 0));
}

static int
c_setxattr(void)
{
	return (setxattr(target, "user.x", "x", 1, 0));
}

static int
c_link(void)
{
	return (link(target, other));
}

static int
c_linkat(void)
{
	return (linkat(AT_FDCWD, target, AT_FDCWD, other, AT_SYMLINK_FOLLOW));
}

static int
c_rename(void)
{
	return (syscall(SYS_rename, target, other));
}

static int
c_renameat2(void)
{
	return (syscall(SYS_renameat2, AT_FDCWD, target, AT_FDCWD, other,
	    RENAME_NOREPLACE));
}

static int
c_rename_over(void)
{
	int	 fd;

	if ((fd = open(other, O_WRONLY | O_CREAT, 0600)) == -1)
		err(1, "%s", other);
	close(fd);
	return (rename(other, target));
}

static int
c_exchange(void)
{
	int	 fd;

	if ((fd = open(other, O_WRONLY | O_CREAT, 0600)) == -1)
		err(1, "%s", other);
	close(fd);
	return (syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, target,
	    RENAME_EXCHANGE));
}

static int
c_symlink(void)
{
	return (symlink("x", target));
}

static int
c_mkdir(void)
{
	return (mkdir(target, 0700));
}

static int
c_mknod(void)
{
	return (mknod(target, S_IFIFO | 0600, 0));
}

static int
c_unlink(void)
{
	return (syscall(SYS_unlink, target));
}

static int
c_unlinkat(void)
{
	return (unlinkat(AT_FDCWD, target, 0));
}

static int
c_exec(void)
{
	char	*argv[2], *envp[1] = { NULL };
	pid_t	 pid;
	int	 status;

	argv[0] = strdup(target);
	argv[1] = NULL;
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		execve(target, argv, envp);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		errx(1, "no exit");
	free(argv[0]);
	errno = WEXITSTATUS(status);
	return (errno == 0 ? 0 : -1);
}

static int
c_chdir(void)
{
	return (syscall(SYS_chdir, target));
}

static int
c_opendir(void)
{
	return (done(open(target, O_RDONLY | O_DIRECTORY)));
}

static int
c_rmdir(void)
{
	return (rmdir(target));
}

static int
c_below(void)
{
	char	*path;
	int	 fd;

	if (asprintf(&path, "%s/f", target) == -1)
		err(1, NULL);
	fd = open(path, O_RDONLY);
	free(path);
	return (done(fd));
}

static int
c_stat_below(void)
{
	struct stat	 st;
	char		*path;
	int		 ret;

	if (asprintf(&path, "%s/f", target) == -1)
		err(1, NULL);
	ret = stat(path, &st);
	free(path);
	return (ret);
}

static int
c_make_below(void)
{
	char	*path;
	int	 fd;

	if (asprintf(&path, "%s/new", target) == -1)
		err(1, NULL);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	free(path);
	return (done(fd));
}

struct call {
	const char	*name;
	int		 (*fn)(void);
};

#define C(name)	{ #name, c_ ## name }
static const struct call files[] = {
	C(open_r), C(open_w), C(open_rw), C(open_creat), C(open_path),
	C(open_nofollow), C(stat), C(lstat), C(newfstatat), C(statx),
	C(access), C(faccessat), C(faccessat2), C(readlink), C(readlinkat),
	C(getxattr), C(lgetxattr), C(listxattr), C(llistxattr), C(statfs),
	C(getattr), C(watch), C(exec), C(chmod), C(fchmodat2), C(chown),
	C(utimensat), C(setxattr), C(symlink), C(mkdir), C(mknod),
	C(open_trunc), C(open_rtrunc), C(creat), C(truncate), C(link),
	C(linkat), C(rename_over), C(exchange), C(rename), C(renameat2),
	C(unlink), C(unlinkat)
};
static const struct call directories[] = {
	C(opendir), C(open_path), C(stat), C(lstat), C(statx), C(access),
	C(statfs), C(watch), C(below), C(stat_below), C(make_below), C(chmod),
	C(mkdir), C(link), C(rename), C(rmdir), C(chdir)
};

static const char *
errno_name(int error)
{
	const char	*name = strerrorname_np(error);

	return (name == NULL ? "unknown" : name);
}

/* Make the target anew where that is possible, so that each call has one. */
static void
prepare(int directory)
{
	char	 text[] = "#!/bin/true\n", *path;
	int	 fd;

	unlink(other);
	rename(other, target);
	if (directory) {
		mkdir(target, 0700);
		if (asprintf(&path, "%s/new", target) == -1)
			err(1, NULL);
		unlink(path);
		free(path);
		return;
	}
	unlink(target);
	if ((fd = open(target, O_WRONLY | O_CREAT | O_EXCL, 0700)) == -1)
		return;
	if (write(fd, text, strlen(text)) == -1)
		err(1, "write");
	close(fd);
}

static void
calls(const struct call *c, size_t n, int directory)
{
	size_t	 i;
	int	 error, ret;

	for (i = 0; i < n; i++) {
		prepare(directory);
		ret = c[i].fn();
		error = errno;
		printf("%s: %s\n", c[i].name, ret == -1 ? errno_name(error) :
		    "ok");
		fflush(stdout);
	}
}

/* Print what a name leads to: content, or why not. */
static void
show(int fd, const char *what)
{
	char	 buf[64];
	ssize_t	 n;

	if (fd == -1) {
		printf("%s: %s\n", what, errno_name(errno));
		return;
	}
	if ((n = read(fd, buf, sizeof(buf) - 1)) == -1)
		err(1, "read");
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	printf("%s: \"%s\"\n", what, buf);
	close(fd);
}

static void
links(const char *name, int n)
{
	char	 from[32], to[32];
	int	 fd, i;

	unlink("chain0");
	if (symlink(name, "chain0") == -1)
		err(1, "symlink");
	for (i = 1; i < n; i++) {
		snprintf(to, sizeof(to), "chain%d", i - 1);
		snprintf(from, sizeof(from), "chain%d", i);
		unlink(from);
		if (symlink(to, from) == -1)
			err(1, "symlink");
	}
	snprintf(from, sizeof(from), "chain%d", n - 1);
	fd = open(from, O_RDONLY);
	show(fd, "chain");
}

/* Every spelling of a name that is in the directory of now. */
static void
spellings(const char *name)
{
	static const char *const	 formats[] = {
		"%2$s", "./%2$s", "%1$s/%2$s", "%1$s//%2$s", "%1$s/./%2$s",
		"%1$s/src/../%2$s", "src/../%2$s", "/proc/self/root%1$s/%2$s",
		"/proc/self/cwd/%2$s", "/proc/thread-self/root%1$s/%2$s",
		"/proc/thread-self/cwd/%2$s", "/proc/self/fd/9/%2$s",
		"/proc/self/task/%3$d/root%1$s/%2$s", "/proc/%3$d/cwd/%2$s",
		"/dev/fd/9/%2$s"
	};
	char				*cwd, *path;
	size_t				 i;
	int				 dir;

	if ((cwd = getcwd(NULL, 0)) == NULL ||
	    (dir = open(".", O_PATH | O_DIRECTORY)) == -1 ||
	    dup2(dir, 9) == -1)
		err(1, "directory");
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (asprintf(&path, formats[i], cwd, name,
		    (int)getpid()) == -1)
			err(1, NULL);
		show(open(path, O_RDONLY), formats[i]);
		free(path);
	}
	show(openat(dir, name, O_RDONLY), "openat");
	links(name, 39);
	free(cwd);
}

/* Races. */

static atomic_int	 stop;
static _Alignas(8) char	 buffer[16];
static char		 names[2][16];
static int		 dirs[2];

/* Eight bytes at a time: a name is never half of one and half of the other. */
static void *
flip(void *arg)
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

/* A link in the middle of a name, which changes where it leads. */
static void *
flip_link(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i++) {
		unlink("tmplink");
		if (symlink(names[i & 1], "tmplink") == -1 ||
		    rename("tmplink", "mid") == -1)
			err(1, "mid");
	}
	return (NULL);
}

static int	 seen_good, seen_bad, seen_denied, seen_other;

static void
count(int ok, int good)
{
	if (ok && good)
		seen_good++;
	else if (ok)
		seen_bad++;
	else if (errno == EACCES)
		seen_denied++;
	else
		seen_other++;
}

static void
race_read(const char *name, int i)
{
	char	 buf[8] = "";
	int	 fd;

	switch (i % 3) {
	case 0:
		fd = syscall(SYS_open, name, O_RDONLY);
		break;
	case 1:
		fd = openat(AT_FDCWD, name, O_RDONLY);
		break;
	default:
		fd = openat(AT_FDCWD, name, O_RDWR);
		break;
	}
	if (fd != -1 && read(fd, buf, sizeof(buf) - 1) == -1)
		err(1, "read");
	count(fd != -1, strncmp(buf, "good", 4) == 0);
	if (fd != -1)
		close(fd);
}

/* The size tells which of the two it was. */
static void
race_stat(const char *name, int i)
{
	struct stat	 st;
	struct statx	 sx;
	int		 ret;

	memset(&st, 0, sizeof(st));
	if (i % 3 == 0) {
		ret = statx(AT_FDCWD, name, 0, STATX_SIZE, &sx);
		st.st_size = ret == 0 ? (off_t)sx.stx_size : 0;
	} else if (i % 3 == 1)
		ret = syscall(SYS_newfstatat, AT_FDCWD, name, &st, 0);
	else
		ret = syscall(SYS_lstat, name, &st);
	count(ret == 0, st.st_size == 5);
}

/* Exits with 1 if it was the wrong program. */
static void
race_exec(const char *name, int i)
{
	char	 arg[] = "x", *argv[2] = { arg, NULL }, *envp[1] = { NULL };
	pid_t	 pid;
	int	 status;

	(void)i;
	if ((pid = vfork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		execve(name, argv, envp);
		_exit(errno == EACCES ? 2 : 3);
	}
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	errno = WEXITSTATUS(status) == 2 ? EACCES : EINVAL;
	count(WEXITSTATUS(status) < 2, WEXITSTATUS(status) == 0);
}

/* What counts afterwards is whether the denied file is as it was. */
static void
race_change(const char *name, int i)
{
	int	 ret;

	switch (i % 5) {
	case 0:
		ret = rename(name, "moved");
		rename("moved", names[0]);
		break;
	case 1:
		unlink("second");
		ret = link(name, "second");
		break;
	case 2:
		ret = syscall(SYS_renameat2, AT_FDCWD, "spare", AT_FDCWD, name,
		    RENAME_EXCHANGE);
		break;
	case 3:
		ret = truncate(name, 5);
		break;
	default:
		ret = open(name, O_WRONLY);
		if (ret != -1)
			close(ret);
	}
	count(ret != -1, 1);
}

/* Wherever one stands then, nothing of what is denied can be had. */
static void
race_chdir(const char *name, int i)
{
	struct stat	 st;
	int		 fd;

	if (chdir(name) == -1) {
		count(0, 0);
		return;
	}
	fd = open(i % 2 ? "f" : ".", O_RDONLY);
	if (stat("f", &st) == 0 && st.st_size != 5)
		seen_bad++;
	if (fd != -1 && stat("f", &st) == -1)
		seen_bad++;
	count(fd != -1, 1);
	if (fd != -1)
		close(fd);
	if (fchdir(dirs[0]) == -1)
		err(1, "fchdir");
}

static const struct {
	const char	*name;
	void		 *(*flip)(void *);
	void		 (*try)(const char *, int);
	const char	*path;
} races[] = {
	{ "read", flip, race_read, buffer },
	{ "stat", flip, race_stat, buffer },
	{ "exec", flip, race_exec, buffer },
	{ "change", flip, race_change, buffer },
	{ "chdir", flip, race_chdir, buffer },
	{ "cwd", flip_directory, race_read, "f" },
	{ "link", flip_link, race_read, "mid/f" }
};

static void
race(const char *which, int tries, char *argv[])
{
	pthread_t	 thread;
	size_t		 i;
	int		 n;

	for (i = 0; strcmp(races[i].name, which) != 0; i++)
		continue;
	strlcpy(names[0], argv[0], sizeof(names[0]));
	strlcpy(names[1], argv[1], sizeof(names[1]));
	if (strcmp(which, "cwd") == 0 &&
	    ((dirs[0] = open(names[0], O_PATH | O_DIRECTORY)) == -1 ||
	    (dirs[1] = open(names[1], O_PATH | O_DIRECTORY)) == -1))
		err(1, "directories");
	if (strcmp(which, "chdir") == 0 &&
	    (dirs[0] = open(".", O_PATH | O_DIRECTORY)) == -1)
		err(1, "directory");
	strlcpy(buffer, names[0], sizeof(buffer));
	if ((errno = pthread_create(&thread, NULL, races[i].flip, NULL)) != 0)
		err(1, "pthread_create");
	/* Longer, should only one of the two names have been seen by then. */
	for (n = 0; n < tries || (n < RACE_LONGER * tries &&
	    (seen_good == 0 || seen_bad + seen_denied == 0)); n++)
		races[i].try(races[i].path, n);
	stop = 1;
	pthread_join(thread, NULL);
	printf("good %s, bad %d, denied %s\n", seen_good > 0 ? "some" :
	    "none", seen_bad, seen_denied > 0 ? "some" : "none");
}

int
main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "file") == 0) {
		target = argv[2];
		other = argv[3];
		calls(files, sizeof(files) / sizeof(files[0]), 0);
	} else if (argc == 4 && strcmp(argv[1], "directory") == 0) {
		target = argv[2];
		other = argv[3];
		calls(directories, sizeof(directories) /
		    sizeof(directories[0]), 1);
	} else if (argc == 3 && strcmp(argv[1], "spell") == 0)
		spellings(argv[2]);
	else if (argc == 6 && strcmp(argv[1], "race") == 0)
		race(argv[2], atoi(argv[3]), argv + 4);
	else
		errx(2, "usage");
	return (0);
}
