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
 * The staging directory.  A branch on another file system is copied next to
 * where it has to go, so that the commit itself is renames here too.  The
 * copy is exact but for what is overlayfs's, which is left out.  It makes
 * nothing outside of the staging directory; the journal names it before it is
 * made.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "place.h"
#include "stage.h"
#include "walk.h"

#define STAGE_PREFIX	".sandlock."
#define STAGE_COPY_MAX	(1 << 30)
#define STAGE_BUFSIZE	65536

struct staging {
	const struct branch	*branch;
	struct plan		*plan;
	struct place		 upper;
	int			 dir;		/* the staging directory */
	/* Of the object that is being copied. */
	struct walk		 walk;
	struct cursor		 to;
	struct inode		*dirs;		/* by tag of the walk */
	size_t			 ndirs;
	size_t			 dirssize;
	/* Inodes that have a name of their own for more links to come. */
	uint64_t		*links;
	size_t			 nlinks;
	size_t			 linkssize;
};

int
stage_name(const struct branch *b, char *name, size_t size)
{
	int	 n;

	if (b->id == NULL || b->id[0] == '\0' ||
	    strlen(b->id) > BRANCH_ID_MAX || strchr(b->id, '/') != NULL)
		goto invalid;
	n = snprintf(name, size, "%s%s", STAGE_PREFIX, b->id);
	if (n >= 0 && (size_t)n < size)
		return (0);
 invalid:
	errno = EINVAL;
	return (-1);
}

void
stage_object(size_t i, char name[STAGE_NAME_SIZE])
{
	snprintf(name, STAGE_NAME_SIZE, "o%zu", i);
}

static void
stage_link(uint64_t ino, char name[STAGE_NAME_SIZE])
{
	snprintf(name, STAGE_NAME_SIZE, "l%llu", (unsigned long long)ino);
}

int
stage_open(const struct branch *b)
{
	char	 name[NAME_MAX + 1];

	if (stage_name(b, name, sizeof(name)) == -1)
		return (-1);
	return (fs_enter(b->lower, name));
}

int
stage_remove(const struct branch *b)
{
	char	 name[NAME_MAX + 1];

	if (stage_name(b, name, sizeof(name)) == -1)
		return (-1);
	return (fs_rmtree(b->lower, name));
}

/*
 * The mode and attributes that a default ACL or a set-group-id bit of the
 * working directory gives to what is made here are replaced with all else.
 */
static int
stage_make(const struct branch *b)
{
	struct inode	 in;
	char		 name[NAME_MAX + 1];

	if (fs_stat(b->lower, "", &in) == -1 ||
	    stage_name(b, name, sizeof(name)) == -1)
		return (-1);
	if (inode_lacks(&in, S_IRWXU) &&
	    fs_chmod(b->lower, in.mode | S_IRWXU) == -1)
		return (-1);
	if (stage_remove(b) == -1 || fs_mkdir(b->lower, name) == -1)
		return (-1);
	return (stage_open(b));
}

static int
copy_plainly(int from, int to, off_t begin, off_t end)
{
	char	*buf;
	ssize_t	 n, done, m;
	int	 error, ret = -1;

	if ((buf = malloc(STAGE_BUFSIZE)) == NULL)
		return (-1);
	for (; begin < end; begin += n) {
		n = end - begin < STAGE_BUFSIZE ? end - begin : STAGE_BUFSIZE;
		if ((n = fs_pread(from, buf, n, begin)) == -1)
			goto done;
		/* Shorter than it was: nobody may write to it. */
		if (n == 0) {
			errno = EIO;
			goto done;
		}
		for (done = 0; done < n; done += m)
			if ((m = fs_pwrite(to, buf + done, n - done,
			    begin + done)) == -1)
				goto done;
	}
	ret = 0;
 done:
	error = errno;
	free(buf);
	errno = error;
	return (ret);
}

static int
copy_range(int from, int to, off_t begin, off_t end)
{
	off_t	 in, out;
	ssize_t	 n;

	for (; begin < end; begin += n) {
		in = out = begin;
		n = fs_copy(from, &in, to, &out, end - begin > STAGE_COPY_MAX ?
		    STAGE_COPY_MAX : end - begin);
		if (n == -1 && errno != EXDEV && errno != EINVAL &&
		    errno != ENOSYS && errno != EOPNOTSUPP)
			return (-1);
		/* Nothing at all: some file systems cannot and do not say. */
		if (n <= 0)
			return (copy_plainly(from, to, begin, end));
	}
	return (0);
}

