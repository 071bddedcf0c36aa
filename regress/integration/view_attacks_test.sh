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


# Attacks on the merged working directory of --fs-isolation seccomp.  Each is
# made bare, where it has to succeed (the control), and inside.  The directory
# must be as before, to the nanosecond, whatever was tried.

view_setup()
{
	HOME=$(pwd)/home
	TMPDIR=$(pwd)/tmp
	export HOME TMPDIR
	unset XDG_STATE_HOME
	umask 022
	mkdir -m 700 home
	mkdir tmp wd
	cow="${box} --unveil /dev/urandom:r -r /proc --workdir wd --cwd wd"
	cow="${cow} --env TMPDIR=${TMPDIR} -w ${TMPDIR}"
	attack=$(helper view_attacks)
	fill wd
}

fill()
{
	mkdir -p "$1/dir/sub"
	echo one >"$1/file"
	echo old >"$1/dir/old"
	ln "$1/file" "$1/dir/hard"
	mkfifo "$1/fifo"
	touch -d '2001-02-03 04:05:06.123456789' "$1/file" "$1/dir/old"
}

# Nothing has reached the directory since tree_before.
tree_before()
{
	/usr/bin/python3 "$(helper tree.py)" -t wd >before
}

tree_same()
{
	atf_check -o file:before /usr/bin/python3 "$(helper tree.py)" -t wd
}

atf_test_case forge
forge_head()
{
	atf_set "descr" "a branch is described by nobody but cowd"
	atf_set "require.files" "/usr/bin/python3"
}
forge_body()
{
	view_setup
	# Bare they are attributes like all others, if one may set them.
	mkdir bare
	(cd bare && "${attack}" forge) >bare.out || atf_fail "bare"
	atf_check -o match:"sandlock: ok" -o match:"harmless: ok" cat bare.out
	tree_before
	atf_check -o match:"overlay.sandlock: EPERM" \
	    -o match:"overlay.origin: EPERM" \
	    -o match:"overlay.redirect: EPERM" \
	    -o match:"overlay.opaque: EPERM" \
	    -o match:"sandlock.0:1-2: EPERM" \
	    -o match:"harmless: ok" -o match:"mode 644" \
	    ${cow} --on-exit abort -- "${attack}" forge
	tree_same
	atf_check -o ignore ${cow} --on-exit commit -- "${attack}" forge
	atf_check -o inline:"644\n" stat -c %a wd/forged
}

atf_test_case flags
flags_head()
{
	atf_set "descr" "flags of open: as bare, and no worker falls over one"
	atf_set "require.files" "/usr/bin/python3"
}
flags_body()
{
	view_setup
	cp -a wd bare
	(cd bare && ${bare} "${attack}" flags) >bare.out || atf_fail "bare"
	[ "$(grep -c ": ok" bare.out)" -gt 500 ] || atf_fail "too few"
	tree_before
	atf_check -o file:bare.out ${cow} --on-exit abort -- "${attack}" flags
	tree_same
}

