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

"""Attacks on rules of the network, one line each with what came of it:
net_attacks.py GRANTED DENIED.  127.0.0.1 and [::] answer at the port GRANTED,
by TCP and UDP, and so does every other address of this host; the rules are for
127.0.0.1, ::1 and, as ::/0 and without a host in it, whatever is IPv6."""

import array
import ctypes
import errno
import os
import socket
import struct
import sys

granted, denied = map(int, sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)

HERE = ('127.0.0.1', granted)
OTHER = ('127.0.0.2', granted)
PORT = ('127.0.0.1', denied)

MSG_FASTOPEN = 0x20000000
UDP_SEGMENT = 103
SOL_UDP = 17


def sock(kind=socket.SOCK_DGRAM, family=socket.AF_INET):
    s = socket.socket(family, kind)
    s.settimeout(10)
    return s


def say(name, call):
    try:
        answer = call()
        answer = 'ok' if answer is None else answer
    except OSError as e:
        answer = errno.errorcode[e.errno] if e.errno else str(e)
    print('%s: %s' % (name, answer))


def tcp(address, family=socket.AF_INET):
    s = sock(socket.SOCK_STREAM, family)
    s.connect(address)
    s.sendall(b'x')


def udp(address, family=socket.AF_INET, echo=True):
    """To be sent back, unless nobody is there who would."""
    s = sock(family=family)
    s.sendto(b'x', address)
    if echo:
        s.recv(10)


def forms():
    for form in ('127.0.0.1', '127.0.0.2', '0.0.0.0', '127.1', '127.255.0.1'):
        say('tcp ' + form, lambda: tcp((socket.inet_ntoa(
            socket.inet_aton(form)), granted)))
        say('udp ' + form, lambda: udp((socket.inet_ntoa(
            socket.inet_aton(form)), granted)))
    for form in ('::1', '::', '::ffff:127.0.0.1', '::ffff:127.0.0.2',
                 '::ffff:0.0.0.0', '::127.0.0.2', '64:ff9b::127.0.0.2',
                 '64:ff9b::127.0.0.1', '2002:7f00:2::1', '2002:7f00:1::1',
                 '2001:db8::1'):
        say('tcp ' + form, lambda: tcp((form, granted), socket.AF_INET6))
        say('udp ' + form, lambda: udp((form, granted), socket.AF_INET6))
    say('link tcp', lambda: tcp(('fe80::1', granted, 0, 1), socket.AF_INET6))
    say('broadcast', lambda: udp(('255.255.255.255', granted), echo=False))
    say('net broadcast', broadcast)
    say('multicast', lambda: udp(('224.0.0.1', granted), echo=False))
    say('port tcp', lambda: tcp(PORT))
    say('port udp', lambda: udp(PORT))


def broadcast():
    s = sock()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.sendto(b'x', ('127.255.255.255', granted))


def lengths():
    """connect(2) with an address as long as it should not be."""
    for length in (-2 ** 31, -1, 0, 1, 2, 15, 16, 27, 28, 128, 129,
                   2 ** 31 - 1):
        for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            say('length %d %d' % (kind, length), lambda: raw(kind, length))
    for family in 0, 1, 10, 16, 99:
        for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            say('family %d %d' % (kind, family),
                lambda: raw(kind, 16, family))


def raw(kind, length, family=2):
    s = sock(kind)
    # Both ways, so that a refusal of one is no success of the other.
    s.setblocking(True)
    address = struct.pack('=HH4s120x', family, socket.htons(granted),
                          socket.inet_aton('127.0.0.1'))
    if libc.connect(s.fileno(), address, ctypes.c_int(length)) == -1:
        raise OSError(ctypes.get_errno(), 'connect')


def fast_open():
    s = sock(socket.SOCK_STREAM)
    s.sendto(b'x', MSG_FASTOPEN, PORT)


def fast_open_connect(address):
    s = sock(socket.SOCK_STREAM)
    s.setsockopt(socket.IPPROTO_TCP, 30, 1)
    s.connect(address)
    s.send(b'x')


def elsewhere():
    """A socket that is connected, and an address."""
    s = sock()
    s.connect(HERE)
    s.send(b'x')
    s.sendto(b'x', PORT)


def unconnected():
    s = sock()
    s.connect(HERE)
    libc.connect(s.fileno(), b'\0' * 16, 16)
    s.sendto(b'x', PORT)


def no_family():
    s = sock()
    if libc.sendto(s.fileno(), b'x', 1, 0, struct.pack(
            '=HH4s8x', 0, socket.htons(denied),
            socket.inet_aton('127.0.0.1')), 16) == -1:
        raise OSError(ctypes.get_errno(), 'sendto')


