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
# A project of C files in this directory: project.sh COUNT.
#

set -eu

for i in $(seq "$1"); do
	printf '#include <stdio.h>\n#include <stdlib.h>\n#include "all.h"\n'
	printf 'int f%d(int x) { return (x + %d); }\n' "$i" "$i"
done | split -l 4 -a 4 -d --additional-suffix=.c - f
for i in $(seq "$1"); do
	echo "int f$i(int);"
done >all.h
{
	printf '#include "all.h"\nint main(void) { return (f1(-1)'
	printf '); }\n'
} >main.c
printf 'SRCS=$(wildcard *.c)\np: $(SRCS:.c=.o)\n\tcc -o p $(SRCS:.c=.o)\n' \
    >Makefile
