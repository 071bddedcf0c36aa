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
# Compare sandlock with bare programs, with bwrap and with the least that the
# kernel allows.  One table: medians of interleaved samples, ratio, target.
# Times depend on the machine; what counts is ratios of one run.
#
#	run.sh section ...
#
# Environment: SAMPLES (medians of so many), RUST_SANDLOCK (the Rust program
# of the same name, if there is one).  Works as any user.
#

set -u

here=$(cd "$(dirname "$0")" && pwd)
sandlock=$here/../sandlock/sandlock
samples=${SAMPLES:-200}
dir=
running=

# Stop what runs in the background and wait for it: no server stays.
stop()
{
	for pid in $running; do
		kill -TERM "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	running=
}

finish()
{
	stop
	[ -z "$dir" ] || rm -rf "$dir"
}

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

die()
{
	echo "bench: $*" >&2
	exit 1
}

has()
{
	command -v "$1" >/dev/null 2>&1
}

# row name value reference [max|min target]: a reference of - is no ratio.
row()
{
	awk -v name="$1" -v value="$2" -v ref="$3" -v sense="${4:-}" \
	    -v target="${5:-}" 'BEGIN {
		printf("%-48s %11.2f ", name, value)
		if (ref == "-")
			printf("%7s", "")
		else
			printf("%7.3f", value / ref)
		if (sense != "") {
			ok = sense == "max" ? value / ref <= target : \
			    value / ref >= target
			printf("  %s %-5s %s", sense == "max" ? "<=" : ">=",
			    target, ok ? "ok" : "MISSED")
		}
		printf("\n")
	}'
}

skip()
{
	printf '%-48s %11s  %s\n' "$1" skipped "$2"
}

title()
{
	printf '\n%-48s %11s %7s  %s\n' "$1" "$2" ratio target
}

# The Nth line of the result of sample.
nth()
{
	echo "$1" | sed -n "$2p"
}

#
# Start-up: the whole life of a sandbox around a program that does nothing.
# Everything is compared with bwrap.
#
bench_startup()
{
	title "start-up, /bin/true" "median us"
	names="sandlock|sandlock, cowd and netd too|sandlock --no-supervisor"
	set -- "$sandlock" run -r / -- /bin/true \
	    --- "$sandlock" run -r / -w "$dir" --net-allow tcp://127.0.0.1:9 -- \
	    /bin/true \
	    --- "$sandlock" run --no-supervisor -r / -- /bin/true \
	    --- /bin/true
	names="$names|bare"
	bwrap="bwrap --unshare-all --ro-bind / /"
	if has bwrap && $bwrap /bin/true 2>/dev/null; then
		set -- "$@" --- $bwrap /bin/true
		names="$names|$bwrap"
	else
		skip "$bwrap" "not installed, or not permitted"
		bwrap=
	fi
	if [ -n "${RUST_SANDLOCK:-}" ] &&
	    "$RUST_SANDLOCK" run -r / -- /bin/true >/dev/null 2>&1; then
		set -- "$@" --- "$RUST_SANDLOCK" run -r / -- /bin/true
		names="$names|sandlock in Rust"
	else
		skip "sandlock in Rust" "RUST_SANDLOCK names none that runs"
	fi
	out=$("$here/sample" -n "$samples" "$@") || die "start-up"
	ref=-
	[ -z "$bwrap" ] || ref=$(nth "$out" 5)
	n=1
	echo "$names" | tr '|' '\n' | while read -r name; do
		value=$(nth "$out" $n)
		case $n:$ref in
		*:-)	row "$name" "$value" - ;;
		1:*)	row "$name" "$value" "$ref" max 0.70 ;;
		2:*)	row "$name" "$value" "$ref" max 0.95 ;;
		3:*)	row "$name" "$value" "$ref" max 0.45 ;;
		*)	row "$name" "$value" "$ref" ;;
		esac
		n=$((n + 1))
	done
}

