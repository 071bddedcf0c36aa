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


# Paths inside others with fewer rights, and paths that are denied: that the
# kernel keeps them, in every call and spelling, and that everything around
# them goes on as if nothing was there.

# The directory in which most of this happens, in the file "top".
tree()
{
	mkdir tree tree/src tree/secret tree/.git tree/.git/hooks
	chmod 755 tree
	printf 'bad content\n' >tree/bad
	printf 'good\n' >tree/good
	printf 'cfg\n' >tree/.git/config
	printf 'f\n' >tree/secret/f
	printf 'src\n' >tree/src/file
	cd tree || atf_fail "no tree"
}

# The calls on a file or a directory, with what each comes to when it may be
# made, and when the name is denied.
expect()
{
	case $1 in
	file)
		for c in open_r open_w open_rw open_creat open_path \
		    open_nofollow stat lstat newfstatat statx access \
		    faccessat faccessat2; do
			echo "${c}: ok"
		done
		printf '%s: EINVAL\n' readlink readlinkat
		printf '%s: ENODATA\n' getxattr lgetxattr
		printf '%s: ok\n' listxattr llistxattr statfs
		echo "getattr: EACCES"
		printf '%s: ok\n' watch exec \
		    chmod fchmodat2 chown utimensat setxattr
		printf '%s: EEXIST\n' symlink mkdir mknod
		printf '%s: ok\n' open_trunc open_rtrunc creat truncate link \
		    linkat rename_over exchange rename renameat2 unlink \
		    unlinkat
		;;
	directory)
		printf '%s: ok\n' opendir open_path stat lstat statx access \
		    statfs watch
		printf '%s: ENOENT\n' below stat_below
		printf '%s: ok\n' make_below chmod
		echo "mkdir: EEXIST"
		echo "link: EPERM"
		printf '%s: ok\n' rename rmdir chdir
		;;
	esac
}

atf_test_case denied_calls
denied_calls_head()
{
	atf_set "descr" "every call on a denied name is EACCES, and beside " \
	    "it as without a sandbox"
	atf_set "timeout" "60"
}
denied_calls_body()
{
	tree
	chmod 755 bad
	for kind in file directory; do
		expect ${kind} >../want
		sed 's/: .*/: EACCES/' ../want >../refused
		# The kernel may have that call, or not, and no policy.
		atf_check -o save:../bare ${bare} "$(helper hole)" ${kind} \
		    free other
		sed -i 's/^getattr: ok/getattr: EACCES/' ../bare
		atf_check -o file:../want cat ../bare
		rm -rf free other
		# A program that was made there Landlock does not know.
		sed 's/^exec: ok/exec: EACCES/' ../want >../around
		atf_check -o file:../around ${box} -r /proc -w . \
		    --fs-deny bad --fs-deny secret -- "$(helper hole)" \
		    ${kind} free other
		rm -rf free other
		# Where nothing is denied beside it, also that.
		atf_check -o file:../want ${box} -r /proc -w . \
		    --fs-deny bad --fs-deny secret -- "$(helper hole)" \
		    ${kind} src/free src/other
		rm -rf src/free src/other
	done
	for kind in file directory; do
		expect ${kind} | sed 's/: .*/: EACCES/' >../refused
		name=bad
		[ ${kind} = file ] || name=secret
		ls -lid --time-style=full-iso ${name} >../before
		atf_check -o file:../refused ${box} -r /proc -w . \
		    --fs-deny bad --fs-deny secret -- "$(helper hole)" \
		    ${kind} ${name} other
		atf_check -o file:../before ls -lid --time-style=full-iso \
		    ${name}
	done
	atf_check -o inline:"bad content\n" cat bad
	atf_check -o inline:"f\n" ls secret
}

