# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# What is no container, or no whole one, is refused by name with status 4, and
# is not changed.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires mkfs.ext4 openssl

refused() {
	local text=$1 image=$2 sum

	sum=$(sha256sum <"$image")
	expect 4 "$VCRYPT" dump "$image"
	says "$text"
	[ "$(wc -l <err)" -eq 1 ] || fail "more than one line: $(cat err)"
	[ "$(sha256sum <"$image")" = "$sum" ] || fail "$image was changed"
}

: >empty.img
refused 'empty.img: not a LUKS container: empty' empty.img
truncate -s 20M zero.img
refused 'zero.img: not a LUKS container' zero.img
mkfs.ext4 -q ext4.img 20M
refused 'not a LUKS container: this is an ext2/3/4 file system' ext4.img
truncate -s 20M locker.img
printf -- '-FVE-FS-' | dd of=locker.img bs=1 seek=3 conv=notrunc status=none
refused 'this is a BitLocker volume' locker.img
truncate -s 20M togo.img
printf '\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01' |
	dd of=togo.img bs=1 seek=424 conv=notrunc status=none
refused 'this is a BitLocker To Go volume .*cryptsetup --type bitlk' togo.img
truncate -s 20M vault.img
printf CS | dd of=vault.img bs=1 seek=88 conv=notrunc status=none
refused 'this is a FileVault2 volume .*cryptsetup --type fvault2' vault.img
# What VeraCrypt and plain dm-crypt leave on a disk is noise.
openssl enc -aes-128-ctr -K 00 -iv 00 -in zero.img 2>/dev/null |
	head -c 65536 >noise.img || true
refused 'it looks random, as VeraCrypt.*--type tcrypt.*--type plain' noise.img

expect 4 "$VCRYPT" dump missing.img
says 'missing.img: No such file or directory'
expect 4 "$VCRYPT" dump .
says 'is a directory \(a regular file'
expect 4 "$VCRYPT" dump /dev/zero
says 'is a character device \(a regular file'

vc_format good.img --size 20M
head -c 100 good.img >cut.img
refused 'header is truncated' cut.img
head -c 5000 good.img >cut.img
refused 'damaged, or the image is truncated' cut.img
cp good.img both.img
printf damage | dd of=both.img bs=1 seek=5000 conv=notrunc status=none
printf damage | dd of=both.img bs=1 seek=21384 conv=notrunc status=none
refused 'both LUKS2 headers are damaged' both.img

# Long enough for the header, not for the data: dump tells, open refuses.
for size in 20000 3M 4M; do
	cp good.img cut.img
	truncate -s "$size" cut.img
	expect 0 "$VCRYPT" dump cut.img
	grep -q '^Served by vcrypt: no, the image is truncated' out
done