#
# A notified call that is answered CONTINUE.  The kernel refuses the clone
# after that, so that nothing but the notification costs.
#
bench_notify()
{
	title "a notified call, CONTINUE" "median us"
	calls="$here/calls clone 1000"
	out=$("$here/sample" -o -n "$samples" $calls --- \
	    "$here/minimal" $calls --- \
	    "$sandlock" run -r / -P 1000000 -- $calls) || die "notify"
	ref=$(nth "$out" 2)
	row "bare" "$(nth "$out" 1)" "$ref"
	row "smallest supervisor" "$ref" "$ref"
	row "sandlock -P" "$(nth "$out" 3)" "$ref" max 1.20
}

#
# A call that no rule touches.  Any filter at all makes the kernel take its
# slow way into every call, about 0.1 us that nobody can save; ours must add
# nothing to it, as it does when the kernel knows the call as always allowed.
#
bench_call()
{
	title "a call that no rule touches" "median us"
	calls="$here/calls getppid 100000"
	out=$("$here/sample" -o -n "$samples" $calls --- \
	    "$here/minimal" $calls --- \
	    "$sandlock" run -r / -- $calls) || die "call"
	bare=$(nth "$out" 1)
	least=$(nth "$out" 2)
	ours=$(nth "$out" 3)
	row "bare" "$bare" "$bare"
	row "smallest filter, against bare" "$least" "$bare"
	row "sandlock, against bare" "$ours" "$bare"
	row "sandlock, against the smallest filter" "$ours" "$least" max 1.05
}

#
# Connects that netd makes, and datagrams.  The least is a supervisor that
# makes the connect itself, in one process.
#
bench_connect()
{
	ports
	"$here/calls" serve 1 $port >"$dir/serve.out" 2>&1 &
	running="$running $!"
	i=0
	until grep -q ready "$dir/serve.out"; do
		i=$((i + 1))
		[ $i -lt 50 ] || die "$(cat "$dir/serve.out")"
		sleep 0.1
	done
	box="$sandlock run -r / --net-allow 127.0.0.1:$port --"
	title "connect and close on loopback" "median us"
	calls="$here/calls connect 500 $port"
	out=$("$here/sample" -o -n "$samples" $calls --- \
	    "$here/minimal" -c $calls --- $box $calls) || die "connect"
	bare=$(nth "$out" 1)
	least=$(nth "$out" 2)
	ours=$(nth "$out" 3)
	row "bare" "$bare" "$bare"
	row "smallest supervisor, against bare" "$least" "$bare"
	row "sandlock, against bare" "$ours" "$bare" max 4
	row "sandlock, against the smallest supervisor" "$ours" "$least" \
	    max 1.6

	title "a datagram on loopback" "median us"
	for call in send sendto; do
		calls="$here/calls $call 2000 $port"
		if ! $box "$here/calls" $call 1 $port >/dev/null 2>&1; then
			skip "$call" "no UDP in a sandbox yet"
			continue
		fi
		out=$("$here/sample" -o -n "$samples" $calls --- \
		    $box $calls) || die "$call"
		bare=$(nth "$out" 1)
		row "$call, bare" "$bare" "$bare"
		if [ $call = send ]; then
			row "$call, connected" "$(nth "$out" 2)" "$bare" \
			    max 1.1
		else
			row "$call" "$(nth "$out" 2)" "$bare"
		fi
	done
	stop
}

# Set n to fewer samples, for what takes long.
few()
{
	n=100
	[ "$samples" -ge $n ] || n=$samples
}

# Ports that are most likely free; servers that cannot bind end the run.
ports()
{
	port=$((20000 + $$ % 20000))
	port2=$((port + 1))
	port3=$((port + 2))
}

# await command ...: until it succeeds, at most five seconds.
await()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || die "no answer: $*"
		sleep 0.05
	done
}

#
# Throughput.  All servers run all the time; those that are not asked are
# idle.
#
# nginx_conf name port statement
nginx_conf()
{
	# Root's nginx would hand its directories to another user.
	user=
	[ "$(id -u)" -ne 0 ] || user="user root;"
	cat >"$dir/$1.conf" <<-EOC
	$user
	daemon off;
	master_process off;
	worker_processes 1;
	pid $dir/$1.pid;
	error_log stderr emerg;
	events { worker_connections 256; }
	http {
		$3
		access_log off;
		keepalive_requests 1000000;
		client_body_temp_path $dir/$1.body;
		proxy_temp_path $dir/$1.proxy;
		fastcgi_temp_path $dir/$1.fastcgi;
		uwsgi_temp_path $dir/$1.uwsgi;
		scgi_temp_path $dir/$1.scgi;
		server {
			listen 127.0.0.1:$2;
			root $dir/www;
		}
	}
	EOC
}

