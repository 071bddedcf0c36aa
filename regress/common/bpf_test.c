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
 * Tests of common/bpf.c: every kind of condition, the order of clauses, the
 * reach of jumps, what the kernel caches, and random filters against a naive
 * interpreter of the clauses and against the kernel itself.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <linux/audit.h>

#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "syscalls.h"

#define ALLOW		SECCOMP_RET_ALLOW
#define KILL		SECCOMP_RET_KILL_PROCESS
#define ERRNO(e)	(SECCOMP_RET_ERRNO | (e))
#define UNKNOWN		ERRNO(ENOSYS)
#define HIGH		0xdead000000000000ULL

#define NCLAUSES	200
#define MAXRUN		30

struct clause {
	int		 nr;
	uint32_t	 action;
	size_t		 nconds;
	struct bpf_cond	 conds[BPF_MAXCONDS];
};

static struct bpf_filter *
filter_new(uint32_t fallback)
{
	struct bpf_filter	*f;

	ATF_REQUIRE((f = bpf_new(fallback, UNKNOWN)) != NULL);
	return (f);
}

static void
add(struct bpf_filter *f, int nr, uint32_t action, size_t n,
    const struct bpf_cond *conds)
{
	ATF_REQUIRE_EQ(0, bpf_add(f, nr, action, n, conds));
}

static struct sock_fprog
compile(struct bpf_filter *f)
{
	struct sock_fprog	 prog;

	ATF_REQUIRE_EQ(0, bpf_compile(f, &prog));
	return (prog);
}

static uint32_t
eval_arch(const struct sock_fprog *prog, uint32_t arch, int nr, uint64_t a0,
    uint64_t a1)
{
	struct seccomp_data	 data;

	memset(&data, 0, sizeof(data));
	data.arch = arch;
	data.nr = nr;
	data.args[0] = a0;
	data.args[1] = a1;
	return (bpf_eval(prog, &data));
}

static uint32_t
eval(const struct sock_fprog *prog, int nr, uint64_t a0, uint64_t a1)
{
	return (eval_arch(prog, AUDIT_ARCH_X86_64, nr, a0, a1));
}

/* One condition on the first argument of getppid: does it hold? */
static int
holds(struct bpf_cond cond, uint64_t arg)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	struct sock_fprog	 prog;
	uint32_t		 action;

	add(f, SYS_getppid, ERRNO(EPERM), 1, &cond);
	prog = compile(f);
	action = eval(&prog, SYS_getppid, arg, 0);
	ATF_REQUIRE(action == ALLOW || action == ERRNO(EPERM));
	ATF_CHECK_EQ(ALLOW, eval(&prog, SYS_getpid, arg, 0));
	free(prog.filter);
	bpf_free(f);
	return (action != ALLOW);
}

