#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# status tells what is in force and what was done.

. "$(dirname "$0")/functions.sh"

vc_format secret.img --label "my label"
vc_attach secret.img vdc0 --queues 2 --queue-size 64
"$VCRYPT" status --json vdc0 >status
# is KEY VALUE
is() {
	[ "$(vc_member "$1" <status)" = "$2" ] || { cat status; fail "$1"; }
}
is state active
is device "$dev"
is image "$PWD/secret.img"
is cipher aes-xts-plain64
is label "my label"
is key_bits 512
is sector_size 4096
is size $((62 << 20))
is queues 2
is queue_size 64
# Direct I/O works on ext4.
is cache direct
is ring split
is kernel "$(uname -r)"
is vduse_api 0
is kernel_gave_up false
prints 'kernel: *6.*, VDUSE API 0, bounce_size irq_cb_affinity$' \
	"$VCRYPT" status vdc0 ||
	{ "$VCRYPT" status vdc0; fail "what the kernel has"; }
features=$("$VCRYPT" status vdc0 | grep features:)
for feature in SIZE_MAX SEG_MAX BLK_SIZE FLUSH TOPOLOGY MQ INDIRECT_DESC \
	EVENT_IDX VERSION_1 ACCESS_PLATFORM; do
	[[ $features == *" $feature"* ]] || fail "no $feature: $features"
done
[ "$(blockdev --getss "$dev")" = 4096 ] || fail "logical block size"
[ "$(blockdev --getpbsz "$dev")" = 4096 ] || fail "physical block size"
dd if=/dev/zero of="$dev" bs=64k count=10 oflag=direct conv=fsync status=none
"$VCRYPT" status vdc0 >status
grep -q "write *10 requests, 640.0 KiB, 0 errors" status ||
	{ cat status; fail "the writes are not counted"; }
grep -q "flush *[1-9]" status || fail "no flush came"
prints '"name": *"vdc0"' "$VCRYPT" status --json || fail "status of all"

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
