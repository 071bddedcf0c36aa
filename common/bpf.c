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
 * The compiler and the evaluator of bpf.h.  Used for the workload's filter
 * (filter.c) and for the allow lists of our own programs (lockdown.c); the
 * supervisor evaluates with it to learn why a call was denied.  It knows
 * nothing of policies and makes no system call.
 *
 * Classic BPF jumps forward only, and a conditional jump reaches 255
 * instructions.  The program is therefore written from its end to its start:
 * whoever emits a jump knows where its targets are, and puts a nearer copy in
 * between when they are too far.
 */

#include <sys/types.h>

#include <linux/audit.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf.h"
#include "syscalls.h"

#define LOAD		(BPF_LD | BPF_W | BPF_ABS)
#define RETURN		(BPF_RET | BPF_K)
#define MASK		(BPF_ALU | BPF_AND | BPF_K)
#define JUMP		(BPF_JMP | BPF_JA)
#define IF_EQ		(BPF_JMP | BPF_JEQ | BPF_K)
#define IF_GT		(BPF_JMP | BPF_JGT | BPF_K)
#define IF_GE		(BPF_JMP | BPF_JGE | BPF_K)
#define IF_SET		(BPF_JMP | BPF_JSET | BPF_K)

/* Offsets in struct seccomp_data; x86-64 is little-endian. */
#define OFF_NR		offsetof(struct seccomp_data, nr)
#define OFF_ARCH	offsetof(struct seccomp_data, arch)
#define OFF_ARG(n)	(offsetof(struct seccomp_data, args) + 8 * (n))

#define NARGS		6
#define ALL_BITS	UINT32_MAX

/*
 * A conditional jump spans 255 instructions.  One of its two targets may
 * still move by one while the other is brought within reach; the distance
 * counted here is one more than the offset in the instruction.
 */
#define REACH		255

/* So many cases of a switch, or numbers of a range, are tried in a row. */
#define ROW		3

/* Distinct actions whose last return instruction is remembered. */
#define NRETURNS	8

struct clause {
	uint32_t	 action;
	uint16_t	 next;		/* index plus 1; 0: the last */
	uint16_t	 conds;		/* where its conditions begin */
	uint8_t		 nconds;
};

struct bpf_filter {
	uint32_t	 fallback;
	uint32_t	 unknown;
	uint16_t	 head[SYSCALL_LAST + 1];	/* index plus 1 */
	uint16_t	 tail[SYSCALL_LAST + 1];
	struct clause	*clauses;
	size_t		 nclauses;
	size_t		 maxclauses;
	struct bpf_cond	*conds;
	size_t		 nconds;
	size_t		 maxconds;
};

/* The program being written, its last instruction first. */
struct code {
	struct sock_filter	*insns;
	size_t			 len;
	size_t			 size;
	int			 error;
	struct {
		uint32_t	 action;
		size_t		 at;
	}			 returns[NRETURNS];
	size_t			 nreturns;
};

/* Where a jump goes: to an instruction, or to the return of an action. */
struct target {
	int		 is_return;
	uint32_t	 action;
	size_t		 at;
};

/* One value of an argument and what it leads to. */
struct value {
	uint32_t	 value;
	uint32_t	 action;
};

/* The clauses of one call that can be reached, and what follows them. */
struct chain {
	const struct clause	**clauses;
	size_t			  n;
	uint32_t		  fallback;
};

/* Neighbouring numbers with one verdict. */
struct range {
	int		 first;
	int		 last;
	int		 constant;	/* no clause looks at arguments */
	uint32_t	 action;
};

/* What the functions below share during one compilation. */
struct compiler {
	const struct bpf_filter	 *filter;
	struct code		  code;
	struct range		 *ranges;
	struct value		 *values;
	const struct clause	**clauses;	/* of the chain in work */
};

static int		 cond_valid(const struct bpf_cond *);
static size_t		 code_emit(struct code *, uint16_t, uint8_t, uint8_t,
			    uint32_t);
static size_t		 code_return(struct code *, uint32_t);
static size_t		 code_reach(struct code *, struct target *);
static struct target	 code_test(struct code *, uint16_t, uint32_t,
			    struct target *, struct target *);
static struct target	 code_load(struct code *, const struct bpf_cond *);
static struct target	 target_return(uint32_t);
static struct target	 target_at(size_t);
static const struct bpf_cond
			*clause_cond(const struct compiler *,
			    const struct clause *, size_t);
static int		 cond_same_key(const struct bpf_cond *,
			    const struct bpf_cond *);