ATF_TC_WITHOUT_HEAD(arch);
ATF_TC_BODY(arch, tc)
{
	static const uint32_t	 foreign[] = {
		AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_AARCH64, 0,
		AUDIT_ARCH_X86_64 & ~__AUDIT_ARCH_LE, 0xffffffff
	};
	struct bpf_filter	*f = filter_new(ALLOW);
	struct sock_fprog	 prog;
	size_t			 i;
	int			 nr;

	add(f, SYS_getppid, ERRNO(EPERM), 0, NULL);
	prog = compile(f);
	ATF_CHECK_EQ(ALLOW, eval(&prog, SYS_getpid, 0, 0));
	ATF_CHECK_EQ(ERRNO(EPERM), eval(&prog, SYS_getppid, 0, 0));
	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		for (nr = -2; nr <= SYSCALL_LAST + 2; nr++)
			ATF_CHECK_EQ(KILL, eval_arch(&prog, foreign[i], nr,
			    0, 0));
	free(prog.filter);
	bpf_free(f);
}

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	struct sock_fprog	 prog;
	int			 nr;

	prog = compile(f);
	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		ATF_CHECK_EQ(ALLOW, eval(&prog, nr, 0, 0));
		ATF_CHECK_EQ(KILL, eval(&prog, nr | SYSCALL_X32_BIT, 0, 0));
	}
	/* The numbers of x32 alone, and everything else with the bit. */
	for (nr = 512; nr < 600; nr++) {
		ATF_CHECK_EQ(UNKNOWN, eval(&prog, nr, 0, 0));
		ATF_CHECK_EQ(KILL, eval(&prog, nr | SYSCALL_X32_BIT, 0, 0));
	}
	ATF_CHECK_EQ(UNKNOWN, eval(&prog, SYSCALL_LAST + 1, 0, 0));
	ATF_CHECK_EQ(UNKNOWN, eval(&prog, SYSCALL_X32_BIT - 1, 0, 0));
	ATF_CHECK_EQ(KILL, eval(&prog, INT32_MAX, 0, 0));
	ATF_CHECK_EQ(UNKNOWN, eval(&prog, INT32_MIN, 0, 0));
	ATF_CHECK_EQ(KILL, eval(&prog, -2, 0, 0));
	/* A call that a tracer skips. */
	ATF_CHECK_EQ(UNKNOWN, eval(&prog, -1, 0, 0));
	free(prog.filter);
	bpf_free(f);
}

ATF_TC_WITHOUT_HEAD(conditions);
ATF_TC_BODY(conditions, tc)
{
	struct bpf_cond	 eq = BPF_COND_EQ(0, 5);
	struct bpf_cond	 ne = BPF_COND_NE(0, 5);
	struct bpf_cond	 gt = BPF_COND_GT(0, 5);
	struct bpf_cond	 bits = BPF_COND_BITS(0, 0xf0, 0x30);
	struct bpf_cond	 any = BPF_COND_ANY(0, 0x81);
	struct bpf_cond	 none = BPF_COND_NONE(0, 0x81);
	struct bpf_cond	 null = BPF_COND_NULL(0);
	struct bpf_cond	 notnull = BPF_COND_NOTNULL(0);
	struct bpf_cond	 masked_gt = { 0, BPF_ARG_GT, 0xff, 5 };

	ATF_CHECK(holds(eq, 5));
	ATF_CHECK(holds(eq, HIGH | 5));
	ATF_CHECK(!holds(eq, 4));
	ATF_CHECK(!holds(ne, 5));
	ATF_CHECK(!holds(ne, HIGH | 5));
	ATF_CHECK(holds(ne, 6));
	ATF_CHECK(!holds(gt, 5));
	ATF_CHECK(!holds(gt, HIGH | 5));
	ATF_CHECK(holds(gt, 6));
	ATF_CHECK(holds(gt, 0x80000000));
	ATF_CHECK(holds(masked_gt, 0x106));
	ATF_CHECK(!holds(masked_gt, 0x105));
	ATF_CHECK(holds(bits, 0x30));
	ATF_CHECK(holds(bits, HIGH | 0xf3f));
	ATF_CHECK(!holds(bits, 0x70));
	ATF_CHECK(holds(any, 0x80));
	ATF_CHECK(holds(any, HIGH | 1));
	ATF_CHECK(!holds(any, HIGH | 0x7e));
	ATF_CHECK(holds(none, HIGH | 0x7e));
	ATF_CHECK(!holds(none, 1));

	ATF_CHECK(holds(null, 0));
	ATF_CHECK(!holds(null, 1));
	ATF_CHECK(!holds(null, 1ULL << 32));
	ATF_CHECK(!holds(notnull, 0));
	ATF_CHECK(holds(notnull, 1));
	ATF_CHECK(holds(notnull, 1ULL << 63));
}

