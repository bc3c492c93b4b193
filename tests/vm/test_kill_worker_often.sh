#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A worker that dies again and again is given up, on either ring: requests end
# with errors, those in flight and those that come, status says why, close
# works, and what was written before is there.
# timeout: 200

. "$(dirname "$0")/functions.sh"

# Every kind of request is refused.
expect_errors() {
	local io="bs=4096 count=1 status=none"

	# shellcheck disable=SC2086 # words
	! dd if="$dev" of=/dev/null $io iflag=direct || fail "it was read"
	# shellcheck disable=SC2086
	! dd if=/dev/zero of="$dev" $io oflag=direct || fail "it was written"
	! blkdiscard -z -l 4096 "$dev" || fail "it was zeroed"
}

# The last of them has requests in flight.
kill_until_given_up() {
	local i loads=() deaths=$1

	for ((i = 1; i < deaths; i++)); do
		kill -9 "$(vc_status vdc0 worker_pid)"
		wait_for 60 vc_has_worker vdc0
		[ "$(vc_status vdc0 state)" = active ] || fail "given up after $i"
	done
	kill -STOP "$(vc_status vdc0 worker_pid)"
	for i in 0 1 2 3; do
		dd if="$dev" of=/dev/null bs=4096 skip=$i count=1 \
			iflag=direct status=none &
		loads+=($!)
		dd if=/dev/zero of="$dev" bs=4096 seek=$i count=1 \
			oflag=direct status=none &
		loads+=($!)
	done
	wait_for 60 in_flight 8
	kill -9 "$(vc_status vdc0 worker_pid)"
	for i in "${loads[@]}"; do
		! wait "$i" || fail "a request in flight did not fail"
	done
	wait_for 60 vc_has_worker vdc0
}

# in_flight N: so many requests are.
in_flight() {
	local reads writes

	read -r reads writes <"/sys/block/${dev##*/}/inflight"
	[ $((reads + writes)) = "$1" ]
}

# give_up RING DEATHS [OPTION...]
give_up() {
	local ring=$1 deaths=$2

	shift 2
	vc_attach secret.img vdc0 --ring "$ring" "$@"
	dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
	kill_until_given_up "$deaths"
	[ "$(vc_status vdc0 state)" = failed ] || fail "the state is not 'failed'"
	[ "$(vc_status vdc0 worker_restarts)" = "$deaths" ] || fail "restarts"
	"$VCRYPT" status vdc0 | grep -q "$deaths workers died within 60 s: \
requests are answered with errors" || fail "status gives no reason"
	expect_errors
	vc_close vdc0
	[ ! -b "$dev" ] || fail "$dev is still there"
	vc_attach secret.img vdc0
	cmp -n 4194304 data "$dev" || fail "the data"
	vc_close vdc0
}

vc_format secret.img
head -c 4M /dev/urandom >data
give_up split 5
give_up packed 5
give_up split 2 --death-limit 2
expect 1 "$VCRYPT" open --death-limit 101 secret.img vdc0
says "1 to 100"
