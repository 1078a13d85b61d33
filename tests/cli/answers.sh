#!/bin/sh
# answers.sh - what commands that use a model write for other programs: texts on standard output, arrays, tables, JSON. The model is one
# of three toys, whose files are texts.
. "${srcdir:?}/tests/cli/tap.sh"
. "$srcdir/tests/cli/toys.sh"
TMPDIR=$work/tmp
export TMPDIR
mkdir "$TMPDIR"
toys 3 learner.private_dim=2 >"$work/toy.ini"
ckpt=$work/run

# json: the answer in $work/out as lines "path = value" in $work/json; fails when it is no JSON document.
json() { tests/cli/json_lines <"$work/out" >"$work/json" 2>>"$work/err"; }
# has LINE: one of them.
has() { grep -qxF -- "$1" "$work/json"; }
rows() { [ "$(tests/cli/json_lines <"$work/out" | grep -c "^$1")" -eq "$2" ]; }
# shape FILE TEXT: of an array.
shape() { head -c 128 "$1" | grep -aqF "'shape': $2"; }
is_empty() { [ -z "$(ls -A "$1")" ]; }

run train --ini "$work/toy.ini" --out "$ckpt"
check "a model of three toys is trained" exits 0

# ---------------------------------------------------------------- texts on standard output
run translate --ckpt "$ckpt" --test-count 2 --given m1 --want m0 --count 3 --out "$work/t"
check "a manifest has the texts" [ "$(head -n 1 "$work/t/manifest.csv")" = "input,name,label,draw,modality,file,given,seed,number,text" ]
cp "$work/t/m0-00001-002.txt" "$work/file"
run translate --ckpt "$ckpt" --test-count 2 --given m1 --want m0 --count 3
check "without --out texts are printed" exits 0
check "a line a text" [ "$(wc -l <"$work/out")" -eq 6 ]
check "in the order of inputs and draws, as the files have them" [ "$(tail -n 1 "$work/out")" = "$(tr '\n' ' ' <"$work/file" | sed 's/ $//')" ]
check "nothing is left of how they were made" is_empty "$TMPDIR"
run translate --ckpt "$ckpt" --test-count 2 --given m1 --want m0 --grid "$work/t.png"
check "also beside a sheet" eval '[ "$(wc -l <"$work/out")" -eq 3 ] && says out "sheet      $work/t.png"'
run sample --ckpt "$ckpt" --count 2 --out "$work/s"
check "samples' manifest has them, too" grep -q '^0,generator,m0,generator/m0-00000.txt,1,0,1,0,0,"-\{0,1\}[0-9]' "$work/s/manifest.csv"

# ---------------------------------------------------------------- arrays
run sample --ckpt "$ckpt" --count 70 --npy --out "$work/sn"
check "samples become arrays" exits 0
check "of as many rows, in the modality's shape" shape "$work/sn/revised/m1.npy" "(70, 8)"
check "with the latents they were decoded from" eval 'shape "$work/sn/generator/latents/z.npy" "(70, 3)" && shape "$work/sn/revised/latents/w-m2.npy" "(70, 2)"'
check "and no other files" [ "$(find "$work/sn" -type f | wc -l)" -eq 15 ]
check "the manifest has a row a sample, with its text" eval '[ "$(grep -c "^[0-9]*,generator,m0,generator/m0.npy,1,0,1,0,0,\"" "$work/sn/manifest.csv")" -eq 70 ]'
check "nothing is left of how texts were made" is_empty "$TMPDIR"
run translate --ckpt "$ckpt" --test-count 3 --given m1 --want m0 --count 2 --npy --out "$work/tn"
check "translations become arrays, a row an input and draw" shape "$work/tn/m0.npy" "(6, 8)"
check "what was given of test tuples as well, a row an input" shape "$work/tn/m1-given.npy" "(3, 8)"
check "what is not wanted has none" [ ! -e "$work/tn/m2.npy" ]
check "with their latents" shape "$work/tn/latents/z.npy" "(6, 3)"
run sample --ckpt "$ckpt" --npy --grid "$work/n.png"
check "--npy without a folder: one clear line" eval 'exits 2 && complains "--npy needs --out"'

