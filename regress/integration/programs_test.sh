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

# Ordinary programs do their ordinary work under the default profile, and what
# they leave behind is what they leave without it.

c_project()
{
	mkdir -p input
	cat >input/main.c <<'END'
#include <stdio.h>
#include "twice.h"

int
main(void)
{
	printf("%d\n", twice(21));
	return (0);
}
END
	echo 'int twice(int);' >input/twice.h
	printf '#include "twice.h"\nint\ntwice(int x)\n{\n\treturn (2 * x);\n}\n' \
	    >input/twice.c
	cat >input/Makefile <<'END'
answer: main.o twice.o
	$(CC) -o answer main.o twice.o
main.o twice.o: twice.h
clean:
	rm -f answer *.o
END
}

atf_test_case make
make_head()
{
	atf_set "descr" "make with a C compiler, and what it has built runs"
	atf_set "require.progs" "make cc"
}
make_body()
{
	project
	c_project
	same_work 'make >/dev/null && ./answer'
	atf_check -o inline:"42\n" cat box.out
	same_work 'make -j2 >/dev/null && ./answer >out && make -s clean'
	same_work 'cc -O2 -o answer main.c twice.c && ./answer >out'
}

atf_test_case cmake
cmake_head()
{
	atf_set "descr" "cmake configures and builds"
	atf_set "require.progs" "cmake cc"
}
cmake_body()
{
	project
	c_project
	cat >input/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.10)
project(answer C)
add_executable(answer main.c twice.c)
END
	cp -a input box
	cd box || atf_fail "no box"
	atf_check -o ignore ${sl} -- cmake -S . -B build
	atf_check -o ignore ${sl} -- cmake --build build -j2
	atf_check -o inline:"42\n" ${sl} -- build/answer
}

atf_test_case python
python_head()
{
	atf_set "descr" "python3: threads, subprocesses, temporary files"
	atf_set "require.files" "/usr/bin/python3"
}
python_body()
{
	project
	cat >t.py <<'END'
import concurrent.futures, os, shutil, subprocess, tempfile, threading

done = []
threads = [threading.Thread(target=done.append, args=(i,)) for i in range(50)]
for t in threads: t.start()
for t in threads: t.join()
assert len(done) == 50

r = subprocess.run(['cat'], input=b'x' * 100000, capture_output=True)
assert r.stdout == b'x' * 100000 and r.returncode == 0
assert subprocess.call('exit 7', shell=True) == 7
assert subprocess.check_output(['sh', '-c', 'echo $PPID']) == \
    b'%d\n' % os.getpid()
p = subprocess.Popen(['sleep', '100'], start_new_session=True)
p.terminate()
assert p.wait() == -15

with tempfile.TemporaryFile() as f:
    f.write(b'x')
with tempfile.NamedTemporaryFile() as f:
    os.fchmod(f.fileno(), 0o644)
    assert os.path.dirname(f.name) == os.environ['TMPDIR']
with tempfile.TemporaryDirectory() as d:
    open(d + '/a', 'w').close()
    shutil.copytree(d, d + '/copy')
    shutil.copy2(d + '/a', d + '/b')
with concurrent.futures.ThreadPoolExecutor(8) as e:
    assert sum(e.map(abs, range(-9, 0))) == 45
END
	atf_check ${sl} -- /usr/bin/python3 t.py
	atf_check -o inline:"3\n" ${sl} -- /usr/bin/python3 -c 'print(1 + 2)'
}