atf_test_case denied_spellings
denied_spellings_head()
{
	atf_set "descr" "whichever way leads to a denied file"
}
denied_spellings_body()
{
	tree
	atf_check -o save:../good ${bare} "$(helper hole)" spell good
	atf_check -o match:17 grep -c ': "good"$' ../good
	rm -f chain*
	atf_check -o file:../good ${box} -r /proc -r /dev -w . \
	    --fs-deny bad -- "$(helper hole)" spell good
	rm -f chain*
	sed 's/: "good"$/: EACCES/' ../good >../denied
	atf_check -o file:../denied ${box} -r /proc -r /dev -w . \
	    --fs-deny bad -- "$(helper hole)" spell bad
	rm -f chain*
	# The policy may name it by a link, too.
	ln -s tree/bad ../link
	atf_check -o file:../denied ${box} -r /proc -r /dev -w . \
	    --fs-deny ../link -- "$(helper hole)" spell bad
}

atf_test_case hard_links
hard_links_head()
{
	atf_set "descr" "the other names of a denied file, old and new"
}
hard_links_body()
{
	tree
	ln bad src/old
	mkdir sub
	ln secret/f sub/inner
	for name in src/old sub/inner; do
		atf_check -o not-empty ${box} -w . -e "cat ${name}"
		atf_check -s exit:1 -e match:"${name}: Permission denied" \
		    ${box} -w . --fs-deny bad --fs-deny secret \
		    -e "cat ${name}"
		atf_check -s not-exit:0 -e match:"Permission denied" \
		    ${box} -w . --fs-deny bad --fs-deny secret \
		    -e "mv ${name} third"
	done
	# Control: what has fewer names is none of its business.
	atf_check -o inline:"src\n" ${box} -w . --fs-deny bad \
	    -e 'cat src/file'
	# A new one is not made, by whoever has the name.
	atf_check -s exit:1 -e match:"Permission denied" ${box} -w . \
	    --fs-deny bad -e 'ln bad new'
	atf_check -s exit:1 -e match:"Permission denied" ${box} -w . \
	    --fs-deny bad -e 'ln src/old new'
	atf_check test ! -e new
	atf_check ${box} -w . --fs-deny bad -e 'ln good new'
	atf_check -o inline:"2\n" stat -c %h new
}

atf_test_case bind_mounts
bind_mounts_head()
{
	atf_set "descr" "a second mount of what is denied"
	atf_set "require.user" "root"
}
bind_mounts_body()
{
	tree
	mkdir ../alias ../inner
	unshare -m true 2>/dev/null || atf_skip "no mount namespaces here"
	cat >../work.sh <<-EOT
	mount --bind . ../alias && mount --bind secret ../inner || exit 3
	cat ../alias/bad ../inner/f
	${box} -w . -r ../alias -r ../inner -e 'cat ../alias/bad ../inner/f'
	${box} -w . -r ../alias --fs-deny bad --fs-deny secret \
	    -r ../inner -e 'cat ../alias/good ../alias/bad ../inner/f'
	EOT
	atf_check -s exit:1 \
	    -o inline:"bad content\nf\nbad content\nf\ngood\n" \
	    -e inline:"cat: ../alias/bad: Permission denied
cat: ../inner/f: Permission denied\n" unshare -m sh ../work.sh
}

# race NAME TRIES GOOD BAD [option ...]: nothing bad, and with no option some.
races()
{
	name=$1 tries=$2 good=$3 bad=$4
	shift 4
	atf_check -o inline:"good some, bad 0, denied some\n" ${box} -r /proc \
	    -w . "$@" -- "$(helper hole)" race ${name} ${tries} ${good} ${bad}
	atf_check -o match:"good some, bad [1-9][0-9]*, denied none" ${box} \
	    -r /proc -w . -- "$(helper hole)" race ${name} ${tries} ${good} \
	    ${bad}
}

atf_test_case races
races_head()
{
	atf_set "descr" "names that change while they are looked at"
	atf_set "timeout" "240"
}
races_body()
{
	tree
	mkdir a b
	echo good >a/f
	echo 'bad content' >b/f
	races read 20000 good bad --fs-deny bad
	races stat 20000 good bad --fs-deny bad
	races chdir 10000 a b --fs-deny b
	races cwd 20000 a b --fs-deny b/f
	cp -P /bin/true eg
	cp -P /bin/false eb
	races exec 300 ./eg ./eb --fs-deny eb
	ln -s a mid
	races link 20000 a b --fs-deny b
}

