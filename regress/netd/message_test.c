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
 * Messages of the domain name system and host names: what is read, what is
 * refused, and that what is written can be read.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "netd.h"

#define ID	0x1234

/* A message in the making. */
static uint8_t	 buf[DNS_MESSAGE];
static size_t	 len;

static void
put8(unsigned int v)
{
	buf[len++] = v;
}

static void
put16(unsigned int v)
{
	put8(v >> 8);
	put8(v & 0xff);
}

static void
header(unsigned int flags, int qd, int an, int ns, int ar)
{
	len = 0;
	put16(ID);
	put16(flags);
	put16(qd);
	put16(an);
	put16(ns);
	put16(ar);
}

static void
put_name(const char *name)
{
	size_t	 n;

	while (*name != '\0') {
		n = strcspn(name, ".");
		put8(n);
		memcpy(buf + len, name, n);
		len += n;
		name += n + (name[n] == '.');
	}
	put8(0);
}

static void
question(const char *name, int type, int class)
{
	put_name(name);
	put16(type);
	put16(class);
}

static void
record(const char *name, int type, uint32_t ttl, const void *data, size_t n)
{
	put_name(name);
	put16(type);
	put16(RR_IN);
	put16(ttl >> 16);
	put16(ttl & 0xffff);
	put16(n);
	memcpy(buf + len, data, n);
	len += n;
}

static void
cname(const char *name, const char *target)
{
	size_t	 at, end;

	record(name, RR_CNAME, 60, "", 0);
	at = len;
	put_name(target);
	end = len;
	buf[at - 1] = end - at;
}

static void
opt(unsigned int size)
{
	put8(0);
	put16(RR_OPT);
	put16(size);
	put16(0);
	put16(0);
	put16(0);
}

static int
ask(struct dns_question *q)
{
	return (dns_read_question(buf, len, q));
}

ATF_TC_WITHOUT_HEAD(questions);
ATF_TC_BODY(questions, tc)
{
	struct dns_question	 q;
	size_t			 i;

	header(0x0100, 1, 0, 0, 0);
	question("WWW.Example.com", RR_A, RR_IN);
	ATF_REQUIRE_EQ(RCODE_NOERROR, ask(&q));
	ATF_CHECK_EQ(ID, q.id);
	ATF_CHECK_EQ(RR_A, q.type);
	ATF_CHECK_STREQ("www.example.com", q.name);
	ATF_CHECK_EQ(DNS_UDP, q.size);
	ATF_CHECK_EQ(0, q.edns);
	ATF_CHECK_EQ(0, memcmp(q.wire, buf + DNS_HEADER, q.wirelen));
	/* None of its beginnings is one. */
	for (i = 0; i < len; i++)
		ATF_CHECK_EQ_MSG(i < DNS_HEADER ? -1 : RCODE_FORMERR,
		    dns_read_question(buf, i, &q), "%zu bytes", i);

	header(0x0100, 1, 0, 0, 1);
	question("a.b", RR_AAAA, RR_IN);
	opt(4000);
	ATF_REQUIRE_EQ(RCODE_NOERROR, ask(&q));
	ATF_CHECK_EQ(1, q.edns);
	ATF_CHECK_EQ(4000, q.size);
	/* A size that is less than everyone's is no size. */
	header(0x0100, 1, 0, 0, 1);
	question("a.b", RR_AAAA, RR_IN);
	opt(10);
	ATF_REQUIRE_EQ(RCODE_NOERROR, ask(&q));
	ATF_CHECK_EQ(DNS_UDP, q.size);
	header(0x0100, 1, 0, 0, 2);
	question("a.b", RR_AAAA, RR_IN);
	opt(1000);
	opt(1000);
	ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
	header(0x0100, 1, 0, 0, 1);
	question("a.b", RR_AAAA, RR_IN);
	ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
}

