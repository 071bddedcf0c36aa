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
 * Who the workload is: another user of the system, or another identity in a
 * user namespace.  Both change the parent itself before anything is started,
 * so that the workers are nobody else.
 */

#include <sys/types.h>
#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "run.h"

/* --run-as: everything from here on, our own programs too, is that user. */
int
identity_run_as(const struct policy *p)
{
	if (p->run_as == NULL)
		return (0);
	if (setgroups(1, &p->run_as_gid) == -1 ||
	    setresgid(p->run_as_gid, p->run_as_gid, p->run_as_gid) == -1 ||
	    setresuid(p->run_as_uid, p->run_as_uid, p->run_as_uid) == -1) {
		log_warn("--run-as %s", p->run_as);
		return (-1);
	}
	return (0);
}

static int
write_file(const char *path, const char *text)
{
	int	 fd, ret = -1, saved_errno;
	size_t	 len = strlen(text);

	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return (-1);
	if (write(fd, text, len) == (ssize_t)len)
		ret = 0;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (ret);
}

/*
 * --user: everything from here on lives in a user namespace in which our user
 * has that identity, and no capability once lockdown_capabilities() was called.
 */
int
identity_namespace(uid_t uid, gid_t gid)
{
	char	 map[64];
	uid_t	 outer_uid = geteuid();
	gid_t	 outer_gid = getegid();

	if (unshare(CLONE_NEWUSER) == -1)
		return (-1);
	/* --run-as left /proc/self to root; lockdown_begin() ends this. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1)
		return (-1);
	if (write_file("/proc/self/setgroups", "deny") == -1)
		return (-1);
	snprintf(map, sizeof(map), "%u %u 1\n", uid, outer_uid);
	if (write_file("/proc/self/uid_map", map) == -1)
		return (-1);
	snprintf(map, sizeof(map), "%u %u 1\n", gid, outer_gid);
	return (write_file("/proc/self/gid_map", map));
}
