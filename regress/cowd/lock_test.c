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
 * What a cowd that obeys an attacker could still do: lock.c and private.c are
 * linked in here, and a process locked by them tries.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "branchfs.h"
#include "cowd.h"
#include "lockdown.h"
#include "rmtree.h"

struct imsgev	 cowd_supervisor;

void
cowd_reply(uint32_t type, uint32_t id, int error)
{
	(void)type;
	(void)id;
	(void)error;
	abort();
}

/* Run by a locked process; 0 or an errno. */
typedef int	 (*attempt)(void);

static int	 before = -1;	/* a descriptor from before the lock */
static int	 keeps;		/* be the keeper of s/b instead */
static int	 storage = -1;	/* s, then */
static int	 record = -1;	/* s/b, then */
static int	 branched;	/* there is a branch, s/b, of the directory d */
static int	 viewed;	/* and calls are answered with what is opened */

static void
make_file(const char *path)
{
	int	 fd;

	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC,
	    0644)) != -1);
	ATF_REQUIRE(write(fd, "x", 1) == 1);
	close(fd);
}

static void
set_up(void)
{
	ATF_REQUIRE(mkdir("p", 0700) == 0 && mkdir("p/home", 0700) == 0);
	make_file("p/home/f");
	ATF_REQUIRE(mkdir("d", 0755) == 0 && mkdir("empty", 0755) == 0);
	make_file("d/f");
}

static void
set_branch(void)
{
	struct proto_branch	 pb;

	memset(&pb, 0, sizeof(pb));
	order_set_storage("b", open("s", O_RDONLY | O_DIRECTORY));
	order_set_lower(&pb, open("d", O_RDONLY | O_DIRECTORY));
	order_set_lock(open("s/b/info", O_RDWR));
	order_settle();
}

static void
set_keeper(void)
{
	before = open("d/f", O_RDONLY | O_CLOEXEC);
	storage = open("s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	record = open("s/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* With locking off it is the control. */
static int
attempt_in(attempt try, int lock)
{
	pid_t	 pid;
	int	 status;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		private_set(realpath("p", NULL));
		private_open();
		if (lockdown_begin(0) == -1)
			_exit(255);
		if (branched)
			set_branch();
		if (keeps)
			set_keeper();
		if (lock && keeps) {
			lock_keeper_setup();
			lock_keeper_run(storage, record);
		} else if (lock) {
			lock_setup(branched);
			lock_run(viewed);
		}
		_exit(try());
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE_MSG(WIFEXITED(status), "status %#x", status);
	return (WEXITSTATUS(status));
}

#define CHECK(try, locked)						\
	do {								\
		int	 got = attempt_in(try, 1);			\
									\
		ATF_CHECK_MSG(got == (locked), "%s locked: %s", #try,	\
		    strerror(got));					\
	} while (0)
#define CONTROL(try)							\
	ATF_CHECK_EQ_MSG(0, attempt_in(try, 0), "%s unlocked", #try)

static int
open_by(const char *path, uint64_t flags, uint64_t mode)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = flags;
	how.mode = mode;
	return (syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)) == -1 ?
	    errno : 0);
}

static int
read_file(void)
{
	return (open_by("d/f", O_RDONLY, 0));
}

static int
write_file(void)
{
	return (open_by("d/f", O_WRONLY, 0));
}

static int
truncate_file(void)
{
	return (open_by("d/f", O_WRONLY | O_TRUNC, 0));
}

static int
make_new(void)
{
	return (open_by("d/new", O_WRONLY | O_CREAT, 0600));
}

static int
make_unnamed(void)
{
	return (open_by("d", O_RDWR | O_TMPFILE, 0600));
}

static int
read_directory(void)
{
	return (open_by("d", O_RDONLY | O_DIRECTORY, 0));
}

static int
read_private_file(void)
{
	return (open_by("p/home/f", O_RDONLY, 0));
}

static int
read_by_descriptor(void)
{
	char	 name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", before);
	return (open_by(name, O_RDONLY, 0));
}

static int
path_file(void)
{
	return (open_by("d/f", O_PATH, 0));
}

static int
remove_file(void)
{
	return (unlinkat(AT_FDCWD, "d/f", 0) == -1 ? errno : 0);
}

static int
remove_private(void)
{
	struct statx	 sx;

	private_remove();
	return (statx(AT_FDCWD, "p", 0, STATX_TYPE, &sx) == -1 ? errno : 0);
}

static int
tcp(void)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(9);
	return (connect(before, (struct sockaddr *)&sin, sizeof(sin)) == -1 ?
	    errno : 0);
}

static struct sockaddr_un	 abstract_address;

