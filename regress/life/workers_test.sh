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

# The programs of a run, seen from outside: that they are several, what each of
# them has, and that a system call which is not its own ends it and the run.

atf_test_case start
start_head()
{
	atf_set "descr" "each worker is a program of its own, with nothing else"
}
start_body()
{
	life_setup
	dir=$(cd "$(dirname "${sandlock}")/.." && pwd -P)
	# Descriptors and variables of ours that must not get there.
	exec 5<"${sandlock}" 6>six
	SECRET=s rc=0
	export SECRET
	"${reap}" -x "${sandlock}" run --no-workdir --net-allow 127.0.0.1:9 \
	    --log-denials 6 --pass-fd 5 -- /bin/true >starts 2>errs || rc=$?
	[ ${rc} -eq 0 ] || fail "status ${rc}: $(cat errs)"
	for who in supervisor cowd netd; do
		# Its part of the list, and its channel.
		sed -n "/^start ${who}\$/,/^start /p" starts |
		    sed '1!{/^start /d;}' >${who}.start
		atf_check -o inline:"start ${who}\nexe ${dir}/${who}/${who}\nargs ${who}\nenv \n" \
		    sed -n 1,4p ${who}.start
		sed -n 's/^fd \([0-9]*\) .*/\1/p' ${who}.start | sort >fds
		atf_check -o inline:"0\n1\n2\n3\n" cat fds
		atf_check -o match:'^fd 3 socket:' cat ${who}.start
	done
	[ "$(grep -c '^start' starts)" -eq 3 ] || fail "$(cat starts)"
}

atf_test_case needed
needed_head()
{
	atf_set "descr" "only the workers that the policy needs are started"
}
needed_body()
{
	life_setup
	while read -r want options; do
		# shellcheck disable=SC2086
		"${reap}" -x "${sandlock}" run --no-workdir ${options} -- /bin/true >starts \
		    2>errs || fail "${options}: $(cat errs)"
		got=$(sed -n 's/^start //p' starts | sort | tr '\n' ,)
		[ "${got}" = "${want}" ] || fail "${options}: ${got}"
	done <<'END'
supervisor, -r /
cowd,supervisor, -r / -w .
netd,supervisor, -r / --net-allow 127.0.0.1:9
cowd,netd,supervisor, -r / -w . --net-allow 127.0.0.1:9
END
	atf_check -o empty "${reap}" -x "${sandlock}" run --no-workdir \
	    --no-supervisor -- \
	    /bin/true
}

field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

atf_test_case confined
confined_head()
{
	atf_set "descr" "what the kernel says of each process of a run"
}
confined_body()
{
	life_setup
	"${reap}" -p pid "${sandlock}" run --no-workdir --net-allow 127.0.0.1:9 -- \
	    /bin/sh -c ': >up; until [ -f end ]; do :; done' 2>errs &
	wait_for test -f up
	parent=$(cat pid)
	for who in sandlock supervisor cowd netd workload; do
		# netd and cowd may still be on their way.
		wait_for has_worker "${parent}" ${who}
		pid=$(worker_pid "${parent}" ${who})
		[ ${who} = sandlock ] ||
		    wait_for grep -q '^Seccomp:.2' "/proc/${pid}/status"
		for cap in CapInh CapPrm CapEff CapBnd CapAmb; do
			# A user cannot lower the bounding set, and need not.
			[ ${cap} != CapBnd ] || [ "$(id -u)" -eq 0 ] ||
			    continue
			[ "$(field ${pid} ${cap})" = 0000000000000000 ] ||
			    fail "${who}: ${cap} $(field ${pid} ${cap})"
		done
		[ "$(field ${pid} NoNewPrivs)" = 1 ] ||
		    fail "${who}: NoNewPrivs"
		# A task that is not dumpable belongs to root in /proc.
		owner=$(stat -c %u "/proc/${pid}/environ")
		if [ "$(id -u)" -ne 0 ]; then
			case ${who} in
			workload)	want=$(id -u) ;;
			*)		want=0 ;;
			esac
			[ "${owner}" = ${want} ] ||
			    fail "${who}: dumpable: ${owner}"
			if [ ${who} = workload ]; then
				atf_check -o not-empty ls "/proc/${pid}/fd"
			else
				atf_check -s not-exit:0 -e match:denied \
				    ls "/proc/${pid}/fd"
			fi
		fi
	done
	pid=$(worker_pid "${parent}" supervisor)
	[ "$(field "$(worker_pid "${parent}" workload)" PPid)" = ${pid} ] ||
	    fail "the workload is not the supervisor's child"
	for who in supervisor cowd netd; do
		pid=$(worker_pid "${parent}" ${who})
		atf_check -o inline:"${who}\n" ps -o args= -p ${pid}
		atf_check -o inline:"${who}\n" ps -o comm= -p ${pid}
		[ "$(field ${pid} PPid)" = "${parent}" ] ||
		    fail "${who}: not the parent's child"
	done
	: >end
	wait $! || fail "$(cat errs)"
}

