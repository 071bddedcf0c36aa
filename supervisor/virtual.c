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
 * Virtual files: names of the host that mean other content to the workload.
 * Where the policy has one of them, every open comes here first.  Whatever
 * name, link or descriptor leads to such a file is answered with a fresh
 * description of sandlock's own content, which can only be read; that needs no
 * grant, and grants nothing else.
 *
 * A file is known by its inode, and where the host has none by its name in its
 * directory.  stat(2), access(2) and O_PATH are the kernel's: they tell of the
 * host's file.
 *
 * Every CONTINUE of this file is harmless: the name leads elsewhere, where
 * Landlock decides.  Should it lead to the host's file by then, Landlock
 * decides about that as well: what is shown is what the policy grants.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "worker.h"

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#define OPEN_WRITES	(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | \
			(O_TMPFILE & ~O_DIRECTORY))
#define SEALS		(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

/*
 * One row of the table.  wanted tells whether the policy has the file; open
 * makes a new description of its content, or returns -1 and sets errno.
 */
struct virtual {
	const char	*path;
	int		 (*wanted)(void);
	int		 (*open)(const struct virtual *);
	enum virtual_name name;		/* of content that netd makes */
};

/* What the host has there. */
struct host {
	const char	*last;		/* in the directory */
	int		 used;
	int		 exists;
	dev_t		 dev;
	ino_t		 ino;
	dev_t		 dir_dev;
	ino_t		 dir_ino;
};

static int	 hosts_wanted(void);
static int	 content_open(const struct virtual *);

static const struct virtual	 files[] = {
	{ "/etc/hosts", hosts_wanted, content_open, VIRTUAL_HOSTS },
	{ "/etc/resolv.conf", hosts_wanted, content_open, VIRTUAL_RESOLV }
};

static struct host	 host[nitems(files)];
static int		 contents[VIRTUAL_MAX] = { -1, -1 };
static dev_t		 proc_dev;

static int
hosts_wanted(void)
{
	return (sup.conf.filter.hosts);
}

/* Content that netd has made, before the workload began or since. */
static int
content_open(const struct virtual *v)
{
	char	 name[64];

	if (contents[v->name] == -1) {
		errno = ENOENT;
		return (-1);
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", contents[v->name]);
	return (open(name, O_RDONLY | O_CLOEXEC));
}

/* New content; who holds the old one keeps it. */
void
virtual_content(struct imsg *imsg)
{
	struct stat	 st;
	int		 fd, name, seals;

	if (proto_recv_int(imsg, &name) == -1 || name < 0 ||
	    name >= VIRTUAL_MAX || (fd = imsg_get_fd(imsg)) == -1)
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (seals = fcntl(fd, F_GET_SEALS)) == -1 ||
	    (seals & SEALS) != SEALS)
		fatalx("%s that may change",
		    proto_name(imsg_get_type(imsg)));
	if (contents[name] != -1)
		close(contents[name]);
	contents[name] = fd;
}

int
virtual_active(void)
{
	return (sup.conf.filter.hosts);
}

/* Where the files are, before the domain is entered. */
void
virtual_init(void)
{
	struct stat	 st;
	char		 dir[PATH_MAX];
	size_t		 i;

	if (!virtual_active())
		return;
	if (stat("/proc", &st) == -1)
		worker_fail("/proc: %s", strerror(errno));
	proc_dev = st.st_dev;
	for (i = 0; i < nitems(files); i++) {
		if (!files[i].wanted())
			continue;
		host[i].used = 1;
		strlcpy(dir, files[i].path, sizeof(dir));
		host[i].last = strrchr(files[i].path, '/') + 1;
		dir[host[i].last - files[i].path] = '\0';
		/* Without the directory there is no way to the name. */
		if (stat(dir, &st) == -1)
			continue;
		host[i].dir_dev = st.st_dev;
		host[i].dir_ino = st.st_ino;
	}
}

/*
 * Look which inodes the names have now: the host may replace its files at any
 * time.  Returns whether one is missing.
 */
static int
host_look(void)
{
	struct stat	 st;
	size_t		 i;
	int		 missing = 0;

	for (i = 0; i < nitems(files); i++) {
		if (!host[i].used)
			continue;
		host[i].exists = stat(files[i].path, &st) == 0;
		if (host[i].exists) {
			host[i].dev = st.st_dev;
			host[i].ino = st.st_ino;
		} else
			missing = 1;
	}
	return (missing);
}

static const struct virtual *
find_inode(const struct stat *st)
{
	size_t	 i;

	for (i = 0; i < nitems(files); i++)
		if (host[i].exists && host[i].ino == st->st_ino &&
		    host[i].dev == st->st_dev)
			return (&files[i]);
	return (NULL);
}

/* Called for each name that ends a walk: its index and one, or 0. */
static int
find_name(int dir, const char *last)
{
	struct stat	 st;
	size_t		 i;

	for (i = 0; i < nitems(files); i++)
		if (host[i].used && strcmp(host[i].last, last) == 0 &&
		    fstat(dir, &st) == 0 && host[i].dir_ino == st.st_ino &&
		    host[i].dir_dev == st.st_dev)
			return (i + 1);
	return (0);
}

