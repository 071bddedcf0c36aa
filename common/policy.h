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
 * The policy: what a sandbox may do.  The parent builds it from flags and
 * sandlock.conf(5), checks it, prints it, and sends each worker the part it
 * needs (proto.h).  No worker parses text.
 */

#ifndef POLICY_H
#define POLICY_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <sched.h>
#include <stdint.h>
#include <stdio.h>

/* Rights on a path, as in unveil(2). */
#define PERM_READ	0x01	/* r: read files, list directories */
#define PERM_WRITE	0x02	/* w: write, truncate, device ioctls */
#define PERM_EXEC	0x04	/* x: execute */
#define PERM_CREATE	0x08	/* c: create, remove, rename, link */
#define PERM_MASK	0x0f
/* No right at all: the path is denied, whatever is granted around it. */
#define PERM_NONE	0
/* Rights under which metadata (mode, owner, times, xattrs) may change. */
#define PERM_META	(PERM_WRITE | PERM_CREATE)

struct policy_path {
	TAILQ_ENTRY(policy_path)	 entry;
	char				*path;		/* see policy_check() */
	unsigned int			 perms;		/* PERM_* */
	int				 optional;	/* may be missing */
};
TAILQ_HEAD(policy_paths, policy_path);

/*
 * A path inside another one may have fewer rights.  Landlock alone keeps those
 * (see holes.h); what that costs in the directories around it is made good by
 * the supervisor and cowd, as far as reading and changing go.
 */
enum hole_level {
	HOLES_NONE,		/* nothing to mediate */
	HOLES_CHANGE,		/* changes around holes */
	HOLES_READ		/* reading there, too */
};

/* One change of the environment; changes are applied in order. */
struct policy_env {
	TAILQ_ENTRY(policy_env)		 entry;
	char				*name;
	char				*value;		/* NULL: unset */
};
TAILQ_HEAD(policy_envs, policy_env);

enum env_mode {
	ENV_INHERIT,		/* the default */
	ENV_SCRUB,		/* drop what looks like a secret */
	ENV_CLEAN		/* keep a short list only */
};

/*
 * One network rule.  Those of direction NET_OUT judge where a connect or a
 * datagram goes, those of NET_IN a bind or a listen.  Their order matters: the
 * last one that matches decides, and one that is quick ends the search.  What
 * no rule matches is refused.
 */
enum net_direction {
	NET_OUT,
	NET_IN
};

enum net_proto {
	NET_TCP,
	NET_UDP,
	NET_ICMP,		/* ping sockets; they have no ports */
	NET_PROTO_MAX
};

#define NET_PROTO(proto)	(1U << (proto))
#define NET_PROTO_PORTS		(NET_PROTO(NET_TCP) | NET_PROTO(NET_UDP))
#define NET_PROTO_ALL		(NET_PROTO_PORTS | NET_PROTO(NET_ICMP))

enum net_target {
	NET_ANY,
	NET_ADDRESS,		/* addr/bits */
	NET_NAME		/* resolved by netd at the start */
};

#define NET_NAME_MAX	254	/* with the NUL */

struct net_rule {
	TAILQ_ENTRY(net_rule)	 entry;
	enum net_direction	 direction;
	enum net_target		 target;
	unsigned int		 protos;	/* NET_PROTO() of each */
	int			 block;		/* refuse what matches */
	int			 quick;		/* and look no further */
	sa_family_t		 family;	/* of addr */
	struct in6_addr		 addr;		/* v4: first four bytes */
	uint8_t			 bits;
	char			 name[NET_NAME_MAX];
	uint16_t		 port_lo;	/* host order; 0-65535 is any */
	uint16_t		 port_hi;
	uint32_t		 order;		/* netd's: see netrules_add() */
};
TAILQ_HEAD(net_rules, net_rule);

/* Protections that a kernel may lack. */
enum protection {
	PROT_FS_REFER,
	PROT_FS_TRUNCATE,
	PROT_NET_TCP,
	PROT_FS_IOCTL_DEV,
	PROT_SIGNAL_SCOPE,
	PROT_ABSTRACT_UNIX_SOCKET_SCOPE,
	PROT_MAX
};

enum protection_state {
	PROT_STRICT,		/* missing in the kernel: an error */
	PROT_DEGRADED,		/* missing in the kernel: a warning */
	PROT_DISABLED		/* switched off */
};

/* A change of the system call list: a name, or a group as "@name". */
struct policy_syscall {
	TAILQ_ENTRY(policy_syscall)	 entry;
	char				*name;
	int				 permit;	/* 0: deny */
};
TAILQ_HEAD(policy_syscalls, policy_syscall);

