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
#include <sys/stat.h>
#include <sys/tree.h>
#include <sys/uio.h>

#include <linux/seccomp.h>

#ifndef __unused
#define __unused	__attribute__((__unused__))	/* for sys/tree.h */
#endif

#include <event.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

#include "imsgev.h"
#include "merge.h"
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
	OWNER_TIMER,
	OWNER_SOCKET,		/* nobody: tried again when there is data */
	OWNER_QUOTA,		/* nobody: tried again when there is room */
	OWNER_WINDOW		/* likewise, when cowd has done something */
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
	int				 net_rule;	/* see proto_denial */
	char				*object;	/* or NULL */
	int				 cloexec;	/* of what cowd opens */
	int				 asked;	/* cowd: to give it */
	int				 sent;	/* cowd will answer */
	TAILQ_ENTRY(request)		 wait;	/* OWNER_WINDOW */
	int				 unmarked;	/* see changed.c */
	char				*paths[2];	/* in the view; NULL */
	int				 plain;		/* the first, no link */
	int				 known;		/* and a file of ours */
	uint64_t			 noted;		/* see changed.c */
	int				 moved;		/* MOVED_* */
	int				 flags;		/* of open, of rename */
	dev_t				 gone_dev;	/* see gone.c */
	ino_t				 gone_ino;	/* 0: none */
	uint64_t			 need;	/* of room, as cowd found */
	int				 took;	/* some was taken */
	int				 tries;	/* for want of room */
	uint64_t			 done;	/* of a write, so far */
	struct sending			*sending;	/* see send.c */
	int				 watched;	/* see interrupt.c */
	int				 interrupted;	/* an errno, or 0 */
	int				 limited;	/* by SO_SNDTIMEO */
	struct timespec			 deadline;	/* then */
};

/* What a name of the workload means; see place.c. */
struct place {
	int	 inside;	/* in the view: path is below its top */
	int	 left;		/* a link led out of it: path is absolute */
	int	 alias;		/* by a name in the branch */
	int	 branch;	/* a descriptor of something in it */
	int	 given;		/* by no name that the view has */
	int	 removed;	/* below a directory that is gone */
	char	*path;		/* NULL: outside all along */
};

struct sending;

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

/*
 * What a call gets in place of a name: another one; and if it executes a
 * script also new arguments, strings first and then the caller's own.
 */
struct rewrite {
	int		 slot;
	const char	*path;
	int		 slot2;
	const char	*path2;		/* NULL: one name only */
	const void	*data;		/* not a name but this, or NULL */
	size_t		 len;
	int		 len_slot;	/* which gets the length */
	int		 final;		/* the name is not to be judged */
	int		 argv_slot;
	const char	*strings[3];	/* the first is the program */
	size_t		 nstrings;	/* 0: the name only */
	uint64_t	*args;		/* pointers of the caller */
	size_t		 nargs;
};

extern struct supervisor	 sup;

/* supervisor.c */
void	 supervisor_denied(const struct request *, int, const char *);

/* start.c */
void	 start_configure(struct imsg *);
void	 start_workload(void);
void	 start_go(void);
int	 start_outcome(void);
void	 start_died(int) __attribute__((__noreturn__));

/* lock.c */
void	 lock_run(void);

/* life.c */
void	 life_init(void);
int	 life_main_gone(void);
void	 life_wait(void);
void	 life_note(pid_t, int, const struct rusage *);
void	 life_signal(int);
void	 life_kill(int);
void	 life_orphaned(void);
void	 life_end(void);

/* near.c */
void	 near_init(void);
int	 near_active(void);
void	 near_ask_cowd(void);
void	 near_ask_netd(void);
void	 near_notified(void);
void	 near_answered(void);

/* notify.c */
void	 notify_init(int);
void	 notify_collect(void);
int	 notify_valid(const struct request *);
void	 notify_errno(const struct request *, int);
int	 notify_descriptor(const struct request *);
void	 notify_continue(const struct request *);
void	 notify_value(const struct request *, int64_t);
void	 notify_result(const struct request *, uint64_t, const void *, size_t,
	    int64_t);
void	 notify_give(const struct request *, int, int);
void	 notify_share(const struct request *, int, int);
void	 notify_counts(void);
struct request	*request_park(struct request *, enum request_owner);
struct request	*request_find(uint32_t);
size_t	 request_count(void);
void	 request_done(struct request *, int);
void	 request_forget(struct request *);
void	 request_again(struct request *);
void	 request_wake(void);

