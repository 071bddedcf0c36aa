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


# The same random calls in a plain directory and in a copy-on-write working
# directory, and the trees after the commit (see twin.c).  A number of fixed
# sequences; in the environment TWIN_SEED and TWIN_SEQUENCES say where to begin
# and how many, TWIN_CALLS how many calls each has.

# twin [OPTION ...]: quiet, but for a last line that says that it was done.
twin()
{
	n=${TWIN_SEQUENCES:-12}
	atf_check -o match:"^${n} sequences, [1-9][0-9]* calls, 0 differ" \
	    "$(helper twin)" -s "${TWIN_SEED:-1}" -n "${n}" \
	    -c "${TWIN_CALLS:-60}" "$@" "$(program)"
}

twin_cleanup()
{
	[ ! -f other ] || rm -rf "$(cat other)"
}

atf_test_case seccomp cleanup
seccomp_head()
{
	atf_set "descr" "random calls in the merged view"
}
seccomp_body()
{
	twin
}
seccomp_cleanup()
{
	twin_cleanup
}

atf_test_case overlayfs cleanup
overlayfs_head()
{
	atf_set "descr" "random calls in the kernel's overlay"
}
overlayfs_body()
{
	twin -i overlayfs
}
overlayfs_cleanup()
{
	twin_cleanup
}

# What belongs to others, without any capability.
atf_test_case foreign cleanup
foreign_head()
{
	atf_set "descr" "random calls in a tree that partly is another's"
	atf_set "require.user" "root"
}
foreign_body()
{
	twin -f 65534
}
foreign_cleanup()
{
	twin_cleanup
}

# The comparison itself: without it the others would mean nothing.
atf_test_case finds cleanup
finds_head()
{
	atf_set "descr" "a difference is found and made short"
}
finds_body()
{
	# What is no sandbox, and writes something in the end.
	cat >wrong <<'END'
#! /bin/sh
while [ "$1" != -- ]; do
	[ "$1" != --workdir ] || dir=$2
	shift
done
shift
"$@"
echo wrong >>"${dir}/prog"
END
	chmod 755 wrong
	atf_check -s exit:1 -o match:"3 sequences, [0-9]* calls, 3 differ" \
	    -e match:"^ bare \./prog: " -e match:"^0 calls of it" \
	    "$(helper twin)" -n 3 -c 20 "$(pwd)/wrong"
}
finds_cleanup()
{
	twin_cleanup
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case seccomp
	atf_add_test_case overlayfs
	atf_add_test_case foreign
	atf_add_test_case finds
}
