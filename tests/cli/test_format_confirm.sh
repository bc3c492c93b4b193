# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# On a terminal it asks, and only YES is yes.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires mkfs.ext4 script

printf pw >key
mkfs.ext4 -q ext4.img 20M
sum=$(sha256sum <ext4.img)
for answer in no yes ''; do
	status=0
	on_terminal "$answer" "$VCRYPT" format --key-file key \
		"${fast_pbkdf[@]}" ext4.img || status=$?
	[ "$status" -eq 1 ] || fail "status $status with '$answer'"
	grep -q 'ext2/3/4 file system' screen
	[ "$(sha256sum <ext4.img)" = "$sum" ] || fail "overwritten by '$answer'"
done
on_terminal YES "$VCRYPT" format --key-file key "${fast_pbkdf[@]}" ext4.img
"$VCRYPT" dump ext4.img | matches '^Served by vcrypt: yes$'
