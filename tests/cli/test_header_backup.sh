# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Backup and restore of headers: the same bytes as cryptsetup's, in both
# directions, and nothing is overwritten by mistake.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cryptsetup cmp
vc_format a.img --uuid 11111111-1111-1111-1111-111111111111
"$VCRYPT" header backup a.img a.bak
cryptsetup luksHeaderBackup a.img --header-backup-file c.bak
cmp a.bak c.bak
[ "$(stat -c %a a.bak)" = 600 ] || fail "mode $(stat -c %a a.bak)"
expect 5 "$VCRYPT" header backup a.img a.bak
says 'a.bak: File exists'
cmp a.bak c.bak

# Ours is restored by cryptsetup, cryptsetup's by us; the data stay.
key_works() {
	printf %s "$passphrase" |
		cryptsetup luksOpen --test-passphrase --key-file - "$1"
}
printf data | dd of=a.img bs=1M seek=20 conv=notrunc status=none
cp --sparse=always a.img whole.img
dd if=/dev/urandom of=a.img bs=1M count=2 conv=notrunc status=none
cryptsetup luksHeaderRestore -q a.img --header-backup-file a.bak
cmp a.img whole.img
dd if=/dev/urandom of=a.img bs=1k seek=40 count=100 conv=notrunc status=none
"$VCRYPT" header restore --batch-mode a.img c.bak
cmp a.img whole.img
key_works a.img

# LUKS1 as well.
truncate -s 8M one.img
printf %s "$passphrase" | cryptsetup luksFormat -q --type luks1 \
	--pbkdf-force-iterations 1000 --key-file - one.img
"$VCRYPT" header backup one.img one.bak
cp one.img one.whole
dd if=/dev/urandom of=one.img bs=1k seek=4 count=500 conv=notrunc status=none
cryptsetup luksHeaderRestore -q one.img --header-backup-file one.bak
key_works one.img
dd if=/dev/urandom of=one.img bs=1k seek=4 count=500 conv=notrunc status=none
"$VCRYPT" header restore --batch-mode one.img one.bak
key_works one.img

# Data that start far behind the header, of which the backup is.
vc_format far.img --size 4M --luks2-keyslots-size 256K --offset 4096
"$VCRYPT" header backup far.img far.bak
[ "$(stat -c %s far.bak)" -lt 1048576 ] || fail "more than the header"
cp --sparse=always far.img far.whole
dd if=/dev/urandom of=far.img bs=1k seek=4 count=200 conv=notrunc status=none
"$VCRYPT" header restore --batch-mode --force far.img far.bak
cmp far.img far.whole
vc_format farther.img --size 302M --luks2-keyslots-size 256K --offset 614400
"$VCRYPT" header backup farther.img farther.bak
# small_files COMMAND...: none of its files may reach up to those data.
small_files() {
	(
		trap '' XFSZ
		ulimit -f $((280 << 10))
		"$@"
	)
}
cp --sparse=always farther.img farther.whole
expect 4 small_files "$VCRYPT" header restore --batch-mode farther.img \
	farther.bak
says 'no memory for the header: File too large'
cmp farther.img farther.whole
"$VCRYPT" header restore --batch-mode farther.img farther.bak

# What is no backup, or cannot be one of this image.
dd if=/dev/urandom of=noise bs=1M count=1 status=none
expect 4 "$VCRYPT" header restore --batch-mode a.img noise
says 'noise: not a LUKS container'
head -c 1M a.bak >short
expect 4 "$VCRYPT" header restore --batch-mode a.img short
says 'short: .*truncated'
truncate -s 10M small.img
expect 4 "$VCRYPT" header restore --batch-mode --force small.img a.bak
says 'a.bak: is not for an image of 10485760 bytes'
expect 4 "$VCRYPT" header backup noise new
says 'noise: not a LUKS container'
[ ! -e new ] || fail "a backup of nothing"
expect 1 "$VCRYPT" header restore a.img
expect 1 "$VCRYPT" header
cmp a.img whole.img
