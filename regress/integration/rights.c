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
 * What may be done to a tree, one line for each kind of access: tried on the
 * directory that is the argument, whose content the caller has made.  Every
 * try undoes what it did, so that one does not depend on another.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/fs.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
result(const char *what, int ret)
{
	printf("%s: %s\n", what, ret == -1 ? strerrorname_np(errno) : "ok");
}

static int
try_open(const char *path, int flags)
{
	int	 fd;

	if ((fd = open(path, flags | O_NONBLOCK, 0600)) == -1)
		return (-1);
	close(fd);
	return (0);
}

static int
try_list(void)
{
	DIR	*d;

	if ((d = opendir("dir")) == NULL)
		return (-1);
	closedir(d);
	return (0);
}

static int
try_exec(const char *path)
{
	pid_t	 pid;
	int	 status;

	fflush(stdout);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	errno = WEXITSTATUS(status);
	return (errno == 0 ? 0 : -1);
}

static int
try_map_exec(void)
{
	void	*p = MAP_FAILED;
	int	 fd;

	if ((fd = open("prog", O_RDONLY)) == -1)
		return (-1);
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return (-1);
	munmap(p, 4096);
	return (0);
}

static int
try_bind(void)
{
	struct sockaddr_un	 sun = { AF_UNIX, "newsock" };
	int			 fd, ret, saved_errno;

	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return (-1);
	ret = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	saved_errno = errno;
	close(fd);
	unlink("newsock");
	errno = saved_errno;
	return (ret);
}

static int
try_by_fd(int (*fn)(int))
{
	int	 fd, ret, saved_errno;

	if ((fd = open("file", O_RDONLY)) == -1)
		return (-1);
	ret = fn(fd);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (ret);
}

static int
fd_chmod(int fd)
{
	return (fchmod(fd, 0644));
}

static int
fd_utimes(int fd)
{
	return (futimens(fd, NULL));
}

static int
fd_xattr(int fd)
{
	return (fsetxattr(fd, "user.x", "y", 1, 0));
}

static int
fd_setflags(int fd)
{
	int	 flags = 0;

	return (ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int
undo(int ret, const char *from, const char *to)
{
	int	 saved_errno = errno;

	if (ret == 0 && rename(from, to) == -1)
		err(1, "%s", from);
	errno = saved_errno;
	return (ret);
}

static int
undo_unlink(int ret, const char *path)
{
	int	 saved_errno = errno;

	if (ret == 0 && unlink(path) == -1)
		err(1, "%s", path);
	errno = saved_errno;
	return (ret);
}

static void
use(void)
{
	char	 buf[64];

	result("read", try_open("file", O_RDONLY));
	result("write", try_open("file", O_WRONLY));
	result("read and write", try_open("file", O_RDWR));
	result("append", try_open("file", O_WRONLY | O_APPEND));
	result("neither", try_open("file", 3));
	result("name only", try_open("file", O_PATH));
	result("read and truncate", try_open("spare", O_RDONLY | O_TRUNC));
	result("write and truncate", try_open("spare", O_WRONLY | O_TRUNC));
	result("truncate", truncate("spare", 0));
	result("list", try_list());
	result("execute", try_exec("./prog"));
	result("execute a script", try_exec("./script"));
	result("map for execution", try_map_exec());
	result("readlink", readlink("link", buf, sizeof(buf)) == -1 ? -1 : 0);
	result("access", access("file", F_OK));
	result("chdir", chdir("dir") == -1 ? -1 : chdir(".."));
	result("read through a link", try_open("link", O_RDONLY));
	result("read a FIFO", try_open("fifo", O_RDONLY));
}

static void
create(void)
{
	result("create", undo_unlink(try_open("new", O_WRONLY | O_CREAT),
	    "new"));
	result("mkdir", mkdir("newdir", 0755) == -1 ? -1 : rmdir("newdir"));
	result("mkfifo", undo_unlink(mkfifo("newfifo", 0600), "newfifo"));
	result("mknod", undo_unlink(mknod("newreg", S_IFREG | 0600, 0),
	    "newreg"));
	result("mknod device", mknod("newdev", S_IFCHR | 0600, 0x103));
	result("symlink", undo_unlink(symlink("text", "newlink"), "newlink"));
	result("link", undo_unlink(link("file", "file2"), "file2"));
	result("link elsewhere", undo_unlink(link("file", "dir/file2"),
	    "dir/file2"));
	result("rename", undo(rename("file", "file2"), "file2", "file"));
	result("rename elsewhere", undo(rename("file", "dir/file2"),
	    "dir/file2", "file"));
	result("rename over", undo(rename("spare", "other"), "other",
	    "spare"));
	result("exchange", renameat2(AT_FDCWD, "file", AT_FDCWD, "dir/file",
	    RENAME_EXCHANGE));
	result("whiteout", renameat2(AT_FDCWD, "spare", AT_FDCWD, "spare2",
	    RENAME_WHITEOUT));
	result("unlink", unlink("victim"));
	result("rmdir", rmdir("emptydir"));
	result("bind", try_bind());
	result("temporary file", try_open(".", O_TMPFILE | O_RDWR));
}

static void
metadata(void)
{
	struct timespec	 ts[2] = { { 1, 2 }, { 3, 4 } };

	result("chmod", chmod("file", 0644));
	result("chmod of the tree", chmod(".", 0755));
	result("chown", chown("file", geteuid(), -1));
	result("lchown", lchown("link", geteuid(), -1));
	result("utimes", utimensat(AT_FDCWD, "file", ts, 0));
	result("lutimes", utimensat(AT_FDCWD, "link", ts,
	    AT_SYMLINK_NOFOLLOW));
	result("setxattr", setxattr("file", "user.x", "y", 1, 0));
	result("removexattr", removexattr("file", "user.x"));
	result("fchmod", try_by_fd(fd_chmod));
	result("futimes", try_by_fd(fd_utimes));
	result("fsetxattr", try_by_fd(fd_xattr));
	result("set flags", try_by_fd(fd_setflags));
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		errx(1, "usage: rights directory");
	if (chdir(argv[1]) == -1)
		err(1, "%s", argv[1]);
	umask(022);
	use();
	create();
	metadata();
	return (0);
}
