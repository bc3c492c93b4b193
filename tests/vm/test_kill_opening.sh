#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Monitor, or monitor and worker, are killed at any moment of an open: close
# cleans up, and the next open works.
# timeout: 1200

. "$(dirname "$0")/functions.sh"

vc_format secret.img
printf %s "$passphrase" >key

# kill_after DELAY WHO: "oldest" is the monitor, "all" are all.
kill_after() {
	local pids

	"$VCRYPT" open --key-file key secret.img vdc0 >out 2>err &
	wait_for "$patience" test -e /run/vcrypt/vdc0.json
	sleep "$1"
	mapfile -t pids < <(vc_pids | sort -n | sed "/^$!\$/d")
	[ "$2" = all ] || pids=("${pids[0]}")
	kill -9 "${pids[@]}" || true
	wait $! || true
	wait_for "$patience" cleaned
	[ -z "$(vc_pids)" ] || fail "$1 $2: processes: $(vc_pids)"
	[ "$(ls /dev/vduse)" = control ] || fail "$1 $2: $(ls /dev/vduse)"
}

# Closed by us, or by the monitor if that was not the one to die.
cleaned() {
	"$VCRYPT" close vdc0 2>close.err || grep -q "is not open" close.err
}

for delay in 0 0.1 0.3 0.7; do
	kill_after "$delay" oldest
	kill_after "$delay" all
done

# Without a process, to be in time: sets $monitor and $worker.
find_pids() {
	local text='' pid='_pid" *: *([1-9][0-9]*)'

	until [[ $text =~ monitor$pid ]] && monitor=${BASH_REMATCH[1]} &&
		[[ $text =~ worker$pid ]] && worker=${BASH_REMATCH[1]}; do
		[ ! -e /run/vcrypt/vdc0.json ] ||
			text=$(</run/vcrypt/vdc0.json)
	done
}

# has_disk: in $dev.
has_disk() {
	dev=$(vc_status vdc0 device)
	[ -b "$dev" ]
}

# The monitor is killed while the kernel waits for the worker: the attach goes
# on, and what comes of it works.
vc_attach secret.img vdc0
vc_close vdc0
"$VCRYPT" open --key-file key secret.img vdc0 >out 2>err &
opener=$!
find_pids
until [ -e /sys/bus/vdpa/devices/vdc0 ]; do :; done
kill -STOP "$worker"
kill -9 "$monitor"
sleep 0.3
kill -CONT "$worker"
wait "$opener" || true
wait_for "$patience" has_disk
timeout "$patience" dd if="$dev" of=/dev/null bs=1M count=4 iflag=direct status=none
vc_close vdc0

vc_attach secret.img vdc0
vc_close vdc0
