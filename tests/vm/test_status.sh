#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# status tells what is in force and what was done.

. "$(dirname "$0")/functions.sh"

vc_format secret.img --label "my label"
vc_attach secret.img vdc0 --queues 2 --queue-size 64
[ "$(vc_status vdc0 state)" = active ] || fail state
[ "$(vc_status vdc0 device)" = "$dev" ] || fail device
[ "$(vc_status vdc0 image)" = "$PWD/secret.img" ] || fail image
[ "$(vc_status vdc0 cipher)" = aes-xts-plain64 ] || fail cipher
[ "$(vc_status vdc0 label)" = "my label" ] || fail label
[ "$(vc_status vdc0 key_bits)" = 512 ] || fail key_bits
[ "$(vc_status vdc0 sector_size)" = 4096 ] || fail sector_size
[ "$(vc_status vdc0 size)" = $((48 << 20)) ] || fail size
[ "$(vc_status vdc0 queues)" = 2 ] || fail queues
[ "$(vc_status vdc0 queue_size)" = 64 ] || fail queue_size
[ "$(vc_status vdc0 cache)" = direct ] || fail "cache: not direct on ext4"
[ "$(vc_status vdc0 ring)" = split ] || fail ring
[ "$(vc_status vdc0 kernel)" = "$(uname -r)" ] || fail kernel
[ "$(vc_status vdc0 vduse_api)" = 0 ] || fail vduse_api
[ "$(vc_status vdc0 kernel_gave_up)" = false ] || fail kernel_gave_up
"$VCRYPT" status vdc0 | grep -q \
	'kernel: *6.*, VDUSE API 0, bounce_size irq_cb_affinity$' ||
	{ "$VCRYPT" status vdc0; fail "what the kernel has"; }
features=$("$VCRYPT" status vdc0 | grep features:)
for feature in SIZE_MAX SEG_MAX BLK_SIZE FLUSH TOPOLOGY MQ INDIRECT_DESC \
	EVENT_IDX VERSION_1 ACCESS_PLATFORM; do
	[[ $features == *" $feature"* ]] || fail "no $feature: $features"
done
[ "$(blockdev --getss "$dev")" = 4096 ] || fail "logical block size"
[ "$(blockdev --getpbsz "$dev")" = 4096 ] || fail "physical block size"
dd if=/dev/zero of="$dev" bs=64k count=10 oflag=direct conv=fsync status=none
"$VCRYPT" status vdc0 | grep -q "write *10 requests, 640.0 KiB, 0 errors" ||
	{ "$VCRYPT" status vdc0; fail "the writes are not counted"; }
"$VCRYPT" status vdc0 | grep -q "flush *[1-9]" || fail "no flush came"
"$VCRYPT" status --json | grep -q '"name": *"vdc0"' || fail "status of all"

# A monitor that does not answer is no reason to wait for ever.
kill -STOP "$(vc_status vdc0 monitor_pid)"
"$VCRYPT" list >out
monitor=$(sed -n 's/.*"monitor_pid": *\([0-9]*\).*/\1/p' /run/vcrypt/vdc0.json)
kill -CONT "$monitor"
grep -q silent out || fail "list: $(cat out)"
vc_close vdc0
[ -z "$("$VCRYPT" status)" ] || fail "status of none"
# A small ring and page cache serve as well.
vc_attach secret.img vdc0 --queues 1 --queue-size 4 --cache buffered
[ "$(vc_status vdc0 cache)" = buffered ] || fail "cache: not buffered"
head -c 8M /dev/urandom >data
dd if=data of="$dev" bs=1M oflag=direct conv=fsync status=none
dd if="$dev" bs=1M count=8 iflag=direct status=none | cmp - data
vc_close vdc0
