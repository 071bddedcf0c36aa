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
 * The "check" command: what this kernel offers to this user, and what is lost
 * without it.  Nothing is concluded from version numbers: each probe tries
 * what a run would do, in a child of its own that may confine itself, mount
 * or die without consequence for anyone.  A probe that fails in whatever way,
 * killed by a filter of our caller included, means "no".
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "landlock.h"
#include "lockdown.h"
#include "log.h"
#include "run.h"
#include "workload.h"

#define NELEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* What headers of stable distributions may lack. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV	(1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP	(1UL << 0)
#endif

/* A probe takes a few milliseconds; one that hangs means "no" as well. */
#define CHECK_SECONDS	1

/* Where the overlay is mounted, in a mount namespace of its own. */
#define OVERLAY_ROOT	"/usr"

/* What a probe reports, through a pipe. */
struct outcome {
	int	 available;
	char	 detail[80];	/* "" when yes or no says it all */
};

struct probe {
	const char	*name;		/* NULL: that of the protection */
	void		(*func)(struct outcome *, int);
	int		 arg;		/* for func */
	int		 required;	/* by the default policy */
	const char	*lost;		/* without it */
};

/* How the probe's own notified call is answered. */
enum answer {
	ANSWER_CONTINUE,
	ANSWER_KILLABLE,
	ANSWER_SYNC,
	ANSWER_ADDFD,
	ANSWER_ADDFD_SEND
};

/* What is tried on another process. */
enum access {
	ACCESS_MEMORY,
	ACCESS_DESCRIPTOR
};

static void	 probe_landlock(struct outcome *, int);
static void	 probe_protection(struct outcome *, int);
static void	 probe_notification(struct outcome *, int);
static void	 probe_tsync(struct outcome *, int);
static void	 probe_process(struct outcome *, int);
static void	 probe_yama(struct outcome *, int);
static void	 probe_user_namespace(struct outcome *, int);
static void	 probe_overlay(struct outcome *, int);
static void	 probe_ping(struct outcome *, int);
static void	 probe_cgroup(struct outcome *, int);

static const struct probe probes[] = {
	{ "landlock", probe_landlock, 0, 1,
	    "nothing can be confined" },
	{ NULL, probe_protection, PROT_FS_REFER, 1,
	    "files cannot move between directories" },
	{ NULL, probe_protection, PROT_FS_TRUNCATE, 1,
	    "files that may only be read can be emptied" },
	{ NULL, probe_protection, PROT_NET_TCP, 1,
	    "rules about TCP ports are not enforced" },
	{ NULL, probe_protection, PROT_FS_IOCTL_DEV, 1,
	    "devices that may only be read can be controlled" },
	{ NULL, probe_protection, PROT_SIGNAL_SCOPE, 1,
	    "the user's other processes can be signalled" },
	{ NULL, probe_protection, PROT_ABSTRACT_UNIX_SOCKET_SCOPE, 1,
	    "the user's abstract sockets can be reached" },
	{ "notification", probe_notification, ANSWER_CONTINUE, 1,
	    "only --no-supervisor works" },
	{ "notification-addfd", probe_notification, ANSWER_ADDFD, 1,
	    "no copy-on-write, no virtual files" },
	{ "notification-addfd-send", probe_notification, ANSWER_ADDFD_SEND, 1,
	    "no copy-on-write, no virtual files" },
	{ "wait-killable-recv", probe_notification, ANSWER_KILLABLE, 0,
	    "signals interrupt calls that are being answered" },
	{ "sync-wake-up", probe_notification, ANSWER_SYNC, 0,
	    "a notified call takes longer" },
	{ "tsync", probe_tsync, 0, 0,
	    "a program with threads cannot confine itself" },
	{ "process-memory", probe_process, ACCESS_MEMORY, 1,
	    "the arguments of notified calls cannot be read" },
	{ "process-descriptors", probe_process, ACCESS_DESCRIPTOR, 0,
	    "no connects by name or address" },
	{ "yama-scope", probe_yama, 0, 1,
	    "the arguments of notified calls cannot be read" },
	{ "ping-sockets", probe_ping, 0, 0,
	    "rules for ICMP admit nothing" },
	{ "user-namespace", probe_user_namespace, 0, 0,
	    "no --user, no --privileged" },
	{ "overlayfs", probe_overlay, 0, 0,
	    "no copy-on-write by the kernel" },
	{ "cgroup-delegation", probe_cgroup, 0, 0,
	    "the memory limit is sampled, not exact" }
};

