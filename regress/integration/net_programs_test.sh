#! /usr/bin/env atf-sh
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

# Programs over the network and over local sockets, as users run them.  Each
# test has a network of its own, with lo and nothing else, so that ports and
# servers are the test's.

. "$(atf_get_srcdir)/util.sh"

programs_head()
{
	atf_set "descr" "$1"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare $2"
	atf_set "timeout" "120"
}

# Run the script that is the input in a network of its own.
work()
{
	unshare -Urn true 2>/dev/null || atf_skip "no user namespaces"
	{
		echo "box='${box} --unveil /dev/urandom:r'"
		echo "top='$(pwd)'"
		echo ". '$(helper net_work.sh)'"
		cat
		echo 'exit ${failed}'
	} >work.sh
	atf_check timeout 110 ${ns} sh work.sh
}

ns="unshare -Urn sh $(helper net_ns.sh)"

atf_test_case http
http_head()
{
	programs_head "clients of HTTP, and of git" "curl wget git socat"
}
http_body()
{
	work <<'END'
web
hole
at="--net-allow 127.0.0.1:8000"
try "0 hello" curl -s http://127.0.0.1:8000/file
try "0 hello" ${box} ${at} -- curl -s http://127.0.0.1:8000/file
try "0 hello" ${box} --net-allow localhost:8000 -- \
    curl -s http://localhost:8000/file
try "0 hello" ${box} ${at} -- wget -q -O - http://127.0.0.1:8000/file
# Refused, at once; and no answer, which has an end.
try "7" ${box} --net-allow 127.0.0.1:8001 -- \
    curl -s http://127.0.0.1:8000/file
try "7" ${box} --net-allow localhost:8001 -- curl -s http://localhost:8000/
try "4" ${box} --net-allow 127.0.0.2 -- \
    wget -q -t 1 -O - http://127.0.0.1:8000/file
try "28" ${box} --net-allow 127.0.0.9 -- \
    curl -s --connect-timeout 1 http://127.0.0.9:8009/
try "4" ${box} --net-allow 127.0.0.9 -- \
    wget -q -T 1 -t 1 -O - http://127.0.0.9:8009/
try "124" ${box} --net-allow 127.0.0.9 -- timeout 1 \
    curl -s http://127.0.0.9:8009/
# The first address says nothing: the second one has it.
try "0 hello" ${box} --net-allow "*" -- curl -s --resolve \
    two.test:8000:127.0.0.9,127.0.0.1 http://two.test:8000/file
# By a socket in the file system.
started socat UNIX-LISTEN:w/web,fork TCP:127.0.0.1:8000
until_ok test -S w/web
try "0 hello" ${box} -w w -- curl -s --unix-socket w/web http://x/file
try "7" ${box} -r w -- curl -s --unix-socket w/web http://x/file
# Git.
git init -q repo
echo content >repo/file
git -C repo add file
git -C repo -c user.name=n -c user.email=e commit -q -m message
git clone -q --bare repo www/repo.git
git -C www/repo.git update-server-info
started git daemon --base-path=${top}/www --export-all --listen=127.0.0.1 \
    --port=9418 --reuseaddr
port tcp 9418
home="env HOME=${top}/w"
try "0" ${box} -w w ${at} -- ${home} \
    git clone -q http://127.0.0.1:8000/repo.git w/a
try "0" ${box} -w w --net-allow 127.0.0.1:9418 -- ${home} \
    git clone -q git://127.0.0.1/repo.git w/b
try "0 content content" cat w/a/file w/b/file
try "128" ${box} -w w ${at} -- ${home} \
    git clone -q git://127.0.0.1/repo.git w/c
END
}

