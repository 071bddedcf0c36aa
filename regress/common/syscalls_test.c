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
 * Tests of common/syscalls.c: names and numbers against libseccomp, the
 * mediated calls against the prototypes of the kernel, and the groups.
 */

#include <sys/types.h>

#include <atf-c.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

#define NELEMS(a)	(sizeof(a) / sizeof((a)[0]))

static int
in_group(const char *name, int nr)
{
	const int	*group;
	size_t		 i, n;

	ATF_REQUIRE((group = syscall_group(name, &n)) != NULL);
	for (i = 0; i < n; i++)
		if (group[i] == nr)
			return (1);
	return (0);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	const char	*name;
	int		 known = 0, nr;

	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		if ((name = syscall_name(nr)) == NULL)
			continue;
		known++;
		ATF_CHECK(strlen(name) > 0);
		ATF_CHECK_EQ_MSG(nr, syscall_number(name), "%s", name);
	}
	ATF_CHECK_EQ(383, known);
	ATF_CHECK_STREQ("read", syscall_name(0));
	ATF_CHECK_STREQ("file_setattr", syscall_name(SYSCALL_LAST));
	ATF_CHECK(syscall_name(-1) == NULL);
	ATF_CHECK(syscall_name(SYSCALL_LAST + 1) == NULL);
	ATF_CHECK(syscall_name(400) == NULL);
	ATF_CHECK_EQ(-1, syscall_number(""));
	ATF_CHECK_EQ(-1, syscall_number("rea"));
	ATF_CHECK_EQ(-1, syscall_number("reads"));
	ATF_CHECK_EQ(-1, syscall_number("no_such_call"));
}

/* libseccomp has its own table; where it knows a call it must agree. */
ATF_TC_WITHOUT_HEAD(names_libseccomp);
ATF_TC_BODY(names_libseccomp, tc)
{
	char	*name;
	int	 compared = 0, nr;

	for (nr = 0; nr <= SYSCALL_LAST; nr++) {
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
		if (name == NULL)
			continue;
		compared++;
		ATF_CHECK_MSG(syscall_name(nr) != NULL, "%s", name);
		if (syscall_name(nr) != NULL)
			ATF_CHECK_STREQ(name, syscall_name(nr));
		free(name);
	}
	ATF_CHECK(compared > 350);
}

ATF_TC_WITHOUT_HEAD(lookup);
ATF_TC_BODY(lookup, tc)
{
	const struct syscall_entry	*entry;
	size_t				 i;
	int				 found = 0, nr;

	for (i = 0; i < syscall_table_len; i++) {
		entry = syscall_lookup(syscall_table[i].nr);
		ATF_CHECK_EQ(&syscall_table[i], entry);
		ATF_CHECK_STREQ(syscall_name(entry->nr), entry->name);
		ATF_CHECK(entry->class > CLASS_NONE &&
		    entry->class < CLASS_MAX);
	}
	for (nr = -2; nr <= SYSCALL_LAST + 2; nr++)
		found += syscall_lookup(nr) != NULL;
	ATF_CHECK_EQ((int)syscall_table_len, found);
	ATF_CHECK(syscall_lookup(INT32_MAX) == NULL);
	ATF_CHECK(syscall_lookup(INT32_MIN) == NULL);
	ATF_CHECK(syscall_lookup(SYS_read) == NULL);
}

static int
in_family(const char *name, const char *word)
{
	if (word[0] == '=')
		return (strcmp(name, word + 1) == 0);
	return (strstr(name, word) != NULL);
}

/*
 * Every spelling: a call whose name contains the word does what the class is
 * about, and is in it.
 */
