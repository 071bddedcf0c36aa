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
 * Listings.  A directory that the branch has not changed is listed by the
 * kernel.  Another one is listed from a snapshot, taken when it is read from
 * its start: the position in that is kept where it belongs, in the open file,
 * so that rewinding, seeking, duplicates and children work as ever.  It is the
 * number of the snapshot in the upper bits and that of the entry below.  A
 * listing whose snapshot had to make room goes on in a new one.
 *
 * A listing that the kernel had begun before the first change goes on as it
 * began, without the names that were removed meanwhile.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

#define DENTS_ENTRY_BITS	24	/* entries of one directory */
#define DENTS_ENTRY_MASK	((1ULL << DENTS_ENTRY_BITS) - 1)
#define DENTS_NUMBER_MAX	(1U << 15)
#define DENTS_SNAPSHOTS		256	/* kept at the same time */
#define DENTS_BYTES		(64 * 1024 * 1024)	/* all of them */
#define DENTS_BUFFER		(64 * 1024)

/* What the two calls write; the older one has its type at the very end. */
struct dent_old {
	uint64_t	 ino;
	int64_t		 off;
	uint16_t	 reclen;
	char		 name[];
};

struct snapshot {
	TAILQ_ENTRY(snapshot)	 entry;
	uint32_t		 number;
	size_t			 size;
	char			*path;
	struct merge_dir	*dir;
};
TAILQ_HEAD(snapshots, snapshot);

static struct snapshots	 snapshots = TAILQ_HEAD_INITIALIZER(snapshots);
static size_t		 snapshot_count;
static size_t		 snapshot_bytes;
static uint32_t		 snapshot_last;
/* Of which directory a number was, also when its snapshot is gone. */
static uint32_t		 snapshot_paths[DENTS_NUMBER_MAX];

static void
snapshot_free(struct snapshot *s)
{
	TAILQ_REMOVE(&snapshots, s, entry);
	merge_closedir(s->dir);
	free(s->path);
	snapshot_count--;
	snapshot_bytes -= s->size;
	free(s);
}

/* Never 0. */
static uint32_t
snapshot_hash(const char *path)
{
	uint32_t	 h = 2166136261U;

	for (; *path != '\0'; path++)
		h = (h ^ (uint8_t)*path) * 16777619U;
	return (h | 1);
}

/* Whether a position is one of ours, and not the kernel's. */
static int
snapshot_given(uint64_t pos, const char *path)
{
	uint64_t	 number = pos >> DENTS_ENTRY_BITS;

	return (number < DENTS_NUMBER_MAX &&
	    snapshot_paths[number] == snapshot_hash(path));
}

static struct snapshot *
snapshot_find(uint64_t number, const char *path)
{
	struct snapshot	*s;

	TAILQ_FOREACH(s, &snapshots, entry)
		if (s->number == number && strcmp(s->path, path) == 0)
			return (s);
	return (NULL);
}

/*
 * NULL and errno; those that were used longest ago make room.  One that is too
 * big by itself is alone.
 */
static struct snapshot *
snapshot_take(const char *path)
{
	struct snapshot	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	if ((s->path = strdup(path)) == NULL ||
	    (s->dir = merge_opendir(view_merge(), path)) == NULL) {
		free(s->path);
		free(s);
		return (NULL);
	}
	s->size = merge_dirsize(s->dir);
	while (snapshot_count >= DENTS_SNAPSHOTS || (snapshot_count > 0 &&
	    snapshot_bytes + s->size > DENTS_BYTES))
		snapshot_free(TAILQ_FIRST(&snapshots));
	snapshot_last = snapshot_last % (DENTS_NUMBER_MAX - 1) + 1;
	s->number = snapshot_last;
	snapshot_paths[s->number] = snapshot_hash(path);
	TAILQ_INSERT_TAIL(&snapshots, s, entry);
	snapshot_count++;
	snapshot_bytes += s->size;
	return (s);
}

/* One record as the kernel lays it out; its size, 0 when it does not fit. */
static size_t
dent_write(int nr, uint8_t *buf, size_t size, const struct merge_dirent *md,
    uint64_t off)
{
	struct dirent64	*de = (struct dirent64 *)(void *)buf;
	struct dent_old	*old = (struct dent_old *)(void *)buf;
	size_t		 len = strlen(md->name) + 1, need;

	if (nr == SYS_getdents64)
		need = offsetof(struct dirent64, d_name) + len;
	else
		need = offsetof(struct dent_old, name) + len + 1;
	need = (need + 7) & ~(size_t)7;
	if (need > size)
		return (0);
	memset(buf, 0, need);
	if (nr == SYS_getdents64) {
		de->d_ino = md->ino;
		de->d_off = (off64_t)off;
		de->d_reclen = need;
		de->d_type = md->type;
		memcpy(de->d_name, md->name, len);
	} else {
		old->ino = md->ino;
		old->off = (int64_t)off;
		old->reclen = need;
		memcpy(old->name, md->name, len);
		buf[need - 1] = md->type;
	}
	return (need);
}