atf_test_case node
node_head()
{
	programs_head "node and npm: HTTP, datagrams, a registry" "node npm"
}
node_body()
{
	work <<'END'
web
cat >get.js <<'JS'
fetch(process.argv[2]).then(r => r.text()).then(t => console.log(t.trim()))
    .catch(e => console.log(e.cause.code))
JS
cat >dgram.js <<'JS'
const d = require('dgram'), port = +process.argv[2]
const c = d.createSocket('udp4')
const end = (what) => { console.log(what); process.exit(0) }
c.on('error', e => end(e.code))
c.on('message', (m, r) => end('' + m + ' ' + r.port))
c.send('hi', port, '127.0.0.1', e => e && end(e.code))
JS
started /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 8100))
while True:
    data, peer = s.recvfrom(100)
    s.sendto(data.upper(), peer)'
port udp 8100
node="env -u NODE_EXTRA_CA_CERTS node"
try "0 hello" ${box} -r /proc -r get.js --net-allow 127.0.0.1:8000 -- \
    ${node} get.js http://127.0.0.1:8000/file
try "0 ECONNREFUSED" ${box} -r /proc -r get.js --net-allow 127.0.0.2 -- \
    ${node} get.js http://127.0.0.1:8000/file
# It binds before it sends, and needs no rule for servers.
try "0 HI 8100" ${box} -r /proc -r dgram.js --net-allow udp://127.0.0.1 -- \
    ${node} dgram.js 8100
try "0 ECONNREFUSED" ${box} -r /proc -r dgram.js \
    --net-allow udp://127.0.0.2 -- ${node} dgram.js 8100
# A registry of files.
mkdir -p package
echo '{"name": "thing", "version": "1.0.0"}' >package/package.json
echo 'module.exports = "a thing"' >package/index.js
tar -czf www/thing.tgz package
/usr/bin/python3 -c '
import base64, hashlib, json
sum = hashlib.sha512(open("www/thing.tgz", "rb").read()).digest()
json.dump({"name": "thing", "dist-tags": {"latest": "1.0.0"}, "versions": {
    "1.0.0": {"name": "thing", "version": "1.0.0", "dist": {
    "tarball": "http://127.0.0.1:8000/thing.tgz", "integrity":
    "sha512-" + base64.b64encode(sum).decode()}}}}, open("www/thing", "w"))'
install="env -u NODE_EXTRA_CA_CERTS HOME=${top}/w npm --prefix w/p --cache"
install="${install} w/c --registry http://127.0.0.1:8000/ --no-audit"
install="${install} --no-fund --silent --fetch-retries 0 install thing"
mkdir -p w/p
npm="-r /proc -w w --net-allow"
real=$(dirname "$(readlink -f "$(command -v npm)")")
try "1" ${box} ${npm} 127.0.0.2 -r ${real%/bin} -- ${install}
[ ! -e w/p/node_modules/thing ] || failed=1
try "0" ${box} ${npm} 127.0.0.1:8000 -r ${real%/bin} -- ${install}
try "0 a thing" ${node} -p "require('./w/p/node_modules/thing')"
END
}

atf_test_case ping
ping_head()
{
	programs_head "ping, by rules for ICMP alone" "ping"
}
ping_body()
{
	work <<'END'
# Without what its file has beside its content.
mkdir bin
cat "$(command -v ping)" >bin/ping
chmod 755 bin/ping
ping="-r bin -- bin/ping -q -c 1 -W 2"
run()
{
	status=$1
	shift
	timeout 20 "$@" >out 2>err
	[ $? -eq ${status} ] || { echo "$*: $(cat out err)"; failed=1; }
}
run 0 bin/ping -q -c 1 -W 2 127.0.0.1
run 0 ${box} --net-allow icmp://127.0.0.1 ${ping} 127.0.0.1
run 0 ${box} --net-allow icmp://localhost ${ping} localhost
run 0 ${box} --net-allow "icmp://[::1]" ${ping} ::1
run 0 ${box} --net-allow icmp://127.0.0.1 ${ping} -I 127.0.0.2 127.0.0.1
run 0 ${box} --net-allow icmp://127.0.0.1 ${ping} -I lo -s 8000 127.0.0.1
run 2 ${box} --net-allow icmp://127.0.0.2 ${ping} 127.0.0.1
run 2 ${box} --net-allow "*" ${ping} 127.0.0.1
END
}

