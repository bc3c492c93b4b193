#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Monitor and worker are killed: close cleans up all the same, and it does
# not take the 30 seconds that the kernel would wait for an answer.

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4

vc_format secret.img
vc_attach secret.img vdc0
worker=$(vc_status vdc0 worker_pid)
monitor=$(vc_status vdc0 monitor_pid)
kill -9 "$monitor" "$worker"
wait_for "$patience" gone "$monitor" "$worker"
vc_is vdc0 dead || fail "status does not notice"
vc_close vdc0
[ ! -b "$dev" ] || fail "$dev is still there"

# With requests in flight: they end with errors.
vc_attach secret.img vdc0
mkfs.ext4 -q "$dev"
vc_mount
worker=$(vc_status vdc0 worker_pid)
monitor=$(vc_status vdc0 monitor_pid)
kill -STOP "$worker"
(head -c 4M /dev/urandom >mnt/data; sync mnt/data) 2>/dev/null &
wait_for "$patience" in_flight 1
kill -9 "$monitor" "$worker"
expect 5 "$VCRYPT" close vdc0
"$VCRYPT" close --force vdc0
wait || true
umount -l mnt
