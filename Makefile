# sandlock: see README.md.

TOP=	.
include config.mk

SUBDIR=	sandlock supervisor cowd netd

all:
	@for d in $(SUBDIR); do \
		echo "===> $$d"; $(MAKE) -C $$d all || exit 1; \
	done

clean:
	@for d in $(SUBDIR); do $(MAKE) -C $$d clean || exit 1; done

.PHONY: all clean
