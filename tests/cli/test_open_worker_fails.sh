# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A worker that cannot start says why, and so does the command.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires prlimit

mkdir -m 700 run
printf %s "$passphrase" >key
vc_format secret.img
expect 4 prlimit --nofile=20:20 env XDG_RUNTIME_DIR="$PWD/run" "$VCRYPT" open \
	--key-file key --queues 8 --vhost-user s secret.img v
says 'v: cannot start a queue: Too many open files$'
[ ! -e s ] || fail "a socket is left behind"
XDG_RUNTIME_DIR=$PWD/run "$VCRYPT" list >out
[ ! -s out ] || fail "still there: $(cat out)"
