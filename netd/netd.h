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
 * Types and functions of netd, grouped by the file that defines them.
 */

#ifndef NETD_H
#define NETD_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <stdint.h>

#include "dns.h"
#include "netrule.h"
#include "policy.h"
#include "portmap.h"
#include "proto.h"

/* Since Linux 6.3; not in every netinet/in.h. */
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE	51
#endif

struct address {
	STAILQ_ENTRY(address)	 entry;
	struct netaddr		 na;
};
STAILQ_HEAD(addresses, address);

/* netd.c */

/* The rules with every name replaced by its addresses. */
extern struct netrules	*netd_rules;

/* To the supervisor: type, id, descriptor or -1, value. */
void	 netd_send(uint32_t, uint32_t, int, int);
/* Where names are asked for later, those that were never names; or NULL. */
extern struct netrules	*netd_literals;

/*
 * Answer a request: errno or 0, with PROTO_DENIED if the policy refused.  That
 * has to be before the next netrule_decide(): the rule that refused is told.
 */
void	 netd_reply(uint32_t, int);

/* Tell the supervisor to what a socket is bound. */
void	 netd_port(const struct port_binding *);

/* address.c */
void	 addresses_add(struct addresses *, const struct netaddr *);
int	 addresses_have(const struct addresses *, const struct netaddr *);
void	 addresses_remove(struct addresses *, const struct netaddr *);
void	 addresses_free(struct addresses *);

/* What an answer has, and the shortest time to live if that is less. */
void	 addresses_answer(struct addresses *, const struct dns_answer *,
	    uint32_t *);

/* IPv4 before IPv6, of a family as they came. */
void	 addresses_order(struct addresses *);

/* bind.c */

/* Binds are made here, and with 1 ports may be remapped; before lockdown. */
void	 bind_init(int);

/*
 * Protocols, as NET_PROTO(), that some rule lets out: their sockets may have a
 * port of the kernel's choice.
 */
void	 bind_clients(unsigned int);

/* Whether TCP clients may bind here, of which Landlock has to know. */
int	 bind_any_port(void);
int	 bind_active(void);
int	 bind_remaps(void);

/* Before a socket connects or sends: 0, or an errno for the workload. */
int	 bind_before(int);

/* After one of UDP has connected. */
void	 bind_moved(int);

/* Bind the socket as the workload asked; the descriptor is taken. */
void	 bind_request(uint32_t, int, const struct proto_connect *);

/* bound.c */
void	 bound_init(void);
struct port_binding	*bound_watch(int);
void	 bound_keep(int, struct port_binding *);
void	 bound_drop(int, struct port_binding *);
struct port_binding	*bound_find(int);
const struct port_binding	*bound_asked(const struct port_binding *,
	    uint16_t);
const struct port_binding	*bound_real(const struct port_binding *,
	    uint16_t);
const struct port_binding	*bound_overlaps(const struct port_binding *,
	    uint16_t);

/* connect.c */

/* How many connects may be in flight with this limit on descriptors. */
void	 connect_init(rlim_t);

/*
 * Connect the socket as the workload asked; the descriptor is taken.  The
 * reply follows at once or when the outcome is known.
 */
void	 connect_request(uint32_t, int, const struct proto_connect *);

/*
 * Forget a request without a reply, or with 1 answer that it was interrupted;
 * unknown ids were answered already.
 */
void	 connect_cancel(uint32_t, int);

/* Give every socket in flight back as it was. */
void	 connect_shutdown(void);

/* content.c: virtual files of the workload */
void	 content_begin(void);
void	 content_add(const char *, const struct netaddr *);
int	 content_end(void);
int	 content_resolv(const char *);

/* ask.c */

/* The name servers to ask. */
void	 ask_init(const struct sockaddr_storage *, size_t);

/*
 * What becomes of a question: RCODE_NOERROR or RCODE_NXDOMAIN and the answer,
 * or NULL and what the last server has said, -1 if none has said anything.
 */
typedef void	(*ask_done)(void *, int, const struct dns_answer *);

/* Ask for a name and type, from the loop.  0, or -1 when out of memory. */
int	 ask_start(const char *, uint16_t, ask_done, void *);

/* The start is over: forget all questions; nobody is told. */
void	 ask_stop(void);

/* hosts.c */
#define SERVERS_MAX	3	/* as resolv.conf(5) */

/* Open the files and note the addresses of this host; before lockdown. */
void	 hosts_open(void);
void	 hosts_close(void);

/* Call back for each pair of name and address in /etc/hosts. */
void	 hosts_read(void (*)(const char *, const struct netaddr *));

