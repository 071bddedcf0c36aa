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
 * The life of cowd: what it is locked to, in which order it serves, that it
 * ends on anything out of place, and what it cleans up.
 */

#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"

#define GRANTED	(PERM_READ | PERM_WRITE)

static int
try_chmod(struct box *b, const char *path, mode_t mode)
{
	struct proto_meta	 pm;
	int			 fd, value;

	memset(&pm, 0, sizeof(pm));
	pm.op = META_CHMOD;
	pm.mode = mode;
	fd = open_path(path);
	value = box_meta(b, fd, &pm);
	close(fd);
	return (value);
}

static mode_t
mode_of(const char *path)
{
	struct stat	 st;

	ATF_REQUIRE(lstat(path, &st) == 0);
	return (st.st_mode & 07777);
}

static int
exists(const char *path)
{
	struct stat	 st;

	return (lstat(path, &st) == 0);
}

static void
ends_with(struct box *b, int code)
{
	int	 status = box_status(b);

	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == code,
	    "status %#x, not exit %d", status, code);
}

static void
status_line(pid_t pid, const char *name, char *value, size_t size)
{
	char	 line[512], path[64];
	FILE	*f;
	size_t	 len = strlen(name);

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	ATF_REQUIRE((f = fopen(path, "r")) != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			line[strcspn(line, "\n")] = '\0';
			snprintf(value, size, "%.60s", line + len + 2);
			fclose(f);
			return;
		}
	atf_tc_fail("no %s", name);
}

static void
check_line(pid_t pid, const char *name, const char *want)
{
	char	 value[64];

	status_line(pid, name, value, sizeof(value));
	ATF_CHECK_STREQ_MSG(want, value, "%s: %s", name, value);
}

ATF_TC_WITHOUT_HEAD(process_status);
ATF_TC_BODY(process_status, tc)
{
	struct box	 b;
	char		 path[64];

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	check_line(b.pid, "NoNewPrivs", "1");
	check_line(b.pid, "Seccomp", "2");
	check_line(b.pid, "CapInh", "0000000000000000");
	check_line(b.pid, "CapPrm", "0000000000000000");
	check_line(b.pid, "CapEff", "0000000000000000");
	check_line(b.pid, "CapAmb", "0000000000000000");
	if (geteuid() == 0)
		check_line(b.pid, "CapBnd", "0000000000000000");
	/* Not dumpable: its memory is not for others of the same user. */
	if (geteuid() != 0) {
		snprintf(path, sizeof(path), "/proc/%d/mem", b.pid);
		ATF_CHECK(open(path, O_RDONLY) == -1);
	}
	box_stop(&b);
}

/* Standard input and output on /dev/null, nothing else of its starter's. */
ATF_TC(open_files);
ATF_TC_HEAD(open_files, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(open_files, tc)
{
	struct box	 b;
	char		 path[64], link[256];
	ssize_t		 n;
	int		 fd, paths = 0;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", b.pid, fd);
		if ((n = readlink(path, link, sizeof(link) - 1)) == -1)
			continue;
		link[n] = '\0';
		if (fd <= 1)
			ATF_CHECK_STREQ("/dev/null", link);
		else if (fd != 2 && link[0] == '/')
			paths++;
	}
	/* The grant. */
	ATF_CHECK_EQ(paths, 1);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(by_hand);
ATF_TC_BODY(by_hand, tc)
{
	char	 program[4096];
	pid_t	 pid;
	int	 status;

	snprintf(program, sizeof(program), "%s/../../cowd/cowd",
	    atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		closefrom(3);
		execl(program, "cowd", (char *)NULL);
		_exit(99);
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 125);
}

ATF_TC_WITHOUT_HEAD(serves_when_locked);
ATF_TC_BODY(serves_when_locked, tc)
{
	struct proto_meta	 pm;
	struct imsg		 imsg;
	struct box		 b;
	uint32_t		 id;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	memset(&pm, 0, sizeof(pm));
	pm.op = META_CHMOD;
	pm.mode = 0600;
	box_start(&b, tc);
	box_channel(&b);
	ATF_REQUIRE(proto_send_meta(&b.supervisor, 7, open_path("t/f"),
	    &pm) == 0);
	box_flush(&b.supervisor);
	ATF_CHECK_EQ(box_wait(&b.supervisor, &imsg, 200), -1);
	ATF_CHECK_EQ(mode_of("t/f"), 0644);
	/* The grant that it needs comes after the request. */
	box_path(&b, absolute("t"), GRANTED, 0);
	box_end(&b);
	ATF_CHECK_EQ(box_reply(&b, IMSG_META_REPLY, &id), 0);
	ATF_CHECK_EQ(id, 7);
	ATF_CHECK_EQ(mode_of("t/f"), 0600);
	/* It was locked before it answered. */
	ATF_CHECK_EQ(box_wait(&b.parent, &imsg, 0), 1);
	ATF_CHECK_EQ(imsg_get_type(&imsg), IMSG_LOCKED);
	imsg_free(&imsg);
	box_stop(&b);
}

/* Keys of the terminal reach the whole group and must not end it. */
ATF_TC_WITHOUT_HEAD(signals);
ATF_TC_BODY(signals, tc)
{
	static const int	 sigs[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU
	};
	struct box		 b;
	size_t			 i;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		ATF_REQUIRE(kill(b.pid, sigs[i]) == 0);
		ATF_CHECK_EQ(try_chmod(&b, "t/f", 0600 + i), 0);
	}
	box_stop(&b);
}

