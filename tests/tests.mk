# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The test targets of the Makefile: what each builds, and that tests/run (or
# tests/demo, tests/vm/vm) then runs it. The tests themselves are not known here.

comma := ,
SANITIZERS := address,undefined thread
TEST_ENV = O='$(O)' TESTS='$(TESTS)' FUZZ_SECONDS='$(FUZZ_SECONDS)'
JOBS := $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
# Set up first: only a new make sees the packages that were missing.
AGAIN = O='$(O)' tests/setup && $(MAKE) --no-print-directory $(JOBS)

# Programs that the tests of the command run.
CLI_PROGRAMS := $(B)/tests/cli/hostile_header $(B)/tests/cli/vhost_hostile

# Before the rules that name it.
include tests/secrets/secrets.mk

.PHONY: check check-all check-unit check-san check-cli check-vm \
	check-layers check-format unit-tests san-tests demo demo-built vm-shell \
	bench-vm

check:
	@$(AGAIN) check-all

# The thread sanitizer is slow, and finds nothing in a program of one thread:
# check-san runs those as well.
check-all: all unit-tests san-check-tests fuzz-targets bench-programs $(CLI_PROGRAMS) \
		$(VM_PROGRAMS) $(SECRETS_PROGRAM)
	@$(TEST_ENV) FUZZ_RUNS=10000 tests/run \
		cli layers format unit unit:$(O)/san-address-undefined \
		threads:$(O)/san-thread fuzz vm

unit-tests: $(UNIT_TESTS)

# Those that tests/run takes for "threads".
THREAD_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%, \
	$(shell grep -lE 'pthread_create|queue_thread_new' tests/unit/test_*.c))

.PHONY: thread-tests san-check-tests
thread-tests: $(THREAD_TESTS)

san-check-tests:
	@$(MAKE) --no-print-directory SAN=address,undefined unit-tests
	@$(MAKE) --no-print-directory SAN=thread thread-tests

# One after the other: each is a make of its own.
san-tests:
	@for s in $(SANITIZERS); do \
		$(MAKE) --no-print-directory SAN=$$s unit-tests || exit 1; \
	done

check-unit: unit-tests
	@$(TEST_ENV) tests/run unit:$(B)

check-san: san-tests
	@$(TEST_ENV) tests/run \
		$(foreach s,$(SANITIZERS),unit:$(O)/san-$(subst $(comma),-,$(s)))

check-cli: all bench-programs $(CLI_PROGRAMS) $(SECRETS_PROGRAM)
	@$(TEST_ENV) tests/run cli

$(B)/tests/cli/vhost_hostile: $(B)/tests/cli/vhost_hostile.o
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $<

$(B)/tests/cli/hostile_header: $(B)/tests/cli/hostile_header.o \
		$(B)/tests/unit/luks_hostile.o \
		$(B)/tests/unit/luks_hostile_cases.o
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ \
		$(shell pkg-config --libs libcrypto json-c)

check-vm: all $(VM_PROGRAMS) $(SECRETS_PROGRAM)
	@$(TEST_ENV) tests/run vm

check-layers:
	@$(TEST_ENV) tests/run layers

check-format:
	@$(TEST_ENV) tests/run format

demo:
	@$(AGAIN) demo-built

demo-built: all
	@O='$(O)' tests/demo

bench-vm: all
	@O='$(O)' tests/vm/bench

vm-shell: all
	@O='$(O)' tests/vm/vm shell

include tests/fuzz/fuzz.mk
include tests/fuzz/coverage.mk
include tests/bench/bench.mk

-include $(CLI_PROGRAMS:=.d)

# The objects of the unit tests are worth keeping.
.SECONDARY: $(patsubst %.c,$(B)/%.o,$(wildcard tests/unit/*.c))
