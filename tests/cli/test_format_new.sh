# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# A new container: private, sparse, and cryptsetup's in every respect.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

umask 000
vc_format new.img --size 1G
[ "$(stat -c %a new.img)" = 600 ] || fail "mode $(stat -c %a new.img)"
[ "$(stat -c %s new.img)" -eq $((1 << 30)) ] || fail "not 1 GiB"
[ "$(du -k new.img | cut -f 1)" -lt 20000 ] || fail "not sparse"

cryptsetup luksDump new.img >luks
grep -q 'cipher: aes-xts-plain64' luks
grep -q 'sector: 4096' luks
grep -q 'Key:[[:space:]]*512 bits' luks
printf %s "$passphrase" | cryptsetup open --test-passphrase -d - new.img
printf wrong | expect 2 cryptsetup open --test-passphrase -d - new.img

# The default key derivation, with the costs given instead of measured.
printf pw | "$VCRYPT" format --key-file - --size 20M --pbkdf-memory 64 \
	--pbkdf-parallel 1 --pbkdf-force-iterations 4 argon.img
cryptsetup luksDump argon.img | matches 'PBKDF:[[:space:]]*argon2id'
cryptsetup luksDump argon.img | matches 'Memory:[[:space:]]*64$'
printf pw | cryptsetup open --test-passphrase -d - argon.img
