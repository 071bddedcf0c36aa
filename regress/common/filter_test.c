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
 * Tests of common/filter.c: each clause of the workload's filter with a
 * control beside it, in every configuration that matters, by evaluating the
 * compiled program.  What the kernel then does is tested in regress/attacks.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/audit.h>
#include <linux/fs.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "bpf.h"
#include "filter.h"
#include "syscalls.h"

#define NELEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define ALLOW		SECCOMP_RET_ALLOW
#define KILL		SECCOMP_RET_KILL_PROCESS
#define NOTIFY		SECCOMP_RET_USER_NOTIF
#define ERRNO(e)	(SECCOMP_RET_ERRNO | (e))

#define ALL		0xffffffffU

struct check {
	int		 nr;
	uint64_t	 args[6];
	uint32_t	 action;
};

/* Everything that a policy can grant is granted. */
static const struct filter_conf	 open_conf = {
	.fork = FILTER_ALLOW,
	.meta = FILTER_ALLOW,
	.connect = FILTER_ALLOW,
	.listen = FILTER_ALLOW,
	.unix_sockets = 1,
	.inet_sockets = 1
};

static struct sock_fprog
build_changed(const struct filter_conf *conf,
    const struct filter_change *changes, size_t n, int listener)
{
	struct sock_fprog	 prog;
	int			 needs_listener = -1;

	ATF_REQUIRE_EQ(0, filter_build(conf, changes, n, &prog,
	    &needs_listener));
	ATF_CHECK_EQ(listener, needs_listener);
	return (prog);
}

static struct sock_fprog
build(const struct filter_conf *conf, int listener)
{
	return (build_changed(conf, NULL, 0, listener));
}

static uint32_t
eval_arch(const struct sock_fprog *prog, uint32_t arch, int nr,
    const uint64_t *args)
{
	struct seccomp_data	 data;

	memset(&data, 0, sizeof(data));
	data.nr = nr;
	data.arch = arch;
	if (args != NULL)
		memcpy(data.args, args, sizeof(data.args));
	return (bpf_eval(prog, &data));
}

static uint32_t
eval(const struct sock_fprog *prog, int nr, const uint64_t *args)
{
	return (eval_arch(prog, AUDIT_ARCH_X86_64, nr, args));
}

static uint32_t
eval0(const struct sock_fprog *prog, int nr)
{
	/* Who sends to nobody in particular is never looked at. */
	static const uint64_t	 to[6] = { 0, 0, 0, 0, 1, 16 };

	return (eval(prog, nr, nr == SYS_sendto ? to : NULL));
}

/* What bpf_test.c calls always_allowed: no argument is looked at. */
static int
always_allowed(const struct sock_fprog *prog, int nr)
{
	const struct sock_filter	*in;
	uint32_t			 a = 0;
	size_t				 pc;
	int				 jump;

	for (pc = 0; pc < prog->len; pc++) {
		in = &prog->filter[pc];
		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (in->k > offsetof(struct seccomp_data, arch))
				return (0);
			a = in->k == 0 ? (uint32_t)nr : AUDIT_ARCH_X86_64;
			continue;
		case BPF_RET | BPF_K:
			return (in->k == ALLOW);
		case BPF_JMP | BPF_JA:
			pc += in->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == in->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = a >= in->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			jump = a > in->k;
			break;
		default:
			return (0);
		}
		pc += jump ? in->jt : in->jf;
	}
	return (0);
}

/* Calls that no policy opens, by name as attacks.md has them. */
static const int	 denied[] = {
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree,
	SYS_open_tree_attr, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
	SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_statmount,
	SYS_listmount, SYS_setns, SYS_io_uring_setup, SYS_io_uring_enter,
	SYS_io_uring_register, SYS_ptrace, SYS_process_vm_readv,
	SYS_process_vm_writev, SYS_process_madvise, SYS_process_mrelease,
	SYS_pidfd_getfd, SYS_kcmp, SYS_bpf, SYS_perf_event_open,
	SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key,
	SYS_kexec_load, SYS_kexec_file_load, SYS_init_module,
	SYS_finit_module, SYS_delete_module, SYS_create_module,
	SYS_query_module, SYS_get_kernel_syms, SYS_acct, SYS_swapon,
	SYS_swapoff, SYS_reboot, SYS_iopl, SYS_ioperm, SYS_quotactl,
	SYS_quotactl_fd, SYS_syslog, SYS_sethostname, SYS_setdomainname,
	SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
	SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fanotify_init,
	SYS_fanotify_mark, SYS_lookup_dcookie, SYS_move_pages,
	SYS_migrate_pages, SYS_set_mempolicy_home_node, SYS_lsm_set_self_attr,
	SYS_uselib, SYS_modify_ldt, SYS_map_shadow_stack, SYS_vhangup,
	SYS_file_setattr, SYS_nfsservctl, SYS_getpmsg, SYS_putpmsg,
	SYS_afs_syscall, SYS_tuxcall, SYS_security, SYS_vserver, SYS__sysctl,
	SYS_shmget, SYS_shmat, SYS_shmdt, SYS_shmctl, SYS_semget, SYS_semop,
	SYS_semtimedop, SYS_semctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv,
	SYS_msgctl, SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend,
	SYS_mq_timedreceive, SYS_mq_notify, SYS_mq_getsetattr
};

/* Of these, what a policy may lift besides @sysv_ipc and @posix_mq. */
static const int	 liftable[] = {
	SYS_kcmp, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_name_to_handle_at, SYS_modify_ldt, SYS_map_shadow_stack,
	SYS_move_pages, SYS_migrate_pages, SYS_set_mempolicy_home_node
};

/* What programs do all the time: no clause may slow it down. */
static const int	 ordinary[] = {
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64,
	SYS_close, SYS_stat, SYS_fstat, SYS_lstat, SYS_newfstatat, SYS_statx,
	SYS_lseek, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_brk, SYS_mremap,
	SYS_madvise, SYS_poll, SYS_ppoll, SYS_select, SYS_epoll_wait,
	SYS_epoll_pwait, SYS_epoll_ctl, SYS_futex, SYS_recvmsg, SYS_recvfrom,
	SYS_accept4, SYS_bind, SYS_readlink, SYS_readlinkat, SYS_access,
	SYS_faccessat, SYS_faccessat2, SYS_getdents64, SYS_getcwd, SYS_chdir,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_execve,
	SYS_execveat, SYS_wait4, SYS_exit, SYS_exit_group, SYS_getpid,
	SYS_gettid, SYS_clock_gettime, SYS_nanosleep, SYS_sched_yield,
	SYS_pipe2, SYS_dup2, SYS_creat, SYS_unlink, SYS_rename, SYS_mkdir,
	SYS_getrandom, SYS_sendfile, SYS_splice, SYS_kill, SYS_tgkill,
	SYS_getsockopt, SYS_shutdown, SYS_memfd_create, SYS_memfd_secret,
	SYS_rseq, SYS_set_robust_list, SYS_arch_prctl, SYS_getpriority,
	SYS_sched_getaffinity, SYS_landlock_create_ruleset, SYS_pidfd_open
};

