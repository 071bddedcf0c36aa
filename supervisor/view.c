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
 * The merged view of the working directory, as far as the supervisor knows it:
 * the two trees, the names by which the kernel shows them, and whether anything
 * was changed yet.  This process only reads the view; cowd changes it.
 *
 * The branch's upper directory is an alias of the working directory.  The
 * workload gets there by descriptors, and by names that stand in for those of
 * the view where the kernel itself has to follow one (see rewrite.c).
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "worker.h"

/* What a link in /proc says of a name that is gone. */
#define DELETED		" (deleted)"

static struct {
	int		 active;
	int		 changed;	/* something was sent to cowd */
	int		 copied;	/* something of lower, maybe */
	struct merge	 merge;
	int		 lower;		/* the working directory */
	int		 branch;
	char		*lower_name;
	char		*upper_name;	/* of the branch's upper directory */
	size_t		 lower_len;
	size_t		 upper_len;
	size_t		 branch_len;	/* of that, without "/upper" */
	struct stat	 lower_st;
	uint64_t	 lower_mnt;
	struct stat	 upper_st;
} view = { .lower = -1, .branch = -1 };

/* IMSG_CONF_LOWER and IMSG_CONF_UPPER. */
void
view_configure(struct imsg *imsg)
{
	int	 *fd, lower = imsg_get_type(imsg) == IMSG_CONF_LOWER;
	char	 *name;

	fd = lower ? &view.lower : &view.branch;
	if (*fd != -1 || (*fd = imsg_get_fd(imsg)) == -1 ||
	    proto_recv_string(imsg, &name) == -1 || name[0] != '/')
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
	if (lower)
		view.lower_name = name;
	else {
		if (asprintf(&view.upper_name, "%s/upper", name) == -1)
			fatal("view");
		free(name);
	}
}

void
view_init(void)
{
	struct statx	 sx;

	if (view.lower == -1 || view.branch == -1) {
		if (sup.conf.filter.view || sup.conf.filter.quota ||
		    view.lower != view.branch)
			fatalx("half a view");
		return;
	}
	if (!sup.have_cowd || (!sup.conf.filter.view &&
	    !sup.conf.filter.quota))
		fatalx("view out of place");
	/* The kernel merges, and all there is to do is counting. */
	if (!sup.conf.filter.view) {
		mounted_init(view.lower_name, view.branch);
		return;
	}
	view.lower_len = strlen(view.lower_name);
	view.upper_len = strlen(view.upper_name);
	view.branch_len = view.upper_len - strlen("/upper");
	if (merge_init_read(&view.merge, view.lower, view.branch) == -1 ||
	    fstat(view.merge.lower, &view.lower_st) == -1 ||
	    fstat(view.merge.upper, &view.upper_st) == -1 ||
	    statx(view.merge.lower, "", AT_EMPTY_PATH, STATX_MNT_ID,
	    &sx) == -1)
		worker_fail("%s: %s", view.lower_name, strerror(errno));
	/* Before Linux 5.8 there is none, and it is never known. */
	view.lower_mnt = sx.stx_mnt_id;
	view.active = 1;
}

int
view_active(void)
{
	return (view.active);
}

/*
 * Whether the view may differ from the working directory.  As long as cowd was
 * asked for nothing it does not, and no name needs a look.
 */
int
view_changed(void)
{
	return (view.changed);
}

/* Whether each name is certainly what the kernel finds by it. */
int
view_same(void)
{
	return (!view.changed && !tmp_active() && !hole_view_reads());
}

void
view_reading(void)
{
	view.changed = 1;
}

/*
 * Whether the branch may have copies of what is in the working directory: only
 * of these the kernel tells another number or count of names than the view.
 * What the workload has made is what it seems.
 */
int
view_copied(void)
{
	return (view.copied);
}

void
view_copying(void)
{
	view.copied = view.merge.mixed = 1;
}

/* Whether something lies on a file system of the view. */
int
view_near(const struct stat *st)
{
	return (st->st_dev == view.lower_st.st_dev ||
	    st->st_dev == view.upper_st.st_dev);
}

/*
 * The view for look-ups.  cowd makes the directory of hard links when it
 * starts, which may be after us.
 */
struct merge *
view_merge(void)
{
	struct merge	 fresh;

	if (view.merge.links == -1 && view.changed &&
	    merge_init_read(&fresh, view.lower, view.branch) == 0) {
		merge_close(&view.merge);
		view.merge = fresh;
		view.merge.mixed = view.copied;
	}
	return (&view.merge);
}

/* IMSG_VIEW_FORGET: cowd has changed directories. */
void
view_forget(struct imsg *imsg)
{
	if (!view.active || imsg_get_len(imsg) != 0)
		fatalx("bad view_forget");
	merge_forget(&view.merge);
}

/*
 * The rest of an absolute name behind another one, of which len counts: "" for
 * that itself, NULL outside.  Slashes and "." in between are no difference.
 */
const char *
path_below(const char *text, const char *top, size_t len)
{
	const char	*end = top + len;
	size_t		 n;

	while (top < end && *text == '/') {
		while (*text == '/' || (text[0] == '.' && text[1] == '/'))
			text++;
		top++;
		n = strcspn(top, "/");
		if (strncmp(text, top, n) != 0 ||
		    (text[n] != '\0' && text[n] != '/'))
			return (NULL);
		text += n;
		top += n;
	}
	return (top < end ? NULL : text + strspn(text, "/"));
}

/*
 * The part of an absolute name below the working directory or its alias, ""
 * for the top itself; NULL outside.  Both names are free of links.
 */
