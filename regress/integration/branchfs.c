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
 * A branchfs for the tests: serves a directory, and branches of it below @ID.
 * A branch is an overlay that nobody but this process sees; it is committed by
 * the commit engine of cowd.  What goes wrong, and how, is said by the file
 * "fault" in the store while it serves:
 *
 *	create | commit | abort	ERRNO-NUMBER | hang | exit
 *	create			slash | nonul | inside | empty | dot | at |
 *				link | missing | none
 *
 * Two processes: one serves, its parent stays where the mount is seen and takes
 * that down when the server or whoever started both has ended.
 */

#define FUSE_USE_VERSION	312

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "branch.h"
#include "branchfs.h"
#include "rmtree.h"

#define CTL		"/" BRANCHFS_CTL
#define HIDDEN		".fuse_hidden"

static char		 base[PATH_MAX];
static char		 store[PATH_MAX];
static int		 store_fd = -1;
static int		 lists;		/* what is not the user's, too */
static unsigned int	 next_id;
static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether the fault file says this of an operation; or which errno, or 0. */
static int
fault(const char *verb, const char *what)
{
	char	 path[PATH_MAX + 8], v[32], w[32];
	FILE	*f;
	int	 found = 0;

	snprintf(path, sizeof(path), "%s/fault", store);
	if ((f = fopen(path, "r")) == NULL)
		return (0);
	while (fscanf(f, "%31s %31s", v, w) == 2)
		if (strcmp(v, verb) == 0) {
			if (what == NULL)
				found = atoi(w);
			else if (strcmp(w, what) == 0)
				found = 1;
		}
	fclose(f);
	return (found);
}

/* What befalls any of the three; 0 or an errno. */
static int
fault_common(const char *verb)
{
	if (fault(verb, "exit"))
		_exit(0);
	while (fault(verb, "hang"))
		usleep(100000);
	return (fault(verb, NULL));
}

/*
 * Where a path of the file system lies; 1 when it is a control file, -1 when
 * its branch is not there.  The id goes into the third argument, or "".
 */
static int
place(const char *path, char real[PATH_MAX], char id[NAME_MAX + 1])
{
	const char	*rest;
	struct stat	 st;
	size_t		 len;

	id[0] = '\0';
	if (strcmp(path, CTL) == 0)
		return (1);
	if (path[1] != '@') {
		if (snprintf(real, PATH_MAX, "%s%s", base, path) >= PATH_MAX)
			goto toolong;
		return (0);
	}
	rest = path + strcspn(path + 1, "/") + 1;
	len = rest - (path + 2);
	if (len == 0 || len > NAME_MAX) {
		errno = ENOENT;
		return (-1);
	}
	memcpy(id, path + 2, len);
	id[len] = '\0';
	if (snprintf(real, PATH_MAX, "%s/%s/merged", store, id) >= PATH_MAX)
		goto toolong;
	if (lstat(real, &st) == -1)
		return (-1);
	if (strcmp(rest, CTL) == 0)
		return (1);
	if (snprintf(real, PATH_MAX, "%s/%s/merged%s", store, id, rest) >=
	    PATH_MAX)
		goto toolong;
	return (0);
 toolong:
	errno = ENAMETOOLONG;
	return (-1);
}

#define PLACE(path, real)						\
	char	 real[PATH_MAX], id_[NAME_MAX + 1];			\
									\
	switch (place(path, real, id_)) {				\
	case 1:								\
		return (-EPERM);					\
	case -1:							\
		return (-errno);					\
	}

static int
result(int ret)
{
	return (ret == -1 ? -errno : 0);
}

static void *
fs_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	cfg->use_ino = 1;
	cfg->entry_timeout = 0;
	cfg->attr_timeout = 0;
	cfg->negative_timeout = 0;
	cfg->nullpath_ok = 0;
	return (NULL);
}