static int
copy_bytes(int from, int to, off_t size)
{
	off_t	 begin, end = 0;

	if (size == 0 || fs_clone(from, to) == 0)
		return (0);
	if (fs_truncate(to, size) == -1)
		return (-1);
	while (content_range(from, from, size, &begin, &end))
		if (copy_range(from, to, begin, end) == -1)
			return (-1);
	return (0);
}

/* Open a file of the branch; its owner may be kept out of it. */
static int
copy_open(int at, const char *name, const struct inode *in)
{
	int	 fd, pfd, error;

	if ((fd = fs_read_open(at, name)) != -1 || errno != EACCES ||
	    !inode_lacks(in, S_IRUSR))
		return (fd);
	if ((pfd = fs_node(at, name)) == -1)
		return (-1);
	if (fs_chmod(pfd, in->mode | S_IRUSR) == 0) {
		fd = fs_read_open(at, name);
		error = errno;
		if (fs_chmod(pfd, in->mode) == -1 && fd != -1) {
			error = errno;
			close(fd);
			fd = -1;
		}
		errno = error;
	}
	error = errno;
	close(pfd);
	errno = error;
	return (fd);
}

/* Owner first, which clears mode bits; times last. */
static int
copy_metadata(int from, const char *name, int to, const struct inode *in)
{
	struct xattrs	 x;
	struct inode	 made;
	int		 error, ret = -1;

	if (fs_stat(to, "", &made) == -1 ||
	    xattrs_load(from, name, XATTRS_CONTENT, &x) == -1)
		return (-1);
	if ((made.uid != in->uid || made.gid != in->gid) &&
	    fs_chown(to, in->uid, in->gid) == -1)
		goto done;
	if (xattrs_replace(to, &x) == -1)
		goto done;
	if (!S_ISLNK(in->mode) && fs_chmod(to, in->mode) == -1)
		goto done;
	ret = fs_utimes(to, in);
 done:
	error = errno;
	xattrs_free(&x);
	errno = error;
	return (ret);
}

static int
copy_file(int from, const char *name, int to, const char *toname,
    const struct inode *in)
{
	struct inode	 now;
	int		 fd, out = -1, error, ret = -1;

	if ((fd = copy_open(from, name, in)) == -1)
		return (-1);
	if (fs_stat(fd, "", &now) == -1)
		goto done;
	if (!inode_is(&now, in)) {
		errno = ESTALE;
		goto done;
	}
	if ((out = fs_write_open(to, toname, O_CREAT | O_EXCL)) == -1 ||
	    copy_bytes(fd, out, now.size) == -1)
		goto done;
	ret = copy_metadata(fd, "", out, in);
	/* An attribute of the user's is as readable as the file is now. */
	if (ret == -1 && errno == EACCES && inode_lacks(in, S_IRUSR) &&
	    fs_chmod(fd, in->mode | S_IRUSR) == 0) {
		ret = copy_metadata(fd, "", out, in);
		if (fs_chmod(fd, in->mode) == -1)
			ret = -1;
	}
 done:
	error = errno;
	close(fd);
	if (out != -1)
		close(out);
	errno = error;
	return (ret);
}