# Where a directory that is too deep for a name lies once one above was renamed.
atf_test_case deep_moved
deep_moved_body()
{
	mkdir -m 700 home
	mkdir bare wd
	HOME=$(pwd)/home
	export HOME
	cat >deep.py <<'END'
import ctypes, os, sys
name = "n" * 200
top = os.open(".", os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
def go(first, make):
    os.fchdir(top)
    for n in [first] + [name] * 24:
        if make:
            os.mkdir(n)
        os.chdir(n)
    return os.open(".", os.O_RDONLY)
def show(what):
    for first in "abc":
        try:
            go(first, False)
            print(what, first, sorted(os.listdir(".")))
        except FileNotFoundError:
            print(what, first, "is not there")
def write(fd, text):
    os.fchdir(fd)
    open(text, "w").write(text)
one = go("a", True)
write(one, "1")
os.fchdir(top)
os.rename("a", "b")
two = go("a", True)
write(one, "2")
write(two, "3")
show("renamed")
os.fchdir(top)
if libc.renameat2(-100, b"a", -100, b"b", 2) == -1:
    sys.exit("exchange")
write(one, "4")
write(two, "5")
show("exchanged")
os.fchdir(top)
os.mkdir("c")
os.rename("b", "c")
write(two, "6")
show("in place")
END
	(cd bare && /usr/bin/python3 ../deep.py) >expected || atf_fail "bare"
	atf_check -o file:expected ${box} -r deep.py --workdir wd --cwd wd \
	    --fs-isolation seccomp --on-exit abort --on-error abort -- \
	    /usr/bin/python3 ../deep.py
	[ -z "$(ls -A wd)" ] || atf_fail "wd: $(ls -A wd)"
}

atf_test_case fifo
fifo_head()
{
	atf_set "descr" "a FIFO leads to nobody outside"
	atf_set "require.files" "/usr/bin/python3"
}
fifo_body()
{
	view_setup
	tree_before
	# The reader outside; it has to hear of nothing but the control.
	timeout 60 cat wd/fifo >heard &
	for how in 'echo rw 1<>fifo >&1' 'timeout 1 sh -c "echo w >fifo"' \
	    'chmod 600 fifo; echo rw 1<>fifo >&1'; do
		${cow} --on-exit abort -- sh -c "${how}" >/dev/null 2>&1
	done
	# Two inside do meet, when one of them has changed something.
	atf_check -o inline:"inside\n" ${cow} --on-exit abort -- sh -c \
	    'cat fifo >out & echo inside >fifo; wait; cat out'
	atf_check -o inline:"again\n" ${cow} --on-exit abort -- sh -c \
	    ': >new; (echo again >fifo) & cat fifo; wait'
	# A FIFO of the host that is granted as such is another matter.
	tree_same
	echo control >wd/fifo
	wait
	atf_check -o inline:"control\n" cat heard
}

# The same program bare and inside, which see the same.
same_program()
{
	cat >tmp/program.py
	rm -rf bare
	cp -a wd bare
	(cd bare && ${bare} /usr/bin/python3 "${TMPDIR}/program.py") \
	    >bare.out 2>&1 || atf_fail "bare: $(cat bare.out)"
	[ -s bare.out ] || atf_fail "nothing was done"
	tree_before
	atf_check -o file:bare.out ${cow} --on-exit abort -- \
	    /usr/bin/python3 "${TMPDIR}/program.py"
	tree_same
}

# As wait_for, for what takes long.
wait_for_long()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ ${tries} -le 2000 ] || atf_fail "waited in vain: $*"
		sleep 0.05
	done
}

