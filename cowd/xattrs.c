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
 * Extended attributes, ACLs among them: read as a block that can be compared
 * and journaled, and brought back.  It never judges what an attribute means.
 */

#include <sys/types.h>
#include <sys/xattr.h>

#include <linux/limits.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "xattrs.h"

#define OVERLAY_PREFIX	"user.overlay."

/* One attribute of a block. */
struct xattr {
	const char	*name;
	const char	*value;
	uint32_t	 len;
};

static int
xattr_overlay(const char *name)
{
	return (strncmp(name, OVERLAY_PREFIX, strlen(OVERLAY_PREFIX)) == 0);
}

void
xattrs_free(struct xattrs *x)
{
	free(x->buf);
	x->buf = NULL;
	x->len = 0;
}

int
xattrs_same(const struct xattrs *a, const struct xattrs *b)
{
	return (a->len == b->len &&
	    (a->len == 0 || memcmp(a->buf, b->buf, a->len) == 0));
}

/* The attribute at an offset, which moves behind it; 0 at the end, -1. */
static int
xattrs_next(const struct xattrs *x, size_t *off, struct xattr *xa)
{
	const char	*end;
	size_t		 left = x->len - *off;

	if (left == 0)
		return (0);
	xa->name = x->buf + *off;
	if ((end = memchr(xa->name, '\0', left)) == NULL || end == xa->name)
		return (-1);
	left -= end + 1 - xa->name;
	if (left < sizeof(xa->len))
		return (-1);
	memcpy(&xa->len, end + 1, sizeof(xa->len));
	left -= sizeof(xa->len);
	if (xa->len > left)
		return (-1);
	xa->value = end + 1 + sizeof(xa->len);
	*off = xa->value + xa->len - x->buf;
	return (1);
}

int
xattrs_valid(const struct xattrs *x)
{
	struct xattr	 xa;
	size_t		 off = 0;
	int		 more;

	while ((more = xattrs_next(x, &off, &xa)) == 1)
		;
	return (more == 0);
}

const char *
xattrs_value(const struct xattrs *x, const char *name, size_t *len)
{
	struct xattr	 xa;
	size_t		 off = 0;

	while (xattrs_next(x, &off, &xa) == 1)
		if (strcmp(xa.name, name) == 0) {
			*len = xa.len;
			return (xa.value);
		}
	return (NULL);
}

int
xattrs_has(const struct xattrs *x, const char *name)
{
	size_t	 len;

	return (xattrs_value(x, name, &len) != NULL);
}

static int
xattrs_add(struct xattrs *x, const char *name, const void *value, uint32_t len)
{
	size_t	 namelen = strlen(name) + 1;
	char	*buf;

	if ((buf = realloc(x->buf, x->len + namelen + sizeof(len) +
	    len)) == NULL)
		return (-1);
	x->buf = buf;
	memcpy(buf + x->len, name, namelen);
	x->len += namelen;
	memcpy(buf + x->len, &len, sizeof(len));
	x->len += sizeof(len);
	memcpy(buf + x->len, value, len);
	x->len += len;
	return (0);
}

static int
string_compare(const void *a, const void *b)
{
	const char	*const *sa = a, *const *sb = b;

	return (strcmp(*sa, *sb));
}

/*
 * The names of a kind, sorted: pointers into *buf.  Most inodes have none, so
 * the first try is small.
 */
static ssize_t
names_load(int at, const char *name, enum xattrs_kind kind, char **buf,
    const char ***names)
{
	char	 first[1024], *s;
	ssize_t	 len, n = 0;

	*buf = NULL;
	*names = NULL;
	len = fs_listxattr(at, name, first, sizeof(first));
	if (len == 0 || (len == -1 && errno == EOPNOTSUPP))
		return (0);
	if (len == -1 && errno != ERANGE)
		return (-1);
	if ((*buf = malloc(XATTR_LIST_MAX)) == NULL)
		return (-1);
	if (len > 0)
		memcpy(*buf, first, len);
	else if ((len = fs_listxattr(at, name, *buf, XATTR_LIST_MAX)) == -1)
		return (-1);
	/* No name is empty, so half of the bytes are more than enough. */
	if ((*names = reallocarray(NULL, len / 2 + 1,
	    sizeof(**names))) == NULL)
		return (-1);
	for (s = *buf; s < *buf + len; s += strlen(s) + 1)
		if (xattr_overlay(s) == (kind == XATTRS_OVERLAY))
			(*names)[n++] = s;
	qsort(*names, n, sizeof(**names), string_compare);
	return (n);
}

int
xattrs_load(int at, const char *name, enum xattrs_kind kind, struct xattrs *x)
{
	const char	**names;
	char		 *buf, *value = NULL;
	ssize_t		  i, len, n;
	int		  ret = -1;

	memset(x, 0, sizeof(*x));
	if ((n = names_load(at, name, kind, &buf, &names)) == -1)
		goto done;
	if (n > 0 && (value = malloc(XATTR_SIZE_MAX)) == NULL)
		goto done;
	for (i = 0; i < n; i++) {
		len = fs_getxattr(at, name, names[i], value, XATTR_SIZE_MAX);
		if (len == -1) {
			/* Somebody has removed it since it was listed. */
			if (errno == ENODATA)
				continue;
			if (kind == XATTRS_CONTENT || errno != EACCES)
				goto done;
			len = 0;
		}
		if (xattrs_add(x, names[i], value, len) == -1)
			goto done;
	}
	ret = 0;
 done:
	if (ret == -1) {
		i = errno;
		xattrs_free(x);
		errno = i;
	}
	free(value);
	free(names);
	free(buf);
	return (ret);
}

/*
 * A security module labels a new inode by itself, and may not let a user do
 * it; whether that label differs is its own affair.  Capabilities of a file
 * are content.
 */
static int
xattr_labelled(const char *name, int error)
{
	return (strncmp(name, "security.", 9) == 0 &&
	    strcmp(name, "security.capability") != 0 &&
	    (error == EPERM || error == EACCES || error == EOPNOTSUPP));
}

int
xattrs_set(int fd, const struct xattrs *x)
{
	struct xattr	 xa;
	size_t		 off = 0;

	while (xattrs_next(x, &off, &xa) == 1)
		if (fs_setxattr(fd, "", xa.name, xa.value, xa.len) == -1 &&
		    !xattr_labelled(xa.name, errno))
			return (-1);
	return (0);
}

int
xattrs_remove(int fd, const struct xattrs *x)
{
	struct xattr	 xa;
	size_t		 off = 0;

	while (xattrs_next(x, &off, &xa) == 1)
		if (fs_removexattr(fd, "", xa.name) == -1 &&
		    errno != ENODATA && !xattr_labelled(xa.name, errno))
			return (-1);
	return (0);
}

int
xattrs_replace(int fd, const struct xattrs *want)
{
	struct xattrs	 have, surplus = { NULL, 0 };
	struct xattr	 xa;
	size_t		 off = 0;
	int		 ret = -1;

	if (xattrs_load(fd, "", XATTRS_CONTENT, &have) == -1)
		return (-1);
	if (xattrs_same(&have, want)) {
		ret = 0;
		goto done;
	}
	while (xattrs_next(&have, &off, &xa) == 1)
		if (!xattrs_has(want, xa.name) &&
		    xattrs_add(&surplus, xa.name, "", 0) == -1)
			goto done;
	if (xattrs_remove(fd, &surplus) == 0)
		ret = xattrs_set(fd, want);
 done:
	off = errno;
	xattrs_free(&have);
	xattrs_free(&surplus);
	errno = off;
	return (ret);
}
