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
 * The calls themselves, by raw system calls, and what came of them as text.  It
 * must be the same text in the twin and in the sandbox: numbers of inodes are
 * told by which of the first tree they belong to, times only when they were
 * set, the size and the links of directories not at all.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/openat2.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "start.h"
#include "syscalls.h"
#include "text.h"
#include "twin.h"

#define FIRST_MAX	256

struct slot	 slots[SLOTS];

/* What the trees had in the beginning. */
static struct {
	dev_t	 dev;
	ino_t	 ino;
}		 first[FIRST_MAX];
static int	 nfirst;

static void
first_add(const char *path)
{
	struct stat	 st;

	if (nfirst == FIRST_MAX)
		die("first_add");
	if (lstat(path, &st) == -1)
		return;
	/* Held open, so that no number is given again. */
	if (open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC) == -1)
		die(path);
	if (call_first(&st) != 0)
		return;
	first[nfirst].dev = st.st_dev;
	first[nfirst].ino = st.st_ino;
	nfirst++;
}

void
call_init(const struct program *p)
{
	char	*live[LIVE_MAX];
	int	 i, n;

	first_add(p->top);
	n = live_list(p->top, live, 0);
	for (i = 0; i < n; i++) {
		first_add(live[i]);
		free(live[i]);
	}
}

/* Which of the first files; 0 when it is none of them. */
int
call_first(const struct stat *st)
{
	int	 i;

	for (i = 0; i < nfirst; i++)
		if (first[i].ino == st->st_ino && first[i].dev == st->st_dev)
			return (i + 1);
	return (0);
}

const char *
call_path(const struct step *s, int i)
{
	static char	 text[PATH_MAX + 2];

	if (strcmp(s->path[i], "@null") == 0)
		return (NULL);
	if (strcmp(s->path[i], "@bad") == 0)
		return ((const char *)16);
	if (strcmp(s->path[i], "@long") != 0)
		return (s->path[i]);
	memset(text, '/', sizeof(text) - 1);
	return (text);
}

int
call_dir(const struct step *s, int i)
{
	return (s->dir[i] == -1 ? AT_FDCWD : SLOT_FD + s->dir[i]);
}

static void
say_time(FILE *out, time_t sec, long nsec)
{
	time_t	 now = time(NULL);

	if (sec >= now - 3600 && sec <= now + 1)
		fprintf(out, " now");
	else
		fprintf(out, " %lld.%ld", (long long)sec, nsec);
}

