#!/bin/sh
# python.sh - python/mmcore against the commands, where there are Python and NumPy (MMCORE_PYTHON: another python3).
python=${MMCORE_PYTHON:-python3}
if ! "$python" -c 'import sys, numpy; assert sys.version_info >= (3, 8)' >/dev/null 2>&1; then
	echo "1..0 # SKIP no python3 of 3.8 or later with NumPy"
	exit 0
fi
if ldd .libs/libmmcore.so 2>/dev/null | grep -q 'lib[at]san'; then
	echo "1..0 # SKIP Python cannot load a library with sanitizers"
	exit 0
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
. "$srcdir/tests/cli/toys.sh"
toys 3 learner.private_dim=2 >"$work/toy.ini"
mmcore() { "${MMCORE_PROGRAM:?}" "$@" >"$work/out" 2>"$work/err" || { echo "Bail out! mmcore $1: $(cat "$work/err")"; exit 99; }; }
mmcore train --ini "$work/toy.ini" --out "$work/run"
mmcore sample --ckpt "$work/run" --count 70 --out "$work/samples"
s=$work/samples/revised
mmcore translate --ckpt "$work/run" --given "m0=$s/m0-00000.txt,$s/m0-00001.txt" --count 3 --out "$work/translations"
mmcore translate --ckpt "$work/run" --test-count 8 --given m1 --out "$work/test"
mmcore encode --ckpt "$work/run" --joint --out "$work/latents"
mmcore sample --ckpt "$work/run" --count 70 --npy --out "$work/arrays"
mmcore translate --ckpt "$work/run" --test-count 8 --given m1 --count 2 --npy --out "$work/made"
mmcore score --ckpt "$work/run" "m0=$s/m0-00001.txt" "m1=$s/m1-00001.txt" "m2=$s/m2-00001.txt"
cp "$work/out" "$work/score.txt"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$srcdir/python MMCORE_LIBRARY=$PWD/.libs/libmmcore.so \
	"$python" "$srcdir/tests/api/use.py" "$work" "$MMCORE_TEST_PLUGINS"
