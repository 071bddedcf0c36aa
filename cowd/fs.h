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
 * The file system calls of the branch code, each one by a descriptor of a
 * directory and a single name below it, never through a link.  They return
 * what the system call returns, -1 and errno on failure.  A name of "" means
 * the descriptor itself.  Descriptors are O_PATH unless said otherwise.
 */

#ifndef FS_H
#define FS_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What of an inode is compared, journaled and put back. */
struct inode {
	uint64_t	 dev;
	uint64_t	 ino;
	uint64_t	 size;
	uint64_t	 rdev;
	struct timespec	 atime;
	struct timespec	 mtime;
	struct timespec	 ctime;
	struct timespec	 btime;		/* 0: the file system has none */
	uint32_t	 mode;
	uint32_t	 uid;
	uint32_t	 gid;
	uint32_t	 nlink;
};

int	 fs_stat(int, const char *, struct inode *);
/* The same object: a number that was used again has another birth time. */
int	 inode_is(const struct inode *, const struct inode *);
/* Whether both lie in one mount, so that a rename gets across: 1, 0, -1. */
int	 fs_one_mount(int, int);

/* Directories, by openat2: no link, no mount point, one component. */
int	 fs_enter(int, const char *);
int	 fs_up(int);
/* For reading its entries (O_RDONLY). */
int	 fs_list(int);
ssize_t	 fs_getdents(int, void *, size_t);

/* Any object (O_PATH); a file for reading; one for writing. */
int	 fs_node(int, const char *);
int	 fs_read_open(int, const char *);
/* Flags: O_CREAT, O_EXCL. */
int	 fs_write_open(int, const char *, int);

int	 fs_rename(int, const char *, int, const char *, unsigned int);
int	 fs_mkdir(int, const char *);
int	 fs_mknod(int, const char *, mode_t, dev_t);
int	 fs_symlink(const char *, int, const char *);
ssize_t	 fs_readlink(int, const char *, char *, size_t);
int	 fs_link(int, const char *, int, const char *);
int	 fs_unlink(int, const char *);
int	 fs_rmtree(int, const char *);

int	 fs_chmod(int, mode_t);
int	 fs_chown(int, uid_t, gid_t);
int	 fs_utimes(int, const struct inode *);

ssize_t	 fs_listxattr(int, const char *, char *, size_t);
ssize_t	 fs_getxattr(int, const char *, const char *, void *, size_t);
int	 fs_setxattr(int, const char *, const char *, const void *, size_t);
int	 fs_removexattr(int, const char *, const char *);

/* On open files. */
ssize_t	 fs_pread(int, void *, size_t, off_t);
ssize_t	 fs_pwrite(int, const void *, size_t, off_t);
off_t	 fs_seek(int, off_t, int);
int	 fs_truncate(int, off_t);
int	 fs_reserve(int, off_t, off_t);
int	 fs_clone(int, int);
ssize_t	 fs_copy(int, off_t *, int, off_t *, size_t);
int	 fs_sync(int);
int	 fs_syncfs(int);
int	 fs_flock(int, int);

#endif
