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
 * cowd: acts on files on behalf of the workload.
 */

#ifndef COWD_H
#define COWD_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stdint.h>

#include "branch.h"
#include "imsgev.h"
#include "landlock.h"
#include "proto.h"

/* "/proc/self/fd/" and a number. */
#define FD_NAME_SIZE	32

/* cowd.c */
extern struct imsgev	 cowd_supervisor;

/* Queue the answer to a request: 0 or an errno, perhaps with PROTO_DENIED. */
void	 cowd_reply(uint32_t, uint32_t, int);

/* grant.c */

/*
 * A right beside those of the policy: sockets below may be connected to, and
 * that is all.
 */
#define GRANT_CONNECT	0x100U

/* Open a path of the policy; exits through worker_fail() when it is missing. */
void	 grant_add(const struct workload_path *);
/* The same for a directory that is open; the descriptor is the caller's. */
void	 grant_add_directory(int, unsigned int);

/*
 * A descriptor (O_PATH, the caller closes it) of the inode of fd, reopened
 * below a granted path that carries one of the rights.  -1 and EACCES when
 * there is no such path, another errno when that could not be found out.
 */
int	 grant_open(int, const struct statx *, unsigned int);

/* What an inode is and which one; 0, or -1 and errno. */
int	 inode_stat(int, struct statx *);
int	 inode_same(const struct statx *, const struct statx *);
/* Whether no path leads to it: an unlinked file, a memfd, a pipe, a socket. */
int	 inode_nameless(int, const struct statx *);

/* "/proc/self/fd/N" for calls that cannot act on a descriptor. */
const char	*fd_name(int, char [FD_NAME_SIZE]);

/* meta.c */

/* Change the inode of fd if the policy lets it; the value to reply. */
int	 meta_change(int, const struct proto_meta *);

/* view.c */

/* Take the branch of order.c for the merged view; exits when that fails. */
void	 view_start(void);
/* Do what a message asks for and reply. */
void	 view_listener(int);
void	 view_request(struct imsg *);
int	 view_active(void);

/* rights.c */

/* What the policy says on a path, in a policy with holes. */
void	 rights_add(const struct workload_path *);
void	 rights_start(void);
int	 rights_any(void);
/* The name of the working directory, and the rights on a path below that. */
void	 rights_set_top(const char *);
const char	*rights_top(void);
/* Whether a commit may not make, change or remove such a path. */
int	 rights_refuse(const char *, enum branch_touch);
void	 rights_grant(struct landlock_self *);
/* PERM_* of an absolute name without links. */
unsigned int	 rights_of(const char *);
/* Whether the same path of the policy decides on two names. */
int	 rights_same(const char *, const char *);
/* Whether a hole lies below a name; whether the name itself is one. */
int	 rights_above(const char *);
int	 rights_hole(const char *);
/* Whether an inode is a denied one. */
int	 rights_denied(const struct statx *);
int	 rights_root(const char *, const char **);

/* file.c */
struct merge;

/* Open or change a file around holes: an errno; *fd is what was opened. */
int	 file_request(const struct proto_view *, int *, int *);
/* What the policy has against a request in a view whose top is so called. */
int	 file_view_error(struct merge *, const char *,
	    const struct proto_view *);

/* usage.c */

/* Count what the branch holds, and reply. */
void	 usage_request(void);
/* Empty a file without a name; 0 or an errno. */
int	 usage_empty(int);

/* unix.c */

/* Take the socket of a connect; the descriptor is then unix.c's. */
void	 unix_socket(uint32_t, int);
/* Connect it to the socket inode of a descriptor, and reply then or later. */
void	 unix_connect(uint32_t, int);
/* Say whether the inode may be sent to. */
void	 unix_send(uint32_t, int);
/* Whether a socket was taken whose unix_connect() has not come. */
int	 unix_expected(void);
/* Forget a connect that waits: without a reply, or with 1 as interrupted. */
void	 unix_cancel(uint32_t, int);
void	 unix_cancel_all(void);

/* private.c */

/* The directory to remove at the end; it need not be there yet. */
void	 private_set(const char *);
/* Now it is. */
void	 private_open(void);
/* Descriptors of it and of the directory it lies in, or neither changed. */
void	 private_get(int *, int *);
void	 private_remove(void);

/* order.c */

/* Each descriptor is order.c's from here on. */
void	 order_set_storage(const char *, int);
void	 order_set_lower(const struct proto_branch *, int);
void	 order_set_lock(int);
void	 order_set_upper(int);
/* The end of the configuration. */
void	 order_settle(void);
/* Whether there is a branch. */
int	 order_configured(void);
/* Descriptors of the working directory and the branch, order.c's own. */
void	 order_places(int *, int *);
/* What the branch takes, for our own domain. */
void	 order_grant(struct landlock_self *);
/* Do as the parent says (enum branch_order) and answer it. */
void	 order_branch(int);
/* Remove the branch of a parent that was killed, if it was to be. */
void	 order_orphaned(void);

/* keeper.c */

/* Be the keeper of a branchfs branch instead; does not return. */
void	 keeper_main(void) __attribute__((__noreturn__));

/* lock.c */

/* For the keeper: what making or finding its branch needs, and no more. */
void	 lock_keeper_setup(void);
/* Leave only what ending it needs; the storage and the record's directory. */
void	 lock_keeper_run(int, int);

/*
 * Raise limits and leave only what set-up needs, with files to change (those
 * of a branch, or around holes) or without.
 */
void	 lock_setup(int);
/* Leave only what serving needs. */
void	 lock_run(int);

#endif
