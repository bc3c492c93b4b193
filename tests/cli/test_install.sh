# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# What is installed works, everybody can read it, and it can be taken away
# again.
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires make

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
built=$(readlink -f "$VCRYPT")

# Nothing is to be built, whatever the flags are now.
install() {
	make -s -C "$top" B="${built%/*}" -o "$built" DESTDIR="$PWD/root" \
		PREFIX=/usr "$@"
}

umask 077
install install >log 2>&1 || { cat log; fail "install"; }
[ -z "$(find root -type f ! -perm -444)" ] || fail "$(find root -ls)"
[ "$(root/usr/bin/vcrypt --version)" = "$("$VCRYPT" --version)" ]
for shell in bash-completion/completions/vcrypt \
	fish/vendor_completions.d/vcrypt.fish zsh/site-functions/_vcrypt; do
	grep -q preallocate "root/usr/share/$shell" || fail "$shell"
done
for page in "$top"/Documentation/*.8; do
	cmp -s "$page" "root/usr/share/man/man8/${page##*/}" || fail "$page"
done
install uninstall
[ -z "$(find root -type f)" ] || fail "left over: $(find root -type f)"
