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
 * sandlock/policy_check.c: what is refused before anything is started, each
 * with a control that is accepted.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"
#include "sandlock.h"

static void		 fresh(void);
static struct policy	*policy_make(void);
static void		 unveil(struct policy *, const char *);
static void		 accepted(struct policy *);
static void		 refused(struct policy *, const char *);
static const char	*rights(const struct policy *, const char *);

/* What parse.y would have read. */
static const char	*policy_file;

const char *
parse_read_file(size_t i)
{
	return (i == 0 ? policy_file : NULL);
}

/* An empty directory, even where kyua does not give one to each case. */
static void
fresh(void)
{
	char	 dir[] = "case.XXXXXX";

	ATF_REQUIRE(mkdtemp(dir) != NULL);
	ATF_REQUIRE_EQ(0, chdir(dir));
}

static struct policy *
policy_make(void)
{
	struct policy	*p;

	ATF_REQUIRE((p = policy_new()) != NULL);
	return (p);
}

static void
unveil(struct policy *p, const char *spec)
{
	const char	*error;

	error = setting_unveil(p, spec);
	ATF_REQUIRE_MSG(error == NULL, "%s: %s", spec, error);
}

static void
accepted(struct policy *p)
{
	ATF_REQUIRE_EQ(0, policy_check(p));
}

/* Check that a policy is refused with one line that says this; free it. */
static void
refused(struct policy *p, const char *text)
{
	char	 line[2048];
	FILE	*f;
	int	 err, result;

	fflush(stderr);
	ATF_REQUIRE((err = dup(STDERR_FILENO)) != -1);
	ATF_REQUIRE((f = tmpfile()) != NULL);
	ATF_REQUIRE(dup2(fileno(f), STDERR_FILENO) != -1);
	result = policy_check(p);
	ATF_REQUIRE(dup2(err, STDERR_FILENO) != -1);
	close(err);
	policy_free(p);
	ATF_REQUIRE_EQ(-1, result);
	rewind(f);
	ATF_REQUIRE(fgets(line, sizeof(line), f) != NULL);
	ATF_CHECK_MSG(strncmp(line, "sandlock: ", 10) == 0 &&
	    strstr(line, text) != NULL, "\"%s\" not in: %s", text, line);
	ATF_CHECK(fgets(line, sizeof(line), f) == NULL);
	fclose(f);
}

/* What the policy says on a path itself; NULL when it does not name it. */
static const char *
rights(const struct policy *p, const char *path)
{
	const struct policy_path	*entry;
	static char			 text[5];
	char				*real;

	ATF_REQUIRE((real = realpath(path, NULL)) != NULL);
	TAILQ_FOREACH(entry, &p->paths, entry)
		if (strcmp(entry->path, real) == 0) {
			policy_perms_string(entry->perms, text);
			free(real);
			return (text);
		}
	free(real);
	return (NULL);
}

ATF_TC_WITHOUT_HEAD(missing);
ATF_TC_BODY(missing, tc)
{
	struct policy	*p;

	fresh();
	p = policy_make();
	unveil(p, "gone:r");
	refused(p, "./gone: No such file or directory");

	p = policy_make();
	unveil(p, "gone/deeper:r?");
	unveil(p, ".:r");
	accepted(p);
	ATF_CHECK(TAILQ_NEXT(TAILQ_FIRST(&p->paths), entry) == NULL);
	policy_free(p);

	atf_utils_create_file("file", "x");
	p = policy_make();
	unveil(p, "file/below:r");
	refused(p, "./file/below: Not a directory");

	ATF_REQUIRE_EQ(0, symlink("loop", "loop"));
	p = policy_make();
	unveil(p, "loop:r");
	refused(p, "./loop: Too many levels of symbolic links");
}