/* Every rule about arguments, and beside it what passes. */
static const struct check	 argument_checks[] = {
	{ SYS_open, { 0, O_RDONLY }, ALLOW },
	{ SYS_open, { 0, O_WRONLY | O_CREAT }, ALLOW },
	{ SYS_open, { 0, O_RDWR | O_TRUNC }, ALLOW },
	{ SYS_open, { 0, 3 }, ERRNO(EINVAL) },
	{ SYS_open, { 0, 3 | O_NONBLOCK }, ERRNO(EINVAL) },
	{ SYS_openat, { ALL, 0, O_RDONLY | O_CLOEXEC }, ALLOW },
	{ SYS_openat, { 0, 3, O_RDWR }, ALLOW },
	{ SYS_openat, { ALL, 0, 3 }, ERRNO(EINVAL) },
	{ SYS_openat, { ALL, 0, 3 | O_CLOEXEC }, ERRNO(EINVAL) },

	{ SYS_fcntl, { 0, F_GETFL }, ALLOW },
	{ SYS_fcntl, { 0, F_SETLK }, ALLOW },
	{ SYS_fcntl, { 0, F_OFD_SETLK }, ALLOW },
	{ SYS_fcntl, { 0, F_NOTIFY }, ALLOW },
	{ SYS_fcntl, { 0, F_GETLEASE }, ALLOW },
	{ SYS_fcntl, { F_SETLEASE, 0, F_SETLEASE }, ALLOW },
	{ SYS_fcntl, { 0, F_SETLEASE }, ERRNO(EPERM) },
	{ SYS_fcntl, { 0, 1040 }, ERRNO(EPERM) },

	{ SYS_renameat2, { 0, 0, 0, 0, 0 }, ALLOW },
	{ SYS_renameat2, { 0, 0, 0, 0, RENAME_NOREPLACE }, ALLOW },
	{ SYS_renameat2, { 0, 0, 0, 0, RENAME_EXCHANGE }, ALLOW },
	{ SYS_renameat2, { 0, 0, 0, 0, RENAME_WHITEOUT }, ERRNO(EPERM) },
	{ SYS_renameat2, { 0, 0, 0, 0, RENAME_WHITEOUT | RENAME_NOREPLACE },
	    ERRNO(EPERM) },

	{ SYS_mknod, { 0, S_IFIFO | 0600 }, ALLOW },
	{ SYS_mknod, { 0, S_IFSOCK | 0600 }, ALLOW },
	{ SYS_mknod, { 0, S_IFREG | 0600 }, ALLOW },
	{ SYS_mknod, { 0, 0600 }, ALLOW },
	{ SYS_mknod, { 0, S_IFCHR | 0600 }, ERRNO(EPERM) },
	{ SYS_mknod, { 0, S_IFBLK | 0600 }, ERRNO(EPERM) },
	/* The kernel takes 16 bits of the mode. */
	{ SYS_mknod, { 0, 0x10000 | S_IFCHR }, ERRNO(EPERM) },
	{ SYS_mknodat, { 0, S_IFCHR, S_IFIFO | 0600 }, ALLOW },
	{ SYS_mknodat, { 0, 0, S_IFCHR | 0600 }, ERRNO(EPERM) },
	{ SYS_mknodat, { 0, 0, S_IFBLK }, ERRNO(EPERM) },
	{ SYS_mknodat, { 0, 0, 0x70000 | S_IFBLK }, ERRNO(EPERM) },

	{ SYS_clone, { SIGCHLD }, ALLOW },
	{ SYS_clone, { CLONE_VM | CLONE_VFORK | SIGCHLD }, ALLOW },
	{ SYS_clone, { CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_FS |
	    CLONE_FILES | CLONE_SYSVSEM | CLONE_SETTLS }, ALLOW },
	{ SYS_clone, { CLONE_NEWNS | SIGCHLD }, ERRNO(EPERM) },
	{ SYS_clone, { CLONE_NEWCGROUP }, ERRNO(EPERM) },
	{ SYS_clone, { CLONE_NEWUTS }, ERRNO(EPERM) },
	{ SYS_clone, { CLONE_NEWIPC }, ERRNO(EPERM) },
	{ SYS_clone, { CLONE_NEWUSER | SIGCHLD }, ERRNO(EPERM) },
	{ SYS_clone, { CLONE_NEWPID }, ERRNO(EPERM) },
	{ SYS_clone, { CLONE_NEWNET }, ERRNO(EPERM) },
	{ SYS_clone, { CLONE_THREAD | CLONE_NEWUSER }, ERRNO(EPERM) },
	{ SYS_clone3, { 0, 88 }, ERRNO(ENOSYS) },
	{ SYS_openat2, { 0 }, ERRNO(ENOSYS) },

	{ SYS_unshare, { 0 }, ALLOW },
	{ SYS_unshare, { CLONE_FILES | CLONE_FS | CLONE_SYSVSEM }, ALLOW },
	{ SYS_unshare, { 0x80 }, ERRNO(EPERM) },	/* CLONE_NEWTIME */
	{ SYS_unshare, { CLONE_NEWNS }, ERRNO(EPERM) },
	{ SYS_unshare, { CLONE_NEWCGROUP }, ERRNO(EPERM) },
	{ SYS_unshare, { CLONE_NEWUTS }, ERRNO(EPERM) },
	{ SYS_unshare, { CLONE_NEWIPC }, ERRNO(EPERM) },
	{ SYS_unshare, { CLONE_NEWUSER }, ERRNO(EPERM) },
	{ SYS_unshare, { CLONE_NEWPID }, ERRNO(EPERM) },
	{ SYS_unshare, { CLONE_NEWNET }, ERRNO(EPERM) },
	{ SYS_unshare, { CLONE_FS | CLONE_NEWNS }, ERRNO(EPERM) },

	{ SYS_personality, { 0xffffffff }, ALLOW },
	{ SYS_personality, { PER_LINUX }, ALLOW },
	{ SYS_personality, { PER_LINUX32 }, ERRNO(EPERM) },
	{ SYS_personality, { ADDR_NO_RANDOMIZE }, ERRNO(EPERM) },
	{ SYS_personality, { READ_IMPLIES_EXEC }, ERRNO(EPERM) },
	{ SYS_personality, { MMAP_PAGE_ZERO }, ERRNO(EPERM) },
	{ SYS_personality, { STICKY_TIMEOUTS }, ERRNO(EPERM) },
	{ SYS_personality, { 0xfffffffe }, ERRNO(EPERM) },

	{ SYS_prctl, { PR_SET_DUMPABLE, 0 }, ERRNO(0) },
	{ SYS_prctl, { PR_SET_DUMPABLE, 1 }, ALLOW },
	{ SYS_prctl, { PR_GET_DUMPABLE, 0 }, ALLOW },
	{ SYS_prctl, { PR_SET_NAME, 0 }, ALLOW },
	{ SYS_prctl, { PR_SET_PDEATHSIG, 0 }, ALLOW },
	{ SYS_prctl, { PR_SET_CHILD_SUBREAPER, 1 }, ALLOW },
	{ SYS_prctl, { PR_SET_THP_DISABLE, 1 }, ALLOW },
	{ SYS_prctl, { PR_SET_SECCOMP, 2 }, ALLOW },
	{ SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1 }, ALLOW },
	{ SYS_prctl, { PR_SET_TSC, PR_TSC_ENABLE }, ALLOW },
	{ SYS_prctl, { PR_SET_MM, PR_SET_MM_EXE_FILE }, ERRNO(EPERM) },
	{ SYS_prctl, { PR_SET_MM, PR_SET_MM_MAP }, ERRNO(EPERM) },
	{ SYS_prctl, { PR_SET_PTRACER, 1 }, ERRNO(EPERM) },

	{ SYS_seccomp, { 0 }, ALLOW },
	{ SYS_seccomp, { 1, 0 }, ALLOW },
	{ SYS_seccomp, { 1, SECCOMP_FILTER_FLAG_TSYNC }, ALLOW },
	{ SYS_seccomp, { SECCOMP_GET_ACTION_AVAIL, 0 }, ALLOW },
	{ SYS_seccomp, { 1, SECCOMP_FILTER_FLAG_NEW_LISTENER },
	    ERRNO(EPERM) },
	{ SYS_seccomp, { 1, 0x3f }, ERRNO(EPERM) },

	{ SYS_setpriority, { PRIO_PROCESS, 0, 5 }, ALLOW },
	{ SYS_setpriority, { PRIO_PROCESS, 1, 5 }, ERRNO(EPERM) },
	{ SYS_setpriority, { PRIO_PGRP, 0, 5 }, ERRNO(EPERM) },
	{ SYS_setpriority, { PRIO_USER, 0, 5 }, ERRNO(EPERM) },
	{ SYS_ioprio_set, { 1, 0, 0x4000 }, ALLOW },
	{ SYS_ioprio_set, { 1, 77, 0x4000 }, ERRNO(EPERM) },
	{ SYS_ioprio_set, { 2, 0, 0x4000 }, ERRNO(EPERM) },
	{ SYS_ioprio_set, { 3, 0, 0x4000 }, ERRNO(EPERM) },
	{ SYS_sched_setparam, { 0 }, ALLOW },
	{ SYS_sched_setparam, { 1 }, ERRNO(EPERM) },
	{ SYS_sched_setscheduler, { 0, SCHED_BATCH }, ALLOW },
	{ SYS_sched_setscheduler, { 1, SCHED_BATCH }, ERRNO(EPERM) },
	{ SYS_sched_setattr, { 0 }, ALLOW },
	{ SYS_sched_setattr, { 1 }, ERRNO(EPERM) },
	{ SYS_sched_setaffinity, { 0, 8 }, ALLOW },
	{ SYS_sched_setaffinity, { 1, 8 }, ERRNO(EPERM) },
	{ SYS_prlimit64, { 0, RLIMIT_NOFILE, 4096, 0 }, ALLOW },
	{ SYS_prlimit64, { 1, RLIMIT_NOFILE, 0, 4096 }, ALLOW },
	{ SYS_prlimit64, { 1, RLIMIT_NOFILE, 4096, 0 }, ERRNO(EPERM) },
	{ SYS_prlimit64, { 1, RLIMIT_NOFILE, 1ULL << 32, 0 }, ERRNO(EPERM) },

	{ SYS_socketpair, { AF_UNIX, SOCK_STREAM }, ALLOW },
	{ SYS_socketpair, { AF_UNIX, SOCK_SEQPACKET }, ALLOW },
	{ SYS_socketpair, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK }, ALLOW },
	{ SYS_socketpair, { AF_UNIX, SOCK_DGRAM }, ERRNO(EACCES) },
	{ SYS_socketpair, { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC },
	    ERRNO(EACCES) },
	{ SYS_socketpair, { AF_UNIX, SOCK_RAW }, ERRNO(EACCES) },
	{ SYS_socketpair, { 30, SOCK_STREAM }, ERRNO(EACCES) },	/* TIPC */

	{ SYS_sendto, { 3, 0, 0, MSG_NOSIGNAL }, ALLOW },
	{ SYS_sendto, { 3, 0, 0, MSG_FASTOPEN }, ERRNO(EPERM) },
	{ SYS_sendto, { 3, 0, 0, MSG_FASTOPEN | MSG_DONTWAIT },
	    ERRNO(EPERM) },
	{ SYS_sendmsg, { 3, 0, MSG_NOSIGNAL }, ALLOW },
	{ SYS_sendmsg, { 3, 0, MSG_FASTOPEN }, ERRNO(EPERM) },
	{ SYS_sendmmsg, { 3, 0, 2, MSG_NOSIGNAL }, ALLOW },
	{ SYS_sendmmsg, { 3, 0, 2, MSG_FASTOPEN }, ERRNO(EPERM) },

	{ SYS_setsockopt, { 3, SOL_SOCKET, 31 }, ALLOW },
	{ SYS_setsockopt, { 3, IPPROTO_TCP, 1 }, ALLOW },
	{ SYS_setsockopt, { 3, IPPROTO_TCP, 31 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_UDP, 100 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_UDP, 1 }, ALLOW },
	{ SYS_setsockopt, { 3, IPPROTO_IPV6, IPV6_V6ONLY }, ALLOW },
	{ SYS_setsockopt, { 3, IPPROTO_IPV6, 1 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IP, 4 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IP, 51 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IP, 1 }, ALLOW },
	{ SYS_setsockopt, { 3, IPPROTO_IPV6, 57 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IPV6, 6 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IPV6, 32 }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IP, IP_ADD_MEMBERSHIP }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IP, MCAST_JOIN_GROUP }, ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IPV6, IPV6_JOIN_GROUP },
	    ERRNO(EPERM) },
	{ SYS_setsockopt, { 3, IPPROTO_IPV6, MCAST_JOIN_GROUP },
	    ERRNO(EPERM) }
};

/* ioctl commands; the expected action where the argument is 0. */
static const struct {
	uint32_t	 command;
	uint32_t	 action;
} ioctl_checks[] = {
	{ TCGETS, ALLOW }, { TCSETSW, ALLOW }, { TIOCGWINSZ, ALLOW },
	{ TIOCSWINSZ, ALLOW }, { TIOCSPGRP, ALLOW }, { TIOCGPGRP, ALLOW },
	{ TIOCSCTTY, ALLOW }, { TIOCNOTTY, ALLOW }, { FIONREAD, ALLOW },
	{ FIONBIO, ALLOW }, { FIOCLEX, ALLOW }, { TIOCSPTLCK, ALLOW },
	{ TIOCGPTN, ALLOW }, { TIOCNXCL, ALLOW }, { FIOASYNC, ALLOW },
	{ FS_IOC_GETFLAGS, ALLOW }, { FS_IOC_FSGETXATTR, ALLOW },
	{ FICLONE, ALLOW }, { FICLONERANGE, ALLOW }, { FIDEDUPERANGE, ALLOW },
	{ 0xc020660b, ALLOW }, { FIGETBSZ, ALLOW },
	{ 0x8901, ALLOW }, { 0x8902, ALLOW }, { 0x8903, ALLOW },
	{ 0x8904, ALLOW }, { 0x8905, ALLOW }, { 0x8906, ALLOW },
	{ 0x8907, ALLOW }, { 0x894b, ALLOW },
	{ 0x80108906, ALLOW },		/* SIOCGSTAMP_NEW */
	{ 0xc0406400, ALLOW },		/* DRM_IOCTL_VERSION */
	{ 0x80685600, ALLOW },		/* VIDIOC_QUERYCAP, not VT_OPENQRY */

	{ TIOCSTI, ERRNO(EPERM) }, { TIOCLINUX, ERRNO(EPERM) },
	{ TIOCCONS, ERRNO(EPERM) }, { TIOCSETD, ERRNO(EPERM) },
	{ TIOCEXCL, ERRNO(EPERM) }, { TIOCVHANGUP, ERRNO(EPERM) },
	{ TIOCSLCKTRMIOS, ERRNO(EPERM) }, { TIOCSIG, ERRNO(EPERM) },
	{ TCXONC, ERRNO(EPERM) },	/* argument 0: TCOOFF */
	{ 0x4b47, ERRNO(EPERM) }, { 0x4b49, ERRNO(EPERM) },	/* KDSKB* */
	{ 0x4b3a, ERRNO(EPERM) }, { 0x4b72, ERRNO(EPERM) },
	{ 0x5600, ERRNO(EPERM) }, { 0x5606, ERRNO(EPERM) },	/* VT_* */
	{ 0x560f, ERRNO(EPERM) },
	{ 0x80806200, ERRNO(EPERM) }, { 0x6201, ERRNO(EPERM) },
	{ 0x6202, ERRNO(EPERM) }, { 0x6203, ALLOW }, { 0x80806201, ALLOW },
	{ FS_IOC_SETFLAGS, ERRNO(EPERM) }, { FS_IOC32_SETFLAGS,
	    ERRNO(EPERM) },
	{ FS_IOC_FSSETXATTR, ERRNO(EPERM) },
	{ FS_IOC_SETVERSION, ERRNO(EPERM) }, { FS_IOC32_SETVERSION,
	    ERRNO(EPERM) },
	{ _IOW('f', 4, long), ERRNO(EPERM) }, { _IOW('f', 4, int),
	    ERRNO(EPERM) },
	{ _IO('f', 9), ERRNO(EPERM) }, { _IOW('r', 0x11, uint32_t),
	    ERRNO(EPERM) },
	{ _IOW('f', 133, char[128]), ERRNO(EPERM) },	/* verity */
	{ _IOR('f', 19, char[12]), ERRNO(EPERM) },	/* fscrypt */
	{ _IOWR('f', 23, char[80]), ERRNO(EPERM) },
	{ _IOWR('f', 24, char[64]), ERRNO(EPERM) },
	{ _IOWR('f', 25, char[64]), ERRNO(EPERM) },
	{ 0x50009401, ERRNO(EPERM) }, { 0x50009417, ERRNO(EPERM) },
	{ 0x5000940f, ERRNO(EPERM) }, { 0x4008941a, ERRNO(EPERM) },
	{ 0x4020bc10, ERRNO(EPERM) },
	{ _IOW(0xf5, 13, uint32_t), ERRNO(EPERM) },
	{ 0x8908, ERRNO(EPERM) }, { 0x89ff, ERRNO(EPERM) },
	{ 0x8912, ERRNO(EPERM) }, { 0x890b, ERRNO(EPERM) },	/* SIOC* */
	{ 0x8914, ERRNO(EPERM) }, { 0x8946, ERRNO(EPERM) },
	{ 0x89e0, ERRNO(EPERM) }, { 0x89f0, ERRNO(EPERM) },
	{ 0x8b01, ERRNO(EPERM) }
};

