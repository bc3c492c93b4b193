# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The load generator of the benchmark does what it says with a server of
# others: requests of all kinds, and data that is wrong is noticed. The floor
# reads and writes what it shall. Nothing here depends on how fast.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

programs=${O:-build}/tests/bench
short=(--warmup 0 --seconds 0.2)

stop_server() {
	kill "$1"
	wait "$1"
}

# start_server WRITABLE
start_server() {
	rm -f socket
	qemu_serves --blockdev file,node-name=f,filename=disk.img,locking=off \
		--blockdev raw,node-name=d,file=f --export \
		vhost-user-blk,id=e,node-name=d,writable=$1,num-queues=2,addr.type=unix,addr.path=socket
	cleanup stop_server "$server"
}

# bytes_read: by the server, since it began.
bytes_read() {
	awk '$1 == "rchar:" { print $2 }' "/proc/$server/io"
}

# serves_since BYTES: it has read a good deal more by now.
serves_since() {
	[ "$(bytes_read)" -gt $(($1 + (4 << 20))) ]
}

load() {
	expect 0 "$programs/blkload" --socket socket --range 8M "${short[@]}" "$@"
}

# number FIELD: of the JSON in the file "out".
number() {
	sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" out
}

# holds EXPRESSION: with the numbers of awk.
holds() {
	awk "BEGIN { exit !($1) }" || { cat out; fail "not true: $1"; }
}

truncate -s 16M disk.img
start_server on
for options in "" "--no-event-idx" "--no-indirect --seg 1k" \
	"--bs 64k --seg 4k --queues 2" "--poll --depth 1" "--kick-each"; do
	# shellcheck disable=SC2086 # a list of words
	load --rw randrw --verify $options
	holds "$(number ops) > 0 && $(number p50) > 0"
	holds "$(number p50) <= $(number p99) && $(number p99) <= $(number max)"
	holds "$(number cpu_s) > 0"
done
load --rw randread --depth 1
# One of them may belong to a request before the first; four digits are shown.
holds "($(number kicks_per_io) - 0.0001) * $(number ops) <= $(number ops) + 1"
holds "($(number calls_per_io) - 0.0001) * $(number ops) <= $(number ops) + 1"
load --rw idle
holds "$(number ops) == 0"

# What one byte in the file has become is noticed, and where.
load --rw fill
load --rw check
[ ! -s out ] || fail "there is nothing to tell of fill and check"
printf X | dd of=disk.img bs=1 seek=1234567 conv=notrunc status=none
expect 1 "$programs/blkload" --socket socket --range 8M --rw check
grep -q 'wrong data at byte 1234560$' err || fail "$(cat err)"

# So are requests that fail, and a server that goes away.
cp --sparse=never disk.img old.img
expect 2 "$programs/blkload" --socket socket --queues 3
expect 1 "$programs/blkload" --socket socket --packed
before=$(bytes_read)
"$programs/blkload" --socket socket --seconds 1000 >out 2>err &
load=$!
cleanup kill -KILL "$load"
wait_for 100 serves_since "$before"
stop_server "$server"
status=0
wait "$load" || status=$?
[ "$status" -eq 1 ] || fail "status $status"
grep -q 'closed the connection' err || fail "$(cat err)"
cmp -s disk.img old.img || fail "reading has changed the file"

start_server off
expect 1 "$programs/blkload" --socket socket --rw randwrite
grep -qE 'write of block [0-9]+: status 1$' err || fail "$(cat err)"

expect 0 "$programs/floor" --file disk.img --range 8M "${short[@]}"
holds "$(number ops) > 0 && $(number cpu_us_per_io) > 0"
cmp -s disk.img old.img || fail "reading has changed the file"
expect 0 "$programs/floor" --file disk.img --range 4M --offset 1M \
	--sector 4096 --rw randrw "${short[@]}"
cmp -s -n 1M disk.img old.img || fail "it wrote in front of its range"
cmp -s -i 5M disk.img old.img || fail "it wrote behind its range"
cmp -s disk.img old.img && fail "it wrote nothing"
expect 0 "$programs/floor" --rw idle --bs 64k --depth 1 "${short[@]}"
holds "$(number ops) > 0"
expect 1 "$programs/floor" --file missing.img
