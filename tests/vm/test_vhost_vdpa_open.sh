#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A volume that is given to vhost_vdpa: opened whichever driver was loaded
# first, shown, and closed only when no program has its node open.
# timeout: 1200

. "$(dirname "$0")/functions.sh"

cleanup modprobe -a virtio_vdpa virtio_blk
printf %s "$passphrase" >key
vc_format secret.img

# is_vhost NAME: its node is there, and nothing else came of it.
is_vhost() {
	[ -c "$node" ] || fail "open printed '$node'"
	[ "$(vc_status "$1" device)" = "$node" ] || fail "device of $1"
	[ "$(vc_status "$1" driver)" = vhost-vdpa ] || fail "driver of $1"
	[ -z "$(ls -d /sys/block/vd* 2>/dev/null)" ] || fail "there is a disk"
}

vc_holds() {
	[ -n "$(find "/proc/$1/fd" -lname "$2")" ]
}

# nothing_left: an open that failed has undone everything.
nothing_left() {
	[ "$(ls /dev/vduse)" = control ] || fail "a device was left"
	[ -z "$(ls /run/vcrypt)" ] || fail "files were left"
}

# Its module is missing.
modprobe -r vhost_vdpa
expect 4 "$VCRYPT" open --key-file key --driver vhost-vdpa secret.img one
says 'modprobe vhost_vdpa'
nothing_left
expect 1 "$VCRYPT" open --key-file key --driver vhost_vdpa secret.img one
says '"virtio-vdpa" or "vhost-vdpa"'

# virtio_vdpa was first.
modprobe vhost_vdpa
autoprobe=$(</sys/bus/vdpa/drivers_autoprobe)
node=$(vc_open secret.img one --driver vhost-vdpa)
cleanup "$VCRYPT" close one
is_vhost one
[ "$("$VCRYPT" list | sed -n 's/^one  *\([^ ]*\) .*/\1/p')" = "$node" ] ||
	fail "list does not show $node"
prints 'driver: *vhost-vdpa$' "$VCRYPT" status one || fail "status"

# In use; nobody waits in the kernel.
exec 7<>"$node"
for how in "close one" "close --force one" "resize --size 40M one"; do
	# shellcheck disable=SC2086 # two words and more
	expect 5 timeout "$patience" "$VCRYPT" $how
	says "$node: is opened by bash \(process $$\)"
done
grep -q force err && fail "resize speaks of --force"
vc_open secret.img two --readonly 2>/dev/null && fail "opened twice"
vc_is one active || fail "not active"
"$VCRYPT" resize --size 80M one
exec 7<&-
"$VCRYPT" resize --size 70M one
[ "$(stat -c %s secret.img)" = $((70 << 20)) ] || fail "the image is not 70M"
vc_close one
[ ! -e "$node" ] || fail "$node is still there"

[ "$(</sys/bus/vdpa/drivers_autoprobe)" = "$autoprobe" ] || fail autoprobe

# A program made a file of the path.
echo "lost" >"$node"
expect 4 "$VCRYPT" open --key-file key --driver vhost-vdpa secret.img one
says "$node is no character device but in its way"
nothing_left
rm "$node"

# Somebody takes it from the driver by hand, and that waits in the kernel.
node=$(vc_open secret.img one --driver vhost-vdpa)
exec 7<>"$node"
(exec 7<&-; echo one >/sys/bus/vdpa/drivers/vhost_vdpa/unbind) &
wait_for "$patience" test ! -e "$node"
for how in "close one" "close --force one"; do
	# shellcheck disable=SC2086 # two words and more
	expect 5 timeout "$patience" "$VCRYPT" $how
	says "one: .* waits until a program has closed"
done
[ "$(vc_status one driver)" = null ] || fail "it has a driver"
exec 7<&-
wait $!
vc_close one

# The monitor is killed: the worker waits for programs all the same.
node=$(vc_open secret.img one --driver vhost-vdpa)
kill -9 "$(vc_status one monitor_pid)"
worker=$(vc_status one worker_pid)
wait_for "$patience" vc_is one orphaned
is_vhost one
sleep 0.3
[ -d "/proc/$worker" ] || fail "the worker ended with its monitor"
exec 7<>"$node"
expect 5 "$VCRYPT" close one
says 'is opened by bash'
exec 7<&-
vc_close one
[ ! -e "$node" ] || fail "$node is still there"

# Both are killed. A program that has the node open cannot even close it:
# nobody answers, until somebody closes the volume.
node=$(vc_open secret.img one --driver vhost-vdpa)
sleep 1000 7<>"$node" &
holder=$!
monitor=$(vc_status one monitor_pid)
worker=$(vc_status one worker_pid)
wait_for "$patience" vc_holds "$holder" "$node"
kill -STOP "$monitor"
kill -9 "$worker" "$monitor"
wait_for "$patience" gone "$monitor" "$worker"
vc_is one dead || fail "not dead"
is_vhost one
for how in "close one" "close --force one"; do
	# shellcheck disable=SC2086 # two words and more
	expect 5 timeout "$patience" "$VCRYPT" $how
	says "is opened by sleep \(process $holder\)"
done
kill -9 "$holder"
timeout "$patience" "$VCRYPT" close one
wait "$holder" || true

# vhost_vdpa was first.
modprobe -r virtio_vdpa
node=$(vc_open secret.img one --driver vhost-vdpa)
is_vhost one
vc_close one
expect 4 "$VCRYPT" open --key-file key secret.img two
says 'modprobe virtio_vdpa'
modprobe virtio_vdpa
vc_attach secret.img one
[ "$(vc_status one driver)" = virtio-vdpa ] || fail "not virtio-vdpa"
[ "$(vc_status one device)" = "$dev" ] || fail "not $dev"
dd if="$dev" of=/dev/null bs=1M count=1 status=none
vc_close one
modprobe -r vhost_vdpa
