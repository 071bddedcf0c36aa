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
 * Changes and outcomes of a branch as text and JSON.  Names come from the
 * workload: no control character of theirs reaches a terminal.
 */

#include <sys/types.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vis.h>

#include "branch_print.h"
#include "json.h"
#include "log.h"

static int	 print_comma;	/* not the first one */

/* A name without control characters; the caller frees it. */
static char *
visible(const char *path)
{
	char	*text;

	if ((text = malloc(4 * strlen(path) + 1)) == NULL)
		fatal("malloc");
	strvis(text, path, VIS_CSTYLE | VIS_NL | VIS_TAB);
	return (text);
}

void
branch_print_begin(FILE *f, enum dry_run_form form)
{
	print_comma = 0;
	if (form == DRY_RUN_JSON)
		fputs("[", f);
}

void
branch_print_change(FILE *f, enum dry_run_form form,
    const struct proto_change *pc)
{
	char	*text;

	if (form == DRY_RUN_JSON) {
		fprintf(f, "%s\n  {\"change\": \"%c\", \"path\": ",
		    print_comma ? "," : "", pc->kind);
		json_string(f, pc->path);
		if (!json_exact(pc->path)) {
			fputs(", \"path_bytes\": ", f);
			json_base64(f, pc->path);
		}
		putc('}', f);
		print_comma = 1;
		return;
	}
	text = visible(pc->path);
	fprintf(f, "%c  %s\n", pc->kind, text);
	free(text);
}

void
branch_print_text(FILE *f, struct imsg *imsg, int tty)
{
	struct ibuf	 b;
	const char	*text;
	size_t		 i, len;

	if (imsg_get_len(imsg) == 0 || imsg_get_ibuf(imsg, &b) == -1)
		return;
	text = ibuf_data(&b);
	len = ibuf_size(&b);
	/* What a file holds must not act on a terminal either. */
	for (i = 0; i < len; i++)
		putc(tty && (unsigned char)text[i] < ' ' && text[i] != '\n' &&
		    text[i] != '\t' ? '?' : text[i], f);
}

void
branch_print_end(FILE *f, enum dry_run_form form)
{
	if (form == DRY_RUN_JSON)
		fprintf(f, "%s]\n", print_comma ? "\n" : "");
}

void
branch_warn_conflict(const struct proto_change *pc)
{
	char	*text = visible(pc->path);

	log_warnx("%s: %s outside since the branch was made", text,
	    pc->kind == 'R' ? "removed" : pc->kind == 'N' ? "added" :
	    "changed");
	free(text);
}

void
branch_warn_outcome(const struct proto_outcome *po)
{
	char	*text;

	switch (po->outcome) {
	case OUTCOME_DONE:
	case OUTCOME_COMPLETED:
	case OUTCOME_UNDONE:
		break;
	case OUTCOME_CONFLICT:
		log_warnx("conflict: nothing is committed");
		break;
	case OUTCOME_FAILED:
	case OUTCOME_STUCK:
		text = visible(po->path);
		log_warnx("%s%s%s: %s%s", po->what, text[0] == '\0' ? "" : " ",
		    text, strerror(po->error),
		    po->outcome == OUTCOME_FAILED ? "; nothing is committed" :
		    "; half done: see sandlock branch recover");
		free(text);
		break;
	}
}

void
branch_summary(const struct proto_outcome *po, const char *workdir)
{
	log_warnx("%s: committed: %" PRIu64 " added, %" PRIu64 " changed, %"
	    PRIu64 " deleted", workdir, po->added, po->changed, po->deleted);
}
