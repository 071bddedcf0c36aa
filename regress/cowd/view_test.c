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
 * Commits of branches that the merged view has written: directories that were
 * renamed, files with several names, modes that are not the real ones.  What
 * comes of it is what the same calls make of a twin of the working directory.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "branch.h"
#include "merge.h"
#include "merge_diff.h"
#include "merge_tree.h"
#include "rmtree.h"
#include "strike.h"

/* Lines "T  path", which sort by the path. */
struct lines {
	char	**list;
	size_t	  n;
};

static void
lines_add(struct lines *l, char type, const char *path)
{
	if ((l->list = reallocarray(l->list, l->n + 1,
	    sizeof(*l->list))) == NULL ||
	    asprintf(&l->list[l->n++], "%c  %s", type, path) == -1)
		die("lines");
}

static int
line_compare(const void *a, const void *b)
{
	const char	*const *la = a, *const *lb = b;

	return (strcmp(*la + 3, *lb + 3));
}

static void
lines_free(struct lines *l)
{
	while (l->n > 0)
		free(l->list[--l->n]);
	free(l->list);
	l->list = NULL;
}

/* The real difference of two trees. */
struct trees {
	int		 at[2];		/* before, after */
	struct lines	 lines;
};

static int
same_xattr(const struct trees *t, const char *path, const char *name)
{
	char	 proc[2][PATH_MAX], value[2][64];
	ssize_t	 n[2];
	int	 i;

	for (i = 0; i < 2; i++) {
		snprintf(proc[i], sizeof(proc[i]), "/proc/self/fd/%d/%s",
		    t->at[i], path);
		n[i] = lgetxattr(proc[i], name, value[i], sizeof(value[i]));
	}
	return (n[0] == n[1] && (n[0] <= 0 ||
	    memcmp(value[0], value[1], n[0]) == 0));
}

static int
same_bytes(const struct trees *t, const char *path, const struct stat *st)
{
	char	 buf[2][8192];
	ssize_t	 n[2];
	int	 fd, i;

	for (i = 0; i < 2; i++) {
		if (S_ISLNK(st->st_mode)) {
			n[i] = readlinkat(t->at[i], path, buf[i],
			    sizeof(buf[i]));
			continue;
		}
		if ((fd = openat(t->at[i], path, O_RDONLY | O_CLOEXEC)) == -1)
			return (0);
		n[i] = read(fd, buf[i], sizeof(buf[i]));
		close(fd);
	}
	return (n[0] == n[1] && memcmp(buf[0], buf[1], n[0]) == 0);
}

static int
same(const struct trees *t, const char *path, const struct stat *a,
    const struct stat *b)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid ||
	    a->st_gid != b->st_gid || !same_xattr(t, path, "user.t") ||
	    !same_xattr(t, path, "user.u") ||
	    !same_xattr(t, path, "system.posix_acl_access") ||
	    !same_xattr(t, path, "system.posix_acl_default"))
		return (0);
	if (S_ISREG(a->st_mode))
		return (a->st_size == b->st_size && same_bytes(t, path, a));
	return (!S_ISLNK(a->st_mode) || same_bytes(t, path, a));
}

