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

"""Ask the resolver of the sandbox, with datagrams: ask.py WORD ...  Each WORD that
is NAME or NAME/TYPE prints what came; "udp:ADDRESS:PORT" prints what a connect
of a UDP socket gets, and "wait:FILE" waits for a file."""

import errno
import os
import socket
import struct
import sys
import time

SERVER = ('127.0.0.53', 53)
TYPES = {'A': 1, 'AAAA': 28, 'TXT': 16, 'MX': 15, 'HTTPS': 65, 'ANY': 255}
CODES = ['ok', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']


def wire(name):
    return b''.join(bytes([len(x)]) + x.encode('latin-1')
                    for x in name.split('.') if x) + b'\0'


def question(name, kind='A', edns=True):
    opt = b'\0' + struct.pack('>HHIH', 41, 4096, 0, 0) if edns else b''
    return (os.urandom(2) + struct.pack('>HHHHH', 0x100, 1, 0, 0, len(opt) > 0)
            + wire(name) + struct.pack('>HH', TYPES[kind], 1) + opt)


def skip(m, i):
    while m[i] and m[i] < 0xc0:
        i += m[i] + 1
    return i + (2 if m[i] else 1)


def texts(m):
    """The records of an answer, each as TYPE-or-data and time."""
    count = struct.unpack('>H', m[6:8])[0]
    i = skip(m, 12) + 4
    for _ in range(count):
        i = skip(m, i)
        kind, _, ttl, size = struct.unpack('>HHIH', m[i:i + 10])
        data = m[i + 10:i + 10 + size]
        i += 10 + size
        if kind in (1, 28):
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            yield '%s/%d' % (socket.inet_ntop(family, data), ttl)
        else:
            yield 'CNAME/%d' % ttl


def said(m):
    flags = struct.unpack('>H', m[2:4])[0]
    return ' '.join([CODES[flags & 15]] + ['truncated'] * (flags >> 9 & 1) +
                    sorted(texts(m)))


def ask(word):
    name, _, kind = word.partition('/')
    q = question(name, kind or 'A')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect(SERVER)
        for _ in range(8):
            # Datagrams may be lost where there are too many.
            s.send(q)
            try:
                m = s.recv(65536)
                break
            except socket.timeout:
                continue
    assert m[:2] == q[:2] and m[12:12 + len(wire(name))] == wire(name)
    return said(m)


def connect(address, port):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        return errno.errorcode.get(s.connect_ex((address, int(port))), 'ok')


def main():
    for word in sys.argv[1:]:
        if word.startswith('wait:'):
            while not os.path.exists(word[5:]):
                time.sleep(0.02)
        elif word.startswith('udp:'):
            print(word, connect(*word[4:].rsplit(':', 1)), flush=True)
        else:
            print(word, ask(word), flush=True)


if __name__ == '__main__':
    main()
