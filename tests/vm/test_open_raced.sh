#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The driver that was loaded first has the device for a moment, until the other
# is given it. A program that has opened it by then keeps it: open fails, the
# volume is served, close works when the program is gone, and nobody else
# waits.

. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires strace

cleanup modprobe -a virtio_vdpa virtio_blk
cleanup modprobe -r vhost_vdpa
vc_format secret.img
vc_format other.img
printf %s "$passphrase" >key

# hold COMMAND...: the process of $job that asks for the device is stopped, as
# $held, at the end of that call: its second message to the kernel.
hold() {
	local tracer

	: >trace
	strace -I 2 -D -f -qq -o trace -e trace=sendmsg \
		-e inject=sendmsg:signal=STOP:when=2 "$@" >out 2>err &
	job=$!
	wait_for "$patience" grep -q ' stopped by SIGSTOP' trace
	held=$(sed -n 's/^\([0-9]*\) .* stopped by SIGSTOP.*/\1/p' trace)
	# Only there.
	tracer=$(sed -n 's/^TracerPid:[^0-9]*//p' "/proc/$held/status")
	kill "$tracer"
	wait_for "$patience" gone "$tracer"
}

# race NODE DRIVER: $opener has opened NODE in an open for DRIVER.
race() {
	local status=0

	hold "$VCRYPT" open --key-file key --driver "$2" secret.img one
	exec 7<"$1"
	sleep 1000 &
	opener=$!
	cleanup kill -9 "$opener"
	exec 7<&-
	kill -CONT "$held"
	wait "$job" || status=$?
	[ "$status" -eq 5 ] || fail "status $status: $(cat err)"
}

# served NODE DRIVER
served() {
	says "$1: is opened by .*\\(it stays until vcrypt close one\\)"
	"$VCRYPT" status --json one >status
	[ "$(vc_member state <status)" = active ] || fail "not active"
	[ "$(vc_member driver <status)" = "$2" ] || fail "driver"
	[ "$(vc_member device <status)" = "$1" ] || fail "device"
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
