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
 * Fuzz target for common/rtnl.c: any datagram is taken apart in its bounds, in
 * as many steps as it can have requests, and every answer is a row of whole
 * messages to who asked, of which the last is the end of a dump, an errno, or
 * the one that was asked for.
 *
 * An input is a byte (bit 0: there is a way out) and a datagram.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl.h"

#define PORT	4711

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* Attributes that fill what is left of a message. */
static void
must_be_attributes(const uint8_t *p, size_t len)
{
	struct rtattr	 rta;

	while (len > 0) {
		must(len >= sizeof(rta));
		memcpy(&rta, p, sizeof(rta));
		must(rta.rta_len >= sizeof(rta) && rta.rta_len <= len);
		if (NLMSG_ALIGN(rta.rta_len) >= len)
			break;
		p += NLMSG_ALIGN(rta.rta_len);
		len -= NLMSG_ALIGN(rta.rta_len);
	}
}

static void
must_be_message(const struct nlmsghdr *h, const uint8_t *p)
{
	size_t	 body = h->nlmsg_len - sizeof(*h), head;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
		head = sizeof(struct ifinfomsg);
		break;
	case RTM_NEWADDR:
		head = sizeof(struct ifaddrmsg);
		break;
	case RTM_NEWROUTE:
		head = sizeof(struct rtmsg);
		break;
	case NLMSG_ERROR:
		must(body == sizeof(struct nlmsgerr));
		return;
	case NLMSG_DONE:
		must(body == sizeof(int));
		return;
	default:
		abort();
	}
	must(body >= head);
	must_be_attributes(p + NLMSG_ALIGN(head), body - head);
}

static void
must_be_answer(const uint8_t *p, size_t len, uint32_t seq)
{
	struct nlmsghdr	 h;
	int		 multi = 0, last = 0, n = 0;

	while (len > 0) {
		must(!last && len >= sizeof(h));
		memcpy(&h, p, sizeof(h));
		must(h.nlmsg_len >= sizeof(h) &&
		    NLMSG_ALIGN(h.nlmsg_len) <= len);
		must(h.nlmsg_pid == PORT && h.nlmsg_seq == seq);
		must_be_message(&h, p + sizeof(h));
		must(n++ == 0 || h.nlmsg_type != NLMSG_ERROR);
		multi |= h.nlmsg_flags & NLM_F_MULTI;
		last = h.nlmsg_type == NLMSG_DONE;
		p += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
	must(!multi || last);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t		 answer[RTNL_ANSWER_MAX];
	struct rtnl_cursor	 c = { .next = NULL };
	uint8_t			*copy;
	uint32_t		 seq;
	size_t			 before;
	ssize_t			 n;

	if (len < 1)
		return (0);
	must((copy = malloc(len)) != NULL);
	memcpy(copy, data + 1, len - 1);
	must((copy = realloc(copy, len > 1 ? len - 1 : 1)) != NULL);
	c.next = copy;
	c.left = len - 1;
	for (;;) {
		before = c.left;
		seq = 0;
		if (before >= sizeof(struct nlmsghdr))
			memcpy(&seq, c.next +
			    offsetof(struct nlmsghdr, nlmsg_seq), sizeof(seq));
		n = rtnl_answer(&c, PORT, data[0] & 1, answer,
		    sizeof(answer));
		if (n == -1)
			break;
		must(n >= 0 && n <= (ssize_t)sizeof(answer));
		/* It ends, and stays in the datagram. */
		must(before - c.left >= sizeof(struct nlmsghdr) ||
		    (n > 0 && c.answered));
		must_be_answer(answer, (size_t)n, seq);
	}
	free(copy);
	return (0);
}
