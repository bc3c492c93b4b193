# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What the tests of the command share beyond tests/functions.sh: they run on
# this machine as whoever runs them, need no VDUSE, and leave the machine as
# it was.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# That of script(1), which is to understand what bash has quoted.
export SHELL=$BASH

# The names of all commands, a line each: "format", "key add".
command_names() {
	"$VCRYPT" help | grep -E '^  [a-z]' | sed 's/^  //; s/  .*//'
}

# prompted SIZE: a question has come since the screen had SIZE bytes.
prompted() {
	[ "$(stat -c %s screen)" -gt "$1" ] && [ "$(tail -c 2 screen)" = ": " ]
}

# on_terminal INPUT COMMAND...: the command gets a terminal of its own, on
# which INPUT is typed, a line for each question; what it showed is left in the
# file "screen" and the exit status is its own.
on_terminal() {
	local input=$1 shown=0

	shift
	requires script
	: >screen
	while IFS= read -r line; do
		wait_for 100 prompted "$shown"
		shown=$(stat -c %s screen)
		printf '%s\r' "$line"
	done <<<"$input" |
		script -qefc "$(printf '%q ' "$@")" screen >/dev/null
}

# Whether the server takes connections; fails when it has ended instead.
served() {
	[ -s served ] || kill -0 "$server" || { cat log; fail "no server"; }
	[ -s served ]
}

# serve IMAGE OPTION...: a server in the background, whose process id is
# $server; returns when it takes connections. Its log is in the file "log".
serve() {
	rm -f served
	printf %s "$passphrase" >key
	"${as_user[@]}" "$VCRYPT" serve --key-file - "$@" <key >served 2>log &
	server=$!
	cleanup kill -KILL "$server"
	wait_for 100 served
}

# qemu_serves OPTION...: a qemu-storage-daemon in the background, whose process
# id is $server; returns when it takes connections, which it does not as soon as
# its socket has a name.
qemu_serves() {
	requires qemu-storage-daemon
	rm -f qemu.pid
	qemu-storage-daemon --pidfile qemu.pid "$@" &
	server=$!
	wait_for 100 test -s qemu.pid
}

# opens IMAGE OPTION...: with what the options say, and standard input, it can
# be served. The server's messages are in the file "log".
opens() {
	rm -f served
	"$VCRYPT" serve --socket socket "$@" >served 2>log <&0 &
	server=$!
	wait_for 100 served_or_ended
	[ -s served ] || { cat log; fail "not opened: $*"; }
	kill -TERM "$server"
	wait "$server"
}

served_or_ended() {
	[ -s served ] || ! kill -0 "$server" 2>/dev/null
}

# The server's worker, which has the data path.
worker() {
	local pids

	pids=$(<"/proc/$server/task/$server/children")
	echo "${pids%% *}"
}

# Who "serve" runs as: nobody, where that can be chosen.
as_user=()
if [ "$(id -u)" -eq 0 ]; then
	as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi

# vc_encrypt IMAGE [OPTION...]: "vcrypt encrypt", with $passphrase; "under" is
# what it runs under.
under=()
vc_encrypt() {
	printf %s "$passphrase" | "${under[@]}" "$VCRYPT" encrypt --key-file - \
		"${fast_pbkdf[@]}" "$@"
}

# holds CONTAINER FILE: what cryptsetup decrypts is the file, byte for byte,
# and then zeroes at most. Works on a copy, with files named decrypted*.
holds() {
	local size

	size=$(stat -c %s "$2")
	cp --sparse=always "$1" decrypted
	printf %s "$passphrase" >decrypted-key
	rm -f decrypted-header
	cryptsetup reencrypt -q --decrypt --header decrypted-header \
		--force-offline-reencrypt --disable-locks \
		--key-file decrypted-key decrypted >decrypted-log 2>&1 ||
		{ cat decrypted-log; fail "cryptsetup cannot decrypt $1"; }
	cmp -n "$size" "$2" decrypted || fail "$1 does not hold $2"
	# cryptsetup moves the data to the start: what is behind is left over.
	cmp -n $(($(stat -c %s "$1") - 16777216 - size)) decrypted /dev/zero \
		-i "$size:0" || fail "$1 has more than $2 and zeroes"
}

