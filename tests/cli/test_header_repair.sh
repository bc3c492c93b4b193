# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The damaged one of two headers is written anew, and nothing else.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cmp cryptsetup
vc_format a.img
"$VCRYPT" header repair a.img | grep -q 'nothing to repair'
cp --sparse=always a.img whole

damage() {
	printf damaged | dd of=a.img bs=1 seek="$1" conv=notrunc status=none
}

damage 5000
"$VCRYPT" header repair a.img | grep -q 'the first header was written anew'
printf %s "$passphrase" | cryptsetup luksOpen --test-passphrase --key-file - a.img
"$VCRYPT" check a.img
cmp -i 32768 a.img whole

damage 20484
expect 4 "$VCRYPT" check a.img
grep -q '^bad *second header *is damaged' out
"$VCRYPT" header repair a.img | grep -q 'the second header was written anew'
"$VCRYPT" check a.img

damage 5000
damage 20484
expect 4 "$VCRYPT" header repair a.img
says 'both LUKS2 headers are damaged'
"$VCRYPT" dump whole >/dev/null

# LUKS1 has one header, and cryptsetup knows what can be guessed of it.
truncate -s 4M one.img
printf %s "$passphrase" | cryptsetup luksFormat -q --type luks1 \
	--pbkdf-force-iterations 1000 --key-file - one.img
"$VCRYPT" header repair one.img | grep -q 'nothing to repair'
printf '\0\0\0\1' | dd of=one.img bs=1 seek=252 conv=notrunc status=none
cp one.img one.damaged
expect 4 "$VCRYPT" header repair one.img
says 'one.img: the LUKS1 header cannot be read: .*cryptsetup repair may help'
cmp one.img one.damaged
