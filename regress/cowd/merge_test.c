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
 * The merged view of a working directory and its branch.
 */

#include <sys/types.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge.h"
#include "merge_diff.h"
#include "merge_tree.h"
#include "rmtree.h"

#include <atf-c.h>

static int
directory(const char *path)
{
	int	 fd;

	ATF_REQUIRE_MSG((fd = open(path, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) != -1, "%s: %s", path, strerror(errno));
	return (fd);
}

static void
branch_make(const char *path)
{
	int	 fd;

	ATF_REQUIRE(mkdir(path, 0700) == 0);
	fd = directory(path);
	ATF_REQUIRE(mkdirat(fd, "upper", 0700) == 0);
	ATF_REQUIRE(mkdirat(fd, "work", 0700) == 0);
	close(fd);
}

/* The branch over "lower", which the working directory has. */
static void
branch_use(struct merge *m, const char *path)
{
	int	 lower, branch;

	lower = directory("lower");
	branch = directory(path);
	ATF_REQUIRE_MSG(merge_init(m, lower, branch) == 0, "%s",
	    strerror(errno));
	close(lower);
	close(branch);
}

static void
box(struct merge *m)
{
	umask(022);
	tree_put("lower", 0);
	branch_make("branch");
	branch_use(m, "branch");
}

/* Open, and what can be read from the start; the caller closes. */
static int
opened(struct merge *m, const char *path, int flags, const char *text)
{
	char	 buf[128];
	ssize_t	 n;
	int	 fd, wait;

	ATF_REQUIRE_MSG((fd = merge_open(m, path, flags, 0644, 022,
	    &wait)) != -1, "%s: %s", path, strerror(errno));
	ATF_CHECK_EQ(wait, 0);
	if (text != NULL) {
		ATF_REQUIRE((n = read(fd, buf, sizeof(buf) - 1)) != -1);
		buf[n] = '\0';
		ATF_CHECK_STREQ(buf, text);
	}
	return (fd);
}

static void
reads(struct merge *m, const char *path, const char *text)
{
	close(opened(m, path, O_RDONLY, text));
}

static void
writes(struct merge *m, const char *path, int flags, const char *text)
{
	int	 fd;

	fd = opened(m, path, O_WRONLY | flags, NULL);
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static int
exists(const char *path)
{
	struct stat	 st;

	return (lstat(path, &st) == 0);
}

static unsigned int
links(struct merge *m, const char *path)
{
	struct statx	 sx;

	ATF_REQUIRE(merge_stat(m, path, AT_SYMLINK_NOFOLLOW, &sx) == 0);
	return (sx.stx_nlink);
}

static uint64_t
number(struct merge *m, const char *path)
{
	struct statx	 sx;

	ATF_REQUIRE(merge_stat(m, path, AT_SYMLINK_NOFOLLOW, &sx) == 0);
	return (sx.stx_ino);
}

ATF_TC_WITHOUT_HEAD(reading_copies_nothing);
ATF_TC_BODY(reading_copies_nothing, tc)
{
	struct merge	 m;
	struct stat	 a, b;
	int		 fd;

	box(&m);
	fd = opened(&m, "a/f", O_RDONLY, "hello");
	ATF_REQUIRE(fstat(fd, &a) == 0 && stat("lower/a/f", &b) == 0);
	ATF_CHECK_EQ(a.st_ino, b.st_ino);
	close(fd);
	ATF_CHECK(!exists("branch/upper/a"));
	ATF_CHECK_ERRNO(ENOENT, merge_unlink(&m, "a/none") == -1);
	ATF_CHECK_ERRNO(ENOTEMPTY, merge_rmdir(&m, "a") == -1);
	ATF_CHECK(!exists("branch/upper/a"));

	writes(&m, "a/f", 0, "J");
	reads(&m, "a/f", "Jello");
	ATF_CHECK(exists("branch/upper/a/f"));
	ATF_CHECK(!exists("branch/upper/a/g"));
	ATF_CHECK_EQ(getxattr("branch/upper/a/f", "user.overlay.origin", NULL,
	    0), 0);
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(outside);
ATF_TC_BODY(outside, tc)
{
	struct merge		 m;
	struct merge_entry	 e;

	box(&m);
	ATF_CHECK_ERRNO(MERGE_OUTSIDE, merge_lookup(&m, "c/z/more", 0,
	    &e) == -1);
	ATF_CHECK_STREQ(m.outside, "/nowhere/more");
	ATF_CHECK_EQ(m.nlinks, 1);
	ATF_CHECK_ERRNO(MERGE_OUTSIDE, merge_lookup(&m, "a/../../x//y", 0,
	    &e) == -1);
	ATF_CHECK_STREQ(m.outside, "../x//y");
	ATF_CHECK_ERRNO(MERGE_OUTSIDE, merge_lookup(&m, "/etc", 0, &e) == -1);
	ATF_CHECK_STREQ(m.outside, "/etc");
	ATF_CHECK_ERRNO(ELOOP, merge_lookup(&m, "l", 0, &e) == -1);
	ATF_CHECK_ERRNO(ENOENT, merge_lookup(&m, "", 0, &e) == -1);

	/* The link itself is inside. */
	ATF_REQUIRE(merge_lookup(&m, "c/z", AT_SYMLINK_NOFOLLOW, &e) == 0);
	ATF_CHECK(S_ISLNK(e.sx.stx_mode));
	ATF_CHECK(!e.upper);
	ATF_CHECK_STREQ(e.parent, "c");
	ATF_CHECK_STREQ(e.name, "z");
	merge_entry_free(&e);
	ATF_REQUIRE(merge_lookup(&m, "c/l/m/../sub/d/.", 0, &e) == 0);
	ATF_CHECK_STREQ(e.parent, "a/sub");
	ATF_CHECK_STREQ(e.name, "d");
	merge_entry_free(&e);
	ATF_REQUIRE(merge_lookup(&m, "n", MERGE_MISSING, &e) == 0);
	ATF_CHECK_EQ(e.fd, -1);
	ATF_CHECK_STREQ(e.parent, "a");
	ATF_CHECK_STREQ(e.name, "new");
	merge_entry_free(&e);
	ATF_CHECK_ERRNO(ENOENT, merge_lookup(&m, "n", 0, &e) == -1);
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(links_in_lower_swapped);
ATF_TC_BODY(links_in_lower_swapped, tc)
{
	struct merge	 m;
	int		 wait;

	box(&m);
	ATF_REQUIRE(mkdir("secret", 0755) == 0);
	ATF_REQUIRE(rename("lower/a", "lower/was") == 0);
	ATF_REQUIRE(symlink("../secret", "lower/a") == 0);
	ATF_CHECK_ERRNO(MERGE_OUTSIDE, merge_open(&m, "a/f",
	    O_WRONLY | O_CREAT, 0644, 022, &wait) == -1);
	ATF_CHECK(!exists("secret/f"));
	/* Upper had it as a directory before. */
	ATF_REQUIRE(mkdir("branch/upper/a", 0755) == 0);
	ATF_REQUIRE(merge_mkdir(&m, "a/d", 0755, 022) == 0);
	ATF_CHECK(!exists("secret/d"));
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(fifo);
ATF_TC_BODY(fifo, tc)
{
	struct merge	 m;
	int		 fd, wait;

	box(&m);
	ATF_REQUIRE((fd = merge_open(&m, "b/p", O_RDONLY, 0, 0, &wait)) != -1);
	ATF_CHECK_EQ(wait, 1);
	ATF_CHECK((fcntl(fd, F_GETFL) & O_PATH) != 0);
	close(fd);
	ATF_CHECK_ERRNO(ENXIO, merge_open(&m, "b/p", O_WRONLY | O_NONBLOCK, 0,
	    0, &wait) == -1);
	ATF_REQUIRE((fd = merge_open(&m, "b/p", O_RDONLY | O_NONBLOCK, 0, 0,
	    &wait)) != -1);
	ATF_CHECK_EQ(wait, 0);
	writes(&m, "b/p", O_NONBLOCK, "x");
	close(fd);
	/* Lower's own has nobody at either end. */
	ATF_CHECK(exists("branch/upper/b/p"));
	ATF_CHECK_ERRNO(ENXIO, open("lower/b/p", O_WRONLY | O_NONBLOCK) == -1);
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(devices);
ATF_TC_BODY(devices, tc)
{
	struct merge	 m;

	box(&m);
	/* It would be a whiteout. */
	ATF_CHECK_ERRNO(EPERM, merge_mknod(&m, "a/new", S_IFCHR | 0600,
	    022) == -1);
	ATF_CHECK_ERRNO(EPERM, merge_mknod(&m, "a/new", S_IFBLK | 0600,
	    022) == -1);
	ATF_CHECK(merge_mknod(&m, "a/new", S_IFIFO | 0600, 022) == 0);
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(hard_links);
ATF_TC_BODY(hard_links, tc)
{
	struct merge	 m, other;
	int		 lower, branch;

	box(&m);
	ATF_CHECK_EQ(links(&m, "a/h"), 3);
	writes(&m, "b/f", 0, "L");
	reads(&m, "a/h", "Linked");
	ATF_CHECK_EQ(number(&m, "a/h"), number(&m, "b/g"));
	ATF_CHECK_EQ(links(&m, "a/h"), 3);
	/* A name that is not in upper is written by. */
	writes(&m, "a/h", O_APPEND, "!");
	reads(&m, "b/f", "Linked!");
	ATF_CHECK(!exists("branch/upper/a"));

	/* Another process sees it. */
	lower = directory("lower");
	branch = directory("branch");
	ATF_REQUIRE(merge_init_read(&other, lower, branch) == 0);
	reads(&other, "b/g", "Linked!");

	ATF_REQUIRE(merge_unlink(&m, "b/f") == 0);
	ATF_CHECK_EQ(links(&other, "a/h"), 2);
	ATF_REQUIRE(merge_rename(&m, "b/g", "c/new", 0) == 0);
	ATF_REQUIRE(merge_link(&m, "a/h", "b/f", 0) == 0);
	ATF_CHECK_EQ(links(&other, "c/new"), 3);
	ATF_CHECK_EQ(number(&other, "c/new"), number(&other, "b/f"));
	reads(&other, "b/f", "Linked!");
	/* The same inode: nothing happens. */
	ATF_REQUIRE(merge_rename(&m, "a/h", "b/f", 0) == 0);
	ATF_CHECK_EQ(links(&other, "a/h"), 3);
	/* The last name frees the space. */
	ATF_REQUIRE(merge_unlink(&m, "a/h") == 0);
	ATF_REQUIRE(merge_unlink(&m, "b/f") == 0);
	ATF_CHECK_EQ(links(&other, "c/new"), 1);
	ATF_REQUIRE(merge_unlink(&m, "c/new") == 0);
	merge_close(&other);
	merge_close(&m);
	close(lower);
	ATF_REQUIRE(unlinkat(branch, "links/none", 0) == -1);
	close(branch);
	branch = directory("branch/links");
	{
		DIR		*dir;
		struct dirent	*de;

		ATF_REQUIRE((dir = fdopendir(branch)) != NULL);
		while ((de = readdir(dir)) != NULL)
			ATF_CHECK_MSG(de->d_name[0] == '.' ||
			    de->d_name[0] == 'G', "%s", de->d_name);
		closedir(dir);
	}
}

/* What a listing says of a name; 0 when it has none. */
static uint64_t
listed(struct merge *m, const char *dir, const char *name)
{
	struct merge_dir	*d;
	struct merge_dirent	 de;
	uint64_t		 cookie = 0, ino = 0;

	ATF_REQUIRE((d = merge_opendir(m, dir)) != NULL);
	while (merge_readdir(d, &cookie, &de) == 1)
		if (strcmp(de.name, name) == 0)
			ino = de.ino;
	merge_closedir(d);
	return (ino);
}

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	struct merge	 m;
	struct statx	 sx;
	struct stat	 st;
	uint64_t	 file, hard, dir;
	int		 fd;

	box(&m);
	file = number(&m, "a/f");
	hard = number(&m, "a/h");
	dir = number(&m, "a/sub");
	fd = opened(&m, "a/f", O_WRONLY, NULL);
	ATF_REQUIRE(fstat(fd, &st) == 0);
	ATF_CHECK(st.st_ino != file);
	ATF_REQUIRE(merge_describe(&m, fd, &sx) == 0);
	ATF_CHECK_EQ(sx.stx_ino, file);
	ATF_CHECK_EQ(listed(&m, "a", "f"), file);
	/* By a mode that lets nobody read what it is. */
	ATF_REQUIRE(merge_chmod(&m, "a/f", 0, 0) == 0);
	ATF_CHECK_EQ(number(&m, "a/f"), file);
	writes(&m, "b/f", 0, "L");
	ATF_CHECK_EQ(number(&m, "b/f"), hard);
	ATF_CHECK_EQ(number(&m, "a/h"), hard);
	ATF_CHECK_EQ(listed(&m, "b", "f"), hard);
	ATF_CHECK_EQ(listed(&m, "a", "h"), hard);
	/* By a descriptor that has no name of the view, but one it knows. */
	ATF_CHECK_ERRNO(ENOENT, merge_chmod(&m, "", 0, 0611) == -1);
	merge_give(&m, opened(&m, "a/h", O_RDONLY, NULL));
	ATF_CHECK_EQ(merge_chmod(&m, "", 0, 0611), 0);
	ATF_REQUIRE(merge_stat(&m, "b/f", 0, &sx) == 0);
	ATF_CHECK_EQ(sx.stx_mode & 07777, 0611);
	ATF_CHECK_ERRNO(ENOENT, merge_unlink(&m, "") == -1);
	merge_give(&m, opened(&m, "c", O_RDONLY, NULL));
	ATF_CHECK_ERRNO(EXDEV, merge_chmod(&m, "", 0, 0611) == -1);
	merge_give(&m, -1);
	ATF_REQUIRE(merge_mkdir(&m, "a/sub/new", 0755, 022) == 0);
	ATF_CHECK_EQ(number(&m, "a/sub"), dir);
	ATF_CHECK_EQ(listed(&m, "a", "sub"), dir);
	ATF_CHECK_EQ(listed(&m, "a/sub", "."), dir);
	ATF_CHECK_EQ(listed(&m, "a/sub/new", ".."), dir);
	/* Fewer links than directories would tell a program not to look. */
	ATF_CHECK_EQ(links(&m, "a/sub"), 1);
	ATF_CHECK_EQ(links(&m, "a/sub/new"), 2);

	/* Wherever it goes. */
	ATF_REQUIRE(merge_mkdir(&m, "to", 0755, 022) == 0);
	ATF_REQUIRE(merge_rename(&m, "a/f", "to/f", 0) == 0);
	ATF_REQUIRE(merge_mkdir(&m, "to2", 0755, 022) == 0);
	ATF_REQUIRE(merge_rename(&m, "a/sub", "to2/sub", 0) == 0);
	ATF_REQUIRE(merge_mkdir(&m, "to3", 0755, 022) == 0);
	ATF_REQUIRE(merge_link(&m, "a/h", "to3/h", 0) == 0);
	ATF_CHECK_EQ(number(&m, "to/f"), file);
	ATF_CHECK_EQ(listed(&m, "to", "f"), file);
	ATF_CHECK_EQ(number(&m, "to2/sub"), dir);
	ATF_CHECK_EQ(listed(&m, "to2", "sub"), dir);
	ATF_CHECK_EQ(number(&m, "to3/h"), hard);
	ATF_CHECK_EQ(listed(&m, "to3", "h"), hard);

	/* Without a name, too; and what is made at the old one is new. */
	ATF_REQUIRE(merge_unlink(&m, "to/f") == 0);
	ATF_REQUIRE(merge_describe(&m, fd, &sx) == 0);
	ATF_CHECK_EQ(sx.stx_ino, file);
	ATF_CHECK_EQ(sx.stx_nlink, 0);
	writes(&m, "a/f", O_CREAT, "new");
	ATF_CHECK(number(&m, "a/f") != file);
	close(fd);
	merge_close(&m);
}

static void
redirected(const char *path, const char *text)
{
	char	 buf[256];
	ssize_t	 n;

	n = getxattr(path, "user.overlay.redirect", buf, sizeof(buf) - 1);
	ATF_REQUIRE_MSG(n != -1, "%s: %s", path, strerror(errno));
	buf[n] = '\0';
	ATF_CHECK_STREQ(buf, text);
}

ATF_TC_WITHOUT_HEAD(directory_renames);
ATF_TC_BODY(directory_renames, tc)
{
	struct merge	 m;

	box(&m);
	ATF_REQUIRE(merge_rename(&m, "a", "c/moved", 0) == 0);
	redirected("branch/upper/c/moved", "/a");
	/* Nothing was copied but the directory. */
	ATF_CHECK(!exists("branch/upper/c/moved/f"));
	reads(&m, "c/moved/f", "hello");
	ATF_REQUIRE(merge_rename(&m, "c/moved/sub", "b/sub", 0) == 0);
	redirected("branch/upper/b/sub", "/a/sub");
	reads(&m, "b/sub/x", "x");
	ATF_REQUIRE(merge_rename(&m, "b/sub/d", "d", 0) == 0);
	redirected("branch/upper/d", "/a/sub/d");
	reads(&m, "d/f", "deep");
	/* What is made at the old name is new. */
	ATF_REQUIRE(merge_mkdir(&m, "a", 0755, 022) == 0);
	ATF_CHECK_ERRNO(ENOENT, merge_access(&m, "a/f", F_OK, 0) == -1);
	/* And back, over it: it merges as before. */
	ATF_REQUIRE(merge_rename(&m, "c/moved", "a", 0) == 0);
	reads(&m, "a/f", "hello");
	ATF_CHECK_ERRNO(ENOENT, merge_access(&m, "a/sub", F_OK, 0) == -1);
	ATF_CHECK_ERRNO(EINVAL, merge_rename(&m, "a", "a/x", 0) == -1);
	ATF_CHECK_ERRNO(ENOTEMPTY, merge_rename(&m, "a", "b", 0) == -1);
	ATF_REQUIRE(merge_rename(&m, "a", "b", RENAME_EXCHANGE) == 0);
	reads(&m, "a/f", "linked");
	reads(&m, "b/f", "hello");
	ATF_REQUIRE(merge_rename(&m, "b", "a/f", RENAME_EXCHANGE) == 0);
	reads(&m, "a/f/f", "hello");
	reads(&m, "b", "linked");
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(listing);
ATF_TC_BODY(listing, tc)
{
	struct merge		 m;
	struct merge_dir	*d;
	struct merge_dirent	 de;
	char			 name[16];
	uint64_t		 cookie = 0, half = 0;
	int			 i, n;

	box(&m);
	ATF_REQUIRE(merge_unlink(&m, "a/f") == 0);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "a/n%03d", i);
		ATF_REQUIRE(merge_mknod(&m, name, S_IFREG | 0644, 022) == 0);
	}
	ATF_REQUIRE((d = merge_opendir(&m, "a")) != NULL);
	for (n = 0; merge_readdir(d, &cookie, &de) == 1; n++) {
		ATF_CHECK(strcmp(de.name, "f") != 0);
		if (strcmp(de.name, "n499") == 0)
			half = cookie;
		if (strcmp(de.name, "..") == 0)
			ATF_CHECK_EQ(de.ino, number(&m, "."));
		if (strcmp(de.name, "h") == 0)
			ATF_CHECK_EQ(de.ino, number(&m, "a/h"));
	}
	/* . .. g h l m sub */
	ATF_CHECK_EQ(n, 1007);
	ATF_REQUIRE(merge_unlink(&m, "a/n500") == 0);
	ATF_REQUIRE(merge_readdir(d, &half, &de) == 1);
	ATF_CHECK_STREQ(de.name, "n500");
	ATF_REQUIRE(merge_rewinddir(&m, d) == 0);
	half--;
	ATF_REQUIRE(merge_readdir(d, &half, &de) == 1);
	ATF_CHECK_STREQ(de.name, "n501");
	merge_closedir(d);
	ATF_CHECK_ERRNO(ENOTDIR, merge_opendir(&m, "a/g") == NULL);
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(depth);
ATF_TC_BODY(depth, tc)
{
	const int	 depth = 1000;
	struct merge	 m;
	struct statx	 sx;
	char		*path;
	int		 fd, i, next;

	box(&m);
	ATF_REQUIRE((path = calloc(depth + 2, 6)) != NULL);
	fd = directory("lower");
	for (i = 0; i < depth; i++) {
		ATF_REQUIRE(mkdirat(fd, "deep!", 0755) == 0);
		ATF_REQUIRE((next = openat(fd, "deep!", O_RDONLY |
		    O_DIRECTORY | O_CLOEXEC)) != -1);
		close(fd);
		fd = next;
		memcpy(path + 6 * i, "deep!/", 6);
	}
	close(fd);
	memcpy(path + 6 * i, "f", 2);
	writes(&m, path, O_CREAT | O_EXCL, "bottom");
	reads(&m, path, "bottom");
	/* Back up further than what stays open. */
	for (i = 0; i < 50; i++)
		memcpy(path + 6 * 500 + 3 * i, "../", 3);
	memcpy(path + 6 * 500 + 3 * i, "new", 4);
	ATF_REQUIRE(merge_mkdir(&m, path, 0755, 022) == 0);
	memcpy(path + 6 * (500 - 50), "new", 4);
	ATF_CHECK_MSG(merge_stat(&m, path, 0, &sx) == 0, "%s",
	    strerror(errno));
	free(path);
	merge_close(&m);
	ATF_REQUIRE(rmtree(AT_FDCWD, "lower") == 0);
	ATF_REQUIRE(rmtree(AT_FDCWD, "branch") == 0);
}

static void
big_file(const char *path)
{
	char	 buf[4096];
	int	 fd, i;

	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600)) != -1);
	memset(buf, 'b', sizeof(buf));
	for (i = 0; i < 300; i++)
		ATF_REQUIRE(pwrite(fd, buf, sizeof(buf), i * 4096L) == 4096);
	ATF_REQUIRE(pwrite(fd, "end", 3, 1L << 36) == 3);
	close(fd);
}

static void
big_check(struct merge *m, const char *path)
{
	struct statx	 sx;
	char		 buf[4096];
	int		 fd;

	fd = opened(m, path, O_RDWR, NULL);
	ATF_REQUIRE(merge_stat(m, path, 0, &sx) == 0);
	ATF_CHECK_EQ(sx.stx_size, (1ULL << 36) + 3);
	ATF_CHECK(sx.stx_blocks * 512 < 4 << 20);
	ATF_REQUIRE(pread(fd, buf, 4096, 299 * 4096L) == 4096);
	ATF_CHECK_EQ(buf[0], 'b');
	ATF_CHECK_EQ(buf[4095], 'b');
	ATF_REQUIRE(pread(fd, buf, 4096, 300 * 4096L) == 4096);
	ATF_CHECK_EQ(buf[0], 0);
	ATF_REQUIRE(pread(fd, buf, 4096, 1L << 36) == 3);
	ATF_CHECK_EQ(memcmp(buf, "end", 3), 0);
	close(fd);
}

ATF_TC_WITHOUT_HEAD(sparse);
ATF_TC_BODY(sparse, tc)
{
	struct merge	 m;

	box(&m);
	big_file("lower/big");
	big_check(&m, "big");
	ATF_CHECK(exists("branch/upper/big"));
	merge_close(&m);
}

/* Storage elsewhere; and a full one, which leaves the view as it was. */
ATF_TC(other_file_system);
ATF_TC_HEAD(other_file_system, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(other_file_system, tc)
{
	struct merge	 m;
	char		*before, *after;
	int		 fd, i;

	umask(022);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		atf_tc_skip("no mount namespace");
	ATF_REQUIRE(mkdir("other", 0755) == 0);
	if (mount("none", "other", "tmpfs", 0, "size=4m") == -1)
		atf_tc_skip("no tmpfs");
	tree_put("lower", 0);
	big_file("lower/big");
	branch_make("other/branch");
	branch_use(&m, "other/branch");
	big_check(&m, "big");
	ATF_REQUIRE(merge_rename(&m, "a", "c/a", 0) == 0);
	writes(&m, "c/a/f", 0, "J");
	reads(&m, "c/a/f", "Jello");
	ATF_REQUIRE(merge_rmdir(&m, "c/a/sub/d") == -1);
	ATF_REQUIRE(merge_rename(&m, "b", "c/a/sub/d", RENAME_EXCHANGE) == 0);
	reads(&m, "b/f", "deep");

	ATF_REQUIRE((fd = open("other/full", O_WRONLY | O_CREAT | O_CLOEXEC,
	    0600)) != -1);
	for (i = 4096; i > 0; i /= 4)
		while (write(fd, m.outside == NULL ? "x" : m.outside, 1) == 1 &&
		    lseek(fd, 4095, SEEK_CUR) != -1)
			continue;
	close(fd);
	before = view_text(&m, TREE_PLAIN);
	ATF_CHECK_ERRNO(ENOSPC, merge_open(&m, tree_long_name(), O_WRONLY, 0,
	    0, &i) == -1);
	after = view_text(&m, TREE_PLAIN);
	ATF_CHECK_STREQ(before, after);
	free(before);
	free(after);
	merge_close(&m);
	ATF_REQUIRE(umount2("other", MNT_DETACH) == 0);
}

/* The kernel's overlay of a branch, in a mount namespace; the caller skips. */
static int
overlay(const char *options)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return (-1);
	ATF_REQUIRE(mkdir("view", 0755) == 0);
	ATF_REQUIRE(mkdir("branch/work/kernel", 0700) == 0);
	return (mount("overlay", "view", "overlay", 0, options));
}

static const char	 overlay_options[] = "userxattr,index=off,"
    "lowerdir=lower,upperdir=branch/upper,workdir=branch/work/kernel";

/* What the mount shows, which is left again. */
static char *
overlay_text(void)
{
	char	*text;
	int	 cwd;

	cwd = directory(".");
	ATF_REQUIRE(chdir("view") == 0);
	text = view_text(NULL, TREE_CRASH);
	ATF_REQUIRE(fchdir(cwd) == 0);
	close(cwd);
	ATF_REQUIRE(umount2("view", MNT_DETACH) == 0);
	return (text);
}

/*
 * The kernel reads what the library wrote.  It knows neither directories that
 * moved nor links in lower.
 */
ATF_TC(overlay_reads);
ATF_TC_HEAD(overlay_reads, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(overlay_reads, tc)
{
	struct merge	 m;
	char		*want, *have;

	box(&m);
	writes(&m, "a/f", 0, "J");
	writes(&m, "a/sub/new", O_CREAT, "new");
	ATF_REQUIRE(merge_unlink(&m, "a/g") == 0);
	ATF_REQUIRE(merge_mkdir(&m, "a/g", 0711, 022) == 0);
	ATF_REQUIRE(merge_unlink(&m, "a/sub/d/f") == 0);
	ATF_REQUIRE(merge_rmdir(&m, "a/sub/d") == 0);
	ATF_REQUIRE(merge_mkdir(&m, "a/sub/d", 0755, 022) == 0);
	ATF_REQUIRE(merge_rename(&m, "a/sub/d", "a/g/d", 0) == 0);
	ATF_REQUIRE(merge_unlink(&m, "c/l") == 0);
	ATF_REQUIRE(merge_unlink(&m, "c/z") == 0);
	ATF_REQUIRE(merge_rename(&m, "a/g", "c", 0) == 0);
	ATF_REQUIRE(merge_rename(&m, "a/f", "e/f", RENAME_EXCHANGE) == 0);
	ATF_REQUIRE(merge_rename(&m, tree_long_name(), "u/f", 0) == 0);
	ATF_REQUIRE(merge_link(&m, "a/sub/x", "c/x", 0) == 0);
	ATF_REQUIRE(merge_chmod(&m, "e/sub/f", 0, 04711) == 0);
	want = view_text(&m, TREE_CRASH);
	merge_close(&m);
	if (overlay(overlay_options) == -1)
		atf_tc_skip("no overlay of the kernel");
	have = overlay_text();
	ATF_CHECK_MSG(strcmp(want, have) == 0, "%s\nkernel:\n%s", want, have);
	free(want);
	free(have);
}

/* The library reads what the kernel wrote. */
ATF_TC(overlay_writes);
ATF_TC_HEAD(overlay_writes, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(overlay_writes, tc)
{
	struct merge	 m;
	char		*want, *have;
	int		 lower, branch, fd;

	box(&m);
	merge_close(&m);
	if (overlay(overlay_options) == -1)
		atf_tc_skip("no overlay of the kernel");
	ATF_REQUIRE((fd = open("view/a/f", O_WRONLY)) != -1);
	ATF_REQUIRE(write(fd, "J", 1) == 1);
	close(fd);
	ATF_REQUIRE(unlink("view/a/g") == 0);
	ATF_REQUIRE(mkdir("view/a/g", 0711) == 0);
	ATF_REQUIRE(unlink("view/a/sub/d/f") == 0);
	ATF_REQUIRE(rmdir("view/a/sub/d") == 0);
	ATF_REQUIRE(mkdir("view/a/sub/d", 0700) == 0);
	ATF_REQUIRE(rename("view/a/sub/d", "view/a/g/d") == 0);
	ATF_REQUIRE(rename("view/a/f", "view/e/f") == 0);
	ATF_REQUIRE(link("view/a/sub/x", "view/c/x") == 0);
	ATF_REQUIRE(mkfifo("view/c/p", 0600) == 0);
	ATF_REQUIRE(symlink("p", "view/a/sub/d") == 0);
	ATF_REQUIRE(chmod("view/e/sub", 0711) == 0);
	ATF_REQUIRE(setxattr("view/b", "user.u", "b", 1, 0) == 0);
	want = overlay_text();
	lower = directory("lower");
	branch = directory("branch");
	ATF_REQUIRE(merge_init_read(&m, lower, branch) == 0);
	have = view_text(&m, TREE_CRASH);
	ATF_CHECK_MSG(strcmp(want, have) == 0, "%s\nkernel:\n%s", have, want);
	merge_close(&m);
	close(lower);
	close(branch);
	free(want);
	free(have);
}

/* Crashes. */

/* A branch with some history. */
static void
history(struct merge *m)
{
	writes(m, "a/f", 0, "J");
	ATF_REQUIRE(merge_unlink(m, "a/g") == 0);
	ATF_REQUIRE(merge_rename(m, "a/sub", "b/sub", 0) == 0);
	ATF_REQUIRE(merge_unlink(m, "c/l") == 0);
	ATF_REQUIRE(merge_unlink(m, "c/z") == 0);
	ATF_REQUIRE(merge_mkdir(m, "new", 0755, 022) == 0);
	writes(m, "new/f", O_CREAT, "new");
}

static int
crash_open(struct merge *m, const char *path, int flags)
{
	int	 fd, wait;

	if ((fd = merge_open(m, path, flags, 0644, 022, &wait)) == -1)
		return (-1);
	close(fd);
	return (0);
}

static int
crash_call(struct merge *m, int i)
{
	const struct timespec	 ts[2] = { { OLD, 3 }, { OLD, 4 } };

	switch (i) {
	case 0:
		return (crash_open(m, "e/f", O_RDONLY));
	case 1:
		return (crash_open(m, "b/f", O_RDWR));
	case 2:
		return (crash_open(m, "b/sub/x", O_WRONLY | O_TRUNC));
	case 3:
		return (crash_open(m, "a/g", O_WRONLY | O_CREAT));
	case 4:
		return (merge_unlink(m, "a/f"));
	case 5:
		return (merge_unlink(m, "a/h"));
	case 6:
		return (merge_rmdir(m, "c"));
	case 7:
		return (merge_mkdir(m, "a/g", 0500, 022));
	case 8:
		return (merge_symlink(m, "f", "a/g", 022));
	case 9:
		return (merge_rename(m, "b", "a/g", 0));
	case 10:
		return (merge_rename(m, "b/sub", "c", 0));
	case 11:
		return (merge_rename(m, "new", "a/g", 0));
	case 12:
		return (merge_rename(m, "a", "new", RENAME_EXCHANGE));
	case 13:
		return (merge_rename(m, "a/f", "b", RENAME_EXCHANGE));
	case 14:
		return (merge_rename(m, "a/f", "b/f", 0));
	case 15:
		return (merge_rename(m, "b/g", "a/g", 0));
	case 16:
		return (merge_link(m, "b/sub/x", "a/g", 0));
	case 17:
		return (merge_link(m, "b/g", "a/g", 0));
	case 18:
		return (merge_chmod(m, "e/sub", 0, 0711));
	case 19:
		return (merge_chmod(m, "e", 0, 0000));
	case 20:
		return (merge_setxattr(m, "a", 0, "user.u", "v", 1, 0));
	case 21:
		return (merge_truncate(m, "b/g", 3));
	case 22:
		return (merge_utimes(m, "b/sub/d/f", 0, ts));
	case 23:
		return (merge_rename(m, "t/d", "b/e", 0));
	default:
		errno = ENOSYS;
		return (-1);
	}
}

/*
 * System calls that change something.  What openat creates is seen before the
 * next one.
 */
static int
crash_point(long nr, int fail)
{
	static const long	 calls[] = {
		SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat,
		SYS_unlinkat, SYS_renameat2, SYS_fchmodat, SYS_fchownat,
		SYS_utimensat, SYS_ftruncate, SYS_truncate, SYS_setxattr,
		SYS_removexattr, SYS_copy_file_range, SYS_pwrite64,
		SYS_exit_group
	};
	size_t			 i;

	if (fail && nr == SYS_exit_group)
		return (0);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == nr)
			return (1);
	return (0);
}

/* Let the system call that is about to begin fail instead. */
static void
crash_fail(pid_t pid)
{
	struct user_regs_struct	 regs;
	int			 status;

	ATF_REQUIRE(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
	regs.orig_rax = -1;
	ATF_REQUIRE(ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0);
	ATF_REQUIRE(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE(WIFSTOPPED(status));
	ATF_REQUIRE(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
	regs.rax = -ENOSPC;
	ATF_REQUIRE(ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0);
}

/*
 * Make a call and die before its n-th change, or let that fail; 1 when the call
 * made fewer.  The result is its errno.
 */
static int
crash_run(struct merge *m, int call, int n, int fail, int *error)
{
	struct __ptrace_syscall_info	 info;
	pid_t				 pid;
	int				 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(99);
		raise(SIGSTOP);
		_exit(crash_call(m, call) == -1 ? errno : 0);
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE(WIFSTOPPED(status));
	/* Only then does the kernel tell which system call it is. */
	ATF_REQUIRE(ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	for (;;) {
		ATF_REQUIRE(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
		ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			*error = WEXITSTATUS(status);
			return (n >= 0);
		}
		ATF_REQUIRE(WIFSTOPPED(status));
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info),
		    &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY &&
		    crash_point(info.entry.nr, fail) && n-- == 0) {
			if (fail) {
				crash_fail(pid);
				continue;
			}
			ATF_REQUIRE(kill(pid, SIGKILL) == 0);
			ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
			return (0);
		}
	}
}

/* Killed, or with a failure, before the n-th change. */
static int
crash_once(int call, int n, int fail, const char *before, const char *after)
{
	struct merge	 m;
	char		*text;
	int		 done, error = 0;

	branch_make("b");
	branch_use(&m, "b");
	history(&m);
	done = crash_run(&m, call, n, fail, &error);
	merge_close(&m);
	branch_use(&m, "b");
	ATF_REQUIRE(merge_recover(&m) == 0);
	text = view_text(&m, TREE_CRASH);
	ATF_CHECK_MSG(strcmp(text, before) == 0 || strcmp(text, after) == 0,
	    "call %d %s at %d:\n%s\nbefore:\n%s\nafter:\n%s", call,
	    fail ? "failed" : "killed", n, text, before, after);
	/* What was reported is what happened. */
	if (done || fail)
		ATF_CHECK_MSG(strcmp(text, error == 0 ? after : before) == 0,
		    "call %d at %d: %s:\n%s", call, n, strerror(error), text);
	if (done)
		ATF_CHECK_EQ(error, 0);
	/* What was not done can be. */
	if (strcmp(text, after) != 0) {
		ATF_CHECK_MSG(crash_call(&m, call) == 0, "call %d again: %s",
		    call, strerror(errno));
		free(text);
		text = view_text(&m, TREE_CRASH);
		ATF_CHECK_STREQ(text, after);
	}
	free(text);
	merge_close(&m);
	ATF_REQUIRE(rmtree(AT_FDCWD, "b") == 0);
	return (done);
}

static void
crashes(int fail)
{
	struct merge	 m;
	char		*before, *after;
	int		 call, n;

	umask(022);
	tree_put("lower", 0);
	for (call = 0;; call++) {
		branch_make("b");
		branch_use(&m, "b");
		history(&m);
		before = view_text(&m, TREE_CRASH);
		if (crash_call(&m, call) == -1) {
			ATF_REQUIRE_EQ_MSG(errno, ENOSYS, "call %d: %s", call,
			    strerror(errno));
			break;
		}
		after = view_text(&m, TREE_CRASH);
		merge_close(&m);
		ATF_REQUIRE(rmtree(AT_FDCWD, "b") == 0);
		for (n = 0; !crash_once(call, n, fail, before, after); n++)
			continue;
		/* Opening a new file is one call, and not counted. */
		ATF_CHECK(n > 0 || call == 0 || (fail && call == 3));
		free(before);
		free(after);
	}
	ATF_CHECK_EQ(call, 24);
	free(before);
	merge_close(&m);
}

ATF_TC_WITHOUT_HEAD(crash);
ATF_TC_BODY(crash, tc)
{
	crashes(0);
}

/* A disk that is full at any moment. */
ATF_TC_WITHOUT_HEAD(failure);
ATF_TC_BODY(failure, tc)
{
	crashes(1);
}

/*
 * MERGE_SEED and MERGE_SEEDS in the environment: where to begin, and how many
 * sequences.
 */
static void
random_calls(uid_t foreign)
{
	struct diff	 d = { .seed = 1, .seeds = 25, .steps = 100 };
	const char	*p;

	if ((p = getenv("MERGE_SEED")) != NULL)
		d.seed = strtonum(p, 0, UINT_MAX, NULL);
	if ((p = getenv("MERGE_SEEDS")) != NULL)
		d.seeds = strtonum(p, 1, UINT_MAX, NULL);
	d.foreign = foreign;
	d.capless = foreign != 0;
	ATF_CHECK_EQ(diff_run(&d), 0);
}

ATF_TC_WITHOUT_HEAD(differential);
ATF_TC_BODY(differential, tc)
{
	random_calls(0);
}

/* Without capabilities, in a tree that partly belongs to somebody else. */
ATF_TC(differential_foreign);
ATF_TC_HEAD(differential_foreign, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(differential_foreign, tc)
{
	random_calls(65534);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, reading_copies_nothing);
	ATF_TP_ADD_TC(tp, outside);
	ATF_TP_ADD_TC(tp, links_in_lower_swapped);
	ATF_TP_ADD_TC(tp, fifo);
	ATF_TP_ADD_TC(tp, devices);
	ATF_TP_ADD_TC(tp, hard_links);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, directory_renames);
	ATF_TP_ADD_TC(tp, listing);
	ATF_TP_ADD_TC(tp, depth);
	ATF_TP_ADD_TC(tp, sparse);
	ATF_TP_ADD_TC(tp, other_file_system);
	ATF_TP_ADD_TC(tp, overlay_reads);
	ATF_TP_ADD_TC(tp, overlay_writes);
	ATF_TP_ADD_TC(tp, crash);
	ATF_TP_ADD_TC(tp, failure);
	ATF_TP_ADD_TC(tp, differential);
	ATF_TP_ADD_TC(tp, differential_foreign);
	return (atf_no_error());
}
