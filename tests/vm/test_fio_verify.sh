#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Random reads and writes of every size on two queues, all verified.
# timeout: 400

. "$(dirname "$0")/functions.sh"
requires fio

check() {
	local sector=$1

	rm -f secret.img
	vc_format secret.img --size 144M --sector-size "$sector"
	vc_attach secret.img vdc0 --queues 2
	fio --name=verify --filename="$dev" --ioengine=libaio --direct=1 \
		--rw=randrw --bsrange="$sector"-1M --bs_unaligned=0 \
		--blockalign="$sector" --iodepth=32 --numjobs=2 --size=64M \
		--offset_increment=64M --io_size=48M --verify=crc32c \
		--verify_fatal=1 --do_verify=1 --randrepeat=1 \
		--output=fio.out || { cat fio.out; fail "fio, $sector"; }
	vc_close vdc0
}

check 512
check 4096
