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
 * Attacks that the workload's filter decides on its own.  Each is one real
 * system call, or a few, made so that it works without a sandbox, or fails
 * there for another reason than a denial and without doing harm.  Prints one
 * line for each, its name and "ok", an errno, or the signal that it died of;
 * attacks_test.sh knows what each is to be.
 *
 *	filter_attacks [-d dir] [-f file] [-p pid] [name ...]
 *	filter_attacks -l socket
 *	filter_attacks -t | -u command [arg ...]
 *
 * dir may be written to, file belongs to the caller and may only be read, pid
 * is a process outside of the same user: one with -l, which writes a
 * character for each datagram that comes to dir/socket.  With -t the command
 * is run with a terminal of its own as standard input, and the last line tells
 * how many characters were typed on that.  With -u standard input is an
 * io_uring.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>

#include <net/if.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "syscalls.h"

#define NELEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define HIGH		(1UL << 32)
#define NONE		((unsigned long)-1)
#define P(x)		((unsigned long)(x))

#define NEWTIME		0x80
#define RING_FD		STDIN_FILENO
#define SOCKET_NAME	"socket"

/* A call by number; "" and NULL arguments keep it from doing anything. */
struct call {
	const char	*name;
	int		 nr;
	unsigned long	 args[6];
};

/* An attack that needs more than one call. */
struct attack {
	const char	*name;
	long		(*fn)(void);
};

static const char	*dir = ".";
static const char	*file = "/etc/passwd";
static pid_t		 outsider;

static struct timex	 timex_query;
static char		 buffer[4096];

