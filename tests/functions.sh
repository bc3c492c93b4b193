# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What every shell test shares, on this machine and in the guest: how a test
# ends, what it undoes, and short names for the commands it tests.
#
# A test is one file, test_NAME.sh, for one behaviour. It runs with bash, in a
# fresh and empty folder, with $VCRYPT the command to be tested. It passes when
# it exits 0; "fail TEXT" and any command that fails end it as failed; "skip
# TEXT" ends it as skipped. A comment "# timeout: SECONDS" changes its time
# limit. What tests/setup can install is no reason to skip.

set -Eeu
set -o pipefail
shopt -s inherit_errexit

VCRYPT=${VCRYPT:-build/vcrypt}
passphrase="correct horse battery staple"
cleanups=()

fail() {
	trap - ERR
	echo "fail: $*"
	exit 1
}

# Only for what no Debian 12 machine can be made to provide.
skip() {
	echo "skip: $*"
	exit 77
}

requires() {
	local command

	for command in "$@"; do
		command -v "$command" >/dev/null ||
			fail "$command is missing (tests/setup installs it)"
	done
}

# cleanup COMMAND...: run it at the end, whatever happens, last one first.
cleanup() {
	local command

	forget "$@"
	printf -v command '%q ' "$@"
	cleanups+=("$command")
}

# forget COMMAND...: it is not needed at the end any more.
forget() {
	local command other kept=()

	printf -v command '%q ' "$@"
	for other in "${cleanups[@]}"; do
		[ "$other" = "$command" ] || kept+=("$other")
	done
	cleanups=("${kept[@]}")
}

run_cleanups() {
	local status=$? i

	trap - ERR
	set +e
	for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
		eval "${cleanups[i]}" >/dev/null 2>&1
	done
	exit "$status"
}
trap run_cleanups EXIT
trap 'exit 143' TERM INT HUP
trap 'echo "fail: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR

# expect STATUS COMMAND...: the command must end with that status. Its output
# is left in the files "out" and "err".
expect() {
	local want=$1 status=0

	shift
	"$@" >out 2>err || status=$?
	[ "$status" -eq "$want" ] && return
	cat out err
	fail "status $status instead of $want: $*"
}

# says PATTERN: the last expected command said so on standard error, in one
# line, which starts as every message of vcrypt does.
says() {
	grep -qE -- "$1" err || { cat err; fail "the error does not say: $1"; }
	grep -q '^vcrypt: ' err || { cat err; fail "no 'vcrypt: ' in the error"; }
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "waited in vain: $*"
		sleep 0.1
	done
}

# matches OPTION... PATTERN: what is piped to it does, and is read to its end:
# "grep -q" would leave at once, and whoever goes on writing die of it, or not.
matches() {
	grep "$@" >/dev/null
}

# prints PATTERN COMMAND...: it succeeds, and a line of its output is like that.
prints() {
	"${@:2}" | matches -E -- "$1"
}

# The cheapest key derivation there is: tests do not guess passphrases.
fast_pbkdf=(--pbkdf pbkdf2 --pbkdf-force-iterations 1000)

# What vc_format is told of the header unless the options say where it goes.
vc_header=()

# vc_format IMAGE [OPTION...]: a new container with $passphrase, 64 MiB unless
# the options give a size.
vc_format() {
	local image=$1 size=(--size 64M) header=("${vc_header[@]}")

	shift
	case " $* " in
	*" --size"*) size=() ;;
	esac
	case " $* " in
	*" --offset"* | *" --header"*) header=() ;;
	esac
	[ -e "$image" ] && size=()
	printf %s "$passphrase" | "$VCRYPT" format --batch-mode --key-file - \
		"${fast_pbkdf[@]}" "${header[@]}" "${size[@]}" "$@" "$image"
}

# vc_open IMAGE NAME [OPTION...]: prints the block device. Its rings are of the
# format $RING, if that is set and the options do not say.
vc_open() {
	local image=$1 name=$2 format=(${RING:+--ring "$RING"})

	shift 2
	case " $* " in
	*" --ring"*) format=() ;;
	esac
	printf %s "$passphrase" |
		"$VCRYPT" open --key-file - "${format[@]}" "$@" "$image" "$name"
}

# vc_attach IMAGE NAME [OPTION...]: vc_open, with the device left in $dev.
vc_attach() {
	cleanup "$VCRYPT" close "$2"
	dev=$(vc_open "$@")
	[ -b "$dev" ] || fail "open printed '$dev', which is no block device"
}

vc_close() {
	"$VCRYPT" close "$1" || return
	forget "$VCRYPT" close "$1"
}

# The process ids of every vcrypt process that still runs.
vc_pids() {
	local binary

	binary=$(readlink -f "$VCRYPT")
	# Processes that end meanwhile are no failure.
	{
		find /proc/[0-9]*/exe -maxdepth 0 \( -lname "$binary" -o \
			-lname "$binary (deleted)" \) 2>/dev/null || true
	} | cut -d / -f 3
}
