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
 * The workload's seccomp filter: which calls are denied, which go to the
 * supervisor, which are never looked at.
 */

#ifndef FILTER_H
#define FILTER_H

#include <linux/filter.h>

#include <stdint.h>

#include "policy.h"
#include "syscalls.h"

enum filter_verdict {
	FILTER_DENY,
	FILTER_ALLOW,
	FILTER_NOTIFY
};

/* What the policy asks of the filter, derived by the parent. */
struct filter_conf {
	int			 allow_list;	/* default deny, @groups */
	int			 log_denials;	/* denials notify as well */
	enum filter_verdict	 fork;		/* new processes */
	enum filter_verdict	 meta;		/* mode, owner, times, xattrs */
	enum filter_verdict	 connect;
	enum filter_verdict	 listen;
	int			 view;		/* names lead to a branch */
	enum hole_level		 holes;		/* names around holes */
	int			 quota;		/* on what a branch holds */
	int			 unix_sockets;	/* AF_UNIX stream, seqpacket */
	int			 inet_sockets;	/* AF_INET, AF_INET6 TCP */
	int			 udp;		/* AF_INET, AF_INET6 UDP */
	int			 icmp;		/* ping sockets of both */
	int			 groups;	/* multicast ones can be had */
	int			 send;		/* notify addressed sends */
	int			 bind;		/* notify every bind */
	int			 remap;		/* what tells ports; opens */
	int			 netlink;	/* notify route sockets */
	int			 hosts;		/* notify opens: /etc/hosts */
	int			 cpus_fixed;	/* affinity is a limit */
};

/*
 * One change of the list by the policy, by number; the last one for a number
 * counts.  A denied call fails with EPERM whatever its arguments.  A permit
 * puts the call on the list, but the rules about its arguments and the
 * verdict of its class stay.
 */
struct filter_change {
	int	 nr;
	int	 permit;
};

/*
 * May a permit name this call?  Not if it is denied because it would break
 * the boundary.
 */
int	 syscall_liftable(int);

/*
 * Compile the filter.  On success 0 and a program whose instructions the
 * caller frees; -1 and errno otherwise (EINVAL: a change names an unknown
 * number or permits what is not liftable).  *needs_listener tells whether any
 * clause notifies.
 *
 * With log_denials a denial notifies too.  The errno it has to be answered
 * with is what bpf_eval() finds in the program that the same configuration
 * yields without log_denials.
 */
int	 filter_build(const struct filter_conf *, const struct filter_change *,
	    size_t, struct sock_fprog *, int *);

/*
 * Install a program on the calling thread; NO_NEW_PRIVS must be set.  With
 * listener != NULL a listener is made (WAIT_KILLABLE_RECV where the kernel
 * has it) and its close-on-exec descriptor stored there.  0, or -1 and errno
 * (EBUSY: a listener exists in this chain already).
 */
int	 filter_install(const struct sock_fprog *, int *);

#endif
