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
 * Files around holes, asked for by a supervisor that obeys somebody else: cowd
 * opens and changes what the policy grants, and nothing else, whatever it is
 * told the name is.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"

static char	 top[1024];	/* the directory of the test */

static char *
name(const char *rest)
{
	char	*p;

	ATF_REQUIRE(asprintf(&p, "%s/%s", top, rest) != -1);
	return (p);
}

/* tree is granted but for tree/bad and tree/ro; outside is not. */
static void
begin(struct box *b, const atf_tc_t *tc, unsigned int perms)
{
	ATF_REQUIRE(realpath(".", top) != NULL);
	ATF_REQUIRE(mkdir("tree", 0755) == 0);
	ATF_REQUIRE(mkdir("tree/dir", 0755) == 0);
	ATF_REQUIRE(mkdir("tree/ro", 0755) == 0);
	ATF_REQUIRE(mkdir("tree/way", 0755) == 0);
	ATF_REQUIRE(mkdir("outside", 0755) == 0);
	make_file("tree/bad", "bad");
	make_file("tree/good", "good");
	make_file("tree/ro/f", "ro");
	make_file("outside/f", "out");
	ATF_REQUIRE(symlink("bad", "tree/link") == 0);
	ATF_REQUIRE(symlink("../outside", "tree/out") == 0);
	ATF_REQUIRE(link("tree/bad", "tree/second") == 0);
	box_start_files(b, tc);
	box_rights(b, name("tree"), perms);
	box_rights(b, name("tree/bad"), PERM_NONE);
	box_rights(b, name("tree/ro"), perms & PERM_READ);
	box_rights(b, name("tree/way/gone/hook"), PERM_NONE);
	box_channel(b);
	box_end(b);
	box_locked(b);
}


/* The answer to a request, and what it opened. */
static int
ask(struct box *b, enum view_op op, const char *path, const char *path2,
    int flags, int *fd)
{
	struct proto_view	 pv;
	struct imsg		 imsg;
	char			*copy, *copy2;
	int			 value, got;

	memset(&pv, 0, sizeof(pv));
	copy = path[0] == '/' ? strdup(path) : name(path);
	copy2 = op == VIEW_SYMLINK || path2[0] == '\0' || path2[0] == '/' ?
	    strdup(path2) : name(path2);
	pv.op = op;
	pv.path = copy;
	pv.path2 = copy2;
	pv.flags = flags;
	pv.mode = 0644;
	pv.mask = 022;
	pv.room = UINT64_MAX;
	ATF_REQUIRE(proto_send_view(&b->supervisor, ++b->id, -1, &pv) == 0);
	box_flush(&b->supervisor);
	ATF_REQUIRE_EQ(box_wait(&b->supervisor, &imsg, BOX_TIMEOUT), 1);
	ATF_REQUIRE_EQ(imsg_get_type(&imsg), IMSG_VIEW_REPLY);
	ATF_REQUIRE(proto_recv_value(&imsg, &value) == 0);
	got = imsg_get_fd(&imsg);
	imsg_free(&imsg);
	if (got != -1) {
		/* By then nobody else has it. */
		ATF_REQUIRE_EQ(box_wait(&b->supervisor, &imsg, BOX_TIMEOUT),
		    1);
		ATF_CHECK_EQ(imsg_get_type(&imsg), IMSG_VIEW_DONE);
		ATF_CHECK_EQ(imsg_get_id(&imsg), b->id);
		imsg_free(&imsg);
	}
	free(copy);
	free(copy2);
	ATF_CHECK_EQ(got != -1, op == VIEW_OPEN && value == 0);
	if (fd != NULL)
		*fd = got;
	else if (got != -1)
		close(got);
	return (value);
}

#define OPEN(b, path, flags)	ask((b), VIEW_OPEN, (path), "", (flags), NULL)

