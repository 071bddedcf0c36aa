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
 * Steps: which call is made, how it is spelled and with what.  Everything of
 * them is drawn before the first one is made, but the paths that are to be of
 * what is there by then.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "draw.h"
#include "twin.h"

const struct spelling	 spellings[OP_MAX] = {
	[OP_OPEN] =	{ "open", 24, 4, 0x6, 0, 1 },
	[OP_TMPFILE] =	{ "tmpfile", 2, 2, 0, 0, 2 },
	[OP_STAT] =	{ "stat", 12, 7, 0xc, 0x70, 1 },
	[OP_ACCESS] =	{ "access", 4, 4, 0x6, 0x8, 1 },
	[OP_READLINK] =	{ "readlink", 3, 3, 0x2, 0x4, 1 },
	[OP_LIST] =	{ "list", 5, 2, 0, 0, 1 },
	[OP_PARTIAL] =	{ "partial", 5, 2, 0, 0x3, 0 },
	[OP_UNLINK] =	{ "unlink", 7, 2, 0x2, 0, 1 },
	[OP_RMDIR] =	{ "rmdir", 6, 2, 0x2, 0, 1 },
	[OP_MKDIR] =	{ "mkdir", 7, 2, 0x2, 0, 1 },
	[OP_MKNOD] =	{ "mknod", 3, 2, 0x2, 0, 1 },
	[OP_RENAME] =	{ "rename", 18, 3, 0x6, 0, 2 },
	[OP_LINK] =	{ "link", 8, 3, 0x6, 0, 2 },
	[OP_SYMLINK] =	{ "symlink", 4, 2, 0x2, 0, 1 },
	[OP_CHMOD] =	{ "chmod", 7, 5, 0x6, 0x18, 1 },
	[OP_CHOWN] =	{ "chown", 4, 5, 0x4, 0x18, 1 },
	[OP_UTIMES] =	{ "utimes", 5, 6, 0xc, 0x30, 1 },
	[OP_TRUNCATE] =	{ "truncate", 4, 2, 0, 0x2, 1 },
	[OP_GETXATTR] =	{ "getxattr", 3, 5, 0x4, 0x18, 1 },
	[OP_SETXATTR] =	{ "setxattr", 4, 5, 0x4, 0x18, 1 },
	[OP_REMOVEXATTR] = { "removexattr", 3, 5, 0x4, 0x18, 1 },
	[OP_LISTXATTR] = { "listxattr", 3, 5, 0x4, 0x18, 1 },
	[OP_STATFS] =	{ "statfs", 1, 2, 0, 0x2, 1 },
	[OP_CHDIR] =	{ "chdir", 5, 1, 0, 0, 1 },
	[OP_FCHDIR] =	{ "fchdir", 2, 1, 0, 0x1, 0 },
	[OP_GETCWD] =	{ "getcwd", 2, 1, 0, 0, 0 },
	[OP_READ] =	{ "read", 4, 2, 0, 0x3, 0 },
	[OP_WRITE] =	{ "write", 4, 2, 0, 0x3, 0 },
	[OP_SEEK] =	{ "seek", 1, 1, 0, 0x1, 0 },
	[OP_EXEC] =	{ "exec", 3, 3, 0x2, 0x4, 1 },
	[OP_COPY] =	{ "copy", 1, 1, 0, 0, 1 },
	[OP_BIND] =	{ "bind", 2, 1, 0, 0, 1 },
	[OP_CONNECT] =	{ "connect", 1, 1, 0, 0, 1 },
	[OP_CLOSE] =	{ "close", 1, 1, 0, 0x1, 0 },
	[OP_EMPTY] =	{ "empty", 3, 1, 0, 0, 1 },
	[OP_WALK] =	{ "walk", 1, 1, 0, 0, 0 }
};

int
step_by_fd(const struct step *s)
{
	return ((spellings[s->op].fd >> s->spell & 1) != 0);
}

int
step_at(const struct step *s)
{
	return ((spellings[s->op].at >> s->spell & 1) != 0);
}

/* Names that no tree has. */
static void
draw_odd(char *path, size_t size)
{
	char	 name[257];

	switch (draw(8)) {
	case 0:
		path[0] = '\0';
		break;
	case 1:
		memset(name, 'z', 256);
		name[256] = '\0';
		snprintf(path, size, "a/%s", name);
		break;
	case 2:
		memset(name, 'z', 255);
		name[255] = '\0';
		snprintf(path, size, "a/%s", name);
		break;
	case 3:
		strlcpy(path, "@long", size);
		break;
	case 4:
		strlcpy(path, draw(2) ? "@null" : "@bad", size);
		break;
	case 5:
		strlcpy(path, "/", size);
		break;
	case 6:
		snprintf(path, size, "/proc/self/fd/%d", SLOT_FD + draw(3));
		break;
	default:
		snprintf(path, size, "/proc/self/fd/%d/f", SLOT_FD + draw(3));
		break;
	}
}

