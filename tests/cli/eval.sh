#!/bin/sh
# eval.sh - judge, eval and encode as a user runs them: on real pictures and a model that has learned nothing.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
run --ini "$work/tiny.ini" --out "$work/run"
check "a model to look at" exits 0
ckpt=$(checkpoint "$work/run" 20)

# ---------------------------------------------------------------- judge
run eval --ckpt "$ckpt" --only coherence,conditional
check "figures of a judge without one: status 2" exits 2
check "what makes one is said" complains "no judge at $work/run/judge.safetensors; make one with mmcore judge"
run eval --ckpt "$ckpt" --count 20 --probe 50
check "eval without a judge tells what needs none" eval 'exits 0 && says out "latent accuracy" && says out "mean, components of raw values"'
check "and what is left out, and why" eval 'says err "no judge at $work/run/judge.safetensors, so figures that need one are left out" && says out "there is no judge at"'
run judge
check "judge without settings: status 2" exits 2
check "judge without settings says what is missing" says err "--ini is missing"
run judge --ini "$work/run/run.ini" --batch 301 --epochs 1 --out "$work/odd-judge"
check "a batch larger than the data is all of it" eval 'exits 0 && says err "batch is 300 instead of 301 (--batch)"'
run judge --ini "$work/run/run.ini" --epochs 2
check "judge succeeds" exits 0
check "judge tells the accuracy on the test split" says out "m1         accuracy 0."
check "judge goes beside the run" says out "judge      $work/run/judge.safetensors"
check "the judge is there" [ -s "$work/run/judge.safetensors" ]
run info "$work/run/judge.safetensors"
check "info reads it" says out "mmcore judge 1"
check "info counts its parameters" says out "judge       "
check "info does not count what is not there" [ "$(grep -c parameters "$work/out")" -eq 1 ]

# ---------------------------------------------------------------- eval
run eval --ckpt "$ckpt" --count 40 --probe 100 --out "$work/e1"
check "eval succeeds" exits 0
cp "$work/out" "$work/out.first"
for text in "unconditional coherence" "conditional coherence, z revised, revised" "  from m1" "coherence by given" "latent accuracy" "energy as detector" \
	"cost of 64 samples" "judge accuracy m0 0." "samples        40"; do
	check "eval tells: $text" says out "$text"
done
check "a matrix has its targets as columns" grep -Eq '^conditional coherence, generator +m[01] +m[01]$' "$work/out"
check "the table has both columns" grep -Eq '^unconditional coherence +generator +revised$' "$work/out"
lines() { awk -F, 'NR > 1 && $0 !~ /^"?(cost of|Frechet|conditional Frechet)/' "$1"; }
check "the CSV has a heading" [ "$(head -n 1 "$work/e1/eval.csv")" = "figure,of,variant,value" ]
check "the CSV has values" grep -Eq '^unconditional coherence,all modalities agree,revised,[01]' "$work/e1/eval.csv"
check "the JSON names the checkpoint" grep -qF "\"checkpoint\":	\"$ckpt\"" "$work/e1/eval.json"
run eval --ckpt "$ckpt" --count 40 --probe 100 --set run.threads=1 --only coherence,conditional,given,alignment,latent,energy,rank --out "$work/e2"
check "a second evaluation succeeds" exits 0
lines "$work/e1/eval.csv" >"$work/first"
lines "$work/e2/eval.csv" >"$work/second"
check "and finds the same on another number of threads" cmp "$work/first" "$work/second"
run eval --ckpt "$ckpt" --only latent,cost --count 10 --judge "$work/absent"
check "figures without a judge do not look for one" exits 0
run eval --ckpt "$ckpt" --only energy --count 20 --other m0.background="$work/absent.png"
check "another data set that is not there: status 2" exits 2
check "and its file is named" says err "$work/absent.png"
run eval --ckpt "$ckpt" --only energy --count 20 --other m0.view=7 --other m1.view=8
check "another data set gets a figure" says out "other data set"
run eval --ckpt "$ckpt" --only coherence --count 20 --set translate.data_steps=0 --set translate.temperature=0.5
check "translations with another data chain are told apart" grep -Eq '^x steps +[1-9][0-9]*, translations 0$' "$work/out"
check "and so is their temperature" says out "drawn at temperature 0.5"
# Of a run with a time budget warm-up is a share of the time, whatever the iteration's number is.
sed 's/^iterations = .*/iterations = 10000000/; s/^warmup = .*/warmup = 100000/' "$work/tiny.ini" >"$work/long.ini"
run --ini "$work/long.ini" --out "$work/timed" --minutes 0.03 --set run.checkpoint_interval=1000000
check "a run with a time budget ends" exits 0
run eval --ckpt "$work/timed" --only energy,cost --count 20 --guide-steps 2
check "its energy counts as trained" eval 'says out "energy as detector" && ! says out "not trained"'
run --ini "$work/tiny.ini" --out "$work/warm" --set run.checkpoint_interval=4 --set run.checkpoint_keep=9
run eval --ckpt "$(checkpoint "$work/warm" 4)" --only energy,cost --count 20 --guide-steps 2
check "in a warm-up it does not" eval 'says out "not trained" && ! says out "guide steps"'

