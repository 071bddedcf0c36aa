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
 * The directory of a branch: made before a run, found again by the branch
 * command, removed.  What is in it, and what of that goes into the working
 * directory, is cowd's business; this file never touches the working directory.
 *
 * STORAGE/NAME/ holds info (text, written once, also the lock), upper and work;
 * for a branch that a branchfs server has, info only, with its id.
 * A branch is in use as long as somebody holds the lock on info.  It is fresh,
 * a file of that name, until somebody has decided to keep it: what a run that
 * was killed in its first moments leaves is of no use to anybody.
 */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vis.h>

#include "branchfs.h"
#include "keeper.h"
#include "log.h"
#include "rmtree.h"
#include "storage.h"

#define BRANCH_INFO_VERSION	1
#define BRANCH_INFO_MAX		(64 * 1024)
#define BRANCH_XATTRS_MAX	(64 * 1024)
#define BRANCH_CLOCK_NS		20000000	/* between two looks */
#define BRANCH_CLOCK_TRIES	100
#define BRANCH_REMOVED	01700	/* mode of one that is half removed */
#define BRANCH_MAKE_SECONDS	60	/* more than it takes to make one */
#define BIRTH_SIZE		96

/* What info says besides what struct branch_dir holds. */
struct info {
	uintmax_t	 ino;
	char		 birth[BIRTH_SIZE];
};

void
storage_init(struct branch_dir *b)
{
	memset(b, 0, sizeof(*b));
	b->storage_fd = b->fd = b->lock = b->lower = -1;
}

void
storage_close(struct branch_dir *b)
{
	if (b->storage_fd != -1)
		close(b->storage_fd);
	if (b->fd != -1)
		close(b->fd);
	if (b->lock != -1)
		close(b->lock);
	if (b->lower != -1)
		close(b->lower);
	free(b->storage);
	free(b->workdir);
	free(b->server);
	storage_init(b);
}

/* mkdir -p, for this user only. */
static int
make_path(char *path)
{
	char	*slash = path;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST &&
		    errno != EROFS && errno != EACCES)
			return (-1);
		*slash = '/';
	}
	return (mkdir(path, 0700) == -1 && errno != EEXIST ? -1 : 0);
}

/* Nobody else may put another branch in the place of ours. */
static int
storage_find(struct branch_dir *b, const char *path, int create)
{
	struct stat	 st;

	if ((b->storage = strdup(path)) == NULL)
		fatal("storage");
	if (create && make_path(b->storage) == -1) {
		log_warnx("%s: %s: say with --fs-storage where branches are to "
		    "lie, or run with --no-workdir", path, strerror(errno));
		return (-1);
	}
	if ((b->storage_fd = open(path, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || fstat(b->storage_fd, &st) == -1) {
		if (create || errno != ENOENT)
			log_warn("%s", path);
		return (-1);
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0) ||
	    ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))) {
		log_warnx("%s: others may write here: not for branches", path);
		return (-1);
	}
	return (0);
}

/*
 * The root of the merged tree has the attributes of upper: those of the
 * working directory.
 */
static int
copy_xattrs(int from, int to)
{
	char	*names, *name, *value;
	ssize_t	 len, size;
	int	 ret = 0;

	if ((names = malloc(BRANCH_XATTRS_MAX)) == NULL ||
	    (value = malloc(BRANCH_XATTRS_MAX)) == NULL) {
		free(names);
		return (-1);
	}
	if ((len = flistxattr(from, names, BRANCH_XATTRS_MAX)) == -1)
		ret = errno == ENOTSUP ? 0 : -1;
	for (name = names; ret == 0 && name < names + len;
	    name += strlen(name) + 1) {
		if (strncmp(name, "user.overlay.", 13) == 0 ||
		    strncmp(name, "security.", 9) == 0 ||
		    strncmp(name, "trusted.", 8) == 0)
			continue;
		if ((size = fgetxattr(from, name, value,
		    BRANCH_XATTRS_MAX)) == -1 ||
		    fsetxattr(to, name, value, size, 0) == -1)
			ret = -1;
	}
	free(names);
	free(value);
	return (ret);
}

static int
copy_attributes(int from, int to)
{
	struct timespec	 times[2];
	struct stat	 st, own;

	if (fstat(from, &st) == -1 || fstat(to, &own) == -1)
		return (-1);
	if ((st.st_uid != own.st_uid || st.st_gid != own.st_gid) &&
	    fchown(to, st.st_uid, st.st_gid) == -1)
		return (-1);
	if (copy_xattrs(from, to) == -1 ||
	    fchmod(to, st.st_mode & 07777) == -1)
		return (-1);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return (futimens(to, times));
}

