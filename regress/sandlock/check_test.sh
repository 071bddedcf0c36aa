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


# sandlock check: its two forms agree, its verdict follows from what it prints,
# and a kernel or a caller that withholds something is reported and not died of.

program()
{
	atf_config_get sandlock "$(atf_get_srcdir)/../../sandlock/sandlock"
}

# The state of one probe in the text form: "yes" or "no".
state()
{
	awk -v name="$1" '$1 == name { sub(",", "", $2); print $2 }' out
}

# Run it whatever this kernel offers; the output in out, the status in status.
check()
{
	"$@" >out 2>err
	echo $? >status
	atf_check cat err
}

# Status, last line and required probes say the same.
consistent()
{
	atf_check sh -c '
		bad=0
		for name in landlock fs-refer fs-truncate net-tcp \
		    fs-ioctl-dev signal-scope abstract-unix-socket-scope \
		    notification process-memory yama-scope; do
			case $(grep "^$name " out | awk "{ print \$2 }") in
			yes|yes,)	;;
			no|no,)	bad=1
				grep "^the default policy cannot.* no $name" \
				    out >/dev/null ||
				    { echo "$name not named"; exit 1; } ;;
			*)	echo "$name missing"; exit 1 ;;
			esac
		done
		test $bad = "$(cat status)" || { echo "status"; exit 1; }
		test $bad = 1 || tail -n 1 out |
		    grep -x "the default policy can be enforced" >/dev/null'
}

atf_test_case text
text_head()
{
	atf_set descr "one line for each probe, with what is lost"
}
text_body()
{
	check "$(program)" check
	consistent
	atf_check -o inline:'20\n' sh -c \
	    'grep -c "^[a-z-]* *\(yes\|no\).* without: [a-z]" out'
	atf_check -o inline:'21\n' sh -c 'wc -l <out'
}

atf_test_case json
json_head()
{
	atf_set descr "the JSON form is one object that says the same"
	atf_set require.progs python3
}
json_body()
{
	check "$(program)" check
	atf_check -s exit:"$(cat status)" -o save:json "$(program)" check --json
	cat >compare.py <<'END'
import json, sys
text = open("out").read().splitlines()
data = json.load(open("json"))
if [p["name"] for p in data["probes"]] != [l.split()[0] for l in text[:-1]]:
    sys.exit("names")
for p, line in zip(data["probes"], text):
    state = "yes" if p["available"] else "no"
    if p["detail"]:
        state += ", " + p["detail"]
    if " ".join(line.split()) != " ".join(
        (p["name"] + " " + state + " without: " + p["lost"]).split()):
        sys.exit(line)
bad = [p["name"] for p in data["probes"]
    if p["required"] and not p["available"]]
if data["enforceable"] != (not bad) or bool(data["reason"]) != bool(bad):
    sys.exit("verdict")
END
	atf_check python3 compare.py
	atf_check -o inline:'1\n' sh -c 'wc -l <json'
}

atf_test_case usage
usage_head()
{
	atf_set descr "help, and refused arguments"
}
usage_body()
{
	atf_check -o match:'^usage: sandlock check' "$(program)" check --help
	for arg in --nonsense -j extra --json=x; do
		atf_check -s exit:125 -e match:'usage: sandlock check' \
		    "$(program)" check $arg
	done
	atf_check -s exit:125 -e match:'standard output' \
	    sh -c "'$(program)' check >/dev/full"
}

atf_test_case no_effects
no_effects_head()
{
	atf_set descr "nothing is left: no process, file, mount or group"
}
no_effects_body()
{
	mkdir empty
	mark="SANDLOCK_CHECK_TEST=$$.$(date +%s%N)"
	cat /proc/self/mountinfo >mounts
	check env "$mark" sh -c "cd empty && exec '$(program)' check"
	consistent
	# Every process that a probe starts has the environment of its parent.
	atf_check -s exit:1 sh -c "grep -lsa '$mark' /proc/[0-9]*/environ |
	    grep -v -e /self/ -e thread-self"
	atf_check ls -A empty
	atf_check cmp mounts /proc/self/mountinfo
}

atf_test_case ignored_signals
ignored_signals_head()
{
	atf_set descr "a caller that ignores or blocks signals changes nothing"
}
ignored_signals_body()
{
	check "$(program)" check
	mv out plain
	check sh -c "trap '' CHLD ALRM PIPE TERM; exec '$(program)' check"
	atf_check cmp plain out
}

atf_test_case closed_streams
closed_streams_head()
{
	atf_set descr "closed standard streams are no trouble"
}
closed_streams_body()
{
	check "$(program)" check
	mv out plain
	check sh -c "exec '$(program)' check <&-"
	atf_check cmp plain out
	atf_check -s exit:"$(cat status)" \
	    sh -c "exec '$(program)' check <&- >&- 2>&-"
}

atf_test_case nested
nested_head()
{
	atf_set descr "inside a sandbox: no notification, and told why"
}
nested_body()
{
	check "$(program)" check
	[ "$(cat status)" = 0 ] || atf_skip "this kernel lacks protections"
	check "$(program)" run --no-supervisor -r / -w /dev/null -- \
	    "$(program)" check
	consistent
	atf_check -o inline:'1\n' cat status
	atf_check -o match:'^notification  *no, .*\(nested\)' \
	    grep '^notification ' out
	atf_check_equal yes "$(state landlock)"
	atf_check_equal yes "$(state net-tcp)"
	# What the filter of the sandbox denies is reported, not died of.
	atf_check_equal no "$(state user-namespace)"
	atf_check_equal no "$(state overlayfs)"
	atf_check_equal no "$(state process-memory)"
}

