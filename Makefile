# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# vcrypt: an encrypting block device in user space.
#
#   make                 build $(O)/vcrypt              (O=build)
#   make check           everything below; installs what the tests need
#   make check-unit      unit tests (libcheck)
#   make check-vm        tests on a real kernel, in QEMU
#   make check-layers    a folder includes only from the floors below it
#   make check-format    the house style (clang-format)
#   make fuzz            libFuzzer targets, FUZZ_SECONDS=60 each (clang)
#   make coverage        lines that the fuzzers reach (clang, llvm)
#   make bench           speed, beside that of others (QUICK=1: 3 minutes)
#   make bench-vm        the same through VDUSE, in QEMU: half an hour
#   make demo            install what is missing, build, run the main job
#   make vm-shell        a shell in the test kernel
#   make install         DESTDIR=, PREFIX=/usr/local
#   make uninstall
#   make clean
#
# Variables: O=DIR (output), V=1 (show commands), WERROR=1,
# SAN=address,undefined or SAN=thread (sanitizers, built in $(O)/san-...),
# TESTS="name ..." (only these tests).

O ?= build
PREFIX ?= /usr/local
DESTDIR ?=
SAN ?=
V ?=
WERROR ?=
TESTS ?=

ifneq ($(SAN),)
empty :=
comma := ,
B := $(O)/san-$(subst $(comma),-,$(SAN))
else
B := $(O)
endif

CC ?= gcc
PKGS := libcryptsetup libcrypto liburing libnl-genl-3.0 libseccomp json-c
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wvla -Wundef -Wwrite-strings \
	-Wformat=2 -Wimplicit-fallthrough -Wdeclaration-after-statement \
	-Wno-unused-parameter -Wno-missing-field-initializers \
	$(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fPIE -fno-strict-aliasing \
	$(if $(SAN),,-D_FORTIFY_SOURCE=2)
# Sanitized code is slow anyway; it should be built fast.
CFLAGS ?= $(if $(SAN),-O1 -g1,-O2 -g)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -pthread $(HARDEN) $(WARN) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) \
	$(shell pkg-config --cflags $(PKGS)) $(CPPFLAGS) $(CFLAGS) \
	-DVCRYPT_VERSION='"$(VERSION)"'
ALL_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now,-z,noexecstack \
	$(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS))
VERSION := $(shell sed -n 's/^vcrypt \([0-9.]*\).*/\1/p;T;q' NEWS 2>/dev/null)

FLOORS := lib backend crypt virtio vduse vhost-user daemon
LIB_OBJS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard $(FLOORS:%=%/*.c))))
TOOL_OBJS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tools/*.c)))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%, \
	$(sort $(wildcard tests/unit/test_*.c)))
# Programs that the tests of the guest run there.
VM_PROGRAMS := $(B)/tests/vm/vhost_vdpa $(B)/tests/unit/test_iotlb \
	$(B)/tests/unit/test_file
VM_OBJS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/vm/*.c)))
UNIT_HELP := $(patsubst %.c,$(B)/%.o,$(filter-out tests/unit/test_%.c, \
	$(sort $(wildcard tests/unit/*.c))))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(patsubst $(B)/%,%,$@))

.PHONY: all help clean FORCE
all: $(B)/vcrypt

help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile

# Everything is rebuilt when a flag changes.
$(B)/.flags: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(subst ','"'"',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))' \
		| cmp -s - $@ || \
	printf '%s\n' '$(subst ','"'"',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS))' > $@

$(B)/%.o: %.c $(B)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libvcrypt.a: $(LIB_OBJS)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/vcrypt: $(TOOL_OBJS) $(B)/libvcrypt.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(TOOL_OBJS) $(B)/libvcrypt.a $(LIBS)

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(UNIT_HELP) $(B)/libvcrypt.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(UNIT_HELP) $(B)/libvcrypt.a \
		$(shell pkg-config --libs check) $(LIBS)

$(B)/tests/vm/vhost_vdpa: $(VM_OBJS) $(UNIT_HELP) $(B)/libvcrypt.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(VM_OBJS) $(UNIT_HELP) \
		$(B)/libvcrypt.a $(shell pkg-config --libs check) $(LIBS)

clean:
	$(Q)rm -rf $(O)

include install.mk
include tests/tests.mk

-include $(LIB_OBJS:.o=.d) $(TOOL_OBJS:.o=.d) $(UNIT_HELP:.o=.d) \
	$(UNIT_TESTS:=.d) $(VM_OBJS:.o=.d)
