#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A block device instead of a file: data, discards, another size.

. "$(dirname "$0")/functions.sh"

truncate -s 64M disk
loop=$(losetup -f --show disk)
cleanup losetup -d "$loop"
BLOCK_DEVICE=$loop CK_RUN_CASE="block device" CK_VERBOSITY=normal \
	"$O/tests/unit/test_file" | tee probe.out
grep -q "Checks: 1, Failures: 0" probe.out
vc_format "$loop"
vc_attach "$loop" vdc0
head -c 4M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
cmp -n 4194304 data "$dev"
expect 5 "$VCRYPT" open --key-file /dev/null "$loop" vdc1
vc_close vdc0
printf %s "$passphrase" | cryptsetup open --test-passphrase --key-file - \
	"$loop"

# Discards reach the device below; a device that grew is followed.
blocks() {
	sync disk
	du -k disk | cut -f 1
}

vc_attach "$loop" vdc0 --allow-discards
cmp -n 4194304 data "$dev"
head -c 12M /dev/urandom >large
dd if=large of="$dev" bs=1M seek=8 oflag=direct conv=fsync status=none
full=$(blocks)
blkdiscard -o 8M -l 12M "$dev"
[ $((full - $(blocks))) -gt 10000 ] || fail "nothing was freed"
cmp -n 4194304 data "$dev"
expect 4 "$VCRYPT" resize vdc0 --size 80M
says "a block device has the size it has"
truncate -s 80M disk
losetup -c "$loop"
"$VCRYPT" resize vdc0
grew() {
	[ "$(blockdev --getsize64 "$dev")" = $((78 << 20)) ]
}
wait_for "$patience" grew
dd if=data of="$dev" bs=1M seek=60 oflag=direct conv=fsync status=none
dd if="$dev" bs=1M skip=60 count=4 iflag=direct status=none | cmp - data
vc_close vdc0