atf_test_case parent_filter
parent_filter_head()
{
	atf_set "descr" "the parent has a filter as well while it waits"
}
parent_filter_body()
{
	life_setup
	"${reap}" -p pid "${sandlock}" run --no-workdir --net-allow 127.0.0.1:9 -- \
	    /bin/sh -c ': >up; until [ -f end ]; do :; done' 2>errs &
	wait_for test -f up
	got=$(field "$(cat pid)" Seccomp)
	: >end
	wait $!
	[ "${got}" = 2 ] || fail "Seccomp: ${got}"
	[ "$(uname -m)" = x86_64 ] || return 0
	# It moves its workers to other processors, and nobody else.
	rules="--net-allow tcp://127.0.0.1:9"
	for call in 203:1:0:0 204:1:0:0 203:0:0:0; do
		inject sandlock ${call}
		[ "$(cat outcome)" = "signal 31" ] ||
		    fail "${call}: $(cat outcome)"
	done
}

# late RULE: a run that connects, while netd is held at its start.
late()
{
	rm -f up through outcome pid port port.got
	"${srcdir}/procs" listen port &
	wait_for test -s port
	port=$(cat port)
	"${reap}" -p pid -s netd:20 -o outcome "${sandlock}" run --no-workdir \
	    --net-allow 127.0.0.1 --net-allow "$1" -- /bin/sh -c ": >up
	    ./procs connect ${port} && : >through" 2>errs &
	wait_for grep -qs killed outcome
}

# It goes on.
later()
{
	kill -CONT "$(worker_pid "$(cat pid)" netd)"
	wait $! || fail "$1: $(cat errs)"
	[ -f up ] && [ -f through ] || fail "$1: not connected"
}

atf_test_case late
late_head()
{
	atf_set "descr" "calls wait for a worker that starts, names before all"
}
late_body()
{
	life_setup
	late 127.0.0.2
	wait_for test -f up
	sleep 0.3
	[ ! -f through ] && [ ! -f port.got ] || fail "it did not wait"
	later address
	late localhost
	sleep 0.3
	[ ! -f up ] || fail "it did not wait for the name"
	later name
}

# The processors that a process may use.
processors_of()
{
	sed -n 's/^Cpus_allowed_list:	//p' "/proc/$1/status"
}

# The same of a program of the run.
processors()
{
	processors_of "$(worker_pid "$(cat pid)" "$1")"
}

# Whether there is more than one processor; those of this shell.
several()
{
	all=$(processors_of self)
	[ "$(nproc)" -gt 1 ]
}

# Let all of the run that are moved, and who calls, use these.
use()
{
	# The supervisor's place is where cowd comes next, and it cannot tell.
	for who in cowd supervisor workload; do
		taskset -p -c "$1" "$(worker_pid "$(cat pid)" ${who})" >set
	done
}

uses_all()
{
	[ "$(processors "$1")" = "${all}" ]
}

uses_one()
{
	processors "$1" | grep -qx '[0-9]*'
}

# In how many of ten looks a worker may use one processor only.
times_moved()
{
	moved=0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! uses_one "$1" || moved=$((moved + 1))
		sleep 0.02
	done
	echo ${moved}
}