static void	 no(struct outcome *, const char *, ...)
		    __attribute__((__format__ (printf, 2, 3)));

/* A probe starts from yes; this makes it no and says why. */
static void
no(struct outcome *o, const char *fmt, ...)
{
	va_list	 ap;

	o->available = 0;
	va_start(ap, fmt);
	vsnprintf(o->detail, sizeof(o->detail), fmt, ap);
	va_end(ap);
}

/* A system call of the probe failed, as errno says. */
static void
failed(struct outcome *o, const char *what)
{
	no(o, "%s: %s", what, strerror(errno));
}

/* Read a short file as a string without its newline; 0, or -1 and errno. */
static int
file_read(const char *path, char *buf, size_t len)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, buf, len - 1);
	close(fd);
	if (n == -1)
		return (-1);
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return (0);
}

static int
file_write(const char *path, const char *text)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = write(fd, text, strlen(text));
	close(fd);
	return (n == -1 ? -1 : 0);
}

/* As one of our own programs would be; 0, or -1 and errno. */
static int
confine(int abi)
{
	struct landlock_self	 ls = { .abi = abi, .scope = 1 };

	return (landlock_self(&ls));
}

/* A domain that grants nothing: more layers than the kernel takes show too. */
static void
probe_landlock(struct outcome *o, int arg)
{
	int	 abi, fd;

	(void)arg;
	if ((abi = landlock_abi()) == 0) {
		failed(o, "landlock_create_ruleset");
		return;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    confine(abi) == -1) {
		failed(o, "landlock_restrict_self");
		return;
	}
	if ((fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) != -1 ||
	    errno != EACCES) {
		if (fd != -1)
			close(fd);
		no(o, "a domain without rights does not hold");
		return;
	}
	snprintf(o->detail, sizeof(o->detail), "ABI %d", abi);
}

/* The workload's domain with this protection alone. */
static void
probe_protection(struct outcome *o, int prot)
{
	struct workload_conf	 wc;
	const char		*what;

	workload_conf_init(&wc);
	wc.abi = landlock_abi();
	wc.protections = 1U << prot;
	if (!landlock_has(wc.abi, prot))
		no(o, "%s", "");
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		failed(o, "no_new_privs");
	else if (landlock_workload(&wc, WORKLOAD_DOMAIN_WHOLE, &what) == -1)
		failed(o, what);
}

/* The listener's side: answer one request as asked; 0 or an errno. */
static int
answer_request(int listener, enum answer answer)
{
	struct seccomp_notif		 notif;
	struct seccomp_notif_resp	 resp;
	struct seccomp_notif_addfd	 addfd;
	struct pollfd			 pfd;
	int				 fd;

	if (answer == ANSWER_SYNC && ioctl(listener,
	    SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == -1)
		return (errno);

	/* RECV does not heed the end of the process that is to call. */
	pfd.fd = listener;
	pfd.events = POLLIN;
	if (poll(&pfd, 1, CHECK_SECONDS * 1000) != 1)
		return (ETIMEDOUT);
	memset(&notif, 0, sizeof(notif));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) == -1)
		return (errno);

	memset(&resp, 0, sizeof(resp));
	resp.id = notif.id;
	memset(&addfd, 0, sizeof(addfd));
	addfd.id = notif.id;
	addfd.srcfd = listener;
	addfd.newfd_flags = O_CLOEXEC;
	switch (answer) {
	case ANSWER_ADDFD_SEND:
		addfd.flags = SECCOMP_ADDFD_FLAG_SEND;
		return (ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD,
		    &addfd) == -1 ? errno : 0);
	case ANSWER_ADDFD:
		if ((fd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD,
		    &addfd)) == -1)
			return (errno);
		resp.val = fd;
		break;
	case ANSWER_CONTINUE:
	case ANSWER_KILLABLE:
	case ANSWER_SYNC:
		/* Harmless: the call is our own, and has no arguments. */
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		break;
	}
	return (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == -1 ?
	    errno : 0);
}

