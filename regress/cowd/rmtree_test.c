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
 * Removal of hostile trees.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/capability.h>
#include <linux/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rmtree.h"

#include <atf-c.h>

static void
file(int dir, const char *name)
{
	int	 fd;

	ATF_REQUIRE_MSG((fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC,
	    0644)) != -1, "%s", strerror(errno));
	ATF_REQUIRE(write(fd, "x", 1) == 1);
	close(fd);
}

static int
directory(int at, const char *name)
{
	int	 fd;

	ATF_REQUIRE(mkdirat(at, name, 0755) == 0);
	ATF_REQUIRE((fd = openat(at, name, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) != -1);
	return (fd);
}

static int
exists(const char *path)
{
	struct stat	 st;

	return (lstat(path, &st) == 0);
}

/* As any program of the sandbox removes: without capabilities. 0 or errno. */
static int
removal(const char *name)
{
	struct __user_cap_header_struct	 header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct	 data[2];
	pid_t				 pid;
	int				 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		memset(data, 0, sizeof(data));
		if (syscall(SYS_capset, &header, data) == -1)
			_exit(255);
		_exit(rmtree(AT_FDCWD, name) == -1 ? errno : 0);
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE_MSG(WIFEXITED(status), "status %#x", status);
	return (WEXITSTATUS(status));
}

ATF_TC_WITHOUT_HEAD(plain);
ATF_TC_BODY(plain, tc)
{
	int	 d, e;

	d = directory(AT_FDCWD, "t");
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(!exists("t"));

	close(d);
	d = directory(AT_FDCWD, "t");
	file(d, "a");
	file(d, "b");
	e = directory(d, "c");
	file(e, "a");
	close(directory(e, "empty"));
	close(e);
	e = directory(d, "d");
	file(e, "x");
	close(e);
	close(d);
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(!exists("t"));
}

ATF_TC_WITHOUT_HEAD(not_directories);
ATF_TC_BODY(not_directories, tc)
{
	int	 d;

	ATF_CHECK_EQ(removal("missing"), 0);
	file(AT_FDCWD, "f");
	ATF_CHECK_EQ(removal("f"), 0);
	ATF_CHECK(!exists("f"));
	d = directory(AT_FDCWD, "out");
	file(d, "f");
	close(d);
	ATF_REQUIRE(symlink("out", "link") == 0);
	ATF_CHECK_EQ(removal("link"), 0);
	ATF_CHECK(!exists("link"));
	ATF_CHECK(exists("out/f"));
}

ATF_TC_WITHOUT_HEAD(bad_names);
ATF_TC_BODY(bad_names, tc)
{
	static const char	*const list[] = {
		"", ".", "..", "/", "a/b", "t/", "/t"
	};
	size_t	 i;

	close(directory(AT_FDCWD, "t"));
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		ATF_CHECK_EQ(removal(list[i]), EINVAL);
	ATF_CHECK(exists("t"));
}

ATF_TC_WITHOUT_HEAD(links);
ATF_TC_BODY(links, tc)
{
	struct sockaddr_un	 sun;
	char			 cwd[4096];
	int			 d, s;

	d = directory(AT_FDCWD, "out");
	file(d, "f");
	close(d);
	d = directory(AT_FDCWD, "t");
	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	strcat(cwd, "/out");
	ATF_REQUIRE(symlinkat("../out", d, "relative") == 0);
	ATF_REQUIRE(symlinkat(cwd, d, "absolute") == 0);
	ATF_REQUIRE(symlinkat("/", d, "root") == 0);
	ATF_REQUIRE(symlinkat("..", d, "up") == 0);
	ATF_REQUIRE(symlinkat("loop", d, "loop") == 0);
	ATF_REQUIRE(symlinkat("missing", d, "dangling") == 0);
	ATF_REQUIRE(linkat(AT_FDCWD, "out/f", d, "hard", 0) == 0);
	ATF_REQUIRE(mkfifoat(d, "fifo", 0) == 0);
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, "t/socket");
	ATF_REQUIRE((s = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(bind(s, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	close(s);
	close(d);
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(!exists("t"));
	ATF_CHECK(exists("out/f"));
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	char	 name[256];
	int	 d, i;

	d = directory(AT_FDCWD, "t");
	for (i = 1; i < 256; i++) {
		if (i == '/')
			continue;
		name[0] = i;
		name[1] = '\0';
		if (i != '.')
			file(d, name);
		name[1] = 'd';
		name[2] = '\0';
		close(directory(d, name));
	}
	file(d, "...");
	file(d, "..a");
	memset(name, '\xff', 255);
	name[255] = '\0';
	file(d, name);
	name[0] = 'd';
	close(directory(d, name));
	close(d);
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(!exists("t"));
}

/* Directories that keep their owner out. */
ATF_TC_WITHOUT_HEAD(modes);
ATF_TC_BODY(modes, tc)
{
	char	 name[16];
	int	 d, e, i, sub;

	d = directory(AT_FDCWD, "t");
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "%o", i);
		e = directory(d, name);
		file(e, "f");
		ATF_REQUIRE(fchmodat(e, "f", 0, 0) == 0);
		sub = directory(e, "sub");
		file(sub, "f");
		ATF_REQUIRE(fchmod(sub, i << 6) == 0);
		close(sub);
		ATF_REQUIRE(fchmod(e, i << 6) == 0);
		close(e);
	}
	ATF_REQUIRE(fchmod(d, 0) == 0);
	close(d);
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(!exists("t"));
}

/* Far deeper than a path, with few descriptors and a small stack. */
ATF_TC_WITHOUT_HEAD(deep);
ATF_TC_BODY(deep, tc)
{
	struct rlimit	 files = { 16, 16 }, stack = { 65536, 65536 };
	pid_t		 pid;
	int		 d, i, next, status;

	d = directory(AT_FDCWD, "t");
	for (i = 0; i < 10000; i++) {
		file(d, "f");
		next = directory(d, "d");
		if (i % 1000 == 0)
			ATF_REQUIRE(fchmod(d, 0500) == 0);
		close(d);
		d = next;
	}
	close(d);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (setrlimit(RLIMIT_NOFILE, &files) == -1 ||
		    setrlimit(RLIMIT_STACK, &stack) == -1)
			_exit(255);
		_exit(rmtree(AT_FDCWD, "t") == -1 ? errno : 0);
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "status %#x", status);
	ATF_CHECK(!exists("t"));
}

/* Wide, with non-empty directories between files. */
ATF_TC_WITHOUT_HEAD(wide);
ATF_TC_BODY(wide, tc)
{
	char	 name[32];
	int	 d, e, i;

	d = directory(AT_FDCWD, "t");
	for (i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "entry%d", i);
		if (i % 4 != 0) {
			file(d, name);
			continue;
		}
		e = directory(d, name);
		file(e, "f");
		close(e);
	}
	close(d);
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(!exists("t"));
}

