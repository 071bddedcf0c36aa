# User settings; override them on the make command line.

PREFIX?=	/usr/local
BINDIR?=	$(PREFIX)/bin
LIBEXECDIR?=	$(PREFIX)/libexec/sandlock
MANDIR?=	$(PREFIX)/share/man
DESTDIR?=

ifeq ($(origin CC),default)
CC=		cc
endif
YACC=		byacc
INSTALL?=	install
MANDOC?=	mandoc

CFLAGS?=	-O2 -g

# Hardened and reproducible by default; empty a variable to go without.
WARNINGS?=	-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes \
		-Wmissing-declarations -Wshadow -Wpointer-arith -Wcast-qual \
		-Wsign-compare
HARDEN_CFLAGS?=	-fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
		-fno-strict-aliasing -fstack-clash-protection
HARDEN_LDFLAGS?=-Wl,-z,relro,-z,now,-z,noexecstack
# static-pie: half the start-up time of a dynamic program, and no loader
# that the environment could steer.
LINKAGE?=	-static-pie
REPRO_CFLAGS?=	-ffile-prefix-map=$(abspath $(TOP))=.
