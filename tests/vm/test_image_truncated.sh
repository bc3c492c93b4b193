#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# An image cut under load gives I/O errors, not a hang; the device goes on.

. "$(dirname "$0")/functions.sh"

vc_format secret.img
head -c 4M /dev/urandom >data
vc_attach secret.img vdc0
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
(while dd if="$dev" of=/dev/null bs=64k iflag=direct status=none 2>/dev/null
do :; done) &
load=$!
wait_for "$patience" in_flight 1
truncate -s 24M secret.img
wait "$load"
! dd if="$dev" of=/dev/null bs=64k skip=$((32 << 4)) count=1 iflag=direct \
	status=none || fail "beyond the end was read"
cmp -n 4194304 data "$dev" || fail "the part that is left differs"
"$VCRYPT" status vdc0 --json >status.json
grep -q '"state": *"active"' status.json || { cat status.json; fail "state"; }
# What is in the page cache cannot be written any more: that is told.
expect 4 "$VCRYPT" close vdc0
says "cannot be written.*--force"
"$VCRYPT" close --force vdc0
