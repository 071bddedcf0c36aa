#! /usr/bin/env atf-sh
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

# What a run tells: exit statuses, the status line, the log of denials.

atf_test_case exits
exits_head()
{
	atf_set "descr" "every exit status of the workload is sandlock's"
	atf_set "timeout" "300"
}
exits_body()
{
	life_setup
	code=0
	while [ ${code} -le 255 ]; do
		life_run -- -r / -- /bin/sh -c "exit ${code}"
		expect "exit ${code}" ${code} exit
		[ "$(status_key exit_code)" = ${code} ] ||
		    fail "exit ${code}: $(cat status)"
		[ "$(status_key signal)" = null ] ||
		    fail "exit ${code}: $(cat status)"
		code=$((code + 1))
	done
	for code in 0 1 124 125 126 127 128 137 255; do
		life_run -- --no-supervisor -r / -- /bin/sh -c "exit ${code}"
		expect "exit ${code}" ${code} exit
	done
}

atf_test_case signals
signals_head()
{
	atf_set "descr" "death by signal N is 128 + N"
	atf_set "timeout" "300"
}
signals_body()
{
	life_setup
	for mode in "" --no-supervisor; do
	for sig in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 \
	    31 34 40 50 63 64; do
		# shellcheck disable=SC2086
		life_run -- ${mode} --no-coredump -r / -- \
		    /bin/sh -c "kill -${sig} \$\$"
		expect "${mode} signal ${sig}" $((128 + sig)) signal
		[ "$(status_key signal)" = ${sig} ] ||
		    fail "signal ${sig}: $(cat status)"
		[ "$(status_key exit_code)" = $((128 + sig)) ] ||
		    fail "signal ${sig}: $(cat status)"
	done
	# These do nothing by default.
	for sig in 17 18 23 28; do
		# shellcheck disable=SC2086
		life_run -- ${mode} -r / -- /bin/sh -c "kill -${sig} \$\$; exit 6"
		expect "signal ${sig}" 6 exit
	done
	done
}

atf_test_case not_started
not_started_head()
{
	atf_set "descr" "126 not executable, 127 not found, 125 for our own"
}
not_started_body()
{
	life_setup
	echo '#! /nonexistent' >script
	chmod 755 script
	: >plain
	chmod 644 plain
	: >empty
	chmod 755 empty
	echo '#! /bin/sh' >good
	chmod 755 good
	for mode in "" --no-supervisor "--net-allow 127.0.0.1:9"; do
		while read -r code command; do
			case "${mode}${command}" in
			--no-supervisor*" "*)	continue ;;
			esac
			# shellcheck disable=SC2086
			life_run -- ${mode} -- ${command}
			if [ ${code} -eq 0 ]; then
				expect "${command}" 0 exit
			else
				expect "${mode} ${command}" ${code} setup
				one_line
				grep -q "^sandlock: ${command}: " errs ||
				    fail "${command}: $(cat errs)"
			fi
			nothing_left "${mode} ${command}"
		done <<'END'
127 ./nonexistent
127 nonexistent-command
127 ./plain/below
127 ./script
126 ./plain
126 .
126 /etc
0 ./good
END
	done
	# Not within the policy.
	life_run -- -r /usr -- "${PWD}/good"
	expect "no grant" 126 setup
	# Errors of the policy come before the run, and its status line.
	for options in "--cwd /nonexistent" "-r /nonexistent"; do
		# shellcheck disable=SC2086
		life_run -- ${options} -- /bin/true
		[ ${rc} -eq 125 ] || fail "${options}: status ${rc}"
		one_line
	done
	nothing_left "not started"
}

atf_test_case line
line_head()
{
	atf_set "descr" "the status line is JSON with the documented keys"
	atf_set "require.progs" "python3"
}
line_body()
{
	life_setup
	cat >check.py <<'END'
import json, sys
text = open(sys.argv[1]).read()
assert text.endswith("\n") and text.count("\n") == 1, text
line = json.loads(text)
keys = ["exit_code", "signal", "reason", "wall_seconds", "cpu_seconds",
    "peak_memory_bytes", "processes", "notifications", "branch"]
assert list(line) == keys, list(line)
assert isinstance(line["exit_code"], int)
assert line["signal"] is None or isinstance(line["signal"], int)
assert line["reason"] in ("exit", "signal", "timeout", "memory", "killed",
    "setup", "worker")
assert 0 <= line["wall_seconds"] < 300 and 0 <= line["cpu_seconds"] < 300
assert isinstance(line["notifications"], dict)
for name, n in line["notifications"].items():
    assert n > 0 and not name.isdigit(), name
if line["reason"] in ("exit", "signal"):
    assert line["peak_memory_bytes"] > 100000
END
	while read -r options; do
		# shellcheck disable=SC2086
		eval life_run -- ${options}
		atf_check python3 check.py status
	done <<'END'
-- /bin/true
-P 5 -- /bin/sh -c '/bin/true; chmod 700 .; exit 3'
--net-allow 127.0.0.1:9 -- ./procs connect 9
-- /bin/sh -c 'kill -9 $$'
-t 0.1 -- ./procs pause
--no-supervisor -- /bin/true
-- ./nonexistent
END
	# cpu time of what the workload waited for and what it did not.
	life_run -- -- /bin/sh -c './procs burn spin 300 >/dev/null & wait
	    ( ./procs burn spin 300 >/dev/null & )
	    ./procs burn spin 400 >/dev/null'
	python3 -c 'import json; l = json.load(open("status"))
assert 0.05 < l["cpu_seconds"] < 2 and l["wall_seconds"] > 0.6, l' ||
	    fail "$(cat status)"
}