/* Arguments of which the filter looks at all 64 bits. */
static int
is_pointer(int nr, size_t slot)
{
	switch (nr) {
	case SYS_prlimit64:
	case SYS_sendfile:
		return (slot == 2);
	case SYS_splice:
		return (slot == 1 || slot == 3);
	case SYS_accept:
	case SYS_accept4:
		return (slot == 1);
	case SYS_sendto:
	case SYS_recvfrom:
		return (slot == 4);
	default:
		return (0);
	}
}

/* the kernel ignores the upper half of what is compared here. */
static void
check_all(const struct sock_fprog *prog, const struct check *checks, size_t n)
{
	static const uint64_t	 upper[] = { 1ULL << 32,
				    0xfffffffe00000000ULL };
	const struct check	*c;
	uint64_t		 args[6], every[6];
	size_t			 i, j, k;

	for (i = 0; i < n; i++) {
		c = &checks[i];
		ATF_CHECK_EQ_MSG(c->action, eval(prog, c->nr, c->args),
		    "check %zu, %s: %x", i, syscall_name(c->nr),
		    eval(prog, c->nr, c->args));
		memcpy(every, c->args, sizeof(every));
		for (j = 0; j < 6 * NELEMS(upper); j++) {
			k = j / NELEMS(upper);
			if (is_pointer(c->nr, k))
				continue;
			memcpy(args, c->args, sizeof(args));
			args[k] |= upper[j % NELEMS(upper)];
			every[k] |= args[k];
			ATF_CHECK_EQ_MSG(c->action, eval(prog, c->nr, args),
			    "check %zu, %s, upper half of %zu", i,
			    syscall_name(c->nr), k);
		}
		ATF_CHECK_EQ_MSG(c->action, eval(prog, c->nr, every),
		    "check %zu, %s, all upper halves", i, syscall_name(c->nr));
		ATF_CHECK_EQ(KILL, eval(prog, (int)(c->nr | SYSCALL_X32_BIT),
		    c->args));
		ATF_CHECK_EQ(KILL, eval_arch(prog, AUDIT_ARCH_I386, c->nr,
		    c->args));
	}
}

ATF_TC_WITHOUT_HEAD(denied_calls);
ATF_TC_BODY(denied_calls, tc)
{
	struct sock_fprog	 prog = build(&open_conf, 0);
	size_t			 i, j;
	int			 found, nr;

	for (i = 0; i < NELEMS(denied); i++)
		ATF_CHECK_EQ_MSG(ERRNO(EPERM), eval0(&prog, denied[i]), "%s",
		    syscall_name(denied[i]));
	/* The control: nothing else is denied whatever its arguments. */
	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		found = 0;
		for (j = 0; j < NELEMS(denied); j++)
			found |= denied[j] == nr;
		for (j = 0; j < NELEMS(argument_checks); j++)
			found |= argument_checks[j].nr == nr;
		if (!found && nr != SYS_socket && nr != SYS_ioctl)
			ATF_CHECK_MSG(always_allowed(&prog, nr), "number %d",
			    nr);
	}
	free(prog.filter);
}

ATF_TC_WITHOUT_HEAD(arguments);
ATF_TC_BODY(arguments, tc)
{
	struct sock_fprog	 prog = build(&open_conf, 0);

	check_all(&prog, argument_checks, NELEMS(argument_checks));
	free(prog.filter);
}

ATF_TC_WITHOUT_HEAD(ioctls);
ATF_TC_BODY(ioctls, tc)
{
	static const struct check	 arguments[] = {
		{ SYS_ioctl, { 0, TIOCSCTTY, 1 }, ERRNO(EPERM) },
		{ SYS_ioctl, { 0, TIOCSCTTY, 0 }, ALLOW },
		{ SYS_ioctl, { 0, TCXONC, TCOOFF }, ERRNO(EPERM) },
		{ SYS_ioctl, { 0, TCXONC, TCOON }, ALLOW },
		{ SYS_ioctl, { 0, TCXONC, TCION }, ALLOW },
		{ SYS_ioctl, { TIOCSTI, 0, TIOCSTI }, ALLOW }
	};
	struct sock_fprog		 prog = build(&open_conf, 0);
	struct check			 check;
	size_t				 i;

	memset(&check, 0, sizeof(check));
	check.nr = SYS_ioctl;
	for (i = 0; i < NELEMS(ioctl_checks); i++) {
		check.args[1] = ioctl_checks[i].command;
		check.action = ioctl_checks[i].action;
		ATF_CHECK_EQ_MSG(check.action, eval(&prog, SYS_ioctl,
		    check.args), "ioctl %x", ioctl_checks[i].command);
		check_all(&prog, &check, 1);
	}
	check_all(&prog, arguments, NELEMS(arguments));
	free(prog.filter);
}

/* Families, types and protocols that are refused whatever is granted. */
static void
check_foreign_sockets(const struct sock_fprog *prog)
{
	static const struct check	 never[] = {
		{ SYS_socket, { AF_UNIX, SOCK_DGRAM }, ERRNO(EACCES) },
		{ SYS_socket, { AF_UNIX, SOCK_RAW }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_DGRAM, 136 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET6, SOCK_DGRAM, 136 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_DGRAM, 58 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET6, SOCK_DGRAM, 1 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_DGRAM, 33 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_RAW, 17 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_RAW, 1 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET6, SOCK_RAW, 58 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_PACKET }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_SEQPACKET, 132 },
		    ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_STREAM, 132 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_STREAM, 256 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_STREAM, 262 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET6, SOCK_STREAM, 262 },
		    ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_DCCP, 33 }, ERRNO(EACCES) },
		{ SYS_socket, { AF_INET, SOCK_STREAM | 0x10000 },
		    ERRNO(EACCES) },
		{ SYS_socket, { AF_UNSPEC, SOCK_STREAM }, ERRNO(EACCES) }
	};
	uint64_t	 args[6];
	uint64_t	 family;
	int		 type;

	check_all(prog, never, NELEMS(never));
	for (family = 0; family < 64; family++) {
		if (family == AF_UNIX || family == AF_INET ||
		    family == AF_INET6)
			continue;
		for (type = 0; type < 16; type++) {
			memset(args, 0, sizeof(args));
			args[0] = family;
			args[1] = type;
			ATF_CHECK_EQ(ERRNO(EACCES), eval(prog, SYS_socket,
			    args));
		}
	}
}

ATF_TC_WITHOUT_HEAD(sockets);
ATF_TC_BODY(sockets, tc)
{
	static const struct check	 un[] = {
		{ SYS_socket, { AF_UNIX, SOCK_STREAM }, ALLOW },
		{ SYS_socket, { AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC },
		    ALLOW }
	};
	static const struct check	 inet[] = {
		{ SYS_socket, { AF_INET, SOCK_STREAM, 0 }, ALLOW },
		{ SYS_socket, { AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 6 },
		    ALLOW },
		{ SYS_socket, { AF_INET6, SOCK_STREAM, 0 }, ALLOW },
		{ SYS_socket, { AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 6 },
		    ALLOW }
	};
	static const struct check	 udp[] = {
		{ SYS_socket, { AF_INET, SOCK_DGRAM, 0 }, ALLOW },
		{ SYS_socket, { AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 17 },
		    ALLOW },
		{ SYS_socket, { AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0 },
		    ALLOW },
		{ SYS_socket, { AF_INET6, SOCK_DGRAM, 17 }, ALLOW }
	};
	static const struct check	 icmp[] = {
		{ SYS_socket, { AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 1 },
		    ALLOW },
		{ SYS_socket, { AF_INET6, SOCK_DGRAM, 58 }, ALLOW }
	};
	const struct {
		const struct check	*checks;
		size_t			 n;
	} kinds[] = {
		{ un, NELEMS(un) },
		{ inet, NELEMS(inet) },
		{ udp, NELEMS(udp) },
		{ icmp, NELEMS(icmp) }
	};
	struct filter_conf		 conf = open_conf;
	struct sock_fprog		 prog;
	struct check			 c;
	size_t				 i, j, k;

	for (i = 0; i < 16; i++) {
		conf.unix_sockets = i & 1;
		conf.inet_sockets = (i & 2) != 0;
		conf.udp = (i & 4) != 0;
		conf.icmp = (i & 8) != 0;
		prog = build(&conf, 0);
		check_foreign_sockets(&prog);
		for (k = 0; k < NELEMS(kinds); k++)
			for (j = 0; j < kinds[k].n; j++) {
				c = kinds[k].checks[j];
				c.action = i & (1U << k) ? ALLOW :
				    ERRNO(EACCES);
				check_all(&prog, &c, 1);
			}
		free(prog.filter);
	}
}

/* Groups are joined only where the policy has datagrams for them. */
ATF_TC_WITHOUT_HEAD(groups);
ATF_TC_BODY(groups, tc)
{
	static const int	 names[][2] = {
		{ IPPROTO_IP, IP_ADD_MEMBERSHIP },
		{ IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP },
		{ IPPROTO_IP, MCAST_JOIN_GROUP },
		{ IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP },
		{ IPPROTO_IPV6, IPV6_JOIN_GROUP },
		{ IPPROTO_IPV6, IPV6_JOIN_ANYCAST },
		{ IPPROTO_IPV6, MCAST_JOIN_GROUP },
		{ IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP }
	};
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;
	struct check		 c = { .nr = SYS_setsockopt };
	size_t			 i;
	int			 groups;

	for (groups = 0; groups < 2; groups++) {
		conf.groups = groups;
		prog = build(&conf, 0);
		for (i = 0; i < NELEMS(names); i++) {
			c.args[1] = names[i][0];
			c.args[2] = names[i][1];
			c.action = groups ? ALLOW : ERRNO(EPERM);
			check_all(&prog, &c, 1);
		}
		free(prog.filter);
	}
}

