#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Packed rings: more data in flight than fits into bounce memory of the default
# size. The kernel answers with errors when it runs out.
# timeout: 1200

. "$(dirname "$0")/functions.sh"
requires fio

# big_writes SIZE: 96 MiB in writes of SIZE MiB, all of them at once.
big_writes() {
	fio --name=big --filename="$dev" --ioengine=libaio --direct=1 \
		--rw=write --bs="${1}M" --iodepth=32 --numjobs=3 --size=32M \
		--offset_increment=32M --output=fio.out ||
		{ cat fio.out; fail "large writes"; }
}

vc_format secret.img --size 112M
vc_attach secret.img vdc0 --queues 2 --ring packed
[ "$(vc_status vdc0 ring)" = packed ] || fail "the ring is not packed"
big_writes 1
# As large as the driver can be made to.
cat "/sys/block/${dev##*/}/queue/max_hw_sectors_kb" \
	>"/sys/block/${dev##*/}/queue/max_sectors_kb"
big_writes 4
if dmesg | grep "I/O error, dev ${dev##*/}"; then
	fail "the kernel saw I/O errors"
fi
vc_close vdc0

# With many large queues requests become small, but all of them fit.
vc_attach secret.img vdc0 --queues 2 --queue-size 1024 --ring packed
big_writes 4
vc_close vdc0
