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


# The workload's resolver: what it answers, what it asks name servers, which
# addresses it admits and for how long.  Every run has a network and an /etc of
# its own, and a name server that misbehaves as it is told (dns.py).

resolver_head()
{
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare ip"
	atf_set "timeout" "120"
}

# A sandbox with a resolver, and who asks it.
resolver()
{
	namespaces
	resolves="${ns} ${bare_box} --net-resolver"
	any="--net-allow *.test:80"
	ask="${python} $(helper ask.py)"
}

atf_test_case answers
answers_head()
{
	atf_set "descr" "what the rules have is asked for, and nothing else"
	resolver_head
}
answers_body()
{
	resolver
	cat >zone <<-'END'
		good.test 60 A 203.0.113.5 203.0.113.6
		good.test 70 AAAA 2001:db8::5
		a.sub.test 60 A 203.0.113.7
		sub.test 60 A 203.0.113.8
		evilsub.test 60 A 203.0.113.9
		alias.test 50 CNAME outside.test
		outside.test 40 A 203.0.113.10
		four.test 60 A 203.0.113.11
		mapped.test 60 AAAA ::ffff:203.0.113.12
	END
	rules="--net-allow good.test:80 --net-allow *.sub.test:80"
	rules="${rules} --net-allow alias.test:80 --net-allow four.test:80"
	rules="${rules} --net-allow mapped.test:80"
	atf_check -o save:out ${resolves} ${rules} -- ${ask} good.test GOOD.Test good.test. \
	    good.test/AAAA good.test/HTTPS good.test/TXT good.test/ANY \
	    alias.test four.test/AAAA mapped.test/AAAA foo.test localhost \
	    x.localhost/AAAA a.sub.test A.SUB.test sub.test evilsub.test \
	    outside.test secret good.test.evil.test test xgood.test \
	    "good test" "good.te\0st" 'a*.sub.test' "*.sub.test" \
	    b.sub.test
	atf_check -o file:out cat <<-'END'
		good.test ok 203.0.113.5/60 203.0.113.6/60
		GOOD.Test ok 203.0.113.5/60 203.0.113.6/60
		good.test. ok 203.0.113.5/60 203.0.113.6/60
		good.test/AAAA ok 2001:db8::5/70
		good.test/HTTPS ok
		good.test/TXT ok
		good.test/ANY ok
		alias.test ok 203.0.113.10/40 CNAME/50
		four.test/AAAA ok
		mapped.test/AAAA ok ::ffff:203.0.113.12/60
		foo.test NXDOMAIN
		localhost ok 127.0.0.1/0
		x.localhost/AAAA ok ::1/0
		a.sub.test ok 203.0.113.7/60
		A.SUB.test ok 203.0.113.7/60
		sub.test NXDOMAIN
		evilsub.test NXDOMAIN
		outside.test NXDOMAIN
		secret NXDOMAIN
		good.test.evil.test NXDOMAIN
		test NXDOMAIN
		xgood.test NXDOMAIN
		good test NXDOMAIN
		good.te\0st NXDOMAIN
		a*.sub.test NXDOMAIN
		*.sub.test NXDOMAIN
		b.sub.test NXDOMAIN
	END
	# Nobody has heard of the others.
	sort -u dns.log >asked
	atf_check -o file:asked cat <<-'END'
		a.sub.test A
		alias.test A
		b.sub.test A
		four.test AAAA
		good.test A
		good.test AAAA
		mapped.test AAAA
		ready
	END
	# The control: the name server knows them.
	atf_check -o match:"outside.test .*203.0.113.10" ${ns} ${python} -c \
	    "import socket
print('outside.test', socket.gethostbyname('outside.test'))"
}

