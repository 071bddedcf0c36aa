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


# Interfaces: what route sockets, ioctls and files say of them in a sandbox,
# where there is lo and nothing else, whatever the host has.

links_head()
{
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare ip"
	atf_set "timeout" "120"
}

# Every run has a network with lo and another interface, each policy for itself:
# with netd and without, and with calls that come to the supervisor anyway.
links()
{
	namespaces
	say="${python} $(helper links.py)"
	bare_ns="${ns} ${bare}"
	set -- "-P 50 --net-allow :80" "--net-allow 127.0.0.1:80 --net-allow udp://127.0.0.1:80" \
	    "--net-allow 127.0.0.1:80 --net-allow-bind 8080 --port-remap"
	for rules; do
		echo "${rules}"
	done >policies
}

atf_test_case sockets
sockets_head()
{
	atf_set "descr" "a route socket is as one of the kernel"
	links_head
}
sockets_body()
{
	links
	atf_check -o save:expected ${bare_ns} ${say} sockets
	while read -r rules; do
		atf_check -o file:expected ${ns} ${bare_box} ${rules} -- \
		    ${say} sockets
	done <policies
}

atf_test_case connects
connects_head()
{
	atf_set "descr" "connects of sockets without a way out"
	links_head
}
connects_body()
{
	links
	atf_check -o save:out ${bare_ns} ${say} connects
	# Whoever may change the network may have more.
	sed -e 's/^another 0$/another EPERM/' -e 's/^group 0$/group EPERM/' \
	    out >expected
	# Where connects come to the supervisor; nothing may be written, which
	# would grant unix sockets.
	for rules in "udp://127.0.0.1:80" "127.0.0.1:80" "icmp://127.0.0.1"; do
		atf_check -o file:expected ${ns} ${sl} -r /usr \
		    --unveil /lib:rx? --unveil /lib64:rx? --unveil /bin:rx? \
		    -r "$(atf_get_srcdir)" --net-allow ${rules} -- \
		    ${say} connects
	done
	atf_check -o file:expected ${ns} ${bare_box} -w . \
	    --net-allow :80 -- ${say} connects
}

atf_test_case misuse
misuse_head()
{
	atf_set "descr" "requests without end, and who does not read"
	links_head
}
misuse_body()
{
	links
	while read -r rules; do
		case ${rules} in
		-P*|*udp:*|*remap*)
			out=4
			;;
		*)
			out=2
			;;
		esac
		addrs=$(yes addr:8 | sed ${out}q | tr '\n' ' ')
		atf_check -o save:out ${ns} ${bare_box} ${rules} -- \
		    ${say} misuse
		atf_check -o file:out cat <<-END
			dump link done
			row link done, ${addrs}done:8, done:9
			huge EMSGSIZE
			long 128000
			empty 0
			rights link done
			full EAGAIN
			others link done True
			drained link done
			most True ENFILE
			again link done
			diag EACCES
			uevent EACCES
			generic EACCES
			audit EACCES
			swapped True
		END
	done <policies
}

atf_test_case ioctls
ioctls_head()
{
	atf_set "descr" "interface ioctls on any descriptor"
	links_head
}
ioctls_body()
{
	links
	atf_check -o save:bare ${bare_ns} ${say} ioctls
	atf_check -o match:"^inet 8915 lo 02000000" -o match:"^unix 8933 lo 01" \
	    -o match:"^fault 8913 EFAULT" -o match:"^file 8913 lo ENOTTY" \
	    cat bare
	# With a way out lo has an address more.
	more="--net-allow udp://127.0.0.1:80"
	for rules in "--net-allow-bind 8080" "${more}"; do
		atf_check -o save:out ${ns} ${bare_box} ${rules} -- \
		    ${say} ioctls
		if [ "${rules}" = "${more}" ]; then
			atf_check -o match:"^list 41 .40," -o match:"^length 80" \
			    -o match:"^list 4096 .80, b.lo., True" cat out
			sed -i 's/^length 80/length 40/
			    s/^list 4096 (80, \(.*\), True)/list 4096 (40, \1, False)/' out
		fi
		atf_check -o file:bare cat out
	done
}

atf_test_case agree
agree_head()
{
	atf_set "descr" "sockets, files and programs say the same"
	links_head
}
agree_body()
{
	links
	add="ip link add other0 type dummy 2>/dev/null ||
	    ip link add other0 type bridge || exit 1"
	box="${bare_box} -r /proc -r /sys --net-allow foo.test:80"
	# The control: there is another one.
	atf_check -o match:other0 -e ignore ${ns} sh -c "${add}; ip -o link"
	atf_check -o save:out ${ns} sh -c "${add}; exec ${box} -- ${say} agree"
	atf_check -o file:out cat <<-'END'
		netlink link done
		index [(1, 'lo')] 1 lo
		dev ['lo']
		inet6 2 True
		/proc/net/route 1
		/proc/thread-self/net/arp 1
		list EACCES
		here EACCES
		there EACCES
		above EACCES
		below True
		lo 65536
		other ENOENT
	END
	atf_check -o save:addr -e ignore ${ns} sh -c "${add}; exec ${box} -- sh -c '
	    ip -o link; ip -o addr; ip route show table all; ip neigh; ip rule'"
	atf_check -s exit:1 grep other0 addr
	[ "$(grep -c ' lo ' addr)" -ge 8 ] || atf_fail "$(cat addr)"
	if command -v node >/dev/null; then
		atf_check -o inline:"lo\n" ${ns} sh -c "${add}; exec ${box} -- \
		    env -u NODE_EXTRA_CA_CERTS node -p \
		    'Object.keys(os.networkInterfaces()).join()'"
	fi
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case sockets
	atf_add_test_case connects
	atf_add_test_case misuse
	atf_add_test_case ioctls
	atf_add_test_case agree
}