/* What a policy about the network asks for; all of it has to fit together. */
#define UDP		0x01
#define ICMP		0x02
#define SEND		0x04
#define BIND		0x08
#define REMAP		0x10
#define ROUTE		0x20
#define HOSTS		0x40
#define NETWORK		0x80

static struct filter_conf
conf_network(unsigned int wishes)
{
	struct filter_conf	 conf = open_conf;

	conf.udp = (wishes & UDP) != 0;
	conf.icmp = (wishes & ICMP) != 0;
	conf.send = (wishes & SEND) != 0;
	conf.bind = (wishes & BIND) != 0;
	conf.remap = (wishes & REMAP) != 0;
	conf.netlink = (wishes & ROUTE) != 0;
	conf.hosts = (wishes & HOSTS) != 0;
	return (conf);
}

/*
 * One call, with any of what it is allowed, and with any of what it is
 * notified if it is not; otherwise the action is that of neither.
 */
static const struct {
	struct check	 check;
	unsigned int	 allow;
	unsigned int	 notify;
} network_checks[] = {
	{ { SYS_socket, { AF_INET, SOCK_DGRAM, 0 }, ERRNO(EACCES) }, UDP, 0 },
	{ { SYS_socket, { AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 17 },
	    ERRNO(EACCES) }, UDP, 0 },
	{ { SYS_socket, { AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0 },
	    ERRNO(EACCES) }, UDP, 0 },
	{ { SYS_socket, { AF_INET6, SOCK_DGRAM, 17 }, ERRNO(EACCES) },
	    UDP, 0 },
	{ { SYS_socket, { AF_INET, SOCK_DGRAM, 1 }, ERRNO(EACCES) },
	    ICMP, 0 },
	{ { SYS_socket, { AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 58 },
	    ERRNO(EACCES) }, ICMP, 0 },
	{ { SYS_socket, { AF_UNIX, SOCK_DGRAM, 0 }, ERRNO(EACCES) }, SEND,
	    ROUTE },
	{ { SYS_socket, { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0 }, ERRNO(EACCES) }, SEND, ROUTE },
	{ { SYS_socket, { AF_UNIX, SOCK_DGRAM, 1 }, ERRNO(EACCES) }, SEND, 0 },
	{ { SYS_socketpair, { AF_UNIX, SOCK_DGRAM, 0 }, ERRNO(EACCES) },
	    SEND, 0 },
	{ { SYS_socket, { AF_NETLINK, SOCK_RAW, 0 }, ERRNO(EACCES) }, 0,
	    ROUTE },
	{ { SYS_socket, { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 },
	    ERRNO(EACCES) }, 0, ROUTE },
	{ { SYS_socket, { AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, 0 },
	    ERRNO(EACCES) }, 0, ROUTE },

	{ { SYS_sendto, { 3, 1, 1, 0, 1, 16 }, ALLOW }, 0, SEND },
	{ { SYS_sendto, { 3, 1, 1, 0, 1ULL << 32, 16 }, ALLOW }, 0, SEND },
	{ { SYS_sendto, { 3, 1, 1, 0, 1, 0 }, ALLOW }, 0, SEND },
	{ { SYS_sendto, { 3, 1, 1, 0, 0, 16 }, ALLOW }, 0, 0 },
	{ { SYS_sendmsg, { 3, 1, 0 }, ALLOW }, 0, SEND },
	{ { SYS_sendmmsg, { 3, 1, 1, 0 }, ALLOW }, 0, SEND },

	{ { SYS_bind, { 3, 1, 16 }, ALLOW }, 0, BIND | ROUTE },
	{ { SYS_getsockname, { 3, 1, 1 }, ALLOW }, 0, REMAP | ROUTE },
	{ { SYS_getpeername, { 3, 1, 1 }, ALLOW }, 0, REMAP },
	{ { SYS_accept, { 3, 1, 1 }, ALLOW }, 0, REMAP },
	{ { SYS_accept, { 3, 1ULL << 32, 1 }, ALLOW }, 0, REMAP },
	{ { SYS_accept, { 3, 0, 1 }, ALLOW }, 0, 0 },
	{ { SYS_accept4, { 3, 1, 1, SOCK_CLOEXEC }, ALLOW }, 0, REMAP },
	{ { SYS_accept4, { 3, 0, 1, 0 }, ALLOW }, 0, 0 },
	{ { SYS_recvfrom, { 3, 1, 1, 0, 1, 1 }, ALLOW }, 0, REMAP },
	{ { SYS_recvfrom, { 3, 1, 1, 0, 1ULL << 32, 1 }, ALLOW }, 0, REMAP },
	{ { SYS_recvfrom, { 3, 1, 1, 0, 0, 1 }, ALLOW }, 0, 0 },
	/* As a libc asks for interfaces, and no other way. */
	{ { SYS_recvfrom, { 3, 1, 8192, MSG_DONTWAIT, 0, 0 }, ALLOW }, 0,
	    ROUTE },
	{ { SYS_recvfrom, { 3, 1, 8192, 0, 0, 0 }, ALLOW }, 0, 0 },
	{ { SYS_recvfrom, { 3, 1, 8191, MSG_DONTWAIT, 0, 0 }, ALLOW }, 0, 0 },
	{ { SYS_recvmsg, { 3, 1, 0 }, ALLOW }, 0, REMAP },
	{ { SYS_recvmmsg, { 3, 1, 1, 0, 0 }, ALLOW }, 0, REMAP },

	{ { SYS_setsockopt, { 3, 270, 1 }, ALLOW }, 0, ROUTE },
	{ { SYS_getsockopt, { 3, 270, 9 }, ALLOW }, 0, ROUTE },
	{ { SYS_getsockopt, { 3, SOL_SOCKET, SO_DOMAIN }, ALLOW }, 0, ROUTE },
	{ { SYS_getsockopt, { 3, SOL_SOCKET, SO_TYPE }, ALLOW }, 0, ROUTE },
	{ { SYS_getsockopt, { 3, SOL_SOCKET, SO_PROTOCOL }, ALLOW }, 0,
	    ROUTE },
	{ { SYS_getsockopt, { 3, SOL_SOCKET, SO_ERROR }, ALLOW }, 0, 0 },
	{ { SYS_getsockopt, { 3, IPPROTO_TCP, SO_TYPE }, ALLOW }, 0, 0 },
	{ { SYS_setsockopt, { 3, SOL_SOCKET, SO_REUSEADDR }, ALLOW }, 0, BIND },
	{ { SYS_setsockopt, { 3, SOL_SOCKET, SO_REUSEPORT }, ALLOW }, 0, BIND },
	{ { SYS_setsockopt, { 3, IPPROTO_TCP, SO_REUSEADDR }, ALLOW }, 0, 0 },
	{ { SYS_setsockopt, { 3, SOL_SOCKET, SO_RCVBUF }, ALLOW }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x8910 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8912 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8913 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8915 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8917 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8919 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x891b }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x891d }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8921 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8927 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8933 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8942 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8946 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8970 }, ERRNO(EPERM) }, 0, ROUTE },
	{ { SYS_ioctl, { 3, 0x8901 }, ALLOW }, 0, 0 },

	{ { SYS_open, { 1, O_RDONLY }, ALLOW }, 0, HOSTS | REMAP },
	{ { SYS_open, { 1, O_WRONLY | O_CREAT }, ALLOW }, 0,
	    HOSTS | REMAP },
	{ { SYS_open, { 1, O_PATH }, ALLOW }, 0, 0 },
	{ { SYS_openat, { 3, 1, O_RDONLY }, ALLOW }, 0, HOSTS | REMAP },
	{ { SYS_openat, { 3, 1, O_PATH | O_CLOEXEC }, ALLOW }, 0, 0 },
	{ { SYS_creat, { 1, O_PATH }, ALLOW }, 0, HOSTS | REMAP },

	/* What was decided about before, whatever is asked for. */
	{ { SYS_connect, { 3, 1, 16 }, ALLOW }, 0, 0 },
	{ { SYS_listen, { 3, 1 }, ALLOW }, 0, 0 },
	{ { SYS_write, { 3, 1, 1 }, ALLOW }, 0, 0 },
	{ { SYS_writev, { 3, 1, 1 }, ALLOW }, 0, 0 },
	{ { SYS_read, { 3, 1, 1 }, ALLOW }, 0, 0 },
	{ { SYS_shutdown, { 3, 1 }, ALLOW }, 0, 0 },
	{ { SYS_stat, { 1 }, ALLOW }, 0, 0 },
	{ { SYS_unlink, { 1 }, ALLOW }, 0, 0 },

	/* And what nobody is ever given. */
	{ { SYS_socket, { AF_INET, SOCK_DGRAM, 136 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET6, SOCK_DGRAM, 136 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET, SOCK_DGRAM, 58 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET6, SOCK_DGRAM, 1 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET, SOCK_DGRAM, 6 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET, SOCK_STREAM, 17 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET, SOCK_RAW, 0 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET, SOCK_RAW, 1 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET6, SOCK_RAW, 58 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_INET, SOCK_DGRAM | 0x10000, 0 }, ERRNO(EACCES) },
	    0, 0 },
	{ { SYS_socket, { AF_UNIX, SOCK_RAW, 0 }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socket, { AF_NETLINK, SOCK_STREAM, 0 }, ERRNO(EACCES) },
	    0, 0 },
	{ { SYS_socket, { AF_NETLINK, SOCK_SEQPACKET, 0 }, ERRNO(EACCES) },
	    0, 0 },
	{ { SYS_socketpair, { AF_UNIX, SOCK_RAW }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socketpair, { AF_INET, SOCK_DGRAM }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_socketpair, { AF_NETLINK, SOCK_RAW }, ERRNO(EACCES) }, 0, 0 },
	{ { SYS_sendto, { 3, 1, 1, MSG_FASTOPEN, 1, 16 }, ERRNO(EPERM) },
	    0, 0 },
	{ { SYS_sendto, { 3, 1, 1, MSG_FASTOPEN, 0, 0 }, ERRNO(EPERM) },
	    0, 0 },
	{ { SYS_sendmsg, { 3, 1, MSG_FASTOPEN }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_sendmmsg, { 3, 1, 1, MSG_FASTOPEN }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_setsockopt, { 3, IPPROTO_UDP, 100 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_setsockopt, { 3, IPPROTO_IP, 4 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_setsockopt, { 3, IPPROTO_IPV6, 57 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x8911 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x8914 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x8916 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x8923 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x8947 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x8971 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_ioctl, { 3, 0x89e0 }, ERRNO(EPERM) }, 0, 0 },
	{ { SYS_open, { 1, 3 }, ERRNO(EINVAL) }, 0, 0 },
	{ { SYS_openat, { 3, 1, 3 | O_PATH }, ERRNO(EINVAL) }, 0, 0 },
	{ { SYS_openat2, { 3, 1, 1, 24 }, ERRNO(ENOSYS) }, 0, 0 }
};

static void
check_network(const struct sock_fprog *prog, unsigned int wishes)
{
	struct check	 c;
	size_t		 i;

	for (i = 0; i < NELEMS(network_checks); i++) {
		c = network_checks[i].check;
		if ((network_checks[i].allow & wishes) != 0)
			c.action = ALLOW;
		else if ((network_checks[i].notify & wishes) != 0)
			c.action = NOTIFY;
		check_all(prog, &c, 1);
	}
	/* No other protocol of netlink, by any number. */
	memset(&c, 0, sizeof(c));
	c.nr = SYS_socket;
	c.args[0] = AF_NETLINK;
	c.action = ERRNO(EACCES);
	for (c.args[2] = 1; c.args[2] < 64; c.args[2]++)
		for (c.args[1] = SOCK_DGRAM; c.args[1] <= SOCK_RAW;
		    c.args[1]++)
			check_all(prog, &c, 1);
}

/* Each wish brings what it is for, whatever else is asked for, and no more. */
ATF_TC(network);
ATF_TC_HEAD(network, tc)
{
	atf_tc_set_md_var(tc, "descr", "all combinations, with both lists");
}
ATF_TC_BODY(network, tc)
{
	static const unsigned int	 seen = SEND | BIND | REMAP | ROUTE |
					    HOSTS;
	struct filter_conf		 conf;
	struct sock_fprog		 prog;
	unsigned int			 wishes;

	for (wishes = 0; wishes < 2 * NETWORK; wishes++) {
		conf = conf_network(wishes % NETWORK);
		conf.allow_list = wishes >= NETWORK;
		prog = build(&conf, (wishes & seen) != 0);
		check_network(&prog, wishes);
		free(prog.filter);
	}
}

/* Without sockets by path there are none of datagrams, but pairs. */
ATF_TC_WITHOUT_HEAD(no_paths);
ATF_TC_BODY(no_paths, tc)
{
	struct check		 c = { SYS_socket, { AF_UNIX, SOCK_DGRAM },
				    ERRNO(EACCES) };
	struct check		 pair = { SYS_socketpair, { AF_UNIX,
				    SOCK_DGRAM }, ALLOW };
	struct filter_conf	 conf = conf_network(SEND | UDP);
	struct sock_fprog	 prog;

	conf.unix_sockets = 0;
	prog = build(&conf, 1);
	check_all(&prog, &c, 1);
	check_all(&prog, &pair, 1);
	free(prog.filter);
	/* That to ask about interfaces with is the supervisor's. */
	conf.netlink = 1;
	prog = build(&conf, 1);
	c.action = NOTIFY;
	check_all(&prog, &c, 1);
	free(prog.filter);
}

/* The classes that a working directory adds, all at once. */
static int
class_view(enum syscall_class class)
{
	return (class >= CLASS_OPEN && class <= CLASS_BIND);
}

/* And those that a quota adds. */
static int
class_quota(enum syscall_class class)
{
	return (class >= CLASS_WRITE);
}

/* Those of ports that are not the host's; two are allowed without a pointer. */
static int
class_remap(enum syscall_class class)
{
	return (class == CLASS_SOCKNAME || class == CLASS_ACCEPT ||
	    class == CLASS_RECV);
}

static uint32_t
eval_class(const struct sock_fprog *prog, const struct syscall_entry *e)
{
	/* With offsets, without which some are refused: see holders. */
	uint64_t	 args[6] = { 0, 1, 1, 1 };

	if (e->addr != SLOT_NONE)
		args[e->addr] = 4096;
	return (eval(prog, e->nr, args));
}

static struct filter_conf
conf_class(enum syscall_class class, enum filter_verdict verdict)
{
	struct filter_conf	 conf = open_conf;

	if (class == CLASS_FORK)
		conf.fork = verdict;
	else if (class == CLASS_CONNECT)
		conf.connect = verdict;
	else if (class == CLASS_LISTEN)
		conf.listen = verdict;
	else if (class_remap(class))
		conf.remap = verdict == FILTER_NOTIFY;
	else if (class == CLASS_SEND)
		conf.send = verdict == FILTER_NOTIFY;
	else if (class_view(class))
		conf.view = verdict == FILTER_NOTIFY;
	else if (class_quota(class))
		conf.quota = verdict == FILTER_NOTIFY;
	else
		conf.meta = verdict;
	return (conf);
}

static int
class_error(enum syscall_class class)
{
	if (class == CLASS_FORK)
		return (EAGAIN);
	if (class == CLASS_CONNECT || class == CLASS_LISTEN)
		return (EACCES);
	return (EPERM);
}

/*
 * R4: table, filter and dispatcher agree.  Every spelling of a class has the
 * verdict of the class, and no number outside the table is ever notified, so
 * that the dispatcher, which finds its handler in the same table, knows
 * whatever it receives.
 */
ATF_TC_WITHOUT_HEAD(classes);
ATF_TC_BODY(classes, tc)
{
	/* With offsets, without which some are refused: see holders. */
	static const uint64_t		 args[6] = { 0, 1, 1, 1 };
	struct filter_conf		 conf;
	struct sock_fprog		 deny, notify;
	const struct syscall_entry	*e;
	enum syscall_class		 class;
	uint32_t			 refused;
	int				 nr;

	for (class = CLASS_NONE + 1; class < CLASS_MAX; class++) {
		/* Other arguments decide: see holders, netlink. */
		if (class == CLASS_SOCKET || class == CLASS_SOCKOPT ||
		    class == CLASS_IFREQ)
			continue;
		conf = conf_class(class, FILTER_DENY);
		deny = build(&conf, 0);
		conf = conf_class(class, FILTER_NOTIFY);
		notify = build(&conf, 1);
		refused = ERRNO(class_error(class));
		for (nr = 0; nr <= SYSCALL_LAST; nr++) {
			e = syscall_lookup(nr);
			if (nr == SYS_clone3) {
				ATF_CHECK_EQ(ERRNO(ENOSYS), eval(&deny, nr,
				    args));
				ATF_CHECK_EQ(ERRNO(ENOSYS), eval(&notify,
				    nr, args));
			} else if (e != NULL && e->class == class) {
				/* Without a view they are like all others. */
				ATF_CHECK_EQ_MSG(class_view(class) ||
				    class_quota(class) || class_remap(class) ||
				    class == CLASS_SEND ? ALLOW : refused,
				    eval_class(&deny, e), "%s", e->name);
				ATF_CHECK_EQ_MSG(NOTIFY, eval_class(&notify,
				    e), "%s", e->name);
			} else if (e != NULL && class_remap(class) &&
			    class_remap(e->class)) {
				ATF_CHECK_EQ_MSG(NOTIFY, eval_class(&notify,
				    e), "%s", e->name);
				ATF_CHECK_EQ_MSG(e->addr == SLOT_NONE ||
				    e->class == CLASS_SOCKNAME ? NOTIFY :
				    ALLOW, eval0(&notify, nr), "%s", e->name);
			} else if (e != NULL && ((class_view(class) &&
			    class_view(e->class)) || (class_quota(class) &&
			    class_quota(e->class)))) {
				ATF_CHECK_EQ_MSG(NOTIFY, eval(&notify, nr,
				    args), "%s", e->name);
			} else if (e != NULL && class_quota(class) &&
			    class_view(e->class)) {
				/* See quota below. */
				continue;
			} else if (e != NULL && class_remap(class) &&
			    e->class == CLASS_OPEN) {
				/* See hosts below. */
				continue;
			} else if (e == NULL || class == CLASS_FORK ||
			    class_error(e->class) != EPERM) {
				ATF_CHECK_MSG(eval(&notify, nr, args) != NOTIFY,
				    "number %d", nr);
			}
		}
		free(deny.filter);
		free(notify.filter);
	}
}

/* Everything that a policy can ask to be notified is. */
static struct filter_conf
conf_everything(void)
{
	struct filter_conf	 conf = conf_network(NETWORK - 1);

	conf.fork = conf.meta = conf.connect = conf.listen = FILTER_NOTIFY;
	conf.view = conf.quota = 1;
	conf.holes = HOLES_READ;
	return (conf);
}

/* Nothing outside the table is notified even then. */
static void
check_outside(const struct sock_fprog *prog)
{
	uint64_t	 args[6];
	size_t		 i, j;
	int		 nr;

	for (nr = -2; nr <= SYSCALL_LAST + 2; nr++) {
		if (syscall_lookup(nr) != NULL)
			continue;
		for (i = 0; i < 2; i++) {
			memset(args, i == 0 ? 0 : 0xff, sizeof(args));
			ATF_CHECK(eval(prog, nr, args) != NOTIFY);
		}
		for (i = 0; i < NELEMS(network_checks); i++)
			ATF_CHECK(eval(prog, nr,
			    network_checks[i].check.args) != NOTIFY);
		for (i = 0; i < 6; i++)
			for (j = 0; j < 64; j++) {
				memset(args, 0, sizeof(args));
				args[i] = 1ULL << j;
				ATF_CHECK(eval(prog, nr, args) != NOTIFY);
			}
	}
}

/* And everything in it is, with some arguments. */
static void
check_inside(const struct sock_fprog *prog)
{
	static const struct check	 by_arguments[] = {
		{ SYS_socket, { AF_NETLINK, SOCK_RAW, 0 }, NOTIFY },
		{ SYS_setsockopt, { 3, SOL_SOCKET, SO_LINGER }, NOTIFY },
		{ SYS_getsockopt, { 3, SOL_SOCKET, SO_TYPE }, NOTIFY },
		{ SYS_ioctl, { 3, 0x8912 }, NOTIFY },
		{ SYS_clone3, { 1, 88 }, ERRNO(ENOSYS) }
	};
	const struct syscall_entry	*e;
	size_t				 i, j;

	check_all(prog, by_arguments, NELEMS(by_arguments));
	for (i = 0; i < syscall_table_len; i++) {
		e = &syscall_table[i];
		for (j = 0; j < NELEMS(by_arguments); j++)
			if (by_arguments[j].nr == e->nr)
				break;
		if (j == NELEMS(by_arguments))
			ATF_CHECK_EQ_MSG(NOTIFY, eval_class(prog, e), "%s",
			    e->name);
		ATF_CHECK_EQ(KILL, eval(prog, e->nr | SYSCALL_X32_BIT, NULL));
	}
}

ATF_TC_WITHOUT_HEAD(notified_numbers);
ATF_TC_BODY(notified_numbers, tc)
{
	struct filter_conf	 conf = conf_everything();
	struct sock_fprog	 prog;

	for (conf.allow_list = 0; conf.allow_list <= 1; conf.allow_list++) {
		prog = build(&conf, 1);
		check_outside(&prog);
		check_inside(&prog);
		free(prog.filter);
	}
}

/* Around holes names matter, whatever a descriptor is used for. */
ATF_TC_WITHOUT_HEAD(holes);
ATF_TC_BODY(holes, tc)
{
	static const struct check	 hidden[] = {
		{ SYS_open, { 1, O_RDONLY }, NOTIFY },
		{ SYS_stat, { 1 }, NOTIFY },
		{ SYS_readlinkat, { 3, 1 }, NOTIFY },
		{ SYS_unlink, { 1 }, NOTIFY },
		{ SYS_chdir, { 1 }, NOTIFY },
		{ SYS_inotify_add_watch, { 3, 1 }, NOTIFY },
		{ SYS_file_getattr, { 3, 1 }, ERRNO(ENOSYS) },
		{ SYS_fstat, { 3 }, ALLOW },
		{ SYS_fgetxattr, { 3 }, ALLOW },
		{ SYS_fchdir, { 3 }, ALLOW },
		{ SYS_getcwd, { 1 }, ALLOW },
		{ SYS_execve, { 1 }, ALLOW },
		{ SYS_bind, { 3, 1, 16 }, ALLOW }
	};
	static const struct check	 changes[] = {
		{ SYS_open, { 1, O_RDONLY }, ALLOW },
		{ SYS_open, { 1, O_WRONLY }, NOTIFY },
		{ SYS_unlink, { 1 }, NOTIFY },
		{ SYS_truncate, { 1 }, NOTIFY },
		{ SYS_stat, { 1 }, ALLOW },
		{ SYS_chdir, { 1 }, ALLOW },
		{ SYS_file_getattr, { 3, 1 }, ALLOW }
	};
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;

	conf.holes = HOLES_CHANGE;
	prog = build(&conf, 1);
	check_all(&prog, changes, NELEMS(changes));
	free(prog.filter);
	conf.holes = HOLES_READ;
	prog = build(&conf, 1);
	check_all(&prog, hidden, NELEMS(hidden));
	free(prog.filter);
	/* A quota adds what takes room, and a socket's name does. */
	conf.quota = 1;
	prog = build(&conf, 1);
	check_all(&prog, hidden, NELEMS(hidden) - 1);
	ATF_CHECK_EQ(NOTIFY, eval0(&prog, SYS_bind));
	ATF_CHECK_EQ(NOTIFY, eval0(&prog, SYS_ftruncate));
	free(prog.filter);
}

/*
 * With a quota and no view, what opens for reading or looks at something is
 * nobody's business.  What has another way to take blocks is not there.
 */
ATF_TC_WITHOUT_HEAD(quota);
ATF_TC_BODY(quota, tc)
{
	static const struct check	 checks[] = {
		{ SYS_open, { 0, O_RDONLY }, ALLOW },
		{ SYS_open, { 0, O_RDONLY | O_DIRECTORY }, ALLOW },
		{ SYS_open, { 0, O_WRONLY }, NOTIFY },
		{ SYS_open, { 0, O_RDONLY | O_CREAT }, NOTIFY },
		{ SYS_openat, { 0, 0, O_RDONLY | O_CLOEXEC }, ALLOW },
		{ SYS_openat, { 0, 0, O_RDWR }, NOTIFY },
		{ SYS_openat, { 0, 0, O_RDONLY | O_TRUNC }, NOTIFY },
		{ SYS_openat, { 0, 0, O_TMPFILE | O_RDWR }, NOTIFY },
		{ SYS_creat, { 0 }, NOTIFY },
		{ SYS_unlink, { 0 }, NOTIFY },
		{ SYS_unlinkat, { 0 }, NOTIFY },
		{ SYS_rmdir, { 0 }, NOTIFY },
		{ SYS_mkdir, { 0 }, NOTIFY },
		{ SYS_mkdirat, { 0 }, NOTIFY },
		{ SYS_mknod, { 0, S_IFIFO }, NOTIFY },
		{ SYS_symlink, { 0 }, NOTIFY },
		{ SYS_symlinkat, { 0 }, NOTIFY },
		{ SYS_rename, { 0 }, NOTIFY },
		{ SYS_renameat2, { 0 }, NOTIFY },
		{ SYS_link, { 0 }, NOTIFY },
		{ SYS_linkat, { 0 }, NOTIFY },
		{ SYS_truncate, { 0 }, NOTIFY },
		{ SYS_bind, { 0 }, NOTIFY },
		{ SYS_stat, { 0 }, ALLOW },
		{ SYS_execve, { 0 }, ALLOW },
		{ SYS_getdents64, { 0 }, ALLOW },
		{ SYS_read, { 0 }, ALLOW },
		{ SYS_mmap, { 0 }, ALLOW },
		{ SYS_ioctl, { 0, 0x40049409 }, ERRNO(EOPNOTSUPP) },
		{ SYS_ioctl, { 0, 0x4020940d }, ERRNO(EOPNOTSUPP) },
		{ SYS_ioctl, { 0, 0xc0189436 }, ALLOW },
		{ SYS_ioctl, { 0, 0x40305828 }, ERRNO(EOPNOTSUPP) },
		{ SYS_ioctl, { 0, 0x4030582a }, ERRNO(EOPNOTSUPP) },
		{ SYS_ioctl, { 0, 0x40305839 }, ERRNO(EOPNOTSUPP) },
		{ SYS_io_setup, { 1 }, ERRNO(ENOSYS) },
		{ SYS_io_submit, { 0 }, ERRNO(ENOSYS) }
	};
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;
	struct check		 c;
	size_t			 i;

	conf.quota = 1;
	prog = build(&conf, 1);
	check_all(&prog, checks, NELEMS(checks));
	free(prog.filter);

	/* Control: without a quota the filter has no word on any of them. */
	conf.quota = 0;
	prog = build(&conf, 0);
	for (i = 0; i < NELEMS(checks); i++) {
		c = checks[i];
		c.action = ALLOW;
		check_all(&prog, &c, 1);
	}
	free(prog.filter);
}

/*
 * With virtual files, or ports of its own, which are in files, every open is
 * notified that could read or write one.
 */
ATF_TC_WITHOUT_HEAD(hosts);
ATF_TC_BODY(hosts, tc)
{
	static const struct check	 checks[] = {
		{ SYS_open, { 0, O_RDONLY }, NOTIFY },
		{ SYS_open, { 0, O_RDWR | O_CREAT }, NOTIFY },
		{ SYS_open, { 0, O_PATH | O_CLOEXEC }, ALLOW },
		{ SYS_openat, { 0, 0, O_RDONLY | O_NOFOLLOW }, NOTIFY },
		{ SYS_openat, { 0, 0, O_PATH }, ALLOW },
		{ SYS_openat, { 0, 0, 3 }, ERRNO(EINVAL) },
		{ SYS_openat2, { 0 }, ERRNO(ENOSYS) },
		{ SYS_creat, { 0, O_PATH }, NOTIFY },
		{ SYS_stat, { 0 }, ALLOW },
		{ SYS_access, { 0 }, ALLOW },
		{ SYS_unlink, { 0 }, ALLOW },
		{ SYS_rename, { 0 }, ALLOW },
		{ SYS_execve, { 0 }, ALLOW },
		{ SYS_read, { 0 }, ALLOW }
	};
	static const struct check	 path = { SYS_open, { 0, O_PATH },
					    NOTIFY };
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;

	conf.hosts = 1;
	prog = build(&conf, 1);
	check_all(&prog, checks, NELEMS(checks));
	free(prog.filter);
	conf.hosts = 0;
	conf.remap = 1;
	prog = build(&conf, 1);
	check_all(&prog, checks, NELEMS(checks));
	free(prog.filter);
	conf.quota = 1;
	prog = build(&conf, 1);
	check_all(&prog, checks, 3);
	free(prog.filter);
	conf.quota = 0;
	/* A view wants those, too. */
	conf.view = 1;
	prog = build(&conf, 1);
	check_all(&prog, &path, 1);
	free(prog.filter);
}

/*
 * Where a worker may hold what the workload has open, nothing may hold that
 * worker up: no splice that waits while it has the pipe, no close that waits.
 */
ATF_TC_WITHOUT_HEAD(holders);
ATF_TC_BODY(holders, tc)
{
	static const uint64_t		 high = 1ULL << 32;
	static const struct check	 checks[] = {
		{ SYS_splice, { 3, 0, 4, 0, 1, 0 }, ERRNO(EINVAL) },
		{ SYS_splice, { 3, 0, 4, 0, 1, 2 }, ERRNO(EINVAL) },
		{ SYS_sendfile, { 3, 4, 0, 1 }, ERRNO(EINVAL) },
		{ SYS_setsockopt, { 3, SOL_SOCKET, SO_LINGER, 1, 8 }, NOTIFY },
		{ SYS_setsockopt, { 3, high | SOL_SOCKET, high | SO_LINGER },
		    NOTIFY }
	};
	static const struct check	 others[] = {
		{ SYS_splice, { 3, 1, 4, 0, 1, 0 }, ALLOW },
		{ SYS_splice, { 3, 0, 4, 1, 1, 0 }, ALLOW },
		{ SYS_splice, { 3, high, 4, 0, 1, 0 }, ALLOW },
		{ SYS_sendfile, { 3, 4, 1, 1 }, ALLOW },
		{ SYS_sendfile, { 3, 4, high, 1 }, ALLOW },
		{ SYS_tee, { 3, 4, 1, 0 }, ALLOW },
		{ SYS_vmsplice, { 3, 0, 0, 0 }, ALLOW },
		{ SYS_setsockopt, { 3, SOL_SOCKET, SO_KEEPALIVE }, ALLOW },
		{ SYS_setsockopt, { 3, IPPROTO_TCP, SO_LINGER }, ALLOW },
		{ SYS_getsockopt, { 3, SOL_SOCKET, SO_LINGER }, ALLOW }
	};
	struct filter_conf	 confs[11];
	struct sock_fprog	 prog;
	struct check		 c;
	size_t			 i, j;

	for (i = 0; i < NELEMS(confs); i++)
		confs[i] = open_conf;
	confs[0].meta = FILTER_NOTIFY;
	confs[1].connect = FILTER_NOTIFY;
	confs[2].listen = FILTER_NOTIFY;
	confs[3].view = 1;
	confs[4].holes = HOLES_CHANGE;
	confs[5].holes = HOLES_READ;
	confs[6] = conf_network(SEND);
	confs[7] = conf_network(BIND);
	confs[8] = conf_network(REMAP);
	confs[9] = conf_network(ROUTE);
	confs[10] = conf_network(HOSTS);
	for (i = 0; i < NELEMS(confs); i++) {
		prog = build(&confs[i], 1);
		check_all(&prog, checks, NELEMS(checks));
		check_all(&prog, others, NELEMS(others));
		free(prog.filter);
	}

	/* With a quota whatever is written to is looked at. */
	confs[0] = open_conf;
	confs[0].quota = 1;
	prog = build(&confs[0], 1);
	check_all(&prog, checks, NELEMS(checks));
	ATF_CHECK_EQ(NOTIFY, eval(&prog, SYS_splice, others[0].args));
	ATF_CHECK_EQ(NOTIFY, eval(&prog, SYS_sendfile, others[3].args));
	free(prog.filter);

	/* Control: forks alone, or sockets, bring no worker that holds any. */
	confs[0] = open_conf;
	confs[0].fork = FILTER_NOTIFY;
	confs[1] = conf_network(UDP | ICMP);
	for (i = 0; i < 2; i++) {
		prog = build(&confs[i], i == 0);
		for (j = 0; j < NELEMS(checks); j++) {
			c = checks[j];
			c.action = ALLOW;
			check_all(&prog, &c, 1);
		}
		free(prog.filter);
	}
}

ATF_TC_WITHOUT_HEAD(fork_flags);
ATF_TC_BODY(fork_flags, tc)
{
	static const uint64_t	 thread = CLONE_VM | CLONE_FS | CLONE_FILES |
				    CLONE_SIGHAND | CLONE_THREAD;
	const struct check	 notify[] = {
		{ SYS_clone, { SIGCHLD }, NOTIFY },
		{ SYS_clone, { CLONE_VM | CLONE_VFORK | SIGCHLD }, NOTIFY },
		{ SYS_clone, { CLONE_PARENT | SIGCHLD }, NOTIFY },
		{ SYS_clone, { CLONE_VM | CLONE_SIGHAND }, NOTIFY },
		{ SYS_clone, { thread }, ALLOW },
		{ SYS_clone, { thread | CLONE_NEWUSER }, ERRNO(EPERM) },
		{ SYS_clone, { CLONE_NEWUSER | SIGCHLD }, ERRNO(EPERM) },
		{ SYS_fork, { 0 }, NOTIFY },
		{ SYS_fork, { thread }, NOTIFY },
		{ SYS_vfork, { 0 }, NOTIFY },
		{ SYS_clone3, { 0 }, ERRNO(ENOSYS) }
	};
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;
	struct check		 c;
	size_t			 i;

	conf.fork = FILTER_NOTIFY;
	prog = build(&conf, 1);
	check_all(&prog, notify, NELEMS(notify));
	free(prog.filter);

	conf.fork = FILTER_DENY;
	prog = build(&conf, 0);
	for (i = 0; i < NELEMS(notify); i++) {
		c = notify[i];
		if (c.action == NOTIFY)
			c.action = ERRNO(EAGAIN);
		check_all(&prog, &c, 1);
	}
	free(prog.filter);
}

ATF_TC_WITHOUT_HEAD(cpus_fixed);
ATF_TC_BODY(cpus_fixed, tc)
{
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;

	conf.cpus_fixed = 1;
	prog = build(&conf, 0);
	ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, SYS_sched_setaffinity));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_sched_getaffinity));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_sched_setscheduler));
	free(prog.filter);
}

