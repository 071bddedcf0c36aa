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
 * The inside of the merged view: nodes (an object of the view), walks (a path
 * that was resolved) and what is done to them.  Only merge*.c include this.
 */

#ifndef MERGE_NODE_H
#define MERGE_NODE_H

#include <sys/types.h>
#include <sys/stat.h>

#include "merge.h"

/* What follows XATTR_NUMBER. */
#define NUMBER_SIZE	48
/* "/proc/self/fd/" and a number. */
#define PROC_FD_SIZE	32
/* "#", two numbers in hex. */
#define STAGE_NAME_SIZE	32

#define XATTR_OVERLAY	"user.overlay."
#define XATTR_OPAQUE	"user.overlay.opaque"
#define XATTR_REDIRECT	"user.overlay.redirect"
#define XATTR_ORIGIN	"user.overlay.origin"
#define XATTR_IMPURE	"user.overlay.impure"
#define XATTR_MARK	"user.overlay.sandlock"
#define XATTR_NUMBER	"user.overlay.sandlock."	/* and a number */
#define XATTR_ACL	"system.posix_acl_access"
#define XATTR_ACL_NEW	"system.posix_acl_default"

/* Mode and owner of an inode that has others for real. */
struct mark {
	int		 set;
	mode_t		 mode;
	uid_t		 uid;
	gid_t		 gid;
	unsigned int	 perm;
};

/* The device and inode number of an inode of lower. */
struct number {
	int		 set;
	unsigned int	 major;
	unsigned int	 minor;
	uint64_t	 ino;
};

/*
 * An object of the view; no descriptor: there is none.  A directory
 * has both descriptors when it is merged.  Anything else has lfd when the lower
 * name shows, and ufd as well if the inode was copied up by another name.
 * What was copied up goes on showing the number that it had in lower.
 */
struct node {
	int		 ufd;		/* O_PATH, both */
	int		 lfd;
	int		 opaque;
	int		 impure;	/* what has a number lies in it */
	char		*redirect;
	struct mark	 mark;
	struct number	 number;	/* in lower */
	struct statx	 sx;		/* as seen, but for the number */
};

/* A directory on the way; the descriptors of distant ones are closed. */
struct level {
	char		*name;		/* NULL: the top */
	int		 upper;		/* it has one, open or not */
	struct node	 node;
	struct cached	*cached;	/* to which node belongs, or NULL */
};

enum last {
	LAST_NORM,
	LAST_ROOT,			/* "/", or nothing but the top */
	LAST_DOT,
	LAST_DOTDOT
};

struct walk {
	struct level	*levels;	/* the parent is the last */
	size_t		 nlevels;
	size_t		 size;
	char		*name;		/* "": the top, which has no parent */
	struct node	 node;
	enum last	 last;		/* what the path ended in */
	int		 slash;		/* and whether slashes followed it */
};

/*
 * Follow the last link; a missing last component is no error; look at the last
 * one as calls do that make or remove it; as open with O_CREAT does.
 */
#define WALK_FOLLOW	0x1
#define WALK_MISSING	0x2
#define WALK_PARENT	0x4
#define WALK_CREAT	0x8

/* merge.c */
int	 fd_close(int *);
const char	*fd_proc(int, char [PROC_FD_SIZE]);
int	 fd_statx(int, struct statx *);
int	 fd_reopen(int, int);
int	 path_open(int, const char *);
int	 path_open_nonblock(int, const char *, int);
int	 path_open_file(int, const char *, int, const struct statx *);
int	 statx_same(const struct statx *, const struct statx *);
int	 group_mine(const struct merge *, gid_t);

/* merge-node.c */
void	 node_init(struct node *);
void	 node_free(struct node *);
int	 node_load(struct merge *, struct node *);
int	 node_get(struct merge *, const struct node *, const char *,
	    struct node *);
