# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# A block device is taken as it is; one in use is refused.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires losetup cryptsetup

[ "$(id -u)" -eq 0 ] || skip "only root makes block devices"
truncate -s 20M disk
# Who looks for a free one has it open for a moment: one test after the other.
dev=$(flock /dev/loop-control losetup --show -f disk 2>err) ||
	skip "no loop devices here"
cleanup losetup -d "$dev"

vc_format "$dev"
printf %s "$passphrase" | cryptsetup open --test-passphrase -d - "$dev"
"$VCRYPT" dump "$dev" | matches '^Served by vcrypt: yes$'

mkfs.ext4 -qF "$dev"
mkdir mnt
mount "$dev" mnt || skip "no mounting here"
cleanup umount mnt
printf pw >key
expect 5 "$VCRYPT" format --batch-mode --key-file key "${fast_pbkdf[@]}" "$dev"
says "$dev: Device or resource busy \(is it mounted"
