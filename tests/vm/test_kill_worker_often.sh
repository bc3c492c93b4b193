#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A worker that dies again and again is given up: requests end with errors,
# status says why, close works.

. "$(dirname "$0")/functions.sh"

vc_format secret.img
vc_attach secret.img vdc0
for _ in 1 2 3 4 5; do
	kill -9 "$(vc_status vdc0 worker_pid)"
	wait_for 20 vc_has_worker vdc0
done
[ "$(vc_status vdc0 state)" = failed ] || fail "the state is not 'failed'"
"$VCRYPT" status vdc0 | grep -q "answered with errors" || fail "no reason"
! dd if="$dev" of=/dev/null bs=4096 count=1 iflag=direct status=none ||
	fail "it was read"
vc_close vdc0
[ ! -b "$dev" ] || fail "$dev is still there"
