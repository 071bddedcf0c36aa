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

# Calls on sockets of every kind come to the same in the sandbox and outside,
# call for call, where rules admit them, and are refused where none does.

. "$(atf_get_srcdir)/util.sh"

ns="unshare -Urn sh $(helper net_ns.sh)"

twin_head()
{
	atf_set "descr" "$1"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare"
	atf_set "timeout" "120"
}

# twin MODE [OPTION ...]: what net_twin says, bare and with the options.
twin()
{
	mode=$1
	shift
	unshare -Urn true 2>/dev/null || atf_skip "no user namespaces"
	mkdir bare box
	cat >run.sh <<END
"$(helper net_twin)" serve \${1} 2>\${1}.err &
server=\$!
while [ ! -f \${1}/ports ]; do
	kill -0 \${server} || exit 1
	sleep 0.02
done
dir=\$1
shift
"\$@" "$(helper net_twin)" ${mode} \${dir} >\${dir}.out
status=\$?
kill \${server}
exit \${status}
END
	# At the same time: each has a network of its own.
	${ns} sh run.sh bare ${bare} &
	pid=$!
	set -f
	atf_check timeout 100 ${ns} sh run.sh box ${box} -w box "$@" --
	set +f
	wait ${pid} || atf_fail "bare: $(cat bare.err)"
	[ "$(wc -l <bare.out)" -ge "${least}" ] ||
	    atf_fail "$(wc -l <bare.out) lines"
}

# The files of that ending are alike.
same()
{
	diff bare.$1 box.$1 >diff || atf_fail "$(echo $(head -n 20 diff))"
}

all="--net-allow * --net-allow icmp://* --net-allow-bind *"

atf_test_case calls
calls_head()
{
	twin_head "single calls, right and wrong, in each state of a socket"
}
calls_body()
{
	least=35000
	set -f
	twin calls ${all}
	atf_check -o match:"^ping fresh sendto 127.0.0.1 0: 8;" \
	    -o match:"^tcp6 fresh connect ::1 0: 0;" \
	    -o match:"^udp6 fresh connect ::ffff:127.0.0.1 0: 0;" \
	    -o match:"^stream fresh connect stream 3: 0;" cat bare.out
	same out
}

atf_test_case refused
refused_head()
{
	twin_head "the same where rules admit some addresses and no server"
}
refused_body()
{
	least=35000
	set -f
	twin calls --net-allow 127.0.0.2 --net-allow "[::1]" \
	    --net-allow icmp://127.0.0.2
	# What came to something outside, and is admitted, does so inside.
	for k in "tcp fresh connect 127.0.0.2 0: 0;" \
	    "tcp6 fresh connect ::1 0: 0;" "tcp6 fresh connect :: 0: 0;" \
	    "udp fresh connect 127.0.0.2 0: 0;" \
	    "udp fresh sendto 127.0.0.2 0: 8;" \
	    "udp6 fresh sendto ::1 0: 8;" \
	    "ping fresh sendto 127.0.0.2 0: 8;"; do
		atf_check -o match:"^${k}" grep -F "${k}" bare.out
		atf_check -o match:"^${k}" grep -F "${k}" box.out
	done
	# All else that did is refused, in every state of a socket.  A stream
	# that is connected takes no address.
	for a in 127.0.0.1 0.0.0.0 ::ffff:127.0.0.1 ::ffff:0.0.0.0; do
		grep -E "^[^ ]+ [^ ]+ (connect|sendto) ${a} 0: [08];" \
		    bare.out >reached
		[ "$(wc -l <reached)" -ge 20 ] || atf_fail "$(cat reached)"
		atf_check -s exit:1 grep -E \
		    "^(tcp[^ ]* [^ ]+ connect|(udp|ping)[^ ]* [^ ]+ \
(connect|sendto)) ${a} 0: [08];" box.out
		atf_check -o match:"fresh connect ${a} 0: ECONNREFUSED;" \
		    grep "^[tu][cd]p.* ${a} 0: " box.out
	done
	# No socket has a port that it asked for, and none listens.
	served="^(tcp|udp)[^ ]* fresh bind .* 1: 0;|^tcp[^ ]* fresh listen .*: 0;"
	grep -E "${served}" bare.out >bound
	[ "$(wc -l <bound)" -ge 20 ] || atf_fail "$(echo $(cat bound))"
	atf_check -s exit:1 grep -E "${served}" box.out
}

atf_test_case remap
remap_head()
{
	twin_head "the same with ports of its own: none is taken"
}
remap_body()
{
	least=35000
	set -f
	twin calls ${all} --port-remap
	# What a port was once is not forgotten when the kernel gives it away.
	for i in bare box; do
		sed -E -e "s/^([^ ]+ [^ ]+ bind .*: )(EADDRINUSE|0);.*/\1free/" \
		    -e "s/:(some|server|closed|hole)\//:port\//g" \
		    ${i}.out >${i}.free
	done
	same free
	k="tcp fresh bind 127.0.0.1 0: "
	atf_check -o match:"${k}EADDRINUSE;" grep "^${k}" bare.out
	atf_check -o match:"${k}0; 127.0.0.1:server/16" grep "^${k}" box.out
}

atf_test_case waits
waits_head()
{
	twin_head "calls that wait, with signals, limits and other threads"
}
waits_body()
{
	least=80
	set -f
	twin waits ${all}
	same out
}

atf_test_case waits_remap
waits_remap_head()
{
	twin_head "the same where accept and recvfrom are looked at"
}
waits_remap_body()
{
	least=80
	set -f
	twin waits ${all} --port-remap
	same out
}

atf_init_test_cases()
{
	atf_add_test_case calls
	atf_add_test_case refused
	atf_add_test_case remap
	atf_add_test_case waits
	atf_add_test_case waits_remap
}