static void
say_stat(FILE *out, const struct stat *st)
{
	fprintf(out, " %o %u:%u", st->st_mode, st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode))
		fprintf(out, " size %lld nlink %u", (long long)st->st_size,
		    (unsigned int)st->st_nlink);
	/* Others get a new one when they are changed. */
	if (S_ISDIR(st->st_mode) || S_ISREG(st->st_mode))
		fprintf(out, " #%d", call_first(st));
	say_time(out, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static void
stat_of(const struct statx *sx, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = makedev(sx->stx_dev_major, sx->stx_dev_minor);
	st->st_ino = sx->stx_ino;
	st->st_mode = sx->stx_mode;
	st->st_uid = sx->stx_uid;
	st->st_gid = sx->stx_gid;
	st->st_size = sx->stx_size;
	st->st_nlink = sx->stx_nlink;
	st->st_mtim.tv_sec = sx->stx_mtime.tv_sec;
	st->st_mtim.tv_nsec = sx->stx_mtime.tv_nsec;
}

/* The result of a call that gives nothing but that. */
static void
say(FILE *out, long ret)
{
	if (ret == -1)
		fprintf(out, " %s", strerrorname_np(errno));
	else
		fprintf(out, " %ld", ret);
}

/* Descriptors. */

static void
slot_clear(struct slot *sl)
{
	while (sl->nnames > 0)
		free(sl->names[--sl->nnames]);
	while (sl->nwas > 0)
		free(sl->was[--sl->nwas]);
}

static void
slot_close(int i)
{
	slot_clear(&slots[i]);
	slots[i].open = 0;
	close(SLOT_FD + i);
}

static void
slot_keep(int i, int fd, int flags)
{
	slot_close(i);
	if (fstat(fd, &slots[i].st) == -1 || dup3(fd, SLOT_FD + i,
	    O_CLOEXEC) == -1)
		die("slot");
	slots[i].open = 1;
	slots[i].reads = (flags & O_PATH) != 0 ||
	    (flags & O_ACCMODE) == O_RDONLY;
}

static void
say_bytes(FILE *out, const char *buf, ssize_t n)
{
	ssize_t	 i;

	say(out, n);
	for (i = 0; i < n && i < 64; i++)
		fprintf(out, buf[i] >= ' ' && buf[i] < 127 ? "%c" : "\\%03o",
		    (unsigned char)buf[i]);
}

static void
opened(FILE *out, const struct step *s, int fd)
{
	struct stat	 st;
	char		 buf[64];
	ssize_t		 n;

	if (fstat(fd, &st) == -1)
		die("fstat");
	/* What is opened for another forgets how it was looked up. */
	fprintf(out, " fd %d flags %o %d", fd, fcntl(fd, F_GETFL) &
	    ~(O_NOFOLLOW | O_DIRECTORY), fcntl(fd, F_GETFD));
	say_stat(out, &st);
	if (S_ISREG(st.st_mode)) {
		n = pread(fd, buf, sizeof(buf), 0);
		say_bytes(out, buf, n);
		n = snprintf(buf, sizeof(buf), "w%d", s->value % 1000);
		if ((s->value & 0x4000) != 0)
			say(out, write(fd, buf, n));
		if (fstat(fd, &st) == -1)
			die("fstat");
		say_stat(out, &st);
	}
	if (s->value % 3 != 0)
		slot_keep(s->slot, fd, fcntl(fd, F_GETFL));
	close(fd);
}

static int
open_spelled(const struct step *s)
{
	struct open_how	 how;
	int		 fd;

	switch (s->spell) {
	case 0:
		return (syscall(SYS_open, call_path(s, 0), s->flags, s->mode));
	case 2:
		memset(&how, 0, sizeof(how));
		how.flags = s->flags;
		how.mode = (s->flags & O_CREAT) != 0 ? s->mode : 0;
		/* Unlike openat it refuses what it does not know. */
		if ((how.flags & O_PATH) != 0)
			how.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW |
			    O_CLOEXEC;
		if ((how.flags & O_PATH) != 0)
			how.mode = 0;
		fd = syscall(SYS_openat2, call_dir(s, 0), call_path(s, 0),
		    &how, sizeof(how));
		/* In the sandbox it is as in an old kernel. */
		if (fd != -1 || errno != ENOSYS)
			return (fd);
		/* FALLTHROUGH */
	case 1:
		return (syscall(SYS_openat, call_dir(s, 0), call_path(s, 0),
		    s->flags, s->mode));
	default:
		return (syscall(SYS_creat, call_path(s, 0), s->mode));
	}
}

static void
do_open(const struct step *s, FILE *out)
{
	int	 fd;

	if ((fd = open_spelled(s)) == -1)
		say(out, -1);
	else
		opened(out, s, fd);
}

static void
do_tmpfile(const struct step *s, FILE *out)
{
	char	 buf[64];
	int	 fd;

	if ((fd = syscall(SYS_open, call_path(s, 0), O_TMPFILE | O_RDWR |
	    O_CLOEXEC | (s->value % 7 == 0 ? O_EXCL : 0), s->mode)) == -1) {
		say(out, -1);
		return;
	}
	say(out, write(fd, "tmp", 3));
	if (s->spell == 0) {
		snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
		say(out, syscall(SYS_linkat, AT_FDCWD, buf, AT_FDCWD,
		    call_path(s, 1), AT_SYMLINK_FOLLOW));
	} else
		say(out, syscall(SYS_linkat, fd, "", AT_FDCWD, call_path(s, 1),
		    AT_EMPTY_PATH));
	opened(out, s, fd);
}

static void
do_stat(const struct step *s, FILE *out)
{
	struct stat	 st;
	struct statx	 sx;
	long		 ret;
	int		 fd = SLOT_FD + s->slot, x = 0;

	switch (s->spell) {
	case 0:
		ret = syscall(SYS_stat, call_path(s, 0), &st);
		break;
	case 1:
		ret = syscall(SYS_lstat, call_path(s, 0), &st);
		break;
	case 2:
		ret = syscall(SYS_newfstatat, call_dir(s, 0), call_path(s, 0),
		    &st, s->flags);
		break;
	case 3:
		x = 1;
		ret = syscall(SYS_statx, call_dir(s, 0), call_path(s, 0),
		    s->flags, STATX_BASIC_STATS, &sx);
		break;
	case 4:
		ret = syscall(SYS_fstat, fd, &st);
		break;
	case 5:
		ret = syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH);
		break;
	default:
		x = 1;
		ret = syscall(SYS_statx, fd, s->value % 2 ? "" : NULL,
		    AT_EMPTY_PATH, STATX_BASIC_STATS, &sx);
		break;
	}
	say(out, ret);
	if (ret == -1 || s->stale)
		return;
	if (x)
		stat_of(&sx, &st);
	say_stat(out, &st);
}

