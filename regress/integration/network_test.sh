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

# The network: nothing without a rule, and with one what it says.  A server
# outside tells whether anything came to it.

# client EXPECTED ARGUMENTS OF THE POLICY -- CLIENT'S: the answers are
# EXPECTED, words.
client()
{
	want=$1
	shift
	args=
	while [ "$1" != -- ]; do
		args="${args} $1"
		shift
	done
	shift
	set -f
	${box} ${args} -- /usr/bin/python3 "$(helper client.py)" "$@" \
	    >out 2>err
	status=$?
	set +f
	[ ${status} -eq 0 ] && [ ! -s err ] ||
	    atf_fail "${args} -- $*: $(head -n 1 err)"
	got=$(echo $(cat out))
	[ "${got}" = "${want}" ] ||
	    atf_fail "${args} -- $*: ${got}, not ${want}"
}

# The same without a sandbox: the control of refusals.
bare_client()
{
	want=$1
	shift
	got=$(echo $(/usr/bin/python3 "$(helper client.py)" "$@"))
	[ "${got}" = "${want}" ] || atf_fail "bare: $*: ${got}, not ${want}"
}

reached()
{
	n=$(hits "$1")
	[ "${n}" -eq "$2" ] || atf_fail "$1 was reached ${n} times, not $2"
}

has_hits()
{
	[ "$(hits "$1")" -eq "$2" ]
}

net_head()
{
	atf_set "require.files" "/usr/bin/python3"
	atf_set "timeout" "120"
}

