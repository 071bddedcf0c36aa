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

# Each option, from the command line and from sandlock.conf(5), to its effect
# in the kernel.

# both FLAGS STATEMENT COMMAND: what COMMAND prints with the flags, and that it
# prints the same with a profile that holds the statement.
both()
{
	flags=$1
	statement=$2
	shift 2
	${box} -r /proc ${flags} -- "$@" >flag.out 2>flag.err ||
	    atf_fail "${flags}: $(head -n 1 flag.err)"
	printf 'profile "x" {\n%s\n}\n' "${statement}" >x.conf
	chmod 644 x.conf
	${box} -r /proc -f x.conf -- "$@" >conf.out 2>conf.err ||
	    atf_fail "${statement}: $(head -n 1 conf.err)"
	cat flag.err conf.err >errors
	[ ! -s errors ] || atf_fail "${flags}: $(head -n 1 errors)"
	cmp -s flag.out conf.out ||
	    atf_fail "${flags}: $(cat flag.out); ${statement}: $(cat conf.out)"
	cat flag.out
}

# effect FLAGS STATEMENT WITH WITHOUT COMMAND: it prints WITH with the option
# and WITHOUT without it.
effect()
{
	effect_flags=$1
	effect_statement=$2
	with=$3
	without=$4
	shift 4
	got=$(both "${effect_flags}" "${effect_statement}" "$@") || exit 1
	[ "${got}" = "${with}" ] ||
	    atf_fail "${effect_flags}: ${got}, not ${with}"
	got=$(${box} -r /proc -- "$@") || atf_fail "without: $*"
	[ "${got}" = "${without}" ] ||
	    atf_fail "without ${effect_flags}: ${got}, not ${without}"
}

atf_test_case cpus
cpus_head()
{
	atf_set "descr" "--cpu-cores: the affinity, which cannot be widened"
}
cpus_body()
{
	effect "--cpu-cores 0" "cpus 0" 1 "$(nproc)" nproc
	effect "--cpu-cores 0" "cpus 0" 0 \
	    "$(sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status)" \
	    sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status
	atf_check -s exit:1 -e match:"Operation not permitted" ${box} \
	    --cpu-cores 0 -- taskset 1 true
	atf_check ${box} -- taskset 1 true
	atf_check -s exit:125 -e match:"--cpu-cores 1000" ${box} \
	    --cpu-cores 1000 -- true
}

atf_test_case coredump
coredump_head()
{
	atf_set "descr" "--no-coredump: both limits are 0"
}
coredump_body()
{
	both --no-coredump "no coredump" sh -c 'ulimit -Sc; ulimit -Hc' >out
	atf_check -o inline:"0\n0\n" cat out
	atf_check -o inline:"$(ulimit -Hc)\n" ${box} -- sh -c 'ulimit -Hc'
}

atf_test_case huge_pages
huge_pages_head()
{
	atf_set "descr" "--no-huge-pages: THP_enabled"
}
huge_pages_body()
{
	effect --no-huge-pages "no huge-pages" 0 1 \
	    sed -n 's/^THP_enabled:.//p' /proc/self/status
}

atf_test_case randomize
randomize_head()
{
	atf_set "descr" "--no-randomize-memory: addresses repeat"
}
randomize_body()
{
	effect --no-randomize-memory "no randomize-memory" 00040000 00000000 \
	    cat /proc/self/personality
	for i in 1 2 3; do
		${box} -r /proc --no-randomize-memory -- \
		    grep stack /proc/self/maps | cut -d - -f 1
	done | sort -u >fixed
	atf_check -o inline:"1\n" sh -c 'wc -l <fixed'
	for i in 1 2 3; do
		${box} -r /proc -- grep stack /proc/self/maps | cut -d - -f 1
	done | sort -u >random
	[ "$(wc -l <random)" -gt 1 ] || atf_fail "not random"
}

