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
 * One list of system calls, made in the current directory, with the outcome of
 * each on a line of its own.  The tests run it bare and in a sandbox that
 * grants the directory, and compare: a call that a worker makes for its caller
 * must answer as the kernel does.  Calls are made raw, so that no libc stands
 * between.
 */

#include <sys/types.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat	463
#define SYS_removexattrat 466
#endif

struct xattr_arguments {
	uint64_t	 value;
	uint32_t	 size;
	uint32_t	 flags;
};

struct spelling {
	const char	*name;
	const char	*path;		/* any bit pattern */
};

static const struct timespec	 some_times[2] = {
	{ 981173106, 123456789 }, { 981173107, 987654321 }
};
static const struct timeval	 some_timevals[2] = {
	{ 981173106, 123456 }, { 981173107, 987654 }
};

static struct spelling		 spellings[80];
static size_t			 nspellings;

static void
result(const char *call, const char *what, long ret)
{
	printf("%s %s: %s\n", call, what,
	    ret == -1 ? strerrorname_np(errno) : "ok");
}

static void
spelling_add(const char *name, const void *path)
{
	if (nspellings == nitems(spellings))
		errx(1, "too many spellings");
	spellings[nspellings].name = name;
	spellings[nspellings].path = path;
	nspellings++;
}

static void
make_file(const char *path)
{
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)) == -1 ||
	    write(fd, "content\n", 8) != 8)
		err(1, "%s", path);
	close(fd);
}

static void
make_link(const char *text, const char *path)
{
	if (symlink(text, path) == -1)
		err(1, "%s", path);
}

/* Chains of links: the kernel follows 40. */
static void
make_chain(const char *prefix, int n)
{
	char	 from[32], to[32];
	int	 i;

	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "%s%d", prefix, i);
		snprintf(to, sizeof(to), "%s%d", prefix, i + 1);
		make_link(i == n - 1 ? "file" : to, from);
	}
}

static void
make_tree(void)
{
	char	 cwd[PATH_MAX], path[PATH_MAX + 16];

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		err(1, "getcwd");
	make_file("file");
	make_file("other");
	if (mkdir("dir", 0755) == -1 || mkdir("dir/sub", 0755) == -1)
		err(1, "mkdir");
	make_file("dir/file");
	make_file("dir/sub/file");
	make_link("file", "link");
	make_link("dir", "dirlink");
	make_link("dir/", "dirlinkslash");
	make_link("file/", "filelinkslash");
	make_link("missing", "dangling");
	make_link("loopb", "loopa");
	make_link("loopa", "loopb");
	make_link("self", "self");
	make_link("../dir/sub/../file", "dir/roundabout");
	snprintf(path, sizeof(path), "%s/file", cwd);
	make_link(path, "absolute");
	make_link("/proc/self/cwd/file", "procself");
	make_chain("chain", 40);
	make_chain("toolong", 41);
	if (mkfifo("fifo", 0644) == -1)
		err(1, "mkfifo");
}

/* A string whose NUL, or whose last byte, is the last of its page. */
static char *
at_page_end(const char *s, int with_nul)
{
	size_t	 len = strlen(s) + (with_nul ? 1 : 0);
	size_t	 page = sysconf(_SC_PAGESIZE);
	char	*p;

	p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || munmap(p + 2 * page, page) == -1)
		err(1, "mmap");
	memcpy(p + 2 * page - len, s, len);
	return (p + 2 * page - len);
}

/* A name of this many bytes that means "file". */
static char *
long_name(size_t len)
{
	char	*s;
	size_t	 i;

	if ((s = malloc(len + 1)) == NULL)
		err(1, "malloc");
	/* "file" with the right number of slashes and dots before it. */
	for (i = 0; i < len - 4; i++)
		s[i] = i % 2 == 0 ? '.' : '/';
	if (s[len - 5] == '.')
		s[len - 5] = '/';
	memcpy(s + len - 4, "file", 5);
	return (s);
}

static char *
long_component(size_t len)
{
	char	*s;

	if ((s = malloc(len + 1)) == NULL)
		err(1, "malloc");
	memset(s, 'n', len);
	s[len] = '\0';
	return (s);
}

