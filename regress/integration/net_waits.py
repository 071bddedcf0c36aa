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

"""Connects that wait, and what ends that: net_waits.py DIRECTORY.  Nobody
answers at 10.99.0.2."""

import errno
import os
import signal
import socket
import struct
import sys
import threading
import time

NOBODY = ('10.99.0.2', 80)


class Alarm(Exception):
    pass


def on_alarm(*_):
    raise Alarm


def connect(what, s, address, timeout=None, alarm=None):
    """What came of it, and whether it took that long and not much longer."""
    if timeout is not None:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                     struct.pack('ll', 0, int(timeout * 1e6)))
    begin = time.monotonic()
    try:
        if alarm is not None:
            signal.setitimer(signal.ITIMER_REAL, alarm)
        s.connect(address)
        answer = 'ok'
    except OSError as e:
        answer = errno.errorcode[e.errno]
    except Alarm:
        answer = 'interrupted'
    signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.monotonic() - begin
    want = min(t for t in (timeout, alarm, 100) if t is not None)
    want = 0 if want == 100 else want
    print('%s: %s %s' % (what, answer,
                         'in time' if want <= took < want + 2 else took))
    return s


def again(what, s):
    """The states of a socket whose connect goes on."""
    s.setblocking(False)
    print('%s: %s' % (what, errno.errorcode[s.connect_ex(NOBODY)]))


def stream():
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def full(address):
    """A local server whose queue has no room."""
    server = stream()
    server.bind(address)
    server.listen(0)
    client = stream()
    client.connect(address)
    return server, client


def ended(s, how):
    """Another thread does something to the socket."""
    thread = threading.Timer(0.5, how)
    thread.start()
    connect('shut down', s, NOBODY)
    thread.join()


def killed():
    """Many who wait; they can be killed, and hold nobody else up."""
    children = []
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            for _ in range(20):
                threading.Thread(target=lambda: socket.socket().connect(
                    NOBODY), daemon=True).start()
            time.sleep(60)
            os._exit(0)
        children.append(pid)
    time.sleep(1)
    server = socket.socket()
    server.bind(('127.0.0.1', int(sys.argv[2])))
    begin = time.monotonic()
    for _ in range(20):
        s = socket.socket()
        answer = s.connect_ex(('127.0.0.1', int(sys.argv[2])))
    took = time.monotonic() - begin
    print('others: %s %s' % (errno.errorcode[answer],
                             'in time' if took < 2 else took))
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    print('killed:', [os.waitpid(pid, 0)[1] for pid in children])


def main():
    os.chdir(sys.argv[1])
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGALRM, on_alarm)
    s = connect('alarm', socket.socket(), NOBODY, alarm=0.7)
    again('alarm then', s)
    s = connect('time', socket.socket(), NOBODY, timeout=0.5)
    again('time then', s)
    connect('both', socket.socket(), NOBODY, timeout=0.9, alarm=0.5)
    # With the call made again after the signal.
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR1, False)
    thread = threading.Timer(0.3, lambda: signal.pthread_kill(
        threading.main_thread().ident, signal.SIGUSR1))
    thread.start()
    connect('again', socket.socket(), NOBODY, alarm=0.9)
    thread.join()
    s = socket.socket()
    ended(s, lambda: s.shutdown(socket.SHUT_RDWR))
    s = socket.socket()
    s.setblocking(False)
    connect('at once', s, NOBODY)
    again('at once then', s)
    for address in '\0sandlock-waits', 'full':
        held = full(address)
        connect('local alarm', stream(), address, alarm=0.7)
        connect('local time', stream(), address, timeout=0.5)
        s = stream()
        s.setblocking(False)
        connect('local at once', s, address)
        for s in held:
            s.close()
    os.unlink('full')
    killed()


main()
