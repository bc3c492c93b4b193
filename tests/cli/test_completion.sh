# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=bash
#
# bash, fish and zsh complete commands, options, words, files and the names of
# open volumes, each asked itself.
# timeout: 600
# shellcheck source=tests/cli/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
requires bash fish zsh

[ "$(id -u)" -eq 0 ] && chown 65534 .
chmod 755 .
"${as_user[@]}" mkdir -m 700 run home answer
# Shells find it as "vcrypt".
mkdir bin scripts
ln -s "$(readlink -f "$VCRYPT")" bin/vcrypt
# And they run as whoever has the volume open.
as() {
	"${as_user[@]}" env HOME="$PWD/home" XDG_RUNTIME_DIR="$PWD/run" \
		TERM=vt100 PATH="$PWD/bin:$PATH" "$@"
}

vc_format secret.img --size 20M
chmod 666 secret.img
printf %s "$passphrase" | as vcrypt open --key-file - secret.img volume1 \
	--vhost-user s >/dev/null
cleanup as vcrypt close volume1

for shell in bash fish zsh; do
	"$VCRYPT" completion "$shell" >"scripts/_vcrypt.$shell"
	"$shell" -n "scripts/_vcrypt.$shell" || fail "$shell cannot read it"
done
mv scripts/_vcrypt.zsh scripts/_vcrypt
expect 1 "$VCRYPT" completion tcsh
says 'SHELL: "bash", "fish" or "zsh", not "tcsh"'

cat >ask.bash <<'END'
. scripts/_vcrypt.bash
# What readline makes of the line.
line=${1//=/ = }
read -ra COMP_WORDS <<<"$line"
[[ $1 != *[\ =] ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
_vcrypt "${COMP_WORDS[0]}"
printf '%s\n' "${COMPREPLY[@]}" | grep .
END

# zsh only completes on a terminal, at its prompt. What it adds goes to a file.
cat >zshrc <<'END'
fpath=($PWD/scripts $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
	local -a hits
	builtin compadd -O hits "$@"
	print -rl -- $hits >>$ANSWER/hits
	builtin compadd "$@"
}
at_end() print >$ANSWER/all
at_prompt() print >$ANSWER/ready
comppostfuncs=(at_end)
zle -N zle-line-init at_prompt
END
cat >ask.zsh <<'END'
zmodload zsh/zpty
zpty z timeout --foreground 60 zsh -f -i
zpty -w z 'source ./zshrc'
until [[ -e $ANSWER/ready ]]; do sleep 0.02; done
zpty -w -n z "$1"$'\t'
until [[ -e $ANSWER/all ]]; do sleep 0.02; done
cat $ANSWER/hits
END

# answers SHELL LINE: one word a line of what the shell offers.
answers() {
	case $1 in
	bash) as bash ask.bash "$2" ;;
	fish) as fish --no-config -c \
		'source scripts/_vcrypt.fish; complete -C $argv[1]' "$2" |
		cut -f 1 ;;
	zsh)
		rm -f answer/*
		as env ANSWER="$PWD/answer" timeout 30 zsh -f ask.zsh "$2"
		;;
	esac 2>&1 </dev/null | sed 's/\x1b[[0-9;?]*[a-zA-Z]/ /g' |
		grep -aoE '[-a-z0-9._/]+' || true
}

# check SHELL LINE WORD... [not WORD...]: in the words that it has offered
check() {
	local shell=$1 line=$2 wanted=yes word

	for word in "${@:3}"; do
		if [ "$word" = not ]; then
			wanted=no
		elif grep -qxF -e "$word" "words.$shell"; then
			[ "$wanted" = yes ] || fail "$shell: $line: offers $word"
		elif [ "$wanted" = yes ]; then
			cat "words.$shell"
			fail "$shell: $line: $word is missing"
		fi
	done
}

# offers LINE WORD... [not WORD...]: all shells, which are asked at once
offers() {
	local shell

	for shell in bash fish zsh; do
		answers "$shell" "$1" >"words.$shell" &
	done
	wait
	for shell in bash fish zsh; do
		check "$shell" "$@"
	done
}

touch image.img image.txt key.bin
mkdir folder
offers 'vcrypt c' close config completion not open list
offers 'vcrypt ' format help not volume1 image.img
offers 'vcrypt help cl' close not config
offers 'vcrypt format --pre' --preallocate not --label
offers 'vcrypt format image.img --label x --' --uuid --help not --force
offers 'vcrypt open --ring ' split packed not image.img volume1
offers 'vcrypt open --ring=p' packed not split
offers 'vcrypt config image.img --persistent no' no-allow-discards
offers 'vcrypt format --key-size ' 256 512
offers 'vcrypt dump ima' image.img image.txt not key.bin
offers 'vcrypt serve --key-file ' key.bin not volume1
offers 'vcrypt close ' volume1 not image.img --force
offers 'vcrypt status --json vol' volume1
offers 'vcrypt open --user nob' nobody
offers 'vcrypt serve --socket-group nog' nogroup
offers 'vcrypt completion ' bash fish zsh not volume1

command_names | grep ' ' | head -n 1 >family || true
if read -r first second <family; then
	offers "vcrypt ${first%?}" "$first" not "$second"
	offers "vcrypt $first " "$second" not image.img
	offers "vcrypt $first $second --h" --help
fi

# bash: no more of what was given, or of what has its place.
offers_bash() {
	answers bash "$1" >words
	diff <(printf '%s\n' "${@:2}" | grep .) words || fail "bash: $1"
}
offers_bash 'vcrypt list --' --json --help
offers_bash 'vcrypt list --json --' --help
offers_bash 'vcrypt status --json vol' volume1
offers_bash 'vcrypt close volume1 v'
offers_bash 'vcrypt dump -- --'
offers_bash 'vcrypt open --label'

# Every command and option is offered.
while read -r command; do
	answers bash "vcrypt $command --" >words
	# shellcheck disable=SC2086 # "key add" is two words
	"$VCRYPT" help $command | sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p' |
		while read -r option; do
			grep -qx -e "$option" words || fail "$command $option"
		done
done < <(command_names | grep -vx help)
