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

# The default profile: what becomes of the current directory without an option,
# how the options change that, and what is said where it cannot be had.

# A project with a branch that can be seen while the run lasts.
default_setup()
{
	project
	unset XDG_STATE_HOME
	store=${HOME}/.local/state/sandlock
	echo old >file
}

nothing_kept()
{
	[ -z "$(ls -A "${store}")" ] || atf_fail "left: $(ls -A "${store}")"
}

# Run on a terminal; what it shows is in the file shown.
on_terminal()
{
	rc=0
	printf '%s\n' "$1" >../typed.sh
	script -qec "sh ../typed.sh" /dev/null </dev/null >../shown || rc=$?
	tr -d '\r' <../shown >../text
}

atf_test_case committed
committed_head()
{
	atf_set "descr" "nothing is changed before the end, all is after it"
}
committed_body()
{
	default_setup
	${sl} -- sh -c 'echo new >file; mkdir d; : >d/x
	    until [ -e go ]; do sleep 0.1; done' &
	wait_for sh -c "ls ${store}/*/upper/d/x"
	atf_check -o inline:"old\n" cat file
	[ ! -e d ] || atf_fail "made during the run"
	: >go
	wait $! || atf_fail "the run failed"
	atf_check -o inline:"new\n" cat file
	atf_check test -f d/x
	nothing_kept
}

atf_test_case discarded
discarded_head()
{
	atf_set "descr" "failure, signal, time limit: as before, and not a word"
}
discarded_body()
{
	default_setup
	work='echo new >file; : >made'
	atf_check -s exit:3 ${sl} -e "${work}; exit 3"
	atf_check -s exit:143 ${sl} -e "${work}; kill \$\$"
	atf_check -s exit:124 ${sl} -t 1 -e "${work}; sleep 60"
	atf_check -o inline:"old\n" cat file
	[ ! -e made ] || atf_fail "made"
	nothing_kept
	# Control.
	atf_check -s exit:3 ${sl} --on-error commit -e "${work}; exit 3"
	atf_check -o inline:"new\n" cat file
	atf_check test -f made
}

atf_test_case told
told_head()
{
	atf_set "descr" "on a terminal a failure tells what it discards"
	atf_set "require.progs" "script"
}
told_body()
{
	default_setup
	here=$(pwd -P)
	told="sandlock: ${here}: the command failed: its changes are"
	told="${told} discarded; --on-error keep keeps them"
	for end in 'exit 3:3' 'kill $$:143' 'sleep 60:124'; do
		on_terminal "${sl} -t 2 -e 'echo new >file; ${end%:*}'"
		[ ${rc} -eq "${end##*:}" ] || atf_fail "${end}: status ${rc}"
		grep -qxF "${told}" ../text ||
		    atf_fail "${end}: $(cat ../text)"
	done
	atf_check -o inline:"old\n" cat file
	# There was nothing, or somebody asked for it.
	on_terminal "${sl} -e 'cat file; exit 3'"
	[ ${rc} -eq 3 ] || atf_fail "status ${rc}"
	atf_check -o inline:"old\n" cat ../text
	on_terminal "${sl} --on-error abort -e 'echo new >file; exit 3'"
	[ ${rc} -eq 3 ] || atf_fail "status ${rc}"
	atf_check cat ../text
	# What the message advises.
	on_terminal "${sl} --on-error keep -e 'echo new >file; exit 3'"
	[ ${rc} -eq 3 ] || atf_fail "status ${rc}"
	name=$($(program) branch list | cut -d ' ' -f 1)
	cat >../want <<END
sandlock: branch ${name} of ${here} is kept
sandlock: see sandlock branch diff | commit | abort ${name}
END
	atf_check -o file:../want cat ../text
	atf_check $(program) branch commit "${name}"
	atf_check -o inline:"new\n" cat file
	nothing_kept
}

atf_test_case direct
direct_head()
{
	atf_set "descr" "--no-workdir writes directly, whatever the end is"
}
direct_body()
{
	default_setup
	mkfifo go
	${sl} --no-workdir -- sh -c 'echo new >file; : >x; cat go; exit 3' &
	wait_for test -f x
	atf_check -o inline:"new\n" cat file
	[ ! -e "${store}" ] || atf_fail "a branch was made"
	echo go >go
	rc=0
	wait $! || rc=$?
	[ ${rc} -eq 3 ] || atf_fail "status ${rc}"
	atf_check ${sl} --no-supervisor --no-workdir -e 'echo newer >file'
	atf_check -o inline:"newer\n" cat file
	atf_check -s exit:125 \
	    -e match:'--no-workdir that is written directly$' \
	    ${sl} --no-supervisor -e 'echo newest >file'
	atf_check -o inline:"newer\n" cat file
	# It is what the profile grants, and no more.
	atf_check -s exit:2 -e match:'ermission denied' \
	    ${sl} --no-workdir -e 'echo x >../out'
	[ ! -e ../out ] || atf_fail "made"
}

