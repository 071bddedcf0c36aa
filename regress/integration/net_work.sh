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

# For the scripts of net_programs_test.sh, which say what box and top are.

# started PROGRAM ...: in the background, to end with this script.
started()
{
	"$@" </dev/null >/dev/null 2>>servers.err &
	pids="${pids} $!"
}
# until_ok PROGRAM ...: wait until it succeeds.
until_ok()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ ${tries} -lt 200 ] || { echo "in vain: $*"; exit 1; }
		sleep 0.05
	done
}
# port PROTOCOL PORT: somebody is there.
port()
{
	until_ok /usr/bin/python3 -c '
import sys
for name in "/proc/net/" + sys.argv[1], "/proc/net/" + sys.argv[1] + "6":
    for line in list(open(name))[1:]:
        word = line.split()
        if (int(word[1].split(":")[1], 16) == int(sys.argv[2]) and
            word[3] in ("0A", "07")):
            sys.exit(0)
sys.exit(1)' "$1" "$2"
}
# A file at http://127.0.0.1:8000/file.
web()
{
	mkdir -p www w
	echo hello >www/file
	started /usr/bin/python3 -m http.server 8000 --bind 127.0.0.1 -d www
	port tcp 8000
}
# 127.0.0.9:8009 never answers.
hole()
{
	started /usr/bin/python3 -c '
import socket, time
s = socket.socket()
s.bind(("127.0.0.9", 8009))
s.listen(0)
held = []
for i in range(3):
    c = socket.socket()
    c.setblocking(False)
    c.connect_ex(("127.0.0.9", 8009))
    held.append(c)
time.sleep(1000)'
	port tcp 8009
}
# try EXPECTED PROGRAM ...: its status and output, in words.
try()
{
	want=$1
	shift
	got=$(timeout 30 "$@" 2>err </dev/null)
	got=$(echo $? ${got})
	[ "${got}" = "${want}" ] || {
		echo "$*: ${got}, not ${want}: $(head -n 3 err)" | sed "s|^.*/dev/urandom:r ||"
		failed=1
	}
}
trap 'kill ${pids} 2>/dev/null' EXIT
failed=0
set -f
