#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# Twenty kills of the worker under load, at random moments: no I/O error,
# nothing lost, nothing written where nobody wrote.
# timeout: 1200
# cpus: 2
# rings: both

. "$(dirname "$0")/functions.sh"
requires fio

worker=
killed=0

# random_sleep MILLISECONDS: up to so many.
random_sleep() {
	local ms=$(((RANDOM * 32768 + RANDOM) % $1))

	read -r -t "$(printf '0.%03d' "$ms")" <&"$nothing" || true
}

# Each queue has requests in flight.
both_are_busy() {
	[ "$("$VCRYPT" status --json vdc0 |
		grep -c '"in_flight": *[1-9]')" -eq 2 ]
}

# kill_worker stopped|frozen|at_once
kill_worker() {
	case $1 in
	stopped)
		# Requests pile up; some of the disk's answers are not read.
		kill -STOP "$worker"
		random_sleep 500
		;;
	frozen)
		# Those that write do not end.
		fsfreeze --freeze .
		wait_for "$patience" both_are_busy
		;;
	esac
	kill -KILL "$worker"
	[ "$1" != frozen ] || fsfreeze --unfreeze .
	killed=$((killed + 1))
	next_worker
}

# The Nth kill. The first makes sure that each queue has something to take up.
one_kill() {
	if [ "$1" = 1 ]; then
		kill_worker frozen
		return
	fi
	case $(($1 % 4)) in
	0) random_sleep 30 ;; # before it is ready
	1) random_sleep 400 ;; # while it takes over
	*) random_sleep 999 ;;
	esac
	if [ $(($1 % 3)) = 0 ]; then
		kill_worker stopped
	else
		kill_worker at_once
	fi
	# Twice in a row.
	[ $(($1 % 10)) != 0 ] || kill_worker at_once
}

# Two jobs, one on each CPU and with that on each queue.
start_load() {
	local reads=0 writes=0

	fio --name=verify --filename="$dev" --ioengine=libaio --direct=1 \
		--rw=randrw --bsrange=4k-64k --blockalign=4k --iodepth=16 \
		--numjobs=2 --cpus_allowed=0-1 --cpus_allowed_policy=split \
		--size=8M --offset_increment=8M --io_size=12M \
		--verify=crc32c --verify_fatal=1 --verify_backlog=32 \
		--output=fio.out &
	load=$!
	until [ $((reads + writes)) -gt 0 ]; do
		kill -0 "$load" || break
		read -r reads writes <"/sys/block/${dev##*/}/inflight"
	done
}

end_load() {
	wait "$load" || { cat fio.out; "$VCRYPT" status vdc0; fail "fio"; }
	load=
}

# A kill counts only if there is load at the time.
twenty_kills() {
	local i

	load=
	for ((i = 1; i <= 20; i++)); do
		if [ -n "$load" ] && ! kill -0 "$load"; then
			end_load
		fi
		[ -n "$load" ] || start_load
		one_kill "$i"
	done
	end_load
}

# What nobody writes to: the header, and what lies behind fio's range.
untouched() {
	head -c 4M secret.img
	tail -c 4M secret.img
}

# checksums FILE: of the whole device, as it reads, and of the untouched.
checksums() {
	dd if="$dev" bs=1M iflag=direct status=none | sha256sum >"$1"
	untouched | sha256sum >>"$1"
}

check_status() {
	local queue

	wait_for "$patience" vc_has_worker vdc0
	"$VCRYPT" status --json vdc0 >status
	[ "$(vc_member state <status)" = active ] || fail "the state"
	[ "$(vc_member worker_restarts <status)" = "$killed" ] ||
		fail "$killed kills are not counted"
	sed -n 's/ *"replayed": *\([0-9]*\).*/\1/p' status >replayed
	[ "$("$VCRYPT" status vdc0 | grep -c ", 0 errors")" -ge 2 ] ||
		fail "errors"
	[ "$(wc -l <replayed)" = 2 ] || fail "not two queues"
	while read -r queue; do
		[ "$queue" -gt 0 ] || fail "a queue had nothing to take up"
	done <replayed
}

cleanup fsfreeze --unfreeze "$PWD"
exec {nothing}<> <(:)
seed=${seed-$EPOCHSECONDS}
echo "seed=$seed"
RANDOM=$seed
vc_format secret.img --size 24M --offset 8192
vc_attach secret.img vdc0 --queues 2 --death-limit 100
head -c 4M /dev/urandom >data
dd if=data of="$dev" bs=1M seek=16 oflag=direct conv=fsync status=none
untouched | sha256sum >untouched.before
monitor=$(vc_status vdc0 monitor_pid)
find_worker
twenty_kills
check_status
checksums before
untouched | sha256sum | cmp - untouched.before
vc_close vdc0
vc_attach secret.img vdc0 --queues 1
checksums after
cmp before after || fail "it reads otherwise when opened again"
vc_close vdc0
if dmesg | grep "I/O error"; then
	fail "the kernel saw I/O errors"
fi
echo "$killed kills, taken up: $(tr '\n' ' ' <replayed)"