atf_test_case changing_races
changing_races_head()
{
	atf_set "descr" "and while they are to be changed"
	atf_set "timeout" "120"
}
changing_races_body()
{
	tree
	for right in deny read; do
		opt="--fs-deny bad"
		[ ${right} = deny ] || opt="--unveil bad:r"
		echo good >good
		echo good >spare
		stat -c '%i %h %s %Y' bad >../before
		atf_check -o match:"good some, bad 0, denied some" ${box} \
		    -w . ${opt} -- "$(helper hole)" race change 20000 good bad
		atf_check -o file:../before stat -c '%i %h %s %Y' bad
		atf_check -o inline:"bad content\n" cat bad
		rm -f moved second
	done
	# Control: without that it is changed.
	echo good >good
	echo good >spare
	atf_check -o match:"good some" ${box} -w . -- "$(helper hole)" \
	    race change 20000 good bad
	[ "$(stat -c '%i %h %s %Y' bad)" != "$(cat ../before)" ] ||
	    atf_fail "nothing happened"
}

atf_test_case fewer_rights
fewer_rights_head()
{
	atf_set "descr" "a read-only directory in a writable one, without a " \
	    "notification for what is read"
}
fewer_rights_body()
{
	tree
	for c in 'echo x >>.git/config' 'echo x >.git/new' \
	    'mv .git/config .git/c2' 'rm .git/config' 'ln .git/config c2' \
	    'mv .git g2' 'rmdir .git/hooks' 'mkdir .git/x' \
	    'ln -s x .git/x' 'mkfifo .git/x' 'truncate -s 1 .git/config' \
	    'mv good .git/good' 'mv good .git/config' \
	    'python3 -c "import os; os.rename(\"good\", \".git\")"'; do
		atf_check -s not-exit:0 \
		    -e match:"ermission denied|nvalid cross-device link" \
		    ${box} -w . -r ./.git -e "${c}"
	done
	atf_check -s exit:1 -e match:"Operation not permitted" ${box} -w . \
	    -r ./.git -e 'chmod 600 .git/config'
	atf_check -o inline:"cfg\n" cat .git/config
	atf_check -o inline:"config\nhooks\n" ls .git
	atf_check -o inline:"good\n" cat good
	# Controls: all of it is done beside it, and it can be read.
	atf_check -o inline:"cfg\nconfig\nhooks\nran\n" ${box} -w . -r ./.git \
	    -e 'cat .git/config; ls .git; cp -r .git copy && cd copy &&
	    echo x >>config && echo x >new && mv config c2 && ln c2 c3 &&
	    mkdir x && rm c2 && rmdir hooks && cd .. && mv copy g2 &&
	    ln -s x g2/x2 && mkfifo g2/x3 && truncate -s 1 g2/c3 &&
	    mv good g2/good && chmod 600 g2/c3 && cp /bin/true prog &&
	    ./prog && rm -r g2 && echo ran'
	atf_check test ! -e good -a ! -e g2 -a -x prog
	# Reading is the kernel's own.
	atf_check -o save:../status ${box} -w . -r ./.git --status-fd 1 \
	    -e 'cat .git/config src/file >/dev/null; : >n; rm n'
	atf_check -o match:'"unlinkat":1' cat ../status
	atf_check -s exit:1 grep -E '"(newfstatat|readlink|access)"' ../status
	# More again inside of less.
	atf_check ${box} -w . -r ./.git -w ./.git/hooks \
	    -e 'echo hook >.git/hooks/new'
	atf_check -s exit:1 -e match:"ermission denied" ${box} -w . -r ./.git \
	    -w ./.git/hooks -e 'mv .git/hooks .git/h2'
	atf_check -o inline:"hook\n" cat .git/hooks/new
}