ATF_TC_WITHOUT_HEAD(spellings);
ATF_TC_BODY(spellings, tc)
{
	/* "=x" is the call x; the rest are parts of names. */
	static const struct {
		const char		*word;
		enum syscall_class	 class;
		int			 n;
	} families[] = {
		{ "fork", CLASS_FORK, 2 },
		{ "clone", CLASS_FORK, 2 },
		{ "chmod", CLASS_CHMOD, 4 },
		{ "chown", CLASS_CHOWN, 4 },
		{ "utime", CLASS_UTIMES, 4 },
		{ "setxattr", CLASS_SETXATTR, 4 },
		{ "removexattr", CLASS_REMOVEXATTR, 4 },
		{ "connect", CLASS_CONNECT, 1 },
		{ "=open", CLASS_OPEN, 1 },
		{ "=openat", CLASS_OPEN, 1 },
		{ "=creat", CLASS_OPEN, 1 },
		{ "=stat", CLASS_STAT, 1 },
		{ "=lstat", CLASS_STAT, 1 },
		{ "=fstat", CLASS_STAT, 1 },
		{ "newfstatat", CLASS_STAT, 1 },
		{ "statx", CLASS_STAT, 1 },
		{ "access", CLASS_ACCESS, 3 },
		{ "readlink", CLASS_READLINK, 2 },
		{ "getxattr", CLASS_GETXATTR, 4 },
		{ "listxattr", CLASS_LISTXATTR, 4 },
		{ "getdents", CLASS_GETDENTS, 2 },
		{ "=statfs", CLASS_STATFS, 1 },
		{ "inotify_add", CLASS_WATCH, 1 },
		{ "=unlink", CLASS_UNLINK, 1 },
		{ "unlinkat", CLASS_UNLINK, 1 },
		{ "=rmdir", CLASS_RMDIR, 1 },
		{ "mkdir", CLASS_MKDIR, 2 },
		{ "mknod", CLASS_MKNOD, 2 },
		{ "symlink", CLASS_SYMLINK, 2 },
		{ "rename", CLASS_RENAME, 3 },
		{ "=link", CLASS_LINK, 1 },
		{ "=linkat", CLASS_LINK, 1 },
		{ "=truncate", CLASS_TRUNCATE, 1 },
		{ "chdir", CLASS_CHDIR, 2 },
		{ "getcwd", CLASS_GETCWD, 1 },
		{ "execve", CLASS_EXEC, 2 },
		{ "=bind", CLASS_BIND, 1 },
		{ "=write", CLASS_WRITE, 1 },
		{ "pwrite", CLASS_WRITE, 3 },
		{ "=writev", CLASS_WRITE, 1 },
		{ "sendfile", CLASS_COPY, 1 },
		{ "copy_file_range", CLASS_COPY, 1 },
		{ "=splice", CLASS_COPY, 1 },
		{ "ftruncate", CLASS_RESIZE, 1 },
		{ "fallocate", CLASS_RESIZE, 1 },
		{ "=listen", CLASS_LISTEN, 1 },
		{ "=getsockname", CLASS_SOCKNAME, 1 },
		{ "=getpeername", CLASS_SOCKNAME, 1 },
		{ "accept", CLASS_ACCEPT, 2 },
		{ "recv", CLASS_RECV, 3 },
		{ "=sendto", CLASS_SEND, 1 },
		{ "=sendmsg", CLASS_SEND, 1 },
		{ "=sendmmsg", CLASS_SEND, 1 },
		{ "=socket", CLASS_SOCKET, 1 },
		{ "=setsockopt", CLASS_SOCKOPT, 1 },
		{ "=getsockopt", CLASS_SOCKOPT, 1 },
		{ "=ioctl", CLASS_IFREQ, 1 }
	};
	const struct syscall_entry	*entry;
	const char			*name;
	size_t				 i, total = 0;
	int				 found, nr;

	for (i = 0; i < NELEMS(families); i++) {
		found = 0;
		for (nr = 0; nr <= SYSCALL_LAST; nr++) {
			name = syscall_name(nr);
			if (name == NULL || !in_family(name, families[i].word))
				continue;
			found++;
			entry = syscall_lookup(nr);
			ATF_REQUIRE_MSG(entry != NULL, "%s", name);
			ATF_CHECK_EQ_MSG(families[i].class, entry->class,
			    "%s", name);
		}
		/* futimesat contains "utime", and so on. */
		ATF_CHECK_EQ_MSG(families[i].n, found, "%s",
		    families[i].word);
		total += found;
	}
	ATF_CHECK_EQ(total, syscall_table_len);
}

