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
#include "names.h"
#include "place.h"
#include "shown.h"
#include "stage.h"
#include "walk.h"

#define STAGE_PREFIX	".sandlock."
#define STAGE_COPY_MAX	(1 << 30)
#define STAGE_BUFSIZE	65536

/* A directory whose copy is under way. */
struct tagged {
	struct inode		 in;		/* as the copy has to be */
	struct record		*open;		/* gets more later; or NULL */
};

/* A record by its upper inode. */
struct by_inode {
	uint64_t		 ino;
	size_t			 record;
};

struct staging {
	const struct branch	*branch;
	struct plan		*plan;
	struct place		 upper;
	int			 dir;		/* the staging directory */
	/* Of the object that is being copied. */
	struct walk		 walk;
	struct cursor		 to;
	struct tagged		*dirs;		/* by tag of the walk */
	size_t			 ndirs;
	size_t			 dirssize;
	/* Inodes that have a name of their own for more links to come. */
	uint64_t		*links;
	size_t			 nlinks;
	size_t			 linkssize;
	struct by_inode		*special;	/* grafts; what gets them */
	size_t			 nspecial;
	int			 names;		/* the links of the branch */
};

int
staging_name(const struct branch *b, char *name, size_t size)
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
staging_object(size_t i, char name[STAGING_NAME_SIZE])
{
	snprintf(name, STAGING_NAME_SIZE, "o%zu", i);
}

void
staging_shell(size_t i, char name[STAGING_NAME_SIZE])
{
	snprintf(name, STAGING_NAME_SIZE, "s%zu", i);
}

static void
stage_link(uint64_t ino, char name[STAGING_NAME_SIZE])
{
	snprintf(name, STAGING_NAME_SIZE, "l%llu", (unsigned long long)ino);
}

int
staging_open(const struct branch *b)
{
	char	 name[NAME_MAX + 1];

	if (staging_name(b, name, sizeof(name)) == -1)
		return (-1);
	return (fs_enter(b->lower, name));
}

int
staging_remove(const struct branch *b)
{
	char	 name[NAME_MAX + 1];

	if (staging_name(b, name, sizeof(name)) == -1)
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
	    staging_name(b, name, sizeof(name)) == -1)
		return (-1);
	if (inode_lacks(&in, S_IRWXU) &&
	    fs_chmod(b->lower, in.mode | S_IRWXU) == -1)
		return (-1);
	if (staging_remove(b) == -1 || fs_mkdir(b->lower, name) == -1)
		return (-1);
	return (staging_open(b));
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

/*
 * Open a file of the branch; its owner may be kept out of it, and of its
 * attributes, until copy_close().
 */
static int
copy_open(int at, const char *name, const struct inode *in)
{
	int	 fd, pfd, error;

	if ((fd = fs_read_open(at, name)) != -1 || errno != EACCES ||
	    !inode_lacks(in, S_IRUSR))
		return (fd);
	if ((pfd = fs_node(at, name)) == -1)
		return (-1);
	if (fs_chmod(pfd, in->mode | S_IRUSR) == 0 &&
	    (fd = fs_read_open(at, name)) == -1) {
		error = errno;
		(void)fs_chmod(pfd, in->mode);
		errno = error;
	}
	error = errno;
	close(pfd);
	errno = error;
	return (fd);
}

static int
copy_close(int fd, const struct inode *in)
{
	int	 error, ret = 0;

	if (inode_lacks(in, S_IRUSR))
		ret = fs_chmod(fd, in->mode);
	error = errno;
	close(fd);
	errno = error;
	return (ret);
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
    const struct inode *in, const struct inode *want)
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
	ret = copy_metadata(fd, "", out, want);
 done:
	error = errno;
	if (copy_close(fd, in) == -1 && ret == 0) {
		error = errno;
		ret = -1;
	}
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
	char		 name[STAGING_NAME_SIZE];

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
	char	 name[STAGING_NAME_SIZE];

	while (st->nlinks > 0) {
		stage_link(st->links[--st->nlinks], name);
		if (fs_unlink(st->dir, name) == -1)
			return (-1);
	}
	return (0);
}

