# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# timeout: 900
#
# The whole life of a container, with data, by somebody without privileges
# where 300 MiB of memory is all there is: nothing is killed, and after every
# step another opening reads what was written.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup jq

control_group 300

# Where nobody can get at it.
dir=$(mktemp -d /tmp/vcrypt-test.XXXXXX)
cleanup rm -rf "$dir"
chmod 755 "$dir"
cp "$VCRYPT" "$dir/vcrypt"
cp "${O:-build}/tests/bench/blkload" "$dir/blkload"
mkdir "$dir/home"
cd "$dir/home"
for n in 1 2 3; do printf 'pass %s' "$n" >"key$n"; done
head -c 5M /dev/urandom >plain.img
truncate -s 12M plain.img
chown -R 65534:65534 .

VCRYPT=$dir/vcrypt
as_user=("${in_group[@]}")
as() {
	"${in_group[@]}" env XDG_RUNTIME_DIR="$dir/home" "$VCRYPT" "$@"
}

# load OPTION...: requests to what is served.
load() {
	"${in_group[@]}" "$dir/blkload" --socket s --bs 64k --warmup 0 "$@"
}

# with IMAGE KEY OPTION...: serve it, load it, end it.
with() {
	passphrase=$(<"$2")
	serve "$1" --socket s --queues 2
	shift 2
	load "$@" >out || fail "$*: $(cat log)"
	kill -TERM "$server"
	wait "$server" || fail "serve: $(cat log)"
}

# There is no more than that, and it would be seen.
expect 137 "${in_group[@]}" dd if=/dev/zero of=/dev/null bs=400M count=1 \
	iflag=fullblock
[ "$(kills)" != "$kills_before" ] || fail "the test is wrong: no limit"
kills_before=$(kills)

# What is measured to be affordable here is in test_small_memory.sh.
costs=(--pbkdf-memory 40000 --pbkdf-force-iterations 4)
expect 0 as format --key-file key1 --size 40M "${costs[@]}" --wipe a.img
with a.img key1 --rw fill --seed 1
with a.img key1 --rw check --seed 1

# Key slots.
expect 0 as key add --key-file key1 --new-key-file key2 "${costs[@]}" a.img
expect 0 as key change --key-file key2 --new-key-file key3 "${costs[@]}" a.img
expect 0 as key remove --key-file key1 a.img
with a.img key3 --rw check --seed 1
expect 2 as serve --key-file key1 --socket s a.img

# Under load, open under a name, and made larger meanwhile.
cleanup as close v
expect 0 as open --key-file key3 --vhost-user "$PWD/s" --queues 2 a.img v
server=$(as status --json v | jq .worker_pid)
load --rw randrw --verify --depth 64 --seconds 0.5 --queues 2 --pid "$server" >out
load --rw fill --seed 2 --pid "$server" >out
expect 0 as resize v --size 60M
expect 0 as status v
expect 0 as close v
[ "$(stat -c %s a.img)" -eq $((60 << 20)) ] || fail "not resized"
with a.img key3 --rw check --seed 2 --range 30M
expect 0 as resize a.img --size 50M --batch-mode
expect 0 as resize a.img --size 70M --preallocate
with a.img key3 --rw check --seed 2 --range 30M
with a.img key3 --rw fill --seed 3

# The header: damaged, lost, brought back.
expect 0 as header backup a.img a.bak
expect 0 as check a.img
printf damaged | dd of=a.img bs=1 seek=5000 conv=notrunc status=none
expect 4 as check a.img
expect 0 as header repair a.img
with a.img key3 --rw check --seed 3
expect 0 as erase --batch-mode a.img
expect 4 as serve --key-file key3 --socket s a.img
says 'no key slot is left'
expect 0 as header restore --batch-mode a.img a.bak
with a.img key3 --rw check --seed 3
cryptsetup open --test-passphrase --key-file key3 a.img

# From a plain image.
expect 0 as encrypt --key-file key2 "${costs[@]}" plain.img
passphrase="pass 2"
holds plain.img.luks plain.img
with plain.img.luks key2 --rw randrw --verify --seconds 0.2

no_kills