# nginx_start name port statement: one bare, one in a sandbox, port and port+1.
nginx_start()
{
	nginx_conf "$1" "$2" "$3"
	nginx_conf "$1.box" $(($2 + 1)) "$3"
	nginx -p "$dir" -e stderr -c "$dir/$1.conf" &
	running="$running $!"
	"$sandlock" run -r / -w "$dir" -w /dev/null \
	    --net-allow-bind tcp://$(($2 + 1)) -- \
	    nginx -p "$dir" -e stderr -c "$dir/$1.box.conf" &
	running="$running $!"
	await $load:"$2"/
	await $load:$(($2 + 1))/
}

#
# The target is for the network.  A server that opens the file for each
# request, as nginx does unless told otherwise, pays besides what Landlock
# takes for an open(2), about 1.3 us: the last two rows.
#
bench_http()
{
	title "HTTP on loopback, nginx" "requests/s"
	if ! has wrk || ! has nginx; then
		skip "wrk" "needs wrk and nginx"
		return
	fi
	ports
	mkdir -p "$dir/www"
	awk 'BEGIN { for (i = 0; i < 60; i++) print "0123456789" }' \
	    >"$dir/www/index.html"
	load="wrk -t1 -c8 -d1s http://127.0.0.1"
	rate='set -e; out=$("$@"); echo "$out" |
	    sed -n "s/^Requests.sec: *//p"'
	nginx_start kept $port "open_file_cache max=16 inactive=1h;
		open_file_cache_valid 1h;"
	nginx_start opened $((port + 2)) ""
	# wrk takes a second at least.
	few
	set --
	for p in $port $((port + 1)) $((port + 2)) $((port + 3)); do
		set -- "$@" --- sh -c "$rate" sh $load:$p/
	done
	shift
	out=$("$here/sample" -o -n $n "$@") || die "http"
	bare=$(nth "$out" 1)
	row "bare, file kept open" "$bare" "$bare"
	row "sandlock, file kept open" "$(nth "$out" 2)" "$bare" min 0.98
	bare=$(nth "$out" 3)
	row "bare, file opened by each request" "$bare" "$bare"
	row "sandlock, file opened by each request" "$(nth "$out" 4)" "$bare"
	stop
}

#
# Without pipelining a request is little more than three system calls: what
# the kernel takes for any filter shows here, so the smallest one is shown too.
#
bench_redis()
{
	title "redis on loopback, GET" "requests/s"
	if ! has redis-server || ! has redis-benchmark; then
		skip "redis-benchmark" "needs redis-server and redis-benchmark"
		return
	fi
	ports
	set -- redis-server --bind 127.0.0.1 --save "" --appendonly no \
	    --dir "$dir" --loglevel warning
	"$@" --port $port >"$dir/redis.log" 2>&1 &
	running="$running $!"
	"$sandlock" run -r / -w "$dir" -w /dev/null \
	    --net-allow-bind tcp://$port2 -- "$@" --port $port2 \
	    >"$dir/redis2.log" 2>&1 &
	running="$running $!"
	"$here/minimal" "$@" --port $port3 >"$dir/redis3.log" 2>&1 &
	running="$running $!"
	load="redis-benchmark -h 127.0.0.1 -t get -n 20000 -c 8 --csv"
	rate='set -e; out=$("$@"); echo "$out" |
	    sed -n "s/^\"GET\",\"\([0-9.]*\)\".*/\1/p"'
	await redis-cli -p $port ping
	await redis-cli -p $port2 ping
	await redis-cli -p $port3 ping
	few
	out=$("$here/sample" -o -n $n \
	    sh -c "$rate" sh $load -p $port --- \
	    sh -c "$rate" sh $load -p $port2 --- \
	    sh -c "$rate" sh $load -p $port3) || die "redis"
	bare=$(nth "$out" 1)
	row "bare" "$bare" "$bare"
	row "sandlock" "$(nth "$out" 2)" "$bare" min 0.98
	row "smallest filter" "$(nth "$out" 3)" "$bare"
	stop
}

