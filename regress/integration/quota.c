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
 * Ways to fill a file system.  "quota WAY N" takes what comes to N KiB, or N
 * inodes, and says "done"; or how much there was when that failed, and the
 * errno.  What is left is looked at from outside.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/fs.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef RWF_APPEND
#define RWF_APPEND	0x00000010
#endif

#define CHUNK		10240
#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

static char		 data[CHUNK];
static char		*big;		/* for long names */
static const char	*where = "f";

/* The result so far, in bytes or things, and how it ended. */
static int
result(long long n, int error)
{
	if (error == 0) {
		printf("done\n");
		return (0);
	}
	printf("%s after %lld\n", strerrorname_np(error), n);
	return (3);
}

static int
file(int flags)
{
	int	 fd;

	if ((fd = open(where, O_RDWR | O_CREAT | flags, 0600)) == -1)
		err(1, "%s", where);
	return (fd);
}

static ssize_t
put_write(int fd, size_t n, off_t at)
{
	(void)at;
	return (write(fd, data, n));
}

static ssize_t
put_pwrite(int fd, size_t n, off_t at)
{
	return (pwrite(fd, data, n, at));
}

static ssize_t
put_writev(int fd, size_t n, off_t at)
{
	struct iovec	 iov[2] = { { data, n / 2 }, { data, n - n / 2 } };

	(void)at;
	return (writev(fd, iov, 2));
}

static ssize_t
put_pwritev(int fd, size_t n, off_t at)
{
	struct iovec	 iov[2] = { { data, n / 2 }, { data, n - n / 2 } };

	return (pwritev(fd, iov, 2, at));
}

static ssize_t
put_pwritev2(int fd, size_t n, off_t at)
{
	struct iovec	 iov = { data, n };

	(void)at;
	return (pwritev2(fd, &iov, 1, 0, RWF_APPEND));
}

