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
 * Random sequences of calls on a merged view and, as plain system calls, on a
 * twin of its lower directory.  Results, errnos and in the end the trees must
 * be the same, and lower untouched.  A sequence that fails is made as short as
 * it can be before it is shown.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/capability.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw.h"
#include "merge.h"
#include "merge_diff.h"
#include "merge_tree.h"
#include "rmtree.h"
#include "shrink.h"

#define STEPS_MAX	400

enum op {
	OP_OPEN, OP_MKDIR, OP_RMDIR, OP_UNLINK, OP_RENAME, OP_LINK, OP_SYMLINK,
	OP_MKNOD, OP_TRUNCATE, OP_CHMOD, OP_UTIMES, OP_CHOWN, OP_SETXATTR,
	OP_REMOVEXATTR, OP_STAT, OP_READLINK, OP_ACCESS, OP_LIST, OP_GETXATTR,
	OP_TMPFILE, OP_LISTXATTR, OP_EMPTY, OP_MAX
};

static const char *const op_names[OP_MAX] = {
	"open", "mkdir", "rmdir", "unlink", "rename", "link", "symlink",
	"mknod", "truncate", "chmod", "utimes", "chown", "setxattr",
	"removexattr", "stat", "readlink", "access", "list", "getxattr",
	"tmpfile", "listxattr", "empty"
};

/* How often each is drawn. */
static const int op_weights[OP_MAX] = {
	14, 6, 7, 7, 18, 7, 3, 3, 3, 6, 3, 3, 3,
	2, 4, 2, 3, 5, 2, 2, 2, 6
};

struct step {
	enum op		 op;
	char		 path[2][DRAW_PATH];
	unsigned int	 live[2];	/* not 0: still to be drawn */
	int		 flags;
	int		 mode;
	int		 mask;
	int		 value;
};

/* What came of a step. */
struct result {
	int		 error;
	char		 text[8192];
};

/* Steps. */

/* Whether a call makes something of a path, so that a new name serves it. */
static int
step_creates(const struct step *s, int i)
{
	switch (s->op) {
	case OP_MKDIR:
	case OP_SYMLINK:
	case OP_MKNOD:
		return (i == 0);
	case OP_RENAME:
	case OP_LINK:
	case OP_TMPFILE:
		return (i == 1);
	default:
		return (0);
	}
}

static void
step_live(struct step *s)
{
	char	*live[LIVE_MAX];
	int	 i, j, n;

	if (s->live[0] == 0 && s->live[1] == 0)
		return;
	n = live_list(".", live, 0);
	for (i = 0; i < 2; i++)
		if (s->live[i] != 0 && n != 0)
			live_path(s->path[i], sizeof(s->path[i]), s->live[i],
			    step_creates(s, i), live, n);
	for (j = 0; j < n; j++)
		free(live[j]);
	s->live[0] = s->live[1] = 0;
}

static void
draw_step(struct step *s)
{
	static const int	 flags[] = {
		O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_CREAT,
		O_RDWR | O_CREAT, O_WRONLY | O_CREAT | O_EXCL,
		O_WRONLY | O_TRUNC, O_WRONLY | O_CREAT | O_TRUNC,
		O_WRONLY | O_APPEND, O_RDONLY | O_DIRECTORY,
		O_RDONLY | O_NOFOLLOW, O_PATH, O_PATH | O_NOFOLLOW,
		O_RDWR | O_CREAT | O_NOFOLLOW, O_RDONLY | O_NOATIME,
		O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC,
		O_PATH | O_DIRECTORY | O_NOFOLLOW, O_RDONLY | O_CREAT | O_EXCL
	};
	static const int	 modes[] = {
		0644, 0755, 0700, 0600, 0555, 0444, 0000, 0777, 0311, 04755,
		02755, 01777, 0200, 0400, 0666, 0500
	};
	int			 i, n = 0, w;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < OP_MAX; i++)
		n += op_weights[i];
	w = draw(n);
	for (i = 0; w >= op_weights[i]; i++)
		w -= op_weights[i];
	s->op = i;
	draw_path(s->path[0], sizeof(s->path[0]));
	draw_path(s->path[1], sizeof(s->path[1]));
	for (i = 0; i < 2; i++)
		if (draw(5) != 0)
			s->live[i] = 1 + draw(1 << 16);
	s->mode = modes[draw(16)];
	if (draw(3) != 0)
		s->mode |= 0700;
	s->mask = draw(4) == 0 ? 077 : draw(8) == 0 ? 0 : 022;
	s->value = draw(1 << 16);
	switch (s->op) {
	case OP_OPEN:
		s->flags = flags[draw(20)];
		break;
	case OP_RENAME:
		s->flags = draw(3) != 0 ? 0 : 1 + draw(3);
		break;
	case OP_LINK:
		s->flags = draw(2) ? AT_SYMLINK_FOLLOW : 0;
		break;
	default:
		s->flags = draw(2) ? AT_SYMLINK_NOFOLLOW : 0;
		break;
	}
}

