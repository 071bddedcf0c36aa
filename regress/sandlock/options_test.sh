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

# The command line: every option has its keyword, errors are one line with
# status 125, and nothing is started.  What options do to a workload is tested
# elsewhere.

program()
{
	atf_config_get sandlock "$(atf_get_srcdir)/../../sandlock/sandlock"
}

# Options, a tab, what they are in a profile ("." for nothing).  Statements
# are parted by ";".
options_table()
{
	cat <<'END'
--allow-degraded fs-refer	allow degraded fs-refer
--allow-degraded=signal-scope	allow degraded signal-scope
--clean-env	environment clean
--cpu-cores 0,2-3	cpus { 0 2-3 }
--cpu-cores=1	cpus 1
-c 150	limit cpu 150
--max-cpu 50	limit cpu 50
--max-cpu=50	limit cpu 50
--cwd /usr	directory /usr
--cwd sub	directory ./sub
--cwd ~	directory ~
--disable net-tcp	disable net-tcp
--env A=b	setenv A=b
--env A=	setenv A=""
--env A=b=c	setenv A="b=c"
--env A=1 --unset-env A --env A=2	setenv A=1;unsetenv A;setenv A=2
--workdir src --fs-isolation overlayfs	workdir ./src;isolation overlayfs
--workdir=~/src --fs-storage st --fs-isolation overlayfs	workdir ~/src;isolation overlayfs;storage ./st
--workdir /srv --on-exit keep --on-error=abort --fs-isolation overlayfs	workdir /srv;isolation overlayfs;on exit keep;on error abort
--workdir /srv --on-exit abort --on-error commit --fs-isolation overlayfs	workdir /srv;isolation overlayfs;on exit abort;on error commit
--workdir /srv --fs-isolation branchfs --on-exit keep	workdir /srv;isolation branchfs;on exit keep
--workdir /srv --dry-run --fs-isolation overlayfs	workdir /srv;isolation overlayfs;dry-run
--workdir /srv --dry-run --json --fs-isolation overlayfs	workdir /srv;isolation overlayfs;dry-run json
--workdir /srv --diff --dry-run --fs-isolation overlayfs	workdir /srv;isolation overlayfs;dry-run diff
--workdir /srv --max-disk 2G	workdir /srv;max-disk 2G
--workdir /srv --max-disk=65536	workdir /srv;max-disk 64K
--workdir /srv --max-disk 1048577	workdir /srv;max-disk 1048577
--extra-allow-syscall @sysv_ipc	permit syscall @sysv_ipc
--extra-deny-syscall ptrace	deny syscall ptrace
--extra-deny-syscall @sysv_ipc	deny syscall @sysv_ipc
--gpu all	gpu all
--gpu 0,1	gpu { 0 1 }
-i	.
--interactive	.
--fs-deny /srv/x	unveil /srv/x none
--fs-deny .env	unveil ./.env none
--unveil ~/.ssh:none	unveil ~/.ssh none
--kill-after 0.25	limit kill-after 0.25
--kill-after 0	limit kill-after 0
--log-denials 2	log denials 2
--log-denials f.json	log denials ./f.json
--log-denials /tmp/f	log denials /tmp/f
--net-allow example.com	pass out to example.com
--net-allow udp://example.com	pass out proto udp to example.com
--net-allow icmp://example.com	pass out proto icmp to example.com
--net-allow icmp://*	pass out proto icmp
--net-allow udp://:53	pass out proto udp to any port 53
--net-allow tcp://[2001:db8::]/32	pass out proto tcp to 2001:db8::/32
--net-allow tcp://example.com:80	pass out proto tcp to example.com port 80
--net-allow Example.com.:80,443	pass out to example.com port { 80 443 }
--net-allow 192.0.2.1:8000-8010	pass out to 192.0.2.1 port 8000:8010
--net-allow 10.0.0.0/8:*	pass out to 10.0.0.0/8
--net-allow [2001:db8::1]	pass out to 2001:db8::1
--net-allow [2001:db8::1]:22	pass out to 2001:db8::1 port 22
--net-allow [2001:db8::]/32:22	pass out to 2001:db8::/32 port 22
--net-allow [2001:db8::/32]:22	pass out to 2001:db8::/32 port 22
--net-allow [::ffff:192.0.2.1]:22	pass out to 192.0.2.1 port 22
--net-allow *:443	pass out port 443
--net-allow :443	pass out to any port 443
--net-allow *	pass out
--net-allow-bind 8080	pass in proto { tcp udp } port 8080
--net-allow-bind 80,9000-9010	pass in port { 80 9000:9010 }
--net-allow-bind *	pass in
--net-allow-bind tcp://8080	pass in proto tcp port 8080
--net-allow-bind udp://*	pass in proto udp
--net-allow-host example.com	pass out to example.com
--net-allow-host a.example --net-allow-host ::1	pass out to { a.example ::1 }
--net-bind 80,443	pass in proto tcp port { 80 443 }
--net-connect 80,443	pass out proto tcp port { 80 443 }
--net-connect 80,443 --net-allow-host a.example --net-allow-host 10.0.0.0/8	pass out proto tcp to { a.example 10.0.0.0/8 } port { 80 443 }
--net-allow * --net-deny 10.0.0.0/8	pass out;block out to 10.0.0.0/8
--net-deny 10.0.0.0/8 --net-allow *	pass out;block out proto { tcp udp icmp } to 10.0.0.0/8
--net-deny :25 --net-allow a.example --net-deny-bind 22 --net-allow-bind *	pass out to a.example;pass in;block out port 25;block in port 22
--net-deny udp://a.example	block out proto udp to a.example
--net-deny icmp://*	block out proto icmp
--net-deny tcp://10.0.0.1:22	block out proto tcp to 10.0.0.1 port 22
--net-deny-bind *	block in
--net-refresh --net-allow a.example	refresh;pass out to a.example
--net-resolver --net-refresh --net-allow *.a.example --net-deny b.example	refresh;resolver;pass out to *.a.example;block out to b.example
--net-resolver --net-allow *.example.com:443	resolver;pass out to *.example.com port 443
--no-coredump	no coredump
--no-huge-pages	no huge-pages
--no-randomize-memory	no randomize-memory
--no-supervisor	no supervisor
--no-workdir	no workdir
-P 10	limit processes 10
--max-processes 10	limit processes 10
--pass-fd 7 --pass-fd 9	pass fd { 7 9 }
--port-remap	port-remap
--port-remap --net-allow-bind 8080	port-remap;pass in port 8080
--privileged	user 0:0
-r /usr	unveil /usr rx
--fs-read /usr	unveil /usr rx
-r src	unveil ./src rx
-r .	unveil . rx
--run-as nobody	run as nobody
--scrub-env	environment scrub
--status-fd 3	status fd 3
--syscalls allow-list	syscalls allow-list
--syscalls deny-list	syscalls deny-list
-t 1.5	limit time 1.5
--timeout 1.5	limit time 1.5
--timeout=0.001	limit time 0.001
--unset-env A	unsetenv A
--unveil /usr:rx	unveil /usr rx
--unveil /dev/null:wr?	unveil /dev/null rw?
--unveil a:b:c	unveil ./a:b c
--unveil ~/x:rwxc	unveil ~/x rwxc
--user 1000:100	user 1000:100
-w /srv	unveil /srv rwxc
--fs-write /srv	unveil /srv rwxc
END
}

