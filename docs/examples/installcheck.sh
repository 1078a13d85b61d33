#!/bin/sh
# installcheck.sh - builds the examples against the installed library alone and runs them with a model of the tests' toy
# plugin. make installcheck says where things are.
set -eu
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
flags() {
	PKG_CONFIG_PATH=$DESTDIR$pkgconfigdir PKG_CONFIG_SYSROOT_DIR=$DESTDIR $PKG_CONFIG "$@"
}
$CC -shared -fPIC -fvisibility=hidden $LDFLAGS -o "$build/toy.so" $(flags --cflags mmcore-plugin-1) "$srcdir/tests/badplugins/toy.c"
for example in draw complete; do
	$CC -std=c11 -Wall -Wextra -Werror $LDFLAGS -o "$build/$example" "$srcdir/docs/examples/$example.c" $(flags --cflags --libs mmcore)
done
LD_LIBRARY_PATH=$DESTDIR$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
MMCORE_TEST_PLUGINS=$build
export LD_LIBRARY_PATH
. "$srcdir/tests/cli/toys.sh"
toys 2 >"$build/toy.ini"
"$DESTDIR$bindir/mmcore" train --ini "$build/toy.ini" --out "$build/run" >"$build/train.txt" 2>&1
"$build/draw" "$build/run" 2 "$build" >"$build/energies.txt"
grep '^00001  energy ' "$build/energies.txt"
"$build/complete" "$build/run/checkpoints/checkpoint-00000004.safetensors" "m0=$build/m0-00001.txt" "m1=$build/made.txt"
[ "$(wc -l <"$build/made.txt")" -eq 8 ]
echo "examples: built against the installed library, and run"