atf_test_case multiprocessing
multiprocessing_head()
{
	atf_set "descr" "python3 multiprocessing: pools, queues, every start"
	atf_set "require.files" "/usr/bin/python3"
}
multiprocessing_body()
{
	project
	cat >t.py <<'END'
import multiprocessing

def square(x):
    return x * x

if __name__ == '__main__':
    for how in 'fork', 'spawn', 'forkserver':
        c = multiprocessing.get_context(how)
        with c.Pool(2) as pool:
            assert pool.map(square, range(5)) == [0, 1, 4, 9, 16]
        q = c.Queue()
        p = c.Process(target=q.put, args=(5,))
        p.start()
        assert q.get() == 5
        p.join()
        assert p.exitcode == 0
END
	atf_check ${sl} -p default -w /dev/shm -- /usr/bin/python3 t.py
	# Processes and pipes need none of that.
	cat >pipe.py <<'END'
import multiprocessing
a, b = multiprocessing.Pipe()
p = multiprocessing.Process(target=b.send, args=('x',))
p.start()
assert a.recv() == 'x'
p.join()
END
	atf_check ${sl} -- /usr/bin/python3 pipe.py
	atf_expect_fail "semaphores are files in /dev/shm, which is not granted"
	atf_check ${sl} -- /usr/bin/python3 t.py
}

atf_test_case sqlite
sqlite_head()
{
	atf_set "descr" "sqlite with a write-ahead log and two processes"
	atf_set "require.files" "/usr/bin/python3"
}
sqlite_body()
{
	project
	cat >t.py <<'END'
import os, sqlite3
c = sqlite3.connect('db')
assert c.execute('pragma journal_mode=wal').fetchone()[0] == 'wal'
c.execute('create table t(a)')
c.executemany('insert into t values(?)', [(i,) for i in range(100)])
c.commit()
if os.fork() == 0:
    d = sqlite3.connect('db')
    d.execute('insert into t values(7)')
    d.commit()
    assert d.execute('select count(*) from t').fetchone()[0] == 101
    d.close()
    os._exit(0)
assert os.wait()[1] == 0
assert c.execute('select count(*) from t').fetchone()[0] == 101
END
	atf_check ${sl} -- /usr/bin/python3 t.py
	atf_check -o inline:"101\n" /usr/bin/python3 -c \
	    'import sqlite3; print(sqlite3.connect("db").execute("select count(*) from t").fetchone()[0])'
}

atf_test_case git
git_head()
{
	atf_set "descr" "git: init, add, commit, status, clone, branches, gc"
	atf_set "require.progs" "git"
}
git_body()
{
	project
	same_work '
	set -e
	export GIT_AUTHOR_DATE="@1000000000 +0000"
	export GIT_COMMITTER_DATE="@1000000000 +0000"
	g="git -c user.name=a -c user.email=a@example.com -c gc.auto=0"
	$g init -q -b main repo
	cd repo
	mkdir dir
	echo one >dir/file
	ln -s dir/file link
	chmod 755 dir/file
	$g add .
	$g commit -q -m one
	$g checkout -q -b topic
	echo two >>dir/file
	$g commit -q -a -m two
	$g checkout -q main
	$g merge -q --no-ff -m merge topic
	$g mv dir/file moved
	$g stash -q
	test -z "$($g status --porcelain)"
	cd ..
	git clone -q repo clone
	git -C clone log --format=%s | sort >log
	# Times of the index differ.
	rm -rf repo/.git/index clone/.git/index repo/.git/logs clone/.git/logs
	sed -i /url/d clone/.git/config
	'
	atf_check -o inline:"merge\none\ntwo\n" cat box/log
}

