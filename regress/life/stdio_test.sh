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

# What the workload inherits and what it does not, and surroundings in which a
# run cannot start: one line, status 125, nothing left.

atf_test_case closed
closed_head()
{
	atf_set "descr" "standard streams that are closed"
}
closed_body()
{
	life_setup
	for mode in "" --no-supervisor "-r / -w ${PWD}"; do
		cat >redirect.sh <<'END'
"$@" run --no-workdir ${mode} -- /bin/sh -c 'readlink \
    /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 >out; ls /proc/self/fd >fds; exit 3'
END
		for streams in "<&-" ">&-" "2>&-" "<&- >&-" "<&- 2>&-" \
		    ">&- 2>&-" "<&- >&- 2>&-"; do
			rm -f out fds
			rc=0
			mode=${mode} eval "\"\${reap}\" /bin/sh redirect.sh \
			    \"\${sandlock}\" ${streams}" || rc=$?
			[ ${rc} -eq 3 ] ||
			    fail "${mode} ${streams}: status ${rc}"
			[ $(wc -l <out) -eq 3 ] ||
			    fail "${streams}: $(cat out)"
			# ls has one of its own.
			[ "$(tr '\n' ' ' <fds)" = "0 1 2 3 " ] ||
			    fail "${mode} ${streams}: $(cat fds)"
			case ${streams} in
			*"<&-"*)	atf_check -o match:/dev/null \
					    sed -n 1p out ;;
			esac
			nothing_left "${streams}"
		done
	done
}

atf_test_case directory
directory_head()
{
	atf_set "descr" "a directory or a bare name as a stream is refused"
	atf_set "require.progs" "python3"
}
directory_body()
{
	life_setup
	for mode in "" --no-supervisor; do
	rc=0
	# shellcheck disable=SC2086
	"${sandlock}" run --no-workdir ${mode} -- /bin/sh -c ': >done' \
	    </ 2>errs || rc=$?
	[ ${rc} -eq 125 ] || fail "directory: status ${rc}"
	one_line
	cat >path.py <<'END'
import os, subprocess, sys
NAMES = ["stdin", "stdout", "stderr"]
def run(number, fd):
    # Where it cannot be written to the message is lost.
    streams = {"stderr": subprocess.PIPE, NAMES[number]: fd}
    p = subprocess.run(sys.argv[1:], **streams)
    return p.returncode, (p.stderr or b"").decode()
for number in range(3):
    for path, flags, what in (
            ("/", os.O_RDONLY, "is a directory"),
            ("/", os.O_PATH, "is a directory"),
            ("/etc/passwd", os.O_PATH, "only names a file (O_PATH)")):
        status, text = run(number, os.open(path, flags))
        assert status == 125, (number, path, flags, status)
        want = "sandlock: descriptor %d: %s\n" % (number, what)
        assert text == ("" if number == 2 else want), text
        assert not os.path.exists("done2")
    # The control: the same file, opened.
    assert run(number, os.open("/etc/passwd", os.O_RDONLY)) == (7, "")
    os.unlink("done2")
END
	# shellcheck disable=SC2086
	atf_check python3 path.py "${sandlock}" run --no-workdir ${mode} -- \
	    /bin/sh -c ': >done2; exit 7'
	[ ! -f done ] || fail "it ran"
	nothing_left "directory"
	done
}

