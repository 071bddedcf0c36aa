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

# What the tests of this folder share.  The command runs under reap, which is a
# subreaper: a process that outlives sandlock ends up there, whatever session
# or group it made, and the test fails.

# HOME, TMPDIR and the current directory are three, as the default profile
# wants them; what is left in TMPDIR was left by sandlock.
life_setup()
{
	srcdir=$(cd "$(atf_get_srcdir)" && pwd -P)
	sandlock=$(atf_config_get sandlock \
	    "${srcdir}/../../sandlock/sandlock")
	reap="${srcdir}/reap"
	top=$(pwd -P)
	mkdir home tmp work
	export HOME="${top}/home" TMPDIR="${top}/tmp"
	# A directory that this user may not search changes what execvp says.
	export PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
	cp "${srcdir}/procs" work/
	cd work
	procs=./procs
}

# kyua takes one line; what programs print may have more.
fail()
{
	atf_fail "$(printf '%s' "$*" | tr '\n' '|')"
}

# Poll: a test waits for a condition, never for a time.
wait_for()
{
	_tries=0
	until "$@"; do
		_tries=$((_tries + 1))
		[ ${_tries} -lt 3000 ] || fail "never happened: $*"
		sleep 0.01
	done
}

# The pid of a program of the run whose sandlock has this pid.
worker_pid()
{
	case $2 in
	sandlock)
		echo "$1"
		return ;;
	workload)
		set -- "$(worker_pid "$1" supervisor)" ;;
	esac
	for _pid in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		if [ $# -eq 1 ] ||
		    [ "$(cat "/proc/${_pid}/comm" 2>/dev/null)" = "$2" ]; then
			echo "${_pid}"
			return
		fi
	done
}

# Whether there is such a program: the workload may run before netd and cowd.
has_worker()
{
	[ -n "$(worker_pid "$1" "$2")" ]
}

# Nothing in the private directory's place, whatever its name.
nothing_left()
{
	[ -z "$(ls -A "${TMPDIR}")" ] ||
	    fail "$1: left in TMPDIR: $(ls -A "${TMPDIR}")"
}

# A key of the status line; the line is flat but for "notifications".
status_key()
{
	sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "${2:-status}"
}

# life_run [reap's options] -- [sandlock's options]: sets rc; status and errs
# are files.  Here and elsewhere the workload writes to the directory itself:
# the tests wait for its files.
life_run()
{
	_options=
	while [ "$1" != -- ]; do
		_options="${_options} $1"
		shift
	done
	shift
	rm -f status errs
	rc=0
	# shellcheck disable=SC2086
	"${reap}" ${_options} "${sandlock}" run --no-workdir --status-fd 9 "$@" \
	    9>status 2>errs || rc=$?
	! grep '^reap: ' errs || fail "$*: left or hung: $(cat errs)"
}

# expect what status reason
expect()
{
	[ ${rc} -eq $2 ] ||
	    fail "$1: status ${rc}, not $2: $(cat errs)"
	[ "$(status_key reason)" = "$3" ] ||
	    fail "$1: reason $(status_key reason), not $3: $(cat errs)"
}

# Every line that we wrote ourselves has its prefix, and no control character.
errs_are_ours()
{
	if grep -v '^sandlock: ' "${1:-errs}" >strange; then
		fail "stderr: $(cat strange)"
	fi
	if LC_ALL=C tr -d '\n' <"${1:-errs}" | LC_ALL=C grep -q '[[:cntrl:]]' ||
	    ! iconv -f UTF-8 -t UCS-4 <"${1:-errs}" >ucs4 2>/dev/null; then
		fail "control characters on stderr: $(cat -v "${1:-errs}")"
	fi
}

# One line "sandlock: what: why" and nothing else.
one_line()
{
	errs_are_ours "$@"
	[ $(wc -l <"${1:-errs}") -eq 1 ] ||
	    fail "not one line: $(cat "${1:-errs}")"
}
