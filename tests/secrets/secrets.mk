# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The program that looks for secrets in memory (see Documentation/testing.md).

SECRETS_PROGRAM := $(B)/tests/secrets/secrets
SECRETS_OBJS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/secrets/*.c)))

$(SECRETS_PROGRAM): $(SECRETS_OBJS)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ \
		$(shell pkg-config --libs libcrypto libseccomp)

-include $(SECRETS_OBJS:.o=.d)
