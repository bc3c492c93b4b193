#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A sparse image on a full file system: the write fails, the device goes on.

. "$(dirname "$0")/functions.sh"

mkdir small
mount -t tmpfs -o size=18M none small
cleanup umount -l "$PWD/small"
vc_format small/secret.img --size 64M
vc_attach small/secret.img vdc0
head -c 16M /dev/urandom >data
dd if=data of="$dev" bs=1M count=4 oflag=direct conv=fsync status=none
! dd if=data of="$dev" bs=1M seek=8 count=40 oflag=direct status=none \
	2>/dev/null || fail "more was written than there is room"
expect 1 dd if=/dev/zero of="$dev" bs=1M seek=24 count=24 oflag=direct
grep -q "No space\|Input/output error" err || fail "another error: $(cat err)"
cmp -n 4194304 data "$dev" || fail "what was written before differs"
mount -o remount,size=80M small
dd if=data of="$dev" bs=1M seek=24 count=16 oflag=direct conv=fsync status=none
dd if="$dev" bs=1M skip=24 count=16 iflag=direct status=none | cmp - data
vc_close vdc0
