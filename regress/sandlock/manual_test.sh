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

# The manual says what the program does: options, usage, system calls and
# variables are compared with the tables of the code, the examples are run,
# and mandoc has nothing to complain about.  The system calls are printed by
# a small program around common/filter.c in the form that the page has: after
# a change its output can be pasted.

top()
{
	echo "$(atf_get_srcdir)/../.."
}

page()
{
	echo "$(top)/sandlock/sandlock.1"
}

program()
{
	atf_config_get sandlock "$(atf_get_srcdir)/../../sandlock/sandlock"
}

# Lines of the page's source from a heading to the next one.
section()
{
	awk -v head="$1" '/^\.S[hs] / { on = $0 == head; next } on' "$(page)"
}

# Two lists that have to be the same.
same()
{
	[ -s "$1" ] || atf_fail "$3: nothing found in the program"
	diff -u "$1" "$2" >differs ||
	    atf_fail "$3: $(sed 1,2d differs | grep '^[-+]' | tr '\n' ' ')"
}

# The page as plain text; lines are as long as they want.
plain()
{
	mandoc -T ascii -O width=1000 "$(page)" | sed 's/.\x08//g'
}

# Print from the tables of filter.c and syscalls.c; see main() for what.
tables()
{
	cat >tables.c <<'END'
#include "filter.c"

#include <linux/audit.h>

static struct sock_fprog	 prog;

static int
has(const char *name, const char *const *list, size_t n)
{
	while (n-- > 0)
		if (strcmp(list[n], name) == 0)
			return (1);
	return (0);
}

static int
denied(const char *name)
{
	size_t	 i;

	for (i = 0; i < NELEMS(denied_groups); i++)
		if (strcmp(denied_groups[i].name, name) == 0)
			return (denied_groups[i].liftable ? 2 : 1);
	return (0);
}

static int
is_missing(int nr)
{
	size_t	 i;

	for (i = 0; i < NELEMS(missing); i++)
		if (missing[i] == nr)
			return (1);
	return (0);
}

/* What the compiled filter says to a call with arguments of 0. */
static uint32_t
verdict(int nr)
{
	struct seccomp_data	 sd;

	memset(&sd, 0, sizeof(sd));
	sd.arch = AUDIT_ARCH_X86_64;
	sd.nr = nr;
	return (bpf_eval(&prog, &sd));
}

static void
print_group(const char *name)
{
	const int	*nr;
	const char	*call;
	size_t		 column = 0, i, n;

	nr = syscall_group(name, &n);
	printf(".It Cm %s\n", name);
	for (i = 0; i < n; i++) {
		if (denied(name) && verdict(nr[i]) != ERRNO(EPERM))
			errx(1, "%s is not denied", syscall_name(nr[i]));
		call = syscall_name(nr[i]);
		if (column != 0 && column + strlen(call) > 66) {
			putchar('\n');
			column = 0;
		}
		column += printf(column == 0 ? ".Ic %s" : " %s", call);
		column += printf(i + 1 < n ? " ," : "");
	}
	putchar('\n');
}

static void
print_rules(const struct rule *r, size_t n)
{
	for (; n > 0; r++, n--)
		if ((r->action & SECCOMP_RET_ACTION_FULL) ==
		    SECCOMP_RET_ERRNO && r->action != ERRNO(0))
			printf("%s %s\n", syscall_name(r->nr),
			    strerrorname_np(r->action & 0xffff));
}

/* Where nothing is granted and nobody answers. */
static int
refused(const struct syscall_entry *entry)
{
	static const struct filter_conf	 none = { .fork = FILTER_DENY };
	struct build			 b = { .conf = &none };

	return ((entry_action(&b, entry) & SECCOMP_RET_ACTION_FULL) ==
	    SECCOMP_RET_ERRNO);
}

/* What refuses by itself where nobody answers; the errno is the refusal's. */
static void
print_mediated(void)
{
	const struct syscall_entry	*entry;
	struct filter_conf		 none;
	struct sock_fprog		 notify = prog;
	uint32_t			 error;
	size_t				 i;
	int				 listener;

	memset(&none, 0, sizeof(none));
	for (i = 0; i < syscall_table_len; i++) {
		entry = &syscall_table[i];
		if (is_missing(entry->nr) ||
		    !refused(entry))
			continue;
		if (verdict(entry->nr) != NOTIFY)
			errx(1, "%s is not notified", entry->name);
		if (filter_build(&none, NULL, 0, &prog, &listener) == -1)
			err(1, "filter_build");
		error = verdict(entry->nr) & SECCOMP_RET_DATA;
		free(prog.filter);
		prog = notify;
		printf("%s %s\n", entry->name, strerrorname_np(error));
	}
}

/* What about the network makes calls notified, as the page names it. */
static const struct {
	const char		*name;
	struct filter_conf	 conf;
} conditions[] = {
	{ "connects", { .connect = FILTER_NOTIFY } },
	{ "servers", { .listen = FILTER_NOTIFY } },
	{ "binds", { .bind = 1 } },
	{ "datagrams", { .send = 1 } },
	{ "ports", { .remap = 1 } },
	{ "names", { .hosts = 1 } },
	{ "interfaces", { .netlink = 1 } }
};

static int
notified_rules(int nr, const struct rule *r, size_t n)
{
	struct seccomp_data	 sd;
	size_t			 i;

	for (; n > 0; r++, n--) {
		if (r->nr != nr || r->action != NOTIFY)
			continue;
		memset(&sd, 0, sizeof(sd));
		sd.arch = AUDIT_ARCH_X86_64;
		sd.nr = nr;
		for (i = 0; i < r->nconds; i++)
			sd.args[r->conds[i].arg] = r->conds[i].value;
		if (bpf_eval(&prog, &sd) == NOTIFY)
			return (1);
	}
	return (0);
}

/* With an address, without, and with the arguments that some rule is about. */
static int
notified(const struct syscall_entry *entry)
{
	struct seccomp_data	 sd;

	memset(&sd, 0, sizeof(sd));
	sd.arch = AUDIT_ARCH_X86_64;
	sd.nr = entry->nr;
	if (bpf_eval(&prog, &sd) == NOTIFY)
		return (1);
	if (entry->addr != SLOT_NONE)
		sd.args[(int)entry->addr] = 1;
	return (bpf_eval(&prog, &sd) == NOTIFY ||
	    notified_rules(entry->nr, netlink_rules, NELEMS(netlink_rules)) ||
	    notified_rules(entry->nr, holder_rules, NELEMS(holder_rules)));
}

/* Each condition alone, and which calls it makes notified. */
static void
print_sockets(void)
{
	size_t	 c, i;
	int	 listener;

	for (c = 0; c < NELEMS(conditions); c++) {
		if (filter_build(&conditions[c].conf, NULL, 0, &prog,
		    &listener) == -1)
			err(1, "filter_build");
		for (i = 0; i < syscall_table_len; i++)
			if (notified(&syscall_table[i]))
				printf("%s %s\n", syscall_table[i].name,
				    conditions[c].name);
		free(prog.filter);
	}
}

/* None may be left out: what is neither refused nor below is conditional. */
static void
print_conditional(void)
{
	size_t	 i;

	for (i = 0; i < syscall_table_len; i++)
		if (syscall_table[i].class < CLASS_OPEN &&
		    !refused(&syscall_table[i]))
			puts(syscall_table[i].name);
}

/* Those that only a working directory makes one. */
static void
print_viewed(enum syscall_class first, enum syscall_class last)
{
	size_t	 i;

	for (i = 0; i < syscall_table_len; i++)
		if (syscall_table[i].class >= first &&
		    syscall_table[i].class <= last)
			puts(syscall_table[i].name);
}

static void
print_ioctls(void)
{
	size_t	 i;

	for (i = 0; i < NELEMS(ioctls); i++) {
		if (ioctls[i].action == ALLOW)
			continue;
		printf("0x%04x", ioctls[i].conds[0].value);
		if (ioctls[i].conds[0].mask != 0xffffffff)
			printf("/0x%08x", ioctls[i].conds[0].mask);
		putchar('\n');
	}
}

int
main(int argc, char *argv[])
{
	struct filter_conf	 fc;
	const char		*name, *what = argv[argc - 1];
	size_t			 i;
	int			 listener;

	memset(&fc, 0, sizeof(fc));
	fc.fork = fc.meta = fc.connect = fc.listen = FILTER_NOTIFY;
	fc.unix_sockets = fc.inet_sockets = 1;
	if (filter_build(&fc, NULL, 0, &prog, &listener) == -1)
		err(1, "filter_build");
	for (i = 0; (name = syscall_group_name(i)) != NULL; i++)
		if ((strcmp(what, "denied") == 0 && denied(name) == 1) ||
		    (strcmp(what, "liftable") == 0 && denied(name) == 2) ||
		    (strcmp(what, "allowed") == 0 && has(name, allowed_groups,
		    NELEMS(allowed_groups))) ||
		    (strcmp(what, "others") == 0 && !denied(name) &&
		    !has(name, allowed_groups, NELEMS(allowed_groups))))
			print_group(name);
	if (strcmp(what, "missing") == 0)
		for (i = 0; i < NELEMS(missing); i++)
			printf("%s ENOSYS\n", syscall_name(missing[i]));
	if (strcmp(what, "last") == 0)
		printf("%d\n", SYSCALL_LAST);
	if (strcmp(what, "rules") == 0) {
		print_rules(rules, NELEMS(rules));
		print_rules(ioctl_arguments, NELEMS(ioctl_arguments));
		print_rules(no_affinity, NELEMS(no_affinity));
		print_rules(holder_rules, NELEMS(holder_rules));
		print_rules(no_socket, NELEMS(no_socket));
		printf("ioctl EPERM\n");
	}
	if (strcmp(what, "ioctls") == 0)
		print_ioctls();
	if (strcmp(what, "viewed") == 0)
		print_viewed(CLASS_OPEN, CLASS_BIND);
	if (strcmp(what, "counted") == 0)
		print_viewed(CLASS_WRITE, CLASS_RESIZE);
	if (strcmp(what, "mediated") == 0)
		print_mediated();
	if (strcmp(what, "sockets") == 0)
		print_sockets();
	if (strcmp(what, "conditional") == 0)
		print_conditional();
	return (0);
}
END
	common="$(top)/common"
	atf_check -e ignore "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE \
	    -isystem /usr/include/bsd -DLIBBSD_OVERLAY -include err.h \
	    -I "${common}" -o tables tables.c "${common}/bpf.c" \
	    "${common}/syscalls.c" -lbsd
}

