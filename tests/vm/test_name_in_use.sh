#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A name or an image that is in use is refused with status 5, and what is in
# use goes on.

. "$(dirname "$0")/functions.sh"

vc_format one.img
vc_format two.img
vc_attach one.img vdc0
printf %s "$passphrase" >key
expect 5 "$VCRYPT" open --key-file key two.img vdc0
says "vdc0: is open already"
expect 5 "$VCRYPT" open --key-file key one.img vdc1
says "one.img: is open already"
for name in a/b .. . control "" -x "$(printf 'x%.0s' {1..64})" 'a b'; do
	expect 1 "$VCRYPT" open --key-file key -- two.img "$name"
done
dd if="$dev" of=/dev/null bs=1M count=1 iflag=direct status=none
vc_close vdc0
expect 4 "$VCRYPT" close vdc0
says "vdc0: is not open"
expect 4 "$VCRYPT" status vdc0
says "vdc0: is not open"
