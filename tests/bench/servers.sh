# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# The servers that the benchmark compares: their images, how each is started
# and ended. A server's name is KIND-VARIANT:
#
#   vc-4096, vc-512       vcrypt: LUKS2 with 4096-byte sectors; LUKS1
#   vc-4096-nopoll        the same, which never polls
#   luks-AIO, raw-AIO     qemu-storage-daemon: LUKS1 (that of vc-512), no
#                         encryption; AIO is native, threads or uring
#
# The caller has set: work (folder for sockets and logs, with the passphrase in
# "key"), VCRYPT, blkload, have_vcrypt (empty, or not).

: "${server_cpu:=0}"
server_pid=

# image_of SERVER FOLDER
image_of() {
	case $1 in
	vc-4096* | fio) echo "$2/luks2.img" ;;
	vc-512* | luks-*) echo "$2/luks1.img" ;;
	*) echo "$2/raw.img" ;;
	esac
}

# Does "vcrypt serve" have an option of this name?
serve_has() {
	"$VCRYPT" help serve 2>/dev/null | grep -q -- "--$1"
}

# command_of SERVER FOLDER CACHE QUEUES RING: into the array "command".
# CACHE is default, direct (O_DIRECT) or buffered.
command_of() {
	local server=$1 cache=$3 queues=$4 ring=$5 image aio direct=off
	local node=d,file=f

	image=$(image_of "$1" "$2")
	case $server in
	vc-*)
		command=("$VCRYPT" serve "$image" --socket "$work/socket"
			--key-file "$work/key")
		[ "$cache" = default ] || command+=(--cache "$cache")
		[ "$queues" = 1 ] || command+=(--queues "$queues")
		[ "$ring" = split ] || ! serve_has ring ||
			command+=(--ring "$ring")
		[ "${server%-nopoll}" = "$server" ] || command+=(--poll-us 0)
		return
		;;
	esac
	aio=${server#*-}
	aio=${aio/uring/io_uring}
	# Its native AIO needs O_DIRECT; the others copy with it as well.
	[ "$cache" != direct ] && [ "$aio" != native ] || direct=on
	command=(qemu-storage-daemon
		--object "secret,id=key,file=$work/key"
		--blockdev "file,node-name=f,filename=$image,locking=off,aio=$aio,cache.direct=$direct")
	case $server in
	luks-*) command+=(--blockdev "luks,node-name=$node,key-secret=key") ;;
	*) command+=(--blockdev "raw,node-name=$node") ;;
	esac
	command+=(--export "vhost-user-blk,id=e,node-name=d,writable=on,num-queues=$queues,addr.type=unix,addr.path=$work/socket")
}

# await_socket: until the server listens, or ends.
await_socket() {
	local i

	for ((i = 0; i < 1000; i++)); do
		[ ! -S "$work/socket" ] || return 0
		kill -0 "$server_pid" 2>/dev/null || return 1
		sleep 0.01
	done
	return 1
}

# start_server CPU SERVER FOLDER CACHE QUEUES RING: leaves its process in
# $server_pid. CPU is a list as taskset has it. The kernel closes the files of
# an io_uring some time after its process ended, and they may be locked until
# then: so more than one try.
start_server() {
	local cpus=$1 command tries

	shift
	command_of "$@"
	for ((tries = 0; tries < 10; tries++)); do
		rm -f "$work/socket"
		taskset -c "$cpus" "${command[@]}" </dev/null \
			>"$work/server.log" 2>&1 &
		server_pid=$!
		await_socket && return 0
		stop_server
		grep -q 'is open already' "$work/server.log" || return 1
		sleep 0.1
	done
	return 1
}

stop_server() {
	[ -n "$server_pid" ] || return 0
	kill "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
	server_pid=
}

# with_server SERVER FOLDER COMMAND...: run a command while the server runs.
with_server() {
	local server=$1 folder=$2 status=0

	shift 2
	start_server "$server_cpu" "$server" "$folder" default 1 split || {
		cat "$work/server.log" >&2
		return 1
	}
	"$@" || status=$?
	stop_server
	return "$status"
}

# make_luks1 IMAGE SIZE: qemu-img measures its key derivation, and gives up now
# and then ("Unable to get accurate CPU usage").
make_luks1() {
	local tries

	for ((tries = 0; tries < 10; tries++)); do
		qemu-img create -q -f luks \
			--object "secret,id=key,file=$work/key" \
			-o key-secret=key,iter-time=10,preallocation=falloc \
			"$1" "$2" && return 0
	done
	return 1
}

# Make the images in FOLDER, of SIZE bytes of data, all of it written: by
# qemu-storage-daemon, and what vcrypt alone can, by vcrypt.
make_images() {
	local folder=$1 size=$2 load

	mkdir -p "$folder"
	load=("$blkload" --socket "$work/socket" --bs 1M --depth 8)
	rm -f "$folder"/*.img
	fallocate -l "$size" "$folder/raw.img" &&
		with_server raw-threads "$folder" "${load[@]}" --rw fill &&
		make_luks1 "$folder/luks1.img" "$size" &&
		with_server luks-threads "$folder" "${load[@]}" --rw fill ||
		return 1
	[ -n "$have_vcrypt" ] || return 0
	"$VCRYPT" format --batch-mode --key-file "$work/key" --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 --size $((size + (16 << 20))) \
		--preallocate --sector-size 4096 "$folder/luks2.img" &&
		with_server vc-4096 "$folder" "${load[@]}" --rw fill &&
		with_server vc-512 "$folder" "${load[@]}" --rw check
}
