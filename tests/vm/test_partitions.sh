#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A partition of the disk that is in use keeps the disk open.

. "$(dirname "$0")/functions.sh"
requires sfdisk mkfs.ext4

vc_format secret.img
vc_attach secret.img vdc0
echo ',16M' | sfdisk -q "$dev"
wait_for "$patience" test -b "${dev}1"
mkfs.ext4 -q "${dev}1"
vc_mount "${dev}1"
expect 5 "$VCRYPT" close vdc0
says "${dev}1: is mounted on"
umount mnt
vc_close vdc0
