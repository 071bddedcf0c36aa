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
 * Branches on disk.
 */

#ifndef STORAGE_H
#define STORAGE_H

#include <sys/types.h>

#include <time.h>

#define BRANCH_NAME_SIZE	11	/* ten letters and a NUL */

/* Descriptors are -1 and strings NULL where there is nothing. */
struct branch_dir {
	char		*storage;	/* directory of all branches */
	int		 storage_fd;
	char		 name[BRANCH_NAME_SIZE];
	int		 fd;		/* storage/name */
	int		 lock;		/* its info, locked */
	char		*workdir;
	int		 lower;		/* the working directory itself */
	time_t		 created;
	struct timespec	 start;		/* on the clock of lower */
	char		*server;	/* its id, where branchfs has it */
};

enum branch_state {
	BRANCH_KEPT,		/* waits for a decision */
	BRANCH_BROKEN_OFF,	/* its commit was: to be recovered */
	BRANCH_COMMITTED,	/* and not removed any more */
	BRANCH_IN_USE,		/* a run, or another command */
	BRANCH_ABANDONED,	/* empty; its run ended before anybody cared */
	BRANCH_ORPHAN,		/* its working directory is not there */
	BRANCH_BAD		/* not one of ours; errno */
};

/* Nothing yet; storage_close() frees what was opened. */
void	 storage_init(struct branch_dir *);
void	 storage_close(struct branch_dir *);

/* Who makes the branch and changes it. */
enum storage_kind {
	STORAGE_COWD,		/* the merged view: cowd sees to attributes */
	STORAGE_OVERLAY,	/* the kernel: its top has those of the tree */
	STORAGE_SERVER		/* branchfs: here is but a record of it */
};

/*
 * Make and lock a branch of a directory, which whoever makes it keeps or not
 * should this process be lost; 0, or -1 after a message.
 */
int	 storage_create(struct branch_dir *, const char *, const char *,
	    enum storage_kind, int);

/* Open a storage, which need not be there (ENOENT); 0, or -1. */
int	 storage_open(struct branch_dir *, const char *);

/* Open a branch of that storage by its name, and lock it. */
enum branch_state storage_branch(struct branch_dir *, const char *);

/* Whether a commit of it was broken off, wherever its directory is. */
int	 storage_broken_off(const struct branch_dir *);

/* Somebody wants to have it: it is no more abandoned when it is empty. */
int	 storage_settle(const struct branch_dir *);

/* Whether anything below its top was changed, as far as can be told. */
int	 storage_written(const struct branch_dir *);

/*
 * Put it aside, out of the way of every command but with all that is in it, by
 * the name with a dot before it; 0, or -1 and errno.
 */
int	 storage_put_aside(const struct branch_dir *);

/* Remove it with everything in it; 0, or -1 and errno. */
int	 storage_remove(struct branch_dir *);

#endif
