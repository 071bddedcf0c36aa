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
 * What a call sends, as a copy: the address, where the data is, and control
 * messages with descriptors of our own in place of the caller's.  The header
 * is read once.  Data is read when it is sent, since as for the kernel what
 * it is by then is what goes out; nobody judges it.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ancillary.h"
#include "supervisor.h"

#define MESSAGE_MAX		0x7ffff000	/* the kernel's own */
#define MESSAGE_CONTROL_MAX	20480		/* older kernels' */
#define MESSAGE_FDS_MAX		253		/* the kernel's own */

/* Copy an address of at most a sockaddr_storage; 0 or an errno. */
static int
message_name(const struct request *rq, struct message *m, uint64_t addr,
    size_t len)
{
	m->named = 1;
	m->name.addrlen = len;
	if (memory_read(rq->notif.pid, addr, &m->name.addr, len) == -1)
		return (errno);
	return (0);
}

int
message_sendto(const struct request *rq, struct message *m)
{
	const __u64	*args = rq->notif.data.args;
	int		 len = (int)args[rq->call->addrlen];

	memset(m, 0, sizeof(*m));
	m->one.iov_base = (void *)(uintptr_t)args[1];
	m->one.iov_len = m->total = args[2] < MESSAGE_MAX ? args[2] :
	    MESSAGE_MAX;
	m->iov = &m->one;
	m->niov = 1;
	if (len < 0 || len > (int)sizeof(m->name.addr))
		return (EINVAL);
	return (message_name(rq, m, args[rq->call->addr], len));
}

static int
message_vector(const struct request *rq, struct message *m,
    const struct msghdr *mh)
{
	size_t	 i;

	if (mh->msg_iovlen > IOV_MAX)
		return (EMSGSIZE);
	m->niov = mh->msg_iovlen;
	m->iov = &m->one;
	if (m->niov > 1 && (m->iov = reallocarray(NULL, m->niov,
	    sizeof(*m->iov))) == NULL)
		return (ENOMEM);
	if (memory_read(rq->notif.pid, (uintptr_t)mh->msg_iov, m->iov,
	    m->niov * sizeof(*m->iov)) == -1)
		return (errno);
	for (i = 0; i < m->niov; i++) {
		if (m->iov[i].iov_len > SSIZE_MAX)
			return (EINVAL);
		if (m->iov[i].iov_len > MESSAGE_MAX - m->total)
			m->iov[i].iov_len = MESSAGE_MAX - m->total;
		m->total += m->iov[i].iov_len;
	}
	return (0);
}

static int
message_control(const struct request *rq, struct message *m,
    const struct msghdr *mh)
{
	if (mh->msg_controllen == 0)
		return (0);
	if (mh->msg_controllen > MESSAGE_CONTROL_MAX)
		return (ENOBUFS);
	if ((m->control = malloc(mh->msg_controllen)) == NULL)
		return (ENOBUFS);
	m->controllen = mh->msg_controllen;
	if (memory_read(rq->notif.pid, (uintptr_t)mh->msg_control, m->control,
	    m->controllen) == -1)
		return (errno);
	return (0);
}

int
message_read(const struct request *rq, struct message *m, uint64_t addr)
{
	struct msghdr	 mh;
	int		 error, len;

	memset(m, 0, sizeof(*m));
	if (memory_read(rq->notif.pid, addr, &mh, sizeof(mh)) == -1)
		return (errno);
	len = mh.msg_name == NULL ? 0 : (int)mh.msg_namelen;
	if (len < 0)
		return (EINVAL);
	/* The kernel cuts here what it refuses elsewhere. */
	if (len > (int)sizeof(m->name.addr))
		len = sizeof(m->name.addr);
	if (len > 0 && (error = message_name(rq, m, (uintptr_t)mh.msg_name,
	    len)) != 0)
		return (error);
	if ((error = message_vector(rq, m, &mh)) != 0)
		return (error);
	return (message_control(rq, m, &mh));
}

/* Duplicates of the descriptors in one control message. */
static int
message_descriptors(const struct request *rq, struct message *m,
    const struct ancillary *a)
{
	size_t	 i, n = a->len / sizeof(int);
	int	 fd, number;

	if (n > MESSAGE_FDS_MAX - m->nfds)
		return (EINVAL);
	if (m->fds == NULL && (m->fds = reallocarray(NULL, MESSAGE_FDS_MAX,
	    sizeof(*m->fds))) == NULL)
		return (ENOMEM);
	for (i = 0; i < n; i++) {
		memcpy(&number, a->data + i * sizeof(int), sizeof(int));
		if ((fd = task_fd(rq->notif.pid, number)) == -1)
			return (errno);
		m->fds[m->nfds++] = fd;
	}
	return (0);
}

/* All of them in one message, as the kernel would gather them. */
static int
message_gather(struct message *m)
{
	struct cmsghdr	 hdr;
	char		*control;
	size_t		 len = CMSG_SPACE(m->nfds * sizeof(int));

	free(m->control);
	m->control = NULL;
	m->controllen = 0;
	if (m->nfds == 0)
		return (0);
	if ((control = calloc(1, len)) == NULL)
		return (ENOBUFS);
	memset(&hdr, 0, sizeof(hdr));
	hdr.cmsg_len = CMSG_LEN(m->nfds * sizeof(int));
	hdr.cmsg_level = SOL_SOCKET;
	hdr.cmsg_type = SCM_RIGHTS;
	memcpy(control, &hdr, sizeof(hdr));
	memcpy(control + CMSG_LEN(0), m->fds, m->nfds * sizeof(int));
	m->control = control;
	m->controllen = len;
	return (0);
}

int
message_rights(const struct request *rq, struct message *m)
{
	struct ancillary	 a;
	int			 error, ret;

	ancillary_begin(&a, m->control, m->controllen);
	while ((ret = ancillary_next(&a)) == 1) {
		/* What a local socket has no ear for. */
		if (a.level != SOL_SOCKET)
			continue;
		switch (a.type) {
		case SCM_RIGHTS:
			if ((error = message_descriptors(rq, m, &a)) != 0)
				return (error);
			break;
		case SCM_CREDENTIALS:
			/* The caller's cannot be sent by another process. */
			return (a.len == sizeof(struct ucred) ? EPERM :
			    EINVAL);
		default:
			return (EINVAL);
		}
	}
	return (ret == -1 ? EINVAL : message_gather(m));
}

ssize_t
message_copy(const struct request *rq, const struct message *m, void *buf,
    size_t size)
{
	static struct iovec	 from[IOV_MAX];
	struct iovec		 to = { buf, 0 };
	uint64_t		 skip = m->done;
	size_t			 i, len, n = 0;
	ssize_t			 got;

	for (i = 0; i < m->niov && to.iov_len < size; i++) {
		len = m->iov[i].iov_len;
		if (skip >= len) {
			skip -= len;
			continue;
		}
		len -= skip;
		if (len > size - to.iov_len)
			len = size - to.iov_len;
		from[n].iov_base = (char *)m->iov[i].iov_base + skip;
		from[n++].iov_len = len;
		to.iov_len += len;
		skip = 0;
	}
	if (n == 0)
		return (0);
	got = process_vm_readv(rq->notif.pid, &to, 1, from, n, 0);
	if (got == 0) {
		errno = EFAULT;
		return (-1);
	}
	return (got);
}

void
message_free(struct message *m)
{
	size_t	 i;

	for (i = 0; i < m->nfds; i++)
		close(m->fds[i]);
	free(m->fds);
	free(m->control);
	if (m->iov != &m->one)
		free(m->iov);
	memset(m, 0, sizeof(*m));
}
