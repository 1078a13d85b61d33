#!/bin/sh
# own_data.sh - a folder of pictures, captions and sounds of one's own, by the commands of the README: trained, and translated from a
# sentence and from a sound.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
folder=$work/own

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; }
is_wav() { [ "$(head -c 4 "$1")" = RIFF ]; }

# tone FILE PERIOD: half a second of 8 bits at 8000 a second, up and down once in so many samples.
tone() {
	{
		printf 'RIFF\304\017\000\000WAVEfmt \020\000\000\000\001\000\001\000\100\037\000\000\100\037\000\000\001\000\010\000data\240\017\000\000'
		awk -v period="$2" 'BEGIN { for (i = 0; i < 4000; i++) printf "%s", i % period < period / 2 ? "d" : "P" }'
	} >"$1"
}

# Twelve digits become pictures of three kinds.
run --ini "$work/tiny.ini" --out "$work/digits" --set learner.iterations=1 --set learner.warmup=1
run sample --ckpt "$work/digits" --count 12 --out "$work/digits"
mkdir -p "$folder/a" "$folder/b"
for k in 0 1 2 3 4 5 6 7 8 9 10 11; do
	name=$(printf 'm0-%05d' "$k")
	case $((k % 3)) in 0) kind=red ;; 1) kind=green ;; *) kind=blue ;; esac
	cp "$work/digits/generator/$name.png" "$folder/a/$kind$k.png"
	printf 'a %s thing\nsomething %s\n' "$kind" "$kind" >"$folder/b/$kind$k.txt"
	tone "$folder/b/$kind$k.wav" $((8 + 4 * (k % 3)))
done
small="--set run.threads=2 --set learner.iterations=4 --set learner.warmup=2 --set learner.batch=4 --set learner.latent_dim=4 \
--set learner.contrast_dim=0 --set energy.nef=4 --set energy.blocks=2 --set img.size=32 --set img.width=2 --set txt.width=2"

# shellcheck disable=SC2086 # a list
run --ini "$srcdir/configs/own.ini" --set "data.root=$folder" $small --out "$work/run"
check "a folder of photographs with captions is trained on" exits 0
check "how it was understood is told" says err "12 items, 1 of them for testing (a tenth, as nothing says which); keys are paths without their first folder; no classes"
run translate --ckpt "$work/run" --given 'txt=a red thing' --grid "$work/red.png"
check "a sentence becomes a sheet" is_png "$work/red.png"
run translate --ckpt "$work/run" --given 'txt=a red thing' --want img --out "$work/red"
check "a sentence becomes a picture" is_png "$work/red/img-00000-000.png"
run translate --ckpt "$work/run" --given "img=$folder/a/red0.png" --want txt --count 3
check "a picture becomes captions on standard output" eval 'exits 0 && [ "$(wc -l <"$work/out")" -eq 3 ]'

if [ -e "${MMCORE_PLUGIN_PATH%%:*}/audio.so" ]; then
	# shellcheck disable=SC2086 # a list
	run --ini "$srcdir/configs/own.ini" --plugin audio=audio.so --set "data.root=$folder" $small --set audio.width=2 --out "$work/three"
	check "sounds beside them are read, too" exits 0
	check "all three agree on their keys" [ "$(grep -c 'lacks' "$work/err")" -eq 0 ]
	tone "$work/mine.wav" 12
	run translate --ckpt "$work/three" --given "audio=$work/mine.wav" --want img,txt --out "$work/heard"
	check "a sound becomes a picture" is_png "$work/heard/img-00000-000.png"
	run translate --ckpt "$work/three" --given 'txt=something blue' --want audio --out "$work/said"
	check "a sentence becomes a sound" is_wav "$work/said/audio-00000-000.wav"
	run translate --ckpt "$work/three" --given "audio=$folder/a/red0.png" --want img --out "$work/no"
	check "what is no sound is told" complains "red0.png: no sound that libsndfile reads"
fi
finish
