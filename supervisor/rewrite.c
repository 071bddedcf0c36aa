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
 * Another name in place of the caller's.  Some calls cannot be answered with a
 * descriptor: the kernel itself has to follow a name, and the one that the
 * caller gave means something in the view only.  The thread is seized and the
 * call ends with ENOSYS; before the thread runs again the name is written below
 * its stack, the argument set to it and the call made once more.  No memory
 * that the program owns is written, and the call comes here again: with the
 * real name of an entry of the view it is let through, and with any other it is
 * judged by that.
 */

#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "tree.h"

#define RED_ZONE		128	/* below the stack, the program's */
#define SYSCALL_SIZE		2	/* of the instruction */
#define SECCOMP_ARGS		6
#define REWRITE_REACH		(256 * 1024)	/* of what was written before */
#define REWRITE_DEPTH		5	/* interpreters of interpreters */
#define REWRITE_ALARM_US	50000
#define REWRITE_ALARMS		180	/* then the thread is let go */

/*
 * A thread whose call is to be made again.  No signal may come in between: its
 * frame would lie where the name does.  So they are blocked until the thread
 * stops behind the call.
 */
struct rewriting {
	LIST_ENTRY(rewriting)	 entry;
	pid_t			 tid;
	pid_t			 tgid;
	uint64_t		 mask;		/* its own signal mask */
	int			 again;		/* the call was made */
	char			*path;		/* what was written; or NULL */
};
static LIST_HEAD(, rewriting)	 rewritings = LIST_HEAD_INITIALIZER(rewritings);

/* The register of an argument. */
static unsigned long long *
rewrite_register(struct user_regs_struct *regs, int slot)
{
	switch (slot) {
	case 0:
		return (&regs->rdi);
	case 1:
		return (&regs->rsi);
	case 2:
		return (&regs->rdx);
	case 3:
		return (&regs->r10);
	case 4:
		return (&regs->r8);
	default:
		return (&regs->r9);
	}
}

/* Whether an address is of something that was written below the stack. */
static int
rewrite_wrote(const struct user_regs_struct *regs, uint64_t addr)
{
	return (addr < regs->rsp - RED_ZONE &&
	    regs->rsp - addr < REWRITE_REACH);
}

/*
 * Below what there is room.  A call that was rewritten before, for another of
 * its names or as that of a script's interpreter, has these below the stack:
 * they stay.  Arguments have a word before them.
 */
static uint64_t
rewrite_room(const struct user_regs_struct *regs)
{
	struct user_regs_struct	 copy = *regs;
	uint64_t		 addr, room = regs->rsp - RED_ZONE;
	int			 slot;

	for (slot = 0; slot < SECCOMP_ARGS; slot++) {
		addr = *rewrite_register(&copy, slot);
		if (rewrite_wrote(regs, addr) &&
		    addr - sizeof(uint64_t) < room)
			room = addr - sizeof(uint64_t);
	}
	return (room);
}

/* Write something below an address for a slot; 0, or -1 and errno. */
static int
rewrite_bytes(pid_t tid, struct user_regs_struct *regs, uint64_t room,
    int slot, const void *data, size_t len)
{
	uint64_t	 addr = (room - len) & ~15ULL;

	if (memory_write(tid, addr, data, len) == -1)
		return (-1);
	*rewrite_register(regs, slot) = addr;
	return (0);
}

/* Write the name, or the two, or what is none; 0, or -1 and errno. */
static int
rewrite_name(pid_t tid, struct user_regs_struct *regs,
    const struct rewrite *rw)
{
	uint64_t	 room = rewrite_room(regs);

	if (rw->data != NULL) {
		*rewrite_register(regs, rw->len_slot) = rw->len;
		return (rewrite_bytes(tid, regs, room, rw->slot, rw->data,
		    rw->len));
	}
	if (rewrite_bytes(tid, regs, room, rw->slot, rw->path,
	    strlen(rw->path) + 1) == -1)
		return (-1);
	if (rw->path2 == NULL)
		return (0);
	room = *rewrite_register(regs, rw->slot);
	return (rewrite_bytes(tid, regs, room, rw->slot2, rw->path2,
	    strlen(rw->path2) + 1));
}

/* How many interpreters led here; the word before the arguments tells. */
static uint64_t
rewrite_depth(pid_t tid, const struct user_regs_struct *regs, int slot)
{
	struct user_regs_struct	 copy = *regs;
	uint64_t		 addr, depth;

	addr = *rewrite_register(&copy, slot);
	if (!rewrite_wrote(regs, addr) || memory_read(tid,
	    addr - sizeof(depth), &depth, sizeof(depth)) == -1)
		return (0);
	return (depth);
}