# Options that are no setting of a policy.
other_options()
{
	printf '%s\n' exec help interactive profile
}

atf_test_case keywords
keywords_head()
{
	atf_set "descr" "each option prints as its keyword, which parses back"
}
keywords_body()
{
	sandlock=$(program)
	options_table >table
	# An empty profile keeps the built-in one away.
	echo 'profile "run" { }' >empty.conf
	chmod 644 empty.conf
	# No word of the table is a pattern to be expanded here.
	set -f
	while IFS='	' read -r flags keyword; do
		{
			echo 'profile "run" {'
			[ "${keyword}" = . ] ||
			    echo "${keyword}" | tr ';' '\n'
			echo '}'
		} >k.conf
		chmod 644 k.conf
		# shellcheck disable=SC2086
		"${sandlock}" run -n -v -f empty.conf ${flags} >flags.out ||
		    atf_fail "refused: ${flags}"
		"${sandlock}" -n -v -f k.conf >keyword.out ||
		    atf_fail "refused: ${keyword}"
		cmp -s flags.out keyword.out ||
		    atf_fail "${flags}: not the same as ${keyword}"
		[ "${keyword}" = . ] || [ $(wc -l <flags.out) -gt 2 ] ||
		    atf_fail "${flags}: has no effect"
		cp flags.out again.conf
		chmod 644 again.conf
		"${sandlock}" run -n -v -f again.conf >again.out
		cmp -s flags.out again.out || atf_fail "${flags}: no round trip"
	done <table
}