static void
make_spellings(void)
{
	char	 cwd[PATH_MAX], *s;

	spelling_add("file", "file");
	spelling_add("./file", "./file");
	spelling_add("//", "dir//sub/.././/sub/file");
	spelling_add("file/", "file/");
	spelling_add("file/.", "file/.");
	spelling_add("file/x", "file/x");
	spelling_add("dir", "dir");
	spelling_add("dir/", "dir/");
	spelling_add("dir/.", "dir/.");
	spelling_add("dir/..", "dir/sub/..");
	spelling_add("missing", "missing");
	spelling_add("missing/x", "missing/x");
	spelling_add("empty", "");
	spelling_add("link", "link");
	spelling_add("link/", "link/");
	spelling_add("dirlink", "dirlink");
	spelling_add("dirlink/", "dirlink/");
	spelling_add("dirlink/file", "dirlink/file");
	spelling_add("dirlinkslash", "dirlinkslash");
	spelling_add("filelinkslash", "filelinkslash");
	spelling_add("dangling", "dangling");
	spelling_add("dangling/", "dangling/");
	spelling_add("loop", "loopa");
	spelling_add("loop/x", "loopa/x");
	spelling_add("self", "self");
	spelling_add("roundabout", "dir/roundabout");
	spelling_add("absolute", "absolute");
	spelling_add("procself", "procself");
	spelling_add("chain of 40", "chain0");
	spelling_add("chain of 41", "toolong0");
	spelling_add("fifo", "fifo");
	spelling_add("proc/self/cwd", "/proc/self/cwd/file");
	spelling_add("proc/thread-self/cwd", "/proc/thread-self/cwd/file");
	spelling_add("proc/self/task", "/proc/self/task/../cwd/file");
	spelling_add("proc/self/fd file", "/proc/self/fd/100");
	spelling_add("proc/self/fd dir", "/proc/self/fd/101/file");
	spelling_add("proc/self/fd dir/..", "/proc/self/fd/101/../file");
	spelling_add("proc/self/fd closed", "/proc/self/fd/102");
	spelling_add("proc/self/fd path", "/proc/self/fd/103");
	spelling_add("proc/thread-self/fd", "/proc/thread-self/fd/100");
	spelling_add("dev/fd", "/dev/fd/100");
	spelling_add("name at page end", at_page_end("file", 1));
	spelling_add("name over page end", at_page_end("file", 0));
	spelling_add("4095", long_name(4095));
	spelling_add("4096", long_name(4096));
	spelling_add("5000", long_name(5000));
	spelling_add("4095 at page end", at_page_end(long_name(4095), 1));
	spelling_add("4096 over page end", at_page_end(long_name(4096), 0));
	spelling_add("255", long_component(255));
	spelling_add("256", long_component(256));
	spelling_add("255/", "dir/");
	spelling_add("null", NULL);
	spelling_add("one", (void *)1);
	spelling_add("minus one", (void *)-1);
	spelling_add("kernel", (void *)0xffff888000000000);
	spelling_add("non-canonical", (void *)0x8000000000000000);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		err(1, "getcwd");
	if (asprintf(&s, "%s/file", cwd) == -1)
		err(1, "asprintf");
	spelling_add("absolute name", s);
	if (asprintf(&s, "/proc/self/root%s/file", cwd) == -1)
		err(1, "asprintf");
	spelling_add("proc/self/root", s);
}

/* Descriptors that the spellings and the calls by descriptor use. */
static void
at_number(int fd, int number)
{
	if (fd == -1 || dup3(fd, number, O_CLOEXEC) == -1)
		err(1, "descriptor %d", number);
	close(fd);
}

static int
deleted(int flags)
{
	int	 fd;

	make_file("deleted");
	fd = open("deleted", flags);
	if (unlink("deleted") == -1)
		err(1, "unlink");
	return (fd);
}

/* Of a device the metadata would be the host's: a pipe is nobody's. */
static int
pipe_end(int which)
{
	int	 fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		err(1, "pipe");
	return (fds[which]);
}

static const char *const fd_names[] = {
	"read", "dir", "closed", "path", "write", "path dir", "deleted write",
	"memfd", "tmpfile", "pipe", "append", "fifo", "path link", "negative"
};

