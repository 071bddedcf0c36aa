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
 * The tables of syscalls.h: the calls that are mediated, the names of all
 * calls of x86-64, and the groups.  Every number belongs to exactly one
 * group, so that a new call has to be judged when SYSCALL_LAST is raised.
 * Only data and look-ups: what is denied or noticed is decided in filter.c.
 */

#include <sys/types.h>

#include <stddef.h>
#include <string.h>

#include "syscalls.h"

#define NAME_SIZE	24	/* the longest name and its NUL */

struct group {
	const char	*name;
	const int	*numbers;
	size_t		 n;
};

static int	 group_name_equal(const char *, const char *);

/* An entry without any slot. */
#define ENTRY(call, cl)							\
	.nr = SYS_ ## call, .name = #call, .class = (cl)
/* The slots that a shape does not name. */
#define ONE_PATH							\
	.dirfd2 = SLOT_NONE, .path2 = SLOT_NONE, .out = SLOT_NONE,	\
	.outlen = SLOT_NONE
#define NO_ADDR		.addr = SLOT_NONE, .addrlen = SLOT_NONE
#define NO_SLOTS							\
	.fd = SLOT_NONE, .dirfd = SLOT_NONE, .path = SLOT_NONE,		\
	.flags = SLOT_NONE, NO_ADDR, .arg = SLOT_NONE, ONE_PATH

/* The common shapes: by path, by descriptor, by directory and path. */
#define BY_PATH(a)							\
	.fd = SLOT_NONE, .dirfd = SLOT_NONE, .path = 0,			\
	.flags = SLOT_NONE, NO_ADDR, .arg = (a), ONE_PATH
#define BY_FD(a)							\
	.fd = 0, .dirfd = SLOT_NONE, .path = SLOT_NONE,			\
	.flags = SLOT_NONE, NO_ADDR, .arg = (a), ONE_PATH
#define BY_DIRFD(f, a)							\
	.fd = SLOT_NONE, .dirfd = 0, .path = 1, .flags = (f),		\
	NO_ADDR, .arg = (a), ONE_PATH
#define BY_ADDR								\
	.fd = 0, .dirfd = SLOT_NONE, .path = SLOT_NONE,			\
	.flags = SLOT_NONE, .addr = 1, .addrlen = 2, .arg = SLOT_NONE,	\
	ONE_PATH

/* Those that answer into memory: where, and the slot of its size. */
#define PATH_OUT(a, o, n)						\
	.fd = SLOT_NONE, .dirfd = SLOT_NONE, .path = 0,			\
	.flags = SLOT_NONE, NO_ADDR, .arg = (a),			\
	.dirfd2 = SLOT_NONE, .path2 = SLOT_NONE, .out = (o), .outlen = (n)
#define FD_OUT(a, o, n)							\
	.fd = 0, .dirfd = SLOT_NONE, .path = SLOT_NONE,			\
	.flags = SLOT_NONE, NO_ADDR, .arg = (a),			\
	.dirfd2 = SLOT_NONE, .path2 = SLOT_NONE, .out = (o), .outlen = (n)
#define DIRFD_OUT(f, a, o, n)						\
	.fd = SLOT_NONE, .dirfd = 0, .path = 1, .flags = (f),		\
	NO_ADDR, .arg = (a),						\
	.dirfd2 = SLOT_NONE, .path2 = SLOT_NONE, .out = (o), .outlen = (n)

/* Two names: an old and a new one; the target of a link is a value. */
#define TWO_PATHS							\
	.fd = SLOT_NONE, .dirfd = SLOT_NONE, .path = 0,			\
	.flags = SLOT_NONE, NO_ADDR, .arg = SLOT_NONE,			\
	.dirfd2 = SLOT_NONE, .path2 = 1, .out = SLOT_NONE,		\
	.outlen = SLOT_NONE, .nofollow = 1
#define TWO_DIRFDS(f, a)						\
	.fd = SLOT_NONE, .dirfd = 0, .path = 1, .flags = (f),		\
	NO_ADDR, .arg = (a),						\
	.dirfd2 = 2, .path2 = 3, .out = SLOT_NONE, .outlen = SLOT_NONE,	\
	.nofollow = 1

