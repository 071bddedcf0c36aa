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
 * What the policy says on every path, where some have fewer rights than those
 * around them.  The most specific path decides, by names without links; what is
 * denied is known by its inode, too.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"
#include "holes.h"
#include "log.h"
#include "worker.h"

/* Paths around holes, below each of which our own domain admits something. */
#define RIGHTS_ROOTS_MAX	32

struct root {
	const struct workload_path	*wp;
	int				 fd;
};

static struct workload_paths	 paths = STAILQ_HEAD_INITIALIZER(paths);
static struct root		 roots[RIGHTS_ROOTS_MAX];
static size_t			 nroots;
static char			*top;
static struct statx		*denied;
static size_t			 ndenied;

static int
rights_openat2(const char *path, uint64_t flags)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_CLOEXEC | flags;
	how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	return (syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
}

/* What is denied may come into being later; then its name is all there is. */
static void
rights_deny(const struct workload_path *wp)
{
	struct statx	*grown;
	int		 fd;

	if ((fd = rights_openat2(wp->path, O_NOFOLLOW)) == -1)
		return;
	if ((grown = reallocarray(denied, ndenied + 1,
	    sizeof(*grown))) == NULL)
		fatal("rights");
	denied = grown;
	if (inode_stat(fd, &denied[ndenied]) == 0)
		ndenied++;
	close(fd);
}

void
rights_add(const struct workload_path *wp)
{
	struct workload_path	*copy;

	if ((copy = calloc(1, sizeof(*copy))) == NULL ||
	    (copy->path = strdup(wp->path)) == NULL)
		fatal("rights");
	copy->perms = wp->perms;
	STAILQ_INSERT_TAIL(&paths, copy, entry);
	if (copy->perms == PERM_NONE)
		rights_deny(copy);
}

/* All of them have come: open those that have a hole. */
void
rights_start(void)
{
	const struct workload_path	*wp;
	int				 fd;

	STAILQ_FOREACH(wp, &paths, entry) {
		if (wp->perms == PERM_NONE || !holes_above(&paths, wp->path))
			continue;
		if (nroots == RIGHTS_ROOTS_MAX)
			worker_fail("more than %d paths with others inside "
			    "that have fewer rights", RIGHTS_ROOTS_MAX);
		if ((fd = rights_openat2(wp->path, O_DIRECTORY)) == -1)
			worker_fail("%s: %s", wp->path, strerror(errno));
		roots[nroots].wp = wp;
		roots[nroots++].fd = fd;
	}
}

void
rights_set_top(const char *path)
{
	if (top != NULL || path[0] != '/' || (top = strdup(path)) == NULL)
		fatalx("bad conf_top");
}

const char *
rights_top(void)
{
	return (top);
}

/*
 * The second line of defence, when a branch is committed: whatever went wrong
 * before, it changes nothing for which the policy had no right.
 */
int
rights_refuse(const char *path, enum branch_touch touch)
{
	char	*text;
	int	 ret = 1;

	if (!rights_any())
		return (0);
	if (top == NULL || asprintf(&text, "%s/%s", top, path) == -1)
		return (1);
	/* Something in it may have more rights than a directory has. */
	if (touch == TOUCH_STAYS)
		ret = rights_of(text) == PERM_NONE;
	else if ((rights_of(text) & PERM_META) != 0)
		ret = touch == TOUCH_GOES && (rights_above(text) ||
		    rights_hole(text));
	free(text);
	return (ret);
}

int
rights_any(void)
{
	return (!STAILQ_EMPTY(&paths));
}

/* What our own domain has to admit for it. */
void
rights_grant(struct landlock_self *ls)
{
	size_t	 i;

	for (i = 0; i < nroots; i++)
		landlock_grant(ls, roots[i].fd,
		    (roots[i].wp->perms & PERM_META) != 0 ? LANDLOCK_TREE :
		    LANDLOCK_READ);
}

/* What no path of the policy is around is none of our business. */
unsigned int
rights_of(const char *path)
{
	const struct workload_path	*wp;

	wp = holes_path(&paths, path);
	return (wp == NULL ? PERM_MASK : wp->perms);
}

int
rights_same(const char *a, const char *b)
{
	return (holes_path(&paths, a) == holes_path(&paths, b));
}

int
rights_above(const char *path)
{
	return (holes_above(&paths, path));
}

int
rights_hole(const char *path)
{
	const struct workload_path	*wp, *around = NULL, *p;

	wp = holes_path(&paths, path);
	if (wp == NULL || strcmp(wp->path, path) != 0)
		return (0);
	STAILQ_FOREACH(p, &paths, entry)
		if (p != wp && holes_inside(p->path, path) && (around == NULL ||
		    strlen(p->path) > strlen(around->path)))
			around = p;
	return (around != NULL && (around->perms & ~wp->perms) != 0);
}

/* Whatever mount it was found by. */
int
rights_denied(const struct statx *sx)
{
	size_t	 i;

	for (i = 0; i < ndenied; i++)
		if (denied[i].stx_ino == sx->stx_ino &&
		    denied[i].stx_dev_major == sx->stx_dev_major &&
		    denied[i].stx_dev_minor == sx->stx_dev_minor)
			return (1);
	return (0);
}

/*
 * The descriptor of the path of the policy that decides on a name, and the
 * rest of that; -1 when there is no hole in it.
 */
int
rights_root(const char *path, const char **rest)
{
	const struct workload_path	*wp;
	size_t				 i;

	wp = holes_path(&paths, path);
	for (i = 0; i < nroots; i++)
		if (roots[i].wp == wp) {
			*rest = path + (strcmp(wp->path, "/") == 0 ? 0 :
			    strlen(wp->path));
			*rest += strspn(*rest, "/");
			return (roots[i].fd);
		}
	return (-1);
}
