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
 * Descriptors that somebody outside opened and sends through a socket, and
 * what can be done by them that the policy does not grant.
 *
 *	passed serve socket file dir
 *	passed try socket dir
 *
 * The server gives whoever connects what file, dir, a terminal, a process and
 * some sockets are open as.  The other prints one line for each try, its name
 * and "ok" or an errno; dir is where it may make something.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/fs.h>

#include <netinet/in.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "syscalls.h"

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

/* What is sent. */
enum {
	FD_FILE,		/* the file, open for reading and writing */
	FD_DIR,			/* its directory, open for reading */
	FD_NAME,		/* that as O_PATH */
	FD_TERMINAL,		/* a terminal that nobody has */
	FD_PROCESS,		/* a process, the server */
	FD_TCP,
	FD_UDP,
	FD_MAX
};

static int		 fds[FD_MAX];
static const char	*dir;		/* where something may be made */
static char		 self[32];	/* the file as of /proc */

/* The server. */

static int
terminal_open(int *master)
{
	char	*name;
	int	 slave;

	if ((*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1 ||
	    grantpt(*master) == -1 || unlockpt(*master) == -1 ||
	    (name = ptsname(*master)) == NULL ||
	    (slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1)
		err(1, "terminal");
	return (slave);
}

static void
fds_send(int s)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(fds))];
	}		 control;
	struct iovec	 iov = { self, 1 };
	struct msghdr	 msg;
	struct cmsghdr	*cmsg;

	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control.buf;
	msg.msg_controllen = sizeof(control.buf);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
	if (sendmsg(s, &msg, MSG_NOSIGNAL) != 1)
		err(1, "sendmsg");
}

/* One to be removed. */
static void
attribute_set(void)
{
	if (fsetxattr(fds[FD_FILE], "user.before", "x", 1, 0) == -1)
		err(1, "attribute");
}

/* Each client has a terminal and sockets of its own, and closes at its end. */
static void
client_serve(int s)
{
	char	 c;
	int	 master;

	fds[FD_TERMINAL] = terminal_open(&master);
	fds[FD_TCP] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[FD_UDP] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fds[FD_TCP] == -1 || fds[FD_UDP] == -1)
		err(1, "socket");
	attribute_set();
	fds_send(s);
	(void)recv(s, &c, 1, 0);
	close(fds[FD_TERMINAL]);
	close(fds[FD_TCP]);
	close(fds[FD_UDP]);
	close(master);
	close(s);
}

static void
unix_address(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >=
	    sizeof(sun->sun_path))
		errx(1, "%s: too long", path);
}

static void
serve(const char *path, const char *file, const char *where)
{
	struct sockaddr_un	 sun;
	int			 s, client;

	if ((fds[FD_FILE] = open(file, O_RDWR | O_CLOEXEC)) == -1)
		err(1, "%s", file);
	if ((fds[FD_DIR] = open(where, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (fds[FD_NAME] = open(where, O_PATH | O_CLOEXEC)) == -1)
		err(1, "%s", where);
	if ((fds[FD_PROCESS] = syscall(SYS_pidfd_open, getpid(), 0)) == -1)
		err(1, "pidfd_open");
	attribute_set();
	/* Once it has its name it listens. */
	unix_address(&sun, "unnamed");
	if ((s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(s, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(s, 8) == -1 || rename("unnamed", path) == -1)
		err(1, "%s", path);
	for (;;) {
		if ((client = accept(s, NULL, NULL)) == -1)
			err(1, "accept");
		client_serve(client);
	}
}

/* Who is sent them. */

static int
fds_receive(const char *path)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(fds))];
	}			 control;
	struct sockaddr_un	 sun;
	struct iovec		 iov = { self, 1 };
	struct msghdr		 msg;
	struct cmsghdr		*cmsg;
	int			 s;

	unix_address(&sun, path);
	if ((s = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(s, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "%s", path);
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control.buf;
	msg.msg_controllen = sizeof(control.buf);
	if (recvmsg(s, &msg, 0) != 1)
		err(1, "recvmsg");
	if ((cmsg = CMSG_FIRSTHDR(&msg)) == NULL ||
	    cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(fds)))
		errx(1, "not the descriptors");
	memcpy(fds, CMSG_DATA(cmsg), sizeof(fds));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fds[FD_FILE]);
	return (s);
}

/* What a descriptor is good for, however it came. */

static long
try_read(void)
{
	char	 buf[7];

	if (pread(fds[FD_FILE], buf, sizeof(buf), 0) != sizeof(buf))
		return (-1);
	errno = EBADMSG;
	return (memcmp(buf, "secret\n", sizeof(buf)) == 0 ? 0 : -1);
}

static long
try_write(void)
{
	return (pwrite(fds[FD_FILE], "secret\n", 7, 0));
}

static long
try_list(void)
{
	char	 buf[4096];

	return (syscall(SYS_getdents64, fds[FD_DIR], buf, sizeof(buf)));
}

