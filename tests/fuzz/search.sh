#!/bin/sh
# search.sh - make fuzz: builds the harnesses with libFuzzer, lets each look for inputs for FUZZ_SECONDS, and prints how many it tried.
# FUZZ_ONLY names some of them. FUZZ_BUILD: address, with AddressSanitizer and UBSan, compares values for the search; fast, with UBSan
# alone, tries several times as many inputs in the time. Each ends early after FUZZ_RUNS inputs, if that is told. Every search is a
# line of FUZZ_LOG, whose sums are printed at the end, so that they add up over days. What is found is kept in fuzz-build/found; put it
# into tests/fuzz/found/HARNESS with its mend.
set -eu
: "${FUZZ_SECONDS:?}" "${FUZZ_CC:?}" "${FUZZ_PROGRAMS:?}" "${FUZZ_SEEDS:?}"
build=${FUZZ_BUILD:-address}
command -v "$FUZZ_CC" >/dev/null || { echo "make fuzz needs clang with libFuzzer (Debian: clang)" >&2 && exit 1; }
case $build in
address) flags="-g -O1" sanitizers=address,undefined more="" ;;
fast) flags="-g1 -O2 -fsanitize-trap=undefined" sanitizers=undefined more=-fno-sanitize-coverage=trace-cmp ;;
*) echo "FUZZ_BUILD is $build; expected address or fast" >&2 && exit 1 ;;
esac
here=$srcdir/tests/fuzz
mkdir -p fuzz-build/$build fuzz-build/found fuzz-build/corpus
cd fuzz-build
log=${FUZZ_LOG:-$PWD/executions}
# Of plugins' files only their bytes matter here, so those of the ordinary build are loaded: MMCORE_TEST_PLUGINS is make's.
sh "$here/corpus.sh" "$PWD/corpus"
(
	cd $build
	[ -f Makefile ] || "$srcdir/configure" -q CC="$FUZZ_CC" CFLAGS="$flags" --with-cuda=no --without-openblas \
		--enable-sanitizers=$sanitizers,fuzzer-no-link
	# shellcheck disable=SC2086 # a list
	"$MAKE" -s MMCORE_CFLAGS="$(sed -n 's/^MMCORE_CFLAGS = //p' Makefile) $more" $FUZZ_PROGRAMS
)
# Leaks are looked for at the end of each search, not after each input.
ASAN_OPTIONS=allocator_may_return_null=1:quarantine_size_mb=1:malloc_context_size=4
export ASAN_OPTIONS

program_of() {
	case $1 in
	png | jpeg) echo $build/tests/fuzz/fuzz_picture ;;
	*) echo "$build/tests/fuzz/fuzz_$1" ;;
	esac
}

# No longer than what makes a difference to the reader: long inputs take most of the time.
length_of() {
	case $1 in
	model | judge | prior | elf) echo 100000 ;;
	png | jpeg | sound | view | idx) echo 4096 ;;
	report) echo 2048 ;;
	set | value | resume) echo 256 ;;
	*) echo 768 ;;
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
	"$(program_of "$name")" -max_total_time="$FUZZ_SECONDS" -runs="${FUZZ_RUNS:--1}" -timeout=10 -rss_limit_mb=1024 \
		-dict="$here/words.dict" -artifact_prefix="found/$name/" -print_final_stats=1 -use_value_profile="${FUZZ_VALUES:-0}" \
		-detect_leaks=0 -reload=0 -max_len="$(length_of "$name")" "$@" >"$name.log" 2>&1 || status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$name.log")
	rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$name.log")
	edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$name.log" | tail -n 1)
	megabytes=$(sed -n 's/^stat::peak_rss_mb: *//p' "$name.log")
	verdict="nothing found"
	[ "$status" -eq 0 ] || verdict="FOUND: see fuzz-build/$name.log"
	printf '%-12s %10s executions %7s a second %6s edges %5s MB  %s\n' "$name" "${runs:--}" "${rate:--}" "${edges:--}" "${megabytes:--}" "$verdict"
	echo "$name $build ${runs:-0} $status" >>"$log"
	[ "$status" -eq 0 ] || failed=1
}

failed=0
for name in ${FUZZ_ONLY:-$(ls corpus)}; do
	[ ! -x "$(program_of "$name")" ] || search "$name"
done
echo
awk '{ n[$1] += $3; sum[$1, $2] += $3; found[$1] += $4 != 0 }
	END {
		printf "in all       %12s %12s %12s  searches that found something\n", "executions", "address", "fast"
		for (name in n) printf "%-12s %12d %12d %12d  %d\n", name, n[name], sum[name, "address"], sum[name, "fast"], found[name] | "sort"
	}' "$log"
exit $failed
