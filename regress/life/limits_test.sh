#! /usr/bin/env atf-sh
#
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

# Limits of processes and of processor time.

atf_test_case processes
processes_head()
{
	atf_set "descr" "-P counts every way to make a process, exactly"
}
processes_body()
{
	life_setup
	for how in fork vfork clone clone-silent clone-parent spawn; do
		atf_check -o inline:"9 EAGAIN\n" \
		    "${reap}" "${sandlock}" run --no-workdir -P 10 -- ${procs} make ${how} 20
		atf_check -o inline:"9 OK\n" \
		    "${reap}" "${sandlock}" run --no-workdir -P 10 -- ${procs} make ${how} 9
		atf_check -o inline:"20 OK\n" \
		    "${reap}" "${sandlock}" run --no-workdir -- ${procs} make ${how} 20
	done
	atf_check -o inline:"0 EAGAIN\n" \
	    "${reap}" "${sandlock}" run --no-workdir -P 1 -- ${procs} make fork 20
	atf_check -o inline:"299 EAGAIN\n" \
	    "${reap}" "${sandlock}" run --no-workdir -P 300 -- ${procs} make fork 400
}

atf_test_case threads
threads_head()
{
	atf_set "descr" "threads are no processes; clone3 is not there"
}
threads_body()
{
	life_setup
	atf_check -o inline:"100 OK\n" \
	    "${reap}" "${sandlock}" run --no-workdir -P 2 -- ${procs} make thread 100
	atf_check -o inline:"ENOSYS\n" \
	    "${reap}" "${sandlock}" run --no-workdir -P 2 -- ${procs} clone3
	atf_check -o inline:"ENOSYS\n" \
	    "${reap}" "${sandlock}" run --no-workdir -- ${procs} clone3
	atf_check -o inline:"EINVAL\n" ${procs} clone3
}

atf_test_case cheats
cheats_head()
{
	atf_set "descr" "-P: the count is exact whatever happened before"
	atf_set "timeout" "300"
}
cheats_body()
{
	life_setup
	for how in nohang nowait double parent silent ignored thread-exec \
	    kill; do
		atf_check -o inline:"9 EAGAIN\n" "${reap}" "${sandlock}" run --no-workdir \
		    -P 10 -- /bin/sh -c "./procs cheat ${how} &&
		    exec ./procs make fork 20"
	done
}

atf_test_case shared
shared_head()
{
	atf_set "descr" "-P is for the whole tree, and of each run its own"
}
shared_body()
{
	life_setup
	# The shell and its six sleepers leave two for the last command.
	atf_check -o inline:"2 EAGAIN\n" "${reap}" "${sandlock}" run \
	    --no-workdir -P 10 -- \
	    /bin/sh -c 'for i in 1 2 3 4 5 6; do ./procs pause & done
	    ./procs make fork 20; exit 0'
	"${reap}" "${sandlock}" run --no-workdir -P 10 -- /bin/sh -c './procs daemon d
	    ./procs make fork 20 >one; : >up; until [ -f end ]; do :; done' &
	wait_for test -f up
	atf_check -o inline:"9 EAGAIN\n" \
	    "${reap}" "${sandlock}" run --no-workdir -P 10 -- ${procs} make fork 20
	: >end
	wait $!
}

atf_test_case status
status_head()
{
	atf_set "descr" "the status line tells processes and notifications"
}
status_body()
{
	life_setup
	life_run -- -P 10 -- /bin/sh -c '/bin/true; /bin/true; exit 0'
	expect "-P" 0 exit
	[ "$(status_key processes)" = 3 ] || fail "$(cat status)"
	atf_check -o match:'"notifications":\{"(clone|fork|vfork)":2' \
	    cat status
	life_run -- -- /bin/sh -c '/bin/true; exit 0'
	[ "$(status_key processes)" = null ] || fail "$(cat status)"
}

# share [options] -- HOW: the share of a processor in percent.
share()
{
	"${reap}" "${sandlock}" run --no-workdir "$@" >share.out 2>errs ||
	    fail "$*: $(cat errs)"
	sed -n 's/^percent //p' share.out
}

atf_test_case cpu
cpu_head()
{
	atf_set "descr" "-c holds the tree down, whatever it tries"
	atf_set "timeout" "120"
}
cpu_body()
{
	life_setup
	free=$(share -- ${procs} burn spin 1000)
	# On a machine with no time at all nothing can be seen.
	[ "${free}" -gt 30 ] || atf_skip "machine too busy: ${free} percent"
	for how in spin waker children sessions watched; do
		got=$(share -c 10 -- ${procs} burn ${how} 2000)
		echo "${how}: ${got} (${free} without)"
		[ "${got}" -le 16 ] || fail "${how}: ${got} percent"
		[ "${got}" -ge 2 ] || fail "${how}: ${got}: starved"
	done
	# Two at a time share it.
	got=$(share -c 10 -- /bin/sh -c './procs burn spin 2000 >a &
	    ./procs burn spin 2000 >b; wait
	    echo percent $(($(sed s/percent// a) + $(sed s/percent// b)))')
	[ "${got}" -le 16 ] || fail "two: ${got} percent"
}

atf_test_case cpu_stops
cpu_stops_head()
{
	atf_set "descr" "-c: parents do not see their children stop"
}
cpu_stops_body()
{
	life_setup
	atf_check -o match:"^stops 0$" -o match:percent \
	    "${reap}" "${sandlock}" run --no-workdir -c 10 -- \
	    ${procs} burn watched 1000
}

atf_test_case cpu_signals
cpu_signals_head()
{
	atf_set "descr" "-c: stops and signals of the workload's own still work"
}
cpu_signals_body()
{
	life_setup
	life_run -- -c 10 -- /bin/bash -c '
	    ./procs burn spin 100000 & p=$!
	    for i in 1 2 3 4 5; do
		kill -STOP $p
		until grep -q "State:.[Tt]" /proc/$p/status; do :; done
		kill -CONT $p
	    done
	    kill -TERM $p; wait $p; [ $? -eq 143 ] || exit 1
	    trap "exit 42" USR1; ( kill -USR1 $$ )
	    while :; do :; done'
	expect "signals" 42 exit
	# A limit does not hold up the end.
	life_run -- -c 1 -t 1 --kill-after 0.5 -- ${procs} burn sessions 100000
	expect "timeout" 124 timeout
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case processes
	atf_add_test_case threads
	atf_add_test_case cheats
	atf_add_test_case shared
	atf_add_test_case status
	atf_add_test_case cpu
	atf_add_test_case cpu_stops
	atf_add_test_case cpu_signals
}
