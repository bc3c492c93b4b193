#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Without VDUSE or a driver for it the user is told which modules to load,
# and whatever was done is undone.

. "$(dirname "$0")/functions.sh"

vc_format secret.img
printf %s "$passphrase" >key
modprobe=$(cat /proc/sys/kernel/modprobe)
echo /bin/false >/proc/sys/kernel/modprobe
cleanup eval "echo $modprobe >/proc/sys/kernel/modprobe"
cleanup busybox modprobe -a virtio_blk virtio_vdpa vduse
load() {
	busybox modprobe "$1"
}
unload() {
	busybox rmmod "$1"
}

# Nothing makes a disk of the device: found out late.
unload virtio_blk
expect 4 "$VCRYPT" open --key-file key secret.img vdc0
says "modprobe virtio_vdpa virtio_blk"
[ "$(ls /dev/vduse)" = control ] || fail "a device was left"
[ -z "$(ls /run/vcrypt)" ] || fail "files were left"
[ -z "$(vc_pids)" ] || fail "processes were left"
load virtio_blk

unload virtio_vdpa
expect 4 "$VCRYPT" open --key-file key secret.img vdc0
says "modprobe virtio_vdpa virtio_blk"
unload vduse
expect 4 "$VCRYPT" open --key-file key secret.img vdc0
says "/dev/vduse/control: .*modprobe vduse virtio_vdpa virtio_blk"
load vduse
load virtio_vdpa
vc_attach secret.img vdc0
vc_close vdc0
