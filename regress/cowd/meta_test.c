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
 * Changes of metadata: what is allowed equals the bare call, what is not below
 * a grant stays untouched.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

#define GRANTED	(PERM_READ | PERM_WRITE)

static struct proto_meta
op_chmod(mode_t mode)
{
	struct proto_meta	 pm;

	memset(&pm, 0, sizeof(pm));
	pm.op = META_CHMOD;
	pm.mode = mode;
	return (pm);
}

static struct proto_meta
op_chown(uid_t uid, gid_t gid)
{
	struct proto_meta	 pm;

	memset(&pm, 0, sizeof(pm));
	pm.op = META_CHOWN;
	pm.uid = uid;
	pm.gid = gid;
	return (pm);
}

static struct proto_meta
op_utimes(long sec, long nsec)
{
	struct proto_meta	 pm;

	memset(&pm, 0, sizeof(pm));
	pm.op = META_UTIMES;
	pm.times[0].tv_sec = sec;
	pm.times[0].tv_nsec = nsec;
	pm.times[1].tv_sec = sec + 1;
	pm.times[1].tv_nsec = nsec;
	return (pm);
}

static struct proto_meta
op_now(void)
{
	struct proto_meta	 pm;

	memset(&pm, 0, sizeof(pm));
	pm.op = META_UTIMES;
	pm.times_now = 1;
	return (pm);
}

static struct proto_meta
op_setxattr(const char *name, const void *value, size_t len, int flags)
{
	static uint8_t		 copy[PROTO_XATTR_MAX];
	struct proto_meta	 pm;

	memset(&pm, 0, sizeof(pm));
	pm.op = META_SETXATTR;
	strcpy(pm.xattr_name, name);
	if (value != NULL)
		memcpy(copy, value, len);
	pm.value = copy;
	pm.value_len = len;
	pm.xattr_flags = flags;
	return (pm);
}

static struct proto_meta
op_removexattr(const char *name)
{
	struct proto_meta	 pm;

	memset(&pm, 0, sizeof(pm));
	pm.op = META_REMOVEXATTR;
	strcpy(pm.xattr_name, name);
	return (pm);
}

/* The call that cowd stands in for; 0 or an errno. */
static int
bare(const char *path, const struct proto_meta *pm)
{
	int	 ret = -1;

	switch (pm->op) {
	case META_CHMOD:
		ret = syscall(SYS_fchmodat2, AT_FDCWD, path, pm->mode,
		    AT_SYMLINK_NOFOLLOW);
		break;
	case META_CHOWN:
		ret = lchown(path, pm->uid, pm->gid);
		break;
	case META_UTIMES:
		ret = utimensat(AT_FDCWD, path, pm->times_now ? NULL :
		    pm->times, AT_SYMLINK_NOFOLLOW);
		break;
	case META_SETXATTR:
		ret = lsetxattr(path, pm->xattr_name, pm->value,
		    pm->value_len, pm->xattr_flags);
		break;
	case META_REMOVEXATTR:
		ret = lremovexattr(path, pm->xattr_name);
		break;
	}
	return (ret == -1 ? errno : 0);
}

