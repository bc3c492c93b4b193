#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Ten opens and closes leave nothing behind.
# timeout: 1200

. "$(dirname "$0")/functions.sh"

count() {
	local descriptors=(/proc/[0-9]*/fd/*)

	# No process is started to count them, which would be counted.
	echo "${#descriptors[@]}"
}

vc_format secret.img
for i in 1 2 3 4 5 6 7 8 9 10; do
	dev=$(vc_open secret.img vdc0)
	dd if=/dev/urandom of="$dev" bs=64k count=4 oflag=direct status=none
	vc_close vdc0
	[ -z "$(vc_pids)" ] || fail "processes are left: $(vc_pids)"
	[ -z "$(ls /run/vcrypt)" ] || fail "files: $(ls /run/vcrypt)"
	[ "$(ls /dev/vduse)" = control ] || fail "devices: $(ls /dev/vduse)"
	[ "$i" -ne 1 ] || before=$(count)
done
after=$(count)
[ "$after" -le "$before" ] || fail "descriptors: $before, then $after"
# The image is free for others.
flock -n secret.img true
printf %s "$passphrase" | cryptsetup open --test-passphrase --key-file - \
	secret.img
