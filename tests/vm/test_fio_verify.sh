#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Random reads and writes of every size, all verified: on rings of both
# formats, with one queue and with four.
# timeout: 1200
# cpus: 4

. "$(dirname "$0")/functions.sh"
requires fio

# The kernel uses no more queues than there are CPUs.
check() {
	local ring=$1 queues=$2 sector=$3

	rm -f secret.img
	vc_format secret.img --size 80M --sector-size "$sector"
	vc_attach secret.img vdc0 --queues "$queues" --ring "$ring"
	[ "$(vc_status vdc0 ring)" = "$ring" ] || fail "the ring is not $ring"
	[ "$(find "/sys/block/${dev##*/}/mq" -mindepth 1 -maxdepth 1 |
		wc -l)" = "$queues" ] || fail "not $queues queues"
	fio --name=verify --filename="$dev" --ioengine=libaio --direct=1 \
		--rw=randrw --bs_unaligned=0 \
		--bssplit="$sector/30:8k/30:64k/30:512k/10" \
		--blockalign="$sector" --iodepth=32 --numjobs=4 --size=16M \
		--offset_increment=16M --io_size=4M --verify=crc32c \
		--verify_fatal=1 --do_verify=1 --randrepeat=1 \
		--output=fio.out || { cat fio.out; fail "fio: $*"; }
	vc_close vdc0
}

check split 1 512
check split 4 4096
check packed 1 4096
check packed 4 512