static int
fs_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	char	 real[PATH_MAX], id[NAME_MAX + 1];

	if (fi != NULL && fi->fh != 0)
		return (result(fstat((int)fi->fh, st)));
	switch (place(path, real, id)) {
	case 1:
		memset(st, 0, sizeof(*st));
		st->st_mode = S_IFREG | 0600;
		st->st_nlink = 1;
		st->st_uid = geteuid();
		st->st_gid = getegid();
		return (0);
	case -1:
		return (-errno);
	}
	return (result(lstat(real, st)));
}

static int
fs_readlink(const char *path, char *buf, size_t size)
{
	ssize_t	 n;

	PLACE(path, real);
	if ((n = readlink(real, buf, size - 1)) == -1)
		return (-errno);
	buf[n] = '\0';
	return (0);
}

static int
fs_mknod(const char *path, mode_t mode, dev_t dev)
{
	PLACE(path, real);
	return (result(mknod(real, mode, dev)));
}

static int
fs_mkdir(const char *path, mode_t mode)
{
	PLACE(path, real);
	return (result(mkdir(real, mode)));
}

static int
fs_unlink(const char *path)
{
	PLACE(path, real);
	return (result(unlink(real)));
}

static int
fs_rmdir(const char *path)
{
	PLACE(path, real);
	return (result(rmdir(real)));
}

static int
fs_symlink(const char *text, const char *path)
{
	PLACE(path, real);
	return (result(symlink(text, real)));
}

static int
fs_rename(const char *from, const char *to, unsigned int flags)
{
	char	 target[PATH_MAX], id[NAME_MAX + 1];

	PLACE(from, real);
	if (place(to, target, id) != 0)
		return (-EPERM);
	if (strcmp(id, id_) != 0)
		return (-EXDEV);
	return (result(renameat2(AT_FDCWD, real, AT_FDCWD, target, flags)));
}

static int
fs_link(const char *from, const char *to)
{
	char	 target[PATH_MAX], id[NAME_MAX + 1];

	PLACE(from, real);
	if (place(to, target, id) != 0)
		return (-EPERM);
	if (strcmp(id, id_) != 0)
		return (-EXDEV);
	return (result(link(real, target)));
}

static int
fs_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	if (fi != NULL && fi->fh != 0)
		return (result(fchmod((int)fi->fh, mode)));
	PLACE(path, real);
	return (result(chmod(real, mode)));
}

static int
fs_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	if (fi != NULL && fi->fh != 0)
		return (result(fchown((int)fi->fh, uid, gid)));
	PLACE(path, real);
	return (result(lchown(real, uid, gid)));
}

static int
fs_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	if (fi != NULL && fi->fh != 0)
		return (result(ftruncate((int)fi->fh, size)));
	PLACE(path, real);
	return (result(truncate(real, size)));
}

static int
fs_utimens(const char *path, const struct timespec times[2],
    struct fuse_file_info *fi)
{
	if (fi != NULL && fi->fh != 0)
		return (result(futimens((int)fi->fh, times)));
	PLACE(path, real);
	return (result(utimensat(AT_FDCWD, real, times,
	    AT_SYMLINK_NOFOLLOW)));
}

static int
fs_open(const char *path, struct fuse_file_info *fi)
{
	char	 real[PATH_MAX], id[NAME_MAX + 1];
	int	 fd;

	switch (place(path, real, id)) {
	case 1:
		fi->fh = 0;
		fi->direct_io = 1;
		return (0);
	case -1:
		return (-errno);
	}
	/* The kernel has seen to O_APPEND. */
	if ((fd = open(real, fi->flags & ~(O_NOFOLLOW | O_APPEND))) == -1)
		return (-errno);
	fi->fh = fd;
	return (0);
}

static int
fs_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	int	 fd;

	PLACE(path, real);
	if ((fd = open(real, fi->flags & ~(O_NOFOLLOW | O_APPEND), mode)) ==
	    -1)
		return (-errno);
	fi->fh = fd;
	return (0);
}

static int
fs_read(const char *path, char *buf, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	ssize_t	 n;

	(void)path;
	if (fi->fh == 0)
		return (0);
	return ((n = pread((int)fi->fh, buf, size, off)) == -1 ? -errno :
	    (int)n);
}