# Calls of the .It lines with the errors of the text below them.
calls_with_errors()
{
	awk '
	/^\.It Ic / { if (told) n = told = 0
		      for (i = 3; i <= NF; i++) if ($i != ",") call[n++] = $i }
	/^\.Er /    { for (i = 0; i < n; i++) print call[i], $2; told = 1 }' |
	    sort -u
}

# Calls of the .It lines with the words of the next line: each pair.
calls_with_conditions()
{
	awk '
	/^\.It Ic /      { n = 0; want = 1
			   for (i = 3; i <= NF; i++)
				if ($i != ",") call[n++] = $i
			   next }
	want && /^\.Cm / { for (k = 0; k < n; k++)
				for (i = 2; i <= NF; i++)
					if ($i !~ /^[,:.;]$/) print call[k], $i }
			 { want = 0 }' | sort
}

# Commands of EXAMPLES: what follows a prompt.
examples()
{
	section ".Sh EXAMPLES" | awk '
	sub(/^[$] /, "") || more { more = sub(/\\e$/, "")
		printf "%s%s", $0, more ? "" : "\n" }'
}

# The policies of EXAMPLES, each into a file of its own.
policies()
{
	section ".Sh EXAMPLES" | awk '
	/^\.Bd/ { text = ""; next }
	/^\.Ed/ { if (text ~ /profile "/) printf "%s", text >("policy" ++n)
		  next }
		{ gsub(/\\&/, ""); text = text $0 "\n" }'
}

atf_test_case options
options_head()
{
	atf_set "descr" "the list of options is that of the program, sorted"
	atf_set "require.progs" "mandoc"
}
options_body()
{
	"$(program)" --dump-options | awk -F '\t' '$5 != "refused" {
		line = ""
		if ($2 != "-") line = "-" $2 ($3 != "-" ? " " $3 : "")
		if ($1 != "-") line = line (line != "" ? ", " : "") \
		    "--" $1 ($3 != "-" ? " " $3 : "")
		print line }' >program
	plain | awk '/^[A-Z]/ { on = $0 == "OPTIONS" } on' |
	    sed -n 's/^     \(-[^ ].*\)$/\1/p' | sed 's/   *[A-Z].*//' >manual
	same program manual "options"
	# What is refused is named as such.
	section ".Sh OPTIONS" >text
	"$(program)" --dump-options |
	    awk -F '\t' '$5 == "refused" { print "Fl -" $1 }' >refused
	while read -r name; do
		grep -q -e "^\.${name}" text ||
		    atf_fail "the refused option ${name} is not named"
	done <refused
}

