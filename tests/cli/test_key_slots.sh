# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# The key slots of a container are added, changed, removed and listed, and
# cryptsetup agrees after every step; key slots that cryptsetup has made are
# changed just so.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup python3

for n in 0 1 2 3 4; do printf 'pass %s' "$n" >"key$n"; done

# opens IMAGE KEY SLOT: both programs open that slot with that key.
opens() {
	cryptsetup open --test-passphrase -v --key-file "$2" "$1" |
		matches "^Key slot $3 unlocked" || fail "cryptsetup: $2 of $1"
	expect 0 "$VCRYPT" key add --key-file "$2" --new-key-file key4 \
		--key-slot "$3" --new-key-slot 7 "${fast_pbkdf[@]}" "$1"
	expect 0 "$VCRYPT" key remove --batch-mode --key-slot 7 "$1"
}

# closed IMAGE KEY: neither does.
closed() {
	expect 2 cryptsetup open --test-passphrase --key-file "$2" "$1"
	expect 2 "$VCRYPT" key add --key-file "$2" --new-key-file key4 \
		"${fast_pbkdf[@]}" "$1"
	says 'no key slot opens with this passphrase'
}

# slots IMAGE: "SLOT:USE:PRIORITY" for each.
slots() {
	"$VCRYPT" key list --json "$1" | python3 -c '
import json, sys
for s in json.load(sys.stdin)["keyslots"]:
    print("%d:%s:%s" % (s["slot"], s["use"], s["priority"]))' | tr '\n' ' '
}

for type in luks2 luks1; do
	truncate -s 20M "$type.img"
	cryptsetup luksFormat -q --type "$type" "${fast_pbkdf[@]}" \
		"$type.img" key0
	expect 0 "$VCRYPT" key add --key-file key0 --new-key-file key1 \
		"${fast_pbkdf[@]}" "$type.img"
	grep -q 'key slot 1 added' out || fail "$(cat out)"
	expect 0 "$VCRYPT" key add --key-file key1 --new-key-file key2 \
		--new-key-slot 5 "${fast_pbkdf[@]}" "$type.img"
	opens "$type.img" key2 5
	expect 5 "$VCRYPT" key add --key-file key0 --new-key-file key3 \
		--new-key-slot 5 "${fast_pbkdf[@]}" "$type.img"
	says 'key slot 5 is taken'

	# LUKS1 cannot give a key slot another's number.
	changed=5
	[ "$type" = luks2 ] || changed=2
	expect 0 "$VCRYPT" key change --key-file key2 --new-key-file key3 \
		"${fast_pbkdf[@]}" "$type.img"
	grep -q "new passphrase is in key slot $changed" out ||
		fail "$(cat out)"
	opens "$type.img" key3 "$changed"
	closed "$type.img" key2

	expect 0 "$VCRYPT" key remove --key-file key3 "$type.img"
	closed "$type.img" key3
	[ "$(slots "$type.img")" = "0:data:normal 1:data:normal " ] ||
		fail "$(slots "$type.img")"
	cryptsetup luksKillSlot -q "$type.img" 1
	expect 1 "$VCRYPT" key remove --batch-mode --key-file key0 "$type.img"
	says 'key slot 0 is the last one'
	expect 1 "$VCRYPT" key remove --batch-mode --key-slot 0 "$type.img"
	opens "$type.img" key0 0
	expect 0 "$VCRYPT" key remove --batch-mode --force --key-slot 0 \
		"$type.img"
	[ -z "$(slots "$type.img")" ] || fail "$(slots "$type.img")"
	expect 4 "$VCRYPT" key add --key-file key0 --new-key-file key1 \
		"$type.img"
	says 'no key slot is left'
	for command in "key remove" "key test" "dump --dump-volume-key"; do
		[ "$command" = "key test" ] || command+=" --batch-mode"
		# shellcheck disable=SC2086 # several words
		expect 4 "$VCRYPT" $command --key-file key0 "$type.img"
		says "$type.img: no key slot is left"
	done
done

# By number: the passphrase is that of another slot.
vc_format two.img --size 20M
printf %s "$passphrase" >key
expect 0 "$VCRYPT" key add --key-file key --new-key-file key1 \
	"${fast_pbkdf[@]}" two.img
expect 2 "$VCRYPT" key remove --key-file key --key-slot 0 two.img
says 'no key slot opens'
expect 4 "$VCRYPT" key remove --key-file key --key-slot 9 two.img
says 'key slot 9 is empty'
expect 1 "$VCRYPT" key remove --key-file key --key-slot 32 two.img
says 'key-slot: 32 is not a key slot'

# An unbound key slot is seen, and never used.
cryptsetup luksAddKey -q --unbound --key-slot 3 --key-size 512 \
	"${fast_pbkdf[@]}" two.img key2
cryptsetup config --key-slot 1 --priority prefer two.img
[ "$(slots two.img)" = "0:data:normal 1:data:prefer 3:unbound:normal " ] ||
	fail "$(slots two.img)"
closed two.img key2
expect 2 "$VCRYPT" serve --key-file key2 --socket sock two.img
expect 0 "$VCRYPT" key remove --batch-mode --key-slot 3 two.img

# Priorities, both ways.
expect 0 "$VCRYPT" config --priority ignore --key-slot 1 two.img
cryptsetup luksDump two.img | matches 'Priority: *ignored' ||
	fail "$(cryptsetup luksDump two.img)"
expect 2 "$VCRYPT" key change --key-file key1 --new-key-file key2 \
	"${fast_pbkdf[@]}" two.img
expect 0 "$VCRYPT" key change --key-file key1 --new-key-file key2 \
	--key-slot 1 "${fast_pbkdf[@]}" two.img
[ "$(slots two.img)" = "0:data:normal 1:data:ignore " ] ||
	fail "$(slots two.img)"
expect 0 "$VCRYPT" config --priority normal --key-slot 1 two.img
expect 1 "$VCRYPT" config --priority normal two.img
says 'go together'
expect 4 "$VCRYPT" config --priority normal --key-slot 8 two.img
says 'key slot 8 is empty'

# Two lines of standard input are the two passphrases.
printf '%s\n%s\n' "$passphrase" "pass 4" |
	"$VCRYPT" key change "${fast_pbkdf[@]}" two.img
opens two.img key4 0
expect 1 "$VCRYPT" key add --key-file - --new-key-file - two.img <key4
says 'nothing is left for the new passphrase'

# On a terminal the last slot asks for YES.
expect 0 "$VCRYPT" key remove --batch-mode --key-slot 1 two.img
on_terminal NO "$VCRYPT" key remove --key-file key4 two.img &&
	fail "removed without YES"
opens two.img key4 0
on_terminal YES "$VCRYPT" key remove --key-file key4 two.img
[ -z "$(slots two.img)" ] || fail "$(slots two.img)"
