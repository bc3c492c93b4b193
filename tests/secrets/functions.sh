# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What the tests that look for secrets in memory share, on this machine and in
# the guest; read after functions.sh of either.

secrets=${O:-build}/tests/secrets/secrets
with_secretmem=1
# shellcheck disable=SC2034 # for the tests
without_secretmem=("$secrets" without-secretmem)

# know_secrets IMAGE: leave the passphrase and the volume key in files.
know_secrets() {
	requires cryptsetup
	# shellcheck disable=SC2154 # of tests/functions.sh
	printf %s "$passphrase" >known.passphrase
	rm -f known.key
	cryptsetup luksDump --batch-mode --dump-volume-key \
		--volume-key-file known.key --key-file known.passphrase \
		"$1" >dump.txt
	[ "$(stat -c %s known.key)" -eq 64 ] || fail "no volume key"
	rm dump.txt
}

# scan PID: what is found goes to the file "found".
scan() {
	local status=0

	"$secrets" scan known.passphrase known.key "$1" >found 2>err ||
		status=$?
	[ "$status" -lt 2 ] || fail "scan: $(cat err)"
	[ "$(figure seen)" -gt 100000 ] || fail "hardly any memory was seen"
}

# figure KIND: how many were found, or bytes seen, hidden, unread.
figure() {
	awk -v kind="$1" '$1 == kind { n += $2 } END { print n + 0 }' found
}

# nothing_in PID WHAT
nothing_in() {
	scan "$1"
	! grep -qE '^(passphrase|key|encrypting|decrypting) ' found ||
		fail "in memory of the $2: $(cat found)"
}

# found_in PID WHAT KEY ENCRYPTING DECRYPTING: as many blocks, in locked memory
# and nowhere else.  Where there is secret memory nothing can be seen of it.
found_in() {
	local kind

	if [ "$with_secretmem" = 1 ]; then
		nothing_in "$1" "$2"
		[ "$(figure hidden)" -gt 0 ] || fail "$2: no secret memory"
		return
	fi
	scan "$1"
	set -- "$1" "$2" passphrase:0 "key:$3" "encrypting:$4" "decrypting:$5"
	for kind in "${@:3}"; do
		[ "$(figure "${kind%:*}")" -eq "${kind#*:}" ] ||
			fail "$2: not $kind: $(cat found)"
	done
	! grep -E '^(key|encrypting|decrypting) ' found |
		matches -v ' /dev/zero (deleted)$' ||
		fail "$2: outside of locked memory: $(cat found)"
	[ "$(figure hidden)" -eq 0 ] || fail "the test is wrong: hidden memory"
}

# is_locked PID REGION: all of the regions of this name, which are there.
is_locked() {
	awk -v name="$2" '
		$1 ~ /^[0-9a-f]+-[0-9a-f]+$/ { inside = $6 == name }
		$1 == "VmFlags:" && inside { n++; locked += / lo / }
		END { exit !n || locked != n }' "/proc/$1/smaps"
}

# found_in_reader PID: the header reader works on the passphrase where the
# command has it, and where OpenSSL has its memory; the rest is locked.
found_in_reader() {
	scan "$1"
	[ "$with_secretmem" = 0 ] || nothing_in "$1" "header reader"
	! grep -E '^[a-z]* [0-9]* ' found | matches -v ' /dev/zero (deleted)$' ||
		fail "header reader: elsewhere: $(cat found)"
	is_locked "$1" '[heap]' || fail "header reader: its heap can be swapped"
}

# The monitor has the key: four blocks.
found_in_monitor() {
	found_in "$1" monitor 4 0 0
}

# found_in_worker PID QUEUES: a context for either direction, for itself and
# for each thread that serves queues.  One that encrypts has four blocks of the
# key and 26 later round keys; one that decrypts 13 inverse ones, and of the
# tweak's schedule, and its own ends, three and 14.
found_in_worker() {
	local n

	n=$(nproc)
	[ "$n" -lt "$2" ] || n=$2
	n=$((n + 1))
	found_in "$1" worker $((7 * n)) $((40 * n)) $((13 * n))
}

# The search is worth something: it finds what is held openly.
check_search() {
	local holder

	"$secrets" hold known.passphrase known.key >held &
	holder=$!
	cleanup kill "$holder"
	wait_for 100 grep -q ready held
	scan "$holder"
	for kind in passphrase:1 key:11 encrypting:40 decrypting:13; do
		[ "$(figure "${kind%:*}")" -eq "${kind#*:}" ] ||
			fail "the search does not find $kind: $(cat found)"
	done
	kill "$holder"
}

# not_in_files FILE...: not in these, as bytes or in hexadecimal digits.
not_in_files() {
	local file digits

	digits=$(od -An -v -tx1 known.key | tr -d ' \n')
	for file in "$@"; do
		"$secrets" file known.passphrase known.key "$file" >found ||
			fail "$file: $(cat found)"
		! grep -qiE "${digits:0:16}|${digits:64:16}" "$file" ||
			fail "$file: the key in digits"
	done
}

# told_of PID: nothing in what anybody may read of a process, and it is kept
# from its own user.
told_of() {
	cat "/proc/$1"/{cmdline,environ,maps,status} >told
	not_in_files told
	grep -q '^Max core file size  *0  *0 ' "/proc/$1/limits" ||
		fail "$(grep core "/proc/$1/limits")"
	[ "$(stat -c %u "/proc/$1/mem")" -eq 0 ] || fail "may be dumped"
}