/* memory.c */
int	 memory_read(pid_t, uint64_t, void *, size_t);
ssize_t	 memory_string(pid_t, uint64_t, char *, size_t);
int	 memory_write(pid_t, uint64_t, const void *, size_t);

/* task.c */
int	 task_fd(pid_t, int);
int	 task_name(pid_t, int, char *, size_t);
int	 task_stat(pid_t, int, struct stat *);
int	 task_full(pid_t);
void	 task_forget_cwd(void);
void	 task_moves(pid_t);
void	 task_unsettle(pid_t);
void	 task_called(pid_t);
int	 task_unsettled(void);

/* known.c */
#define KNOWN_NAMED	0x1	/* leads where it says, up to its end */
#define KNOWN_FOLLOWED	0x2	/* also if that is a link */
#define KNOWN_DIRECTORY	0x4	/* is a directory */
#define KNOWN_OTHER	0x8	/* something else */
#define PATH_HASH	0xcbf29ce484222325ULL	/* to begin with */
uint64_t path_hash(uint64_t, const char *, size_t);
int	 known_find(const char *);
void	 known_add(const char *, int);
void	 known_forget(void);
void	 known_expire(void);

/* resolve.c */
int	 resolve_at(const struct request *, int, const char *, int);
int	 resolve_end(const struct request *, int, const char *, int,
	    int (*)(int, const char *), int *);
int	 resolve_name(const struct request *, int, const char *, int, int *,
	    char *, size_t, int *);
int	 resolve_enter(const struct request *, const char *, int, char *,
	    size_t, int *);

/* view.c */
void	 view_configure(struct imsg *);
void	 view_init(void);
int	 view_active(void);
int	 view_changed(void);
int	 view_same(void);
struct merge	*view_merge(void);
void	 view_forget(struct imsg *);
void	 view_reading(void);
int	 view_copied(void);
void	 view_copying(void);
int	 view_near(const struct stat *);
const char	*path_below(const char *, const char *, size_t);
const char	*view_below(const char *, int *);
int	 view_in_branch(const char *);
const char	*view_top(void);
int	 view_is_top(const struct stat *, const char **);
int	 view_outside(const char *, char *, size_t);
char	*view_canonical(const struct merge_entry *);
int	 view_lower(const char *);
int	 view_lower_stat(const char *, struct statx *);
int	 view_real(const struct merge_entry *, char *, size_t);
int	 view_unlinked(pid_t, int);
int	 view_counts(int, const struct stat *);
int	 view_known(const struct merge_entry *, struct stat *);

/* changed.c */
void	 changed_mark(const struct merge_entry *, int);
void	 changed_everything(void);
uint64_t changed_noted(const char *);
void	 changed_opened(const char *, uint64_t);
void	 changed_lost(const char *);
int	 changed_file(const char *);
int	 changed_below(const char *);
int	 changed_itself(const char *);

/* moved.c; which of two names are those of directories of lower */
#define MOVED_FROM	0x1
#define MOVED_TO	0x2
#define MOVED_ANY	0x4	/* there is a directory among them */
#define MOVED_REMOVED	0x8	/* the second gives way to the first */
void	 changed_moved(const char *, const char *, int, int);
void	 changed_removed(const char *, int);
int	 changed_place(const char *, char *, size_t);

/* deep.c */
const char	*deep_find(const struct stat *);
void	 deep_note(const struct merge_entry *);
void	 deep_moved(const char *, const char *, int);

/* gone.c */
void	 gone_expect(struct request *, const struct merge_entry *, int);
void	 gone_note(const struct request *);
int	 gone_any(void);
int	 gone_find(const struct stat *);

/* former.c */
void	 former_note(const char *, const char *, int, int);
const char	*former_find(const struct stat *);

/* nameless.c */
char	*nameless_find(const struct stat *);

/* hole.c */
enum hole_verdict {
	HOLE_KERNEL,		/* Landlock decides, rightly */
	HOLE_DENIED,
	HOLE_AROUND		/* granted, but not by Landlock */
};
/*
 * What a name of the workload leads to: the inode, or if it is missing the
 * directory in which it would be.
 */
struct hole_name {
	int			 fd;		/* O_PATH; -1: missing */
	struct stat		 st;		/* of fd */
	char			 path[PATH_MAX + NAME_MAX + 2];
	int			 slash;		/* named with one at the end */
};
void	 hole_init(void);
int	 hole_request(struct request *);
int	 hole_denied(const char *);
int	 hole_find(const struct request *, int, const char *, int,
	    struct hole_name *);
