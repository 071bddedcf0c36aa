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
 * Wrappers around the calls of cowd/fs.c (the linker puts them in between).
 * Syncs do nothing: these tests kill processes, not machines.
 */

#include <sys/types.h>
#include <sys/mman.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "strike.h"

void	(*strike_hook)(const char *);

struct strike *
strike_get(void)
{
	static struct strike	*s;

	if (s == NULL && (s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		abort();
	return (s);
}

void
strike_set(enum strike_kind kind, int at, int error)
{
	struct strike	*s = strike_get();

	s->kind = kind;
	s->at = at;
	s->error = error;
	s->count = 0;
	s->name[0] = '\0';
}

/* 1: the call fails. */
static int
strike(const char *name, int changes)
{
	struct strike	*s = strike_get();

	if (s->kind == STRIKE_NONE ||
	    ((s->kind == STRIKE_DIE || s->kind == STRIKE_HOOK) && !changes))
		return (0);
	if (s->kind == STRIKE_HOOK) {
		strike_hook(name);
		return (0);
	}
	s->count++;
	if (s->count < s->at ||
	    (s->count > s->at && (s->kind != STRIKE_FAIL_ON || !changes)))
		return (0);
	if (s->count == s->at)
		strlcpy(s->name, name, sizeof(s->name));
	if (s->kind == STRIKE_DIE)
		kill(getpid(), SIGKILL);
	errno = s->error;
	return (1);
}

#define WRAP(type, name, changes, params, args)				\
type	 __real_##name params;						\
type	 __wrap_##name params;						\
type									\
__wrap_##name params							\
{									\
	if (strike(#name, changes))					\
		return (-1);						\
	return (__real_##name args);					\
}

WRAP(int, fs_stat, 0, (int a, const char *n, struct inode *in), (a, n, in))
WRAP(int, fs_enter, 0, (int a, const char *n), (a, n))
WRAP(int, fs_up, 0, (int a), (a))
WRAP(int, fs_list, 0, (int a), (a))
WRAP(ssize_t, fs_getdents, 0, (int a, void *b, size_t n), (a, b, n))
WRAP(int, fs_node, 0, (int a, const char *n), (a, n))
WRAP(int, fs_read_open, 0, (int a, const char *n), (a, n))
WRAP(int, fs_write_open, 1, (int a, const char *n, int f), (a, n, f))
WRAP(int, fs_rename, 1, (int a, const char *n, int b, const char *m,
    unsigned int f), (a, n, b, m, f))
WRAP(int, fs_mkdir, 1, (int a, const char *n), (a, n))
WRAP(int, fs_mknod, 1, (int a, const char *n, mode_t m, dev_t d),
    (a, n, m, d))
WRAP(int, fs_symlink, 1, (const char *t, int a, const char *n), (t, a, n))
WRAP(ssize_t, fs_readlink, 0, (int a, const char *n, char *b, size_t s),
    (a, n, b, s))
WRAP(int, fs_link, 1, (int a, const char *n, int b, const char *m),
    (a, n, b, m))
WRAP(int, fs_unlink, 1, (int a, const char *n), (a, n))
WRAP(int, fs_rmtree, 1, (int a, const char *n), (a, n))
WRAP(int, fs_chmod, 1, (int a, mode_t m), (a, m))
WRAP(int, fs_chown, 1, (int a, uid_t u, gid_t g), (a, u, g))
WRAP(int, fs_utimes, 1, (int a, const struct inode *in), (a, in))
WRAP(ssize_t, fs_listxattr, 0, (int a, const char *n, char *b, size_t s),
    (a, n, b, s))
WRAP(ssize_t, fs_getxattr, 0, (int a, const char *n, const char *x, void *b,
    size_t s), (a, n, x, b, s))
WRAP(int, fs_setxattr, 1, (int a, const char *n, const char *x, const void *b,
    size_t s), (a, n, x, b, s))
WRAP(int, fs_removexattr, 1, (int a, const char *n, const char *x), (a, n, x))
WRAP(ssize_t, fs_pread, 0, (int a, void *b, size_t n, off_t o), (a, b, n, o))
WRAP(ssize_t, fs_pwrite, 1, (int a, const void *b, size_t n, off_t o),
    (a, b, n, o))
WRAP(off_t, fs_seek, 0, (int a, off_t o, int w), (a, o, w))
WRAP(int, fs_truncate, 1, (int a, off_t o), (a, o))
WRAP(int, fs_reserve, 1, (int a, off_t o, off_t l), (a, o, l))
WRAP(int, fs_clone, 1, (int a, int b), (a, b))
WRAP(ssize_t, fs_copy, 1, (int a, off_t *o, int b, off_t *p, size_t n),
    (a, o, b, p, n))
WRAP(int, fs_flock, 0, (int a, int h), (a, h))

int	 __real_fs_one_mount(int, int);
int	 __wrap_fs_one_mount(int, int);
int	 __wrap_fs_sync(int);
int	 __wrap_fs_syncfs(int);

int
__wrap_fs_one_mount(int a, int b)
{
	if (strike("fs_one_mount", 0))
		return (-1);
	return (strike_get()->staged ? 0 : __real_fs_one_mount(a, b));
}

int
__wrap_fs_sync(int fd)
{
	(void)fd;
	return (strike("fs_sync", 1) ? -1 : 0);
}

int
__wrap_fs_syncfs(int fd)
{
	(void)fd;
	return (strike("fs_syncfs", 1) ? -1 : 0);
}
