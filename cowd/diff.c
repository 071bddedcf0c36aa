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
 * Unified diffs of the regular files that a branch changes, in the form that
 * patch(1) reads.  Files that are large or hold a NUL are only said to differ.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"
#include "diff.h"
#include "fs.h"
#include "log.h"
#include "worker.h"

#define DIFF_SIZE_MAX	(8 * 1024 * 1024)	/* of a file that is compared */
#define DIFF_CONTEXT	3
#define DIFF_PIECE	(32 * 1024)		/* of a message */

struct output {
	char	 buf[DIFF_PIECE];
	size_t	 len;
};

static void
output_flush(struct output *o)
{
	if (o->len == 0)
		return;
	if (proto_send_text(&worker_parent.ibuf, o->buf, o->len) == -1 ||
	    imsgbuf_flush(&worker_parent.ibuf) == -1)
		fatal("channel to the parent");
	o->len = 0;
}

static void
output_add(struct output *o, const char *text, size_t len)
{
	size_t	 n;

	while (len > 0) {
		if (o->len == sizeof(o->buf))
			output_flush(o);
		n = sizeof(o->buf) - o->len;
		if (n > len)
			n = len;
		memcpy(o->buf + o->len, text, n);
		o->len += n;
		text += n;
		len -= n;
	}
}

static void
output_string(struct output *o, const char *s)
{
	output_add(o, s, strlen(s));
}

static void
output_line(struct output *o, char mark, const struct line *l)
{
	output_add(o, &mark, 1);
	output_add(o, l->text, l->len);
	if (l->len == 0 || l->text[l->len - 1] != '\n')
		output_string(o, "\n\\ No newline at end of file\n");
}

/* In quotes, with backslashes, as patch(1) reads it. */
static void
output_quoted(struct output *o, const char *prefix, const char *path)
{
	const unsigned char	*p;
	char			 text[8];

	output_string(o, "\"");
	output_string(o, prefix);
	for (p = (const unsigned char *)path; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			snprintf(text, sizeof(text), "\\%c", *p);
		else if (*p < ' ' || *p >= 0x7f)
			snprintf(text, sizeof(text), "\\%03o", *p);
		else
			snprintf(text, sizeof(text), "%c", *p);
		output_string(o, text);
	}
	output_string(o, "\"");
}

static void
output_path(struct output *o, const char *prefix, const char *path)
{
	const unsigned char	*p;

	for (p = (const unsigned char *)path; *p != '\0'; p++)
		if (*p == '"' || *p == '\\' || *p < ' ' || *p >= 0x7f) {
			output_quoted(o, prefix, path);
			return;
		}
	output_string(o, prefix);
	output_string(o, path);
}

/* Where a file is, as patch(1) wants it: a name with a blank ends in a tab. */
static void
output_name(struct output *o, const char *mark, const char *prefix,
    const char *path, int there)
{
	output_string(o, mark);
	if (!there)
		output_string(o, "/dev/null");
	else {
		output_path(o, prefix, path);
		if (strchr(path, ' ') != NULL)
			output_string(o, "\t");
	}
	output_string(o, "\n");
}

/* What no hunk shows. */
static void
output_note(struct output *o, const char *path, const char *note)
{
	output_string(o, "File ");
	output_path(o, "b/", path);
	output_string(o, note);
}

/* "-3,2": an empty range names the line before it. */
static void
output_range(struct output *o, char sign, size_t first, size_t n)
{
	char	 text[64];

	snprintf(text, sizeof(text), "%c%zu,%zu", sign,
	    n == 0 ? first : first + 1, n);
	output_string(o, text);
}

/*
 * The hunk that begins at lines i and j, the next change or where its context
 * begins, and the lines behind it.
 */