const struct syscall_entry syscall_table[] = {
	{ ENTRY(fork, CLASS_FORK), NO_SLOTS },
	{ ENTRY(vfork, CLASS_FORK), NO_SLOTS },
	{ ENTRY(clone, CLASS_FORK), NO_SLOTS },
	{ ENTRY(clone3, CLASS_FORK), NO_SLOTS },

	{ ENTRY(chmod, CLASS_CHMOD), BY_PATH(1) },
	{ ENTRY(fchmod, CLASS_CHMOD), BY_FD(1) },
	/* The call has no flags; those of the libc function are fchmodat2's. */
	{ ENTRY(fchmodat, CLASS_CHMOD), BY_DIRFD(SLOT_NONE, 2) },
	{ ENTRY(fchmodat2, CLASS_CHMOD), BY_DIRFD(3, 2) },

	{ ENTRY(chown, CLASS_CHOWN), BY_PATH(1) },
	{ ENTRY(fchown, CLASS_CHOWN), BY_FD(1) },
	{ ENTRY(lchown, CLASS_CHOWN), BY_PATH(1), .nofollow = 1 },
	{ ENTRY(fchownat, CLASS_CHOWN), BY_DIRFD(4, 2) },

	{ ENTRY(utime, CLASS_UTIMES), BY_PATH(1), .times = TIMES_UTIMBUF },
	{ ENTRY(utimes, CLASS_UTIMES), BY_PATH(1), .times = TIMES_TIMEVAL },
	{ ENTRY(futimesat, CLASS_UTIMES), BY_DIRFD(SLOT_NONE, 2),
	    .times = TIMES_TIMEVAL, .null_fd = 1 },
	{ ENTRY(utimensat, CLASS_UTIMES), BY_DIRFD(3, 2),
	    .times = TIMES_TIMESPEC, .null_fd = 1 },

	{ ENTRY(setxattr, CLASS_SETXATTR), BY_PATH(1) },
	{ ENTRY(lsetxattr, CLASS_SETXATTR), BY_PATH(1), .nofollow = 1 },
	{ ENTRY(fsetxattr, CLASS_SETXATTR), BY_FD(1) },
	{ ENTRY(setxattrat, CLASS_SETXATTR), BY_DIRFD(2, 3) },

	{ ENTRY(removexattr, CLASS_REMOVEXATTR), BY_PATH(1) },
	{ ENTRY(lremovexattr, CLASS_REMOVEXATTR), BY_PATH(1), .nofollow = 1 },
	{ ENTRY(fremovexattr, CLASS_REMOVEXATTR), BY_FD(1) },
	{ ENTRY(removexattrat, CLASS_REMOVEXATTR), BY_DIRFD(2, 3) },

	{ ENTRY(connect, CLASS_CONNECT), BY_ADDR },
	{ ENTRY(listen, CLASS_LISTEN), BY_FD(1) },
	/* arg: domain, type and protocol; the value, and its size; command. */
	{ ENTRY(socket, CLASS_SOCKET), .fd = SLOT_NONE, .dirfd = SLOT_NONE,
	    .path = SLOT_NONE, .flags = SLOT_NONE, NO_ADDR, .arg = 0,
	    ONE_PATH },
	{ ENTRY(setsockopt, CLASS_SOCKOPT), BY_FD(3) },
	{ ENTRY(getsockopt, CLASS_SOCKOPT), FD_OUT(1, 3, 4) },
	{ ENTRY(ioctl, CLASS_IFREQ), BY_FD(1) },

	/* These answer into addr; accept4 has flags, recvfrom a buffer. */
	{ ENTRY(getsockname, CLASS_SOCKNAME), BY_ADDR },
	{ ENTRY(getpeername, CLASS_SOCKNAME), BY_ADDR },
	{ ENTRY(accept, CLASS_ACCEPT), BY_ADDR },
	{ ENTRY(accept4, CLASS_ACCEPT), .fd = 0, .dirfd = SLOT_NONE,
	    .path = SLOT_NONE, .flags = SLOT_NONE, .addr = 1, .addrlen = 2,
	    .arg = 3, ONE_PATH },
	{ ENTRY(recvfrom, CLASS_RECV), .fd = 0, .dirfd = SLOT_NONE,
	    .path = SLOT_NONE, .flags = SLOT_NONE, .addr = 4, .addrlen = 5,
	    .arg = 1, ONE_PATH },
	{ ENTRY(recvmsg, CLASS_RECV), BY_FD(1) },
	{ ENTRY(recvmmsg, CLASS_RECV), BY_FD(1) },
	/* arg: the data, the message, the first of them. */
	{ ENTRY(sendto, CLASS_SEND), .fd = 0, .dirfd = SLOT_NONE,
	    .path = SLOT_NONE, .flags = SLOT_NONE, .addr = 4, .addrlen = 5,
	    .arg = 1, ONE_PATH },
	{ ENTRY(sendmsg, CLASS_SEND), BY_FD(1) },
	{ ENTRY(sendmmsg, CLASS_SEND), BY_FD(1) },

	/* arg: the flags, and the mode after them; creat has the mode only. */
	{ ENTRY(open, CLASS_OPEN), BY_PATH(1) },
	{ ENTRY(openat, CLASS_OPEN), BY_DIRFD(SLOT_NONE, 2) },
	{ ENTRY(creat, CLASS_OPEN), BY_PATH(1) },

	{ ENTRY(stat, CLASS_STAT), PATH_OUT(SLOT_NONE, 1, SLOT_NONE) },
	{ ENTRY(lstat, CLASS_STAT), PATH_OUT(SLOT_NONE, 1, SLOT_NONE),
	    .nofollow = 1 },
	{ ENTRY(fstat, CLASS_STAT), FD_OUT(SLOT_NONE, 1, SLOT_NONE) },
	{ ENTRY(newfstatat, CLASS_STAT), DIRFD_OUT(3, SLOT_NONE, 2,
	    SLOT_NONE) },
	{ ENTRY(statx, CLASS_STAT), DIRFD_OUT(2, 3, 4, SLOT_NONE) },

	{ ENTRY(access, CLASS_ACCESS), BY_PATH(1) },
	{ ENTRY(faccessat, CLASS_ACCESS), BY_DIRFD(SLOT_NONE, 2) },
	{ ENTRY(faccessat2, CLASS_ACCESS), BY_DIRFD(3, 2) },

	{ ENTRY(readlink, CLASS_READLINK), PATH_OUT(SLOT_NONE, 1, 2),
	    .nofollow = 1 },
	{ ENTRY(readlinkat, CLASS_READLINK), DIRFD_OUT(SLOT_NONE, SLOT_NONE,
	    2, 3), .nofollow = 1 },

	/* getxattrat has its buffer in a structure. */
	{ ENTRY(getxattr, CLASS_GETXATTR), PATH_OUT(1, 2, 3) },
	{ ENTRY(lgetxattr, CLASS_GETXATTR), PATH_OUT(1, 2, 3),
	    .nofollow = 1 },
	{ ENTRY(fgetxattr, CLASS_GETXATTR), FD_OUT(1, 2, 3) },
	{ ENTRY(getxattrat, CLASS_GETXATTR), DIRFD_OUT(2, 3, 4, 5) },
	{ ENTRY(listxattr, CLASS_LISTXATTR), PATH_OUT(SLOT_NONE, 1, 2) },
	{ ENTRY(llistxattr, CLASS_LISTXATTR), PATH_OUT(SLOT_NONE, 1, 2),
	    .nofollow = 1 },
	{ ENTRY(flistxattr, CLASS_LISTXATTR), FD_OUT(SLOT_NONE, 1, 2) },
	{ ENTRY(listxattrat, CLASS_LISTXATTR), DIRFD_OUT(2, SLOT_NONE, 3,
	    4) },

	{ ENTRY(getdents, CLASS_GETDENTS), FD_OUT(SLOT_NONE, 1, 2) },
	{ ENTRY(getdents64, CLASS_GETDENTS), FD_OUT(SLOT_NONE, 1, 2) },

	{ ENTRY(statfs, CLASS_STATFS), PATH_OUT(SLOT_NONE, 1, SLOT_NONE) },
	{ ENTRY(inotify_add_watch, CLASS_WATCH), .fd = 0,
	    .dirfd = SLOT_NONE, .path = 1, .flags = SLOT_NONE, NO_ADDR,
	    .arg = 2, ONE_PATH },

	{ ENTRY(unlink, CLASS_UNLINK), BY_PATH(SLOT_NONE), .nofollow = 1 },
	/* AT_REMOVEDIR makes it an rmdir. */
	{ ENTRY(unlinkat, CLASS_UNLINK), BY_DIRFD(2, SLOT_NONE),
	    .nofollow = 1 },
	{ ENTRY(rmdir, CLASS_RMDIR), BY_PATH(SLOT_NONE), .nofollow = 1 },
	{ ENTRY(mkdir, CLASS_MKDIR), BY_PATH(1), .nofollow = 1 },
	{ ENTRY(mkdirat, CLASS_MKDIR), BY_DIRFD(SLOT_NONE, 2),
	    .nofollow = 1 },
	{ ENTRY(mknod, CLASS_MKNOD), BY_PATH(1), .nofollow = 1 },
	{ ENTRY(mknodat, CLASS_MKNOD), BY_DIRFD(SLOT_NONE, 2),
	    .nofollow = 1 },
	{ ENTRY(symlink, CLASS_SYMLINK), .fd = SLOT_NONE, .dirfd = SLOT_NONE,
	    .path = 1, .flags = SLOT_NONE, NO_ADDR, .arg = 0, ONE_PATH,
	    .nofollow = 1 },
	{ ENTRY(symlinkat, CLASS_SYMLINK), .fd = SLOT_NONE, .dirfd = 1,
	    .path = 2, .flags = SLOT_NONE, NO_ADDR, .arg = 0, ONE_PATH,
	    .nofollow = 1 },
	{ ENTRY(rename, CLASS_RENAME), TWO_PATHS },
	{ ENTRY(renameat, CLASS_RENAME), TWO_DIRFDS(SLOT_NONE, SLOT_NONE) },
	/* Its flags are RENAME_*: a value. */
	{ ENTRY(renameat2, CLASS_RENAME), TWO_DIRFDS(SLOT_NONE, 4) },
	{ ENTRY(link, CLASS_LINK), TWO_PATHS },
	{ ENTRY(linkat, CLASS_LINK), TWO_DIRFDS(4, SLOT_NONE) },
	{ ENTRY(truncate, CLASS_TRUNCATE), BY_PATH(1) },

	{ ENTRY(chdir, CLASS_CHDIR), BY_PATH(SLOT_NONE) },
	{ ENTRY(fchdir, CLASS_CHDIR), BY_FD(SLOT_NONE) },
	{ ENTRY(getcwd, CLASS_GETCWD), .fd = SLOT_NONE, .dirfd = SLOT_NONE,
	    .path = SLOT_NONE, .flags = SLOT_NONE, NO_ADDR, .arg = SLOT_NONE,
	    .dirfd2 = SLOT_NONE, .path2 = SLOT_NONE, .out = 0, .outlen = 1 },
	{ ENTRY(execve, CLASS_EXEC), BY_PATH(1) },
	{ ENTRY(execveat, CLASS_EXEC), BY_DIRFD(4, 2) },
	{ ENTRY(bind, CLASS_BIND), BY_ADDR },

	/* fd: what is written to. */
	{ ENTRY(write, CLASS_WRITE), BY_FD(1) },
	{ ENTRY(pwrite64, CLASS_WRITE), BY_FD(1) },
	{ ENTRY(writev, CLASS_WRITE), BY_FD(1) },
	{ ENTRY(pwritev, CLASS_WRITE), BY_FD(1) },
	{ ENTRY(pwritev2, CLASS_WRITE), BY_FD(1) },
	{ ENTRY(sendfile, CLASS_COPY), BY_FD(1) },
	{ ENTRY(copy_file_range, CLASS_COPY), .fd = 2, .dirfd = SLOT_NONE,
	    .path = SLOT_NONE, .flags = SLOT_NONE, NO_ADDR, .arg = 0,
	    ONE_PATH },
	{ ENTRY(splice, CLASS_COPY), .fd = 2, .dirfd = SLOT_NONE,
	    .path = SLOT_NONE, .flags = SLOT_NONE, NO_ADDR, .arg = 0,
	    ONE_PATH },
	{ ENTRY(ftruncate, CLASS_RESIZE), BY_FD(1) },
	{ ENTRY(fallocate, CLASS_RESIZE), BY_FD(1) },
};
const size_t syscall_table_len =
    sizeof(syscall_table) / sizeof(syscall_table[0]);

