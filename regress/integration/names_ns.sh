#!/bin/sh
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

# Inside of fresh user, network and mount namespaces: the directory etc of the
# test is /etc, lo is up, and with a file zone there is a name server, which
# answers from it and notes every question in dns.log.

mount --bind etc /etc || exit 1
/usr/bin/python3 - <<'END' || exit 1
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
flags = struct.unpack('16sH', fcntl.ioctl(s, 0x8913,
                                          struct.pack('16sH14x', b'lo', 0))[:18])
fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', flags[1] | 1))
END
if [ -f zone ]; then
	: >dns.log
	/usr/bin/python3 "$(dirname "$0")/dns.py" zone dns.log 2>dns.err &
	server=$!
	trap 'kill ${server}' EXIT
	until grep -q ready dns.log; do
		sleep 0.02
		kill -0 "${server}" || exit 1
	done
fi
"$@"
