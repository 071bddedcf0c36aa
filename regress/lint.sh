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

# Look at the sources: manual pages, C by cppcheck, and the style that no tool
# knows (80 columns, no trailing space, tabs, a licence in every file).

set -u

cd "$(dirname "$0")/.." || exit 1
bad=0

pages=$(find . -name '*.[158]' -not -path './build/*' -not -path './.git/*')
for page in $pages; do
	# The pages of other packages need not be installed.
	if mandoc -T lint -W warning "$page" |
	    grep -v 'referenced manual not found'; then
		bad=1
	fi
done

sources=$(find common sandlock supervisor cowd netd regress bench \
    -name '*.[chy]' -not -name parse.c)

for f in $sources $(find regress .ci -name '*.sh' -o -name run -type f); do
	head -n 20 "$f" | grep -q 'The sandlock authors' || {
		echo "$f: no licence"
		bad=1
	}
done

for f in $sources; do
	case $f in regress/*) test=1 ;; *) test=0 ;; esac
	awk -v f="$f" -v test="$test" '
	function complain(what) {
		printf "%s:%d: %s\n", f, NR, what
		bad = 1
	}
	{
		line = $0
		n = 0
		for (i = 1; i <= length(line); i++)
			n = substr(line, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
		if (n > 80)
			complain("longer than 80 columns")
	}
	/[ \t]$/ { complain("trailing space") }
	/^        / { complain("spaces for a tab") }
	/\r/ { complain("carriage return") }
	/\/\/ / && !/["*]/ { complain("// comment") }
	!test && /[^a-z_](sprintf|strcpy|strcat|gets|atoi|alloca) *\(/ \
	    { complain("unsafe function") }
	/(^|[^a-z_])(if|for|while|switch)\(/ { complain("no space after keyword") }
	END { exit bad }
	' "$f" || bad=1
done

# Keys of tree(3) are filled in part; timespeccmp(3) takes an operator.
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
    --enable=warning,portability,performance \
    --suppress=missingIncludeSystem --suppress=unknownMacro \
    --suppress=ctuuninitvar --suppress=syntaxError:cowd/unix.c \
    -D__x86_64__ -D_GNU_SOURCE -DLIBBSD_OVERLAY -I /usr/include/bsd -I common -I sandlock -I supervisor -I cowd \
    -I netd $(find common sandlock supervisor cowd netd -name '*.c' \
    -not -name parse.c) || bad=1

exit $bad
