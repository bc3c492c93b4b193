#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Zeroes that are asked for are read, and stand encrypted in the image: also
# where discards are allowed, and after a restart of the worker.
# rings: both

. "$(dirname "$0")/functions.sh"
requires blkdiscard

options=
[ -z "${RING-}" ] || options="--allow-discards --queues 1"
vc_format secret.img --size 18M
# shellcheck disable=SC2086 # several options
vc_attach secret.img vdc0 $options
head -c 16M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
blkdiscard -z -o 1M -l 12M "$dev"
dd if=/dev/zero of=data bs=1M seek=1 count=12 conv=notrunc status=none
cmp data "$dev" || fail "other than zeroes are read ($options)"
prints "^  write_zeroes .* 12.0 MiB, 0 errors" "$VCRYPT" status vdc0 ||
	fail "they were not asked of the device"
vc_close vdc0
# Two equal plaintext sectors, two different ones in the image.
[ "$(dd if=secret.img bs=4096 skip=$((4 << 8)) count=256 \
	status=none | od -An -v -tx8 -w32 | sort | uniq -d |
	wc -l)" -eq 0 ] || fail "zeroes in the image"
vc_attach secret.img vdc0
cmp data "$dev" || fail "other than zeroes after a restart"
vc_close vdc0