atf_test_case node
node_head()
{
	atf_set "descr" "node: files, children, workers; a script by npm"
	atf_set "require.progs" "node npm"
}
node_body()
{
	project
	cat >t.js <<'END'
const fs = require('fs');
const cp = require('child_process');
const { Worker } = require('worker_threads');
fs.writeFileSync('out', 'x');
fs.chmodSync('out', 0o600);
fs.utimesSync('out', 1000000000.5, 1000000000.5);
fs.cpSync('out', 'copy', { preserveTimestamps: true });
if (cp.execSync('echo hi').toString() !== 'hi\n') process.exit(1);
if (cp.spawnSync('cat', { input: 'in' }).stdout.toString() !== 'in')
	process.exit(2);
const w = new Worker('require("worker_threads").parentPort.postMessage(42)',
    { eval: true });
w.on('message', m => { if (m !== 42) process.exit(3); console.log('done'); });
END
	atf_check -o inline:"done\n" ${sl} -- node t.js
	atf_check -o inline:"600 1000000000\n600 1000000000\n" \
	    stat -c '%a %Y' out copy
	atf_check -o inline:"42\n" ${sl} -- node -e 'console.log(42)'
	mkdir package
	cat >package/package.json <<'END'
{ "name": "x", "version": "1.0.0",
  "scripts": { "answer": "node -e 'console.log(42)' >answer" } }
END
	atf_check -o ignore ${sl} -- npm --prefix package run answer
	atf_check -o inline:"42\n" cat package/answer
}

# Every kind of file that an ordinary user can make.
zoo()
{
	mkdir -p input/dir/sub
	echo one >input/dir/file
	echo two >input/dir/sub/file
	chmod 640 input/dir/file
	chmod 4755 input/dir/sub/file
	ln -s dir/file input/link
	ln -s missing input/dangling
	ln input/dir/file input/hard
	mkfifo input/fifo
	truncate -s 1M input/sparse
	: >input/empty
	mkdir input/mode
	chmod 2751 input/mode
	/usr/bin/python3 -c 'import os
os.setxattr("input/dir/file", "user.color", b"blue")
os.setxattr("input/dir", "user.color", b"red")'
	touch -h -d '2001-02-03 04:05:06.123456789' input/link
	find input -depth ! -type l -exec \
	    touch -d '2002-03-04 05:06:07.987654321' {} +
}

atf_test_case copies
copies_head()
{
	atf_set "descr" "tar, cp and rsync keep modes, times, links, xattrs"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "rsync"
}
copies_body()
{
	project
	zoo
	same_work -t '
	set -e
	mkdir t
	tar --xattrs -cf - dir link dangling hard fifo sparse empty mode |
	    tar --xattrs -xpf - -C t
	touch -d "2002-03-04 05:06:07" t
	'
	same_work -t 'mkdir c && cp -a dir link dangling hard fifo sparse \
	    empty mode c && touch -r dir c'
	atf_check -o inline:"98765432\n" /usr/bin/python3 -c \
	    'import os; print(os.lstat("box/c/dir/file").st_mtime_ns // 10 % 100000000)'
	same_work 'install -m 4711 dir/file inst && cp --preserve=all \
	    dir/file p && mv dir/sub/file moved && mv dir d2 && ln hard h3 &&
	    chmod -R go-rwx d2 && touch -d @5 empty'
	same_work -t 'rsync -aHX dir link hard mode r/ && touch -r dir r'
}

atf_test_case editors
editors_head()
{
	atf_set "descr" "sed -i, perl -i, vim -es, patch"
	atf_set "require.progs" "perl patch diff vim"
}
editors_body()
{
	project
	mkdir input
	printf 'a\nb\nc\n' >input/file
	chmod 664 input/file
	same_work 'sed -i s/b/x/ file'
	same_work 'perl -pi -e "s/b/x/" file'
	same_work 'sed s/b/x/ file >new; diff -u file new >p; patch -s file p;
	    sed -i 1,2d p'
	same_work 'vim -u NONE -es -c "%s/b/x/" -c wq file'
	atf_check -o inline:"a\nx\nc\n" cat box/file
}