atf_test_case nested_listener
nested_listener_head()
{
	atf_set descr "a caller that has a listener is told apart"
	atf_set require.progs python3
}
nested_listener_body()
{
	check "$(program)" check
	[ "$(cat status)" = 0 ] || atf_skip "this kernel lacks protections"
	cat >listener.py <<'END'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
class Insn(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]
class Prog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_uint16), ("filter", ctypes.POINTER(Insn))]
# A number that is no system call is notified; nobody ever makes it.
insns = (Insn * 4)((0x20, 0, 0, 0), (0x15, 0, 1, 4095),
    (0x06, 0, 0, 0x7fc00000), (0x06, 0, 0, 0x7fff0000))
prog = Prog(4, insns)
if libc.prctl(38, 1, 0, 0, 0) != 0:
    sys.exit("prctl")
number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
listener = libc.syscall(number, 1, 8, ctypes.byref(prog))
if listener < 0:
    sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
# A listener that is closed makes room for the next one.
os.set_inheritable(listener, True)
os.execv(sys.argv[1], sys.argv[1:])
END
	check python3 listener.py "$(program)" check
	consistent
	atf_check -o match:'^notification  *no, in use by the caller .nested.' \
	    grep '^notification ' out
	atf_check_equal yes "$(state tsync)"
	atf_check_equal yes "$(state process-memory)"
}

# bpf_filter action number: a program with that action for one system call.
bpf_filter()
{
	python3 -c '
import struct, sys
action, nr = int(sys.argv[1], 0), int(sys.argv[2])
out = sys.stdout.buffer
for insn in ((0x20, 0, 0, 0), (0x15, 0, 1, nr), (0x06, 0, 0, action),
    (0x06, 0, 0, 0x7fff0000)):
	out.write(struct.pack("=HBBI", *insn))' "$@"
}

container()
{
	bwrap --dev-bind / / --seccomp 9 "$@" 9<filter
}

atf_test_case container_denies
container_denies_head()
{
	atf_set descr "a container's filter that denies or kills means no"
	atf_set require.progs bwrap python3
}
container_denies_body()
{
	[ "$(uname -m)" = x86_64 ] || atf_skip "numbers of x86-64"
	bpf_filter 0x7fff0000 999 >filter
	container true || atf_skip "bwrap is not permitted here"
	check container "$(program)" check
	[ "$(cat status)" = 0 ] || atf_skip "this kernel lacks protections"
	consistent

	# landlock_create_ruleset: EPERM, then death.
	bpf_filter 0x00050001 444 >filter
	check container "$(program)" check
	consistent
	atf_check_equal no "$(state landlock)"
	atf_check_equal yes "$(state notification)"
	bpf_filter 0x80000000 444 >filter
	check container "$(program)" check
	consistent
	atf_check -o match:'^landlock  *no, SIGSYS' grep '^landlock ' out
	atf_check_equal yes "$(state notification)"

	# seccomp
	bpf_filter 0x00050001 317 >filter
	check container "$(program)" check
	consistent
	atf_check -o match:'^notification  *no, refused' \
	    grep '^notification ' out
	atf_check_equal no "$(state tsync)"
	atf_check_equal yes "$(state landlock)"
	bpf_filter 0x80000000 317 >filter
	check container "$(program)" check
	consistent
	atf_check -o match:'^notification  *no, SIGSYS' \
	    grep '^notification ' out

	# process_vm_readv, pidfd_getfd
	bpf_filter 0x00050001 310 >filter
	check container "$(program)" check
	consistent
	atf_check_equal no "$(state process-memory)"
	atf_check_equal yes "$(state process-descriptors)"
	bpf_filter 0x00050001 438 >filter
	check container "$(program)" check
	consistent
	atf_check_equal 0 "$(cat status)"
	atf_check_equal yes "$(state process-memory)"
	atf_check_equal no "$(state process-descriptors)"

	# pipe2: not even a probe can be run.
	bpf_filter 0x00050018 293 >filter
	check container "$(program)" check
	consistent
	atf_check_equal no "$(state cgroup-delegation)"
}

atf_test_case no_user_namespaces
no_user_namespaces_head()
{
	atf_set descr "without user namespaces the default policy still holds"
	atf_set require.progs unshare
}
no_user_namespaces_body()
{
	unshare -U -r true || atf_skip "not even for this test"
	check unshare -U -r sh -c "
	    echo 0 >/proc/sys/user/max_user_namespaces || exit 99
	    exec '$(program)' check"
	[ "$(cat status)" != 99 ] || atf_skip "the limit cannot be set"
	consistent
	atf_check_equal no "$(state user-namespace)"
	atf_check_equal no "$(state overlayfs)"
	atf_check_equal yes "$(state notification)"
}

atf_test_case no_processes
no_processes_head()
{
	atf_set descr "a limit of processes: every probe means no"
	atf_set require.progs prlimit setpriv
}
no_processes_body()
{
	# Root has no such limit.
	user=
	[ "$(id -u)" -ne 0 ] ||
	    user="setpriv --reuid=65534 --regid=65534 --clear-groups"
	check $user prlimit --nproc=1 "$(program)" check
	atf_check -o inline:'1\n' cat status
	atf_check_equal no "$(state landlock)"
	atf_check -o match:'fork' grep '^landlock ' out
}

atf_init_test_cases()
{
	atf_add_test_case text
	atf_add_test_case json
	atf_add_test_case usage
	atf_add_test_case no_effects
	atf_add_test_case ignored_signals
	atf_add_test_case closed_streams
	atf_add_test_case nested
	atf_add_test_case nested_listener
	atf_add_test_case container_denies
	atf_add_test_case no_user_namespaces
	atf_add_test_case no_processes
}
