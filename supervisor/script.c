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
 * Scripts of the branch.  The kernel would hand their interpreter the name by
 * which it found them, and that is one of the branch, which scripts print,
 * record and outlive.  So what the kernel does with the first line is done
 * here: the interpreter is executed with the name that the caller gave.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

#define SCRIPT_LINE	256	/* as the kernel reads */
#define SCRIPT_ARGS	2048	/* with more it goes by the other name */

/* The first line of a file of the view; its length, -1 when it has none. */
static ssize_t
script_line(const struct merge_entry *e, char line[SCRIPT_LINE])
{
	char	*end, *path;
	ssize_t	 n = -1;
	int	 fd, waits = 0;

	if (!S_ISREG(e->sx.stx_mode) || (path = view_canonical(e)) == NULL)
		return (-1);
	fd = merge_open(view_merge(), path, O_RDONLY | O_NOFOLLOW, 0, 0,
	    &waits);
	free(path);
	if (fd == -1)
		return (-1);
	n = read(fd, line, SCRIPT_LINE - 1);
	close(fd);
	if (n < 3 || line[0] != '#' || line[1] != '!' ||
	    (end = memchr(line, '\n', n)) == NULL)
		return (-1);
	*end = '\0';
	/* A NUL ends it as well. */
	return ((ssize_t)strlen(line));
}

/* The caller's arguments but the first; how many, -1 when too many. */
static ssize_t
script_arguments(const struct request *rq, uint64_t *args)
{
	uint64_t	 addr = rq->notif.data.args[rq->call->arg];
	size_t		 n;

	if (addr == 0)
		return (0);
	for (n = 0; n < SCRIPT_ARGS; n++, addr += sizeof(*args)) {
		if (memory_read(rq->notif.pid, addr, &args[n],
		    sizeof(*args)) == -1)
			return (-1);
		if (args[n] == 0)
			break;
	}
	if (n == SCRIPT_ARGS)
		return (-1);
	if (n > 0)
		memmove(args, args + 1, (--n) * sizeof(*args));
	return ((ssize_t)n);
}

/* Whether the call finds the script by the name alone, and follows links. */
static int
script_named(const struct request *rq, const char *path)
{
	const __u64	*args = rq->notif.data.args;

	return (rq->call->dirfd == SLOT_NONE ||
	    ((path[0] == '/' || (int)args[rq->call->dirfd] == AT_FDCWD) &&
	    (int)args[rq->call->flags] == 0));
}

/*
 * Have a script executed by its interpreter; real is the name to fall back to.
 * 1 when that was done, 0 when it is no script, or none for this.
 */
int
script_exec(struct request *rq, const char *path, const char *real,
    const struct merge_entry *e)
{
	struct rewrite	 rw;
	char		 line[SCRIPT_LINE], *arg, *interp, *p;
	ssize_t		 n;

	/* The name of a descriptor's directory is not the caller's to give. */
	if (!script_named(rq, path) || script_line(e, line) == -1)
		return (0);
	interp = line + 2 + strspn(line + 2, " \t");
	p = interp + strcspn(interp, " \t");
	arg = p + strspn(p, " \t");
	if (p == interp)
		return (0);
	*p = '\0';
	for (p = arg + strlen(arg); p > arg && (p[-1] == ' ' ||
	    p[-1] == '\t'); p--)
		p[-1] = '\0';
	memset(&rw, 0, sizeof(rw));
	rw.slot = rq->call->path;
	rw.path = real;
	rw.argv_slot = rq->call->arg;
	rw.strings[rw.nstrings++] = interp;
	if (arg[0] != '\0')
		rw.strings[rw.nstrings++] = arg;
	rw.strings[rw.nstrings++] = path;
	if ((rw.args = calloc(SCRIPT_ARGS, sizeof(*rw.args))) == NULL)
		return (0);
	if ((n = script_arguments(rq, rw.args)) == -1) {
		free(rw.args);
		return (0);
	}
	rw.nargs = n;
	rewrite_call(rq, &rw);
	free(rw.args);
	return (1);
}
