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
# done without a sandbox leaves the same tree; nothing is left of what was not
# committed; nothing is lost of what was kept.

# The same cases are run for each back end; this says which one it is.
backend='isolation overlayfs'

branch_setup()
{
	HOME=$(pwd)/home
	export HOME
	unset XDG_STATE_HOME
	mkdir -m 700 home
	store=${HOME}/.local/state/sandlock
	cow="${box} --workdir wd --fs-isolation overlayfs --cwd wd"
	branch="$(program) branch"
	tree="/usr/bin/python3 $(helper tree.py)"
}

# A directory with something of everything, under a name.
fill()
{
	mkdir -p "$1/dir/sub" "$1/gone/deep/er" "$1/swap" "$1/empty"
	echo one >"$1/file"
	echo old >"$1/dir/old"
	echo sub >"$1/dir/sub/file"
	echo x >"$1/gone/deep/er/x"
	echo swap >"$1/swap/inside"
	ln -s file "$1/link"
	ln -s /nowhere/at/all "$1/dangling"
	mkfifo "$1/fifo"
	printf '#! /bin/sh\necho ran\n' >"$1/script"
	chmod 750 "$1/script"
	chmod 600 "$1/dir/old"
	touch -d '2001-02-03 04:05:06.123456789' "$1/file" "$1/dir/old"
}

# The working directory; for branchfs it is a mount of one.
workdir()
{
	mkdir wd
	case ${backend} in
	*branchfs)
		serve wd
	esac
}

# Whether the run has a file in its branch by now.
in_branch()
{
	case ${backend} in
	*branchfs)
		ls wd.store/*/upper/"$1"
		;;
	*)
		ls "${store}"/*/upper/"$1"
	esac
}

# A server ends its branch in its own time.
no_record()
{
	[ -z "$(ls -A "${store}")" ] &&
	    { [ ! -d wd.store ] || [ -z "$(ls -A wd.store)" ]; }
}

# Nothing is left of any branch, nor of a commit.
no_branch()
{
	[ ! -d wd.store ] || [ -z "$(ls -A wd.store)" ] ||
	    atf_fail "left: $(ls -A wd.store)"
	atf_check ${branch} list
	[ ! -d "${store}" ] || [ -z "$(ls -A "${store}")" ] ||
	    atf_fail "left: $(ls -A "${store}")"
	[ -z "$(find wd -name '.sandlock*')" ] || atf_fail "left in wd"
}

# Every kind of change.
changes='echo two >>file; echo new >new; rm dir/old; mkdir -p a/b/c;
    echo deep >a/b/c/f; rm -r gone; rm -r swap; echo now a file >swap;
    ln -sf file2 link; rm dangling; mkdir dangling; chmod 700 dir;
    chmod 4711 script; mkfifo a/fifo; ln new new.hard; ln -s /etc/passwd out;
    mv dir/sub/file moved; touch -d @5 empty; truncate -s 1000000 sparse;
    printf x >"odd
name"; mkdir empty/in; rm -r empty/in; : >a/zero; chmod 400 a/zero;
    echo "echo more" >>script; chmod 500 script'

atf_test_case commit
commit_head()
{
	atf_set "descr" "a commit is what the same work does without a branch"
	atf_set "require.files" "/usr/bin/python3"
}
commit_body()
{
	branch_setup
	umask 022
	workdir
	mkdir twin
	fill wd
	fill twin
	(cd twin && ${bare} sh -c "${changes}") || atf_fail "bare"
	${tree} wd >before
	atf_check ${cow} -- sh -c "${changes}"
	${tree} twin >expected
	atf_check -o file:expected ${tree} wd
	! cmp -s before expected || atf_fail "nothing was changed"
	no_branch
	# The second commit of nothing changes nothing.
	${tree} -t wd >before
	atf_check ${cow} -- true
	atf_check -o file:before ${tree} -t wd
	no_branch
}

atf_test_case during
during_head()
{
	atf_set "descr" "the directory itself stays as it is during the run"
	atf_set "require.files" "/usr/bin/python3"
}
during_body()
{
	branch_setup
	workdir
	fill wd
	${tree} -t wd >before
	mkfifo go
	${cow} --unveil "$(pwd)/go:r" -- \
	    sh -c "${changes}; : >done; cat ../go" &
	run=$!
	wait_for in_branch done
	atf_check -o file:before ${tree} -t wd
	# What somebody else adds is there at once, and stays.
	echo outside >wd/outside
	echo go >go
	wait ${run} || atf_fail "the run failed"
	atf_check -o inline:"outside\n" cat wd/outside
	atf_check test -f wd/done
	no_branch
}

