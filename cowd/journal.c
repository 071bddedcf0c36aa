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
 * The journal.  It owns the files journal, committed and touched of a branch
 * directory.  A journal comes into being by a rename of a complete and synced
 * file, so a journal that ends early was never begun; one whose checksum is
 * wrong was damaged later and is not guessed at.  The state is one field that
 * is changed in place.  It stands outside of the checksum, and so does the
 * length, which has its complement with it: damage must not look like an end.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "journal.h"

#define JOURNAL_NAME		"journal"
#define JOURNAL_NEW		"journal.new"
#define JOURNAL_COMMITTED	"committed"
#define JOURNAL_TOUCHED		"touched"

#define JOURNAL_MAGIC		"sandlock journal"
#define JOURNAL_MAGIC_SIZE	16
#define JOURNAL_VERSION		2
#define JOURNAL_STATE_AT	(JOURNAL_MAGIC_SIZE + 4)
#define JOURNAL_LENGTH_AT	(JOURNAL_STATE_AT + 4)
#define JOURNAL_HEAD		(JOURNAL_LENGTH_AT + 16)
/* The mark, the count, the sum. */
#define JOURNAL_TAIL		(1 + 4 + 8)
#define JOURNAL_END		0xff
#define JOURNAL_BUFSIZE		65536

/* FNV-1a: it has to notice damage, not malice. */
#define FNV_BASIS		0xcbf29ce484222325ULL
#define FNV_PRIME		0x100000001b3ULL

struct writer {
	int		 fd;
	off_t		 off;
	size_t		 len;
	uint64_t	 sum;
	int		 error;
	char		 buf[JOURNAL_BUFSIZE];
};

struct reader {
	const char	*p;
	size_t		 left;
	int		 failed;
};

static uint64_t
fnv(uint64_t sum, const void *data, size_t len)
{
	const unsigned char	*p = data;

	while (len-- > 0)
		sum = (sum ^ *p++) * FNV_PRIME;
	return (sum);
}