atf_test_case added
added_head()
{
	atf_set "descr" "-w adds a directory beside, and is refused around"
}
added_body()
{
	default_setup
	mkdir ../more sub
	atf_check -s exit:3 ${sl} -p default -w ../more \
	    -e 'echo x >../more/x; echo new >file; exit 3'
	atf_check -o inline:"x\n" cat ../more/x
	atf_check -o inline:"old\n" cat file
	# Inside is inside.
	atf_check -s exit:3 ${sl} -p default -w sub -e 'echo x >sub/x; exit 3'
	[ ! -e sub/x ] || atf_fail "past the branch"
	atf_check ${sl} -p default -w sub -e 'echo x >sub/x'
	atf_check -o inline:"x\n" cat sub/x
	for dir in . "$(pwd)" ../project; do
		atf_check -s exit:125 -e match:'is granted for writing, and' \
		    ${sl} -p default -w "${dir}" -e 'echo new >file'
	done
	atf_check -s exit:125 -e match:'lies below .*--no-workdir' \
	    ${sl} -p default -w .. -e 'echo new >file'
	atf_check -o inline:"old\n" cat file
	atf_check ${sl} -p default --no-workdir -w .. -e 'echo new >file'
	atf_check -o inline:"new\n" cat file
	# Another working directory is instead of this one.
	atf_check ${sl} --workdir sub --cwd sub -e 'echo y >x'
	atf_check -o inline:"y\n" cat sub/x
	atf_check -s exit:1 -e match:'ermission denied' \
	    ${sl} --workdir sub --cwd sub -- cat ../file
}

atf_test_case nested
nested_head()
{
	atf_set "descr" "inside of another run it takes two options"
}
nested_body()
{
	default_setup
	cp "$(program)" ./again
	atf_check -s exit:125 -e match:'nested.*--no-supervisor --no-workdir' \
	    ${sl} -- ./again run -e 'echo new >file'
	atf_check -o inline:"old\n" cat file
	atf_check ${sl} -- ./again run --no-supervisor --no-workdir \
	    -e 'echo new >file'
	atf_check -o inline:"new\n" cat file
}

atf_test_case places
places_head()
{
	atf_set "descr" "where no branch can be, that is said before the start"
	atf_set "require.progs" "unshare"
}
places_body()
{
	default_setup
	unshare -rm true 2>/dev/null || atf_skip "no user namespaces"
	mkdir ../ro ../ram
	# TYPE OPTIONS DIR COMMAND: with something mounted for it alone.
	cat >../mount.sh <<'END'
mount -t "$1" -o "$2" none "$3" || exit 99
shift 3
exec "$@"
END
	in_mount="unshare -rm sh ../mount.sh"
	ok='cd ../ro && exec "$@"'
	atf_check -s exit:125 -e match:'ro: on a read-only file system.*--no-w' \
	    ${in_mount} tmpfs ro ../ro sh -c "${ok}" sh ${sl} -- true
	atf_check ${in_mount} tmpfs ro ../ro sh -c "${ok}" sh \
	    ${sl} --no-workdir -- true
	atf_check ${in_mount} tmpfs ro ../ro sh -c "${ok}" sh ${sl} --dry-run \
	    -- sh -c ': >x; rm x'
	# Branches cannot lie on ramfs, which knows no attributes.
	atf_check -s exit:125 -e match:'no extended attributes .*--fs-storage' \
	    ${in_mount} ramfs mode=700 ../ram ${sl} --fs-storage ../ram/st -- true
	atf_check ${in_mount} tmpfs mode=700 ../ram \
	    ${sl} --fs-storage ../ram/st -e 'echo new >file'
	atf_check -o inline:"new\n" cat file
	# The working directory may lie there.
	atf_check -o inline:"new\n" ${in_mount} ramfs mode=700 ../ram \
	    sh -c 'cd ../ram && echo old >f && "$@" && exec cat f' sh \
	    ${sl} -e 'echo new >f'
	nothing_kept
}