atf_test_case missing
missing_head()
{
	atf_set "descr" "a denied path that is not there is not made"
}
missing_body()
{
	tree
	for c in 'echo x >.git/hooks/pre-commit' \
	    'mkdir .git/hooks/pre-commit' 'ln -s x .git/hooks/pre-commit' \
	    'ln good .git/hooks/pre-commit' 'mv good .git/hooks/pre-commit' \
	    'mkfifo .git/hooks/pre-commit'; do
		atf_check -s not-exit:0 -e match:"ermission denied" ${box} \
		    -w . --fs-deny ./.git/hooks/pre-commit -e "${c}"
	done
	for c in 'mv .git g2' 'mv .git/hooks h2'; do
		atf_check -s not-exit:0 \
		    -e match:"Device or resource busy" ${box} \
		    -w . --fs-deny ./.git/hooks/pre-commit -e "${c}"
	done
	atf_check -o empty ls .git/hooks
	atf_check ${box} -w . --fs-deny ./.git/hooks/pre-commit \
	    -e 'echo x >.git/hooks/other'
	atf_check -o inline:"other\n" ls .git/hooks
	# Where the directory is missing, too, it can be made, but not moved
	# into place or be a link.
	for c in 'mkdir -p new/hooks && echo x >new/hooks/pre' \
	    'mkdir -p x/hooks && : >x/hooks/pre && mv x new' \
	    'ln -s src new'; do
		rm -rf new x
		atf_check -s not-exit:0 -e not-empty ${box} -w . \
		    --fs-deny ./new/hooks/pre -e "${c}"
		atf_check test ! -e new/hooks/pre
	done
	rm -rf new
	atf_check ${box} -w . --fs-deny ./new/hooks/pre \
	    -e 'mkdir -p new/hooks && echo x >new/hooks/other'
	atf_check -o inline:"x\n" cat new/hooks/other
}

atf_test_case around
around_head()
{
	atf_set "descr" "work in a directory on the way to a denied file"
	atf_set "timeout" "60"
}
around_body()
{
	tree
	cat >../work.sh <<-'EOT'
	umask 027
	echo one >one; cat one; echo two >>one; cat one; : >one; ls -l one |
	    cut -c1-10
	mkdir -m 711 dir; ls -ld dir | cut -c1-10
	echo x >dir/x; mkdir dir/sub; echo y >dir/sub/y; cat dir/x dir/sub/y
	ls; ls dir; find dir -type f | sort
	ln -s dir/x sym; cat sym; readlink sym; ln one two; stat -c %h two
	mv one three; mv dir/x x; cat x; mv x src/x; cat src/x; mv src/x .
	mkfifo fifo; { echo through >fifo & }; dd 2>/dev/null <>fifo bs=8 count=1
	(cd dir/sub && cat y && cd .. && ls)
	cat dir/none; rmdir dir; rmdir dir/.; rm none; mkdir dir; ls -d none/
	mv src src2; cat src2/file; mv src2 src
	python3 -c 'import os
	d = os.open(".", os.O_RDONLY)
	f = os.open("three", os.O_RDWR | os.O_APPEND, dir_fd=d)
	os.write(f, b"app"); os.ftruncate(f, 2); print(os.fstat(f).st_size)
	print(sorted(os.listdir(d)) == sorted(os.listdir(".")))
	print([e.name for e in os.scandir("dir") if e.is_dir()])'
	rm -r dir three two sym x fifo
	EOT
	(cd . && ${bare} sh ../work.sh) >../bare.out 2>../bare.err || true
	git=$(ls -A)
	atf_check -o file:../bare.out -e file:../bare.err -s ignore ${box} \
	    -r /proc -w . --fs-deny bad -r .. --fs-deny ../want \
	    -- sh ../work.sh
	[ "${git}" = "$(ls -A)" ] || atf_fail "not the same tree"
	[ "$(wc -l <../bare.out)" -gt 25 ] || atf_fail "nothing was done"
}

atf_test_case listing
listing_head()
{
	atf_set "descr" "the name of a denied path is listed, and no more"
}
listing_body()
{
	tree
	atf_check -o inline:"bad\ngood\nsecret\nsrc\n" ${box} -w . \
	    --fs-deny bad --fs-deny secret -e ls
	atf_check -s exit:2 -e match:"Permission denied" ${box} -w . \
	    --fs-deny bad --fs-deny secret -e 'ls secret'
	# In /, and with links of /proc.
	atf_check -o match:passwd -o match:"^[0-9]* [0-9]*$" \
	    -e match:"passwd: Permission denied" -s exit:1 \
	    $(program) run -r / --fs-deny /etc/passwd -e \
	    'ls /etc; echo $(readlink /proc/self) $$; exec cat /etc/passwd'
}

