#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A driver in user space has the device: see vhost_vdpa.c. With both kinds of
# rings.
# timeout: 1200

. "$(dirname "$0")/functions.sh"

modprobe vhost_vdpa
cleanup modprobe -r vhost_vdpa
vc_format secret.img

for ring in split packed; do
	node=$(vc_open secret.img one --driver vhost-vdpa --queues 2 \
		--ring "$ring")
	cleanup "$VCRYPT" close one
	NODE=$node NAME=one SIZE=$(vc_status one size) RING=$ring \
		WORKER=$(vc_status one worker_pid) \
		CK_VERBOSITY=normal "$O/tests/vm/vhost_vdpa" ||
		{ "$VCRYPT" status one; fail "$ring: see above"; }
	vc_close one
done

# Memory of huge pages is mapped in units of its own.
echo 8 >/proc/sys/vm/nr_hugepages
HUGE_PAGES=1 CK_RUN_CASE="huge pages" CK_VERBOSITY=normal \
	"$O/tests/unit/test_iotlb" | tee huge.out
grep -q "Checks: 1, Failures: 0" huge.out
echo 0 >/proc/sys/vm/nr_hugepages
