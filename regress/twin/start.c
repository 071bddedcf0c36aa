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
 * The tree that every sequence of calls begins with.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "start.h"

void
die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	abort();
}

const char *
tree_long_name(void)
{
	static char	 name[NAME_MAX + 1];

	memset(name, 'y', NAME_MAX);
	return (name);
}

/* The tree that every test begins with. */

static void
put_file(const char *path, mode_t mode, const char *text)
{
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600)) == -1 || write(fd, text, strlen(text)) !=
	    (ssize_t)strlen(text) || fchmod(fd, mode) == -1)
		die(path);
	close(fd);
}

static void
put_dir(const char *path, mode_t mode)
{
	if (mkdir(path, 0700) == -1 || chmod(path, mode) == -1)
		die(path);
}

static void
put_link(const char *target, const char *path)
{
	if (symlink(target, path) == -1)
		die(path);
}

static void
put_hard(const char *from, const char *to)
{
	if (link(from, to) == -1)
		die(to);
}

/* Times last, of what is deepest first. */
void
tree_times(int at, const char *name)
{
	const struct timespec	 ts[2] = { { OLD, 5 }, { OLD, 123456789 } };
	struct dirent		*de;
	DIR			*dir;
	int			 fd;

	if ((fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1 || (dir = fdopendir(fd)) == NULL)
		die(name);
	while ((de = readdir(dir)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (de->d_type == DT_DIR)
			tree_times(fd, de->d_name);
		else if (utimensat(fd, de->d_name, ts,
		    AT_SYMLINK_NOFOLLOW) == -1)
			die(de->d_name);
	}
	if (futimens(fd, ts) == -1)
		die(name);
	closedir(dir);
}

/* Things of somebody else, when this user can make them. */
static void
put_foreign(uid_t uid)
{
	put_file("o", 0666, "other's");
	put_file("q", 0644, "other's, read only");
	put_file("a/o", 0606, "other's too");
	put_dir("od", 0777);
	put_file("od/f", 0644, "mine");
	put_file("od/g", 0666, "theirs");
	put_dir("s", 01777);
	put_file("s/f", 0644, "mine in sticky");
	put_file("s/g", 0666, "theirs in sticky");
	put_dir("s/d", 0755);
	put_dir("r", 0755);
	put_file("r/f", 0644, "mine in theirs");
	put_dir("r/a", 0777);
	if (chown("o", uid, uid) == -1 || chown("q", uid, uid) == -1 ||
	    chown("a/o", uid, uid) == -1 || chown("od", uid, uid) == -1 ||
	    chown("od/g", uid, uid) == -1 || chown("s", uid, uid) == -1 ||
	    chown("s/g", uid, uid) == -1 || chown("s/d", uid, uid) == -1 ||
	    chown("r", uid, uid) == -1)
		die("chown");
}

/* Directories from which what is made in them inherits. */
static void
put_heritage(int capless)
{
	static const unsigned char	 acl[] = {
		2, 0, 0, 0,
		0x01, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
		0x02, 0, 7, 0, 7, 0, 0, 0,
		0x04, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
		0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
		0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff
	};

	put_dir("t", 0755);
	put_file("t/f", 0644, "group");
	put_dir("t/d", 0755);
	if (geteuid() == 0 && !capless && chown("t", -1, 1234) == -1)
		die("t");
	if (chmod("t", 02775) == -1)
		die("t");
	put_dir("u", 0755);
	put_file("u/f", 0644, "before the ACL");
	if (setxattr("u", "system.posix_acl_default", acl, sizeof(acl),
	    0) == -1 && errno != EOPNOTSUPP)
		die("u");
	put_dir("u/d", 0777);
}

void
tree_put(const char *name, uid_t foreign)
{
	int	 cwd;

	if ((cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    mkdir(name, 0755) == -1 || chdir(name) == -1)
		die(name);
	put_dir("a", 0755);
	put_file("a/f", 0644, "hello");
	put_file("a/g", 0600, "some more text");
	put_dir("a/sub", 0755);
	put_file("a/sub/x", 0755, "x");
	put_file("a/sub/f", 0644, "");
	put_dir("a/sub/d", 0711);
	put_file("a/sub/d/f", 0644, "deep");
	put_link("f", "a/l");
	put_link("sub", "a/m");
	put_dir("b", 0775);
	put_file("b/f", 0644, "linked");
	put_hard("b/f", "b/g");
	put_hard("b/f", "a/h");
	put_link("f", "b/l");
	put_hard("b/l", "b/m");
	if (mkfifo("b/p", 0644) == -1)
		die("b/p");
	put_dir("c", 0700);
	put_dir("e", 0755);
	put_file("e/f", 0444, "read only");
	put_dir("e/sub", 0755);
	put_file("e/sub/f", 0640, "in a read only one");
	put_link("../a", "c/l");
	put_link("m", "l");
	put_link("l", "m");
	put_link("a/new", "n");
	put_link("/nowhere", "c/z");
	put_file(tree_long_name(), 0644, "long");
	if (setxattr("a", "user.t", "dir", 3, 0) == -1 ||
	    setxattr("a/f", "user.t", "file", 4, 0) == -1 ||
	    setxattr("b/f", "user.u", "linked", 6, 0) == -1)
		die("setxattr");
	put_heritage(foreign != 0);
	if (foreign != 0)
		put_foreign(foreign);
	if (chmod("e/sub", 0555) == -1 || chmod("e", 0555) == -1 ||
	    fchdir(cwd) == -1)
		die(name);
	tree_times(AT_FDCWD, name);
	close(cwd);
}
