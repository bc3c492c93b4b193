# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# No room for all of the container: said in figures before anybody types; and
# where it shows later only, what was done stays and can be gone on with.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires strace cryptsetup

mkdir full
truncate -s 30M a.img
printf x | dd of=a.img bs=1 seek=20M conv=notrunc status=none
printf %s "$passphrase" >key
mkfifo later

cat >in_namespace <<'INNER'
. "$1"
mount -t tmpfs -o size=60M none full || exit 99
encrypt=("$VCRYPT" encrypt "${fast_pbkdf[@]}" a.img --output full/a.luks)

# encrypt_late COMMAND...: the disk is full by the time the key is there.
encrypt_late() {
	local pid status=0

	wait_for 100 given_back full
	: >err # that of the one before says it as well
	"$@" --key-file later >out 2>err &
	pid=$!
	wait_for 100 grep -q 'takes [0-9]* MiB more' err
	head -c 40M /dev/zero >full/other
	cat key >later
	wait "$pid" || status=$?
	rm full/other
	[ "$status" -eq 4 ] || { cat err; fail "status $status"; }
}

truncate -s 80M big.img
expect 4 "$VCRYPT" encrypt --key-file key big.img --output full/big
says '^vcrypt: full/big.part: no room: 100[0-9]* bytes are needed and 6[0-9]* are'
[ -z "$(ls -A full)" ] || fail "left: $(ls -A full)"

# The file system can keep room for it, and has not as much.
encrypt_late "${encrypt[@]}"
says 'full/a.luks.part: no room for [0-9]* bytes: No space left on device'
[ -z "$(ls -A full)" ] || fail "left: $(ls -A full)"

# One that cannot, and gets full while it is written to.
encrypt_late strace -qq -o trace -e trace=fallocate \
	-e inject=fallocate:error=EOPNOTSUPP "${encrypt[@]}"
says 'full/a.luks.part: cannot be written at byte [0-9]*: No space left on device \(the same command goes on\)'
[ -e full/a.luks.part ] || fail "what was done is gone"
wait_for 100 given_back full
expect 0 "${encrypt[@]}" --key-file key
cp full/a.luks .
INNER

in_mounts in_namespace
holds a.luks a.img
