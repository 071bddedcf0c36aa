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
 * Attacks on calls that say where data goes: another thread changes what they
 * point at, or puts another socket into the descriptor, while the call is
 * made.  Both addresses are ports of 127.0.0.1, where somebody counts what
 * comes; what was said of the calls is printed:
 *
 *	sendrace MODE GRANTED DENIED
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES		3000
#define TRIES_MAX	100000
#define SLOT		100

static atomic_int	 stop;
static union {
	struct sockaddr_in	 in;
	_Atomic uint16_t	 words[8];
}			 flipped;
static struct sockaddr_in	 addresses[2];
static int		 sockets[2];
static char		 byte = 'x';
static struct iovec	 iov = { &byte, 1 }, none = { &byte, 0 };
static union {
	struct msghdr		 hdr;
	_Atomic uintptr_t	 words[sizeof(struct msghdr) / 8];
}			 message;
static struct mmsghdr	 several[3];

/* The port in the address. */
static void *
flip_port(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i = !i)
		flipped.words[1] = addresses[i].sin_port;
	return (NULL);
}

/* Which address, how long it is, which data, whether a control message. */
static void *
flip_header(void *arg)
{
	static char	 control[CMSG_SPACE(sizeof(int))];
	struct cmsghdr	*c = (struct cmsghdr *)control;
	int		 i, ttl = 9;

	(void)arg;
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_TTL;
	c->cmsg_len = CMSG_LEN(sizeof(ttl));
	memcpy(CMSG_DATA(c), &ttl, sizeof(ttl));
	for (i = 0; !stop; i++) {
		message.words[0] = (uintptr_t)&addresses[i & 1];
		message.words[1] = i & 2 ? sizeof(addresses[0]) : 0;
		message.words[2] = (uintptr_t)(i & 4 ? &iov : &none);
		message.words[4] = (uintptr_t)(i & 8 ? control : NULL);
		message.words[5] = i & 8 ? sizeof(control) : 0;
		message.words[1] = sizeof(addresses[0]);
	}
	return (NULL);
}

/* Where the second message and those behind it go. */
static void *
flip_several(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i = !i) {
		atomic_store((_Atomic uintptr_t *)&several[1].msg_hdr.msg_name,
		    (uintptr_t)&addresses[i]);
		flipped.words[1] = addresses[i].sin_port;
	}
	return (NULL);
}

/* A stream, to which no address matters, and a socket without a peer. */
static void *
flip_socket(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i = !i)
		(void)dup2(sockets[i], SLOT);
	return (NULL);
}

static int
new_socket(int type)
{
	int	 fd;

	if ((fd = socket(AF_INET, type | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	return (fd);
}

/* One connect; what it was said, and where it leads then. */
static int
try_connect(int type)
{
	struct sockaddr_in	 peer;
	socklen_t		 len = sizeof(peer);
	int			 error, fd = new_socket(type);

	error = connect(fd, &flipped.in, sizeof(flipped.in)) == -1 ? errno : 0;
	if (error == 0 && getpeername(fd, (struct sockaddr *)&peer,
	    &len) == 0 && peer.sin_port == addresses[1].sin_port &&
	    send(fd, &byte, 1, 0) == -1)
		error = errno;
	close(fd);
	return (error);
}

static int
try_send(const char *mode, int fd)
{
	ssize_t	 n;

	if (strcmp(mode, "sendto") == 0)
		n = sendto(fd, &byte, 1, 0, (struct sockaddr *)&flipped.in,
		    sizeof(flipped.in));
	else if (strcmp(mode, "sendmsg") == 0)
		n = sendmsg(fd, &message.hdr, 0);
	else if (strcmp(mode, "sendmmsg") == 0)
		/* The first is granted: fewer than all is a refusal. */
		n = sendmmsg(fd, several, 3, 0) == 3 ? 1 : -1;
	else
		n = sendto(SLOT, &byte, 1, MSG_NOSIGNAL,
		    (struct sockaddr *)&addresses[1], sizeof(addresses[1]));
	if (n != -1)
		return (0);
	return (strcmp(mode, "sendmmsg") == 0 ? ECONNREFUSED : errno);
}

static void
prepare(const char *mode)
{
	int	 i;

	flipped.in = addresses[0];
	message.hdr.msg_name = &addresses[0];
	message.hdr.msg_namelen = sizeof(addresses[0]);
	message.hdr.msg_iov = &iov;
	message.hdr.msg_iovlen = 1;
	for (i = 0; i < 3; i++)
		several[i].msg_hdr = message.hdr;
	several[2].msg_hdr.msg_name = &flipped.in;
	if (strcmp(mode, "socket") != 0)
		return;
	sockets[0] = new_socket(SOCK_STREAM);
	sockets[1] = new_socket(SOCK_DGRAM);
	if (connect(sockets[0], (struct sockaddr *)&addresses[0],
	    sizeof(addresses[0])) == -1 || dup2(sockets[0], SLOT) == -1)
		err(1, "connect");
}

int
main(int argc, char *argv[])
{
	static const struct {
		const char	*mode;
		void		*(*flip)(void *);
		int		 type;		/* of a connect */
	} modes[] = {
		{ "connect", flip_port, SOCK_STREAM },
		{ "connect-udp", flip_port, SOCK_DGRAM },
		{ "sendto", flip_port, 0 },
		{ "sendmsg", flip_header, 0 },
		{ "sendmmsg", flip_several, 0 },
		{ "socket", flip_socket, 0 }
	};
	pthread_t	 thread;
	size_t		 m;
	int		 done = 0, error, fd, i, refused = 0;

	if (argc != 4)
		errx(1, "usage");
	for (m = 0; strcmp(modes[m].mode, argv[1]) != 0; )
		if (++m == sizeof(modes) / sizeof(modes[0]))
			errx(1, "usage");
	for (i = 0; i < 2; i++) {
		addresses[i].sin_family = AF_INET;
		addresses[i].sin_port = htons((uint16_t)atoi(argv[2 + i]));
		addresses[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	prepare(argv[1]);
	fd = new_socket(SOCK_DGRAM);
	if (pthread_create(&thread, NULL, modes[m].flip, NULL) != 0)
		errx(1, "pthread_create");
	for (i = 0; i < TRIES_MAX && (i < TRIES || !done || !refused); i++) {
		/* Outside nobody refuses. */
		if (i == 3 * TRIES && !refused && modes[m].type != 0)
			break;
		error = modes[m].type != 0 ? try_connect(modes[m].type) :
		    try_send(argv[1], fd);
		if (error == 0)
			done = 1;
		else if (error == ECONNREFUSED)
			refused = 1;
		/* What does not fit together, in the middle of a change. */
		else if (error != EINVAL && error != EDESTADDRREQ &&
		    error != EFAULT && error != EAGAIN)
			errc(1, error, "%s", argv[1]);
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("done %s, refused %s\n", done ? "yes" : "no",
	    refused ? "yes" : "no");
	return (0);
}