atf_test_case keywords_complete
keywords_complete_head()
{
	atf_set "descr" "no option is missing from the table above"
}
keywords_complete_body()
{
	"$(program)" --dump-options >dump || atf_fail "no dump of options"
	options_table | cut -f 1 | tr ' =' '\n\n' | sed -n 's/^--//p' | sort -u >tested
	other_options >>tested
	for name in $(cut -f 1 dump | grep -v '^-$'); do
		grep -qx -e "${name}" tested ||
		    atf_fail "--${name} is not tested"
	done
	[ $(wc -l <dump) -gt 30 ] || atf_fail "the dump is too short"
}

atf_test_case together
together_head()
{
	atf_set "descr" "many options at once keep their order and meaning"
}
together_body()
{
	options_table | grep -v -e no-supervisor -e run-as -e --diff \
	    -e no-workdir | cut -f 1 >table
	set -f
	# shellcheck disable=SC2046
	"$(program)" run -nv $(cat table) >a.conf || atf_fail "refused"
	chmod 644 a.conf
	atf_check -o file:a.conf "$(program)" -nv -f a.conf
	atf_check -o file:a.conf "$(program)" run -nvf a.conf
}

atf_test_case sources
sources_head()
{
	atf_set "descr" "what replaces the default profile and what adds to it"
}
sources_body()
{
	sandlock=$(program)
	default='workdir "\."'
	atf_check -o match:"${default}" "${sandlock}" run -nv
	atf_check -o match:"${default}" "${sandlock}" run -nv -t 5 --env A=b
	atf_check -o match:"${default}" -o match:'unveil "/srv" rwxc' \
	    "${sandlock}" run -nv -p default -w /srv
	atf_check -o match:"${default}" -o match:'unveil "/srv" rwxc' \
	    "${sandlock}" run -nv -w /srv -p default
	for flags in '-r /usr' '-w /usr' '--unveil /usr:r'; do
		# shellcheck disable=SC2086
		atf_check -o not-match:"${default}" -o match:'unveil "/usr"' \
		    "${sandlock}" run -nv ${flags}
	done
	printf 'profile "f" {\nunveil /opt r\nlimit time 9\n}\n' >f.conf
	chmod 644 f.conf
	atf_check -o not-match:"${default}" -o match:'unveil "/opt" r$' \
	    "${sandlock}" run -nv -f f.conf
	atf_check -o match:"${default}" -o match:'unveil "/opt" r$' \
	    "${sandlock}" run -nv -p default -f f.conf
	# A working directory is one; without one its grant stays.
	atf_check -o match:'workdir "/srv"$' -o not-match:"${default}" \
	    "${sandlock}" run -nv --workdir /srv
	atf_check -o match:'unveil "\." rwxc$' -o not-match:"${default}" \
	    "${sandlock}" run -nv --no-workdir
	atf_check -o match:'unveil "\." rwxc$' -o not-match:"${default}" \
	    "${sandlock}" run -nv --no-workdir -p default
	atf_check -o not-match:'"\."' "${sandlock}" run -nv --no-workdir -r /usr
	# Flags override scalars, wherever they stand.
	atf_check -o match:'limit time 9$' "${sandlock}" run -nv -f f.conf
	atf_check -o match:'limit time 5$' -o not-match:'limit time 9' \
	    "${sandlock}" run -nv -t 5 -f f.conf
	atf_check -o match:'environment clean$' \
	    "${sandlock}" run -nv --clean-env -p default
	atf_check -o match:'environment scrub$' \
	    "${sandlock}" run -nv --clean-env --scrub-env -r /usr
}

