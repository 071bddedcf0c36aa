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

# Attacks that the filter decides, by filter_attacks.c.  Each is made without a
# sandbox, where it has to end otherwise than with the denial (the control),
# and inside, where it has to end as tabled.

srcdir()
{
	atf_get_srcdir
}

program()
{
	atf_config_get sandlock \
	    "${SANDLOCK:-$(srcdir)/../../sandlock/sandlock}"
}

# Name of the attack; what it ends with in the sandbox; "root" when the kernel
# refuses an ordinary user anyway, so that only root is a control; "same" for
# what must work in the sandbox as it does outside.
table()
{
	cat <<'END'
mount EPERM
umount2 EPERM
pivot_root EPERM root
chroot EPERM
open_tree EPERM
open_tree_attr EPERM
move_mount EPERM root
fsopen EPERM root
fsconfig EPERM
fsmount EPERM root
fspick EPERM root
mount_setattr EPERM
statmount EPERM
listmount EPERM
setns EPERM
io_uring_setup EPERM
io_uring_enter EPERM
io_uring_register EPERM
process_madvise EPERM
process_mrelease EPERM
pidfd_getfd EPERM
bpf EPERM root
perf_event_open EPERM root
userfaultfd EPERM
lookup_dcookie EPERM
process_vm_readv EPERM
process_vm_writev EPERM
ptrace_traceme EPERM
ptrace_seize EPERM
ptrace_suspend_seccomp EPERM root
ptrace_outsider EPERM
kcmp EPERM
keyctl EPERM
keyctl_session_to_parent EPERM
add_key EPERM
request_key EPERM
kexec_load EPERM root
kexec_file_load EPERM root
init_module EPERM root
finit_module EPERM root
delete_module EPERM root
create_module EPERM
query_module EPERM
get_kernel_syms EPERM
acct EPERM root
swapon EPERM root
swapoff EPERM root
reboot EPERM root
iopl EPERM
ioperm EPERM
quotactl EPERM
quotactl_fd EPERM
syslog EPERM root
sethostname EPERM root
setdomainname EPERM root
settimeofday EPERM root
clock_settime EPERM
adjtimex EPERM
clock_adjtime EPERM
lsm_set_self_attr EPERM
name_to_handle_at EPERM
open_by_handle_at EPERM root
fanotify_init EPERM
fanotify_mark EPERM
move_pages EPERM
migrate_pages EPERM
set_mempolicy_home_node EPERM
file_setattr EPERM
uselib EPERM
modify_ldt EPERM
map_shadow_stack EPERM
nfsservctl EPERM
_sysctl EPERM
shmget EPERM
shmat EPERM
shmdt EPERM
shmctl EPERM
semget EPERM
semop EPERM
semtimedop EPERM
semctl EPERM
msgget EPERM
msgsnd EPERM
msgrcv EPERM
msgctl EPERM
mq_open EPERM
mq_unlink EPERM
mq_timedsend EPERM
mq_timedreceive EPERM
mq_notify EPERM
mq_getsetattr EPERM
unshare_nothing ok same
unshare_files ok same
unshare_newns EPERM root
unshare_newcgroup EPERM root
unshare_newuts EPERM root
unshare_newipc EPERM root
unshare_newuser EPERM
unshare_newpid EPERM root
unshare_newnet EPERM root
unshare_newtime EPERM root
clone ok same
clone_newuser EPERM
clone_newuser_high EPERM
clone_newns EPERM
clone3 ENOSYS
clone3_newuser ENOSYS
clone3_cgroup ENOSYS
clone3_settid ENOSYS
pthread ok same
fork ok same
vfork ok same
personality_query ok same
personality_plain ok same
personality_norandomize EPERM
personality_high EPERM
personality_exec EPERM
personality_linux32 EPERM
personality_sticky EPERM
prctl_dumpable ok
prctl_mm EPERM
prctl_mm_high EPERM
prctl_ptracer EPERM
prctl_name ok same
prctl_subreaper ok same
prctl_pdeathsig ok same
filter ok same
filter_listener EPERM
filter_listener_high EPERM
filter_then_personality EPERM
ioctl_tcgets ENOTTY same
ioctl_tiocsti EPERM
ioctl_tiocsti_high EPERM
ioctl_tioclinux EPERM
ioctl_tioclinux_high EPERM
ioctl_tioccons EPERM
ioctl_tiocsetd EPERM
ioctl_tiocexcl EPERM
ioctl_tiocvhangup EPERM
ioctl_tiocsig EPERM
ioctl_tiocsctty ENOTTY same
ioctl_tiocsctty_steal EPERM
ioctl_tcxonc EPERM
ioctl_kdskbent EPERM
ioctl_vt_activate EPERM
x32 SIGSYS
no_such_call ENOSYS same
skipped_call ENOSYS same
socket_tcp ok same
socket_tcp6 ok same
socket_unix ok same
socket_unix_seqpacket ok same
socket_unix_dgram ok same
socket_unix_dgram_high ok same
socket_unix_raw EACCES
socket_udp EACCES
socket_udp_high EACCES
socket_udp6 EACCES
socket_udplite EACCES
socket_udplite_high EACCES
socket_raw EACCES
socket_mptcp EACCES
socket_mptcp_high EACCES
socket_sctp EACCES
socket_smc EACCES
socket_dccp EACCES
socket_packet EACCES
socket_route ok same
socket_route_dgram ok same
socket_route_high ok same
socket_diag EACCES
socket_diag_high EACCES
socket_xfrm EACCES
socket_audit EACCES
socket_netfilter EACCES
socket_uevent EACCES
socket_generic EACCES
socket_vsock EACCES
socket_alg EACCES
socket_xdp EACCES
socket_key EACCES
socket_tipc EACCES
socket_rds EACCES
socket_can EACCES
socket_qipcrtr EACCES
socket_bluetooth EACCES
socketpair ok same
socketpair_dgram EACCES
socketpair_dgram_high EACCES
sendto ok same
sendto_fastopen EPERM
sendto_fastopen_high EPERM
sendmsg_fastopen EPERM
sendmmsg_fastopen EPERM
tcp_ulp EPERM
ip_options EPERM
ipv6_rthdr EPERM
ipv6_flowlabel EPERM
tcp_group EPERM
tcp_group6 EPERM
ipv6_addrform EPERM
udp_encap EPERM
ipv6_pktoptions EPERM
interface_list ok same
interface_index ok same
interface_index_high ok same
interface_ethtool EOPNOTSUPP
interface_flags EPERM
interface_flags_high EPERM
interface_route EPERM
socket_mark ok same
datagram EPIPE
datagram_pair EACCES
route_datagram ok
route_bind ok same
route_list ok same
mknod_fifo ok same
mknod_char EPERM
mknod_char_high EPERM
mknod_block EPERM root
mknodat_char EPERM
rename_noreplace ok same
rename_whiteout EPERM
rename_whiteout_high EPERM
open_read ok same
open_neither EINVAL
openat_neither EINVAL
openat2 ENOSYS
lease EPERM
lease_high EPERM
setflags EPERM
fssetxattr EPERM
setversion EPERM
ficlone EBADF same
btrfs_snapshot EPERM
chmod EPERM
fchmod EPERM
fchmodat EPERM
fchmodat2 EPERM
fchmodat2_fd EPERM
chown EPERM
fchown EPERM
lchown EPERM
fchownat EPERM
utime EPERM
utimes EPERM
futimesat EPERM
utimensat EPERM
utimensat_fd EPERM
setxattr EPERM
lsetxattr EPERM
fsetxattr EPERM
setxattrat EPERM
removexattr EPERM
lremovexattr EPERM
fremovexattr EPERM
removexattrat EPERM
outsider_priority EPERM
outsider_ioprio EPERM
outsider_scheduler EPERM
outsider_param EPERM
outsider_attr EPERM
outsider_affinity EPERM
outsider_limit EPERM
group_priority EPERM
own_priority ok same
own_ioprio ok same
own_affinity ok same
own_limit ok same
own_scheduler ok same
END
}

