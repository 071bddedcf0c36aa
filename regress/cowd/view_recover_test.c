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
 * The same as recover_test for a branch that the merged view has written: with
 * directories that were renamed, exchanged and moved below each other, a file
 * whose other names are elsewhere, and modes that are not the real ones.
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

#include "merge.h"
#include "merge_tree.h"
#include "recover.h"

static void
lower_dirs(int l)
{
	put_dir(l, "a", 0755);
	put_dir(l, "a/sub", 0755);
	put_dir(l, "a/sub/d", 0755);
	put_file(l, "a/f", "a f", 0644);
	put_file(l, "a/sub/x", "x", 0644);
	put_file(l, "a/sub/d/y", "y", 0400);
	put_dir(l, "b", 0750);
	put_file(l, "b/g", "b g", 0644);
	put_dir(l, "c", 0755);
	put_dir(l, "c/in", 0700);
	put_file(l, "c/in/z", "z", 0644);
	put_file(l, "c/stays", "stays", 0644);
	put_dir(l, "ro", 0755);
	put_file(l, "ro/f", "f", 0444);
	put_dir(l, "ro/m", 0755);
	put_file(l, "ro/m/w", "w", 0644);
	put_dir(l, "del", 0755);
	put_dir(l, "del/kept", 0755);
	put_file(l, "del/kept/k", "k", 0644);
	put_file(l, "del/gone", "gone", 0644);
	put_dir(l, "names", 0755);
	put_dir(l, "names/deep", 0755);
	put_dir(l, "over", 0755);
}

/* A file with four names, and times that are known again. */
static void
lower_make(int l)
{
	static const char *const	 paths[] = {
		"a/f", "a/sub/d/y", "a/sub/d", "a/sub/x", "a/sub", "a", "b/g",
		"b/hard", "b", "c/in/z", "c/in", "c/stays", "c", "ro/f",
		"ro/m/w", "ro/m", "ro", "del/kept/k", "del/kept", "del/gone",
		"del", "names/deep", "names", "over", "."
	};
	size_t				 i;

	lower_dirs(l);
	put_file(l, "b/hard", "hard", 0644);
	ATF_REQUIRE(linkat(l, "b/hard", l, "a/hard", 0) == 0);
	ATF_REQUIRE(linkat(l, "b/hard", l, "names/deep/hard", 0) == 0);
	ATF_REQUIRE(linkat(l, "b/hard", l, "hard", 0) == 0);
	put_mode(l, "ro/m", 0555);
	put_mode(l, "ro", 0555);
	put_mode(l, "names/deep", 0555);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		put_times(l, paths[i], i);
}

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

static void
changed_mode(struct merge *m, const char *path, mode_t mode)
{
	ATF_REQUIRE_MSG(merge_chmod(m, path, 0, mode) == 0, "%s: %s", path,
	    strerror(errno));
}

/* What the workload does. */
static void
work(struct merge *m)
{
	/* Two that change places; then a directory of one leaves it. */
	moved(m, "a", "b", RENAME_EXCHANGE);
	put_bytes(m, "b/f", "a f, written as b/f");
	put_bytes(m, "a/new", "new in what was b");
	ATF_REQUIRE(merge_unlink(m, "b/sub/x") == 0);
	/* A new directory with moved ones in it, one below the other. */
	ATF_REQUIRE(merge_mkdir(m, "fresh", 0755, 022) == 0);
	ATF_REQUIRE(merge_mkdir(m, "fresh/deep", 0755, 022) == 0);
	moved(m, "c/in", "c2", 0);
	moved(m, "c", "fresh/deep/c", 0);
	moved(m, "b/sub/d", "fresh/deep/c/d", 0);
	put_bytes(m, "fresh/deep/c/added", "added");
	put_bytes(m, "fresh/plain", "plain");
	/* Its old name is used again, and so is an empty one's. */
	ATF_REQUIRE(merge_mkdir(m, "c", 0711, 022) == 0);
	put_bytes(m, "c/f", "another c");
	moved(m, "c2", "over", 0);
	put_bytes(m, "over/z", "z in over");
	/* A chain, in and out of directories that deny it. */
	moved(m, "ro", "ro2", 0);
	changed_mode(m, "ro2", 0700);
	changed_mode(m, "ro2/m", 0755);
	moved(m, "ro2/m", "m", 0);
	changed_mode(m, "m", 0500);
	put_bytes(m, "m/w", "w in m");
	changed_mode(m, "ro2", 0311);
	moved(m, "ro2", "ro3", 0);
	/* Moved out of what is deleted. */
	moved(m, "del/kept", "kept", 0);
	ATF_REQUIRE(merge_unlink(m, "del/gone") == 0);
	ATF_REQUIRE(merge_rmdir(m, "del") == 0);
	/* One name is written to: the others are far away. */
	put_bytes(m, "a/hard", "hard, written");
	changed_mode(m, "a/hard", 0440);
	ATF_REQUIRE(merge_unlink(m, "hard") == 0);
	changed_mode(m, "fresh/deep", 0555);
	changed_mode(m, "fresh", 0500);
	changed_mode(m, ".", 0555);
}

