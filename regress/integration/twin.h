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
 * Random sequences of system calls in a working directory and in its twin.
 */

#ifndef TWIN_H
#define TWIN_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stdio.h>

#include "draw.h"

#define STEPS_MAX	400
#define TWIN_PATH	1024
#define SLOTS		6	/* descriptors that are kept, of each process */
#define SLOT_FD		300	/* the first of them */

enum op {
	OP_OPEN, OP_TMPFILE, OP_STAT, OP_ACCESS, OP_READLINK, OP_LIST,
	OP_PARTIAL, OP_UNLINK, OP_RMDIR, OP_MKDIR, OP_MKNOD, OP_RENAME,
	OP_LINK, OP_SYMLINK, OP_CHMOD, OP_CHOWN, OP_UTIMES, OP_TRUNCATE,
	OP_GETXATTR, OP_SETXATTR, OP_REMOVEXATTR, OP_LISTXATTR, OP_STATFS,
	OP_CHDIR, OP_FCHDIR, OP_GETCWD, OP_READ, OP_WRITE, OP_SEEK, OP_EXEC,
	OP_COPY, OP_BIND, OP_CONNECT, OP_CLOSE, OP_EMPTY, OP_WALK, OP_MAX
};

/*
 * How an operation is spelled: bits for the spellings that take a directory,
 * and for those that take a descriptor and no name.
 */
struct spelling {
	const char	*name;
	unsigned int	 weight;
	unsigned int	 n;
	unsigned int	 at;
	unsigned int	 fd;
	int		 paths;
};
extern const struct spelling	 spellings[OP_MAX];

struct step {
	enum op		 op;
	int		 before;	/* made bare, in both trees */
	int		 who;		/* the process, 0 or 1 */
	unsigned int	 spell;
	int		 dir[2];	/* a slot, -1: the working directory */
	char		 path[2][TWIN_PATH];
	unsigned int	 live[2];	/* not 0: still to be drawn */
	int		 flags;
	int		 mode;
	int		 mask;
	int		 value;
	int		 slot;
	/* What is found out in the twin, for both. */
	int		 skip;		/* the policy has a say in it */
	int		 stale;		/* see twin_judge.c */
};

struct program {
	int		 overlay;	/* the other back end */
	int		 n;
	char		 top[128];
	char		 other[64];
	struct step	 steps[STEPS_MAX];
};

/* A descriptor that is kept. */
struct slot {
	int		 open;
	int		 reads;		/* opened to read, or by O_PATH */
	struct stat	 st;		/* when it was opened */
	char		*names[512];	/* of a listing that was begun */
	char		*was[512];
	int		 nnames;
	int		 nwas;
};
extern struct slot	 slots[SLOTS];

/* twin_step.c */
void	 step_draw(struct step *);
void	 step_print(FILE *, const struct step *);
int	 step_by_fd(const struct step *);
int	 step_at(const struct step *);

/* twin_judge.c */
extern pid_t	 judge_other;	/* the other of the two processes */
void	 judge(const struct program *, struct step *);

/* twin_call.c */
void	 call_init(const struct program *);
void	 call(const struct program *, const struct step *, FILE *);
const char	*call_path(const struct step *, int);
int	 call_dir(const struct step *, int);
int	 call_first(const struct stat *);

#endif
