#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Packed rings: the life of a file system, everything verified, and more data
# in flight than fits into bounce memory of the default size.
# timeout: 400
# cpus: 2

. "$(dirname "$0")/functions.sh"
requires fio mkfs.ext4

status() {
	"$VCRYPT" status vdc0 --json | grep -o "\"$1\":[^,}]*" | head -n 1
}

# Each bio larger than a request, all of them at once.
big_writes() {
	fio --name=big --filename="$dev" --ioengine=libaio --direct=1 \
		--rw=write --bs=4M --iodepth=32 --numjobs=4 --size=64M \
		--offset_increment=64M --time_based --runtime=4 \
		--output=fio.out || { cat fio.out; fail "large writes"; }
}

vc_format secret.img --size 288M
vc_attach secret.img vdc0 --queues 2 --ring packed
case $(status ring) in
*packed*) ;;
*) fail "the ring is $(status ring)" ;;
esac

mkfs.ext4 -q "$dev"
vc_mount
make_tree mnt/tree 20
mv mnt/tree.sums .
umount mnt
fsck.ext4 -fn "$dev"
vc_mount
check_tree mnt/tree tree.sums
umount mnt

fio --name=verify --filename="$dev" --ioengine=libaio --direct=1 \
	--rw=randrw --bsrange=4k-1M --bs_unaligned=0 --blockalign=4k \
	--iodepth=32 --numjobs=2 --size=64M --offset_increment=64M \
	--io_size=48M --verify=crc32c --verify_fatal=1 --do_verify=1 \
	--randrepeat=1 --output=fio.out || { cat fio.out; fail "fio"; }
big_writes
# As large as the driver can be made to.
cat "/sys/block/${dev##*/}/queue/max_hw_sectors_kb" \
	>"/sys/block/${dev##*/}/queue/max_sectors_kb"
big_writes
if dmesg | grep "I/O error, dev ${dev##*/}"; then
	fail "the kernel saw I/O errors"
fi
vc_close vdc0

# With many large queues requests become small, but all of them fit.
vc_attach secret.img vdc0 --queues 2 --queue-size 1024 --ring packed
big_writes
vc_close vdc0