static void
step_print(FILE *out, const struct step *s)
{
	fprintf(out, "%s(\"%s\", \"%s\", flags %#x, mode %o, mask %o, %d)\n",
	    op_names[s->op], s->path[0], s->path[1], s->flags, s->mode,
	    s->mask, s->value);
}

static void
result_add(struct result *r, const char *fmt, ...)
{
	size_t	 len = strlen(r->text);
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(r->text + len, sizeof(r->text) - len, fmt, ap);
	va_end(ap);
}

static void
result_open(struct result *r, int fd, const struct step *s)
{
	struct stat	 st;
	char		 buf[256];
	ssize_t		 n;

	if (fstat(fd, &st) == -1)
		die("fstat");
	result_add(r, "%o", st.st_mode & S_IFMT);
	if (S_ISREG(st.st_mode) && (s->flags & O_PATH) == 0) {
		n = pread(fd, buf, sizeof(buf), 0);
		if (n >= 0)
			result_add(r, " \"%.*s\"", (int)n, buf);
		n = snprintf(buf, sizeof(buf), "w%d", s->value % 1000);
		if ((s->value & 0x4000) != 0)
			n = write(fd, buf, n);
		if (fstat(fd, &st) == -1)
			die("fstat");
		result_add(r, " %lld", (long long)st.st_size);
	}
	close(fd);
}

static void
result_stat(struct result *r, const struct statx *sx)
{
	result_add(r, "%o %u:%u", sx->stx_mode, sx->stx_uid, sx->stx_gid);
	if (!S_ISDIR(sx->stx_mode))
		result_add(r, " %llu %u", (unsigned long long)sx->stx_size,
		    sx->stx_nlink);
	if (sx->stx_mtime.tv_sec <= OLD + 100)
		result_add(r, " %lld", (long long)sx->stx_mtime.tv_sec);
}

static void
result_list(struct result *r, struct merge *m, const char *path)
{
	char	*names[128];
	int	 i, n;

	if ((n = tree_names(m, path, names, 128)) == -1) {
		r->error = errno;
		return;
	}
	for (i = 0; i < n; i++) {
		result_add(r, "%s ", names[i]);
		free(names[i]);
	}
}

/* Remove what is in a directory, as far as that goes. */
static void
result_empty(struct result *r, struct merge *m, const char *path)
{
	char	*names[128], *sep, below[4096];
	int	 i, n, ret;

	if ((n = tree_names(m, path, names, 128)) == -1) {
		r->error = errno;
		return;
	}
	for (i = 0; i < n; i++) {
		sep = strchr(names[i], 1);
		*sep = '\0';
		snprintf(below, sizeof(below), "%s/%s", path, names[i]);
		if (strcmp(names[i], ".") == 0 || strcmp(names[i], "..") == 0)
			ret = 0;
		else if (atoi(sep + 1) == DT_DIR)
			ret = m != NULL ? merge_rmdir(m, below) : rmdir(below);
		else
			ret = m != NULL ? merge_unlink(m, below) :
			    unlink(below);
		result_add(r, "%s:%d ", names[i], ret == -1 ? errno : 0);
		free(names[i]);
	}
}

