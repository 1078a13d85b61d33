#!/bin/sh
# own.sh - the plugins that come with mmcore break no rule: mnist.so on its files, img.so, txt.so and audio.so on a folder of pictures,
# captions and sounds. All tests are tried that these data and the plugins' extensions allow.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
plugins=${MMCORE_PLUGIN_PATH%%:*}
folder=$work/own

# tone FILE PERIOD: a third of a second of 8 bits at 8000 a second, up and down once in so many samples.
tone() {
	{
		printf 'RIFF\204\012\000\000WAVEfmt \020\000\000\000\001\000\001\000\100\037\000\000\100\037\000\000\001\000\010\000data\140\012\000\000'
		awk -v period="$2" 'BEGIN { for (i = 0; i < 2656; i++) printf "%s", i % period < period / 2 ? "d" : "P" }'
	} >"$1"
}

# Twenty digits, half of them for testing, become items of two classes.
run --ini "$work/tiny.ini" --out "$work/digits" --set learner.iterations=1 --set learner.warmup=1
run sample --ckpt "$work/digits" --count 20 --out "$work/digits"
for k in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
	split=$([ $((k % 4)) -lt 2 ] && echo train || echo test)
	kind=$([ $((k % 2)) -eq 0 ] && echo red || echo blue)
	mkdir -p "$folder/$split/$kind"
	cp "$work/digits/generator/$(printf 'm0-%05d' "$k").png" "$folder/$split/$kind/i$k.png"
	printf 'a %s thing\nnumber %s\n' "$kind" "$k" >"$folder/$split/$kind/i$k.txt"
	tone "$folder/$split/$kind/i$k.wav" $((8 + k))
done

# valid NAME FOLDER SETTING...: what is left out is of an extension that is not there, or needs more samples than these.
valid() {
	plugin=$1 root=$2
	shift 2
	run validate "$plugins/$plugin.so" --data "$root" --limit 60 "$@"
	check "$plugin.so breaks no rule" exits 0
	check "$plugin.so: nothing failed or crashed" says out ' passed, 0 failed, 0 crashed, '
	grep '^skipped' "$work/out" | grep -v 'it has no mm\.\|state did not pass\|save did not pass\|too few to tell' >"$work/left"
	check "$plugin.so: all the rest was tried" [ ! -s "$work/left" ]
}

valid mnist "$data" --set limit=40 --set width=2
valid img "$folder" --set classes=folder --set size=32 --set width=2
valid txt "$folder" --set classes=folder --set min_count=1 --set width=2 --set energy_width=8
if [ -e "$plugins/audio.so" ]; then
	valid audio "$folder" --set classes=folder --set bands=32 --set frames=32 --set width=2
fi
finish
