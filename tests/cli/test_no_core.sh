# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A crash leaves no core dump behind, of no process at no time; and what a
# debugger of root writes down of a server has no secret in it.
#
# timeout: 600

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
# shellcheck source=tests/secrets/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../secrets/functions.sh"

# crash PID: as a bug would; true if it left a core.
crash() {
	rm -f core core.*
	kill -SEGV "$1"
	wait_for 100 has_ended "$1"
	compgen -G 'core*' >left
}

# Also when nobody has waited for it.
has_ended() {
	[ ! -e "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"
}

has_child() {
	[ -n "$(worker)" ]
}

chmod 777 .
ulimit -c unlimited
"${as_user[@]}" sleep 1000 &
sleeper=$!
cleanup kill -KILL "$sleeper"
wait_for 100 grep -q sleep "/proc/$sleeper/comm"
crash "$sleeper" ||
	skip "core dumps go elsewhere: $(cat /proc/sys/kernel/core_pattern)"

vc_format secret.img
cp --sparse=always secret.img slow.img
make_slow slow.img
chmod 666 secret.img slow.img
know_secrets secret.img

# The command that waits for a passphrase, and the reader that works on it.
mkfifo line
"${as_user[@]}" "$VCRYPT" serve secret.img --socket s <line >out 2>err &
server=$!
cleanup kill -KILL "$server"
exec 3>line
wait_for 100 test -S s
! crash "$server" || fail "the command left $(cat left)"
exec 3>&-
rm -f s

"${as_user[@]}" "$VCRYPT" serve slow.img --socket s --key-file - \
	<known.passphrase >out 2>err &
server=$!
cleanup kill -KILL "$server"
wait_for 100 test -S s
wait_for 100 has_child
! crash "$(worker)" || fail "the header reader left $(cat left)"
wait "$server" || true

serve secret.img --socket s
if [ "$(id -u)" -eq 0 ]; then
	for pid in "$server" "$(worker)"; do
		"$secrets" dump "$pid" dump.bin
		not_in_files dump.bin
	done
fi
! crash "$(worker)" || fail "the worker left $(cat left)"
wait_for 100 has_child
! crash "$server" || fail "the monitor left $(cat left)"
