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


# Callers die while their calls wait for cowd, which is stopped meanwhile.

# The number of the worker called $1 below the run.
worker()
{
	for pid in $(cat "/proc/${run}/task/${run}/children"); do
		[ "$(cat "/proc/${pid}/comm")" != "$1" ] || echo "${pid}"
	done
}

descriptors()
{
	ls "/proc/$1/fd" | wc -l
}

# storm_run ARGUMENT ...: do what the program asks for; the rest is in said.
storm_run()
{
	HOME=$(pwd)/home
	export HOME
	unset XDG_STATE_HOME
	mkdir -m 700 home
	mkdir -p wd/dir/sub
	: >wd/dir/sub/file
	mkfifo in out
	: >said
	: >counts
	${box} --workdir wd --cwd wd --on-exit abort --on-error abort \
	    --fs-isolation seccomp -- "$(helper storm)" "$@" <in >out &
	run=$!
	echo ${run} >pids
	exec 8>in 9<out
	cowd=
	while read -r line <&9; do
		[ -n "${cowd}" ] || cowd=$(worker cowd)
		case ${line} in
		stop)
			kill -STOP "${cowd}"
			wait_for grep -q '^State:.T' "/proc/${cowd}/status"
			;;
		go)
			kill -CONT "${cowd}"
			;;
		count)
			# As root only: nobody else may look.
			echo "$(descriptors "$(worker supervisor)")" \
			    "$(descriptors "${cowd}")" >>counts
			;;
		*)
			echo "${line}" >>said
			continue
			;;
		esac
		echo done >&8
	done
	wait ${run} || atf_fail "status $?"
}

atf_test_case storm cleanup
storm_head()
{
	atf_set "descr" "calls of those that were killed are dropped"
}
storm_body()
{
	storm_run storm 400 3
	atf_check -o inline:'few\nfew\nfew\n' cat said
	[ "$(id -u)" -eq 0 ] || return 0
	# Threads that have called, and directories, are kept: so many.
	read -r sup cowd <counts
	[ "${sup}" -gt 3 ] && [ "${cowd}" -gt 3 ] || atf_fail "no counts"
	tail -1 counts | {
		read -r sup2 cowd2
		[ "${sup2}" -le $((sup + 100)) ] ||
		    atf_fail "supervisor: ${sup}, ${sup2} descriptors"
		[ "${cowd2}" -le $((cowd + 100)) ] ||
		    atf_fail "cowd: ${cowd}, ${cowd2} descriptors"
	}
}
storm_cleanup()
{
	[ ! -f pids ] || kill -CONT $(pgrep -P "$(cat pids)") 2>/dev/null
	. "$(atf_get_srcdir)/util.sh"
	cleanup
}

atf_test_case moved cleanup
moved_head()
{
	atf_set "descr" "what was made for one that was killed is known"
}
moved_body()
{
	storm_run moved
	atf_check -o inline:'1 in moved, 1 in moved/sub\n' cat said
}
moved_cleanup()
{
	storm_cleanup
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case storm
	atf_add_test_case moved
}
