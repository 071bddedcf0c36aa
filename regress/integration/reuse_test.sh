#! /usr/bin/env atf-sh
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

# Callers that are killed while the supervisor works on their call, and others
# that get their numbers, by reuse.c: at each step of the supervisor, call by
# call.  The control of each is that what must not happen is noticed when it
# does, by a call of the other process's own.  And a storm, at any time.

# A pid name space, in which the numbers are ours to give.
own="unshare -pf --mount-proc"
[ "$(id -u)" -eq 0 ] || own="unshare -Urpf --mount-proc"

reuse_setup()
{
	HOME=$(pwd)/home
	export HOME
	unset XDG_STATE_HOME
	mkdir -m 700 home
	# shellcheck disable=SC2086
	${own} sh -c 'echo 1000 >/proc/sys/kernel/ns_last_pid' 2>/dev/null ||
	    atf_skip "no process numbers to give away"
	port1=1 port2=2
}

# A run that has ended with its pid name space has tidied nothing up.
reuse_tidy()
{
	chmod -R u+rwx home
	rm -rf home/.local wd
}

# reuse PROGRAM OPTIONS CALL: in a directory that is empty at first.
reuse()
{
	reuse_tidy
	mkdir wd
	# shellcheck disable=SC2086
	${own} "$(helper reuse)" "$3" ${box} -r /proc -r "$(pwd)/home" $2 \
	    --cwd wd -- "$(helper reuse)" "$1" "$3" "${port1}" "${port2}" \
	    >"$1.out" 2>err
}

# reused OPTIONS CALL ...
reused()
{
	options=$1
	shift
	for call in "$@"; do
		reuse inside "${options}" "${call}" ||
		    atf_fail "${call}: $(cat err)"
		[ ! -s err ] || atf_fail "${call}: $(cat err)"
		# Below that it was not looked at before it had its answer.
		atf_check -o match:"^${call}: .* ([3-9]|[0-9]{2,}) others" \
		    cat inside.out
		! reuse itself "${options}" "${call}" ||
		    atf_fail "${call}: the control came to nothing"
		grep -q -e 'it was given' -e 'memory was' -e 'it stands' \
		    -e 'its socket was' -e 'the offset has' -e 'a watch was' \
		    -e 'db.* was made' -e 'db.*: .* changed' -e 'db.* has an' \
		    -e 'db: . files' err || atf_fail "control: $(cat err)"
		reuse_tidy
	done
}

atf_test_case view
view_head()
{
	atf_set "descr" "calls in the working directory"
}
view_body()
{
	reuse_setup
	reused "--workdir wd" open read chmod fchmod utimes setxattr unlink \
	    mkdir rename link symlink bind stat getdents getcwd
}

atf_test_case rewritten
rewritten_head()
{
	atf_set "descr" "calls that are made again by another name"
}
rewritten_body()
{
	reuse_setup
	for what in chdir path; do
		reused "--workdir wd" ${what}
		# Once it is traced it keeps its number.
		atf_check -o match:' [1-9][0-9]* held$' cat inside.out
	done
}

atf_test_case quota
quota_head()
{
	atf_set "descr" "calls that are counted"
}
quota_body()
{
	reuse_setup
	reused "--workdir wd --max-disk 1M" open truncate ftruncate write copy
	reused "--workdir wd --max-disk 1M --fs-isolation overlayfs" unlink \
	    rename link truncate open
}

atf_test_case outside
outside_head()
{
	atf_set "descr" "calls outside of a working directory"
}
outside_body()
{
	reuse_setup
	reused "-w wd" chmod fchmod utimes setxattr
	reused "-w wd --fs-deny wd/no" watch stat open rename
}

atf_test_case connect cleanup
connect_head()
{
	atf_set "descr" "sockets that are changed on behalf"
	atf_set "require.files" "/usr/bin/python3"
}
connect_body()
{
	reuse_setup
	server one 127.0.0.1
	port1=${port}
	server two 127.0.0.1
	port2=${port}
	allowed="--net-allow localhost:${port1},${port2}"
	reused "-w wd ${allowed}" connect
	reused "-w wd ${allowed} \
	    --net-allow-bind ${port1},${port2}" listen
}
connect_cleanup()
{
	cleanup
}

atf_test_case storm
storm_head()
{
	atf_set "descr" "callers that are killed at any time"
}
storm_body()
{
	reuse_setup
	for options in "--workdir wd" "-w wd --fs-deny wd/no" \
	    "--workdir wd --max-disk 1M"; do
		reuse inside "${options}" storm || atf_fail "$(cat err)"
		[ ! -s err ] || atf_fail "$(cat err)"
		# The control: it did come to that, and often.
		count='([3-9][0-9]|[0-9]{3,})'
		atf_check -o \
		    match:"${count} killed in a call, ${count} numbers" \
		    cat inside.out
	done
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case view
	atf_add_test_case rewritten
	atf_add_test_case quota
	atf_add_test_case outside
	atf_add_test_case connect
	atf_add_test_case storm
}
