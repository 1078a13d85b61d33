#!/bin/sh
# search.sh - make fuzz: builds the harnesses with libFuzzer, lets each look for inputs for FUZZ_SECONDS, and prints how many it tried.
# FUZZ_ONLY names some of them. What it finds is kept in fuzz-build/found; put it into tests/fuzz/found/HARNESS with its mend.
set -eu
: "${FUZZ_SECONDS:?}" "${FUZZ_CC:?}" "${FUZZ_PROGRAMS:?}" "${FUZZ_SEEDS:?}"
command -v "$FUZZ_CC" >/dev/null || { echo "make fuzz needs clang with libFuzzer (Debian: clang)" >&2 && exit 1; }
here=$srcdir/tests/fuzz
mkdir -p fuzz-build/corpus fuzz-build/found
sh "$here/corpus.sh" "$PWD/fuzz-build/corpus"
cd fuzz-build
[ -f Makefile ] || "$srcdir/configure" -q CC="$FUZZ_CC" CFLAGS="-g -O1" --with-cuda=no --without-openblas \
	--enable-sanitizers=address,undefined,fuzzer-no-link
# shellcheck disable=SC2086 # a list
"$MAKE" -s $FUZZ_PROGRAMS tests/badplugins/toy.la
MMCORE_TEST_PLUGINS=$PWD/tests/badplugins/.libs
ASAN_OPTIONS=allocator_may_return_null=1
export MMCORE_TEST_PLUGINS ASAN_OPTIONS

program_of() {
	case $1 in
	png | jpeg) echo tests/fuzz/fuzz_picture ;;
	*) echo "tests/fuzz/fuzz_$1" ;;
	esac
}

# Files of the program's own are longer than what people write.
length_of() {
	case $1 in
	model | judge | prior | elf) echo 100000 ;;
	*) echo 8192 ;;
	esac
}

# Executions and coverage of one harness, which looks in its own corpus; a finding ends it.
search() {
	mkdir -p "found/$1"
	set -- "$1" "corpus/$1" "$here/found/$1"
	[ -d "$3" ] || set -- "$1" "$2"
	status=0
	name=$1
	shift
	"$(program_of "$name")" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=1024 -dict="$here/dictionary" \
		-artifact_prefix="found/$name/" -print_final_stats=1 -use_value_profile="${FUZZ_VALUES:-0}" -max_len="$(length_of "$name")" \
		"$@" >"$name.log" 2>&1 || status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$name.log")
	rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$name.log")
	edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$name.log" | tail -n 1)
	megabytes=$(sed -n 's/^stat::peak_rss_mb: *//p' "$name.log")
	verdict="nothing found"
	[ "$status" -eq 0 ] || verdict="FOUND: see fuzz-build/$name.log"
	printf '%-12s %10s executions %7s a second %6s edges %5s MB  %s\n' "$name" "${runs:--}" "${rate:--}" "${edges:--}" "${megabytes:--}" "$verdict"
	echo "$name ${runs:-0}" >>executions
	[ "$status" -eq 0 ] || failed=1
}

failed=0
for name in ${FUZZ_ONLY:-$(ls corpus)}; do
	[ ! -x "$(program_of "$name")" ] || search "$name"
done
exit $failed
