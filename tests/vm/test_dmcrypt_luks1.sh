#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# LUKS1: what vcrypt writes, dm-crypt reads, and the other way round.

. "$(dirname "$0")/functions.sh"
requires cryptsetup

for key in 256 512; do
	rm -f secret.img
	truncate -s 8M secret.img
	printf %s "$passphrase" | cryptsetup luksFormat -q --type luks1 \
		"${fast_pbkdf[@]}" --key-size "$key" --key-file - secret.img
	start=$(cryptsetup luksDump secret.img |
		sed -n 's/^Payload offset:[^0-9]*//p')
	both_ways secret.img $(((8 << 20) - start * 512)) --key-file -
done
