#!/bin/sh
# paper.sh - every command of docs/PAPER.md trains one iteration on made-up data: one sample or two, chains of one step, a narrow
# energy; all else is as it is there, the paper's generator and inference networks among it.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"

# Pictures with a sentence each, from an untrained model.
run --ini "$work/tiny.ini" --out "$work/digits" --set learner.iterations=1 --set learner.warmup=1
run sample --ckpt "$work/digits" --count 12 --out "$work/digits"
mkdir -p "$work/own/a" "$work/own/b"
for k in 0 1 2 3 4 5 6 7 8 9 10 11; do
	cp "$work/digits/generator/$(printf 'm0-%05d' "$k").png" "$work/own/a/$k.png"
	echo "a bird of kind number $((k % 3)) with a long tail" >"$work/own/b/$k.txt"
done
photograph=$work/own/a/0.png
# The same as MSCOCO lays it out.
mkdir -p "$work/coco/annotations" "$work/coco/train2017" "$work/coco/val2017"
for part in train val; do
	cp "$work"/own/a/*.png "$work/coco/${part}2017"
	awk 'BEGIN {
		for (k = 0; k < 12; k++) {
			images = images (k ? "," : "") "{\"id\":" k ",\"file_name\":\"" k ".png\"}"
			captions = captions (k ? "," : "") "{\"image_id\":" k ",\"caption\":\"a thing of kind " k % 3 "\"}"
		}
		print "{\"images\":[" images "],\"annotations\":[" captions "]}"
	}' >"$work/coco/annotations/captions_${part}2017.json"
done
small="--set run.threads=2 --set run.checkpoint_interval=1000 --set run.grid_interval=1000 --set learner.iterations=1 \
--set learner.warmup=0 --set learner.batch=1 --set energy.nef=4"

views() {
	for m in $1; do printf -- '--set %s.limit=40 ' "$m"; done
}

# What data an INI is given: its own are not there.
data_of() {
	case $1 in
	*coco.ini) echo "--set data.root=$work/coco --set txt.min_count=1" ;;
	*cub.ini | *cub256.ini | *table3.ini) echo "--set data.root=$work/own --set txt.min_count=1" ;;
	*figure2.ini | *figure3.ini | *table5.ini | *table9.ini) echo "--set learner.batch=2 --set data.holdout=8 --set data.root=$data --set m0.background=$photograph --set m1.background=$photograph --set m2.background=$photograph $(views 'm0 m1 m2')" ;;
	*) echo "--set data.root=$data $(views 'm0 m1 m2 m3 m4')" ;;
	esac
}

sed -n '/^```sh$/,/^```$/p' "$srcdir/docs/PAPER.md" | grep '^mmcore ' >"$work/commands"
check "there are commands" [ "$(wc -l <"$work/commands")" -gt 15 ]
for ini in "$srcdir"/configs/polymnist-paper.ini "$srcdir"/configs/paper/*.ini "$srcdir"/configs/ablations/*.ini; do
	check "one is of ${ini#"$srcdir"/}" grep -q -- "--ini ${ini#"$srcdir"/} " "$work/commands"
done
number=0
while read -r _ line; do
	number=$((number + 1))
	ini=$(echo "$line" | sed 's/.*--ini \([^ ]*\).*/\1/')
	arguments=$(echo "$line" | sed "s,--ini ,--ini $srcdir/,; s,--set data.root=[^ ]*,,; s,--out [^ ]*,,; s,_steps=[0-9,]*,_steps=1,")
	chains=
	for steps in x_steps z_steps; do
		case $line in *$steps=*) ;; *) chains="$chains --set learner.$steps=1" ;; esac
	done
	# shellcheck disable=SC2046,SC2086 # lists
	run $arguments $(data_of "$ini") $small $chains --out "$work/$number"
	check "${line%% --out*}" exits 0
	rm -rf "${work:?}/$number"
done <"$work/commands"
finish