static void
make_descriptors(void)
{
	at_number(open("file", O_RDONLY), 100);
	at_number(open("dir", O_RDONLY | O_DIRECTORY), 101);
	close(102);
	at_number(open("file", O_PATH), 103);
	at_number(open("file", O_WRONLY), 104);
	at_number(open("dir", O_PATH), 105);
	at_number(deleted(O_RDWR), 106);
	at_number(memfd_create("memory", 0), 107);
	at_number(open(".", O_TMPFILE | O_RDWR, 0600), 108);
	at_number(pipe_end(1), 109);
	at_number(open("file", O_RDWR | O_APPEND), 110);
	at_number(open("fifo", O_RDWR | O_NONBLOCK), 111);
	at_number(open("link", O_PATH | O_NOFOLLOW), 112);
}

static int
fd_number(size_t i)
{
	return (i == nitems(fd_names) - 1 ? -1 : 100 + (int)i);
}

/* Calls by path: every call for every spelling. */
static void
by_path(void)
{
	struct utimbuf	 ut = { 1, 2 };
	uid_t		 uid = geteuid();
	gid_t		 gid = getegid();
	const char	*n, *p;
	size_t		 i;

	for (i = 0; i < nspellings; i++) {
		n = spellings[i].name;
		p = spellings[i].path;
		result("chmod", n, syscall(SYS_chmod, p, 0740));
		result("fchmodat", n, syscall(SYS_fchmodat, AT_FDCWD, p,
		    0700));
		result("fchmodat2", n, syscall(SYS_fchmodat2, AT_FDCWD, p,
		    0744, 0));
		result("fchmodat2 nofollow", n, syscall(SYS_fchmodat2,
		    AT_FDCWD, p, 0740, AT_SYMLINK_NOFOLLOW));
		result("fchmodat2 empty", n, syscall(SYS_fchmodat2,
		    AT_FDCWD, p, 0750, AT_EMPTY_PATH));
		result("chown", n, syscall(SYS_chown, p, uid, gid));
		result("chown nobody", n, syscall(SYS_chown, p, -1, -1));
		result("lchown", n, syscall(SYS_lchown, p, uid, -1));
		result("fchownat", n, syscall(SYS_fchownat, AT_FDCWD, p, -1,
		    gid, 0));
		result("fchownat nofollow", n, syscall(SYS_fchownat, AT_FDCWD,
		    p, uid, gid, AT_SYMLINK_NOFOLLOW));
		result("fchownat empty", n, syscall(SYS_fchownat, AT_FDCWD,
		    p, uid, gid, AT_EMPTY_PATH));
		result("utime", n, syscall(SYS_utime, p, &ut));
		result("utime now", n, syscall(SYS_utime, p, NULL));
		result("utimes", n, syscall(SYS_utimes, p, some_timevals));
		result("futimesat", n, syscall(SYS_futimesat, AT_FDCWD, p,
		    some_timevals));
		result("utimensat", n, syscall(SYS_utimensat, AT_FDCWD, p,
		    some_times, 0));
		result("utimensat nofollow", n, syscall(SYS_utimensat,
		    AT_FDCWD, p, some_times, AT_SYMLINK_NOFOLLOW));
		result("utimensat empty", n, syscall(SYS_utimensat,
		    AT_FDCWD, p, some_times, AT_EMPTY_PATH));
		result("setxattr", n, syscall(SYS_setxattr, p, "user.a",
		    "value", 5, 0));
		result("lsetxattr", n, syscall(SYS_lsetxattr, p, "user.b",
		    "value", 5, 0));
		result("removexattr", n, syscall(SYS_removexattr, p,
		    "user.a"));
		result("lremovexattr", n, syscall(SYS_lremovexattr, p,
		    "user.b"));
		result("removexattr gone", n, syscall(SYS_removexattr, p,
		    "user.a"));
	}
}