atf_test_case synopsis
synopsis_head()
{
	atf_set "descr" "SYNOPSIS is what the program prints as its usage"
	atf_set "require.progs" "mandoc"
}
synopsis_body()
{
	p=$(program)
	one_line='/^           / { line = line $0; next }
	    { if (line != "") print line; line = $0 } END { print line }'
	# The first form in full is that of "run"; the rest is the program's.
	{
		"${p}" run --help | sed '/^$/q' | awk "${one_line}" | sed 1q
		"${p}" --help | sed '/^$/q' | sed 1d
	} | sed 's/^usage://;s/^ *//;s/  */ /g;/^$/d' >program
	plain | awk '/^[A-Z]/ { on = $0 == "SYNOPSIS"; next } on && NF' |
	    sed 's/^ *//;s/  */ /g' >manual
	same program manual "synopsis"
	for command in branch check profile; do
		"${p}" "${command}" --help | sed -n 's/^usage: //p' |
		    cut -d' ' -f1-2 >start
		grep -q -e "^$(cat start)" manual ||
		    atf_fail "${command} is not in the synopsis"
	done
	# Commands that are refused are named.
	for command in ps inspect kill top; do
		atf_check -s exit:125 -e match:'not supported' "${p}" \
		    "${command}"
		grep -q "^\.Cm ${command}" "$(page)" ||
		    atf_fail "${command} is not named"
	done
}

