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

# Captions decide channels where words are one-hot: of 26 in pairs of files 23 are for training, 69 words each and three marks are the
# 1,590 that CUB has in the paper; for COCO there are as many as the plugin takes. Pictures decide nothing.
caption() {
	awk -v first="$1" -v n="$2" 'BEGIN { for (k = 0; k < n; k++) printf "%sw%d", k ? " " : "", first + k }'
}

make_data() {
	coco=$work/coco
	picture=$srcdir/docs/images/demo-grid.png
	mkdir -p "$work/own/a" "$work/own/b" "$coco/annotations" "$coco/train2017" "$coco/val2017"
	images='' annotations=''
	for k in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
		cp "$picture" "$work/own/a/$k.png"
		caption $((69 * k)) 69 >"$work/own/b/$k.txt"
		cp "$picture" "$coco/train2017/$k.png"
		images="$images${images:+,}{\"id\":$k,\"file_name\":\"$k.png\"}"
		annotations="$annotations${annotations:+,}{\"image_id\":$k,\"caption\":\"$(caption $((400 * k)) 400)\"}"
	done
	cp "$coco"/train2017/*.png "$coco/val2017"
	for part in train val; do
		echo "{\"images\":[$images],\"annotations\":[$annotations]}" >"$coco/annotations/captions_${part}2017.json"
	done
}

# What data a preset is given that has none here.
data_of() {
	case $1 in
	paper/coco) echo "data.root=$work/coco txt.min_count=1" ;;
	cub | own | paper/cub | paper/cub256) echo "data.root=$work/own txt.min_count=1" ;;
	esac
}

# compile NAME: its convolutions, sorted, or the reason and a status other than 0.
compile() {
	sed "s#= *\(\.\./\)*data/#= ${MMCORE_DATA:-$work/none}/#" "$srcdir/configs/$1.ini" >"$work/preset.ini"
	# shellcheck disable=SC2046 # a list
	tests/cuda/presets convolutions "$work/preset.ini" $(data_of "$1") >"$work/found" 2>"$work/why" && LC_ALL=C sort -u "$work/found"
}

make_data

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
