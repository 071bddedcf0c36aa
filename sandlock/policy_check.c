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
 * What has to hold before anything is started: the policy agrees with itself,
 * what it names exists, and this user may ask for it.  It changes the policy
 * to what the workers get: absolute paths without links.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "policy.h"
#include "sandlock.h"

#define DRM_RENDER_BASE	128	/* number of the first /dev/dri/renderD */
#define GPU_DEVICE	(PERM_READ | PERM_WRITE)

/* What every GPU of a kind needs besides its own device. */
static const struct {
	const char	*pattern;
	unsigned int	 perms;
} gpu_shared[] = {
	{ "/dev/nvidiactl",	GPU_DEVICE },
	{ "/dev/nvidia-uvm*",	GPU_DEVICE },
	{ "/dev/nvidia-modeset", GPU_DEVICE },
	{ "/dev/nvidia-caps/*",	GPU_DEVICE },
	{ "/dev/kfd",		GPU_DEVICE },
	{ "/proc/driver/nvidia", PERM_READ },
	{ "/sys/class/drm",	PERM_READ },
	{ "/sys/class/kfd",	PERM_READ },
	{ "/sys/dev/char",	PERM_READ },
	{ "/sys/devices/pci*",	PERM_READ },
	{ "/sys/devices/virtual/kfd", PERM_READ }
};

static char		*path_expand(const char *);
static char		*path_future(const char *);
static int		 path_inside(const char *, const char *);
static unsigned int	 path_useful(const char *);
static void		 path_remove(struct policy *, struct policy_path *);
static int		 check_branch(const struct policy *);
static int		 check_wildcards(const struct policy *);
static const char	*path_exposed(const struct policy *, const char *);
static int		 check_home(const struct policy *);
static int		 check_path(struct policy *, struct policy_path *);
static int		 path_tidy(char *);
static int		 check_denied(struct policy_path *);
static void		 check_twice(struct policy *, struct policy_path *);
static struct policy_path *path_around(const struct policy *,
			    const struct policy_path *);
static int		 check_inside(struct policy *, struct policy_path *,
			    struct policy_path *);
static int		 check_nested(struct policy *);
static int		 check_paths(struct policy *);
static int		 check_directory(struct policy *);
static int		 check_around(const struct policy *);
static int		 check_quota_holes(const struct policy *);
static int		 check_both(const struct policy *);
static int		 check_readonly(const struct policy *);
static int		 check_workdir(struct policy *);
static int		 check_writable(const char *, int);
static int		 check_sources(const struct policy *);
static int		 check_log(struct policy *);
static int		 check_pass_fds(const struct policy *);
static int		 check_descriptors(struct policy *);
static int		 check_cpus(const struct policy *);
static int		 gpu_add(struct policy *, const char *, unsigned int);
static int		 gpu_add_one(struct policy *, int);
static int		 check_gpu(struct policy *);
static int		 check_run_as(struct policy *);

/* What is said about a branch needs one. */
static int
check_branch(const struct policy *p)
{
	const struct {
		const char	*option;
		int		 given;
	} options[] = {
		{ "--fs-isolation", p->isolation != ISOLATION_UNSET },
		{ "--fs-storage", p->storage != NULL },
		{ "--max-disk", p->max_disk != 0 },
		{ "--on-exit", p->on_exit != BRANCH_UNSET },
		{ "--on-error", p->on_error != BRANCH_UNSET },
		{ "--dry-run", p->dry_run }
	};
	size_t	 i;

	if (p->dry_run_form != DRY_RUN_UNSET && !p->dry_run) {
		log_warnx("--%s: needs --dry-run",
		    policy_form_name(p->dry_run_form));
		return (-1);
	}
	if (p->max_disk != 0 && p->isolation == ISOLATION_BRANCHFS) {
		log_warnx("--max-disk: impossible with --fs-isolation "
		    "branchfs, whose server holds the branch");
		return (-1);
	}
	if (p->workdir != NULL)
		return (0);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given) {
			log_warnx("%s: needs --workdir", options[i].option);
			return (-1);
		}
	return (0);
}

/*
 * The addresses of names with an asterisk are known when they are asked for,
 * which only the resolver sees; until then nothing of them could be blocked.
 */
