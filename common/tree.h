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
 * The process tree below a process, from /proc.
 */

#ifndef TREE_H
#define TREE_H

#include <sys/types.h>

#include <stdint.h>

/* Open /proc before lockdown; 0, or -1 and errno. */
int	 tree_init(void);

/*
 * Call fn for every descendant of a process; a parent comes before its
 * children.  Zombies are left out unless asked for.  fn returns 0 to go on.
 * -1 and errno when /proc cannot be read; what fn returned otherwise.
 */
int	 tree_walk(pid_t, int, int (*)(pid_t, void *), void *);

/*
 * Take the children that the process has now for none of ours: walks leave
 * them out.  To be called once, after tree_init().  tree_foreign_gone() tells
 * that one was reaped.  0, or -1 and errno.
 */
int	 tree_foreign(void);
void	 tree_foreign_gone(pid_t);
/* A child of now is none of the tree's either; after tree_init(). */
int	 tree_foreign_add(pid_t);

/*
 * Whether the process has children but those (and orphans of theirs, as far as
 * a signal scope tells); only after tree_foreign() found some.
 */
int	 tree_foreign_only(void);

/* Number of live descendants, -1 and errno. */
int	 tree_count(pid_t);

/* Send a signal to every descendant; how many there were, or -1 and errno. */
int	 tree_signal(pid_t, int);

/*
 * Send a signal to everything that the caller's Landlock domain encloses,
 * itself excepted, in one step that no fork can outrun.  The caller must have
 * entered a domain with scoped signals: outside of one this would reach every
 * process of the user, so it is refused (EPERM) unless tree_scoped() was
 * called.  0, or -1 and errno (ESRCH: nobody left).
 */
void	 tree_scoped(void);
int	 tree_signal_domain(int);

/* Processor time of a process, in microseconds. */
struct tree_cpu {
	pid_t		 ppid;
	uint64_t	 own;
	uint64_t	 children;	/* waited for, and theirs */
};

/* 0, or -1 when the process is gone. */
int	 tree_cpu(pid_t, struct tree_cpu *);

/* Call fn for each thread of a process; as tree_walk. */
int	 tree_threads(pid_t, int (*)(pid_t, void *), void *);

/* The command name of a process, "?" when it is gone. */
void	 tree_comm(pid_t, char *, size_t);

/*
 * Whether a thread is inside of fork, vfork or clone: 1 and 0, -1 when it runs
 * and may be anywhere.
 */
int	 tree_forking(pid_t);

/* Ticks that a thread has run in user mode; -1 when it is gone. */
long	 tree_user_ticks(pid_t);

/* Sets of signals, bit N - 1 for signal N. */
struct tree_signals {
	uint64_t	 thread;	/* pending for it */
	uint64_t	 shared;	/* for its process */
	uint64_t	 blocked;
	unsigned int	 threads;	/* of its process */
};

/* What waits for a thread; 0, or -1 when it is gone. */
int	 tree_signals(pid_t, struct tree_signals *);

/* The thread group of a thread, -1 when it is gone. */
pid_t	 tree_tgid(pid_t);

#endif
