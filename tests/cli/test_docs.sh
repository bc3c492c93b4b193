# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The documentation agrees with the command: commands and options of the help
# text and of the manual page are the same, the page has every JSON field, the
# README is short and names files that exist.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
page=$top/Documentation/vcrypt.8

# The part of the page on one command.
section() {
	awk -v want="$1" '/^\.S[sh] / { on = $0 == ".Ss " want } on' "$page"
}

command_names | grep -vx help >commands
diff <(sort commands) \
	<(awk '/^\.Sh /{on = $2 == "COMMANDS"} on && sub(/^\.Ss /, "")' \
		"$page" | sort) || fail "the page has other commands"

while read -r command; do
	# shellcheck disable=SC2086 # "key add" is two words
	"$VCRYPT" help $command >help.txt
	sed -n 's/^  --\([a-z-]*\).*/\1/p' help.txt | sort >options
	section "$command" |
		sed -n 's/^\.It Fl Fl \([a-z-]*\).*/\1/p' | sort >documented
	diff options documented || fail "$command: the page has other options"
done <commands

grep -oE 'add(_text|_number|_flag)?\([a-z]+, "[a-z_]+"' \
	"$top/daemon/report.c" "$top/crypt/luks_describe.c" |
	sed 's/.*"\(.*\)"/\1/' | sort -u >fields
[ -s fields ] || fail "no JSON fields found"
sed -n '/^\.Sh JSON/,/^\.Sh EXAMPLES/p' "$page" >json
while read -r field; do
	case $field in
	type | hash | iterations) ;; # of a LUKS1 key slot too
	*) grep -qwF -- "$field" json || fail "the page lacks JSON's $field" ;;
	esac
done <fields

requires mandoc
mandoc -T lint -W warning "$page" >mandoc.txt 2>&1 ||
	{ cat mandoc.txt; fail "mandoc"; }

lines=$(wc -l <"$top/README.md")
[ "$lines" -le 150 ] || fail "README.md has $lines lines"
grep -oE '\b(Documentation/[a-z0-9.]+|[A-Z]+(\.md)?)\b' "$top/README.md" |
	grep -E '^(Documentation/|(NEWS|LICENSE)$|.*\.md$)' | sort -u >named
[ -s named ] || fail "the README names no file"
while read -r file; do
	[ -e "$top/$file" ] || fail "README.md names $file"
done <named

grep -nE '[[:space:]]$' "$top"/*.md "$top"/NEWS "$top"/Documentation/* &&
	fail "space at the end of a line"
[ "$("$VCRYPT" --version)" = "$(sed -n '1s/ (.*//p' "$top/NEWS")" ] ||
	fail "NEWS starts with another version"