static int
check_wildcards(const struct policy *p)
{
	const struct net_rule	*nr;

	TAILQ_FOREACH(nr, &p->net, entry) {
		if (nr->target != NET_NAME || nr->name[0] != '*')
			continue;
		if (nr->block) {
			log_warnx("%s: names with an asterisk can only be "
			    "admitted", nr->name);
			return (-1);
		}
		if (!p->resolver) {
			log_warnx("%s: names with an asterisk need the "
			    "resolver (--net-resolver)", nr->name);
			return (-1);
		}
	}
	return (0);
}

/* Names with an asterisk are asked for each time, whatever is refreshed. */
static int
check_refresh(const struct policy *p)
{
	const struct net_rule	*nr;

	if (!p->refresh)
		return (0);
	TAILQ_FOREACH(nr, &p->net, entry)
		if (nr->target == NET_NAME && nr->name[0] != '*')
			return (0);
	log_warnx("--net-refresh: no rule has the name of a host");
	return (-1);
}

int
policy_check_conflicts(const struct policy *p)
{
	struct policy_needs	 needs;

	policy_needs(p, &needs);
	if (p->no_supervisor && needs.features[0] != '\0') {
		log_warnx("--no-supervisor: impossible with %s%s",
		    needs.features, p->workdir == NULL ? "" :
		    "; with --no-workdir that is written directly");
		return (-1);
	}
	if (check_branch(p) == -1 || check_wildcards(p) == -1 ||
	    check_refresh(p) == -1)
		return (-1);
	if (p->user_set && p->run_as != NULL) {
		log_warnx("--user: impossible with --run-as");
		return (-1);
	}
	return (0);
}

int
policy_check(struct policy *p)
{
	if (policy_check_conflicts(p) == -1 ||
	    check_home(p) == -1 ||
	    check_gpu(p) == -1 ||
	    check_workdir(p) == -1 ||
	    check_paths(p) == -1 ||
	    check_around(p) == -1 ||
	    check_quota_holes(p) == -1 ||
	    check_sources(p) == -1 ||
	    check_directory(p) == -1 ||
	    check_descriptors(p) == -1 ||
	    check_cpus(p) == -1 ||
	    check_run_as(p) == -1 ||
	    (p->workdir != NULL && policy_check_storage(p) == -1))
		return (-1);
	return (0);
}

/*
 * "~" is the caller's HOME even where the workload gets a private one.  NULL
 * and errno on failure.
 */
