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


# Where data goes, in every form of saying so: what is admitted works as
# outside, to the errno, and nothing else goes out.  See net_send.sh.

. "$(atf_get_srcdir)/util.sh"

send_head()
{
	atf_set "descr" "$1"
	atf_set "require.files" "/usr/bin/python3"
	atf_set "require.progs" "unshare ip"
	atf_set "timeout" "${2:-120}"
}

# Run one of them; what it says is why it failed.
send_body()
{
	unshare -Urn true 2>/dev/null || atf_skip "no user namespaces"
	unshare -Urn sh "$(helper net_send.sh)" "$1" "$(atf_get_srcdir)" \
	    "$(program)" >log 2>&1 || atf_fail "$(tail -c 2000 log)"
}

atf_test_case inet
inet_head()
{
	send_head "sends by UDP and TCP, right and wrong ones"
}
inet_body()
{
	send_body inet
}

atf_test_case pairs
pairs_head()
{
	send_head "sends between local sockets, that wait and large ones"
}
pairs_body()
{
	send_body pairs
}

atf_test_case local
local_head()
{
	send_head "sends to sockets by path"
}
local_body()
{
	send_body local
}

atf_test_case plain
plain_head()
{
	send_head "sends on connected sockets are the kernel's"
}
plain_body()
{
	send_body plain
}

atf_test_case attacks
attacks_head()
{
	send_head "ways around the rules"
}
attacks_body()
{
	send_body attacks
}

atf_test_case races
races_head()
{
	send_head "addresses and sockets that change during a call"
}
races_body()
{
	send_body races
}

atf_test_case waits
waits_head()
{
	send_head "connects that wait, and what ends that"
}
waits_body()
{
	send_body waits
}

atf_test_case many
many_head()
{
	send_head "more that wait than there are descriptors"
}
many_body()
{
	send_body many
}

atf_init_test_cases()
{
	atf_add_test_case inet
	atf_add_test_case pairs
	atf_add_test_case local
	atf_add_test_case plain
	atf_add_test_case attacks
	atf_add_test_case races
	atf_add_test_case waits
	atf_add_test_case many
}