static int
name_compare(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

/* The names of a directory of a tree. */
static int
names_add(struct trees *t, int i, const char *path, char **names, int n)
{
	struct dirent	*de;
	DIR		*d;
	int		 fd;

	if ((fd = openat(t->at[i], path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return (n);
	if ((d = fdopendir(fd)) == NULL)
		die(path);
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 && n < 256 &&
		    (names[n++] = strdup(de->d_name)) == NULL)
			die("strdup");
	closedir(d);
	return (n);
}

static void	 trees_dir(struct trees *, const char *, const int [2]);

/* in: whether the directory that it is in is one, on each side. */
static void
trees_name(struct trees *t, const char *path, const int in[2])
{
	struct stat	 st[2];
	int		 dir[2], i, there[2];

	for (i = 0; i < 2; i++) {
		there[i] = in[i] && fstatat(t->at[i], path, &st[i],
		    AT_SYMLINK_NOFOLLOW) == 0;
		dir[i] = there[i] && S_ISDIR(st[i].st_mode);
	}
	if (!there[0] && !there[1])
		return;
	if (!there[0] || !there[1])
		lines_add(&t->lines, there[0] ? 'D' : 'A', path);
	else if ((st[0].st_mode & S_IFMT) != (st[1].st_mode & S_IFMT))
		lines_add(&t->lines, 'T', path);
	else if (!same(t, path, &st[0], &st[1]))
		lines_add(&t->lines, 'M', path);
	/* What is compared by now need not keep its mode. */
	if (dir[1] && (st[1].st_mode & 0700) != 0700 &&
	    st[1].st_uid == geteuid())
		(void)fchmodat(t->at[1], path, 0700, 0);
	if (dir[0] || dir[1])
		trees_dir(t, path, dir);
}

static void
trees_dir(struct trees *t, const char *path, const int dir[2])
{
	char	*names[256], below[PATH_MAX];
	int	 i, n = 0;

	for (i = 0; i < 2; i++)
		if (dir[i])
			n = names_add(t, i, path, names, n);
	qsort(names, n, sizeof(*names), name_compare);
	for (i = 0; i < n; i++) {
		if (strcmp(path, ".") == 0)
			strlcpy(below, names[i], sizeof(below));
		else
			snprintf(below, sizeof(below), "%s/%s", path,
			    names[i]);
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			trees_name(t, below, dir);
	}
	while (n > 0)
		free(names[--n]);
}

/* The top, and what is in it. */
static void
trees_compare(struct trees *t, int before, int after)
{
	const int	 dir[2] = { 1, 1 };
	struct stat	 st[2];

	memset(t, 0, sizeof(*t));
	t->at[0] = before;
	t->at[1] = after;
	if (fstat(before, &st[0]) == -1 || fstat(after, &st[1]) == -1)
		die("fstat");
	if (!same(t, ".", &st[0], &st[1]))
		lines_add(&t->lines, 'M', ".");
	if ((st[1].st_mode & 0700) != 0700 && st[1].st_uid == geteuid())
		(void)fchmod(after, 0700);
	trees_dir(t, ".", dir);
	if (t->lines.n > 0)
		qsort(t->lines.list, t->lines.n, sizeof(*t->lines.list),
		    line_compare);
}

/* The branch, as whoever commits it opens it. */
static void
branch_use(struct branch *b, int lower, int branch)
{
	struct stat	 st;

	memset(b, 0, sizeof(*b));
	b->dir = branch;
	b->id = "test";
	if ((b->upper = openat(branch, "upper", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (b->lower = fcntl(lower, F_DUPFD_CLOEXEC,
	    0)) == -1 || fstat(branch, &st) == -1)
		die("branch");
	/* It was made when lower was complete. */
	b->start = st.st_ctim;
}

static void
branch_end(struct branch *b)
{
	close(b->upper);
	close(b->lower);
}

static int
change_add(const struct branch_change *bc, void *arg)
{
	lines_add(arg, bc->type, bc->path);
	return (0);
}

static int
check_changes(const struct branch *b, int lower, int twin)
{
	struct branch_error	 err;
	struct lines		 have = { NULL, 0 };
	struct trees		 t;
	const char		*ha, *wa;
	size_t			 i;
	int			 bad = 0;

	memset(&err, 0, sizeof(err));
	trees_compare(&t, lower, twin);
	if (branch_changes(b, change_add, &have, &err) != 0) {
		fprintf(stderr, "changes: %s %s: %s\n", err.what,
		    err.path == NULL ? "" : err.path, strerror(err.error));
		bad = 1;
	}
	for (i = 0; !bad && (i < have.n || i < t.lines.n); i++) {
		ha = i < have.n ? have.list[i] : "(end)";
		wa = i < t.lines.n ? t.lines.list[i] : "(end)";
		if (strcmp(ha, wa) == 0)
			continue;
		fprintf(stderr, "changes: want %s, have %s\n", wa, ha);
		bad = 1;
	}
	branch_error_clear(&err);
	lines_free(&have);
	lines_free(&t.lines);
	return (bad);
}

static void
named(enum branch_conflict what, const char *path, void *arg)
{
	(void)arg;
	fprintf(stderr, "conflict %d: %s\n", (int)what, path);
}

/*
 * 0; 1: something is wrong; -1: it was refused, as it may be where things
 * belong to somebody else.
 */
static int
check_commit(const struct branch *b, int foreign)
{
	struct branch_counts	 counts;
	struct branch_error	 err;
	enum branch_result	 result;
	int			 ret = 0;

	memset(&err, 0, sizeof(err));
	result = branch_commit(b, named, NULL, &counts, &err);
	if (result == BRANCH_FAILED && foreign &&
	    (err.error == EPERM || err.error == EACCES))
		ret = -1;
	else if (result != BRANCH_COMMITTED) {
		fprintf(stderr, "commit: %d: %s %s: %s\n", (int)result,
		    err.what, err.path == NULL ? "" : err.path,
		    strerror(err.error));
		ret = 1;
	}
	branch_error_clear(&err);
	return (ret);
}

/* What cannot be had where things belong to somebody else. */
static void
text_mask(char *text)
{
	size_t	 len;
	char	*p;

	for (p = text; (p = strstr(p, " 65534:65534")) != NULL;) {
		memcpy(p, " 0:0", 4);
		memmove(p + 4, p + 12, strlen(p + 12) + 1);
	}
	for (p = text; (p = strstr(p, " mtime ")) != NULL;) {
		len = 7 + strspn(p + 7, "0123456789.");
		memmove(p, p + len, strlen(p + len) + 1);
	}
}

/* The first line that differs. */
static int
check_text(const char *what, const char *want, const char *have)
{
	size_t	 h, w;

	while (*want != '\0' || *have != '\0') {
		w = strcspn(want, "\n");
		h = strcspn(have, "\n");
		if (w != h || memcmp(want, have, w) != 0) {
			fprintf(stderr, "%s:\n want %.*s\n have %.*s\n", what,
			    (int)w, want, (int)h, have);
			return (1);
		}
		want += w + (want[w] != '\0');
		have += h + (have[h] != '\0');
	}
	return (0);
}

/* Also of a tree that has closed itself; the mode of the top comes first. */
static char *
text_of(int dir)
{
	struct stat	 st;
	char		*text, *ret;

	if (fstat(dir, &st) == -1)
		die("fstat");
	if ((st.st_mode & 0700) != 0700 && fchmod(dir, 0700) == -1)
		die("fchmod");
	if (fchdir(dir) == -1)
		die("fchdir");
	text = view_text(NULL, TREE_PLAIN);
	if ((st.st_mode & 0700) != 0700 &&
	    fchmod(dir, st.st_mode & 07777) == -1)
		die("fchmod");
	if (asprintf(&ret, "%o\n%s", st.st_mode, text) == -1)
		die("asprintf");
	free(text);
	return (ret);
}

static int
committed(const struct diff *d, int lower, int twin, int branch)
{
	struct branch	 b;
	char		*have, *old, *want;
	int		 bad = 0, done, up;

	want = text_of(twin);
	old = text_of(lower);
	branch_use(&b, lower, branch);
	/* It is committed by now where the first try went well. */
	if (faccessat(branch, "committed", F_OK, 0) == -1)
		bad = check_changes(&b, lower, twin);
	if ((done = check_commit(&b, d->foreign != 0)) == 1)
		bad = 1;
	branch_end(&b);
	/* The links of the branch count, too. */
	if ((up = openat(branch, "..", O_PATH | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || rmtree(up, "branch") == -1)
		die("rmtree");
	close(up);
	have = text_of(lower);
	if (d->foreign != 0) {
		text_mask(old);
		text_mask(want);
		text_mask(have);
	}
	if (!bad)
		bad = check_text(done == -1 ? "refused" : "committed",
		    done == -1 ? old : want, have);
	free(old);
	free(have);
	free(want);
	return (bad);
}

/* A number below n that a sequence always gives. */
static int
text_number(const char *text, int n)
{
	unsigned int	 sum = 5381;

	while (*text != '\0')
		sum = sum * 33 + (unsigned char)*text++;
	return (sum % n);
}

/* A commit in a process of its own, that is killed or in which a call fails. */
static enum branch_result
commit_struck(const struct branch *b, int n)
{
	struct branch_counts	 counts;
	struct branch_error	 err;
	pid_t			 pid;
	int			 status;

	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		memset(&err, 0, sizeof(err));
		if (n % 2 == 0)
			strike_set(STRIKE_DIE, 1 + n / 2 % 80, 0);
		else
			strike_set(n % 3 == 0 ? STRIKE_FAIL_ON : STRIKE_FAIL,
			    1 + n / 2, EIO);
		_exit(branch_commit(b, NULL, NULL, &counts, &err));
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	strike_set(STRIKE_NONE, 0, 0);
	return (WIFEXITED(status) ? (enum branch_result)WEXITSTATUS(status) :
	    BRANCH_UNFINISHED);
}

/* What was left is completed or undone: 1 completed, 0 undone, -1 neither. */
static int
recovered(const struct branch *b, enum branch_result result)
{
	struct branch_error	 err;

	if (result == BRANCH_UNFINISHED) {
		memset(&err, 0, sizeof(err));
		result = branch_recover(b, &err);
		if (result == BRANCH_UNFINISHED || result == BRANCH_FAILED)
			fprintf(stderr, "recover: %d: %s %s: %s\n",
			    (int)result, err.what,
			    err.path == NULL ? "" : err.path,
			    strerror(err.error));
		else if (result == BRANCH_NOTHING)
			result = faccessat(b->dir, "committed", F_OK, 0) ==
			    0 ? BRANCH_COMMITTED : BRANCH_UNDONE;
		branch_error_clear(&err);
		return (result == BRANCH_COMMITTED ? 1 :
		    result == BRANCH_UNDONE ? 0 : -1);
	}
	return (result == BRANCH_COMMITTED ? 1 :
	    result == BRANCH_FAILED ? 0 : -1);
}

/* A commit that meets trouble somewhere, and then one that does not. */
static int
interrupted(const struct diff *d, int lower, int twin, int branch)
{
	struct branch	 b;
	char		*have, *old;
	int		 n, ret;

	old = text_of(twin);
	n = text_number(old, 1200);
	free(old);
	old = text_of(lower);
	branch_use(&b, lower, branch);
	if ((ret = recovered(&b, commit_struck(&b, n))) == 0) {
		have = text_of(lower);
		ret = check_text("undone", old, have) == 0 ? 0 : -1;
		free(have);
	}
	branch_end(&b);
	free(old);
	if (ret == -1) {
		fprintf(stderr, "struck at %d\n", n);
		return (1);
	}
	return (committed(d, lower, twin, branch));
}

static void
random_commits(int (*after)(const struct diff *, int, int, int), int staged,
    uid_t foreign)
{
	struct diff	 d = { .seed = 1, .seeds = 25, .steps = 60 };
	const char	*p;

	if ((p = getenv("MERGE_SEED")) != NULL)
		d.seed = strtonum(p, 0, UINT_MAX, NULL);
	if ((p = getenv("MERGE_SEEDS")) != NULL)
		d.seeds = strtonum(p, 1, UINT_MAX, NULL);
	if ((p = getenv("MERGE_STEPS")) != NULL)
		d.steps = strtonum(p, 1, 400, NULL);
	d.foreign = foreign;
	d.capless = foreign != 0;
	d.after = after;
	strike_get()->staged = staged;
	ATF_CHECK_EQ(diff_run(&d), 0);
}

ATF_TC_WITHOUT_HEAD(differential);
ATF_TC_BODY(differential, tc)
{
	random_commits(committed, 0, 0);
}

ATF_TC_WITHOUT_HEAD(differential_staged);
ATF_TC_BODY(differential_staged, tc)
{
	random_commits(committed, 1, 0);
}

ATF_TC_WITHOUT_HEAD(interruptions);
ATF_TC_BODY(interruptions, tc)
{
	random_commits(interrupted, 0, 0);
}

ATF_TC_WITHOUT_HEAD(interruptions_staged);
ATF_TC_BODY(interruptions_staged, tc)
{
	random_commits(interrupted, 1, 0);
}

/* Without capabilities, in a tree that partly belongs to somebody else. */
ATF_TC(differential_foreign);
ATF_TC_HEAD(differential_foreign, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(differential_foreign, tc)
{
	random_commits(committed, 0, 65534);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, differential);
	ATF_TP_ADD_TC(tp, differential_staged);
	ATF_TP_ADD_TC(tp, interruptions);
	ATF_TP_ADD_TC(tp, interruptions_staged);
	ATF_TP_ADD_TC(tp, differential_foreign);
	return (atf_no_error());
}