int	 hole_argument(const struct request *, int, int, int,
	    struct hole_name *);
enum hole_verdict hole_judge(const struct hole_name *, unsigned int);
int	 hole_view_reads(void);
int	 hole_view_near(const char *);
int	 hole_view_entry(struct merge_entry *);
int	 hole_is_viewed(const struct hole_name *);
int	 hole_refused(struct request *, int);
void	 hole_refuse(struct request *, const struct hole_name *);
void	 hole_name_free(struct hole_name *);

/* hole_look.c */
int	 hole_look(struct request *);

/* hole_change.c */
int	 hole_open(struct request *);
int	 hole_change(struct request *);
int	 hole_change_two(struct request *);

/* place.c */
int	 place_find(const struct request *, int, const char *, int,
	    struct place *);
int	 place_descriptor(const struct request *, int, struct place *);
int	 place_lookup(const struct request *, struct place *, int,
	    struct merge_entry *);
int	 place_unchanged(const struct place *, int);
int	 place_opens(const struct place *);
void	 place_free(struct place *);

/* cross.c */
int	 cross_first(const struct request *, const struct place *, int);
int	 cross_new(const struct request *, const struct place *);
int	 cross_dots(const struct request *, struct place *);
int	 cross_busy(const struct request *);
int	 cross_errno(const struct request *, const struct place *,
	    const struct place *, int);

/* look.c */
int	 look_path(const struct request *, int, char *, size_t);
void	 look_left(struct request *, int, struct place *);
void	 look_stat(struct request *);
void	 look_access(struct request *);
void	 look_readlink(struct request *);
void	 look_getxattr(struct request *);
void	 look_listxattr(struct request *);
void	 look_statfs(struct request *);

/* open.c */
void	 open_request(struct request *);
void	 open_again(struct request *);
int	 open_read_only(const struct request *);

/* mutate.c */
void	 mutate_request(struct request *);
void	 mutate_rename(struct request *);
void	 mutate_link(struct request *);
void	 mutate_send(struct request *, int, struct proto_view *);
int	 mutate_mark(struct request *, struct place *, int);
int	 mutate_mark_open(struct request *, struct place *, int);
int	 mutate_arguments(const struct request *, struct proto_view *);
mode_t	 mutate_umask(const struct request *);
int	 mutate_meta(struct request *, int, int, const struct proto_meta *);
void	 mutate_reply(struct imsg *);
void	 mutate_number(struct imsg *);
void	 mutate_done(struct imsg *);

/* dents.c */
void	 dents_request(struct request *);

/* rewrite.c */
void	 rewrite_path(const struct request *, int, const char *);
void	 rewrite_call(const struct request *, const struct rewrite *);
void	 rewrite_made(const struct request *);
int	 rewrite_final(const struct request *, const char *);
int	 rewrite_stop(pid_t, int);
void	 rewrite_gone(pid_t);
void	 rewrite_entry(struct request *, int, const char *, int,
	    const struct merge_entry *);

/* script.c */
int	 script_exec(struct request *, const char *, const char *,
	    const struct merge_entry *);

/* stand.c */
void	 stand_request(struct request *);
void	 stand_getcwd(struct request *);
void	 stand_bind(struct request *);
void	 stand_bind_inside(struct request *, struct place *);

/* tmp.c */
void	 tmp_configure(struct imsg *);
void	 tmp_init(void);
int	 tmp_active(void);
void	 tmp_note(const struct request *, int, const char *);
void	 tmp_relative(const struct request *, const char *, const char *);
int	 tmp_covers(const char *);
int	 tmp_redirect(const struct request *);
int	 tmp_place(const char *, int, char *, size_t);
int	 tmp_bind(const struct request *, const char *, int);

/* quota.c */
int	 quota_active(void);
uint64_t quota_free(void);
int	 quota_take(uint64_t);
void	 quota_settle(uint64_t, int64_t);
void	 quota_give(uint64_t);
void	 quota_freed(void);
int	 quota_wait(struct request *);
void	 quota_full(struct request *);
uint64_t quota_lend(const struct request *);
void	 quota_unlend(uint32_t);
int	 quota_retry(struct request *, int);
void	 quota_taken(struct imsg *);
void	 quota_usage(struct imsg *);

/* held.c */
void	 held_add(int);
void	 held_note(int, const struct stat *);
int	 held_reap(void);
void	 held_reply(struct imsg *);
int	 held_leaving(void);
uint64_t held_bytes(void);

