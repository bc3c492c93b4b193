# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What the tests of the guest share beyond tests/functions.sh: they are root,
# on a kernel with VDUSE, in a folder on a real file system (O_DIRECT works),
# and may break everything.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# Seconds for what has to happen, however slow the host is.
patience=200
# The same for a test case of libcheck.
export CK_DEFAULT_TIMEOUT=$patience

# 2 MiB, of which a fraction is used: to fill and to read the 16 MiB of others
# takes seconds in a guest that is emulated.
vc_header=(--luks2-keyslots-size 1M --offset 4096)

# vc_mount [DEVICE]: mount it (default $dev) on ./mnt, until the test ends.
# shellcheck disable=SC2120 # the argument is optional
vc_mount() {
	mkdir -p mnt
	mount "${1:-$dev}" mnt
	cleanup umount -l "$PWD/mnt"
}

# make_tree DIR MIB: files of many sizes, and their checksums in DIR.sums.
make_tree() {
	local i

	mkdir -p "$1"
	for i in $(seq "$2"); do
		mkdir -p "$1/d$((i % 7))"
		head -c $((i * 7919 % 65536 + 1)) /dev/urandom \
			>"$1/d$((i % 7))/small$i"
		head -c 950000 /dev/urandom >"$1/d$((i % 7))/large$i"
	done
	(cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2) >"$1.sums"
}

# check_tree DIR SUMS: the files are those of make_tree, all and unchanged.
check_tree() {
	(cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2) |
		cmp - "$2" || fail "$1 differs from $2"
}

# vc_status NAME KEY: a member of the status, by its name in the JSON.
vc_status() {
	"$VCRYPT" status --json "$1" | vc_member "$2"
}

# vc_member KEY: a member of the status on standard input. For several of one
# status, which is dear to ask for in a guest that is emulated.
vc_member() {
	local text nl=$'\n'

	text=$(</dev/stdin)
	[[ $text =~ $nl\ *\"$1\":\ *\"?([^\",$nl]*)\"?,?$nl ]] || return
	echo "${BASH_REMATCH[1]}"
}

# vc_is NAME STATE: what the status says.
vc_is() {
	[ "$(vc_status "$1" state)" = "$2" ]
}

# vc_has_worker NAME: whether a worker serves and is ready to.
vc_has_worker() {
	local status

	status=$("$VCRYPT" status --json "$1") || return
	case $(vc_member state <<<"$status") in
	active | failed) ;;
	*) return 1 ;;
	esac
	[ -d "/proc/$(vc_member worker_pid <<<"$status")" ]
}

# gone PID...: none of these is there.
gone() {
	local pid

	for pid in "$@"; do
		[ ! -d "/proc/$pid" ] || return
	done
}

monitor='' worker=''

# find_worker: the only child of $monitor once the volume is open, in $worker.
# No process is needed to ask, so that a worker can be hit in the first
# milliseconds of its life.
find_worker() {
	local -a children

	read -r -a children <"/proc/$monitor/task/$monitor/children" || true
	worker=${children[0]-}
}

# next_worker: another $worker, after that which was killed.
next_worker() {
	local old=$worker end=$((SECONDS + patience))

	until find_worker; [ -n "$worker" ] && [ "$worker" != "$old" ]; do
		[ "$SECONDS" -lt "$end" ] || fail "no worker after $old"
	done
}

# in_flight N: so many requests of $dev are, or more.
in_flight() {
	local reads writes

	read -r reads writes <"/sys/block/${dev##*/}/inflight"
	[ $((reads + writes)) -ge "$1" ]
}

# both_ways IMAGE BYTES OPTION...: dm-crypt, on a loop device, and vcrypt, with
# the options and those in "ours", see a volume of that size, and each reads at
# its start and at its end what the other wrote. Both get $passphrase on
# standard input. Leaves the block size of vcrypt's device in $logical.
ours=()
both_ways() {
	local image=$1 bytes=$2

	shift 2
	peer_open "$image" "$@"
	write_ends /dev/mapper/peer "$bytes"
	peer_close
	cleanup "$VCRYPT" close vdc0
	dev=$(printf %s "$passphrase" |
		"$VCRYPT" open "${ours[@]}" "$@" "$image" vdc0)
	# shellcheck disable=SC2034 # for the tests
	logical=$(blockdev --getss "$dev")
	read_ends "$dev" "$bytes"
	write_ends "$dev" "$bytes"
	vc_close vdc0
	peer_open "$image" "$@"
	read_ends /dev/mapper/peer "$bytes"
	peer_close
}

peer_open() {
	local image=$1

	shift
	cleanup cryptsetup close peer
	printf %s "$passphrase" | cryptsetup open "$@" "$image" peer
}

peer_close() {
	cryptsetup close peer
	forget cryptsetup close peer
}

# write_ends DEVICE BYTES: something new at its start, and at its end.
write_ends() {
	head -c 1M /dev/urandom >written
	dd if=written of="$1" bs=1M oflag=direct status=none
	dd if=written of="$1" bs=1M oflag=direct,seek_bytes \
		seek=$(($2 - 1048576)) conv=fsync status=none
}

# read_ends DEVICE BYTES: what write_ends wrote is there, and no byte more.
read_ends() {
	[ "$(blockdev --getsize64 "$1")" -eq "$2" ] || fail "$1: not $2 bytes"
	cmp -n 1048576 written "$1" || fail "$1: the start differs"
	cmp -i "0:$(($2 - 1048576))" written "$1" || fail "$1: the end differs"
}