static const struct call calls[] = {
	{ "mount", SYS_mount, { P("none"), P("/nonexistent"), P("tmpfs") } },
	{ "umount2", SYS_umount2, { P("/nonexistent") } },
	{ "pivot_root", SYS_pivot_root, { P("/nonexistent"), P("/") } },
	{ "chroot", SYS_chroot, { P("/nonexistent") } },
	{ "open_tree", SYS_open_tree, { P(AT_FDCWD), P("/") } },
	{ "open_tree_attr", SYS_open_tree_attr, { P(AT_FDCWD), P("/"), 0, 0,
	    1 } },
	{ "move_mount", SYS_move_mount, { NONE, P(""), NONE, P(""), ~0U } },
	{ "fsopen", SYS_fsopen, { P("tmpfs") } },
	{ "fsconfig", SYS_fsconfig, { NONE } },
	{ "fsmount", SYS_fsmount, { NONE } },
	{ "fspick", SYS_fspick, { P(AT_FDCWD), P("/nonexistent") } },
	{ "mount_setattr", SYS_mount_setattr, { NONE } },
	{ "statmount", SYS_statmount, { 0 } },
	{ "listmount", SYS_listmount, { 0 } },
	{ "setns", SYS_setns, { NONE } },

	{ "io_uring_setup", SYS_io_uring_setup, { 1 } },
	{ "io_uring_enter", SYS_io_uring_enter, { NONE } },
	{ "io_uring_register", SYS_io_uring_register, { NONE } },

	{ "process_madvise", SYS_process_madvise, { NONE } },
	{ "process_mrelease", SYS_process_mrelease, { NONE } },
	{ "pidfd_getfd", SYS_pidfd_getfd, { NONE } },
	{ "bpf", SYS_bpf, { ~0U } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "userfaultfd", SYS_userfaultfd, { 1 } },
	{ "lookup_dcookie", SYS_lookup_dcookie, { 0 } },

	{ "keyctl", SYS_keyctl, { 0, NONE - 2 } },
	{ "keyctl_session_to_parent", SYS_keyctl, { 18 } },
	{ "add_key", SYS_add_key, { 0 } },
	{ "request_key", SYS_request_key, { 0 } },

	{ "kexec_load", SYS_kexec_load, { 0, 0, 0, ~0U } },
	{ "kexec_file_load", SYS_kexec_file_load, { NONE, NONE, 0, 0, ~0U } },
	{ "init_module", SYS_init_module, { 0 } },
	{ "finit_module", SYS_finit_module, { NONE } },
	{ "delete_module", SYS_delete_module, { 0 } },
	{ "create_module", SYS_create_module, { 0 } },
	{ "query_module", SYS_query_module, { 0 } },
	{ "get_kernel_syms", SYS_get_kernel_syms, { 0 } },
	{ "acct", SYS_acct, { P("/nonexistent") } },
	{ "swapon", SYS_swapon, { P("/nonexistent") } },
	{ "swapoff", SYS_swapoff, { P("/nonexistent") } },
	{ "reboot", SYS_reboot, { 0 } },
	{ "iopl", SYS_iopl, { 4 } },
	{ "ioperm", SYS_ioperm, { NONE, 2, 1 } },
	{ "quotactl", SYS_quotactl, { 0xffff } },
	{ "quotactl_fd", SYS_quotactl_fd, { NONE } },
	{ "syslog", SYS_syslog, { 10 } },
	{ "sethostname", SYS_sethostname, { 0, NONE } },
	{ "setdomainname", SYS_setdomainname, { 0, NONE } },
	{ "settimeofday", SYS_settimeofday, { 0 } },
	{ "clock_settime", SYS_clock_settime, { 99 } },
	{ "adjtimex", SYS_adjtimex, { P(&timex_query) } },
	{ "clock_adjtime", SYS_clock_adjtime, { 0, P(&timex_query) } },
	{ "lsm_set_self_attr", SYS_lsm_set_self_attr, { 0 } },

	{ "name_to_handle_at", SYS_name_to_handle_at, { P(AT_FDCWD), P("/") } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { NONE } },
	{ "fanotify_init", SYS_fanotify_init, { 0x200 } },
	{ "fanotify_mark", SYS_fanotify_mark, { NONE, 1, 1 } },
	{ "move_pages", SYS_move_pages, { 0 } },
	{ "migrate_pages", SYS_migrate_pages, { 0 } },
	{ "set_mempolicy_home_node", SYS_set_mempolicy_home_node, { 0, 0,
	    NONE, 1 } },
	{ "file_setattr", SYS_file_setattr, { NONE } },

	{ "uselib", SYS_uselib, { 0 } },
	{ "modify_ldt", SYS_modify_ldt, { 0, P(buffer), sizeof(buffer) } },
	{ "map_shadow_stack", SYS_map_shadow_stack, { 0, 0, NONE } },
	{ "nfsservctl", SYS_nfsservctl, { 0 } },
	{ "_sysctl", SYS__sysctl, { 0 } },

	{ "shmat", SYS_shmat, { NONE } },
	{ "shmdt", SYS_shmdt, { 1 } },
	{ "shmctl", SYS_shmctl, { NONE } },
	{ "semop", SYS_semop, { NONE } },
	{ "semtimedop", SYS_semtimedop, { NONE } },
	{ "semctl", SYS_semctl, { NONE } },
	{ "msgsnd", SYS_msgsnd, { NONE } },
	{ "msgrcv", SYS_msgrcv, { NONE } },
	{ "msgctl", SYS_msgctl, { NONE } },
	{ "mq_open", SYS_mq_open, { 0 } },
	{ "mq_unlink", SYS_mq_unlink, { P("filter_attacks.nonexistent") } },
	{ "mq_timedsend", SYS_mq_timedsend, { NONE } },
	{ "mq_timedreceive", SYS_mq_timedreceive, { NONE } },
	{ "mq_notify", SYS_mq_notify, { NONE } },
	{ "mq_getsetattr", SYS_mq_getsetattr, { NONE } },

	{ "unshare_nothing", SYS_unshare, { 0 } },
	{ "unshare_files", SYS_unshare, { CLONE_FILES } },
	{ "unshare_newns", SYS_unshare, { CLONE_NEWNS } },
	{ "unshare_newcgroup", SYS_unshare, { CLONE_NEWCGROUP } },
	{ "unshare_newuts", SYS_unshare, { CLONE_NEWUTS } },
	{ "unshare_newipc", SYS_unshare, { CLONE_NEWIPC } },
	{ "unshare_newuser", SYS_unshare, { CLONE_NEWUSER } },
	{ "unshare_newpid", SYS_unshare, { CLONE_NEWPID } },
	{ "unshare_newnet", SYS_unshare, { CLONE_NEWNET } },
	{ "unshare_newtime", SYS_unshare, { NEWTIME } },

	{ "personality_query", SYS_personality, { 0xffffffff } },
	{ "personality_plain", SYS_personality, { PER_LINUX } },
	{ "personality_norandomize", SYS_personality, { ADDR_NO_RANDOMIZE } },
	{ "personality_high", SYS_personality, { ADDR_NO_RANDOMIZE | HIGH } },
	{ "personality_exec", SYS_personality, { READ_IMPLIES_EXEC } },
	{ "personality_linux32", SYS_personality, { PER_LINUX32 } },
	{ "personality_sticky", SYS_personality, { STICKY_TIMEOUTS } },

	{ "prctl_mm", SYS_prctl, { PR_SET_MM, PR_SET_MM_MAP_SIZE,
	    P(buffer) } },
	{ "prctl_mm_high", SYS_prctl, { PR_SET_MM | HIGH, PR_SET_MM_MAP_SIZE,
	    P(buffer) } },
	{ "prctl_ptracer", SYS_prctl, { PR_SET_PTRACER, 1 } },
	{ "prctl_name", SYS_prctl, { PR_SET_NAME, P("\033[2J") } },
	{ "prctl_subreaper", SYS_prctl, { PR_SET_CHILD_SUBREAPER, 1 } },
	{ "prctl_pdeathsig", SYS_prctl, { PR_SET_PDEATHSIG, 0 } },

	/* Without a terminal: ENOTTY where the filter lets them through. */
	{ "ioctl_tcgets", SYS_ioctl, { 0, TCGETS, P(buffer) } },
	{ "ioctl_tiocsti", SYS_ioctl, { 0, TIOCSTI, P("x") } },
	{ "ioctl_tiocsti_high", SYS_ioctl, { 0, TIOCSTI | HIGH, P("x") } },
	{ "ioctl_tioclinux", SYS_ioctl, { 0, TIOCLINUX, P("\2") } },
	{ "ioctl_tioclinux_high", SYS_ioctl, { 0, TIOCLINUX | HIGH,
	    P("\2") } },
	{ "ioctl_tioccons", SYS_ioctl, { 0, TIOCCONS } },
	{ "ioctl_tiocsetd", SYS_ioctl, { 0, TIOCSETD, P(buffer) } },
	{ "ioctl_tiocexcl", SYS_ioctl, { 0, TIOCEXCL } },
	{ "ioctl_tiocvhangup", SYS_ioctl, { 0, TIOCVHANGUP } },
	{ "ioctl_tiocsig", SYS_ioctl, { 0, TIOCSIG, SIGKILL } },
	{ "ioctl_tiocsctty", SYS_ioctl, { 0, TIOCSCTTY, 0 } },
	{ "ioctl_tiocsctty_steal", SYS_ioctl, { 0, TIOCSCTTY, 1 } },
	{ "ioctl_tcxonc", SYS_ioctl, { 0, TCXONC, TCOOFF } },
	{ "ioctl_kdskbent", SYS_ioctl, { 0, 0x4b47, P(buffer) } },
	{ "ioctl_vt_activate", SYS_ioctl, { 0, 0x5606, 1 } },

	{ "process_vm_readv", SYS_process_vm_readv, { 0 } },
	{ "process_vm_writev", SYS_process_vm_writev, { 0 } },
	{ "own_priority", SYS_setpriority, { PRIO_PROCESS, 0, 19 } },
	{ "own_ioprio", SYS_ioprio_set, { 1, 0, 3 << 13 } },

	{ "x32", SYS_getpid | SYSCALL_X32_BIT, { 0 } },
	{ "no_such_call", SYSCALL_LAST + 1, { 0 } },
	{ "skipped_call", -1, { 0 } }
};