atf_test_case calls
calls_head()
{
	atf_set "descr" "the lists of system calls are those of the filter"
	atf_set "require.progs" "${CC:-cc}"
}
calls_body()
{
	tables
	for part in \
	    "denied:.Ss Denied calls" \
	    "liftable:.Ss Denied calls that may be permitted" \
	    "allowed:.Ss Groups of the allow list" \
	    "others:.Ss Other groups"; do
		./tables "${part%%:*}" >program || atf_fail "${part%%:*}"
		section "${part#*:}" | grep -e '^\.It' -e '^\.Ic' >manual
		same program manual "${part#*:}"
	done
	for part in \
	    "missing:.Ss Calls that seem to be missing" \
	    "rules:.Ss Denied arguments" \
	    "mediated:.Ss Mediated calls"; do
		./tables "${part%%:*}" >list || atf_fail "${part%%:*}"
		sort -u list >program
		section "${part#*:}" | calls_with_errors >manual
		same program manual "${part#*:}"
	done
	./tables sockets | sort >program
	section ".Ss Calls on sockets" | calls_with_conditions >manual
	same program manual "calls on sockets"
	./tables conditional >list
	[ -s list ] || atf_fail "no call is conditional"
	while read -r call; do
		grep -q "^${call} " program ||
		    atf_fail "${call} is notified under no condition"
	done <list
	section ".Ss Calls on sockets" | sed -n 's/^\.It Cm //p' | sort >named
	cut -d ' ' -f 2 program | sort -u >list
	same list named "conditions"
	./tables viewed | sort >program
	section ".Ss Calls below a working directory" |
	    sed -n 's/^\.Ic //p' | tr -d ',' | tr -s ' ' '\n' | sort >manual
	same program manual "calls below a working directory"
	./tables counted | sort >program
	section ".Ss Calls that are counted" |
	    sed -n 's/^\.Ic //p' | tr -d ',' | tr -s ' ' '\n' | sort >manual
	same program manual "calls that are counted"
	./tables ioctls >program
	section ".Ss Denied ioctl commands" |
	    sed -n 's/^\.It \(0x[^ ]*\).*/\1/p' >manual
	same program manual "ioctl commands"
	section ".Ss Calls that seem to be missing" |
	    grep -q "above $(./tables last)" ||
	    atf_fail "the last known number is not $(./tables last)"
}

