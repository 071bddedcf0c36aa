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
 * Files of the branch by their inode, where a descriptor is all there is: the
 * name by which it was opened is gone, or it was opened without one, and the
 * file has another.  That is looked for in all of the branch, which may take a
 * while and is rarely asked for.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

/* Descriptors that are open at the same time; deeper nothing is found. */
#define NAMELESS_DEPTH	128

static char	*nameless_in(int, const char *, const struct stat *, int);

/* The path of an entry if it is the file, or of one that lies in it. */
static char *
nameless_entry(int fd, const char *path, const struct dirent *de,
    const struct stat *st, int depth)
{
	struct stat	 now;
	char		*below, *found = NULL;
	int		 dir;

	if (asprintf(&below, "%s%s%s", path, path[0] == '\0' ? "" : "/",
	    de->d_name) == -1)
		return (NULL);
	if (de->d_ino == st->st_ino && fstatat(fd, de->d_name, &now,
	    AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino &&
	    now.st_dev == st->st_dev)
		return (below);
	if (de->d_type == DT_DIR && depth < NAMELESS_DEPTH &&
	    (dir = openat(fd, de->d_name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) != -1)
		found = nameless_in(dir, below, st, depth + 1);
	free(below);
	return (found);
}

/* The same in a directory, of which the descriptor is gone after this. */
static char *
nameless_in(int fd, const char *path, const struct stat *st, int depth)
{
	struct dirent	*de;
	DIR		*dir;
	char		*found = NULL;

	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (NULL);
	}
	while (found == NULL && (de = readdir(dir)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			found = nameless_entry(dirfd(dir), path, de, st,
			    depth);
	closedir(dir);
	return (found);
}

/* A path of the view, which the caller frees, or NULL. */
char *
nameless_find(const struct stat *st)
{
	int	 fd;

	if ((fd = openat(view_merge()->upper, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (NULL);
	return (nameless_in(fd, "", st, 0));
}