static char *
path_expand(const char *path)
{
	const char	*home;
	char		*new;

	if (path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
		return (strdup(path));
	home = getenv("HOME");
	if (home == NULL || home[0] != '/') {
		errno = ENOENT;
		return (NULL);
	}
	if (asprintf(&new, "%s%s", home, path + 1) == -1)
		return (NULL);
	return (new);
}

/* Whether a path is outer or below it; both canonical. */
static int
path_inside(const char *outer, const char *path)
{
	size_t	 len;

	if (strcmp(outer, "/") == 0)
		return (1);
	len = strlen(outer);
	return (strncmp(outer, path, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0'));
}

/* The rights that mean anything on a path; x does not on a device. */
static unsigned int
path_useful(const char *path)
{
	struct stat	 st;
	struct statfs	 sfs;

	if (stat(path, &st) == -1)
		return (PERM_MASK);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return (PERM_MASK & ~PERM_EXEC);
	/* Neither holds a program; links in them are judged by their target. */
	if (statfs(path, &sfs) == 0 && (sfs.f_type == PROC_SUPER_MAGIC ||
	    sfs.f_type == SYSFS_MAGIC))
		return (PERM_MASK & ~PERM_EXEC);
	return (PERM_MASK);
}

static void
path_remove(struct policy *p, struct policy_path *path)
{
	TAILQ_REMOVE(&p->paths, path, entry);
	free(path->path);
	free(path);
}

/*
 * The default profile grants the current directory.  In the home directory
 * or above it that would be every secret of the user.
 */
static int
check_home(const struct policy *p)
{
	const struct policy_path	*path;
	const char			*home;
	char				 cwd[PATH_MAX], real[PATH_MAX];
	int				 granted = 0;

	if (p->workdir != NULL && strcmp(p->workdir, ".") == 0)
		granted = 1;
	TAILQ_FOREACH(path, &p->paths, entry)
		if (strcmp(path->path, ".") == 0)
			granted = 1;
	if (!p->guard_home || !granted)
		return (0);
	if (realpath(".", cwd) == NULL) {
		log_warn("current directory");
		return (-1);
	}
	home = getenv("HOME");
	if (home == NULL || realpath(home, real) == NULL)
		strlcpy(real, "/", sizeof(real));
	if (!path_inside(cwd, real))
		return (0);
	log_warnx("%s: the default profile would grant %s: change to the "
	    "directory of a project, or say with -r, -w or -p what to grant",
	    cwd, strcmp(cwd, "/") == 0 ? "every file" :
	    "the whole home directory");
	return (-1);
}

/* Make one path canonical; an optional one that is missing is removed. */
static int
check_path(struct policy *p, struct policy_path *path)
{
	char	*expanded, *real;

	/* realpath() opens nothing, so a FIFO cannot make it wait. */
	real = NULL;
	if ((expanded = path_expand(path->path)) != NULL)
		real = realpath(expanded, NULL);
	if (real == NULL && !(path->optional && errno != ENOMEM)) {
		log_warn("%s", path->path);
		free(expanded);
		return (-1);
	}
	free(expanded);
	if (real == NULL)
		path_remove(p, path);
	else {
		free(path->path);
		path->path = real;
	}
	return (0);
}

/* Drop empty components and "."; -1 when there is a "..". */
static int
path_tidy(char *path)
{
	char	*from, *to;
	size_t	 len;

	for (from = to = path; *from != '\0'; from += len) {
		from += strspn(from, "/");
		len = strcspn(from, "/");
		if (len == 2 && strncmp(from, "..", 2) == 0)
			return (-1);
		if (len == 0 || (len == 1 && from[0] == '.'))
			continue;
		*to++ = '/';
		memmove(to, from, len);
		to += len;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
	return (0);
}

/*
 * A denied path need not be there: then it is denied as soon as it is.  What
 * is there of it loses its links; the rest has to be plain names.
 */
static int
check_denied(struct policy_path *path)
{
	char	*expanded, *real = NULL;

	if ((expanded = path_expand(path->path)) != NULL &&
	    (real = realpath(expanded, NULL)) == NULL && errno == ENOENT)
		real = path_future(expanded);
	free(expanded);
	if (real == NULL) {
		log_warn("%s", path->path);
		return (-1);
	}
	if (path_tidy(real) == -1) {
		log_warnx("%s: a missing path with \"..\" in it", path->path);
		free(real);
		return (-1);
	}
	free(path->path);
	path->path = real;
	return (0);
}

/* The same path twice has the rights of both; to deny it beats that. */
static void
check_twice(struct policy *p, struct policy_path *a)
{
	struct policy_path	*b, *next;

	for (b = TAILQ_NEXT(a, entry); b != NULL; b = next) {
		next = TAILQ_NEXT(b, entry);
		if (strcmp(a->path, b->path) != 0)
			continue;
		if (a->perms == PERM_NONE || b->perms == PERM_NONE)
			a->perms = PERM_NONE;
		else
			a->perms |= b->perms;
		path_remove(p, b);
	}
}

/* The path around another one that is nearest to it; NULL: none. */
static struct policy_path *
path_around(const struct policy *p, const struct policy_path *path)
{
	struct policy_path	*pp, *best = NULL;

	TAILQ_FOREACH(pp, &p->paths, entry)
		if (pp != path && path_inside(pp->path, path->path) &&
		    (best == NULL || path_inside(best->path, pp->path)))
			best = pp;
	return (best);
}

/*
 * One path inside another: more rights are one rule more for the kernel, fewer
 * are a hole in the outer one, which takes work around it (see holes.h).
 */
static int
check_inside(struct policy *p, struct policy_path *a, struct policy_path *b)
{
	unsigned int	 missing = a->perms & ~b->perms;

	if (a->perms == PERM_NONE) {
		log_warnx("%s: lies below %s, which is denied", b->path,
		    a->path);
		return (-1);
	}
	if ((missing & path_useful(b->path)) == 0)
		b->perms |= missing;
	else if ((missing & PERM_READ) != 0)
		p->holes = HOLES_READ;
	else if ((missing & PERM_META) != 0 && p->holes == HOLES_NONE)
		p->holes = HOLES_CHANGE;
	return (0);
}

static int
check_nested(struct policy *p)
{
	struct policy_path	*a, *b, *next;

	TAILQ_FOREACH(a, &p->paths, entry)
		check_twice(p, a);
	TAILQ_FOREACH(b, &p->paths, entry)
		if ((a = path_around(p, b)) != NULL &&
		    check_inside(p, a, b) == -1)
			return (-1);
	/* What the path around says already is a rule less for the kernel. */
	for (b = TAILQ_FIRST(&p->paths); b != NULL; b = next) {
		next = TAILQ_NEXT(b, entry);
		a = path_around(p, b);
		if (a == NULL ? b->perms == PERM_NONE : a->perms == b->perms)
			path_remove(p, b);
	}
	return (0);
}

static int
check_paths(struct policy *p)
{
	struct policy_path	*path, *next;

	for (path = TAILQ_FIRST(&p->paths); path != NULL; path = next) {
		next = TAILQ_NEXT(path, entry);
		if ((path->perms == PERM_NONE ? check_denied(path) :
		    check_path(p, path)) == -1)
			return (-1);
	}
	/* Of all that were named, before one goes that is inside another. */
	p->datagrams = policy_datagrams(p);
	if (check_nested(p) == -1)
		return (-1);
	if (p->no_supervisor && p->holes != HOLES_NONE) {
		log_warnx("--no-supervisor: impossible with a path with fewer "
		    "rights than around it");
		return (-1);
	}
	return (holes_alias(p));
}

/* A directory by a name without links. */
static int
check_dir(const char *option, char **path)
{
	struct stat	 st;
	char		*expanded, *real = NULL;

	if (*path == NULL)
		return (0);
	if ((expanded = path_expand(*path)) != NULL)
		real = realpath(expanded, NULL);
	if (real != NULL && stat(real, &st) == 0 && !S_ISDIR(st.st_mode)) {
		free(real);
		real = NULL;
		errno = ENOTDIR;
	}
	free(expanded);
	if (real == NULL) {
		log_warn("%s %s", option, *path);
		return (-1);
	}
	free(*path);
	*path = real;
	return (0);
}

static int
check_directory(struct policy *p)
{
	return (check_dir("--cwd", &p->directory));
}

/* The private directory would become a part of the branch. */
static int
check_private(const struct policy *p)
{
	const char	*tmp = getenv("TMPDIR");
	char		*real;
	int		 inside;

	if (!p->private_home && !p->private_tmp)
		return (0);
	/* As private.c chooses. */
	if (tmp == NULL || tmp[0] != '/')
		tmp = "/tmp";
	if ((real = realpath(tmp, NULL)) == NULL)
		return (0);
	inside = path_inside(p->workdir, real);
	free(real);
	if (inside)
		log_warnx("TMPDIR %s: lies below --workdir %s: set TMPDIR to "
		    "another place, or run in another directory", tmp,
		    p->workdir);
	return (inside ? -1 : 0);
}

/*
 * Landlock cannot take back below a path what it grants there: a working
 * directory in a writable place could be written past its branch.  A mount on
 * it has no such trouble.
 */
static int
check_around(const struct policy *p)
{
	const struct policy_path	*pp;

	if (p->workdir == NULL || p->isolation == ISOLATION_OVERLAYFS ||
	    p->isolation == ISOLATION_BRANCHFS)
		return (0);
	TAILQ_FOREACH(pp, &p->paths, entry) {
		if ((pp->perms & PERM_META) == 0 ||
		    strcmp(pp->path, p->workdir) == 0 ||
		    !path_inside(pp->path, p->workdir))
			continue;
		log_warnx("--workdir %s: lies below %s, where the command may "
		    "write; --fs-isolation overlayfs can do that, and with "
		    "--no-workdir there is no branch", p->workdir, pp->path);
		return (-1);
	}
	return (0);
}

/*
 * Around a path with fewer rights cowd changes what lies there.  Where the
 * kernel merges nobody would count that.
 */
static int
check_quota_holes(const struct policy *p)
{
	const struct policy_path	*pp;

	if (p->max_disk == 0 || p->isolation != ISOLATION_OVERLAYFS)
		return (0);
	TAILQ_FOREACH(pp, &p->paths, entry) {
		if ((pp->perms & PERM_META) != 0 ||
		    strcmp(pp->path, p->workdir) == 0 ||
		    !path_inside(p->workdir, pp->path))
			continue;
		log_warnx("--max-disk: impossible with --fs-isolation "
		    "overlayfs and %s, which lies in the working directory "
		    "with fewer rights; --fs-isolation seccomp can do that",
		    pp->path);
		return (-1);
	}
	return (0);
}

/* What goes to a branch is not written directly as well. */
static int
check_both(const struct policy *p)
{
	const struct policy_path	*pp;
	char				*expanded, *real = NULL;
	int				 same;

	TAILQ_FOREACH(pp, &p->paths, entry) {
		if ((pp->perms & PERM_META) == 0)
			continue;
		if ((expanded = path_expand(pp->path)) != NULL)
			real = realpath(expanded, NULL);
		same = real != NULL && strcmp(real, p->workdir) == 0;
		free(expanded);
		free(real);
		real = NULL;
		if (!same)
			continue;
		log_warnx("%s: is granted for writing, and is the working "
		    "directory, whose changes go to a branch; with "
		    "--no-workdir it is written directly", p->workdir);
		return (-1);
	}
	return (0);
}

/* Better known before the command has done its work than after. */
static int
check_readonly(const struct policy *p)
{
	struct statvfs	 fs;

	if (p->dry_run || (p->on_exit != BRANCH_UNSET &&
	    p->on_exit != BRANCH_COMMIT))
		return (0);
	if (statvfs(p->workdir, &fs) == -1) {
		log_warn("--workdir %s", p->workdir);
		return (-1);
	}
	if ((fs.f_flag & ST_RDONLY) == 0)
		return (0);
	log_warnx("--workdir %s: on a read-only file system, where nothing can "
	    "be committed; --no-workdir runs without a branch, --on-exit keep "
	    "keeps it", p->workdir);
	return (-1);
}

/* All of it is granted: the workload has a branch of it. */
static int
check_workdir(struct policy *p)
{
	if (p->workdir == NULL)
		return (0);
	if (check_dir("--workdir", &p->workdir) == -1)
		return (-1);
	if (strcmp(p->workdir, "/") == 0) {
		log_warnx("--workdir /: not the whole system");
		return (-1);
	}
	if (check_private(p) == -1 || check_both(p) == -1 ||
	    check_readonly(p) == -1)
		return (-1);
	if (policy_add_path(p, p->workdir, PERM_MASK, 0) == -1) {
		log_warn("--workdir");
		return (-1);
	}
	return (0);
}

/*
 * Where a path leads that may not be there yet: its nearest directory without
 * links, and the rest.  NULL and errno on failure.
 */
static char *
path_future(const char *path)
{
	char	*dir, *slash, *real, *result = NULL;

	if ((dir = strdup(path)) == NULL)
		return (NULL);
	for (;;) {
		if ((real = realpath(dir, NULL)) != NULL) {
			if (asprintf(&result, "%s%s", real,
			    path + strlen(dir)) == -1)
				result = NULL;
			free(real);
			break;
		}
		if (errno != ENOENT || (slash = strrchr(dir, '/')) == NULL ||
		    slash[1] == '\0')
			break;
		slash[slash == dir ? 1 : 0] = '\0';
	}
	free(dir);
	return (result);
}

static char *
storage_default(const struct policy *p)
{
	const char	*base, *home = p->run_as_home;
	struct stat	 st;
	char		*path = NULL;

	base = p->run_as == NULL ? getenv("XDG_STATE_HOME") : NULL;
	if (home == NULL)
		home = getenv("HOME");
	if (base != NULL && base[0] == '/') {
		if (asprintf(&path, "%s/sandlock", base) == -1)
			path = NULL;
	} else if (home != NULL && home[0] == '/' &&
	    stat(home, &st) == 0 && S_ISDIR(st.st_mode)) {
		/* One that is not there is nobody's, and is not made. */
		if (asprintf(&path, "%s/.local/state/sandlock", home) == -1)
			path = NULL;
	} else
		errno = ENOENT;
	return (path);
}

/* Branches lie where the command cannot reach them. */
int
policy_check_storage(struct policy *p)
{
	const char	*exposed;
	char		*path, *real = NULL;

	path = p->storage == NULL ? storage_default(p) :
	    path_expand(p->storage);
	if (path == NULL && p->storage == NULL && errno == ENOENT) {
		log_warnx("HOME is not set, or no directory: say with "
		    "--fs-storage where branches are to lie, or run with "
		    "--no-workdir");
		return (-1);
	}
	if (path == NULL || (real = path_future(path)) == NULL) {
		log_warnx("--fs-storage%s%s: %s: say another place for "
		    "branches, or run with --no-workdir", path == NULL ? "" :
		    " ", path == NULL ? "" : path, strerror(errno));
		free(path);
		return (-1);
	}
	free(path);
	free(p->storage);
	p->storage = real;
	if ((exposed = path_exposed(p, real)) == NULL)
		return (0);
	log_warnx("%s: branches would lie below %s, where the command may "
	    "write; say another place with --fs-storage", real, exposed);
	return (-1);
}

static int
check_writable(const char *option, int fd)
{
	int	 flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1) {
		log_warn("%s %d", option, fd);
		return (-1);
	}
	if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_RDONLY) {
		log_warnx("%s %d: not open for writing", option, fd);
		return (-1);
	}
	return (0);
}

/* The path of the policy by which the workload may write a file. */
static const char *
path_exposed(const struct policy *p, const char *path)
{
	const struct policy_path	*pp, *best = NULL;

	TAILQ_FOREACH(pp, &p->paths, entry)
		if (path_inside(pp->path, path) && (best == NULL ||
		    path_inside(best->path, pp->path)))
			best = pp;
	return (best != NULL && (best->perms & PERM_META) != 0 ? best->path :
	    NULL);
}

/* A command that can write its policy has another one the next time. */
static int
check_sources(const struct policy *p)
{
	const char	*exposed, *path;
	size_t		 i;

	for (i = 0; (path = parse_read_file(i)) != NULL; i++) {
		if ((exposed = path_exposed(p, path)) == NULL)
			continue;
		log_warnx("%s: the policy lies below %s, where it lets the "
		    "command write; move it elsewhere", path, exposed);
		return (-1);
	}
	return (0);
}

/*
 * The log must not lie where the command can put a link in its place, for the
 * next run to follow.
 */
static int
check_log_place(const struct policy *p)
{
	const char	*exposed;
	char		*dir, *real, *slash;
	int		 ret = -1;

	if ((dir = strdup(p->log_denials)) == NULL)
		return (-1);
	slash = strrchr(dir, '/');
	slash[slash == dir ? 1 : 0] = '\0';
	if ((real = realpath(dir, NULL)) == NULL)
		log_warn("--log-denials %s", p->log_denials);
	else if ((exposed = path_exposed(p, real)) != NULL)
		log_warnx("--log-denials %s: lies below %s, where the command "
		    "may write", p->log_denials, exposed);
	else
		ret = 0;
	free(real);
	free(dir);
	return (ret);
}

static int
check_log(struct policy *p)
{
	char	*expanded, *path, *cwd;

	if (p->log_denials == NULL)
		return (0);
	if (isdigit((unsigned char)p->log_denials[0]))
		return (check_writable("--log-denials",
		    (int)strtol(p->log_denials, NULL, 10)));
	if ((expanded = path_expand(p->log_denials)) == NULL) {
		log_warn("--log-denials %s", p->log_denials);
		return (-1);
	}
	path = expanded;
	if (expanded[0] != '/') {
		if ((cwd = getcwd(NULL, 0)) == NULL ||
		    asprintf(&path, "%s/%s", cwd, expanded) == -1) {
			log_warn("--log-denials %s", p->log_denials);
			free(cwd);
			free(expanded);
			return (-1);
		}
		free(cwd);
		free(expanded);
	}
	free(p->log_denials);
	p->log_denials = path;
	return (check_log_place(p));
}

/* Where reports go, the workload must not write. */
static int
check_pass_fds(const struct policy *p)
{
	const struct policy_fd	*pfd;
	int			 log = -1;

	if (p->log_denials != NULL &&
	    isdigit((unsigned char)p->log_denials[0]))
		log = (int)strtol(p->log_denials, NULL, 10);
	TAILQ_FOREACH(pfd, &p->pass_fds, entry) {
		if (fcntl(pfd->fd, F_GETFD) == -1) {
			log_warn("--pass-fd %d", pfd->fd);
			return (-1);
		}
		if (pfd->fd == p->status_fd || pfd->fd == log) {
			log_warnx("--pass-fd %d: also given to %s", pfd->fd,
			    pfd->fd == log ? "--log-denials" : "--status-fd");
			return (-1);
		}
	}
	return (0);
}

static int
check_descriptors(struct policy *p)
{
	if (p->status_fd != -1 &&
	    check_writable("--status-fd", p->status_fd) == -1)
		return (-1);
	if (check_log(p) == -1)
		return (-1);
	return (check_pass_fds(p));
}

static int
check_cpus(const struct policy *p)
{
	cpu_set_t	 want, have, both;
	const char	*error;

	if (p->cpu_cores == NULL)
		return (0);
	if ((error = policy_parse_cpus(p->cpu_cores, &want)) != NULL) {
		log_warnx("--cpu-cores %s: %s", p->cpu_cores, error);
		return (-1);
	}
	if (sched_getaffinity(0, sizeof(have), &have) == -1) {
		log_warn("sched_getaffinity");
		return (-1);
	}
	CPU_AND(&both, &want, &have);
	if (!CPU_EQUAL(&both, &want)) {
		log_warnx("--cpu-cores %s: not all of these processors are "
		    "there for this process", p->cpu_cores);
		return (-1);
	}
	return (0);
}

/* Grant the paths that a pattern matches; how many, or -1. */
static int
gpu_add(struct policy *p, const char *pattern, unsigned int perms)
{
	glob_t	 g;
	size_t	 i;
	int	 n = 0;

	memset(&g, 0, sizeof(g));
	if (glob(pattern, GLOB_NOSORT, NULL, &g) != 0) {
		globfree(&g);
		return (0);
	}
	for (i = 0; i < g.gl_pathc && n != -1; i++)
		n = policy_add_path(p, g.gl_pathv[i], perms, 0) == -1 ?
		    -1 : n + 1;
	globfree(&g);
	return (n);
}

static int
gpu_add_one(struct policy *p, int number)
{
	char	 nvidia[64], render[64];
	int	 n, m;

	snprintf(nvidia, sizeof(nvidia), "/dev/nvidia%d", number);
	snprintf(render, sizeof(render), "/dev/dri/renderD%d",
	    DRM_RENDER_BASE + number);
	if ((n = gpu_add(p, nvidia, GPU_DEVICE)) == -1 ||
	    (m = gpu_add(p, render, GPU_DEVICE)) == -1) {
		log_warn("--gpu");
		return (-1);
	}
	if (n + m == 0) {
		log_warnx("--gpu %s: no device %d", p->gpu, number);
		return (-1);
	}
	return (0);
}

/*
 * A GPU is its device node, what all GPUs of a kind share, and for a list the
 * variables by which the run-time libraries number what they see.
 */
static int
check_gpu(struct policy *p)
{
	cpu_set_t	 list;
	size_t		 i;

	if (p->gpu == NULL)
		return (0);
	if (strcmp(p->gpu, "all") == 0) {
		if (gpu_add(p, "/dev/nvidia[0-9]*", GPU_DEVICE) +
		    gpu_add(p, "/dev/dri/renderD*", GPU_DEVICE) <= 0) {
			log_warnx("--gpu all: no GPU on this machine");
			return (-1);
		}
	} else {
		policy_parse_cpus(p->gpu, &list);
		for (i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &list) &&
			    gpu_add_one(p, (int)i) == -1)
				return (-1);
		if (policy_add_env(p, "CUDA_VISIBLE_DEVICES", p->gpu) == -1 ||
		    policy_add_env(p, "ROCR_VISIBLE_DEVICES", p->gpu) == -1) {
			log_warn("--gpu");
			return (-1);
		}
	}
	for (i = 0; i < sizeof(gpu_shared) / sizeof(gpu_shared[0]); i++)
		if (gpu_add(p, gpu_shared[i].pattern,
		    gpu_shared[i].perms) == -1) {
			log_warn("--gpu");
			return (-1);
		}
	return (0);
}

/*
 * The user comes from /etc/passwd itself: a static program cannot load the
 * modules of other sources, and must not.
 */
static int
check_run_as(struct policy *p)
{
	struct passwd	*pw;
	FILE		*f;

	if (p->run_as == NULL)
		return (0);
	if (geteuid() != 0) {
		log_warnx("--run-as %s: only root can", p->run_as);
		return (-1);
	}
	if ((f = fopen("/etc/passwd", "re")) == NULL) {
		log_warn("/etc/passwd");
		return (-1);
	}
	while ((pw = fgetpwent(f)) != NULL)
		if (strcmp(pw->pw_name, p->run_as) == 0)
			break;
	fclose(f);
	if (pw == NULL) {
		log_warnx("--run-as %s: no such user in /etc/passwd",
		    p->run_as);
		return (-1);
	}
	p->run_as_uid = pw->pw_uid;
	p->run_as_gid = pw->pw_gid;
	free(p->run_as_home);
	if ((p->run_as_home = strdup(pw->pw_dir)) == NULL) {
		log_warn("strdup");
		return (-1);
	}
	return (0);
}
