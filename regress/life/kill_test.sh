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

# Each of our processes is killed, or stopped, at every stage of its life, and
# nothing of the run is left.

# sweep WHO STEP MAX REAP-OPTIONS [options]: kill WHO at the entry of system
# call 1, 1 + STEP ... until it gets through all of them.  judge decides.
sweep()
{
	_who=$1 _step=$2 _max=$3 _reap=$4
	shift 4
	_n=1 killed=0
	while [ ${_n} -le ${_max} ]; do
		rm -f done
		life_run ${_reap} -t 60 -k "${_who}:${_n}" -o outcome -- "$@"
		read -r what nr <outcome
		judge "${_who} killed at its call ${_n} (${nr})"
		errs_are_ours
		nothing_left "${_who} killed at its call ${_n} (${nr})"
		[ "${what}" = killed ] || break
		killed=$((killed + 1))
		_n=$((_n + _step))
	done
	[ ${killed} -gt 3 ] || fail "only ${killed} kills: void"
}

# A lost worker is 125; one that was not needed any more is nothing.
judge_worker()
{
	if [ "${what}" != killed ] || [ ${rc} -eq 0 ]; then
		expect "$1" 0 exit
		[ -f done ] || fail "$1: success, but it did not run"
	else
		expect "$1" 125 worker
	fi
}

sweep_worker()
{
	judge() { judge_worker "$1"; }
	sweep "$1" 1 1000 "-g 0" --net-allow 127.0.0.1:9 -P 50 -- \
	    /bin/sh -c ': >done'
}

atf_test_case left
left_head()
{
	atf_set "descr" "control: the test notices what is left"
}
left_body()
{
	life_setup
	atf_check -s exit:99 -e match:'left: .*procs' \
	    "${reap}" ${procs} daemon pid
	# It was killed as well.
	if [ -f pid ]; then
		wait_for test ! -d "/proc/$(cat pid)"
	fi
	atf_check -s exit:99 -e match:'left: .*procs' \
	    "${reap}" ${procs} comet pid
	atf_check -s exit:98 -e match:'hung' -e match:'left: .*procs' \
	    "${reap}" -t 0.2 ${procs} pause
	atf_check -s exit:137 "${reap}" sh -c 'kill -9 $$'
	atf_check "${reap}" -k "procs:5" -o outcome true
	atf_check -s exit:137 "${reap}" -k "procs:5" -o outcome ${procs} pause
	atf_check -o match:killed cat outcome
}

atf_test_case supervisor
supervisor_head()
{
	atf_set "descr" "the supervisor is killed at each of its system calls"
	atf_set "timeout" "600"
}
supervisor_body()
{
	life_setup
	sweep_worker supervisor
}

atf_test_case cowd
cowd_head()
{
	atf_set "descr" "cowd is killed at each of its system calls"
	atf_set "timeout" "600"
}
cowd_body()
{
	life_setup
	sweep_worker cowd
}

atf_test_case netd
netd_head()
{
	atf_set "descr" "netd is killed at each of its system calls"
	atf_set "timeout" "600"
}
netd_body()
{
	life_setup
	sweep_worker netd
}

# The workers finish by themselves when the parent is gone.
judge_parent()
{
	if [ "${what}" = killed ]; then
		[ ${rc} -eq 137 ] || fail "$1: status ${rc}"
	else
		expect "$1" 0 exit
	fi
}

atf_test_case parent
parent_head()
{
	atf_set "descr" "the parent is killed at each of its system calls"
	atf_set "timeout" "600"
}
parent_body()
{
	life_setup
	judge() { judge_parent "$1"; }
	sweep sandlock 1 1000 "-g 20" --net-allow 127.0.0.1:9 -P 50 -- \
	    /bin/sh -c ': >done'
}

