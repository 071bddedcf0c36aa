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

# What each letter of a path's permissions grants and refuses, in every
# spelling of the calls; and that calls which are made on behalf answer as the
# kernel does.

atf_test_case same_answers
same_answers_head()
{
	atf_set "descr" "some 6,000 calls answer as without a sandbox"
	atf_set "timeout" "120"
}
same_answers_body()
{
	mkdir bare box
	(cd bare && ${bare} "$(helper calls)") >bare.out || atf_fail "bare"
	(cd box && ${box} -w . -r /proc --unveil /dev:r -- \
	    "$(helper calls)") >box.out || atf_fail "box"
	[ "$(wc -l <bare.out)" -gt 5000 ] || atf_fail "too few calls"
	grep -c ': ok$' bare.out >oks
	[ "$(cat oks)" -gt 1500 ] || atf_fail "too few calls succeed"
	# What the policy refuses: the metadata of the links of /proc, which is
	# not granted for changes, and of files without a name that are named
	# by such a link.
	sed -i -E \
	    -e '/ nofollow (proc\/self\/fd|proc\/thread-self\/fd|dev\/fd)/d' \
	    -e '/^lchown (proc\/self\/fd|proc\/thread-self\/fd|dev\/fd) ?/d' \
	    -e '/^lchown of \/proc\/self\/fd/d' \
	    -e '/^chmod of \/proc\/self\/fd (deleted|memfd|tmpfile|pipe)/d' \
	    -e '/^chmod removed working directory/d' bare.out box.out
	atf_check -o file:bare.out cat box.out
}

atf_test_case same_tree
same_tree_head()
{
	atf_set "descr" "and they leave the same files behind"
	atf_set "timeout" "120"
}
same_tree_body()
{
	mkdir bare box
	(cd bare && ${bare} "$(helper calls)") >bare.out || atf_fail "bare"
	(cd box && ${box} -w . -r /proc --unveil /dev:r -- \
	    "$(helper calls)") >box.out || atf_fail "box"
	for d in bare box; do
		# Its text holds the name of the directory.
		rm "${d}/absolute"
		/usr/bin/python3 "$(helper tree.py)" "${d}" >"${d}.tree"
	done
	[ "$(wc -l <bare.tree)" -gt 20 ] || atf_fail "too few files"
	atf_check -o file:bare.tree cat box.tree
}

# A tree for rights(1), always the same, in "tree".
make_tree()
{
	rm -rf tree
	mkdir tree
	(
		cd tree || exit 1
		mkdir dir emptydir
		for f in file spare other victim dir/file; do
			echo "${f}" >${f}
		done
		ln -s file link
		mkfifo fifo
		cp /usr/bin/true prog
		printf '#!/bin/sh\n' >script
		chmod 755 prog script
		find . ! -type l -exec touch -d @1000000000 {} +
	)
}

# What was written, made or changed, and nothing else, is in the answers: the
# tree is as before where all of them refuse.
rights()
{
	make_tree
	/usr/bin/python3 "$(helper tree.py)" -t tree >before
	${box} ${1:+--unveil ./tree:$1} -- "$(helper rights)" ./tree >out ||
	    atf_fail "rights $1"
	/usr/bin/python3 "$(helper tree.py)" -t tree >after
}

# The lines "NAME: ANSWER" of rights(1) from a list of answers and names.
expected()
{
	while IFS=: read -r answer names; do
		echo "${names}" | tr ',' '\n' | sed "s/^ *//;s/$/: ${answer}/"
	done
}

always()
{
	expected <<'END'
ok: name only, readlink, access, chdir
EINVAL: neither
EPERM: mknod device, whiteout
END
}

refused_read()
{
	echo EACCES: read, list, map for execution, read through a link, \
	    read a FIFO
}

refused_write()
{
	echo EACCES: write, append, write and truncate, truncate
}

refused_execute()
{
	echo EACCES: execute, execute a script
}

# Without c; to create and open takes w or r as well.
refused_create()
{
	echo EACCES: mkdir, mkfifo, mknod, symlink, link, \
	    link elsewhere, rename, rename elsewhere, rename over, \
	    exchange, unlink, rmdir, bind
}

refused_metadata()
{
	echo EPERM: chmod, chmod of the tree, chown, lchown, utimes, lutimes, \
	    setxattr, removexattr
}

granted()
{
	sed 's/^[A-Z]*:/ok:/'
}

check_rights()
{
	{ always; expected; } | sort >want
	sort out >have
	atf_check -o file:want cat have
}

unchanged()
{
	atf_check -o file:before cat after
}

by_fd="fchmod, futimes, fsetxattr, set flags"

