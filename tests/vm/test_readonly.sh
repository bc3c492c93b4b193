#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# --readonly: nothing can be written, and an image without write permission
# will do.
# rings: both

. "$(dirname "$0")/functions.sh"

vc_format secret.img --size 8M
vc_attach secret.img vdc0
head -c 1M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
vc_close vdc0

chmod 400 secret.img
sum=$(sha256sum <secret.img)
vc_attach secret.img vdc0 --readonly
[ "$(blockdev --getro "$dev")" = 1 ] || fail "$dev is not read-only"
cmp -n 1048576 data "$dev"
# The kernel could be talked into it; the device must refuse.
blockdev --setrw "$dev" || true
! dd if=/dev/zero of="$dev" bs=4096 count=1 oflag=direct status=none ||
	fail "a write went through"
# Two readers may share an image; a writer may not join them.
vc_attach secret.img vdc1 --readonly
expect 5 "$VCRYPT" open --key-file /dev/null secret.img vdc2
says "open already"
vc_close vdc1
vc_close vdc0
[ "$sum" = "$(sha256sum <secret.img)" ] || fail "the image was changed"
