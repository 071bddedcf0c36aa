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
 * The list of changes of a branch.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "fs.h"
#include "strike.h"
#include "tree.h"

struct listing {
	char	*text;
	size_t	 len;
	int	 stop;		/* after that many */
	char	 last[64];
};

static int
listing_add(const struct branch_change *bc, void *arg)
{
	struct listing	*l = arg;
	size_t		 len = strlen(bc->path);

	ATF_REQUIRE((l->text = realloc(l->text, l->len + len + 5)) != NULL);
	l->len += sprintf(l->text + l->len, "%c  %s\n", bc->type, bc->path);
	return (l->stop > 0 && --l->stop == 0 ? 42 : 0);
}

/* Without capabilities, whose text comes back through a pipe. */
static char *
changes(const struct branch *b, int stop)
{
	struct branch_error	 err;
	struct listing		 l;
	char			*text = NULL;
	size_t			 len = 0;
	ssize_t			 n;
	pid_t			 pid;
	int			 p[2], ret;

	memset(&err, 0, sizeof(err));
	ATF_REQUIRE(pipe(p) == 0);
	fflush(stdout);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		drop_capabilities();
		memset(&l, 0, sizeof(l));
		l.stop = stop;
		ret = branch_changes(b, listing_add, &l, &err);
		dprintf(p[1], "%s%s%s%s%s%s%s", l.len == 0 ? "" : l.text,
		    ret == 42 ? "stopped\n" : "",
		    ret == -1 ? err.what : "", ret == -1 ? " " : "",
		    ret == -1 && err.path != NULL ? err.path : "",
		    ret == -1 ? ": " : "", ret == -1 ?
		    strerror(err.error) : "");
		_exit(0);
	}
	close(p[1]);
	do {
		ATF_REQUIRE((text = realloc(text, len + 65537)) != NULL);
		ATF_REQUIRE((n = read(p[0], text + len, 65536)) != -1);
		len += n;
	} while (n > 0);
	text[len] = '\0';
	close(p[0]);
	return (text);
}

static void
check(const struct branch *b, const char *want)
{
	char	*have = changes(b, 0);

	ATF_CHECK_MSG(strcmp(have, want) == 0, "have:\n%swant:\n%s", have,
	    want);
	free(have);
}