/* Store up to a number of name servers; how many, at least one. */
size_t	 hosts_servers(struct sockaddr_storage *, size_t);

/* listen.c */

/* Listen on the socket with the backlog; the descriptor is taken. */
void	 listen_request(uint32_t, int, int);

/* lock.c */

/*
 * Enter each stage's allow list, with or without binds, the resolver, and in
 * the second refreshing; 0, or -1 and errno.
 */
int	 lock_setup(int, int);
int	 lock_run(int, int, int);

/* remap.c */
void	 remap_init(void);
void	 remap_destination(enum net_proto, struct sockaddr_storage *);
uint16_t remap_port(enum net_proto, const struct sockaddr_storage *);

/* reuse.c */

/* Whether a socket may share its port, or could as soon as it has one. */
int	 reuse_any(int);

/* Bind a socket so that it shares with none by SO_REUSEADDR; 0 or an errno. */
int	 reuse_bind(int, const struct sockaddr *, socklen_t);

/*
 * Set SO_REUSEADDR or SO_REUSEPORT, whose name is the third argument, to 0 or
 * 1 for the workload; the descriptor is taken.
 */
void	 reuse_request(uint32_t, int, int, int);

/* netlink.c */
void	 netlink_open(uint32_t, const struct proto_route *);
void	 netlink_port(uint32_t, const struct proto_route *);
/* name.c */

/* Without case, and without the dot of the root. */
int	 name_equal(const char *, const char *);
/* Whether a rule, which may be "*.name", is about a name. */
int	 name_matches(const char *, const char *);
/* localhost and what is below it never leave the host. */
int	 name_local(const char *);
/* Whether it can be asked for as it is, in small letters. */
int	 name_valid(const char *);

/* own.c: the addresses of this host's interfaces */
void	 own_open(void);
void	 own_add(const struct netaddr *);
void	 own_run(void);
int	 own_have(const struct netaddr *);
void	 own_forget(void);

/* send.c */

/* Send the datagram; the descriptor is taken, the datagram is not. */
void	 send_request(uint32_t, int, struct proto_datagram *);

/* target.c */

/*
 * 0 if the descriptor is a TCP, UDP or ping socket over IPv4 or IPv6, with
 * which and over what; otherwise the answer for the workload.
 */
int	 target_socket(int, int *, enum net_proto *);

/* What the kernel says to an address of this family and length; 0: nothing. */
int	 target_family(int, enum net_proto, sa_family_t, socklen_t);

/*
 * Judge an address that is long enough for its family, having put what the
 * kernel would put for an unspecified one; 0, or the answer for the workload.
 */
int	 target_judge(int, int, enum net_proto, struct sockaddr_storage *);

/* refresh.c: names again, when their time ends */
void	 refresh_add(const char *, uint32_t, struct addresses *,
	    struct addresses *);

/* resolve.c */

/* How many names may be asked for at a time with this limit on descriptors. */
void	 resolve_init(rlim_t);

/*
 * Open what resolving needs, with 1 for as long as the workload runs; to be
 * called before the files are locked away.
 */
void	 resolve_open(int);

/*
 * Look every name of the list up and add its addresses to netd_rules, then
 * call back from the event loop.  Ends the program when a name has none.  With
 * 1 the names that can wait are left to the resolver; with a second 1 names
 * are asked for again later.  With either the list has to stay.
 */
void	 resolve_start(const struct net_rules *, int, int, void (*)(void));

/*
 * An address of a name, under each of its rules that block (1) or pass (0);
 * and back, once for each time.
 */
void	 resolve_pin(const char *, const struct netaddr *, int);
void	 resolve_unpin(const char *, const struct netaddr *);
void	 resolve_unblock(const char *, const struct netaddr *);

/* Whether a rule blocks a name. */
int	 resolve_blocks(const char *);

/* Send the /etc/hosts of all names as they are; 0, or -1 and errno. */
int	 resolve_show(void);

/* Why a name server may not say that a name has an address, or NULL. */
const char	*resolve_refused(const char *, const struct netaddr *);

/* The addresses that /etc/hosts gives a name, or NULL; with a resolver. */
const struct addresses	*resolve_pinned(const char *);

/* 127.0.0.1 and ::1. */
void	 resolve_loopback(struct addresses *);

/* stub.c: the workload's resolver */
#define STUB_ADDRESS	"127.0.0.53"
uint16_t stub_open(void);
void	 stub_run(const struct net_rules *);
int	 stub_destination(enum net_proto, struct sockaddr_storage *);

#endif
