# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Where headers, key slots and data go can be said, as with cryptsetup.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

requires cryptsetup
printf %s "$passphrase" >key

layout() {
	cryptsetup luksDump "$1" | grep -E 'area:|offset: [0-9]+ \[bytes\]' |
		tr -d ' \t'
}

# same OPTION...: the layout is that of cryptsetup with the same options.
same() {
	rm -f ours.img theirs.img
	vc_format ours.img --size 40M "$@"
	truncate -s 40M theirs.img
	cryptsetup luksFormat -q --key-file key --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 "$@" theirs.img
	[ "$(layout ours.img)" = "$(layout theirs.img)" ] || {
		layout ours.img
		layout theirs.img
		fail "another layout: $*"
	}
	cryptsetup open --test-passphrase --key-file key ours.img
	"$VCRYPT" check theirs.img >/dev/null
}

same --luks2-metadata-size 64k --luks2-keyslots-size 512k
same --luks2-keyslots-size 1M
same --luks2-metadata-size 4M --offset 32768
same --offset 4096
same --luks2-keyslots-size 512k --offset 8192

wrong() {
	expect 1 "$VCRYPT" format --key-file key --size 40M "${@:2}" x.img
	says "$1"
}

wrong 'a header of 20480 bytes is not possible' --luks2-metadata-size 20K
wrong '5000 bytes for key slots are not' --luks2-keyslots-size 5000
wrong 'one slot takes 258048' --luks2-keyslots-size 64K
wrong 'offset of 512 bytes is not a multiple' --offset 1
wrong 'is too small' --offset 64
wrong 'the data start at byte' --offset 81920
[ ! -e x.img ] || fail "something was made"
