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
 * Whether a policy grants a socket of datagrams, as /dev/log is one.  Where it
 * does the workload may make such sockets, and what it sends by sendmsg(2) on
 * any socket is seen; so that costs nothing where it does not.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sandlock.h"

/*
 * To connect tells nobody anything: of datagrams the other end sees none, and
 * to another kind of socket it fails.  One that nobody has bound may be either.
 */
static int
socket_takes_datagrams(int inode)
{
	struct sockaddr_un	 sun;
	int			 fd, ret;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d",
	    inode);
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (0);
	ret = connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0 ||
	    errno == ECONNREFUSED;
	close(fd);
	return (ret);
}

int
policy_datagrams(const struct policy *p)
{
	const struct policy_path	*path;
	struct stat			 st;
	int				 fd, found = 0;

	TAILQ_FOREACH(path, &p->paths, entry) {
		if ((path->perms & PERM_WRITE) == 0 ||
		    stat(path->path, &st) == -1 || !S_ISSOCK(st.st_mode) ||
		    (fd = open(path->path, O_PATH | O_CLOEXEC)) == -1)
			continue;
		found = socket_takes_datagrams(fd);
		close(fd);
		if (found)
			break;
	}
	return (found);
}