/* Rows of characters and not pointers: nothing to relocate at the start. */
#define N(call)		[SYS_ ## call] = #call
static const char names[SYSCALL_LAST + 1][NAME_SIZE] = {
	N(read), N(write), N(open), N(close), N(stat), N(fstat), N(lstat),
	N(poll), N(lseek), N(mmap), N(mprotect), N(munmap), N(brk),
	N(rt_sigaction), N(rt_sigprocmask), N(rt_sigreturn), N(ioctl),
	N(pread64), N(pwrite64), N(readv), N(writev), N(access), N(pipe),
	N(select), N(sched_yield), N(mremap), N(msync), N(mincore), N(madvise),
	N(shmget), N(shmat), N(shmctl), N(dup), N(dup2), N(pause),
	N(nanosleep), N(getitimer), N(alarm), N(setitimer), N(getpid),
	N(sendfile), N(socket), N(connect), N(accept), N(sendto), N(recvfrom),
	N(sendmsg), N(recvmsg), N(shutdown), N(bind), N(listen),
	N(getsockname), N(getpeername), N(socketpair), N(setsockopt),
	N(getsockopt), N(clone), N(fork), N(vfork), N(execve), N(exit),
	N(wait4), N(kill), N(uname), N(semget), N(semop), N(semctl), N(shmdt),
	N(msgget), N(msgsnd), N(msgrcv), N(msgctl), N(fcntl), N(flock),
	N(fsync), N(fdatasync), N(truncate), N(ftruncate), N(getdents),
	N(getcwd), N(chdir), N(fchdir), N(rename), N(mkdir), N(rmdir),
	N(creat), N(link), N(unlink), N(symlink), N(readlink), N(chmod),
	N(fchmod), N(chown), N(fchown), N(lchown), N(umask), N(gettimeofday),
	N(getrlimit), N(getrusage), N(sysinfo), N(times), N(ptrace), N(getuid),
	N(syslog), N(getgid), N(setuid), N(setgid), N(geteuid), N(getegid),
	N(setpgid), N(getppid), N(getpgrp), N(setsid), N(setreuid),
	N(setregid), N(getgroups), N(setgroups), N(setresuid), N(getresuid),
	N(setresgid), N(getresgid), N(getpgid), N(setfsuid), N(setfsgid),
	N(getsid), N(capget), N(capset), N(rt_sigpending), N(rt_sigtimedwait),
	N(rt_sigqueueinfo), N(rt_sigsuspend), N(sigaltstack), N(utime),
	N(mknod), N(uselib), N(personality), N(ustat), N(statfs), N(fstatfs),
	N(sysfs), N(getpriority), N(setpriority), N(sched_setparam),
	N(sched_getparam), N(sched_setscheduler), N(sched_getscheduler),
	N(sched_get_priority_max), N(sched_get_priority_min),
	N(sched_rr_get_interval), N(mlock), N(munlock), N(mlockall),
	N(munlockall), N(vhangup), N(modify_ldt), N(pivot_root), N(_sysctl),
	N(prctl), N(arch_prctl), N(adjtimex), N(setrlimit), N(chroot), N(sync),
	N(acct), N(settimeofday), N(mount), N(umount2), N(swapon), N(swapoff),
	N(reboot), N(sethostname), N(setdomainname), N(iopl), N(ioperm),
	N(create_module), N(init_module), N(delete_module), N(get_kernel_syms),
	N(query_module), N(quotactl), N(nfsservctl), N(getpmsg), N(putpmsg),
	N(afs_syscall), N(tuxcall), N(security), N(gettid), N(readahead),
	N(setxattr), N(lsetxattr), N(fsetxattr), N(getxattr), N(lgetxattr),
	N(fgetxattr), N(listxattr), N(llistxattr), N(flistxattr),
	N(removexattr), N(lremovexattr), N(fremovexattr), N(tkill), N(time),
	N(futex), N(sched_setaffinity), N(sched_getaffinity),
	N(set_thread_area), N(io_setup), N(io_destroy), N(io_getevents),
	N(io_submit), N(io_cancel), N(get_thread_area), N(lookup_dcookie),
	N(epoll_create), N(epoll_ctl_old), N(epoll_wait_old),
	N(remap_file_pages), N(getdents64), N(set_tid_address),
	N(restart_syscall), N(semtimedop), N(fadvise64), N(timer_create),
	N(timer_settime), N(timer_gettime), N(timer_getoverrun),
	N(timer_delete), N(clock_settime), N(clock_gettime), N(clock_getres),
	N(clock_nanosleep), N(exit_group), N(epoll_wait), N(epoll_ctl),
	N(tgkill), N(utimes), N(vserver), N(mbind), N(set_mempolicy),
	N(get_mempolicy), N(mq_open), N(mq_unlink), N(mq_timedsend),
	N(mq_timedreceive), N(mq_notify), N(mq_getsetattr), N(kexec_load),
	N(waitid), N(add_key), N(request_key), N(keyctl), N(ioprio_set),
	N(ioprio_get), N(inotify_init), N(inotify_add_watch),
	N(inotify_rm_watch), N(migrate_pages), N(openat), N(mkdirat),
	N(mknodat), N(fchownat), N(futimesat), N(newfstatat), N(unlinkat),
	N(renameat), N(linkat), N(symlinkat), N(readlinkat), N(fchmodat),
	N(faccessat), N(pselect6), N(ppoll), N(unshare), N(set_robust_list),
	N(get_robust_list), N(splice), N(tee), N(sync_file_range), N(vmsplice),
	N(move_pages), N(utimensat), N(epoll_pwait), N(signalfd),
	N(timerfd_create), N(eventfd), N(fallocate), N(timerfd_settime),
	N(timerfd_gettime), N(accept4), N(signalfd4), N(eventfd2),
	N(epoll_create1), N(dup3), N(pipe2), N(inotify_init1), N(preadv),
	N(pwritev), N(rt_tgsigqueueinfo), N(perf_event_open), N(recvmmsg),
	N(fanotify_init), N(fanotify_mark), N(prlimit64), N(name_to_handle_at),
	N(open_by_handle_at), N(clock_adjtime), N(syncfs), N(sendmmsg),
	N(setns), N(getcpu), N(process_vm_readv), N(process_vm_writev),
	N(kcmp), N(finit_module), N(sched_setattr), N(sched_getattr),
	N(renameat2), N(seccomp), N(getrandom), N(memfd_create),
	N(kexec_file_load), N(bpf), N(execveat), N(userfaultfd), N(membarrier),
	N(mlock2), N(copy_file_range), N(preadv2), N(pwritev2),
	N(pkey_mprotect), N(pkey_alloc), N(pkey_free), N(statx),
	N(io_pgetevents), N(rseq), N(uretprobe), N(uprobe),
	N(pidfd_send_signal), N(io_uring_setup), N(io_uring_enter),
	N(io_uring_register), N(open_tree), N(move_mount), N(fsopen),
	N(fsconfig), N(fsmount), N(fspick), N(pidfd_open), N(clone3),
	N(close_range), N(openat2), N(pidfd_getfd), N(faccessat2),
	N(process_madvise), N(epoll_pwait2), N(mount_setattr), N(quotactl_fd),
	N(landlock_create_ruleset), N(landlock_add_rule),
	N(landlock_restrict_self), N(memfd_secret), N(process_mrelease),
	N(futex_waitv), N(set_mempolicy_home_node), N(cachestat), N(fchmodat2),
	N(map_shadow_stack), N(futex_wake), N(futex_wait), N(futex_requeue),
	N(statmount), N(listmount), N(lsm_get_self_attr), N(lsm_set_self_attr),
	N(lsm_list_modules), N(mseal), N(setxattrat), N(getxattrat),
	N(listxattrat), N(removexattrat), N(open_tree_attr), N(file_getattr),
	N(file_setattr),
};
#undef N