# calling [OPTION ...]: a run in which one asks cowd while "one" or "unix" is
# there, and netd while "data", "tcp" or "far" is, eight ask cowd while "many"
# is; it ends with "end".
calling()
{
	mkdir -p wd
	rm -f pid end one data tcp far unix many
	"${reap}" -p pid "${sandlock}" run -r / --workdir wd "$@" -- \
	    /usr/bin/python3 -c '
import os, socket, time
def change(name, condition):
    while os.path.exists(condition):
        os.chmod(name, 0o600)
        os.chmod(name, 0o640)
for i in range(8):
    open("wd/%d" % i, "w").close()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tcp = socket.socket()
server = socket.socket(socket.AF_UNIX)
server.bind("wd/socket")
server.listen()
while not os.path.exists("end"):
    change("wd/0", "one")
    while os.path.exists("data"):
        s.sendto(b"x", ("127.0.0.1", 9))
    # Refused by nobody at that port, and by the rules.
    while os.path.exists("tcp"):
        tcp.connect_ex(("127.0.0.1", 9))
    while os.path.exists("far"):
        tcp.connect_ex(("192.0.2.1", 9))
    while os.path.exists("unix"):
        client = socket.socket(socket.AF_UNIX)
        client.connect("wd/socket")
        client.close()
        server.accept()[0].close()
    if os.path.exists("many"):
        pids = [os.fork() for i in range(8)]
        if 0 in pids:
            change("wd/%d" % pids.index(0), "many")
            os._exit(0)
        for pid in pids:
            os.waitpid(pid, 0)
    time.sleep(0.01)
' 2>errs &
	wait_for test -s pid
	for who in supervisor cowd netd; do
		wait_for has_worker "$(cat pid)" ${who}
	done
}

atf_test_case near
near_head()
{
	atf_set "descr" "a worker answers on its only caller's processor"
	atf_set "require.files" "/usr/bin/python3"
}
near_body()
{
	life_setup
	several || return 0
	calling --net-allow 127.0.0.1:9 --on-exit commit
	: >one
	wait_for uses_one cowd
	wait_for uses_one supervisor
	rm one
	wait_for uses_all cowd
	wait_for uses_all supervisor
	: >data
	wait_for uses_one netd
	wait_for uses_one supervisor
	uses_all cowd || fail "cowd was moved for netd"
	rm data
	wait_for uses_all netd
	: >tcp
	wait_for uses_one netd
	rm tcp
	wait_for uses_all netd
	: >unix
	wait_for uses_one cowd
	rm unix
	wait_for uses_all cowd
	# What goes to another host waits for that.
	: >far
	moved=$(times_moved netd)
	[ ${moved} -eq 0 ] || fail "moved for another host"
	rm far
	# Of many it is moved for nobody, but to try once in a while.
	: >many
	sleep 0.1
	moved=$(times_moved cowd)
	[ ${moved} -lt 5 ] || fail "moved for many: ${moved} of 10"
	uses_all sandlock || fail "the parent was moved"
	: >end
	rm many
	wait $! || fail "$(cat errs)"
	[ "$(stat -c %a wd/0)" = 640 ] || fail "not committed"
}

