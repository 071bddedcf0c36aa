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
 * A small compiler for seccomp filters and an evaluator of the result.
 *
 * A filter is a set of clauses: (call number, conditions on arguments,
 * action).  The clauses of one call are tried in the order in which they were
 * added; the first whose conditions all hold decides, otherwise the default
 * action of the filter does.  The program checks the architecture and the
 * x32 bit, finds the call by binary search, and loads arguments only in the
 * leaves, so that the kernel caches every call without conditional clauses as
 * "always allow".
 *
 * A foreign architecture and a number with the x32 bit kill the process,
 * whatever the clauses say.  -1 is the exception to the second: it is what a
 * tracer makes of a call that it skips, and gets the action of unknown
 * numbers.
 *
 * Conditions compare the low 32 bits of an argument: the kernel ignores the
 * upper ones in every argument that is compared here.  BPF_ARG_NULL and
 * BPF_ARG_NOTNULL are there for pointers, which need all 64.
 */

#ifndef BPF_COMPILER_H
#define BPF_COMPILER_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <stddef.h>
#include <stdint.h>

enum bpf_op {
	BPF_ARG_EQ,		/* (arg & mask) == value */
	BPF_ARG_NE,		/* (arg & mask) != value */
	BPF_ARG_GT,		/* (arg & mask) >  value, unsigned */
	BPF_ARG_NULL,		/* all 64 bits are 0 */
	BPF_ARG_NOTNULL		/* any of the 64 bits is set */
};

/* mask is never 0, and value has no bit outside it. */
struct bpf_cond {
	uint8_t		 arg;		/* 0 to 5 */
	enum bpf_op	 op;
	uint32_t	 mask;
	uint32_t	 value;
};

#define BPF_MAXCONDS	3

/* Conditions on all 32 bits, on some bits, and on pointers. */
#define BPF_COND_EQ(a, v)	{ (a), BPF_ARG_EQ, UINT32_MAX, (v) }
#define BPF_COND_NE(a, v)	{ (a), BPF_ARG_NE, UINT32_MAX, (v) }
#define BPF_COND_GT(a, v)	{ (a), BPF_ARG_GT, UINT32_MAX, (v) }
#define BPF_COND_BITS(a, m, v)	{ (a), BPF_ARG_EQ, (m), (v) }
#define BPF_COND_ANY(a, m)	{ (a), BPF_ARG_NE, (m), 0 }
#define BPF_COND_NONE(a, m)	{ (a), BPF_ARG_EQ, (m), 0 }
#define BPF_COND_NULL(a)	{ (a), BPF_ARG_NULL, UINT32_MAX, 0 }
#define BPF_COND_NOTNULL(a)	{ (a), BPF_ARG_NOTNULL, UINT32_MAX, 0 }

struct bpf_filter;

/*
 * A new filter.  The first action is that of calls without a matching clause,
 * the second that of numbers above SYSCALL_LAST.  Actions are SECCOMP_RET_*
 * with their data.  NULL and errno when out of memory.
 */
struct bpf_filter	*bpf_new(uint32_t, uint32_t);
void			 bpf_free(struct bpf_filter *);

/* Add a clause; 0, or -1 and errno (EINVAL for a bad number or condition). */
int	 bpf_add(struct bpf_filter *, int, uint32_t, size_t,
	    const struct bpf_cond *);

/*
 * Compile.  The instructions are allocated for the caller, who frees
 * prog->filter.  0, or -1 and errno (E2BIG past BPF_MAXINSNS).
 */
int	 bpf_compile(struct bpf_filter *, struct sock_fprog *);

/*
 * Run a compiled program over one system call as the kernel would; returns
 * the SECCOMP_RET_* value.  Every instruction that bpf_compile emits is
 * known; anything else, a jump out of the program or a load that is not
 * aligned inside seccomp_data yields SECCOMP_RET_KILL_PROCESS.
 */
uint32_t bpf_eval(const struct sock_fprog *, const struct seccomp_data *);

#endif
