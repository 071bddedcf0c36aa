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
 * A tree as text: one line for each file of it, in the order of the names.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "start.h"
#include "text.h"

#define NAMES_MAX	256

struct print {
	const struct look	*look;
	FILE			*out;
	int			 how;
	uint64_t		 inodes[512];	/* for the groups of links */
	int			 ninodes;
};

static int
plain_stat(void *arg, const char *path, struct statx *sx)
{
	(void)arg;
	return (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
	    sx));
}

static ssize_t
plain_getxattr(void *arg, const char *path, const char *name, void *buf,
    size_t size)
{
	(void)arg;
	return (lgetxattr(path, name, buf, size));
}

static ssize_t
plain_readlink(void *arg, const char *path, char *buf, size_t size)
{
	(void)arg;
	return (readlink(path, buf, size));
}

static int
plain_open(void *arg, const char *path)
{
	(void)arg;
	return (open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
}

static int
plain_names(void *arg, const char *path, char **names, int max)
{
	struct dirent	*de;
	DIR		*dir;
	int		 n = 0;

	(void)arg;
	if ((dir = opendir(path)) == NULL)
		return (-1);
	while (n < max && (de = readdir(dir)) != NULL)
		if (asprintf(&names[n++], "%s%c%d", de->d_name, 1,
		    de->d_type) == -1)
			die("asprintf");
	closedir(dir);
	return (n);
}

const struct look	 look_plain = {
	NULL, plain_stat, plain_getxattr, plain_readlink, plain_open,
	plain_names
};

static int
name_cmp(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

int
look_names(const struct look *look, const char *path, char **names, int max)
{
	int	 n;

	if ((n = look->names(look->arg, path, names, max)) > 0)
		qsort(names, n, sizeof(*names), name_cmp);
	return (n);
}

static int
print_group(struct print *p, uint64_t ino)
{
	int	 i;

	for (i = 0; i < p->ninodes; i++)
		if (p->inodes[i] == ino)
			return (i);
	if (p->ninodes < 512)
		p->inodes[p->ninodes++] = ino;
	return (i);
}

static void
print_xattrs(struct print *p, const char *path)
{
	static const char *const	 names[] = {
		"user.t", "user.u", "system.posix_acl_access",
		"system.posix_acl_default"
	};
	char				 value[256];
	ssize_t				 i, n;
	size_t				 k;

	for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		n = p->look->getxattr(p->look->arg, path, names[k], value,
		    sizeof(value));
		if (n == -1) {
			if (errno != ENODATA && errno != EOPNOTSUPP)
				fprintf(p->out, " %s:%d", names[k], errno);
			continue;
		}
		fprintf(p->out, " %s=", names[k]);
		for (i = 0; i < n; i++)
			fprintf(p->out, k < 2 ? "%c" : "%02x",
			    (unsigned char)value[i]);
	}
}

/* What is behind that is not looked at: files may have huge holes. */
#define BYTES_MAX	(1024 * 1024)

/* The beginning as it is, if that is text, and a sum. */
static void
print_bytes(struct print *p, int fd)
{
	uint64_t	 sum = 0xcbf29ce484222325ULL;
	char		 buf[65536];
	ssize_t		 i, n = 0;
	size_t		 done;
	int		 first = 1;

	for (done = 0; done < BYTES_MAX &&
	    (n = read(fd, buf, sizeof(buf))) > 0; done += n) {
		if (first && memchr(buf, '\0', n) == NULL)
			fprintf(p->out, " \"%.*s\"", (int)n > 4096 ? 4096 :
			    (int)n, buf);
		for (i = 0; i < n; i++)
			sum = (sum ^ (unsigned char)buf[i]) *
			    0x100000001b3ULL;
		first = 0;
	}
	if (n == -1)
		fprintf(p->out, " read:%d", errno);
	fprintf(p->out, " sum %llx", (unsigned long long)sum);
}

static void
print_content(struct print *p, const char *path, const struct statx *sx)
{
	char	 buf[4096];
	ssize_t	 n;
	int	 fd;

	if (S_ISLNK(sx->stx_mode)) {
		n = p->look->readlink(p->look->arg, path, buf, sizeof(buf));
		fprintf(p->out, " -> %.*s", (int)n, buf);
		return;
	}
	if (!S_ISREG(sx->stx_mode))
		return;
	if ((fd = p->look->open(p->look->arg, path)) == -1) {
		fprintf(p->out, " open:%d", errno);
		return;
	}
	print_bytes(p, fd);
	close(fd);
}

static void
print_one(struct print *p, const char *path)
{
	struct statx	 sx;

	if (p->look->stat(p->look->arg, path, &sx) == -1) {
		fprintf(p->out, "%s: stat:%d\n", path, errno);
		return;
	}
	fprintf(p->out, "%s: %o %u:%u", path, sx.stx_mode, sx.stx_uid,
	    sx.stx_gid);
	if (!S_ISDIR(sx.stx_mode))
		fprintf(p->out, " size %llu group %d",
		    (unsigned long long)sx.stx_size,
		    print_group(p, sx.stx_ino));
	if (!S_ISDIR(sx.stx_mode) && p->how != TREE_CRASH)
		fprintf(p->out, " nlink %u", sx.stx_nlink);
	if (p->how == TREE_EXACT || (sx.stx_mtime.tv_sec <= OLD + 100 &&
	    (p->how == TREE_PLAIN || !S_ISDIR(sx.stx_mode))))
		fprintf(p->out, " mtime %lld.%u", (long long)
		    sx.stx_mtime.tv_sec, sx.stx_mtime.tv_nsec);
	if (p->how == TREE_EXACT)
		fprintf(p->out, " ctime %lld.%u ino %llu", (long long)
		    sx.stx_ctime.tv_sec, sx.stx_ctime.tv_nsec,
		    (unsigned long long)sx.stx_ino);
	print_xattrs(p, path);
	print_content(p, path, &sx);
	fputc('\n', p->out);
}

static void
print_tree(struct print *p, const char *path)
{
	char	*names[NAMES_MAX], *sep, below[4096];
	int	 i, n;

	print_one(p, path);
	if ((n = look_names(p->look, path, names, NAMES_MAX)) == -1) {
		if (errno != ENOTDIR)
			fprintf(p->out, "%s: list:%d\n", path, errno);
		return;
	}
	for (i = 0; i < n; i++) {
		sep = strchr(names[i], 1);
		*sep = '\0';
		if (strcmp(names[i], ".") != 0 && strcmp(names[i], "..") != 0) {
			snprintf(below, sizeof(below), "%s/%s", path,
			    names[i]);
			if (atoi(sep + 1) == DT_DIR)
				print_tree(p, below);
			else
				print_one(p, below);
		}
		free(names[i]);
	}
}

char *
look_text(const struct look *look, int how)
{
	struct print	*p;
	char		*text = NULL;
	size_t		 size;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->out = open_memstream(&text, &size)) == NULL)
		die("open_memstream");
	p->look = look;
	p->how = how;
	print_tree(p, ".");
	fclose(p->out);
	free(p);
	return (text);
}