/* A second file that is below every limit. */
static int
source(void)
{
	static int	 fd = -1;

	if (fd != -1)
		return (fd);
	if ((fd = open("source", O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1 ||
	    write(fd, data, CHUNK) != CHUNK)
		err(1, "source");
	return (fd);
}

static ssize_t
put_copy(int fd, size_t n, off_t at)
{
	loff_t	 in = 0, out = at;

	return (copy_file_range(source(), &in, fd, &out, n, 0));
}

static ssize_t
put_sendfile(int fd, size_t n, off_t at)
{
	off_t	 in = 0;

	(void)at;
	return (sendfile(fd, source(), &in, n));
}

/* What programs do where a pipe cannot be spliced. */
static ssize_t
splice_or_write(int from, int to, size_t n)
{
	static char	 part[CHUNK];
	ssize_t		 got, ret;

	if ((ret = splice(from, NULL, to, NULL, n, 0)) != -1 ||
	    errno != EINVAL)
		return (ret);
	if ((got = read(from, part, n)) == -1)
		err(1, "pipe");
	/* What there is no room for is not asked for again. */
	return (write(to, part, got));
}

static ssize_t
put_splice(int fd, size_t n, off_t at)
{
	static int	 pair[2] = { -1, -1 };
	static size_t	 in;

	(void)at;
	if (pair[0] == -1 && pipe(pair) == -1)
		err(1, "pipe");
	if (in < n) {
		if (write(pair[1], data, n - in) != (ssize_t)(n - in))
			err(1, "pipe");
		in = n;
	}
	if ((ssize_t)(n = splice_or_write(pair[0], fd, n)) > 0)
		in -= n;
	return (n);
}

/* With a file that grows, and whatever there is of it at the end. */
static const struct {
	const char	*name;
	ssize_t		(*put)(int, size_t, off_t);
	int		 flags;
} puts_[] = {
	{ "write", put_write, O_TRUNC },
	{ "append", put_write, O_APPEND },
	{ "pwrite", put_pwrite, O_TRUNC },
	{ "writev", put_writev, O_TRUNC },
	{ "pwritev", put_pwritev, O_TRUNC },
	{ "pwritev2", put_pwritev2, O_TRUNC },
	{ "copy", put_copy, O_TRUNC },
	{ "sendfile", put_sendfile, O_TRUNC },
	{ "splice", put_splice, O_TRUNC }
};

static int
grow(int fd, ssize_t (*put)(int, size_t, off_t), long long kib)
{
	long long	 at = 0, end = kib * 1024;
	struct stat	 st;
	ssize_t		 n = 0;
	int		 error;

	while (at < end) {
		n = end - at < CHUNK ? end - at : CHUNK;
		if ((n = put(fd, n, at)) <= 0)
			break;
		at += n;
	}
	error = at >= end ? 0 : n == 0 ? EIO : errno;
	if (fstat(fd, &st) == -1)
		err(1, "fstat");
	/* What was said to be written is there, and no more. */
	if (st.st_size != at)
		errx(1, "%lld bytes, not %lld", (long long)st.st_size, at);
	return (result(at, error));
}

static int
tmpfile_grow(long long kib)
{
	int	 fd;

	if ((fd = open(".", O_TMPFILE | O_RDWR, 0600)) == -1)
		err(1, "O_TMPFILE");
	return (grow(fd, put_write, kib));
}

static int
unlinked_grow(long long kib)
{
	int	 fd = file(O_TRUNC);

	if (unlink(where) == -1)
		err(1, "unlink");
	return (grow(fd, put_write, kib));
}

/* Of a file that has data, its last name goes, and then the file. */
static int
give_back(long long kib)
{
	int	 fd, i;

	for (i = 0; i < 3; i++) {
		fd = file(O_TRUNC);
		if (grow(fd, put_write, kib) != 0)
			return (3);
		if (i != 1) {
			if (unlink(where) == -1)
				err(1, "unlink");
			close(fd);
		} else if (ftruncate(fd, 0) == -1 || close(fd) == -1)
			err(1, "ftruncate");
	}
	return (result(0, 0));
}

/* Whatever its mode is. */
static int
read_only(long long kib)
{
	int	 fd, i;

	for (i = 0; i < 3; i++) {
		fd = file(O_TRUNC);
		if (grow(fd, put_write, kib) != 0)
			return (3);
		if (fchmod(fd, i == 0 ? 0444 : 0400) == -1)
			err(1, "fchmod");
		if (i != 1)
			close(fd);
		if (unlink(where) == -1)
			err(1, "unlink");
		if (i == 1)
			close(fd);
	}
	return (result(0, 0));
}

/* It does not come back while it is open, mapped, or on its way. */
static int
keep_open(long long kib)
{
	char		 control[CMSG_SPACE(sizeof(int))], byte = 0;
	struct iovec	 iov = { &byte, 1 };
	struct msghdr	 msg;
	struct cmsghdr	*cmsg;
	char		*p;
	int		 fd, pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		err(1, "socketpair");
	fd = file(O_TRUNC);
	if (grow(fd, put_write, kib) != 0)
		return (3);
	if ((p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0)) ==
	    MAP_FAILED || unlink(where) == -1)
		err(1, "mmap");
	close(fd);
	printf("mapped: ");
	fd = file(O_TRUNC);
	if (grow(fd, put_write, kib) == 0)
		errx(1, "there was room");
	if (p[0] != 'x')
		errx(1, "lost");
	munmap(p, 4096);
	close(fd);
	fd = file(O_TRUNC);
	if (grow(fd, put_write, kib) != 0)
		return (3);
	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	if (sendmsg(pair[0], &msg, 0) != 1 || unlink(where) == -1 ||
	    close(fd) == -1)
		err(1, "sendmsg");
	printf("sent: ");
	fd = file(O_TRUNC);
	if (grow(fd, put_write, kib) == 0)
		errx(1, "there was room");
	if (recvmsg(pair[1], &msg, 0) != 1)
		err(1, "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	if (pread(fd, &byte, 1, 0) != 1 || byte != 'x')
		errx(1, "lost");
	close(fd);
	return (grow(file(O_TRUNC), put_write, kib));
}

static int
resize(int fd, int error)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		err(1, "fstat");
	if (error != 0 && st.st_size != 0)
		errx(1, "%lld bytes", (long long)st.st_size);
	return (result(0, error));
}

static int
way_ftruncate(long long kib)
{
	int	 fd = file(O_TRUNC);

	return (resize(fd, ftruncate(fd, kib * 1024) == -1 ? errno : 0));
}

static int
way_truncate(long long kib)
{
	int	 fd = file(O_TRUNC);

	return (resize(fd, truncate(where, kib * 1024) == -1 ? errno : 0));
}

static int
way_fallocate(long long kib)
{
	int	 fd = file(O_TRUNC);

	return (resize(fd, fallocate(fd, 0, 0, kib * 1024) == -1 ? errno : 0));
}

/* Blocks beyond the end of a file are not to be had. */
static int
way_keep_size(long long kib)
{
	struct stat	 st;
	int		 fd = file(O_TRUNC), error;

	error = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, kib * 1024) == -1 ?
	    errno : 0;
	if (fstat(fd, &st) == -1 || (error != 0 && st.st_blocks != 0))
		errx(1, "blocks");
	return (result(0, error));
}