ATF_TC_WITHOUT_HEAD(bad_questions);
ATF_TC_BODY(bad_questions, tc)
{
	struct dns_question	 q;
	int			 i;

	/* An answer, which nobody must answer. */
	header(0x8100, 1, 0, 0, 0);
	question("a.b", RR_A, RR_IN);
	ATF_CHECK_EQ(-1, ask(&q));
	/* Other operations; not one question; records where none are. */
	header(0x2900, 1, 0, 0, 0);
	question("a.b", RR_A, RR_IN);
	ATF_CHECK_EQ(RCODE_NOTIMP, ask(&q));
	header(0x0100, 0, 0, 0, 0);
	ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
	header(0x0100, 2, 0, 0, 0);
	question("a.b", RR_A, RR_IN);
	question("a.b", RR_A, RR_IN);
	ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
	header(0x0100, 1, 1, 0, 0);
	question("a.b", RR_A, RR_IN);
	record("a.b", RR_A, 1, "1234", 4);
	ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
	header(0x0100, 1, 0, 0, 0);
	question("a.b", RR_A, 3);
	ATF_CHECK_EQ(RCODE_REFUSED, ask(&q));
	/* A pointer to itself, one forward, one into the header. */
	for (i = 0; i < 3; i++) {
		header(0x0100, 1, 0, 0, 0);
		put8(1);
		put8('a');
		put8(0xc0);
		put8(i == 0 ? 14 : i == 1 ? 15 : 200);
		put16(RR_A);
		put16(RR_IN);
		ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
	}
	/* The id makes a label, and the flags its end. */
	header(0, 1, 0, 0, 0);
	buf[0] = 1;
	buf[1] = 'a';
	put16(0xc000);
	put16(RR_A);
	put16(RR_IN);
	ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
	/* Labels of reserved kinds. */
	header(0x0100, 1, 0, 0, 0);
	put8(0x41);
	put8(0);
	put16(RR_A);
	put16(RR_IN);
	ATF_CHECK_EQ(RCODE_FORMERR, ask(&q));
	/* 127 labels of one letter are the longest name, and 128 none. */
	for (i = 127; i <= 128; i++) {
		header(0x0100, 1, 0, 0, 0);
		for (int j = 0; j < i; j++) {
			put8(1);
			put8('a');
		}
		put8(0);
		put16(RR_A);
		put16(RR_IN);
		ATF_CHECK_EQ_MSG(i == 127 ? RCODE_NOERROR : RCODE_FORMERR,
		    ask(&q), "%d", i);
		if (i == 127)
			ATF_CHECK_EQ(253, strlen(q.name));
	}
}

/* A name that means another one as a text is none. */
ATF_TC_WITHOUT_HEAD(odd_names);
ATF_TC_BODY(odd_names, tc)
{
	static const struct {
		const char	*label;
		size_t		 len;
	} labels[] = {
		{ "good.test", 9 }, { "good\0test", 9 }, { "a@good", 6 },
		{ "a b", 3 }, { "\xc3\xa4", 2 }, { "*", 1 }, { "a\\", 2 },
		{ "a/b", 3 }
	};
	struct dns_question	 q;
	size_t			 i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		header(0x0100, 1, 0, 0, 0);
		put8(labels[i].len);
		memcpy(buf + len, labels[i].label, labels[i].len);
		len += labels[i].len;
		put8(4);
		memcpy(buf + len, "test", 4);
		len += 4;
		put8(0);
		put16(RR_A);
		put16(RR_IN);
		ATF_REQUIRE_EQ(RCODE_NOERROR, ask(&q));
		ATF_CHECK_STREQ("", q.name);
		ATF_CHECK(!name_valid(q.name));
	}
	header(0x0100, 1, 0, 0, 0);
	question("", RR_A, RR_IN);
	ATF_REQUIRE_EQ(RCODE_NOERROR, ask(&q));
	ATF_CHECK_STREQ("", q.name);
}

static struct dns_answer	 a;

static int
answered(const char *name, uint16_t type)
{
	return (dns_read_answer(buf, len, name, type, ID, &a));
}

