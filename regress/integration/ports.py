# Copyright (c) 2026 The sandlock authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.
#
# THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
# WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
# MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
# ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
# WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
# ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
# OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.

"""What a program sees of its ports: ports.py TEST PORT.  Each test prints "ok",
or fails with a traceback."""

import errno
import fcntl
import os
import signal
import socket
import struct
import sys
import threading
import time

PORT = int(sys.argv[2])
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
IPV4, IPV6 = socket.AF_INET, socket.AF_INET6


def bound(family, kind, host, *options, port=PORT):
    s = socket.socket(family, kind)
    for level, name, value in options:
        s.setsockopt(level, name, value)
    s.bind((host, port))
    assert s.getsockname()[:2] == (host, port), s.getsockname()
    return s


def talk(server, client, port=PORT):
    """A connection to the server: what each side sees."""
    conn, peer = server.accept()
    assert conn.getsockname()[1] == port, conn.getsockname()
    assert client.getpeername()[1] == port, client.getpeername()
    assert peer == conn.getpeername(), peer
    assert peer[1] == client.getsockname()[1], peer
    conn.sendall(b'mine')
    assert client.recv(10) == b'mine'
    conn.close()
    client.close()


def refused(call, *args):
    try:
        call(*args)
    except OSError as e:
        return e.errno
    return 0


def tcp():
    for family, host in ((IPV4, '127.0.0.1'), (IPV6, '::1'),
                         (IPV4, '0.0.0.0'), (IPV6, '::')):
        s = bound(family, TCP, host)
        s.listen(5)
        for to in ('127.0.0.1', '0.0.0.0') if family == IPV4 else \
                ('::1', '::') if host == '::1' else \
                ('::1', '::ffff:127.0.0.1', '127.0.0.1'):
            c = socket.create_connection((to, PORT))
            talk(s, c)
        # Not twice.
        other = socket.socket(family, TCP)
        assert refused(other.bind, (host, PORT)) == errno.EADDRINUSE
        s.close()


