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


"""Ports that several sockets share: share.py owner OPTION PORT, share.py taker
OPTION PORT HOW, share.py links OPTION PORT [hold], or share.py options."""

import ctypes
import errno
import os
import socket
import sys
import time

OPTIONS = {'addr': socket.SO_REUSEADDR, 'port': socket.SO_REUSEPORT}
libc = ctypes.CDLL(None, use_errno=True)


def sharing(option, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, OPTIONS[option], 1)
    return s


def owner(option, port):
    """Has the port until there is a file end; whether all came that is sent."""
    s = sharing(option)
    s.bind(('0.0.0.0', int(port)))
    s.settimeout(10)
    open('ready', 'w').close()
    while not os.path.exists('end'):
        time.sleep(0.02)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        for _ in range(20):
            c.sendto(b'x', ('127.0.0.1', int(port)))
    print('owner', [s.recv(9) for _ in range(20)] == 20 * [b'x'])


def take(s, how):
    try:
        if how == 'write':
            os.write(s.fileno(), b'x')
        elif how == 'connect':
            s.connect(('127.0.0.1', 9))
        elif how == 'mute':
            s.connect(('127.0.0.1', 65535))
        else:
            s.sendto(b'x', ('127.0.0.1', 9))
    except OSError as e:
        if e.errno != errno.EDESTADDRREQ:
            return errno.errorcode[e.errno]
    return s.getsockname()[1]


def taker(option, port, how):
    seen = set()
    for _ in range(400):
        with sharing(option) as s:
            seen.add(take(s, how))
            if int(port) in seen:
                break
    print('shared' if int(port) in seen else 'never',
          'some' if any(isinstance(x, int) and x for x in seen) else
          ' '.join(map(str, seen)))
    open('end', 'w').close()


def links(option, port, hold=None):
    """The same address on two interfaces; the second one somebody holds."""
    kept = []
    for name in (['two'] if hold else ['one', 'two']):
        s = sharing(option, socket.AF_INET6)
        kept.append(s)
        try:
            s.bind(('fe80::1', int(port), 0, int(os.environ[name])))
            print(name, 'bound')
        except OSError as e:
            print(name, errno.errorcode[e.errno])
    open('ready' if hold else 'end', 'w').close()
    while not os.path.exists('end'):
        time.sleep(0.02)


def options():
    """What the two calls say of anything."""
    on, file = ctypes.c_int(256), open('/dev/null')
    pair = socket.socketpair()
    for name in OPTIONS.values():
        fds = [('udp', socket.socket(type=socket.SOCK_DGRAM)),
               ('udp6', socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)),
               ('tcp', socket.socket()), ('pair', pair[0]), ('file', file)]
        for what, f in fds:
            for size, at in ((4, ctypes.addressof(on)),
                             (8, ctypes.addressof(on)), (4, 1), (4, None),
                             (3, ctypes.addressof(on)), (0, None),
                             (-1, ctypes.addressof(on))):
                ret = libc.setsockopt(f.fileno(), 1, name,
                                      ctypes.c_void_p(at), size)
                print(what, name, size, at and at > 1,
                      ret and errno.errorcode[ctypes.get_errno()])
                if what != 'file':
                    print(f.getsockopt(1, name))
                    if size == 8:
                        libc.setsockopt(f.fileno(), 1, name,
                                        ctypes.byref(ctypes.c_int(0)), 4)
                        print(f.getsockopt(1, name))
        for fd in (-1, 999):
            ret = libc.setsockopt(fd, 1, name, ctypes.byref(on), 4)
            print(fd, ret and errno.errorcode[ctypes.get_errno()])


sys.stdout.reconfigure(line_buffering=True)
{'owner': owner, 'taker': taker, 'links': links,
 'options': options}[sys.argv[1]](*sys.argv[2:])
