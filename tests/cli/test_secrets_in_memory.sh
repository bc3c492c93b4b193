# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# serve: the passphrase, the volume key and its schedules stand where
# Documentation/security.md says, and nowhere else: in secret memory, and in
# locked memory where the kernel has none of that.
#
# timeout: 1200

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
# shellcheck source=tests/secrets/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../secrets/functions.sh"

blkload=${O:-build}/tests/bench/blkload
passphrase="perfectly secret passphrase"
queues=2

# A command of its own, so that no other test's processes are taken for ours.
chmod 755 .
cp "$VCRYPT" vcrypt
VCRYPT=$PWD/vcrypt
mkdir -m 777 public

vc_format public/secret.img --size 32M
know_secrets public/secret.img
# One whose header reader is caught while it works.
cp --sparse=always public/secret.img public/slow.img
make_slow public/slow.img
chmod 666 public/*.img
check_search

if [ "$(id -u)" -ne 0 ]; then
	serve public/secret.img --socket public/socket
	expect 2 "$secrets" scan known.passphrase known.key "$server"
	grep -q 'Permission denied' err || fail "$(cat err)"
	exit 0
fi

# The one child of the command: the header reader, then the worker.
child() {
	local pids

	pids=$(<"/proc/$command/task/$command/children")
	echo "${pids%% *}"
}

# When it has been at work for a while, which it only is on the key.
stop_reader() {
	local stat

	reader=$(child)
	[ -n "$reader" ] || return
	read -ra stat <"/proc/$reader/stat"
	[ "${stat[13]}" -ge 5 ] && kill -STOP "$reader"
}

# begin_serving IMAGE: at a terminal, where the passphrase is typed.
begin_serving() {
	rm -f keyboard
	mkfifo keyboard
	: >screen
	script -qefc "$(printf '%q ' "${before[@]}" "${as_user[@]}" "$VCRYPT" \
		serve --socket public/socket --queues $queues \
		"public/$1")" screen <keyboard >/dev/null 2>&1 &
	terminal=$!
	cleanup kill -KILL "$terminal"
	exec 3>keyboard
	wait_for 100 prompted 0
	command=$(vc_pids)
	nothing_in "$command" "command that asks"
	told_of "$command"
	cleanup kill -KILL "$command"
	printf '%s\r' "$passphrase" >&3
}

has_ended() {
	[ -z "$(vc_pids)" ]
}

end_serving() {
	kill "-$1" "$command"
	exec 3>&-
	wait "$terminal" || true
	wait_for 100 has_ended
}

check_unlocking() {
	wait_for 100 stop_reader
	scan "$command"
	[ "$(figure key)" -eq 0 ] || fail "a key before there is one"
	if [ "$with_secretmem" = 1 ]; then
		nothing_in "$command" "command that unlocks"
		[ "$(figure hidden)" -gt 0 ] || fail "no secret memory"
	else
		grep -q '^passphrase 1 /dev/zero (deleted)$' found ||
			fail "not in locked memory: $(cat found)"
		[ "$(figure passphrase)" -eq 1 ] || fail "$(cat found)"
	fi
	found_in_reader "$reader"
	told_of "$command"
	told_of "$reader"
	# The reader goes first when memory runs out, and nobody else does.
	[ "$(cat "/proc/$reader/oom_score_adj")" -eq 1000 ] || fail "not first"
	[ "$(cat "/proc/$command/oom_score_adj")" -eq \
		"$(cat /proc/self/oom_score_adj)" ] || fail "the command first"
	kill -KILL "$reader"
}

check_serving() {
	local worker

	worker=$(child)
	found_in_monitor "$command"
	found_in_worker "$worker" $queues
	told_of "$command"
	told_of "$worker"
}

serve_and_search() {
	with_secretmem=$1
	shift
	before=("$@")
	begin_serving slow.img
	check_unlocking
	end_serving KILL
	begin_serving secret.img
	wait_for 100 grep -q "^$PWD/public/socket" screen
	check_serving
	"$blkload" --socket public/socket --rw randrw --bs 16k --queues 2 \
		--warmup 0 --seconds 1 >load.txt &
	load=$!
	wait_for 100 pgrep -P "$$" -x blkload >load.pid
	check_serving
	check_serving
	wait "$load" || fail "load: $(cat load.txt)"
	check_serving
	expect 2 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$secrets" scan /dev/null /dev/null "$command"
	not_in_files screen load.txt
	end_serving TERM
}

not_in_kernel_log() {
	dmesg >kernel.log 2>err || return 0
	not_in_files kernel.log
}

serve_and_search 1
serve_and_search 0 "${without_secretmem[@]}"
not_in_kernel_log
