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
 * Where profiles come from: the program itself, the user's files, the
 * system's.  A built-in name always means the built-in profile, so that no
 * file changes what a plain "sandlock run" does.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "policy.h"
#include "sandlock.h"

#define SYSTEM_CONF	"/etc/sandlock.conf"

struct builtin {
	const char	*name;
	const char	*text;
};

static int	 profile_file(const char *, struct macros *, int);
static int	 profile_user_files(glob_t *);
static int	 profile_files(struct macros *, const char *,
		    const struct profile **);
static int	 profile_list(void);
static int	 profile_show(const char *);
static int	 profile_check(const char *);
static void	 profile_usage(FILE *);

static const struct builtin builtins[] = {
	{ "default",
"# What a build or a script needs, and nothing of the user's but the current\n"
"# directory.\n"
"profile \"default\" {\n"
"	# Programs, libraries and their configuration.\n"
"	unveil { /usr /etc } rx\n"
"	unveil { /bin /sbin /lib /lib32 /lib64 /libx32 /opt } rx?\n"
"	unveil { /nix/store /gnu/store } rx?\n"
"	# Tools that live in the home directory, without their settings.\n"
"	unveil { ~/.local/bin ~/.cargo/bin ~/.rustup ~/.nvm } rx?\n"
"	unveil { ~/.pyenv ~/.rbenv } rx?\n"
"	# Where /etc/resolv.conf may lead to.\n"
"	unveil { /run/systemd/resolve /run/resolvconf } r?\n"
"\n"
"	# Devices that hold nothing.  Not /dev/pts: other terminals of the\n"
"	# user are there.  Not /dev/shm: so is memory of other programs.\n"
"	unveil { /dev/null /dev/zero /dev/full } rw\n"
"	unveil { /dev/random /dev/urandom } r\n"
"	unveil /dev/tty rw?\n"
"\n"
"	# What run-time systems ask about the machine.\n"
"	unveil /proc r\n"
"	unveil { /sys/devices/system/cpu /sys/devices/system/node } r?\n"
"	unveil { /sys/fs/cgroup /sys/kernel/mm/transparent_hugepage } r?\n"
"\n"
"	private home\n"
"	private tmp\n"
"\n"
"	# The current directory: what is written there is put into it when\n"
"	# the command has succeeded, and discarded otherwise.\n"
"	workdir .\n"
"\n"
"	environment scrub\n"
"}\n"
	}
};

/* Profiles of files that were read so far; they live until the end. */
static struct profiles	 file_profiles = TAILQ_HEAD_INITIALIZER(file_profiles);

const struct profiles *
profile_builtins(void)
{
	static struct profiles	 list = TAILQ_HEAD_INITIALIZER(list);
	static int		 loaded;
	size_t			 i;

	if (loaded)
		return (&list);
	/* Set first: parse_text() asks for the built-ins itself. */
	loaded = 1;
	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (parse_text(builtins[i].name, builtins[i].text,
		    strlen(builtins[i].text), &list) == -1) {
			loaded = 0;
			return (NULL);
		}
	return (&list);
}

const struct profile *
profile_builtin(const char *name)
{
	const struct profiles	*list;

	if ((list = profile_builtins()) == NULL)
		return (NULL);
	return (profiles_find(list, name));
}

/*
 * Read a file of profiles.  One that may be missing is no error then.  Names
 * that an earlier file has are not looked at again.
 */
static int
profile_file(const char *path, struct macros *macros, int optional)
{
	struct profiles	 new = TAILQ_HEAD_INITIALIZER(new);

	if (optional && access(path, F_OK) == -1 && errno == ENOENT)
		return (0);
	if (parse_file(path, macros, &new) == -1)
		return (-1);
	TAILQ_CONCAT(&file_profiles, &new, entry);
	return (0);
}

