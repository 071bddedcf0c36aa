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
 * Messages to the user.  Every program of the project prints by this file and
 * by nothing else once it runs.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "utf8.h"

static const char	*log_proc;
static int		 log_verbose;
static void		(*log_fatal_hook)(void);

static void	 log_write(const char *, int, const char *, va_list);

void
log_init(const char *proc, int verbose)
{
	log_proc = proc;
	log_verbose = verbose;
}

void
log_atfatal(void (*hook)(void))
{
	log_fatal_hook = hook;
}

/*
 * Control characters in names that the workload chose must not act, those of
 * eight bits neither: as they are, which is no UTF-8, or in it (0xc2 and 0x80
 * to 0x9f).
 */
static void
log_clean(char *s)
{
	unsigned char	*p = (unsigned char *)s;
	size_t		 len;

	for (; *p != '\0'; p += len) {
		if ((len = utf8_length(p)) == 0 || *p < ' ' || *p == 0x7f) {
			*p = '?';
			len = 1;
		} else if (p[0] == 0xc2 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

static void
log_write(const char *prefix, int err, const char *fmt, va_list ap)
{
	char	 text[1024], line[1280];
	int	 n;

	vsnprintf(text, sizeof(text), fmt, ap);
	n = snprintf(line, sizeof(line), "sandlock: %s%s%s%s%s%s",
	    log_proc != NULL ? log_proc : "", log_proc != NULL ? ": " : "",
	    prefix, text, err != 0 ? ": " : "",
	    err != 0 ? strerror(err) : "");
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\0';
	log_clean(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) == -1)
		return;		/* nowhere left to complain */
}

void
log_warn(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved_errno = errno;

	va_start(ap, fmt);
	log_write("", saved_errno, fmt, ap);
	va_end(ap);
	errno = saved_errno;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved_errno = errno;

	va_start(ap, fmt);
	log_write("", 0, fmt, ap);
	va_end(ap);
	errno = saved_errno;
}

void
log_debug(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved_errno = errno;

	if (!log_verbose)
		return;
	va_start(ap, fmt);
	log_write("debug: ", 0, fmt, ap);
	va_end(ap);
	errno = saved_errno;
}

static __dead void
log_exit(void)
{
	void	(*hook)(void) = log_fatal_hook;

	log_fatal_hook = NULL;
	if (hook != NULL)
		hook();
	_exit(EXIT_SANDLOCK);
}

__dead void
fatal(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_write("", errno, fmt, ap);
	va_end(ap);
	log_exit();
}

__dead void
fatalx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_write("", 0, fmt, ap);
	va_end(ap);
	log_exit();
}