/* Calls by directory descriptor and name. */
static void
by_dirfd(void)
{
	static const struct spelling	 names[] = {
		{ "file", "file" }, { "sub/file", "sub/file" },
		{ "missing", "missing" }, { "..", "../file" },
		{ "empty", "" }, { "null", NULL },
		{ "/", "/proc/self/cwd/file" }
	};
	static const int		 flags[] = {
		0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH,
		AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, AT_SYMLINK_FOLLOW,
		AT_REMOVEDIR, 0x8000
	};
	struct xattr_arguments		 xa = { (uintptr_t)"v", 1, 0 };
	char				 what[128];
	uid_t				 uid = geteuid();
	const char			*p;
	size_t				 d, f, n;
	int				 fd;

	for (d = 0; d < nitems(fd_names); d++)
	for (n = 0; n < nitems(names); n++)
	for (f = 0; f < nitems(flags); f++) {
		fd = fd_number(d);
		p = names[n].path;
		snprintf(what, sizeof(what), "at %s, %s, %#x", fd_names[d],
		    names[n].name, flags[f]);
		result("fchmodat2", what, syscall(SYS_fchmodat2, fd, p, 0744,
		    flags[f]));
		result("fchownat", what, syscall(SYS_fchownat, fd, p, uid, -1,
		    flags[f]));
		result("utimensat", what, syscall(SYS_utimensat, fd, p,
		    some_times, flags[f]));
		result("setxattrat", what, syscall(SYS_setxattrat, fd, p,
		    flags[f], "user.at", &xa, sizeof(xa)));
		result("removexattrat", what, syscall(SYS_removexattrat, fd,
		    p, flags[f], "user.at"));
		if (flags[f] != 0)
			continue;
		result("fchmodat", what, syscall(SYS_fchmodat, fd, p, 0700));
		result("futimesat", what, syscall(SYS_futimesat, fd, p,
		    some_timevals));
	}
}

/* Calls by descriptor, and glibc's way round through /proc/self/fd. */
static void
by_fd(void)
{
	char	 link[32];
	size_t	 d;
	int	 fd;

	for (d = 0; d < nitems(fd_names); d++) {
		fd = fd_number(d);
		result("fchmod", fd_names[d], syscall(SYS_fchmod, fd, 0700));
		result("fchown", fd_names[d], syscall(SYS_fchown, fd,
		    geteuid(), -1));
		result("futimens", fd_names[d], syscall(SYS_utimensat, fd,
		    NULL, some_times, 0));
		result("futimes", fd_names[d], syscall(SYS_futimesat, fd,
		    NULL, some_timevals));
		result("fsetxattr", fd_names[d], syscall(SYS_fsetxattr, fd,
		    "user.fd", "x", 1, 0));
		result("fremovexattr", fd_names[d], syscall(SYS_fremovexattr,
		    fd, "user.fd"));
		result("glibc fchmodat nofollow", fd_names[d],
		    fchmodat(fd, "file", 0700, AT_SYMLINK_NOFOLLOW));
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		result("chmod of /proc/self/fd", fd_names[d],
		    syscall(SYS_chmod, link, 0740));
		result("lchown of /proc/self/fd", fd_names[d],
		    syscall(SYS_lchown, link, geteuid(), -1));
	}
}

static void
bad_times(const char *what, time_t sec, long nsec)
{
	struct timespec	 ts[2] = { { sec, nsec }, { 1, 1 } };
	struct timeval	 tv[2] = { { 1, 1 }, { sec, nsec } };
	struct stat	 st;

	result("utimensat", what, syscall(SYS_utimensat, AT_FDCWD, "other", ts,
	    0));
	if (nsec != UTIME_NOW && nsec != UTIME_OMIT && stat("other", &st) == 0)
		printf("%s: %lld.%09ld\n", what, (long long)st.st_atim.tv_sec,
		    st.st_atim.tv_nsec);
	result("utimes", what, syscall(SYS_utimes, "other", tv));
	result("futimesat", what, syscall(SYS_futimesat, AT_FDCWD, "other",
	    tv));
}