atf_test_case environment
environment_head()
{
	atf_set "descr" "the names that are dropped and kept are those of the code"
}
environment_body()
{
	for part in "scrub:.Ss Names that are scrubbed" \
	    "clean:.Ss Names that are kept"; do
		sed -n "/^static const char.*${part%%:*}_names\[\]/,/^};/p" \
		    "$(top)/sandlock/environ.c" | grep -o '"[^"]*"' |
		    tr -d '"' >program
		section "${part#*:}" | sed -n 's/^\.Ev //p' |
		    sed 's/ [,.]//g' | tr ' ' '\n' >manual
		same program manual "${part#*:}"
	done
}

atf_test_case reports
reports_head()
{
	atf_set "descr" "the keys of the reports are those that are written"
}
reports_body()
{
	p=$(program)
	mkdir dir
	for part in "--status-fd:.Ss The status line" \
	    "--log-denials:.Ss The log of denials"; do
		(cd dir && "${p}" run "${part%%:*}" 3 -- \
		    chmod 600 /etc/hosts 3>../line 2>/dev/null)
		# Keys of the outer object, in their order.
		sed 's/{}//g;s/\("notifications":\){[^}]*}/\10/' line |
		    grep -o '"[a-z_]*":' | tr -d '":' >program
		section "${part#*:}" |
		    sed -n 's/^\.It Cm \([a-z_]*\)$/\1/p' >manual
		same program manual "${part#*:}"
	done
}

atf_test_case lint
lint_head()
{
	atf_set "descr" "mandoc has no warning about any page"
	atf_set "require.progs" "mandoc"
}
lint_body()
{
	top=$(top)
	for page in "${top}"/*.[1-9] "${top}"/*/*.[1-9]; do
		[ -f "${page}" ] || continue
		mandoc -T lint -W warning "${page}" |
		    grep -v 'referenced manual not found' >>lint
	done
	[ ! -s lint ] || atf_fail "$(cat lint)"
}

atf_test_case policies
policies_head()
{
	atf_set "descr" "policies of EXAMPLES parse, commands have good options"
}
policies_body()
{
	p=$(program)
	policies
	[ -f policy1 ] || atf_fail "no policy in EXAMPLES"
	for policy in policy*; do
		chmod 644 "${policy}"
		atf_check "${p}" -n -f "${policy}"
	done
	examples >commands
	[ "$(grep -c sandlock commands)" -ge 5 ] || atf_fail "few examples"
	mkdir project
	cp policy1 project.conf
	chmod 644 project.conf
	cd project || atf_fail "project"
	sandlock()
	{
		case $1 in
		run)
			shift
			"${p}" run -n "$@"
			;;
		branch)
			;;
		*)
			"${p}" "$@" >/dev/null
			;;
		esac
	}
	while read -r command; do
		eval "${command}" || atf_fail "refused: ${command}"
	done <../commands
}

# Each example in a project that has what it needs.
atf_test_case examples
examples_head()
{
	atf_set "descr" "the commands of EXAMPLES do what they are said to do"
	atf_set "require.progs" "make"
}
examples_body()
{
	p=$(program)
	policies
	examples >commands
	mkdir project
	cd project || atf_fail "project"
	cp ../policy1 ../project.conf
	chmod 644 ../project.conf
	printf 'all test:\n\ttouch done-$@\n' >Makefile
	printf '#! /bin/sh\necho built\n' >build.sh
	printf '#! /bin/sh\necho >>Makefile\n' >update.sh
	chmod 755 build.sh update.sh
	mkdir ../home
	HOME=$(cd ../home && pwd)
	export HOME
	unset XDG_STATE_HOME
	sandlock()
	{
		"${p}" "$@"
	}
	while read -r command; do
		# Those that serve or that need a server are only parsed.
		case ${command} in
		*--net-allow*|*http*|*--run-as*)
			continue
			;;
		esac
		# The name of a branch is new each time.
		case ${command} in
		*"sandlock branch"*)
			command="${command% *} $("${p}" branch list |
			    cut -d ' ' -f 1)"
			;;
		esac
		eval "${command}" >../out 2>../err ||
		    atf_fail "${command}: status $?: $(cat ../err)"
	done <../commands
	[ -f done-all ] || atf_fail "make did not run"
	[ -f done-test ] || atf_fail "make test did not run"
}

atf_init_test_cases()
{
	atf_add_test_case options
	atf_add_test_case synopsis
	atf_add_test_case calls
	atf_add_test_case environment
	atf_add_test_case reports
	atf_add_test_case lint
	atf_add_test_case policies
	atf_add_test_case examples
}
