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

"""Route netlink sockets and interface ioctls as a program sees them, a line for
each: links.py sockets, connects, misuse, ioctls or agree."""

import array
import ctypes
import errno
import fcntl
import os
import socket
import struct
import sys
import threading
import time

LINK, ADDR, ROUTE, NEIGH = 18, 22, 26, 30
DUMP, ACK, REQUEST = 0x300, 4, 1
SOL_NETLINK = 270
TYPES = {2: 'error', 3: 'done', 16: 'link', 20: 'addr', 24: 'route'}


def route(kind=socket.SOCK_RAW):
    s = socket.socket(socket.AF_NETLINK, kind, 0)
    return s


def request(what, flags, body=bytes(16), size=None, seq=7):
    size = 16 + len(body) if size is None else size
    return struct.pack('=IHHII', size, what, flags, seq, 0) + body


def parse(m):
    out = []
    while len(m) >= 16:
        size, what, _, seq, port = struct.unpack('=IHHII', m[:16])
        word = TYPES.get(what, str(what))
        if what == 2:
            code = -struct.unpack('=i', m[16:20])[0]
            word = errno.errorcode[code] if code else 'ack'
        out.append(word if seq == 7 else '%s:%d' % (word, seq))
        m = m[(size + 3) & ~3:]
    return ' '.join(out)


def ask(m, s=None, answers=1):
    s = s or route()
    s.settimeout(20)
    s.send(m)
    return ', '.join(parse(s.recv(65536)) for _ in range(answers))


def silent(m):
    """What is asked for afterwards comes first if this has no answer."""
    s = route()
    s.settimeout(20)
    s.send(m)
    s.send(request(LINK, REQUEST, struct.pack('=BxHiII', 0, 0, 1, 0, 0),
                   seq=9))
    return parse(s.recv(65536)) == 'link:9'


def tell(what, function):
    try:
        answer = function()
    except OSError as e:
        answer = errno.errorcode[e.errno]
    print(what, answer, flush=True)


def child(function):
    pid = os.fork()
    if pid == 0:
        function()
        os._exit(0)
    os.waitpid(pid, 0)


def sockets():
    s = route()
    s.bind((0, 0))
    print('port', s.getsockname() == (os.getpid(), 0))
    other = route()
    other.bind((0, 0))
    print('another', other.getsockname()[0] not in (0, os.getpid()))
    tell('taken', lambda: route().bind(other.getsockname()))
    third = route()
    tell('chosen', lambda: third.bind((4711, 0)) or third.getsockname())
    tell('bound', lambda: third.bind((4712, 0)))
    third.send(request(LINK, REQUEST, struct.pack('=BxHiII', 0, 0, 1, 0, 0)))
    print('to', struct.unpack('=I', third.recv(65536)[12:16])[0])
    for name, level, option in (('domain', socket.SOL_SOCKET, 39),
                                ('type', socket.SOL_SOCKET, 3),
                                ('protocol', socket.SOL_SOCKET, 38)):
        tell(name, lambda: s.getsockopt(level, option))
    tell('dgram', lambda: route(socket.SOCK_DGRAM).getsockopt(1, 3))
    for name, option, value in (('join', 1, 1), ('join-none', 1, 0),
                                ('leave', 2, 1), ('ext-ack', 11, 1),
                                ('strict', 12, 1), ('unknown', 99, 1)):
        tell(name, lambda: s.setsockopt(SOL_NETLINK, option, value))
    tell('buffer', lambda: s.setsockopt(1, socket.SO_RCVBUF, 32768))
    lo = struct.pack('=BxHiII', 0, 0, 1, 0, 0)
    tell('sendto', lambda: s.sendto(request(LINK, REQUEST, lo), (0, 0)))
    tell('answer', lambda: parse(s.recv(65536)))
    tell('sendmsg', lambda: s.sendmsg([request(LINK, REQUEST, lo)], [], 0,
                                      (0, 0)))
    tell('recvmsg', lambda: parse(s.recvmsg(65536)[0]))
    tell('nonblock', lambda: route(socket.SOCK_RAW | socket.SOCK_NONBLOCK)
         .recv(1))
    for name, m in (('link', request(LINK, REQUEST, lo)),
                    ('no-link', request(LINK, REQUEST, struct.pack(
                        '=BxHiII', 0, 0, 9999, 0, 0))),
                    ('ack', request(LINK, REQUEST | ACK, lo)),
                    ('noop', request(1, REQUEST | ACK, b'')),
                    ('unknown', request(999, REQUEST))):
        tell(name, lambda: ask(m, answers=2 if name == 'ack' else 1))
    for name, m in (('noop-quiet', request(1, REQUEST, b'')),
                    ('no-request', request(LINK, DUMP)),
                    ('short', request(LINK, REQUEST | DUMP, b'', 15)),
                    ('zero', request(LINK, REQUEST | DUMP, size=0)),
                    ('beyond', request(LINK, REQUEST | DUMP, size=400)),
                    ('large', request(LINK, REQUEST | DUMP,
                                      size=0xffffffff)),
                    ('tiny', b'x')):
        tell(name, lambda: silent(m))
    again = s.dup()
    print('dup', again.getsockname() == s.getsockname(),
          ask(request(LINK, REQUEST, lo), again))
    child(lambda: print('fork', s.getsockname()[0] == os.getppid(),
                        ask(request(LINK, REQUEST, lo), s), flush=True))
    a, b = socket.socketpair()
    socket.send_fds(a, [b'x'], [s.fileno()])
    passed = socket.socket(fileno=socket.recv_fds(b, 1, 1)[1][0])
    print('passed', passed.family == socket.AF_NETLINK,
          passed.getsockname() == s.getsockname(),
          ask(request(LINK, REQUEST, lo), passed))


