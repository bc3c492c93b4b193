# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What a queue's thread asks of the kernel under load, once it runs: the ring,
# and the driver's interrupt; at a flush the image's size; and, while it looks for
# work without sleeping, that others go first.  No memory, no locks, nothing else.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires strace

blkload=${O:-build}/tests/bench/blkload

# Lines that a thread's trace has now.
lines() {
	wc -l <"trace/t.$1"
}

# has_more THREAD LINES: as many calls again since then.
has_more() {
	[ "$(lines "$1")" -ge $(($2 + 100)) ]
}

# check THREAD: under load, which goes on, and not while it began.
check() {
	local from

	from=$(lines "$1")
	wait_for 100 has_more "$1" "$from"
	from=$(lines "$1")
	wait_for 100 has_more "$1" "$from"
	head -n $((from + 100)) "trace/t.$1" | tail -n 100 |
		sed -n 's/^\([a-z_0-9]*\)(.*/\1/p' | sort | uniq -c >calls
	cat calls
	grep -q ' io_uring_enter$' calls || fail "the test is wrong: no load"
	! grep -vqE ' (io_uring_enter|write|lseek|sched_yield)$' calls ||
		fail "calls under load: $(cat calls)"
}

chmod 777 .
vc_format secret.img
chmod 666 secret.img
mkdir trace
printf %s "$passphrase" >key
chmod 644 key
# From its first moment: later nobody but root could look on.
strace -ff -o "$PWD/trace/t" "${as_user[@]}" "$VCRYPT" serve secret.img \
	--socket s --queues 2 --key-file key >served 2>log &
tracer=$!
cleanup kill -KILL "$tracer"
wait_for 100 test -s served
monitor=$(pgrep -P "$tracer")
cleanup kill -KILL "$monitor"
worker=$(<"/proc/$monitor/task/$monitor/children")
worker=${worker%% *}
threads=()
for task in "/proc/$worker/task"/*; do
	[ "${task##*/}" = "$worker" ] || [ ! -e "trace/t.${task##*/}" ] ||
		threads+=("${task##*/}")
done
[ "${#threads[@]}" -eq 2 ] || fail "not two queues: ${threads[*]}"

for options in "--bs 4k" "--bs 1M --depth 4 --packed"; do
	# shellcheck disable=SC2086 # a list of words
	"$blkload" --socket s --queues 2 --warmup 0 --seconds 100 --rw randrw \
		$options >load.txt &
	loader=$!
	cleanup kill -KILL "$loader"
	check "${threads[0]}"
	check "${threads[1]}"
	kill "$loader"
	wait "$loader" || true
done
kill -TERM "$monitor"
wait "$tracer" || fail "status $? after SIGTERM"
