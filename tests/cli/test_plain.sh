# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Plain volumes: the data of a LUKS container are one, if key and offset are
# told; passphrases are hashed as cryptsetup does; nothing has a default, and
# what looks like something else is not overwritten.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup openssl

blkload=${O:-build}/tests/bench/blkload
plain=(--type plain --cipher aes-xts-plain64)

server=
stop_server() {
	[ -z "$server" ] || kill "$server"
}
cleanup stop_server

load() {
	"$blkload" --socket s --bs 64k --depth 4 --range 1M "$@"
}

# with IMAGE OPTION... -- LOAD...: serve it, and do that.
with() {
	local options=() status=0

	rm -f s served
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	"$VCRYPT" serve --socket s "${options[@]}" <key >served 2>log &
	server=$!
	wait_for 100 served
	load "$@" >out 2>err || status=$?
	kill "$server"
	wait "$server" || { cat log; fail "the server failed"; }
	server=
	return "$status"
}

# Byte for byte what a LUKS container has behind its header.
printf %s "$passphrase" >key
truncate -s 18M luks.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	-c aes-xts-plain64 -s 512 luks.img key
cryptsetup luksDump -q --dump-volume-key --volume-key-file volume.key \
	-d key luks.img >dump
payload=$(cryptsetup luksDump luks.img | sed -n 's/^Payload offset:[^0-9]*//p')
with luks.img --key-file key -- --rw fill
raw=("${plain[@]}" --key-size 512 --key-file volume.key)
expect 4 "$VCRYPT" serve --socket s "${raw[@]}" --offset "$payload" luks.img
says 'luks.img: no plain volume: this is a LUKS container.*--force-plain'
with luks.img "${raw[@]}" --offset "$payload" --force-plain --readonly \
	-- --rw check
dd if=luks.img of=bare.img bs=512 skip="$payload" status=none
with bare.img "${raw[@]}" --readonly -- --rw check
with bare.img "${raw[@]}" --size 2048 --readonly -- --rw check

# What a sector counts as: skip goes with it when the image is cut.
truncate -s 2M shift.img
for size in 512 4096; do
	with shift.img "${raw[@]}" --sector-size "$size" --offset 1024 \
		--skip 4294967296 -- --rw fill
	dd if=shift.img of=cut.img bs=512 skip=1024 status=none
	with cut.img "${raw[@]}" --sector-size "$size" --skip 4294967296 \
		-- --rw check
	with cut.img "${raw[@]}" --sector-size "$size" -- --rw check &&
		fail "--skip makes no difference"
done

# Passphrases, as cryptsetup's lib/crypt_plain.c makes keys of them.
hashed() {
	openssl dgst -provider legacy -provider default -binary "-$1"
}
{ hashed sha256 <key && { printf A; cat key; } | hashed sha256; } >sha256.key
{ hashed ripemd160 <key && { printf A; cat key; } | hashed ripemd160 |
	head -c 12; } >ripemd160.key
truncate -s 2M pass.img
for hash in sha256:512 ripemd160:256; do
	bits=(--key-size "${hash#*:}")
	with pass.img "${plain[@]}" "${bits[@]}" --key-file - \
		--hash "${hash%:*}" -- --rw fill
	with pass.img "${plain[@]}" "${bits[@]}" \
		--key-file "${hash%:*}.key" -- --rw check
done

refused() {
	local status=$1 text=$2

	shift 2
	expect "$status" "$VCRYPT" serve --socket s "$@" pass.img
	says "$text"
	[ "$(wc -l <err)" -eq 1 ] || fail "more than one line: $(cat err)"
}
refused 1 '--cipher and --key-size are needed' --type plain
refused 1 '--hash is needed' "${plain[@]}" --key-size 512
refused 1 'a key file is the key itself' "${raw[@]}" --hash sha256
refused 1 'there is no header' "${raw[@]}" --header luks.img
refused 1 'there is no header' "${raw[@]}" --token-id 0
refused 1 'are for --type plain' --hash sha256
refused 1 'are for --type plain' --type luks --force-plain
refused 1 '--type: "luks" or "plain", not "ntfs"' --type ntfs
refused 1 'VeraCrypt.*cryptsetup open --type tcrypt' --type tcrypt
refused 1 'BitLocker.*--type bitlk' --type bitlk
refused 1 'FileVault2.*--type fvault2' --type fvault2
refused 1 '--cipher serpent-xts-plain64: only' --type plain --key-size 512 \
	--cipher serpent-xts-plain64 --key-file volume.key
refused 1 '--key-size: 256 or 512' "${plain[@]}" --key-size 128 --key-file key
refused 1 '--key-size: 256 or 512' "${plain[@]}" --key-size 513 --key-file key
refused 1 '--offset: a number of 512-byte sectors' "${raw[@]}" --offset 1M
refused 1 'multiples of 8' "${raw[@]}" --sector-size 4096 --skip 1
refused 4 'ends at byte 2097152' "${raw[@]}" --offset 4096
refused 4 'the key file has 28 bytes, the key needs 64' "${plain[@]}" \
	--key-size 512 --key-file key
expect 1 "$VCRYPT" serve --socket s "${plain[@]}" --key-size 512 --hash md17 \
	--key-file - pass.img <key
says 'pass.img: --hash md17: the passphrase cannot be hashed'