/* Notify getppid(2), which nothing here needs. */
static int
listener_make(unsigned long flags)
{
	struct sock_filter	 insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog	 prog = { NELEMS(insns), insns };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	return (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog));
}

/*
 * Make a notified call and have a child answer it.  The child is the only one
 * to hold the listener, so that its end ends the call as well.
 */
static void
probe_notification(struct outcome *o, int answer)
{
	unsigned long	 flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	pid_t		 pid, ppid = getppid();
	long		 value;
	int		 listener, status;

	if (answer == ANSWER_KILLABLE)
		flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	if ((listener = listener_make(flags)) == -1) {
		if (errno == EBUSY)
			no(o, "in use by the caller (nested)");
		else if (errno == EPERM || errno == EACCES)
			/* The kernel asks for no right after NO_NEW_PRIVS. */
			no(o, "refused by a filter of the caller (nested)");
		else if (errno == EINVAL && answer == ANSWER_KILLABLE)
			no(o, "%s", "");
		else
			failed(o, "seccomp");
		return;
	}
	if ((pid = fork()) == -1) {
		failed(o, "fork");
		return;
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(answer_request(listener, answer));
	}
	close(listener);
	value = syscall(SYS_getppid);
	if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		no(o, "the listener's process was killed");
	else if (WEXITSTATUS(status) != 0)
		no(o, "%s", strerror(WEXITSTATUS(status)));
	else if (answer == ANSWER_ADDFD || answer == ANSWER_ADDFD_SEND) {
		if (fcntl(value, F_GETFD) != FD_CLOEXEC)
			no(o, "the descriptor did not arrive");
	} else if (value != ppid)
		no(o, "the call was not let through");
}

/* A known flag without a program is a bad address, an unknown one is not. */
static void
probe_tsync(struct outcome *o, int arg)
{
	(void)arg;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC, NULL) == -1 && errno == EFAULT)
		return;
	failed(o, "seccomp");
}

/* The other process: in a domain nested in that of the probe. */
static void
target_main(int sync)
{
	int	 abi = landlock_abi();
	char	 c = 'x';

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (abi > 0 && confine(abi) == -1)
		_exit(1);
	if (write(sync, &c, 1) == 1 && read(sync, &c, 1) == 0)
		_exit(0);
	_exit(1);
}

/*
 * As the supervisor does it: without capabilities, from a domain that the
 * other process, a child, has one more within.
 */
static void
probe_process(struct outcome *o, int access)
{
	static int		 word;
	struct iovec		 local, remote;
	pid_t			 pid;
	int			 abi = landlock_abi(), copy, pair[2], pidfd;
	char			 c;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    lockdown_capabilities() == -1 ||
	    (abi > 0 && confine(abi) == -1) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		failed(o, "set-up");
		return;
	}
	if ((pid = fork()) == -1) {
		failed(o, "fork");
		return;
	}
	if (pid == 0) {
		close(pair[0]);
		word = 1;
		target_main(pair[1]);
	}
	close(pair[1]);
	if (read(pair[0], &c, 1) != 1) {
		no(o, "the other process was killed");
		return;
	}
	if (access == ACCESS_MEMORY) {
		local.iov_base = &copy;
		local.iov_len = sizeof(copy);
		remote.iov_base = &word;
		remote.iov_len = sizeof(copy);
		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) !=
		    sizeof(copy))
			failed(o, "process_vm_readv");
		else if (copy != 1)
			no(o, "process_vm_readv: wrong content");
	} else if ((pidfd = syscall(SYS_pidfd_open, pid, 0)) == -1)
		failed(o, "pidfd_open");
	else if (syscall(SYS_pidfd_getfd, pidfd, pair[1], 0) == -1)
		failed(o, "pidfd_getfd");
	close(pair[0]);
	waitpid(pid, NULL, 0);
}

