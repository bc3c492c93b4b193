#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# An open volume gets another size: a mounted file system grows with it, a
# mounted one does not shrink, an image that grew from outside is followed.

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4 resize2fs e2fsck

disk_has() {
	[ "$(blockdev --getsize64 "$dev")" = $(($1 << 20)) ]
}

# has MIB: so much the disk and the status say. The kernel takes its time.
has() {
	wait_for "$patience" disk_has "$1"
	prints "size: *$(($1 << 20)) bytes" "$VCRYPT" status vdc0 ||
		fail "status tells another size"
}

make_tree tree 4
vc_format secret.img --size 18M
vc_attach secret.img vdc0
has 16
mkfs.ext4 -q "$dev"
vc_mount
cp -r tree mnt/

# Under load, and the new part is used at once.
(until [ -e enough ]; do
	cp -r tree mnt/again
	sync -f mnt
	rm -r mnt/again
done) &
load=$!
"$VCRYPT" resize vdc0 --size 50M
has 48
[ "$(stat -c %s secret.img)" = $((50 << 20)) ] || fail "the image is not 50M"
resize2fs "$dev"
touch enough
wait "$load"
head -c 20M /dev/urandom >large
cp large mnt/large
sync -f mnt
cmp large mnt/large

# Not while somebody uses it.
expect 5 "$VCRYPT" resize vdc0 --size 18M
says "mounted"
has 48
[ "$(stat -c %s secret.img)" = $((50 << 20)) ] || fail "the image was cut"
expect 4 "$VCRYPT" resize vdc0 --size 52428936
says "sectors of 4096"
expect 4 "$VCRYPT" resize vdc0 --size 1M
expect 4 "$VCRYPT" resize vdc1
says "vdc1: is not open"

# From outside, and after a worker died.
truncate -s 66M secret.img
kill -9 "$(vc_status vdc0 worker_pid)"
wait_for "$patience" "$VCRYPT" resize vdc0
has 64
resize2fs "$dev"
check_tree mnt/tree tree.sums
umount mnt
e2fsck -fn "$dev"

# Smaller, once it is not in use.
e2fsck -fp "$dev"
resize2fs "$dev" 40M
"$VCRYPT" resize vdc0 --size 46M
has 44
[ "$(stat -c %s secret.img)" = $((46 << 20)) ] || fail "the image is not 46M"
vc_close vdc0

vc_attach secret.img vdc0
has 44
e2fsck -fn "$dev"
vc_mount
check_tree mnt/tree tree.sums
cmp large mnt/large
umount mnt
vc_close vdc0
vc_attach secret.img vdc0 --readonly
expect 4 "$VCRYPT" resize vdc0 --size 80M
says "read-only"
vc_close vdc0
