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
 * Trees for the tests of branches.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/capability.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atf-c.h>

#include "rmtree.h"
#include "tree.h"

struct text {
	FILE	*f;
	/* The links seen: inode and the path of the first. */
	struct link {
		dev_t	 dev;
		ino_t	 ino;
		char	*path;
	}	*links;
	size_t	 nlinks;
};

static void
proc_name(int at, const char *name, char path[512])
{
	snprintf(path, 512, "/proc/self/fd/%d%s%s", at,
	    *name == '\0' ? "" : "/", name);
}

static int
whiteout(const struct stat *st)
{
	return (S_ISCHR(st->st_mode) && st->st_rdev == 0);
}

/* Open at any price; the mode is put back by the caller through *st. */
static int
force_open(int at, const char *name, const struct stat *st, int flags)
{
	int	 fd;

	if ((fd = openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC)) != -1)
		return (fd);
	ATF_REQUIRE_MSG(errno == EACCES, "%s: %s", name, strerror(errno));
	ATF_REQUIRE(fchmodat(at, name, (st->st_mode & 07777) | 0700, 0) == 0);
	ATF_REQUIRE((fd = openat(at, name, flags | O_NOFOLLOW |
	    O_CLOEXEC)) != -1);
	return (fd);
}

static void
force_close(int fd, const struct stat *st)
{
	struct stat	 now;

	ATF_REQUIRE(fstat(fd, &now) == 0);
	if (now.st_mode != st->st_mode)
		ATF_REQUIRE(fchmod(fd, st->st_mode & 07777) == 0);
	close(fd);
}

static void
text_bytes(struct text *t, int fd, off_t size)
{
	unsigned char		 buf[4096];
	unsigned long long	 sum = 14695981039346656037ULL;
	off_t			 pos = 0;
	ssize_t			 n, i;

	/* Holes count by where they are. */
	while ((pos = lseek(fd, pos, SEEK_DATA)) != -1 && pos < size) {
		if ((n = pread(fd, buf, sizeof(buf), pos)) <= 0)
			break;
		for (i = 0; i < n; i++)
			if (buf[i] != 0)
				sum = (sum ^ buf[i] ^ (pos + i)) *
				    1099511628211ULL;
		pos += n;
	}
	fprintf(t->f, " sum %llx", sum);
}

