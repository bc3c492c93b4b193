#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A header in a file of its own: what vcrypt writes, dm-crypt reads, and the
# other way round, whoever made the header; the image has nothing but data.

. "$(dirname "$0")/functions.sh"
requires cryptsetup

vc_format secret.img --size 6M --header secret.hdr \
	--luks2-keyslots-size 1M
both_ways secret.img $((6 << 20)) --header secret.hdr --key-file -

rm secret.hdr
truncate -s 8M secret.img
printf %s "$passphrase" | cryptsetup luksFormat -q --type luks2 \
	"${fast_pbkdf[@]}" --sector-size 512 --offset 2048 --header secret.hdr \
	--key-file - secret.img
head -c 1M secret.img >before
both_ways secret.img $((7 << 20)) --header secret.hdr --key-file -
cmp -n 1048576 before secret.img || fail "written before the offset"