ATF_TC_WITHOUT_HEAD(answers);
ATF_TC_BODY(answers, tc)
{
	size_t	 i, whole;

	header(0x8180, 1, 6, 0, 0);
	question("a.test", RR_A, RR_IN);
	/* In any order, with what has nothing to do with it. */
	record("c.test", RR_A, 70, "\1\2\3\4", 4);
	record("d.test", RR_A, 70, "\1\2\3\5", 4);
	cname("B.test", "c.test");
	record("a.test", RR_A, 70, "\1\2\3\6", 4);
	record("c.test", RR_AAAA, 70, "0123456789abcdef", 16);
	cname("a.test", "b.Test");
	whole = len;
	ATF_REQUIRE_EQ(0, answered("a.test", RR_A));
	ATF_CHECK_EQ(RCODE_NOERROR, a.rcode);
	ATF_REQUIRE_EQ(3, a.n);
	ATF_CHECK_EQ(RR_CNAME, a.records[0].type);
	ATF_CHECK_STREQ("b.test", a.records[0].name);
	ATF_CHECK_STREQ("c.test", a.records[1].name);
	ATF_CHECK_EQ(RR_A, a.records[2].type);
	ATF_CHECK_EQ(70, a.records[2].ttl);
	ATF_CHECK_EQ(AF_INET, a.records[2].addr.family);
	ATF_CHECK_EQ(0, memcmp(&a.records[2].addr.addr, "\1\2\3\4", 4));
	/* To another question; with another id. */
	ATF_CHECK_EQ(-1, answered("b.test", RR_A));
	ATF_CHECK_EQ(-1, answered("a.test", RR_AAAA));
	ATF_CHECK_EQ(-1, dns_read_answer(buf, len, "a.test", RR_A, ID + 1,
	    &a));
	buf[2] &= 0x7f;
	ATF_CHECK_EQ(-1, answered("a.test", RR_A));
	buf[2] |= 0x80;
	/* Cut anywhere there is no address of it. */
	for (i = 0; i < whole; i++)
		if (dns_read_answer(buf, i, "a.test", RR_A, ID, &a) == 0)
			ATF_CHECK(a.rcode == RCODE_SERVFAIL && a.n == 0);
	buf[3] |= RCODE_NXDOMAIN;
	ATF_REQUIRE_EQ(0, answered("a.test", RR_A));
	ATF_CHECK(a.rcode == RCODE_NXDOMAIN && a.n == 0);
}

ATF_TC_WITHOUT_HEAD(bad_answers);
ATF_TC_BODY(bad_answers, tc)
{
	char	 one[16], two[16];
	int	 i;

	/* A circle, and a chain of too many. */
	header(0x8180, 1, 2, 0, 0);
	question("a.test", RR_A, RR_IN);
	cname("a.test", "b.test");
	cname("b.test", "a.test");
	ATF_REQUIRE_EQ(0, answered("a.test", RR_A));
	ATF_CHECK(a.rcode == RCODE_SERVFAIL && a.n == 0);
	for (int links = DNS_CHAIN; links <= DNS_CHAIN + 1; links++) {
		header(0x8180, 1, links + 1, 0, 0);
		question("n0.test", RR_A, RR_IN);
		for (i = 0; i < links; i++) {
			snprintf(one, sizeof(one), "n%d.test", i);
			snprintf(two, sizeof(two), "n%d.test", i + 1);
			cname(one, two);
		}
		record(two, RR_A, 1, "\1\2\3\4", 4);
		ATF_REQUIRE_EQ(0, answered("n0.test", RR_A));
		ATF_CHECK_EQ(links == DNS_CHAIN ? DNS_CHAIN + 1 : 0, a.n);
	}
	/* Addresses of a wrong length; twice the same; a negative time. */
	header(0x8180, 1, 5, 0, 0);
	question("a.test", RR_A, RR_IN);
	record("a.test", RR_A, 1, "\1\2\3\4\5", 5);
	record("a.test", RR_A, 1, "\1\2\3", 3);
	record("a.test", RR_A, 0xffffffff, "\1\2\3\4", 4);
	record("a.test", RR_A, 1, "\1\2\3\4", 4);
	record("a.test", RR_A, 1, "\1\2\3\5", 4);
	ATF_REQUIRE_EQ(0, answered("a.test", RR_A));
	ATF_REQUIRE_EQ(2, a.n);
	ATF_CHECK_EQ(0, a.records[0].ttl);
	/* A link to what is no name. */
	header(0x8180, 1, 2, 0, 0);
	question("a.test", RR_A, RR_IN);
	cname("a.test", "b@d.test");
	record("b@d.test", RR_A, 1, "\1\2\3\4", 4);
	ATF_REQUIRE_EQ(0, answered("a.test", RR_A));
	ATF_CHECK(a.rcode == RCODE_SERVFAIL && a.n == 0);
	/* More than are used. */
	header(0x8180, 1, 200, 0, 0);
	question("a.test", RR_A, RR_IN);
	for (i = 0; i < 200; i++) {
		char	 addr[4] = { 1, 2, 3, (char)i };

		record("", RR_A, 1, addr, 4);
		len -= 14 + 1;
		put16(0xc00c);
		put16(RR_A);
		put16(RR_IN);
		put16(0);
		put16(1);
		put16(4);
		memcpy(buf + len, addr, 4);
		len += 4;
	}
	ATF_REQUIRE_EQ(0, answered("a.test", RR_A));
	ATF_CHECK_EQ(DNS_RECORDS, a.n);
	/* Old servers. */
	header(0x8181, 0, 0, 0, 0);
	ATF_REQUIRE_EQ(0, answered("a.test", RR_A));
	ATF_CHECK_EQ(RCODE_FORMERR, a.rcode);
	header(0x8183, 0, 0, 0, 0);
	ATF_CHECK_EQ(-1, answered("a.test", RR_A));
}