/* 0: as without Yama; 1: children only, which is what the supervisor has. */
static void
probe_yama(struct outcome *o, int arg)
{
	char	 buf[16];

	(void)arg;
	if (file_read("/proc/sys/kernel/yama/ptrace_scope", buf,
	    sizeof(buf)) == -1) {
		if (errno == ENOENT && access("/proc/sys/kernel", F_OK) == 0)
			strlcpy(o->detail, "no Yama", sizeof(o->detail));
		else
			failed(o, "/proc/sys/kernel/yama/ptrace_scope");
	} else if (strcmp(buf, "0") == 0 || strcmp(buf, "1") == 0)
		snprintf(o->detail, sizeof(o->detail), "scope %s", buf);
	else
		no(o, "scope %s", buf);
}

static void
probe_user_namespace(struct outcome *o, int arg)
{
	(void)arg;
	if (identity_namespace(0, 0) == -1)
		failed(o, "unshare");
	else if (getuid() != 0)
		no(o, "no identity in it");
}

/* Be root in fresh user and mount namespaces; 0, or -1 and errno. */
static int
namespace_enter(void)
{
	uid_t	 uid = geteuid();
	gid_t	 gid = getegid();
	char	 map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1 ||
	    file_write("/proc/self/setgroups", "deny") == -1)
		return (-1);
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	if (file_write("/proc/self/uid_map", map) == -1)
		return (-1);
	snprintf(map, sizeof(map), "0 %u 1\n", gid);
	return (file_write("/proc/self/gid_map", map));
}

/*
 * Mount an overlay and write to it.  Everything lies on a tmpfs that hides a
 * directory in this mount namespace and is gone with it.
 */
static void
probe_overlay(struct outcome *o, int arg)
{
	static const char	*const dirs[] = {
		"lower", "upper", "work", "merged"
	};
	size_t			 i;

	(void)arg;
	if (namespace_enter() == -1) {
		failed(o, "unshare");
		return;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("tmpfs", OVERLAY_ROOT, "tmpfs", 0, "size=1m") == -1 ||
	    chdir(OVERLAY_ROOT) == -1) {
		failed(o, "mount");
		return;
	}
	for (i = 0; i < NELEMS(dirs); i++)
		if (mkdir(dirs[i], 0700) == -1) {
			failed(o, "mkdir");
			return;
		}
	if (mount("overlay", "merged", "overlay", 0,
	    "lowerdir=lower,upperdir=upper,workdir=work,userxattr") == -1)
		failed(o, "mount");
	else if (open("merged/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) ==
	    -1 || access("upper/file", F_OK) == -1)
		failed(o, "write");
}

/*
 * Where cgroup v2 is mounted (mountinfo: id parent dev root mountpoint ... -
 * type ...); 0, or -1.  A mount of a part of the tree is no use: paths in
 * /proc/self/cgroup count from the top.
 */
static int
cgroup_mount(char *path, size_t len)
{
	char	*fields[5], *line = NULL, *p, *rest;
	FILE	*fp;
	size_t	 i, size = 0;
	int	 found = 0;

	if ((fp = fopen("/proc/self/mountinfo", "re")) == NULL)
		return (-1);
	while (!found && getline(&line, &size, fp) != -1) {
		if ((rest = strstr(line, " - cgroup2 ")) == NULL)
			continue;
		*rest = '\0';
		p = line;
		for (i = 0; i < NELEMS(fields); i++)
			if ((fields[i] = strsep(&p, " ")) == NULL)
				break;
		found = i == NELEMS(fields) && strcmp(fields[3], "/") == 0 &&
		    strlcpy(path, fields[4], len) < len;
	}
	free(line);
	fclose(fp);
	return (found ? 0 : -1);
}

/* The path of our group in the tree; 0, or -1. */
static int
cgroup_self(char *path, size_t len)
{
	char	*line = NULL;
	FILE	*fp;
	size_t	 size = 0;
	int	 found = 0;

	if ((fp = fopen("/proc/self/cgroup", "re")) == NULL)
		return (-1);
	while (!found && getline(&line, &size, fp) != -1)
		if (strncmp(line, "0::/", 4) == 0) {
			line[strcspn(line, "\n")] = '\0';
			found = strlcpy(path, line + 3, len) < len;
		}
	free(line);
	fclose(fp);
	return (found ? 0 : -1);
}

/* A file of a group, to be read or written; a descriptor, or -1 and errno. */
static int
cgroup_open(const char *dir, const char *name, int flags)
{
	char	 path[PATH_MAX];
	int	 n;

	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (open(path, flags | O_CLOEXEC));
}

/* Whether the group may hand the memory controller to groups below it. */
static int
cgroup_has_memory(const char *dir)
{
	char	 buf[256], *p = buf, *word;
	ssize_t	 n;
	int	 fd;

	if ((fd = cgroup_open(dir, "cgroup.controllers", O_RDONLY)) == -1)
		return (0);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return (0);
	buf[n] = '\0';
	while ((word = strsep(&p, " \n")) != NULL)
		if (strcmp(word, "memory") == 0)
			return (1);
	return (0);
}

/* The sysctl net.ipv4.ping_group_range is about both families. */
static void
probe_ping(struct outcome *o, int arg)
{
	int	 fd;

	(void)arg;
	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
	    IPPROTO_ICMP)) == -1) {
		failed(o, "socket");
		return;
	}
	close(fd);
}