atf_test_case resolver
resolver_head()
{
	programs_head "programs that ask name servers, and the resolver" \
	    "dig host nslookup getent curl"
}
resolver_body()
{
	mkdir etc
	printf '127.0.0.1 localhost\n' >etc/hosts
	printf 'nameserver 127.0.0.1\n' >etc/resolv.conf
	printf 'hosts: files dns\n' >etc/nsswitch.conf
	printf 'root:x:0:0::/:/bin/sh\n' >etc/passwd
	cp -P /etc/ld.so.cache etc 2>/dev/null
	cp -RP /etc/alternatives etc 2>/dev/null
	chmod -R a+rX etc
	cat >zone <<-'END'
		a.good.test 60 A 203.0.113.5
		a.good.test 60 AAAA 2001:db8::5
		plain.test 60 A 203.0.113.7
		other.test 60 A 203.0.113.6
	END
	ns="unshare -Urmn sh $(helper names_ns.sh)"
	work <<'END'
asks()
{
	try "0 203.0.113.5" "$@" dig +tries=1 +time=5 +short a.good.test
	try "0 2001:db8::5" "$@" dig +tries=1 +time=5 +short -t AAAA \
	    a.good.test
	try "0 2001:db8::5 a.good.test" "$@" getent hosts a.good.test
	try "0 203.0.113.7 STREAM plain.test" "$@" \
	    sh -c "getent ahosts plain.test | head -n 1"
	try "0 a.good.test has address 203.0.113.5" "$@" \
	    host -W 5 -t A a.good.test
	timeout 30 "$@" nslookup -timeout=5 a.good.test >out 2>&1 &&
	    grep -q "^Address: 203.0.113.5" out || {
		echo "nslookup: $(cat out)"
		failed=1
	}
	# It is found, and no way leads there.
	try "7" "$@" curl -s http://a.good.test/
}
asks env
try "0 203.0.113.6" dig +tries=1 +time=5 +short other.test
with="${box} --net-resolver --net-allow *.good.test"
with="${with} --net-allow plain.test:80 --"
asks ${with}
# What no rule admits does not exist, and no other server is asked.
try "0" ${with} dig +tries=1 +time=5 +short other.test
try "2" ${with} getent hosts other.test
try "6" ${with} curl -s http://other.test/
try "9" ${with} sh -c \
    "dig +tries=1 +time=1 +short @127.0.0.1 a.good.test >/dev/null"
END
}

