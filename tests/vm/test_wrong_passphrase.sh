#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
#
# A wrong passphrase ends with status 2 and leaves nothing.

. "$(dirname "$0")/functions.sh"

vc_format secret.img --size 8M
sum=$(sha256sum <secret.img)
echo wrong >key
expect 2 "$VCRYPT" open --key-file key secret.img vdc0
says "secret.img: .*passphrase"
[ ! -e /dev/vduse/vdc0 ] || fail "a device was left"
[ -z "$(ls /run/vcrypt)" ] || fail "files were left: $(ls /run/vcrypt)"
[ "$sum" = "$(sha256sum <secret.img)" ] || fail "the image was changed"
# The lock is free again.
vc_attach secret.img vdc0
vc_close vdc0