ATF_TC_WITHOUT_HEAD(opens);
ATF_TC_BODY(opens, tc)
{
	struct box	 b;
	char		 text[8] = "";
	int		 fd;

	begin(&b, tc, PERM_MASK);
	ATF_CHECK_EQ(ask(&b, VIEW_OPEN, "tree/good", "", O_RDWR, &fd), 0);
	ATF_CHECK_EQ(read(fd, text, sizeof(text)), 4);
	ATF_CHECK_STREQ(text, "good");
	close(fd);
	ATF_CHECK_EQ(OPEN(&b, "tree/new", O_RDWR | O_CREAT), 0);
	ATF_CHECK_EQ(OPEN(&b, "tree/dir/new", O_RDWR | O_CREAT), 0);
	ATF_REQUIRE(chmod("tree/new", 0755) == 0);
	ATF_CHECK_EQ(OPEN(&b, "tree/new", O_WRONLY), 0);
	ATF_CHECK_EQ(OPEN(&b, "tree/ro/f", O_RDONLY), EXDEV);

	/* Denied, by each of its names and through each link. */
	ATF_CHECK_EQ(OPEN(&b, "tree/bad", O_RDONLY), EACCES);
	ATF_CHECK_EQ(OPEN(&b, "tree/bad", O_RDWR | O_CREAT | O_TRUNC),
	    EACCES);
	ATF_CHECK_EQ(OPEN(&b, "tree/second", O_RDONLY), EACCES);
	ATF_CHECK_EQ(OPEN(&b, "tree/link", O_RDONLY), EACCES);
	ATF_CHECK_EQ(OPEN(&b, "tree/out/f", O_RDONLY), ELOOP);
	ATF_CHECK_EQ(OPEN(&b, "outside/f", O_RDONLY), EXDEV);
	ATF_CHECK_EQ(OPEN(&b, "/etc/passwd", O_RDONLY), EXDEV);
	ATF_CHECK_EQ(OPEN(&b, "tree/ro/new", O_RDWR | O_CREAT), EXDEV);
	ATF_CHECK_EQ(OPEN(&b, "tree/way/gone/hook", O_RDWR | O_CREAT),
	    ENOENT);
	ATF_CHECK_EQ(OPEN(&b, "tree/way/gone", O_RDWR | O_CREAT), EBUSY);
	/* Names that say one thing and mean another. */
	ATF_CHECK_EQ(OPEN(&b, "tree/dir/../bad", O_RDONLY), EINVAL);
	ATF_CHECK_EQ(OPEN(&b, "tree/dir/../../outside/f", O_RDONLY), EINVAL);
	ATF_CHECK_EQ(OPEN(&b, "tree/./bad", O_RDONLY), EINVAL);
	ATF_CHECK_EQ(OPEN(&b, "tree//bad", O_RDONLY), EINVAL);
	ATF_CHECK_EQ(OPEN(&b, "tree/good/", O_RDONLY), EINVAL);
	ATF_CHECK_EQ(OPEN(&b, "/", O_RDONLY), EINVAL);
	/* Neither reading nor writing. */
	ATF_CHECK_EQ(OPEN(&b, "tree/good", O_ACCMODE), EINVAL);
	box_stop(&b);
	ATF_CHECK(access("tree/new", F_OK) == 0);
	ATF_CHECK(access("tree/way/gone", F_OK) == -1);
	ATF_CHECK(access("tree/ro/new", F_OK) == -1);
}

