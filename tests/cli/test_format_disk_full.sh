# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# No room for the header: a clear error and no half container.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

printf pw >key
format=("$VCRYPT" format --key-file key "${fast_pbkdf[@]}")

# A limit of the user's own.
limited() (
	ulimit -f 1000
	"${format[@]}" --size 20M big.img
)
expect 4 limited
says 'big.img: .*File too large'
[ ! -e big.img ] || fail "a half container is left"

# A file system that is full, in a mount namespace of its own.
mkdir full
cat >in_namespace <<'INNER'
mount -t tmpfs -o size=8M none full || exit 99
"$@" full/new.img
status=$?
[ -z "$(ls -A full)" ] || echo "left: $(ls -A full)" >&2
exit $status
INNER
status=0
unshare --user --map-root-user --mount sh in_namespace "${format[@]}" \
	--size 64M >out 2>err || status=$?
if [ "$status" -eq 99 ] || grep -q '^unshare:' err; then
	status=0
	unshare --mount sh in_namespace "${format[@]}" --size 64M >out 2>err ||
		status=$?
fi
if [ "$status" -eq 99 ] || grep -q '^unshare:' err; then
	# The test in the guest has a disk of its own to fill.
	exit 0
fi
[ "$status" -eq 4 ] || { cat err; fail "status $status"; }
says 'full/new.img: no room for [0-9]* bytes: No space left on device'
! grep -q '^left:' err || fail "a half container is left"
