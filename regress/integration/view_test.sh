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

# A copy-on-write working directory, from the run to the commit: the same work

# The merged working directory without a mount: programs see the branch over
# the directory, exactly as they would see a directory of their own.  The same
# work is done bare and boxed; its output, its errors and the tree that it saw
# at its end are compared, and nothing of it reaches the directory itself.

view_setup()
{
	HOME=$(pwd)/home
	TMPDIR=$(pwd)/tmp
	export HOME TMPDIR
	unset XDG_STATE_HOME
	umask 022
	mkdir -m 700 home
	mkdir tmp bare wd
	cow="${box} --unveil /dev/urandom:r -r /proc --workdir wd --cwd wd"
	cow="${cow} --env TMPDIR=${TMPDIR} -w ${TMPDIR} --on-exit abort"
}

# A directory with something of everything.
fill()
{
	mkdir -p "$1/dir/sub" "$1/gone/deep/er" "$1/swap" "$1/empty"
	echo one >"$1/file"
	echo old >"$1/dir/old"
	echo sub >"$1/dir/sub/file"
	echo x >"$1/gone/deep/er/x"
	echo swap >"$1/swap/inside"
	ln -s file "$1/link"
	ln -s dir/sub "$1/dlink"
	ln -s /nowhere/at/all "$1/dangling"
	mkfifo "$1/fifo"
	printf '#! /bin/sh\necho ran\n' >"$1/script"
	chmod 750 "$1/script"
	chmod 600 "$1/dir/old"
	touch -d '2001-02-03 04:05:06.123456789' "$1/file" "$1/dir/old"
	ln "$1/file" "$1/dir/hard"
}

# Do the work of standard input in both, and compare.
same_view()
{
	cat >work.sh
	printf '%s\n' "status=\$?" \
	    "/usr/bin/python3 $(helper tree.py) . >\$TMPDIR/tree" \
	    'exit $status' >end.sh
	cat work.sh end.sh >tmp/work.sh
	rm -rf bare wd
	mkdir bare wd
	fill bare
	fill wd
	/usr/bin/python3 "$(helper tree.py)" -t wd >before
	(cd bare && ${bare} sh "${TMPDIR}/work.sh") >bare.out 2>bare.err \
	    </dev/null
	echo $? >>bare.out
	mv tmp/tree bare.tree || atf_fail "nothing was done: $(cat bare.err)"
	${cow} -- sh "${TMPDIR}/work.sh" >box.out 2>box.err </dev/null
	echo $? >>box.out
	sed "s|$(pwd)/bare|DIR|g" bare.out >want.out
	sed "s|$(pwd)/bare|DIR|g" bare.err >want.err
	sed "s|$(pwd)/wd|DIR|g" box.out >got.out
	sed "s|$(pwd)/wd|DIR|g" box.err >got.err
	atf_check -o file:want.err cat got.err
	atf_check -o file:want.out cat got.out
	atf_check -o file:bare.tree cat tmp/tree
	atf_check -o file:before \
	    /usr/bin/python3 "$(helper tree.py)" -t wd
}

atf_test_case names
names_head()
{
	atf_set "descr" "making, removing, renaming, linking"
	atf_set "require.files" "/usr/bin/python3"
}
names_body()
{
	view_setup
	same_view <<'END'
cat file; ls; ls -a dir; stat -c '%n %s %a %h %F' file dir dir/sub link
echo two >>file; cat file link dir/hard; stat -c '%h %s' file dir/hard
rm -r gone; ls; ls gone; mkdir gone; ls gone; touch gone/a; ls gone
ln -sf file2 link; readlink link; rm dangling; mkdir dangling
readlink -f dlink/file; realpath dlink; ln file h3; echo b >>dir/hard
cat file h3; stat -c %h file
mv link l2; mv -n file dir/old; mv swap/inside swap/in2; ls swap
rmdir dir; rmdir swap; rm dir; unlink nosuch; cat nosuch; mkdir dir
mkdir file/x; cat file/x; ln file dir/hard; cd nosuch; ./nosuch
printf x >"odd
name"; ls -b; mkdir empty/in; rmdir empty/in; rm -r empty
mkdir m; for i in 1 2 3 4 5 6 7 8 9; do echo $i >m/$i; done; ls m
rm m/[1-4]; ls m; rmdir m; rm -r m; ls
ln -s /etc/hostname out; cat out >/dev/null; ln -s /dev/null null
echo x >null; cat null
END
	same_view <<'END'
mkdir -p a/b/c/d/e/f/g/h; touch a/b/c/d/e/f/g/h/x a/b/c/y; rm -rf a; ls
mkdir -p gone/deep/er/a/b/c/d; echo x >gone/deep/er/a/b/c/d/e
rm -rf gone; ls; find . | sort; find . -type f -exec cat {} + | sort
rm -rf *; ls -a
END
}