ATF_TC_WITHOUT_HEAD(ordinary_calls);
ATF_TC_BODY(ordinary_calls, tc)
{
	struct filter_conf	 conf = { .fork = FILTER_NOTIFY };
	struct sock_fprog	 prog;
	size_t			 i;
	int			 list;

	/* The strictest: no grants, limits, and everything logged. */
	for (list = 0; list <= 1; list++) {
		conf.allow_list = list;
		conf.log_denials = 1;
		prog = build(&conf, 1);
		for (i = 0; i < NELEMS(ordinary); i++)
			if (!list ||
			    ordinary[i] != SYS_landlock_create_ruleset)
				ATF_CHECK_MSG(always_allowed(&prog,
				    ordinary[i]), "%s",
				    syscall_name(ordinary[i]));
		free(prog.filter);
	}
}

/*
 * With log_denials a denial notifies, and the program without it tells the
 * errno; what is no denial stays as it is.
 */
ATF_TC_WITHOUT_HEAD(log_denials);
ATF_TC_BODY(log_denials, tc)
{
	struct filter_conf	 conf = { .fork = FILTER_DENY };
	struct sock_fprog	 logged, quiet;
	uint64_t		 args[6];
	uint32_t		 action, expected;
	size_t			 i;
	int			 list, nr, value;

	for (list = 0; list <= 1; list++) {
		conf.allow_list = list;
		conf.log_denials = 0;
		quiet = build(&conf, 0);
		conf.log_denials = 1;
		logged = build(&conf, 1);
		for (nr = -2; nr <= SYSCALL_LAST + 2; nr++)
			for (i = 0; i < 6; i++)
				for (value = 0; value < 64; value++) {
					memset(args, 0, sizeof(args));
					args[i] = value;
					action = eval(&quiet, nr, args);
					expected = action;
					if ((action &
					    SECCOMP_RET_ACTION_FULL) ==
					    SECCOMP_RET_ERRNO &&
					    action != ERRNO(0) &&
					    action != ERRNO(ENOSYS))
						expected = NOTIFY;
					ATF_CHECK_EQ(expected, eval(&logged,
					    nr, args));
				}
		ATF_CHECK_EQ(NOTIFY, eval0(&logged, SYS_mount));
		ATF_CHECK_EQ(NOTIFY, eval0(&logged, SYS_socket));
		ATF_CHECK_EQ(NOTIFY, eval0(&logged, SYS_fork));
		ATF_CHECK_EQ(ERRNO(ENOSYS), eval0(&logged, SYS_clone3));
		memset(args, 0, sizeof(args));
		args[0] = PR_SET_DUMPABLE;
		ATF_CHECK_EQ(ERRNO(0), eval(&logged, SYS_prctl, args));
		free(quiet.filter);
		free(logged.filter);
	}
	/* What a quota leaves out is missing, too. */
	conf.allow_list = 0;
	conf.quota = 1;
	logged = build(&conf, 1);
	ATF_CHECK_EQ(ERRNO(ENOSYS), eval0(&logged, SYS_io_setup));
	free(logged.filter);
}