atf_test_case user
user_head()
{
	atf_set "descr" "--user and --privileged: identity without privilege"
}
user_body()
{
	effect "--user 1234:567" "user 1234:567" "1234 567" \
	    "$(id -u) $(id -g)" sh -c 'echo $(id -u) $(id -g)'
	effect --privileged "user 0:0" "0 0" "$(id -u) $(id -g)" \
	    sh -c 'echo $(id -u) $(id -g)'
	both --privileged "user 0:0" \
	    sed -n 's/^Cap\(Eff\|Prm\|Bnd\|Inh\|Amb\):.//p' /proc/self/status |
	    sort -u >caps
	atf_check -o inline:"0000000000000000\n" cat caps
	# What it makes belongs to the user outside, and its metadata changes.
	mkdir w
	atf_check ${box} -w w --user 1234:567 -- sh -c \
	    'echo x >w/f && chmod 640 w/f && chown 1234:567 w/f'
	atf_check -o inline:"$(id -u) $(id -g) 640\n" \
	    stat -c '%u %g %a' w/f
	# There is no such user in the name space, and none that may be had.
	atf_check -s exit:1 -e match:"not permitted" ${box} -w w \
	    --user 1234:567 -- chown 99 w/f
	# Nothing that the user could not do.
	atf_check -s not-exit:0 -e match:"denied|not permitted" ${box} \
	    --privileged -w w -- /usr/sbin/chroot w /
	atf_check -s not-exit:0 -e match:"denied|not permitted" ${box} \
	    --privileged -w w -- mount -t tmpfs none w
	atf_check -o inline:"0 0\n" ${box} --no-supervisor --privileged -- \
	    sh -c 'echo $(id -u) $(id -g)'
}

atf_test_case run_as cleanup
run_as_head()
{
	atf_set "descr" "--run-as: all ids, no groups; root's alone"
}
run_as_body()
{
	if [ "$(id -u)" -ne 0 ]; then
		: >dir
		atf_check -s exit:125 -e match:"only root can" \
		    ${box} --run-as nobody -- true
		return
	fi
	# That user must be able to come here.
	mktemp -d /tmp/sandlock-test.XXXXXX >dir
	chmod 755 "$(cat dir)"
	cd "$(cat dir)" || atf_fail "no directory"
	export LOGNAME=test
	effect "--run-as nobody" "run as nobody" "65534 65534 nogroup nobody" \
	    "0 0 root test" \
	    sh -c 'echo $(id -u) $(id -g) $(id -Gn) $LOGNAME'
	both "--run-as nobody" "run as nobody" grep -E '^(U|G)id' \
	    /proc/self/status >ids
	atf_check -o match:"Uid:.65534.65534.65534.65534" \
	    -o match:"Gid:.65534.65534.65534.65534" cat ids
	echo secret >secret
	chmod 600 secret
	atf_check -s exit:1 -e match:"ermission denied" \
	    ${box} -r secret --run-as nobody -- cat secret
	atf_check -o inline:"secret\n" ${box} -r secret -- cat secret
	atf_check -s exit:125 -e match:"no such user" \
	    ${box} --run-as does-not-exist -- true
	atf_check -s exit:125 -e match:"impossible with --run-as" \
	    ${box} --run-as nobody --user 1:1 -- true
}
run_as_cleanup()
{
	rm -rf "$(cat dir)"
}

atf_test_case environment
environment_head()
{
	atf_set "descr" "--env, --unset-env, --clean-env, --scrub-env"
}
environment_body()
{
	for name in $(env | sed -n 's/^\([A-Za-z_0-9]*\)=.*/\1/p' | grep -E \
	    '^(AWS_|DB_|SSH|DOCKER|DBUS|NEW|LANG)'); do
		unset ${name}
	done
	export MY_TOKEN=1 AWS_REGION=2 DB_PASSWORD=3 api_key=4 SSH_AUTH_SOCK=5
	export DOCKER_HOST=6 DBUS_SESSION_BUS_ADDRESS=7 PLAIN=8 TZ=UTC
	export HOME=/root LANG=C
	show='env | grep -E "^(MY_TOKEN|AWS_|DB_|api_key|SSH|DOCKER|DBUS|PLAIN|NEW|TZ|HOME|LANG)" | sort | tr "\n" " "'
	all="AWS_REGION=2 DBUS_SESSION_BUS_ADDRESS=7 DB_PASSWORD=3 DOCKER_HOST=6"
	all="${all} HOME=/root LANG=C MY_TOKEN=1 PLAIN=8 SSH_AUTH_SOCK=5 TZ=UTC"
	all="${all} api_key=4 "
	effect --scrub-env "environment scrub" \
	    "HOME=/root LANG=C PLAIN=8 TZ=UTC " "${all}" \
	    sh -c "export LC_ALL=C; ${show}"
	effect --clean-env "environment clean" "HOME=/root LANG=C TZ=UTC " \
	    "${all}" sh -c "export LC_ALL=C; ${show}"
	effect "--env NEW=a=b" "setenv NEW=\"a=b\"" "a=b" "" \
	    sh -c 'echo $NEW'
	effect "--unset-env PLAIN" "unsetenv PLAIN" "gone" "8" \
	    sh -c 'echo ${PLAIN-gone}'
	effect "--clean-env --env MY_TOKEN=9" \
	    'environment clean
setenv MY_TOKEN=9' "9" "1" sh -c 'echo $MY_TOKEN'
}