# A directory that may be written to, a file that may only be read, and a
# process that is not in the sandbox but takes datagrams.
prepare()
{
	mkdir writable readable
	echo secret >readable/file
	chmod 640 readable/file
	stat -c '%a %u %g %Y' readable/file >state
	"$(srcdir)/filter_attacks" -l writable/socket >datagrams 2>/dev/null &
	echo $! >outsider
	tries=0
	until test -S writable/socket; do
		tries=$((tries + 1))
		test ${tries} -le 100 || atf_fail "no process outside"
		sleep 0.05
	done
}

finish()
{
	# The end of the body may have ended it.
	if test -s outsider; then
		kill "$(cat outsider)" 2>/dev/null || :
	fi
}

# All attacks, by way of a command.
attacks()
{
	"$@" "$(srcdir)/filter_attacks" -d "$(pwd)/writable" \
	    -f "$(pwd)/readable/file" -p "$(cat outsider)"
}

# The policy grants what the attacks need beside what they try.
boxed()
{
	attacks "$(program)" run -r / -w "$(pwd)/writable" -w /dev/null \
	    --net-allow tcp://:9 "$@" --
}

# The results in the files bare and inside, compared with the file expected.
compare()
{
	awk -v root="$(id -u)" '
	function bad(text) { print $1 ": " text; status = 1 }
	function is_void() {
		if ($3 == "same")
			return (bare[$1] != $2)
		return (bare[$1] == $2 && ($3 != "root" || root == 0))
	}
	FILENAME == "bare" { bare[$1] = $2; next }
	FILENAME == "inside" { inside[$1] = $2; next }
	{
		seen[$1] = 1
		if (!($1 in bare) || !($1 in inside))
			bad("was not made")
		else if (inside[$1] != $2)
			bad(inside[$1] " instead of " $2)
		else if (is_void())
			bad("the control is void: " bare[$1])
	}
	END {
		for (name in inside)
			if (!(name in seen)) {
				print name ": is not in the table"
				status = 1
			}
		exit status
	}' bare inside expected
}

