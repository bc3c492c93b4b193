# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A header is put back after a question, and one of another container only
# with more than that.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cmp
vc_format a.img
"$VCRYPT" header backup a.img a.bak
vc_format b.img --sector-size 512
cp --sparse=always b.img before

expect 4 "$VCRYPT" header restore --batch-mode b.img a.bak
says 'UUID [-0-9a-f]*, not [-0-9a-f]*; another volume key; sectors of 4096'
says '\(--force\)'
cmp b.img before
expect 1 "$VCRYPT" header restore b.img a.bak </dev/null
says 'no terminal to ask'
if on_terminal no "$VCRYPT" header restore b.img a.bak; then
	fail "restored after a no"
fi
grep -q 'WARNING: it is not known to be of this container: UUID' screen
cmp b.img before
on_terminal YES "$VCRYPT" header restore b.img a.bak
"$VCRYPT" dump b.img | matches "$(cryptsetup luksUUID a.img)"
cp --sparse=always before b.img
"$VCRYPT" header restore --batch-mode --force b.img a.bak
[ "$(cryptsetup luksUUID a.img)" = "$(cryptsetup luksUUID b.img)" ]

# The same container after the volume key has changed.
vc_format c.img --uuid "$(cryptsetup luksUUID a.img)"
expect 4 "$VCRYPT" header restore --batch-mode c.img a.bak
says 'this container: another volume key \('

# No header at all.
truncate -s 64M zeroes
expect 4 "$VCRYPT" header restore --batch-mode zeroes a.bak
says 'no header that can be read'

# Not while it is open.
chmod 777 .
chmod 666 a.img
serve a.img --socket a.sock
expect 5 "$VCRYPT" header restore --batch-mode a.img a.bak
says 'a.img: is open already'
expect 5 "$VCRYPT" erase --batch-mode a.img
expect 5 "$VCRYPT" header repair a.img
"$VCRYPT" header backup a.img again.bak
cmp a.bak again.bak
