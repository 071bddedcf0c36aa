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
 * Tests of common/lockdown.c, each in a child of its own: what is allowed
 * goes on, what is not kills with SIGSYS, and the common first step leaves
 * no capability behind.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <linux/capability.h>
#include <linux/futex.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lockdown.h"
#include "syscalls.h"

#define NELEMS(a)	(sizeof(a) / sizeof((a)[0]))

#ifndef __has_feature
#define __has_feature(x)	0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZER	1
#else
#define SANITIZER	0
#endif

/* The run-time of the sanitizer makes calls that no list of ours has. */
static void
skip_sanitizer(void)
{
	if (SANITIZER)
		atf_tc_skip("not under a sanitizer");
}

/* Run fn in a child; its wait status. */
static int
child_status(void (*fn)(void))
{
	struct rlimit	 none = { 0, 0 };
	pid_t		 pid;
	int		 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		fn();
		_exit(0);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	return (status);
}

static int
child_signal(void (*fn)(void))
{
	int	 status = child_status(fn);

	return (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static int
child_exit(void (*fn)(void))
{
	int	 status = child_status(fn);

	return (WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void
lock(const struct lockdown_rule *rules, size_t n)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    lockdown_seccomp(rules, n) == -1)
		_exit(99);
}

static void
do_nothing(void)
{
	lock(NULL, 0);
}

static void
do_getppid_unlocked(void)
{
	getppid();
}

static void
do_getppid(void)
{
	lock(NULL, 0);
	getppid();
}

static void
do_open(void)
{
	lock(NULL, 0);
	open("/", O_RDONLY);
}

static void
do_newfstatat(void)
{
	char	 buf[256];

	lock(NULL, 0);
	syscall(SYS_newfstatat, AT_FDCWD, "/", buf, 0);
}

static void
do_socket(void)
{
	lock(NULL, 0);
	socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
do_fork(void)
{
	lock(NULL, 0);
	fork();
}

static void
do_exec(void)
{
	char	*argv[] = { NULL };

	lock(NULL, 0);
	execve("/bin/true", argv, argv);
}

static void
do_mmap_exec(void)
{
	lock(NULL, 0);
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
}

static void
do_mprotect_exec(void)
{
	void	*p;

	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	lock(NULL, 0);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void
do_fcntl_dup(void)
{
	lock(NULL, 0);
	fcntl(0, F_DUPFD, 10);
}

static void
do_fcntl_owner(void)
{
	lock(NULL, 0);
	fcntl(0, F_SETOWN, 1);
}

static void
do_tgkill_term(void)
{
	lock(NULL, 0);
	syscall(SYS_tgkill, getpid(), gettid(), SIGTERM);
}

static void
do_tgkill_other(void)
{
	pid_t	 ppid = getppid();

	lock(NULL, 0);
	syscall(SYS_tgkill, ppid, ppid, SIGABRT);
}

static void
do_kill(void)
{
	lock(NULL, 0);
	syscall(SYS_kill, getpid(), 0);
}

static void
do_x32(void)
{
	lock(NULL, 0);
	syscall(SYS_getpid | SYSCALL_X32_BIT);
}

static void
do_unknown(void)
{
	lock(NULL, 0);
	syscall(SYSCALL_LAST + 1);
}

static void
do_seccomp(void)
{
	lock(NULL, 0);
	lockdown_seccomp(NULL, 0);
}

/* Without that flag it may: see stdio_channels(). */
static void
do_fastopen(void)
{
	struct msghdr	 msg;

	memset(&msg, 0, sizeof(msg));
	lock(NULL, 0);
	sendmsg(-1, &msg, MSG_FASTOPEN);
}

/* Each is killed; the control is that an empty list kills nobody. */
ATF_TC_WITHOUT_HEAD(kills);
ATF_TC_BODY(kills, tc)
{
	static void	 (*const calls[])(void) = {
		do_getppid, do_open, do_newfstatat, do_socket, do_fork,
		do_exec, do_mmap_exec, do_mprotect_exec, do_fcntl_dup,
		do_fcntl_owner, do_tgkill_term, do_tgkill_other, do_kill,
		do_x32, do_unknown, do_seccomp, do_fastopen
	};
	size_t		 i;

	skip_sanitizer();
	ATF_REQUIRE_EQ(0, child_exit(do_nothing));
	ATF_REQUIRE_EQ(0, child_exit(do_getppid_unlocked));
	for (i = 0; i < NELEMS(calls); i++)
		ATF_CHECK_EQ_MSG(SIGSYS, child_signal(calls[i]), "call %zu",
		    i);
}

static void *
thread_locked(void *arg)
{
	lock(NULL, 0);
	syscall(SYS_getppid);
	return (arg);
}

/* All threads die, not only the one that called. */
static void
do_kill_process(void)
{
	pthread_t	 thread;

	if (pthread_create(&thread, NULL, thread_locked, NULL) != 0)
		_exit(99);
	pthread_join(thread, NULL);
}

ATF_TC_WITHOUT_HEAD(kills_process);
ATF_TC_BODY(kills_process, tc)
{
	ATF_CHECK_EQ(SIGSYS, child_signal(do_kill_process));
}

static void
expect(int ok)
{
	if (!ok)
		_exit(3);
}

static void
stdio_channels(int fds[2])
{
	struct iovec	 iov = { NULL, 1 };
	struct msghdr	 msg;
	char		 c = 'x';

	iov.iov_base = &c;
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	expect(write(fds[0], &c, 1) == 1);
	expect(writev(fds[0], &iov, 1) == 1);
	expect(sendmsg(fds[0], &msg, MSG_NOSIGNAL) == 1);
	expect(read(fds[1], &c, 1) == 1);
	expect(readv(fds[1], &iov, 1) == 1);
	expect(recvmsg(fds[1], &msg, MSG_CMSG_CLOEXEC) == 1);
	expect(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
	expect((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
	expect(fcntl(fds[0], F_SETFD, FD_CLOEXEC) == 0);
	expect(fcntl(fds[0], F_GETFD) == FD_CLOEXEC);
}

static void
stdio_events(int fds[2])
{
	struct pollfd	 pfd = { fds[0], POLLOUT, 0 };

	expect(poll(&pfd, 1, 0) == 1);
	expect(ppoll(&pfd, 1, NULL, NULL) == 1);
}

static void
stdio_memory(void)
{
	unsigned char	 random[8];
	void		*p, *q;
	size_t		 i;

	for (i = 1; i < 10000000; i *= 10) {
		expect((p = malloc(i)) != NULL);
		memset(p, 1, i);
		expect((q = realloc(p, 2 * i)) != NULL);
		free(q);
	}
	expect((p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0)) != MAP_FAILED);
	expect(mprotect(p, 4096, PROT_NONE) == 0);
	expect(madvise(p, 8192, MADV_DONTNEED) == 0);
	expect(munmap(p, 8192) == 0);
	expect(syscall(SYS_brk, NULL) > 0);
	expect(getrandom(random, sizeof(random), 0) == sizeof(random));
	(void)arc4random();
}

static void
on_signal(int sig)
{
	(void)sig;
}

static void
do_stdio(void)
{
	struct timespec		 ts;
	struct sigaction	 sa;
	sigset_t		 set;
	uint32_t		 word = 0;
	int			 fds[2];
	char			 statbuf[256];

	expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	lock(NULL, 0);
	stdio_channels(fds);
	stdio_events(fds);
	stdio_memory();
	expect(syscall(SYS_fstat, fds[0], statbuf) == 0);
	expect(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == 0);
	expect(syscall(SYS_gettimeofday, NULL, NULL) == 0);
	expect(syscall(SYS_time, NULL) > 0);
	/* Nobody sleeps on it; nothing is to be restarted. */
	expect(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
	expect(syscall(SYS_restart_syscall) == -1 && errno == EINTR);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	expect(sigaction(SIGTERM, &sa, NULL) == 0);
	sa.sa_handler = on_signal;
	expect(sigaction(SIGABRT, &sa, NULL) == 0);
	expect(raise(SIGABRT) == 0);	/* and back from the handler */
	sigemptyset(&set);
	expect(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	expect(getpid() > 0 && gettid() > 0);
	fprintf(stderr, "still here, pid %d\n", getpid());
	expect(close(fds[0]) == 0);
	syscall(SYS_exit, 0);
}

ATF_TC_WITHOUT_HEAD(stdio);
ATF_TC_BODY(stdio, tc)
{
	skip_sanitizer();
	ATF_CHECK_EQ(0, child_exit(do_stdio));
}

static void
do_abort(void)
{
	lock(NULL, 0);
	abort();
}

ATF_TC_WITHOUT_HEAD(abort_works);
ATF_TC_BODY(abort_works, tc)
{
	skip_sanitizer();
	ATF_CHECK_EQ(SIGABRT, child_signal(do_abort));
}

static const struct lockdown_rule	 setup_rules[] = {
	LOCKDOWN_ALLOW(SYS_seccomp),
	LOCKDOWN_ALLOW(SYS_getppid),
	LOCKDOWN_ALLOW_IF(SYS_dup3, BPF_COND_EQ(2, O_CLOEXEC))
};

static void
do_listed(void)
{
	lock(setup_rules, NELEMS(setup_rules));
	getppid();
	dup3(0, 9, O_CLOEXEC);
}

static void
do_listed_otherwise(void)
{
	lock(setup_rules, NELEMS(setup_rules));
	dup3(0, 9, 0);
}

static void
do_stacked(void)
{
	lock(setup_rules, NELEMS(setup_rules));
	if (lockdown_seccomp(NULL, 0) == -1)
		_exit(99);
	getpid();
}

static void
do_stacked_gone(void)
{
	lock(setup_rules, NELEMS(setup_rules));
	if (lockdown_seccomp(NULL, 0) == -1)
		_exit(99);
	getppid();
}

ATF_TC_WITHOUT_HEAD(rules);
ATF_TC_BODY(rules, tc)
{
	skip_sanitizer();
	ATF_CHECK_EQ(0, child_exit(do_listed));
	ATF_CHECK_EQ(SIGSYS, child_signal(do_listed_otherwise));
	ATF_CHECK_EQ(0, child_exit(do_stacked));
	ATF_CHECK_EQ(SIGSYS, child_signal(do_stacked_gone));
}

ATF_TC_WITHOUT_HEAD(rules_invalid);
ATF_TC_BODY(rules_invalid, tc)
{
	static const struct lockdown_rule	 bad[] = {
		LOCKDOWN_ALLOW(SYSCALL_LAST + 1)
	};

	ATF_CHECK_ERRNO(EINVAL, lockdown_seccomp(bad, 1) == -1);
	ATF_CHECK(getppid() > 0);	/* nothing was installed */
}

static unsigned long long
status_field(const char *name, int base)
{
	unsigned long long	 value = ~0ULL;
	char			 line[256];
	size_t			 len = strlen(name);
	FILE			*f;

	if ((f = fopen("/proc/self/status", "r")) == NULL)
		_exit(99);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			value = strtoull(line + len + 1, NULL, base);
	fclose(f);
	return (value);
}

static void
expect_no_capabilities(void)
{
	expect(status_field("CapInh", 16) == 0);
	expect(status_field("CapPrm", 16) == 0);
	expect(status_field("CapEff", 16) == 0);
	expect(status_field("CapAmb", 16) == 0);
}

static void
do_begin(void)
{
	struct rlimit	 limit;

	limit.rlim_cur = limit.rlim_max = 4096;
	(void)setrlimit(RLIMIT_CORE, &limit);
	expect(lockdown_begin(0) == 0);
	expect(prctl(PR_GET_DUMPABLE) == 0);
	expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	expect(getrlimit(RLIMIT_CORE, &limit) == 0);
	expect(limit.rlim_cur == 0);
	expect(lockdown_begin(1) == 0);		/* and once more */
	expect(prctl(PR_GET_DUMPABLE) == 1);
	expect_no_capabilities();
}

ATF_TC_WITHOUT_HEAD(begin);
ATF_TC_BODY(begin, tc)
{
	ATF_CHECK_EQ(0, child_exit(do_begin));
}

static void
do_capabilities_root(void)
{
	struct __user_cap_header_struct	 header;
	struct __user_cap_data_struct	 data[2];

	/* The control: there is something to lose, ambient ones too. */
	header.version = _LINUX_CAPABILITY_VERSION_3;
	header.pid = 0;
	expect(syscall(SYS_capget, &header, data) == 0);
	data[0].inheritable = data[0].permitted;
	expect(syscall(SYS_capset, &header, data) == 0);
	expect(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0,
	    0) == 0);
	expect(status_field("CapEff", 16) != 0);
	expect(status_field("CapInh", 16) != 0);
	expect(status_field("CapAmb", 16) != 0);
	expect(status_field("CapBnd", 16) != 0);
	expect(lockdown_capabilities() == 0);
	expect(status_field("CapBnd", 16) == 0);
	expect_no_capabilities();
	expect(lockdown_capabilities() == 0);
}

ATF_TC(capabilities_root);
ATF_TC_HEAD(capabilities_root, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(capabilities_root, tc)
{
	ATF_CHECK_EQ(0, child_exit(do_capabilities_root));
}

/* Root that may not touch the bounding set still loses the rest. */
static void
do_without_setpcap(void)
{
	struct __user_cap_header_struct	 header;
	struct __user_cap_data_struct	 data[2];

	header.version = _LINUX_CAPABILITY_VERSION_3;
	header.pid = 0;
	expect(syscall(SYS_capget, &header, data) == 0);
	data[0].effective &= ~CAP_TO_MASK(CAP_SETPCAP);
	data[0].permitted = data[0].effective;
	expect(syscall(SYS_capset, &header, data) == 0);
	expect(lockdown_capabilities() == 0);
	expect_no_capabilities();
}

ATF_TC(capabilities_without_setpcap);
ATF_TC_HEAD(capabilities_without_setpcap, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(capabilities_without_setpcap, tc)
{
	ATF_CHECK_EQ(0, child_exit(do_without_setpcap));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, kills);
	ATF_TP_ADD_TC(tp, kills_process);
	ATF_TP_ADD_TC(tp, stdio);
	ATF_TP_ADD_TC(tp, abort_works);
	ATF_TP_ADD_TC(tp, rules);
	ATF_TP_ADD_TC(tp, rules_invalid);
	ATF_TP_ADD_TC(tp, begin);
	ATF_TP_ADD_TC(tp, capabilities_root);
	ATF_TP_ADD_TC(tp, capabilities_without_setpcap);
	return (atf_no_error());
}