atf_test_case homeless
homeless_head()
{
	atf_set "descr" "without a HOME for branches there is advice"
}
homeless_body()
{
	default_setup
	atf_check -s exit:125 -e match:'^sandlock: HOME is not set.*storage' \
	    env -u HOME ${sl} -- true
	for home in /nonexistent /dev/null /proc/none; do
		atf_check -s exit:125 -e match:'say .*another|no-workdir$' \
		    env HOME=${home} ${sl} -e 'echo new >file'
	done
	atf_check -o inline:"old\n" cat file
	atf_check env -u HOME ${sl} --no-workdir -- true
	atf_check env -u HOME ${sl} --fs-storage ../st -e 'echo new >file'
	atf_check -o inline:"new\n" cat file
	# The private directory would be a part of the branch.
	mkdir tmp
	atf_check -s exit:125 -e match:'TMPDIR .* lies below --workdir' \
	    env TMPDIR="$(pwd)/tmp" ${sl} -- true
}

atf_test_case other_group
other_group_head()
{
	atf_set "descr" "--user in a directory of a group that it has no id of"
	atf_set "require.user" "root"
}
other_group_body()
{
	default_setup
	unshare -r true 2>/dev/null || atf_skip "no user namespaces"
	chgrp 12345 . file
	chmod 775 .
	atf_check -o inline:"0\nold\n" ${sl} --user 0:0 \
	    -e 'id -u; cat file; echo new >made'
	atf_check -o inline:"new\n" cat made
	atf_check -o inline:"12345 775\n12345 644\n" stat -c '%g %a' . file
	nothing_kept
}

# Do the work of standard input in /tmp, and bare in a directory that has the
# place of it; TMP stands for either.  Both say the same.
same_tmp()
{
	cat >../work
	rm -rf ../tmp
	mkdir -m 700 ../tmp
	dir=$(cd ../tmp && pwd -P)
	sed "s|TMP|${dir}|g" ../work >../bare.sh
	sed "s|TMP|/tmp|g" ../work >box.sh
	${bare} sh ../bare.sh >../bare.out 2>&1 </dev/null
	echo $? >>../bare.out
	${sl} -- sh box.sh >../box.out 2>&1 </dev/null
	echo $? >>../box.out
	sed -e "s|${dir}|TMP|g" -e 's|^[a-z./]*bare.sh: |sh: |' ../bare.out >../want
	sed -e 's|/[a-zA-Z0-9./_]*/sandlock[.][a-z0-9]*/tmp|TMP|g' \
	    -e 's|/tmp|TMP|g' -e 's|^box.sh: |sh: |' ../box.out >../got
	[ $(wc -l <../want) -gt 3 ] || atf_fail "$(cat ../want)"
	atf_check -o file:../want cat ../got
}

atf_test_case tmp
tmp_head()
{
	atf_set "descr" "/tmp by its name is the private one: the usual calls"
}
tmp_body()
{
	default_setup
	same_tmp <<'END'
echo one >TMP/a; cat TMP/a; ls TMP; ls -A TMP/; mkdir TMP/d; mv TMP/a TMP/d/b; ls TMP/d TMP
cp TMP/d/b TMP/c; chmod 640 TMP/c; stat -c '%a %s' TMP/c; ln TMP/c TMP/c2
stat -c %h TMP/c2; rm TMP/c; cat TMP/c; ls TMP/c2/x; rmdir TMP/d; touch -d @7 TMP/c2
stat -c %Y TMP/c2; truncate -s 100 TMP/c2; stat -c %s TMP/c2 TMP//c2 TMP/./c2 /.TMP/c2
mkfifo TMP/f; (echo through >TMP/f) & cat TMP/f; wait; test -d TMP && echo yes
ln -s TMP/d TMP/abs; ln -s d TMP/rel; cat TMP/abs/b TMP/rel/b; readlink TMP/abs
ls -d TMP/abs/ TMP/abs TMP/rel/.; realpath TMP/abs/b TMP/rel/../c2; echo x >TMP/abs/new
ls TMP/d; ln -s TMP/fresh TMP/dangling; cat TMP/dangling; echo y >TMP/dangling
cat TMP/fresh; ln -s TMP/loop TMP/loop; cat TMP/loop; ln -s /etc/passwd TMP/out
cmp TMP/out /etc/passwd && echo same; ln -s ../../../../etc TMP/up
rm TMP/abs TMP/out; ls TMP; cp -r TMP/d TMP/e; rm -rf TMP/d; ls TMP/e; find TMP/e | sort
cd TMP; cat rel/b; ls; ln -s TMP/e abs; cat abs/b; mkdir z; cd z; echo q >q
cat TMP/z/q ../z/q; cd ..; cat z/q; cd abs; ls; pwd
printf '#! /bin/sh\necho ran "$@"\n' >TMP/s; chmod +x TMP/s; TMP/s 1; cd TMP; ./s 2
mv s z/s; z/s 3; sed -i s/ran/run/ TMP/z/s; TMP/z/s; mktemp -u TMP/x.XXX >/dev/null
name=$(mktemp TMP/y.XXXXXX) && test -f $name && rm $name
dir=$(mktemp -d -p TMP) && test -d $dir && rmdir $dir
exec 3>TMP/held; rm TMP/held; echo lost >&3; ls TMP; rm -r TMP/z TMP/e; ls TMP
rmdir TMP/nosuch; mkdir TMP/c2; rm -r TMP/nosuch; cat TMP/nosuch/x; cd TMP/nosuch
END
}