/* The metadata of what it is open on. */

static long
try_fchmod(void)
{
	return (syscall(SYS_fchmod, fds[FD_FILE], 0604));
}

static long
try_fchmodat2(void)
{
	return (syscall(SYS_fchmodat2, fds[FD_FILE], "", 0604, AT_EMPTY_PATH));
}

static long
try_chmod_self(void)
{
	return (syscall(SYS_chmod, self, 0604));
}

static long
try_fchmod_dir(void)
{
	return (syscall(SYS_fchmod, fds[FD_DIR], 0705));
}

static long
try_fchmodat_dir(void)
{
	return (syscall(SYS_fchmodat, fds[FD_DIR], "file", 0604));
}

static long
try_fchmodat_name(void)
{
	return (syscall(SYS_fchmodat, fds[FD_NAME], "file", 0604));
}

static long
try_fchmodat2_name(void)
{
	return (syscall(SYS_fchmodat2, fds[FD_NAME], "", 0705, AT_EMPTY_PATH));
}

static long
try_fchown(void)
{
	return (syscall(SYS_fchown, fds[FD_FILE], -1, getegid()));
}

static long
try_fchownat(void)
{
	return (syscall(SYS_fchownat, fds[FD_FILE], "", -1, getegid(),
	    AT_EMPTY_PATH));
}

static const struct timespec	 times[2] = { { 1000, 0 }, { 1000, 0 } };

static long
try_futimens(void)
{
	return (syscall(SYS_utimensat, fds[FD_FILE], NULL, times, 0));
}

static long
try_utimensat(void)
{
	return (syscall(SYS_utimensat, fds[FD_FILE], "", times,
	    AT_EMPTY_PATH));
}

static long
try_fsetxattr(void)
{
	return (syscall(SYS_fsetxattr, fds[FD_FILE], "user.passed", "x", 1,
	    0));
}

static long
try_fremovexattr(void)
{
	return (syscall(SYS_fremovexattr, fds[FD_FILE], "user.before"));
}

static long
try_setflags(void)
{
	int	 flags = 0;

	(void)ioctl(fds[FD_FILE], FS_IOC_GETFLAGS, &flags);
	return (ioctl(fds[FD_FILE], FS_IOC_SETFLAGS, &flags));
}

static long
try_fssetxattr(void)
{
	struct fsxattr	 fx;

	memset(&fx, 0, sizeof(fx));
	(void)ioctl(fds[FD_FILE], FS_IOC_FSGETXATTR, &fx);
	return (ioctl(fds[FD_FILE], FS_IOC_FSSETXATTR, &fx));
}

static long
try_setversion(void)
{
	return (ioctl(fds[FD_FILE], FS_IOC_SETVERSION, NULL));
}

static long
try_lease(void)
{
	if (fcntl(fds[FD_FILE], F_SETLEASE, F_WRLCK) == -1)
		return (-1);
	return (fcntl(fds[FD_FILE], F_SETLEASE, F_UNLCK));
}

/* More of it than it was opened for, or something beside it. */

static long
try_reopen(void)
{
	return (open(self, O_RDONLY));
}

static long
try_reopen_write(void)
{
	return (open(self, O_RDWR));
}

static long
try_truncate_self(void)
{
	return (truncate(self, 7));
}

static long
try_openat_dir(void)
{
	return (openat(fds[FD_DIR], "file", O_RDONLY));
}

static long
try_openat_name(void)
{
	return (openat(fds[FD_NAME], "file", O_RDONLY));
}

static long
try_openat_up(void)
{
	return (openat(fds[FD_NAME], "../other/file", O_RDONLY));
}

static long
try_create_dir(void)
{
	int	 fd;

	if ((fd = openat(fds[FD_DIR], "new", O_CREAT | O_WRONLY, 0600)) == -1)
		return (-1);
	close(fd);
	return (unlinkat(fds[FD_DIR], "new", 0));
}

static long
try_mkdirat_name(void)
{
	if (mkdirat(fds[FD_NAME], "new", 0700) == -1)
		return (-1);
	return (unlinkat(fds[FD_NAME], "new", AT_REMOVEDIR));
}

static long
try_rename_dir(void)
{
	if (renameat(fds[FD_DIR], "file", fds[FD_DIR], "gone") == -1)
		return (-1);
	return (renameat(fds[FD_DIR], "gone", fds[FD_DIR], "file"));
}

static long
try_link_self(void)
{
	char	 name[4096];

	snprintf(name, sizeof(name), "%s/link", dir);
	if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == -1)
		return (-1);
	return (unlink(name));
}

static long
try_link_dir(void)
{
	char	 name[4096];

	snprintf(name, sizeof(name), "%s/link", dir);
	if (linkat(fds[FD_DIR], "file", AT_FDCWD, name, 0) == -1)
		return (-1);
	return (unlink(name));
}