# rewrite IMAGE FILTER: both copies of the metadata, with their checksums.
rewrite() {
	requires cryptsetup jq python3
	cryptsetup luksDump --dump-json-metadata "$1" | jq -c "$2" >metadata
	python3 - "$1" metadata <<'END'
import hashlib, sys
json = open(sys.argv[2], "rb").read().strip()
with open(sys.argv[1], "r+b") as f:
    size = int.from_bytes(f.read(16)[8:], "big")
    for start in 0, size:
        f.seek(start)
        head = bytearray(f.read(4096))
        text = json.ljust(size - 4096, b"\0")
        head[448:512] = bytes(64)
        head[448:480] = hashlib.sha256(head + text).digest()
        f.seek(start)
        f.write(head + text)
END
	# The real cryptsetup takes it for a header.
	cryptsetup isLuks --type luks2 "$1" || fail "no header: $2"
}

# make_slow IMAGE: to unlock it takes minutes, in its first key slot's key
# derivation, and cannot succeed.
make_slow() {
	rewrite "$1" '.keyslots["0"].kdf.iterations = 1000000000'
}

# in_mounts SCRIPT: run it in a mount namespace of its own, with this file as
# its argument. It exits with 99 where it is allowed no mount.
in_mounts() {
	local who status

	requires unshare
	for who in "--user --map-root-user" ""; do
		status=0
		# shellcheck disable=SC2086 # a list of options
		unshare $who --mount bash "$1" "${BASH_SOURCE[0]}" >inner 2>&1 ||
			status=$?
		[ "$status" -eq 99 ] || grep -q '^unshare:' inner || break
	done
	if [ "$status" -eq 99 ] || grep -q '^unshare:' inner; then
		skip "no mount namespace can be had here"
	fi
	[ "$status" -eq 0 ] || { cat inner; fail "$(sed -n 's/^fail: //p' inner)"; }
}

# given_back FOLDER: a file system is as full as what is in it. The kernel lets
# go of a file that a process had in its io_uring some time after both are gone.
given_back() {
	[ $(($(stat -f -c '(%b - %f) * %S' "$1"))) -le \
		"$(du -s --block-size=1 "$1" | cut -f1)" ]
}

# control_group MIB: a control group, of version 1 or 2, that has so much memory
# and swap together. ${in_group[@]} before a command runs it there, as nobody.
control_group() {
	local root limit

	[ "$(id -u)" -eq 0 ] || skip "only root can make a control group"
	requires setpriv
	group=
	for root in /sys/fs/cgroup/memory /sys/fs/cgroup \
		/sys/fs/cgroup/unified; do
		mkdir "$root/vcrypt-test-$$" 2>/dev/null || continue
		cleanup rmdir "$root/vcrypt-test-$$"
		for limit in memory.max memory.limit_in_bytes \
			memory.memsw.limit_in_bytes; do
			[ -e "$root/vcrypt-test-$$/$limit" ] || continue
			group=$root/vcrypt-test-$$
			echo $(($1 << 20)) >"$group/$limit"
		done
		[ -z "$group" ] || break
	done
	[ -n "$group" ] || skip "no memory control group can be made"
	[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
	# shellcheck disable=SC2016,SC2034 # for the inner shell, for the tests
	in_group=(bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group"
		setpriv --reuid 65534 --regid 65534 --clear-groups
		--bounding-set -all --no-new-privs)
	kills_before=$(kills)
}

# How many processes of the group died because its memory was used up.
kills() {
	local file=$group/memory.events

	[ -e "$file" ] || file=$group/memory.oom_control
	awk '$1 == "oom_kill" { print $2; n++ } END { exit !n }' "$file"
}

no_kills() {
	[ "$(kills)" = "$kills_before" ] ||
		fail "memory ran out: $(kills) killed"
}
