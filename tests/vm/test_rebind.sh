#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# An open volume changes hands by way of sysfs, between the kernel's disk and a
# driver in user space, in both directions. status and close follow.

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4 e2fsck

# rebind FROM TO: as root may do at any time.
rebind() {
	echo vdc0 >"/sys/bus/vdpa/drivers/$1/unbind"
	[ "$(vc_status vdc0 driver)" = null ] || fail "unbound: driver"
	[ "$(vc_status vdc0 device)" = null ] || fail "unbound: device"
	echo vdc0 >"/sys/bus/vdpa/drivers/$2/bind"
}

# has_device DRIVER: what the status says is there.
has_device() {
	[ "$(vc_status vdc0 driver)" = "$1" ] || return
	node=$(vc_status vdc0 device)
	[ -e "$node" ]
}

modprobe vhost_vdpa
cleanup modprobe -r vhost_vdpa
make_tree tree 3
vc_format secret.img
vc_attach secret.img vdc0 --queues 2
mkfs.ext4 -q "$dev"
vc_mount
cp -r tree mnt/
umount mnt
head -c 1M "$dev" >start

rebind virtio_vdpa vhost_vdpa
has_device vhost-vdpa || fail "no vhost-vdpa: $("$VCRYPT" status vdc0)"
[ ! -e "$dev" ] || fail "$dev is still there"
NODE=$node RING=split FILE=start "$O/tests/vm/vhost_vdpa"
exec 7<>"$node"
expect 5 timeout "$patience" "$VCRYPT" close vdc0
says "$node: is opened by bash"
exec 7<&-

rebind vhost_vdpa virtio_vdpa
wait_for "$patience" has_device virtio-vdpa
dev=$node
e2fsck -fn "$dev"
vc_mount
check_tree mnt/tree tree.sums
expect 5 "$VCRYPT" close vdc0
says "is mounted"
umount mnt

# Closed with what it was not opened for, and with nothing.
rebind virtio_vdpa vhost_vdpa
vc_close vdc0
[ ! -e /dev/vhost-vdpa-0 ] || fail "the node is still there"
vc_attach secret.img vdc0 --driver virtio-vdpa
echo vdc0 >/sys/bus/vdpa/drivers/virtio_vdpa/unbind
prints '^vdc0  *-  *active' "$VCRYPT" list || fail "$("$VCRYPT" list)"
vc_close vdc0
