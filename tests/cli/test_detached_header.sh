# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A header in a file of its own: cryptsetup's, in both directions, and with
# every command.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cryptsetup
printf %s "$passphrase" >key
opens() {
	cryptsetup open --test-passphrase --key-file key --header "$1" "$2"
}

vc_format a.img --size 5M --header a.hdr
[ "$(stat -c '%a %s' a.hdr)" = "600 16777216" ] || fail "$(stat a.hdr)"
[ "$(stat -c %s a.img)" -eq $((5 << 20)) ] || fail "not 5 MiB"
opens a.hdr a.img
cryptsetup luksDump a.hdr | matches 'offset: 0 \[bytes\]'
expect 5 "$VCRYPT" format --batch-mode --key-file key --size 5M \
	--header a.hdr b.img
says 'a.hdr: exists'
[ ! -e b.img ] || fail "an image without a header is left"

# Every command finds the header there, and nothing in the image.
"$VCRYPT" dump --header a.hdr a.img | matches '^Served by vcrypt: yes'
expect 4 "$VCRYPT" dump a.img
"$VCRYPT" dump a.hdr | matches '^Served by vcrypt: no, this is a detached'
"$VCRYPT" check --header a.hdr a.img | matches '5242880 bytes from byte 0'
"$VCRYPT" config --persistent allow-discards --header a.hdr a.img
cryptsetup luksDump a.hdr | matches 'Flags:.*allow-discards'
"$VCRYPT" header backup --header a.hdr a.img a.bak
"$VCRYPT" header restore --batch-mode --header a.hdr a.img a.bak
expect 4 "$VCRYPT" header restore --batch-mode --force a.img a.bak
says 'a.bak: is a backup of a detached header'
printf damaged | dd of=a.hdr bs=1 seek=5000 conv=notrunc status=none
"$VCRYPT" header repair --header a.hdr a.img | matches 'first header was'
"$VCRYPT" check --header a.hdr a.img >/dev/null

# Served, with the header taken away meanwhile.
chmod 777 .
chmod 666 a.img a.hdr
serve a.img --header a.hdr --socket a.sock
expect 5 "$VCRYPT" header repair --header a.hdr a.img
says 'a.img: is open already'
expect 5 "$VCRYPT" serve a.img --header a.bak --socket b.sock --key-file key
mv a.hdr away.hdr
kill -TERM "$server"
wait "$server"
mv away.hdr a.hdr

# Pairs that are none.
expect 1 "$VCRYPT" serve a.img --header a.img --socket s --key-file key
says '--header: a.img is the image itself'
expect 4 "$VCRYPT" serve a.img --header nowhere --socket s --key-file key
says 'nowhere: No such file'
vc_format whole.img --size 20M
expect 4 "$VCRYPT" serve whole.img --header a.hdr --socket s --key-file key
says 'a.hdr: the image has a header of its own'
truncate -s 100 short.img
expect 4 "$VCRYPT" serve short.img --header a.hdr --socket s --key-file key
says 'is not a multiple of the sector size'

# One that cryptsetup made, with an offset, and one of LUKS1.
truncate -s 20M c.img
cryptsetup luksFormat -q --key-file key --pbkdf pbkdf2 --offset 32768 \
	--pbkdf-force-iterations 1000 --header c.hdr c.img
"$VCRYPT" check --header c.hdr c.img | matches '4194304 bytes from byte 16777216'
truncate -s 8M d.hdr
cryptsetup luksFormat -q --type luks1 --key-file key \
	--pbkdf-force-iterations 1000 --header d.hdr c.img
"$VCRYPT" check --header d.hdr c.img | matches '20971520 bytes from byte 0'
"$VCRYPT" convert --batch-mode --backup d.bak --type luks2 --header d.hdr c.img
opens d.hdr c.img
"$VCRYPT" erase --batch-mode --header d.hdr c.img
! opens d.hdr c.img 2>/dev/null || fail "it opens"

# What stood in the image before cannot be taken for a container.
vc_format whole.img --header w.hdr --offset 8192
"$VCRYPT" check --header w.hdr whole.img | matches 'from byte 4194304'
expect 1 cryptsetup luksDump whole.img

# status and list tell of it.
[ "$(id -u)" -eq 0 ] && chown 65534 .
as() {
	"${as_user[@]}" env XDG_RUNTIME_DIR="$PWD/run" "$VCRYPT" "$@"
}
"${as_user[@]}" mkdir -m 700 run
chmod 644 key
cleanup as close v
as open a.img v --header a.hdr --key-file key --vhost-user v.sock
as list | matches "$PWD/a.img + $PWD/a.hdr\$" || fail "$(as list)"
as status v | matches "header: *$PWD/a.hdr\$" || fail "$(as status v)"
as status --json v | matches "\"header\":\"$PWD/a.hdr\""
as close v
