#!/bin/sh
# convolutions.sh - tests/cuda/convolutions.txt, which test_plans asks cuDNN about, is what the presets compile to.
#
#     sh tests/cuda/convolutions.sh list >NEW    in the build folder, with srcdir, MMCORE_PLUGIN_PATH and MMCORE_DATA set
#
# writes the list anew; presets whose data are not in $MMCORE_DATA keep the lines that they have.
: "${srcdir:?is set by make check}"
here=$srcdir/tests/cuda
presets="demo polymnist polymnist-paper photos photos5 emoji spoken-digits spoken-photos paper/polymnist-w cub own paper/cub paper/cub256 paper/coco"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# compile NAME: its convolutions, sorted, or the reason and a status other than 0.
compile() {
	sed "s#= *\(\.\./\)*data/#= ${MMCORE_DATA:-$work/none}/#" "$srcdir/configs/$1.ini" >"$work/preset.ini"
	tests/cuda/presets convolutions "$work/preset.ini" >"$work/found" 2>"$work/why" && LC_ALL=C sort -u "$work/found"
}

# section NAME: what the list has of it.
section() {
	awk -v name="$1" '/^#/ { on = $0 == "# " name; next } on' "$here/convolutions.txt"
}

if [ "$1" = list ]; then
	sed '/^# [a-z0-9/-]*$/,$d' "$here/convolutions.txt"
	for preset in $presets; do
		if ! compile "$preset" >"$work/now"; then
			section "$preset" >"$work/now"
		fi
		[ ! -s "$work/now" ] || { echo "# $preset"; cat "$work/now"; }
	done
	exit 0
fi

tests=0
for preset in $presets; do
	tests=$((tests + 1))
	if ! compile "$preset" >"$work/now"; then
		echo "ok $tests - $preset # SKIP $(head -c 200 "$work/why" | tr '\n#' '  ')"
	elif section "$preset" | cmp -s - "$work/now"; then
		echo "ok $tests - the list has the convolutions of $preset and no others"
	else
		echo "not ok $tests - the list has the convolutions of $preset and no others"
		section "$preset" | diff - "$work/now" | head -20 | sed 's/^/# /'
	fi
done
echo "1..$tests"
