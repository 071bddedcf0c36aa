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

# Where the policy of a run comes from: profiles by name and by file, what they
# inherit, macros.

conf()
{
	mkdir -p "$(dirname "$1")"
	cat >"$1"
	chmod 644 "$1"
}

# What every profile here starts with.
base()
{
	cat <<'END'
profile "base" {
	unveil { /usr /etc } rx
	unveil { /bin /lib /lib64 } rx?
	unveil /dev/null rw
	setenv FROM=base
}
END
}

atf_test_case by_name
by_name_head()
{
	atf_set "descr" "-p NAME from XDG_CONFIG_HOME and from HOME"
}
by_name_body()
{
	{ base; cat; } <<'END' | conf config/sandlock/a.conf
profile "work" inherit "base" {
	setenv WHO=xdg
	limit processes 7
}
END
	atf_check -o inline:"base xdg\n" \
	    env XDG_CONFIG_HOME="$(pwd)/config" ${sl} -p work -- \
	    sh -c 'echo $FROM $WHO'
	conf home/.config/sandlock/b.conf <config/sandlock/a.conf
	atf_check -o inline:"base xdg\n" \
	    env -u XDG_CONFIG_HOME HOME="$(pwd)/home" ${sl} -p work -- \
	    sh -c 'echo $FROM $WHO'
	atf_check -s exit:125 -e match:"no such profile" \
	    env -u XDG_CONFIG_HOME HOME=/nonexistent ${sl} -p work -- true
	# A file that others can write is not believed.
	chmod 666 config/sandlock/a.conf
	atf_check -s exit:125 -e match:"a.conf.*writable" \
	    env XDG_CONFIG_HOME="$(pwd)/config" ${sl} -p work -- true
}

atf_test_case by_file
by_file_head()
{
	atf_set "descr" "-f FILE, and -p that chooses from it"
}
by_file_body()
{
	{ base; cat; } <<'END' | conf two.conf
profile "other" inherit "base" {
	setenv WHO=other
}
END
	atf_check -s exit:125 -e match:"2 profiles: choose one with -p" \
	    ${sl} -f two.conf -- true
	atf_check -o inline:"base other\n" ${sl} -f two.conf -p other -- \
	    sh -c 'echo $FROM $WHO'
	atf_check -o inline:"base\n" ${sl} -f two.conf -p base -- \
	    sh -c 'echo $FROM $WHO'
	base | conf one.conf
	atf_check -o inline:"base\n" ${sl} -f one.conf -- sh -c 'echo $FROM'
	# Flags override scalars and add to lists.
	atf_check -o inline:"flag\n" ${sl} -f one.conf --env FROM=flag -- \
	    sh -c 'echo $FROM'
	mkdir w
	atf_check -s exit:2 -e match:"ermission denied" ${sl} -f one.conf -- \
	    sh -c 'echo x >w/f'
	atf_check ${sl} -f one.conf -w w -- sh -c 'echo x >w/f'
	atf_check -s exit:125 -e match:"missing.conf" \
	    ${sl} -f missing.conf -- true
}

atf_test_case inheritance
inheritance_head()
{
	atf_set "descr" "what is inherited is in force, what is overridden not"
}
inheritance_body()
{
	mkdir w v
	{ base; cat; } <<'END' | conf i.conf
profile "middle" inherit "base" {
	unveil ./w rwxc
	limit processes 100
	limit time 60
	setenv FROM=middle
}
profile "top" inherit "middle" {
	unveil ./v rwxc
	limit time 0.5
}
END
	atf_check -o inline:"middle\n" ${sl} -f i.conf -p top -- \
	    sh -c 'echo $FROM; echo x >w/f && echo x >v/f'
	atf_check -s exit:124 ${sl} -f i.conf -p top -- sleep 60
	atf_check -s exit:2 -e match:"ermission denied" \
	    ${sl} -f i.conf -p middle -- sh -c 'echo x >v/f'
	atf_check -o match:"limit processes 100" -o match:"limit time 0.5" \
	    "$(program)" run -nv -f i.conf -p top
}

atf_test_case macros
macros_head()
{
	atf_set "descr" "macros in a file and from -D at run time"
}
macros_body()
{
	mkdir a b
	{ echo 'dirs = "./a"'; echo 'who = "file"'; base; cat; } <<'END' |
profile "m" inherit "base" {
	unveil $dirs rwxc
	setenv WHO=$who
}
END
	conf m.conf
	atf_check -o inline:"file\n" ${sl} -f m.conf -p m -- \
	    sh -c 'echo $WHO; echo x >a/f'
	atf_check -s exit:2 -e match:"ermission denied" \
	    ${sl} -f m.conf -p m -- sh -c 'echo x >b/f'
	atf_check -o inline:"flag\n" ${sl} -D who=flag -D dirs=./b -f m.conf \
	    -p m -- sh -c 'echo $WHO; echo x >b/f'
	atf_check -s exit:2 -e match:"ermission denied" \
	    ${sl} -D dirs=./b -f m.conf -p m -- sh -c 'echo x >a/f2'
	atf_check -o inline:"file\n" -e match:"macro 'unused' is not used" \
	    ${sl} -D unused=1 -f m.conf -p m -- sh -c 'echo $WHO'
}

atf_test_case default_and_more
default_and_more_head()
{
	atf_set "descr" "-p default with flags adds to it; -r alone replaces it"
}
default_and_more_body()
{
	project
	mkdir ../more
	atf_check -s exit:2 -e match:"ermission denied" \
	    ${sl} -- sh -c 'echo x >../more/f'
	atf_check ${sl} -p default -w ../more -- \
	    sh -c 'echo x >../more/f && echo x >f'
	atf_check -s exit:2 -e match:"ermission denied" ${box} -- \
	    sh -c 'echo x >f2'
	[ ! -e f2 ] || atf_fail "made"
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case by_name
	atf_add_test_case by_file
	atf_add_test_case inheritance
	atf_add_test_case macros
	atf_add_test_case default_and_more
}