# All attacks with these options to run, against the file expected.
case_run()
{
	prepare
	boxed "$@" >inside || atf_fail "inside: status $?"
	# The file is as it was, and nothing is left behind.
	atf_check -o file:state stat -c '%a %u %g %Y' readable/file
	atf_check -o inline:"socket\n" ls writable
	atf_check test ! -s datagrams
	attacks >bare || atf_fail "outside: status $?"
	# The outsider writes them when it comes to run.
	tries=0
	until [ "$(wc -c <datagrams)" -ge 2 ] || [ ${tries} -ge 500 ]; do
		tries=$((tries + 1))
		sleep 0.01
	done
	atf_check_equal 2 "$(wc -c <datagrams)"
	compare || atf_fail "not as tabled"
}

atf_test_case deny_list cleanup
deny_list_head()
{
	atf_set "descr" "the default filter ends every attack as tabled"
	atf_set "timeout" "120"
}
deny_list_body()
{
	table >expected
	case_run
}
deny_list_cleanup()
{
	finish
}

atf_test_case allow_list cleanup
allow_list_head()
{
	atf_set "descr" "nor does the allow list let any through"
	atf_set "timeout" "120"
}
allow_list_body()
{
	# seccomp is not on the list.
	table | sed -e 's/^filter .*/filter EPERM/' \
	    -e '/^filter_then_personality/s/EPERM/ECANCELED/' >expected
	case_run --syscalls allow-list
}
allow_list_cleanup()
{
	finish
}

atf_test_case kernel_only cleanup
kernel_only_head()
{
	atf_set "descr" "nor is the supervisor needed to end them"
	atf_set "timeout" "120"
}
kernel_only_body()
{
	# Nobody is there to check what a unix socket connects to, nor to show
	# interfaces.
	table | sed -e 's/^\(socket_unix.*\) ok same/\1 EACCES/' \
	    -e 's/^\(socket_route.*\) ok same/\1 EACCES/' \
	    -e 's/^\(route_[^ ]*\) .*/\1 EACCES/' \
	    -e 's/^datagram .*/datagram EACCES/' \
	    -e 's/^\(interface_[^ ]*\) .*/\1 EPERM/' >expected
	case_run --no-supervisor
}
kernel_only_cleanup()
{
	finish
}