# What a stream was opened for goes on to hold, and no more than that.
atf_test_case opened
opened_head()
{
	atf_set "descr" "a stream gives what it was opened for, not its file"
	atf_set "require.progs" "python3"
}
opened_body()
{
	life_setup
	mkdir "${top}/kept"
	secret=${top}/kept/secret
	echo secret >"${secret}"
	cat >read.py <<'END'
import errno, os, sys
def tried(what):
    try:
        return what()
    except OSError as e:
        return errno.errorcode[e.errno]
def reopened(flags):
    os.close(os.open("/proc/self/fd/1", flags))
    return "opened"
print(tried(lambda: os.pread(1, 6, 0).decode()), tried(lambda: reopened(os.O_RDONLY)),
    tried(lambda: reopened(os.O_RDWR)),
    tried(lambda: open(sys.argv[1]).read(6)),
    tried(lambda: os.fchmod(1, 0o604)),
    tried(lambda: os.pwrite(1, b"S", 0)), file=sys.stderr)
END
	for mode in "" --no-supervisor; do
		# shellcheck disable=SC2086
		set -- "${sandlock}" run -r /usr --unveil /lib:rx? \
		    --unveil /lib64:rx? --unveil /bin:rx? -r /proc \
		    --unveil /etc:r -r read.py ${mode}
		# Open for both: it can be read.
		atf_check -e \
		    inline:"secret EACCES EACCES EACCES EPERM 1\n" \
		    sh -c 'exec "$@" 1<>"$0"' "${secret}" "$@" -- \
		    /usr/bin/python3 read.py "${secret}"
		atf_check -o inline:"Secret\n" cat "${secret}"
		echo secret >"${secret}"
		# For writing only: it cannot.
		atf_check -e inline:"EBADF EACCES EACCES EACCES EPERM 1\n" \
		    sh -c 'exec "$@" 1>>"$0"' "${secret}" "$@" -- \
		    /usr/bin/python3 read.py "${secret}"
		echo secret >"${secret}"
		# The control: what the policy grants.
		atf_check -e \
		    match:'^EBADF opened opened secret (None|EPERM) 1$' \
		    sh -c 'exec "$@" 1>>"$0"' "${secret}" "$@" \
		    -w "${top}/kept" -- /usr/bin/python3 read.py "${secret}"
		echo secret >"${secret}"
	done
}

atf_test_case pass
pass_head()
{
	atf_set "descr" "--pass-fd passes what it names; all else is closed"
}
pass_body()
{
	life_setup
	echo secret >secret
	exec 5<secret 6>six 8<secret 9>nine
	for mode in "" --no-supervisor "--net-allow 127.0.0.1:9"; do
		# shellcheck disable=SC2086
		atf_check -o inline:"umask 022\nfd 0\nfd 1\nfd 2\n" \
		    "${reap}" "${sandlock}" run --no-workdir ${mode} -- ${procs} state
		# shellcheck disable=SC2086
		atf_check \
		    -o inline:"umask 022\nfd 0\nfd 1\nfd 2\nfd 6\nfd 8\n" \
		    "${reap}" "${sandlock}" run --no-workdir ${mode} --pass-fd 6 \
		    --pass-fd 8 -- ${procs} state
		# It is the very descriptor, and the parent's end is closed.
		# shellcheck disable=SC2086
		"${sandlock}" run --no-workdir ${mode} --pass-fd 6 -- \
		    /bin/sh -c "echo '${mode}' >&6" || fail "write"
	done
	atf_check -o inline:"\n--no-supervisor\n--net-allow 127.0.0.1:9\n" \
	    cat six
	# Control: they are inherited otherwise.
	atf_check -o match:'^fd 5$' -o match:'^fd 9$' ${procs} state
	atf_check -s exit:125 -e match:'^sandlock: .*77' \
	    "${sandlock}" run --no-workdir --pass-fd 77 -- /bin/true
	# A pipe that is passed to nobody must not be held open by us.
	"${sandlock}" run --no-workdir -- /bin/sh -c 'exec >&- 2>&-; : >ready
	    until [ -f end ]; do :; done' 7>&1 | cat >piped &
	wait_for test -f ready
	: >end
	wait $!
}

# A workload that closes its output early must be seen by the reader.
atf_test_case eof
eof_head()
{
	atf_set "descr" "our programs keep no pipe of the workload open"
}
eof_body()
{
	life_setup
	mkfifo in out
	"${reap}" "${sandlock}" run --no-workdir --net-allow 127.0.0.1:9 -- \
	    /bin/sh -c '
	    exec >&-; : >ready; cat >got; until [ -f end ]; do :; done' \
	    <in >out 2>errs &
	run=$!
	# EOF of its output while it lives.
	cat out >/dev/null &
	reader=$!
	exec 7>in
	echo text >&7
	wait_for test -f ready
	exec 7>&-
	wait_for grep -q text got
	wait ${reader}
	: >end
	wait ${run} || fail "$(cat errs)"
}

atf_test_case reset
reset_head()
{
	atf_set "descr" "mask and ignored signals are reset, the umask is kept"
	atf_set "require.progs" "python3"
}
reset_body()
{
	life_setup
	cat >start.py <<'END'
import os, signal, sys
for sig in (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD,
    signal.SIGTSTP, signal.SIGUSR1):
    signal.signal(sig, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD,
    signal.SIGRTMIN, signal.SIGUSR2])