static void
output_hunk(struct output *o, const struct lines *a, const struct lines *b,
    size_t *i, size_t *j)
{
	size_t	 x = *i, y = *j, equal = 0, endx = x, endy = y;

	/* It ends where more is equal than the context of two hunks. */
	while ((x < a->n || y < b->n) && equal <= 2 * DIFF_CONTEXT) {
		if (x < a->n && a->line[x].changed)
			x++;
		else if (y < b->n && b->line[y].changed)
			y++;
		else {
			x++;
			y++;
			if (endx > *i || endy > *j)
				equal++;
			continue;
		}
		equal = 0;
		endx = x;
		endy = y;
	}
	x = endx + DIFF_CONTEXT < a->n ? endx + DIFF_CONTEXT : a->n;
	y = endy + (x - endx);
	output_string(o, "@@ ");
	output_range(o, '-', *i, x - *i);
	output_string(o, " ");
	output_range(o, '+', *j, y - *j);
	output_string(o, " @@\n");
	while (*i < x || *j < y) {
		if (*i < x && a->line[*i].changed)
			output_line(o, '-', &a->line[(*i)++]);
		else if (*j < y && b->line[*j].changed)
			output_line(o, '+', &b->line[(*j)++]);
		else {
			output_line(o, ' ', &a->line[(*i)++]);
			(*j)++;
		}
	}
}

static void
output_hunks(struct output *o, const struct lines *a, const struct lines *b)
{
	size_t	 i = 0, j = 0, x, y, back;

	for (;;) {
		for (x = i, y = j; x < a->n && y < b->n &&
		    !a->line[x].changed && !b->line[y].changed; x++, y++)
			;
		if (x >= a->n && y >= b->n)
			return;
		back = x - i < DIFF_CONTEXT ? x - i : DIFF_CONTEXT;
		i = x - back;
		j = y - back;
		output_hunk(o, a, b, &i, &j);
	}
}

/* A side of the change; nothing where there is no regular file.  0 or -1. */
static int
diff_read(int fd, struct lines *ls)
{
	struct stat	 st;
	char		*buf;
	size_t		 len = 0;
	ssize_t		 n;

	if (fd == -1)
		return (lines_cut(ls, NULL, 0));
	if (fstat(fd, &st) == -1 || st.st_size > DIFF_SIZE_MAX ||
	    (buf = malloc((size_t)st.st_size + 1)) == NULL)
		return (-1);
	while (len < (size_t)st.st_size && (n = pread(fd, buf + len,
	    (size_t)st.st_size - len, (off_t)len)) > 0)
		len += (size_t)n;
	if (memchr(buf, '\0', len) != NULL || lines_cut(ls, buf, len) == -1) {
		free(buf);
		return (-1);
	}
	return (0);
}

static int
lines_changed(const struct lines *ls)
{
	size_t	 i;

	for (i = 0; i < ls->n; i++)
		if (ls->line[i].changed)
			return (1);
	return (0);
}

static void
diff_files(struct output *o, const struct branch_change *bc, int old, int new)
{
	struct lines	 a, b;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	if (diff_read(old, &a) == -1 || diff_read(new, &b) == -1 ||
	    lines_compare(&a, &b) == -1)
		output_note(o, bc->path, ": not compared\n");
	else if (lines_changed(&a) || lines_changed(&b)) {
		output_name(o, "--- ", "a/", bc->path, old != -1);
		output_name(o, "+++ ", "b/", bc->path, new != -1);
		output_hunks(o, &a, &b);
	}
	lines_free(&a);
	lines_free(&b);
}

static void
diff_mode(struct output *o, const struct branch_change *bc)
{
	char	 text[64];

	if (bc->old == NULL || bc->new == NULL ||
	    bc->old->mode == bc->new->mode)
		return;
	snprintf(text, sizeof(text), ": mode %04o, was %04o\n",
	    bc->new->mode & 07777, bc->old->mode & 07777);
	output_note(o, bc->path, text);
}

static int
is_file(const struct inode *in)
{
	return (in != NULL && S_ISREG(in->mode));
}

int
diff_change(const struct branch_change *bc)
{
	struct output	*o;
	int		 old, new;

	if ((o = calloc(1, sizeof(*o))) == NULL)
		fatal("diff");
	old = bc->type == 'A' ? -1 : branch_open_old(bc);
	new = bc->type == 'D' ? -1 : branch_open_new(bc);
	if (bc->type == 'M')
		diff_mode(o, bc);
	if ((bc->type != 'A' && is_file(bc->old) && old == -1) ||
	    (bc->type != 'D' && is_file(bc->new) && new == -1))
		output_note(o, bc->path, ": cannot be read\n");
	else if (old != -1 || new != -1)
		diff_files(o, bc, old, new);
	if (old != -1)
		close(old);
	if (new != -1)
		close(new);
	output_flush(o);
	free(o);
	return (0);
}