/* Kernel asynchronous I/O on descriptors. */
static const int group_aio[] = {
	SYS_io_setup, SYS_io_destroy, SYS_io_submit, SYS_io_cancel,
	SYS_io_getevents, SYS_io_pgetevents,
};

/* I/O on descriptors that are open already. */
static const int group_basic_io[] = {
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64,
	SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_lseek,
	SYS_close, SYS_close_range, SYS_dup, SYS_dup2, SYS_dup3, SYS_fcntl,
	SYS_ioctl, SYS_sendfile, SYS_splice, SYS_tee, SYS_vmsplice,
	SYS_copy_file_range, SYS_pipe, SYS_pipe2,
};

/* Waiting for events. */
static const int group_event[] = {
	SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_create,
	SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait,
	SYS_epoll_pwait2, SYS_eventfd, SYS_eventfd2, SYS_signalfd,
	SYS_signalfd4, SYS_timerfd_create, SYS_timerfd_settime,
	SYS_timerfd_gettime, SYS_inotify_init, SYS_inotify_init1,
	SYS_inotify_add_watch, SYS_inotify_rm_watch,
};

/* Opening, naming and looking at files. */
static const int group_file_system[] = {
	SYS_open, SYS_openat, SYS_openat2, SYS_creat, SYS_stat, SYS_fstat,
	SYS_lstat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs,
	SYS_access, SYS_faccessat, SYS_faccessat2, SYS_readlink,
	SYS_readlinkat, SYS_getdents, SYS_getdents64, SYS_getcwd, SYS_chdir,
	SYS_fchdir, SYS_mkdir, SYS_mkdirat, SYS_rmdir, SYS_rename,
	SYS_renameat, SYS_renameat2, SYS_link, SYS_linkat, SYS_symlink,
	SYS_symlinkat, SYS_unlink, SYS_unlinkat, SYS_mknod, SYS_mknodat,
	SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_fadvise64,
	SYS_readahead, SYS_flock, SYS_umask, SYS_cachestat, SYS_file_getattr,
	SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_getxattrat,
	SYS_listxattr, SYS_llistxattr, SYS_flistxattr, SYS_listxattrat,
};

