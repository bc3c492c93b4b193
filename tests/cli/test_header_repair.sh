# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The damaged one of two headers is written anew, and nothing else.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cmp cryptsetup
vc_format a.img
"$VCRYPT" header repair a.img | matches 'nothing to repair'
cp --sparse=always a.img whole

damage() {
	printf damaged | dd of=a.img bs=1 seek="$1" conv=notrunc status=none
}

damage 5000
"$VCRYPT" header repair a.img | matches 'the first header was written anew'
printf %s "$passphrase" | cryptsetup luksOpen --test-passphrase --key-file - a.img
"$VCRYPT" check a.img
cmp -i 32768 a.img whole

damage 20484
expect 4 "$VCRYPT" check a.img
grep -q '^bad *second header *is damaged' out
"$VCRYPT" header repair a.img | matches 'the second header was written anew'
"$VCRYPT" check a.img

damage 5000
damage 20484
expect 4 "$VCRYPT" header repair a.img
says 'both LUKS2 headers are damaged'
"$VCRYPT" dump whole >/dev/null