# Whether another processor than they are moved to, if all are given that, is
# what they have when nobody asks any more.
choose()
{
	: >one
	wait_for uses_one cowd
	other=${all##*[-,]}
	[ "$(processors cowd)" != "${other}" ] || other=${all%%[-,]*}
	use "${other}"
	rm one
	sleep 0.3
	{ processors supervisor; processors cowd; } >kept
	[ "$(sort -u kept)" = "${other}" ]
}

atf_test_case near_chosen
near_chosen_head()
{
	atf_set "descr" "what others have chosen meanwhile stays"
	atf_set "require.files" "/usr/bin/python3"
}
near_chosen_body()
{
	life_setup
	several || return 0
	calling --net-allow 127.0.0.1:9 --on-exit abort
	# Between two calls of ours the choice is lost; not again and again.
	tries=0
	until choose; do
		tries=$((tries + 1))
		[ ${tries} -lt 5 ] || fail "not kept: $(cat kept)"
		use "${all}"
	done
	: >end
	wait $! || fail "$(cat errs)"
}

# Of one processor there is nothing to choose, and no call for that.
atf_test_case near_single
near_single_head()
{
	atf_set "descr" "nobody is moved from the only processor"
}
near_single_body()
{
	life_setup
	[ "$(uname -m)" = x86_64 ] || atf_skip "system calls by number"
	all=$(processors_of self)
	rules="--net-allow tcp://127.0.0.1:9"
	taskset -p -c "${all%%[-,]*}" $$ >set
	inject supervisor 203:0:0:0
	[ "$(cat outcome)" = "signal 31" ] || fail "$(cat outcome)"
	expect single 125 worker
}

# A run whose branch is committed; what cowd may use before and after that began.
commit_of_many()
{
	rm -rf wd pid
	mkdir wd
	# Enough to be seen at it; and last it is moved.
	"${reap}" -p pid "${sandlock}" run -r / --workdir wd --on-exit commit \
	    -- /usr/bin/python3 -c '
import os
for i in range(3000):
    open("wd/%d" % i, "w").close()
for i in range(500):
    os.chmod("wd/0", 0o600)
' 2>errs &
	wait_for test -s pid
	wait_for has_worker "$(cat pid)" cowd
	while has_worker "$(cat pid)" supervisor; do
		before=$(processors cowd)
	done
	after=$(processors cowd)
	wait $! || fail "$(cat errs)"
}

atf_test_case near_end
near_end_head()
{
	atf_set "descr" "at the end of a run its branch has all processors"
	atf_set "require.files" "/usr/bin/python3"
}
near_end_body()
{
	life_setup
	several || return 0
	# On a busy machine it may be over when this looks.
	after=
	tries=0
	until [ -n "${after}" ]; do
		tries=$((tries + 1))
		[ ${tries} -le 10 ] || fail "never seen"
		commit_of_many
	done
	[ "${after}" = "${all}" ] || fail "from ${before} to ${after}"
}

# Only root may look at the descriptors of a process that is not dumpable.
atf_test_case descriptors
descriptors_head()
{
	atf_set "descr" "what each worker has open while it serves"
	atf_set "require.user" "root"
}
descriptors_body()
{
	[ "$(id -u)" -eq 0 ] || atf_skip "as root only"
	life_setup
	echo secret >secret
	exec 5<secret
	"${reap}" -p pid "${sandlock}" run --no-workdir --net-allow 127.0.0.1:9 -- \
	    /bin/sh -c ': >up; chmod 600 up; ./procs connect 9
	    : >served; until [ -f end ]; do :; done' 2>errs &
	wait_for test -f served
	parent=$(cat pid)
	for who in supervisor cowd netd workload; do
		pid=$(worker_pid "${parent}" ${who})
		echo "${who} pid ${pid}"
		for fd in /proc/${pid}/fd/*; do
			echo "${who} ${fd##*/} $(readlink "${fd}")"
		done
	done >open
	: >end
	wait $! || fail "$(cat errs)"
	if grep secret open; then
		fail "a descriptor of the caller's"
	fi
	# The listener is the supervisor's alone.
	atf_check -o match:'^supervisor [0-9]+ anon_inode:seccomp' \
	    -o not-match:'^(cowd|netd|workload) .*seccomp' cat open
	# netd holds no file but what tells which sockets are left (see
	# netd/bound.c); cowd only what the policy lets change.
	[ "$(grep '^netd' open | grep -v '^netd [012] ' | grep -c ' /')" -eq 1 ] ||
	    fail "netd: $(cat open)"
	pid=$(sed -n 's/^netd pid //p' open)
	atf_check -o match:"^netd [0-9]* /proc/${pid}/fdinfo/[0-9]*\$" \
	    -o match:'^netd .*socket:' -o not-match:'^netd .* /[^p]' \
	    sh -c 'grep "^netd" open | grep -v "^netd [012] "'
	grep '^cowd' open | grep -v '^cowd [012] ' | grep ' /' |
	    grep -v -e " ${PWD}\$" -e " ${TMPDIR}" -e ' /dev/' >strange
	[ ! -s strange ] || fail "cowd: $(cat strange)"
	atf_check -o not-match:'^workload .*(socket|seccomp|eventpoll)' cat open
	# One channel each to the parent, to each other: no more sockets.  The
	# supervisor has one that leads nowhere, to ask about interfaces with.
	[ "$(grep -c '^supervisor.*socket:' open)" -eq 4 ] ||
	    fail "supervisor: $(cat open)"
	[ "$(grep -c '^cowd.*socket:' open)" -eq 2 ] ||
	    fail "cowd: $(cat open)"
	[ "$(grep -c '^netd.*socket:' open)" -eq 2 ] ||
	    fail "netd: $(cat open)"
}

