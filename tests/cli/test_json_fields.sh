# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# What dump, key list, check and --progress say as JSON is what vcrypt.8 says:
# each field that comes is listed here with its types and named there, each that
# is listed here comes, and each that is named there is listed here.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup jq

page=$(dirname "${BASH_SOURCE[0]}")/../../Documentation/vcrypt.8

# fields: of objects on standard input: "NAME.NAME TYPE"; an element of an array
# is called "-", and what has a number as its name "N".
fields() {
	jq -r 'paths as $p | [($p | map(
		if type == "number" then "-"
		elif test("^[0-9]+$") then "N" else . end) | join(".")),
		(getpath($p) | type)] | join(" ")' | sort -u
}

# compare SECTION...: what came, in the file "came", with the contract on
# standard input ("NAME.NAME TYPE[|TYPE]"), and that with the page.
compare() {
	local section

	awk '{ n = split($2, types, "|")
		for (i = 1; i <= n; i++) print $1, types[i] }' |
		sort -u >contract
	sort -u came | diff contract - >differ ||
		fail "$1: missing (<) or not listed (>): $(grep '^[<>]' differ)"
	for section in "$@"; do
		awk -v want=".Ss $section" '
			/^\.S[sh] / { on = $0 == want } on' "$page"
	done | sed -nE 's/^\.(It |Pf \( )?Va //p' | tr -d ',.();' | tr ' ' '\n' |
		grep . | sort -u >named
	cut -d ' ' -f 1 contract | tr . '\n' | grep -vx -e - -e N | sort -u |
		diff - named >differ ||
		fail "$1: not in vcrypt.8 (<) or not listed (>): $(cat differ)"
}

# words SECTION: its values that are words.
words() {
	awk -v want=".Ss $1" '/^\.S[sh] / { on = $0 == want } on' "$page" |
		sed -n 's/^\.Cm //p' | sed 's/ *[,.]$//; s/ , /\n/g' | sort -u
}

printf %s "$passphrase" >key
printf another >key2
dump() {
	"$VCRYPT" dump --json "$@" >json
	jq -es 'length == 1 and (.[0] | type) == "object"' json >&2
	cat json
}

# LUKS2: key slots of every kind, tokens, flags, a detached header; one whose
# key slots are gone; re-encryption under way.
vc_format two.img --size 20M --label name
add=(cryptsetup luksAddKey -q --key-file key)
"${add[@]}" --pbkdf argon2id --pbkdf-memory 64 --pbkdf-force-iterations 4 \
	two.img key2
"${add[@]}" --unbound --key-size 256 "${fast_pbkdf[@]}" two.img key2
cryptsetup config --key-slot 1 --priority prefer two.img
cryptsetup token add --key-description pass --key-slot 0 two.img
cryptsetup token import --token-id 7 two.img <<<'{"type":"other","keyslots":[]}'
"$VCRYPT" config --persistent allow-discards two.img
vc_format detached.img --size 2M --header detached.hdr
cp two.img erased.img
"$VCRYPT" erase --batch-mode erased.img >out
for resilience in checksum journal; do
	truncate -s 20M $resilience.img
	cryptsetup luksFormat -q "${fast_pbkdf[@]}" $resilience.img key
	cryptsetup reencrypt -q --init-only --disable-locks --key-file key \
		--force-offline-reencrypt --resilience "$resilience" \
		"${fast_pbkdf[@]}" $resilience.img
done
truncate -s 20M shift.img
cryptsetup reencrypt -q --encrypt --init-only --type luks2 --disable-locks \
	--force-offline-reencrypt --reduce-device-size 8M --key-file key \
	"${fast_pbkdf[@]}" shift.img

{
	dump two.img
	dump detached.img --header detached.hdr
	dump erased.img
	dump checksum.img
	dump journal.img
	dump shift.img
} >all
fields <all >came
jq -es 'map(.servable) == [true, true, false, false, false, false] and
	all(.servable == (.refusal == ""))' all >out || fail "$(cat all)"
