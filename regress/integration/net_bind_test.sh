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


# Servers inside: whose ports they have, and ports of a sandbox's own.

. "$(atf_get_srcdir)/util.sh"

# ports TEST [OPTION ...]: what ports.py says of the port $port.
ports()
{
	atf_check -o inline:"ok\n" timeout 60 ${box} -w . "$@" -- \
	    /usr/bin/python3 "$(helper ports.py)" ${test} ${port}
}

# A port that nobody has, in both families and protocols, and that the kernel
# gives nobody who asks for any: below its range of those.
free_port()
{
	port=$(/usr/bin/python3 -c '
import random, socket
while True:
    a = socket.socket(socket.AF_INET6)
    b = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    port = random.randrange(16384, 32768)
    try:
        a.bind(("::", port))
        b.bind(("::", port))
        break
    except OSError:
        pass
print(port)')
}

# The host's own server of that port, in both families and protocols.
host()
{
	cat >host.py <<'END'
import socket, sys, threading
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
u.bind(('::', int(sys.argv[1])))
s = socket.socket(socket.AF_INET6)
s.bind(('::', int(sys.argv[1])))
s.listen(100)
open('host.ready', 'w')
while True:
    c, _ = s.accept()
    open('host.hits', 'a').write('x')
    c.settimeout(10)
    try:
        c.sendall(c.recv(100))
    except OSError:
        pass
    c.close()
END
	rm -f host.ready
	: >host.hits
	background /usr/bin/python3 host.py ${port}
	wait_for test -e host.ready
}

remap="--net-allow-bind * --net-allow * --port-remap"

net_head()
{
	atf_set "descr" "$1"
	atf_set "require.files" "/usr/bin/python3${2:+ $2}"
	atf_set "timeout" "120"
}

atf_test_case remap_tcp cleanup
remap_tcp_head()
{
	net_head "ports of a sandbox's own, as a program sees them: tcp"
}
remap_tcp_body()
{
	test=tcp
	free_port
	host
	set -f
	ports ${remap} --status-fd 3 3>status
	set +f
	/usr/bin/python3 -c '
import json, sys
port = int(sys.argv[1])
lines = [json.loads(line) for line in open("status")][:-1]
lines = [line for line in lines if line["port"] == port]
assert lines and all(line["real_port"] not in (0, port) for line in lines), \
    lines' ${port} || atf_fail "$(cat status)"
}
remap_tcp_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case remap_clients cleanup
remap_clients_head()
{
	net_head "ports of a sandbox's own, as a program sees them: clients"
}
remap_clients_body()
{
	test=clients
	free_port
	host
	set -f
	ports ${remap} --status-fd 3 3>status
	set +f
	/usr/bin/python3 -c '
import json, sys
port = int(sys.argv[1])
lines = [json.loads(line) for line in open("status")][:-1]
lines = [line for line in lines if line["port"] == port]
assert lines and all(line["real_port"] not in (0, port) for line in lines), \
    lines' ${port} || atf_fail "$(cat status)"
}
remap_clients_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case remap_udp cleanup
remap_udp_head()
{
	net_head "ports of a sandbox's own, as a program sees them: udp"
}
remap_udp_body()
{
	test=udp
	free_port
	host
	set -f
	ports ${remap} --status-fd 3 3>status
	set +f
	/usr/bin/python3 -c '
import json, sys
port = int(sys.argv[1])
lines = [json.loads(line) for line in open("status")][:-1]
lines = [line for line in lines if line["port"] == port]
assert lines and all(line["real_port"] not in (0, port) for line in lines), \
    lines' ${port} || atf_fail "$(cat status)"
}
remap_udp_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case remap_descriptors cleanup
remap_descriptors_head()
{
	net_head "ports of a sandbox's own, as a program sees them: descriptors"
}
remap_descriptors_body()
{
	test=descriptors
	free_port
	host
	set -f
	ports ${remap} --status-fd 3 3>status
	set +f
	/usr/bin/python3 -c '
import json, sys
port = int(sys.argv[1])
lines = [json.loads(line) for line in open("status")][:-1]
lines = [line for line in lines if line["port"] == port]
assert lines and all(line["real_port"] not in (0, port) for line in lines), \
    lines' ${port} || atf_fail "$(cat status)"
}
remap_descriptors_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case remap_connections cleanup
remap_connections_head()
{
	net_head "ports of a sandbox's own, as a program sees them: connections"
}
remap_connections_body()
{
	test=connections
	free_port
	host
	set -f
	ports ${remap} --status-fd 3 3>status
	set +f
	/usr/bin/python3 -c '
import json, sys
port = int(sys.argv[1])
lines = [json.loads(line) for line in open("status")][:-1]
lines = [line for line in lines if line["port"] == port]
assert lines and all(line["real_port"] not in (0, port) for line in lines), \
    lines' ${port} || atf_fail "$(cat status)"
}
remap_connections_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case remap_reuseport cleanup
remap_reuseport_head()
{
	net_head "ports of a sandbox's own, as a program sees them: reuseport"
}
remap_reuseport_body()
{
	test=reuseport
	free_port
	host
	set -f
	ports ${remap} --status-fd 3 3>status
	set +f
	/usr/bin/python3 -c '
import json, sys
port = int(sys.argv[1])
lines = [json.loads(line) for line in open("status")][:-1]
lines = [line for line in lines if line["port"] == port]
assert lines and all(line["real_port"] not in (0, port) for line in lines), \
    lines' ${port} || atf_fail "$(cat status)"
}
remap_reuseport_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case remap_names cleanup
remap_names_head()
{
	net_head "ports of a sandbox's own, as a program sees them: names"
}
remap_names_body()
{
	test=names
	free_port
	host
	set -f
	ports ${remap} --status-fd 3 3>status
	set +f
	/usr/bin/python3 -c '
import json, sys
port = int(sys.argv[1])
lines = [json.loads(line) for line in open("status")][:-1]
lines = [line for line in lines if line["port"] == port]
assert lines and all(line["real_port"] not in (0, port) for line in lines), \
    lines' ${port} || atf_fail "$(cat status)"
}
remap_names_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case unix
unix_head()
{
	net_head "sockets with a path, where netd makes the other binds"
}
unix_body()
{
	test=unix
	port=0
	# Without a sandbox, the same.
	mkdir bare box
	cd bare
	# It ends where something is refused, for root is not.
	[ "$(id -u)" -eq 0 ] || atf_check -o inline:"ok\n" \
	    /usr/bin/python3 "$(helper ports.py)" unix 0
	cd ../box
	set -f
	ports --net-allow-bind "1024-65535"
	cd ..
	mkdir view
	cd view
	atf_check -o inline:"ok\n" timeout 60 ${box} --workdir . \
	    --fs-storage ../storage --net-allow-bind "*" -- \
	    /usr/bin/python3 "$(helper ports.py)" unix 1
	cd ..

	# In /proc "self" is the caller, whoever binds for it.
	cat >self.py <<'END'
import os, socket
os.mkdir('sockets')
fd = os.dup2(os.open('sockets', os.O_RDONLY), 200)
for i, name in enumerate(('self', 'thread-self')):
    s = socket.socket(socket.AF_UNIX)
    s.bind('/proc/%s/fd/%d/%d' % (name, fd, i))
    s.listen(1)
    c = socket.socket(socket.AF_UNIX)
    c.connect('sockets/%d' % i)
    assert c.getpeername() == s.getsockname()
print(sorted(os.listdir('sockets')))
END
	atf_check -o inline:"['0', '1']\n" /usr/bin/python3 self.py
	rm -r sockets
	atf_check -o inline:"['0', '1']\n" timeout 60 ${box} -r / -w . \
	    --net-allow-bind udp://1024 -- /usr/bin/python3 self.py
}

atf_test_case rules cleanup
rules_head()
{
	net_head "which ports of which protocol"
}
rules_body()
{
	free_port
	cat >t.py <<END
import errno, socket, sys
def bind(kind, port):
    s = socket.socket(socket.AF_INET, kind)
    try:
        s.bind(('127.0.0.1', port))
    except OSError as e:
        return errno.errorcode[e.errno]
    if kind == socket.SOCK_STREAM:
        s.listen(1)
    return 'ok'
print(*[bind(kind, port) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        for port in (${port}, ${port} + 1, 0)])
END
	set -f
	for args in "${port}:ok EACCES EACCES ok EACCES EACCES" \
	    "*:ok ok ok ok ok ok"; do
		rule=${args%%:*}
		atf_check -o inline:"${args#*:}\n" ${box} -r t.py \
		    --net-allow-bind "${rule}" -- /usr/bin/python3 t.py
	done
	# What the host has; and who shares it.
	host
	atf_check -o inline:"EADDRINUSE ok ok EADDRINUSE ok ok\n" ${box} \
	    -r t.py --net-allow-bind "*" -- /usr/bin/python3 t.py
	atf_check -o inline:"ok ok ok ok ok ok\n" ${box} -r t.py \
	    --net-allow-bind "*" --port-remap -- /usr/bin/python3 t.py
}
rules_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case races cleanup
races_head()
{
	net_head "addresses and sockets that change while they are bound"
}
races_body()
{
	free_port
	p=${port}
	free_port
	q=${port}
	set -f
	# Without a sandbox the other port is taken.
	atf_check -o match:"denied yes" $(helper bindrace) address ${p} ${q}
	atf_check -o inline:"denied no, bound yes, refused yes\n" ${box} \
	    --net-allow-bind ${p} -- $(helper bindrace) address ${p} ${q}
	mkdir w
	cd w
	atf_check -o match:"denied yes" $(helper bindrace) socket ${p} ${q}
	rm -f n
	atf_check -o inline:"denied no, bound yes, refused yes\n" ${box} \
	    -w . --net-allow-bind ${p} -- $(helper bindrace) socket ${p} ${q}
}
races_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

# A client's port of the kernel's choice is no server's.
atf_test_case chosen cleanup
chosen_head()
{
	net_head "a client that binds before it connects"
}
chosen_body()
{
	free_port
	host
	cat >client.py <<'END'
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])),
                             source_address=('127.0.0.1', 0))