ATF_TC_WITHOUT_HEAD(changes);
ATF_TC_BODY(changes, tc)
{
	struct box	 b;
	struct stat	 st;

	begin(&b, tc, PERM_MASK);
	ATF_CHECK_EQ(ask(&b, VIEW_MKDIR, "tree/d", "", 0, NULL), 0);
	ATF_CHECK_EQ(ask(&b, VIEW_SYMLINK, "tree/s", "x", 0, NULL), 0);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/good", "tree/g2", 0, NULL),
	    0);
	ATF_CHECK_EQ(ask(&b, VIEW_LINK, "tree/g2", "tree/dir/g3", 0, NULL),
	    0);
	ATF_CHECK_EQ(ask(&b, VIEW_TRUNCATE, "tree/g2", "", 0, NULL), 0);
	ATF_CHECK_EQ(ask(&b, VIEW_UNLINK, "tree/s", "", 0, NULL), 0);
	ATF_CHECK_EQ(ask(&b, VIEW_RMDIR, "tree/d", "", 0, NULL), 0);
	ATF_CHECK_EQ(ask(&b, VIEW_MKDIR, "tree/way/gone", "", 0, NULL), 0);

	ATF_CHECK_EQ(ask(&b, VIEW_MKDIR, "tree/way/gone/hook", "", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/g2", "tree/way/gone/hook", 0,
	    NULL), EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/way", "tree/w2", 0, NULL),
	    EBUSY);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/way/gone", "tree/w2", 0,
	    NULL), EBUSY);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/dir", "tree/way/gone",
	    RENAME_EXCHANGE, NULL), EBUSY);
	ATF_CHECK_EQ(ask(&b, VIEW_RMDIR, "tree/way/gone", "", 0, NULL),
	    EBUSY);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/bad", "tree/b2", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/g2", "tree/bad", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_LINK, "tree/second", "tree/b2", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/second", "tree/b2", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_UNLINK, "tree/second", "", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_TRUNCATE, "tree/second", "", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/ro", "tree/r2", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_RENAME, "tree/g2", "outside/g2", 0, NULL),
	    EXDEV);
	ATF_CHECK_EQ(ask(&b, VIEW_LINK, "outside/f", "tree/f", 0, NULL),
	    EXDEV);
	ATF_CHECK_EQ(ask(&b, VIEW_UNLINK, "tree/ro/f", "", 0, NULL), EXDEV);
	ATF_CHECK_EQ(ask(&b, VIEW_UNLINK, "outside/f", "", 0, NULL), EXDEV);
	ATF_CHECK_EQ(ask(&b, VIEW_MKDIR, "tree/out/d", "", 0, NULL), ELOOP);
	box_stop(&b);
	ATF_REQUIRE(stat("tree/bad", &st) == 0);
	ATF_CHECK_EQ(st.st_nlink, 2);
	ATF_CHECK_EQ(st.st_size, 3);
	ATF_CHECK(access("tree/ro/f", F_OK) == 0);
	ATF_CHECK(access("outside/f", F_OK) == 0);
	ATF_CHECK(access("tree/dir/g3", F_OK) == 0);
}

ATF_TC_WITHOUT_HEAD(reads_only);
ATF_TC_BODY(reads_only, tc)
{
	struct box	 b;

	begin(&b, tc, PERM_READ | PERM_EXEC);
	ATF_CHECK_EQ(OPEN(&b, "tree/good", O_RDONLY), 0);
	ATF_CHECK_EQ(OPEN(&b, "tree/good", O_RDWR), EACCES);
	ATF_CHECK_EQ(OPEN(&b, "tree/good", O_RDONLY | O_TRUNC), EACCES);
	ATF_CHECK_EQ(OPEN(&b, "tree/new", O_RDONLY | O_CREAT), EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_MKDIR, "tree/d", "", 0, NULL), EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_UNLINK, "tree/good", "", 0, NULL), EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_TRUNCATE, "tree/good", "", 0, NULL),
	    EACCES);
	ATF_CHECK_EQ(ask(&b, VIEW_LINK, "tree/good", "tree/g2", 0, NULL),
	    EACCES);
	box_stop(&b);
	ATF_CHECK(access("tree/good", F_OK) == 0);
	ATF_CHECK(access("tree/new", F_OK) == -1);
}

ATF_TC(no_view);
ATF_TC_HEAD(no_view, tc)
{
	atf_tc_set_md_var(tc, "descr", "a request of a view ends a cowd that "
	    "has none");
}
ATF_TC_BODY(no_view, tc)
{
	struct proto_view	 pv;
	struct box		 b;
	char			 path[] = "good", none[1] = "";

	begin(&b, tc, PERM_MASK);
	memset(&pv, 0, sizeof(pv));
	pv.op = VIEW_UNLINK;
	pv.path = path;
	pv.path2 = none;
	ATF_REQUIRE(proto_send_view(&b.supervisor, 1, -1, &pv) == 0);
	box_flush(&b.supervisor);
	ATF_CHECK(box_status(&b) != 0);
	ATF_CHECK(access("tree/good", F_OK) == 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, opens);
	ATF_TP_ADD_TC(tp, changes);
	ATF_TP_ADD_TC(tp, reads_only);
	ATF_TP_ADD_TC(tp, no_view);
	return (atf_no_error());
}
