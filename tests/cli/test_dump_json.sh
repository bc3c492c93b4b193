# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# The header as JSON: cryptsetup's metadata under "metadata".
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup

vc_format a.img --size 20M --label 'a "quoted" label'
"$VCRYPT" dump --json a.img >json
grep -q '"type":"LUKS2"' json
grep -q '"label":"a \\"quoted\\" label"' json
grep -q '"image_size":20971520' json
grep -q '"servable":true' json
cryptsetup luksDump --dump-json-metadata a.img |
	sed 's/^ *//' | grep -v '^[{}]$' >theirs
sed 's/^ *//' json >ours
while IFS= read -r line; do
	grep -qxF -- "$line" ours || fail "$line is missing"
done <theirs
