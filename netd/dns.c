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
 * See dns.h.  Whatever is read was written by somebody who means harm: every
 * offset is checked, every loop has a bound.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <ctype.h>
#include <string.h>

#include "dns.h"

#define FLAG_QR		0x8000
#define FLAG_TC		0x0200
#define FLAG_RD		0x0100
#define FLAG_RA		0x0080
#define OPCODE(flags)	(((flags) >> 11) & 0xf)
#define RCODE(flags)	((flags) & 0xf)

#define LABEL		63
#define POINTER		0xc0
#define EDNS_SIZE	1232	/* fits a packet nearly everywhere */
#define ANSWERS		256	/* records that are looked at */

struct reader {
	const uint8_t	*buf;
	size_t		 len;
	size_t		 pos;
};

struct writer {
	uint8_t		*buf;
	size_t		 size;
	size_t		 pos;
	int		 full;
};

/* One record of an answer section. */
struct found {
	char		 owner[DNS_NAME];
	uint16_t	 type;
	uint32_t	 ttl;
	size_t		 data;
	size_t		 len;
};

static int
read16(struct reader *r, uint16_t *v)
{
	if (r->len - r->pos < 2)
		return (-1);
	*v = (uint16_t)(r->buf[r->pos] << 8 | r->buf[r->pos + 1]);
	r->pos += 2;
	return (0);
}

static int
read32(struct reader *r, uint32_t *v)
{
	uint16_t	 hi, lo;

	if (read16(r, &hi) == -1 || read16(r, &lo) == -1)
		return (-1);
	*v = (uint32_t)hi << 16 | lo;
	return (0);
}

static int
name_character(uint8_t c)
{
	return (isascii(c) && (isalnum(c) || c == '-' || c == '_'));
}

/*
 * A name, whose pointers lead backwards only, and to no header.  0, or -1 if
 * it does not end where it should; *text is "" for a name that is no text.
 */
static int
read_name(struct reader *r, char text[DNS_NAME])
{
	size_t	 at = r->pos, i, last = r->pos, n = 0;
	uint8_t	 c;
	int	 jumped = 0, sayable = 1;

	for (;;) {
		if (at >= r->len)
			return (-1);
		c = r->buf[at++];
		if (!jumped)
			r->pos = at;
		if (c == 0)
			break;
		if ((c & POINTER) == POINTER) {
			if (at >= r->len)
				return (-1);
			at = (size_t)(c & ~POINTER) << 8 | r->buf[at];
			if (!jumped)
				r->pos++;
			jumped = 1;
			if (at >= last || at < DNS_HEADER)
				return (-1);
			last = at;
			continue;
		}
		/* A dot before each label but the first; a NUL at the end. */
		if (c > LABEL || r->len - at < c || n + 1 + c > DNS_WIRE - 2)
			return (-1);
		if (n > 0)
			text[n++] = '.';
		for (i = 0; i < c; i++, at++) {
			sayable &= name_character(r->buf[at]);
			text[n++] = (char)tolower(r->buf[at]);
		}
		if (!jumped)
			r->pos = at;
	}
	text[sayable ? n : 0] = '\0';
	return (0);
}

/* Skip or read the fields of a record up to its data. */
static int
read_record(struct reader *r, struct found *f, uint16_t *class)
{
	uint16_t	 len;

	if (read_name(r, f->owner) == -1 || read16(r, &f->type) == -1 ||
	    read16(r, class) == -1 || read32(r, &f->ttl) == -1 ||
	    read16(r, &len) == -1 || r->len - r->pos < len)
		return (-1);
	f->data = r->pos;
	f->len = len;
	r->pos += len;
	return (0);
}

/* What comes behind the question: at most one OPT counts. */
static int
read_additional(struct reader *r, struct dns_question *q, int n)
{
	struct found	 f;
	uint16_t	 class;

	for (; n > 0; n--) {
		if (read_record(r, &f, &class) == -1)
			return (RCODE_FORMERR);
		if (f.type != RR_OPT)
			continue;
		if (q->edns)
			return (RCODE_FORMERR);
		q->edns = 1;
		/* The class of this record is a size, and the ttl flags. */
		if (class > q->size)
			q->size = class;
	}
	return (RCODE_NOERROR);
}