/* The terminal becomes its own first, without which nothing can be typed. */
static long
try_terminal_type(void)
{
	if (setsid() == -1 || ioctl(fds[FD_TERMINAL], TIOCSCTTY, 0) == -1)
		errx(1, "the terminal cannot be had");
	return (ioctl(fds[FD_TERMINAL], TIOCSTI, "x"));
}

static long
try_terminal_console(void)
{
	return (ioctl(fds[FD_TERMINAL], TIOCLINUX, "\2"));
}

static long
try_terminal_line(void)
{
	int	 line = 999;

	return (ioctl(fds[FD_TERMINAL], TIOCSETD, &line));
}

static long
try_terminal_modes(void)
{
	struct termios	 mode;

	return (tcgetattr(fds[FD_TERMINAL], &mode));
}

/* The server. */

static long
try_process_signal(void)
{
	return (syscall(SYS_pidfd_send_signal, fds[FD_PROCESS], 0, NULL, 0));
}

static long
try_process_getfd(void)
{
	return (syscall(SYS_pidfd_getfd, fds[FD_PROCESS], 0, 0));
}

static long
try_process_setns(void)
{
	return (syscall(SYS_setns, fds[FD_PROCESS], CLONE_NEWUSER |
	    CLONE_NEWUTS));
}

/* Addresses that were never granted. */

static const struct sockaddr_in	 nowhere = {
	.sin_family = AF_INET,
	.sin_port = 0x0100,
	.sin_addr = { 0x0100007f }
};

static long
try_tcp_connect(void)
{
	return (connect(fds[FD_TCP], (const struct sockaddr *)&nowhere,
	    sizeof(nowhere)));
}

static long
try_tcp_bind(void)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };

	return (bind(fds[FD_TCP], (struct sockaddr *)&sin, sizeof(sin)));
}

static long
try_tcp_listen(void)
{
	return (listen(fds[FD_TCP], 1));
}

static long
try_tcp_fastopen(void)
{
	return (sendto(fds[FD_TCP], "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
	    (const struct sockaddr *)&nowhere, sizeof(nowhere)));
}

static long
try_udp_connect(void)
{
	return (connect(fds[FD_UDP], (const struct sockaddr *)&nowhere,
	    sizeof(nowhere)));
}

static long
try_udp_send(void)
{
	return (sendto(fds[FD_UDP], "x", 1, 0,
	    (const struct sockaddr *)&nowhere, sizeof(nowhere)));
}

#define T(n)	{ #n, try_##n }
static const struct try {
	const char	*name;
	long		(*make)(void);
} tries[] = {
	T(read), T(write), T(list),
	T(fchmod), T(fchmodat2), T(chmod_self), T(fchmod_dir),
	T(fchmodat_dir), T(fchmodat_name), T(fchmodat2_name),
	T(fchown), T(fchownat), T(futimens), T(utimensat),
	T(fsetxattr), T(fremovexattr),
	T(setflags), T(fssetxattr), T(setversion), T(lease),
	T(reopen), T(reopen_write), T(truncate_self),
	T(openat_dir), T(openat_name), T(openat_up), T(create_dir),
	T(mkdirat_name), T(rename_dir), T(link_self), T(link_dir),
	T(process_signal), T(process_getfd), T(process_setns),
	T(udp_send), T(udp_connect),
	T(tcp_fastopen), T(tcp_connect), T(tcp_bind), T(tcp_listen),
	T(terminal_console), T(terminal_line), T(terminal_modes),
	T(terminal_type)
};
#undef T

/* In a child, so that none disturbs the next. */
static void
try_run(const struct try *t)
{
	pid_t	 pid;
	int	 error, pair[2], status;

	if (pipe(pair) == -1 || (pid = fork()) == -1)
		err(1, "%s", t->name);
	if (pid == 0) {
		errno = 0;
		error = t->make() < 0 ? errno : 0;
		if (write(pair[1], &error, sizeof(error)) != sizeof(error))
			_exit(1);
		_exit(0);
	}
	close(pair[1]);
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (!WIFEXITED(status) ||
	    read(pair[0], &error, sizeof(error)) != sizeof(error))
		errx(1, "%s: no result", t->name);
	printf("%s %s\n", t->name, error == 0 ? "ok" :
	    strerrorname_np(error));
	fflush(stdout);
	close(pair[0]);
}

int
main(int argc, char *argv[])
{
	size_t	 i;

	if (argc == 5 && strcmp(argv[1], "serve") == 0)
		serve(argv[2], argv[3], argv[4]);
	if (argc != 4 || strcmp(argv[1], "try") != 0) {
		fprintf(stderr, "usage: passed serve socket file dir\n"
		    "       passed try socket dir\n");
		return (2);
	}
	dir = argv[3];
	fds_receive(argv[2]);
	for (i = 0; i < nitems(tries); i++)
		try_run(&tries[i]);
	return (0);
}
