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
 * Random numbers, and paths drawn with them: blindly, or from what is there.
 */

#include <sys/types.h>

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "start.h"
#include "text.h"

static uint64_t		 seed_state;

void
draw_seed(unsigned int seed)
{
	seed_state = seed * 0x9e3779b97f4a7c15ULL | 1;
}

unsigned int
draw(unsigned int n)
{
	seed_state ^= seed_state << 13;
	seed_state ^= seed_state >> 7;
	seed_state ^= seed_state << 17;
	return ((seed_state >> 11) % n);
}

void
draw_path(char *path, size_t size)
{
	static const char *const	 names[] = {
		"a", "b", "c", "e", "sub", "d", "f", "g", "h", "a", "b", "c",
		"sub", "d", "f", "g", "l", "m", "n", "x", "p", "o", "od", "s",
		"r", "t", "u"
	};
	unsigned int			 i, n, k = sizeof(names) /
					    sizeof(names[0]);

	path[0] = '\0';
	n = 1 + draw(9) / 3;
	for (i = 0; i < n; i++) {
		if (i > 0)
			strlcat(path, draw(20) == 0 ? "//" : "/", size);
		/* The first ones are the directories. */
		if (i + 1 < n)
			strlcat(path, draw(12) == 0 ? (draw(2) ? ".." : ".") :
			    names[draw(6) != 0 ? draw(6) : draw(k)], size);
		else if (draw(30) == 0)
			strlcat(path, tree_long_name(), size);
		else if (draw(40) == 0)
			strlcat(path, draw(2) ? "." : "..", size);
		else
			strlcat(path, names[draw(k)], size);
	}
	if (draw(25) == 0)
		strlcat(path, "/", size);
}

/* Whatever is below a path, by its own; how many there are by then. */
int
live_list(const char *path, char **live, int n)
{
	char	*names[128], *sep, below[4096];
	int	 i, k;

	if ((k = look_names(&look_plain, path, names, 128)) == -1)
		return (n);
	for (i = 0; i < k; i++) {
		sep = strchr(names[i], 1);
		*sep = '\0';
		if (strcmp(names[i], ".") != 0 &&
		    strcmp(names[i], "..") != 0 && n < LIVE_MAX) {
			if (strcmp(path, ".") == 0)
				strlcpy(below, names[i], sizeof(below));
			else
				snprintf(below, sizeof(below), "%s/%s", path,
				    names[i]);
			if (strlen(below) < 500 &&
			    (live[n++] = strdup(below)) == NULL)
				die("strdup");
			if (atoi(sep + 1) == DT_DIR)
				n = live_list(below, live, n);
		}
		free(names[i]);
	}
	return (n);
}

/*
 * Another path in place of one that was drawn blindly: of something that is
 * there, or by its last name something new beside or in that.
 */
void
live_path(char *blind, size_t size, unsigned int r, int creates,
    char *const *live, int n)
{
	char	 path[DRAW_PATH], *p;

	strlcpy(path, live[(r >> 4) % n], sizeof(path));
	if (r % 16 < (creates ? 12 : 3)) {
		if ((p = strrchr(path, '/')) != NULL)
			*p = '\0';
		else if (r % 16 != 0)
			path[0] = '\0';
		if (path[0] != '\0')
			strlcat(path, "/", sizeof(path));
		if ((p = strrchr(blind, '/')) == NULL || p[1] == '\0')
			p = blind - 1;
		strlcat(path, p + 1, sizeof(path));
	} else if (r % 16 == 12)
		strlcat(path, "/", sizeof(path));
	else if (r % 16 == 13)
		strlcat(path, "/..", sizeof(path));
	strlcpy(blind, path, size);
}
