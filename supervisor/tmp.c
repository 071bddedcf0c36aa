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
 * A private /tmp.  A run with fresh temporary files has them in a directory of
 * its own; programs that have /tmp in their text shall find that one there.
 * What a handler is about to let the kernel do by such a name is done by the
 * name in the private directory instead (see rewrite.c).
 *
 * It only says names by other names: the workload may write the private
 * directory and not /tmp, and Landlock decides by whatever name.  So nothing is
 * lost if a name or a link changes while it is looked at.  What the policy
 * grants below /tmp, the working directory among it, keeps its name, and so
 * does everything else in a directory of /tmp on the way there.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "worker.h"

#define TMP_NAME	"tmp"		/* below the root */
#define TMP_TEXT	(2 * PATH_MAX)	/* a directory's name and another */
#define TMP_LINKS	40		/* as often as the kernel follows */

/* A name of a call that leads to /tmp: the rest below that. */
struct tmp_note {
	int	 set;
	int	 here;		/* the kernel gets there by the caller's name */
	char	 rest[TMP_TEXT];
};

static struct {
	int		 fd;		/* the private directory, -1: none */
	char		*name;		/* what the kernel calls it */
	size_t		 len;
	char		**kept;		/* first names below /tmp that stay */
	size_t		 nkept;
	uint64_t	 id;		/* of the call that the notes are of */
	int		 slot;		/* that was read last */
	struct tmp_note	 notes[2];	/* of the first and second name */
} tmp = { .fd = -1 };

/* A name on its way: what is done has no links, what is left is to be seen. */
struct tmp_walk {
	char	 done[TMP_TEXT];
	char	 left[TMP_TEXT];
	int	 moved;		/* the kernel would go another way */
};

/* The rest of an absolute name below /tmp, "" for that itself; or NULL. */
static const char *
tmp_below(const char *path)
{
	return (path_below(path, "/" TMP_NAME, strlen("/" TMP_NAME)));
}

/* Whether what lies there is the policy's. */
static int
tmp_kept(const char *rest)
{
	size_t	 i, n = strcspn(rest, "/");

	for (i = 0; i < tmp.nkept; i++)
		if (strlen(tmp.kept[i]) == n &&
		    strncmp(tmp.kept[i], rest, n) == 0)
			return (1);
	return (0);
}

/* Whether an absolute name is one of these. */
int
tmp_covers(const char *path)
{
	const char	*rest;

	return (tmp.fd != -1 && (rest = tmp_below(path)) != NULL &&
	    !tmp_kept(rest));
}

static void
tmp_keep(const char *path)
{
	const char	*rest;
	char		*name;

	if ((rest = tmp_below(path)) == NULL || rest[0] == '\0')
		return;
	if ((name = strndup(rest, strcspn(rest, "/"))) == NULL ||
	    (tmp.kept = reallocarray(tmp.kept, tmp.nkept + 1,
	    sizeof(*tmp.kept))) == NULL)
		fatal("tmp");
	tmp.kept[tmp.nkept++] = name;
}

/* IMSG_CONF_TMP: the private directory. */
void
tmp_configure(struct imsg *imsg)
{
	if (tmp.name != NULL || proto_recv_string(imsg, &tmp.name) == -1 ||
	    tmp.name[0] != '/')
		fatalx("bad %s", proto_name(imsg_get_type(imsg)));
}

/* Whether names have to be looked at, also when nothing else asks for it. */
int
tmp_active(void)
{
	return (tmp.fd != -1);
}

