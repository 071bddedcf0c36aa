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
 * The channel between two of our programs, when one of them has gone.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "imsgev.h"
#include "proto.h"
#include "worker.h"

/* What was said last is heard, though nothing can be answered any more. */
ATF_TC_WITHOUT_HEAD(last_words);
ATF_TC_BODY(last_words, tc)
{
	struct imsgev	 iev;
	struct imsgbuf	 peer;
	struct imsg	 imsg;
	int		 order, pair[2];

	memset(&iev, 0, sizeof(iev));
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    pair) == 0);
	ATF_REQUIRE(imsgbuf_init(&iev.ibuf, pair[0]) == 0);
	ATF_REQUIRE(imsgbuf_init(&peer, pair[1]) == 0);
	ATF_REQUIRE(proto_send_int(&peer, IMSG_BRANCH, ORDER_LEAVE, -1) == 0);
	ATF_REQUIRE(imsgbuf_flush(&peer) == 0);
	imsgbuf_clear(&peer);
	close(pair[1]);

	ATF_REQUIRE(imsg_compose(&iev.ibuf, IMSG_LOCKED, 0, 0, -1, NULL,
	    0) == 1);
	ATF_CHECK_EQ(worker_read(&iev, EV_READ | EV_WRITE, "peer"), 1);
	ATF_REQUIRE_EQ(imsgbuf_get(&iev.ibuf, &imsg), 1);
	ATF_CHECK_EQ(imsg_get_type(&imsg), IMSG_BRANCH);
	ATF_REQUIRE(proto_recv_int(&imsg, &order) == 0);
	ATF_CHECK_EQ(order, ORDER_LEAVE);
	imsg_free(&imsg);
	/* And then its end. */
	ATF_CHECK_EQ(worker_read(&iev, EV_READ | EV_WRITE, "peer"), 0);
	imsgbuf_clear(&iev.ibuf);
	close(pair[0]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, last_words);
	return (atf_no_error());
}
