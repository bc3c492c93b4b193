#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# serve: without privileges, a socket with the rights that were asked for, an
# end that leaves nothing behind.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

rights() {
	stat -c '%F %a' "$1"
}

chmod 777 .
vc_format secret.img
chmod 666 secret.img

expect 1 "$VCRYPT" serve secret.img
says '--socket or --fd is needed'
expect 1 "$VCRYPT" serve secret.img --socket s --fd 3
says 'not both'
expect 1 "$VCRYPT" serve --socket s
says 'one IMAGE is needed'
expect 1 "$VCRYPT" serve secret.img --fd 3 --socket-mode 600
says 'the socket has its mode'
for mode in 8 0888 1777 07777 -1 ''; do
	expect 1 "$VCRYPT" serve secret.img --socket s --socket-mode "$mode"
	says '--socket-mode: an octal number'
done
expect 1 "$VCRYPT" serve secret.img --socket s --socket-group no-such-group
says 'no such group'
expect 1 "$VCRYPT" serve secret.img --socket "$(printf %0120d 0)"
says '--socket: a path of 1 to 107 bytes'
expect 1 "$VCRYPT" serve secret.img --fd 2
says '--fd: the number of a descriptor'
expect 1 "$VCRYPT" serve secret.img --fd 9 9<secret.img
says '--fd: descriptor 9 is no UNIX stream socket that listens'
expect 4 "$VCRYPT" serve nowhere.img --socket s

# A wrong passphrase leaves no socket.
echo wrong >wrong
expect 2 "$VCRYPT" serve secret.img --socket s --key-file wrong
[ ! -e s ] || fail "a socket is left after a wrong passphrase"

umask 0
serve secret.img --socket s
[ "$(cat served)" = "$PWD/s" ] || fail "served as $(cat served)"
[ "$(rights s)" = "socket 600" ] || fail "socket: $(rights s)"
[ "$(stat -c %u "/proc/$(worker)")" != 0 ] || fail "the worker is root"
grep -q 'NoNewPrivs:.1' "/proc/$(worker)/status"
grep -q 'Seccomp:.2' "/proc/$(worker)/status"

# The image has one user, and the socket one server.
expect 5 "$VCRYPT" serve secret.img --socket t --key-file key
says 'is open already'
cp secret.img other.img
expect 5 "$VCRYPT" serve other.img --socket s --key-file key
says 'another server listens there'

kill -TERM "$server"
wait "$server" || fail "status $? after SIGTERM"
[ ! -e s ] || fail "the socket is left behind"

# A worker that dies is replaced; a server that is killed leaves a socket that
# the next one replaces.
serve secret.img --socket s --socket-mode 0660
[ "$(rights s)" = "socket 660" ] || fail "socket: $(rights s)"
first=$(worker)
kill -KILL "$first"
wait_for 100 grep -q 'another worker serves' log
[ "$(worker)" != "$first" ] || fail "no other worker"
kill -KILL "$server"
wait "$server" || true
[ -e s ] || fail "the test is wrong: no stale socket"
# The worker ends by itself, and the kernel lets go of what it had open.
image_is_free() {
	local status=0

	"$VCRYPT" serve secret.img --socket t --key-file wrong 2>err ||
		status=$?
	[ "$status" -eq 2 ]
}
wait_for 100 image_is_free
serve secret.img --socket s
[ "$(rights s)" = "socket 600" ] || fail "socket: $(rights s)"
kill -INT "$server"
wait "$server" || fail "status $? after SIGINT"