int
dns_read_question(const uint8_t *buf, size_t len, struct dns_question *q)
{
	struct reader	 r = { buf, len, 0 };
	uint16_t	 class, count[4];
	size_t		 i;

	memset(q, 0, sizeof(*q));
	q->size = DNS_UDP;
	if (read16(&r, &q->id) == -1 || read16(&r, &q->flags) == -1)
		return (-1);
	for (i = 0; i < 4; i++)
		if (read16(&r, &count[i]) == -1)
			return (-1);
	if ((q->flags & FLAG_QR) != 0)
		return (-1);
	if (OPCODE(q->flags) != 0)
		return (RCODE_NOTIMP);
	if (count[0] != 1 || count[1] != 0 || count[2] != 0)
		return (RCODE_FORMERR);
	if (read_name(&r, q->name) == -1 || read16(&r, &q->type) == -1 ||
	    read16(&r, &class) == -1 ||
	    r.pos - DNS_HEADER > sizeof(q->wire))
		return (RCODE_FORMERR);
	q->wirelen = r.pos - DNS_HEADER;
	memcpy(q->wire, buf + DNS_HEADER, q->wirelen);
	if (class != RR_IN)
		return (RCODE_REFUSED);
	return (read_additional(&r, q, count[3]));
}

static void
write_bytes(struct writer *w, const void *p, size_t len)
{
	if (w->full || w->size - w->pos < len) {
		w->full = 1;
		return;
	}
	memcpy(w->buf + w->pos, p, len);
	w->pos += len;
}

static void
write16(struct writer *w, unsigned int v)
{
	uint8_t	 b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	write_bytes(w, b, sizeof(b));
}

static void
write_name(struct writer *w, const char *name)
{
	uint8_t	 c;
	size_t	 len;

	while (*name != '\0') {
		len = strcspn(name, ".");
		if (len == 0 || len > LABEL) {
			w->full = 1;
			return;
		}
		c = (uint8_t)len;
		write_bytes(w, &c, 1);
		write_bytes(w, name, len);
		name += len;
		if (*name == '.')
			name++;
	}
	write_bytes(w, "", 1);
}

static void
write_opt(struct writer *w)
{
	write_bytes(w, "", 1);
	write16(w, RR_OPT);
	write16(w, EDNS_SIZE);
	write16(w, 0);
	write16(w, 0);
	write16(w, 0);
}

size_t
dns_write_question(uint8_t buf[DNS_UDP], const char *name, uint16_t type,
    uint16_t id, int edns)
{
	struct writer	 w = { buf, DNS_UDP, 0, 0 };
	size_t		 start;

	write16(&w, id);
	write16(&w, FLAG_RD);
	write16(&w, 1);
	write16(&w, 0);
	write16(&w, 0);
	write16(&w, edns ? 1 : 0);
	start = w.pos;
	write_name(&w, name);
	if (*name == '\0' || w.pos - start > DNS_WIRE)
		return (0);
	write16(&w, type);
	write16(&w, RR_IN);
	if (edns)
		write_opt(&w);
	return (w.full ? 0 : w.pos);
}

/* The records of the answer section that might be used; how many, or -1. */
static int
read_answers(struct reader *r, int count, struct found *all)
{
	uint16_t	 class;
	int		 i, n = 0;

	for (i = 0; i < count && n < ANSWERS; i++) {
		if (read_record(r, &all[n], &class) == -1)
			return (-1);
		if (class == RR_IN && (all[n].type == RR_A ||
		    all[n].type == RR_AAAA || all[n].type == RR_CNAME))
			n++;
	}
	return (n);
}

static const struct found *
find_cname(const struct found *all, int n, const char *name)
{
	int	 i;

	for (i = 0; i < n; i++)
		if (all[i].type == RR_CNAME && name[0] != '\0' &&
		    strcmp(all[i].owner, name) == 0)
			return (&all[i]);
	return (NULL);
}

/* As RFC 2181 has it: with the highest bit set it is none. */
static uint32_t
time_to_live(uint32_t ttl)
{
	return (ttl > INT32_MAX ? 0 : ttl);
}

/* Follow names that lead to others; 0, and the last in name, or -1. */
static int
follow_chain(const struct reader *r, const struct found *all, int n,
    char name[DNS_NAME], struct dns_answer *a)
{
	const struct found	*f;
	struct dns_record	*rec;
	struct reader		 data = *r;

	while ((f = find_cname(all, n, name)) != NULL) {
		if (a->n == DNS_CHAIN)
			return (-1);
		rec = &a->records[a->n];
		data.pos = f->data;
		if (read_name(&data, rec->name) == -1 ||
		    rec->name[0] == '\0' || data.pos != f->data + f->len)
			return (-1);
		rec->type = RR_CNAME;
		rec->ttl = time_to_live(f->ttl);
		memcpy(name, rec->name, DNS_NAME);
		a->n++;
	}
	return (0);
}

