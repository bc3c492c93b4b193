# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# --wipe: all of the data area is ciphertext, and reads as zeroes.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup gzip

: >nothing

# wiped FILE OFFSET: it has no holes, and nothing in it could be compressed.
wiped() {
	local size packed

	size=$(stat -c %s "$1")
	[ "$(stat -c %b "$1")" -ge $((size / 512)) ] || fail "$1 has holes"
	packed=$(tail -c "+$(($2 + 1))" "$1" | gzip -1 | wc -c)
	[ "$packed" -ge $((size - $2)) ] || fail "$1: $packed bytes packed"
}

vc_format a.img --size 21M --wipe >out 2>err
[ ! -s out ] && [ ! -s err ] || fail "$(cat out err)"
wiped a.img $((16 << 20))
holds a.img nothing

# What was there before is gone; sectors and ciphers of every kind.
head -c 18M /dev/zero | tr '\0' x >b.img
vc_format b.img --wipe --sector-size 512 --cipher aes-xts-plain \
	--key-size 256 --progress json >out
wiped b.img $((16 << 20))
holds b.img nothing
tail -n 1 out | matches '{"job":"wipe","done":\([0-9]*\),"total":\1,' ||
	fail "$(cat out)"

# The passphrase is the container's, wherever the header is.
vc_format c.img --size 2M --wipe --header c.header
wiped c.img 0
printf %s "$passphrase" |
	cryptsetup open --test-passphrase --key-file - c.header

vc_format d.img --size 20M --preallocate --wipe --progress none
[ "$(stat -c %b d.img)" -ge $((20 << 11)) ] || fail "d.img has holes"
expect 1 "$VCRYPT" format --progress loud --size 20M e.img
says '--progress: "json" or "none", not "loud"'
[ ! -e e.img ] || fail "a file was made"