static int
abstract(void)
{
	return (connect(before, (struct sockaddr *)&abstract_address,
	    sizeof(abstract_address)) == -1 ? errno : 0);
}

ATF_TC_WITHOUT_HEAD(files);
ATF_TC_BODY(files, tc)
{
	set_up();
	CHECK(read_file, EACCES);
	CHECK(write_file, EACCES);
	CHECK(truncate_file, EACCES);
	CHECK(make_new, EACCES);
	CHECK(make_unnamed, EACCES);
	CHECK(read_directory, EACCES);
	CHECK(read_private_file, EACCES);
	CHECK(remove_file, EACCES);
	ATF_REQUIRE((before = open("d/f", O_PATH | O_CLOEXEC)) != -1);
	CHECK(read_by_descriptor, EACCES);
	/* What it is for. */
	CHECK(path_file, 0);

	CONTROL(read_by_descriptor);
	CONTROL(read_file);
	CONTROL(write_file);
	CONTROL(truncate_file);
	CONTROL(make_new);
	CONTROL(make_unnamed);
	CONTROL(read_directory);
	CONTROL(read_private_file);
	CONTROL(remove_file);
}

ATF_TC_WITHOUT_HEAD(network);
ATF_TC_BODY(network, tc)
{
	struct sockaddr_un	*sun = &abstract_address;
	int			 s;

	set_up();
	ATF_REQUIRE((before = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	CHECK(tcp, EACCES);
	ATF_CHECK_EQ(attempt_in(tcp, 0), ECONNREFUSED);
	close(before);

	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1,
	    "sandlock-lock-test-%d", getpid());
	ATF_REQUIRE((s = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(bind(s, (struct sockaddr *)sun, sizeof(*sun)) == 0);
	ATF_REQUIRE(listen(s, 5) == 0);
	ATF_REQUIRE((before = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	CHECK(abstract, EPERM);
	CONTROL(abstract);
}

ATF_TC_WITHOUT_HEAD(private_directory);
ATF_TC_BODY(private_directory, tc)
{
	set_up();
	/* Links and closed directories below it, as a workload leaves them. */
	ATF_REQUIRE(symlink("../../d", "p/home/link") == 0);
	ATF_REQUIRE(mkdir("p/home/closed", 0) == 0);
	ATF_CHECK_EQ(attempt_in(remove_private, 1), ENOENT);
	ATF_CHECK(access("d/f", F_OK) == 0);
}

static int
make_branch(void)
{
	return (open_by("s/b/upper/new", O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int
rename_across(void)
{
	return (renameat2(AT_FDCWD, "s/b/upper/u", AT_FDCWD, "d/f",
	    RENAME_EXCHANGE) == -1 ? errno : 0);
}

static int
rename_out(void)
{
	return (renameat2(AT_FDCWD, "d/f", AT_FDCWD, "p/home/moved", 0) ==
	    -1 ? errno : 0);
}

static int
link_out(void)
{
	return (linkat(AT_FDCWD, "p/home/f", AT_FDCWD, "d/link", 0) == -1 ?
	    errno : 0);
}

static int
read_other_branch(void)
{
	return (open_by("s/other", O_RDONLY, 0));
}

static int
remove_other_branch(void)
{
	return (unlinkat(AT_FDCWD, "s/other", 0) == -1 ? errno : 0);
}

static int
make_device(void)
{
	return (mknodat(AT_FDCWD, "d/null", S_IFCHR | 0666, 0x103) == -1 ?
	    errno : 0);
}

static int
execute(void)
{
	execl("d/f", "f", (char *)NULL);
	return (errno);
}

/* No listener; the list knows that not. */
static int
answer_with_file(void)
{
	struct seccomp_notif_addfd	 add;

	memset(&add, 0, sizeof(add));
	return (ioctl(-1, SECCOMP_IOCTL_NOTIF_ADDFD, &add) == -1 ? errno : 0);
}

static int
answer_call(void)
{
	struct seccomp_notif_resp	 resp;

	memset(&resp, 0, sizeof(resp));
	return (ioctl(-1, SECCOMP_IOCTL_NOTIF_SEND, &resp) == -1 ? errno : 0);
}

static int
receive_call(void)
{
	struct seccomp_notif	 notif;

	memset(&notif, 0, sizeof(notif));
	return (ioctl(-1, SECCOMP_IOCTL_NOTIF_RECV, &notif) == -1 ? errno : 0);
}

/* Killed by the list of system calls. */
#define CHECK_KILLED(try)						\
	do {								\
		pid_t	 pid = fork();					\
		int	 status;					\
									\
		if (pid == 0)						\
			_exit(attempt_here(try));			\
		ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));		\
		ATF_CHECK_MSG(WIFSIGNALED(status) &&			\
		    WTERMSIG(status) == SIGSYS, "%s: %#x", #try,	\
		    status);						\
	} while (0)

static int
attempt_here(attempt try)
{
	private_set(realpath("p", NULL));
	private_open();
	if (lockdown_begin(0) == -1)
		return (255);
	if (keeps) {
		set_keeper();
		lock_keeper_setup();
		lock_keeper_run(storage, record);
	} else {
		set_branch();
		lock_setup(1);
		lock_run(viewed);
	}
	return (try());
}

ATF_TC_WITHOUT_HEAD(branch);
ATF_TC_BODY(branch, tc)
{
	set_up();
	ATF_REQUIRE(mkdir("s", 0700) == 0 && mkdir("s/b", 0700) == 0 &&
	    mkdir("s/b/upper", 0700) == 0);
	make_file("s/b/info");
	make_file("s/b/upper/u");
	make_file("s/other");

	/* Without a branch the list is as short as it was. */
	CHECK(write_file, EACCES);
	branched = 1;
	CHECK(read_file, 0);
	CHECK(write_file, 0);
	CHECK(make_new, 0);
	CHECK(make_branch, 0);
	CHECK(rename_across, 0);
	CHECK(remove_file, 0);
	make_file("d/f");
	CHECK(read_private_file, EACCES);
	CHECK(read_other_branch, EACCES);
	CHECK(remove_other_branch, EACCES);
	CHECK(rename_out, EACCES);
	CHECK(link_out, EXDEV);
	CHECK_KILLED(make_device);
	CHECK_KILLED(execute);
	CHECK_KILLED(answer_with_file);
	viewed = 1;
	CHECK(answer_with_file, EBADF);
	CHECK_KILLED(answer_call);
	CHECK_KILLED(receive_call);

	CONTROL(read_other_branch);
	CONTROL(link_out);
	CONTROL(remove_other_branch);
	CONTROL(rename_out);
}

static int
ctl(unsigned int request)
{
	char	 buf[BRANCHFS_ID_SIZE];

	return (ioctl(before, request, buf) == -1 ? errno : 0);
}

static int
ctl_create(void)
{
	return (ctl(BRANCHFS_CREATE));
}

static int
ctl_commit(void)
{
	return (ctl(BRANCHFS_COMMIT));
}

static int
ctl_abort(void)
{
	return (ctl(BRANCHFS_ABORT));
}

static int
open_plain(void)
{
	return (open("d/f", O_RDONLY) == -1 ? errno : 0);
}

static int
open_record(void)
{
	return (open("s/b", O_RDONLY | O_DIRECTORY) == -1 ? errno : 0);
}

static int
open_other(void)
{
	return (open("d", O_RDONLY | O_DIRECTORY) == -1 ? errno : 0);
}

static int
remove_record(void)
{
	return (rmtree(storage, "b") == -1 ? errno : 0);
}

static int
new_socket(void)
{
	return (socket(AF_UNIX, SOCK_STREAM, 0) == -1 ? errno : 0);
}

static void
make_record(void)
{
	ATF_REQUIRE(mkdir("s/b", 0700) == 0);
	make_file("s/b/info");
}

/* It ends one branch and removes what is known of it. */
ATF_TC_WITHOUT_HEAD(keeper);
ATF_TC_BODY(keeper, tc)
{
	set_up();
	ATF_REQUIRE(mkdir("s", 0700) == 0);
	make_record();
	make_file("s/other");
	keeps = 1;
	CHECK(ctl_commit, ENOTTY);
	CHECK(ctl_abort, ENOTTY);
	CHECK_KILLED(ctl_create);
	CHECK_KILLED(path_file);
	CHECK_KILLED(open_plain);
	CHECK_KILLED(new_socket);
	CHECK_KILLED(execute);
	CHECK(open_other, EACCES);
	CHECK(remove_other_branch, EACCES);
	CHECK(open_record, 0);
	CHECK(remove_record, 0);
	ATF_CHECK(access("s/b", F_OK) == -1 && access("s/other", F_OK) == 0);
	make_record();

	ATF_CHECK_EQ(ENOTTY, attempt_in(ctl_create, 0));
	CONTROL(path_file);
	CONTROL(open_plain);
	CONTROL(new_socket);
	CONTROL(open_other);
	CONTROL(remove_other_branch);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, files);
	ATF_TP_ADD_TC(tp, network);
	ATF_TP_ADD_TC(tp, private_directory);
	ATF_TP_ADD_TC(tp, branch);
	ATF_TP_ADD_TC(tp, keeper);
	return (atf_no_error());
}
