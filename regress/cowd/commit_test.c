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
 * Commits: what they make of a working directory, and when they refuse.
 */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <linux/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "rmtree.h"
#include "strike.h"
#include "tree.h"

static void
full(const char *storage, int staged)
{
	struct fixture	 f;
	struct outcome	*o;
	char		*want;

	fixture_full(&f, storage);
	strike_get()->staged = staged;
	want = tree_merged(f.b.lower, f.b.upper);
	o = run_commit(&f.b);
	ATF_REQUIRE_MSG(o->result == BRANCH_COMMITTED, "%d %s %s: %s\n%s",
	    o->result, o->what, o->path, strerror(o->error), o->conflicts);
	TREE_SAME(tree_text(f.b.lower), strdup(want));
	/* Once more is the same, and there is nothing to recover. */
	ATF_CHECK_EQ(run_recover(&f.b)->result, BRANCH_NOTHING);
	ATF_CHECK_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	TREE_SAME(tree_text(f.b.lower), want);
	fixture_remove(&f);
}

ATF_TC_WITHOUT_HEAD(everything);
ATF_TC_BODY(everything, tc)
{
	full("store", 0);
}

ATF_TC_WITHOUT_HEAD(everything_staged);
ATF_TC_BODY(everything_staged, tc)
{
	full("store", 1);
}

ATF_TC_WITHOUT_HEAD(everything_tmpfs);
ATF_TC_BODY(everything_tmpfs, tc)
{
	if (tmpfs_mount("other") == -1)
		atf_tc_skip("no mount namespace: %s", strerror(errno));
	full("other", 0);
}

/*
 * Conflicts.  Each tree has one outsider's change among many of the branch's;
 * the control is the same commit without it.
 */
struct conflict {
	void		(*outside)(int);
	const char	*want;
};

static void
outside_nothing(int l)
{
	(void)l;
}

static void
outside_write(int l)
{
	tree_write(l, "mod", "outside");
}

static void
outside_mode(int l)
{
	put_mode(l, "mod", 0604);
}

static void
outside_deleted(int l)
{
	tree_write(l, "del", "outside");
}

static void
outside_inside(int l)
{
	tree_write(l, "deldir/sub/f", "outside");
}

static void
outside_added_inside(int l)
{
	tree_write(l, "deldir/sub/g", "outside");
}

static void
outside_opaque(int l)
{
	tree_write(l, "opaque/hidden", "outside");
}

static void
outside_removed(int l)
{
	ATF_REQUIRE(unlinkat(l, "mod", 0) == 0);
}

static void
outside_removed_dir(int l)
{
	ATF_REQUIRE(unlinkat(l, "merged/f", 0) == 0);
	ATF_REQUIRE(unlinkat(l, "merged", AT_REMOVEDIR) == 0);
}

static void
outside_added(int l)
{
	tree_write(l, "new", "outside");
}

static void
outside_added_dir(int l)
{
	put_dir(l, "newdir", 0755);
}

static void
outside_replaced(int l)
{
	tree_write(l, "tmp", "outside");
	ATF_REQUIRE(renameat(l, "tmp", l, "mod") == 0);
}

static void
outside_dir_mode(int l)
{
	put_mode(l, "merged", 0711);
}

/* What the branch knows nothing of. */
static void
outside_elsewhere(int l)
{
	tree_write(l, "other", "outside");
	tree_write(l, "keep", "outside");
	tree_write(l, "plain/other", "outside");
}

/* A name that the branch deletes too. */
static void
outside_gone_too(int l)
{
	ATF_REQUIRE(unlinkat(l, "del", 0) == 0);
}

static const struct conflict	conflicts[] = {
	{ outside_nothing, "" },
	{ outside_elsewhere, "" },
	{ outside_gone_too, "" },
	{ outside_write, "C mod\n" },
	{ outside_mode, "C mod\n" },
	{ outside_deleted, "C del\n" },
	{ outside_inside, "C deldir/sub/f\n" },
	{ outside_added_inside, "C deldir/sub\nC deldir/sub/g\n" },
	{ outside_opaque, "C opaque/hidden\n" },
	{ outside_removed, "R mod\n" },
	{ outside_removed_dir, "R merged\n" },
	{ outside_added, "A new\n" },
	{ outside_added_dir, "A newdir\n" },
	{ outside_replaced, "C mod\n" },
	{ outside_dir_mode, "C merged\n" }
};

