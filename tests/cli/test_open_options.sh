# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# What open is asked for is checked before anything else, and by name.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

mkdir -m 700 run
export XDG_RUNTIME_DIR=$PWD/run
vc_format secret.img

refused() {
	local says=$1

	shift
	expect 1 "$VCRYPT" open --key-file /dev/null "$@" secret.img vdc0
	says "$says"
}

refused '--ring: "split" or "packed", not "triple"' --ring triple
refused '--ring: "split" or "packed", not ""' --ring ''
refused '--driver: "virtio-vdpa" or "vhost-vdpa", not "vfio"' --driver vfio
refused '--cache: "direct" or "buffered", not "no"' --cache no
refused '--queues: 1 to 32 queues' --queues 33
refused '--queues: 0 is not possible' --queues 0
refused '--queue-size: a power of two from 4 to 1024' --queue-size 5
refused '--queue-size: a power of two from 4 to 1024' --queue-size 2048
refused '--poll-us: 0 to 1000 microseconds' --poll-us 1001
refused '--poll-us: x is not a number' --poll-us x
refused '--death-limit: 1 to 100 deaths' --death-limit 101
refused '--no-such-option' --no-such-option
expect 1 "$VCRYPT" open --key-file /dev/null secret.img ../vdc0
says 'a name has only letters'
expect 1 "$VCRYPT" open secret.img
[ -z "$(ls -A run)" ] || [ -z "$(ls -A run/vcrypt)" ] || fail "$(ls -R run)"
