# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# What the options say stands in the header.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

uuid=12345678-9abc-def0-1234-56789abcdef0
vc_format a.img --size 20M --label "my label" --uuid "$uuid" \
	--sector-size 1024 --key-size=256 --cipher aes-xts-plain
cryptsetup luksDump a.img >luks
grep -q "UUID:[[:space:]]*$uuid" luks
grep -q 'Label:[[:space:]]*my label' luks
grep -q 'sector: 1024' luks
grep -q 'Key:[[:space:]]*256 bits' luks
grep -q 'cipher: aes-xts-plain$' luks
grep -q 'PBKDF:[[:space:]]*pbkdf2' luks
printf %s "$passphrase" | cryptsetup open --test-passphrase -d - a.img

printf pw | "$VCRYPT" format --key-file - --size 20M --pbkdf argon2i \
	--pbkdf-memory 128 --pbkdf-parallel 1 --iter-time 1 b.img
cryptsetup luksDump b.img >luks
grep -q 'PBKDF:[[:space:]]*argon2i$' luks
grep -q 'Threads:[[:space:]]*1$' luks

# A size that 4096 does not divide gets the largest sector that does.
vc_format c.img --size $(((20 << 20) + 1024))
cryptsetup luksDump c.img | matches 'sector: 1024'