grep -v '^metadata\.' came >outer
grep '^metadata\.' came | sed 's/^metadata\.//' >inner
mv inner came
compare "dump: metadata of LUKS2" <<'END'
keyslots object
keyslots.N object
keyslots.N.type string
keyslots.N.key_size number
keyslots.N.priority number
keyslots.N.mode string
keyslots.N.direction string
keyslots.N.af object
keyslots.N.af.type string
keyslots.N.af.stripes number
keyslots.N.af.hash string
keyslots.N.area object
keyslots.N.area.type string
keyslots.N.area.offset string
keyslots.N.area.size string
keyslots.N.area.encryption string
keyslots.N.area.key_size number
keyslots.N.area.hash string
keyslots.N.area.sector_size number
keyslots.N.area.shift_size string
keyslots.N.kdf object
keyslots.N.kdf.type string
keyslots.N.kdf.salt string
keyslots.N.kdf.hash string
keyslots.N.kdf.iterations number
keyslots.N.kdf.time number
keyslots.N.kdf.memory number
keyslots.N.kdf.cpus number
tokens object
tokens.N object
tokens.N.type string
tokens.N.keyslots array
tokens.N.keyslots.- string
tokens.N.key_description string
segments object
segments.N object
segments.N.type string
segments.N.offset string
segments.N.size string
segments.N.iv_tweak string
segments.N.encryption string
segments.N.sector_size number
segments.N.flags array
segments.N.flags.- string
digests object
digests.N object
digests.N.type string
digests.N.keyslots array
digests.N.keyslots.- string
digests.N.segments array
digests.N.segments.- string
digests.N.hash string
digests.N.iterations number
digests.N.salt string
digests.N.digest string
config object
config.json_size string
config.keyslots_size string
config.flags array
config.flags.- string
config.requirements object
config.requirements.mandatory array
config.requirements.mandatory.- string
END

# LUKS1, with one key slot of two.
truncate -s 4M one.img
cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 \
	--key-file key one.img
{
	cat outer
	dump one.img | fields
} >came
compare dump <<'END'
type string
uuid string
label string
image_size number
servable boolean
refusal string
note string
metadata object
metadata.cipher string
metadata.cipher_mode string
metadata.key_size number
metadata.offset number
metadata.keyslots object
metadata.keyslots.N object
metadata.keyslots.N.type string
metadata.keyslots.N.hash string
metadata.keyslots.N.iterations number
END

for image in two one; do
	"$VCRYPT" key list --json $image.img
done | fields >came
compare "key list" <<'END'
type string
uuid string
slots_max number
keyslots array
keyslots.- object
keyslots.-.slot number
keyslots.-.use string
keyslots.-.priority string
keyslots.-.key_bits number
keyslots.-.kdf object
keyslots.-.kdf.type string
keyslots.-.kdf.hash string
keyslots.-.kdf.iterations number
keyslots.-.kdf.memory_kib number
keyslots.-.kdf.threads number
keyslots.-.encryption string
keyslots.-.encryption_key_bits number
keyslots.-.tokens array
keyslots.-.tokens.- number
END

# In order, with a damaged header, and where the header is a file of its own
# and the image has holes that cannot be filled.
cp two.img damaged.img
printf damaged | dd of=damaged.img bs=1 seek=5000 conv=notrunc status=none
cp detached.img huge.img
truncate -s 4P huge.img 2>/dev/null || truncate -s 8T huge.img
{
	"$VCRYPT" check --json two.img
	"$VCRYPT" check --json --header detached.hdr huge.img
	"$VCRYPT" check --json damaged.img || [ $? -eq 4 ]
	"$VCRYPT" check --json key || [ $? -eq 4 ]
} >all
fields <all >came
compare check <<'END'
image string
healthy boolean
findings array
findings.- object
findings.-.what string
findings.-.state string
findings.-.text string
END
jq -r '.findings[] | .what, .state' all | sort -u | diff - <(words check) ||
	fail "check: other words (<) than in vcrypt.8 (>)"

# Every job.
truncate -s 1M plain.img
{
	vc_format new.img --size 20M --preallocate --progress json
	vc_format new.img --wipe --progress json
	vc_encrypt plain.img --progress json 2>err
	"$VCRYPT" erase --batch-mode new.img --progress json
} >all
# The unit test "progress" has a time that is not known.
fields <all >came
compare "--progress json" <<'END'
job string
done number
total number
bytes_per_second number
seconds number
seconds_left number
END
jq -r .job all | sort -u |
	diff - <(words "--progress json" | grep -vx null) ||
	fail "progress: other jobs (<) than in vcrypt.8 (>)"

# What has no header has no JSON, not half of it.
for image in key new.img.none .; do
	expect 4 "$VCRYPT" dump --json "$image"
	says "^vcrypt: $image: "
	[ ! -s out ] || fail "$(cat out)"
done
