# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Images that cannot be made or taken, each by its name and status.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

printf pw >key
format=("$VCRYPT" format --key-file key "${fast_pbkdf[@]}")

expect 4 "${format[@]}" new.img
says 'new.img: no such file \(--size'
expect 4 "${format[@]}" --size 20M missing/new.img
says 'missing/new.img: No such file or directory'
expect 4 "${format[@]}" /dev/null
says '/dev/null: a special file'
expect 4 "${format[@]}" .
says 'Is a directory'
mkfifo fifo
expect 4 "${format[@]}" fifo
says 'fifo: a special file'

truncate -s 20M old.img
expect 5 "${format[@]}" --size 21M old.img
says 'old.img: exists with 20971520 bytes, not 22020096'
expect 0 "${format[@]}" --size 20M old.img
truncate -s 1M small.img
expect 1 "${format[@]}" small.img
says 'small.img: 1048576 bytes are too few'

# "--" ends the options: a name may start with a dash.
expect 0 "${format[@]}" --size 20M -- --odd.img
[ -e ./--odd.img ] || fail "no file of that name"