/* Mode, owner, times and extended attributes. */
static const int group_metadata[] = {
	SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_fchmodat2, SYS_chown,
	SYS_fchown, SYS_lchown, SYS_fchownat, SYS_utime, SYS_utimes,
	SYS_futimesat, SYS_utimensat, SYS_setxattr, SYS_lsetxattr,
	SYS_fsetxattr, SYS_setxattrat, SYS_removexattr, SYS_lremovexattr,
	SYS_fremovexattr, SYS_removexattrat,
};

/* Getting data to the disk. */
static const int group_disk_sync[] = {
	SYS_sync, SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_sync_file_range,
	SYS_msync,
};

/* The memory of the process itself. */
static const int group_memory[] = {
	SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_brk, SYS_madvise,
	SYS_mincore, SYS_mlock, SYS_mlock2, SYS_munlock, SYS_mlockall,
	SYS_munlockall, SYS_pkey_mprotect, SYS_pkey_alloc, SYS_pkey_free,
	SYS_memfd_create, SYS_memfd_secret, SYS_membarrier, SYS_mseal,
};

/* Making, running, signalling and ending processes. */
static const int group_process[] = {
	SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_execve, SYS_execveat,
	SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid, SYS_prctl,
	SYS_arch_prctl, SYS_set_tid_address, SYS_kill, SYS_tkill, SYS_tgkill,
	SYS_pidfd_open, SYS_pidfd_send_signal, SYS_setsid, SYS_setpgid,
	SYS_getsid, SYS_getpgid, SYS_getpgrp, SYS_getpid, SYS_getppid,
	SYS_gettid, SYS_times, SYS_getrusage, SYS_unshare, SYS_personality,
	SYS_uretprobe, SYS_uprobe,
};

