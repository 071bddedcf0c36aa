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

"""Open /etc/hosts in every way, one line for each with what came of it: names.py
DIRECTORY, which may be written and in which link leads to /etc/hosts, etc to
/etc, and self to /proc/self/root/etc.  "host" is the file of the host, which has
the word "secret", "virtual" the other one."""

import ctypes
import errno
import mmap
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
SYS_open, SYS_creat, SYS_openat, SYS_openat2 = 2, 85, 257, 437
AT_FDCWD = -100


def call(nr, *args):
    fd = libc.syscall(nr, *args)
    if fd == -1:
        raise OSError(ctypes.get_errno(), 'syscall')
    return fd


def kind(fd):
    text = os.read(fd, 65536)
    os.close(fd)
    if b'secret' in text:
        return 'host'
    return 'virtual' if b'localhost' in text else 'other'


def tell(what, function):
    try:
        answer = function()
    except OSError as e:
        answer = errno.errorcode[e.errno]
    print(what, answer)


def reading(top):
    hosts = b'/etc/hosts'
    etc = os.open('/etc', os.O_PATH)
    root = os.open('/', os.O_PATH)
    flags = os.O_RDONLY
    tell('open', lambda: kind(call(SYS_open, hosts, flags, 0)))
    tell('openat', lambda: kind(call(SYS_openat, AT_FDCWD, hosts, flags, 0)))
    tell('openat2', lambda: kind(call(SYS_openat2, AT_FDCWD, hosts,
                                      (ctypes.c_uint64 * 3)(), 24)))
    tell('dirfd', lambda: kind(os.open('hosts', flags, dir_fd=etc)))
    tell('dirfd-root', lambda: kind(os.open('etc/hosts', flags, dir_fd=root)))
    for name in ('//etc//hosts', '/etc/./hosts', '/usr/../etc/hosts',
                 '/proc/self/root/etc/hosts', '/proc/self/../../etc/hosts',
                 '/proc/thread-self/root/etc/hosts',
                 '/proc/self/task/%d/root/etc/hosts' % os.getpid(),
                 '/proc/%d/root/etc/hosts' % os.getpid(),
                 '/proc/self/fd/%d/hosts' % etc, '/dev/fd/%d/hosts' % etc,
                 top + '/link', top + '/etc/hosts', top + '/self/hosts',
                 '/etc/hosts/', '/etc/hosts/x'):
        tell(name.replace(top, '').replace(str(os.getpid()), 'PID')
             .replace('/%d/' % etc, '/N/'),
             lambda name=name: kind(os.open(name, flags)))
    os.chdir('/etc')
    tell('relative', lambda: kind(os.open('hosts', flags)))
    tell('cwd', lambda: kind(os.open('/proc/self/cwd/hosts', flags)))
    os.chdir(top)
    tell('relative-link', lambda: kind(os.open('link', flags)))
    tell('nofollow', lambda: kind(os.open('link', flags | os.O_NOFOLLOW)))
    tell('plain-nofollow', lambda: kind(os.open('/etc/hosts',
                                                flags | os.O_NOFOLLOW)))
    path = os.open('/etc/hosts', os.O_PATH)
    tell('path', lambda: kind(os.open('/proc/self/fd/%d' % path, flags)))
    os.symlink('/proc/self/fd/%d' % path, 'made')
    tell('path-link', lambda: kind(os.open('made', flags)))
    tell('directory', lambda: kind(os.open('/etc/hosts', flags |
                                           os.O_DIRECTORY)))


def writing():
    hosts = b'/etc/hosts'
    tell('write', lambda: os.open(hosts, os.O_WRONLY))
    tell('read-write', lambda: os.open(hosts, os.O_RDWR))
    tell('append', lambda: os.open(hosts, os.O_WRONLY | os.O_APPEND))
    tell('truncate', lambda: os.open(hosts, os.O_RDONLY | os.O_TRUNC))
    tell('creat', lambda: call(SYS_creat, hosts, 0o644))
    tell('create', lambda: kind(os.open(hosts, os.O_RDONLY | os.O_CREAT)))
    tell('exclusive', lambda: os.open(hosts, os.O_WRONLY | os.O_CREAT |
                                      os.O_EXCL))
    tell('resolv', lambda: os.open('/etc/resolv.conf', os.O_WRONLY))
    fd = os.open(hosts, os.O_RDONLY)
    tell('write-read-only', lambda: os.write(fd, b'x'))
    again = os.open('/proc/self/fd/%d' % fd, os.O_RDWR)
    tell('write-again', lambda: os.write(again, b'x'))
    tell('shrink-again', lambda: os.ftruncate(again, 0))
    try:
        mmap.mmap(again, 0)
        print('map-again ok')
    except OSError as e:
        print('map-again', errno.errorcode[e.errno])


def descriptions():
    a = os.open('/etc/hosts', os.O_RDONLY)
    b = os.open('/etc/hosts', os.O_RDONLY | os.O_CLOEXEC)
    text = os.read(a, 65536)
    size = os.fstat(a).st_size
    print('size', size == len(text), os.read(a, 1) == b'')
    print('readers', os.read(b, 5) == text[:5], os.lseek(b, 0,
                                                         os.SEEK_CUR))
    print('seek', os.lseek(a, 4, os.SEEK_SET), os.read(a, 3) == text[4:7])
    print('pread', os.pread(b, 5, 2) == text[2:7])
    print('mmap', mmap.mmap(a, 0, prot=mmap.PROT_READ)[:] == text)
    print('cloexec', os.get_inheritable(call(SYS_open, b'/etc/hosts', 0, 0)),
          os.get_inheritable(b))
    if os.fork() == 0:
        os.lseek(a, 7, os.SEEK_SET)
        os._exit(0)
    os.wait()
    print('shared', os.lseek(a, 0, os.SEEK_CUR))


os.chdir(sys.argv[1])
reading(os.getcwd())
writing()
descriptions()
