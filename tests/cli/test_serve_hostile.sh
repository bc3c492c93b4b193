# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# serve and front ends that do not keep to the protocol: each is disconnected
# with a reason, its memory may vanish under requests, and the next one gets its
# data from the same worker.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

hostile=${O:-build}/tests/cli/vhost_hostile
blkload=${O:-build}/tests/bench/blkload

honest() {
	"$blkload" --socket s --bs 64k --range 4M --warmup 0 --seconds 0.05 \
		--rw "$1" >out || fail "an honest front end after $name"
}

umask 0
chmod 777 .
vc_format secret.img
chmod 666 secret.img
serve secret.img --socket s --socket-mode 0666
first=$(worker)
name=nothing
honest fill

while read -r name; do
	"$hostile" s "$name" 2>err || { cat err log; fail "$name"; }
	honest check
done < <("$hostile" --list)
for _ in {1..8}; do
	for name in data_cut_under_load all_cut_under_load leaves_under_load; do
		"$hostile" s "$name" 2>err || { cat err log; fail "$name"; }
	done
done
honest check

[ "$(worker)" = "$first" ] || fail "the worker did not survive"
for reason in 'ends behind its file' 'overlap' 'wraps around' \
	'0 entries' '65536 entries' 'not in shared memory' 'not in one mapping' \
	'misplaced' 'there is no ring 1000' 'message 1000 is unknown' \
	'in the middle of a message' 'does not take its answers' \
	'with 0 descriptors' 'too many descriptors' 'not backed by memory'; do
	grep -q "$reason" log || { cat log; fail "no reason '$reason'"; }
done
kill -TERM "$server"
wait "$server" || fail "status $? after SIGTERM"
