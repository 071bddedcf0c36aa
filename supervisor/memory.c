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
 * Reading and writing a waiting task's memory.  What is read here may change
 * at once; callers copy once, check that the task still waits
 * (notify_valid) and then use the copy only.
 *
 * Both go by the task's number, which may be another's once it has been
 * killed.  Whoever reads looks afterwards whether the task still waits.
 * Whoever writes can only look right before it: should the task die, be reaped
 * and its number be given away in between, the answer goes to who has that.
 * This is a process of the workload, for the domain keeps us from the memory of
 * any other; what could tell the two apart, a descriptor of the memory open for
 * writing, is more than this process shall have.
 */

#include <sys/types.h>
#include <sys/uio.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

/* Exactly len bytes; 0, or -1 and errno (EFAULT as the kernel would say). */
int
memory_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec	 local = { buf, len };
	struct iovec	 remote = { (void *)(uintptr_t)addr, len };
	ssize_t		 n;

	if (len == 0)
		return (0);
	n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
	if (n == (ssize_t)len)
		return (0);
	if (n != -1)
		errno = EFAULT;
	return (-1);
}

/* Write all of it; 0, or -1 and errno. */
int
memory_write(pid_t pid, uint64_t addr, const void *buf, size_t len)
{
	struct iovec	 local, remote;
	ssize_t		 n;

	if (len == 0)
		return (0);
	local.iov_base = (void *)(uintptr_t)buf;
	local.iov_len = len;
	remote.iov_base = (void *)(uintptr_t)addr;
	remote.iov_len = len;
	n = process_vm_writev(pid, &local, 1, &remote, 1, 0);
	if (n == (ssize_t)len)
		return (0);
	if (n != -1)
		errno = EFAULT;
	return (-1);
}

/*
 * A string with its NUL, of at most size bytes.  Reads end at page boundaries,
 * so that a string at the end of a mapping is not lost.  Its length, or -1:
 * EFAULT, or ENAMETOOLONG when no NUL came in time.
 */
ssize_t
memory_string(pid_t pid, uint64_t addr, char *buf, size_t size)
{
	size_t	 done, len, page = sysconf(_SC_PAGESIZE);
	char	*nul;

	for (done = 0; done < size; done += len) {
		len = page - (addr + done) % page;
		if (len > size - done)
			len = size - done;
		if (memory_read(pid, addr + done, buf + done, len) == -1)
			return (-1);
		if ((nul = memchr(buf + done, '\0', len)) != NULL)
			return (nul - buf);
	}
	errno = ENAMETOOLONG;
	return (-1);
}
