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
 * A caller that is killed while its call is judged, and another process that
 * gets its number, by "reuse CALL command ...": the command is the sandbox with
 * "reuse inside CALL port port" in it, or for the control "reuse itself CALL
 * port port": there the other process makes the call, too, which has to be
 * noticed.
 *
 * The supervisor is held in front of one system call of its own after the
 * other.  There the caller dies, the next process gets its number, and the
 * supervisor goes on.  Everything of the two differs: what is at an address,
 * the directory they stand in, what their descriptors are of.  Whatever was
 * done for the first may have been done; nothing may have happened to the
 * second, and nothing that is a mixture of both.
 *
 * One call of the supervisor is let pass: process_vm_writev(2) knows a process
 * by its number alone, so that what lies between the last look at the caller
 * and the answer in its memory cannot be closed, only be short.
 *
 * By "reuse storm command ..." nothing is held: callers are killed at any time,
 * one after the other, and all get the same number.  What writes an answer into
 * the caller's memory is left out.
 *
 * It needs a pid name space of its own, in which nobody else forks, and the
 * right to say which number is the next.
 */

#include <sys/types.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <netinet/in.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#define FILE_FD		10	/* a file of the caller */
#define SOCK_FD		11	/* a socket of it */
#define QUEUE_FD	12	/* an inotify queue */
#define OFFSET		7	/* of the file */
#define STEPS_MAX	400
#define PATIENCE_MS	10000
#define STORM_MS	2000
#define STORM_CALL_US	1500	/* a caller lives at most that long */

/*
 * What the two have at the same addresses.  The second is a child of the same
 * process, with its names and numbers in place of the first one's.
 */
static struct {
	char			 name[64];
	char			 other[64];
	char			 text[64];
	char			 full[PATH_MAX + 16];	/* name, absolute */
	struct timespec		 times[2];
	struct sockaddr_un	 sun;
	struct sockaddr_in	 sin;
	char			 buf[4096];
} mem;
static int	 ports[2];
static char	 top[PATH_MAX];	/* that da and db lie in */
static int	 itself;	/* the control: the other one calls, too */

/* The calls.  Names are relative to da or db, and end in a or b. */

static long
call_open(void)
{
	return (syscall(SYS_open, mem.other, O_CREAT | O_WRONLY | O_CLOEXEC,
	    0600));
}

static long
call_read(void)
{
	return (syscall(SYS_open, mem.name, O_RDONLY));
}

static long
call_chmod(void)
{
	return (syscall(SYS_chmod, mem.name, 0604));
}

static long
call_fchmod(void)
{
	return (syscall(SYS_fchmod, FILE_FD, 0604));
}

static long
call_utimes(void)
{
	return (syscall(SYS_utimensat, AT_FDCWD, mem.name, mem.times, 0));
}

static long
call_setxattr(void)
{
	return (syscall(SYS_setxattr, mem.name, "user.mark", mem.text,
	    sizeof(mem.text), 0));
}

static long
call_unlink(void)
{
	return (syscall(SYS_unlink, mem.name));
}

static long
call_mkdir(void)
{
	return (syscall(SYS_mkdir, mem.other, 0700));
}

static long
call_rename(void)
{
	return (syscall(SYS_rename, mem.name, mem.other));
}

static long
call_link(void)
{
	return (syscall(SYS_link, mem.name, mem.other));
}

static long
call_symlink(void)
{
	return (syscall(SYS_symlink, mem.text, mem.other));
}

static long
call_truncate(void)
{
	return (syscall(SYS_truncate, mem.name, 3));
}

static long
call_ftruncate(void)
{
	return (syscall(SYS_ftruncate, FILE_FD, 3));
}

static long
call_write(void)
{
	return (syscall(SYS_write, FILE_FD, mem.text, sizeof(mem.text)));
}

static long
call_copy(void)
{
	return (syscall(SYS_copy_file_range, FILE_FD, NULL, FILE_FD,
	    &mem.times[0].tv_sec, 5, 0));
}

static long
call_bind(void)
{
	return (syscall(SYS_bind, SOCK_FD, &mem.sun, sizeof(mem.sun)));
}