atf_test_case bash
bash_head()
{
	atf_set "descr" "bash: pipes, here-documents, substitution, jobs"
	atf_set "require.progs" "bash"
}
bash_body()
{
	project
	cat >t.sh <<'END'
set -eu
[ "$(cat <<X | tr a-z A-Z
here
X
)" = HERE ]
diff <(echo a) <(echo a)
echo out > >(cat >substituted)
set -m
sleep 100 &
kill -STOP %1
until [ "$(ps -o stat= -p $! | cut -c 1)" = T ]; do :; done
kill -CONT %1
kill %1
if wait %1; then exit 1; fi
set +m
sleep 0 | true | cat
exec 3<>/dev/null
echo x >&3
coproc cat
echo hi >&"${COPROC[1]}"
read -r -u "${COPROC[0]}" line
[ "$line" = hi ]
kill "$COPROC_PID"
got=
trap 'got=1' USR1
kill -USR1 $$
[ "$got" = 1 ]
(exit 3) || [ $? -eq 3 ]
[ "$(ulimit -n)" -gt 2 ]
umask 077
mkdir private
[ "$(stat -c %a private)" = 700 ]
for i in 1 2 3; do (echo $i >>numbers) & done
wait
[ "$(wc -l <numbers)" -eq 3 ]
END
	atf_check -e ignore bash t.sh
	rm -r private numbers substituted
	# Only bash's notice of the job that was killed.
	atf_check -e ignore ${sl} -- bash t.sh
	atf_check -o inline:"out\n" cat substituted
	atf_check -o inline:"a b\n" ${sl} -e 'echo a   b'
}

atf_test_case status
status_head()
{
	atf_set "descr" "programs that look at the machine"
	atf_set "require.progs" "ps top df perl awk"
}
status_body()
{
	project
	atf_check -o match:"ps$" ${sl} -- ps
	atf_check -o match:"COMMAND" ${sl} -- ps aux
	atf_check -o match:"load average" ${sl} -- top -bn1
	atf_check -o match:"Filesystem" ${sl} -- df .
	atf_check -o inline:"$(id -u):$(id -g)\n" \
	    ${sl} -e 'echo $(id -u):$(id -g)'
	atf_check -o match:"^Mem" ${sl} -- free
	atf_check -o inline:"$(nproc)\n" ${sl} -- nproc
	atf_check -o inline:"hi\n" ${sl} -- perl -e 'print `echo hi`;
	    my $p = fork; exit 3 if !$p; waitpid $p, 0; exit($? >> 8 != 3)'
	atf_check -o inline:"3 x\n" ${sl} -- awk \
	    'BEGIN { "echo x" | getline x; print 1 + 2, x }'
	atf_check -o match:"$(uname -r)" ${sl} -- uname -a
	atf_check -o inline:"$(pwd)\n" ${sl} -- pwd
}

atf_test_case private
private_head()
{
	atf_set "descr" "HOME and TMPDIR are private, empty and removed"
}
private_body()
{
	project
	echo secret >"${HOME}/secret"
	chmod 644 "${HOME}/secret"
	atf_check -o save:dirs ${sl} -e \
	    'ls -A "$HOME" "$TMPDIR" | grep . | grep -v :$ | grep -v "^/";
	    echo x >$HOME/x && echo y >$TMPDIR/y && cd && pwd -P &&
	    cd "$TMPDIR" && pwd -P'
	[ "$(wc -l <dirs)" -eq 2 ] || atf_fail "not empty: $(cat dirs)"
	while read -r dir; do
		[ ! -e "${dir}" ] || atf_fail "${dir} is still there"
		case ${dir} in
		*sandlock*)
			[ ! -e "$(dirname "${dir}")" ] ||
			    atf_fail "$(dirname "${dir}") is still there" ;;
		*)
			atf_fail "${dir}" ;;
		esac
	done <dirs
	# Also what is hard to remove, and after a death by a signal.
	atf_check -s exit:137 -o save:dirs ${sl} -e 'cd $TMPDIR && pwd -P &&
	    mkdir -p a/b/c && echo x >a/b/c/f && chmod 0 a/b/c a/b a &&
	    mkfifo p && ln -s / l && kill -KILL $$'
	[ ! -e "$(cat dirs)" ] || atf_fail "$(cat dirs) is still there"
	# The user's own is not there, and is with a grant.
	atf_check -s exit:1 -e match:"Permission denied" \
	    ${sl} -- cat "${HOME}/secret"
	atf_check -o inline:"secret\n" \
	    ${sl} -p default -r "${HOME}/secret" -- cat "${HOME}/secret"
}

