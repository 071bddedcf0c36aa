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
 * Starting the workload: the untrusted command with everything that confines
 * it.  Used by the supervisor and, for a run without one, by the parent.
 */

#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <sys/types.h>
#include <sys/queue.h>

#include <sched.h>
#include <stdint.h>

#include "filter.h"
#include "policy.h"

struct workload_path {
	STAILQ_ENTRY(workload_path)	 entry;
	char				*path;	/* absolute */
	unsigned int			 perms;
	unsigned int			 rule;	/* in all of it; holes.h */
	int				 optional;
};
STAILQ_HEAD(workload_paths, workload_path);

/* An entry beside the way to a hole: this inode by this name and no other. */
struct workload_sibling {
	char		*path;
	unsigned int	 perms;
	dev_t		 dev;
	ino_t		 ino;
};

/* A range of TCP ports that Landlock admits. */
struct workload_port {
	STAILQ_ENTRY(workload_port)	 entry;
	enum net_direction		 direction;
	uint16_t			 lo;
	uint16_t			 hi;
};
STAILQ_HEAD(workload_ports, workload_port);

struct workload_passfd {
	int	 number;	/* in the workload */
	int	 fd;		/* here */
};

/*
 * The supervisor must be able to look into the workload and must not be
 * reached by it: it is in an outer domain, the workload in one inside of that.
 */
enum workload_domain {
	WORKLOAD_DOMAIN_WHOLE,	/* no supervisor */
	WORKLOAD_DOMAIN_OUTER,
	WORKLOAD_DOMAIN_INNER
};

/* What the parent derives from the policy for whoever starts the workload. */
struct workload_conf {
	/* scalars, sent as one message */
	struct filter_conf	 filter;
	uint32_t		 protections;	/* bit i: enum protection on */
	int			 abi;		/* of Landlock, as checked */
	int			 any_connect;	/* to every TCP port */
	int			 any_bind;
	int			 way_out;	/* rules lead to other hosts */
	int			 terminal;	/* take the foreground */
	int			 no_coredump;
	int			 no_huge_pages;
	int			 no_randomize_memory;
	int			 cpu_set;
	cpu_set_t		 cpus;
	uint32_t		 max_processes;
	uint32_t		 cpu_percent;
	uint64_t		 max_disk;	/* 0: no quota */
	int			 verbose;

	/* lists, one message each */
	struct workload_paths	 paths;
	struct workload_sibling	*siblings;	/* not sent; sorted */
	size_t			 nsiblings;
	struct workload_ports	 ports;
	struct filter_change	*changes;
	size_t			 nchanges;
	char			**argv;		/* NULL-terminated */
	size_t			 argc;
	char			**envp;		/* NULL-terminated */
	size_t			 envc;
	char			*directory;	/* NULL: stay */
	struct workload_passfd	*passfds;
	size_t			 npassfds;
};

/* Where the start of the workload failed. */
enum workload_stage {
	STAGE_NONE,
	STAGE_FORK,
	STAGE_TERMINAL,
	STAGE_DIRECTORY,
	STAGE_LIMITS,
	STAGE_LANDLOCK,
	STAGE_FILTER,
	STAGE_EXEC,
	STAGE_KILLED	/* before its exec; the number of the signal */
};

/* A workload between fork and exec, and then running. */
struct workload {
	pid_t	 pid;
	int	 sync;		/* socket to the child until it has exec'd */
	int	 ready;		/* it is confined, and we have its listener */
	int	 go;		/* it may exec when it is */
};

/* What workload_hear() learnt. */
enum workload_news {
	WORKLOAD_NOTHING,	/* yet */
	WORKLOAD_READY,		/* confined; the listener is here */
	WORKLOAD_RUNNING,	/* exec succeeded */
	WORKLOAD_FAILED		/* stage and errno tell where and why */
};

void	 workload_conf_init(struct workload_conf *);

/* Append copies; 0, or -1 and errno. */
int	 workload_add_path(struct workload_conf *, const char *, unsigned int,
	    int);
int	 workload_add_port(struct workload_conf *, enum net_direction,
	    uint16_t, uint16_t);
int	 workload_add_change(struct workload_conf *, int, int);
int	 workload_add_arg(struct workload_conf *, const char *);
int	 workload_add_env(struct workload_conf *, const char *);
int	 workload_add_passfd(struct workload_conf *, int, int);

/*
 * Fork the child, which enters the domain, installs the compiled filter and
 * then holds until workload_go().  listen tells whether the filter notifies.
 * 0, or -1 and errno.
 */
int	 workload_fork(struct workload *, const struct workload_conf *,
	    enum workload_domain, const struct sock_fprog *, int);

/* Whether the child itself makes a call after its filter is on. */
int	 workload_needs_call(int);

/* Let the child exec once it is confined; it may be said before that. */
void	 workload_go(struct workload *);

/*
 * What the child has to say on sync, without waiting.  A child that notifies
 * is READY first, and *listener is then the caller's; *stage and errno belong
 * to FAILED.
 */
enum workload_news workload_hear(struct workload *, int *,
	    enum workload_stage *);

const char	*workload_stage_name(enum workload_stage);

#endif