atf_test_case times
times_head()
{
	atf_set "descr" "an address is admitted for as long as was told"
	resolver_head
}
times_body()
{
	resolver
	cat >zone <<-'END'
		zero.test 0 A 203.0.113.5
		minute.test 60 A 203.0.113.6
		ages.test 2147483647 A 203.0.113.7
		signed.test 2147483648 A 203.0.113.8
		chain.test 4294967295 CNAME zero.test
	END
	# Nothing leads there: ENETUNREACH is the kernel's answer.
	atf_check -o save:out ${resolves} ${any} -- ${ask} \
	    udp:203.0.113.6:80 zero.test minute.test ages.test signed.test \
	    chain.test udp:203.0.113.5:80 udp:203.0.113.6:80 \
	    udp:203.0.113.7:80 udp:203.0.113.8:80 udp:203.0.113.6:81 \
	    udp:203.0.113.9:80
	atf_check -o file:out cat <<-'END'
		udp:203.0.113.6:80 ECONNREFUSED
		zero.test ok 203.0.113.5/0
		minute.test ok 203.0.113.6/60
		ages.test ok 203.0.113.7/86400
		signed.test ok 203.0.113.8/0
		chain.test ok 203.0.113.5/0 CNAME/0
		udp:203.0.113.5:80 ENETUNREACH
		udp:203.0.113.6:80 ENETUNREACH
		udp:203.0.113.7:80 ENETUNREACH
		udp:203.0.113.8:80 ENETUNREACH
		udp:203.0.113.6:81 ECONNREFUSED
		udp:203.0.113.9:80 ECONNREFUSED
	END
	# It ends, but not that of others, and can be had again.
	atf_check -o inline:"ENETUNREACH late ENETUNREACH again\n" ${ns} \
	    ${bare_box} --net-resolver --net-allow "*.test:80" -- \
	    ${python} -c "
import sys, time
sys.path.insert(0, '$(atf_get_srcdir)')
from ask import ask, connect
ask('minute.test'), ask('zero.test')
start = time.monotonic()
while connect('203.0.113.5', 80) == 'ENETUNREACH':
    time.sleep(0.1)
late = time.monotonic() - start
print(connect('203.0.113.6', 80), 'late' if 5 < late < 20 else late, end=' ')
ask('zero.test')
print(connect('203.0.113.5', 80), 'again')"
}

atf_test_case rebinding
rebinding_head()
{
	atf_set "descr" "addresses that a name must not have"
	resolver_head
}
rebinding_body()
{
	resolver
	cat >zone <<-'END'
		local.test 60 A 127.0.0.1 127.255.0.1 0.0.0.0 0.1.2.3 10.0.0.1 169.254.169.254
		local.test 60 A 192.168.1.1 172.16.0.1 100.64.0.1 224.0.0.1 240.0.0.1 255.255.255.255
		local.test 60 A 198.51.100.7 203.0.113.5
		local.test 60 AAAA :: ::1 fe80::1 fc00::1 fec0::1 ff02::1 ::ffff:127.0.0.1
		local.test 60 AAAA ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::1
		local.test 60 AAAA 2002:a00:1:: ::ffff:0:127.0.0.1 2001::1 2001:db8::7
		local.test 60 AAAA ::ffff:198.51.100.7 2001:db8::5
		later.test 60 A 198.51.100.8
		later.test 60 AAAA 2001:db8::8
	END
	own="ip addr add 198.51.100.7/32 dev lo &&
	    ip addr add 2001:db8::7/128 dev lo nodad || exit 1"
	box="${bare_box} --net-resolver ${any}"
	atf_check -o save:out ${ns} sh -c "${own}; exec ${box} -- ${ask} \
	    local.test local.test/AAAA udp:127.0.0.1:80 udp:10.0.0.1:80 \
	    udp:198.51.100.7:80 udp:::1:80 udp:2001:db8::7:80"
	atf_check -o file:out cat <<-'END'
		local.test ok 203.0.113.5/60
		local.test/AAAA ok 2001:db8::5/60
		udp:127.0.0.1:80 ECONNREFUSED
		udp:10.0.0.1:80 ECONNREFUSED
		udp:198.51.100.7:80 ECONNREFUSED
		udp:::1:80 ECONNREFUSED
		udp:2001:db8::7:80 ECONNREFUSED
	END
	# A rule with the address takes it for the ports of the name's rule.
	atf_check -o inline:"local.test ok 10.0.0.1/60 \
198.51.100.7/60 203.0.113.5/60\n" \
	    ${resolves} ${any} --net-allow 10.0.0.0/8:1-100 -- \
	    ${ask} local.test
	atf_check -o inline:"local.test ok 198.51.100.7/60 \
203.0.113.5/60\n" \
	    ${resolves} ${any} --net-allow 10.0.0.0/8:81 -- \
	    ${ask} local.test
	# Addresses that this host gets while the workload runs, and loses.
	atf_check -o save:out ${ns} sh -c "
		(until [ -e run/1 ]; do sleep 0.02; done
		ip addr add 198.51.100.8/32 dev lo
		ip addr add 2001:db8::8/128 dev lo nodad; : >done1
		until [ -e run/2 ]; do sleep 0.02; done
		ip addr del 198.51.100.8/32 dev lo; : >done2) &
		mkdir run; exec ${box} -r . --unveil run:rwc -- sh -c '
		ask=\"${ask}\"
		\${ask} later.test later.test/AAAA; : >run/1
		\${ask} wait:done1 later.test later.test/AAAA; : >run/2
		\${ask} wait:done2 later.test later.test/AAAA'"
	atf_check -o file:out cat <<-'END'
		later.test ok 198.51.100.8/60
		later.test/AAAA ok 2001:db8::8/60
		later.test ok
		later.test/AAAA ok
		later.test ok 198.51.100.8/60
		later.test/AAAA ok
	END
}

