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

# A worker that has been taken over says what it may not: the run ends with
# 125, cleanly, whatever it was.

# The numbers of the messages.
types()
{
	sed -n '/^enum imsg_type {/,/^}/s/^	\(IMSG_[A-Z_]*\).*/\1/p' \
	    "${srcdir}/../../common/proto.h" |
	    awk '{ print $1 "=" NR - 1 }' >types.sh
	. ./types.sh
	[ "${IMSG_MAX}" -gt 30 ] || fail "no types"
}

# tree WHO: a copy of the programs with a fake in WHO's place.
tree()
{
	_dir=$(cd "$(dirname "${sandlock}")/.." && pwd -P)
	rm -rf tree
	for _name in sandlock supervisor cowd netd; do
		mkdir -p "tree/${_name}"
		cp "${_dir}/${_name}/${_name}" "tree/${_name}/${_name}"
	done
	[ -z "$1" ] || cp "${srcdir}/fake" "tree/$1/$1"
	sandlock=tree/sandlock/sandlock
}

# say WHO LINE ...: one run in which WHO says these.
say()
{
	_fake=$1
	shift
	printf '%s\n' "$@" >"tree/${_fake}/${_fake}.mode"
	what="${_fake}: $*"
	life_run -t 15 -- --net-allow 127.0.0.1:9 -P 20 -- \
	    /bin/sh -c 'until [ -f end ]; do :; done'
	errs_are_ours
	nothing_left "${what}"
	if grep -q 'AddressSanitizer\|runtime error' errs; then
		fail "${what}: $(cat errs)"
	fi
}

refused()
{
	say "$@"
	expect "${what}" 125 worker
	[ -s errs ] || fail "${what}: no message"
}

# Sent on CHANNEL (early, parent, peer) by FAKE: broken framing.
framing()
{
	for _line in "half" "msg ${IMSG_LOCKED} 1 0 0 0 0" \
	    "msg ${IMSG_LOCKED} 15 0 0 0 0" \
	    "msg ${IMSG_LOCKED} 0x7fffffff 0 0 0 0" \
	    "msg ${IMSG_LOCKED} 0xffffffff 0 0 0 0" \
	    "msg ${IMSG_LOCKED} 135169 0 0 0 0" \
	    "msg ${IMSG_LOCKED} 65536 0 0 100 0" \
	    "msg ${IMSG_LOCKED} 0 1 0 0 0" \
	    "msg 0 0 0 0 0 0" "msg ${IMSG_MAX} 0 0 0 0 0" \
	    "msg 4294967295 0 0 0 4 0" "random 1" "random 2" "random 3"; do
		case $2 in
		early)	refused "$1" "${_line}" "leave" ;;
		parent)	refused "$1" config locked "${_line}" leave ;;
		peer)	refused "$1" config locked peer "${_line}" leave ;;
		esac
	done
}

atf_test_case control
control_head()
{
	atf_set "descr" "control: the copied tree works"
}
control_body()
{
	life_setup
	types
	tree ""
	: >end
	life_run -- --net-allow 127.0.0.1:9 -P 20 -- /bin/sh -c 'exit 3'
	expect control 3 exit
}

atf_test_case framing
framing_head()
{
	atf_set "descr" "broken framing, from each worker on each channel"
	atf_set "timeout" "600"
}
framing_body()
{
	life_setup
	types
	program=${sandlock}
	for who in supervisor cowd netd; do
		sandlock=${program}
		tree ${who}
		framing ${who} early
		framing ${who} parent
		# What the supervisor says to the others.
		framing ${who} peer
	done
}

