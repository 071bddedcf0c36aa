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


# Races on the merged working directory, by view_races.c: what a call was judged
# by is another thing when the kernel or a worker gets to it.  Each is short;
# all but the number of tries is as for a long one.  Both outcomes have to come,
# or nothing was raced; and neither the directory, nor one that may be read only,
# nor one that may not be read is touched.

races_setup()
{
	HOME=$(pwd)/home
	TMPDIR=$(pwd)/tmp
	export HOME TMPDIR
	unset XDG_STATE_HOME
	umask 022
	mkdir -m 700 home
	mkdir tmp wd wd/dir wd/nib host secret
	echo one >wd/file
	echo two >wd/dir/old
	printf '#! /bin/sh\nexit 0\n' >wd/run
	ln -s ../secret wd/s
	ln -s ../host wd/h
	ln -s ../../secret wd/dir/s
	echo secret >secret/file
	printf '#! /bin/sh\nexit 66\n' >secret/run
	chmod 755 wd/run secret/run
	echo host >host/file
	cow="${box} --unveil /dev/urandom:r -r /proc -r host --workdir wd"
	cow="${cow} --cwd wd --env TMPDIR=${TMPDIR} -w ${TMPDIR}"
	cow="${cow} --on-exit abort"
	for d in wd secret host; do
		/usr/bin/python3 "$(helper tree.py)" -t ${d} >${d}.before
	done
}

# A race in a directory in which nothing was changed, and in one where things
# were.
race()
{
	# Which outcomes there are luck decides where nothing was changed before.
	for try in 1 2 3 4; do
		race_after : "$@" && break
		[ "${try}" -ne 4 ] || atf_fail "$*: ${missed}"
	done
	race_after 'echo x >>file; echo x >>dir/old; : >nib/new' "$@" ||
	    atf_fail "$*: ${missed}"
}

# The same after one command; whether each outcome that is expected was seen.
race_after()
{
	first=$1
	shift
	${cow} -- sh -c "${first}"'; exec "$@"' sh \
	    "$(helper view_races)" "$@" >out 2>err || atf_fail "$*: $(cat err)"
	[ ! -s err ] || atf_fail "$*: $(cat err)"
	for d in wd secret host; do
		atf_check -o file:${d}.before \
		    /usr/bin/python3 "$(helper tree.py)" -t ${d}
	done
	for what in ${expect}; do
		missed="never ${what}: $(cat out) (${first})"
		grep -q "${what} [1-9]" out || return 1
	done
}

# The control: without a sandbox the secret is read, or the other program run.
bare_race()
{
	rm -rf control
	mkdir control
	cp -a wd host secret control
	(cd control/wd && "$(helper view_races)" "$@") >out 2>err
}

control()
{
	! bare_race "$@" || atf_fail "the control came to nothing: $(cat out)"
	grep -q -e secret -e program err || atf_fail "control: $(cat err)"
}

race_head()
{
	atf_set "require.files" "/usr/bin/python3"
}

atf_test_case read
read_head()
{
	atf_set "descr" "the name of an open for reading changes"
	race_head
}
read_body()
{
	races_setup
	control read 2000 file s/file
	expect="made refused"
	race read 2000 file s/file
	race read 2000 dir/old s/file
}

atf_test_case write
write_head()
{
	atf_set "descr" "the name of an open for writing changes"
	race_head
}
write_body()
{
	races_setup
	expect="made refused"
	race write 1000 file s/file
	race write 1000 dir/old h/file
	# The control.
	bare_race write 40 file h/file || atf_fail "control: $(cat err)"
	grep -q x control/host/file || atf_fail "the control wrote nothing"
}

atf_test_case path
path_head()
{
	atf_set "descr" "the name of an O_PATH descriptor changes"
	race_head
}
path_body()
{
	races_setup
	control path 2000 file s/file
	expect="made refused"
	race path 1000 file s/file
}

atf_test_case change
change_head()
{
	atf_set "descr" "names change in calls that change what they name"
	race_head
}
change_body()
{
	races_setup
	expect="made refused"
	race change 500 file s/file
	race change 500 file h/file
	# The control.
	bare_race change 100 file h/file || atf_fail "control: $(cat err)"
	/usr/bin/python3 "$(helper tree.py)" -t control/host >host.after
	atf_check -s exit:1 cmp -s host.before host.after
}

atf_test_case directory
directory_head()
{
	atf_set "descr" "the directory a name begins in changes"
	race_head
}
directory_body()
{
	races_setup
	control directory 2000 dir s
	control chdir 2000 dir s
	expect="made refused"
	race directory 1000 dir s
	race chdir 1000 dir s
}

atf_test_case middle
middle_head()
{
	atf_set "descr" "a directory on the way becomes a link"
	race_head
}
middle_body()
{
	races_setup
	control middle 2000 file s
	expect="made refused"
	race middle 1000 file s
}

atf_test_case page
page_head()
{
	atf_set "descr" "memory for names and answers comes and goes"
	race_head
}
page_body()
{
	races_setup
	expect="made faults"
	race page 4000 file none
	grep -q "refused 0,.*others 0$" out || atf_fail "$(cat out)"
	# The control: the kernel says nothing else.
	bare_race page 100000 file none || atf_fail "control: $(cat err)"
	grep -q "refused 0, faults [1-9].*others 0$" out ||
	    atf_fail "control: $(cat out)"
}

atf_test_case exec
exec_head()
{
	atf_set "descr" "the name of a program changes"
	race_head
}
exec_body()
{
	races_setup
	control exec 2000 run s/run
	expect="made refused"
	race exec 100 run s/run
}

atf_test_case stop
stop_head()
{
	atf_set "descr" "a caller is stopped and its memory changed by another"
	race_head
}
stop_body()
{
	races_setup
	expect="made refused"
	race stop 2000 file s/file
}

atf_test_case ends
ends_head()
{
	atf_set "descr" "1,000 threads end in such calls; callers are killed"
	race_head
}
ends_body()
{
	races_setup
	expect="made"
	race exit 2 file none
	race kill 100 file none
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case read
	atf_add_test_case write
	atf_add_test_case path
	atf_add_test_case change
	atf_add_test_case directory
	atf_add_test_case middle
	atf_add_test_case page
	atf_add_test_case exec
	atf_add_test_case stop
	atf_add_test_case ends
}
