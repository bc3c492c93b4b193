#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The life of a container: what is written is back after close and open.
# rings: both

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4 e2fsck

# With the header that everybody gets.
vc_header=()
make_tree tree 8
vc_format secret.img --size 128M
vc_attach secret.img vdc0
mkfs.ext4 -q "$dev"
vc_mount
cp -r tree/. mnt/
umount mnt
vc_close vdc0
[ ! -b "$dev" ] || fail "$dev is still there after close"

vc_attach secret.img vdc0
e2fsck -fn "$dev"
vc_mount
check_tree mnt tree.sums
umount mnt
vc_close vdc0
