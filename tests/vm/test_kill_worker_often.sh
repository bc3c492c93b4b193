#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A worker that dies again and again is given up, on either ring: requests end
# with errors, those in flight and those that come, status says why, close
# works, and what was written before is there.
# timeout: 1200

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

# Eight requests, in $loads, too far apart to become one, that wait until
# somebody opens the other end of their pipe: little time may pass from the first
# death to the last.
prepare_loads() {
	local i

	loads=()
	for i in 0 100 200 300; do
		dd if="$dev" of=answers bs=4096 skip=$i count=1 \
			iflag=direct status=none &
		loads+=($!)
		dd if=to_write of="$dev" bs=4096 seek=$i count=1 \
			iflag=fullblock oflag=direct status=none &
		loads+=($!)
	done
}

# The last of them has requests in flight.
kill_until_given_up() {
	local i answers to_write deaths=$1

	prepare_loads
	monitor=$(vc_status vdc0 monitor_pid)
	find_worker
	for ((i = 1; i < deaths; i++)); do
		kill -9 "$worker"
		next_worker
	done
	wait_for "$patience" vc_has_worker vdc0
	vc_is vdc0 active || fail "given up after $((deaths - 1))"
	kill -STOP "$worker"
	exec {answers}<>answers {to_write}<>to_write
	head -c 16384 data >&"$to_write"
	wait_for "$patience" in_flight 8
	kill -9 "$worker"
	for i in "${loads[@]}"; do
		! wait "$i" || fail "a request in flight did not fail"
	done
	exec {answers}>&- {to_write}>&-
	wait_for "$patience" vc_has_worker vdc0
}

# give_up RING DEATHS [OPTION...]
give_up() {
	local ring=$1 deaths=$2

	shift 2
	vc_attach secret.img vdc0 --ring "$ring" "$@"
	dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
	kill_until_given_up "$deaths"
	"$VCRYPT" status --json vdc0 >status
	[ "$(vc_member state <status)" = failed ] || fail "the state is not 'failed'"
	[ "$(vc_member worker_restarts <status)" = "$deaths" ] || fail "restarts"
	grep -q "$deaths workers died within 60 s: requests are answered with \
errors" status || fail "status gives no reason"
	expect_errors
	vc_close vdc0
	[ ! -b "$dev" ] || fail "$dev is still there"
	vc_attach secret.img vdc0
	cmp -n 4194304 data "$dev" || fail "the data"
	vc_close vdc0
}

mkfifo answers to_write
vc_format secret.img
head -c 4M /dev/urandom >data
give_up split 5
give_up packed 5
give_up split 2 --death-limit 2
expect 1 "$VCRYPT" open --death-limit 101 secret.img vdc0
says "1 to 100"
