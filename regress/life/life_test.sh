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

# Nothing that a workload does lets it live longer than its run, and signals
# to sandlock reach it while it lives.

atf_test_case outlive
outlive_head()
{
	atf_set "descr" "processes that detached are gone when sandlock returns"
}
outlive_body()
{
	life_setup
	for options in "" "--disable signal-scope" "-P 100" "-c 50" \
	    "-r / --unveil ${PWD}:rwxc"; do
		rm -f d1 d2 c1 c2
		# dash(1) takes a fork that a SIGCHLD interrupts for the last
		# word: see CAVEATS of sandlock(1).
		# shellcheck disable=SC2086
		life_run -- ${options} -- /bin/bash -c '
		    trap "" TERM HUP INT
		    ./procs daemon d1 & ./procs daemon d2 &
		    ./procs comet c1 & ./procs comet c2 &
		    ( setsid ./procs pause & ) ; nohup ./procs pause 2>&1 &
		    until [ -f d1 ] && [ -f d2 ] && [ -f c1 ] && [ -f c2 ]; do
			:
		    done; exit 7'
		expect "${options}" 7 exit
		[ ! -d "/proc/$(cat d1)" ] || fail "${options}: daemon left"
		nothing_left "${options}"
	done
}

atf_test_case outlive_kernel
outlive_kernel_head()
{
	atf_set "descr" "the same without a supervisor"
}
outlive_kernel_body()
{
	life_setup
	for options in "" "--disable signal-scope"; do
		rm -f d c
		# shellcheck disable=SC2086
		life_run -- --no-supervisor ${options} -- /bin/sh -c '
		    ./procs daemon d & ./procs comet c &
		    until [ -f d ] && [ -f c ]; do :; done; exit 7'
		expect "${options}" 7 exit
		nothing_left "${options}"
	done
}

atf_test_case kernel_killed
kernel_killed_head()
{
	atf_set "descr" "without a supervisor, a killed parent leaves nothing"
	atf_set "timeout" "60"
}
kernel_killed_body()
{
	life_setup
	"${reap}" -g 10 -p pid "${sandlock}" run --no-workdir --no-supervisor -- \
	    /bin/sh -c ': >up; exec ./procs pause' 2>errs &
	wait_for test -f up
	kill -9 "$(cat pid)"
	rc=0
	wait $! || rc=$?
	[ ${rc} -eq 137 ] || fail "status ${rc}: $(cat errs)"
	# sandlock(1) says so: there is nobody else to do it.
	[ -n "$(ls -A "${TMPDIR}")" ] || fail "the private directory is gone"
	rm -rf "${TMPDIR}"/sandlock.*
	nothing_left "no supervisor"
}

atf_test_case bomb
bomb_head()
{
	atf_set "descr" "a fork bomb is gone when sandlock returns"
}
bomb_body()
{
	life_setup
	for options in "" "--disable signal-scope"; do
		# shellcheck disable=SC2086
		life_run -- -P 60 -t 1 --kill-after 0.1 ${options} -- \
		    ${procs} bomb
		expect "-P ${options}" 124 timeout
		# shellcheck disable=SC2086
		life_run -- -P 60 ${options} -- /bin/sh -c './procs bomb &
		    i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3'
		expect "-P ${options}" 3 exit
	done
}

# The resource limit protects the machine from the test.
atf_test_case bomb_unlimited
bomb_unlimited_head()
{
	atf_set "descr" "a fork bomb without -P is gone, too"
	atf_set "require.user" "unprivileged"
	atf_set "require.progs" "prlimit"
}
bomb_unlimited_body()
{
	# No resource limit holds root.
	[ "$(id -u)" -ne 0 ] || atf_skip "not as root"
	life_setup
	# The limit is the user's: one such test at a time.
	exec 8<"${srcdir}/Kyuafile"
	flock 8
	user=$(ps -o pid= -L -u "$(id -u)" | wc -l)
	for options in "" "--disable signal-scope"; do
		rc=0
		# shellcheck disable=SC2086
		prlimit --nproc=$((user + 300)) "${reap}" "${sandlock}" run --no-workdir \
		    --status-fd 9 -t 1 --kill-after 0.1 ${options} -- \
		    ${procs} bomb 9>status 2>errs || rc=$?
		expect "${options}" 124 timeout
	done
}

