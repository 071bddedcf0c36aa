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
 * The test as parent and supervisor of a real netd.  Every function fails the
 * test case when something does not go as it should.
 */

#ifndef PEER_H
#define PEER_H

#include <sys/types.h>
#include <sys/socket.h>

#include <atf-c.h>
#include <stdint.h>

#include "imsg.h"
#include "proto.h"

struct peer {
	pid_t		 pid;
	int		 err;		/* netd's standard error */
	struct imsgbuf	 parent;
	struct imsgbuf	 supervisor;
	int		 supervisor_fd;	/* netd's end until it is sent */
	char		*virtual[VIRTUAL_MAX];	/* what came last, or NULL */
	int		 block;		/* the rules that follow do */
	int		 rule;		/* that the last reply named, or -1 */
};

/* Start netd with a limit on descriptors, 0 for none. */
void	 peer_start(const atf_tc_t *, struct peer *, int);

/* The same, seized with ptrace(2) and PTRACE_O_TRACESYSGOOD. */
void	 peer_start_traced(const atf_tc_t *, struct peer *);

/* Configuration: "address/bits" or "" for any address; TCP, or others. */
void	 peer_rule(struct peer *, enum net_direction, const char *, uint16_t,
	    uint16_t);
void	 peer_rule_for(struct peer *, enum net_direction, unsigned int,
	    const char *, uint16_t, uint16_t);
void	 peer_name(struct peer *, const char *, uint16_t, uint16_t);
void	 peer_port(struct peer *, enum net_direction, uint16_t, uint16_t);
void	 peer_binds(struct peer *, int);
void	 peer_end(struct peer *);

/* Keep the content of a virtual file, which has to be sealed. */
void	 peer_virtual(struct peer *, struct imsg *);

/* peer_end, then wait for LOCKED and READY. */
void	 peer_run(struct peer *);

/* Requests; the descriptor stays the caller's. */
void	 peer_connect(struct peer *, uint32_t, int, const void *, socklen_t);
void	 peer_send(struct peer *, uint32_t, int, const struct proto_datagram *);
void	 peer_listen(struct peer *, uint32_t, int, int);
void	 peer_cancel(struct peer *, uint32_t);

/* SO_REUSEADDR or SO_REUSEPORT to 0 or 1, and its answer. */
int	 peer_reuse(struct peer *, int, int, int);

/* A bind and its answer; what was said of the port, zeros for nothing. */
int	 peer_bind(struct peer *, int, const void *, socklen_t,
	    struct port_binding *);

/* The next message on a channel; its type, IMSG_NONE at the end. */
uint32_t peer_next(struct imsgbuf *, struct imsg *);

/* Wait for a reply with this id; its value. */
int	 peer_reply(struct peer *, uint32_t);

/* Whether a message comes within some milliseconds. */
int	 peer_pending(struct imsgbuf *, int);

/* peer_connect and peer_reply. */
int	 peer_call(struct peer *, int, const void *, socklen_t);

/* Close the channels and require that netd then exits with 0. */
void	 peer_stop(struct peer *);

/* Require that netd ends with this wait status; its messages as a text. */
char	*peer_ended(struct peer *, int);

/* Status field of a process, from /proc. */
void	 peer_status(pid_t, const char *, char *, size_t);

/* Sockets of the test. */

/* A listener on an address with any port; stores its address. */
int	 sock_listener(const char *, int, struct sockaddr_storage *,
	    socklen_t *);

/* A listener on an address whose queue is full: connects to it hang. */
int	 sock_blackhole(const char *, struct sockaddr_storage *, socklen_t *);

/* Require that nobody is in the queue of a listener. */
void	 sock_nobody(int);

/*
 * A port that nobody has, in either family and protocol, and that the kernel
 * gives nobody who asks for any: below its range of those.
 */
uint16_t sock_free_port(void);

/* From here on in a network of its own, where this group may ping; or skip. */
void	 sock_network(void);

void	 sock_address(const char *, uint16_t, struct sockaddr_storage *,
	    socklen_t *);
uint16_t sock_port(const struct sockaddr_storage *);

/* A socket of a domain and type; to which port one is bound. */
int	 sock_new(int, int);
uint16_t sock_local_port(int);

/* Give an interface of a network of the test's own an address, or none. */
void	 sock_interface(const char *, const char *);

#endif