# With a branch nothing may be left of it that somebody has to look after.
atf_test_case parent_branch
parent_branch_head()
{
	atf_set "descr" "the parent is killed at its calls: no branch is left"
	atf_set "timeout" "600"
}
parent_branch_body()
{
	life_setup
	store=${HOME}/.local/state/sandlock
	n=1 killed=0 left=0
	while :; do
		rm -f done outcome
		rc=0
		"${reap}" -g 20 -t 60 -k "sandlock:${n}" -o outcome \
		    "${sandlock}" run -- /bin/sh -c ': >done' 2>errs || rc=$?
		! grep '^reap: ' errs || fail "${n}: left: $(cat errs)"
		read -r what nr <outcome
		[ "${what}" = killed ] || break
		[ ${rc} -eq 137 ] || fail "${n} (${nr}): status ${rc}"
		killed=$((killed + 1))
		# One that is not complete might still be made by somebody.
		for dir in "${store}"/*; do
			[ ! -d "${dir}" ] || left=$((left + 1))
			[ ! -d "${dir}" ] || touch -d '1 hour ago' "${dir}"
		done
		"${sandlock}" branch recover >rec.out 2>rec.err ||
		    fail "${n} (${nr}): recover: $(cat rec.err)"
		"${sandlock}" branch list >list 2>&1
		[ ! -s list ] || fail "${n} (${nr}): $(cat list)"
		n=$((n + 3))
	done
	[ ${rc} -eq 0 ] || fail "status ${rc}: $(cat errs)"
	[ -f done ] || fail "nothing was committed"
	[ ${killed} -gt 20 ] || fail "only ${killed} kills: void"
	# Otherwise nothing of this was tested.
	[ ${left} -gt 0 ] || fail "no kill left a branch: void"
}

# Before its exec it is a failure of ours, after that a death by signal.
judge_workload()
{
	if [ "${what}" != killed ]; then
		expect "$1" 0 exit
	elif [ ${rc} -eq 137 ]; then
		expect "$1" 137 signal
	else
		expect "$1" 125 setup
		[ ! -f done ] || fail "$1: it ran"
	fi
}

atf_test_case workload
workload_head()
{
	atf_set "descr" "the workload is killed at each of its system calls"
	atf_set "timeout" "600"
}
workload_body()
{
	life_setup
	judge() { judge_workload "$1"; }
	sweep workload 1 1000 "-g 0" --net-allow 127.0.0.1:9 -P 50 -- \
	    /bin/sh -c ': >done'
}

# A workload that keeps every worker busy for as long as it lives.
load()
{
	cat >load.sh <<'END'
: >file
while :; do
	chmod 600 file 2>/dev/null
	./procs connect 9 2>/dev/null
	: >busy
done
END
}

judge_load()
{
	[ "${what}" = killed ] || fail "$1: the load ended"
	expect "$1" 125 worker
}

atf_test_case load
load_head()
{
	atf_set "descr" "each worker is killed while it is busy"
	atf_set "timeout" "600"
}
load_body()
{
	life_setup
	load
	judge() { judge_load "$1"; }
	for who in supervisor cowd netd; do
		sweep ${who} 83 1000 "-g 0" --net-allow 127.0.0.1:9 -P 50 -- \
		    /bin/sh load.sh
	done
}

atf_test_case load_parent
load_parent_head()
{
	atf_set "descr" "the parent is killed while its workers are busy"
	atf_set "timeout" "600"
}
load_parent_body()
{
	life_setup
	load
	for i in 1 2 3 4 5 6 7 8 9 10; do
		rm -f busy pid
		"${reap}" -g 20 -p pid "${sandlock}" run --no-workdir \
		    --net-allow 127.0.0.1:9 -P 50 -- /bin/sh load.sh 2>errs &
		wait_for test -f busy
		kill -9 "$(cat pid)"
		rc=0
		wait $! || rc=$?
		[ ${rc} -eq 137 ] || fail "status ${rc}: $(cat errs)"
		nothing_left "parent killed"
	done
}

# idle WHO STATUS REASON [options]
idle()
{
	_who=$1 _status=$2 _reason=$3
	shift 3
	rm -f up pid
	"${reap}" -g 20 -p pid "${sandlock}" run --no-workdir --status-fd 9 "$@" -- \
	    /bin/sh -c './procs daemon d & ./procs comet c; : >up;
	    exec ./procs pause' 9>status 2>errs &
	wait_for test -f up -a -f d -a -f c
	wait_for has_worker "$(cat pid)" "${_who}"
	_victim=$(worker_pid "$(cat pid)" "${_who}")
	kill -9 "${_victim}"
	rc=0
	wait $! || rc=$?
	[ ${rc} -eq ${_status} ] ||
	    fail "${_who} killed: status ${rc}: $(cat errs)"
	[ "$(status_key reason)" = "${_reason}" ] ||
	    fail "${_who} killed: reason $(status_key reason)"
	errs_are_ours
	nothing_left "${_who} killed"
	[ ! -d "/proc/$(cat d)" ] || fail "${_who} killed: daemon left"
	rm -f d c
}

atf_test_case idle
idle_head()
{
	atf_set "descr" "each process is killed while all wait"
	atf_set "timeout" "300"
}
idle_body()
{
	life_setup
	for i in 1 2 3; do
		idle supervisor 125 worker --net-allow 127.0.0.1:9
		idle cowd 125 worker --net-allow 127.0.0.1:9
		idle netd 125 worker --net-allow 127.0.0.1:9
		idle sandlock 137 "" --net-allow 127.0.0.1:9
		idle workload 137 signal --net-allow 127.0.0.1:9
		# Without a signal scope trees are walked.
		idle supervisor 125 worker --disable signal-scope
		idle sandlock 137 "" --disable signal-scope
		idle workload 137 signal --disable signal-scope
		# The supervisor alone.
		idle supervisor 125 worker -r / --unveil "${PWD}:rwxc"
		idle sandlock 137 "" -r / --unveil "${PWD}:rwxc"
		idle workload 137 signal -r / --unveil "${PWD}:rwxc"
	done
}

# A network of its own, with a name server that does not answer: what comes
# after the first question is the time before GO.
resolving()
{
	cat >resolving.sh <<'END'
set -e
ip link set lo up
echo 'nameserver 127.0.0.1' >resolv.conf
mount --bind resolv.conf "$(readlink -f /etc/resolv.conf)"
./procs silent asked &
silent=$!
reap=$1 sandlock=$2 who=$3
"${reap}" -g 20 -p pid "${sandlock}" run --no-workdir --status-fd 9 \
    --net-allow host.example:80 -- /bin/sh -c ': >done' 9>status 2>errs &
run=$!
tries=0
until [ -f asked ]; do
	tries=$((tries + 1))
	[ ${tries} -lt 3000 ] || exit 96
	sleep 0.01
done
. ./worker_pid.sh
victim=$(worker_pid "$(cat pid)" "${who}")
[ -n "${victim}" ] || exit 95
[ "${who}" = none ] || kill -9 "${victim}"
rc=0
wait ${run} || rc=$?
kill -9 ${silent}
exit ${rc}
END
	# The same function, for a shell that is not atf's.
	sed -n '/^worker_pid()/,/^}/p' "${srcdir}/util.sh" >worker_pid.sh
	rm -f asked pid status errs done
	rc=0
	unshare "$@" -n -m -- /bin/sh resolving.sh "${reap}" "${sandlock}" \
	    "${who}" >unshare.log 2>&1 || rc=$?
}

atf_test_case before_go
before_go_head()
{
	atf_set "descr" "each process is killed while netd waits for an answer"
	atf_set "require.progs" "unshare ip mount"
	atf_set "timeout" "300"
}
before_go_body()
{
	life_setup
	user=
	[ "$(id -u)" -eq 0 ] || user=-r
	unshare ${user} -n -m true || atf_skip "no namespaces for this user"
	for who in supervisor cowd netd workload sandlock; do
		resolving ${user}
		case ${who} in
		sandlock)
			[ ${rc} -eq 137 ] ||
			    fail "${who}: ${rc}: $(cat unshare.log errs)"
			;;
		workload)
			expect "${who} killed: $(cat unshare.log)" 125 setup ;;
		*)
			expect "${who} killed: $(cat unshare.log)" 125 worker ;;
		esac
		[ ! -f done ] || fail "${who} killed: the workload ran"
		errs_are_ours
		nothing_left "${who} killed before GO"
	done
}

# stopped WHO N: in a directory of its own, for these take five seconds each.
stopped_at()
{
	mkdir "$1.$2"
	cd "$1.$2"
	rc=0
	"${reap}" -t 60 -s "$1:$2" -o outcome "${sandlock}" run --no-workdir \
	    --status-fd 9 --net-allow 127.0.0.1:9 -P 50 -- \
	    /bin/sh -c ': >done' 9>status 2>errs || rc=$?
	echo ${rc} >rc
}

atf_test_case stopped_early
stopped_early_head()
{
	atf_set "descr" "a worker that stops during the start ends the run"
	atf_set "timeout" "300"
}
stopped_early_body()
{
	life_setup
	for who in supervisor cowd netd; do
		for n in 2 20 50; do
			( stopped_at ${who} ${n} ) &
		done
	done
	wait
	for dir in supervisor.* cowd.* netd.*; do
		cd ${dir}
		rc=$(cat rc)
		# Otherwise it had done its part.
		if grep -q '^killed' outcome && [ ! -f done ]; then
			expect "${dir}" 125 worker
			atf_check -o match:'is stopped' cat errs
		elif [ ${rc} -ne 125 ]; then
			expect "${dir}" 0 exit
		fi
		cd ..
	done
	nothing_left "stopped early"
}

# stopped WHO COMMAND: COMMAND needs WHO, and tells by a file that it was let
# through.
stopped()
{
	rm -f up stopped through pid
	"${reap}" -p pid -t 60 "${sandlock}" run --no-workdir --status-fd 9 -P 50 \
	    --net-allow 127.0.0.1 -- /bin/sh -c ": >file; : >up;
	    until [ -e stopped ]; do :; done; $2 && : >through" \
	    9>status 2>errs &
	wait_for test -f up
	if [ "$1" != control ]; then
		wait_for has_worker "$(cat pid)" "$1"
		kill -STOP "$(worker_pid "$(cat pid)" "$1")"
	fi
	: >stopped
	rc=0
	wait $! || rc=$?
}

atf_test_case stopped
stopped_head()
{
	atf_set "descr" "a stopped worker ends the run and lets nothing through"
	atf_set "timeout" "300"
}
stopped_body()
{
	life_setup
	"${srcdir}/procs" listen port &
	wait_for test -f port
	port=$(cat port)
	while read -r who command; do
		stopped ${who} "${command}"
		expect "${who}" 125 worker
		[ ! -f through ] || fail "${who}: the call was let through"
		[ ! -f port.got ] || fail "${who}: it connected"
		atf_check -o match:"^sandlock: ${who} is stopped" cat errs
		nothing_left "${who} stopped"
		stopped control "${command}"
		expect "control of ${who}" 0 exit
		[ -f through ] || fail "control of ${who} failed"
	done <<END
supervisor /bin/true
cowd chmod 600 file
netd ./procs connect ${port}
END
	wait_for test -f port.got
}

# stopped_end WHO HOW: a run is to end while one of its workers is stopped.
stopped_end()
{
	rm -f out/up pid status errs
	mkdir -p wd out
	"${reap}" -g 10 -p pid -t 60 "${sandlock}" run -r / -w out \
	    --workdir wd --cwd wd --fs-isolation seccomp --status-fd 9 \
	    --net-allow 127.0.0.1:9 -P 50 -- \
	    /bin/sh -c "while :; do : >file; /bin/true; : >${PWD}/out/up; done" \
	    9>status 2>errs &
	wait_for test -f out/up
	_parent=$(cat pid)
	_victim=$(worker_pid "${_parent}" "$1")
	kill -STOP "${_victim}"
	wait_for grep -q 'State:.T' "/proc/${_victim}/status"
	kill -"$2" "${_parent}"
	rc=0
	wait $! || rc=$?
	! grep '^reap: ' errs || fail "$1, $2: left or hung: $(cat errs)"
	nothing_left "$1 stopped, $2"
	[ -z "$(ls -A wd)" ] || fail "$1, $2: committed $(ls -A wd)"
}

atf_test_case stopped_end
stopped_end_head()
{
	atf_set "descr" "a run ends that is told to while a worker is stopped"
	atf_set "timeout" "300"
}
stopped_end_body()
{
	life_setup
	for who in supervisor cowd netd; do
		for how in INT TERM KILL; do
			stopped_end ${who} ${how}
			# Or the worker is lost before the workload has ended.
			case ${how}:${rc} in
			KILL:137)
				;;
			INT:130|TERM:143)
				expect "${who}, ${how}" ${rc} signal ;;
			*)
				expect "${who}, ${how}" 125 worker ;;
			esac
		done
	done
}

atf_test_case continued
continued_head()
{
	atf_set "descr" "a worker that is stopped for a moment ends nothing"
}
continued_body()
{
	life_setup
	"${reap}" -p pid "${sandlock}" run --no-workdir -P 50 -- /bin/sh -c ': >up
	    until [ -e end ]; do /bin/true; done' 2>errs &
	wait_for test -f up
	for who in supervisor cowd; do
		victim=$(worker_pid "$(cat pid)" ${who})
		kill -STOP "${victim}"
		wait_for grep -q 'State:.T' "/proc/${victim}/status"
		kill -CONT "${victim}"
	done
	: >end
	rc=0
	wait $! || rc=$?
	[ ${rc} -eq 0 ] || fail "status ${rc}: $(cat errs)"
}

atf_test_case end_order
end_order_head()
{
	atf_set "descr" "the end of the run is not mistaken for a lost worker"
	atf_set "timeout" "300"
}
end_order_body()
{
	life_setup
	# A traced parent is slow: it sees several ends at once.
	i=0
	while [ ${i} -lt 300 ]; do
		life_run -k sandlock:100000 -- --net-allow 127.0.0.1:9 -- \
		    /bin/true
		expect "run ${i}" 0 exit
		i=$((i + 1))
	done
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case left
	atf_add_test_case supervisor
	atf_add_test_case cowd
	atf_add_test_case netd
	atf_add_test_case parent
	atf_add_test_case parent_branch
	atf_add_test_case workload
	atf_add_test_case load
	atf_add_test_case load_parent
	atf_add_test_case idle
	atf_add_test_case before_go
	atf_add_test_case stopped_early
	atf_add_test_case stopped
	atf_add_test_case stopped_end
	atf_add_test_case continued
	atf_add_test_case end_order
}
