#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# LUKS2: what vcrypt writes, dm-crypt reads, and the other way round, whoever
# made the container.

. "$(dirname "$0")/functions.sh"
requires cryptsetup

# made_by WHO SECTOR KEY
made_by() {
	rm -f secret.img
	if [ "$1" = vcrypt ]; then
		vc_format secret.img --size 6M \
			--sector-size "$2" --key-size "$3"
		return
	fi
	truncate -s 6M secret.img
	printf %s "$passphrase" | cryptsetup luksFormat -q --type luks2 \
		"${fast_pbkdf[@]}" --sector-size "$2" --key-size "$3" \
		--offset 4096 --key-file - secret.img
}

for spec in "vcrypt 512 512" "cryptsetup 1024 512" "vcrypt 2048 512" \
	"cryptsetup 4096 256"; do
	# shellcheck disable=SC2086 # three words
	made_by $spec
	both_ways secret.img $((4 << 20)) --key-file -
	[ "$logical" -eq "$(cut -d ' ' -f 2 <<<"$spec")" ] ||
		fail "$spec: the logical block size is $logical"
done
