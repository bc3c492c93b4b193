# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Key files and standard input, by the rules of cryptsetup.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

format=("$VCRYPT" format --size 20M "${fast_pbkdf[@]}")
printf 'two\nlines\n' >key

"${format[@]}" --key-file key file.img
cryptsetup open --test-passphrase -d key file.img
"${format[@]}" --key-file - whole.img <key
cryptsetup open --test-passphrase -d key whole.img
# A line of standard input, as somebody would type it.
"${format[@]}" line.img <key
printf two | cryptsetup open --test-passphrase -d - line.img
# What vcrypt takes, cryptsetup takes too.
cryptsetup open --test-passphrase line.img <key

: >empty
expect 4 "${format[@]}" --key-file empty x.img
says 'empty: empty'
expect 4 "${format[@]}" --key-file missing x.img
says 'missing: No such file'
expect 1 "${format[@]}" x.img </dev/null
says 'no terminal for the passphrase'
echo >newline
expect 1 "${format[@]}" x.img <newline
says 'an empty passphrase protects nothing'
[ ! -e x.img ] || fail "a file was made"