/*
 * Messages out of place.  Each gets a cowd of its own.
 */
enum bad_channel {
	TO_PARENT,		/* before the end of the configuration */
	TO_PARENT_LOCKED,
	TO_SUPERVISOR
};

struct bad {
	const char		*what;
	enum bad_channel	 channel;
	uint32_t		 type;
	const char		*data;
	size_t			 len;
	int			 with_fd;
};

static const char	 zeros[400];

static const struct bad	 bads[] = {
	{ "none", TO_PARENT, IMSG_NONE, NULL, 0, 0 },
	{ "unknown", TO_PARENT, IMSG_MAX, NULL, 0, 0 },
	{ "huge type", TO_PARENT, UINT32_MAX, NULL, 0, 0 },
	{ "port", TO_PARENT, IMSG_CONF_PORT, "\0\0\0\0\0", 5, 0 },
	{ "go", TO_PARENT, IMSG_GO, NULL, 0, 0 },
	{ "meta from the parent", TO_PARENT, IMSG_META, zeros, 400, 1 },
	{ "empty path", TO_PARENT, IMSG_CONF_PATH, NULL, 0, 0 },
	{ "short path", TO_PARENT, IMSG_CONF_PATH, "\1", 1, 0 },
	{ "relative path", TO_PARENT, IMSG_CONF_PATH, "\1\0tmp", 5, 0 },
	{ "path with a NUL", TO_PARENT, IMSG_CONF_PATH, "\1\0/t\0p", 6, 0 },
	{ "path with other rights", TO_PARENT, IMSG_CONF_PATH, "\x10\0/", 3,
	    0 },
	{ "path with a descriptor", TO_PARENT, IMSG_CONF_PATH, "\2\0/", 3, 1 },
	{ "channel without one", TO_PARENT, IMSG_SOCKET_SUPERVISOR, NULL, 0,
	    0 },
	{ "two channels", TO_PARENT, IMSG_SOCKET_SUPERVISOR, NULL, 0, 1 },
	{ "end with data", TO_PARENT, IMSG_CONF_END, "x", 1, 0 },
	{ "end with a descriptor", TO_PARENT, IMSG_CONF_END, NULL, 0, 1 },
	{ "relative private directory", TO_PARENT, IMSG_CONF_PRIVATE, "t", 1,
	    0 },
	{ "missing private directory", TO_PARENT, IMSG_CONF_PRIVATE,
	    "/does/not", 9, 0 },
	{ "private directory, no name", TO_PARENT, IMSG_CONF_PRIVATE, "/tmp/",
	    5, 0 },
	{ "empty private directory", TO_PARENT, IMSG_CONF_PRIVATE, NULL, 0,
	    0 },
	{ "private directory with a descriptor", TO_PARENT, IMSG_CONF_PRIVATE,
	    "/tmp", 4, 1 },

	{ "late path", TO_PARENT_LOCKED, IMSG_CONF_PATH, "\2\0/", 3, 0 },
	{ "late channel", TO_PARENT_LOCKED, IMSG_SOCKET_SUPERVISOR, NULL, 0,
	    1 },
	{ "second end", TO_PARENT_LOCKED, IMSG_CONF_END, NULL, 0, 0 },

	{ "unknown", TO_SUPERVISOR, IMSG_MAX, NULL, 0, 0 },
	{ "configuration", TO_SUPERVISOR, IMSG_CONF_PATH, "\2\0/", 3, 0 },
	{ "locked", TO_SUPERVISOR, IMSG_LOCKED, NULL, 0, 0 },
	{ "own reply", TO_SUPERVISOR, IMSG_META_REPLY, zeros, 4, 0 },
	{ "listen", TO_SUPERVISOR, IMSG_NET_LISTEN, zeros, 4, 1 },
	{ "meta without a descriptor", TO_SUPERVISOR, IMSG_META, zeros, 400,
	    0 },
	{ "short meta", TO_SUPERVISOR, IMSG_META, zeros, 10, 1 },
	{ "empty meta", TO_SUPERVISOR, IMSG_META, NULL, 0, 1 },
	{ "meta of another kind", TO_SUPERVISOR, IMSG_META, "\5", 1, 1 },
	{ "connect first", TO_SUPERVISOR, IMSG_UNIX_CONNECT, zeros, 4, 1 },
	{ "socket without one", TO_SUPERVISOR, IMSG_UNIX_SOCKET, zeros, 4, 0 },
	{ "short socket", TO_SUPERVISOR, IMSG_UNIX_SOCKET, zeros, 3, 1 },
	{ "cancel with a descriptor", TO_SUPERVISOR, IMSG_NET_CANCEL, zeros,
	    4, 1 },
	{ "empty cancel", TO_SUPERVISOR, IMSG_NET_CANCEL, NULL, 0, 0 },
	{ "listener from the parent", TO_PARENT, IMSG_LISTENER, NULL, 0, 1 },
	{ "listener without a view", TO_SUPERVISOR, IMSG_LISTENER, NULL, 0,
	    1 },
	{ "listener without one", TO_SUPERVISOR, IMSG_LISTENER, NULL, 0, 0 }
};

