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
 * What the programs say to each other.  Every message has a pair
 * proto_send_x() / proto_recv_x() side by side in proto.c.  Senders queue on an
 * imsgbuf and return 0, or -1 and errno; receivers return 0, or -1 and errno
 * EBADMSG when size or content is wrong, which is fatal for the channel.
 * Strings that a receiver returns are allocated and the caller's.
 */

#ifndef PROTO_H
#define PROTO_H

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <stdint.h>
#include <time.h>

#include "imsg.h"
#include "policy.h"
#include "portmap.h"
#include "workload.h"

/* The channel to the parent. */
#define PROTO_PARENT_FD		3
/* Limits of a payload: one argument string; one extended attribute. */
#define PROTO_MAXSIZE		(132 * 1024)

enum imsg_type {
	IMSG_NONE,

	/* parent to workers: configuration, ended by IMSG_CONF_END */
	IMSG_CONF_WORKLOAD,	/* supervisor: struct workload_conf's scalars */
	IMSG_CONF_PATH,		/* supervisor, cowd */
	IMSG_CONF_PORT,		/* supervisor, netd: ports Landlock admits */
	IMSG_CONF_SYSCALL,	/* supervisor */
	IMSG_CONF_ARG,		/* supervisor */
	IMSG_CONF_ENV,		/* supervisor */
	IMSG_CONF_DIRECTORY,	/* supervisor: cwd of the workload */
	IMSG_CONF_PASSFD,	/* supervisor, fd */
	IMSG_CONF_RULE,		/* netd */
	IMSG_CONF_BIND,		/* netd: it makes binds; 1: remaps ports */
	IMSG_CONF_RESOLVER,	/* netd: the workload has a resolver */
	IMSG_CONF_REFRESH,	/* netd: it asks for names again */
	IMSG_CONF_PRIVATE,	/* cowd: remove when the parent is gone */
	IMSG_CONF_STORAGE,	/* cowd, fd: where the branch is; its name */
	IMSG_CONF_BRANCH,	/* cowd, fd: the working directory */
	IMSG_CONF_LOCK,		/* cowd, fd: keeps the branch from others */
	IMSG_CONF_RIGHTS,	/* cowd: as CONF_PATH, where there are holes */
	IMSG_CONF_TOP,		/* cowd: the working directory's name */
	IMSG_CONF_VIEW,		/* cowd: the merged view is its job */
	IMSG_CONF_LOWER,	/* supervisor, fd: working directory, name */
	IMSG_CONF_UPPER,	/* supervisor, fd: the branch, its name;
				   cowd, fd: what it compares, its id */
	IMSG_CONF_SERVER,	/* keeper: id of a branch that is there */
	IMSG_CONF_TMP,		/* supervisor: the directory for /tmp */
	IMSG_CONF_END,

	/* parent to workers: channels between workers, fd */
	IMSG_SOCKET_SUPERVISOR,	/* cowd, netd */
	IMSG_SOCKET_COWD,	/* supervisor */
	IMSG_SOCKET_NETD,	/* supervisor */

	/* life cycle */
	IMSG_LOCKED,		/* worker to parent: locked down */
	IMSG_VIRTUAL,		/* netd to parent to supervisor, fd: content of
				   a virtual file, sealed */
	IMSG_READY,		/* netd to parent: every name is resolved;
				   keeper to parent: id of its branch */
	IMSG_GO,		/* parent to supervisor: let it exec */
	IMSG_STARTED,		/* supervisor to parent: pid; exec succeeded */
	IMSG_EXEC_FAILED,	/* supervisor to parent */
	IMSG_SIGNAL,		/* parent to supervisor: forward */
	IMSG_KILL,		/* parent to supervisor: signal to the tree */
	IMSG_SIGNALLED,		/* supervisor to parent: one of these is done */
	IMSG_STOPPED,		/* supervisor to parent: job control */
	IMSG_COUNT,		/* supervisor to parent: notifications */
	IMSG_EXITED,		/* supervisor to parent: the tree is gone */
	IMSG_ERROR,		/* worker to parent: set-up failed, text */
	IMSG_NEAR_COWD,		/* supervisor to parent: it answers best on */
	IMSG_NEAR_NETD,		/* this processor; -1: on any */
	IMSG_DENIAL,		/* worker to parent: for --log-denials */
	IMSG_PORT,		/* supervisor to parent: for --status-fd */