# Of the supervisor of a run, in kB: what is not shared with a file.
supervisor_memory()
{
	for p in $(cat /proc/"$1"/task/*/children); do
		[ "$(cat /proc/"${p}"/comm)" != supervisor ] ||
		    sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' \
		    /proc/"${p}"/status
	done
}

atf_test_case pipes
pipes_head()
{
	atf_set "descr" "who waits for a reader keeps nobody waiting"
}
pipes_body()
{
	view_setup
	# The control: two are no crowd.
	for n in 2 1000; do
		atf_check -o match:'^served' timeout 60 ${cow} \
		    --on-exit abort -- "${attack}" pipes ${n}
	done
}

atf_test_case moved
moved_head()
{
	atf_set "descr" "who is in a directory stays in it, whatever its name"
	atf_set "require.files" "/usr/bin/python3"
}
moved_body()
{
	view_setup
	for d in one two three four; do
		mkdir -p "wd/${d}/sub"
		echo "${d}" >"wd/${d}/${d}"
	done
	mkdir wd/void wd/gone
	same_program <<'END'
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)

def exchange(a, b):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), 2) == -1:
        raise OSError(ctypes.get_errno(), a)

def here(fd, name):
    """Make a name by a descriptor; what that directory has then."""
    try:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    except OSError as e:
        print(name, e.errno)
    print(name, sorted(os.listdir(fd)))

one, two, three, four, sub, void, gone = (os.open(d, os.O_RDONLY) for d in
    ("one", "two", "three", "four", "three/sub", "void", "gone"))
# A directory and a file of the branch change places with those of lower.
os.mkdir("new")
open("new/new", "w").close()
exchange("new", "one")
here(one, "a")
exchange("file", "two")
here(two, "b")
exchange("three", "four")
here(three, "c")
here(four, "d")
# There and back, and along with one of the branch.
os.mkdir("up")
os.rename("four", "up/down")
os.rename("up", "away")
here(three, "e")
here(sub, "f")
os.rename("away/down/sub", "sub")
os.rename("away", "up")
here(sub, "g")
os.rename("up/down", "four")
os.rename("sub", "four/sub")
here(sub, "h")
here(three, "i")
# One that is gone is not the one that has its name by then.
os.rmdir("gone")
os.mkdir("gone")
here(gone, "j")
os.mkdir("fresh")
os.rename("fresh", "void")
here(void, "k")
os.fchdir(void)
try:
    print(os.getcwd())
except OSError as e:
    print(e.errno)
os.fchdir(sub)
print(os.getcwd().split("/")[-2:])
for top, dirs, files in os.walk("../.."):
    dirs.sort()
    print(top, sorted(files))
END
}

atf_test_case moved_programs
moved_programs_head()
{
	atf_set "descr" "programs and directories below a directory that moved"
	atf_set "require.files" "/usr/bin/python3"
}
moved_programs_body()
{
	view_setup
	mkdir -p wd/bin wd/x/sub wd/y/sub
	cp /bin/echo wd/bin
	: >wd/x/sub/1
	: >wd/y/sub/2
	same_program <<'END'
import ctypes, os, subprocess

def run(*args, **kwargs):
    try:
        print(subprocess.run(args, capture_output=True, **kwargs).stdout)
    except OSError as e:
        print(args, e.errno)

os.rename("bin", "nib")
run("nib/echo", "one")
run("./echo", "two", cwd="nib")
run("bin/echo", "three")
# Another program has the name that this one had.
os.mkdir("bin")
with open("bin/echo", "w") as f:
    f.write("#! /bin/sh\necho other\n")
os.chmod("bin/echo", 0o755)
run("nib/echo", "four")
run("bin/echo", "five")
fd = os.open("nib/echo", os.O_PATH)
print(os.fstat(fd).st_size > 1000)
# Two that were merged change places.
open("x/sub/new", "w").close()
ctypes.CDLL(None).renameat2(-100, b"x", -100, b"y", 2)
for d in "x/sub", "y/sub":
    print(d, sorted(os.listdir(d)))
    os.chdir(d)
    print(sorted(os.listdir(".")), os.getcwd().split("/")[-2:])
    os.chdir("../..")
# By a descriptor's name in /proc.
fd = os.open("nib", os.O_RDONLY)
os.rename("nib", "bni")
print(os.path.exists("/proc/self/fd/%d/echo" % fd))
run("/proc/self/fd/%d/echo" % fd, "six", pass_fds=(fd,))
os.close(os.open("/proc/self/fd/%d/made" % fd, os.O_CREAT | os.O_RDWR))
print(sorted(os.listdir("bni")), sorted(os.listdir("bin")))
END
}

atf_test_case renames cleanup
renames_head()
{
	atf_set "descr" "who renames all day takes no more memory"
	atf_set "require.files" "/usr/bin/python3"
}
renames_body()
{
	view_setup
	cat >tmp/program.py <<'END'
import os, sys, time

def renames(name):
    for i in range(2000):
        os.rename("dir", "rid")
        os.rename("rid", "dir")
    open(os.path.join(sys.argv[1], name), "w").close()

renames("half")
while os.path.exists(os.path.join(sys.argv[1], "half")):
    time.sleep(.02)
renames("full")
while os.path.exists(os.path.join(sys.argv[1], "full")):
    time.sleep(.02)
END
	${cow} --on-exit abort -- /usr/bin/python3 "${TMPDIR}/program.py" \
	    "${TMPDIR}" &
	pid=$!
	echo ${pid} >pids
	wait_for_long test -f tmp/half
	half=$(supervisor_memory ${pid})
	rm tmp/half
	wait_for_long test -f tmp/full
	full=$(supervisor_memory ${pid})
	rm tmp/full
	wait ${pid} || atf_fail "the run failed"
	[ "${half}" -gt 100 ] || atf_fail "no supervisor: ${half}"
	[ $((full - half)) -lt 200 ] || atf_fail "${half} kB, then ${full} kB"
}
renames_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case marks cleanup
marks_head()
{
	atf_set "descr" "long names are not remembered without an end"
}
marks_body()
{
	view_setup
	${cow} --on-exit abort -- "${attack}" marks 18000 "${TMPDIR}/done" \
	    >out &
	pid=$!
	echo ${pid} >pids
	wait_for_long test -f tmp/done
	memory=$(supervisor_memory ${pid})
	rm tmp/done
	wait ${pid} || atf_fail "the run failed"
	atf_check -o inline:"18000 missing\n" cat out
	[ "${memory}" -gt 10000 ] || atf_fail "nothing was noted: ${memory}"
	[ "${memory}" -lt 50000 ] || atf_fail "${memory} kB"
}
marks_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case listings cleanup
listings_head()
{
	atf_set "descr" "many listings: right ones, and in bounded memory"
	atf_set "require.files" "/usr/bin/python3"
}
listings_body()
{
	view_setup
	mkdir wd/many
	(cd wd/many && /usr/bin/python3 -c '
for i in range(2000):
    open("name-%06d-%0200d" % (i, i), "w").close()')
	tree_before
	# The control.
	cp -a wd bare
	atf_check -o inline:"2003 of 2003\n" sh -c \
	    "cd bare && exec '${attack}' listings 300"
	# One is read on while others push its place out.
	for n in 0 300; do
		atf_check -o inline:"2003 of 2003\n" ${cow} --on-exit abort \
		    -- "${attack}" listings ${n}
	done
	${cow} --on-exit abort -- "${attack}" listings 300 \
	    "${TMPDIR}/done" >out &
	pid=$!
	echo ${pid} >pids
	wait_for_long test -f tmp/done
	memory=$(supervisor_memory ${pid})
	rm tmp/done
	wait ${pid} || atf_fail "the run failed"
	[ "${memory}" -gt 1000 ] || atf_fail "no supervisor: ${memory}"
	[ "${memory}" -lt 100000 ] || atf_fail "${memory} kB"
	tree_same
}
listings_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

# Many calls bare and inside, in trees that are there already; less the lines
# that a pattern matches.
same_calls()
{
	for d in bare wd; do
		rm -rf "${d}"
		mkdir "${d}"
		(cd "${d}" && "$(helper calls)" tree) || atf_fail "no tree"
	done
	tree_before
	(cd bare && ${bare} "$(helper calls)" "$@") >bare.out ||
	    atf_fail "bare"
	${cow} --unveil /dev:r --on-exit abort -- "$(helper calls)" "$@" \
	    >box.out || atf_fail "box"
	tree_same
	[ "$(wc -l <bare.out)" -gt 2500 ] || atf_fail "too few calls"
	[ "$(grep -c ': ok$' bare.out)" -gt 500 ] ||
	    atf_fail "too few calls succeed"
}

atf_test_case same_names
same_names_head()
{
	atf_set "descr" "some 2,600 calls on names answer as bare"
	atf_set "require.files" "/usr/bin/python3"
}
same_names_body()
{
	view_setup
	same_calls names
	# The links of /proc are not granted for changes, and of two errors
	# the kernel may see the other one first.
	sed -i -E \
	    -e '/^(rmdir|rename itself|link over|link|linkat follow) (proc\/self\/fd|proc\/thread-self\/fd|dev\/fd)/d' \
	    -e '/^(open create directory|open nameless read) (name over|[45][0-9]|null|one|minus one|kernel|non-)/d' \
	    -e '/^truncate negative (name over|[45][0-9]|null|one|minus one|kernel|non-|empty)/d' \
	    -e '/^unlinkat flags /d' -e '/^rename back 256/d' \
	    bare.out box.out
	atf_check -o file:bare.out cat box.out
}

atf_test_case same_metadata
same_metadata_head()
{
	atf_set "descr" "some 6,000 calls on metadata answer as bare"
	atf_set "require.files" "/usr/bin/python3"
}
same_metadata_body()
{
	view_setup
	same_calls metadata
	sed -i -E \
	    -e '/ nofollow (proc\/self\/fd|proc\/thread-self\/fd|dev\/fd)/d' \
	    -e '/^lchown (proc\/self\/fd|proc\/thread-self\/fd|dev\/fd) ?/d' \
	    -e '/^lchown of \/proc\/self\/fd/d' \
	    -e '/^chmod of \/proc\/self\/fd (deleted|memfd|tmpfile|pipe)/d' \
	    -e '/^chmod of \/proc\/self\/fd path link/d' \
	    -e '/^chmod removed working directory/d' bare.out box.out
	atf_check -o file:bare.out cat box.out
}

atf_test_case core
core_head()
{
	atf_set "descr" "the core of a program that dies stays away"
	atf_set "require.files" "/usr/bin/python3"
}
core_body()
{
	view_setup
	case $(cat /proc/sys/kernel/core_pattern) in
	[\|/]*) atf_skip "cores are not written where a program is" ;;
	esac
	die='ulimit -c unlimited; sh -c "kill -SEGV \$\$"; :'
	tree_before
	mkdir bare
	(cd bare && sh -c "${die}") >/dev/null 2>&1
	[ -n "$(ls bare)" ] || atf_skip "no core is written here"
	atf_check -e ignore ${cow} --on-exit abort -- sh -c "${die}"
	atf_check -e ignore ${cow} --on-exit abort -- sh -c \
	    ": >new; mkdir d; cd dir; ${die}; cd ../d; ${die}"
	tree_same
	[ -z "$(find tmp -name 'core*')" ] || atf_fail "a core in TMPDIR"
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case forge
	atf_add_test_case flags
	atf_add_test_case fifo
	atf_add_test_case deep_moved
	atf_add_test_case pipes
	atf_add_test_case moved
	atf_add_test_case moved_programs
	atf_add_test_case renames
	atf_add_test_case marks
	atf_add_test_case listings
	atf_add_test_case same_names
	atf_add_test_case same_metadata
	atf_add_test_case core
}