static void
result_xattrs(struct result *r, const char *list, ssize_t n)
{
	const char	*p;

	/* The order is the file system's; there are two names only. */
	for (p = list; n > 0 && p < list + n; p += strlen(p) + 1)
		if (strcmp(p, "user.t") == 0)
			result_add(r, "t");
	for (p = list; n > 0 && p < list + n; p += strlen(p) + 1)
		if (strcmp(p, "user.u") == 0)
			result_add(r, "u");
}

static const struct timespec *
step_times(const struct step *s, struct timespec ts[2])
{
	ts[0].tv_sec = OLD + s->value % 50;
	ts[0].tv_nsec = 7;
	ts[1].tv_sec = OLD + s->value % 60;
	ts[1].tv_nsec = 9;
	switch (s->value % 5) {
	case 0:
		return (NULL);
	case 1:
		ts[0].tv_nsec = UTIME_OMIT;
		break;
	case 2:
		ts[1].tv_nsec = UTIME_NOW;
		break;
	}
	return (ts);
}

static mode_t
step_type(const struct step *s)
{
	return (s->value % 3 == 0 ? S_IFIFO : s->value % 3 == 1 ? S_IFSOCK :
	    S_IFREG);
}

/* As root anybody may get it, else only oneself. */
static void
step_owner(const struct step *s, uid_t *uid, gid_t *gid)
{
	*uid = s->value % 3 == 0 ? (uid_t)-1 : s->value % 3 == 1 ? geteuid() :
	    1234;
	*gid = s->value / 3 % 3 == 0 ? (gid_t)-1 : s->value / 3 % 3 == 1 ?
	    getegid() : 4321;
}

static const char *
step_xattr(const struct step *s)
{
	return (s->value % 2 ? "user.t" : "user.u");
}

static void
step_plain(const struct step *s, struct result *r)
{
	struct timespec	 ts[2];
	struct statx	 sx;
	const char	*p = s->path[0], *q = s->path[1];
	char		 buf[1024];
	ssize_t		 n = 0;
	uid_t		 uid;
	gid_t		 gid;
	int		 fd, ret = 0;

	umask(s->mask);
	switch (s->op) {
	case OP_OPEN:
		/* Neither side blocks. */
		if ((ret = fd = open(p, s->flags | O_NONBLOCK | O_CLOEXEC |
		    O_NOCTTY, s->mode)) != -1)
			result_open(r, fd, s);
		break;
	case OP_MKDIR:
		ret = mkdir(p, s->mode);
		break;
	case OP_RMDIR:
		ret = rmdir(p);
		break;
	case OP_UNLINK:
		ret = unlink(p);
		break;
	case OP_RENAME:
		ret = renameat2(AT_FDCWD, p, AT_FDCWD, q, s->flags);
		break;
	case OP_LINK:
		ret = linkat(AT_FDCWD, p, AT_FDCWD, q, s->flags);
		break;
	case OP_SYMLINK:
		ret = symlink(q, p);
		break;
	case OP_MKNOD:
		ret = mknod(p, step_type(s) | s->mode, 0);
		break;
	case OP_TRUNCATE:
		ret = truncate(p, s->value % 20);
		break;
	case OP_CHMOD:
		ret = chmod(p, s->mode);
		break;
	case OP_UTIMES:
		ret = utimensat(AT_FDCWD, p, step_times(s, ts), s->flags);
		break;
	case OP_CHOWN:
		step_owner(s, &uid, &gid);
		ret = fchownat(AT_FDCWD, p, uid, gid, s->flags);
		break;
	case OP_SETXATTR:
		ret = (s->flags ? lsetxattr : setxattr)(p, step_xattr(s),
		    "value", s->value % 5, s->value / 7 % 3);
		break;
	case OP_REMOVEXATTR:
		ret = (s->flags ? lremovexattr : removexattr)(p,
		    step_xattr(s));
		break;
	case OP_STAT:
		if ((ret = statx(AT_FDCWD, p, s->flags, STATX_BASIC_STATS,
		    &sx)) == 0)
			result_stat(r, &sx);
		break;
	case OP_READLINK:
		if ((n = readlink(p, buf, sizeof(buf))) != -1)
			result_add(r, "%.*s", (int)n, buf);
		break;
	case OP_ACCESS:
		ret = faccessat(AT_FDCWD, p, s->value % 8, s->flags |
		    AT_EACCESS);
		break;
	case OP_LIST:
		result_list(r, NULL, p);
		return;
	case OP_EMPTY:
		result_empty(r, NULL, p);
		return;
	case OP_GETXATTR:
		n = (s->flags ? lgetxattr : getxattr)(p, step_xattr(s), buf,
		    sizeof(buf));
		if (n != -1)
			result_add(r, "%.*s", (int)n, buf);
		break;
	case OP_LISTXATTR:
		n = (s->flags ? llistxattr : listxattr)(p, buf, sizeof(buf));
		result_xattrs(r, buf, n);
		break;
	case OP_TMPFILE:
		if ((ret = fd = open(p, O_RDWR | O_TMPFILE | O_CLOEXEC,
		    s->mode)) == -1)
			break;
		snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
		ret = linkat(AT_FDCWD, buf, AT_FDCWD, q, AT_SYMLINK_FOLLOW);
		n = write(fd, "tmp", 3);
		close(fd);
		break;
	case OP_MAX:
		break;
	}
	if (ret == -1 || n == -1)
		r->error = errno;
}

