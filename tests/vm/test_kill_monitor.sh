#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The monitor is killed: the worker serves on, close cleans up.

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4

vc_format secret.img
vc_attach secret.img vdc0
mkfs.ext4 -q "$dev"
vc_mount
monitor=$(vc_status vdc0 monitor_pid)
kill -9 "$monitor"
wait_for "$patience" gone "$monitor"
head -c 4M /dev/urandom >mnt/data
sync
vc_is vdc0 orphaned || fail "status does not notice"
expect 5 "$VCRYPT" close vdc0
says "is mounted on"
expect 4 "$VCRYPT" resize vdc0
says "vdc0: its monitor is gone"
# Nobody else gets the image or the name meanwhile.
expect 5 "$VCRYPT" open --key-file /dev/null secret.img vdc1
says "open already"
expect 5 "$VCRYPT" open --key-file /dev/null secret.img vdc0
says "vcrypt close vdc0"
umount mnt
vc_close vdc0
[ ! -e /dev/vduse/vdc0 ] || fail "the VDUSE device was left"
vc_attach secret.img vdc0
e2fsck -fn "$dev" >/dev/null
vc_close vdc0
