# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The benchmark: its programs, and make bench, which measures (see
# Documentation/performance.md).

BENCH_PROGRAMS := $(B)/tests/bench/blkload $(B)/tests/bench/floor
BENCH_OBJS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/bench/*.c)))
BENCH_SHARED := $(B)/tests/bench/hist.o $(B)/tests/bench/options.o
BENCH_ENV = O='$(O)' QUICK='$(QUICK)' ROUNDS='$(ROUNDS)' ONLY='$(ONLY)'

.PHONY: bench bench-programs

bench-programs: $(BENCH_PROGRAMS)

$(B)/tests/bench/blkload: $(filter-out %/floor.o,$(BENCH_OBJS))
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^

$(B)/tests/bench/floor: $(B)/tests/bench/floor.o $(BENCH_SHARED)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ \
		$(shell pkg-config --libs libcrypto liburing)

bench: all bench-programs
	@$(BENCH_ENV) tests/bench/run

-include $(BENCH_OBJS:.o=.d)
