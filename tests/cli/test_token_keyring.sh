# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Tokens that cryptsetup put into a header: the passphrase is in the kernel's
# keyring. Which tokens are tried, and what happens when none opens it.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup keyctl

# A keyring of its own, which ends with it.
if [ -z "${IN_SESSION-}" ]; then
	export IN_SESSION=1
	exec keyctl session - bash "${BASH_SOURCE[0]}" 2>/dev/null
fi

open_with() {
	opens a.img "$@" <&0
}

add_key() {
	printf %s "$2" | keyctl padd user "$1" @s >/dev/null
}

serve=("$VCRYPT" serve --socket socket a.img)
vc_format a.img --size 20M
printf %s "$passphrase" >key
expect 4 "${serve[@]}" --token-only
says 'a.img: no token opens a key slot'

cryptsetup token add --token-id 3 --key-description vcrypt:disk a.img
expect 4 "${serve[@]}" --token-only
says 'a.img: token 3: no key "vcrypt:disk" of type user'
# Without it, a passphrase is needed, unless no token is asked for.
open_with --token-id 3 --key-file key
grep -q 'a.img: token 3: no key' log || fail "not a word about the token"
open_with --key-file key
! grep 'token 3' log || fail "the token was used without being asked for"

add_key vcrypt:disk "$passphrase"
open_with --token-only </dev/null
open_with --token-id 3 </dev/null
open_with --token-type luks2-keyring --token-only </dev/null
cryptsetup open --test-passphrase --token-only a.img

# Of two, the one that fits; the passphrase is no other slot's.
cryptsetup token add --token-id 1 --key-description vcrypt:wrong a.img
add_key vcrypt:wrong 'no such passphrase'
open_with --token-only </dev/null
expect 2 "${serve[@]}" --token-only --token-id 1
says 'a.img: token 1: no key slot opens'
printf further >further
cryptsetup luksAddKey -q "${fast_pbkdf[@]}" -S 7 -d key a.img further
cryptsetup token add --token-id 0 -S 7 --key-description vcrypt:more a.img
add_key vcrypt:more "$passphrase"
expect 2 "${serve[@]}" --token-only --token-id 0
says 'a.img: token 0: no key slot opens'
add_key vcrypt:more further
open_with --token-only --token-id 0 </dev/null

# As in cryptsetup, an ignored key slot needs the number of its token.
cryptsetup config --priority ignore -S 7 a.img
cryptsetup config --priority ignore -S 0 a.img
expect 1 cryptsetup open --test-passphrase --token-only a.img
expect 4 "${serve[@]}" --token-only
says 'no token opens a key slot'
cryptsetup open --test-passphrase --token-only --token-id 3 a.img
open_with --token-only --token-id 3 </dev/null
cryptsetup config --priority normal -S 0 a.img

# What is no token, or no use.
expect 4 "${serve[@]}" --token-only --token-id 2
says 'there is no token 2'
expect 4 "${serve[@]}" --token-id 3 --token-type systemd-tpm2 --token-only
says 'token 3 is of type luks2-keyring, not systemd-tpm2'
echo '{"type":"unheard-of","keyslots":["0"]}' |
	cryptsetup token import --token-id 9 a.img
expect 4 "${serve[@]}" --token-only --token-id 9
says 'token 9: no plugin for tokens of type unheard-of'
expect 1 "${serve[@]}" --token-only --key-file key
says '--token-only'
expect 1 "${serve[@]}" --token-only --key-slot 0
says 'a token says which key slots'
expect 1 "${serve[@]}" --token-id 32
says 'not the number of a token'
expect 1 "$VCRYPT" open a.img name --token-id=-1
says 'not the number of a token'

# Of systemd's plugins there is one for each kind of hardware that is missing.
tpm='{"type":"systemd-tpm2","keyslots":["0"],"tpm2-blob":"QUFB",'
tpm+='"tpm2-pcrs":[7],"tpm2-pcr-bank":"sha256","tpm2-primary-alg":"ecc",'
tpm+='"tpm2-policy-hash":"0011","tpm2-pin":false}'
echo "$tpm" | cryptsetup token import --token-id 10 a.img
if [ ! -e /dev/tpmrm0 ]; then
	expect 4 "${serve[@]}" --token-only --token-id 10
	says 'token 10: its device is not there'
fi