/* Many holes, each stored into by a mapping. */
static int
way_mmap(long long kib)
{
	char	 name[32], *p;
	long	 i, j;
	int	 fd;

	for (i = 0; i * 256 < kib; i++) {
		snprintf(name, sizeof(name), "m%ld", i);
		where = name;
		fd = file(O_TRUNC);
		if (ftruncate(fd, 256 * 1024) == -1)
			return (result(i * 256, errno));
		if ((p = mmap(NULL, 256 * 1024, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0)) == MAP_FAILED)
			err(1, "mmap");
		for (j = 0; j < 256 * 1024; j += 4096)
			p[j] = 1;
		if (msync(p, 256 * 1024, MS_SYNC) == -1)
			err(1, "msync");
		munmap(p, 256 * 1024);
		close(fd);
	}
	return (result(0, 0));
}

static int
clone_file(long long kib)
{
	int	 fd = file(O_TRUNC);

	(void)kib;
	return (result(0, ioctl(fd, FICLONE, source()) == -1 ? errno : 0));
}

static int
way_aio(long long kib)
{
	unsigned long	 context = 0;

	(void)kib;
	return (result(0, syscall(SYS_io_setup, 1, &context) == -1 ? errno :
	    0));
}

/* Things of one kind, each with a name of its own. */
static int
make_empty(const char *name)
{
	int	 fd;

	if ((fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600)) == -1)
		return (-1);
	return (close(fd));
}

static int
make_directory(const char *name)
{
	return (mkdir(name, 0700));
}

static int
make_fifo(const char *name)
{
	return (mkfifo(name, 0600));
}

static int
make_symlink(const char *name)
{
	return (symlink(big, name));
}

static int
make_link(const char *name)
{
	close(source());
	return (link("source", name));
}

static int
make_socket(const char *name)
{
	struct sockaddr_un	 sun;
	int			 fd, ret;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", name);
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	ret = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	close(fd);
	return (ret);
}

/* The value is new each time, on a file of its own. */
static int
make_xattr(const char *name)
{
	int	 fd;

	if ((fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600)) == -1)
		return (-1);
	close(fd);
	return (setxattr(name, "user.x", big, 2000, 0));
}

static int
make_lower_open(const char *name)
{
	int	 fd;

	if ((fd = open(name, O_WRONLY)) == -1)
		return (-1);
	return (close(fd));
}

static int
make_lower_chmod(const char *name)
{
	return (chmod(name, 0640));
}

static int
make_lower_link(const char *name)
{
	char	 to[64];

	snprintf(to, sizeof(to), "%s.link", name);
	return (link(name, to));
}

static int
make_lower_rename(const char *name)
{
	char	 to[64];

	snprintf(to, sizeof(to), "%s.new", name);
	return (rename(name, to));
}

static int
make_lower_truncate(const char *name)
{
	return (truncate(name, 5));
}

static const struct {
	const char	*name;
	int		(*make)(const char *);
} makes[] = {
	{ "empty", make_empty },
	{ "directory", make_directory },
	{ "fifo", make_fifo },
	{ "symlink", make_symlink },
	{ "link", make_link },
	{ "socket", make_socket },
	{ "xattr", make_xattr },
	/* These are there before, as lower0, lower1 and so on. */
	{ "lower_open", make_lower_open },
	{ "lower_chmod", make_lower_chmod },
	{ "lower_link", make_lower_link },
	{ "lower_rename", make_lower_rename },
	{ "lower_truncate", make_lower_truncate }
};

