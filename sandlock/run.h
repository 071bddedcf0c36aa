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
 * The parent of a run: state that its files share.
 */

#ifndef RUN_H
#define RUN_H

#include <sys/types.h>

#include <event.h>
#include <stdint.h>
#include <termios.h>

#include "storage.h"
#include "imsgev.h"
#include "policy.h"
#include "processor.h"
#include "proto.h"
#include "sandlock.h"
#include "workload.h"

enum run_reason {
	REASON_EXIT,		/* the workload ended by itself */
	REASON_SIGNAL,		/* a signal ended it */
	REASON_TIMEOUT,
	REASON_SETUP,		/* it never ran */
	REASON_WORKER		/* one of our processes was lost */
};

/*
 * STARTING until the workload has exec'd, RUNNING until its tree is gone,
 * FINISHING while cowd acts on the branch, ENDING while the workers leave.
 */
enum run_state {
	RUN_STARTING,
	RUN_RUNNING,
	RUN_FINISHING,
	RUN_ENDING
};

enum run_worker_name {
	WORKER_SUPERVISOR,
	WORKER_COWD,
	WORKER_NETD,
	WORKER_MAX
};

struct run_worker {
	const char	*name;
	pid_t		 pid;		/* 0: not started, or reaped */
	int		 peer;		/* its end of the channel, until exec */
	struct imsgev	 iev;		/* fd -1 when closed */
	int		 locked;
	int		 ready;		/* netd: names are resolved */
	struct processor place;		/* where it is moved to */
	struct event	 stopped;	/* armed while it is stopped */
	struct event	 gone;		/* armed when its channel has ended */
};

struct run {
	struct policy		*policy;
	struct policy_needs	 needs;
	struct workload_conf	 conf;
	enum run_state		 state;
	enum run_reason		 reason;
	int			 exit_status;	/* of sandlock */
	int			 timed_out;
	int			 abi;		/* of Landlock */
	int			 scoped;	/* own signal scope entered */
	int			 kernel_only;	/* no supervisor */
	int			 go;		/* the workload may exec */
	struct run_worker	 workers[WORKER_MAX];
	struct workload		 workload;	/* kernel_only: ours to start */
	pid_t			 pid;		/* of the workload, 0 before */
	struct proto_exit	 result;
	int			 have_result;
	char			*private_dir;	/* NULL without one */
	struct branch_dir	 branch;	/* with a workdir */
	struct timespec		 began;
};

extern struct run	 run;

/* run.c */
int	 run_branch(enum branch_order, enum dry_run_form);
void	 run_ended(const struct proto_exit *);
void	 run_failed(enum run_reason, int);
void	 run_started(pid_t);
void	 run_exec_failed(int, enum workload_stage);
void	 run_check_go(void);
void	 run_finished(void);
void	 run_signal_tree(int);
void	 run_signalled(void);
void	 run_continued(void);
void	 run_kill_tree(int);
void	 run_child(int);
void	 run_kernel_outcome(int, short, void *);

/* conf.c */
int	 conf_derive(char **, int);
int	 conf_protections(void);

/* identity.c */
int	 identity_run_as(const struct policy *);
int	 identity_namespace(uid_t, gid_t);

/* overlay.c */
int	 overlay_enter(const struct policy *, const struct branch_dir *);
int	 overlay_reopen(const char *, int);

/* branchfs.c */
int	 branchfs_mount(const struct branch_dir *);

/* finish.c */
int	 finish_init(void);
int	 finish_keeps(void);
int	 finish_branch(void);
int	 finish_server_command(enum branch_order);
int	 finish_command(enum branch_order, enum dry_run_form);
void	 finish_failed(void);
int	 finish_interruptible(void);
int	 finish_path(struct imsg *);
int	 finish_whole(char **);
void	 finish_change(const struct proto_change *);
void	 finish_text(struct imsg *);
void	 finish_outcome(const struct proto_outcome *);
void	 finish_remove(void);

/* environ.c */
int	 environ_derive(const struct policy *, const char *,
	    struct workload_conf *);

/* private.c */
int	 private_name(const struct policy *, char **);
int	 private_create(const struct policy *, const char *);
void	 private_fds(int *, int *);
void	 private_remove(const char *);

/* workers.c */
int	 workers_spawn(void);
int	 workers_exec(const char *, const char *, int, pid_t *);
int	 workers_private(void);
int	 workers_cowd(void);
int	 workers_order(enum branch_order);
int	 workers_configure(void);
void	 workers_hear(void);
const char	*workers_missing(void);
void	 workers_reap(void);
void	 workers_close(void);
void	 workers_kill(void);

/* terminal.c */
void	 terminal_init(struct workload_conf *);
int	 terminal_leave(void);
void	 terminal_stopped(int);
void	 terminal_pass(void);
void	 terminal_restore(void);

/* report.c */
int	 report_init(const struct policy *);
void	 report_denial(const struct proto_denial *);
void	 report_port(const struct port_binding *);
void	 report_count(const struct proto_count *);
void	 report_end(void);

/* lock.c */
int	 lock_parent(void);

#endif