ATF_TC(canonical);
ATF_TC_HEAD(canonical, tc)
{
	atf_tc_set_md_var(tc, "descr", "paths are absolute, without links, "
	    "each once");
	atf_tc_set_md_var(tc, "timeout", "20");
}
ATF_TC_BODY(canonical, tc)
{
	struct policy	*p;
	const char	*path;

	fresh();
	ATF_REQUIRE_EQ(0, mkdir("dir", 0755));
	ATF_REQUIRE_EQ(0, symlink("dir", "link"));
	ATF_REQUIRE_EQ(0, mkfifo("fifo", 0644));
	p = policy_make();
	unveil(p, "link/../dir:r");
	unveil(p, "link:w");
	unveil(p, "fifo:rw");
	accepted(p);
	ATF_CHECK_STREQ("rw", rights(p, "dir"));
	ATF_CHECK_STREQ("rw", rights(p, "fifo"));
	path = TAILQ_FIRST(&p->paths)->path;
	ATF_CHECK(path[0] == '/' && strstr(path, "link") == NULL);
	ATF_CHECK(TAILQ_NEXT(TAILQ_NEXT(TAILQ_FIRST(&p->paths), entry),
	    entry) == NULL);
	policy_free(p);
}

ATF_TC_WITHOUT_HEAD(tilde);
ATF_TC_BODY(tilde, tc)
{
	struct policy	*p;
	char		 cwd[PATH_MAX];

	fresh();
	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	ATF_REQUIRE_EQ(0, mkdir("sub", 0755));
	ATF_REQUIRE_EQ(0, setenv("HOME", cwd, 1));
	p = policy_make();
	unveil(p, "~/sub:r");
	p->directory = strdup("~/sub");
	p->log_denials = strdup("~/log");
	accepted(p);
	ATF_CHECK_STREQ("r", rights(p, "sub"));
	ATF_CHECK(p->directory[0] == '/');
	ATF_CHECK(p->log_denials[0] == '/');
	policy_free(p);

	/* A HOME that is relative would be wherever the run starts. */
	ATF_REQUIRE_EQ(0, setenv("HOME", "sub", 1));
	p = policy_make();
	unveil(p, "~:r");
	refused(p, "~: No such file");
	ATF_REQUIRE_EQ(0, unsetenv("HOME"));
	p = policy_make();
	unveil(p, "~:r");
	refused(p, "~: No such file");
	p = policy_make();
	unveil(p, "~:r?");
	accepted(p);
	policy_free(p);
}

ATF_TC(nested);
ATF_TC_HEAD(nested, tc)
{
	atf_tc_set_md_var(tc, "descr", "the most specific path wins, "
	    "however the paths are written");
}
ATF_TC_BODY(nested, tc)
{
	struct policy	*p;

	fresh();
	ATF_REQUIRE_EQ(0, mkdir("tree", 0755));
	ATF_REQUIRE_EQ(0, mkdir("tree/git", 0755));
	ATF_REQUIRE_EQ(0, mkdir("tree-2", 0755));
	ATF_REQUIRE_EQ(0, symlink("tree/git", "link"));
	atf_utils_create_file("tree/file", "x");

	p = policy_make();
	unveil(p, "tree:rwxc");
	unveil(p, "tree/git:rx");
	accepted(p);
	ATF_CHECK_STREQ("rx", rights(p, "tree/git"));
	ATF_CHECK_EQ(HOLES_CHANGE, p->holes);
	policy_free(p);
	p = policy_make();
	unveil(p, "tree/git:rx");
	unveil(p, "tree:rwxc");
	accepted(p);
	ATF_CHECK_EQ(HOLES_CHANGE, p->holes);
	policy_free(p);
	p = policy_make();
	unveil(p, "tree:rwxc");
	unveil(p, "link:x");
	accepted(p);
	ATF_CHECK_STREQ("x", rights(p, "tree/git"));
	ATF_CHECK_EQ(HOLES_READ, p->holes);
	policy_free(p);
	/* As much in all, but each has what the other lacks. */
	p = policy_make();
	unveil(p, "tree:rx");
	unveil(p, "tree/git:rw");
	accepted(p);
	ATF_CHECK_STREQ("rw", rights(p, "tree/git"));
	/* Landlock needs no help when x is missing only. */
	ATF_CHECK_EQ(HOLES_NONE, p->holes);
	policy_free(p);
	/* What is nearest counts. */
	p = policy_make();
	unveil(p, "tree:rwxc");
	unveil(p, "tree/git:rwxc");
	unveil(p, ".:r");
	accepted(p);
	ATF_CHECK(rights(p, "tree/git") == NULL);
	ATF_CHECK_EQ(HOLES_NONE, p->holes);
	policy_free(p);

	/* More inside of less, neighbours, the same twice: all fine. */
	p = policy_make();
	unveil(p, "/:rx");
	unveil(p, "tree:rx");
	unveil(p, "tree/git:rwxc");
	unveil(p, "tree-2:rx");
	unveil(p, "tree/git:r");
	accepted(p);
	ATF_CHECK_STREQ("rwxc", rights(p, "tree/git"));
	/* What the outer path grants already is dropped. */
	ATF_CHECK(rights(p, "tree") == NULL);
	ATF_CHECK(rights(p, "tree-2") == NULL);
	policy_free(p);
	p = policy_make();
	unveil(p, "tree:rwxc");
	unveil(p, "tree-2:r");
	accepted(p);
	policy_free(p);
}

