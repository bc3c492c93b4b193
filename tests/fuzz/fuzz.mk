# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# Fuzzing with libFuzzer: make fuzz builds each tests/fuzz/fuzz_NAME.c with
# clang, and tests/run runs it for FUZZ_SECONDS from the corpus in
# tests/fuzz/corpus/NAME. What it finds is left in $(O)/fuzz, the corpus is not
# changed.

FUZZ_CC ?= clang
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard \
	tests/fuzz/fuzz_*.c)))
FUZZ_SRCS := $(sort $(wildcard lib/*.c backend/*.c crypt/*.c virtio/*.c \
	vduse/*.c vhost-user/*.c)) \
	tests/fuzz/arena.c tests/fuzz/device.c
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -pthread -O1 -g1 -MMD -MP \
	-fno-strict-aliasing $(shell pkg-config --cflags $(PKGS))
FUZZ_OBJ := $(O)/fuzz/obj
FUZZ_SAN := address,undefined

.PHONY: fuzz fuzz-targets

fuzz-targets: $(FUZZ_NAMES:%=$(O)/fuzz/%)

$(FUZZ_OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fno-sanitize-recover=all \
		-fsanitize=fuzzer-no-link,$(FUZZ_SAN) -c -o $@ $<

$(FUZZ_NAMES:%=$(O)/fuzz/%): $(O)/fuzz/%: $(FUZZ_OBJ)/tests/fuzz/fuzz_%.o \
		$(FUZZ_SRCS:%.c=$(FUZZ_OBJ)/%.o)
	@printf '  %-7s %s\n' FUZZ fuzz/$*
	$(Q)$(FUZZ_CC) -pthread -fsanitize=fuzzer,$(FUZZ_SAN) -o $@ $^ $(LIBS)

fuzz: fuzz-targets
	@$(TEST_ENV) tests/run fuzz

-include $(wildcard $(FUZZ_OBJ)/*/*.d $(FUZZ_OBJ)/*/*/*.d)
