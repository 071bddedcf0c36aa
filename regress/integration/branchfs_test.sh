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


# branchfs as a back end beyond what all of them do: what a server can get
# wrong, and what of it neither the workload nor a lost process may leave.
# After each refusal the same run succeeds when nothing is wrong.

setup()
{
	HOME=$(pwd)/home
	export HOME
	unset XDG_STATE_HOME
	mkdir -m 700 home
	store=${HOME}/.local/state/sandlock
	mkdir wd
	cow="${box} --workdir wd --fs-isolation branchfs --cwd wd"
	branch="$(program) branch"
}

start()
{
	serve wd "$@"
	echo one >wd/file
}

in_branch()
{
	ls wd.store/*/upper/"$1"
}

# Nothing is left with the server nor with us.
nothing_left()
{
	[ -z "$(ls -A wd.store | grep -v '^fault$')" ] ||
	    atf_fail "the server has: $(ls -A wd.store)"
	[ ! -d "${store}" ] || [ -z "$(ls -A "${store}")" ] ||
	    atf_fail "left: $(ls -A "${store}")"
}

no_record()
{
	[ -z "$(ls -A "${store}")" ]
}

no_served()
{
	[ -z "$(ls -A wd.store | grep -v '^fault$')" ]
}

# A run that works, which also shows that what went before changed nothing.
control()
{
	rm -f wd.store/fault
	atf_check -o inline:"${1:-one}\n" ${cow} -- sh -c 'cat file; echo x >x'
	atf_check -o inline:"x\n" cat wd.base/x
	rm wd/x
	nothing_left
}

atf_test_case not_one
not_one_head()
{
	atf_set "descr" "a directory that is no branchfs"
}
not_one_body()
{
	setup
	error="sandlock: --workdir $(pwd -P)/wd: no branchfs: .branchfs_ctl"
	atf_check -s exit:125 -e inline:"${error}: No such file or directory\n" \
	    ${cow} -- touch ran
	# Nothing of that name is even opened that is not of such a file system.
	mkfifo wd/.branchfs_ctl
	atf_check -s exit:125 \
	    -e inline:"${error}: Inappropriate ioctl for device\n" \
	    ${cow} -- touch ran
	rm wd/.branchfs_ctl
	ln -s /dev/null wd/.branchfs_ctl
	atf_check -s exit:125 \
	    -e inline:"${error}: Inappropriate ioctl for device\n" \
	    ${cow} -- touch ran
	rm wd/.branchfs_ctl
	: >wd/.branchfs_ctl
	atf_check -s exit:125 \
	    -e inline:"${error}: Inappropriate ioctl for device\n" \
	    ${cow} -- touch ran
	rm wd/.branchfs_ctl
	# A directory of one that is not its top.
	start
	mkdir wd/sub
	atf_check -s exit:125 -e match:'/wd/sub: no branchfs: .*No such file' \
	    ${box} --workdir wd/sub --fs-isolation branchfs -- touch ran
	rmdir wd/sub
	[ -z "$(find . -name ran)" ] || atf_fail "something ran"
	control
}

atf_test_case create
create_head()
{
	atf_set "descr" "a server that refuses, answers nonsense or something else"
}
create_body()
{
	setup
	start
	wd="sandlock: --workdir $(pwd -P)/wd: branchfs"
	for f in 13:'Permission denied' 28:'No space left on device' \
	    25:'Inappropriate ioctl for device' 95:'Operation not supported'
	do
		echo "create ${f%%:*}" >wd.store/fault
		atf_check -s exit:125 \
		    -e inline:"${wd}: create a branch: ${f#*:}\n" \
		    ${cow} -- touch ran
		nothing_left
	done
	for f in slash nonul inside empty dot at none; do
		echo "create ${f}" >wd.store/fault
		atf_check -s exit:125 \
		    -e inline:"${wd}: bad id of a branch: Protocol error\n" \
		    ${cow} -- touch ran
		no_record || atf_fail "${f}: a record is left"
		# Who does not say what he has made keeps it.
		rm -rf wd.store/b-*/upper wd.store/b-*/work wd.store/b-*/start
	done
	echo "create missing" >wd.store/fault
	atf_check -s exit:125 \
	    -e inline:"${wd}: enter the branch: No such file or directory\n" \
	    ${cow} -- touch ran
	# One that leads elsewhere is not followed.
	echo "create link" >wd.store/fault
	atf_check -s exit:125 \
	    -e match:"${wd}: enter the branch: (Too many levels|Not a dir)" \
	    ${cow} -- touch ran
	no_record || atf_fail "a record is left"
	[ -z "$(find . -name ran)" ] || atf_fail "something ran"
	rm -f wd.store/fault
	atf_check -o inline:"one\n" ${cow} -- cat file
	no_record || atf_fail "a record is left"
}