static void
conflict_lower(int l)
{
	int	 d, e;

	put_file(l, "keep", "keep", 0644);
	put_file(l, "mod", "old", 0644);
	put_file(l, "del", "old", 0644);
	put_dir(l, "deldir", 0755);
	d = dir_open(l, "deldir");
	put_dir(d, "sub", 0755);
	e = dir_open(d, "sub");
	put_file(e, "f", "old", 0644);
	close(e);
	close(d);
	put_dir(l, "opaque", 0755);
	d = dir_open(l, "opaque");
	put_file(d, "hidden", "old", 0644);
	close(d);
	put_dir(l, "merged", 0755);
	d = dir_open(l, "merged");
	put_file(d, "f", "old", 0644);
	close(d);
	put_dir(l, "plain", 0755);
}

static void
conflict_upper(int u)
{
	int	 d;

	put_file(u, "mod", "new", 0644);
	put_origin(u, "mod");
	put_whiteout(u, "del");
	put_whiteout(u, "deldir");
	put_dir(u, "opaque", 0755);
	put_opaque(u, "opaque");
	put_file(u, "new", "new", 0644);
	put_dir(u, "newdir", 0755);
	put_dir(u, "merged", 0750);
	d = dir_open(u, "merged");
	put_file(d, "added", "new", 0644);
	close(d);
	put_origin(u, "merged");
	put_dir(u, "plain", 0755);
	d = dir_open(u, "plain");
	put_file(d, "added", "new", 0644);
	close(d);
	put_origin(u, "plain");
}

static void
conflict_try(const struct conflict *c)
{
	struct fixture	 f;
	struct outcome	*o;
	char		*old, *new;

	fixture_make(&f, "store");
	conflict_lower(f.b.lower);
	fixture_start(&f);
	conflict_upper(f.b.upper);
	c->outside(f.b.lower);
	old = tree_text(f.b.lower);
	new = tree_merged(f.b.lower, f.b.upper);
	o = run_commit(&f.b);
	ATF_CHECK_MSG(strcmp(o->conflicts, c->want) == 0,
	    "have:\n%swant:\n%s", o->conflicts, c->want);
	if (*c->want == '\0') {
		ATF_REQUIRE_EQ(o->result, BRANCH_COMMITTED);
		TREE_SAME(tree_text(f.b.lower), new);
		free(old);
	} else {
		ATF_CHECK_EQ(o->result, BRANCH_CONFLICT);
		TREE_SAME(tree_text(f.b.lower), old);
		TREE_SAME(tree_merged(f.b.lower, f.b.upper), new);
		ATF_CHECK_EQ(run_recover(&f.b)->result, BRANCH_NOTHING);
	}
	fixture_remove(&f);
}

