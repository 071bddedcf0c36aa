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
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <linux/seccomp.h>

#ifndef __unused
#define __unused	__attribute__((__unused__))	/* for sys/tree.h */
#endif

#include <event.h>
#include <stdint.h>

#include "imsgev.h"
#include "proto.h"
#include "syscalls.h"
#include "workload.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP	(1UL << 0)
#endif

/* Who owes the answer of a parked request. */
enum request_owner {
	OWNER_NONE,
	OWNER_COWD,
	OWNER_NETD,
	OWNER_TIMER
};

/*
 * One notified system call.  It lives on the stack of the dispatcher until a
 * handler parks it; seq is then its name on the channels.
 */
struct request {
	RB_ENTRY(request)		 entry;
	uint32_t			 seq;
	struct seccomp_notif		 notif;
	const struct syscall_entry	*call;
	enum request_owner		 owner;
	int				 fd;	/* kept for a retry, or -1 */
	int				 delay_ms;	/* of the next retry */
	struct event			 timer;
	struct proto_connect		 connect;
	char				*object;	/* or NULL */
};

struct supervisor {
	struct workload_conf	 conf;
	struct workload		 workload;
	struct sock_fprog	 quiet;		/* denies by itself */
	int			 configured;
	int			 running;	/* the workload has exec'd */
	int			 ending;	/* nothing new may start */
	int			 lost;		/* a worker is gone */
	int			 have_cowd;
	int			 have_netd;
	struct imsgev		 cowd;
	struct imsgev		 netd;
};

extern struct supervisor	 sup;

/* supervisor.c */
void	 supervisor_denied(const struct request *, int, const char *);

/* start.c */
void	 start_configure(struct imsg *);
void	 start_workload(void);
void	 start_go(void);
int	 start_outcome(void);

/* lock.c */
void	 lock_run(void);

/* life.c */
void	 life_init(void);
void	 life_wait(void);
void	 life_signal(int);
void	 life_kill(int);
void	 life_orphaned(void);
void	 life_end(void);

/* notify.c */
void	 notify_init(int);
int	 notify_valid(const struct request *);
void	 notify_errno(const struct request *, int);
void	 notify_continue(const struct request *);
void	 notify_counts(void);
struct request	*request_park(struct request *, enum request_owner);
struct request	*request_find(uint32_t);
void	 request_done(struct request *, int);
void	 request_forget(struct request *);

/* memory.c */
int	 memory_read(pid_t, uint64_t, void *, size_t);
ssize_t	 memory_string(pid_t, uint64_t, char *, size_t);
int	 memory_fd(pid_t, int);

/* resolve.c */
int	 resolve_at(const struct request *, int, const char *, int);

/* fork.c */
void	 fork_request(struct request *);
uint64_t fork_total(void);

/* meta.c */
void	 meta_request(struct request *);
void	 meta_reply(struct imsg *);

/* socket.c */
void	 socket_connect(struct request *);
void	 socket_listen(struct request *);
void	 socket_reply(struct imsg *);
void	 socket_sweep(struct request *);

/* throttle.c */
void	 throttle_init(void);
int	 throttle_stop(pid_t, int);
int	 throttle_gone(pid_t, uint64_t);
void	 throttle_release(void);

#endif