/*
 * A group that a run could divide: its control files open for writing (which
 * asks Landlock, too) and its directory is writable.  Nothing is made, so
 * that nothing can be left behind.
 */
static void
probe_cgroup(struct outcome *o, int arg)
{
	static const char	*const files[] = {
		"cgroup.procs", "cgroup.subtree_control"
	};
	char			 dir[PATH_MAX], self[PATH_MAX];
	size_t			 i;
	int			 fd;

	(void)arg;
	if (cgroup_mount(dir, sizeof(dir)) == -1 ||
	    cgroup_self(self, sizeof(self)) == -1) {
		no(o, "no cgroup v2");
		return;
	}
	if (strlcat(dir, self, sizeof(dir)) >= sizeof(dir)) {
		no(o, "path too long");
		return;
	}
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == -1) {
		failed(o, "own group");
		return;
	}
	for (i = 0; i < NELEMS(files); i++) {
		if ((fd = cgroup_open(dir, files[i], O_WRONLY)) == -1) {
			failed(o, files[i]);
			return;
		}
		close(fd);
	}
	if (!cgroup_has_memory(dir))
		no(o, "without the memory controller");
}

/* The child: whatever happens to it is the answer. */
static void
probe_child(const struct probe *pr, int fd)
{
	const struct rlimit	 rl = { 0, 0 };
	struct outcome		 o;
	sigset_t		 none;

	/* The caller may ignore or block what ends a probe that hangs. */
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &rl);
	alarm(CHECK_SECONDS);
	memset(&o, 0, sizeof(o));
	o.available = 1;
	pr->func(&o, pr->arg);
	_exit(write(fd, &o, sizeof(o)) == sizeof(o) ? 0 : 1);
}