/* Sockets by family, type and protocol. */
static const struct {
	const char	*name;
	unsigned long	 family;
	unsigned long	 type;
	unsigned long	 protocol;
} sockets[] = {
	{ "socket_tcp", AF_INET, SOCK_STREAM, 0 },
	{ "socket_tcp6", AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 6 },
	{ "socket_unix", AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0 },
	{ "socket_unix_seqpacket", AF_UNIX, SOCK_SEQPACKET, 0 },
	{ "socket_unix_dgram", AF_UNIX, SOCK_DGRAM, 0 },
	{ "socket_unix_dgram_high", AF_UNIX | HIGH, SOCK_DGRAM | HIGH, HIGH },
	{ "socket_unix_raw", AF_UNIX, SOCK_RAW, 0 },
	{ "socket_udp", AF_INET, SOCK_DGRAM, 0 },
	{ "socket_udp_high", AF_INET | HIGH, SOCK_DGRAM | HIGH, 0 },
	{ "socket_udp6", AF_INET6, SOCK_DGRAM, 0 },
	{ "socket_udplite", AF_INET, SOCK_DGRAM, 136 },
	{ "socket_udplite_high", AF_INET, SOCK_DGRAM, 136 | HIGH },
	{ "socket_raw", AF_INET, SOCK_RAW, 1 },
	{ "socket_mptcp", AF_INET, SOCK_STREAM, 262 },
	{ "socket_mptcp_high", AF_INET, SOCK_STREAM, 262 | HIGH },
	{ "socket_sctp", AF_INET, SOCK_STREAM, 132 },
	{ "socket_smc", 43, SOCK_STREAM, 0 },
	{ "socket_dccp", AF_INET, SOCK_DCCP, 33 },
	{ "socket_packet", AF_PACKET, SOCK_RAW, 0 },
	{ "socket_route", AF_NETLINK, SOCK_RAW, 0 },
	{ "socket_route_dgram", AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, 0 },
	{ "socket_route_high", AF_NETLINK | HIGH, SOCK_RAW | HIGH, HIGH },
	{ "socket_diag", AF_NETLINK, SOCK_DGRAM, 4 },
	{ "socket_diag_high", AF_NETLINK, SOCK_DGRAM, 4 | HIGH },
	{ "socket_xfrm", AF_NETLINK, SOCK_RAW, 6 },
	{ "socket_audit", AF_NETLINK, SOCK_RAW, 9 },
	{ "socket_netfilter", AF_NETLINK, SOCK_RAW, 12 },
	{ "socket_uevent", AF_NETLINK, SOCK_RAW, 15 },
	{ "socket_generic", AF_NETLINK, SOCK_RAW, 16 },
	{ "socket_vsock", AF_VSOCK, SOCK_STREAM, 0 },
	{ "socket_alg", AF_ALG, SOCK_SEQPACKET, 0 },
	{ "socket_xdp", 44, SOCK_RAW, 0 },
	{ "socket_key", AF_KEY, SOCK_RAW, 2 },
	{ "socket_tipc", AF_TIPC, SOCK_STREAM, 0 },
	{ "socket_rds", AF_RDS, SOCK_SEQPACKET, 0 },
	{ "socket_can", AF_CAN, SOCK_RAW, 1 },
	{ "socket_qipcrtr", 42, SOCK_DGRAM, 0 },
	{ "socket_bluetooth", AF_BLUETOOTH, SOCK_STREAM, 3 }
};

/* Wait for a child of ours; its exit code becomes the result. */
static long
child_wait(pid_t pid)
{
	int	 status;

	if (pid == -1 || waitpid(pid, &status, __WALL) == -1)
		return (-1);
	if (!WIFEXITED(status)) {
		errno = ECHILD;
		return (-1);
	}
	errno = WEXITSTATUS(status);
	return (errno == 0 ? 0 : -1);
}

static long
clone_flags(unsigned long flags)
{
	pid_t	 pid;

	if ((pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0)) == 0)
		_exit(0);
	return (child_wait(pid));
}

static long
attack_clone(void)
{
	return (clone_flags(0));
}

static long
attack_clone_newuser(void)
{
	return (clone_flags(CLONE_NEWUSER));
}

static long
attack_clone_newuser_high(void)
{
	return (clone_flags(CLONE_NEWUSER | HIGH));
}

static long
attack_clone_newns(void)
{
	return (clone_flags(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID));
}

static long
clone3_with(unsigned int field, uint64_t value)
{
	uint64_t	 args[11] = { 0 };
	pid_t		 pid;

	args[4] = SIGCHLD;
	args[field] = value;
	if ((pid = syscall(SYS_clone3, args, sizeof(args))) == 0)
		_exit(0);
	return (child_wait(pid));
}

static long
attack_clone3(void)
{
	return (clone3_with(0, 0));
}

static long
attack_clone3_newuser(void)
{
	return (clone3_with(0, CLONE_NEWUSER));
}

/* A cgroup that is no descriptor; a set_tid that has no array. */
static long
attack_clone3_cgroup(void)
{
	return (clone3_with(0, 0x200000000ULL));
}

static long
attack_clone3_settid(void)
{
	return (clone3_with(9, 1));
}

static void *
thread_main(void *arg)
{
	return (arg);
}

/* libc falls back from clone3. */
static long
attack_pthread(void)
{
	pthread_t	 thread;
	int		 error;

	error = pthread_create(&thread, NULL, thread_main, NULL);
	if (error == 0)
		error = pthread_join(thread, NULL);
	errno = error;
	return (error == 0 ? 0 : -1);
}

static long
attack_fork(void)
{
	pid_t	 pid;

	if ((pid = fork()) == 0)
		_exit(0);
	return (child_wait(pid));
}

static long
attack_vfork(void)
{
	pid_t	 pid;

	if ((pid = vfork()) == 0)
		_exit(0);
	return (child_wait(pid));
}