static void
send_raw(struct imsgbuf *ib, uint32_t type, uint32_t id, const void *data,
    size_t len, int with_fd)
{
	int	 fd = -1;

	if (with_fd)
		ATF_REQUIRE((fd = open("/dev/null", O_RDONLY |
		    O_CLOEXEC)) != -1);
	ATF_REQUIRE(imsg_compose(ib, type, id, 0, fd, data, len) == 1);
	box_flush(ib);
}

ATF_TC_WITHOUT_HEAD(malformed);
ATF_TC_BODY(malformed, tc)
{
	const struct bad	*bad;
	struct box		 b;
	size_t			 i;
	int			 status;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		bad = &bads[i];
		box_start(&b, tc);
		box_path(&b, absolute("t"), GRANTED, 0);
		box_channel(&b);
		if (bad->channel != TO_PARENT) {
			box_end(&b);
			box_locked(&b);
			/* The control: so far it works. */
			ATF_CHECK_EQ(try_chmod(&b, "t/f", 0600), 0);
		}
		send_raw(bad->channel == TO_SUPERVISOR ? &b.supervisor :
		    &b.parent, bad->type, 1, bad->data, bad->len,
		    bad->with_fd);
		status = box_status(&b);
		ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 125,
		    "%s (%zu): status %#x", bad->what, i, status);
		box_close_parent(&b);
		box_close_supervisor(&b);
	}
}

/* What the sender of an imsg cannot even say. */
ATF_TC_WITHOUT_HEAD(malformed_header);
ATF_TC_BODY(malformed_header, tc)
{
	static const uint32_t	 lengths[] = {
		0, 1, 15, PROTO_MAXSIZE + 17, 0x7fffffff, 0xffffffff,
		0x80000000, 0x8000000f
	};
	struct imsg_hdr		 hdr;
	struct box		 b;
	size_t			 i;
	int			 supervisor;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	for (i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
		supervisor = i % 2;
		box_simple(&b, tc, absolute("t"), GRANTED);
		memset(&hdr, 0, sizeof(hdr));
		hdr.type = supervisor ? IMSG_META : IMSG_CONF_END;
		hdr.len = lengths[i / 2];
		ATF_REQUIRE(write(supervisor ? b.supervisor.fd : b.parent.fd,
		    &hdr, sizeof(hdr)) == sizeof(hdr));
		ends_with(&b, 125);
		box_close_parent(&b);
		box_close_supervisor(&b);
	}
}

