# tap.sh - for the shell tests: sourced, runs the program and prints TAP. MMCORE_PROGRAM names the program.
: "${MMCORE_PROGRAM:?is set by make check}"
tests=0
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# run ARGUMENT...: leaves $status, and the output in $work/out and $work/err.
run() {
	status=0
	"$MMCORE_PROGRAM" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# check NAME COMMAND...: one test point; it passes when the command succeeds.
check() {
	name=$1
	shift
	tests=$((tests + 1))
	if "$@"; then
		echo "ok $tests - $name"
	else
		echo "not ok $tests - $name"
		echo "# status $status"
		sed 's/^/# out: /' "$work/out"
		sed 's/^/# err: /' "$work/err"
	fi
}

exits() { [ "$status" -eq "$1" ]; }
# says FILE TEXT: FILE is out or err.
says() { grep -qF -- "$2" "$work/$1"; }
silent() { [ ! -s "$work/$1" ]; }

# One line, with the program's name in front, and nothing on standard output.
complains() {
	silent out && [ "$(wc -l <"$work/err")" -eq 1 ] && grep -q '^mmcore: ' "$work/err" && says err "$1"
}

finish() {
	echo "1..$tests"
}