static int		 clause_compares(const struct compiler *,
			    const struct clause *, const struct bpf_cond *);
static int		 clause_is_case(const struct compiler *,
			    const struct clause *, const struct bpf_cond *);
static struct chain	 chain_get(const struct compiler *, int);
static struct target	 compile_cond(struct code *, const struct bpf_cond *,
			    struct target *, struct target *, int);
static struct target	 compile_clause(struct compiler *,
			    const struct clause *, struct target *, int);
static size_t		 values_sort(struct compiler *, const struct chain *,
			    size_t, size_t);
static struct target	 compile_values(struct code *, const struct value *,
			    size_t, struct target *);
static struct target	 compile_chain(struct compiler *, int);
static size_t		 ranges_find(struct compiler *);
static int		 ranges_points(const struct range *, size_t,
			    uint32_t *);
static struct target	 compile_range(struct compiler *,
			    const struct range *);
static struct target	 compile_ranges(struct compiler *,
			    const struct range *, size_t);
static void		 compile_program(struct compiler *);

struct bpf_filter *
bpf_new(uint32_t fallback, uint32_t unknown)
{
	struct bpf_filter	*f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return (NULL);
	f->fallback = fallback;
	f->unknown = unknown;
	return (f);
}

void
bpf_free(struct bpf_filter *f)
{
	if (f == NULL)
		return;
	free(f->clauses);
	free(f->conds);
	free(f);
}

static int
cond_valid(const struct bpf_cond *cond)
{
	if (cond->arg >= NARGS)
		return (0);
	switch (cond->op) {
	case BPF_ARG_EQ:
	case BPF_ARG_NE:
	case BPF_ARG_GT:
		return (cond->mask != 0 && (cond->value & ~cond->mask) == 0);
	case BPF_ARG_NULL:
	case BPF_ARG_NOTNULL:
		return (1);
	}
	return (0);
}

int
bpf_add(struct bpf_filter *f, int nr, uint32_t action, size_t nconds,
    const struct bpf_cond *conds)
{
	struct clause	*clause;
	void		*p;
	size_t		 i, n;

	if (nr < 0 || nr > SYSCALL_LAST || nconds > BPF_MAXCONDS ||
	    f->nclauses >= UINT16_MAX - 1 ||
	    f->nconds + nconds >= UINT16_MAX) {
		errno = EINVAL;
		return (-1);
	}
	for (i = 0; i < nconds; i++)
		if (!cond_valid(&conds[i])) {
			errno = EINVAL;
			return (-1);
		}

	if (f->nclauses == f->maxclauses) {
		n = f->maxclauses == 0 ? 128 : 2 * f->maxclauses;
		if ((p = reallocarray(f->clauses, n, sizeof(*clause))) == NULL)
			return (-1);
		f->clauses = p;
		f->maxclauses = n;
	}
	if (f->nconds + nconds > f->maxconds) {
		n = f->maxconds == 0 ? 64 : 2 * f->maxconds;
		if ((p = reallocarray(f->conds, n, sizeof(*conds))) == NULL)
			return (-1);
		f->conds = p;
		f->maxconds = n;
	}

	clause = &f->clauses[f->nclauses++];
	clause->action = action;
	clause->next = 0;
	clause->conds = f->nconds;
	clause->nconds = nconds;
	for (i = 0; i < nconds; i++)
		f->conds[f->nconds++] = conds[i];

	if (f->head[nr] == 0)
		f->head[nr] = f->nclauses;
	else
		f->clauses[f->tail[nr] - 1].next = f->nclauses;
	f->tail[nr] = f->nclauses;
	return (0);
}

/* Append an instruction and return where it is. */
static size_t
code_emit(struct code *c, uint16_t op, uint8_t jt, uint8_t jf, uint32_t k)
{
	struct sock_filter	*insns;
	size_t			 n;

	if (c->error != 0)
		return (0);
	if (c->len == c->size) {
		n = c->size == 0 ? 512 : 2 * c->size;
		if (n > BPF_MAXINSNS)
			n = BPF_MAXINSNS;
		if (c->len == n) {
			c->error = E2BIG;
			return (0);
		}
		if ((insns = reallocarray(c->insns, n, sizeof(*insns))) ==
		    NULL) {
			c->error = errno;
			return (0);
		}
		c->insns = insns;
		c->size = n;
	}
	c->insns[c->len] = (struct sock_filter){ op, jt, jf, k };
	return (c->len++);
}

