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
 * What a notified call has opened becomes the caller's, who waits on: the
 * number is the result only when the call is answered with that.
 *
 * The kernel could do both in one step (SECCOMP_ADDFD_FLAG_SEND).  But then the
 * caller goes on while whoever gave it the descriptor has one of the same open
 * file, so that a lock outlives its close and a reader of a FIFO waits for the
 * end; and if the giver is stopped in that step, or its processor suspended,
 * the call is answered and the descriptor is not given: with 0, which is
 * another file.
 */

#include <sys/types.h>
#include <sys/ioctl.h>

#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "inject.h"

/*
 * Make fd, which stays ours, one of the task that waits for the answer to
 * notification id of a listener.  Its number there, or -1 and errno: ENOENT or
 * ESRCH when the task is gone, EMFILE and the like when there is no room.
 */
int
inject_fd(int listener, uint64_t id, int fd, int cloexec)
{
	struct seccomp_notif_addfd	 add;
	int				 ret;

	memset(&add, 0, sizeof(add));
	add.id = id;
	add.srcfd = fd;
	add.newfd_flags = cloexec ? O_CLOEXEC : 0;
	/* Interrupted, it was not given. */
	while ((ret = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add)) == -1 &&
	    errno == EINTR)
		continue;
	return (ret);
}
