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
 * Fuzz target for netd/dns.c: whatever is read is in its bounds, and what is
 * written of it can be read again and says the same.
 *
 * An input is a byte that tells what it is (bit 0: a question, otherwise an
 * answer; bit 1: of IPv6 addresses), two bytes of size, and a message.  The
 * answer is to a question for the name that it repeats, if it is one.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* A text of labels in small letters, or none. */
static void
must_be_name(const char *name)
{
	size_t	 i, label = 0;

	must(strnlen(name, DNS_NAME) <= DNS_WIRE - 2);
	for (i = 0; name[i] != '\0'; i++) {
		if (name[i] == '.') {
			must(label > 0);
			label = 0;
			continue;
		}
		must(++label <= 63 && isascii((unsigned char)name[i]) &&
		    (islower((unsigned char)name[i]) ||
		    isdigit((unsigned char)name[i]) || name[i] == '-' ||
		    name[i] == '_'));
	}
	must(i == 0 || label > 0);
}

static void
must_be_answer(const struct dns_answer *a, uint16_t type)
{
	size_t	 i, k;
	int	 addresses = 0;

	must(a->n <= DNS_RECORDS && a->rcode >= 0 && a->rcode <= 15);
	must(a->rcode == RCODE_NOERROR || a->n == 0);
	for (i = 0; i < a->n; i++) {
		must(a->records[i].ttl <= INT32_MAX);
		if (a->records[i].type == RR_CNAME) {
			must(!addresses && i < DNS_CHAIN);
			must(a->records[i].name[0] != '\0');
			must_be_name(a->records[i].name);
			continue;
		}
		addresses = 1;
		must(a->records[i].type == type);
		must(a->records[i].addr.family ==
		    (type == RR_A ? AF_INET : AF_INET6));
		for (k = 0; k < i; k++)
			must(a->records[k].type == RR_CNAME ||
			    !netaddr_equal(&a->records[i].addr,
			    &a->records[k].addr));
	}
}

static int
same_answer(const struct dns_answer *a, const struct dns_answer *b)
{
	size_t	 i;

	if (a->rcode != b->rcode || a->n != b->n)
		return (0);
	for (i = 0; i < a->n; i++)
		if (a->records[i].type != b->records[i].type ||
		    a->records[i].ttl != b->records[i].ttl ||
		    (a->records[i].type == RR_CNAME ?
		    strcmp(a->records[i].name, b->records[i].name) != 0 :
		    !netaddr_equal(&a->records[i].addr, &b->records[i].addr)))
			return (0);
	return (1);
}

/* What the workload gets of it. */
static void
write_back(const struct dns_question *q, const struct dns_answer *a,
    size_t size)
{
	static struct dns_answer	 again;
	uint8_t				*buf;
	size_t				 len;

	if (size < DNS_UDP)
		size = DNS_UDP;
	must((buf = malloc(DNS_MESSAGE)) != NULL);
	len = dns_write_answer(buf, size, q, a);
	must(len >= DNS_HEADER && len <= size && len <= DNS_MESSAGE);
	if (q->name[0] != '\0') {
		must(dns_read_answer(buf, len, q->name, q->type, q->id,
		    &again) == 0);
		must(again.rcode == a->rcode);
		must(again.truncated ? again.n == 0 :
		    same_answer(a, &again));
	}
	free(buf);
}

static void
question(const uint8_t *data, size_t len, size_t size)
{
	static struct dns_answer	 none;
	struct dns_question		 q, again;
	uint8_t				 buf[DNS_UDP];
	size_t				 n;
	int				 rcode;

	if ((rcode = dns_read_question(data, len, &q)) == -1)
		return;
	must(rcode >= 0 && rcode <= 15 && q.size >= DNS_UDP);
	must(q.wirelen <= sizeof(q.wire));
	none.rcode = rcode;
	none.n = 0;
	must(dns_write_answer(buf, sizeof(buf), &q, &none) > 0);
	if (rcode != RCODE_NOERROR)
		return;
	must_be_name(q.name);
	write_back(&q, &none, size);
	if (q.name[0] == '\0')
		return;
	must((n = dns_write_question(buf, q.name, q.type, q.id, 1)) > 0);
	must(dns_read_question(buf, n, &again) == RCODE_NOERROR);
	must(strcmp(q.name, again.name) == 0 && q.type == again.type &&
	    again.edns);
}

static void
answer(const uint8_t *data, size_t len, uint16_t type, size_t size)
{
	static struct dns_answer	 a;
	struct dns_question		 q;
	uint8_t				*head;
	uint8_t				 buf[DNS_UDP];
	uint16_t			 id;
	int				 asked;

	if (len < DNS_HEADER)
		return;
	/* The question that it repeats, as somebody would have asked it. */
	must((head = malloc(len)) != NULL);
	memcpy(head, data, len);
	head[2] = 1;
	memset(head + 6, 0, 6);
	asked = dns_read_question(head, len, &q) == RCODE_NOERROR &&
	    q.name[0] != '\0';
	free(head);
	id = (uint16_t)(data[0] << 8 | data[1]);
	if (!asked) {
		/* Any other one has no answer but that it was bad. */
		must(dns_read_answer(data, len, "name.test", type, id,
		    &a) == -1 || a.rcode == RCODE_FORMERR);
		return;
	}
	must(dns_write_question(buf, q.name, type, id, 0) > 0);
	if (dns_read_answer(data, len, q.name, type, id, &a) == -1)
		return;
	must_be_answer(&a, type);
	q.type = type;
	write_back(&q, &a, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t	*copy;
	size_t	 size;

	if (len < 3)
		return (0);
	size = (size_t)data[1] << 8 | data[2];
	/* To the byte, so that a step beyond its end is seen. */
	must((copy = malloc(len)) != NULL);
	memcpy(copy, data + 3, len - 3);
	copy = realloc(copy, len - 3 > 0 ? len - 3 : 1);
	must(copy != NULL);
	if (data[0] & 1)
		question(copy, len - 3, size);
	else
		answer(copy, len - 3, data[0] & 2 ? RR_AAAA : RR_A, size);
	free(copy);
	return (0);
}