/* Fill a buffer from a position on; what was written, or -1 and errno. */
static ssize_t
snapshot_read(struct snapshot *s, int nr, uint8_t *buf, size_t size,
    uint64_t *pos)
{
	struct merge_dirent	 md;
	uint64_t		 base, cookie, next;
	size_t			 done = 0, n;

	base = (uint64_t)s->number << DENTS_ENTRY_BITS;
	cookie = *pos & DENTS_ENTRY_MASK;
	for (;;) {
		next = cookie;
		if (merge_readdir(s->dir, &next, &md) != 1)
			break;
		if ((n = dent_write(nr, buf + done, size - done, &md,
		    base | next)) == 0) {
			if (done == 0) {
				errno = EINVAL;
				return (-1);
			}
			break;
		}
		done += n;
		cookie = next;
	}
	*pos = base | cookie;
	return ((ssize_t)done);
}

/* Whether the view still shows a name that the kernel has listed. */
static int
dent_shows(const char *dir, const char *name)
{
	struct statx	 sx;
	char		*path;
	int		 shows = 1;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return (1);
	if (strcmp(dir, ".") == 0)
		path = strdup(name);
	else if (asprintf(&path, "%s/%s", dir, name) == -1)
		path = NULL;
	if (path != NULL && changed_below(path))
		shows = merge_stat(view_merge(), path, AT_SYMLINK_NOFOLLOW,
		    &sx) == 0;
	free(path);
	return (shows);
}

/* The next of the kernel's own records, less what is gone. */
static ssize_t
kernel_read(int fd, const char *dir, int nr, uint8_t *buf, size_t size)
{
	const struct dirent64	*de;
	struct merge_dirent	 md;
	uint8_t			*from;
	ssize_t			 n, off;
	size_t			 done = 0, len;

	if ((from = malloc(size)) == NULL)
		return (-1);
	n = 0;
	while (done == 0 && (n = getdents64(fd, from, size)) > 0)
		for (off = 0; off < n; off += de->d_reclen) {
			de = (const void *)(from + off);
			if (!dent_shows(dir, de->d_name))
				continue;
			md.name = de->d_name;
			md.ino = de->d_ino;
			md.type = de->d_type;
			if ((len = dent_write(nr, buf + done, size - done, &md,
			    (uint64_t)de->d_off)) == 0)
				break;
			done += len;
		}
	free(from);
	return (n == -1 ? -1 : (ssize_t)done);
}

/* The listing of a directory of the view from where its open file stands. */
static ssize_t
dents_read(int fd, const struct place *pl, int nr, uint8_t *buf, size_t size)
{
	struct snapshot	*s = NULL;
	uint64_t	 pos;
	off_t		 where;
	ssize_t		 n;

	if ((where = lseek(fd, 0, SEEK_CUR)) == -1)
		return (-1);
	pos = (uint64_t)where;
	if (pos >> DENTS_ENTRY_BITS != 0)
		s = snapshot_find(pos >> DENTS_ENTRY_BITS, pl->path);
	if (s == NULL && pos != 0 && !pl->alias &&
	    !snapshot_given(pos, pl->path))
		return (kernel_read(fd, pl->path, nr, buf, size));
	if (s == NULL && (s = snapshot_take(pl->path)) == NULL)
		return (-1);
	/* It was used last. */
	TAILQ_REMOVE(&snapshots, s, entry);
	TAILQ_INSERT_TAIL(&snapshots, s, entry);
	if ((n = snapshot_read(s, nr, buf, size, &pos)) == -1)
		return (-1);
	if (lseek(fd, (off_t)pos, SEEK_SET) == -1)
		return (-1);
	return (n);
}

static void
dents_answer(struct request *rq, int fd, const struct place *pl)
{
	uint64_t	 size = (uint32_t)rq->notif.data.args[rq->call->outlen];
	uint8_t		*buf;
	ssize_t		 n;

	if (size > DENTS_BUFFER)
		size = DENTS_BUFFER;
	if ((buf = malloc(size == 0 ? 1 : size)) == NULL) {
		notify_errno(rq, ENOMEM);
		return;
	}
	if (!notify_valid(rq)) {
		free(buf);
		return;
	}
	notify_collect();
	if ((n = dents_read(fd, pl, rq->notif.data.nr, buf, size)) == -1)
		notify_errno(rq, errno);
	else
		notify_result(rq, rq->notif.data.args[rq->call->out], buf, n,
		    n);
	free(buf);
}

/*
 * CONTINUE is harmless here: the descriptor lists what the kernel lets its
 * owner list, whichever it is by then.
 */
void
dents_request(struct request *rq)
{
	struct place	 pl;
	struct stat	 st;
	int		 error = 0, fd = -1, flags, number;

	number = (int)rq->notif.data.args[rq->call->fd];
	if (!view_changed() ||
	    (error = place_descriptor(rq, number, &pl)) != 0) {
		/* A directory that was removed is empty. */
		if (error == ENOENT) {
			notify_value(rq, 0);
			return;
		}
		/* Only the kernel's listing of what Landlock let it open. */
		notify_continue(rq);
		return;
	}
	if (!pl.inside || place_unchanged(&pl, 1) ||
	    (fd = task_fd(rq->notif.pid, number)) == -1 ||
	    (flags = fcntl(fd, F_GETFL)) == -1 || (flags & O_PATH) != 0 ||
	    fstat(fd, &st) == -1 || !S_ISDIR(st.st_mode))
		/* As above: another descriptor by then is an open one, too. */
		notify_continue(rq);
	else
		dents_answer(rq, fd, &pl);
	if (fd != -1)
		close(fd);
	place_free(&pl);
}