ATF_TC_WITHOUT_HEAD(conflict);
ATF_TC_BODY(conflict, tc)
{
	size_t	 i;

	for (i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		conflict_try(&conflicts[i]);
}

/*
 * A renamed copy has no lower object either.  It is told from one whose
 * original was removed by the directory, which nobody has changed, or by what
 * it has been.
 */
ATF_TC_WITHOUT_HEAD(renamed);
ATF_TC_BODY(renamed, tc)
{
	struct fixture	 f;
	struct outcome	*o;
	int		 d, i;

	for (i = 0; i < 3; i++) {
		fixture_make(&f, "store");
		put_file(f.b.lower, "a", "old a", 0644);
		put_times(f.b.lower, "a", 1);
		put_file(f.b.lower, "b", "old b", 0644);
		put_dir(f.b.lower, "d", 0755);
		fixture_start(&f);
		put_whiteout(f.b.upper, "a");
		put_file(f.b.upper, "c", "old a", 0600);
		put_times(f.b.upper, "c", 1);
		put_origin(f.b.upper, "c");
		put_whiteout(f.b.upper, "b");
		put_dir(f.b.upper, "d", 0755);
		put_origin(f.b.upper, "d");
		d = dir_open(f.b.upper, "d");
		put_file(d, "written", "new b", 0644);
		put_origin(d, "written");
		close(d);
		if (i == 1)
			tree_write(f.b.lower, "other", "outside");
		if (i == 2)
			tree_write(f.b.lower, "d/other", "outside");
		o = run_commit(&f.b);
		ATF_CHECK_EQ(o->result, i < 2 ? BRANCH_COMMITTED :
		    BRANCH_CONFLICT);
		ATF_CHECK_MSG(strcmp(o->conflicts, i < 2 ? "" :
		    "R d/written\n") == 0, "%s", o->conflicts);
		fixture_remove(&f);
	}
}

/* Outsiders at work between the steps. */
static int	 hook_count, hook_at, hook_lower;

static void
hook_swap(const char *name)
{
	if (strcmp(name, "fs_rename") != 0 || ++hook_count != hook_at)
		return;
	if (renameat(hook_lower, "merged", hook_lower, "away") == -1 ||
	    symlinkat("../outside", hook_lower, "merged") == -1)
		_exit(255);
}

/* How many of its three changes a directory has. */
static int
merged_changes(int dir)
{
	struct stat	 st;

	return ((fstatat(dir, "a", &st, 0) == 0) +
	    (fstatat(dir, "d", &st, 0) == -1) +
	    (fstatat(dir, "m", &st, 0) == 0 && st.st_size == 5));
}

/*
 * The plan's directory is a link by now: nothing goes where that leads, and
 * no more than the step under way into the directory that was moved.
 */
ATF_TC_WITHOUT_HEAD(link_swapped);
ATF_TC_BODY(link_swapped, tc)
{
	struct fixture	 f;
	struct outcome	*o;
	char		*old, *new, *empty, *out;
	int		 d, i, n, outside, refused = 0;

	for (n = 1; n < 9; n++) {
		fixture_make(&f, "store");
		put_dir(AT_FDCWD, "outside", 0755);
		outside = dir_open(AT_FDCWD, "outside");
		put_file(outside, "m", "outside", 0644);
		empty = tree_text(outside);
		put_dir(f.b.lower, "merged", 0755);
		d = dir_open(f.b.lower, "merged");
		put_file(d, "m", "old", 0644);
		put_file(d, "d", "old", 0644);
		close(d);
		old = tree_text(f.b.lower);
		fixture_start(&f);
		put_dir(f.b.upper, "merged", 0755);
		d = dir_open(f.b.upper, "merged");
		put_file(d, "a", "new", 0644);
		put_file(d, "m", "newer", 0644);
		put_whiteout(d, "d");
		close(d);
		put_file(f.b.upper, "z", "new", 0644);
		new = tree_merged(f.b.lower, f.b.upper);
		hook_count = 0;
		hook_at = n;
		hook_lower = f.b.lower;
		strike_hook = hook_swap;
		strike_set(STRIKE_HOOK, 0, 0);
		o = run_commit(&f.b);
		strike_set(STRIKE_NONE, 0, 0);
		out = tree_text(outside);
		TREE_SAME(out, empty);
		if (o->result != BRANCH_COMMITTED)
			refused++;
		/* The first rename is the journal's. */
		if (n < 5) {
			d = dir_open(f.b.lower, "away");
			ATF_CHECK_EQ(merged_changes(d), n - 1);
			close(d);
		}
		/* The outsider puts it back. */
		if (unlinkat(f.b.lower, "merged", 0) == 0)
			ATF_REQUIRE(renameat(f.b.lower, "away", f.b.lower,
			    "merged") == 0);
		i = run_recover(&f.b)->result;
		ATF_CHECK(i != BRANCH_UNFINISHED && i != BRANCH_FAILED);
		out = tree_text(f.b.lower);
		/* Both times of the top are the outsider's by now. */
		ATF_CHECK(strcmp(strchr(out, '\n'), strchr(old, '\n')) == 0 ||
		    strcmp(strchr(out, '\n'), strchr(new, '\n')) == 0);
		free(out);
		free(old);
		free(new);
		close(outside);
		fixture_remove(&f);
		ATF_REQUIRE(unlink("outside/m") == 0 &&
		    rmdir("outside") == 0);
	}
	ATF_CHECK(refused >= 4);
}

static void
hook_write(const char *name)
{
	if (strcmp(name, "fs_rename") == 0 && ++hook_count == hook_at)
		tree_write(hook_lower, "b", "outside");
}

/* An object that is changed after it was looked at is not lost. */
ATF_TC_WITHOUT_HEAD(written_meanwhile);
ATF_TC_BODY(written_meanwhile, tc)
{
	struct fixture	 f;
	struct outcome	*o;
	char		 buf[16] = "";
	int		 fd;

	fixture_make(&f, "store");
	put_file(f.b.lower, "a", "old", 0644);
	put_file(f.b.lower, "b", "old", 0644);
	fixture_start(&f);
	put_file(f.b.upper, "a", "new", 0644);
	put_file(f.b.upper, "b", "new", 0644);
	hook_count = 0;
	/* The first one is the journal's. */
	hook_at = 2;
	hook_lower = f.b.lower;
	strike_hook = hook_write;
	strike_set(STRIKE_HOOK, 0, 0);
	o = run_commit(&f.b);
	strike_set(STRIKE_NONE, 0, 0);
	ATF_CHECK_EQ(o->result, BRANCH_FAILED);
	ATF_CHECK_EQ(o->error, ESTALE);
	ATF_CHECK_MSG(strcmp(o->path, "b") == 0, "%s", o->path);
	ATF_REQUIRE((fd = openat(f.b.lower, "b", O_RDONLY)) != -1);
	ATF_REQUIRE(read(fd, buf, sizeof(buf) - 1) != -1);
	close(fd);
	ATF_CHECK(strcmp(buf, "outside") == 0);
	/* And it is a conflict from now on, alone. */
	o = run_commit(&f.b);
	ATF_CHECK_EQ(o->result, BRANCH_CONFLICT);
	ATF_CHECK_MSG(strcmp(o->conflicts, "C b\n") == 0, "%s", o->conflicts);
	fixture_remove(&f);
}

/* 10,000 levels, a change in each thousandth. */
static void
deep(int staged)
{
	struct fixture	 f;
	struct stat	 st;
	int		 d[2], i, next, side;

	tmpfs_enter();
	strike_get()->staged = staged;
	fixture_make(&f, "store");
	for (side = 0; side < 2; side++) {
		d[side] = dup(side ? f.b.upper : f.b.lower);
		for (i = 0; i < 10000; i++) {
			/* The last third is new. */
			if (side == 0 && i == 6666)
				break;
			if (side == 1 && i % 1000 == 0)
				put_file(d[1], "f", "", 0600);
			put_dir(d[side], "d", 0755);
			next = dir_open(d[side], "d");
			if (i % 1500 == 0)
				put_mode(d[side], "d", 0500);
			close(d[side]);
			d[side] = next;
		}
		close(d[side]);
		if (side == 0)
			fixture_start(&f);
	}
	ATF_REQUIRE_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	d[0] = dup(f.b.lower);
	for (i = 0; i < 10000; i++) {
		if (i % 1000 == 0)
			ATF_REQUIRE(fstatat(d[0], "f", &st, 0) == 0);
		ATF_REQUIRE_MSG((next = openat(d[0], "d", O_PATH)) != -1,
		    "%d", i);
		ATF_REQUIRE(fstat(next, &st) == 0);
		ATF_CHECK_EQ(st.st_mode & 0777, i % 1500 == 0 ? 0500 : 0755);
		close(d[0]);
		d[0] = next;
	}
	close(d[0]);
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

ATF_TC_WITHOUT_HEAD(wide_tree);
ATF_TC_BODY(wide_tree, tc)
{
	struct fixture	 f;
	struct stat	 st;
	char		 name[32];
	int		 d, i;

	tmpfs_enter();
	fixture_make(&f, "store");
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put_file(f.b.lower, name, "", 0644);
	}
	fixture_start(&f);
	put_dir(f.b.upper, "n", 0755);
	d = dir_open(f.b.upper, "n");
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put_file(d, name, "", 0644);
		if (i % 2)
			put_whiteout(f.b.upper, name);
		else
			put_file(f.b.upper, name, "new", 0644);
	}
	close(d);
	ATF_REQUIRE_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		if (i % 2)
			ATF_CHECK(fstatat(f.b.lower, name, &st, 0) == -1);
		else
			ATF_CHECK(fstatat(f.b.lower, name, &st, 0) == 0 &&
			    st.st_size == 3);
	}
	fixture_remove(&f);
}

