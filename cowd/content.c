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
 * The comparison of two objects, cheapest first: nothing is read when a
 * number already differs, and holes are not read at all.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "fs.h"
#include "xattrs.h"

#define CONTENT_BUFSIZE	65536

/* Where data begins from an offset on; all is data if nobody knows. */
static off_t
data_begin(int fd, off_t off, off_t size)
{
	off_t	 pos;

	if ((pos = fs_seek(fd, off, SEEK_DATA)) != -1)
		return (pos);
	return (errno == ENXIO ? size : off);
}

static off_t
data_end(int fd, off_t off, off_t size)
{
	off_t	 pos;

	if ((pos = fs_seek(fd, off, SEEK_HOLE)) == -1)
		return (size);
	return (pos);
}

int
content_range(int a, int b, off_t size, off_t *begin, off_t *end)
{
	off_t	 ba, bb, ea, eb;

	if (*end >= size)
		return (0);
	ba = data_begin(a, *end, size);
	bb = a == b ? ba : data_begin(b, *end, size);
	*begin = ba < bb ? ba : bb;
	if (*begin >= size)
		return (0);
	ea = data_end(a, *begin, size);
	eb = a == b ? ea : data_end(b, *begin, size);
	*end = ea > eb ? ea : eb;
	if (*end > size || *end <= *begin)
		*end = size;
	return (1);
}

/* Read exactly that much: 1, 0 when the file ends before, -1. */
static int
read_full(int fd, char *buf, size_t len, off_t off)
{
	ssize_t	 n;

	while (len > 0) {
		if ((n = fs_pread(fd, buf, len, off)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		if (n == 0)
			return (0);
		buf += n;
		len -= n;
		off += n;
	}
	return (1);
}

static int
bytes_same(int a, int b, off_t size)
{
	char	*bufs;
	off_t	 begin, end = 0;
	size_t	 len;
	int	 ok = 1, error;

	if ((bufs = malloc(2 * CONTENT_BUFSIZE)) == NULL)
		return (-1);
	while (ok == 1 && content_range(a, b, size, &begin, &end)) {
		for (; ok == 1 && begin < end; begin += len) {
			len = end - begin < CONTENT_BUFSIZE ?
			    end - begin : CONTENT_BUFSIZE;
			if ((ok = read_full(a, bufs, len, begin)) == 1 &&
			    (ok = read_full(b, bufs + CONTENT_BUFSIZE, len,
			    begin)) == 1)
				ok = memcmp(bufs, bufs + CONTENT_BUFSIZE,
				    len) == 0;
		}
	}
	error = errno;
	free(bufs);
	errno = error;
	return (ok);
}

static int
files_same(const struct object *a, const struct object *b)
{
	struct inode	 in;
	int		 fa, fb = -1, ret = -1, error;

	if (a->in->size != b->in->size)
		return (0);
	if ((fa = fs_read_open(a->dir, a->name)) == -1 ||
	    (fb = fs_read_open(b->dir, b->name)) == -1)
		goto done;
	/* Lower may have been swapped since it was looked at. */
	if (fs_stat(fa, "", &in) == -1)
		goto done;
	ret = inode_is(&in, a->in) ? bytes_same(fa, fb, a->in->size) : 0;
 done:
	error = errno;
	if (fa != -1)
		close(fa);
	if (fb != -1)
		close(fb);
	errno = error;
	return (ret);
}

static int
links_same(const struct object *a, const struct object *b)
{
	char	 ta[PATH_MAX], tb[PATH_MAX];
	ssize_t	 na, nb;

	if ((na = fs_readlink(a->dir, a->name, ta, sizeof(ta))) == -1 ||
	    (nb = fs_readlink(b->dir, b->name, tb, sizeof(tb))) == -1)
		return (-1);
	return (na == nb && memcmp(ta, tb, na) == 0);
}

static int
attributes_same(const struct object *a, const struct object *b)
{
	struct xattrs	 xa, xb = { NULL, 0 };
	int		 ret = -1, error;

	if (xattrs_load(a->dir, a->name, XATTRS_CONTENT, &xa) == 0 &&
	    xattrs_load(b->dir, b->name, XATTRS_CONTENT, &xb) == 0)
		ret = xattrs_same(&xa, &xb);
	error = errno;
	xattrs_free(&xa);
	xattrs_free(&xb);
	errno = error;
	return (ret);
}

int
content_same(const struct object *a, const struct object *b)
{
	const struct inode	*ia = a->in, *ib = b->in;
	int			 ret;

	if (ia->mode != ib->mode || ia->uid != ib->uid || ia->gid != ib->gid)
		return (0);
	if ((S_ISCHR(ia->mode) || S_ISBLK(ia->mode)) && ia->rdev != ib->rdev)
		return (0);
	if ((ret = attributes_same(a, b)) == 1) {
		if (S_ISREG(ia->mode))
			ret = files_same(a, b);
		else if (S_ISLNK(ia->mode))
			ret = links_same(a, b);
	}
	if (ret == -1 && errno == EACCES)
		return (0);
	return (ret);
}