atf_test_case nothing cleanup
nothing_head()
{
	atf_set "descr" "without a rule there is no socket at all"
	net_head
}
nothing_body()
{
	server s 127.0.0.1
	bare_client "ok ok" tcp:127.0.0.1:${port} listen:0
	reached s 1
	client "EACCES EACCES EACCES EACCES EACCES EACCES EACCES" -- \
	    tcp:127.0.0.1:${port} tcp:::1:${port} udp:127.0.0.1:${port} \
	    tcp:::ffff:127.0.0.1:${port} listen:0 listen:- listen6:0
	client "EACCES EACCES EACCES EACCES EACCES EACCES EACCES" -- \
	    family:16 family:17 family:38 family:40 family:29 family:31 \
	    family:43
	client "EACCES ok ok EACCES" -- \
	    unixdgram:/x pair:1 pair:5 pair:2
	reached s 1
	# With a rule there are route sockets, which are the sandbox's own.
	client "ok EACCES EACCES EACCES EACCES EACCES EACCES" \
	    --net-allow 127.0.0.1:1 -- \
	    family:16 family:17 family:38 family:40 family:29 family:31 \
	    family:43
	client "ok EACCES EACCES" --net-allow-bind 1 -- family:16 family:17 \
	    family:38
	client "EACCES EACCES" --no-supervisor --net-allow "tcp://*" -- \
	    family:16 family:17
	# Kernel only, too.
	client "EACCES EACCES ok" --no-supervisor -- \
	    tcp:127.0.0.1:${port} listen:0 pair:1
	reached s 1
}
nothing_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case ports cleanup
ports_head()
{
	atf_set "descr" "rules of ports, by Landlock alone and by netd"
	net_head
}
ports_body()
{
	server a 127.0.0.1
	p=${port}
	server b 127.0.0.1
	q=${port}
	server c ::1
	r=${port}
	# --no-supervisor: the kernel refuses.
	client "ok EACCES EACCES ok EACCES" --no-supervisor --net-allow tcp://:${p} \
	    -- tcp:127.0.0.1:${p} tcp:127.0.0.1:${q} tcp:::1:${r} \
	    tcp:::ffff:127.0.0.1:${p} tcp:::ffff:127.0.0.1:${q}
	reached a 2
	reached b 0
	reached c 0
	# The same with a path granted for writing, where netd connects.
	mkdir d
	client "ok ECONNREFUSED ECONNREFUSED ok ECONNREFUSED" -w d \
	    --net-allow :${p} -- tcp:127.0.0.1:${p} tcp:127.0.0.1:${q} \
	    tcp:::1:${r} tcp:::ffff:127.0.0.1:${p} tcp:::ffff:127.0.0.1:${q}
	reached a 4
	reached b 0
	reached c 0
	client "ok ok ok" --net-allow "*" -- tcp:127.0.0.1:${p} \
	    tcp:127.0.0.1:${q} tcp:::1:${r}
	client "ok ok EACCES" --no-supervisor --net-allow tcp://:${p},${q} -- \
	    tcp:127.0.0.1:${p} tcp:127.0.0.1:${q} tcp:::1:${r}
	reached c 1
	# Other protocols on an admitted port.
	client "EACCES EACCES EACCES EACCES EACCES EACCES" \
	    --net-allow "tcp://*" -- \
	    udp:127.0.0.1:${p} mptcp:127.0.0.1:${p} sctp:127.0.0.1:${p} \
	    smc:127.0.0.1:${p} raw:127.0.0.1:${p} udplite:127.0.0.1:${p}
	client "EACCES EACCES EACCES EACCES EACCES" \
	    --net-allow "*" --net-allow "icmp://*" -- \
	    mptcp:127.0.0.1:${p} sctp:127.0.0.1:${p} \
	    smc:127.0.0.1:${p} raw:127.0.0.1:${p} udplite:127.0.0.1:${p}
	# Without a rule for TCP there is no socket of it.
	client "EACCES" --net-allow "udp://*" --net-allow "icmp://*" -- \
	    tcp:127.0.0.1:${p}
}
ports_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case addresses cleanup
addresses_head()
{
	atf_set "descr" "rules of addresses and names, in every form"
	net_head
}
addresses_body()
{
	server a 127.0.0.1
	p=${port}
	server b 127.0.0.2
	q=${port}
	server c ::1
	r=${port}
	client "ok ECONNREFUSED ECONNREFUSED ok ECONNREFUSED" \
	    --net-allow 127.0.0.1:${p} -- \
	    tcp:127.0.0.1:${p} tcp:127.0.0.2:${q} tcp:::1:${r} \
	    tcp:::ffff:127.0.0.1:${p} tcp:::ffff:127.0.0.2:${q}
	reached a 2
	reached b 0
	reached c 0
	# The unspecified address is this host.
	client "ok ok" --net-allow 127.0.0.1:${p} -- \
	    tcp:0.0.0.0:${p} tcp:::ffff:0.0.0.0:${p}
	client "ECONNREFUSED ECONNREFUSED" --net-allow 127.0.0.2:${q} -- \
	    tcp:0.0.0.0:${p} tcp:127.0.0.1:${p}
	reached a 4
	client "ok ECONNREFUSED ECONNREFUSED" --net-allow [::1]:${r} -- \
	    tcp:::1:${r} tcp:127.0.0.1:${p} tcp:::ffff:127.0.0.1:${p}
	reached a 4
	reached c 1
	client "ok ok ECONNREFUSED" --net-allow 127.0.0.0/8 -- \
	    tcp:127.0.0.1:${p} tcp:127.0.0.2:${q} tcp:::1:${r}
	client "ok ECONNREFUSED ECONNREFUSED" --net-allow localhost:${p} -- \
	    tcp:127.0.0.1:${p} tcp:::1:${r} tcp:127.0.0.2:${q}
	reached b 1
	client "ok ECONNREFUSED" --net-allow [::ffff:127.0.0.1]:${p} -- \
	    tcp:127.0.0.1:${p} tcp:127.0.0.2:${q}
	reached b 1
	atf_check -s exit:125 -e match:"does-not-exist.invalid" \
	    timeout 60 ${box} --net-allow does-not-exist.invalid:1 -- true
}
addresses_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case denied cleanup
denied_head()
{
	atf_set "descr" "rules that refuse, with those that admit, in order"
	net_head
}
denied_body()
{
	server a 127.0.0.1
	p=${port}
	server b 127.0.0.2
	q=${port}
	all="tcp:127.0.0.1:${p} tcp:127.0.0.2:${q}"
	# By the kernel alone.
	client "ok ok" --no-supervisor --net-allow "tcp://*" -- ${all}
	client "ok EACCES" --no-supervisor --net-deny tcp://:${q} \
	    --net-allow "tcp://*" -- ${all}
	reached a 2
	reached b 1
	# An option that refuses beats all that admit, of options and files.
	client "ok ECONNREFUSED" --net-deny 127.0.0.2 \
	    --net-allow 127.0.0.0/8 -- ${all}
	client "ok ECONNREFUSED" --net-allow 127.0.0.2:${q} --net-allow "*" \
	    --net-deny 127.0.0.2/31:${q} -- ${all}
	client "ok ok" --net-allow "*" --net-deny udp://127.0.0.2 \
	    --net-deny 127.0.0.2:${p} --net-deny 127.0.0.3 -- ${all}
	client "ECONNREFUSED ok" --net-allow "*" --net-deny localhost -- \
	    ${all}
	client "ECONNREFUSED ok" --net-allow "*" \
	    --net-deny "[::ffff:127.0.0.1]" -- ${all}
	reached a 5
	reached b 4
	cat >rules.conf <<-END
	profile "last" {
		pass out to any
		block out to 127.0.0.0/8
		pass out to 127.0.0.2 port ${q}
	}
	profile "quick" {
		block out quick to 127.0.0.2
		pass out to any
	}
	END
	chmod 644 rules.conf
	client "ECONNREFUSED ok" -f rules.conf -p last -- ${all}
	client "ok ECONNREFUSED" -f rules.conf -p quick -- ${all}
	client "ok ECONNREFUSED" -f rules.conf -p quick \
	    --net-allow 127.0.0.2 -- ${all}
	client "ECONNREFUSED ECONNREFUSED" -f rules.conf -p last \
	    --net-deny :${q} -- ${all}
	reached a 7
	reached b 5
	# The log says by which rule.
	client "ECONNREFUSED ECONNREFUSED" --log-denials log.json \
	    --net-allow 127.0.0.0/8:${p},${q} \
	    --net-deny 127.0.0.2:${q} -- tcp:127.0.0.2:${q} tcp:127.0.0.1:1
	atf_check -o inline:"block out proto { tcp udp } to 127.0.0.2 \
port ${q}\nnetwork\n" sed -n 's/.*"call":"connect".*"rule":"\([^"]*\)".*/\1/p' log.json
	reached b 5
	# Servers.
	server free 127.0.0.1
	r=${port}
	cleanup
	rm pids
	client "ok EACCES" --net-deny-bind ${q} --net-allow-bind ${r},${q} \
	    -- listen:${r} listen:${q}
	client "ok" --net-allow-bind ${r},${q} -- listen:${q}
}
denied_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case former_names cleanup
former_names_head()
{
	atf_set "descr" "--net-allow-host, --net-connect and --net-bind"
	net_head
}
former_names_body()
{
	server a 127.0.0.1
	p=${port}
	server b 127.0.0.2
	q=${port}
	all="tcp:127.0.0.1:${p} tcp:127.0.0.2:${q}"
	client "ok ECONNREFUSED" --net-allow-host 127.0.0.1 -- ${all}
	client "EACCES ok" --no-supervisor --net-connect ${q} -- ${all}
	reached a 1
	reached b 1
	# Both limits have to be kept.
	client "ECONNREFUSED ECONNREFUSED" --net-allow-host 127.0.0.1 \
	    --net-connect ${q} -- ${all}
	reached a 1
	reached b 1
	client "ok ECONNREFUSED" --net-allow-host 127.0.0.1 \
	    --net-connect ${q},${p} -- ${all}
	reached a 2
	reached b 1
	server free 127.0.0.1
	r=${port}
	cleanup
	rm pids
	client "ok EACCES" --net-bind ${r} -- listen:${r} listen:${q}
}
former_names_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case bind cleanup
bind_head()
{
	atf_set "descr" "servers inside: which ports, and a client outside"
	atf_set "require.progs" "curl"
	net_head
}
bind_body()
{
	server free 127.0.0.1
	p=${port}
	cleanup
	rm pids
	client "ok EACCES EACCES EACCES" --net-allow-bind ${p} -- \
	    listen:${p} listen:0 listen:- listen:1025
	client "ok EACCES EACCES" --net-allow-bind ${p} -- \
	    listen6:${p} listen6:0 listen:1025
	# The kernel alone cannot tell a bound socket from another.
	atf_check -s exit:125 -e match:"impossible with.*--net-allow-bind" \
	    ${box} --no-supervisor --net-allow-bind ${p} -- true
	client "ok ok ok" --net-allow-bind "*" -- listen:${p} listen:0 listen:-
	# Without a rule for connects there is none.
	server s 127.0.0.1
	client "ECONNREFUSED" --net-allow-bind "*" -- tcp:127.0.0.1:${port}
	reached s 0
	# A connect rule admits no server.
	client "EACCES EACCES" --net-allow "*" -- listen:${p} listen:-
	mkdir www
	echo content >www/file
	background ${box} -r www --cwd www --net-allow-bind ${p} -- \
	    /usr/bin/python3 -m http.server ${p} --bind 127.0.0.1 \
	    >log 2>&1
	wait_for curl -s -f http://127.0.0.1:${p}/
	atf_check -o inline:"content\n" curl -s http://127.0.0.1:${p}/file
}
bind_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case unix cleanup
unix_head()
{
	atf_set "descr" "sockets in the file system take w"
	net_head
}
unix_body()
{
	mkdir w r
	top=$(pwd)
	server a "${top}/w/s"
	server b "${top}/r/s"
	bare_client "ok ok" unix:${top}/w/s unix:${top}/r/s
	ln -s ../r/s w/link
	client "ok EACCES EACCES ok ECONNREFUSED ENOENT" -w w -r r -- \
	    unix:${top}/w/s unix:${top}/r/s unix:${top}/w/link \
	    unix:w/../w/s unix:${top}/w unix:${top}/w/missing
	reached a 3
	reached b 1
	client "EACCES EACCES" -r w -r r -- \
	    unix:${top}/w/s unix:${top}/r/s
	reached a 3
	client "ok" --unveil r/s:w -- unix:${top}/r/s
	reached b 2
	# Without any grant of w.
	client "EACCES" -- unix:${top}/w/s
	# Kernel only.
	client "EACCES" --no-supervisor -r w -- unix:${top}/w/s
	reached a 3
	client "EACCES EPROTOTYPE" -w w -- unixdgram:${top}/w/s \
	    unixseq:${top}/w/s
}
unix_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