static void
step_merge(struct merge *m, const struct step *s, struct result *r)
{
	struct timespec	 ts[2];
	struct statx	 sx;
	const char	*p = s->path[0], *q = s->path[1];
	char		 buf[1024];
	ssize_t		 n = 0;
	uid_t		 uid;
	gid_t		 gid;
	int		 fd, wait, ret = 0;

	umask(0);
	switch (s->op) {
	case OP_OPEN:
		if ((ret = fd = merge_open(m, p, s->flags | O_NONBLOCK,
		    s->mode, s->mask, &wait)) != -1)
			result_open(r, fd, s);
		break;
	case OP_MKDIR:
		ret = merge_mkdir(m, p, s->mode, s->mask);
		break;
	case OP_RMDIR:
		ret = merge_rmdir(m, p);
		break;
	case OP_UNLINK:
		ret = merge_unlink(m, p);
		break;
	case OP_RENAME:
		ret = merge_rename(m, p, q, s->flags);
		break;
	case OP_LINK:
		ret = merge_link(m, p, q, s->flags);
		break;
	case OP_SYMLINK:
		ret = merge_symlink(m, q, p, s->mask);
		break;
	case OP_MKNOD:
		ret = merge_mknod(m, p, step_type(s) | s->mode, s->mask);
		break;
	case OP_TRUNCATE:
		ret = merge_truncate(m, p, s->value % 20);
		break;
	case OP_CHMOD:
		ret = merge_chmod(m, p, 0, s->mode);
		break;
	case OP_UTIMES:
		ret = merge_utimes(m, p, s->flags, step_times(s, ts));
		break;
	case OP_CHOWN:
		step_owner(s, &uid, &gid);
		ret = merge_chown(m, p, s->flags, uid, gid);
		break;
	case OP_SETXATTR:
		ret = merge_setxattr(m, p, s->flags, step_xattr(s), "value",
		    s->value % 5, s->value / 7 % 3);
		break;
	case OP_REMOVEXATTR:
		ret = merge_removexattr(m, p, s->flags, step_xattr(s));
		break;
	case OP_STAT:
		if ((ret = merge_stat(m, p, s->flags, &sx)) == 0)
			result_stat(r, &sx);
		break;
	case OP_READLINK:
		if ((n = merge_readlink(m, p, buf, sizeof(buf))) != -1)
			result_add(r, "%.*s", (int)n, buf);
		break;
	case OP_ACCESS:
		ret = merge_access(m, p, s->value % 8, s->flags);
		break;
	case OP_LIST:
		result_list(r, m, p);
		return;
	case OP_EMPTY:
		result_empty(r, m, p);
		return;
	case OP_GETXATTR:
		n = merge_getxattr(m, p, s->flags, step_xattr(s), buf,
		    sizeof(buf));
		if (n != -1)
			result_add(r, "%.*s", (int)n, buf);
		break;
	case OP_LISTXATTR:
		n = merge_listxattr(m, p, s->flags, buf, sizeof(buf));
		result_xattrs(r, buf, n);
		break;
	case OP_TMPFILE:
		if ((ret = fd = merge_open(m, p, O_RDWR | O_TMPFILE, s->mode,
		    s->mask, &wait)) == -1)
			break;
		ret = merge_link_fd(m, fd, q);
		n = write(fd, "tmp", 3);
		close(fd);
		break;
	case OP_MAX:
		break;
	}
	if (ret == -1 || n == -1)
		r->error = errno;
}

