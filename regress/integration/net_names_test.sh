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


# Names: the workload's /etc/hosts and /etc/resolv.conf, and who is asked for
# what.  Every run has a network and an /etc of its own (names_ns.sh).

names_head()
{
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare"
	atf_set "timeout" "120"
}

# Links to /etc/hosts.
links()
{
	mkdir top
	ln -s /etc/hosts top/link
	ln -s /etc top/etc
	ln -s /proc/self/root/etc top/self
}

# What names.py says when every way leads to a KIND of file, but for some that
# lead nowhere.
all_lead_to()
{
	sed -n '1,/^directory/p' out | grep -v \
	    -e '^openat2 ENOSYS$' -e '^/etc/hosts/ ENOTDIR$' \
	    -e '^/etc/hosts/x ENOTDIR$' -e '^nofollow ELOOP$' \
	    -e '^directory ENOTDIR$' >ways
	[ "$(wc -l <ways)" -eq 23 ] || atf_fail "$(cat ways)"
	atf_check -s exit:1 grep -v " $1\$" ways
}

atf_test_case opens
opens_head()
{
	atf_set "descr" "/etc/hosts by every name, for reading and writing"
	names_head
}
opens_body()
{
	namespaces
	links
	# Without a name there is the host's file, and it can be written.
	atf_check -o save:out -s exit:1 -e match:PermissionError ${ns} \
	    ${bare_box} --unveil /etc:r -r /proc -w top \
	    --net-allow 127.0.0.1:80 -- ${python} "$(helper names.py)" top
	all_lead_to host
	rm top/made
	atf_check -o match:"^write ok" ${ns} ${bare_box} --unveil /etc:rw \
	    --net-allow 127.0.0.1:80 -- ${python} -c \
	    "import os; os.open('/etc/hosts', os.O_RDWR); print('write ok')"
	for grant in r rwc none; do
		cp etc/hosts before
		allow="--unveil /etc:${grant}"
		[ ${grant} != none ] || allow=
		atf_check -o save:out ${ns} ${bare_box} ${allow} -r /proc \
		    -w top --net-allow foo.test:80 -- \
		    ${python} "$(helper names.py)" top
		rm top/made
		all_lead_to virtual
		atf_check cmp before etc/hosts
		sed '1,/^directory/d' out >rest
		atf_check -o file:rest cat <<-'END'
			write EACCES
			read-write EACCES
			append EACCES
			truncate EACCES
			creat EACCES
			create virtual
			exclusive EEXIST
			resolv EACCES
			write-read-only EBADF
			write-again EPERM
			shrink-again EPERM
			map-again EPERM
			size True True
			readers True 5
			seek 4 True
			pread True
			mmap True
			cloexec True False
			shared 7
		END
	done
}

atf_test_case grants
grants_head()
{
	atf_set "descr" "two files of /etc, and nothing else of it"
	names_head
}
grants_body()
{
	namespaces
	echo private >etc/private
	cat >t.sh <<'END'
cat /etc/hosts /etc/resolv.conf
cat /etc/private
ls /etc
(: >/etc/new)
(cat </etc/../etc/private)
wc -l </etc/hosts
END
	printf '%s\n' '127.0.0.1	localhost' \
	    '::1	localhost ip6-localhost ip6-loopback' \
	    '203.0.113.1	foo.test' \
	    '# /etc/hosts has every name of the policy' 'search .' \
	    'options timeout:1 attempts:1' 3 >expected
	atf_check -o file:expected -e save:err ${ns} ${bare_box} -r t.sh \
	    --net-allow foo.test:80 -- sh t.sh
	# private by two names, the list, the new file.
	[ "$(grep -c 'ermission denied' err)" -eq 4 ] ||
	    atf_fail "$(cat err)"
	[ ! -e etc/new ] || atf_fail "etc/new was made"
	# Without a name not even these, and with a grant all of it.
	atf_check -s ignore -o inline:"" -e save:err ${ns} ${bare_box} \
	    -r t.sh --net-allow 127.0.0.1:80 -- sh t.sh
	[ "$(grep -c 'ermission denied' err)" -ge 6 ] ||
	    atf_fail "$(cat err)"
	atf_check -o match:private ${ns} ${bare_box} -r t.sh \
	    --unveil /etc:rwc --net-allow foo.test:80 -- sh t.sh
	[ -e etc/new ] || atf_fail "etc/new was not made"
	# The log names who refused.
	atf_check -s ignore -e ignore ${ns} ${bare_box} \
	    --unveil /etc:rw --log-denials log --net-allow foo.test:80 -- \
	    sh -c ': >/etc/hosts'
	atf_check -o match:"/etc/hosts" grep "virtual file" log
}