	/* parent to cowd, cowd to parent: the end of a branch */
	IMSG_BRANCH,		/* enum branch_order */
	IMSG_BRANCH_PATH,	/* the beginning of a path too long for one */
	IMSG_BRANCH_CHANGE,	/* one difference, or one conflict */
	IMSG_BRANCH_TEXT,	/* a piece of a text diff */
	IMSG_BRANCH_DONE,

	/* supervisor to cowd, cowd to supervisor */
	IMSG_META,		/* change metadata of the inode of fd */
	IMSG_META_REPLY,
	IMSG_UNIX_SOCKET,	/* fd: the socket for the next message */
	IMSG_UNIX_CONNECT,	/* fd: the socket's inode, O_PATH */
	IMSG_UNIX_SEND,		/* fd: the socket's inode; may one send there */
	IMSG_UNIX_REPLY,
	IMSG_LISTENER,		/* fd: to give descriptors to callers */
	IMSG_VIEW,		/* change something in the view */
	IMSG_VIEW_FORGET,	/* directories have changed; before a reply */
	IMSG_VIEW_REPLY,	/* perhaps fd: what was opened */
	IMSG_VIEW_GIVEN,	/* or the number that the caller has it by */
	IMSG_VIEW_GIVEN_FILE,	/* the same of a file that has a name */
	IMSG_VIEW_DONE,		/* after fd: cowd has closed its own */
	IMSG_TAKEN,		/* with a quota, before that reply */
	IMSG_EMPTY,		/* fd: a file without a name, to be emptied */
	IMSG_EMPTY_REPLY,
	IMSG_USAGE,		/* how much the branch holds */
	IMSG_USAGE_REPLY,

	/* supervisor to netd, netd to supervisor */
	IMSG_NET_CONNECT,	/* fd: the workload's socket */
	IMSG_NET_LISTEN,	/* fd: the workload's socket */
	IMSG_NET_BIND,		/* fd: the workload's socket */
	IMSG_NET_REUSEADDR,	/* fd: likewise; the option's value */
	IMSG_NET_REUSEPORT,
	IMSG_NET_ROUTE,		/* a route netlink socket is wanted */
	IMSG_NET_ROUTE_PORT,	/* one has another port id from now on */
	IMSG_NET_ROUTE_SOCKET,	/* fd: what was wanted */
	IMSG_NET_ROUTE_GONE,	/* nobody has it any more */
	IMSG_NET_SEND,		/* fd: likewise; a datagram, with address */
	IMSG_NET_CANCEL,	/* gone, or 1: interrupted */
	IMSG_NET_RULE,		/* which one refused; before the reply */
	IMSG_NET_PORT,		/* to what a socket is bound; before a reply */
	IMSG_NET_REPLY,

	IMSG_MAX
};

/* A name for traces; never NULL. */
const char	*proto_name(uint32_t);

/* One error of exec or of the set-up before it. */
struct proto_failure {
	int	 error;		/* errno */
	int	 stage;		/* enum workload_stage */
};

/* How the run ended. */
struct proto_exit {
	int		 status;	/* of waitpid(2) */
	uint64_t	 cpu_us;	/* user and system, whole tree */
	uint64_t	 maxrss_kb;	/* largest process */
	uint64_t	 processes;	/* made, as far as they were seen */
};

struct proto_count {
	int		 nr;		/* system call */
	uint64_t	 count;
};