/* grow.c */
struct target {
	int		 fd;		/* a duplicate of the workload's */
	int		 regular;	/* a file that this process writes */
	int		 counted;	/* a file of the branch */
	int		 append;
	struct stat	 st;
};
int	 target_holds(int);
int	 target_get(const struct request *, int, struct target *);
int	 target_read(struct target *);
size_t	 target_room(const struct target *, off_t, size_t, uint64_t *);
int	 target_grew(struct target *, uint64_t);
ssize_t	 target_write(struct target *, const void *, size_t, off_t *, int);

/* write.c */
void	 write_request(struct request *);

/* copy.c */
void	 copy_request(struct request *);

/* mounted.c */
void	 mounted_init(const char *, int);
int	 mounted_active(void);
int	 mounted_holds(int);
int	 mounted_change(int, uint64_t);
int	 mounted_socket(struct request *);
void	 mounted_request(struct request *);

/* resize.c */
void	 resize_request(struct request *);
void	 resize_path(struct request *);

/* fork.c */
void	 fork_request(struct request *);
uint64_t fork_total(void);

/* window.c */
int	 window_wait(struct request *);
void	 window_leave(struct request *);
void	 window_sent(struct request *);
void	 window_answered(struct request *);
void	 window_next(void);

/* meta.c */
void	 meta_request(struct request *);
void	 meta_reply(struct imsg *);

/* bind.c */
void	 bind_init(void);
void	 bind_request(struct request *);

/* remap.c */
void	 remap_init(void);
void	 remap_binding(struct imsg *);
int	 remap_virtual(enum net_proto, const struct sockaddr_storage *,
	    uint16_t *);
int	 remap_peer(enum net_proto, const struct sockaddr_storage *,
	    uint16_t *);
void	 remap_sockname(struct request *);
void	 remap_accept(struct request *);
void	 remap_recv(struct request *);
void	 remap_forget(struct request *);

/* socket.c */
int	 socket_domain(int);
int	 socket_address(const struct request *, struct proto_connect *);
char	*socket_object(const struct proto_connect *);
void	 socket_connect(struct request *);
void	 socket_listen(struct request *);
void	 socket_option(struct request *);
void	 socket_rule(struct imsg *);
void	 socket_reply(struct imsg *);
void	 socket_cancel(struct request *, int);
char	*socket_object(const struct proto_connect *);
int	 socket_inode(const struct request *, const char *);

/* message.c */
struct message {
	struct proto_connect	 name;
	int			 named;		/* perhaps with no length */
	struct iovec		 one;
	struct iovec		*iov;		/* the caller's */
	size_t			 niov;
	uint64_t		 total;
	uint64_t		 done;		/* of it, so far */
	char			*control;
	size_t			 controllen;
	int			*fds;		/* of ours, in control */
	size_t			 nfds;
};
int	 message_sendto(const struct request *, struct message *);
int	 message_read(const struct request *, struct message *, uint64_t);
int	 message_rights(const struct request *, struct message *);
ssize_t	 message_copy(const struct request *, const struct message *, void *,
	    size_t);
void	 message_free(struct message *);

/* send.c */
void	 send_request(struct request *);
void	 send_reply(struct request *, int);
void	 send_free(struct sending *);

/* interrupt.c */
int	 interrupt_errno(pid_t, int);
void	 interrupt_watch(struct request *);

/* virtual.c */
void	 virtual_init(void);
int	 virtual_active(void);
int	 virtual_only(int);
void	 virtual_content(struct imsg *);
int	 virtual_request(struct request *);
int	 virtual_entry(struct request *, const struct merge_entry *, int);

/* netlink.c */
void	 netlink_init(void);
void	 netlink_socket(struct request *);
void	 netlink_option(struct request *);
int	 netlink_request(struct request *);
void	 netlink_settled(const struct request *, int);
void	 netlink_made(struct imsg *);
void	 netlink_gone(struct imsg *);

/* procnet.c */
int	 procnet_active(void);
int	 procnet_request(struct request *);

/* procsock.c */
int	 procsock_find(const char *);
int	 procsock_write(int, const char *, int);

/* ifreq.c */
void	 ifreq_request(struct request *);

/* linger.c */
void	 linger_request(struct request *);

/* throttle.c */
void	 throttle_init(void);
int	 throttle_stop(pid_t, int);
int	 throttle_gone(pid_t, uint64_t);
void	 throttle_release(void);

#endif
