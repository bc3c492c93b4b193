#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A volume in use is not closed, and the user is told by whom it is used.

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4 cryptsetup mkswap

vc_format secret.img
vc_attach secret.img vdc0
mkfs.ext4 -q "$dev"
vc_mount
expect 5 "$VCRYPT" close vdc0
says "is mounted on $PWD/mnt"
echo "still there" >mnt/file
umount mnt

exec 7<"$dev"
expect 5 "$VCRYPT" close vdc0
says "is opened by bash \(process $$\)"
exec 7<&-

loop=$(losetup -f --show "$dev")
cleanup losetup -d "$loop"
expect 5 "$VCRYPT" close vdc0
says "is used by a loop device"
losetup -d "$loop"

# Another volume on top of this one.
printf %s "$passphrase" | cryptsetup luksFormat -q "${fast_pbkdf[@]}" \
	--key-file - "$dev"
cleanup cryptsetup close inner
printf %s "$passphrase" | cryptsetup open --key-file - "$dev" inner
expect 5 "$VCRYPT" close vdc0
says "is held by dm-"
cryptsetup close inner

# Mounted where this process cannot see it.
mkfs.ext4 -qF "$dev"
mkdir -p hidden
unshare -m bash -c 'mount "$0" hidden && touch ready && exec sleep 1000' \
	"$dev" &
cleanup kill -9 $!
wait_for "$patience" test -e ready
expect 5 "$VCRYPT" close vdc0
says "in use"
kill -9 $!
wait $! || true
wait_for "$patience" "$VCRYPT" close vdc0