static long
call_connect(void)
{
	return (syscall(SYS_connect, SOCK_FD, &mem.sin, sizeof(mem.sin)));
}

static long
call_listen(void)
{
	return (syscall(SYS_listen, SOCK_FD, 1));
}

static long
call_chdir(void)
{
	return (syscall(SYS_chdir, mem.full));
}

static long
call_path(void)
{
	return (syscall(SYS_open, mem.full, O_PATH));
}

static long
call_watch(void)
{
	return (syscall(SYS_inotify_add_watch, QUEUE_FD, mem.name, IN_MODIFY));
}

static long
call_stat(void)
{
	return (syscall(SYS_stat, mem.name, mem.buf));
}

static long
call_getdents(void)
{
	return (syscall(SYS_getdents64, FILE_FD, mem.buf, sizeof(mem.buf)));
}

static long
call_getcwd(void)
{
	return (syscall(SYS_getcwd, mem.buf, sizeof(mem.buf)));
}

static const struct way {
	const char	*name;
	long		(*make)(void);
	int		 isdir;		/* NAME is one, and FILE_FD of it */
	int		 type;		/* of the socket */
} ways[] = {
	{ "open", call_open, 0, 0 },
	{ "read", call_read, 0, 0 },
	{ "chmod", call_chmod, 0, 0 },
	{ "fchmod", call_fchmod, 0, 0 },
	{ "utimes", call_utimes, 0, 0 },
	{ "setxattr", call_setxattr, 0, 0 },
	{ "unlink", call_unlink, 0, 0 },
	{ "mkdir", call_mkdir, 0, 0 },
	{ "rename", call_rename, 0, 0 },
	{ "link", call_link, 0, 0 },
	{ "symlink", call_symlink, 0, 0 },
	{ "truncate", call_truncate, 0, 0 },
	{ "ftruncate", call_ftruncate, 0, 0 },
	{ "write", call_write, 0, 0 },
	{ "copy", call_copy, 0, 0 },
	{ "bind", call_bind, 0, AF_UNIX },
	{ "connect", call_connect, 0, AF_INET },
	{ "listen", call_listen, 0, AF_INET },
	{ "chdir", call_chdir, 1, 0 },
	{ "path", call_path, 0, 0 },
	{ "watch", call_watch, 0, 0 },
	{ "stat", call_stat, 0, 0 },
	{ "getdents", call_getdents, 1, 0 },
	{ "getcwd", call_getcwd, 0, 0 }
};

static const struct way *
way_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < nitems(ways); i++)
		if (strcmp(ways[i].name, name) == 0)
			return (&ways[i]);
	errx(1, "no call %s", name);
}

/* Inside.  Sockets, because a quota looks at every write. */

static void
say(char what)
{
	if (send(STDIN_FILENO, &what, 1, MSG_NOSIGNAL) != 1)
		err(1, "send");
}

static char
hear(int fd)
{
	char	 what;
	ssize_t	 n;

	while ((n = recv(fd, &what, 1, 0)) == -1 && errno == EINTR)
		continue;
	if (n != 1)
		errx(1, "nothing to hear: %s", n == 0 ? "end" :
		    strerror(errno));
	return (what);
}

static void
mem_fill(char who, int port)
{
	memset(&mem, 0, sizeof(mem));
	snprintf(mem.name, sizeof(mem.name), "n%c", who);
	snprintf(mem.other, sizeof(mem.other), "new%c", who);
	snprintf(mem.full, sizeof(mem.full), "%s/d%c/n%c", top, who, who);
	memset(mem.text, who, sizeof(mem.text) - 1);
	mem.times[0].tv_sec = 1000 + who;
	mem.times[1].tv_sec = 1000 + who;
	mem.sun.sun_family = AF_UNIX;
	snprintf(mem.sun.sun_path, sizeof(mem.sun.sun_path), "new%c", who);
	mem.sin.sin_family = AF_INET;
	mem.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	mem.sin.sin_port = htons(port);
	memset(mem.buf, who, sizeof(mem.buf));
}