static void
branch_name(char name[BRANCH_NAME_SIZE])
{
	static const char	 letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	size_t			 i;

	for (i = 0; i < BRANCH_NAME_SIZE - 1; i++)
		name[i] = letters[arc4random_uniform(sizeof(letters) - 1)];
	name[i] = '\0';
}

/* The clock of a file system is not ours: ask it by a file without a name. */
static int
clock_read(const struct branch_dir *b, struct timespec *now)
{
	struct stat	 st;
	int		 fd, ret;

	if ((fd = openat(b->lower, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
	    0600)) == -1)
		return (clock_gettime(CLOCK_REALTIME, now));
	if ((ret = fstat(fd, &st)) == 0)
		*now = st.st_ctim;
	close(fd);
	return (ret);
}

/*
 * What changes from now on has a later time.  Where time stamps are whole
 * seconds, that takes until the next one begins.
 */
static int
branch_clock(struct branch_dir *b)
{
	const struct timespec	 pause = { 0, BRANCH_CLOCK_NS };
	struct timespec		 now;
	int			 tries;

	if (clock_read(b, &b->start) == -1)
		return (-1);
	now = b->start;
	for (tries = 0; now.tv_nsec == 0 && now.tv_sec == b->start.tv_sec &&
	    tries < BRANCH_CLOCK_TRIES; tries++) {
		nanosleep(&pause, NULL);
		if (clock_read(b, &now) == -1)
			return (-1);
	}
	return (0);
}

/*
 * When an inode was made and on which file system, as far as those tell: the
 * number alone may be that of another one by now.
 */
static void
inode_birth(int fd, char *text, size_t size)
{
	struct statx	 sx;
	struct statfs	 sf;

	memset(&sf, 0, sizeof(sf));
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &sx) == -1 ||
	    (sx.stx_mask & STATX_BTIME) == 0)
		memset(&sx, 0, sizeof(sx));
	if (fstatfs(fd, &sf) == -1)
		memset(&sf, 0, sizeof(sf));
	snprintf(text, size, "%lld.%09u:%lx:%x:%x",
	    (long long)sx.stx_btime.tv_sec, sx.stx_btime.tv_nsec,
	    (unsigned long)sf.f_type, (unsigned int)sf.f_fsid.__val[0],
	    (unsigned int)sf.f_fsid.__val[1]);
}