# What fails after the branch was made takes it back.
atf_test_case mounts
mounts_head()
{
	atf_set "descr" "a branch that cannot be mounted"
	atf_set "require.progs" "strace"
}
mounts_body()
{
	setup
	start
	for n in 1 2 3 4; do
		atf_check -s exit:125 \
		    -e match:'^sandlock: --fs-isolation branchfs: mount.*: Oper' \
		    strace -o trace -e trace=mount \
		    -e inject=mount:error=EPERM:when=${n} ${cow} -- touch ran
		atf_check -o inline:"1\n" grep -c INJECTED trace
		nothing_left
		[ -z "$(find . -name ran)" ] || atf_fail "something ran"
	done
	# Control: there are no more of them.
	atf_check strace -o trace -e trace=mount \
	    -e inject=mount:error=EPERM:when=5 ${cow} -- true
	nothing_left
	control
}

# A run whose branch the server does not make.
hung_create()
{
	echo "create hang" >wd.store/fault
	setsid ${cow} -- touch ran 2>errs &
	pid=$!
	wait_for pgrep -P ${pid} -x keeper
	keeper=$(pgrep -P ${pid} -x keeper)
}

# That run ends so; the answer comes after all, and what was made is taken back.
late_answer()
{
	rc=0
	wait ${pid} || rc=$?
	[ ${rc} -eq "$1" ] || atf_fail "status ${rc} instead of $1: $(cat errs)"
	no_record || atf_fail "a record is left"
	kill -0 "${keeper}" || atf_fail "nothing waits for the answer"
	rm wd.store/fault
	wait_for sh -c '! grep -s "^State:.[^ZX]" "/proc/$1/status"' sh \
	    "${keeper}"
	nothing_left
	[ -z "$(find . -name ran)" ] || atf_fail "something ran"
}