/* A return of the action within reach of the next instruction. */
static size_t
code_return(struct code *c, uint32_t action)
{
	size_t	 at, i;

	for (i = 0; i < c->nreturns; i++)
		if (c->returns[i].action == action)
			break;
	if (i < c->nreturns && c->len - c->returns[i].at <= REACH)
		return (c->returns[i].at);

	at = code_emit(c, RETURN, 0, 0, action);
	if (i == NRETURNS)
		i--;
	else if (i == c->nreturns)
		c->nreturns++;
	c->returns[i].action = action;
	c->returns[i].at = at;
	return (at);
}

/* Where the next instruction has to jump to in order to get to the target. */
static size_t
code_reach(struct code *c, struct target *t)
{
	if (c->error != 0)
		return (0);
	if (t->is_return)
		return (code_return(c, t->action));
	if (c->len - t->at > REACH)
		t->at = code_emit(c, JUMP, 0, 0, c->len - t->at - 1);
	return (t->at);
}

/* Compare the accumulator with k. */
static struct target
code_test(struct code *c, uint16_t op, uint32_t k, struct target *yes,
    struct target *no)
{
	size_t	 jt, jf;

	jt = code_reach(c, yes);
	jf = code_reach(c, no);
	return (target_at(code_emit(c, op, c->len - jt - 1, c->len - jf - 1,
	    k)));
}

/* Load what the condition compares; goes on with the last instruction. */
static struct target
code_load(struct code *c, const struct bpf_cond *cond)
{
	if (cond->mask != ALL_BITS)
		code_emit(c, MASK, 0, 0, cond->mask);
	return (target_at(code_emit(c, LOAD, 0, 0, OFF_ARG(cond->arg))));
}

static struct target
target_return(uint32_t action)
{
	return ((struct target){ .is_return = 1, .action = action });
}

static struct target
target_at(size_t at)
{
	return ((struct target){ .at = at });
}

static const struct bpf_cond *
clause_cond(const struct compiler *co, const struct clause *clause, size_t i)
{
	return (&co->filter->conds[clause->conds + i]);
}

/* Do both compare the same bits of the same argument? */
static int
cond_same_key(const struct bpf_cond *a, const struct bpf_cond *b)
{
	return (a->op <= BPF_ARG_GT && b->op <= BPF_ARG_GT &&
	    a->arg == b->arg && a->mask == b->mask);
}

/* Is the accumulator what cond compares, once this clause has failed? */
static int
clause_compares(const struct compiler *co, const struct clause *clause,
    const struct bpf_cond *cond)
{
	return (clause->nconds == 1 &&
	    cond_same_key(clause_cond(co, clause, 0), cond));
}

/* Can the clause be one case of a switch over what cond compares? */
static int
clause_is_case(const struct compiler *co, const struct clause *clause,
    const struct bpf_cond *cond)
{
	return (clause_compares(co, clause, cond) &&
	    clause_cond(co, clause, 0)->op == BPF_ARG_EQ);
}

/*
 * The clauses of a call up to the first without conditions, and without those
 * at the end that say what would follow anyway.
 */
static struct chain
chain_get(const struct compiler *co, int nr)
{
	const struct bpf_filter	*f = co->filter;
	const struct clause	*clause;
	struct chain		 chain;
	size_t			 i;

	chain.clauses = co->clauses;
	chain.n = 0;
	chain.fallback = f->fallback;
	for (i = f->head[nr]; i != 0; i = clause->next) {
		clause = &f->clauses[i - 1];
		if (clause->nconds == 0) {
			chain.fallback = clause->action;
			break;
		}
		chain.clauses[chain.n++] = clause;
	}
	while (chain.n > 0 &&
	    chain.clauses[chain.n - 1]->action == chain.fallback)
		chain.n--;
	return (chain);
}

static struct target
compile_cond(struct code *c, const struct bpf_cond *cond, struct target *yes,
    struct target *no, int loaded)
{
	struct target	 high, test;

	switch (cond->op) {
	case BPF_ARG_EQ:
		test = code_test(c, IF_EQ, cond->value, yes, no);
		break;
	case BPF_ARG_NE:
		test = code_test(c, IF_EQ, cond->value, no, yes);
		break;
	case BPF_ARG_GT:
		test = code_test(c, IF_GT, cond->value, yes, no);
		break;
	case BPF_ARG_NOTNULL:
		return (compile_cond(c, &(struct bpf_cond){ cond->arg,
		    BPF_ARG_NULL, ALL_BITS, 0 }, no, yes, loaded));
	case BPF_ARG_NULL:
	default:
		code_test(c, IF_EQ, 0, yes, no);
		high = target_at(code_emit(c, LOAD, 0, 0,
		    OFF_ARG(cond->arg) + 4));
		code_test(c, IF_EQ, 0, &high, no);
		return (target_at(code_emit(c, LOAD, 0, 0,
		    OFF_ARG(cond->arg))));
	}
	return (loaded ? test : code_load(c, cond));
}