def connects():
    """Of sockets that lead nowhere outside: of the kernel's, and of pairs."""
    libc = ctypes.CDLL(None, use_errno=True)
    for what, addr in (
            ('kernel', struct.pack('=HHII', 16, 0, 0, 0)),
            ('another', struct.pack('=HHII', 16, 0, 1, 0)),
            ('group', struct.pack('=HHII', 16, 0, 0, 1)),
            ('none', struct.pack('=HHII', 0, 0, 0, 0)),
            ('family', struct.pack('=HHII', 2, 0, 0, 0)),
            ('short', struct.pack('=HHI', 16, 0, 0)),
            ('byte', b'\x10')):
        s = route()
        ret = libc.connect(s.fileno(), addr, len(addr))
        print(what, ret and errno.errorcode[ctypes.get_errno()])
    s = route()
    s.connect((0, 0))
    print('asked', ask(request(LINK, REQUEST, struct.pack(
        '=BxHiII', 0, 0, 1, 0, 0)), s))
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        for name in ('\0x', '/x', ''):
            pair = socket.socketpair(socket.AF_UNIX, kind)
            tell('pair %d %r' % (kind, name), lambda: pair[0].connect(name))
            pair[0].send(b'y')
            print(pair[1].recv(1))


def misuse():
    """What the sandbox alone has an answer for."""
    print('dump', ask(request(LINK, REQUEST | DUMP)))
    print('row', ask(request(LINK, REQUEST | DUMP) +
                     request(ADDR, REQUEST | DUMP, bytes(8), seq=8) +
                     request(NEIGH, REQUEST | DUMP, seq=9), answers=3))
    for what in (16, 17, 20, 21, 24, 25, 28, 36, 40, 88):
        assert ask(request(what, REQUEST | ACK)) == 'EPERM', what
    s = route()
    tell('huge', lambda: s.send(bytes(1000000)))
    tell('long', lambda: s.send(request(LINK, REQUEST | DUMP) * 4000))
    tell('empty', lambda: route().send(b''))
    s = route()
    null = os.open('/dev/null', os.O_RDWR)
    s.sendmsg([request(LINK, REQUEST | DUMP)], [
        (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [null] * 200))])
    s.settimeout(20)
    print('rights', parse(s.recv(65536)))
    # Who does not read stops himself, and nobody else.
    full, sent = route(), 0
    full.setblocking(False)
    try:
        while sent < 100000:
            full.send(request(LINK, REQUEST | DUMP) * 500)
            sent += 1
    except OSError as e:
        print('full', errno.errorcode[e.errno])
    start = time.monotonic()
    print('others', ask(request(LINK, REQUEST | DUMP)),
          time.monotonic() - start < 2)
    full.settimeout(1)
    try:
        while True:
            full.recv(65536)
    except socket.timeout:
        pass
    print('drained', ask(request(LINK, REQUEST | DUMP), full))
    held = []
    try:
        while len(held) < 2000:
            held.append(route())
    except OSError as e:
        print('most', len(held) > 100, errno.errorcode[e.errno])
    held.clear()
    while True:
        try:
            for i in range(500):
                route().close()
            break
        except OSError:
            time.sleep(0.05)
    print('again', ask(request(LINK, REQUEST | DUMP)))
    for name, protocol in (('diag', 4), ('uevent', 15), ('generic', 16),
                           ('audit', 9)):
        tell(name, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                         protocol))
    # The descriptor is another one by the time it is looked at.
    s, pair = route(), socket.socketpair()
    place, stop = s.dup().detach(), []

    def swap():
        while not stop:
            os.dup2(pair[0].fileno(), place)
            os.dup2(s.fileno(), place)
    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    for i in range(2000):
        t = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0, place)
        try:
            seen.add(t.getsockname() in (s.getsockname(), ''))
        except OSError as e:
            seen.add(errno.errorcode[e.errno])
        t.detach()
    stop.append(1)
    thread.join()
    print('swapped', seen <= {True, False, 'EBADF'})


