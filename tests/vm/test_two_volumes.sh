#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Two containers at once are two disks with their own data and names.

. "$(dirname "$0")/functions.sh"

vc_format one.img
vc_format two.img --sector-size 512
vc_attach one.img first
one=$dev
vc_attach two.img second.volume-with_long.name
two=$dev
[ "$one" != "$two" ] || fail "the same device"
[ "$(cat "/sys/block/${one#/dev/}/serial")" = first ] || fail "serial"
[ "$(cat "/sys/block/${two#/dev/}/serial")" = second.volume-with_l ] ||
	fail "serial: $(cat "/sys/block/${two#/dev/}/serial")"
head -c 4M /dev/urandom >data1
head -c 4M /dev/urandom >data2
dd if=data1 of="$one" bs=64k oflag=direct conv=fsync status=none &
dd if=data2 of="$two" bs=64k oflag=direct conv=fsync status=none
wait $!
cmp -n 4194304 data1 "$one"
cmp -n 4194304 data2 "$two"
prints "^first *$one *active .*one.img" "$VCRYPT" list || fail "list"
prints '"second.volume-with_long.name"' "$VCRYPT" list --json || fail "json"
vc_close first
cmp -n 4194304 data2 "$two"
vc_close second.volume-with_long.name
[ -z "$("$VCRYPT" list)" ] || fail "list is not empty"