atf_test_case missing
missing_head()
{
	atf_set "descr" "files that the host has not, or replaces"
	names_head
}
missing_body()
{
	namespaces
	links
	rm etc/resolv.conf
	ln -s ../run/nowhere/resolv.conf etc/resolv.conf
	ln -s /etc/resolv.conf top/resolv
	atf_check -o match:"^search" ${ns} ${bare_box} \
	    --net-allow foo.test:80 -- cat /etc/resolv.conf
	atf_check -o match:"^search" ${ns} ${bare_box} \
	    --net-allow foo.test:80 -r top -- cat top/resolv
	atf_check -s exit:1 -e match:"No such file" ${ns} ${bare_box} \
	    --net-allow 127.0.0.1:80 --unveil /etc:r -- cat /etc/resolv.conf
	# A link that is not to be followed is no file.
	atf_check -o inline:"ELOOP\n" ${ns} ${bare_box} \
	    --net-allow foo.test:80 -- ${python} -c "
import errno, os
try:
    os.open('/etc/resolv.conf', os.O_NOFOLLOW)
except OSError as e:
    print(errno.errorcode[e.errno])"
	# It is known by what the link leads to as well.
	rm etc/resolv.conf
	ln -s foreign etc/resolv.conf
	echo nameserver 127.0.0.9 >etc/foreign
	atf_check -o not-match:127.0.0.9 ${ns} ${bare_box} --unveil /etc:r \
	    --net-allow foo.test:80 -- cat /etc/foreign /etc/resolv.conf
	# Replaced while the workload runs, by somebody outside.
	atf_check -o inline:"1\n1\n1\n" -e ignore ${ns} sh -c "
		(until [ -e top/go ]; do sleep 0.02; done
		printf '203.0.113.9 later secret foo.test\n' >etc/.new
		mv etc/.new etc/hosts; : >top/gone) &
		exec ${bare_box} -r top --unveil top:rwc --unveil /etc:r \
		    --net-allow foo.test:80 -- sh -c '
		grep -c foo.test /etc/hosts
		: >top/go
		until [ -e top/gone ]; do sleep 0.02; done
		grep -c foo.test /etc/hosts
		grep -c 203.0.113.1 top/link'"
	rm etc/hosts
	atf_check -o match:"localhost" ${ns} ${bare_box} --unveil /etc:r \
	    -r top --net-allow localhost:80 -- cat top/link
}

atf_test_case view
view_head()
{
	atf_set "descr" "with a working directory, and around denied paths"
	names_head
}
view_body()
{
	namespaces
	links
	cp -RP top pristine
	for fs in seccomp overlayfs; do
		rm -rf store
		mkdir -m 700 store
		atf_check -o save:out ${ns} ${bare_box} --unveil /etc:r \
		    -r /proc --workdir top --cwd top --fs-storage store \
		    --fs-isolation ${fs} --on-exit abort \
		    --net-allow foo.test:80 -- \
		    ${python} "$(helper names.py)" .
		all_lead_to virtual
	done
	# A link that only the branch has, before and after a change.
	atf_check -o inline:"0\n0\n1\n" ${ns} ${bare_box} --unveil /etc:r \
	    --workdir top --cwd top --fs-storage store --on-exit abort \
	    --net-allow foo.test:80 -- sh -c '
	ln -s /etc/hosts new; mkdir d; ln -s ../../etc/../new d/new
	ln -s new other
	grep -c secret new; grep -c secret other; grep -c foo.test other'
	# Denied paths in the same directory stay so, and do not hide it.
	echo private >etc/private
	atf_check -s exit:1 -o inline:"1\n" -e match:"private: Perm" ${ns} \
	    ${bare_box} --unveil /etc:r --fs-deny /etc/private \
	    --net-allow foo.test:80 -- sh -c \
	    'grep -c foo.test /etc/hosts; cat /etc/private'
	atf_check -o match:"foo.test" ${ns} \
	    ${bare_box} --unveil /etc:r --fs-deny /etc/hosts \
	    --net-allow foo.test:80 -- cat /etc/hosts
}