ATF_TC_WITHOUT_HEAD(end_without_channel);
ATF_TC_BODY(end_without_channel, tc)
{
	struct box	 b;

	box_start(&b, tc);
	box_end(&b);
	ends_with(&b, 125);
}

ATF_TC_WITHOUT_HEAD(connect_order);
ATF_TC_BODY(connect_order, tc)
{
	struct box	 b;
	int		 i;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	for (i = 0; i < 4; i++) {
		box_simple(&b, tc, absolute("t"), GRANTED);
		send_raw(&b.supervisor, IMSG_UNIX_SOCKET, 1, zeros, 4, 1);
		switch (i) {
		case 0:		/* a second socket */
			send_raw(&b.supervisor, IMSG_UNIX_SOCKET, 2, zeros, 4,
			    1);
			break;
		case 1:		/* something between */
			send_raw(&b.supervisor, IMSG_NET_CANCEL, 1, zeros, 4,
			    0);
			break;
		case 2:		/* another request's inode */
			send_raw(&b.supervisor, IMSG_UNIX_CONNECT, 2, zeros,
			    4, 1);
			break;
		case 3:		/* no inode */
			send_raw(&b.supervisor, IMSG_UNIX_CONNECT, 1, zeros,
			    4, 0);
			break;
		}
		ends_with(&b, 125);
		box_close_parent(&b);
		box_close_supervisor(&b);
	}
	/* The control: in order it is an answer, if not a connect. */
	box_simple(&b, tc, absolute("t"), GRANTED);
	send_raw(&b.supervisor, IMSG_UNIX_SOCKET, 1, zeros, 4, 1);
	send_raw(&b.supervisor, IMSG_UNIX_CONNECT, 1, zeros, 4, 1);
	{
		uint32_t	 id;

		ATF_CHECK_EQ(box_reply(&b, IMSG_UNIX_REPLY, &id), ENOTSOCK);
		ATF_CHECK_EQ(id, 1);
	}
	box_stop(&b);
}

/*
 * A system call in the place of the one that cowd makes next.  1 when that
 * killed it by SIGSYS, otherwise 0 and the call's result.
 */
static int
inject(struct box *b, long nr, long a0, long a1, long a2, long a3,
    long *result)
{
#ifdef __x86_64__
	struct ptrace_syscall_info	 info;
	struct user_regs_struct		 regs;
	int				 status;

	ATF_REQUIRE_EQ(ptrace(PTRACE_INTERRUPT, b->pid, NULL, NULL), 0);
	ATF_REQUIRE_EQ(waitpid(b->pid, &status, __WALL), b->pid);
	ATF_REQUIRE(WIFSTOPPED(status));
	do {
		ATF_REQUIRE_EQ(ptrace(PTRACE_SYSCALL, b->pid, NULL, NULL), 0);
		ATF_REQUIRE_EQ(waitpid(b->pid, &status, __WALL), b->pid);
		ATF_REQUIRE(WIFSTOPPED(status));
		ATF_REQUIRE(ptrace(PTRACE_GET_SYSCALL_INFO, b->pid,
		    sizeof(info), &info) != -1);
	} while (info.op != PTRACE_SYSCALL_INFO_ENTRY);
	ATF_REQUIRE_EQ(ptrace(PTRACE_GETREGS, b->pid, NULL, &regs), 0);
	regs.orig_rax = nr;
	regs.rdi = a0;
	regs.rsi = a1;
	regs.rdx = a2;
	regs.r10 = a3;
	ATF_REQUIRE_EQ(ptrace(PTRACE_SETREGS, b->pid, NULL, &regs), 0);
	ATF_REQUIRE_EQ(ptrace(PTRACE_SYSCALL, b->pid, NULL, NULL), 0);
	ATF_REQUIRE_EQ(waitpid(b->pid, &status, __WALL), b->pid);
	if (WIFSTOPPED(status)) {
		ATF_REQUIRE_EQ(ptrace(PTRACE_GETREGS, b->pid, NULL, &regs), 0);
		*result = (long)regs.rax;
		/* For cowd nothing has happened. */
		regs.rax = -EINTR;
		ATF_REQUIRE_EQ(ptrace(PTRACE_SETREGS, b->pid, NULL, &regs), 0);
		/* Its end, or its next call. */
		ATF_REQUIRE_EQ(ptrace(PTRACE_SYSCALL, b->pid, NULL, NULL), 0);
		ATF_REQUIRE_EQ(waitpid(b->pid, &status, __WALL), b->pid);
	}
	if (WIFSIGNALED(status)) {
		ATF_CHECK_EQ(WTERMSIG(status), SIGSYS);
		return (1);
	}
	ATF_REQUIRE_MSG(WIFSTOPPED(status), "call %ld: status %#x", nr,
	    status);
	ATF_REQUIRE_EQ(ptrace(PTRACE_DETACH, b->pid, NULL, NULL), 0);
	return (0);
#else
	(void)b;
	(void)nr;
	(void)a0;
	(void)a1;
	(void)a2;
	(void)a3;
	(void)result;
	atf_tc_skip("registers of x86-64 only");
#endif
}

