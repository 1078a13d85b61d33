# bash completion of mmcore. Commands and options are what the program itself lists, so they are those installed.
_mmcore() {
	local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} command=train
	if [[ $COMP_CWORD -eq 1 && $current != -* ]]; then
		COMPREPLY=($(compgen -W "$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')" -- "$current"))
		return
	fi
	[[ ${COMP_WORDS[1]} != -* ]] && command=${COMP_WORDS[1]}
	if [[ $current == -* ]]; then
		COMPREPLY=($(compgen -W "$("$program" "$command" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$current"))
	fi
}
complete -o default -F _mmcore mmcore
