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
 * What is found out about a step in the twin before it is made, for both runs:
 * the paths that are drawn from what is there, and where the two may differ
 * for a reason that the manual gives:
 *
 * - What lies outside of the granted directories is the policy's: a call that
 *   would change something there is not made.
 * - A descriptor that was opened for reading may show a file as it was before
 *   its first change: only whether a call succeeds is compared once the file
 *   has changed, and nothing is changed by it that is removed or is no file.
 * - A FIFO is opened with O_NONBLOCK, as nobody else would open it, and not
 *   written to: one that was opened before the first change is shared with
 *   others, whose time changes.
 * - The view is looked up from its top, also by who stands in it: no
 *   directory loses its right to be searched.
 * - Who stands in a directory of the working directory, or holds it open, does
 *   not see that it is removed: those are not removed.
 * - A socket that was there before cannot be connected to.
 * - A script is executed though somebody has it open for writing: it is not.
 * - What lies in a directory without any grant Landlock refuses to link before
 *   anybody sees that it is a directory: it is the granted one, and not linked.
 * - With overlayfs directories of the working directory are not renamed, and
 *   nothing is changed by a descriptor whose name is gone, nothing linked that
 *   was there before, and nothing connected to that is no socket.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw.h"
#include "start.h"
#include "twin.h"

/* Whether a name is below one of the two directories; itself is, too. */
static int
below(const char *name, const char *top)
{
	size_t	 len = strlen(top);

	return (strncmp(name, top, len) == 0 &&
	    (name[len] == '\0' || name[len] == '/'));
}

static int
granted(const struct program *p, const char *name)
{
	return (below(name, p->top) || below(name, p->other));
}

static int
fd_name(int fd, char *buf, size_t size)
{
	char	 link[64];
	ssize_t	 n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, buf, size - 1)) == -1)
		return (-1);
	buf[n] = '\0';
	return (0);
}

/* The directory of a path, and the last name in it; NULL when it has none. */
static const char *
path_split(const char *path, char dir[PATH_MAX])
{
	static char	 name[PATH_MAX];
	char		*slash;
	size_t		 len;

	strlcpy(dir, path, PATH_MAX);
	while ((len = strlen(dir)) > 1 && dir[len - 1] == '/')
		dir[len - 1] = '\0';
	slash = strrchr(dir, '/');
	strlcpy(name, slash == NULL ? dir : slash + 1, sizeof(name));
	if (slash == NULL)
		strlcpy(dir, ".", PATH_MAX);
	else
		slash[slash == dir] = '\0';
	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return (NULL);
	return (name);
}

/*
 * Where a call on a path would change something: 1 outside, 0 inside or
 * nowhere.  With entry it is the name that changes, not what it leads to.
 */
static int
leads_out(const struct program *p, int at, const char *path, int follow,
    int entry)
{
	char		 dir[PATH_MAX], name[2 * PATH_MAX], text[PATH_MAX];
	const char	*last;
	ssize_t		 n;
	int		 fd, mine = -1, out = 0, turns;

	strlcpy(text, path, sizeof(text));
	for (turns = 0; turns < 40; turns++) {
		if (text[0] == '\0')
			break;
		if (!entry && (fd = openat(at, text, O_PATH | O_CLOEXEC |
		    (follow ? 0 : O_NOFOLLOW))) != -1) {
			out = fd_name(fd, name, sizeof(name)) == -1 ||
			    !granted(p, name);
			close(fd);
			break;
		}
		last = path_split(text, dir);
		if ((fd = openat(at, dir, O_PATH | O_DIRECTORY |
		    O_CLOEXEC)) == -1)
			break;
		out = fd_name(fd, name, sizeof(name)) == -1 ||
		    !granted(p, name);
		if (last == NULL || entry || !follow || (n = readlinkat(fd,
		    last, text, sizeof(text) - 1)) == -1) {
			close(fd);
			break;
		}
		text[n] = '\0';
		out = 0;
		if (mine != -1)
			close(mine);
		at = mine = fd;
	}
	if (mine != -1)
		close(mine);
	return (out);
}

static int
slot_number(const struct program *p, int slot)
{
	(void)p;
	return (SLOT_FD + slot);
}

static int
changes_entry(const struct step *s, int i)
{
	switch (s->op) {
	case OP_TMPFILE:
	case OP_LINK:
		return (i == 1);
	case OP_UNLINK:
	case OP_RMDIR:
	case OP_MKDIR:
	case OP_MKNOD:
	case OP_RENAME:
	case OP_SYMLINK:
	case OP_BIND:
		return (1);
	default:
		return (0);
	}
}