static void
arguments(void)
{
	const struct timespec	 omit[2] = { { 0, UTIME_OMIT },
				    { 0, UTIME_OMIT } };
	struct stat		 st;
	unsigned int		 mode;

	bad_times("negative", -1, 5);
	bad_times("before 1901", -5000000000, 5);
	bad_times("far", 5000000000, 5);
	bad_times("minus nanosecond", 1, -1);
	bad_times("a second", 1, 1000000000);
	bad_times("a second of usec", 1, 1000000);
	bad_times("now", 1, UTIME_NOW);
	bad_times("omit", 1, UTIME_OMIT);
	result("utimensat", "omit missing", syscall(SYS_utimensat, AT_FDCWD,
	    "missing", omit, 0));
	result("utimensat", "omit null", syscall(SYS_utimensat, AT_FDCWD,
	    NULL, omit, 0));
	result("utimensat", "omit closed", syscall(SYS_utimensat, 102, NULL,
	    omit, 0));
	result("utimensat", "bad times", syscall(SYS_utimensat, AT_FDCWD,
	    "file", (void *)1, 0));
	result("utimes", "bad times", syscall(SYS_utimes, "file", (void *)1));
	result("utimes", "bad both", syscall(SYS_utimes, (void *)1,
	    (void *)1));
	result("utime", "bad times", syscall(SYS_utime, "file", (void *)1));
	result("utime", "missing, bad times", syscall(SYS_utime, "missing",
	    (void *)1));
	result("chown", "both bad", syscall(SYS_chown, (void *)1, -2, -2));
	result("chown", "root", syscall(SYS_chown, "other", 0, -1));
	result("chown", "id 4294967294", syscall(SYS_chown, "other", -2, -1));
	result("chown", "group 1", syscall(SYS_chown, "other", -1, 1));
	for (mode = 0; mode < 16; mode++) {
		if (syscall(SYS_chmod, "other", mode << 9 | 0644) == -1 ||
		    stat("other", &st) == -1)
			printf("mode %o: %m\n", mode);
		else
			printf("mode %o: %o\n", mode, st.st_mode);
	}
	/* A change of the owner clears these. */
	syscall(SYS_chmod, "other", 06755);
	syscall(SYS_chown, "other", geteuid(), getegid());
	printf("after chown: %o\n", stat("other", &st) == 0 ? st.st_mode : 0);
}

static void
one_xattr(const char *what, const char *name, const void *value, size_t len,
    int flags)
{
	char	 buf[16];

	result("setxattr", what, syscall(SYS_setxattr, "other", name, value,
	    len, flags));
	result("fsetxattr", what, syscall(SYS_fsetxattr, 104, name, value,
	    len, flags));
	result("setxattr missing", what, syscall(SYS_setxattr, "missing", name,
	    value, len, flags));
	result("fsetxattr closed", what, syscall(SYS_fsetxattr, 102, name,
	    value, len, flags));
	result("getxattr", what, syscall(SYS_getxattr, "other", name, buf,
	    sizeof(buf)));
	result("removexattr", what, syscall(SYS_removexattr, "other", name));
	result("fremovexattr", what, syscall(SYS_fremovexattr, 104, name));
	result("removexattr missing", what, syscall(SYS_removexattr, "missing",
	    name));
}

static void
xattrs(void)
{
	static char		 big[70000];
	char			 name[300] = "user.";
	struct {
		struct xattr_arguments	 xa;
		uint64_t		 more;
	} args = { { (uintptr_t)"v", 1, 0 }, 0 };

	one_xattr("plain", "user.x", "value", 5, 0);
	one_xattr("create", "user.x", "value", 5, XATTR_CREATE);
	one_xattr("replace", "user.x", "value", 5, XATTR_REPLACE);
	one_xattr("both", "user.x", "value", 5, XATTR_CREATE | XATTR_REPLACE);
	one_xattr("bad flag", "user.x", "value", 5, 4);
	one_xattr("no value", "user.x", NULL, 0, 0);
	one_xattr("null value", "user.x", NULL, 5, 0);
	one_xattr("bad value", "user.x", (void *)1, 5, 0);
	one_xattr("bad value of no length", "user.x", (void *)1, 0, 0);
	one_xattr("65536", "user.x", big, 65536, 0);
	one_xattr("65537", "user.x", big, 65537, 0);
	one_xattr("huge", "user.x", big, SIZE_MAX, 0);
	one_xattr("4 GB", "user.x", big, 1UL << 32, 0);
	one_xattr("2000", "user.x", big, 2000, 0);
	one_xattr("no name", "", "value", 5, 0);
	one_xattr("no name space", "x", "value", 5, 0);
	one_xattr("unknown name space", "none.x", "value", 5, 0);
	one_xattr("only name space", "user.", "value", 5, 0);
	one_xattr("null name", NULL, "value", 5, 0);
	one_xattr("bad name", (void *)1, "value", 5, 0);
	memset(name + 5, 'n', 250);
	one_xattr("name of 255", name, "value", 5, 0);
	name[255] = 'n';
	one_xattr("name of 256", name, "value", 5, 0);
	one_xattr("acl", "system.posix_acl_access", "value", 5, 0);

	result("setxattrat", "size 0", syscall(SYS_setxattrat, AT_FDCWD,
	    "other", 0, "user.x", &args, 0));
	result("setxattrat", "size 8", syscall(SYS_setxattrat, AT_FDCWD,
	    "other", 0, "user.x", &args, 8));
	result("setxattrat", "larger", syscall(SYS_setxattrat, AT_FDCWD,
	    "other", 0, "user.x", &args, sizeof(args)));
	args.more = 1;
	result("setxattrat", "larger not 0", syscall(SYS_setxattrat, AT_FDCWD,
	    "other", 0, "user.x", &args, sizeof(args)));
	result("setxattrat", "size 5000", syscall(SYS_setxattrat, AT_FDCWD,
	    "other", 0, "user.x", &args, 5000));
	result("setxattrat", "bad arguments", syscall(SYS_setxattrat, AT_FDCWD,
	    "other", 0, "user.x", (void *)1, sizeof(args.xa)));
}