atf_test_case profiles
profiles_head()
{
	atf_set "descr" "-p finds built-in profiles, those of -f and of files"
}
profiles_body()
{
	sandlock=$(program)
	export HOME="$(pwd)/home" XDG_CONFIG_HOME=
	mkdir -p home/.config/sandlock xdg/sandlock
	user() { printf 'profile "%s" {\nunveil %s r\n}\n' "$1" "$2"; }
	user one /one >home/.config/sandlock/a.conf
	user two /two >home/.config/sandlock/b.conf
	user default /evil >>home/.config/sandlock/b.conf
	user three /three >xdg/sandlock/c.conf
	{ user x /x; user y /y; user one /mine; } >f.conf
	chmod 644 home/.config/sandlock/*.conf xdg/sandlock/c.conf f.conf
	atf_check -o match:'"/two" r' "${sandlock}" run -nv -p two
	atf_check -o match:'unveil "/usr" rx' -o not-match:evil \
	    "${sandlock}" run -nv -p default
	atf_check -s exit:125 -e match:'^sandlock: three: no such profile' \
	    "${sandlock}" run -nv -p three
	export XDG_CONFIG_HOME="$(pwd)/xdg"
	atf_check -o match:'"/three" r' "${sandlock}" run -nv -p three
	atf_check -s exit:125 -e match:'^sandlock: two: no such profile' \
	    "${sandlock}" run -nv -p two
	# A relative directory would be one of the untrusted project.
	export XDG_CONFIG_HOME=xdg
	atf_check -s exit:125 -e match:'^sandlock: three: no such profile' \
	    "${sandlock}" run -nv -p three
	# -f with several profiles needs a choice.
	atf_check -s exit:125 -e \
	    inline:'sandlock: f.conf: defines 3 profiles: choose one with -p\n' \
	    "${sandlock}" run -nv -f f.conf
	atf_check -o match:'"/y" r' -o not-match:'"/x"' \
	    "${sandlock}" run -nv -f f.conf -p y
	atf_check -o match:'"/y" r' -o match:'"/x"' \
	    "${sandlock}" run -nv -p x -f f.conf -p y
	export XDG_CONFIG_HOME=
	atf_check -o match:'"/mine" r' -o not-match:'"/one"' \
	    "${sandlock}" run -nv -f f.conf -p one
	# A broken or insecure file is never passed over.
	chmod 666 home/.config/sandlock/a.conf
	atf_check -s exit:125 -e match:'a.conf: writable by' \
	    "${sandlock}" run -nv -p two
	atf_check -o ignore "${sandlock}" run -nv -p default
}

atf_test_case profile_command
profile_command_body()
{
	sandlock=$(program)
	export HOME="$(pwd)" XDG_CONFIG_HOME=
	mkdir -p .config/sandlock
	printf '# c\nprofile "mine" {\nunveil /one r\n}\n' \
	    >.config/sandlock/a.conf
	chmod 644 .config/sandlock/a.conf
	atf_check -o match:'^default	built in$' \
	    -o match:"^mine	$(pwd)/.config/sandlock/a.conf$" \
	    "${sandlock}" profile list
	atf_check -o match:'^profile "mine" ' -o match:'unveil "/one" r' \
	    "${sandlock}" profile show mine
	# What is shown is what is used.
	"${sandlock}" profile show default >d.conf
	chmod 644 d.conf
	"${sandlock}" run -nv >expect
	atf_check -o file:expect "${sandlock}" -nv -f d.conf
	atf_check -s exit:125 -e match:'^sandlock: nope: no such profile' \
	    "${sandlock}" profile show nope
	atf_check -s exit:125 -e match:'^usage: sandlock profile' \
	    "${sandlock}" profile
	atf_check -s exit:125 -e match:'^usage: sandlock profile' \
	    "${sandlock}" profile show
	atf_check -o match:'^usage: sandlock profile' \
	    "${sandlock}" profile --help
}

# One line on standard error, nothing on standard output, status 125.
refused()
{
	message="$1"
	shift
	atf_check -s exit:125 -e save:err "$(program)" "$@"
	[ "$(cat err)" = "sandlock: ${message}" ] ||
	    atf_fail "$*: said $(cat err)"
}

atf_test_case values
values_head()
{
	atf_set "descr" "bad values: one clear line, whatever comes after"
}
values_body()
{
	set -f
	refused '--timeout x: not a number' run -t x true
	refused '--timeout -5: not a number' run -t -5 true
	refused '--timeout 0: must be more than 0' run -t 0 true
	refused '--timeout 1e9: not a number of seconds' run -t 1e9 true
	refused '--timeout 99999999999: too large' run -t 99999999999 true
	refused '--on-exit drop: not one of commit, abort, keep' \
	    run --on-exit drop true
	refused '--on-error x: not one of commit, abort, keep' \
	    run --on-error x true
	refused '--fs-isolation: needs --workdir' \
	    run -r / --fs-isolation branchfs true
	refused '--fs-isolation nfs: not one of seccomp, overlayfs, branchfs' \
	    run --fs-isolation nfs true
	refused '--workdir /nonexistent: No such file or directory' \
	    run -r /usr --workdir /nonexistent \
	    --fs-isolation overlayfs true
	refused '--workdir /: not the whole system' run -r /usr --workdir / \
	    --fs-isolation overlayfs true
	refused '--workdir /dev/null: Not a directory' run -r /usr --workdir \
	    /dev/null --fs-isolation overlayfs true
	refused '--max-processes 0: not between 1 and 4194304' run -P 0 true
	refused '--max-processes 1k: not a number' run -P 1k true
	refused '--max-cpu +5: not a number' run -c +5 true
	refused '--unveil /usr: not of the form PATH:PERMS' \
	    run --unveil /usr true
	refused "--unveil /usr:rq: unknown permission 'q', not one of r, w, x, c" \
	    run --unveil /usr:rq true
	refused '--unveil /usr:: permissions missing' run --unveil /usr: true
	refused '--fs-read : empty path' run -r '' true
	refused '--env A: not of the form NAME=VALUE' run --env A true
	refused '--env =x: bad name of a variable' run --env =x true
	refused '--pass-fd 2: the standard streams are passed anyway' \
	    run --pass-fd 2 true
	refused '--user 0: not of the form UID:GID' run --user 0 true
	refused '--user 4294967295:0: not of the form UID:GID' \
	    run --user 4294967295:0 true
	refused '--cpu-cores 3-1: the range runs backwards' \
	    run --cpu-cores 3-1 true
	proto='unknown protocol, not one of tcp, udp, icmp'
	port='not a port number from 1 to 65535'
	refused "--net-allow http://a: \"http\": ${proto}" \
	    run --net-allow http://a true
	refused "--net-deny ://a: \"\": ${proto}" run --net-deny ://a true
	refused "--net-allow icmp://a:7: \"7\": icmp has no ports" \
	    run --net-allow icmp://a:7 true
	refused "--net-allow-bind icmp://*: \"*\": icmp has no servers" \
	    run --net-allow-bind 'icmp://*' true
	refused "--net-allow a:0: \"0\": ${port}" run --net-allow a:0 true
	refused "--net-deny a:1,70000,2: \"70000\": ${port}" \
	    run --net-deny a:1,70000,2 true
	refused "--net-deny-bind 1,x: \"x\": ${port}" \
	    run --net-deny-bind 1,x true
	refused "--net-connect x: ${port}" run --net-connect x true
	refused "--net-allow a..b:80: \"a..b\": bad host name" \
	    run --net-allow a..b:80 true
	refused '--net-allow-host a:80: not an address' \
	    run --net-allow-host a:80 true
	wild='bad wildcard, not of the form *.example.com'
	refused "--net-allow a.*.b: ${wild}" run --net-allow 'a.*.b' true
	refused "--net-allow *a.b:1: \"*a.b\": ${wild}" \
	    run --net-allow '*a.b:1' true
	refused '--net-allow ::1: an IPv6 address goes in brackets' \
	    run --net-allow ::1 true
	refused '--net-allow : empty rule' run --net-allow '' true
	refused "--net-allow-bind host:80: ${port}" \
	    run --net-allow-bind host:80 true
	refused '--extra-deny-syscall nosuch: unknown system call' \
	    run --extra-deny-syscall nosuch true
	refused '--extra-allow-syscall ptrace: only a @group can be permitted' \
	    run --extra-allow-syscall ptrace true
	refused '--extra-allow-syscall @no: unknown group of system calls' \
	    run --extra-allow-syscall @no true
	refused '--extra-allow-syscall @mount: some of these calls must stay denied' \
	    run --extra-allow-syscall @mount true
	refused '--syscalls x: not one of allow-list, deny-list' \
	    run --syscalls x true
	refused 'gone: No such file or directory' run -f gone true
}

atf_test_case conflicts
conflicts_head()
{
	atf_set "descr" "settings that contradict each other are named"
}
conflicts_body()
{
	n='--no-supervisor: impossible with'
	direct='--no-supervisor --no-workdir'
	# shellcheck disable=SC2086
	{
	refused "${n} the limit of processes (-P)" run -n ${direct} -P 5
	refused "${n} the limit of CPU time (-c)" run -n ${direct} -c 5
	refused "${n} rules for hosts (--net-allow)" \
	    run -n ${direct} --net-allow tcp://example.com
	udp='UDP and ICMP (--net-allow without tcp://)'
	refused "${n} ${udp}" run -n ${direct} --net-allow :80
	refused "${n} ${udp}" run -n ${direct} --net-allow 'icmp://*'
	refused "${n} listening (--net-allow-bind)" \
	    run -n ${direct} --net-allow-bind tcp://80
	refused "${n} the log of denials (--log-denials)" \
	    run -n ${direct} --log-denials 2
	}
	star='*.a.example: names with an asterisk'
	refused "${star} need the resolver (--net-resolver)" \
	    run -n --net-allow '*.a.example'
	for rule in '10.0.0.1' '*' '*.a.example'; do
		refused '--net-refresh: no rule has the name of a host' run \
		    -n --net-resolver --net-refresh --net-allow "${rule}"
	done
	refused '--net-refresh: no rule has the name of a host' \
	    run -n --net-refresh
	atf_check "$(program)" run -n --net-resolver --net-refresh \
	    --net-allow '*.a.example' --net-deny a.example
	refused "${star} can only be admitted" \
	    run -n --net-resolver --net-deny '*.a.example'
	cow='a working directory (--workdir)'
	written='with --no-workdir that is written directly'
	refused "${n} ${cow}; ${written}" run -n --no-supervisor
	refused "${n} ${cow}, the limit of processes (-P); ${written}" \
	    run -n --no-supervisor -P 5
	atf_check "$(program)" run -n --no-supervisor --no-workdir
	refused '--no-workdir: impossible with workdir' \
	    run --workdir . --no-workdir true
	refused '--workdir .: impossible with no workdir' \
	    run --no-workdir --workdir . true
	refused '--user: impossible with --run-as' \
	    run -n --privileged --run-as nobody
	for o in "--fs-isolation overlayfs" "--fs-storage x" "--on-exit keep" \
	    "--on-error keep" "--max-disk 1M" --dry-run; do
		# shellcheck disable=SC2086
		refused "${o%% *}: needs --workdir" run -n -r / ${o}
		# shellcheck disable=SC2086
		refused "${o%% *}: needs --workdir" run -n --no-workdir ${o}
		# shellcheck disable=SC2086
		atf_check "$(program)" run -n ${o}
	done
	refused '--max-disk: impossible with --fs-isolation branchfs, whose server holds the branch' \
	    run -n --workdir . --fs-isolation branchfs --max-disk 1M
	branch="--workdir . --fs-isolation overlayfs"
	for o in --json --diff; do
		# shellcheck disable=SC2086
		refused "${o}: needs --dry-run" run -n ${branch} ${o}
	done
	mkdir -p around/wd
	refused "--workdir $(pwd)/around/wd: lies below $(pwd)/around, where \
the command may write; --fs-isolation overlayfs can do that, and with \
--no-workdir there is no branch" \
	    run -r /usr -w around --workdir around/wd true
	refused "$(pwd)/around: is granted for writing, and is the working \
directory, whose changes go to a branch; with --no-workdir it is written \
directly" run -r /usr -w around --workdir around/wd/.. true
	# Control: beside it is well, as far as the storage.
	refused "$(pwd)/around/in: branches would lie below $(pwd)/around, \
where the command may write; say another place with --fs-storage" \
	    run -r /usr --workdir around --fs-storage around/in true
	# shellcheck disable=SC2086
	refused "${n} a working directory (--workdir); ${written}" \
	    run -n --no-supervisor ${branch}
	# Control.
	# shellcheck disable=SC2086
	atf_check "$(program)" run -n ${branch} --dry-run --diff
	atf_check "$(program)" run -n --no-supervisor -t 5 -w . \
	    --net-allow tcp://:80 --net-deny tcp://:25
	atf_check "$(program)" run -n -P 5 -c 5 --net-allow example.com
}

atf_test_case not_yet
not_yet_body()
{
	for c in ps inspect kill top; do
		refused "${c}: not supported by this version" ${c}
	done
}

atf_test_case usage
usage_head()
{
	atf_set "descr" "mistakes in the form: a line and the usage, status 125"
}
usage_body()
{
	p=$(program)
	for o in --bogus --bogus=x --timeou=3 --work -Z -m --; do
		atf_check -s exit:125 -e match:'^sandlock: ' \
		    -e match:'^usage: sandlock run' "${p}" run ${o}
	done
	atf_check -s exit:125 -e match:'^sandlock: --timeou: unknown option$' \
	    "${p}" run --timeou 3 true
	atf_check -s exit:125 -e match:'^sandlock: -Z: unknown option$' \
	    "${p}" run -iZ true
	atf_check -s exit:125 \
	    -e match:'^sandlock: --timeout: argument missing$' "${p}" run -t
	atf_check -s exit:125 \
	    -e match:'^sandlock: --clean-env: takes no argument$' \
	    "${p}" run --clean-env=x true
	atf_check -s exit:125 -e match:'^sandlock: no command given$' \
	    "${p}" run -r /
	atf_check -s exit:125 -e match:'^sandlock: ls: a command besides -e$' \
	    "${p}" run -e true ls
	atf_check -s exit:125 -e match:'^usage: ' "${p}"
	atf_check -s exit:125 -e match:'^sandlock: nope: unknown command$' \
	    -e match:'^usage: ' "${p}" nope
	atf_check -s exit:125 -e match:'^sandlock: --nope: unknown option$' \
	    "${p}" --nope
	atf_check -s exit:125 -e match:'^usage: sandlock -n' "${p}" -n
	atf_check -s exit:125 -e match:'^usage: sandlock -n' "${p}" -f x
}

atf_test_case help
help_body()
{
	p=$(program)
	atf_check -o match:'^sandlock [0-9]' "${p}" --version
	atf_check -o match:'^usage: sandlock run' "${p}" --help
	atf_check -o save:help "${p}" run --help
	"${p}" --dump-options | awk -F '\t' '$5 != "refused" {
		if ($1 != "-") print "--" $1; else print "-" $2 }' >names
	while read -r name; do
		grep -q -e "^  .*${name}" help || atf_fail "no ${name} in help"
	done <names
	# Every letter is in the usage, with its argument.
	atf_check -s exit:125 -e save:usage "${p}" run
	tr '\n' ' ' <usage | tr -s ' ' >line
	"${p}" --dump-options | awk -F '\t' '$2 != "-" && $3 != "-" &&
	    $2 != "e" { print "[-" $2 " " $3 "]" }' >words
	[ -s words ] || atf_fail "no letters in the dump"
	while read -r word; do
		grep -qF -e "${word}" line || atf_fail "no ${word} in usage"
	done <words
	for l in $("${p}" --dump-options |
	    awk -F '\t' '$2 != "-" && $3 == "-" { print $2 }'); do
		grep -q -e "\[-[a-z]*${l}[a-z]*\]" line ||
		    atf_fail "no -${l} in usage"
	done
}

atf_test_case full_output
full_output_head()
{
	atf_set "descr" "output that is lost is a failure"
}
full_output_body()
{
	[ -c /dev/full ] || atf_skip "no /dev/full"
	p=$(program)
	atf_check -s exit:125 -e match:'^sandlock: standard output: No space' \
	    sh -c "\"${p}\" run -nv >/dev/full"
	atf_check -o ignore "${p}" run -nv
}

atf_test_case closed_streams
closed_streams_head()
{
	atf_set "descr" "without standard streams there is a status, no crash"
}
closed_streams_body()
{
	p=$(program)
	atf_check -s exit:0 sh -c "\"${p}\" run -nv <&- >&- 2>&-"
	atf_check -s exit:125 sh -c "\"${p}\" run -nv -t x <&- >&- 2>&-"
}

atf_test_case setuid
setuid_head()
{
	atf_set "descr" "a set-user-ID sandlock does nothing"
	atf_set "require.user" "root"
	atf_set "require.progs" "setpriv"
}
setuid_body()
{
	cp "$(program)" suid
	chmod 4755 suid
	chmod 755 .
	dir=$(pwd)
	# A directory on the way may be closed to others, or the file system
	# mounted nosuid: then there is nothing to see.
	setpriv --reuid 65534 --clear-groups test -x "${dir}/suid" ||
	    atf_skip "the work directory is closed to other users"
	findmnt -n -o OPTIONS -T . 2>/dev/null | grep -q nosuid &&
	    atf_skip "nosuid"
	atf_check -s exit:125 \
	    -e inline:'sandlock: must not be installed set-user-ID\n' \
	    setpriv --reuid 65534 --clear-groups "${dir}/suid" --version
	chmod 755 suid
	atf_check -o ignore \
	    setpriv --reuid 65534 --clear-groups "${dir}/suid" --version
}

atf_init_test_cases()
{
	atf_add_test_case keywords
	atf_add_test_case keywords_complete
	atf_add_test_case together
	atf_add_test_case sources
	atf_add_test_case profiles
	atf_add_test_case profile_command
	atf_add_test_case values
	atf_add_test_case conflicts
	atf_add_test_case not_yet
	atf_add_test_case usage
	atf_add_test_case help
	atf_add_test_case full_output
	atf_add_test_case closed_streams
	atf_add_test_case setuid
}