struct forbidden {
	const char	*name;
	long		 nr;
	long		 args[4];
};

#define CALL(name, ...)	{ #name, SYS_ ## name, { __VA_ARGS__ } }

static const struct forbidden	 forbidden[] = {
	CALL(socket, AF_UNIX, SOCK_STREAM, 0),
	CALL(socketpair, AF_UNIX, SOCK_STREAM, 0),
	CALL(bind, 3, 0, 0),
	CALL(listen, 3, 5),
	CALL(accept4, 3, 0, 0),
	CALL(sendto, 3, 0, 0),
	CALL(setsockopt, 3, 1, 2),
	CALL(getsockopt, 3, 1, 4),
	CALL(execve, 0, 0, 0),
	CALL(execveat, -1, 0, 0),
	CALL(fork, 0),
	CALL(vfork, 0),
	CALL(clone, 0),
	CALL(clone3, 0),
	CALL(open, 0, O_RDONLY),
	CALL(openat, AT_FDCWD, 0, O_RDONLY),
	CALL(openat, AT_FDCWD, 0, O_WRONLY | O_DIRECTORY),
	CALL(openat, AT_FDCWD, 0, O_RDWR | O_CREAT, 0600),
	CALL(openat, AT_FDCWD, 0, O_RDWR | O_TMPFILE, 0600),
	CALL(creat, 0, 0),
	CALL(mkdirat, AT_FDCWD, 0, 0),
	CALL(mknodat, AT_FDCWD, 0, 0),
	CALL(renameat2, AT_FDCWD, 0, 0),
	CALL(linkat, AT_FDCWD, 0, 0),
	CALL(symlinkat, 0, AT_FDCWD, 0),
	CALL(unlink, 0),
	CALL(rmdir, 0),
	CALL(truncate, 0, 0),
	CALL(ftruncate, 3, 0),
	CALL(fallocate, 3, 0, 0),
	CALL(copy_file_range, 3, 0, 0),
	CALL(sendfile, 3, 3, 0),
	CALL(fchownat, AT_FDCWD, 0, 0),
	CALL(chroot, 0),
	CALL(chdir, 0),
	CALL(fchdir, 3),
	CALL(mount, 0),
	CALL(unshare, 0),
	CALL(setns, 3, 0),
	CALL(ioctl, 3, 0x5401, 0),
	CALL(fcntl, 3, F_SETLK, 0),
	CALL(fcntl, 3, F_SETOWN, 1),
	CALL(fcntl, 3, F_NOTIFY, 1),
	CALL(kill, 1, 0),
	CALL(tgkill, 1, 1, 0),
	CALL(pidfd_open, 1, 0),
	CALL(pidfd_getfd, 3, 0),
	CALL(pidfd_send_signal, 3, 0),
	CALL(ptrace, 0, 1),
	CALL(process_vm_readv, 1, 0, 0),
	CALL(process_vm_writev, 1, 0, 0),
	CALL(prctl, 1, 0),
	CALL(prlimit64, 0, 7, 0),
	CALL(seccomp, 1, 0, 0),
	CALL(landlock_create_ruleset, 0, 0, 1),
	CALL(landlock_add_rule, 3, 0, 0),
	CALL(landlock_restrict_self, 3, 0),
	CALL(mmap, 0, 4096, 7, 0x22),
	CALL(mprotect, 0, 4096, 4),
	CALL(memfd_create, 0, 0),
	CALL(io_uring_setup, 1, 0),
	CALL(bpf, 0, 0, 0),
	CALL(name_to_handle_at, AT_FDCWD, 0, 0),
	CALL(open_by_handle_at, 3, 0, 0),
	CALL(getdents, 3, 0, 0),
	CALL(inotify_init1, 0),
	CALL(setuid, 0),
	CALL(setresuid, 0, 0, 0),
	CALL(shmget, 0, 4096, 0),
	CALL(keyctl, 0, 0, 0)
};