const char *
view_below(const char *text, int *alias)
{
	const char	*rest;

	if (alias != NULL)
		*alias = 0;
	if ((rest = path_below(text, view.lower_name, view.lower_len)) != NULL)
		return (rest);
	rest = path_below(text, view.upper_name, view.upper_len);
	if (rest != NULL && alias != NULL)
		*alias = 1;
	return (rest);
}

/* Whether an absolute name is of something in the branch, shown or not. */
int
view_in_branch(const char *text)
{
	return (path_below(text, view.upper_name, view.branch_len) != NULL);
}

const char *
view_top(void)
{
	return (view.lower_name);
}

/* Whether a directory is the top of either tree; then its name. */
int
view_is_top(const struct stat *st, const char **name)
{
	if (st->st_ino == view.lower_st.st_ino &&
	    st->st_dev == view.lower_st.st_dev) {
		*name = view.lower_name;
		return (1);
	}
	*name = view.upper_name;
	return (st->st_ino == view.upper_st.st_ino &&
	    st->st_dev == view.upper_st.st_dev);
}

/* The absolute name of what the merged view has left to the outside. */
int
view_outside(const char *text, char *buf, size_t size)
{
	const char	*slash;

	if (text[0] == '/')
		return (strlcpy(buf, text, size) < size ? 0 : ENAMETOOLONG);
	/* "..", from the top: the directory in which that lies. */
	slash = strrchr(view.lower_name, '/');
	if (snprintf(buf, size, "%.*s/%s", (int)(slash - view.lower_name),
	    view.lower_name, text + 2) >= (int)size)
		return (ENAMETOOLONG);
	return (0);
}

/* The path of an entry below the top, without links; NULL and errno. */
char *
view_canonical(const struct merge_entry *e)
{
	char	*path;

	if (e->name[0] == '\0')
		return (strdup("."));
	if (strcmp(e->parent, ".") == 0)
		return (strdup(e->name));
	if (asprintf(&path, "%s/%s", e->parent, e->name) == -1)
		return (NULL);
	return (path);
}

/* The inode of a path in the working directory itself, O_PATH. */
int
view_lower(const char *path)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
	return (syscall(SYS_openat2, view.merge.lower, path, &how,
	    sizeof(how)));
}

/*
 * The status of a path of which all but the last component is known to have no
 * link; 0, or -1 and errno, as when something is mounted there.
 */
int
view_lower_stat(const char *path, struct statx *sx)
{
	const unsigned int	 want = STATX_TYPE | STATX_NLINK | STATX_MNT_ID;

	if (statx(view.merge.lower, path, AT_SYMLINK_NOFOLLOW, want, sx) == -1)
		return (-1);
	if ((sx->stx_mask & want) == want && sx->stx_mnt_id == view.lower_mnt)
		return (0);
	errno = EXDEV;
	return (-1);
}

/*
 * The lower directory of a merged one, O_PATH, or -1.  One that was renamed is
 * not found by its path: there another directory may lie, or none.
 */
static int
view_lower_directory(const struct merge_entry *e)
{
	struct stat	 st;
	char		 name[64], now[PATH_MAX], redirect;
	char		*path;
	int		 fd = -1;

	if (!e->merged || (path = view_canonical(e)) == NULL)
		return (-1);
	/* Below a renamed directory all names differ: only the plain case. */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", e->fd);
	if (changed_place(path, now, sizeof(now)) == 0 &&
	    strcmp(path, now) == 0 && (!changed_below(path) ||
	    getxattr(name, "user.overlay.redirect", &redirect, 0) <= 0))
		fd = view_lower(path);
	free(path);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISDIR(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return (fd);
}

/*
 * A name by which the kernel finds an entry.  For a directory of both trees it
 * is that of the working directory: so it keeps the one inode that it had
 * before it was changed, and is called by its name.
 */
int
view_real(const struct merge_entry *e, char *buf, size_t size)
{
	char	 name[64];
	int	 fd;
	ssize_t	 n;

	fd = view_lower_directory(e);
	snprintf(name, sizeof(name), "/proc/self/fd/%d",
	    fd != -1 ? fd : e->fd);
	n = readlink(name, buf, size - 1);
	if (fd != -1)
		close(fd);
	if (n == -1)
		return (errno);
	if ((size_t)n == size - 1)
		return (ENAMETOOLONG);
	buf[n] = '\0';
	return (buf[0] == '/' ? 0 : ENOENT);
}

/* Whether its name is gone, which the text alone does not prove. */
int
view_unlinked(pid_t pid, int fd)
{
	struct stat	 st;

	return (task_stat(pid, fd, &st) == -1 || st.st_nlink == 0);
}

/* The inode by which the kernel is to know an entry. */
int
view_known(const struct merge_entry *e, struct stat *st)
{
	int	 fd, ret;

	if ((fd = view_lower_directory(e)) == -1)
		return (fstat(e->fd, st));
	ret = fstat(fd, st);
	close(fd);
	return (ret);
}

/*
 * Whether a regular file is the branch's, for its quota: by the name that the
 * kernel has for it, which the workload cannot move out of there.  One that is
 * too long for that counts.
 */
int
view_counts(int fd, const struct stat *st)
{
	char	 name[64], text[PATH_MAX + 1];
	ssize_t	 n;

	if (!view.active)
		return (mounted_active() && mounted_holds(fd));
	if (st->st_dev != view.upper_st.st_dev)
		return (0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if ((n = readlink(name, text, sizeof(text) - 1)) == -1)
		return (1);
	text[n] = '\0';
	return (view_in_branch(text));
}