/* Runs. */

static void
drop_capabilities(void)
{
	struct __user_cap_header_struct	 header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct	 data[2];

	memset(data, 0, sizeof(data));
	if (syscall(SYS_capset, &header, data) == -1)
		die("capset");
}

static int
directory_open(const char *path)
{
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		die(path);
	return (fd);
}

static void
diff_text(const char *what, char *want, char *have)
{
	char	*a, *b, *sa, *sb;

	a = strtok_r(want, "\n", &sa);
	b = strtok_r(have, "\n", &sb);
	while (a != NULL && b != NULL && strcmp(a, b) == 0) {
		a = strtok_r(NULL, "\n", &sa);
		b = strtok_r(NULL, "\n", &sb);
	}
	fprintf(stderr, "%s:\n want %s\n have %s\n", what,
	    a == NULL ? "(end)" : a, b == NULL ? "(end)" : b);
}

/* Half of what only reads is asked of somebody who cannot change anything. */
static int
step_reads(const struct step *s)
{
	switch (s->op) {
	case OP_OPEN:
		return (s->value % 2 != 0 && (s->flags & (O_ACCMODE | O_CREAT |
		    O_TRUNC)) == O_RDONLY);
	case OP_STAT:
	case OP_READLINK:
	case OP_ACCESS:
	case OP_LIST:
	case OP_GETXATTR:
	case OP_LISTXATTR:
		return (s->value % 2 != 0);
	default:
		return (0);
	}
}

/* What the one who changes things has to tell him. */
static void
reader_told(struct merge *m, struct merge *reader)
{
	if (m->forgot)
		merge_forget(reader);
	m->forgot = 0;
	reader->mixed = m->mixed;
}

static int
run_steps(struct merge *m, struct merge *reader, struct step *steps, int n,
    int *done)
{
	struct result	*r;
	int		 i, bad = 0;

	if ((r = calloc(2, sizeof(*r))) == NULL)
		die("calloc");
	for (i = 0; i < n && !bad; i++) {
		memset(r, 0, 2 * sizeof(*r));
		step_live(&steps[i]);
		step_merge(step_reads(&steps[i]) ? reader : m, &steps[i],
		    &r[1]);
		reader_told(m, reader);
		/* It would leave the twin, too. */
		if (r[1].error == MERGE_OUTSIDE)
			continue;
		step_plain(&steps[i], &r[0]);
		if (r[0].error != r[1].error ||
		    strcmp(r[0].text, r[1].text) != 0) {
			fprintf(stderr, "want %s %s\nhave %s %s\nat ",
			    strerror(r[0].error), r[0].text,
			    strerror(r[1].error), r[1].text);
			step_print(stderr, &steps[i]);
			bad = 1;
		}
		++*done;
	}
	free(r);
	return (bad);
}

static int
descriptors(void)
{
	DIR	*dir;
	int	 n = 0;

	if ((dir = opendir("/proc/self/fd")) == NULL)
		die("/proc/self/fd");
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return (n);
}

