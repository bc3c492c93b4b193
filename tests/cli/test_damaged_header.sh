# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# A damaged first header: the second is used, the user is told, and nothing is
# written.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

vc_format a.img --size 20M
printf damage | dd of=a.img bs=1 seek=5000 conv=notrunc status=none
sum=$(sha256sum <a.img)
expect 0 "$VCRYPT" dump a.img
grep -q '^Served by vcrypt: yes$' out
grep -q 'Note: the first header is damaged.*vcrypt header repair' out
"$VCRYPT" dump --json a.img | matches '"note":"the first header is damaged'
[ "$(sha256sum <a.img)" = "$sum" ] || fail "the image was changed"

chmod 400 a.img
"$VCRYPT" dump a.img | matches '^Served by vcrypt: yes$'
