#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A block device instead of a file: its key slots and its header are changed,
# saved and shown, and cryptsetup agrees; nothing of it while it is open.

. "$(dirname "$0")/functions.sh"
requires cryptsetup

# opens KEY, closed KEY: says cryptsetup.
opens() {
	cryptsetup open --test-passphrase --key-file "$1" "$loop" ||
		fail "$1 does not open"
}

closed() {
	expect 2 cryptsetup open --test-passphrase --key-file "$1" "$loop"
}

# With the header that everybody gets.
vc_header=()
truncate -s 32M disk
loop=$(losetup -f --show disk)
cleanup losetup -d "$loop"
printf %s "$passphrase" >first
printf second >second
printf third >third
vc_format "$loop"

"$VCRYPT" key add --key-file first --new-key-file second "${fast_pbkdf[@]}" \
	"$loop"
opens first
opens second
"$VCRYPT" key change --key-file second --new-key-file third \
	"${fast_pbkdf[@]}" "$loop"
opens third
closed second
"$VCRYPT" key list "$loop" >list
[ "$(grep -c '^ *[01]  data ' list)" -eq 2 ] || { cat list; fail "not two slots"; }

prints '^Served by vcrypt: yes' "$VCRYPT" dump "$loop"
prints '"keyslots"' "$VCRYPT" dump --json "$loop"
"$VCRYPT" check "$loop" >check.out || { cat check.out; fail check; }
"$VCRYPT" header backup "$loop" ours.bak
cryptsetup luksHeaderBackup "$loop" --header-backup-file theirs.bak
cmp ours.bak theirs.bak

# The data are not touched by all that.
vc_attach "$loop" vdc0
head -c 1M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
expect 5 "$VCRYPT" key add --key-file first --new-key-file second \
	"${fast_pbkdf[@]}" "$loop"
says "open already"
expect 5 "$VCRYPT" header restore --batch-mode "$loop" ours.bak
says "open already"
vc_close vdc0
"$VCRYPT" key remove --key-file third "$loop"
closed third
opens first
dd if=/dev/zero of="$loop" bs=1M count=1 conv=fsync status=none
expect 4 "$VCRYPT" open --key-file first "$loop" vdc0
"$VCRYPT" header restore --batch-mode --force "$loop" theirs.bak
opens third
vc_attach "$loop" vdc0
cmp -n 1048576 data "$dev" || fail "the data differ"
vc_close vdc0
cryptsetup luksHeaderRestore -q "$loop" --header-backup-file ours.bak
"$VCRYPT" erase --batch-mode "$loop"
! cryptsetup open --test-passphrase --key-file first "$loop" 2>/dev/null ||
	fail "it opens after erase"
