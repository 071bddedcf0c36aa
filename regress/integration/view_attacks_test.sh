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

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case forge
	atf_add_test_case fifo
}