os.umask(0o057)
os.execvp(sys.argv[1], sys.argv[1:])
END
	# Control.
	atf_check -o match:'^blocked 15$' -o match:'^ignored 13$' \
	    -o match:'^umask 057$' python3 start.py ${procs} state
	for mode in "" --no-supervisor "--net-allow 127.0.0.1:9"; do
		# shellcheck disable=SC2086
		atf_check -o inline:"umask 057\nfd 0\nfd 1\nfd 2\n" \
		    timeout -s KILL 30 python3 start.py "${sandlock}" run --no-workdir \
		    ${mode} -- ${procs} state
	done
}

# The environment that a run shows, sorted, without what a shell adds.
env_of()
{
	env -i A=1 PATH=/usr/bin:/bin HOME=/h USER=u LOGNAME=l TERM=t LANG=C \
	    TZ=UTC TMPDIR="${TMPDIR}" MY_TOKEN=s AWS_X=s SSH_AUTH_SOCK=s \
	    DOCKER_HOST=s GH_SECRET_X=s DB_PASSWORD=s API_KEY=s \
	    DBUS_SESSION_BUS_ADDRESS=s EMPTY= KEYBOARD=k \
	    "${sandlock}" run --no-workdir -r / "$@" -- /usr/bin/env | sort
}

atf_test_case environment
environment_head()
{
	atf_set "descr" "options of the environment"
}
environment_body()
{
	life_setup
	[ "$(env_of | wc -l)" -eq 19 ] || fail "$(env_of)"
	env_of --clean-env | cut -d= -f1 >names
	atf_check -o inline:"HOME\nLANG\nLOGNAME\nPATH\nTERM\nTMPDIR\nTZ\nUSER\n" \
	    cat names
	env_of --scrub-env | cut -d= -f1 >names
	atf_check \
	    -o inline:"A\nEMPTY\nHOME\nKEYBOARD\nLANG\nLOGNAME\nPATH\nTERM\nTMPDIR\nTZ\nUSER\n" \
	    cat names
	env_of --clean-env --env B=2 --env PATH=/bin:/usr/bin --unset-env TZ \
	    >out
	atf_check -o match:'^B=2$' -o match:'^PATH=/bin:/usr/bin$' \
	    -o not-match:'^TZ=' cat out
	env_of --env A=2 --unset-env A >out
	atf_check -o not-match:'^A=' cat out
	env_of --unset-env A --env A=3 >out
	atf_check -o match:'^A=3$' cat out
	# The default profile has a HOME and TMPDIR of its own.
	atf_check -o match:"^HOME=${TMPDIR}/sandlock[.].*/home$" \
	    -o match:"^TMPDIR=${TMPDIR}/sandlock[.].*/tmp$" \
	    "${sandlock}" run --no-workdir -- /usr/bin/env
	nothing_left environment
}

# What the environment must not steer.
atf_test_case hostile_environment
hostile_environment_head()
{
	atf_set "descr" "our own programs take nothing from the environment"
}
hostile_environment_body()
{
	life_setup
	# A program of the name of a worker wherever it might be looked for.
	mkdir -p bad/supervisor
	cat >bad/supervisor/supervisor <<END
#! /bin/sh
: >${PWD}/obeyed
END
	cp bad/supervisor/supervisor bad/cowd
	cp bad/supervisor/supervisor bad/netd
	chmod 755 bad/supervisor/supervisor bad/cowd bad/netd
	rc=0
	( cd bad && env PATH="${PWD}:${PATH}" IFS=/ LIBEXECDIR="${PWD}" \
	    LD_PRELOAD="${PWD}/none.so" LD_AUDIT="${PWD}/none.so" \
	    GCONV_PATH="${PWD}" EVENT_NOEPOLL=1 EVENT_SHOW_METHOD=1 \
	    MALLOC_CHECK_=3 "${sandlock}" run --no-workdir --unset-env LD_PRELOAD \
	    --unset-env LD_AUDIT --net-allow 127.0.0.1:9 -- /bin/true ) \
	    2>errs || rc=$?
	[ ${rc} -eq 0 ] || fail "status ${rc}: $(cat errs)"
	[ ! -f obeyed ] || fail "a program of the caller's was run"
	[ ! -s errs ] || fail "$(cat errs)"
}