ATF_TC_WITHOUT_HEAD(everything);
ATF_TC_BODY(everything, tc)
{
	struct fixture	 f;
	struct stat	 before, after;

	fixture_full(&f, "store");
	ATF_REQUIRE(fstatat(f.b.lower, "closed", &before, 0) == 0);
	/* What its owner cannot look at in "closed" is as good as new. */
	check(&f.b,
	    "A  acl\n"
	    "A  closed/add\n"
	    "A  closed/mod\n"
	    "M  copied\n"
	    "T  d2f\n"
	    "D  d2f/a\n"
	    "T  d2l\n"
	    "D  d2l/a\n"
	    "D  deldir\n"
	    "D  deldir/sub\n"
	    "D  deldir/sub/y\n"
	    "D  deldir/x\n"
	    "T  f2d\n"
	    "A  f2d/in\n"
	    "A  fifo\n"
	    "D  gone\n"
	    "M  hard1\n"
	    "D  hard3\n"
	    "A  here\n"
	    "M  link\n"
	    "M  m000\n"
	    "M  merged\n"
	    "A  merged/deep/add\n"
	    "M  merged/deep/mod\n"
	    "D  merged/del\n"
	    "M  merged/mod\n"
	    "M  mod\n"
	    "A  new\n"
	    "A  new2\n"
	    "A  newdir\n"
	    "A  newdir/closed\n"
	    "A  newdir/closed/f\n"
	    "A  newdir/copy\n"
	    "A  newdir/link\n"
	    "A  newdir/plain\n"
	    "A  newdir/ro\n"
	    "A  newdir/ro/f\n"
	    "A  newdir/ro/out\n"
	    "A  odd\n\377\033\n"
	    "M  opaque\n"
	    "A  opaque/added\n"
	    "M  opaque/both\n"
	    "D  opaque/hidden\n"
	    "A  opaque/sub\n"
	    "D  ro/del\n"
	    "M  ro/mod\n"
	    "A  socket\n"
	    "A  sparse\n");
	/* Nothing of lower was touched. */
	ATF_REQUIRE(fstatat(f.b.lower, "closed", &after, 0) == 0);
	ATF_CHECK(before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
	    before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
	ATF_REQUIRE_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	check(&f.b, "");
	fixture_remove(&f);
}

/* Looking changes nothing, not even a time of change. */
ATF_TC_WITHOUT_HEAD(untouched);
ATF_TC_BODY(untouched, tc)
{
	struct fixture	 f;
	char		*text;

	fixture_full(&f, "store");
	text = changes(&f.b, 0);
	ATF_CHECK(strstr(text, "M  mod\n") != NULL);
	free(text);
	TREE_SAME(tree_text(f.b.lower), strdup(f.old));
	fixture_remove(&f);
}

/* The bytes of the whole path decide. */
ATF_TC_WITHOUT_HEAD(sorted);
ATF_TC_BODY(sorted, tc)
{
	static const char	*const dirs[] = {
		"a", "a-", "a-b", "a.b", "a0", "aa", "\001", "a\377"
	};
	struct fixture		 f;
	size_t			 i;
	int			 d;

	fixture_make(&f, "store");
	fixture_start(&f);
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		put_dir(f.b.upper, dirs[i], 0755);
		d = dir_open(f.b.upper, dirs[i]);
		put_file(d, "f", "", 0644);
		close(d);
	}
	check(&f.b, "A  \001\nA  \001/f\nA  a\nA  a-\nA  a-/f\nA  a-b\n"
	    "A  a-b/f\nA  a.b\nA  a.b/f\nA  a/f\nA  a0\nA  a0/f\n"
	    "A  aa\nA  aa/f\nA  a\377\nA  a\377/f\n");
	fixture_remove(&f);
}

/* A callback may end the walk. */
ATF_TC_WITHOUT_HEAD(stopped);
ATF_TC_BODY(stopped, tc)
{
	struct fixture	 f;
	char		*text;

	fixture_full(&f, "store");
	text = changes(&f.b, 2);
	ATF_CHECK_MSG(strcmp(text, "A  acl\nA  closed/add\nstopped\n") == 0,
	    "%s", text);
	free(text);
	fixture_remove(&f);
}

/* One property of a file at a time, with equal ones as the control. */
ATF_TC_WITHOUT_HEAD(compared);
ATF_TC_BODY(compared, tc)
{
	struct fixture	 f;
	int		 i, l, u;

	fixture_make(&f, "store");
	l = f.b.lower;
	u = f.b.upper;
	for (i = 0; i < 2; i++) {
		put_file(i ? u : l, "bytes", i ? "abd" : "abc", 0644);
		put_file(i ? u : l, "length", i ? "abcd" : "abc", 0644);
		put_file(i ? u : l, "mode", "abc", i ? 0600 : 0644);
		put_file(i ? u : l, "sameattr", "abc", 0644);
		put_xattr(i ? u : l, "sameattr", "user.a", "x", 1);
		put_file(i ? u : l, "attr", "abc", 0644);
		put_xattr(i ? u : l, "attr", "user.a", i ? "x" : "y", 1);
		put_file(i ? u : l, "noattr", "abc", 0644);
		put_file(i ? u : l, "times", "abc", 0644);
		put_times(i ? u : l, "times", i);
		put_dir(i ? u : l, "dir", 0755);
		put_times(i ? u : l, "dir", i);
		put_dir(i ? u : l, "dirmode", i ? 0700 : 0755);
		ATF_REQUIRE(symlinkat(i ? "a" : "b", i ? u : l, "link") == 0);
		ATF_REQUIRE(symlinkat("a", i ? u : l, "samelink") == 0);
		ATF_REQUIRE(mkfifoat(i ? u : l, "fifo", 0600) == 0);
		if (i == 0)
			fixture_start(&f);
	}
	put_origin(u, "times");
	put_xattr(l, "noattr", "user.a", "", 0);
	check(&f.b, "M  attr\nM  bytes\nM  dirmode\nM  length\nM  link\n"
	    "M  mode\nM  noattr\n");
	put_mode(u, ".", 0750);
	check(&f.b, "M  .\nM  attr\nM  bytes\nM  dirmode\nM  length\n"
	    "M  link\nM  mode\nM  noattr\n");
	fixture_remove(&f);
}

