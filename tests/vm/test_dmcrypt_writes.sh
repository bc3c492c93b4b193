#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# What was written through cryptsetup and dm-crypt is read by vcrypt.
# timeout: 400

. "$(dirname "$0")/functions.sh"
requires cryptsetup

for spec in "512 256" "4096 512" "1024 512"; do
	read -r sector key <<<"$spec"
	rm -f secret.img
	truncate -s 64M secret.img
	head -c 6M /dev/urandom >data
	printf %s "$passphrase" | cryptsetup luksFormat -q --type luks2 \
		"${fast_pbkdf[@]}" --key-size "$key" --sector-size "$sector" \
		--key-file - secret.img
	cleanup cryptsetup close peer
	printf %s "$passphrase" | cryptsetup open --key-file - secret.img peer
	dd if=data of=/dev/mapper/peer bs=1M conv=fsync status=none
	cryptsetup close peer

	vc_attach secret.img vdc0
	cmp -n 6291456 data "$dev" || fail "$spec: data differ"
	[ "$(blockdev --getsize64 "$dev")" = $((48 << 20)) ] ||
		fail "$spec: the size differs"
	[ "$(blockdev --getss "$dev")" = "$sector" ] ||
		fail "$spec: the logical block size differs"
	vc_close vdc0
done
