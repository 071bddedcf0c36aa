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
 * Network interfaces, their addresses, and sockets as files: /proc/net says
 * what the route sockets say (see netlink.c), has no sockets but the workload's
 * (see procsock.c), and /sys/class/net is closed but for lo.  This is so where
 * opens come to the supervisor anyway, and where the sandbox has ports of its
 * own, for the sake of it.
 *
 * Names are compared after they were resolved, if their last component is one
 * of those in /proc/net or a dot, or some component is "net".  It keeps
 * programs from seeing what they can make no use of, and is no boundary: every
 * CONTINUE here is harmless because Landlock decides about what the name leads
 * to by then, and a policy that is to hide the host's interfaces for good
 * grants neither /proc nor /sys.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

#define SEALS	(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

#define SOCKETS4							\
	"  sl  local_address rem_address   st tx_queue rx_queue tr "	\
	"tm->when retrnsmt   uid  timeout inode"
#define SOCKETS6							\
	"  sl  local_address                         remote_address"	\
	"                        st tx_queue rx_queue tr tm->when "	\
	"retrnsmt   uid  timeout inode"
#define COUNTS	" ref pointer drops"

/* As the kernel has them for lo alone.  For sockets see procsock.c. */
static const struct {
	const char	*name;
	const char	*text;		/* NULL: a directory, which is closed */
	const char	*more;		/* where there is a way out; or NULL */
} files[] = {
	{ "anycast6", "", NULL },
	{ "arp", "IP address       HW type     Flags       HW address"
	    "            Mask     Device\n", NULL },
	{ "bonding", NULL, NULL },
	{ "dev", "Inter-|   Receive                                       "
	    "         |  Transmit\n"
	    " face |bytes    packets errs drop fifo frame compressed "
	    "multicast|bytes    packets errs drop fifo colls carrier "
	    "compressed\n"
	    "    lo:       0       0    0    0    0     0          0"
	    "         0        0       0    0    0    0     0       0"
	    "          0\n", NULL },
	{ "dev_mcast", "", NULL },
	{ "dev_snmp6", NULL, NULL },
	{ "fib_trie", "Main:\n"
	    "  +-- 127.0.0.0/8 2 0 2\n"
	    "     +-- 127.0.0.0/31 1 0 0\n"
	    "        |-- 127.0.0.0\n"
	    "           /8 host LOCAL\n"
	    "        |-- 127.0.0.1\n"
	    "           /32 host LOCAL\n"
	    "     |-- 127.255.255.255\n"
	    "        /32 link BROADCAST\n"
	    "Local:\n"
	    "  +-- 127.0.0.0/8 2 0 2\n"
	    "     +-- 127.0.0.0/31 1 0 0\n"
	    "        |-- 127.0.0.0\n"
	    "           /8 host LOCAL\n"
	    "        |-- 127.0.0.1\n"
	    "           /32 host LOCAL\n"
	    "     |-- 127.255.255.255\n"
	    "        /32 link BROADCAST\n", NULL },
	{ "icmp", "", NULL },
	{ "icmp6", "", NULL },
	{ "if_inet6", "00000000000000000000000000000001 01 80 10 80       "
	    "lo\n", "fe800000000000000000000000000001 01 40 20 80       "
	    "lo\n" },
	{ "igmp", "Idx\tDevice    : Count Querier\tGroup    Users Timer\t"
	    "Reporter\n"
	    "1\tlo        :     1      V3\n"
	    "\t\t\t\t010000E0     1 0:00000000\t\t0\n", NULL },
	{ "igmp6", "1    lo              "
	    "ff020000000000000000000000000001     1 0000000C 0\n", NULL },
	{ "ipv6_route", "00000000000000000000000000000001 80 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00000100 00000001 00000000 "
	    "00000001       lo\n"
	    "00000000000000000000000000000001 80 "
	    "00000000000000000000000000000000 00 "
	    "00000000000000000000000000000000 00000000 00000002 00000000 "
	    "80200001       lo\n", NULL },
	{ "mcfilter", "Idx Device        MCA        SRC    INC    EXC\n",
	    NULL },
	{ "mcfilter6", "Idx Device                Multicast Address"
	    "                   Source Address    INC    EXC\n", NULL },
	{ "netlink", "sk               Eth Pid        Groups   Rmem     Wmem"
	    "     Dump  Locks    Drops    Inode\n", NULL },
	{ "packet", "sk               RefCnt Type Proto  Iface R Rmem   User"
	    "   Inode\n", NULL },
	{ "ptype", "Type Device      Function\n", NULL },
	{ "raw", SOCKETS4 COUNTS "\n", NULL },
	{ "raw6", SOCKETS6 COUNTS "\n", NULL },
	{ "route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t"
	    "Mask\t\tMTU\tWindow\tIRTT"
	    "                                                       \n", NULL },
	{ "rt_cache", "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\t"
	    "Metric\tSource\t\tMTU\tWindow\tIRTT\tTOS\tHHRef\tHHUptod\t"
	    "SpecDst                          \n", NULL },
	{ "tcp", "", NULL },
	{ "tcp6", "", NULL },
	{ "udp", "", NULL },
	{ "udp6", "", NULL },
	{ "udplite", "", NULL },
	{ "udplite6", "", NULL },
	{ "unix", "Num       RefCount Protocol Flags    Type St Inode Path\n",
	    NULL },
	{ "vlan", NULL, NULL },
	{ "wireless", "Inter-| sta-|   Quality        |   Discarded packets"
	    "               | Missed | WE\n"
	    " face | tus | link level noise |  nwid  crypt   frag  retry   "
	    "misc | beacon | 22\n", NULL }
};

