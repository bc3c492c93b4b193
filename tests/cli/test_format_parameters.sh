# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# A wrong command line: one line that says what, status 1, and no file.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

printf pw >key
wrong() {
	local text=$1

	shift
	expect 1 "$VCRYPT" format --key-file key "$@"
	says "$text"
	[ "$(wc -l <err)" -eq 1 ] || fail "more than one line: $(cat err)"
	[ ! -e x.img ] || fail "a file was made"
}

wrong '--size: ten is not a size' --size ten x.img
wrong '--size: 10X is not a size' --size 10X x.img
wrong '--size: -1 is not a size' --size=-1 x.img
wrong '--size: 0 is not possible' --size 0 x.img
wrong '--size: 9999999T is too large' --size 9999999T x.img
wrong '--size: needs a value' x.img --size
wrong '--size: given more than once' --size 20M --size 20M x.img
wrong '--batch-mode: given more than once' --batch-mode --batch-mode x.img
wrong '--batch-mode: takes no value' --batch-mode=yes x.img
wrong '--sise: unknown option' --sise 20M x.img
wrong '-s: unknown option' -s 20M x.img
wrong 'one IMAGE is needed' --size 20M
wrong 'one IMAGE is needed' --size 20M x.img y.img
wrong 'too few: the data start at byte 1048576' --size 1M x.img
wrong 'sector size of 513 is not possible' --size 20M --sector-size 513 x.img
wrong 'not a multiple of the sector size 4096' --size 20000001 \
	--sector-size 4096 x.img
wrong 'not a multiple of the sector size 512' --size 20000001 x.img
wrong 'key of 128 bits is not possible' --size 20M --key-size 128 x.img
wrong '257 is not 256 or 512' --size 20M --key-size 257 x.img
wrong 'cipher serpent-xts-plain64 is unknown' --size 20M \
	--cipher serpent-xts-plain64 x.img
wrong 'key derivation scrypt is unknown' --size 20M --pbkdf scrypt x.img
wrong 'is not a UUID' --size 20M --uuid 1234 x.img
wrong 'label is longer' --size 20M --label "$(printf '%48d' 0)" x.img
wrong '31 KiB of memory' --size 20M --pbkdf-memory 31 x.img
wrong '9 threads' --size 20M --pbkdf-parallel 9 x.img
wrong '1 iterations are not possible' --size 20M --pbkdf-force-iterations 1 \
	x.img
