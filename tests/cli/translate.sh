#!/bin/sh
# translate.sh - some modalities in, the others out, and scores of tuples, with a tiny model.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; }
same() { cmp -s "$1" "$2"; }
differ() { ! cmp -s "$1" "$2"; }

run --ini "$ini" --out "$work/run" --plugin m0=mnist.so --plugin m1=mnist.so --plugin m2=mnist.so --set m2.width=2 --set m2.energy_channels=2 --set m2.limit=300
check "a model of three views is trained" exits 0
ckpt=$(checkpoint "$work/run" 20)
translate() { run translate --ckpt "$ckpt" "$@"; }
score() { run score --ckpt "$ckpt" "$@"; }

# ---------------------------------------------------------------- translating files
run sample --ckpt "$ckpt" --count 3 --out "$work/s"
a=$work/s/generator/m0-00000.png b=$work/s/generator/m0-00001.png
translate --given "m0=$a,$b" --want m2,m1 --count 2 --out "$work/t" --grid "$work/t.png"
check "a translation succeeds" exits 0
check "it names the sheet" says out "sheet      $work/t.png"
check "the sheet is a picture" is_png "$work/t.png"
check "there is a file for each input, draw and wanted modality" [ "$(ls "$work/t" | grep -c '^m[12]-0000[01]-00[01]\.png$')" -eq 8 ]
check "what was given is not written" [ "$(ls "$work/t" | grep -c '^m0')" -eq 0 ]
check "the manifest has a header" [ "$(head -n 1 "$work/t/manifest.csv")" = "input,name,label,draw,modality,file,given,seed,number,text" ]
check "the manifest has a line a file" [ "$(tail -n +2 "$work/t/manifest.csv" | wc -l)" -eq 8 ]
check "the manifest names input, draw and file" grep -q "^1,m0=.*m0-00001.png,,1,m2,m2-00001-001.png,m0,1,0,$" "$work/t/manifest.csv"
check "draws differ" differ "$work/t/m1-00000-000.png" "$work/t/m1-00000-001.png"
translate --given "m0=$a,$b" --count 2 --out "$work/t2"
check "what is wanted by default is what is not given, and draws repeat" diff -r "$work/t" "$work/t2"
translate --given "m0=$a" --given "m0=$b" --count 2 --out "$work/t3"
check "a name given twice is a list" diff -r "$work/t" "$work/t3"
translate --given "m0=$a,$b" --count 2 --number 1 --out "$work/t4"
check "another number, other draws" differ "$work/t/m1-00000-000.png" "$work/t4/m1-00000-000.png"
translate --given "m0=$a" --want m1 --out "$work/one"
check "an input does not depend on those beside it" same "$work/t/m1-00000-000.png" "$work/one/m1-00000-000.png"
check "only what is wanted is written" [ "$(ls "$work/one" | tr '\n' ' ')" = "m1-00000-000.png manifest.csv " ]
translate --given "m0=$a" --mean --z-steps 0 --x-steps 0 --out "$work/mean"
translate --given "m0=$a" --mean --z-steps 0 --x-steps 0 --number 7 --out "$work/mean7"
check "means without chains know no chance" diff -r -x manifest.csv "$work/mean" "$work/mean7"
translate --given "m0=$a" --mean --z-steps 2 --x-steps 0 --out "$work/z2"
check "the posterior chain makes a difference" differ "$work/mean/m1-00000-000.png" "$work/z2/m1-00000-000.png"
translate --given "m0=$a" --mean --z-steps 0 --x-steps 5 --set learner.x_noise=0.1 --out "$work/x2"
check "the energy chain makes a difference" differ "$work/mean/m1-00000-000.png" "$work/x2/m1-00000-000.png"
translate --given "m0=$a" --mean --z-steps 0 --x-steps 0 --guide-steps 5 --out "$work/g5"
check "the guide makes a difference" differ "$work/mean/m1-00000-000.png" "$work/g5/m1-00000-000.png"
translate --given "m0=$a" --mean --z-steps 0 --x-steps 0 --set translate.latent_steps=5 --out "$work/g5set"
check "by default its steps are those of the settings" diff -r "$work/g5" "$work/g5set"
translate --given "m0=$a" --given "m1=$work/s/generator/m1-00000.png" --expert m1 --mean --z-steps 0 --x-steps 0 --out "$work/e1"
translate --given "m1=$work/s/generator/m1-00000.png" --want m2 --mean --z-steps 0 --x-steps 0 --out "$work/from1"
check "the expert is the one asked for" same "$work/e1/m2-00000-000.png" "$work/from1/m2-00000-000.png"
translate --given "m0=$a,$b" --given "m1=$work/s/generator/m1-00000.png" --out "$work/broad"
check "one sample serves all tuples of a list" [ "$(ls "$work/broad" | grep -c '^m2')" -eq 2 ]

