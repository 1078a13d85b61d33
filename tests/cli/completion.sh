#!/bin/sh
# completion.sh - bash completes commands, options of commands, and files.
. "${srcdir:?}/tests/cli/tap.sh"
if ! command -v bash >/dev/null; then
	echo "1..0 # SKIP no bash"
	exit 0
fi
# complete WORD...: the last word is what is being typed.
complete() {
	status=0
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mmcore; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$srcdir/completions/mmcore.bash" "$@" >"$work/out" 2>"$work/err" || status=$?
}
is() { [ "$(tr '\n' ' ' <"$work/out")" = "$1 " ]; }
complete "$MMCORE_PROGRAM" tra
check "commands" is "train translate trace"
complete "$MMCORE_PROGRAM" sample --g
check "options of a command" is "--guide-steps --grid"
complete "$MMCORE_PROGRAM" --changed
check "options of train without its name" is "--changed-data"
complete "$MMCORE_PROGRAM" train --ini x
check "the rest is left to the shell" is ""
finish
