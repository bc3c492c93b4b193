#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# close --force while requests are in flight: they are drained or fail, and
# nothing hangs.

. "$(dirname "$0")/functions.sh"
requires fio

vc_format secret.img --size 42M
vc_attach secret.img vdc0
fio --name=load --filename="$dev" --ioengine=libaio --direct=1 --rw=randwrite \
	--bs=64k --iodepth=32 --size=40M --time_based --runtime=1000 \
	--allow_file_create=0 --output=fio.out 2>/dev/null &
load=$!
wait_for "$patience" in_flight 16
"$VCRYPT" close --force vdc0
wait "$load" || true
[ ! -b "$dev" ] || fail "$dev is still there"
vc_attach secret.img vdc0
dd if="$dev" of=/dev/null bs=1M iflag=direct status=none
vc_close vdc0
