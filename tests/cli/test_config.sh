# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# config sets and clears the flag of the header that cryptsetup knows, leaves
# its other flags alone, and refuses what has no flags or is not a container.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

flags() {
	cryptsetup luksDump "$1" | sed -n 's/^Flags:[[:space:]]*\(.*[^[:space:]]\)[[:space:]]*$/\1/p'
}

vc_format secret.img --size 20M
[ "$(flags secret.img)" = "(no flags)" ] || fail "$(flags secret.img)"
expect 0 "$VCRYPT" config secret.img --persistent allow-discards
[ "$(flags secret.img)" = "allow-discards" ] || fail "$(flags secret.img)"
cp secret.img copy.img
expect 0 "$VCRYPT" config secret.img --persistent allow-discards
cmp secret.img copy.img || fail "nothing was to be changed"
cryptsetup config secret.img --priority normal --key-slot 0
expect 0 "$VCRYPT" config --persistent=no-allow-discards secret.img
[ "$(flags secret.img)" = "(no flags)" ] || fail "$(flags secret.img)"
printf %s "$passphrase" |
	cryptsetup open --test-passphrase -d - secret.img

expect 1 "$VCRYPT" config secret.img
says 'persistent'
expect 1 "$VCRYPT" config secret.img --persistent yes
says 'no-allow-discards'
expect 4 "$VCRYPT" config no.img --persistent allow-discards
says 'no.img: No such file'
truncate -s 20M empty.img
expect 4 "$VCRYPT" config empty.img --persistent allow-discards
says 'empty.img'
truncate -s 20M luks1.img
printf pw | cryptsetup luksFormat -q --type luks1 \
	--pbkdf-force-iterations 1000 luks1.img -
expect 4 "$VCRYPT" config luks1.img --persistent allow-discards
says 'LUKS1 header has no flags'
mkdir dir
expect 4 "$VCRYPT" config dir --persistent allow-discards