/* Asking who one is. */
static const int group_credentials[] = {
	SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups,
	SYS_getresuid, SYS_getresgid, SYS_capget,
};

/* Becoming someone else. */
static const int group_setuid[] = {
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
	SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset,
};

/* Receiving signals. */
static const int group_signal[] = {
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_rt_sigpending, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
	SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_sigaltstack, SYS_pause,
	SYS_restart_syscall,
};

/* Locks between threads. */
static const int group_sync[] = {
	SYS_futex, SYS_futex_waitv, SYS_futex_wake, SYS_futex_wait,
	SYS_futex_requeue, SYS_set_robust_list, SYS_get_robust_list, SYS_rseq,
};

/* Reading clocks, sleeping, timers. */
static const int group_timer[] = {
	SYS_alarm, SYS_getitimer, SYS_setitimer, SYS_timer_create,
	SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun,
	SYS_timer_delete, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_time,
};

/* Scheduling. */
static const int group_sched[] = {
	SYS_sched_yield, SYS_sched_getparam, SYS_sched_setparam,
	SYS_sched_getscheduler, SYS_sched_setscheduler,
	SYS_sched_get_priority_max, SYS_sched_get_priority_min,
	SYS_sched_rr_get_interval, SYS_sched_getaffinity,
	SYS_sched_setaffinity, SYS_sched_getattr, SYS_sched_setattr,
	SYS_getpriority, SYS_setpriority, SYS_ioprio_get, SYS_ioprio_set,
	SYS_getcpu,
};