atf_test_case abort
abort_head()
{
	atf_set "descr" "failure, signal, time limit, --on-exit abort: no trace"
	atf_set "require.files" "/usr/bin/python3"
}
abort_body()
{
	branch_setup
	workdir
	fill wd
	${tree} -t wd >before
	atf_check -s exit:3 ${cow} -- sh -c "${changes}; exit 3"
	atf_check -o file:before ${tree} -t wd
	no_branch
	atf_check -s exit:143 ${cow} -- sh -c "${changes}; kill \$\$"
	atf_check -s exit:124 ${cow} -t 1 -- sh -c "${changes}; sleep 60"
	atf_check -s exit:127 -e ignore ${cow} -- /nonexistent
	atf_check ${cow} --on-exit abort -- sh -c "${changes}"
	atf_check -o file:before ${tree} -t wd
	no_branch
	# Control.
	atf_check -s exit:3 ${cow} --on-error commit -- \
	    sh -c "${changes}; exit 3"
	! ${tree} -t wd | cmp -s - before || atf_fail "nothing was committed"
	no_branch
}

atf_test_case dry_run
dry_run_head()
{
	atf_set "descr" "--dry-run: the changes, as text, JSON and diff"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "patch"
}
dry_run_body()
{
	branch_setup
	workdir
	fill wd
	${tree} -t wd >before
	work='echo two >>file; echo new >new; rm dir/old; mkdir a; : >a/b;
	    rm link; mkdir link; rm -r gone; cp -p script s; mv s script;
	    touch dir/sub/file; echo "odd" >"x
y"'
	cat >expected <<'END'
A  a
A  a/b
D  dir/old
M  file
D  gone
D  gone/deep
D  gone/deep/er
D  gone/deep/er/x
T  link
A  new
A  x\ny
END
	atf_check -o file:expected ${cow} --dry-run -- sh -c "${work}"
	atf_check -o file:before ${tree} -t wd
	no_branch
	${cow} --dry-run --json -- sh -c "${work}" >json ||
	    atf_fail "--json"
	/usr/bin/python3 -c 'import json, sys
for c in json.load(sys.stdin):
    print(c["change"] + "  " + c["path"].replace("\n", "\\n"))' <json >list
	atf_check -o file:expected cat list
	# patch(1) makes of the one what the run made of it.
	cp -a wd twin
	(cd twin && ${bare} sh -c 'seq 1000 >n; cp n m') || atf_fail "twin"
	cp twin/n twin/m wd
	(cd twin && sh -c 'sed -i -e 5d -e "500a added" -e "1i first" n;
	    printf "no newline" >>m; echo t >t; rm file')
	${cow} --dry-run --diff -- sh -c 'sed -i -e 5d -e "500a added" \
	    -e "1i first" n; printf "no newline" >>m; echo t >t; rm file' \
	    >diff || atf_fail "--diff"
	cp -a wd patched
	atf_check -o ignore -e ignore sh -c 'cd patched && patch -p1 <../diff'
	for f in n m t; do
		atf_check cmp "twin/${f}" "patched/${f}"
	done
	[ ! -e patched/file ] || atf_fail "not deleted"
	[ "$(grep -c '^[-+]' diff)" -lt 20 ] || atf_fail "a long diff"
}

atf_test_case keep
keep_head()
{
	atf_set "descr" "--on-exit keep: list, diff, commit, abort"
	atf_set "require.files" "/usr/bin/python3"
}
keep_body()
{
	branch_setup
	umask 022
	workdir
	mkdir twin
	fill wd
	fill twin
	(cd twin && ${bare} sh -c "${changes}") || atf_fail "bare"
	${tree} twin >expected
	${tree} -t wd >before
	atf_check -e match:'branch [a-z0-5]{10} of .*/wd is kept' \
	    ${cow} --on-exit keep -- sh -c "${changes}"
	atf_check -s exit:9 -e match:'is kept' \
	    ${cow} --on-error keep -- sh -c "echo nine >nine; exit 9"
	atf_check -o file:before ${tree} -t wd
	${branch} list >list
	[ "$(grep -c "  $(pwd -P)/wd  kept\$" list)" -eq 2 ] ||
	    atf_fail "list: $(cat list)"
	for name in $(cut -d ' ' -f 1 list); do
		if ${branch} diff "${name}" | grep -q '^A  nine$'; then
			nine=${name}
		else
			other=${name}
		fi
	done
	atf_check -o match:'^\+two$' ${branch} diff "${other}"
	atf_check -o match:'"path": "nine"' ${branch} diff --json "${nine}"
	atf_check ${branch} abort "${nine}"
	atf_check -o file:before ${tree} -t wd
	atf_check ${branch} recover "${other}"
	atf_check -o file:before ${tree} -t wd
	atf_check ${branch} commit "${other}"
	atf_check -o file:expected ${tree} wd
	no_branch
	for verb in diff commit abort recover; do
		for name in "${nine}" nonexistent ../x . ''; do
			atf_check -s exit:125 -e match:'No such file' \
			    ${branch} ${verb} "${name}"
		done
	done
}

atf_test_case conflict
conflict_head()
{
	atf_set "descr" "what changed outside as well is named, and kept"
	atf_set "require.files" "/usr/bin/python3"
}
conflict_body()
{
	branch_setup
	workdir
	fill wd
	cow="${cow} --unveil $(pwd)/go:r"
	mkfifo go
	for outside in 'echo mine >>file' 'rm file' 'chmod 600 file' \
	    'echo mine >gone/deep/new' 'echo mine >new'; do
		${cow} -- sh -c 'echo two >>file; echo new >new; rm -r gone;
		    : >ready; cat ../go' 2>errs &
		wait_for in_branch ready
		(cd wd && sh -c "${outside}")
		${tree} -t wd >now
		echo go >go
		rc=0
		wait $! || rc=$?
		[ ${rc} -eq 125 ] || atf_fail "${outside}: ${rc}"
		grep -q 'outside since the branch was made$' errs ||
		    atf_fail "${outside}: $(cat errs)"
		atf_check -o file:now ${tree} -t wd
		name=$(${branch} list | cut -d ' ' -f 1)
		atf_check -s exit:125 -e match:'conflict: nothing is commit' \
		    ${branch} commit "${name}"
		atf_check -o file:now ${tree} -t wd
		atf_check ${branch} abort "${name}"
		rm -rf wd/gone wd/new
		(cd wd && mkdir -p gone/deep && echo one >file)
	done
	no_branch
	# Control: what the branch does not touch may change.
	${cow} -- sh -c 'echo two >>file; : >ready; cat ../go' &
	wait_for in_branch ready
	echo mine >>wd/dir/sub/file
	echo go >go
	wait || atf_fail "control"
	atf_check -o match:two cat wd/file
	no_branch
}

atf_test_case abandoned
abandoned_head()
{
	atf_set "descr" "what a run left that never began is tidied away"
}
abandoned_body()
{
	branch_setup
	mkdir wd
	fill wd
	# Kept as it was asked for: empty, and nobody's to remove.
	atf_check -e match:kept ${cow} --on-exit keep -- true
	atf_check ${branch} recover
	atf_check -o match:'  kept$' ${branch} list
	name=$(${branch} list | cut -d ' ' -f 1)
	[ ! -e "${store}/${name}/fresh" ] || atf_fail "still fresh"
	# Left by a run that was killed as soon as it had made it.
	: >"${store}/${name}/fresh"
	echo work >"${store}/${name}/upper/something"
	atf_check -o match:'  kept$' ${branch} list
	rm "${store}/${name}/upper/something"
	# In use: it may be about to begin.
	mkfifo go
	flock "${store}/${name}/info" sh -c ': >held; cat go' &
	wait_for test -f held
	atf_check -o match:'  in use$' ${branch} list
	echo go >go
	wait
	atf_check ${branch} list
	no_branch
	# The same by recover, and of one that was not complete, after a while.
	for how in list recover; do
		mkdir -m 700 "${store}/abcdefghij" "${store}/abcdefghij/work"
		: >"${store}/abcdefghij/info"
		atf_check -o match:'  unreadable$' ${branch} list
		touch -d '1 hour ago' "${store}/abcdefghij"
		atf_check ${branch} ${how}
		no_branch
		mkdir -m 700 "${store}/abcdefghij" "${store}/abcdefghij/upper"
		: >"${store}/abcdefghij/upper/something"
		touch -d '1 hour ago' "${store}/abcdefghij"
		atf_check ${branch} recover
		atf_check -o match:'  unreadable$' ${branch} list
		rm -r "${store}/abcdefghij"
	done
}

# Whoever is lost, nothing is committed; and no branch is left by a parent
# that was killed.
atf_test_case killed
killed_head()
{
	atf_set "descr" "SIGKILL of each process during the run"
	atf_set "require.files" "/usr/bin/python3"
}
killed_body()
{
	branch_setup
	workdir
	fill wd
	${tree} -t wd >before
	for victim in sandlock supervisor cowd; do
		${cow} -- sh -c "${changes}; : >ready; exec sleep 600" \
		    2>errs &
		parent=$!
		wait_for in_branch ready
		pid=${parent}
		[ ${victim} = sandlock ] ||
		    pid=$(pgrep -P ${parent} -x ${victim})
		kill -KILL "${pid}"
		wait ${parent} 2>/dev/null && atf_fail "${victim}: success"
		wait_for no_record
		atf_check -o file:before ${tree} -t wd
	done
	# Who wants to keep it keeps it.
	for victim in sandlock supervisor cowd; do
		${cow} --on-error keep -- sh -c \
		    'echo two >>file; : >ready; exec sleep 600' 2>errs &
		parent=$!
		wait_for in_branch ready
		pid=${parent}
		[ ${victim} = sandlock ] ||
		    pid=$(pgrep -P ${parent} -x ${victim})
		kill -KILL "${pid}"
		wait ${parent} 2>/dev/null && atf_fail "${victim}: success"
		wait_for sh -c "${branch} list | grep -q 'kept\$'"
		name=$(${branch} list | cut -d ' ' -f 1)
		atf_check -o match:'^M  file$' ${branch} diff "${name}"
		atf_check ${branch} abort "${name}"
		atf_check -o file:before ${tree} -t wd
	done
	no_branch
}

atf_test_case storage
storage_head()
{
	atf_set "descr" "where branches lie, and where they may not"
}
storage_body()
{
	branch_setup
	workdir
	fill wd
	atf_check -e match:kept ${cow} --fs-storage st --on-exit keep -- \
	    sh -c 'echo two >>file'
	[ "$(stat -c %a st)" = 700 ] || atf_fail "mode of the storage"
	atf_check ${branch} list
	name=$(${branch} list --fs-storage st | cut -d ' ' -f 1)
	# The workload sees neither its own branch nor that of others.
	atf_check -s exit:2 -e match:'Permission denied' ${cow} -- \
	    ls "$(pwd)/st/${name}"
	atf_check ${branch} commit --fs-storage st "${name}"
	atf_check -o inline:"one\ntwo\n" cat wd/file
	atf_check -s exit:125 -e match:'branches would lie below' ${cow} \
	    --fs-storage wd/st -- true
	[ ! -e wd/st ] || atf_fail "made"
	mkdir open
	chmod 777 open
	atf_check -s exit:125 -e match:'others may write here' ${cow} \
	    --fs-storage open -- true
	chmod 700 open
	atf_check ${cow} --fs-storage open -- true
	[ "${backend#*branchfs}" = "${backend}" ] || return 0
	# A branch of another directory of that name.
	atf_check -e match:kept ${cow} --on-exit keep -- \
	    sh -c 'echo three >>file'
	name=$(${branch} list | cut -d ' ' -f 1)
	mv wd old
	mkdir wd
	atf_check -o match:'without its directory' ${branch} list
	atf_check -s exit:125 -e match:'without its directory .*/wd' \
	    ${branch} commit "${name}"
	rmdir wd
	mv old wd
	atf_check ${branch} commit "${name}"
	atf_check -o match:three cat wd/file
	no_branch
}

# A mode of the policy that changes who we are or what is seen.
atf_test_case combined
combined_head()
{
	atf_set "descr" "with --user, a profile, limits and paths inside"
	atf_set "require.files" "/usr/bin/python3"
}
combined_body()
{
	branch_setup
	workdir
	fill wd
	[ "$(id -u)" -eq 0 ] || atf_check -o inline:"0\n" ${cow} --user 0:0 \
	    -P 20 -t 60 -- sh -c 'id -u; echo two >>file'
	printf 'profile "x" {\nworkdir "%s"\nisolation overlayfs\n%s\n}\n' \
	    "$(pwd)/wd" 'on exit keep' >x.conf
	chmod 644 x.conf
	atf_check -e match:kept ${box} -f x.conf --cwd wd -- \
	    sh -c 'echo three >>file'
	name=$(${branch} list | cut -d ' ' -f 1)
	atf_check ${branch} commit "${name}"
	atf_check -o match:three cat wd/file
	# Started from inside, by a relative name.
	(cd wd/dir && atf_check ${box} --workdir .. --fs-isolation overlayfs \
	    -- sh -c 'pwd >../where; ls sub >>../where')
	atf_check -o inline:"$(pwd -P)/wd/dir\nfile\n" cat wd/where
	# Metadata changes, which cowd makes, are in the branch as well.
	atf_check ${cow} --on-exit abort -- sh -c 'chmod 777 file &&
	    touch -d @7 file && stat -c "%a %Y" file | grep -qx "777 7"'
	[ "$(stat -c %a wd/file)" = 644 ] || atf_fail "chmod went through"
	# An id of somebody else is refused as anywhere; one's own is not.
	cat >chown.py <<'END'
import errno, os
for uid, gid in (-1, -1), (os.getuid(), os.getgid()), (0, 0), (-1, 4):
    try:
        os.chown("file", uid, gid)
        print("ok")
    except OSError as e:
        print(errno.errorcode[e.errno])
END
	if [ "$(id -u)" -ne 0 ]; then
		(cd wd && /usr/bin/python3 ../chown.py) >want
		atf_check -o inline:"ok\nok\nEPERM\nEPERM\n" cat want
		atf_check -o file:want ${cow} --on-exit abort -- \
		    /usr/bin/python3 -c "$(cat chown.py)"
	fi
	no_branch
}

# What a reviewer has to see, and patch(1) to read.
atf_test_case diff
diff_head()
{
	atf_set "descr" "diffs of odd names, modes and what cannot be read"
	atf_set "require.progs" "patch"
}
diff_body()
{
	branch_setup
	workdir
	mkdir twin
	for name in "a b" "t	b" 'q"\' "ä" plain; do
		echo "one ${name}" >"wd/${name}"
		cp "wd/${name}" "twin/${name}"
	done
	work='for f in *; do echo two >>"$f"; done; printf three >new'
	${cow} --dry-run --diff -- sh -c "${work}" >diff || atf_fail "--diff"
	(cd twin && ${bare} sh -c "${work}") || atf_fail "bare"
	atf_check -o ignore sh -c 'cd wd && patch -s -p1 <../diff'
	atf_check diff -r twin wd
	atf_check -o match:'^File b/plain: mode 4755, was 0644$' \
	    ${cow} --dry-run --diff -- chmod 4755 plain
	[ "$(id -u)" -eq 0 ] || atf_check -o match:'^File b/new: .*read$' \
	    ${cow} --dry-run --diff -- sh -c 'chmod 000 new'
	no_branch
}

# Mistakes, and things that are nobody's mistake.
atf_test_case odd_places
odd_places_head()
{
	atf_set "descr" "TMPDIR inside, no write permission, another directory"
}
odd_places_body()
{
	branch_setup
	workdir
	mkdir -p wd/tmp elsewhere
	fill wd
	(cd elsewhere && atf_check -s exit:125 -e match:'lies below --workdir' \
	    env TMPDIR="${PWD}/../wd/tmp" ${sl} --workdir ../wd \
	    --fs-isolation overlayfs -- true)
	# Nothing changed: nothing is written, whoever may write.
	chmod 555 wd
	atf_check -o inline:"one\n" ${cow} -- cat file
	chmod 755 wd
	[ "${backend#*branchfs}" = "${backend}" ] || return 0
	# The same name is another directory by now.
	atf_check -e match:kept ${cow} --on-exit keep -- rm file
	name=$(${branch} list | cut -d ' ' -f 1)
	rm -rf wd
	mkdir wd
	fill wd
	atf_check -s exit:125 -e match:'without its directory' \
	    ${branch} commit "${name}"
	atf_check test -f wd/file
	atf_check ${branch} abort "${name}"
	no_branch
}

# A commit that cannot be mended is nothing to lose the rest for.
atf_test_case force
force_head()
{
	atf_set "descr" "abort --force puts aside what cannot be recovered"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "strace"
}
force_body()
{
	branch_setup
	mkdir wd
	fill wd
	${tree} -t wd >before
	atf_check -e match:kept ${cow} --on-exit keep -- \
	    sh -c 'echo two >>file; rm dir/old'
	name=$(${branch} list | cut -d ' ' -f 1)
	# Broken off after its first step, and then a byte changes.
	strace -f -o trace -e trace=renameat2 \
	    -e inject=renameat2:signal=KILL:when=2 \
	    ${branch} commit "${name}" 2>/dev/null
	atf_check test -f "${store}/${name}/journal"
	/usr/bin/python3 -c 'import sys
f = open(sys.argv[1], "r+b")
f.seek(60)
b = f.read(1)
f.seek(60)
f.write(bytes([b[0] ^ 1]))' "${store}/${name}/journal"
	${tree} -t wd >before
	mkdir "wd/.sandlock.${name}"
	${tree} "${store}/${name}" >inside
	atf_check -o match:'  to be recovered$' ${branch} list
	atf_check -s exit:125 -e not-empty ${branch} recover "${name}"
	atf_check -s exit:125 -e match:'recover it first; .*--force gives' \
	    ${branch} abort "${name}"
	# Nor is it lost with its directory.
	mv wd away
	atf_check -s exit:125 -e match:'recover it first' \
	    ${branch} abort "${name}"
	mv away wd
	atf_check -s exit:125 -e match:'^usage: ' \
	    ${branch} commit --force "${name}"
	flock "${store}/${name}/info" $(program) branch abort --force \
	    "${name}" 2>errs && atf_fail "in use"
	grep -q 'in use$' errs || atf_fail "$(cat errs)"
	atf_check -o file:inside ${tree} "${store}/${name}"
	cat >expected <<END
sandlock: branch ${name} is given up: what its commit has done to \
$(pwd -P)/wd stays, and the rest is not done
sandlock: its journal, the rest, and what was replaced or deleted are in \
$(realpath "${store}")/.${name}: remove that when it is of no use any more
sandlock: so is $(pwd -P)/wd/.sandlock.${name}
END
	atf_check -e file:expected ${branch} abort --force "${name}"
	atf_check ${branch} list
	atf_check ${branch} recover
	atf_check -o file:inside ${tree} "${store}/.${name}"
	atf_check -s exit:125 -e match:'No such file' \
	    ${branch} abort --force "${name}"
	# It is a branch again by its name.
	mv "${store}/.${name}" "${store}/${name}"
	atf_check -o match:'  to be recovered$' ${branch} list
	rmdir "wd/.sandlock.${name}"
	${tree} wd >after
	# overlayfs has left a directory that nobody may enter.
	chmod -R u+rwx "${store}/${name}"
	rm -r "${store}/${name}"
	# One that is whole is discarded as ever.
	atf_check -e match:kept ${cow} --on-exit keep -- rm link
	atf_check ${branch} abort --force \
	    "$(${branch} list | cut -d ' ' -f 1)"
	atf_check -o file:after ${tree} wd
	no_branch
	# What says nothing of itself is put aside as well.
	mkdir -m 700 "${store}/zyxwvutsrq"
	echo nonsense >"${store}/zyxwvutsrq/info"
	atf_check -s exit:125 -e not-empty ${branch} abort zyxwvutsrq
	atf_check -e match:'is given up' ${branch} abort --force zyxwvutsrq
	atf_check ${branch} list
	atf_check test -f "${store}/.zyxwvutsrq/info"
}

# Names are bytes, and as long as they are.
atf_test_case json
json_head()
{
	atf_set "descr" "JSON loses nothing of names that are odd or long"
	atf_set "require.files" "/usr/bin/python3"
}
json_body()
{
	branch_setup
	mkdir wd
	cat >names.py <<'END'
import os
names = [b"plain", b"\xc3\xa4", b"\xff", b"a\xffb", b"\xff\xfe\xfd", b"x\xc3",
    b"\xed\xa0\x80", b"tab\there", b'quo"te\\', b"\xc2\x85"]
for n in names:
    open(n, "w").close()
END
	cat >read.py <<'END'
import base64, json, os, sys
here = set()
for c in json.load(sys.stdin):
    exact = c["path"].encode()
    if "path_bytes" in c:
        b = base64.b64decode(c["path_bytes"], validate=True)
        assert b.decode(errors="replace") != b.decode(errors="ignore"), b
        assert "\ufffd" in c["path"], c
        exact = b
    assert os.path.basename(exact) == exact and exact not in here
    here.add(exact)
assert here == set(os.listdir(b".")), here
print(len(here))
END
	mkdir names
	(cd names && /usr/bin/python3 ../names.py)
	${cow} --dry-run --json -- /usr/bin/python3 -c "$(cat names.py)" \
	    >list || atf_fail "--json"
	(cd names && atf_check -o inline:"10\n" /usr/bin/python3 ../read.py \
	    <../list)
	[ "$(grep -c path_bytes list)" -eq 5 ] || atf_fail "$(cat list)"
	# Deeper than a name for it, and than a message.  Names of the other
	# back end are messages themselves.
	case ${cow} in
	*overlayfs*)
	${cow} --dry-run --json -- /usr/bin/python3 -c '
import os
for i in range(700):
    n = "%03d" % i + "d" * 240
    os.mkdir(n)
    os.chdir(n)
open("end", "w").close()' >deep || atf_fail "deep"
	atf_check -o inline:"701 170803\n" /usr/bin/python3 -c '
import json
p = [c["path"] for c in json.load(open("deep"))]
for i, x in enumerate(sorted(p, key=len)[:-1]):
    assert len(x) == 244 * (i + 1) - 1, (i, len(x))
    assert x.endswith("%03d" % i + "d" * 240)
print(len(p), max(map(len, p)))'
	;;
	esac
	# So is the name of the directory.
	name=$(printf 'wd\377')
	mkdir "${name}"
	atf_check -e match:kept ${box} --workdir "${name}" \
	    --fs-isolation overlayfs --on-exit keep -- true
	${branch} list --json >list
	atf_check -o inline:"True\n" /usr/bin/python3 -c '
import base64, json, os
c, = json.load(open("list"))
print(base64.b64decode(c["workdir_bytes"]) == os.getcwdb() + b"/wd\xff")'
	atf_check ${branch} abort "$(${branch} list | cut -d ' ' -f 1)"
	no_branch
}

