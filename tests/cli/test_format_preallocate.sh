# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# --preallocate takes the blocks now.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

vc_format new.img --size 40M --preallocate
[ "$(du -k new.img | cut -f 1)" -ge 40960 ] || fail "not allocated"
[ "$(stat -c %s new.img)" -eq $((40 << 20)) ] || fail "not 40 MiB"
