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
 * What the parent may still do once the workload may start: wait, signal what
 * is below it, hand the terminal to and fro, write what it was asked to report,
 * and remove the private directory and the branch.  It reads and makes no file.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "landlock.h"
#include "lockdown.h"
#include "log.h"
#include "run.h"
#include "tree.h"

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))
#define IOCTL(request)	LOCKDOWN_ALLOW_IF(SYS_ioctl, BPF_COND_EQ(1, (request)))
#define OPEN_DIRECTORY	BPF_COND_BITS(2, O_DIRECTORY | O_ACCMODE | O_CREAT | \
			    O_TRUNC, O_DIRECTORY)

static const struct lockdown_rule	 lock_rules[] = {
	/* children: how they are, and what they used */
	LOCKDOWN_ALLOW(SYS_wait4),
	LOCKDOWN_ALLOW(SYS_getrusage),
	/* signals; a domain of our own keeps them below us */
	LOCKDOWN_ALLOW(SYS_kill),
	/* job control: whose the terminal is, and its modes at the end */
	LOCKDOWN_ALLOW(SYS_getpgrp),
	LOCKDOWN_ALLOW(SYS_getpgid),
	IOCTL(TIOCGPGRP),
	IOCTL(TIOCSPGRP),
	IOCTL(TCGETS),
	IOCTL(TCSETSW),
	/* children again, when we had some before (and rmtree) */
	LOCKDOWN_ALLOW(SYS_lseek),
	/* whether a job can be stopped: by whom it is controlled */
	LOCKDOWN_ALLOW(SYS_getppid),
	/* denials to a socket, without waiting */
	{ SYS_sendto, 2, { BPF_COND_NULL(4),
	    BPF_COND_BITS(3, MSG_DONTWAIT, MSG_DONTWAIT) } }
};

/* rmtree; Landlock admits the private directory and the branch only */
static const struct lockdown_rule	 lock_remove[] = {
	{ SYS_openat, 1, { OPEN_DIRECTORY } },
	LOCKDOWN_ALLOW(SYS_getdents64),
	LOCKDOWN_ALLOW(SYS_statx),
	LOCKDOWN_ALLOW(SYS_newfstatat),
	LOCKDOWN_ALLOW(SYS_fchmod),
	LOCKDOWN_ALLOW(SYS_fchmodat),
	LOCKDOWN_ALLOW(SYS_unlinkat)
};

/* the tree below us is read from /proc where no domain scopes signals */
static const struct lockdown_rule	 lock_tree[] = {
	LOCKDOWN_ALLOW_IF(SYS_openat, BPF_COND_NONE(2, O_ACCMODE | O_CREAT |
	    O_TRUNC)),
	LOCKDOWN_ALLOW(SYS_getdents64),
	LOCKDOWN_ALLOW(SYS_newfstatat)
};

/* who is moved to another processor */
static const enum run_worker_name	 lock_moved[] = {
	WORKER_COWD, WORKER_NETD
};

/* 0, or -1 and errno. */
int
lock_parent(void)
{
	struct lockdown_rule	 rules[nitems(lock_rules) +
				    nitems(lock_remove) + nitems(lock_tree) +
				    1 + nitems(lock_moved) * 2];
	const struct lockdown_rule stop = { SYS_tgkill, 2, {
		BPF_COND_EQ(0, (uint32_t)getpid()), BPF_COND_EQ(2, SIGSTOP) } };
	struct landlock_self	 self;
	size_t			 i, n = nitems(lock_rules);
	uint32_t		 pid;
	int			 dir = -1, parent = -1;

	memset(&self, 0, sizeof(self));
	self.abi = run.abi;
	self.proc = !run.scoped;
	/*
	 * Removing a directory takes a right on the one above, which then
	 * holds below that, too: what it can cost there are empty directories.
	 */
	private_fds(&dir, &parent);
	landlock_grant(&self, dir, LANDLOCK_REMOVE);
	landlock_grant(&self, parent, LANDLOCK_RMDIR);
	landlock_grant(&self, run.branch.fd, LANDLOCK_REMOVE);
	landlock_grant(&self, run.branch.storage_fd, LANDLOCK_RMDIR);
	if (landlock_self(&self) == -1)
		return (-1);

	memcpy(rules, lock_rules, sizeof(lock_rules));
	/* a job that stops stops as a whole */
	rules[n++] = stop;
	/* where a worker answers soonest */
	for (i = 0; i < nitems(lock_moved); i++) {
		if ((pid = run.workers[lock_moved[i]].pid) == 0)
			continue;
		rules[n++] = (struct lockdown_rule)LOCKDOWN_ALLOW_IF(
		    SYS_sched_getaffinity, BPF_COND_EQ(0, pid));
		rules[n++] = (struct lockdown_rule)LOCKDOWN_ALLOW_IF(
		    SYS_sched_setaffinity, BPF_COND_EQ(0, pid));
	}
	if (run.private_dir != NULL || run.branch.fd != -1) {
		memcpy(rules + n, lock_remove, sizeof(lock_remove));
		n += nitems(lock_remove);
	}
	if (!run.scoped) {
		memcpy(rules + n, lock_tree, sizeof(lock_tree));
		n += nitems(lock_tree);
	}
	return (lockdown_seccomp(rules, n));
}
