# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Containers of cryptsetup's that cannot be served are refused by name.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

fast=(-q --pbkdf pbkdf2 --pbkdf-force-iterations 1000)
expect_no() {
	expect 0 "$VCRYPT" dump a.img
	grep -qE "^Served by vcrypt: no, .*$1" out ||
		{ cat out; fail "not refused by name: $1"; }
	expect 0 "$VCRYPT" dump --json a.img
	grep -q '"servable":false' out
	grep -qE "\"refusal\":\".*$1" out
}

truncate -s 40M a.img
printf pw | cryptsetup luksFormat "${fast[@]}" -c aes-cbc-essiv:sha256 a.img -
expect_no 'aes-cbc-essiv:sha256, only aes-xts-plain64'

printf pw | cryptsetup luksFormat "${fast[@]}" --type luks1 \
	-c aes-cbc-essiv:sha256 a.img -
expect_no 'aes-cbc-essiv:sha256, only aes-xts-plain64'

# Re-encryption that was begun.
printf pw | cryptsetup luksFormat "${fast[@]}" a.img -
printf pw | cryptsetup reencrypt "${fast[@]}" --force-offline-reencrypt \
	--init-only -d - a.img
expect_no 're-encryption is under way'

# No key slot is left.
printf pw | cryptsetup luksFormat "${fast[@]}" a.img -
cryptsetup erase -q a.img
expect_no 'no key slot is left'
