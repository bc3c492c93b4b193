# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# From LUKS1 to LUKS2 and back: key and data stay, and what cannot be said in
# the other format is refused with nothing changed.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cryptsetup cmp
printf %s "$passphrase" >pass
volume_key() {
	cryptsetup luksDump -q --dump-master-key --key-file pass "$1" |
		sed -n '/MK dump:/,$p' | tr -d ' \t\n' | sed 's/MKdump://'
}
truncate -s 8M a.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	--key-file pass a.img
printf data | dd of=a.img bs=1M seek=5 conv=notrunc status=none
cp a.img before
key=$(volume_key a.img)
[ "${#key}" -eq 128 ] || fail "no key: $key"

expect 1 "$VCRYPT" convert --batch-mode --type luks2 a.img
says 'needs a backup'
expect 1 "$VCRYPT" convert --type luks2 a.img </dev/null
says 'no terminal to ask'
expect 4 "$VCRYPT" convert --batch-mode --backup x --type luks1 a.img
says 'is LUKS1 already'
cmp a.img before
[ ! -e x ] || fail "a backup for nothing"

"$VCRYPT" convert --batch-mode --backup one.bak --type luks2 a.img
cryptsetup isLuks --type luks2 a.img
[ "$(volume_key a.img)" = "$key" ] || fail "another key"
cmp -i 2097152 a.img before
"$VCRYPT" check a.img
cp a.img two
"$VCRYPT" convert --batch-mode --backup two.bak --type luks1 a.img
cryptsetup isLuks --type luks1 a.img
[ "$(volume_key a.img)" = "$key" ] || fail "another key"
cmp -i 2097152 a.img before

# The backups lead back, also from half a conversion.
"$VCRYPT" header restore --batch-mode --force a.img two.bak
cmp a.img two
dd if=before of=a.img bs=4096 count=1 conv=notrunc status=none
"$VCRYPT" header restore --batch-mode --force a.img one.bak
[ "$(volume_key a.img)" = "$key" ] || fail "another key"

# The same as cryptsetup's conversion.
cp before c.img
cryptsetup convert -q --type luks2 c.img
[ "$(volume_key c.img)" = "$key" ] || fail "another key"

for how in "--pbkdf argon2id --pbkdf-memory 64 --pbkdf-force-iterations 4" \
	"--sector-size 4096 --pbkdf pbkdf2 --pbkdf-force-iterations 1000"; do
	rm -f b.img
	# shellcheck disable=SC2086
	"$VCRYPT" format --size 20M --key-file pass $how b.img
	cp b.img b.before
	expect 4 "$VCRYPT" convert --batch-mode --backup b.bak --type luks1 b.img
	says 'cannot be converted to LUKS1: '
	cmp b.img b.before
	[ ! -e b.bak ] || fail "a backup for nothing"
done