/* A terabyte of nothing costs nothing, copied or moved. */
ATF_TC_WITHOUT_HEAD(terabyte);
ATF_TC_BODY(terabyte, tc)
{
	struct fixture	 f;
	struct stat	 st;
	char		 buf[4] = "";
	int		 fd;

	fixture_make(&f, "store");
	fixture_start(&f);
	ATF_REQUIRE((fd = openat(f.b.upper, "s", O_RDWR | O_CREAT, 0644)) !=
	    -1);
	ATF_REQUIRE(ftruncate(fd, (off_t)1 << 40) == 0);
	ATF_REQUIRE(pwrite(fd, "end", 3, ((off_t)1 << 40) - 3) == 3);
	close(fd);
	strike_get()->staged = 1;
	ATF_REQUIRE_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	ATF_REQUIRE((fd = openat(f.b.lower, "s", O_RDONLY)) != -1);
	ATF_REQUIRE(fstat(fd, &st) == 0);
	ATF_CHECK_EQ(st.st_size, (off_t)1 << 40);
	ATF_CHECK(st.st_blocks < 1000);
	ATF_REQUIRE(pread(fd, buf, 3, ((off_t)1 << 40) - 3) == 3);
	ATF_CHECK(strcmp(buf, "end") == 0);
	close(fd);
	fixture_remove(&f);
}