atf_test_case sockets
sockets_head()
{
	programs_head "socat, rsync and Python's asyncio, with servers inside" \
	    "socat rsync openssl"
}
sockets_body()
{
	work <<'END'
mkdir w module
# Its pairs of datagram sockets need a rule that lets these be, as UDP does.
for remap in "" --port-remap; do
	for i in tcp:TCP-LISTEN:8500,reuseaddr,fork:TCP:127.0.0.1:8500 \
	    udp:UDP-LISTEN:8501,fork:UDP:127.0.0.1:8501 \
	    udp:UDP-RECVFROM:8502,fork:UDP-SENDTO:127.0.0.1:8502 \
	    tcp:TCP6-LISTEN:8503,fork:TCP:127.0.0.1:8503; do
		echo ${i}
	done | while IFS=: read -r proto kind listen rest; do
		try "0 hi" ${box} ${remap} --net-allow 127.0.0.1 \
		    --net-allow-bind ${proto}://${listen%%,*} -- sh -c "
socat ${kind}:${listen} EXEC:cat 2>/dev/null &
tries=0
until echo hi | timeout 5 socat -t 1 - ${rest} 2>/dev/null | grep hi; do
	tries=\$((tries + 1))
	[ \${tries} -lt 100 ] || exit 1
	sleep 0.05
done
kill \$!"
		[ ${failed} -eq 0 ] || : >failed
	done
done
for i in UNIX-LISTEN:w/stream,fork:UNIX-CONNECT:w/stream \
    ABSTRACT-LISTEN:inside,fork:ABSTRACT-CONNECT:inside; do
	try "0 hi" ${box} -w w --net-allow udp://127.0.0.1 -- sh -c "
socat ${i%:*:*} EXEC:cat 2>/dev/null &
tries=0
until echo hi | timeout 5 socat -t 1 - ${i#*:*:} 2>/dev/null | grep hi; do
	tries=\$((tries + 1))
	[ \${tries} -lt 100 ] || exit 1
	sleep 0.05
done
kill \$!"
done
# Refused: the server is outside, and hears nothing.
started socat -u TCP-LISTEN:8600,fork,bind=127.0.0.1 CREATE:w/heard,append
port tcp 8600
try 1 ${box} --net-allow 127.0.0.2 -- sh -c \
    "echo x | socat -u - TCP:127.0.0.1:8600"
[ ! -s w/heard ] || failed=1
try 0 ${box} --net-allow 127.0.0.1:8600 -- sh -c \
    "echo x | socat -u - TCP:127.0.0.1:8600"
until_ok test -s w/heard
# A daemon of rsync, outside and inside.
echo content >module/file
# The root of this namespace cannot change its groups, and who is none need not.
printf 'use chroot=no\n[m]\npath=%s/module\n' "${top}" >conf
started unshare -U --map-user=1000 --map-group=1000 rsync --daemon --no-detach --port=8730 --address=127.0.0.1 \
    --config=conf
port tcp 8730
try 0 ${box} -w w --net-allow 127.0.0.1:8730 -- \
    rsync -rt rsync://127.0.0.1:8730/m/ w/out
try 10 ${box} -w w --net-allow 127.0.0.1:8731 -- \
    rsync -rt rsync://127.0.0.1:8730/m/ w/none
try 0 ${box} -w w -r module -r conf --net-allow 127.0.0.1:8732 \
    --user 1000:1000 --net-allow-bind tcp://8732 -- sh -c '
rsync --daemon --no-detach --port=8732 --address=127.0.0.1 --config=conf &
tries=0
until rsync -rt rsync://127.0.0.1:8732/m/ w/inside 2>/dev/null; do
	tries=$((tries + 1))
	[ ${tries} -lt 100 ] || exit 1
	sleep 0.05
done
kill $!'
try "0 content content" cat w/out/file w/inside/file
# TLS and datagrams of asyncio.
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 1 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat >t.py <<'PY'
import asyncio, ssl
class Server(asyncio.DatagramProtocol):
    def connection_made(self, t):
        self.t = t
    def datagram_received(self, data, peer):
        self.t.sendto(data[::-1], peer)
class Client(asyncio.DatagramProtocol):
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()
    def connection_made(self, t):
        t.sendto(b'abc')
    def datagram_received(self, data, peer):
        self.answer.set_result((data.decode(), peer[1]))
    def error_received(self, e):
        self.answer.set_exception(e)
async def serve(r, w):
    w.write((await r.readline()).upper())
    await w.drain()
    w.close()
async def main():
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain('cert', 'key')
    s = await asyncio.start_server(serve, '127.0.0.1', 8443, ssl=server)
    r, w = await asyncio.open_connection('localhost', 8443,
        ssl=ssl.create_default_context(cafile='cert'))
    w.write(b'hello\n')
    print(s.sockets[0].getsockname()[1], w.get_extra_info('peername')[1],
          (await r.readline()).decode().strip())
    w.close()
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Server, ('127.0.0.1', 8444))
    _, c = await loop.create_datagram_endpoint(Client, None,
                                               ('127.0.0.1', 8444))
    print(*await asyncio.wait_for(c.answer, 10))
asyncio.run(main())
PY
for remap in "" --port-remap; do
	try "0 8443 8443 HELLO cba 8444" ${box} ${remap} -r t.py -r cert \
	    -r key --net-allow localhost --net-allow-bind 8443,8444 -- \
	    /usr/bin/python3 t.py
done
[ ! -e failed ] || failed=1
END
}