atf_test_case workload
workload_head()
{
	atf_set "descr" "the workload has the three streams and nothing of ours"
}
workload_body()
{
	life_setup
	exec 5<procs 6<procs 9<procs
	for options in "" "-P 20" "--net-allow 127.0.0.1:9" "-c 90" \
	    --no-supervisor; do
		# shellcheck disable=SC2086
		atf_check -o inline:"0\n1\n2\n3\n" "${reap}" "${sandlock}" run --no-workdir \
		    ${options} -- /bin/ls /proc/self/fd
		# shellcheck disable=SC2086
		"${sandlock}" run --no-workdir ${options} -- /bin/cat /proc/self/status \
		    >seen
		atf_check -o match:'^NoNewPrivs:.1$' -o match:'^Seccomp:.2$' \
		    -o match:'^CapEff:.0000000000000000$' \
		    -o match:'^CapPrm:.0000000000000000$' cat seen
		[ "$(id -u)" -ne 0 ] ||
		    atf_check -o match:'^CapBnd:.0000000000000000$' cat seen
	done
	# Control: they are open here.
	atf_check -o match:'^9$' /bin/ls /proc/self/fd
}

# inject WHO CALL, with the options in rules: -1 for the outcome of a call that
# must not have one.
inject()
{
	rm -f up outcome end
	rc=0
	# Once it has served it is past every stage of its set-up.
	"${reap}" -i "$1:$2" -w up -o outcome "${sandlock}" run --no-workdir \
	    --status-fd 9 ${rules} -- /bin/sh -c ': >file
	    chmod 600 file; ./procs connect 9 2>/dev/null; : >up
	    until [ -f end ]; do :; done' 9>status 2>errs &
	wait_for test -s outcome
	: >end
	wait $! || rc=$?
}

# The calls in the file: number:arguments, name, who may; each by each of WHO.
forbidden_to()
{
	while read -r call name may; do
		for who in "$@"; do
			inject ${who} ${call}
			case ,${may}, in
			*,${who},*)
				grep -q '^returned' outcome ||
				    fail "${who}: ${name}: $(cat outcome)"
				expect "${who}: ${name}" 0 exit
				;;
			*)
				[ "$(cat outcome)" = "signal 31" ] ||
				    fail "${who}: ${name}: $(cat outcome)"
				expect "${who}: ${name}" 125 worker
				errs_are_ours
				;;
			esac
			nothing_left "${who}: ${name}"
		done
	done <calls
}

