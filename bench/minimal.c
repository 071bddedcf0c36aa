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
 * The smallest supervisor: what a notified call costs at least.  One process
 * that does nothing but receive and answer, with the kernel's synchronous
 * wake-up; its filter notifies one call that calls.c makes and looks at nothing
 * else.  A clone or, with -o, an openat is answered CONTINUE; with -g the
 * openat of a name that calls.c has is made here, and the caller given the
 * descriptor before the answer; with -c a connect is made on behalf of the
 * caller, on a duplicate of its socket and with a copy of the address.  No
 * sandbox.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV	(1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP	(1UL << 0)
#endif

static int	 notified = SYS_clone;
static int	 give;

static int
listener_make(void)
{
	struct sock_filter	 simple[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, notified, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_filter	 insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog	 prog = {
		sizeof(insns) / sizeof(insns[0]), insns
	};

	if (notified != SYS_clone) {
		prog.len = sizeof(simple) / sizeof(simple[0]);
		prog.filter = simple;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	return (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER |
	    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog));
}

static void
fd_send(int sock, int fd)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} cmsg;
	struct msghdr	 msg;
	struct iovec	 iov = { &fd, 1 };

	memset(&msg, 0, sizeof(msg));
	memset(&cmsg, 0, sizeof(cmsg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &cmsg;
	msg.msg_controllen = sizeof(cmsg.buf);
	cmsg.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	cmsg.hdr.cmsg_level = SOL_SOCKET;
	cmsg.hdr.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&cmsg.hdr), &fd, sizeof(fd));
	if (sendmsg(sock, &msg, 0) == -1)
		err(1, "sendmsg");
}

static int
fd_recv(int sock)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} cmsg;
	struct msghdr	 msg;
	struct iovec	 iov;
	char		 c;
	int		 fd;

	iov.iov_base = &c;
	iov.iov_len = 1;
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &cmsg;
	msg.msg_controllen = sizeof(cmsg.buf);
	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 ||
	    msg.msg_controllen < CMSG_LEN(sizeof(int)))
		errx(1, "no listener");
	memcpy(&fd, CMSG_DATA(&cmsg.hdr), sizeof(fd));
	return (fd);
}

static void
child_main(int sock, char **argv)
{
	int	 listener;

	/* Whoever ends us ends the command. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if ((listener = listener_make()) == -1)
		err(1, "seccomp");
	fd_send(sock, listener);
	close(listener);
	close(sock);
	execvp(argv[0], argv);
	err(1, "%s", argv[0]);
}

/*
 * The end of the child is the end of us, wherever we are: RECV, depending on
 * the kernel, blocks for ever then.
 */
static void
child_ended(int sig)
{
	int	 status;

	(void)sig;
	if (waitpid(-1, &status, WNOHANG) > 0)
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Connect as the caller wants to; 0 or an errno. */
static int
connect_caller(const struct seccomp_notif *notif)
{
	static pid_t		 pid;
	static int		 pidfd = -1;
	struct sockaddr_storage	 ss;
	struct iovec		 local, remote;
	int			 error = 0, fd;

	if (pid != (pid_t)notif->pid) {
		if (pidfd != -1)
			close(pidfd);
		pid = notif->pid;
		if ((pidfd = syscall(SYS_pidfd_open, pid, 0)) == -1)
			err(1, "pidfd_open");
	}
	local.iov_base = &ss;
	remote.iov_base = (void *)(uintptr_t)notif->data.args[1];
	local.iov_len = remote.iov_len = notif->data.args[2];
	if (notif->data.args[2] > sizeof(ss) || process_vm_readv(pid, &local,
	    1, &remote, 1, 0) != (ssize_t)local.iov_len)
		return (EFAULT);
	if ((fd = syscall(SYS_pidfd_getfd, pidfd, notif->data.args[0],
	    0)) == -1)
		return (errno);
	if (connect(fd, (struct sockaddr *)&ss, local.iov_len) == -1)
		error = errno;
	close(fd);
	return (error);
}

/*
 * Open what the caller wants to and give it the descriptor; -1 if that is
 * nothing for us.
 */
static int
open_caller(int listener, const struct seccomp_notif *notif)
{
	static const char		 name[] = "file";
	struct seccomp_notif_addfd	 add;
	struct iovec			 local, remote;
	char				 buf[sizeof(name)];
	int				 fd, number;

	local.iov_base = buf;
	remote.iov_base = (void *)(uintptr_t)notif->data.args[1];
	local.iov_len = remote.iov_len = sizeof(buf);
	if (process_vm_readv(notif->pid, &local, 1, &remote, 1, 0) !=
	    (ssize_t)sizeof(buf) || memcmp(buf, name, sizeof(buf)) != 0)
		return (-1);
	if ((fd = open(name, (int)notif->data.args[2])) == -1)
		err(1, "%s", name);
	memset(&add, 0, sizeof(add));
	add.id = notif->id;
	add.srcfd = fd;
	if ((number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add)) == -1)
		err(1, "SECCOMP_IOCTL_NOTIF_ADDFD");
	close(fd);
	return (number);
}

static void __attribute__((__noreturn__))
answer(int listener)
{
	struct seccomp_notif		 notif;
	struct seccomp_notif_resp	 resp;
	int				 fd;

	for (;;) {
		memset(&notif, 0, sizeof(notif));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) == -1) {
			/* A task that has died in the meantime. */
			if (errno == ENOENT)
				continue;
			err(1, "SECCOMP_IOCTL_NOTIF_RECV");
		}
		memset(&resp, 0, sizeof(resp));
		resp.id = notif.id;
		if (notified == SYS_connect)
			resp.error = -connect_caller(&notif);
		else if (give && (fd = open_caller(listener, &notif)) != -1)
			resp.val = fd;
		else
			/* Nothing is confined: no race gains anything. */
			resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == -1 &&
		    errno != ENOENT)
			err(1, "SECCOMP_IOCTL_NOTIF_SEND");
	}
}

int
main(int argc, char **argv)
{
	struct sigaction	 sa;
	pid_t			 pid;
	int			 listener, pair[2];

	if (argc > 1 && strcmp(argv[1], "-c") == 0)
		notified = SYS_connect;
	else if (argc > 1 && (strcmp(argv[1], "-o") == 0 ||
	    strcmp(argv[1], "-g") == 0)) {
		notified = SYS_openat;
		give = argv[1][1] == 'g';
	}
	if (notified != SYS_clone) {
		argv++;
		argc--;
	}
	if (argc < 2) {
		fprintf(stderr,
		    "usage: minimal [-c | -g | -o] command [arg ...]\n");
		return (1);
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = child_ended;
	if (sigaction(SIGCHLD, &sa, NULL) == -1)
		err(1, "sigaction");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		err(1, "socketpair");
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		close(pair[0]);
		child_main(pair[1], argv + 1);
	}
	close(pair[1]);
	listener = fd_recv(pair[0]);
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == -1)
		warn("no synchronous wake-up");
	answer(listener);
}
