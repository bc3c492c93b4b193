#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# ext4, XFS and btrfs live on a volume, under what a build does to a file
# system: many small files made side by side, renamed, packed up and removed.
# timeout: 1200

. "$(dirname "$0")/functions.sh"
requires mkfs.ext4 e2fsck mkfs.xfs xfs_repair mkfs.btrfs btrfs

# compile DIR JOB: an "object" of each source of its share.
compile() {
	local source text n=0

	for source in "$1"/src/*/*.[ch]; do
		n=$((n + 1))
		[ $((n % 4)) -eq "$2" ] || continue
		text=$(<"$source")
		printf '%s' "$text$text" >"$source.o.tmp"
		mv "$source.o.tmp" "$source.o"
	done
}

# build DIR: unpack, compile with four jobs, link, install, clean.
build() {
	local job

	mkdir "$1/src"
	tar -xf sources.tar -C "$1/src"
	for job in 0 1 2 3; do
		compile "$1" "$job" &
	done
	wait
	cat "$1"/src/*/*.o >"$1/program"
	ln "$1/program" "$1/program-1"
	tar -cf "$1/objects.tar" -C "$1" src
	find "$1/src" -name '*.h.o' -delete
	rm "$1"/src/*/*.c
	sync -f "$1"
	tar -tf "$1/objects.tar" | grep -c '\.o$'
}

check() {
	local fsck=$1 options=$2

	shift 2
	rm -f secret.img
	vc_format secret.img --size 400M
	# shellcheck disable=SC2086 # several options
	vc_attach secret.img vdc0 $options
	"$@" "$dev" >mkfs.out
	vc_mount
	[ "$(build mnt)" -eq "$sources" ] || fail "objects are missing"
	(cd mnt && find . -type f -exec sha256sum {} + | sort -k 2) >sums
	umount mnt
	vc_close vdc0
	vc_attach secret.img vdc0
	$fsck "$dev" >fsck.out 2>&1 || { cat fsck.out; fail "$fsck"; }
	vc_mount
	check_tree mnt sums
	umount mnt
	vc_close vdc0
}

tar -cf sources.tar -C "$(dirname "$0")/../.." virtio
sources=$(tar -tf sources.tar | grep -c '\.[ch]$')
modprobe xfs
modprobe btrfs
check "e2fsck -fn" "--queues 4" mkfs.ext4 -q
check "xfs_repair -n" "--queues 4 --ring packed" mkfs.xfs -q
check "btrfs check" "--queues 1 --ring packed --allow-discards" mkfs.btrfs -q
