# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# serve under load returns what was written, on rings of every kind; and what
# it writes to a LUKS1 container, qemu-storage-daemon reads, and the reverse.
# Nothing here depends on how fast.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

blkload=${O:-build}/tests/bench/blkload
server=

stop_server() {
	kill "$server" && wait "$server"
}
cleanup stop_server

# serve IMAGE OPTION...: on the CPUs of $cpus, if that is set.
cpus=
serve() {
	local on=()

	[ -z "$cpus" ] || on=(taskset -c "$cpus")
	rm -f socket served
	"${on[@]}" "$VCRYPT" serve "$@" --socket socket --key-file key \
		>served 2>log &
	server=$!
	wait_for 100 served
}

serve_with_qemu() {
	rm -f socket
	qemu_serves --object secret,id=key,file=key \
		--blockdev "file,node-name=f,filename=$1" \
		--blockdev luks,node-name=d,file=f,key-secret=key --export \
		vhost-user-blk,id=e,node-name=d,writable=on,addr.type=unix,addr.path=socket
}

load() {
	"$blkload" --socket socket --bs 64k --warmup 0 --seconds 0.2 "$@"
}

printf %s "$passphrase" >key
vc_format luks2.img --sector-size 4096
serve luks2.img --queues 2
for options in "" "--bs 4k --packed" "--seg 4k --queues 2" \
	"--no-indirect --no-event-idx --seg 16k" "--poll --depth 1" \
	"--packed --no-indirect --seg 16k --queues 2" \
	"--packed --no-event-idx --kick-each"; do
	# shellcheck disable=SC2086 # a list of words
	load --rw randrw --verify --range 8M $options >out
done
stop_server

# Queues that share a thread, and one that never looks before it sleeps.
cpus=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')
serve luks2.img --queues 5
load --rw randrw --verify --range 16M --bs 4k --queues 5
load --rw randrw --verify --range 16M --queues 3 --packed
stop_server
cpus=
serve luks2.img --poll-us 0
load --rw randrw --verify --range 8M --bs 4k
stop_server

truncate -s 20M luks1.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	--key-size 512 luks1.img key
serve_with_qemu luks1.img
load --rw fill
stop_server
serve luks1.img
load --rw check
load --rw fill --seed 2
expect 1 load --rw check
grep -q 'wrong data at byte' err || fail "$(cat err)"
stop_server
serve_with_qemu luks1.img
load --rw check --seed 2
