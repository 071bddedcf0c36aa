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

"""A name server on 127.0.0.1:53: dns.py ZONE LOG.  A line of ZONE is "NAME TTL
TYPE DATA ..." with TYPE A, AAAA, CNAME or a trick; a NAME "*.x" is that of every
name below x; the file is read for each question.  Each question adds the line
"NAME TYPE" to LOG."""

import random
import socket
import struct
import sys
import time

TYPES = {1: 'A', 5: 'CNAME', 28: 'AAAA', 16: 'TXT', 65: 'HTTPS', 15: 'MX',
         12: 'PTR'}


def wire(name):
    return b''.join(bytes([len(x)]) + x.encode()
                    for x in name.split('.') if x) + b'\0'


def question(q):
    labels, i = [], 12
    while q[i]:
        labels.append(q[i + 1:i + 1 + q[i]].decode('latin-1'))
        i += q[i] + 1
    return '.'.join(labels), struct.unpack('>H', q[i + 1:i + 3])[0], i + 5


def matches(line, name):
    return line == name or (line[0] == '*' and name.endswith(line[1:]))


def records(zone, name, kind):
    found, exists, trick = [], False, None
    for line in open(zone):
        word = line.split()
        if not word or not matches(word[0].lower(), name.lower()):
            continue
        exists = True
        ttl, what, data = int(word[1]), word[2], word[3:]
        if what == 'A' and kind == 'A':
            found += [(name, 1, ttl, socket.inet_aton(x)) for x in data]
        elif what == 'AAAA' and kind == 'AAAA':
            found += [(name, 28, ttl, socket.inet_pton(socket.AF_INET6, x))
                      for x in data]
        elif what == 'CNAME':
            found.append((name, 5, ttl, wire(data[0])))
            more, _, trick2 = records(zone, data[0], kind)
            found += more
            trick = trick or trick2
        elif what not in ('A', 'AAAA'):
            trick = (what, data)
    return found, exists, trick


def answer(zone, q, log):
    name, number, end = question(q)
    kind = TYPES.get(number, str(number))
    log.write('%s %s\n' % (name, kind))
    log.flush()
    found, exists, trick = records(zone, name, kind)
    flags = 0x8180 if exists else 0x8183
    replies = []
    what, data = trick or ('', [])
    if what == 'SILENT':
        return []
    if what == 'DELAY':
        time.sleep(float(data[0]))
    if what == 'TRUNCATED':
        flags |= 0x200
    if what == 'SERVFAIL':
        flags = 0x8182
    if what == 'FLOOD':
        found = [('x%d.%s' % (i, name), 5, 60, wire('x%d.%s' % (i + 1, name)))
                 for i in range(200)] + found
    if what == 'OLD' and q[11]:
        # It knows no EDNS, and may not even repeat the question.
        if data:
            return [q[:2] + struct.pack('>HHHHH', 0x8181, 0, 0, 0, 0)]
        flags, found = 0x8184, []
    if what == 'LOOP':
        found = [(name, 5, 60, wire('b.' + name)),
                 ('b.' + name, 5, 60, wire(name))]
    if what == 'HUGE':
        found = [(name, 1, 60, bytes([203, 0, 113, i % 250 + 1]))
                 for i in range(int(data[0]))]
    if what == 'RANDOM' and kind == 'A':
        found = [(name, 1, 86400, bytes([203] + random.choices(range(256), k=3)))
                 for i in range(int(data[0]))]
    if what == 'FOREIGN':
        found = [(data[0], 1, 60, socket.inet_aton(data[1]))] + found
    body = b''.join(wire(n) + struct.pack('>HHIH', t, 1, ttl, len(d)) + d
                    for n, t, ttl, d in found)
    head = struct.pack('>HHHHH', flags, 1, len(found), 0, 0)
    if what == 'GARBAGE':
        body = b'\xff' * 40
    reply = q[:2] + head + q[12:end] + body
    if what == 'WRONGID':
        replies.append(bytes([q[0] ^ 0x55]) + reply[1:])
    if what == 'WRONGNAME':
        reply = reply[:13] + bytes([reply[13] ^ 1]) + reply[14:]
    if what == 'SHORT':
        reply = reply[:int(data[0])]
    return replies + [reply]


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 53))
    log = open(sys.argv[2], 'a')
    log.write('ready\n')
    log.flush()
    while True:
        q, peer = s.recvfrom(65536)
        try:
            for reply in answer(sys.argv[1], q, log):
                s.sendto(reply, peer)
        except (IndexError, OSError) as e:
            print(e, file=sys.stderr)


main()
