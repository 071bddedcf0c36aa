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

# sandlock.conf(5): what parses, what it means in canonical form, and what is
# said about mistakes.  Nothing is started here.

program()
{
	atf_config_get sandlock "$(atf_get_srcdir)/../../sandlock/sandlock"
}

# A file from standard input that nobody else can write, whatever the umask.
conf()
{
	cat >"$1"
	chmod 644 "$1"
}

atf_test_case golden
golden_head()
{
	atf_set "descr" "config/*.in print as *.ok, and *.ok as themselves"
}
golden_body()
{
	sandlock=$(program)
	n=0
	for ok in "$(atf_get_srcdir)"/config/*.ok; do
		name=$(basename "${ok}" .ok)
		conf ${name}.in <"${ok%.ok}.in"
		conf ${name}.ok <"${ok}"
		atf_check -o file:${name}.ok "${sandlock}" -nv -f ${name}.in
		atf_check -o file:${name}.ok "${sandlock}" -nv -f ${name}.ok
		atf_check "${sandlock}" -n -f ${name}.in
		atf_check "${sandlock}" profile check ${name}.in
		n=$((n + 1))
	done
	[ ${n} -ge 5 ] || atf_fail "only ${n} golden files"
}

atf_test_case mistakes
mistakes_head()
{
	atf_set "descr" "config/*.in with mistakes give the messages in *.err"
}
mistakes_body()
{
	sandlock=$(program)
	n=0
	for err in "$(atf_get_srcdir)"/config/*.err; do
		name=$(basename "${err}" .err)
		conf ${name}.in <"${err%.err}.in"
		atf_check -s exit:125 -e file:"${err}" \
		    "${sandlock}" -nv -f ${name}.in
		atf_check -s exit:125 -e file:"${err}" \
		    "${sandlock}" profile check ${name}.in
		n=$((n + 1))
	done
	[ ${n} -ge 5 ] || atf_fail "only ${n} golden files"
}

atf_test_case include
include_head()
{
	atf_set "descr" "include: relative to the file, line numbers kept"
}
include_body()
{
	mkdir -p sub/deep
	conf main.conf <<-'END'
	include sub/a.conf
	include sub/a2.conf # unquoted, with a comment
	profile "main" inherit "c" {
		unveil $root r
	}
	END
	conf sub/a.conf <<-'END'
	include "deep/b.conf"
	include 'deep/b.conf2'
	END
	conf sub/deep/b.conf <<-'END'
	root = /srv
	END
	conf sub/deep/b.conf2 </dev/null
	conf sub/a2.conf <<-'END'
	profile "c" {
		unveil /usr rx
	}
	END
	printf 'profile "main" {\n\tunveil "/usr" rx\n\tunveil "/srv" r\n}\n' \
	    >main.ok
	atf_check -o file:main.ok "$(program)" -nv -f main.conf
	cd sub
	atf_check -o file:../main.ok "$(program)" -nv -f ../main.conf
	cd ..
	atf_check -o file:main.ok "$(program)" -nv -f "$(pwd)/main.conf"

	echo 'no such' >>sub/deep/b.conf2
	echo 'no such' >>sub/a.conf
	echo 'no such' >>main.conf
	conf expect <<-'END'
	./sub/deep/b.conf2:1: syntax error near "no"
	./sub/a.conf:3: syntax error near "no"
	main.conf:6: syntax error near "no"
	END
	atf_check -s exit:125 -e file:expect "$(program)" -nv -f main.conf
}

atf_test_case include_loop
include_loop_head()
{
	atf_set "descr" "a file that includes itself is an error, not a hang"
}
include_loop_body()
{
	echo 'include "b.conf"' | conf a.conf
	echo 'include "a.conf"' | conf b.conf
	ln -s a.conf c.conf
	atf_check -s exit:125 -e match:'^./b.conf:1: include ./a.conf: ' \
	    "$(program)" -n -f a.conf
	# The same file by another name.
	atf_check -s exit:125 -e match:'includes itself' \
	    "$(program)" -n -f c.conf
	i=0
	while [ ${i} -lt 20 ]; do
		echo "include \"n$((i + 1)).conf\"" | conf n${i}.conf
		i=$((i + 1))
	done
	conf n20.conf </dev/null
	atf_check -s exit:125 -e match:'too deep' "$(program)" -n -f n0.conf
	# Control: a shorter chain, and one file twice in a row.
	atf_check "$(program)" -n -f n10.conf
	printf 'include "n20.conf"\ninclude "n20.conf"\n' | conf d.conf
	atf_check "$(program)" -n -f d.conf
}

atf_test_case include_missing
include_missing_body()
{
	printf '\ninclude "gone.conf"\n' | conf a.conf
	atf_check -s exit:125 -e \
	    inline:"a.conf:2: include ./gone.conf: No such file or directory\n" \
	    "$(program)" -n -f a.conf
}

atf_test_case insecure
insecure_head()
{
	atf_set "descr" "files that others can write are refused, included too"
}
insecure_body()
{
	echo 'profile "a" { }' | conf a.conf
	echo 'include "a.conf"' | conf b.conf
	atf_check "$(program)" -n -f a.conf
	atf_check "$(program)" -n -f b.conf
	for mode in 664 646 666 622; do
		chmod ${mode} a.conf
		atf_check -s exit:125 -e inline:"sandlock: a.conf:\
 writable by its group or others\n" "$(program)" -n -f a.conf
		atf_check -s exit:125 -e match:"b.conf:1: .*writable" \
		    "$(program)" -n -f b.conf
		atf_check -s exit:125 -e match:"writable" \
		    "$(program)" run -n -f a.conf
	done
	# Control.
	chmod 400 a.conf
	atf_check "$(program)" -n -f b.conf
}

atf_test_case not_a_file
not_a_file_head()
{
	atf_set "descr" "only regular files; a FIFO is not waited for"
	atf_set "timeout" "20"
}
not_a_file_body()
{
	mkfifo fifo
	mkdir dir
	for f in fifo dir /dev/null; do
		atf_check -s exit:125 -e \
		    inline:"sandlock: ${f}: not a regular file\n" \
		    "$(program)" -n -f ${f}
	done
	atf_check -s exit:125 -e \
	    inline:"sandlock: gone: No such file or directory\n" \
	    "$(program)" -n -f gone
	printf 'profile "a" {\n\0}\n' | conf nul
	atf_check -s exit:125 -e inline:"sandlock: nul: contains a NUL byte\n" \
	    "$(program)" -n -f nul
	truncate -s 2000000 large
	chmod 644 large
	atf_check -s exit:125 -e inline:"sandlock: large: too large\n" \
	    "$(program)" -n -f large
}

atf_test_case other_owner
other_owner_head()
{
	atf_set "descr" "a file of another user is refused, by a link too"
	atf_set "require.user" "root"
}
other_owner_body()
{
	echo 'profile "a" { }' | conf a.conf
	ln -s a.conf link.conf
	atf_check "$(program)" -n -f link.conf
	chown 65534 a.conf
	for f in a.conf link.conf; do
		atf_check -s exit:125 -e match:"${f}: owned by neither" \
		    "$(program)" -n -f ${f}
	done
}

atf_test_case unreadable
unreadable_head()
{
	atf_set "require.user" "unprivileged"
}
unreadable_body()
{
	echo 'profile "a" { }' | conf a.conf
	chmod 0 a.conf
	atf_check -s exit:125 -e \
	    inline:"sandlock: a.conf: Permission denied\n" \
	    "$(program)" -n -f a.conf
	# Control: files of root are as good as one's own.
	atf_check -s exit:125 -e not-match:"owned by" \
	    "$(program)" -n -f /etc/passwd
}

atf_test_case unused_macro
unused_macro_body()
{
	printf 'x = 1\ny = 2\nprofile "a" {\n\tcpus $y\n}\n' | conf a.conf
	atf_check -e inline:"a.conf:1: warning: macro 'x' is not used\n" \
	    "$(program)" -n -f a.conf
}

atf_test_case define
define_head()
{
	atf_set "descr" "-D overrides a macro and stays one word"
}
define_body()
{
	conf a.conf <<-'END'
	dir = /default
	profile "a" {
		unveil $dir r
	}
	END
	atf_check -o match:'unveil "/default" r$' "$(program)" -nv -f a.conf
	atf_check -o match:'unveil "/other" r$' \
	    "$(program)" -nv -D dir=/other -f a.conf
	"$(program)" -nv -D dir='/x rwxc
"quoted" y' -f a.conf >text || atf_fail "text of a macro was interpreted"
	atf_check -o ignore grep -F 'unveil "/x rwxc\n\"quoted\" y" r' text
	atf_check -o match:'unveil "/other" r$' \
	    "$(program)" run -nv -D dir=/other -f a.conf
	# Not even a value that looks like a list is read as text.
	atf_check -s exit:125 -e match:'unveil [{] / }: path does not begin' \
	    "$(program)" -nv -D dir='{ / }' -f a.conf
	# Not even where the file has a list.
	sed 's,^dir.*,dir = { /x },' a.conf | conf l.conf
	atf_check -o match:'unveil "/x" r$' "$(program)" -nv -f l.conf
	atf_check -o match:'unveil "/y z" r$' \
	    "$(program)" -nv -D dir='/y z' -f l.conf
	atf_check -s exit:125 -e match:'unveil [{] / }: path does not begin' \
	    "$(program)" -nv -D dir='{ / }' -f l.conf
	atf_check -e inline:"sandlock: warning: macro 'what' is not used\n" \
	    "$(program)" -n -D what=x -f a.conf
	for bad in x =x 'a b=x' limit=x; do
		atf_check -s exit:125 -e match:"^sandlock: -D ${bad}: not of" \
		    "$(program)" -n -D "${bad}" -f a.conf
	done
}

atf_test_case example
example_head()
{
	atf_set "descr" "the examples of sandlock.conf(5) are valid"
}
example_body()
{
	page="$(atf_get_srcdir)/../../sandlock.conf.5"
	awk '/^\.Sh /{ on = ($2 == "EXAMPLES") }
	    on && /^\.Bd/{ show = 1; next }
	    on && /^\.Ed/{ show = 0 }
	    show && !/^\$ / { gsub(/\\e/, "\\"); gsub(/\\&/, ""); print }' \
	    "${page}" | conf example.conf
	atf_check -o not-empty "$(program)" -nv -f example.conf
}

atf_init_test_cases()
{
	atf_add_test_case golden
	atf_add_test_case mistakes
	atf_add_test_case include
	atf_add_test_case include_loop
	atf_add_test_case include_missing
	atf_add_test_case insecure
	atf_add_test_case not_a_file
	atf_add_test_case other_owner
	atf_add_test_case unreadable
	atf_add_test_case unused_macro
	atf_add_test_case define
	atf_add_test_case example
}
