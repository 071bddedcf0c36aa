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
 * Messages of the domain name system, as far as the resolver of a sandbox
 * reads and writes them: no system calls, no state, so that it can be tested
 * and fuzzed alone.  Names are texts in small letters, without the dot of the
 * root; a name that such a text cannot say is none.
 */

#ifndef DNS_H
#define DNS_H

#include <sys/types.h>

#include <stdint.h>

#include "netrule.h"

#define DNS_NAME	256	/* a name as a text, with its NUL */
#define DNS_HEADER	12
#define DNS_WIRE	255	/* a name in a message */
#define DNS_MESSAGE	4096	/* the longest that is read or written */
#define DNS_UDP		512	/* what everyone takes */
#define DNS_RECORDS	64	/* of an answer, as many as are used */
#define DNS_CHAIN	16	/* names that lead to another one */

#define RR_A		1
#define RR_CNAME	5
#define RR_AAAA		28
#define RR_OPT		41
#define RR_IN		1

#define RCODE_NOERROR	0
#define RCODE_FORMERR	1
#define RCODE_SERVFAIL	2
#define RCODE_NXDOMAIN	3
#define RCODE_NOTIMP	4
#define RCODE_REFUSED	5

/* A question that somebody asks us. */
struct dns_question {
	uint16_t	 id;
	uint16_t	 flags;			/* of the header */
	uint16_t	 type;
	char		 name[DNS_NAME];
	uint8_t		 wire[DNS_WIRE + 4];	/* as it was asked */
	size_t		 wirelen;		/* 0: there is none */
	int		 edns;
	uint16_t	 size;			/* which the asker takes */
};

/* What is used of an answer: where a name leads, then addresses. */
struct dns_record {
	uint16_t	 type;			/* RR_A, RR_AAAA or RR_CNAME */
	uint32_t	 ttl;
	struct netaddr	 addr;
	char		 name[DNS_NAME];	/* the target of RR_CNAME */
};

struct dns_answer {
	int			 rcode;
	int			 truncated;	/* not all that there is */
	size_t			 n;
	struct dns_record	 records[DNS_RECORDS];
};

/*
 * Read a question.  -1: it is none, and gets no answer.  Otherwise the RCODE_*
 * of an answer that can be given at once, RCODE_NOERROR if it is a question
 * for one type of one name.
 */
int	 dns_read_question(const uint8_t *, size_t, struct dns_question *);

/*
 * Write a question for a name and type with an id, with EDNS or without; its
 * length, or 0 if the name cannot be asked for.
 */
size_t	 dns_write_question(uint8_t [DNS_UDP], const char *, uint16_t,
	    uint16_t, int);

/*
 * Read the answer to it.  -1: it is no answer to that question.  Otherwise 0,
 * and what the name leads to: in order, at most DNS_CHAIN RR_CNAME and then
 * addresses of that type, none twice.  A chain without an end is an answer with
 * RCODE_SERVFAIL, and so is what cannot be read.
 */
int	 dns_read_answer(const uint8_t *, size_t, const char *, uint16_t,
	    uint16_t, struct dns_answer *);

/*
 * Write an answer that is no longer than a size.  What does not fit is left
 * out as a whole, and the answer says that it was truncated.  Its length.
 */
size_t	 dns_write_answer(uint8_t [DNS_MESSAGE], size_t,
	    const struct dns_question *, const struct dns_answer *);

#endif
