# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# Where a passphrase comes from: each place gives the same bytes as cryptsetup
# takes from it, for a container of either's making.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup keyctl

# A keyring of its own, which ends with it.
if [ -z "${IN_SESSION-}" ]; then
	export IN_SESSION=1
	exec keyctl session - bash "${BASH_SOURCE[0]}" 2>/dev/null
fi

format=("$VCRYPT" format --batch-mode --size 20M "${fast_pbkdf[@]}")
check=(cryptsetup open --test-passphrase)

# luks IMAGE OPTION...: a container of cryptsetup's.
luks() {
	truncate -s 20M "$1"
	cryptsetup luksFormat -q "${fast_pbkdf[@]}" "$@"
}

printf 'junk\nsecret\nmore\n' >key

# A part of a file, in both directions.
"${format[@]}" --key-file key --keyfile-offset 5 --keyfile-size 6 part.img
printf secret | "${check[@]}" -d - part.img
"${check[@]}" -d key --keyfile-offset 5 --keyfile-size 6 part.img
luks rest.img key --keyfile-offset 5
opens rest.img --key-file key --keyfile-offset 5
opens rest.img --key-file - --keyfile-offset 5 <key
tail -c +6 key >rest
opens rest.img --key-file rest --keyfile-offset 0
opens rest.img --key-file <(cat rest)
# shellcheck disable=SC2002 # a pipe cannot seek
cat key | opens rest.img --key-file - --keyfile-offset 5
expect 2 "$VCRYPT" serve --socket socket rest.img --key-file key
expect 4 "${format[@]}" --key-file key --keyfile-offset 17 x.img
says 'key: ends before byte 17'
expect 4 "${format[@]}" --key-file key --keyfile-size 18 x.img
says 'key: has 17 bytes from byte 0 on, not 18'
if cryptsetup luksFormat -q "${fast_pbkdf[@]}" --keyfile-size 18 \
	part.img key 2>/dev/null; then
	fail "cryptsetup took a key file that is too short"
fi

# A line of a descriptor, the newline left out.
luks line.img < <(printf secret) -d -
opens line.img --passphrase-fd 5 5< <(printf 'secret\nmore\n')
opens line.img < <(printf 'secret\nmore\n')
"${format[@]}" --passphrase-fd 5 fd.img 5< <(printf 'secret\n')
printf secret | "${check[@]}" -d - fd.img
expect 1 "${format[@]}" --passphrase-fd 5 x.img 5>&-
says 'descriptor 5: is not open for reading'
expect 1 "${format[@]}" --passphrase-fd five x.img
says 'five is not the number of a descriptor'

# A key of the kernel's, whole.
printf secret | keyctl padd user vcrypt:test @s >/dev/null
opens line.img --key-from-keyring vcrypt:test
"${format[@]}" --key-from-keyring vcrypt:test keyring.img
printf secret | "${check[@]}" -d - keyring.img
expect 4 "${format[@]}" --key-from-keyring vcrypt:none x.img
says 'no key "vcrypt:none" of type user'
keyctl add logon vcrypt:logon secret @s >/dev/null
expect 2 "${format[@]}" --key-from-keyring vcrypt:logon x.img
says 'of type logon, which cannot be read'

# A credential, whole.
mkdir credentials
printf secret >credentials/disk
opens_credential() {
	CREDENTIALS_DIRECTORY=$PWD/credentials opens "$@"
}
opens_credential line.img --credential disk
expect 4 env CREDENTIALS_DIRECTORY="$PWD/credentials" \
	"${format[@]}" --credential none x.img
says 'credential "none": No such file'
expect 1 "${format[@]}" --credential disk x.img
says 'CREDENTIALS_DIRECTORY is not set'
expect 1 env CREDENTIALS_DIRECTORY="$PWD/credentials" \
	"${format[@]}" --credential ../key x.img
says 'cannot be the name of a credential'

# One place only.
expect 1 "${format[@]}" --key-file key --credential disk x.img
says 'format: --key-file and --credential: .* one place only'
expect 1 "${format[@]}" --keyfile-offset 5 x.img <key
says 'are for --key-file'
expect 1 "$VCRYPT" serve --socket socket line.img --passphrase-fd 0 \
	--key-from-keyring a
says 'one place only'
expect 1 "$VCRYPT" open line.img name --passphrase-fd 0 --key-file key
says 'open: .* one place only'

# What is no key file.
expect 4 "${format[@]}" --key-file . x.img
says '\.: is a folder'
truncate -s 8388609 large
expect 4 "${format[@]}" --key-file large x.img
says 'large: longer than 8 MiB'
cp key shut
chmod 0 shut
bounded=()
if [ "$(id -u)" -eq 0 ]; then
	bounded=(setpriv "--bounding-set=-dac_override,-dac_read_search")
fi
expect 2 "${bounded[@]}" "${format[@]}" --key-file shut x.img
says 'shut: Permission denied'
[ ! -e x.img ] || fail "a file was made"

# Nothing of it is said.
! grep -r secret log err out || fail "the passphrase was shown"
