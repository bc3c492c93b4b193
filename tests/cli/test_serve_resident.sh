# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The memory of a worker is bounded, whatever it is asked to do: 64 MiB and
# 32 MiB for each queue, beside the memory of the front end, which it maps.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

blkload=${O:-build}/tests/bench/blkload

# KiB of its own, now; "status" has whatever it maps of others as RssShmem.
resident() {
	awk '/^Rss(Anon|File):/ { n += $2 } END { print n }' \
		"/proc/$(worker)/status"
}

# of_front_end: KiB that it maps of others.
of_front_end() {
	awk '/^RssShmem:/ { print $2 }' "/proc/$(worker)/status"
}

# all_used: every buffer of the front end has been used.
all_used() {
	[ "$(of_front_end)" -ge $((queues << 18)) ]
}

# check QUEUES [OPTION...]: requests of 1 MiB, as many as a ring takes.
check() {
	local bound=$(((64 + 32 * $1) << 10)) queues=$1 most=0 kib

	shift
	"$blkload" --socket s --bs 1M --depth 256 --queues "$queues" \
		--warmup 0 --seconds 1000 "$@" >load.txt &
	load=$!
	cleanup kill -KILL "$load"
	wait_for 100 all_used
	for _ in {1..10}; do
		kib=$(resident)
		[ "$kib" -le "$most" ] || most=$kib
		sleep 0.05
	done
	kill -0 "$load" || fail "load: $(cat load.txt)"
	kill "$load"
	wait "$load" || true
	kib=$(resident)
	[ "$kib" -le "$most" ] || most=$kib
	echo "$queues queues, $*: $most KiB of $bound"
	[ "$most" -le "$bound" ] || fail "$most KiB with $queues queues"
}

chmod 777 .
# Sparse; reading it takes no room on the disk.
vc_format secret.img --size 1100M
chmod 666 secret.img
serve secret.img --socket s --queues 4
check 1 --rw randrw --range 300M
check 2 --rw randread --packed
check 4 --rw randread

kill -TERM "$server"
wait "$server" || fail "status $? after SIGTERM"