/* What is below an interface in /sys, for who opens it from there. */
static const char *const	 attributes[] = {
	"addr_len", "address", "broadcast", "carrier", "dev_id", "dev_port",
	"dormant", "duplex", "flags", "ifalias", "ifindex", "iflink", "mtu",
	"operstate", "speed", "statistics", "tx_queue_len", "type", "uevent"
};

int
procnet_active(void)
{
	const struct filter_conf	*fc = &sup.conf.filter;

	return (fc->hosts || fc->remap || fc->view || fc->holes == HOLES_READ);
}

/* Its index, or -1. */
static int
file_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < nitems(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return (i);
	return (-1);
}

static int
attribute_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < nitems(attributes); i++)
		if (strcmp(attributes[i], name) == 0)
			return (1);
	return (0);
}

/* Where a name is a component, what begins with it; or NULL. */
static const char *
component_find(const char *path, const char *name)
{
	const char	*p = path;
	size_t		 len = strlen(name);

	while ((p = strstr(p, name)) != NULL) {
		if ((p == path || p[-1] == '/') &&
		    (p[len] == '\0' || p[len] == '/'))
			return (p);
		p++;
	}
	return (NULL);
}

static const char *
net_component(const char *path)
{
	return (component_find(path, "net"));
}

/* Whether a name is worth to be resolved. */
static int
name_suspect(const char *path)
{
	const char	*last;

	last = strrchr(path, '/');
	last = last == NULL ? path : last + 1;
	/* The working directory, and where a descriptor is. */
	if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return (1);
	return (file_find(last) != -1 || attribute_find(last) ||
	    net_component(path) != NULL ||
	    component_find(path, "statistics") != NULL);
}

/* The name, of what a name of the caller leads to; 0 if that is elsewhere. */
static int
name_real(const struct request *rq, int dirfd, const char *path, int flags,
    uint32_t *magic, char *real, size_t size)
{
	struct statfs	 fs;
	char		 link[64];
	ssize_t		 n = -1;
	int		 fd;

	if ((fd = resolve_at(rq, dirfd, path, flags)) == -1)
		return (0);
	if (fstatfs(fd, &fs) == 0) {
		*magic = (uint32_t)fs.f_type;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (*magic == PROC_SUPER_MAGIC || *magic == SYSFS_MAGIC)
			n = readlink(link, real, size - 1);
	}
	close(fd);
	if (n <= 0)
		return (0);
	real[n] = '\0';
	return (1);
}

/* The entry of a name in /proc: that of some process, or thread; or -1. */
static int
proc_find(const char *real)
{
	const char	*last, *net;

	if ((last = strrchr(real, '/')) == NULL ||
	    (net = net_component(real)) == NULL || net + 3 != last ||
	    net < real + 2 || net[-2] < '0' || net[-2] > '9')
		return (-1);
	return (file_find(last + 1));
}

