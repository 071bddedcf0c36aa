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
 * The attribute user.overlay.sandlock, which merge.h describes.  It is read
 * here; nothing writes it but the merged view.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shown.h"

#define SHOWN_XATTR	"user.overlay.sandlock"
#define SHOWN_SIZE	64

static int
shown_parse(const char *value, size_t len, const struct inode *in,
    struct shown *sh)
{
	unsigned int	 mode, uid, gid, perm;
	char		 text[SHOWN_SIZE];
	int		 end = -1;

	if (len < sizeof(text)) {
		memcpy(text, value, len);
		text[len] = '\0';
		if (sscanf(text, "%4o %10u %10u %1o%n", &mode, &uid, &gid,
		    &perm, &end) == 4 && end != -1 && text[end] == '\0') {
			sh->mode = (in->mode & S_IFMT) | (mode & 07777);
			sh->uid = uid;
			sh->gid = gid;
			return (1);
		}
	}
	errno = EIO;
	return (-1);
}

void
shown_real(const struct inode *in, struct shown *sh)
{
	sh->mode = in->mode;
	sh->uid = in->uid;
	sh->gid = in->gid;
}

int
shown_by(const struct xattrs *overlay, const struct inode *in,
    struct shown *sh)
{
	const char	*value;
	size_t		 len;

	shown_real(in, sh);
	if ((value = xattrs_value(overlay, SHOWN_XATTR, &len)) == NULL)
		return (0);
	return (shown_parse(value, len, in, sh));
}

int
shown_of(int at, const char *name, const struct inode *in, struct shown *sh)
{
	char	 value[SHOWN_SIZE];
	ssize_t	 n;

	shown_real(in, sh);
	if (!S_ISREG(in->mode) && !S_ISDIR(in->mode))
		return (0);
	if ((n = fs_getxattr(at, name, SHOWN_XATTR, value,
	    sizeof(value))) != -1)
		return (shown_parse(value, n, in, sh));
	/* One that has the attribute can be read by its owner. */
	return (errno == ENODATA || errno == EOPNOTSUPP || errno == EACCES ?
	    0 : -1);
}

/* Set-id bits are not meant for another owner. */
void
shown_limit(struct shown *sh, const struct inode *in)
{
	if (sh->uid != in->uid)
		sh->mode &= ~S_ISUID;
	if (sh->gid != in->gid && !S_ISDIR(in->mode))
		sh->mode &= ~S_ISGID;
	sh->uid = in->uid;
	sh->gid = in->gid;
}