static void
immutable(const char *path, int on)
{
	int	 fd, flags;

	ATF_REQUIRE((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == -1)
		atf_tc_skip("no inode flags here: %s", strerror(errno));
	if (on)
		flags |= FS_IMMUTABLE_FL;
	else
		flags &= ~FS_IMMUTABLE_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) == -1)
		atf_tc_skip("no immutable files here: %s", strerror(errno));
	close(fd);
}

/* What stays is reported, everything else goes. */
ATF_TC(immutable_file);
ATF_TC_HEAD(immutable_file, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(immutable_file, tc)
{
	char	 name[32];
	int	 d, e, i;

	d = directory(AT_FDCWD, "t");
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		e = directory(d, name);
		file(e, "a");
		file(e, "b");
		file(e, "c");
		close(e);
	}
	close(d);
	immutable("t/d50/b", 1);
	i = removal("t");
	immutable("t/d50/b", 0);
	ATF_CHECK_EQ(i, EPERM);
	ATF_CHECK(exists("t/d50/b"));
	ATF_CHECK(!exists("t/d50/a") && !exists("t/d50/c"));
	ATF_CHECK(!exists("t/d0") && !exists("t/d49") && !exists("t/d99"));
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(!exists("t"));
}

ATF_TC(immutable_directory);
ATF_TC_HEAD(immutable_directory, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(immutable_directory, tc)
{
	int	 d, e, f;

	d = directory(AT_FDCWD, "t");
	e = directory(d, "i");
	file(e, "stays");
	f = directory(e, "sub");
	file(f, "goes");
	close(f);
	close(e);
	file(d, "goes");
	close(d);
	immutable("t/i", 1);
	d = removal("t");
	immutable("t/i", 0);
	ATF_CHECK_EQ(d, EPERM);
	ATF_CHECK(exists("t/i/stays") && exists("t/i/sub"));
	ATF_CHECK(!exists("t/i/sub/goes") && !exists("t/goes"));
	ATF_CHECK_EQ(removal("t"), 0);
}

/* Directories of somebody else, in one of ours. */
ATF_TC(foreign);
ATF_TC_HEAD(foreign, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(foreign, tc)
{
	char	 name[16];
	int	 d, e, i;

	d = directory(AT_FDCWD, "t");
	e = directory(d, "closed");
	file(e, "stays");
	ATF_REQUIRE(fchown(e, 1234, 1234) == 0 && fchmod(e, 0700) == 0);
	close(e);
	/* May be read and not be searched: the way back would be lost. */
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "trap%d", i);
		e = directory(d, name);
		file(e, "stays");
		ATF_REQUIRE(fchown(e, 1234, 1234) == 0 &&
		    fchmod(e, 0744) == 0);
		close(e);
	}
	e = directory(d, "empty");
	ATF_REQUIRE(fchown(e, 1234, 1234) == 0 && fchmod(e, 0700) == 0);
	close(e);
	file(d, "goes");
	for (i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "z%d", i);
		e = directory(d, name);
		file(e, "goes");
		close(e);
	}
	close(d);
	d = removal("t");
	for (i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "t/z%d", i);
		ATF_CHECK(!exists(name));
	}
	ATF_CHECK_MSG(d == EPERM || d == EACCES, "%s", strerror(d));
	ATF_CHECK(exists("t/closed/stays") && exists("t/trap0/stays"));
	ATF_CHECK(!exists("t/empty") && !exists("t/goes"));
	/* The control: with capabilities it goes. */
	ATF_CHECK_EQ(rmtree(AT_FDCWD, "t"), 0);
	ATF_CHECK(!exists("t"));
}