def clients():
    """A client with a port of its own, in each way to accept."""
    s = bound(IPV4, TCP, '127.0.0.1')
    s.listen(5)
    where = ('127.0.0.2', PORT)
    reuse = (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for wait in False, True:
        c = bound(IPV4, TCP, where[0], reuse)

        def go():
            time.sleep(0.3 if wait else 0)
            c.connect(('127.0.0.1', PORT))
        t = threading.Thread(target=go)
        t.start()
        if not wait:
            t.join()
        conn, peer = s.accept()
        t.join()
        assert peer == conn.getpeername() == c.getsockname() == where, peer
        # The side that closes first keeps the port for a while.
        conn.close()
        c.recv(1)
        c.close()
    s.setblocking(False)
    assert refused(s.accept) == errno.EAGAIN
    s.settimeout(0.2)
    try:
        s.accept()
        assert False
    except TimeoutError:
        pass
    # Nothing may be left behind.
    s.setblocking(True)
    assert not fcntl.fcntl(s, fcntl.F_GETFL) & os.O_NONBLOCK
    waits(s.accept)


class Alarm(Exception):
    pass


def raises(*args):
    raise Alarm


def waits(call, *args):
    """A signal ends a call that waits."""
    signal.signal(signal.SIGALRM, raises)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    start = time.monotonic()
    try:
        call(*args)
        assert False
    except Alarm:
        assert 0.1 < time.monotonic() - start < 5


def udp():
    for family, host, to in ((IPV4, '127.0.0.1', '127.0.0.1'),
                             (IPV6, '::1', '::1'),
                             (IPV4, '0.0.0.0', '127.0.0.1'),
                             (IPV6, '::', '::ffff:127.0.0.1')):
        s = bound(family, UDP, host)
        c = socket.socket(family, UDP)
        c.bind((host, 0))
        there = (to, c.getsockname()[1])
        s.sendto(b'datagram', there)
        data, source = c.recvfrom(100)
        assert (data, source[:2]) == (b'datagram', (to, PORT)), source
        s.sendto(b'datagram', there)
        data, anc, flags, source = c.recvmsg(4, 100)
        assert (data, source[:2]) == (b'data', (to, PORT)), source
        assert flags == socket.MSG_TRUNC
        s.sendto(b'datagram', there)
        for flags in socket.MSG_PEEK, 0:
            bufs = [bytearray(3), bytearray(50)]
            n, anc, _, source = c.recvmsg_into(bufs, 0, flags)
            assert n == 8 and bytes(bufs[0] + bufs[1][:5]) == b'datagram'
            assert source[:2] == (to, PORT), source
        assert refused(c.recvfrom, 10, socket.MSG_DONTWAIT) == errno.EAGAIN
        threading.Timer(0.2, s.sendto, (b'late', there)).start()
        assert c.recvfrom(100)[1][:2] == (to, PORT)
        waits(c.recvfrom, 100)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                     struct.pack('ll', 0, 200000))
        assert refused(c.recvfrom, 100) == errno.EAGAIN
        # Of others nothing changes.
        other = socket.socket(family, UDP)
        other.sendto(b'x', there)
        assert c.recvfrom(100)[1][1] == other.getsockname()[1] != PORT
        # The largest.
        big = os.urandom(65507 if family == IPV4 else 65000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.sendto(big, there)
        assert c.recvfrom(65536)[0] == big
        s.close()


def handed(s):
    """Through a message."""
    a, b = socket.socketpair()
    socket.send_fds(a, [b'x'], [s.fileno()])
    s.close()
    _, fds, _, _ = socket.recv_fds(b, 1, 1)
    return socket.socket(fileno=fds[0])


def descriptors():
    """Listeners that other descriptors and processes have."""
    s = bound(IPV4, TCP, '127.0.0.1')
    s.listen(5)
    d = s.dup()
    s.close()
    assert d.getsockname() == ('127.0.0.1', PORT)
    d = handed(d)
    assert d.getsockname() == ('127.0.0.1', PORT)
    r, w = os.pipe()
    if os.fork() == 0:
        conn, peer = d.accept()
        os.write(w, repr((conn.getsockname(), peer)).encode())
        conn.sendall(b'child')
        os._exit(0)
    d.close()
    c = socket.create_connection(('127.0.0.1', PORT))
    assert c.recv(10) == b'child'
    assert os.read(r, 100).decode() == repr((('127.0.0.1', PORT),
                                             c.getsockname()))
    os.wait()
    # The last one is closed; the host's is there again.
    c = socket.create_connection(('127.0.0.1', PORT))
    c.sendall(b'host')
    assert c.recv(10) == b'host'
    s = bound(IPV4, TCP, '127.0.0.1')
    s.listen(5)
    talk(s, socket.create_connection(('127.0.0.1', PORT)))


def connections():
    """Those of a listener that is closed keep their names."""
    s = bound(IPV4, TCP, '127.0.0.1')
    s.listen(5)
    c = socket.create_connection(('127.0.0.1', PORT))
    conn, _ = s.accept()
    s.close()
    assert conn.getsockname() == c.getpeername() == ('127.0.0.1', PORT)
    s = bound(IPV4, TCP, '127.0.0.1', (socket.SOL_SOCKET,
                                       socket.SO_REUSEADDR, 1))
    s.listen(5)
    assert conn.getsockname() == c.getpeername() == ('127.0.0.1', PORT)
    talk(s, socket.create_connection(('127.0.0.1', PORT)))


def reuseport():
    """Workers with a listener each."""
    option = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    workers = [bound(IPV4, TCP, '127.0.0.1', option) for i in range(4)]
    for s in workers:
        s.listen(64)
        s.setblocking(False)
    conns = [socket.create_connection(('127.0.0.1', PORT))
             for i in range(64)]
    got = [0] * 4
    for i, s in enumerate(workers):
        while refused(lambda: s.accept()[0].close()) == 0:
            got[i] += 1
    assert sum(got) == len(conns) and min(got) > 0, got


def names():
    """What a name is written into, as the kernel does."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    s = bound(IPV4, TCP, '127.0.0.1')
    addr = socket.inet_aton('127.0.0.1')
    whole = struct.pack('=H', IPV4) + struct.pack('>H', PORT) + addr + b'\0' * 8
    for room in 0, 1, 2, 3, 4, 8, 15, 16, 17, 100:
        buf = ctypes.create_string_buffer(b'\xff' * 128, 128)
        size = ctypes.c_int(room)
        assert libc.getsockname(s.fileno(), buf, ctypes.byref(size)) == 0
        assert size.value == 16
        n = min(room, 16)
        assert buf.raw == whole[:n] + b'\xff' * (128 - n), (room, buf.raw)
    size = ctypes.c_int(-1)
    assert libc.getsockname(s.fileno(), buf, ctypes.byref(size)) == -1
    assert ctypes.get_errno() == errno.EINVAL
    size = ctypes.c_int(16)
    for args in ((buf, None), (None, ctypes.byref(size)),
                 (ctypes.c_void_p(1), ctypes.byref(size))):
        assert libc.getsockname(s.fileno(), *args) == -1
        assert ctypes.get_errno() == errno.EFAULT
    assert refused(s.getpeername) == errno.ENOTCONN
    assert libc.getsockname(999, buf, ctypes.byref(size)) == -1
    assert ctypes.get_errno() == errno.EBADF
    assert libc.getsockname(0, buf, ctypes.byref(size)) == -1
    assert ctypes.get_errno() == errno.ENOTSOCK


def unix():
    """Names of files are as before; in a view they are the branch's."""
    os.umask(0o027)
    cwd = os.getcwd()
    os.mkdir('d')
    for name, there in (('s', 's'), (cwd + '/d/t', 'd/t'), ('d/../u', 'u')):
        s = socket.socket(socket.AF_UNIX)
        s.bind(name)
        assert PORT == 1 or s.getsockname() == name, s.getsockname()
        assert os.stat(there).st_mode & 0o777 == 0o750
        s.listen(1)
        c = socket.socket(socket.AF_UNIX)
        c.connect(name)
        assert c.getpeername() == s.accept()[0].getsockname()
        s = socket.socket(socket.AF_UNIX)
        assert refused(s.bind, name) == errno.EADDRINUSE
    os.chdir('d')
    s = socket.socket(socket.AF_UNIX)
    s.bind('../v')
    assert PORT == 1 or s.getsockname() == '../v'
    assert os.path.exists(cwd + '/v')
    for name in '\0sandlock-ports-%d' % os.getpid(), '':
        s = socket.socket(socket.AF_UNIX)
        s.bind(name)
        assert len(s.getsockname()) == (len(name) or 6)
        assert name == '' or refused(s.bind, name) == errno.EINVAL
    s = socket.socket(socket.AF_UNIX)
    assert refused(s.bind, 'missing/x') == errno.ENOENT
    assert refused(s.bind, '/usr/sandlock-ports') == errno.EACCES
    assert not os.path.exists('/usr/sandlock-ports')
    assert refused(s.bind, '../s/x') == errno.ENOTDIR
    os.symlink('nowhere', 'link')
    assert refused(s.bind, 'link') == errno.EADDRINUSE


globals()[sys.argv[1]]()
print('ok')
