# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The test targets of the Makefile.

.PHONY: check-unit
check-unit: $(UNIT_TESTS)
	@for t in $^; do $$t || exit 1; done