/* EACCES for the directory, ENOENT for an interface, 0 for lo and the rest. */
static int
sys_errno(const char *real)
{
	const char	*net;

	if ((net = net_component(real)) == NULL)
		return (0);
	net += 3;
	if (*net == '\0')
		return (EACCES);
	return (strcmp(net, "/lo") == 0 || strncmp(net, "/lo/", 4) == 0 ?
	    0 : ENOENT);
}

/* Write it; 0 or an errno. */
static int
file_write(int fd, const char *text)
{
	size_t	 len = strlen(text);
	ssize_t	 n;

	if (len == 0)
		return (0);
	if ((n = write(fd, text, len)) == -1)
		return (errno);
	return ((size_t)n == len ? 0 : EIO);
}

/* What is to be read of it; 0 or an errno. */
static int
file_fill(int fd, int i, const char *real)
{
	int	 error, table;

	if ((table = procsock_find(files[i].name)) != -1)
		return (procsock_write(fd, real, table));
	error = file_write(fd, files[i].text);
	if (error == 0 && files[i].more != NULL && sup.conf.way_out)
		error = file_write(fd, files[i].more);
	return (error);
}

/* A fresh description that can only be read; -1 and errno. */
static int
file_open(int i, const char *real)
{
	char	 name[64];
	int	 error, fd, ro = -1;

	if ((fd = memfd_create(files[i].name, MFD_CLOEXEC |
	    MFD_ALLOW_SEALING)) == -1)
		return (-1);
	error = file_fill(fd, i, real);
	if (error == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		error = errno;
	if (error == 0) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		if ((ro = open(name, O_RDONLY | O_CLOEXEC)) == -1)
			error = errno;
	}
	close(fd);
	errno = error;
	return (ro);
}

static void
file_answer(struct request *rq, int i, const char *real, int flags)
{
	int	 error = 0, fd;

	if (files[i].text == NULL)
		error = EACCES;
	else if ((flags & O_DIRECTORY) != 0)
		error = ENOTDIR;
	else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		error = EEXIST;
	else if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0)
		error = EACCES;
	if (error != 0) {
		notify_errno(rq, error);
		return;
	}
	/* There may be many sockets, and files. */
	notify_collect();
	if ((fd = file_open(i, real)) == -1) {
		notify_errno(rq, errno);
		return;
	}
	notify_give(rq, fd, (flags & O_CLOEXEC) != 0);
}

/* 1 when it is one of those, and answered. */
static int
procnet_open(struct request *rq, int flags)
{
	const struct syscall_entry	*call = rq->call;
	const __u64			*args = rq->notif.data.args;
	char				 path[PATH_MAX], real[PATH_MAX];
	uint32_t			 magic;
	int				 dirfd = AT_FDCWD, error, i;

	if (look_path(rq, call->path, path, sizeof(path)) != 0 ||
	    !name_suspect(path))
		return (0);
	if (call->dirfd != SLOT_NONE)
		dirfd = (int)args[call->dirfd];
	if (!name_real(rq, dirfd, path, (flags & O_NOFOLLOW) != 0 ?
	    AT_SYMLINK_NOFOLLOW : 0, &magic, real, sizeof(real)))
		return (0);
	if (magic == PROC_SUPER_MAGIC) {
		if ((i = proc_find(real)) == -1)
			return (0);
		file_answer(rq, i, real, flags);
		return (1);
	}
	if ((error = sys_errno(real)) == 0)
		return (0);
	notify_errno(rq, error);
	return (1);
}

/* 1 when an open was answered; 0 when others are to do that. */
int
procnet_request(struct request *rq)
{
	int	 flags = O_CREAT | O_WRONLY | O_TRUNC;

	if (rq->call->class != CLASS_OPEN)
		return (0);
	if (rq->call->nr != SYS_creat) {
		flags = (int)rq->notif.data.args[rq->call->arg];
		if ((flags & O_PATH) == 0 && procnet_open(rq, flags))
			return (1);
	}
	/* Those files have it looked at as well, and others after them. */
	if (virtual_active() || !virtual_only(flags))
		return (0);
	/* Another name gains nothing: Landlock grants what it leads to. */
	notify_continue(rq);
	return (1);
}