atf_test_case lookup
lookup_head()
{
	atf_set "descr" "programs find admitted names, and no other, at once"
	names_head
}
lookup_body()
{
	namespaces
	cat >zone <<-'END'
		good.test 60 A 203.0.113.5
		other.test 60 A 203.0.113.6
	END
	cat >t.py <<'END'
import socket, sys, time
for name in sys.argv[1:]:
    start = time.monotonic()
    try:
        answer = sorted({a[4][0] for a in socket.getaddrinfo(name, 80)})
    except socket.gaierror:
        answer = 'none'
    late = time.monotonic() - start > 1
    print(name, answer, 'late' if late else '')
END
	# The control: the server answers.
	atf_check -o match:"^other.test .*203.0.113.6" ${ns} \
	    ${python} t.py other.test
	atf_check -o match:"^other.test A$" cat dns.log
	atf_check -o save:out ${ns} ${bare_box} -r t.py \
	    --net-allow good.test:80 --net-allow foo.test -- ${python} t.py \
	    localhost good.test GOOD.Test foo.test other.test secret \
	    good.test.other.test
	atf_check -o inline:"localhost ['127.0.0.1'] \n\
good.test ['203.0.113.5'] \nGOOD.Test ['203.0.113.5'] \n\
foo.test ['203.0.113.1'] \nother.test none \nsecret none \n\
good.test.other.test none \n" cat out
	# Only netd has asked, for the one name that /etc/hosts has not.
	atf_check -s exit:1 grep -v -e "^good.test A" -e ready dns.log
	# A blocked name is not shown.
	atf_check -o match:good.test -o not-match:foo.test ${ns} ${bare_box} \
	    --net-allow good.test:80 --net-deny foo.test -- cat /etc/hosts
	if command -v node >/dev/null; then
		atf_check -o inline:"203.0.113.5\nENOTFOUND\n" ${ns} \
		    ${bare_box} -r /proc --net-allow good.test:80 -- env -u NODE_EXTRA_CA_CERTS \
		    node -e "
const dns = require('dns')
dns.lookup('good.test', (e, a) => { console.log(a)
dns.lookup('other.test', (e, a) => { console.log(
    e.code == 'EAI_AGAIN' ? 'ENOTFOUND' : e.code) }) })"
	fi
	if command -v curl >/dev/null; then
		atf_check -s exit:6 -e match:"resolve host" ${ns} ${bare_box} \
		    --net-allow good.test:80 -- curl -sS http://other.test/
		# Found, and no way leads there.
		atf_check -s exit:7 -e match:"good.test port 80" ${ns} \
		    ${bare_box} --net-allow good.test:80 -- \
		    curl -sS http://good.test/
	fi
}

atf_test_case refresh
refresh_head()
{
	atf_set "descr" "names that are asked for again, and connections"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare ip"
	atf_set "timeout" "120"
}
refresh_body()
{
	namespaces
	echo "good.test 1 A 203.0.113.2" >zone
	cat >server.py <<'END'
import socket
socket.setdefaulttimeout(60)
listeners = [socket.create_server((a, 8080)) for a in ('203.0.113.2',
                                                       '203.0.113.3')]
open('ready', 'w').close()
peers = [s.accept()[0] for s in listeners]
peers[0].sendall(peers[0].recv(1))
peers[1].sendall(peers[1].recv(1))
END
	cat >t.py <<'END'
import os, socket, time

def wait(what):
    end = time.monotonic() + 30
    while not what():
        if time.monotonic() > end:
            raise SystemExit('too late')
        time.sleep(0.05)

def hosts():
    return [line.split()[0] for line in open('/etc/hosts')
            if 'good.test' in line]

def refused():
    try:
        socket.create_connection(('203.0.113.2', 8080)).close()
    except ConnectionRefusedError:
        return True
    return False

held = open('/etc/hosts')
print(hosts())
old = socket.create_connection(('good.test', 8080))
os.rename('next', 'zone')
wait(lambda: hosts() == ['203.0.113.3'])
new = socket.create_connection(('good.test', 8080))
# Who has the old file open keeps it.
print('203.0.113.2' in held.read())
wait(refused)
for s in old, new:
    s.sendall(b'x')
    print(s.recv(1), s.getpeername()[0])
END
	# Both are local, and no interface has them: as if they were elsewhere.
	atf_check -o save:out -e ignore ${ns} sh -c "
		ip route add local 203.0.113.0/24 dev lo
		echo 'good.test 1 A 203.0.113.3' >next
		${python} server.py & until [ -e ready ]; do sleep 0.02; done
		exec ${bare_box} -r t.py --unveil .:rwc --net-refresh \
		    --net-allow tcp://good.test:8080 -- ${python} t.py"
	atf_check -o file:out cat <<'END'
['203.0.113.2']
True
b'x' 203.0.113.2
b'x' 203.0.113.3
END
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case opens
	atf_add_test_case grants
	atf_add_test_case missing
	atf_add_test_case view
	atf_add_test_case lookup
	atf_add_test_case refresh
}