atf_test_case forbidden
forbidden_head()
{
	atf_set "descr" "a system call that is not its own kills a worker"
	atf_set "timeout" "600"
}
forbidden_body()
{
	life_setup
	[ "$(uname -m)" = x86_64 ] || atf_skip "system calls by number"
	cat >calls <<'END'
39 getpid supervisor,cowd,netd
228:1:0 clock_gettime supervisor,cowd,netd
59:0:0:0 execve -
322:-1:0:0:0:0 execveat -
41:1:1:0 socket -
2:0:0 open -
257:-100:0:0 openat supervisor
257:-100:0:1 openat_wronly -
257:-100:0:64 openat_creat -
257:-100:0:512 openat_trunc -
437:-100:0:0:24 openat2 cowd
56:17 clone -
57 fork -
58 vfork -
435:0:0 clone3 -
62:1:0 kill supervisor
101:0:0:0:0 ptrace -
101:4:1:0:0 ptrace_poketext -
310:1:0:0:0:0:0 process_vm_readv supervisor
311:1:0:0:0:0:0 process_vm_writev supervisor
434:-1:0 pidfd_open supervisor
438:-1:0:0 pidfd_getfd supervisor
424:-1:0:0:0 pidfd_send_signal -
321:0:0:0 bpf -
317:1:0:0 seccomp -
157:38:1:0:0:0 prctl -
157:4:1 prctl_dumpable -
105:0 setuid -
126:0:0 capset -
87:0 unlink -
263:-1:0:0 unlinkat cowd
82:0:0 rename -
316:-1:0:-1:0:0 renameat2 -
90:0:0 chmod -
268:-1:0:0 fchmodat cowd
133:0:0 mknod -
165:0:0:0:0:0 mount -
272:0 unshare -
308:-1:0 setns -
425:1:0 io_uring_setup -
319:0:0 memfd_create -
9:0:4096:7:34:-1:0 mmap_exec -
10:0:4096:4 mprotect_exec -
16:0:0x5412:0 ioctl_tiocsti -
16:-1:0x40182103:0 ioctl_notif_addfd supervisor
42:-1:0:0 connect cowd,netd,supervisor
49:-1:0:0 bind -
49:-1:0:12 bind_route netd
53:1:0x80005:0:0 socketpair netd
53:1:0x80002:0:0 socketpair_dgram -
53:2:0x80005:0:0 socketpair_inet -
50:-1:0 listen netd
44:-1:0:0:0:0:0 sendto -
72:-1:2:1 fcntl_setfd supervisor,cowd,netd
72:-1:8:1 fcntl_setown -
200:1:9 tkill -
234:1:1:9 tgkill -
425:0x40000000 x32 -
203:1:0:0 sched_setaffinity_other -
204:1:0:0 sched_getaffinity_other -
END
	# With one there is nothing to choose.
	[ "$(nproc)" -eq 1 ] || cat >>calls <<'END'
203:0:0:0 sched_setaffinity supervisor
204:0:0:0 sched_getaffinity supervisor
309:0:0:0 getcpu supervisor
END
	sed -i 's/^425:0x40000000 x32/0x40000027 x32/' calls
	rules="--net-allow tcp://127.0.0.1:9"
	forbidden_to supervisor cowd netd
}

atf_test_case forbidden_datagrams
forbidden_datagrams_head()
{
	atf_set "descr" "nor one that sends and binds do not take"
	atf_set "timeout" "300"
}
forbidden_datagrams_body()
{
	life_setup
	[ "$(uname -m)" = x86_64 ] || atf_skip "system calls by number"
	cat >calls <<'END'
49:-1:0:0 bind supervisor,netd
41:2:0x80001:0 socket_tcp netd
41:2:0x80002:0 socket_udp netd
41:2:0x80003:1 socket_raw -
41:1:0x80002:0 socket_unix -
41:16:0x80003:0 socket_route -
44:-1:0:0:0:0:0 sendto -
311:1:0:0:0:0:0 process_vm_writev supervisor
54:-1:1:2:0:0 setsockopt_reuseaddr netd
54:-1:1:15:0:0 setsockopt_reuseport netd
54:-1:1:7:0:0 setsockopt_sndbuf -
54:-1:0:4:0:0 setsockopt_options -
234:1:1:9 tgkill -
END
	rules="--net-allow udp://127.0.0.1:9"
	forbidden_to supervisor cowd netd
}

atf_test_case forbidden_local
forbidden_local_head()
{
	atf_set "descr" "nor one that takes a network, without one"
	atf_set "timeout" "300"
}
forbidden_local_body()
{
	life_setup
	[ "$(uname -m)" = x86_64 ] || atf_skip "system calls by number"
	cat >calls <<'END'
39 getpid supervisor,cowd
311:1:0:0:0:0:0 process_vm_writev -
16:-1:0x40182103:0 ioctl_notif_addfd -
53:1:0x80005:0:0 socketpair -
49:-1:0:12 bind_route -
41:2:0x80001:0 socket_tcp -
END
	rules=
	forbidden_to supervisor cowd
}