# ---------------------------------------------------------------- a judge that matches
check "views of one class need no matcher" grep -q '^alignment of data .*not available: the judge has no matcher; make one with mmcore judge --matcher yes$' "$work/out.first"
run judge --ini "$work/run/run.ini" --epochs 2 --batch 32 --matcher yes --out "$work/matcher"
check "a judge with a matcher is made on demand" exits 0
check "its recall is printed in both directions" [ "$(grep -c '^m[01] -> m[01] recall @1 0\.[0-9]*, @5 0\.[0-9]*, @10 [01]\.[0-9]* of 300 queries, .*; chance @1 0\.0' "$work/out")" -eq 2 ]
run info "$work/matcher"
check "info counts its parameters, too" says out "matcher     "
run eval --ckpt "$ckpt" --judge "$work/matcher" --count 40 --only alignment --out "$work/e3"
check "eval with a matcher succeeds" exits 0
for text in "judge recall   m0 -> m1 0." "m1 given m0, at 10" "alignment of data                                    real     shuffled" "alignment of samples" \
	"alignment of translations, z revised, revised" "condition found, z revised"; do
	check "eval tells: $text" says out "$text"
done
check "nothing else was asked for" [ "$(grep -c coherence "$work/out")" -eq 0 ]
check "the CSV has the alignment" grep -Eq '^alignment of samples,m0 with m1,revised,-?[01]' "$work/e3/eval.csv"
check "the JSON has the recall" grep -qF 'm0 given m1, at 5' "$work/e3/eval.json"
run eval --ckpt "$ckpt" --judge "$work/matcher" --count 40 --only alignment --set run.threads=1 --out "$work/e4"
check "alignment on another number of threads" cmp "$work/e3/eval.csv" "$work/e4/eval.csv"
run judge --ini "$work/run/run.ini" --matcher perhaps
check "a matcher perhaps: status 2" exits 2
check "what is expected is said" says err "--matcher is 'perhaps'; expected auto, yes or no"

# ---------------------------------------------------------------- what is refused
run eval
check "eval without a checkpoint: status 2" exits 2
run eval --ckpt "$ckpt" --only fid --out "$work/none"
check "unknown figures: status 2" exits 2
check "unknown figures are named" says err "unknown figures \"fid\"; there are alignment,coherence"
run eval --ckpt "$ckpt" --split train
check "the training split is refused" says err "expected test or validation"
run eval --ckpt "$ckpt" --judge "$ckpt" --out "$work/none"
check "a checkpoint is no judge: status 2" exits 2
check "a checkpoint is no judge" complains "expected \"mmcore judge 1\""
check "nothing was written" [ ! -e "$work/none" ]

# ---------------------------------------------------------------- summary
run eval --summary "$work/e1" "$work/e2" --out "$work/s"
check "summary succeeds" exits 0
check "summary has mean and spread" grep -Eq '^latent accuracy, mean +mean +sd +runs$' "$work/out"
check "summary's spread of equals is zero" grep -Eq '^"?unconditional coherence, revised"?,all modalities agree,sd,0$' "$work/s/summary.csv"
run eval --summary "$work/absent"
check "summary of nothing: status 2" exits 2
run eval --summary
check "summary without folders: status 2" exits 2

# ---------------------------------------------------------------- encode
run encode --ckpt "$ckpt" --out "$work/latents" --count 30
check "encode succeeds" exits 0
check "encode writes a line a tuple" [ "$(wc -l <"$work/latents/m1-latents.csv")" -eq 31 ]
check "keys and labels have a file" [ "$(head -n 1 "$work/latents/tuples.csv")" = "row,key,label" ]
check "arrays are NumPy's" [ "$(head -c 6 "$work/latents/m0-z-scale.npy" | od -An -tx1 | tr -d ' \n')" = 934e554d5059 ]
sed 's/^\[m0\]$/[tuples]/; s/^\[m1\]$/[labels]/' "$work/tiny.ini" >"$work/odd.ini"
run --ini "$work/odd.ini" --out "$work/odd"
run encode --ckpt "$work/odd" --out "$work/odd_latents" --count 30
check "modalities called tuples and labels are encoded" exits 0
check "beside the keys" [ "$(head -n 1 "$work/odd_latents/tuples.csv")" = "row,key,label" ]
check "and the labels" cmp "$work/latents/labels.npy" "$work/odd_latents/labels.npy"
check "each under its own name" [ "$(wc -l <"$work/odd_latents/tuples-latents.csv")" -eq 31 ]
check "in as many files" [ "$(ls "$work/odd_latents" | wc -l)" -eq "$(ls "$work/latents" | wc -l)" ]
run encode --ckpt "$ckpt" --out "$work/none" --split tets
check "encode: an unknown split: status 2" exits 2
run encode --ckpt "$ckpt"
check "encode without a folder says what is missing" says err "--out is missing"
check "still nothing was written" [ ! -e "$work/none" ]
finish