#define PROTO_OBJECT_MAX	4096
struct proto_denial {
	pid_t		 pid;
	int		 nr;		/* system call */
	int		 error;		/* errno that it got */
	char		 comm[16];	/* program, as the kernel names it */
	char		 rule[32];	/* who decided: "filter" ... */
	int		 net_rule;	/* "network": from 1; 0: no rule */
	char		 object[PROTO_OBJECT_MAX];	/* path, address, "" */
};

/* What cowd is to do with its branch. */
enum branch_order {
	ORDER_LIST,	/* tell every change */
	ORDER_DIFF,	/* and the texts */
	ORDER_COMMIT,
	ORDER_RECOVER,
	ORDER_LEAVE,		/* to the parent: no answer */
	ORDER_ABORT		/* keeper only */
};

/* What became of it. */
enum branch_outcome {
	OUTCOME_DONE,		/* as ordered; recovery: nothing to do */
	OUTCOME_COMPLETED,	/* a commit that had been broken off */
	OUTCOME_UNDONE,		/* likewise, and the other way */
	OUTCOME_CONFLICT,	/* named before; nothing was touched */
	OUTCOME_FAILED,		/* nothing was changed, the branch is whole */
	OUTCOME_STUCK		/* half done: to be recovered */
};

struct proto_branch {
	struct timespec	 start;		/* later changes are conflicts */
	int		 keep;		/* when the parent is lost */
};

/*
 * A change: kind is A, M, D or T.  A conflict: C changed, N new or R removed
 * outside.
 */
struct proto_change {
	char		 kind;
	char		*path;		/* owned by who received it */
};

#define PROTO_WHAT_MAX	64
struct proto_outcome {
	enum branch_outcome	 outcome;
	int			 error;		/* errno, or 0 */
	uint64_t		 added;		/* names, by a commit */
	uint64_t		 changed;
	uint64_t		 deleted;
	char			 what[PROTO_WHAT_MAX];
	char			*path;		/* "" or where; as above */
};

enum meta_op {
	META_CHMOD,
	META_CHOWN,
	META_UTIMES,
	META_SETXATTR,
	META_REMOVEXATTR
};

#define PROTO_XATTR_MAX		65536

/*
 * A change of metadata.  The inode travels as the message's descriptor: O_PATH
 * from the supervisor's resolution, or the workload's own descriptor.
 */
struct proto_meta {
	enum meta_op	 op;
	mode_t		 mode;		/* META_CHMOD */
	uid_t		 uid;		/* META_CHOWN, -1 keeps */
	gid_t		 gid;
	int		 times_now;	/* META_UTIMES: both are now */
	struct timespec	 times[2];	/* with UTIME_NOW, UTIME_OMIT */
	int		 xattr_flags;	/* META_SETXATTR: XATTR_CREATE ... */
	char		 xattr_name[256];
	uint8_t		*value;		/* owned by who received it */
	size_t		 value_len;
};

/* What cowd does in the merged view of a working directory. */
enum view_op {
	VIEW_OPEN,		/* path, flags, mode, mask */
	VIEW_MKDIR,		/* path, mode, mask */
	VIEW_MKNOD,		/* path, mode, mask */
	VIEW_SYMLINK,		/* path, path2: the text, mask */
	VIEW_UNLINK,		/* path */
	VIEW_RMDIR,		/* path */
	VIEW_RENAME,		/* path, path2, flags: RENAME_* */
	VIEW_LINK,		/* path, path2, flags: AT_* */
	VIEW_LINK_FD,		/* path; fd: a file without a name */
	VIEW_BIND,		/* path, mask; fd: the socket */
	VIEW_TRUNCATE,		/* path, size */
	VIEW_CHMOD,		/* path, flags: AT_*, mode */
	VIEW_CHOWN,		/* path, flags, uid, gid */
	VIEW_UTIMES,		/* path, flags, times */
	VIEW_SETXATTR,		/* path, flags, xattr_* and value */
	VIEW_REMOVEXATTR,	/* path, flags, xattr_name */
	VIEW_MAX
};