ATF_TC_WITHOUT_HEAD(forbidden_calls);
ATF_TC_BODY(forbidden_calls, tc)
{
	const struct forbidden	*f;
	struct box		 b;
	size_t			 i;
	long			 result;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		f = &forbidden[i];
		box_start_traced(&b, tc);
		box_path(&b, absolute("t"), GRANTED, 0);
		box_channel(&b);
		box_end(&b);
		box_locked(&b);
		if (!inject(&b, f->nr, f->args[0], f->args[1], f->args[2],
		    f->args[3], &result)) {
			ATF_CHECK_MSG(0, "%s (%zu) returned %ld", f->name, i,
			    result);
			box_stop(&b);
			continue;
		}
		box_close_parent(&b);
		box_close_supervisor(&b);
		close(b.pidfd);
	}
}

/* The control: a permitted call in the same way does no harm. */
ATF_TC_WITHOUT_HEAD(permitted_call);
ATF_TC_BODY(permitted_call, tc)
{
	struct box	 b;
	long		 result;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	box_start_traced(&b, tc);
	box_path(&b, absolute("t"), GRANTED, 0);
	box_channel(&b);
	box_end(&b);
	box_locked(&b);
	ATF_REQUIRE_EQ(inject(&b, SYS_getpid, 0, 0, 0, 0, &result), 0);
	ATF_CHECK_EQ(result, b.pid);
	ATF_CHECK_EQ(try_chmod(&b, "t/f", 0600), 0);
	box_stop(&b);
}

/* In SETUP, before any configuration, most is forbidden already. */
ATF_TC_WITHOUT_HEAD(forbidden_in_setup);
ATF_TC_BODY(forbidden_in_setup, tc)
{
	struct box	 b;
	struct imsg	 imsg;
	long		 result;

	box_start_traced(&b, tc);
	/* An answer shows that set-up is reached. */
	box_path(&b, "/", GRANTED, 0);
	ATF_REQUIRE_EQ(box_wait(&b.parent, &imsg, 200), -1);
	ATF_CHECK_EQ(inject(&b, SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0,
	    &result), 1);
}

static void
make_private(void)
{
	ATF_REQUIRE(mkdir("p", 0700) == 0);
	ATF_REQUIRE(mkdir("p/home", 0700) == 0);
	ATF_REQUIRE(mkdir("p/tmp", 0700) == 0);
	ATF_REQUIRE(mkdir("p/tmp/closed", 0700) == 0);
	make_file("p/home/f", "x");
	make_file("p/tmp/closed/f", "x");
	ATF_REQUIRE(symlink("../../outside", "p/home/link") == 0);
	ATF_REQUIRE(chmod("p/tmp/closed", 0) == 0);
}

static void
private_box(struct box *b, const atf_tc_t *tc)
{
	make_private();
	ATF_REQUIRE(mkdir("outside", 0755) == 0);
	make_file("outside/f", "x");
	box_start(b, tc);
	box_path(b, absolute("p/home"), GRANTED, 0);
	box_path(b, absolute("p/tmp"), GRANTED, 0);
	box_private(b, absolute("p"));
	box_channel(b);
	box_end(b);
	box_locked(b);
}

ATF_TC_WITHOUT_HEAD(parent_dies);
ATF_TC_BODY(parent_dies, tc)
{
	struct box	 b;

	private_box(&b, tc);
	box_close_parent(&b);
	/* The workload may still run: it is served, nothing is removed. */
	ATF_CHECK_EQ(try_chmod(&b, "p/home/f", 0600), 0);
	ATF_CHECK(exists("p/home/f"));
	box_close_supervisor(&b);
	ends_with(&b, 0);
	ATF_CHECK(!exists("p"));
	ATF_CHECK(exists("outside/f"));
}