# The wait for an answer has an end although the server's has not.
atf_test_case silent
silent_head()
{
	atf_set "descr" "a server that does not answer"
	atf_set "timeout" "120"
}
silent_body()
{
	setup
	start
	hung_create
	late_answer 125
	atf_check -o match:'/wd: branchfs does not answer$' cat errs
	control
	# Whoever does not want to wait need not.
	for sig in INT:130 TERM:143; do
		hung_create
		wait_for sh -c 'ls -A "$1" | grep -q .' sh "${store}"
		kill -${sig%:*} ${pid}
		late_answer ${sig#*:}
	done
	# The end: not the run's fault, and not forgotten.
	echo "abort hang" >wd.store/fault
	atf_check -s exit:125 -e match:'abort of .*/wd: no answer: it may be' \
	    -e match:'branch [a-z0-5]{10} of .*/wd is kept' \
	    timeout -k 1 30 ${cow} -- sh -c 'echo two >file; exit 3'
	atf_check -o match:'in use$' ${branch} list
	rm wd.store/fault
	# What came too late before may be taken back only now.
	wait_for no_record
	wait_for no_served
	nothing_left
	control
	# A commit may take long; who waits can say when it is too long.
	for sig in INT TERM; do
		echo "commit hang" >wd.store/fault
		setsid ${cow} -- sh -c 'echo done >new' 2>errs &
		pid=$!
		wait_for in_branch new
		wait_for sh -c "! pgrep -P ${pid} supervisor"
		sleep 1
		kill -${sig} ${pid}
		rc=0
		wait ${pid} || rc=$?
		[ ${rc} -eq 125 ] || atf_fail "SIG${sig}: ${rc}"
		grep -q 'commit of .*/wd: interrupted: it may be' errs ||
		    atf_fail "$(cat errs)"
		[ ! -e wd.base/new ] || atf_fail "committed by whom?"
		rm wd.store/fault
		wait_for no_record
		atf_check -o inline:"done\n" cat wd.base/new
		rm wd/new
		wait_for no_served
		nothing_left
	done
	control
}

atf_test_case refused
refused_head()
{
	atf_set "descr" "a server that does not commit, or not abort"
}
refused_body()
{
	setup
	start
	echo "commit 28" >wd.store/fault
	atf_check -s exit:125 \
	    -e match:'branchfs: commit of .*/wd: No space left on device$' \
	    -e match:'is kept$' ${cow} -- sh -c 'echo two >>file'
	atf_check -o inline:"one\n" cat wd.base/file
	name=$(${branch} list | cut -d ' ' -f 1)
	atf_check -s exit:125 -e match:'No space left on device$' \
	    ${branch} commit "${name}"
	atf_check -o match:'^\+two$' ${branch} diff "${name}"
	rm wd.store/fault
	atf_check ${branch} commit "${name}"
	atf_check -o inline:"one\ntwo\n" cat wd.base/file
	nothing_left
	echo "abort 5" >wd.store/fault
	atf_check -s exit:125 \
	    -e match:'branchfs: abort of .*/wd: Input/output error$' \
	    -e match:'is kept$' ${cow} -- sh -c 'echo three >>file; exit 3'
	name=$(${branch} list | cut -d ' ' -f 1)
	atf_check -s exit:125 -e match:'Input/output error$' \
	    ${branch} abort "${name}"
	# A dry run ends by an abort.
	atf_check -s exit:125 -o inline:"M  file\n" -e match:'abort of' \
	    ${cow} --dry-run -- sh -c 'echo three >>file'
	rm wd.store/fault
	for name in $(${branch} list | cut -d ' ' -f 1); do
		atf_check ${branch} abort "${name}"
	done
	atf_check -o inline:"one\ntwo\n" cat wd.base/file
	nothing_left
	control "one
two"
}

# The server says that somebody else has changed what the branch changes.
atf_test_case conflict
conflict_head()
{
	atf_set "descr" "a conflict, which the server finds"
}
conflict_body()
{
	setup
	start
	mkfifo go
	cow="${cow} --unveil $(pwd)/go:r"
	${cow} -- sh -c 'echo two >>file; : >ready; cat ../go' 2>errs &
	pid=$!
	wait_for in_branch ready
	echo mine >wd/file
	echo go >go
	rc=0
	wait ${pid} || rc=$?
	[ ${rc} -eq 125 ] || atf_fail "status ${rc}"
	grep -q '/wd changed since the branch was made: conflict: nothing is' \
	    errs || atf_fail "$(cat errs)"
	atf_check -o inline:"mine\n" cat wd.base/file
	name=$(${branch} list | cut -d ' ' -f 1)
	atf_check -s exit:125 -e match:'conflict: nothing is committed' \
	    ${branch} commit "${name}"
	atf_check ${branch} abort "${name}"
	nothing_left
	# Control.
	${cow} -- sh -c 'echo two >>file; : >ready; cat ../go' 2>errs &
	pid=$!
	wait_for in_branch ready
	echo other >wd/other
	echo go >go
	wait ${pid} || atf_fail "control: $(cat errs)"
	atf_check -o inline:"mine\ntwo\n" cat wd.base/file
	nothing_left
}

atf_test_case gone
gone_head()
{
	atf_set "descr" "a server that is gone in the middle"
}
gone_body()
{
	setup
	for verb in create commit abort; do
		rm -rf wd wd.base wd.store
		mkdir wd
		start
		echo "${verb} exit" >wd.store/fault
		why='(Software caused connection abort|not connected)'
		atf_check -s exit:125 -e match:"branchfs.*${verb}.*${why}" \
		    -e not-match:'cowd: ' ${cow} -- sh -c \
		    "echo two >>file; [ ${verb} = commit ]"
		atf_check -o inline:"one\n" cat wd.base/file
		[ ${verb} != create ] || no_record || atf_fail "a record"
		umount_served
	done
	# During the run: the workload sees errors, and nothing hangs.
	rm -rf wd wd.base wd.store
	mkdir wd
	start
	${cow} -- sh -c 'echo two >>file; : >ready; while cat file; do
	    sleep 0.1; done >/dev/null' 2>errs &
	pid=$!
	wait_for in_branch ready
	echo "commit exit" >wd.store/fault
	/usr/bin/python3 -c 'import fcntl, glob, os
id = [n for n in os.listdir("wd.store") if n.startswith("b-")][0]
fd = os.open("wd/@" + id + "/.branchfs_ctl", os.O_RDWR)
try:
    fcntl.ioctl(fd, 0x6201, 0)
except OSError:
    pass'
	rc=0
	wait ${pid} || rc=$?
	[ ${rc} -eq 125 ] || atf_fail "status ${rc}"
	grep -q 'not connected$' errs || atf_fail "$(cat errs)"
	atf_check -o inline:"one\n" cat wd.base/file
	# What is left is our record of it, which abort removes.
	name=$(ls "${store}" | head -n 1)
	umount_served
	atf_check -s exit:125 -e match:'without its directory .*/wd$' \
	    ${branch} commit "${name}"
	for name in $(ls "${store}"); do
		atf_check ${branch} abort "${name}"
	done
	no_record || atf_fail "records are left"
}

umount_served()
{
	pid=$(tail -n 1 pids)
	kill -TERM "${pid}"
	wait_for sh -c '! grep -q " $(pwd -P)/wd fuse" /proc/self/mounts'
}

# The control file of a branch would let the workload commit.
atf_test_case hidden
hidden_head()
{
	atf_set "descr" "the workload cannot end a branch, its own or another"
	atf_set "require.files" "/usr/bin/python3"
}
hidden_body()
{
	setup
	start -l
	cat >end.py <<'END'
import errno, fcntl, os, sys
def attempt(what, call):
    try:
        call()
        print(what, "done")
    except OSError as e:
        print(what, errno.errorcode[e.errno])
for path in sys.argv[1:]:
    fd = os.open(path, os.O_RDONLY)
    for cmd in 0x80806200, 0x6201, 0x6202, 0x6202 | 1 << 32:
        if cmd >> 32:
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            def call():
                if libc.ioctl(fd, ctypes.c_ulong(cmd), 0) == -1:
                    raise OSError(ctypes.get_errno(), "")
        else:
            def call():
                fcntl.ioctl(fd, cmd, bytes(128))
        attempt(hex(cmd), call)
END
	cp end.py wd/end.py
	# Inside, the control file is another; so are those of others.
	for path in .branchfs_ctl other; do
		[ ${path} != other ] || path=$(pwd)/second/.branchfs_ctl
		[ -e "${path}" ] || [ ${path} = .branchfs_ctl ] ||
		    { mkdir second; serve second; }
		atf_check -o inline:"0x80806200 EPERM\n0x6201 EPERM\n\
0x6202 EPERM\n0x100006202 EPERM\n" ${cow} -r "$(pwd)" --on-exit abort -- \
		    /usr/bin/python3 end.py "${path}"
	done
	atf_check -o inline:"character special file\n" ${cow} -- \
	    stat -c %F .branchfs_ctl
	atf_check -s exit:1 -e match:'Device or resource busy' ${cow} -- \
	    rm .branchfs_ctl
	# What is written to it goes nowhere.
	atf_check ${cow} --on-exit abort -- sh -c 'echo two >>file
	    echo commit >.branchfs_ctl'
	atf_check -o inline:"one\n" cat wd.base/file
	# Nor does a dry run show what is the server's.
	atf_check -o inline:"A  dir\nA  dir/.branchfs_ctl\nA  dir/@x\n" \
	    ${cow} --dry-run -- sh -c 'mkdir dir; : >dir/.branchfs_ctl
	    : >dir/@x'
	# Control: without a sandbox they do something.
	(cd second && atf_check -o match:'^0x80806200 done$' \
	    -o match:'^0x6201 EINVAL$' /usr/bin/python3 ../end.py \
	    .branchfs_ctl)
	no_record || atf_fail "a record is left"
}

# The keeper is nobody's and ends with the run.
atf_test_case keeper
keeper_head()
{
	atf_set "descr" "SIGKILL of the keeper, and of the parent with it"
}
keeper_body()
{
	setup
	start
	${cow} -- sh -c 'echo two >>file; : >ready; exec sleep 600' 2>errs &
	pid=$!
	wait_for in_branch ready
	keeper=$(pgrep -P ${pid} -x keeper)
	# What it may do: its lists are on, and it has no capability.
	atf_check -o match:'^Seccomp:.2' -o match:'^NoNewPrivs:.1' \
	    -o match:'^CapPrm:.0000000000000000' cat "/proc/${keeper}/status"
	kill -KILL "${keeper}"
	rc=0
	wait ${pid} || rc=$?
	[ ${rc} -eq 125 ] || atf_fail "status ${rc}"
	grep -q 'the keeper of the branch is gone$' errs || atf_fail "$(cat errs)"
	atf_check -o inline:"one\n" cat wd.base/file
	# Nobody could abort it: it is kept, and can be.
	name=$(${branch} list | cut -d ' ' -f 1)
	atf_check -o match:'^\+two$' ${branch} diff "${name}"
	atf_check ${branch} abort "${name}"
	nothing_left
	# Nor is it of what is killed at the end, however that is found.
	for o in '' '--disable signal-scope'; do
		# shellcheck disable=SC2086
		atf_check -s exit:124 ${cow} ${o} -t 0.5 -- \
		    sh -c 'echo two >>file; sleep 600 & setsid sleep 600'
		nothing_left
		# shellcheck disable=SC2086
		atf_check ${cow} ${o} -- sh -c 'echo x >x; sleep 600 &'
		atf_check rm wd.base/x
		nothing_left
	done
	# A terminal's keys and a kill of the group do not reach it.
	for sig in INT HUP KILL; do
		setsid ${cow} -- sh -c ': >ready; exec sleep 600' 2>errs &
		pid=$!
		wait_for in_branch ready
		kill -${sig} -- -${pid}
		wait ${pid} && atf_fail "${sig}: success"
		wait_for no_record
		wait_for no_served
	done
	control
}

# A branch whose file system is not what it was.
atf_test_case kept
kept_head()
{
	atf_set "descr" "kept branches whose server is another by now"
}
kept_body()
{
	setup
	start
	atf_check -e match:'is kept$' ${cow} --on-exit keep -- \
	    sh -c 'echo two >>file'
	name=$(${branch} list | cut -d ' ' -f 1)
	atf_check -o match:'  kept$' ${branch} list
	atf_check ${branch} recover "${name}"
	atf_check ${branch} recover
	atf_check -o match:'  kept$' ${branch} list
	# What somebody else wrote into our record is no path.
	info=${store}/${name}/info
	cp "${info}" good
	for id in ../x '@x' x/y '' "$(printf '%0200d' 0)" '.x' 'x y'; do
		sed "s|^branchfs .*|branchfs ${id}|" good >"${info}"
		atf_check -s exit:125 -e match:'Bad message' \
		    ${branch} commit "${name}"
	done
	cp good "${info}"
	sed 's|^branchfs .*|branchfs b-77|' good >"${info}"
	atf_check -s exit:125 \
	    -e match:'branchfs: enter the branch: No such file or directory$' \
	    ${branch} commit "${name}"
	atf_check -s exit:125 -o ignore -e match:'cowd|No such file' \
	    ${branch} diff "${name}"
	cp good "${info}"
	atf_check ${branch} commit "${name}"
	atf_check -o inline:"one\ntwo\n" cat wd.base/file
	nothing_left
	# The server has forgotten it: the record goes.
	atf_check -e match:'is kept$' ${cow} --on-exit keep -- \
	    sh -c 'echo three >>file'
	name=$(${branch} list | cut -d ' ' -f 1)
	sed -i 's|^branchfs .*|branchfs b-77|' "${store}/${name}/info"
	atf_check -e match:'only its record is left: removed$' \
	    ${branch} abort "${name}"
	no_record || atf_fail "a record is left"
}

# An ordinary user, whoever may mount.
atf_test_case user
user_head()
{
	atf_set "descr" "an ordinary user's, with no right to mount"
	atf_set "require.user" "root"
}
user_body()
{
	have_fuse
	mkdir -m 755 top
	chmod 755 .
	cd top || atf_fail "top"
	mkdir home wd wd.base wd.store
	chown nobody home wd wd.base wd.store
	: >pids
	background "$(helper branchfs)" -u nobody wd.base wd.store wd
	user="setpriv --reuid=nobody --regid=nogroup --clear-groups"
	user="${user} env HOME=$(pwd)/home"
	wait_for ${user} test -e wd/.branchfs_ctl
	# Whoever else comes is not let in: not even root.
	atf_check -s exit:2 -e match:'Permission denied' ls wd
	atf_check ${user} sh -c 'echo one >wd/file'
	cow="${user} ${box} --workdir wd --fs-isolation branchfs --cwd wd"
	atf_check -o inline:"one\nnobody\n" ${cow} -- \
	    sh -c 'cat file; echo two >>file; id -un'
	atf_check -o inline:"one\ntwo\n" cat wd.base/file
	atf_check -s exit:3 ${cow} -- sh -c 'rm file; exit 3'
	atf_check -o inline:"M  file\nA  new\n" ${cow} --dry-run -- \
	    sh -c ': >file; mkdir new'
	atf_check -o inline:"one\ntwo\n" cat wd.base/file
	[ -z "$(ls -A wd.store)" ] || atf_fail "the server has a branch"
	[ -z "$(ls -A home/.local/state/sandlock)" ] || atf_fail "a record"
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case not_one
	atf_add_test_case create
	atf_add_test_case mounts
	atf_add_test_case silent
	atf_add_test_case refused
	atf_add_test_case conflict
	atf_add_test_case gone
	atf_add_test_case hidden
	atf_add_test_case keeper
	atf_add_test_case kept
	atf_add_test_case user
}