ATF_TC_WITHOUT_HEAD(every_argument);
ATF_TC_BODY(every_argument, tc)
{
	struct bpf_filter	*f;
	struct bpf_cond		 cond = BPF_COND_EQ(0, 7);
	struct seccomp_data	 data;
	struct sock_fprog	 prog;
	int			 i, j;

	for (i = 0; i < 6; i++) {
		f = filter_new(ALLOW);
		cond.arg = i;
		add(f, SYS_getppid, ERRNO(EPERM), 1, &cond);
		prog = compile(f);
		for (j = 0; j < 6; j++) {
			memset(&data, 0, sizeof(data));
			data.arch = AUDIT_ARCH_X86_64;
			data.nr = SYS_getppid;
			data.args[j] = 7;
			ATF_CHECK_EQ(i == j ? ERRNO(EPERM) : ALLOW,
			    bpf_eval(&prog, &data));
		}
		free(prog.filter);
		bpf_free(f);
	}
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	struct bpf_cond		 one = BPF_COND_EQ(0, 1);
	struct bpf_cond		 two = BPF_COND_EQ(0, 2);
	struct bpf_cond		 big = BPF_COND_GT(0, 1);
	struct sock_fprog	 prog;

	add(f, SYS_getppid, ERRNO(1), 1, &one);
	add(f, SYS_getppid, ERRNO(2), 1, &one);		/* comes too late */
	add(f, SYS_getpid, ERRNO(3), 1, &two);
	add(f, SYS_getppid, ERRNO(4), 1, &big);
	add(f, SYS_getppid, ERRNO(5), 1, &two);		/* likewise */
	add(f, SYS_getppid, ERRNO(6), 0, NULL);
	add(f, SYS_getppid, ERRNO(7), 0, NULL);		/* likewise */
	prog = compile(f);
	ATF_CHECK_EQ(ERRNO(1), eval(&prog, SYS_getppid, 1, 0));
	ATF_CHECK_EQ(ERRNO(4), eval(&prog, SYS_getppid, 2, 0));
	ATF_CHECK_EQ(ERRNO(6), eval(&prog, SYS_getppid, 0, 0));
	ATF_CHECK_EQ(ERRNO(3), eval(&prog, SYS_getpid, 2, 0));
	ATF_CHECK_EQ(ALLOW, eval(&prog, SYS_getpid, 1, 0));
	free(prog.filter);
	bpf_free(f);
}

/* All conditions of a clause have to hold. */
ATF_TC_WITHOUT_HEAD(conjunction);
ATF_TC_BODY(conjunction, tc)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	const struct bpf_cond	 conds[] = {
		BPF_COND_GT(0, 3), BPF_COND_NE(0, 5), BPF_COND_ANY(1, 1)
	};
	struct sock_fprog	 prog;
	uint32_t		 action;
	uint64_t		 a, b;

	add(f, SYS_getppid, ERRNO(EPERM), 3, conds);
	prog = compile(f);
	for (a = 0; a < 8; a++)
		for (b = 0; b < 4; b++) {
			action = a > 3 && a != 5 && (b & 1) != 0 ?
			    ERRNO(EPERM) : ALLOW;
			ATF_CHECK_EQ(action, eval(&prog, SYS_getppid, a, b));
		}
	free(prog.filter);
	bpf_free(f);
}

