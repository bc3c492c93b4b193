#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A CPU that goes away takes no queue's interrupts with it.
# cpus: 2

. "$(dirname "$0")/functions.sh"

cpu=/sys/devices/system/cpu/cpu1/online
[ -e "$cpu" ] || fail "the guest has one CPU only"
vc_format secret.img
vc_attach secret.img vdc0 --queues 2
cleanup eval "echo 1 >$cpu"
for online in 0 1 0 1; do
	echo "$online" >"$cpu"
	dd if=/dev/urandom of="$dev" bs=64k count=16 oflag=direct status=none
	dd if="$dev" of=/dev/null bs=64k count=64 iflag=direct status=none
done
vc_close vdc0