static void
probe_run(const struct probe *pr, struct outcome *o)
{
	struct outcome	 got;
	pid_t		 pid;
	ssize_t		 n;
	int		 fds[2], status = 0;

	memset(o, 0, sizeof(*o));
	if (pipe2(fds, O_CLOEXEC) == -1) {
		failed(o, "pipe");
		return;
	}
	if ((pid = fork()) == -1) {
		failed(o, "fork");
		close(fds[0]);
		close(fds[1]);
		return;
	}
	if (pid == 0) {
		close(fds[0]);
		probe_child(pr, fds[1]);
	}
	close(fds[1]);
	n = read(fds[0], &got, sizeof(got));
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (n == (ssize_t)sizeof(got))
		*o = got;
	else if (WIFSIGNALED(status))
		no(o, "SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		no(o, "no answer");
}

static const char *
probe_name(const struct probe *pr)
{
	return (pr->name != NULL ? pr->name :
	    policy_protection_name((enum protection)pr->arg));
}

static void
print_text(const struct probe *pr, const struct outcome *o)
{
	char	 state[sizeof(o->detail) + 5];

	snprintf(state, sizeof(state), "%s%s%s", o->available ? "yes" : "no",
	    o->detail[0] != '\0' ? ", " : "", o->detail);
	printf("%-27s %-13s without: %s\n", probe_name(pr), state, pr->lost);
}

static void
print_json(const struct probe *pr, const struct outcome *o)
{
	printf("{\"name\":");
	json_string(stdout, probe_name(pr));
	printf(",\"available\":%s,\"detail\":",
	    o->available ? "true" : "false");
	json_string(stdout, o->detail);
	printf(",\"required\":%s,\"lost\":", pr->required ? "true" : "false");
	json_string(stdout, pr->lost);
	putchar('}');
}

/* What the default policy misses, as text; "" when nothing. */
static void
missing_string(const struct outcome *outcomes, char *buf, size_t len)
{
	size_t	 i;

	buf[0] = '\0';
	for (i = 0; i < NELEMS(probes); i++) {
		if (!probes[i].required || outcomes[i].available)
			continue;
		strlcat(buf, buf[0] == '\0' ? "no " : ", no ", len);
		strlcat(buf, probe_name(&probes[i]), len);
		if (outcomes[i].detail[0] == '\0')
			continue;
		strlcat(buf, " (", len);
		strlcat(buf, outcomes[i].detail, len);
		strlcat(buf, ")", len);
	}
}

static void
check_usage(FILE *fp)
{
	fprintf(fp, "usage: sandlock check [--json]\n");
}

/* 0 or an exit status for wrong arguments; -1 after help was printed. */
static int
check_options(int argc, char **argv, int *json)
{
	static const struct option	 options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int				 ch;

	optind = 0;
	while ((ch = getopt_long(argc, argv, "+h", options, NULL)) != -1)
		switch (ch) {
		case 'j':
			*json = 1;
			break;
		case 'h':
			check_usage(stdout);
			return (-1);
		default:
			check_usage(stderr);
			return (EXIT_SANDLOCK);
		}
	if (optind < argc) {
		check_usage(stderr);
		return (EXIT_SANDLOCK);
	}
	return (0);
}

int
check_main(int argc, char **argv)
{
	struct outcome	 outcomes[NELEMS(probes)];
	char		 missing[1024];
	size_t		 i;
	int		 json = 0, status;

	if ((status = check_options(argc, argv, &json)) != 0)
		return (status == -1 ? 0 : status);

	/* Ignored, it would let the kernel reap the probes before we do. */
	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < NELEMS(probes); i++)
		probe_run(&probes[i], &outcomes[i]);
	missing_string(outcomes, missing, sizeof(missing));

	if (json)
		printf("{\"probes\":[");
	for (i = 0; i < NELEMS(probes); i++) {
		if (json && i > 0)
			putchar(',');
		if (json)
			print_json(&probes[i], &outcomes[i]);
		else
			print_text(&probes[i], &outcomes[i]);
	}
	if (json) {
		printf("],\"enforceable\":%s,\"reason\":",
		    missing[0] == '\0' ? "true" : "false");
		json_string(stdout, missing);
		printf("}\n");
	} else if (missing[0] == '\0')
		printf("the default policy can be enforced\n");
	else
		printf("the default policy cannot be enforced: %s\n", missing);
	return (missing[0] == '\0' ? 0 : 1);
}