atf_test_case lies
lies_head()
{
	atf_set "descr" "name servers that lie, fail, stray and are silent"
	resolver_head
}
lies_body()
{
	resolver
	cat >zone <<-'END'
		good.test 60 A 203.0.113.5
		wrongid.test 60 A 203.0.113.6
		wrongid.test 60 WRONGID
		wrongname.test 60 A 203.0.113.7
		wrongname.test 60 WRONGNAME
		foreign.test 60 A 203.0.113.8
		foreign.test 60 FOREIGN good.test 203.0.113.9
		loop.test 60 LOOP
		flood.test 60 FLOOD
		garbage.test 60 A 203.0.113.10
		garbage.test 60 GARBAGE
		part.test 60 A 203.0.113.11
		part.test 60 TRUNCATED
		none.test 60 TRUNCATED
		fail.test 60 SERVFAIL
		old.test 60 A 203.0.113.13
		old.test 60 OLD
		older.test 60 A 203.0.113.14
		older.test 60 OLD short
		silent.test 60 SILENT
		short.test 60 A 203.0.113.12
		short.test 60 SHORT 34
		head.test 60 SHORT 11
		large.test 60 HUGE 64
		many.test 60 HUGE 120
	END
	atf_check -o save:out ${resolves} ${any} -- ${ask} wrongid.test \
	    foreign.test loop.test flood.test garbage.test part.test \
	    none.test fail.test old.test older.test short.test good.test udp:203.0.113.9:80
	atf_check -o file:out cat <<-'END'
		wrongid.test ok 203.0.113.6/60
		foreign.test ok 203.0.113.8/60
		loop.test SERVFAIL
		flood.test SERVFAIL
		garbage.test SERVFAIL
		part.test ok 203.0.113.11/60
		none.test SERVFAIL
		fail.test SERVFAIL
		old.test ok 203.0.113.13/60
		older.test ok 203.0.113.14/60
		short.test SERVFAIL
		good.test ok 203.0.113.5/60
		udp:203.0.113.9:80 ECONNREFUSED
	END
	# What is no answer is waited out, and so is silence; others are served.
	atf_check -o inline:"SERVFAIL SERVFAIL SERVFAIL\n" ${ns} \
	    ${bare_box} --net-resolver --net-allow "*.test:80" -- \
	    ${python} -c "
import sys, threading, time
sys.path.insert(0, '$(atf_get_srcdir)')
from ask import ask
said = []
threads = [threading.Thread(target=lambda n=n: said.append(ask(n)))
           for n in ('wrongname.test', 'silent.test', 'head.test')]
for t in threads:
    t.start()
start = time.monotonic()
for i in range(20):
    assert ask('good.test') == 'ok 203.0.113.5/60'
assert time.monotonic() - start < 1 and not said
for t in threads:
    t.join()
print(*said)"
	# As many addresses as an answer may have.
	atf_check -o save:out ${resolves} ${any} -- ${ask} large.test many.test
	[ "$(tr ' ' '\n' <out | grep -c '203.0.113.*/60')" -eq 128 ] ||
	    atf_fail "$(cat out)"
}

