#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A block device instead of a file.

. "$(dirname "$0")/functions.sh"

truncate -s 64M disk
loop=$(losetup -f --show disk)
cleanup losetup -d "$loop"
vc_format "$loop"
vc_attach "$loop" vdc0
head -c 4M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
cmp -n 4194304 data "$dev"
expect 5 "$VCRYPT" open --key-file /dev/null "$loop" vdc1
vc_close vdc0
printf %s "$passphrase" | cryptsetup open --test-passphrase --key-file - \
	"$loop"