def ioctls():
    lo, none = b'lo'.ljust(40, b'\0'), b'eth0'.ljust(40, b'\0')
    for name, s in (('inet', socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
                    ('inet6', socket.socket(socket.AF_INET6,
                                            socket.SOCK_DGRAM)),
                    ('unix', socket.socket(socket.AF_UNIX,
                                           socket.SOCK_DGRAM)),
                    ('file', open('/dev/null'))):
        for call in (0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x891d, 0x8921,
                     0x8927, 0x8933, 0x8942, 0x8970):
            for what, r in (('lo', lo), ('none', none)):
                tell('%s %x %s' % (name, call, what),
                     lambda: fcntl.ioctl(s, call, r)[16:20].hex()
                     if call != 0x8970 else fcntl.ioctl(s, call, r)[:2])
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    index = b'\0' * 16 + struct.pack('=i', 1) + b'\0' * 20
    tell('name', lambda: fcntl.ioctl(s, 0x8910, index)[:3])
    tell('bad-name', lambda: fcntl.ioctl(s, 0x8910, b'\0' * 16 +
                                         struct.pack('=i', 99) + b'\0' * 20))
    for call in (0x8913, 0x8912, 0x8933):
        tell('fault %x' % call, lambda: fcntl.ioctl(s, call, 1))
    for size in (-1, 0, 39, 40, 41, 4096):
        buf = array.array('B', bytes(4096))
        conf = struct.pack('=iiQ', size, 0, buf.buffer_info()[0])
        tell('list %d' % size, lambda: (
            struct.unpack('=i', fcntl.ioctl(s, 0x8912, conf)[:4])[0],
            bytes(buf[:2]), any(buf[40:])))
    tell('length', lambda: struct.unpack('=i', fcntl.ioctl(
        s, 0x8912, struct.pack('=iiQ', 0, 0, 0))[:4])[0])
    tell('bad-list', lambda: fcntl.ioctl(s, 0x8912,
                                         struct.pack('=iiQ', 4096, 0, 1)))


def agree():
    print('netlink', ask(request(LINK, REQUEST | DUMP)))
    print('index', socket.if_nameindex(), socket.if_nametoindex('lo'),
          socket.if_indextoname(1))
    with open('/proc/net/dev') as f:
        print('dev', [line.split(':')[0].strip() for line in f][2:])
    with open('/proc/self/net/if_inet6') as f:
        inet6 = sorted(line.split()[0] for line in f)
    m, s = [], route()
    s.send(request(ADDR, REQUEST | DUMP, struct.pack('=BBBBI', 10, 0, 0, 0, 0)))
    s.settimeout(20)
    answer = s.recv(65536)
    while len(answer) >= 16:
        size, what = struct.unpack('=IH', answer[:6])
        if what == 20:
            m.append(answer[28:44].hex())
        answer = answer[(size + 3) & ~3:]
    print('inet6', len(m), sorted(m) == inet6)
    for name in ('/proc/net/route', '/proc/thread-self/net/arp'):
        with open(name) as f:
            print(name, len(f.readlines()))
    tell('list', lambda: os.listdir('/sys/class/net'))
    os.chdir('/sys/class/net')
    tell('here', lambda: os.listdir('.'))
    path = os.open('/sys/class/net', os.O_PATH)
    tell('there', lambda: os.open('.', os.O_RDONLY, dir_fd=path))
    os.chdir('lo')
    tell('above', lambda: os.listdir('..'))
    tell('below', lambda: 'mtu' in os.listdir('.'))
    tell('lo', lambda: open('/sys/class/net/lo/mtu').read().strip())
    tell('other', lambda: open('/sys/class/net/other0/mtu').read())


{'sockets': sockets, 'connects': connects, 'misuse': misuse, 'ioctls': ioctls,
 'agree': agree}[sys.argv[1]]()