static void
add_address(struct dns_answer *a, const struct found *f, const uint8_t *data)
{
	struct dns_record	*rec;
	size_t			 i;

	if (a->n == DNS_RECORDS) {
		a->truncated = 1;
		return;
	}
	rec = &a->records[a->n];
	memset(rec, 0, sizeof(*rec));
	rec->type = f->type;
	rec->ttl = time_to_live(f->ttl);
	rec->addr.family = f->type == RR_A ? AF_INET : AF_INET6;
	memcpy(&rec->addr.addr, data, f->len);
	for (i = 0; i < a->n; i++)
		if (a->records[i].type == f->type &&
		    netaddr_equal(&a->records[i].addr, &rec->addr))
			return;
	a->n++;
}

static void
read_records(struct reader *r, int count, const char *question, uint16_t type,
    struct dns_answer *a)
{
	static struct found	 all[ANSWERS];
	char			 name[DNS_NAME];
	int			 i, n;

	strlcpy(name, question, sizeof(name));
	if ((n = read_answers(r, count, all)) == -1 ||
	    follow_chain(r, all, n, name, a) == -1) {
		a->rcode = RCODE_SERVFAIL;
		a->n = 0;
		return;
	}
	for (i = 0; i < n; i++)
		if (all[i].type == type && strcmp(all[i].owner, name) == 0 &&
		    all[i].len == (type == RR_A ? 4 : 16))
			add_address(a, &all[i], r->buf + all[i].data);
}

int
dns_read_answer(const uint8_t *buf, size_t len, const char *name,
    uint16_t type, uint16_t id, struct dns_answer *a)
{
	struct reader	 r = { buf, len, 0 };
	char		 asked[DNS_NAME];
	uint16_t	 class, count[4], flags, v;
	size_t		 i;

	memset(a, 0, sizeof(*a));
	if (read16(&r, &v) == -1 || v != id || read16(&r, &flags) == -1)
		return (-1);
	for (i = 0; i < 4; i++)
		if (read16(&r, &count[i]) == -1)
			return (-1);
	if ((flags & FLAG_QR) == 0 || OPCODE(flags) != 0)
		return (-1);
	a->rcode = RCODE(flags);
	a->truncated = (flags & FLAG_TC) != 0;
	/* Old servers that dislike a question do not repeat it. */
	if (count[0] == 0 && a->rcode == RCODE_FORMERR)
		return (0);
	if (count[0] != 1 || read_name(&r, asked) == -1 ||
	    strcmp(asked, name) != 0 || read16(&r, &v) == -1 || v != type ||
	    read16(&r, &class) == -1 || class != RR_IN)
		return (-1);
	if (a->rcode == RCODE_NOERROR)
		read_records(&r, count[1], name, type, a);
	return (0);
}

/* One record, whose owner is at an offset. */
static void
write_record(struct writer *w, const struct dns_record *rec, size_t *owner)
{
	size_t	 at, len;

	write16(w, POINTER << 8 | (unsigned int)*owner);
	write16(w, rec->type);
	write16(w, RR_IN);
	write16(w, rec->ttl >> 16);
	write16(w, rec->ttl & 0xffff);
	at = w->pos;
	write16(w, 0);
	if (rec->type == RR_CNAME) {
		write_name(w, rec->name);
		*owner = at + 2;
	} else
		write_bytes(w, &rec->addr.addr, rec->type == RR_A ? 4 : 16);
	if (w->full)
		return;
	len = w->pos - at - 2;
	w->buf[at] = (uint8_t)(len >> 8);
	w->buf[at + 1] = (uint8_t)len;
}

static size_t
write_message(struct writer *w, const struct dns_question *q, int rcode,
    const struct dns_record *records, size_t n, int truncated)
{
	size_t	 i, owner = DNS_HEADER;

	write16(w, q->id);
	write16(w, FLAG_QR | FLAG_RA | (q->flags & (FLAG_RD | 0x7800)) |
	    (truncated ? FLAG_TC : 0) | (unsigned int)rcode);
	write16(w, q->wirelen > 0 ? 1 : 0);
	write16(w, n);
	write16(w, 0);
	write16(w, q->edns ? 1 : 0);
	write_bytes(w, q->wire, q->wirelen);
	for (i = 0; i < n; i++)
		write_record(w, &records[i], &owner);
	if (q->edns)
		write_opt(w);
	return (w->full ? 0 : w->pos);
}

size_t
dns_write_answer(uint8_t buf[DNS_MESSAGE], size_t size,
    const struct dns_question *q, const struct dns_answer *a)
{
	struct writer	 w;
	size_t		 len, n = q->wirelen > 0 ? a->n : 0;

	memset(&w, 0, sizeof(w));
	w.buf = buf;
	w.size = size > DNS_MESSAGE ? DNS_MESSAGE : size;
	if ((len = write_message(&w, q, a->rcode, a->records, n, 0)) != 0)
		return (len);
	w.pos = 0;
	w.full = 0;
	return (write_message(&w, q, a->rcode, NULL, 0, 1));
}