static int
work_child(void *arg)
{
	struct fixture	*f = arg;
	struct merge	 m;

	ATF_REQUIRE(merge_init(&m, f->b.lower, f->b.dir) == 0);
	work(&m);
	merge_close(&m);
	return (0);
}

static void
view_make(struct fixture *f)
{
	fixture_make(f, "store");
	lower_make(f->b.lower);
	f->old = tree_text(f->b.lower);
	fixture_start(f);
	ATF_REQUIRE_EQ(in_child(work_child, f), 0);
}

static char *
view_view(const struct branch *b)
{
	struct merge	 m;
	char		*text;

	ATF_REQUIRE(merge_init_read(&m, b->lower, b->dir) == 0);
	text = view_text(&m, TREE_CRASH);
	merge_close(&m);
	return (text);
}

static char *
view_plain(int dir)
{
	char	*text;
	int	 cwd;

	ATF_REQUIRE((cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) != -1);
	ATF_REQUIRE(fchdir(dir) == 0);
	text = view_text(NULL, TREE_CRASH);
	ATF_REQUIRE(fchdir(cwd) == 0);
	close(cwd);
	return (text);
}

static const struct subject_kind	view = {
	view_make, view_view, view_plain
};

ATF_TC_WITHOUT_HEAD(killed);
ATF_TC_BODY(killed, tc)
{
	die_everywhere(&view, 0);
}

ATF_TC_WITHOUT_HEAD(killed_staged);
ATF_TC_BODY(killed_staged, tc)
{
	die_everywhere(&view, 1);
}

ATF_TC_WITHOUT_HEAD(recover_killed);
ATF_TC_BODY(recover_killed, tc)
{
	recover_dies(&view, 0, 23);
}

ATF_TC_WITHOUT_HEAD(recover_killed_staged);
ATF_TC_BODY(recover_killed_staged, tc)
{
	recover_dies(&view, 1, 61);
}

ATF_TC_WITHOUT_HEAD(failed);
ATF_TC_BODY(failed, tc)
{
	fail_everywhere(&view, 0, STRIKE_FAIL, ENOSPC, 3);
}

ATF_TC_WITHOUT_HEAD(failed_staged);
ATF_TC_BODY(failed_staged, tc)
{
	fail_everywhere(&view, 1, STRIKE_FAIL, EIO, 5);
}

ATF_TC_WITHOUT_HEAD(failing_on);
ATF_TC_BODY(failing_on, tc)
{
	fail_everywhere(&view, 0, STRIKE_FAIL_ON, EIO, 7);
}

ATF_TC_WITHOUT_HEAD(failing_on_staged);
ATF_TC_BODY(failing_on_staged, tc)
{
	fail_everywhere(&view, 1, STRIKE_FAIL_ON, EDQUOT, 11);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, killed_staged);
	ATF_TP_ADD_TC(tp, recover_killed);
	ATF_TP_ADD_TC(tp, recover_killed_staged);
	ATF_TP_ADD_TC(tp, failed);
	ATF_TP_ADD_TC(tp, failed_staged);
	ATF_TP_ADD_TC(tp, failing_on);
	ATF_TP_ADD_TC(tp, failing_on_staged);
	return (atf_no_error());
}
