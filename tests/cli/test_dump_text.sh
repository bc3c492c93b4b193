# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# The header in words: everything but a key.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

vc_format a.img --size 20M --label tag
expect 0 "$VCRYPT" dump a.img
for word in 'Version:[[:space:]]*2' 'Label:[[:space:]]*tag' 'cipher: aes-xts-plain64' \
	'sector: 4096' 'PBKDF:[[:space:]]*pbkdf2' 'Digests:' 'Served by vcrypt: yes'; do
	grep -qE "$word" out || { cat out; fail "no $word"; }
done

# A label cannot pretend to be another line.
requires cryptsetup
cryptsetup config --label $'x\nServed by vcrypt: no' \
	--subsystem $'y\nLabel: z' a.img
expect 0 "$VCRYPT" dump a.img
[ "$(grep -cE '^(Served by|Label:|Subsystem:)' out)" -eq 3 ] || fail "$(cat out)"
grep -q '^Label:.*x?Served by vcrypt: no$' out

# Bytes that are no text do not make JSON that is none, or talk to a terminal.
requires python3
name=$'b\xff"\xc2\x9b.img'
mv a.img "$name"
cryptsetup config --label $'gr\xfc\xc3\x9f\x9b' --subsystem '' "$name"
expect 0 "$VCRYPT" dump "$name"
grep -q $'^Label:.*gr?\xc3\x9f?$' out || fail "$(cat -v out)"
for command in dump check "key list"; do
	# shellcheck disable=SC2086 # "key list" is two words
	"$VCRYPT" $command --json "$name" | python3 -c '
import json, sys
it = json.loads(sys.stdin.buffer.read())
assert it.get("label", "gr?\u00df?") == "gr?\u00df?", it
assert it.get("image", "b?\"??.img") == "b?\"??.img", it'
done
mv "$name" a.img

expect 1 "$VCRYPT" dump
says 'one IMAGE is needed'
expect 1 "$VCRYPT" dump a.img b.img
says 'one IMAGE is needed'
expect 1 "$VCRYPT" dump --frob a.img
says '--frob: unknown option'
expect 1 "$VCRYPT" dump --json --json a.img
says '--json: given more than once'
"$VCRYPT" dump a.img >/dev/full 2>err && fail "a full disk went unnoticed"
says 'standard output: write error'