/* A port is bound before it is listened on. */
static void
socket_open(const struct way *w, char who)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	int			 fd;

	close(SOCK_FD);
	if ((fd = socket(w->type, SOCK_STREAM, 0)) == -1 ||
	    dup2(fd, SOCK_FD) == -1)
		err(1, "socket");
	close(fd);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	sin.sin_port = htons(ports[who - 'a']);
	if (w->make == call_listen &&
	    bind(SOCK_FD, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "bind");
}

/* The descriptors, at their numbers. */
static void
fds_open(const struct way *w, char who)
{
	char	 name[8];
	int	 fd;

	snprintf(name, sizeof(name), "n%c", who);
	if ((fd = open(name, w->isdir ? O_RDONLY | O_DIRECTORY : O_RDWR)) ==
	    -1 || dup2(fd, FILE_FD) == -1)
		err(1, "%s", name);
	close(fd);
	if (!w->isdir && lseek(FILE_FD, OFFSET, SEEK_SET) == -1)
		err(1, "lseek");
	if (w->type != 0)
		socket_open(w, who);
	if ((fd = inotify_init()) == -1 || dup2(fd, QUEUE_FD) == -1)
		err(1, "inotify_init");
	close(fd);
}

static void
dir_clear(const char *dir)
{
	char		 name[300];
	struct dirent	*de;
	DIR		*d;

	if ((d = opendir(dir)) == NULL)
		err(1, "%s", dir);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", dir, de->d_name);
		if (unlink(name) == -1 && rmdir(name) == -1)
			err(1, "%s", name);
	}
	closedir(d);
}

/* Each of the two has a file by its own name and by the other's. */
static void
dir_make(const struct way *w, const char *dir)
{
	char		 name[64];
	const char	*p;
	int		 fd;

	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		err(1, "%s", dir);
	dir_clear(dir);
	for (p = "ab"; *p != '\0'; p++) {
		snprintf(name, sizeof(name), "%s/n%c", dir, *p);
		if (w->isdir) {
			if (mkdir(name, 0700) == -1)
				err(1, "%s", name);
			continue;
		}
		if ((fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600)) == -1 ||
		    write(fd, "0123456789abcdef", 16) != 16)
			err(1, "%s", name);
		close(fd);
	}
}

/* Nothing but the caller's own in the caller's directory may be different. */
static void
dir_check(const struct way *w, const char *dir, char who)
{
	char		 buf[32], name[300];
	struct dirent	*de;
	struct stat	 st;
	DIR		*d;
	int		 fd, found = 0;

	if ((d = opendir(dir)) == NULL)
		err(1, "%s", dir);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		if (strchr(de->d_name, who) != NULL && who != '\0')
			continue;
		snprintf(name, sizeof(name), "%s/%s", dir, de->d_name);
		if (strncmp(de->d_name, "new", 3) == 0)
			errx(1, "%s was made", name);
		found++;
		if (lstat(name, &st) == -1)
			err(1, "%s", name);
		if ((st.st_mode & 07777) != (w->isdir ? 0700 : 0600) ||
		    st.st_mtime < 2000)
			errx(1, "%s: mode or time changed", name);
		if (getxattr(name, "user.mark", NULL, 0) != -1)
			errx(1, "%s: has an attribute", name);
		if (w->isdir)
			continue;
		if ((fd = open(name, O_RDONLY)) == -1 ||
		    read(fd, buf, sizeof(buf)) != 16 ||
		    memcmp(buf, "0123456789abcdef", 16) != 0)
			errx(1, "%s: content changed", name);
		close(fd);
	}
	closedir(d);
	if (found != (who == '\0' ? 2 : 1))
		errx(1, "%s: %d files", dir, found);
}

/* The text of a file of /proc. */
static void
proc_text(const char *name, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = open(name, O_RDONLY)) == -1 ||
	    (n = read(fd, buf, size - 1)) == -1)
		err(1, "%s", name);
	close(fd);
	buf[n] = '\0';
}

static void
queue_check(void)
{
	char	 buf[1024], name[64];

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", QUEUE_FD);
	proc_text(name, buf, sizeof(buf));
	if (strstr(buf, "inotify") != NULL)
		errx(1, "a watch was added");
}