/* One clause: all conditions hold, or on with the next. */
static struct target
compile_clause(struct compiler *co, const struct clause *clause,
    struct target *next, int loaded)
{
	const struct bpf_cond	*cond;
	struct target		 yes;
	size_t			 i;

	yes = target_return(clause->action);
	for (i = clause->nconds; i-- > 0;) {
		cond = clause_cond(co, clause, i);
		yes = compile_cond(&co->code, cond, &yes, next,
		    i == 0 ? loaded : cond_same_key(cond - 1, cond));
	}
	return (yes);
}

/*
 * The cases of clauses [first, end) by value; of equal ones the first clause
 * counts.  Returns how many there are.
 */
static size_t
values_sort(struct compiler *co, const struct chain *chain, size_t first,
    size_t end)
{
	struct value	*v = co->values;
	uint32_t	 value;
	size_t		 i, j, n = 0;

	for (i = first; i < end; i++) {
		value = clause_cond(co, chain->clauses[i], 0)->value;
		for (j = n; j > 0 && v[j - 1].value > value; j--)
			;
		if (j > 0 && v[j - 1].value == value)
			continue;
		memmove(&v[j + 1], &v[j], (n - j) * sizeof(*v));
		v[j].value = value;
		v[j].action = chain->clauses[i]->action;
		n++;
	}
	return (n);
}

/* A switch over the accumulator. */
static struct target
compile_values(struct code *c, const struct value *v, size_t n,
    struct target *next)
{
	struct target	 above, below, yes;

	if (n > ROW) {
		above = compile_values(c, v + n / 2, n - n / 2, next);
		below = compile_values(c, v, n / 2, next);
		return (code_test(c, IF_GE, v[n / 2].value, &above, &below));
	}
	below = *next;
	while (n-- > 0) {
		yes = target_return(v[n].action);
		below = code_test(c, IF_EQ, v[n].value, &yes, &below);
	}
	return (below);
}

/*
 * All clauses of a call, the last first.  Neighbours that compare one
 * argument with one value each make up a switch.
 */
static struct target
compile_chain(struct compiler *co, int nr)
{
	const struct bpf_cond	*cond;
	struct chain		 chain;
	struct target		 next;
	size_t			 end, first, n;
	int			 loaded;

	chain = chain_get(co, nr);
	next = target_return(chain.fallback);
	for (end = chain.n; end > 0; end = first) {
		first = end - 1;
		cond = clause_cond(co, chain.clauses[first], 0);
		if (clause_is_case(co, chain.clauses[first], cond))
			while (first > 0 && clause_is_case(co,
			    chain.clauses[first - 1], cond))
				first--;
		loaded = first > 0 &&
		    clause_compares(co, chain.clauses[first - 1], cond);
		if (end - first == 1) {
			next = compile_clause(co, chain.clauses[first], &next,
			    loaded);
			continue;
		}
		n = values_sort(co, &chain, first, end);
		next = compile_values(&co->code, co->values, n, &next);
		if (!loaded)
			next = code_load(&co->code, cond);
	}
	return (next);
}

/* Divide all numbers into ranges; returns how many there are. */
static size_t
ranges_find(struct compiler *co)
{
	struct chain	 chain;
	struct range	*range;
	size_t		 n = 0;
	int		 nr;

	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		chain = chain_get(co, nr);
		range = &co->ranges[n];
		if (n > 0 && chain.n == 0 && range[-1].constant &&
		    range[-1].action == chain.fallback) {
			range[-1].last = nr;
			continue;
		}
		range->first = range->last = nr;
		range->constant = chain.n == 0;
		range->action = chain.fallback;
		n++;
	}
	return (n);
}

/*
 * Are these ranges of one action, interrupted by few single numbers only?
 * Returns how many numbers those are, or -1.
 */
static int
ranges_points(const struct range *r, size_t n, uint32_t *action)
{
	size_t	 base, i;
	int	 points = 0;

	for (base = 0; base < n; base++)
		if (r[base].constant && r[base].first < r[base].last)
			break;
	if (base == n)
		for (base = 0; base < n && !r[base].constant; base++)
			;
	if (base == n)
		return (-1);
	*action = r[base].action;
	for (i = 0; i < n; i++) {
		if (r[i].constant && r[i].action == *action)
			continue;
		if (r[i].first != r[i].last || ++points > ROW)
			return (-1);
	}
	return (points);
}