def four_by_six():
    """An address of IPv4 as it is, by a socket of IPv6."""
    s = sock(family=socket.AF_INET6)
    if libc.sendto(s.fileno(), b'x', 1, 0, struct.pack(
            '=HH4s8x', 2, socket.htons(denied),
            socket.inet_aton('127.0.0.1')), 16) == -1:
        raise OSError(ctypes.get_errno(), 'sendto')


def corked(address):
    s = sock()
    s.setsockopt(SOL_UDP, 1, 1)
    s.sendto(b'x', HERE)
    s.sendto(b'y', address)
    s.setsockopt(SOL_UDP, 1, 0)


class Iov(ctypes.Structure):
    _fields_ = [('base', ctypes.c_char_p), ('len', ctypes.c_size_t)]


class Mmsg(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('namelen', ctypes.c_uint),
                ('iov', ctypes.POINTER(Iov)), ('iovlen', ctypes.c_size_t),
                ('control', ctypes.c_void_p), ('controllen', ctypes.c_size_t),
                ('flags', ctypes.c_size_t), ('sent', ctypes.c_size_t)]


def several(ports):
    """How many of them went out, and how much of each."""
    s = sock()
    messages = (Mmsg * len(ports))()
    for m, port in zip(messages, ports):
        m.name = ctypes.create_string_buffer(struct.pack(
            '=HH4s8x', 2, socket.htons(port),
            socket.inet_aton('127.0.0.1'))).raw
        m.namelen = 16
        m.iov = ctypes.pointer(Iov(b'abc', 3))
        m.iovlen = 1
        m.sent = 77
    n = libc.sendmmsg(s.fileno(), messages, len(ports), 0)
    if n == -1:
        raise OSError(ctypes.get_errno(), 'sendmmsg')
    return '%d of %s' % (n, ' '.join(str(m.sent) for m in messages))


def control(level, kind, data, address=HERE, family=socket.AF_INET):
    s = sock(family=family)
    s.sendmsg([b'x' * 4], [(level, kind, data)], 0, address)


def segments():
    s = sock()
    s.connect(HERE)
    s.sendmsg([b'x' * 40], [(SOL_UDP, UDP_SEGMENT, struct.pack('H', 10))])
    return len([s.recv(100) for _ in range(4)])


def controls():
    here4 = socket.inet_aton('127.0.0.1')
    say('pktinfo', lambda: control(0, 8, struct.pack('i4s4s', 0, here4,
                                                     here4)))
    say('ttl', lambda: control(0, 2, struct.pack('i', 9)))
    say('tos', lambda: control(0, 1, struct.pack('i', 8)))
    # The record of a route, which the first hosts on it would fill in.
    say('retopts', lambda: control(0, 7, bytes([7, 7, 4, 0, 0, 0, 0, 0])))
    say('hoplimit', lambda: control(41, 52, struct.pack('i', 9),
                                    ('::1', granted), socket.AF_INET6))
    say('rthdr', lambda: control(41, 57, bytes(24), ('::1', granted),
                                 socket.AF_INET6))
    say('mark', lambda: control(1, 36, struct.pack('i', 1)))
    say('denied pktinfo', lambda: control(
        0, 8, struct.pack('i4s4s', 0, here4, here4), PORT))
    say('segments', segments)
    say('denied segments', lambda: control(
        SOL_UDP, UDP_SEGMENT, struct.pack('H', 2), PORT))


def rights():
    """Descriptors that are the caller's go, and nobody's identity."""
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pipes = [os.pipe() for _ in range(3)]
    fds = array.array('i', [w for _, w in pipes])
    a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    _, ancillary, _, _ = b.recvmsg(1, 1000)
    got = array.array('i')
    got.frombytes(ancillary[0][2])
    for i, fd in enumerate(got):
        os.write(fd, b'%d' % i)
    return ''.join(os.read(r, 1).decode() for r, _ in pipes)


def scm(kind, data):
    a, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    a.sendmsg([b'x'], [(socket.SOL_SOCKET, kind, data)])


def calls():
    say('fast open', fast_open)
    say('fast open connect', lambda: fast_open_connect(HERE))
    say('denied fast open connect', lambda: fast_open_connect(PORT))
    say('elsewhere', elsewhere)
    say('unconnected', unconnected)
    say('no family', no_family)
    say('four by six', four_by_six)
    say('corked', lambda: corked(HERE))
    say('denied corked', lambda: corked(PORT))
    say('several', lambda: several([granted] * 3))
    say('second denied', lambda: several([granted, denied, granted]))
    say('first denied', lambda: several([denied, granted]))
    controls()
    say('rights', rights)
    say('credentials', lambda: scm(2, struct.pack(
        'iii', os.getpid(), os.getuid(), os.getgid())))
    say('pidfd', lambda: scm(4, struct.pack('i', 0)))
    say('bad rights', lambda: scm(socket.SCM_RIGHTS, struct.pack('i', 999)))


sys.stdout.reconfigure(line_buffering=True)
forms()
lengths()
calls()
