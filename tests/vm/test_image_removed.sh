#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# An image that is removed while it is open goes on working until the close.

. "$(dirname "$0")/functions.sh"

vc_format secret.img
vc_attach secret.img vdc0
rm secret.img
head -c 4M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
cmp -n 4194304 data "$dev"
# Its worker can be replaced, too.
kill -9 "$(vc_status vdc0 worker_pid)"
cmp -n 4194304 data "$dev"
vc_close vdc0