atf_test_case cwd
cwd_head()
{
	atf_set "descr" "--cwd: where the workload starts"
}
cwd_body()
{
	mkdir d
	top=$(pwd -P)
	effect "--cwd d" "directory ./d" "${top}/d" "${top}" pwd -P
	atf_check -s exit:125 -e match:"--cwd .*missing" \
	    ${box} --cwd missing -- true
	: >file
	atf_check -s exit:125 -e match:"Not a directory" \
	    ${box} --cwd file -- true
}

atf_test_case allow_list
allow_list_head()
{
	atf_set "descr" "--syscalls allow-list: bash, python3, gcc, git, node"
	atf_set "require.progs" "bash gcc git node"
	atf_set "timeout" "120"
}
allow_list_body()
{
	mkdir w home
	allow="${box} -r /proc -w w --cwd w --syscalls allow-list"
	allow="${allow} --unveil /dev/urandom:r --env HOME=$(pwd)/home"
	printf 'int main(void) { return 0; }\n' >w/a.c
	atf_check ${allow} -- bash -c 'echo x | cat >f; ls >/dev/null &
	    wait; diff <(echo a) <(echo a); mkdir d; mv f d; chmod 600 d/f'
	atf_check ${allow} -- /usr/bin/python3 -c 'import threading, subprocess
t = threading.Thread(target=lambda: None); t.start(); t.join()
assert subprocess.call(["true"]) == 0'
	atf_check ${allow} --env TMPDIR=$(pwd)/w -- gcc -o a a.c
	atf_check ${allow} -- ./a
	atf_check ${allow} -- sh -c 'git init -q . && git add a.c &&
	    git -c user.name=a -c user.email=a@b commit -q -m x &&
	    git status --porcelain >/dev/null && git log --oneline >/dev/null'
	atf_check -o inline:"42\n" ${allow} -- node -e 'console.log(42)'
	# What the deny list lets through and this does not.
	cat >t.py <<'END'
import ctypes, os
c = ctypes.CDLL(None, use_errno=True)
# mbind, seccomp with an operation that there is not, sysfs
for nr in 237, 317, 139:
    c.syscall(nr, -1, 0, 0, 0, 0, 0)
    print(ctypes.get_errno() == 1)
END
	atf_check -o inline:"True\nTrue\nTrue\n" ${allow} -r t.py -- \
	    /usr/bin/python3 ../t.py
	atf_check -o inline:"False\nFalse\nFalse\n" ${box} -r t.py -- \
	    /usr/bin/python3 t.py
	effect "--syscalls allow-list" "syscalls allow-list" EPERM EINVAL \
	    /usr/bin/python3 -c 'import ctypes, errno
c = ctypes.CDLL(None, use_errno=True)
c.syscall(317, -1, 0, 0)
print(errno.errorcode[ctypes.get_errno()])'
}

