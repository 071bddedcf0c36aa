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

"""Answers at two ports of every address of this host, by TCP and UDP:
net_servers.py.  Both ports are in the file "ready" then; "granted.hits" and
"denied.hits" get a byte for each connection and datagram."""

import os
import socket
import threading


def serve(s, hits):
    stream = s.type == socket.SOCK_STREAM
    while True:
        if stream:
            conn, _ = s.accept()
            threading.Thread(target=drain, args=(conn,), daemon=True).start()
        else:
            data, peer = s.recvfrom(70000)
            try:
                s.sendto(data, peer)
            except OSError:
                pass
        os.write(hits, b'x')


def drain(conn):
    try:
        while conn.recv(65536):
            pass
    except OSError:
        pass
    conn.close()


def main():
    ports = []
    for name in 'granted', 'denied':
        tcp = socket.socket(socket.AF_INET6)
        tcp.bind(('::', 0))
        tcp.listen(1000)
        port = tcp.getsockname()[1]
        udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        udp.bind(('::', port))
        hits = os.open(name + '.hits', os.O_WRONLY | os.O_APPEND | os.O_CREAT,
                       0o600)
        for s in tcp, udp:
            threading.Thread(target=serve, args=(s, hits)).start()
        ports.append('%d' % port)
    with open('ready.new', 'w') as f:
        f.write(' '.join(ports) + '\n')
    os.rename('ready.new', 'ready')


main()
