# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The serial number of the disk is the name, cut to 20 bytes.

# shellcheck source=tests/vm/functions.sh
. "$(dirname "$0")/functions.sh"

vc_format image
vc_attach image a-name-of-more-than-twenty-bytes
[ "$(cat "/sys/block/${dev#/dev/}/serial")" = a-name-of-more-than- ] ||
	fail "the serial is $(cat "/sys/block/${dev#/dev/}/serial")"
vc_close a-name-of-more-than-twenty-bytes
