# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# The volume key is given away only on request, after YES, and is the one that
# cryptsetup gives.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

hex() {
	od -An -v -tx1 "$@" theirs | tr -d " \n"
}

printf %s "$passphrase" >key
vc_format two.img --size 18M
truncate -s 4M one.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	-c aes-xts-plain64 -s 256 one.img key
for image in one.img two.img; do
	rm -f theirs ours
	cryptsetup luksDump -q --dump-volume-key --volume-key-file theirs \
		-d key "$image" >dump
	expect 0 "$VCRYPT" dump --dump-volume-key --batch-mode --key-file key \
		--volume-key-file ours "$image"
	cmp ours theirs
	[ "$(stat -c %a ours)" = 600 ] || fail "mode $(stat -c %a ours)"
	[ ! -s out ] || fail "the key was shown as well"
	expect 0 "$VCRYPT" dump --dump-volume-key --batch-mode --key-file key \
		"$image"
	[ "$(cat out)" = "$(hex)" ] || fail "not the key"
done

expect 5 "$VCRYPT" dump --dump-volume-key --batch-mode --key-file key \
	--volume-key-file ours two.img
says 'ours: File exists'
cmp ours theirs

# What is no container is told before anybody is asked.
expect 4 setsid "$VCRYPT" dump --dump-volume-key none.img </dev/null
says 'none.img: No such file'
expect 4 setsid "$VCRYPT" dump --dump-volume-key key </dev/null
says 'key: not a LUKS container'

# Not without YES, nor where nobody can be asked.
expect 1 setsid "$VCRYPT" dump --dump-volume-key --key-file key two.img </dev/null
[ ! -s out ] || fail "shown without a question"
if on_terminal no "$VCRYPT" dump --dump-volume-key --key-file key two.img; then
	fail "shown without YES"
fi
grep -q "$(hex -N 16)" screen && fail "shown without YES"
on_terminal YES "$VCRYPT" dump --dump-volume-key --key-file key two.img
grep -q "$(hex -N 16)" screen || fail "not shown after YES"

printf wrong >bad
expect 2 "$VCRYPT" dump --dump-volume-key --batch-mode --key-file bad \
	--volume-key-file none two.img
[ ! -e none ] || fail "a file without a key"
expect 1 "$VCRYPT" dump --dump-volume-key --json two.img
says 'do not go together'
expect 1 "$VCRYPT" dump --key-file key two.img
says 'are for --dump-volume-key'
expect 4 "$VCRYPT" dump --dump-volume-key --batch-mode --key-file key \
	--volume-key-file /proc/none/x two.img
if [ -w /dev/full ]; then
	"$VCRYPT" dump --dump-volume-key --batch-mode --key-file key two.img \
		>/dev/full 2>err && fail "a full disk went unnoticed"
	says 'standard output: No space left'
fi
