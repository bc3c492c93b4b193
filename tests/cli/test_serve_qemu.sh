# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A virtual machine with two containers as its disks, through vhost-user, on
# rings of either format: a file system, data that are verified while the worker
# is killed again and again, and the cache mode that the guest chooses.
# timeout: 1500
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires qemu-system-x86_64 fio

vm=$(dirname "${BASH_SOURCE[0]}")/../vm/vm
chmod 777 .
umask 0
args="-object memory-backend-memfd,id=m,size=2G,share=on"
args+=" -machine memory-backend=m"
# What the guest sees at once of what happens here.
mkdir told
args+=" -virtfs local,path=$PWD/told,mount_tag=told,security_model=none"

declare -A servers
# add_disk RING PACKED
add_disk() {
	vc_format "$1.img" --size 80M
	chmod 666 "$1.img"
	serve "$1.img" --socket "$1" --death-limit 100 --socket-mode 0666 \
		--queues 2
	servers[$1]=$server
	mv log "$1.log"
	args+=" -chardev socket,id=$1,path=$PWD/$1,reconnect=1"
	args+=" -device vhost-user-blk-pci,chardev=$1,num-queues=2,packed=$2"
}
add_disk split off
add_disk packed on

cat >guest.sh <<'END'
set -eu
# check DISK RING PACKED
check() {
	disk=/dev/$1
	[ "$(cat "/sys/block/$1/serial")" = "$2.img" ]
	[ "$(cat "/sys/block/$1/queue/write_cache")" = "write back" ]
	[ "$(ls -d "/sys/block/$1/mq/"* | wc -l)" -eq 2 ]
	features=$(cat "/sys/block/$1/device/features")
	# Bit 34: VIRTIO_F_RING_PACKED, as was asked for.
	[ "$(printf %s "$features" | cut -c 35)" = "$3" ]
	for round in 1 2; do
		verify "$1" "$2 $round"
	done
	mkfs.ext4 -q "$disk"
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
}

# writes DISK: that have been done
writes() {
	read -r _ _ _ _ n _ <"/sys/block/$1/stat"
	echo "$n"
}

# verify DISK ROUND: under load the worker is killed; the load goes on when a
# write to another place has been done, so that the queues run again. QEMU 7.2
# gives the disk up when its server dies while it is being connected.
verify() {
	begin=$(writes "$1")
	fio --name=verify --filename="$disk" --rw=randrw --bsrange=4k-256k \
		--direct=1 --ioengine=libaio --iodepth=16 --size=16M \
		--verify=crc32c --verify_backlog=64 --verify_fatal=1 \
		--time_based=1 --runtime=10000 --fsync=32 --minimal >/dev/null &
	fio=$!
	until [ "$(writes "$1")" -gt $((begin + 100)) ]; do
		kill -0 "$fio"
		sleep 0.1
	done
	echo "round $2"
	until [ -e "told/$2" ]; do
		sleep 0.1
	done
	dd if=/dev/zero of="$disk" bs=64k count=1 seek=512 oflag=direct,dsync
	kill -INT "$fio"
	# So it says that this ended it, and nothing else.
	status=0
	wait "$fio" || status=$?
	[ "$status" -eq 128 ]
}

cd "$(mktemp -d)"
mkdir m told
mount -t 9p -o trans=virtio,version=9p2000.L,cache=none told told
check vda split 0
check vdb packed 1
echo "end at $(cut -d ' ' -f 1 /proc/uptime)"
END

: >guest.out
VM_CPUS=2 VM_ARGS=$args "$vm" run -t 1200 sh "$PWD/guest.sh" >guest.out 2>&1 &
guest=$!
cleanup kill "$guest"

# at_round RING ROUND: the guest has come so far, or has ended.
at_round() {
	grep -q "^round $1 $2" guest.out || ! kill -0 "$guest" 2>/dev/null
}

# replaced RING N: so many workers were.
replaced() {
	[ "$(grep -c 'another worker serves' "$1.log")" -eq "$2" ]
}

for ring in split packed; do
	server=${servers[$ring]}
	for round in 1 2; do
		wait_for 600 at_round "$ring" "$round"
		kill -0 "$guest" 2>/dev/null || break
		kill -KILL "$(worker)"
		wait_for 100 replaced "$ring" "$round"
		: >"told/$ring $round"
	done
done
wait "$guest" || { cat guest.out ./*.log; fail "the guest"; }
grep -q '^end at' guest.out
for ring in split packed; do
	kill -TERM "${servers[$ring]}"
	wait "${servers[$ring]}" || fail "status $? of $ring after SIGTERM"
done
