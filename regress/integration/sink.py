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

"""A receiver that writes its port (or "ready") to the file NAME and appends a
byte to NAME.hits for each datagram, or connection: sink.py NAME KIND ADDRESS
[PORT], where the kind is udp, tcp, unix (a stream) or log (datagrams at a
path), with the last datagram or message in NAME.last.  UDP is sent back; of a
stream everything is read, and for each descriptor that comes with it an "x" is
written to that."""

import array
import os
import socket
import sys
import threading

KINDS = {'udp': socket.SOCK_DGRAM, 'log': socket.SOCK_DGRAM,
         'tcp': socket.SOCK_STREAM, 'unix': socket.SOCK_STREAM}


def descriptors(ancillary):
    fds = array.array('i')
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
    for fd in fds:
        try:
            os.write(fd, b'x')
        except OSError:
            pass
        os.close(fd)


def read_all(conn, unix):
    try:
        while True:
            if unix:
                data, ancillary, _, _ = conn.recvmsg(65536, 2000)
                descriptors(ancillary)
            else:
                data = conn.recv(65536)
            if not data:
                return
    except OSError:
        pass


def main():
    name, kind, address = sys.argv[1:4]
    unix = kind in ('unix', 'log')
    s = socket.socket(socket.AF_UNIX if unix else socket.AF_INET6
                      if ':' in address else socket.AF_INET, KINDS[kind])
    if not unix and ':' in address:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(address if unix else
           (address, int(sys.argv[4]) if len(sys.argv) > 4 else 0))
    stream = KINDS[kind] == socket.SOCK_STREAM
    if stream:
        s.listen(1024)
    hits = os.open(name + '.hits', os.O_WRONLY | os.O_APPEND)
    with open(name + '.new', 'w') as f:
        f.write('ready\n' if unix else '%d\n' % s.getsockname()[1])
    os.rename(name + '.new', name)
    while True:
        if stream:
            conn, _ = s.accept()
            os.write(hits, b'x')
            threading.Thread(target=read_all, args=(conn, unix),
                             daemon=True).start()
            continue
        data, ancillary, _, peer = s.recvmsg(1000000, 2000)
        descriptors(ancillary)
        with open(name + '.last', 'wb') as f:
            f.write(data)
        os.write(hits, b'x')
        if kind == 'udp':
            try:
                s.sendto(data, peer)
            except OSError:
                pass


main()