static int
draw_flags(void)
{
	static const int	 flags[] = {
		O_RDONLY, O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR,
		O_WRONLY | O_CREAT, O_RDWR | O_CREAT,
		O_WRONLY | O_CREAT | O_EXCL, O_WRONLY | O_TRUNC,
		O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND,
		O_RDWR | O_CREAT | O_APPEND, O_RDONLY | O_DIRECTORY,
		O_RDONLY | O_DIRECTORY, O_RDONLY | O_NOFOLLOW, O_PATH,
		O_PATH | O_NOFOLLOW, O_RDWR | O_CREAT | O_NOFOLLOW,
		O_RDONLY | O_NOATIME, O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC,
		O_PATH | O_DIRECTORY | O_NOFOLLOW, O_RDONLY | O_CREAT | O_EXCL,
		O_RDWR | O_EXCL, O_RDWR | O_CREAT | O_DIRECTORY,
		O_PATH | O_CREAT | O_RDWR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		O_RDWR | O_DIRECTORY, O_RDWR | O_SYNC
	};

	return (flags[draw(sizeof(flags) / sizeof(flags[0]))] |
	    (draw(2) ? O_CLOEXEC : 0) | (draw(2) ? O_NONBLOCK : 0));
}

static void
draw_arguments(struct step *s)
{
	switch (s->op) {
	case OP_OPEN:
		s->flags = draw_flags();
		break;
	case OP_RENAME:
		s->flags = draw(3) != 0 ? 0 : 1 + draw(3);
		break;
	case OP_LINK:
		s->flags = draw(2) ? AT_SYMLINK_FOLLOW : 0;
		break;
	case OP_EXEC:
	case OP_COPY:
		if (draw(2)) {
			strlcpy(s->path[0], draw(2) ? "prog" : "a/prog",
			    sizeof(s->path[0]));
			s->live[0] = 0;
		}
		break;
	default:
		s->flags = draw(2) ? AT_SYMLINK_NOFOLLOW : 0;
		if (draw(50) == 0)
			s->flags |= 0x8;
		break;
	}
}

void
step_draw(struct step *s)
{
	static const int	 modes[] = {
		0644, 0755, 0700, 0600, 0555, 0444, 0000, 0777, 0311, 04755,
		02755, 01777, 0200, 0400, 0666, 0500
	};
	unsigned int		 i, n = 0, w;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < OP_MAX; i++)
		n += spellings[i].weight;
	w = draw(n);
	for (i = 0; w >= spellings[i].weight; i++)
		w -= spellings[i].weight;
	s->op = i;
	s->spell = draw(spellings[i].n);
	s->who = draw(4) == 0;
	s->slot = draw(SLOTS);
	for (i = 0; i < 2; i++) {
		s->dir[i] = step_at(s) && draw(3) == 0 ? (int)draw(SLOTS) : -1;
		if (draw(25) == 0)
			draw_odd(s->path[i], sizeof(s->path[i]));
		else {
			draw_path(s->path[i], sizeof(s->path[i]));
			if (draw(6) != 0)
				s->live[i] = 1 + draw(1 << 30);
		}
	}
	s->mode = modes[draw(16)];
	if (draw(3) != 0)
		s->mode |= 0700;
	s->mask = draw(4) == 0 ? 077 : draw(8) == 0 ? 0 : 022;
	s->value = draw(1 << 16);
	draw_arguments(s);
}

void
step_print(FILE *out, const struct step *s)
{
	const struct spelling	*sp = &spellings[s->op];
	int			 i;

	fprintf(out, "%s%d %s.%u(", s->before ? "before " : "", s->who,
	    sp->name, s->spell);
	for (i = 0; i < sp->paths && !step_by_fd(s); i++) {
		if (s->dir[i] != -1)
			fprintf(out, "slot %d, ", s->dir[i]);
		fprintf(out, "\"%s\", ", s->path[i]);
	}
	fprintf(out, "slot %d, flags %#x, mode %o, mask %o, %d)%s%s\n",
	    s->slot, s->flags, s->mode, s->mask, s->value,
	    s->skip ? " skipped" : "", s->stale ? " stale" : "");
}