/* The slots as in the kernel's prototypes, written down once more. */
ATF_TC_WITHOUT_HEAD(slots);
ATF_TC_BODY(slots, tc)
{
	static const struct {
		int	 nr;
		/*
		 * fd, dirfd, path, flags, addr, addrlen, arg, dirfd2,
		 * path2, out, outlen
		 */
		int	 slots[11];
		int	 nofollow;
		int	 null_fd;
	} expected[] = {
		{ SYS_write, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_pwrite64, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_writev, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_pwritev, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_pwritev2, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_sendfile, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_socket, { -1, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_setsockopt, { 0, -1, -1, -1, -1, -1, 3, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_getsockopt, { 0, -1, -1, -1, -1, -1, 1, -1, -1, 3, 4 },
		    0, 0 },
		{ SYS_ioctl, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_ftruncate, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_fallocate, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_splice,
		    { 2, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_copy_file_range,
		    { 2, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_chmod, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_fchmod, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_fchmodat, { -1, 0, 1, -1, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_fchmodat2, { -1, 0, 1, 3, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_chown, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_fchown, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_lchown, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_fchownat, { -1, 0, 1, 4, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_utime, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_utimes, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_futimesat, { -1, 0, 1, -1, -1, -1, 2, -1, -1, -1, -1 },
		    0, 1 },
		{ SYS_utimensat, { -1, 0, 1, 3, -1, -1, 2, -1, -1, -1, -1 },
		    0, 1 },
		{ SYS_setxattr, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_lsetxattr, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_fsetxattr, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_setxattrat, { -1, 0, 1, 2, -1, -1, 3, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_removexattr, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_lremovexattr,
		    { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_fremovexattr,
		    { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_removexattrat,
		    { -1, 0, 1, 2, -1, -1, 3, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_connect, { 0, -1, -1, -1, 1, 2, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_listen, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_getsockname, { 0, -1, -1, -1, 1, 2, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_getpeername, { 0, -1, -1, -1, 1, 2, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_accept, { 0, -1, -1, -1, 1, 2, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_accept4, { 0, -1, -1, -1, 1, 2, 3, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_recvfrom, { 0, -1, -1, -1, 4, 5, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_recvmsg, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_recvmmsg, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_sendto, { 0, -1, -1, -1, 4, 5, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_sendmsg, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_sendmmsg, { 0, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_fork, { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_vfork, { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_clone, { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_clone3, { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_open, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_openat, { -1, 0, 1, -1, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_creat, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_stat, { -1, -1, 0, -1, -1, -1, -1, -1, -1, 1, -1 },
		    0, 0 },
		{ SYS_lstat, { -1, -1, 0, -1, -1, -1, -1, -1, -1, 1, -1 },
		    1, 0 },
		{ SYS_fstat, { 0, -1, -1, -1, -1, -1, -1, -1, -1, 1, -1 },
		    0, 0 },
		{ SYS_newfstatat, { -1, 0, 1, 3, -1, -1, -1, -1, -1, 2, -1 },
		    0, 0 },
		{ SYS_statx, { -1, 0, 1, 2, -1, -1, 3, -1, -1, 4, -1 },
		    0, 0 },
		{ SYS_access, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_faccessat, { -1, 0, 1, -1, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_faccessat2, { -1, 0, 1, 3, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_readlink, { -1, -1, 0, -1, -1, -1, -1, -1, -1, 1, 2 },
		    1, 0 },
		{ SYS_readlinkat, { -1, 0, 1, -1, -1, -1, -1, -1, -1, 2, 3 },
		    1, 0 },
		{ SYS_getxattr, { -1, -1, 0, -1, -1, -1, 1, -1, -1, 2, 3 },
		    0, 0 },
		{ SYS_lgetxattr, { -1, -1, 0, -1, -1, -1, 1, -1, -1, 2, 3 },
		    1, 0 },
		{ SYS_fgetxattr, { 0, -1, -1, -1, -1, -1, 1, -1, -1, 2, 3 },
		    0, 0 },
		{ SYS_getxattrat, { -1, 0, 1, 2, -1, -1, 3, -1, -1, 4, 5 },
		    0, 0 },
		{ SYS_listxattr, { -1, -1, 0, -1, -1, -1, -1, -1, -1, 1, 2 },
		    0, 0 },
		{ SYS_llistxattr, { -1, -1, 0, -1, -1, -1, -1, -1, -1, 1, 2 },
		    1, 0 },
		{ SYS_flistxattr, { 0, -1, -1, -1, -1, -1, -1, -1, -1, 1, 2 },
		    0, 0 },
		{ SYS_listxattrat, { -1, 0, 1, 2, -1, -1, -1, -1, -1, 3, 4 },
		    0, 0 },
		{ SYS_getdents, { 0, -1, -1, -1, -1, -1, -1, -1, -1, 1, 2 },
		    0, 0 },
		{ SYS_getdents64, { 0, -1, -1, -1, -1, -1, -1, -1, -1, 1, 2 },
		    0, 0 },
		{ SYS_statfs, { -1, -1, 0, -1, -1, -1, -1, -1, -1, 1, -1 },
		    0, 0 },
		{ SYS_inotify_add_watch,
		    { 0, -1, 1, -1, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_unlink, { -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_unlinkat, { -1, 0, 1, 2, -1, -1, -1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_rmdir, { -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_mkdir, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_mkdirat, { -1, 0, 1, -1, -1, -1, 2, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_mknod, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_mknodat, { -1, 0, 1, -1, -1, -1, 2, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_symlink, { -1, -1, 1, -1, -1, -1, 0, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_symlinkat, { -1, 1, 2, -1, -1, -1, 0, -1, -1, -1, -1 },
		    1, 0 },
		{ SYS_rename, { -1, -1, 0, -1, -1, -1, -1, -1, 1, -1, -1 },
		    1, 0 },
		{ SYS_renameat, { -1, 0, 1, -1, -1, -1, -1, 2, 3, -1, -1 },
		    1, 0 },
		{ SYS_renameat2, { -1, 0, 1, -1, -1, -1, 4, 2, 3, -1, -1 },
		    1, 0 },
		{ SYS_link, { -1, -1, 0, -1, -1, -1, -1, -1, 1, -1, -1 },
		    1, 0 },
		{ SYS_linkat, { -1, 0, 1, 4, -1, -1, -1, 2, 3, -1, -1 },
		    1, 0 },
		{ SYS_truncate, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_chdir, { -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_fchdir, { 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_getcwd, { -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1 },
		    0, 0 },
		{ SYS_execve, { -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_execveat, { -1, 0, 1, 4, -1, -1, 2, -1, -1, -1, -1 },
		    0, 0 },
		{ SYS_bind, { 0, -1, -1, -1, 1, 2, -1, -1, -1, -1, -1 },
		    0, 0 }
	};
	const struct syscall_entry	*e;
	size_t				 i;

	ATF_CHECK_EQ(syscall_table_len, NELEMS(expected));
	for (i = 0; i < NELEMS(expected); i++) {
		e = syscall_lookup(expected[i].nr);
		ATF_REQUIRE(e != NULL);
		ATF_CHECK_EQ_MSG(expected[i].slots[0], e->fd, "%s", e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[1], e->dirfd, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[2], e->path, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[3], e->flags, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[4], e->addr, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[5], e->addrlen, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[6], e->arg, "%s", e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[7], e->dirfd2, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[8], e->path2, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[9], e->out, "%s", e->name);
		ATF_CHECK_EQ_MSG(expected[i].slots[10], e->outlen, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].nofollow, e->nofollow, "%s",
		    e->name);
		ATF_CHECK_EQ_MSG(expected[i].null_fd, e->null_fd, "%s",
		    e->name);
	}
	ATF_CHECK_EQ(TIMES_UTIMBUF, syscall_lookup(SYS_utime)->times);
	ATF_CHECK_EQ(TIMES_TIMEVAL, syscall_lookup(SYS_utimes)->times);
	ATF_CHECK_EQ(TIMES_TIMEVAL, syscall_lookup(SYS_futimesat)->times);
	ATF_CHECK_EQ(TIMES_TIMESPEC, syscall_lookup(SYS_utimensat)->times);
	ATF_CHECK_EQ(TIMES_NONE, syscall_lookup(SYS_chmod)->times);
}

/* Every known number is in exactly one group: none is left unjudged. */
ATF_TC_WITHOUT_HEAD(groups);
ATF_TC_BODY(groups, tc)
{
	int		 in[SYSCALL_LAST + 1] = { 0 };
	const char	*name;
	const int	*group;
	size_t		 i, j, n;
	int		 nr;

	for (i = 0; (name = syscall_group_name(i)) != NULL; i++) {
		ATF_CHECK_EQ('@', name[0]);
		ATF_REQUIRE((group = syscall_group(name, &n)) != NULL);
		ATF_CHECK(n > 0);
		for (j = 0; j < n; j++) {
			ATF_REQUIRE(group[j] >= 0 && group[j] <= SYSCALL_LAST);
			in[group[j]]++;
		}
	}
	for (nr = 0; nr <= SYSCALL_LAST; nr++)
		ATF_CHECK_EQ_MSG(syscall_name(nr) != NULL, in[nr],
		    "number %d is in %d groups", nr, in[nr]);
}

ATF_TC_WITHOUT_HEAD(group_names);
ATF_TC_BODY(group_names, tc)
{
	const int	*group;
	size_t		 n;

	group = syscall_group("@sysv_ipc", &n);
	ATF_REQUIRE(group != NULL);
	ATF_CHECK_EQ(12, n);
	ATF_CHECK(in_group("@sysv_ipc", SYS_shmget));
	ATF_CHECK(!in_group("@sysv_ipc", SYS_mq_open));
	ATF_CHECK(in_group("@posix_mq", SYS_mq_open));
	/* As systemd spells them. */
	ATF_CHECK(syscall_group("@file-system", &n) != NULL);
	ATF_CHECK_EQ(syscall_group("@file_system", &n),
	    syscall_group("@file-system", &n));
	ATF_CHECK(syscall_group("file_system", &n) == NULL);
	ATF_CHECK(syscall_group("@file", &n) == NULL);
	ATF_CHECK(syscall_group("@file_systems", &n) == NULL);
	ATF_CHECK(syscall_group("@", &n) == NULL);
	ATF_CHECK(syscall_group("", &n) == NULL);
	ATF_CHECK(syscall_group_name(SIZE_MAX) == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, names_libseccomp);
	ATF_TP_ADD_TC(tp, lookup);
	ATF_TP_ADD_TC(tp, spellings);
	ATF_TP_ADD_TC(tp, slots);
	ATF_TP_ADD_TC(tp, groups);
	ATF_TP_ADD_TC(tp, group_names);
	return (atf_no_error());
}