# ---------------------------------------------------------------- tuples of the test data
translate --test 0,5 --given m0 --want m1 --out "$work/test" --grid "$work/test.png"
check "test tuples are translated" exits 0
check "the manifest has their labels" grep -q '^1,[0-9.]*,[0-9],0,m1,m1-00001-000.png,m0,1,0,$' "$work/test/manifest.csv"
check "what was given of them is written, too" grep -q '^1,[0-9.]*,[0-9],,m0,m0-00001-given.png,m0,1,0,$' "$work/test/manifest.csv"
check "as a picture" is_png "$work/test/m0-00001-given.png"
translate --test-count 6 --given m0 --want m1 --count 2 --out "$work/first"
check "the first tuples, several times" [ "$(ls "$work/first" | grep -c '^m1')" -eq 12 ]

translate --test-count 6 --given m0 --want m1 --x-steps 0 --out "$work/plain"
translate --test-count 6 --given m0 --want m1 --x-steps 0 --candidates 9 --set translate.weight=1000 --out "$work/chosen"
check "candidates make other translations" eval '! diff -r -x "*given*" "$work/plain" "$work/chosen"'
translate --test-count 6 --given m0 --want m1 --x-steps 0 --set translate.candidates=9 --set translate.weight=1000 --out "$work/set"
check "by default as many as the settings have" diff -r "$work/chosen" "$work/set"
translate --test-count 6 --given m0 --want m1 --set translate.data_steps=0 --out "$work/still"
check "translations may have another data chain than samples" diff -r "$work/plain" "$work/still"
translate --test-count 6 --given m0 --want m1 --x-steps 4 --out "$work/moved"
check "which moves them where there is one" eval '! diff -r -x "*given*" "$work/plain" "$work/moved"'
translate --test-count 6 --given m0 --want m1 --set learner.x_steps=4 --out "$work/same4"
check "by default the same" diff -r "$work/moved" "$work/same4"
translate --test-count 6 --given m0 --want m1 --x-steps 0 --mean --out "$work/centre"
translate --test-count 6 --given m0 --want m1 --x-steps 0 --set translate.temperature=0 --out "$work/cold"
check "at temperature 0 draws are means" diff -r "$work/centre" "$work/cold"
translate --test-count 6 --given m0 --want m1 --x-steps 0 --set translate.temperature=0.5 --out "$work/cool"
check "between, they are neither" eval '! diff -r "$work/centre" "$work/cool" && ! diff -r "$work/plain" "$work/cool"'

# ---------------------------------------------------------------- refusals
refused() {
	what=$1 text=$2
	shift 2
	translate --out "$work/never" "$@"
	check "$what: status 2" exits 2
	check "$what: one clear line" complains "$text"
}
refused "no candidate at all" "translate.candidates=0: expected an integer from 1" --given "m0=$a" --set translate.candidates=0
refused "a key that is no more" "--set learner.guide_steps=5: this key is no more: now [sample] latent_steps" --given "m0=$a" --set learner.guide_steps=5
refused "nothing given" "--given is missing"
refused "an unknown modality" "--given: unknown modality 'm7'; the model has m0, m1, m2" --given "m7=$a"
refused "an unknown wish" "--want: unknown modality 'm7'" --given "m0=$a" --want m7
refused "a wish twice" "--want: m1 is named twice" --given "m0=$a" --want m1,m1
refused "given and wanted" "--want: m0 is given already" --given "m0=$a" --want m0
refused "all given" "nothing is left to be made" --test 0 --given m0,m1,m2
refused "an empty value" "--given m0=: empty" --given m0=
refused "no file named" "expected NAME=FILE" --given m0
refused "a missing file" "there is no file 'none.png'" --given m0=none.png
refused "a folder" "is a folder" --given "m0=$work"
refused "no picture" "not a readable PNG picture" --given "m0=$ini"
refused "another size" "pixels, expected 28 x 28" --given "m0=$work/t.png"
refused "lists of two lengths" "m0 has 3 samples and m1 2" --given "m0=$a,$a,$a" --given "m1=$a,$a"
refused "an expert that is not given" "--expert: m1 is not given" --given "m0=$a" --expert m1
refused "no number" "'x' is no tuple's number" --test 0,x --given m0
refused "a number too large" "there is no test tuple 300; their numbers are 0 to 299" --test 300 --given m0
refused "test tuples and files" "expected names of modalities alone" --test 0 --given "m0=$a"
refused "two ways of numbers" "exclude each other" --test 0 --test-count 2 --given m0
run translate --ckpt "$ckpt" --given "m0=$a"
check "nothing to write is refused" complains "nothing to write"
check "refused translations write nothing" [ ! -e "$work/never" ]

