# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# dump tells all that cryptsetup luksDump tells, in its words: LUKS1 and LUKS2,
# with tokens, unbound slots, priorities, flags, requirements.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

fast=(-q --pbkdf-force-iterations 1000 --pbkdf pbkdf2)
printf pw >key
printf other >new

same() {
	cryptsetup luksDump "$1" | sed "s/ for $1/ for the image/" >theirs
	"$VCRYPT" dump "$1" | sed '/^Served by vcrypt: /,$d' >ours
	diff theirs ours || fail "$1: not what luksDump says"
	[ -s theirs ] || fail "luksDump says nothing"
}

truncate -s 18M one.img two.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 one.img key
cryptsetup luksAddKey -q --pbkdf-force-iterations 1000 -S 7 -d key one.img new
same one.img

cryptsetup luksFormat "${fast[@]}" --label tag --subsystem sub two.img key
cryptsetup luksAddKey "${fast[@]}" -S 31 -d key two.img new
cryptsetup luksAddKey "${fast[@]}" -S 4 --unbound -s 256 two.img new
cryptsetup luksAddKey -q --pbkdf argon2id --pbkdf-memory 32 \
	--pbkdf-force-iterations 4 --pbkdf-parallel 1 -d key two.img new
cryptsetup config two.img -S 31 --priority ignore
cryptsetup token add --key-description some:key -S 31 two.img
printf '{"type":"of-mine","keyslots":["0"],"what":"ever"}' |
	cryptsetup token import two.img
"$VCRYPT" config two.img --persistent allow-discards
same two.img

cryptsetup reencrypt "${fast[@]}" --force-offline-reencrypt --init-only -d key \
	-S 0 two.img
same two.img
grep -q '^Requirements:' ours || fail "no requirements: $(cat ours)"
