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
 * Commits that are killed, or that fail, at every single call: what is left
 * is the old tree or the new one, and the branch is as good as before.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>

#include <atf-c.h>

#include "recover.h"

/* A branch with every kind of change. */
static void
full_make(struct fixture *f)
{
	fixture_full(f, "store");
}

static char *
full_view(const struct branch *b)
{
	return (tree_merged(b->lower, b->upper));
}

static const struct subject_kind	full = {
	full_make, full_view, tree_text
};

ATF_TC_WITHOUT_HEAD(killed);
ATF_TC_BODY(killed, tc)
{
	die_everywhere(&full, 0);
}

ATF_TC_WITHOUT_HEAD(killed_staged);
ATF_TC_BODY(killed_staged, tc)
{
	die_everywhere(&full, 1);
}

ATF_TC_WITHOUT_HEAD(recover_killed);
ATF_TC_BODY(recover_killed, tc)
{
	recover_dies(&full, 0, 37);
}

ATF_TC_WITHOUT_HEAD(recover_killed_staged);
ATF_TC_BODY(recover_killed_staged, tc)
{
	recover_dies(&full, 1, 97);
}

ATF_TC_WITHOUT_HEAD(failed);
ATF_TC_BODY(failed, tc)
{
	fail_everywhere(&full, 0, STRIKE_FAIL, ENOSPC, 3);
}

ATF_TC_WITHOUT_HEAD(failed_staged);
ATF_TC_BODY(failed_staged, tc)
{
	fail_everywhere(&full, 1, STRIKE_FAIL, EIO, 5);
}

ATF_TC_WITHOUT_HEAD(failing_on);
ATF_TC_BODY(failing_on, tc)
{
	fail_everywhere(&full, 0, STRIKE_FAIL_ON, EIO, 7);
}

ATF_TC_WITHOUT_HEAD(failing_on_staged);
ATF_TC_BODY(failing_on_staged, tc)
{
	fail_everywhere(&full, 1, STRIKE_FAIL_ON, EDQUOT, 11);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, killed_staged);
	ATF_TP_ADD_TC(tp, recover_killed);
	ATF_TP_ADD_TC(tp, recover_killed_staged);
	ATF_TP_ADD_TC(tp, failed);
	ATF_TP_ADD_TC(tp, failed_staged);
	ATF_TP_ADD_TC(tp, failing_on);
	ATF_TP_ADD_TC(tp, failing_on_staged);
	return (atf_no_error());
}
