# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What the tests of the guest share beyond tests/functions.sh: they are root,
# on a kernel with VDUSE, in a folder on a real file system (O_DIRECT works),
# and may break everything.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

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
	"$VCRYPT" status --json "$1" |
		sed -n 's/^ *"'"$2"'": *"\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p;T;q'
}

# vc_has_worker NAME: whether a worker serves and is ready to.
vc_has_worker() {
	case $(vc_status "$1" state) in
	active | failed) ;;
	*) return 1 ;;
	esac
	[ -d "/proc/$(vc_status "$1" worker_pid)" ]
}