/* *.conf of the user, in the order of their names. */
static int
profile_user_files(glob_t *g)
{
	const char	*dir, *home;
	char		*pattern;
	int		 error;

	memset(g, 0, sizeof(*g));
	dir = getenv("XDG_CONFIG_HOME");
	home = getenv("HOME");
	/* Neither may be relative: that would mean the current directory. */
	if (dir != NULL && dir[0] == '/')
		error = asprintf(&pattern, "%s/sandlock/*.conf", dir);
	else if (home != NULL && home[0] == '/')
		error = asprintf(&pattern, "%s/.config/sandlock/*.conf", home);
	else
		return (0);
	if (error == -1) {
		log_warn("asprintf");
		return (-1);
	}
	error = glob(pattern, 0, NULL, g);
	free(pattern);
	if (error != 0 && error != GLOB_NOMATCH) {
		log_warnx("%s: cannot be searched", dir != NULL ? dir : home);
		return (-1);
	}
	return (0);
}

/* Read files until one defines name; with name NULL read all of them. */
static int
profile_files(struct macros *macros, const char *name,
    const struct profile **found)
{
	glob_t	 g;
	size_t	 i;
	int	 result = -1;

	if (profile_user_files(&g) == -1)
		return (-1);
	for (i = 0; i < g.gl_pathc; i++) {
		if (profile_file(g.gl_pathv[i], macros, 0) == -1)
			goto done;
		if (name != NULL &&
		    (*found = profiles_find(&file_profiles, name)) != NULL) {
			result = 0;
			goto done;
		}
	}
	if (profile_file(SYSTEM_CONF, macros, 1) == -1)
		goto done;
	if (name != NULL)
		*found = profiles_find(&file_profiles, name);
	result = 0;
 done:
	globfree(&g);
	return (result);
}

const struct profile *
profile_lookup(const char *name, struct macros *macros)
{
	const struct profile	*found;

	if (profile_builtins() == NULL)
		return (NULL);
	if ((found = profile_builtin(name)) != NULL ||
	    (found = profiles_find(&file_profiles, name)) != NULL)
		return (found);
	if (profile_files(macros, name, &found) == -1)
		return (NULL);
	if (found == NULL)
		log_warnx("%s: no such profile (see sandlock profile list)",
		    name);
	return (found);
}

static int
profile_list(void)
{
	const struct profile	*profile;
	size_t			 i;

	if (profile_builtins() == NULL ||
	    profile_files(NULL, NULL, NULL) == -1)
		return (EXIT_SANDLOCK);
	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		printf("%s\tbuilt in\n", builtins[i].name);
	TAILQ_FOREACH(profile, &file_profiles, entry) {
		/* Only what a lookup would find. */
		if (profile_builtin(profile->policy->name) == NULL &&
		    profiles_find(&file_profiles, profile->policy->name) ==
		    profile)
			printf("%s\t%s\n", profile->policy->name,
			    profile->file);
	}
	return (0);
}

/* Built-in profiles with their comments, others in canonical form. */
static int
profile_show(const char *name)
{
	const struct profile	*profile;
	size_t			 i;

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(name, builtins[i].name) == 0) {
			fputs(builtins[i].text, stdout);
			return (0);
		}
	if ((profile = profile_lookup(name, NULL)) == NULL)
		return (EXIT_SANDLOCK);
	policy_print(stdout, profile->policy);
	return (0);
}

static int
profile_check(const char *path)
{
	struct profiles		 list = TAILQ_HEAD_INITIALIZER(list);
	struct profile		*profile;
	int			 result = 0;

	if (parse_file(path, NULL, &list) == -1)
		return (EXIT_SANDLOCK);
	TAILQ_FOREACH(profile, &list, entry)
		if (policy_check_conflicts(profile->policy) == -1)
			result = EXIT_SANDLOCK;
	profiles_free(&list);
	return (result);
}

static void
profile_usage(FILE *f)
{
	fprintf(f, "usage: sandlock profile list\n"
	    "       sandlock profile show name\n"
	    "       sandlock profile check file\n");
}

int
profile_main(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)) {
		profile_usage(stdout);
		return (0);
	}
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return (profile_list());
	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return (profile_show(argv[2]));
	if (argc == 3 && strcmp(argv[1], "check") == 0)
		return (profile_check(argv[2]));
	profile_usage(stderr);
	return (EXIT_SANDLOCK);
}