atf_test_case buses
buses_head()
{
	programs_head "D-Bus outside by a granted socket, and inside" \
	    "dbus-daemon dbus-send gdbus"
}
buses_body()
{
	work <<'END'
mkdir w v
config()
{
	cat <<XML
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=$1</listen>
<auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
XML
}
# Names that are too long for a socket are for a link.
ln -s "${top}" /tmp/sandlock-bus-$$
at=/tmp/sandlock-bus-$$
trap 'kill ${pids} 2>/dev/null; rm -f ${at}' EXIT
config ${at}/w/bus >outside.conf
config ${at}/v/bus >inside.conf
started dbus-daemon --config-file=outside.conf --nofork --nopidfile --nosyslog
until_ok test -S w/bus
address=unix:path=${at}/w/bus
bus="env DBUS_SESSION_BUS_ADDRESS=${address}"
has="dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus"
has="${has} / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.DBus"
call="gdbus call --session --dest org.freedesktop.DBus --object-path /"
call="${call} --method org.freedesktop.DBus.NameHasOwner org.freedesktop.DBus"
try "0 boolean true" ${bus} ${has}
# Also where the supervisor sends what they send, but then no credentials, as
# clients that are built on GLib do.
for net in "" "--net-allow udp://127.0.0.1"; do
	try "0 boolean true" ${box} ${net} -w w -- ${bus} ${has}
	[ -n "${net}" ] || try "0 (true,)" ${box} -w w -- ${bus} ${call}
	try "1" ${box} ${net} -r w -- ${bus} ${has}
	try "1" ${box} ${net} -r w -- ${bus} ${call}
	rm -f v/bus
	try "0 boolean true boolean true" ${box} ${net} -w v -r inside.conf -- \
	    sh -c "dbus-daemon --config-file=inside.conf --nofork \
--nopidfile --nosyslog 2>/dev/null &
export DBUS_SESSION_BUS_ADDRESS=unix:path=${at}/v/bus
tries=0
until ${has} 2>/dev/null; do
	tries=\$((tries + 1))
	[ \${tries} -lt 100 ] || exit 1
	sleep 0.05
done
${has}
kill \$!"
done
END
}

atf_test_case messages
messages_head()
{
	programs_head "descriptors, credentials, logs and notifications by path" \
	    "logger"
}
messages_body()
{
	work <<'END'
mkdir w
# The compositor: takes descriptors, and writes into each; who says who it is?
cat >server.py <<'PY'
import array, os, socket, struct, sys
name, kind = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, int(kind))
s.bind(name)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
if int(kind) == socket.SOCK_STREAM:
    s.listen(5)
open(name + '.ready', 'w')
while True:
    c = s.accept()[0] if int(kind) == socket.SOCK_STREAM else s
    while True:
        data, ancillary, _, _ = c.recvmsg(65536, 4096)
        if not data:
            break
        fds, user = array.array('i'), None
        for level, what, value in ancillary:
            if what == socket.SCM_RIGHTS:
                fds.frombytes(value)
            elif what == socket.SCM_CREDENTIALS:
                user = struct.unpack('iII', value)[1:]
        for i, fd in enumerate(fds):
            try:
                os.write(fd, b'%d' % i)
            except OSError:
                pass
            os.close(fd)
        with open(name + '.log', 'a') as f:
            print(data[:40], len(fds), user == (os.getuid(), os.getgid()),
                  file=f)
        if c is not s:
            c.send(b'done')