/* When the configuration is complete. */
void
tmp_init(void)
{
	struct workload_path	*wp;
	char			 buf[PATH_MAX], link[64];
	ssize_t			 n;

	if (tmp.name == NULL)
		return;
	if (!sup.conf.filter.view)
		fatalx("private /tmp without a view");
	if ((tmp.fd = open(tmp.name, O_PATH | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		worker_fail("%s: %s", tmp.name, strerror(errno));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", tmp.fd);
	if ((n = readlink(link, buf, sizeof(buf) - 1)) == -1)
		worker_fail("%s: %s", tmp.name, strerror(errno));
	buf[n] = '\0';
	free(tmp.name);
	if ((tmp.name = strdup(buf)) == NULL)
		fatal("tmp");
	tmp.len = strlen(tmp.name);
	tmp_keep(tmp.name);
	STAILQ_FOREACH(wp, &sup.conf.paths, entry)
		tmp_keep(wp->path);
}

static int
tmp_set(struct tmp_note *note, int here, const char *dir, const char *rest)
{
	note->here = here;
	note->set = snprintf(note->rest, sizeof(note->rest), "%s%s%s", dir,
	    dir[0] == '\0' ? "" : "/", rest) < (int)sizeof(note->rest);
	return (note->set);
}

static struct tmp_note *
tmp_note_of(const struct request *rq, int slot)
{
	if (slot == rq->call->path)
		return (&tmp.notes[0]);
	if (slot == rq->call->path2)
		return (&tmp.notes[1]);
	return (NULL);
}

/* A name of a call was read. */
void
tmp_note(const struct request *rq, int slot, const char *path)
{
	struct tmp_note	*note;

	if (tmp.fd == -1)
		return;
	if (tmp.id != rq->notif.id) {
		tmp.id = rq->notif.id;
		tmp.notes[0].set = tmp.notes[1].set = 0;
	}
	tmp.slot = slot;
	if (tmp_covers(path) && (note = tmp_note_of(rq, slot)) != NULL)
		tmp_set(note, 0, "", tmp_below(path));
}

/* It is relative to this directory. */
void
tmp_relative(const struct request *rq, const char *base, const char *path)
{
	struct tmp_note	*note;
	char		 text[PATH_MAX + 1];

	if (tmp.fd == -1 || tmp.id != rq->notif.id ||
	    (note = tmp_note_of(rq, tmp.slot)) == NULL)
		return;
	if (strcmp(base, "/") == 0) {
		snprintf(text, sizeof(text), "/%s", path);
		if (tmp_covers(text))
			tmp_set(note, 0, "", tmp_below(text));
	} else if (strncmp(base, tmp.name, tmp.len) == 0 &&
	    (base[tmp.len] == '\0' || base[tmp.len] == '/'))
		tmp_set(note, 1, base + tmp.len + strspn(base + tmp.len, "/"),
		    path);
}

/* Whether a call follows a link at the end of its name. */
static int
tmp_follows(const struct request *rq, const struct tmp_note *note)
{
	const struct syscall_entry	*call = rq->call;
	const __u64			*args = rq->notif.data.args;
	int				 flags;

	if (note != &tmp.notes[0] || call->nofollow)
		return (0);
	flags = call->flags == SLOT_NONE ? 0 : (int)args[call->flags];
	switch (call->class) {
	case CLASS_RENAME:
	case CLASS_UNLINK:
	case CLASS_MKDIR:
		return (0);
	case CLASS_LINK:
		return ((flags & AT_SYMLINK_FOLLOW) != 0);
	case CLASS_OPEN:
		if (call->nr == SYS_creat)
			return (1);
		flags = (int)args[call->arg];
		return ((flags & O_NOFOLLOW) == 0 &&
		    (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL));
	case CLASS_WATCH:
		/* IN_DONT_FOLLOW */
		return ((args[call->arg] & 0x02000000) == 0);
	default:
		return ((flags & AT_SYMLINK_NOFOLLOW) == 0);
	}
}

/* Whether the rest has no link on its way, and does not lead up and out. */
static int
tmp_plain(const char *rest, int follow)
{
	struct open_how	 how;
	struct stat	 st;
	size_t		 len = strlen(rest);
	int		 fd, plain = 1;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS;
	if ((fd = syscall(SYS_openat2, tmp.fd, len == 0 ? "." : rest, &how,
	    sizeof(how))) == -1)
		return (errno != ELOOP && errno != EXDEV && errno != EAGAIN);
	if (follow || (len > 0 && rest[len - 1] == '/'))
		plain = fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode);
	close(fd);
	return (plain);
}

/* Put something before what is left; 0 or an errno. */
static int
walk_insert(struct tmp_walk *w, const char *text)
{
	char	 left[TMP_TEXT];

	if (snprintf(left, sizeof(left), "%s%s%s", text, w->left[0] == '\0' ?
	    "" : "/", w->left) >= (int)sizeof(left))
		return (ENAMETOOLONG);
	strlcpy(w->left, left, sizeof(w->left));
	return (0);
}

/*
 * A link of the private directory.  1 when its target is outside, and what is
 * left is an absolute name; 0, or -1 and errno.
 */
static int
walk_link(struct tmp_walk *w, const char *target)
{
	const char	*rest;
	int		 error;

	if ((error = walk_insert(w, target)) != 0) {
		errno = error;
		return (-1);
	}
	if (target[0] != '/')
		return (0);
	w->moved = 1;
	if (!tmp_covers(w->left))
		return (1);
	rest = tmp_below(w->left);
	memmove(w->left, rest, strlen(rest) + 1);
	w->done[0] = '\0';
	return (0);
}

/* ".."; as above. */
static int
walk_up(struct tmp_walk *w)
{
	char	*slash;
	int	 error;

	if (w->done[0] == '\0') {
		/* Above /tmp is the root. */
		w->moved = 1;
		if ((error = walk_insert(w, "")) != 0) {
			errno = error;
			return (-1);
		}
		if (w->left[0] == '\0')
			strlcpy(w->left, "/", sizeof(w->left));
		return (1);
	}
	if ((slash = strrchr(w->done, '/')) == NULL)
		w->done[0] = '\0';
	else
		*slash = '\0';
	return (0);
}

/* What the policy has below /tmp is there; as above. */
static int
walk_kept(struct tmp_walk *w, const char *name)
{
	char	 text[TMP_TEXT];
	int	 error = ENAMETOOLONG;

	w->moved = 1;
	if (snprintf(text, sizeof(text), "/" TMP_NAME "/%s", name) >=
	    (int)sizeof(text) || (error = walk_insert(w, text)) != 0) {
		errno = error;
		return (-1);
	}
	return (1);
}

/* One name; as above. */
static int
walk_name(struct tmp_walk *w, const char *name, int follow, int *links)
{
	char	 target[PATH_MAX];
	size_t	 len = strlen(w->done);
	ssize_t	 n;

	if (len == 0 && tmp_kept(name))
		return (walk_kept(w, name));
	if (strlcat(w->done, len == 0 ? "" : "/", sizeof(w->done)) >=
	    sizeof(w->done) || strlcat(w->done, name, sizeof(w->done)) >=
	    sizeof(w->done)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if (w->left[0] == '\0' && !follow)
		return (0);
	if ((n = readlinkat(tmp.fd, w->done, target, sizeof(target) - 1)) ==
	    -1)
		/* No link, or nothing: the kernel says what is wrong. */
		return (0);
	target[n] = '\0';
	w->done[len] = '\0';
	if (++*links > TMP_LINKS) {
		errno = ELOOP;
		return (-1);
	}
	return (walk_link(w, target));
}

/* The next name of what is left. */
static void
walk_next(struct tmp_walk *w, char *name, size_t size)
{
	char	*p = w->left + strspn(w->left, "/");
	size_t	 n = strcspn(p, "/");

	snprintf(name, size, "%.*s", (int)n, p);
	memmove(w->left, p + n, strlen(p + n) + 1);
}

/* Walk the rest; 1 when it leads outside, as above. */
static int
walk(struct tmp_walk *w, int follow)
{
	char	 name[TMP_TEXT];
	int	 links = 0, ret;

	while (w->left[0] != '\0') {
		walk_next(w, name, sizeof(name));
		if (name[0] == '\0' || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0)
			ret = walk_up(w);
		else
			ret = walk_name(w, name, follow, &links);
		if (ret != 0)
			return (ret);
	}
	return (0);
}

/*
 * What the kernel is to be told instead of a name with this rest: *moved tells
 * whether it would not get there by itself, standing in the private directory.
 * 0 or an errno.
 */
static int
tmp_expand(const char *rest, int follow, char *buf, size_t size, int *moved)
{
	struct tmp_walk	 w;
	const char	*tail = rest;
	size_t		 len = strlen(rest);
	int		 ret = 0;

	memset(&w, 0, sizeof(w));
	if (tmp_kept(rest + strspn(rest, "/")) || !tmp_plain(rest, follow)) {
		strlcpy(w.left, rest, sizeof(w.left));
		follow |= len > 0 && rest[len - 1] == '/';
		if ((ret = walk(&w, follow)) == -1)
			return (errno);
		tail = w.done;
	}
	*moved = w.moved;
	if (ret == 1)
		return (strlcpy(buf, w.left, size) < size ? 0 : ENAMETOOLONG);
	/* A slash at the end asks for a directory. */
	return (snprintf(buf, size, "%s%s%s%s", tmp.name,
	    tail[0] == '\0' ? "" : "/", tail, tail == w.done && len > 0 &&
	    rest[len - 1] == '/' ? "/" : "") < (int)size ? 0 : ENAMETOOLONG);
}

/* The name in place of one of a call, NULL when it may stay; 0 or an errno. */
static int
tmp_instead(const struct request *rq, const struct tmp_note *note, char *buf,
    size_t size, const char **path)
{
	int	 error, moved;

	*path = NULL;
	if (!note->set)
		return (0);
	if ((error = tmp_expand(note->rest, tmp_follows(rq, note), buf, size,
	    &moved)) != 0)
		return (error);
	if (!note->here || moved)
		*path = buf;
	return (0);
}

/*
 * The kernel is about to follow the names of a call.  1 when the call is made
 * again by others, or was answered.
 */
int
tmp_redirect(const struct request *rq)
{
	struct rewrite	 rw;
	char		 one[TMP_TEXT], two[TMP_TEXT];
	int		 error;

	if (tmp.fd == -1 || tmp.id != rq->notif.id ||
	    (!tmp.notes[0].set && !tmp.notes[1].set))
		return (0);
	memset(&rw, 0, sizeof(rw));
	if ((error = tmp_instead(rq, &tmp.notes[0], one, sizeof(one),
	    &rw.path)) != 0 ||
	    (error = tmp_instead(rq, &tmp.notes[1], two, sizeof(two),
	    &rw.path2)) != 0) {
		notify_errno(rq, error);
		return (1);
	}
	if (rw.path == NULL && rw.path2 == NULL)
		return (0);
	rw.slot = rq->call->path;
	rw.slot2 = rq->call->path2;
	rw.argv_slot = rq->call->class == CLASS_EXEC ? rq->call->arg :
	    SLOT_NONE;
	if (rw.path == NULL) {
		rw.path = rw.path2;
		rw.slot = rw.slot2;
		rw.path2 = NULL;
	}
	rewrite_call(rq, &rw);
	return (1);
}

/* A name, for whoever looks it up here; 0 or an errno. */
int
tmp_place(const char *path, int follow, char *buf, size_t size)
{
	int	 unused;

	if (tmp_covers(path))
		return (tmp_expand(tmp_below(path), follow, buf, size,
		    &unused));
	return (strlcpy(buf, path, size) < size ? 0 : ENAMETOOLONG);
}

/*
 * Have a socket bound there; or with left by a name outside that is not the
 * caller's.  1 when that was answered.
 */
int
tmp_bind(const struct request *rq, const char *path, int left)
{
	struct sockaddr_un	 sun;
	struct rewrite		 rw;
	char			 buf[TMP_TEXT];
	int			 error;

	if (!tmp_covers(path) &&
	    (!left || strlen(path) >= sizeof(sun.sun_path)))
		return (0);
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if ((error = tmp_place(path, 1, buf, sizeof(buf))) != 0 ||
	    strlcpy(sun.sun_path, buf, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		notify_errno(rq, error != 0 ? error : EINVAL);
		return (1);
	}
	memset(&rw, 0, sizeof(rw));
	rw.slot = rq->call->addr;
	rw.argv_slot = SLOT_NONE;
	rw.data = &sun;
	rw.len = offsetof(struct sockaddr_un, sun_path) + strlen(buf) + 1;
	rw.len_slot = rq->call->addrlen;
	rewrite_call(rq, &rw);
	return (1);
}