ATF_TC_WITHOUT_HEAD(invalid);
ATF_TC_BODY(invalid, tc)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	struct bpf_cond		 conds[BPF_MAXCONDS + 1];
	struct bpf_cond		 good = BPF_COND_EQ(5, 1);
	struct bpf_cond		 arg = BPF_COND_EQ(6, 1);
	struct bpf_cond		 never = BPF_COND_BITS(0, 1, 3);
	struct bpf_cond		 nomask = BPF_COND_BITS(0, 0, 0);
	struct bpf_cond		 op = { 0, (enum bpf_op)99, 1, 1 };
	struct sock_fprog	 prog;
	size_t			 i;

	for (i = 0; i < BPF_MAXCONDS + 1; i++)
		conds[i] = good;
	ATF_CHECK_EQ(0, bpf_add(f, 0, ALLOW, BPF_MAXCONDS, conds));
	ATF_CHECK_EQ(0, bpf_add(f, SYSCALL_LAST, ALLOW, 1, &good));
	ATF_CHECK_ERRNO(EINVAL, bpf_add(f, -1, ALLOW, 0, NULL) == -1);
	ATF_CHECK_ERRNO(EINVAL, bpf_add(f, SYSCALL_LAST + 1, ALLOW, 0,
	    NULL) == -1);
	ATF_CHECK_ERRNO(EINVAL, bpf_add(f, 0, ALLOW, BPF_MAXCONDS + 1,
	    conds) == -1);
	ATF_CHECK_ERRNO(EINVAL, bpf_add(f, 0, ALLOW, 1, &arg) == -1);
	ATF_CHECK_ERRNO(EINVAL, bpf_add(f, 0, ALLOW, 1, &never) == -1);
	ATF_CHECK_ERRNO(EINVAL, bpf_add(f, 0, ALLOW, 1, &nomask) == -1);
	ATF_CHECK_ERRNO(EINVAL, bpf_add(f, 0, ALLOW, 1, &op) == -1);
	/* What was refused left nothing behind. */
	prog = compile(f);
	ATF_CHECK_EQ(ALLOW, eval(&prog, 0, 0, 0));
	free(prog.filter);
	bpf_free(f);
	bpf_free(NULL);
}

/* Targets far beyond 255 instructions: many cases, many calls. */
ATF_TC_WITHOUT_HEAD(far_jumps);
ATF_TC_BODY(far_jumps, tc)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	struct bpf_cond		 conds[2] = {
		BPF_COND_EQ(0, 0), BPF_COND_NE(1, 0)
	};
	struct sock_fprog	 prog;
	int			 i, nr;

	for (i = 0; i < 300; i++) {
		conds[0].value = 3 * i;
		add(f, SYS_getppid, ERRNO(i), 1, conds);
	}
	for (i = 0; i < 300; i++) {
		conds[0].value = 3 * i;
		add(f, SYS_getpid, ERRNO(i), 2, conds);
	}
	for (nr = 200; nr <= SYSCALL_LAST; nr++) {
		conds[0].value = nr;
		add(f, nr, ERRNO(nr), 1, conds);
	}
	prog = compile(f);
	for (i = 0; i < 900; i++) {
		ATF_CHECK_EQ(i % 3 == 0 ? ERRNO(i / 3) : ALLOW,
		    eval(&prog, SYS_getppid, i, 0));
		ATF_CHECK_EQ(i % 3 == 0 ? ERRNO(i / 3) : ALLOW,
		    eval(&prog, SYS_getpid, i, 1));
		ATF_CHECK_EQ(ALLOW, eval(&prog, SYS_getpid, i, 0));
	}
	for (nr = 200; nr <= SYSCALL_LAST; nr++) {
		ATF_CHECK_EQ(ERRNO(nr), eval(&prog, nr, nr, 0));
		ATF_CHECK_EQ(ALLOW, eval(&prog, nr, nr + 1, 0));
	}
	free(prog.filter);
	bpf_free(f);
}

ATF_TC_WITHOUT_HEAD(too_big);
ATF_TC_BODY(too_big, tc)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	struct bpf_cond		 cond = BPF_COND_EQ(0, 0);
	struct sock_fprog	 prog;
	int			 i;

	for (i = 0; i < BPF_MAXINSNS; i++) {
		cond.value = i;
		add(f, SYS_getppid, ERRNO(i % 4096), 1, &cond);
	}
	errno = 0;
	ATF_CHECK_ERRNO(E2BIG, bpf_compile(f, &prog) == -1);
	bpf_free(f);
}

/* Each round has its own seed: a failure names it and can be repeated. */
static uint32_t
random_below(uint32_t n)
{
	return ((uint32_t)random() % n);
}

