#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A file where the block device's node belongs: that is told, and undone.

. "$(dirname "$0")/functions.sh"

vc_format secret.img
vc_attach secret.img vdc0
vc_close vdc0
echo "written by somebody too late" >"$dev"
printf %s "$passphrase" >key
expect 4 "$VCRYPT" open --key-file key secret.img vdc0
says "$dev is no block device"
[ "$(ls /dev/vduse)" = control ] || fail "a device was left"
rm "$dev"
vc_attach secret.img vdc0
vc_close vdc0
