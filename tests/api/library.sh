#!/bin/sh
# library.sh - what libmmcore.so shows and needs, and a program in C++ that uses it.
. "${srcdir:?}/tests/cli/tap.sh"
. "$srcdir/tests/cli/toys.sh"
library=.libs/libmmcore.so
plugins=${MMCORE_TEST_PLUGINS:?is set by make check}

: >"$work/out" >"$work/err"
status=0
skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

declared() { sed -n 's/^MM_API .*[ *]\(mm_[a-z_]*\)(.*/\1/p' "$srcdir/sdk/include/mmcore/mmcore.h" | LC_ALL=C sort; }
listed() { sed -n 's/^[ 	]*\(mm_[a-z_]*\);$/\1/p' "$srcdir/core/api/mmcore.map"; }
shown() { nm -D --defined-only "$library" | sed -n 's/.* [TDBRVW] \([^@]*\).*/\1/p' | LC_ALL=C sort; }

declared >"$work/declared"
listed >"$work/listed"
check "the version script lists what the header declares" diff "$work/declared" "$work/listed"
if command -v nm >/dev/null 2>&1; then
	shown >"$work/shown"
	check "the library shows that, and nothing else" diff "$work/declared" "$work/shown"
	check "it defines nothing that could be another's" [ "$(nm -D --defined-only "$library" | grep -c ' [uC] ')" -eq 0 ]
else
	skip "the library shows that, and nothing else" "no nm"
	skip "it defines nothing that could be another's" "no nm"
fi
if command -v readelf >/dev/null 2>&1; then
	readelf -d "$library" >"$work/dynamic"
	check "its name has its version" grep -q 'SONAME.*libmmcore\.so\.1\]' "$work/dynamic"
	check "it brings no LAPACK along" eval '! grep -qi "NEEDED.*lapack" "$work/dynamic"'
else
	skip "its name has its version" "no readelf"
	skip "it brings no LAPACK along" "no readelf"
fi

toys 2 >"$work/toy.ini"
run --ini "$work/toy.ini" --out "$work/run"
check "a model is trained" exits 0
run sample --ckpt "$work/run" --count 4 --out "$work/samples"
check "the command draws samples" exits 0
if ! command -v "${CXX:-c++}" >/dev/null 2>&1; then
	skip "a program in C++ is built" "no compiler of C++"
	skip "it gets what the command writes" "no compiler of C++"
else
	check "a program in C++ is built" ${CXX:-c++} -std=c++11 -Wall -Wextra -Wpedantic -Werror ${MMCORE_LINK_FLAGS-} \
		-I"$srcdir/sdk/include" -o "$work/use" "$srcdir/tests/api/use.cc" -L.libs -lmmcore -Wl,-rpath,"$PWD/.libs"
	"$work/use" "$work/run" "$plugins" >"$work/said" 2>&1
	check "it gets what the command writes" [ "$(cat "$work/said")" = "m0: 2 calls, $(head -n 1 "$work/samples/revised/m0-00000.txt")" ]
fi
finish