# ---------------------------------------------------------------- scores
g=$work/s/generator
score "m0=$a" "m1=$g/m1-00000.png" "m2=$g/m2-00000.png"
check "a score succeeds" exits 0
check "it is one number" grep -qx -- '-\{0,1\}[0-9.e+-]*' "$work/out"
first=$(cat "$work/out")
score "m0=$a,$b" "m1=$g/m1-00000.png,$g/m1-00001.png" "m2=$g/m2-00000.png,$g/m2-00001.png"
check "several tuples are a table" [ "$(head -n 1 "$work/out")" = "tuple,energy" ]
check "with the same number" grep -q ",$first\$" "$work/out"
second=$(tail -n 1 "$work/out" | sed 's/.*,//')
check "another tuple, another energy" [ "$first" != "$second" ]
cat >"$g/list.csv" <<END
note,m2,m0,m1
"a, b",m2-00000.png,m0-00000.png,m1-00000.png
c,m2-00001.png,$b,m1-00001.png
END
score --list "$g/list.csv"
check "a list is scored, its columns are kept" [ "$(cat "$work/out")" = "note,m2,m0,m1,energy
\"a, b\",m2-00000.png,m0-00000.png,m1-00000.png,$first
c,m2-00001.png,$b,m1-00001.png,$second" ]
score --test 70
check "test tuples are scored" [ "$(wc -l <"$work/out")" -eq 71 ]
check "with key and label" grep -q '^[0-9.]*,[0-9],-\{0,1\}[0-9.e+-]*$' "$work/out"
tail -n 1 "$work/out" >"$work/last"
score --test 300
check "a score does not depend on the number of tuples" [ "$(sed -n 71p "$work/out")" = "$(cat "$work/last")" ]

unscored() {
	what=$1 text=$2
	shift 2
	score "$@"
	check "$what: status 2" exits 2
	check "$what: one clear line" complains "$text"
}
unscored "an incomplete tuple" "missing: m1, m2" "m0=$a"
unscored "nothing to score" "give one of"
unscored "two things to score" "give one of" --test 3 "m0=$a"
printf 'm0,m1\nx,y\n' >"$work/short.csv"
unscored "a list without a column" "no column m2" --list "$work/short.csv"
printf 'm0,m1,m2\n%s,,%s\n' "$a" "$a" >"$work/gap.csv"
unscored "a list with a gap" "gap.csv, tuple 1: m1 is empty" --list "$work/gap.csv"
unscored "a list that is none" "No such file" --list "$work/none.csv"

# ---------------------------------------------------------------- models without an energy
run --ini "$ini" --out "$work/base" --set learner.objective=mmvae
base=$(checkpoint "$work/base" 20)
run score --ckpt "$base" --test 3
check "a baseline has no scores" complains "trains none"
run translate --ckpt "$base" --given "m0=$a" --x-steps 3 --out "$work/never"
check "nor an energy chain" complains "--x-steps needs an energy model"
run translate --ckpt "$base" --given "m0=$a" --guide-steps 3 --out "$work/never"
check "nor a guide" complains "--guide-steps needs an energy model"
run translate --ckpt "$base" --given "m0=$a" --out "$work/baseline"
check "but it translates" exits 0
run score --ckpt "$(checkpoint "$work/run" 20)" --set learner.warmup=5 --test 3
check "a model with an energy has scores" exits 0
finish