static int
fs_write(const char *path, const char *buf, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	ssize_t	 n;

	(void)path;
	if (fi->fh == 0)
		return (-EINVAL);
	return ((n = pwrite((int)fi->fh, buf, size, off)) == -1 ? -errno :
	    (int)n);
}

static int
fs_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	if (fi->fh != 0)
		close((int)fi->fh);
	return (0);
}

static int
fs_fsync(const char *path, int data, struct fuse_file_info *fi)
{
	(void)path;
	(void)data;
	return (fi->fh == 0 ? 0 : result(fsync((int)fi->fh)));
}

static int
fs_fallocate(const char *path, int mode, off_t off, off_t len,
    struct fuse_file_info *fi)
{
	(void)path;
	if (fi->fh == 0)
		return (-EINVAL);
	return (result(fallocate((int)fi->fh, mode, off, len)));
}

static int
fs_statfs(const char *path, struct statvfs *sv)
{
	(void)path;
	return (result(statvfs(base, sv)));
}

static int
fs_setxattr(const char *path, const char *name, const char *value, size_t size,
    int flags)
{
	PLACE(path, real);
	return (result(lsetxattr(real, name, value, size, flags)));
}

static int
fs_getxattr(const char *path, const char *name, char *value, size_t size)
{
	char	 real[PATH_MAX], id[NAME_MAX + 1];
	ssize_t	 n;

	switch (place(path, real, id)) {
	case 1:
		return (-ENODATA);
	case -1:
		return (-errno);
	}
	return ((n = lgetxattr(real, name, value, size)) == -1 ? -errno :
	    (int)n);
}

static int
fs_listxattr(const char *path, char *list, size_t size)
{
	ssize_t	 n;

	PLACE(path, real);
	return ((n = llistxattr(real, list, size)) == -1 ? -errno : (int)n);
}

static int
fs_removexattr(const char *path, const char *name)
{
	PLACE(path, real);
	return (result(lremovexattr(real, name)));
}

/* In the top of the file system its branches, in that of any the control. */
static void
list_extra(const char *path, void *buf, fuse_fill_dir_t fill)
{
	struct dirent	*d;
	char		 name[NAME_MAX + 2];
	DIR		*dir;

	if (!lists || (strcmp(path, "/") != 0 && (path[1] != '@' ||
	    strchr(path + 1, '/') != NULL)))
		return;
	fill(buf, BRANCHFS_CTL, NULL, 0, 0);
	if (path[1] != '\0' || (dir = opendir(store)) == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && d->d_type == DT_DIR) {
			snprintf(name, sizeof(name), "@%s", d->d_name);
			fill(buf, name, NULL, 0, 0);
		}
	closedir(dir);
}

static int
fs_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t off,
    struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	struct dirent	*d;
	struct stat	 st;
	DIR		*dir;

	(void)off;
	(void)fi;
	(void)flags;
	PLACE(path, real);
	if ((dir = opendir(real)) == NULL)
		return (-errno);
	memset(&st, 0, sizeof(st));
	while ((d = readdir(dir)) != NULL) {
		st.st_ino = d->d_ino;
		st.st_mode = DTTOIF(d->d_type);
		fill(buf, d->d_name, &st, 0, 0);
	}
	closedir(dir);
	list_extra(path, buf, fill);
	return (0);
}

/* The branch of an id: its descriptors, for the commit engine. */
static int
branch_of(const char *id, struct branch *b)
{
	char		 path[PATH_MAX + NAME_MAX + 16];
	struct stat	 st;

	memset(b, 0, sizeof(*b));
	b->id = id;
	b->upper = b->lower = -1;
	if ((b->dir = openat(store_fd, id, O_RDONLY | O_DIRECTORY)) == -1 ||
	    (b->upper = openat(b->dir, "upper", O_RDONLY | O_DIRECTORY)) ==
	    -1 || (b->lower = open(base, O_RDONLY | O_DIRECTORY)) == -1)
		return (-1);
	/* Made together with the branch. */
	snprintf(path, sizeof(path), "%s/%s/start", store, id);
	if (stat(path, &st) == -1)
		return (-1);
	b->start = st.st_ctim;
	return (0);
}