/* All of it: 0, or -1 and errno. */
static int
write_full(int fd, const void *data, size_t len, off_t off)
{
	const char	*p = data;
	ssize_t		 n;

	while (len > 0) {
		if ((n = fs_pwrite(fd, p, len, off)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += n;
		len -= n;
		off += n;
	}
	return (0);
}

static void
writer_flush(struct writer *w)
{
	if (w->error == 0 &&
	    write_full(w->fd, w->buf, w->len, w->off) == -1)
		w->error = errno;
	w->off += w->len;
	w->len = 0;
}

static void
put(struct writer *w, const void *data, size_t len)
{
	const char	*p = data;
	size_t		 n;

	w->sum = fnv(w->sum, data, len);
	for (; len > 0; p += n, len -= n) {
		if (w->len == sizeof(w->buf))
			writer_flush(w);
		n = sizeof(w->buf) - w->len;
		if (n > len)
			n = len;
		memcpy(w->buf + w->len, p, n);
		w->len += n;
	}
}

static void
put8(struct writer *w, uint8_t n)
{
	put(w, &n, sizeof(n));
}

static void
put32(struct writer *w, uint32_t n)
{
	put(w, &n, sizeof(n));
}

static void
put64(struct writer *w, uint64_t n)
{
	put(w, &n, sizeof(n));
}

static void
put_time(struct writer *w, const struct timespec *ts)
{
	put64(w, ts->tv_sec);
	put32(w, ts->tv_nsec);
}

static void
put_inode(struct writer *w, const struct inode *in)
{
	put64(w, in->dev);
	put64(w, in->ino);
	put64(w, in->size);
	put64(w, in->rdev);
	put_time(w, &in->atime);
	put_time(w, &in->mtime);
	put_time(w, &in->ctime);
	put_time(w, &in->btime);
	put32(w, in->mode);
	put32(w, in->uid);
	put32(w, in->gid);
	put32(w, in->nlink);
}

static void
put_block(struct writer *w, const void *data, size_t len)
{
	put32(w, len);
	put(w, data, len);
}

static void
put_record(struct writer *w, const struct plan *p, const struct record *r)
{
	put8(w, r->kind);
	put32(w, r->flags);
	put32(w, r->parent);
	put32(w, r->from);
	put_inode(w, &r->in[LOWER]);
	put_inode(w, &r->in[UPPER]);
	if (p->staged)
		put_inode(w, &r->copy);
	put32(w, r->shown.mode);
	put32(w, r->shown.uid);
	put32(w, r->shown.gid);
	put_block(w, r->name, strlen(r->name));
	put_block(w, r->link, r->link == NULL ? 0 : strlen(r->link));
	put_block(w, r->overlay.buf, r->overlay.len);
	put_block(w, r->content[LOWER].buf, r->content[LOWER].len);
	put_block(w, r->content[UPPER].buf, r->content[UPPER].len);
}

static void
put_plan(struct writer *w, const struct plan *p, uint32_t state)
{
	uint64_t	 sum;
	size_t		 i;

	put(w, JOURNAL_MAGIC, JOURNAL_MAGIC_SIZE);
	put32(w, JOURNAL_VERSION);
	sum = w->sum;
	put32(w, state);
	put64(w, 0);
	put64(w, 0);
	w->sum = sum;
	put8(w, p->staged);
	for (i = 0; i < p->n; i++)
		put_record(w, p, &p->records[i]);
	put8(w, JOURNAL_END);
	put32(w, p->n);
	put64(w, w->sum);
}

/* Remove a name that need not be there. */
static int
journal_unlink(const struct branch *b, const char *name)
{
	if (fs_unlink(b->dir, name) == -1 && errno != ENOENT)
		return (-1);
	return (0);
}

int
journal_write(const struct branch *b, struct plan *p,
    enum journal_state state)
{
	struct writer	*w;
	uint64_t	 len[2];
	int		 error;

	if (journal_unlink(b, JOURNAL_NEW) == -1 ||
	    (w = malloc(sizeof(*w))) == NULL)
		return (-1);
	w->off = 0;
	w->len = 0;
	w->error = 0;
	w->sum = FNV_BASIS;
	if ((w->fd = fs_write_open(b->dir, JOURNAL_NEW,
	    O_CREAT | O_EXCL)) == -1) {
		error = errno;
		free(w);
		errno = error;
		return (-1);
	}
	put_plan(w, p, state);
	writer_flush(w);
	len[0] = w->off;
	len[1] = ~len[0];
	if (w->error == 0 && write_full(w->fd, len, sizeof(len),
	    JOURNAL_LENGTH_AT) == -1)
		w->error = errno;
	if (w->error == 0 && fs_sync(w->fd) == -1)
		w->error = errno;
	close(w->fd);
	error = w->error;
	free(w);
	if (error == 0 && fs_rename(b->dir, JOURNAL_NEW, b->dir, JOURNAL_NAME,
	    0) == -1)
		error = errno;
	if (error == 0) {
		/* From here on it is there, whether or not it stays so. */
		p->state = state;
		if (fs_sync(b->dir) == 0)
			return (0);
		error = errno;
	}
	errno = error;
	return (-1);
}

int
journal_state(const struct branch *b, struct plan *p, enum journal_state state)
{
	uint32_t	 n = state;
	int		 fd, error, ret = -1;

	if ((fd = fs_write_open(b->dir, JOURNAL_NAME, 0)) == -1)
		return (-1);
	if (write_full(fd, &n, sizeof(n), JOURNAL_STATE_AT) == 0 &&
	    fs_sync(fd) == 0) {
		p->state = state;
		ret = 0;
	}
	error = errno;
	close(fd);
	errno = error;
	return (ret);
}

/* The next len bytes, or NULL: the file is too short. */
static const char *
get(struct reader *r, size_t len)
{
	const char	*p = r->p;

	if (r->failed || len > r->left) {
		r->failed = 1;
		return (NULL);
	}
	r->p += len;
	r->left -= len;
	return (p);
}

static uint8_t
get8(struct reader *r)
{
	const char	*p = get(r, 1);

	return (p == NULL ? 0 : (uint8_t)*p);
}

static uint32_t
get32(struct reader *r)
{
	const char	*p = get(r, sizeof(uint32_t));
	uint32_t	 n = 0;

	if (p != NULL)
		memcpy(&n, p, sizeof(n));
	return (n);
}

static uint64_t
get64(struct reader *r)
{
	const char	*p = get(r, sizeof(uint64_t));
	uint64_t	 n = 0;

	if (p != NULL)
		memcpy(&n, p, sizeof(n));
	return (n);
}

static void
get_time(struct reader *r, struct timespec *ts)
{
	ts->tv_sec = get64(r);
	ts->tv_nsec = get32(r);
}

static void
get_inode(struct reader *r, struct inode *in)
{
	memset(in, 0, sizeof(*in));
	in->dev = get64(r);
	in->ino = get64(r);
	in->size = get64(r);
	in->rdev = get64(r);
	get_time(r, &in->atime);
	get_time(r, &in->mtime);
	get_time(r, &in->ctime);
	get_time(r, &in->btime);
	in->mode = get32(r);
	in->uid = get32(r);
	in->gid = get32(r);
	in->nlink = get32(r);
}

/* 0, or -1 and errno. */
static int
get_xattrs(struct reader *r, struct xattrs *x)
{
	const char	*p;
	size_t		 len = get32(r);

	if ((p = get(r, len)) == NULL || len == 0)
		return (0);
	if ((x->buf = malloc(len)) == NULL)
		return (-1);
	memcpy(x->buf, p, len);
	x->len = len;
	if (xattrs_valid(x))
		return (0);
	errno = EBADMSG;
	return (-1);
}

static int
name_valid(const char *name, size_t len, size_t index)
{
	/* The first record is the working directory and has no name. */
	if (index == 0)
		return (len == 0);
	if (len == 0 || len > NAME_MAX || memchr(name, '\0', len) != NULL ||
	    memchr(name, '/', len) != NULL)
		return (0);
	return (!(name[0] == '.' && (len == 1 ||
	    (len == 2 && name[1] == '.'))));
}

/* A name and its end; 0, or -1 and errno. */
static int
get_name(struct reader *rd, size_t index, char name[NAME_MAX + 1])
{
	const char	*s;
	size_t		 len = get32(rd);

	name[0] = '\0';
	if ((s = get(rd, len)) == NULL)
		return (0);
	if (!name_valid(s, len, index)) {
		errno = EBADMSG;
		return (-1);
	}
	memcpy(name, s, len);
	name[len] = '\0';
	return (0);
}

/* The file that a name is linked to; others have none. */
static int
get_link(struct reader *rd, uint8_t kind, char **link)
{
	char	 name[NAME_MAX + 1];

	if (get_name(rd, kind == RECORD_LINK, name) == -1)
		return (-1);
	if (kind == RECORD_LINK && (*link = strdup(name)) == NULL)
		return (-1);
	return (0);
}

static void
get_shown(struct reader *rd, struct shown *sh)
{
	sh->mode = get32(rd);
	sh->uid = get32(rd);
	sh->gid = get32(rd);
}

/* Whether the numbers of a record can be those of the n-th one. */
static int
record_valid(const struct plan *p, const struct record *r, uint8_t kind)
{
	if (kind < RECORD_DIR || kind > RECORD_LINK)
		return (0);
	if (p->n == 0)
		return (kind == RECORD_DIR);
	return (r->parent < p->n && (kind != RECORD_GRAFT ||
	    (r->from < p->n && p->records[r->from].kind == RECORD_TAKE)));
}

static int
get_record(struct reader *rd, struct plan *p, uint8_t kind)
{
	struct record	 new, *r;
	char		 name[NAME_MAX + 1];
	ssize_t		 i;

	memset(&new, 0, sizeof(new));
	new.flags = get32(rd);
	new.parent = get32(rd);
	new.from = get32(rd);
	get_inode(rd, &new.in[LOWER]);
	get_inode(rd, &new.in[UPPER]);
	if (p->staged)
		get_inode(rd, &new.copy);
	get_shown(rd, &new.shown);
	if (rd->failed)
		return (0);
	if (!record_valid(p, &new, kind)) {
		errno = EBADMSG;
		return (-1);
	}
	if (get_name(rd, p->n, name) == -1 ||
	    (i = plan_add(p, kind, p->n == 0 ? 0 : new.parent, name)) == -1)
		return (-1);
	r = &p->records[i];
	r->flags = new.flags;
	r->from = new.from;
	r->in[LOWER] = new.in[LOWER];
	r->in[UPPER] = new.in[UPPER];
	r->copy = new.copy;
	r->shown = new.shown;
	if (get_link(rd, kind, &r->link) == -1 ||
	    get_xattrs(rd, &r->overlay) == -1 ||
	    get_xattrs(rd, &r->content[LOWER]) == -1 ||
	    get_xattrs(rd, &r->content[UPPER]) == -1)
		return (-1);
	return (0);
}

/* The whole journal, which has a valid end: 0, or -1 and errno. */
static int
get_plan(struct reader *r, struct plan *p)
{
	uint8_t	 kind;

	if (get32(r) != JOURNAL_VERSION) {
		errno = EPROTONOSUPPORT;
		return (-1);
	}
	p->state = get32(r);
	(void)get64(r);
	(void)get64(r);
	p->staged = get8(r) != 0;
	while ((kind = get8(r)) != JOURNAL_END && !r->failed)
		if (get_record(r, p, kind) == -1)
			return (-1);
	if (r->failed || get32(r) != p->n || p->n == 0 ||
	    p->state < JOURNAL_UNDO || p->state > JOURNAL_DONE) {
		errno = EBADMSG;
		return (-1);
	}
	return (0);
}

/*
 * Whether the bytes are a complete journal: 1, 0 when they end early, -1 and
 * EBADMSG when they are damaged.
 */
static int
journal_check(const char *buf, size_t len)
{
	uint64_t	 length[2], sum, want;

	if (len < JOURNAL_HEAD + JOURNAL_TAIL)
		return (0);
	memcpy(length, buf + JOURNAL_LENGTH_AT, sizeof(length));
	if (length[0] != ~length[1])
		goto damaged;
	if (len < length[0])
		return (0);
	sum = fnv(FNV_BASIS, buf, JOURNAL_STATE_AT);
	sum = fnv(sum, buf + JOURNAL_HEAD, len - JOURNAL_HEAD - 8);
	memcpy(&want, buf + len - 8, sizeof(want));
	if (sum == want && memcmp(buf, JOURNAL_MAGIC, JOURNAL_MAGIC_SIZE) == 0)
		return (1);
 damaged:
	errno = EBADMSG;
	return (-1);
}

/* A file of the branch directory as a whole; NULL and errno. */
static char *
file_load(const struct branch *b, const char *name, size_t *len)
{
	struct inode	 in;
	char		*buf = NULL;
	size_t		 off = 0;
	ssize_t		 n;
	int		 fd, error;

	if ((fd = fs_read_open(b->dir, name)) == -1)
		return (NULL);
	if (fs_stat(fd, "", &in) == -1)
		goto fail;
	if (!S_ISREG(in.mode)) {
		errno = EBADMSG;
		goto fail;
	}
	if ((buf = malloc(in.size + 1)) == NULL)
		goto fail;
	while (off < in.size) {
		n = fs_pread(fd, buf + off, in.size - off, off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto fail;
		if (n == 0)
			break;
		off += n;
	}
	close(fd);
	*len = off;
	return (buf);
 fail:
	error = errno;
	close(fd);
	free(buf);
	errno = error;
	return (NULL);
}

int
journal_read(const struct branch *b, struct plan *p)
{
	struct reader	 r;
	struct inode	 in;
	char		*buf;
	size_t		 len;
	int		 error, ret;

	if ((buf = file_load(b, JOURNAL_NAME, &len)) == NULL)
		return (errno == ENOENT ? 0 : -1);
	if ((ret = journal_check(buf, len)) != 1)
		goto done;
	r.p = buf + JOURNAL_MAGIC_SIZE;
	r.left = len - JOURNAL_MAGIC_SIZE;
	r.failed = 0;
	if ((ret = get_plan(&r, p)) == -1 ||
	    (ret = fs_stat(b->lower, "", &in)) == -1)
		goto done;
	ret = 1;
	if (!inode_is(&in, &p->records[0].in[LOWER])) {
		errno = ESTALE;
		ret = -1;
	}
 done:
	error = errno;
	free(buf);
	errno = error;
	return (ret);
}

int
journal_commit(const struct branch *b)
{
	if (fs_rename(b->dir, JOURNAL_NAME, b->dir, JOURNAL_COMMITTED,
	    0) == -1)
		return (-1);
	/*
	 * Should this fail and the name be lost, the journal is there again
	 * and finds all of its steps taken.
	 */
	(void)fs_sync(b->dir);
	return (0);
}

int
journal_drop(const struct branch *b)
{
	if (journal_unlink(b, JOURNAL_NEW) == -1 ||
	    journal_unlink(b, JOURNAL_NAME) == -1)
		return (-1);
	/* As above: a journal that comes back finds nothing to take back. */
	(void)fs_sync(b->dir);
	return (0);
}

static int
journal_exists(const struct branch *b, const char *name)
{
	struct inode	 in;

	if (fs_stat(b->dir, name, &in) == 0)
		return (1);
	return (errno == ENOENT ? 0 : -1);
}

int
journal_committed(const struct branch *b)
{
	return (journal_exists(b, JOURNAL_COMMITTED));
}

int
journal_present(const struct branch *b)
{
	return (journal_exists(b, JOURNAL_NAME));
}

/* One entry: number, seconds, nanoseconds, and a sum of these. */
#define TOUCHED_SIZE	24

static void
touched_put(char *p, const struct touched *t)
{
	int64_t		 sec = t->ctime.tv_sec;
	uint32_t	 nsec = t->ctime.tv_nsec, sum;

	memcpy(p, &t->ino, 8);
	memcpy(p + 8, &sec, 8);
	memcpy(p + 16, &nsec, 4);
	sum = fnv(FNV_BASIS, p, 20);
	memcpy(p + 20, &sum, 4);
}

static int
touched_get(const char *p, struct touched *t)
{
	int64_t		 sec;
	uint32_t	 nsec, sum;

	memcpy(&sum, p + 20, 4);
	if (sum != (uint32_t)fnv(FNV_BASIS, p, 20))
		return (0);
	memcpy(&t->ino, p, 8);
	memcpy(&sec, p + 8, 8);
	memcpy(&nsec, p + 16, 4);
	t->ctime.tv_sec = sec;
	t->ctime.tv_nsec = nsec;
	return (1);
}

static int
touched_compare(const void *a, const void *b)
{
	const struct touched	*ta = a, *tb = b;

	return (ta->ino < tb->ino ? -1 : ta->ino > tb->ino);
}

/* An entry that was not written in full only makes an object suspect. */
int
touched_load(const struct branch *b, struct plan *p)
{
	struct touched	 t;
	char		*buf;
	size_t		 i, len;

	if ((buf = file_load(b, JOURNAL_TOUCHED, &len)) == NULL)
		return (errno == ENOENT ? 0 : -1);
	if (len >= TOUCHED_SIZE && (p->touched = reallocarray(NULL,
	    len / TOUCHED_SIZE, sizeof(*p->touched))) == NULL) {
		free(buf);
		return (-1);
	}
	for (i = 0; i + TOUCHED_SIZE <= len; i += TOUCHED_SIZE)
		if (touched_get(buf + i, &t))
			p->touched[p->ntouched++] = t;
	free(buf);
	if (p->ntouched > 0)
		qsort(p->touched, p->ntouched, sizeof(*p->touched),
		    touched_compare);
	return (0);
}

/* The file and where the next entry begins; -1 and errno. */
static int
touched_open(const struct branch *b, off_t *end)
{
	struct inode	 in;
	int		 fd, error;

	if ((fd = fs_write_open(b->dir, JOURNAL_TOUCHED, O_CREAT)) == -1)
		return (-1);
	if (fs_stat(fd, "", &in) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return (-1);
	}
	*end = in.size - in.size % TOUCHED_SIZE;
	return (fd);
}

int
touched_reserve(const struct branch *b, size_t n)
{
	off_t	 end;
	int	 fd, error, ret;

	if ((fd = touched_open(b, &end)) == -1)
		return (-1);
	if ((ret = fs_reserve(fd, end, n * TOUCHED_SIZE)) == -1 &&
	    errno == EOPNOTSUPP)
		ret = 0;
	error = errno;
	close(fd);
	errno = error;
	return (ret);
}

int
touched_append(const struct branch *b, const struct touched *t, size_t n)
{
	char	*buf;
	off_t	 end;
	size_t	 i;
	int	 fd, error, ret = -1;

	if (n == 0)
		return (0);
	if ((buf = reallocarray(NULL, n, TOUCHED_SIZE)) == NULL)
		return (-1);
	for (i = 0; i < n; i++)
		touched_put(buf + i * TOUCHED_SIZE, &t[i]);
	if ((fd = touched_open(b, &end)) != -1) {
		if (write_full(fd, buf, n * TOUCHED_SIZE, end) == 0)
			ret = fs_sync(fd);
		error = errno;
		close(fd);
		errno = error;
	}
	error = errno;
	free(buf);
	errno = error;
	return (ret);
}
