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

# What a workload does so that a worker waits for ever: by a pipe that a splice
# holds while it waits, by a socket whose close waits.  Nobody is served then,
# and nothing ends the first of the two but who splices.

hang_setup()
{
	HOME=$(pwd)/home
	export HOME
	unset XDG_STATE_HOME
	mkdir -m 700 home
	mkdir wd
	hang=$(helper hang)
	view="${box} --workdir wd --cwd wd --on-exit abort --on-error abort"
	seccomp="${view} --fs-isolation seccomp"
}

# Policies with which no worker holds a descriptor, or some do.
splices="from_socket send_socket to_socket from_placed send_placed file_placed"
waits='from_socket waits\nsend_socket waits\nto_socket waits\n'
refused='from_socket EINVAL\nsend_socket EINVAL\nto_socket EINVAL\n'
same='from_placed EINVAL\nsend_placed ESPIPE\nfile_placed done\n'

atf_test_case splices
splices_head()
{
	atf_set "descr" "no splice waits for a socket where workers hold pipes"
	atf_set "timeout" "120"
}
splices_body()
{
	hang_setup
	mkdir bare
	(cd bare && "${hang}" splices ${splices}) >out || atf_fail "bare"
	atf_check -o inline:"${waits}${same}" cat out
	# Control: with no such worker it is the caller's own business.
	atf_check -o inline:"${waits}" timeout -s KILL 30 ${box} \
	    --no-supervisor -- \
	    "${hang}" splices from_socket send_socket to_socket
	for policy in "${seccomp}" "${seccomp} --max-disk 1M" \
	    "${view} --fs-isolation overlayfs" \
	    "${box} -w wd --cwd wd" "${box} -r / -w wd --fs-deny bare --cwd wd"
	do
		case "${policy}" in
		*max-disk*)
			# No file is spliced to either: programs write.
			expected="${refused}${same%file*}"
			some="${splices% *}"
			;;
		*)
			expected="${refused}${same}"
			some=${splices}
			;;
		esac
		atf_check -o inline:"${expected}" timeout -s KILL 30 \
		    ${policy} -- "${hang}" splices ${some}
	done
	# The refusal is a denial like others.
	atf_check -o inline:"${refused}" timeout -s KILL 30 ${seccomp} \
	    --log-denials log -- \
	    "${hang}" splices from_socket send_socket to_socket
	atf_check -o match:'"call":"splice"' -o match:'"call":"sendfile"' \
	    cat log
}

atf_test_case fifo
fifo_head()
{
	atf_set "descr" "a FIFO is held by nobody when cowd opens it"
}
fifo_body()
{
	hang_setup
	mkdir bare
	(cd bare && "${hang}" fifo) >out || atf_fail "bare"
	atf_check -o inline:'hold waits\nopen waits\nserved\n' cat out
	for policy in "${seccomp}" "${seccomp} --max-disk 1M"; do
		atf_check \
		    -o inline:'hold EINVAL\nopen done\nserved\n' \
		    timeout -s KILL 30 ${policy} -- "${hang}" fifo
	done
	[ -z "$(ls -A wd)" ] || atf_fail "wd: $(ls -A wd)"
}

atf_test_case pipes
pipes_head()
{
	atf_set "descr" "a worker closes the last descriptor of a pipe"
	atf_set "timeout" "120"
}
pipes_body()
{
	hang_setup
	for call in look change; do
		atf_check -o inline:'served\n' timeout -s KILL 30 \
		    ${seccomp} -- "${hang}" pipes ${call} 3
	done
	# Without a working directory, where the way to cowd is another.
	atf_check -o inline:'served\n' timeout -s KILL 30 \
	    ${box} -w wd --cwd wd -- "${hang}" pipes change 3
}

atf_test_case sockets cleanup
sockets_head()
{
	atf_set "descr" "a worker closes the last descriptor of a socket"
	atf_set "timeout" "120"
}
sockets_body()
{
	hang_setup
	background "${hang}" serve port
	wait_for test -s port
	port=$(cat port)
	net="--net-allow 127.0.0.1:${port}"
	# Control: a close waits, for 1,000 seconds; and with no worker.
	"${hang}" closes ${port} >out || atf_fail "bare"
	atf_check -o inline:'close waits\n' cat out
	for call in look change connect; do
		atf_check -o inline:'served\n' timeout -s KILL 30 \
		    ${seccomp} ${net} -- "${hang}" sockets ${call} 3 ${port}
	done
	atf_check -o inline:'close done\n' timeout -s KILL 30 \
	    ${seccomp} ${net} -- "${hang}" closes ${port}
}
sockets_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case linger
linger_head()
{
	atf_set "descr" "SO_LINGER: all but the wait, and every refusal"
}
linger_body()
{
	hang_setup
	"${hang}" linger >bare.out || atf_fail "bare"
	atf_check -o match:'^1,5 1,5$' -o match:'^1,0 1,0$' \
	    -o match:'^0,5 0,0$' -o match:'^null EFAULT ' \
	    -o match:'^short EINVAL ' -o match:'^pipe ENOTSOCK$' \
	    -o match:'^closed EBADF$' cat bare.out
	# Where no worker holds a socket it is the kernel's.
	atf_check -o file:bare.out ${box} --no-supervisor -- "${hang}" linger
	# What would wait does not; all else is the same.
	sed -e 's/^1,5 1,5$/1,5 0,0/' -e 's/^1,-1 .*/1,-1 0,0/' bare.out \
	    >expected
	cmp -s bare.out expected && atf_fail "nothing waits"
	for policy in "${seccomp}" "${view} --fs-isolation overlayfs" \
	    "${box} -w wd --cwd wd"; do
		atf_check -o file:expected ${policy} -- "${hang}" linger
	done
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case splices
	atf_add_test_case fifo
	atf_add_test_case pipes
	atf_add_test_case sockets
	atf_add_test_case linger
}