static void
do_access(const struct step *s, FILE *out)
{
	int	 how = s->value % 8;

	switch (s->spell) {
	case 0:
		say(out, syscall(SYS_access, call_path(s, 0), how));
		break;
	case 1:
		say(out, syscall(SYS_faccessat, call_dir(s, 0),
		    call_path(s, 0), how));
		break;
	case 2:
		say(out, syscall(SYS_faccessat2, call_dir(s, 0),
		    call_path(s, 0), how, s->flags | (s->value & 8 ?
		    AT_EACCESS : 0)));
		break;
	default:
		say(out, syscall(SYS_faccessat2, SLOT_FD + s->slot, "", how,
		    AT_EMPTY_PATH));
		break;
	}
}

static void
do_readlink(const struct step *s, FILE *out)
{
	char	 buf[PATH_MAX];
	size_t	 size = s->value % 6 == 0 ? 3 : sizeof(buf);
	ssize_t	 n;

	if (s->value % 50 == 7)
		size = 0;
	switch (s->spell) {
	case 0:
		n = syscall(SYS_readlink, call_path(s, 0), buf, size);
		break;
	case 1:
		n = syscall(SYS_readlinkat, call_dir(s, 0), call_path(s, 0),
		    buf, size);
		break;
	default:
		n = syscall(SYS_readlinkat, SLOT_FD + s->slot, "", buf, size);
		break;
	}
	/* What /proc says of the branch is another name. */
	if (strncmp(s->path[0], "/proc/", 6) == 0)
		say(out, n == -1 ? -1 : 0);
	else
		say_bytes(out, buf, n);
}

/* Listings. */

struct listing {
	char		*names[1024];
	int64_t		 offs[1024];
	int		 n;
};

static void
listing_free(struct listing *l)
{
	while (l->n > 0)
		free(l->names[--l->n]);
}

/* One call; what it returned. */
static long
listing_read(int fd, int old, size_t size, struct listing *l)
{
	char		 buf[32768], *name;
	struct dirent64	*de;
	long		 n, pos, step;
	uint16_t	 len;
	int		 type;

	n = syscall(old ? SYS_getdents : SYS_getdents64, fd, buf, size);
	for (pos = 0; pos < n; pos += step) {
		de = (struct dirent64 *)(void *)(buf + pos);
		/* The older one has no type there: it is at the end. */
		memcpy(&len, buf + pos + 16, sizeof(len));
		step = len;
		name = buf + pos + (old ? 18 : 19);
		type = old ? buf[pos + len - 1] : de->d_type;
		if (l->n == 1024 || asprintf(&l->names[l->n], "%s:%d", name,
		    type) == -1)
			die("listing");
		l->offs[l->n++] = de->d_off;
	}
	return (n);
}