/* Nothing has come to its socket. */
static void
socket_check(const struct way *w)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss), ilen = sizeof(int);
	int			 listens = 0;

	if (w->type == AF_INET && getpeername(SOCK_FD, (struct sockaddr *)&ss,
	    &len) != -1)
		errx(1, "its socket was connected");
	if (w->type == AF_INET && (getsockopt(SOCK_FD, SOL_SOCKET,
	    SO_ACCEPTCONN, &listens, &ilen) == -1 || listens))
		errx(1, "its socket was listened on");
	len = sizeof(ss);
	if (w->type == AF_UNIX && (getsockname(SOCK_FD, (struct sockaddr *)&ss,
	    &len) == -1 || len > sizeof(sa_family_t)))
		errx(1, "its socket was bound");
}

/* Of the process that got the number. */
static void
other_check(const struct way *w, const char *cwd, int fd)
{
	char	 now[PATH_MAX];
	size_t	 i;

	for (i = 0; i < sizeof(mem.buf); i++)
		if (mem.buf[i] != 'b')
			errx(1, "memory was written");
	if (strcmp(mem.name, "nb") != 0 || mem.times[0].tv_sec != 1000 + 'b')
		errx(1, "memory was written");
	if (getcwd(now, sizeof(now)) == NULL || strcmp(cwd, now) != 0)
		errx(1, "it stands in %s, not in %s", now, cwd);
	if (lseek(FILE_FD, 0, SEEK_CUR) != (w->isdir ? 0 : OFFSET))
		errx(1, "the offset has changed");
	socket_check(w);
	queue_check();
	if (dup(STDIN_FILENO) != fd)
		errx(1, "it was given a descriptor");
}

/* The caller: told when to begin, and then heard of once its call is done. */
static pid_t
caller_start(const struct way *w, int from)
{
	pid_t	 pid;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return (pid);
	if (chdir("../da") == -1)
		err(1, "da");
	fds_open(w, 'a');
	mem_fill('a', ports[0]);
	say('c');
	(void)hear(from);
	if (w->make() == -1) {
		warn("%s", w->name);
		say('!');
	} else
		say('D');
	for (;;)
		pause();
}

/* The one after it.  It must not notice anything, not even in its wait. */
static pid_t
other_start(const struct way *w, int from, const char *cwd)
{
	pid_t	 pid;
	char	 what;
	int	 fd;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return (pid);
	if ((fd = dup(STDIN_FILENO)) == -1 || close(fd) == -1)
		err(1, "dup");
	if (recv(from, &what, 1, 0) != 1)
		err(1, "its wait was broken off");
	if (itself && w->make() == -1)
		err(2, "%s", w->name);
	other_check(w, cwd, fd);
	_exit(0);
}

/* Kill the caller.  One that the supervisor traces keeps its number. */
static int
caller_kill(pid_t pid)
{
	int	 i;

	if (kill(pid, SIGKILL) == -1)
		err(1, "kill");
	for (i = 0; i < 20; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return (1);
		usleep(1000);
	}
	return (0);
}

static void
go(int fd)
{
	if (send(fd, "g", 1, 0) != 1)
		err(1, "send");
}

/* Calls that come after those under test, and are answered after them. */
static void
calls_settle(const struct way *w)
{
	struct sockaddr_in	 sin;
	int			 fd;

	if (mkdir("../dc", 0700) == -1 || rmdir("../dc") == -1)
		err(1, "dc");
	if (w->type != AF_INET)
		return;
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(ports[1]);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "a connection of its own");
	close(fd);
}

/* first is heard by the caller, which may die before it; second by the other */
static void
inside_turn(const struct way *w, int first[2], int second[2], const char *cwd)
{
	pid_t	 caller, other;
	int	 status;

	dir_make(w, "../da");
	dir_make(w, "../db");
	fds_open(w, 'b');
	caller = caller_start(w, first[1]);
	(void)hear(STDIN_FILENO);	/* begin */
	go(first[0]);
	(void)hear(STDIN_FILENO);	/* kill */
	if (!caller_kill(caller)) {
		say('p');
		(void)hear(STDIN_FILENO);
		if (waitpid(caller, NULL, 0) != caller)
			err(1, "waitpid");
		say('k');
		return;
	}
	say('k');
	(void)hear(STDIN_FILENO);	/* fork */
	other = other_start(w, second[1], cwd);
	say(other == caller ? 'r' : 'x');
	(void)hear(STDIN_FILENO);	/* look; these come after it */
	dir_check(w, "../da", 'a');
	dir_check(w, "../db", '\0');
	calls_settle(w);
	dir_check(w, "../db", '\0');
	go(second[0]);
	if (waitpid(other, &status, 0) != other || status != 0)
		errx(1, "the other has ended with %d", status);
	dir_check(w, "../da", 'a');
	dir_check(w, "../db", '\0');
	say('o');
}

