#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# open: the volume key and its schedules stand where Documentation/security.md
# says, the passphrase nowhere, and no dump of a process has any of it.
# timeout: 1200

. "$(dirname "$0")/functions.sh"
. "$(dirname "$0")/../secrets/functions.sh"

passphrase="perfectly secret passphrase"

check_serving() {
	monitor=$(vc_status vdc0 monitor_pid)
	worker=$(vc_status vdc0 worker_pid)
	found_in_monitor "$monitor"
	found_in_worker "$worker" 2
	told_of "$monitor"
	told_of "$worker"
}

# dumped COMMAND...: killed by a signal that leaves a core; whether it did.
dumped() {
	rm -f core.*
	"$@" || true
	ls core.* >cores.txt 2>/dev/null
}

crash() {
	kill -SEGV "$1"
	wait_for "$patience" gone "$1"
}

crash_shell() {
	# shellcheck disable=SC2016 # the other shell's number
	sh -c 'kill -SEGV $$'
}

# While it waits for a passphrase.
crash_command() {
	local command

	rm -f line
	mkfifo line
	"$VCRYPT" open secret.img vdc1 <line >out 2>err &
	command=$!
	exec 3>line
	wait_for "$patience" reads "$command"
	kill -SEGV "$command"
	wait "$command" || true
	exec 3>&-
	# Who opens the name next would take it over.
	rm -f /run/vcrypt/vdc1.lock
}

# reads PID: standard input, by read(2).
reads() {
	local call fd

	read -r call fd _ <"/proc/$1/syscall"
	[ "$call $fd" = "0 0x0" ] &&
		[ "$(readlink "/proc/$1/exe")" = "$(readlink -f "$VCRYPT")" ]
}

check_all() {
	vc_attach secret.img vdc0 --queues 2
	rm -f enough
	(until [ -e enough ]; do
		dd if=/dev/zero of="$dev" bs=64k count=64 oflag=direct \
			status=none
	done) &
	load=$!
	wait_for "$patience" in_flight 1
	check_serving
	# What a debugger would write down of the worker.
	"$secrets" dump "$worker" dump.bin
	[ "$with_secretmem" = 0 ] || not_in_files dump.bin
	! dumped crash "$worker" || fail "the worker left $(cat cores.txt)"
	wait_for "$patience" vc_has_worker vdc0
	touch enough
	wait "$load"
	check_serving
	"$VCRYPT" status --json vdc0 >status.txt
	dmesg >dmesg.txt
	not_in_files status.txt dmesg.txt /run/vcrypt/vdc0.json
	vc_close vdc0
}

vc_format secret.img
know_secrets secret.img
check_search
ulimit -c unlimited
echo "$PWD/core.%p" >/proc/sys/kernel/core_pattern
dumped crash_shell || fail "the test is wrong: nothing leaves a core here"
! dumped crash_command || fail "the command left $(cat cores.txt)"
check_all

# Once more on a kernel without memfd_secret(2), as it seems.
with_secretmem=0
printf '#!/bin/sh\nexec %s %s "$@"\n' "${without_secretmem[*]}" "$VCRYPT" \
	>without
chmod 755 without
VCRYPT=$PWD/without
check_all
