# SPDX-License-Identifier: BSD-3-Clause
# Completion for tandemctl: the command itself says what can stand in place of the last word.
_tandemctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words

	COMPREPLY=()
	mapfile -t words < <("${COMP_WORDS[0]}" --next-words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	case ${words[0]} in
	'<file>')
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	'<name>')
		mapfile -t COMPREPLY < <(cd /run/tandem 2>/dev/null && compgen -G "$cur*.sock" | sed 's/\.sock$//')
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$cur")
		;;
	esac
}
complete -F _tandemctl tandemctl
