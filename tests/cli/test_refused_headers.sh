# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# timeout: 600
#
# Containers of cryptsetup's that vcrypt does not serve are refused by every
# command with what they are, and the tool to use. Those that cryptsetup cannot
# make without a device mapper, or only in a later version, are made of the
# metadata that it would write.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup jq

fast=(-q "${fast_pbkdf[@]}")
printf pw >key
printf other >key2
truncate -s 20M real.img
cryptsetup luksFormat "${fast[@]}" real.img key

# expect_no PATTERN COMMAND...: refused in one line.
expect_no() {
	expect 4 "${@:2}"
	says "^vcrypt: a.img: .*$1"
	[ "$(wc -l <err)" -eq 1 ] || fail "${*:2}: $(cat err)"
}

# refused PATTERN: a.img is, and stays as it is.
refused() {
	cp a.img before
	expect_no "$1" "$VCRYPT" serve --key-file key --socket s a.img
	expect 4 "$VCRYPT" check a.img
	grep -qE "^bad   container  .*$1" out || fail "$(cat out)"
	cmp a.img before || fail "the image was changed"
}

# refused_by_all PATTERN: by whatever would use or change it.
refused_by_all() {
	refused "$1"
	expect_no "$1" "$VCRYPT" key add --key-file key --new-key-file key2 \
		"${fast_pbkdf[@]}" a.img
	expect_no "$1" "$VCRYPT" key remove --batch-mode --key-slot 0 a.img
	expect_no "$1" "$VCRYPT" config --persistent allow-discards a.img
	expect_no "$1" "$VCRYPT" convert --batch-mode --backup b --type luks1 \
		a.img
	expect_no "$1" "$VCRYPT" resize --size 30M a.img
	expect_no "$1" "$VCRYPT" dump --dump-volume-key --batch-mode \
		--key-file key a.img
	cmp a.img before || fail "the image was changed"
	[ ! -e b ] || fail "a backup is left"
}

# header_refused PATTERN FILTER: the same, and dump tells.
header_refused() {
	cp real.img a.img
	rewrite a.img "$2"
	refused "$1"
	expect 0 "$VCRYPT" dump a.img
	grep -qE "^Served by vcrypt: no, .*$1" out || fail "$(cat out)"
	"$VCRYPT" dump --json a.img >out
	jq -e --arg why "$1" '(.servable | not) and (.refusal | test($why))' \
		out >yes || fail "$(cat out)"
}

# Integrity: cryptsetup 2.6's HMAC and AEAD.
integrity='journal_encryption:"none",journal_integrity:"none"'
header_refused 'integrity protection.*open it with cryptsetup' '
	.keyslots["0"].key_size = 96 | .keyslots["0"].area.size = "387072" |
	.segments["0"].integrity = {type:"hmac(sha256)",'"$integrity"'}'
header_refused 'integrity protection.*open it with cryptsetup' '
	.keyslots["0"].key_size = 32 |
	.segments["0"].encryption = "aegis128-random" |
	.segments["0"].integrity = {type:"aead",'"$integrity"'}'
header_refused 'integrity protection in the sectors.*cryptsetup 2.8' '
	.config.requirements = {mandatory:["inline-hw-tags"]} |
	.segments["0"].integrity = {type:"hmac(sha256)",'"$integrity"'}'

# OPAL: of 2.7, with the cipher on top and without; and without the
# requirement that older versions go by.
opal='opal_segment_number:1,opal_key_size:32,opal_segment_offset:"32768",
	opal_segment_size:"8192"'
header_refused 'OPAL.*open it with cryptsetup 2.7' '
	.config.requirements = {mandatory:["opal"]} |
	.keyslots["0"].key_size = 96 | .keyslots["0"].area.size = "387072" |
	.segments["0"] += {type:"hw-opal-crypt",size:"4194304",'"$opal"'}'
header_refused 'OPAL.*open it with cryptsetup 2.7' '
	.config.requirements = {mandatory:["opal"]} |
	.keyslots["0"].key_size = 32 |
	.segments["0"] = {type:"hw-opal",offset:"16777216",size:"4194304",
		iv_tweak:"0",encryption:"cipher_null-ecb",sector_size:512,'"$opal"'}'
header_refused 'OPAL.*open it with cryptsetup 2.7' '
	.segments["0"] += {type:"hw-opal-crypt",size:"dynamic",'"$opal"'}'

# What nobody knows yet.
header_refused 'requirements \(mandatory .*warp-drive.*open it with cryptsetup' '
	.config.requirements = {mandatory:["warp-drive-v3"]}'
refused_by_all 'warp-drive'

# Re-encryption that was begun, for real: of a container, and of plain data.
resume='re-encryption is under way .*cryptsetup reencrypt --resume-only'
begin=(cryptsetup reencrypt "${fast[@]}" --init-only --disable-locks
	--force-offline-reencrypt --key-file key)
for how in "--resilience checksum" "--resilience none" \
	"--encrypt --type luks2 --reduce-device-size 8M"; do
	case $how in
	*encrypt*) truncate -s 0 a.img && truncate -s 20M a.img ;;
	*) cp real.img a.img ;;
	esac
	# shellcheck disable=SC2086 # a list of options
	"${begin[@]}" $how a.img
	cryptsetup luksDump a.img | matches '^Requirements:.*online-reencrypt' ||
		fail "the test is wrong: $(cryptsetup luksDump a.img)"
	refused "$resume"
done
refused_by_all "$resume"
header_refused "$resume" '.config.requirements =
	{mandatory:["offline-reencrypt"]}'

# LUKS1, whose signature cryptsetup changes until re-encryption is done.
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 a.img key
printf 'LUKS\xde\xad' | dd of=a.img bs=1 conv=notrunc status=none
refused_by_all 'a LUKS1 container whose re-encryption .*cryptsetup reencrypt'
expect_no 're-encryption' "$VCRYPT" encrypt --key-file key a.img

# Other things than LUKS.
truncate -s 0 a.img
truncate -s 20M a.img
printf -- '-FVE-FS-' | dd of=a.img bs=1 seek=3 conv=notrunc status=none
refused 'a BitLocker volume .*cryptsetup --type bitlk'
truncate -s 0 a.img
truncate -s 20M a.img
printf CS | dd of=a.img bs=1 seek=88 conv=notrunc status=none
refused 'a FileVault2 volume .*cryptsetup --type fvault2'
head -c 1M /dev/urandom >a.img
refused 'it looks random, as VeraCrypt.*cryptsetup open --type tcrypt'
