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
 * Tests of common/ancillary.c: the walk against the macros of libc and against
 * the kernel's rules, and what may go out.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ancillary.h"

static char	 control[1024] __attribute__((__aligned__(16)));
static size_t	 controllen;

static void
add(int level, int type, size_t len)
{
	struct cmsghdr	*c = (struct cmsghdr *)(control + controllen);

	ATF_REQUIRE(controllen + CMSG_SPACE(len) <= sizeof(control));
	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memset(CMSG_DATA(c), 'x', len);
	controllen += CMSG_SPACE(len);
}

ATF_TC_WITHOUT_HEAD(walk);
ATF_TC_BODY(walk, tc)
{
	struct ancillary	 a;
	struct msghdr		 mh;
	struct cmsghdr		*c;
	size_t			 i, n = 0;

	for (i = 0; i < 20; i++)
		add((int)i, (int)i * 3, i * 5 % 17);
	memset(&mh, 0, sizeof(mh));
	mh.msg_control = control;
	mh.msg_controllen = controllen;
	ancillary_begin(&a, control, controllen);
	for (c = CMSG_FIRSTHDR(&mh); c != NULL; c = CMSG_NXTHDR(&mh, c)) {
		ATF_REQUIRE_EQ(1, ancillary_next(&a));
		ATF_CHECK_EQ(c->cmsg_level, a.level);
		ATF_CHECK_EQ(c->cmsg_type, a.type);
		ATF_CHECK_EQ(c->cmsg_len - CMSG_LEN(0), a.len);
		ATF_CHECK((const char *)CMSG_DATA(c) == a.data);
		n++;
	}
	ATF_CHECK_EQ(0, ancillary_next(&a));
	ATF_CHECK_EQ(20, n);
}

/* Nothing, less than a header, and headers that lie. */
ATF_TC_WITHOUT_HEAD(lengths);
ATF_TC_BODY(lengths, tc)
{
	struct ancillary	 a;
	struct cmsghdr		*c = (struct cmsghdr *)control;
	size_t			 len;

	ATF_CHECK_EQ(0, ancillary_inet(NULL, 0));
	add(IPPROTO_IP, IP_TOS, 4);
	for (len = 0; len < sizeof(*c); len++)
		ATF_CHECK_EQ(0, ancillary_inet(control, len));
	for (; len < CMSG_LEN(4); len++)
		ATF_CHECK_EQ(EINVAL, ancillary_inet(control, len));
	ATF_CHECK_EQ(0, ancillary_inet(control, len));
	for (len = 0; len < sizeof(*c); len++) {
		c->cmsg_len = len;
		ATF_CHECK_EQ(EINVAL, ancillary_inet(control, controllen));
	}
	c->cmsg_len = controllen + 1;
	ATF_CHECK_EQ(EINVAL, ancillary_inet(control, controllen));
	c->cmsg_len = SIZE_MAX;
	ATF_CHECK_EQ(EINVAL, ancillary_inet(control, controllen));
	c->cmsg_len = SIZE_MAX - 7;
	ATF_CHECK_EQ(EINVAL, ancillary_inet(control, controllen));
	/* The last one need not be padded; nothing comes after it. */
	c->cmsg_len = CMSG_LEN(1);
	ancillary_begin(&a, control, CMSG_LEN(1));
	ATF_CHECK_EQ(1, ancillary_next(&a));
	ATF_CHECK_EQ(0, ancillary_next(&a));
}

ATF_TC_WITHOUT_HEAD(admitted);
ATF_TC_BODY(admitted, tc)
{
	static const struct {
		int	 level;
		int	 type;
		int	 error;
	} tries[] = {
		{ IPPROTO_IP, IP_TOS, 0 },
		{ IPPROTO_IP, IP_TTL, 0 },
		{ IPPROTO_IP, IP_PKTINFO, 0 },
		{ IPPROTO_IPV6, IPV6_PKTINFO, 0 },
		{ IPPROTO_IPV6, IPV6_TCLASS, 0 },
		{ IPPROTO_IPV6, IPV6_HOPLIMIT, 0 },
		{ IPPROTO_UDP, 103 /* UDP_SEGMENT */, 0 },
		/* Routes, in each of their forms. */
		{ IPPROTO_IP, IP_RETOPTS, EINVAL },
		{ IPPROTO_IPV6, IPV6_RTHDR, EINVAL },
		{ IPPROTO_IPV6, 5 /* IPV6_2292RTHDR */, EINVAL },
		{ IPPROTO_IPV6, 2 /* IPV6_2292PKTINFO */, EINVAL },
		{ IPPROTO_IPV6, IPV6_HOPOPTS, EINVAL },
		{ IPPROTO_IPV6, IPV6_DSTOPTS, EINVAL },
		{ IPPROTO_IPV6, IPV6_RTHDRDSTOPTS, EINVAL },
		{ IPPROTO_IPV6, 9 /* IPV6_NEXTHOP */, EINVAL },
		{ SOL_SOCKET, SO_MARK, EINVAL },
		{ SOL_SOCKET, SCM_RIGHTS, EINVAL },
		{ SOL_SOCKET, SCM_CREDENTIALS, EINVAL },
		{ 4711, 1, EINVAL }
	};
	size_t	 i;

	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		controllen = 0;
		add(tries[i].level, tries[i].type, 4);
		ATF_CHECK_EQ_MSG(tries[i].error,
		    ancillary_inet(control, controllen), "%zu", i);
		/* Behind one that may pass, and before it. */
		add(IPPROTO_IP, IP_TOS, 1);
		ATF_CHECK_EQ_MSG(tries[i].error,
		    ancillary_inet(control, controllen), "%zu", i);
		controllen = 0;
		add(IPPROTO_IP, IP_TOS, 1);
		add(tries[i].level, tries[i].type, 4);
		ATF_CHECK_EQ_MSG(tries[i].error,
		    ancillary_inet(control, controllen), "%zu", i);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, walk);
	ATF_TP_ADD_TC(tp, lengths);
	ATF_TP_ADD_TC(tp, admitted);
	return (atf_no_error());
}