atf_test_case nothing
nothing_head()
{
	atf_set "descr" "without a grant nothing"
}
nothing_body()
{
	rights ''
	{
		refused_read; refused_write; refused_execute; refused_create
		refused_metadata
		echo EACCES: read and write, read and truncate, create
		echo EACCES: temporary file, ${by_fd}
	} >list
	check_rights <list
	unchanged
	# Bare, everything but what is always refused.
	make_tree
	${bare} "$(helper rights)" ./tree >out || atf_fail "bare"
	grep -v ': ok$' out >refused
	# A device, for who may not make one; access mode 3 is a kernel's.
	grep -Ev '^(mknod device|whiteout): EPERM$' refused &&
	    atf_fail "refused without a sandbox: $(cat refused)"
	true
}

atf_test_case letter_r
letter_r_head()
{
	atf_set "descr" "r reads and does nothing else"
}
letter_r_body()
{
	rights r
	{
		refused_read | granted; refused_write; refused_execute
		refused_create; refused_metadata
		echo EACCES: read and write, read and truncate, create
		echo EACCES: temporary file
		echo EPERM: ${by_fd}
	} >list
	check_rights <list
	unchanged
}

atf_test_case letter_w
letter_w_head()
{
	atf_set "descr" "w writes, truncates and changes metadata"
}
letter_w_body()
{
	rights w
	{
		refused_read; refused_write | granted; refused_execute
		refused_create; refused_metadata | granted
		echo EACCES: read and write, read and truncate, create
		echo EACCES: temporary file, ${by_fd}
	} >list
	check_rights <list
}

atf_test_case letter_x
letter_x_head()
{
	atf_set "descr" "x alone runs nothing: the kernel reads a program too"
}
letter_x_body()
{
	rights x
	{
		refused_read; refused_write; refused_execute; refused_create
		refused_metadata
		echo EACCES: read and write, read and truncate, create
		echo EACCES: temporary file, ${by_fd}
	} >list
	check_rights <list
	unchanged
	rights rx
	{
		refused_read | granted; refused_write
		refused_execute | granted; refused_create; refused_metadata
		echo EACCES: read and write, read and truncate, create
		echo EACCES: temporary file
		echo EPERM: ${by_fd}
	} >list
	check_rights <list
	unchanged
}

atf_test_case letter_c
letter_c_head()
{
	atf_set "descr" "c makes, removes and renames, and changes metadata"
}
letter_c_body()
{
	rights c
	{
		refused_read; refused_write; refused_execute
		refused_create | granted; refused_metadata | granted
		echo EACCES: read and write, read and truncate, create
		echo EACCES: temporary file, ${by_fd}
	} >list
	check_rights <list
	rights wc
	{
		refused_read; refused_write | granted; refused_execute
		refused_create | granted; refused_metadata | granted
		echo EACCES: read and write, read and truncate
		echo ok: create
		echo EACCES: temporary file, ${by_fd}
	} >list
	check_rights <list
}

atf_test_case all_letters
all_letters_head()
{
	atf_set "descr" "rwxc does everything, but for inode flags"
}
all_letters_body()
{
	rights rwxc
	{
		refused_read | granted; refused_write | granted
		refused_execute | granted; refused_create | granted
		refused_metadata | granted
		echo ok: read and write, read and truncate, create
		echo ok: temporary file, fchmod, futimes, fsetxattr
		echo EPERM: set flags
	} >list
	check_rights <list
}