s.sendall(b'mine')
print(s.recv(10).decode(), s.getsockname()[1] != 0)
s = socket.socket()
s.bind(('127.0.0.1', 0))
try:
    s.listen()
    print('listens')
except OSError as e:
    print(e.errno)
END
	set -- /usr/bin/python3 client.py ${port}
	atf_check -o inline:"mine True\nlistens\n" "$@"
	atf_check -o inline:"mine True\n13\n" ${box} -r . \
	    --net-allow 127.0.0.1:${port} -- "$@"
	atf_check -o inline:"mine True\nlistens\n" ${box} -r . \
	    --net-allow 127.0.0.1:${port} --net-allow-bind '*' -- "$@"
	# Nor is it one where no connect is admitted, or Landlock judges.
	for rule in udp://127.0.0.1 tcp://127.0.0.1:${port}; do
		atf_check -s exit:1 -e match:"Errno 13" ${box} -r . \
		    --net-allow ${rule} -- "$@"
	done
}
chosen_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case two_sandboxes cleanup
two_sandboxes_head()
{
	net_head "two sandboxes serve a port that the host serves, too"
	atf_set "require.progs" "curl"
}
two_sandboxes_body()
{
	free_port
	host
	set -f
	for i in one two; do
		mkdir ${i}
		echo ${i} >${i}/file
		cat >${i}/run.sh <<END
/usr/bin/python3 -m http.server ${port} --bind 127.0.0.1 >log 2>&1 &
tries=0
until curl -s -f http://127.0.0.1:${port}/file >new; do
	tries=\$((tries + 1))
	[ \${tries} -lt 100 ] || exit 1
	sleep 0.05
done
mv new got
while [ ! -e stop ]; do sleep 0.05; done
curl -s -f http://127.0.0.1:${port}/file >last
kill %1
END
		background ${box} -w ${i} --cwd ${i} ${remap} -- \
		    /bin/sh run.sh
		wait_for test -e ${i}/got
	done
	for i in one two; do
		: >${i}/stop
		wait_for test -s ${i}/last
		atf_check -o inline:"${i}\n${i}\n" cat ${i}/got ${i}/last
	done
}
two_sandboxes_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case tables cleanup
tables_head()
{
	net_head "/proc/net has the sandbox's sockets, with its ports"
}
tables_body()
{
	free_port
	host
	cat >serve.py <<'END'
import http.server, os, socket, sys, threading, time
port, name = int(sys.argv[1]), sys.argv[2]
h = http.server.ThreadingHTTPServer(('127.0.0.1', port),
    http.server.SimpleHTTPRequestHandler)
threading.Thread(target=h.serve_forever, daemon=True).start()
sockets = [h]
for family, host in (socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1'):
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.bind((host, port))
    sockets.append(u)
t = socket.socket(socket.AF_INET6)
t.bind(('::1', port))
t.listen(5)
c = socket.create_connection(('::1', port))
a = t.accept()[0]
open(name + '.up', 'w')
while not os.path.exists('look'):
    time.sleep(0.02)
# Of other processes, too.
child = os.fork()
if child == 0:
    for s in sockets + [t, c, a]:
        os.close(s.fileno())
    time.sleep(60)
    os._exit(0)
def table(name):
    with open(name) as f:
        lines = f.readlines()
    ports = []
    for line in lines[1:]:
        w = line.split()
        local, peer = [int(x.rsplit(':', 1)[1], 16) for x in w[1:3]]
        ports.append((local, peer, w[3]))
    return sorted(ports), lines
def tables(at):
    return [table('/proc/%s/%s' % (at, n))[0]
            for n in ('tcp', 'udp', 'tcp6', 'udp6')]
out = tables('net')
for at in ('self/net', '%d/net' % os.getpid(), 'thread-self/net',
           '%d/net' % child, 'self/../self/net/.'):
    assert tables(at) == out, (at, out, tables(at))
d = os.open('/proc/self/net', os.O_RDONLY)
f = os.open('tcp', os.O_RDONLY, dir_fd=d)
text = os.read(f, 65536).decode()
# As the kernel has it: lines of one length, numbers from 0.
lines = text.splitlines()
assert lines[0].split()[:3] == ['sl', 'local_address', 'rem_address'], lines
assert {len(l) for l in lines} == {149}, lines
assert [l.split()[0] for l in lines[1:]] == \
    ['%d:' % i for i in range(len(lines) - 1)], lines
os.kill(child, 9)
m = c.getsockname()[1]
listen, idle = '0A', '07'
assert out[0] == [(port, 0, listen)], out
assert out[1] == [(port, 0, idle)], out
assert out[2] == sorted([(port, 0, listen), (m, port, '01'),
    (port, m, '01')]), out
assert out[3] == [(port, 0, idle)], out
for n in ('/proc/net/tcp', '/proc/net/udp6'):
    try:
        os.close(os.open(n, os.O_WRONLY))
    except PermissionError:
        continue
    assert False, n
print('ok')
END
	set -f
	for i in one two; do
		background sh -c '"$@" >${0}.out 2>&1' ${i} ${box} -w . \
		    -r /proc ${remap} -- /usr/bin/python3 serve.py ${port} ${i}
		wait_for test -e ${i}.up
	done
	: >look
	for i in one two; do
		wait_for grep . ${i}.out
		atf_check -o inline:"ok\n" cat ${i}.out
	done
	# The same without ports of its own, where opens are looked at.
	free_port
	mkdir w
	: >w/look
	cp serve.py w
	(cd w && atf_check -o inline:"ok\n" timeout 60 ${box} --workdir . \
	    --fs-storage ../storage -r /proc --net-allow-bind "*" \
	    --net-allow "*" -- /usr/bin/python3 serve.py ${port} view)
}
tables_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case host_tables cleanup
host_tables_head()
{
	net_head "without the option /proc/net is that of the host"
}
host_tables_body()
{
	free_port
	host
	cat >t.py <<'END'
import socket, sys
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(1)
def listeners(name):
    with open('/proc/net/' + name) as f:
        return [int(line.split()[1].rsplit(':', 1)[1], 16)
                for line in f.readlines()[1:] if line.split()[3] == '0A']
print(s.getsockname()[1] in listeners('tcp'),
      int(sys.argv[1]) in listeners('tcp6'))
END
	set -f
	atf_check -o inline:"True True\n" ${box} -r t.py -r /proc \
	    --net-allow-bind "*" --net-allow "*" -- /usr/bin/python3 t.py \
	    ${port}
	atf_check -o inline:"True False\n" ${box} -r t.py -r /proc ${remap} \
	    -- /usr/bin/python3 t.py ${port}
}
host_tables_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case redis cleanup
redis_head()
{
	net_head "redis-server and its client"
	atf_set "require.progs" "redis-server redis-cli"
}
redis_body()
{
	free_port
	host
	mkdir w
	cat >w/run.sh <<END
redis-server --port ${port} --save "" --daemonize no --bind 127.0.0.1 ::1 \
    >log 2>&1 &
tries=0
until [ "\$(redis-cli -p ${port} ping 2>&1)" = PONG ]; do
	tries=\$((tries + 1))
	[ \${tries} -lt 100 ] || exit 1
	sleep 0.05
done
redis-cli -p ${port} set key value
redis-cli -h ::1 -p ${port} get key
redis-cli -p ${port} client list | grep -c "laddr=127.0.0.1:${port} "
redis-cli -p ${port} shutdown nosave
wait
END
	set -f
	# A try before it serves comes to the host, which says the same.
	atf_check -o inline:"OK\nvalue\n1\n" timeout 60 ${box} -w w --cwd w \
	    ${remap} -- /bin/sh run.sh
}
redis_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case nginx cleanup
nginx_head()
{
	net_head "nginx with a listener for each worker" /usr/sbin/nginx
	atf_set "require.progs" "curl"
}
nginx_body()
{
	free_port
	host
	mkdir w
	echo page >w/index.html
	[ "$(id -u)" -ne 0 ] || chmod 777 w
	cat >w/nginx.conf <<END
daemon off;
worker_processes 3;
pid $(pwd)/w/pid;
error_log stderr warn;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $(pwd)/w/t1;
	proxy_temp_path $(pwd)/w/t2;
	fastcgi_temp_path $(pwd)/w/t3;
	uwsgi_temp_path $(pwd)/w/t4;
	scgi_temp_path $(pwd)/w/t5;
	server {
		listen ${port} reuseport;
		listen [::]:${port} ipv6only=on reuseport;
		root $(pwd)/w;
		location = /port { return 200 "\$server_port\n"; }
	}
}
END
	cat >w/run.sh <<END
/usr/sbin/nginx -c $(pwd)/w/nginx.conf -p $(pwd)/w &
pid=\$!
tries=0
until curl -s -f http://127.0.0.1:${port}/ >/dev/null; do
	tries=\$((tries + 1))
	[ \${tries} -lt 100 ] || exit 1
	sleep 0.05
done
for i in 1 2 3 4 5 6; do
	curl -s -f http://127.0.0.1:${port}/index.html
	curl -s -f http://[::1]:${port}/port
done
kill \$pid
wait
END
	for i in 1 2 3 4 5 6; do
		echo page
		echo ${port}
	done >want
	set -f
	user=
	[ "$(id -u)" -ne 0 ] || user="--run-as nobody"
	atf_check -o file:want -e ignore timeout 60 ${box} -w w --cwd w \
	    --unveil /var:r ${user} ${remap} -- /bin/sh run.sh
}
nginx_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case node cleanup
node_head()
{
	net_head "node with a server on every address" /usr/bin/node
}
node_body()
{
	free_port
	host
	cat >t.js <<END
const http = require('http');
const server = http.createServer((q, r) => r.end(q.socket.localPort + ' ' +
    q.socket.localAddress));
server.listen(${port}, () => {
	console.log(server.address().port);
	http.get('http://127.0.0.1:${port}/', (r) => {
		console.log(r.socket.remotePort);
		r.on('data', (d) => console.log('' + d));
		r.on('end', () => { server.close(); process.exit(0); });
	});
});
END
	set -f
	atf_check -o inline:"${port}\n${port}\n${port} ::ffff:127.0.0.1\n" \
	    timeout 60 ${box} -r t.js ${remap} -- /usr/bin/node t.js
}
node_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case needs cleanup
needs_head()
{
	net_head "only with the option those calls are looked at"
}
needs_body()
{
	free_port
	host
	cat >t.py <<END
import socket
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(1)
c = socket.create_connection(s.getsockname())
d, _ = s.accept()
d.getpeername()
for i in range(1000):
    d.send(b'x')
    c.recv(1)
print('ok')
END
	set -f
	for o in "" --port-remap; do
		atf_check -o inline:"ok\n" ${box} -r t.py --status-fd 3 \
		    --net-allow-bind "*" --net-allow "*" ${o} -- \
		    /usr/bin/python3 t.py 3>lines
		tail -n 1 lines >status${o:---none}
	done
	# A name may be that of a route socket, the other end never.
	atf_check -s exit:1 grep -E "getpeername|accept" status--none
	for call in getsockname getpeername accept4; do
		atf_check -o ignore grep "\"${call}\"" status--port-remap
	done
	# Data never is.
	atf_check -s exit:1 grep -E "send|recv" status--none \
	    status--port-remap
	atf_check -s exit:125 -e match:"impossible with .*--port-remap" \
	    ${box} --no-supervisor --port-remap -- true
	# Without a rule for either nothing is.
	atf_check -o inline:"()\n" ${box} -r t.py --status-fd 3 -- \
	    /usr/bin/python3 -c 'import socket
print(socket.socketpair()[0].getsockname() or ())' 3>lines
	atf_check -s exit:1 grep -E "bind|listen|sock|accept" lines
}
needs_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_init_test_cases()
{
	atf_add_test_case remap_tcp
	atf_add_test_case remap_clients
	atf_add_test_case remap_udp
	atf_add_test_case remap_descriptors
	atf_add_test_case remap_connections
	atf_add_test_case remap_reuseport
	atf_add_test_case remap_names
	atf_add_test_case unix
	atf_add_test_case rules
	atf_add_test_case races
	atf_add_test_case chosen
	atf_add_test_case two_sandboxes
	atf_add_test_case tables
	atf_add_test_case host_tables
	atf_add_test_case redis
	atf_add_test_case nginx
	atf_add_test_case node
	atf_add_test_case needs
}
