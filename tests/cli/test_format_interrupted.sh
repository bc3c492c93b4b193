# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# A signal in the middle leaves no half container.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

printf pw >key
for signal in INT TERM HUP; do
	# A key derivation lies ahead that does not end by itself. Not through
	# "&" alone, which would have it ignore SIGINT.
	env --default-signal=INT "$VCRYPT" format --key-file key --size 20M \
		--pbkdf pbkdf2 --pbkdf-force-iterations 1000000000 new.img &
	pid=$!
	wait_for 100 test -e new.img
	kill -s "$signal" "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -gt 128 ] || fail "status $status after $signal"
	[ ! -e new.img ] || fail "a half container is left after $signal"
done
