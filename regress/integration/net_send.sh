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


# The tests of net_send_test.sh, each in a network of its own: sh net_send.sh
# CASE FOLDER PROGRAM.  lo is up, nobody answers at 10.99.0.2, and some
# addresses of this host have one of IPv4 in them.  Fails after a message.

folder=$2
program=$3
box="${program} run -r /usr --unveil /lib:rx? --unveil /lib64:rx?"
box="${box} --unveil /bin:rx? --unveil /etc:r --unveil /dev/null:rw"
box="${box} -r ${folder}"
python=/usr/bin/python3
pids=

fail()
{
	echo "$*" >&2
	exit 1
}

# Of the differences that a case may have the rest is none.
same()
{
	diff "$1" "$2" >difference || fail "$1 $2: $(head -n 20 difference)"
	[ -s "$1" ] || fail "$1 is empty"
}

wait_for()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ ${tries} -le 200 ] || fail "waited in vain: $*"
		sleep 0.05
	done
}

sink()
{
	: >"$1.hits"
	${python} "${folder}/sink.py" "$@" &
	pids="${pids} $!"
	wait_for test -s "$1"
}

# Their ports are in $granted and $denied.
servers()
{
	${python} "${folder}/net_servers.py" &
	pids="${pids} $!"
	wait_for test -s ready
	read -r granted denied <ready
}

hits()
{
	wc -c <"$1.hits" | tr -d ' '
}

# Wait for the end of what comes there.
settle()
{
	n=-1
	while [ "$(hits "$1")" -ne "${n}" ]; do
		n=$(hits "$1")
		sleep 0.5
	done
}

# Something came there until now; then nothing has.
some_hits()
{
	settle "$1"
	[ "$(hits "$1")" -gt 0 ] || fail "nothing came to $1: ${2}"
	: >"$1.hits"
}

no_hits()
{
	settle "$1"
	[ "$(hits "$1")" -eq 0 ] || fail "$1 was reached: ${2}"
}

# What is wrong twice may be told in another order: that there is no address, or
# none that leads anywhere, before data or a control message that is not there.
order()
{
	sed -e '/^udp6* 1*12: -1 E/d' -e '/^udp6* 2[234]: -1 E/d' \
	    -e '/^[a-z]* 12: -1 E/d' "$1"
}

case_inet()
{
	sink u udp 127.0.0.1
	p=$(cat u)
	sink u6 udp ::1 "${p}"
	sink t tcp 127.0.0.1
	q=$(cat t)
	"${folder}/sends" net "${p}" "${q}" >bare || fail "bare: $?"
	some_hits u
	${box} --net-allow "127.0.0.1:${p},${q}" --net-allow "[::1]:${p}" -- \
	    "${folder}/sends" net "${p}" "${q}" >inside || fail "inside: $?"
	[ "$(wc -l <bare)" -gt 400 ] || fail "only $(wc -l <bare) calls"
	order bare >bare.order
	order inside >inside.order
	same bare.order inside.order
	# The same with nothing granted: not one datagram.
	some_hits u
	some_hits u6
	${box} --net-allow "127.0.0.1:${q}" --net-allow udp://127.0.0.3 -- \
	    "${folder}/sends" net "${p}" "${q}" >refused ||
	    fail "refused: $?"
	no_hits u refused
	no_hits u6 refused
	grep -q '^udp 1: -1 ECONNREFUSED' refused || fail "$(head refused)"
	grep -q '^tcp 4: 0' refused || fail "tcp is not granted"
}

case_pairs()
{
	for mode in pairs waits large; do
		"${folder}/sends" ${mode} >bare || fail "bare ${mode}: $?"
		${box} --net-allow udp://127.0.0.1:9 -- "${folder}/sends" \
		    ${mode} >inside || fail "inside ${mode}: $?"
		order bare >bare.order
		order inside >inside.order
		same bare.order inside.order
	done
}

# A name is found before the data is looked at; and what is no socket and not
# granted is refused, such as a directory by the beginning of a name.
names()
{
	sed -e '/^[^ ]* 3: -1 /d' -e '/^[./] /d' -e '/^unix 1[01][0-9]: -1 E[AC]/d' \
	    -e '/^[a-z]* 12: -1 E/d' "$1"
}

case_local()
{
	mkdir d e
	: >d/file
	ln -s log d/link
	ln -s none d/dangling
	sink l log d/log
	sink s unix d/stream
	"${folder}/sends" unix "$(pwd)/d" >bare || fail "bare: $?"
	some_hits l
	${box} -w d --net-allow udp://127.0.0.1:9 -- "${folder}/sends" unix \
	    "$(pwd)/d" >inside || fail "inside: $?"
	some_hits l
	names bare >bare.names
	names inside >inside.names
	same bare.names inside.names
	# No datagram without w on the socket, by whatever name.
	${box} -r d -w e --net-allow udp://127.0.0.1:9 -- "${folder}/sends" \
	    unix "$(pwd)/d" >refused || fail "refused: $?"
	no_hits l refused
	grep -q '^log 1: -1 EACCES' refused || fail "$(head refused)"
	grep -q '^link 1: -1 EACCES' refused || fail "$(head refused)"
}

# Sends on connected sockets are not seen by the supervisor.
case_plain()
{
	sink u udp 127.0.0.1
	sink t tcp 127.0.0.1
	p=$(cat u)
	q=$(cat t)
	${box} --net-allow "127.0.0.1:${p},${q}" --status-fd 3 -- \
	    "${folder}/sends" plain "${p}" "${q}" 1000 3>status >out ||
	    fail "plain: $?"
	grep -q '^plain 0: 1000' out || fail "$(cat out)"
	! grep -q '"sendto"' status || fail "$(cat status)"
	grep -q '"connect"' status || fail "$(cat status)"
}

