# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Every shape that format can make opens with cryptsetup, and every such shape
# that cryptsetup makes can be served.
# timeout: 600
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

for sector in 512 1024 2048 4096; do
	for bits in 256 512; do
		vc_format ours.img --size 20M --sector-size $sector \
			--key-size $bits
		printf %s "$passphrase" |
			cryptsetup open --test-passphrase -d - ours.img
		rm ours.img

		truncate -s 20M theirs.img
		printf pw | cryptsetup luksFormat -q --type luks2 \
			--pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
			--sector-size $sector -s $bits theirs.img -
		"$VCRYPT" dump theirs.img >text
		grep -q '^Served by vcrypt: yes$' text
		grep -q "sector: $sector" text
		rm theirs.img
	done
done

truncate -s 20M luks1.img
printf pw | cryptsetup luksFormat -q --type luks1 \
	--pbkdf-force-iterations 1000 luks1.img -
"$VCRYPT" dump luks1.img | matches '^Served by vcrypt: yes$'
