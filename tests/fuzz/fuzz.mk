# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# Fuzzing with libFuzzer: make fuzz builds each tests/fuzz/fuzz_NAME.c with
# clang, and runs it for FUZZ_SECONDS from the corpus in tests/fuzz/corpus/NAME.
# What it finds is left in $(O)/fuzz, the corpus is not changed.

FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard \
	tests/fuzz/fuzz_*.c)))
FUZZ_SRCS := $(sort $(wildcard lib/*.c backend/*.c virtio/*.c vduse/*.c)) \
	tests/fuzz/arena.c tests/fuzz/device.c
FUZZ_FLAGS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

.PHONY: fuzz fuzz-targets

fuzz-targets: $(FUZZ_NAMES:%=$(O)/fuzz/%)

$(O)/fuzz/%: tests/fuzz/fuzz_%.c $(FUZZ_SRCS) $(wildcard */*.h tests/fuzz/*.h)
	@printf '  %-7s %s\n' FUZZ fuzz/$*
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -std=gnu11 -D_GNU_SOURCE -I. -pthread -O1 -g \
		-fno-strict-aliasing $(FUZZ_FLAGS) \
		$(shell pkg-config --cflags $(PKGS)) -o $@ $< $(FUZZ_SRCS) $(LIBS)

fuzz: fuzz-targets
	@for n in $(FUZZ_NAMES); do \
		mkdir -p $(O)/fuzz/corpus-$$n && \
		$(O)/fuzz/$$n -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
			-artifact_prefix=$(O)/fuzz/$$n- -print_final_stats=1 \
			$(O)/fuzz/corpus-$$n tests/fuzz/corpus/$$n \
			>$(O)/fuzz/$$n.log 2>&1 || \
			{ tail -n 40 $(O)/fuzz/$$n.log; exit 1; }; \
		echo "pass  fuzz/$$n"; \
	done