atf_test_case tmp_programs
tmp_programs_head()
{
	atf_set "descr" "sockets, vfork, threads, signals, descriptors in /tmp"
	atf_set "require.files" "/usr/bin/python3"
}
tmp_programs_body()
{
	default_setup
	cat >t.py <<'END'
import concurrent.futures, os, shutil, signal, socket, subprocess, sys
t = sys.argv[1]
s = socket.socket(socket.AF_UNIX)
s.bind(t + "/sock")
s.listen()
c = socket.socket(socket.AF_UNIX)
c.connect(t + "/sock")
c.sendall(b"hello")
print(s.accept()[0].recv(5), os.path.exists(t + "/sock"))
try:
    socket.socket(socket.AF_UNIX).bind(t + "/" + "x" * 90)
except OSError as e:
    print("too long")
f = os.open(t, os.O_TMPFILE | os.O_RDWR)
os.write(f, b"named")
os.link("/proc/self/fd/%d" % f, t + "/named", src_dir_fd=0)
print(open(t + "/named").read())
os.rename(t + "/named", t + "/other")
d = os.open(t, os.O_RDONLY)
print(sorted(os.listdir(t)), os.stat("other", dir_fd=d).st_size)
os.setxattr(t + "/other", "user.x", b"1")
print(os.getxattr(t + "/other", "user.x"), os.access(t + "/other", os.W_OK))
shutil.copy("/bin/echo", t + "/prog")
print(subprocess.run([t + "/prog", "spawned"], capture_output=True).stdout)
def work(i):
    n = "%s/thread%d" % (t, i)
    for k in range(30):
        open(n, "w").write(str(k))
        os.rename(n, n + "b")
        assert open(n + "b").read() == str(k)
        os.unlink(n + "b")
    return i
with concurrent.futures.ThreadPoolExecutor(6) as e:
    print(sum(e.map(work, range(12))))
ticks = 0
def tick(*a):
    global ticks
    ticks += 1
signal.signal(signal.SIGALRM, tick)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, .003, .003)
i = 0
while i < 200 or ticks < 4:
    work(99) if i % 50 == 0 else os.stat(t)
    i += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(sorted(os.listdir(t)))
END
	mkdir -m 700 ../t
	${bare} /usr/bin/python3 t.py "$(cd ../t && pwd -P)" >../want ||
	    atf_fail "bare"
	[ $(wc -l <../want) -eq 8 ] || atf_fail "$(cat ../want)"
	atf_check -o file:../want ${sl} -- /usr/bin/python3 t.py /tmp
}

atf_test_case tmp_real
tmp_real_head()
{
	atf_set "descr" "real programs with /tmp in their text"
	atf_set "require.progs" "cc git cmake make rsync vim npm"
	atf_set "require.files" "/usr/bin/python3"
}
tmp_real_body()
{
	default_setup
	same_tmp <<'END'
set -e
cd TMP; echo 'int main(void) { return 0; }' >x.c; cc -o x x.c; TMP/x
mkdir b; mv x.c b; echo 'cmake_minimum_required(VERSION 3.10)
project(p C)
add_executable(p x.c)' >b/CMakeLists.txt
cmake -S TMP/b -B TMP/b/build >/dev/null; make -s -C b/build >/dev/null
TMP/b/build/p; rm -r TMP/b/build
git init -q TMP/repo; cd TMP/repo; git config user.email a@b
git config user.name n; echo a >a; git add a; git commit -qm one
git clone -q TMP/repo TMP/clone; git -C TMP/clone log --format=%s
git -C TMP/clone fsck --strict; ls -A TMP/clone
/usr/bin/python3 -c 'import sqlite3
d = sqlite3.connect("TMP/db")
print(d.execute("pragma journal_mode=wal").fetchone())
d.execute("create table t(a)")
d.execute("insert into t values(1)")
d.commit()
print(d.execute("select count(*) from t").fetchone())'
vim -u NONE -es -c '%s/return/return  /' -c wq TMP/b/x.c; cat TMP/b/x.c
rsync -a TMP/b/ TMP/r/; diff -r TMP/b TMP/r; tar cf TMP/b.tar -C TMP b
tar tf TMP/b.tar | sort; tar xf TMP/b.tar -C TMP/r; ls TMP/r
mkdir TMP/l TMP/m; echo '{"name":"l","version":"1.0.0"}' >TMP/l/package.json
cd TMP/m; echo '{"name":"m","version":"1.0.0"}' >package.json
npm install --silent --no-audit --no-fund --install-links TMP/l
cat node_modules/l/package.json; ls TMP
bash -c 'cat <<<here; diff <(echo a) <(echo a); exec 3>TMP/z; cat TMP/z'
END
	# All of it, and not the first error.
	grep -qx here ../got || atf_fail "$(cat ../got)"
}