static int
string_compare(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

static void
text_xattrs(struct text *t, int at, const char *name)
{
	char	 path[512], list[4096], value[4096], *names[64], *s;
	ssize_t	 len, i, n = 0, j;

	proc_name(at, name, path);
	if ((len = llistxattr(path, list, sizeof(list))) <= 0)
		return;
	for (s = list; s < list + len; s += strlen(s) + 1)
		if (strncmp(s, "user.overlay.", 13) != 0 &&
		    strncmp(s, "security.", 9) != 0)
			names[n++] = s;
	qsort(names, n, sizeof(*names), string_compare);
	for (i = 0; i < n; i++) {
		len = lgetxattr(path, names[i], value, sizeof(value));
		fprintf(t->f, " %s=%zd:", names[i], len);
		for (j = 0; j < len; j++)
			fprintf(t->f, "%02x", (unsigned char)value[j]);
	}
}

/* Other links may lie elsewhere: only the second one in here counts. */
static void
text_links(struct text *t, const struct stat *st, const char *path)
{
	size_t	 i;

	if (S_ISDIR(st->st_mode) || st->st_nlink == 1)
		return;
	for (i = 0; i < t->nlinks; i++)
		if (t->links[i].dev == st->st_dev &&
		    t->links[i].ino == st->st_ino)
			break;
	if (i < t->nlinks) {
		fprintf(t->f, " link %s", t->links[i].path);
		return;
	}
	t->links = reallocarray(t->links, ++t->nlinks, sizeof(*t->links));
	t->links[i].dev = st->st_dev;
	t->links[i].ino = st->st_ino;
	t->links[i].path = strdup(path);
}

static void
text_object(struct text *t, int at, const char *name, const char *path,
    const struct stat *st)
{
	char	 target[4096];
	ssize_t	 n;
	int	 fd;

	fprintf(t->f, "%s %o %u %u %lld.%09ld", *path == '\0' ? "." : path,
	    st->st_mode, st->st_uid, st->st_gid,
	    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (!S_ISDIR(st->st_mode))
		fprintf(t->f, " size %lld", (long long)st->st_size);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		fprintf(t->f, " dev %llx", (unsigned long long)st->st_rdev);
	if (S_ISLNK(st->st_mode)) {
		ATF_REQUIRE((n = readlinkat(at, name, target,
		    sizeof(target))) != -1);
		fprintf(t->f, " -> %.*s", (int)n, target);
	}
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) {
		fd = force_open(at, *name == '\0' ? "." : name, st,
		    O_RDONLY | O_NONBLOCK);
		if (S_ISREG(st->st_mode))
			text_bytes(t, fd, st->st_size);
		text_xattrs(t, fd, "");
		force_close(fd, st);
	} else
		text_xattrs(t, at, name);
	text_links(t, st, path);
	fprintf(t->f, "\n");
}

static char **
names_read(int fd, size_t *n)
{
	struct dirent	*de;
	DIR		*d;
	char		**names = NULL;
	int		 dup;

	*n = 0;
	ATF_REQUIRE((dup = openat(fd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) != -1);
	ATF_REQUIRE((d = fdopendir(dup)) != NULL);
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		names = reallocarray(names, *n + 1, sizeof(*names));
		names[(*n)++] = strdup(de->d_name);
	}
	closedir(d);
	if (*n > 0)
		qsort(names, *n, sizeof(*names), string_compare);
	return (names);
}

static int
is_opaque(int fd)
{
	char	 path[512], value;

	proc_name(fd, "", path);
	return (getxattr(path, "user.overlay.opaque", &value, 1) == 1 &&
	    value == 'y');
}

static void	 text_dir(struct text *, int, int, const char *);

/* One name; either descriptor may be -1. */
static void
text_name(struct text *t, int lower, int upper, const char *name,
    const char *path)
{
	struct stat	 sl, su;
	int		 l, u, fl = -1, fu = -1;

	l = lower != -1 && fstatat(lower, name, &sl, AT_SYMLINK_NOFOLLOW) == 0;
	u = upper != -1 && fstatat(upper, name, &su, AT_SYMLINK_NOFOLLOW) == 0;
	if (u && whiteout(&su))
		return;
	text_object(t, u ? upper : lower, name, path, u ? &su : &sl);
	if (u ? !S_ISDIR(su.st_mode) : !S_ISDIR(sl.st_mode))
		return;
	if (u)
		fu = force_open(upper, name, &su, O_RDONLY | O_DIRECTORY);
	if (l && S_ISDIR(sl.st_mode) && !(u && is_opaque(fu)))
		fl = force_open(lower, name, &sl, O_RDONLY | O_DIRECTORY);
	text_dir(t, fl, fu, path);
	if (fl != -1)
		force_close(fl, &sl);
	if (fu != -1)
		force_close(fu, &su);
}

static void
text_dir(struct text *t, int lower, int upper, const char *path)
{
	char	**nl = NULL, **nu = NULL, *below;
	size_t	 l = 0, u = 0, i = 0, j = 0;
	int	 c;

	if (lower != -1)
		nl = names_read(lower, &l);
	if (upper != -1)
		nu = names_read(upper, &u);
	while (i < l || j < u) {
		c = i == l ? 1 : j == u ? -1 : strcmp(nl[i], nu[j]);
		ATF_REQUIRE(asprintf(&below, "%s%s%s", path,
		    *path == '\0' ? "" : "/", c <= 0 ? nl[i] : nu[j]) != -1);
		text_name(t, lower, upper, c <= 0 ? nl[i] : nu[j], below);
		free(below);
		if (c <= 0)
			free(nl[i++]);
		if (c >= 0)
			free(nu[j++]);
	}
	free(nl);
	free(nu);
}

char *
tree_merged(int lower, int upper)
{
	struct text	 t;
	struct stat	 st;
	char		*buf = NULL;
	size_t		 size;

	memset(&t, 0, sizeof(t));
	ATF_REQUIRE((t.f = open_memstream(&buf, &size)) != NULL);
	ATF_REQUIRE(fstat(upper == -1 ? lower : upper, &st) == 0);
	text_object(&t, upper == -1 ? lower : upper, "", "", &st);
	text_dir(&t, lower, upper, "");
	fclose(t.f);
	while (t.nlinks > 0)
		free(t.links[--t.nlinks].path);
	free(t.links);
	return (buf);
}

char *
tree_text(int dir)
{
	return (tree_merged(dir, -1));
}

void
tree_check_same(char *a, char *b, const char *file, int line)
{
	char	 la[512], lb[512], *pa = a, *pb = b;
	size_t	 na, nb;

	while (*pa != '\0' || *pb != '\0') {
		na = strcspn(pa, "\n");
		nb = strcspn(pb, "\n");
		if (na != nb || memcmp(pa, pb, na) != 0)
			break;
		pa += na + (pa[na] == '\n');
		pb += nb + (pb[nb] == '\n');
	}
	if (*pa != '\0' || *pb != '\0') {
		snprintf(la, sizeof(la), "%.*s", (int)strcspn(pa, "\n"), pa);
		snprintf(lb, sizeof(lb), "%.*s", (int)strcspn(pb, "\n"), pb);
		atf_tc_fail("%s:%d: trees differ:\n  have %s\n  want %s",
		    file, line, la, lb);
	}
	free(a);
	free(b);
}

void
tree_write(int at, const char *name, const char *bytes)
{
	int	 fd;

	ATF_REQUIRE_MSG((fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0644)) != -1, "%s: %s", name, strerror(errno));
	ATF_REQUIRE(write(fd, bytes, strlen(bytes)) ==
	    (ssize_t)strlen(bytes));
	close(fd);
}

