# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# timeout: 900
#
# Every command that has to do with secrets, for who may lock little memory
# (ulimit -l): it works, with all locks granted, or it says so in one line with
# exit code 3 and has changed nothing. test_memlock.sh has open and the rest.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
# shellcheck source=tests/secrets/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../secrets/functions.sh"
requires cryptsetup setpriv prlimit strace

chmod 755 .
printf %s "$passphrase" >key
printf another >key2
head -c 64 /dev/urandom >raw
chmod 644 key key2 raw
truncate -s 1M plain.orig
truncate -s 4M one.orig
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	--key-file key one.orig
vc_format two.orig --size 6M
"$VCRYPT" header backup two.orig two.bak
chmod 644 two.bak

uid=63000
before=()
# What the kernel refused to lock goes to the file "refused".
trace=(strace -qq -f -o refused -e "trace=mlock,mlock2,mlockall,mmap"
	-e status=failed -e signal=none)

# limited KIB COMMAND...: as somebody that has nothing locked.
limited() {
	local limit=$(($1 << 10)) user=()

	shift
	uid=$((uid + 1))
	[ "$(id -u)" -ne 0 ] || user=(setpriv --reuid "$uid" --regid "$uid"
		--clear-groups --bounding-set=-all)
	"${under[@]}" prlimit --memlock="$limit:$limit" "${user[@]}" \
		"${before[@]}" "$VCRYPT" "$@"
}

afresh() {
	rm -rf new
	mkdir -m 777 new
	for image in plain one two; do
		cp --sparse=always "$image.orig" "$image"
		chmod 666 "$image"
	done
}

# refused KIB COMMAND...
refused() {
	afresh
	under=()
	expect 3 limited "$@"
	says 'locked memory.*ulimit -l'
	# encrypt has said before how much room is taken.
	[ "$(grep -vc 'MiB more' err)" -eq 1 ] || fail "$(cat err)"
	for image in plain one two; do
		cmp "$image.orig" "$image" || fail "changed by $*"
	done
	[ -z "$(ls new)" ] || fail "left by $*: $(ls new)"
}

# works KIB COMMAND...: and no lock was refused on the way.
works() {
	afresh
	under=("${trace[@]}")
	expect 0 limited "$@"
	[ ! -s refused ] || fail "$*: not locked: $(cat refused)"
}

old=(--key-file key)
slot=(--new-key-file key2 "${fast_pbkdf[@]}")

# With a passphrase, and all that comes of it.
secret_commands() {
	"$1" "$2" key add "${old[@]}" "${slot[@]}" two
	"$1" "$2" key change "${old[@]}" "${slot[@]}" two
	"$1" "$2" key remove "${old[@]}" --batch-mode --force two
	"$1" "$2" key add "${old[@]}" "${slot[@]}" one
	"$1" "$2" dump --dump-volume-key --batch-mode "${old[@]}" \
		--volume-key-file new/key two
	"$1" "$2" format "${old[@]}" "${fast_pbkdf[@]}" --size 2M \
		--header new/header new/image
	"$1" "$2" format "${old[@]}" --pbkdf-memory 64 \
		--pbkdf-force-iterations 4 --size 6M --wipe new/image
	"$1" "$2" encrypt "${old[@]}" "${fast_pbkdf[@]}" --output new/image \
		plain
}

# A key that is read and not derived; with enough it would serve for ever.
plain=(serve --type plain --cipher aes-xts-plain64 --key-size 512
	--key-file raw --socket new/socket plain)

# With the header only, of which a page is kept as secrets are.
header_commands() {
	"$1" "$2" key list two
	"$1" "$2" key remove --key-slot 0 --batch-mode --force two
	"$1" "$2" config --priority ignore --key-slot 0 two
	"$1" "$2" config --persistent allow-discards two
	"$1" "$2" convert --batch-mode --type luks2 --backup new/backup one
	"$1" "$2" erase --batch-mode two
	"$1" "$2" header backup two new/backup
	"$1" "$2" header restore --batch-mode two two.bak
	"$1" "$2" header repair two
	"$1" "$2" dump --json one
	"$1" "$2" resize --size 8M two
}

secret_commands refused 0
header_commands refused 0
header_commands works 64
secret_commands refused 64
refused 0 "${plain[@]}"
for before in "" "${without_secretmem[*]}"; do
	read -ra before <<<"$before"
	secret_commands refused 4096
	refused 4096 "${plain[@]}"
	secret_commands works 6144
done