/*
 * Write new arguments: their depth, the pointers and a NULL, and the strings
 * after them.
 */
static int
rewrite_arguments(pid_t tid, struct user_regs_struct *regs,
    const struct rewrite *rw)
{
	uint64_t	 addr, *argv, depth, room;
	size_t		 head, i, size;
	char		*block, *s;
	int		 ret;

	room = rewrite_room(regs);
	if ((depth = rewrite_depth(tid, regs, rw->argv_slot)) >=
	    REWRITE_DEPTH) {
		errno = ELOOP;
		return (-1);
	}
	head = (1 + rw->nstrings + rw->nargs + 1) * sizeof(*argv);
	for (i = 0, size = head; i < rw->nstrings; i++)
		size += strlen(rw->strings[i]) + 1;
	if ((block = calloc(1, size)) == NULL)
		return (-1);
	addr = (room - size) & ~15ULL;
	argv = (uint64_t *)(void *)block;
	*argv++ = depth + 1;
	for (i = 0, s = block + head; i < rw->nstrings; i++) {
		argv[i] = addr + (uint64_t)(s - block);
		s = stpcpy(s, rw->strings[i]) + 1;
	}
	for (i = 0; i < rw->nargs; i++)
		argv[rw->nstrings + i] = rw->args[i];
	if ((ret = memory_write(tid, addr, block, size)) == 0) {
		*rewrite_register(regs, rw->slot) = argv[0];
		*rewrite_register(regs, rw->argv_slot) = addr +
		    sizeof(*argv);
	}
	free(block);
	return (ret);
}

/* The thread has stopped behind the call: have it made again. */
static int
rewrite_stopped(pid_t tid, int nr, const struct rewrite *rw)
{
	struct user_regs_struct	 regs;
	unsigned long long	 old;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) == -1)
		return (-1);
	/* Killed, or something else has changed its course. */
	if ((long long)regs.rax != -ENOSYS ||
	    (int)regs.orig_rax != nr) {
		errno = ESRCH;
		return (-1);
	}
	old = *rewrite_register(&regs, rw->slot);
	if (rw->nstrings != 0 && rewrite_arguments(tid, &regs, rw) == -1 &&
	    errno == ELOOP) {
		/* As the kernel says when interpreters do not end. */
		regs.rax = (unsigned long long)-ELOOP;
		return (ptrace(PTRACE_SETREGS, tid, NULL, &regs) == -1 ?
		    -1 : 0);
	}
	if (*rewrite_register(&regs, rw->slot) == old &&
	    rewrite_name(tid, &regs, rw) == -1)
		return (-1);
	regs.rip -= SYSCALL_SIZE;
	regs.rax = (unsigned int)nr;
	return (ptrace(PTRACE_SETREGS, tid, NULL, &regs) == -1 ? -1 : 0);
}

static void
rewrite_alarms(int us)
{
	struct itimerval	 it;

	memset(&it, 0, sizeof(it));
	it.it_interval.tv_usec = it.it_value.tv_usec = us;
	if (setitimer(ITIMER_REAL, &it, NULL) == -1)
		fatal("setitimer");
}

/*
 * Wait for the stop, which is on its way: the thread has its answer.  1 when
 * it has stopped; 0 when it has ended, which life.c has to hear of, or when
 * another thread has become another program and got its number: nobody is
 * traced then, and what is waited for would be that program's end.
 */
static int
rewrite_wait(pid_t tid, int *status)
{
	struct rusage	 ru;
	pid_t		 pid;
	int		 alarms = 0;

	rewrite_alarms(REWRITE_ALARM_US);
	while ((pid = wait4(tid, status, __WALL, &ru)) == -1 &&
	    errno == EINTR && ++alarms < REWRITE_ALARMS)
		if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == -1)
			break;
	rewrite_alarms(0);
	if (pid != tid)
		return (0);
	if (WIFSTOPPED(*status))
		return (1);
	life_note(tid, *status, &ru);
	return (0);
}

/*
 * Seize a thread and have it stop; -1, or whether it is traced only since.
 * What is still noted of its number is another thread's then, which has ended.
 */