atf_test_case servers
servers_head()
{
	atf_set "descr" "several name servers, a dead one, and none"
	resolver_head
}
servers_body()
{
	resolver
	echo 'good.test 60 A 203.0.113.5' >zone
	good="good.test ok 203.0.113.5/60\n"
	for first in 127.0.0.9 192.0.2.1 2001:db8::1 'fe80::1%nosuch'; do
		printf 'nameserver %s\nnameserver 127.0.0.1\n' "${first}" \
		    >etc/resolv.conf
		atf_check -o inline:"${good}" ${resolves} ${any} -- ${ask} \
		    good.test
	done
	# The local host is asked where there is no file.
	rm etc/resolv.conf
	atf_check -o inline:"${good}" ${resolves} ${any} -- ${ask} good.test
	echo nameserver 127.0.0.9 >etc/resolv.conf
	atf_check -o inline:"good.test SERVFAIL\n" \
	    ${resolves} ${any} -- ${ask} good.test
}

atf_test_case chains
chains_head()
{
	atf_set "descr" "a name that leads to one that is blocked"
	resolver_head
}
chains_body()
{
	resolver
	cat >zone <<-'END'
		alias.test 60 CNAME bad.other
		bad.other 60 A 203.0.113.5
		plain.test 60 A 203.0.113.6
	END
	sed s/203.0.113.5/203.0.113.6/ zone >later
	mkdir run
	atf_check -o save:out ${ns} sh -c "
		(until [ -e run/1 ]; do sleep 0.02; done
		mv later zone; : >done) &
		exec ${bare_box} -r . --unveil run:rwc --net-resolver \
		    --net-allow '*.test' --net-deny bad.other:25 -- sh -c '
		ask=\"${ask}\"
		\${ask} plain.test udp:203.0.113.6:25 alias.test \
		    udp:203.0.113.5:25 udp:203.0.113.5:80; : >run/1
		\${ask} wait:done alias.test udp:203.0.113.6:25 \
		    udp:203.0.113.6:80 udp:203.0.113.5:25'"
	atf_check -o file:out cat <<-'END'
		plain.test ok 203.0.113.6/60
		udp:203.0.113.6:25 ENETUNREACH
		alias.test ok 203.0.113.5/60 CNAME/60
		udp:203.0.113.5:25 ECONNREFUSED
		udp:203.0.113.5:80 ENETUNREACH
		alias.test ok 203.0.113.6/60 CNAME/60
		udp:203.0.113.6:25 ECONNREFUSED
		udp:203.0.113.6:80 ENETUNREACH
		udp:203.0.113.5:25 ECONNREFUSED
	END
}

atf_test_case bounds
bounds_head()
{
	atf_set "descr" "thousands of names and addresses, in bounds"
	resolver_head
}
bounds_body()
{
	resolver
	printf '*.many.test 86400 RANDOM 60\ngood.test 60 A 203.0.113.5\n' >zone
	rules="--net-allow good.test:80"
	for port in 80 81 82 83 84 90 91 92 93 94; do
		rules="${rules} --net-allow *.many.test:${port}"
	done
	atf_check -o save:out ${ns} ${bare_box} -r /proc --net-resolver \
	    ${rules} -- ${python} -c "
import os, socket, sys, time
sys.path.insert(0, '$(atf_get_srcdir)')
from ask import SERVER, ask, connect, question
def status(pid):
    return {k: v.strip() for k, _, v in (line.partition(':')
            for line in open('/proc/%s/status' % pid))}
top = status(os.getppid())['PPid']
netd = [p for p in open('/proc/%s/task/%s/children' % (top, top)).read().split()
        if status(p)['Name'] == 'netd']
assert len(netd) == 1
ask('good.test')
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(SERVER)
s.settimeout(30)
start = time.monotonic()
for i in range(600):
    s.send(question('x%d.many.test' % i))
    s.recv(65536)
print('fast' if time.monotonic() - start < 20 else time.monotonic() - start)
# What was told longest ago makes room, not what ends first.
ask('good.test'), ask('z.many.test')
print(connect('203.0.113.5', 80))
# Those that waited are answered, however many did not get a place.
for i in range(2000):
    s.send(question('y%d.many.test' % i))
# What was told last is admitted once the others have had their answers.
for i in range(50):
    said = ask('good.test'), connect('203.0.113.5', 80)
    if said[1] == 'ENETUNREACH':
        break
    time.sleep(0.1)
print(*said)
peak = int(status(netd[0])['VmHWM'].split()[0])
print('small' if peak < 10240 else peak)"
	atf_check -o file:out cat <<-'END'
		fast
		ENETUNREACH
		ok 203.0.113.5/60 ENETUNREACH
		small
	END
}

