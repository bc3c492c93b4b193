# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# "key test" and "cryptsetup open --test-passphrase" say the same of the same
# bytes, for each way in which they can be given.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

printf pw >key
vc_format a.img --size 20M
printf %s "$passphrase" |
	cryptsetup luksAddKey -q "${fast_pbkdf[@]}" -S 3 -d - a.img key
sum=$(sha256sum a.img)

# same BYTES OPTION...: both find the same key slot, or end with the same status.
same() {
	local theirs=0 ours=0

	printf %b "$1" | cryptsetup open --test-passphrase -v a.img "${@:2}" \
		>their.out 2>/dev/null || theirs=$?
	printf %b "$1" | "$VCRYPT" key test a.img "${@:2}" >our.out 2>err ||
		ours=$?
	[ "$ours" -eq "$theirs" ] || fail "$1 $*: $ours, cryptsetup: $theirs"
	if [ "$ours" -eq 0 ]; then
		[ "$(sed -n 's/^Key slot \(.*\) unlocked.*/\1/p' their.out)" = \
			"$(sed -n 's/^a.img: key slot \(.*\) opens$/\1/p' \
				our.out)" ] || fail "$1: another slot"
		opened=$((opened + 1))
	fi
}

opened=0
for bytes in pw 'pw\n' 'pw\nmore\n' '\n' '\npw' 'pw\r\n' 'pw\0x' correct; do
	same "$bytes"
	same "$bytes" --key-file -
done
[ "$opened" -eq 4 ] || fail "$opened of them opened"
same ''
same 'xpw\n' --key-file - --keyfile-offset 1 --keyfile-size 2
same pw --key-slot 3
same pw --key-slot 0
same "$passphrase" --key-file -
[ "$opened" -eq 7 ] || fail "$opened of them opened"

# Also those of an empty passphrase, of a detached header, of LUKS1.
truncate -s 20M empty.img one.img
printf '\n' | cryptsetup luksFormat -q "${fast_pbkdf[@]}" empty.img
printf '\n' | "$VCRYPT" key test empty.img | matches 'key slot 0 opens'
cryptsetup luksFormat -q --type luks1 --iter-time 1 one.img key
expect 0 "$VCRYPT" key test one.img --key-file key
vc_format data.img --size 5M --header data.hdr
printf %s "$passphrase" |
	"$VCRYPT" key test data.img --header data.hdr >/dev/null

# Nothing is changed; it needs to be read only, and may be open.
[ "$(sha256sum a.img)" = "$sum" ] || fail "the image was changed"
chmod 777 .
chmod 666 a.img
serve a.img --socket socket
expect 0 "$VCRYPT" key test --key-file key a.img
chmod 444 a.img key
expect 2 "${as_user[@]}" "$VCRYPT" key test --key-file - a.img \
	< <(printf no)
says 'a.img: no key slot opens with this passphrase'

# Three tries at a terminal.
on_terminal $'one\npw' "$VCRYPT" key test a.img
grep -q 'key slot 3 opens' screen
status=0
on_terminal $'one\ntwo\nthree' "$VCRYPT" key test a.img || status=$?
[ "$status" -eq 2 ] || fail "status $status"

expect 4 "$VCRYPT" key test --key-file key key
says 'key: not a LUKS container'
expect 1 "$VCRYPT" key test --key-file key --key-slot 32 a.img
says 'key-slot: 32 is not a key slot'
