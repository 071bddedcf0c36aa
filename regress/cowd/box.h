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
 * A cowd under test: the test plays its parent and its supervisor.
 */

#ifndef BOX_H
#define BOX_H

#include <sys/types.h>

#include <atf-c.h>
#include <stdint.h>

#include "imsg.h"
#include "proto.h"

#define BOX_TIMEOUT	20000	/* milliseconds for what should be at once */
#define DENIED(e)	((e) | PROTO_DENIED)

struct box {
	pid_t		 pid;
	int		 pidfd;
	struct imsgbuf	 parent;
	struct imsgbuf	 supervisor;
	int		 supervisor_peer;	/* not sent yet */
	uint32_t	 id;
};

/* Start it, unconfigured; or stopped before its exec and seized by ptrace. */
void	 box_start(struct box *, const atf_tc_t *);
/* For files around holes, and one path of the policy for that. */
void	 box_start_files(struct box *, const atf_tc_t *);
void	 box_rights(struct box *, const char *, unsigned int);
void	 box_start_traced(struct box *, const atf_tc_t *);
void	 box_path(struct box *, const char *, unsigned int, int);
void	 box_private(struct box *, const char *);
/* Send the channel and the end of the configuration; wait for its lock. */
void	 box_channel(struct box *);
void	 box_end(struct box *);
void	 box_locked(struct box *);
/* All of the above with one granted path. */
void	 box_simple(struct box *, const atf_tc_t *, const char *, unsigned int);

/* 1 a message, 0 the end, -1 nothing within some milliseconds. */
int	 box_wait(struct imsgbuf *, struct imsg *, int);
void	 box_flush(struct imsgbuf *);
/* Requests; descriptors stay the caller's.  The result is the reply's value. */
int	 box_meta(struct box *, int, const struct proto_meta *);
int	 box_connect(struct box *, int, int);
uint32_t box_connect_send(struct box *, int, int);
void	 box_cancel(struct box *, uint32_t);
/* The next reply: its value and its id. */
int	 box_reply(struct box *, uint32_t, uint32_t *);

void	 box_close_parent(struct box *);
void	 box_close_supervisor(struct box *);
/* Wait for its end; the status of waitpid(2). */
int	 box_status(struct box *);
/* Close everything; it must exit with 0. */
void	 box_stop(struct box *);

/* Small things of every test. */
void	 make_file(const char *, const char *);
char	*absolute(const char *);
int	 open_path(const char *);
/* Give up capabilities, as every program of the sandbox does. */
void	 drop_capabilities(void);

#endif
