#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# The worker is killed when idle: another serves, and says so.
# rings: both

. "$(dirname "$0")/functions.sh"

vc_format secret.img
vc_attach secret.img vdc0
head -c 4M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
old=$(vc_status vdc0 worker_pid)
kill -9 "$old"
cmp -n 4194304 data "$dev"
[ "$(vc_status vdc0 worker_pid)" != "$old" ] || fail "the same worker?"
[ "$(vc_status vdc0 worker_restarts)" = 1 ] || fail "it is not counted"
prints 'the worker died \(killed by signal 9' "$VCRYPT" status vdc0 ||
	fail "status does not tell"
vc_close vdc0

# Killed, and closed before anything else happens.
vc_attach secret.img vdc0
kill -9 "$(vc_status vdc0 worker_pid)"
vc_close vdc0
[ ! -b "$dev" ] || fail "$dev is still there"