static void
branch_close(struct branch *b)
{
	if (b->dir != -1)
		close(b->dir);
	if (b->upper != -1)
		close(b->upper);
	if (b->lower != -1)
		close(b->lower);
}

static int
branch_mount(const char *id)
{
	char	 at[PATH_MAX + NAME_MAX + 16], options[5 * PATH_MAX];

	snprintf(at, sizeof(at), "%s/%s/merged", store, id);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s/%s/upper,"
	    "workdir=%s/%s/work,userxattr,redirect_dir=nofollow,metacopy=off,"
	    "index=off", base, store, id, store, id);
	return (mount("branchfs", at, "overlay", MS_NOSUID | MS_NODEV,
	    options));
}

/* The top of the branch looks like the directory. */
static int
branch_top(int dir)
{
	struct stat	 st;
	struct timespec	 times[2];
	int		 fd, ret = -1;

	if (stat(base, &st) == -1 || mkdirat(dir, "upper", 0700) == -1 ||
	    (fd = openat(dir, "upper", O_RDONLY | O_DIRECTORY)) == -1)
		return (-1);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (fchmod(fd, st.st_mode & 07777) == 0 && futimens(fd, times) == 0)
		ret = 0;
	close(fd);
	return (ret);
}

static int
branch_make(char id[NAME_MAX + 1])
{
	int	 dir, fd, ret = -1;

	snprintf(id, NAME_MAX + 1, "b-%u.%d", ++next_id, getpid());
	if (mkdirat(store_fd, id, 0700) == -1 ||
	    (dir = openat(store_fd, id, O_RDONLY | O_DIRECTORY)) == -1)
		return (-1);
	if (mkdirat(dir, "work", 0700) == 0 &&
	    mkdirat(dir, "merged", 0700) == 0 && branch_top(dir) == 0 &&
	    (fd = openat(dir, "start", O_WRONLY | O_CREAT, 0600)) != -1) {
		close(fd);
		ret = branch_mount(id);
	}
	close(dir);
	if (ret == -1)
		warn("branch %s", id);
	return (ret);
}

/* What a broken or hostile server might answer. */
static void
answer_faults(char *data, const char *id)
{
	static const char	*const ids[][2] = {
		{ "slash", "../@x" },
		{ "dot", ".." },
		{ "at", "@x" },
		{ "empty", "" },
		{ "missing", "missing" }
	};
	char			 path[PATH_MAX + NAME_MAX + 16];
	size_t			 i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (fault("create", ids[i][0])) {
			memset(data, 0, BRANCHFS_ID_SIZE);
			snprintf(data, BRANCHFS_ID_SIZE, "%s", ids[i][1]);
		}
	if (fault("create", "nonul"))
		memset(data, 'x', BRANCHFS_ID_SIZE);
	if (fault("create", "inside"))
		data[strlen(id) + 2] = 'x';
	/* A branch that is a link to elsewhere. */
	snprintf(path, sizeof(path), "%s/%s/merged", store, id);
	if (fault("create", "link") && (umount2(path, MNT_DETACH) == -1 ||
	    rmdir(path) == -1 || symlink("/etc", path) == -1))
		warn("%s", path);
}

static int
ctl_create(const char *id, void *data)
{
	char	 made[NAME_MAX + 1];
	int	 error;

	if (id[0] != '\0')
		return (-ENOTTY);	/* no branches of branches */
	if ((error = fault_common("create")) != 0)
		return (-error);
	if (fault("create", "none"))
		return (0);
	pthread_mutex_lock(&lock);
	error = branch_make(made) == -1 ? errno : 0;
	pthread_mutex_unlock(&lock);
	if (error != 0)
		return (-error);
	memset(data, 0, BRANCHFS_ID_SIZE);
	snprintf(data, BRANCHFS_ID_SIZE, "%.*s", BRANCHFS_ID_SIZE - 1, made);
	answer_faults(data, made);
	return (0);
}