/* Call for as long as it lives, and count before and after. */
static pid_t
stormer_start(const struct way *w, volatile unsigned int *count)
{
	pid_t	 pid;

	count[0] = count[1] = 0;
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return (pid);
	if (chdir("../da") == -1)
		err(1, "da");
	fds_open(w, 'a');
	mem_fill('a', ports[0]);
	for (;;) {
		count[0]++;
		(void)w->make();
		count[1]++;
	}
}

/* What comes after it looks at itself when the supervisor had some time. */
static pid_t
witness_start(const struct way *w, const char *cwd)
{
	pid_t	 pid;
	int	 fd;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return (pid);
	if ((fd = dup(STDIN_FILENO)) == -1 || close(fd) == -1)
		err(1, "dup");
	usleep(300);
	other_check(w, cwd, fd);
	_exit(0);
}

static int
storm_way(const struct way *w)
{
	return (!w->isdir && w->type != AF_INET && w->make != call_stat &&
	    w->make != call_copy && w->make != call_getcwd);
}

/* Say how many callers there were, and died in a call, and had an heir. */
static void
inside_storm(const char *cwd)
{
	volatile unsigned int	*count;
	const struct way	*w = ways;
	struct timespec		 now, end;
	unsigned int		 calls = 0, heirs = 0, rounds = 0;
	pid_t			 caller, other;
	int			 status;

	count = mmap(NULL, sizeof(*count) * 2, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (count == MAP_FAILED)
		err(1, "mmap");
	dir_make(&ways[0], "../db");
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += STORM_MS / 1000;
	do {
		do {
			w = w + 1 == ways + nitems(ways) ? ways : w + 1;
		} while (!storm_way(w));
		dir_make(w, "../da");
		fds_open(w, 'b');
		caller = stormer_start(w, count);
		usleep(arc4random_uniform(STORM_CALL_US));
		if (kill(caller, SIGKILL) == -1 ||
		    waitpid(caller, NULL, 0) != caller)
			err(1, "kill");
		other = witness_start(w, cwd);
		if (waitpid(other, &status, 0) != other || status != 0)
			errx(1, "%s: the other has ended with %d", w->name,
			    status);
		dir_check(w, "../db", '\0');
		calls += count[0] != count[1];
		heirs += other == caller;
		rounds++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec &&
	    now.tv_nsec < end.tv_nsec));
	printf("storm: %u callers, %u killed in a call, %u numbers again\n",
	    rounds, calls, heirs);
}

static int
inside(const struct way *w)
{
	char	 cwd[PATH_MAX];
	int	 i, pairs[2][2];

	if (getcwd(top, sizeof(top)) == NULL)
		err(1, "getcwd");
	/* Who comes after the caller has it from its first moment. */
	mem_fill('b', ports[1]);
	if ((mkdir("db", 0700) == -1 && errno != EEXIST) ||
	    chdir("db") == -1 || getcwd(cwd, sizeof(cwd)) == NULL)
		err(1, "db");
	say('i');
	if (w == NULL) {
		(void)hear(STDIN_FILENO);
		inside_storm(cwd);
		fflush(stdout);
		say('e');
		return (0);
	}
	while (hear(STDIN_FILENO) == 't') {
		for (i = 0; i < 2; i++)
			if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) ==
			    -1)
				err(1, "socketpair");
		inside_turn(w, pairs[0], pairs[1], cwd);
		for (i = 0; i < 4; i++)
			close(pairs[i / 2][i % 2]);
	}
	say('e');
	return (0);
}

/* Outside. */

