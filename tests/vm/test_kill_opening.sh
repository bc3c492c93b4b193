#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Monitor, or monitor and worker, are killed at any moment of an open: close
# cleans up, and the next open works.
# timeout: 400

. "$(dirname "$0")/functions.sh"

vc_format secret.img
printf %s "$passphrase" >key

# kill_after DELAY WHO: "oldest" is the monitor, "all" are all.
kill_after() {
	local pids

	"$VCRYPT" open --key-file key secret.img vdc0 >out 2>err &
	wait_for 60 test -e /run/vcrypt/vdc0.json
	sleep "$1"
	mapfile -t pids < <(vc_pids | sort -n | sed "/^$!\$/d")
	[ "$2" = all ] || pids=("${pids[0]}")
	kill -9 "${pids[@]}" || true
	wait $! || true
	wait_for 60 cleaned
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
vc_attach secret.img vdc0
vc_close vdc0
