# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A disk that gets full in the middle of a command: one line that says so, exit
# code 4, what was there is still there, and no half file is left. encrypt has
# test_encrypt_disk_full.sh, key add and change test_key_full_disk.sh.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

mkdir full
printf %s "$passphrase" >key
vc_format good.img --size 20M
printf other >key2
truncate -s 20M two.img
cryptsetup luksFormat -q "${fast_pbkdf[@]}" two.img key
# A backup with a key slot more, and another one where the first one is.
cp two.img more.img
add=(cryptsetup luksAddKey -q "${fast_pbkdf[@]}")
"${add[@]}" --key-file key more.img key2
cryptsetup luksKillSlot -q more.img 0
"${add[@]}" --key-file key2 --key-slot 0 more.img key
cryptsetup luksHeaderBackup more.img --header-backup-file two.bak
truncate -s 6M one.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 one.img key

cat >in_namespace <<'INNER'
. "$1"
mount -t tmpfs -o size=48M none full || exit 99
format=("$VCRYPT" format --batch-mode --key-file key "${fast_pbkdf[@]}")

# no_room PATTERN COMMAND...
no_room() {
	expect 4 "${@:2}"
	says "^vcrypt: full/.*$1.*No space left on device"
	[ "$(wc -l <err)" -eq 1 ] || fail "${*:2}: $(cat err)"
}

nothing_left() {
	wait_for 100 given_back full
	[ -z "$(ls -A full)" ] || fail "left: $(ls -A full)"
}

# fill: all but what is there already.
fill() {
	wait_for 100 given_back full
	head -c 64M /dev/zero >full/rest 2>/dev/null || true
}

opens_with_key() {
	cryptsetup open --test-passphrase --key-file key "$1"
}

# format: new images, with the header inside and beside.
no_room 'no room for 62914560 bytes' "${format[@]}" --size 60M --preallocate \
	full/a.img
nothing_left
no_room 'a.img: data area: cannot be written at byte' "${format[@]}" \
	--size 60M --wipe full/a.img
nothing_left
no_room 'a.img' "${format[@]}" --size 60M --wipe --header full/a.hdr \
	full/a.img
nothing_left
no_room 'a.img' "${format[@]}" --size 60M --wipe --progress json full/a.img
nothing_left

# format of an image that is there: as it was, or a container.
printf precious >full/a.img
truncate -s 60M full/a.img
no_room 'no room for 62914560 bytes' "${format[@]}" --preallocate full/a.img
[ "$(head -c 8 full/a.img)" = precious ] || fail "overwritten for nothing"
no_room 'not wiped to its end: .*' "${format[@]}" --wipe full/a.img
opens_with_key full/a.img
rm full/a.img
wait_for 100 given_back full

# What goes to a new file.
fill
no_room 'a.bak' "$VCRYPT" header backup good.img full/a.bak
no_room 'a.key' "$VCRYPT" dump --dump-volume-key --batch-mode --key-file key \
	--volume-key-file full/a.key good.img
rm full/rest
nothing_left
cp one.img full/
fill
cp one.img before
no_room 'a.bak' "$VCRYPT" convert --batch-mode --type luks2 \
	--backup full/a.bak full/one.img
cmp full/one.img before
rm full/rest
[ "$(ls full)" = one.img ] || fail "left: $(ls full)"
rm full/one.img

# holes_behind BYTE: to the data; and the disk is full.
holes_behind() {
	fallocate --punch-hole --offset "$1" \
		--length $(((16 << 20) - $1)) full/two.img
	fill
}

# Behind the first key slot there are holes: what needs none of them goes on.
cp two.img two.bak full/
holes_behind 294912
expect 0 "$VCRYPT" config --persistent allow-discards full/two.img
expect 0 "$VCRYPT" config --priority ignore --key-slot 0 full/two.img
expect 0 "$VCRYPT" config --priority normal --key-slot 0 full/two.img
printf damaged | dd of=full/two.img bs=1 seek=5000 conv=notrunc status=none
expect 0 "$VCRYPT" header repair full/two.img
opens_with_key full/two.img

# Where there is no room for all of a backup, nothing of it is written.
cp full/two.img before
no_room 'two.img' "$VCRYPT" header restore --batch-mode full/two.img \
	full/two.bak
cmp full/two.img before
opens_with_key full/two.img
rm full/rest
expect 0 "$VCRYPT" header restore --batch-mode full/two.img full/two.bak
opens_with_key full/two.img
holes_behind 552960
expect 0 "$VCRYPT" erase --batch-mode full/two.img
grep -q '2 key slots destroyed' out
INNER

in_mounts in_namespace