# What is only said can be broken off, though nobody reads it.
atf_test_case stalled
stalled_head()
{
	atf_set "descr" "a list that nobody reads is ended by a signal"
	atf_set "require.files" "/usr/bin/python3"
}
stalled_body()
{
	branch_setup
	mkdir wd
	fill wd
	long=$(printf '%080d' 0)
	work="i=0; while [ \$i -lt 1500 ]; do : >${long}\$i; i=\$((i + 1)); done"
	# Control: it is a long list.
	atf_check -e match:kept ${cow} --on-exit keep -- sh -c "${work}"
	name=$(${branch} list | cut -d ' ' -f 1)
	[ "$(${branch} diff --json "${name}" | grep -c change)" -eq 1500 ] ||
	    atf_fail "a short list"
	cat >hold.py <<'END'
import array, fcntl, os, signal, termios
fd = os.open("pipe", os.O_RDWR)
open("held", "w").close()
n = array.array("i", [0])
while n[0] < 61440:
    fcntl.ioctl(fd, termios.FIONREAD, n)
open("full", "w").close()
signal.pause()
END
	for what in "${cow} --dry-run -- sh -c '${work}':INT:130" \
	    "${branch} diff ${name}:TERM:143"; do
		rm -f pipe held full
		mkfifo pipe
		/usr/bin/python3 hold.py &
		holder=$!
		echo ${holder} >>pids
		wait_for test -f held
		eval "exec ${what%:*:*}" >pipe 2>errs &
		parent=$!
		wait_for test -f full
		sig=${what%:*}
		kill -"${sig##*:}" ${parent}
		(sleep 20; kill -KILL ${parent}) 2>/dev/null &
		guard=$!
		rc=0
		wait ${parent} || rc=$?
		kill ${guard} ${holder}
		[ ${rc} -eq "${what##*:}" ] ||
		    atf_fail "${what##*:}: status ${rc}: $(cat errs)"
		[ ! -s errs ] || atf_fail "$(cat errs)"
	done
	atf_check -o match:"^${name} .*  kept\$" ${branch} list
	[ "$(${branch} list | wc -l)" -eq 1 ] || atf_fail "left"
	atf_check ${branch} abort "${name}"
	no_branch
}