/* Both paths of a message together; beyond PATH_MAX, as trees may be. */
#define PROTO_VIEW_PATHS	(128 * 1024)

struct proto_view {
	enum view_op	 op;
	int		 flags;
	mode_t		 mode;
	mode_t		 mask;		/* the caller's umask */
	uid_t		 uid;
	gid_t		 gid;
	off_t		 size;
	uint64_t	 room;		/* what it may take of the branch */
	int		 known;		/* VIEW_OPEN: it was, by this path */
	int		 cloexec;	/* VIEW_OPEN, with the next */
	uint64_t	 call;		/* the one that gets it, or 0 */
	int		 times_now;
	struct timespec	 times[2];
	int		 xattr_flags;
	char		 xattr_name[256];
	char		*path;		/* relative to the top of the view */
	char		*path2;		/* or "" */
	uint8_t		*value;
	size_t		 value_len;
};

/*
 * What a change took of the room that it was given; or, when that was not
 * enough, how much it would have needed so far.
 */
struct proto_taken {
	uint64_t	 taken;
	uint64_t	 wanted;	/* 0: it was enough */
	uint64_t	 given;		/* back, by a file that is gone */
};

/* How much a branch holds; error is 0 or an errno. */
struct proto_usage {
	uint64_t	 bytes;
	int		 error;
};

/* Files whose content netd makes, since it alone knows the addresses. */
enum virtual_name {
	VIRTUAL_HOSTS,
	VIRTUAL_RESOLV,
	VIRTUAL_MAX
};

/* A request to netd. */
struct proto_connect {
	socklen_t		 addrlen;
	struct sockaddr_storage	 addr;	/* as the supervisor copied it once */
};

/* A route netlink socket, named by the request that wanted it. */
struct proto_route {
	uint32_t	 socket;	/* of IMSG_NET_ROUTE_PORT */
	uint32_t	 port;		/* port id */
	int		 nonblock;
	int		 out;		/* see rtnl.h */
};

/*
 * A datagram, all of it as the supervisor copied it.  What it is made of
 * belongs to who received it, in one piece with the control messages.
 */
#define PROTO_DATAGRAM_MAX	65535
#define PROTO_CONTROL_MAX	2048
struct proto_datagram {
	struct proto_connect	 to;
	int			 flags;		/* MSG_*, as of send(2) */
	void			*control;
	size_t			 controllen;
	void			*data;
	size_t			 len;
};

/*
 * A worker answers with an errno or 0; this bit tells that the policy, not the
 * kernel, refused.
 */
#define PROTO_DENIED	0x10000
/* In the reply to VIEW_OPEN: opening it may block, so it was not. */
#define PROTO_WAITS	0x20000

int	 proto_send_workload(struct imsgbuf *, const struct workload_conf *);
int	 proto_recv_workload(struct imsg *, struct workload_conf *);
int	 proto_send_path(struct imsgbuf *, const struct workload_path *);
int	 proto_send_rights(struct imsgbuf *, uint32_t,
	    const struct workload_path *);
int	 proto_recv_path(struct imsg *, struct workload_path *);
int	 proto_send_port(struct imsgbuf *, const struct workload_port *);
int	 proto_recv_port(struct imsg *, struct workload_port *);
int	 proto_send_syscall(struct imsgbuf *, const struct filter_change *);
int	 proto_recv_syscall(struct imsg *, struct filter_change *);
int	 proto_send_rule(struct imsgbuf *, const struct net_rule *);
int	 proto_recv_rule(struct imsg *, struct net_rule *);

/* IMSG_CONF_STORAGE, _LOWER, _UPPER: a name and the directory of it. */
int	 proto_send_place(struct imsgbuf *, uint32_t, const char *, int);
int	 proto_send_branch(struct imsgbuf *, const struct proto_branch *, int);
int	 proto_recv_branch(struct imsg *, struct proto_branch *);
int	 proto_send_change(struct imsgbuf *, const struct proto_change *);
int	 proto_recv_change(struct imsg *, struct proto_change *);
int	 proto_send_text(struct imsgbuf *, const void *, size_t);
int	 proto_send_outcome(struct imsgbuf *, const struct proto_outcome *);
int	 proto_recv_outcome(struct imsg *, struct proto_outcome *);