static void
closing(const char *call, const char *what, int fd)
{
	result(call, what, fd);
	if (fd != -1)
		close(fd);
}

/* What Landlock alone decides. */
static void
files(void)
{
	static const struct {
		const char	*name;
		int		 flags;
	} opens[] = {
		{ "r", O_RDONLY }, { "w", O_WRONLY }, { "rw", O_RDWR },
		{ "creat", O_RDWR | O_CREAT },
		{ "excl", O_RDWR | O_CREAT | O_EXCL },
		{ "trunc", O_WRONLY | O_TRUNC },
		{ "directory", O_RDONLY | O_DIRECTORY },
		{ "path", O_PATH }, { "nofollow", O_RDONLY | O_NOFOLLOW },
		{ "path nofollow", O_PATH | O_NOFOLLOW }
	};
	struct sockaddr_un	 sun = { AF_UNIX, "bound" };
	char			 what[128];
	size_t			 i, j;
	int			 fd;

	for (i = 0; i < nspellings; i++)
		for (j = 0; j < nitems(opens); j++) {
			if (strcmp(spellings[i].name, "fifo") == 0)
				continue;
			snprintf(what, sizeof(what), "%s %s", opens[j].name,
			    spellings[i].name);
			closing("open", what, syscall(SYS_open,
			    spellings[i].path, opens[j].flags | O_NONBLOCK,
			    0644));
			if (strcmp(opens[j].name, "creat") == 0 ||
			    strcmp(opens[j].name, "excl") == 0)
				unlink("missing");
		}
	closing("creat", "new", syscall(SYS_creat, "new", 0640));
	result("mkdir", "new", syscall(SYS_mkdir, "newdir", 0750));
	result("mkdirat", "new", syscall(SYS_mkdirat, 101, "newdir", 0750));
	result("mknod", "fifo", syscall(SYS_mknod, "newfifo", S_IFIFO | 0600,
	    0));
	result("mknod", "file", syscall(SYS_mknod, "newreg", S_IFREG | 0600,
	    0));
	result("mknodat", "socket", syscall(SYS_mknodat, AT_FDCWD, "newsock",
	    S_IFSOCK | 0600, 0));
	result("symlink", "new", syscall(SYS_symlink, "text", "newlink"));
	result("link", "same directory", syscall(SYS_link, "file", "file2"));
	result("link", "other directory", syscall(SYS_link, "file",
	    "dir/file2"));
	result("linkat", "follow", syscall(SYS_linkat, AT_FDCWD, "link",
	    AT_FDCWD, "file3", AT_SYMLINK_FOLLOW));
	result("linkat", "of a link", syscall(SYS_linkat, AT_FDCWD, "link",
	    AT_FDCWD, "link2", 0));
	result("rename", "same directory", syscall(SYS_rename, "file2",
	    "file4"));
	result("rename", "other directory", syscall(SYS_rename, "file4",
	    "dir/sub/file4"));
	result("rename", "directory", syscall(SYS_rename, "newdir",
	    "dir/newdir2"));
	result("rename", "over", syscall(SYS_rename, "dir/file2",
	    "dir/sub/file4"));
	result("renameat2", "exchange", syscall(SYS_renameat2, AT_FDCWD,
	    "file", AT_FDCWD, "dir/file", 2));
	result("renameat2", "noreplace", syscall(SYS_renameat2, AT_FDCWD,
	    "file", AT_FDCWD, "dir/file", 1));
	result("truncate", "file", syscall(SYS_truncate, "file", 3));
	result("truncate", "dir", syscall(SYS_truncate, "dir", 3));
	result("ftruncate", "write", syscall(SYS_ftruncate, 104, 100));
	result("ftruncate", "read", syscall(SYS_ftruncate, 100, 100));
	result("fallocate", "write", syscall(SYS_fallocate, 104, 0, 0, 5000));
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	snprintf(what, sizeof(what), "/proc/self/fd/%d", fd);
	result("linkat", "tmpfile", syscall(SYS_linkat, AT_FDCWD, what,
	    AT_FDCWD, "fromtmp", AT_SYMLINK_FOLLOW));
	result("linkat", "memfd", syscall(SYS_linkat, AT_FDCWD,
	    "/proc/self/fd/107", AT_FDCWD, "frommem", AT_SYMLINK_FOLLOW));
	result("unlink", "dir", syscall(SYS_unlink, "dir"));
	result("unlinkat", "rmdir", syscall(SYS_unlinkat, 101, "newdir",
	    AT_REMOVEDIR));
	result("rmdir", "full", syscall(SYS_rmdir, "dir"));
	result("unlink", "link", syscall(SYS_unlink, "link2"));
	result("access", "file", syscall(SYS_access, "file", R_OK | W_OK));
	result("chdir", "dir", syscall(SYS_chdir, "dir"));
	result("chmod", "after chdir", syscall(SYS_chmod, "roundabout", 0604));
	result("chmod", "sub", syscall(SYS_chmod, "sub/file", 0606));
	result("fchdir", "path", syscall(SYS_fchdir, 105));
	result("chdir", "back", syscall(SYS_chdir, ".."));
	result("utimensat", "after chdir", syscall(SYS_utimensat, AT_FDCWD,
	    "dir/sub/file", some_times, 0));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1) {
		result("bind", "new", bind(fd, (struct sockaddr *)&sun,
		    sizeof(sun)));
		result("fchmod", "of a socket", fchmod(fd, 0600));
		close(fd);
	}
	result("chmod", "a bound socket", chmod("bound", 0600));
	result("chmod", "removed working directory",
	    mkdir("gone", 0755) == 0 && chdir("gone") == 0 &&
	    rmdir("../gone") == 0 ? chmod(".", 0700) : 0);
	result("chmod", "in removed working directory", chmod("x", 0700));
}