# ---------------------------------------------------------------- the joint posterior
run encode --ckpt "$ckpt" --joint --out "$work/e"
check "the joint posterior is written beside the experts" eval 'exits 0 && shape "$work/e/joint-z-scale.npy" "(8, 3)" && [ -s "$work/e/m2-latents.csv" ]'
check "as a table, too" [ "$(head -n 1 "$work/e/joint-latents.csv")" = "key,label,z_mean_0,z_mean_1,z_mean_2,z_scale_0,z_scale_1,z_scale_2" ]
run encode --ckpt "$ckpt" --out "$work/e1"
check "only where it is asked for" [ ! -e "$work/e1/joint-z-mean.npy" ]
sed 's/^\[m1\]/[joint]/' "$work/toy.ini" >"$work/joint.ini"
run train --ini "$work/joint.ini" --out "$work/joint"
run encode --ckpt "$work/joint" --joint --out "$work/e2"
check "a modality of that name is in the way" eval 'exits 2 && says err "the modality [joint]"'
sed 's/^\[learner\]/[learner]\ninference = independent\nexperts = all/; /private_dim/d' "$work/toy.ini" >"$work/apart.ini"

# ---------------------------------------------------------------- names of sheets
for name in a.jpg b.JPEG c.webp; do
	run sample --ckpt "$ckpt" --grid "$work/$name"
	check "a sheet is no $name" eval 'exits 2 && complains "sheets are PNG files" && [ ! -e "$work/$name" ]'
done
run translate --ckpt "$ckpt" --test 0 --given m1 --grid "$work/a.jpg"
check "nor of translations" eval 'exits 2 && complains "sheets are PNG files"'
run interpolate --ckpt "$ckpt" --from 0 --to 1 --grid "$work/a.jpg"
check "nor of walks" eval 'exits 2 && complains "sheets are PNG files"'