# timeout -t T --kill-after K command
atf_test_case timeout
timeout_head()
{
	atf_set "descr" "-t: TERM to all, KILL after --kill-after, status 124"
}
timeout_body()
{
	life_setup
	# Not reached.
	life_run -- -t 60 -- /bin/sh -c 'exit 4'
	expect "not reached" 4 exit
	# TERM is enough; its trap runs, in a child that made a session, too.
	life_run -- -t 0.3 --kill-after 30 -- /bin/sh -c '
	    trap ": >term; exit 5" TERM
	    setsid /bin/sh -c "trap \": >session; exit 0\" TERM; : >ready
	    while :; do ./procs state >/dev/null; done" &
	    until [ -f ready ]; do :; done
	    while :; do wait; done'
	expect "TERM" 124 timeout
	[ -f term ] || fail "no TERM"
	# KILL is needed.
	life_run -- -t 0.1 --kill-after 0.1 -- /bin/sh -c '
	    trap "" TERM; ./procs daemon d; while :; do :; done'
	expect "KILL" 124 timeout
	[ "$(status_key signal)" = 9 ] || fail "not killed"
	# A stopped workload must act on TERM as well.
	life_run -- -t 0.5 --kill-after 30 -- /bin/sh -c 'kill -STOP $$'
	expect "stopped" 124 timeout
	[ "$(status_key signal)" = 15 ] || fail "stopped: no TERM"
	nothing_left timeout
	# Without a supervisor it is the parent who kills.
	life_run -- --no-supervisor -t 0.1 --kill-after 0.1 -- /bin/sh -c '
	    trap "" TERM; ./procs daemon d2; while :; do :; done'
	expect "no supervisor" 124 timeout
}

atf_test_case timeout_session
timeout_session_head()
{
	atf_set "descr" "-t: TERM reaches other sessions"
}
timeout_session_body()
{
	life_setup
	life_run -- -t 1 --kill-after 10 -- /bin/sh -c '
	    setsid /bin/sh -c "trap \": >session; exit 0\" TERM; : >ready
	    while :; do :; done" &
	    trap "" TERM
	    until [ -f session ]; do :; done'
	[ -f session ] || fail "no TERM in the session"
	expect "session" 124 timeout
}

