# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Containers of cryptsetup's in all shapes that are served, and what is written
# to them decrypted by others: LUKS1 by QEMU, in both directions, LUKS2 by
# cryptsetup itself, which turns the image into plain data. And key slots
# wherever cryptsetup puts them.
# timeout: 600

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

blkload=${O:-build}/tests/bench/blkload
fast=(-q --pbkdf-force-iterations 1000)
small=(--luks2-metadata-size 16k --luks2-keyslots-size 1008k --offset 2080)
server=
stop_server() {
	[ -z "$server" ] || kill "$server"
}
cleanup stop_server

# with_vcrypt IMAGE LOAD..., with_qemu DRIVER IMAGE LOAD...: serve it, and do
# that.
with_vcrypt() {
	rm -f s served
	"$VCRYPT" serve --socket s --key-file key "$1" >served 2>log &
	server=$!
	wait_for 100 served
	load "${@:2}"
}

with_qemu() {
	local driver=$1,node-name=d,file=f

	[ "$1" != luks ] || driver+=,key-secret=key
	rm -f s
	qemu_serves --object secret,id=key,file=key \
		--blockdev "file,node-name=f,filename=$2" \
		--blockdev "$driver" --export \
		vhost-user-blk,id=e,node-name=d,writable=on,addr.type=unix,addr.path=s
	load "${@:3}"
}

load() {
	"$blkload" --socket s --bs 64k --depth 4 --range 1M "$@" >out 2>err ||
		{ cat log err; fail "$shape: $*"; }
	kill "$server"
	wait "$server" || fail "$shape: the server failed"
	server=
}

printf %s "$passphrase" >key

for shape in sha1:256 sha256:512 sha512:512 ripemd160:256; do
	rm -f one.img
	truncate -s 4M one.img
	cryptsetup luksFormat "${fast[@]}" --type luks1 -c aes-xts-plain64 \
		-h "${shape%:*}" -s "${shape#*:}" one.img key
	with_qemu luks one.img --rw fill
	with_vcrypt one.img --rw check
	with_vcrypt one.img --rw fill --seed 2
	with_qemu luks one.img --rw check --seed 2
done

for shape in 512:256 1024:512 2048:256 4096:512; do
	rm -f two.img header.img
	truncate -s 4M two.img
	cryptsetup luksFormat "${fast[@]}" --pbkdf pbkdf2 "${small[@]}" \
		-c aes-xts-plain64 --sector-size "${shape%:*}" \
		-s "${shape#*:}" two.img key 2>/dev/null
	with_vcrypt two.img --rw fill
	cryptsetup reencrypt -q --decrypt --force-offline-reencrypt -d key \
		--header header.img two.img 2>/dev/null
	with_qemu raw two.img --rw check
done

# Key slots: the last one, one for nothing, one that is preferred, and one that
# is only for who asks for it.
shape="key slots"
truncate -s 18M slots.img
cryptsetup luksFormat "${fast[@]}" --pbkdf pbkdf2 -S 5 slots.img key
add() {
	printf %s "$1" >new
	cryptsetup luksAddKey "${fast[@]}" --pbkdf pbkdf2 -d key "${@:2}" \
		slots.img new
}
add last -S 31
add unbound -S 7 --unbound -s 512
add preferred -S 9
add ignored -S 11
cryptsetup config slots.img -S 9 --priority prefer
cryptsetup config slots.img -S 11 --priority ignore
for word in last preferred; do
	printf %s "$word" >new
	rm -f s served
	"$VCRYPT" serve --socket s --key-file new slots.img >served 2>log &
	server=$!
	wait_for 100 served
	kill "$server"
	wait "$server"
	server=
done
for word in unbound ignored; do
	printf %s "$word" >new
	expect 2 "$VCRYPT" serve --socket s --key-file new slots.img
	says 'no key slot opens with this passphrase'
done

# The reverse: what vcrypt makes, cryptsetup opens, with the same key.
for shape in 1024:256 4096:512; do
	rm -f made.img volume.key
	vc_format made.img --size 18M --sector-size "${shape%:*}" \
		--key-size "${shape#*:}"
	cryptsetup open --test-passphrase -d key made.img
	cryptsetup luksDump made.img >dump
	grep -qE "sector: ${shape%:*} " dump || fail "$shape: $(cat dump)"
	cryptsetup luksDump -q --dump-volume-key --volume-key-file volume.key \
		-d key made.img >dump
	[ "$(stat -c %s volume.key)" -eq $((${shape#*:} / 8)) ] ||
		fail "$shape: $(stat -c %s volume.key)"
	with_vcrypt made.img --rw fill
	cryptsetup reencrypt -q --decrypt --force-offline-reencrypt -d key \
		--header made.header made.img 2>/dev/null
	rm -f made.header
	with_qemu raw made.img --rw check
done
