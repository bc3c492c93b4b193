# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# make coverage: how many lines of the files that parse what others write the
# tests reach.  The fuzz targets of fuzz.mk are built with clang's coverage and
# run for COVERAGE_SECONDS each, from the corpus; the unit tests of the same
# files, built likewise, add what a fuzzer cannot do.  Fails when a file has
# less than COVERAGE_MIN per cent.  See Documentation/testing.md.

COVERAGE_SECONDS ?= 20
COVERAGE_MIN ?= 90
COVERAGE_FLAGS := -fprofile-instr-generate -fcoverage-mapping
COVERAGE_DIR := $(O)/coverage
LLVM_COV ?= llvm-cov
LLVM_PROFDATA ?= llvm-profdata

# By the fuzzers alone, and with these unit tests.
COVERAGE_FUZZED := $(sort $(wildcard virtio/virtq*.c virtio/inflight*.c)) \
	virtio/blk_request.c virtio/blk_ranges.c \
	crypt/json_get.c crypt/luks_digest.c crypt/luks_gate.c \
	crypt/luks_gate_slots.c crypt/luks_signature.c crypt/luks_token.c
COVERAGE_TESTED := virtio/blk_dev.c virtio/blk_queue.c \
	crypt/luks1_gate.c crypt/luks1_repair.c crypt/luks_header.c \
	crypt/luks_judge.c \
	$(sort $(wildcard vduse/dev*.c vduse/rings.c vduse/iotlb.c) \
		$(wildcard vhost-user/*.c))
COVERAGE_UNIT := $(filter test_virtq% test_virtio% test_inflight% \
	test_vduse% test_iotlb% test_vhost% test_luks_gate test_luks_hostile \
	test_luks_judge test_luks1_repair, \
	$(UNIT_TESTS:$(B)/tests/unit/%=%))

.PHONY: coverage coverage-fuzz coverage-unit

$(COVERAGE_DIR)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link \
		$(COVERAGE_FLAGS) -c -o $@ $<

$(FUZZ_NAMES:%=$(COVERAGE_DIR)/%): $(COVERAGE_DIR)/%: \
		$(COVERAGE_DIR)/obj/tests/fuzz/fuzz_%.o \
		$(FUZZ_SRCS:%.c=$(COVERAGE_DIR)/obj/%.o)
	@printf '  %-7s %s\n' COVER fuzz/$*
	$(Q)$(FUZZ_CC) -pthread -fsanitize=fuzzer $(COVERAGE_FLAGS) -o $@ $^ \
		$(LIBS)

coverage-fuzz: $(FUZZ_NAMES:%=$(COVERAGE_DIR)/%)

# Without what makes a function look like another one to the profile.
coverage-unit:
	@$(MAKE) --no-print-directory O='$(COVERAGE_DIR)/unit' SAN= \
		CC='$(FUZZ_CC)' \
		CFLAGS='-O1 -g -U_FORTIFY_SOURCE $(COVERAGE_FLAGS)' \
		LDFLAGS='-fprofile-instr-generate' \
		$(COVERAGE_UNIT:%=$(COVERAGE_DIR)/unit/tests/unit/%)

coverage: coverage-fuzz coverage-unit
	@O='$(abspath $(O))' LLVM_COV='$(LLVM_COV)' LLVM_PROFDATA='$(LLVM_PROFDATA)' \
		SECONDS_EACH='$(COVERAGE_SECONDS)' MIN='$(COVERAGE_MIN)' \
		FUZZED='$(COVERAGE_FUZZED)' TESTED='$(COVERAGE_TESTED)' \
		FUZZ='$(FUZZ_NAMES)' UNIT='$(COVERAGE_UNIT)' \
		tests/fuzz/coverage

-include $(wildcard $(COVERAGE_DIR)/obj/*/*.d $(COVERAGE_DIR)/obj/*/*/*.d)