ATF_TC(nested_exec);
ATF_TC_HEAD(nested_exec, tc)
{
	atf_tc_set_md_var(tc, "descr", "a device needs no x inside of r+x");
}
ATF_TC_BODY(nested_exec, tc)
{
	struct policy	*p;

	fresh();
	p = policy_make();
	unveil(p, "/:rx");
	unveil(p, "/dev/null:rw");
	unveil(p, "/proc:r");
	accepted(p);
	ATF_CHECK_EQ(HOLES_NONE, p->holes);
	policy_free(p);
	/* Control: it does need what a device can have. */
	p = policy_make();
	unveil(p, "/:rwx");
	unveil(p, "/dev/null:r");
	accepted(p);
	ATF_CHECK_EQ(HOLES_CHANGE, p->holes);
	policy_free(p);
}

ATF_TC(denied);
ATF_TC_HEAD(denied, tc)
{
	atf_tc_set_md_var(tc, "descr", "a denied path beats the same and what "
	    "is around it, and has nothing in it");
}
ATF_TC_BODY(denied, tc)
{
	struct policy	*p;
	char		 cwd[PATH_MAX];

	fresh();
	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	ATF_REQUIRE_EQ(0, mkdir("tree", 0755));
	ATF_REQUIRE_EQ(0, mkdir("tree/git", 0755));
	ATF_REQUIRE_EQ(0, symlink("tree/git", "link"));
	p = policy_make();
	unveil(p, "tree:rwxc");
	unveil(p, "link:none");
	unveil(p, "tree/git:rwx");
	accepted(p);
	ATF_CHECK_STREQ("none", rights(p, "tree/git"));
	ATF_CHECK_EQ(HOLES_READ, p->holes);
	policy_free(p);
	p = policy_make();
	unveil(p, "tree:rwxc");
	unveil(p, "tree/gone/deeper:none");
	accepted(p);
	ATF_CHECK_EQ(HOLES_READ, p->holes);
	ATF_CHECK(strncmp(TAILQ_LAST(&p->paths, policy_paths)->path, cwd,
	    strlen(cwd)) == 0);
	ATF_CHECK_EQ(PERM_NONE, TAILQ_LAST(&p->paths, policy_paths)->perms);
	policy_free(p);
	p = policy_make();
	unveil(p, "tree:none");
	unveil(p, "tree/git:r");
	refused(p, "tree/git: lies below ");
	/* Nothing is granted around it: nothing is to be denied. */
	p = policy_make();
	unveil(p, "tree:none");
	accepted(p);
	ATF_CHECK(TAILQ_EMPTY(&p->paths));
	ATF_CHECK_EQ(HOLES_NONE, p->holes);
	policy_free(p);
	p = policy_make();
	unveil(p, ".:r");
	unveil(p, "tree/gone/../x:none");
	refused(p, "a missing path with \"..\" in it");
}

