#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# open --vhost-user: without privileges and without VDUSE, and listed, resized
# and closed like any other volume.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

[ "$(id -u)" -eq 0 ] && chown 65534 .
chmod 755 .
as() {
	"${as_user[@]}" env XDG_RUNTIME_DIR="$PWD/run" "$VCRYPT" "$@"
}

as_open() {
	printf %s "$passphrase" | as open --key-file - "$@"
}

"${as_user[@]}" mkdir -m 700 run
vc_format secret.img
chmod 666 secret.img

expect 1 as open secret.img v --vhost-user s --driver vhost-vdpa
says '--vhost-user: the front end chooses'
expect 1 as open secret.img v --vhost-user s --ring packed
says '--vhost-user: the front end chooses'
expect 1 as open secret.img v --socket-mode 600
says 'are for --vhost-user'
expect 1 as open secret.img v --vhost-user s --socket-mode 9
says '--socket-mode: an octal number'
expect 1 as open secret.img v --vhost-user ''
says '--vhost-user: a path of 1 to 107 bytes'

cleanup as close v
[ "$(as_open secret.img v --vhost-user s)" = "$PWD/s" ]
[ "$(stat -c '%F %a' s)" = "socket 600" ]
as list | matches "^v .*$PWD/s .*active .*48.0 MiB" || fail "$(as list)"
as status v | matches 'driver.*vhost-user' || fail "$(as status v)"
expect 5 as open secret.img v --vhost-user t
expect 5 as open secret.img w --vhost-user t
truncate -s 80M secret.img
as resize v
as list | matches '64.0 MiB' || fail "$(as list)"
truncate -s 60M secret.img
expect 5 as resize v
says 'a disk of a virtual machine only grows'
truncate -s 80M secret.img

# Whoever kills the monitor ends the worker; close takes away what is left.
pid=$(as status --json v | sed -n 's/.*"monitor_pid": *\([0-9]*\).*/\1/p')
kill -KILL "$pid"
as close v
[ -z "$(as list)" ] || fail "still there: $(as list)"

[ "$(as_open secret.img v --vhost-user s)" = "$PWD/s" ]
as close v
[ ! -e s ] || fail "the socket is left behind"
[ -z "$(as list)" ] || fail "still there: $(as list)"
