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


# --max-disk: every way to fill a branch ends with ENOSPC near the limit, and
# what the branch holds then is bounded; the same way with room succeeds.  Room
# comes back, and a full branch is committed like any other.

quota_setup()
{
	HOME=$(pwd)/home
	export HOME
	unset XDG_STATE_HOME
	mkdir -m 700 home
	store=${HOME}/.local/state/sandlock
	cow="${box} --unveil /dev/zero:r --unveil /dev/urandom:r --workdir wd --fs-isolation overlayfs --cwd wd"
	branch="$(program) branch"
	fill=$(helper quota)
	fresh
}

# Nothing in the directory, and no branch.
fresh()
{
	rm -rf wd
	[ ! -d "${store}" ] || chmod -R u+rwx "${store}"
	rm -rf "${store}"
	mkdir wd
}

# KiB that the branch that was kept holds, sparse files by their size.
held()
{
	[ "$(ls "${store}" | wc -l)" -eq 1 ] || atf_fail "no branch was kept"
	a=$(du -sk "${store}"/*/upper | cut -f 1)
	b=$(du -sk --apparent-size "${store}"/*/upper | cut -f 1)
	[ "${a}" -ge "${b}" ] || a=${b}
	echo "${a}"
}

# What is in the directory, and when each thing was changed.
snapshot()
{
	find wd -printf '%p %i %m %s %T@ %C@\n' | sort
}

# Run a way with a limit; its output is in out, the branch stays.
way()
{
	limit=$1
	shift
	${cow} --max-disk "${limit}" --on-exit keep --on-error keep -- \
	    "${fill}" "$@" >out 2>err
	status=$?
	grep -v ' is kept$' err >err2
}

# refused WAY N ERRNO M: of N there is no room in 1M; of M there is.
refused()
{
	fresh
	eval "${lower:-:}"
	snapshot >before
	way 1M "$1" "$2"
	[ "${status}" -eq 3 ] || atf_fail "$1 $2: ${status}: $(cat out err)"
	grep -q "^$3 after" out || atf_fail "$1 $2: $(cat out err)"
	[ ! -s err2 ] || atf_fail "$1 $2: $(cat err)"
	# A block for each writer, and the directories.
	[ "$(held)" -le 1072 ] || atf_fail "$1 $2: the branch holds $(held)"
	# The branch is where it all went.
	snapshot >after
	cmp -s before after || atf_fail "$1: $(diff before after)"
	fresh
	eval "${lower:-:}"
	way 1M "$1" "$4"
	[ "${status}" -eq 0 ] || atf_fail "$1 $4: ${status}: $(cat out err)"
	fresh
	eval "${lower:-:}"
	way 1G "$1" "$2"
	[ "${5:-0}" -ne 0 ] || [ "${status}" -eq 0 ] ||
	    atf_fail "$1 $2 with room: ${status}: $(cat out err)"
}

atf_test_case data
data_body()
{
	quota_setup
	for w in write append pwrite writev pwritev pwritev2 copy sendfile \
	    splice whole tmpfile unlinked mmap; do
		refused ${w} 20000 ENOSPC 500
	done
}

atf_test_case sizes
sizes_body()
{
	quota_setup
	# 8 EiB less one KiB, and more than there is.
	for w in ftruncate truncate; do
		refused ${w} 9007199254740991 ENOSPC 500 1
		refused ${w} 2000 ENOSPC 500
	done
	refused fallocate 1073741824 ENOSPC 500 1
	refused fallocate 2000 ENOSPC 500
	# These are not to be had at all.
	for w in keep_size clone aio; do
		fresh
		way 1M ${w} 500
		[ "${status}" -eq 3 ] || atf_fail "${w}: $(cat out err)"
		atf_check -o match:'^(EOPNOTSUPP|ENOSYS) after 0' cat out
	done
	# Control: what the kernel says to that without a quota.
	fresh
	atf_check -o match:'^done' ${cow} --on-exit abort -- "${fill}" \
	    keep_size 500
	atf_check -o match:'^done' ${cow} --on-exit abort -- "${fill}" aio 500
}

atf_test_case things
things_body()
{
	quota_setup
	for w in empty directory fifo symlink link socket xattr; do
		refused ${w} 1000 ENOSPC 40
	done
}

