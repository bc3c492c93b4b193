# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# resize of an image that is not open: the file gets its size, the rest stays.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

[ "$(id -u)" -eq 0 ] && chown 65534 .
chmod 755 .
as() {
	"${as_user[@]}" env XDG_RUNTIME_DIR="$PWD/run" "$VCRYPT" "$@"
}
"${as_user[@]}" mkdir -m 700 run

has() {
	[ "$(stat -c %s "$1")" -eq "$2" ] || fail "$1: $(stat -c %s "$1") bytes"
}

vc_format a.img --size 20M --wipe
chmod 666 a.img
cp a.img copy

# Larger: what was there is the same, and cryptsetup takes it.
as resize a.img --size 30M
has a.img $((30 << 20))
cmp -n $((20 << 20)) a.img copy
printf %s "$passphrase" |
	cryptsetup open --test-passphrase --key-file - a.img
as resize ./a.img --size 30M
blocks=$(stat -c %b a.img)
as resize a.img --size 40M --preallocate --progress json >out
[ $(($(stat -c %b a.img) - blocks)) -ge $((10 << 11)) ] ||
	fail "nothing was allocated"
grep -q '"job":"preallocate","done":41943040,"total":41943040' out ||
	fail "$(cat out)"

# Smaller: only after a question.
expect 1 as resize a.img --size 20M </dev/null
says 'a.img: there is no terminal to ask at'
has a.img $((40 << 20))
status=0
on_terminal no "$VCRYPT" resize a.img --size 20M || status=$?
[ "$status" -eq 1 ] || fail "status $status"
grep -q 'The last 20971520 bytes of a.img will be cut off' screen
has a.img $((40 << 20))
on_terminal YES "$VCRYPT" resize a.img --size 25M
has a.img $((25 << 20))
as resize a.img --size 20M --batch-mode </dev/null
cmp a.img copy

# Sizes that are none.
for size in 1 64K 20000001; do
	expect 1 as resize a.img --batch-mode --size "$size"
	says "a.img: [0-9]* bytes are not the header's [0-9]* and then"
done
expect 1 as resize a.img
says 'a.img is not open: --size is needed'
cmp a.img copy

# No container, or not as a whole.
head -c 20M /dev/zero >zeroes
chmod 666 zeroes
expect 4 as resize zeroes --size 30M
says 'zeroes: not a LUKS container'
expect 4 as resize . --size 30M
has zeroes $((20 << 20))
vc_format d.img --size 2M --header d.header
chmod 666 d.img d.header
as resize d.img --header d.header --size 4M
has d.img $((4 << 20))
expect 1 as resize a.img --header a.img --size 30M
says '--header: a.img is the image itself'
truncate -s 10M one.img
printf pw | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	--key-file - one.img
chmod 666 one.img
as resize one.img --size 12M
has one.img $((12 << 20))

# Not while it is open, by whatever name.
cleanup as close v
printf %s "$passphrase" |
	as open --key-file - a.img v --vhost-user s >/dev/null
expect 5 as resize a.img --size 30M
says 'a.img: is open already'
# A name counts more than a file of that name.
cp copy v
chmod 666 v
expect 1 as resize v --size 30M --batch-mode
says 'v is open: only --size is possible'
as resize v --size 30M
has v $((20 << 20))
has a.img $((30 << 20))
as close v
as resize v --size 31M
has v $((31 << 20))

# What cannot be had is undone: a file system that gets full, in a mount
# namespace of its own.
mkdir full
cat >in_namespace <<'INNER'
mount -t tmpfs -o size=32M none full || exit 99
cp copy full/a.img || exit 99
"$1" resize full/a.img --size 60M --preallocate
status=$?
cmp -s copy full/a.img || echo "full/a.img is not what it was" >&2
exit $status
INNER
for who in "--user --map-root-user" ""; do
	status=0
	# shellcheck disable=SC2086 # a list of options
	unshare $who --mount sh in_namespace "$VCRYPT" >out 2>err || status=$?
	[ "$status" -eq 99 ] || grep -q '^unshare:' err || break
done
if [ "$status" -eq 99 ] || grep -q '^unshare:' err; then
	exit 0 # the machine allows no mounts
fi
[ "$status" -eq 4 ] || { cat err; fail "status $status"; }
says 'full/a.img: no room for 41943040 bytes: No space left on device'
! grep -q 'is not what it was' err || fail "$(cat err)"
