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

#
# One sample for run.sh: the time in microseconds in which files that were
# written elsewhere on the file system come into a directory, durably.
#
#	commit.sh mv|branch sandlock dir files size-in-kB
#

set -eu

how=$1 sandlock=$2 dir=$3 files=$4 kb=$5
export XDG_STATE_HOME="$dir/state"

make_files="head -c $((files * kb))k /dev/zero | split -a 5 -d -b ${kb}k - f"
rm -rf "$dir/wd" "$dir/from"
mkdir "$dir/wd"
if [ "$how" = mv ]; then
	mkdir "$dir/from"
	(cd "$dir/from" && sh -c "$make_files")
	start=$(date +%s%N)
	(cd "$dir/from" && find . -mindepth 1 -exec mv -t ../wd {} +)
	sync -f "$dir/wd"
else
	"$sandlock" run -r / -w /dev/null --workdir "$dir/wd" --cwd "$dir/wd" \
	    --fs-isolation overlayfs --on-exit keep -e "$make_files" 2>/dev/null
	name=$("$sandlock" branch list | cut -d ' ' -f 1)
	start=$(date +%s%N)
	"$sandlock" branch commit "$name"
fi
end=$(date +%s%N)
[ "$(ls "$dir/wd" | wc -l)" -eq "$files" ]
echo $(((end - start) / 1000))