static int
branch_reopen(struct branch *b)
{
	return (openat(b->lower, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

ATF_TC_WITHOUT_HEAD(locked);
ATF_TC_BODY(locked, tc)
{
	struct branch_error	 err;
	struct branch		 other;
	struct fixture		 f;

	memset(&err, 0, sizeof(err));
	fixture_make(&f, "store");
	fixture_start(&f);
	other = f.b;
	ATF_REQUIRE((other.lower = branch_reopen(&f.b)) != -1);
	ATF_REQUIRE_EQ(branch_lock(&other, 0, &err), 0);
	ATF_CHECK_EQ(branch_lock(&f.b, 60, &err), -1);
	ATF_CHECK_EQ(err.error, EWOULDBLOCK);
	branch_unlock(&other);
	ATF_CHECK_EQ(branch_lock(&f.b, 0, &err), 0);
	branch_unlock(&f.b);
	branch_error_clear(&err);
	close(other.lower);
	ATF_CHECK_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	fixture_remove(&f);
}

static int
refuses_bad(const char *path, enum branch_touch touch)
{
	(void)touch;
	return (strcmp(path, "dir/bad") == 0);
}

static int
refuses_loss(const char *path, enum branch_touch touch)
{
	return (touch == TOUCH_GOES && strcmp(path, "dir/bad") == 0);
}

ATF_TC(protected);
ATF_TC_HEAD(protected, tc)
{
	atf_tc_set_md_var(tc, "descr", "a branch that changes what the policy "
	    "protects is not committed, and the journal is not begun");
}
ATF_TC_BODY(protected, tc)
{
	static int	 (*const refuses[])(const char *, enum branch_touch) = {
		refuses_bad, refuses_loss, NULL
	};
	struct fixture	 f;
	struct outcome	*o;
	char		*before;
	size_t		 i;

	tmpfs_enter();
	for (i = 0; i < 3; i++) {
		fixture_make(&f, "store");
		put_dir(f.b.lower, "dir", 0755);
		put_file(f.b.lower, "dir/bad", "bad", 0644);
		fixture_start(&f);
		put_dir(f.b.upper, "dir", 0755);
		put_whiteout(f.b.upper, "dir/bad");
		put_file(f.b.upper, "other", "new", 0644);
		before = tree_text(f.b.lower);
		f.b.refuses = refuses[i];
		o = run_commit(&f.b);
		if (refuses[i] != NULL) {
			ATF_CHECK_EQ(o->result, BRANCH_FAILED);
			ATF_CHECK_EQ(o->error, EACCES);
			ATF_CHECK_STREQ(o->path, "dir/bad");
			TREE_SAME(tree_text(f.b.lower), before);
		} else {
			ATF_CHECK_EQ(o->result, BRANCH_COMMITTED);
			ATF_CHECK_EQ(faccessat(f.b.lower, "dir/bad", F_OK, 0),
			    -1);
			ATF_CHECK_EQ(faccessat(f.b.lower, "other", F_OK, 0),
			    0);
			free(before);
		}
		fixture_remove(&f);
	}
}

/* A journal that ends early was never begun; a damaged one is not followed. */
ATF_TC_WITHOUT_HEAD(journals);
ATF_TC_BODY(journals, tc)
{
	struct branch_error	 err;
	struct fixture		 f;
	struct outcome		*o;
	struct stat		 st;
	char			*bytes;
	int			 fd, i;

	tmpfs_enter();
	fixture_full(&f, "store");
	strike_set(STRIKE_DIE, 100, 0);
	ATF_REQUIRE_EQ(run_commit(&f.b)->result, (enum branch_result)-1);
	strike_set(STRIKE_NONE, 0, 0);
	ATF_REQUIRE((fd = openat(f.b.dir, "journal", O_RDWR)) != -1);
	ATF_REQUIRE(fstat(fd, &st) == 0);
	ATF_REQUIRE((bytes = malloc(st.st_size)) != NULL);
	ATF_REQUIRE(read(fd, bytes, st.st_size) == st.st_size);
	/* Half done: neither given up nor begun again. */
	memset(&err, 0, sizeof(err));
	ATF_CHECK_EQ(branch_abort(&f.b, &err), BRANCH_FAILED);
	ATF_CHECK_EQ(err.error, EBUSY);
	branch_error_clear(&err);
	o = run_commit(&f.b);
	ATF_CHECK_EQ(o->result, BRANCH_UNFINISHED);
	ATF_CHECK_EQ(o->error, EBUSY);
	for (i = 0; i < st.st_size; i += i < 64 ? 1 : 97) {
		/* The state is what it says. */
		if (i >= 20 && i < 24)
			continue;
		bytes[i] ^= 1;
		ATF_REQUIRE(pwrite(fd, bytes + i, 1, i) == 1);
		o = run_recover(&f.b);
		ATF_REQUIRE_MSG(o->result == BRANCH_FAILED, "%d", i);
		bytes[i] ^= 1;
		ATF_REQUIRE(pwrite(fd, bytes + i, 1, i) == 1);
	}
	close(fd);
	ATF_CHECK_EQ(run_recover(&f.b)->result, BRANCH_COMMITTED);
	fixture_remove(&f);

	for (i = 0; i < st.st_size; i += 31) {
		fixture_make(&f, "store");
		fixture_start(&f);
		ATF_REQUIRE((fd = openat(f.b.dir, "journal", O_RDWR | O_CREAT,
		    0600)) != -1);
		ATF_REQUIRE(write(fd, bytes, i) == i);
		close(fd);
		ATF_REQUIRE_EQ(run_recover(&f.b)->result, BRANCH_NOTHING);
		ATF_CHECK_EQ(faccessat(f.b.dir, "journal", F_OK, 0), -1);
		fixture_remove(&f);
	}
	free(bytes);
}

ATF_TC_WITHOUT_HEAD(aborted);
ATF_TC_BODY(aborted, tc)
{
	struct branch_error	 err;
	struct fixture		 f;

	memset(&err, 0, sizeof(err));
	fixture_full(&f, "store");
	ATF_CHECK_EQ(branch_abort(&f.b, &err), BRANCH_ABORTED);
	TREE_SAME(tree_text(f.b.lower), strdup(f.old));
	fixture_remove(&f);
}

/* What a workload does, on the mounted overlay. */
static void
overlay_work(int m)
{
	int	 d, e;

	tree_write(m, "mod", "written in the branch");
	put_mode(m, "keep", 0600);
	ATF_REQUIRE(renameat(m, "gone", m, "here") == 0);
	ATF_REQUIRE(renameat(m, "m000", m, "copied") == 0);
	ATF_REQUIRE(unlinkat(m, "f2d", 0) == 0);
	put_dir(m, "f2d", 0711);
	d = dir_open(m, "f2d");
	ATF_REQUIRE(renameat(m, "here", d, "here") == 0);
	put_file(d, "ro", "x", 0444);
	close(d);
	put_mode(m, "hard1", 0444);
	ATF_REQUIRE(linkat(m, "hard2", m, "hard4", 0) == 0);
	ATF_REQUIRE(linkat(m, "hard2", m, "f2d/hard5", 0) == 0);
	ATF_REQUIRE(unlinkat(m, "link", 0) == 0);
	ATF_REQUIRE(symlinkat("/etc", m, "link") == 0);
	d = dir_open(m, "opaque");
	ATF_REQUIRE(unlinkat(d, "both", 0) == 0);
	ATF_REQUIRE(unlinkat(d, "hidden", 0) == 0);
	close(d);
	ATF_REQUIRE(unlinkat(m, "opaque", AT_REMOVEDIR) == 0);
	put_dir(m, "opaque", 0700);
	d = dir_open(m, "opaque");
	put_file(d, "both", "new", 0644);
	close(d);
	put_dir(m, "fresh", 0755);
	d = dir_open(m, "fresh");
	ATF_REQUIRE(renameat(m, "merged/mod", d, "moved") == 0);
	put_dir(d, "sub", 0755);
	e = dir_open(d, "sub");
	put_file(e, "f", "f", 0600);
	close(e);
	ATF_REQUIRE(mkfifoat(d, "fifo", 0600) == 0);
	close(d);
	ATF_REQUIRE(renameat(m, "fresh", m, "fresh2") == 0);
	put_mode(m, "fresh2", 0555);
	d = dir_open(m, "merged/deep");
	put_file(d, "mod", "deep", 0644);
	put_times(d, "mod", 77);
	put_xattr(d, "mod", "user.a", "value", 5);
	close(d);
	ATF_REQUIRE(unlinkat(m, "merged/del", 0) == 0);
	put_mode(m, "merged/deep", 0750);
	put_times(m, "merged/deep", 78);
	put_times(m, ".", 79);
}

/* The kernel's own branch, mounted as the product mounts it. */
static void
overlay(int staged)
{
	struct fixture	 f;
	struct outcome	*o;
	char		*want;
	int		 m;

	if (mounts_own() == -1)
		atf_tc_skip("no mount namespace: %s", strerror(errno));
	fixture_full(&f, "store");
	/* What fixture_full() had put there. */
	close(f.b.upper);
	ATF_REQUIRE(rmtree(f.b.dir, "upper") == 0);
	put_dir(f.b.dir, "upper", 0755);
	f.b.upper = dir_open(f.b.dir, "upper");
	if (mount("overlay", "lower", "overlay", 0, "userxattr,index=off,"
	    "metacopy=off,lowerdir=lower,upperdir=store/branch/upper,"
	    "workdir=store/branch/work") == -1)
		atf_tc_skip("no overlayfs: %s", strerror(errno));
	m = dir_open(AT_FDCWD, "lower");
	overlay_work(m);
	want = tree_text(m);
	close(m);
	ATF_REQUIRE(umount("lower") == 0);
	TREE_SAME(tree_merged(f.b.lower, f.b.upper), strdup(want));
	strike_get()->staged = staged;
	o = run_commit(&f.b);
	ATF_REQUIRE_MSG(o->result == BRANCH_COMMITTED, "%d %s %s: %s\n%s",
	    o->result, o->what, o->path, strerror(o->error), o->conflicts);
	TREE_SAME(tree_text(f.b.lower), want);
	fixture_remove(&f);
}

ATF_TC_WITHOUT_HEAD(overlayfs);
ATF_TC_BODY(overlayfs, tc)
{
	overlay(0);
}

ATF_TC_WITHOUT_HEAD(overlayfs_staged);
ATF_TC_BODY(overlayfs_staged, tc)
{
	overlay(1);
}

static void
immutable(const char *path, int on)
{
	int	 fd, flags;

	ATF_REQUIRE((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == -1)
		atf_tc_skip("no inode flags here: %s", strerror(errno));
	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) == -1)
		atf_tc_skip("no immutable files here: %s", strerror(errno));
	close(fd);
}

/* What the system refuses in the middle is said by name, and undone. */
ATF_TC(refused);
ATF_TC_HEAD(refused, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(refused, tc)
{
	struct fixture	 f;
	struct outcome	*o;

	fixture_full(&f, "store");
	immutable("lower/merged/deep", 1);
	/* Not an outsider's change for this test. */
	f.b.start.tv_sec += 10;
	o = run_commit(&f.b);
	immutable("lower/merged/deep", 0);
	ATF_CHECK_EQ(o->result, BRANCH_FAILED);
	ATF_CHECK_EQ(o->error, EPERM);
	ATF_CHECK_MSG(strncmp(o->path, "merged/deep/", 12) == 0, "%s",
	    o->path);
	TREE_SAME(tree_text(f.b.lower), strdup(f.old));
	ATF_CHECK_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	fixture_remove(&f);
}

/* A real lack of room, where the copies are made. */
ATF_TC_WITHOUT_HEAD(no_space);
ATF_TC_BODY(no_space, tc)
{
	struct fixture	 f;
	struct outcome	*o;
	char		*old, *new, bytes[4096];
	int		 fd, i;

	if (tmpfs_mount("small") == -1)
		atf_tc_skip("no mount namespace: %s", strerror(errno));
	ATF_REQUIRE(mkdir("store", 0700) == 0 && chdir("small") == 0);
	ATF_REQUIRE(mount("none", ".", NULL, MS_REMOUNT,
	    "mode=0700,size=400k") == 0);
	fixture_make(&f, "../store");
	put_file(f.b.lower, "f", "old", 0644);
	put_file(f.b.lower, "g", "old", 0644);
	old = tree_text(f.b.lower);
	fixture_start(&f);
	put_file(f.b.upper, "f", "new", 0644);
	ATF_REQUIRE((fd = openat(f.b.upper, "g", O_WRONLY | O_CREAT, 0644)) !=
	    -1);
	memset(bytes, 'x', sizeof(bytes));
	for (i = 0; i < 150; i++)
		ATF_REQUIRE(write(fd, bytes, sizeof(bytes)) ==
		    sizeof(bytes));
	close(fd);
	new = tree_merged(f.b.lower, f.b.upper);
	o = run_commit(&f.b);
	ATF_CHECK_EQ(o->result, BRANCH_FAILED);
	ATF_CHECK_EQ(o->error, ENOSPC);
	ATF_CHECK_MSG(strcmp(o->path, "g") == 0, "%s", o->path);
	TREE_SAME(tree_text(f.b.lower), old);
	ATF_REQUIRE(mount("none", ".", NULL, MS_REMOUNT,
	    "mode=0700,size=4m") == 0);
	ATF_CHECK_EQ(run_commit(&f.b)->result, BRANCH_COMMITTED);
	TREE_SAME(tree_text(f.b.lower), new);
	fixture_remove(&f);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, overlayfs);
	ATF_TP_ADD_TC(tp, overlayfs_staged);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, no_space);
	ATF_TP_ADD_TC(tp, everything);
	ATF_TP_ADD_TC(tp, everything_staged);
	ATF_TP_ADD_TC(tp, everything_tmpfs);
	ATF_TP_ADD_TC(tp, conflict);
	ATF_TP_ADD_TC(tp, renamed);
	ATF_TP_ADD_TC(tp, link_swapped);
	ATF_TP_ADD_TC(tp, written_meanwhile);
	ATF_TP_ADD_TC(tp, deep_tree);
	ATF_TP_ADD_TC(tp, deep_tree_staged);
	ATF_TP_ADD_TC(tp, wide_tree);
	ATF_TP_ADD_TC(tp, terabyte);
	ATF_TP_ADD_TC(tp, locked);
	ATF_TP_ADD_TC(tp, protected);
	ATF_TP_ADD_TC(tp, journals);
	ATF_TP_ADD_TC(tp, aborted);
	return (atf_no_error());
}