/*
 * IMSG_CONF_ARG, _ENV, _DIRECTORY, _PRIVATE, _STORAGE, _SERVER, IMSG_READY of
 * the keeper, IMSG_ERROR: a string.
 */
int	 proto_send_string(struct imsgbuf *, uint32_t, const char *);
int	 proto_recv_string(struct imsg *, char **);

/*
 * IMSG_CONF_PASSFD, _BIND, IMSG_SIGNAL, _KILL, _STOPPED, _STARTED, _BRANCH,
 * _VIRTUAL, _NEAR_*: a number.
 */
int	 proto_send_int(struct imsgbuf *, uint32_t, int, int);
int	 proto_recv_int(struct imsg *, int *);

/*
 * IMSG_CONF_END, _LOCK, _REFRESH, _RESOLVER, _VIEW, IMSG_LOCKED, _READY, _GO,
 * _SOCKET_*.
 */
int	 proto_send_empty(struct imsgbuf *, uint32_t, int);
int	 proto_recv_empty(struct imsg *);

int	 proto_send_failure(struct imsgbuf *, const struct proto_failure *);
int	 proto_recv_failure(struct imsg *, struct proto_failure *);
int	 proto_send_exit(struct imsgbuf *, const struct proto_exit *);
int	 proto_recv_exit(struct imsg *, struct proto_exit *);
int	 proto_send_count(struct imsgbuf *, const struct proto_count *);
int	 proto_recv_count(struct imsg *, struct proto_count *);
int	 proto_send_denial(struct imsgbuf *, const struct proto_denial *);
int	 proto_recv_denial(struct imsg *, struct proto_denial *);

/* Requests carry an id; the reply repeats it.  The fd is sent and closed. */
int	 proto_send_meta(struct imsgbuf *, uint32_t, int,
	    const struct proto_meta *);
int	 proto_recv_meta(struct imsg *, struct proto_meta *);
int	 proto_send_connect(struct imsgbuf *, uint32_t, int,
	    const struct proto_connect *);
int	 proto_recv_connect(struct imsg *, struct proto_connect *);
int	 proto_send_bind(struct imsgbuf *, uint32_t, int,
	    const struct proto_connect *);
int	 proto_recv_bind(struct imsg *, struct proto_connect *);

/* IMSG_NET_PORT, IMSG_PORT. */
int	 proto_send_binding(struct imsgbuf *, uint32_t,
	    const struct port_binding *);
int	 proto_recv_binding(struct imsg *, struct port_binding *);
int	 proto_send_route(struct imsgbuf *, uint32_t, uint32_t,
	    const struct proto_route *);
int	 proto_recv_route(struct imsg *, struct proto_route *);
int	 proto_send_datagram(struct imsgbuf *, uint32_t, int,
	    const struct proto_datagram *);
int	 proto_recv_datagram(struct imsg *, struct proto_datagram *);
void	 proto_free_datagram(struct proto_datagram *);
int	 proto_send_view(struct imsgbuf *, uint32_t, int,
	    const struct proto_view *);
int	 proto_recv_view(struct imsg *, struct proto_view *);
void	 proto_free_view(struct proto_view *);
int	 proto_send_taken(struct imsgbuf *, uint32_t, int,
	    const struct proto_taken *);
int	 proto_recv_taken(struct imsg *, struct proto_taken *);
int	 proto_send_usage(struct imsgbuf *, const struct proto_usage *);
int	 proto_recv_usage(struct imsg *, struct proto_usage *);
int	 proto_send_value(struct imsgbuf *, uint32_t, uint32_t, int, int);
int	 proto_recv_value(struct imsg *, int *);

#endif
