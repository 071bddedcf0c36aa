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
 * A worker that has been taken over: it stands in the place of supervisor,
 * cowd or netd in a copied tree and says what the file beside it, EXE.mode,
 * tells it to.  Each line of that file is one of
 *
 *	config			read the configuration, take its descriptors
 *	locked			say that we are locked down
 *	parent | peer		to whom the next messages go
 *	msg TYPE LEN MARK FDS SIZE FILL
 *				a header with this type, this length (0: the
 *				right one) and this mark of a descriptor, SIZE
 *				bytes FILL as payload, FDS descriptors with it
 *	int TYPE VALUE		a message of one number
 *	exited STATUS		the supervisor's last message
 *	random SEED		64 KiB of noise
 *	mutate SEED		noise made of headers that are nearly right
 *	half			half a header
 *	leave			exit at once
 *
 * After the last line it waits for the end of its channel.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto.h"

#define FD_MARK		0x80000000U
#define FDS_MAX		16

struct header {
	uint32_t	 type;
	uint32_t	 len;
	uint32_t	 id;
	uint32_t	 pid;
};

static int	 to = PROTO_PARENT_FD;
static int	 peer = -1;

/* One send; the other side may close at any time. */
static void
put(const void *data, size_t len, int nfds)
{
	struct iovec	 iov;
	struct msghdr	 msg;
	struct cmsghdr	*cmsg;
	struct pollfd	 pfd;
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	const char	*p = data;
	ssize_t		 n;
	int		 fds[FDS_MAX], i;

	while (len > 0) {
		memset(&msg, 0, sizeof(msg));
		iov.iov_base = memcpy(malloc(len), p, len);
		iov.iov_len = len;
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		if (nfds > 0) {
			for (i = 0; i < nfds; i++)
				fds[i] = STDERR_FILENO;
			memset(&control, 0, sizeof(control));
			msg.msg_control = control.buf;
			msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
			cmsg = CMSG_FIRSTHDR(&msg);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
			memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nfds);
		}
		n = sendmsg(to, &msg, MSG_NOSIGNAL);
		free(iov.iov_base);
		if (n == -1 && errno == EAGAIN) {
			pfd.fd = to;
			pfd.events = POLLOUT;
			poll(&pfd, 1, -1);
			continue;
		}
		if (n == -1)
			return;
		p += n;
		len -= n;
		nfds = 0;
	}
}

static void
message(uint32_t type, uint32_t len, int mark, int nfds, size_t size, int fill)
{
	struct header	*h;

	if ((h = malloc(sizeof(*h) + size)) == NULL)
		err(1, "malloc");
	memset(h + 1, fill, size);
	h->type = type;
	h->len = len != 0 ? len : sizeof(*h) + size;
	if (mark)
		h->len |= FD_MARK;
	h->id = 1;
	h->pid = 0;
	put(h, sizeof(*h) + size, nfds);
	free(h);
}

static void
payload(uint32_t type, const void *data, size_t size)
{
	struct header	*h;

	if ((h = malloc(sizeof(*h) + size)) == NULL)
		err(1, "malloc");
	h->type = type;
	h->len = sizeof(*h) + size;
	h->id = h->pid = 0;
	memcpy(h + 1, data, size);
	put(h, sizeof(*h) + size, 0);
	free(h);
}

static void
exited(int status)
{
	char	 data[28] = { 0 };

	memcpy(data, &status, sizeof(status));
	payload(IMSG_EXITED, data, sizeof(data));
}

static void
noise(unsigned int seed)
{
	unsigned char	 buf[65536];
	size_t		 i;

	srandom(seed);
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = random();
	put(buf, sizeof(buf), random() % 3);
}

static void
mutate(unsigned int seed)
{
	static const size_t	 sizes[] = { 0, 1, 4, 5, 8, 12, 28, 60, 200 };
	int			 i;

	srandom(seed);
	for (i = 0; i < 50; i++)
		message(random() % (IMSG_MAX + 1),
		    random() % 20 == 0 ? (uint32_t)random() : 0,
		    random() % 5 == 0, random() % 5 == 0 ? random() % 3 : 0,
		    sizes[random() % (sizeof(sizes) / sizeof(sizes[0]))],
		    random() % 4 == 0 ? 0xff : random() % 3);
}

/* Until IMSG_CONF_END; the descriptor that comes is the peer's channel. */
static void
config(void)
{
	struct imsgbuf	 ib;
	struct imsg	 imsg;
	struct pollfd	 pfd = { .fd = PROTO_PARENT_FD, .events = POLLIN };
	uint32_t	 type = 0;
	int		 fd, n;

	if (imsgbuf_init(&ib, PROTO_PARENT_FD) == -1)
		err(1, "imsgbuf_init");
	imsgbuf_allow_fdpass(&ib);
	if (imsgbuf_set_maxsize(&ib, PROTO_MAXSIZE) == -1)
		err(1, "imsgbuf_set_maxsize");
	while (type != IMSG_CONF_END) {
		if ((n = imsgbuf_get(&ib, &imsg)) == -1)
			err(1, "imsgbuf_get");
		if (n == 0) {
			poll(&pfd, 1, -1);
			if ((n = imsgbuf_read(&ib)) == 0)
				exit(0);
			if (n == -1 && errno != EAGAIN)
				err(1, "imsgbuf_read");
			continue;
		}
		type = imsg_get_type(&imsg);
		fd = imsg_get_fd(&imsg);
		if (fd != -1 && (type == IMSG_SOCKET_SUPERVISOR ||
		    type == IMSG_SOCKET_COWD || type == IMSG_SOCKET_NETD))
			peer = fd;
		imsg_free(&imsg);
	}
}

static void
obey(const char *line)
{
	unsigned int	 type, len, mark, nfds, size, fill, seed;
	int		 value;

	if (strncmp(line, "config", 6) == 0)
		config();
	else if (strncmp(line, "locked", 6) == 0)
		message(IMSG_LOCKED, 0, 0, 0, 0, 0);
	else if (strncmp(line, "parent", 6) == 0)
		to = PROTO_PARENT_FD;
	else if (strncmp(line, "peer", 4) == 0)
		to = peer;
	else if (strncmp(line, "half", 4) == 0)
		put("\1\0\0\0\20\0\0\0", 8, 0);
	else if (strncmp(line, "leave", 5) == 0)
		_exit(0);
	else if (sscanf(line, "msg %u %i %u %u %u %u", &type, (int *)&len,
	    &mark, &nfds, &size, &fill) == 6)
		message(type, len, mark, nfds, size, fill);
	else if (sscanf(line, "int %u %d", &type, &value) == 2)
		payload(type, &value, sizeof(value));
	else if (sscanf(line, "exited %d", &value) == 1)
		exited(value);
	else if (sscanf(line, "random %u", &seed) == 1)
		noise(seed);
	else if (sscanf(line, "mutate %u", &seed) == 1)
		mutate(seed);
	else
		errx(1, "mode: %s", line);
}

int
main(void)
{
	char	 path[PATH_MAX + 8], line[256], buf[4096];
	ssize_t	 n;
	FILE	*f;
	struct pollfd	 pfd = { .fd = PROTO_PARENT_FD, .events = POLLIN };

	if ((n = readlink("/proc/self/exe", path, PATH_MAX)) == -1)
		err(1, "readlink");
	strcpy(path + n, ".mode");
	if ((f = fopen(path, "re")) == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL)
		obey(line);
	fclose(f);
	for (;;) {
		poll(&pfd, 1, -1);
		n = read(PROTO_PARENT_FD, buf, sizeof(buf));
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
			return (0);
	}
}