atf_test_case refused_policies
refused_policies_body()
{
	tree
	atf_check -s exit:125 -e match:"src/file: lies below .*src, which is " \
	    ${box} -w . --fs-deny src -r src/file -- true
	atf_check -s exit:125 -e match:"impossible with a path with fewer" \
	    ${box} -w . --fs-deny src --no-supervisor -- true
	atf_check ${box} --fs-deny ./src -- true
	atf_check -s exit:125 -e match:"bad/x: Not a directory" \
	    ${box} -w . --fs-deny ./bad/x -- true
	# A policy in a place that the command cannot write is no danger.
	echo 'profile p { }' >policy
	printf 'profile "p" {\n\tunveil "." rwxc\n}\n' >policy
	atf_check -s exit:125 -e match:"the policy lies below" \
	    ${box} -f policy -p p -- true
	atf_check ${box} -f policy -p p --unveil ./policy:r -- true
}

atf_test_case denial_log
denial_log_body()
{
	tree
	atf_check -s exit:1 -e ignore ${box} -w . --fs-deny bad \
	    --log-denials ../log -e 'cat bad'
	atf_check -o match:'"call":"openat".*tree/bad' cat ../log
}

# The same in a working directory, by both back ends.

# view BACKEND [option ...]
view()
{
	backend=$1
	shift
	echo "${box} -r /proc --workdir . --fs-isolation ${backend} \
	    --fs-storage ${storage} $*"
}

view_calls()
{
	tree
	storage=$(cd .. && pwd)/storage
	chmod 755 bad
	for kind in file directory; do
		name=bad
		[ ${kind} = file ] || name=secret
		expect ${kind} >../want
		sed 's/: .*/: EACCES/' ../want >../refused
		cp ../want ../around
		# What is made there is in the branch, or where Landlock does
		# not know it.
		[ $1 = seccomp ] ||
		    sed -i 's/^exec: ok/exec: EACCES/' ../around
		atf_check -o file:../around $(view $1 --fs-deny bad \
		    --fs-deny secret) -- "$(helper hole)" ${kind} free other
		rm -rf free other
		ls -lid --time-style=full-iso ${name} >../before
		atf_check -o file:../refused $(view $1 --fs-deny bad \
		    --fs-deny secret) -- "$(helper hole)" ${kind} ${name} \
		    other
		atf_check -o file:../before ls -lid --time-style=full-iso \
		    ${name}
	done
	atf_check -o inline:"bad content\n" cat bad
	atf_check -o inline:"f\n" ls secret
}

view_work()
{
	tree
	storage=$(cd .. && pwd)/storage
	ln bad src/old
	atf_check -o inline:"good\nnew\nbad\ngood\nsecret\nsrc\nnew\n" \
	    $(view $1 --fs-deny bad --fs-deny secret) -e 'cat good; echo new >n; cat n; mv n src/n; ls; cat src/n; rm good'
	atf_check test ! -e good -a -f src/n
	atf_check -o inline:"bad content\n" cat bad
	# Nothing moves what is denied, or what lies around it.
	for c in 'cat src/old' 'ln bad x' 'ln src/old x' 'mv bad x' \
	    'mv src/n bad' 'rm bad' 'rm -r secret' 'mv secret x' \
	    'ln -s bad link && cat link' 'cat src/../bad' 'cd secret' \
	    'ls secret' 'cp bad x' 'stat secret/f' 'mkdir secret/x' \
	    'mkdir bad' 'echo x >secret/n'; do
		atf_check -s not-exit:0 -o ignore -e match:"ermission denied|can.t cd" \
		    $(view $1 --fs-deny bad --fs-deny secret) -e "${c}"
	done
	atf_check -o inline:"bad content\nf\n" cat bad secret/f
	for c in 'mv .git x' 'mv .git/hooks x' \
	    'python3 -c "import os; os.rename(\"src\", \".git/hooks\")"'; do
		atf_check -s not-exit:0 -e match:"ermission denied|busy" \
		    $(view $1 --fs-deny .git/hooks/pre-commit) -e "${c}"
	done
	atf_check -s not-exit:0 -e match:"ermission denied" \
	    $(view $1 --fs-deny .git/hooks/pre-commit) \
	    -e 'echo x >.git/hooks/pre-commit'
	atf_check $(view $1 --fs-deny .git/hooks/pre-commit) \
	    -e 'echo x >.git/hooks/other'
	atf_check -o inline:"other\n" ls .git/hooks
}