/* Resource limits. */
static const int group_resources[] = {
	SYS_getrlimit, SYS_setrlimit, SYS_prlimit64,
};

/* The machine, random numbers. */
static const int group_system[] = {
	SYS_uname, SYS_sysinfo, SYS_getrandom,
};

/* Sockets. */
static const int group_network_io[] = {
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen,
	SYS_accept, SYS_accept4, SYS_getsockname, SYS_getpeername, SYS_sendto,
	SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
	SYS_shutdown, SYS_getsockopt, SYS_setsockopt,
};

/* Confining oneself further. */
static const int group_sandbox[] = {
	SYS_seccomp, SYS_landlock_create_ruleset, SYS_landlock_add_rule,
	SYS_landlock_restrict_self, SYS_lsm_get_self_attr,
	SYS_lsm_list_modules,
};

/* Where memory is placed. */
static const int group_numa[] = {
	SYS_mbind, SYS_set_mempolicy, SYS_get_mempolicy,
};

/* Harmless and hardly ever used. */
static const int group_rare[] = {
	SYS_remap_file_pages, SYS_sysfs, SYS_ustat, SYS_set_thread_area,
	SYS_get_thread_area, SYS_epoll_ctl_old, SYS_epoll_wait_old,
};

/* System V IPC: one name space for all processes of the host. */
static const int group_sysv_ipc[] = {
	SYS_shmget, SYS_shmat, SYS_shmctl, SYS_shmdt, SYS_semget, SYS_semop,
	SYS_semtimedop, SYS_semctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv,
	SYS_msgctl,
};

/* POSIX message queues, likewise. */
static const int group_posix_mq[] = {
	SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend, SYS_mq_timedreceive,
	SYS_mq_notify, SYS_mq_getsetattr,
};

/* Changing or listing what is mounted where. */
static const int group_mount[] = {
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree,
	SYS_open_tree_attr, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
	SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_statmount,
	SYS_listmount,
};

/* Entering the name spaces of another process. */
static const int group_namespace[] = {
	SYS_setns,
};

/* Looking into processes and the kernel. */
static const int group_debug[] = {
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_process_madvise, SYS_process_mrelease, SYS_pidfd_getfd, SYS_kcmp,
	SYS_perf_event_open, SYS_bpf, SYS_userfaultfd, SYS_lookup_dcookie,
};

/* Keys, which are shared by all processes of a user. */
static const int group_keyring[] = {
	SYS_add_key, SYS_request_key, SYS_keyctl,
};

