# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A small limit of locked memory (ulimit -l), for who has no privileges: a
# command works, or says in one line what is too small. What is no secret, the
# buffers of the queues, goes unregistered, and status and the log say so.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
# shellcheck source=tests/secrets/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../secrets/functions.sh"
requires setpriv prlimit taskset

uid=64000
before=()

# limited KIB COMMAND...: the kernel counts registered buffers for a user, and
# lets go of them in its own time, so each gets a user of its own.
limited() {
	local limit=$(($1 << 10)) user=()

	shift
	[ "$(id -u)" -ne 0 ] || user=(setpriv --reuid "$uid" --regid "$uid"
		--clear-groups --bounding-set=-all)
	prlimit --memlock="$limit:$limit" "${user[@]}" \
		env XDG_RUNTIME_DIR="$PWD/run" "${before[@]}" "$VCRYPT" "$@"
}

another_user() {
	uid=$((uid + 1))
	rm -rf run
	mkdir -m 700 run
	[ "$(id -u)" -ne 0 ] || chown "$uid:$uid" run
}

registered() {
	limited 8192 status --json v | grep -c '"registered": *true' || true
}

# opens KIB QUEUES REGISTERED
opens() {
	another_user
	cleanup limited 8192 close v
	expect 0 limited "$1" open --key-file key --queues "$2" \
		--vhost-user run/s secret.img v
	# Other processes of this user count as well.
	[ "$(id -u)" -ne 0 ] || [ "$(registered)" -eq "$3" ] ||
		fail "$1 KiB, $2 queues: not $3, $(registered) registered"
	limited 8192 status v >out
	grep -q "^  buffers: *$(registered) of $2 queues" out ||
		fail "$(cat out)"
	if [ "$(registered)" -lt "$2" ]; then
		[ "$(grep -c "$(registered) of $2 queues have buffers regis" \
			out)" -eq 1 ] || fail "not in the log: $(cat out)"
	fi
	limited 8192 close v
}

# refused KIB COMMAND...
refused() {
	expect 3 limited "$@"
	says 'locked memory.*ulimit -l'
	[ "$(wc -l <err)" -eq 1 ] || fail "more than a line: $(cat err)"
}

check_commands() {
	another_user
	for kib in 0 64; do
		refused $kib open --key-file key --vhost-user run/s \
			secret.img v
		refused $kib serve --key-file key --socket run/s secret.img
		[ ! -e run/s ] || fail "a socket is left behind"
		expect 0 limited $kib list
		expect 0 limited $kib status
	done
	refused 0 format --key-file key --size 20M "${fast_pbkdf[@]}" run/a.img
	[ ! -e run/a.img ] || fail "an image is left behind"
	refused 0 dump secret.img
	refused 0 check secret.img
	refused 0 header backup secret.img run/backup
	# Without a key there is little to lock.
	expect 0 limited 64 dump secret.img
	expect 0 limited 64 check secret.img
	expect 0 limited 64 header backup secret.img run/backup
	expect 3 limited 64 encrypt plain.img --key-file key \
		--output run/b.img "${fast_pbkdf[@]}"
	says 'locked memory.*ulimit -l'
	[ ! -e run/b.img ] || fail "an image is left behind"
	expect 0 limited 8192 encrypt plain.img --key-file key \
		--output run/b.img "${fast_pbkdf[@]}"
	expect 0 limited 8192 format --key-file key --size 20M \
		"${fast_pbkdf[@]}" run/a.img
}

chmod 755 .
printf %s "$passphrase" >key
vc_format secret.img --size 20M
truncate -s 1M plain.img
chmod 644 key
chmod 666 plain.img
chmod 666 secret.img
check_commands
another_user
refused 2048 open --key-file key --vhost-user run/s secret.img v
opens 6144 1 0
opens 8192 1 1
# A thread for each CPU: the second one is beyond the limit.
[ "$(nproc)" -eq 1 ] || opens 8192 2 1
# The queues of one thread have theirs together.
before=(taskset -c "$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')")
opens 8192 8 8
before=("${without_secretmem[@]}")
check_commands
[ "$(nproc)" -eq 1 ] || opens 8192 2 1
