# SPDX-License-Identifier: BSD-3-Clause
# Completion for tandemctl; the words come from the command itself.
_tandemctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i words=()

	COMPREPLY=()
	case $prev in
	-s | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-n | --name)
		mapfile -t COMPREPLY < <(cd /run/tandem 2>/dev/null && compgen -G "$cur*.sock" | sed 's/\.sock$//')
		return
		;;
	-t | --timeout | --limit)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--socket --name --json --timeout --limit --force --help' -- "$cur")
		return
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | --socket | -n | --name | -t | --timeout | --limit) ((i++)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	if [[ ${#words[@]} -eq 2 && ${words[0]} == sa* ]]; then # save configuration FILE
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --next-words -- "${words[@]}" 2>/dev/null)" -- "$cur")
}
complete -F _tandemctl tandemctl
