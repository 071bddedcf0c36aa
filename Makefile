# sandlock: see README.md.

TOP=	.
include config.mk

SUBDIR=	sandlock supervisor cowd netd
MAN1=	sandlock/sandlock.1
MAN5=	sandlock.conf.5
MAN8=	supervisor/supervisor.8 cowd/cowd.8 netd/netd.8

# What building, testing, linting and measuring need, by Debian package name.
DEPS=	gcc make pkg-config byacc libevent-dev libbsd-dev libseccomp-dev
DEPS+=	kyua libatf-dev atf-sh git python3 procps iproute2 util-linux
DEPS+=	cmake curl nodejs npm patch perl rsync strace vim
DEPS+=	clang libclang-rt-14-dev cppcheck mandoc
DEPS+=	bubblewrap nginx-light wrk redis-server
DEPS+=	bind9-dnsutils dbus iputils-ping libglib2.0-bin openssl socat wget
DEPS+=	libfuse3-dev fuse3

all:
	@for d in $(SUBDIR); do \
		echo "===> $$d"; $(MAKE) -C $$d all || exit 1; \
	done

# Asks for root only when something is missing.  A command of that name from
# elsewhere (npm with another nodejs) does as well.
deps:
	@missing=; for p in $(DEPS); do \
		dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | \
		    grep -qx installed || command -v $$p >/dev/null || \
		    missing="$$missing $$p"; \
	done; \
	test -z "$$missing" && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; \
	$$sudo apt-get update -q && \
	$$sudo env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -q --no-install-recommends $$missing

install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) \
	    $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 \
	    $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 755 sandlock/sandlock $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 755 supervisor/supervisor cowd/cowd netd/netd \
	    $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 644 $(MAN5) $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 644 $(MAN8) $(DESTDIR)$(MANDIR)/man8

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/sandlock
	rm -rf $(DESTDIR)$(LIBEXECDIR)
	rm -f $(addprefix $(DESTDIR)$(MANDIR)/man1/,$(notdir $(MAN1))) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man5/,$(notdir $(MAN5))) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(MAN8)))

check: all
	$(MAKE) -C regress
	sh regress/run.sh

lint: all
	sh regress/lint.sh

fuzz:
	$(MAKE) -C regress/fuzz run

bench: all
	$(MAKE) -C bench run

clean:
	@for d in $(SUBDIR) regress regress/fuzz bench; do \
		$(MAKE) -C $$d clean || exit 1; \
	done

.PHONY: all deps install uninstall check lint fuzz bench clean