static int
make(const char *way, int (*fn)(const char *), long long n)
{
	char		 name[32];
	long long	 i;

	for (i = 0; i < n; i++) {
		if (strncmp(way, "lower", 5) == 0)
			snprintf(name, sizeof(name), "lower%lld", i);
		else
			snprintf(name, sizeof(name), "n%lld", i);
		if (fn(name) == -1)
			return (result(i, errno));
	}
	return (result(0, 0));
}

/* Four at once, a file each. */
static int
writers(long long kib)
{
	static char	 name[8];
	pid_t		 pid[4];
	int		 fd[4], i, status, worst = 0;

	fflush(stdout);
	/* There is room for all four files before one of them takes it. */
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		where = name;
		fd[i] = file(O_TRUNC);
	}
	for (i = 0; i < 4; i++) {
		if ((pid[i] = fork()) == -1)
			err(1, "fork");
		if (pid[i] == 0)
			exit(grow(fd[i], put_write, kib));
	}
	for (i = 0; i < 4; i++) {
		if (waitpid(pid[i], &status, 0) == -1 || !WIFEXITED(status))
			errx(1, "a writer died");
		if (WEXITSTATUS(status) > worst)
			worst = WEXITSTATUS(status);
	}
	return (worst);
}

/*
 * The descriptor is a pipe when the call is looked at, and a file when the
 * kernel makes it: which is when a signal says that the size is limited.
 */
static atomic_int	 stop;
static int		 race_pipe, race_file, race_fd;

static void *
race_flip(void *arg)
{
	(void)arg;
	while (!stop) {
		dup2(race_pipe, race_fd);
		dup2(race_file, race_fd);
	}
	return (NULL);
}

static void *
race_drain(void *arg)
{
	char	 buf[65536];
	int	 fd = *(int *)arg;

	while (!stop && read(fd, buf, sizeof(buf)) > 0)
		continue;
	return (NULL);
}

/* How often the file changes places with the pipe in mid-call, at N tries. */
static int
race(long long n)
{
	pthread_t	 flip, drain;
	struct stat	 st;
	long long	 i, caught = 0;
	int		 pair[2];

	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	race_file = file(O_TRUNC);
	if (pipe(pair) == -1)
		err(1, "pipe");
	race_pipe = pair[1];
	race_fd = 100;
	if (dup2(race_pipe, race_fd) == -1 ||
	    pthread_create(&flip, NULL, race_flip, NULL) != 0 ||
	    pthread_create(&drain, NULL, race_drain, &pair[0]) != 0)
		err(1, "race");
	for (i = 0; i < n; i++)
		if (write(race_fd, data, CHUNK) == -1 && errno == EFBIG)
			caught++;
	stop = 1;
	pthread_join(flip, NULL);
	close(race_fd);
	if (write(race_pipe, data, 1) == -1)
		err(1, "pipe");
	pthread_join(drain, NULL);
	if (fstat(race_file, &st) == -1)
		err(1, "fstat");
	fprintf(stderr, "%lld of %lld caught, %lld bytes\n", caught, n,
	    (long long)st.st_size);
	return (result(0, 0));
}

/* The limit that keeps the kernel from it stays. */
static int
limit(long long n)
{
	struct rlimit	 rl = { n, n };

	if (setrlimit(RLIMIT_FSIZE, &rl) == 0)
		return (result(0, 0));
	return (result(0, errno));
}

/* One write of it all, in part where not all fits. */
static int
whole(long long kib)
{
	struct stat	 st;
	char		*all;
	ssize_t		 n;
	int		 fd = file(O_TRUNC);

	if ((all = malloc(kib * 1024)) == NULL)
		err(1, "malloc");
	memset(all, 'x', kib * 1024);
	n = write(fd, all, kib * 1024);
	if (fstat(fd, &st) == -1 || st.st_size != n || lseek(fd, 0,
	    SEEK_CUR) != n)
		errx(1, "%lld bytes", (long long)st.st_size);
	if (n < kib * 1024 && (write(fd, all, 1) != -1 || errno != ENOSPC))
		errx(1, "there is room after a short write");
	return (result(n, n == kib * 1024 ? 0 : ENOSPC));
}