struct policy_fd {
	TAILQ_ENTRY(policy_fd)	 entry;
	int			 fd;
};
TAILQ_HEAD(policy_fds, policy_fd);

/* What becomes of a branch: when the command succeeds, and otherwise. */
enum branch_action {
	BRANCH_UNSET,
	BRANCH_COMMIT,
	BRANCH_ABORT,
	BRANCH_KEEP
};

/* Who merges the branch over the working directory. */
enum isolation {
	ISOLATION_UNSET,
	ISOLATION_SECCOMP,
	ISOLATION_OVERLAYFS,
	ISOLATION_BRANCHFS
};

/* How a dry run prints the changes. */
enum dry_run_form {
	DRY_RUN_UNSET,
	DRY_RUN_LIST,
	DRY_RUN_JSON,
	DRY_RUN_DIFF
};

/*
 * Scalars whose zero is a value of its own carry a "set" marker, so that a
 * merge knows which of two policies spoke; elsewhere 0, -1 or NULL is unset.
 */
struct policy {
	char			*name;		/* profile, NULL without one */
	int			 guard_home;	/* "." may not be HOME */
	enum hole_level		 holes;		/* set by policy_check() */
	int			 datagrams;	/* likewise: such a socket */
	struct policy_paths	 paths;
	struct policy_envs	 envs;
	int			 env_mode_set;
	enum env_mode		 env_mode;
	struct net_rules	 net;
	int			 port_remap;	/* ports of its own */
	int			 resolver;	/* netd answers name queries */
	int			 refresh;	/* netd asks for names again */
	struct policy_syscalls	 syscalls;
	int			 allow_list_set;
	int			 allow_list;	/* syscalls allow-list */
	enum protection_state	 protections[PROT_MAX];
	struct policy_fds	 pass_fds;

	int			 private_home;	/* HOME is a fresh directory */
	int			 private_tmp;	/* TMPDIR is fresh */
	char			*directory;	/* --cwd; NULL: inherited */

	char			*workdir;	/* copy-on-write; NULL: none */
	int			 no_workdir;	/* and none of a base */
	char			*storage;	/* of branches; NULL: default */
	enum isolation		 isolation;
	enum branch_action	 on_exit;
	enum branch_action	 on_error;
	int			 dry_run;
	enum dry_run_form	 dry_run_form;
	uint64_t		 max_disk;	/* bytes; 0: no limit */

	uint32_t		 max_processes;	/* 0: no limit */
	uint32_t		 cpu_percent;	/* of one core; 0: no limit */
	uint64_t		 timeout_ms;	/* 0: none */
	int			 kill_after_set;
	uint64_t		 kill_after_ms;	/* TERM to KILL */

	char			*log_denials;	/* fd number or file */
	int			 status_fd;	/* -1: none */

	int			 no_coredump;
	int			 no_huge_pages;
	int			 no_randomize_memory;
	int			 no_supervisor;
	char			*cpu_cores;	/* list as written, checked */
	char			*gpu;		/* "all" or a list */

	int			 user_set;	/* --user UID:GID */
	uid_t			 user_uid;
	gid_t			 user_gid;
	char			*run_as;	/* --run-as NAME */
	uid_t			 run_as_uid;	/* set by policy_check() */
	gid_t			 run_as_gid;
	char			*run_as_home;
};

#define POLICY_KILL_AFTER_MS	2000
#define POLICY_PROCESSES_MAX	4194304		/* the kernel's PID_MAX_LIMIT */
#define POLICY_CPU_MAX		100000		/* percent: 1000 cores */
#define POLICY_DISK_MIN		65536
#define POLICY_DISK_MAX		(UINT64_C(1) << 60)

/*
 * What a policy asks of the workers.  Derived, never written: see
 * policy_needs().
 */
struct policy_needs {
	int	 supervisor;	/* something must be notified */
	int	 cowd;
	int	 netd;
	int	 meta;		/* metadata calls go to cowd */
	int	 unix_sockets;	/* AF_UNIX connects go to cowd */
	int	 connect;	/* connects go to netd */
	int	 listen;	/* listens go to netd */
	int	 tcp;		/* TCP sockets exist */
	int	 udp;		/* UDP sockets exist */
	int	 icmp;		/* ping sockets exist */
	int	 send;		/* addressed sends go to netd */
	int	 bind;		/* binds go to netd */
	int	 remap;		/* ports are not those of the host */
	int	 netlink;	/* route sockets are the supervisor's */
	int	 hosts;		/* so are some files: /etc/hosts */
	int	 answers;	/* name servers are asked before the start */
	int	 view;		/* names below the working directory too */
	int	 holes;		/* names around paths with fewer rights */
	int	 quota;		/* what is written there is counted */
	int	 pure_ports;	/* Landlock alone decides on connects */
	char	 features[512];	/* what needs the supervisor, as text */
};

