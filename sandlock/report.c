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
 * What the run tells the outside: denials as they happen, one status line at
 * the end.  Both are lines of JSON.  Nothing here may hold up the run: a
 * reader of the denials that does not keep up loses some, and the count of
 * those is printed.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "log.h"
#include "run.h"
#include "syscalls.h"

#define DENIAL_OBJECT_MAX	512	/* so that a line fits PIPE_BUF */

static int		 denial_fd = -1;
static uint64_t		 denial_lost, port_lost;
static int		 status_fd = -1;
static uint64_t		 counts[SYSCALL_LAST + 1];

static const char	*reason_names[] = {
	[REASON_EXIT] = "exit",
	[REASON_SIGNAL] = "signal",
	[REASON_TIMEOUT] = "timeout",
	[REASON_SETUP] = "setup",
	[REASON_WORKER] = "worker"
};

/*
 * A descriptor of our own for the caller's, which is closed unless it is a
 * standard stream: not for our workers.  -1 and errno.
 */
static int
descriptor_keep(int fd)
{
	int	 own;

	if ((own = fcntl(fd, F_DUPFD_CLOEXEC, 10)) == -1)
		return (-1);
	if (fd > STDERR_FILENO)
		close(fd);
	return (own);
}

/*
 * The open file is shared with others, the workload perhaps, and so are its
 * flags.  Where /proc gives a new one for the same pipe or terminal, that does
 * not wait and leaves the caller's alone.
 */
static int
descriptor_nonblock(int fd)
{
	struct stat	 st;
	char		 path[64];
	int		 own;

	if (fstat(fd, &st) == -1 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return (fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC)) == -1)
		return (fd);
	close(fd);
	return (own);
}

/* A file of our own, not a link or a second name of somebody's. */
static int
denial_open(const char *name)
{
	struct stat	 st;
	int		 fd;

	if ((fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0600)) == -1 ||
	    fstat(fd, &st) == -1) {
		log_warn("--log-denials %s", name);
		return (-1);
	}
	if (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) &&
	    (st.st_nlink != 1 || st.st_uid != geteuid()))) {
		log_warnx("--log-denials %s: neither new nor a file of this "
		    "user with one name", name);
		close(fd);
		return (-1);
	}
	return (fd);
}

/* A number names a descriptor, anything else a file.  -1 after a message. */
int
report_init(const struct policy *p)
{
	const char	*errstr, *name = p->log_denials;
	int		 fd;

	if (p->status_fd != -1 &&
	    (status_fd = descriptor_keep(p->status_fd)) == -1) {
		log_warn("--status-fd %d", p->status_fd);
		return (-1);
	}
	if (name == NULL)
		return (0);
	fd = strtonum(name, 0, 1 << 20, &errstr);
	if (errstr == NULL) {
		/* It may be the same one as for the status. */
		fd = fd == p->status_fd ? fcntl(status_fd, F_DUPFD_CLOEXEC,
		    10) : descriptor_keep(fd);
		if (fd == -1) {
			log_warn("--log-denials %s", name);
			return (-1);
		}
		fd = descriptor_nonblock(fd);
	} else if ((fd = denial_open(name)) == -1)
		return (-1);
	denial_fd = fd;
	tzset();	/* reads a file, which will not do later */
	return (0);
}

static void
json_time(FILE *f)
{
	struct timespec	 ts;
	struct tm	 tm;
	char		 buf[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(f, "\"%s.%06ldZ\"", buf, ts.tv_nsec / 1000);
}

static void
json_call(FILE *f, int nr)
{
	const char	*name;

	if ((name = syscall_name(nr)) != NULL)
		json_string(f, name);
	else
		fprintf(f, "\"%d\"", nr);
}

/* One line, at once or not at all: 0 or -1. */
static int
line_write(int fd, const char *line, size_t len)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLOUT };
	ssize_t		 n;

	n = send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == (ssize_t)len)
		return (0);
	if (n != -1 || errno != ENOTSOCK)
		return (-1);
	return (poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLOUT) == 0 ||
	    write(fd, line, len) != (ssize_t)len ? -1 : 0);
}

/* The rule that decided: of the network's, its sentence. */
static void
json_rule(FILE *f, const struct proto_denial *pd)
{
	const struct net_rule	*nr;
	FILE			*text;
	char			*s;
	size_t			 len;
	int			 n = 1;

	TAILQ_FOREACH(nr, &run.policy->net, entry)
		if (n++ == pd->net_rule)
			break;
	if (nr == NULL || (text = open_memstream(&s, &len)) == NULL) {
		json_string(f, pd->rule);
		return;
	}
	policy_print_rule(text, nr);
	json_string(f, fclose(text) == 0 ? s : pd->rule);
	free(s);
}

