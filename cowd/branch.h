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
 * Branches: what a workload wrote below its working directory, on its way
 * into that directory or into nothing.  branch/upper has the format of
 * overlayfs with the mount option userxattr: a character device 0:0 deletes a
 * name, user.overlay.opaque hides a directory, everything else is content.
 * A branch that has the directory links was written by the merged view, and
 * then user.overlay.redirect, user.overlay.sandlock and links mean what merge.h
 * says, too; otherwise they are not looked at.  Of these a commit makes:
 *
 * - A directory that is seen in another place is moved there, by two renames
 *   with the trash in between, with all that the branch knows nothing of.
 * - The names in lower of a file that the branch has changed by another name
 *   become links of the new file.  To find them the whole of lower is listed.
 * - An inode gets the mode that was shown.  A directory that is in lower keeps
 *   its owner; what replaces a file of another owner is the user's, without
 *   the set-id bits that were not his.
 *
 * All paths are those of what is seen: a directory that was renamed has
 * changed under its new name only, for the list, for conflicts and errors.
 *
 * Nothing may change the upper directory while one of these functions runs:
 * the workload is gone and nobody uses an overlay of it.  The working directory
 * (lower) may be changed by outsiders at any time; that is found and refused.
 * The upper directory itself stands for the working directory, so it begins
 * with the mode, the owner, the attributes and the times of that.
 *
 * A change outside is seen by the time of change (ctime) of an object that the
 * branch replaces or deletes, and of a directory whose mode, owner or
 * attributes the branch has changed.  A directory that an outsider has added
 * names to counts as changed then, too.
 *
 * What belongs to somebody else stays where the kernel lets only its owner
 * move or change it: a commit then fails with EPERM or EACCES and is undone,
 * but for the times of directories of others.
 *
 * System calls: openat, openat2, close, fcntl (F_DUPFD_CLOEXEC), statx,
 * getdents64, lseek, read and write by position, copy_file_range, ftruncate,
 * fallocate, ioctl (FICLONE), renameat, renameat2, linkat, symlinkat,
 * readlinkat, mknodat, mkdirat, unlinkat, fchmodat2 (fchmodat before Linux
 * 6.6), fchownat, utimensat, the xattr calls by path below /proc/self/fd,
 * fsync, syncfs, flock, nanosleep, geteuid, memory, and those of rmtree().
 */

#ifndef BRANCH_H
#define BRANCH_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stddef.h>
#include <time.h>

struct inode;

/* The longest id, so that the staging directory's name fits. */
#define BRANCH_ID_MAX	64

/*
 * All of it is the caller's and stays so.  The descriptors are opened with
 * O_RDONLY | O_DIRECTORY; a lock is held through the open file of lower, which
 * therefore must not be shared with another commit.
 */
/* What a commit does to a path of lower. */
enum branch_touch {
	TOUCH_STAYS,		/* a directory, perhaps with other metadata */
	TOUCH_CHANGES,
	TOUCH_GOES		/* with all that is in it */
};

struct branch {
	int		 dir;		/* STORAGE/ID */
	int		 upper;		/* STORAGE/ID/upper */
	int		 lower;		/* the working directory */
	/*
	 * The ctime of an inode that was made on the file system of lower
	 * right before the workload started.
	 */
	struct timespec	 start;
	/*
	 * Names the staging directory in lower, ".sandlock.ID", which only
	 * exists while a commit is under way and is never part of a branch.
	 */
	const char	*id;
	/*
	 * Upper is all that is seen and shares nothing with lower, as a branch
	 * of branchfs: it can be compared, and somebody else commits it.
	 */
	int		 whole;
	/* Whether a path of lower must not be changed so; NULL: none. */
	int		 (*refuses)(const char *, enum branch_touch);
};

enum branch_result {
	BRANCH_COMMITTED,	/* lower is the merged view, durably */
	BRANCH_UNDONE,		/* recover: lower is as before the commit */
	BRANCH_NOTHING,		/* recover: no commit was under way */
	BRANCH_ABORTED,
	BRANCH_CONFLICT,	/* nothing was touched; conflicts were named */
	BRANCH_FAILED,		/* lower is as before, see the error */
	/*
	 * See the error: the commit could be neither completed nor undone,
	 * and the journal stays so that branch_recover() can try again.
	 */
	BRANCH_UNFINISHED
};