atf_test_case streams
streams_head()
{
	atf_set "descr" "questions over TCP, from who is slow, many or rude"
	resolver_head
}
streams_body()
{
	resolver
	printf 'good.test 60 A 203.0.113.5\nslow.test 60 SILENT\n' >zone
	echo 'large.test 60 HUGE 64' >>zone
	atf_check -o save:out ${ns} ${bare_box} --net-resolver \
	    --net-allow "*.test:80" -- ${python} -c "
import socket, struct, sys, time
sys.path.insert(0, '$(atf_get_srcdir)')
from ask import SERVER, ask, question, said
def stream():
    s = socket.create_connection(SERVER, 20)
    s.settimeout(20)
    return s
def frame(q, size=None):
    return struct.pack('>H', len(q) if size is None else size) + q
def read(s):
    m = b''
    try:
        while len(m) < 2 or len(m) < 2 + struct.unpack('>H', m[:2])[0]:
            # One byte at a time, so that the next answer is left.
            if not (more := s.recv(1)):
                return 'closed'
            m += more
    except ConnectionResetError:
        return 'closed'
    return said(m[2:])
q = question('good.test', edns=False)
s = stream(); s.sendall(frame(q)); print('one', read(s))
s.sendall(frame(q)); print('two', read(s))
s.sendall(frame(q) * 2); print('pipelined', read(s), read(s))
s = stream(); s.sendall(frame(q)); s.shutdown(socket.SHUT_WR)
print('half-closed', read(s), read(s))
s = stream()
for byte in frame(q):
    s.send(bytes([byte])); time.sleep(0.01)
print('bytes', read(s))
s = stream(); s.sendall(frame(b'')); print('empty', read(s))
s = stream(); s.sendall(frame(q, 65535)); print('long', read(s))
s = stream(); s.sendall(frame(b'x' * 11)); print('short', read(s))
s = stream(); s.sendall(frame(q[:2] + b'\x81' + q[3:])); print('answer', read(s))
s = stream(); s.sendall(frame(question('large.test', edns=False)))
print('large', len(read(s).split()))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
    u.connect(SERVER); u.send(question('large.test', edns=False))
    print('datagram', said(u.recv(65536)))
# Who does not read what it asked for.
s = stream()
try:
    s.setblocking(False)
    for i in range(100000):
        s.send(frame(q))
except OSError:
    pass
print('beside', ask('good.test'))
s.close()
# All places taken by who says nothing, for a time.
held = [stream() for i in range(40)]
print('datagram', ask('good.test'))
start = time.monotonic()
while True:
    try:
        s = stream(); s.sendall(frame(q))
        if (r := read(s)) != 'closed':
            break
    except OSError:
        pass
    time.sleep(0.1)
print('again', r, 'soon' if time.monotonic() - start < 15 else 'late')
# Gone before the answer is there.
s = stream(); s.sendall(frame(question('slow.test'))); s.close()
print('end', ask('slow.test'), ask('good.test'))"
	good="ok 203.0.113.5/60"
	atf_check -o file:out cat <<-END
		one ${good}
		two ${good}
		pipelined ${good} ${good}
		half-closed ${good} closed
		bytes ${good}
		empty closed
		long closed
		short closed
		answer closed
		large 65
		datagram ok truncated
		beside ${good}
		datagram ${good}
		again ${good} soon
		end SERVFAIL ${good}
	END
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case answers
	atf_add_test_case times
	atf_add_test_case rebinding
	atf_add_test_case lies
	atf_add_test_case servers
	atf_add_test_case chains
	atf_add_test_case bounds
	atf_add_test_case streams
}
