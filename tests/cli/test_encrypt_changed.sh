# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# An image that has changed since its encryption was begun is not mixed with
# what it was: it is said, and --restart begins again.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup strace

# Ended when the header is there, before anything is copied.
begin() {
	under=(strace -qq -o trace -e trace=io_uring_setup
		-e inject=io_uring_setup:signal=KILL)
	vc_encrypt a.img 2>err && fail "it was not killed"
	under=()
	[ -e a.img.luks.part ] || { cat err; fail "nothing was begun"; }
}

head -c 5M /dev/urandom >a.img
begin
printf x | dd of=a.img conv=notrunc status=none
expect 4 vc_encrypt a.img
says 'a.img.luks.part: a.img has changed since this was begun \(--restart'
expect 0 vc_encrypt --restart a.img
holds a.img.luks a.img
rm a.img.luks

# Another size, another file of the same name.
begin
truncate -s 6M a.img
expect 4 vc_encrypt a.img
says 'a.img has changed since'
expect 0 vc_encrypt --restart a.img
holds a.img.luks a.img
rm a.img.luks
begin
cp -p a.img b.img
mv b.img a.img
expect 4 vc_encrypt a.img
says 'a.img has changed since'

# A header that was damaged meanwhile.
expect 0 vc_encrypt --restart a.img
rm a.img.luks
begin
dd if=/dev/urandom of=a.img.luks.part bs=1M count=8 conv=notrunc status=none
expect 4 vc_encrypt a.img
says 'a.img.luks.part: '
expect 0 vc_encrypt --restart a.img
holds a.img.luks a.img
