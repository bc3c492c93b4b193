# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# No room for another key slot on the disk: a clear error, and the key
# slots are what they were. A sparse copy of an image has holes there.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

mkdir full
printf one >key1
printf two >key2
cat >in_namespace <<'INNER'
set -e
mount -t tmpfs -o size=20M none full || exit 99
truncate -s 20M full/a.img
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 full/a.img key1
# Behind the first key slot, to the data.
fallocate --punch-hole --offset 294912 --length $(((16 << 20) - 294912)) \
	full/a.img
head -c 40M /dev/zero >full/rest 2>/dev/null || true
for command in add change; do
	status=0
	"$VCRYPT" key "$command" --key-file key1 --new-key-file key2 \
		--pbkdf pbkdf2 --pbkdf-force-iterations 1000 full/a.img \
		2>err || status=$?
	[ "$status" -eq 4 ] || { cat err; echo "status $status"; exit 1; }
	grep -q 'header cannot be written: No space left' err
	cryptsetup open --test-passphrase --key-file key1 full/a.img
	! cryptsetup open --test-passphrase --key-file key2 full/a.img || exit 1
done
rm full/rest
"$VCRYPT" key change --key-file key1 --new-key-file key2 --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 full/a.img
cryptsetup open --test-passphrase --key-file key2 full/a.img
INNER
export VCRYPT
in_mounts in_namespace
