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


# What a worker opens and gives to the caller is the caller's: nobody else has
# it when the call returns, and a call that fails has done nothing.

give_setup()
{
	HOME=$(pwd)/home
	export HOME
	unset XDG_STATE_HOME
	mkdir -m 700 home
	mkdir bare wd
	echo "of old" | tee bare/old >wd/old
	give=$(helper give)
	seccomp="${box} --workdir wd --cwd wd --on-exit abort --on-error abort
	    --fs-isolation seccomp"
	holes="${box} -w wd --fs-deny wd/denied --cwd wd"
}

# all_give TRY [HOLES]: as bare with every way that a descriptor takes; around
# holes with the lines only that HOLES selects.
all_give()
{
	(cd bare && "${give}" "$1") >expected || atf_fail "bare"
	for policy in "${seccomp}" "${seccomp} --max-disk 10M"; do
		atf_check -o file:expected timeout -s KILL 60 ${policy} -- \
		    "${give}" "$1"
	done
	grep -e "${2:-.}" expected >some
	atf_check -o save:out timeout -s KILL 60 ${holes} -- "${give}" "$1"
	atf_check -o file:some grep -e "${2:-.}" out
}

atf_test_case full
full_head()
{
	atf_set "descr" "without room for a descriptor no file is touched"
}
full_body()
{
	give_setup
	# No files without names, and not this order of what is wrong.
	all_give full '^[knop]'
	# Control: the last of them has room, and does it all.
	atf_check -o match:'^known 0x201 EMFILE 7$' \
	    -o match:'^new 0x41 EMFILE ENOENT$' \
	    -o match:'^new 0x41 opened 0$' \
	    -o match:'^known 0x201 opened 0$' cat expected
}

atf_test_case locks
locks_head()
{
	atf_set "descr" "a lock ends with the close of its descriptor"
}
locks_body()
{
	give_setup
	all_give locks
	atf_check -o inline:'0 late\n' cat expected
}

atf_test_case fifos
fifos_head()
{
	atf_set "descr" "a FIFO ends with the close of its writer"
}
fifos_body()
{
	give_setup
	all_give fifos
	atf_check -o inline:'0 late\n' cat expected
}

# The numbers of the workers called $1 below a run.
worker()
{
	for pid in $(cat "/proc/${run}/task/${run}/children"); do
		[ "$(cat "/proc/${pid}/comm")" != "$1" ] || echo "${pid}"
	done
}

atf_test_case stopped cleanup
stopped_head()
{
	atf_set "descr" "a worker is stopped while it gives what it opened"
	atf_set "timeout" "120"
}
stopped_body()
{
	give_setup
	mkfifo in
	${seccomp} -- "${give}" opens <in >out &
	run=$!
	echo ${run} >pids
	exec 9>in
	wait_for grep -q ready out
	workers="$(worker cowd) $(worker supervisor)"
	[ "$(echo ${workers} | wc -w)" -eq 2 ] || atf_fail "no workers"
	atf_check "${give}" stops ${workers}
	echo end >&9
	wait ${run} || atf_fail "status $?"
	atf_check -o inline:'ready\ndone\n' cat out
}
stopped_cleanup()
{
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case full
	atf_add_test_case locks
	atf_add_test_case fifos
	atf_add_test_case stopped
}
