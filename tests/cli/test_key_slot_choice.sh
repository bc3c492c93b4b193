# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Which key slots are tried: by their priority, or the one of --key-slot, as
# cryptsetup does.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

printf %s "$passphrase" >key
vc_format a.img --size 20M
cryptsetup luksAddKey -q "${fast_pbkdf[@]}" -S 5 -d key a.img key
serve=("$VCRYPT" serve --socket socket a.img --key-file key)
dump=("$VCRYPT" dump --dump-volume-key --batch-mode --key-file key a.img)

# first SLOT OPTION...: both open this one of those with the passphrase.
first() {
	cryptsetup open --test-passphrase -v -d key a.img "${@:2}" |
		matches "^Key slot $1 unlocked" || fail "cryptsetup: not slot $1"
	"$VCRYPT" key change --key-file key --new-key-file key \
		"${fast_pbkdf[@]}" a.img "${@:2}" | matches "key slot $1\$" ||
		fail "vcrypt: not slot $1"
}

first 0
first 5 --key-slot 5
expect 0 "$VCRYPT" config --priority prefer --key-slot 5 a.img
first 5
expect 0 "$VCRYPT" config --priority ignore --key-slot 5 a.img
first 0
first 5 --key-slot 5

expect 0 "$VCRYPT" config --priority ignore --key-slot 0 a.img
expect 1 cryptsetup open --test-passphrase -d key a.img
expect 2 "${serve[@]}"
says 'a.img: no key slot opens .* with priority ignore are tried only with'
expect 2 "${dump[@]}"
[ ! -s out ] || fail "the volume key of an ignored slot"
opens a.img --key-file key --key-slot 5
expect 0 "${dump[@]}" --key-slot 0
mv out volume-key
expect 0 "${dump[@]}" --key-slot 5
cmp out volume-key

# One that is named and is the wrong one, is empty or is none.
printf other >other
cryptsetup luksAddKey -q "${fast_pbkdf[@]}" -S 5 -d key \
	--new-key-slot 7 a.img other
expect 2 "${serve[@]}" --key-slot 7
says 'a.img: key slot 7 does not open with this passphrase'
expect 4 "${serve[@]}" --key-slot 8
says 'a.img: key slot 8 holds no key'
expect 1 "${serve[@]}" --key-slot 32
says 'key-slot: 32 is not a key slot'
expect 1 "$VCRYPT" open a.img name --key-slot=-1
says 'key-slot: -1 is not a key slot'
expect 1 "${dump[@]}" --key-slot x
says 'key-slot: x is not a key slot'

# Where no key slot can be meant.
expect 1 "$VCRYPT" dump --key-slot 5 a.img
says 'key-slot.* are for --dump-volume-key'
expect 1 "${serve[@]}" --type plain --cipher aes-xts-plain64 --key-size 256 \
	--key-slot 5
says 'no --key-slot'
