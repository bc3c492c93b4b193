# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The documentation agrees with the command: commands and options of the help
# text and of the manual pages are the same, vcrypt.8 has every JSON field, the
# README is short and names files that exist.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
page=$top/Documentation/vcrypt.8

# What a person who adds a command has to write.
wanted() {
	fail "$1 (see Documentation/vcrypt-config.8; of a family, \"key add\"" \
		"for instance, all are in vcrypt-key.8, a .Ss each)"
}

# The part of a page on one command: all of it, or its subsection.
section() {
	if [ "$1" = "${1% *}" ]; then
		cat "$2"
	else
		awk -v want="$1" '/^\.S[sh] / { on = $0 == ".Ss " want } on' "$2"
	fi
}

command_names | grep -vx help >commands
cut -d ' ' -f 1 commands | sort -u >first
diff first <(sed -n 's/^\.It Xr vcrypt-\([a-z]*\) 8$/\1/p' "$page" | sort) ||
	wanted "COMMANDS of vcrypt.8 lists other commands"
diff first <(cd "${page%/*}" && printf '%s\n' vcrypt-*.8 |
	sed 's/^vcrypt-\(.*\)\.8$/\1/' | sort) || wanted "pages are missing"
diff <(grep ' ' commands | sort) <(sed -n 's/^\.Ss \([a-z]* [a-z]*\)$/\1/p' \
	"${page%.8}"-*.8 | sort) || wanted "the page of a family has other commands"

while read -r command; do
	file=${page%.8}-${command%% *}.8
	# shellcheck disable=SC2086 # "key add" is two words
	"$VCRYPT" help $command >help.txt
	sed -n 's/^  --\([a-z0-9-]*\).*/\1/p' help.txt | sort >options
	section "$command" "$file" |
		sed -n 's/^\.It Fl Fl \([a-z0-9-]*\).*/\1/p' | sort >documented
	diff options documented ||
		wanted "$command: ${file##*/} has other options"
	[ "$command" != "${command% *}" ] ||
		grep -qxF ".Nd $(sed -n '3s/\.$//p' help.txt)" "$file" ||
		wanted "$command: .Nd is not the summary of the help text"
done <commands

grep -oE 'add(_text|_number|_flag)?\([a-z]+, "[a-z_]+"' \
	"$top/daemon/report.c" "$top/crypt/luks_describe.c" \
	"$top/crypt/luks_keys_list.c" |
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
mandoc -T lint -W warning "$page" "${page%.8}"-*.8 >mandoc.txt 2>&1 ||
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
