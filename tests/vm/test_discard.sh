#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# fstrim shrinks the image when discards are allowed, by the option or by the
# header's flag, and the files survive; without, nothing is given back.

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4 e2fsck fstrim blkdiscard

blocks() {
	sync secret.img
	du -k secret.img | cut -f 1
}

# fill: files that stay, and 12 MiB that are deleted again.
fill() {
	vc_mount
	[ -d mnt/tree ] || cp -r tree mnt/
	cp large mnt/large
	sync -f mnt
	rm mnt/large
	sync -f mnt
}

# has_shrunk: by the deleted files, from $full.
has_shrunk() {
	[ $((full - $(blocks))) -gt 10000 ]
}

# discards NAME: what status says.
discards() {
	"$VCRYPT" status "$1" | sed -n 's/^  discards: *//p'
}

make_tree tree 4
head -c 12M /dev/urandom >large
vc_format secret.img --size 80M

# Without: not a byte.
vc_attach secret.img vdc0
[ "$(discards vdc0)" = "not allowed" ] || fail "discards: $(discards vdc0)"
# The kernel would write what is left out here when it likes, and let the image
# grow while it is measured.
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$dev"
fill
full=$(blocks)
! fstrim mnt 2>/dev/null || fail "fstrim without discards"
! blkdiscard "$dev" 2>/dev/null || fail "blkdiscard without discards"
umount mnt
vc_close vdc0
[ "$(blocks)" -ge "$full" ] || fail "the image shrank without being asked"

# With the option.
vc_attach secret.img vdc0 --allow-discards
[ "$(discards vdc0)" = allowed ] || fail "discards: $(discards vdc0)"
prints "features:.* DISCARD WRITE_ZEROES" "$VCRYPT" status vdc0 ||
	fail "not negotiated"
fill
full=$(blocks)
fstrim -v mnt
has_shrunk || fail "from $full to $(blocks) KiB only"
prints "^  discard  .*[1-9].* 0 errors" "$VCRYPT" status vdc0 ||
	fail "no discard is counted"
umount mnt
e2fsck -fn "$dev"
vc_close vdc0

# With the header's flag, and mounted so.
"$VCRYPT" config secret.img --persistent allow-discards
vc_attach secret.img vdc0
[ "$(discards vdc0)" = allowed ] || fail "the flag is not honoured"
expect 5 "$VCRYPT" config secret.img --persistent no-allow-discards
says "secret.img: is open"
mount -o discard "$dev" mnt
cp large mnt/large
sync -f mnt
full=$(blocks)
rm mnt/large
sync -f mnt
wait_for "$patience" has_shrunk
umount mnt
vc_close vdc0

# Data are as they were, also for a volume that may not discard.
"$VCRYPT" config secret.img --persistent no-allow-discards
vc_attach secret.img vdc0
[ "$(discards vdc0)" = "not allowed" ] || fail "the flag is still there"
vc_mount
check_tree mnt/tree tree.sums
umount mnt
vc_close vdc0