static int	 box_fd;	/* to who is inside */
static pid_t	 box_pid;	/* the sandbox */
static pid_t	 sup_pid;	/* its supervisor */
static pid_t	 caller_pid;

static void
tell(char what)
{
	if (send(box_fd, &what, 1, MSG_NOSIGNAL) != 1)
		err(1, "send");
}

/* What is said, or 0 when nothing is within so many milliseconds. */
static char
heard_within(int ms)
{
	struct pollfd	 pfd = { .fd = box_fd, .events = POLLIN };
	char		 what;
	int		 n;

	while ((n = poll(&pfd, 1, ms)) == -1 && errno == EINTR)
		continue;
	if (n == 0)
		return (0);
	if (n == -1 || recv(box_fd, &what, 1, 0) != 1)
		errx(1, "the sandbox has ended");
	return (what);
}

static char
expect(const char *any)
{
	char	 what;

	what = heard_within(PATIENCE_MS);
	if (what == 0 || strchr(any, what) == NULL)
		errx(1, "heard '%c', not one of '%s'", what, any);
	return (what);
}

static pid_t
supervisor_find(void)
{
	char	 buf[1024], name[64], what[32], *p;
	long	 child;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/children", box_pid,
	    box_pid);
	proc_text(name, buf, sizeof(buf));
	for (p = buf; (child = strtol(p, &p, 10)) > 0;) {
		snprintf(name, sizeof(name), "/proc/%ld/comm", child);
		proc_text(name, what, sizeof(what));
		if (strcmp(what, "supervisor\n") == 0)
			return (child);
	}
	errx(1, "no supervisor");
}

/* Whether the supervisor is about to make a call, and which. */
static int
call_of(pid_t pid, long *nr)
{
	struct __ptrace_syscall_info	 info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) == -1)
		err(1, "the supervisor's call");
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return (0);
	*nr = info.entry.nr;
	return (1);
}

static void
sup_go(int request, int sig)
{
	if (ptrace(request, sup_pid, NULL, (void *)(long)sig) == -1)
		err(1, "the supervisor");
}

static void
sup_attach(void)
{
	int	 status;

	if (ptrace(PTRACE_SEIZE, sup_pid, NULL,
	    (void *)PTRACE_O_TRACESYSGOOD) == -1)
		err(1, "seize the supervisor");
	if (ptrace(PTRACE_INTERRUPT, sup_pid, NULL, NULL) == -1 ||
	    waitpid(sup_pid, &status, __WALL) != sup_pid)
		err(1, "stop the supervisor");
}

/* Nobody else forks. */
static pid_t
last_pid(void)
{
	char	 buf[32];

	proc_text("/proc/sys/kernel/ns_last_pid", buf, sizeof(buf));
	return (strtol(buf, NULL, 10));
}

static void
next_pid(pid_t pid)
{
	FILE	*f;

	if ((f = fopen("/proc/sys/kernel/ns_last_pid", "w")) == NULL ||
	    fprintf(f, "%d", pid - 1) < 0 || fclose(f) != 0)
		err(1, "ns_last_pid");
}

/*
 * Let the supervisor go on from a stop up to the entry of its call number
 * step, counted from here; 0 when the caller has its answer before that.
 * Calls that wait for the caller are no place to hold it at.
 */
static int
sup_step(int step, long *nr)
{
	int	 n = 0, sig = 0, status;
	char	 what;

	for (;;) {
		sup_go(PTRACE_SYSCALL, sig);
		sig = 0;
		while (waitpid(sup_pid, &status, __WALL | WNOHANG) == 0) {
			if ((what = heard_within(0)) == 0) {
				usleep(50);
				continue;
			}
			if (what != 'D' && what != '!')
				errx(1, "heard '%c' of the caller", what);
			if (what == '!')
				errx(1, "the call failed");
			return (0);
		}
		if (WIFEXITED(status) || WIFSIGNALED(status))
			errx(1, "the supervisor has ended");
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			if (status >> 16 == 0)
				sig = WSTOPSIG(status);
			continue;
		}
		if (!call_of(sup_pid, nr) || *nr == SYS_process_vm_writev)
			continue;
		if (++n == step)
			return (1);
	}
}

