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
 * bind(2) where netd makes the binds of IPv4 and IPv6.
 *
 * Landlock knows nothing of UDP, so that no bind may be let through then: the
 * descriptor could be another socket by the time the kernel looks.  The address
 * is copied once and the call made on a duplicate of the socket, by netd, for
 * names in the view by cowd, and for other unix sockets here.  This process
 * makes no socket by a name that Landlock does not grant the workload, for it
 * is in the same domain, and it walks from the workload's working directory,
 * so that the socket has the name that the workload gave it.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"

#define SUN_HEAD	offsetof(struct sockaddr_un, sun_path)

static int	 bind_home = -1;	/* where this process stands */

/* Before the files are locked away. */
void
bind_init(void)
{
	if (sup.conf.filter.bind && (bind_home = open(".", O_PATH |
	    O_DIRECTORY | O_CLOEXEC)) == -1 && (bind_home = open("/", O_PATH |
	    O_DIRECTORY | O_CLOEXEC)) == -1)
		fatal("working directory");
}

static void
bind_netd(struct request *rq, int fd, const struct proto_connect *pc)
{
	struct request	*waiting;

	if (!sup.have_netd) {
		close(fd);
		supervisor_denied(rq, EACCES, "network");
		notify_errno(rq, EACCES);
		return;
	}
	if ((waiting = request_park(rq, OWNER_NETD)) == NULL) {
		close(fd);
		return;
	}
	if (proto_send_bind(&sup.netd.ibuf, waiting->seq, fd, pc) == -1) {
		log_warn("netd");
		close(fd);
		request_done(waiting, ENOMEM);
		return;
	}
	imsg_event_add(&sup.netd);
}

/* From the workload's working directory, with its umask; 0 or an errno. */
static int
bind_name(const struct request *rq, int fd, const struct sockaddr_un *sun,
    socklen_t len)
{
	char	 name[64];
	mode_t	 mask;
	int	 cwd, error = 0;

	mask = mutate_umask(rq);
	snprintf(name, sizeof(name), "/proc/%d/cwd", (int)rq->notif.pid);
	if ((cwd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (errno);
	/* The process of that number may be another one. */
	if (!notify_valid(rq))
		error = ESRCH;
	else if (fchdir(cwd) == -1)
		error = errno;
	else {
		mask = umask(mask);
		if (bind(fd, (const struct sockaddr *)sun, len) == -1)
			error = errno;
		umask(mask);
		if (fchdir(bind_home) == -1)
			fatal("working directory");
	}
	close(cwd);
	return (error);
}

/*
 * The caller's own directory in /proc, which has a name of this process's: by
 * its descriptors programs give sockets names that are too long otherwise.
 */
static int
bind_self(const struct request *rq, const char *path, char *buf, size_t size)
{
	static const char *const	 names[] = {
		"/proc/self/", "/proc/thread-self/"
	};
	size_t				 i, len;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i]);
		if (strncmp(path, names[i], len) == 0) {
			snprintf(buf, size, "/proc/%d/%s", (int)rq->notif.pid,
			    path + len);
			return (1);
		}
	}
	return (0);
}

/* Outside of the view, or where there is none. */
static void
bind_outside(struct request *rq, int fd, const struct proto_connect *pc,
    const struct place *pl)
{
	const struct sockaddr_un	*in;
	struct sockaddr_un		 sun;
	char				 buf[2 * sizeof(sun.sun_path)];
	char				 path[sizeof(sun.sun_path) + 1];
	socklen_t			 len = pc->addrlen;
	int				 error = 0, other = 1;

	in = (const struct sockaddr_un *)&pc->addr;
	memset(path, 0, sizeof(path));
	memcpy(path, in->sun_path, len - SUN_HEAD);
	memcpy(&sun, in, len);
	/* A private /tmp, or a link that only the view has. */
	if (pl != NULL && (tmp_covers(path) || (pl->left && view_changed()))) {
		error = tmp_place(pl->left ? pl->path : path, 1, buf,
		    sizeof(buf));
	} else
		other = bind_self(rq, path, buf, sizeof(buf));
	if (other) {
		if (error == 0 && strlen(buf) >= sizeof(sun.sun_path))
			error = EINVAL;
		if (error == 0) {
			strlcpy(sun.sun_path, buf, sizeof(sun.sun_path));
			len = SUN_HEAD + strlen(buf) + 1;
		}
	}
	if (mounted_active() && error == 0 && !mounted_socket(rq)) {
		close(fd);
		return;
	}
	if (error == 0)
		error = bind_name(rq, fd, &sun, len);
	if (error == EACCES) {
		if (sup.conf.filter.log_denials)
			rq->object = strdup(path);
		supervisor_denied(rq, error, "unveil");
	}
	close(fd);
	notify_errno(rq, error);
}

/* A path of its own, or none: abstract names are Landlock's to scope. */
static void
bind_unix(struct request *rq, int fd, const struct proto_connect *pc)
{
	const struct sockaddr_un	*sun;
	struct place			 pl;
	char				 path[sizeof(sun->sun_path) + 1];
	int				 error;

	sun = (const struct sockaddr_un *)&pc->addr;
	if (pc->addrlen <= SUN_HEAD || pc->addrlen > sizeof(*sun) ||
	    sun->sun_family != AF_UNIX || sun->sun_path[0] == '\0') {
		error = bind(fd, (const struct sockaddr *)&pc->addr,
		    pc->addrlen) == -1 ? errno : 0;
		close(fd);
		notify_errno(rq, error);
		return;
	}
	if (!view_active()) {
		bind_outside(rq, fd, pc, NULL);
		return;
	}
	memset(path, 0, sizeof(path));
	memcpy(path, sun->sun_path, pc->addrlen - SUN_HEAD);
	if ((error = place_find(rq, AT_FDCWD, path, 0, &pl)) != 0) {
		close(fd);
		notify_errno(rq, error);
	} else if (!pl.inside || !mutate_mark(rq, &pl, 0))
		bind_outside(rq, fd, pc, &pl);
	else {
		close(fd);
		stand_bind_inside(rq, &pl);
	}
	place_free(&pl);
}

void
bind_request(struct request *rq)
{
	struct proto_connect	 pc;
	int			 error, fd;

	if ((fd = notify_descriptor(rq)) == -1)
		return;
	if ((error = socket_address(rq, &pc)) != 0 || !notify_valid(rq)) {
		if (socket_domain(fd) == -1)
			error = errno;
		close(fd);
		notify_errno(rq, error != 0 ? error : EINTR);
		return;
	}
	switch (socket_domain(fd)) {
	case AF_UNIX:
		bind_unix(rq, fd, &pc);
		break;
	case AF_INET:
	case AF_INET6:
		rq->object = socket_object(&pc);
		bind_netd(rq, fd, &pc);
		break;
	case -1:
		notify_errno(rq, errno);
		close(fd);
		break;
	default:
		close(fd);
		supervisor_denied(rq, EACCES, "network");
		notify_errno(rq, EACCES);
		break;
	}
}
