# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# A container that a TPM opens: systemd enrolls it, its plugin opens it in the
# cell for devices, with a PIN and without, and no longer when what the TPM has
# measured is different. The TPM is emulated by swtpm; that the node and what
# sysfs says of it are there is for this test only, in a mount namespace.

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires swtpm socat systemd-cryptenroll tpm2_pcrextend unshare script

if [ -z "${IN_NAMESPACE-}" ]; then
	export IN_NAMESPACE=1
	[ "$(id -u)" -eq 0 ] || export UNPRIVILEGED=1
	exec unshare ${UNPRIVILEGED+-r} -m --propagation private \
		bash "${BASH_SOURCE[0]}"
fi

# Whoever is root in here only, and could not drop it, is somebody else again.
if [ -n "${UNPRIVILEGED-}" ]; then
	printf '#!/bin/sh\nexec unshare --map-user=1000 %q "$@"\n' "$VCRYPT" \
		>vcrypt
	chmod +x vcrypt
	VCRYPT=$PWD/vcrypt
fi

wait_for_exit() {
	kill "$1"
	wait "$1" || true
}

start_tpm() {
	mkdir state
	swtpm socket --tpm2 --tpmstate dir=state \
		--server type=unixio,path=tpm --ctrl type=unixio,path=tpm.ctrl \
		--flags not-need-init,startup-clear >swtpm.log 2>&1 &
	cleanup wait_for_exit $!
	wait_for 100 test -S tpm
	# A terminal is the only node that a program can stand behind.
	socat PTY,link=pty,rawer UNIX-CONNECT:tpm &
	cleanup wait_for_exit $!
	wait_for 100 test -e pty
	# The one that stays, so that it does not end with its first user.
	exec 9<>pty
}

make_node() {
	local node

	mkdir dev
	mount -t tmpfs -o mode=0755 dev dev
	for node in null zero random urandom tty; do
		touch "dev/$node"
		mount --bind "/dev/$node" "dev/$node"
	done
	mkdir dev/pts
	mount -t devpts -o ptmxmode=0666 pts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	touch dev/tpmrm0
	mount --bind "$(readlink -f pty)" dev/tpmrm0
	mount --rbind dev /dev
	mount -t tmpfs -o mode=0755 class /sys/class
	mkdir -p /sys/class/tpmrm/tpmrm0
}

# The kernel would do this when a program closes the node.
flush() {
	local what

	for what in -t -l -s; do
		tpm2_flushcontext -T device:/dev/tpmrm0 "$what"
	done
}

enroll() {
	PASSWORD=$passphrase systemd-cryptenroll --tpm2-device=/dev/tpmrm0 \
		--tpm2-pcrs=16 "$@" >enrolled 2>&1 || { cat enrolled; return 1; }
	flush
}

vc_format plain.img --size 20M
vc_format pin.img --size 20M
start_tpm
make_node
enroll plain.img
NEWPIN=2718 enroll --tpm2-with-pin=yes pin.img

opens plain.img --token-only </dev/null
flush
opens plain.img --token-type systemd-tpm2 --token-id 0 </dev/null
flush

# Asked for at the terminal, and not without one.
export VCRYPT
serve=("$VCRYPT" serve --socket socket)
expect 4 "${serve[@]}" pin.img --token-only </dev/null
says 'token 0 needs a PIN, and there is no terminal'
flush
cat >with_pin.sh <<'END'
"$VCRYPT" serve --socket socket pin.img --token-only </dev/tty >served &
until [ -s served ]; do
	sleep 0.1
	kill -0 $! || exit
done
kill $!
wait $!
END
rm -f served
on_terminal 2718 sh with_pin.sh
grep -q 'PIN of token 0 of pin.img: ' screen
! grep -q 2718 screen || fail "the PIN was shown"
grep -q 'pin.img is open' screen || { cat screen; fail "not opened"; }
flush

tpm2_pcrextend -T device:/dev/tpmrm0 "16:sha256=$(printf %064d 1)"
expect 2 "${serve[@]}" plain.img --token-only
says 'token 0: the plugin did not open it: Operation not permitted'