ATF_TC_WITHOUT_HEAD(supervisor_dies);
ATF_TC_BODY(supervisor_dies, tc)
{
	struct box	 b;
	struct imsg	 imsg;

	private_box(&b, tc);
	box_close_supervisor(&b);
	/* The parent kills what is left first. */
	ATF_CHECK_EQ(box_wait(&b.parent, &imsg, 300), -1);
	ATF_CHECK(exists("p/home/f"));
	ATF_CHECK_EQ(kill(b.pid, 0), 0);
	box_close_parent(&b);
	ends_with(&b, 0);
	ATF_CHECK(!exists("p"));
	ATF_CHECK(exists("outside/f"));
}

ATF_TC_WITHOUT_HEAD(parent_removed_it);
ATF_TC_BODY(parent_removed_it, tc)
{
	struct box	 b;

	private_box(&b, tc);
	ATF_REQUIRE(system("chmod 700 p/tmp/closed && rm -r p") == 0);
	box_close_supervisor(&b);
	box_close_parent(&b);
	ends_with(&b, 0);
	ATF_CHECK(exists("outside/f"));
}

/* Something else under the name is not what was given to remove. */
ATF_TC_WITHOUT_HEAD(private_replaced);
ATF_TC_BODY(private_replaced, tc)
{
	struct box	 b;

	private_box(&b, tc);
	ATF_REQUIRE(rename("p", "moved") == 0);
	ATF_REQUIRE(rename("outside", "p") == 0);
	box_close_supervisor(&b);
	box_close_parent(&b);
	ends_with(&b, 0);
	ATF_CHECK(exists("p/f"));
	ATF_CHECK(exists("moved/home/f"));
}

ATF_TC_WITHOUT_HEAD(private_symlink);
ATF_TC_BODY(private_symlink, tc)
{
	struct box	 b;
	char		 path[4096];

	ATF_REQUIRE(mkdir("outside", 0755) == 0);
	make_file("outside/f", "x");
	ATF_REQUIRE(symlink("outside", "p") == 0);
	snprintf(path, sizeof(path), "%s/p", absolute("."));
	box_start(&b, tc);
	box_private(&b, path);
	box_channel(&b);
	box_end(&b);
	ends_with(&b, 125);
	ATF_CHECK(exists("outside/f"));
}

/* Killed in the middle of the configuration. */
ATF_TC_WITHOUT_HEAD(parent_dies_early);
ATF_TC_BODY(parent_dies_early, tc)
{
	struct box	 b;

	make_private();
	box_start(&b, tc);
	box_private(&b, absolute("p"));
	box_channel(&b);
	box_close_parent(&b);
	ends_with(&b, 0);
	ATF_CHECK(!exists("p"));

	box_start(&b, tc);
	box_close_parent(&b);
	ends_with(&b, 0);
}

ATF_TC_WITHOUT_HEAD(two_private);
ATF_TC_BODY(two_private, tc)
{
	struct box	 b;

	make_private();
	box_start(&b, tc);
	box_private(&b, absolute("p"));
	box_private(&b, absolute("p"));
	ends_with(&b, 125);
	ATF_CHECK(exists("p/home/f"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, process_status);
	ATF_TP_ADD_TC(tp, open_files);
	ATF_TP_ADD_TC(tp, by_hand);
	ATF_TP_ADD_TC(tp, serves_when_locked);
	ATF_TP_ADD_TC(tp, signals);
	ATF_TP_ADD_TC(tp, malformed);
	ATF_TP_ADD_TC(tp, malformed_header);
	ATF_TP_ADD_TC(tp, end_without_channel);
	ATF_TP_ADD_TC(tp, connect_order);
	ATF_TP_ADD_TC(tp, forbidden_calls);
	ATF_TP_ADD_TC(tp, permitted_call);
	ATF_TP_ADD_TC(tp, forbidden_in_setup);
	ATF_TP_ADD_TC(tp, parent_dies);
	ATF_TP_ADD_TC(tp, supervisor_dies);
	ATF_TP_ADD_TC(tp, parent_removed_it);
	ATF_TP_ADD_TC(tp, private_replaced);
	ATF_TP_ADD_TC(tp, private_symlink);
	ATF_TP_ADD_TC(tp, parent_dies_early);
	ATF_TP_ADD_TC(tp, two_private);
	return (atf_no_error());
}
