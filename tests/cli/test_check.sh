# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# check tells what is wrong with a container and with what holds it.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires jq
vc_format good.img --size 20M

# sick PATTERN: a.img is not in order, in words and in JSON.
sick() {
	expect 4 "$VCRYPT" check a.img
	grep -qE "$1" out || { cat out; fail "check does not say: $1"; }
	grep -q '^a.img: not in order$' out
	expect 4 "$VCRYPT" check --json a.img
	jq -e '.healthy == false and any(.findings[]; .state == "bad")' out
	cp --sparse=always good.img a.img
}

cp --sparse=always good.img a.img
"$VCRYPT" check a.img >out
grep -q '^ok    first header   sound, sequence number' out
grep -q '^ok    data           16777216 bytes from byte 4194304 on' out
grep -q '^a.img: in order$' out
"$VCRYPT" check --json a.img >out
jq -e '.image == "a.img" and .healthy and (.findings | length) >= 5 and
	all(.findings[]; .state == "ok" and .what != "" and .text != "")' out

printf damaged | dd of=a.img bs=1 seek=5000 conv=notrunc status=none
sick '^bad   first header   is damaged'
printf damaged | dd of=a.img bs=1 seek=0 conv=notrunc status=none
sick '^bad   first header   is not there'
printf damaged | dd of=a.img bs=1 seek=21000 conv=notrunc status=none
sick '^bad   second header  is damaged'
cryptsetup config --label new a.img
dd if=good.img of=a.img bs=16K count=1 skip=1 seek=1 conv=notrunc status=none
sick '^bad   second header  is older than the other: sequence number'
truncate -s 4M a.img
sick '^bad   container      the image is truncated'
truncate -s 3M a.img
sick '^bad   container      the image is truncated'
truncate -s 0 a.img
sick '^bad   container      not a LUKS container: empty'
cryptsetup erase -q a.img
sick '^bad   container      no key slot is left'
truncate -s $(((20 << 20) + 512)) a.img
sick '^bad   container      the data area of .* not a multiple'

expect 4 "$VCRYPT" check nowhere
says 'nowhere: No such file'
expect 4 "$VCRYPT" check .
says 'a directory'

# Holes are in order, if they can be filled.
truncate -s 4P a.img 2>/dev/null || truncate -s 8T a.img
"$VCRYPT" check a.img >out
grep -q '^note  image          has holes of .*: writing may fail' out

# It is looked at, and not touched.
cp --sparse=always good.img a.img
printf damaged | dd of=a.img bs=1 seek=5000 conv=notrunc status=none
before=$(sha256sum a.img)
"$VCRYPT" check a.img >/dev/null || true
[ "$before" = "$(sha256sum a.img)" ] || fail "check wrote to the image"
