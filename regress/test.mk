# Tests of one folder: TESTS (C, run by kyua), PROGS (helpers they start), and
# NAME_OBJS with the objects that NAME links besides its own.  SRCDIRS are the
# folders of the sources under test.

TOP?=		../..
include $(TOP)/config.mk

vpath %.c $(TOP)/common $(SRCDIRS)
vpath %.y $(SRCDIRS)

TEST_CFLAGS=	-std=gnu11 -D_GNU_SOURCE -MMD -MP $(WARNINGS) $(WERROR) \
		-fPIE $(REPRO_CFLAGS) \
		-isystem /usr/include/bsd -DLIBBSD_OVERLAY -DLIBBSD_OPENBSD_VIS \
		-I. -I$(TOP)/common $(addprefix -I,$(SRCDIRS)) \
		$(CPPFLAGS) $(CFLAGS)
TEST_LDADD=	-latf-c -levent_core -lseccomp -lbsd -lmd

all: $(TESTS) $(PROGS)

define program
$(1): $(1).o $$($(1)_OBJS)
	$$(CC) $$(TEST_CFLAGS) -pie $$(LDFLAGS) $$($(1)_LDFLAGS) -o $$@ $$^ \
	    $$(TEST_LDADD) $$($(1)_LDADD)
endef
$(foreach t,$(TESTS) $(PROGS),$(eval $(call program,$(t))))

%.o: %.c
	$(CC) $(TEST_CFLAGS) $($*_CFLAGS) -c -o $@ $<

%.c: %.y
	$(YACC) -o $@ $<

clean:
	rm -f $(TESTS) $(PROGS) *.o *.d parse.c $(CLEANFILES)

-include $(wildcard *.d)

.PHONY: all clean
