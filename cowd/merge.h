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
 * The merged view of a working directory and its branch: what the workload
 * sees, read and changed by plain functions on descriptors.
 *
 * The state is on disk only, so that another process sees a change at once
 * and a killed one leaves a consistent branch.  The format is that of overlayfs
 * with userxattr, plus what the ordinary user needs whom the kernel lets
 * neither give files away nor work behind the modes of directories:
 *
 * BRANCH/upper		shaped like the working directory, what changed.
 *   char device 0:0	whiteout: the name is deleted.
 *   user.overlay.opaque "y" on a directory: nothing of lower shows through.
 *			It wins over redirect.
 *   user.overlay.redirect  on a directory: it merges with the lower directory
 *			of this path, "/a/b", counted from the top of lower
 *			and of lower only: no redirect and no whiteout of
 *			upper bears on it.  It replaces the lower directory
 *			of the same place.  A directory below it without
 *			one of its own merges with the lower one beneath its
 *			parent's, as always.  No lower directory shows in
 *			two places: the old one has a whiteout or something
 *			opaque or redirected.  One that names the directory's
 *			own place means nothing.
 *   user.overlay.origin  empty, on regular files and directories: copied up,
 *			origin not recorded (overlayfs reads it so, too).
 *   user.overlay.impure  "y" on a directory: the number that something in it
 *			shows may not be that of its inode.
 *   user.overlay.sandlock.<dev>-<ino>  empty, on regular files: a copy of
 *			the lower inode of this number (MAJOR:MINOR-INO in
 *			hex), whose number it goes on showing.  Merged
 *			directories show that of their lower one.
 *   user.overlay.sandlock  on regular files and directories: "MODE UID GID
 *			PERM", MODE in octal (07777), UID and GID in decimal,
 *			PERM one octal digit.  These are the true mode and
 *			owner of an inode whose own could not be set.  Either
 *			owner or group are not the user's to give: then they
 *			are lower's, and PERM is what the user may do with
 *			an inode of another owner.  Or it is a directory
 *			whose mode lacks u+rwx: then only the mode differs.
 *			The inode's real mode has u+rw added (directories
 *			u+rwx), and set-id bits removed (directories keep
 *			set-group-id).
 *   Anything else is content.  Other user.overlay.* are none.
 * BRANCH/work		things under construction, of a dead process: rubbish.
 * BRANCH/links		hard links of lower: made by merge_init().
 *   L<dev>-<ino>	(MAJOR:MINOR-INO in hex) a hard link to the upper file
 *			that the lower inode of that number has become.  Names
 *			of that lower inode that upper does not cover read as
 *			this file; whoever commits must change them too.
 *   U<ino>		a symbolic link whose text is "<dev>-<ino> NLINK": the
 *			way back from an upper inode to its L and the lower
 *			inode's number of links.
 *   G<dev>-<ino>	a file whose size is the number of names of the lower
 *			inode that the branch covers or deleted.
 *   The links of such a file in the view are NLINK - size of G + links of the
 *   upper inode - 1 (or NLINK - size of G while it has none).
 * upper, work and links are on one file system, which has user.* attributes,
 * RENAME_EXCHANGE and RENAME_WHITEOUT: ext4, xfs, btrfs, tmpfs of Linux 6.6.
 *
 * A view path is relative to the working directory and free of the caller's
 * working directory and descriptors; "." is the top.  It may be longer than
 * PATH_MAX and its components are bytes.  No function follows a link out of
 * the two trees.  A path that leads out, by an absolute link or path or by ".."
 * at the top, fails with MERGE_OUTSIDE; then outside is what remains of the
 * path (absolute, or relative to the top of the working directory) and
 * links how many symbolic links were followed.
 *
 * Each function returns 0, a descriptor or a size, or -1 with the errno that
 * the call gives on a plain directory.  Descriptors are close-on-exec and the
 * caller's.  They differ from a plain directory in this:
 * - Of what the lower mode hides from its own owner nothing can be copied up,
 *   listed or searched, also after chmod: EACCES.
 * - Immutable and append-only inodes are not copied up, a directory neither
 *   for what lies in it: EPERM.
 * - Mount points in the working directory are not entered: EXDEV.
 * - Symbolic links, FIFOs and sockets of others become the user's when
 *   they are renamed, and devices of lower cannot be: EPERM.
 * - What is made in a set-group-id directory of a group that the user is not in
 *   gets the user's group.
 * - A directory whose lower path is longer than REDIRECT_MAX cannot be renamed:
 *   EXDEV.
 * - Symbolic links, FIFOs and sockets with one name get another inode number
 *   when they are renamed, linked or changed.
 * - A merged directory shows one link, whatever lies in it.
 * - A descriptor opened for reading before the first change shows the old file.
 * - A FIFO of lower is copied up when it is opened, so that nobody outside is
 *   at its other end; after merge_init_read() lower's is opened.
 * - The protections of /proc/sys/fs are those of protected_hardlinks only,
 *   and this one is always on.
 * A crash may leave the times of a directory, or the number of links of a file
 * that has several in lower, beside what they should be; nothing else.
 *
 * System calls: openat2 (O_PATH), openat (of /proc/self/fd/N, and to create in
 * upper, work and links), statx, faccessat2, readlinkat, getdents64, lseek,
 * mkdirat, mknodat, symlinkat, linkat, unlinkat, renameat2, fchmodat, fchownat,
 * utimensat, ftruncate, truncate, ioctl(FICLONE), copy_file_range, pread64,
 * pwrite64, listxattr, getxattr, fgetxattr, setxattr, removexattr, umask,
 * getpid, geteuid, getegid, getgroups, capget, getrandom,
 * fcntl(F_DUPFD_CLOEXEC, F_SETFL), fstat, close.
 * Look-ups and listings alone: openat2, openat (to list), getdents64, fcntl,
 * statx, faccessat2, readlinkat, listxattr, getxattr, fgetxattr, close.
 */

