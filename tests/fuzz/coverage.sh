#!/bin/sh
# coverage.sh - make fuzz-coverage: which lines of each reader the corpora reach (gcov). Builds the harnesses in fuzz-build/coverage, gives
# them newly made corpora (FUZZ_CORPUS: others, such as fuzz-build/corpus, which grows with make fuzz) and what was ever found, and prints
# a line a reader (readers.txt). Lines that answer a want of memory or a failed call of the system are left out: no input reaches them,
# tests/faults does. FUZZ_LINES=yes
# prints the lines that were not reached.
set -eu
: "${FUZZ_PROGRAMS:?}" "${FUZZ_SEEDS:?}" "${MMCORE_TEST_PLUGINS:?}"
here=$srcdir/tests/fuzz
mkdir -p fuzz-build/coverage
cd fuzz-build/coverage
[ -f Makefile ] || "$srcdir/configure" -q CC="${FUZZ_GCC:-gcc}" CFLAGS="-g -O0 --coverage" --with-cuda=no --without-openblas
# shellcheck disable=SC2086 # a list
"$MAKE" -s $FUZZ_PROGRAMS >&2
corpus=${FUZZ_CORPUS:-$PWD/made}
[ -n "${FUZZ_CORPUS-}" ] || sh "$here/corpus.sh" "$corpus"
find . -name '*.gcda' -exec rm -f {} +
for folder in "$corpus"/*/; do
	name=$(basename "$folder")
	case $name in
	png | jpeg) program=tests/fuzz/fuzz_picture ;;
	*) program=tests/fuzz/fuzz_$name ;;
	esac
	[ ! -x "$program" ] || "$program" "$folder" "$here/found/$name" >/dev/null
done

# An object may have been built several times; a line counts once any of them reached it.
sed 's/#.*//' "$here/readers.txt" | while read -r reader functions; do
	[ -n "$reader" ] || continue
	object=$(basename "$reader" .c)
	find "$(dirname "$reader")" tests/fuzz -name "*-$object.gcda" -exec gcov -t {} + 2>/dev/null |
		awk -v reader="$reader" -v functions="$functions" -v show="${FUZZ_LINES-}" -f "$here/coverage.awk"
done