atf_test_case line_descriptors
line_descriptors_head()
{
	atf_set "descr" "--status-fd takes any descriptor, and only an open one"
}
line_descriptors_body()
{
	life_setup
	atf_check -o match:'^\{"exit_code":3.*\}$' -s exit:3 \
	    "${sandlock}" run --no-workdir --status-fd 1 -- /bin/sh -c 'exit 3'
	atf_check -e match:'^\{"exit_code":0.*\}$' \
	    "${sandlock}" run --no-workdir --status-fd 2 -- /bin/true
	atf_check -s exit:125 -e inline:"sandlock: --status-fd 77: Bad file descriptor\n" \
	    "${sandlock}" run --no-workdir --status-fd 77 -- /bin/true
	# A reader that is gone does not change the outcome.
	{ "${sandlock}" run --no-workdir --status-fd 3 -- /bin/sh -c 'exit 4' 2>errs
	    echo $? >rc; } 3>&1 >/dev/null | :
	[ "$(cat rc)" = 4 ] || fail "status $(cat rc): $(cat errs)"
	# The workload cannot write its own.
	life_run -- -- /bin/sh -c 'echo x >&9'
	[ ${rc} -ne 0 ] || fail "the workload has the descriptor"
	[ $(wc -l <status) -eq 1 ] || fail "$(cat status)"
	nothing_left "status"
}

# A denial of cowd's with a name full of control characters.
denied()
{
	name=$(printf 'a\nb\r\033[31m\001\177\\"\303\251\377z')
	: >"${name}"
	mkdir grant
	life_run -- --log-denials "$1" -r / -w "${PWD}/grant" -- \
	    chmod 600 "./${name}"
}

check_denials()
{
	cat >check.py <<'END'
import json, sys
data = open(sys.argv[1], "rb").read()
assert all(0x20 <= c < 0x7f or c == 0x0a or c >= 0x80 for c in data), data
lines = data.decode("utf-8").splitlines()
found = 0
for text in lines:
    line = json.loads(text)
    assert list(line) == ["time", "pid", "program", "call", "object", "rule",
        "error"], list(line)
    if line["program"] == "chmod" and "chmod" in line["call"]:
        found += 1
        assert line["object"].endswith("z") and "\n" in line["object"] and \
            "\x1b[31m" in line["object"], line
        assert line["pid"] > 1 and line["error"] in ("EPERM", "EACCES"), line
        assert line["rule"] != "", line
assert found == 1, lines
END
	atf_check python3 check.py "$1"
}

atf_test_case denials
denials_head()
{
	atf_set "descr" "--log-denials to a descriptor and to a file, escaped"
	atf_set "require.progs" "python3"
}
denials_body()
{
	life_setup
	denied 8 8>log
	[ ${rc} -ne 0 ] || fail "chmod was not refused"
	check_denials log
	rmdir grant
	denied "${top}/log2"
	check_denials "${top}/log2"
	# The file is ours, and is appended to.
	[ "$(stat -c %a "${top}/log2")" = 600 ] || fail "mode"
	cp "${top}/log2" one
	rmdir grant
	denied "${top}/log2"
	[ $(wc -l <"${top}/log2") -eq $((2 * $(wc -l <one))) ] ||
	    fail "not appended"
	# Control: what is allowed is not logged.
	life_run -- --log-denials "${top}/log3" -- /bin/sh -c ': >f; chmod 600 f'
	expect "allowed" 0 exit
	if grep chmod "${top}/log3"; then
		fail "an allowed call is in the log"
	fi
}

atf_test_case denials_filter
denials_filter_head()
{
	atf_set "descr" "--log-denials has the filter's denials, too"
}
denials_filter_body()
{
	life_setup
	life_run -- --log-denials "${top}/log" -- unshare -n true
	[ ${rc} -ne 0 ] || fail "unshare was not refused"
	atf_check -o match:'"call":"unshare".*"rule":"filter","error":"EPERM"' \
	    cat "${top}/log"
	# The same verdict as without a log.
	cp errs with
	life_run -- -- unshare -n true
	atf_check cmp with errs
}

atf_test_case denials_slow
denials_slow_head()
{
	atf_set "descr" "a reader of denials that stalls holds nothing up"
}
denials_slow_body()
{
	life_setup
	mkfifo fifo
	# Open, but nobody reads.
	exec 7<>fifo
	life_run -t 60 -- --log-denials 7 -- /bin/sh -c '
	    i=0; while [ $i -lt 1500 ]; do unshare -n true; i=$((i + 1)); done
	    exit 5' 2>/dev/null
	expect "slow reader" 5 exit
	atf_check -o match:'[0-9]+ denials could not be logged' cat errs
}

atf_test_case denials_bad
denials_bad_head()
{
	atf_set "descr" "--log-denials: bad places are refused"
}
denials_bad_body()
{
	life_setup
	for place in 77 /nonexistent/log "${PWD}"; do
		life_run -- --log-denials "${place}" -- /bin/sh -c ': >done'
		[ ${rc} -eq 125 ] || fail "${place}: status ${rc}"
		one_line
		[ ! -f done ] || fail "it ran"
	done
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case exits
	atf_add_test_case signals
	atf_add_test_case not_started
	atf_add_test_case line
	atf_add_test_case line_descriptors
	atf_add_test_case denials
	atf_add_test_case denials_filter
	atf_add_test_case denials_slow
	atf_add_test_case denials_bad
}