view_fewer()
{
	tree
	storage=$(cd .. && pwd)/storage
	for c in 'echo x >>.git/config' 'echo x >.git/new' \
	    'mv .git/config .git/c2' 'rm .git/config' 'ln .git/config c2' \
	    'mv .git g2' 'rmdir .git/hooks' 'mkdir .git/x' \
	    'ln -s x .git/x' 'mkfifo .git/x' 'truncate -s 1 .git/config' \
	    'mv good .git/good' 'mv good .git/config'; do
		atf_check -s not-exit:0 -o ignore \
		    -e match:"ermission denied|cross-device" \
		    $(view $1 -r ./.git) -e "${c}"
	done
	atf_check -s exit:1 -e match:"Operation not permitted" \
	    $(view $1 -r ./.git) -e 'chmod 600 .git/config'
	atf_check -o inline:"cfg\n" cat .git/config
	atf_check -o inline:"config\nhooks\n" ls .git
	# Controls.
	atf_check -o inline:"cfg\nconfig\nhooks\nran\n" $(view $1 -r ./.git) \
	    -e 'cat .git/config; ls .git; cp -r .git copy && cd copy &&
	    echo x >>config && echo x >new && mv config c2 && ln c2 c3 &&
	    mkdir x && rm c2 && rmdir hooks && cd .. && mv copy g2 &&
	    chmod 600 g2/c3 && cp /bin/true prog && ./prog && echo ran'
	atf_check test -x prog -a -f g2/c3
	atf_check $(view $1 -r ./.git -w ./.git/hooks) \
	    -e 'echo hook >.git/hooks/new'
	atf_check -o inline:"hook\n" cat .git/hooks/new
	atf_check $(view $1) -e 'echo x >>.git/config'
	atf_check -o inline:"cfg\nx\n" cat .git/config
}

view_races()
{
	tree
	storage=$(cd .. && pwd)/storage
	mkdir a b
	echo good >a/f
	echo 'bad content' >b/f
	ln -s a mid
	for r in "read 3000 good bad" "cwd 3000 a b" "link 2000 a b"; do
		atf_check -o match:"good some, bad 0, denied some" \
		    $(view $1 --on-exit abort --fs-deny bad --fs-deny b/f) \
		    -- "$(helper hole)" race ${r}
		atf_check -o match:"good some, bad [1-9]" \
		    $(view $1 --on-exit abort) -- "$(helper hole)" race ${r}
	done
	echo good >spare
	stat -c '%i %h %s %Y' bad >../before
	atf_check -o match:"bad 0, denied some" $(view $1 --fs-deny bad) \
	    -- "$(helper hole)" race change 3000 good bad
	atf_check -o file:../before stat -c '%i %h %s %Y' bad
}

for backend in seccomp overlayfs; do
	for body in calls work fewer races; do
		eval "atf_test_case ${body}_${backend}
		${body}_${backend}_head() { atf_set timeout 180; }
		${body}_${backend}_body() { view_${body} ${backend}; }"
	done
done

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/util.sh"
	atf_add_test_case denied_calls
	atf_add_test_case denied_spellings
	atf_add_test_case hard_links
	atf_add_test_case bind_mounts
	atf_add_test_case races
	atf_add_test_case changing_races
	atf_add_test_case fewer_rights
	atf_add_test_case missing
	atf_add_test_case around
	atf_add_test_case listing
	atf_add_test_case refused_policies
	atf_add_test_case denial_log
	for backend in seccomp overlayfs; do
		for body in calls work fewer races; do
			atf_add_test_case ${body}_${backend}
		done
	done
}
