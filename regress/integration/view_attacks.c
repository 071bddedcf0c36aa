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
 * Attacks on a merged working directory, in which this runs.  The first
 * argument says which, the others are its own.  Each prints what came of it;
 * what must not have happened is checked from outside.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

static void
result(const char *what, long ret)
{
	printf("%s: %s\n", what, ret == -1 ? strerrorname_np(errno) : "ok");
}

/* Give a file without a name one. */
static void
give_name(int fd, const char *name)
{
	char	 path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == -1)
		err(1, "%s", name);
}

/*
 * The attributes by which a branch says what is in it, on a file that comes
 * into the branch only afterwards.
 */
static void
attack_forge(char **args)
{
	static const struct {
		const char	*name;
		const char	*value;
	} forged[] = {
		{ "user.overlay.sandlock", "4755 0 0 7" },
		{ "user.overlay.origin", "" },
		{ "user.overlay.redirect", "/dir" },
		{ "user.overlay.opaque", "y" },
		{ "user.overlay.sandlock.0:1-2", "" },
		{ "user.harmless", "y" }
	};
	struct stat	 st;
	size_t		 i;
	int		 fd;

	(void)args;
	if ((fd = open(".", O_TMPFILE | O_RDWR, 0644)) == -1)
		err(1, "O_TMPFILE");
	for (i = 0; i < nitems(forged); i++)
		result(forged[i].name, fsetxattr(fd, forged[i].name,
		    forged[i].value, strlen(forged[i].value), 0));
	give_name(fd, "forged");
	if (stat("forged", &st) == -1)
		err(1, "forged");
	printf("mode %o\n", st.st_mode & 07777);
}

/* The names of a directory that one read gives; 0 at its end. */
static long
list_some(int dir, long *names)
{
	union {
		struct dirent64	 align;
		char		 bytes[4096];
	}			 buf;
	const struct dirent64	*de;
	ssize_t			 n, off;

	if ((n = getdents64(dir, buf.bytes, sizeof(buf.bytes))) == -1)
		err(1, "getdents");
	for (off = 0; off < n; off += de->d_reclen) {
		de = (const void *)(buf.bytes + off);
		(*names)++;
	}
	return (n);
}

static int
open_directory(const char *path)
{
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY)) == -1)
		err(1, "%s", path);
	return (fd);
}

static void
make_file(const char *path)
{
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CREAT, 0644)) == -1)
		err(1, "%s", path);
	close(fd);
}

/* Make a file and wait for its removal. */
static void
wait_seen(const char *path)
{
	make_file(path);
	while (access(path, F_OK) == 0)
		usleep(10000);
}

/*
 * A listing of "many", which has 2,000 files, is begun; the given number of
 * others are begun too; then it is read to its end.  A file that is named
 * is made after that, and its removal waited for.
 */
static void
attack_listings(char **args)
{
	long	 names = 0, others = 0;
	int	 dir, i, other;

	make_file("many/new");
	dir = open_directory("many");
	list_some(dir, &names);
	for (i = 0; i < atoi(args[0]); i++) {
		other = open_directory("many");
		list_some(other, &others);
		close(other);
	}
	while (list_some(dir, &names) > 0)
		continue;
	printf("%ld of 2003\n", names);
	if (args[1] != NULL)
		wait_seen(args[1]);
}

/*
 * Names with long paths that might have been changed, but were not: none of
 * them is there.
 */
static void
attack_marks(char **args)
{
	char	 name[256];
	int	 i, n = 0;

	memset(name, 'n', sizeof(name));
	name[250] = '\0';
	for (i = 0; i < 13; i++)
		if (mkdir(name, 0755) == -1 || chdir(name) == -1)
			err(1, "directory %d", i);
	for (i = 0; i < atoi(args[0]); i++) {
		snprintf(name, sizeof(name), "missing%d", i);
		if (unlink(name) == -1 && errno == ENOENT)
			n++;
	}
	printf("%d missing\n", n);
	wait_seen(args[1]);
}