/* Another looks at names while it is written, and nobody calls after that. */
static int
turns(long long kib)
{
	struct stat	 st;
	pid_t		 pid;
	char		*all;
	int		 fd, i, status;

	if ((all = calloc(kib, 1024)) == NULL)
		err(1, "calloc");
	for (i = 0; i < 5; i++) {
		fd = file(O_TRUNC);
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0)
			_exit(write(fd, all, kib * 1024) != kib * 1024);
		close(fd);
		alarm(20);
		while (waitpid(pid, &status, WNOHANG) == 0)
			if (lstat("missing", &st) == 0)
				errx(1, "missing is there");
		if (status != 0)
			errx(1, "status %#x", status);
	}
	return (result(0, 0));
}

/* Parts of one file to others of it: apart, over one another, up to its end. */
static int
within(long long unused)
{
	static const struct {
		loff_t	 in, out;
		size_t	 n;
		ssize_t	 ret;
	} copies[] = {
		{ 4096, 0, 4096, 4096 },
		{ 4096, 4100, 4096, -1 },
		{ 4100, 4096, 4092, -1 },
		{ 0, 8192, 1024 * 1024, 8192 }
	};
	loff_t	 in, out;
	ssize_t	 n;
	size_t	 i;
	char	 c;
	int	 fd = file(O_TRUNC);

	(void)unused;
	memset(data + 4096, 'y', 4096);
	if (write(fd, data, 8192) != 8192)
		err(1, "write");
	for (i = 0; i < nitems(copies); i++) {
		in = copies[i].in;
		out = copies[i].out;
		n = copy_file_range(fd, &in, fd, &out, copies[i].n, 0);
		if (n != copies[i].ret || (n == -1 && errno != EINVAL))
			err(1, "copy %zu: %zd", i, n);
	}
	if (pread(fd, &c, 1, 8192) != 1 || c != 'y')
		errx(1, "the copy is another");
	return (result(0, 0));
}

/* A file that holds no data, and tells what it likes. */
static int
from_proc(long long unused)
{
	char	 buf[4096];
	off_t	 at = 0;
	ssize_t	 n;
	int	 from, to = file(O_TRUNC);

	(void)unused;
	if ((from = open("/proc/meminfo", O_RDONLY)) == -1)
		err(1, "/proc/meminfo");
	if (sendfile(to, from, &at, sizeof(buf)) == -1)
		return (result(0, errno));
	if ((n = pread(to, buf, sizeof(buf) - 1, 0)) <= 0)
		err(1, "nothing was sent");
	return (result(0, 0));
}

static const struct {
	const char	*name;
	int		(*fn)(long long);
} ways[] = {
	{ "tmpfile", tmpfile_grow },
	{ "unlinked", unlinked_grow },
	{ "give_back", give_back },
	{ "read_only", read_only },
	{ "keep_open", keep_open },
	{ "ftruncate", way_ftruncate },
	{ "truncate", way_truncate },
	{ "fallocate", way_fallocate },
	{ "keep_size", way_keep_size },
	{ "mmap", way_mmap },
	{ "clone", clone_file },
	{ "aio", way_aio },
	{ "writers", writers },
	{ "race", race },
	{ "limit", limit },
	{ "whole", whole },
	{ "turns", turns },
	{ "within", within },
	{ "from_proc", from_proc }
};

int
main(int argc, char **argv)
{
	long long	 n;
	size_t		 i;

	if (argc != 3)
		errx(1, "usage: quota way n");
	setvbuf(stdout, NULL, _IOLBF, 0);
	n = strtoll(argv[2], NULL, 10);
	memset(data, 'x', sizeof(data));
	if ((big = calloc(1, 4096)) == NULL)
		err(1, NULL);
	memset(big, 'y', 4000);
	for (i = 0; i < nitems(puts_); i++)
		if (strcmp(argv[1], puts_[i].name) == 0)
			return (grow(file(puts_[i].flags), puts_[i].put, n));
	for (i = 0; i < nitems(makes); i++)
		if (strcmp(argv[1], makes[i].name) == 0)
			return (make(argv[1], makes[i].make, n));
	for (i = 0; i < nitems(ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			return (ways[i].fn(n));
	errx(1, "no way %s", argv[1]);
}
