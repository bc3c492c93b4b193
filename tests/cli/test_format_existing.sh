# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Nothing that is there is overwritten without a word.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires mkfs.ext4

printf pw >key
format=("$VCRYPT" format --key-file key "${fast_pbkdf[@]}")

# Zeroes are nothing.
truncate -s 20M zero.img
expect 0 "${format[@]}" zero.img

# Something needs a terminal to ask at, or --batch-mode.
sum=$(sha256sum <zero.img)
expect 1 "${format[@]}" zero.img
says 'zero.img: holds a LUKS container, and there is no terminal'
[ "$(sha256sum <zero.img)" = "$sum" ] || fail "changed all the same"
expect 0 "${format[@]}" --batch-mode zero.img
[ "$(sha256sum <zero.img)" != "$sum" ] || fail "not formatted"

mkfs.ext4 -q ext4.img 20M
expect 1 "${format[@]}" ext4.img
says 'holds an ext2/3/4 file system'
truncate -s 20M text.img
echo "chapter one" | dd of=text.img conv=notrunc bs=1M seek=7 status=none
expect 1 "${format[@]}" text.img
says 'holds data'

# Without a signature of old at the end either.
truncate -s 24M tail.img
printf 'EFI PART' |
	dd of=tail.img conv=notrunc bs=512 seek=$((24 * 2048 - 1)) status=none
expect 0 "${format[@]}" --batch-mode tail.img
! grep -q 'EFI PART' tail.img || fail "the old signature is still there"
