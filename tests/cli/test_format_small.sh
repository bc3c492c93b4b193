# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Small containers have small headers, which cryptsetup reads.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cryptsetup

# offset IMAGE BYTES: where its data start.
offset() {
	cryptsetup luksDump "$1" | matches "offset: $2 \[bytes\]" ||
		fail "$(cryptsetup luksDump "$1")"
	printf %s "$passphrase" |
		cryptsetup open --test-passphrase --key-file - "$1"
	[ "$(stat -c %s "$1")" -eq "$3" ] || fail "$1 is of another size"
}

vc_format small.img --size 10M
offset small.img $((2 << 20)) $((10 << 20))
vc_format smallest.img --size 1025K
offset smallest.img $((1 << 20)) $((1025 << 10))
vc_format large.img --size 64M
offset large.img $((16 << 20)) $((64 << 20))
truncate -s 5M old.img
vc_format old.img --preallocate
offset old.img $((1 << 20)) $((5 << 20))
chmod 777 .
chmod 666 small.img
serve small.img --socket small.sock