static void
opens(const char *name, const char *path)
{
	static const struct {
		const char	*name;
		int		 flags;
	}		 ways[] = {
		{ "open", O_RDONLY },
		{ "open path", O_PATH },
		{ "open path nofollow", O_PATH | O_NOFOLLOW },
		{ "open nofollow", O_RDONLY | O_NOFOLLOW },
		{ "open directory", O_RDONLY | O_DIRECTORY },
		{ "open write", O_WRONLY },
		{ "open both truncate", O_RDWR | O_TRUNC },
		{ "open create", O_RDWR | O_CREAT },
		{ "open create exclusively", O_RDWR | O_CREAT | O_EXCL },
		{ "open create read", O_RDONLY | O_CREAT },
		{ "open create directory", O_RDWR | O_CREAT | O_DIRECTORY },
		{ "open nameless", O_RDWR | O_TMPFILE },
		{ "open nameless read", O_RDONLY | O_TMPFILE }
	};
	size_t		 i;
	int		 fd;

	for (i = 0; i < nitems(ways); i++) {
		fd = syscall(SYS_openat, AT_FDCWD, path, ways[i].flags |
		    O_NONBLOCK, 0644);
		result(ways[i].name, name, fd);
		if (fd != -1)
			close(fd);
	}
}

/* What only looks, or leads somewhere. */
static void
looks(const char *name, const char *path, int top, int watch)
{
	struct stat	 st;
	struct statfs	 sf;
	char		 buf[4096];

	result("stat", name, syscall(SYS_stat, path, &st));
	result("lstat", name, syscall(SYS_lstat, path, &st));
	result("newfstatat empty", name, syscall(SYS_newfstatat, AT_FDCWD,
	    path, &st, AT_EMPTY_PATH));
	result("stat nowhere", name, syscall(SYS_stat, path, NULL));
	result("access", name, syscall(SYS_access, path, R_OK | W_OK));
	result("access nothing", name, syscall(SYS_access, path, F_OK));
	result("access mode", name, syscall(SYS_access, path, 8));
	result("readlink", name, syscall(SYS_readlink, path, buf, 1));
	result("readlink nothing", name, syscall(SYS_readlink, path, buf, 0));
	result("readlink nowhere", name, syscall(SYS_readlink, path, NULL, 9));
	result("getxattr", name, syscall(SYS_getxattr, path, "user.a", buf,
	    sizeof(buf)));
	result("listxattr", name, syscall(SYS_listxattr, path, buf,
	    sizeof(buf)));
	result("statfs", name, syscall(SYS_statfs, path, &sf));
	result("inotify_add_watch", name, syscall(SYS_inotify_add_watch,
	    watch, path, 1));
	result("chdir", name, syscall(SYS_chdir, path));
	if (fchdir(top) == -1)
		err(1, "fchdir");
}