static void
clause_random(struct clause *c, int one)
{
	static const uint32_t	 masks[] = {
		UINT32_MAX, UINT32_MAX, 0xff, 0x3, 0xf0, 0x80000001
	};
	static const enum bpf_op	 ops[] = {
		BPF_ARG_EQ, BPF_ARG_EQ, BPF_ARG_EQ, BPF_ARG_NE, BPF_ARG_GT,
		BPF_ARG_NULL, BPF_ARG_NOTNULL
	};
	struct bpf_cond		*cond;
	size_t			 i;

	/* Few numbers and few values, so that much collides. */
	c->nr = one ? SYS_getppid : (int)random_below(12) * 7;
	if (!one && random_below(3) == 0)
		c->nr = random_below(SYSCALL_LAST + 1);
	c->action = random_below(4) == 0 ? ALLOW : ERRNO(random_below(4));
	c->nconds = random_below(20) == 0 ? 0 : 1 + random_below(BPF_MAXCONDS);
	if (random_below(2) == 0 && c->nconds > 1)
		c->nconds = 1;
	for (i = 0; i < c->nconds; i++) {
		cond = &c->conds[i];
		cond->arg = random_below(2);
		cond->op = ops[random_below(7)];
		cond->mask = masks[random_below(6)];
		cond->value = random_below(8) & cond->mask;
	}
}

/* The same for a row of numbers, which makes a range; returns their count. */
static size_t
clauses_run(struct clause *c)
{
	size_t	 i, n = 1 + random_below(MAXRUN);
	int	 first = random_below(SYSCALL_LAST + 1 - MAXRUN);

	for (i = 0; i < n; i++) {
		c[i].nr = first + i;
		c[i].action = ERRNO(n % 3);
		c[i].nconds = 0;
	}
	return (n);
}

static int
cond_reference(const struct bpf_cond *cond, const uint64_t *args)
{
	uint64_t	 arg = args[cond->arg];
	uint32_t	 low = (uint32_t)arg & cond->mask;

	switch (cond->op) {
	case BPF_ARG_EQ:
		return (low == cond->value);
	case BPF_ARG_NE:
		return (low != cond->value);
	case BPF_ARG_GT:
		return (low > cond->value);
	case BPF_ARG_NULL:
		return (arg == 0);
	case BPF_ARG_NOTNULL:
		return (arg != 0);
	}
	return (0);
}

/* What bpf.h says, read clause by clause. */
static uint32_t
reference(const struct clause *c, size_t n, uint32_t fallback,
    const struct seccomp_data *data)
{
	size_t	 i, j;

	if (data->arch != AUDIT_ARCH_X86_64)
		return (KILL);
	if (data->nr == -1)
		return (UNKNOWN);
	if (((uint32_t)data->nr & SYSCALL_X32_BIT) != 0)
		return (KILL);
	if ((uint32_t)data->nr > SYSCALL_LAST)
		return (UNKNOWN);
	for (i = 0; i < n; i++) {
		if (c[i].nr != data->nr)
			continue;
		for (j = 0; j < c[i].nconds; j++)
			if (!cond_reference(&c[i].conds[j],
			    (const uint64_t *)data->args))
				break;
		if (j == c[i].nconds)
			return (c[i].action);
	}
	return (fallback);
}

static void
data_random(struct seccomp_data *data, const struct clause *c, size_t n)
{
	static const uint64_t	 highs[] = { 0, 0, 0, 1ULL << 32, HIGH };
	int			 i;

	memset(data, 0, sizeof(*data));
	data->arch = random_below(50) == 0 ? AUDIT_ARCH_I386 :
	    AUDIT_ARCH_X86_64;
	data->nr = random_below(SYSCALL_LAST + 20);
	if (n > 0 && random_below(4) != 0)
		data->nr = c[random_below(n)].nr + (int)random_below(3) - 1;
	if (random_below(50) == 0)
		data->nr |= SYSCALL_X32_BIT;
	for (i = 0; i < 6; i++) {
		data->args[i] = random_below(10);
		if (random_below(8) == 0)
			data->args[i] = (uint64_t)random() << 1;
		data->args[i] |= highs[random_below(5)];
	}
}