void
report_denial(const struct proto_denial *pd)
{
	FILE	*f;
	char	*line, object[DENIAL_OBJECT_MAX];
	size_t	 len;

	if (denial_fd == -1)
		return;
	if ((f = open_memstream(&line, &len)) == NULL) {
		denial_lost++;
		return;
	}
	strlcpy(object, pd->object, sizeof(object));
	fputs("{\"time\":", f);
	json_time(f);
	fprintf(f, ",\"pid\":%d,\"program\":", pd->pid);
	json_string(f, pd->comm);
	fputs(",\"call\":", f);
	json_call(f, pd->nr);
	fputs(",\"object\":", f);
	json_string(f, object);
	fputs(",\"rule\":", f);
	json_rule(f, pd);
	fputs(",\"error\":", f);
	json_string(f, strerrorname_np(pd->error) != NULL ?
	    strerrorname_np(pd->error) : "");
	fputs("}\n", f);
	if (fclose(f) == EOF || line_write(denial_fd, line, len) == -1)
		denial_lost++;
	free(line);
}

/* To which port a socket of the workload is bound, for --status-fd. */
void
report_port(const struct port_binding *pb)
{
	char	 addr[INET6_ADDRSTRLEN], line[256];
	int	 n;

	if (status_fd == -1 || inet_ntop(pb->family, &pb->addr, addr,
	    sizeof(addr)) == NULL)
		return;
	n = snprintf(line, sizeof(line), "{\"protocol\":\"%s\","
	    "\"address\":\"%s\",\"port\":%u,\"real_port\":%u}\n",
	    pb->proto == NET_TCP ? "tcp" : "udp", addr, pb->asked, pb->real);
	if (n > 0 && (size_t)n < sizeof(line))
		port_lost += line_write(status_fd, line, (size_t)n) == -1;
}

void
report_count(const struct proto_count *pc)
{
	counts[pc->nr] = pc->count;
}

static void
json_counts(FILE *f)
{
	const char	*sep = "";
	int		 nr;

	putc('{', f);
	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		if (counts[nr] == 0)
			continue;
		fputs(sep, f);
		json_call(f, nr);
		fprintf(f, ":%" PRIu64, counts[nr]);
		sep = ",";
	}
	putc('}', f);
}

static void
json_status(FILE *f)
{
	struct timespec	 now;
	double		 wall;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wall = (now.tv_sec - run.began.tv_sec) +
	    (now.tv_nsec - run.began.tv_nsec) / 1e9;
	fprintf(f, "{\"exit_code\":%d,\"signal\":", run.exit_status);
	if (run.have_result && WIFSIGNALED(run.result.status))
		fprintf(f, "%d", WTERMSIG(run.result.status));
	else
		fputs("null", f);
	fprintf(f, ",\"reason\":\"%s\",\"wall_seconds\":%.6f",
	    reason_names[run.reason], wall);
	fprintf(f, ",\"cpu_seconds\":%.6f", run.result.cpu_us / 1e6);
	fprintf(f, ",\"peak_memory_bytes\":%" PRIu64,
	    run.result.maxrss_kb * 1024);
	if (run.conf.filter.fork == FILTER_NOTIFY)
		fprintf(f, ",\"processes\":%" PRIu64, run.result.processes);
	else
		fputs(",\"processes\":null", f);
	fputs(",\"notifications\":", f);
	json_counts(f);
	fputs(",\"branch\":null}\n", f);
}

/* The last thing that a run writes. */
void
report_end(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	FILE		*f;
	char		*line;
	size_t		 i, len;

	if (denial_lost > 0)
		log_warnx("%" PRIu64 " denials could not be logged",
		    denial_lost);
	if (port_lost > 0)
		log_warnx("%" PRIu64 " ports could not be reported",
		    port_lost);
	if (status_fd == -1)
		return;
	if ((f = open_memstream(&line, &len)) == NULL) {
		log_warn("--status-fd");
		return;
	}
	json_status(f);
	/* A slow reader is waited for; what the user sends ends us then. */
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	if (fclose(f) == EOF ||
	    write(status_fd, line, len) != (ssize_t)len)
		log_warn("--status-fd %d", run.policy->status_fd);
	free(line);
}
