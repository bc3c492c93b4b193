# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A plain image becomes a container that holds the same, for cryptsetup too:
# sparse, of odd size, with every option; under another name or its own.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

# Nothing of it needs a privilege.
if [ "${#as_user[@]}" -gt 0 ]; then
	chown 65534:65534 .
	under=("${as_user[@]}")
fi
head -c 3000000 /dev/urandom >a.img
truncate -s 5M a.img
head -c 1000 /dev/urandom >>a.img
truncate -s 6M a.img
chmod 640 a.img
cp --sparse=always a.img a.copy
[ "${#under[@]}" -eq 0 ] || chown 65534:65534 a.img

# A name of its own; the image stays as it was, and its rights are kept.
expect 0 vc_encrypt a.img --label words
says 'a.img.luks.part: takes [0-9]* MiB more \(the image has [0-9]* MiB'
[ ! -s out ] || fail "something on standard output"
cmp a.img a.copy
holds a.img.luks a.img
[ "$(stat -c %s a.img.luks)" -eq $((22 << 20)) ] || fail "another size"
[ "$(stat -c %a a.img.luks)" = 640 ] || fail "the rights are not the image's"
[ ! -e a.img.luks.part ] || fail "the unfinished container is left"
cryptsetup luksDump a.img.luks >dump
grep -q '^Label:.*words$' dump
grep -q 'sector: 4096 \[bytes\]' dump
printf %s "$passphrase" |
	cryptsetup open --test-passphrase --key-file - a.img.luks

# All of it is data now: a hole would read as noise.
[ "$(stat -c %b a.img.luks)" -ge $(((6 << 20) / 512)) ] ||
	fail "the container has holes"

# It is not done twice, and nothing is overwritten.
expect 5 vc_encrypt a.img
says 'a.img.luks: exists \(remove it, or give another name with --output\)'
expect 4 vc_encrypt a.img.luks
says 'a.img.luks: is a LUKS container, no plain disk image$'

# An odd size: zeroes fill the last sector.
head -c 1049077 /dev/urandom >odd.img
expect 0 vc_encrypt odd.img --output odd.luks
says 'odd.img: is no multiple of a sector: 11 zero bytes will follow'
[ "$(stat -c %s odd.luks)" -eq $(((16 << 20) + 1049088)) ]
holds odd.luks odd.img
expect 0 vc_encrypt odd.img --output big.luks --sector-size 4096 \
	--cipher aes-xts-plain --key-size 256 --progress json
grep -q '"job":"encrypt"' out
grep -q '"job":"verify","done":1052672,"total":1052672' out
says 'odd.img: is no multiple of a sector: 3595 zero bytes will follow'
holds big.luks odd.img
cryptsetup luksDump big.luks >dump
grep -q 'cipher: aes-xts-plain$' dump

# In its place, through a symbolic link as well.
mkdir place
chown --reference=. place
mv a.img place/
ln -s place/a.img link
expect 0 vc_encrypt --replace link
says 'place/a.img: is encrypted now; the plain data are not wiped'
[ "$(readlink link)" = place/a.img ] || fail "the link was replaced"
[ "$(ls place)" = a.img ] || fail "left: $(ls place)"
holds place/a.img a.copy
expect 4 vc_encrypt --replace link
says 'link: is a LUKS container'
