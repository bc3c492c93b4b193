# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# timeout: 120
# The life of a container where 300 MiB of memory is all there is, by somebody
# without privileges: key derivation takes what there is, and a header that
# asks for more is refused with the figures, not killed.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup setpriv

[ "$(id -u)" -eq 0 ] || skip "only root can make a control group"

# A control group of version 1 or 2; its limit is on memory and swap.
group=
for root in /sys/fs/cgroup/memory /sys/fs/cgroup /sys/fs/cgroup/unified; do
	mkdir "$root/vcrypt-test-$$" 2>/dev/null || continue
	cleanup rmdir "$root/vcrypt-test-$$"
	for limit in memory.max memory.limit_in_bytes; do
		[ -e "$root/vcrypt-test-$$/$limit" ] || continue
		group=$root/vcrypt-test-$$
		echo $((300 << 20)) >"$group/$limit"
	done
	[ -z "$group" ] || break
done
[ -n "$group" ] || skip "no memory control group can be made"
[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"

# Where nobody can get at it.
dir=$(mktemp -d /tmp/vcrypt-test.XXXXXX)
cleanup rm -rf "$dir"
chmod 755 "$dir"
cp "$VCRYPT" "$dir/vcrypt"
mkdir "$dir/home"
cd "$dir/home"
for n in 1 2 3; do printf 'pass %s' "$n" >"key$n"; done
truncate -s 20M big.img
cryptsetup luksFormat -q --pbkdf-memory 600000 --pbkdf-force-iterations 4 \
	big.img key1
chown -R 65534:65534 .

# Before a command: as nobody, in the group.
# shellcheck disable=SC2016 # for the inner shell
small=(bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group"
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all)

kills() {
	cat "$group"/memory.events "$group"/memory.oom_control 2>/dev/null |
		awk '$1 == "oom_kill" { print $2 }' || true
}

before=$(kills)
VCRYPT=$dir/vcrypt
fast=(--pbkdf-force-iterations 4)
expect 0 "${small[@]}" "$VCRYPT" format --key-file key1 --size 40M "${fast[@]}" a.img
expect 0 "${small[@]}" "$VCRYPT" key add --key-file key1 --new-key-file key2 \
	"${fast[@]}" a.img
expect 0 "${small[@]}" "$VCRYPT" key change --key-file key2 --new-key-file key3 \
	"${fast[@]}" a.img
expect 0 "${small[@]}" "$VCRYPT" key list --json a.img
# Half of 300 MiB at most.
sed -n 's/.*"memory_kib":\([0-9]*\).*/\1/p' out >costs
[ "$(wc -l <costs)" -eq 2 ] || fail "$(cat out)"
while read -r kib; do
	[ "$kib" -ge 32 ] && [ "$kib" -le 153600 ] || fail "$kib KiB"
done <costs

# What cannot be had is said, before anybody waits for it.
expect 3 "${small[@]}" "$VCRYPT" key add --key-file key1 --new-key-file key2 \
	--pbkdf-memory 600000 a.img
says '600000 KiB of memory .* this control group has [0-9]* KiB left'
expect 3 "${small[@]}" "$VCRYPT" serve --key-file key1 --socket sock big.img
says 'key slot 0 needs 585 MiB .* this control group has [0-9]* MiB left'
expect 3 "${small[@]}" "$VCRYPT" key change --key-file key1 --new-key-file key2 big.img
says 'key slot 0 needs 585 MiB .* this control group has [0-9]* MiB left'

# Header, data, end.
expect 0 "${small[@]}" "$VCRYPT" header backup a.img a.header
"${small[@]}" "$VCRYPT" serve --key-file key3 --socket sock a.img >served 2>log &
cleanup kill $!
server=$!
wait_for 20 test -s served
kill -TERM "$server"
wait "$server" || fail "serve: $(cat log)"
expect 0 "${small[@]}" "$VCRYPT" key remove --key-file key1 a.img
expect 2 cryptsetup open --test-passphrase --key-file key1 a.img
expect 0 cryptsetup open --test-passphrase --key-file key3 a.img
expect 0 "${small[@]}" "$VCRYPT" erase --batch-mode a.img
expect 4 "${small[@]}" "$VCRYPT" key add --key-file key3 --new-key-file key2 a.img
expect 0 "${small[@]}" "$VCRYPT" header restore --batch-mode a.img a.header
expect 0 cryptsetup open --test-passphrase --key-file key1 a.img
[ "$(kills)" = "$before" ] || fail "memory ran out: $(kills)"
