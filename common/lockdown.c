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
 * How our own programs give up what they do not need: the common first step,
 * and allow lists of system calls that kill.  Called by every worker and by
 * the parent; knows nothing of what they do.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <linux/capability.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "lockdown.h"
#include "syscalls.h"

#define ALLOW(call)		LOCKDOWN_ALLOW(SYS_ ## call)
#define ALLOW_IF(call, ...)	LOCKDOWN_ALLOW_IF(SYS_ ## call, __VA_ARGS__)
#define EQ			BPF_COND_EQ
#define NONE			BPF_COND_NONE

static int	 lockdown_add(struct bpf_filter *, const struct lockdown_rule *,
		    size_t);
static int	 lockdown_add_abort(struct bpf_filter *);

/*
 * What every program of ours may do for ever.  All of it works on descriptors
 * it has, on its own memory or on its own signals.  Nothing in here opens,
 * names, makes or signals anything else: a program that must do so lists it.
 */
const struct lockdown_rule lockdown_stdio[] = {
	/* imsg channels, logging to stderr, the listener's other end. */
	ALLOW(read),
	ALLOW(write),
	ALLOW(readv),
	ALLOW(writev),		/* also abort messages of libc */
	ALLOW(recvmsg),		/* imsg with descriptors */
	/* Not to connect with, which Landlock would not see. */
	ALLOW_IF(sendmsg, NONE(2, MSG_FASTOPEN)),
	ALLOW(close),

	/* Which modes a descriptor has; non-blocking and close-on-exec. */
	ALLOW_IF(fcntl, EQ(1, F_GETFL)),
	ALLOW_IF(fcntl, EQ(1, F_SETFL)),
	ALLOW_IF(fcntl, EQ(1, F_GETFD)),
	ALLOW_IF(fcntl, EQ(1, F_SETFD)),

	/*
	 * stdio asks for the kind of a file before it buffers.  By number
	 * only: newfstatat, which glibc uses instead, could name any file.
	 */
	ALLOW(fstat),

	/* libevent, as imsg_event_base() has it; a channel's last flush. */
	ALLOW(poll),
	ALLOW(ppoll),		/* output that a signal interrupts */

	/* Clocks, when the vDSO has to ask the kernel. */
	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(time),

	/* malloc: memory that is never executable. */
	ALLOW(brk),
	ALLOW_IF(mmap, NONE(2, PROT_EXEC)),
	ALLOW_IF(mprotect, NONE(2, PROT_EXEC)),
	ALLOW(mremap),		/* keeps the protection */
	ALLOW(munmap),
	ALLOW(madvise),

	/* Locks of libc, arc4random. */
	ALLOW(futex),
	ALLOW(getrandom),

	/* Signals that libevent turns into events, and abort(3). */
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),	/* poll after SIGSTOP and SIGCONT */

	/* Who am I: log messages, abort(3). */
	ALLOW(getpid),
	ALLOW(gettid),

	ALLOW(exit),
	ALLOW(exit_group)
};
const size_t lockdown_stdio_len =
    sizeof(lockdown_stdio) / sizeof(lockdown_stdio[0]);

int
lockdown_capabilities(void)
{
	struct __user_cap_header_struct	 header;
	struct __user_cap_data_struct	 data[_LINUX_CAPABILITY_U32S_3];
	int				 cap;

	header.version = _LINUX_CAPABILITY_VERSION_3;
	header.pid = 0;
	if (syscall(SYS_capget, &header, data) == -1)
		return (-1);
	/* Without any there is nothing to raise: ambient ones are a subset. */
	if ((data[0].effective | data[0].permitted | data[0].inheritable |
	    data[1].effective | data[1].permitted | data[1].inheritable) == 0)
		return (0);

	if (data[CAP_TO_INDEX(CAP_SETPCAP)].effective &
	    CAP_TO_MASK(CAP_SETPCAP))
		/* EINVAL is past the last one that this kernel has. */
		for (cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
			;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		return (-1);
	memset(data, 0, sizeof(data));
	return (syscall(SYS_capset, &header, data) == -1 ? -1 : 0);
}

int
lockdown_begin(int dumpable)
{
	struct rlimit	 limit;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    lockdown_capabilities() == -1)
		return (-1);
	if (getrlimit(RLIMIT_CORE, &limit) == -1)
		return (-1);
	limit.rlim_cur = 0;
	if (setrlimit(RLIMIT_CORE, &limit) == -1)
		return (-1);
	return (prctl(PR_SET_DUMPABLE, dumpable != 0, 0, 0, 0) == -1 ? -1 : 0);
}

static int
lockdown_add(struct bpf_filter *f, const struct lockdown_rule *rules, size_t n)
{
	for (; n > 0; rules++, n--)
		if (bpf_add(f, rules->nr, SECCOMP_RET_ALLOW, rules->nconds,
		    rules->conds) == -1)
			return (-1);
	return (0);
}

/* abort(3) signals a thread of this process, and nobody else's. */
static int
lockdown_add_abort(struct bpf_filter *f)
{
	const struct bpf_cond	 conds[] = {
		EQ(0, (uint32_t)getpid()),
		EQ(2, SIGABRT)
	};

	return (bpf_add(f, SYS_tgkill, SECCOMP_RET_ALLOW, 2, conds));
}

int
lockdown_seccomp(const struct lockdown_rule *rules, size_t n)
{
	struct bpf_filter	*f;
	struct sock_fprog	 prog = { 0, NULL };
	int			 error, ret = -1;

	f = bpf_new(SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_PROCESS);
	if (f == NULL)
		return (-1);
	if (lockdown_add(f, lockdown_stdio, lockdown_stdio_len) == 0 &&
	    lockdown_add(f, rules, n) == 0 && lockdown_add_abort(f) == 0 &&
	    bpf_compile(f, &prog) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0)
		ret = 0;
	error = errno;
	free(prog.filter);
	bpf_free(f);
	errno = error;
	return (ret);
}