ATF_TC(guard_home);
ATF_TC_HEAD(guard_home, tc)
{
	atf_tc_set_md_var(tc, "descr", "the default profile does not grant "
	    "HOME or what is above it");
}
ATF_TC_BODY(guard_home, tc)
{
	static const char *const	 homes[] = { "", "/user", "/link",
					    "/user/." };
	struct policy			*p;
	char				 cwd[PATH_MAX], home[PATH_MAX + 16];
	size_t				 i;

	fresh();
	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	ATF_REQUIRE_EQ(0, mkdir("user", 0755));
	ATF_REQUIRE_EQ(0, mkdir("user/project", 0755));
	ATF_REQUIRE_EQ(0, symlink("user", "link"));
	for (i = 0; i < 4; i++) {
		snprintf(home, sizeof(home), "%s%s", cwd, homes[i]);
		ATF_REQUIRE_EQ(0, setenv("HOME", home, 1));
		p = policy_make();
		unveil(p, ".:rwxc");
		p->guard_home = 1;
		refused(p, "the default profile would grant the whole home");
	}
	ATF_REQUIRE_EQ(0, chdir("/"));
	p = policy_make();
	unveil(p, ".:rwxc");
	p->guard_home = 1;
	refused(p, "the default profile would grant every file");

	/* Controls: below HOME, beside it, and asked for without default. */
	snprintf(home, sizeof(home), "%s/user", cwd);
	ATF_REQUIRE_EQ(0, setenv("HOME", home, 1));
	ATF_REQUIRE_EQ(0, chdir(cwd));
	p = policy_make();
	unveil(p, ".:rwxc");
	accepted(p);
	policy_free(p);
	ATF_REQUIRE_EQ(0, chdir("user/project"));
	p = policy_make();
	unveil(p, ".:rwxc");
	p->guard_home = 1;
	accepted(p);
	policy_free(p);
}

