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
 * Trees for the tests of branches: made from short descriptions, compared by
 * a text that has everything of them.
 */

#ifndef TREE_H
#define TREE_H

#include <sys/types.h>

#include "branch.h"

/* A branch on trees below the current directory. */
struct fixture {
	struct branch	 b;
	const char	*storage;
	char		*old;		/* fixture_full(): the text of lower */
};

/*
 * One line for each object, sorted: path, type, mode, owner, mtime, size,
 * device, link text, a sum of the bytes, attributes, the first of its links.
 * Modes are changed to get in and put back.
 */
char	*tree_text(int);
/* The same for what upper makes of lower, by a second implementation. */
char	*tree_merged(int, int);
/* Compare and free both; prints a diff of sorts. */
void	 tree_check_same(char *, char *, const char *, int);
#define TREE_SAME(a, b)	tree_check_same(a, b, __FILE__, __LINE__)

void	 put_file(int, const char *, const char *, mode_t);
void	 put_dir(int, const char *, mode_t);
void	 put_whiteout(int, const char *);
/* An attribute, on an object of any mode. */
void	 put_xattr(int, const char *, const char *, const char *, size_t);
void	 put_origin(int, const char *);
void	 put_opaque(int, const char *);
void	 put_mode(int, const char *, mode_t);
/* Times that nothing has by itself: i tells them apart. */
void	 put_times(int, const char *, int);
int	 dir_open(int, const char *);
void	 tree_write(int, const char *, const char *);

/* Make lower, store/upper and open them; the marker is what upper begins. */
void	 fixture_make(struct fixture *, const char *);
/* Lower is complete: the workload starts now. */
void	 fixture_start(struct fixture *);
void	 fixture_remove(struct fixture *);
/* A branch that has every kind of change. */
void	 fixture_full(struct fixture *, const char *);

/* Without capabilities, as cowd is. */
void	 drop_capabilities(void);
/* Run in a child without capabilities; its value. */
int	 in_child(int (*)(void *), void *);

struct outcome {
	enum branch_result	 result;
	int			 error;
	char			 what[48];
	char			 path[128];
	char			 conflicts[1024];	/* "C path\n" ... */
};
/* In a child each. */
struct outcome	*run_commit(const struct branch *);
struct outcome	*run_recover(const struct branch *);

/* A file system of one's own: 0, or -1 and errno where none can be had. */
int	 tmpfs_mount(const char *);
/* Mounts of one's own: 0, or -1 and errno. */
int	 mounts_own(void);
/* Work in one, for speed, if that can be. */
void	 tmpfs_enter(void);

#endif