# A server of datagrams at a path: NAME PATH.
log_server()
{
	: >"$1.hits"
	background /usr/bin/python3 "$(helper sink.py)" "$1" log "$2"
	wait_for test -s "$1"
}

atf_test_case unix_datagrams cleanup
unix_datagrams_head()
{
	atf_set "descr" "datagrams go where a socket of them is granted"
	net_head
}
unix_datagrams_body()
{
	mkdir w r
	top=$(pwd)
	log_server a "${top}/w/s"
	log_server b "${top}/r/s"
	server c "${top}/w/stream"
	ln -s ../r/s w/link
	all="unixdgram:${top}/w/s unixto:${top}/w/s unixdgram:${top}/r/s
	    unixto:${top}/r/s unixto:${top}/w/link"
	bare_client "ok ok ok ok ok" ${all}
	wait_for has_hits a 2
	wait_for has_hits b 3
	# With the one granted, what else is writable can be had as well.
	client "ok ok EACCES EACCES EACCES" -w w --unveil w/s:w -r r -- ${all}
	client "EPROTOTYPE EPROTOTYPE ENOENT ok EPROTOTYPE" -w w \
	    --unveil w/s:w -- unixdgram:${top}/w/stream \
	    unixto:${top}/w/stream unixto:${top}/w/missing \
	    unixto:w/../w/s unixseq:${top}/w/s
	client "EACCES EACCES ok ok ok" --unveil r/s:w -- ${all}
	# The kinds that are no datagrams of this family.
	client "ok EACCES EACCES EACCES" --unveil r/s:w -- pair:2 family:16 \
	    udp:127.0.0.1:1 tcp:127.0.0.1:1
	wait_for has_hits a 5
	wait_for has_hits b 6
	# Without such a grant no socket, or one that leads nowhere.
	client "EACCES EACCES EACCES EACCES EACCES" -w w -r r -- ${all}
	client "EACCES EACCES EACCES EACCES EACCES" --no-supervisor -r w -- \
	    ${all}
	client "EPROTOTYPE EPIPE EACCES EPIPE EPIPE" -w w -r r \
	    --net-allow tcp://127.0.0.1:1 -- ${all}
	# Where sends are seen for the sake of UDP: as granted.
	client "ok ok EACCES EACCES EACCES" -w w -r r \
	    --net-allow udp://127.0.0.1:1 -- ${all}
	wait_for has_hits a 7
	reached a 7
	reached b 6
	reached c 0
}
unix_datagrams_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case unix_inside
unix_inside_head()
{
	atf_set "descr" "servers and clients inside, with and without a path"
	net_head
}
unix_inside_body()
{
	mkdir w
	cat >t.py <<'END'
import array, os, socket, sys
sys.stdout.reconfigure(line_buffering=True)
for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
    for name in 'w/sock%d' % kind, '\0sandlock-test%d' % kind, '':
        s = socket.socket(socket.AF_UNIX, kind)
        s.bind(name)
        s.listen(1)
        pid = os.fork()
        if pid == 0:
            c = socket.socket(socket.AF_UNIX, kind)
            c.connect(s.getsockname())
            r, w = os.pipe()
            c.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                array.array('i', [r]))])
            os.write(w, b'through the pipe')
            os._exit(0)
        c, _ = s.accept()
        data, anc, flags, _ = c.recvmsg(1, socket.CMSG_SPACE(4))
        fd = array.array('i', anc[0][2])[0]
        assert os.read(fd, 100) == b'through the pipe'
        assert os.waitpid(pid, 0)[1] == 0
        os.close(fd)