static struct target
compile_range(struct compiler *co, const struct range *r)
{
	if (r->constant)
		return (target_return(r->action));
	return (compile_chain(co, r->first));
}

/* Find the range of the number, which is in the accumulator. */
static struct target
compile_ranges(struct compiler *co, const struct range *r, size_t n)
{
	struct target	 above, below;
	uint32_t	 action;

	if (n == 1)
		return (compile_range(co, r));
	if (ranges_points(r, n, &action) == -1) {
		above = compile_ranges(co, r + n / 2, n - n / 2);
		below = compile_ranges(co, r, n / 2);
		return (code_test(&co->code, IF_GE, r[n / 2].first, &above,
		    &below));
	}
	below = target_return(action);
	while (n-- > 0) {
		if (r[n].constant && r[n].action == action)
			continue;
		above = compile_range(co, &r[n]);
		below = code_test(&co->code, IF_EQ, r[n].first, &above,
		    &below);
	}
	return (below);
}

static void
compile_program(struct compiler *co)
{
	struct code	*c = &co->code;
	struct target	 kill, known, skipped, unknown;

	kill = target_return(SECCOMP_RET_KILL_PROCESS);
	unknown = target_return(co->filter->unknown);
	known = compile_ranges(co, co->ranges, ranges_find(co));

	skipped = code_test(c, IF_SET, SYSCALL_X32_BIT, &kill, &unknown);
	unknown = code_test(c, IF_EQ, (uint32_t)-1, &unknown, &skipped);
	code_test(c, IF_GT, SYSCALL_LAST, &unknown, &known);
	known = target_at(code_emit(c, LOAD, 0, 0, OFF_NR));
	code_test(c, IF_EQ, AUDIT_ARCH_X86_64, &known, &kill);
	code_emit(c, LOAD, 0, 0, OFF_ARCH);
}

int
bpf_compile(struct bpf_filter *f, struct sock_fprog *prog)
{
	struct range		 ranges[SYSCALL_LAST + 1];
	struct compiler		 co;
	struct sock_filter	*insns = NULL;
	size_t			 i;
	int			 error;

	memset(&co, 0, sizeof(co));
	co.filter = f;
	co.ranges = ranges;
	co.clauses = reallocarray(NULL, f->nclauses + 1, sizeof(*co.clauses));
	co.values = reallocarray(NULL, f->nclauses + 1, sizeof(*co.values));
	if (co.clauses == NULL || co.values == NULL)
		co.code.error = errno;
	else
		compile_program(&co);
	if (co.code.error == 0 && (insns = reallocarray(NULL, co.code.len,
	    sizeof(*insns))) == NULL)
		co.code.error = errno;
	if (insns != NULL) {
		for (i = 0; i < co.code.len; i++)
			insns[i] = co.code.insns[co.code.len - 1 - i];
		prog->filter = insns;
		prog->len = co.code.len;
	}

	error = co.code.error;
	free(co.code.insns);
	free(co.clauses);
	free(co.values);
	if (error != 0) {
		errno = error;
		return (-1);
	}
	return (0);
}

uint32_t
bpf_eval(const struct sock_fprog *prog, const struct seccomp_data *data)
{
	const struct sock_filter	*in;
	uint32_t			 a = 0;
	size_t				 pc;
	int				 jump;

	for (pc = 0; pc < prog->len; pc++) {
		in = &prog->filter[pc];
		switch (in->code) {
		case LOAD:
			if (in->k % sizeof(a) != 0 || in->k >= sizeof(*data))
				return (SECCOMP_RET_KILL_PROCESS);
			memcpy(&a, (const char *)data + in->k, sizeof(a));
			continue;
		case MASK:
			a &= in->k;
			continue;
		case RETURN:
			return (in->k);
		case JUMP:
			if (in->k >= prog->len)
				return (SECCOMP_RET_KILL_PROCESS);
			pc += in->k;
			continue;
		case IF_EQ:
			jump = a == in->k;
			break;
		case IF_GT:
			jump = a > in->k;
			break;
		case IF_GE:
			jump = a >= in->k;
			break;
		case IF_SET:
			jump = (a & in->k) != 0;
			break;
		default:
			return (SECCOMP_RET_KILL_PROCESS);
		}
		pc += jump ? in->jt : in->jf;
	}
	return (SECCOMP_RET_KILL_PROCESS);
}