atf_test_case outside
outside_head()
{
	atf_set "descr" "nothing outside of the project changes"
}
outside_body()
{
	project
	mkdir ../other
	echo x >../other/file
	chmod 666 ../other/file
	touch -d @1000000000 ../other/file ../other
	before=$(stat -c '%a %y %z %s %h' ../other ../other/file)
	for try in 'echo y >>../other/file' 'echo y >../other/new' \
	    'rm ../other/file' 'mv ../other/file ../other/f2' \
	    'ln -s x ../other/l' 'mkdir ../other/d' 'ln ../other/file h' \
	    'chmod 600 ../other/file' 'chmod 700 ../other' \
	    'touch ../other/file' 'truncate -s 0 ../other/file' \
	    'mkfifo ../other/p' 'cat ../other/file' 'ls ../other' \
	    'mv ../other .' 'cp t.sh ../other/t.sh'; do
		echo "${try}" >t.sh
		${sl} -e "${try}" >out 2>err &&
		    atf_fail "made: ${try}"
		grep -Eq 'ermission denied|not permitted|cross-device' err ||
		    atf_fail "${try}: $(head -n 1 err)"
	done
	[ "${before}" = "$(stat -c '%a %y %z %s %h' ../other ../other/file)" ] ||
	    atf_fail "changed"
	atf_check -o inline:"file\n" ls ../other
	# The control.
	for try in 'chmod 600 ../other/file' 'touch ../other/file' \
	    'mv ../other/file ../other/f2' 'echo y >../other/f2'; do
		atf_check ${sl} -p default -w ../other -e "${try}"
	done
	atf_check -o inline:"y\n" cat ../other/f2
}

atf_test_case devices
devices_head()
{
	atf_set "descr" "the metadata of the host's devices do not change"
}
devices_body()
{
	project
	before=$(stat -c '%a %u %g %y' /dev/full /dev/zero /dev/random)
	for try in 'chmod 666 /dev/full' 'chmod 666 /dev/zero' \
	    'chown 0 /dev/full' 'chmod 666 /dev/random'; do
		${sl} -e "${try}" 2>err && atf_fail "made: ${try}"
		grep -q 'not permitted' err || atf_fail "${try}: $(head -n 1 err)"
	done
	[ "${before}" = "$(stat -c '%a %u %g %y' /dev/full /dev/zero \
	    /dev/random)" ] || atf_fail "changed"
	atf_check ${sl} -e 'echo x >/dev/null && head -c 9 /dev/zero >f'
}

atf_test_case guards
guards_head()
{
	atf_set "descr" "the default profile refuses HOME, above it, and /"
}
guards_body()
{
	project
	cd "${HOME}" || atf_fail "no HOME"
	atf_check -s exit:125 -e match:"whole home directory" ${sl} -- true
	cd .. || atf_fail "no parent"
	atf_check -s exit:125 -e match:"whole home directory" ${sl} -- true
	cd / || atf_fail "no /"
	atf_check -s exit:125 -e match:"every file" ${sl} -- true
	cd "${HOME}/../project" || atf_fail "no project"
	atf_check ${sl} -- true
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case make
	atf_add_test_case cmake
	atf_add_test_case python
	atf_add_test_case multiprocessing
	atf_add_test_case sqlite
	atf_add_test_case git
	atf_add_test_case node
	atf_add_test_case copies
	atf_add_test_case editors
	atf_add_test_case bash
	atf_add_test_case status
	atf_add_test_case private
	atf_add_test_case outside
	atf_add_test_case devices
	atf_add_test_case guards
}
