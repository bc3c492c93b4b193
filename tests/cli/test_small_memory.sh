# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# timeout: 900
# Where 300 MiB of memory is all there is, key derivation takes what there is,
# and a header that asks for more is refused with the figures, not killed.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

control_group 300

# Where nobody can get at it.
dir=$(mktemp -d /tmp/vcrypt-test.XXXXXX)
cleanup rm -rf "$dir"
chmod 755 "$dir"
cp "$VCRYPT" "$dir/vcrypt"
mkdir "$dir/home"
cd "$dir/home"
for n in 1 2 3; do printf 'pass %s' "$n" >"key$n"; done
truncate -s 20M big.img
cryptsetup luksFormat -q --pbkdf-memory 600000 --pbkdf-force-iterations 4 \
	big.img key1
chown -R 65534:65534 .

VCRYPT=$dir/vcrypt
fast=(--pbkdf-force-iterations 4)
expect 0 "${in_group[@]}" "$VCRYPT" format --key-file key1 --size 40M "${fast[@]}" a.img
expect 0 "${in_group[@]}" "$VCRYPT" key add --key-file key1 --new-key-file key2 \
	"${fast[@]}" a.img
expect 0 "${in_group[@]}" "$VCRYPT" key change --key-file key2 --new-key-file key3 \
	"${fast[@]}" a.img
expect 0 "${in_group[@]}" "$VCRYPT" key list --json a.img
# Half of 300 MiB at most.
sed -n 's/.*"memory_kib":\([0-9]*\).*/\1/p' out >costs
[ "$(wc -l <costs)" -eq 2 ] || fail "$(cat out)"
while read -r kib; do
	[ "$kib" -ge 32 ] && [ "$kib" -le 153600 ] || fail "$kib KiB"
done <costs

# What cannot be had is said, before anybody waits for it.
expect 3 "${in_group[@]}" "$VCRYPT" key add --key-file key1 --new-key-file key2 \
	--pbkdf-memory 600000 a.img
says '600000 KiB of memory .* this control group has [0-9]* KiB left'
expect 3 "${in_group[@]}" "$VCRYPT" serve --key-file key1 --socket sock big.img
says 'key slot 0 needs 585 MiB .* this control group has [0-9]* MiB left'
expect 3 "${in_group[@]}" "$VCRYPT" key change --key-file key1 --new-key-file key2 big.img
says 'key slot 0 needs 585 MiB .* this control group has [0-9]* MiB left'

no_kills