static int
rewrite_seize(pid_t tid)
{
	int	 ret;

	notify_collect();
	/* -c may have seized it already. */
	rewrite_alarms(REWRITE_ALARM_US);
	ret = ptrace(PTRACE_SEIZE, tid, NULL, NULL);
	rewrite_alarms(0);
	if (ret == -1 && errno != EPERM)
		return (-1);
	if (ret == 0)
		rewrite_gone(tid);
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == -1)
		return (-1);
	return (ret == 0);
}

/* It was another thread with the number of the caller: let it go on. */
static void
rewrite_unseize(pid_t tid)
{
	int	 status;

	if (rewrite_wait(tid, &status))
		(void)ptrace(PTRACE_DETACH, tid, NULL,
		    (void *)(long)(status >> 16 == 0 ? WSTOPSIG(status) : 0));
}

static void
rewrite_with(const struct request *rq, int slot, const char *path, int final)
{
	struct rewrite	 rw;

	memset(&rw, 0, sizeof(rw));
	rw.slot = slot;
	rw.path = path;
	rw.final = final;
	rw.argv_slot = rq->call->class == CLASS_EXEC ? rq->call->arg :
	    SLOT_NONE;
	rewrite_call(rq, &rw);
}

/*
 * Have the call made with another name in a slot, by which it is judged like
 * any other; it is answered.
 */
void
rewrite_path(const struct request *rq, int slot, const char *path)
{
	rewrite_with(rq, slot, path, 0);
}

/* The call is made no more: it fails with an errno, for want of memory. */
static void
rewrite_fail(pid_t tid, int error)
{
	struct user_regs_struct	 regs;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) == -1)
		return;
	regs.rax = (unsigned long long)-error;
	(void)ptrace(PTRACE_SETREGS, tid, NULL, &regs);
}

/* A signal came first: the call is made again as it was, after its handler. */
static void
rewrite_later(pid_t tid, int nr, int status)
{
	struct user_regs_struct	 regs;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) == 0 &&
	    (long long)regs.rax == -ENOSYS) {
		regs.rip -= SYSCALL_SIZE;
		regs.rax = (unsigned int)nr;
		(void)ptrace(PTRACE_SETREGS, tid, NULL, &regs);
	}
	(void)ptrace(PTRACE_DETACH, tid, NULL,
	    (void *)(long)(status >> 16 == 0 ? WSTOPSIG(status) : 0));
}

static struct rewriting *
rewriting_find(pid_t tid)
{
	struct rewriting	*rg;

	LIST_FOREACH(rg, &rewritings, entry)
		if (rg->tid == tid)
			return (rg);
	return (NULL);
}

/* Note the thread and block its signals; NULL and errno. */
static struct rewriting *
rewriting_begin(pid_t tid)
{
	struct rewriting	*rg;
	uint64_t		 all = UINT64_MAX;

	if ((rg = rewriting_find(tid)) == NULL) {
		if ((rg = calloc(1, sizeof(*rg))) == NULL)
			return (NULL);
		rg->tid = tid;
		rg->tgid = tree_tgid(tid);
		if (ptrace(PTRACE_GETSIGMASK, tid,
		    (void *)sizeof(rg->mask), &rg->mask) == -1) {
			free(rg);
			return (NULL);
		}
		LIST_INSERT_HEAD(&rewritings, rg, entry);
	}
	rg->again = 0;
	free(rg->path);
	rg->path = NULL;
	if (ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(all), &all) == -1)
		return (NULL);
	return (rg);
}

static void
rewriting_free(struct rewriting *rg)
{
	LIST_REMOVE(rg, entry);
	free(rg->path);
	free(rg);
}

/* The thread has stopped: give it its signals back and let it go. */
static void
rewriting_end(struct rewriting *rg, pid_t tid, int sig)
{
	(void)ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(rg->mask),
	    &rg->mask);
	(void)ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)sig);
	rewriting_free(rg);
}

