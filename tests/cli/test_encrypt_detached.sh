# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A plain image becomes data whose header is a file of its own: what cryptsetup
# decrypts is the image, and a run that was killed is gone on with.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup strace

# Nothing of it needs a privilege.
if [ "${#as_user[@]}" -gt 0 ]; then
	chown 65534:65534 .
fi
head -c 1000000 /dev/urandom >a.img
truncate -s 3M a.img
chown --reference=. a.img
chmod 640 a.img
cp --sparse=always a.img a.copy
printf %s "$passphrase" >key

# pair DATA HEADER: nothing but these data, which cryptsetup decrypts.
pair() {
	cp "$1" data
	cp "$2" header
	[ "$(stat -c %s "$1")" -eq $((3 << 20)) ] || fail "another size"
	cryptsetup reencrypt -q --decrypt --header header \
		--force-offline-reencrypt --disable-locks --key-file key data \
		>decrypted-log 2>&1 || { cat decrypted-log; fail "cryptsetup"; }
	cmp data a.copy
	[ ! -e "$1.part" ] || fail "$1.part is left"
	[ ! -e "$2.part" ] || fail "$2.part is left"
}

under=("${as_user[@]}")
expect 0 vc_encrypt a.img --header a.hdr
cmp a.img a.copy
pair a.img.luks a.hdr
[ "$(stat -c '%a %U' a.hdr)" = "600 $(stat -c %U a.img)" ] || fail "mode"
"$VCRYPT" check --header a.hdr a.img.luks >/dev/null
expect 4 "$VCRYPT" check a.img.luks

# Names that are taken, or twice the same, before anything is made.
refused() {
	expect "$1" vc_encrypt a.img --output b.luks --header "$2"
	says "$3"
	[ ! -e b.luks.part ] || fail "something was made"
}
refused 5 a.hdr 'a.hdr: exists, and a header is a new file'
refused 1 ./b.luks 'b.luks is the name of another file of this encryption'
refused 1 b.luks.part 'b.luks.part is the name of another file'
refused 1 a.img 'a.img is the name of another file'
refused 1 '' 'a file needs a name'
refused 4 none/a.hdr 'none/a.hdr: its folder: No such file'
refused 5 /dev/null '/dev/null: exists and is no header'
echo precious >b.hdr.part
refused 5 b.hdr 'b.hdr.part: exists, without the unfinished container'
[ "$(cat b.hdr.part)" = precious ] || fail "b.hdr.part was overwritten"
rm b.hdr.part a.hdr a.img.luks

# Killed at every call that changes a file; it goes on, and is right at the end.
kills=0
for at in pwrite64:1 fallocate:1 fsync:2 pwrite64:2 ftruncate:3 \
	io_uring_enter:1 fsync:4 io_uring_enter:3 renameat2:1 ftruncate:1 \
	renameat2:1; do
	under=(strace -qq -o trace -e "trace=${at%:*}"
		-e "inject=${at%:*}:signal=KILL:when=${at#*:}")
	if vc_encrypt a.img --header a.hdr 2>err; then
		pair a.img.luks a.hdr
		rm a.img.luks a.hdr
	else
		kills=$((kills + 1))
		[ ! -e a.img.luks ] || [ -e a.hdr ] ||
			fail "data without a header after $at"
	fi
done
[ "$kills" -ge 8 ] || fail "only $kills kills"
under=()

# Killed between the two names, and after the last one: what is there counts.
if [ ! -e a.img.luks ]; then
	[ -e a.hdr ] || fail "the data were to be renamed before the header"
	expect 0 vc_encrypt a.img --header a.hdr
fi
pair a.img.luks a.hdr
rm a.img.luks a.hdr

# An unfinished one without its header cannot be gone on with.
under=(strace -qq -o trace -e trace=renameat2
	-e inject=renameat2:signal=KILL:when=1)
vc_encrypt a.img --header a.hdr 2>err && fail "it was not killed"
under=()
mv a.hdr a.hdr.part 2>/dev/null || true
mv a.hdr.part away
expect 4 vc_encrypt a.img --header a.hdr
says 'a.hdr.part: the header of the run that was ended is not there'
expect 0 vc_encrypt a.img --header a.hdr --restart
pair a.img.luks a.hdr
rm a.img.luks a.hdr

# In the place of the image; the header has its name first.
expect 0 vc_encrypt --replace a.img --header a.hdr
pair a.img a.hdr
