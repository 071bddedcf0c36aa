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
 * A tree to begin with, and what a tree looks like: a plain one below the
 * working directory or the merged view.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge.h"
#include "merge_tree.h"

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
static void
put_times(int at, const char *name)
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
			put_times(fd, de->d_name);
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
	put_times(AT_FDCWD, name);
	close(cwd);
}

/* A tree as text; either the one below at, or the view's. */

struct print {
	struct merge	*merge;		/* NULL: plain */
	FILE		*out;
	int		 how;
	uint64_t	 inodes[512];	/* for the groups of hard links */
	int		 ninodes;
};

static int
print_group(struct print *p, uint64_t ino)
{
	int	 i;

	for (i = 0; i < p->ninodes; i++)
		if (p->inodes[i] == ino)
			return (i);
	if (p->ninodes < 512)
		p->inodes[p->ninodes++] = ino;
	return (i);
}

static void
print_xattrs(struct print *p, const char *path)
{
	static const char *const	 names[] = { "user.t", "user.u" };
	char				 value[64];
	ssize_t				 n;
	size_t				 i;

	for (i = 0; i < 2; i++) {
		n = p->merge != NULL ? merge_getxattr(p->merge, path,
		    AT_SYMLINK_NOFOLLOW, names[i], value, sizeof(value)) :
		    lgetxattr(path, names[i], value, sizeof(value));
		if (n != -1)
			fprintf(p->out, " %s=%.*s", names[i], (int)n, value);
		else if (errno != ENODATA)
			fprintf(p->out, " %s:%d", names[i], errno);
	}
}

static void
print_content(struct print *p, const char *path, const struct statx *sx)
{
	char	 buf[4096];
	ssize_t	 n;
	int	 fd, wait;

	if (S_ISLNK(sx->stx_mode)) {
		n = p->merge != NULL ? merge_readlink(p->merge, path, buf,
		    sizeof(buf)) : readlink(path, buf, sizeof(buf));
		fprintf(p->out, " -> %.*s", (int)n, buf);
		return;
	}
	if (!S_ISREG(sx->stx_mode))
		return;
	fd = p->merge != NULL ? merge_open(p->merge, path,
	    O_RDONLY | O_NOFOLLOW, 0, 0, &wait) : open(path, O_RDONLY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		fprintf(p->out, " open:%d", errno);
		return;
	}
	n = read(fd, buf, sizeof(buf));
	fprintf(p->out, " \"%.*s\"", (int)n, buf);
	close(fd);
}

static void
print_one(struct print *p, const char *path)
{
	struct statx	 sx;
	int		 ret;

	ret = p->merge != NULL ? merge_stat(p->merge, path,
	    AT_SYMLINK_NOFOLLOW, &sx) : statx(AT_FDCWD, path,
	    AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &sx);
	if (ret == -1) {
		fprintf(p->out, "%s: stat:%d\n", path, errno);
		return;
	}
	fprintf(p->out, "%s: %o %u:%u", path, sx.stx_mode, sx.stx_uid,
	    sx.stx_gid);
	if (!S_ISDIR(sx.stx_mode))
		fprintf(p->out, " size %llu group %d",
		    (unsigned long long)sx.stx_size,
		    print_group(p, sx.stx_ino));
	if (!S_ISDIR(sx.stx_mode) && p->how != TREE_CRASH)
		fprintf(p->out, " nlink %u", sx.stx_nlink);
	if (p->how == TREE_EXACT || (sx.stx_mtime.tv_sec <= OLD + 100 &&
	    (p->how == TREE_PLAIN || !S_ISDIR(sx.stx_mode))))
		fprintf(p->out, " mtime %lld.%u", (long long)
		    sx.stx_mtime.tv_sec, sx.stx_mtime.tv_nsec);
	if (p->how == TREE_EXACT)
		fprintf(p->out, " ctime %lld.%u ino %llu", (long long)
		    sx.stx_ctime.tv_sec, sx.stx_ctime.tv_nsec,
		    (unsigned long long)sx.stx_ino);
	print_xattrs(p, path);
	print_content(p, path, &sx);
	fputc('\n', p->out);
}

static int
name_cmp(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

/* A listing and a look at the entry must agree. */
static void
names_number(struct merge *m, const char *path, const struct merge_dirent *de)
{
	struct statx	 sx;
	char		 below[4096];

	if (strcmp(de->name, ".") == 0 || strcmp(de->name, "..") == 0)
		return;
	snprintf(below, sizeof(below), "%s/%s", path, de->name);
	if (merge_stat(m, below, AT_SYMLINK_NOFOLLOW, &sx) == 0 &&
	    (sx.stx_ino != de->ino || IFTODT(sx.stx_mode) != de->type)) {
		errno = ESTALE;
		die(below);
	}
}

/* Names and types of a directory; the number, or -1. */
int
tree_names(struct merge *m, const char *path, char **names, int max)
{
	struct merge_dir	*md;
	struct merge_dirent	 mde;
	struct dirent		*de;
	DIR			*dir;
	uint64_t		 cookie = 0;
	int			 n = 0;

	if (m != NULL) {
		if ((md = merge_opendir(m, path)) == NULL)
			return (-1);
		while (n < max && merge_readdir(md, &cookie, &mde) == 1) {
			names_number(m, path, &mde);
			if (asprintf(&names[n++], "%s%c%d", mde.name, 1,
			    mde.type) == -1)
				die("asprintf");
		}
		merge_closedir(md);
	} else {
		if ((dir = opendir(path)) == NULL)
			return (-1);
		while (n < max && (de = readdir(dir)) != NULL)
			if (asprintf(&names[n++], "%s%c%d", de->d_name, 1,
			    de->d_type) == -1)
				die("asprintf");
		closedir(dir);
	}
	qsort(names, n, sizeof(*names), name_cmp);
	return (n);
}

static void
print_tree(struct print *p, const char *path)
{
	char	*names[128], *sep, below[4096];
	int	 i, n;

	print_one(p, path);
	if ((n = tree_names(p->merge, path, names, 128)) == -1) {
		if (errno != ENOTDIR)
			fprintf(p->out, "%s: list:%d\n", path, errno);
		return;
	}
	for (i = 0; i < n; i++) {
		sep = strchr(names[i], 1);
		*sep = '\0';
		if (strcmp(names[i], ".") != 0 && strcmp(names[i], "..") != 0) {
			snprintf(below, sizeof(below), "%s/%s", path,
			    names[i]);
			if (atoi(sep + 1) == DT_DIR)
				print_tree(p, below);
			else
				print_one(p, below);
		}
		free(names[i]);
	}
}

char *
view_text(struct merge *m, int how)
{
	struct print	*p;
	char		*text = NULL;
	size_t		 size;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->out = open_memstream(&text, &size)) == NULL)
		die("open_memstream");
	p->merge = m;
	p->how = how;
	print_tree(p, ".");
	fclose(p->out);
	free(p);
	return (text);
}
