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
 * The workload's environment: the caller's, thinned out as the policy says,
 * with the policy's own changes on top.
 */

#include <sys/types.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

/* What "environment clean" keeps. */
static const char	*clean_names[] = {
	"PATH", "HOME", "USER", "LOGNAME", "TERM", "LANG", "TZ", "TMPDIR"
};

/*
 * What "environment scrub" drops: names that look like secrets, and names of
 * services outside that a program would try to reach.
 */
static const char	*scrub_names[] = {
	"*TOKEN*", "*SECRET*", "*PASSWORD*", "*PASSWD*", "*PASSPHRASE*",
	"*CREDENTIAL*", "*_CREDS", "*_PASS", "*PRIVATE*", "*_KEY", "*_KEYS",
	"*APIKEY*", "*_API_KEY_*",
	"*_AUTH", "*_DSN", "*_PAT", "AWS_*", "AZURE_*", "GOOGLE_*",
	"GCLOUD_*", "GCP_*", "KUBECONFIG", "DATABASE_URL", "*_DATABASE_URL",
	"REDIS_URL", "MONGO*_UR[IL]", "NETRC", "PGPASS*", "MYSQL_PWD",
	"SSH_*", "GPG_*", "GNUPGHOME", "DBUS_*", "DOCKER_*",
	"CONTAINER_HOST", "PODMAN_*", "XAUTHORITY", "DISPLAY",
	"WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XDG_RUNTIME_DIR",
	"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
	"TMUX", "TMUX_*", "STY", "VSCODE_*", "KRB5CCNAME"
};

/* The name of NAME=VALUE; 0 when it has none or is too long to match. */
static int
env_name(const char *env, char *name, size_t size)
{
	size_t	 len = strcspn(env, "=");

	if (env[len] != '=' || len == 0 || len >= size)
		return (0);
	memcpy(name, env, len);
	name[len] = '\0';
	return (1);
}

static int
env_keep(enum env_mode mode, const char *name)
{
	size_t	 i;

	switch (mode) {
	case ENV_INHERIT:
		return (1);
	case ENV_CLEAN:
		for (i = 0; i < nitems(clean_names); i++)
			if (strcmp(name, clean_names[i]) == 0)
				return (1);
		return (0);
	case ENV_SCRUB:
		for (i = 0; i < nitems(scrub_names); i++)
			if (fnmatch(scrub_names[i], name, FNM_CASEFOLD) == 0)
				return (0);
		return (1);
	}
	return (0);
}

/* Take a name out of the list. */
static void
env_unset(struct workload_conf *wc, const char *name)
{
	size_t	 i, len = strlen(name), n = 0;

	for (i = 0; i < wc->envc; i++) {
		if (strncmp(wc->envp[i], name, len) == 0 &&
		    wc->envp[i][len] == '=')
			free(wc->envp[i]);
		else
			wc->envp[n++] = wc->envp[i];
	}
	wc->envc = n;
	if (wc->envp != NULL)
		wc->envp[n] = NULL;
}

static int
env_set(struct workload_conf *wc, const char *name, const char *value)
{
	char	*env;
	int	 ret;

	env_unset(wc, name);
	if (asprintf(&env, "%s=%s", name, value) == -1)
		return (-1);
	ret = workload_add_env(wc, env);
	free(env);
	return (ret);
}

/* HOME and TMPDIR below the private directory. */
static int
env_private(const struct policy *p, const char *dir, struct workload_conf *wc)
{
	char	*path;
	int	 ret = 0;

	if (p->private_home) {
		if (asprintf(&path, "%s/home", dir) == -1)
			return (-1);
		ret = env_set(wc, "HOME", path);
		free(path);
	}
	if (p->private_tmp && ret == 0) {
		if (asprintf(&path, "%s/tmp", dir) == -1)
			return (-1);
		ret = env_set(wc, "TMPDIR", path);
		free(path);
	}
	return (ret);
}

/* Who --run-as makes the workload. */
static int
env_run_as(const struct policy *p, struct workload_conf *wc)
{
	if (p->run_as == NULL)
		return (0);
	if (p->run_as_home != NULL &&
	    env_set(wc, "HOME", p->run_as_home) == -1)
		return (-1);
	if (env_set(wc, "USER", p->run_as) == -1)
		return (-1);
	return (env_set(wc, "LOGNAME", p->run_as));
}

/* dir is the private directory or NULL; 0, or -1 and errno. */
int
environ_derive(const struct policy *p, const char *dir,
    struct workload_conf *wc)
{
	struct policy_env	*pe;
	char			 name[256];
	size_t			 i;

	for (i = 0; environ[i] != NULL; i++)
		if (p->env_mode == ENV_INHERIT ||
		    (env_name(environ[i], name, sizeof(name)) &&
		    env_keep(p->env_mode, name)))
			if (workload_add_env(wc, environ[i]) == -1)
				return (-1);
	if (env_run_as(p, wc) == -1)
		return (-1);
	if (dir != NULL && env_private(p, dir, wc) == -1)
		return (-1);
	TAILQ_FOREACH(pe, &p->envs, entry) {
		if (pe->value == NULL)
			env_unset(wc, pe->name);
		else if (env_set(wc, pe->name, pe->value) == -1)
			return (-1);
	}
	if (wc->envp == NULL &&
	    (wc->envp = calloc(1, sizeof(*wc->envp))) == NULL)
		return (-1);
	return (0);
}
