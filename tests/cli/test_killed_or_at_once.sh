# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
# timeout: 600
#
# Key commands and resize that are killed at any of their steps, or run at once
# on the same image, with cryptsetup among them: some passphrase opens the
# container, nobody waits for a lock of the dead, and what was said to be done
# is done. (The unit test volume_keys_kill has each write by itself.)

# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires cryptsetup strace

for n in 0 1 2 3 4 5 6; do printf 'pass %s' "$n" >"key$n"; done
vc_one() {
	"$VCRYPT" format --batch-mode --key-file key0 "${fast_pbkdf[@]}" \
		--size 20M "$1"
}
vc_one good.img
head -c 1M /dev/urandom >data
dd if=data of=good.img bs=1M seek=16 conv=notrunc status=none

opens() {
	cryptsetup open --test-passphrase --key-file "$2" "$1" 2>/dev/null
}

data_is_there() {
	cmp -n $((1 << 20)) -i "$((16 << 20)):0" "$1" data ||
		fail "$1 has lost data"
}

# killed CALL N COMMAND...: by SIGKILL, when its own process (the one that
# writes to the image) makes that call for the Nth time; fails if it ends before.
killed() {
	local status=0

	strace -qq -o trace -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" \
		"${@:3}" >out 2>err || status=$?
	[ "$status" -eq 137 ] || { [ "$status" -eq 0 ] && return 1; } ||
		fail "status $status: $(cat err)"
}

# each_step CALLS CHECK COMMAND...: killed at each of these, on a fresh a.img;
# CHECK says whether what is left is right.
each_step() {
	local calls=$1 check=$2 call n kills=0

	shift 2
	for call in $calls; do
		for n in {1..40}; do
			cp good.img a.img
			killed "$call" "$n" "$@" || break
			kills=$((kills + 1))
			"$check" || fail "$*: killed at $call $n"
			data_is_there a.img
		done
		[ "$n" -lt 40 ] || fail "the test is wrong: more than $n $call"
	done
	[ "$kills" -ge 2 ] || fail "the test is wrong: $kills kills of $*"
	# The last one was killed by nobody, and finds no lock of those before.
	"$check" || fail "$*: $(cat err)"
}

old=(--key-file key0)
new=(--new-key-file key1 "${fast_pbkdf[@]}")
old_opens() {
	opens a.img key0
}
one_opens() {
	opens a.img key0 || opens a.img key1
}

each_step fsync old_opens "$VCRYPT" key add "${old[@]}" "${new[@]}" a.img
opens a.img key1 || fail "the new key slot is not there"
each_step fsync one_opens "$VCRYPT" key change "${old[@]}" "${new[@]}" a.img

# Another key slot goes; the one that is left stays.
cp good.img one_slot.img
expect 0 "$VCRYPT" key add "${old[@]}" "${new[@]}" good.img
each_step fsync old_opens "$VCRYPT" key remove --batch-mode --key-slot 1 a.img
cp good.img a.img
expect 0 "$VCRYPT" key remove --batch-mode --key-slot 0 a.img
opens a.img key1 || fail "the other key slot is gone"
mv one_slot.img good.img

# resize: the data that are kept are there, and a size that can be had again.
sized() {
	"$VCRYPT" check a.img >out && old_opens
}
each_step 'fsync ftruncate fallocate' sized "$VCRYPT" resize --size 30M a.img
each_step 'fsync ftruncate fallocate' sized "$VCRYPT" resize --size 30M --preallocate a.img
each_step 'fsync ftruncate fallocate' sized "$VCRYPT" resize --size 18M --batch-mode a.img

# At once: whoever is told that it is done has a key slot, and all of them wait
# or are refused.
cp good.img a.img
pids=()
for n in 1 2 3; do
	"$VCRYPT" key add "${old[@]}" --new-key-file "key$n" \
		"${fast_pbkdf[@]}" a.img >"out$n" 2>&1 &
	pids+=($!)
done
for n in 4 5; do
	cryptsetup luksAddKey -q "${fast_pbkdf[@]}" "${old[@]}" a.img "key$n" \
		>"out$n" 2>&1 &
	pids+=($!)
done
"$VCRYPT" resize --size 30M a.img >out6 2>&1 &
pids+=($!)
done=0
for n in 1 2 3 4 5 6; do
	status=0
	wait "${pids[n - 1]}" || status=$?
	case $n:$status in
	6:0) [ "$(stat -c %s a.img)" -eq $((30 << 20)) ] || fail "not resized" ;;
	[12345]:0)
		opens a.img "key$n" || fail "key slot of key$n is lost"
		done=$((done + 1))
		;;
	[45]:1) grep -q 'concurrent LUKS2 metadata update' "out$n" ;;
	[1236]:5) grep -q 'is open already, or in use by another' "out$n" ;;
	*) fail "$n: status $status: $(cat "out$n")" ;;
	esac
done
opens a.img key0 || fail "the first key slot is lost"
[ "$("$VCRYPT" key list --json a.img | grep -c '"slot":')" -eq $((done + 1)) ] ||
	fail "not $done key slots more: $("$VCRYPT" key list a.img)"
"$VCRYPT" check a.img >out || fail "$(cat out)"
data_is_there a.img
