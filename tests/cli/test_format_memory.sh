# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# More memory than there is is refused before anything happens.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

printf pw >key
# Nobody has 4 TiB, and no option may be that large.
expect 1 "$VCRYPT" format --key-file key --size 20M --pbkdf-memory 4294967295 \
	x.img
says 'KiB of memory for key derivation is not possible'
[ ! -e x.img ] || fail "a file was made"

# What is allowed, but cannot be had: only on a machine that small.
total=$(awk '/^(MemTotal|SwapTotal):/ { n += $2 } END { print n }' \
	/proc/meminfo)
if [ "$total" -lt 4194304 ]; then
	expect 3 "$VCRYPT" format --key-file key --size 20M \
		--pbkdf-memory 4194304 x.img
	says 'cannot be had'
	[ ! -e x.img ] || fail "a file was made"
fi