atf_test_case content
content_head()
{
	atf_set "descr" "reading and writing by names and descriptors"
	atf_set "require.files" "/usr/bin/python3"
}
content_body()
{
	view_setup
	same_view <<'END'
sed -i s/one/ONE/ file; cat file; truncate -s 1000000 sparse
stat -c %s sparse; exec 3>f3; echo a >&3; rm f3; echo b >&3
echo c >g; exec 4<g; rm g; cat <&4; exec 5>>file; echo app >&5; cat file
umask 077; echo x >p; mkdir q; stat -c '%a %n' p q
umask 0; echo x >r; mkdir s; stat -c '%a %n' r s; : >zero; chmod 000 zero
stat -c %a zero; rm -f zero
mkfifo f1; (cat f1 >o; echo done >o2) & echo through >f1; wait; cat o o2
mkfifo f2; (echo two >f2) & cat f2; wait
END
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import fcntl, mmap, os, shutil
f = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o644)
os.write(f, b"tmp")
os.link("/proc/self/fd/%d" % f, "named", src_dir_fd=0, follow_symlinks=True)
print(open("named").read())
m = open("file", "r+b")
mm = mmap.mmap(m.fileno(), 0)
mm[0] = 79
mm.flush()
print(open("file").read())
fcntl.flock(m, fcntl.LOCK_EX)
try:
    fcntl.flock(open("file"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError as e:
    print(e.errno)
for name in "ap", "ap":
    with open(name, "a") as a:
        a.write("x")
print(open("ap").read())
os.truncate("ap", 1)
print(os.stat("ap").st_size, os.access("ap", os.X_OK))
PYTHON
END
}

atf_test_case metadata
metadata_head()
{
	atf_set "descr" "modes, times, attributes, by name and descriptor"
	atf_set "require.files" "/usr/bin/python3"
}
metadata_body()
{
	view_setup
	same_view <<'END'
chmod 700 dir; chmod 4711 script; chmod u+w dir/old
touch -d @5 empty file; stat -c '%a %n' dir script dir/old empty file
stat -c '%Y %n' empty file dir/hard
/usr/bin/python3 - <<'PYTHON'
import os
d = os.open("dir", os.O_RDONLY)
os.fchmod(d, 0o711)
print(oct(os.stat("dir").st_mode), oct(os.fstat(d).st_mode))
g = os.open("old", os.O_RDONLY, dir_fd=d)
os.fchmod(g, 0o644)
os.utime(g, (1, 2))
print(oct(os.stat("dir/old").st_mode), os.stat("dir/old").st_mtime)
os.setxattr("file", "user.a", b"v")
print(os.getxattr("file", "user.a"), os.listxattr("file"))
os.removexattr("file", "user.a")
f = os.open("file", os.O_RDONLY)
os.setxattr(f, "user.b", b"w")
print(os.listxattr("file"), os.listxattr(f))
os.removexattr(f, "user.b")
print(os.listxattr("dir"))
for p in "", "nosuch", "file/x":
    try:
        os.chmod(p, 0o600)
    except OSError as e:
        print(e.errno)
PYTHON
END
	# Descriptors of a file that was changed by another of its names.
	same_view <<'END'
ln file third
/usr/bin/python3 - <<'PYTHON'
import os
os.truncate("file", 2)
f = os.open("dir/hard", os.O_RDWR)
r = os.open("third", os.O_RDONLY)
g = os.open("file", os.O_RDWR)
def show():
    st = [os.fstat(f), os.fstat(r), os.fstat(g), os.stat("third")]
    print([(oct(s.st_mode), s.st_mtime, s.st_nlink) for s in st])
    for x in f, r, g, "third":
        print(os.listxattr(x))
os.fchmod(f, 0o600)
os.utime(f, (1, 2))
os.setxattr(f, "user.x", b"1")
os.chown(f, os.getuid(), os.getgid())
show()
os.fchmod(r, 0o640)
print(os.getxattr(g, "user.x"))
os.unlink("file")
os.fchmod(g, 0o604)
os.utime(g, (1, 3))
show()
os.removexattr(r, "user.x")
os.unlink("third")
os.unlink("dir/hard")
os.fchmod(f, 0o644)
print(oct(os.fstat(g).st_mode), os.fstat(f).st_nlink)
os.close(os.open("file (deleted)", os.O_CREAT | os.O_WRONLY))
n = os.open("file (deleted)", os.O_RDWR)
os.fchmod(n, 0o611)
print(oct(os.stat("file (deleted)").st_mode))
PYTHON
END
}

atf_test_case directories
directories_head()
{
	atf_set "descr" "listing, standing in and renaming directories"
	atf_set "require.files" "/usr/bin/python3"
}
directories_body()
{
	view_setup
	same_view <<'END'
cd dir/sub && pwd && echo n >new && ls && cd .. && pwd && ls && cat sub/new
cd ..; mkdir a; cd a; /bin/pwd; mkdir b; cd b; /bin/pwd; echo x >f; ls
cat f; cd ../..; /bin/pwd; cat a/b/f; ls a; rm -r a; ls
mkdir x; cd x; rmdir ../x; ls; ls ..; echo a >b; cd ..
mkdir y; cd y; mv ../y ../z; /bin/pwd; echo a >b; ls; cd ..; ls z
cd dir/sub; mv ../../dir ../../d2; /bin/pwd; ls; cat file; echo n >n
ls . ..; cd ../..; ls d2/sub; ls dir; cat dlink/file
mv d2 dir; ls dir/sub; cat dlink/file
END
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import os
os.mkdir("many")
for i in range(3000):
    open("many/f%d" % i, "w").close()
n = 0
for e in os.scandir("many"):
    n += 1
    os.unlink(e.path)
print(n, os.listdir("many"))
for e in sorted(os.scandir("."), key=lambda e: e.name):
    st = e.stat(follow_symlinks=False)
    print(e.name, e.is_dir(follow_symlinks=False), e.is_symlink(), st.st_mode)
    assert e.is_symlink() or e.name == "fifo" or \
        os.fstat(os.open(e.name, os.O_RDONLY)).st_ino == st.st_ino
fd = os.open("dir", os.O_RDONLY)
os.unlink("dir/old")
print(sorted(os.listdir(fd)))
os.mkdir("t")
os.chdir("t")
os.symlink("../file", "l")
print(os.getcwd(), open("l").read())
PYTHON
END
}

atf_test_case numbers
numbers_head()
{
	atf_set "descr" "what is changed keeps its inode number"
	atf_set "require.files" "/usr/bin/python3"
}
numbers_body()
{
	view_setup
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import os
def number(p):
    st = os.fstat(p) if isinstance(p, int) else os.lstat(p)
    return st.st_dev, st.st_ino
def same(what, a, b):
    print(what, number(a) == b)
def listed():
    for d, _, _ in os.walk("."):
        for e in os.scandir(d):
            if e.inode() != os.lstat(e.path).st_ino:
                print("listed", e.path)
was = {p: number(p) for p in ("file", "script", "dir", "dir/old", "dir/sub",
    "dir/sub/file", "swap/inside")}
old = os.open("script", os.O_RDONLY)
top = os.open("dir", os.O_RDONLY)
f = os.open("file", os.O_WRONLY | os.O_APPEND)
same("opened for writing", f, was["file"])
os.write(f, b"more")
h = os.open("dir/hard", os.O_RDWR)
same("its other name", h, was["file"])
for p in "dir/hard", "file":
    same(p, p, was["file"])
os.truncate("dir/old", 0)
same("truncated", "dir/old", was["dir/old"])
os.chmod("script", 0o200)
os.chmod("dir/old", 0)
for p in "script", "dir/old":
    same(p, p, was[p])
same("opened before", old, was["script"])
open("dir/sub/new", "w").close()
for p in "dir", "dir/sub":
    same(p, p, was[p])
listed()
os.rename("dir/sub", "swap/sub")
os.rename("swap/inside", "dir/inside")
os.link("file", "swap/link")
os.rename("dir/old", "old")
same("moved directory", "swap/sub", was["dir/sub"])
same("what is in it", "swap/sub/file", was["dir/sub/file"])
same("moved file", "dir/inside", was["swap/inside"])
same("moved and unreadable", "old", was["dir/old"])
same("linked", "swap/link", was["file"])
listed()
for d in "dir", "swap":
    os.rename(d, "x" + d)
same("held directory", top, was["dir"])
same("moved directory", "xdir", was["dir"])
listed()
for p in "file", "xswap/link":
    os.unlink(p)
same("one name left", f, was["file"])
print(os.fstat(f).st_nlink, os.fstat(h).st_nlink)
os.unlink("xdir/hard")
same("no name left", f, was["file"])
print(os.fstat(f).st_nlink, os.fstat(h).st_nlink)
open("file", "w").close()
print("another", number("file") != was["file"])
listed()
PYTHON
END
}

atf_test_case removed
removed_head()
{
	atf_set "descr" "an open file counts its names, down to none"
	atf_set "require.files" "/usr/bin/python3"
}
removed_body()
{
	view_setup
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import os
names = ("file", "dir/old", "script", "swap/inside", "dir/sub/file")
fds = {p: os.open(p, os.O_RDONLY) for p in names}
def count(what):
    print(what, [os.fstat(fds[p]).st_nlink for p in names])
count("before")
os.rename("swap/inside", "swap/inside")
os.rename("dir/old", "old")
count("renamed")
os.unlink("script")
open("new", "w").write("new")
os.rename("new", "swap/inside")
os.rename("dir/sub/file", "dir/sub/f2")
count("removed and replaced")
print(os.read(fds["script"], 9), os.read(fds["swap/inside"], 9))
print(os.stat("swap/inside").st_nlink)
new = os.open("swap/inside", os.O_RDWR)
os.unlink("old")
os.unlink("swap/inside")
count("renamed and removed")
print(os.fstat(new).st_nlink)
os.chmod("file", 0o600)
os.unlink("file")
os.unlink("dir/hard")
count("both names")
PYTHON
END
}

atf_test_case editor
editor_head()
{
	atf_set "descr" "an editor that writes in place and compares numbers"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "vim"
}
editor_body()
{
	view_setup
	same_view <<'END'
vim -u NONE -N -i NONE -n -es -c 'set nobackup nowritebackup' \
    -c 'normal Oadded' -c wq file; echo $?; cat file dir/hard
END
}

atf_test_case spellings
spellings_head()
{
	atf_set "descr" "names said otherwise, and what is wrong with them"
	atf_set "require.files" "/usr/bin/python3"
}
spellings_body()
{
	view_setup
	# Slashes and dots in the name of the working directory itself.
	same_view <<'END'
D=$(pwd)
mkdir "/.$D/n1" "//$D//n2"; echo x >"/./$D/./n3"; cat "/.$D/n3"; ls
chmod 700 "/.$D/dir"; stat -c %a dir; rm "/.$D/file"; cat file
END
	# Of two names the first wrong one; dots that lead out.
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import os
t = os.environ["TMPDIR"]
def wrong(call, *args, **kw):
    try:
        call(*args, **kw)
        print(call.__name__, 0)
    except OSError as e:
        print(call.__name__, e.errno)
wrong(os.rename, "nosuch/x", t + "/y")
wrong(os.rename, "file", t + "/nosuch/y")
wrong(os.rename, "file/x", t + "/y")
wrong(os.rename, "file", "x", src_dir_fd=99)
wrong(os.rename, "file", "x", dst_dir_fd=99)
wrong(os.rename, "..", "x")
wrong(os.rename, "file", "..")
wrong(os.link, "nosuch", t + "/y")
wrong(os.link, "file", t + "/nosuch/y")
wrong(os.link, "file", t + "/work.sh")
wrong(os.link, "file", t + "/work.sh/")
wrong(os.link, "file", "x", src_dir_fd=99)
wrong(os.rmdir, "..")
wrong(os.rmdir, "dir/../..")
wrong(os.unlink, "..")
wrong(os.mkdir, "..")
wrong(os.symlink, "x", "dir/..")
wrong(os.open, "x" * 5000, os.O_CREAT | os.O_DIRECTORY)
wrong(os.rename, "file", "x")
print(sorted(os.listdir(".")))
PYTHON
END
	# The kernel has another name for what was moved, or none.
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import os
os.chdir("dir/sub")
os.rename("../../dir", "../../moved")
print(os.stat("/proc/self/cwd/file").st_size)
os.mkdir("/proc/self/cwd/new")
print(sorted(os.listdir(".")), sorted(os.listdir("../../moved/sub")))
os.chdir("../..")
fd = os.open("moved/old", os.O_PATH)
print(os.fstat(fd).st_size)
os.chdir("moved/sub")
print(open("file").read())
PYTHON
END
}

atf_test_case descriptors
descriptors_head()
{
	atf_set "descr" "descriptors without a name, or that only name a file"
	atf_set "require.files" "/usr/bin/python3"
}
descriptors_body()
{
	view_setup
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def wrong(what, call, *args, **kw):
    try:
        print(what, call(*args, **kw))
    except OSError as e:
        print(what, e.errno)
t = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
os.link("/proc/self/fd/%d" % t, "named", src_dir_fd=0, follow_symlinks=True)
os.fchmod(t, 0o640)
os.setxattr(t, "user.x", b"1")
os.chmod("/proc/self/fd/%d" % t, 0o641)
print(oct(os.stat("named").st_mode), os.listxattr("named"))
a = os.open("two", os.O_CREAT | os.O_RDWR, 0o600)
os.link("two", "dir/two")
os.unlink("two")
os.fchmod(a, 0o604)
print(oct(os.stat("dir/two").st_mode))
f = os.open("script", os.O_RDWR)
os.unlink("script")
print(os.listxattr(f))
wrong("getxattr", os.getxattr, f, "user.overlay.origin")
# No descriptor without content is good for these.
os.chmod("file", 0o640)
p = os.open("file", os.O_PATH)
wrong("listxattr", os.listxattr, p)
wrong("utime", os.utime, p)
buf = ctypes.create_string_buffer(100)
print(libc.syscall(465, p, b"", 0x1000, buf, 100), ctypes.get_errno())
wrong("setxattr", os.setxattr, p, "user.x", b"1")
# By the descriptor of a link nothing below is found.
l = os.open("dlink", os.O_PATH | os.O_NOFOLLOW)
wrong("stat", os.stat, "file", dir_fd=l)
wrong("mkdir", os.mkdir, "x", dir_fd=l)
wrong("open", os.open, "/proc/self/fd/%d/x" % f, os.O_RDONLY)
# The mode that the caller sees decides.
os.mkdir("closed", 0o400)
c = os.open("closed", os.O_RDONLY)
wrong("fchdir", os.fchdir, c)
wrong("attribute", os.setxattr, c, "nothing", b"1")
s = socket.socket(socket.AF_UNIX)
wrong("connect", s.connect, "file")
os.chmod("file", 0o400)
wrong("connect", s.connect, "file")
wrong("connect", s.connect, "nosuch")
libc.syscall(265, -100, b"dir/two", -100, b"again", 0)
libc.syscall(265, a, b"", -100, b"empty/path", 0x1000)
print(os.stat("dir/two").st_nlink, sorted(os.listdir("empty")))
PYTHON
END
	# Opened before it was renamed, replaced, moved with its directory.
	same_view <<'END'
/usr/bin/python3 - <<'PYTHON'
import os
fds = {p: os.open(p, os.O_RDONLY) for p in ("script", "dir/old",
    "dir/sub/file", "swap/inside")}
os.rename("script", "s2")
open("script", "w").close()
os.fchmod(fds["script"], 0o711)
os.rename("dir/old", "dir/sub/o2")
os.rename("dir", "d2")
os.fchmod(fds["dir/old"], 0o611)
os.fchmod(fds["dir/sub/file"], 0o622)
os.link("/proc/self/fd/%d" % fds["swap/inside"], "inside", src_dir_fd=0,
    follow_symlinks=True)
os.fchmod(fds["swap/inside"], 0o633)
for p in "s2", "script", "d2/sub/o2", "d2/sub/file", "swap/inside", "inside":
    print(p, oct(os.stat(p).st_mode), os.stat(p).st_nlink)
PYTHON
END
}

atf_test_case exec
exec_head()
{
	atf_set "descr" "programs and scripts of the branch run"
	atf_set "require.files" "/usr/bin/python3"
}
exec_body()
{
	view_setup
	same_view <<'END'
./script; cp script s2; ./s2; echo 'echo three' >>s2; ./s2; sh s2
cd dir; ../s2; PATH=..:$PATH; s2; cd ..
cp /bin/echo e; ./e hello; mkdir bin; mv e bin; bin/e there
ln -s bin/e f; ./f again; ln -s /bin/echo g; ./g outside
chmod 644 s2; ./s2; ./dir; ./nosuch
printf '#! /bin/sh\necho "$0"\n' >s4; chmod 755 s4
/usr/bin/python3 -c 'import ctypes
argv = (ctypes.c_char_p * 2)(b"x", None)
ctypes.CDLL(None).syscall(322, -100, b"./s4", argv, None, 0)'
printf '#! ./script\n' >s3; chmod 755 s3; printf 'x' >bad; chmod 755 bad
END
}

atf_test_case programs
programs_head()
{
	atf_set "descr" "git, make and the compiler, tar, cp"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "git make cc tar"
}
programs_body()
{
	view_setup
	GIT_AUTHOR_DATE="@1 +0000"
	GIT_COMMITTER_DATE="@1 +0000"
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
	same_view <<'END'
git init -q . 2>&1; git config user.email a@b; git config user.name n
git add file dir script; git commit -qm one; echo more >>file
git status --short; git commit -qam two; git log --format=%H
git checkout -q HEAD~1; cat file; git checkout -q master; git branch x
git gc -q; git fsck; git rm -q file; git reset -q --hard
git status --short; rm -rf .git
END
	same_view <<'END'
printf 'int f(void);int main(void){return f();}\n' >m.c
printf 'int f(void){return 0;}\n' >f.c
printf 'prog: m.o f.o\n\tcc -o prog m.o f.o\nclean:\n\trm -f *.o prog\n' \
    >Makefile
make -s -j2 && ./prog && echo ok; touch f.c; make -s; make -s clean; ls
tar cf a.tar dir file link script; mkdir x; tar xf a.tar -C x
find x | sort; cat x/dir/sub/file; tar tf a.tar | sort; rm a.tar
cp -a dir d2; cp -r swap s2; diff -r dir d2; rm -rf dir; mv d2 dir
find dir s2 | sort
END
}

atf_test_case outside
outside_head()
{
	atf_set "descr" "no way round: what is not granted stays refused"
}
outside_body()
{
	view_setup
	fill wd
	mkdir secret
	echo secret >secret/file
	ln -s ../secret wd/way
	atf_check ${cow} -- sh -c 'echo x >new; cat new >/dev/null'
	# By a link of lower, by one of the branch, and by "..".
	for p in way/file ../secret/file new/file; do
		atf_check -s exit:1 -e match:"Permission denied" ${cow} -- \
		    sh -c "ln -s ../secret new; exec cat ${p}"
		atf_check -s exit:2 -e ignore ${cow} -- \
		    sh -c "ln -s ../secret new; echo x >${p}"
		atf_check -s exit:1 -e ignore ${cow} -- \
		    sh -c "ln -s ../secret new; exec chmod 777 ${p}"
	done
	atf_check -s exit:1 -e ignore ${cow} -- mv file ../secret/stolen
	atf_check -s exit:1 -e ignore ${cow} -- ln file ../secret/stolen
	atf_check -o inline:"secret\n" cat secret/file
	[ "$(ls secret)" = file ] || atf_fail "secret was written"
	atf_check -o inline:"600\n" ${cow} -- stat -c %a dir/old
	# The branch itself cannot be written by its own name.
	atf_check -s not-exit:0 -e ignore ${cow} -- sh -c \
	    "for d in ${HOME}/.local/state/sandlock/*; do : >\$d/x; done"
}

atf_test_case names_made
names_made_head()
{
	atf_set "descr" "a name outside that becomes a link into the directory"
}
names_made_body()
{
	view_setup
	fill wd
	mkdir other
	# Each name is looked at before, so that it is known.
	cat >wd/work.sh <<'EOT'
echo new >file
cat ../other/a 2>/dev/null || readlink ../other/a || :
ln -s ../wd/file ../other/a
cat ../other/a
mkdir ../other/d; echo other >../other/d/file; cat ../other/d/file
rm -r ../other/d; ln -s ../wd ../other/d; cat ../other/d/file
cat ../other/m 2>/dev/null || ln -s ../wd/file ../other/t
mv ../other/t ../other/m; cat ../other/m
ln -P ../other/m ../other/h; cat ../other/h
echo other >../other/p; cat ../other/p
python3 -c 'import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(-100, b"../other/m", -100, b"../other/p", 2) != 0:
    raise OSError(ctypes.get_errno(), "renameat2")'
cat ../other/p ../other/m
EOT
	atf_check -o inline:"new\nother\nnew\nnew\nnew\nother\nnew\nother\n" \
	    ${cow} -w "$(pwd)/other" -- sh -e work.sh
	atf_check -o inline:"../wd/file\n" readlink other/p
}

atf_test_case opened_again
opened_again_head()
{
	atf_set "descr" "files opened to be written again, and what took their place"
}
opened_again_body()
{
	view_setup
	cat >again.sh <<'EOT'
echo a >>file; echo b >>file; echo c >file; cat file
echo n >new; echo m >>new; cat new; echo o >new; cat new
rm new; echo p >new; cat new
mv new q; echo r >new; cat new q
ln -s file l; echo link >l; cat file
rm file; ln -s q file; echo link >file; cat q
mkdir d; echo x >d/f; echo y >d/f; mv d e; mkdir d; echo z >d/f; cat d/f e/f
set -C; (echo w >e/f) 2>/dev/null || echo there; cat e/f; set +C
# Modes do not bind root where it has its capabilities.
[ "$(id -u)" -ne 0 ] || exit 0
chmod 0 e; cat e/f 2>/dev/null || echo refused
(echo w >e/f) 2>/dev/null || echo refused
chmod 755 e; cat e/f
chmod 444 d/f; (echo w >d/f) 2>/dev/null || echo refused; cat d/f
EOT
	echo old >wd/file
	echo old >bare/file
	(cd bare && sh ../again.sh) >expected
	cp again.sh wd/again.sh
	cp again.sh bare/again.sh
	atf_check -o file:expected ${cow} --on-exit commit -- sh again.sh
	atf_check diff -r --no-dereference bare wd
}

atf_test_case fifo_there
fifo_there_head()
{
	atf_set "descr" "a FIFO that was there, read before anything was changed"
}
fifo_there_body()
{
	view_setup
	mkfifo wd/fifo
	atf_check -o inline:"through\n" timeout 20 ${cow} -- sh -c \
	    '(cat fifo) & sleep 0.3; echo through >fifo; wait'
	[ -p wd/fifo ] || atf_fail "the FIFO is gone"
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case names
	atf_add_test_case content
	atf_add_test_case metadata
	atf_add_test_case directories
	atf_add_test_case numbers
	atf_add_test_case removed
	atf_add_test_case editor
	atf_add_test_case spellings
	atf_add_test_case descriptors
	atf_add_test_case exec
	atf_add_test_case programs
	atf_add_test_case outside
	atf_add_test_case names_made
	atf_add_test_case opened_again
	atf_add_test_case fifo_there
}