atf_test_case log_denials cleanup
log_denials_head()
{
	atf_set "descr" "every denial is logged and ends as without a log"
	atf_set "timeout" "120"
}
log_denials_body()
{
	table >expected
	case_run --log-denials denials
	# One line for each attack that was denied.
	atf_check_equal "$(wc -l <denials)" \
	    "$(grep -c -e ' EPERM$' -e ' EACCES$' -e 'neither EINVAL$' inside)"
	for call in mount ptrace io_uring_setup socket clone ioctl fchmod; do
		atf_check grep -q "\"call\":\"${call}\"" denials
	done
	# That a call is missing, or works in appearance, is no denial.
	atf_check -s exit:1 grep -e clone3 -e openat2 denials
	atf_check -s exit:1 grep -v '"error":"E\(PERM\|ACCES\|INVAL\)"' denials
}
log_denials_cleanup()
{
	finish
}

# some EXPECTED OPTION NAME ...: what the attacks named end with when run has
# one more option.
some()
{
	expected=$1 option=$2
	shift 2
	atf_check -o "inline:${expected}" "$(program)" run -r / ${option} -- \
	    "$(srcdir)/filter_attacks" "$@"
}

atf_test_case lifted
lifted_head()
{
	atf_set "descr" "a policy may lift what it is allowed to lift"
}
lifted_body()
{
	some 'shmget EPERM\nsemget EPERM\nmsgget EPERM\nmq_open EPERM\n' "" \
	    shmget semget msgget mq_open
	some 'shmget ok\nsemget ok\nmsgget ok\nmq_open EPERM\n' \
	    --extra-allow-syscall=@sysv_ipc shmget semget msgget mq_open
	some 'shmget EPERM\nmq_open EFAULT\n' \
	    --extra-allow-syscall=@posix_mq shmget mq_open
	for group in @mount @debug @io_uring @keyring @handle; do
		atf_check -s exit:125 -e match:"${group}" "$(program)" run \
		    -r / --extra-allow-syscall=${group} -- true
	done
}

atf_test_case denied_too
denied_too_head()
{
	atf_set "descr" "a policy may deny more"
}
denied_too_body()
{
	some 'personality_plain ok\nunshare_files ok\n' "" \
	    personality_plain unshare_files
	some 'personality_plain EPERM\nunshare_files ok\n' \
	    --extra-deny-syscall=personality personality_plain unshare_files
	some 'own_affinity EPERM\nown_scheduler EPERM\n' \
	    --extra-deny-syscall=@sched own_affinity own_scheduler
}

atf_test_case no_network
no_network_head()
{
	atf_set "descr" "without a rule there is no socket but pairs"
}
no_network_body()
{
	some 'socket_tcp EACCES\nsocket_tcp6 EACCES\n' "" socket_tcp \
	    socket_tcp6
	some 'socketpair ok\nsendto ok\n' "" socketpair sendto
	some 'socket_tcp ok\nsocket_udp EACCES\n' --net-allow=tcp://:9 socket_tcp \
	    socket_udp
}

# The script netns runs a command where there is an interface beside lo, and
# where echo requests are anybody's.
prepare_netns()
{
	cat >netns <<'END'
unshare -Urn sh -c '
	echo "0 0" >/proc/sys/net/ipv4/ping_group_range || exit 1
	for type in veth bridge dummy; do
		ip link add eth9 type ${type} 2>/dev/null && break
	done
	ip addr add 192.0.2.1/24 dev eth9 && exec "$@"' sh "$@"
END
	sh netns true || atf_skip "no name space for the network"
}