atf_test_case copies
copies_body()
{
	quota_setup
	lower='for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		dd if=/dev/zero of=wd/lower${i} bs=100k count=1 2>/dev/null
	    done'
	for w in lower_open lower_chmod lower_link lower_rename; do
		refused ${w} 16 ENOSPC 5
	done
	# One that is larger than the limit, by itself and in a directory.
	lower='mkdir -p wd/a/b; truncate -s 100M wd/lower0'
	refused lower_open 1 ENOSPC 0
	[ "$(stat -c %s wd/lower0)" -eq 104857600 ] || atf_fail "lower0"
}

atf_test_case at_once
at_once_body()
{
	quota_setup
	way 1M writers 2000
	[ "${status}" -eq 3 ] || atf_fail "$(cat out err)"
	[ "$(grep -c ENOSPC out)" -eq 4 ] || atf_fail "$(cat out err)"
	[ "$(held)" -le 1072 ] || atf_fail "the branch holds $(held)"
	# All of it is there to be had.
	[ "$(held)" -ge 960 ] || atf_fail "the branch holds $(held)"
	fresh
	way 1M writers 200
	[ "${status}" -eq 0 ] || atf_fail "$(cat out err)"
}

# Of a long write a part is made at a time.
atf_test_case turns
turns_head()
{
	atf_set "descr" "who calls while that goes on is answered"
	atf_set "timeout" "120"
}
turns_body()
{
	quota_setup
	way 1G turns 16384
	[ "${status}" -eq 0 ] || atf_fail "${status}: $(cat out err)"
	atf_check -o inline:'done\n' cat out
}

