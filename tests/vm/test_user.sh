#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The worker is not root: it runs as the owner of the image, as --user says,
# or as nobody; without capabilities, sandboxed, and it cannot be dumped.

. "$(dirname "$0")/functions.sh"

worker_is() {
	local pid

	pid=$(vc_status vdc0 worker_pid)
	[ "$(vc_status vdc0 worker_user)" = "$1" ] || fail "status: not $1"
	grep -q "^Uid:$(printf '\t%s' $2 $2 $2 $2)$" "/proc/$pid/status" ||
		fail "not uid $2: $(grep Uid "/proc/$pid/status")"
	grep -q '^Groups:\s*$' "/proc/$pid/status" || fail "groups are left"
	grep -q '^CapEff:.*0000000000000000' "/proc/$pid/status" || fail "caps"
	grep -q '^CapPrm:.*0000000000000000' "/proc/$pid/status" || fail "caps"
	grep -q '^NoNewPrivs:.*1' "/proc/$pid/status" || fail "new privileges"
	for task in "/proc/$pid/task"/*; do
		# Those of the kernel's own, for requests that block, may end.
		grep -q '^Seccomp:.*2' "$task/status" || [ ! -e "$task" ] ||
			fail "no filter: $task"
	done
}

vc_format secret.img
vc_attach secret.img vdc0
worker_is nobody 65534
vc_close vdc0
chown daemon secret.img
vc_attach secret.img vdc0
worker_is daemon 1
dd if=/dev/zero of="$dev" bs=1M count=1 oflag=direct status=none
vc_close vdc0
vc_attach secret.img vdc0 --user bin
worker_is bin 2
vc_close vdc0
expect 1 "$VCRYPT" open --key-file /dev/null --user nosuchuser secret.img vdc0
says "nosuchuser: no such user"
