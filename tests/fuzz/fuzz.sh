#!/bin/sh
# fuzz.sh - each harness on a corpus that is made, and on what was found at any time (tests/fuzz/found/HARNESS). An input that takes
# 10 s, more than 1 GB in all, a crash, a failure without a message: each is a finding.
. "${srcdir:?}/tests/cli/tap.sh"
srcdir=$(cd "$srcdir" && pwd) || exit 99
FUZZ_SEEDS=$PWD/tests/fuzz/seeds
MMCORE_TEST_PLUGINS=${MMCORE_TEST_PLUGINS:?is set by make check}
export srcdir FUZZ_SEEDS
here=$PWD/tests/fuzz
status=0
: >"$work/out"
sh "$srcdir/tests/fuzz/corpus.sh" "$work/corpus" 2>"$work/err" || status=$?
check "the corpus is made" exits 0

# What reads the inputs of a folder.
harness_of() {
	case $1 in
	png | jpeg) echo picture ;;
	*) echo "$1" ;;
	esac
}

for folder in "$work"/corpus/*/; do
	name=$(basename "$folder")
	program=$here/fuzz_$(harness_of "$name")
	[ -x "$program" ] || continue # audio, where its libraries are not there
	status=0
	"$program" "$folder" "$srcdir/tests/fuzz/found/$name" >"$work/out" 2>"$work/err" || status=$?
	check "$name: $(cat "$work/out")" exits 0
done
finish