# signals SIGNAL: to sandlock, and its trap in the workload answers.
atf_test_case signals
signals_head()
{
	atf_set "descr" "signals to sandlock reach the workload"
}
signals_body()
{
	life_setup
	for mode in "" --no-supervisor; do
	for sig in INT TERM HUP QUIT USR1 USR2 WINCH CONT; do
		rm -f up pid got
		# Jobs of a shell without job control ignore INT and QUIT;
		# sandlock must reset that for the workload.
		# shellcheck disable=SC2086
		"${reap}" -p pid "${sandlock}" run --no-workdir --status-fd 9 ${mode} -- \
		    /bin/sh -c "trap ': >got; exit 42' ${sig}; : >up
		    while :; do :; done" 9>status 2>errs &
		wait_for test -f up
		kill -${sig} "$(cat pid)"
		rc=0
		wait $! || rc=$?
		expect "${mode} ${sig}" 42 exit
		[ -f got ] || fail "${mode} ${sig}: not seen"
	done
	# Without a trap they do what they do.
	for pair in INT:130 TERM:143 HUP:129 QUIT:131 USR1:138 USR2:140; do
		rm -f up pid
		# shellcheck disable=SC2086
		"${reap}" -p pid "${sandlock}" run --no-workdir --status-fd 9 ${mode} \
		    --no-coredump -- /bin/sh -c ": >up; exec ./procs pause" \
		    9>status 2>errs &
		wait_for test -f up
		# The exec is behind it when the name has changed.
		wait_for grep -qs procs \
		    "/proc/$(workload_of "$(cat pid)")/comm"
		kill -${pair%:*} "$(cat pid)"
		rc=0
		wait $! || rc=$?
		expect "${mode} ${pair}" ${pair#*:} signal
	done
	done
}

workload_of()
{
	if [ "${mode}" = --no-supervisor ]; then
		worker_pid "$1" procs
	else
		worker_pid "$1" workload
	fi
}

atf_test_case signals_group
signals_group_head()
{
	atf_set "descr" "INT reaches the workload's group, and no worker"
}
signals_group_body()
{
	life_setup
	"${reap}" -p pid "${sandlock}" run --no-workdir --status-fd 9 \
	    --net-allow 127.0.0.1:9 -- /bin/sh -c '
	    trap "until [ -f child ]; do :; done; exit 42" INT
	    /bin/sh -c "trap \": >child; exit\" INT; : >up
	    while :; do :; done"' 9>status 2>errs &
	wait_for test -f up
	# As a terminal would: everybody in sandlock's group.
	for who in supervisor cowd netd; do
		wait_for has_worker "$(cat pid)" ${who}
		kill -INT "$(worker_pid "$(cat pid)" ${who})"
		kill -QUIT "$(worker_pid "$(cat pid)" ${who})"
		kill -HUP "$(worker_pid "$(cat pid)" ${who})"
	done
	kill -INT "$(cat pid)"
	rc=0
	wait $! || rc=$?
	expect "INT" 42 exit
	[ ! -s errs ] || fail "stderr: $(cat errs)"
}

atf_test_case signal_early
signal_early_head()
{
	atf_set "descr" "a signal before the start ends the run"
}
signal_early_body()
{
	life_setup
	# Stopped, the supervisor never starts the workload.
	for pair in INT:130 TERM:143 HUP:129 QUIT:131; do
		rm -f done outcome pid
		"${reap}" -p pid -s supervisor:20 -o outcome "${sandlock}" \
		    run --status-fd 9 -- /bin/sh -c ': >done' \
		    9>status 2>errs &
		wait_for grep -qs killed outcome
		kill -${pair%:*} "$(cat pid)"
		rc=0
		wait $! || rc=$?
		expect "${pair}" ${pair#*:} setup
		[ ! -f done ] || fail "${pair}: it ran"
		nothing_left "${pair}"
	done
}

atf_test_case signal_stages
signal_stages_head()
{
	atf_set "descr" "a signal during the start ends it or is the workload's"
}
signal_stages_body()
{
	life_setup
	# Wherever the supervisor is held, before or after the exec: what had
	# begun gets the signal, and what had not never begins.
	n=64
	until signal_stage; do
		n=$((n + 16))
		[ ${n} -lt 400 ] || fail "it never began"
	done
	first=${n}
	while [ ${n} -gt $((first - 16)) ]; do
		n=$((n - 1))
		signal_stage || :
	done
	[ "$(status_key reason)" = setup ] || fail "it had always begun"
}

# With the supervisor held at its call n: whether the workload had begun.
signal_stage()
{
	rm -f up got outcome pid
	"${reap}" -p pid -s supervisor:${n} -o outcome "${sandlock}" \
	    run --no-workdir -P 10 --status-fd 9 -- /bin/sh -c \
	    "trap ': >got; exit 42' TERM; : >up; while :; do :; done" \
	    9>status 2>errs &
	wait_for held_or_up
	sleep 0.1
	kill -TERM "$(cat pid)"
	sleep 0.1
	supervisor=$(worker_pid "$(cat pid)" supervisor)
	[ -z "${supervisor}" ] || kill -CONT "${supervisor}"
	rc=0
	wait $! || rc=$?
	nothing_left "${n}"
	if [ -f up ] || [ -f got ]; then
		expect "${n}" 42 exit
		[ -f got ] || fail "${n}: not seen"
		return 0
	fi
	# The shell had begun, and had not come to its trap.
	if [ "$(status_key reason)" = signal ]; then
		expect "${n}" 143 signal
		return 0
	fi
	expect "${n}" 143 setup
	return 1
}

atf_test_case signal_continued
signal_continued_head()
{
	atf_set "descr" "a stop during the start ends with the next CONT"
}
signal_continued_body()
{
	life_setup
	# The command waits for netd, which knows its name.
	for signals in "TSTP CONT" "CONT TSTP CONT" CONT; do
		rm -f up outcome pid
		setsid "${reap}" -p pid -s netd:20 -o outcome "${sandlock}" \
		    run --no-workdir --net-allow localhost --status-fd 9 -- \
		    /bin/sh -c ': >up' 9>status 2>errs &
		wait_for grep -qs killed outcome
		for sig in ${signals}; do
			kill -${sig} "$(cat pid)"
		done
		kill -CONT "$(worker_pid "$(cat pid)" netd)"
		rc=0
		wait $! || rc=$?
		expect "${signals}" 0 exit
		[ -f up ] || fail "${signals}: it never ran"
	done
}

held_or_up()
{
	[ -f up ] || grep -qs killed outcome
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case outlive
	atf_add_test_case outlive_kernel
	atf_add_test_case kernel_killed
	atf_add_test_case bomb
	atf_add_test_case bomb_unlimited
	atf_add_test_case timeout
	atf_add_test_case timeout_session
	atf_add_test_case signals
	atf_add_test_case signals_group
	atf_add_test_case signal_early
	atf_add_test_case signal_stages
	atf_add_test_case signal_continued
}
