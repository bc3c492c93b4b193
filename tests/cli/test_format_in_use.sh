# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Two commands on one image: the second is told so, the first goes on.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

truncate -s 20M a.img
mkfifo key
"$VCRYPT" format --batch-mode --key-file key "${fast_pbkdf[@]}" a.img &
first=$!
cleanup kill "$first"
# It holds the image while it waits for its key.
wait_for 100 grep -q "OFDLCK.*:$(stat -c %i a.img) 0 0\$" /proc/locks
printf x >other
expect 5 "$VCRYPT" format --batch-mode --key-file other "${fast_pbkdf[@]}" a.img
says 'a.img: in use by another vcrypt'
printf pw >key
wait "$first" || fail "the first failed"
"$VCRYPT" dump a.img | matches '^Served by vcrypt: yes$'