PY
cat >client.py <<'PY'
import array, os, socket, struct, sys
kind, send = (socket.SOCK_STREAM, 'connected') if sys.argv[2] == 'stream' \
    else (socket.SOCK_DGRAM, sys.argv[2])
s = socket.socket(socket.AF_UNIX, kind)
if send == 'connected':
    s.connect(sys.argv[1])
to = [0, sys.argv[1]] if send == 'named' else []
pipes = [os.pipe() for _ in range(3)]
memory = os.memfd_create('buffer')
fds = array.array('i', [p[1] for p in pipes] + [memory])
def done():
    if kind == socket.SOCK_STREAM:
        assert s.recv(10) == b'done'
s.sendmsg([b'surface'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)], *to)
done()
print(*[os.read(p[0], 10).decode() for p in pipes],
      len(os.pread(memory, 10, 0)) if kind == socket.SOCK_STREAM else '')
s.sendmsg([b'much', b'x' * 30], [], *to)
done()
me = struct.pack('iII', os.getpid(), os.getuid(), os.getgid())
try:
    s.sendmsg([b'me'], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, me),
                        (socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)], *to)
    done()
    print('me')
except OSError as e:
    print(e.errno)
s.sendmsg([b'last'], [], *to)
done()
try:
    s.sendmsg([b'init'], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS,
                           struct.pack('iII', 1, os.getuid(),
                                       os.getgid()))], *to)
    print('sent')
except OSError as e:
    print(e.errno)
try:
    s.sendmsg([b'bad'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                          array.array('i', [fds[0], 999]))], *to)
    print('sent')
except OSError as e:
    print(e.errno)
PY
started /usr/bin/python3 server.py w/stream 1
started /usr/bin/python3 server.py w/dgram 2
until_ok test -e w/stream.ready
until_ok test -e w/dgram.ready
for how in stream connected named; do
	name=w/stream grant="-w w" tail=" 1"
	[ ${how} = stream ] || {
		name=w/dgram grant="--unveil w/dgram:w" tail=
	}
	for net in "" "--net-allow udp://127.0.0.1"; do
		: >${name}.log
		# Root without capabilities is as any other.
		try "0 0 1 2${tail} me 1 9" setpriv --bounding-set=-all \
		    --inh-caps=-all --no-new-privs \
		    /usr/bin/python3 client.py ${name} ${how}
		until_ok grep -q "b'last'" ${name}.log
		mv ${name}.log bare.log
		# Nobody can send the caller's credentials for it.
		me=me
		[ -z "${net}" ] && [ ${how} = stream ] || {
			me=1
			sed -i "/b'me'/d" bare.log
		}
		: >${name}.log
		try "0 0 1 2${tail} ${me} 1 9" ${box} ${net} ${grant} \
		    -r client.py -- /usr/bin/python3 client.py ${name} ${how}
		until_ok grep -q "b'last'" ${name}.log
		cmp -s bare.log ${name}.log || {
			cat bare.log ${name}.log
			failed=1
		}
		: >${name}.log
		try "1" ${box} ${net} -r w -r client.py -- \
		    /usr/bin/python3 client.py ${name} ${how}
		[ ! -s ${name}.log ] || failed=1
	done
done
# The log, and a service that says that it is ready.
: >w/dgram.log
try 0 ${box} --unveil w/dgram:w -- logger -u w/dgram -t tag "to the log"
until_ok grep -q "to the log" w/dgram.log
: >w/dgram.log
try 0 ${box} --unveil w/dgram:w -- env NOTIFY_SOCKET=w/dgram \
    /usr/bin/python3 -c '
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
s.connect(os.environ["NOTIFY_SOCKET"])
s.sendall(b"READY=1")'
until_ok grep -q "READY=1" w/dgram.log
END
}

atf_init_test_cases()
{
	atf_add_test_case http
	atf_add_test_case node
	atf_add_test_case ping
	atf_add_test_case resolver
	atf_add_test_case sockets
	atf_add_test_case buses
	atf_add_test_case messages
}
