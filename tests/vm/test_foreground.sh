#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# --foreground stays until the volume is closed, by the command or by SIGTERM;
# a volume in use does not end at SIGTERM.

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4

start() {
	rm -f out
	vc_open secret.img vdc0 --foreground >out &
	job=$!
	wait_for "$patience" test -s out
	dev=$(cat out)
}

vc_format secret.img
cleanup "$VCRYPT" close --force vdc0
start
mkfs.ext4 -q "$dev"
vc_close vdc0
wait "$job"

start
vc_mount
kill -TERM "$(vc_status vdc0 monitor_pid)"
wait_for "$patience" prints 'cannot close: .* is mounted' "$VCRYPT" status vdc0
echo alive >mnt/file
sync
umount mnt
kill -TERM "$(vc_status vdc0 monitor_pid)"
wait "$job"
[ ! -b "$dev" ] || fail "$dev is still there"
