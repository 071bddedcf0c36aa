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

# Ports that sockets share by SO_REUSEADDR and SO_REUSEPORT: never with somebody
# outside.  In a network in which the kernel has few ports to choose from.

share_setup()
{
	unshare -Urmn true 2>/dev/null || atf_skip "no user namespaces"
	share="/usr/bin/python3 $(helper share.py)"
	port=41234
	cat >run.sh <<'END'
set -e
range=/proc/sys/net/ipv4/ip_local_port_range
echo 41230 41249 >${range}
rm -f ready end
$1 &
tries=0
until [ -e ready ]; do
	tries=$((tries + 1))
	[ ${tries} -lt 500 ]
	sleep 0.02
done
shift
"$@"
wait
END
	inside="unshare -Urn sh $(helper net_ns.sh) sh run.sh"
}

share_head()
{
	atf_set "descr" "$1"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare${2:+ $2}"
	atf_set "timeout" "120"
}

atf_test_case chosen
chosen_head()
{
	share_head "a port of the kernel's choice, in every way to get one"
}
chosen_body()
{
	share_setup
	for option in addr port; do
		owner="${share} owner ${option} ${port}"
		set -- ${share} taker ${option} ${port}
		# The control; the owner may not get what is sent then.
		atf_check -o match:"^shared some$" -e ignore ${inside} \
		    "${owner}" "$@" write
		for how in write send connect; do
			some=some
			[ ${how} != write ] || some=EAGAIN
			atf_check -o match:"^never ${some}$" \
			    -o match:"^owner True$" ${inside} "${owner}" \
			    ${box} -w . --net-allow udp://127.0.0.1:9 -- \
			    "$@" ${how}
		done
		atf_check -o match:"^never EAGAIN$" \
		    -o match:"^owner True$" ${inside} "${owner}" \
		    ${box} -w . --net-allow-bind udp://5000 -- "$@" mute
	done
}

atf_test_case links
links_head()
{
	share_head "the same address on two interfaces" ip
}
links_body()
{
	share_setup
	cat >links.sh <<'END'
for link in one two; do
	ip link add ${link} type dummy 2>/dev/null ||
	    ip link add ${link} type bridge || exit 1
	ip addr add fe80::1/64 dev ${link} nodad || exit 1
	ip link set ${link} up || exit 1
done
# Which a sandbox hides.
one=$(ip -o link show one | cut -d : -f 1)
two=$(ip -o link show two | cut -d : -f 1)
export one two
exec "$@"
END
	inside="unshare -Urn sh $(helper net_ns.sh) sh links.sh sh run.sh"
	for option in addr port; do
		holder="${share} links ${option} 5000 hold"
		set -- ${share} links ${option} 5000
		# The control.
		atf_check -o inline:"two bound\none bound\ntwo bound\n" \
		    ${inside} "${holder}" "$@"
		atf_check -o inline:"two bound\none bound\ntwo EADDRINUSE\n" \
		    ${inside} "${holder}" ${box} -w . \
		    --net-allow-bind udp://5000 -- "$@"
	done
}

atf_test_case options
options_head()
{
	share_head "what the calls that set them say"
}
options_body()
{
	share_setup
	atf_check -o save:expected ${share} options
	for rule in "127.0.0.1:9" "icmp://127.0.0.1 --net-allow tcp://:9" \
	    "127.0.0.1:9 --net-allow-bind * --port-remap"; do
		set -f
		atf_check -o file:expected ${box} --net-allow ${rule} -- \
		    ${share} options
		set +f
	done
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case chosen
	atf_add_test_case links
	atf_add_test_case options
}
