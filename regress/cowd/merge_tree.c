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
 * What the merged view looks like.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge.h"
#include "merge_tree.h"

static int
merged_stat(void *arg, const char *path, struct statx *sx)
{
	return (merge_stat(arg, path, AT_SYMLINK_NOFOLLOW, sx));
}

static ssize_t
merged_getxattr(void *arg, const char *path, const char *name, void *buf,
    size_t size)
{
	return (merge_getxattr(arg, path, AT_SYMLINK_NOFOLLOW, name, buf,
	    size));
}

static ssize_t
merged_readlink(void *arg, const char *path, char *buf, size_t size)
{
	return (merge_readlink(arg, path, buf, size));
}

static int
merged_open(void *arg, const char *path)
{
	int	 wait;

	return (merge_open(arg, path, O_RDONLY | O_NOFOLLOW, 0, 0, &wait));
}

/* A listing and a look at the entry must agree. */
static void
names_number(struct merge *m, const char *path, const struct merge_dirent *de)
{
	struct statx	 sx;
	char		 below[4096];

	if (strcmp(de->name, ".") == 0 || strcmp(de->name, "..") == 0)
		return;
	snprintf(below, sizeof(below), "%s/%s", path, de->name);
	if (merge_stat(m, below, AT_SYMLINK_NOFOLLOW, &sx) == 0 &&
	    (sx.stx_ino != de->ino || IFTODT(sx.stx_mode) != de->type)) {
		errno = ESTALE;
		die(below);
	}
}

static int
merged_names(void *arg, const char *path, char **names, int max)
{
	struct merge_dir	*md;
	struct merge_dirent	 mde;
	uint64_t		 cookie = 0;
	int			 n = 0;

	if ((md = merge_opendir(arg, path)) == NULL)
		return (-1);
	while (n < max && merge_readdir(md, &cookie, &mde) == 1) {
		names_number(arg, path, &mde);
		if (asprintf(&names[n++], "%s%c%d", mde.name, 1,
		    mde.type) == -1)
			die("asprintf");
	}
	merge_closedir(md);
	return (n);
}

static struct look
merged(struct merge *m)
{
	struct look	 look = {
		m, merged_stat, merged_getxattr, merged_readlink, merged_open,
		merged_names
	};

	return (m == NULL ? look_plain : look);
}

int
tree_names(struct merge *m, const char *path, char **names, int max)
{
	const struct look	 look = merged(m);

	return (look_names(&look, path, names, max));
}

char *
view_text(struct merge *m, int how)
{
	const struct look	 look = merged(m);

	return (look_text(&look, how));
}