static void
conflict(enum branch_conflict kind, const char *path, void *arg)
{
	(void)kind;
	(void)arg;
	warnx("conflict: %s", path);
}

static int
commit_branch(const char *id)
{
	struct branch		 b;
	struct branch_counts	 counts;
	struct branch_error	 e;
	char			 path[PATH_MAX + NAME_MAX + 16];
	int			 ret = -1;

	memset(&e, 0, sizeof(e));
	snprintf(path, sizeof(path), "%s/%s/merged", store, id);
	if (branch_of(id, &b) == -1 || umount2(path, MNT_DETACH) == -1)
		goto done;
	switch (branch_commit(&b, conflict, NULL, &counts, &e)) {
	case BRANCH_COMMITTED:
		ret = 0;
		break;
	case BRANCH_CONFLICT:
		errno = ESTALE;
		break;
	default:
		warnx("%s %s: %s", e.what, e.path == NULL ? "" : e.path,
		    strerror(e.error));
		errno = e.error;
	}
	if (ret == -1) {
		int	 error = errno;

		branch_mount(id);
		errno = error;
	}
 done:
	branch_error_clear(&e);
	branch_close(&b);
	return (ret);
}

static int
ctl_end(const char *id, const char *verb, int commits)
{
	char	 path[PATH_MAX + NAME_MAX + 16];
	int	 error;

	if (id[0] == '\0')
		return (-EINVAL);
	if ((error = fault_common(verb)) != 0)
		return (-error);
	pthread_mutex_lock(&lock);
	snprintf(path, sizeof(path), "%s/%s/merged", store, id);
	if (commits && commit_branch(id) == -1)
		error = errno;
	else {
		umount2(path, MNT_DETACH);
		if (rmtree(store_fd, id) == -1)
			error = errno;
	}
	pthread_mutex_unlock(&lock);
	return (-error);
}

static int
fs_ioctl(const char *path, unsigned int cmd, void *arg,
    struct fuse_file_info *fi, unsigned int flags, void *data)
{
	char	 real[PATH_MAX], id[NAME_MAX + 1];

	(void)arg;
	(void)fi;
	if (flags & FUSE_IOCTL_COMPAT)
		return (-ENOSYS);
	if (place(path, real, id) != 1)
		return (-ENOTTY);
	switch (cmd) {
	case BRANCHFS_CREATE:
		return (ctl_create(id, data));
	case BRANCHFS_COMMIT:
		return (ctl_end(id, "commit", 1));
	case BRANCHFS_ABORT:
		return (ctl_end(id, "abort", 0));
	}
	return (-ENOTTY);
}

static const struct fuse_operations	 operations = {
	.init = fs_init,
	.getattr = fs_getattr,
	.readlink = fs_readlink,
	.mknod = fs_mknod,
	.mkdir = fs_mkdir,
	.unlink = fs_unlink,
	.rmdir = fs_rmdir,
	.symlink = fs_symlink,
	.rename = fs_rename,
	.link = fs_link,
	.chmod = fs_chmod,
	.chown = fs_chown,
	.truncate = fs_truncate,
	.utimens = fs_utimens,
	.open = fs_open,
	.create = fs_create,
	.read = fs_read,
	.write = fs_write,
	.release = fs_release,
	.fsync = fs_fsync,
	.fallocate = fs_fallocate,
	.statfs = fs_statfs,
	.setxattr = fs_setxattr,
	.getxattr = fs_getxattr,
	.listxattr = fs_listxattr,
	.removexattr = fs_removexattr,
	.readdir = fs_readdir,
	.ioctl = fs_ioctl
};

/* As root: mount for a user, before becoming that. */
static int
mount_as(const char *at, uid_t uid, gid_t gid)
{
	char	 options[256];
	int	 fd;

	if ((fd = open("/dev/fuse", O_RDWR)) == -1)
		err(2, "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,"
	    "group_id=%u,default_permissions", fd, uid, gid);
	if (mount("branchfs", at, "fuse.branchfs", MS_NOSUID | MS_NODEV,
	    options) == -1)
		err(1, "mount on %s", at);
	return (fd);
}

