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
 * The answer to a notified call that opens something: a descriptor, which the
 * kernel makes the caller's and its number the result in one step.
 */

#include <sys/types.h>
#include <sys/ioctl.h>

#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "inject.h"

/*
 * Answer notification id of a listener with fd, which stays ours.  0, or -1 and
 * errno: ENOENT when the task is gone, EINPROGRESS when it has its answer; with
 * any other (EMFILE and the like) it still waits for one.  A signal in that
 * step would leave the call answered and the descriptor behind, so none may
 * come.
 */
int
inject_fd(int listener, uint64_t id, int fd, int cloexec)
{
	struct seccomp_notif_addfd	 add;
	sigset_t			 all, old;
	int				 ret, saved_errno;

	memset(&add, 0, sizeof(add));
	add.id = id;
	add.flags = SECCOMP_ADDFD_FLAG_SEND;
	add.srcfd = fd;
	add.newfd_flags = cloexec ? O_CLOEXEC : 0;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	ret = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	saved_errno = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved_errno;
	return (ret == -1 ? -1 : 0);
}
