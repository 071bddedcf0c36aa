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
 * ftruncate(2), fallocate(2) and truncate(2) of what lies elsewhere, with a
 * quota.  Made here on a duplicate, never let through: a file grows to the
 * size that was counted, or not at all.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <linux/falloc.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "supervisor.h"

/* The size that a file is to have; or -1: that it has. */
static off_t
resize_size(const struct request *rq, const struct target *t)
{
	const __u64	*args = rq->notif.data.args;
	off_t		 at = (off_t)args[2], len = (off_t)args[3];
	int		 mode = (int)args[1];

	if (rq->call->nr == SYS_ftruncate)
		return ((off_t)args[1]);
	if (at < 0 || len <= 0 || at > INT64_MAX - len)
		return (-1);	/* which the kernel refuses */
	if ((mode & FALLOC_FL_INSERT_RANGE) != 0)
		return (len > INT64_MAX - t->st.st_size ? -1 :
		    t->st.st_size + len);
	if ((mode & (FALLOC_FL_KEEP_SIZE | FALLOC_FL_COLLAPSE_RANGE)) != 0 ||
	    at + len < t->st.st_size)
		return (-1);
	return (at + len);
}

/* Blocks beyond the end would count nowhere. */
static int
resize_beyond(const struct request *rq, const struct target *t)
{
	const __u64	*args = rq->notif.data.args;
	int		 mode = (int)args[1];

	return (t->counted && rq->call->nr == SYS_fallocate &&
	    (mode & FALLOC_FL_KEEP_SIZE) != 0 &&
	    (mode & FALLOC_FL_PUNCH_HOLE) == 0 &&
	    args[2] + args[3] > room_round(t->st.st_size));
}

static int
resize_call(const struct request *rq, int fd)
{
	const __u64	*args = rq->notif.data.args;
	int		 ret;

	if (rq->call->nr == SYS_ftruncate)
		ret = ftruncate(fd, (off_t)args[1]);
	else
		ret = fallocate(fd, (int)args[1], (off_t)args[2],
		    (off_t)args[3]);
	return (ret == -1 ? errno : 0);
}

static void
resize_file(struct request *rq, struct target *t)
{
	uint64_t	 taken = 0;
	off_t		 size = resize_size(rq, t);
	int		 error, failed;

	if (t->counted && size > t->st.st_size) {
		taken = room_round(size) - room_round(t->st.st_size);
		if (!quota_take(taken)) {
			quota_full(rq);
			return;
		}
	}
	error = resize_call(rq, t->fd);
	if (t->regular && (failed = target_grew(t, taken)) != 0)
		error = failed;
	notify_errno(rq, error);
}

void
resize_request(struct request *rq)
{
	struct target	 t;
	int		 error;

	if ((error = target_get(rq, (int)rq->notif.data.args[0], &t)) != 0)
		notify_errno(rq, error);
	else if (!notify_valid(rq))
		;	/* nobody waits */
	else if (resize_beyond(rq, &t))
		notify_errno(rq, EOPNOTSUPP);
	else
		resize_file(rq, &t);
	if (t.fd != -1)
		close(t.fd);
}

/*
 * A file outside of the branch, by its name.  The domain of this process
 * grants what the workload's does.
 */
void
resize_path(struct request *rq)
{
	char	 name[64], path[PATH_MAX], real[2 * PATH_MAX];
	int	 error, fd;

	if ((error = look_path(rq, rq->call->path, path,
	    sizeof(path))) != 0 ||
	    (error = tmp_place(path, 1, real, sizeof(real))) != 0) {
		notify_errno(rq, error);
		return;
	}
	if ((fd = resolve_at(rq, AT_FDCWD, real, 0)) == -1) {
		notify_errno(rq, errno);
		return;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (notify_valid(rq))
		notify_errno(rq, truncate(name,
		    (off_t)rq->notif.data.args[rq->call->arg]) == -1 ?
		    errno : 0);
	close(fd);
}