atf_test_case syscalls
syscalls_head()
{
	atf_set "descr" "--extra-deny-syscall and --extra-allow-syscall"
}
syscalls_body()
{
	py='import os, errno
try:
    os.mkfifo("w/f")
    os.unlink("w/f")
    print("ok")
except OSError as e:
    print(errno.errorcode[e.errno])'
	mkdir w
	got=$(both "-w w --extra-deny-syscall mknodat" \
	    'unveil ./w rwxc
deny syscall mknodat' /usr/bin/python3 -c "${py}")
	[ "${got}" = ok ] || [ "${got}" = EPERM ] || atf_fail "${got}"
	got=$(both "-w w --extra-deny-syscall mknod --extra-deny-syscall mknodat" \
	    'unveil ./w rwxc
deny syscall { mknod mknodat }' /usr/bin/python3 -c "${py}")
	[ "${got}" = EPERM ] || atf_fail "${got}"
	atf_check -o inline:"ok\n" ${box} -w w -- /usr/bin/python3 -c "${py}"
	# System V IPC is shared with the host and so has to be asked for.
	sysv='ipcmk -M 4096 >/dev/null 2>&1 && echo made || echo refused
	    ipcs -m | awk "\$5 == 4096 { print \$2 }" |
	    xargs -r -n 1 ipcrm -m 2>/dev/null; true'
	effect "--extra-allow-syscall @sysv_ipc" "permit syscall @sysv_ipc" \
	    made refused sh -c "${sysv}"
	atf_check -s exit:125 -e match:"@mount: " \
	    ${box} --extra-allow-syscall @mount -- true
	atf_check -s exit:125 -e match:"unknown system call" \
	    ${box} --extra-deny-syscall nosuchcall -- true
	atf_check -s exit:125 -e match:"unknown group" \
	    ${box} --extra-allow-syscall @nosuchgroup -- true
}

atf_test_case protections cleanup
protections_head()
{
	atf_set "descr" "--disable and --allow-degraded of each protection"
}
protections_body()
{
	# signal-scope: a process of the same user outside.
	background sleep 600
	victim=$(cat pids)
	effect "--disable signal-scope" "disable signal-scope" sent refused \
	    sh -c "kill -0 ${victim} 2>/dev/null && echo sent || echo refused"
	atf_check -s exit:1 -e match:"not permitted" ${box} -- \
	    /usr/bin/env kill -TERM ${victim}
	kill -0 ${victim} || atf_fail "killed"
	# fs-truncate: with c or r alone a file is not cut.
	echo content >file
	effect "--unveil file:r --disable fs-truncate" "unveil ./file r
disable fs-truncate" refused refused \
	    sh -c 'truncate -s 0 file 2>/dev/null && echo cut || echo refused'
	mkdir r
	echo content >r/file
	got=$(both "--unveil r:r --disable fs-truncate" "unveil ./r r
disable fs-truncate" /usr/bin/python3 -c 'import os
try:
    os.truncate("r/file", 3)
    print("cut")
except OSError:
    print("refused")')
	# truncate(2) takes the right to write as well.
	[ "${got}" = refused ] || [ "$(wc -c <r/file)" -eq 3 ] ||
	    atf_fail "${got}"
	# fs-refer
	mkdir -p w/a w/b
	got=$(both "-w w" "unveil ./w rwxc" sh -c \
	    'echo x >w/a/f; ln w/a/f w/b/f && rm w/b/f && echo linked')
	[ "${got}" = linked ] || atf_fail "${got}"
	for name in fs-refer fs-truncate net-tcp fs-ioctl-dev signal-scope \
	    abstract-unix-socket-scope; do
		got=$(both "--disable ${name}" "disable ${name}" echo ran)
		[ "${got}" = ran ] || atf_fail "${name}: ${got}"
		got=$(both "--allow-degraded ${name}" \
		    "allow degraded ${name}" echo ran)
		[ "${got}" = ran ] || atf_fail "${name}: ${got}"
		# It is still there on a kernel that has it.
		atf_check -s exit:1 -e ignore ${box} --allow-degraded ${name} \
		    -- /usr/bin/env kill -TERM ${victim}
	done
	kill -0 ${victim} || atf_fail "killed"
	atf_check -s exit:125 -e match:"nosuch" ${box} --disable nosuch -- true
	# net-tcp: Landlock no more stands behind the filter.
	server s 127.0.0.1
	py="import socket; socket.create_connection(('127.0.0.1', ${port}))"
	atf_check -s exit:1 -e match:"Permission|refused" ${box} \
	    --no-supervisor --net-allow tcp://:1 -- /usr/bin/python3 -c "${py}"
	[ "$(hits s)" -eq 0 ] || atf_fail "reached"
	atf_check ${box} --no-supervisor --net-allow tcp://:1 --disable net-tcp -- \
	    /usr/bin/python3 -c "${py}"
	wait_for test -s s.hits
}
protections_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

# The supervisor may read /proc, whatever the policy says; in one that grants it
# as well the two share a layer of Landlock, and must still be apart.
atf_test_case domains
domains_head()
{
	atf_set "descr" "the workload's domain is exact, the supervisor out of it"
}
domains_body()
{
	mkdir a b
	: >a/file
	echo 'rename($ARGV[0], $ARGV[1]) or print "$!\n"' >move.pl
	move="perl move.pl"
	box="${box} -r move.pl"
	for policy in "${box}" "${box} -r /proc" "${sl} -r /"; do
		status=exit:0
		[ "${policy}" != "${box}" ] || status=exit:2
		atf_check -s "${status}" -o ignore -e ignore \
		    ${policy} -- grep -c . /proc/version
		atf_check -o match:"not permitted" ${policy} -- \
		    bash -c 'kill -0 $$ && ! kill -0 ${PPID} 2>&1'
		# Moving between directories is the policy's business.
		for to in b/file a/file; do
			from=$(ls a/file b/file 2>/dev/null)
			atf_check -o match:"cross-device|denied" ${policy} \
			    --unveil a:rwxc --unveil b:rx -- ${move} \
			    "${from}" "${to}"
			atf_check test -f "${from}"
			atf_check ${policy} --unveil a:rwxc --unveil b:rwxc -- \
			    ${move} "${from}" "${to}"
			atf_check test -f "${to}"
		done
	done
}

atf_test_case gpu
gpu_head()
{
	atf_set "descr" "--gpu: devices, or an error where there are none"
}
gpu_body()
{
	set -- /dev/nvidia[0-9]* /dev/dri/renderD*
	for f in "$@"; do
		[ ! -e "${f}" ] || found=${f}
	done
	if [ -z "${found}" ]; then
		atf_check -s exit:125 -e match:"--gpu all: no GPU" \
		    ${box} --gpu all -- true
		atf_check -s exit:125 -e match:"--gpu 0: no device 0" \
		    ${box} --gpu 0 -- true
	else
		atf_check ${box} --gpu all -- sh -c "exec 3<>${found}"
	fi
	atf_check -s exit:125 -e match:"--gpu" ${box} --gpu x -- true
}

atf_test_case no_supervisor
no_supervisor_head()
{
	atf_set "descr" "--no-supervisor: one process, and what it cannot do"
}
no_supervisor_body()
{
	mkdir w
	both --no-supervisor "no supervisor" sh -c 'cat /proc/$PPID/comm' >out
	atf_check -o inline:"sandlock\n" cat out
	atf_check -o inline:"supervisor\n" ${box} -r /proc -P 100 -- \
	    sh -c 'cat /proc/$PPID/comm'
	# Files still work, metadata does not.
	atf_check ${box} --no-supervisor -w w -- sh -c 'echo x >w/f'
	atf_check -s exit:1 -e match:"not permitted" \
	    ${box} --no-supervisor -w w -- chmod 600 w/f
	atf_check ${box} -w w -- chmod 600 w/f
	for flags in "-P 10" "-c 50" "--log-denials 2" \
	    "--net-allow 127.0.0.1:1"; do
		atf_check -s exit:125 \
		    -e match:"--no-supervisor: impossible with" \
		    ${box} --no-supervisor ${flags} -- true
		atf_check ${box} ${flags} -- true
	done
	# Nothing is left of what it started.
	atf_check ${box} --no-supervisor -- sh -c 'setsid sleep 987 & :'
	pgrep -f 'sleep 987' >left && atf_fail "left: $(cat left)"
	true
}

atf_test_case nesting
nesting_head()
{
	atf_set "descr" "sandlock in sandlock"
}
nesting_body()
{
	mkdir w
	inner="$(program) run -r /usr --unveil /lib:rx? --unveil /lib64:rx?"
	inner="${inner} --unveil /bin:rx?"
	tree=$(dirname "$(dirname "$(program)")")
	outer="${box} -r /proc -w w -r ${tree}"
	# The outer one has a listener: its policy needs a supervisor.
	atf_check -o inline:"hello\n" ${outer} -- ${inner} -- echo hello
	atf_check -s exit:125 -e match:"nested" -e match:"-w|w or c|metadata" \
	    ${outer} -- ${inner} -w w -- echo hello
	atf_check -s exit:125 -e match:"nested" -e match:"-P" \
	    ${outer} -- ${inner} -P 5 -- echo hello
	atf_check -o inline:"hello\n" ${outer} -- ${inner} --no-supervisor \
	    -w w -- sh -c 'echo hello >w/f && cat w/f'
	# It can only be narrower.
	echo secret >secret
	atf_check -s exit:1 -e match:"ermission denied" ${outer} -r secret -- \
	    ${inner} -- cat secret
	atf_check -s not-exit:0 -e match:"ermission denied" ${outer} -- \
	    ${inner} -r secret -- cat secret
	# Our own filter admits no listener, even where it has none.
	atf_check -s exit:125 -e match:"nested.*metadata" \
	    ${outer} --no-supervisor -- ${inner} -w w -- true
	atf_check -o inline:"600\n" ${outer} -- sh -c \
	    'echo x >w/f; chmod 600 w/f && stat -c %a w/f'
}

atf_test_case log_denials
log_denials_head()
{
	atf_set "descr" "--log-denials: a line for each, to a file or descriptor"
	atf_set "require.files" "/usr/bin/python3"
}
log_denials_body()
{
	mkdir w
	echo x >secret
	chmod 644 secret
	top=$(pwd -P)
	work="chmod 600 ${top}/secret; unshare -m true;
	    /usr/bin/python3 -c 'import socket; socket.socket()'; true"
	${box} -w w -r secret --log-denials log.json -- sh -c "${work}" \
	    2>/dev/null || atf_fail "run"
	cat >check.py <<'END'
import json, sys
calls = {}
for line in open(sys.argv[1]):
    d = json.loads(line)
    assert set(d) == {'time', 'pid', 'program', 'call', 'object', 'rule',
                      'error'}, d
    calls[d['call'], d['program']] = (d['error'], d['rule'], d['object'])
for key in sorted(calls):
    print(*key, *calls[key])
END
	atf_check -o match:"^fchmodat2? chmod EPERM unveil ${top}/secret$" \
	    -o match:"^unshare unshare EPERM filter" \
	    -o match:"^socket python3 EACCES filter" \
	    /usr/bin/python3 check.py log.json
	atf_check -o inline:"600\n" stat -c %a log.json
	sh -c "exec ${box} -w w -r secret --log-denials 7 -- \
	    sh -c 'chmod 600 ${top}/secret; true' 7>fd.json" 2>/dev/null
	atf_check -o match:"chmod EPERM unveil ${top}/secret$" \
	    /usr/bin/python3 check.py fd.json
	printf 'profile "x" {\n\tlog denials ./c.json\n\tunveil ./w rwxc\n}\n' \
	    >x.conf
	chmod 644 x.conf
	${box} -f x.conf -r secret -- chmod 600 secret 2>/dev/null
	atf_check -o match:"chmod EPERM unveil ${top}/secret$" \
	    /usr/bin/python3 check.py c.json
	# What is allowed is not logged, and the errors are the same.
	atf_check ${box} -w w --log-denials none.json -- \
	    sh -c 'echo x >w/f && chmod 600 w/f'
	atf_check test ! -s none.json
	atf_check -o inline:"644\n" stat -c %a secret
	# The workload has no way to that file.
	atf_check -s exit:2 -e match:"ermission denied" \
	    ${box} -w w --log-denials log.json -- sh -c 'echo x >>log.json'
}

atf_test_case status_fd
status_fd_head()
{
	atf_set "descr" "--status-fd: one line of JSON at the end"
	atf_set "require.files" "/usr/bin/python3"
}
status_fd_body()
{
	cat >show.py <<'END'
import json, sys
lines = open('s').readlines()
assert len(lines) == 1, lines
d = json.loads(lines[0])
assert d['wall_seconds'] > 0 and d['cpu_seconds'] >= 0
print(d['exit_code'], d['signal'], d['reason'])
END
	for try in 'exit 7|7|7 None exit' 'kill -9 $$|137|137 9 signal' \
	    'sleep 100|124|124 None timeout' 'true|0|0 None exit'; do
		command=${try%%|*}
		line=${try##*|}
		status=${try#*|}
		status=${status%|*}
		atf_check -s exit:${status} -e ignore sh -c \
		    "exec ${box} -t 1 --status-fd 3 -- sh -c '${command}' 3>s"
		[ "${status}" = 124 ] && line=$(echo "${line}" |
		    sed 's/None/15/')
		atf_check -o inline:"${line}\n" /usr/bin/python3 show.py
		printf 'profile "x" {\n\tstatus fd 3\n\tlimit time 1\n}\n' \
		    >x.conf
		chmod 644 x.conf
		atf_check -s exit:${status} -e ignore sh -c \
		    "exec ${box} -f x.conf -- sh -c '${command}' 3>s"
		atf_check -o inline:"${line}\n" /usr/bin/python3 show.py
	done
}

atf_test_case limits
limits_head()
{
	atf_set "descr" "-P, -t and --kill-after"
}
limits_body()
{
	forks='for i in 1 2 3 4 5 6 7 8; do sleep 3 & done 2>&1; wait'
	atf_check -s not-exit:0 -o match:"Resource temporarily|Cannot fork" \
	    -e ignore ${box} -P 4 -- dash -c "${forks}"
	# Threads do not count.
	atf_check -o inline:"30\n" ${box} -P 2 -- /usr/bin/python3 -c '
import threading, time
t = [threading.Thread(target=time.sleep, args=(0.5,)) for i in range(30)]
[x.start() for x in t]
print(threading.active_count() - 1)
[x.join() for x in t]'
	atf_check ${box} -P 10 -- /usr/bin/python3 -c 'import subprocess
for i in range(50): subprocess.check_call(["true"])'
	effect "-P 1" "limit processes 1" refused forked \
	    /usr/bin/python3 -c 'import os
try:
    if os.fork() == 0:
        os._exit(0)
    print("forked")
except BlockingIOError:
    print("refused")'
	atf_check -s exit:124 ${box} -t 0.3 -- sleep 100
	atf_check -s exit:124 -e ignore ${box} -t 0.3 --kill-after 0.2 -- \
	    sh -c 'trap "" TERM; while :; do sleep 0.05; done'
	atf_check -s exit:124 -o inline:"asked\n" -e ignore ${box} -t 0.3 \
	    --kill-after 5 -- sh -c 'trap "echo asked; exit 3" TERM
	    while :; do sleep 0.05; done'
}

atf_test_case interrupted
interrupted_head()
{
	atf_set "descr" "a signal does not fail the calls that are notified"
}
interrupted_body()
{
	echo x >file
	atf_check -o inline:"chmod failed 0, fork failed 0\n" \
	    "$(helper race)" signal 3000 file
	atf_expect_fail "the kernel interrupts a call that waits for its RECV"
	atf_check -o inline:"chmod failed 0, fork failed 0\n" \
	    ${box} -w file -P 100 -- "$(helper race)" signal 3000 file
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case cpus
	atf_add_test_case coredump
	atf_add_test_case huge_pages
	atf_add_test_case randomize
	atf_add_test_case user
	atf_add_test_case run_as
	atf_add_test_case environment
	atf_add_test_case cwd
	atf_add_test_case allow_list
	atf_add_test_case syscalls
	atf_add_test_case protections
	atf_add_test_case domains
	atf_add_test_case gpu
	atf_add_test_case no_supervisor
	atf_add_test_case nesting
	atf_add_test_case log_denials
	atf_add_test_case status_fd
	atf_add_test_case limits
	atf_add_test_case interrupted
}