atf_test_case protocols
protocols_head()
{
	atf_set "descr" "a rule for one protocol brings no relative of it"
}
protocols_body()
{
	udp="socket_udp socket_udp_high socket_udp6 socketpair_dgram"
	never="socket_udplite socket_udplite_high socket_raw socket_unix_raw
	    socket_mptcp socket_sctp socket_smc socket_dccp socket_diag
	    socket_diag_high socket_packet socket_icmp_other"
	refused=$(printf '%s EACCES\\n' ${never})
	some "$(printf '%s ok\\n' ${udp})${refused}socket_tcp EACCES\n" \
	    --net-allow=udp://:9 ${udp} ${never} socket_tcp
	some "$(printf '%s EACCES\\n' ${udp})${refused}socket_tcp ok\n" \
	    --net-allow=tcp://:9 ${udp} ${never} socket_tcp
	# Flags, options and upper halves as with TCP.
	options="sendto_fastopen sendto_fastopen_high sendmsg_fastopen
	    sendmmsg_fastopen udp_encap ip_options ipv6_rthdr ipv6_pktoptions"
	some "$(printf '%s EPERM\\n' ${options})sendto ok\n" \
	    --net-allow=udp://:9 ${options} sendto

	prepare_netns
	attacks=$(srcdir)/filter_attacks
	icmp="socket_icmp socket_icmp6 socket_icmp_high"
	atf_check -o inline:"$(printf '%s ok\\n' ${icmp})" \
	    sh netns "${attacks}" ${icmp}
	atf_check -o inline:"$(printf '%s ok\\n' ${icmp})${refused}" \
	    sh netns "$(program)" run -r / --net-allow icmp:// -- \
	    "${attacks}" ${icmp} ${never}
	atf_check -o inline:"$(printf '%s EACCES\\n' ${icmp})" \
	    sh netns "$(program)" run -r / --net-allow :9 -- \
	    "${attacks}" ${icmp}
}

atf_test_case interfaces
interfaces_head()
{
	atf_set "descr" "lo is all there is, and nothing can be changed"
}
interfaces_body()
{
	attacks=$(srcdir)/filter_attacks
	some 'interface_lo ok\nroute_lo ok\nroute_change EPERM\n' \
	    --net-allow=udp://:9 interface_lo route_lo route_change
	some 'interface_lo EPERM\nroute_lo EACCES\nroute_change EACCES\n' \
	    "" interface_lo route_lo route_change
	prepare_netns
	asked='interface_lo route_lo route_change'
	atf_check -o inline:"$(printf '%s ENODEV\\n' ${asked})" \
	    sh netns "${attacks}" ${asked}
	atf_check -o inline:'interface_lo ok\nroute_lo ok\nroute_change EPERM\n' \
	    sh netns "$(program)" run -r / --net-allow udp://:9 -- \
	    "${attacks}" ${asked}
}

# The processors of the policy are a limit, not a default.
atf_test_case cpu_cores
cpu_cores_head()
{
	atf_set "descr" "the affinity that a policy sets cannot be changed"
}
cpu_cores_body()
{
	some 'own_affinity ok\n' "" own_affinity
	some 'own_affinity EPERM\nown_scheduler ok\n' --cpu-cores=0 \
	    own_affinity own_scheduler
}

atf_test_case terminal
terminal_head()
{
	atf_set "descr" "nothing is typed on the terminal of the caller"
}
terminal_body()
{
	attacks=$(srcdir)/filter_attacks
	for attack in terminal_tiocsti terminal_tiocsti_high; do
		"${attacks}" -t "${attacks}" ${attack} >bare
		grep -q "ok" bare || atf_skip "the kernel has no TIOCSTI"
		atf_check -o inline:"${attack} ok\ntyped 1\n" \
		    "${attacks}" -t "${attacks}" ${attack}
		atf_check -o inline:"${attack} EPERM\ntyped 0\n" \
		    "${attacks}" -t "$(program)" run -r / -- \
		    "${attacks}" ${attack}
	done
}

atf_test_case passed_ring
passed_ring_head()
{
	atf_set "descr" "an io_uring made outside cannot be used inside"
}
passed_ring_body()
{
	attacks=$(srcdir)/filter_attacks
	"${attacks}" -u "${attacks}" ring_enter >bare 2>err ||
	    atf_skip "the kernel has no io_uring"
	atf_check -o inline:'ring_enter ok\n' cat bare
	# As a standard stream: newer kernels send no ring over a socket.
	atf_check -o inline:'ring_enter EPERM\n' \
	    "${attacks}" -u "$(program)" run -r / -- "${attacks}" ring_enter
}

