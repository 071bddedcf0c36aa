# One program per folder: PROG and SRCS come from the Makefile that includes
# this file.  Sources of common/ and of sibling folders in SRCDIRS are compiled
# here and not put in an archive, so that SRCS shows exactly what a program
# contains.

TOP?=		..
include $(TOP)/config.mk

# Sources only: an object of another folder was compiled for its program.
vpath %.c $(TOP)/common $(SRCDIRS)
OBJS=		$(addsuffix .o,$(basename $(notdir $(SRCS))))

# A program has no function of a shared source that it does not call.
SECTIONS=	-ffunction-sections -fdata-sections

ALL_CFLAGS=	-std=gnu11 -D_GNU_SOURCE -MMD -MP $(WARNINGS) $(WERROR) \
		$(HARDEN_CFLAGS) $(REPRO_CFLAGS) \
		-isystem /usr/include/bsd -DLIBBSD_OVERLAY -DLIBBSD_OPENBSD_VIS \
		-I. -I$(TOP)/common $(addprefix -I,$(SRCDIRS)) \
		$(CPPFLAGS) $(SECTIONS) $(CFLAGS)
ALL_LDFLAGS=	$(LINKAGE) $(HARDEN_LDFLAGS) -Wl,--gc-sections $(LDFLAGS)

all: $(PROG)

# The linker writes a file in small pieces, and in such pieces the kernel then
# caches and maps it: a copy in one go, which make install takes anyway, starts
# a tenth faster.
$(PROG): $(OBJS)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@.ld $(OBJS) $(LDADD)
	$(INSTALL) -m 755 $@.ld $@
	rm -f $@.ld

%.o: %.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

%.c: %.y
	$(YACC) -o $@ $<

clean:
	rm -f $(PROG) $(PROG).ld *.o *.d parse.c $(CLEANFILES)

-include $(OBJS:.o=.d)

.PHONY: all clean
