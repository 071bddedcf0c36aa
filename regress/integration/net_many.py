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

"""More calls that wait than the workers have descriptors for: net_many.py MODE
PORT, where the mode is connect (to nobody), local (to a full queue, in the
directory) or rights (that go with data into a full socket).  Prints whether
some failed for want of them, whether others were served, and what a connect to
127.0.0.1:PORT comes to when all is over."""

import errno
import os
import signal
import socket
import sys
import threading
import time

mode, port = sys.argv[1], int(sys.argv[2])
WANT = {errno.EMFILE, errno.ENOBUFS, errno.ENFILE}


def wait():
    if mode == 'connect':
        s = socket.socket()
        s.connect(('10.99.0.2', 80))
    elif mode == 'local':
        s = socket.socket(socket.AF_UNIX)
        s.connect('full')
    else:
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        a.setblocking(False)
        try:
            while True:
                a.send(b'x' * 65536)
        except BlockingIOError:
            pass
        a.setblocking(True)
        socket.send_fds(a, [b'y' * 100], [0] * 20)


def note(out):
    try:
        wait()
        os.write(out, b'0\n')
    except OSError as e:
        os.write(out, b'%d\n' % e.errno)


def main():
    server = socket.socket(socket.AF_UNIX)
    server.bind('full')
    server.listen(0)
    client = socket.socket(socket.AF_UNIX)
    client.connect('full')
    back, out = os.pipe()
    children = []
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            for _ in range(20):
                threading.Thread(target=note, args=(out,), daemon=True).start()
            time.sleep(60)
            os._exit(0)
        children.append(pid)
    time.sleep(2)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(out)
    answers = b''
    while data := os.read(back, 4096):
        answers += data
    answers = [int(answer) for answer in answers.split()]
    print('short' if any(a in WANT for a in answers) else 'enough',
          'odd %s' % set(answers) if set(answers) - WANT else 'no other')
    # What the dead had is given back when somebody looks.
    time.sleep(2.5)
    socket.create_connection(('127.0.0.1', port)).close()
    print('ok')
    os.unlink('full')


main()