/* In a process without capabilities, like cowd's. */
static int
bare_unprivileged(const char *path, const struct proto_meta *pm)
{
	pid_t	 pid;
	int	 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		drop_capabilities();
		_exit(bare(path, pm));
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

static int
by_path(struct box *b, const char *path, struct proto_meta pm)
{
	int	 fd, value;

	fd = open_path(path);
	value = box_meta(b, fd, &pm);
	close(fd);
	return (value);
}

static void
stat_of(const char *path, struct stat *st)
{
	ATF_REQUIRE(lstat(path, st) == 0);
}

static mode_t
mode_of(const char *path)
{
	struct stat	 st;

	stat_of(path, &st);
	return (st.st_mode & 07777);
}

static void
make_socket(const char *path)
{
	struct sockaddr_un	 sun;
	int			 s;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, path);
	ATF_REQUIRE((s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	close(s);
}

/* One of each type; 0 when this user cannot make it. */
static int
make_node(const char *path, mode_t type)
{
	switch (type) {
	case S_IFREG:
		make_file(path, "x");
		return (1);
	case S_IFDIR:
		ATF_REQUIRE(mkdir(path, 0755) == 0);
		return (1);
	case S_IFLNK:
		ATF_REQUIRE(symlink("target", path) == 0);
		return (1);
	case S_IFIFO:
		ATF_REQUIRE(mkfifo(path, 0644) == 0);
		return (1);
	case S_IFSOCK:
		make_socket(path);
		return (1);
	case S_IFCHR:
		return (mknod(path, S_IFCHR | 0644, makedev(1, 3)) == 0);
	}
	return (0);
}

static const mode_t	 types[] = {
	S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR
};
#define NTYPES	(sizeof(types) / sizeof(types[0]))

static size_t
all_ops(struct proto_meta *ops, size_t max)
{
	size_t	 n = 0;

	ops[n++] = op_chmod(0600);
	ops[n++] = op_chmod(04755);
	ops[n++] = op_chmod(02755);
	ops[n++] = op_chmod(01777);
	ops[n++] = op_chmod(0);
	ops[n++] = op_chmod(0644);
	ops[n++] = op_chown(-1, -1);
	ops[n++] = op_chown(getuid(), getgid());
	ops[n++] = op_chown(getuid() + 1, -1);
	ops[n++] = op_chown(-1, getgid() + 12345);
	ops[n++] = op_utimes(1000000, 123456789);
	ops[n++] = op_utimes(0, UTIME_OMIT);
	ops[n++] = op_utimes(7, UTIME_NOW);
	ops[n++] = op_utimes(7, 1999999999);
	ops[n++] = op_now();
	ops[n++] = op_setxattr("user.a", "1", 1, 0);
	ops[n++] = op_setxattr("user.a", "2", 1, XATTR_CREATE);
	ops[n++] = op_setxattr("user.b", "2", 1, XATTR_REPLACE);
	ops[n++] = op_setxattr("user.b", NULL, 0, 0);
	ops[n++] = op_setxattr("user.a", "2", 1, 0x100);
	ops[n++] = op_setxattr("user.", "2", 1, 0);
	ops[n++] = op_setxattr("", "2", 1, 0);
	ops[n++] = op_setxattr("nonsense.a", "2", 1, 0);
	ops[n++] = op_setxattr("system.posix_acl_access", "2", 1, 0);
	ops[n++] = op_removexattr("user.a");
	ops[n++] = op_removexattr("user.a");
	ops[n++] = op_removexattr("nonsense.a");
	ATF_REQUIRE(n <= max);
	return (n);
}

ATF_TC_WITHOUT_HEAD(equals_bare);
ATF_TC_BODY(equals_bare, tc)
{
	struct proto_meta	 ops[40];
	struct stat		 st1, st2;
	struct box		 b;
	char			 p1[64], p2[64], v1[16], v2[16];
	size_t			 i, n, t;
	int			 e1, e2, tested = 0;

	n = all_ops(ops, 40);
	ATF_REQUIRE(mkdir("bare", 0755) == 0 && mkdir("box", 0755) == 0);
	box_simple(&b, tc, absolute("box"), GRANTED);
	for (t = 0; t < NTYPES; t++) {
		if (types[t] == S_IFCHR)
			continue;	/* see device */
		snprintf(p1, sizeof(p1), "bare/%zu", t);
		snprintf(p2, sizeof(p2), "box/%zu", t);
		if (!make_node(p1, types[t]))
			continue;
		ATF_REQUIRE(make_node(p2, types[t]));
		for (i = 0; i < n; i++) {
			e1 = bare_unprivileged(p1, &ops[i]);
			e2 = by_path(&b, p2, ops[i]);
			ATF_CHECK_MSG(e1 == e2, "type %#o op %zu: bare %d, "
			    "cowd %d", types[t], i, e1, e2);
			stat_of(p1, &st1);
			stat_of(p2, &st2);
			ATF_CHECK_EQ(st1.st_mode, st2.st_mode);
			ATF_CHECK_EQ(st1.st_uid, st2.st_uid);
			ATF_CHECK_EQ(st1.st_gid, st2.st_gid);
			if (ops[i].op == META_UTIMES && ops[i].times[0].tv_sec
			    == 1000000) {
				ATF_CHECK_EQ(st2.st_atim.tv_sec, 1000000);
				ATF_CHECK_EQ(st2.st_mtim.tv_sec, 1000001);
				ATF_CHECK_EQ(st2.st_mtim.tv_nsec, 123456789);
			}
			e1 = lgetxattr(p1, "user.b", v1, sizeof(v1));
			e2 = lgetxattr(p2, "user.b", v2, sizeof(v2));
			ATF_CHECK_EQ(e1, e2);
			tested++;
		}
	}
	/* The control: most of them did something. */
	ATF_CHECK(tested >= (int)(5 * n));
	ATF_CHECK_EQ(mode_of("box/0"), 0644);
	box_stop(&b);
}

/* A device is the host's: it is only touched, also where it is granted. */
ATF_TC(device);
ATF_TC_HEAD(device, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(device, tc)
{
	struct proto_meta	 now;
	struct stat		 before, after;
	struct box		 b;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	ATF_REQUIRE(make_node("t/d", S_IFCHR));
	stat_of("t/d", &before);
	box_simple(&b, tc, absolute("t"), GRANTED);
	ATF_CHECK_EQ(by_path(&b, "t/d", op_chmod(0600)), DENIED(EPERM));
	memset(&now, 0, sizeof(now));
	now.op = META_UTIMES;
	now.times_now = 1;
	ATF_CHECK_EQ(by_path(&b, "t/d", now), 0);
	/* The control. */
	ATF_CHECK_EQ(by_path(&b, "t/f", op_chmod(0600)), 0);
	stat_of("t/d", &after);
	ATF_CHECK_EQ(before.st_mode, after.st_mode);
	ATF_CHECK_EQ(before.st_uid, after.st_uid);
	box_stop(&b);
}

/* Nobody but the owner may; the errno is the kernel's and not a denial. */
ATF_TC(foreign_owner);
ATF_TC_HEAD(foreign_owner, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(foreign_owner, tc)
{
	struct proto_meta	 ops[40];
	struct box		 b;
	size_t			 i, n;

	n = all_ops(ops, 40);
	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	make_file("t/g", "x");
	ATF_REQUIRE(chown("t/f", 1234, 1234) == 0);
	ATF_REQUIRE(chown("t/g", 1234, 1234) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (i = 0; i < n; i++)
		ATF_CHECK_EQ(by_path(&b, "t/f", ops[i]),
		    bare_unprivileged("t/g", &ops[i]));
	ATF_CHECK_EQ(by_path(&b, "t/f", op_chmod(0777)), EPERM);
	ATF_CHECK_EQ(mode_of("t/f"), 0644);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(outside);
ATF_TC_BODY(outside, tc)
{
	struct proto_meta	 ops[40];
	struct stat		 before, after;
	struct box		 b;
	char			 path[64];
	size_t			 i, n, t;
	int			 fd;

	n = all_ops(ops, 40);
	ATF_REQUIRE(mkdir("t", 0755) == 0 && mkdir("out", 0755) == 0);
	make_file("t/f", "x");
	box_simple(&b, tc, absolute("t"), GRANTED | PERM_CREATE);
	for (t = 0; t < NTYPES; t++) {
		snprintf(path, sizeof(path), "out/%zu", t);
		if (!make_node(path, types[t]))
			continue;
		stat_of(path, &before);
		for (i = 0; i < n; i++)
			ATF_CHECK_EQ(by_path(&b, path, ops[i]),
			    DENIED(EPERM));
		stat_of(path, &after);
		ATF_CHECK_EQ(before.st_ctim.tv_sec, after.st_ctim.tv_sec);
		ATF_CHECK_EQ(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	}
	/* By the workload's own descriptor, whatever it was opened for. */
	ATF_REQUIRE((fd = open("out/0", O_RDWR | O_CLOEXEC)) != -1);
	ops[0] = op_chmod(0600);
	ATF_CHECK_EQ(box_meta(&b, fd, &ops[0]), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("out/0"), 0644);
	close(fd);
	/* The directories above the grant, and the root. */
	ATF_CHECK_EQ(by_path(&b, ".", ops[0]), DENIED(EPERM));
	ATF_CHECK_EQ(by_path(&b, "/", ops[0]), DENIED(EPERM));
	/* The control. */
	ATF_CHECK_EQ(by_path(&b, "t/f", ops[0]), 0);
	ATF_CHECK_EQ(mode_of("t/f"), 0600);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(rights);
ATF_TC_BODY(rights, tc)
{
	static const struct {
		unsigned int	 perms;
		int		 allowed;
	} cases[] = {
		{ PERM_READ, 0 },
		{ PERM_EXEC, 0 },
		{ PERM_READ | PERM_EXEC, 0 },
		{ PERM_WRITE, 1 },
		{ PERM_CREATE, 1 },
		{ PERM_MASK, 1 }
	};
	struct box	 b;
	size_t		 i;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ATF_REQUIRE(chmod("t/f", 0644) == 0);
		box_simple(&b, tc, absolute("t"), cases[i].perms);
		ATF_CHECK_EQ(by_path(&b, "t/f", op_chmod(0600)),
		    cases[i].allowed ? 0 : DENIED(EPERM));
		ATF_CHECK_EQ(mode_of("t/f"), cases[i].allowed ? 0600 : 0644);
		box_stop(&b);
	}
}

ATF_TC_WITHOUT_HEAD(no_grant);
ATF_TC_BODY(no_grant, tc)
{
	struct box	 b;

	make_file("f", "x");
	box_start(&b, tc);
	box_channel(&b);
	box_end(&b);
	box_locked(&b);
	ATF_CHECK_EQ(by_path(&b, "f", op_chmod(0600)), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("f"), 0644);
	box_stop(&b);
}

/* Two grants, one of them for reading, overlap: rights add up. */
ATF_TC_WITHOUT_HEAD(nested);
ATF_TC_BODY(nested, tc)
{
	struct box	 b;

	ATF_REQUIRE(mkdir("t", 0755) == 0 && mkdir("t/w", 0755) == 0);
	make_file("t/f", "x");
	make_file("t/w/f", "x");
	box_start(&b, tc);
	box_path(&b, absolute("t"), PERM_READ, 0);
	box_path(&b, absolute("t/w"), PERM_WRITE, 0);
	box_path(&b, "/does/not/exist", PERM_WRITE, 1);
	box_channel(&b);
	box_end(&b);
	box_locked(&b);
	ATF_CHECK_EQ(by_path(&b, "t/f", op_chmod(0600)), DENIED(EPERM));
	ATF_CHECK_EQ(by_path(&b, "t/w/f", op_chmod(0600)), 0);
	ATF_CHECK_EQ(mode_of("t/f"), 0644);
	ATF_CHECK_EQ(mode_of("t/w/f"), 0600);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(whole_tree);
ATF_TC_BODY(whole_tree, tc)
{
	struct box	 b;

	make_file("f", "x");
	box_simple(&b, tc, "/", GRANTED);
	ATF_CHECK_EQ(by_path(&b, "f", op_chmod(0600)), 0);
	ATF_CHECK_EQ(mode_of("f"), 0600);
	/* The root itself: allowed, and the kernel knows better. */
	if (geteuid() != 0)
		ATF_CHECK_EQ(by_path(&b, "/", op_chmod(0755)), EPERM);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(grant_itself);
ATF_TC_BODY(grant_itself, tc)
{
	struct box	 b;
	char		 link[4096];

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("file", "x");
	make_file("other", "x");
	make_file("target", "x");
	ATF_REQUIRE(symlink("target", "link") == 0);
	ATF_REQUIRE(mkfifo("fifo", 0644) == 0);
	snprintf(link, sizeof(link), "%s/link", absolute("."));
	box_start(&b, tc);
	box_path(&b, absolute("t"), GRANTED, 0);
	box_path(&b, absolute("file"), GRANTED, 0);
	box_path(&b, absolute("fifo"), GRANTED, 0);
	box_path(&b, link, GRANTED, 0);
	box_path(&b, "/dev/null", GRANTED, 0);
	box_channel(&b);
	box_end(&b);
	box_locked(&b);
	ATF_CHECK_EQ(by_path(&b, "t", op_chmod(0700)), 0);
	ATF_CHECK_EQ(mode_of("t"), 0700);
	ATF_CHECK_EQ(by_path(&b, "file", op_chmod(0600)), 0);
	ATF_CHECK_EQ(by_path(&b, "fifo", op_chmod(0600)), 0);
	ATF_CHECK_EQ(by_path(&b, "target", op_chmod(0600)), 0);
	ATF_CHECK_EQ(mode_of("target"), 0600);
	ATF_CHECK_EQ(by_path(&b, "link", op_chown(-1, -1)), DENIED(EPERM));
	ATF_CHECK_EQ(by_path(&b, "other", op_chmod(0600)), DENIED(EPERM));
	ATF_CHECK_EQ(by_path(&b, "/dev/null", op_chmod(0666)),
	    DENIED(EPERM));
	ATF_CHECK_EQ(by_path(&b, "/dev/zero", op_chmod(0666)),
	    DENIED(EPERM));

	/* Another file in its place is not what was granted. */
	ATF_REQUIRE(rename("other", "file") == 0);
	ATF_CHECK_EQ(by_path(&b, "file", op_chmod(0600)), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("file"), 0644);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(prefix);
ATF_TC_BODY(prefix, tc)
{
	struct box	 b;

	ATF_REQUIRE(mkdir("t", 0755) == 0 && mkdir("tt", 0755) == 0);
	make_file("tt/f", "x");
	make_file("t/f", "x");
	box_simple(&b, tc, absolute("t"), GRANTED);
	ATF_CHECK_EQ(by_path(&b, "tt/f", op_chmod(0600)), DENIED(EPERM));
	ATF_CHECK_EQ(by_path(&b, "tt", op_chmod(0700)), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("tt/f"), 0644);
	ATF_CHECK_EQ(by_path(&b, "t/f", op_chmod(0600)), 0);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	static const char	*const list[] = {
		"a\nb", "a\\012b", " (deleted)", "f (deleted)", "\x01\x1b[31m",
		"\xff\xfe", "...", "..x", "-f", "*", "pipe:[1]", "//"
	};
	struct box	 b;
	char		 path[512], name[256];
	size_t		 i;
	int		 fd;
	struct proto_meta	 pm = op_chmod(0600);

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (i = 0; i < sizeof(list) / sizeof(list[0]) - 1; i++) {
		snprintf(path, sizeof(path), "t/%s", list[i]);
		make_file(path, "x");
		ATF_CHECK_EQ(by_path(&b, path, op_chmod(0600)), 0);
		ATF_CHECK_EQ(mode_of(path), 0600);
	}
	memset(name, 'x', 255);
	name[255] = '\0';
	snprintf(path, sizeof(path), "t/%s", name);
	make_file(path, "x");
	ATF_CHECK_EQ(by_path(&b, path, op_chmod(0600)), 0);

	/*
	 * "t/f" is unlinked and /proc calls it "t/f (deleted)", which is the
	 * name of another file.
	 */
	ATF_REQUIRE(chmod("t/f (deleted)", 0644) == 0);
	make_file("t/f", "x");
	ATF_REQUIRE((fd = open("t/f", O_RDONLY | O_CLOEXEC)) != -1);
	ATF_REQUIRE(unlink("t/f") == 0);
	ATF_CHECK_EQ(box_meta(&b, fd, &pm), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("t/f (deleted)"), 0644);
	close(fd);
	box_stop(&b);
}

/* Deeper than a path can say: no name, no proof. */
ATF_TC_WITHOUT_HEAD(too_deep);
ATF_TC_BODY(too_deep, tc)
{
	struct proto_meta	 pm = op_chmod(0700);
	struct box		 b;
	struct stat		 st;
	char			 name[200];
	int			 dir, i, next;

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ATF_REQUIRE(mkdir("t", 0755) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	ATF_REQUIRE((dir = open("t", O_RDONLY | O_CLOEXEC)) != -1);
	for (i = 0; i < 30; i++) {
		ATF_REQUIRE(mkdirat(dir, name, 0755) == 0);
		ATF_REQUIRE((next = openat(dir, name, O_RDONLY |
		    O_CLOEXEC)) != -1);
		close(dir);
		dir = next;
		if (i == 0)
			ATF_CHECK_EQ(box_meta(&b, dir, &pm), 0);
	}
	ATF_CHECK_EQ(box_meta(&b, dir, &pm), DENIED(EPERM));
	ATF_REQUIRE(fstat(dir, &st) == 0);
	ATF_CHECK_EQ(st.st_mode & 07777, 0755);
	close(dir);
	box_stop(&b);
}

static mode_t
fd_mode(int fd)
{
	struct stat	 st;

	ATF_REQUIRE(fstat(fd, &st) == 0);
	return (st.st_mode & 07777);
}

static void
try_nameless(struct box *b, const char *what, int fd, int allowed)
{
	struct proto_meta	 pm = op_chmod(0640);
	mode_t			 mode = fd_mode(fd);
	int			 value;

	value = box_meta(b, fd, &pm);
	ATF_CHECK_MSG(value == (allowed ? 0 : DENIED(EPERM)), "%s: %d", what,
	    value);
	ATF_CHECK_MSG(fd_mode(fd) == (allowed ? 0640 : mode), "%s: %o", what,
	    fd_mode(fd));
	pm = op_utimes(1000, 0);
	ATF_CHECK_EQ(box_meta(b, fd, &pm), allowed ? 0 : DENIED(EPERM));
	close(fd);
}

static int
deleted(int flags)
{
	int	 fd;

	make_file("t/gone", "x");
	ATF_REQUIRE((fd = open("t/gone", flags | O_CLOEXEC)) != -1);
	ATF_REQUIRE(unlink("t/gone") == 0);
	return (fd);
}

ATF_TC_WITHOUT_HEAD(nameless);
ATF_TC_BODY(nameless, tc)
{
	struct box	 b;
	int		 fd, p[2];

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	try_nameless(&b, "deleted, read", deleted(O_RDONLY), 0);
	try_nameless(&b, "deleted, write", deleted(O_WRONLY), 1);
	try_nameless(&b, "deleted, both", deleted(O_RDWR), 1);
	try_nameless(&b, "deleted, O_PATH", deleted(O_PATH), 0);
	/* Landlock asks for no right here, so that it proves none. */
	try_nameless(&b, "deleted, mode 3", deleted(O_ACCMODE), 0);
	if ((fd = open("t", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) != -1)
		try_nameless(&b, "O_TMPFILE", fd, 1);
	ATF_REQUIRE((fd = memfd_create("x", MFD_CLOEXEC)) != -1);
	try_nameless(&b, "memfd", fd, 1);
	ATF_REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	try_nameless(&b, "pipe, read", p[0], 0);
	try_nameless(&b, "pipe, write", p[1], 1);

	/* A directory that is gone. */
	ATF_REQUIRE(mkdir("t/d", 0755) == 0);
	ATF_REQUIRE((fd = open("t/d", O_RDONLY | O_CLOEXEC)) != -1);
	ATF_REQUIRE(rmdir("t/d") == 0);
	try_nameless(&b, "directory", fd, 0);
	box_stop(&b);
}

/* One file with a name inside and one outside: the name in use decides. */
ATF_TC_WITHOUT_HEAD(hard_link);
ATF_TC_BODY(hard_link, tc)
{
	struct box	 b;

	ATF_REQUIRE(mkdir("t", 0755) == 0 && mkdir("out", 0755) == 0);
	make_file("out/f", "x");
	ATF_REQUIRE(link("out/f", "t/f") == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	ATF_CHECK_EQ(by_path(&b, "out/f", op_chmod(0600)), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("out/f"), 0644);
	ATF_CHECK_EQ(by_path(&b, "t/f", op_chmod(0600)), 0);
	ATF_CHECK_EQ(mode_of("out/f"), 0600);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(renamed);
ATF_TC_BODY(renamed, tc)
{
	struct proto_meta	 pm = op_chmod(0600);
	struct box		 b;
	int			 fd;

	ATF_REQUIRE(mkdir("t", 0755) == 0 && mkdir("out", 0755) == 0);
	make_file("t/f", "x");
	make_file("t/g", "x");
	box_simple(&b, tc, absolute("t"), GRANTED);
	ATF_CHECK_EQ(by_path(&b, "t/f", op_chmod(0640)), 0);

	/* The granted directory gets another name: it stays granted. */
	ATF_REQUIRE(rename("t", "u") == 0);
	ATF_CHECK_EQ(by_path(&b, "u/f", pm), 0);
	ATF_CHECK_EQ(mode_of("u/f"), 0600);

	/* Its old name goes to another directory, which is not. */
	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	ATF_CHECK_EQ(by_path(&b, "t/f", pm), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("t/f"), 0644);

	/* Opened below the grant, moved away before the request. */
	ATF_REQUIRE((fd = open("u/g", O_RDWR | O_CLOEXEC)) != -1);
	ATF_REQUIRE(rename("u/g", "out/g") == 0);
	ATF_CHECK_EQ(box_meta(&b, fd, &pm), DENIED(EPERM));
	ATF_CHECK_EQ(mode_of("out/g"), 0644);
	close(fd);
	box_stop(&b);
}

/*
 * A hostile process keeps swapping a directory of the tree with a link to a
 * directory outside that holds the same names.
 */
ATF_TC_WITHOUT_HEAD(symlink_swap);
ATF_TC_BODY(symlink_swap, tc)
{
	struct proto_meta	 pm = op_chmod(0600);
	struct box		 b;
	pid_t			 pid;
	int			 allowed = 0, fd_in, fd_out, i, status, value;

	ATF_REQUIRE(mkdir("t", 0755) == 0 && mkdir("out", 0755) == 0);
	ATF_REQUIRE(mkdir("t/d", 0755) == 0);
	make_file("t/d/f", "x");
	make_file("out/f", "x");
	ATF_REQUIRE(symlink("../out", "t/link") == 0);
	box_simple(&b, tc, absolute("t"), GRANTED);
	fd_in = open_path("t/d/f");
	fd_out = open_path("out/f");
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		for (;;)
			if (renameat2(AT_FDCWD, "t/d", AT_FDCWD, "t/link",
			    RENAME_EXCHANGE) == -1)
				_exit(1);
	}
	for (i = 0; i < 5000; i++) {
		value = box_meta(&b, fd_out, &pm);
		ATF_REQUIRE_EQ(value, DENIED(EPERM));
		value = box_meta(&b, fd_in, &pm);
		ATF_REQUIRE(value == 0 || value == DENIED(EPERM));
		allowed += value == 0;
	}
	kill(pid, SIGKILL);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE(WIFSIGNALED(status));
	ATF_CHECK_EQ(mode_of("out/f"), 0644);
	ATF_CHECK_EQ(fd_mode(fd_in), 0600);
	ATF_CHECK_MSG(allowed > 0, "no request ever passed");
	printf("allowed %d of 5000\n", allowed);
	box_stop(&b);
}

/* The file itself goes in and out of the tree while it is being asked for. */
ATF_TC_WITHOUT_HEAD(rename_race);
ATF_TC_BODY(rename_race, tc)
{
	struct proto_meta	 pm = op_chmod(0600);
	struct box		 b;
	pid_t			 pid;
	int			 counts[2] = { 0, 0 }, fd, i, status, value;

	ATF_REQUIRE(mkdir("t", 0755) == 0 && mkdir("out", 0755) == 0);
	make_file("t/f", "x");
	make_file("out/f", "x");
	box_simple(&b, tc, absolute("t"), GRANTED);
	fd = open_path("t/f");
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		for (;;)
			if (renameat2(AT_FDCWD, "t/f", AT_FDCWD, "out/f",
			    RENAME_EXCHANGE) == -1)
				_exit(1);
	}
	for (i = 0; i < 5000; i++) {
		value = box_meta(&b, fd, &pm);
		ATF_REQUIRE(value == 0 || value == DENIED(EPERM));
		counts[value != 0]++;
	}
	kill(pid, SIGKILL);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE(WIFSIGNALED(status));
	ATF_CHECK(counts[0] > 0);
	printf("allowed %d, denied %d\n", counts[0], counts[1]);
	/* The other file was never asked for and has never changed. */
	ATF_CHECK(mode_of("t/f") == 0644 || mode_of("out/f") == 0644);
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	static const int	 flags[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_ACCMODE
	};
	struct proto_meta	 pm;
	struct box		 b;
	size_t			 i;
	int			 fd;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		ATF_REQUIRE((fd = open("t/f", flags[i] | O_CLOEXEC)) != -1);
		pm = op_chmod(0600 + i);
		ATF_CHECK_EQ(box_meta(&b, fd, &pm), 0);
		ATF_CHECK_EQ(mode_of("t/f"), 0600 + i);
		close(fd);
		ATF_REQUIRE(chmod("t/f", 0644) == 0);
	}
	box_stop(&b);
}

ATF_TC_WITHOUT_HEAD(xattr_names);
ATF_TC_BODY(xattr_names, tc)
{
	static const char	*const denied[] = {
		"security.x", "security.capability", "security.selinux",
		"security.", "trusted.x", "trusted.overlay.opaque"
	};
	struct box	 b;
	char		 name[256], value[PROTO_XATTR_MAX], got[8];
	size_t		 i;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		ATF_CHECK_EQ(by_path(&b, "t/f", op_setxattr(denied[i], "v", 1,
		    0)), DENIED(EPERM));
		ATF_CHECK_EQ(by_path(&b, "t/f", op_removexattr(denied[i])),
		    DENIED(EPERM));
		ATF_CHECK(lgetxattr("t/f", denied[i], got, sizeof(got)) == -1);
	}
	ATF_CHECK_EQ(by_path(&b, "t/f", op_setxattr("user.x", "v", 1, 0)), 0);
	ATF_CHECK_EQ(lgetxattr("t/f", "user.x", got, sizeof(got)), 1);
	ATF_CHECK_EQ(got[0], 'v');
	ATF_CHECK_EQ(by_path(&b, "t/f", op_removexattr("user.x")), 0);
	ATF_CHECK(lgetxattr("t/f", "user.x", got, sizeof(got)) == -1);

	/* The largest name and the largest value. */
	memset(name, 'n', 255);
	memcpy(name, "user.", 5);
	name[255] = '\0';
	memset(value, 'v', sizeof(value));
	make_file("bare", "x");
	ATF_CHECK_EQ(by_path(&b, "t/f", op_setxattr(name, "v", 1, 0)),
	    lsetxattr("bare", name, "v", 1, 0) == -1 ? errno : 0);
	ATF_CHECK_EQ(by_path(&b, "t/f", op_setxattr("user.y", value,
	    sizeof(value), 0)),
	    lsetxattr("bare", "user.y", value, sizeof(value), 0) == -1 ?
	    errno : 0);
	box_stop(&b);
}

static void
refused_start(const atf_tc_t *tc, const char *path)
{
	struct box	 b;
	struct imsg	 imsg;
	char		*text;
	int		 status;

	box_start(&b, tc);
	box_path(&b, path, GRANTED, 0);
	ATF_REQUIRE_EQ(box_wait(&b.parent, &imsg, BOX_TIMEOUT), 1);
	ATF_REQUIRE_EQ(imsg_get_type(&imsg), IMSG_ERROR);
	ATF_REQUIRE(proto_recv_string(&imsg, &text) == 0);
	ATF_CHECK_MSG(strstr(text, path) != NULL &&
	    strstr(text, "No such file") != NULL, "%s", text);
	imsg_free(&imsg);
	status = box_status(&b);
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 125);
}

ATF_TC_WITHOUT_HEAD(missing_path);
ATF_TC_BODY(missing_path, tc)
{
	struct box	 b;

	refused_start(tc, "/does/not/exist");
	/* Without the rights that matter here nothing is opened. */
	box_simple(&b, tc, "/does/not/exist", PERM_READ);
	box_stop(&b);
}

/* A descriptor of cowd's own must not become a grant. */
ATF_TC_WITHOUT_HEAD(magic_link);
ATF_TC_BODY(magic_link, tc)
{
	struct proto_meta	 pm = op_now();
	struct box		 b;
	int			 fd;

	box_start(&b, tc);
	box_path(&b, "/proc/self/fd/1", GRANTED, 0);
	box_path(&b, "/dev/stdout", GRANTED, 0);
	box_channel(&b);
	box_end(&b);
	box_locked(&b);
	fd = open_path("/dev/null");
	ATF_CHECK_EQ(box_meta(&b, fd, &pm), DENIED(EPERM));
	close(fd);
	box_stop(&b);
}

/* The chmod of part of a program's life: many requests, no descriptor lost. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	struct box	 b;
	int		 i;

	ATF_REQUIRE(mkdir("t", 0755) == 0);
	make_file("t/f", "x");
	make_file("f", "x");
	box_simple(&b, tc, absolute("t"), GRANTED);
	for (i = 0; i < 6000; i++) {
		ATF_REQUIRE_EQ(by_path(&b, "t/f", op_chmod(0600)), 0);
		ATF_REQUIRE_EQ(by_path(&b, "f", op_chmod(0600)),
		    DENIED(EPERM));
	}
	box_stop(&b);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, equals_bare);
	ATF_TP_ADD_TC(tp, device);
	ATF_TP_ADD_TC(tp, foreign_owner);
	ATF_TP_ADD_TC(tp, outside);
	ATF_TP_ADD_TC(tp, rights);
	ATF_TP_ADD_TC(tp, no_grant);
	ATF_TP_ADD_TC(tp, nested);
	ATF_TP_ADD_TC(tp, whole_tree);
	ATF_TP_ADD_TC(tp, grant_itself);
	ATF_TP_ADD_TC(tp, prefix);
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, too_deep);
	ATF_TP_ADD_TC(tp, nameless);
	ATF_TP_ADD_TC(tp, hard_link);
	ATF_TP_ADD_TC(tp, renamed);
	ATF_TP_ADD_TC(tp, symlink_swap);
	ATF_TP_ADD_TC(tp, rename_race);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, xattr_names);
	ATF_TP_ADD_TC(tp, missing_path);
	ATF_TP_ADD_TC(tp, magic_link);
	ATF_TP_ADD_TC(tp, many);
	return (atf_no_error());
}