atf_test_case sigsys
sigsys_head()
{
	atf_set "descr" "the message names the worker and the cause"
}
sigsys_body()
{
	life_setup
	[ "$(uname -m)" = x86_64 ] || atf_skip "system calls by number"
	rules="--net-allow 127.0.0.1:9"
	for who in supervisor cowd netd; do
		inject ${who} 59:0:0:0
		expect "${who}" 125 worker
		atf_check -o match:"^sandlock: ${who}: .*signal 31" cat errs
	done
}

atf_test_case by_hand
by_hand_head()
{
	atf_set "descr" "a worker that is started by hand says so"
}
by_hand_body()
{
	life_setup
	dir=$(cd "$(dirname "${sandlock}")/.." && pwd -P)
	for who in supervisor cowd netd; do
		rc=0
		"${reap}" -t 10 "${dir}/${who}/${who}" </dev/null 2>errs ||
		    rc=$?
		[ ${rc} -eq 125 ] || fail "${who}: status ${rc}"
		atf_check -o inline:"sandlock: ${who}: started by sandlock only\n" \
		    cat errs
		rc=0
		"${reap}" -t 10 "${dir}/${who}/${who}" 3</dev/null 2>errs ||
		    rc=$?
		[ ${rc} -eq 125 ] || fail "${who}: status ${rc}"
	done
}

# A copied tree lacks a program, or has one that is none.
atf_test_case missing
missing_head()
{
	atf_set "descr" "a worker that is missing is one line"
}
missing_body()
{
	life_setup
	dir=$(cd "$(dirname "${sandlock}")/.." && pwd -P)
	for who in supervisor cowd netd; do
		rm -rf tree
		mkdir -p tree/sandlock tree/supervisor tree/cowd tree/netd
		cp "${dir}/sandlock/sandlock" tree/sandlock
		for other in supervisor cowd netd; do
			[ ${who} = ${other} ] ||
			    cp "${dir}/${other}/${other}" tree/${other}
		done
		rc=0
		"${reap}" tree/sandlock/sandlock run --no-workdir \
		    --net-allow 127.0.0.1:9 -- /bin/sh -c ': >done' 2>errs ||
		    rc=$?
		[ ${rc} -eq 125 ] || fail "${who}: status ${rc}"
		one_line
		[ ! -f done ] || fail "${who}: it ran"
		nothing_left ${who}
		# No program: what does not wait for it may run, and fails.
		: >tree/${who}/${who}
		chmod 755 tree/${who}/${who}
		rc=0
		"${reap}" tree/sandlock/sandlock run --no-workdir \
		    --net-allow 127.0.0.1:9 -- /bin/sh -c ': >done' 2>errs ||
		    rc=$?
		[ ${rc} -eq 125 ] || fail "${who}: status ${rc}"
		one_line
		# One that leaves at once.
		cp /bin/true tree/${who}/${who}
		rc=0
		"${reap}" tree/sandlock/sandlock run --no-workdir \
		    --net-allow 127.0.0.1:9 -- ./procs pause 2>errs ||
		    rc=$?
		[ ${rc} -eq 125 ] || fail "${who}: status ${rc}"
		errs_are_ours
		nothing_left ${who}
	done
	# Control: the copy is good otherwise.
	for who in supervisor cowd netd; do
		cp "${dir}/${who}/${who}" tree/${who}
	done
	atf_check tree/sandlock/sandlock run --no-workdir --net-allow 127.0.0.1:9 -- \
	    /bin/sh -c ': >done'
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case start
	atf_add_test_case needed
	atf_add_test_case confined
	atf_add_test_case parent_filter
	atf_add_test_case late
	atf_add_test_case near
	atf_add_test_case near_chosen
	atf_add_test_case near_single
	atf_add_test_case near_end
	atf_add_test_case descriptors
	atf_add_test_case workload
	atf_add_test_case forbidden
	atf_add_test_case forbidden_datagrams
	atf_add_test_case forbidden_local
	atf_add_test_case sigsys
	atf_add_test_case by_hand
	atf_add_test_case missing
}