static int
copy_symlink(int from, const char *name, int to, const char *toname)
{
	char	 target[PATH_MAX];
	ssize_t	 n;

	if ((n = fs_readlink(from, name, target, sizeof(target))) == -1)
		return (-1);
	if ((size_t)n == sizeof(target)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	target[n] = '\0';
	return (fs_symlink(target, to, toname));
}

/* Everything that is neither a directory nor a file. */
static int
copy_node(int from, const char *name, int to, const char *toname,
    const struct inode *in)
{
	int	 fd, error, ret;

	ret = S_ISLNK(in->mode) ? copy_symlink(from, name, to, toname) :
	    fs_mknod(to, toname, (in->mode & S_IFMT) | 0600, in->rdev);
	if (ret == -1 || (fd = fs_node(to, toname)) == -1)
		return (-1);
	ret = copy_metadata(from, name, fd, in);
	error = errno;
	close(fd);
	errno = error;
	return (ret);
}

/* Give a copy a name by which its next links find it. */
static int
links_add(struct staging *st, int to, const char *toname, uint64_t ino)
{
	uint64_t	*links;
	size_t		 size;
	char		 name[STAGE_NAME_SIZE];

	if (st->nlinks == st->linkssize) {
		size = st->linkssize == 0 ? 64 : st->linkssize * 2;
		if ((links = reallocarray(st->links, size,
		    sizeof(*links))) == NULL)
			return (-1);
		st->links = links;
		st->linkssize = size;
	}
	stage_link(ino, name);
	if (fs_link(to, toname, st->dir, name) == -1)
		return (-1);
	st->links[st->nlinks++] = ino;
	return (0);
}

static int
links_drop(struct staging *st)
{
	char	 name[STAGE_NAME_SIZE];

	while (st->nlinks > 0) {
		stage_link(st->links[--st->nlinks], name);
		if (fs_unlink(st->dir, name) == -1)
			return (-1);
	}
	return (0);
}

/* Copy an object that is no directory. */
static int
copy_object(struct staging *st, int from, const char *name, int to,
    const char *toname, const struct inode *in)
{
	char	 link[STAGE_NAME_SIZE];
	int	 ret;

	if (in->nlink > 1) {
		stage_link(in->ino, link);
		if (fs_link(st->dir, link, to, toname) == 0)
			return (0);
		if (errno != ENOENT)
			return (-1);
	}
	ret = S_ISREG(in->mode) ? copy_file(from, name, to, toname, in) :
	    copy_node(from, name, to, toname, in);
	if (ret == 0 && in->nlink > 1)
		ret = links_add(st, to, toname, in->ino);
	return (ret);
}

/* What the journal has: the modes of closed directories. */
static int
tree_borrow(enum side side, const struct inode *in, size_t tag, void *arg)
{
	(void)in;
	(void)tag;
	(void)arg;
	return (side == UPPER);
}

static int
tree_entered(const char *name, size_t tag, void *arg)
{
	struct staging	*st = arg;
	int		 fd;

	(void)tag;
	if ((fd = fs_enter(cursor_fd(&st->to), name)) == -1)
		return (-1);
	return (cursor_enter(&st->to, fd));
}

/* Upwards: the mode may close the directory, its times are the last thing. */
static int
tree_leaving(size_t tag, void *arg)
{
	struct staging	*st = arg;
	int		 fd, error, ret = -1;

	if ((fd = fs_node(cursor_fd(&st->to), "")) == -1)
		return (-1);
	if (st->to.n == 0 || cursor_leave(&st->to) == 0)
		ret = copy_metadata(cursor_fd(&st->walk.at[UPPER]), "", fd,
		    &st->dirs[tag]);
	error = errno;
	close(fd);
	errno = error;
	return (ret);
}

/* A tag for a directory that will be entered; -1 and errno. */
static ssize_t
tree_tag(struct staging *st, const struct inode *in)
{
	struct inode	*dirs;
	size_t		 size;

	if (st->ndirs == st->dirssize) {
		size = st->dirssize == 0 ? 64 : st->dirssize * 2;
		if ((dirs = reallocarray(st->dirs, size,
		    sizeof(*dirs))) == NULL)
			return (-1);
		st->dirs = dirs;
		st->dirssize = size;
	}
	st->dirs[st->ndirs] = *in;
	return (st->ndirs++);
}

static int
tree_entry(struct staging *st, struct walk_entry *e)
{
	int	 from = cursor_fd(&st->walk.at[UPPER]);
	int	 to = cursor_fd(&st->to);
	ssize_t	 tag;

	if (walk_stat(&st->walk, e, UPPER) == -1)
		return (-1);
	if (!e->present[UPPER] || inode_whiteout(&e->in[UPPER]))
		return (0);
	if (!S_ISDIR(e->in[UPPER].mode))
		return (copy_object(st, from, e->name, to, e->name,
		    &e->in[UPPER]));
	if (fs_mkdir(to, e->name) == -1 ||
	    (tag = tree_tag(st, &e->in[UPPER])) == -1)
		return (-1);
	return (walk_into(&st->walk, WALK_UPPER, tag));
}

/* Copy what is in a directory, and its metadata, into an empty one. */
static int
copy_tree(struct staging *st, int from, int to, const struct inode *in)
{
	struct walk_entry	 e;
	ssize_t			 tag;
	int			 more = -1, error;

	memset(&st->walk, 0, sizeof(st->walk));
	st->walk.borrow = tree_borrow;
	st->walk.entered = tree_entered;
	st->walk.leaving = tree_leaving;
	st->walk.arg = st;
	st->ndirs = 0;
	cursor_init(&st->walk.at[LOWER], -1);
	cursor_init(&st->walk.at[UPPER], from);
	cursor_init(&st->to, to);
	if ((tag = tree_tag(st, in)) != -1 &&
	    walk_open(&st->walk, -1, from, WALK_UPPER, tag) == 0)
		while ((more = walk_next(&st->walk, &e)) == 1)
			if (tree_entry(st, &e) == -1) {
				more = -1;
				break;
			}
	error = errno;
	cursor_free(&st->to);
	if (walk_close(&st->walk) == -1 && more != -1) {
		error = errno;
		more = -1;
	}
	errno = error;
	return (more);
}

static int
copy_directory(struct staging *st, int from, const char *name,
    const char *toname, const struct inode *in)
{
	int	 fd, to = -1, error, ret = -1;

	if ((fd = fs_enter(from, name)) == -1)
		return (-1);
	if (fs_mkdir(st->dir, toname) == 0 &&
	    (to = fs_enter(st->dir, toname)) != -1)
		ret = copy_tree(st, fd, to, in);
	error = errno;
	close(fd);
	if (to != -1)
		close(to);
	errno = error;
	return (ret);
}

/* The copy of one record. */
static int
stage_record(struct staging *st, size_t i)
{
	const struct record	*r = &st->plan->records[i];
	struct inode		 in;
	char			 name[STAGE_NAME_SIZE];
	int			 from;

	stage_object(i, name);
	if ((from = place_goto(&st->upper, r->parent)) == -1 ||
	    fs_stat(from, r->name, &in) == -1)
		return (-1);
	if (!inode_is(&in, &r->in[UPPER])) {
		errno = ESTALE;
		return (-1);
	}
	if (S_ISDIR(in.mode))
		return (copy_directory(st, from, r->name, name,
		    &r->in[UPPER]));
	return (copy_object(st, from, r->name, st->dir, name, &r->in[UPPER]));
}

/*
 * From here on the copies stand for upper's objects.  That waits until all
 * are made: the way to one leads through the originals of others.
 */
static int
stage_adopt(struct staging *st)
{
	struct record	*r;
	char		 name[STAGE_NAME_SIZE];
	size_t		 i;

	for (i = 0; i < st->plan->n; i++) {
		r = &st->plan->records[i];
		if (r->kind != RECORD_EXCHANGE && r->kind != RECORD_ADD)
			continue;
		stage_object(i, name);
		if (fs_stat(st->dir, name, &r->in[UPPER]) == -1)
			return (-1);
	}
	return (0);
}

/*
 * Let the owner into a directory on the way, or out again: the journal has
 * the mode.
 */
static int
stage_way(struct staging *st, const struct record *r, size_t i, int open)
{
	const struct inode	*in = &r->in[UPPER];
	int			 fd;

	if (r->kind != RECORD_DIR || !inode_lacks(in, S_IRWXU))
		return (0);
	if ((fd = place_goto(&st->upper, i)) == -1)
		return (-1);
	return (fs_chmod(fd, open ? in->mode | S_IRWXU : in->mode));
}

static int
stage_fail(struct staging *st, size_t i, struct branch_error *err)
{
	char	*path;
	int	 error = errno;

	path = plan_path(st->plan, i);
	branch_error_set(err, error, "copy", path);
	free(path);
	return (-1);
}

static int
stage_records(struct staging *st, struct branch_error *err)
{
	const struct record	*r;
	size_t			 i, n = st->plan->n;

	for (i = 0; i < n; i++) {
		r = &st->plan->records[i];
		if (stage_way(st, r, i, 1) == -1 ||
		    ((r->kind == RECORD_EXCHANGE || r->kind == RECORD_ADD) &&
		    stage_record(st, i) == -1))
			return (stage_fail(st, i, err));
	}
	for (i = n; i-- > 0;)
		if (stage_way(st, &st->plan->records[i], i, 0) == -1)
			return (stage_fail(st, i, err));
	if (links_drop(st) == -1 || stage_adopt(st) == -1) {
		branch_error_set(err, errno, "finish the copies", NULL);
		return (-1);
	}
	return (0);
}

int
stage_fill(const struct branch *b, struct plan *p, struct branch_error *err)
{
	struct staging	 st;
	int		 ret = -1;

	memset(&st, 0, sizeof(st));
	st.branch = b;
	st.plan = p;
	place_init(&st.upper, p, UPPER, b->upper);
	if ((st.dir = stage_make(b)) == -1)
		branch_error_set(err, errno, "make the staging directory",
		    NULL);
	else {
		ret = stage_records(&st, err);
		close(st.dir);
	}
	place_free(&st.upper);
	free(st.dirs);
	free(st.links);
	return (ret);
}