ATF_TC_WITHOUT_HEAD(written);
ATF_TC_BODY(written, tc)
{
	static struct dns_answer	 out;
	uint8_t				 small[DNS_UDP], big[DNS_MESSAGE];
	struct dns_question		 q;
	char				 name[300];
	size_t				 i, n;

	n = dns_write_question(small, "a.test", RR_A, ID, 1);
	ATF_REQUIRE(n != 0);
	ATF_REQUIRE_EQ(RCODE_NOERROR, dns_read_question(small, n, &q));
	ATF_CHECK_STREQ("a.test", q.name);
	ATF_CHECK_EQ(1, q.edns);
	/* What cannot be asked for. */
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	ATF_CHECK_EQ(0, dns_write_question(small, name, RR_A, ID, 0));
	name[63] = '\0';
	ATF_CHECK(dns_write_question(small, name, RR_A, ID, 0) != 0);
	ATF_CHECK_EQ(0, dns_write_question(small, "", RR_A, ID, 0));
	ATF_CHECK_EQ(0, dns_write_question(small, "a..b", RR_A, ID, 0));
	for (i = 0; i < 256; i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	name[253] = '\0';
	ATF_CHECK(dns_write_question(small, name, RR_A, ID, 0) != 0);
	name[253] = '.';
	name[255] = '\0';
	ATF_CHECK_EQ(0, dns_write_question(small, name, RR_A, ID, 0));

	/* An answer comes back as it was, and the name as it was asked. */
	header(0x0100, 1, 0, 0, 0);
	question("A.Test", RR_A, RR_IN);
	ATF_REQUIRE_EQ(RCODE_NOERROR, ask(&q));
	memset(&out, 0, sizeof(out));
	out.n = 3;
	out.records[0].type = RR_CNAME;
	out.records[0].ttl = 0x12345;
	strlcpy(out.records[0].name, "b.other", DNS_NAME);
	out.records[1].type = RR_CNAME;
	strlcpy(out.records[1].name, "c", DNS_NAME);
	out.records[2].type = RR_A;
	out.records[2].ttl = 77;
	out.records[2].addr.family = AF_INET;
	memcpy(&out.records[2].addr.addr, "\1\2\3\4", 4);
	n = dns_write_answer(big, q.size, &q, &out);
	ATF_REQUIRE(memmem(big, n, "\1A\4Test", 7) != NULL);
	ATF_REQUIRE_EQ(0, dns_read_answer(big, n, "a.test", RR_A, ID, &a));
	ATF_REQUIRE_EQ(3, a.n);
	ATF_CHECK_EQ(0, a.truncated);
	for (i = 0; i < 3; i++) {
		ATF_CHECK_EQ(out.records[i].ttl, a.records[i].ttl);
		ATF_CHECK_STREQ(out.records[i].name, a.records[i].name);
	}
	ATF_CHECK(netaddr_equal(&out.records[2].addr, &a.records[2].addr));
	/* Too long: nothing of it. */
	out.n = DNS_RECORDS;
	for (i = 0; i < DNS_RECORDS; i++) {
		out.records[i].type = RR_A;
		out.records[i].addr = out.records[2].addr;
		out.records[i].addr.addr.s6_addr[3] = i;
	}
	n = dns_write_answer(big, DNS_UDP, &q, &out);
	ATF_REQUIRE(n <= DNS_UDP);
	ATF_REQUIRE_EQ(0, dns_read_answer(big, n, "a.test", RR_A, ID, &a));
	ATF_CHECK(a.truncated && a.n == 0 && a.rcode == RCODE_NOERROR);
	n = dns_write_answer(big, DNS_MESSAGE, &q, &out);
	ATF_REQUIRE_EQ(0, dns_read_answer(big, n, "a.test", RR_A, ID, &a));
	ATF_CHECK(!a.truncated && a.n == DNS_RECORDS);
	/* Without a question that was read there is no record. */
	header(0x2900, 1, 0, 0, 0);
	ATF_REQUIRE_EQ(RCODE_NOTIMP, ask(&q));
	n = dns_write_answer(big, DNS_UDP, &q, &out);
	ATF_CHECK_EQ(DNS_HEADER, n);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	char	 name[70];

	ATF_CHECK(name_equal("Foo.Test.", "foo.test"));
	ATF_CHECK(!name_equal("foo.test", "foo.tes"));
	ATF_CHECK(name_matches("foo.test", "FOO.test"));
	ATF_CHECK(!name_matches("foo.test", "a.foo.test"));
	ATF_CHECK(!name_matches("foo.test", "foo.test.evil.com"));
	ATF_CHECK(!name_matches("foo.test", "xfoo.test"));
	ATF_CHECK(name_matches("*.foo.test", "a.foo.test"));
	ATF_CHECK(name_matches("*.foo.test", "a.b.FOO.test."));
	ATF_CHECK(!name_matches("*.foo.test", "foo.test"));
	ATF_CHECK(!name_matches("*.foo.test", ".foo.test"));
	ATF_CHECK(!name_matches("*.foo.test", "xfoo.test"));
	ATF_CHECK(!name_matches("*.foo.test", "a.foo.test.evil.com"));
	ATF_CHECK(!name_matches("*foo.test", "afoo.test"));
	ATF_CHECK(!name_matches("*", "a"));
	ATF_CHECK(name_local("localhost") && name_local("a.LocalHost."));
	ATF_CHECK(!name_local("xlocalhost") && !name_local("localhost.com"));
	ATF_CHECK(name_valid("a-b.c_d.xn--4ca"));
	ATF_CHECK(!name_valid("") && !name_valid(".") && !name_valid("a.") &&
	    !name_valid("a..b") && !name_valid("A.b") && !name_valid("a@b") &&
	    !name_valid("*.b"));
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	ATF_CHECK(name_valid(name));
	name[63] = 'a';
	name[64] = '\0';
	ATF_CHECK(!name_valid(name));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, questions);
	ATF_TP_ADD_TC(tp, bad_questions);
	ATF_TP_ADD_TC(tp, odd_names);
	ATF_TP_ADD_TC(tp, answers);
	ATF_TP_ADD_TC(tp, bad_answers);
	ATF_TP_ADD_TC(tp, written);
	ATF_TP_ADD_TC(tp, names);
	return (atf_no_error());
}
