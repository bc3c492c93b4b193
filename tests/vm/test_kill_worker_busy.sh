#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The worker is killed under load: no I/O error, nothing lost.
# timeout: 400
# cpus: 2

. "$(dirname "$0")/functions.sh"
requires fio

vc_format secret.img --size 80M
vc_attach secret.img vdc0 --queues 2
fio --name=verify --filename="$dev" --ioengine=libaio --direct=1 --rw=randrw \
	--bsrange=4k-256k --blockalign=4k --iodepth=16 --numjobs=2 --size=32M \
	--offset_increment=32M --io_size=96M --verify=crc32c --verify_fatal=1 \
	--output=fio.out &
load=$!
for _ in 1 2 3 4; do
	sleep 0.7
	kill -9 "$(vc_status vdc0 worker_pid)" || true
	wait_for 20 vc_has_worker vdc0
done
wait "$load" || { cat fio.out; "$VCRYPT" status vdc0; fail "fio"; }
[ "$(vc_status vdc0 worker_restarts)" = 4 ] || fail "restarts are not counted"
vc_close vdc0
