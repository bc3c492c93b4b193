#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The image holds none of the plaintext, not even for a moment; and neither
# does it when the same data is read back.

. "$(dirname "$0")/functions.sh"

marker="the eagle lands at midnight"
yes "$marker" | head -c 2M >plain || true
vc_format secret.img
vc_attach secret.img vdc0
dd if=plain of="$dev" bs=64k oflag=direct conv=fsync status=none
dd if="$dev" bs=64k count=32 iflag=direct status=none | cmp - plain
! grep -q "$marker" secret.img || fail "plaintext in the image"
vc_close vdc0
! grep -q "$marker" secret.img || fail "plaintext in the image"
# Sectors of equal plaintext differ.
[ "$(dd if=secret.img bs=4096 skip=512 count=512 status=none |
	od -An -v -tx8 -w4096 | sort | uniq -d | wc -l)" -eq 0 ] ||
	fail "equal sectors look equal"