# A process and all its descendants.
tree()
{
	echo "$1"
	for task in "/proc/$1/task"/*; do
		for kid in $(cat "$task/children" 2>/dev/null); do
			tree "$kid"
		done
	done
}

# Does the workload run below this process?
sleeps()
{
	for pid in $(tree "$1"); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != sleep ] ||
		    return 0
	done
	return 1
}

#
# Memory of all our processes.  Workers cannot be read by their own user, who
# only learns what is resident: more than the share that PSS counts.
#
bench_memory()
{
	title "memory, all processes but the workload" MB
	"$sandlock" run -r / -w "$dir" --net-allow tcp://127.0.0.1:9 -- \
	    sleep 60 &
	box=$!
	running="$running $box"
	await sleeps $box
	kind=PSS
	sum=0
	parts=
	for pid in $(tree $box); do
		name=$(cat "/proc/$pid/comm")
		[ "$name" != sleep ] || continue
		kb=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" \
		    2>/dev/null)
		if [ -z "$kb" ]; then
			kind=RSS
			kb=$(awk '/^VmRSS:/ { print $2 }' \
			    "/proc/$pid/status")
		fi
		sum=$((sum + kb))
		parts="$parts $name $kb"
	done
	mb=$(awk -v kb=$sum 'BEGIN { print kb / 1024 }')
	row "$kind, kB:$parts" "$mb" 1 max 12
	stop
}

#
# The copy-on-write working directory: calls against the least that a
# notification costs, and a build against the same without a sandbox.
#
bench_view()
{
	title "working directory, open and close" "median us"
	rm -rf "$dir/wd"
	mkdir "$dir/wd"
	: >"$dir/wd/file"
	export XDG_STATE_HOME="$dir/state"
	calls="$here/calls"
	dirty='mkdir d; i=0; while [ $i -lt $1 ]; do : >d/$i; i=$((i+1)); done;'
	run="$sandlock run -r / -w /dev/null --workdir $dir/wd --cwd $dir/wd"
	run="$run --on-exit abort"
	out=$(cd "$dir/wd" && "$here/sample" -o -n "$samples" \
	    "$here/minimal" "$calls" clone 1000 --- \
	    "$here/minimal" -o "$calls" open-read 1000 --- \
	    "$here/minimal" -g "$calls" open-read 1000 --- \
	    "$calls" open-read 1000 --- \
	    $run -- sh -c "echo >>new; exec $calls open-read 1000" --- \
	    $run -- sh -c "echo >>file; exec $calls open-read 1000" --- \
	    $run -- sh -c "echo >>file; exec $calls open-write 1000" --- \
	    $run -- sh -c "echo >>file; exec $calls chmod 1000") ||
	    die "view"
	ref=$(nth "$out" 1)
	row "smallest supervisor, a call that fails" "$ref" "$ref"
	row "smallest supervisor, open and close" "$(nth "$out" 2)" "$ref"
	row "smallest supervisor, gives what it opens" "$(nth "$out" 3)" "$ref"
	row "bare" "$(nth "$out" 4)" "$ref"
	one=$(nth "$out" 5)
	row "unchanged, to read" "$one" "$ref" max 1.25
	row "changed, to read" "$(nth "$out" 6)" "$ref" max 2.0
	row "changed, to write" "$(nth "$out" 7)" "$ref" max 3.5
	row "changed, its mode" "$(nth "$out" 8)" "$ref"

	title "the same, with so many files changed before" "median us"
	for n in 1 100 100000; do
		out=$(cd "$dir/wd" && "$here/sample" -o -n 3 \
		    $run -- sh -c "$dirty $calls open-read 10000" - "$n" --- \
		    $run -- sh -c "$dirty $calls open-write 10000" - "$n") ||
		    die "changed"
		[ "$n" != 1 ] || first=$out
		row "$n: unchanged, to read" "$(nth "$out" 1)" \
		    "$(nth "$first" 1)"
		row "$n: changed, to write" "$(nth "$out" 2)" \
		    "$(nth "$first" 2)"
	done

	title "the same, by four processes at once" "median us"
	four='for i in 1 2 3 4; do $0 "$@" & done | cat; wait'
	mean="awk '{ sum += \$1 } END { print sum / NR }'"
	out=$(cd "$dir/wd" && "$here/sample" -o -n "$samples" \
	    "$here/minimal" sh -c "($four) | $mean" "$calls" clone 1000 --- \
	    $run -- sh -c "echo >>new; ($four) | $mean" \
	    "$calls" open-read 1000) || die "four"
	row "smallest supervisor, to that of one" "$(nth "$out" 1)" "$ref"
	row "unchanged, to read, to that of one" "$(nth "$out" 2)" "$one"
}

#
# Whole programs in a copy-on-write working directory in which something was
# changed before.
#
bench_tree()
{
	export XDG_STATE_HOME="$dir/state"
	rm -rf "$dir/wd"
	mkdir "$dir/wd"
	run="$sandlock run -r / -w /dev/null --workdir $dir/wd --cwd $dir/wd"
	run="$run --on-exit abort"

	title "working directory, make -j2 of 100 files" "median us"
	build='make -s -j2 p && rm -f *.o p'
	(cd "$dir/wd" && sh "$here/project.sh" 100) || die "project"
	compare "$build" 3 1.25 1.05
	rm -rf "$dir/wd"
	mkdir "$dir/wd"

	title "find and stat of 100,000 files" "median us"
	(cd "$dir/wd" && for i in $(seq 100); do
		mkdir "$i" && (cd "$i" && seq 1000 | xargs touch)
	done) || die "files"
	compare 'echo >new; find . -printf %s%i >/dev/null; rm new' 3
	rm -rf "$dir/wd"
	mkdir "$dir/wd"

	title "git status of 20,000 files" "median us"
	has git || { skip git "not installed"; return; }
	(cd "$dir/wd" && git init -q . && for i in $(seq 100); do
		mkdir "$i" && (cd "$i" && seq 200 | xargs touch)
	done && git add . && git -c user.name=n -c user.email=e \
	    commit -q -m m) || die "git"
	compare 'echo >new; git status >/dev/null; rm new' 5
}

# compare command samples [target-seccomp target-overlayfs]: bare and both.
compare()
{
	out=$("$here/sample" -n "$2" \
	    sh -c "cd $dir/wd && $1" --- \
	    env TMPDIR="$dir/wd" $run -- sh -c "$1" --- \
	    env TMPDIR="$dir/wd" $run --fs-isolation overlayfs -- \
	    sh -c "$1") || die "$1"
	ref=$(nth "$out" 1)
	row "bare" "$ref" "$ref"
	row "seccomp" "$(nth "$out" 2)" "$ref" ${3:+max "$3"}
	row "overlayfs" "$(nth "$out" 3)" "$ref" ${4:+max "$4"}
}

#
# A commit moves what was written, and copies nothing.
#
bench_commit()
{
	title "commit of a branch" "median us"
	for what in "10000 files of 1 kB:10000:1" \
	    "10 files of 100 MB:10:102400"; do
		args="$sandlock $dir $(echo "${what#*:}" | tr : ' ')"
		# shellcheck disable=SC2086
		out=$("$here/sample" -o -n 3 sh "$here/commit.sh" mv $args --- \
		    sh "$here/commit.sh" branch $args) || die "commit"
		ref=$(nth "$out" 1)
		row "${what%%:*}: mv and sync" "$ref" "$ref"
		row "${what%%:*}: commit" "$(nth "$out" 2)" "$ref" max 1.5
	done
}

[ $# -gt 0 ] || set -- startup notify call connect http redis memory \
    view tree commit
[ -x "$sandlock" ] || die "build sandlock first"
dir=$(mktemp -d "${TMPDIR:-/tmp}/sandlock-bench.XXXXXX") || exit 1
echo "$(uname -sr), $(nproc) cores, uid $(id -u);" \
    "medians of $samples interleaved samples"
for section in "$@"; do
	case $section in
	startup|notify|call|connect|http|redis|memory|view|tree|commit)
		"bench_$section" ;;
	*)
		die "$section: no such section" ;;
	esac
done
exit 0