ATF_TC_WITHOUT_HEAD(changes);
ATF_TC_BODY(changes, tc)
{
	const struct filter_change	 list[] = {
		{ SYS_getppid, 0 },
		{ SYS_shmget, 1 },
		{ SYS_mq_open, 1 },
		{ SYS_kcmp, 1 },
		{ SYS_chmod, 0 },
		{ SYS_clone, 0 },
		{ SYS_clone3, 0 },
		{ SYS_openat, 1 },	/* changes nothing */
		{ SYS_getpid, 0 },
		{ SYS_getpid, 1 },	/* the last one counts */
		{ SYS_semget, 1 },
		{ SYS_semget, 0 }
	};
	const uint64_t			 neither[6] = { 0, 0, 3 };
	const uint64_t			 thread[6] = { CLONE_THREAD };
	struct filter_conf		 conf = open_conf;
	struct sock_fprog		 prog;

	conf.meta = FILTER_NOTIFY;
	prog = build_changed(&conf, list, NELEMS(list), 1);
	ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, SYS_getppid));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_shmget));
	ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, SYS_shmat));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_mq_open));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_kcmp));
	/* A denial goes before the class and the rules about arguments. */
	ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, SYS_chmod));
	ATF_CHECK_EQ(NOTIFY, eval0(&prog, SYS_fchmod));
	ATF_CHECK_EQ(ERRNO(EPERM), eval(&prog, SYS_clone, thread));
	/* Programs fall back from clone3 only on ENOSYS. */
	ATF_CHECK_EQ(ERRNO(ENOSYS), eval0(&prog, SYS_clone3));
	/* A permit does not lift the rules about arguments. */
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_openat));
	ATF_CHECK_EQ(ERRNO(EINVAL), eval(&prog, SYS_openat, neither));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_getpid));
	ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, SYS_semget));
	free(prog.filter);
}