/* Every flag that there is or may be, with each that says how to open. */
static void
attack_flags(char **args)
{
	static const char *const	 names[] = {
		"file", "dir/old", "dir", "new", "newdir", "link", "fifo"
	};
	static const int		 also[] = {
		0, O_NOFOLLOW, O_DIRECTORY, O_PATH, O_APPEND | O_NOATIME,
		O_WRONLY, O_RDWR | O_APPEND, O_RDWR | O_CREAT
	};
	size_t				 i, j;
	int				 bit, fd, flags, shown;

	(void)args;
	make_file("new");
	if (mkdir("newdir", 0755) == -1 || symlink("new", "link") == -1 ||
	    chmod("file", 0640) == -1 || chmod("dir", 0750) == -1)
		err(1, "new");
	for (bit = 0; bit < 32; bit++)
	for (i = 0; i < nitems(names); i++)
	for (j = 0; j < nitems(also); j++) {
		flags = (int)(1U << bit | also[j] | O_NONBLOCK);
		/* Landlock would ask for no right. */
		if ((flags & O_ACCMODE) == O_ACCMODE)
			continue;
		if ((fd = syscall(SYS_open, names[i], flags, 0600)) == -1)
			shown = errno;
		else
			shown = fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND |
			    O_NONBLOCK | O_PATH | O_SYNC | O_DIRECT);
		printf("%s %d %#x: %s %#x\n", names[i], bit, also[j],
		    fd == -1 ? "error" : "ok", shown);
		if (fd != -1)
			close(fd);
	}
}

static void *
open_pipe(void *arg)
{
	(void)arg;
	if (open("pipe", O_WRONLY) == -1)
		warn("pipe");
	return (NULL);
}

static int
longer(const void *a, const void *b)
{
	long	 x = *(const long *)a, y = *(const long *)b;

	return ((x > y) - (x < y));
}

/* Nanoseconds that a change of a file takes; a median, for a busy machine. */
static long
change_takes(void)
{
	static long	 took[200];
	struct timespec	 a, b;
	size_t		 i;

	for (i = 0; i < nitems(took); i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		if (chmod("changed", 0600 + (i & 1)) == -1)
			err(1, "changed");
		clock_gettime(CLOCK_MONOTONIC, &b);
		took[i] = (b.tv_sec - a.tv_sec) * 1000000000 +
		    b.tv_nsec - a.tv_nsec;
	}
	qsort(took, nitems(took), sizeof(took[0]), longer);
	return (took[nitems(took) / 2]);
}

/* Threads that wait for the reader of a FIFO keep nobody else waiting. */
static void
attack_pipes(char **args)
{
	pthread_attr_t	 attr;
	pthread_t	 thread;
	long		 alone, crowd;
	int		 i;

	if (mkfifo("pipe", 0600) == -1)
		err(1, "pipe");
	make_file("changed");
	alone = change_takes();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < atoi(args[0]); i++)
		if ((errno = pthread_create(&thread, &attr, open_pipe,
		    NULL)) != 0)
			err(1, "pthread_create");
	/* By then each has been asked for often enough. */
	sleep(1);
	/* Were it as often as for one, nobody else would ever be served. */
	crowd = change_takes();
	printf("%s: %ld ns, %ld ns\n", crowd < 100 * alone ? "served" : "late",
	    alone, crowd);
}

static const struct {
	const char	*name;
	int		 nargs;
	void		(*fn)(char **);
} attacks[] = {
	{ "flags", 0, attack_flags },
	{ "forge", 0, attack_forge },
	{ "listings", 1, attack_listings },
	{ "marks", 2, attack_marks },
	{ "pipes", 1, attack_pipes }
};

int
main(int argc, char **argv)
{
	size_t	 i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; argc > 1 && i < nitems(attacks); i++)
		if (strcmp(argv[1], attacks[i].name) == 0 &&
		    argc - 2 >= attacks[i].nargs) {
			attacks[i].fn(argv + 2);
			return (0);
		}
	errx(1, "usage: view_attacks attack [argument ...]");
}
