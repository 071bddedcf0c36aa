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

# Shared by the tests of this folder.  They run as whoever runs them: root is
# compared with root without capabilities, which is what a workload is.

PATH=/usr/local/bin:/usr/bin:/bin
export PATH

program()
{
	atf_config_get sandlock "$(atf_get_srcdir)/../../sandlock/sandlock"
}

# A helper program or script of this folder.
helper()
{
	echo "$(atf_get_srcdir)/$1"
}

# For atf_check, which runs programs and not functions.
# The default profile:
sl="$(program) run"
# Enough to run a program, and nothing of the test's:
box="${sl} -r /usr --unveil /lib:rx? --unveil /lib64:rx? --unveil /bin:rx?"
box="${box} --unveil /etc:r --unveil /dev/null:rw -r $(atf_get_srcdir)"
# No sandbox:
bare=
[ "$(id -u)" -ne 0 ] ||
    bare="setpriv --bounding-set=-all --inh-caps=-all --no-new-privs"

# A directory for work that the default profile takes, and a HOME beside it.
project()
{
	mkdir -m 700 home
	mkdir project
	HOME=$(pwd)/home
	export HOME
	cd project || atf_fail "no project"
}

# Wait for a condition, with an end.
wait_for()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ ${tries} -le 200 ] || atf_fail "waited in vain: $*"
		sleep 0.05
	done
}

# Start something in the background that cleanup() ends.
background()
{
	"$@" &
	echo $! >>pids
}

cleanup()
{
	[ -f pids ] || return 0
	while read -r pid; do
		kill -KILL "${pid}" 2>/dev/null
	done <pids
	return 0
}

# Both do the same work, in directories that begin alike.  Then the trees are
# the same, with -t to the nanosecond of their times.
same_work()
{
	times=
	[ "$1" = -t ] && { times=-t; shift; }
	rm -rf bare box
	mkdir bare box
	[ ! -d input ] || { cp -a input/. bare; cp -a input/. box; }
	printf '%s\n' "$1" >work.sh
	# A link and an output that say where they are would differ.
	(cd bare && ${bare} sh ../work.sh) >bare.out 2>bare.err </dev/null ||
	    atf_fail "bare: $(head -n 1 bare.err)"
	(cd box && ${sl} -e "$1") >box.out 2>box.err </dev/null ||
	    atf_fail "boxed: $(head -n 1 box.err)"
	atf_check -o file:bare.err cat box.err
	/usr/bin/python3 "$(helper tree.py)" ${times} bare >bare.tree ||
	    atf_fail "no tree"
	atf_check -o file:bare.tree \
	    /usr/bin/python3 "$(helper tree.py)" ${times} box
	[ -s bare.tree ] || atf_fail "nothing was done"
}

# Whether there can be a branchfs here; what a user needs is set by udev.
have_fuse()
{
	[ -e /dev/fuse ] || atf_skip "no /dev/fuse"
	sh -c ': <>/dev/fuse' 2>/dev/null ||
	    atf_skip "/dev/fuse is not for this user"
}

# A branchfs on a directory, of the directory NAME.base; its branches lie in
# NAME.store, and NAME.store/fault says what goes wrong.  The mount ends with
# the test.
serve()
{
	have_fuse
	mkdir "$1.base" "$1.store"
	served=$1
	shift
	background "$(helper branchfs)" "$@" "${served}.base" \
	    "${served}.store" "${served}"
	wait_for test -e "${served}/.branchfs_ctl"
}

# A server of this folder; its port is then in $port and the number of bytes
# in NAME.hits that of the connections it saw.
server()
{
	rm -f "$1" "$1.hits"
	: >"$1.hits"
	background /usr/bin/python3 "$(helper server.py)" "$1" "$2"
	wait_for test -s "$1"
	port=$(cat "$1")
}

hits()
{
	wc -c <"$1.hits" | tr -d ' '
}

# A network and an /etc of the test's own for each run of ${ns}, and a sandbox
# with everything but that /etc.
namespaces()
{
	unshare -Urmn true 2>/dev/null || atf_skip "no user namespaces"
	mkdir etc
	printf '127.0.0.1 localhost\n203.0.113.1 foo.test\n' >etc/hosts
	printf '203.0.113.99 secret\n' >>etc/hosts
	printf 'nameserver 127.0.0.1\n' >etc/resolv.conf
	printf 'hosts: files dns\n' >etc/nsswitch.conf
	printf 'root:x:0:0::/:/bin/sh\n' >etc/passwd
	cp -P /etc/ld.so.cache etc 2>/dev/null
	cp -RP /etc/alternatives etc 2>/dev/null
	chmod -R a+rX etc
	ns="unshare -Urmn sh $(helper names_ns.sh)"
	bare_box="${sl} -r /usr --unveil /lib:rx? --unveil /lib64:rx?"
	bare_box="${bare_box} --unveil /bin:rx? --unveil /dev/null:rw"
	bare_box="${bare_box} -r $(atf_get_srcdir)"
	python=/usr/bin/python3
}