static int
changes(const struct step *s)
{
	switch (s->op) {
	case OP_OPEN:
		return (s->spell == 3 || ((s->flags & O_PATH) == 0 &&
		    (s->flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0));
	case OP_TMPFILE:
	case OP_UNLINK:
	case OP_RMDIR:
	case OP_MKDIR:
	case OP_MKNOD:
	case OP_RENAME:
	case OP_LINK:
	case OP_SYMLINK:
	case OP_CHMOD:
	case OP_CHOWN:
	case OP_UTIMES:
	case OP_TRUNCATE:
	case OP_SETXATTR:
	case OP_REMOVEXATTR:
	case OP_COPY:
	case OP_BIND:
	case OP_CONNECT:
	case OP_EMPTY:
		return (1);
	default:
		return (0);
	}
}

/* Whether it may follow a link at the end. */
static int
follows(const struct step *s)
{
	if (s->op == OP_OPEN)
		return (s->spell == 3 || (s->flags & O_NOFOLLOW) == 0);
	if (s->spell == 1 && (s->op == OP_CHOWN || s->op == OP_SETXATTR ||
	    s->op == OP_REMOVEXATTR))
		return (0);
	return (!step_at(s) || (s->flags & AT_SYMLINK_NOFOLLOW) == 0);
}

static int
outside(const struct program *p, const struct step *s)
{
	char	 name[PATH_MAX];
	int	 fd = slot_number(p, s->slot), i;

	if (!changes(s))
		return (0);
	if ((step_by_fd(s) || (s->op == OP_LINK && s->spell == 2)) &&
	    fcntl(fd, F_GETFD) != -1 && (fd_name(fd, name,
	    sizeof(name)) == -1 || !granted(p, name)))
		return (1);
	if (step_by_fd(s))
		return (0);
	for (i = 0; i < spellings[s->op].paths; i++)
		if (s->path[i][0] != '@' && leads_out(p, call_dir(s, i),
		    s->path[i], follows(s), changes_entry(s, i)))
			return (1);
	return (0);
}

/* Paths. */

static int
creates(const struct step *s, int i)
{
	switch (s->op) {
	case OP_MKDIR:
	case OP_SYMLINK:
	case OP_MKNOD:
	case OP_BIND:
		return (i == 0);
	case OP_RENAME:
	case OP_LINK:
	case OP_TMPFILE:
		return (i == 1);
	default:
		return (0);
	}
}

/* Put in what leads nowhere: the same path, said otherwise. */
static void
adorn(char *path, size_t size, unsigned int r)
{
	char	 copy[TWIN_PATH], *to = copy;
	char	*from;

	if (r % 5 != 0 || strlen(path) * 3 + 8 > sizeof(copy))
		return;
	r /= 5;
	for (from = path; *from != '\0'; from++) {
		*to++ = *from;
		if (*from == '/' && from > path) {
			if (r % 3 == 1)
				*to++ = '/';
			else if (r % 3 == 2) {
				*to++ = '.';
				*to++ = '/';
			}
			r = r * 1103515245 + 12345;
		}
	}
	*to = '\0';
	strlcpy(path, copy, size);
}

/* From where a path is drawn, and how that is spelled. */
static void
way(const struct program *p, struct step *s, int i, unsigned int r,
    char from[TWIN_PATH], char said[TWIN_PATH])
{
	strlcpy(from, ".", TWIN_PATH);
	said[0] = '\0';
	if (s->dir[i] != -1) {
		snprintf(from, TWIN_PATH, "/proc/self/fd/%d",
		    SLOT_FD + s->dir[i]);
		return;
	}
	switch (r % 12) {
	case 0:
	case 1:
		strlcpy(from, p->top, TWIN_PATH);
		strlcpy(said, p->top, TWIN_PATH);
		break;
	case 2:
		strlcpy(from, p->top, TWIN_PATH);
		snprintf(said, TWIN_PATH, "%s/in", p->other);
		break;
	case 3:
		strlcpy(said, "/proc/self/cwd", TWIN_PATH);
		break;
	case 4:
		strlcpy(from, p->top, TWIN_PATH);
		snprintf(said, TWIN_PATH, "%s/out/in", p->top);
		break;
	case 5:
		strlcpy(from, p->top, TWIN_PATH);
		snprintf(said, TWIN_PATH, "%s/a/../again", p->top);
		break;
	case 6:
		strlcpy(from, p->other, TWIN_PATH);
		strlcpy(said, p->other, TWIN_PATH);
		break;
	default:
		break;
	}
}

static void
path_draw(const struct program *p, struct step *s, int i)
{
	char		*live[LIVE_MAX], from[TWIN_PATH], path[DRAW_PATH];
	char		 said[TWIN_PATH];
	unsigned int	 r = s->live[i] >> 16;
	size_t		 len;
	int		 j, k, n;

	s->live[i] &= 0xffff;
	way(p, s, i, r, from, said);
	if ((n = live_list(from, live, 0)) == 0)
		return;
	len = strcmp(from, ".") == 0 ? 0 : strlen(from) + 1;
	for (j = k = 0; j < n; j++) {
		memmove(live[j], live[j] + len, strlen(live[j] + len) + 1);
		/* Too long with what comes before. */
		if (strlen(live[j]) < 400)
			live[k++] = live[j];
		else
			free(live[j]);
	}
	strlcpy(path, s->path[i], sizeof(path));
	if ((n = k) > 0)
		live_path(path, sizeof(path), s->live[i] | 1, creates(s, i),
		    live, n);
	if (said[0] != '\0')
		snprintf(s->path[i], sizeof(s->path[i]), "%s/%s", said, path);
	else
		strlcpy(s->path[i], path, sizeof(s->path[i]));
	adorn(s->path[i], sizeof(s->path[i]), r / 12);
	for (j = 0; j < n; j++)
		free(live[j]);
}

/* Whether a path leads to something that is there, and what that is. */
static int
path_stat(const struct step *s, int i, int flags, struct stat *st)
{
	return (s->path[i][0] != '@' && fstatat(call_dir(s, i), s->path[i], st,
	    flags) == 0);
}

static int
overlay_differs(const struct step *s)
{
	struct stat	 st;
	char		 name[PATH_MAX];

	/* What is another's has another owner in a name space of users. */
	if (strcmp(s->path[0], "/") == 0)
		return (1);
	/* Of what is none and may not be written another errno tells. */
	if (s->op == OP_CONNECT)
		return (path_stat(s, 0, 0, &st) && !S_ISSOCK(st.st_mode));
	/* A descriptor that has lost its name is not known any more. */
	if (step_by_fd(s) && changes(s) && fd_name(SLOT_FD + s->slot, name,
	    sizeof(name)) == 0 && strstr(name, " (deleted)") != NULL)
		return (1);
	/* The names of files that have several come apart. */
	if (s->op == OP_LINK && s->before)
		return (1);
	/* What was there has another number by each of its names. */
	if (s->op == OP_LINK)
		return (s->spell == 2 || (path_stat(s, 0, s->spell == 1 &&
		    (s->flags & AT_SYMLINK_FOLLOW) != 0 ? 0 :
		    AT_SYMLINK_NOFOLLOW, &st) &&
		    (!S_ISREG(st.st_mode) || call_first(&st) != 0)));
	if (s->op == OP_RENAME && path_stat(s, 0, AT_SYMLINK_NOFOLLOW, &st) &&
	    S_ISDIR(st.st_mode) && call_first(&st) != 0)
		return (1);
	return (s->op == OP_RENAME && path_stat(s, 1, AT_SYMLINK_NOFOLLOW,
	    &st) && S_ISDIR(st.st_mode) && call_first(&st) != 0);
}

pid_t	 judge_other;

/* Whether a process has a directory that is, or is in, the one of a name. */
static int
held_by(pid_t pid, const char *name)
{
	char	 link[64], text[PATH_MAX];
	ssize_t	 n;
	int	 i;

	for (i = -1; i < SLOTS; i++) {
		if (i == -1)
			snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
		else
			snprintf(link, sizeof(link), "/proc/%d/fd/%d",
			    (int)pid, SLOT_FD + i);
		if ((n = readlink(link, text, sizeof(text) - 1)) == -1)
			continue;
		text[n] = '\0';
		if (below(text, name))
			return (1);
	}
	return (0);
}

static int
removes_held(const struct step *s)
{
	char	 name[PATH_MAX];
	int	 fd, held, i = s->op == OP_RENAME;

	if ((s->op != OP_RMDIR && s->op != OP_RENAME && s->op != OP_UNLINK &&
	    s->op != OP_EMPTY) || s->path[i][0] == '@' ||
	    (fd = openat(call_dir(s, i), s->path[i], O_PATH | O_DIRECTORY |
	    O_CLOEXEC | (s->op == OP_EMPTY ? 0 : O_NOFOLLOW))) == -1)
		return (0);
	held = fd_name(fd, name, sizeof(name)) == 0 && (held_by(getpid(),
	    name) || held_by(judge_other, name));
	close(fd);
	return (held);
}

static int
stale(const struct step *s)
{
	const struct slot	*sl = &slots[s->slot];
	struct stat		 st;

	if (!step_by_fd(s) || !sl->open || S_ISDIR(sl->st.st_mode) ||
	    (!sl->reads && S_ISREG(sl->st.st_mode)) ||
	    fstat(SLOT_FD + s->slot, &st) == -1)
		return (0);
	if (!S_ISREG(st.st_mode))
		return (1);
	return (st.st_ctim.tv_sec != sl->st.st_ctim.tv_sec ||
	    st.st_ctim.tv_nsec != sl->st.st_ctim.tv_nsec);
}

/* What a call is not to be made with. */
static void
judge_flags(const struct program *p, struct step *s)
{
	struct stat	 st;

	if (s->op == OP_OPEN && path_stat(s, 0, 0, &st) &&
	    S_ISFIFO(st.st_mode))
		s->flags |= O_NONBLOCK;
	if (s->op == OP_CHMOD && (step_by_fd(s) ?
	    fstat(slot_number(p, s->slot), &st) == 0 : path_stat(s, 0, 0,
	    &st)) && S_ISDIR(st.st_mode))
		s->mode |= S_IXUSR;
}

/* A connect to an old socket, a creat of what would block, old FIFOs. */
static int
refused(const struct step *s)
{
	struct stat	 st;

	if (s->op == OP_WRITE)
		return (slots[s->slot].open &&
		    S_ISFIFO(slots[s->slot].st.st_mode));
	if (s->op != OP_CONNECT && (s->op != OP_OPEN || s->spell != 3))
		return (0);
	if (!path_stat(s, 0, 0, &st))
		return (0);
	return (s->op == OP_CONNECT ? S_ISSOCK(st.st_mode) &&
	    call_first(&st) != 0 : S_ISFIFO(st.st_mode));
}

/* A script that is open for writing. */
static int
written(const struct step *s)
{
	struct stat	 st, now;
	int		 flags, i;

	if (s->op != OP_EXEC || step_by_fd(s) || !path_stat(s, 0, 0, &st))
		return (0);
	for (i = 0; i < SLOTS; i++)
		if ((flags = fcntl(SLOT_FD + i, F_GETFL)) != -1 &&
		    (flags & O_PATH) == 0 &&
		    (flags & O_ACCMODE) != O_RDONLY &&
		    fstat(SLOT_FD + i, &now) == 0 &&
		    now.st_ino == st.st_ino && now.st_dev == st.st_dev)
			return (1);
	return (0);
}

/* The granted directory outside, which is not linked from where it lies. */
static int
links_other(const struct program *p, const struct step *s)
{
	struct stat	 a, b;
	int		 found;

	if (s->op != OP_LINK)
		return (0);
	found = s->spell == 2 ?
	    fstat(slot_number(p, s->slot), &a) == 0 :
	    path_stat(s, 0, s->spell == 1 && (s->flags & AT_SYMLINK_FOLLOW) !=
	    0 ? 0 : AT_SYMLINK_NOFOLLOW, &a);
	return (found && stat(p->other, &b) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev);
}

void
judge(const struct program *p, struct step *s)
{
	struct stat	 st;
	int		 i;

	for (i = 0; i < spellings[s->op].paths; i++)
		if (s->live[i] != 0 && !step_by_fd(s))
			path_draw(p, s, i);
	s->live[0] = s->live[1] = 0;
	judge_flags(p, s);
	s->skip = outside(p, s) || removes_held(s) || refused(s) ||
	    written(s) || links_other(p, s) ||
	    (p->overlay && overlay_differs(s));
	s->stale = stale(s);
	/* By the old mode it may be no program, or may be read. */
	if (s->stale && (s->op == OP_EXEC || s->op == OP_GETXATTR ||
	    (changes(s) && fstat(slot_number(p, s->slot), &st) == 0 &&
	    (st.st_nlink == 0 || !S_ISREG(st.st_mode)))))
		s->skip = 1;
}