static struct sock_fprog
compile_clauses(const struct clause *c, size_t n, uint32_t fallback)
{
	struct bpf_filter	*f = filter_new(fallback);
	struct sock_fprog	 prog;
	size_t			 i;

	for (i = 0; i < n; i++)
		add(f, c[i].nr, c[i].action, c[i].nconds, c[i].conds);
	prog = compile(f);
	bpf_free(f);
	return (prog);
}

ATF_TC_WITHOUT_HEAD(random_filters);
ATF_TC_BODY(random_filters, tc)
{
	struct clause		 c[NCLAUSES + 4 * MAXRUN];
	struct seccomp_data	 data;
	struct sock_fprog	 prog;
	size_t			 i, n;
	uint32_t		 expected, fallback;
	int			 round, try;

	for (round = 0; round < 1000; round++) {
		srandom(round);
		n = random_below(round % 4 == 0 ? NCLAUSES : 20);
		for (i = 0; i < n; i++)
			clause_random(&c[i], 0);
		for (i = random_below(5); i > 0; i--)
			n += clauses_run(&c[n]);
		fallback = random_below(2) == 0 ? ALLOW : ERRNO(EPERM);
		prog = compile_clauses(c, n, fallback);
		for (try = 0; try < 1000; try++) {
			data_random(&data, c, n);
			expected = reference(c, n, fallback, &data);
			if (bpf_eval(&prog, &data) != expected)
				atf_tc_fail("round %d: nr %d args %llx %llx: "
				    "%x instead of %x", round, data.nr,
				    data.args[0], data.args[1],
				    bpf_eval(&prog, &data), expected);
		}
		free(prog.filter);
	}
}

/*
 * In the child: getppid, which ignores its arguments, does what the clauses
 * say.  Exits with 0 when all answers are right.
 */
static void
kernel_child(const struct clause *c, size_t n, const struct sock_fprog *prog)
{
	struct seccomp_data	 data;
	uint32_t		 expected;
	long			 ppid = getppid(), ret;
	int			 try;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, prog) == -1)
		_exit(2);
	for (try = 0; try < 200; try++) {
		data_random(&data, c, n);
		data.arch = AUDIT_ARCH_X86_64;
		data.nr = SYS_getppid;
		expected = reference(c, n, ALLOW, &data);
		errno = 0;
		ret = syscall(SYS_getppid, data.args[0], data.args[1],
		    data.args[2], data.args[3], data.args[4], data.args[5]);
		if (expected == ALLOW ? ret != ppid :
		    (expected == ERRNO(0) ? ret != 0 :
		    ret != -1 || ERRNO((uint32_t)errno) != expected))
			_exit(3);
	}
	_exit(0);
}

ATF_TC_WITHOUT_HEAD(kernel_agrees);
ATF_TC_BODY(kernel_agrees, tc)
{
	struct clause		 c[NCLAUSES];
	struct sock_fprog	 prog;
	size_t			 i, n;
	pid_t			 pid;
	int			 round, status;

	for (round = 0; round < 100; round++) {
		srandom(round);
		n = random_below(NCLAUSES);
		for (i = 0; i < n; i++)
			clause_random(&c[i], 1);
		prog = compile_clauses(c, n, ALLOW);
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0)
			kernel_child(c, n, &prog);
		ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
		ATF_CHECK_EQ(0, status);
		free(prog.filter);
	}
}