static int
name_cmp(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

/* A listing and a look at an entry must agree. */
static void
listing_check(FILE *out, int fd, struct listing *l)
{
	struct stat	 st;
	char		 name[NAME_MAX + 1], *p;
	int		 i;

	for (i = 0; i < l->n; i++) {
		strlcpy(name, l->names[i], sizeof(name));
		if ((p = strrchr(name, ':')) != NULL)
			*p = '\0';
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			fprintf(out, " %s: %s", name, strerrorname_np(errno));
	}
}

/* What is left from a place in the middle must be what came after it. */
static void
listing_seek(FILE *out, int fd, int old, const struct listing *l)
{
	struct listing	 rest;
	int		 i, k, same;
	long		 n;

	if (l->n < 2)
		return;
	k = l->n / 2;
	rest.n = 0;
	if (lseek(fd, l->offs[k - 1], SEEK_SET) == -1) {
		fprintf(out, " seek: %s", strerrorname_np(errno));
		return;
	}
	while ((n = listing_read(fd, old, 300, &rest)) > 0)
		continue;
	same = rest.n == l->n - k && n == 0;
	for (i = 0; same && i < rest.n; i++)
		same = strcmp(rest.names[i], l->names[k + i]) == 0;
	fprintf(out, " %s", same ? "again" : "not the same again");
	listing_free(&rest);
}

static void
listed(FILE *out, const struct step *s, int fd)
{
	struct listing	 l;
	long		 n;
	int		 i;

	l.n = 0;
	while ((n = listing_read(fd, s->spell == 1, s->value % 4 == 0 ? 300 :
	    32768, &l)) > 0)
		continue;
	say(out, n);
	if (n == 0) {
		listing_check(out, fd, &l);
		listing_seek(out, fd, s->spell == 1, &l);
	}
	qsort(l.names, l.n, sizeof(l.names[0]), name_cmp);
	for (i = 0; i < l.n; i++)
		fprintf(out, " %s", l.names[i]);
	listing_free(&l);
}

static void
do_list(const struct step *s, FILE *out)
{
	int	 fd;

	if ((fd = syscall(SYS_open, call_path(s, 0), O_RDONLY | O_NONBLOCK |
	    O_CLOEXEC)) == -1) {
		say(out, -1);
		return;
	}
	listed(out, s, fd);
	close(fd);
}

static int
names_have(char *const *names, int n, const char *name)
{
	int	 i, found = 0;

	for (i = 0; i < n; i++)
		found += strcmp(names[i], name) == 0;
	return (found);
}

/* All names of a directory that is held open. */
static int
names_now(int fd, char **names, int max)
{
	struct listing	 l;
	int		 i, copy;

	l.n = 0;
	if ((copy = openat(fd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (0);
	while (listing_read(copy, 0, 32768, &l) > 0)
		continue;
	close(copy);
	for (i = 0; i < l.n && i < max; i++)
		names[i] = l.names[i];
	return (i);
}

/*
 * Listings that are read bit by bit while the directory changes.  What was
 * there all the time must be listed, and once.
 */
static void
do_partial(const struct step *s, FILE *out)
{
	struct slot	*sl = &slots[s->slot];
	struct listing	 l;
	char		*now[512];
	long		 n;
	int		 fd = SLOT_FD + s->slot, i, nnow;
	int		 missing = 0, twice = 0;

	if (!sl->open || !S_ISDIR(sl->st.st_mode)) {
		l.n = 0;
		say(out, listing_read(fd, s->spell == 1, 300, &l));
		listing_free(&l);
		return;
	}
	if (sl->nwas == 0) {
		slot_clear(sl);
		if (lseek(fd, 0, SEEK_SET) == -1) {
			say(out, -1);
			return;
		}
		sl->nwas = names_now(fd, sl->was, 512);
	}
	l.n = 0;
	n = listing_read(fd, s->spell == 1, 300, &l);
	for (i = 0; i < l.n && sl->nnames < 512; i++)
		sl->names[sl->nnames++] = l.names[i];
	say(out, n > 0 ? 1 : n);
	if (n != 0)
		return;
	nnow = names_now(fd, now, 512);
	for (i = 0; i < nnow; i++) {
		if (!names_have(sl->was, sl->nwas, now[i]))
			continue;
		missing += !names_have(sl->names, sl->nnames, now[i]);
		twice += names_have(sl->names, sl->nnames, now[i]) > 1;
	}
	fprintf(out, " missing %d twice %d", missing, twice);
	while (nnow > 0)
		free(now[--nnow]);
	slot_clear(sl);
}

/* Names. */

static void
do_names(const struct step *s, FILE *out)
{
	const char	*p = call_path(s, 0), *q = call_path(s, 1);
	int		 at = call_dir(s, 0), to = call_dir(s, 1), type;

	type = s->value % 3 == 0 ? S_IFIFO : s->value % 3 == 1 ? S_IFSOCK :
	    S_IFREG;
	umask(s->mask);
	switch ((int)s->op << 4 | s->spell) {
	case OP_UNLINK << 4:
		say(out, syscall(SYS_unlink, p));
		break;
	case OP_UNLINK << 4 | 1:
		say(out, syscall(SYS_unlinkat, at, p, s->flags & 0x8));
		break;
	case OP_RMDIR << 4:
		say(out, syscall(SYS_rmdir, p));
		break;
	case OP_RMDIR << 4 | 1:
		say(out, syscall(SYS_unlinkat, at, p, AT_REMOVEDIR));
		break;
	case OP_MKDIR << 4:
		say(out, syscall(SYS_mkdir, p, s->mode));
		break;
	case OP_MKDIR << 4 | 1:
		say(out, syscall(SYS_mkdirat, at, p, s->mode));
		break;
	case OP_MKNOD << 4:
		say(out, syscall(SYS_mknod, p, type | s->mode, 0));
		break;
	case OP_MKNOD << 4 | 1:
		say(out, syscall(SYS_mknodat, at, p, type | s->mode, 0));
		break;
	case OP_RENAME << 4:
		say(out, syscall(SYS_rename, p, q));
		break;
	case OP_RENAME << 4 | 1:
		say(out, syscall(SYS_renameat, at, p, to, q));
		break;
	case OP_RENAME << 4 | 2:
		say(out, syscall(SYS_renameat2, at, p, to, q, s->flags));
		break;
	case OP_LINK << 4:
		say(out, syscall(SYS_link, p, q));
		break;
	case OP_LINK << 4 | 1:
		say(out, syscall(SYS_linkat, at, p, to, q, s->flags));
		break;
	case OP_LINK << 4 | 2:
		say(out, syscall(SYS_linkat, SLOT_FD + s->slot, "", to, q,
		    AT_EMPTY_PATH));
		break;
	case OP_SYMLINK << 4:
		say(out, syscall(SYS_symlink, s->path[1], p));
		break;
	case OP_SYMLINK << 4 | 1:
		say(out, syscall(SYS_symlinkat, s->path[1], at, p));
		break;
	}
}

/* Metadata. */

static void
do_chmod(const struct step *s, FILE *out)
{
	const char	*p = call_path(s, 0);
	int		 at = call_dir(s, 0), fd = SLOT_FD + s->slot;

	switch (s->spell) {
	case 0:
		say(out, syscall(SYS_chmod, p, s->mode));
		break;
	case 1:
		say(out, syscall(SYS_fchmodat, at, p, s->mode));
		break;
	case 2:
		say(out, syscall(SYS_fchmodat2, at, p, s->mode, s->flags));
		break;
	case 3:
		say(out, syscall(SYS_fchmod, fd, s->mode));
		break;
	default:
		say(out, syscall(SYS_fchmodat2, fd, "", s->mode,
		    AT_EMPTY_PATH));
		break;
	}
}

static void
do_chown(const struct step *s, FILE *out)
{
	const char	*p = call_path(s, 0);
	uid_t		 uid;
	gid_t		 gid;
	int		 at = call_dir(s, 0), fd = SLOT_FD + s->slot;

	uid = s->value % 3 == 0 ? (uid_t)-1 : s->value % 3 == 1 ? geteuid() :
	    1234;
	gid = s->value / 3 % 3 == 0 ? (gid_t)-1 : s->value / 3 % 3 == 1 ?
	    getegid() : 4321;
	switch (s->spell) {
	case 0:
		say(out, syscall(SYS_chown, p, uid, gid));
		break;
	case 1:
		say(out, syscall(SYS_lchown, p, uid, gid));
		break;
	case 2:
		say(out, syscall(SYS_fchownat, at, p, uid, gid, s->flags));
		break;
	case 3:
		say(out, syscall(SYS_fchown, fd, uid, gid));
		break;
	default:
		say(out, syscall(SYS_fchownat, fd, "", uid, gid,
		    AT_EMPTY_PATH));
		break;
	}
}

static void
do_utimes(const struct step *s, FILE *out)
{
	struct timespec	 ts[2];
	struct timeval	 tv[2];
	struct utimbuf	 ut;
	const char	*p = call_path(s, 0);
	int		 at = call_dir(s, 0), fd = SLOT_FD + s->slot;
	int		 now = s->value % 5 == 0;

	ut.actime = tv[0].tv_sec = ts[0].tv_sec = OLD + s->value % 50;
	ut.modtime = tv[1].tv_sec = ts[1].tv_sec = OLD + s->value % 60;
	tv[0].tv_usec = tv[1].tv_usec = s->value % 11 == 0 ? 1000000 : 5;
	ts[0].tv_nsec = s->value % 5 == 1 ? UTIME_OMIT : 7;
	ts[1].tv_nsec = s->value % 5 == 2 ? UTIME_NOW : s->value % 13 == 0 ?
	    UTIME_OMIT : 9;
	switch (s->spell) {
	case 0:
		say(out, syscall(SYS_utime, p, now ? NULL : &ut));
		break;
	case 1:
		say(out, syscall(SYS_utimes, p, now ? NULL : tv));
		break;
	case 2:
		say(out, syscall(SYS_futimesat, at, p, now ? NULL : tv));
		break;
	case 3:
		say(out, syscall(SYS_utimensat, at, p, now ? NULL : ts,
		    s->flags));
		break;
	case 4:
		say(out, syscall(SYS_utimensat, fd, NULL, now ? NULL : ts, 0));
		break;
	default:
		say(out, syscall(SYS_utimensat, fd, "", now ? NULL : ts,
		    AT_EMPTY_PATH));
		break;
	}
}

/* Of getxattrat(2) and setxattrat(2). */
struct xattr_at {
	uint64_t	 value;
	uint32_t	 size;
	uint32_t	 flags;
};

static long
xattr_get(const struct step *s, const char *name, char *buf, size_t size)
{
	struct xattr_at	 xa = { (uint64_t)(uintptr_t)buf, size, 0 };
	const char	*p = call_path(s, 0);
	int		 at = call_dir(s, 0), fd = SLOT_FD + s->slot;

	switch (s->spell) {
	case 0:
		return (syscall(SYS_getxattr, p, name, buf, size));
	case 1:
		return (syscall(SYS_lgetxattr, p, name, buf, size));
	case 2:
		return (syscall(SYS_getxattrat, at, p, s->flags &
		    AT_SYMLINK_NOFOLLOW, name, &xa, sizeof(xa)));
	case 3:
		return (syscall(SYS_fgetxattr, fd, name, buf, size));
	default:
		return (syscall(SYS_getxattrat, fd, "", AT_EMPTY_PATH, name,
		    &xa, sizeof(xa)));
	}
}

static long
xattr_set(const struct step *s, const char *name)
{
	char		 value[] = "value";
	size_t		 size = s->value % 5;
	int		 flags = s->value / 7 % 3;
	struct xattr_at	 xa = { (uint64_t)(uintptr_t)value, size, flags };
	const char	*p = call_path(s, 0);
	int		 at = call_dir(s, 0), fd = SLOT_FD + s->slot;

	switch (s->spell) {
	case 0:
		return (syscall(SYS_setxattr, p, name, value, size, flags));
	case 1:
		return (syscall(SYS_lsetxattr, p, name, value, size, flags));
	case 2:
		return (syscall(SYS_setxattrat, at, p, s->flags &
		    AT_SYMLINK_NOFOLLOW, name, &xa, sizeof(xa)));
	case 3:
		return (syscall(SYS_fsetxattr, fd, name, value, size, flags));
	default:
		return (syscall(SYS_setxattrat, fd, "", AT_EMPTY_PATH, name,
		    &xa, sizeof(xa)));
	}
}

static long
xattr_remove(const struct step *s, const char *name)
{
	const char	*p = call_path(s, 0);
	int		 at = call_dir(s, 0), fd = SLOT_FD + s->slot;

	switch (s->spell) {
	case 0:
		return (syscall(SYS_removexattr, p, name));
	case 1:
		return (syscall(SYS_lremovexattr, p, name));
	case 2:
		return (syscall(SYS_removexattrat, at, p, s->flags &
		    AT_SYMLINK_NOFOLLOW, name));
	case 3:
		return (syscall(SYS_fremovexattr, fd, name));
	default:
		return (syscall(SYS_removexattrat, fd, "", AT_EMPTY_PATH,
		    name));
	}
}

static long
xattr_list(const struct step *s, char *buf, size_t size)
{
	const char	*p = call_path(s, 0);
	int		 at = call_dir(s, 0), fd = SLOT_FD + s->slot;

	switch (s->spell) {
	case 0:
		return (syscall(SYS_listxattr, p, buf, size));
	case 1:
		return (syscall(SYS_llistxattr, p, buf, size));
	case 2:
		return (syscall(SYS_listxattrat, at, p, s->flags &
		    AT_SYMLINK_NOFOLLOW, buf, size));
	case 3:
		return (syscall(SYS_flistxattr, fd, buf, size));
	default:
		return (syscall(SYS_listxattrat, fd, "", AT_EMPTY_PATH, buf,
		    size));
	}
}

static void
do_xattr(const struct program *pr, const struct step *s, FILE *out)
{
	static const char *const	 names[] = {
		"user.t", "user.u", "user.t", "user.u", "user.t", "user.u",
		"", "user.", "trusted.x", "nothing"
	};
	const char			*name = names[s->value / 11 % 10];
	char				 buf[1024], *all[32], *p;
	size_t				 size = s->value % 9 == 0 ? 0 :
					    s->value % 9 == 1 ? 2 :
					    sizeof(buf);
	long				 n;
	int				 i, k;

	if (pr->overlay && s->op == OP_LISTXATTR)
		size = sizeof(buf);
	switch (s->op) {
	case OP_GETXATTR:
		n = xattr_get(s, name, buf, size);
		say_bytes(out, buf, size == 0 && n > 0 ? 0 : n);
		break;
	case OP_SETXATTR:
		say(out, xattr_set(s, name));
		break;
	case OP_REMOVEXATTR:
		say(out, xattr_remove(s, name));
		break;
	default:
		n = xattr_list(s, buf, size);
		/* The attributes of an overlay show, to make up for others. */
		say(out, pr->overlay && n > 0 ? 0 : n);
		/* The order is the file system's. */
		for (p = buf, k = 0; size > 0 && p < buf + n && k < 32;
		    p += strlen(p) + 1)
			if (strncmp(p, "user.overlay.", 13) != 0)
				all[k++] = p;
		qsort(all, k, sizeof(all[0]), name_cmp);
		for (i = 0; i < k; i++)
			fprintf(out, " %s", all[i]);
		break;
	}
}

/* Content and places. */

static void
do_truncate(const struct step *s, FILE *out)
{
	off_t	 size = s->value % 30 == 7 ? -1 : s->value % 20;

	say(out, s->spell == 0 ? syscall(SYS_truncate, call_path(s, 0), size) :
	    syscall(SYS_ftruncate, SLOT_FD + s->slot, size));
}

static void
do_statfs(const struct program *pr, const struct step *s, FILE *out)
{
	struct statfs	 sf;
	long		 ret;

	if (s->spell == 0)
		ret = syscall(SYS_statfs, call_path(s, 0), &sf);
	else
		ret = syscall(SYS_fstatfs, SLOT_FD + s->slot, &sf);
	say(out, ret);
	/* An overlay is another file system. */
	if (ret == 0 && !pr->overlay)
		fprintf(out, " %lx %ld %ld", (unsigned long)sf.f_type,
		    (long)sf.f_namelen, (long)sf.f_bsize);
}

static void
do_place(const struct step *s, FILE *out)
{
	char	 buf[PATH_MAX];
	long	 ret;

	if (s->op == OP_CHDIR)
		ret = syscall(SYS_chdir, call_path(s, 0));
	else if (s->op == OP_FCHDIR)
		ret = syscall(SYS_fchdir, SLOT_FD + s->slot);
	else
		ret = 0;
	say(out, ret);
	if (ret == -1)
		return;
	ret = syscall(SYS_getcwd, buf, s->op == OP_GETCWD &&
	    s->value % 5 == 0 ? 5 : sizeof(buf));
	say(out, ret);
	if (ret != -1)
		fprintf(out, " %s", buf);
}

static void
do_content(const struct step *s, FILE *out)
{
	char	 buf[64];
	ssize_t	 n;
	int	 fd = SLOT_FD + s->slot;

	if (slots[s->slot].open && S_ISDIR(slots[s->slot].st.st_mode) &&
	    s->op != OP_CLOSE) {
		say(out, 0);
		return;
	}
	switch (s->op) {
	case OP_READ:
		n = s->spell == 0 ? syscall(SYS_read, fd, buf, 9) :
		    syscall(SYS_pread64, fd, buf, 9, s->value % 7);
		if (s->stale)
			say(out, n == -1 ? -1 : 0);
		else
			say_bytes(out, buf, n);
		break;
	case OP_WRITE:
		n = snprintf(buf, sizeof(buf), "v%d", s->value);
		say(out, s->spell == 0 ? syscall(SYS_write, fd, buf, n) :
		    syscall(SYS_pwrite64, fd, buf, n, s->value % 30));
		break;
	case OP_SEEK:
		n = syscall(SYS_lseek, fd, s->value % 40 - 10, s->value % 3);
		say(out, s->stale ? (n == -1 ? -1 : 0) : n);
		break;
	default:
		slot_clear(&slots[s->slot]);
		slots[s->slot].open = 0;
		say(out, syscall(SYS_close, fd));
		break;
	}
}

static void
exec_child(const struct step *s, int fd)
{
	char	 arg0[] = "prog", arg1[] = "argument";
	char	*argv[] = { arg0, arg1, NULL }, *envp[] = { NULL };

	if (dup2(fd, STDOUT_FILENO) == -1 || dup2(fd, STDERR_FILENO) == -1)
		_exit(99);
	switch (s->spell) {
	case 0:
		syscall(SYS_execve, call_path(s, 0), argv, envp);
		break;
	case 1:
		syscall(SYS_execveat, call_dir(s, 0), call_path(s, 0), argv,
		    envp, s->flags & AT_SYMLINK_NOFOLLOW);
		break;
	default:
		syscall(SYS_execveat, SLOT_FD + s->slot, "", argv, envp,
		    AT_EMPTY_PATH);
		break;
	}
	dprintf(STDOUT_FILENO, "%s", strerrorname_np(errno));
	_exit(98);
}

static void
do_exec(const struct step *s, FILE *out)
{
	char	 buf[512];
	ssize_t	 n;
	pid_t	 pid;
	int	 fds[2], status;

	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		die("fork");
	if (pid == 0)
		exec_child(s, fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0)
		say_bytes(out, buf, n);
	close(fds[0]);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	fprintf(out, " status %x", status);
}

/* A program or a script by a name. */
static void
do_copy(const struct step *s, FILE *out)
{
	static const char	 script[] = "#! /bin/sh\necho \"$0\" \"$@\"\n";
	char			 buf[65536];
	ssize_t			 n;
	int			 from, to;

	umask(s->mask);
	if ((to = syscall(SYS_open, call_path(s, 0), O_WRONLY | O_CREAT |
	    O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0777)) == -1) {
		say(out, -1);
		return;
	}
	if (s->value % 2 == 0)
		say(out, write(to, script, sizeof(script) - 1));
	else {
		if ((from = open("/bin/echo", O_RDONLY | O_CLOEXEC)) == -1)
			die("/bin/echo");
		while ((n = read(from, buf, sizeof(buf))) > 0)
			say(out, write(to, buf, n));
		close(from);
	}
	close(to);
}

static void
do_socket(const struct step *s, FILE *out)
{
	struct sockaddr_un	 sun;
	const char		*p = call_path(s, 0);
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (s->path[0][0] == '@' || s->path[0][0] == '\0' ||
	    strlcpy(sun.sun_path, p, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		say(out, 0);
		return;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		die("socket");
	umask(s->mask);
	if (s->op == OP_CONNECT)
		say(out, syscall(SYS_connect, fd, &sun, sizeof(sun)));
	else {
		say(out, syscall(SYS_bind, fd, &sun, sizeof(sun)));
		say(out, listen(fd, 5));
		if (s->value % 2 == 0)
			slot_keep(s->slot, fd, O_RDWR);
	}
	close(fd);
}

/* Remove what is in a directory, as far as that goes. */
static void
do_empty(const struct step *s, FILE *out)
{
	char		 name[PATH_MAX], *sep;
	struct listing	 l;
	long		 ret;
	int		 fd, i;

	l.n = 0;
	if ((fd = syscall(SYS_open, call_path(s, 0), O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1) {
		say(out, -1);
		return;
	}
	while (listing_read(fd, 0, 32768, &l) > 0)
		continue;
	qsort(l.names, l.n, sizeof(l.names[0]), name_cmp);
	for (i = 0; i < l.n; i++) {
		strlcpy(name, l.names[i], sizeof(name));
		sep = strrchr(name, ':');
		*sep = '\0';
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		ret = syscall(SYS_unlinkat, fd, name, atoi(sep + 1) == DT_DIR ?
		    AT_REMOVEDIR : 0);
		fprintf(out, " %s:%s", name, ret == -1 ?
		    strerrorname_np(errno) : "0");
	}
	listing_free(&l);
	close(fd);
}

/* All of the tree. */
static void
do_walk(const struct program *pr, FILE *out)
{
	char	*p, *text;
	int	 cwd;

	if ((cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    chdir(pr->top) == -1) {
		say(out, -1);
		close(cwd);
		return;
	}
	text = look_text(&look_plain, TREE_PLAIN);
	for (p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = '|';
	fprintf(out, " %s", text);
	free(text);
	if (fchdir(cwd) == -1)
		die("fchdir");
	close(cwd);
}

void
call(const struct program *pr, const struct step *s, FILE *out)
{
	umask(s->mask);
	switch (s->op) {
	case OP_OPEN:
		do_open(s, out);
		break;
	case OP_TMPFILE:
		do_tmpfile(s, out);
		break;
	case OP_STAT:
		do_stat(s, out);
		break;
	case OP_ACCESS:
		do_access(s, out);
		break;
	case OP_READLINK:
		do_readlink(s, out);
		break;
	case OP_LIST:
		do_list(s, out);
		break;
	case OP_PARTIAL:
		do_partial(s, out);
		break;
	case OP_CHMOD:
		do_chmod(s, out);
		break;
	case OP_CHOWN:
		do_chown(s, out);
		break;
	case OP_UTIMES:
		do_utimes(s, out);
		break;
	case OP_TRUNCATE:
		do_truncate(s, out);
		break;
	case OP_GETXATTR:
	case OP_SETXATTR:
	case OP_REMOVEXATTR:
	case OP_LISTXATTR:
		do_xattr(pr, s, out);
		break;
	case OP_STATFS:
		do_statfs(pr, s, out);
		break;
	case OP_CHDIR:
	case OP_FCHDIR:
	case OP_GETCWD:
		do_place(s, out);
		break;
	case OP_READ:
	case OP_WRITE:
	case OP_SEEK:
	case OP_CLOSE:
		do_content(s, out);
		break;
	case OP_EXEC:
		do_exec(s, out);
		break;
	case OP_COPY:
		do_copy(s, out);
		break;
	case OP_BIND:
	case OP_CONNECT:
		do_socket(s, out);
		break;
	case OP_EMPTY:
		do_empty(s, out);
		break;
	case OP_WALK:
		do_walk(pr, out);
		break;
	default:
		do_names(s, out);
		break;
	}
}
