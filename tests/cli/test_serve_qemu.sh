#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A virtual machine with a container as its disk, through vhost-user: both
# ring formats, a file system, data that are verified while the worker is
# killed again and again, and the cache mode that the guest chooses.
# timeout: 300
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires qemu-system-x86_64 fio

vm=$(dirname "${BASH_SOURCE[0]}")/../vm/vm
chmod 777 .
vc_format secret.img --size 80M
chmod 666 secret.img
umask 0
serve secret.img --socket s --death-limit 100 --socket-mode 0666 --queues 2

cat >guest.sh <<'END'
set -eu
disk=/dev/$1
[ "$(cat "/sys/block/$1/serial")" = secret.img ]
[ "$(cat "/sys/block/$1/queue/write_cache")" = "write back" ]
[ "$(ls -d "/sys/block/$1/mq/"* | wc -l)" -eq 2 ]
features=$(cat "/sys/block/$1/device/features")
# Bit 34: VIRTIO_F_RING_PACKED, as was asked for.
[ "$(printf %s "$features" | cut -c 35)" = "$2" ]
for round in 1 2; do
	echo "round $round"
	fio --name=verify --filename="$disk" --rw=randrw --bsrange=4k-256k \
		--direct=1 --ioengine=libaio --iodepth=16 --size=16M \
		--verify=crc32c --verify_backlog=64 --verify_fatal=1 \
		--time_based=1 --runtime=2 --fsync=32 --minimal >/dev/null
done
mkfs.ext4 -q "$disk"
cd "$(mktemp -d)"
mkdir m
mount "$disk" m
dd if=/dev/urandom of=data bs=64k count=64 2>/dev/null
cp data m
sync
echo 3 >/proc/sys/vm/drop_caches
cmp data m/data
umount m
e2fsck -fn "$disk"
# The cache mode is the guest's to choose.
echo "write through" >"/sys/block/$1/cache_type"
[ "$(cat "/sys/block/$1/queue/write_cache")" = "write through" ]
dd if=/dev/zero of="$disk" bs=64k count=16 oflag=direct 2>/dev/null
echo "end at $(cut -d ' ' -f 1 /proc/uptime)"
END

run_guest() {
	local packed=$1
	local args="-object memory-backend-memfd,id=m,size=2G,share=on"

	args+=" -machine memory-backend=m"
	args+=" -chardev socket,id=vu,path=$PWD/s,reconnect=1"
	args+=" -device vhost-user-blk-pci,chardev=vu,num-queues=2,packed=$packed"
	VM_CPUS=2 VM_ARGS=$args "$vm" run -t 140 sh "$PWD/guest.sh" vda "$2" \
		>guest.out 2>&1 &
	guest=$!
	cleanup kill "$guest"
}

# at_round ROUND: the guest has come so far, or has ended.
at_round() {
	grep -q "^round $1" guest.out || ! kill -0 "$guest" 2>/dev/null
}

# replaced N: so many workers were.
replaced() {
	[ "$(grep -c 'another worker serves' log)" -eq "$1" ]
}

deaths=0
for ring in "off 0" "on 1"; do
	: >guest.out
	# shellcheck disable=SC2086 # two words
	run_guest $ring
	# A round ends when the queues run again: QEMU 7.2 gives the disk up when
	# its server dies while it is being connected.
	for round in 1 2; do
		wait_for 100 at_round "$round"
		sleep 1
		kill -KILL "$(worker)"
		deaths=$((deaths + 1))
		wait_for 20 replaced "$deaths"
	done
	wait "$guest" || { cat guest.out log; fail "the guest, ring $ring"; }
	grep -q '^round 2' guest.out
done

kill -TERM "$server"
wait "$server" || fail "status $? after SIGTERM"
