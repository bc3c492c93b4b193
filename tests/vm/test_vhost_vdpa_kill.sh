#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Those who take a vhost-vdpa volume away are killed in the middle of it, while
# another volume is opened: neither hangs, and close works.
# timeout: 1200
# cpus: 2

. "$(dirname "$0")/functions.sh"

modprobe vhost_vdpa
cleanup modprobe -r vhost_vdpa
vc_format secret.img
vc_format other.img
printf %s "$passphrase" >key

# Closed by us, or by those who were not the ones to die.
cleaned() {
	"$VCRYPT" close one 2>close.err || grep -q "is not open" close.err
}

# kill_in_close WHO: at the moment when its node goes.
kill_in_close() {
	local pids

	"$VCRYPT" close one 2>close.err &
	closer=$!
	"$VCRYPT" open --key-file key other.img two \
		--driver vhost-vdpa >out &
	opener=$!
	case $1 in
	monitor) pids=("$monitor") ;;
	closer) pids=("$closer") ;;
	esac
	while [ -e "$node" ]; do :; done
	if [ "$1" = all ]; then
		mapfile -t pids < <(vc_pids | grep -vxe "$worker" -e "$opener")
	fi
	kill -9 "${pids[@]}" 2>/dev/null || true
	wait "$closer" || true
	wait_for "$patience" cleaned
	[ ! -e /sys/bus/vdpa/devices/one ] || fail "$1: still on the bus"
	[ ! -e /dev/vduse/one ] || fail "$1: still there"
}

for who in monitor closer all monitor all; do
	node=$(vc_open secret.img one --driver vhost-vdpa)
	cleanup "$VCRYPT" close one
	monitor=$(vc_status one monitor_pid)
	worker=$(vc_status one worker_pid)
	# The command does the work itself when there is no monitor.
	[ "$who" != closer ] || kill -9 "$monitor"
	kill_in_close "$who"
	# It may have been killed with the others.
	wait "$opener" || [ "$who" = all ]
	"$VCRYPT" close two || [ "$who" = all ]
done
node=$(vc_open secret.img one --driver vhost-vdpa)
vc_close one