case_attacks()
{
	for a in ::127.0.0.2 64:ff9b::7f00:1 64:ff9b::7f00:2 2002:7f00:2::1 \
	    2002:7f00:1::1 2001:db8::1 fe80::1; do
		ip -6 address add "${a}/128" dev lo nodad || fail "${a}"
	done
	ip route add 255.255.255.255 dev lo || fail "broadcast"
	ip route add 224.0.0.0/4 dev lo || fail "multicast"
	servers
	${python} "${folder}/net_attacks.py" "${granted}" "${denied}" >bare ||
	    fail "bare: $?"
	some_hits denied
	${box} --net-allow "127.0.0.1:${granted}" \
	    --net-allow "[::]/0:${granted}" -- ${python} \
	    "${folder}/net_attacks.py" "${granted}" "${denied}" >inside ||
	    fail "inside: $?"
	no_hits denied attacks
	diff bare inside | sed -n -e 's/^< /bare /p' -e 's/^> /box /p' |
	    sort -k 2 >differences
	sort -k 2 >expected <<'EXPECTED'
bare tcp 127.0.0.2: ok
box tcp 127.0.0.2: ECONNREFUSED
bare udp 127.0.0.2: ok
box udp 127.0.0.2: ECONNREFUSED
bare tcp 127.255.0.1: ok
box tcp 127.255.0.1: ECONNREFUSED
bare udp 127.255.0.1: ok
box udp 127.255.0.1: ECONNREFUSED
bare tcp ::ffff:127.0.0.2: ok
box tcp ::ffff:127.0.0.2: ECONNREFUSED
bare udp ::ffff:127.0.0.2: ok
box udp ::ffff:127.0.0.2: ECONNREFUSED
bare tcp ::127.0.0.2: ok
box tcp ::127.0.0.2: ECONNREFUSED
bare udp ::127.0.0.2: ok
box udp ::127.0.0.2: ECONNREFUSED
bare tcp 64:ff9b::127.0.0.2: ok
box tcp 64:ff9b::127.0.0.2: ECONNREFUSED
bare udp 64:ff9b::127.0.0.2: ok
box udp 64:ff9b::127.0.0.2: ECONNREFUSED
bare tcp 2002:7f00:2::1: ok
box tcp 2002:7f00:2::1: ECONNREFUSED
bare udp 2002:7f00:2::1: ok
box udp 2002:7f00:2::1: ECONNREFUSED
bare broadcast: EACCES
box broadcast: ECONNREFUSED
bare net broadcast: ok
box net broadcast: ECONNREFUSED
bare multicast: ok
box multicast: ECONNREFUSED
bare port tcp: ok
box port tcp: ECONNREFUSED
bare port udp: ok
box port udp: ECONNREFUSED
bare fast open: EINPROGRESS
box fast open: EPERM
bare denied fast open connect: ok
box denied fast open connect: ECONNREFUSED
bare elsewhere: ok
box elsewhere: ECONNREFUSED
bare unconnected: ok
box unconnected: ECONNREFUSED
bare no family: ok
box no family: ECONNREFUSED
bare four by six: ok
box four by six: ECONNREFUSED
bare denied corked: ok
box denied corked: ECONNREFUSED
bare second denied: 3 of 3 3 3
box second denied: 1 of 3 77 77
bare first denied: 2 of 3 3
box first denied: ECONNREFUSED
bare retopts: ok
box retopts: EINVAL
bare mark: ok
box mark: EINVAL
bare denied pktinfo: ok
box denied pktinfo: ECONNREFUSED
bare denied segments: ok
box denied segments: ECONNREFUSED
bare credentials: ok
box credentials: EPERM
EXPECTED
	same expected differences
	[ "$(grep -c ': ok$' inside)" -gt 30 ] || fail "$(cat inside)"
}

case_races()
{
	servers
	for mode in connect connect-udp sendto sendmsg sendmmsg socket; do
		"${folder}/sendrace" ${mode} "${granted}" "${denied}" >out ||
		    fail "bare ${mode}: $?"
		some_hits denied ${mode}
		: >granted.hits
		${box} --net-allow "127.0.0.1:${granted}" -- \
		    "${folder}/sendrace" ${mode} "${granted}" "${denied}" \
		    >out || fail "${mode}: $?"
		[ "$(cat out)" = "done yes, refused yes" ] ||
		    fail "${mode}: $(cat out)"
		no_hits denied ${mode}
	done
}

case_waits()
{
	mkdir d
	${python} "${folder}/net_waits.py" d 4455 >bare 2>&1 ||
	    fail "bare: $(cat bare)"
	${box} -w d --net-allow 10.99.0.2 --net-allow 127.0.0.1:4455 \
	    --net-allow-bind 4455 -- ${python} "${folder}/net_waits.py" d \
	    4455 >inside 2>&1 || fail "inside: $(cat inside)"
	same bare inside
	[ "$(grep -c 'in time' bare)" -eq 13 ] || fail "$(cat bare)"
}

# The limit is that of the workers, too, which have one process each.
case_many()
{
	servers
	mkdir d
	cd d || fail "d"
	for mode in connect local rights; do
		(ulimit -n 128 && exec ${box} -w . --net-allow 10.99.0.2 \
		    --net-allow "127.0.0.1:${granted}" -- ${python} \
		    "${folder}/net_many.py" ${mode} "${granted}") \
		    >../out 2>&1 || fail "${mode}: $? $(cat ../out)"
		[ "$(cat ../out)" = "short no other
ok" ] || fail "${mode}: $(cat ../out)"
	done
}

ip link set lo up && ip route add 10.99.0.0/24 dev lo || fail "network"
trap 'kill ${pids} 2>/dev/null' EXIT
"case_$1"
