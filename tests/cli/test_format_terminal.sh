# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# The passphrase is asked for twice, is not shown, and has to be the same.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup script

format=("$VCRYPT" format --size 20M "${fast_pbkdf[@]}")
on_terminal $'open sesame\nopen sesame' "${format[@]}" new.img
grep -q 'Passphrase for new.img' screen
grep -q 'Again' screen
! grep -q sesame screen || fail "the passphrase was shown"
printf 'open sesame' | cryptsetup open --test-passphrase -d - new.img

status=0
on_terminal $'open sesame\nopen sesam' "${format[@]}" other.img || status=$?
[ "$status" -eq 2 ] || fail "status $status"
grep -q 'passphrases differ' screen
[ ! -e other.img ] || fail "a file was made"