ATF_TC(mount_point);
ATF_TC_HEAD(mount_point, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(mount_point, tc)
{
	int	 d;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		atf_tc_skip("no mount namespace: %s", strerror(errno));
	d = directory(AT_FDCWD, "t");
	close(directory(d, "m"));
	close(directory(d, "b"));
	file(d, "f");
	close(d);
	d = directory(AT_FDCWD, "same");
	file(d, "stays");
	close(d);
	ATF_REQUIRE(mount("none", "t/m", "tmpfs", 0, NULL) == 0);
	/* A bind mount has the device number of the tree. */
	ATF_REQUIRE(mount("same", "t/b", NULL, MS_BIND, NULL) == 0);
	ATF_REQUIRE((d = open("t/m", O_RDONLY | O_CLOEXEC)) != -1);
	file(d, "stays");
	close(d);
	ATF_CHECK_EQ(removal("t"), EBUSY);
	ATF_CHECK(exists("t/m/stays") && exists("t/b/stays") &&
	    !exists("t/f"));
	ATF_REQUIRE(umount("t/m") == 0 && umount("t/b") == 0);
	ATF_CHECK_EQ(removal("t"), 0);
	ATF_CHECK(exists("same/stays"));
}

/* The parent and cowd at once. */
ATF_TC_WITHOUT_HEAD(two_removers);
ATF_TC_BODY(two_removers, tc)
{
	char	 name[32];
	pid_t	 pid;
	int	 d, e, i, round, status;

	for (round = 0; round < 8; round++) {
		d = directory(AT_FDCWD, "t");
		for (i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "d%d", i);
			e = directory(d, name);
			file(e, "a");
			close(directory(e, "b"));
			close(e);
		}
		close(d);
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0)
			_exit(rmtree(AT_FDCWD, "t") == -1 ? errno : 0);
		i = rmtree(AT_FDCWD, "t") == -1 ? errno : 0;
		ATF_CHECK_MSG(i == 0, "%s", strerror(i));
		ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		ATF_CHECK_MSG(status == 0, "status %#x", status);
		ATF_REQUIRE(!exists("t"));
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, plain);
	ATF_TP_ADD_TC(tp, not_directories);
	ATF_TP_ADD_TC(tp, bad_names);
	ATF_TP_ADD_TC(tp, links);
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, modes);
	ATF_TP_ADD_TC(tp, deep);
	ATF_TP_ADD_TC(tp, wide);
	ATF_TP_ADD_TC(tp, immutable_file);
	ATF_TP_ADD_TC(tp, immutable_directory);
	ATF_TP_ADD_TC(tp, foreign);
	ATF_TP_ADD_TC(tp, mount_point);
	ATF_TP_ADD_TC(tp, two_removers);
	return (atf_no_error());
}