#ifndef MERGE_H
#define MERGE_H

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdint.h>

/* No file system gives this one. */
#define MERGE_OUTSIDE	EREMCHG

/* What still fits in the extended attributes of any file system. */
#define REDIRECT_MAX	3800

struct merge_cache;

struct merge {
	int		 lower;		/* O_PATH or O_RDONLY, all four */
	int		 upper;
	int		 work;
	int		 links;
	int		 given;		/* see merge_give(); or -1 */
	int		 capable;	/* modes do not bind this process */
	int		 alone;		/* the one that changes the branch */
	int		 mixed;		/* upper may have copies of files */
	int		 forgot;	/* see merge_forget() */
	struct merge_cache	*cache;	/* or NULL */
	uid_t		 uid;
	unsigned int	 serial;	/* of names in work */
	char		*outside;	/* see above; or NULL */
	int		 nlinks;
	uint64_t	 room;		/* see merge_room() */
	uint64_t	 taken;
	uint64_t	 wanted;
	int		 gone;		/* lost a name; or -1 */
};

/* What a path means. */
struct merge_entry {
	int		 fd;		/* O_PATH | O_NOFOLLOW; -1: missing */
	int		 upper;		/* of the branch */
	int		 merged;	/* a directory of both */
	char		*parent;	/* canonical view path, "." the top */
	char		*name;		/* in it; "" for the top itself */
	struct statx	 sx;		/* as the workload sees it */
};

struct merge_dir;

struct merge_dirent {
	const char	*name;		/* until rewound or closed */
	uint64_t	 ino;
	unsigned char	 type;		/* DT_* */
};

/* merge.c */

/*
 * Use a branch directory, which has upper and work, over lower; the caller's
 * descriptors stay the caller's.  A new branch gets links and its top the
 * metadata of lower's.  merge_init_read() changes nothing and
 * serves look-ups, opens for reading and listings of a branch that
 * merge_init() has seen.  merge_recover() removes what a dead process left in
 * work; nobody else may be using the branch.
 */
int	 merge_init(struct merge *, int, int);
int	 merge_init_read(struct merge *, int, int);
int	 merge_recover(struct merge *);
/*
 * The descriptor, of which this takes possession, that the empty path means
 * until the next call; -1: none.  It is of a file that has several names in
 * lower and came from none that upper has: other descriptors are EXDEV.
 */
void	 merge_give(struct merge *, int);
void	 merge_close(struct merge *);

/* merge-cache.c */

/*
 * Directories are remembered.  Whatever changes one of them forgets them all
 * and sets forgot; whoever else reads the branch has to do the same.
 */
void	 merge_forget(struct merge *);

/* merge-room.c */

/*
 * With a quota: what the next change may take, UINT64_MAX without one.  When
 * that is not enough it fails with ENOSPC and wanted says how much it would
 * have taken so far; taken is what it took in either case.  merge_gone() is a
 * descriptor of the file that lost its last name by that and that somebody has
 * open, the caller's; or -1 and what is given back by one that nobody has.
 */
