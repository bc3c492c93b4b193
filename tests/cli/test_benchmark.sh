# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# The benchmark prints cryptsetup's lines, and the same as JSON.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

# The form of a line: figures and runs of spaces do not count.
form() {
	sed -E 's/[0-9.]+ (iter|memory|parallel|ms|MiB)/N \1/g; s/ +/ /g'
}

"$VCRYPT" benchmark --cipher aes-xts-plain64 >ciphers
sed -nE 's/^ +(aes-xts) +([0-9]+b) +([0-9]+B) .*/\1 \2 \3/p' ciphers >rows
diff rows - <<'END'
aes-xts 256b 512B
aes-xts 256b 4096B
aes-xts 512b 512B
aes-xts 512b 4096B
END
! grep -qE ' 0\.0 MiB/s|PBKDF2|argon2' ciphers || fail "$(cat ciphers)"
grep -qE '^#  +Algorithm \| +Key \| +Sector \| +Encryption \| +Decryption$' \
	ciphers

"$VCRYPT" benchmark --pbkdf pbkdf2 | form >ours
! grep -q aes-xts ours || fail "ciphers, with --pbkdf"
[ "$(grep -c '^PBKDF2-sha' ours)" -eq 3 ] || fail "$(cat ours)"
cryptsetup benchmark --pbkdf pbkdf2 --hash sha256 | form | grep PBKDF2 |
	matches -xFf - ours || fail "other words than cryptsetup: $(cat ours)"
"$VCRYPT" benchmark --pbkdf argon2id --pbkdf-memory 1024 --iter-time 50 \
	--pbkdf-parallel 1 | grep argon2 >line
form <line >ours
[ "$(cat ours)" = "argon2id N iterations, N memory, N parallel threads (CPUs)\
 for 256-bit key (requested N ms time)" ] || fail "$(cat ours)"
grep -q ' 1024 memory, 1 parallel .* 50 ms' line || fail "$(cat line)"

"$VCRYPT" benchmark --json --pbkdf argon2i --pbkdf-memory 1024 --iter-time 50 \
	--cipher aes-xts >json
[ "$(grep -c '"encrypt_bytes_per_second":[1-9]' json)" -eq 4 ] || fail json
[ "$(grep -c '"decrypt_bytes_per_second":[1-9]' json)" -eq 4 ] || fail json
grep -q '"memory_kib":1024' json

expect 1 "$VCRYPT" benchmark --cipher serpent
says '--cipher: "aes-xts" or "aes-xts-plain64", not "serpent"'
expect 1 "$VCRYPT" benchmark --pbkdf argon2id --pbkdf-memory 1
says '1 KiB of memory for key derivation is not possible'
expect 1 "$VCRYPT" benchmark aes
says 'no argument is needed'