static void
sparse(int at, const char *name, off_t at_off, const char *bytes)
{
	int	 fd;

	ATF_REQUIRE((fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC,
	    0644)) != -1);
	ATF_REQUIRE(ftruncate(fd, (off_t)1 << 40) == 0);
	ATF_REQUIRE(pwrite(fd, bytes, strlen(bytes), at_off) ==
	    (ssize_t)strlen(bytes));
	close(fd);
}

/* A terabyte of nothing is not read; data against a hole is. */
ATF_TC_WITHOUT_HEAD(holes);
ATF_TC_BODY(holes, tc)
{
	const off_t	 far = ((off_t)1 << 40) - 5000;
	struct fixture	 f;
	int		 fd;

	fixture_make(&f, "store");
	sparse(f.b.lower, "same", far, "x");
	sparse(f.b.lower, "differs", far, "x");
	sparse(f.b.lower, "moved", far, "x");
	sparse(f.b.lower, "zeroes", far, "x");
	fixture_start(&f);
	sparse(f.b.upper, "same", far, "x");
	sparse(f.b.upper, "differs", far, "y");
	sparse(f.b.upper, "moved", 5000, "x");
	sparse(f.b.upper, "zeroes", far, "x");
	ATF_REQUIRE((fd = openat(f.b.upper, "zeroes", O_WRONLY)) != -1);
	ATF_REQUIRE(pwrite(fd, "\0\0\0", 3, 100000) == 3);
	close(fd);
	check(&f.b, "M  differs\nM  moved\n");
	fixture_remove(&f);
}

static int
open_both(const struct branch_change *bc, void *arg)
{
	char	 old[8] = "", new[8] = "", *text = arg;
	int	 fd;

	if ((fd = branch_open_old(bc)) != -1) {
		ATF_REQUIRE(read(fd, old, sizeof(old) - 1) != -1);
		close(fd);
	}
	if ((fd = branch_open_new(bc)) != -1) {
		ATF_REQUIRE(read(fd, new, sizeof(new) - 1) != -1);
		close(fd);
	}
	sprintf(text + strlen(text), "%c %s [%s] [%s]\n", bc->type, bc->path,
	    old, new);
	return (0);
}

ATF_TC_WITHOUT_HEAD(opened);
ATF_TC_BODY(opened, tc)
{
	struct branch_error	 err;
	struct fixture		 f;
	char			 text[512] = "";

	memset(&err, 0, sizeof(err));
	fixture_make(&f, "store");
	put_file(f.b.lower, "m", "old", 0644);
	put_file(f.b.lower, "d", "old", 0644);
	put_file(f.b.lower, "t", "old", 0644);
	put_file(f.b.lower, "l", "old", 0644);
	fixture_start(&f);
	put_file(f.b.upper, "a", "new", 0644);
	put_file(f.b.upper, "m", "new", 0644);
	put_whiteout(f.b.upper, "d");
	ATF_REQUIRE(mkfifoat(f.b.upper, "t", 0600) == 0);
	ATF_REQUIRE(symlinkat("m", f.b.upper, "l") == 0);
	ATF_CHECK_EQ(branch_changes(&f.b, open_both, text, &err), 0);
	ATF_CHECK_MSG(strcmp(text, "A a [] [new]\nD d [old] []\n"
	    "T l [old] []\nM m [old] [new]\nT t [old] []\n") == 0, "%s",
	    text);
	fixture_remove(&f);
}

