# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Damaged and hostile headers: refused in one line with status 4, or served from
# the other copy with a note. The image is never changed. The unit test
# luks_hostile goes through all cases of the generator, this one through every
# eighth that is refused, and all others.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

hostile=${O:-build}/tests/cli/hostile_header
fast=(-q --pbkdf pbkdf2 --pbkdf-force-iterations 1000)

# What the cases expect: see luks_hostile.h.
truncate -s 3M good2.img
printf %s "$passphrase" | cryptsetup luksFormat "${fast[@]}" --sector-size 4096 \
	--luks2-metadata-size 16k --luks2-keyslots-size 992k --offset 2048 \
	good2.img - 2>/dev/null
truncate -s 3M good1.img
printf %s "$passphrase" | cryptsetup luksFormat -q --type luks1 \
	-c aes-xts-plain64 -s 512 --pbkdf-force-iterations 1000 good1.img -
printf wrong >key

# spoil VERSION NAME: into a.img.
spoil() {
	cp "good$1.img" a.img
	"$hostile" "$2" a.img
	cp a.img before.img
}

# A socket that cannot be made: who gets that far has taken the header.
serve_it() {
	"$VCRYPT" serve --key-file key --socket /proc/none a.img
}

for version in 1 2; do
	while IFS= read -r name; do
		spoil "$version" "$name"
		expect 4 serve_it
		says '^vcrypt: a.img: ' || fail "$name"
		[ "$(wc -l <err)" -eq 1 ] || fail "$name: $(cat err)"
		cmp -s a.img before.img || fail "$name: the image was changed"
		refused=$((${refused:-0} + 1))
	done < <("$hostile" "$version" refused | awk 'NR % 8 == 1')
done
[ "$refused" -gt 12 ] || fail "only $refused cases"

for outcome in repaired served; do
	while IFS= read -r name; do
		spoil 2 "$name"
		expect 0 "$VCRYPT" dump a.img
		grep -q '^Served by vcrypt: yes$' out || fail "$name: $(cat out)"
		[ "$outcome" = served ] ||
			grep -q '^Note: .*vcrypt header repair' out ||
			fail "$name: no note"
		cmp -s a.img before.img || fail "$name: the image was changed"
	done < <("$hostile" 2 "$outcome")
done