void
put_file(int at, const char *name, const char *bytes, mode_t mode)
{
	tree_write(at, name, bytes);
	put_mode(at, name, mode);
}

void
put_mode(int at, const char *name, mode_t mode)
{
	ATF_REQUIRE_MSG(fchmodat(at, name, mode, 0) == 0, "%s: %s", name,
	    strerror(errno));
}

void
put_dir(int at, const char *name, mode_t mode)
{
	ATF_REQUIRE_MSG(mkdirat(at, name, 0700) == 0, "%s: %s", name,
	    strerror(errno));
	put_mode(at, name, mode);
}

void
put_whiteout(int at, const char *name)
{
	ATF_REQUIRE_MSG(mknodat(at, name, S_IFCHR, makedev(0, 0)) == 0,
	    "%s: %s", name, strerror(errno));
}

void
put_xattr(int at, const char *name, const char *xattr, const char *value,
    size_t len)
{
	struct stat	 st;
	char		 path[512];

	proc_name(at, name, path);
	ATF_REQUIRE(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
	put_mode(at, name, (st.st_mode & 07777) | 0600);
	ATF_REQUIRE_MSG(lsetxattr(path, xattr, value, len, 0) == 0,
	    "%s: %s: %s", name, xattr, strerror(errno));
	put_mode(at, name, st.st_mode & 07777);
}

void
put_origin(int at, const char *name)
{
	put_xattr(at, name, "user.overlay.origin", "", 0);
}

void
put_opaque(int at, const char *name)
{
	put_xattr(at, name, "user.overlay.opaque", "y", 1);
}

void
put_times(int at, const char *name, int i)
{
	struct timespec	 ts[2];

	ts[0].tv_sec = 900000000 + i;
	ts[0].tv_nsec = 111111111 + i;
	ts[1].tv_sec = 800000000 + i;
	ts[1].tv_nsec = 123456789 + i;
	ATF_REQUIRE_MSG(utimensat(at, name, ts, AT_SYMLINK_NOFOLLOW) == 0,
	    "%s: %s", name, strerror(errno));
}

int
dir_open(int at, const char *name)
{
	int	 fd;

	ATF_REQUIRE_MSG((fd = openat(at, name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) != -1, "%s: %s", name, strerror(errno));
	return (fd);
}

void
fixture_make(struct fixture *f, const char *storage)
{
	int	 fd;

	memset(f, 0, sizeof(*f));
	f->storage = storage;
	f->b.id = "test";
	put_dir(AT_FDCWD, "lower", 0755);
	if (mkdir(storage, 0700) == -1)
		ATF_REQUIRE_EQ(errno, EEXIST);
	fd = dir_open(AT_FDCWD, storage);
	put_dir(fd, "branch", 0700);
	f->b.lower = dir_open(AT_FDCWD, "lower");
	f->b.dir = dir_open(fd, "branch");
	put_dir(f->b.dir, "upper", 0755);
	put_dir(f->b.dir, "work", 0700);
	f->b.upper = dir_open(f->b.dir, "upper");
	close(fd);
}

/* The clock of the file system is coarse: wait until it has moved on. */
void
fixture_start(struct fixture *f)
{
	struct timespec	 pause = { 0, 1000000 };
	struct stat	 st;
	int		 fd, round;

	for (round = 0; round < 2;) {
		ATF_REQUIRE((fd = open(".", O_RDWR | O_TMPFILE | O_CLOEXEC,
		    0600)) != -1);
		ATF_REQUIRE(fstat(fd, &st) == 0);
		close(fd);
		if (round == 0 || st.st_ctim.tv_sec != f->b.start.tv_sec ||
		    st.st_ctim.tv_nsec != f->b.start.tv_nsec) {
			if (round++ == 0)
				f->b.start = st.st_ctim;
		} else
			nanosleep(&pause, NULL);
	}
}

void
fixture_remove(struct fixture *f)
{
	int	 fd;

	free(f->old);
	close(f->b.lower);
	close(f->b.dir);
	close(f->b.upper);
	ATF_REQUIRE(rmtree(AT_FDCWD, "lower") == 0);
	fd = dir_open(AT_FDCWD, f->storage);
	ATF_REQUIRE(rmtree(fd, "branch") == 0);
	close(fd);
}

/* user::rw-, user:UID:r--, group::r--, mask::r--, other::--- */
static void
put_acl(int at, const char *name, const char *xattr)
{
	/* A user that exists in every namespace. */
	const uid_t		 uid = geteuid();
	const unsigned char	 acl[] = {
		2, 0, 0, 0,
		1, 0, 6, 0, 255, 255, 255, 255,
		2, 0, 4, 0, uid & 255, uid >> 8 & 255, 0, 0,
		4, 0, 4, 0, 255, 255, 255, 255,
		16, 0, 4, 0, 255, 255, 255, 255,
		32, 0, 0, 0, 255, 255, 255, 255
	};

	put_xattr(at, name, xattr, (const void *)acl, sizeof(acl));
}

static void
put_socket(int at, const char *name)
{
	ATF_REQUIRE(mknodat(at, name, S_IFSOCK | 0640, 0) == 0);
}

static void
put_sparse(int at, const char *name, off_t size)
{
	int	 fd;

	ATF_REQUIRE((fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC,
	    0644)) != -1);
	ATF_REQUIRE(pwrite(fd, "begin", 5, 100000) == 5);
	ATF_REQUIRE(ftruncate(fd, size) == 0);
	close(fd);
}

static void
full_lower(int l)
{
	int	 d, e;

	put_file(l, "keep", "keep", 0644);
	put_file(l, "mod", "old", 0644);
	put_file(l, "copied", "copied", 0640);
	put_file(l, "gone", "renamed in the branch", 0644);
	put_file(l, "m000", "closed", 0);
	put_file(l, "f2d", "file", 0600);
	put_file(l, "hard1", "hard", 0644);
	ATF_REQUIRE(linkat(l, "hard1", l, "hard2", 0) == 0);
	ATF_REQUIRE(linkat(l, "hard1", l, "hard3", 0) == 0);
	ATF_REQUIRE(symlinkat("old", l, "link") == 0);
	put_dir(l, "deldir", 0755);
	d = dir_open(l, "deldir");
	put_file(d, "x", "x", 0400);
	put_dir(d, "sub", 0755);
	e = dir_open(d, "sub");
	put_file(e, "y", "y", 0644);
	close(e);
	put_mode(d, "sub", 0555);
	put_times(d, "sub", 1);
	close(d);
	put_mode(l, "deldir", 0555);
	put_times(l, "deldir", 2);
	put_dir(l, "d2f", 0755);
	d = dir_open(l, "d2f");
	put_file(d, "a", "a", 0644);
	close(d);
	put_mode(l, "d2f", 0555);
	put_dir(l, "d2l", 0755);
	d = dir_open(l, "d2l");
	put_file(d, "a", "a", 0644);
	close(d);
	put_dir(l, "opaque", 0750);
	d = dir_open(l, "opaque");
	put_file(d, "both", "old", 0644);
	put_file(d, "hidden", "old", 0644);
	close(d);
	put_dir(l, "merged", 0755);
	d = dir_open(l, "merged");
	put_file(d, "keep", "keep", 0644);
	put_file(d, "mod", "old", 0644);
	put_file(d, "del", "del", 0644);
	put_dir(d, "deep", 0711);
	e = dir_open(d, "deep");
	put_file(e, "mod", "old", 0644);
	put_times(e, "mod", 3);
	close(e);
	put_times(d, "deep", 4);
	put_xattr(l, "merged", "user.a", "old", 3);
	put_xattr(l, "merged", "user.gone", "x", 1);
	close(d);
	put_times(l, "merged", 5);
	put_dir(l, "ro", 0755);
	d = dir_open(l, "ro");
	put_file(d, "mod", "old", 0444);
	put_file(d, "del", "old", 0444);
	close(d);
	put_mode(l, "ro", 0555);
	put_times(l, "ro", 6);
	put_dir(l, "closed", 0700);
	d = dir_open(l, "closed");
	put_file(d, "mod", "old", 0);
	put_file(d, "keep", "old", 0);
	close(d);
	put_mode(l, "closed", 0);
	put_times(l, "closed", 7);
	put_times(l, ".", 8);
}

/* A new directory that holds what overlayfs may leave in one. */
static void
full_new(int u)
{
	int	 d, e;

	put_dir(u, "newdir", 0755);
	d = dir_open(u, "newdir");
	put_file(d, "plain", "plain", 0644);
	put_file(d, "copy", "y", 0444);
	put_origin(d, "copy");
	put_times(d, "copy", 31);
	put_whiteout(d, "nothing");
	ATF_REQUIRE(linkat(u, "new", d, "link", 0) == 0);
	put_dir(d, "closed", 0700);
	e = dir_open(d, "closed");
	put_file(e, "f", "f", 0);
	put_whiteout(e, "nothing");
	close(e);
	put_opaque(d, "closed");
	put_mode(d, "closed", 0);
	put_times(d, "closed", 32);
	put_dir(d, "ro", 0755);
	e = dir_open(d, "ro");
	put_file(e, "f", "f", 0400);
	ATF_REQUIRE(symlinkat("/etc/passwd", e, "out") == 0);
	close(e);
	put_mode(d, "ro", 0555);
	close(d);
	put_xattr(u, "newdir", "user.overlay.impure", "y", 1);
	put_mode(u, "newdir", 0555);
	put_times(u, "newdir", 33);
}

static void
full_upper(int u)
{
	int	 d, e;

	put_file(u, "mod", "new content", 0600);
	put_origin(u, "mod");
	put_times(u, "mod", 10);
	put_file(u, "copied", "copied", 0444);
	put_origin(u, "copied");
	put_whiteout(u, "gone");
	put_file(u, "here", "renamed in the branch", 0444);
	put_origin(u, "here");
	put_file(u, "m000", "closed and new", 0);
	put_whiteout(u, "never");
	put_file(u, "hard1", "hard and new", 0644);
	put_origin(u, "hard1");
	put_whiteout(u, "hard3");
	ATF_REQUIRE(symlinkat("../../new", u, "link") == 0);
	put_times(u, "link", 11);
	put_file(u, "new", "new", 06755);
	ATF_REQUIRE(linkat(u, "new", u, "new2", 0) == 0);
	put_xattr(u, "new", "user.x", "\0\1", 2);
	put_times(u, "new", 12);
	ATF_REQUIRE(mkfifoat(u, "fifo", 0640) == 0);
	put_times(u, "fifo", 13);
	put_socket(u, "socket");
	put_sparse(u, "sparse", 1 << 30);
	put_file(u, "acl", "acl", 0640);
	put_acl(u, "acl", "system.posix_acl_access");
	put_file(u, "odd\n\377\033", "odd", 0644);
	full_new(u);
	put_dir(u, "f2d", 0711);
	d = dir_open(u, "f2d");
	put_file(d, "in", "in", 0644);
	close(d);
	put_opaque(u, "f2d");
	put_file(u, "d2f", "now a file", 0644);
	ATF_REQUIRE(symlinkat("/", u, "d2l") == 0);
	put_whiteout(u, "deldir");
	put_dir(u, "opaque", 0755);
	d = dir_open(u, "opaque");
	put_file(d, "both", "new", 0644);
	put_file(d, "added", "new", 0644);
	put_dir(d, "sub", 0755);
	close(d);
	put_opaque(u, "opaque");
	put_mode(u, "opaque", 0555);
	put_times(u, "opaque", 14);
	put_dir(u, "merged", 0770);
	d = dir_open(u, "merged");
	put_file(d, "mod", "new", 0644);
	put_whiteout(d, "del");
	put_dir(d, "deep", 0711);
	e = dir_open(d, "deep");
	put_file(e, "mod", "new", 0644);
	put_file(e, "add", "new", 0644);
	close(e);
	put_origin(d, "deep");
	put_times(d, "deep", 15);
	close(d);
	put_origin(u, "merged");
	put_xattr(u, "merged", "user.a", "new", 3);
	put_acl(u, "merged", "system.posix_acl_default");
	put_times(u, "merged", 16);
	put_dir(u, "ro", 0755);
	d = dir_open(u, "ro");
	put_file(d, "mod", "new", 0444);
	put_origin(d, "mod");
	put_whiteout(d, "del");
	close(d);
	put_origin(u, "ro");
	put_mode(u, "ro", 0555);
	put_times(u, "ro", 17);
	put_dir(u, "closed", 0700);
	d = dir_open(u, "closed");
	put_file(d, "mod", "new", 0);
	put_file(d, "add", "new", 0);
	close(d);
	put_origin(u, "closed");
	put_mode(u, "closed", 0);
	put_times(u, "closed", 18);
	put_times(u, ".", 19);
}

void
fixture_full(struct fixture *f, const char *storage)
{
	fixture_make(f, storage);
	full_lower(f->b.lower);
	/* Reading what is closed changes its ctime: not after the start. */
	f->old = tree_text(f->b.lower);
	fixture_start(f);
	full_upper(f->b.upper);
}

void
drop_capabilities(void)
{
	struct __user_cap_header_struct	 header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct	 data[2];

	memset(data, 0, sizeof(data));
	if (syscall(SYS_capset, &header, data) == -1)
		_exit(255);
}

int
in_child(int (*body)(void *), void *arg)
{
	pid_t	 pid;
	int	 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		drop_capabilities();
		_exit(body(arg));
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return (-1);
	ATF_REQUIRE_MSG(WIFEXITED(status), "status %#x", status);
	return (WEXITSTATUS(status));
}

/* Shared with the children. */
static struct outcome	*outcome;

static void
outcome_conflict(enum branch_conflict what, const char *path, void *arg)
{
	struct outcome	*o = arg;
	size_t		 len = strlen(o->conflicts);

	snprintf(o->conflicts + len, sizeof(o->conflicts) - len, "%c %s\n",
	    "CRA"[what], path);
}

static void
outcome_error(struct outcome *o, struct branch_error *err)
{
	o->error = err->error;
	snprintf(o->what, sizeof(o->what), "%s", err->what);
	snprintf(o->path, sizeof(o->path), "%s",
	    err->path == NULL ? "" : err->path);
	branch_error_clear(err);
}

static int
child_commit(void *arg)
{
	struct branch_counts	 counts;
	struct branch_error	 err;

	memset(&err, 0, sizeof(err));
	outcome->result = branch_commit(arg, outcome_conflict, outcome,
	    &counts, &err);
	outcome_error(outcome, &err);
	return (0);
}

static int
child_recover(void *arg)
{
	struct branch_error	 err;

	memset(&err, 0, sizeof(err));
	outcome->result = branch_recover(arg, &err);
	outcome_error(outcome, &err);
	return (0);
}

static struct outcome *
outcome_of(int (*body)(void *), const struct branch *b)
{
	struct branch	 copy = *b;

	if (outcome == NULL)
		ATF_REQUIRE((outcome = mmap(NULL, sizeof(*outcome),
		    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0)) != MAP_FAILED);
	memset(outcome, 0, sizeof(*outcome));
	outcome->result = (enum branch_result)-1;
	in_child(body, &copy);
	return (outcome);
}

struct outcome *
run_commit(const struct branch *b)
{
	return (outcome_of(child_commit, b));
}

struct outcome *
run_recover(const struct branch *b)
{
	return (outcome_of(child_recover, b));
}

static int
proc_write(const char *path, const char *text)
{
	int	 fd, ret;

	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return (-1);
	ret = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return (ret);
}

/* Mounts of one's own, which an ordinary user needs a namespace for. */
int
mounts_own(void)
{
	char	 uids[64], gids[64];
	uid_t	 uid = geteuid();
	gid_t	 gid = getegid();

	if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) ==
	    -1)
		return (-1);
	if (uid != 0) {
		snprintf(uids, sizeof(uids), "%u %u 1", uid, uid);
		snprintf(gids, sizeof(gids), "%u %u 1", gid, gid);
		if (proc_write("/proc/self/setgroups", "deny") == -1 ||
		    proc_write("/proc/self/uid_map", uids) == -1 ||
		    proc_write("/proc/self/gid_map", gids) == -1)
			return (-1);
	}
	return (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

int
tmpfs_mount(const char *path)
{
	if (mkdir(path, 0700) == -1 || mounts_own() == -1)
		return (-1);
	return (mount("none", path, "tmpfs", 0, "mode=0700"));
}

void
tmpfs_enter(void)
{
	if (tmpfs_mount("scratch") == 0)
		ATF_REQUIRE(chdir("scratch") == 0);
}