ATF_TC_WITHOUT_HEAD(changes_refused);
ATF_TC_BODY(changes_refused, tc)
{
	static const int	 unknown[] = {
		-1, SYSCALL_LAST + 1, 400, SYSCALL_X32_BIT
	};
	struct filter_change	 change;
	struct sock_fprog	 prog;
	size_t			 i;
	int			 listener;

	for (i = 0; i < NELEMS(unknown); i++) {
		change.nr = unknown[i];
		for (change.permit = 0; change.permit <= 1; change.permit++)
			ATF_CHECK_ERRNO(EINVAL, filter_build(&open_conf,
			    &change, 1, &prog, &listener) == -1);
	}
	change.permit = 1;
	for (i = 0; i < NELEMS(denied); i++) {
		if (syscall_liftable(denied[i]))
			continue;
		change.nr = denied[i];
		ATF_CHECK_ERRNO(EINVAL, filter_build(&open_conf, &change, 1,
		    &prog, &listener) == -1);
	}
}

ATF_TC_WITHOUT_HEAD(liftables);
ATF_TC_BODY(liftables, tc)
{
	const int	*group;
	size_t		 i, j, n;
	int		 expected;

	for (i = 0; i < NELEMS(denied); i++) {
		expected = 0;
		for (j = 0; j < NELEMS(liftable); j++)
			expected |= liftable[j] == denied[i];
		group = syscall_group("@sysv_ipc", &n);
		for (j = 0; j < n; j++)
			expected |= group[j] == denied[i];
		group = syscall_group("@posix_mq", &n);
		for (j = 0; j < n; j++)
			expected |= group[j] == denied[i];
		ATF_CHECK_EQ_MSG(expected, syscall_liftable(denied[i]), "%s",
		    syscall_name(denied[i]));
	}
	ATF_CHECK(!syscall_liftable(SYS_clone3));
	ATF_CHECK(!syscall_liftable(SYS_openat2));
	ATF_CHECK(!syscall_liftable(-1));
	ATF_CHECK(!syscall_liftable(SYSCALL_LAST + 1));
	/* What is allowed anyway may be named. */
	ATF_CHECK(syscall_liftable(SYS_read));
	ATF_CHECK(syscall_liftable(SYS_ioctl));
}

/* The allow list admits less, and what it admits has the same rules. */
ATF_TC_WITHOUT_HEAD(allow_list);
ATF_TC_BODY(allow_list, tc)
{
	static const int	 left_out[] = {
		SYS_io_setup, SYS_io_submit, SYS_mbind, SYS_seccomp,
		SYS_remap_file_pages, SYS_ustat, SYS_sysfs,
		SYS_landlock_create_ruleset
	};
	/* One of each group that is on the list. */
	static const int	 admitted[] = {
		SYS_read, SYS_poll, SYS_stat, SYS_chmod, SYS_fsync, SYS_mmap,
		SYS_execve, SYS_getuid, SYS_setresuid, SYS_rt_sigaction,
		SYS_futex, SYS_nanosleep, SYS_sched_yield, SYS_getrlimit,
		SYS_uname, SYS_accept
	};
	const struct filter_change	 permit[] = {
		{ SYS_seccomp, 1 }, { SYS_mbind, 1 }, { SYS_shmget, 1 },
		{ SYS_read, 0 }
	};
	const uint64_t		 listener[6] = { 1, 8 };
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;
	size_t			 i;

	conf.allow_list = 1;
	prog = build(&conf, 0);
	for (i = 0; i < NELEMS(argument_checks); i++)
		if (argument_checks[i].nr != SYS_seccomp)
			check_all(&prog, &argument_checks[i], 1);
	for (i = 0; i < NELEMS(denied); i++)
		ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, denied[i]));
	for (i = 0; i < NELEMS(left_out); i++)
		ATF_CHECK_EQ_MSG(ERRNO(EPERM), eval0(&prog, left_out[i]),
		    "%s", syscall_name(left_out[i]));
	for (i = 0; i < NELEMS(admitted); i++)
		ATF_CHECK_EQ_MSG(ALLOW, eval0(&prog, admitted[i]), "%s",
		    syscall_name(admitted[i]));
	for (i = 0; i < syscall_table_len; i++)
		if (syscall_table[i].nr != SYS_clone3 &&
		    syscall_table[i].nr != SYS_socket)
			ATF_CHECK_EQ(ALLOW, eval0(&prog,
			    syscall_table[i].nr));
	ATF_CHECK_EQ(ERRNO(ENOSYS), eval0(&prog, SYSCALL_LAST + 1));
	ATF_CHECK_EQ(ERRNO(ENOSYS), eval0(&prog, -1));
	free(prog.filter);

	prog = build_changed(&conf, permit, NELEMS(permit), 0);
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_seccomp));
	ATF_CHECK_EQ(ERRNO(EPERM), eval(&prog, SYS_seccomp, listener));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_mbind));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_shmget));
	ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, SYS_shmat));
	ATF_CHECK_EQ(ERRNO(EPERM), eval0(&prog, SYS_read));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_write));
	free(prog.filter);

	conf = conf_class(CLASS_CHMOD, FILTER_NOTIFY);
	conf.allow_list = 1;
	prog = build(&conf, 1);
	ATF_CHECK_EQ(NOTIFY, eval0(&prog, SYS_chmod));
	ATF_CHECK_EQ(ALLOW, eval0(&prog, SYS_connect));
	free(prog.filter);
}

/* One comparison for libseccomp, on the bits in mask. */
static struct scmp_arg_cmp
scmp(unsigned int arg, uint64_t mask, uint64_t value)
{
	struct scmp_arg_cmp	 cmp = { arg, SCMP_CMP_MASKED_EQ, mask, value };

	return (cmp);
}

static void
scmp_add(scmp_filter_ctx ctx, int error, int nr, unsigned int n,
    const struct scmp_arg_cmp *cmps)
{
	ATF_REQUIRE_EQ(0, seccomp_rule_add_exact_array(ctx,
	    SCMP_ACT_ERRNO((uint32_t)error), nr, n, cmps));
}