# Somebody replaces a file in the middle of a commit.
atf_test_case meanwhile
meanwhile_head()
{
	atf_set "descr" "a commit that meets a change undoes itself"
	atf_set "require.progs" "strace"
}
meanwhile_body()
{
	branch_setup
	workdir
	for i in 1 2 3 4 5 6 7 8 9; do
		echo old >"wd/f${i}"
	done
	atf_check -e match:kept ${cow} --on-exit keep -- \
	    sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo new >f$i; done'
	name=$(${branch} list | cut -d ' ' -f 1)
	strace -f -o trace -e trace=renameat2 \
	    -e inject=renameat2:delay_enter=1000000:when=5 \
	    ${branch} commit "${name}" 2>errs &
	wait_for grep -q new wd/f1 wd/f2 wd/f3
	echo mine >mine
	mv mine wd/f9
	rc=0
	wait $! || rc=$?
	[ ${rc} -eq 125 ] || atf_fail "status ${rc}"
	grep -q 'nothing is committed' errs || atf_fail "$(cat errs)"
	atf_check -o inline:"mine\n" cat wd/f9
	atf_check -o inline:"old\n" cat wd/f1
	atf_check -o match:'  kept$' ${branch} list
	atf_check ${branch} abort "${name}"
	no_branch
}