/* One line of info for each thing to know; white space is encoded. */
static int
info_write(struct branch_dir *b)
{
	struct stat	 st;
	FILE		*f;
	char		 birth[BIRTH_SIZE], *name;
	int		 fd, ret = -1;

	if (fstat(b->lower, &st) == -1 ||
	    (name = malloc(4 * strlen(b->workdir) + 1)) == NULL)
		return (-1);
	strvis(name, b->workdir, VIS_WHITE);
	if ((fd = fcntl(b->lock, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    (f = fdopen(fd, "w")) == NULL) {
		if (fd != -1)
			close(fd);
		free(name);
		return (-1);
	}
	inode_birth(b->lower, birth, sizeof(birth));
	fprintf(f, "version %d\nworkdir %s\ninode %ju\nborn %s\n"
	    "created %jd\nstart %jd.%09ld\n", BRANCH_INFO_VERSION, name,
	    (uintmax_t)st.st_ino, birth, (intmax_t)time(NULL),
	    (intmax_t)b->start.tv_sec, b->start.tv_nsec);
	if (b->server != NULL)
		fprintf(f, "branchfs %s\n", b->server);
	free(name);
	if (!ferror(f) && fflush(f) == 0 && fsync(fd) == 0)
		ret = 0;
	if (fclose(f) == EOF)
		ret = -1;
	return (ret);
}

/*
 * Whether a branch can be written here: its format needs attributes of users,
 * and device 0:0 for what is gone, which everybody may make.  0, or -1 after a
 * message that says what to do.
 */
static int
storage_probe(const struct branch_dir *b, int work)
{
	static const char	 name[] = "user.overlay.probe";
	const char		*what = "extended attributes of users";
	int			 ret;

	if ((ret = fsetxattr(work, name, "", 0, 0)) == 0 &&
	    (ret = fremovexattr(work, name)) == 0) {
		what = "whiteouts";
		if ((ret = mknodat(work, "probe", S_IFCHR, 0)) == 0)
			ret = unlinkat(work, "probe", 0);
	}
	if (ret == 0)
		return (0);
	log_warnx("%s: no %s on this file system (%s): say with --fs-storage "
	    "another place for branches, or run with --no-workdir",
	    b->storage, what, strerror(errno));
	return (-1);
}

static int
storage_check(const struct branch_dir *b)
{
	int	 ret, work;

	if ((work = openat(b->fd, "work", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1) {
		log_warn("branch in %s", b->storage);
		return (-1);
	}
	ret = storage_probe(b, work);
	close(work);
	return (ret);
}

static int
branch_upper(struct branch_dir *b, enum storage_kind kind)
{
	int	 fresh, upper, ret;

	if ((fresh = openat(b->fd, "fresh", O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0600)) == -1 || close(fresh) == -1 ||
	    mkdirat(b->fd, "work", 0700) == -1 ||
	    mkdirat(b->fd, "upper", 0700) == -1 ||
	    (upper = openat(b->fd, "upper", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (-1);
	/* Else cowd does it, which can note an owner that we cannot give. */
	ret = kind == STORAGE_OVERLAY ? copy_attributes(b->lower, upper) : 0;
	close(upper);
	return (ret == -1 ? -1 : branch_clock(b));
}

/* 0, or -1 and errno, or 1 after a message. */
static int
branch_make(struct branch_dir *b, enum storage_kind kind, int keep)
{
	branch_name(b->name);
	if (mkdirat(b->storage_fd, b->name, 0700) == -1 ||
	    (b->fd = openat(b->storage_fd, b->name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1 ||
	    (b->lock = openat(b->fd, "info", O_RDWR | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0600)) == -1 || flock(b->lock, LOCK_EX) == -1)
		return (-1);
	if (kind == STORAGE_SERVER) {
		if (keeper_begin(b, keep) == -1)
			return (1);
	} else if (branch_upper(b, kind) == -1)
		return (-1);
	return (info_write(b));
}

int
storage_create(struct branch_dir *b, const char *storage, const char *workdir,
    enum storage_kind kind, int keep)
{
	mode_t	 mask;
	int	 ret;

	storage_init(b);
	if (storage_find(b, storage, 1) == -1)
		return (-1);
	if ((b->workdir = strdup(workdir)) == NULL ||
	    (b->lower = open(workdir, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1) {
		log_warn("--workdir %s", workdir);
		return (-1);
	}
	mask = umask(0);
	ret = branch_make(b, kind, keep);
	umask(mask);
	if (ret == -1)
		log_warn("branch of %s in %s", workdir, storage);
	else if (ret == 0 && kind != STORAGE_SERVER)
		ret = storage_check(b);
	if (ret == 0)
		return (0);
	/* What a server has made by now is ended with everything else. */
	if (b->server == NULL)
		storage_remove(b);
	return (-1);
}

static int
info_server(struct branch_dir *b, const char *value)
{
	char	 id[BRANCHFS_ID_SIZE];

	memset(id, 0, sizeof(id));
	return (strlcpy(id, value, sizeof(id)) < sizeof(id) &&
	    branchfs_id(id) && (b->server = strdup(id)) != NULL);
}

/* Take a line of info apart; 0 when it is not one of ours. */
static int
info_line(struct branch_dir *b, char *line, struct info *info)
{
	intmax_t	 sec;
	char		*value;

	if ((value = strchr(line, ' ')) == NULL)
		return (0);
	*value++ = '\0';
	if (strcmp(line, "version") == 0)
		return (strtol(value, NULL, 10) == BRANCH_INFO_VERSION);
	if (strcmp(line, "workdir") == 0) {
		if (b->workdir != NULL ||
		    (b->workdir = malloc(strlen(value) + 1)) == NULL)
			return (0);
		return (strunvis(b->workdir, value) > 0);
	}
	if (strcmp(line, "inode") == 0)
		return (sscanf(value, "%ju", &info->ino) == 1);
	if (strcmp(line, "born") == 0)
		return (strlcpy(info->birth, value, sizeof(info->birth)) <
		    sizeof(info->birth));
	if (strcmp(line, "branchfs") == 0)
		return (b->server == NULL && info_server(b, value));
	if (strcmp(line, "created") == 0) {
		b->created = (time_t)strtoll(value, NULL, 10);
		return (1);
	}
	if (strcmp(line, "start") == 0) {
		if (sscanf(value, "%jd.%9ld", &sec, &b->start.tv_nsec) != 2)
			return (0);
		b->start.tv_sec = (time_t)sec;
		return (1);
	}
	return (1);
}

static int
info_read(struct branch_dir *b, struct info *info)
{
	char	*buf, *line, *next;
	ssize_t	 n;
	int	 good = 1;

	if ((buf = malloc(BRANCH_INFO_MAX + 1)) == NULL)
		return (-1);
	if ((n = pread(b->lock, buf, BRANCH_INFO_MAX, 0)) == -1) {
		free(buf);
		return (-1);
	}
	buf[n] = '\0';
	memset(info, 0, sizeof(*info));
	for (line = buf; good && *line != '\0'; line = next) {
		if ((next = strchr(line, '\n')) == NULL)
			good = 0;
		else {
			*next++ = '\0';
			good = info_line(b, line, info);
		}
	}
	free(buf);
	if (!good || b->workdir == NULL || b->workdir[0] != '/' ||
	    info->ino == 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (0);
}

static int
branch_find(struct branch_dir *b, const char *name)
{
	struct stat	 st;

	if (strlcpy(b->name, name, sizeof(b->name)) >= sizeof(b->name) ||
	    name[0] == '.' || strchr(name, '/') != NULL) {
		errno = ENOENT;
		return (-1);
	}
	if ((b->fd = openat(b->storage_fd, name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1 || fstat(b->fd, &st) == -1)
		return (-1);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		errno = EPERM;
		return (-1);
	}
	return (0);
}

static int
branch_has(const struct branch_dir *b, const char *name)
{
	return (faccessat(b->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

/*
 * Whoever makes a branch has it locked before info says anything: when it says
 * something and the lock is ours, nobody is there any more.
 */
static int
branch_abandoned(const struct branch_dir *b)
{
	struct stat	 st;

	if (fstat(b->fd, &st) == 0 && (st.st_mode & 07777) == BRANCH_REMOVED)
		return (1);
	return (branch_has(b, "fresh") && !branch_has(b, "journal") &&
	    !branch_has(b, "committed") && !storage_written(b));
}

/* The same of one that was never complete, when that has been a while. */
static int
branch_unmade(const struct branch_dir *b)
{
	struct stat	 st;

	return (b->fd != -1 && (b->lock == -1 || (fstat(b->lock, &st) == 0 &&
	    st.st_size == 0)) && (!branch_has(b, "upper") ||
	    branch_abandoned(b)) && fstat(b->fd, &st) == 0 &&
	    st.st_mtime + BRANCH_MAKE_SECONDS < time(NULL));
}

enum branch_state
storage_branch(struct branch_dir *b, const char *name)
{
	struct info	 info;
	struct stat	 st;
	char		 birth[BIRTH_SIZE];
	int		 saved_errno;

	if (branch_find(b, name) == -1)
		return (BRANCH_BAD);
	if ((b->lock = openat(b->fd, "info", O_RDWR | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK)) == -1 || info_read(b, &info) == -1) {
		saved_errno = errno;
		if (branch_unmade(b))
			return (BRANCH_ABANDONED);
		errno = saved_errno;
		return (BRANCH_BAD);
	}
	if (flock(b->lock, LOCK_EX | LOCK_NB) == -1)
		return (errno == EWOULDBLOCK ? BRANCH_IN_USE : BRANCH_BAD);
	if (branch_abandoned(b))
		return (BRANCH_ABANDONED);
	if ((b->lower = open(b->workdir, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || fstat(b->lower, &st) == -1)
		return (BRANCH_ORPHAN);
	/* The number of the device may be another after a reboot. */
	inode_birth(b->lower, birth, sizeof(birth));
	if (st.st_ino != info.ino || strcmp(birth, info.birth) != 0) {
		errno = ESTALE;
		return (BRANCH_ORPHAN);
	}
	if (branch_has(b, "journal"))
		return (BRANCH_BROKEN_OFF);
	if (branch_has(b, "committed"))
		return (BRANCH_COMMITTED);
	return (BRANCH_KEPT);
}

int
storage_broken_off(const struct branch_dir *b)
{
	return (branch_has(b, "journal") && !branch_has(b, "committed"));
}

int
storage_settle(const struct branch_dir *b)
{
	return (unlinkat(b->fd, "fresh", 0) == -1 && errno != ENOENT ? -1 : 0);
}

int
storage_put_aside(const struct branch_dir *b)
{
	char	 name[BRANCH_NAME_SIZE + 1];

	snprintf(name, sizeof(name), ".%s", b->name);
	if (renameat2(b->storage_fd, b->name, b->storage_fd, name,
	    RENAME_NOREPLACE) == -1)
		return (-1);
	return (fsync(b->storage_fd));
}

int
storage_written(const struct branch_dir *b)
{
	struct dirent	*d;
	DIR		*dir;
	int		 fd, found = 0;

	if ((fd = openat(b->fd, "upper", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (errno != ENOENT);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (1);
	}
	while (!found && (d = readdir(dir)) != NULL)
		found = strcmp(d->d_name, ".") != 0 &&
		    strcmp(d->d_name, "..") != 0;
	closedir(dir);
	return (found);
}

int
storage_open(struct branch_dir *b, const char *storage)
{
	storage_init(b);
	return (storage_find(b, storage, 0));
}

int
storage_remove(struct branch_dir *b)
{
	if (b->storage_fd == -1 || b->name[0] == '\0')
		return (0);
	/* What is half removed must not look like a branch. */
	if (b->fd != -1 && fchmod(b->fd, BRANCH_REMOVED) == -1)
		return (-1);
	return (rmtree(b->storage_fd, b->name));
}
