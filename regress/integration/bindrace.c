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
 * Attacks on bind(2): another thread changes the address, or puts another
 * socket into the descriptor, while the call is made.  Prints how many binds
 * took the port that is not granted, and whether both that is granted and
 * refusals were seen:
 *
 *	bindrace address|socket GRANTED DENIED
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

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

#define TRIES		20000
#define TRIES_MAX	200000

static atomic_int	 stop;
static union {
	struct sockaddr_in	 in;
	struct sockaddr_un	 un;
	_Atomic uint16_t	 words[64];
}			 address;
static uint16_t		 ports[2];
static atomic_int	 sockets[2];
static int		 slot = 100;

static void *
flip_port(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i = !i)
		address.words[1] = htons(ports[i]);
	return (NULL);
}

/* A socket with a name in the file system, and one with a port. */
static void *
flip_socket(void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; !stop; i = !i) {
		if (i == 0) {
			address.words[0] = AF_UNIX;
			address.words[1] = 'n';
		} else {
			address.words[1] = htons(ports[1]);
			address.words[0] = AF_INET;
		}
		(void)dup2(sockets[i], slot);
	}
	return (NULL);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);

	if (getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "getsockname");
	return (ntohs(sin.sin_port));
}

static int
new_socket(int domain, int type)
{
	int	 fd;

	if ((fd = socket(domain, type | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	return (fd);
}

int
main(int argc, char *argv[])
{
	pthread_t	 thread;
	unsigned int	 bound = 0, denied = 0, i, refused = 0;
	int		 error, fd, swap, type;

	if (argc != 4)
		errx(1, "usage");
	swap = strcmp(argv[1], "socket") == 0;
	ports[0] = (uint16_t)atoi(argv[2]);
	ports[1] = (uint16_t)atoi(argv[3]);
	address.in.sin_family = AF_INET;
	address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (swap) {
		/* The rest of a name, which as an address is 110.110.0.0. */
		memset(&address.in.sin_addr, 0, sizeof(address.in.sin_addr));
		sockets[0] = new_socket(AF_UNIX, SOCK_STREAM);
		sockets[1] = new_socket(AF_INET, SOCK_DGRAM);
		if (dup2(sockets[0], slot) == -1)
			err(1, "dup2");
	}
	if ((errno = pthread_create(&thread, NULL, swap ? flip_socket :
	    flip_port, NULL)) != 0)
		err(1, "pthread_create");
	for (i = 0; i < TRIES_MAX && (i < TRIES || bound == 0 ||
	    refused == 0); i++) {
		type = i & 1 ? SOCK_STREAM : SOCK_DGRAM;
		fd = swap ? slot : new_socket(AF_INET, type);
		error = bind(fd, (struct sockaddr *)&address,
		    sizeof(address.in)) == -1 ? errno : 0;
		if (error == 0)
			bound++;
		else
			refused++;
		if (swap) {
			denied += port_of(sockets[1]) != 0;
			if (error == 0) {
				close(atomic_exchange(&sockets[0],
				    new_socket(AF_UNIX, SOCK_STREAM)));
				close(atomic_exchange(&sockets[1],
				    new_socket(AF_INET, SOCK_DGRAM)));
				(void)unlink("n");
			}
			continue;
		}
		if (error != 0 && error != EACCES)
			errx(1, "bind: %s", strerror(error));
		if (port_of(fd) != (error == 0 ? ports[0] : 0))
			denied++;
		close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("denied %s, bound %s, refused %s\n", denied ? "yes" : "no",
	    bound ? "yes" : "no", refused ? "yes" : "no");
	return (0);
}