# ---------------------------------------------------------------- JSON
run translate --ckpt "$ckpt" --test-count 2 --given m1 --want m0 --count 2 --json --out "$work/tj"
check "translate --json is one document" json
check "with what was given and where files are" eval 'has "given[0] = m1" && has "folder = $work/tj" && has "sheet = null" && has "seed = 1"'
check "a sample a file" eval 'has "made[1].modality = m1" && has "made[1].draw = null" && has "made[2].file = m0-00000-001.txt" && has "made[2].draw = 1" && has "made[2].label = 0"'
check "what has no file has a text all the same" eval 'run translate --ckpt "$ckpt" --test-count 2 --given m1 --want m0 --json && json && has "made[1].input = 1" && has "made[1].file = null" && rows "made.*text = -*[0-9]" 2'
run sample --ckpt "$ckpt" --count 2 --json --out "$work/sj"
check "sample --json" eval 'json && has "made[0].kind = generator" && has "made[0].file = generator/m0-00000.txt" && has "made[11].kind = revised" && has "number = 0"'
run encode --ckpt "$ckpt" --json --out "$work/ej"
check "encode --json" eval 'json && has "folder = $work/ej" && has "split = test" && has "tuples = 8"'
s=$work/s/revised
run score --ckpt "$ckpt" "m0=$s/m0-00000.txt" "m1=$s/m1-00000.txt" "m2=$s/m2-00000.txt"
energy=$(cat "$work/out")
run score --ckpt "$ckpt" --json "m0=$s/m0-00000.txt" "m1=$s/m1-00000.txt" "m2=$s/m2-00000.txt"
check "score --json" eval 'json && [ "$(printf "%.4g" "$energy")" = "$(printf "%.4g" "$(sed -n "s/^scores\[0\].energy = //p" "$work/json")")" ]'
run score --ckpt "$ckpt" --json --test 3
check "score --test --json" eval 'json && has "scores[2].key = 2" && has "scores[1].label = 1" && rows "scores.*energy = " 3'
printf 'note,m0,m1,m2\n"a ""b""",%s,%s,%s\n' "$s/m0-00000.txt" "$s/m1-00000.txt" "$s/m2-00000.txt" >"$work/list.csv"
run score --ckpt "$ckpt" --json --list "$work/list.csv"
check "score --list --json" eval 'json && has "scores[0].columns.note = a \"b\"" && rows "scores.*energy = " 1'
run info "$ckpt" --json --tensors --settings
check "info --json of a checkpoint" eval 'json && has "files[0].iteration = 4" && has "files[0].modalities = m0,m1,m2" && has "files[0].settings.learner.latent_dim = 3" && grep -q "^files\[0\].models.energy.parameters = [1-9]" "$work/json"'
check "with shapes" grep -q '^files\[0\].tensors\[[0-9]*\].shape\[0\] = ' "$work/json"
run info toy.so --json
check "info --json of a plugin" eval 'json && has "files[0].id = org.example.toy" && has "files[0].abi_major = 1" && has "files[0].modalities[0].files = .txt"'
: >"$work/tmp/empty.so"
run plugins --json --path "$work/tmp"
check "plugins --json" eval 'json && grep -q "^plugins\[[0-9]*\].id = org.example.toy$" "$work/json" && has "folders[0] = $work/tmp" && grep -q "^refused\[[0-9]*\].path = $work/tmp/empty.so$" "$work/json"'
rm "$work/tmp/empty.so"
run train --ini "$work/toy.ini" --dry-run --json --out "$work/never"
check "train --dry-run --json" eval 'json && has "settings.learner.batch = 4" && has "training_tuples = 32" && [ ! -e "$work/never" ]'
run train --ini "$work/toy.ini" --json --out "$work/tr"
check "train --json" eval 'exits 0 && json && has "ended = finished" && has "iterations = 4" && has "best = null" && [ -s "$(sed -n "s/^checkpoint = //p" "$work/json")" ]'
run judge --ini "$work/tr/run.ini" --epochs 1 --matcher no --json
check "judge --json" eval 'exits 0 && json && has "classifiers[0].modality = m0" && has "judge = $work/tr/judge.safetensors"'
run eval --ckpt "$work/tr" --count 20 --only coherence --json --out "$work/ev"
check "eval --json is what eval.json has" eval 'exits 0 && json && tests/cli/json_lines <"$work/ev/eval.json" | cmp - "$work/json"'
run eval --summary "$work/ev" --json
check "eval --summary --json" eval 'exits 0 && json'
run fit-prior --ckpt "$work/tr" --components 2 --json
check "fit-prior --json" eval 'exits 0 && json && has "priors[0].of = z" && has "priors[0].asked = 2"'
run interpolate --ckpt "$ckpt" --from 0 --to 1 --grid "$work/i.png" --json
check "interpolate --json" eval 'json && has "sheet = $work/i.png"'
run trace --ckpt "$ckpt" --tuples 1 --out "$work/trace" --json
check "trace --json" eval 'json && has "traces = $work/trace/trace.csv"'
run report "$work/tr" --json
check "report --json" eval 'json && has "page = $work/tr/report.html"'
run ablate --ini "$work/toy.ini" --seeds 2 --out "$work/ab" --json
check "ablate --json" eval 'exits 0 && json && has "asked = 2" && has "failed = 0" && has "runs = $work/ab/runs.csv"'
run help settings run.seed --json
check "help settings --json" eval 'json && has "settings[0].key = seed" && has "settings[0].default = 1"'
run bench noise --repeat 1 --json -
check "bench --json -" eval 'exits 0 && json && grep -q "^figures\[0\].name = " "$work/json"'
run info "$work/nowhere" --json
check "errors are no JSON" eval 'exits 2 && complains nowhere'

# ---------------------------------------------------------------- bytes of others
run translate --ckpt "$ckpt" --given "$(printf 'm1="0 0 0 0 0 0 0 0"')" --want m0 --json
check "what a user wrote is a string" eval 'json && has "made[0].name = m1=\"0 0 0 0 0 0 0 0\""'
finish