static void
become(const struct passwd *pw)
{
	if (setgroups(0, NULL) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		err(1, "%s", pw->pw_name);
}

static void
put(const char *path, const char *text)
{
	int	 fd;

	if ((fd = open(path, O_WRONLY)) == -1 ||
	    write(fd, text, strlen(text)) == -1)
		err(1, "%s", path);
	close(fd);
}

/* Overlays are mounted where nobody sees them. */
static void
enter_namespace(void)
{
	uid_t	 uid = geteuid();
	gid_t	 gid = getegid();
	char	 map[64];

	if (uid != 0) {
		if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1 ||
		    unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1)
			err(1, "unshare");
		put("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "%u %u 1", uid, uid);
		put("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "%u %u 1", gid, gid);
		put("/proc/self/gid_map", map);
	} else if (unshare(CLONE_NEWNS) == -1)
		err(1, "unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		err(1, "mount");
}

static void
serve(char *at, int fd)
{
	static char		 program[] = "branchfs", o[] = "-o";
	static char		 options[] = "default_permissions,"
				    "fsname=branchfs";
	char			*argv[] = { program, o, options, NULL };
	struct fuse_args	 args = FUSE_ARGS_INIT(fd == -1 ? 3 : 1, argv);
	struct fuse_loop_config	*config;
	struct fuse		*f;
	char			 name[32];

	umask(0);
	if ((f = fuse_new(&args, &operations, sizeof(operations), NULL)) ==
	    NULL)
		errx(1, "fuse_new");
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	if (fuse_mount(f, fd == -1 ? at : name) == -1)
		errx(2, "fuse_mount");
	enter_namespace();
	if ((config = fuse_loop_cfg_create()) == NULL)
		errx(1, "fuse_loop_cfg_create");
	if (fuse_loop_mt(f, config) != 0)
		errx(1, "fuse_loop_mt");
	_exit(0);
}

/* Whoever ends first takes the mount with it. */
static void
watch(pid_t pid, const char *at)
{
	sigset_t	 set;
	int		 sig, status;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	do
		sigwait(&set, &sig);
	while (sig == SIGCHLD && waitpid(pid, &status, WNOHANG) != pid);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	/* Who waits for a server that is gone is to see that for a while. */
	if (sig == SIGCHLD && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		sigwait(&set, &sig);
	if (umount2(at, MNT_DETACH) == -1 && geteuid() != 0) {
		execlp("fusermount3", "fusermount3", "-u", "-z", "-q", at,
		    (char *)NULL);
		err(1, "fusermount3");
	}
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

static void
usage(void)
{
	fprintf(stderr, "usage: branchfs [-l] [-u user] base store dir\n");
	exit(1);
}

int
main(int argc, char **argv)
{
	struct passwd	*pw = NULL;
	sigset_t	 set;
	char		 at[PATH_MAX];
	pid_t		 pid;
	int		 c, fd = -1;

	while ((c = getopt(argc, argv, "lu:")) != -1)
		switch (c) {
		case 'l':
			lists = 1;
			break;
		case 'u':
			if ((pw = getpwnam(optarg)) == NULL)
				errx(1, "%s: no such user", optarg);
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc != 3)
		usage();
	if (realpath(argv[0], base) == NULL || realpath(argv[1], store) ==
	    NULL || realpath(argv[2], at) == NULL || (store_fd = open(store,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		err(1, "%s, %s, %s", argv[0], argv[1], argv[2]);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == -1)
		err(1, "prctl");
	setsid();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (geteuid() == 0)
		fd = mount_as(at, pw == NULL ? 0 : pw->pw_uid,
		    pw == NULL ? 0 : pw->pw_gid);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		if (pw != NULL)
			become(pw);
		serve(at, fd);
	}
	if (fd != -1)
		close(fd);
	watch(pid, at);
}
