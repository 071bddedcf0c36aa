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
 * The common start of supervisor, cowd and netd.  It holds no policy.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockdown.h"
#include "log.h"
#include "proto.h"
#include "worker.h"

struct imsgev	 worker_parent;

static void
worker_signals(void)
{
	/*
	 * A key of the terminal reaches its whole group; ending the run is the
	 * parent's decision, and it tells by closing the channel.
	 */
	static const int ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU
	};
	sigset_t	 none;
	size_t		 i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A sandbox around us may let it be read only, which does as well. */
int
worker_open_null(void)
{
	int	 fd;

	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 &&
	    (errno == EACCES || errno == EPERM || errno == EROFS))
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return (fd);
}

static void
worker_null_stdio(void)
{
	int	 fd;

	if ((fd = worker_open_null()) == -1)
		fatal("/dev/null");
	if (dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1)
		fatal("dup2");
	close(fd);
}

void
worker_init(const char *name, int keep_stdio, int dumpable,
    void (*handler)(int, short, void *))
{
	socklen_t	 len;
	int		 domain, flags;

	log_init(name, 0);
	len = sizeof(domain);
	if (getsockopt(PROTO_PARENT_FD, SOL_SOCKET, SO_DOMAIN, &domain,
	    &len) == -1 || domain != AF_UNIX)
		fatalx("started by sandlock only");
	if ((flags = fcntl(PROTO_PARENT_FD, F_GETFL)) == -1 ||
	    fcntl(PROTO_PARENT_FD, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(PROTO_PARENT_FD, F_SETFD, FD_CLOEXEC) == -1)
		fatal("fcntl");
	worker_signals();
	if (!keep_stdio)
		worker_null_stdio();
	if (lockdown_begin(dumpable) == -1)
		fatal("lockdown");
	/*
	 * Who is stopped does not see the channel close.  The parent ends that
	 * with the run; should it be killed, the kernel does.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGCONT) == -1)
		fatal("prctl");
	imsg_event_base();
	if (imsg_event_init(&worker_parent, PROTO_PARENT_FD, handler) == -1 ||
	    imsgbuf_set_maxsize(&worker_parent.ibuf, PROTO_MAXSIZE) == -1)
		fatal("channel to the parent");
}

void
worker_fail(const char *fmt, ...)
{
	va_list	 ap;
	char	 text[1024];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (proto_send_string(&worker_parent.ibuf, IMSG_ERROR, text) == -1 ||
	    imsgbuf_flush(&worker_parent.ibuf) == -1)
		fatalx("%s", text);
	_exit(EXIT_SANDLOCK);
}

int
worker_read(struct imsgev *iev, short event, const char *peer)
{
	int	 n;

	if (event & EV_READ) {
		if ((n = imsgbuf_read(&iev->ibuf)) == -1)
			fatal("channel to %s", peer);
		if (n == 0)
			return (0);
	}
	if (event & EV_WRITE) {
		if (imsgbuf_write(&iev->ibuf) == -1) {
			/* It may have said something before it went. */
			if (errno == EPIPE || errno == ECONNRESET)
				return (1);
			/*
			 * Descriptors of the user's in flight: somebody has to
			 * read first.  The socket has room and would tell so
			 * at once again.
			 */
			if (errno == ETOOMANYREFS) {
				poll(NULL, 0, 1);
				return (1);
			}
			fatal("channel to %s", peer);
		}
	}
	return (1);
}