/* Whoever forks gets the lowest number above that of who is inside. */
static void
outside_storm(void)
{
	char	 buf[16];
	pid_t	 top_pid = last_pid();
	size_t	 len;
	int	 fd;

	len = snprintf(buf, sizeof(buf), "%d", top_pid);
	if ((fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY)) == -1)
		err(1, "ns_last_pid");
	tell('t');
	while (heard_within(0) == 0) {
		if (pwrite(fd, buf, len, 0) != (ssize_t)len)
			err(1, "ns_last_pid");
		usleep(20);
	}
	close(fd);
}

/* The supervisor is stopped or runs to its next stop: let it go for good. */
static void
sup_release(int stopped)
{
	int	 sig = 0, status;

	if (!stopped) {
		if (ptrace(PTRACE_INTERRUPT, sup_pid, NULL, NULL) == -1 ||
		    waitpid(sup_pid, &status, __WALL) != sup_pid)
			err(1, "stop the supervisor");
		if (status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80))
			sig = WSTOPSIG(status);
	}
	sup_go(PTRACE_DETACH, sig);
}

/* 1 when there may be more steps; counts what came about. */
static int
outside_turn(int step, int *held, int *pinned)
{
	long	 nr = -1;
	int	 done = 0;
	char	 what;

	tell('t');
	expect("c");
	caller_pid = last_pid();
	sup_attach();
	tell('b');
	if (!sup_step(step, &nr)) {
		sup_release(0);
		tell('k');
		if (expect("kp") == 'p') {
			tell('w');
			expect("k");
			return (0);
		}
		next_pid(caller_pid);
		tell('f');
		expect("rx");
		tell('l');
		expect("o");
		return (0);
	}
	tell('k');
	/* It may have had its answer before the supervisor was held. */
	while ((what = expect("kpD")) == 'D')
		done = 1;
	if (what == 'p') {
		/* The supervisor has a hold on it. */
		(*pinned)++;
		sup_release(1);
		tell('w');
		expect("k");
		return (!done);
	}
	(*held)++;
	next_pid(caller_pid);
	tell('f');
	if (expect("rx") == 'x')
		errx(1, "another number");
	sup_release(1);
	tell('l');
	if (heard_within(PATIENCE_MS) != 'o')
		errx(1, "before its call %d, number %ld", step, nr);
	return (!done);
}

static void
box_start(char **argv)
{
	int	 pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		err(1, "socketpair");
	if ((box_pid = fork()) == -1)
		err(1, "fork");
	if (box_pid == 0) {
		if (dup2(pair[1], STDIN_FILENO) == -1)
			err(1, "dup2");
		execvp(argv[0], argv);
		err(1, "%s", argv[0]);
	}
	close(pair[1]);
	box_fd = pair[0];
}

/* Hold the supervisor at its first call, at its second, and so on. */
static void
outside_turns(const char *name)
{
	int	 held = 0, pinned = 0, step;

	sup_pid = supervisor_find();
	for (step = 1; step < STEPS_MAX; step++)
		if (!outside_turn(step, &held, &pinned))
			break;
	if (step == STEPS_MAX)
		errx(1, "too many steps");
	tell('e');
	expect("e");
	printf("%s: %d steps, %d others, %d held\n", name, step, held, pinned);
}

int
main(int argc, char **argv)
{
	int	 status, storm;

	if (argc == 5 && (strcmp(argv[1], "inside") == 0 ||
	    strcmp(argv[1], "itself") == 0)) {
		itself = strcmp(argv[1], "itself") == 0;
		ports[0] = atoi(argv[3]);
		ports[1] = atoi(argv[4]);
		storm = strcmp(argv[2], "storm") == 0;
		return (inside(storm ? NULL : way_find(argv[2])));
	}
	if (argc < 3)
		errx(1, "usage: reuse call command ...");
	box_start(argv + 2);
	expect("i");
	if (strcmp(argv[1], "storm") == 0)
		outside_storm();
	else
		outside_turns(argv[1]);
	if (waitpid(box_pid, &status, 0) != box_pid || status != 0)
		errx(1, "the sandbox has ended with %d", status);
	return (0);
}