# Landlock and cowd judge the name that is used.
atf_test_case names
names_head()
{
	atf_set "descr" "no spelling of a name leads out of the grant"
}
names_body()
{
	make_tree
	mkdir granted
	echo mine >granted/mine
	echo secret >secret
	chmod 666 secret
	touch -d @1000000000 secret
	ln -s ../secret granted/link
	ln -s "$(pwd)/secret" granted/absolute
	ln -s . granted/self
	ln -s self/self/link granted/chain
	ln -s .. granted/up
	before=$(stat -c '%a %y %z %s' secret)
	top=$(pwd)
	for name in ../secret "${top}/secret" \
	    "..//.//secret" link absolute chain up/secret self/../secret \
	    "/proc/self/cwd/../secret" "/proc/self/root${top}/secret" \
	    "/proc/thread-self/cwd/../secret" "/proc/self/fd/9/../secret"; do
		for try in 'read x <"$0"' 'echo x >"$0"' 'chmod 600 "$0"' \
		    'touch "$0"' 'truncate -s 0 "$0"' \
		    'chmod -R 600 "$0"' 'cp "$0" copy'; do
			(cd granted && ${box} -w . -r /proc -- sh -c \
			    "exec 9<.; ${try}" "${name}") 2>err &&
			    atf_fail "${try}: ${name}"
			grep -Eq 'denied|not permitted' err ||
			    atf_fail "${try} ${name}: $(head -n 1 err)"
			[ "${before}" = "$(stat -c '%a %y %z %s' secret)" ] ||
			    atf_fail "changed: ${try}: ${name}"
		done
		# The control: the same name with a grant.
		(cd granted && ${box} -w . -w ../secret -r /proc -- sh -c \
		    'exec 9<.; read x <"$0" && [ "$x" = secret ]' \
		    "${name}") || atf_fail "granted: ${name}"
		(cd granted && ${box} -w . -w ../secret -r /proc -- sh -c \
		    'exec 9<.; chmod 600 "$0" && chmod 666 "$0" &&
		    touch -d @1000000000 "$0"' "${name}") ||
		    atf_fail "granted: ${name}"
		before=$(stat -c '%a %y %z %s' secret)
	done
	# A hard link inside has to be made first.
	atf_check -s exit:1 -e match:"ln: failed" \
	    sh -c "cd granted && ${box} -w . -- ln ../secret hard"
	[ ! -e granted/hard ] || atf_fail "made"
}

atf_test_case descriptors
descriptors_head()
{
	atf_set "descr" "a descriptor from outside gives no right to metadata"
}
descriptors_body()
{
	mkdir granted
	echo x >secret
	chmod 640 secret
	touch -d @1000000000 secret
	cat >t.py <<'END'
import errno, os, sys
for name, fn in (('fchmod', lambda: os.fchmod(7, 0o600)),
                 ('futimes', lambda: os.utime(7)),
                 ('fsetxattr', lambda: os.setxattr(7, 'user.x', b'y')),
                 ('fchown', lambda: os.fchown(7, os.geteuid(), -1)),
                 ('chmod', lambda: os.chmod('/proc/self/fd/7', 0o600))):
    try:
        fn()
        print(name, 'ok')
    except OSError as e:
        print(name, errno.errorcode[e.errno])
END
	before=$(stat -c '%a %y %z' secret)
	atf_check -o inline:"fchmod EPERM\nfutimes EPERM\nfsetxattr EPERM\nfchown EPERM\nchmod EPERM\n" \
	    sh -c "${box} -w granted -r /proc -r t.py --pass-fd 7 -- \
	    /usr/bin/python3 t.py 7<>secret"
	[ "${before}" = "$(stat -c '%a %y %z' secret)" ] || atf_fail "changed"
	# Not passed, it is not there.
	atf_check -o inline:"fchmod EBADF\nfutimes EBADF\nfsetxattr EBADF\nfchown EBADF\nchmod ENOENT\n" \
	    sh -c "${box} -w granted -r /proc -r t.py -- \
	    /usr/bin/python3 t.py 7<>secret"
	atf_check -o inline:"fchmod ok\nfutimes ok\nfsetxattr ok\nfchown ok\nchmod ok\n" \
	    sh -c "${box} -w granted -w secret -r /proc -r t.py --pass-fd 7 \
	    -- /usr/bin/python3 t.py 7<>secret"
}

atf_test_case devices
devices_head()
{
	atf_set "descr" "ioctl on a device takes w; a FIFO never blocks"
	atf_set "require.files" "/usr/bin/python3"
}
devices_body()
{
	cat >t.py <<'END'
import fcntl, os, pty, subprocess, sys, struct, errno, termios
m, s = pty.openpty()
name = os.ttyname(s)
# Opened inside, by name: rights of a descriptor are those of its opening.
code = '''
import os, sys, termios, errno
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_NOCTTY)
for what, fn in (('get', lambda: termios.tcgetattr(fd)),
                 ('set', lambda: termios.tcsetattr(fd, termios.TCSANOW,
                  termios.tcgetattr(1))),
                 ('isatty', lambda: os.isatty(fd))):
    try:
        fn()
        print(what, 'ok')
    except (OSError, termios.error) as e:
        print(what, errno.errorcode[e.args[0]])
'''
for perms in 'r', 'rw':
    r = subprocess.run(sys.argv[1:] + ['--unveil', name + ':' + perms, '--',
                       '/usr/bin/python3', '-c', code, name],
                       stdout=subprocess.PIPE, text=True, stdin=s)
    print(perms, r.stdout.split('\n')[0])
END
	atf_check -o inline:"r get EACCES\nrw get ok\n" \
	    /usr/bin/python3 t.py ${box}
	mkfifo fifo
	atf_check timeout 10 ${box} --unveil fifo:rw -- true
}

# Races.  The two trees are alike but for the grant.
race_tree()
{
	mkdir a b
	echo x >a/file
	echo x >b/file
	chmod 644 a/file b/file
	touch -d @1000000000 a/file b/file
	race="${box} --unveil a:rw -r b -r /proc -- $(helper race)"
	untouched=$(stat -c '%a %y %z %u' b/file)
}

race_untouched()
{
	[ "${untouched}" = "$(stat -c '%a %y %z %u' b/file)" ] ||
	    atf_fail "the other file was changed"
	[ -z "$(/usr/bin/python3 -c 'import os
print(*os.listxattr("b/file"), end="")')" ] || atf_fail "xattr"
}

atf_test_case race_name
race_name_head()
{
	atf_set "descr" "a name that changes while it is looked at"
	atf_set "timeout" "120"
}
race_name_body()
{
	race_tree
	atf_check -o inline:"made some, denied some, other 0\n" \
	    ${race} flip 20000 a/file b/file
	race_untouched
	[ "$(stat -c %a a/file)" = 600 ] || atf_fail "nothing was made"
}

atf_test_case race_directory
race_directory_head()
{
	atf_set "descr" "a working directory that changes meanwhile"
	atf_set "timeout" "120"
}
race_directory_body()
{
	race_tree
	atf_check -o inline:"made some, denied some, other 0\n" \
	    ${race} directory 20000 a b
	race_untouched
}

atf_test_case race_memory
race_memory_head()
{
	atf_set "descr" "a name that goes away: EFAULT, never let through"
	atf_set "timeout" "120"
}
race_memory_body()
{
	race_tree
	for kind in protect unmap; do
		# Both threads may be on one processor for a while.
		tries=0
		until ${race} ${kind} 20000 a/file >out &&
		    grep -q '^made some, fault some, ' out; do
			grep -q ', other 0$' out || atf_fail "$(cat out)"
			tries=$((tries + 1))
			[ ${tries} -lt 10 ] || atf_fail "$(cat out)"
		done
		atf_check -o match:', other 0$' cat out
	done
	race_untouched
}

atf_test_case race_kill
race_kill_head()
{
	atf_set "descr" "callers that are killed while they are served"
	atf_set "timeout" "120"
}
race_kill_body()
{
	race_tree
	atf_check -o inline:"killed\n" ${race} kill 500 a/file
	race_untouched
}

# 12 times 200 calls, more than a process may have descriptors.
atf_test_case race_exit
race_exit_head()
{
	atf_set "descr" "200 threads in such calls when their process ends"
	atf_set "timeout" "120"
}
race_exit_body()
{
	race_tree
	atf_check -o inline:"exited\n" sh -c \
	    "ulimit -n 1024; exec ${race} exit 12 a/file"
	[ "$(stat -c %a a/file)" = 640 ] || atf_fail "not served after it"
}

# Descriptors of the workers of the run above this process, as names and
# numbers.
atf_test_case leaks
leaks_head()
{
	atf_set "descr" "the workers have as many descriptors as before"
	atf_set "require.user" "root"
	atf_set "timeout" "120"
}
leaks_body()
{
	race_tree
	cat >count.sh <<'END'
# Run outside, for each line of the FIFO that it answers in another one.
run=$1
while read -r word; do
	for pid in $(cat /proc/${run}/task/${run}/children); do
		echo $(cat /proc/${pid}/comm) $(ls /proc/${pid}/fd | wc -l)
	done | sort >"${word}"
	echo >answer
done <ask
END
	mkfifo ask answer
	${box} --unveil a:rw -r /proc --unveil ask:rw --unveil answer:rw \
	    -- sh -c "exec 3<>ask 4<>answer; chmod 600 a/file
	    echo before >&3; read x <&4
	    $(helper race) exit 5 a/file; $(helper race) kill 100 a/file
	    echo after >&3; read x <&4" >out &
	sh count.sh $! &
	wait $!
	atf_check -o inline:"exited\nkilled\n" cat out
	atf_check -o match:"^supervisor [1-9]" -o match:"^cowd [1-9]" cat before
	atf_check -o file:before cat after
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case same_answers
	atf_add_test_case same_tree
	atf_add_test_case nothing
	atf_add_test_case letter_r
	atf_add_test_case letter_w
	atf_add_test_case letter_x
	atf_add_test_case letter_c
	atf_add_test_case all_letters
	atf_add_test_case names
	atf_add_test_case descriptors
	atf_add_test_case devices
	atf_add_test_case race_name
	atf_add_test_case race_directory
	atf_add_test_case race_memory
	atf_add_test_case race_kill
	atf_add_test_case race_exit
	atf_add_test_case leaks
}