ATF_TC_WITHOUT_HEAD(directory);
ATF_TC_BODY(directory, tc)
{
	struct policy	*p;

	fresh();
	atf_utils_create_file("file", "x");
	ATF_REQUIRE_EQ(0, mkdir("dir", 0755));
	p = policy_make();
	p->directory = strdup("./file");
	refused(p, "--cwd ./file: Not a directory");
	p = policy_make();
	p->directory = strdup("./gone");
	refused(p, "--cwd ./gone: No such file");
	p = policy_make();
	p->directory = strdup("./dir");
	accepted(p);
	ATF_CHECK(p->directory[0] == '/');
	policy_free(p);
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	struct policy	*p;
	int		 r, w;

	fresh();
	ATF_REQUIRE((r = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE((w = open("/dev/null", O_WRONLY)) != -1);
	ATF_REQUIRE(fcntl(99, F_GETFD) == -1);

	p = policy_make();
	policy_add_fd(p, 99);
	refused(p, "--pass-fd 99: Bad file descriptor");
	p = policy_make();
	p->status_fd = 99;
	refused(p, "--status-fd 99: Bad file descriptor");
	p = policy_make();
	p->status_fd = r;
	refused(p, "not open for writing");
	p = policy_make();
	p->log_denials = strdup("99");
	refused(p, "--log-denials 99: Bad file descriptor");

	/* The workload must not be able to forge what we report. */
	p = policy_make();
	p->status_fd = w;
	policy_add_fd(p, w);
	refused(p, "also given to --status-fd");
	p = policy_make();
	ATF_REQUIRE(asprintf(&p->log_denials, "%d", w) != -1);
	policy_add_fd(p, w);
	refused(p, "also given to --log-denials");

	p = policy_make();
	p->status_fd = w;
	policy_add_fd(p, r);
	ATF_REQUIRE(asprintf(&p->log_denials, "%d", w) != -1);
	accepted(p);
	policy_free(p);
}

ATF_TC_WITHOUT_HEAD(cpus);
ATF_TC_BODY(cpus, tc)
{
	struct policy	*p;
	cpu_set_t	 have;
	char		 text[16];
	int		 i;

	fresh();
	ATF_REQUIRE_EQ(0, sched_getaffinity(0, sizeof(have), &have));
	for (i = 0; i < CPU_SETSIZE && CPU_ISSET(i, &have); i++)
		continue;
	snprintf(text, sizeof(text), "%d", i);
	p = policy_make();
	ATF_REQUIRE(setting_cpus(p, text) == NULL);
	refused(p, "not all of these processors");

	for (i = 0; !CPU_ISSET(i, &have); i++)
		continue;
	snprintf(text, sizeof(text), "%d", i);
	p = policy_make();
	ATF_REQUIRE(setting_cpus(p, text) == NULL);
	accepted(p);
	policy_free(p);
}

ATF_TC_WITHOUT_HEAD(gpu);
ATF_TC_BODY(gpu, tc)
{
	struct policy	*p;

	fresh();
	p = policy_make();
	ATF_REQUIRE(setting_gpu(p, "1000") == NULL);
	refused(p, "--gpu 1000: no device 1000");
	if (access("/dev/dri/renderD128", F_OK) == 0) {
		p = policy_make();
		ATF_REQUIRE(setting_gpu(p, "0") == NULL);
		accepted(p);
		ATF_CHECK_STREQ("rw", rights(p, "/dev/dri/renderD128"));
		ATF_CHECK_STREQ("CUDA_VISIBLE_DEVICES",
		    TAILQ_FIRST(&p->envs)->name);
		policy_free(p);
	}
}

ATF_TC_WITHOUT_HEAD(run_as);
ATF_TC_BODY(run_as, tc)
{
	struct policy	*p;

	fresh();
	if (geteuid() != 0) {
		p = policy_make();
		ATF_REQUIRE(setting_run_as(p, "root") == NULL);
		refused(p, "--run-as root: only root can");
		return;
	}
	p = policy_make();
	ATF_REQUIRE(setting_run_as(p, "no-such-user") == NULL);
	refused(p, "--run-as no-such-user: no such user");
	p = policy_make();
	ATF_REQUIRE(setting_run_as(p, "nobody") == NULL);
	accepted(p);
	ATF_CHECK(p->run_as_uid != 0 && p->run_as_gid != 0 &&
	    p->run_as_home != NULL);
	policy_free(p);
}

ATF_TC_WITHOUT_HEAD(conflicts);
ATF_TC_BODY(conflicts, tc)
{
	struct policy	*p;

	fresh();
	p = policy_make();
	p->no_supervisor = 1;
	p->max_processes = 1;
	refused(p, "--no-supervisor: impossible with the limit of processes");
	p = policy_make();
	p->user_set = 1;
	p->run_as = strdup("nobody");
	refused(p, "--user: impossible with --run-as");
	p = policy_make();
	p->no_supervisor = 1;
	unveil(p, ".:rwxc");
	accepted(p);
	policy_free(p);
}

/* What the next run will obey is out of this run's reach. */
ATF_TC_WITHOUT_HEAD(exposed);
ATF_TC_BODY(exposed, tc)
{
	struct policy	*p;
	char		 here[PATH_MAX], file[PATH_MAX + 16];

	fresh();
	ATF_REQUIRE(mkdir("open", 0755) == 0 && mkdir("shut", 0755) == 0);
	ATF_REQUIRE(symlink("../open", "shut/link") == 0);
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);

	snprintf(file, sizeof(file), "%s/open/conf", here);
	policy_file = file;
	p = policy_make();
	unveil(p, "./open:r");
	accepted(p);
	policy_free(p);
	p = policy_make();
	unveil(p, "./open:rwxc");
	refused(p, "the policy lies below");
	snprintf(file, sizeof(file), "%s/shut/conf", here);
	p = policy_make();
	unveil(p, "./open:rwxc");
	accepted(p);
	policy_free(p);
	policy_file = NULL;

	p = policy_make();
	unveil(p, "./open:rwxc");
	ATF_REQUIRE(setting_log_denials(p, "./shut/log") == NULL);
	accepted(p);
	policy_free(p);
	p = policy_make();
	unveil(p, "./open:rwxc");
	ATF_REQUIRE(setting_log_denials(p, "./open/log") == NULL);
	refused(p, "where the command may write");
	/* However it is called. */
	p = policy_make();
	unveil(p, "./open:rwxc");
	ATF_REQUIRE(setting_log_denials(p, "./shut/link/log") == NULL);
	refused(p, "where the command may write");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, missing);
	ATF_TP_ADD_TC(tp, canonical);
	ATF_TP_ADD_TC(tp, tilde);
	ATF_TP_ADD_TC(tp, nested);
	ATF_TP_ADD_TC(tp, nested_exec);
	ATF_TP_ADD_TC(tp, denied);
	ATF_TP_ADD_TC(tp, guard_home);
	ATF_TP_ADD_TC(tp, directory);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, cpus);
	ATF_TP_ADD_TC(tp, gpu);
	ATF_TP_ADD_TC(tp, run_as);
	ATF_TP_ADD_TC(tp, conflicts);
	ATF_TP_ADD_TC(tp, exposed);
	return (atf_no_error());
}