/* The deny list that libseccomp can express: numbers, and bits that are set. */
static void
oracle_rules(scmp_filter_ctx ctx)
{
	static const int	 options4[] = { 35, 39, 42, 46 };
	static const int	 options6[] = { 6, 20, 27, 32, 42, 46 };
	static const struct {
		int		 nr;
		int		 error;
		unsigned int	 arg;
		uint32_t	 mask;
		uint32_t	 value;
	} one[] = {
		{ SYS_open, EINVAL, 1, 3, 3 },
		{ SYS_openat, EINVAL, 2, 3, 3 },
		{ SYS_fcntl, EPERM, 1, ALL, F_SETLEASE },
		{ SYS_fcntl, EPERM, 1, ALL, 1040 },
		{ SYS_renameat2, EPERM, 4, 4, 4 },
		{ SYS_mknod, EPERM, 1, S_IFMT, S_IFCHR },
		{ SYS_mknod, EPERM, 1, S_IFMT, S_IFBLK },
		{ SYS_mknodat, EPERM, 2, S_IFMT, S_IFCHR },
		{ SYS_mknodat, EPERM, 2, S_IFMT, S_IFBLK },
		{ SYS_prctl, EPERM, 0, ALL, PR_SET_MM },
		{ SYS_prctl, EPERM, 0, ALL, PR_SET_PTRACER },
		{ SYS_seccomp, EPERM, 1, 8, 8 },
		{ SYS_sendto, EPERM, 3, MSG_FASTOPEN, MSG_FASTOPEN },
		{ SYS_sendmsg, EPERM, 2, MSG_FASTOPEN, MSG_FASTOPEN },
		{ SYS_sendmmsg, EPERM, 3, MSG_FASTOPEN, MSG_FASTOPEN }
	};
	static const uint32_t	 spaces[] = {
		CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET
	};
	struct scmp_arg_cmp	 cmps[2];
	size_t			 i;

	for (i = 0; i < NELEMS(denied); i++)
		scmp_add(ctx, EPERM, denied[i], 0, NULL);
	scmp_add(ctx, ENOSYS, SYS_clone3, 0, NULL);
	scmp_add(ctx, ENOSYS, SYS_openat2, 0, NULL);
	for (i = 0; i < NELEMS(one); i++) {
		cmps[0] = scmp(one[i].arg, one[i].mask, one[i].value);
		scmp_add(ctx, one[i].error, one[i].nr, 1, cmps);
	}
	for (i = 0; i < NELEMS(spaces); i++) {
		cmps[0] = scmp(0, spaces[i], spaces[i]);
		scmp_add(ctx, EPERM, SYS_clone, 1, cmps);
		scmp_add(ctx, EPERM, SYS_unshare, 1, cmps);
	}
	cmps[0] = scmp(0, 0x80, 0x80);
	scmp_add(ctx, EPERM, SYS_unshare, 1, cmps);
	for (i = 0; i < NELEMS(ioctl_checks); i++)
		if (ioctl_checks[i].action != ALLOW &&
		    ioctl_checks[i].command != TCXONC) {
			cmps[0] = scmp(1, ALL, ioctl_checks[i].command);
			scmp_add(ctx, EPERM, SYS_ioctl, 1, cmps);
		}
	cmps[0] = scmp(1, ALL, IPPROTO_TCP);
	cmps[1] = scmp(2, ALL, 31);
	scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	cmps[0] = scmp(1, ALL, IPPROTO_IPV6);
	cmps[1] = scmp(2, ALL, 1);
	scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	cmps[1] = scmp(2, ALL, 57);
	scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	for (i = 0; i < NELEMS(options6); i++) {
		cmps[1] = scmp(2, ALL, options6[i]);
		scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	}
	cmps[0] = scmp(1, ALL, IPPROTO_UDP);
	cmps[1] = scmp(2, ALL, 100);
	scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	cmps[0] = scmp(1, ALL, IPPROTO_IP);
	cmps[1] = scmp(2, ALL, 4);
	scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	cmps[1] = scmp(2, ALL, 51);
	scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	for (i = 0; i < NELEMS(options4); i++) {
		cmps[1] = scmp(2, ALL, options4[i]);
		scmp_add(ctx, EPERM, SYS_setsockopt, 2, cmps);
	}
}

static struct sock_fprog
oracle_build(void)
{
	scmp_filter_ctx		 ctx;
	struct sock_fprog	 prog;
	ssize_t			 n;
	int			 fd;

	ATF_REQUIRE((ctx = seccomp_init(SCMP_ACT_ALLOW)) != NULL);
	oracle_rules(ctx);
	ATF_REQUIRE((fd = memfd_create("oracle", MFD_CLOEXEC)) != -1);
	ATF_REQUIRE_EQ(0, seccomp_export_bpf(ctx, fd));
	seccomp_release(ctx);
	ATF_REQUIRE((prog.filter = malloc(BPF_MAXINSNS *
	    sizeof(*prog.filter))) != NULL);
	n = pread(fd, prog.filter, BPF_MAXINSNS * sizeof(*prog.filter), 0);
	ATF_REQUIRE(n > 0);
	prog.len = n / sizeof(*prog.filter);
	close(fd);
	return (prog);
}

/* Calls whose rules libseccomp cannot express: "not in a set". */
static int
oracle_blind(int nr)
{
	static const int	 blind[] = {
		SYS_personality, SYS_setpriority, SYS_ioprio_set,
		SYS_sched_setparam, SYS_sched_setscheduler,
		SYS_sched_setattr, SYS_sched_setaffinity, SYS_prlimit64,
		SYS_socket, SYS_socketpair
	};
	size_t			 i;

	for (i = 0; i < NELEMS(blind); i++)
		if (blind[i] == nr)
			return (1);
	return (0);
}

static void
oracle_compare(const struct sock_fprog *ours, const struct sock_fprog *oracle,
    int nr, const uint64_t *args)
{
	/* Our addition: a call that only seems to work. */
	if (nr == SYS_prctl && args[0] == PR_SET_DUMPABLE && args[1] == 0)
		return;
	if (nr == SYS_ioctl &&
	    (args[1] == TCXONC || args[1] == TIOCSCTTY))
		return;
	ATF_CHECK_EQ_MSG(eval(oracle, nr, args), eval(ours, nr, args),
	    "%s(%llx, %llx, %llx, %llx, %llx)", syscall_name(nr),
	    (unsigned long long)args[0], (unsigned long long)args[1],
	    (unsigned long long)args[2], (unsigned long long)args[3],
	    (unsigned long long)args[4]);
}

/*
 * All numbers, with every single bit and every value of the tables in every
 * argument, mean the same to a filter that libseccomp has built.
 */
ATF_TC_WITHOUT_HEAD(oracle);
ATF_TC_BODY(oracle, tc)
{
	struct sock_fprog	 oracle = oracle_build();
	struct sock_fprog	 ours = build(&open_conf, 0);
	uint64_t		 args[6] = { 0 };
	size_t			 i, j;
	int			 nr;

	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		if (oracle_blind(nr))
			continue;
		for (i = 0; i < 5; i++) {
			for (j = 0; j < 32; j++) {
				args[i] = 1ULL << j;
				oracle_compare(&ours, &oracle, nr, args);
				args[i] = ALL >> j;
				if (nr != SYS_ioctl)
					oracle_compare(&ours, &oracle, nr,
					    args);
			}
			for (j = 0; j < 128 && nr != SYS_ioctl; j++) {
				args[i] = j;
				oracle_compare(&ours, &oracle, nr, args);
			}
			args[i] = 0;
		}
	}
	for (i = 0; i < NELEMS(argument_checks); i++)
		if (!oracle_blind(argument_checks[i].nr))
			oracle_compare(&ours, &oracle, argument_checks[i].nr,
			    argument_checks[i].args);
	for (i = 0; i < NELEMS(ioctl_checks); i++) {
		args[1] = ioctl_checks[i].command;
		oracle_compare(&ours, &oracle, SYS_ioctl, args);
	}
	free(oracle.filter);
	free(ours.filter);
}

/* In the child: install, say what a listener's descriptor is like, exit. */
static void
child_install(const struct sock_fprog *prog, int listen)
{
	int	 listener = -1;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		_exit(2);
	if (filter_install(prog, listen ? &listener : NULL) == -1)
		_exit(3);
	if (!listen)
		_exit(listener == -1 ? 0 : 4);
	if (fcntl(listener, F_GETFD) != FD_CLOEXEC)
		_exit(5);
	/* One chain, one listener; the errno is the kernel's. */
	if (filter_install(prog, &listener) != -1 || errno != EPERM)
		_exit(6);
	_exit(0);
}

ATF_TC_WITHOUT_HEAD(install);
ATF_TC_BODY(install, tc)
{
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;
	pid_t			 pid;
	int			 listen, status;

	conf.fork = FILTER_NOTIFY;
	prog = build(&conf, 1);
	for (listen = 0; listen <= 1; listen++) {
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0)
			child_install(&prog, listen);
		ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
		ATF_CHECK_EQ(0, status);
	}
	free(prog.filter);
}

/* The kernel takes the program of every configuration. */
ATF_TC_WITHOUT_HEAD(install_all);
ATF_TC_BODY(install_all, tc)
{
	struct filter_conf	 conf = open_conf;
	struct sock_fprog	 prog;
	pid_t			 pid;
	int			 listener, i, status;

	for (i = 0; i < 64; i++) {
		conf.udp = conf.icmp = (i & 12) == 12;
		conf.send = conf.bind = conf.netlink = conf.udp;
		conf.remap = conf.hosts = conf.udp && (i & 1);
		conf.allow_list = i & 1;
		conf.log_denials = (i & 2) != 0;
		conf.unix_sockets = (i & 4) != 0;
		conf.inet_sockets = (i & 8) != 0;
		conf.fork = (i & 16) ? FILTER_ALLOW : FILTER_NOTIFY;
		conf.meta = (i & 32) ? FILTER_DENY : FILTER_NOTIFY;
		ATF_REQUIRE_EQ(0, filter_build(&conf, NULL, 0, &prog,
		    &listener));
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0) {
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
			    filter_install(&prog, NULL) == -1)
				_exit(2);
			_exit(0);
		}
		ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
		ATF_CHECK_EQ(0, status);
		free(prog.filter);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, denied_calls);
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, ioctls);
	ATF_TP_ADD_TC(tp, sockets);
	ATF_TP_ADD_TC(tp, groups);
	ATF_TP_ADD_TC(tp, network);
	ATF_TP_ADD_TC(tp, no_paths);
	ATF_TP_ADD_TC(tp, classes);
	ATF_TP_ADD_TC(tp, notified_numbers);
	ATF_TP_ADD_TC(tp, holes);
	ATF_TP_ADD_TC(tp, quota);
	ATF_TP_ADD_TC(tp, hosts);
	ATF_TP_ADD_TC(tp, holders);
	ATF_TP_ADD_TC(tp, fork_flags);
	ATF_TP_ADD_TC(tp, cpus_fixed);
	ATF_TP_ADD_TC(tp, ordinary_calls);
	ATF_TP_ADD_TC(tp, log_denials);
	ATF_TP_ADD_TC(tp, changes);
	ATF_TP_ADD_TC(tp, changes_refused);
	ATF_TP_ADD_TC(tp, liftables);
	ATF_TP_ADD_TC(tp, allow_list);
	ATF_TP_ADD_TC(tp, oracle);
	ATF_TP_ADD_TC(tp, install);
	ATF_TP_ADD_TC(tp, install_all);
	return (atf_no_error());
}
