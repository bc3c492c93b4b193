# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Every command is in the list and explains itself; what is unknown is an
# error.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

command_names >names
for name in format dump help; do
	grep -qx "$name" names || fail "$name is not in the list"
done
while read -r name; do
	[ "$name" != help ] || continue
	# shellcheck disable=SC2206 # "key add" is two words
	words=($name)
	expect 0 "$VCRYPT" help "${words[@]}"
	grep -q "^usage: vcrypt $name" out || fail "no usage of $name"
	cp out first
	expect 0 "$VCRYPT" "${words[@]}" x --help
	cmp -s first out || fail "$name --help says something else"
	awk 'length($0) > 80 { exit 1 }' out || fail "$name: a line is too long"
done <names

for words in help 'help help' 'help --help' --help; do
	# shellcheck disable=SC2086 # some are two words
	expect 0 "$VCRYPT" $words
	grep -q '^  format  ' out || fail "$words: no list of commands"
done

expect 0 "$VCRYPT" --version
grep -qE '^vcrypt [0-9]' out || fail "no version: $(cat out)"
expect 1 "$VCRYPT"
grep -q '^usage: vcrypt' err
expect 1 "$VCRYPT" frobnicate
says 'frobnicate: unknown command'
expect 1 "$VCRYPT" help frobnicate
says 'frobnicate: unknown command'
expect 1 "$VCRYPT" --frobnicate
says '--frobnicate: unknown command'
