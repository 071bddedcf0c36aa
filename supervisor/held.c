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
 * Files of the branch without a name.  They hold room as long as anybody has
 * them open or mapped, which no count of the branch sees.  Each is kept open
 * here, for reading, from when its last name goes or it is first written to.
 * That the kernel would grant a lease for writing on that descriptor says that
 * there is no other; then the file is made empty, before its room is given
 * back: what is left of it, if anything, is a descriptor of O_PATH.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "tree.h"

#define HELD_USEC	200000

struct held {
	RB_ENTRY(held)	 entry;
	dev_t		 dev;
	ino_t		 ino;
	int		 fd;
	uint32_t	 seq;
	int		 asked;		/* cowd, to empty it */
	int		 idle;		/* nobody has it open */
	off_t		 size;		/* before that */
};
RB_HEAD(helds, held);

static int	 held_cmp(struct held *, struct held *);
RB_PROTOTYPE_STATIC(helds, held, entry, held_cmp)

static struct helds	 helds = RB_INITIALIZER(&helds);
static struct event	 held_timer;
static uint32_t		 held_seq;

static int
held_cmp(struct held *a, struct held *b)
{
	if (a->ino != b->ino)
		return (a->ino < b->ino ? -1 : 1);
	return (a->dev < b->dev ? -1 : a->dev > b->dev);
}

RB_GENERATE_STATIC(helds, held, entry, held_cmp)

static uint64_t
held_charge(const struct stat *st)
{
	uint64_t	 blocks = st->st_blocks * 512;
	uint64_t	 size = room_round(st->st_size);

	return (ROOM_UNIT + (size > blocks ? size : blocks));
}

static struct held *
held_find(const struct stat *st)
{
	struct held	 key;

	key.dev = st->st_dev;
	key.ino = st->st_ino;
	return (RB_FIND(helds, &helds, &key));
}

static void
held_tick(int fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	(void)arg;
	(void)held_reap();
}

static void
held_watch(void)
{
	struct timeval	 tv = { 0, HELD_USEC };

	if (!event_initialized(&held_timer))
		evtimer_set(&held_timer, held_tick, NULL);
	if (!RB_EMPTY(&helds) &&
	    !event_pending(&held_timer, EV_TIMEOUT, NULL))
		evtimer_add(&held_timer, &tv);
}

/* Keep this descriptor, which is not the caller's any more. */
void
held_add(int fd)
{
	struct stat	 st;
	struct held	*h;

	if (fstat(fd, &st) == -1)
		fatal("file without a name");
	if (st.st_nlink != 0 || !S_ISREG(st.st_mode) ||
	    held_find(&st) != NULL) {
		close(fd);
		return;
	}
	if ((h = calloc(1, sizeof(*h))) == NULL)
		fatal("file without a name");
	h->seq = ++held_seq;
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	h->fd = fd;
	RB_INSERT(helds, &helds, h);
	held_watch();
}

