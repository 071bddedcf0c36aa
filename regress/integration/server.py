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

"""A server that writes its port (or "ready") to the file NAME and appends a
byte to NAME.hits for each connection: server.py NAME ADDRESS, where the address
is of IPv4, of IPv6, a path, or "@name" in the abstract name space."""

import os
import socket
import struct
import sys
import threading


def serve(conn, peercred):
    try:
        if peercred:
            cred = conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            conn.sendall(b'%d %d %d' % struct.unpack('iii', cred))
        else:
            data = conn.recv(4096)
            if data.startswith(b'GET'):
                conn.sendall(b'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\n'
                             b'hello\n')
            else:
                conn.sendall(data)
        conn.close()
    except OSError:
        pass


def main():
    name, address = sys.argv[1:3]
    if address[0] == '/':
        s = socket.socket(socket.AF_UNIX)
        s.bind(address)
    elif address[0] == '@':
        s = socket.socket(socket.AF_UNIX)
        s.bind('\0' + address[1:])
    else:
        s = socket.socket(socket.AF_INET6 if ':' in address
                          else socket.AF_INET)
        s.bind((address, 0))
    s.listen(1024)
    hits = os.open(name + '.hits', os.O_WRONLY | os.O_APPEND)
    unix = address[0] in '/@'
    with open(name + '.new', 'w') as f:
        f.write('ready\n' if unix else '%d\n' % s.getsockname()[1])
    os.rename(name + '.new', name)
    while True:
        conn, _ = s.accept()
        os.write(hits, b'x')
        threading.Thread(target=serve, args=(conn, unix),
                         daemon=True).start()


main()