/* An inode of upper as its copy has to be. */
static int
copy_want(const struct staging *st, int from, const char *name,
    const struct inode *in, struct inode *want)
{
	struct shown	 sh;
	int		 marked;

	*want = *in;
	if (!st->plan->extended)
		return (0);
	if ((marked = shown_of(from, name, in, &sh)) == 1) {
		shown_limit(&sh, in);
		want->mode = sh.mode;
	}
	return (marked == -1 ? -1 : 0);
}

static int
copy_inode(struct staging *st, int from, const char *name, int to,
    const char *toname, const struct inode *in)
{
	struct inode	 want;

	if (copy_want(st, from, name, in, &want) == -1)
		return (-1);
	return (S_ISREG(in->mode) ? copy_file(from, name, to, toname, in,
	    &want) : copy_node(from, name, to, toname, &want));
}

/* Copy an object that is no directory. */
static int
copy_object(struct staging *st, int from, const char *name, int to,
    const char *toname, const struct inode *in)
{
	char	 link[STAGING_NAME_SIZE];
	int	 ret;

	if (in->nlink > 1) {
		stage_link(in->ino, link);
		if (fs_link(st->dir, link, to, toname) == 0)
			return (0);
		if (errno != ENOENT)
			return (-1);
	}
	ret = copy_inode(st, from, name, to, toname, in);
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

/*
 * One that gets more once it has moved stays open until then, and has to be
 * known by its copy.
 */
static int
tree_finish(struct staging *st, int fd, const struct tagged *dir)
{
	struct inode	 want = dir->in;

	if (dir->open != NULL) {
		want.mode |= S_IRWXU;
		if (fs_stat(fd, "", &dir->open->copy) == -1)
			return (-1);
	}
	return (copy_metadata(cursor_fd(&st->walk.at[UPPER]), "", fd, &want));
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
		ret = tree_finish(st, fd, &st->dirs[tag]);
	error = errno;
	close(fd);
	errno = error;
	return (ret);
}

static int
special_compare(const void *a, const void *b)
{
	const struct by_inode	*ba = a, *bb = b;

	return (ba->ino < bb->ino ? -1 : ba->ino > bb->ino);
}

/* The record of a graft or of what gets one, or NULL. */
static struct record *
special_of(const struct staging *st, uint64_t ino)
{
	const struct by_inode	 key = { .ino = ino };
	const struct by_inode	*found;

	if (st->nspecial == 0 || (found = bsearch(&key, st->special,
	    st->nspecial, sizeof(key), special_compare)) == NULL)
		return (NULL);
	return (&st->plan->records[found->record]);
}

static int
special_load(struct staging *st)
{
	const struct record	*r;
	size_t			 i, n = 0;

	for (i = 0; i < st->plan->n; i++)
		n += st->plan->records[i].kind == RECORD_GRAFT ||
		    (st->plan->records[i].flags & RECORD_OPEN) != 0;
	if (n == 0)
		return (0);
	if ((st->special = reallocarray(NULL, n,
	    sizeof(*st->special))) == NULL)
		return (-1);
	for (i = 0; i < st->plan->n; i++) {
		r = &st->plan->records[i];
		if (r->kind != RECORD_GRAFT && (r->flags & RECORD_OPEN) == 0)
			continue;
		st->special[st->nspecial].ino = r->in[UPPER].ino;
		st->special[st->nspecial++].record = i;
	}
	qsort(st->special, n, sizeof(*st->special), special_compare);
	return (0);
}

/* A tag for a directory that will be entered; -1 and errno. */
static ssize_t
tree_tag(struct staging *st, int from, const char *name,
    const struct inode *in)
{
	struct tagged	*dirs;
	struct record	*r;
	size_t		 size;

	if (st->ndirs == st->dirssize) {
		size = st->dirssize == 0 ? 64 : st->dirssize * 2;
		if ((dirs = reallocarray(st->dirs, size,
		    sizeof(*dirs))) == NULL)
			return (-1);
		st->dirs = dirs;
		st->dirssize = size;
	}
	dirs = &st->dirs[st->ndirs];
	if (copy_want(st, from, name, in, &dirs->in) == -1)
		return (-1);
	r = special_of(st, in->ino);
	dirs->open = r != NULL && (r->flags & RECORD_OPEN) != 0 ? r : NULL;
	return (st->ndirs++);
}

static int
tree_entry(struct staging *st, struct walk_entry *e)
{
	const struct inode	*in = &e->in[UPPER];
	const struct record	*r;
	int			 from = cursor_fd(&st->walk.at[UPPER]);
	int			 to = cursor_fd(&st->to);
	ssize_t			 tag;

	if (walk_stat(&st->walk, e, UPPER) == -1)
		return (-1);
	if (!e->present[UPPER] || inode_whiteout(in))
		return (0);
	if (!S_ISDIR(in->mode))
		return (copy_object(st, from, e->name, to, e->name, in));
	/* Lower's own directory comes there. */
	if ((r = special_of(st, in->ino)) != NULL && r->kind == RECORD_GRAFT)
		return (0);
	if (fs_mkdir(to, e->name) == -1 ||
	    (tag = tree_tag(st, from, e->name, in)) == -1)
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
	if ((tag = tree_tag(st, from, "", in)) != -1 &&
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

/* Where upper has the object of a record, and its name there. */
static int
stage_from(struct staging *st, const struct record *r, const char **name)
{
	if (r->kind == RECORD_LINK) {
		*name = r->link;
		return (st->names);
	}
	*name = r->name;
	return (place_goto(&st->upper, r->parent));
}

/* The copy of one record. */
static int
stage_record(struct staging *st, size_t i)
{
	const struct record	*r = &st->plan->records[i];
	struct inode		 in;
	const char		*from_name;
	char			 name[STAGING_NAME_SIZE];
	int			 from;

	staging_object(i, name);
	if ((from = stage_from(st, r, &from_name)) == -1 ||
	    fs_stat(from, from_name, &in) == -1)
		return (-1);
	if (!inode_is(&in, &r->in[UPPER])) {
		errno = ESTALE;
		return (-1);
	}
	in = r->in[UPPER];
	if (S_ISDIR(in.mode))
		return (copy_directory(st, from, from_name, name, &in));
	/* Others of these will want the same file. */
	if (r->kind == RECORD_LINK && in.nlink == 1)
		in.nlink++;
	return (copy_object(st, from, from_name, st->dir, name, &in));
}

/* Whether something of upper is copied for a record. */
static int
stage_copies(const struct record *r)
{
	return (r->kind == RECORD_EXCHANGE || r->kind == RECORD_ADD ||
	    r->kind == RECORD_LINK);
}

/* From here on the copies stand for upper's objects. */
static int
stage_adopt(struct staging *st)
{
	struct record	*r;
	char		 name[STAGING_NAME_SIZE];
	size_t		 i;

	for (i = 0; i < st->plan->n; i++) {
		r = &st->plan->records[i];
		if (!stage_copies(r))
			continue;
		staging_object(i, name);
		if (fs_stat(st->dir, name, &r->copy) == -1)
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

	if ((r->kind != RECORD_DIR && r->kind != RECORD_GRAFT &&
	    (r->flags & RECORD_OPEN) == 0) || !inode_lacks(in, S_IRWXU))
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
		    (stage_copies(r) && stage_record(st, i) == -1))
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
staging_fill(const struct branch *b, struct plan *p, struct branch_error *err)
{
	struct staging	 st;
	int		 ret = -1;

	memset(&st, 0, sizeof(st));
	st.branch = b;
	st.plan = p;
	place_init(&st.upper, p, UPPER, b->upper, NULL);
	st.names = names_open(b);
	if ((st.names == -1 && errno != ENOENT) || special_load(&st) == -1)
		branch_error_set(err, errno, "look at the plan", NULL);
	else if ((st.dir = stage_make(b)) == -1)
		branch_error_set(err, errno, "make the staging directory",
		    NULL);
	else {
		ret = stage_records(&st, err);
		close(st.dir);
	}
	place_free(&st.upper);
	if (st.names != -1)
		close(st.names);
	free(st.special);
	free(st.dirs);
	free(st.links);
	return (ret);
}
