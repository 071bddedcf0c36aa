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
 * A socket's name in the merged view.  Binding makes the inode, and where it is
 * to lie there may be a whiteout: so it is bound in work and moved.  The
 * address that the socket tells is not the one that was asked for.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

static int
bind_at(int sock, int dir, const char *name, mode_t mask)
{
	struct sockaddr_un	 sun;
	char			 path[PROC_FD_SIZE];
	mode_t			 old;
	int			 ret;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s",
	    fd_proc(dir, path), name) >= (int)sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	old = umask(mask);
	ret = bind(sock, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	return (ret);
}

static int
bind_place(struct merge *m, struct walk *w, int sock, mode_t mask)
{
	struct node	*dir = walk_parent(w);
	struct stage	 st;
	char		 tmp[STAGE_NAME_SIZE];
	int		 ret;

	if (scratch_open(m, dir, &st) == -1)
		return (-1);
	scratch_name(m, tmp);
	if ((ret = bind_at(sock, st.fd, tmp, mask)) == 0 &&
	    (ret = stage_place(st.fd, tmp, dir->ufd, w->name, 0)) == -1)
		(void)unlinkat(st.fd, tmp, 0);
	stage_close(m, &st);
	return (ret);
}

int
merge_bind(struct merge *m, int sock, const char *path, mode_t mask)
{
	struct walk	 w;
	int		 ret = -1;

	if (walk_start(m, path, WALK_PARENT, &w) == -1)
		return (-1);
	if (create_check(m, &w, 0) == -1) {
		if (errno == EEXIST)
			errno = EADDRINUSE;
	} else if (copyup_parents(m, &w) == 0 && room_take(m, ROOM_UNIT) == 0)
		ret = bind_place(m, &w, sock, mask);
	walk_end(&w);
	return (ret);
}
