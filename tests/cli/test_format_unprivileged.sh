# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# Anyone can make a container: no device mapper, no loop device, no /run.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires setpriv

if [ "$(id -u)" -ne 0 ]; then
	vc_format new.img --size 20M
	"$VCRYPT" dump new.img | matches '^Served by vcrypt: yes$'
	exit 0
fi
# Where nobody can get at it.
dir=$(mktemp -d /tmp/vcrypt-test.XXXXXX)
cleanup rm -rf "$dir"
chmod 755 "$dir"
cp "$VCRYPT" "$dir/vcrypt"
mkdir "$dir/home"
chown 65534:65534 "$dir/home"
cd "$dir/home"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all)
printf pw | "${nobody[@]}" "$dir/vcrypt" format --key-file - --size 20M \
	"${fast_pbkdf[@]}" new.img
[ "$(stat -c %u:%a new.img)" = 65534:600 ] || fail "owner or mode"
"${nobody[@]}" "$dir/vcrypt" dump new.img | matches '^Served by vcrypt: yes$'