atf_test_case tmp_private cleanup
tmp_private_head()
{
	atf_set "descr" "what is in /tmp is out of reach, and stays as it is"
}
tmp_private_body()
{
	default_setup
	mark=$(mktemp -d /tmp/slt.XXXXXX)
	echo "${mark}" >../mark
	chmod 700 "${mark}"
	echo secret >"${mark}/file"
	atf_check -s exit:1 -e match:'No such file' ${sl} -- cat "${mark}/file"
	atf_check -s exit:1 -e match:'No such file' \
	    ${sl} -- cat "/tmp/../${mark}/file"
	atf_check -s exit:1 -e match:'No such file' ${sl} -e \
	    "ln -s ${mark} /tmp/l; cat /tmp/l/file"
	atf_check ${sl} -- ls /tmp
	atf_check ${sl} -e "mkdir ${mark}; echo mine >${mark}/file"
	atf_check ${sl} -- rm -rf /tmp
	atf_check -o inline:"secret\n" cat "${mark}/file"
	# Also where the supervisor makes the call.
	for quota in "" "--max-disk 1M"; do
		atf_check -o inline:"34\n" ${sl} ${quota} \
		    -- /usr/bin/python3 -c '
import os
open("/tmp/f", "w").write("abcdef")
os.symlink("f", "/tmp/l")
os.truncate("/tmp/f", 3)
print(os.stat("/tmp/f").st_size, end="")
os.truncate("/tmp/l", 4)
print(os.stat("/tmp/f").st_size)'
	done
	# Two runs have nothing in common.
	atf_check ${sl} -e 'echo one >/tmp/one'
	atf_check -s exit:2 -o ignore -e ignore ${sl} -- ls /tmp/one
	[ ! -e /tmp/one ] || atf_fail "made in /tmp"
	# Control: it can be granted, with what is below it or alone.
	atf_check -o inline:"secret\n" ${sl} -p default -r "${mark}" -- \
	    cat "${mark}/file"
	atf_check -o inline:"secret\n" ${sl} -p default -r /tmp -- \
	    cat "${mark}/file"
	# What is kept is found by whoever goes down step by step, too.
	cat >walk.py <<'END'
import os, sys
d = os.open("/", os.O_PATH)
for name in sys.argv[1].split("/")[1:]:
    d = os.open(name, os.O_PATH, dir_fd=d)
print(os.readlink("/proc/self/fd/%d" % d))
END
	atf_check -o inline:"${mark}/file\n" ${sl} -p default -r "${mark}" -- \
	    /usr/bin/python3 walk.py "${mark}/file"
	atf_check -s exit:1 -e match:FileNotFound ${sl} -- \
	    /usr/bin/python3 walk.py "${mark}/file"
	# A granted name on the way is not hidden by the workload.
	atf_check -s exit:2 -e match:'ermission denied' \
	    ${sl} -p default -r "${mark}" -e ": >${mark}/new"
	[ ! -e "${mark}/new" ] || atf_fail "made"
	# Without a branch there is TMPDIR only.
	atf_check -s exit:2 -e match:'ermission denied' \
	    ${sl} --no-workdir -e ': >/tmp/x'
	atf_check ${sl} --no-workdir -e ': >$TMPDIR/x'
}
tmp_private_cleanup()
{
	[ ! -f mark ] || rm -rf "$(cat mark)"
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case committed
	atf_add_test_case discarded
	atf_add_test_case told
	atf_add_test_case direct
	atf_add_test_case added
	atf_add_test_case nested
	atf_add_test_case places
	atf_add_test_case homeless
	atf_add_test_case other_group
	atf_add_test_case tmp
	atf_add_test_case tmp_programs
	atf_add_test_case tmp_real
	atf_add_test_case tmp_private
}
