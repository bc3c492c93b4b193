#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# What was written through vcrypt is read by cryptsetup and dm-crypt.
# timeout: 400

. "$(dirname "$0")/functions.sh"
requires cryptsetup

for spec in "512 512" "4096 256" "2048 512"; do
	read -r sector key <<<"$spec"
	rm -f secret.img
	head -c 6M /dev/urandom >data
	vc_format secret.img --sector-size "$sector" --key-size "$key"
	vc_attach secret.img vdc0
	dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
	vc_close vdc0

	cleanup cryptsetup close peer
	printf %s "$passphrase" | cryptsetup open --key-file - secret.img peer
	cmp -n 6291456 data /dev/mapper/peer || fail "$spec: data differ"
	[ "$(blockdev --getsize64 /dev/mapper/peer)" = $((48 << 20)) ] ||
		fail "$spec: the size differs"
	cryptsetup close peer
done