/* What changes names. */
static void
renames(const char *name, const char *path)
{
	result("mkdir", name, syscall(SYS_mkdir, path, 0755));
	result("rmdir", name, syscall(SYS_rmdir, path));
	result("mknod", name, syscall(SYS_mknod, path, S_IFIFO | 0644, 0));
	result("symlink", name, syscall(SYS_symlink, "text", path));
	result("symlink to it", name, syscall(SYS_symlink, path, "new"));
	unlink("new");
	result("truncate", name, syscall(SYS_truncate, path, 3));
	result("truncate negative", name, syscall(SYS_truncate, path, -3L));
	result("rename itself", name, syscall(SYS_rename, path, path));
	result("link", name, syscall(SYS_link, path, "new"));
	unlink("new");
	result("linkat follow", name, syscall(SYS_linkat, AT_FDCWD, path,
	    AT_FDCWD, "new", AT_SYMLINK_FOLLOW));
	unlink("new");
	result("link over", name, syscall(SYS_link, "other", path));
	result("rename", name, syscall(SYS_rename, path, "new"));
	result("rename back", name, syscall(SYS_rename, "new", path));
	unlink("new");
	rmdir("new");
	result("renameat2 noreplace", name, syscall(SYS_renameat2, AT_FDCWD,
	    "other", AT_FDCWD, path, 1));
	result("renameat2 exchange", name, syscall(SYS_renameat2, AT_FDCWD,
	    "other", AT_FDCWD, path, 2));
	result("renameat2 back", name, syscall(SYS_renameat2, AT_FDCWD,
	    "other", AT_FDCWD, path, 2));
	result("unlinkat flags", name, syscall(SYS_unlinkat, AT_FDCWD, path,
	    0x4000));
}

/* Calls on names, as a merged working directory answers them. */
static void
by_name(void)
{
	char	 other[32];
	size_t	 i;
	int	 top, watch;

	if ((top = open(".", O_PATH | O_DIRECTORY)) == -1 ||
	    (watch = inotify_init1(IN_CLOEXEC)) == -1)
		err(1, "top");
	for (i = 0; i < nspellings; i++) {
		opens(spellings[i].name, spellings[i].path);
		looks(spellings[i].name, spellings[i].path, top, watch);
		renames(spellings[i].name, spellings[i].path);
		result("file of the old directory", spellings[i].name,
		    syscall(SYS_faccessat, 101, "file", F_OK));
		/* It may have become something else. */
		snprintf(other, sizeof(other), "other%zu", i);
		(void)rename("other", other);
		make_file("other");
	}
	close(watch);
	close(top);
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	umask(022);
	/* The tree may be there, as that of a merged working directory. */
	if (argc < 2 || access("file", F_OK) == -1)
		make_tree();
	if (argc == 2 && strcmp(argv[1], "tree") == 0)
		return (0);
	make_spellings();
	make_descriptors();
	if (argc == 2 && strcmp(argv[1], "names") == 0) {
		by_name();
		return (fflush(stdout) == 0 ? 0 : 1);
	}
	by_path();
	by_dirfd();
	by_fd();
	arguments();
	xattrs();
	files();
	return (fflush(stdout) == 0 ? 0 : 1);
}