/* The same for what a descriptor of the workload leads to. */
void
held_note(int fd, const struct stat *st)
{
	char	 name[64];
	int	 own;

	if (held_find(st) != NULL)
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	/* Who may not read it keeps its room to the end of the run. */
	if ((own = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1 &&
	    (own = open(name, O_PATH | O_CLOEXEC)) == -1)
		fatal("file without a name");
	held_add(own);
}

static void
held_free(struct held *h)
{
	RB_REMOVE(helds, &helds, h);
	close(h->fd);
	free(h);
}

/* A mapping holds a file that is gone, if its name is that. */
static void
held_mapped(const char *line)
{
	struct held	*h;
	const char	*path;
	char		 name[64], text[PATH_MAX + 1];
	ssize_t		 n;

	if ((path = strchr(line, '/')) == NULL)
		return;
	RB_FOREACH(h, helds, &helds) {
		if (!h->idle)
			continue;
		snprintf(name, sizeof(name), "/proc/self/fd/%d", h->fd);
		n = readlink(name, text, sizeof(text) - 1);
		if (n != -1)
			text[n] = '\0';
		/* What cannot be found out is in use. */
		if (n == -1 || strcmp(path, text) == 0)
			h->idle = 0;
	}
}

static int
held_maps(pid_t pid, void *arg)
{
	static const char	 gone[] = " (deleted)";
	FILE			*f;
	char			*line = NULL, name[64];
	size_t			 size = 0;
	ssize_t			 n;

	(void)arg;
	snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	if ((f = fopen(name, "re")) == NULL)
		return (0);
	while ((n = getline(&line, &size, f)) != -1) {
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		if ((size_t)n > strlen(gone) &&
		    strcmp(line + n - strlen(gone), gone) == 0)
			held_mapped(line);
	}
	free(line);
	fclose(f);
	return (0);
}

/*
 * Where the kernel merges, a mapping holds the file of the branch and not the
 * one that the workload had open.
 */
static void
held_look_maps(void)
{
	struct held	*h;

	if (tree_walk(getpid(), 0, held_maps, NULL) == 0)
		return;
	RB_FOREACH(h, helds, &helds)
		h->idle = 0;
}

/* Whether nobody else has it open. */
static int
held_last(const struct held *h)
{
	if (fcntl(h->fd, F_SETLEASE, F_WRLCK) == -1)
		return (0);
	if (fcntl(h->fd, F_SETLEASE, F_UNLCK) == -1)
		fatal("lease");
	return (1);
}

/*
 * Empty it: by ourselves where the kernel merges, and our domain grants what
 * the workload has, or else by cowd.  Whether it is empty now.
 */
static int
held_empty(struct held *h)
{
	char	 name[64];
	int	 fd;

	if (h->size == 0)
		return (1);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", h->fd);
	if (truncate(name, 0) == 0)
		return (1);
	if ((fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return (0);
	if (proto_send_value(&sup.cowd.ibuf, IMSG_EMPTY, h->seq, fd, 0) == -1)
		fatal("empty");
	imsg_event_add(&sup.cowd);
	h->asked = 1;
	return (0);
}

/* Whether one may be gone. */
static int
held_idle(struct held *h)
{
	struct stat	 st;

	if (h->asked)
		return (0);
	if (fstat(h->fd, &st) == -1)
		fatal("file without a name");
	if (st.st_nlink != 0) {
		/* It has been given one: it is counted with the others. */
		quota_freed();
		held_free(h);
		return (0);
	}
	h->size = st.st_size;
	h->idle = held_last(h);
	return (h->idle);
}

/* Give back the room of those that are gone; whether there were any. */
int
held_reap(void)
{
	struct held	*h, *next;
	int		 n = 0, some = 0;

	RB_FOREACH_SAFE(h, helds, &helds, next)
		n += held_idle(h);
	if (n > 0 && mounted_active())
		held_look_maps();
	RB_FOREACH_SAFE(h, helds, &helds, next) {
		if (!h->idle)
			continue;
		h->idle = 0;
		if (!held_empty(h))
			continue;
		quota_give(ROOM_UNIT + room_round(h->size));
		held_free(h);
		some = 1;
	}
	held_watch();
	return (some);
}

/* IMSG_EMPTY_REPLY: it is empty, or stays what it is. */
void
held_reply(struct imsg *imsg)
{
	struct held	*h;
	char		 name[64];
	int		 error;

	if (proto_recv_value(imsg, &error) == -1)
		fatalx("bad empty_reply");
	RB_FOREACH(h, helds, &helds)
		if (h->asked && h->seq == imsg_get_id(imsg))
			break;
	if (h == NULL)
		fatalx("empty_reply for nothing");
	h->asked = 0;
	/* It may be for us to do, with the mode that it has now. */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", h->fd);
	if (error != 0 && truncate(name, 0) == -1) {
		log_debug("file without a name: %s", strerror(error));
		return;
	}
	quota_give(ROOM_UNIT + room_round(h->size));
	held_free(h);
	request_wake();
}

/* Whether room may come back by itself. */
int
held_leaving(void)
{
	struct held	*h;

	RB_FOREACH(h, helds, &helds)
		if (h->asked)
			return (1);
	return (0);
}

/* What they hold, in whole. */
uint64_t
held_bytes(void)
{
	struct held	*h;
	struct stat	 st;
	uint64_t	 bytes = 0;

	RB_FOREACH(h, helds, &helds) {
		if (fstat(h->fd, &st) == -1)
			fatal("file without a name");
		bytes += held_charge(&st);
	}
	return (bytes);
}
