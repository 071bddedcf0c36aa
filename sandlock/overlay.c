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
 * The overlayfs back end: a mount of the branch over the working directory, on
 * that directory itself, in a mount namespace of the run's own, as the branchfs
 * back end has one, too.  The parent enters it before it starts anything, so
 * that every process of the run sees the same tree; what was opened before
 * leads to the working directory still.
 */

#include <sys/types.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "run.h"
#include "storage.h"

/*
 * The format of upper is the same whoever runs this: attributes that users may
 * set, and no shortcut through an attribute that only overlayfs understands.
 */
#define OVERLAY_OPTIONS	"userxattr,redirect_dir=nofollow,metacopy=off,index=off"

/*
 * The same directory in the mount namespace of now, by its name.  Who renames
 * it meanwhile gets an error.
 */
int
overlay_reopen(const char *path, int old)
{
	struct stat	 a, b;
	int		 fd;

	if ((fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	if (fstat(fd, &a) == -1 || fstat(old, &b) == -1 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino) {
		close(fd);
		errno = ESTALE;
		return (-1);
	}
	return (fd);
}

/* By descriptors: a name may hold a comma or a colon. */
static int
overlay_mount_fds(int lower, int branch)
{
	struct statvfs	 fs;
	unsigned long	 flags = MS_NOSUID | MS_NODEV;
	char		 options[256], target[64];

	/* What the file system below refuses to execute stays refused. */
	if (fstatvfs(lower, &fs) == -1)
		return (-1);
	if (fs.f_flag & ST_NOEXEC)
		flags |= MS_NOEXEC;
	snprintf(target, sizeof(target), "/proc/self/fd/%d", lower);
	snprintf(options, sizeof(options), "lowerdir=/proc/self/fd/%d,"
	    "upperdir=/proc/self/fd/%d/upper,workdir=/proc/self/fd/%d/work,"
	    OVERLAY_OPTIONS, lower, branch, branch);
	return (mount("sandlock", target, "overlay", flags, options));
}

static int
overlay_mount_branch(const struct branch_dir *b)
{
	char	*path;
	int	 branch, lower, ret = -1;

	if (asprintf(&path, "%s/%s", b->storage, b->name) == -1)
		return (-1);
	branch = overlay_reopen(path, b->fd);
	free(path);
	if (branch == -1)
		return (-1);
	if ((lower = overlay_reopen(b->workdir, b->lower)) != -1) {
		ret = overlay_mount_fds(lower, branch);
		close(lower);
	}
	close(branch);
	return (ret);
}

/*
 * 0, or -1 after a message.  It takes the right to mount, which root has, and
 * anybody else in a user namespace: --user has made one, or it is made here.
 */
int
overlay_enter(const struct policy *p, const struct branch_dir *b)
{
	const char	*name = policy_isolation_name(p->isolation);
	char		*cwd;
	int		 ret = -1;

	if ((cwd = getcwd(NULL, 0)) == NULL) {
		log_warn("current directory");
		return (-1);
	}
	if (!p->user_set && geteuid() != 0 &&
	    identity_namespace(geteuid(), getegid()) == -1)
		log_warn("--fs-isolation %s: user namespace", name);
	else if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == -1)
		log_warn("--fs-isolation %s: mount namespace", name);
	else if ((b->server == NULL ? overlay_mount_branch(b) :
	    branchfs_mount(b)) == -1)
		log_warn("--fs-isolation %s: mount on %s", name, b->workdir);
	/* We may stand below the mount. */
	else if (chdir(cwd) == -1)
		log_warn("%s", cwd);
	else
		ret = 0;
	free(cwd);
	return (ret);
}
