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

"""Calls of a client, one line for each argument "KIND:ADDRESS[:PORT]" with what
came of it: client.py ARGUMENT ..."""

import errno
import socket
import sys

TYPES = {'tcp': (socket.SOCK_STREAM, 0), 'udp': (socket.SOCK_DGRAM, 0),
         'mptcp': (socket.SOCK_STREAM, 262), 'sctp': (socket.SOCK_STREAM, 132),
         'smc': (socket.SOCK_STREAM, 256), 'raw': (socket.SOCK_RAW, 1),
         'udplite': (socket.SOCK_DGRAM, 136),
         'dccp': (socket.SOCK_DCCP if hasattr(socket, 'SOCK_DCCP') else 6, 33)}


def connect(kind, rest):
    if kind in ('unix', 'unixdgram', 'unixseq'):
        family, address = socket.AF_UNIX, rest.replace('@', '\0', 1)
        kinds = {'unix': socket.SOCK_STREAM, 'unixdgram': socket.SOCK_DGRAM,
                 'unixseq': socket.SOCK_SEQPACKET}
        s = socket.socket(family, kinds[kind])
    else:
        host, port = rest.rsplit(':', 1)
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        address = (host, int(port))
        s = socket.socket(family, *TYPES[kind])
    s.settimeout(10)
    s.connect(address)
    if kind == 'unixdgram':
        s.send(b'abc')
    if kind in ('udp', 'unixdgram'):
        return 'ok'
    if family != socket.AF_UNIX:
        s.sendall(b'abc')
    return 'ok' if s.recv(100) else 'empty'


def sendto(rest):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.sendto(b'abc', rest.replace('@', '\0', 1))
    return 'ok'


def listen(kind, rest):
    s = socket.socket(socket.AF_INET6 if kind.endswith('6')
                      else socket.AF_INET)
    if rest != '-':
        s.bind(('::' if kind.endswith('6') else '127.0.0.1', int(rest)))
    s.listen(1)
    return 'ok'


def family(rest):
    socket.socket(int(rest), socket.SOCK_RAW if rest in ('16', '17')
                  else socket.SOCK_DGRAM if rest in ('29', '38', '42')
                  else socket.SOCK_STREAM)
    return 'ok'


def pair(rest):
    a, b = socket.socketpair(socket.AF_UNIX, int(rest))
    a.send(b'x')
    return 'ok' if b.recv(1) == b'x' else 'empty'


def main():
    for argument in sys.argv[1:]:
        kind, rest = argument.split(':', 1)
        try:
            if kind.startswith('listen'):
                answer = listen(kind, rest)
            elif kind == 'family':
                answer = family(rest)
            elif kind == 'pair':
                answer = pair(rest)
            elif kind == 'unixto':
                answer = sendto(rest)
            else:
                answer = connect(kind, rest)
        except OSError as e:
            answer = errno.errorcode[e.errno] if e.errno else str(e)
        print(answer)


main()
