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
 * The one table of system calls: every call that the filter, the dispatcher
 * or a worker treats specially, in every spelling, with the slots of its
 * arguments.  Filter, dispatcher, manual and a regress test are driven by it.
 */

#ifndef SYSCALLS_H
#define SYSCALLS_H

#include <sys/types.h>
#include <sys/syscall.h>

#include <stdint.h>

/* Calls that this libc's headers may not know yet (x86-64). */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2		452
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack	453
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake		454
#define SYS_futex_wait		455
#define SYS_futex_requeue	456
#endif
#ifndef SYS_statmount
#define SYS_statmount		457
#define SYS_listmount		458
#endif
#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr	459
#define SYS_lsm_set_self_attr	460
#define SYS_lsm_list_modules	461
#endif
#ifndef SYS_mseal
#define SYS_mseal		462
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat		463
#define SYS_getxattrat		464
#define SYS_listxattrat		465
#define SYS_removexattrat	466
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr	467
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr	468
#define SYS_file_setattr	469
#endif
#ifndef SYS_cachestat
#define SYS_cachestat		451
#endif
#ifndef SYS_uretprobe
#define SYS_uretprobe		335
#endif
#ifndef SYS_uprobe
#define SYS_uprobe		336
#endif

/* Numbers above this one are unknown to us and answer ENOSYS. */
#define SYSCALL_LAST		469
#define SYSCALL_X32_BIT		0x40000000U

enum syscall_class {
	CLASS_NONE,
	CLASS_FORK,		/* fork, vfork, clone, clone3 */
	CLASS_CHMOD,
	CLASS_CHOWN,
	CLASS_UTIMES,
	CLASS_SETXATTR,
	CLASS_REMOVEXATTR,
	CLASS_CONNECT,
	CLASS_LISTEN,
	CLASS_SOCKET,		/* what no filter can grant by itself */
	CLASS_SOCKOPT,		/* some options, by level and name */
	CLASS_IFREQ,		/* ioctls about network interfaces */
	/* only where the ports of a sandbox are not those of the host */
	CLASS_SOCKNAME,		/* getsockname, getpeername */
	CLASS_ACCEPT,
	CLASS_RECV,		/* with an address, or what may have one */
	CLASS_SEND,		/* with an address, or what may have one */
	/* only where a working directory is merged by the supervisor */
	CLASS_OPEN,
	CLASS_STAT,
	CLASS_ACCESS,
	CLASS_READLINK,
	CLASS_GETXATTR,
	CLASS_LISTXATTR,
	CLASS_GETDENTS,
	CLASS_STATFS,
	CLASS_WATCH,		/* inotify_add_watch */
	CLASS_UNLINK,
	CLASS_RMDIR,
	CLASS_MKDIR,
	CLASS_MKNOD,
	CLASS_SYMLINK,
	CLASS_RENAME,
	CLASS_LINK,
	CLASS_TRUNCATE,
	CLASS_CHDIR,
	CLASS_GETCWD,
	CLASS_EXEC,
	CLASS_BIND,
	/* only where there is a quota on what a branch holds */
	CLASS_WRITE,
	CLASS_COPY,		/* from another descriptor */
	CLASS_RESIZE,		/* ftruncate, fallocate */
	CLASS_MAX
};

/* How a call gives its times, where it has any. */
enum syscall_times {
	TIMES_NONE,
	TIMES_UTIMBUF,		/* struct utimbuf */
	TIMES_TIMEVAL,		/* struct timeval[2] */
	TIMES_TIMESPEC		/* struct timespec[2] */
};

#define SLOT_NONE	(-1)

/*
 * Argument slots are 0 to 5 or SLOT_NONE.  dirfd is the base of path, dirfd2
 * that of path2; fd is a descriptor that the call works on itself.  out is
 * where the kernel writes what it found, outlen the size of that.  nofollow
 * tells that the call never follows a link in the last component; flags holds
 * AT_* otherwise.
 * null_fd tells that a NULL path means the descriptor in dirfd itself.  In
 * the calls with AT_EMPTY_PATH an empty path does, and for setxattrat and
 * removexattrat with that flag a NULL path too.
 */
struct syscall_entry {
	int			 nr;
	const char		*name;
	enum syscall_class	 class;
	int8_t			 fd;
	int8_t			 dirfd;
	int8_t			 path;
	int8_t			 flags;		/* AT_* flags */
	int8_t			 addr;		/* struct sockaddr */
	int8_t			 addrlen;
	int8_t			 arg;		/* first of the values */
	int8_t			 dirfd2;
	int8_t			 path2;
	int8_t			 out;
	int8_t			 outlen;
	int			 nofollow;
	enum syscall_times	 times;
	int			 null_fd;
};

extern const struct syscall_entry	 syscall_table[];
extern const size_t			 syscall_table_len;

/* The entry of a number, or NULL.  O(1): the dispatcher calls it. */
const struct syscall_entry	*syscall_lookup(int);

/* Number of a name, -1 when unknown; name of a number, NULL when unknown. */
int		 syscall_number(const char *);
const char	*syscall_name(int);

/*
 * Groups, for --extra-deny-syscall, --extra-allow-syscall and the allow list.
 * syscall_group("@name", &n) gives the numbers of a group or NULL; '-' and
 * '_' in the name are the same.  syscall_group_name() lists the names: NULL
 * is past the last.  Every known number is in exactly one group.
 */
const int	*syscall_group(const char *, size_t *);
const char	*syscall_group_name(size_t);

#endif