atf_test_case back
back_body()
{
	quota_setup
	# Three times as much as there is, one after the other.
	way 1M give_back 700
	[ "${status}" -eq 0 ] || atf_fail "$(cat out err)"
	fresh
	way 1M read_only 700
	[ "${status}" -eq 0 ] || atf_fail "$(cat out err)"
	fresh
	way 1M keep_open 700
	[ "${status}" -eq 0 ] || atf_fail "$(cat out err)"
	atf_check -o match:'^mapped: ENOSPC after' \
	    -o match:'^sent: ENOSPC after' cat out
	fresh
	# Removed names of every kind, by the shell's programs.
	atf_check -e match:'is kept' ${cow} --max-disk 1M --on-exit keep -e '
		set -e
		for i in 1 2 3 4; do
			mkdir d; dd if=/dev/zero of=d/f bs=700k count=1
			ln d/f d/g; ln -s f d/s
			mv d e; rm -r e
			dd if=/dev/zero of=x bs=700k count=1; >x
			dd if=/dev/zero of=y bs=700k count=1; mv x y; rm y
		done 2>/dev/null; echo end >end'
	[ "$(held)" -le 40 ] || atf_fail "the branch holds $(held)"
	[ -f "${store}"/*/upper/end ] || atf_fail "it did not come to the end"
	fresh
	# In a full branch what was there before can be removed.
	mkdir wd/a
	for i in 1 2 3 4 5 6 7 8 9; do
		echo ${i} >wd/a/${i}
	done
	atf_check -e ignore ${cow} --max-disk 64K -e '
		dd if=/dev/zero of=full bs=1k count=100
		[ $(stat -c %s full) -gt 50000 ] || exit 1
		rm a/*; rmdir a; rm full; echo y >z'
	atf_check -o inline:'z\n' ls wd
}

atf_test_case race
race_body()
{
	quota_setup
	way 1M race 20000
	[ "${status}" -eq 0 ] || atf_fail "$(cat out err)"
	# Or it would prove nothing.
	grep -q '^0 of' err && atf_fail "never raced: $(cat err)"
	[ "$(held)" -le 1072 ] || atf_fail "the branch holds $(held)"
	# Without the limit of sizes there is no quota: it cannot be lifted.
	fresh
	way 1M limit 1000
	atf_check -o inline:'EPERM after 0\n' cat out
}

atf_test_case outside
outside_body()
{
	quota_setup
	mkdir elsewhere
	cow="${cow} -w elsewhere --max-disk 64K --on-exit abort"
	# What lies elsewhere is written and not counted.
	atf_check ${cow} -e '
		dd if=/dev/zero of=../elsewhere/f bs=100k count=5 2>/dev/null
		truncate -s 2M ../elsewhere/g; truncate -s 1M ../elsewhere/g
		yes | head -c 300000 >>../elsewhere/f'
	atf_check -o inline:'812000 f\n1048576 g\n' \
	    sh -c 'cd elsewhere && stat -c "%s %n" f g'
	# So is a stream, file or pipe.
	${cow} -e 'yes | head -c 200000' >stream || atf_fail "stream"
	atf_check -o inline:'200000\n' stat -c %s stream
	atf_check -o inline:'200000\n' sh -c "${cow} -e \
	    'yes | head -c 200000' | wc -c"
	# Control: in the directory it is refused.
	atf_check -s exit:1 -e match:'No space left' ${cow} -e \
	    'yes | head -c 200000 >f'
}

atf_test_case copying
copying_body()
{
	quota_setup
	cow="${cow} --unveil /proc:r"
	for cow in "${cow}" "${cow} --fs-isolation seccomp"; do
		fresh
		way 1M within 0
		[ "${status}" -eq 0 ] || atf_fail "within: $(cat out err)"
		fresh
		way 1M from_proc 0
		atf_check -o inline:'EINVAL after 0\n' cat out
		# Control: what the kernel says to that without a quota.
		fresh
		for w in within from_proc; do
			atf_check -o match:'^done' ${cow} --on-exit abort -- \
			    "${fill}" ${w} 0
		done
	done
}

# Names are counted where others are denied, too.
atf_test_case holes
holes_body()
{
	quota_setup
	mkdir -p around/secret
	echo secret >around/secret/f
	plain=${cow}
	for cow in "${plain}" "${plain} --fs-isolation seccomp"; do
		cow="${cow} -r around --fs-deny around/secret"
		lower=
		for w in empty directory fifo symlink link; do
			refused ${w} 1000 ENOSPC 40
		done
		refused unlinked 20000 ENOSPC 500
		refused write 20000 ENOSPC 500
		lower='for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
			dd if=/dev/zero of=wd/lower${i} bs=100k count=1 \
			    2>/dev/null
		    done'
		refused lower_open 16 ENOSPC 5
		refused lower_rename 16 ENOSPC 5
		atf_check -s exit:1 -e match:'ermission denied' ${cow} \
		    --max-disk 1M --on-exit abort -e 'cat ../around/secret/f'
	done
	# One that lies in the directory, where only one back end can count.
	lower='mkdir wd/secret'
	cow="${plain} --fs-isolation seccomp --fs-deny wd/secret"
	refused empty 1000 ENOSPC 40
	atf_check -s exit:125 -e match:'--max-disk: impossible with' \
	    ${plain} --fs-isolation=overlayfs --max-disk 1M \
	    --fs-deny wd/secret -e true
}

atf_test_case commit
commit_body()
{
	quota_setup
	echo old >wd/old
	echo gone >wd/gone
	mkdir wd/dir
	echo 1 >wd/dir/1
	# What was said to be written is what is committed.
	atf_check -e ignore ${cow} --max-disk 256K -e '
		rm gone; echo new >>old; mv dir/1 dir/2 2>/dev/null
		i=0
		while dd if=/dev/urandom of=f$i bs=7k count=1 2>/dev/null; do
			i=$((i + 1))
		done
		rm f0
		sha1sum f[1-9]* old >sums; exit 0'
	[ "$(wc -l <wd/sums)" -ge 10 ] || atf_fail "little was written"
	atf_check -o ignore sh -c 'cd wd && sha1sum -c sums'
	atf_check -o inline:'old\nnew\n' cat wd/old
	[ ! -e wd/gone ] || atf_fail "gone is there"
	atf_check -o inline:'2\n' ls wd/dir
	atf_check ${branch} list
	[ -z "$(ls -A "${store}")" ] || atf_fail "left: $(ls -A "${store}")"
	[ -z "$(find wd -name '.sandlock*')" ] || atf_fail "left in wd"
	# An error, by the lack of room, is one: nothing is committed.
	cp -a wd before
	atf_check -s exit:1 -e match:'No space left' ${cow} --max-disk 64K -e \
	    'echo more >>old; dd if=/dev/zero of=big bs=1M count=1'
	atf_check diff -r before wd
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case data
	atf_add_test_case sizes
	atf_add_test_case things
	atf_add_test_case copies
	atf_add_test_case at_once
	atf_add_test_case turns
	atf_add_test_case back
	atf_add_test_case race
	atf_add_test_case outside
	atf_add_test_case copying
	atf_add_test_case holes
	atf_add_test_case commit
}
