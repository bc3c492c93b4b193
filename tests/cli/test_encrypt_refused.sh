# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What encrypt refuses, before anybody types and with nothing changed.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

# refused STATUS PATTERN ARGUMENT...: so it ends, and leaves nothing.
refused() {
	local status=$1 pattern=$2 before

	shift 2
	before=$(find . -type f ! -name out ! -name err | sort)
	expect "$status" vc_encrypt "$@"
	says "$pattern"
	[ "$(find . -type f ! -name out ! -name err | sort)" = "$before" ] ||
		fail "files were made or removed by: $*"
}

head -c 1M /dev/urandom >a.img
sum=$(sha256sum a.img)

refused 4 'none.img: No such file' none.img
mkdir folder
refused 4 'folder: is a directory' folder
: >empty.img
refused 4 'empty.img: 0 bytes are no disk image' empty.img
printf 'QFI\373' | dd of=q.img conv=notrunc status=none
truncate -s 1M q.img
refused 4 'q.img: is a qcow2 image, no plain disk image \(qemu-img convert' q.img
vc_format l.img --size 17M
refused 4 'l.img: is a LUKS container' l.img
refused 4 'no/b.luks.part: its folder: No such file' a.img --output no/b.luks
refused 1 '--replace and --output do not go together' a.img --replace \
	--output b
refused 1 'key of 128 bits is not possible' a.img --key-size 128
refused 1 'sector size of 700' a.img --sector-size 700
refused 1 'IMAGE' a.img b.img

# Somebody else's file under the name of the unfinished container.
echo "not yours" >a.img.luks.part
refused 5 'a.img.luks.part: exists and is not what an earlier run left' a.img
refused 5 'a.img.luks.part: exists and is not' a.img --restart
[ "$(cat a.img.luks.part)" = "not yours" ]
rm a.img.luks.part
ln -s a.img a.img.luks.part
refused 4 'a.img.luks.part: Too many levels of symbolic links' a.img
rm a.img.luks.part

# In use: open for writing, locked, a virtual machine's disk.
exec 9<>a.img
refused 5 'a.img: is open for writing in another program' a.img
exec 9>&-
exec 9<a.img
flock -x 9
refused 5 'a.img: is locked by another program \(flock\)' a.img
exec 9>&-
qemu_serves --blockdev file,node-name=f,filename=a.img,locking=on \
	--export vhost-user-blk,id=e,node-name=f,writable=on,addr.type=unix,addr.path=socket
cleanup kill "$server"
refused 5 'a.img: is (in use by a virtual machine|open for writing)' a.img
kill "$server"
wait "$server" || true
rm -f socket

# Two of them: while one waits for its key, the other one is done.
mkfifo key
"$VCRYPT" encrypt "${fast_pbkdf[@]}" --key-file key a.img 2>first.txt &
first=$!
cleanup kill "$first"
wait_for 100 grep -q "OFDLCK.*:$(stat -c %i a.img) 0 0\$" /proc/locks
expect 0 vc_encrypt a.img
printf %s "$passphrase" >key
status=0
wait "$first" || status=$?
[ "$status" -eq 5 ] || fail "status $status of the first"
grep -q '^vcrypt: a.img.luks: exists' first.txt
[ ! -e a.img.luks.part ] || fail "the first has left something"
rm a.img.luks

[ "$(sha256sum a.img)" = "$sum" ] || fail "the image was changed"