/* In a process of its own, below a directory that the caller removes. */
static int
run_child(const struct diff *d, struct step *steps, int n)
{
	struct merge	 m, reader;
	char		*before, *after, *want, *have;
	int		 lower, twin, branch, fds, bad, done = 0;

	tree_put("lower", d->foreign);
	tree_put("twin", d->foreign);
	if (mkdir("branch", 0700) == -1 || mkdir("branch/upper", 0700) == -1 ||
	    mkdir("branch/work", 0700) == -1)
		die("branch");
	lower = directory_open("lower");
	twin = directory_open("twin");
	branch = directory_open("branch");
	if (d->capless)
		drop_capabilities();
	if (fchdir(lower) == -1)
		die("lower");
	before = view_text(NULL, TREE_EXACT);
	if (merge_init(&m, lower, branch) == -1 ||
	    merge_init_read(&reader, lower, branch) == -1)
		die("merge_init");
	if (fchdir(twin) == -1)
		die("twin");
	fds = descriptors();
	bad = run_steps(&m, &reader, steps, n, &done);
	want = view_text(NULL, TREE_PLAIN);
	have = view_text(&m, TREE_PLAIN);
	/* But for those of directories that are kept. */
	merge_forget(&m);
	merge_forget(&reader);
	if (descriptors() != fds) {
		fprintf(stderr, "descriptors are lost\n");
		bad = 1;
	}
	if (!bad && strcmp(want, have) != 0) {
		diff_text("trees", want, have);
		bad = 1;
	}
	if (fchdir(lower) == -1)
		die("lower");
	after = view_text(NULL, TREE_EXACT);
	if (strcmp(before, after) != 0) {
		diff_text("lower", before, after);
		bad = 1;
	}
	merge_close(&m);
	merge_close(&reader);
	if (!bad && d->after != NULL)
		bad = d->after(d, lower, twin, branch);
	free(before);
	free(after);
	free(want);
	free(have);
	return (bad);
}

static int
run(const struct diff *d, struct step *steps, int n, int quiet)
{
	int	 status, fd;
	pid_t	 pid;

	if (mkdir("run", 0755) == -1)
		die("run");
	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		if (quiet && ((fd = open("log", O_WRONLY | O_CREAT | O_TRUNC |
		    O_CLOEXEC, 0600)) == -1 || dup2(fd, 2) == -1))
			die("log");
		if (chdir("run") == -1)
			die("run");
		umask(022);
		_exit(run_child(d, steps, n));
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (rmtree(AT_FDCWD, "run") == -1)
		die("rmtree");
	return (status);
}

struct trial {
	const struct diff	*diff;
};

static int
fails(void *steps, int n, void *arg)
{
	return (run(((struct trial *)arg)->diff, steps, n, 1) != 0);
}

/* What the last quiet run had to say. */
static void
log_print(void)
{
	char	 buf[8192];
	ssize_t	 n;
	int	 fd;

	if ((fd = open("log", O_RDONLY | O_CLOEXEC)) == -1)
		return;
	if ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stderr);
	close(fd);
}

int
diff_run(const struct diff *d)
{
	struct trial		 trial = { d };
	struct step		*steps;
	int			 i, n, bad = 0;
	unsigned int		 k;

	/* The process that draws from the twin writes here. */
	if ((steps = mmap(NULL, STEPS_MAX * sizeof(*steps),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	    0)) == MAP_FAILED)
		die("mmap");
	for (k = 0; k < d->seeds; k++) {
		draw_seed(d->seed + k);
		n = d->steps;
		for (i = 0; i < n; i++)
			draw_step(&steps[i]);
		if (run(d, steps, n, 1) == 0)
			continue;
		fprintf(stderr, "seed %u:\n", d->seed + k);
		log_print();
		/* What was not reached was not drawn. */
		for (i = 0; i < n && steps[i].live[0] == 0 &&
		    steps[i].live[1] == 0; i++)
			continue;
		n = shrink(steps, sizeof(*steps), i, fails, &trial);
		fprintf(stderr, "%d steps of it:\n", n);
		for (i = 0; i < n; i++)
			step_print(stderr, &steps[i]);
		if (run(d, steps, n, 0) == 0)
			fprintf(stderr, "it does not happen again\n");
		bad++;
		if (bad >= 10)
			break;
	}
	munmap(steps, STEPS_MAX * sizeof(*steps));
	return (bad);
}
