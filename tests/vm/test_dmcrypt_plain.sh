#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Plain volumes: what vcrypt writes, dm-crypt reads, and the other way round,
# in a part of the image, and with another number for its first sector.

. "$(dirname "$0")/functions.sh"
requires cryptsetup

head -c 64 /dev/urandom >key64
head -c 32 key64 >key32
head -c 8M /dev/urandom >plain.img
head -c 1M plain.img >before
tail -c 1M plain.img >after
# Random data can look like anything.
ours=(--force-plain)
plain=(--type plain --cipher aes-xts-plain64)
part=(--offset 2048 --size 12288)

# Numbers beyond 32 bits are reached within the volume.
both_ways plain.img $((6 << 20)) "${plain[@]}" "${part[@]}" \
	--key-size 512 --key-file key64 --skip 4294967288
both_ways plain.img $((6 << 20)) "${plain[@]}" "${part[@]}" \
	--key-size 256 --key-file key32 --skip 8 --sector-size 4096
both_ways plain.img $((6 << 20)) --type plain --cipher aes-xts-plain \
	"${part[@]}" --key-size 256 --key-file - --hash sha256
cmp -n 1048576 before plain.img || fail "written before the offset"
tail -c 1M plain.img | cmp - after || fail "written behind the size"
both_ways plain.img $((8 << 20)) "${plain[@]}" \
	--key-size 512 --key-file - --hash sha512