atf_test_case place
place_head()
{
	atf_set "descr" "each message from a worker that may not send it"
	atf_set "timeout" "600"
}
place_body()
{
	life_setup
	types
	program=${sandlock}
	for who in supervisor cowd netd; do
		sandlock=${program}
		tree ${who}
		type=0
		while [ ${type} -le ${IMSG_MAX} ]; do
			case ${who}:${type} in
			*:${IMSG_ERROR})
				# cowd and netd may say so while it runs.
				say ${who} config "msg ${type} 0 0 0 4 65"
				reason=$(status_key reason)
				[ ${who}:${reason} = cowd:worker ] ||
				    [ ${who}:${reason} = netd:worker ] ||
				    reason=setup
				expect "${what}" 125 ${reason} ;;
			supervisor:${IMSG_EXEC_FAILED}|\
			supervisor:${IMSG_STARTED}|\
			supervisor:${IMSG_SIGNALLED}|\
			supervisor:${IMSG_STOPPED}|\
			supervisor:${IMSG_COUNT}|\
			supervisor:${IMSG_DENIAL}|\
			supervisor:${IMSG_EXITED})
				# Its own, with a bad size.
				refused ${who} config locked \
				    "msg ${type} 0 0 0 3 0" leave ;;
			netd:${IMSG_READY})
				refused ${who} "msg ${type} 0 0 0 0 0" leave
				refused ${who} config locked \
				    "msg ${type} 0 0 0 0 0" \
				    "msg ${type} 0 0 0 0 0" leave ;;
			*:${IMSG_LOCKED})
				refused ${who} config locked locked ;;
			*)
				refused ${who} config locked \
				    "msg ${type} 0 0 0 0 0"
				refused ${who} config locked \
				    "msg ${type} 0 0 0 4 1" ;;
			esac
			type=$((type + 1))
		done
	done
}

atf_test_case supervisor_lies
supervisor_lies_head()
{
	atf_set "descr" "a supervisor that tells what cannot be"
	atf_set "timeout" "600"
}
supervisor_lies_body()
{
	life_setup
	types
	tree supervisor
	refused supervisor config locked "exited 0"
	refused supervisor config locked "int ${IMSG_STARTED} 0"
	refused supervisor config locked "int ${IMSG_STARTED} 1"
	refused supervisor config locked "int ${IMSG_STARTED} -1"
	refused supervisor config locked "int ${IMSG_STARTED} 4000" \
	    "int ${IMSG_STARTED} 4000"
	refused supervisor "int ${IMSG_STARTED} 4000"
	refused supervisor config locked "int ${IMSG_STARTED} 4000" \
	    "msg ${IMSG_EXEC_FAILED} 0 0 0 8 1"
	refused supervisor config locked "msg ${IMSG_EXEC_FAILED} 0 0 0 8 255"
	refused supervisor config locked "int ${IMSG_STOPPED} 19" leave
	refused supervisor config locked "msg ${IMSG_COUNT} 0 0 0 12 255"
	refused supervisor config locked "msg ${IMSG_DENIAL} 0 0 0 61 255"
	refused supervisor config locked "msg ${IMSG_ERROR} 0 0 0 8 0"
	# The text of an error is cleaned and cut.
	say supervisor "msg ${IMSG_ERROR} 0 0 0 60000 27"
	expect "${what}" 125 setup
}

atf_test_case deaf
deaf_head()
{
	atf_set "descr" "a supervisor that obeys no signal does not keep anybody"
}
deaf_body()
{
	life_setup
	types
	tree supervisor
	printf '%s\n' config locked "int ${IMSG_STARTED} 4000" \
	    >tree/supervisor/supervisor.mode
	"${sandlock}" run -r / -- true 2>errs &
	parent=$!
	sleep 1
	kill -TERM ${parent}
	(sleep 30; kill -KILL ${parent}) 2>/dev/null &
	guard=$!
	rc=0
	wait ${parent} || rc=$?
	kill ${guard}
	[ ${rc} -eq 125 ] || fail "status ${rc}: $(cat errs)"
	grep -q '^sandlock: supervisor: no answer$' errs || fail "$(cat errs)"
	nothing_left deaf
}

