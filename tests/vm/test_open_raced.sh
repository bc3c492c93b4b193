#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The driver that was loaded first has the device for a moment, until the other
# is given it. A program that has opened it by then keeps it: open fails, the
# volume is served, close works when the program is gone, and nobody else
# waits.
# cpus: 2
# timeout: 400

. "$(dirname "$0")/functions.sh"

cleanup modprobe -a virtio_vdpa virtio_blk
cleanup modprobe -r vhost_vdpa
vc_format secret.img
vc_format other.img
printf %s "$passphrase" >key

# race NODE DRIVER: $opener has opened NODE in an open for DRIVER. It does not
# always come in time.
race() {
	local status try

	for try in {1..30}; do
		(
			exec 2>/dev/null
			until [ -e "$1" ] && exec 7<"$1"; do :; done
			exec sleep 1000
		) &
		opener=$!
		status=0
		nice -n 19 "$VCRYPT" open --key-file key --driver "$2" \
			secret.img one >out 2>err || status=$?
		[ "$status" -eq 0 ] || break
		vc_close one || { kill -9 "$opener"; vc_close one; }
		kill -9 "$opener" || true
		wait "$opener" || true
	done
	[ "$status" -eq 5 ] || fail "status $status: $(cat err)"
	echo "$1: in time at the ${try}th"
	cleanup kill -9 "$opener"
}

# served NODE DRIVER
served() {
	says "$1: is opened by .*\\(it stays until vcrypt close one\\)"
	[ "$(vc_status one state)" = active ] || fail "not active"
	[ "$(vc_status one driver)" = "$2" ] || fail "driver"
	[ "$(vc_status one device)" = "$1" ] || fail "device"
	expect 5 "$VCRYPT" close one
	vc_open other.img two --driver "$2"
	vc_close two
	kill -9 "$opener"
	wait "$opener" || true
	vc_close one
	[ -z "$(ls /run/vcrypt)" ] || fail "files were left"
}

modprobe -r vhost_vdpa || true
vc_attach secret.img one
vc_close one
modprobe vhost_vdpa
race "$dev" vhost-vdpa
served "$dev" virtio-vdpa

modprobe -r vhost_vdpa virtio_vdpa
modprobe vhost_vdpa
modprobe virtio_vdpa
race /dev/vhost-vdpa-0 virtio-vdpa
served /dev/vhost-vdpa-0 vhost-vdpa