void
rewrite_call(const struct request *rq, const struct rewrite *rw)
{
	struct rewriting	*rg;
	pid_t			 tid = rq->notif.pid;
	int			 fresh, status;

	if ((rw->path != NULL && strlen(rw->path) >= PATH_MAX) ||
	    (rw->path2 != NULL && strlen(rw->path2) >= PATH_MAX)) {
		notify_errno(rq, ENAMETOOLONG);
		return;
	}
	if (!notify_valid(rq))
		return;
	if ((fresh = rewrite_seize(tid)) == -1) {
		notify_errno(rq, EACCES);
		return;
	}
	/* From here on nobody else gets its number; before that one might. */
	if (!notify_valid(rq)) {
		if (fresh)
			rewrite_unseize(tid);
		return;
	}
	notify_errno(rq, ENOSYS);
	if (!rewrite_wait(tid, &status))
		return;
	if (status >> 16 != PTRACE_EVENT_STOP) {
		rewrite_later(tid, rq->notif.data.nr, status);
		return;
	}
	if ((rg = rewriting_begin(tid)) == NULL) {
		rewrite_fail(tid, ENOMEM);
		(void)ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return;
	}
	if (rewrite_stopped(tid, rq->notif.data.nr, rw) == -1) {
		rewrite_fail(tid, errno == EFAULT ? ENOMEM : errno);
		rewriting_end(rg, tid, 0);
		return;
	}
	/* Without it the call is judged as any other. */
	if (rw->final)
		rg->path = strdup(rw->path);
	(void)ptrace(PTRACE_CONT, tid, NULL, NULL);
}

/*
 * Whether a call has come with the real name that was written for it.  By that
 * the kernel finds what is meant; to the view it may be that of something else,
 * as of what lies by now where a directory was that has been renamed.
 */
int
rewrite_final(const struct request *rq, const char *path)
{
	struct rewriting	*rg;
	int			 final;

	if ((rg = rewriting_find(rq->notif.pid)) == NULL || rg->path == NULL)
		return (0);
	final = strcmp(rg->path, path) == 0;
	free(rg->path);
	rg->path = NULL;
	return (final);
}

/*
 * A call has come.  If it is one that was to be made again its name has been
 * read from here on as the kernel reads it: the thread shall stop behind it.
 */
void
rewrite_made(const struct request *rq)
{
	struct rewriting	*rg;

	if ((rg = rewriting_find(rq->notif.pid)) == NULL || rg->again)
		return;
	rg->again = 1;
	if (ptrace(PTRACE_INTERRUPT, rg->tid, NULL, NULL) == -1)
		log_debug("interrupt: %s", strerror(errno));
}

/*
 * A stop that waitpid reported; 1 when it is one of these.  A thread that has
 * become another program by its call has the number of its process since.
 */
int
rewrite_stop(pid_t tid, int status)
{
	struct rewriting	*rg;
	int			 event = status >> 16, sig;

	sig = event == 0 ? WSTOPSIG(status) : 0;
	if ((rg = rewriting_find(tid)) == NULL) {
		LIST_FOREACH(rg, &rewritings, entry)
			if (rg->tgid == tid && rg->again)
				break;
		if (rg == NULL)
			return (0);
	}
	if (rg->again) {
		rewriting_end(rg, tid, sig);
		return (1);
	}
	/* Only a stop of the whole process gets here before the call does. */
	if (event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP)
		(void)ptrace(PTRACE_LISTEN, tid, NULL, NULL);
	else
		(void)ptrace(PTRACE_CONT, tid, NULL, (void *)(long)sig);
	return (1);
}

/* It has ended. */
void
rewrite_gone(pid_t tid)
{
	struct rewriting	*rg;

	if ((rg = rewriting_find(tid)) != NULL)
		rewriting_free(rg);
}

/* Whether the kernel, following the caller's name, comes to an entry. */
static int
rewrite_same(const struct request *rq, int dirfd, const char *path, int follow,
    const struct merge_entry *e)
{
	struct stat	 a, b;
	int		 fd, ret;

	/* From its directory itself, which may have no name. */
	if ((fd = resolve_at(rq, dirfd, path, follow ? 0 :
	    AT_SYMLINK_NOFOLLOW)) == -1)
		return (0);
	ret = fstat(fd, &a);
	close(fd);
	if (ret == -1 || view_known(e, &b) == -1)
		return (0);
	return (a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/*
 * Have the kernel do the call on an entry of the view, by the caller's name if
 * that leads there.  Whoever calls this says why it may be another by then.
 */
void
rewrite_entry(struct request *rq, int dirfd, const char *path, int follow,
    const struct merge_entry *e)
{
	char	 real[PATH_MAX + 1];
	int	 error;

	if (rewrite_same(rq, dirfd, path, follow, e))
		/* The caller's reason; Landlock decides about another name. */
		notify_continue(rq);
	else if ((error = view_real(e, real, sizeof(real))) != 0)
		notify_errno(rq, error);
	else if (rq->call->class != CLASS_EXEC ||
	    !script_exec(rq, path, real, e))
		rewrite_with(rq, rq->call->path, real, 1);
}