#define ROOM_UNIT	4096
void	 merge_room(struct merge *, uint64_t);
int	 merge_gone(struct merge *, uint64_t *);
/* Empty a file without a name. */
int	 merge_empty(int);
uint64_t room_round(uint64_t);

/* merge-lookup.c */

/*
 * flags: AT_SYMLINK_NOFOLLOW.  A missing last component is ENOENT, but
 * with MERGE_MISSING 0 and fd -1.
 */
#define MERGE_MISSING	0x10000000
int	 merge_lookup(struct merge *, const char *, int, struct merge_entry *);
void	 merge_entry_free(struct merge_entry *);
ssize_t	 merge_readlink(struct merge *, const char *, char *, size_t);

/* merge-open.c */

/*
 * As openat(2): path, flags, mode, umask.  To open a FIFO without O_NONBLOCK,
 * but for O_RDWR, or any device may block: *wait is set, the permissions were
 * checked, and the descriptor is O_PATH, for the workload to open itself.
 * A FIFO is otherwise opened as asked for.
 */
int	 merge_open(struct merge *, const char *, int, mode_t, mode_t, int *);
/*
 * By a path without links that is a regular file of upper's; flags without
 * O_CREAT, O_DIRECTORY and O_PATH.  -1: by merge_open(), which says why.
 */
int	 merge_open_file(struct merge *, const char *, int);

/* merge-create.c; the mode_t last is the umask. */
int	 merge_mkdir(struct merge *, const char *, mode_t, mode_t);
int	 merge_mknod(struct merge *, const char *, mode_t, mode_t);
int	 merge_symlink(struct merge *, const char *, const char *, mode_t);

/* merge-bind.c: name an AF_UNIX socket; as bind(2). */
int	 merge_bind(struct merge *, int, const char *, mode_t);

/* merge-remove.c */
int	 merge_unlink(struct merge *, const char *);
int	 merge_rmdir(struct merge *, const char *);

/* merge-rename.c; flags: RENAME_NOREPLACE, RENAME_EXCHANGE */
int	 merge_rename(struct merge *, const char *, const char *, unsigned int);

/* merge-link.c; flags: AT_SYMLINK_FOLLOW.  The descriptor has no name. */
int	 merge_link(struct merge *, const char *, const char *, int);
int	 merge_link_fd(struct merge *, int, const char *);

/* merge-meta.c; flags: AT_SYMLINK_NOFOLLOW */
int	 merge_stat(struct merge *, const char *, int, struct statx *);
/* The same of a descriptor of something of the branch, maybe without a name. */
int	 merge_describe(struct merge *, int, struct statx *);
int	 merge_access(struct merge *, const char *, int, int);
int	 merge_truncate(struct merge *, const char *, off_t);
int	 merge_chmod(struct merge *, const char *, int, mode_t);
int	 merge_chown(struct merge *, const char *, int, uid_t, gid_t);
/* NULL: now */
int	 merge_utimes(struct merge *, const char *, int,
	    const struct timespec *);

/* merge-xattr.c; path, flags (as above), then as setxattr(2) */
int	 merge_setxattr(struct merge *, const char *, int, const char *,
	    const void *, size_t, int);
int	 merge_removexattr(struct merge *, const char *, int, const char *);
ssize_t	 merge_getxattr(struct merge *, const char *, int, const char *,
	    void *, size_t);
ssize_t	 merge_listxattr(struct merge *, const char *, int, char *, size_t);
/* The same of a descriptor of something of the branch that has no name. */
ssize_t	 merge_fd_getxattr(int, const char *, void *, size_t);
ssize_t	 merge_fd_listxattr(int, char *, size_t);

/* merge-dir.c */

/*
 * A snapshot of a directory, sorted by bytes, "." and ".." first.  A cookie is
 * the number of entries before: 0 is the start, and what merge_readdir()
 * leaves in it the place of the next.  merge_rewinddir() takes the snapshot
 * again.  merge_readdir(): 1, or 0 at the end.
 */
struct merge_dir	*merge_opendir(struct merge *, const char *);
int	 merge_readdir(struct merge_dir *, uint64_t *, struct merge_dirent *);
int	 merge_rewinddir(struct merge *, struct merge_dir *);
void	 merge_closedir(struct merge_dir *);
/* About how much memory it takes. */
size_t	 merge_dirsize(const struct merge_dir *);

#endif