/* Kernel modules. */
static const int group_module[] = {
	SYS_init_module, SYS_finit_module, SYS_delete_module,
	SYS_create_module, SYS_get_kernel_syms, SYS_query_module,
};

/* Another kernel. */
static const int group_reboot[] = {
	SYS_reboot, SYS_kexec_load, SYS_kexec_file_load,
};

/* Swap space. */
static const int group_swap[] = {
	SYS_swapon, SYS_swapoff,
};

/* Setting the clock. */
static const int group_clock[] = {
	SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
};

/* I/O ports. */
static const int group_raw_io[] = {
	SYS_iopl, SYS_ioperm,
};

/* Administration of the host. */
static const int group_admin[] = {
	SYS_acct, SYS_quotactl, SYS_quotactl_fd, SYS_syslog, SYS_sethostname,
	SYS_setdomainname, SYS_vhangup, SYS_lsm_set_self_attr,
};

/* Files by handle, past any path. */
static const int group_handle[] = {
	SYS_name_to_handle_at, SYS_open_by_handle_at,
};

/* Watching and vetoing the file accesses of others. */
static const int group_notify[] = {
	SYS_fanotify_init, SYS_fanotify_mark,
};

/* Moving pages, also of other processes. */
static const int group_pages[] = {
	SYS_move_pages, SYS_migrate_pages, SYS_set_mempolicy_home_node,
};

/* Inode flags, which need no descriptor open for writing. */
static const int group_file_attr[] = {
	SYS_file_setattr,
};

/* Parts of the processor that hardly any program uses. */
static const int group_cpu_emulation[] = {
	SYS_modify_ldt, SYS_map_shadow_stack,
};

/* Calls that no filter sees. */
static const int group_io_uring[] = {
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
};

/* Calls that the kernel has lost or should lose. */
static const int group_obsolete[] = {
	SYS_uselib, SYS_nfsservctl, SYS_getpmsg, SYS_putpmsg, SYS_afs_syscall,
	SYS_tuxcall, SYS_security, SYS_vserver, SYS__sysctl,
};

#define G(group)							\
	{ "@" #group, group_ ## group,					\
	    sizeof(group_ ## group) / sizeof(group_ ## group[0]) }
static const struct group groups[] = {
	G(aio),
	G(basic_io),
	G(event),
	G(file_system),
	G(metadata),
	G(disk_sync),
	G(memory),
	G(process),
	G(credentials),
	G(setuid),
	G(signal),
	G(sync),
	G(timer),
	G(sched),
	G(resources),
	G(system),
	G(network_io),
	G(sandbox),
	G(numa),
	G(rare),
	G(sysv_ipc),
	G(posix_mq),
	G(mount),
	G(namespace),
	G(debug),
	G(keyring),
	G(module),
	G(reboot),
	G(swap),
	G(clock),
	G(raw_io),
	G(admin),
	G(handle),
	G(notify),
	G(pages),
	G(file_attr),
	G(cpu_emulation),
	G(io_uring),
	G(obsolete),
};
#undef G

#define NGROUPS		(sizeof(groups) / sizeof(groups[0]))

const struct syscall_entry *
syscall_lookup(int nr)
{
	static uint8_t	 index[SYSCALL_LAST + 1];	/* plus 1 */
	static int	 ready;
	size_t		 i;

	if (!ready) {
		for (i = 0; i < syscall_table_len; i++)
			index[syscall_table[i].nr] = i + 1;
		ready = 1;
	}
	if (nr < 0 || nr > SYSCALL_LAST || index[nr] == 0)
		return (NULL);
	return (&syscall_table[index[nr] - 1]);
}

int
syscall_number(const char *name)
{
	int	 nr;

	if (*name == '\0')
		return (-1);
	for (nr = 0; nr <= SYSCALL_LAST; nr++)
		if (strcmp(names[nr], name) == 0)
			return (nr);
	return (-1);
}

const char *
syscall_name(int nr)
{
	if (nr < 0 || nr > SYSCALL_LAST || names[nr][0] == '\0')
		return (NULL);
	return (names[nr]);
}

/* "@file-system" is as good as "@file_system": both habits are common. */
static int
group_name_equal(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return (0);
	return (*a == *b);
}

const int *
syscall_group(const char *name, size_t *n)
{
	size_t	 i;

	for (i = 0; i < NGROUPS; i++)
		if (group_name_equal(groups[i].name, name)) {
			*n = groups[i].n;
			return (groups[i].numbers);
		}
	return (NULL);
}

const char *
syscall_group_name(size_t i)
{
	return (i < NGROUPS ? groups[i].name : NULL);
}