# Real programs, in a branch and without.
atf_test_case programs
programs_head()
{
	atf_set "descr" "git, make, tar, rsync, sqlite, npm, sed: the same tree"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "git make cc rsync npm"
	atf_set "timeout" "300"
}
programs_body()
{
	branch_setup
	umask 022
	mkdir src
	(cd src && git init -q . && git config user.email a@b &&
	    git config user.name n && for i in $(seq 60); do
		printf 'int f%d(void) { return (%d); }\n' "$i" "$i" >"f$i.c"
		printf 'int f%d(void);\n' "$i" >>all.h
	    done && { echo '#include "all.h"'; echo 'int main(void) {'
	    echo 'return (f1() + f60() - 61); }'; } >main.c &&
	    printf 'OBJS=%s\np: ${OBJS} main.o\n\tcc -o p ${OBJS} main.o\n' \
	    "$(seq -s ' ' -f 'f%g.o' 60)" >Makefile && git add -A &&
	    git commit -qm one) >/dev/null || atf_fail "source"
	tar cf src.tar -C src .
	cat >work.sh <<'END'
set -e
TMPDIR=$PWD
export TMPDIR
export GIT_AUTHOR_DATE='1000000000 +0000'
export GIT_COMMITTER_DATE='1000000000 +0000' GIT_CONFIG_NOSYSTEM=1
export npm_config_cache=./.npm npm_config_update_notifier=false
git clone -q --no-hardlinks ../src clone
cd clone
git config user.email a@b; git config user.name n
git config gc.auto 0; git config maintenance.auto false
make -s -j2 p; ./p; rm f1.o; make -s p; make -s p
sed -i s/f60/f59/ main.c; git add main.c; git commit -qm two
git checkout -q -b side HEAD~1; git merge -q side; git status --short | wc -l
cd ..
mkdir t; tar xf ../src.tar -C t; rsync -a t/ r/; rm -rf t; mv r t
python3 - <<'PY'
import sqlite3
d = sqlite3.connect("db"); d.execute("pragma journal_mode=wal")
d.execute("create table t(a)")
d.executemany("insert into t values(?)", [(i,) for i in range(500)])
d.commit(); d.execute("delete from t where a % 2"); d.commit(); d.close()
PY
mkdir pkg; cd pkg
printf '{"name":"m","version":"1.0.0"}' >package.json
mkdir ../lib; printf '{"name":"l","version":"1.0.0"}' >../lib/package.json
npm install --silent --no-audit --no-fund --install-links ../lib >/dev/null
rm -rf .npm
END
	workdir
	mkdir twin
	(cd twin && ${bare} sh ../work.sh) >bare.out 2>&1 ||
	    atf_fail "bare: $(cat bare.out)"
	${sl} -r / --workdir wd --fs-isolation overlayfs --cwd wd -w /dev/null \
	    -- sh ../work.sh >box.out 2>&1 || atf_fail "boxed: $(cat box.out)"
	atf_check -o file:bare.out cat box.out
	# Indexes and logs hold times and inode numbers.
	filter='grep -v -e /index -e /logs/ -e "^p " -e "[.]package-lock" -e "/config "'
	${tree} twin | eval "${filter}" >expected
	${tree} wd | eval "${filter}" >got
	atf_check -o file:expected cat got
	atf_check -o inline:"250\n" /usr/bin/python3 -c 'import sqlite3
print(sqlite3.connect("wd/db").execute("select count(*) from t").fetchone()[0])'
	atf_check git -C wd/clone fsck --strict
	no_branch
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case commit
	atf_add_test_case during
	atf_add_test_case abort
	atf_add_test_case dry_run
	atf_add_test_case keep
	atf_add_test_case killed
	atf_add_test_case storage
	atf_add_test_case combined
	atf_add_test_case diff
	atf_add_test_case odd_places
	atf_add_test_case programs
	# Conflicts and journals are of who commits; of branchfs that is the
	# server.  How things are listed does not depend on it.
	case ${backend} in
	*branchfs)
		;;
	*)
		atf_add_test_case conflict
		atf_add_test_case meanwhile
		atf_add_test_case abandoned
		atf_add_test_case force
		atf_add_test_case json
		atf_add_test_case stalled
	esac
}
