#!/bin/sh
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

# Run the tests: as the caller, and when that is root also as nobody, since an
# ordinary user is who runs sandlock.  The last line counts both runs.  Fails on
# a failed test, on a skip that skips.txt does not expect, and on no test.

set -u

cd "$(dirname "$0")" || exit 1
passed=0 failed=0 skipped=0 unexpected=0 failures=

# run_as NAME FOLDERS [COMMAND ...]: COMMAND is what changes the user.
run_as()
{
	name=$1
	folders=$2
	shift 2
	dir=$(mktemp -d "${TMPDIR:-/tmp}/slr.XXXXXX") || exit 1
	# Tests of root become nobody, and work below it.
	chmod 711 "$dir"
	if [ "$name" = nobody ]; then
		chown nobody "$dir" || exit 1
	fi
	echo "===> tests as $name"
	# One more than there are processors: many tests mostly wait.
	# shellcheck disable=SC2086
	"$@" env HOME="$dir" TMPDIR="$dir" XDG_CONFIG_HOME= \
	    kyua -v parallelism="$((${JOBS:-2} + 1))" -v unprivileged_user=nobody \
	    test -k "$PWD/Kyuafile" --results-file="$dir/results" $folders \
	    >"$dir/log" 2>&1
	grep -v -e '->  passed' "$dir/log"
	"$@" env HOME="$dir" kyua report --results-file="$dir/results" \
	    --results-filter=skipped >"$dir/report" 2>&1
	count "$dir/report"
	skips "$dir/report" "$name"
	if grep -q '^Test cases: .*[1-9][0-9]* \(failed\|broken\)' \
	    "$dir/report"; then
		"$@" env HOME="$dir" kyua report --verbose \
		    --results-file="$dir/results" \
		    --results-filter=broken,failed
		failures="$failures$(grep -e '->  \(failed\|broken\)' \
		    "$dir/log" | sed "s/^/$name: /")
"
	fi
	# Tests that failed may leave directories that cannot be entered.
	chmod -R u+rwx "$dir" 2>/dev/null
	rm -rf "$dir"
}

# number REPORT WORD: how many "N WORD" the report counts.
number()
{
	sed -n "s/^Test cases:.*[^0-9]\([0-9][0-9]*\) $2.*/\1/p" "$1"
}

count()
{
	total=$(number "$1" total)
	s=$(number "$1" skipped)
	b=$(number "$1" broken)
	f=$(number "$1" failed)
	if [ "${total:-0}" = 0 ]; then
		cat "$1"
		echo "no test was run"
		failed=$((failed + 1))
		return
	fi
	bad=$((${b:-0} + ${f:-0}))
	failed=$((failed + bad))
	skipped=$((skipped + ${s:-0}))
	passed=$((passed + total - bad - ${s:-0}))
}

# Each line of skips.txt is a pattern for who runs the tests and the reason.
skips()
{
	grep ' -> *skipped: ' "$1" | while read -r line; do
		reason=${line#*skipped: }
		reason=${reason%  \[*}
		echo "$2: $reason" | grep -qxE -f skips.txt || echo "$line"
	done >"$1.skips"
	if [ -s "$1.skips" ]; then
		echo "unexpected skips as $2:"
		cat "$1.skips"
		unexpected=$((unexpected + $(wc -l <"$1.skips")))
	fi
}

# as_nobody COMMAND: with a /dev/fuse that is everybody's, as udev makes it, in
# a mount namespace of its own where this machine's is root's alone.
as_nobody()
{
	if [ ! -c /dev/fuse ] || $nobody sh -c ': <>/dev/fuse' 2>/dev/null
	then
		$nobody "$@"
		return
	fi
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --make-rprivate / &&
	    mount -t tmpfs -o mode=755 tmpfs /mnt &&
	    mknod -m 666 /mnt/fuse c 10 229 &&
	    mount --bind /mnt/fuse /dev/fuse && umount -l /mnt
	    exec "$@"' sh $nobody "$@"
}

if [ "$(id -u)" = 0 ]; then
	nobody="setpriv --reuid=nobody --regid=nogroup --clear-groups"
	if ! $nobody test -r "$PWD/Kyuafile"; then
		# Below a directory such as /root: go where nobody can.
		copy=$(mktemp -d /tmp/slc.XXXXXX) || exit 1
		chmod 755 "$copy"
		cp -a .. "$copy/tree" || exit 1
		sh "$copy/tree/regress/run.sh"
		status=$?
		rm -rf "$copy"
		exit $status
	fi
	run_as root ""
	# Those of life have run as an ordinary user by then: see its Kyuafile.
	run_as nobody "common sandlock cowd netd integration attacks" as_nobody
else
	run_as user ""
fi
# Again at the end, where it is looked for.
printf '%s' "$failures"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$unexpected" = 0 ]