atf_test_case cwd
cwd_head()
{
	atf_set "descr" "--cwd, and the directory that is inherited"
}
cwd_body()
{
	life_setup
	mkdir sub
	atf_check -o inline:"${PWD}\n" "${sandlock}" run --no-workdir -- /bin/pwd
	atf_check -o inline:"/usr\n" \
	    "${sandlock}" run --no-workdir --cwd /usr -- /bin/pwd
	atf_check -o inline:"${PWD}/sub\n" \
	    "${sandlock}" run --no-workdir --cwd sub -- \
	    /bin/pwd
	atf_check -s exit:125 \
	    -e inline:"sandlock: --cwd ./none: No such file or directory\n" \
	    "${sandlock}" run --no-workdir --cwd none -- /bin/pwd
	atf_check -s exit:125 \
	    -e inline:"sandlock: --cwd ./procs: Not a directory\n" \
	    "${sandlock}" run --no-workdir --cwd procs -- /bin/pwd
	nothing_left cwd
	# A directory that is gone.
	mkdir gone
	rc=0
	( cd gone && rmdir ../gone && "${sandlock}" run --no-workdir -- /bin/true ) \
	    2>errs || rc=$?
	[ ${rc} -eq 125 ] || fail "gone: status ${rc}"
	one_line
	atf_check -o inline:"/usr\n" /bin/sh -c 'mkdir gone; cd gone
	    rmdir ../gone; exec "$0" run -r / --cwd /usr -- /bin/pwd' \
	    "${sandlock}"
}

atf_test_case few_descriptors
few_descriptors_head()
{
	atf_set "descr" "a small limit of open files: it works or says why"
}
few_descriptors_body()
{
	life_setup
	worked=0 failed=0
	for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 20 24 28 32 40 64; do
		rm -f done
		rc=0
		( ulimit -n ${n}; exec "${reap}" -t 60 "${sandlock}" run --no-workdir \
		    --net-allow 127.0.0.1:9 -- /bin/sh -c ': >done' ) \
		    2>errs || rc=$?
		# The test's own programs need some as well.
		if grep -q '^reap: \|loading shared libraries' errs; then
			continue
		fi
		case ${rc} in
		0)
			[ -f done ] || fail "${n}: it did not run"
			worked=$((worked + 1)) ;;
		125)
			[ ! -f done ] || fail "${n}: it ran"
			[ -s errs ] || fail "${n}: no message"
			errs_are_ours
			failed=$((failed + 1)) ;;
		*)
			fail "${n}: status ${rc}: $(cat errs)" ;;
		esac
		nothing_left "ulimit -n ${n}"
	done
	[ ${worked} -gt 0 ] || fail "never worked"
	[ ${failed} -gt 0 ] || fail "always worked: void"
}

atf_test_case no_memory
no_memory_head()
{
	atf_set "descr" "a small limit of memory: it works or says why"
}
no_memory_body()
{
	life_setup
	for n in 1500 2000 2500 3000 3500 4000 5000 8000 16000; do
		rc=0
		( ulimit -v ${n}; exec "${sandlock}" run --no-workdir \
		    --net-allow 127.0.0.1:9 -- /bin/true ) 2>errs || rc=$?
		case ${rc} in
		0|127|137|139)	# the workload's own loader
			;;
		125)
			grep -q '^sandlock: ' errs || fail "${n}: silent" ;;
		*)
			fail "${n}: status ${rc}: $(cat errs)" ;;
		esac
		nothing_left "ulimit -v ${n}"
	done
}