/* Far beyond a path, on a few descriptors. */
ATF_TC_WITHOUT_HEAD(deep);
ATF_TC_BODY(deep, tc)
{
	struct fixture	 f;
	char		*text, *p;
	int		 d[2], i, lines = 0, next, side;

	tmpfs_enter();
	fixture_make(&f, "store");
	for (side = 0; side < 2; side++) {
		d[side] = dup(side ? f.b.upper : f.b.lower);
		for (i = 0; i < 2000; i++) {
			put_dir(d[side], "d", 0755);
			next = dir_open(d[side], "d");
			if (side == 1 && i % 100 == 0)
				put_file(d[side], "f", "", 0644);
			close(d[side]);
			d[side] = next;
		}
		close(d[side]);
		if (side == 0)
			fixture_start(&f);
	}
	text = changes(&f.b, 0);
	for (p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	ATF_CHECK_EQ(lines, 20);
	free(text);
	fixture_remove(&f);
}

/* A branch that shares nothing: both trees are gone through. */
ATF_TC_WITHOUT_HEAD(whole);
ATF_TC_BODY(whole, tc)
{
	struct fixture	 f;
	char		*text;
	int		 d, side;

	fixture_make(&f, "store");
	for (side = 0; side < 2; side++) {
		d = side ? f.b.upper : f.b.lower;
		put_file(d, "same", "same", 0644);
		put_file(d, "content", side ? "new" : "old", 0644);
		put_file(d, "mode", "same", side ? 0600 : 0644);
		put_dir(d, "dir", 0755);
		put_dir(d, "dir/sub", 0755);
		put_file(d, "dir/sub/f", side ? "new" : "old", 0644);
		put_file(d, side ? "dir/a" : "dir/d", "", 0644);
		/* What belongs to the file system, in the top only. */
		put_file(d, ".branchfs_ctl", side ? "u" : "l", 0600);
		put_dir(d, side ? "@child" : "@me", 0755);
		put_file(d, side ? "@child/f" : "@me/f", "", 0644);
		put_file(d, "dir/.branchfs_ctl", side ? "u" : "l", 0600);
		put_file(d, side ? "dir/@a" : "dir/@d", "", 0644);
	}
	put_file(f.b.lower, "type", "file", 0644);
	put_dir(f.b.upper, "type", 0755);
	put_file(f.b.upper, "type/in", "", 0644);
	put_dir(f.b.lower, "gone", 0755);
	put_file(f.b.lower, "gone/f", "", 0644);
	put_dir(f.b.upper, "here", 0755);
	put_file(f.b.upper, "here/f", "", 0644);
	f.b.whole = 1;
	text = changes(&f.b, 0);
	ATF_CHECK_MSG(strcmp(text, "M  content\n"
	    "M  dir/.branchfs_ctl\n"
	    "A  dir/@a\nD  dir/@d\nA  dir/a\nD  dir/d\n"
	    "M  dir/sub/f\nD  gone\nD  gone/f\nA  here\nA  here/f\n"
	    "M  mode\nT  type\nA  type/in\n") == 0, "%s", text);
	free(text);
	/* Control: an upper directory as usual hides nothing. */
	f.b.whole = 0;
	text = changes(&f.b, 0);
	ATF_CHECK_MSG(strstr(text, "D  ") == NULL &&
	    strstr(text, "M  .branchfs_ctl\n") != NULL, "%s", text);
	free(text);
	fixture_remove(&f);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, everything);
	ATF_TP_ADD_TC(tp, untouched);
	ATF_TP_ADD_TC(tp, sorted);
	ATF_TP_ADD_TC(tp, stopped);
	ATF_TP_ADD_TC(tp, compared);
	ATF_TP_ADD_TC(tp, holes);
	ATF_TP_ADD_TC(tp, opened);
	ATF_TP_ADD_TC(tp, deep);
	ATF_TP_ADD_TC(tp, whole);
	return (atf_no_error());
}
