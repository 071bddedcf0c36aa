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
 * The same random calls in a plain directory and, from the same tree, in a
 * copy-on-write working directory.  What each call gives must be the same,
 * and after the commit the trees.  A sequence that fails is made as short as it
 * can be before it is shown.
 *
 *	twin [-f uid] [-i isolation] [-n sequences] [-s seed] [-c calls]
 *	    sandlock
 *
 * This program makes the calls as well: twin -x MODE FILE.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <linux/capability.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rmtree.h"
#include "shrink.h"
#include "start.h"
#include "text.h"
#include "twin.h"

#define TIME_LIMIT	"60"
#define BAD_MAX		10

struct options {
	const char	*sandlock;
	const char	*isolation;
	uid_t		 foreign;
	char		 self[PATH_MAX];
	char		 cwd[PATH_MAX];
	char		 shm[32];
	struct program	*program;
	long		 calls;
};

/* What a run in the sandbox came to. */
struct outcome {
	char	*out[2];	/* what was printed, bare and boxed */
	char	*tree[2];
	char	*more[2];	/* the same, once everything is readable */
};

/* Making the calls. */

static void
drop_capabilities(void)
{
	struct __user_cap_header_struct	 header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct	 data[2];
	int				 cap;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		die("no_new_privs");
	for (cap = 0; geteuid() == 0 && prctl(PR_CAPBSET_READ, cap, 0, 0,
	    0) != -1; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			die("bounding set");
	memset(data, 0, sizeof(data));
	if (syscall(SYS_capset, &header, data) == -1)
		die("capset");
}

static void
make_call(struct program *p, int i, int judging)
{
	struct step	*s = &p->steps[i];
	char		*text = NULL;
	size_t		 size;
	FILE		*out;

	if ((out = open_memstream(&text, &size)) == NULL)
		die("open_memstream");
	if (judging)
		judge(p, s);
	fprintf(out, "%d", i);
	if (s->skip)
		fprintf(out, " skipped");
	else
		call(p, s, out);
	fclose(out);
	for (i = 0; i < (int)size; i++)
		if (text[i] == '\n')
			text[i] = '|';
	text[size] = '\n';
	if (write(STDOUT_FILENO, text, size + 1) != (ssize_t)size + 1)
		die("write");
	free(text);
}

/* The other process makes the calls that it is told. */
static void
second(struct program *p, int sock, int judging)
{
	int	 i;

	while (read(sock, &i, sizeof(i)) == sizeof(i)) {
		make_call(p, i, judging);
		if (write(sock, &i, sizeof(i)) != sizeof(i))
			die("write");
	}
	_exit(0);
}

static struct program *
program_map(const char *path, int writable)
{
	struct program	*p;
	struct stat	 st;
	int		 fd;

	if ((fd = open(path, (writable ? O_RDWR : O_RDONLY) |
	    O_CLOEXEC)) == -1 || fstat(fd, &st) == -1)
		die(path);
	if ((p = mmap(NULL, st.st_size, PROT_READ | (writable ? PROT_WRITE :
	    0), writable ? MAP_SHARED : MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		die("mmap");
	close(fd);
	return (p);
}

/*
 * MODE: 'b' or 'p' for the calls before, 'B' or 'r' for those that count; the
 * capitals and b find out what the others then know.
 */
static int
execute(const char *mode, const char *path)
{
	struct program	*p;
	pid_t		 pid;
	int		 before, i, judging, socks[2], status;

	/* Numbers of descriptors are compared. */
	closefrom(STDERR_FILENO + 1);
	judging = mode[0] == 'b' || mode[0] == 'B';
	before = mode[0] == 'b' || mode[0] == 'p';
	if (mode[0] != 'r') {
		drop_capabilities();
		alarm(atoi(TIME_LIMIT));
	}
	p = program_map(path, judging);
	if (chdir(p->top) == -1)
		die(p->top);
	call_init(p);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    socks) == -1 || (pid = fork()) == -1)
		die("fork");
	judge_other = pid == 0 ? getppid() : pid;
	if (pid == 0) {
		close(socks[0]);
		second(p, socks[1], judging);
	}
	close(socks[1]);
	for (i = 0; i < p->n; i++) {
		if (p->steps[i].before != before)
			continue;
		if (p->steps[i].who == 0)
			make_call(p, i, judging);
		else if (write(socks[0], &i, sizeof(i)) != sizeof(i) ||
		    read(socks[0], &i, sizeof(i)) != sizeof(i))
			die("second process");
	}
	close(socks[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die("second process");
	return (0);
}

/* Trees. */

static void
put(const char *path, const char *text)
{
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0755)) == -1 || write(fd, text, strlen(text)) !=
	    (ssize_t)strlen(text))
		die(path);
	close(fd);
}

static void
setup(const struct options *o, const struct program *p)
{
	char	 path[128];

	if (mkdir("now", 0755) == -1)
		die("now");
	tree_put("now/wd", o->foreign);
	put("now/wd/prog", "#! /bin/sh\necho ran \"$@\"\n");
	/* The groups of others are not the branch's to give, see the manual. */
	if (o->foreign == 0 && (chown("now/wd/t", -1, getegid()) == -1 ||
	    chmod("now/wd/t", 02775) == -1))
		die("now/wd/t");
	if (p->overlay && (unlink("now/wd/b/g") == -1 ||
	    unlink("now/wd/a/h") == -1 || unlink("now/wd/b/m") == -1))
		die("links");
	/* In a name space of users those of others have no number. */
	if (p->overlay && ((removexattr("now/wd/u",
	    "system.posix_acl_default") == -1 && errno != ENODATA) ||
	    (removexattr("now/wd/u/d", "system.posix_acl_default") == -1 &&
	    errno != ENODATA) || (removexattr("now/wd/u/d",
	    "system.posix_acl_access") == -1 && errno != ENODATA)))
		die("now/wd/u");
	if (mkdir(p->other, 0755) == -1 || symlink(p->other,
	    "now/wd/out") == -1 || symlink(p->top, "now/wd/again") == -1)
		die(p->other);
	snprintf(path, sizeof(path), "%s/in", p->other);
	if (symlink(p->top, path) == -1)
		die(path);
	snprintf(path, sizeof(path), "%s/f", p->other);
	put(path, "outside");
	snprintf(path, sizeof(path), "%s/d", p->other);
	if (mkdir(path, 0755) == -1)
		die(path);
}

/*
 * What the owner may not read cannot be copied up, which is documented; and in
 * the end all of a tree has to be read.
 */
static void
readable(int at, const char *name)
{
	struct dirent	*de;
	struct stat	 st;
	DIR		*dir;
	int		 fd;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		die(name);
	if (S_ISREG(st.st_mode) && (st.st_mode & S_IRUSR) == 0)
		(void)fchmodat(at, name, (st.st_mode & 07777) | S_IRUSR, 0);
	if (!S_ISDIR(st.st_mode))
		return;
	if ((st.st_mode & 0700) != 0700)
		(void)fchmodat(at, name, (st.st_mode & 07777) | 0700, 0);
	if ((fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return;
	if ((dir = fdopendir(fd)) == NULL)
		die(name);
	while ((de = readdir(dir)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			readable(fd, de->d_name);
	closedir(dir);
}

static char *
text_of(const char *dir)
{
	char	*text;
	int	 cwd;

	if ((cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		die(".");
	if (chdir(dir) == -1)
		return (strdup(strerror(errno)));
	text = look_text(&look_plain, TREE_PLAIN);
	if (fchdir(cwd) == -1)
		die("fchdir");
	close(cwd);
	return (text);
}

/* Both trees as text. */
static char *
texts_of(const struct program *p)
{
	char	*a, *b, *both;

	a = text_of("now/wd");
	b = text_of(p->other);
	if (asprintf(&both, "%sOTHER\n%s", a, b) == -1)
		die("asprintf");
	free(a);
	free(b);
	return (both);
}

static void
outcome_trees(const struct program *p, struct outcome *oc, int i)
{
	oc->tree[i] = texts_of(p);
	readable(AT_FDCWD, "now/wd");
	readable(AT_FDCWD, p->other);
	oc->more[i] = texts_of(p);
}

static void
outcome_free(struct outcome *oc)
{
	int	 i;

	for (i = 0; i < 2; i++) {
		free(oc->out[i]);
		free(oc->tree[i]);
		free(oc->more[i]);
	}
}

/* Runs. */

static char *
file_text(const char *path)
{
	struct stat	 st;
	char		*text;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    fstat(fd, &st) == -1 || (text = malloc(st.st_size + 1)) == NULL ||
	    read(fd, text, st.st_size) != st.st_size)
		die(path);
	text[st.st_size] = '\0';
	close(fd);
	return (text);
}

static void
file_redirect(const char *path, int to)
{
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0644)) == -1 || dup2(fd, to) == -1)
		die(path);
}

static int
spawn(const char *out, const char *const *argv)
{
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		file_redirect(out, STDOUT_FILENO);
		file_redirect("err", STDERR_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		die(argv[0]);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return (status);
}

static void
program_write(const struct program *p)
{
	size_t	 size = offsetof(struct program, steps) +
		    p->n * sizeof(p->steps[0]);
	int	 fd;

	if ((fd = open("steps", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0644)) == -1 || write(fd, p, size) != (ssize_t)size)
		die("steps");
	close(fd);
}

static void
program_read(struct program *p)
{
	size_t	 size = offsetof(struct program, steps) +
		    p->n * sizeof(p->steps[0]);
	int	 fd;

	if ((fd = open("steps", O_RDONLY | O_CLOEXEC)) == -1 ||
	    read(fd, p, size) != (ssize_t)size)
		die("steps");
	close(fd);
}

static int
execute_in(const struct options *o, const char *mode, const char *out)
{
	char		 path[PATH_MAX + 16];
	const char	*argv[] = { o->self, "-x", mode, path, NULL };

	snprintf(path, sizeof(path), "%s/steps", o->cwd);
	return (spawn(out, argv));
}

static int
execute_boxed(const struct options *o, const struct program *p)
{
	char		 path[PATH_MAX + 16];
	/*
	 * What belongs to others cannot always be committed, which
	 * regress/cowd compares.
	 */
	const char	*end = o->foreign == 0 ? "commit" : "abort";
	const char	*argv[] = {
		o->sandlock, "run", "-r", "/", "--workdir", p->top, "--cwd",
		p->top, "-w", p->other, "--fs-isolation", o->isolation,
		"--on-exit", end, "--on-error", end, "-t",
		TIME_LIMIT, "--", o->self, "-x", "r", path, NULL
	};

	snprintf(path, sizeof(path), "%s/steps", o->cwd);
	return (spawn("box.out", argv));
}

static void
prepare(const struct options *o, const struct program *p, const char *mode)
{
	setup(o, p);
	if (execute_in(o, mode, "before.out") != 0)
		errx(1, "%s", file_text("err"));
	readable(AT_FDCWD, "now/wd");
	readable(AT_FDCWD, p->other);
	tree_times(AT_FDCWD, "now/wd");
	tree_times(AT_FDCWD, p->other);
}

static void
away(const char *path)
{
	char		 dir[PATH_MAX];
	const char	*name = path;
	char		*slash;
	int		 fd = AT_FDCWD;

	strlcpy(dir, path, sizeof(dir));
	if ((slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		name = slash + 1;
		if ((fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
			die(dir);
	}
	if (rmtree(fd, name) == -1 && errno != ENOENT)
		die(path);
	if (fd != AT_FDCWD)
		close(fd);
}

/* Both runs; 0 or what is said when one of them was not possible. */
static const char *
run(const struct options *o, struct program *p, struct outcome *oc)
{
	static char	 failure[8192];
	char		*start;
	char		*again;
	int		 status;

	memset(oc, 0, sizeof(*oc));
	away("now");
	away(p->other);
	program_write(p);
	prepare(o, p, "b");
	start = texts_of(p);
	if (execute_in(o, "B", "bare.out") != 0)
		errx(1, "bare: %s", file_text("err"));
	program_read(p);
	oc->out[0] = file_text("bare.out");
	outcome_trees(p, oc, 0);
	away("now");
	away(p->other);
	prepare(o, p, "p");
	again = texts_of(p);
	if (strcmp(start, again) != 0)
		errx(1, "the trees differ from the start");
	free(start);
	free(again);
	status = execute_boxed(o, p);
	oc->out[1] = file_text("box.out");
	start = file_text("err");
	failure[0] = '\0';
	if (status != 0 || start[0] != '\0')
		snprintf(failure, sizeof(failure), "status %#x: %s", status,
		    start);
	free(start);
	outcome_trees(p, oc, 1);
	return (failure[0] == '\0' ? NULL : failure);
}

/*
 * Which of the two names of a rename is complained about when both are wrong:
 * in the sandbox one that is too long is found out too early.
 */
static int
both_wrong(const struct program *p, const char *a, const char *b, int lb)
{
	static const char	 wrong[] = " ENAMETOOLONG";
	int			 i, n = strspn(b, "0123456789");

	i = atoi(b);
	return (p != NULL && i < p->n && p->steps[i].op == OP_RENAME &&
	    lb == n + (int)strlen(wrong) &&
	    memcmp(b + n, wrong, strlen(wrong)) == 0 &&
	    memcmp(a, b, n) == 0 && strncmp(a + n, " E", 2) == 0);
}

/*
 * The first line that differs; 0 when there is none.  With a program they are
 * about its steps.
 */
static int
differ(FILE *out, const struct program *p, const char *what, const char *a,
    const char *b)
{
	int	 la, lb;

	while (*a != '\0' && *b != '\0') {
		la = strcspn(a, "\n");
		lb = strcspn(b, "\n");
		if ((la != lb || memcmp(a, b, la) != 0) &&
		    !both_wrong(p, a, b, lb))
			break;
		a += la + (a[la] != '\0');
		b += lb + (b[lb] != '\0');
	}
	if (*a == '\0' && *b == '\0')
		return (0);
	if (out == NULL)
		return (1);
	/* Long lines from a little before the difference on. */
	for (la = 0; a[la] == b[la] && a[la] != '\0' && a[la] != '\n';)
		la++;
	la = la < 200 ? 0 : la - 100;
	fprintf(out, "%s:\n bare %.*s\n box  %.*s\n", what,
	    (int)strcspn(a, "\n") - la, a + la, (int)strcspn(b, "\n") - la,
	    b + la);
	return (1);
}

static int
outcome_differs(const struct options *o, const struct program *p, FILE *out,
    const struct outcome *oc)
{
	if (differ(out, p, "calls", oc->out[0], oc->out[1]))
		return (1);
	return (o->foreign == 0 &&
	    (differ(out, NULL, "trees", oc->tree[0], oc->tree[1]) ||
	    differ(out, NULL, "contents", oc->more[0], oc->more[1])));
}

static int
run_compare(const struct options *o, struct program *p, FILE *out,
    struct outcome *oc)
{
	const char	*failure;
	int		 bad;

	failure = run(o, p, oc);
	bad = outcome_differs(o, p, out, oc);
	if (failure != NULL && out != NULL)
		fprintf(out, "box: %s\n", failure);
	return (bad || failure != NULL);
}

static int
fails(void *steps, int n, void *arg)
{
	struct options	*o = arg;
	struct program	*p;
	struct outcome	 oc;
	int		 bad;

	if ((p = malloc(sizeof(*p))) == NULL)
		die("malloc");
	memcpy(p, o->program, offsetof(struct program, steps));
	p->n = n;
	memcpy(p->steps, steps, n * sizeof(p->steps[0]));
	bad = run_compare(o, p, NULL, &oc);
	outcome_free(&oc);
	free(p);
	return (bad);
}

/* The lines about one step. */
static void
report_step(const struct outcome *oc, int i)
{
	const char	*line;
	char		 number[16];
	int		 k, len;

	snprintf(number, sizeof(number), "%d ", i);
	for (k = 0; k < 2; k++)
		for (line = oc->out[k]; *line != '\0';
		    line += len + (line[len] != '\0')) {
			len = strcspn(line, "\n");
			if (strncmp(line, number, strlen(number)) == 0)
				fprintf(stderr, "    %s %.*s\n", k == 0 ?
				    "bare" : "box ", len > 400 ? 400 : len,
				    line);
		}
}

static void
report(struct options *o)
{
	struct program	*p = o->program;
	struct outcome	 oc;
	int		 i;

	p->n = shrink(p->steps, sizeof(p->steps[0]), p->n, fails, o);
	fprintf(stderr, "%d calls of it:\n", p->n);
	if (!run_compare(o, p, stderr, &oc))
		fprintf(stderr, "it does not happen again\n");
	for (i = 0; i < p->n; i++) {
		step_print(stderr, &p->steps[i]);
		report_step(&oc, i);
	}
	outcome_free(&oc);
}

static int
sequence(struct options *o, unsigned int seed, int calls)
{
	struct program	*p = o->program;
	struct outcome	 oc;
	int		 bad, before, i;

	draw_seed(seed);
	before = draw(3) == 0 ? 0 : draw(30);
	p->n = before + calls > STEPS_MAX ? STEPS_MAX : before + calls;
	for (i = 0; i < p->n; i++) {
		step_draw(&p->steps[i]);
		p->steps[i].before = i < before;
	}
	/* The last one looks at all of the tree from inside. */
	memset(&p->steps[p->n - 1], 0, sizeof(p->steps[0]));
	p->steps[p->n - 1].op = OP_WALK;
	bad = run_compare(o, p, NULL, &oc);
	o->calls += calls;
	if (bad) {
		fprintf(stderr, "seed %u:\n", seed);
		(void)outcome_differs(o, p, stderr, &oc);
	}
	outcome_free(&oc);
	if (bad)
		report(o);
	return (bad);
}

static void
begin(struct options *o)
{
	struct program	*p = o->program;
	struct stat	 a, b;
	ssize_t		 n;
	char		 home[PATH_MAX + 8];

	if (getcwd(o->cwd, sizeof(o->cwd)) == NULL || (n = readlink(
	    "/proc/self/exe", o->self, sizeof(o->self) - 1)) == -1)
		die("getcwd");
	o->self[n] = '\0';
	strlcpy(o->shm, "/dev/shm/twin.XXXXXX", sizeof(o->shm));
	/* Another file system, as it is for the calls in the sandbox. */
	if (mkdtemp(o->shm) == NULL || stat(o->shm, &a) == -1 ||
	    stat(".", &b) == -1)
		die(o->shm);
	if (a.st_dev == b.st_dev)
		errx(1, "%s: the same file system", o->shm);
	put("other", o->shm);
	p->overlay = strcmp(o->isolation, "overlayfs") == 0;
	if (snprintf(p->top, sizeof(p->top), "%s/now/wd", o->cwd) >=
	    (int)sizeof(p->top))
		errx(1, "%s: too long", o->cwd);
	snprintf(p->other, sizeof(p->other), "%s/other", o->shm);
	snprintf(home, sizeof(home), "%s/home", o->cwd);
	if ((mkdir(home, 0700) == -1 && errno != EEXIST) ||
	    setenv("HOME", home, 1) == -1 || unsetenv("XDG_STATE_HOME") == -1)
		die(home);
	umask(022);
}

static unsigned int
number(const char *text)
{
	const char	*why;
	unsigned int	 n;

	n = strtonum(text, 0, UINT_MAX, &why);
	if (why != NULL)
		errx(1, "%s: %s", text, why);
	return (n);
}

int
main(int argc, char *argv[])
{
	struct options	 o = { .isolation = "seccomp" };
	unsigned int	 i, n = 20, seed = 1;
	int		 bad = 0, calls = 60, ch;

	if (argc == 4 && strcmp(argv[1], "-x") == 0)
		return (execute(argv[2], argv[3]));
	while ((ch = getopt(argc, argv, "c:f:i:n:s:")) != -1)
		switch (ch) {
		case 'c':
			calls = number(optarg);
			break;
		case 'f':
			o.foreign = number(optarg);
			break;
		case 'i':
			o.isolation = optarg;
			break;
		case 'n':
			n = number(optarg);
			break;
		case 's':
			seed = number(optarg);
			break;
		default:
			errx(1, "usage: see the source");
		}
	if (optind + 1 != argc)
		errx(1, "no program");
	o.sandlock = argv[optind];
	if ((o.program = calloc(1, sizeof(*o.program))) == NULL)
		die("calloc");
	begin(&o);
	for (i = 0; i < n && bad < BAD_MAX; i++)
		bad += sequence(&o, seed + i, calls);
	away("now");
	away(o.shm);
	printf("%u sequences, %ld calls, %d differ\n", i, o.calls, bad);
	return (bad != 0);
}