/*
 * What failed: meaningful where a result or -1 says so, and why the commit
 * was not completed where branch_recover() has undone it.  The caller zeroes
 * it before its first use; each function clears what the one before left.
 */
struct branch_error {
	int		 error;		/* an errno */
	char		 what[48];	/* what could not be done */
	char		*path;		/* below lower; NULL: no path. freed by
					   branch_error_clear() */
};

/* What a commit did, by name; a tree that moves as a whole is one. */
struct branch_counts {
	size_t		 added;
	size_t		 changed;
	size_t		 deleted;
};

/* One change, valid during the callback. */
struct branch_change {
	char			 type;	/* 'A', 'M', 'D' or 'T' */
	const char		*path;	/* relative to lower, bytes */
	const char		*name;	/* its last component */
	/* What lies there before and after; NULL: nothing, or not known. */
	const struct inode	*old;
	const struct inode	*new;
	int			 olddir;	/* O_PATH; -1: none */
	int			 newdir;
	const char		*newname;	/* in newdir */
};

enum branch_conflict {
	BRANCH_CHANGED_OUTSIDE,	/* would be replaced or deleted */
	BRANCH_REMOVED_OUTSIDE,	/* the branch changed it */
	BRANCH_ADDED_OUTSIDE	/* the branch added it too */
};

/*
 * Report the changes that a commit would make, sorted by the bytes of the
 * path, parents first.  A callback that does not return 0 ends the walk; its
 * value is returned.  0 at the end, -1 with the error filled in.  Lower is
 * only read: what its owner may not read there without changing a mode first
 * counts as changed when upper has something of that name.
 */
int	 branch_changes(const struct branch *,
	    int (*)(const struct branch_change *, void *), void *,
	    struct branch_error *);

/*
 * Open what was there or what will be there for reading: regular files only,
 * never waiting.  -1 and errno; the caller closes it.
 */
int	 branch_open_old(const struct branch_change *);
int	 branch_open_new(const struct branch_change *);

/*
 * Make lower equal to the merged view, as a whole or not at all.  Conflicts
 * are named through the callback, all of them, before anything is touched.  The
 * counts are filled in when it is BRANCH_COMMITTED, or left 0.  A
 * branch that is committed already gives BRANCH_COMMITTED again.  Takes and
 * drops the lock of branch_lock().
 */
enum branch_result
	 branch_commit(const struct branch *,
	    void (*)(enum branch_conflict, const char *, void *), void *,
	    struct branch_counts *, struct branch_error *);

/*
 * After a crash: complete the commit that was under way or undo it.  May be
 * repeated at will.  Locks as branch_commit() does.  BRANCH_COMMITTED,
 * BRANCH_UNDONE, BRANCH_NOTHING, BRANCH_FAILED (the lock, an unreadable
 * journal: nothing was done) or BRANCH_UNFINISHED.
 */
enum branch_result
	 branch_recover(const struct branch *, struct branch_error *);

/*
 * Give the branch up: the caller may remove its directory afterwards.
 * Refused (BRANCH_FAILED, EBUSY) while a journal is left, because half of
 * lower may then lie in that directory.  Lower is not touched.
 */
enum branch_result
	 branch_abort(const struct branch *, struct branch_error *);

/*
 * Lock lower against other commits, waiting for at most that many
 * milliseconds.  0, or -1 with the error filled in: EWOULDBLOCK when
 * somebody else kept it.  Closing lower unlocks too.
 */
int	 branch_lock(const struct branch *, int, struct branch_error *);
void	 branch_unlock(const struct branch *);

void	 branch_error_clear(struct branch_error *);
/* Fill one in, in place of what it holds; the path is copied. */
void	 branch_error_set(struct branch_error *, int, const char *,
	    const char *);

#endif
