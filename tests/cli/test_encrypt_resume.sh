# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# An encryption that was ended, in whatever moment: the same command goes on,
# with the right passphrase, as long as the image is the same.
# timeout: 600

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup strace

# dies CALL N COMMAND...: the command gets $signal, or SIGKILL, when it makes that
# system call for the Nth time; fails if it never did. Its status is $status.
dies() {
	status=0
	under=(strace -qq -o trace -e "trace=$1"
		-e "inject=$1:signal=${signal:-KILL}:when=$2")
	shift 2
	"$@" >out 2>err || status=$?
	under=()
	[ "$status" -ne 0 ]
}

head -c 3000000 /dev/urandom >a.img
truncate -s 130M a.img
head -c 1000 /dev/urandom >>a.img
truncate -s 131M a.img
cp --sparse=always a.img a.copy

# Killed while it copies, after the first note of how far it is.
dies io_uring_enter 200 vc_encrypt a.img || fail "it was not killed"
[ -e a.img.luks.part ] || fail "nothing is left of it"
[ ! -e a.img.luks ] || fail "an unfinished container has its name"
[ "$(stat -c %a a.img.luks.part)" = 600 ] || fail "others may read it"

# Not with another passphrase.
printf wrong >wrong
expect 2 "$VCRYPT" encrypt --key-file wrong a.img
says 'a.img.luks.part: .*'
[ -e a.img.luks.part ]

# A signal of the user's: it says how far it is, and that it can go on.
signal=TERM dies io_uring_enter 20 vc_encrypt a.img || fail "SIGTERM is ignored"
[ "$status" -eq 143 ] || fail "status $status, not that of SIGTERM"
says 'a.img: stopped (encrypting|verifying) at [1-9][0-9]* % \(the same command'
[ -e a.img.luks.part ] || fail "SIGTERM has removed what was done"

# It goes on, and all of it is right.
expect 0 vc_encrypt a.img
cmp a.img a.copy
holds a.img.luks a.img
rm a.img.luks

# Killed at every call that changes a file, one after the other; each time it
# goes on from there, and it is right in the end.
head -c 9M a.copy >a.img
kills=0
for at in ftruncate:1 ftruncate:2 pwrite64:1 fallocate:1 fsync:1 fsync:2 \
	pwrite64:2 io_uring_enter:1 io_uring_enter:3 pwrite64:1 pwrite64:3 \
	fsync:1 io_uring_enter:5 fchown:1 fchmod:1 ftruncate:1 fsync:2 \
	renameat2:1; do
	if dies "${at%:*}" "${at#*:}" vc_encrypt a.img; then
		kills=$((kills + 1))
	else
		holds a.img.luks a.img
		rm a.img.luks
	fi
	[ ! -e a.img.luks ] || [ ! -e a.img.luks.part ] ||
		fail "two of them after $at"
done
[ "$kills" -ge 12 ] || fail "only $kills kills"

# The last one: all was done but for the name.
[ "$(stat -c %s a.img.luks.part)" -eq $((25 << 20)) ] || fail "not cut yet"
expect 0 vc_encrypt a.img
holds a.img.luks a.img