/* Where a relative name of the caller begins; AT_FDCWD for absolute ones. */
static int
plain_base(const struct request *rq, int dirfd, const char *path)
{
	char	 name[64];

	if (path[0] == '/')
		return (AT_FDCWD);
	if (dirfd != AT_FDCWD)
		return (task_fd(rq->notif.pid, dirfd));
	snprintf(name, sizeof(name), "/proc/%d/cwd", (int)rq->notif.pid);
	return (open(name, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int
plain_open(int base, const char *path, int follow, uint64_t resolve)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
	how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
	return (syscall(SYS_openat2, base, path, &how, sizeof(how)));
}

/*
 * Let the kernel walk where that is the same for the caller and for us, which
 * it is outside of /proc.  1: st is what the name leads to; 0: it leads to
 * nothing; -1: it has to be walked step by step.
 */
static int
plain_find(int base, const char *path, int follow, struct stat *st)
{
	int	 fd, ret;

	if (base != AT_FDCWD && (fstat(base, st) == -1 ||
	    st->st_dev == proc_dev))
		return (-1);
	if ((fd = plain_open(base, path, follow, RESOLVE_NO_XDEV)) == -1) {
		if (errno != EXDEV)
			return (errno == ELOOP || errno == EAGAIN ||
			    errno == ENOSYS ? -1 : 0);
		if ((fd = plain_open(base, path, follow, 0)) == -1)
			return (-1);
	}
	ret = fstat(fd, st) == 0 && st->st_dev != proc_dev ? 1 : -1;
	close(fd);
	return (ret);
}

/* Component by component, as the caller would. */
static const struct virtual *
walk_find(const struct request *rq, int dirfd, const char *path, int follow)
{
	const struct virtual	*v = NULL;
	struct stat		 st;
	int			 fd, named = 0;

	fd = resolve_end(rq, dirfd, path, follow ? 0 : AT_SYMLINK_NOFOLLOW,
	    find_name, &named);
	if (fd == -1)
		return (named == 0 ? NULL : &files[named - 1]);
	if (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode)) {
		v = find_inode(&st);
		if (v == NULL && named != 0)
			v = &files[named - 1];
	}
	close(fd);
	return (v);
}

static const struct virtual *
virtual_find(const struct request *rq, int dirfd, const char *path, int follow)
{
	struct stat	 st;
	int		 base, missing, plain = -1;

	if (path[0] == '\0')
		return (NULL);
	missing = host_look();
	if ((base = plain_base(rq, dirfd, path)) != -1) {
		plain = plain_find(base, path, follow, &st);
		if (base != AT_FDCWD)
			close(base);
	}
	if (plain == 1)
		return (S_ISLNK(st.st_mode) ? NULL : find_inode(&st));
	if (plain == 0 && !missing)
		return (NULL);
	return (walk_find(rq, dirfd, path, follow));
}

/* As the kernel would open a file that nobody may write. */
static void
virtual_answer(struct request *rq, const struct virtual *v, int flags)
{
	int	 error = 0, fd;

	if ((flags & O_DIRECTORY) != 0)
		error = ENOTDIR;
	else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		error = EEXIST;
	else if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0)
		error = EACCES;
	if (error == EACCES) {
		if (sup.conf.filter.log_denials)
			rq->object = strdup(v->path);
		supervisor_denied(rq, error, "virtual file");
	}
	if (error != 0) {
		notify_errno(rq, error);
		return;
	}
	if ((fd = v->open(v)) == -1) {
		notify_errno(rq, errno);
		return;
	}
	notify_give(rq, fd, (flags & O_CLOEXEC) != 0);
}

/* Whether nobody else has to look at an open: it came here only for files. */
int
virtual_only(int flags)
{
	if (view_active() || sup.conf.filter.holes == HOLES_READ)
		return (0);
	return ((flags & OPEN_WRITES) == 0 || (!mounted_active() &&
	    sup.conf.filter.holes == HOLES_NONE));
}

/* 1 when an open was answered; 0 when others are to do that. */
int
virtual_request(struct request *rq)
{
	const struct syscall_entry	*call = rq->call;
	const __u64			*args = rq->notif.data.args;
	const struct virtual		*v = NULL;
	char				 path[PATH_MAX];
	int				 dirfd = AT_FDCWD, error, flags;

	if (call->class != CLASS_OPEN)
		return (0);
	if (call->dirfd != SLOT_NONE)
		dirfd = (int)args[call->dirfd];
	flags = call->nr == SYS_creat ? O_CREAT | O_WRONLY | O_TRUNC :
	    (int)args[call->arg];
	if ((flags & O_PATH) == 0) {
		if ((error = look_path(rq, call->path, path,
		    sizeof(path))) != 0) {
			notify_errno(rq, error);
			return (1);
		}
		v = virtual_find(rq, dirfd, path, (flags & O_NOFOLLOW) == 0 &&
		    (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL));
	}
	if (v != NULL)
		virtual_answer(rq, v, flags);
	else if (virtual_only(flags))
		/* Another name gains nothing: Landlock grants what it is. */
		notify_continue(rq);
	else
		return (0);
	return (1);
}

/* The same of a name that the view has looked up already. */
int
virtual_entry(struct request *rq, const struct merge_entry *e, int flags)
{
	const struct virtual	*v;
	struct stat		 st;

	if (!virtual_active() || (flags & O_PATH) != 0 || e->fd == -1 ||
	    fstat(e->fd, &st) == -1)
		return (0);
	host_look();
	if ((v = find_inode(&st)) == NULL)
		return (0);
	virtual_answer(rq, v, flags);
	return (1);
}
