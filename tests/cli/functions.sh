# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What the tests of the command share beyond tests/functions.sh: they run on
# this machine as whoever runs them, need no VDUSE, and leave the machine as
# it was.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# prompted SIZE: a question has come since the screen had SIZE bytes.
prompted() {
	[ "$(stat -c %s screen)" -gt "$1" ] && [ "$(tail -c 2 screen)" = ": " ]
}

# on_terminal INPUT COMMAND...: the command gets a terminal of its own, on
# which INPUT is typed, a line for each question; what it showed is left in the
# file "screen" and the exit status is its own.
on_terminal() {
	local input=$1 shown=0

	shift
	requires script
	: >screen
	while IFS= read -r line; do
		wait_for 30 prompted "$shown"
		shown=$(stat -c %s screen)
		printf '%s\r' "$line"
	done <<<"$input" |
		script -qefc "$(printf '%q ' "$@")" screen >/dev/null
}
