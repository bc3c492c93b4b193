#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The volume grows while it is written to, verified, step by step.
# cpus: 2
# rings: both

. "$(dirname "$0")/functions.sh"
requires fio

disk_has() {
	[ "$(blockdev --getsize64 "$dev")" = $(($1 << 20)) ]
}

vc_format secret.img --size 34M
vc_attach secret.img vdc0 --queues 2
fio --name=verify --filename="$dev" --ioengine=libaio --direct=1 --rw=randrw \
	--bsrange=4k-256k --blockalign=4k --iodepth=16 --numjobs=2 --size=16M \
	--offset_increment=16M --io_size=24M --verify=crc32c --verify_fatal=1 \
	--output=fio.out &
load=$!
for size in 38 46 66; do
	"$VCRYPT" resize vdc0 --size "${size}M"
	wait_for "$patience" disk_has $((size - 2))
	head -c 1M /dev/urandom >data
	dd if=data of="$dev" bs=1M seek=$((size - 3)) oflag=direct \
		conv=fsync status=none
	dd if="$dev" bs=1M skip=$((size - 3)) iflag=direct status=none |
		cmp - data
done
wait "$load" || { cat fio.out; fail "fio"; }
vc_close vdc0
