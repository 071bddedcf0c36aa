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
 * The test's side of cowd's two channels.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"

static void
pair(int sv[2])
{
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv) == 0);
}

static void
channel(struct imsgbuf *ib, int fd)
{
	ATF_REQUIRE(imsgbuf_init(ib, fd) == 0);
	imsgbuf_allow_fdpass(ib);
	ATF_REQUIRE(imsgbuf_set_maxsize(ib, PROTO_MAXSIZE) == 0);
}

static void
start(struct box *b, const atf_tc_t *tc, int traced, const char *option)
{
	char	 program[PATH_MAX], byte;
	int	 go[2], sv[2];

	memset(b, 0, sizeof(*b));
	snprintf(program, sizeof(program), "%s/../../cowd/cowd",
	    atf_tc_get_config_var(tc, "srcdir"));
	signal(SIGPIPE, SIG_IGN);
	pair(sv);
	ATF_REQUIRE(pipe2(go, O_CLOEXEC) == 0);
	ATF_REQUIRE((b->pid = fork()) != -1);
	if (b->pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) == -1)
			_exit(99);
		if (dup2(sv[1], PROTO_PARENT_FD) == -1 ||
		    fcntl(PROTO_PARENT_FD, F_SETFD, 0) == -1)
			_exit(99);
		closefrom(PROTO_PARENT_FD + 1);
		execl(program, "cowd", option, (char *)NULL);
		_exit(98);
	}
	close(go[0]);
	if (traced)
		ATF_REQUIRE_EQ(ptrace(PTRACE_SEIZE, b->pid, NULL,
		    PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	close(go[1]);
	close(sv[1]);
	b->pidfd = syscall(SYS_pidfd_open, b->pid, 0);
	ATF_REQUIRE(b->pidfd != -1);
	channel(&b->parent, sv[0]);
	pair(sv);
	channel(&b->supervisor, sv[0]);
	b->supervisor_peer = sv[1];
}

void
box_start(struct box *b, const atf_tc_t *tc)
{
	start(b, tc, 0, NULL);
}

void
box_start_files(struct box *b, const atf_tc_t *tc)
{
	start(b, tc, 0, "-f");
}

void
box_rights(struct box *b, const char *path, unsigned int perms)
{
	struct workload_path	 wp;

	memset(&wp, 0, sizeof(wp));
	ATF_REQUIRE((wp.path = strdup(path)) != NULL);
	wp.perms = perms;
	ATF_REQUIRE(proto_send_rights(&b->parent, IMSG_CONF_RIGHTS,
	    &wp) == 0);
	free(wp.path);
	box_flush(&b->parent);
}

void
box_start_traced(struct box *b, const atf_tc_t *tc)
{
	start(b, tc, 1, NULL);
}

void
box_flush(struct imsgbuf *ib)
{
	ATF_REQUIRE(imsgbuf_flush(ib) == 0);
}

void
box_path(struct box *b, const char *path, unsigned int perms, int optional)
{
	struct workload_path	 wp;
	char			*copy = strdup(path);

	memset(&wp, 0, sizeof(wp));
	wp.path = copy;
	wp.perms = perms;
	wp.optional = optional;
	ATF_REQUIRE(proto_send_path(&b->parent, &wp) == 0);
	free(copy);
	box_flush(&b->parent);
}

void
box_private(struct box *b, const char *path)
{
	ATF_REQUIRE(proto_send_string(&b->parent, IMSG_CONF_PRIVATE,
	    path) == 0);
	box_flush(&b->parent);
}

void
box_channel(struct box *b)
{
	ATF_REQUIRE(proto_send_empty(&b->parent, IMSG_SOCKET_SUPERVISOR,
	    b->supervisor_peer) == 0);
	b->supervisor_peer = -1;
	box_flush(&b->parent);
}

void
box_end(struct box *b)
{
	ATF_REQUIRE(proto_send_empty(&b->parent, IMSG_CONF_END, -1) == 0);
	box_flush(&b->parent);
}

void
box_locked(struct box *b)
{
	struct imsg	 imsg;

	ATF_REQUIRE_EQ(box_wait(&b->parent, &imsg, BOX_TIMEOUT), 1);
	ATF_REQUIRE_EQ(imsg_get_type(&imsg), IMSG_LOCKED);
	imsg_free(&imsg);
}

void
box_simple(struct box *b, const atf_tc_t *tc, const char *path,
    unsigned int perms)
{
	box_start(b, tc);
	box_path(b, path, perms, 0);
	box_channel(b);
	box_end(b);
	box_locked(b);
}

int
box_wait(struct imsgbuf *ib, struct imsg *imsg, int timeout)
{
	struct pollfd	 pfd;
	int		 n;

	for (;;) {
		ATF_REQUIRE((n = imsgbuf_get(ib, imsg)) != -1);
		if (n == 1)
			return (1);
		pfd.fd = ib->fd;
		pfd.events = POLLIN;
		if (poll(&pfd, 1, timeout) != 1)
			return (-1);
		ATF_REQUIRE((n = imsgbuf_read(ib)) != -1);
		if (n == 0)
			return (0);
	}
}

int
box_reply(struct box *b, uint32_t type, uint32_t *id)
{
	struct imsg	 imsg;
	int		 value;

	ATF_REQUIRE_EQ(box_wait(&b->supervisor, &imsg, BOX_TIMEOUT), 1);
	ATF_REQUIRE_EQ(imsg_get_type(&imsg), type);
	*id = imsg_get_id(&imsg);
	ATF_REQUIRE(proto_recv_value(&imsg, &value) == 0);
	imsg_free(&imsg);
	return (value);
}

int
box_meta(struct box *b, int fd, const struct proto_meta *pm)
{
	uint32_t	 id;
	int		 copy, value;

	ATF_REQUIRE((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_meta(&b->supervisor, ++b->id, copy, pm) == 0);
	box_flush(&b->supervisor);
	value = box_reply(b, IMSG_META_REPLY, &id);
	ATF_REQUIRE_EQ(id, b->id);
	return (value);
}

uint32_t
box_connect_send(struct box *b, int sock, int inode)
{
	int	 copy;

	ATF_REQUIRE((copy = fcntl(sock, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_value(&b->supervisor, IMSG_UNIX_SOCKET, ++b->id,
	    copy, 0) == 0);
	ATF_REQUIRE((copy = fcntl(inode, F_DUPFD_CLOEXEC, 0)) != -1);
	ATF_REQUIRE(proto_send_value(&b->supervisor, IMSG_UNIX_CONNECT, b->id,
	    copy, 0) == 0);
	box_flush(&b->supervisor);
	return (b->id);
}

int
box_connect(struct box *b, int sock, int inode)
{
	uint32_t	 id, sent;
	int		 value;

	sent = box_connect_send(b, sock, inode);
	value = box_reply(b, IMSG_UNIX_REPLY, &id);
	ATF_REQUIRE_EQ(id, sent);
	return (value);
}

void
box_cancel(struct box *b, uint32_t id)
{
	ATF_REQUIRE(proto_send_value(&b->supervisor, IMSG_NET_CANCEL, id, -1,
	    0) == 0);
	box_flush(&b->supervisor);
}

void
box_close_parent(struct box *b)
{
	if (b->parent.fd == -1)
		return;
	close(b->parent.fd);
	imsgbuf_clear(&b->parent);
	b->parent.fd = -1;
}

void
box_close_supervisor(struct box *b)
{
	if (b->supervisor_peer != -1)
		close(b->supervisor_peer);
	b->supervisor_peer = -1;
	if (b->supervisor.fd == -1)
		return;
	close(b->supervisor.fd);
	imsgbuf_clear(&b->supervisor);
	b->supervisor.fd = -1;
}

int
box_status(struct box *b)
{
	struct pollfd	 pfd;
	int		 status;

	pfd.fd = b->pidfd;
	pfd.events = POLLIN;
	if (poll(&pfd, 1, BOX_TIMEOUT) != 1) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, &status, 0);
		atf_tc_fail("cowd did not end");
	}
	ATF_REQUIRE_EQ(waitpid(b->pid, &status, 0), b->pid);
	close(b->pidfd);
	return (status);
}

void
box_stop(struct box *b)
{
	int	 status;

	box_close_supervisor(b);
	box_close_parent(b);
	status = box_status(b);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "status %#x", status);
}

void
make_file(const char *path, const char *text)
{
	int	 fd;

	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0644)) != -1);
	ATF_REQUIRE_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

char *
absolute(const char *path)
{
	char	*p = realpath(path, NULL);

	ATF_REQUIRE(p != NULL);
	return (p);
}

int
open_path(const char *path)
{
	int	 fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	ATF_REQUIRE_MSG(fd != -1, "%s: %s", path, strerror(errno));
	return (fd);
}

void
drop_capabilities(void)
{
	struct __user_cap_header_struct	 header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct	 data[2];

	memset(data, 0, sizeof(data));
	ATF_REQUIRE(syscall(SYS_capset, &header, data) == 0);
}
