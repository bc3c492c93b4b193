# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The commands for headers need no privileges, only the files.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

chmod 777 .
printf %s "$passphrase" >key
chmod 644 key
as() {
	"${as_user[@]}" "$VCRYPT" "$@"
}
damage() {
	printf damaged | dd of=a.img bs=1 seek=5000 conv=notrunc status=none
}

as format --key-file key "${fast_pbkdf[@]}" --sector-size 512 --size 10M a.img
as check a.img >/dev/null
as header backup a.img a.bak
damage
as header repair a.img | matches 'the first header was written anew'
as header restore --batch-mode a.img a.bak
as config --persistent allow-discards a.img
as convert --batch-mode --type luks1 --backup one.bak a.img
as check a.img >/dev/null
as erase --batch-mode a.img | matches '1 key slot destroyed'

# What may not be written is left alone.
chmod 444 a.bak
expect 2 as header restore --batch-mode a.bak one.bak
says 'a.bak: Permission denied'
! grep -q -e readonly -e read-only err || fail "no such option: $(cat err)"
chmod 444 a.img
expect 2 as serve --socket socket --key-file key a.img
says 'a.img: Permission denied \(--readonly, if it may be read\)'
mkdir -m 555 closed
expect 2 as header backup a.bak closed/other.bak
says 'closed/other.bak: Permission denied'