# A file system of one page for TMPDIR.
atf_test_case full_disk
full_disk_head()
{
	atf_set "descr" "a full or missing TMPDIR is one line"
	atf_set "require.progs" "unshare mount"
}
full_disk_body()
{
	life_setup
	rc=0
	TMPDIR="${top}/none" "${sandlock}" run --no-workdir -- /bin/sh -c ': >done' \
	    2>errs || rc=$?
	[ ${rc} -eq 125 ] || fail "missing: status ${rc}"
	one_line
	: >"${top}/file"
	rc=0
	TMPDIR="${top}/file" "${sandlock}" run --no-workdir -- /bin/sh -c ': >done' \
	    2>errs || rc=$?
	[ ${rc} -eq 125 ] || fail "a file: status ${rc}"
	one_line
	mkdir "${top}/ro"
	chmod 500 "${top}/ro"
	if [ "$(id -u)" -ne 0 ]; then
		rc=0
		TMPDIR="${top}/ro" "${sandlock}" run --no-workdir -- /bin/sh -c ': >done' \
		    2>errs || rc=$?
		[ ${rc} -eq 125 ] || fail "read-only: status ${rc}"
		one_line
	fi
	user=
	[ "$(id -u)" -eq 0 ] || user=-r
	unshare ${user} -m true || atf_skip "no namespaces for this user"
	mkdir "${top}/full"
	# Room for one directory, of the three that are made; for two; for all.
	for inodes in 1 2 3 4; do
		rm -f done
		TMPDIR="${top}/full"
		rc=0
		unshare ${user} -m /bin/sh -c '
		    mount -t tmpfs -o nr_inodes=$3 none "$2" || exit 96
		    "$1" run -- /bin/sh -c ": >done"
		    rc=$?
		    [ -z "$(ls -A "$2")" ] || exit 95
		    exit ${rc}' - "${sandlock}" "${top}/full" ${inodes} \
		    2>errs || rc=$?
		if [ ${inodes} -lt 4 ]; then
			[ ${rc} -eq 125 ] ||
			    fail "${inodes}: status ${rc}: $(cat errs)"
			one_line
			[ ! -f done ] || fail "${inodes}: it ran"
		else
			[ ${rc} -eq 0 ] ||
			    fail "${inodes}: status ${rc}: $(cat errs)"
		fi
	done
}

atf_test_case no_proc
no_proc_head()
{
	atf_set "descr" "without /proc: one line"
	atf_set "require.progs" "unshare mount"
}
no_proc_body()
{
	life_setup
	user=
	[ "$(id -u)" -eq 0 ] || user=-r
	unshare ${user} -m true || atf_skip "no namespaces for this user"
	rc=0
	unshare ${user} -m /bin/sh -c '
	    mount -t tmpfs none /proc || exit 96
	    exec "$1" run -- /bin/sh -c ": >done"' - "${sandlock}" \
	    2>errs || rc=$?
	[ ${rc} -eq 125 ] || fail "status ${rc}: $(cat errs)"
	one_line
	[ ! -f done ] || fail "it ran"
	nothing_left "no /proc"
}

atf_test_case bad_input
bad_input_head()
{
	atf_set "descr" "options that cannot be had: usage or one line, 125"
}
bad_input_body()
{
	life_setup
	while read -r options; do
		rc=0
		# shellcheck disable=SC2086
		"${reap}" "${sandlock}" run --no-workdir ${options} -- /bin/sh -c ': >done' \
		    >out 2>errs || rc=$?
		[ ${rc} -eq 125 ] || fail "${options}: status ${rc}"
		grep -q '^sandlock: .*: ' errs ||
		    fail "${options}: $(cat errs)"
		[ ! -s out ] || fail "${options}: stdout"
		[ ! -f done ] || fail "${options}: it ran"
		nothing_left "${options}"
	done <<'END'
--nonsense
-Z
-P 0
-P -1
-P 99999999999
-P many
-c 0
-c -5
-c 1e9
-t -1
-t soon
-t nan
-r nonexistent
--unveil /usr:q
--unveil :r
--net-allow
--net-allow host:99999
--net-allow 127.0.0.1:0-
--env NOEQUALS
--env =x
--cpu-cores 99999
--cpu-cores x
--pass-fd -1
--pass-fd x
--status-fd x
-p nonexistent
-f nonexistent
--user x
--run-as nonexistent-user
--extra-deny-syscall nonsense
--extra-allow-syscall @nonsense
--disable nonsense
END
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case closed
	atf_add_test_case directory
	atf_add_test_case opened
	atf_add_test_case pass
	atf_add_test_case eof
	atf_add_test_case reset
	atf_add_test_case environment
	atf_add_test_case hostile_environment
	atf_add_test_case cwd
	atf_add_test_case few_descriptors
	atf_add_test_case no_memory
	atf_add_test_case full_disk
	atf_add_test_case no_proc
	atf_add_test_case bad_input
}