static long
attack_ptrace_traceme(void)
{
	return (ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

/* Seize a child of ours; what is set with it is in options. */
static long
ptrace_seize(unsigned long options)
{
	long	 ret;
	pid_t	 pid;

	if ((pid = fork()) == -1)
		return (-1);
	if (pid == 0)
		for (;;)
			pause();
	ret = ptrace(PTRACE_SEIZE, pid, NULL, options);
	options = errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	errno = options;
	return (ret);
}

static long
attack_ptrace_seize(void)
{
	return (ptrace_seize(0));
}

static long
attack_ptrace_suspend_seccomp(void)
{
	return (ptrace_seize(PTRACE_O_SUSPEND_SECCOMP));
}

static long
attack_ptrace_outsider(void)
{
	long	 ret;

	if ((ret = ptrace(PTRACE_SEIZE, outsider, NULL, NULL)) == 0)
		ptrace(PTRACE_DETACH, outsider, NULL, NULL);
	return (ret);
}

static long
attack_kcmp(void)
{
	return (syscall(SYS_kcmp, getpid(), getpid(), 2, 0, 0));
}

static long
remove_ipc(int id, int nr, unsigned long a1, unsigned long a2)
{
	if (id != -1 && syscall(nr, id, a1, a2, 0) == -1)
		return (-1);
	return (id == -1 ? -1 : 0);
}

static long
attack_shmget(void)
{
	return (remove_ipc(syscall(SYS_shmget, 0, 4096, 01600), SYS_shmctl, 0,
	    0));
}

static long
attack_semget(void)
{
	return (remove_ipc(syscall(SYS_semget, 0, 1, 01600), SYS_semctl, 0,
	    0));
}

static long
attack_msgget(void)
{
	return (remove_ipc(syscall(SYS_msgget, 0, 01600), SYS_msgctl, 0, 0));
}

/* Succeeds when the process can still be read by its peers. */
static long
attack_prctl_dumpable(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return (-1);
	errno = EIO;
	return (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 ? 0 : -1);
}

static long
own_filter(unsigned long flags)
{
	static struct sock_filter	 insns[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog		 prog = { 1, insns };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	return (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog));
}

static long
attack_filter(void)
{
	return (own_filter(0));
}

static long
attack_filter_listener(void)
{
	return (own_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

static long
attack_filter_listener_high(void)
{
	return (own_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER | HIGH));
}

/* A filter of its own that allows everything lifts nothing. */
static long
attack_filter_then_personality(void)
{
	if (own_filter(0) == -1) {
		errno = ECANCELED;
		return (-1);
	}
	return (personality(ADDR_NO_RANDOMIZE));
}

static const char *
in_dir(const char *name)
{
	static char	 path[2][4096];
	static int	 i;

	i = !i;
	snprintf(path[i], sizeof(path[i]), "%s/%s.%d", dir, name, getpid());
	return (path[i]);
}

static long
make_node(mode_t mode, dev_t dev)
{
	const char	*path = in_dir("node");
	long		 ret;

	if ((ret = syscall(SYS_mknod, path, mode, dev)) == 0)
		unlink(path);
	return (ret);
}

static long
attack_mknod_fifo(void)
{
	return (make_node(S_IFIFO | 0600, 0));
}

static long
attack_mknod_char(void)
{
	return (make_node(S_IFCHR | 0600, 0));
}

/* The kernel takes 16 bits of the mode. */
static long
attack_mknod_char_high(void)
{
	const char	*path = in_dir("node");
	long		 ret;

	if ((ret = syscall(SYS_mknod, path, 0x10000UL | S_IFCHR | 0600,
	    0)) == 0)
		unlink(path);
	return (ret);
}

static long
attack_mknod_block(void)
{
	return (make_node(S_IFBLK | 0600, 0x700));
}

static long
attack_mknodat_char(void)
{
	const char	*path = in_dir("node");
	long		 ret;

	if ((ret = syscall(SYS_mknodat, AT_FDCWD, path, S_IFCHR | 0600,
	    0)) == 0)
		unlink(path);
	return (ret);
}

static long
rename_flags(unsigned long flags)
{
	const char	*from = in_dir("from"), *to = in_dir("to");
	long		 ret;
	int		 error, fd;

	if ((fd = open(from, O_WRONLY | O_CREAT, 0600)) == -1)
		return (-1);
	close(fd);
	ret = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
	error = errno;
	unlink(from);
	unlink(to);
	errno = error;
	return (ret);
}

static long
attack_rename_noreplace(void)
{
	return (rename_flags(RENAME_NOREPLACE));
}

static long
attack_rename_whiteout(void)
{
	return (rename_flags(RENAME_WHITEOUT));
}

static long
attack_rename_whiteout_high(void)
{
	return (rename_flags(RENAME_WHITEOUT | HIGH));
}

static long
attack_open_read(void)
{
	return (syscall(SYS_open, file, O_RDONLY, 0));
}

static long
attack_open_neither(void)
{
	return (syscall(SYS_open, file, O_ACCMODE, 0));
}

static long
attack_openat_neither(void)
{
	return (syscall(SYS_openat, AT_FDCWD, file, O_ACCMODE | O_CLOEXEC,
	    0));
}

static long
attack_openat2(void)
{
	uint64_t	 how[3] = { O_ACCMODE, 0, 0 };

	return (syscall(SYS_openat2, AT_FDCWD, file, how, sizeof(how)));
}

/* Something done to a descriptor of the file, which may only be read. */
static int
file_fd(void)
{
	int	 fd;

	if ((fd = open(file, O_RDONLY | O_CLOEXEC)) == -1) {
		warn("%s", file);
		_exit(1);
	}
	return (fd);
}

static long
attack_lease(void)
{
	return (fcntl(file_fd(), F_SETLEASE, F_RDLCK));
}

static long
attack_lease_high(void)
{
	return (syscall(SYS_fcntl, file_fd(), F_SETLEASE | HIGH, F_RDLCK));
}

static long
attack_setflags(void)
{
	int	 fd = file_fd(), flags;

	if (ioctl(fd, _IOR('f', 1, long), &flags) == -1)
		return (-1);
	return (ioctl(fd, _IOW('f', 2, long), &flags));
}

static long
attack_fssetxattr(void)
{
	return (ioctl(file_fd(), 0x401c5820, NULL));
}

static long
attack_setversion(void)
{
	return (ioctl(file_fd(), _IOW('v', 2, long), NULL));
}

static long
attack_ficlone(void)
{
	return (ioctl(file_fd(), _IOW(0x94, 9, int), -1));
}

static long
attack_btrfs_snapshot(void)
{
	return (ioctl(file_fd(), 0x50009401, NULL));
}

static long
attack_chmod(void)
{
	return (syscall(SYS_chmod, file, 0600));
}

static long
attack_fchmod(void)
{
	return (syscall(SYS_fchmod, file_fd(), 0600));
}

static long
attack_fchmodat(void)
{
	return (syscall(SYS_fchmodat, AT_FDCWD, file, 0600));
}

static long
attack_fchmodat2(void)
{
	return (syscall(SYS_fchmodat2, AT_FDCWD, file, 0600, 0));
}

static long
attack_fchmodat2_fd(void)
{
	return (syscall(SYS_fchmodat2, file_fd(), "", 0600, AT_EMPTY_PATH));
}

static long
attack_chown(void)
{
	return (syscall(SYS_chown, file, -1, getegid()));
}

static long
attack_fchown(void)
{
	return (syscall(SYS_fchown, file_fd(), -1, getegid()));
}

static long
attack_lchown(void)
{
	return (syscall(SYS_lchown, file, -1, getegid()));
}

static long
attack_fchownat(void)
{
	return (syscall(SYS_fchownat, AT_FDCWD, file, -1, getegid(), 0));
}

static long
attack_utime(void)
{
	return (syscall(SYS_utime, file, NULL));
}

static long
attack_utimes(void)
{
	return (syscall(SYS_utimes, file, NULL));
}

static long
attack_futimesat(void)
{
	return (syscall(SYS_futimesat, file_fd(), NULL, NULL));
}

static long
attack_utimensat(void)
{
	return (syscall(SYS_utimensat, AT_FDCWD, file, NULL, 0));
}

static long
attack_utimensat_fd(void)
{
	return (syscall(SYS_utimensat, file_fd(), NULL, NULL, 0));
}

/* A name space that needs no rights and that no file system stores. */
static long
attack_setxattr(void)
{
	return (syscall(SYS_setxattr, file, "nosuch.x", "y", 1, 0));
}

static long
attack_lsetxattr(void)
{
	return (syscall(SYS_lsetxattr, file, "nosuch.x", "y", 1, 0));
}

static long
attack_fsetxattr(void)
{
	return (syscall(SYS_fsetxattr, file_fd(), "nosuch.x", "y", 1, 0));
}

static long
attack_setxattrat(void)
{
	struct {
		uint64_t	 value;
		uint32_t	 size;
		uint32_t	 flags;
	} args = { P("y"), 1, 0 };

	return (syscall(SYS_setxattrat, AT_FDCWD, file, 0, "nosuch.x", &args,
	    sizeof(args)));
}

static long
attack_removexattr(void)
{
	return (syscall(SYS_removexattr, file, "nosuch.x"));
}

static long
attack_lremovexattr(void)
{
	return (syscall(SYS_lremovexattr, file, "nosuch.x"));
}

static long
attack_fremovexattr(void)
{
	return (syscall(SYS_fremovexattr, file_fd(), "nosuch.x"));
}

static long
attack_removexattrat(void)
{
	return (syscall(SYS_removexattrat, AT_FDCWD, file, 0, "nosuch.x"));
}

static int
pair_fd(void)
{
	int	 fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1) {
		warn("socketpair");
		_exit(1);
	}
	return (fds[0]);
}

static long
attack_socketpair(void)
{
	int	 fds[2];

	return (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
}

static long
attack_socketpair_dgram(void)
{
	int	 fds[2];

	return (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
}

static long
attack_socketpair_dgram_high(void)
{
	int	 fds[2];

	return (syscall(SYS_socketpair, AF_UNIX | HIGH, SOCK_DGRAM | HIGH, 0,
	    fds));
}

static long
attack_sendto(void)
{
	return (sendto(pair_fd(), "x", 1, 0, NULL, 0));
}

static long
attack_sendto_fastopen(void)
{
	return (sendto(pair_fd(), "x", 1, MSG_FASTOPEN, NULL, 0));
}

static long
attack_sendto_fastopen_high(void)
{
	return (syscall(SYS_sendto, pair_fd(), "x", 1, MSG_FASTOPEN | HIGH,
	    NULL, 0));
}

static long
attack_sendmsg_fastopen(void)
{
	struct iovec	 iov = { buffer, 1 };
	struct msghdr	 msg;

	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	return (sendmsg(pair_fd(), &msg, MSG_FASTOPEN));
}

static long
attack_sendmmsg_fastopen(void)
{
	struct iovec	 iov = { buffer, 1 };
	struct mmsghdr	 msg;

	memset(&msg, 0, sizeof(msg));
	msg.msg_hdr.msg_iov = &iov;
	msg.msg_hdr.msg_iovlen = 1;
	return (sendmmsg(pair_fd(), &msg, 1, MSG_FASTOPEN));
}

static long
attack_tcp_ulp(void)
{
	return (setsockopt(pair_fd(), IPPROTO_TCP, 31, "smc", 3));
}

static long
attack_ipv6_addrform(void)
{
	int	 family = AF_INET;

	return (setsockopt(pair_fd(), IPPROTO_IPV6, 1, &family,
	    sizeof(family)));
}

static long
attack_ip_options(void)
{
	unsigned char	 nop[4] = { 1, 1, 1, 0 };

	return (setsockopt(pair_fd(), IPPROTO_IP, 4, nop, sizeof(nop)));
}

static long
attack_ipv6_rthdr(void)
{
	return (setsockopt(pair_fd(), IPPROTO_IPV6, 57, NULL, 0));
}

/* Of a label that may have a route with it. */
static long
attack_ipv6_flowlabel(void)
{
	return (setsockopt(pair_fd(), IPPROTO_IPV6, 32, NULL, 0));
}

/* What makes the kernel speak to others, on sockets that connect, too. */
static long
attack_tcp_group(void)
{
	return (setsockopt(pair_fd(), IPPROTO_IP, MCAST_JOIN_GROUP, NULL, 0));
}

static long
attack_tcp_group6(void)
{
	return (setsockopt(pair_fd(), IPPROTO_IPV6, MCAST_JOIN_GROUP, NULL,
	    0));
}

static long
attack_udp_encap(void)
{
	int	 type = 2;

	return (setsockopt(pair_fd(), IPPROTO_UDP, 100, &type, sizeof(type)));
}

static long
attack_ipv6_pktoptions(void)
{
	return (setsockopt(pair_fd(), IPPROTO_IPV6, 6, NULL, 0));
}

/* The interfaces, or with lo_only an error if there is another one. */
static long
interface_list(int lo_only)
{
	struct ifreq	 list[64];
	struct ifconf	 ifc;
	size_t		 i;

	memset(list, 0, sizeof(list));
	ifc.ifc_len = sizeof(list);
	ifc.ifc_req = list;
	if (ioctl(pair_fd(), SIOCGIFCONF, &ifc) == -1)
		return (-1);
	for (i = 0; lo_only && i < ifc.ifc_len / sizeof(list[0]); i++)
		if (strcmp(list[i].ifr_name, "lo") != 0) {
			errno = ENODEV;
			return (-1);
		}
	return (0);
}

static long
attack_interface_list(void)
{
	return (interface_list(0));
}

static long
attack_interface_lo(void)
{
	return (interface_list(1));
}

static long
interface_ask(unsigned long command, void *data)
{
	struct ifreq	 ifr;

	memset(&ifr, 0, sizeof(ifr));
	strcpy(ifr.ifr_name, "lo");
	if (data != NULL)
		ifr.ifr_data = data;
	return (syscall(SYS_ioctl, pair_fd(), command, &ifr));
}

static long
attack_interface_index(void)
{
	return (interface_ask(SIOCGIFINDEX, NULL));
}

static long
attack_interface_index_high(void)
{
	return (interface_ask(SIOCGIFINDEX | HIGH, NULL));
}

static long
attack_interface_ethtool(void)
{
	struct ethtool_value	 link = { .cmd = ETHTOOL_GLINK };

	return (interface_ask(SIOCETHTOOL, &link));
}

static long
attack_interface_flags(void)
{
	return (ioctl(pair_fd(), SIOCSIFFLAGS, NULL));
}

static long
attack_interface_flags_high(void)
{
	return (syscall(SYS_ioctl, pair_fd(), SIOCSIFFLAGS | HIGH, NULL));
}

static long
attack_interface_route(void)
{
	return (ioctl(pair_fd(), SIOCADDRT, NULL));
}

/* To the process outside, which is granted by its path. */
static long
send_path(int fd)
{
	struct sockaddr_un	 sun;
	int			 n;

	if (fd == -1)
		return (-1);
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/" SOCKET_NAME,
	    dir);
	if (n < 0 || (size_t)n >= sizeof(sun.sun_path)) {
		warnx("%s: too long", dir);
		_exit(1);
	}
	return (sendto(fd, "x", 1, 0, (struct sockaddr *)&sun, sizeof(sun)));
}

static long
attack_datagram(void)
{
	return (send_path(socket(AF_UNIX, SOCK_DGRAM, 0)));
}

static long
attack_datagram_pair(void)
{
	int	 fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == -1)
		return (-1);
	return (send_path(fds[0]));
}

static int
route_socket(void)
{
	return (socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

static long
attack_route_datagram(void)
{
	return (send_path(route_socket()));
}

static long
attack_route_bind(void)
{
	struct sockaddr_nl	 snl = { .nl_family = AF_NETLINK };
	int			 fd;

	if ((fd = route_socket()) == -1)
		return (-1);
	return (bind(fd, (struct sockaddr *)&snl, sizeof(snl)));
}

/* One request about a link; what came of it is in buffer. */
static ssize_t
route_request(int type, int flags, int link)
{
	struct {
		struct nlmsghdr		 head;
		struct ifinfomsg	 info;
	} ask;
	int	 fd;

	memset(&ask, 0, sizeof(ask));
	ask.head.nlmsg_len = sizeof(ask);
	ask.head.nlmsg_type = type;
	ask.head.nlmsg_flags = NLM_F_REQUEST | flags;
	ask.info.ifi_index = link;
	if ((fd = route_socket()) == -1 ||
	    send(fd, &ask, sizeof(ask), 0) != sizeof(ask))
		return (-1);
	return (recv(fd, buffer, sizeof(buffer), 0));
}

/* The links, or with lo_only an error if there is another one. */
static long
route_list(int lo_only)
{
	struct ifinfomsg	 info;
	struct nlmsghdr		 head;
	ssize_t			 at, n;
	int			 links = 0;

	if ((n = route_request(RTM_GETLINK, NLM_F_DUMP, 0)) == -1)
		return (-1);
	errno = EPROTO;
	for (at = 0; at + (ssize_t)NLMSG_LENGTH(sizeof(info)) <= n;
	    at += NLMSG_ALIGN(head.nlmsg_len)) {
		memcpy(&head, buffer + at, sizeof(head));
		memcpy(&info, buffer + at + NLMSG_HDRLEN, sizeof(info));
		if (head.nlmsg_type != RTM_NEWLINK)
			break;
		links++;
		if (lo_only && info.ifi_index != 1) {
			errno = ENODEV;
			return (-1);
		}
	}
	return (links > 0 ? 0 : -1);
}

static long
attack_route_list(void)
{
	return (route_list(0));
}

static long
attack_route_lo(void)
{
	return (route_list(1));
}

/* No link has that number, so that nothing is changed. */
static long
attack_route_change(void)
{
	struct nlmsgerr	 answer;
	ssize_t		 n;

	n = route_request(RTM_DELLINK, NLM_F_ACK, 0x7fffffff);
	if (n == -1)
		return (-1);
	errno = EPROTO;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(answer)))
		return (-1);
	memcpy(&answer, buffer + NLMSG_HDRLEN, sizeof(answer));
	errno = -answer.error;
	return (errno == 0 ? 0 : -1);
}

static long
attack_socket_mark(void)
{
	int	 mark;

	return (ioctl(pair_fd(), SIOCATMARK, &mark) == -1 &&
	    errno == EPERM ? -1 : 0);
}

/* Nothing is changed that is not as asked for already. */
static long
attack_outsider_priority(void)
{
	return (setpriority(PRIO_PROCESS, outsider,
	    getpriority(PRIO_PROCESS, outsider)));
}

static long
attack_outsider_ioprio(void)
{
	return (syscall(SYS_ioprio_set, 1, outsider, 2 << 13 | 4));
}

static long
attack_outsider_scheduler(void)
{
	struct sched_param	 param = { 0 };

	return (sched_setscheduler(outsider, SCHED_OTHER, &param));
}

static long
attack_outsider_param(void)
{
	struct sched_param	 param = { 0 };

	return (sched_setparam(outsider, &param));
}

static long
attack_outsider_attr(void)
{
	uint32_t	 attr[12] = { sizeof(attr) };

	return (syscall(SYS_sched_setattr, outsider, attr, 0));
}

static long
affinity(pid_t pid)
{
	cpu_set_t	 set;

	if (sched_getaffinity(pid, sizeof(set), &set) == -1)
		return (-1);
	return (sched_setaffinity(pid, sizeof(set), &set));
}

static long
attack_outsider_affinity(void)
{
	return (affinity(outsider));
}

static long
attack_own_affinity(void)
{
	return (affinity(0));
}

static long
limits(pid_t pid, int set)
{
	struct rlimit	 limit;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == -1)
		return (-1);
	return (set ? prlimit(pid, RLIMIT_NOFILE, &limit, NULL) : 0);
}

static long
attack_outsider_limit(void)
{
	return (limits(outsider, 1));
}

static long
attack_own_limit(void)
{
	return (limits(0, 1));
}

/* A group may be one that it has joined: not even its own is let through. */
static long
attack_group_priority(void)
{
	if (setpgid(0, 0) == -1)
		return (-1);
	return (setpriority(PRIO_PGRP, 0, 19));
}

static long
attack_own_scheduler(void)
{
	struct sched_param	 param = { 0 };

	return (sched_setscheduler(0, SCHED_BATCH, &param));
}

/* On a real terminal: type a character for whoever reads it next. */
static long
attack_terminal_tiocsti(void)
{
	return (ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static long
attack_terminal_tiocsti_high(void)
{
	return (syscall(SYS_ioctl, STDIN_FILENO, TIOCSTI | HIGH, "x"));
}

static long
attack_ring_enter(void)
{
	return (syscall(SYS_io_uring_enter, RING_FD, 0, 0, 0, NULL, 0));
}

/* Echo requests, which the kernel leaves to some groups. */
static long
attack_socket_icmp(void)
{
	return (socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

static long
attack_socket_icmp6(void)
{
	return (socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMPV6));
}

static long
attack_socket_icmp_high(void)
{
	return (syscall(SYS_socket, AF_INET | HIGH, SOCK_DGRAM | HIGH,
	    IPPROTO_ICMP | HIGH));
}

/* That of the other family. */
static long
attack_socket_icmp_other(void)
{
	return (socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMP));
}

#define A(name)		{ #name, attack_ ## name }
static const struct attack attacks[] = {
	A(clone), A(clone_newuser), A(clone_newuser_high), A(clone_newns),
	A(clone3), A(clone3_newuser), A(clone3_cgroup), A(clone3_settid),
	A(pthread), A(fork), A(vfork),
	A(ptrace_traceme), A(ptrace_seize), A(ptrace_suspend_seccomp),
	A(ptrace_outsider), A(kcmp),
	A(shmget), A(semget), A(msgget),
	A(prctl_dumpable),
	A(filter), A(filter_listener), A(filter_listener_high),
	A(filter_then_personality),
	A(mknod_fifo), A(mknod_char), A(mknod_char_high), A(mknod_block),
	A(mknodat_char),
	A(rename_noreplace), A(rename_whiteout), A(rename_whiteout_high),
	A(open_read), A(open_neither), A(openat_neither), A(openat2),
	A(lease), A(lease_high),
	A(setflags), A(fssetxattr), A(setversion), A(ficlone),
	A(btrfs_snapshot),
	A(chmod), A(fchmod), A(fchmodat), A(fchmodat2), A(fchmodat2_fd),
	A(chown), A(fchown), A(lchown), A(fchownat),
	A(utime), A(utimes), A(futimesat), A(utimensat), A(utimensat_fd),
	A(setxattr), A(lsetxattr), A(fsetxattr), A(setxattrat),
	A(removexattr), A(lremovexattr), A(fremovexattr), A(removexattrat),
	A(socketpair), A(socketpair_dgram), A(socketpair_dgram_high),
	A(sendto), A(sendto_fastopen), A(sendto_fastopen_high),
	A(sendmsg_fastopen), A(sendmmsg_fastopen),
	A(tcp_ulp), A(ipv6_addrform), A(ip_options), A(ipv6_rthdr),
	A(ipv6_flowlabel), A(tcp_group), A(tcp_group6),
	A(udp_encap), A(ipv6_pktoptions),
	A(interface_list), A(interface_index), A(interface_index_high),
	A(interface_ethtool), A(interface_flags), A(interface_flags_high),
	A(interface_route), A(socket_mark),
	A(datagram), A(datagram_pair), A(route_datagram), A(route_bind),
	A(route_list),
	A(outsider_priority), A(outsider_ioprio), A(outsider_scheduler),
	A(outsider_param), A(outsider_attr), A(outsider_affinity),
	A(outsider_limit), A(group_priority),
	A(own_affinity), A(own_limit), A(own_scheduler)
};

/*
 * These are run by name only: they want a terminal or a ring, or depend on
 * what interfaces and rights there are outside.
 */
static const struct attack named[] = {
	A(terminal_tiocsti), A(terminal_tiocsti_high), A(ring_enter),
	A(interface_lo), A(route_lo), A(route_change),
	A(socket_icmp), A(socket_icmp6), A(socket_icmp_high),
	A(socket_icmp_other)
};
#undef A

static long
call_make(const struct call *c)
{
	return (syscall(c->nr, c->args[0], c->args[1], c->args[2],
	    c->args[3], c->args[4], c->args[5]));
}

/* Make the attack called name; 0 when there is none. */
static int
attack_make(const char *name, long *ret)
{
	size_t	 i;

	errno = 0;
	for (i = 0; i < NELEMS(calls); i++)
		if (strcmp(calls[i].name, name) == 0) {
			*ret = call_make(&calls[i]);
			return (1);
		}
	for (i = 0; i < NELEMS(sockets); i++)
		if (strcmp(sockets[i].name, name) == 0) {
			*ret = syscall(SYS_socket, sockets[i].family,
			    sockets[i].type, sockets[i].protocol);
			return (1);
		}
	for (i = 0; i < NELEMS(attacks); i++)
		if (strcmp(attacks[i].name, name) == 0) {
			*ret = attacks[i].fn();
			return (1);
		}
	for (i = 0; i < NELEMS(named); i++)
		if (strcmp(named[i].name, name) == 0) {
			*ret = named[i].fn();
			return (1);
		}
	return (0);
}

/* In a child, so that no attack disturbs the next; prints the result. */
static void
attack_run(const char *name)
{
	pid_t	 pid;
	long	 ret;
	int	 status, error, fds[2];

	if (pipe(fds) == -1 || (pid = fork()) == -1)
		err(1, "%s", name);
	if (pid == 0) {
		if (!attack_make(name, &ret))
			errx(1, "%s: no such attack", name);
		error = ret < 0 ? errno : 0;
		if (write(fds[1], &error, sizeof(error)) != sizeof(error))
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (WIFSIGNALED(status))
		printf("%s SIG%s\n", name, sigabbrev_np(WTERMSIG(status)));
	else if (read(fds[0], &error, sizeof(error)) != sizeof(error))
		errx(1, "%s: no result", name);
	else
		printf("%s %s\n", name, error == 0 ? "ok" :
		    strerrorname_np(error));
	fflush(stdout);
	close(fds[0]);
}

static void
attack_run_all(void)
{
	size_t	 i;

	for (i = 0; i < NELEMS(calls); i++)
		attack_run(calls[i].name);
	for (i = 0; i < NELEMS(sockets); i++)
		attack_run(sockets[i].name);
	for (i = 0; i < NELEMS(attacks); i++)
		attack_run(attacks[i].name);
}

/* The slave side, open in the parent too, so that its input is kept. */
static int
terminal_open(int *master)
{
	struct termios	 mode;
	char		*name;
	int		 slave;

	if ((*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1 ||
	    grantpt(*master) == -1 || unlockpt(*master) == -1 ||
	    (name = ptsname(*master)) == NULL ||
	    (slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1 ||
	    tcgetattr(slave, &mode) == -1)
		err(1, "terminal");
	/* Characters are counted at once, not with the end of the line. */
	cfmakeraw(&mode);
	if (tcsetattr(slave, TCSANOW, &mode) == -1)
		err(1, "terminal");
	return (slave);
}

static int
terminal_run(char *argv[])
{
	pid_t	 pid;
	int	 master, slave, status, typed;

	slave = terminal_open(&master);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		if (setsid() == -1 || ioctl(slave, TIOCSCTTY, 0) == -1 ||
		    dup2(slave, STDIN_FILENO) == -1)
			err(1, "terminal");
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (waitpid(pid, &status, 0) == -1 ||
	    ioctl(slave, FIONREAD, &typed) == -1)
		err(1, "terminal");
	printf("typed %d\n", typed);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void
ring_run(char *argv[])
{
	uint32_t	 params[30] = { 0 };
	int		 fd;

	if ((fd = syscall(SYS_io_uring_setup, 1, params)) == -1)
		err(1, "io_uring_setup");
	if (dup2(fd, RING_FD) == -1)
		err(1, "dup2");
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

/* A character for each datagram, until somebody ends this. */
static void
listen_run(const char *path)
{
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun.sun_path))
		errx(1, "%s: too long", path);
	strcpy(sun.sun_path, path);
	if ((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "%s", path);
	while (recv(fd, buffer, sizeof(buffer), 0) != -1)
		if (write(STDOUT_FILENO, "x", 1) != 1)
			err(1, "write");
	err(1, "recv");
}

static void
usage(void)
{
	fprintf(stderr, "usage: filter_attacks [-d dir] [-f file] [-p pid] "
	    "[name ...]\n       filter_attacks -l socket\n"
	    "       filter_attacks -t | -u command [arg ...]\n");
	exit(2);
}

int
main(int argc, char *argv[])
{
	int	 ch, ring = 0, terminal = 0;

	outsider = getppid();
	while ((ch = getopt(argc, argv, "+d:f:l:p:tu")) != -1)
		switch (ch) {
		case 'd':
			dir = optarg;
			break;
		case 'f':
			file = optarg;
			break;
		case 'l':
			listen_run(optarg);
			break;
		case 'p':
			outsider = (pid_t)atoi(optarg);
			break;
		case 't':
			terminal = 1;
			break;
		case 'u':
			ring = 1;
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if ((terminal || ring) && argc == 0)
		usage();
	if (ring)
		ring_run(argv);
	if (terminal)
		return (terminal_run(argv));
	/* No terminal whatever started us: see the ioctls. */
	if (argc == 0) {
		close(STDIN_FILENO);
		if (open("/dev/null", O_RDONLY) != STDIN_FILENO)
			err(1, "/dev/null");
		attack_run_all();
	}
	for (; argc > 0; argv++, argc--)
		attack_run(*argv);
	return (0);
}