int	 node_exists(const struct node *);
int	 node_fd(const struct node *);
void	 node_show(const struct node *, struct statx *);
int	 node_isdir(const struct node *);
int	 node_access(const struct merge *, const struct node *, int);
int	 node_owned(const struct merge *, const struct node *);
int	 node_fixed(const struct node *);
/* Whether upper has an entry, also a whiteout, or lower one, of a name. */
int	 node_has_lower(const struct node *, const char *);
int	 statx_whiteout(const struct statx *);

/* merge-cache.c */
struct cached	*cache_find(struct merge *, const char *, size_t);
const struct node	*cache_node(const struct cached *);
const char	*cache_lower(const struct cached *);
struct cached	*cache_keep(struct merge *, const char *, const char *,
		    const struct node *);
void	 cache_release(struct cached *, const struct node *);
void	 cache_close(struct merge *);

/* merge-lookup.c */
int	 walk_start(struct merge *, const char *, int, struct walk *);
void	 walk_end(struct walk *);
struct node	*walk_parent(struct walk *);
char	*walk_parent_path(const struct walk *);
int	 walk_lower(const struct walk *, char [REDIRECT_MAX + 1]);
/* May an entry be made, may this one be removed (1: as a directory)? */
int	 walk_may_create(const struct merge *, struct walk *);
int	 walk_may_delete(const struct merge *, struct walk *, int);

/* merge-mark.c */
int	 mark_read(struct node *);
int	 mark_write(int, const struct mark *);
int	 mark_remove(int);
int	 mark_opaque(struct node *);
int	 mark_redirect(struct node *, const char *);
int	 mark_impure(struct node *);
int	 mark_number(int, const struct statx *);
int	 number_parse(const char *, struct number *);
mode_t	 mark_real(const struct mark *, mode_t);

/* merge-links.c */
int	 links_find(struct merge *, struct node *);
int	 links_count(struct merge *, struct node *);
int	 links_view(struct merge *, struct node *);
int	 links_known(struct merge *, const struct statx *);
int	 links_add(struct merge *, const struct node *, int);
int	 links_place(struct merge *, const struct node *, int, const char *);
int	 links_cover(struct merge *, const struct node *);
int	 links_drop(struct merge *, struct node *);

/* merge-copyup.c */
#define COPYUP_EMPTY	0x1	/* without the data */
int	 copyup_parents(struct merge *, struct walk *);
int	 copyup(struct merge *, struct walk *, int);

/* merge-copy.c */
int	 copy_data(int, int, off_t);
int	 copy_meta(struct merge *, const struct node *, int, int);

/* merge-stage.c */
void	 scratch_name(struct merge *, char [STAGE_NAME_SIZE]);
/* Move something finished to its name, where at most a whiteout is. */
int	 stage_place(int, const char *, int, const char *, int);
int	 stage_whiteout(struct merge *, int, const char *);
/* A directory in which things inherit what they would in this one. */
struct stage {
	int	 fd;
	char	 name[STAGE_NAME_SIZE];	/* "": work itself */
};
int	 scratch_open(struct merge *, const struct node *, struct stage *);
void	 stage_close(struct merge *, struct stage *);
int	 scratch_remove(struct merge *, const char *);

/* merge-room.c */
uint64_t room_inode(mode_t, uint64_t);
int	 room_take(struct merge *, uint64_t);
void	 room_add(struct merge *, uint64_t);
void	 room_gone(struct merge *, const struct node *);

/* merge-meta.c */
int	 meta_mode(struct merge *, struct node *, mode_t);

/* merge-create.c */
struct create {
	mode_t		 type;
	mode_t		 mode;
	mode_t		 mask;		/* the umask */
	int		 flags;		/* of open */
	const char	*target;	/* of a symbolic link */
};
int	 create_check(struct merge *, struct walk *, int);
int	 create(struct merge *, struct walk *, const struct create *);

/* merge-dir.c */
/* 0 when nothing shows in it, -1 and ENOTEMPTY or another errno. */
int	 dir_empty(const struct node *);
/* Remove whiteouts from a directory of upper that is opaque. */
int	 dir_clear(int);

#endif
