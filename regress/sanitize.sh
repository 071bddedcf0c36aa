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

# Run every C test of the given folders, or single programs of theirs, by hand:
# kyua would let a sanitizer's report pass where the test itself does.

set -u

cd "$(dirname "$0")" || exit 1
ASAN_OPTIONS=detect_leaks=1
LSAN_OPTIONS=suppressions=$PWD/lsan.txt:print_suppressions=0
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
bad=0 n=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

top=$PWD
for what in "$@"; do
	case $what in
	*/*)	set -- "$top/$what" ;;
	*)	set -- "$top/$what"/*_test ;;
	esac
	for test in "$@"; do
		test -x "$test" || continue
		for tc in $("$test" -l | sed -n 's/^ident: //p'); do
			n=$((n + 1))
			mkdir "$work/dir"
			if ! (cd "$work/dir" && "$test" \
			    -s "$(dirname "$test")" -r "$work/result" \
			    "$tc") >"$work/log" 2>&1 ||
			    grep -q -e 'runtime error' -e Sanitizer \
			    "$work/log"; then
				echo "${test#"$top/"}:$tc"
				cat "$work/log" "$work/result"
				bad=1
			fi
			chmod -R u+rwx "$work/dir"
			rm -rf "$work/dir"
		done
	done
done
echo "$n test cases under sanitizers"
exit $bad
