# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# timeout: 600
#
# After erase no passphrase and no byte of a key slot is left, and the data
# are as they were.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cryptsetup cmp python3

# same_blocks A B START END: how many blocks of 64 bytes, but zeroes, that A
# has there B has still.
same_blocks() {
	python3 - "$@" <<'EOF'
import sys
a, b = (open(f, "rb").read() for f in sys.argv[1:3])
n = 0
for i in range(int(sys.argv[3]), int(sys.argv[4]), 64):
    n += a[i:i + 64] == b[i:i + 64] and any(a[i:i + 64])
print(n)
EOF
}

check() {
	local image=$1 start=$2 end=$3

	# A slot that has been removed leaves nothing behind either.
	cp "$image" before
	[ "$(same_blocks before before "$start" "$end")" -gt 4000 ]
	"$VCRYPT" erase --batch-mode "$image" >out
	grep -q '2 key slots destroyed' out
	[ "$(same_blocks before "$image" "$start" "$end")" -eq 0 ] ||
		fail "key material is left"
	cmp -i "$end" before "$image"
	if printf %s "$passphrase" |
		cryptsetup luksOpen --test-passphrase --key-file - "$image"; then
		fail "it opens"
	fi
	cryptsetup luksDump "$image" >luks
	! grep -qE '^ +[0-9]+: luks2|ENABLED' luks || fail "$(cat luks)"
	"$VCRYPT" erase --batch-mode "$image" | matches '0 key slots destroyed'
	expect 4 "$VCRYPT" serve "$image" --socket s --key-file /dev/null
	says 'no key slot is left'
}

printf %s "$passphrase" >pass
printf other >other
add=(cryptsetup luksAddKey -q --key-file pass --pbkdf pbkdf2
	--pbkdf-force-iterations 1000)
vc_format a.img --size 18M
"${add[@]}" a.img other
# Where a key was that cryptsetup has never wiped.
dd if=/dev/urandom of=a.img bs=1k seek=3000 count=100 conv=notrunc status=none
check a.img 32768 $((4 << 20))

truncate -s 4M one.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	--key-file pass one.img
"${add[@]}" one.img other
check one.img 4096 $((2 << 20))

vc_format b.img --size 18M
expect 1 "$VCRYPT" erase b.img </dev/null
says 'no terminal to ask'
if on_terminal yes "$VCRYPT" erase b.img; then
	fail "erased without YES"
fi
cryptsetup luksOpen --test-passphrase --key-file pass b.img
on_terminal YES "$VCRYPT" erase b.img
