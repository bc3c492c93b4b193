# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# --replace under kills: what stands under the image's name is the whole image
# or the whole container, in every moment.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup strace

head -c 3M /dev/urandom >a.img
cp a.img a.copy
kills=0
for at in pwrite64:2 ftruncate:3 fsync:1 fsync:2 fsync:3 fchmod:1 rename:1; do
	under=(strace -qq -o trace -e "trace=${at%:*}"
		-e "inject=${at%:*}:signal=KILL:when=${at#*:}")
	vc_encrypt --replace a.img 2>err || kills=$((kills + 1))
	under=()
	if ! cmp -s a.img a.copy; then
		holds a.img a.copy
		[ ! -e a.img.luks.part ] || fail "both of them"
		cp a.copy a.img
	fi
done
[ "$kills" -ge 5 ] || fail "only $kills kills"
rm -f a.img.luks.part

# Killed in the call that renames: it is one or the other, and goes on.
under=(strace -qq -o trace -e trace=rename -e inject=rename:signal=KILL)
vc_encrypt --replace a.img 2>err && fail "rename was not called"
under=()
if cmp -s a.img a.copy; then
	expect 0 vc_encrypt --replace a.img
fi
holds a.img a.copy

# The name that it would have had without the option is not needed.
cp a.copy a.img
echo "an earlier one" >a.img.luks
expect 0 vc_encrypt --replace a.img
holds a.img a.copy
[ "$(cat a.img.luks)" = "an earlier one" ] || fail "a.img.luks was changed"
rm a.img.luks

# Another file took its name meanwhile: that one is not harmed.
cp a.copy a.img
cat >swap <<'INNER'
mv a.img mine
echo "something else" >a.img
INNER
mkfifo key
"$VCRYPT" encrypt --replace "${fast_pbkdf[@]}" --key-file key a.img \
	2>err &
pid=$!
cleanup kill "$pid"
wait_for 100 grep -q "OFDLCK.*:$(stat -c %i a.img) 0 0\$" /proc/locks
bash swap
printf %s "$passphrase" >key
status=0
wait "$pid" || status=$?
[ "$status" -eq 4 ] || { cat err; fail "status $status"; }
says 'a.img is another file now, and was not replaced'
[ "$(cat a.img)" = "something else" ] || fail "it was replaced"
