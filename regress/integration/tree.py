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

"""Print a tree, one line for each file: what two ways of doing the same work
must have in common.  With -t, times of modification too."""

import hashlib
import os
import stat
import sys


def line(path, name, times):
    st = os.lstat(path)
    words = [name, oct(st.st_mode), str(st.st_uid), str(st.st_gid)]
    if not stat.S_ISDIR(st.st_mode):
        words += [str(st.st_size), str(st.st_nlink)]
    if times:
        words.append(str(st.st_mtime_ns))
    if stat.S_ISLNK(st.st_mode):
        words.append(os.readlink(path))
    elif stat.S_ISREG(st.st_mode):
        with open(path, 'rb') as f:
            words.append(hashlib.sha256(f.read()).hexdigest()[:16])
    for x in sorted(os.listxattr(path, follow_symlinks=False)):
        words.append('%s=%r' % (x, os.getxattr(path, x,
                                               follow_symlinks=False)))
    return ' '.join(words)


def main():
    times = sys.argv[1] == '-t'
    top = sys.argv[-1]
    lines = []
    for dirpath, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(dirpath, name)
            lines.append(line(path, os.path.relpath(path, top), times))
    print('\n'.join(sorted(lines)))


main()