# What descriptors that somebody outside has sent are good for: what becomes of
# metadata, of names and of links to the outside, as the policy has it; and what
# is always refused, and what a descriptor was opened for and so can do.
passed_table()
{
	for try in fchmod fchmodat2 chmod_self fchmod_dir fchmodat_dir \
	    fchmodat_name fchmodat2_name fchown fchownat futimens utimensat \
	    fsetxattr fremovexattr; do
		echo ${try} "$1"
	done
	for try in reopen reopen_write truncate_self openat_dir openat_name \
	    create_dir mkdirat_name rename_dir; do
		echo ${try} "$2"
	done
	echo link_self "$3"
	echo link_dir "$3"
	cat <<'END'
openat_up EACCES
setflags EPERM
fssetxattr EPERM
setversion EPERM
lease EPERM
process_signal EPERM
process_getfd EPERM
process_setns EPERM
udp_connect EACCES
tcp_fastopen EPERM
tcp_connect EACCES
tcp_bind EACCES
terminal_console EPERM
terminal_line EPERM
terminal_type EPERM
terminal_modes ok same
read ok same
write ok same
list ok same
udp_send ok same
tcp_listen ok same
END
}

# What there is of the file, but for what a write changes.
passed_state()
{
	stat -c '%a %u %g' readable readable/file
	test "$(stat -c %Y readable/file)" -gt 1000 || echo old
	/usr/bin/python3 -c 'import os
print(os.listxattr("readable/file"), os.listdir("readable"))'
	cat readable/file
}

passed_same()
{
	passed_state >now
	atf_check -o file:state cat now
}

# passed_try OUTPUT [COMMAND ...]
passed_try()
{
	out=$1
	shift
	"$@" "$(srcdir)/passed" try sock writable >"${out}" ||
	    atf_fail "${out}: status $?"
}

# passed_compare OUTPUT METADATA NAMES LINKS
passed_compare()
{
	cp "$1" inside
	passed_table "$2" "$3" "$4" >expected
	compare || atf_fail "$1: not as tabled"
}

atf_test_case passed cleanup
passed_head()
{
	atf_set "descr" "descriptors of others give what they were opened for"
	atf_set "require.progs" "python3"
}
passed_body()
{
	mkdir writable readable other
	echo secret >readable/file
	echo more >other/file
	"$(srcdir)/passed" serve sock readable/file readable &
	echo $! >outsider
	until [ -S sock ]; do
		kill -0 "$(cat outsider)" || atf_fail "no server"
		sleep 0.05
	done
	passed_state >state
	box="$(program) run -r /usr --unveil /lib:rx? --unveil /lib64:rx?
	    --unveil /bin:rx? -r $(srcdir) --unveil ./sock:w -w ./writable"
	passed_try plain ${box} --
	passed_same
	passed_try view ${box} --workdir ./readable --on-exit abort --
	passed_same
	# The controls: what the policy grants, and nobody who asks.
	passed_try granted ${box} -w ./readable --
	passed_state >now
	! cmp -s state now || atf_fail "nothing was changed"
	passed_try bare
	passed_compare plain EPERM EACCES EXDEV
	# Names and metadata are the view's; it gives no file away.
	passed_compare view "ok same" "ok same" EXDEV
	passed_compare granted "ok same" "ok same" "ok same"
}
passed_cleanup()
{
	finish
}

atf_init_test_cases()
{
	atf_add_test_case deny_list
	atf_add_test_case allow_list
	atf_add_test_case kernel_only
	atf_add_test_case log_denials
	atf_add_test_case lifted
	atf_add_test_case denied_too
	atf_add_test_case no_network
	atf_add_test_case protocols
	atf_add_test_case interfaces
	atf_add_test_case cpu_cores
	atf_add_test_case terminal
	atf_add_test_case passed_ring
	atf_add_test_case passed
}