atf_test_case descriptors
descriptors_head()
{
	atf_set "descr" "descriptors where none belong"
	atf_set "timeout" "600"
}
descriptors_body()
{
	life_setup
	types
	program=${sandlock}
	for who in supervisor cowd netd; do
		sandlock=${program}
		tree ${who}
		refused ${who} config "msg ${IMSG_LOCKED} 0 1 1 0 0"
		refused ${who} config "msg ${IMSG_LOCKED} 0 1 2 0 0"
		refused ${who} config "msg ${IMSG_LOCKED} 0 0 1 0 0"
		refused ${who} config "msg ${IMSG_LOCKED} 0 0 16 0 0"
	done
}

atf_test_case peers
peers_head()
{
	atf_set "descr" "workers lie to each other"
	atf_set "timeout" "600"
}
peers_body()
{
	life_setup
	types
	program=${sandlock}
	for who in supervisor cowd netd; do
		sandlock=${program}
		tree ${who}
		type=0
		while [ ${type} -le ${IMSG_MAX} ]; do
			case ${who}:${type} in
			cowd:${IMSG_META_REPLY}|cowd:${IMSG_UNIX_REPLY}|\
			netd:${IMSG_NET_REPLY}|supervisor:${IMSG_NET_CANCEL})
				refused ${who} config locked peer \
				    "msg ${type} 0 0 0 3 0" ;;
			*)
				refused ${who} config locked peer \
				    "msg ${type} 0 0 0 0 0"
				;;
			esac
			type=$((type + 1))
		done
	done
}

atf_test_case noise
noise_head()
{
	atf_set "descr" "noise that is nearly right"
	atf_set "timeout" "600"
}
noise_body()
{
	life_setup
	types
	program=${sandlock}
	for who in supervisor cowd netd; do
		sandlock=${program}
		tree ${who}
		seed=1
		while [ ${seed} -le 40 ]; do
			say ${who} "mutate ${seed}" leave
			[ ${rc} -eq 125 ] || fail "${what}: status ${rc}"
			say ${who} config locked "mutate ${seed}" leave
			[ ${rc} -eq 125 ] || fail "${what}: status ${rc}"
			say ${who} config locked peer "mutate ${seed}" leave
			[ ${rc} -eq 125 ] || fail "${what}: status ${rc}"
			seed=$((seed + 1))
		done
	done
}

# The same against a parent and workers that look at every access.
atf_test_case sanitized
sanitized_head()
{
	atf_set "descr" "noise, with the parent built with sanitizers"
	atf_set "require.progs" "make cc"
	atf_set "timeout" "900"
}
sanitized_body()
{
	life_setup
	types
	src=${srcdir}/../..
	mkdir build
	cp -R "${src}/config.mk" "${src}/common" "${src}/sandlock" build
	make -C build/sandlock clean >/dev/null
	make -C build/sandlock \
	    CFLAGS="-O1 -g -fsanitize=address,undefined" LINKAGE= \
	    HARDEN_CFLAGS= HARDEN_LDFLAGS= >make.log 2>&1 ||
	    atf_skip "no sanitizers: $(tail -1 make.log)"
	program=${sandlock}
	export ASAN_OPTIONS=detect_leaks=0
	for who in supervisor cowd netd; do
		sandlock=${program}
		tree ${who}
		cp build/sandlock/sandlock tree/sandlock/sandlock
		seed=1
		while [ ${seed} -le 20 ]; do
			say ${who} "mutate ${seed}" leave
			[ ${rc} -eq 125 ] || fail "${what}: status ${rc}"
			say ${who} config locked "mutate ${seed}" leave
			[ ${rc} -eq 125 ] || fail "${what}: status ${rc}"
			seed=$((seed + 1))
		done
		framing ${who} early
		framing ${who} parent
	done
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case control
	atf_add_test_case framing
	atf_add_test_case place
	atf_add_test_case supervisor_lies
	atf_add_test_case deaf
	atf_add_test_case descriptors
	atf_add_test_case peers
	atf_add_test_case noise
	atf_add_test_case sanitized
}
