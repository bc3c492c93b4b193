# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A LUKS1 header is repaired to the very bytes that cryptsetup repair makes of
# it, and what it cannot repair is refused and stays as it is.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cmp cryptsetup
hostile=${O:-build}/tests/cli/hostile_header

printf %s "$passphrase" >pass
printf second >second
truncate -s 3M good.img
cryptsetup luksFormat -q --type luks1 -c aes-xts-plain64 -s 512 \
	--pbkdf-force-iterations 1000 --key-file pass good.img
cryptsetup luksAddKey -q --pbkdf-force-iterations 1000 --key-file pass \
	--key-slot 5 good.img second

# poke [OFFSET BYTES]...: into a.img, a fresh copy, and before.img.
poke() {
	cp good.img a.img
	while [ $# -gt 0 ]; do
		printf '%b' "$2" |
			dd of=a.img bs=1 seek="$1" conv=notrunc status=none
		shift 2
	done
	cp a.img before.img
}

# Where key slot N of the header has its parts: figure 2 of the specification.
state() { echo $((208 + 48 * $1)); }
salt() { echo $((216 + 48 * $1)); }
offset() { echo $((248 + 48 * $1)); }
stripes() { echo $((252 + 48 * $1)); }

# repaired EXPECTED PATTERN [OPTION...]: says so, and it is that file then.
repaired() {
	expect 0 "$VCRYPT" header repair "${@:3}" a.img
	grep -q "^a.img: $2\$" out || fail "$(cat out)"
	[ ! -s err ] || fail "$(cat err)"
	cmp a.img "$1"
	"$VCRYPT" header repair a.img | matches '^a.img: nothing to repair$'
}

# What cryptsetup makes of a.img, which takes it a second, is theirs.img.
ask_cryptsetup() {
	cp a.img theirs.img
	cryptsetup repair -q theirs.img >/dev/null 2>&1
}

# refused PATTERN
refused() {
	expect 4 "$VCRYPT" header repair a.img
	says "^vcrypt: a.img: $1"
	[ "$(wc -l <err)" -eq 1 ] || fail "$(cat err)"
	cmp a.img before.img
}

poke
expect 0 "$VCRYPT" header repair a.img
grep -q 'nothing to repair' out
cmp a.img good.img

# A disk's signature where key slot 4 has its offset; a partition table.
poke "$(offset 4)" '\x12\x34\x56\x78'
expect 4 "$VCRYPT" dump a.img
says 'vcrypt header repair may help'
repaired good.img 'put in order and free now: key slot 4'
poke "$(salt 6)" '\x80\1\1\0\x83\xfe\xff\xff\0\x8\0\0\0\x8\0\0' \
	510 '\x55\xaa' "$(stripes 6)" '\0\0\0\1' "$(stripes 3)" '\xff\xff\xff\xff'
ask_cryptsetup
repaired theirs.img 'put in order and free now: key slot 3, 6'
cmp a.img good.img
for file in pass second; do
	cryptsetup luksOpen --test-passphrase --key-file $file a.img
	opens a.img --key-file $file
done
poke "$(offset 7)" '\xff\xff\xff\xff' 72 SHA256
repaired good.img 'put in order and free now: key slot 7'
poke 72 Sha256
repaired good.img 'the name of the hash is in small letters now'

# A slot that may have been in use is given up only after a question.
poke "$(state 5)" '\0\xac\x71\xf2' "$(stripes 5)" '\0\0\0\1'
ask_cryptsetup
expect 1 "$VCRYPT" header repair a.img </dev/null
says 'no terminal to ask'
cmp a.img before.img
if on_terminal no "$VCRYPT" header repair a.img; then
	fail "repaired without YES"
fi
grep -q 'told whether key slot 5 of a.img was in use' screen
cmp a.img before.img
repaired theirs.img 'put in order and free now: key slot 5' --batch-mode
opens a.img --key-file pass
cp before.img a.img
on_terminal YES "$VCRYPT" header repair a.img
cmp a.img theirs.img

# One whose state alone is spoiled is left as it is, but not without a word.
poke "$(state 0)" '\0\xac\x71\xf2'
expect 0 "$VCRYPT" header repair a.img
says 'a.img: key slot 0 is neither in use nor free, which cannot be repaired'
grep -q 'nothing to repair' out
cmp a.img before.img

# With a detached header; without a key slot that is left.
cp good.img header
printf '\0\0\0\0' | dd of=header bs=1 seek=104 conv=notrunc status=none
cp header good.header
printf '\0\0\0\7' |
	dd of=header bs=1 seek="$(offset 1)" conv=notrunc status=none
truncate -s 1M data.img
expect 0 "$VCRYPT" header repair --header header data.img
grep -q '^header: put in order and free now: key slot 1$' out
cmp header good.header
poke
"$VCRYPT" erase --batch-mode a.img >/dev/null
cp a.img erased.img
printf '\7' | dd of=a.img bs=1 seek="$(offset 1)" conv=notrunc status=none
repaired erased.img 'put in order and free now: key slot 1'

# Beyond repair: slots in use, and what is not known to be right.
poke "$(stripes 5)" '\0\0\0\1'
refused 'the LUKS1 header cannot be repaired: LUKS keyslot 5 is invalid.*restore'
poke "$(offset 0)" '\xff\xff\xff\xff'
refused 'the LUKS1 header cannot be repaired: LUKS keyslot 0 is invalid'
poke "$(offset 1)" '\7' 168 'no UUID, of which nothing is to be made..'
refused 'the LUKS1 header cannot be repaired: Wrong LUKS UUID'
poke "$(offset 1)" '\7' 164 '\0\0\0\0'
refused 'the digest does not ask for'
truncate -s 1M a.img
cp a.img before.img
refused '.*'
head -c 500 good.img >a.img
cp a.img before.img
refused '.*truncated'

# Whatever else is wrong: what cryptsetup makes of it, or nothing.
while IFS= read -r name; do
	cp good.img a.img
	"$hostile" "$name" a.img
	cp a.img before.img
	cp a.img theirs.img
	status=0
	"$VCRYPT" header repair --batch-mode a.img >out 2>err || status=$?
	case $status in
	0)
		cryptsetup repair -q theirs.img >/dev/null 2>&1 ||
			fail "$name: cryptsetup cannot repair it"
		cmp a.img theirs.img || fail "$name"
		;;
	4)
		says '^vcrypt: a.img: ' || fail "$name"
		[ "$(wc -l <err)" -eq 1 ] || fail "$name: $(cat err)"
		cmp a.img before.img || fail "$name: changed"
		;;
	*) fail "$name: status $status $(cat err)" ;;
	esac
done < <("$hostile" 1 refused | awk 'NR % 2')