/*
 * The kernel's own judgement (seccomp_is_const_allow): runs the program for a
 * number without arguments; any load of something else ends it.
 */
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
			if (in->k == offsetof(struct seccomp_data, nr))
				a = nr;
			else if (in->k == offsetof(struct seccomp_data, arch))
				a = AUDIT_ARCH_X86_64;
			else
				return (0);
			continue;
		case BPF_RET | BPF_K:
			return (in->k == SECCOMP_RET_ALLOW);
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
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = (a & in->k) != 0;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= in->k;
			continue;
		default:
			return (0);
		}
		pc += jump ? in->jt : in->jf;
	}
	return (0);
}

ATF_TC_WITHOUT_HEAD(always_allow);
ATF_TC_BODY(always_allow, tc)
{
	struct clause		 c[NCLAUSES];
	struct sock_fprog	 prog;
	size_t			 i, n;
	int			 clauses, nr, round;

	for (round = 0; round < 100; round++) {
		srandom(round);
		n = random_below(NCLAUSES);
		for (i = 0; i < n; i++)
			clause_random(&c[i], 0);
		prog = compile_clauses(c, n, ALLOW);
		for (nr = 0; nr <= SYSCALL_LAST; nr++) {
			clauses = 0;
			for (i = 0; i < n; i++)
				clauses += c[i].nr == nr;
			if (clauses == 0)
				ATF_CHECK(always_allowed(&prog, nr));
		}
		free(prog.filter);
	}
}

/* Clauses that change nothing cost nothing. */
ATF_TC_WITHOUT_HEAD(idle_clauses);
ATF_TC_BODY(idle_clauses, tc)
{
	struct bpf_filter	*f = filter_new(ALLOW);
	struct bpf_cond		 cond = BPF_COND_EQ(0, 1);
	struct sock_fprog	 empty, prog;

	empty = compile(f);
	add(f, SYS_getppid, ALLOW, 1, &cond);
	add(f, SYS_getpid, ALLOW, 0, NULL);
	add(f, SYS_getpid, ERRNO(EPERM), 0, NULL);
	prog = compile(f);
	ATF_CHECK_EQ(empty.len, prog.len);
	ATF_CHECK(always_allowed(&prog, SYS_getppid));
	free(empty.filter);
	free(prog.filter);
	bpf_free(f);
}

ATF_TC_WITHOUT_HEAD(eval_refuses);
ATF_TC_BODY(eval_refuses, tc)
{
	static struct sock_filter	 bad[][2] = {
		/* Loads outside or across the fields. */
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    sizeof(struct seccomp_data)),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xfffffffc),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		/* Instructions that the compiler does not emit. */
		{ BPF_STMT(BPF_LD | BPF_IMM, 0),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		{ BPF_STMT(BPF_RET | BPF_A, 0),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		/* Jumps out of the program. */
		{ BPF_STMT(BPF_JMP | BPF_JA, 1),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		{ BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		{ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 1),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
		/* No return at the end. */
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) }
	};
	static struct sock_filter	 good[2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog		 prog;
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		prog.filter = bad[i];
		prog.len = 2;
		ATF_CHECK_EQ(KILL, eval(&prog, 0, 0, 0));
	}
	prog.filter = good;
	prog.len = 2;
	ATF_CHECK_EQ(ALLOW, eval(&prog, 0, 0, 0));
	prog.len = 0;
	ATF_CHECK_EQ(KILL, eval(&prog, 0, 0, 0));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, arch);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, conditions);
	ATF_TP_ADD_TC(tp, every_argument);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, conjunction);
	ATF_TP_ADD_TC(tp, invalid);
	ATF_TP_ADD_TC(tp, far_jumps);
	ATF_TP_ADD_TC(tp, too_big);
	ATF_TP_ADD_TC(tp, random_filters);
	ATF_TP_ADD_TC(tp, kernel_agrees);
	ATF_TP_ADD_TC(tp, always_allow);
	ATF_TP_ADD_TC(tp, idle_clauses);
	ATF_TP_ADD_TC(tp, eval_refuses);
	return (atf_no_error());
}
