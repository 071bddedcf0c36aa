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
 * Commits and lists of branches that the merged view has written: single
 * cases, outsiders at work, and the limits.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "merge.h"
#include "strike.h"
#include "tree.h"

static void
put_bytes(struct merge *m, const char *path, const char *text)
{
	int	 fd, wait;

	ATF_REQUIRE_MSG((fd = merge_open(m, path, O_WRONLY | O_CREAT | O_TRUNC,
	    0644, 022, &wait)) != -1, "%s: %s", path, strerror(errno));
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void
moved(struct merge *m, const char *from, const char *to, unsigned int flags)
{
	ATF_REQUIRE_MSG(merge_rename(m, from, to, flags) == 0, "%s to %s: %s",
	    from, to, strerror(errno));
}

/* Lower is complete; the view begins. */
static void
view_start(struct fixture *f, struct merge *m)
{
	fixture_start(f);
	ATF_REQUIRE(merge_init(m, f->b.lower, f->b.dir) == 0);
}

/* What a change was and is, with the first bytes of both. */
static int
open_both(const struct branch_change *bc, void *arg)
{
	char	 old[16] = "", new[16] = "", *text = arg;
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

static void
check(const struct branch *b, const char *want)
{
	struct branch_error	 err;
	char			 have[4096] = "";

	memset(&err, 0, sizeof(err));
	ATF_CHECK_EQ(branch_changes(b, open_both, have, &err), 0);
	ATF_CHECK_MSG(strcmp(have, want) == 0, "have:\n%swant:\n%s", have,
	    want);
	branch_error_clear(&err);
}

/* Each change is named by its own path, and both contents can be read. */
ATF_TC_WITHOUT_HEAD(listed);
ATF_TC_BODY(listed, tc)
{
	struct fixture	 f;
	struct merge	 m;
	int		 l;

	fixture_make(&f, "store");
	l = f.b.lower;
	put_dir(l, "a", 0755);
	put_file(l, "a/f", "a f", 0644);
	put_file(l, "a/g", "same", 0644);
	put_dir(l, "b", 0755);
	put_file(l, "b/f", "b f", 0644);
	put_file(l, "b/g", "same", 0644);
	put_dir(l, "c", 0755);
	put_file(l, "c/f", "c f", 0644);
	put_dir(l, "c/d", 0755);
	put_file(l, "hard", "old", 0644);
	ATF_REQUIRE(linkat(l, "hard", l, "a/hard", 0) == 0);
	ATF_REQUIRE(linkat(l, "hard", l, "c/d/hard", 0) == 0);
	put_file(l, "z", "z", 0644);
	view_start(&f, &m);
	check(&f.b, "");
	moved(&m, "a", "b", RENAME_EXCHANGE);
	put_bytes(&m, "hard", "new");
	moved(&m, "c", "e", 0);
	put_bytes(&m, "e/f", "e f");
	ATF_REQUIRE(merge_mkdir(&m, "n", 0755, 022) == 0);
	moved(&m, "e/d", "n/d", 0);
	moved(&m, "z", "c", 0);
	merge_close(&m);
	check(&f.b,
	    "M a/f [a f] [b f]\n"
	    "D a/hard [old] []\n"
	    "M b/f [b f] [a f]\n"
	    "A b/hard [] [new]\n"
	    "T c [] [z]\n"
	    "D c/d [] []\n"
	    "D c/d/hard [old] []\n"
	    "D c/f [c f] []\n"
	    "A e [] []\n"
	    "A e/f [] [e f]\n"
	    "M hard [old] [new]\n"
	    "A n [] []\n"
	    "A n/d [] []\n"
	    "A n/d/hard [] [new]\n"
	    "D z [z] []\n");
	ATF_CHECK_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	check(&f.b, "");
	fixture_remove(&f);
}

/* Back where it was: nothing has changed, and nothing moves. */
ATF_TC_WITHOUT_HEAD(back_again);
ATF_TC_BODY(back_again, tc)
{
	struct fixture	 f;
	struct merge	 m;
	struct stat	 before, after;

	fixture_make(&f, "store");
	put_dir(f.b.lower, "a", 0755);
	put_file(f.b.lower, "a/f", "f", 0644);
	put_dir(f.b.lower, "b", 0755);
	put_dir(f.b.lower, "b/c", 0755);
	view_start(&f, &m);
	moved(&m, "a", "x", 0);
	moved(&m, "b", "y", 0);
	moved(&m, "x", "y/c/x", 0);
	moved(&m, "y/c", "z", 0);
	moved(&m, "z/x", "a", 0);
	moved(&m, "z", "y/c", 0);
	moved(&m, "y", "b", 0);
	merge_close(&m);
	check(&f.b, "");
	ATF_REQUIRE(fstatat(f.b.lower, "a", &before, 0) == 0);
	ATF_CHECK_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	ATF_REQUIRE(fstatat(f.b.lower, "a", &after, 0) == 0);
	ATF_CHECK_EQ(before.st_ino, after.st_ino);
	fixture_remove(&f);
}

/*
 * Outsiders.  The branch has renamed "a" to "b" and written to b/f, to b/sub
 * nothing; it has changed the mode of "m" and renamed it to "n"; and it has
 * written to one name of a file with two.
 */
struct outsider {
	void		(*outside)(int);
	const char	*want;
};

static void
outside_nothing(int l)
{
	(void)l;
}

/* It goes with the directory. */
static void
outside_adds(int l)
{
	tree_write(l, "a/other", "outside");
	tree_write(l, "a/sub/other", "outside");
	tree_write(l, "a/sub/kept", "outside");
}

static void
outside_writes(int l)
{
	tree_write(l, "a/f", "outside");
}

static void
outside_deletes(int l)
{
	ATF_REQUIRE(unlinkat(l, "a/f", 0) == 0);
}

static void
outside_removes(int l)
{
	ATF_REQUIRE(unlinkat(l, "n/empty", AT_REMOVEDIR) == 0);
}

static void
outside_renames(int l)
{
	ATF_REQUIRE(renameat(l, "a", l, "elsewhere") == 0);
}

static void
outside_links(int l)
{
	ATF_REQUIRE(renameat(l, "a", l, "elsewhere") == 0);
	ATF_REQUIRE(symlinkat("elsewhere", l, "a") == 0);
}

static void
outside_mode(int l)
{
	put_mode(l, "m", 0711);
}

static void
outside_takes_name(int l)
{
	tree_write(l, "b", "outside");
}

static void
outside_takes_name_dir(int l)
{
	put_dir(l, "b", 0755);
	tree_write(l, "b/f", "outside");
}

static void
outside_name(int l)
{
	put_mode(l, "keep/hard", 0600);
}

static void
outside_in_deleted(int l)
{
	tree_write(l, "del/new", "outside");
}

static const struct outsider	outsiders[] = {
	{ outside_nothing, "" },
	{ outside_adds, "" },
	{ outside_removes, "R o\n" },
	{ outside_writes, "C b/f\n" },
	{ outside_deletes, "R b/f\n" },
	{ outside_renames, "R b\n" },
	{ outside_links, "C a\nR b\n" },
	{ outside_mode, "C n\n" },
	{ outside_takes_name, "C b\n" },
	{ outside_takes_name_dir, "C b\nC b/f\n" },
	{ outside_name, "C hard\nC keep/hard\n" },
	{ outside_in_deleted, "C del\nC del/new\n" }
};

static void
outsider_lower(int l)
{
	put_dir(l, "a", 0755);
	put_file(l, "a/f", "f", 0644);
	put_dir(l, "a/sub", 0755);
	put_file(l, "a/sub/kept", "kept", 0644);
	put_dir(l, "m", 0755);
	put_dir(l, "n", 0755);
	put_dir(l, "n/empty", 0755);
	put_dir(l, "keep", 0755);
	put_file(l, "hard", "hard", 0644);
	ATF_REQUIRE(linkat(l, "hard", l, "keep/hard", 0) == 0);
	put_dir(l, "del", 0755);
	put_dir(l, "del/in", 0755);
}

static void
outsider_work(struct merge *m)
{
	moved(m, "a", "b", 0);
	put_bytes(m, "b/f", "written");
	moved(m, "n/empty", "o", 0);
	moved(m, "n", "p", 0);
	ATF_REQUIRE(merge_chmod(m, "m", 0, 0700) == 0);
	moved(m, "m", "n", 0);
	put_bytes(m, "hard", "written");
	moved(m, "del/in", "in", 0);
	ATF_REQUIRE(merge_rmdir(m, "del") == 0);
}

static void
outsider_try(const struct outsider *o, int staged)
{
	struct fixture	 f;
	struct merge	 m;
	struct outcome	*out;
	struct stat	 st;
	char		*old;

	fixture_make(&f, "store");
	strike_get()->staged = staged;
	outsider_lower(f.b.lower);
	view_start(&f, &m);
	outsider_work(&m);
	merge_close(&m);
	o->outside(f.b.lower);
	old = tree_text(f.b.lower);
	out = run_commit(&f.b);
	ATF_CHECK_MSG(strcmp(out->conflicts, o->want) == 0,
	    "have:\n%swant:\n%s", out->conflicts, o->want);
	if (*o->want == '\0') {
		ATF_CHECK_EQ_MSG(out->result, BRANCH_COMMITTED, "%s %s: %s",
		    out->what, out->path, strerror(out->error));
		ATF_CHECK(fstatat(f.b.lower, "a", &st, 0) == -1);
		ATF_CHECK(fstatat(f.b.lower, "b/sub/kept", &st, 0) == 0);
		if (o->outside == outside_adds)
			ATF_CHECK(st.st_size == 7 && fstatat(f.b.lower,
			    "b/sub/other", &st, 0) == 0);
		free(old);
	} else {
		ATF_CHECK_EQ(out->result, BRANCH_CONFLICT);
		TREE_SAME(tree_text(f.b.lower), old);
		ATF_CHECK_EQ(run_recover(&f.b)->result, BRANCH_NOTHING);
	}
	fixture_remove(&f);
}

ATF_TC_WITHOUT_HEAD(conflicts);
ATF_TC_BODY(conflicts, tc)
{
	size_t	 i;

	for (i = 0; i < sizeof(outsiders) / sizeof(outsiders[0]); i++) {
		outsider_try(&outsiders[i], 0);
		outsider_try(&outsiders[i], 1);
	}
}

/* A branch that says what no branch can mean is not followed. */
static void
damage(const char *path, const char *value)
{
	struct branch_error	 err;
	struct fixture		 f;
	struct merge		 m;
	struct outcome		*o;
	char			*old;

	memset(&err, 0, sizeof(err));
	fixture_make(&f, "store");
	put_dir(f.b.lower, "a", 0755);
	put_dir(f.b.lower, "b", 0755);
	view_start(&f, &m);
	moved(&m, "a", "x", 0);
	moved(&m, "b", "y", 0);
	merge_close(&m);
	old = tree_text(f.b.lower);
	put_xattr(f.b.upper, path, *value == '/' ? "user.overlay.redirect" :
	    "user.overlay.sandlock", value, strlen(value));
	o = run_commit(&f.b);
	ATF_CHECK_EQ_MSG(o->result, BRANCH_FAILED, "%s", value);
	ATF_CHECK_EQ_MSG(o->error, EIO, "%s", value);
	TREE_SAME(tree_text(f.b.lower), old);
	fixture_remove(&f);
}

ATF_TC_WITHOUT_HEAD(damaged);
ATF_TC_BODY(damaged, tc)
{
	damage("x", "/");
	damage("x", "/../a");
	damage("x", "/a/");
	damage("x", "//a");
	damage("x", "/./a");
	damage("x", "/b");
	damage("x", "0755 0 0");
	damage("x", "0755 0 0 7 ");
	damage("x", "0999 0 0 7");
}

/* 3,000 levels below a directory that was renamed, and a change in the end. */
static void
deep(int staged)
{
	struct fixture	 f;
	struct merge	 m;
	struct stat	 st;
	char		*path;
	int		 d, i, next;
	const int	 levels = 3000;

	tmpfs_enter();
	strike_get()->staged = staged;
	fixture_make(&f, "store");
	put_dir(f.b.lower, "d", 0755);
	d = dir_open(f.b.lower, "d");
	for (i = 0; i < levels; i++) {
		put_dir(d, "d", 0755);
		next = dir_open(d, "d");
		close(d);
		d = next;
	}
	put_file(d, "f", "old", 0644);
	close(d);
	view_start(&f, &m);
	moved(&m, "d", "e", 0);
	ATF_REQUIRE((path = malloc(2 * levels + 4)) != NULL);
	strcpy(path, "e");
	for (i = 0; i < levels; i++)
		strcpy(path + 1 + 2 * i, "/d");
	strcpy(path + 1 + 2 * levels, "/f");
	put_bytes(&m, path, "written");
	/* One from the middle changes places with the top. */
	path[1 + 2 * 1000] = '\0';
	moved(&m, path, "m", 0);
	merge_close(&m);
	ATF_REQUIRE_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	d = dir_open(f.b.lower, "m");
	for (i = 1000; i < levels; i++) {
		next = dir_open(d, "d");
		close(d);
		d = next;
	}
	ATF_REQUIRE(fstatat(d, "f", &st, 0) == 0);
	ATF_CHECK_EQ(st.st_size, 7);
	close(d);
	ATF_CHECK(fstatat(f.b.lower, "d", &st, 0) == -1);
	ATF_CHECK(fstatat(f.b.lower, "e/d", &st, 0) == 0);
	free(path);
	fixture_remove(&f);
}

ATF_TC_WITHOUT_HEAD(deep_tree);
ATF_TC_BODY(deep_tree, tc)
{
	deep(0);
}

ATF_TC_WITHOUT_HEAD(deep_tree_staged);
ATF_TC_BODY(deep_tree_staged, tc)
{
	deep(1);
}

/* 200 renamed directories that lie in each other, on 300 descriptors. */
ATF_TC_WITHOUT_HEAD(nested);
ATF_TC_BODY(nested, tc)
{
	const struct rlimit	 limit = { 300, 300 };
	struct fixture		 f;
	struct merge		 m;
	struct stat		 st;
	char			 from[16], path[2048] = "", to[2064];
	int			 i;

	tmpfs_enter();
	fixture_make(&f, "store");
	for (i = 0; i < 200; i++) {
		snprintf(from, sizeof(from), "d%d", i);
		put_dir(f.b.lower, from, 0755);
		snprintf(to, sizeof(to), "%s/f", from);
		put_file(f.b.lower, to, from, 0644);
	}
	view_start(&f, &m);
	for (i = 0; i < 200; i++) {
		snprintf(from, sizeof(from), "d%d", i);
		snprintf(to, sizeof(to), "%s%sx", path, i == 0 ? "" : "/");
		moved(&m, from, to, 0);
		strlcpy(path, to, sizeof(path));
	}
	strlcat(path, "/f", sizeof(path));
	put_bytes(&m, path, "written");
	merge_close(&m);
	ATF_REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	ATF_REQUIRE_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	ATF_REQUIRE(fstatat(f.b.lower, path, &st, 0) == 0);
	ATF_CHECK_EQ(st.st_size, 7);
	ATF_CHECK(fstatat(f.b.lower, "d7", &st, 0) == -1);
	fixture_remove(&f);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, listed);
	ATF_TP_ADD_TC(tp, back_again);
	ATF_TP_ADD_TC(tp, conflicts);
	ATF_TP_ADD_TC(tp, damaged);
	ATF_TP_ADD_TC(tp, deep_tree);
	ATF_TP_ADD_TC(tp, deep_tree_staged);
	ATF_TP_ADD_TC(tp, nested);
	return (atf_no_error());
}