print('ok')
END
	atf_check -o inline:"ok\n" ${box} -w w -r t.py -- /usr/bin/python3 t.py
	# Beside sockets of TCP, which may not listen.
	rm w/*
	atf_check -o inline:"ok\n" ${box} -w w -r t.py \
	    --net-allow tcp://127.0.0.1:9 -- /usr/bin/python3 t.py
	client "EACCES EACCES" -w w --net-allow tcp://127.0.0.1:9 -- \
	    listen:- listen:0
}

atf_test_case abstract cleanup
abstract_head()
{
	atf_set "descr" "abstract sockets of the outside are not reached"
	net_head
}
abstract_body()
{
	mkdir w
	server s @sandlock-test-$$
	bare_client ok unix:@sandlock-test-$$
	client EPERM -w w -- unix:@sandlock-test-$$
	client EPERM -- unix:@sandlock-test-$$
	reached s 1
	client ok -w w --disable abstract-unix-socket-scope -- \
	    unix:@sandlock-test-$$
	reached s 2
}
abstract_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case peercred cleanup
peercred_head()
{
	atf_set "descr" "servers see the workload's user and group"
	net_head
}
peercred_body()
{
	mkdir w
	server s "$(pwd)/w/s"
	cat >t.py <<'END'
import os, socket
s = socket.socket(socket.AF_UNIX)
s.connect('w/s')
pid, uid, gid = map(int, s.recv(100).split())
print(uid == os.getuid(), gid == os.getgid())
END
	atf_check -o inline:"True True\n" ${box} -w w -r t.py -- \
	    /usr/bin/python3 t.py
}
peercred_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case clients cleanup
clients_head()
{
	atf_set "descr" "non-blocking, asyncio and curl clients of netd"
	net_head
	atf_set "require.progs" "curl"
}
clients_body()
{
	server s 127.0.0.1
	cat >t.py <<'END'
import asyncio, errno, select, socket, sys
port = int(sys.argv[1])
closed = int(sys.argv[2])

def nonblocking(port):
    s = socket.socket()
    s.setblocking(False)
    e = s.connect_ex(('127.0.0.1', port))
    assert e in (0, errno.EINPROGRESS, errno.ECONNREFUSED), e
    if e == errno.EINPROGRESS:
        select.select([], [s], [], 10)
        e = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    print(s.connect_ex(('127.0.0.1', port)) , s.connect_ex(('127.0.0.1', port)))
    if e == 0:
        assert s.getpeername() == ('127.0.0.1', port)
    return errno.errorcode.get(e, e)

print(nonblocking(port), nonblocking(closed))

# A blocking socket still blocks afterwards.
s = socket.create_connection(('127.0.0.1', port))
assert s.getblocking() and s.gettimeout() is None
s.sendall(b'abc')
assert s.recv(10) == b'abc'

async def one():
    r, w = await asyncio.open_connection('127.0.0.1', port)
    w.write(b'abc')
    data = await r.read(10)
    w.close()
    return data == b'abc'

async def main():
    print(all(await asyncio.gather(*[one() for i in range(50)])))
    try:
        await asyncio.open_connection('127.0.0.1', closed)
    except ConnectionRefusedError:
        print('refused')

asyncio.run(main())
END
	cat >closed.py <<'END'
import socket
s = socket.socket()
s.bind(('127.0.0.1', 0))
print(s.getsockname()[1])
END
	closed=$(/usr/bin/python3 closed.py)
	rule="--net-allow 127.0.0.1:${port} --net-allow 127.0.0.1:${closed}"
	atf_check -o match:"^True$" -o match:"^refused$" -o save:bare \
	    /usr/bin/python3 t.py ${port} ${closed}
	atf_check -o file:bare \
	    ${box} ${rule} -r t.py -- /usr/bin/python3 t.py ${port} ${closed}
	atf_check -o inline:"hello\n" ${box} ${rule} -- \
	    curl -s http://127.0.0.1:${port}/
	n=$(hits s)
	atf_check -s exit:7 ${box} --net-allow 127.0.0.3:${port} -- \
	    curl -s http://127.0.0.1:${port}/
	reached s ${n}
}
clients_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case storm cleanup
storm_head()
{
	atf_set "descr" "500 connects of 5 processes, all but the refused made"
	net_head
}
storm_body()
{
	server s 127.0.0.1
	p=${port}
	server t 127.0.0.1
	cat >t.py <<'END'
import os, socket, sys
good, bad = map(int, sys.argv[1:])
children = []
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        for i in range(100):
            s = socket.create_connection(('127.0.0.1', good))
            s.sendall(b'abc')
            if s.recv(10) != b'abc':
                os._exit(1)
            s.close()
            if i % 10 == 0:
                if socket.socket().connect_ex(('127.0.0.1', bad)) != 111:
                    os._exit(2)
        os._exit(0)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children])
END
	atf_check -o inline:"[0, 0, 0, 0, 0]\n" ${box} \
	    --net-allow 127.0.0.1:${p} -r t.py -- \
	    /usr/bin/python3 t.py ${p} ${port}
	reached s 500
	reached t 0
}
storm_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case redis cleanup
redis_head()
{
	atf_set "descr" "redis-server and redis-cli inside"
	net_head
	atf_set "require.progs" "redis-server redis-cli"
}
redis_body()
{
	server free 127.0.0.1
	cleanup
	mkdir w
	cat >t.sh <<END
redis-server --port ${port} --bind 127.0.0.1 --dir w --save '' \
    --unixsocket \$(pwd)/w/sock --daemonize no >w/log 2>&1 &
until redis-cli -p ${port} ping >/dev/null 2>&1; do sleep 0.1; done
redis-cli -p ${port} set key value
redis-cli -s \$(pwd)/w/sock get key
redis-cli -p ${port} bgsave >/dev/null
redis-cli -p ${port} shutdown nosave
wait
END
	atf_check -o inline:"OK\nvalue\n" timeout 60 ${box} -w w -r t.sh \
	    -r /proc --net-allow 127.0.0.1:${port} --net-allow-bind ${port} \
	    -- sh t.sh
}
redis_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case pass_fd cleanup
pass_fd_head()
{
	atf_set "descr" "--pass-fd keeps a descriptor, and only that one"
	net_head
}
pass_fd_body()
{
	echo content >file
	echo 'read x <&5 && echo "$x"; ls /proc/self/fd | tr "\n" " "' >t.sh
	atf_check -o inline:"content\n0 1 2 3 5 " sh -c \
	    "exec ${box} -r /proc --pass-fd 5 -r t.sh -- sh t.sh \
	    5<file 6<file 9<."
	atf_check -s ignore -o inline:"0 1 2 3 " -e match:"[Bb]ad f" sh -c \
	    "exec ${box} -r /proc -r t.sh -- sh t.sh 5<file 6<file 9<."
	atf_check -s exit:125 -e match:"--pass-fd 5" \
	    sh -c "exec ${box} --pass-fd 5 -- true 5<&-"
	# A listening socket: the workload serves, but can make none.
	server free 127.0.0.1
	cleanup
	rm -f pids
	cat >serve.py <<'END'
import os, socket, subprocess, sys
s = socket.create_server(('127.0.0.1', int(sys.argv[1])))
os.set_inheritable(s.fileno(), True)
code = '''
import socket
s = socket.socket(fileno=%d)
c, _ = s.accept()
c.sendall(b"served")
''' % s.fileno()
p = subprocess.Popen(sys.argv[2:] + ['--pass-fd', str(s.fileno()), '--',
                     '/usr/bin/python3', '-c', code], close_fds=False)
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
print(c.recv(100).decode())
p.wait()
END
	atf_check -o inline:"served\n" timeout 30 /usr/bin/python3 serve.py \
	    ${port} ${box}
}
pass_fd_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case interrupted cleanup
interrupted_head()
{
	atf_set "descr" "a signal interrupts a connect that waits"
	net_head
}
interrupted_body()
{
	cat >t.py <<'END'
import ctypes, errno, os, signal, socket, struct, time
libc = ctypes.CDLL(None, use_errno=True)
server = socket.socket()
server.bind(('127.0.0.1', 0))
server.listen(0)
port = server.getsockname()[1]
addr = struct.pack('=H', socket.AF_INET) + struct.pack('!H', port) + \
    socket.inet_aton('127.0.0.1') + bytes(8)
# As many as there is room for, and more.
full = [socket.socket() for i in range(3)]
for s in full:
    s.setblocking(False)
    try:
        s.connect(('127.0.0.1', port))
    except BlockingIOError:
        pass

def connect(s):
    if libc.connect(s.fileno(), addr, len(addr)) == 0:
        return 'connected'
    return errno.errorcode[ctypes.get_errno()]

caught = 0
@ctypes.CFUNCTYPE(None, ctypes.c_int)
def handler(sig):
    global caught
    caught += 1

libc.signal(signal.SIGALRM, handler)
libc.siginterrupt(signal.SIGALRM, 1)
s = socket.socket()
signal.alarm(1)
print(connect(s), caught)
s.setblocking(False)
print(connect(s))
# With SA_RESTART it goes on, until there is room.
libc.siginterrupt(signal.SIGALRM, 0)
if os.fork() == 0:
    time.sleep(3)
    for i in range(4):
        server.accept()
    os._exit(0)
s = socket.socket()
signal.alarm(1)
print(connect(s), caught)
END
	want="EINTR 1\nEALREADY\nconnected 2\n"
	atf_check -o inline:"${want}" timeout 60 /usr/bin/python3 t.py
	set -f
	atf_check -o inline:"${want}" timeout 60 ${box} -r t.py \
	    --net-allow 127.0.0.1 --net-allow-bind "*" -- \
	    /usr/bin/python3 t.py
	set +f
}
interrupted_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case nothing
	atf_add_test_case ports
	atf_add_test_case addresses
	atf_add_test_case denied
	atf_add_test_case former_names
	atf_add_test_case bind
	atf_add_test_case unix
	atf_add_test_case unix_datagrams
	atf_add_test_case unix_inside
	atf_add_test_case abstract
	atf_add_test_case peercred
	atf_add_test_case interrupted
	atf_add_test_case clients
	atf_add_test_case storm
	atf_add_test_case redis
	atf_add_test_case pass_fd
}