/* policy.c */

/* A fresh policy with every default; NULL and errno when out of memory. */
struct policy	*policy_new(void);
void		 policy_free(struct policy *);

/*
 * Each copies its strings; 0, or -1 and errno.  Arguments of add_path: path,
 * PERM_*, optional; of add_env: name, value or NULL to unset.
 */
int		 policy_add_path(struct policy *, const char *, unsigned int,
		    int);
int		 policy_add_env(struct policy *, const char *, const char *);
int		 policy_add_net(struct policy *, const struct net_rule *);
int		 policy_add_syscall(struct policy *, const char *, int);
int		 policy_add_fd(struct policy *, int);

/*
 * policy_merge(to, from): append the lists of from to those of to, and let
 * what from sets override the scalars of to, as "inherit" and flags do.  The
 * name of to stays unless it is NULL.  0, or -1 and errno; to is then partly
 * merged and good for policy_free() only.
 */
int		 policy_merge(struct policy *, const struct policy *);

/* Union of the rights on any path, private directories included. */
unsigned int	 policy_perms(const struct policy *);

/*
 * Which workers the policy needs.  With no_supervisor set, mediation is off
 * (the filter refuses those calls instead), and features names only what
 * cannot do without: text in it then means that the policy contradicts
 * itself.
 */
void		 policy_needs(const struct policy *, struct policy_needs *);

/*
 * Text to value and back.  The parsers return NULL on success, otherwise a
 * text that says what is wrong with the argument, valid until the next call.
 * On failure what they would fill in is unspecified, but lists are unchanged.
 */
const char	*policy_parse_perms(const char *, unsigned int *, int *);
const char	*policy_parse_protection(const char *, enum protection *);
/*
 * [PROTOCOL://]target[:ports] outwards, or [PROTOCOL://]ports inwards, as rules
 * like the model.  A model without protocols stands for tcp and udp, and for
 * icmp too if it blocks every port of a target.
 */
const char	*policy_parse_net(const char *, const struct net_rule *,
		    struct net_rules *);
const char	*policy_parse_bind(const char *, const struct net_rule *,
		    struct net_rules *);
/* The parts: target, a port or range, a protocol that is added to a set. */
const char	*policy_parse_target(const char *, struct net_rule *);
const char	*policy_parse_ports(const char *, uint16_t *, uint16_t *);
const char	*policy_parse_proto(const char *, unsigned int *);
/* A comma-separated list of ports and ranges: one rule each. */
const char	*policy_parse_port_list(const char *, const struct net_rule *,
		    struct net_rules *);
const char	*policy_parse_seconds(const char *, uint64_t *);
const char	*policy_parse_user(const char *, uid_t *, gid_t *);
const char	*policy_parse_cpus(const char *, cpu_set_t *);
const char	*policy_parse_isolation(const char *, enum isolation *);
const char	*policy_parse_action(const char *, enum branch_action *);
/* A number of bytes; K, M, G and T behind it are powers of 1024. */
const char	*policy_parse_size(const char *, uint64_t *);
const char	*policy_parse_form(const char *, enum dry_run_form *);
/* The names again; "" for what is unset. */
const char	*policy_isolation_name(enum isolation);
const char	*policy_action_name(enum branch_action);
const char	*policy_form_name(enum dry_run_form);
const char	*policy_protection_name(enum protection);
const char	*policy_proto_name(enum net_proto);
/* "10.0.0.0/8", "2001:db8::1", a name or "any", into a buffer. */
void		 policy_target_string(const struct net_rule *, char *, size_t);
void		 policy_perms_string(unsigned int, char [5]);	/* or "none" */
void		 net_rules_free(struct net_rules *);
/* Put the rules that block behind all others. */
void		 net_rules_blocks_last(struct net_rules *);

/* print.c: canonical sandlock.conf(5) text that parses to the same policy. */
void		 policy_print(FILE *, const struct policy *);
/* One rule as its sentence, without the end of the line. */
void		 policy_print_rule(FILE *, const struct net_rule *);

#endif
